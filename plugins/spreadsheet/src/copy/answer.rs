//! What stands in the columns of results.

use std::fmt::Write as _;

use einvoice_core::finding::Finding;
use einvoice_core::ledger::LedgerId;
use einvoice_core::receipt::{Edition, Receipt};
use einvoice_core::state::{DocumentState, EwbState};
use serde::{Deserialize, Serialize};

use super::package::Was;
use crate::builtin::RESULTS;

/// Longest text of a cell; a workbook holds 32,767 characters in one.
const TEXT_MAX: usize = 32_000;
/// Longest name of a document; a number has 16 characters.
const NAME_MAX: usize = 200;
/// Most marked cells of a document: what a copy remembers of them has to fit into one cell.
pub(super) const MARKS_MAX: usize = 60;

/// The heading of the column that belongs to the program.
pub(crate) const STATE_HEADING: &str = "einvoice";

/// The answer to one document.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Values by [`RESULTS`].
    pub(crate) values: [String; RESULTS.len()],
    pub(crate) state: State,
    /// Where its rows are, as its source said; nothing where it did not.
    pub(crate) place: Option<Place>,
    /// Type, number and date, for a list of results without their workbook.
    pub(crate) named: [String; 3],
    pub(crate) findings: Vec<Finding>,
}

/// Where a document stands in its workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) sheet: String,
    pub(crate) heading_row: u32,
    pub(crate) rows: Vec<u32>,
    /// Letters of the column of the document number.
    pub(crate) number_column: Option<String>,
}

/// What the program keeps in its own column, in the first row of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The record.
    pub(crate) record: String,
    /// The ledger that counts the revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<LedgerId>,
    /// Revision of the result.
    pub(crate) revision: u32,
    /// The acknowledgement that stands in the row.
    #[serde(skip)]
    pub(crate) ack_no: Option<String>,
    /// How the workbook looked that was answered.
    pub(crate) file: String,
    /// What a person may call the document.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) named: String,
    /// Marked cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) marks: Vec<Mark>,
}

/// A cell that is coloured and has a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Rows below the first of the document.
    pub(crate) down: u32,
    /// Column from 0.
    pub(crate) column: u32,
    /// An error, or a warning. A copy shows it by the colour of the cell.
    #[serde(skip)]
    pub(crate) error: bool,
    /// The comment, which a copy has at the cell.
    #[serde(skip)]
    pub(crate) text: String,
    /// What the cell looked like before.
    #[serde(default, skip_serializing_if = "Was::is_plain")]
    pub(crate) was: Was,
}

impl State {
    /// Which result of its document it is.
    pub(crate) fn edition(&self) -> Edition {
        Edition { ledger: self.ledger.clone(), revision: self.revision, ack_no: self.ack_no.clone() }
    }

    /// The text of the cell.
    pub(crate) fn to_text(&self) -> String {
        // A struct of texts and numbers is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl Answer {
    pub(crate) fn of(receipt: &Receipt) -> Self {
        let attribute = |name: &str| receipt.attributes.get(name).cloned().unwrap_or_default();
        let registration = receipt.registration.as_ref();
        let bill = receipt.bill();
        let ewb_state = bill.as_ref().map_or(receipt.ewb_state, |bill| bill.state);
        let of_bill = |text: &dyn Fn(&einvoice_core::receipt::ShownBill) -> Option<String>| {
            bill.as_ref().and_then(text).unwrap_or_default()
        };
        let errors: Vec<&Finding> = receipt.findings.iter().filter(|finding| finding.is_error()).collect();
        let mut codes: Vec<&str> =
            errors.iter().map(|finding| finding.code.as_deref().unwrap_or(&finding.rule)).collect();
        codes.dedup();
        let mut messages = errors.iter().map(|finding| sentence(finding)).collect::<Vec<_>>().join(" | ");
        cut(&mut messages, TEXT_MAX);
        let mut codes = codes.join("; ");
        cut(&mut codes, TEXT_MAX);
        let named = [attribute("doc_typ"), named_number(receipt), attribute("doc_dt")];
        let parts: Vec<&str> = named.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let mut name = parts.join(" ");
        cut(&mut name, NAME_MAX);
        Self {
            values: [
                status(receipt.state),
                registration.map(|found| found.irn.to_string()).unwrap_or_default(),
                registration.map(|found| found.ack_no.clone()).unwrap_or_default(),
                registration.map(|found| found.ack_date.to_string()).unwrap_or_default(),
                registration.and_then(|found| found.signed_qr.clone()).unwrap_or_default(),
                of_bill(&|bill| Some(bill.number.clone())),
                of_bill(&|bill| bill.made_at.map(|at| at.to_string())),
                of_bill(&|bill| bill.valid_till.map(|at| at.to_string())),
                if ewb_state == EwbState::None { String::new() } else { ewb_state.as_str().to_owned() },
                receipt.cancellation.as_ref().and_then(|found| found.at).map(|at| at.to_string()).unwrap_or_default(),
                codes,
                messages,
            ],
            state: State {
                record: receipt.reference.record_id.clone(),
                ledger: receipt.ledger.clone(),
                revision: receipt.revision,
                ack_no: registration.map(|found| found.ack_no.clone()),
                file: attribute("file"),
                named: name,
                marks: Vec::new(),
            },
            place: Place::of(receipt),
            named,
            findings: receipt.findings.clone(),
        }
    }
}

impl Place {
    /// By what the source handed back; of what was no document, which nothing was handed back for, by its position.
    fn of(receipt: &Receipt) -> Option<Self> {
        if !receipt.attributes.contains_key("rows") {
            return Self::named(&receipt.reference.position);
        }
        let attribute = |name: &str| receipt.attributes.get(name);
        let rows: Vec<u32> = attribute("rows")?.split(',').filter_map(|row| row.parse().ok()).collect();
        let number = attribute("number_columns").and_then(|columns| columns.split(',').next());
        (!rows.is_empty()).then_some(Self {
            sheet: attribute("sheet").cloned().unwrap_or_default(),
            heading_row: attribute("heading_row")?.parse().ok()?,
            number_column: number.filter(|letters| !letters.is_empty()).map(str::to_owned),
            rows,
        })
    }
}

impl Place {
    /// A position such as `document 3, sheet Sales, row 7`, which the source wrote.
    fn named(position: &str) -> Option<Self> {
        let (_, place) = position.split_once(", ")?;
        let (sheet, rows) = match place.strip_prefix("sheet ") {
            Some(named) => named.rsplit_once(", ")?,
            None => ("", place),
        };
        let (word, rows) = rows.split_once(' ')?;
        let row = rows.split(|letter: char| !letter.is_ascii_digit()).find(|digits| !digits.is_empty())?;
        let known = matches!(word, "row" | "rows" | "line" | "lines");
        let rows = vec![row.parse().ok()?];
        known.then(|| Self { sheet: sheet.to_owned(), heading_row: 0, rows, number_column: None })
    }
}

/// The document number; where the source named none, what a person may call the document.
fn named_number(receipt: &Receipt) -> String {
    receipt.attributes.get("doc_no").cloned().unwrap_or_else(|| receipt.label.clone())
}

/// `IRN_GENERATED` and `IRN_CANCELLED` as file interfaces say, the state's own name otherwise.
fn status(state: DocumentState) -> String {
    match state {
        DocumentState::Registered => "IRN_GENERATED".to_owned(),
        DocumentState::Cancelled => "IRN_CANCELLED".to_owned(),
        other => other.as_str().to_uppercase(),
    }
}

/// A finding in one line: where, what, found, expected, what to do.
pub(crate) fn sentence(finding: &Finding) -> String {
    let mut text = String::new();
    if !finding.path.is_empty() {
        text.push_str(&finding.path);
        text.push_str(": ");
    }
    text.push_str(&finding.message);
    // Writing to memory cannot fail.
    match (&finding.found, &finding.expected) {
        (Some(found), Some(expected)) => _ = write!(text, " (found {found}, expected {expected})"),
        (Some(found), None) => _ = write!(text, " (found {found})"),
        (None, Some(expected)) => _ = write!(text, " (expected {expected})"),
        (None, None) => {}
    }
    if let Some(fix) = &finding.fix {
        text.push_str(". ");
        text.push_str(fix);
    }
    // Rows of text files stay on one line each.
    text.replace(['\r', '\n'], " ")
}

/// Cuts a text at a character.
fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_leads_to_its_row_where_nothing_else_is_known() {
        let named = |position| Place::named(position).map(|place| (place.sheet, place.rows));
        assert_eq!(named("document 3, sheet North, East, row 7"), Some(("North, East".to_owned(), vec![7])));
        assert_eq!(named("document 3, lines 5 to 9"), Some((String::new(), vec![5])));
        assert_eq!(named("document 3"), None);
        assert_eq!(named("record 1"), None);
        assert_eq!(named("document 1, voucher 3"), None);
    }

    #[test]
    fn what_a_copy_remembers_fits_into_a_cell() {
        let mark = Mark { down: 9_999, column: 16_383, error: true, text: "ü".repeat(5_000), was: Was::longest() };
        let state = State {
            record: "r".into(),
            ledger: Some(LedgerId("l".into())),
            revision: 1,
            ack_no: None,
            file: "f".into(),
            named: "n".into(),
            marks: vec![mark; MARKS_MAX],
        };
        let text = state.to_text();
        assert!(text.len() <= TEXT_MAX, "{}", text.len());
        let read = State::parse(&text).unwrap();
        assert!(read.marks.len() == MARKS_MAX && read.marks[0].was == Was::longest());
    }
}

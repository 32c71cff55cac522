//! Which cell a finding is about.

use std::collections::HashMap;

use einvoice_core::finding::Finding;
use einvoice_core::spelling;

use super::answer::{MARKS_MAX, Mark, Place, sentence};
use super::package::Was;
use crate::builtin;
use crate::cell::letters;

/// The cells to mark for the findings about a document; all findings about one cell make one comment.
pub(crate) fn marks(findings: &[Finding], place: &Place, headings: &[(u32, String)]) -> Vec<Mark> {
    let first = place.rows.first().copied().unwrap_or_default();
    let mut marks: Vec<Mark> = Vec::new();
    for finding in findings {
        let (row, column) = cell(finding, place, headings);
        let down = row.saturating_sub(first);
        let text = comment(finding);
        if let Some(mark) = marks.iter_mut().find(|mark| (mark.down, mark.column) == (down, column)) {
            mark.error |= finding.is_error();
            mark.text.push_str("\n\n");
            mark.text.push_str(&text);
        } else if marks.len() < MARKS_MAX {
            marks.push(Mark { down, column, error: finding.is_error(), text, was: Was::default() });
        }
    }
    marks
}

fn comment(finding: &Finding) -> String {
    let code = finding.code.as_deref().map(|code| format!("[{code}] ")).unwrap_or_default();
    format!("{code}{}", sentence(finding))
}

/// Row and column: where the value came from, else where the portal's heading for the member stands, else the document
/// number.
fn cell(finding: &Finding, place: &Place, headings: &[(u32, String)]) -> (u32, u32) {
    let first = place.rows.first().copied().unwrap_or_default();
    let named = finding.place.as_deref().and_then(named);
    if let Some((heading, row)) = named
        && place.rows.contains(&row)
    {
        // A heading that stands there twice: items first, totals behind them.
        let mut those = headings.iter().filter(|(_, text)| *text == heading).map(|(column, _)| *column);
        let found = if finding.path.starts_with("ValDtls") { those.next_back() } else { those.next() };
        if let Some(column) = found {
            return (row, column);
        }
    }
    if let Some(column) = of_path(&finding.path, headings) {
        return (item(&finding.path).and_then(|item| place.rows.get(item)).copied().unwrap_or(first), column);
    }
    let number = place.number_column.as_deref();
    let number = headings.iter().map(|(column, _)| *column).find(|column| number == Some(letters(*column).as_str()));
    (item(&finding.path).and_then(|item| place.rows.get(item)).copied().unwrap_or(first), number.unwrap_or_default())
}

/// Heading and row of a place such as `in/a.xlsx, document 3, row 5, column HSN Code, row 7`.
fn named(place: &str) -> Option<(&str, u32)> {
    let (_, from_heading) = place.rsplit_once("column ")?;
    let (heading, row) = from_heading.rsplit_once(", ")?;
    let (_, row) = row.rsplit_once(' ')?;
    Some((heading, row.parse().ok()?))
}

fn of_path(path: &str, headings: &[(u32, String)]) -> Option<u32> {
    let heading = builtin::heading_of(path)?;
    let spellings: Vec<String> =
        std::iter::once(heading.text).chain(heading.also.iter().copied()).map(spelling::fold).collect();
    let known = |key: &str| spellings.iter().any(|spelling| spelling == key);
    let found: HashMap<String, u32> =
        headings.iter().rev().map(|(column, text)| (builtin::key(text, &known), *column)).collect();
    spellings.iter().find_map(|spelling| found.get(spelling)).copied()
}

/// The number of the item in a path.
fn item(path: &str) -> Option<usize> {
    path.strip_prefix("ItemList[")?.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings() -> Vec<(u32, String)> {
        ["Document Number", "HSN Code", "Discount", "Total Taxable value", "Discount"]
            .iter()
            .zip(0..)
            .map(|(text, column)| (column, (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_finding_marks_the_cell_its_value_came_from() {
        let place = Place { sheet: "S".into(), heading_row: 4, rows: vec![5, 6], number_column: Some("A".into()) };
        let error = |path: &str, place: Option<&str>| {
            let finding = Finding::error("a.b", path, "wrong").with_code("2172").with_fix("Mend it.");
            match place {
                Some(place) => finding.with_place(place),
                None => finding,
            }
        };
        let findings = [
            error("ItemList[1].HsnCd", Some("in/a.xlsx, document 3, rows 5 to 6, column HSN Code, row 6")),
            error("ValDtls.Discount", Some("in/a.xlsx, document 3, rows 5 to 6, column Discount, row 5")),
            error("ItemList[0].Discount", Some("in/a.xlsx, document 3, rows 5 to 6, column Discount, row 5")),
            error("ItemList[1].HsnCd", None),
            error("", None),
            error("BuyerDtls.Gstin", Some("in/a.xlsx, document 3")),
        ];
        let marks = marks(&findings, &place, &headings());
        let cells: Vec<(u32, u32)> = marks.iter().map(|mark| (mark.down, mark.column)).collect();
        assert_eq!(cells, [(1, 1), (0, 4), (0, 2), (0, 0)]);
        let text = "[2172] ItemList[1].HsnCd: wrong. Mend it.";
        assert_eq!(marks[0].text, format!("{text}\n\n{text}"));
    }
}

//! What Tally answers: refusals in its own words, and the counters of an import.

use crate::xml::Element;

/// What to do about an answer that is known; other texts are passed on as they are.
const HINTS: [(&str, &str); 14] = [
    ("could not find company", "the company was closed or renamed; open it in Tally, or correct `company`"),
    ("could not set 'svcurrentcompany'", "the company is not open; open it in Tally, or correct `company`"),
    ("voucher totals do not match", "the voucher does not add up; correct it in Tally"),
    ("desc not found", "this release did not understand the request; please report it with the release number"),
    ("ledger '", "a ledger that the voucher uses was removed or renamed in Tally"),
    ("stock item '", "a stock item that the voucher uses was removed or renamed in Tally"),
    ("voucher does not exist", "the voucher was deleted in Tally, or belongs to another company or year"),
    ("could not find voucher", "the voucher was deleted in Tally, or belongs to another company or year"),
    ("cannot delete unnamed object", "this release does not know the selector by Master ID"),
    (
        "voucher date is missing",
        "this release did not understand the request; please report it with the release number",
    ),
    ("unknown request", "this release did not understand the request; please report it with the release number"),
    ("no accounting or inventory entries", "Tally took the alteration for a new voucher; nothing was written"),
    ("out of range", "the date lies outside the books, or Tally runs in educational mode"),
    ("duplicate", "Tally found the number twice; correct the numbering of the voucher type"),
];

/// What to do about one of Tally's texts.
pub(crate) fn hint(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    HINTS.iter().find(|(known, _)| text.contains(known)).map(|(_, hint)| *hint)
}

/// The refusals in an answer, all of them; `None` where it refuses nothing.
pub(crate) fn refusal(answer: &Element<'_>) -> Option<String> {
    let mut texts = Vec::new();
    collect(answer, &mut texts);
    if texts.is_empty() {
        let failed = answer.child("HEADER").and_then(|header| header.get("STATUS")).is_some_and(|status| status == "0");
        if failed {
            let desc = answer.child("BODY").and_then(|body| body.get("DESC"));
            texts.push(desc.unwrap_or("status 0, without a reason").to_owned());
        }
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn collect(element: &Element<'_>, texts: &mut Vec<String>) {
    let says = matches!(element.name(), "LINEERROR" | "ERRORMSG")
        || element.name() == "RESPONSE" && element.children().is_empty();
    let text = element.raw_text();
    if says && !text.is_empty() && !texts.iter().any(|known| known == text) {
        texts.push(text.to_owned());
    }
    // A voucher is what was asked for, not an answer about it.
    for child in element.children().iter().filter(|child| child.name() != "VOUCHER") {
        collect(child, texts);
    }
}

/// The counters of an import.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ImportAnswer {
    /// Vouchers made: an incident, as only alterations are sent.
    pub(crate) created: u64,
    /// Vouchers altered, as Tally says.
    pub(crate) altered: u64,
    /// Errors and exceptions together.
    pub(crate) errors: u64,
    /// Master ID of the last voucher touched.
    pub(crate) last: Option<u64>,
    /// Tally's words about errors.
    pub(crate) refusal: Option<String>,
}

impl ImportAnswer {
    /// Reads the counters, which stand below `BODY/DATA/IMPORTRESULT`, below `BODY/DATA`, or in a
    /// bare `RESPONSE`. An answer without them is `None`.
    pub(crate) fn read(answer: &Element<'_>) -> Option<Self> {
        let counters = [
            answer.child("BODY").and_then(|body| body.child("DATA")).and_then(|data| data.child("IMPORTRESULT")),
            answer.child("BODY").and_then(|body| body.child("DATA")),
            Some(answer),
        ];
        let refusal = refusal(answer);
        let found = counters.into_iter().flatten().find(|element| element.child("CREATED").is_some());
        let Some(found) = found else { return refusal.map(|text| Self { refusal: Some(text), ..Self::default() }) };
        let number = |name: &str| found.get(name).and_then(|text| text.trim().parse::<u64>().ok());
        Some(Self {
            created: number("CREATED").unwrap_or(0),
            altered: number("ALTERED").unwrap_or(0),
            errors: number("ERRORS").unwrap_or(0).saturating_add(number("EXCEPTIONS").unwrap_or(0)),
            last: number("LASTVCHID").filter(|id| *id > 0),
            refusal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_in_each_of_the_three_places() {
        let counters = "<CREATED>0</CREATED><ALTERED> 1</ALTERED><LASTVCHID>11544</LASTVCHID><ERRORS>0</ERRORS>";
        let wanted = ImportAnswer { altered: 1, last: Some(11544), ..ImportAnswer::default() };
        for text in [
            format!("<ENVELOPE><BODY><DATA><IMPORTRESULT>{counters}</IMPORTRESULT></DATA></BODY></ENVELOPE>"),
            format!("<ENVELOPE><BODY><DATA>{counters}</DATA></BODY></ENVELOPE>"),
            format!("<RESPONSE>{counters}</RESPONSE>"),
        ] {
            assert_eq!(ImportAnswer::read(&Element::parse(&text).unwrap()), Some(wanted.clone()), "{text}");
        }
        assert_eq!(ImportAnswer::read(&Element::parse("<RESPONSE><X>1</X></RESPONSE>").unwrap()), None);
    }

    #[test]
    fn exceptions_and_lines_of_error_are_errors() {
        let text = "<RESPONSE><LINEERROR>Voucher does not exist!</LINEERROR><CREATED>0</CREATED><ALTERED>0</ALTERED><ERRORS>1</ERRORS><EXCEPTIONS>2</EXCEPTIONS></RESPONSE>";
        let answer = ImportAnswer::read(&Element::parse(text).unwrap()).unwrap();
        assert_eq!((answer.errors, answer.refusal.as_deref()), (3, Some("Voucher does not exist!")));
        assert!(hint("Voucher does not exist!").unwrap().contains("deleted"));
        assert_eq!(hint("something never seen"), None);
    }

    #[test]
    fn refusals_are_found_bare_in_a_response_and_by_status() {
        let said = |text: &str| refusal(&Element::parse(text).unwrap());
        assert_eq!(
            said("<ERRORMSG>Could not find Voucher:ID:5023!</ERRORMSG>").as_deref(),
            Some("Could not find Voucher:ID:5023!")
        );
        assert_eq!(
            said("<RESPONSE>Unknown Request, cannot be processed</RESPONSE>").as_deref(),
            Some("Unknown Request, cannot be processed")
        );
        let status = "<ENVELOPE><HEADER><STATUS>0</STATUS></HEADER><BODY><DESC>no</DESC></BODY></ENVELOPE>";
        assert_eq!(said(status).as_deref(), Some("no"));
        assert_eq!(said("<ENVELOPE><HEADER><STATUS>1</STATUS></HEADER></ENVELOPE>"), None);
    }
}

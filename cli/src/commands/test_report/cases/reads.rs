//! Get IRN, by IRN and by document: what was registered before, and what is not there.

use std::borrow::Cow;

use einvoice_core::raw::{HeaderChange, RawHeader};

use super::{Listed, SUCCESSES, Subjects, common};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Case, Need, Subject};

/// What a question for an IRN that is not there may bring: public sources differ.
pub(super) const NOT_THERE: &[&str] = &["2148", "2154", "3001", "2145"];

/// What a question with something that is no IRN may bring.
pub(super) const NO_IRN: &[&str] = &["2145", "2148", "2154", "3001"];

pub(super) fn cases(subjects: &Subjects) -> Vec<Case> {
    let mut cases = by_irn(subjects);
    cases.extend(by_document(subjects));
    cases
}

/// What it is in words, and how it is made of a right one.
type Misspelling = (&'static str, fn(&str) -> String);

/// Misspellings of an IRN.
pub(super) fn misspellings() -> Vec<Misspelling> {
    vec![
        ("an IRN without its last character", |irn| irn.chars().take(63).collect()),
        ("an IRN without its first character", |irn| irn.chars().skip(1).collect()),
        ("an IRN with a character too many", |irn| format!("{irn}0")),
        ("half an IRN", |irn| irn.chars().take(32).collect()),
        ("an IRN twice", |irn| format!("{irn}{irn}")),
        ("an IRN with a letter beyond f", |irn| format!("g{}", irn.chars().skip(1).collect::<String>())),
        ("an IRN with a hyphen", |irn| {
            format!("{}-{}", irn.chars().take(31).collect::<String>(), irn.chars().skip(32).collect::<String>())
        }),
        ("an IRN that ends with z", |irn| format!("{}z", irn.chars().take(63).collect::<String>())),
    ]
}

/// Texts that are no IRN, fit for a path.
pub(super) const NO_IRNS: [(&str, &str); 14] = [
    ("one letter in place of an IRN", "a"),
    ("one digit in place of an IRN", "0"),
    ("a document number in place of an IRN", "T1"),
    ("the GSTIN in place of an IRN", "{own}"),
    ("the word null in place of an IRN", "null"),
    ("the word undefined in place of an IRN", "undefined"),
    ("an acknowledgement number in place of an IRN", "112610000000001"),
    ("an e-way bill number in place of an IRN", "391000000001"),
    ("64 letters x", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ("64 stars", "****************************************************************"),
    ("40 hexadecimal digits", "0123456789abcdef0123456789abcdef01234567"),
    ("an MD5 digest in place of an IRN", "0123456789abcdef0123456789abcdef"),
    ("a UUID in place of an IRN", "123e4567-e89b-42d3-a456-426614174000"),
    ("a word with an accent in place of an IRN", "%C3%A9t%C3%A9"),
];

/// Documents to ask for: so many invoices, then so many that are cancelled later, then more invoices; each with its place.
fn known_documents(subjects: &Subjects, invoices: usize, others: usize) -> impl Iterator<Item = (usize, &String)> {
    let (first, spare) = subjects.for_bills.split_at(invoices.min(subjects.for_bills.len()));
    let asked = first.iter().chain(subjects.for_cancelling.iter().take(others)).chain(spare);
    (1..).zip(asked.take(SUCCESSES))
}

fn by_irn(subjects: &Subjects) -> Vec<Case> {
    let mut listed = Listed::of(Api::GetIrn);
    for (place, case) in known_documents(subjects, 30, 20) {
        listed
            .succeeds(format!("a document registered before, number {place}"), Ask::Object(Subject::Of(case.clone())));
    }
    let known = || Ask::Object(Subject::Of(subjects.without_bill.clone()));
    common::headers(&mut listed, &known());
    listed.fails("an IRN of this site, asked of the other site", NOT_THERE, known());
    listed.last(|case| case.headers = vec![HeaderChange::with(RawHeader::Site, "{other_site}")]);
    for (title, twist) in misspellings() {
        listed.fails(title, NO_IRN, Ask::Object(Subject::Misspelt(subjects.without_bill.clone(), twist)));
    }
    for (title, text) in NO_IRNS {
        listed.fails(title, NO_IRN, Ask::Object(Subject::Text(text.into())));
    }
    for serial in 1..=6 {
        let title = format!("the IRN of a document that was never registered, number {serial}");
        listed.fails(title, NOT_THERE, Ask::Object(Subject::Unregistered(serial)));
    }
    let old = Ask::Object(Subject::Text("{old_irn}".into()));
    listed.fails("an IRN that was registered more than three days ago (--old-irn)", &["2283"], old);
    listed.last(|case| case.needs = Some(Need::OldIrn));
    listed.cases
}

fn by_document(subjects: &Subjects) -> Vec<Case> {
    const MISSING: &[&str] = &["2142", "3009", "2161", "2144"];
    const TYPE: &[&str] = &["2161", "2140", "5002"];
    const DATE: &[&str] = &["2144", "2225", "2218", "5002"];
    let mut listed = Listed::of(Api::GetByDocument);
    for (place, case) in known_documents(subjects, 25, 25) {
        let ask = Ask::Document(case.clone(), vec![]);
        listed.succeeds(format!("a document registered before, number {place}"), ask);
    }
    let known = |changes| Ask::Document(subjects.without_bill.clone(), changes);
    common::headers(&mut listed, &known(vec![]));
    listed.fails("a document of this site, asked of the other site", NOT_THERE, known(vec![]));
    listed.last(|case| case.headers = vec![HeaderChange::with(RawHeader::Site, "{other_site}")]);
    let text = |text: &'static str| Some(Cow::Borrowed(text));
    for (title, name) in [("type", "doctype"), ("number", "docnum"), ("date", "docdate")] {
        listed.fails(format!("without the document's {title}"), MISSING, known(vec![(name, None)]));
        listed.fails(format!("with an empty {title}"), MISSING, known(vec![(name, text(""))]));
    }
    listed.fails("without any parameter", MISSING, known(vec![("doctype", None), ("docnum", None), ("docdate", None)]));
    for value in ["BIL", "XXX", "INVOICE", "I", "CNT", "1"] {
        listed.fails(format!("of type {value}, which there is not"), TYPE, known(vec![("doctype", text(value))]));
    }
    for value in ["2026-11-05", "05-11-2026", "5/11/2026", "05/13/2026", "32/01/2026", "30/02/2026", "today"] {
        listed.fails(format!("of the date {value}"), DATE, known(vec![("docdate", text(value))]));
    }
    for value in ["NEVER/1", "NEVER-2", "X", "9", "a-number-in-no-book"] {
        listed.fails(format!("under the number {value}, never used"), NOT_THERE, known(vec![("docnum", text(value))]));
    }
    for (title, date) in [("a day earlier", "{eve}"), ("a year ago", "{day-365}"), ("tomorrow", "{day1}")] {
        listed.fails(format!("of the right number, dated {title}"), NOT_THERE, known(vec![("docdate", text(date))]));
    }
    for value in ["CRN", "DBN"] {
        listed.fails(format!("of the right number, as {value}"), NOT_THERE, known(vec![("doctype", text(value))]));
    }
    listed.cases
}

//! Cancel IRN: what can be cancelled, and what cannot.

use einvoice_core::raw::{HeaderChange, RawHeader};
use serde_json::{Value, json};

use super::reads::{NO_IRN, NO_IRNS, NOT_THERE, misspellings};
use super::{Listed, Subjects, common};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Case, Need, Subject};

/// Reasons of the form, each with its number.
const REASONS: [(&str, &str); 4] = [
    ("1", "as a duplicate"),
    ("2", "for a mistake in the data"),
    ("3", "as the order was cancelled"),
    ("4", "for another reason"),
];

pub(super) fn cases(subjects: &Subjects) -> Vec<Case> {
    const SCHEMA: &[&str] = &["5002", "2142", "2140", "2000"];
    let mut listed = Listed::of(Api::Cancel);
    let mut cancelled = Vec::new();
    for (place, document) in (1..).zip(subjects.for_cancelling.iter()) {
        let Some((code, reason)) = REASONS.get((place - 1) % REASONS.len()) else { continue };
        let edits = vec![("/CnlRsn", json!(code)), ("/CnlRem", json!(format!("Test case {place}")))];
        let ask = Ask::Cancel(Subject::Of(document.clone()), edits);
        let id = listed.succeeds(format!("a document, {reason}, number {place}"), ask);
        cancelled.push((document.clone(), id));
    }
    let active = |edits| Ask::Cancel(Subject::Of(subjects.active.clone()), edits);
    let long = "x".repeat(101);
    let faults = [
        ("without an IRN", vec![("/Irn", Value::Null)]),
        ("with an IRN that is a number", vec![("/Irn", json!(7))]),
        ("without a reason", vec![("/CnlRsn", Value::Null)]),
        ("with reason 0", vec![("/CnlRsn", json!("0"))]),
        ("with reason 5", vec![("/CnlRsn", json!("5"))]),
        ("with reason 99", vec![("/CnlRsn", json!("99"))]),
        ("with a word for a reason", vec![("/CnlRsn", json!("duplicate"))]),
        ("with an empty reason", vec![("/CnlRsn", json!(""))]),
        ("without a remark", vec![("/CnlRem", Value::Null)]),
        ("with an empty remark", vec![("/CnlRem", json!(""))]),
        ("with a remark of 101 characters", vec![("/CnlRem", json!(long))]),
        ("with a number for a remark", vec![("/CnlRem", json!(1))]),
        ("with neither reason nor remark", vec![("/CnlRsn", Value::Null), ("/CnlRem", Value::Null)]),
    ];
    for (title, edits) in faults {
        listed.fails(title, SCHEMA, active(edits));
    }
    for (document, id) in cancelled.iter().take(5) {
        let ask = Ask::Cancel(Subject::Of(document.clone()), vec![]);
        listed.fails("a document that is cancelled already", &["9999"], ask);
        listed.last(|case| case.after = Some(id.clone()));
    }
    for invoice in subjects.with_bills.iter().take(4) {
        listed.fails(
            "an invoice whose e-way bill is active",
            &["2230"],
            Ask::Cancel(Subject::Of(invoice.clone()), vec![]),
        );
    }
    for (title, twist) in misspellings() {
        listed.fails(title, NO_IRN, Ask::Cancel(Subject::Misspelt(subjects.active.clone(), twist), vec![]));
    }
    for (title, text) in NO_IRNS.into_iter().take(6) {
        listed.fails(title, NO_IRN, Ask::Cancel(Subject::Text(text.into()), vec![]));
    }
    for serial in 1..=3 {
        let title = format!("the IRN of a document that was never registered, number {serial}");
        listed.fails(title, NOT_THERE, Ask::Cancel(Subject::Unregistered(serial), vec![]));
    }
    listed.fails("an IRN of this site, at the other site", NOT_THERE, active(vec![]));
    listed.last(|case| case.headers = vec![HeaderChange::with(RawHeader::Site, "{other_site}")]);
    common::bodies(&mut listed);
    common::headers(&mut listed, &active(vec![]));
    // At the end, so that every other case keeps its number.
    let old = Ask::Cancel(Subject::Text("{old_irn}".into()), vec![]);
    listed.fails("an IRN that was registered more than a day ago (--old-irn)", &["2270"], old);
    listed.last(|case| case.needs = Some(Need::OldIrn));
    if let Some((document, id)) = cancelled.first() {
        // The number of a cancelled document is spent for the year.
        let mut spent = Listed::of(Api::Generate);
        spent.fails(
            "the number of a document that was cancelled",
            &["2278"],
            Ask::RegisterAgain(document.clone(), vec![]),
        );
        spent.last(|case| {
            "IRN-N900".clone_into(&mut case.id);
            case.after = Some(id.clone());
        });
        listed.cases.append(&mut spent.cases);
    }
    listed.cases
}

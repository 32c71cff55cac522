//! GSTIN details, sync, and the IRNs of a day that the registry rejected.

use std::borrow::Cow;

use einvoice_core::raw::{HeaderChange, RawHeader};

use super::{Listed, SUCCESSES, common};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Case, Subject};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of(Api::Gstin);
    cases.extend(of(Api::SyncGstin));
    cases
}

/// Both APIs are asked alike.
fn of(api: Api) -> Vec<Case> {
    const NOT_THERE: &[&str] = &["3001", "3028", "3030", "3005", "3011"];
    let mut listed = Listed::of(api);
    let object = |text: &'static str| Ask::Object(Subject::Text(text.into()));
    for turn in 1..=SUCCESSES {
        match turn % 2 {
            1 => listed.succeeds(format!("the taxpayer's own GSTIN, number {turn}"), object("{own}")),
            _ => listed.succeeds(format!("the GSTIN of a recipient, number {turn}"), object("{buyer}")),
        };
    }
    let own = object("{own}");
    common::headers(&mut listed, &own);
    let cases = [
        ("a GSTIN of 14 characters", "29ABCDE1234F1Z"),
        ("a GSTIN of 16 characters", "29ABCDE1234F1Z55"),
        ("a GSTIN in small letters", "29abcde1234f1z5"),
        ("a GSTIN whose state is letters", "KAABCDE1234F1Z5"),
        ("a GSTIN of the state 00", "00ABCDE1234F1Z5"),
        ("a GSTIN of the state 45, which there is not", "45ABCDE1234F1Z5"),
        ("a GSTIN of the state 98, which there is not", "98ABCDE1234F1Z5"),
        ("a GSTIN with a hyphen", "29ABCDE-1234F1Z"),
        ("a GSTIN with a full stop", "29ABCDE.234F1Z5"),
        ("a GSTIN with a slash", "29ABCDE%2F1234F"),
        ("a GSTIN with a blank inside", "29ABCDE%20234F1"),
        ("a GSTIN behind a blank", "%2029ABCDE1234F1Z5"),
        ("a GSTIN before a blank", "29ABCDE1234F1Z5%20"),
        ("a PAN", "ABCDE1234F"),
        ("a state code", "29"),
        ("one letter", "X"),
        ("the word URP", "URP"),
        ("the word null", "null"),
        ("nought", "0"),
        ("15 noughts and letters mixed", "0000000000000x0"),
        ("15 stars", "***************"),
        ("a GSTIN and a comma", "29ABCDE1234F1Z5%2C"),
        ("two GSTINs", "29ABCDE1234F1Z5%2C27ABCDE1234F1Z9"),
        ("a GSTIN in quotes", "%2229ABCDE1234F1Z5%22"),
        ("a GSTIN with an underscore", "29_BCDE1234F1Z5"),
        ("a GSTIN with a letter that is not Latin", "29%C3%84BCDE1234F1Z"),
        ("a mobile number", "9000000000"),
        ("an e-mail address", "someone%40example.com"),
        ("an IRN in place of a GSTIN", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ];
    for (title, gstin) in cases {
        listed.fails(title, NOT_THERE, object(gstin));
    }
    listed.cases
}

/// The IRNs of a day that another portal had registered before.
pub(super) fn rejected() -> Vec<Case> {
    const DAY: &[&str] = &["2144", "2156", "2157", "2218", "2225"];
    let mut listed = Listed::of(Api::Rejected);
    let day = |text: Cow<'static, str>| Ask::Day(Some(text));
    for back in 0..SUCCESSES {
        let title = if back == 0 { "today".to_owned() } else { format!("{back} days ago") };
        listed.succeeds(title, day(format!("{{day-{back}}}").into()));
    }
    let today = day("{today}".into());
    common::headers(&mut listed, &today);
    let missing: &[&str] = &["2142", "2144", "3009"];
    listed.fails("without a day", missing, Ask::Day(None));
    let cases = [
        ("a day that is empty", ""),
        ("a day as 2026-11-05", "2026-11-05"),
        ("a day as 05-11-2026", "05-11-2026"),
        ("a day as 05.11.2026", "05.11.2026"),
        ("a day as 5/11/2026", "5/11/2026"),
        ("a day as 05/1/2026", "05/1/2026"),
        ("a day as 05/11/26", "05/11/26"),
        ("a day as 05112026", "05112026"),
        ("a day as 20261105", "20261105"),
        ("a day as 05/NOV/2026", "05/NOV/2026"),
        ("a day as 05 November 2026", "05 November 2026"),
        ("the 32nd of January", "32/01/2026"),
        ("the 30th of February", "30/02/2026"),
        ("the 29th of February in a year without one", "29/02/2026"),
        ("the 31st of April", "31/04/2026"),
        ("the 31st of June", "31/06/2026"),
        ("the day 00", "00/11/2026"),
        ("the month 00", "05/00/2026"),
        ("the month 13", "05/13/2026"),
        ("month before day", "11/25/2026"),
        ("a day without a year", "05/11"),
        ("a year alone", "2026"),
        ("a day with an hour", "05/11/2026 10:00:00"),
        ("letters of the form of a day", "dd/MM/yyyy"),
        ("the word today", "today"),
        ("the word null", "null"),
        ("nought", "0"),
        ("a day with two slashes too many", "05/11/20/26"),
        ("a day with a letter in the year", "05/11/202x"),
        ("a day with a minus before it", "-05/11/2026"),
    ];
    for (title, text) in cases {
        let codes = if text.is_empty() { missing } else { DAY };
        listed.fails(title, codes, day(text.into()));
    }
    listed.fails("a right day and a wrong client secret", &["1010"], today);
    listed.last(|case| case.headers = vec![HeaderChange::with(RawHeader::ClientSecret, "Wrong0Secret")]);
    listed.cases
}

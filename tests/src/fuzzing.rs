//! What must hold for any bytes. The fuzz targets call these, and a test replays the kept corpus through them.

use std::sync::{Arc, LazyLock};

use einvoice_core::document::{Invoice, ReadOptions};
use einvoice_core::finding::Finding;
use einvoice_core::rulebook::{CheckOptions, CheckResult, check, check_read, rule_by_id};

use crate::invoices::{DAY, Draw, any_invoice};
use crate::mutations::{self, Case, Mutation};

/// Reads any bytes as a document, leniently and strictly, judges it, and reads what it writes.
///
/// # Panics
/// When a promise of the reader, the writer or the rulebook is broken.
pub fn document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for options in [ReadOptions::default(), ReadOptions::strict()] {
        let read = match Invoice::from_json_with(text, options) {
            Ok(read) => read,
            Err(error) => {
                assert!(error.to_finding().is_error());
                continue;
            }
        };
        read.findings.iter().for_each(stands);
        let written = read.invoice.to_json();
        match check_read(read, &CheckOptions::on(DAY)) {
            Ok(checked) => {
                checked.findings().iter().for_each(stands);
                assert_eq!(checked.payload(), written.as_bytes(), "the payload is what the document writes");
                same_again(&written, checked.invoice());
            }
            Err(rejected) => {
                rejected.findings.iter().for_each(stands);
                assert!(rejected.findings.iter().any(Finding::is_error), "nothing is rejected without an error");
                same_again(&written, &rejected.invoice);
            }
        }
    }
}

/// A finding names a rule there is, and says what and where.
fn stands(finding: &Finding) {
    assert!(rule_by_id(&finding.rule).is_some(), "{finding:?}");
    assert!(!finding.message.is_empty() && finding.fix.is_some(), "{finding:?}");
    assert!(finding.path.chars().all(|character| character != '\n'), "{finding:?}");
}

/// What was written is read as what it was written from.
fn same_again(written: &str, invoice: &Invoice) {
    let again = Invoice::from_json_with(written, ReadOptions::strict());
    let Ok(again) = again else {
        // Only what is too large to be read is not read again.
        assert!(written.len() > einvoice_core::document::MAX_BYTES, "{written}");
        return;
    };
    assert_eq!(again.invoice.to_json(), written);
    assert_eq!(invoice.differences(&again.invoice), []);
}

/// Most faults that are put into one document.
const FAULTS_MAX: usize = 4;

/// Draws a valid document and puts drawn faults into it: text and document are judged alike, no fault hides another
/// document's validity, and a single fault yields its rule and code.
///
/// # Panics
/// When a promise of the rulebook is broken.
pub fn rulebook(bytes: &[u8]) {
    static FAULTS: LazyLock<Vec<Mutation>> = LazyLock::new(mutations::all);
    let mut draw = Draw::new(bytes);
    let count = draw.below(FAULTS_MAX + 1);
    let faults: Vec<Mutation> = (0..count).map(|_| draw.pick(&FAULTS)).collect();
    let invoice = any_invoice(&mut draw);
    assert!(check(invoice.clone(), Vec::new(), &CheckOptions::on(DAY)).is_ok(), "{}", invoice.to_json());
    let mut case = Case::new(invoice);
    let mut put = Vec::new();
    for fault in faults {
        let mut next = case.clone();
        if (fault.put)(&mut next, &mut draw).is_some() {
            case = next;
            put.push(fault);
        }
    }
    let Case { invoice, settings } = case;
    let options = CheckOptions::on(DAY).with_settings(Arc::new(settings));
    let text = invoice.to_json();
    let found = findings(check(invoice, Vec::new(), &options));
    found.iter().for_each(stands);
    if let [fault] = put.as_slice() {
        let own = found.iter().find(|finding| finding.rule == fault.rule);
        assert_eq!(own.map(|finding| finding.code.as_deref()), Some(fault.code), "{}: {text}", fault.name);
    }
    if let Ok(read) = Invoice::from_json_with(&text, ReadOptions::strict()) {
        assert_eq!(findings(check_read(read, &options)), found, "{text}");
    }
}

fn findings(result: CheckResult) -> Vec<Finding> {
    match result {
        Ok(checked) => checked.findings().to_vec(),
        Err(rejected) => rejected.findings,
    }
}

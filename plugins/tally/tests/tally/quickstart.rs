//! The day book of the quickstart: every voucher has the outcome it was written for, and those meant
//! to be right pass the rulebook.

use crate::common::{read, source, workspace};
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{InvoiceSource, Mapped};
use serde_json::json;

#[tokio::test]
async fn every_voucher_of_the_quickstart_has_the_outcome_it_was_written_for() {
    let source = source(&workspace().join("examples/quickstart"), json!({ "path": "daybook.xml" }));
    let read = read(&*source, None).await;
    assert_eq!(read.problems, []);
    let mut lines = Vec::new();
    for record in &read.records {
        let mapped = source.map(record);
        let mut line = crate::common::outcome(&mapped);
        if let Mapped::Document(document) = mapped {
            let errors_of_mapping = document.findings.iter().any(einvoice_core::finding::Finding::is_error);
            let json = document.invoice.to_json();
            let options = CheckOptions::on(jiff::civil::date(2026, 11, 22));
            let judged = match rulebook::check(document.invoice, document.findings, &options) {
                Ok(checked) => {
                    let warnings: Vec<_> = checked.findings().iter().map(|finding| &*finding.rule).collect();
                    format!("valid {}", warnings.join(", "))
                }
                Err(rejected) => {
                    let errors = rejected.findings.iter().filter(|finding| finding.is_error());
                    format!("invalid {}", errors.map(|finding| &*finding.rule).collect::<Vec<_>>().join(", "))
                }
            };
            assert!(!(errors_of_mapping && judged.starts_with("valid")), "a mapping error must keep it back: {line}");
            line = format!("{line}\n  {}\n  {json}", judged.trim_end());
        }
        lines.push(line);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

//! The adapter of the guide keeps the promises of a source, and its bills become the documents they should.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::SystemClock;
use einvoice_core::document::MemberPath;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::rulebook::{self, CheckOptions, Checked};
use einvoice_core::source::{InvoiceSource, Mapped, SourceRecord};
use einvoice_testkit::source_suite::SourceFixture;

async fn munim(folder: &Path) -> Arc<dyn InvoiceSource> {
    let context = BuildContext::new("munim", folder, SystemClock::shared(), SystemEntropy::shared());
    let example: serde_json::Value = toml::from_str(include_str!("../examples/source.toml")).unwrap();
    let mut settings = example["source"][0].clone();
    settings.as_object_mut().unwrap().retain(|key, _| !["name", "plugin"].contains(&key.as_str()));
    let config = read_settings(&context, settings).unwrap();
    einvoice_munim::build(context, config).await.unwrap()
}

async fn the_bills() -> SourceFixture {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bills.munim"), include_str!("../bills.munim")).unwrap();
    SourceFixture::new(munim(folder.path()).await, 3, 1).keeping(folder)
}

einvoice_testkit::source_conformance!(the_bills);

/// A bill as a table record, checked by the rules of the portal.
async fn checked(content: &str) -> Checked {
    match munim(Path::new(".")).await.map(&SourceRecord::of_text("a case", content)) {
        Mapped::Document(document) => {
            let options = CheckOptions::on("2026-11-22".parse().unwrap());
            rulebook::check(document.invoice, document.findings, &options).unwrap_or_else(|error| panic!("{error:#?}"))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_return_is_a_credit_note_with_taxes_and_totals() {
    let bill = r#"{"head": {"number": "M/4", "date": "06/11/2026", "kind": "Return", "gstin": "27AAQCS7719L1ZH",
        "buyer": "Konkan Drug House", "street": "14, APMC Yard", "town": "Navi Mumbai", "pin": "400703"},
        "lines": [{"item": "Gasket", "hsn": "84841010", "qty": "2", "unit": "NOS", "price": "12.50", "rate": "18"}]}"#;
    let checked = checked(bill).await;
    assert_eq!(checked.key().to_string(), "29AAKCD4821F1ZM/2026-27/CRN/M/4");
    let value = |path: &str| checked.invoice().shown(&MemberPath::parse(path).unwrap(), 0);
    assert_eq!(
        (value("ItemList.IgstAmt").as_deref(), value("ValDtls.TotInvVal").as_deref()),
        (Some("4.5"), Some("29.5"))
    );
}

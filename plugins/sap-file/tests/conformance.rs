//! The contracts of source and write-back, kept by files of SAP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{Ready, ready};
use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::write_back::WriteBack;
use einvoice_sap_file::{SapFileSource, SapFileWriteBack};
use einvoice_testkit::idocs::{Framing, IdocRecipe};
use einvoice_testkit::source_suite::SourceFixture;
use einvoice_testkit::write_back_suite::{WriteBackFixture, files_below};

fn context(folder: &Path) -> BuildContext {
    let noon = "2026-11-05T06:30:00Z".parse().unwrap();
    BuildContext::new("test", folder, Arc::new(ManualClock::new(noon)), SystemEntropy::shared())
}

/// A flat file of two invoices with a damaged one between them.
fn two_idocs_and_a_damaged_one() -> Ready<SourceFixture> {
    let folder = tempfile::tempdir().unwrap();
    let flat = |number| IdocRecipe::numbered(number).flat(Framing::Cut);
    let damaged = flat(2).replacen("E1EDK03", "E1\tK03", 1);
    std::fs::write(folder.path().join("day.idoc"), [flat(1), damaged, flat(3)].concat()).unwrap();
    let context = context(folder.path());
    let settings = serde_json::json!({ "path": "*.idoc", "settle_ms": 0 });
    let source = SapFileSource::new(&context, read_settings(&context, settings).unwrap()).unwrap();
    ready(SourceFixture::new(Arc::new(source), 2, 1).keeping(folder))
}

fn an_empty_folder() -> Ready<WriteBackFixture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let reopened = path.clone();
    let open = |path: &Path| -> Arc<dyn WriteBack> {
        let context = context(path);
        let settings = serde_json::json!({ "results": ["response", "invrefnum", "invrefnum_csv", "portal", "status"] });
        Arc::new(SapFileWriteBack::new(&context, read_settings(&context, settings).unwrap()).unwrap())
    };
    let request = path.join("INV1_P.idoc");
    let fixture = WriteBackFixture::new(open(&path), move || files_below(&path))
        .reopened_by(move || open(&reopened))
        .with_attribute("DOCNUM", "0000000000180001")
        .at(&request.to_string_lossy())
        .keeping(folder);
    ready(fixture)
}

einvoice_testkit::source_conformance!(two_idocs_and_a_damaged_one);
einvoice_testkit::write_back_conformance!(an_empty_folder);

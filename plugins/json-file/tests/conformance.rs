//! The contracts of source and write-back, kept by files of INV-01 JSON.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{Ready, ready};
use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::write_back::WriteBack;
use einvoice_json_file::{JsonFileSource, JsonFileWriteBack};
use einvoice_testkit::documents::Recipe;
use einvoice_testkit::source_suite::SourceFixture;
use einvoice_testkit::write_back_suite::{WriteBackFixture, files_below};

fn context(folder: &Path) -> BuildContext {
    let noon = "2026-11-05T06:30:00Z".parse().unwrap();
    BuildContext::new("test", folder, Arc::new(ManualClock::new(noon)), SystemEntropy::shared())
}

/// A list of two documents with something between them that is none.
fn two_documents_and_something_else() -> Ready<SourceFixture> {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[{}, 17, {}]", Recipe::numbered(1).json(), Recipe::numbered(2).json());
    std::fs::write(folder.path().join("bulk.json"), text).unwrap();
    let context = context(folder.path());
    let settings = serde_json::json!({ "path": "*.json", "settle_ms": 0 });
    let source = JsonFileSource::new(&context, read_settings(&context, settings).unwrap()).unwrap();
    ready(SourceFixture::new(Arc::new(source), 2, 1).keeping(folder))
}

fn an_empty_folder() -> Ready<WriteBackFixture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let reopened = path.clone();
    let open = |path: &Path| -> Arc<dyn WriteBack> {
        let context = context(path);
        Arc::new(JsonFileWriteBack::new(&context, read_settings(&context, serde_json::json!({})).unwrap()))
    };
    let request = path.join("INV1_P.json");
    let fixture = WriteBackFixture::new(open(&path), move || files_below(&path))
        .reopened_by(move || open(&reopened))
        .at(&request.to_string_lossy())
        .keeping(folder);
    ready(fixture)
}

einvoice_testkit::source_conformance!(two_documents_and_something_else);
einvoice_testkit::write_back_conformance!(an_empty_folder);

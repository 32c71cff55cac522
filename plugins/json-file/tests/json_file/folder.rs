//! A folder with an inbox, invented invoices, and what a source gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::{
    Acknowledgement, Disposition, InvoiceSource, RecordStream, SourceItem, SourceProblem, SourceRecord, SourceRef,
};
use einvoice_json_file::JsonFileSource;
use futures_util::StreamExt;
use serde_json::Value;

/// A small document of an invented supplier.
pub(crate) fn invoice(number: &str) -> String {
    serde_json::json!({
        "Version": "1.1",
        "TranDtls": { "TaxSch": "GST", "SupTyp": "B2B" },
        "DocDtls": { "Typ": "INV", "No": number, "Dt": "05/11/2026" },
        "SellerDtls": { "Gstin": "29AAKCS4321Q1ZP", "LglNm": "Invented Traders" },
        "ItemList": [{ "SlNo": "1", "HsnCd": "1001", "Qty": 1, "UnitPrice": 100.5 }],
    })
    .to_string()
}

/// A document in the wrapper of file-drop interfaces.
pub(crate) fn wrapped(invoice: &str) -> String {
    format!("{{\"custom_fields\": null, \"Transaction\": {invoice} }}")
}

/// A folder of its own for a test.
pub(crate) struct Folder(tempfile::TempDir);

/// Everything a source gave.
pub(crate) struct Items(pub(crate) Vec<SourceItem>);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Self(folder)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn inbox(&self) -> PathBuf {
        self.root().join("in")
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.inbox().join(name), bytes).unwrap();
    }

    pub(crate) fn context(&self) -> BuildContext {
        let noon = "2026-11-05T06:30:00Z".parse().unwrap();
        BuildContext::new("test", self.root(), Arc::new(ManualClock::new(noon)), SystemEntropy::shared())
    }

    /// A source over the inbox that waits for nothing unless the settings say so.
    pub(crate) fn source(&self, settings: Value) -> JsonFileSource {
        Self::make(settings, &self.context())
    }

    pub(crate) fn source_at(&self, settings: Value, clock: ManualClock) -> JsonFileSource {
        let context = BuildContext::new("test", self.root(), Arc::new(clock), SystemEntropy::shared());
        Self::make(settings, &context)
    }

    fn make(settings: Value, context: &BuildContext) -> JsonFileSource {
        let mut all = serde_json::json!({ "path": "in", "settle_ms": 0 });
        let settings: serde_json::Map<String, Value> = serde_json::from_value(settings).unwrap();
        for (key, value) in settings {
            all[key] = value;
        }
        JsonFileSource::new(context, read_settings(context, all).unwrap()).unwrap()
    }

    pub(crate) async fn items(&self, source: &JsonFileSource) -> Items {
        collect(source.fetch(None).await.unwrap()).await
    }

    pub(crate) async fn tell(&self, source: &JsonFileSource, items: &Items, disposition: Disposition) {
        let references = items.references();
        let news: Vec<_> = references.iter().map(|reference| (reference, disposition)).collect();
        self.tell_each(source, &news).await;
    }

    pub(crate) async fn tell_each(&self, source: &JsonFileSource, news: &[(&SourceRef, Disposition)]) {
        let news: Vec<_> = news
            .iter()
            .map(|(reference, disposition)| Acknowledgement {
                reference: (*reference).clone(),
                disposition: *disposition,
            })
            .collect();
        source.acknowledge(&news).await.unwrap();
    }

    /// The files under the inbox, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        fn walk(folder: &Path, prefix: &str, names: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    walk(&entry.path(), &format!("{name}/"), names);
                } else {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        walk(&self.inbox(), "", &mut names);
        names.sort();
        names
    }
}

/// Everything in a stream; an error in it fails the test.
pub(crate) async fn collect(stream: RecordStream) -> Items {
    Items(stream.map(Result::unwrap).collect().await)
}

impl Items {
    pub(crate) fn records(&self) -> Vec<SourceRecord> {
        let record =
            |item: &SourceItem| if let SourceItem::Record(record) = item { Some(record.clone()) } else { None };
        self.0.iter().filter_map(record).collect()
    }

    pub(crate) fn problems(&self) -> Vec<SourceProblem> {
        let problem = |item: &SourceItem| if let SourceItem::Problem(it) = item { Some(it.clone()) } else { None };
        self.0.iter().filter_map(problem).collect()
    }

    pub(crate) fn references(&self) -> Vec<SourceRef> {
        self.0
            .iter()
            .filter_map(|item| match item {
                SourceItem::Record(record) => Some(record.reference.clone()),
                SourceItem::Problem(problem) => Some(problem.reference.clone()),
                _ => None,
            })
            .collect()
    }
}

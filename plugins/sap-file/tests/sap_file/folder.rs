//! A folder with an inbox, and what a source gives of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::finding::Finding;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::{
    Acknowledgement, Disposition, InvoiceSource, Mapped, MappedDocument, SourceItem, SourceProblem, SourceRecord,
};
use einvoice_sap_file::SapFileSource;
use futures_util::StreamExt;
use serde_json::Value;

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

    pub(crate) fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        fs::write(self.inbox().join(name), bytes).unwrap();
        self
    }

    pub(crate) fn context(&self) -> BuildContext {
        let noon = "2026-11-05T06:30:00Z".parse().unwrap();
        BuildContext::new("test", self.root(), Arc::new(ManualClock::new(noon)), SystemEntropy::shared())
    }

    /// A source over the inbox that waits for nothing unless the settings say so.
    pub(crate) fn source(&self, settings: Value) -> SapFileSource {
        let mut all = serde_json::json!({ "path": "in", "settle_ms": 0 });
        let settings: serde_json::Map<String, Value> = serde_json::from_value(settings).unwrap();
        for (key, value) in settings {
            all[key] = value;
        }
        let context = self.context();
        SapFileSource::new(&context, read_settings(&context, all).unwrap()).unwrap()
    }

    /// What the source of these settings gives.
    pub(crate) async fn read(&self, settings: Value) -> (SapFileSource, Items) {
        let source = self.source(settings);
        let items = Items(source.fetch(None).await.unwrap().map(Result::unwrap).collect().await);
        (source, items)
    }

    /// The files under the inbox, sorted; those that are being worked on under the name of the working folder alone, as
    /// each worker has one of its own in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = einvoice_testkit::write_back_suite::files_below(&self.inbox())
            .into_keys()
            .filter(|name| !name.ends_with("/.lock"))
            .map(|name| match name.split_once("work/worker-") {
                Some((before, rest)) => format!("{before}work/{}", rest.split_once('/').map_or("", |(_, file)| file)),
                None => name,
            })
            .collect();
        names.sort();
        names
    }
}

impl Items {
    pub(crate) fn records(&self) -> Vec<&SourceRecord> {
        let record = |item: &'_ SourceItem| matches!(item, SourceItem::Record(_));
        self.0
            .iter()
            .filter(|item| record(item))
            .map(|item| match item {
                SourceItem::Record(record) => record,
                _ => panic!("filtered"),
            })
            .collect()
    }

    pub(crate) fn problems(&self) -> Vec<&SourceProblem> {
        self.0
            .iter()
            .filter_map(|item| if let SourceItem::Problem(problem) = item { Some(problem) } else { None })
            .collect()
    }

    /// The rules of all findings of problems.
    pub(crate) fn rules(&self) -> Vec<String> {
        self.problems()
            .iter()
            .flat_map(|problem| problem.findings.iter().map(|finding| finding.rule.to_string()))
            .collect()
    }
}

/// The only document of a folder, by settings.
pub(crate) async fn document(folder: &Folder, settings: Value) -> MappedDocument {
    let (source, items) = folder.read(settings).await;
    assert_eq!(items.rules(), Vec::<String>::new(), "{:?}", items.problems());
    let records = items.records();
    assert_eq!(records.len(), 1);
    match source.map(records[0]) {
        Mapped::Document(document) => *document,
        other => panic!("no document: {other:?}"),
    }
}

/// Why the only record of a folder is no document.
pub(crate) async fn refusal(folder: &Folder, settings: Value) -> Vec<Finding> {
    let (source, items) = folder.read(settings).await;
    match items.records().as_slice() {
        [record] => match source.map(record) {
            Mapped::Unmappable { findings, .. } => findings,
            other => panic!("not refused: {other:?}"),
        },
        _ => items.problems().iter().flat_map(|problem| problem.findings.clone()).collect(),
    }
}

pub(crate) async fn tell(source: &SapFileSource, items: &Items, disposition: Disposition) {
    let references = items.0.iter().filter_map(|item| match item {
        SourceItem::Record(record) => Some(record.reference.clone()),
        SourceItem::Problem(problem) => Some(problem.reference.clone()),
        _ => None,
    });
    let news: Vec<_> = references.map(|reference| Acknowledgement { reference, disposition }).collect();
    source.acknowledge(&news).await.unwrap();
}

//! What the tests of this crate share: reading a folder to the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::source::{Cursor, InvoiceSource, Mapped, RecordStream, SourceItem, SourceProblem, SourceRecord};
use einvoice_tally::TallySource;
use einvoice_tally::config::TallySourceConfig;
use futures_util::StreamExt;

/// What a source gave.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) records: Vec<SourceRecord>,
    pub(crate) problems: Vec<SourceProblem>,
    pub(crate) cursor: Option<Cursor>,
}

/// Settings as a configuration file would give them.
pub(crate) fn config(json: serde_json::Value) -> TallySourceConfig {
    serde_json::from_value(json).unwrap()
}

/// A source over a folder.
pub(crate) fn source(folder: &Path, json: serde_json::Value) -> Arc<TallySource> {
    // No real time goes by until its files have settled.
    Arc::new(TallySource::new(folder, config(json)).unwrap().with_clock(Arc::new(crate::live::clock(22))))
}

/// Reads a source to its end.
pub(crate) async fn read(source: &dyn InvoiceSource, cursor: Option<&Cursor>) -> Read {
    collect(source.fetch(cursor).await.unwrap()).await
}

/// Reads a stream to its end.
pub(crate) async fn collect(mut stream: RecordStream) -> Read {
    let mut read = Read::default();
    while let Some(item) = stream.next().await {
        match item.unwrap() {
            SourceItem::Record(record) => read.records.push(record),
            SourceItem::Problem(problem) => read.problems.push(problem),
            SourceItem::Checkpoint(cursor) => read.cursor = Some(cursor),
            other => panic!("unexpected {other:?}"),
        }
    }
    read
}

/// Writes one file into a fresh folder.
pub(crate) fn folder_with(name: &str, content: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    folder
}

/// A line for each outcome, for snapshots and comparisons.
pub(crate) fn outcome(mapped: &Mapped) -> String {
    match mapped {
        Mapped::Skipped(skip) => format!("skipped {}: {}", skip.label, skip.reason),
        Mapped::Unmappable { label, findings } => {
            format!(
                "unmappable {label}: {}",
                findings.iter().map(|finding| &*finding.rule).collect::<Vec<_>>().join(", ")
            )
        }
        Mapped::Document(document) => {
            let rules: Vec<&str> = document.findings.iter().map(|finding| &*finding.rule).collect();
            format!("document {} {}", document.invoice.label(), rules.join(", ")).trim_end().to_owned()
        }
    }
}

/// The folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

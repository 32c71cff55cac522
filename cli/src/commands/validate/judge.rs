//! Judging a chunk of records: a plain function over data, run on a thread of its own.

use std::sync::Arc;

use einvoice_core::finding::{Finding, Severity};
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::rulebook::{self, CheckOptions, CheckResult};
use einvoice_core::source::{
    self, InvoiceSource, Mapped, MappedDocument, Provenance, SourceProblem, SourceRecord, SourceRef,
};
use serde::Serialize;
use tokio::task::JoinHandle;

use super::{Counts, rows};
use crate::arguments::ReportFormat;

/// What is wanted of each record.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) options: CheckOptions,
    /// JSON and CSV are made right where the judging happens, as they are half of the work.
    pub(super) format: ReportFormat,
    /// Whether to keep where each value came from.
    pub(super) provenance: bool,
    pub(super) file: FileNames,
}

/// The two names of the file that is checked.
#[derive(Debug, Clone)]
pub(super) struct FileNames {
    /// The full path, by which the plugin reads it.
    pub(super) read: String,
    /// The name a person gave, by which it is shown.
    pub(super) shown: String,
}

/// A document as `--json` shows it: the stable contract.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    document: Option<&'a str>,
    irn: Option<String>,
    verdict: &'static str,
    findings: &'a [Finding],
    /// JSON path of each value to its origin, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
}

/// What became of a record.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is a document, or should be one.
    Document {
        name: String,
        /// Where the record stands in its file.
        reference: SourceRef,
        /// Only where the format shows it.
        irn: Option<Irn>,
        valid: bool,
        findings: Vec<Finding>,
        /// JSON path of each value to its origin, when asked for.
        provenance: Option<Provenance>,
    },
    /// It is not to be registered, which is no error.
    Skipped { label: String, message: String },
}

/// A judged chunk.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) counts: Counts,
    pub(super) lines: Vec<u8>,
    pub(super) judged: Vec<Judged>,
}

#[derive(Debug)]
enum Piece {
    Record(SourceRecord),
    Problem(SourceProblem),
}

/// Records to judge together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pieces: Vec<Piece>,
    bytes: usize,
}

impl Chunk {
    pub(super) fn record(&mut self, record: SourceRecord) {
        self.bytes += record.content.len();
        self.pieces.push(Piece::Record(record));
    }

    pub(super) fn problem(&mut self, problem: SourceProblem) {
        self.pieces.push(Piece::Problem(problem));
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn judge(self, source: Arc<dyn InvoiceSource>, wanted: Wanted) -> JoinHandle<Done> {
        tokio::task::spawn_blocking(move || {
            let mut done = Done::default();
            for piece in self.pieces {
                let mut judged = match piece {
                    Piece::Record(record) => judge(source.as_ref(), record, &wanted),
                    Piece::Problem(problem) => problem_of(problem),
                };
                judged.place_findings();
                judged.show_file_as(&wanted.file);
                done.add(judged, &wanted);
            }
            if wanted.format == ReportFormat::Csv {
                done.lines = rows::documents(&wanted.file.shown, &std::mem::take(&mut done.judged));
            }
            done
        })
    }
}

impl Judged {
    /// A rule knows the document and not where it came from: that is added here.
    fn place_findings(&mut self) {
        if let Self::Document { reference, findings, .. } = self {
            source::place(findings, reference, &Provenance::new());
        }
    }

    /// A person who named a file by a short name meets it by that name everywhere.
    fn show_file_as(&mut self, file: &FileNames) {
        if let Self::Document { name, reference, findings, .. } = self {
            // The place of a document is shown only where there is something to look for.
            let location = (!findings.is_empty()).then_some(&mut reference.location);
            let places = findings.iter_mut().filter_map(|finding| finding.place.as_mut());
            for text in places.chain([name]).chain(location) {
                if text.contains(&file.read) {
                    *text = text.replace(&file.read, &file.shown);
                }
            }
        }
    }
}

impl Done {
    fn add(&mut self, judged: Judged, wanted: &Wanted) {
        match &judged {
            Judged::Document { valid: true, findings, .. } => {
                self.counts.valid += 1;
                self.counts.remarked += u64::from(!findings.is_empty());
            }
            Judged::Document { .. } => self.counts.invalid += 1,
            Judged::Skipped { .. } => self.counts.skipped += 1,
        }
        if let Judged::Document { provenance: Some(provenance), .. } = &judged {
            self.counts.origins += u64::try_from(provenance.len()).unwrap_or(u64::MAX);
        }
        match (wanted.format, &judged) {
            (ReportFormat::Json, Judged::Document { name, irn, valid, findings, provenance, .. }) => {
                let line = Line {
                    file: &wanted.file.shown,
                    document: Some(name.as_str()).filter(|name| !name.is_empty()),
                    irn: irn.as_ref().map(ToString::to_string),
                    verdict: verdict(*valid),
                    findings,
                    provenance: provenance.as_ref(),
                };
                // A struct of texts always has a JSON form, and a vector always takes it.
                let _written = serde_json::to_writer(&mut self.lines, &line);
                self.lines.push(b'\n');
            }
            // What is not to be registered is no document; it is counted.
            (ReportFormat::Json, Judged::Skipped { .. }) => {}
            _ => self.judged.push(judged),
        }
    }
}

/// The verdict in the word that programs know it by.
pub(super) const fn verdict(valid: bool) -> &'static str {
    if valid { "valid" } else { "invalid" }
}

impl Wanted {
    /// The IRN costs a hash, so it is made only where it is shown.
    fn irn(&self, key: &DocumentKey) -> Option<Irn> {
        let shown = matches!(self.format, ReportFormat::Json | ReportFormat::Csv);
        shown.then(|| Irn::compute(key, IrnRule::on(self.options.as_of)))
    }
}

fn judge(source: &dyn InvoiceSource, record: SourceRecord, wanted: &Wanted) -> Judged {
    let mapped = source.map(&record);
    let reference = record.reference;
    match mapped {
        Mapped::Skipped(skip) => Judged::Skipped { label: skip.label, message: skip.message },
        Mapped::Unmappable { label, findings } => {
            Judged::Document { name: label, reference, irn: None, valid: false, findings, provenance: None }
        }
        Mapped::Document(mapped) => {
            let MappedDocument { invoice, findings, provenance, .. } = *mapped;
            judge_document(reference, rulebook::check(invoice, findings, &wanted.options), provenance, wanted)
        }
    }
}

fn judge_document(reference: SourceRef, checked: CheckResult, provenance: Provenance, wanted: &Wanted) -> Judged {
    let (name, irn, valid, mut findings) = match checked {
        Ok(checked) => {
            let (name, irn) = (checked.key().to_string(), wanted.irn(checked.key()));
            (name, irn, true, checked.into_parts().1)
        }
        // The key and the IRN where they can be read, else what a person would call the document.
        Err(rejected) => {
            let key = rejected.invoice.document_key();
            let name = key.as_ref().map_or_else(|| rejected.invoice.label(), ToString::to_string);
            (name, key.and_then(|key| wanted.irn(&key)), false, rejected.findings)
        }
    };
    source::place(&mut findings, &reference, &provenance);
    let provenance = wanted.provenance.then_some(provenance);
    Judged::Document { name, reference, irn, valid, findings, provenance }
}

fn problem_of(problem: SourceProblem) -> Judged {
    let valid = !problem.findings.iter().any(|finding| finding.severity == Severity::Error);
    Judged::Document {
        name: problem.label,
        reference: problem.reference,
        irn: None,
        valid,
        findings: problem.findings,
        provenance: None,
    }
}

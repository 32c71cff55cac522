//! A record tried out: mapped and checked, with every value and where it came from, and nothing sent.
//!
//! `run --dry-run` shows what comes of it, `test` compares it with what a case expects.

use einvoice_core::document::Invoice;
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{
    self, InvoiceSource, Mapped, MappedDocument, Provenance, Skip, SourceProblem, SourceRecord, SourceRef,
};
use serde::Serialize;

/// What came of a record.
#[derive(Debug)]
pub(super) enum Tried {
    /// It is a document, or should be one.
    Document(Box<Document>),
    /// It is not to be registered, which is no error.
    Skipped(Skip),
}

/// A document that was tried out.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The key where it can be read, else what a person would call it.
    pub(super) name: String,
    /// What a person would call it.
    pub(super) label: String,
    pub(super) irn: Option<Irn>,
    pub(super) valid: bool,
    pub(super) findings: Vec<Finding>,
    /// Every member that has a value, in the order of the form.
    pub(super) members: Vec<Member>,
    /// Under what the ledger keeps it; none where it cannot be read.
    pub(super) key: Option<DocumentKey>,
    /// The document as INV-01 JSON: what would be sent, of a valid one. Empty where there is no document.
    pub(super) json: String,
}

impl Document {
    /// What would be sent; only of a valid document.
    pub(super) fn payload(&self) -> Option<&str> {
        Some(self.json.as_str()).filter(|json| self.valid && !json.is_empty())
    }
}

/// A member with its value and where that came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) value: String,
    /// Nothing where the source says nothing: the value stands in the record under its own path.
    pub(super) origin: Option<String>,
}

/// Maps and checks a record.
pub(super) fn record(source: &dyn InvoiceSource, record: &SourceRecord, options: &CheckOptions) -> Tried {
    match source.map(record) {
        Mapped::Skipped(skip) => Tried::Skipped(skip),
        Mapped::Unmappable { label, findings } => {
            Tried::Document(Box::new(unreadable(label, findings, &record.reference)))
        }
        Mapped::Document(mapped) => Tried::Document(Box::new(checked(*mapped, &record.reference, options))),
    }
}

/// A part of the input that is no record.
pub(super) fn problem(problem: SourceProblem) -> Tried {
    Tried::Document(Box::new(unreadable(problem.label, problem.findings, &problem.reference)))
}

fn unreadable(name: String, mut findings: Vec<Finding>, reference: &SourceRef) -> Document {
    source::place(&mut findings, reference, &Provenance::new());
    let valid = !findings.iter().any(|finding| finding.severity == Severity::Error);
    Document { label: name.clone(), name, valid, findings, ..Document::default() }
}

fn checked(mapped: MappedDocument, reference: &SourceRef, options: &CheckOptions) -> Document {
    let MappedDocument { invoice, findings, provenance, .. } = mapped;
    let label = invoice.label();
    let mut document = match rulebook::check(invoice, findings, options) {
        Ok(checked) => Document {
            name: checked.key().to_string(),
            label,
            irn: Some(checked.irn(IrnRule::on(options.as_of))),
            valid: true,
            members: members(checked.invoice(), &provenance),
            key: Some(checked.key().clone()),
            json: String::from_utf8_lossy(checked.payload()).into_owned(),
            findings: checked.into_parts().1,
        },
        Err(rejected) => {
            let key = rejected.invoice.document_key();
            Document {
                name: key.as_ref().map_or_else(|| label.clone(), ToString::to_string),
                label,
                irn: key.as_ref().map(|key| Irn::compute(key, IrnRule::on(options.as_of))),
                key,
                json: rejected.invoice.to_json(),
                members: members(&rejected.invoice, &provenance),
                findings: rejected.findings,
                ..Document::default()
            }
        }
    };
    source::place(&mut document.findings, reference, &provenance);
    document
}

fn members(invoice: &Invoice, provenance: &Provenance) -> Vec<Member> {
    let filled = invoice.filled().into_iter();
    filled
        .map(|member| Member { origin: provenance.get(&member.path).cloned(), path: member.path, value: member.value })
        .collect()
}

//! What mapping has to say: findings, and where each value came from.

use std::borrow::Cow;

use einvoice_core::finding::Finding;
use einvoice_core::source::Provenance;

/// Collects findings and provenance of one voucher.
#[derive(Debug)]
pub(crate) struct Report {
    place: String,
    findings: Vec<Finding>,
    provenance: Provenance,
}

impl Report {
    /// A report about the voucher at `place`.
    pub(crate) fn new(place: String) -> Self {
        Self { place, findings: Vec::new(), provenance: Provenance::new() }
    }

    /// Adds a finding and says where it belongs.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding.with_place(self.place.clone()));
    }

    /// Says where a value came from.
    pub(crate) fn from(&mut self, path: impl Into<String>, origin: impl Into<Cow<'static, str>>) {
        self.provenance.insert(path.into(), origin.into().into_owned());
    }

    /// The findings and the provenance.
    pub(crate) fn into_parts(self) -> (Vec<Finding>, Provenance) {
        (self.findings, self.provenance)
    }
}

//! What people and targets read: results that are owed, documents, and their whole lives.

use std::collections::BTreeSet;

use einvoice_core::ledger::{DocumentId, DocumentStatus, LedgerError, Query, Verdict};
use einvoice_core::receipt::Receipt;
use einvoice_core::state::EwbState;

use crate::books::{Books, Document, Record};

/// What [`Query::limit`] 0 means.
const DEFAULT_LIMIT: usize = 1_000;

impl Books {
    /// Receipts that a target has not got yet, oldest first.
    pub(crate) fn pending(&mut self, target: &str, sources: &[String], limit: usize) -> Vec<Receipt> {
        let ledger = self.identity();
        let is_owed = |number: i64, revision: u32| {
            self.delivered.get(&(target.to_owned(), number)).is_none_or(|has| *has < revision)
        };
        let is_of_sources = |record: &Record| sources.is_empty() || sources.contains(&record.source);
        let mut owed: Vec<(u64, i64, Receipt)> = Vec::new();
        for (number, record) in self.records.iter().filter(|(_, record)| is_of_sources(record)) {
            let Some(document) = self.documents.get(&record.document) else { continue };
            let Some(shown) = document.receipt.clone().filter(|shown| is_owed(*number, shown.revision)) else { continue };
            let receipt = Receipt {
                ledger: ledger.clone(),
                reference_id: *number,
                revision: shown.revision,
                source: record.source.clone(),
                reference: record.reference.clone(),
                attributes: record.attributes.clone(),
                label: document.label.clone(),
                key: shown.key,
                irn: shown.irn,
                state: shown.state,
                ewb_state: EwbState::None,
                registration: shown.registration,
                proof: shown.proof,
                ewb: None,
                cancellation: shown.cancellation,
                findings: shown.findings,
            };
            owed.push((shown.order, *number, receipt));
        }
        owed.sort_by_key(|(order, number, _)| (*order, *number));
        owed.into_iter().take(limit).map(|(_, _, receipt)| receipt).collect()
    }

    /// A target has these revisions, or newer ones.
    pub(crate) fn delivered(&mut self, target: &str, receipts: &[(i64, u32)]) {
        for (number, revision) in receipts {
            let has = self.delivered.entry((target.to_owned(), *number)).or_default();
            *has = (*has).max(*revision);
        }
    }

    pub(crate) fn query(&self, query: &Query) -> Vec<DocumentStatus> {
        let text = query.text.as_ref().map(|text| text.to_lowercase());
        let is_wanted = |document: &&Document| {
            let is_after = query.after.is_none_or(|after| document.id > after.0);
            let has_key = query.key.as_ref().is_none_or(|key| document.key.as_ref() == Some(key));
            let is_in_state = query.states.is_empty() || query.states.contains(&document.state);
            let is_of_source = query.source.as_ref().is_none_or(|source| self.source(document.id) == *source);
            let says = text.as_ref().is_none_or(|text| searchable(document).contains(text.as_str()));
            is_after && has_key && is_in_state && is_of_source && says
        };
        let limit = if query.limit == 0 { DEFAULT_LIMIT } else { query.limit };
        self.documents.values().filter(is_wanted).take(limit).map(|document| self.status(document)).collect()
    }

    fn source(&self, document: i64) -> String {
        let first = self.records.values().find(|record| record.document == document);
        first.map(|record| record.source.clone()).unwrap_or_default()
    }

    fn status(&self, document: &Document) -> DocumentStatus {
        let last = document.last_attempt.and_then(|attempt| self.attempts.get(&attempt.0)).map(|attempt| &attempt.intent);
        let issued_by = document.registration.as_ref().and_then(|registration| registration.site.clone());
        DocumentStatus {
            id: DocumentId(document.id),
            label: document.label.clone(),
            key: document.key.clone(),
            irn: document.irn,
            state: document.state,
            ewb_state: EwbState::None,
            delivered: self.is_delivered(document),
            source: self.source(document.id),
            reference: self.first(document.id),
            route: last.map(|intent| intent.route.clone()),
            site: issued_by.or_else(|| last.map(|intent| intent.site.clone())),
            registration: document.registration.clone(),
            proof: document.proof.clone(),
            ewb: None,
            cancellation: document.cancellation.clone(),
            differences: document.differences.clone(),
            findings: document.findings.concat(),
            ask_at: document.ask_at,
            hand_over: document.hand_over.clone(),
            received_at: document.received_at,
            changed_at: document.changed_at,
        }
    }

    /// Somebody has a result, and nobody who has one waits for a newer one.
    fn is_delivered(&self, document: &Document) -> bool {
        let records: BTreeSet<i64> =
            self.records.iter().filter(|(_, record)| record.document == document.id).map(|(number, _)| *number).collect();
        let told: BTreeSet<&String> =
            self.delivered.keys().filter(|(_, number)| records.contains(number)).map(|(target, _)| target).collect();
        let latest = document.receipt.as_ref().map_or(0, |shown| shown.revision);
        let has = |target: &str, number: i64| self.delivered.get(&(target.to_owned(), number)) == Some(&latest);
        !told.is_empty() && told.iter().all(|target| records.iter().all(|number| has(target, *number)))
    }

    /// The document as it is sent.
    pub(crate) fn payload(&mut self, document: DocumentId) -> Result<Option<bytes::Bytes>, LedgerError> {
        Ok(match &self.document(document)?.verdict {
            Verdict::Ready { payload, .. } => Some(payload.clone()),
            Verdict::Invalid { .. } => None,
        })
    }
}

/// What a text is looked for in, in small letters.
fn searchable(document: &Document) -> String {
    let key = document.key.as_ref().map(ToString::to_string).unwrap_or_default();
    let irn = document.irn.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{key} {} {irn}", document.label).to_lowercase()
}

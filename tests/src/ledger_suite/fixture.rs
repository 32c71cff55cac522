//! Documents, outcomes and shorthands for the promises of a ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{Clock as _, ManualClock};
use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::finding::Finding;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{
    AttemptOutcome, ClaimRequest, Claimed, DocumentId, DocumentStatus, Intent, Ledger, NewDocument, NewIntent, Query,
    ReceiveBatch, Reception, Verdict, Work, WorkerId,
};
use einvoice_core::operation::{Registration, RegistrationStatus};
use einvoice_core::portal_code::PortalError;
use einvoice_core::source::{Arrival, SourceRef};
use einvoice_core::verify::Proof;

use super::LedgerHarness;
use crate::documents::gstin;

/// The lease that promises ask for.
pub(super) const LEASE: Duration = Duration::from_mins(1);

/// A clock and a ledger that tells time by it.
pub(super) struct Bench {
    pub(super) clock: ManualClock,
    pub(super) ledger: Arc<dyn Ledger>,
}

impl Bench {
    pub(super) async fn open(harness: &dyn LedgerHarness) -> Self {
        let clock = ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap());
        let ledger = harness.open(Arc::new(clock.clone())).await;
        Self { clock, ledger }
    }

    /// Closes the ledger and opens it again.
    pub(super) async fn reopen(self, harness: &dyn LedgerHarness) -> Self {
        let Self { clock, ledger } = self;
        drop(ledger);
        let ledger = harness.open(Arc::new(clock.clone())).await;
        Self { clock, ledger }
    }

    pub(super) async fn receive(&self, source: &str, document: NewDocument) -> Reception {
        let batch = ReceiveBatch { source: source.to_owned(), cursor: None, documents: vec![document] };
        self.ledger.receive(batch).await.unwrap().remove(0)
    }

    /// Receives a document that is new.
    pub(super) async fn ready(&self, number: u32) -> DocumentId {
        match self.receive("books", Draft::new(number).ready()).await {
            Reception::New { id, .. } => id,
            other => panic!("a first document is not new: {other:?}"),
        }
    }

    pub(super) async fn claim(&self, worker: &str, work: Work, limit: usize) -> Vec<Claimed> {
        self.ledger.claim(wish(worker, work, limit)).await.unwrap()
    }

    /// Claims the oldest ready document and stores the intent to send it.
    pub(super) async fn send(&self, worker: &str) -> Intent {
        let claimed = self.claim(worker, Work::Send, 1).await.remove(0);
        self.ledger.intend(intent_for(&claimed, worker)).await.unwrap()
    }

    pub(super) async fn status(&self, id: DocumentId) -> DocumentStatus {
        let query = Query { after: Some(DocumentId(id.0 - 1)), limit: 1, ..Query::default() };
        self.ledger.query(query).await.unwrap().remove(0)
    }

    pub(super) fn clock_now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A document before it is judged.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) supplier: Gstin,
    pub(super) number: String,
    pub(super) record: String,
    pub(super) content: u8,
    pub(super) arrival: Option<String>,
}

impl Draft {
    pub(super) fn new(number: u32) -> Self {
        Self {
            supplier: gstin(27, 1),
            number: format!("A/{number}"),
            record: format!("record-{number}"),
            content: 0,
            arrival: None,
        }
    }

    /// By this arrival, which is also the place it lies at.
    pub(super) fn arrival(self, arrival: &str) -> Self {
        Self { arrival: Some(arrival.to_owned()), ..self }
    }

    pub(super) fn content(self, content: u8) -> Self {
        Self { content, ..self }
    }

    pub(super) fn record(self, record: &str) -> Self {
        Self { record: record.to_owned(), ..self }
    }

    pub(super) fn number(self, number: &str) -> Self {
        Self { number: number.to_owned(), ..self }
    }

    pub(super) fn supplier(self, supplier: Gstin) -> Self {
        Self { supplier, ..self }
    }

    pub(super) fn key(&self) -> DocumentKey {
        format!("{}/2026-27/INV/{}", self.supplier, self.number).parse().unwrap()
    }

    pub(super) fn ready(&self) -> NewDocument {
        let irn = Irn::compute(&self.key(), IrnRule::UpperCase);
        let payload = format!("{{\"No\":\"{}\",\"Content\":{}}}", self.number, self.content).into();
        self.with(Verdict::Ready { payload, irn }, Vec::new())
    }

    pub(super) fn invalid(&self) -> NewDocument {
        let finding =
            Finding::error("schema.length", "ItemList[0].HsnCd", format!("content {} is wrong", self.content));
        self.with(Verdict::Invalid { payload: None }, vec![finding])
    }

    /// The same content has the same hash however it is judged.
    fn with(&self, verdict: Verdict, findings: Vec<Finding>) -> NewDocument {
        let mut content_hash = [0; 32];
        let bytes = [1, self.content].into_iter().chain(self.number.to_uppercase().into_bytes());
        content_hash.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        NewDocument {
            reference: SourceRef {
                location: self.arrival.clone().unwrap_or_else(|| "day-book".to_owned()),
                position: format!("line {}", self.content),
                record_id: self.record.clone(),
            },
            arrival: self.arrival.clone().map(Arrival::new),
            attributes: BTreeMap::from([("row".to_owned(), self.record.clone())]),
            label: format!("INV {}", self.number),
            key: Some(self.key()),
            content_hash,
            verdict,
            findings,
        }
    }
}

pub(super) fn worker(name: &str) -> WorkerId {
    WorkerId(name.to_owned())
}

pub(super) fn wish(name: &str, work: Work, limit: usize) -> ClaimRequest {
    ClaimRequest { worker: worker(name), work, limit, lease: LEASE, skip_suppliers: BTreeSet::new() }
}

pub(super) fn intent_for(claimed: &Claimed, name: &str) -> NewIntent {
    NewIntent {
        document: claimed.id,
        worker: worker(name),
        route: RouteName::new("nic"),
        site: "NIC1".to_owned(),
        gstin: claimed.key.supplier,
        payload_hash: claimed.payload_hash,
    }
}

pub(super) fn registration(key: &DocumentKey) -> Box<Registration> {
    Box::new(Registration {
        ack_no: "112610000000001".to_owned(),
        ack_date: PortalTime::parse("2026-11-05 12:00:30").unwrap(),
        irn: Irn::compute(key, IrnRule::UpperCase),
        status: RegistrationStatus::Active,
        signed_invoice: Some("head.invoice.signature".to_owned()),
        signed_qr: Some("head.qr.signature".to_owned()),
        ewb: None,
        remarks: None,
        info: Vec::new(),
        site: None,
    })
}

pub(super) fn proof() -> Proof {
    Proof::Verified { kid: "AB12".to_owned() }
}

pub(super) fn registered(key: &DocumentKey) -> AttemptOutcome {
    AttemptOutcome::Registered { registration: registration(key), proof: proof() }
}

pub(super) fn errors(code: &str) -> Vec<PortalError> {
    vec![PortalError::new(code, format!("portal text of {code}"))]
}

pub(super) fn refused(code: &str, burnt: bool) -> AttemptOutcome {
    AttemptOutcome::Refused { errors: errors(code), info: Vec::new(), burnt }
}

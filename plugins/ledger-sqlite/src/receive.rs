//! `receive`: what a source brings becomes documents, revisions, references, or a clash.

use async_trait::async_trait;
use aws_lc_rs::digest;
use einvoice_core::finding::Finding;
use einvoice_core::ledger::{DocumentId, NewDocument, ReceiveBatch, Reception, Verdict};
use einvoice_core::source::{Arrival, SourceRef};
use einvoice_core::state::DocumentState;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::codec;
use crate::desk::{Desk, Numbers, next};
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::intake::Intake;
use crate::shelf::{Known, Record, Shelf};
use crate::standing::{NOTHING, is_shown, receipt_due};

const CURSOR: &str = "INSERT INTO cursor (source, cursor, at) VALUES (?1, ?2, ?3) \
     ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, at = excluded.at";

#[async_trait]
impl Change for ReceiveBatch {
    type Answer = Vec<Reception>;

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.receptions
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = desk.now();
        let batches: Vec<Result<Vec<Incoming<'_>>, Fault>> = calls.iter().map(Incoming::of_batch).collect();
        let all: Vec<&Incoming<'_>> = batches.iter().flatten().flatten().collect();
        let shelf = Shelf::load(&mut desk.connection, &all).await?;
        let numbers = *desk.numbers().await?;
        let mut reception = Receiving { shelf, numbers, intake: Intake::default(), now };
        let mut answers = Vec::with_capacity(calls.len());
        for (call, batch) in calls.iter().zip(batches) {
            let batch = match batch {
                Ok(batch) => batch,
                Err(fault) => {
                    answers.push(Err(fault));
                    continue;
                }
            };
            let mut receptions = Vec::with_capacity(batch.len());
            for incoming in &batch {
                receptions.push(reception.take_in(&mut desk.connection, incoming).await?);
            }
            if let Some(cursor) = &call.cursor {
                let at = codec::micros(now);
                let query = sqlx::query(CURSOR).bind(&call.source).bind(cursor.as_str()).bind(at);
                query.execute(&mut desk.connection).await?;
            }
            answers.push(Ok(receptions));
        }
        reception.intake.write(&mut desk.connection).await?;
        *desk.numbers().await? = reception.numbers;
        Ok(answers)
    }
}

/// A received document with its columns.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) source: &'a str,
    pub(crate) document: &'a NewDocument,
    pub(crate) state: DocumentState,
    pub(crate) key: Option<String>,
    pub(crate) key_upper: Option<String>,
    pub(crate) irn: Option<String>,
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) payload_hash: Option<digest::Digest>,
    pub(crate) search: String,
    pub(crate) findings: String,
    pub(crate) attributes: String,
}

impl<'a> Incoming<'a> {
    fn of_batch(batch: &'a ReceiveBatch) -> Result<Vec<Self>, Fault> {
        batch.documents.iter().map(|document| Self::new(&batch.source, document)).collect()
    }

    fn new(source: &'a str, document: &'a NewDocument) -> Result<Self, Fault> {
        let (state, payload, irn) = match &document.verdict {
            Verdict::Ready { payload, irn } => (DocumentState::Ready, Some(payload.as_ref()), Some(irn)),
            Verdict::Invalid { payload } => (DocumentState::Invalid, payload.as_deref(), None),
        };
        if state == DocumentState::Ready && document.key.is_none() {
            return Err(Fault::Misuse(format!(
                "{} from {} is said to be ready, yet has no document key; a fault of the program, please report it",
                document.label, document.reference
            )));
        }
        let key = document.key.as_ref();
        Ok(Self {
            source,
            document,
            state,
            key: key.map(ToString::to_string),
            key_upper: key.map(codec::upper),
            irn: irn.map(ToString::to_string),
            payload,
            payload_hash: payload.map(|payload| digest::digest(&digest::SHA256, payload)),
            search: codec::search_text(key, &document.label, irn),
            findings: codec::list_to_json(&document.findings)?,
            attributes: codec::to_json(&document.attributes)?,
        })
    }

    pub(crate) fn reference(&self) -> &'a SourceRef {
        &self.document.reference
    }

    /// By which arrival it came; empty where none is told.
    pub(crate) fn arrival(&self) -> &'a str {
        self.document.arrival.as_ref().map_or("", Arrival::as_str)
    }

    /// The line of the audit trail that tells of its arrival.
    pub(crate) fn event_details(&self) -> Result<String, Fault> {
        codec::to_json(&serde_json::json!({
            "source": self.source,
            "reference": self.document.reference,
            "findings": self.document.findings.len(),
        }))
    }

    /// The record as it is stored once this is taken in.
    fn record(&self, id: i64, document: i64, arrival: &str) -> Record {
        let reference = self.reference();
        Record {
            id,
            document,
            arrival: arrival.to_owned(),
            ended: false,
            content_hash: self.document.content_hash.to_vec(),
            location: reference.location.clone(),
            position: reference.position.clone(),
            attributes: self.attributes.clone(),
        }
    }

    /// The document as it is stored once this is taken in as new.
    fn known(&self, id: i64, first_id: i64) -> Known {
        let shown = is_shown(self.state);
        Known {
            id,
            state: self.state,
            content_hash: self.document.content_hash.to_vec(),
            key: self.document.key.clone(),
            key_upper: self.key_upper.clone(),
            revision: 1,
            findings: self.findings.clone(),
            portal_findings: NOTHING.to_owned(),
            receipt_revision: i64::from(shown),
            receipt_state: shown.then_some(self.state),
            first_id,
            first: self.reference().clone(),
        }
    }
}

/// Batches that are taken in, one document after the other.
struct Receiving {
    shelf: Shelf,
    numbers: Numbers,
    intake: Intake,
    now: Timestamp,
}

impl Receiving {
    async fn take_in(
        &mut self,
        connection: &mut SqliteConnection,
        incoming: &Incoming<'_>,
    ) -> Result<Reception, Fault> {
        let records = self.shelf.records(incoming).to_vec();
        let document = records.last().map(|record| record.document);
        let document = document.or_else(|| self.shelf.holder(incoming).map(|known| known.id));
        if self.intake.must_come_before(incoming, document) {
            self.intake.write(connection).await?;
        }
        if let Some(last) = records.last() {
            return self.take_in_again(incoming, &records, last);
        }
        let Some(known) = self.shelf.holder(incoming) else {
            return self.take_in_new(incoming);
        };
        if known.content_hash != incoming.document.content_hash {
            return Ok(known.clash());
        }
        let (id, state, first) = (known.id, known.state, known.first.clone());
        self.add_reference(incoming, id)?;
        Ok(Reception::Duplicate { id: DocumentId(id), state, first })
    }

    fn take_in_new(&mut self, incoming: &Incoming<'_>) -> Result<Reception, Fault> {
        let known = incoming.known(next(&mut self.numbers.document), self.numbers.reference + 1);
        self.intake.add_document(incoming, &known, self.now)?;
        self.intake.add_revision(incoming, &known, self.now)?;
        self.add_reference(incoming, known.id)?;
        let reception = Reception::New { id: DocumentId(known.id), state: known.state };
        self.shelf.put(known);
        Ok(reception)
    }

    /// A record that came before: the same, judged otherwise, or edited.
    fn take_in_again(
        &mut self,
        incoming: &Incoming<'_>,
        records: &[Record],
        last: &Record,
    ) -> Result<Reception, Fault> {
        let known = self.shelf.document(last.document)?.clone();
        let is_edited = last.content_hash != incoming.document.content_hash;
        // Another record of the same document may have brought an edit first.
        let brings_news = known.content_hash != incoming.document.content_hash;
        let is_first = records.iter().any(|record| record.id == known.first_id);
        let stays = if brings_news { !is_edited } else { !is_judged_otherwise(&known, incoming, is_first)? };
        // A source that tells no arrivals has its record at one place, which may change.
        let at = incoming.arrival();
        let same = records.iter().find(|record| record.arrival == at).or_else(|| at.is_empty().then_some(last));
        if stays {
            let reference = incoming.reference();
            let is_as_it_was = |record: &Record| {
                record.location == reference.location
                    && record.position == reference.position
                    && record.attributes == incoming.attributes
                    && !record.ended
            };
            if is_edited || !same.is_some_and(is_as_it_was) {
                self.put_record(incoming, records, same, last.document)?;
            }
            return Ok(known.unchanged());
        }
        if !matches!(known.state, DocumentState::Invalid | DocumentState::Refused | DocumentState::Ready) {
            return Ok(known.clash());
        }
        if let Some(other) = self.shelf.holder(incoming).filter(|other| other.id != known.id) {
            return Ok(other.clash());
        }
        let revised = revised(&known, incoming);
        self.intake.add_revision(incoming, &revised, self.now)?;
        let event = if is_edited { "a corrected revision was received" } else { "judged anew" };
        self.intake.revise(incoming, &known, &revised, self.now, event)?;
        let reception = Reception::Revised { id: DocumentId(revised.id), state: revised.state };
        self.shelf.put(revised);
        if !at.is_empty() {
            self.intake.end_others(incoming, known.id)?;
            self.shelf.end_others(incoming, known.id);
        }
        self.put_record(incoming, records, same, known.id)?;
        Ok(reception)
    }

    fn add_reference(&mut self, incoming: &Incoming<'_>, document: i64) -> Result<(), Fault> {
        let record = incoming.record(next(&mut self.numbers.reference), document, incoming.arrival());
        self.intake.add_reference(incoming, &record)?;
        self.shelf.put_record(incoming, record);
        Ok(())
    }

    /// What is known of a record once this came: at the same place as before, or by one more arrival.
    fn put_record(
        &mut self,
        incoming: &Incoming<'_>,
        records: &[Record],
        same: Option<&Record>,
        document: i64,
    ) -> Result<(), Fault> {
        for other in records.iter().filter(|other| other.content_hash != incoming.document.content_hash) {
            let content_hash = incoming.document.content_hash.to_vec();
            let ended = self.shelf.records(incoming).iter().any(|known| known.id == other.id && known.ended);
            self.intake.move_record(Record { ended, content_hash, ..other.clone() });
        }
        let Some(same) = same else { return self.add_reference(incoming, document) };
        let moved = incoming.record(same.id, same.document, &same.arrival);
        self.intake.move_record(moved.clone());
        self.shelf.put_record(incoming, moved);
        Ok(())
    }
}

/// Whether an invalid document is judged in another way than before, as rules, masters and the day may
/// have changed since. Where its findings lie does not count, and whether they are the same only the
/// first record says: two records of one document shall not revise each other for ever.
fn is_judged_otherwise(known: &Known, incoming: &Incoming<'_>, is_first: bool) -> Result<bool, Fault> {
    if known.state != DocumentState::Invalid {
        return Ok(false);
    }
    if incoming.state != DocumentState::Invalid {
        return Ok(true);
    }
    if !is_first || known.findings == incoming.findings {
        return Ok(false);
    }
    let before: Vec<Finding> = codec::from_json("findings", &known.findings)?;
    let without_place = |finding: &Finding| Finding { place: None, ..finding.clone() };
    let found = &incoming.document.findings;
    Ok(!before.iter().map(without_place).eq(found.iter().map(without_place)))
}

/// What a document says once a revision replaced it. A refused one waits on until a revision passes
/// the check, and until then keeps the key of its attempt.
fn revised(known: &Known, incoming: &Incoming<'_>) -> Known {
    let waits_on = known.state == DocumentState::Refused && incoming.state == DocumentState::Invalid;
    let state = if waits_on { DocumentState::Refused } else { incoming.state };
    let changed = state != known.state || incoming.findings != known.findings || known.portal_findings != NOTHING;
    let shown = receipt_due(state, changed, known.receipt_state);
    Known {
        id: known.id,
        state,
        content_hash: incoming.document.content_hash.to_vec(),
        key: if waits_on { known.key.clone() } else { incoming.document.key.clone() },
        key_upper: if waits_on { known.key_upper.clone() } else { incoming.key_upper.clone() },
        revision: known.revision + 1,
        findings: incoming.findings.clone(),
        portal_findings: NOTHING.to_owned(),
        receipt_revision: known.receipt_revision + i64::from(shown),
        receipt_state: if shown { Some(state) } else { known.receipt_state },
        first_id: known.first_id,
        first: known.first.clone(),
    }
}

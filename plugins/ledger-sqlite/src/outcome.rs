//! `intend`, `record` and `settle`: from the durable intent to a proven outcome.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use einvoice_core::job::Cancellation;
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, DocumentId, HandOver, Intent, LedgerError, NewIntent, Settlement, WorkerId,
};
use einvoice_core::portal_code::PortalError;
use einvoice_core::state::DocumentState;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use crate::bill::Births;
use crate::claim::not_claimed;
use crate::codec;
use crate::desk::{Desk, next};
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::rows::Rows;
use crate::standing::{Event, NOTHING, Standing, Standings};

/// How many attempts the documents of the list `$1` have had, and the hash of what may be sent.
const SENDABLE: &str = "SELECT d.id, v.payload_hash, \
     (SELECT coalesce(max(a.number), 0) FROM attempt a WHERE a.document_id = d.id) \
     FROM json_each($1) j CROSS JOIN document d ON d.id = j.value \
     CROSS JOIN revision v ON v.document_id = d.id AND v.number = d.revision";

/// What an intent must know besides where its document stands.
#[derive(Debug, Default)]
struct Sendable {
    attempts: i64,
    payload_hash: Option<Vec<u8>>,
}

const INSERT_ATTEMPTS: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO attempt (id, document_id, number, worker, route, site, gstin, payload_hash, at) \
     SELECT v ->> 'id', v ->> 'document', v ->> 'number', v ->> 'worker', v ->> 'route', v ->> 'site', \
     v ->> 'gstin', substr($2, v ->> 'hash', 32), v ->> 'at' FROM given";

#[async_trait]
impl Change for NewIntent {
    type Answer = Intent;

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.intents
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = desk.now();
        let ids: BTreeSet<i64> = calls.iter().map(|call| call.document.0).collect();
        let mut standings = Standings::load(&mut desk.connection, &ids).await?;
        let mut sendable = Sendable::load(&mut desk.connection, &ids).await?;
        let numbers = desk.numbers().await?;
        let mut attempts = Rows::default();
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            let sendable = sendable.entry(call.document.0).or_default();
            let answer = intend(call, &standings, sendable, numbers.attempt + 1, now);
            answers.push(match answer {
                Ok((intent, standing)) => {
                    next(&mut numbers.attempt);
                    sendable.attempts += 1;
                    standings.keep(standing);
                    push_attempt(&mut attempts, call, &intent)?;
                    Ok(intent)
                }
                Err(refused) => Err(refused),
            });
        }
        attempts.execute(&mut desk.connection, INSERT_ATTEMPTS).await?;
        standings.write(&mut desk.connection).await?;
        Ok(answers)
    }
}

impl Sendable {
    async fn load(connection: &mut SqliteConnection, ids: &BTreeSet<i64>) -> Result<HashMap<i64, Self>, Fault> {
        let rows: Vec<(i64, Option<Vec<u8>>, i64)> =
            sqlx::query_as(SENDABLE).bind(codec::to_json(ids)?).fetch_all(connection).await?;
        Ok(rows.into_iter().map(|(id, payload_hash, attempts)| (id, Self { attempts, payload_hash })).collect())
    }
}

/// The intent as it is stored and the document after it.
fn intend(
    call: &NewIntent,
    standings: &Standings,
    sendable: &Sendable,
    attempt: i64,
    now: Timestamp,
) -> Result<(Intent, Standing), Fault> {
    let mut standing = standings.of(call.document.0)?;
    standing.become_state(DocumentState::Sent)?;
    if !standing.is_with(&call.worker.0, codec::micros(now)) {
        return Err(not_claimed(call.document.0, &call.worker));
    }
    if sendable.payload_hash.as_deref() != Some(call.payload_hash.as_slice()) {
        return Err(LedgerError::OtherPayload { document: call.document }.into());
    }
    let intent = Intent {
        attempt: AttemptId(attempt),
        document: call.document,
        number: codec::unsigned(sendable.attempts + 1)?,
        route: call.route.clone(),
        site: call.site.clone(),
        gstin: call.gstin,
        payload_hash: call.payload_hash,
        at: now,
    };
    standing.last_attempt = Some(attempt);
    let details = Some(codec::to_json(&intent)?);
    standing.store(now, Event { text: "the intent to send was stored", details, reply: None })?;
    Ok((intent, standing))
}

fn push_attempt(rows: &mut Rows, call: &NewIntent, intent: &Intent) -> Result<(), Fault> {
    #[derive(Serialize)]
    struct Row<'a> {
        id: AttemptId,
        document: DocumentId,
        number: u32,
        worker: &'a WorkerId,
        route: &'a str,
        site: &'a str,
        gstin: &'a str,
        hash: usize,
        at: i64,
    }
    let hash = rows.put(&intent.payload_hash);
    rows.push(&Row {
        id: intent.attempt,
        document: intent.document,
        number: intent.number,
        worker: &call.worker,
        route: intent.route.as_str(),
        site: &intent.site,
        gstin: intent.gstin.as_str(),
        hash,
        at: codec::micros(intent.at),
    })
}

/// The outcome of an attempt, to be recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) attempt: AttemptId,
    pub(crate) outcome: AttemptOutcome,
}

/// The documents of the attempts `$1`, and what was recorded of those that are not on their way.
const ATTEMPTS: &str = "WITH wanted (id) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     SELECT a.id, a.document_id, CASE WHEN d.state <> 'sent' THEN ( \
       SELECT p.body FROM reply p WHERE p.attempt_id = a.id AND p.kind = 'outcome') END AS outcome \
     FROM wanted CROSS JOIN attempt a ON a.id = wanted.id CROSS JOIN document d ON d.id = a.document_id";

#[async_trait]
impl Change for Record {
    type Answer = ();

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.records
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = desk.now();
        let mut attempts = Attempt::load(&mut desk.connection, calls).await?;
        let ids = attempts.values().map(|attempt| attempt.document).collect();
        let mut standings = Standings::load(&mut desk.connection, &ids).await?;
        let mut replies = Replies::new(desk.numbers().await?.reply, now);
        let registrations = calls.iter().filter_map(|call| match &call.outcome {
            AttemptOutcome::Registered { registration, .. } => Some(&**registration),
            _ => None,
        });
        let mut births = Births::load(&mut desk.connection, registrations, now).await?;
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(call.carry_out(&mut attempts, &mut standings, &mut replies, &mut births));
            if replies.rows.is_large() {
                replies.write(desk).await?;
            }
        }
        replies.write(desk).await?;
        births.write(&mut desk.connection).await?;
        standings.write(&mut desk.connection).await?;
        Ok(answers)
    }
}

/// An attempt whose outcome is told.
struct Attempt {
    document: i64,
    outcome: Option<AttemptOutcome>,
}

impl Attempt {
    async fn load(connection: &mut SqliteConnection, calls: &[Record]) -> Result<HashMap<AttemptId, Self>, Fault> {
        let ids: BTreeSet<AttemptId> = calls.iter().map(|call| call.attempt).collect();
        let rows = sqlx::query(ATTEMPTS).bind(codec::to_json(&ids)?).fetch_all(connection).await?;
        rows.iter()
            .map(|row| {
                let outcome: Option<String> = row.try_get("outcome")?;
                let outcome = outcome.map(|body| codec::from_json("an outcome", &body)).transpose()?;
                Ok((AttemptId(row.try_get("id")?), Self { document: row.try_get("document_id")?, outcome }))
            })
            .collect()
    }
}

impl Record {
    /// An outcome may come late, after the document became `Unknown` because the lease was over, or
    /// after asking settled it. It still counts for the last attempt: it fills in what is unknown,
    /// and where it says nothing new it is kept beside the reply that settled the document.
    fn carry_out(
        &self,
        attempts: &mut HashMap<AttemptId, Attempt>,
        standings: &mut Standings,
        replies: &mut Replies,
        births: &mut Births,
    ) -> Result<(), Fault> {
        let attempt = attempts.get_mut(&self.attempt).ok_or(LedgerError::NoIntent { attempt: self.attempt })?;
        let mut standing = standings.of(attempt.document)?;
        let target = target(&self.outcome);
        if let Some(earlier) = &attempt.outcome {
            return if *earlier == self.outcome { Ok(()) } else { Err(standing.illegal(target)) };
        }
        if standing.last_attempt != Some(self.attempt.0) {
            return Err(standing.illegal(target));
        }
        let open = matches!(standing.state, DocumentState::Sent | DocumentState::Unknown);
        if !open && target != standing.state && target != DocumentState::Unknown {
            return Err(standing.illegal(target));
        }
        let body = codec::to_json(&self.outcome)?;
        if open {
            self.fill_in(&mut standing, replies.next(), births, replies.now)?;
        }
        replies.add(attempt.document, Some(self.attempt), "outcome", &body)?;
        attempt.outcome = Some(self.outcome.clone());
        standings.keep(standing);
        Ok(())
    }

    fn fill_in(&self, standing: &mut Standing, reply: i64, births: &mut Births, now: Timestamp) -> Result<(), Fault> {
        standing.release();
        let (asked, hand_over) = (standing.asked, standing.hand_over.take());
        standing.close_question();
        let event = |text| Event { text, details: None, reply: Some(reply) };
        match &self.outcome {
            AttemptOutcome::NotSent { .. } => {
                standing.become_state(DocumentState::Ready)?;
                standing.store(now, event("nothing was sent"))
            }
            AttemptOutcome::Registered { registration, .. } => {
                standing.become_state(DocumentState::Registered)?;
                standing.registration_reply = Some(reply);
                births.add(standing, registration);
                standing.store(now, event("registered"))
            }
            AttemptOutcome::Refused { errors, burnt, .. } => refuse(standing, errors, *burnt, reply, now),
            AttemptOutcome::Unknown { reason, ask_at, errors, .. } => {
                if standing.state != DocumentState::Unknown {
                    standing.become_state(DocumentState::Unknown)?;
                }
                (standing.asked, standing.hand_over) = (asked, hand_over);
                standing.open_reply = Some(reply);
                standing.ask_at = Some(codec::micros_up(*ask_at));
                standing.portal_findings = codec::to_json(&codec::unknown_findings(reason, None, errors))?;
                standing.store(now, event("the outcome is not known"))
            }
        }
    }
}

/// What asking the portal brought, to be stored.
#[derive(Debug)]
pub(crate) struct Settle {
    pub(crate) worker: WorkerId,
    pub(crate) document: DocumentId,
    pub(crate) settlement: Settlement,
}

#[async_trait]
impl Change for Settle {
    type Answer = ();

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.settlements
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let now = desk.now();
        let ids = calls.iter().map(|call| call.document.0).collect();
        let mut standings = Standings::load(&mut desk.connection, &ids).await?;
        let mut replies = Replies::new(desk.numbers().await?.reply, now);
        let registrations = calls.iter().filter_map(|call| match &call.settlement {
            Settlement::Registered { registration, .. } | Settlement::Cancelled { registration } => {
                Some(&**registration)
            }
            _ => None,
        });
        let mut births = Births::load(&mut desk.connection, registrations, now).await?;
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(call.carry_out(&mut standings, &mut replies, &mut births));
            if replies.rows.is_large() {
                replies.write(desk).await?;
            }
        }
        replies.write(desk).await?;
        births.write(&mut desk.connection).await?;
        standings.write(&mut desk.connection).await?;
        Ok(answers)
    }
}

impl Settle {
    fn carry_out(&self, standings: &mut Standings, replies: &mut Replies, births: &mut Births) -> Result<(), Fault> {
        let mut standing = standings.of(self.document.0)?;
        if standing.state != DocumentState::Unknown {
            return Err(standing.illegal(settled_state(&self.settlement)));
        }
        if !standing.is_with(&self.worker.0, codec::micros(replies.now)) {
            return Err(not_claimed(self.document.0, &self.worker));
        }
        let attempt = standing.last_attempt.map(AttemptId);
        let body = codec::to_json(&self.settlement)?;
        self.close(&mut standing, replies.next(), births, replies.now)?;
        replies.add(standing.id, attempt, "settlement", &body)?;
        standings.keep(standing);
        Ok(())
    }

    fn close(&self, standing: &mut Standing, reply: i64, births: &mut Births, now: Timestamp) -> Result<(), Fault> {
        standing.release();
        let event = |text| Event { text, details: None, reply: Some(reply) };
        let earlier = standing.hand_over()?;
        if let Settlement::StillUnknown { reason, ask_at, hand_over } = &self.settlement {
            let stands = HandOver::kept(earlier, hand_over.clone());
            // What left the outcome open stays open: its reply is needed when asking again.
            standing.asked += 1;
            standing.ask_at = Some(codec::micros_up(*ask_at));
            let remedy = stands.as_ref().map(HandOver::remedy);
            standing.portal_findings = codec::to_json(&codec::unknown_findings(reason, remedy, &[]))?;
            standing.hand_over = stands.as_ref().map(codec::to_json).transpose()?;
            return standing.store(now, event("asked; the outcome is still not known"));
        }
        if matches!(self.settlement, Settlement::NotThere { .. }) && earlier.is_some_and(|one| one.is_registered()) {
            return Err(standing.illegal(DocumentState::Ready));
        }
        standing.close_question();
        let text = match &self.settlement {
            Settlement::Registered { registration, .. } => {
                births.add(standing, registration);
                "asked; it is registered"
            }
            Settlement::Cancelled { registration } => {
                births.add(standing, registration);
                let cancellation = Cancellation { at: None, reason: None, remark: None };
                standing.cancellation = Some(codec::to_json(&cancellation)?);
                "asked; it was registered and has been cancelled"
            }
            Settlement::Refused { errors, burnt } => return refuse(standing, errors, *burnt, reply, now),
            Settlement::Conflict { differences, .. } => {
                standing.differences = codec::to_json(differences)?;
                "asked; the portal holds a different document under this key"
            }
            Settlement::NotThere { .. } | Settlement::StillUnknown { .. } => "asked; the portal does not have it",
        };
        let state = settled_state(&self.settlement);
        standing.become_state(state)?;
        if state != DocumentState::Ready {
            standing.registration_reply = Some(reply);
        }
        standing.store(now, event(text))
    }
}

/// `Refused`, and `Burnt` after it where the number is used up.
fn refuse(
    standing: &mut Standing,
    errors: &[PortalError],
    burnt: bool,
    reply: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    standing.become_state(DocumentState::Refused)?;
    let findings = codec::portal_findings(errors);
    standing.portal_findings = if findings.is_empty() { NOTHING.to_owned() } else { codec::to_json(&findings)? };
    let event = |text| Event { text, details: None, reply: Some(reply) };
    if !burnt {
        return standing.store(now, event("refused"));
    }
    standing.store_passing(now, event("refused"))?;
    standing.become_state(DocumentState::Burnt)?;
    standing.store(now, event("the number is used up; only a new number helps"))
}

/// Replies to be stored, whose numbers are given beforehand.
pub(crate) struct Replies {
    last: i64,
    now: Timestamp,
    rows: Rows,
}

const INSERT_REPLIES: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO reply (id, document_id, attempt_id, kind, at, body) \
     SELECT v ->> 'id', v ->> 'document', v ->> 'attempt', v ->> 'kind', v ->> 'at', \
     CAST(substr($2, v ->> 'body', v ->> 'bytes') AS TEXT) FROM given";

impl Replies {
    pub(crate) fn new(last: i64, now: Timestamp) -> Self {
        Self { last, now, rows: Rows::default() }
    }

    /// The number of the reply that is added next.
    pub(crate) fn next(&self) -> i64 {
        self.last + 1
    }

    pub(crate) fn add(
        &mut self,
        document: i64,
        attempt: Option<AttemptId>,
        kind: &'static str,
        body: &str,
    ) -> Result<(), Fault> {
        #[derive(Serialize)]
        struct Row {
            id: i64,
            document: i64,
            attempt: Option<AttemptId>,
            kind: &'static str,
            at: i64,
            body: usize,
            bytes: usize,
        }
        let start = self.rows.put(body.as_bytes());
        let id = next(&mut self.last);
        let at = codec::micros(self.now);
        self.rows.push(&Row { id, document, attempt, kind, at, body: start, bytes: body.len() })
    }

    pub(crate) async fn write(&mut self, desk: &mut Desk) -> Result<(), Fault> {
        desk.numbers().await?.reply = self.last;
        self.rows.execute(&mut desk.connection, INSERT_REPLIES).await
    }
}

const fn target(outcome: &AttemptOutcome) -> DocumentState {
    match outcome {
        AttemptOutcome::NotSent { .. } => DocumentState::Ready,
        AttemptOutcome::Registered { .. } => DocumentState::Registered,
        AttemptOutcome::Refused { burnt: false, .. } => DocumentState::Refused,
        AttemptOutcome::Refused { burnt: true, .. } => DocumentState::Burnt,
        AttemptOutcome::Unknown { .. } => DocumentState::Unknown,
    }
}

const fn settled_state(settlement: &Settlement) -> DocumentState {
    match settlement {
        Settlement::Registered { .. } => DocumentState::Registered,
        Settlement::Cancelled { .. } => DocumentState::Cancelled,
        Settlement::Refused { burnt: false, .. } => DocumentState::Refused,
        Settlement::Refused { burnt: true, .. } => DocumentState::Burnt,
        Settlement::Conflict { .. } => DocumentState::Conflict,
        Settlement::NotThere { .. } => DocumentState::Ready,
        Settlement::StillUnknown { .. } => DocumentState::Unknown,
    }
}

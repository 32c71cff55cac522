//! `intend`, `record` and `settle`: from the durable intent to a proven outcome.

use async_trait::async_trait;
use einvoice_core::ledger::{
    AttemptId, AttemptOutcome, DocumentId, Intent, LedgerError, NewIntent, Settlement, WorkerId,
};
use einvoice_core::portal_code::PortalError;
use einvoice_core::state::DocumentState;
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use crate::claim::not_claimed;
use crate::codec;
use crate::fault::Fault;
use crate::standing::{Event, NOTHING, Standing};
use crate::writer::{Change, Desk};

#[async_trait]
impl Change for NewIntent {
    type Answer = Intent;

    async fn apply(&self, desk: &mut Desk) -> Result<Intent, Fault> {
        let now = desk.now();
        let connection = &mut desk.connection;
        let mut standing = Standing::load(connection, self.document.0).await?;
        standing.become_state(DocumentState::Sent)?;
        if !standing.is_with(&self.worker.0, codec::micros(now)) {
            return Err(not_claimed(self.document.0, &self.worker));
        }
        let row = sqlx::query(
            "INSERT INTO attempt (document_id, number, worker, route, site, gstin, payload_hash, at) \
             VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE document_id = ?1), \
             ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id, number",
        )
        .bind(self.document.0)
        .bind(&self.worker.0)
        .bind(self.route.as_str())
        .bind(&self.site)
        .bind(self.gstin.as_str())
        .bind(self.payload_hash.as_slice())
        .bind(codec::micros(now))
        .fetch_one(&mut *connection)
        .await?;
        let attempt: i64 = row.try_get("id")?;
        let intent = Intent {
            attempt: AttemptId(attempt),
            document: self.document,
            number: codec::unsigned(row.try_get("number")?)?,
            route: self.route.clone(),
            site: self.site.clone(),
            gstin: self.gstin,
            payload_hash: self.payload_hash,
            at: now,
        };
        standing.last_attempt = Some(attempt);
        let event =
            Event { text: "the intent to send was stored", details: Some(codec::to_json(&intent)?), reply: None };
        standing.store(connection, now, event).await?;
        Ok(intent)
    }
}

/// The outcome of an attempt, to be recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) attempt: AttemptId,
    pub(crate) outcome: AttemptOutcome,
}

#[async_trait]
impl Change for Record {
    type Answer = ();

    /// An outcome may come late, after the document became `Unknown` because the lease was over, or
    /// after asking settled it. It still counts for the last attempt: it fills in what is unknown,
    /// and where it says nothing new it is kept beside the reply that settled the document.
    async fn apply(&self, desk: &mut Desk) -> Result<(), Fault> {
        let now = desk.now();
        let connection = &mut desk.connection;
        let Some(mut standing) = Standing::load_of_attempt(connection, self.attempt.0).await? else {
            return Err(LedgerError::NoIntent { attempt: self.attempt }.into());
        };
        let document = standing.id;
        let target = target(&self.outcome);
        if standing.state != DocumentState::Sent
            && let Some(earlier) = earlier_outcome(connection, self.attempt).await?
        {
            return if earlier == self.outcome { Ok(()) } else { Err(standing.illegal(target)) };
        }
        if standing.last_attempt != Some(self.attempt.0) {
            return Err(standing.illegal(target));
        }
        let open = matches!(standing.state, DocumentState::Sent | DocumentState::Unknown);
        if !open && target != standing.state && target != DocumentState::Unknown {
            return Err(standing.illegal(target));
        }
        let body = codec::to_json(&self.outcome)?;
        let reply = store_reply(connection, document, Some(self.attempt), "outcome", &body, now).await?;
        if open {
            self.carry_out(connection, &mut standing, reply, now).await?;
        }
        Ok(())
    }
}

impl Record {
    async fn carry_out(
        &self,
        connection: &mut SqliteConnection,
        standing: &mut Standing,
        reply: i64,
        now: Timestamp,
    ) -> Result<(), Fault> {
        standing.release();
        let asked = standing.asked;
        standing.close_question();
        let event = |text| Event { text, details: None, reply: Some(reply) };
        match &self.outcome {
            AttemptOutcome::NotSent { .. } => {
                standing.become_state(DocumentState::Ready)?;
                standing.store(connection, now, event("nothing was sent")).await
            }
            AttemptOutcome::Registered { registration, .. } => {
                standing.become_state(DocumentState::Registered)?;
                standing.registration_reply = Some(reply);
                standing.ewb_state = codec::ewb_of(registration);
                standing.store(connection, now, event("registered")).await
            }
            AttemptOutcome::Refused { errors, burnt, .. } => {
                refuse(connection, standing, errors, *burnt, reply, now).await
            }
            AttemptOutcome::Unknown { reason, ask_at, errors, .. } => {
                if standing.state != DocumentState::Unknown {
                    standing.become_state(DocumentState::Unknown)?;
                }
                standing.asked = asked;
                standing.open_reply = Some(reply);
                standing.ask_at = Some(codec::micros_up(*ask_at));
                standing.portal_findings = codec::to_json(&codec::unknown_findings(reason, errors))?;
                standing.store(connection, now, event("the outcome is not known")).await
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

    async fn apply(&self, desk: &mut Desk) -> Result<(), Fault> {
        let now = desk.now();
        let connection = &mut desk.connection;
        let mut standing = Standing::load(connection, self.document.0).await?;
        if standing.state != DocumentState::Unknown {
            return Err(standing.illegal(settled_state(&self.settlement)));
        }
        if !standing.is_with(&self.worker.0, codec::micros(now)) {
            return Err(not_claimed(self.document.0, &self.worker));
        }
        let attempt = standing.last_attempt.map(AttemptId);
        let body = codec::to_json(&self.settlement)?;
        let reply = store_reply(connection, self.document.0, attempt, "settlement", &body, now).await?;
        self.carry_out(connection, &mut standing, reply, now).await
    }
}

impl Settle {
    async fn carry_out(
        &self,
        connection: &mut SqliteConnection,
        standing: &mut Standing,
        reply: i64,
        now: Timestamp,
    ) -> Result<(), Fault> {
        standing.release();
        let event = |text| Event { text, details: None, reply: Some(reply) };
        if let Settlement::StillUnknown { reason, ask_at } = &self.settlement {
            // What left the outcome open stays open: its reply is needed when asking again.
            standing.asked += 1;
            standing.ask_at = Some(codec::micros_up(*ask_at));
            standing.portal_findings = codec::to_json(&codec::unknown_findings(reason, &[]))?;
            return standing.store(connection, now, event("asked; the outcome is still not known")).await;
        }
        standing.close_question();
        let text = match &self.settlement {
            Settlement::Registered { registration, .. } => {
                standing.become_state(DocumentState::Registered)?;
                standing.registration_reply = Some(reply);
                standing.ewb_state = codec::ewb_of(registration);
                "asked; it is registered"
            }
            Settlement::Cancelled { .. } => {
                standing.become_state(DocumentState::Cancelled)?;
                standing.registration_reply = Some(reply);
                "asked; it was registered and has been cancelled"
            }
            Settlement::Refused { errors, burnt } => {
                return refuse(connection, standing, errors, *burnt, reply, now).await;
            }
            Settlement::Conflict { differences, .. } => {
                standing.become_state(DocumentState::Conflict)?;
                standing.registration_reply = Some(reply);
                standing.differences = codec::to_json(differences)?;
                "asked; the portal holds a different document under this key"
            }
            Settlement::NotThere { .. } | Settlement::StillUnknown { .. } => {
                standing.become_state(DocumentState::Ready)?;
                "asked; the portal does not have it"
            }
        };
        standing.store(connection, now, event(text)).await
    }
}

/// `Refused`, and `Burnt` after it where the number is used up.
async fn refuse(
    connection: &mut SqliteConnection,
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
        return standing.store(connection, now, event("refused")).await;
    }
    standing.store_passing(connection, now, event("refused")).await?;
    standing.become_state(DocumentState::Burnt)?;
    standing.store(connection, now, event("the number is used up; only a new number helps")).await
}

async fn store_reply(
    connection: &mut SqliteConnection,
    document: i64,
    attempt: Option<AttemptId>,
    kind: &'static str,
    body: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    let result = sqlx::query("INSERT INTO reply (document_id, attempt_id, kind, body, at) VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(document)
        .bind(attempt.map(|attempt| attempt.0))
        .bind(kind)
        .bind(body)
        .bind(codec::micros(now))
        .execute(connection)
        .await?;
    Ok(result.last_insert_rowid())
}

async fn earlier_outcome(
    connection: &mut SqliteConnection,
    attempt: AttemptId,
) -> Result<Option<AttemptOutcome>, Fault> {
    let body: Option<String> = sqlx::query_scalar("SELECT body FROM reply WHERE attempt_id = ?1 AND kind = 'outcome'")
        .bind(attempt.0)
        .fetch_optional(connection)
        .await?;
    body.map(|body| codec::from_json("an outcome", &body)).transpose()
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

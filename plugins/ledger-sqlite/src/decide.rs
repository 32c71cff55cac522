//! `decide`, `reject_by_registry` and `learn_cancellation`: what people and lists say of a document.

use std::collections::BTreeSet;

use async_trait::async_trait;
use einvoice_core::ewb::EwbNumber;
use einvoice_core::irn::Irn;
use einvoice_core::job::Cancellation;
use einvoice_core::ledger::{Decision, DocumentId};
use einvoice_core::state::{DocumentState, EwbState};
use jiff::Timestamp;
use sqlx::Row as _;

use crate::bill::{Bills, Births, is_open};
use crate::by_hand;
use crate::codec::{self, ReplyParts};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::group::{Answers, Change, Group, Lane};
use crate::standing::{Event, Standing, Standings};
use crate::step::cancel;

/// What the portal holds, as it was found when the document became a conflict.
const HELD: &str = "SELECT p.kind AS reply_kind, p.body AS reply_body FROM reply p WHERE p.id = ?1";

pub(crate) async fn decide(desk: &mut Desk, id: DocumentId, decision: &Decision) -> Result<(), Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    let mut standings = Standings::load(&mut *connection, &BTreeSet::from([id.0])).await?;
    let mut document = standings.of(id.0)?;
    let mut births = None;
    // The differences a person decided about stay in the trail.
    let differences: serde_json::Value = codec::from_json("differences", &document.differences)?;
    let details = codec::to_json(&serde_json::json!({ "decision": decision, "differences": differences }))?;
    match decision {
        Decision::Adopt { reason } => {
            if document.state != DocumentState::Conflict {
                return Err(document.illegal(DocumentState::Registered));
            }
            let held = match document.registration_reply {
                Some(reply) => {
                    let row = sqlx::query(HELD).bind(reply).fetch_optional(&mut *connection).await?;
                    row.as_ref().map(ReplyParts::of_row).transpose()?.and_then(|parts| parts.registration)
                }
                None => None,
            };
            let held = held.ok_or_else(|| document.illegal(DocumentState::Registered))?;
            reopen(&mut document, now)?;
            let text = format!("a person adopted what the portal holds: {reason}");
            document.store_passing(now, Event { text: &text, details: Some(details.clone()), reply: None })?;
            document.close_question();
            document.become_state(DocumentState::Registered)?;
            let born = births.insert(Births::load(&mut *connection, std::iter::once(&held), now).await?);
            born.add(&mut document, &held);
            let reply = document.registration_reply;
            document.store(now, Event { text: "registered, by a person's decision", details: None, reply })?;
        }
        Decision::AskAgain { reason } => {
            if document.state == DocumentState::Conflict {
                reopen(&mut document, now)?;
                document.registration_reply = None;
                document.differences.replace_range(.., "[]");
                document.portal_findings = codec::to_json(&codec::unknown_findings(reason, None, &[]))?;
            } else if document.state != DocumentState::Unknown {
                return Err(document.illegal(DocumentState::Unknown));
            }
            document.ask_at = Some(codec::micros(now));
            let text = format!("a person had the portal asked again: {reason}");
            document.store(now, Event { text: &text, details: Some(details), reply: None })?;
        }
        Decision::NotThere { reason } => {
            // Where the portal can be asked its word counts, and what is registered for certain is there.
            let is_open = document.hand_over()?.is_some_and(|one| !one.is_registered());
            if document.state != DocumentState::Unknown || !is_open {
                return Err(document.illegal(DocumentState::Ready));
            }
            document.release();
            document.close_question();
            document.become_state(DocumentState::Ready)?;
            let text = format!("a person saw that the portal has nothing of it: {reason}");
            document.store(now, Event { text: &text, details: Some(details), reply: None })?;
        }
        Decision::Registered { read, reason } => return by_hand::registered(desk, id, read, reason, details).await,
        other => return Err(Fault::Misuse(format!("this ledger does not know the decision {other:?}"))),
    }
    standings.keep(document);
    if let Some(births) = births {
        births.write(&mut *connection).await?;
    }
    standings.write(connection).await
}

fn reopen(document: &mut Standing, now: Timestamp) -> Result<(), Fault> {
    document.become_state(DocumentState::Unknown)?;
    document.ask_at = Some(codec::micros(now));
    document.asked = 0;
    Ok(())
}

/// Keeps what a read told: somebody cancelled the registration elsewhere.
pub(crate) async fn learn_cancellation(
    desk: &mut Desk,
    id: DocumentId,
    cancellation: &Cancellation,
) -> Result<(), Fault> {
    let now = desk.now();
    let connection = &mut desk.connection;
    let mut standings = Standings::load(&mut *connection, &BTreeSet::from([id.0])).await?;
    let document = standings.of(id.0)?;
    if document.state == DocumentState::Cancelled {
        return Ok(());
    }
    if document.state != DocumentState::Registered {
        return Err(document.illegal(DocumentState::Cancelled));
    }
    // An IRN with an active bill is not cancelled (2230): the bill is over too, and how, only a read tells.
    let mut bills = Bills::new(now);
    if let Some(number) = document.ewb_number.as_deref().and_then(|number| EwbNumber::parse(number).ok())
        && let Some(mut bill) = bills.of(&mut *connection, number).await?
        && is_open(bill.standing.state)
    {
        bill.standing.state = EwbState::Unknown;
        bills.put(&mut *connection, bill).await?;
    }
    bills.show(&mut standings, Some(id.0))?;
    let mut document = standings.of(id.0)?;
    cancel(&mut document, cancellation, now)?;
    let details = Some(codec::to_json(cancellation)?);
    document.store(now, Event { text: "the portal has it cancelled", details, reply: None })?;
    standings.keep(document);
    bills.write(&mut *connection).await?;
    standings.write(connection).await
}

/// IRNs on the portal's list of rejected ones.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) irns: Vec<Irn>,
}

/// Without an index over IRNs, which every document would pay for: the list comes once a day at most.
const REGISTERED: &str = "SELECT d.id FROM document d INDEXED BY document_by_state WHERE d.state = 'registered' \
     AND d.irn IN (SELECT value FROM json_each(?1)) ORDER BY d.id";

#[async_trait]
impl Change for Rejected {
    type Answer = Vec<DocumentId>;

    fn lane(group: &mut Group) -> &mut Lane<Self> {
        &mut group.rejections
    }

    async fn apply(desk: &mut Desk, calls: &[Self]) -> Result<Answers<Self>, Fault> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(Ok(call.mark(desk).await?));
        }
        Ok(answers)
    }
}

impl Rejected {
    async fn mark(&self, desk: &mut Desk) -> Result<Vec<DocumentId>, Fault> {
        let now = desk.now();
        let connection = &mut desk.connection;
        let irns: Vec<String> = self.irns.iter().map(ToString::to_string).collect();
        let rows = sqlx::query(REGISTERED).bind(codec::to_json(&irns)?).fetch_all(&mut *connection).await?;
        let mut ids = BTreeSet::new();
        for row in &rows {
            ids.insert(row.try_get::<i64, _>("id")?);
        }
        let mut standings = Standings::load(&mut *connection, &ids).await?;
        for id in &ids {
            let mut document = standings.of(*id)?;
            document.become_state(DocumentState::RejectedByRegistry)?;
            let text = "on the portal's list of rejected registrations";
            document.store(now, Event { text, details: None, reply: None })?;
            standings.keep(document);
        }
        standings.write(connection).await?;
        Ok(ids.into_iter().map(DocumentId).collect())
    }
}

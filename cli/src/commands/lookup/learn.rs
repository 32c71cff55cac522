//! What is read is remembered: a cancellation, a rejection, where a bill stands.
//!
//! The ledger learns only what a read proves of something of ours, and each time it is told. Write-back targets get
//! it with the next run.

use einvoice_core::ewb::{Birth, EwbNumber, Standing};
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::job::{Bill, Cancellation};
use einvoice_core::ledger::{DocumentId, DocumentStatus, LedgerError, Query};
use einvoice_core::operation::{EwbDetails, Registration, RegistrationStatus};
use einvoice_core::pipeline::Asked;
use einvoice_core::state::DocumentState;
use einvoice_core::verify::TokenVerdict;
use serde::Serialize;

use super::super::desk::{Desk, find};
use super::super::status::document;
use super::{of_irn, show};
use crate::error::CliError;
use crate::output::Output;

/// What the ledger has learnt, as `--json` shows it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Learnt {
    document: Option<String>,
    ewb: Option<EwbNumber>,
    state: &'static str,
    pub(super) message: String,
}

/// A registration of ours that was cancelled elsewhere.
pub(super) async fn cancellation(
    desk: &Desk,
    ours: &DocumentStatus,
    theirs: &Registration,
) -> Result<Option<Learnt>, CliError> {
    let forged = [&theirs.signed_invoice, &theirs.signed_qr]
        .into_iter()
        .flatten()
        .any(|token| matches!(desk.verifier.verify(token), TokenVerdict::Forged { .. }));
    let is_news = ours.state == DocumentState::Registered
        && theirs.status == RegistrationStatus::Cancelled
        && ours.irn == Some(theirs.irn);
    if forged || !is_news {
        return Ok(None);
    }
    // When it was cancelled, and why, no reply tells.
    let cancellation = Cancellation { at: None, reason: None, remark: theirs.remarks.clone() };
    match desk.ledger.learn_cancellation(ours.id, cancellation).await {
        Ok(()) => Ok(Some(Learnt {
            document: Some(document(ours)),
            ewb: None,
            state: DocumentState::Cancelled.as_str(),
            message: "cancelled at the portal and not by us; the ledger has it as cancelled from now on, and the next \
                      run writes that back"
                .to_owned(),
        })),
        // Another process was faster, or a cancellation of ours is under way, which its job settles.
        Err(LedgerError::IllegalMove { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Registrations of ours on a list of rejected ones: the documents that the ledger did not know as such, and all
/// IRNs with their documents as they stand now.
pub(super) async fn rejections(
    desk: &Desk,
    irns: &[Irn],
) -> Result<(Vec<DocumentId>, Vec<(Irn, Option<DocumentStatus>)>), CliError> {
    let learnt = desk.ledger.reject_by_registry(irns).await?;
    let mut known = Vec::with_capacity(irns.len());
    for irn in irns {
        known.push((*irn, of_irn(desk, *irn).await?));
    }
    Ok((learnt, known))
}

/// Shows a bill as the e-way bill system has it, and has the ledger remember it, if it is one of ours.
pub(in super::super) async fn bill(
    desk: &Desk,
    asked: &Asked,
    details: &EwbDetails,
    known: Option<&Bill>,
    asked_by: Gstin,
    output: &mut Output,
) -> Result<u8, CliError> {
    let now = desk.now();
    let before = known.map(|known| &known.standing);
    let mut standing = Standing::of_details(details, before, asked_by).at(now);
    let owner = if known.is_some() { None } else { owner(desk, &standing).await? };
    if before.is_none() && owner.as_ref().is_some_and(|owner| was_made_with(owner, standing.number)) {
        standing.birth = Birth::Irn;
    }
    let learnt = news(before, owner.as_ref(), &standing);
    if learnt.is_some() {
        let read = Bill {
            standing: standing.clone(),
            document: known.and_then(|known| known.document).or(owner.as_ref().map(|owner| owner.id)),
            route: known.and_then(|known| known.route.clone()).or_else(|| Some(asked.route.clone())),
            site: known.and_then(|known| known.site.clone()).or_else(|| Some(asked.site.clone())),
            changed_at: now,
        };
        desk.ledger.learn_bill(read).await?;
    }
    let before = before.map(|before| before.clone().at(now));
    show::bill(asked, details, &standing, before.as_ref(), learnt.as_ref(), output)
}

/// What the ledger is to learn of a bill: anything new of one that it has, and one that belongs to a document of it.
fn news(before: Option<&Standing>, owner: Option<&DocumentStatus>, standing: &Standing) -> Option<Learnt> {
    let message = match (before, owner) {
        (Some(before), _) if before == standing => return None,
        (Some(before), _) if before.state != standing.state => {
            format!("the ledger has it as {} from now on", standing.state)
        }
        (Some(_), _) => "the ledger has it from now on as the e-way bill system shows it".to_owned(),
        (None, Some(owner)) => format!("the ledger has it from now on as the e-way bill of {}", document(owner)),
        (None, None) => return None,
    };
    let (ewb, state) = (Some(standing.number), standing.state.as_str());
    Some(Learnt { document: owner.map(document), ewb, state, message })
}

/// The registered document that a bill was made for.
async fn owner(desk: &Desk, standing: &Standing) -> Result<Option<DocumentStatus>, CliError> {
    let Some(made_for) = &standing.document else { return Ok(None) };
    let query = Query { text: Some(made_for.number.clone()), ..Query::default() };
    let is_it = |status: &DocumentStatus| {
        status.registration.is_some()
            && status.key.as_ref().is_some_and(|key| {
                key.supplier == standing.generated_by
                    && key.number.as_str().eq_ignore_ascii_case(&made_for.number)
                    && key.doc_type.code() == made_for.doc_type
                    && made_for.date.is_some_and(|date| key.year == date.financial_year())
            })
    };
    Ok(find::all(desk.ledger.as_ref(), query).await?.into_iter().find(is_it))
}

fn was_made_with(owner: &DocumentStatus, number: EwbNumber) -> bool {
    let bill = owner.registration.as_ref().and_then(|registration| registration.ewb.as_ref());
    bill.is_some_and(|bill| bill.number == number.to_string())
}

#[cfg(test)]
mod tests {
    use einvoice_core::state::EwbState;

    use super::super::super::desk::find::tests::{SUPPLIER, status};
    use super::*;

    fn standing(state: EwbState) -> Standing {
        let number = EwbNumber::parse("391009149369").unwrap();
        Standing::new(number, Birth::Direct, Gstin::parse(SUPPLIER).unwrap(), state)
    }

    #[test]
    fn what_the_ledger_has_already_is_no_news_and_a_new_state_is_named() {
        let active = standing(EwbState::Active);
        assert_eq!(news(Some(&active), None, &active), None);
        let cancelled = news(Some(&active), None, &standing(EwbState::Cancelled)).unwrap();
        assert_eq!((cancelled.state, cancelled.message.contains("as cancelled")), ("cancelled", true));
        let longer = Standing { extended: 1, ..active.clone() };
        assert!(news(Some(&active), None, &longer).unwrap().message.contains("shows it"));
    }

    #[test]
    fn a_bill_that_the_ledger_does_not_know_is_learnt_with_its_document_only() {
        let active = standing(EwbState::Active);
        assert_eq!(news(None, None, &active), None);
        let learnt = news(None, Some(&status("A/1", DocumentState::Registered)), &active).unwrap();
        assert_eq!(learnt.document.as_deref(), Some("29AABCE1234F1Z1/2026-27/INV/A/1"));
    }
}

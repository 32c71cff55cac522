//! Codes 3028 and 3029 (a GSTIN unknown or inactive): has the portal fetch the taxpayer anew from the GST common
//! portal, once a run, so that the document can be sent once more (spec: sync GSTIN).
//!
//! The portal checks against a copy of the register that lags behind. A thousand documents of one buyer cost one
//! call, whatever it brings; documents refused meanwhile wait for its answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::outcome::consequence_of;
use super::report::Tally;
use super::routes::Route;
use super::send::{heed, sent_document};
use crate::document::{Invoice, PartyGstin};
use crate::environment::RouteName;
use crate::events;
use crate::identifier::Gstin;
use crate::ledger::Claimed;
use crate::operation::{Operation, OperationKind, Reply};
use crate::transport::TransportError;

/// A GSTIN is unknown to the portal, or inactive.
const GSTIN_CODES: [&str; 2] = ["3028", "3029"];

/// Status word of a taxpayer in good standing.
const ACTIVE: &str = "ACT";

/// Characters of a GSTIN.
const GSTIN_LENGTH: usize = 15;

/// What was fetched anew in this run.
#[derive(Debug, Default)]
pub(super) struct Synced {
    /// Each route leads to a copy of its own.
    parties: Mutex<HashMap<(RouteName, Gstin), Arc<Party>>>,
}

/// One taxpayer.
#[derive(Debug, Default)]
pub(super) struct Party {
    is_active: OnceCell<bool>,
    /// It is active, and documents are refused for it all the same.
    is_hopeless: AtomicBool,
}

impl Party {
    /// Learns from the second sending: refused alike, no further document is sent twice for this taxpayer.
    pub(super) fn learn(&self, error: Option<&TransportError>) {
        if error.is_some_and(is_about_a_gstin) {
            self.is_hopeless.store(true, Ordering::Relaxed);
        }
    }
}

impl Synced {
    /// The taxpayer for whom a refused document may be sent once more: it was refused for the taxpayer's GSTIN and
    /// for nothing else, and the taxpayer, fetched anew, is active.
    pub(super) async fn cured(
        &self,
        tally: &Tally,
        route: &Route,
        claimed: &Claimed,
        error: &TransportError,
    ) -> Option<Arc<Party>> {
        if !route.gateway.transport().capability().operations.contains(&OperationKind::SyncGstin) {
            return None;
        }
        let gstin = refused_for(claimed, error)?;
        let party = self.party(route.name(), gstin);
        let supplier = claimed.key.supplier;
        let is_active = *party.is_active.get_or_init(|| fetch_anew(tally, route, supplier, gstin)).await;
        (is_active && !party.is_hopeless.load(Ordering::Relaxed)).then_some(party)
    }

    fn party(&self, route: &RouteName, gstin: Gstin) -> Arc<Party> {
        let mut parties = self.parties.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(parties.entry((route.clone(), gstin)).or_default())
    }
}

/// Whether the taxpayer is active now. A call that failed is not repeated either: the refusal stands, and a person
/// may send the document again.
async fn fetch_anew(tally: &Tally, route: &Route, supplier: Gstin, gstin: Gstin) -> bool {
    let result = route.gateway.call(supplier, &Operation::SyncGstin { gstin }).await;
    route.learn(result.as_ref().err());
    match result {
        Ok(Reply::Taxpayer(taxpayer)) => {
            let status = taxpayer.status.as_deref().unwrap_or_default();
            events::taxpayer_fetched(gstin, route.name(), status);
            taxpayer.gstin == gstin.as_str() && status == ACTIVE
        }
        Ok(_) => false,
        Err(error) => {
            heed(tally, route, supplier, &error, consequence_of(&error));
            false
        }
    }
}

/// The GSTIN a document was refused for, when that alone is the reason: the one that the portal names, if it is in
/// the document; else the recipient's, as the supplier's own has just let it log in.
fn refused_for(claimed: &Claimed, error: &TransportError) -> Option<Gstin> {
    if !is_about_a_gstin(error) {
        return None;
    }
    let sent = sent_document(claimed)?;
    let parties = parties(&sent);
    let named =
        error.portal_errors().iter().flat_map(|error| words(&error.message)).find(|gstin| parties.contains(gstin));
    named.or_else(|| match sent.buyer_dtls.gstin.as_ref() {
        Some(PartyGstin::Registered(recipient)) => Some(*recipient),
        _ => None,
    })
}

/// Whether a registration was refused for a GSTIN in it and for nothing else.
fn is_about_a_gstin(error: &TransportError) -> bool {
    let TransportError::Refused { operation: Some(OperationKind::GenerateIrn), errors, .. } = error else {
        return false;
    };
    !errors.is_empty() && errors.iter().all(|error| GSTIN_CODES.contains(&error.code.as_str()))
}

fn parties(sent: &Invoice) -> Vec<Gstin> {
    let registered = |party: Option<&PartyGstin>| match party {
        Some(PartyGstin::Registered(gstin)) => Some(*gstin),
        _ => None,
    };
    let consignee = sent.ship_dtls.as_ref().and_then(|ship| registered(ship.gstin.as_ref()));
    let others = [sent.seller_dtls.gstin.get(), consignee, sent.tran_dtls.ecm_gstin.get()];
    registered(sent.buyer_dtls.gstin.as_ref()).into_iter().chain(others.into_iter().flatten()).collect()
}

/// The GSTINs in a text.
fn words(text: &str) -> impl Iterator<Item = Gstin> + '_ {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| word.len() == GSTIN_LENGTH)
        .filter_map(|word| Gstin::parse(word).ok())
}

//! What a person does where the portal's API tells no more: which signed copy, whose, of which day, where.
//!
//! The API hands out a registration for about two days. After that the signed copy is on the GST portal
//! alone, in its e-invoice download, for six months (spec: retrieval window).

use jiff::civil::Date;

use crate::date::{DocumentDate, PortalTime, ist_date};
use crate::identifier::Gstin;
use crate::irn::Irn;
use crate::ledger::{Claimed, Intent};
use crate::operation::DuplicateInfo;

/// For how many months the GST portal keeps signed copies.
const KEPT_MONTHS: i32 = 6;

/// Why a registration is taken over without its signed copy, and how to get that.
pub(super) fn copy_is_out_of_reach(gstin: Gstin, irn: Irn, registered_on: Date) -> String {
    let download = download(gstin, irn, &format!("registered on {}", day(registered_on)), registered_on);
    format!(
        "the portal's API no longer hands out the signed copy, so it could not be compared: {download}, and compare it \
         with the books"
    )
}

/// The same for a registration that another portal made.
pub(super) fn copy_is_elsewhere(gstin: Gstin, irn: Irn, registered_on: Date, portal: &str) -> String {
    let download = download(gstin, irn, &format!("registered on {}", day(registered_on)), registered_on);
    format!(
        "registered by {portal}, so its signed copy could not be compared: fetch it there, or {download}, and compare \
         it with the books"
    )
}

/// For what is registered for certain, though the portal does not tell its acknowledgement.
pub(super) fn enter_what_is_registered(claimed: &Claimed, attempt: &Intent, stated: Option<&DuplicateInfo>) -> String {
    let (irn, sent_on) = (stated.map_or(claimed.irn, |stated| stated.irn), ist_date(attempt.at));
    let registered_on = stated.and_then(|stated| stated.ack_date).map(PortalTime::date);
    let when = match registered_on {
        Some(registered_on) => format!("registered on {}", day(registered_on)),
        None => format!("registered on {} or before", day(sent_on)),
    };
    let copy = download(claimed.key.supplier, irn, &when, registered_on.unwrap_or(sent_on));
    let there = stated.and_then(|stated| stated.registered_by.as_deref());
    let there = there.map_or_else(String::new, |portal| format!("Fetch the signed copy from {portal}, or "));
    format!(
        "{}, compare it with the books, and enter its acknowledgement by hand: {}. Nothing is sent again.",
        sentence(&format!("{there}{copy}")),
        enter(claimed)
    )
}

/// For what may or may not be registered, when asking proves nothing any more.
pub(super) fn look_it_up(claimed: &Claimed, attempt: &Intent) -> String {
    let sent_on = ist_date(attempt.at);
    let copy = download(claimed.key.supplier, claimed.irn, &format!("sent on {}", day(sent_on)), sent_on);
    format!(
        "{}. If it is there, compare it with the books and enter its acknowledgement by hand: {}. If it is not, say so: \
         `einvoice resolve {} --not-there --reason TEXT`, and the document is sent again.",
        sentence(&copy),
        enter(claimed),
        claimed.key
    )
}

fn enter(claimed: &Claimed) -> String {
    format!("`einvoice resolve {} --registered --ack-no NUMBER --ack-date TIME --reason TEXT`", claimed.key)
}

fn download(gstin: Gstin, irn: Irn, when: &str, since: Date) -> String {
    let until = since
        .checked_add(jiff::Span::new().months(KEPT_MONTHS))
        .map_or_else(|_| String::new(), |until| format!(", until {}", day(until)));
    format!(
        "sign in to the GST portal as {gstin}, open its e-invoice download and take the signed copy of IRN {irn}, \
         {when} (kept six months{until})"
    )
}

fn day(date: Date) -> DocumentDate {
    DocumentDate::from(date)
}

/// The text with a capital at its start.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

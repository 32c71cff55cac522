//! What only the emulator shows: the phone and mailbox of the taxpayers, and the officer's side.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::html;

use super::form::{Fields, Form};
use super::layout::{go_to, moment, notice, page};
use super::own::{Done, listing_panel};
use super::{PREFIX, Visit, status_of};
use crate::http::plain;
use crate::registration::problem::Problems;
use crate::registration::records::{Channel, ListingState};
use crate::sandbox::Sandbox;

/// Messages on the page, newest first; older ones are in the JSON.
const MESSAGES_SHOWN: usize = 100;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/outbox", get(outbox))
        .route("/desk", get(desk))
        .route("/desk/{id}/accept", post(accept))
        .route("/desk/{id}/return", post(give_back))
        .route("/desk/{id}/report", get(report))
        .route("/my-address", get(my_address))
        .route("/public-key.pem", get(public_key))
        .route("/ewb-public-key.pem", get(ewb_public_key))
        .route("/signing-key.pem", get(signing_key))
}

async fn outbox(visit: Visit) -> Response {
    let messages: Vec<_> =
        visit.sandbox.portal().registration.messages.iter().rev().take(MESSAGES_SHOWN).cloned().collect();
    let content = html! {
        p { "Every SMS and mail that the portal has sent, newest first. Nothing is really sent. Reload the page for new ones." }
        @if messages.is_empty() { p .soft { "Nothing has arrived yet." } }
        @for message in &messages {
            section .panel aria-label=(format!("Message {}", message.id)) {
                h2 { @match message.channel { Channel::Sms => "SMS", Channel::Mail => "Mail" } " to " (message.to) }
                p .soft { "PAN " (message.pan) ", " (moment(message.at)) }
                p .message { (message.text.0) }
            }
        }
    };
    page(200, "Phone and mail", visit.is_logged_in(), &content)
}

async fn desk(visit: Visit, Query(done): Query<Done>) -> Response {
    let done = match done.done.as_str() {
        "accepted" => "The request was accepted. The taxpayer has been told.",
        "returned" => "The request was returned. The taxpayer has been told.",
        _ => "",
    };
    desk_page(200, &visit, done, None)
}

fn desk_page(status: u16, visit: &Visit, done: &str, problems: Option<&Problems>) -> Response {
    let lines = visit.sandbox.portal().listing_lines(None);
    let given = Fields::default();
    let acts = |id: &str| {
        html! {
            p { a href=(format!("{PREFIX}/desk/{id}/report")) download { "Download the test report" } }
            form method="post" action=(format!("{PREFIX}/desk/{id}/accept")) { button type="submit" { "Accept" } }
            form method="post" action=(format!("{PREFIX}/desk/{id}/return")) .row {
                div .field { label for=(format!("{id}-reason")) { "Reason" } input type="text" id=(format!("{id}-reason")) name="reason" maxlength="500" required; }
                div .field { button .second type="submit" { "Return with this reason" } }
            }
        }
    };
    let content = html! {
        (Form { given: &given, problems }.summary())
        (notice(done))
        p { "Here you play the officer. What the real one asks of a test report is public only in outline: at least 50 succeeding and 50 failing cases, with different errors, for each API." }
        @if lines.is_empty() { p .soft { "No request has come in." } }
        @for line in lines.iter().filter(|line| line.state == ListingState::UnderScrutiny) { (listing_panel(line, &acts(&line.id))) }
        @if lines.iter().any(|line| line.state != ListingState::UnderScrutiny) {
            h2 { "Decided" }
            @for line in lines.iter().rev().filter(|line| line.state != ListingState::UnderScrutiny) { (listing_panel(line, &html! {})) }
        }
    };
    page(status, "Officer's desk", visit.is_logged_in(), &content)
}

async fn accept(visit: Visit, Path(id): Path<String>) -> Response {
    match visit.act(|portal, now| portal.accept_listing(&id, now)).await {
        Ok(_) => go_to("/desk?done=accepted", None),
        Err(problems) => desk_page(status_of(&problems), &visit, "", Some(&problems)),
    }
}

async fn give_back(visit: Visit, Path(id): Path<String>, body: Bytes) -> Response {
    let given = Fields::read(&body);
    match visit.act(|portal, now| portal.return_listing(&id, given.get("reason"), now)).await {
        Ok(_) => go_to("/desk?done=returned", None),
        Err(problems) => desk_page(status_of(&problems), &visit, "", Some(&problems)),
    }
}

/// The report as a download, never to be shown in the portal's own place.
async fn report(visit: Visit, Path(id): Path<String>) -> Response {
    let found = {
        let portal = visit.sandbox.portal();
        let listing = portal.registration.listings.iter().find(|listing| listing.id == id);
        listing.map(|listing| (listing.report_name.clone(), listing.report.clone()))
    };
    let Some((name, content)) = found else { return plain(404, "there is no such request") };
    if content.is_empty() {
        return plain(410, "the file of this request is no longer kept: others have come since");
    }
    let Ok(content) = STANDARD.decode(content) else { return plain(500, "the report cannot be read back") };
    let mut response = Response::new(Body::from(content));
    let ascii: String =
        name.chars().filter(|letter| letter.is_ascii_alphanumeric() || "._-".contains(*letter)).collect();
    let disposition = format!("attachment; filename=\"{ascii}\"");
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("content-disposition", disposition.as_str()),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

async fn my_address(visit: Visit) -> Response {
    text(format!("{}\n", visit.address()))
}

async fn public_key(visit: Visit) -> Response {
    text(visit.sandbox.auth_public_key_pem())
}

async fn ewb_public_key(visit: Visit) -> Response {
    text(visit.sandbox.ewb_auth_public_key_pem())
}

async fn signing_key(visit: Visit) -> Response {
    text(visit.sandbox.signing_public_key_pem())
}

fn text(body: String) -> Response {
    let mut response = plain(200, body);
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

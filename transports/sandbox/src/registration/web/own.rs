//! The account, and IP listing.

use axum::Router;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Query};
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::entry::log_in_first;
use super::form::{Fields, Form};
use super::layout::{go_to, moment, notice, page};
use super::{PREFIX, Visit, status_of};
use crate::portal::Portal;
use crate::registration::problem::{Acted, Kind, Problem, Problems};
use crate::registration::records::ListingState;
use crate::registration::report::Upload;
use crate::registration::views::{AccountView, ListingLine};
use crate::sandbox::Sandbox;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/account", get(account))
        .route("/ip-listing", get(listing_page).post(apply))
        .route("/client/resend", post(resend))
}

/// What was done last, by its short name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    pub(super) done: String,
}

async fn account(visit: Visit, Query(done): Query<Done>) -> Response {
    match visit.act_as(|portal, pan, _| portal.account_view(pan)).await {
        Ok(view) => account_page(200, &view, said(&done.done), None),
        Err(problems) => log_in_first(&visit, &problems),
    }
}

fn said(done: &str) -> &'static str {
    match done {
        "signed-up" => "You are signed up. A client pair for trying things out was sent by SMS.",
        "resent" => "The client pair was sent again by SMS; the secret is the same.",
        "resent-new" => "A new client secret was sent by SMS; the old one has ended.",
        "applied" => "Your request was sent in.",
        _ => "",
    }
}

fn account_page(status: u16, view: &AccountView, done: &str, problems: Option<&Problems>) -> Response {
    let nothing = Fields::default();
    let content = html! {
        (Form { given: &nothing, problems }.summary())
        (notice(done))
        dl {
            dt { "PAN" } dd { code { (view.pan) } }
            dt { "User of these pages" } dd { (view.username) }
            dt { "Registered mobile" } dd { (view.mobile) }
            dt { "Registered mail" } dd { (view.mail) }
        }
        h2 { "Client pair for production" }
        @match (&view.client_id, view.client_issued_at) {
            (Some(client_id), Some(at)) => {
                dl {
                    dt { "Client id" } dd { code { (client_id) } }
                    dt { "Client secret" } dd { "sent by SMS; not shown here" }
                    dt { "Issued" } dd { (moment(at)) }
                    dt { "Listed addresses" } dd { (addresses(&view.addresses)) }
                }
                form method="post" action=(format!("{PREFIX}/client/resend")) { button .second type="submit" { "Send client id and secret again" } }
            }
            _ => p { "None yet. It is issued for the PAN, once your " a href=(format!("{PREFIX}/ip-listing")) { "request for IP listing" } " is accepted. You need none if you go through a GSP." },
        }
        h2 { "Client pair for trying things out" }
        @if let Some(client_id) = &view.sandbox_client_id {
            dl { dt { "Client id" } dd { code { (client_id) } } dt { "Client secret" } dd { "sent by SMS at sign-up; not shown here" } }
        }
        h2 { "Next" }
        (next(view))
    };
    page(status, "Account", true, &content)
}

fn addresses(addresses: &[std::net::Ipv4Addr]) -> Markup {
    html! {
        @for (position, address) in addresses.iter().enumerate() {
            @if position > 0 { ", " }
            code { (address) }
        }
    }
}

/// Whose move it is.
fn next(view: &AccountView) -> Markup {
    let listing = html! { a href=(format!("{PREFIX}/ip-listing")) { "IP listing" } };
    let users = html! { a href=(format!("{PREFIX}/users")) { "API users" } };
    html! {
        @match view.listing.as_ref().map(|listing| listing.state) {
            None => p { "To go direct: apply for " (listing) ". To go through a GSP: create " (users) " that name it." },
            Some(ListingState::UnderScrutiny) => p { "Your request for " (listing) " is under scrutiny: the officer's move." },
            Some(ListingState::Returned) => p { "Your request for " (listing) " was returned: read why, and apply again." },
            Some(ListingState::Accepted) if view.users.is_empty() => p { "Create " (users) ", one for each GSTIN and system." },
            Some(ListingState::Accepted) => p { "All is there: log in with the client pair and an API user. More " (users) " can be made at any time." },
        }
    }
}

async fn listing_page(visit: Visit, Query(done): Query<Done>) -> Response {
    listing_form(200, &visit, &Fields::default(), said(&done.done), None)
}

/// A state as a coloured word.
pub(super) fn state_tag(state: ListingState) -> Markup {
    let (class, text) = match state {
        ListingState::UnderScrutiny => ("tag", "under scrutiny"),
        ListingState::Accepted => ("tag good", "accepted"),
        ListingState::Returned => ("tag bad", "returned"),
    };
    html! { span class=(class) { (text) } }
}

/// One request as both sides see it.
pub(super) fn listing_panel(line: &ListingLine, more: &Markup) -> Markup {
    html! {
        section .panel aria-label=(format!("Request {}", line.id)) {
            h3 { "Request " (line.id) " " (state_tag(line.state)) }
            @if let Some(reason) = &line.reason { p { strong { "Reason: " } (reason) } }
            dl {
                dt { "PAN" } dd { code { (line.pan) } }
                dt { "Addresses" } dd { (addresses(&line.addresses)) }
                dt { "Test report" } dd { (line.report_name) ", " (line.report_bytes) " bytes" }
                @if let Some(says) = &line.report_says {
                    dt { "It says" }
                    dd { (coverage(says)) }
                }
                dt { "Applied" } dd { (moment(line.applied_at)) }
                @if let Some(at) = line.decided_at { dt { "Decided" } dd { (moment(at)) } }
            }
            (more)
        }
    }
}

/// What a report says of itself, API by API.
fn coverage(says: &str) -> Markup {
    let lines = crate::registration::report::read_coverage(says);
    html! {
        @if lines.is_empty() { "nothing that can be read" } @else {
            ul { @for line in &lines { li { (line.api) ": " (line.succeeding) " succeeding, " (line.failing) " failing" } } }
        }
    }
}

fn listing_form(status: u16, visit: &Visit, given: &Fields, done: &str, problems: Option<&Problems>) -> Response {
    let (pan, lines) = {
        let portal = visit.sandbox.portal();
        match portal.page_session(&visit.token.clone().unwrap_or_default(), visit.now) {
            Ok(pan) => (pan.clone(), portal.listing_lines(Some(&pan))),
            Err(problems) => {
                drop(portal);
                return log_in_first(visit, &problems);
            }
        }
    };
    let is_open = lines.iter().any(|line| line.state == ListingState::UnderScrutiny);
    let has_pair = lines.iter().any(|line| line.state == ListingState::Accepted);
    let form = Form { given, problems };
    let content = html! {
        (form.summary())
        (notice(done))
        p { "The client pair of PAN " code { (pan) } " works from listed addresses only. You are seen here at " code { (visit.address()) } "." }
        @for line in lines.iter().rev() { (listing_panel(line, &html! {})) }
        @if is_open {
            p { "While a request is under scrutiny there cannot be another one. Here the officer is you: see the " a href=(format!("{PREFIX}/desk")) { "Officer's desk" } "." }
        } @else {
            h2 { @if has_pair { "Ask for other addresses" } @else { "Apply" } }
            @if has_pair { p { "Accepted addresses replace the present ones; the client pair stays." } }
            form method="post" action=(format!("{PREFIX}/ip-listing")) enctype="multipart/form-data" novalidate {
                (form.lines("addresses", "Public IPv4 addresses", "One a line, at most four: static, and in India. All GSTINs of the PAN call through them."))
                (form.file("report", "Test report", "xlsx or html, at most 5 MB: at least 50 succeeding and 50 failing cases for each API."))
                button type="submit" { "Apply for IP listing" }
            }
        }
    };
    page(status, "IP listing", true, &content)
}

/// What an application brought: its fields, and the file.
struct Application {
    given: Fields,
    report: Option<Upload>,
}

async fn read_application(multipart: Result<Multipart, MultipartRejection>) -> Acted<Application> {
    let unreadable = |_| {
        Problems::input(Problem::at("report", "the form did not arrive whole, or is larger than 10 MB: send it again"))
    };
    let not_a_form =
        |_| Problems::input(Problem::general("this is not the form of this page: open the page and fill it in"));
    let mut multipart = multipart.map_err(not_a_form)?;
    let mut application = Application { given: Fields::default(), report: None };
    while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
        let (name, file) = (field.name().unwrap_or_default().to_owned(), field.file_name().map(str::to_owned));
        let bytes = field.bytes().await.map_err(unreadable)?;
        match (name.as_str(), file) {
            ("report", Some(name)) => application.report = Some(Upload { name, content: bytes.to_vec() }),
            ("addresses", None) => application.given.put("addresses", String::from_utf8_lossy(&bytes).into_owned()),
            _ => {}
        }
    }
    Ok(application)
}

async fn apply(visit: Visit, multipart: Result<Multipart, MultipartRejection>) -> Response {
    let application = match read_application(multipart).await {
        Ok(application) => application,
        Err(problems) => return listing_form(status_of(&problems), &visit, &Fields::default(), "", Some(&problems)),
    };
    let addresses: Vec<&str> = application.given.get("addresses").split(['\n', ',', ';']).collect();
    let done =
        visit.act_as(|portal, pan, now| portal.apply_for_listing(pan, &addresses, application.report.as_ref(), now));
    match done.await {
        Ok(_) => go_to("/ip-listing?done=applied", None),
        Err(problems) if problems.kind() == Kind::NoSession => log_in_first(&visit, &problems),
        Err(problems) => listing_form(status_of(&problems), &visit, &application.given, "", Some(&problems)),
    }
}

async fn resend(visit: Visit) -> Response {
    let problems = match visit.act_as(Portal::resend_client).await {
        Ok((_, true)) => return go_to("/account?done=resent-new", None),
        Ok((_, false)) => return go_to("/account?done=resent", None),
        Err(problems) => problems,
    };
    match visit.act_as(|portal, pan, _| portal.account_view(pan)).await {
        Ok(view) => account_page(status_of(&problems), &view, "", Some(&problems)),
        Err(problems) => log_in_first(&visit, &problems),
    }
}

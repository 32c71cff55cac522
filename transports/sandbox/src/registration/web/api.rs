//! The same in JSON, for programs and tests.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Visit, status_of};
use crate::http::plain;
use crate::portal::Portal;
use crate::registration::problem::{Acted, Problem, Problems};
use crate::registration::records::MessageKind;
use crate::registration::report::Upload;
use crate::registration::users::{NewUser, Password, UserLine};
use crate::registration::views::ListingLine;
use crate::sandbox::Sandbox;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/sign-up", post(sign_up))
        .route("/sign-up/verify", post(sign_up_verify))
        .route("/log-in", post(log_in))
        .route("/log-in/verify", post(log_in_verify))
        .route("/log-out", post(log_out))
        .route("/account", get(account))
        .route("/ip-listing", get(listings).post(apply))
        .route("/client/resend", post(resend))
        .route("/gsps", get(gsps))
        .route("/users", get(users).post(create_user))
        .route("/users/{name}/freeze", post(freeze))
        .route("/users/{name}/unfreeze", post(unfreeze))
        .route("/users/{name}/mode", post(change_mode))
        .route("/users/{name}/password", post(change_password))
        .route("/outbox", get(outbox))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    identity: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUp {
    request: String,
    otp: String,
    username: String,
    password: Password,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    username: String,
    password: Password,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogInOtp {
    request: String,
    otp: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    #[serde(default)]
    addresses: Vec<String>,
    report: Option<ReportFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportFile {
    name: String,
    /// Base64.
    content: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mode {
    mode: String,
    #[serde(default)]
    gsp: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: Password,
}

/// A body that may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nothing {}

async fn sign_up(visit: Visit, body: Bytes) -> Response {
    said(open(&visit, &body, |portal, asked: Identity, now| portal.sign_up(&asked.identity, now)).await)
}

async fn sign_up_verify(visit: Visit, body: Bytes) -> Response {
    let done = open(&visit, &body, |portal, asked: SignUp, now| {
        portal.finish_sign_up(&asked.request, &asked.otp, &asked.username, &asked.password.0, now)
    });
    said(done.await)
}

async fn log_in(visit: Visit, body: Bytes) -> Response {
    let done = open(&visit, &body, |portal, asked: LogIn, now| {
        portal.log_in_to_pages(&asked.username, &asked.password.0, now)
    });
    said(done.await)
}

async fn log_in_verify(visit: Visit, body: Bytes) -> Response {
    let done =
        open(&visit, &body, |portal, asked: LogInOtp, now| portal.finish_log_in(&asked.request, &asked.otp, now));
    said(done.await)
}

async fn log_out(visit: Visit, body: Bytes) -> Response {
    let token = visit.token.clone().unwrap_or_default();
    let done = own(&visit, &body, |portal, _, _: Nothing, _| {
        portal.log_out(&token);
        Ok(json!({}))
    });
    said(done.await)
}

async fn account(visit: Visit) -> Response {
    said(visit.act_as(|portal, pan, _| portal.account_view(pan)).await)
}

async fn listings(visit: Visit) -> Response {
    said(visit.act_as(|portal, pan, _| Ok(portal.listing_lines(Some(pan)))).await)
}

async fn apply(visit: Visit, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, asked: Application, now| {
        let addresses: Vec<&str> = asked.addresses.iter().map(String::as_str).collect();
        let report = match asked.report {
            None => None,
            Some(file) => {
                let not_base64 = |_| Problems::input(Problem::at("report", "`content` is no base64"));
                let content = STANDARD.decode(&file.content).map_err(not_base64)?;
                Some(Upload { name: file.name, content })
            }
        };
        portal.apply_for_listing(pan, &addresses, report.as_ref(), now).map(|listing| ListingLine::of(&listing))
    });
    said(done.await)
}

async fn resend(visit: Visit, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, _: Nothing, now| {
        let (sent_to, new_secret) = portal.resend_client(pan, now)?;
        Ok(json!({ "sent_to": sent_to, "new_secret": new_secret }))
    });
    said(done.await)
}

async fn gsps(visit: Visit) -> Response {
    said(visit.act(|portal, _| Ok(portal.gsps())).await)
}

async fn users(visit: Visit) -> Response {
    let lines =
        visit.act_as(|portal, pan, _| Ok(portal.registration.users_of(pan).map(UserLine::of).collect::<Vec<_>>()));
    said(lines.await)
}

async fn create_user(visit: Visit, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, asked: NewUser, now| {
        portal.create_user(pan, &asked, now).map(|user| UserLine::of(&user))
    });
    said(done.await)
}

async fn freeze(visit: Visit, Path(name): Path<String>, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, _: Nothing, _| {
        portal.freeze_user(pan, &name, true).map(|user| UserLine::of(&user))
    });
    said(done.await)
}

async fn unfreeze(visit: Visit, Path(name): Path<String>, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, _: Nothing, _| {
        portal.freeze_user(pan, &name, false).map(|user| UserLine::of(&user))
    });
    said(done.await)
}

async fn change_mode(visit: Visit, Path(name): Path<String>, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, asked: Mode, _| {
        portal.move_user(pan, &name, &asked.mode, &asked.gsp).map(|user| UserLine::of(&user))
    });
    said(done.await)
}

async fn change_password(visit: Visit, Path(name): Path<String>, body: Bytes) -> Response {
    let done = own(&visit, &body, |portal, pan, asked: NewPassword, _| {
        portal.change_password(pan, &name, &asked.password.0).map(|user| UserLine::of(&user))
    });
    said(done.await)
}

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// PAN.
    to: Option<String>,
    kind: Option<String>,
}

async fn outbox(visit: Visit, Query(wanted): Query<Wanted>) -> Response {
    let kind = match wanted.kind.as_deref().map(kind_of) {
        Some(None) => return refused(&Problems::input(Problem::at("kind", "there is no such kind of message"))),
        Some(Some(kind)) => Some(kind),
        None => None,
    };
    let messages = visit.act(|portal, _| {
        let messages = portal.registration.messages.iter();
        let to_whom = messages.filter(|message| wanted.to.as_ref().is_none_or(|pan| message.pan == *pan));
        Ok(to_whom.filter(|message| kind.is_none_or(|kind| message.kind == kind)).cloned().collect::<Vec<_>>())
    });
    said(messages.await)
}

fn kind_of(text: &str) -> Option<MessageKind> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

/// What a control does to a request for listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Decision {
    Accept { id: String },
    Return { id: String, reason: String },
}

/// The officer's side as a control of tests.
pub(crate) fn listings_control() -> axum::routing::MethodRouter<Sandbox> {
    get(all_listings).post(decide)
}

async fn all_listings(State(sandbox): State<Sandbox>) -> Response {
    let lines = sandbox.portal().listing_lines(None);
    said(Ok(lines))
}

async fn decide(visit: Visit, body: Bytes) -> Response {
    let done = open(&visit, &body, |portal, decision: Decision, now| {
        let listing = match decision {
            Decision::Accept { id } => portal.accept_listing(&id, now),
            Decision::Return { id, reason } => portal.return_listing(&id, &reason, now),
        };
        listing.map(|listing| ListingLine::of(&listing))
    });
    said(done.await)
}

/// Does what a body asks for, for anybody.
async fn open<I: DeserializeOwned, O>(
    visit: &Visit,
    body: &[u8],
    action: impl FnOnce(&mut Portal, I, Timestamp) -> Acted<O>,
) -> Acted<O> {
    let asked = read(body)?;
    visit.act(|portal, now| action(portal, asked, now)).await
}

/// Does what a body asks for, for the PAN that is logged in.
async fn own<I: DeserializeOwned, O>(
    visit: &Visit,
    body: &[u8],
    action: impl FnOnce(&mut Portal, &str, I, Timestamp) -> Acted<O>,
) -> Acted<O> {
    let asked = read(body);
    // Who is not logged in hears that first.
    visit.act_as(|portal, pan, now| action(portal, pan, asked?, now)).await
}

/// Reads a body; an empty one is an empty object. The values in it are not repeated, as some are passwords.
fn read<I: DeserializeOwned>(body: &[u8]) -> Acted<I> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let names_a_field = text.starts_with("missing field") || text.starts_with("unknown field");
        let what = match error.classify() {
            serde_json::error::Category::Data if names_a_field => text,
            serde_json::error::Category::Data => {
                format!(
                    "a member has a value of another type than this call takes, at line {} column {}",
                    error.line(),
                    error.column()
                )
            }
            _ => format!("the body is no JSON: look at line {} column {}", error.line(), error.column()),
        };
        Problems::input(Problem::general(what))
    })
}

fn said<T: Serialize>(done: Acted<T>) -> Response {
    match done {
        Ok(value) => json_response(200, &value),
        Err(problems) => refused(&problems),
    }
}

fn refused(problems: &Problems) -> Response {
    json_response(status_of(problems), &json!({ "errors": problems.list() }))
}

fn json_response(status: u16, value: &impl Serialize) -> Response {
    let bytes = match serde_json::to_vec(value) {
        Ok(bytes) => bytes,
        Err(error) => return plain(500, error.to_string()),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

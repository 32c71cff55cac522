//! The way in: home, sign-up and log-in.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::form::{Field, Fields, Form};
use super::layout::{go_to, page};
use super::{COOKIE, PREFIX, Visit, status_of};
use crate::registration::accounts::{Asked, Opened};
use crate::registration::names::{NAME_RULE, PASSWORD_RULE};
use crate::registration::problem::{Problem, Problems};
use crate::registration::records::Purpose;
use crate::sandbox::Sandbox;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/sign-up", get(sign_up_page).post(sign_up))
        .route("/sign-up/verify", get(sign_up_verify_page).post(sign_up_verify))
        .route("/log-in", get(log_in_page).post(log_in))
        .route("/log-in/verify", get(log_in_verify_page).post(log_in_verify))
        .route("/log-out", post(log_out))
}

/// Which request a one-time password answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    request: String,
}

pub(super) async fn home(visit: Visit) -> Response {
    let steps = html! {
        p { "Here you rehearse what has to be done before the first e-invoice leaves: the same steps, in the same order, as on the real portal." }
        ol .steps {
            li { a href=(format!("{PREFIX}/sign-up")) { "Sign up" } " with your PAN or a GSTIN. A one-time password goes to the registered mobile and mail address. A client pair for trying things out follows by SMS." }
            li { "Test your software with API users of environment " em { "sandbox" } ", and write the test report: at least 50 succeeding and 50 failing cases for each API." }
            li { a href=(format!("{PREFIX}/ip-listing")) { "Apply for IP listing" } " with your public addresses (at most four) and the report. An officer looks at it and accepts it, or returns it with a reason." }
            li { "Client id and client secret for your PAN come by SMS." }
            li { a href=(format!("{PREFIX}/users")) { "Create an API user" } " for each GSTIN: direct, or through a GSP." }
        }
        p { "Through a GSP, steps 2 to 4 are the provider's: sign up, and create API users that name it." }
        div .panel {
            h2 { "What only the emulator has" }
            p { "SMS and mail arrive on the page " a href=(format!("{PREFIX}/outbox")) { "Phone and mail" } ". The officer's side is the page " a href=(format!("{PREFIX}/desk")) { "Officer's desk" } ". You are seen here at the address " code { (visit.address()) } "." }
        }
    };
    page(200, "Before the first e-invoice", visit.is_logged_in(), &steps)
}

async fn sign_up_page(visit: Visit) -> Response {
    sign_up_form(200, &visit, &Fields::default(), None)
}

fn sign_up_form(status: u16, visit: &Visit, given: &Fields, problems: Option<&Problems>) -> Response {
    let form = Form { given, problems };
    let content = html! {
        (form.summary())
        p { "Taxpayers sign up here. A GSP signs up with its own papers, which the emulator does not play." }
        form method="post" action=(format!("{PREFIX}/sign-up")) novalidate {
            (form.input(&Field::text("identity", "PAN or GSTIN", "10 or 15 characters. One account serves all GSTINs of a PAN.")))
            button type="submit" { "Send one-time password" }
        }
    };
    page(status, "Sign up", visit.is_logged_in(), &content)
}

async fn sign_up(visit: Visit, body: Bytes) -> Response {
    let given = Fields::read(&body);
    match visit.act(|portal, now| portal.sign_up(given.get("identity"), now)).await {
        Ok(asked) => go_to(&format!("/sign-up/verify?request={}", asked.request), None),
        Err(problems) => sign_up_form(status_of(&problems), &visit, &given, Some(&problems)),
    }
}

/// Where the one-time password went, while it is good.
fn sent(asked: Option<&Asked>, again: &str) -> Markup {
    html! {
        @match asked {
            Some(asked) => p { "A one-time password was sent to " (asked.sent_to.join(" and ")) ". Read it on " a href=(format!("{PREFIX}/outbox")) target="_blank" { "Phone and mail" } "." },
            None => p { "No one-time password is waiting here any more. " a href=(format!("{PREFIX}{again}")) { "Begin again" } "." },
        }
    }
}

const OTP: Field = Field {
    name: "otp",
    label: "One-time password",
    hint: "6 digits, good for 10 minutes and three tries.",
    kind: "text",
    autocomplete: "one-time-code",
};

fn asked(visit: &Visit, request: &str, purpose: Purpose) -> Option<Asked> {
    visit.sandbox.portal().asked(request, purpose, visit.now)
}

async fn sign_up_verify_page(visit: Visit, Query(which): Query<Which>) -> Response {
    let mut given = Fields::default();
    given.put("request", which.request);
    sign_up_verify_form(200, &visit, &given, None)
}

fn sign_up_verify_form(status: u16, visit: &Visit, given: &Fields, problems: Option<&Problems>) -> Response {
    let form = Form { given, problems };
    let content = html! {
        (form.summary())
        (sent(asked(visit, given.get("request"), Purpose::SignUp).as_ref(), "/sign-up"))
        form method="post" action=(format!("{PREFIX}/sign-up/verify")) novalidate {
            input type="hidden" name="request" value=(given.get("request"));
            (form.input(&OTP))
            (form.input(&Field { autocomplete: "username", ..Field::text("username", "User name for these pages", NAME_RULE) }))
            (form.input(&Field::password("password", "Password for these pages", PASSWORD_RULE)))
            (form.input(&Field::password("password_again", "The same password again", "Both must be equal.")))
            button type="submit" { "Sign up" }
        }
    };
    page(status, "Sign up: one-time password", visit.is_logged_in(), &content)
}

/// Refuses a password that was not typed twice alike.
pub(super) fn typed_twice(given: &Fields) -> Result<(), Problems> {
    if given.get("password") == given.get("password_again") {
        return Ok(());
    }
    Err(Problems::input(Problem::at("password_again", "the two passwords are not equal: type the same one twice")))
}

async fn sign_up_verify(visit: Visit, body: Bytes) -> Response {
    let given = Fields::read(&body);
    let done = visit.act(|portal, now| {
        typed_twice(&given)?;
        portal.finish_sign_up(given.get("request"), given.get("otp"), given.get("username"), given.get("password"), now)
    });
    match done.await {
        Ok(opened) => go_to("/account?done=signed-up", Some(&cookie(&opened))),
        Err(problems) => sign_up_verify_form(status_of(&problems), &visit, &given, Some(&problems)),
    }
}

async fn log_in_page(visit: Visit) -> Response {
    log_in_form(200, &visit, &Fields::default(), None)
}

/// The page for those who must log in first.
pub(super) fn log_in_first(visit: &Visit, problems: &Problems) -> Response {
    log_in_form(status_of(problems), visit, &Fields::default(), Some(problems))
}

fn log_in_form(status: u16, visit: &Visit, given: &Fields, problems: Option<&Problems>) -> Response {
    let form = Form { given, problems };
    let password = Field {
        autocomplete: "current-password",
        ..Field::password("password", "Password", "The one chosen at sign-up.")
    };
    let content = html! {
        (form.summary())
        form method="post" action=(format!("{PREFIX}/log-in")) novalidate {
            (form.input(&Field { autocomplete: "username", ..Field::text("username", "User name", "That of these pages, not of an API user.") }))
            (form.input(&password))
            button type="submit" { "Send one-time password" }
        }
        p { "No account yet? " a href=(format!("{PREFIX}/sign-up")) { "Sign up" } "." }
    };
    page(status, "Log in", visit.is_logged_in(), &content)
}

async fn log_in(visit: Visit, body: Bytes) -> Response {
    let given = Fields::read(&body);
    let done = visit.act(|portal, now| portal.log_in_to_pages(given.get("username"), given.get("password"), now));
    match done.await {
        Ok(asked) => go_to(&format!("/log-in/verify?request={}", asked.request), None),
        Err(problems) => log_in_form(status_of(&problems), &visit, &given, Some(&problems)),
    }
}

async fn log_in_verify_page(visit: Visit, Query(which): Query<Which>) -> Response {
    let mut given = Fields::default();
    given.put("request", which.request);
    log_in_verify_form(200, &visit, &given, None)
}

fn log_in_verify_form(status: u16, visit: &Visit, given: &Fields, problems: Option<&Problems>) -> Response {
    let form = Form { given, problems };
    let content = html! {
        (form.summary())
        (sent(asked(visit, given.get("request"), Purpose::LogIn).as_ref(), "/log-in"))
        form method="post" action=(format!("{PREFIX}/log-in/verify")) novalidate {
            input type="hidden" name="request" value=(given.get("request"));
            (form.input(&OTP))
            button type="submit" { "Log in" }
        }
    };
    page(status, "Log in: one-time password", visit.is_logged_in(), &content)
}

async fn log_in_verify(visit: Visit, body: Bytes) -> Response {
    let given = Fields::read(&body);
    match visit.act(|portal, now| portal.finish_log_in(given.get("request"), given.get("otp"), now)).await {
        Ok(opened) => go_to("/account", Some(&cookie(&opened))),
        Err(problems) => log_in_verify_form(status_of(&problems), &visit, &given, Some(&problems)),
    }
}

async fn log_out(visit: Visit) -> Response {
    let token = visit.token.clone().unwrap_or_default();
    let done = visit.act(|portal, _| {
        portal.log_out(&token);
        Ok(())
    });
    match done.await {
        Ok(()) => go_to("/", Some(&format!("{COOKIE}=; Path={PREFIX}; HttpOnly; SameSite=Strict; Max-Age=0"))),
        Err(problems) => log_in_first(&visit, &problems),
    }
}

/// The cookie of a session, as long as the session.
fn cookie(opened: &Opened) -> String {
    format!("{COOKIE}={}; Path={PREFIX}; HttpOnly; SameSite=Strict; Max-Age=3600", opened.session)
}

//! API users.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};

use super::entry::{log_in_first, typed_twice};
use super::form::{Field, Fields, Form};
use super::layout::{go_to, moment, notice, page};
use super::own::Done;
use super::{PREFIX, Visit, status_of};
use crate::registration::names::{NAME_RULE, PASSWORD_RULE};
use crate::registration::problem::{Kind, Problems};
use crate::registration::users::{NewUser, Password, UserLine};
use crate::sandbox::Sandbox;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/users", get(users_page).post(create))
        .route("/users/{name}/freeze", post(freeze))
        .route("/users/{name}/unfreeze", post(unfreeze))
        .route("/users/{name}/mode", post(change_mode))
        .route("/users/{name}/password", post(change_password))
}

fn said(done: &str) -> &'static str {
    match done {
        "created" => "The API user was created.",
        "frozen" => "The API user is frozen. Its tokens have ended.",
        "unfrozen" => "The API user can log in again.",
        "moved" => "The API user reaches the portal another way now. Its tokens have ended.",
        "password" => "The API user has a new password.",
        _ => "",
    }
}

async fn users_page(visit: Visit, Query(done): Query<Done>) -> Response {
    show(200, &visit, &Fields::default(), said(&done.done), None)
}

/// The words for a system.
fn system(line: &UserLine) -> &'static str {
    match line.product {
        einvoice_core::environment::Product::EInvoice => "e-invoice",
        _ => "e-way bill",
    }
}

fn option(value: &str, text: &str) -> (String, String) {
    (value.to_owned(), text.to_owned())
}

fn show(status: u16, visit: &Visit, given: &Fields, done: &str, problems: Option<&Problems>) -> Response {
    let (lines, gsps, has_pair) = {
        let portal = visit.sandbox.portal();
        match portal.page_session(&visit.token.clone().unwrap_or_default(), visit.now) {
            Ok(pan) => {
                let lines: Vec<UserLine> = portal.registration.users_of(&pan).map(UserLine::of).collect();
                (lines, portal.gsps(), portal.issued_client(&pan).is_ok())
            }
            Err(problems) => {
                drop(portal);
                return log_in_first(visit, &problems);
            }
        }
    };
    let form = Form { given, problems };
    let gsps: Vec<(String, String)> =
        std::iter::once(option("", "none: direct")).chain(gsps.into_iter().map(|name| (name.clone(), name))).collect();
    let modes =
        [option("direct", "direct, with the client pair of the PAN"), option("gsp", "through the GSP chosen below")];
    let products = [option("e_invoice", "e-invoice"), option("e_way_bill", "e-way bill")];
    let environments = [option("production", "production"), option("sandbox", "sandbox, for trying things out")];
    let content = html! {
        (form.summary())
        (notice(done))
        p { "An API user belongs to one GSTIN, one system and one way in. Software logs in with it; people do not." }
        p { "Keys that logins are encrypted with: " a href=(format!("{PREFIX}/public-key.pem")) { "e-invoice" } ", " a href=(format!("{PREFIX}/ewb-public-key.pem")) { "e-way bill" } ". Key that IRNs and QR codes are signed with: " a href=(format!("{PREFIX}/signing-key.pem")) { "signing key" } "." }
        @if lines.is_empty() { p .soft { "There is no API user yet." } }
        @for line in &lines { (panel(line, &gsps)) }
        h2 { "Create an API user" }
        @if !has_pair { p .soft { "For production, a direct user needs a client pair first; one that goes through a GSP does not." } }
        form method="post" action=(format!("{PREFIX}/users")) novalidate {
            (form.input(&Field::text("gstin", "GSTIN", "One of your PAN.")))
            (form.choice("product", "System", "Each system has its own users.", &products))
            (form.choice("environment", "Environment", "Both keep their documents in one place here: use other numbers in tests.", &environments))
            (form.choice("mode", "Way in", "It can be changed later.", &modes))
            (form.choice("gsp", "GSP", "The provider whose client pair your calls carry.", &gsps))
            (form.input(&Field::text("username", "User name", NAME_RULE)))
            (form.input(&Field::password("password", "Password", PASSWORD_RULE)))
            (form.input(&Field::password("password_again", "The same password again", "User name and password together: at most 66 bytes.")))
            button type="submit" { "Create API user" }
        }
    };
    page(status, "API users", true, &content)
}

/// One user with what can be done to it.
fn panel(line: &UserLine, gsps: &[(String, String)]) -> Markup {
    let to = |act: &str| format!("{PREFIX}/users/{}/{act}", line.username);
    let id = |part: &str| format!("{}-{part}", line.username);
    html! {
        section .panel aria-label=(format!("API user {}", line.username)) {
            h2 { (line.username) " " @if line.frozen { span .tag.bad { "frozen" } } @else { span .tag.good { "active" } } }
            dl {
                dt { "GSTIN" } dd { code { (line.gstin) } }
                dt { "System" } dd { (system(line)) ", " (line.environment) }
                dt { "Way in" } dd { @match &line.gsp { Some(name) => { "through GSP " strong { (name) } }, None => "direct" } }
                dt { "Created" } dd { (moment(line.created_at)) }
            }
            @if line.frozen {
                form method="post" action=(to("unfreeze")) { button .second type="submit" { "Let it log in again" } }
            } @else {
                form method="post" action=(to("freeze")) { button .second type="submit" { "Freeze" } }
            }
            details {
                summary { "Change way in or password" }
                form method="post" action=(to("mode")) .row {
                    div .field { label for=(id("mode")) { "Way in" } select id=(id("mode")) name="mode" { option value="direct" { "direct" } option value="gsp" selected[line.gsp.is_some()] { "through a GSP" } } }
                    div .field { label for=(id("gsp")) { "GSP" } select id=(id("gsp")) name="gsp" { @for (value, text) in gsps { option value=(value) selected[line.gsp.as_ref() == Some(value)] { (text) } } } }
                    div .field { button .second type="submit" { "Change way in" } }
                }
                form method="post" action=(to("password")) .row {
                    div .field { label for=(id("password")) { "New password" } input id=(id("password")) type="password" name="password" autocomplete="new-password" required; }
                    div .field { label for=(id("again")) { "Again" } input id=(id("again")) type="password" name="password_again" autocomplete="new-password" required; }
                    div .field { button .second type="submit" { "Change password" } }
                }
            }
        }
    }
}

fn refused(visit: &Visit, given: &Fields, problems: &Problems) -> Response {
    if problems.kind() == Kind::NoSession {
        return log_in_first(visit, problems);
    }
    show(status_of(problems), visit, given, "", Some(problems))
}

async fn create(visit: Visit, body: Bytes) -> Response {
    let given = Fields::read(&body);
    let text = |name: &str| given.get(name).to_owned();
    let new = NewUser {
        gstin: text("gstin"),
        product: text("product"),
        environment: text("environment"),
        mode: text("mode"),
        gsp: text("gsp"),
        username: text("username"),
        password: Password(text("password")),
    };
    let done = visit.act_as(|portal, pan, now| {
        typed_twice(&given)?;
        portal.create_user(pan, &new, now)
    });
    match done.await {
        Ok(_) => go_to("/users?done=created", None),
        Err(problems) => refused(&visit, &given, &problems),
    }
}

async fn freeze(visit: Visit, Path(name): Path<String>) -> Response {
    match visit.act_as(|portal, pan, _| portal.freeze_user(pan, &name, true)).await {
        Ok(_) => go_to("/users?done=frozen", None),
        Err(problems) => refused(&visit, &Fields::default(), &problems),
    }
}

async fn unfreeze(visit: Visit, Path(name): Path<String>) -> Response {
    match visit.act_as(|portal, pan, _| portal.freeze_user(pan, &name, false)).await {
        Ok(_) => go_to("/users?done=unfrozen", None),
        Err(problems) => refused(&visit, &Fields::default(), &problems),
    }
}

async fn change_mode(visit: Visit, Path(name): Path<String>, body: Bytes) -> Response {
    let given = Fields::read(&body);
    match visit.act_as(|portal, pan, _| portal.move_user(pan, &name, given.get("mode"), given.get("gsp"))).await {
        Ok(_) => go_to("/users?done=moved", None),
        Err(problems) => refused(&visit, &Fields::default(), &problems),
    }
}

async fn change_password(visit: Visit, Path(name): Path<String>, body: Bytes) -> Response {
    let given = Fields::read(&body);
    let done = visit.act_as(|portal, pan, _| {
        typed_twice(&given)?;
        portal.change_password(pan, &name, given.get("password"))
    });
    match done.await {
        Ok(_) => go_to("/users?done=password", None),
        Err(problems) => refused(&visit, &Fields::default(), &problems),
    }
}

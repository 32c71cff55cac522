//! What every page has around it.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::PREFIX;

/// Looks of the pages, light or dark as the reader has it.
const STYLE: &str = include_str!("style.css");

/// Headers of every page: nothing from elsewhere, nothing kept, no frames.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("content-type", "text/html; charset=utf-8"),
];

/// A page with its way around the portal.
pub(super) fn page(status: u16, title: &str, is_logged_in: bool, content: &Markup) -> Response {
    let link = |path: &str, text: &str| html! { li { a href=(format!("{PREFIX}{path}")) { (text) } } };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " - e-invoice portal (emulator)" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a .skip href="#content" { "Skip to the content" }
                p .emulator { strong { "Emulator." } " This is not a government site. Nothing done here counts, and nothing leaves this machine." }
                header {
                    div .bar {
                        p .brand { "e-Invoice System" span { "API registration (emulated)" } }
                        nav aria-label="Portal" {
                            ul {
                                (link("/", "Home"))
                                @if is_logged_in {
                                    (link("/account", "Account"))
                                    (link("/ip-listing", "IP listing"))
                                    (link("/users", "API users"))
                                } @else {
                                    (link("/sign-up", "Sign up"))
                                    (link("/log-in", "Log in"))
                                }
                                (link("/outbox", "Phone and mail"))
                                (link("/desk", "Officer's desk"))
                                @if is_logged_in {
                                    li { form method="post" action=(format!("{PREFIX}/log-out")) { button .plain type="submit" { "Log out" } } }
                                }
                            }
                        }
                    }
                }
                main #content {
                    h1 { (title) }
                    (content)
                }
                footer { p { "Emulated for rehearsal by " code { "einvoice sandbox serve" } ". Names, numbers and secrets are invented and worthless." } }
            }
        }
    };
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Sends the visitor on to another page of the portal, with what a browser is to keep.
pub(super) fn go_to(path: &str, cookie: Option<&str>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&format!("{PREFIX}{path}")) {
        headers.insert("location", value);
    }
    if let Some(value) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.insert("set-cookie", value);
    }
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// Something that was done.
pub(super) fn notice(text: &str) -> Markup {
    html! { @if !text.is_empty() { p .notice role="status" { (text) } } }
}

/// A moment as the portal writes it.
pub(super) fn moment(at: jiff::Timestamp) -> String {
    format!("{} IST", crate::ist::stamp(at))
}

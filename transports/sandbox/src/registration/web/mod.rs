//! The two faces of the registration side over HTTP: pages below `/portal/`, JSON below `/portal/api/`.
//!
//! Pages are written by the server and work without JavaScript. A post must come from the portal's own pages, or from no
//! page at all: the session's cookie is `SameSite=Strict`, and a browser's `Origin` or `Sec-Fetch-Site` that names another
//! site is refused.

mod api;
mod entry;
mod form;
mod layout;
mod office;
mod own;
mod people;

use std::net::IpAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;

use super::addresses::public_address;
use super::problem::{Acted, Kind, Problems};
use super::report::REPORT_BYTES_MAX;
use crate::http::{Peer, plain};
use crate::portal::Portal;
use crate::sandbox::Sandbox;

pub(crate) use api::listings_control;

/// Where the pages lie below the listener's address.
pub(crate) const PREFIX: &str = "/portal";
/// Name of the cookie of a session.
const COOKIE: &str = "portal_session";
/// Largest body: a report in base64, with room for what is around it. The report's own limit is told in words.
const BODY_BYTES_MAX: usize = REPORT_BYTES_MAX * 2;

pub(crate) fn router() -> Router<Sandbox> {
    let pages = Router::new()
        .merge(entry::router())
        .merge(own::router())
        .merge(people::router())
        .merge(office::router())
        .nest("/api", api::router())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(from_own_pages));
    let home = axum::routing::get(entry::home);
    Router::new().route(&format!("{PREFIX}/"), home.clone()).route(PREFIX, home).nest(PREFIX, pages)
}

/// Refuses a post that another site's page has sent.
async fn from_own_pages(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || is_own(request.headers()) {
        return next.run(request).await;
    }
    plain(403, "this form was sent by a page of another site, which the portal does not take")
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        (Some(_), None) => false,
    }
}

/// Somebody at the portal's pages.
pub(crate) struct Visit {
    sandbox: Sandbox,
    /// The session's token, from the cookie or as a bearer.
    token: Option<String>,
    peer: Option<IpAddr>,
    now: Timestamp,
}

impl FromRequestParts<Sandbox> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, sandbox: &Sandbox) -> Result<Self, Self::Rejection> {
        Ok(Self {
            sandbox: sandbox.clone(),
            token: token_of(&parts.headers),
            peer: parts.extensions.get::<Peer>().map(|peer| peer.0),
            now: sandbox.now(),
        })
    }
}

fn token_of(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(bearer) = text("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        return Some(bearer.trim().to_owned());
    }
    let cookies = text("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    cookies.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned()).next()
}

impl Visit {
    /// Does something at the portal; the answer comes once it is kept.
    async fn act<T>(&self, action: impl FnOnce(&mut Portal, Timestamp) -> Acted<T>) -> Acted<T> {
        let done = self.sandbox.change(|portal| action(portal, self.now)).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "sandbox cannot keep what was asked for");
            Err(Problems::state(super::problem::Problem::general(error.to_string()).code("3058")))
        })
    }

    /// Does something for the PAN that is logged in.
    async fn act_as<T>(&self, action: impl FnOnce(&mut Portal, &str, Timestamp) -> Acted<T>) -> Acted<T> {
        let token = self.token.clone().unwrap_or_default();
        self.act(|portal, now| {
            let pan = portal.page_session(&token, now)?;
            action(portal, &pan, now)
        })
        .await
    }

    /// Whether somebody is logged in.
    fn is_logged_in(&self) -> bool {
        self.token.as_ref().is_some_and(|token| self.sandbox.portal().page_session(token, self.now).is_ok())
    }

    /// The public address that the portal sees the visitor at.
    fn address(&self) -> IpAddr {
        public_address(self.peer, &self.sandbox.portal().settings.registration)
    }
}

/// The HTTP status of a refusal.
fn status_of(problems: &Problems) -> u16 {
    match problems.kind() {
        Kind::Input => 400,
        Kind::NoSession => 401,
        Kind::NotFound => 404,
        Kind::State => 409,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_of_another_site_is_told_apart() {
        let own = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_own(&headers)
        };
        assert!(own(&[]));
        assert!(own(&[("origin", "http://127.0.0.1:80"), ("host", "127.0.0.1:80")]));
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(!own(&[("origin", "http://evil.example"), ("host", "127.0.0.1:80")]));
        assert!(!own(&[("origin", "null"), ("host", "127.0.0.1:80")]));
        assert!(!own(&[("sec-fetch-site", "cross-site")]));
    }
}

//! Test controls over HTTP, under `/sandbox/`: books, calls, faults, time, settings, accounts.
//!
//! They need no login. The emulator is meant for one machine; whoever listens on other addresses
//! than the loopback opens them to the network.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::faults::ScriptedFault;
use crate::http::{plain, response, whole};
use crate::sandbox::Sandbox;
use crate::settings::PortalSettings;
use crate::wire::{PortalReply, PortalRequest};

/// A move of the portal's clock.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockMove {
    /// Seconds forward, or back when negative.
    AdvanceSeconds(i64),
    /// A moment such as `2026-11-05T06:30:00Z`.
    Set(Timestamp),
}

#[derive(Debug, Serialize)]
struct ClockState {
    now: Timestamp,
    ist: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provision {
    gstin: String,
}

/// What a control does to a registration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Change {
    /// It belongs to this site.
    Site { irn: String, site: String },
    /// The invoice registry has rejected it.
    Rejected { irn: String },
}

/// What a control does to an e-way bill.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum BillChange {
    /// It belongs to this site.
    Site { ewb_no: String, site: String },
    /// An officer has verified it.
    Verified { ewb_no: String },
}

/// A document that another portal has registered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AtAnotherPortal {
    gstin: String,
    doc_type: String,
    number: String,
    date: String,
    irp: String,
}

pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/invoices", get(invoices))
        .route("/e-way-bills", get(e_way_bills).post(change_bill))
        .route("/registrations", axum::routing::post(change_registration))
        .route("/elsewhere", axum::routing::post(register_elsewhere))
        .route("/calls", get(calls))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/clock", get(clock).post(move_clock))
        .route("/settings", get(settings).put(replace_settings))
        .route("/users", axum::routing::post(provision))
        .route("/listings", crate::registration::web::listings_control())
        .route("/gsp", get(fronts))
        .fallback(front)
}

/// What everybody in front of the portal tells of himself.
async fn fronts(State(sandbox): State<Sandbox>) -> Response {
    let asked =
        PortalRequest { method: "GET".to_owned(), target: "/".to_owned(), headers: Vec::new(), body: Vec::new() };
    let told = sandbox.fronts().into_iter().filter_map(|(_, front)| front.control(&asked));
    let told: Vec<String> = told.map(|reply| String::from_utf8_lossy(&reply.body).into_owned()).collect();
    response(PortalReply::json(format!("[{}]", told.join(","))))
}

/// A wish about somebody in front of the portal: below the place where he stands.
async fn front(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let Some(request) = whole(request).await else { return plain(413, "the request is too large") };
    let Some((prefix, front)) = sandbox.front_of(request.path()) else {
        return plain(404, "there is no such control");
    };
    let target = request.target.get(prefix.len()..).unwrap_or_default().to_owned();
    let reply = front.control(&PortalRequest { target, ..request });
    reply.map_or_else(|| plain(404, "there is no such control"), response)
}

async fn invoices(State(sandbox): State<Sandbox>) -> Response {
    json(&sandbox.invoices())
}

async fn e_way_bills(State(sandbox): State<Sandbox>) -> Response {
    json(&sandbox.e_way_bills())
}

async fn change_registration(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let change: Change = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(error) => return plain(400, error.to_string()),
    };
    let changed = match change {
        Change::Site { irn, site } => sandbox.move_to_site(&irn, &site).await,
        Change::Rejected { irn } => sandbox.reject_irn(&irn).await,
    };
    changed.map_or_else(|error| plain(400, error.to_string()), |()| json(&sandbox.invoices()))
}

async fn change_bill(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let change: BillChange = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(error) => return plain(400, error.to_string()),
    };
    let changed = match change {
        BillChange::Site { ewb_no, site } => sandbox.move_bill_to_site(&ewb_no, &site).await,
        BillChange::Verified { ewb_no } => sandbox.verify_bill(&ewb_no).await,
    };
    changed.map_or_else(|error| plain(400, error.to_string()), |()| json(&sandbox.e_way_bills()))
}

async fn register_elsewhere(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let wanted: AtAnotherPortal = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return plain(400, error.to_string()),
    };
    let AtAnotherPortal { gstin, doc_type, number, date, irp } = wanted;
    let noted = sandbox.register_elsewhere(&gstin, &doc_type, &number, &date, &irp).await;
    noted.map_or_else(|error| plain(400, error.to_string()), |()| json(&serde_json::json!({ "irp": irp })))
}

async fn calls(State(sandbox): State<Sandbox>) -> Response {
    json(&sandbox.calls())
}

async fn faults(State(sandbox): State<Sandbox>) -> Response {
    json(&sandbox.pending_faults())
}

async fn add_fault(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    with(&body, |fault: ScriptedFault| {
        sandbox.push_fault(fault);
        json(&sandbox.pending_faults())
    })
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> Response {
    sandbox.clear_faults();
    json(&sandbox.pending_faults())
}

async fn clock(State(sandbox): State<Sandbox>) -> Response {
    let now = sandbox.now();
    json(&ClockState { now, ist: crate::ist::stamp(now) })
}

async fn move_clock(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let moved = with(&body, |step| {
        match step {
            ClockMove::AdvanceSeconds(seconds) => sandbox.advance(SignedDuration::from_secs(seconds)),
            ClockMove::Set(moment) => sandbox.set_time(moment),
        }
        plain(200, "")
    });
    if moved.status() == axum::http::StatusCode::OK { clock(State(sandbox)).await } else { moved }
}

async fn settings(State(sandbox): State<Sandbox>) -> Response {
    json(&sandbox.settings())
}

async fn replace_settings(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    with(&body, |settings: PortalSettings| match sandbox.set_settings(settings) {
        Ok(()) => json(&sandbox.settings()),
        Err(error) => plain(400, error.to_string()),
    })
}

async fn provision(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let wanted: Provision = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return plain(400, error.to_string()),
    };
    match sandbox.provision(&wanted.gstin).await {
        Ok((client, user)) => json(&serde_json::json!({
            "gstin": user.gstin, "username": user.username, "password": user.password,
            "client_id": client.client_id, "client_secret": client.client_secret,
        })),
        Err(error) => plain(400, error.to_string()),
    }
}

fn with<T: DeserializeOwned>(body: &[u8], action: impl FnOnce(T) -> Response) -> Response {
    match serde_json::from_slice(body) {
        Ok(wanted) => action(wanted),
        Err(error) => plain(400, error.to_string()),
    }
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            let json = axum::http::HeaderValue::from_static("application/json");
            response.headers_mut().insert("content-type", json);
            response
        }
        Err(error) => plain(500, error.to_string()),
    }
}

//! The stand-in's door: one request after the other, in the charset of the request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State as With};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use encoding_rs::{UTF_16LE, WINDOWS_1252};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::oneshot;

use super::answer::{Reading, frame, message, refusal};
use super::{Asked, Mishap, Shared, json};

/// Largest request: one alteration is some kilobytes.
const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// First release that speaks JSON.
const JSON_SINCE: u32 = 7;
/// Requests that are remembered.
const LOG_MAX: usize = 100_000;

/// Serves on an address of this machine until told to stop; port 0 is a free one. Connections that are
/// open then break.
pub(super) fn start(
    shared: Arc<Shared>,
    place: SocketAddr,
    stopped: oneshot::Receiver<()>,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = std::net::TcpListener::bind(place).expect("the port is free");
    listener.set_nonblocking(true).expect("a listener that does not block");
    let address = listener.local_addr().expect("an address");
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let router =
                Router::new().fallback(answer).layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX)).with_state(shared);
            tokio::select! {
                served = axum::serve(listener, router) => served.expect("it serves until told to stop"),
                _ = stopped => {}
            }
        });
    });
    (address, thread)
}

async fn answer(With(shared): With<Arc<Shared>>, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    if method == Method::GET {
        return "<RESPONSE>TallyPrime Server is Running</RESPONSE>".into_response();
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let charset = if kind.contains("utf-16") { Charset::Utf16 } else { Charset::Utf8 };
    let asked = if kind.starts_with("application/json") { Form::Json(charset, headers) } else { Form::Xml(charset) };
    // Tally goes on with what it was asked after the asker has left.
    let work = tokio::spawn(async move { work(&shared, &asked, &body).await });
    work.await.unwrap_or_else(|_| "the stand-in stopped by a fault of its own".into_response())
}

async fn work(shared: &Arc<Shared>, asked: &Form, body: &Bytes) -> Response {
    {
        let mut state = shared.state();
        state.under_way += 1;
        state.most_under_way = state.most_under_way.max(state.under_way);
    }
    let turn = shared.turn.lock().await;
    let response = work_in_turn(shared, asked, body).await;
    drop(turn);
    shared.state().under_way -= 1;
    response
}

async fn work_in_turn(shared: &Arc<Shared>, asked: &Form, body: &Bytes) -> Response {
    let (Form::Xml(charset) | Form::Json(charset, _)) = asked;
    let charset = *charset;
    let text = match charset {
        Charset::Utf16 => UTF_16LE.decode_without_bom_handling(body).0.into_owned(),
        Charset::Utf8 => String::from_utf8_lossy(body).into_owned(),
    };
    let speaks_json = shared.state().release.is_some_and(|release| release >= JSON_SINCE);
    let reading = match asked {
        Form::Xml(_) => Reading::of(&text),
        Form::Json(_, headers) => {
            let envelope = json::envelope(headers, &text).filter(|_| speaks_json);
            envelope.and_then(|envelope| Reading::of_envelope(envelope, &text))
        }
    };
    let Some(reading) = reading else {
        behind_dialog(shared).await;
        return charset.response(shared, "<RESPONSE>Unknown Request, cannot be processed</RESPONSE>");
    };
    let mishap = {
        let mut state = shared.state();
        if state.log.len() < LOG_MAX {
            state.log.push(reading.asked);
        }
        let at = state.mishaps.iter().position(|(asked, _)| *asked == reading.asked);
        at.map(|at| state.mishaps.remove(at).1)
    };
    if mishap == Some(Mishap::Dialog) || reading.freezes {
        shared.dialog.send_replace(true);
    }
    behind_dialog(shared).await;
    if let Some(Mishap::Refuses(words)) = &mishap {
        return charset.response(shared, &refusal(words));
    }
    if let Some((vouchers, times)) = repeated(shared, &reading) {
        let in_json = matches!(asked, Form::Json(..));
        let copies = if in_json { Copies::in_json(&vouchers) } else { Copies::in_xml(shared, &reading, vouchers) };
        return charset.stream(shared, copies, times);
    }
    let text = carry_out(shared, &reading, mishap.as_ref());
    if mishap == Some(Mishap::DialogAfterWork) {
        shared.dialog.send_replace(true);
        behind_dialog(shared).await;
    }
    let text = match asked {
        Form::Xml(_) => text,
        Form::Json(..) => {
            shared.state().in_json += 1;
            json::answer(&text)
        }
    };
    match mishap {
        Some(Mishap::Says(words)) => charset.response(shared, &words),
        Some(Mishap::BreakOff) => charset.half(shared, &text),
        _ => charset.response(shared, &text),
    }
}

/// Waits while a dialog is open.
async fn behind_dialog(shared: &Shared) {
    let mut open = shared.dialog.subscribe();
    _ = open.wait_for(|open| !open).await;
}

fn carry_out(shared: &Shared, reading: &Reading, mishap: Option<&Mishap>) -> String {
    let mut state = shared.state();
    let wrong = state.wrong(mishap);
    let index = match reading.company() {
        None => state.active,
        Some(name) => match state.companies.iter().position(|open| open.name == name) {
            Some(index) => index,
            None => return refusal(&format!("Could not set 'SVCurrentCompany' to '{name}'")),
        },
    };
    if reading.asked == Asked::Import {
        return match state.companies.get_mut(index) {
            Some(company) => reading.import(company, &wrong),
            None => refusal("Could not find Company"),
        };
    }
    let Some(company) = state.companies.get(index) else {
        // The list of companies may be empty; nothing else can be asked then.
        let empty = "<ENVELOPE><HEADER><VERSION>1</VERSION><STATUS>1</STATUS></HEADER><BODY><DATA><COLLECTION></COLLECTION></DATA></BODY></ENVELOPE>";
        return if reading.asked == Asked::Companies { empty.to_owned() } else { refusal("Could not find Company") };
    };
    let mut text = reading.export(&state.companies, company, state.generation);
    if let Some(release) = state.release.filter(|_| reading.asked == Asked::Companies) {
        let told = format!("<PRODMAJORREL>{release}</PRODMAJORREL><PRODMINORREL>1</PRODMINORREL></HEADER>");
        text = text.replacen("</HEADER>", &told, 1);
    }
    if state.without_marks && reading.asked == Asked::Marks {
        return text.replace("ALTMSTID", "UNKNOWN").replace("ALTVCHID", "UNKNOWN");
    }
    text
}

/// The vouchers of a day that is to be repeated, and how often.
fn repeated(shared: &Shared, reading: &Reading) -> Option<(Vec<String>, u64)> {
    let day = reading.day()?;
    let state = shared.state();
    let company = state.companies.first()?;
    let times = *company.copies.get(day)?;
    let vouchers = company.vouchers.values().filter(|voucher| voucher.get("DATE") == day);
    Some((vouchers.map(message).collect(), times))
}

/// The form of a request, and of its answer.
#[derive(Debug)]
enum Form {
    Xml(Charset),
    /// With the headers that say what is asked.
    Json(Charset, HeaderMap),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf16,
    Utf8,
}

impl Charset {
    fn encode(self, text: &str, ansi_only: bool) -> Vec<u8> {
        match self {
            Self::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf8 if ansi_only => {
                let known = |found: &char| !WINDOWS_1252.encode(found.encode_utf8(&mut [0; 4])).2;
                text.chars().map(|found| if known(&found) { found } else { '?' }).collect::<String>().into_bytes()
            }
            Self::Utf8 => text.as_bytes().to_vec(),
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Utf16 => "text/xml;charset=utf-16",
            Self::Utf8 => "text/xml;charset=utf-8",
        }
    }

    fn response(self, shared: &Shared, text: &str) -> Response {
        let ansi_only = shared.state().ansi_only;
        ([(CONTENT_TYPE, self.kind())], self.encode(text, ansi_only)).into_response()
    }

    /// The first half of an answer, and then a broken connection.
    fn half(self, shared: &Shared, text: &str) -> Response {
        let mut bytes = self.encode(text, shared.state().ansi_only);
        bytes.truncate(bytes.len() / 2);
        let pieces = [Ok(Bytes::from(bytes)), Err(std::io::Error::other("broken off"))];
        ([(CONTENT_TYPE, self.kind())], Body::from_stream(stream::iter(pieces))).into_response()
    }

    /// A day book of many copies, made while it is sent.
    fn stream(self, shared: &Shared, copies: Copies, times: u64) -> Response {
        let ansi_only = shared.state().ansi_only;
        let Copies { before, after, vouchers, marks } = copies;
        let bodies = stream::iter(0..times).map(move |copy| {
            // The GUID and the number tell the copies apart.
            let mark = |text: &str| marks.iter().fold(text.to_owned(), |text, mark| mark.put(&text, copy));
            let text: String = vouchers.iter().map(|voucher| mark(voucher)).collect();
            Ok::<_, Infallible>(Bytes::from(self.encode(&text, ansi_only)))
        });
        let edge = move |text: &str| stream::iter([Ok(Bytes::from(self.encode(text, ansi_only)))]);
        let body = edge(&before).chain(bodies).chain(edge(after));
        ([(CONTENT_TYPE, self.kind())], Body::from_stream(body)).into_response()
    }
}

/// Vouchers to be repeated, and what stands around all of them.
struct Copies {
    before: String,
    after: &'static str,
    vouchers: Vec<String>,
    marks: [Mark; 2],
}

/// Where the number of a copy goes into a voucher: behind this text, or before it.
#[derive(Clone, Copy)]
enum Mark {
    Behind(&'static str),
    Before(&'static str),
}

impl Mark {
    fn put(self, voucher: &str, copy: u64) -> String {
        match self {
            Self::Behind(text) => voucher.replace(text, &format!("{text}{copy}-")),
            Self::Before(text) => voucher.replace(text, &format!("-{copy}{text}")),
        }
    }
}

impl Copies {
    fn in_xml(shared: &Shared, reading: &Reading, vouchers: Vec<String>) -> Self {
        let state = shared.state();
        let name = state.companies.first().map(|company| company.name.clone()).unwrap_or_default();
        let (before, after) = frame(reading.generation(state.generation), &name);
        Self { before, after, vouchers, marks: [Mark::Before("</GUID>"), Mark::Before("</VOUCHERNUMBER>")] }
    }

    fn in_json(vouchers: &[String]) -> Self {
        let before = "{\"status\":\"1\",\"tallymessage\":[null".to_owned();
        let vouchers = vouchers.iter().map(|voucher| format!(",\r\n{}", json::object_of(voucher))).collect();
        Self {
            before,
            after: "]}",
            vouchers,
            marks: [Mark::Behind("\"guid\":\""), Mark::Behind("\"vouchernumber\":\"")],
        }
    }
}

//! One door to one Tally: one request at a time, bounded waits, and a small question after a time-out.
//!
//! Tally works on one request and a bad moment can freeze it until a person restarts it. So all
//! links of this program to one address share one turn, whatever company they are for. Whoever leaves
//! without a whole answer, by a time-out or because nobody waits any more, leaves the door marked:
//! the next turn begins with the list of companies and a wait of its own, and nothing else is sent
//! before that is answered. Other programs that talk to the same Tally are beyond this.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use einvoice_core::registry::BuildError;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};

use super::error::LinkError;
use super::request::{self, Request};
use super::settings::{Form, LinkSettings};
use crate::config::Charset;
use crate::text::CleanReader;

/// Largest small answer: a voucher of a thousand lines with every empty field stays below 20 MB.
const SMALL_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Largest export: a day of a million vouchers stays far below.
const EXPORT_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// How much of a strange answer is shown.
const SHOWN_CHARACTERS: usize = 120;

/// What the turns at one address share.
#[derive(Debug, Default)]
struct Door {
    /// A request was sent and its answer not read to the end.
    unanswered: bool,
}

/// The doors of this program, by address.
static DOORS: LazyLock<Mutex<BTreeMap<String, Arc<Turns<Door>>>>> = LazyLock::new(Mutex::default);

/// A way to one company of a running Tally.
#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    settings: LinkSettings,
    origin: String,
    door: Arc<Turns<Door>>,
}

impl Link {
    /// A link; nothing is sent yet.
    ///
    /// # Errors
    /// [`BuildError`] when no client can be made.
    pub(crate) fn new(settings: LinkSettings) -> Result<Self, BuildError> {
        let client = Client::builder()
            .user_agent(concat!("einvoice/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect)
            // Tally stands beside this program or in its network: a proxy has no part in it.
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            // A connection kept open would occupy a server that serves one at a time.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| {
                BuildError::new("tally, key `url`", "no HTTP client could be made").because(error.without_url())
            })?;
        let origin = settings.origin();
        let mut doors = DOORS.lock().unwrap_or_else(PoisonError::into_inner);
        // Two names of this machine are one door.
        let place = origin.replacen("://localhost", "://127.0.0.1", 1);
        let door = Arc::clone(doors.entry(place).or_default());
        drop(doors);
        Ok(Self { client, settings, origin, door })
    }

    /// The company this link is for.
    pub(crate) fn company(&self) -> &str {
        &self.settings.company
    }

    /// Where Tally is, for people.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Asks for something small and gives the whole answer as clean text.
    ///
    /// # Errors
    /// [`LinkError`]; see there what may have happened at Tally.
    ///
    /// # Cancellation
    /// Dropping the future leaves the door marked: the next turn asks a small question first.
    pub(crate) async fn ask(&self, request: &Request) -> Result<String, LinkError> {
        let mut door = self.turn().await?;
        self.small(&mut door, request, self.settings.read).await
    }

    /// Asks for something large; its body is read piece by piece, and the turn lasts until its end.
    ///
    /// # Errors
    /// [`LinkError`] when not even the beginning of an answer came.
    ///
    /// # Cancellation
    /// As for [`Link::ask`].
    pub(crate) async fn export(&self, request: &Request, form: Form) -> Result<Export, LinkError> {
        let mut door = self.turn().await?;
        let wait = self.settings.export;
        let response = self.send(&mut door, request, form, wait).await?;
        Ok(Export {
            response,
            door,
            origin: self.origin.clone(),
            what: request.what.clone(),
            wait,
            taken: 0,
            left: Bytes::new(),
        })
    }

    /// What answers a plain GET: Tally says in a line that it is running. Told apart from something
    /// else that took its port.
    pub(crate) async fn who_answers(&self) -> String {
        let _turn = Arc::clone(&self.door).lock_owned().await;
        let asked = async { self.client.get(self.settings.url.clone()).send().await?.text().await };
        let text = tokio::time::timeout(self.settings.read, asked).await;
        text.ok().and_then(Result::ok).map_or_else(|| "nothing".to_owned(), |text| beginning(&text))
    }

    /// Waits for the turn, and settles first what an earlier one left open.
    async fn turn(&self) -> Result<OwnedMutexGuard<Door>, LinkError> {
        let mut door = Arc::clone(&self.door).lock_owned().await;
        if door.unanswered {
            tracing::debug!(origin = %self.origin, "asking Tally a small question after an answer that did not come");
            self.small(&mut door, &request::companies(), self.settings.probe).await?;
        }
        Ok(door)
    }

    async fn small(&self, door: &mut Door, request: &Request, wait: Duration) -> Result<String, LinkError> {
        let asked = async {
            let mut response = self.send(door, request, Form::Xml, wait).await?;
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(|error| self.broken(request, &error))? {
                body.extend_from_slice(&piece);
                if u64::try_from(body.len()).map_or(true, |length| length > SMALL_BYTES_MAX) {
                    let (origin, what) = (self.origin.clone(), request.what.clone());
                    return Err(LinkError::TooLarge { origin, what, limit: SMALL_BYTES_MAX });
                }
            }
            Ok(body)
        };
        let Ok(body) = tokio::time::timeout(wait, asked).await else {
            return Err(self.silent(request, wait));
        };
        let body = body?;
        door.unanswered = false;
        let mut text = String::new();
        let limit = usize::try_from(SMALL_BYTES_MAX).unwrap_or(usize::MAX);
        let read = CleanReader::open(body.as_slice(), limit).and_then(|mut clean| clean.read_to_string(&mut text));
        read.map(|_| text).map_err(|error| LinkError::Broken {
            origin: self.origin.clone(),
            what: request.what.clone(),
            reason: error.to_string(),
        })
    }

    /// Sends a request and waits for the head of its answer. The door stays marked until somebody has
    /// read the answer to its end.
    async fn send(
        &self,
        door: &mut Door,
        request: &Request,
        form: Form,
        wait: Duration,
    ) -> Result<Response, LinkError> {
        let was_unanswered = std::mem::replace(&mut door.unanswered, true);
        let sent = self.post(request, form).send();
        let response = match tokio::time::timeout(wait, sent).await {
            Err(_) => return Err(self.silent(request, wait)),
            Ok(Err(error)) if error.is_connect() || error.is_builder() => {
                // Nothing was sent, so nothing is open that was not before.
                door.unanswered = was_unanswered;
                let reason =
                    if error.is_timeout() { "none within the time allowed".to_owned() } else { causes(&error) };
                return Err(LinkError::NotConnected { origin: self.origin.clone(), reason });
            }
            Ok(Err(error)) => return Err(self.broken(request, &error)),
            Ok(Ok(response)) => response,
        };
        // Tally answers 200 to everything, its refusals included.
        if response.status().is_success() {
            return Ok(response);
        }
        door.unanswered = was_unanswered;
        let found = format!("HTTP status {}", response.status().as_u16());
        Err(LinkError::NotTally { origin: self.origin.clone(), found })
    }

    /// A request as it is sent. What is not known in JSON goes out in XML.
    fn post(&self, request: &Request, form: Form) -> RequestBuilder {
        let post = self.client.post(self.settings.url.clone());
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let charset = self.settings.charset;
        match request.json.as_ref().filter(|_| form == Form::Json) {
            None => match charset {
                Charset::Utf16 => post.header(CONTENT_TYPE, "text/xml;charset=utf-16").body(wide(&request.xml)),
                Charset::Utf8 => post.header(CONTENT_TYPE, "text/xml;charset=utf-8").body(request.xml.clone()),
            },
            Some(json) => {
                let headers = [("version", "1"), ("tallyrequest", "Export"), ("type", "Data"), ("id", json.id)];
                let post = headers.into_iter().fold(post, |post, (name, value)| post.header(name, value));
                match charset {
                    // Of JSON the description wants the byte order mark.
                    Charset::Utf16 => post
                        .header(CONTENT_TYPE, "application/json;charset=utf-16")
                        .body(wide(&format!("\u{FEFF}{}", json.body))),
                    Charset::Utf8 => {
                        post.header(CONTENT_TYPE, "application/json;charset=utf-8").body(json.body.clone())
                    }
                }
            }
        }
    }

    fn silent(&self, request: &Request, wait: Duration) -> LinkError {
        let waited_ms = wait.as_millis();
        LinkError::NoAnswer { origin: self.origin.clone(), what: request.what.clone(), waited_ms }
    }

    fn broken(&self, request: &Request, error: &reqwest::Error) -> LinkError {
        LinkError::Broken { origin: self.origin.clone(), what: request.what.clone(), reason: causes(error) }
    }
}

/// A large answer while it comes.
#[derive(Debug)]
pub(crate) struct Export {
    response: Response,
    door: OwnedMutexGuard<Door>,
    origin: String,
    what: String,
    wait: Duration,
    taken: u64,
    left: Bytes,
}

impl Export {
    /// What was asked.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// The next bytes, at most as many as fit; 0 at the end.
    ///
    /// # Errors
    /// [`LinkError`] when Tally falls silent or breaks off.
    pub(crate) async fn read(&mut self, into: &mut [u8]) -> Result<usize, LinkError> {
        while self.left.is_empty() {
            let Ok(piece) = tokio::time::timeout(self.wait, self.response.chunk()).await else {
                let (origin, what) = (self.origin.clone(), self.what.clone());
                return Err(LinkError::NoAnswer { origin, what, waited_ms: self.wait.as_millis() });
            };
            let piece = piece.map_err(|error| {
                let (origin, what) = (self.origin.clone(), self.what.clone());
                LinkError::Broken { origin, what, reason: causes(&error) }
            })?;
            let Some(piece) = piece else {
                self.door.unanswered = false;
                return Ok(0);
            };
            self.taken = self.taken.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if self.taken > EXPORT_BYTES_MAX {
                let (origin, what) = (self.origin.clone(), self.what.clone());
                return Err(LinkError::TooLarge { origin, what, limit: EXPORT_BYTES_MAX });
            }
            self.left = piece;
        }
        let taken = self.left.split_to(self.left.len().min(into.len()));
        if let Some(room) = into.get_mut(..taken.len()) {
            room.copy_from_slice(&taken);
        }
        Ok(taken.len())
    }
}

/// The first words of a strange answer.
pub(crate) fn beginning(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(SHOWN_CHARACTERS).collect();
    if short.is_empty() { "nothing".to_owned() } else { short }
}

/// The innermost cause: the outer ones only say that a request failed.
fn causes(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(error) = cause {
        text = Some(error.to_string());
        cause = error.source();
    }
    text.unwrap_or_else(|| "the request failed".to_owned())
}

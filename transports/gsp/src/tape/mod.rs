//! Keeps exchanges with a provider in a file, with everything secret taken out: what shows a maker of profiles how a
//! provider really answers.

mod mask;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::environment::Environment;
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use mask::Redaction;

use crate::profile::Profile;

/// Version of the form that recordings are written in.
pub const VERSION: u8 = 1;

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the form of a line has a version of its own")]
pub struct Head {
    /// [`VERSION`].
    pub recording: u8,
    /// Name of the profile.
    pub profile: String,
    /// Which environment of the provider answered.
    pub environment: Environment,
    /// When it began.
    pub at: Timestamp,
    /// What was taken out, for whoever reads the file.
    pub masked: String,
}

/// An exchange, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the form of a line has a version of its own")]
pub struct Line {
    /// When the request left.
    pub at: Timestamp,
    /// Which address of the provider: `common`, `irp` or `ewb`.
    pub part: String,
    /// What was asked.
    pub request: Asked,
    /// What came; absent where nothing came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Answered>,
    /// Why nothing came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How a profile understands the answer, in one line; what a replay compares with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub understood: Option<String>,
}

/// A request, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the form of a line has a version of its own")]
pub struct Asked {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body; values stand for others of their kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// A response, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the form of a line has a version of its own")]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// The file cannot be made, read or written.
    #[error("the recording {} cannot be {action}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: `made`, `read`, `written`.
        action: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is there already; a recording is never written over.
    #[error("{} exists: a recording is never written over; name another file, or move this one away", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A line is not of the known form.
    #[error("{}, line {line}: {reason}; it is no recording of this program, or of another version of it", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// A recording under way.
pub struct Tape {
    file: Mutex<File>,
    path: PathBuf,
    redaction: Redaction,
    clock: SharedClock,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tape").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Tape {
    /// Begins a recording in a new file, which only its owner can read where the system knows owners.
    ///
    /// # Errors
    /// When the file exists, or cannot be made.
    pub fn begin(
        path: &Path,
        profile: &Profile,
        environment: Environment,
        clock: SharedClock,
    ) -> Result<Self, TapeError> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => TapeError::Exists { path: path.to_owned() },
            _ => TapeError::File { path: path.to_owned(), action: "made", source },
        })?;
        let tape = Self { file: Mutex::new(file), path: path.to_owned(), redaction: Redaction::of(profile), clock };
        let head = Head {
            recording: VERSION,
            profile: profile.id.clone(),
            environment,
            at: tape.clock.now(),
            masked:
                "credentials, tokens and keys; GSTINs and PANs stand for others; names, addresses, signed copies and \
                     what requests hold are left out"
                    .to_owned(),
        };
        tape.write(&head)?;
        Ok(tape)
    }

    /// From here on this text shows nowhere, wherever it comes.
    pub fn hide(&self, secret: &str) {
        self.redaction.learn(secret);
    }

    fn write(&self, line: &impl Serialize) -> Result<(), TapeError> {
        let failed = |source| TapeError::File { path: self.path.clone(), action: "written", source };
        let mut text = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        // Every line is written by one call under the lock: lines of calls at the same time do not mix.
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text).map_err(failed)
    }

    fn keep(
        &self,
        at: Timestamp,
        part: &str,
        request: &HttpRequest,
        result: &Result<HttpResponse, ExchangeError>,
    ) -> Result<(), TapeError> {
        self.redaction.learn_from(request, result.as_ref().ok());
        let (response, failure) = match result {
            Ok(response) => {
                (Some(Answered { status: response.status, body: self.redaction.answer(&response.body) }), None)
            }
            Err(error) => (None, Some(self.redaction.text(&error.to_string()))),
        };
        let request = self.redaction.request(request);
        self.write(&Line { at, part: part.to_owned(), request, response, failure, understood: None })
    }
}

/// An [`Exchange`] that is recorded, where somebody wants to.
#[derive(Debug)]
pub struct Recorded<E> {
    inner: E,
    part: &'static str,
    tape: Option<Arc<Tape>>,
}

impl<E> Recorded<E> {
    /// Records what goes to an address of the provider: `common`, `irp` or `ewb`. Without a tape it does nothing.
    pub const fn new(inner: E, part: &'static str, tape: Option<Arc<Tape>>) -> Self {
        Self { inner, part, tape }
    }
}

#[async_trait]
impl<E: Exchange> Exchange for Recorded<E> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let Some(tape) = &self.tape else { return self.inner.send(request).await };
        let (at, kept) = (tape.clock.now(), request.clone());
        let result = self.inner.send(request).await;
        if let Err(error) = tape.keep(at, self.part, &kept, &result) {
            // The call counts, and its recording does not.
            tracing::warn!(%error, "an exchange is missing in the recording");
        }
        result
    }

    fn endpoint(&self) -> String {
        self.inner.endpoint()
    }
}

/// Reads a recording.
///
/// # Errors
/// When the file cannot be read, or a line is of another form.
pub fn read_recording(path: &Path) -> Result<(Head, Vec<Line>), TapeError> {
    let file = |source| TapeError::File { path: path.to_owned(), action: "read", source };
    read_recording_text(path, &std::fs::read_to_string(path).map_err(file)?)
}

/// Reads the text of a recording; its errors name it by `path`.
///
/// # Errors
/// When a line is of another form.
pub fn read_recording_text(path: &Path, text: &str) -> Result<(Head, Vec<Line>), TapeError> {
    let form = |line: usize, reason: String| TapeError::Form { path: path.to_owned(), line, reason };
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, head) = lines.next().ok_or_else(|| form(1, "it is empty".to_owned()))?;
    let head: Head = serde_json::from_str(head).map_err(|error| form(1, error.to_string()))?;
    if head.recording != VERSION {
        return Err(form(
            1,
            format!("version {} of recordings, and this program reads version {VERSION}", head.recording),
        ));
    }
    let lines: Result<Vec<Line>, TapeError> =
        lines.map(|(at, line)| serde_json::from_str(line).map_err(|error| form(at + 1, error.to_string()))).collect();
    Ok((head, lines?))
}

/// The text of a recording.
///
/// # Errors
/// When it is no JSON, which lines that were read always are.
pub fn recording_text(head: &Head, lines: &[Line]) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(head)?;
    for line in lines {
        text.push('\n');
        text.push_str(&serde_json::to_string(line)?);
    }
    text.push('\n');
    Ok(text)
}

/// Writes a recording anew, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_recording(path: &Path, head: &Head, lines: &[Line]) -> Result<(), TapeError> {
    let failed = |source: std::io::Error| TapeError::File { path: path.to_owned(), action: "written", source };
    let text = recording_text(head, lines).map_err(|error| failed(error.into()))?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    std::fs::write(&part, text).map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)
}

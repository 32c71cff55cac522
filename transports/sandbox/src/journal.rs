//! The emulator's memory between runs: an append-only file of JSON lines.
//!
//! A reply leaves only after what it tells of is on disk. What one act changes stands in one line, so that
//! it is there whole or not at all; lines that arrive together share one flush. A torn last line, left by a crash, was never answered for and is cut off at the next start.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::bills::{Bill, TripSheet};
use crate::books::{Elsewhere, Registered};
use crate::error::SandboxError;
use crate::login::Login;
use crate::registration::Change;
use crate::registry::{ClientAccount, UserAccount};

/// Name of the file in the data directory.
pub(crate) const JOURNAL_FILE: &str = "journal.jsonl";

/// Version of the file's form.
const VERSION: u32 = 2;

/// A change of the portal's state. Replaying all of them gives the state again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    Journal {
        version: u32,
    },
    Client(ClientAccount),
    User(UserAccount),
    Login(Login),
    Registered(Box<Registered>),
    Cancelled {
        irn: String,
        at: Timestamp,
    },
    EwbUser(UserAccount),
    EwbLogin(Login),
    /// A bill as it is from now on.
    Bill(Box<Bill>),
    TripSheet(TripSheet),
    /// The registration belongs to this site.
    Site {
        irn: String,
        site: String,
    },
    /// The invoice registry has rejected the registration.
    Rejected {
        irn: String,
        at: Timestamp,
    },
    /// Another portal has registered the document.
    Elsewhere(Elsewhere),
    /// The portal has fetched this taxpayer anew.
    Synced {
        gstin: String,
    },
    /// What happened on the portal's pages.
    Registration(Box<Change>),
    /// Several changes of one act.
    Together {
        events: Vec<Event>,
    },
}

/// Lines on their way to the disk, and whom to tell when they are there.
type Batch = (Vec<u8>, oneshot::Sender<()>);

/// The open journal. Dropping it writes what is under way and closes the file.
#[derive(Debug)]
pub(crate) struct Journal {
    lines: Option<mpsc::Sender<Batch>>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal of a directory and reads what it holds.
    pub(crate) fn open(directory: &Path) -> Result<(File, Vec<Event>), SandboxError> {
        let path = directory.join(JOURNAL_FILE);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(SandboxError::file("open", &path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(SandboxError::file("read", &path))?;
        let (events, whole) = read_lines(&bytes, &path)?;
        if whole < bytes.len() {
            let length = u64::try_from(whole).unwrap_or_default();
            file.set_len(length).map_err(SandboxError::file("repair", &path))?;
        }
        file.seek(SeekFrom::End(0)).map_err(SandboxError::file("read", &path))?;
        if events.is_empty() {
            append(&mut file, &[Event::Journal { version: VERSION }]).map_err(SandboxError::file("write", &path))?;
        }
        Ok((file, events))
    }

    /// Starts writing behind the content of `file`.
    pub(crate) fn start(file: File) -> Result<Self, SandboxError> {
        let (lines, waiting) = mpsc::channel();
        let writer =
            std::thread::Builder::new().name("sandbox-journal".into()).spawn(move || write_all(file, &waiting));
        let writer =
            writer.map_err(|error| SandboxError::Internal { reason: format!("no thread for the journal: {error}") })?;
        Ok(Self { lines: Some(lines), writer: Some(writer) })
    }

    /// Hands the changes of one act to the writer, in the order of calls. What comes back resolves once they are on
    /// disk, and fails if they could not be written.
    pub(crate) fn write(&self, events: &[Event]) -> oneshot::Receiver<()> {
        let (done, written) = oneshot::channel();
        if let (Some(lines), Ok(bytes)) = (&self.lines, encode(events)) {
            // A writer that has stopped drops the sender of `done`, which the caller sees as a failure.
            let _sent = lines.send((bytes, done));
        }
        written
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was already reported by the failure of its writes.
            let _ended = writer.join();
        }
    }
}

/// Body of the writer thread: all that waits goes out with one flush. Stops for good at the first
/// failure, since what is in the file is uncertain from then on.
fn write_all(mut file: File, waiting: &mpsc::Receiver<Batch>) {
    while let Ok((mut bytes, done)) = waiting.recv() {
        let mut all_done = vec![done];
        while let Ok((more, done)) = waiting.try_recv() {
            bytes.extend_from_slice(&more);
            all_done.push(done);
        }
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            tracing::error!("sandbox journal cannot be written; the emulator answers nothing more");
            return;
        }
        for done in all_done {
            // Nobody waits any more when the client has gone; the line is written all the same.
            let _told = done.send(());
        }
    }
}

/// Appends the changes of one act at once; for the time before the writer runs.
pub(crate) fn append(file: &mut File, events: &[Event]) -> std::io::Result<()> {
    file.write_all(&encode(events)?)?;
    file.sync_data()
}

/// One line for the changes of one act.
fn encode(events: &[Event]) -> std::io::Result<Vec<u8>> {
    /// [`Event::Together`] without owning what it holds.
    #[derive(Serialize)]
    #[serde(tag = "event", rename_all = "snake_case")]
    enum Line<'a> {
        Together { events: &'a [Event] },
    }
    let mut bytes = match events {
        [] => return Ok(Vec::new()),
        [event] => serde_json::to_vec(event)?,
        events => serde_json::to_vec(&Line::Together { events })?,
    };
    bytes.push(b'\n');
    Ok(bytes)
}

/// The events of whole lines, and how many bytes those take.
fn read_lines(bytes: &[u8], path: &Path) -> Result<(Vec<Event>, usize), SandboxError> {
    let damaged = |reason: String| SandboxError::Damaged { path: PathBuf::from(path), reason };
    let (mut events, mut whole) = (Vec::new(), 0_usize);
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(line_text) = line.strip_suffix(b"\n") else { break };
        let event = serde_json::from_slice(line_text);
        let event = event.map_err(|error| damaged(format!("line {}: {error}", number.saturating_add(1))))?;
        if let Event::Journal { version } = event
            && version != VERSION
        {
            return Err(damaged(format!("it has version {version}, and this program reads version {VERSION}")));
        }
        events.push(event);
        whole = whole.saturating_add(line.len());
    }
    Ok((events, whole))
}

/// Writes a small file so that it is there whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    let written = File::create(&temporary).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(SandboxError::file("write", path))?;
    std::fs::rename(&temporary, path).map_err(SandboxError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_rest_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (mut file, events) = Journal::open(directory.path()).unwrap();
        assert!(events.is_empty());
        append(&mut file, &[Event::Cancelled { irn: "a".into(), at: Timestamp::UNIX_EPOCH }]).unwrap();
        file.write_all(br#"{"event":"cancelled","irn":"b"#).unwrap();
        drop(file);
        let (mut file, events) = Journal::open(directory.path()).unwrap();
        assert!(matches!(events.as_slice(), [Event::Journal { .. }, Event::Cancelled { irn, .. }] if irn == "a"));
        append(&mut file, &[Event::Cancelled { irn: "c".into(), at: Timestamp::UNIX_EPOCH }]).unwrap();
        drop(file);
        assert_eq!(Journal::open(directory.path()).unwrap().1.len(), 3);
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(JOURNAL_FILE), "{\"event\":\"journal\",\"version\":2}\nnonsense\n")
            .unwrap();
        let error = Journal::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}

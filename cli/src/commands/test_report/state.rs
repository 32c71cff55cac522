//! What is remembered of a run, so that an interrupted one goes on: a file with one JSON object a line.
//!
//! The first line says whose run it is. A case leaves two lines: one before it is sent, one with its evidence before
//! the next is sent. A line that was cut off by a crash is left out, and its case is sent again. A case that is made
//! anew leaves a line that takes back what stands before it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use einvoice_core::date::PortalTime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// Largest file that is read: hundreds of times what all cases leave.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Form of the file; a later form gets the next number.
const VERSION: u32 = 2;

/// Whose account a run uses, and where its calls go: what two of these brought never stands in one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) gstin: String,
    /// Name of the route.
    pub(super) route: String,
    /// Environment of the route.
    pub(super) environment: String,
    /// The plugin that carries the calls, with its profile where it has one.
    pub(super) way: String,
    /// Addresses that the configuration gives the route, where it gives any.
    pub(super) addresses: Vec<String>,
    /// Whether an emulator answers.
    pub(super) rehearsal: bool,
}

impl Target {
    /// In words, so that two can be told apart.
    pub(super) fn in_words(&self) -> String {
        let addresses =
            if self.addresses.is_empty() { String::new() } else { format!(" at {}", self.addresses.join(", ")) };
        let rehearsal = if self.rehearsal { ", an emulator" } else { "" };
        format!("{} by route {} ({}, {}{addresses}{rehearsal})", self.gstin, self.route, self.environment, self.way)
    }
}

/// The first line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Form of the file.
    pub(super) test_report: u32,
    /// What every document number of the run begins with.
    pub(super) run: String,
    /// Whose account, and where.
    pub(super) target: Target,
    /// When the run began, IST.
    pub(super) started: String,
}

impl Head {
    pub(super) const fn new(run: String, target: Target, started: String) -> Self {
        Self { test_report: VERSION, run, target, started }
    }
}

/// What the first line has in every form.
#[derive(Debug, Deserialize)]
struct Form {
    test_report: u32,
}

/// A document that a case registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The IRN, or the number of an e-way bill.
    pub(super) object: String,
    pub(super) kind: String,
    pub(super) number: String,
    pub(super) date: String,
    /// When it was sent first, IST.
    pub(super) made: String,
}

impl Kept {
    /// When it was sent first.
    pub(super) fn made_at(&self) -> Option<Timestamp> {
        PortalTime::parse(&self.made).ok()?.to_timestamp()
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// Id of the case.
    pub(super) case: String,
    /// When it was sent, IST: `2026-11-05 14:26:00`.
    pub(super) at: String,
    /// What was sent, without secrets.
    pub(super) request: String,
    /// Whether the portal said yes.
    pub(super) accepted: bool,
    /// The portal's codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) codes: Vec<String>,
    /// The portal's texts, or what its yes brought.
    pub(super) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) irn: Option<String>,
    /// The e-way bill of the IRN, where the answer names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bill: Option<String>,
    /// Whether that is what was expected.
    pub(super) as_expected: bool,
    /// What else a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// The document that it registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<Kept>,
}

/// A line behind the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A case is about to be sent.
    Sending {
        /// Its id.
        case: String,
        /// When, IST.
        at: String,
    },
    /// This came of one.
    Done(Box<Evidence>),
    /// This case is made anew: what came of it before no longer counts.
    Again(String),
}

/// The file of a run, open for what comes next.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    file: File,
    pub(super) head: Head,
    pub(super) done: BTreeMap<String, Evidence>,
    /// Cases that were sent and whose answer is not known here, each with the time when it was sent first.
    pub(super) open: BTreeMap<String, String>,
    /// What cases registered.
    pub(super) kept: BTreeMap<String, Kept>,
    /// How often cases were made anew; those that never were are not here.
    pub(super) turns: BTreeMap<String, u32>,
}

impl State {
    /// Goes on with the run in a file; nothing where there is none.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be read or written, [`CliError::Usage`] when it is no such file.
    pub(super) fn resume(path: &Path) -> Result<Option<Self>, CliError> {
        let failed = |action, error| CliError::File { path: path.to_path_buf(), action, error };
        let length = match std::fs::metadata(path) {
            Ok(there) => there.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", error)),
        };
        let strange = |why: &str| {
            let shown = path.display();
            CliError::Usage(format!(
                "{shown}: {why}; --restart begins a new run and keeps this file under another name"
            ))
        };
        if length > FILE_BYTES_MAX {
            return Err(strange("it is far too long for the state of a test report"));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed("read", error))?;
        // Behind the last line end stands what a crash cut off.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let text = text.get(..whole).unwrap_or_default();
        let mut lines = text.lines();
        let Some(first) = lines.next() else { return Ok(None) };
        let none = |error| strange(&format!("its first line is none of a test report ({error})"));
        // Other forms have other first lines.
        let form: Form = serde_json::from_str(first).map_err(none)?;
        if form.test_report != VERSION {
            return Err(strange(&format!("it is of form {} and this program writes {VERSION}", form.test_report)));
        }
        let head: Head = serde_json::from_str(first).map_err(none)?;
        let file = OpenOptions::new().append(true).open(path).map_err(|error| failed("write", error))?;
        let kept = u64::try_from(whole).unwrap_or(length);
        file.set_len(kept).map_err(|error| failed("write", error))?;
        let mut state = Self::empty(path, file, head);
        for (number, line) in (2..).zip(lines) {
            match serde_json::from_str(line) {
                Ok(line) => state.take(line),
                Err(error) => return Err(strange(&format!("line {number} is none of a test report ({error})"))),
            }
        }
        Ok(Some(state))
    }

    /// Begins a run.
    ///
    /// # Errors
    /// [`CliError::File`] when the file cannot be written.
    pub(super) fn begin(path: &Path, head: Head) -> Result<Self, CliError> {
        let file = File::create(path);
        let file = file.map_err(|error| CliError::File { path: path.to_path_buf(), action: "write", error })?;
        let mut state = Self::empty(path, file, head);
        let line = serde_json::to_string(&state.head);
        state.write(line)?;
        Ok(state)
    }

    fn empty(path: &Path, file: File, head: Head) -> Self {
        let (done, open, kept, turns) = Default::default();
        Self { path: path.to_path_buf(), file, head, done, open, kept, turns }
    }

    /// A case is about to be sent. Durable when this returns.
    ///
    /// # Errors
    /// [`CliError::File`] when the file cannot be written; nothing may be sent then.
    pub(super) fn sending(&mut self, case: &str, at: &str) -> Result<(), CliError> {
        self.put(Line::Sending { case: case.to_owned(), at: at.to_owned() })
    }

    /// What came of a case. Durable when this returns.
    ///
    /// # Errors
    /// [`CliError::File`] when the file cannot be written.
    pub(super) fn done(&mut self, evidence: Evidence) -> Result<(), CliError> {
        self.put(Line::Done(Box::new(evidence)))
    }

    /// A case is made anew, under another number where it has one. Durable when this returns.
    ///
    /// # Errors
    /// [`CliError::File`] when the file cannot be written.
    pub(super) fn again(&mut self, case: &str) -> Result<(), CliError> {
        self.put(Line::Again(case.to_owned()))
    }

    fn put(&mut self, line: Line) -> Result<(), CliError> {
        self.write(serde_json::to_string(&line))?;
        self.take(line);
        Ok(())
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Sending { case, at } => drop(self.open.entry(case).or_insert(at)),
            Line::Again(case) => {
                self.open.remove(&case);
                self.kept.remove(&case);
                self.done.remove(&case);
                *self.turns.entry(case).or_default() += 1;
            }
            Line::Done(evidence) => {
                self.open.remove(&evidence.case);
                if let Some(kept) = &evidence.kept {
                    self.kept.insert(evidence.case.clone(), kept.clone());
                }
                self.done.insert(evidence.case.clone(), *evidence);
            }
        }
    }

    fn write(&mut self, line: serde_json::Result<String>) -> Result<(), CliError> {
        let line =
            line.map_err(|error| CliError::Fault(format!("a line of the test report has no JSON form: {error}")))?;
        let written = self.file.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| CliError::File { path: self.path.clone(), action: "write", error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(case: &str) -> Evidence {
        Evidence {
            case: case.to_owned(),
            at: "2026-11-05 12:00:00".to_owned(),
            request: "POST".to_owned(),
            accepted: true,
            codes: vec![],
            message: String::new(),
            irn: None,
            bill: None,
            as_expected: true,
            note: None,
            kept: Some(Kept {
                object: "ab".into(),
                kind: "INV".into(),
                number: "T/1".into(),
                date: "05/11/2026".into(),
                made: "2026-11-05 12:00:00".into(),
            }),
        }
    }

    fn head() -> Head {
        let target = Target {
            gstin: "29AABCE1234F1Z1".into(),
            route: "emulator".into(),
            environment: "sandbox".into(),
            way: "direct".into(),
            addresses: vec!["http://127.0.0.1:8088".into()],
            rehearsal: true,
        };
        Head::new("TAB12".into(), target, "2026-11-05 12:00:00".into())
    }

    #[test]
    fn a_run_goes_on_where_a_crash_left_it_and_a_line_that_was_cut_off_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.jsonl");
        assert!(State::resume(&path).unwrap().is_none());
        let mut state = State::begin(&path, head()).unwrap();
        state.sending("IRN-Y001", "2026-11-05 12:00:00").unwrap();
        state.done(evidence("IRN-Y001")).unwrap();
        state.sending("IRN-Y002", "2026-11-05 12:00:03").unwrap();
        drop(state);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"done\":{\"case\":\"IRN-Y0");
        std::fs::write(&path, text).unwrap();
        let mut state = State::resume(&path).unwrap().unwrap();
        assert_eq!((state.done.len(), state.kept["IRN-Y001"].object.as_str()), (1, "ab"));
        assert_eq!(state.open.iter().next(), Some((&"IRN-Y002".to_owned(), &"2026-11-05 12:00:03".to_owned())));
        assert_eq!(state.open.len(), 1);
        state.done(evidence("IRN-Y002")).unwrap();
        drop(state);
        assert_eq!(State::resume(&path).unwrap().unwrap().done.len(), 2);
    }

    #[test]
    fn a_case_that_is_made_anew_loses_what_stood_before_and_counts_its_turns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.jsonl");
        let mut state = State::begin(&path, head()).unwrap();
        state.sending("IRN-Y001", "2026-11-05 12:00:00").unwrap();
        state.done(evidence("IRN-Y001")).unwrap();
        state.again("IRN-Y001").unwrap();
        state.sending("IRN-Y001", "2026-11-06 12:00:00").unwrap();
        // A call whose answer was lost keeps the time at which it went out first: its document has that date.
        state.sending("IRN-Y001", "2026-11-07 12:00:00").unwrap();
        drop(state);
        let state = State::resume(&path).unwrap().unwrap();
        assert_eq!((state.done.len(), state.kept.len(), state.turns["IRN-Y001"]), (0, 0, 1));
        assert_eq!(state.open["IRN-Y001"], "2026-11-06 12:00:00");
    }

    #[test]
    fn a_file_of_something_else_is_left_alone_and_the_message_says_how_to_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.jsonl");
        for text in ["hello\n", "{\"test_report\":9}\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(State::resume(&path).unwrap_err().message().contains("--restart"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}

//! The numbers of `IDoc`s that are done, remembered across runs: SAP gives a number once, so one that comes with another
//! invoice is a fault that nobody would see otherwise.
//!
//! Kept as text in the working folder, one line an `IDoc`: its identity and the key of its document. Lines are added once
//! the document is registered, before its file is moved; an invoice that was refused may come again under its number.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use einvoice_core::source::{Acknowledgement, Disposition, SourceError, SourceRef};
use einvoice_file_drop::number_of;

/// The file in the working folder.
const FILE: &str = "idocs.txt";

/// What is known of numbers, and of the `IDoc`s that are being worked on.
#[derive(Debug, Default)]
pub(crate) struct IdocNumbers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    file: Option<PathBuf>,
    /// How much of the file is known; other workers add to it.
    read: u64,
    /// Hash of an identity to hash of the key: a file of years has a million.
    known: HashMap<u64, u64>,
    hasher: RandomState,
    /// By file, then by the number of the document in it: identities of what is not settled yet.
    open: HashMap<String, Vec<Option<Box<str>>>>,
}

impl IdocNumbers {
    /// Begins with a file of `IDoc`s. Without a working folder nothing is remembered.
    pub(crate) fn begin(&self, work: Option<&Path>, location: &str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.file = work.map(|work| work.join(FILE));
        if state.file.is_some() {
            state.open.insert(location.to_owned(), Vec::new());
        }
        state.catch_up()
    }

    /// Notes the identity of a document that is handed over. Answers the key of the document that was registered under
    /// that number before, where it is another one.
    pub(crate) fn met(&self, location: &str, document: usize, id: &str, key: &str) -> io::Result<Option<String>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = state.known.get(&state.hasher.hash_one(id))
            && *before != state.hasher.hash_one(key)
        {
            return state.recall(id);
        }
        if let Some(open) = state.open.get_mut(location) {
            open.resize(document.saturating_sub(1), None);
            open.push(Some(id.into()));
        }
        Ok(None)
    }

    /// Remembers the documents that are done.
    pub(crate) fn acknowledge(&self, news: &[Acknowledgement]) -> Result<(), SourceError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = state.file.clone() else { return Ok(()) };
        // What is done is known once it is on disk, and waits until then: a run that tries again writes it again.
        let mut lines = String::new();
        let mut added = HashMap::new();
        for Acknowledgement { reference, disposition } in news {
            let (Some(id), Disposition::Done) =
                (state.waiting(reference).and_then(|slot| slot.as_deref()), disposition)
            else {
                continue;
            };
            let key = key_of(&reference.record_id);
            let number = state.hasher.hash_one(id);
            if !state.known.contains_key(&number) && !added.contains_key(&number) {
                lines.extend([id, "\t", key, "\n"]);
                added.insert(number, state.hasher.hash_one(key));
            }
        }
        if !lines.is_empty() {
            append(&file, &lines).map_err(|error| {
                let reason = format!(
                    "the numbers of IDocs that are done cannot be written: {error}; make room, or the folder writable"
                );
                SourceError::new(file.display().to_string(), reason).because(error)
            })?;
        }
        state.known.extend(added);
        for Acknowledgement { reference, .. } in news.iter().filter(|news| news.disposition != Disposition::Pending) {
            state.settle(reference);
        }
        Ok(())
    }
}

impl State {
    /// Where the identity of a document stands that is not settled yet.
    fn waiting(&self, reference: &SourceRef) -> Option<&Option<Box<str>>> {
        self.open.get(&reference.location)?.get(slot_of(reference)?)
    }

    fn settle(&mut self, reference: &SourceRef) {
        let Some(open) = self.open.get_mut(&reference.location) else { return };
        if let Some(waiting) = slot_of(reference).and_then(|slot| open.get_mut(slot)) {
            *waiting = None;
        }
        if open.iter().all(Option::is_none) {
            self.open.remove(&reference.location);
        }
    }

    /// Reads what was added since.
    fn catch_up(&mut self) -> io::Result<()> {
        let Some(mut file) = self.open_file()? else { return Ok(()) };
        if file.metadata()?.len() < self.read {
            // Somebody shortened it.
            (self.read, self.known) = (0, HashMap::new());
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut lines = BufReader::new(file);
        let mut line = String::new();
        // A line without an end is still being written, or was cut by a crash; what follows begins a line of its own.
        while lines.by_ref().take(4_096).read_line(&mut line)? > 0 && line.ends_with('\n') {
            self.read += u64::try_from(line.len()).unwrap_or_default();
            if let Some((id, key)) = line.trim_end().split_once('\t') {
                self.known.insert(self.hasher.hash_one(id), self.hasher.hash_one(key));
            }
            line.clear();
        }
        Ok(())
    }

    fn open_file(&self) -> io::Result<Option<File>> {
        let Some(path) = &self.file else { return Ok(None) };
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => file.map(Some),
        }
    }

    /// What a number was registered with, from the file: only hashes are kept in memory.
    fn recall(&self, id: &str) -> io::Result<Option<String>> {
        let Some(file) = self.open_file()? else { return Ok(None) };
        let mut found = None;
        for line in BufReader::new(file).lines() {
            if let Some((known, key)) = line?.split_once('\t')
                && known == id
            {
                found = Some(key.to_owned());
            }
        }
        Ok(found)
    }
}

/// Where a document of a file stands among those that are not settled.
fn slot_of(reference: &SourceRef) -> Option<usize> {
    usize::try_from(number_of(&reference.position)?).ok()?.checked_sub(1)
}

/// The key in a record id, without the number by which a second record of it is told apart.
fn key_of(record_id: &str) -> &str {
    record_id.split(['#', ' ']).next().unwrap_or(record_id)
}

fn append(path: &Path, lines: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let end = file.seek(SeekFrom::End(0))?;
    let mut last = [b'\n'];
    if end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut last)?;
    }
    // A crash may have cut the last line.
    let begin = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{begin}{lines}").as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "idoc/100/PRD/0000000000000001";

    fn news(document: usize, key: &str, disposition: Disposition) -> Acknowledgement {
        let position = format!("document {document}, line 1");
        let reference = SourceRef { location: "in/x.idoc".into(), position, record_id: key.into() };
        Acknowledgement { reference, disposition }
    }

    fn met(numbers: &IdocNumbers, folder: &Path, key: &str) -> Option<String> {
        numbers.begin(Some(folder), "in/x.idoc").unwrap();
        numbers.met("in/x.idoc", 2, ID, key).unwrap()
    }

    #[test]
    fn a_number_is_remembered_once_its_document_is_done_and_by_every_worker() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (IdocNumbers::default(), IdocNumbers::default());
        assert_eq!(met(&one, folder.path(), "A/1"), None);
        for disposition in [Disposition::Pending, Disposition::NeedsPerson] {
            one.acknowledge(&[news(2, "A/1", disposition)]).unwrap();
        }
        assert_eq!(met(&one, folder.path(), "A/2"), None, "an invoice that was refused gets another number");
        one.acknowledge(&[news(1, "A/7", Disposition::Done), news(2, "A/2#2", Disposition::Done)]).unwrap();
        for numbers in [&one, &other, &IdocNumbers::default()] {
            assert_eq!(met(numbers, folder.path(), "A/2"), None);
            assert_eq!(met(numbers, folder.path(), "A/3").as_deref(), Some("A/2"));
        }
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(text, format!("{ID}\tA/2\n"));
    }

    #[test]
    fn a_line_that_a_crash_cut_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "idoc/100/PRD/00000000").unwrap();
        let numbers = IdocNumbers::default();
        assert_eq!(met(&numbers, folder.path(), "A/1"), None);
        numbers.acknowledge(&[news(2, "A/1", Disposition::Done)]).unwrap();
        assert_eq!(met(&IdocNumbers::default(), folder.path(), "A/2").as_deref(), Some("A/1"));
        // Shortened by a person, it is forgotten.
        fs::write(folder.path().join(FILE), "").unwrap();
        assert_eq!(met(&numbers, folder.path(), "A/2"), None);
    }

    #[test]
    fn a_number_that_could_not_be_written_is_written_when_it_is_told_again() {
        let folder = tempfile::tempdir().unwrap();
        let numbers = IdocNumbers::default();
        assert_eq!(met(&numbers, folder.path(), "A/1"), None);
        // A folder in the place of the file: nothing can be added to it.
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let news = [news(2, "A/1", Disposition::Done)];
        assert!(numbers.acknowledge(&news).unwrap_err().to_string().contains("cannot be written"));
        fs::remove_dir(folder.path().join(FILE)).unwrap();
        numbers.acknowledge(&news).unwrap();
        assert_eq!(met(&IdocNumbers::default(), folder.path(), "A/2").as_deref(), Some("A/1"));
        numbers.acknowledge(&news).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), format!("{ID}\tA/1\n"));
    }

    #[test]
    fn without_a_working_folder_nothing_is_kept() {
        let numbers = IdocNumbers::default();
        numbers.begin(None, "in/x.idoc").unwrap();
        assert_eq!(numbers.met("in/x.idoc", 1, ID, "A/1").unwrap(), None);
        numbers.acknowledge(&[news(1, "A/1", Disposition::Done)]).unwrap();
        assert_eq!(numbers.met("in/x.idoc", 1, ID, "A/2").unwrap(), None);
    }
}

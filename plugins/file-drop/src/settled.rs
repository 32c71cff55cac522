//! Remembers what became of each document of a file, and moves the file once all is settled.
//!
//! Kept in memory: after a restart the file is read again, which changes nothing in the ledger and
//! fills this memory anew.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use einvoice_core::source::{Acknowledgement, Disposition, SourceError};
use jiff::Timestamp;

use crate::files::{Found, Lister};
use crate::trigger;

/// How many counted names are tried before giving up: `x-2.json` to `x-9999.json`.
const NAMES_MAX: u32 = 9_999;

/// How the positions of this source begin.
pub(crate) const POSITION: &str = "document ";

/// The files that were read to their end, by the name in their references.
#[derive(Debug, Default)]
pub(crate) struct Settlements {
    files: BTreeMap<String, Reading>,
}

/// One file: how it looked, and one byte for each document.
#[derive(Debug)]
struct Reading {
    file: Found,
    fates: Fates,
}

/// What became of each entry of a file, in their order; nothing as long as that is open.
#[derive(Debug)]
pub(crate) struct Fates {
    count: usize,
    /// Absent where nobody will ask.
    kept: Option<Vec<Option<Disposition>>>,
}

impl Fates {
    /// For a file that is moved once all is settled: one byte an entry.
    pub(crate) const fn kept() -> Self {
        Self { count: 0, kept: Some(Vec::new()) }
    }

    /// For a file that stays: its entries are only counted.
    pub(crate) const fn counted() -> Self {
        Self { count: 0, kept: None }
    }

    /// An entry that was reported and whose fate will be heard.
    pub(crate) fn push(&mut self) {
        self.add(None);
    }

    /// An entry that nobody will speak of by itself, since another one stands for it.
    pub(crate) fn push_settled(&mut self) {
        self.add(Some(Disposition::Done));
    }

    /// How many there are, which is the number of the last.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    fn add(&mut self, fate: Option<Disposition>) {
        self.count += 1;
        if let Some(kept) = &mut self.kept {
            kept.push(fate);
        }
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Option<Disposition>> {
        self.kept.as_mut()?.get_mut(index)
    }

    fn all(&self) -> &[Option<Disposition>] {
        self.kept.as_deref().unwrap_or_default()
    }
}

/// A file all of whose documents are settled.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) file: Found,
    pub(crate) needs_person: bool,
}

impl Settlements {
    /// Starts anew with a file that was read to its end.
    pub(crate) fn read(&mut self, file: Found, fates: Fates) {
        self.files.insert(file.shown.clone(), Reading { file, fates });
    }

    /// Takes news in. What is not about a file read here is left alone.
    pub(crate) fn hear(&mut self, news: &[Acknowledgement]) {
        for Acknowledgement { reference, disposition } in news {
            let Some(reading) = self.files.get_mut(&reference.location) else { continue };
            let index = number_of(&reference.position).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
            if let Some(fate) = index.and_then(|index| reading.fates.get_mut(index)) {
                *fate = Some(*disposition);
            }
        }
    }

    /// The files that may be moved.
    pub(crate) fn finished(&self) -> Vec<Finished> {
        let settled = |fate: &Option<Disposition>| matches!(fate, Some(Disposition::Done | Disposition::NeedsPerson));
        self.files
            .values()
            .filter(|reading| reading.fates.all().iter().all(settled))
            .map(|reading| Finished {
                file: reading.file.clone(),
                needs_person: reading.fates.all().contains(&Some(Disposition::NeedsPerson)),
            })
            .collect()
    }

    /// Forgets a file that was moved or is gone.
    pub(crate) fn forget(&mut self, shown: &str) {
        self.files.remove(shown);
    }
}

/// The number of a document in a position such as `document 3, line 10`: the first number in it.
#[must_use]
pub fn number_of(position: &str) -> Option<u64> {
    let start = position.find(|letter: char| letter.is_ascii_digit())?;
    let digits = position.get(start..)?;
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

/// Moves a settled file; never over another one. A file that was changed since it was read stays.
pub(crate) fn move_away(lister: &Lister, finished: &Finished, now: Timestamp) -> Result<(), SourceError> {
    let Finished { file, needs_person } = finished;
    match lister.look(file.path.clone()) {
        Some(now) if now == *file => {}
        _ => return Ok(()),
    }
    let folder = lister.target(&file.path, *needs_person, now);
    let is_carried = carry(lister, file, &folder).map_err(|error| {
        let reason = format!(
            "it is settled and could not be moved to {}: {error}; make that folder writable, on the same drive",
            folder.display()
        );
        SourceError::new(file.shown.clone(), reason).because(error)
    })?;
    if !is_carried {
        return Ok(());
    }
    trigger::remove(lister.triggers(&file.path))
}

/// Moves a file, unless a writer put another one in its place after the last look at it. That one was
/// read by nobody, so it goes back, under a free name.
fn carry(lister: &Lister, file: &Found, folder: &Path) -> io::Result<bool> {
    let target = move_into(&file.path, folder)?;
    let is_other =
        lister.look(target.clone()).is_some_and(|now| (now.size, now.modified) != (file.size, file.modified));
    if is_other {
        move_into(&target, file.path.parent().unwrap_or(Path::new("")))?;
    }
    Ok(!is_other)
}

fn move_into(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let target = reserve(file, folder)?;
    match fs::rename(file, &target) {
        Ok(()) => Ok(target),
        Err(error) => {
            // Only the empty file that held the name; its loss is no loss.
            drop(fs::remove_file(&target));
            Err(error)
        }
    }
}

/// Takes a free name by making an empty file of it, which no other program can do meanwhile.
fn reserve(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = file.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    for count in 1..=NAMES_MAX {
        let counter = if count == 1 { String::new() } else { format!("-{count}") };
        let target = folder.join(format!("{stem}{counter}{extension}"));
        match OpenOptions::new().write(true).create_new(true).open(&target) {
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder holds 9999 files of this name; clear it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_position_counts() {
        assert_eq!(number_of("document 3, line 10, column 2"), Some(3));
        assert_eq!(number_of("row 7"), Some(7));
        assert_eq!(number_of("voucher"), None);
        assert_eq!(number_of("99999999999999999999999"), None);
    }

    #[test]
    fn a_file_that_took_the_place_of_a_settled_one_at_the_last_moment_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::files::FolderSettings {
            path: ".".into(),
            extensions: &["json"],
            move_files: true,
            ..Default::default()
        };
        let lister = Lister::new(folder.path().to_owned(), config);
        let (path, done) = (folder.path().join("x.json"), folder.path().join("done"));
        fs::write(&path, "settled").unwrap();
        let settled = lister.look(path.clone()).unwrap();
        fs::write(&path, "written a moment ago").unwrap();
        assert!(!carry(&lister, &settled, &done).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "written a moment ago");
        assert_eq!(fs::read_dir(&done).unwrap().count(), 0);
        fs::write(&path, "settled").unwrap();
        let settled = lister.look(path.clone()).unwrap();
        assert!(carry(&lister, &settled, &done).unwrap());
        assert!(!path.exists() && done.join("x.json").exists());
    }

    #[test]
    fn a_file_is_never_moved_over_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        for (content, wanted) in [("a", "x.json"), ("b", "x-2.json"), ("c", "x-3.json")] {
            let file = folder.path().join("x.json");
            fs::write(&file, content).unwrap();
            assert_eq!(move_into(&file, &done).unwrap(), done.join(wanted));
        }
        assert_eq!(fs::read_to_string(done.join("x.json")).unwrap(), "a");
        assert_eq!(fs::read_to_string(done.join("x-3.json")).unwrap(), "c");
    }
}

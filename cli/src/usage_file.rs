//! The use of accounts in a file that all processes of an installation share: one entry a line, oldest first.
//!
//! Every look and every line is made under a lock on a file beside it, which the operating system releases when its
//! holder dies. A line that was cut by a crash is passed over. A file that has grown is shortened once half of it is older
//! than two days: what still counts is written aside, and takes its place whole.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::usage::{Spent, UsageBook, UsageEntry, UsageError, logins_that_count};
use jiff::{SignedDuration, Timestamp};

/// A smaller file is left as it is, in bytes: some thousand entries.
const BYTES_KEPT_MAX: u64 = 512 * 1024;

/// Of a larger file only so much of its end is read: no honest file grows so far.
const BYTES_READ_MAX: u64 = 64 * 1024 * 1024;

/// How long entries are kept: longer than any budget looks back.
const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// A [`UsageBook`] over a file.
#[derive(Debug)]
pub(crate) struct UsageFile {
    path: Arc<PathBuf>,
}

impl UsageFile {
    /// A book over this file, which is made when the first entry comes.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path) }
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, UsageError> {
        let path = Arc::clone(&self.path);
        let book = format!("the file {}", self.path.display());
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(UsageError::new(book, error.to_string(), Some(error.into()))),
            Err(error) => Err(UsageError::new(book, "its worker stopped by a fault of its own", Some(error.into()))),
        }
    }
}

#[async_trait]
impl UsageBook for UsageFile {
    async fn spend_login(
        &self,
        login: &UsageEntry,
        window: Duration,
        most: Option<usize>,
    ) -> Result<Spent, UsageError> {
        let login = login.clone();
        self.on_thread(move |path| {
            let _lock = locked(path)?;
            let mut file = opened(path)?;
            let entries = read(&mut file, BYTES_READ_MAX)?;
            let logins = logins_that_count(&entries, &login, window);
            // The budget is free again when so many have left the window that one fewer than the most remain.
            let blocking = most.and_then(|most| logins.len().checked_sub(most)).and_then(|over| logins.get(over));
            if let Some(oldest) = blocking {
                return Ok(Spent::UsedUp { until: oldest.checked_add(window).unwrap_or(login.at) });
            }
            append(path, file, &login)?;
            Ok(Spent::Counted)
        })
        .await
    }

    async fn note(&self, entry: UsageEntry) -> Result<(), UsageError> {
        self.on_thread(move |path| {
            let _lock = locked(path)?;
            append(path, opened(path)?, &entry)
        })
        .await
    }

    async fn since(&self, moment: Timestamp) -> Result<Vec<UsageEntry>, UsageError> {
        self.on_thread(move |path| {
            // Without a lock file nobody has written; looking makes none.
            let lock = there(&lock_path(path))?;
            if let Some(lock) = &lock {
                lock.lock_shared()?;
            }
            let Some(mut file) = there(path)? else { return Ok(Vec::new()) };
            let mut entries = read(&mut file, BYTES_READ_MAX)?;
            entries.retain(|entry| entry.at >= moment);
            Ok(entries)
        })
        .await
    }
}

/// The lock, held until it is dropped. It lies on a file of its own, since the file of entries may be replaced.
fn locked(path: &Path) -> std::io::Result<File> {
    let lock = opened(&lock_path(path))?;
    lock.lock()?;
    Ok(lock)
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(".lock");
    PathBuf::from(name)
}

fn opened(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// A file to read, if there is one.
fn there(path: &Path) -> std::io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// The entries in the last `most` bytes.
fn read(file: &mut File, most: u64) -> std::io::Result<Vec<UsageEntry>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    // A line that is cut, or that a newer program wrote, says nothing here.
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Writes an entry at the end, and shortens the file where half of it counts no longer.
fn append(path: &Path, mut file: File, entry: &UsageEntry) -> std::io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut lines = Vec::new();
    if ends_within_a_line(&mut file, length)? {
        lines.push(b'\n');
    }
    line(&mut lines, entry)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&lines)?;
    // A login that is forgotten after a crash would be one too many.
    file.sync_data()?;
    let from = entry.at.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    if length > BYTES_KEPT_MAX && is_older(&mut file, length / 2, from)? {
        // The entry is there; a file that cannot be shortened is tried again with the next one.
        let _shortened = shorten(path, file, from);
    }
    Ok(())
}

/// Whether the first whole entry behind a place is older than what counts. Entries are in order, so all before it are.
fn is_older(file: &mut File, place: u64, from: Timestamp) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(place))?;
    let mut rest = BufReader::new(file.take(BYTES_KEPT_MAX));
    rest.skip_until(b'\n')?;
    let mut line = Vec::new();
    rest.read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice::<UsageEntry>(&line).is_ok_and(|entry| entry.at < from))
}

/// Puts what still counts in the place of the file.
fn shorten(path: &Path, mut file: File, from: Timestamp) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for kept in read(&mut file, BYTES_READ_MAX)?.iter().filter(|kept| kept.at >= from) {
        line(&mut lines, kept)?;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut aside = tempfile::NamedTempFile::new_in(folder)?;
    aside.write_all(&lines)?;
    aside.as_file().set_permissions(file.metadata()?.permissions())?;
    aside.as_file().sync_all()?;
    // An open file cannot be replaced everywhere.
    drop(file);
    aside.persist(path)?;
    Ok(())
}

fn ends_within_a_line(file: &mut File, length: u64) -> std::io::Result<bool> {
    if length == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

fn line(lines: &mut Vec<u8>, entry: &UsageEntry) -> std::io::Result<()> {
    serde_json::to_writer(&mut *lines, entry)?;
    lines.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use einvoice_core::credential::UserScope;
    use einvoice_core::environment::{Environment, Product, RouteName};
    use einvoice_core::portal_code::ErrorClass;
    use einvoice_core::usage::Usage;

    use super::*;

    const WINDOW: Duration = Duration::from_mins(15);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn user() -> UserScope {
        UserScope {
            gstin: "29AABCE1234F1Z1".parse().unwrap(),
            product: Product::EInvoice,
            environment: Environment::Production,
            route: RouteName::new("nic"),
        }
    }

    fn login(minute: i64) -> UsageEntry {
        UsageEntry::new(at(minute), user(), Usage::Login)
    }

    fn refused(minute: i64) -> UsageEntry {
        let what = Usage::Refused { operation: None, codes: vec!["1005".to_owned()], class: ErrorClass::TokenExpired };
        UsageEntry::new(at(minute), user(), what)
    }

    #[tokio::test]
    async fn the_budget_holds_over_two_books_of_one_file_and_says_when_it_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let book = || UsageFile::new(folder.path().join("usage.jsonl"));
        for minute in 0..3 {
            assert_eq!(book().spend_login(&login(minute), WINDOW, Some(3)).await.unwrap(), Spent::Counted);
        }
        let fourth = book().spend_login(&login(5), WINDOW, Some(3)).await.unwrap();
        assert_eq!(fourth, Spent::UsedUp { until: at(15) });
        assert_eq!(book().spend_login(&login(15), WINDOW, Some(3)).await.unwrap(), Spent::Counted);
        // Where nothing is protected it is counted all the same.
        assert_eq!(book().spend_login(&login(15), WINDOW, None).await.unwrap(), Spent::Counted);
        assert_eq!(book().since(at(1)).await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_is_passed_over_and_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usage.jsonl");
        let book = UsageFile::new(path.clone());
        book.note(refused(0)).await.unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"at\":\"2026-");
        std::fs::write(&path, text).unwrap();
        book.note(refused(1)).await.unwrap();
        assert_eq!(book.since(at(0)).await.unwrap(), [refused(0), refused(1)]);
    }

    #[tokio::test]
    async fn a_file_that_has_grown_is_shortened_to_what_still_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usage.jsonl");
        let old = serde_json::to_string(&refused(0)).unwrap() + "\n";
        let count = usize::try_from(BYTES_KEPT_MAX).unwrap() / old.len() + 1;
        std::fs::write(&path, old.repeat(count)).unwrap();
        let book = UsageFile::new(path.clone());
        let day = 24 * 60;
        book.note(refused(day)).await.unwrap();
        assert_eq!(book.since(at(0)).await.unwrap().len(), count + 1, "what is not old is kept");
        let mut before = File::open(&path).unwrap();
        book.note(refused(3 * day)).await.unwrap();
        assert_eq!(book.since(at(0)).await.unwrap(), [refused(day), refused(3 * day)]);
        assert!(std::fs::metadata(&path).unwrap().len() < 1_000);
        assert_eq!(
            read(&mut before, BYTES_READ_MAX).unwrap().len(),
            count + 2,
            "the file that was replaced is whole, the last entry included: a kill at any moment loses nothing"
        );
    }

    #[tokio::test]
    async fn a_large_file_is_added_to_and_not_written_anew_while_more_than_half_of_it_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usage.jsonl");
        let day = 24 * 60;
        let [old, new] = [0, 2 * day].map(|minute| serde_json::to_string(&refused(minute)).unwrap() + "\n");
        let count = usize::try_from(BYTES_KEPT_MAX).unwrap() / old.len();
        std::fs::write(&path, old.repeat(count / 2) + &new.repeat(count)).unwrap();
        let mut before = File::open(&path).unwrap();
        UsageFile::new(path).note(refused(3 * day)).await.unwrap();
        let entries = read(&mut before, BYTES_READ_MAX).unwrap();
        assert_eq!((entries.len(), entries.last()), (count / 2 + count + 1, Some(&refused(3 * day))));
    }

    #[tokio::test]
    async fn of_a_file_that_is_too_large_the_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usage.jsonl");
        let book = UsageFile::new(path.clone());
        for minute in 0..9 {
            book.note(refused(minute)).await.unwrap();
        }
        let line = std::fs::metadata(&path).unwrap().len() / 9;
        let read = read(&mut File::open(&path).unwrap(), line * 2 + line / 2).unwrap();
        assert_eq!(read, [refused(7), refused(8)]);
    }

    #[tokio::test]
    async fn looking_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(UsageFile::new(folder.path().join("usage.jsonl")).since(at(0)).await.unwrap(), []);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = UsageFile::new(folder.path().to_path_buf()).note(refused(0)).await.unwrap_err();
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }
}

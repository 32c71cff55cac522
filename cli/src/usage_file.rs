//! The use of accounts in a file that all processes of an installation share: one entry a line, oldest first.
//!
//! Every look and every line is made under a lock on the file, which the operating system releases when its holder
//! dies. A line that was cut by a crash is passed over. The file is shortened when it has grown, so that it never
//! holds much more than two days.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::credential::UserScope;
use einvoice_core::usage::{Spent, Usage, UsageBook, UsageEntry, UsageError, logins_that_count};
use jiff::{SignedDuration, Timestamp};

/// The file is shortened when it is larger, in bytes: some thousand entries.
const BYTES_KEPT_MAX: u64 = 512 * 1024;

/// More than this is not read: no honest file grows so far.
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
        user: &UserScope,
        now: Timestamp,
        window: Duration,
        most: Option<usize>,
    ) -> Result<Spent, UsageError> {
        let user = user.clone();
        self.on_thread(move |path| {
            let mut file = opened(path)?;
            let entries = read(&mut file)?;
            let logins = logins_that_count(&entries, &user, now, window);
            // The budget is free again when so many have left the window that one fewer than the most remain.
            let blocking = most.and_then(|most| logins.len().checked_sub(most)).and_then(|over| logins.get(over));
            if let Some(oldest) = blocking {
                return Ok(Spent::UsedUp { until: oldest.checked_add(window).unwrap_or(now) });
            }
            append(&mut file, &entries, &UsageEntry { at: now, user, what: Usage::Login })?;
            Ok(Spent::Counted)
        })
        .await
    }

    async fn note(&self, entry: UsageEntry) -> Result<(), UsageError> {
        self.on_thread(move |path| {
            let mut file = opened(path)?;
            let grown = file.metadata()?.len() > BYTES_KEPT_MAX;
            let entries = if grown { read(&mut file)? } else { Vec::new() };
            append(&mut file, &entries, &entry)
        })
        .await
    }

    async fn since(&self, moment: Timestamp) -> Result<Vec<UsageEntry>, UsageError> {
        self.on_thread(move |path| {
            let mut file = match OpenOptions::new().read(true).open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            file.lock_shared()?;
            let mut entries = read(&mut file)?;
            entries.retain(|entry| entry.at >= moment);
            Ok(entries)
        })
        .await
    }
}

/// The file, locked until it is dropped.
fn opened(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

fn read(file: &mut File) -> std::io::Result<Vec<UsageEntry>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(BYTES_READ_MAX).read_to_end(&mut bytes)?;
    // A line that a crash cut, or that a newer program wrote, says nothing here.
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Writes an entry at the end; a file that has grown is written anew with the entries that still count, which are
/// those that were read before.
fn append(file: &mut File, entries: &[UsageEntry], entry: &UsageEntry) -> std::io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut lines = Vec::new();
    if length > BYTES_KEPT_MAX {
        let from = entry.at.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        for kept in entries.iter().filter(|kept| kept.at >= from) {
            line(&mut lines, kept)?;
        }
        file.rewind()?;
        file.set_len(0)?;
    } else if ends_within_a_line(file, length)? {
        lines.push(b'\n');
    }
    line(&mut lines, entry)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&lines)?;
    // A login that is forgotten after a crash would be one too many.
    file.sync_data()
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
    use einvoice_core::environment::{Environment, Product, RouteName};
    use einvoice_core::portal_code::ErrorClass;

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

    fn refused(minute: i64) -> UsageEntry {
        let what = Usage::Refused { operation: None, codes: vec!["1005".to_owned()], class: ErrorClass::TokenExpired };
        UsageEntry { at: at(minute), user: user(), what }
    }

    #[tokio::test]
    async fn the_budget_holds_over_two_books_of_one_file_and_says_when_it_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let book = || UsageFile::new(folder.path().join("usage.jsonl"));
        for minute in 0..3 {
            assert_eq!(book().spend_login(&user(), at(minute), WINDOW, Some(3)).await.unwrap(), Spent::Counted);
        }
        let fourth = book().spend_login(&user(), at(5), WINDOW, Some(3)).await.unwrap();
        assert_eq!(fourth, Spent::UsedUp { until: at(15) });
        assert_eq!(book().spend_login(&user(), at(15), WINDOW, Some(3)).await.unwrap(), Spent::Counted);
        // Where nothing is protected it is counted all the same.
        assert_eq!(book().spend_login(&user(), at(15), WINDOW, None).await.unwrap(), Spent::Counted);
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
        book.note(refused(3 * day)).await.unwrap();
        assert_eq!(book.since(at(0)).await.unwrap(), [refused(day), refused(3 * day)]);
        assert!(std::fs::metadata(&path).unwrap().len() < 1_000);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = UsageFile::new(folder.path().to_path_buf()).note(refused(0)).await.unwrap_err();
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }
}

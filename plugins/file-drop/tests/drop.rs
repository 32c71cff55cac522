//! Files as they come: rewritten before their turn, shared by sources, and with triggers that stay.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use einvoice_core::clock::{Clock as _, ManualClock};
use einvoice_core::source::SourceItem;
use einvoice_file_drop::{Entries, FileDrop, FolderSettings, Format, Found, Lister};
use futures_util::StreamExt;

/// A whole file as one document; something may happen while the first one is read.
#[derive(Debug, Default)]
struct Whole {
    meanwhile: Option<Rewrite>,
}

/// A file that a program writes anew, and when.
#[derive(Debug)]
struct Rewrite {
    path: PathBuf,
    at: SystemTime,
}

impl Format for Whole {
    fn read(&self, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        if let Some(rewrite) = self.meanwhile.as_ref().filter(|rewrite| rewrite.path != file.path) {
            write(&rewrite.path, "half of", rewrite.at);
        }
        entries.record("", file.shown.clone(), fs::read_to_string(&file.path)?, None);
        Ok(())
    }
}

fn write(path: &Path, content: &str, at: SystemTime) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

fn settings(path: &str) -> FolderSettings {
    FolderSettings {
        path: path.to_owned(),
        extensions: &["txt"],
        move_files: true,
        settle_ms: 1_000,
        ..FolderSettings::default()
    }
}

fn claiming(path: &str) -> FolderSettings {
    FolderSettings { claim_files: true, work_folder: Some("work".to_owned()), ..settings(path) }
}

fn source(folder: &Path, settings: FolderSettings, format: Whole, clock: &ManualClock) -> FileDrop<Whole> {
    FileDrop::new(Lister::new(folder.to_owned(), settings), format, Arc::new(clock.clone()))
}

/// What is read of a source: the texts of its records, and the error at its end.
async fn read(source: &FileDrop<Whole>) -> (Vec<String>, Option<String>) {
    let (mut texts, mut error) = (Vec::new(), None);
    let mut stream = source.fetch().await.unwrap();
    while let Some(item) = stream.next().await {
        match item {
            Ok(SourceItem::Record(record)) => texts.push(record.content),
            Ok(other) => panic!("{other:?}"),
            Err(found) => error = Some(found.to_string()),
        }
    }
    (texts, error)
}

fn clock() -> ManualClock {
    ManualClock::jumping("2026-11-22T06:30:00Z".parse().unwrap())
}

#[tokio::test]
async fn a_file_that_is_rewritten_before_its_turn_is_read_once_it_is_settled_again() {
    // Still being written when its turn comes, and complete again.
    for (age_s, wanted) in [(0, vec!["first"]), (10, vec!["first", "half of"])] {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let now = SystemTime::from(clock.now());
        let path = |name: &str| folder.path().join(name);
        for (name, content) in [("a.txt", "first"), ("b.txt", "second")] {
            write(&path(name), content, now - Duration::from_hours(1));
        }
        let rewrite = Rewrite { path: path("b.txt"), at: now - Duration::from_secs(age_s) };
        let busy = source(folder.path(), settings("."), Whole { meanwhile: Some(rewrite) }, &clock);
        assert_eq!(read(&busy).await, (wanted.into_iter().map(str::to_owned).collect(), None), "{age_s} s");
        clock.advance(Duration::from_mins(1));
        let (texts, _) = read(&source(folder.path(), settings("."), Whole::default(), &clock)).await;
        assert_eq!(texts, ["first", "half of"], "the next run reads it");
    }
}

#[tokio::test]
async fn sources_that_share_a_working_folder_take_up_their_own_files_alone() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let now = SystemTime::from(clock.now());
    write(&folder.path().join("north/x.txt"), "of the north", now - Duration::from_hours(1));
    fs::create_dir(folder.path().join("south")).unwrap();
    let source = |path: &str| source(folder.path(), claiming(path), Whole::default(), &clock);
    // A program that ends before its file is settled.
    let ended = source("north");
    assert_eq!(read(&ended).await.0, ["of the north"]);
    drop(ended);
    assert_eq!(read(&source("south")).await, (Vec::new(), None));
    assert_eq!(read(&source("north")).await.0, ["of the north"]);
}

#[tokio::test]
async fn a_trigger_that_cannot_be_removed_is_named_and_the_other_files_are_read() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let path = |name: &str| folder.path().join("in").join(name);
    for name in ["a.txt", "a.txt.done", "b.txt", "b.txt.done"] {
        write(&path(name), name, SystemTime::from(clock.now()));
    }
    // No file, so it cannot be removed as one.
    fs::create_dir(path("a.done")).unwrap();
    let settings = FolderSettings { trigger_suffix: Some(".done".to_owned()), ..claiming("in") };
    let source = source(folder.path(), settings, Whole::default(), &clock);
    for _ in 0..2 {
        let (texts, error) = read(&source).await;
        let error = error.unwrap();
        assert_eq!(texts, ["b.txt"], "{error}");
        assert!(error.contains("a.done: this trigger has served and cannot be removed"), "{error}");
    }
    fs::remove_dir(path("a.done")).unwrap();
    assert_eq!(read(&source).await, (vec!["a.txt".to_owned(), "b.txt".to_owned()], None));
}

/// What the log says while a folder is listed.
fn told(lister: &Lister) -> Vec<String> {
    #[derive(Clone, Default)]
    struct Log(Arc<std::sync::Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let kept = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || kept.clone()).with_ansi(false).without_time().finish();
    tracing::subscriber::with_default(subscriber, || lister.list().unwrap());
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn files_that_are_left_alone_are_counted_and_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| fs::write(folder.path().join(name), "x").unwrap();
    for name in
        ["a.txt", "O_800_0000000000182520", "O_800_0000000000182521", "b.txt.tmp", ".lock", "SALES_R_2.txt", "b.txt.go"]
    {
        write(name);
    }
    fs::create_dir(folder.path().join("done")).unwrap();
    let settings = FolderSettings {
        response_suffix: "_R".to_owned(),
        ignore_suffixes: vec![".tmp".to_owned(), ".go".to_owned()],
        ..settings(".")
    };
    let lister = Lister::new(folder.path().to_owned(), settings);
    let first = told(&lister);
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(
        first[0].contains("WARN") && first[0].contains("2 files, the first of them O_800_0000000000182520, are left")
    );
    assert!(first[0].contains("(txt)") && first[0].contains("`inbox/*`"), "{}", first[0]);
    assert!(first[1].contains("INFO") && first[1].contains("the file SALES_R_2.txt is left alone"), "{}", first[1]);
    assert_eq!(told(&lister), [""; 0]);
    write("x.pdf");
    assert_eq!(told(&lister).len(), 2);
}

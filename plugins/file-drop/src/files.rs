//! Which files there are to read, and whether they are complete.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use einvoice_core::date::ist_date;
use einvoice_core::source::SourceError;
use glob::{MatchOptions, Pattern};
use jiff::Timestamp;

use crate::left::LeftAlone;
use crate::name;
use crate::trigger;
use crate::work::{self, WorkFolder};

/// Default names of the folders for settled files.
const DONE: &str = "done";
/// See [`DONE`].
const WORK: &str = "work";
/// See [`DONE`].
const NEEDS_PERSON: &str = "needs-person";

/// A file and the look of it by which a change is noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a file is its place, its size and its time")]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// How it is called in messages and in the ledger: from the configuration's folder.
    pub shown: String,
    /// Its size.
    pub size: u64,
    /// When it was last changed, where the file system says so.
    pub modified: Option<Timestamp>,
}

/// Which files a source reads and what becomes of them; each source has keys of these names in its configuration.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "sources fill it by name")]
pub struct FolderSettings {
    /// A folder, a pattern (`*`, `?`, `**`), or one file.
    pub path: String,
    /// Endings, without dot and in small letters, of the files that are read from a folder.
    pub extensions: &'static [&'static str],
    /// Where a file goes once all its records are done; `%Y`, `%m` and `%d` are the day on which that is, in India.
    /// Default: `done` beside it.
    pub done_folder: Option<String>,
    /// Where a file goes once all its records are settled and one needs a person; with the day as above. Default:
    /// `needs-person` beside it.
    pub needs_person_folder: Option<String>,
    /// Whether settled files are moved at all.
    pub move_files: bool,
    /// Whether a file is moved into the working folder before it is read, so that no two workers read the same one. Only
    /// where files are moved at all.
    pub claim_files: bool,
    /// The working folder, on the drive of the searched one; each searched folder has one of its own in it, so that
    /// sources may share it. Default: `work` in the searched folder.
    pub work_folder: Option<String>,
    /// Whether each file is answered, so that a document that comes again in a later file is answered there too.
    pub answer_arrivals: bool,
    /// How long size and time of a file must stand still before it is read, in milliseconds; at most 600,000.
    pub settle_ms: u64,
    /// Read a file only when a second file with this ending lies beside it.
    pub trigger_suffix: Option<String>,
    /// Endings of names that are left alone.
    pub ignore_suffixes: Vec<String>,
    /// End of the base name of response files, which are never read; empty where there are none.
    pub response_suffix: String,
}

/// Longest settling time: ten minutes, the range of the setting.
const SETTLE_MS_MAX: u64 = 600_000;

impl FolderSettings {
    /// Looks for settings that make no sense.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.path.is_empty() {
            return Err(("path", "is empty: name a folder, a file or a pattern".to_owned()));
        }
        if self.path.contains(['*', '?', '['])
            && let Err(error) = Pattern::new(&self.path)
        {
            return Err(("path", format!("found `{}`, which is no pattern: {error}", self.path)));
        }
        if self.settle_ms > SETTLE_MS_MAX {
            return Err(("settle_ms", format!("found {}: write 0 to {SETTLE_MS_MAX}", self.settle_ms)));
        }
        if self.trigger_suffix.as_ref().is_some_and(|suffix| suffix.is_empty() || suffix.contains(['/', '\\'])) {
            return Err(("trigger_suffix", "write an ending such as `.done`, or leave it out".to_owned()));
        }
        for (key, folder) in [("done_folder", &self.done_folder), ("needs_person_folder", &self.needs_person_folder)] {
            let Some(folder) = folder.as_ref().filter(|folder| folder.contains('%')) else { continue };
            let example = "a folder with `%Y`, `%m` and `%d` for the day, such as `archive/%Y/%m/%d`";
            if undated(folder).as_os_str().is_empty() {
                return Err((key, format!("found `{folder}`: begin with a name, as in {example}")));
            }
            if let Err(error) = dated(folder, Timestamp::UNIX_EPOCH) {
                return Err((key, format!("found `{folder}`: {error}; write {example}")));
            }
        }
        if self.work_folder.as_ref().is_some_and(String::is_empty) {
            return Err(("work_folder", "is empty: name a folder, or leave it out".to_owned()));
        }
        Ok(())
    }
}

/// Lists files by the settings of a source.
#[derive(Debug)]
pub struct Lister {
    directory: PathBuf,
    config: FolderSettings,
    /// Known once the searched folder was found; one file that is named is read as it lies.
    work: OnceLock<WorkFolder>,
    /// What was said of files that are left alone: once, until others lie there.
    said: Mutex<LeftAlone>,
}

impl Lister {
    /// Lists from a folder, at which relative paths start.
    #[must_use]
    pub fn new(directory: PathBuf, settings: FolderSettings) -> Self {
        Self { directory, config: settings, work: OnceLock::new(), said: Mutex::default() }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &FolderSettings {
        &self.config
    }

    /// Everything to read, by name: what this worker has claimed, or takes over from one that is gone, and what is new.
    /// With a trigger configured, only new files whose trigger is there.
    ///
    /// # Errors
    /// When there is no such folder, or it or the working folder cannot be read.
    pub fn list(&self) -> Result<Vec<Found>, SourceError> {
        let (mut paths, mut left) = self.candidates()?;
        // Known before files are judged: what lies in it is not new.
        let work = self.find_work().filter(|_| self.config.move_files);
        for path in paths.iter().filter(|path| name::is_response(path, &self.config.response_suffix)) {
            if !self.is_settled_place(path) {
                left.response(path);
            }
        }
        self.say(left);
        paths.retain(|path| self.wanted(path));
        if let Some(work) = work {
            paths.extend(self.claimed(work).map_err(|error| cannot_use(work.root(), error))?);
        }
        let mut found: Vec<Found> = paths.into_iter().filter_map(|path| self.look(path)).collect();
        found.sort_by(|left, right| left.shown.cmp(&right.shown));
        Ok(found)
    }

    /// Says what is left alone, unless it was said before.
    fn say(&self, left: LeftAlone) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said == left {
            return;
        }
        if let Some(message) = left.unread(self.config.extensions) {
            tracing::warn!(path = %self.config.path, "{message}");
        }
        if let Some(message) = left.answers(&self.config.response_suffix) {
            tracing::info!(path = %self.config.path, "{message}");
        }
        *said = left;
    }

    /// Moves a file that is about to be read into the working folder, where there is one. Nothing when another worker
    /// has it, or when an earlier file of its name is being worked on here.
    ///
    /// # Errors
    /// When it cannot be moved, or its trigger cannot be removed, which is tried again in the next run.
    pub(crate) fn claim(&self, file: Found) -> Result<Option<Found>, SourceError> {
        let Some(work) = self.work.get().filter(|_| self.config.move_files) else { return Ok(Some(file)) };
        if let Some(origin) = work.origin(&file.path) {
            // Its worker may have ended between the two steps of a claim.
            self.remove_triggers(&origin)?;
            return Ok(Some(file));
        }
        let place = work.claim(&file.path).map_err(|error| cannot_claim(&file, work.root(), error))?;
        let Some(place) = place else {
            tracing::debug!(file = %file.shown, "another worker has the file, or an earlier one of its name is open");
            return Ok(None);
        };
        self.remove_triggers(&file.path)?;
        Ok(self.look(place))
    }

    /// The files of this worker, with those that one that is gone has left behind.
    fn claimed(&self, work: &WorkFolder) -> io::Result<Vec<PathBuf>> {
        work.take_over(|origin| self.is_covered(origin))?;
        work.claimed()
    }

    /// A trigger counts once: the next file of this name waits for its own.
    fn remove_triggers(&self, origin: &Path) -> Result<(), SourceError> {
        if origin.symlink_metadata().is_ok() { Ok(()) } else { trigger::remove(self.triggers(origin)) }
    }

    /// The working folder of this searched path; nothing where files are read as they lie.
    pub(crate) fn work_folder(&self) -> Option<&Path> {
        self.work.get().filter(|_| self.config.move_files).map(WorkFolder::root)
    }

    fn find_work(&self) -> Option<&WorkFolder> {
        if !self.config.claim_files {
            return None;
        }
        let base = self.searched()?;
        Some(self.work.get_or_init(|| {
            let root = match self.shared_work() {
                Some(shared) => shared.join(work::name_of(base.strip_prefix(&self.directory).unwrap_or(&base))),
                None => base.join(WORK),
            };
            WorkFolder::new(root, base)
        }))
    }

    /// The working folder of the settings, which sources that search other folders may share.
    fn shared_work(&self) -> Option<PathBuf> {
        self.config.work_folder.as_ref().map(|folder| self.directory.join(folder))
    }

    /// The folder in which files are looked for; nothing where one file is named.
    fn searched(&self) -> Option<PathBuf> {
        let whole = self.directory.join(&self.config.path);
        if whole.is_dir() {
            return Some(whole);
        }
        let is_pattern = self.config.path.contains(['*', '?', '[']) && !whole.is_file();
        is_pattern.then(|| self.directory.join(root(&self.config.path)))
    }

    /// Where a file lies, or lay before it was claimed.
    fn origin(&self, file: &Path) -> PathBuf {
        self.work.get().and_then(|work| work.origin(file)).unwrap_or_else(|| file.to_owned())
    }

    /// A fresh look at a file; nothing when it is gone or no file.
    #[must_use]
    pub fn look(&self, path: PathBuf) -> Option<Found> {
        let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        let origin = self.origin(&path);
        let shown = origin.strip_prefix(&self.directory).unwrap_or(&origin).display().to_string();
        Some(Found { path, shown, size: metadata.len(), modified })
    }

    /// Whether nothing was written to the file for the settling time. A time in the future (another
    /// machine's clock) tells nothing, so such a file has to be looked at twice.
    #[must_use]
    pub fn settled(&self, file: &Found, now: Timestamp) -> bool {
        if self.config.trigger_suffix.is_some() || self.config.settle_ms == 0 {
            return true;
        }
        let age = file.modified.map(|modified| now.duration_since(modified));
        age.and_then(|age| Duration::try_from(age).ok()).is_some_and(|age| age >= self.settle_time())
    }

    /// The settling time.
    #[must_use]
    pub fn settle_time(&self) -> Duration {
        Duration::from_millis(self.config.settle_ms)
    }

    /// The folder for files that are settled now, from the place of a file.
    pub(crate) fn target(&self, file: &Path, needs_person: bool, now: Timestamp) -> PathBuf {
        let (configured, default) = if needs_person {
            (&self.config.needs_person_folder, NEEDS_PERSON)
        } else {
            (&self.config.done_folder, DONE)
        };
        match configured {
            // What cannot be a date was refused with the settings.
            Some(folder) => self.directory.join(dated(folder, now).unwrap_or_else(|_| folder.clone())),
            None => self.origin(file).parent().unwrap_or(Path::new("")).join(default),
        }
    }

    /// The trigger files that may lie beside a file; a claimed one has none any more.
    pub(crate) fn triggers(&self, file: &Path) -> Vec<PathBuf> {
        if self.work.get().is_some_and(|work| work.origin(file).is_some()) {
            return Vec::new();
        }
        let Some(suffix) = &self.config.trigger_suffix else { return Vec::new() };
        let beside = |name: Option<&std::ffi::OsStr>| {
            let mut name = name?.to_owned();
            name.push(suffix);
            Some(file.with_file_name(name))
        };
        [beside(file.file_name()), beside(file.file_stem())].into_iter().flatten().collect()
    }

    /// Whether a file of this place would be read: two sources may search one folder by other patterns.
    fn is_covered(&self, file: &Path) -> bool {
        let whole = self.directory.join(&self.config.path);
        if whole.is_dir() {
            return file.parent().is_some_and(|parent| same_place(parent, &whole))
                && has_extension(file, self.config.extensions);
        }
        Pattern::new(&self.pattern()).is_ok_and(|pattern| pattern.matches_path_with(file, match_options()))
    }

    /// The files that the settings name, and what lies beside them in a searched folder.
    fn candidates(&self) -> Result<(Vec<PathBuf>, LeftAlone), SourceError> {
        let path = self.directory.join(&self.config.path);
        if path.is_file() {
            return Ok((vec![path], LeftAlone::default()));
        }
        if path.is_dir() {
            return self.folder(&path).map_err(|error| cannot_list(&path, error));
        }
        if !self.config.path.contains(['*', '?', '[']) {
            return Err(SourceError::new(
                path.display().to_string(),
                "there is no such folder or file: create it, or correct the key `path` of this source",
            ));
        }
        Ok((self.matching()?, LeftAlone::default()))
    }

    fn folder(&self, path: &Path) -> io::Result<(Vec<PathBuf>, LeftAlone)> {
        let (mut paths, mut left) = (Vec::new(), LeftAlone::default());
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if has_extension(&path, self.config.extensions) {
                paths.push(path);
            } else if path.is_file() && !self.is_marked(&path) {
                left.without_ending(&path);
            }
        }
        Ok((paths, left))
    }

    /// Whether the name says that nobody is to read the file: hidden ones, those that are still being written, triggers.
    fn is_marked(&self, path: &Path) -> bool {
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let lower = file_name.to_ascii_lowercase();
        let ends = |suffix: &String| !suffix.is_empty() && lower.ends_with(&suffix.to_ascii_lowercase());
        lower.starts_with(['.', '~']) || self.config.ignore_suffixes.iter().chain(&self.config.trigger_suffix).any(ends)
    }

    fn matching(&self) -> Result<Vec<PathBuf>, SourceError> {
        let root = self.directory.join(root(&self.config.path));
        if !root.is_dir() {
            return Err(SourceError::new(
                root.display().to_string(),
                "there is no such folder: create it, or correct the key `path` of this source",
            ));
        }
        let pattern = self.pattern();
        let paths = glob::glob_with(&pattern, match_options()).map_err(|error| {
            SourceError::new(self.config.path.clone(), format!("the key `path` is no pattern: {error}"))
        })?;
        paths.map(|entry| entry.map_err(|error| broken(&error))).collect()
    }

    /// The pattern of the settings, from their folder on.
    fn pattern(&self) -> String {
        if Path::new(&self.config.path).is_absolute() {
            return self.config.path.clone();
        }
        let directory = Pattern::escape(&self.directory.display().to_string());
        if directory.is_empty() { self.config.path.clone() } else { format!("{directory}/{}", self.config.path) }
    }

    fn wanted(&self, path: &Path) -> bool {
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let lower = file_name.to_ascii_lowercase();
        let ignored = |suffix: &String| !suffix.is_empty() && lower.ends_with(&suffix.to_ascii_lowercase());
        if lower.starts_with(['.', '~']) || self.config.ignore_suffixes.iter().any(ignored) {
            return false;
        }
        if name::is_response(path, &self.config.response_suffix) || self.is_settled_place(path) {
            return false;
        }
        let triggers = self.triggers(path);
        triggers.is_empty() || triggers.iter().any(|trigger| trigger.is_file())
    }

    /// Whether a file lies where settled files go, which a pattern with `**` reaches too.
    fn is_settled_place(&self, path: &Path) -> bool {
        let Some(parent) = path.parent() else { return false };
        if self.work.get().is_some_and(|work| path.starts_with(self.shared_work().as_deref().unwrap_or(work.root()))) {
            return true;
        }
        let configured = |folder: &Option<String>, default: &str| match folder {
            Some(folder) if folder.contains('%') => parent.starts_with(self.directory.join(undated(folder))),
            Some(folder) => same_place(&self.directory.join(folder), parent),
            // Only a folder inside another searched one: `path = "done"` itself may be asked for.
            None => parent.file_name().is_some_and(|name| name == default) && self.config.path.contains("**"),
        };
        configured(&self.config.done_folder, DONE) || configured(&self.config.needs_person_folder, NEEDS_PERSON)
    }
}

fn match_options() -> MatchOptions {
    MatchOptions { case_sensitive: cfg!(not(windows)), require_literal_separator: true, ..MatchOptions::new() }
}

/// A folder with the day of a moment, in India, for the marks in it.
fn dated(folder: &str, at: Timestamp) -> Result<String, jiff::Error> {
    if folder.contains('%') { jiff::fmt::strtime::format(folder, ist_date(at)) } else { Ok(folder.to_owned()) }
}

/// The part of a folder that has no day in it.
fn undated(folder: &str) -> PathBuf {
    let has_no_mark = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains('%');
    Path::new(folder).components().take_while(has_no_mark).collect()
}

/// Equal but for `.` components.
fn same_place(left: &Path, right: &Path) -> bool {
    let plain = |path: &Path| path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
    plain(left) == plain(right)
}

/// The part of a pattern before the first special character, up to a folder.
fn root(pattern: &str) -> PathBuf {
    let plain = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    match plain.rfind(['/', '\\']) {
        Some(end) => PathBuf::from(plain.get(..=end).unwrap_or_default()),
        None => PathBuf::new(),
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| extensions.contains(&extension.as_str()))
}

/// A folder that a pattern leads into and that cannot be read.
fn broken(error: &glob::GlobError) -> SourceError {
    let reason = format!("the folder cannot be read: {}; check its permissions", error.error());
    SourceError::new(error.path().display().to_string(), reason)
}

fn cannot_claim(file: &Found, work: &Path, error: io::Error) -> SourceError {
    let reason = format!(
        "it cannot be moved into the working folder {}, so it is not read: {error}; make both folders writable, on the \
         same drive, and check that no program holds the file; to read files as they lie, set `move_files = false`",
        work.display()
    );
    SourceError::new(file.shown.clone(), reason).because(error)
}

fn cannot_use(work: &Path, error: io::Error) -> SourceError {
    let reason = format!("the working folder cannot be used: {error}; check its permissions, or choose another one");
    SourceError::new(work.display().to_string(), reason).because(error)
}

fn cannot_list(path: &Path, error: io::Error) -> SourceError {
    SourceError::new(path.display().to_string(), format!("the folder cannot be read: {error}; check its permissions"))
        .because(error)
}

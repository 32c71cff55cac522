//! The working folder: a file is moved into it before it is read, so that two workers never read the same one.
//!
//! Each worker has a folder of its own in it, with a lock file that the operating system frees when the worker ends,
//! however that comes about. What lies in the folder of a worker whose lock is free was left behind, and whoever takes
//! that lock takes the files up. A rename is one step on every file system, so a file is always in one place.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Name of the lock file; sources read no name with a dot before it.
const LOCK: &str = ".lock";
/// How many names a worker tries for its folder.
const NAMES_MAX: u32 = 9_999;

/// The name of the folder of a searched path in a working folder that sources share: no two paths have one name.
pub(crate) fn name_of(searched: &Path) -> String {
    let plain: PathBuf = searched.components().filter(|part| *part != Component::CurDir).collect();
    let mut name = String::new();
    for letter in plain.to_string_lossy().chars() {
        // A name that begins with a dot may be one of the parent folder.
        if letter.is_alphanumeric() || matches!(letter, '-' | '_') || letter == '.' && !name.is_empty() {
            name.push(letter);
        } else {
            _ = write!(name, "%{:02X}", u32::from(letter));
        }
    }
    if name.is_empty() { "%".to_owned() } else { name }
}

/// The working folder of a source, as one worker uses it.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    root: PathBuf,
    /// Where claimed files came from: their places in a worker's folder are those below it.
    base: PathBuf,
    /// Made when the first file is claimed.
    own: Mutex<Option<Own>>,
}

/// The folder of this worker.
#[derive(Debug)]
struct Own {
    folder: PathBuf,
    /// Held until the worker ends.
    lock: Option<File>,
}

impl WorkFolder {
    /// A working folder at `root` for the files below `base`. Nothing is made yet.
    pub(crate) const fn new(root: PathBuf, base: PathBuf) -> Self {
        Self { root, base, own: Mutex::new(None) }
    }

    /// The folder that all workers share.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file that this worker has claimed came from.
    pub(crate) fn origin(&self, file: &Path) -> Option<PathBuf> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        file.strip_prefix(&own.as_ref()?.folder).ok().map(|below| self.base.join(below))
    }

    /// Takes a file, and says where it is now. Nothing when somebody else took it, or when this worker still has an
    /// earlier file of that name.
    pub(crate) fn claim(&self, file: &Path) -> io::Result<Option<PathBuf>> {
        let below = file.strip_prefix(&self.base).ok().or_else(|| file.file_name().map(Path::new));
        let Some(below) = below else { return Ok(None) };
        let target = self.own_folder()?.join(below);
        take(file, &target).map(|is_taken| is_taken.then_some(target))
    }

    /// The files that this worker has claimed.
    pub(crate) fn claimed(&self) -> io::Result<Vec<PathBuf>> {
        let folder = self.own.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|own| own.folder.clone());
        folder.map_or_else(|| Ok(Vec::new()), |folder| files_below(&folder))
    }

    /// Takes up what workers that are gone have left behind, as far as it is wanted by the place it came from.
    pub(crate) fn take_over(&self, is_wanted: impl Fn(&Path) -> bool) -> io::Result<()> {
        let others = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            others => others?,
        };
        for other in others {
            let other = other?.path();
            let is_own = {
                let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
                own.as_ref().is_some_and(|own| own.folder == other)
            };
            if is_own || !other.is_dir() {
                continue;
            }
            // Without its lock nothing is touched: its worker lives, or somebody else is at it.
            let Some(lock) = lock(&other)? else { continue };
            for file in files_below(&other)? {
                let Ok(below) = file.strip_prefix(&other) else { continue };
                if is_wanted(&self.base.join(below)) {
                    take(&file, &self.own_folder()?.join(below))?;
                }
            }
            clear(&other, lock);
        }
        Ok(())
    }

    /// The folder of this worker, made when there is none yet.
    fn own_folder(&self) -> io::Result<PathBuf> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = &*own {
            return Ok(own.folder.clone());
        }
        fs::create_dir_all(&self.root)?;
        let process = std::process::id();
        for number in 1..=NAMES_MAX {
            let folder = self.root.join(format!("worker-{process}-{number}"));
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            // Whoever looks for what is left behind may have taken the lock of a folder this new.
            if let Some(lock) = lock(&folder)? {
                *own = Some(Own { folder: folder.clone(), lock: Some(lock) });
                return Ok(folder);
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "it holds 9999 folders of this process; clear it"))
    }
}

impl Drop for WorkFolder {
    /// What is not settled stays for the next worker; a folder without files is of no use to anybody.
    fn drop(&mut self) {
        let own = self.own.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Own { folder, lock: Some(lock) }) = own.take() {
            clear(&folder, lock);
        }
    }
}

/// The lock of a worker's folder; nothing when it is held, or the folder is gone.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(LOCK));
    let file = match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Moves a file to a free place. False when it is gone, or the place is taken.
fn take(file: &Path, target: &Path) -> io::Result<bool> {
    if target.symlink_metadata().is_ok() {
        return Ok(false);
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::rename(file, target) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a worker's folder as far as it is empty. That it stays harms nobody, so nothing is reported.
fn clear(folder: &Path, lock: File) {
    if files_below(folder).is_ok_and(|files| files.is_empty()) {
        // While it is locked, nobody takes it for one that was left behind.
        drop(fs::remove_file(folder.join(LOCK)));
        drop(lock);
        remove_empty(folder);
    }
}

fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_empty(&entry.path());
        }
    }
    drop(fs::remove_dir(folder));
}

/// All files below a worker's folder, beside its lock.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != LOCK) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for name in names {
            fs::write(folder.path().join(name), name).unwrap();
        }
        folder
    }

    fn worker(inbox: &Path) -> WorkFolder {
        WorkFolder::new(inbox.join("work"), inbox.to_owned())
    }

    /// Names of the files that a worker has, by the place they came from.
    fn has(worker: &WorkFolder) -> Vec<String> {
        let origin = |file: PathBuf| worker.origin(&file).unwrap().strip_prefix(&worker.base).unwrap().to_owned();
        let mut names: Vec<String> =
            worker.claimed().unwrap().into_iter().map(|file| origin(file).display().to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_claimed_by_one_of_two_workers() {
        let inbox = inbox(&["a", "b"]);
        let (ann, bob) = (worker(inbox.path()), worker(inbox.path()));
        let place = ann.claim(&inbox.path().join("a")).unwrap().unwrap();
        assert_eq!(fs::read_to_string(place).unwrap(), "a");
        assert_eq!(bob.claim(&inbox.path().join("a")).unwrap(), None);
        assert!(bob.claim(&inbox.path().join("b")).unwrap().is_some());
        // Neither takes from a worker that lives.
        for one in [&ann, &bob] {
            one.take_over(|_| true).unwrap();
        }
        assert_eq!((has(&ann), has(&bob)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    }

    #[test]
    fn racing_workers_share_files_without_reading_one_twice() {
        let names: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
        let inbox = inbox(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let workers: Vec<WorkFolder> = (0..4).map(|_| worker(inbox.path())).collect();
        std::thread::scope(|scope| {
            for one in &workers {
                let (names, inbox) = (&names, inbox.path());
                scope.spawn(move || {
                    one.take_over(|_| true).unwrap();
                    for name in names {
                        one.claim(&inbox.join(name)).unwrap();
                    }
                });
            }
        });
        let mut all: Vec<String> = workers.iter().flat_map(has).collect();
        all.sort();
        let mut wanted = names;
        wanted.sort();
        assert_eq!(all, wanted);
    }

    #[test]
    fn what_a_worker_left_behind_is_taken_up_with_its_place() {
        let inbox = inbox(&["a", "sub/b", "other"]);
        let dead = worker(inbox.path());
        for name in ["a", "sub/b", "other"] {
            dead.claim(&inbox.path().join(name)).unwrap();
        }
        drop(dead);
        let next = worker(inbox.path());
        next.take_over(|origin| !origin.ends_with("other")).unwrap();
        let place = Path::new("sub").join("b").display().to_string();
        assert_eq!(has(&next), ["a".to_owned(), place]);
        // What is not ours lies where it lay, for whoever wants it.
        let third = worker(inbox.path());
        third.take_over(|_| true).unwrap();
        assert_eq!(has(&third), ["other"]);
        drop((next, third));
        assert_eq!(fs::read_dir(inbox.path().join("work")).unwrap().count(), 2);
    }

    #[test]
    fn each_searched_path_has_a_name_of_its_own() {
        for (path, name) in [
            ("inbox", "inbox"),
            ("./inbox", "inbox"),
            ("inbox/north", "inbox%2Fnorth"),
            ("inbox%2Fnorth", "inbox%252Fnorth"),
            ("in.2026 b", "in.2026%20b"),
            ("../other", "%2E.%2Fother"),
            ("", "%"),
        ] {
            let path: PathBuf = Path::new(path).components().collect();
            assert_eq!(name_of(&path).replace("%5C", "%2F"), name, "{}", path.display());
        }
    }

    #[test]
    fn a_second_file_of_a_name_waits_until_the_first_is_settled() {
        let inbox = inbox(&["a"]);
        let one = worker(inbox.path());
        let first = one.claim(&inbox.path().join("a")).unwrap().unwrap();
        fs::write(inbox.path().join("a"), "second").unwrap();
        assert_eq!(one.claim(&inbox.path().join("a")).unwrap(), None);
        fs::remove_file(first).unwrap();
        let second = one.claim(&inbox.path().join("a")).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&second).unwrap(), "second");
        // A worker that has nothing left leaves nothing behind.
        fs::remove_file(second).unwrap();
        drop(one);
        assert_eq!(fs::read_dir(inbox.path().join("work")).unwrap().count(), 0);
    }
}

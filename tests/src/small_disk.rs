//! A disk of a few kilobytes, which gets full and can be read only: a file system in memory, where a test may mount one.

#![expect(clippy::missing_panics_doc, reason = "a helper of a test fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Mounted at a folder until it is dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts a disk at a folder; nothing, which is said, where that is not possible or allowed.
    #[expect(clippy::print_stdout, reason = "whoever runs a test reads there what was not shown")]
    #[must_use]
    pub fn at(folder: &Path) -> Option<Self> {
        let is_mounted = cfg!(target_os = "linux")
            && run("mount", &["-t", "tmpfs", "-o", "size=64k,mode=0777", "tmpfs", &folder.to_string_lossy()]);
        if !is_mounted {
            println!("skipped: a small disk can be mounted by the superuser of Linux only");
        }
        is_mounted.then(|| Self(folder.to_owned()))
    }

    /// Fills it up, and says with which file.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let filler = self.0.join("filler");
        let mut size = 64 * 1024;
        while std::fs::write(&filler, vec![b'x'; size]).is_err() {
            size -= 1024;
        }
        filler
    }

    /// Lets nobody write on it, or everybody again; as long as no file on it is open for writing.
    pub fn read_only(&self, is_read_only: bool) {
        let mode = if is_read_only { "remount,ro" } else { "remount,rw" };
        assert!(run("mount", &["-o", mode, &self.0.to_string_lossy()]));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a source under test may still hold its lock on it.
        run("umount", &["-l", &self.0.to_string_lossy()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

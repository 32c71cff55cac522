//! The program as people and scripts meet it: the real binary, its text, its JSON, its exit codes.
//!
//! Text is compared with snapshots, so that a change of what users see is visible in review.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod by_hand;
mod cases;
mod doctor;
mod dry_run;
mod environment;
mod ewb;
mod explain;
mod gsp;
mod guide;
mod help;
mod jobs;
mod life;
mod mapping;
mod masters;
mod new;
mod once;
mod sap;
mod setup;
mod sheets;
mod test_report;
mod validate;
mod validate_formats;
mod verify;
mod wrong;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What the program answered.
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    /// Everything a person would see, in a form for snapshots: without the folder of the test.
    fn shown(&self, directory: &Path) -> String {
        let text = format!("exit code {}\n--- out ---\n{}--- err ---\n{}", self.code, self.out, self.err);
        tidy(&text, directory)
    }

    /// The JSON objects on standard output, one a line.
    fn objects(&self) -> Vec<serde_json::Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}

fn tidy(text: &str, directory: &Path) -> String {
    let directory = directory.to_str().unwrap();
    let text = text.replace(directory, "[dir]").replace("einvoice.exe", "einvoice");
    if cfg!(windows) { text.replace('\\', "/") } else { text }
}

/// A call of the program in a folder, with a clean environment.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_einvoice"));
    command.args(arguments).current_dir(directory).env("NO_COLOR", "1").stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("EINVOICE") {
            command.env_remove(name);
        }
    }
    command
}

fn answer(output: Output) -> Answer {
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn einvoice(directory: &Path, arguments: &[&str]) -> Answer {
    answer(command(directory, arguments).output().unwrap())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A copy of a fixture in the folder.
fn fixture(directory: &Path, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures").join(name);
    std::fs::copy(from, directory.join(name)).unwrap();
}

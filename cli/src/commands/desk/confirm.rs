//! Asking a person before something that cannot be taken back.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use crate::error::CliError;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 256;

/// Whether a person can be asked: both the question and the answer go through a terminal.
pub(in super::super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a yes. Without a terminal nobody can be asked, and `--yes` is needed.
///
/// # Errors
/// [`CliError::Usage`] without a terminal; nothing was done then.
pub(in super::super) fn confirmed(question: &str) -> Result<bool, CliError> {
    if !can_ask() {
        return Err(CliError::Usage(format!(
            "{question} Nobody can be asked here and nothing was done: pass --yes if that is meant"
        )));
    }
    Ok(is_yes(&answer(&format!("{question} [y/N] "))?))
}

/// One line from a terminal.
pub(in super::super) fn answer(question: &str) -> Result<String, CliError> {
    // The question goes to standard error: standard output is for results.
    let _asked = write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush());
    let mut line = String::new();
    Read::take(io::stdin().lock(), ANSWER_BYTES_MAX)
        .read_line(&mut line)
        .map_err(|error| CliError::System { action: "read the answer".to_owned(), error })?;
    Ok(line.trim().to_owned())
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(is_yes("y") && is_yes("YES"));
        for no in ["", "n", "no", "yeah", "ja"] {
            assert!(!is_yes(no), "{no}");
        }
    }
}

//! Asking for a name and a secret: environment, prompt, standard input.

use std::io::{self, BufRead, IsTerminal, Write};

use einvoice_core::secret::Secret;

use crate::error::CliError;

/// The environment variable that a secret may come from, for programs that set up an installation.
const SECRET_VARIABLE: &str = "EINVOICE_SECRET";

/// Longest line taken as a name or a secret; the portal's are below 100 characters.
const LINE_BYTES_MAX: u64 = 4_096;

/// A client id or user name: from a prompt, or a line of standard input.
pub(super) fn name(word: &str) -> Result<Secret<String>, CliError> {
    if io::stdin().is_terminal() {
        // The prompt goes to standard error: standard output is for results.
        let _prompted = write!(io::stderr(), "{word}: ");
    }
    filled(line(word)?, word)
}

/// A secret: from `EINVOICE_SECRET`, else from a prompt that does not show it, else a line of
/// standard input.
pub(super) fn secret(word: &str) -> Result<Secret<String>, CliError> {
    if let Ok(value) = std::env::var(SECRET_VARIABLE) {
        return filled(value, word);
    }
    if !io::stdin().is_terminal() {
        return filled(line(word)?, word);
    }
    let value = crate::terminal::hidden(&format!("{word}: "))
        .map_err(|error| CliError::System { action: format!("ask for the {word}"), error })?;
    filled(value, word)
}

fn line(word: &str) -> Result<String, CliError> {
    let mut line = String::new();
    let mut input = io::Read::take(io::stdin().lock(), LINE_BYTES_MAX);
    input
        .read_line(&mut line)
        .map_err(|error| CliError::System { action: format!("read the {word} from standard input"), error })?;
    Ok(line)
}

fn filled(mut value: String, word: &str) -> Result<Secret<String>, CliError> {
    if value.trim().is_empty() {
        return Err(CliError::Usage(format!(
            "the {word} is empty: type it, set {SECRET_VARIABLE} for a secret, or pass a line on standard input"
        )));
    }
    // In place, so that no second copy of a secret is left behind in memory.
    value.truncate(value.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_is_refused_and_a_line_ending_is_not_part_of_one() {
        assert!(filled(" \n".to_owned(), "password").is_err());
        assert_eq!(filled("a b \r\n".to_owned(), "password").unwrap(), Secret::from("a b "));
    }
}

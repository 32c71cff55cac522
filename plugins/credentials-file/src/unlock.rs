//! What opens the file: a passphrase or an age identity, and where it comes from.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use age::x25519;
use einvoice_core::registry::BuildContext;
use einvoice_core::secret::Secret;
use zeroize::Zeroizing;

use crate::config::FileConfig;

/// Shortest passphrase that a new file is made with (NIST SP 800-63B asks for eight or more).
const PASSPHRASE_MIN: usize = 8;

/// Where the passphrase or identity comes from. Shows nothing secret.
#[derive(Clone)]
pub struct Unlock(Origin);

#[derive(Clone)]
enum Origin {
    Passphrase(Secret<String>),
    Configured { identity_file: Option<PathBuf>, passphrase_file: Option<PathBuf>, variable: String, prompt: bool },
}

/// What was found there.
pub(crate) enum Key {
    Passphrase(SecretString),
    Identities(Vec<x25519::Identity>),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match &self.0 {
            Origin::Passphrase(_) => "Unlock(a passphrase)",
            Origin::Configured { .. } => "Unlock(as configured)",
        })
    }
}

impl Unlock {
    /// By a passphrase that the embedding program has got itself.
    #[must_use]
    pub const fn passphrase(passphrase: Secret<String>) -> Self {
        Self(Origin::Passphrase(passphrase))
    }

    /// By what the configuration names, asked for when it is needed and not before.
    #[must_use]
    pub fn configured(config: &FileConfig, context: &BuildContext) -> Self {
        let path = |path: &Option<String>| path.as_ref().map(|path| context.path(path));
        Self(Origin::Configured {
            identity_file: path(&config.identity_file),
            passphrase_file: path(&config.passphrase_file),
            variable: config.passphrase_env.clone(),
            prompt: config.prompt,
        })
    }

    /// Fetches it: identity file, passphrase file, variable, terminal, in this order. `creating`
    /// asks twice and refuses a passphrase that is too short. The error says what to do.
    pub(crate) fn key(&self, creating: bool) -> Result<Key, String> {
        let passphrase = match &self.0 {
            Origin::Passphrase(passphrase) => Zeroizing::new(passphrase.expose().clone()),
            Origin::Configured { identity_file: Some(path), .. } => return identities(path),
            Origin::Configured { passphrase_file: Some(path), .. } => {
                einvoice_secret_file::first_line(path, "passphrase file")?
            }
            Origin::Configured { variable, prompt, .. } => from_variable_or_person(variable, *prompt, creating)?,
        };
        if passphrase.is_empty() {
            return Err("the passphrase is empty; give the one the file was made with".to_owned());
        }
        if creating && passphrase.chars().count() < PASSPHRASE_MIN {
            return Err(format!("a new passphrase needs at least {PASSPHRASE_MIN} characters; choose a longer one"));
        }
        Ok(Key::Passphrase(SecretString::from(passphrase.as_str())))
    }
}

fn identities(path: &Path) -> Result<Key, String> {
    let text = einvoice_secret_file::text(path, "identity file")?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities = lines.map(str::parse::<x25519::Identity>).collect::<Result<Vec<_>, _>>();
    match identities {
        Ok(identities) if !identities.is_empty() => Ok(Key::Identities(identities)),
        _ => Err(format!(
            "the identity file {} holds no line `AGE-SECRET-KEY-1...`, or something else beside it; make one with age-keygen",
            path.display()
        )),
    }
}

fn from_variable_or_person(variable: &str, prompt: bool, creating: bool) -> Result<Zeroizing<String>, String> {
    if let Some(value) = einvoice_secret_file::variable(variable)? {
        return Ok(Zeroizing::new(value.expose().clone()));
    }
    if !prompt || !io::stdin().is_terminal() {
        return Err(format!(
            "no passphrase: set {variable}, or configure `passphrase_file` or `identity_file`, or run at a terminal"
        ));
    }
    let ask = |question: &str| {
        rpassword::prompt_password(question)
            .map(Zeroizing::new)
            .map_err(|error| format!("the passphrase could not be read from the terminal: {error}"))
    };
    if !creating {
        return ask("Passphrase of the credentials file: ");
    }
    let first = ask("New passphrase for the credentials file: ")?;
    if first != ask("The same passphrase once more: ")? {
        return Err("the two passphrases differ; try again".to_owned());
    }
    Ok(first)
}

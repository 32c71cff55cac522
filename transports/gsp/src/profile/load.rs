//! Reads a profile: from a file or a text, over the profile that it extends.

use std::path::{Path, PathBuf};

use einvoice_core::registry::nearest;
use toml::{Table, Value};

use super::Profile;
use super::check::{Problems, check};
use super::shipped::shipped;

/// Bytes of a profile's file at most; the largest shipped one has a tenth of it.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Profiles that may extend one another in a row.
const CHAIN_MAX: usize = 8;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("profile {} cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: std::io::Error,
    },
    /// The file is far too large for a profile.
    #[error("profile {} has {bytes} bytes; a profile has at most {FILE_BYTES_MAX}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It is no TOML.
    #[error("profile {origin} is no TOML: {reason}")]
    Syntax {
        /// Which profile.
        origin: String,
        /// What the reader says, with line and column.
        reason: String,
    },
    /// There is no profile of this name.
    #[error("there is no profile `{name}`{}; a path to a file of your own ends in .toml", said_near(.near.as_deref(), .known))]
    Unknown {
        /// The name.
        name: String,
        /// A name that is nearly the same.
        near: Option<String>,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// Profiles extend one another in a circle, or in a chain that is too long.
    #[error("profiles extend one another without an end: {}", .chain.join(" extends "))]
    Endless {
        /// The profiles, in the order in which they were read.
        chain: Vec<String>,
    },
    /// A key is unknown, missing, or has a wrong value.
    #[error("profile {origin}, key `{key}`: {reason}")]
    Key {
        /// Which profile.
        origin: String,
        /// The key.
        key: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// It is understood, and cannot work.
    #[error("profile {origin} cannot work:\n{problems}")]
    Problems {
        /// Which profile.
        origin: String,
        /// All that is wrong.
        problems: Problems,
    },
}

/// What follows on a name that is not known: the nearest one, and all there are.
pub(super) fn said_near(near: Option<&str>, known: &[&str]) -> String {
    let known = known.join(", ");
    match near {
        Some(near) => format!("; did you mean `{near}`? There are: {known}"),
        None => format!("; there are: {known}"),
    }
}

/// Whether a profile is named by the path of its file, and not by the name of a shipped one.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

/// The profile of this name: a shipped one, or a file whose path begins at `folder`.
///
/// # Errors
/// When there is none, or it cannot work.
pub fn read_profile(name: &str, folder: &Path) -> Result<Profile, ProfileError> {
    let mut chain = Vec::new();
    let table = table_of(name, folder, &mut chain)?;
    finish(name, table)
}

/// The profile in a file.
///
/// # Errors
/// When it cannot be read, or cannot work.
pub fn read_profile_file(path: &Path) -> Result<Profile, ProfileError> {
    read_profile(&path.display().to_string(), Path::new(""))
}

/// The profile of a text, whose `extends` begins at `folder`.
///
/// # Errors
/// When it is no profile, or cannot work.
pub fn read_profile_text(origin: &str, text: &str, folder: &Path) -> Result<Profile, ProfileError> {
    let mut chain = vec![origin.to_owned()];
    finish(origin, over_its_base(parsed(origin, text)?, folder, &mut chain)?)
}

fn finish(origin: &str, table: Table) -> Result<Profile, ProfileError> {
    let profile: Profile =
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| ProfileError::Key {
            origin: origin.to_owned(),
            key: error.path().to_string(),
            reason: with_suggestion(error.into_inner().message()),
        })?;
    let problems = check(&profile);
    if problems.is_empty() { Ok(profile) } else { Err(ProfileError::Problems { origin: origin.to_owned(), problems }) }
}

/// The table of a profile, what it extends included.
fn table_of(name: &str, folder: &Path, chain: &mut Vec<String>) -> Result<Table, ProfileError> {
    let is_file = is_file_name(name);
    let path = folder.join(name);
    let known_as = if is_file { path.display().to_string() } else { name.to_owned() };
    let is_again = chain.contains(&known_as);
    chain.push(known_as);
    if is_again || chain.len() > CHAIN_MAX {
        return Err(ProfileError::Endless { chain: std::mem::take(chain) });
    }
    if is_file {
        let text = file_text(&path)?;
        let folder = path.parent().unwrap_or(folder).to_owned();
        return over_its_base(parsed(&path.display().to_string(), &text)?, &folder, chain);
    }
    let all = shipped();
    match all.iter().find(|shipped| shipped.id == name) {
        Some(found) => over_its_base(parsed(name, found.text)?, folder, chain),
        None => Err(ProfileError::Unknown {
            name: name.to_owned(),
            near: nearest(name, all.iter().map(|shipped| shipped.id)).map(str::to_owned),
            known: all.iter().map(|shipped| shipped.id).collect(),
        }),
    }
}

fn over_its_base(own: Table, folder: &Path, chain: &mut Vec<String>) -> Result<Table, ProfileError> {
    let Some(Value::String(base)) = own.get("extends") else { return Ok(own) };
    let base = base.clone();
    let mut table = table_of(&base, folder, chain)?;
    // The facts of the other profile are about the other provider.
    table.remove("facts");
    // Who seals decides about everything else of a system.
    for product in ["irp", "ewb"] {
        if own.get(product).is_some_and(|part| part.get("crypto").is_some()) {
            table.remove(product);
        }
    }
    merge(&mut table, own);
    Ok(table)
}

/// Puts one table over another, table by table.
fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn file_text(path: &Path) -> Result<String, ProfileError> {
    let unreadable = |source| ProfileError::Unreadable { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ProfileError::TooLarge { path: path.to_owned(), bytes });
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn parsed(origin: &str, text: &str) -> Result<Table, ProfileError> {
    text.trim_start_matches('\u{feff}').parse().map_err(|error: toml::de::Error| ProfileError::Syntax {
        origin: origin.to_owned(),
        reason: error.to_string().trim().to_owned(),
    })
}

/// A reader's message about an unknown key or word, with the nearest that there is: such a message lists all of them
/// between backticks, the unknown one first.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let is_unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    match quoted.next().filter(|_| is_unknown).and_then(|wanted| nearest(wanted, quoted)) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        id = "small"
        name = "Small"
        environments.sandbox.common = "https://api.example"
        [irp]
        crypto = "plain"
        taxpayer = "at_provider"
        reply = [{ refused = { at = "/ok", is = ["no"] } }]
        [irp.operations.generate_irn]
        http = "POST /irn"
    "#;

    fn error(text: &str) -> String {
        read_profile_text("x", text, Path::new("")).unwrap_err().to_string()
    }

    #[test]
    fn a_profile_extends_another_one_and_says_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("small.toml"), SMALL).unwrap();
        let above = "extends = \"small.toml\"\nid = \"large\"\n[irp.operations.cancel_irn]\nhttp = \"PUT /cancel\"\n";
        std::fs::write(folder.path().join("large.toml"), above).unwrap();
        let profile = read_profile("large.toml", folder.path()).unwrap();
        assert_eq!((profile.id.as_str(), profile.name.as_str()), ("large", "Small"));
        assert_eq!(profile.irp.unwrap().operations.len(), 2);
    }

    #[test]
    fn a_circle_a_missing_file_and_a_misspelt_name_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, base) in
            [("a.toml", "b.toml"), ("b.toml", "a.toml"), ("c.toml", "absent.toml"), ("d.toml", "tallyy")]
        {
            std::fs::write(folder.path().join(name), format!("extends = \"{base}\"\n")).unwrap();
        }
        let error = |name| read_profile(name, folder.path()).unwrap_err().to_string();
        assert!(error("a.toml").contains("without an end"), "{}", error("a.toml"));
        assert!(error("c.toml").contains("absent.toml cannot be read"));
        assert!(error("d.toml").contains("there is no profile `tallyy`"));
        assert!(error("adaequar").contains("did you mean `adaequare`?"), "{}", error("adaequar"));
    }

    #[test]
    fn a_misspelt_key_is_refused_by_its_path_with_a_suggestion() {
        let text = SMALL.replace("taxpayer =", "taxpayr = \"at_provider\"\ntaxpayer =");
        let message = error(&text);
        assert!(message.contains("key `irp.taxpayr`") || message.contains("key `irp`"), "{message}");
        assert!(message.contains("did you mean `taxpayer`?"), "{message}");
        let message = error(&SMALL.replace("\"plain\"", "\"plan\""));
        assert!(message.contains("irp.crypto") && message.contains("did you mean `plain`?"), "{message}");
        let message = error(&SMALL.replace("generate_irn", "generate_inr"));
        assert!(message.contains("did you mean `generate_irn`?"), "{message}");
        assert!(error("id = ").contains("is no TOML"));
    }
}

//! Reading the configuration: built-in defaults, file, `EINVOICE__*` environment, `--set` flags.
//!
//! The layers are joined with the `config` crate; [`Settings`] of the core gives them types, and each
//! plugin reads its own table when it is built. Errors name the file and the key.

mod overrides;
mod suggest;

use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat};
use einvoice_core::config::Settings;
use serde_json::Value;

use overrides::Override;
pub(crate) use suggest::with_suggestion;

use crate::arguments::Common;

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "einvoice.toml";

/// Largest configuration file that is read: 1 MB, far above any honest one.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A configuration, joined and typed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The typed settings.
    pub settings: Settings,
    /// The file they came from.
    pub file: PathBuf,
    /// The folder of the file, where relative paths in settings start.
    pub directory: PathBuf,
}

impl Loaded {
    /// The file as it is shown in messages.
    #[must_use]
    pub fn shown_file(&self) -> String {
        self.file.display().to_string()
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file does not exist.
    #[error("there is no configuration file {}: make one with `einvoice init`, or name one with --config FILE", file.display())]
    NoFile {
        /// Which file.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {reason}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says, or what is wrong with the file.
        reason: String,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {reason}", file.display())]
    NotToml {
        /// Which file.
        file: PathBuf,
        /// Line, column and what is wrong.
        reason: String,
    },
    /// A key is unknown, missing, or has a wrong value.
    #[error("{origin}: {reason}")]
    Key {
        /// The file, the environment variable or the flag.
        origin: String,
        /// The key and what is wrong with it.
        reason: String,
    },
}

/// Reads the configuration that the command line asks for, with this process's environment.
///
/// # Errors
/// [`LoadError`] naming file and key.
pub fn load(common: &Common) -> Result<Loaded, LoadError> {
    let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let mut overrides = overrides::from_environment(environment)?;
    overrides.extend(overrides::from_flags(&common.set)?);
    let environment = common.environment.iter().map(|name| format!("run.environment={name}"));
    overrides.extend(overrides::from_flags(&environment.collect::<Vec<_>>())?);
    let file = common.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    load_with(&file, &overrides)
}

fn load_with(file: &Path, overrides: &[Override]) -> Result<Loaded, LoadError> {
    let base = parse(file, &read(file)?)?;
    let known: Value = base.clone().try_deserialize().map_err(|error| not_toml(file, &error))?;
    let mut builder = Config::builder().add_source(base);
    for one in overrides {
        let path = one.path(&known)?;
        builder = builder.set_override(&path, one.value.clone()).map_err(|error| one.error(&error.to_string()))?;
    }
    let merged: Value = builder
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| LoadError::Key { origin: file.display().to_string(), reason: error.to_string() })?;
    let settings = Settings::from_value(merged).map_err(|error| LoadError::Key {
        origin: file.display().to_string(),
        reason: with_suggestion(&error.to_string()),
    })?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    Ok(Loaded { settings, file: file.to_path_buf(), directory })
}

fn read(file: &Path) -> Result<String, LoadError> {
    let unreadable = |reason: String| LoadError::Unreadable { file: file.to_path_buf(), reason };
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(LoadError::NoFile { file: file.to_path_buf() });
        }
        Err(error) => return Err(unreadable(error.to_string())),
    };
    if metadata.is_dir() {
        return Err(unreadable("it is a folder; name the file inside".to_owned()));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(unreadable(format!("it has {} bytes, more than {FILE_BYTES_MAX}", metadata.len())));
    }
    let bytes = std::fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("it is not UTF-8 text (byte {})", error.utf8_error().valid_up_to())))?;
    // Editors on Windows put a byte order mark before UTF-8.
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

fn parse(file: &Path, text: &str) -> Result<Config, LoadError> {
    Config::builder().add_source(File::from_str(text, FileFormat::Toml)).build().map_err(|error| not_toml(file, &error))
}

fn not_toml(file: &Path, error: &config::ConfigError) -> LoadError {
    let reason = match error {
        config::ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    LoadError::NotToml { file: file.to_path_buf(), reason: reason.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("einvoice.toml");
        std::fs::write(&file, text).unwrap();
        (directory, file)
    }

    fn loaded(text: &str, environment: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, String> {
        let (_directory, file) = written(text);
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(*value)));
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let all = overrides::from_environment(environment)
            .and_then(|mut all| {
                all.extend(overrides::from_flags(&flags)?);
                Ok(all)
            })
            .map_err(|error| error.to_string())?;
        load_with(&file, &all).map_err(|error| error.to_string())
    }

    const TWO_ROUTES: &str = r#"
        [ledger]
        path = "file.db"
        [[route]]
        name = "nic-1"
        plugin = "direct"
        environment = "sandbox"
        base_url = "https://one.example"
        [[route]]
        name = "nic-2"
        plugin = "direct"
        environment = "sandbox"
        base_url = "https://two.example"
    "#;

    #[test]
    fn environment_beats_the_file_and_flags_beat_the_environment() {
        let path = |environment: &[(&str, &str)], flags: &[&str]| {
            let loaded = loaded(TWO_ROUTES, environment, flags).unwrap();
            loaded.settings.ledger.settings.get("path").unwrap().as_str().unwrap().to_owned()
        };
        assert_eq!(path(&[], &[]), "file.db");
        assert_eq!(path(&[("EINVOICE__LEDGER__PATH", "env.db")], &[]), "env.db");
        assert_eq!(path(&[("EINVOICE__LEDGER__PATH", "env.db")], &["ledger.path=flag.db"]), "flag.db");
    }

    #[test]
    fn an_entry_of_a_list_is_named_by_its_name_or_its_number() {
        let url = |environment: &[(&str, &str)]| {
            let loaded = loaded(TWO_ROUTES, environment, &[]).unwrap();
            let route = loaded.settings.routes.get(1).unwrap().clone();
            route.part.settings.get("base_url").unwrap().as_str().unwrap().to_owned()
        };
        assert_eq!(url(&[("EINVOICE__ROUTE__NIC_2__BASE_URL", "https://x.example")]), "https://x.example");
        assert_eq!(url(&[("EINVOICE__ROUTE__1__BASE_URL", "https://y.example")]), "https://y.example");
        let error = loaded(TWO_ROUTES, &[("EINVOICE__ROUTE__NIC_3__BASE_URL", "x")], &[]).unwrap_err();
        assert_eq!(error, "EINVOICE__ROUTE__NIC_3__BASE_URL: there is no route `nic_3`; there are: nic-1, nic-2");
    }

    #[test]
    fn numbers_and_lists_from_the_environment_keep_their_type() {
        let loaded = loaded(
            "",
            &[("EINVOICE__RUN__CONCURRENCY", "7"), ("EINVOICE__VERIFY__KEYS", r#"["a.pem", "b.pem"]"#)],
            &["run.lease_seconds=9"],
        )
        .unwrap();
        assert_eq!(loaded.settings.run.concurrency, 7);
        assert_eq!(loaded.settings.run.lease_seconds, 9);
        assert_eq!(loaded.settings.verify.keys, ["a.pem", "b.pem"]);
    }

    #[test]
    fn a_wrong_flag_says_how_to_write_it() {
        let error = loaded("", &[], &["ledger.path"]).unwrap_err();
        assert_eq!(error, "--set ledger.path: write it as KEY=VALUE, for instance ledger.path=einvoice.db");
    }

    #[test]
    fn bad_toml_names_the_line() {
        let error = loaded("[ledger]\npath = \n", &[], &[]).unwrap_err();
        assert!(error.contains("is not valid TOML"), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_one() {
        let error = loaded("[run]\nconcurency = 3\n", &[], &[]).unwrap_err();
        assert!(error.contains("einvoice.toml: run.concurency"), "{error}");
        assert!(error.contains("did you mean `concurrency`?"), "{error}");
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        assert!(loaded("\u{feff}[ledger]\npath = \"a.db\"\n", &[], &[]).is_ok());
    }

    #[test]
    fn the_case_of_keys_is_kept() {
        let loaded =
            loaded("[[source]]\nplugin = \"tally\"\n[source.seller.27AAPFU0939F1ZV]\nLglNm = \"A\"\n", &[], &[]);
        let settings = loaded.unwrap().settings.sources.first().unwrap().part.settings.clone();
        assert_eq!(settings, serde_json::json!({"seller": {"27AAPFU0939F1ZV": {"LglNm": "A"}}}));
    }
}

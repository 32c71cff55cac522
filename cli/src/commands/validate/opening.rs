//! From the command line to something that can be read: configuration, rules of the day, a file's own source.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::clock::{Clock, SystemClock};
use einvoice_core::date::ist_date;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, Registry};
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::source::InvoiceSource;
use serde_json::{Map, Value, json};

use crate::arguments::{Common, Validate};
use crate::error::CliError;
use crate::settings::{self, DEFAULT_FILE, Loaded, with_suggestion};

/// The configuration, where it has something to say: when it is named, or when the format needs a
/// plugin whose settings it may hold. Plain INV-01 JSON needs none.
pub(super) fn configuration(arguments: &Validate, common: &Common) -> Result<Option<Loaded>, CliError> {
    let useful = arguments.plugin != "json-file" && Path::new(DEFAULT_FILE).is_file();
    if common.config.is_some() || useful { Ok(Some(settings::load(common)?)) } else { Ok(None) }
}

pub(super) fn check_options(
    arguments: &Validate,
    common: &Common,
    loaded: Option<&Loaded>,
) -> Result<CheckOptions, CliError> {
    let as_of = arguments.as_of.unwrap_or_else(|| ist_date(SystemClock.now()));
    let options = match loaded.filter(|_| common.config.is_some()) {
        Some(loaded) => crate::assemble::check_options(loaded, as_of)?,
        None => CheckOptions::on(as_of),
    };
    Ok(if arguments.no_gstin_check_digit { options.with_gstin_check_digit(None) } else { options })
}

/// How to map, which does not depend on where the file lies.
#[derive(Debug)]
pub(in crate::commands) struct Origin {
    settings: Map<String, Value>,
    directory: PathBuf,
}

impl Origin {
    /// The settings of a source, in the folder of its configuration.
    pub(in crate::commands) fn new(settings: &Value, directory: &Path) -> Self {
        Self { settings: settings.as_object().cloned().unwrap_or_default(), directory: directory.to_path_buf() }
    }

    /// The settings of the first configured source of the plugin; else the plugin's defaults.
    pub(super) fn of(plugin: &str, loaded: Option<&Loaded>) -> Self {
        let sources = loaded.map(|loaded| loaded.settings.sources.as_slice()).unwrap_or_default();
        let found = sources.iter().find(|source| source.part.plugin == plugin);
        Self {
            settings: found.and_then(|source| source.part.settings.as_object().cloned()).unwrap_or_default(),
            directory: loaded.map_or_else(|| PathBuf::from("."), |loaded| loaded.directory.clone()),
        }
    }
}

/// Tells a missing or unreadable file before a plugin looks for it by a pattern.
pub(in crate::commands) fn readable(file: &Path) -> Result<PathBuf, CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
    let opened = match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let shown = file.display();
            return Err(CliError::Usage(format!(
                "cannot read {shown}: there is no such file; check its name and the folder you are in"
            )));
        }
        opened => opened.map_err(failed)?,
    };
    if opened.metadata().map_err(failed)?.is_dir() {
        return Err(CliError::Usage(format!("{} is a folder: name the files inside", file.display())));
    }
    std::path::absolute(file).map_err(failed)
}

pub(in crate::commands) async fn open(
    plugin: &str,
    registry: &Registry,
    origin: &Origin,
    file: &Path,
) -> Result<Arc<dyn InvoiceSource>, CliError> {
    let found = registry.sources.find(plugin, registry.left_out())?;
    let Some(text) = file.to_str() else {
        return Err(CliError::Usage(format!("{}: the file's name is not UTF-8 text", file.display())));
    };
    let mut settings = origin.settings.clone();
    // `path` is a pattern, so marks of patterns in a real name are escaped.
    let pattern = if text.contains(['*', '?', '[']) { glob::Pattern::escape(text) } else { text.to_owned() };
    settings.insert("path".to_owned(), Value::String(pattern));
    let schema = (found.schema)().to_value();
    // Of a source that can ask a running program, too: here there is a file instead.
    if schema.pointer("/properties/url").is_some() {
        settings.retain(|key, _| !OF_A_RUNNING_PROGRAM.contains(&key.as_str()));
    }
    for (key, value) in for_one_file() {
        if schema.pointer(&format!("/properties/{key}")).is_some() {
            settings.insert(key.to_owned(), value);
        }
    }
    let context = BuildContext::new("validate", &origin.directory, SystemClock::shared(), SystemEntropy::shared());
    let made = registry.source(plugin, context, Value::Object(settings)).await;
    made.map_err(|mut error| {
        error.reason = with_suggestion(&error.reason);
        CliError::Build { file: file.display().to_string(), error }
    })
}

/// Settings that say how a running program is asked, which no file needs.
const OF_A_RUNNING_PROGRAM: [&str; 10] = [
    "url",
    "company",
    "from",
    "changed",
    "reread_days",
    "charset",
    "connect_timeout_ms",
    "read_timeout_ms",
    "export_timeout_ms",
    "probe_timeout_ms",
];

/// Settings of file sources that are about folders somebody else writes to. Here a person names the
/// file, so it is read as it lies, whatever its name, and stays where it is.
fn for_one_file() -> [(&'static str, Value); 6] {
    [
        // Nothing is kept beyond this reading, so that memory need not grow with the file.
        ("record_id", json!("position")),
        ("settle_ms", json!(0)),
        ("move_files", json!(false)),
        ("ignore_suffixes", json!([])),
        ("trigger_suffix", Value::Null),
        // No name of a file holds a slash, so nothing is taken for a response.
        ("response_suffix", json!("/")),
    ]
}

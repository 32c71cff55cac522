//! Single keys set over the file, by environment variable or by flag.
//!
//! `EINVOICE__LEDGER__PATH=x` and `--set ledger.path=x` set `path` of `[ledger]`. An entry of a list
//! (`[[route]]`, `[[source]]`, `[[write_back]]`) is named by its `name` or by its number from 0:
//! `EINVOICE__ROUTE__NIC__BASE_URL`, `--set route.0.base_url=...`. A variable name has no small
//! letters and no hyphens, so names match without regard to either; keys in it are small letters.

use std::ffi::OsString;

use config::ValueKind;
use serde_json::Value;

use super::LoadError;

/// What every variable starts with. Two underscores keep it apart from variables of plugins.
const PREFIX: &str = "EINVOICE__";

/// Tables that are lists.
const LISTS: [&str; 3] = ["route", "source", "write_back"];

/// One key set over the file.
#[derive(Debug, Clone)]
pub(super) struct Override {
    /// The variable or flag, for messages. Never holds the value.
    origin: String,
    segments: Vec<String>,
    pub(super) value: config::Value,
}

/// Overrides among environment variables, in the order of their names.
pub(super) fn from_environment(
    variables: impl Iterator<Item = (String, OsString)>,
) -> Result<Vec<Override>, LoadError> {
    let mut ours: Vec<(String, OsString)> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    ours.sort();
    ours.into_iter()
        .map(|(name, value)| {
            let key = name.strip_prefix(PREFIX).unwrap_or_default().to_lowercase();
            let segments: Vec<String> = key.split("__").map(str::to_owned).collect();
            let error = |reason: &str| LoadError::Key { origin: name.clone(), reason: reason.to_owned() };
            if segments.iter().any(String::is_empty) {
                return Err(error("write it as EINVOICE__TABLE__KEY, for instance EINVOICE__LEDGER__PATH"));
            }
            let value = value.into_string().map_err(|_| error("its value is not UTF-8 text"))?;
            Ok(Override { origin: name, segments, value: typed(&value) })
        })
        .collect()
}

/// Overrides of `--set KEY=VALUE`, in their order.
pub(super) fn from_flags(flags: &[String]) -> Result<Vec<Override>, LoadError> {
    flags
        .iter()
        .map(|flag| {
            let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
            let segments: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
            if !flag.contains('=') || segments.iter().any(String::is_empty) {
                return Err(LoadError::Key {
                    origin: format!("--set {key}"),
                    reason: "write it as KEY=VALUE, for instance ledger.path=einvoice.db".to_owned(),
                });
            }
            Ok(Override { origin: format!("--set {key}"), segments, value: typed(value) })
        })
        .collect()
}

impl Override {
    /// The path in the form of the `config` crate, with an entry of a list found by its name.
    pub(super) fn path(&self, known: &Value) -> Result<String, LoadError> {
        let mut path = String::new();
        let mut segments = self.segments.iter();
        let Some(table) = segments.next() else { return Err(self.error("it names no key")) };
        path.push_str(table);
        if LISTS.contains(&table.as_str()) {
            let entry = segments.next().ok_or_else(|| self.error("name the entry, then the key"))?;
            let index = self.entry(table, entry, known)?;
            path.extend(["[", &index.to_string(), "]"]);
        }
        for segment in segments {
            path.push('.');
            path.push_str(segment);
        }
        Ok(path)
    }

    /// A configuration error about this override.
    pub(super) fn error(&self, reason: &str) -> LoadError {
        LoadError::Key { origin: self.origin.clone(), reason: reason.to_owned() }
    }

    fn entry(&self, table: &str, entry: &str, known: &Value) -> Result<usize, LoadError> {
        let names: Vec<&str> = known
            .get(table)
            .and_then(Value::as_array)
            .map(|entries| entries.iter().map(name_of).collect())
            .unwrap_or_default();
        let wanted = entry.parse::<usize>().ok().filter(|index| *index < names.len());
        let by_name = || names.iter().position(|name| folded(name) == folded(entry));
        wanted.or_else(by_name).ok_or_else(|| {
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            self.error(&format!("there is no {table} `{entry}`; there are: {there}"))
        })
    }
}

fn name_of(entry: &Value) -> &str {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    text("name").or_else(|| text("plugin")).unwrap_or_default()
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace(['-', ' ', '.'], "_")
}

/// The value with the type it has in TOML; what is no TOML value is a text. A number that is meant
/// as text is written in quotes.
fn typed(text: &str) -> config::Value {
    let as_toml = toml::from_str::<toml::Table>(&format!("value = {text}")).ok().filter(|table| table.len() == 1);
    match as_toml.as_ref().and_then(|table| table.get("value")) {
        Some(value) if !matches!(value, toml::Value::Datetime(_)) => config::Value::new(None, kind(value)),
        _ => config::Value::new(None, ValueKind::String(text.to_owned())),
    }
}

fn kind(value: &toml::Value) -> ValueKind {
    match value {
        toml::Value::String(text) => ValueKind::String(text.clone()),
        toml::Value::Integer(number) => ValueKind::I64(*number),
        toml::Value::Float(number) => ValueKind::Float(*number),
        toml::Value::Boolean(flag) => ValueKind::Boolean(*flag),
        toml::Value::Datetime(moment) => ValueKind::String(moment.to_string()),
        toml::Value::Array(entries) => {
            ValueKind::Array(entries.iter().map(|entry| config::Value::new(None, kind(entry))).collect())
        }
        toml::Value::Table(table) => ValueKind::Table(
            table.iter().map(|(key, entry)| (key.clone(), config::Value::new(None, kind(entry)))).collect(),
        ),
    }
}

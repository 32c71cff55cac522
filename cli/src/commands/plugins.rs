//! `plugins`: what is in this program, and how to configure it.

use std::collections::BTreeSet;

use einvoice_core::registry::{PluginLine, Registry, RegistryError, Role, nearest};
use einvoice_core::write_back::WriteBackWay;
use serde::Serialize;
use serde_json::Value;

use crate::arguments::Plugins;
use crate::error::CliError;
use crate::output::{Column, Output, Style};
use crate::schema::{setting_rows, table_keys};
use crate::{exit_code, plugins};

/// A plugin as `--json` shows it.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    role: String,
    table: &'a str,
    summary: &'a str,
    #[serde(rename = "crate")]
    krate: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<&'a str>,
    /// How results reach the books.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ways: Vec<Way>,
}

/// A way in which results reach the books, and the settings that choose it.
#[derive(Serialize)]
struct Way {
    settings: &'static str,
    note: &'static str,
}

impl From<&WriteBackWay> for Way {
    fn from(way: &WriteBackWay) -> Self {
        Self { settings: way.settings, note: way.note }
    }
}

pub(super) fn run(arguments: &Plugins, output: &mut Output) -> Result<u8, CliError> {
    let registry = plugins::registry()?;
    match &arguments.name {
        None => list(&registry, output)?,
        Some(name) => details(&registry, name, output)?,
    }
    Ok(exit_code::ALL_WELL)
}

fn list(registry: &Registry, output: &mut Output) -> Result<(), CliError> {
    let lines = registry.overview();
    if output.is_json() {
        return lines.iter().try_for_each(|line| output.object(&shown(line, false)));
    }
    output.table(
        &[Column::keep("name"), Column::keep("role"), Column::wrap("what it does")],
        lines.iter().map(|line| vec![line.name.to_owned(), line.role.to_string(), line.summary.to_owned()]),
    )?;
    for missing in registry.left_out() {
        output.line(format!("not in this build: {} (feature `{}`)", missing.name, missing.feature))?;
    }
    output.line("")?;
    output.line("`einvoice plugins NAME` shows the settings of one and an example.")
}

fn details(registry: &Registry, name: &str, output: &mut Output) -> Result<(), CliError> {
    let lines: Vec<PluginLine> = registry.overview().into_iter().filter(|line| line.name == name).collect();
    if lines.is_empty() {
        return Err(unknown(registry, name));
    }
    for line in &lines {
        if output.is_json() {
            output.object(&shown(line, true))?;
        } else {
            describe(line, output)?;
        }
    }
    Ok(())
}

fn describe(line: &PluginLine, output: &mut Output) -> Result<(), CliError> {
    let heading = format!("{} as {}: {}", line.name, line.role, line.summary);
    output.line(output.styled(Style::Strong, &heading))?;
    output.line("")?;
    for (key, schema) in table_keys(line.role) {
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        setting(key, "text", if key == "environment" { "required" } else { "" }, about, output)?;
    }
    for row in setting_rows(&(line.schema)().to_value()) {
        setting(&row.key, &row.form, &row.default, &row.about, output)?;
    }
    ways(line.ways, output)?;
    output.line("")?;
    output.line("Example:")?;
    output.line("")?;
    for text in line.example.trim_end().lines() {
        output.line(format!("    {text}").trim_end())?;
    }
    output.line("")
}

/// How results reach the books, by the settings that choose it.
fn ways(ways: &[WriteBackWay], output: &mut Output) -> Result<(), CliError> {
    if ways.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.line("How results reach the books:")?;
    output.line("")?;
    for way in ways {
        if !way.settings.is_empty() {
            let head = output.styled(Style::Strong, way.settings).into_owned();
            output.line(format!("  {head}"))?;
        }
        output.long_text(if way.settings.is_empty() { 2 } else { 6 }, way.note)?;
    }
    if ways.len() > 1 {
        output.line("")?;
        output.line("`einvoice doctor` says which of them a configuration has chosen.")?;
    }
    Ok(())
}

/// A setting: its key and what may stand there, and below it what it means.
fn setting(key: &str, form: &str, default: &str, about: &str, output: &mut Output) -> Result<(), CliError> {
    let default = match default {
        "" => String::new(),
        "required" => ", required".to_owned(),
        value => format!(", default {value}"),
    };
    let head = output.styled(Style::Strong, key).into_owned();
    output.line(format!("  {head}  {form}{default}"))?;
    output.long_text(6, about)
}

fn shown<'a>(line: &PluginLine, details: bool) -> Line<'a> {
    Line {
        name: line.name,
        role: line.role.to_string(),
        table: line.role.table(),
        summary: line.summary,
        krate: line.krate,
        schema: details.then(|| (line.schema)().to_value()),
        example: details.then_some(line.example),
        ways: line.ways.iter().filter(|_| details).map(Way::from).collect(),
    }
}

/// There is no such plugin in any role: says what there is, and what this build left out.
fn unknown(registry: &Registry, name: &str) -> CliError {
    let known: BTreeSet<&str> = registry.overview().iter().map(|line| line.name).collect();
    let there = known.iter().copied().collect::<Vec<_>>().join(", ");
    let hint = match registry.left_out().iter().find(|missing| missing.name == name) {
        Some(missing) => format!("this program was built without it: build with feature `{}`", missing.feature),
        None => match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? There are: {there}"),
            None => format!("there are: {there}"),
        },
    };
    CliError::Usage(format!("there is no plugin `{name}`; {hint}"))
}

/// The example of a plugin in a role.
///
/// # Errors
/// [`RegistryError::NoSuchPlugin`] with what there is.
pub(super) fn example(registry: &Registry, role: Role, name: &str) -> Result<&'static str, RegistryError> {
    let left_out = registry.left_out();
    Ok(match role {
        Role::Source => registry.sources.find(name, left_out)?.example,
        Role::WriteBack => registry.write_backs.find(name, left_out)?.example,
        Role::CredentialStore => registry.credential_stores.find(name, left_out)?.example,
        Role::Ledger => registry.ledgers.find(name, left_out)?.example,
        Role::Transport => registry.transports.find(name, left_out)?.example,
    })
}

//! `config schema` and `config check`.

use einvoice_core::config::Settings;

use super::block_on;
use crate::arguments::{Common, Config};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Output, printable};
use crate::{exit_code, folders, plugins, schema, settings};

pub(super) fn run(arguments: &Config, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    match arguments {
        Config::Schema => print_schema(output),
        Config::Check => check(common, output),
    }
}

fn print_schema(output: &mut Output) -> Result<u8, CliError> {
    let schema = schema::whole(&plugins::registry()?);
    if output.is_json() {
        output.object(&schema)?;
    } else {
        let text = serde_json::to_string_pretty(&schema)
            .map_err(|error| CliError::Fault(format!("the schema has no JSON form: {error}")))?;
        output.line(text)?;
    }
    Ok(exit_code::ALL_WELL)
}

fn check(common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let loaded = settings::load(common)?;
    let file = loaded.shown_file();
    let assembly = Assembly::new(loaded)?;
    block_on(async { assembly.parts().await.map(drop) })?;
    // A folder may come later, on a drive or from another program: this is a warning, no error.
    let warnings: Vec<String> = folders::missing(&assembly.settings().sources, assembly.directory())
        .into_iter()
        .map(|missing| {
            let folder = assembly.directory().join(missing.folder);
            format!(
                "[[source]] {}: there is no folder {}: create it, or correct the key `path`",
                missing.source,
                folder.strip_prefix(".").unwrap_or(&folder).display()
            )
        })
        .collect();
    for warning in &warnings {
        output.remark(format!("warning: {file} {}", printable(warning)));
    }
    if output.is_json() {
        output.object(&serde_json::json!({ "file": file, "ok": true, "warnings": warnings }))?;
    } else {
        output.line(format!("{file} is in order: {}", summary(assembly.settings())))?;
    }
    Ok(exit_code::ALL_WELL)
}

fn summary(settings: &Settings) -> String {
    let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!(
        "sources {}; routes {}; write-backs {}; ledger {}; credentials {}",
        names(settings.sources.iter().map(|source| source.part.name.as_str()).collect()),
        names(settings.routes.iter().map(|route| route.part.name.as_str()).collect()),
        names(settings.write_backs.iter().map(|target| target.part.name.as_str()).collect()),
        settings.ledger.plugin,
        settings.credentials.plugin,
    )
}

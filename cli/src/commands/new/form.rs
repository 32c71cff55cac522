//! `new template` and `new staging`: files that plugins make for a person to go on from.

use std::path::{Path, PathBuf};

use einvoice_core::registry::{RegistryError, Template};

use crate::arguments::{NewStaging, NewTemplate};
use crate::error::CliError;
use crate::output::Output;
use crate::{exit_code, plugins};

/// Writes or lists templates.
pub(super) fn run(template: &NewTemplate, output: &mut Output) -> Result<u8, CliError> {
    if template.list { list(output) } else { make(template, output) }
}

/// Shows the templates of all plugins.
fn list(output: &mut Output) -> Result<u8, CliError> {
    for template in plugins::registry()?.templates.iter() {
        if output.is_json() {
            output.object(&serde_json::json!({
                "plugin": template.plugin,
                "variant": template.variant,
                "summary": template.summary,
                "file_name": template.file_name,
            }))?;
        } else {
            output.line(format!("{} {}: {}", template.plugin, template.variant, template.summary))?;
        }
    }
    Ok(exit_code::ALL_WELL)
}

/// The plugin whose templates are the statements that make its staging tables, one for each dialect.
const STAGING: &str = "database";

/// Prints the statements that make the staging tables of a dialect.
pub(super) fn staging(arguments: &NewStaging, output: &mut Output) -> Result<u8, CliError> {
    let registry = plugins::registry()?;
    let dialect = arguments.dialect.to_ascii_lowercase();
    let found = registry.templates.find(STAGING, Some(&dialect), registry.left_out());
    let template = found.map_err(|error| match error {
        RegistryError::NoTemplate { name, hint } if name == dialect => {
            CliError::Usage(format!("there is no dialect `{name}`; {hint}"))
        }
        other => other.into(),
    })?;
    let text = content(template)?;
    if output.is_json() {
        output.object(&serde_json::json!({ "dialect": dialect, "sql": String::from_utf8_lossy(&text) }))?;
    } else {
        output.bytes(&text)?;
    }
    Ok(exit_code::ALL_WELL)
}

/// What a template holds.
fn content(template: &Template) -> Result<Vec<u8>, CliError> {
    (template.make)().map_err(|error| {
        CliError::Fault(format!("the template {} of {} cannot be made: {error}", template.variant, template.plugin))
    })
}

/// Writes a template.
fn make(arguments: &NewTemplate, output: &mut Output) -> Result<u8, CliError> {
    let registry = plugins::registry()?;
    let template = registry.templates.find(&arguments.plugin, arguments.variant.as_deref(), registry.left_out())?;
    let content = content(template)?;
    let file = arguments.output.clone().unwrap_or_else(|| PathBuf::from(template.file_name));
    write(&file, &content, arguments.yes)?;
    if output.is_json() {
        output.object(&serde_json::json!({
            "file": file.display().to_string(),
            "plugin": template.plugin,
            "variant": template.variant,
        }))?;
    } else {
        output.line(format!("wrote {}: {}", file.display(), template.summary))?;
        output.line(if template.plugin == STAGING {
            format!("Run it in the database, then name that database in a source of plugin {STAGING}.")
        } else {
            format!(
                "Fill it, then run `einvoice validate {} --plugin {}`, or put it into the folder of a source of plugin {}.",
                file.display(),
                template.plugin,
                template.plugin
            )
        })?;
    }
    Ok(exit_code::ALL_WELL)
}

/// Writes a new file whole; an existing one is left alone unless it may be replaced.
pub(in crate::commands) fn write(file: &Path, content: &[u8], replace: bool) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::File { path: file.to_path_buf(), action: "write", error };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut made = for_others().tempfile_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut made, content).map_err(failed)?;
    if replace {
        made.persist(file).map_err(|error| failed(error.error))?;
        return Ok(());
    }
    match made.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(CliError::Usage(format!(
            "{} exists: pass --yes to replace it, or --output FILE to write another",
            file.display()
        ))),
        Err(error) => Err(failed(error.error)),
    }
}

/// Makes temporary files that become files others may read: the process's umask decides, as for any file.
pub(in crate::commands) fn for_others<'a>() -> tempfile::Builder<'a, 'a> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has such permissions"))]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_file_is_not_replaced_without_being_told_to() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("invoices.xlsx");
        write(&file, b"first", false).unwrap();
        let error = write(&file, b"second", false).unwrap_err().to_string();
        assert!(error.contains("pass --yes"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"first");
        write(&file, b"second", true).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

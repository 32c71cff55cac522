//! `init`: a commented starter configuration from the examples of the chosen plugins.

use std::io::Write;
use std::path::{Path, PathBuf};

use einvoice_core::config::Settings;
use einvoice_core::registry::{Registry, Role};

use super::plugins::example;
use crate::arguments::{Common, Init};
use crate::error::CliError;
use crate::output::Output;
use crate::settings::DEFAULT_FILE;
use crate::{exit_code, folders, plugins};

pub(super) fn run(arguments: &Init, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let text = starter(&plugins::registry()?, &arguments.source, &arguments.route)?;
    let file = common.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    write(&file, &text, arguments.yes)?;
    let made = make_folders(&text, file.parent().unwrap_or(Path::new("")))?;
    if output.is_json() {
        output.object(&serde_json::json!({ "file": file.display().to_string(), "folders": made }))?;
    } else {
        output.line(format!("wrote {}", file.display()))?;
        for folder in made {
            output.line(format!("made the folder {folder}, which is read for invoices"))?;
        }
        output.line("Change what needs changing, then run `einvoice config check` and `einvoice run --once`.")?;
    }
    Ok(exit_code::ALL_WELL)
}

/// Makes the folders that the sources of a configuration read, as far as they lie beside it.
pub(super) fn make_folders(text: &str, directory: &Path) -> Result<Vec<String>, CliError> {
    let wrong = |reason: String| CliError::Fault(format!("the starter configuration is wrong: {reason}"));
    let value = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let settings = Settings::from_value(value).map_err(|error| wrong(error.to_string()))?;
    let mut made = Vec::new();
    for missing in folders::missing(&settings.sources, directory).iter().filter(|missing| missing.folder.is_relative())
    {
        let path = directory.join(&missing.folder);
        std::fs::create_dir_all(&path).map_err(|error| CliError::File {
            path: path.clone(),
            action: "create",
            error,
        })?;
        made.push(path.display().to_string());
    }
    Ok(made)
}

fn write(file: &Path, text: &str, replace: bool) -> Result<(), CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "write", error };
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    // `create_new` looks and makes in one step, so that no file is ever overwritten by chance.
    if replace {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let opened = match options.open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(CliError::Usage(format!(
                "{} exists: pass --yes to replace it, or --config FILE to write another",
                file.display()
            )));
        }
        other => other,
    };
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).map_err(failed)
}

fn starter(registry: &Registry, source: &str, route: &str) -> Result<String, CliError> {
    // What was asked for is looked up first: an error should be about that.
    let (_, route_example) = (example(registry, Role::Source, source)?, example(registry, Role::Transport, route)?);
    // The emulator has accounts of its own; a real portal needs yours.
    let (store, about_store, keys) = if route == "sandbox" {
        (
            "sandbox",
            "Client pairs and API users: the emulator hands out its own, which count nowhere else.",
            "# The emulator's key lies in its folder and is worthless elsewhere.\n\
             keys = [\"sandbox/signing-public.pem\"]",
        )
    } else {
        ("credentials-file", ABOUT_STORE, WITHOUT_KEYS)
    };
    frame(registry, source, (about_store, example(registry, Role::CredentialStore, store)?), route_example, keys)
}

const ABOUT_STORE: &str = "Where client pairs and API users are kept; `einvoice credentials add` fills it.";

const WITHOUT_KEYS: &str = "# Put the portal's public keys or certificates here, or signatures stay unproven:\n\
                            # keys = [\"keys/*.pem\"]";

/// A configuration with a route that is known, and the portals' signing keys as far as they are.
///
/// # Errors
/// [`CliError::Registry`] when there is no such source or store.
pub(super) fn with_route(
    registry: &Registry,
    source: &str,
    store: &str,
    route: &str,
    keys: &[String],
) -> Result<String, CliError> {
    let store = example(registry, Role::CredentialStore, store)?;
    let listed: toml_edit::Array = keys.iter().collect();
    let keys = if keys.is_empty() { WITHOUT_KEYS.to_owned() } else { format!("keys = {listed}") };
    frame(registry, source, (ABOUT_STORE, store), route, &keys)
}

/// A commented configuration around a store, a route and keys.
fn frame(
    registry: &Registry,
    source: &str,
    (about_store, store): (&str, &str),
    route: &str,
    keys: &str,
) -> Result<String, CliError> {
    let mut text = String::from(
        "# Configuration of einvoice. `einvoice plugins NAME` explains every setting of a plugin;\n\
         # `einvoice config schema` prints a JSON Schema for editors. Paths start at this file's folder.\n\
         # Any key can be set from outside: EINVOICE__LEDGER__PATH=other.db, or --set ledger.path=other.db\n",
    );
    let mut add = |about: &str, excerpt: &str| {
        text.extend(["\n# ", about, "\n", excerpt.trim(), "\n"]);
    };
    add(
        "Where documents, intents and outcomes are kept. Back this file up; never delete it to \"start over\".",
        example(registry, Role::Ledger, "ledger-sqlite")?,
    );
    add(about_store, store);
    add("The way to the portal. Several are tried in this order.", route);
    add("Where invoices come from.", example(registry, Role::Source, source)?);
    if let Ok(target) = example(registry, Role::WriteBack, source) {
        add("Where results go.", target);
    }
    text.extend(["\n# With which keys the portal's signatures are checked.\n[verify]\n", keys, "\n"]);
    text.push_str(
        "\n# What the portal's rules must be told. From a turnover of 10 crore rupees on, documents must be reported\n\
         # within 30 days; above 5 crore, HSN codes have six digits.\n[rules]\n# turnover_crore = 25\n",
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_source_and_route_gives_a_configuration_that_can_be_read() {
        let registry = plugins::registry().unwrap();
        for source in registry.sources.iter() {
            for route in registry.transports.iter() {
                let text = starter(&registry, source.name, route.name).unwrap();
                let value: serde_json::Value = toml::from_str(&text).unwrap();
                let settings = Settings::from_value(value).unwrap();
                assert_eq!(settings.sources.first().unwrap().part.plugin, source.name);
                assert_eq!(settings.routes.first().unwrap().part.plugin, route.name);
            }
        }
    }

    #[test]
    fn an_existing_file_is_not_replaced_without_being_told_to() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("einvoice.toml");
        write(&file, "first", false).unwrap();
        let error = write(&file, "second", false).unwrap_err().to_string();
        assert!(error.contains("pass --yes"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "first");
        write(&file, "second", true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "second");
    }

    #[cfg(all(feature = "json-file", feature = "direct", feature = "credentials-file"))]
    #[test]
    fn only_a_store_that_can_be_filled_is_said_to_be_filled() {
        let registry = plugins::registry().unwrap();
        let says =
            |route| starter(&registry, "json-file", route).unwrap().contains("`einvoice credentials add` fills it");
        assert_eq!((says("sandbox"), says("direct")), (false, true));
    }

    #[cfg(feature = "json-file")]
    #[test]
    fn an_unknown_plugin_is_told_with_what_there_is() {
        let registry = plugins::registry().unwrap();
        let error = starter(&registry, "jsn-file", "sandbox").unwrap_err().to_string();
        assert!(error.contains("did you mean `json-file`?"), "{error}");
    }
}

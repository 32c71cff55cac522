//! The manifests of a new crate and of a program that has it.

use std::path::Path;

use super::checkout::Einvoice;
use super::templates::{Kind, Names};
use crate::error::CliError;

/// What the rooms of a crate need, in the versions that einvoice itself has.
const DEPENDENCIES: [(&str, &str); 9] = [
    ("async-trait", "\"0.1\""),
    (
        "aws-lc-rs",
        "{ version = \"1.19\", default-features = false, features = [\"alloc\", \"aws-lc-sys\", \"prebuilt-nasm\"] }",
    ),
    ("bytes", "\"1\""),
    ("jiff", "{ version = \"0.2\", default-features = false, features = [\"std\", \"serde\"] }"),
    ("schemars", "\"1\""),
    ("serde", "{ version = \"1\", features = [\"derive\"] }"),
    ("serde_json", "\"1\""),
    ("tokio", "{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\"] }"),
    ("toml", "\"1\""),
];

/// What its tests need.
const TESTS: [(&str, &str); 3] = [
    ("serde_json", "\"1\""),
    ("tempfile", "\"3\""),
    ("tokio", "{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }"),
];

pub(super) fn of_crate(kind: Kind, names: &Names, einvoice: &Einvoice, folder: &Path) -> Result<String, CliError> {
    let inside = einvoice.inside().is_some();
    let mut text = String::new();
    if !inside {
        text.push_str("[workspace]\nmembers = [\"program\"]\nresolver = \"3\"\n\n");
    }
    text.push_str(&head(&names.package, &format!("The adapter of einvoice for {}.", names.name), inside));
    let line = |(name, version): &(&str, &str)| {
        if inside { format!("{name} = {{ workspace = true }}\n") } else { format!("{name} = {version}\n") }
    };
    text.push_str("\n[dependencies]\n");
    for (name, place) in [("einvoice-core", "core")].iter().chain(kind.einvoice()) {
        text.push_str(&einvoice_crate(name, place, None, einvoice, folder)?);
    }
    let needed = kind.dependencies();
    DEPENDENCIES.iter().filter(|(name, _)| needed.contains(name)).for_each(|found| text.push_str(&line(found)));
    text.push_str("\n[dev-dependencies]\n");
    text.push_str(&einvoice_crate("einvoice-testkit", "tests", None, einvoice, folder)?);
    let needed = kind.test_dependencies();
    TESTS.iter().filter(|(name, _)| needed.contains(name)).for_each(|found| text.push_str(&line(found)));
    if inside {
        text.push_str("\n[lints]\nworkspace = true\n");
    } else {
        text.push_str("\n# As einvoice is built itself, so that a target folder can be shared with it.\n");
        text.push_str("[profile.dev]\ndebug = \"line-tables-only\"\n");
    }
    Ok(text)
}

pub(super) fn of_program(names: &Names, einvoice: &Einvoice, folder: &Path) -> Result<String, CliError> {
    let package = format!("{}-program", names.package);
    let mut text = head(&package, &format!("The program einvoice with the adapter for {}.", names.name), false);
    text.push_str("\n[dependencies]\n");
    text.push_str(&einvoice_crate("einvoice-cli", "cli", Some("einvoice"), einvoice, &folder.join("program"))?);
    text.extend([names.package.as_str(), " = { path = \"..\" }\n"]);
    Ok(text)
}

fn head(package: &str, description: &str, inside: bool) -> String {
    let shared = if inside {
        ["version", "edition", "rust-version", "license", "publish"]
            .map(|key| format!("{key}.workspace = true\n"))
            .concat()
    } else {
        "version = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\npublish = false\n".to_owned()
    };
    format!("[package]\nname = \"{package}\"\ndescription = \"{description}\"\n{shared}")
}

/// One crate of einvoice, as a dependency.
fn einvoice_crate(
    name: &str,
    folder_of_it: &str,
    package: Option<&str>,
    einvoice: &Einvoice,
    folder: &Path,
) -> Result<String, CliError> {
    let package = package.map(|package| format!(", package = \"{package}\"")).unwrap_or_default();
    let place = match einvoice {
        Einvoice::Inside(_) => return Ok(format!("{name} = {{ workspace = true }}\n")),
        Einvoice::Beside(root) => {
            let path = root.join(folder_of_it);
            let Some(path) = path.to_str() else {
                return Err(CliError::Usage(format!("{}: the folder's name is not UTF-8 text", folder.display())));
            };
            // A manifest is TOML, and a backslash of Windows would be an escape there.
            format!("path = \"{}\"", path.replace('\\', "/"))
        }
        Einvoice::Git(address) => format!("git = \"{address}\""),
    };
    Ok(format!("{name} = {{ {place}{package} }}\n"))
}

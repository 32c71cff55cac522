//! `new`: what people begin with: crates for authors of adapters, files that plugins make.

mod checkout;
pub(super) mod form;
mod manifest;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::arguments::{New, NewCrate};
use crate::error::CliError;
use crate::output::Output;
use crate::{exit_code, plugins};
use checkout::Einvoice;
use templates::{Kind, Names};

pub(super) fn run(new: &New, output: &mut Output) -> Result<u8, CliError> {
    match new {
        New::Source(arguments) => adapter(Kind::Source, arguments, output),
        New::WriteBack(arguments) => adapter(Kind::WriteBack, arguments, output),
        New::CredentialStore(arguments) => adapter(Kind::CredentialStore, arguments, output),
        New::Ledger(arguments) => adapter(Kind::Ledger, arguments, output),
        New::Transport(arguments) => adapter(Kind::Transport, arguments, output),
        New::Template(template) => form::run(template, output),
        New::Staging(staging) => form::staging(staging, output),
    }
}

fn adapter(kind: Kind, arguments: &NewCrate, output: &mut Output) -> Result<u8, CliError> {
    let names = Names::new(&arguments.name);
    is_free(&names)?;
    let einvoice = Einvoice::find(arguments)?;
    let folder = match einvoice.inside() {
        Some(root) => place_inside(kind, &names, root, arguments.path.as_deref())?,
        None => arguments.path.clone().unwrap_or_else(|| PathBuf::from(&names.name)),
    };
    let files = files(kind, &names, &einvoice, &folder)?;
    write(&folder, &files)?;
    let link = link(kind, &names, &einvoice);
    if output.is_json() {
        let written: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        output.object(&serde_json::json!({
            "folder": folder.display().to_string(),
            "files": written,
            "link": link,
            "is_linked": einvoice.inside().is_none(),
        }))?;
        return Ok(exit_code::ALL_WELL);
    }
    for (name, _) in &files {
        output.line(format!("wrote {}", folder.join(name).display()))?;
    }
    output.line("")?;
    tell_next(&names, &einvoice, &folder, &link, output)?;
    Ok(exit_code::ALL_WELL)
}

/// Refuses names that crates of einvoice or plugins of this program have: two of one name cannot be told apart.
fn is_free(names: &Names) -> Result<(), CliError> {
    let registry = plugins::registry()?;
    let is_plugin = registry.overview().iter().any(|plugin| plugin.name == names.name)
        || registry.left_out().iter().any(|plugin| plugin.name == names.name);
    if is_plugin || LIBRARIES.contains(&names.name.as_str()) {
        return Err(CliError::Usage(format!(
            "einvoice has a crate {} already; give yours a name of its own, such as {}-plus",
            names.package, names.name
        )));
    }
    Ok(())
}

/// Crates that are no plugins, by what their names end with.
const LIBRARIES: [&str; 5] = ["core", "protocol", "testkit", "cli", "file-drop"];

/// Inside of a checkout the workspace finds a crate by its folder, and the program by the folder's name.
fn place_inside(kind: Kind, names: &Names, root: &Path, wished: Option<&Path>) -> Result<PathBuf, CliError> {
    let folder = root.join(kind.group()).join(&names.name);
    if wished.is_some_and(|wished| checkout::plain(wished) != folder) {
        return Err(CliError::Usage(format!(
            "inside of a checkout of einvoice the crate stands in {}; leave --path away, or name a folder outside",
            folder.display()
        )));
    }
    let groups = [Kind::Source.group(), Kind::Transport.group()];
    if let Some(taken) = groups.iter().map(|group| root.join(group).join(&names.name)).find(|place| place.exists()) {
        return Err(CliError::Usage(format!(
            "{} is there already, and nothing is ever overwritten. A crate holds all roles of its system: to add one, \
             make it outside (--path) and move its room and its registration over",
            taken.display()
        )));
    }
    Ok(folder)
}

/// The files of the crate, and outside a checkout those of a program that has it.
fn files(kind: Kind, names: &Names, einvoice: &Einvoice, folder: &Path) -> Result<Vec<(String, String)>, CliError> {
    let mut files = kind.files(names, einvoice.inside().is_some());
    files.push(("Cargo.toml".to_owned(), manifest::of_crate(kind, names, einvoice, folder)?));
    if einvoice.inside().is_none() {
        files.push(("program/Cargo.toml".to_owned(), manifest::of_program(names, einvoice, folder)?));
        files.push(("program/src/main.rs".to_owned(), names.fill(templates::PROGRAM)));
        files.push((".gitignore".to_owned(), "/target\n".to_owned()));
        // The versions that einvoice is tested with; Cargo takes out what is not needed.
        if let Some(lock) = einvoice.lock_file() {
            files.push(("Cargo.lock".to_owned(), lock));
        }
    }
    files.sort();
    Ok(files)
}

/// Writes all files into a folder that does not exist yet, or is empty.
fn write(folder: &Path, files: &[(String, String)]) -> Result<(), CliError> {
    let is_used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file();
    if is_used {
        return Err(CliError::Usage(format!(
            "{} exists and is not empty: nothing is ever overwritten; name another folder with --path",
            folder.display()
        )));
    }
    for (name, text) in files {
        let path = folder.join(name);
        let failed = |error| CliError::File { path: path.clone(), action: "write", error };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, text).map_err(failed)?;
    }
    Ok(())
}

/// A line that links the crate, and where it stands.
#[derive(Debug, Serialize)]
struct LinkLine {
    file: String,
    /// Between which brackets, or below which heading.
    within: &'static str,
    line: String,
}

/// What links the crate to a program: one line of a manifest, and one of a link list.
fn link(kind: Kind, names: &Names, einvoice: &Einvoice) -> [LinkLine; 2] {
    let (package, krate) = (&names.package, &names.krate);
    let line = |file: &str, within, line| LinkLine { file: file.to_owned(), within, line };
    if einvoice.inside().is_some() {
        let path = format!("{package} = {{ path = \"../{}/{}\" }}", kind.group(), names.name);
        [line("cli/Cargo.toml", "[dependencies]", path), line("cli/src/plugins.rs", "link!", format!("{krate},"))]
    } else {
        [
            line("program/Cargo.toml", "[dependencies]", format!("{package} = {{ path = \"..\" }}")),
            line("program/src/main.rs", "", format!("use {krate} as _;")),
        ]
    }
}

fn tell_next(
    names: &Names,
    einvoice: &Einvoice,
    folder: &Path,
    link: &[LinkLine; 2],
    output: &mut Output,
) -> Result<(), CliError> {
    let (name, package) = (&names.name, &names.package);
    let is_inside = einvoice.inside().is_some();
    if is_inside {
        output.line("Two lines put it into the program:")?;
    } else {
        output.line(format!("cd {}", folder.display()))?;
        output.line("cargo test           # what is kept, and what is to be filled in (ignored)")?;
        output.line(format!("cargo run -p {package}-program -- plugins {name}"))?;
        output.line("")?;
        output.line("Two lines put it into a program; program/ has them, and one of your own needs them:")?;
    }
    for LinkLine { file, within, line } in link {
        let within = if within.is_empty() { String::new() } else { format!(", within {within}") };
        output.line(format!("  {file}{within}:"))?;
        output.line(format!("      {line}"))?;
    }
    if is_inside {
        output.line("")?;
        output.line(format!("cargo test -p {package}    # what is kept, and what is to be filled in (ignored)"))?;
        output.line(format!("cargo run -- plugins {name}"))?;
    }
    Ok(())
}

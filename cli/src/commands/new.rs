//! `new`: what people begin with: crates for authors of adapters, files that plugins make.

mod checkout;
mod form;
mod manifest;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};

use crate::arguments::{New, NewCrate};
use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;
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
    let einvoice = Einvoice::find(arguments)?;
    let folder = match (&arguments.path, einvoice.inside()) {
        (Some(path), _) => path.clone(),
        (None, Some(root)) => root.join(kind.group()).join(&names.name),
        (None, None) => PathBuf::from(&names.name),
    };
    let files = files(kind, &names, &einvoice, &folder)?;
    write(&folder, &files)?;
    let next = next_steps(kind, &names, &einvoice, &folder);
    if output.is_json() {
        let written: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        output.object(&serde_json::json!({
            "folder": folder.display().to_string(),
            "files": written,
            "next": next,
        }))?;
    } else {
        for (name, _) in &files {
            output.line(format!("wrote {}", folder.join(name).display()))?;
        }
        output.line("")?;
        next.iter().try_for_each(|line| output.line(line))?;
    }
    Ok(exit_code::ALL_WELL)
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

fn next_steps(kind: Kind, names: &Names, einvoice: &Einvoice, folder: &Path) -> Vec<String> {
    let (name, package, krate) = (&names.name, &names.package, &names.krate);
    let in_folder = folder.display();
    if einvoice.inside().is_some() {
        return vec![
            format!(
                "To link it, add to cli/Cargo.toml under [dependencies] (with `optional = true` and a feature `{name}`"
            ),
            "for those who build without it):".to_owned(),
            format!("    {package} = {{ path = \"../{}/{name}\", optional = true }}", kind.group()),
            "to cli/src/plugins.rs, where tests say what is still missing:".to_owned(),
            format!("    use {krate} as _;"),
            format!("Then fill it in: `cargo test -p {package}` shows what is kept and what is to be filled in."),
        ];
    }
    vec![
        format!("cd {in_folder}"),
        "cargo test                     # what is kept, and what is to be filled in (ignored)".to_owned(),
        format!("cargo run -p {package}-program -- plugins {name}"),
        String::new(),
        "A program of your own needs one line in its manifest and one in its link list, as program/ has them:"
            .to_owned(),
        format!("    {package} = {{ path = \"..\" }}"),
        format!("    use {krate} as _;"),
    ]
}

//! `gsp list` and `gsp schema`.

use std::path::Path;

use serde_json::json;

use crate::error::{CliError, with_causes};
use crate::exit_code;
use crate::output::{Column, Output};
use crate::plugins::providers::profile::{Kind, Profile, ProfileError, read_profile, shipped};

/// Shows the profiles that come with the program.
pub(super) fn list(output: &mut Output) -> Result<u8, CliError> {
    let mut rows = Vec::new();
    for shipped in shipped() {
        let profile = read(shipped.id)?;
        let kind = match profile.kind {
            Kind::Gsp => "GSP",
            Kind::ProviderApi => "own interface",
        };
        let systems: Vec<&str> = [("e-invoice", profile.irp.is_some()), ("e-way bill", profile.ewb.is_some())]
            .into_iter()
            .filter_map(|(name, is_there)| is_there.then_some(name))
            .collect();
        if output.is_json() {
            output.object(&json!({
                "id": profile.id, "name": profile.name, "kind": profile.kind, "systems": systems,
                "summary": profile.summary, "facts": profile.facts,
                "settings": profile.settings,
            }))?;
        } else {
            rows.push(vec![profile.id.clone(), profile.name.clone(), kind.to_owned(), systems.join(", ")]);
        }
    }
    if !output.is_json() {
        output.table(
            &[Column::keep("profile"), Column::wrap("provider"), Column::keep("kind"), Column::keep("carries")],
            rows,
        )?;
        output.line("")?;
        output.line("None of them was ever used with a real account by its makers.")?;
    }
    Ok(exit_code::ALL_WELL)
}

/// Prints the schema of a profile.
pub(super) fn schema(output: &mut Output) -> Result<u8, CliError> {
    let schema = Profile::schema();
    if output.is_json() {
        output.object(&schema)?;
    } else {
        let text = serde_json::to_string_pretty(&schema)
            .map_err(|error| CliError::Fault(format!("the schema has no JSON form: {error}")))?;
        output.line(text)?;
    }
    Ok(exit_code::ALL_WELL)
}

/// A profile by its name, or by a path that begins at the present folder.
pub(super) fn read(name: &str) -> Result<Profile, CliError> {
    read_profile(name, Path::new(""))
        .map_err(|error: ProfileError| CliError::Usage(with_causes(error.to_string(), &error)))
}

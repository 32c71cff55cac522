//! `doctor`: everything between here and the portal, one check a line, each with what to do about it.
//!
//! The checks go from the inside out: what is on this machine, then the way to each portal, then the account there.
//! What depends on something that failed is not tried. Nothing is changed anywhere, but that an
//! emulator in this process makes its own accounts; a login is sent only where no session is kept, through the same
//! budget as every other, and is kept and counted as every other.

mod account;
mod keys;
mod local;
mod network;
mod report;

use einvoice_core::config::RouteTable;

use super::block_on;
use crate::arguments::{Common, Doctor};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::Output;
use crate::{exit_code, settings};
use report::{Line, Report};

pub(super) fn run(arguments: &Doctor, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let mut report = Report::new(output);
    let loaded = match settings::load(common) {
        Ok(loaded) => loaded,
        Err(error) => {
            let error = CliError::Configuration(error);
            let fix = "Correct the file; `einvoice config check` looks at it alone, `einvoice onboard` makes one.";
            report.add(Line::fail("configuration", error.message(), fix).code(exit_code::USAGE))?;
            return report.end();
        }
    };
    let assembly = Assembly::new(loaded)?;
    block_on(async {
        let routes = chosen(arguments, &assembly)?;
        let inside = local::checks(&assembly, &routes, &mut report).await?;
        for (table, part) in routes.into_iter().zip(inside.parts) {
            let Some(part) = part else {
                report.add(Line::skipped("way to the portal", "the route could not be made").on(table))?;
                continue;
            };
            if arguments.offline {
                report.add(Line::skipped("way to the portal", "--offline").on(table))?;
                continue;
            }
            let store = inside.store.as_ref();
            let users = account::users(table, &part, store, &arguments.gstins).await;
            let clients = network::clients(table, &users);
            if !network::checks(&assembly, table, &part, (store, &clients), &mut report).await? {
                report.add(Line::skipped("login", "the portal cannot be reached").on(table))?;
                continue;
            }
            account::checks(&assembly, table, part, store, &users, &mut report).await?;
        }
        report.end()
    })
}

/// The routes that are looked at.
fn chosen<'a>(arguments: &Doctor, assembly: &'a Assembly) -> Result<Vec<&'a RouteTable>, CliError> {
    let all = &assembly.settings().routes;
    let missing = arguments.routes.iter().find(|name| !all.iter().any(|route| route.part.name == **name));
    if let Some(name) = missing {
        let there: Vec<&str> = all.iter().map(|route| route.part.name.as_str()).collect();
        return Err(CliError::Usage(format!("there is no route `{name}`; there are: {}", there.join(", "))));
    }
    let wanted = |route: &&RouteTable| arguments.routes.is_empty() || arguments.routes.contains(&route.part.name);
    Ok(all.iter().filter(wanted).collect())
}

//! `ewb`: making, changing and showing e-way bills.

mod act;
mod bills;
mod file;
mod generate;
mod list;
mod task;

use super::block_on;
use super::desk::Desk;
use crate::arguments::{Common, Ewb};
use crate::error::CliError;
use crate::output::Output;
use crate::settings;

pub(super) fn run(arguments: &Ewb, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    if let Ewb::Extend(extend) = arguments
        && let Some(wrong) = extend.wrong_address()
    {
        return Err(CliError::Usage(wrong));
    }
    let loaded = settings::load(common)?;
    block_on(async {
        let desk = Desk::open(loaded).await?;
        match arguments {
            Ewb::Generate(generate) => generate::run(&desk, generate, output).await,
            Ewb::List(list) => list::list(&desk, list, output).await,
            Ewb::Show(show) => bills::show(&desk, show, output).await,
            Ewb::Consolidate(consolidate) => act::consolidate(&desk, consolidate, output).await,
            Ewb::TripSheet(sheet) => act::trip_sheet(&desk, sheet, output).await,
            other => act::on_bill(&desk, other, output).await,
        }
    })
}

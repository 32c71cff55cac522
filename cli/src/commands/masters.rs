//! `masters`: the codes the portal takes, searched and shown, with the changes of the configuration.
//!
//! `[check] masters = "masters.toml"` names a file of changes:
//!
//! ```toml
//! [[add]]
//! kind = "hsn"
//! code = "84719999"
//! from = 2026-11-01                      # optional: first day
//! until = 2027-03-31                     # optional: last day
//! reason = "added by the portal on 1 November"
//!
//! [[add]]
//! kind = "pin"
//! code = "560999"
//! states = ["29"]                        # a PIN says where it lies
//! reason = "new post office"
//!
//! [[remove]]
//! kind = "uqc"
//! code = "TBS"
//! from = 2026-12-01
//! reason = "withdrawn by the portal"
//! ```

mod show;

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use einvoice_core::clock::{Clock, SystemClock};
use einvoice_core::date::ist_date;
use einvoice_core::masters::{Found, HsnLists, Kind, Masters as Lists, MastersOn, PlaceOfSupply};
use jiff::civil::Date;
use serde::Serialize;

use crate::arguments::{Common, day};
use crate::error::CliError;
use crate::output::{Column, Output, counted, printable};
use crate::settings::DEFAULT_FILE;
use crate::{exit_code, masters_file, settings};

/// Most rows a search shows unless more are asked for: a screenful or two.
const ROWS: usize = 50;

/// The commands of `masters`.
#[derive(Debug, Subcommand)]
#[command(after_help = "Codes that the portal changed are added and withdrawn with a file named by \
                        [check] masters in the configuration, one table each:\n\n  \
                        [[add]]\n  kind = \"hsn\"\n  code = \"84719999\"\n  from = 2026-11-01\n  \
                        reason = \"added by the portal\"\n\n  \
                        [[remove]]\n  kind = \"uqc\"\n  code = \"TBS\"\n  from = 2026-12-01\n  \
                        reason = \"withdrawn by the portal\"\n\n\
                        from and until may be left out. A PIN that is added says where it lies \
                        (states = [\"29\"]); any code may have a name.")]
#[non_exhaustive]
pub enum Masters {
    /// Find codes by their first characters or by words of their names
    Search(Search),
    /// Show what is known about one code
    Show(Show),
}

/// Arguments of `masters search`.
#[derive(Debug, Args)]
pub struct Search {
    /// First characters of a code, or words of a name
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// Search one master only
    #[arg(long, value_name = "MASTER", value_parser = kinds())]
    pub kind: Option<Kind>,
    /// The codes of this day (YYYY-MM-DD or DD/MM/YYYY) [default: today in India]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<Date>,
    /// Show at most this many
    #[arg(long, value_name = "COUNT", default_value_t = ROWS)]
    pub limit: usize,
}

/// Arguments of `masters show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Which master
    #[arg(value_name = "MASTER", value_parser = kinds())]
    pub kind: Kind,
    /// The code
    #[arg(value_name = "CODE")]
    pub code: String,
    /// What holds on this day (YYYY-MM-DD or DD/MM/YYYY) [default: today in India]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<Date>,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str))
        .try_map(|name| Kind::from_name(&name).ok_or("there is no such master"))
}

pub(super) fn run(arguments: &Masters, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let masters = if common.config.is_some() || Path::new(DEFAULT_FILE).is_file() {
        let loaded = settings::load(common)?;
        masters_file::configured(&loaded.settings.check, &loaded.directory)?
    } else {
        Lists::default()
    };
    let on = |as_of: Option<Date>| masters.on(as_of.unwrap_or_else(|| ist_date(SystemClock.now())));
    match arguments {
        Masters::Search(search) => find(search, on(search.as_of), output),
        Masters::Show(show) => show::run(show.kind, &show.code, on(show.as_of), output),
    }
}

/// A hit as `--json` shows it.
#[derive(Serialize)]
struct Hit<'a> {
    master: Kind,
    code: &'a str,
    name: &'a str,
    note: Option<&'a str>,
    #[serde(rename = "override")]
    changed: bool,
}

fn find(arguments: &Search, masters: MastersOn<'_>, output: &mut Output) -> Result<u8, CliError> {
    let text = arguments.text.join(" ");
    if text.trim().is_empty() {
        return Err(CliError::Usage("write what to look for, as in `einvoice masters search cement`".to_owned()));
    }
    let found = masters.search(&text, arguments.kind);
    let (shown, left) = found.split_at(arguments.limit.min(found.len()));
    let rows: Vec<(&Found<'_>, Option<String>)> = shown.iter().map(|hit| (hit, note(hit, masters))).collect();
    if output.is_json() {
        for (hit, note) in &rows {
            let (code, name, changed) = (hit.code.as_str(), &*hit.name, hit.change.is_some());
            output.object(&Hit { master: hit.kind, code, name, note: note.as_deref(), changed })?;
        }
    } else if !rows.is_empty() {
        output.table(
            &[Column::keep("master"), Column::keep("code"), Column::wrap("name"), Column::leave_out("note", 0)],
            rows.into_iter().map(|(hit, note)| {
                vec![hit.kind.to_string(), hit.code.clone(), hit.name.to_string(), note.unwrap_or_default()]
            }),
        )?;
    }
    if found.is_empty() {
        let wider = match arguments.kind {
            Some(kind) if !masters.search(&text, None).is_empty() => {
                format!("nothing in {kind}, and something elsewhere: leave --kind out")
            }
            _ => "write less of it, or another word of the name".to_owned(),
        };
        output.remark(format!("nothing fits `{}`: {wider}", printable(&text)));
    } else if !left.is_empty() {
        let more = counted(u64::try_from(left.len()).unwrap_or(u64::MAX), "more code");
        output.remark(format!("{more}: write more of it, name the master with --kind, or raise --limit"));
    }
    Ok(exit_code::ALL_WELL)
}

/// What to know about a code before using it.
fn note(hit: &Found<'_>, masters: MastersOn<'_>) -> Option<String> {
    if let Some(change) = hit.change {
        return Some(format!("override: {}", change.reason()));
    }
    let text = match hit.kind {
        Kind::State => match masters.state(hit.code.parse().ok()?).listed()?.place_of_supply {
            PlaceOfSupply::Yes => return None,
            PlaceOfSupply::No => "no place of supply",
            PlaceOfSupply::ExportsOnly => "for exports only",
        },
        Kind::Hsn if hit.code.len() == 2 => "a chapter: documents carry 4, 6 or 8 digits",
        Kind::Hsn => lists(masters.hsn(hit.code.parse().ok()?).listed()?.lists)?,
        Kind::Rate => {
            let span = masters.rate(hit.code.parse().ok()?).listed()?;
            return span.until.filter(|_| !span.holds_on(masters.day())).map(|until| format!("until {until}"));
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// What it means that not every list has an HSN code.
fn lists(lists: HsnLists) -> Option<&'static str> {
    match lists {
        HsnLists::Both => None,
        HsnLists::Refused => Some("the e-invoice portal has refused it"),
        _ => Some("only in the GST portal's list: the e-invoice portal may refuse it"),
    }
}

//! `onboard test-report`: the evidence that the application for production asks for.
//!
//! Every API of a sandbox is exercised with cases that should succeed and cases that should not. The list of cases is
//! data (`cases`); a run sends them one at a time (`runner`), remembers each before the next (`state`), and writes what
//! came of them as a workbook and as a page.

mod again;
mod api;
mod case;
mod cases;
mod context;
mod draft;
mod html;
mod judge;
mod listing;
mod parties;
mod reach;
mod report;
mod request;
mod runner;
mod state;
mod xlsx;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use einvoice_core::access::Gateway;
use einvoice_core::date::{PortalTime, ist_date};
use einvoice_core::entropy::{Entropy, SystemEntropy};
use einvoice_core::environment::{Environment, Product};
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::OperationKind;
use einvoice_core::transport::{TransportCapability, TransportError, TransportMode, raw_calls_denied};
use serde_json::json;

use self::again::ask_again;
use self::case::Case;
use self::context::Context;
use self::parties::{Parties, only_login, target};
use self::report::{Counts, Report, sections};
use self::runner::{Ended, Pace, Runner, in_order};
use self::state::{Head, State};
use super::block_on;
use super::credentials::route;
use crate::arguments::{Api, Common, TestReport};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Column, Output, Style};
use crate::progress::Progress;
use crate::stop::Interrupts;
use crate::{exit_code, settings};

/// Calls a minute where nobody says otherwise: NIC publishes no figure, and this is slower than a person in haste.
const CALLS_A_MINUTE: u32 = 20;
/// Logins in 15 minutes: one provider quotes NIC with five, of which one is left for the token that the cases need.
const LOGINS: u32 = 4;
/// The folder beside the configuration.
const FOLDER: &str = "onboard";
/// The report, without ending.
const NAME: &str = "test-report";

pub(super) fn run(arguments: &TestReport, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let all = cases::all();
    let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
    let apis = match arguments.only.as_slice() {
        [] => Api::of(if arguments.e_way_bill { Product::EWayBill } else { Product::EInvoice }),
        named => named.to_vec(),
    };
    if arguments.list {
        let chosen = |case: &&Case| apis.contains(&case.api);
        listing::show(&all.iter().filter(chosen).collect::<Vec<_>>(), output)?;
        return Ok(exit_code::ALL_WELL);
    }
    let assembly = Assembly::new(settings::load(common)?)?;
    let order = in_order(&all, &by_id, &apis);
    block_on(async { Rehearsal::open(arguments, &apis, &order, &assembly).await?.run(&all, &order, output).await })
}

/// A run, ready to begin.
struct Rehearsal {
    gateway: Gateway,
    gstin: Gstin,
    context: Context,
    /// What the route can do.
    capability: TransportCapability,
    pace: Pace,
    state: State,
    clock: einvoice_core::clock::SharedClock,
    folder: PathBuf,
    /// Cases that are asked again, as they were named.
    again: Vec<String>,
}

impl Rehearsal {
    async fn open(
        arguments: &TestReport,
        apis: &[Api],
        order: &[&Case],
        assembly: &Assembly,
    ) -> Result<Self, CliError> {
        let table = route(arguments.route.as_deref(), assembly)?;
        let name = &table.part.name;
        if table.environment == Environment::Production {
            return Err(CliError::Usage(format!(
                "route {name} leads to production, where nothing may be tried out; name a route to a sandbox with --route"
            )));
        }
        let part = assembly.route(table).await?;
        let capability = part.transport.capability().clone();
        capability.admit_rehearsal(&format!("route {name}"))?;
        if capability.raw_calls.is_empty() {
            return Err(CliError::Transport(raw_calls_denied()));
        }
        let kinds: Vec<_> = apis.iter().map(|api| api.kind()).collect();
        let is_carried = |kind: &Option<OperationKind>| kind.is_none_or(|kind| capability.operations.contains(&kind));
        if let Some(operation) = kinds.iter().copied().flatten().next()
            && !kinds.iter().any(is_carried)
        {
            return Err(CliError::Transport(TransportError::Unsupported { operation }));
        }
        let emulator = capability.mode == TransportMode::InProcess;
        let credentials = assembly.credentials().await?;
        let gstin = match arguments.gstin {
            Some(gstin) => gstin,
            None => only_login(credentials.as_ref(), table).await?,
        };
        let clock = assembly.clock();
        let now = clock.now();
        let parties = Parties::of(arguments, gstin, emulator, order, ist_date(now))?;
        let folder = match &arguments.output {
            Some(folder) => folder.clone(),
            None => assembly.directory().join(FOLDER),
        };
        std::fs::create_dir_all(&folder).map_err(|error| CliError::File {
            path: folder.clone(),
            action: "make",
            error,
        })?;
        let head = Head::new(prefix()?, target(gstin, table, emulator), PortalTime::at(now).to_string());
        let state = state(&folder.join(format!("{NAME}.jsonl")), head, arguments.restart)?;
        let Parties { own, buyer, sez, inactive } = parties;
        let context = Context {
            run: state.head.run.clone(),
            today: ist_date(now),
            about: None,
            own,
            buyer,
            sez,
            inactive,
            old_irn: arguments.old_irn.map(|irn| irn.to_string()),
            site: capability.site.clone(),
            left_out: BTreeMap::new(),
        };
        let default = |polite: u32| if emulator { 0 } else { polite };
        let pace = Pace::of(
            arguments.pace.unwrap_or_else(|| default(CALLS_A_MINUTE)),
            arguments.login_pace.unwrap_or_else(|| default(LOGINS)),
        );
        let gateway =
            Gateway::new(part.name, part.environment, part.client_account, part.transport, credentials, clock.clone());
        let again = arguments.again.clone();
        Ok(Self { gateway, gstin, context, capability, pace, state, clock, folder, again })
    }

    async fn run(mut self, all: &[Case], order: &[&Case], output: &mut Output) -> Result<u8, CliError> {
        let by_id: BTreeMap<&str, &Case> = all.iter().map(|case| (case.id.as_str(), case)).collect();
        let mut interrupts = Interrupts::listen()?;
        let order: Vec<&Case> = order.iter().copied().filter(|case| self.context.offers(case)).collect();
        let order = order.as_slice();
        self.context.left_out = reach::left_out(order, &by_id, &self.context, &self.capability.raw_calls)?;
        for sentence in reach::in_words(&self.context.left_out) {
            output.remark(sentence);
        }
        ask_again(&self.again, order, &mut self.state)?;
        let earlier = order.iter().filter(|case| self.state.done.contains_key(&case.id)).count();
        if earlier > 0 {
            output.remark(format!(
                "going on with run {}: {earlier} of {} cases are done",
                self.context.run,
                order.len()
            ));
        }
        let shown = output.shows_progress() && !output.is_json();
        let progress = Progress::new(shown, u64::try_from(order.len()).ok(), "cases");
        let mut runner = Runner {
            gateway: &self.gateway,
            gstin: self.gstin,
            capability: &self.capability,
            clock: self.clock.clone(),
            context: &mut self.context,
            cases: &by_id,
            pace: self.pace,
            progress: &progress,
            token: None,
        };
        let ended = runner.run(order, &mut self.state, &mut interrupts).await;
        progress.finish();
        let ended = ended?;
        // What earlier calls of the command did stays in the report.
        let asked: BTreeSet<&str> = order.iter().map(|case| case.id.as_str()).collect();
        let is_shown = |case: &&Case| asked.contains(case.id.as_str()) || self.state.done.contains_key(&case.id);
        let shown: Vec<&Case> = all.iter().filter(is_shown).collect();
        let report = Report {
            gstin: self.gstin.to_string(),
            route: self.state.head.target.route.clone(),
            site: self.context.site.clone(),
            run: self.state.head.run.clone(),
            started: self.state.head.started.clone(),
            written: PortalTime::at(self.clock.now()).to_string(),
            rehearsal: self.state.head.target.rehearsal,
            sections: sections(&shown, &self.context, &self.state),
        };
        let files = write(&self.folder, &report)?;
        told(&report, &ended, &files, output)
    }
}

/// What the document numbers of a run begin with: a T and four characters that no other run is likely to have.
fn prefix() -> Result<String, CliError> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0; 4];
    SystemEntropy::default().fill(&mut bytes).map_err(|error| CliError::System {
        action: "choose document numbers".to_owned(),
        error: std::io::Error::other(error),
    })?;
    let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    Ok(std::iter::once('T').chain(bytes.into_iter().map(letter)).collect())
}

/// Goes on with the run in a file, or begins one.
fn state(path: &Path, head: Head, restart: bool) -> Result<State, CliError> {
    if restart && path.exists() {
        let old = path.with_file_name(format!("{NAME}-before-{}.jsonl", head.run));
        std::fs::rename(path, &old).map_err(|error| CliError::File {
            path: path.to_path_buf(),
            action: "rename",
            error,
        })?;
    }
    let Some(state) = State::resume(path)? else { return State::begin(path, head) };
    if state.head.target != head.target {
        return Err(CliError::Usage(format!(
            "{} holds the report of {}, and this would be that of {}, which never stand in one; go back to the first, or \
             pass another folder with --output, or --restart",
            path.display(),
            state.head.target.in_words(),
            head.target.in_words()
        )));
    }
    Ok(state)
}

/// Writes both forms of the report; where they are.
fn write(folder: &Path, report: &Report<'_>) -> Result<[PathBuf; 2], CliError> {
    let workbook = xlsx::workbook(report)
        .map_err(|error| CliError::Fault(format!("the workbook of the test report cannot be made: {error}")))?;
    let files = [folder.join(format!("{NAME}.xlsx")), folder.join(format!("{NAME}.html"))];
    let [xlsx, html] = &files;
    super::new::form::write(xlsx, &workbook, true)?;
    super::new::form::write(html, html::page(report).as_bytes(), true)?;
    Ok(files)
}

/// Says what came of it.
fn told(report: &Report<'_>, ended: &Ended, files: &[PathBuf; 2], output: &mut Output) -> Result<u8, CliError> {
    let sum = |of: fn(&Counts) -> usize| report.sections.iter().map(|section| of(&section.counts)).sum::<usize>();
    let (different, not_run) = (sum(|counts| counts.different), sum(|counts| counts.not_run));
    let left_out = sum(|counts| counts.left_out);
    let code = exit_code::most_urgent([
        if different > 0 { exit_code::NEEDS_PERSON } else { exit_code::ALL_WELL },
        if not_run > 0 { exit_code::NEEDS_PERSON } else { exit_code::ALL_WELL },
        if matches!(ended, Ended::Stopped(_)) { exit_code::UNREACHABLE } else { exit_code::ALL_WELL },
    ]);
    let [xlsx, html] = files.each_ref().map(|file| file.display().to_string());
    if output.is_json() {
        for section in &report.sections {
            output
                .object(&json!({"api": section.api, "counts": section.counts, "enough": section.counts.is_enough()}))?;
        }
        let stopped = match ended {
            Ended::Through => None,
            Ended::Interrupted => Some("interrupted".to_owned()),
            Ended::Stopped(reason) => Some(reason.clone()),
        };
        output.object(&json!({"run": report.run, "different": different, "not_run": not_run, "left_out": left_out,
                              "rehearsal": report.rehearsal, "stopped": stopped, "xlsx": xlsx, "html": html,
                              "exit_code": code}))?;
        return Ok(code);
    }
    output.table(
        &[
            Column::keep("api"),
            Column::keep("succeeded"),
            Column::keep("failed"),
            Column::keep("codes"),
            Column::keep("different"),
            Column::keep("not run"),
            Column::keep("left out"),
        ],
        report.sections.iter().map(|section| {
            let numbers = section.counts.in_a_row();
            std::iter::once(section.api.title().to_owned()).chain(numbers.map(|number| number.to_string())).collect()
        }),
    )?;
    output.line("")?;
    for row in report.sections.iter().flat_map(|section| &section.rows) {
        if row.standing() == report::Standing::Different {
            let text = format!("expected {}, got {}: {}", row.case.expected.in_words(), row.got(), row.said());
            output.headed(Style::Bad, &format!("{} ({}):", row.case.id, row.case.title), &text)?;
        }
    }
    match ended {
        Ended::Through if different + not_run + left_out == 0 => output.line("every case came out as expected")?,
        Ended::Through if different + not_run == 0 => {
            output.line("every case that this route can carry came out as expected")?;
        }
        Ended::Through => output.paragraph(0, "the report marks what did not come out as expected, or was not run")?,
        Ended::Interrupted => output.paragraph(0, "interrupted; the same command goes on where this one stopped")?,
        Ended::Stopped(reason) => {
            let text = format!("stopped: {reason}; the same command goes on where this one stopped");
            output.paragraph(0, &text)?;
        }
    }
    output.paragraph(0, &format!("the evidence is in {xlsx} and {html}"))?;
    Ok(code)
}

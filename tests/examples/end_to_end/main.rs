//! Measures whole runs: a JSON-lines file through source, pipeline, portal, ledger and write-back.
//!
//! ```sh
//! cargo run --release -p einvoice-testkit --example end_to_end -- invoices=20000 portal=http
//! ```
//!
//! | argument | meaning | default |
//! | --- | --- | --- |
//! | `invoices=N` | six-item invoices in the file | 20000 |
//! | `portal=http` | the emulator in a process of its own, reached over loopback HTTP | `http` |
//! | `portal=silent` | a portal in this process that registers all with signatures of nobody: for memory | |
//! | `gstins=N` | suppliers, as a portal allows few calls at once for one GSTIN | 256 |
//! | `calls=N` | documents under way at the same time | 64 |
//! | `move_files=yes` or `no` | whether the source moves the file when all is settled, its default | `yes` |
//! | `jobs=cancel` or `ewb` | what is done with each document afterwards, by a job; with `portal=http` only | nothing |
//! | `folder=DIR` | where everything is written, in a new folder that is removed at the end | temporary |
//!
//! CPU and memory are those of this process: with `portal=http` the portal's are not in them. They
//! are read from `/proc`, so only Linux shows them.
#![expect(clippy::print_stdout, reason = "a measuring program for people")]

mod jobs;
mod portal;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use einvoice_core::clock::SystemClock;
use einvoice_core::config::RunSettings;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::ledger::Ledger;
use einvoice_core::pipeline::{Parts, Pipeline, RoutePart, Silent, SourcePart, StopSignal, WriteBackPart};
use einvoice_core::registry::BuildContext;
use einvoice_core::rulebook::CheckOptions;
use einvoice_json_file::{JsonFileSource, JsonFileWriteBack, WriteBackConfig};
use einvoice_ledger_sqlite::{LedgerConfig, SqliteLedger};
use einvoice_testkit::documents::{Recipe, gstin};
use serde_json::json;

use einvoice_testkit::usage::{self, Cost, Usage};
use jobs::Deed;
use portal::Portal;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What to measure.
struct Plan {
    invoices: u32,
    gstins: u32,
    calls: usize,
    http: bool,
    move_files: bool,
    jobs: Option<Deed>,
    folder: PathBuf,
}

impl Plan {
    fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut plan = Self {
            invoices: 20_000,
            gstins: 256,
            calls: 64,
            http: true,
            move_files: true,
            jobs: None,
            folder: std::env::temp_dir(),
        };
        for argument in arguments {
            match argument.split_once('=') {
                Some(("invoices", value)) => plan.invoices = value.parse()?,
                Some(("gstins", value)) => plan.gstins = value.parse::<u32>()?.clamp(1, 10_000),
                Some(("calls", value)) => plan.calls = value.parse()?,
                Some(("portal", value @ ("http" | "silent"))) => plan.http = value == "http",
                Some(("move_files", value @ ("yes" | "no"))) => plan.move_files = value == "yes",
                Some(("jobs", value @ ("cancel" | "ewb"))) => plan.jobs = Deed::parse(value),
                Some(("folder", value)) => plan.folder = value.into(),
                _ => return Err(format!("{argument} is no argument; see the top of this program").into()),
            }
        }
        if plan.jobs.is_some() && !plan.http {
            return Err("jobs need portal=http: the silent portal registers and does nothing else".into());
        }
        Ok(plan)
    }

    fn supplier(&self, number: u32) -> Gstin {
        gstin(29, number % self.gstins)
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if arguments.peek().map(String::as_str) == Some(portal::SERVE) {
        return runtime.block_on(portal::serve(arguments.skip(1)));
    }
    let plan = Plan::from_arguments(arguments)?;
    let folder = tempfile::Builder::new().prefix("einvoice-end-to-end-").tempdir_in(&plan.folder)?;
    write_invoices(&plan, folder.path())?;
    runtime.block_on(measure(&plan, folder.path()))
}

fn write_invoices(plan: &Plan, folder: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(folder.join("invoices.jsonl"))?);
    for number in 1..=plan.invoices {
        let recipe = Recipe::numbered(number).by(plan.supplier(number));
        writeln!(file, "{}", recipe.json())?;
    }
    file.flush()?;
    Ok(())
}

async fn measure(plan: &Plan, folder: &Path) -> Result<()> {
    let suppliers = (0..plan.gstins).map(|seed| gstin(29, seed)).collect();
    let portal = Portal::start(plan.http, suppliers, folder).await?;
    let before = Usage::now();
    let start = Instant::now();
    let (pipeline, ledger) = assemble(plan, folder, &portal).await?;
    let assembled = start.elapsed();
    let report = pipeline.run_once(Arc::new(Silent), StopSignal::new()).await?;
    // Closing the ledger is part of a run.
    let goes_on = plan.jobs.map(|deed| (deed, pipeline, ledger));
    let elapsed = start.elapsed();

    let count = f64::from(plan.invoices);
    println!("registered {} of {} read, delivered {:?}", report.registered, report.read, report.delivered);
    println!(
        "assembled in {assembled:.1?}, all done in {elapsed:.1?}: {:.0} invoices/s",
        count / elapsed.as_secs_f64()
    );
    if let Some(cost) = Cost::since(before.as_ref(), plan.invoices) {
        println!("own CPU per invoice {cost}");
    }
    if let (Some(before), Some(after)) = (before, Usage::now()) {
        println!("peak memory {} KiB, {} KiB before the run", after.peak_kib, before.peak_kib);
    }
    println!("load {}", usage::load().unwrap_or_else(|| "not known".to_owned()));
    if report.registered != u64::from(plan.invoices) {
        let (open, first) = (&report.open, report.configuration.first());
        return Err(format!("not all were registered: {open:?}, {first:?}").into());
    }
    match goes_on {
        Some((deed, pipeline, ledger)) => jobs::measure(deed, &pipeline, ledger.as_ref()).await,
        None => Ok(()),
    }
}

async fn assemble(plan: &Plan, folder: &Path, portal: &Portal) -> Result<(Pipeline, Arc<dyn Ledger>)> {
    let clock = SystemClock::shared();
    let context = BuildContext::new("books", folder, Arc::clone(&clock), SystemEntropy::shared());
    let source = json!({"path": "invoices.jsonl", "settle_ms": 0, "move_files": plan.move_files});
    let source = JsonFileSource::new(&context, serde_json::from_value(source)?)?;
    let target = JsonFileWriteBack::new(&context, WriteBackConfig::default());
    let ledger = LedgerConfig { path: folder.join("einvoice.db"), ..LedgerConfig::default() };
    let mut settings = RunSettings::default();
    settings.concurrency = plan.calls;
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open(&ledger, Arc::clone(&clock)).await?);
    let pipeline = Pipeline::new(Parts {
        ledger: Arc::clone(&ledger),
        credentials: portal.credentials(),
        routes: vec![RoutePart {
            name: RouteName::new("portal"),
            environment: Environment::Sandbox,
            client_account: None,
            transport: portal.transport().await?,
        }],
        sources: vec![SourcePart { name: "books".into(), source: Arc::new(source) }],
        write_backs: vec![WriteBackPart { name: "answers".into(), sources: Vec::new(), target: Arc::new(target) }],
        verifier: portal.verifier()?,
        check: CheckOptions::on(jiff::civil::date(2026, 11, 22)),
        settings,
        clock,
    })
    .await?;
    Ok((pipeline, ledger))
}

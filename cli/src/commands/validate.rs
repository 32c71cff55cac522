//! `validate`: the portal's rules, offline.
//!
//! Records stream out of a source plugin and are judged in chunks on all cores; the results come out
//! in the order of the input and memory does not grow with it. One module a form: `text`, `rows`
//! for CSV, `html`; JSON is made where the judging is done.

mod destination;
mod html;
mod judge;
pub(super) mod opening;
mod reporter;
mod rows;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use einvoice_core::registry::{Plugin, Registry};
use einvoice_core::source::{InvoiceSource, RecordStream, SourceItem};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::block_on;
use crate::arguments::{Common, ReportFormat, Validate};
use crate::error::CliError;
use crate::output::{Output, Style, printable};
use crate::progress::Progress;
use crate::{exit_code, plugins};
use destination::Destination;
use judge::{Chunk, FileNames, Wanted};
use opening::{Origin, check_options, configuration, open, readable};
use reporter::{Counts, Format, Reporter};
pub(super) use text::findings_text;

/// Records judged together: enough to make handing them over cheap.
const CHUNK_RECORDS: usize = 128;

/// Bytes of records judged together, so that many large documents do not pile up.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

pub(super) fn run(arguments: &Validate, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let format = report_format(arguments, common)?;
    if format == ReportFormat::Json {
        output.turn_to_json();
    }
    let Some(path) = &arguments.output else { return check(arguments, common, format, output) };
    let destination = Destination::begin(path, &arguments.files)?;
    let mut file = destination.output(output.is_json())?;
    let code = check(arguments, common, format, &mut file)?;
    file.flush()?;
    drop(file);
    destination.put()?;
    Ok(code)
}

fn report_format(arguments: &Validate, common: &Common) -> Result<ReportFormat, CliError> {
    let format = match arguments.format {
        Some(format) if common.json && format != ReportFormat::Json => {
            return Err(CliError::Usage("--json is short for --format json: leave one of the two out".to_owned()));
        }
        Some(format) => format,
        None if common.json => ReportFormat::Json,
        None => ReportFormat::default(),
    };
    if arguments.provenance && matches!(format, ReportFormat::Csv | ReportFormat::Html) {
        return Err(CliError::Usage("--provenance is shown by --format text and --format json only".to_owned()));
    }
    Ok(format)
}

/// Checks all files and tells what came of it.
fn check(arguments: &Validate, common: &Common, format: ReportFormat, output: &mut Output) -> Result<u8, CliError> {
    let registry = plugins::registry()?;
    let loaded = configuration(arguments, common)?;
    let options = check_options(arguments, common, loaded.as_ref())?;
    let origin = Origin::of(&arguments.plugin, loaded.as_ref());
    let progress = Progress::new(output.shows_progress(), None, "records checked");
    let mut reporter = Reporter::begin(output, format, &options, progress)?;
    block_on(async {
        for file in &arguments.files {
            let judged = async {
                let path = readable(file)?;
                let source = open(&arguments.plugin, &registry, &origin, &path).await?;
                let names = FileNames { read: path.display().to_string(), shown: file.display().to_string() };
                let wanted = Wanted { options: options.clone(), format, provenance: arguments.provenance, file: names };
                validate_file(file, &source, &wanted, &mut reporter).await
            };
            if let Err(error) = judged.await {
                if matches!(error, CliError::Output(_) | CliError::Fault(_) | CliError::Registry(_)) {
                    return Err(error);
                }
                reporter.unreadable(file, &error)?;
            }
            if reporter.output.is_closed() {
                break;
            }
        }
        Ok(())
    })?;
    let counts = reporter.end(arguments.output.as_deref())?;
    if counts.records() == 0 && counts.unreadable == 0 && !output.is_closed() {
        output.remark("nothing to check was found: look whether this is the right file");
    }
    if counts.invalid > 0 {
        other_formats(arguments, &registry, output);
    }
    if arguments.provenance && counts.origins == 0 {
        output.remark(format!("plugin {} takes values as they stand, so there are no origins", arguments.plugin));
    }
    Ok(exit_code::most_urgent([
        if counts.invalid > 0 { exit_code::NEEDS_PERSON } else { exit_code::ALL_WELL },
        if counts.unreadable > 0 { exit_code::USAGE } else { exit_code::ALL_WELL },
    ]))
}

/// Whoever checks a file of another format without naming its plugin is told how.
fn other_formats(arguments: &Validate, registry: &Registry, output: &mut Output) {
    let is_json = |file: &PathBuf| {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ending.is_empty() || ["json", "jsonl", "ndjson", "txt"].iter().any(|known| ending.eq_ignore_ascii_case(known))
    };
    let Some(file) = arguments.files.iter().find(|file| !is_json(file)) else { return };
    if arguments.plugin == "json-file" {
        // A source that reads no files has nothing to do with this one.
        let reads_files = |source: &Plugin<dyn InvoiceSource>| {
            (source.schema)().as_value().pointer("/properties/path").is_some() && source.name != "json-file"
        };
        let others: Vec<&str> =
            registry.sources.iter().filter(|source| reads_files(source)).map(|source| source.name).collect();
        output.remark(format!(
            "{} was read as INV-01 JSON; for another format name its plugin with --plugin: {}",
            printable(&file.display().to_string()),
            others.join(", ")
        ));
    }
}

async fn validate_file(
    file: &Path,
    source: &Arc<dyn InvoiceSource>,
    wanted: &Wanted,
    reporter: &mut Reporter<'_>,
) -> Result<(), CliError> {
    let shown = printable(&file.display().to_string()).into_owned();
    let stream = source.fetch(None).await?;
    match &mut reporter.format {
        Format::Text => {
            let heading = reporter.output.styled(Style::Strong, &shown).into_owned();
            reporter.progress.aside(|| reporter.output.line(heading))?;
        }
        Format::Html(page) => page.file(&shown),
        Format::Json | Format::Csv => {}
    }
    reporter.progress.message(shown);
    judge_stream(stream, source, wanted, reporter).await
}

/// Judges what the stream brings, chunk by chunk on all cores, and prints in the order of the input.
async fn judge_stream(
    mut stream: RecordStream,
    source: &Arc<dyn InvoiceSource>,
    wanted: &Wanted,
    reporter: &mut Reporter<'_>,
) -> Result<(), CliError> {
    let workers = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut under_way = FuturesOrdered::new();
    let mut chunk = Chunk::default();
    let mut trouble = None;
    while let Some(item) = stream.next().await {
        match item {
            Ok(SourceItem::Record(record)) => chunk.record(record),
            Ok(SourceItem::Problem(problem)) => chunk.problem(problem),
            Ok(_) => {}
            Err(error) => {
                trouble = Some(error);
                break;
            }
        }
        if chunk.len() >= CHUNK_RECORDS || chunk.bytes() >= CHUNK_BYTES {
            under_way.push_back(std::mem::take(&mut chunk).judge(Arc::clone(source), wanted.clone()));
        }
        if under_way.len() > workers
            && let Some(done) = under_way.next().await
        {
            reporter.print(done)?;
        }
        if reporter.output.is_closed() {
            return Ok(());
        }
    }
    under_way.push_back(chunk.judge(Arc::clone(source), wanted.clone()));
    while let Some(done) = under_way.next().await {
        reporter.print(done)?;
    }
    // What was read before the trouble has been shown; then the file as a whole is in error.
    trouble.map_or(Ok(()), |error| Err(CliError::Source(error)))
}

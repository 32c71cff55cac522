//! `validate`: the portal's rules, offline.
//!
//! Records stream out of a source plugin and are judged in chunks on all cores; the results come out
//! in the order of the input and memory does not grow with it. One module a form: `text`, `rows`
//! for CSV, `html`; JSON is made where the judging is done.

mod destination;
mod html;
mod judge;
mod rows;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use einvoice_core::clock::{Clock, SystemClock};
use einvoice_core::date::ist_date;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, Plugin, Registry};
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::source::{InvoiceSource, RecordStream, SourceItem};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use serde_json::{Map, Value, json};

use super::block_on;
use crate::arguments::{Common, ReportFormat, Validate};
use crate::error::CliError;
use crate::output::{Output, Style, printable};
use crate::progress::Progress;
use crate::settings::{DEFAULT_FILE, Loaded, with_suggestion};
use crate::{exit_code, plugins, settings};
use destination::Destination;
use html::Page;
use judge::{Chunk, FileNames, Wanted};
pub(super) use text::findings_text;
use text::{summary, text};

/// Records judged together: enough to make handing them over cheap.
const CHUNK_RECORDS: usize = 128;

/// Bytes of records judged together, so that many large documents do not pile up.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// What was counted, in a chunk or in all.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    valid: u64,
    /// Of the valid ones, those with something to say about.
    remarked: u64,
    invalid: u64,
    skipped: u64,
    unreadable: u64,
    /// Values whose origin was shown.
    origins: u64,
}

impl Counts {
    fn records(self) -> u64 {
        self.valid + self.invalid + self.skipped
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.valid += other.valid;
        self.remarked += other.remarked;
        self.invalid += other.invalid;
        self.skipped += other.skipped;
        self.unreadable += other.unreadable;
        self.origins += other.origins;
    }
}

/// Where results go, and in which form.
struct Reporter<'a> {
    output: &'a mut Output,
    format: Format,
    counts: Counts,
    progress: Progress,
}

/// The form, with what it gathers until the end.
enum Format {
    Text,
    Json,
    Csv,
    Html(Box<Page>),
}

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

/// The configuration, where it has something to say: when it is named, or when the format needs a
/// plugin whose settings it may hold. Plain INV-01 JSON needs none.
fn configuration(arguments: &Validate, common: &Common) -> Result<Option<Loaded>, CliError> {
    let useful = arguments.plugin != "json-file" && Path::new(DEFAULT_FILE).is_file();
    if common.config.is_some() || useful { Ok(Some(settings::load(common)?)) } else { Ok(None) }
}

fn check_options(arguments: &Validate, common: &Common, loaded: Option<&Loaded>) -> Result<CheckOptions, CliError> {
    let as_of = arguments.as_of.unwrap_or_else(|| ist_date(SystemClock.now()));
    let options = match loaded.filter(|_| common.config.is_some()) {
        Some(loaded) => crate::assemble::check_options(loaded, as_of)?,
        None => CheckOptions::on(as_of),
    };
    Ok(if arguments.no_gstin_check_digit { options.with_gstin_check_digit(None) } else { options })
}

/// How to map, which does not depend on where the file lies.
struct Origin {
    settings: Map<String, Value>,
    directory: PathBuf,
}

impl Origin {
    /// The settings of the first configured source of the plugin; else the plugin's defaults.
    fn of(plugin: &str, loaded: Option<&Loaded>) -> Self {
        let sources = loaded.map(|loaded| loaded.settings.sources.as_slice()).unwrap_or_default();
        let found = sources.iter().find(|source| source.part.plugin == plugin);
        Self {
            settings: found.and_then(|source| source.part.settings.as_object().cloned()).unwrap_or_default(),
            directory: loaded.map_or_else(|| PathBuf::from("."), |loaded| loaded.directory.clone()),
        }
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

/// Tells a missing or unreadable file before a plugin looks for it by a pattern.
fn readable(file: &Path) -> Result<PathBuf, CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
    let opened = match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let shown = file.display();
            return Err(CliError::Usage(format!(
                "cannot read {shown}: there is no such file; check its name and the folder you are in"
            )));
        }
        opened => opened.map_err(failed)?,
    };
    if opened.metadata().map_err(failed)?.is_dir() {
        return Err(CliError::Usage(format!("{} is a folder: name the files inside", file.display())));
    }
    std::path::absolute(file).map_err(failed)
}

async fn open(
    plugin: &str,
    registry: &Registry,
    origin: &Origin,
    file: &Path,
) -> Result<Arc<dyn InvoiceSource>, CliError> {
    let found = registry.sources.find(plugin, registry.left_out())?;
    let Some(text) = file.to_str() else {
        return Err(CliError::Usage(format!("{}: the file's name is not UTF-8 text", file.display())));
    };
    let mut settings = origin.settings.clone();
    // `path` is a pattern, so marks of patterns in a real name are escaped.
    let pattern = if text.contains(['*', '?', '[']) { glob::Pattern::escape(text) } else { text.to_owned() };
    settings.insert("path".to_owned(), Value::String(pattern));
    let schema = (found.schema)().to_value();
    for (key, value) in for_one_file() {
        if schema.pointer(&format!("/properties/{key}")).is_some() {
            settings.insert(key.to_owned(), value);
        }
    }
    let context = BuildContext::new("validate", &origin.directory, SystemClock::shared(), SystemEntropy::shared());
    let made = registry.source(plugin, context, Value::Object(settings)).await;
    made.map_err(|mut error| {
        error.reason = with_suggestion(&error.reason);
        CliError::Build { file: file.display().to_string(), error }
    })
}

/// Settings of file sources that are about folders somebody else writes to. Here a person names the
/// file, so it is read as it lies, whatever its name, and stays where it is.
fn for_one_file() -> [(&'static str, Value); 6] {
    [
        // Nothing is kept beyond this reading, so that memory need not grow with the file.
        ("record_id", json!("position")),
        ("settle_ms", json!(0)),
        ("move_files", json!(false)),
        ("ignore_suffixes", json!([])),
        ("trigger_suffix", Value::Null),
        // No name of a file holds a slash, so nothing is taken for a response.
        ("response_suffix", json!("/")),
    ]
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

impl<'a> Reporter<'a> {
    fn begin(
        output: &'a mut Output,
        format: ReportFormat,
        options: &CheckOptions,
        progress: Progress,
    ) -> Result<Self, CliError> {
        let format = match format {
            ReportFormat::Text => Format::Text,
            ReportFormat::Json => Format::Json,
            ReportFormat::Csv => {
                output.bytes(&rows::header())?;
                Format::Csv
            }
            ReportFormat::Html => Format::Html(Box::new(Page::new(options.as_of))),
        };
        Ok(Self { output, format, counts: Counts::default(), progress })
    }

    fn print(&mut self, done: Result<judge::Done, tokio::task::JoinError>) -> Result<(), CliError> {
        let done = done.map_err(|error| CliError::Fault(format!("checking ended early ({error})")))?;
        let Self { output, format, counts, progress } = self;
        *counts += done.counts;
        match format {
            Format::Html(page) => done.judged.iter().for_each(|judged| page.add(judged)),
            _ => progress.aside(|| {
                output.bytes(&done.lines)?;
                done.judged.iter().try_for_each(|judged| text(judged, output))?;
                output.show_now()
            })?,
        }
        progress.advance(done.counts.records());
        Ok(())
    }

    /// One file that cannot be read does not keep the others from being checked.
    fn unreadable(&mut self, file: &Path, error: &CliError) -> Result<(), CliError> {
        let Self { output, format, counts, progress } = self;
        counts.unreadable += 1;
        progress.aside(|| {
            output.flush()?;
            output.remark(format!("error: {}", error.message()));
            let shown = file.display().to_string();
            match format {
                Format::Text => Ok(()),
                Format::Json => output.object(&error.report()),
                Format::Csv => output.bytes(&rows::unreadable(&shown, &error.message())),
                Format::Html(page) => {
                    page.unreadable(&shown, &error.message());
                    Ok(())
                }
            }
        })
    }

    /// Writes what comes last, and says what was counted: in a text, and beside everything else.
    fn end(self, file: Option<&Path>) -> Result<Counts, CliError> {
        let Self { output, format, counts, progress } = self;
        progress.finish();
        let counted = summary(&counts);
        let is_text = matches!(format, Format::Text);
        match format {
            Format::Text => output.line(&counted)?,
            Format::Html(page) => output.bytes(page.finish(&counts).as_bytes())?,
            Format::Json | Format::Csv => {}
        }
        output.flush()?;
        match file {
            Some(file) => output.remark(format!("{counted}; see {}", printable(&file.display().to_string()))),
            None if is_text => {}
            None => output.remark(counted),
        }
        Ok(counts)
    }
}

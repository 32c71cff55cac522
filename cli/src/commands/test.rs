//! `test`: cases of mappings that users write beside their configuration.
//!
//! A case gives a record, as the source would hand it over or in a file as the system writes it, and says what it
//! expects. Mapping is a plain function of the record, so neither the source's own files nor a network nor a ledger is
//! needed.

mod cases;
mod compare;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::config::SourceTable;
use einvoice_core::date::ist_date;
use einvoice_core::finding::Finding;
use einvoice_core::registry::nearest;
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::source::{InvoiceSource, SourceItem, SourceRecord};
use futures_util::StreamExt;
use serde::Serialize;

use super::block_on;
use super::trial::{self, Tried};
use super::validate::opening::{Origin, open, readable};
use crate::arguments::{Common, Test};
use crate::assemble::{Assembly, check_options};
use crate::error::CliError;
use crate::output::{Output, Span, Style, counted, printable};
use crate::{exit_code, settings};
use cases::{Case, Given};
use compare::{Failure, named};

/// Where cases are looked for when no file is named, from the folder of the configuration.
const CASES: &str = "cases";

/// Where what is wrong with a case begins.
const FAILURE_INDENT: usize = 10;

/// Findings of a document that are shown with a case that failed.
const FINDINGS_SHOWN: usize = 5;

#[derive(Debug, Default, Serialize)]
struct Counts {
    cases: u64,
    passed: u64,
    failed: u64,
    /// Cases whose source or file could not be used.
    unusable: u64,
    /// Files of cases that could not be used.
    unreadable: u64,
}

/// A case as `--json` shows it: the stable contract.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    case: &'a str,
    source: &'a str,
    passed: bool,
    failures: &'a [Failure],
    verdict: &'static str,
    findings: &'a [Finding],
}

pub(super) fn run(arguments: &Test, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    let files = files(&arguments.files, assembly.directory())?;
    let mut bench = Bench::new(&assembly)?;
    let mut counts = Counts::default();
    block_on(async {
        for file in &files {
            let shown = printable(&file.display().to_string()).into_owned();
            let cases = match cases::read(file) {
                Ok(cases) => cases,
                Err(error) => {
                    counts.unreadable += 1;
                    output.remark(format!("error: {}", error.message()));
                    continue;
                }
            };
            let wanted: Vec<Case> = cases.into_iter().filter(|case| is_wanted(case, arguments)).collect();
            if !output.is_json() && !wanted.is_empty() {
                output.line(output.styled(Style::Strong, &shown))?;
            }
            for case in wanted {
                let (tried, failures) = match bench.tried(&shown, &case).await {
                    Ok(answer) => answer,
                    Err(error) if is_about_the_case(&error) => {
                        counts.unusable += 1;
                        output.remark(format!("error: {}", error.message()));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                counts.cases += 1;
                if failures.is_empty() {
                    counts.passed += 1;
                } else {
                    counts.failed += 1;
                }
                tell(&shown, &case, &tried, &failures, output)?;
            }
        }
        Ok(())
    })?;
    let code = exit_code::most_urgent([
        if counts.failed > 0 { exit_code::NEEDS_PERSON } else { exit_code::ALL_WELL },
        if counts.unreadable + counts.unusable > 0 { exit_code::USAGE } else { exit_code::ALL_WELL },
    ]);
    if output.is_json() {
        output.object(&serde_json::json!({ "summary": counts, "exit_code": code }))?;
    } else {
        output.line(summary(&counts))?;
        if counts.failed > 0 {
            output.line("Correct the mapping, or the case where the mapping is right.")?;
        }
    }
    if counts.cases == 0 && counts.unreadable + counts.unusable == 0 {
        return Err(CliError::Usage("no case has such a name; `einvoice test` without --case runs all".to_owned()));
    }
    Ok(code)
}

/// Whether an error keeps one case from being tried, and no other.
const fn is_about_the_case(error: &CliError) -> bool {
    matches!(error, CliError::Usage(_) | CliError::Build { .. } | CliError::File { .. } | CliError::Source(_))
}

fn is_wanted(case: &Case, arguments: &Test) -> bool {
    arguments.case.as_ref().is_none_or(|part| case.name.to_lowercase().contains(&part.to_lowercase()))
}

/// The files that were named, those of folders among them; else all in the folder `cases` beside the configuration.
fn files(named: &[PathBuf], directory: &Path) -> Result<Vec<PathBuf>, CliError> {
    // A folder that is the present one need not be named.
    let default = [directory.strip_prefix(".").unwrap_or(directory).join(CASES)];
    let mut files = Vec::new();
    for path in if named.is_empty() { &default } else { named } {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |error| CliError::File { path: path.clone(), action: "read", error };
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
                files.push(path);
            }
        }
    }
    // A folder is listed in no order.
    files.sort();
    let none_there = named.is_empty() && files.iter().all(|file| !file.exists());
    if files.is_empty() || none_there {
        return Err(CliError::Usage(format!(
            "there are no cases: write them into {}, or name their files; the chapter on mapping shows how",
            directory.join(CASES).join("NAME.toml").display()
        )));
    }
    Ok(files)
}

/// What cases are tried with: each source is made once.
struct Bench<'a> {
    assembly: &'a Assembly,
    options: CheckOptions,
    sources: BTreeMap<String, Arc<dyn InvoiceSource>>,
}

impl<'a> Bench<'a> {
    fn new(assembly: &'a Assembly) -> Result<Self, CliError> {
        let options = check_options(assembly.loaded(), ist_date(assembly.clock().now()))?;
        Ok(Self { assembly, options, sources: BTreeMap::new() })
    }

    async fn tried(&mut self, file: &str, case: &Case) -> Result<(Tried, Vec<Failure>), CliError> {
        let options = self.options.clone().at(case.as_of.unwrap_or(self.options.as_of));
        let tried = match &case.given {
            Given::Record(content) => {
                let source = self.source(file, case).await?;
                let record = SourceRecord::of_text(format!("case \"{}\"", case.name), &**content);
                trial::record(source.as_ref(), &record, &options)
            }
            Given::File { path, number } => self.read(file, case, path, *number, &options).await?,
        };
        let failures = compare::failures(&tried, &case.expected);
        Ok((tried, failures))
    }

    /// A record of a file of the system, by the settings of the source, wherever that reads its files from.
    async fn read(
        &self,
        file: &str,
        case: &Case,
        path: &Path,
        number: Option<usize>,
        options: &CheckOptions,
    ) -> Result<Tried, CliError> {
        let part = &self.table(file, case)?.part;
        let origin = Origin::new(&part.settings, self.assembly.directory());
        let source = open(&part.plugin, self.assembly.registry(), &origin, &readable(path)?).await?;
        let items = source
            .fetch(None)
            .await?
            .filter(|item| std::future::ready(!matches!(item, Ok(SourceItem::Checkpoint(_) | SourceItem::Arrival(_)))));
        let found: Vec<_> =
            items.skip(number.unwrap_or(1) - 1).take(if number.is_some() { 1 } else { 2 }).collect().await;
        let mut found = found.into_iter();
        let wrong =
            |what: String| CliError::Usage(format!("{file}: case \"{}\": {}: {what}", case.name, path.display()));
        let Some(item) = found.next() else {
            return Err(wrong(match number {
                Some(number) => format!("it has no record {number}"),
                None => "there is no record in it".to_owned(),
            }));
        };
        if found.next().is_some() {
            return Err(wrong("it holds several records; say which is meant: number = 1".to_owned()));
        }
        match item? {
            SourceItem::Record(record) => Ok(trial::record(source.as_ref(), &record, options)),
            SourceItem::Problem(problem) => Ok(trial::problem(problem)),
            _ => Err(wrong("there is no record in it".to_owned())),
        }
    }

    fn table(&self, file: &str, case: &Case) -> Result<&'a SourceTable, CliError> {
        let tables = &self.assembly.settings().sources;
        let known = || tables.iter().map(|table| table.part.name.as_str());
        tables.iter().find(|table| table.part.name == case.source).ok_or_else(|| {
            let near =
                nearest(&case.source, known()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            CliError::Usage(format!(
                "{file}: case \"{}\" is about source `{}`, which the configuration does not have; {near}there are: {}",
                case.name,
                case.source,
                known().collect::<Vec<_>>().join(", ")
            ))
        })
    }

    async fn source(&mut self, file: &str, case: &Case) -> Result<Arc<dyn InvoiceSource>, CliError> {
        if let Some(made) = self.sources.get(&case.source) {
            return Ok(Arc::clone(made));
        }
        let made = self.assembly.mapper(self.table(file, case)?).await?;
        self.sources.insert(case.source.clone(), Arc::clone(&made));
        Ok(made)
    }
}

fn tell(file: &str, case: &Case, tried: &Tried, failures: &[Failure], output: &mut Output) -> Result<(), CliError> {
    let (verdict, findings): (_, &[Finding]) = match tried {
        Tried::Skipped(_) => ("skipped", &[]),
        Tried::Document(document) => (if document.valid { "valid" } else { "invalid" }, document.findings.as_slice()),
    };
    if output.is_json() {
        let (case, source, passed) = (&case.name, &case.source, failures.is_empty());
        return output.object(&Line { file, case, source, passed, failures, verdict, findings });
    }
    let (style, word) = if failures.is_empty() { (Style::Good, "passed  ") } else { (Style::Bad, "FAILED  ") };
    output.spans(2, FAILURE_INDENT, &[Span::styled(style, word), Span::plain(&case.name)])?;
    for failure in failures {
        let expected = failure.expected.as_deref().unwrap_or("nothing");
        let found = failure.found.as_deref().unwrap_or("nothing");
        output.paragraph(FAILURE_INDENT, &failure.about)?;
        let mut values = vec![("expected", expected), ("found", found)];
        values.extend(failure.origin.as_deref().map(|origin| ("from", origin)));
        output.compared(FAILURE_INDENT + 2, &values)?;
    }
    if failures.iter().any(|failure| failure.asks_for_findings) {
        tell_findings(findings, output)?;
    }
    Ok(())
}

/// What the document was found to be wrong with, the first of it.
fn tell_findings(findings: &[Finding], output: &mut Output) -> Result<(), CliError> {
    if findings.is_empty() {
        return output.paragraph(FAILURE_INDENT, "it has no findings");
    }
    output.paragraph(FAILURE_INDENT, "its findings")?;
    for finding in findings.iter().take(FINDINGS_SHOWN) {
        output.paragraph(FAILURE_INDENT + 2, &format!("{}: {}", named(finding), finding.message))?;
        if let Some(fix) = &finding.fix {
            output.paragraph(FAILURE_INDENT + 4, &format!("fix: {fix}"))?;
        }
    }
    match findings.len().saturating_sub(FINDINGS_SHOWN) {
        0 => Ok(()),
        more => output.paragraph(FAILURE_INDENT + 2, &format!("and {more} more, which --json shows")),
    }
}

fn summary(counts: &Counts) -> String {
    let mut parts = vec![format!("{} passed", counts.passed), format!("{} failed", counts.failed)];
    if counts.unusable > 0 {
        parts.push(format!("{} not tried", counted(counts.unusable, "case")));
    }
    if counts.unreadable > 0 {
        parts.push(format!("{} not used", counted(counts.unreadable, "file")));
    }
    format!("{}: {}", counted(counts.cases, "case"), parts.join(", "))
}

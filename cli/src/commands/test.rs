//! `test`: cases of mappings that users write beside their configuration.
//!
//! A case gives a record as the source would hand it over and says what it expects. Mapping is a plain function of the
//! record, so neither the source's files nor a network nor a ledger is needed.

mod cases;
mod compare;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::date::ist_date;
use einvoice_core::finding::Finding;
use einvoice_core::registry::nearest;
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::source::{InvoiceSource, SourceRecord};
use serde::Serialize;

use super::block_on;
use super::trial::{self, Tried};
use crate::arguments::{Common, Test};
use crate::assemble::{Assembly, check_options};
use crate::error::CliError;
use crate::output::{Output, Span, Style, counted, printable};
use crate::{exit_code, settings};
use cases::Case;
use compare::Failure;

/// Where cases are looked for when no file is named, from the folder of the configuration.
const CASES: &str = "cases";

/// Where what is wrong with a case begins.
const FAILURE_INDENT: usize = 10;

#[derive(Debug, Default, Serialize)]
struct Counts {
    cases: u64,
    passed: u64,
    failed: u64,
    /// Files that could not be used.
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
                let (tried, failures) = bench.tried(&shown, &case).await?;
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
        if counts.unreadable > 0 { exit_code::USAGE } else { exit_code::ALL_WELL },
    ]);
    if output.is_json() {
        output.object(&serde_json::json!({ "summary": counts, "exit_code": code }))?;
    } else {
        output.line(summary(&counts))?;
    }
    if counts.cases == 0 && counts.unreadable == 0 {
        return Err(CliError::Usage("no case has such a name; `einvoice test` without --case runs all".to_owned()));
    }
    Ok(code)
}

fn is_wanted(case: &Case, arguments: &Test) -> bool {
    arguments.case.as_ref().is_none_or(|part| case.name.to_lowercase().contains(&part.to_lowercase()))
}

/// The files that were named, those of folders among them; else all in the folder `cases` beside the configuration.
fn files(named: &[PathBuf], directory: &Path) -> Result<Vec<PathBuf>, CliError> {
    let default = [directory.join(CASES)];
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
        let source = self.source(file, case).await?;
        let options = self.options.clone().at(case.as_of.unwrap_or(self.options.as_of));
        let record = SourceRecord::of_text(format!("case \"{}\"", case.name), &*case.content);
        let tried = trial::record(source.as_ref(), &record, &options);
        let failures = compare::failures(&tried, &case.expected);
        Ok((tried, failures))
    }

    async fn source(&mut self, file: &str, case: &Case) -> Result<Arc<dyn InvoiceSource>, CliError> {
        if let Some(made) = self.sources.get(&case.source) {
            return Ok(Arc::clone(made));
        }
        let tables = &self.assembly.settings().sources;
        let known = || tables.iter().map(|table| table.part.name.as_str());
        let Some(table) = tables.iter().find(|table| table.part.name == case.source) else {
            let near =
                nearest(&case.source, known()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            return Err(CliError::Usage(format!(
                "{file}: case \"{}\" is about source `{}`, which the configuration does not have; {near}there are: {}",
                case.name,
                case.source,
                known().collect::<Vec<_>>().join(", ")
            )));
        };
        let made = self.assembly.source(table).await?.source;
        self.sources.insert(case.source.clone(), Arc::clone(&made));
        Ok(made)
    }
}

fn tell(file: &str, case: &Case, tried: &Tried, failures: &[Failure], output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        let (verdict, findings): (_, &[Finding]) = match tried {
            Tried::Skipped(_) => ("skipped", &[]),
            Tried::Document(document) => {
                (if document.valid { "valid" } else { "invalid" }, document.findings.as_slice())
            }
        };
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
    Ok(())
}

fn summary(counts: &Counts) -> String {
    let mut parts = vec![format!("{} passed", counts.passed), format!("{} failed", counts.failed)];
    if counts.unreadable > 0 {
        parts.push(format!("{} not used", counted(counts.unreadable, "file")));
    }
    format!("{}: {}", counted(counts.cases, "case"), parts.join(", "))
}

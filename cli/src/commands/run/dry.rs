//! `run --dry-run`: what would be sent, and from which field each value came.
//!
//! Sources are read from their beginning, as no ledger is opened that would know what was received before; nothing is
//! acknowledged and nothing leaves. Which of the records that are read share a key is told as a run would tell it.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;

use einvoice_core::config::SourceTable;
use einvoice_core::date::ist_date;
use einvoice_core::key::DocumentKey;
use einvoice_core::pipeline::key_held_by;
use einvoice_core::rulebook::CheckOptions;
use einvoice_core::source::{Skip, SourceItem, SourceRef};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::trial::{self, Document, Member, Tried};
use super::super::validate::findings_text;
use crate::arguments::Run;
use crate::assemble::{Assembly, check_options};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, Span, Style, counted, printable};

/// Of a document whose values all stand in the record under their own paths.
const VALUES: [Column; 2] = [Column::keep("member"), Column::wrap("value")];

/// Of a document that was made by a mapping.
const ORIGINS: [Column; 3] = [Column::keep("member"), Column::wrap("value"), Column::wrap("from")];

/// What was counted, over all sources.
#[derive(Debug, Default, Serialize)]
struct Counts {
    read: u64,
    valid: u64,
    invalid: u64,
    skipped: u64,
    /// Sources that could not be read to their end.
    unreadable: u64,
}

impl Counts {
    fn count(&mut self, tried: &Tried) {
        self.read += 1;
        match tried {
            Tried::Document(document) if document.valid => self.valid += 1,
            Tried::Document(_) => self.invalid += 1,
            Tried::Skipped(_) => self.skipped += 1,
        }
    }
}

/// What is kept over all sources.
#[derive(Debug, Default)]
struct Tally {
    counts: Counts,
    keys: Keys,
}

/// A record as `--json` shows it: the stable contract.
#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    place: String,
    record_id: &'a str,
    document: Option<&'a str>,
    irn: Option<String>,
    verdict: &'static str,
    /// Why it is passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    findings: &'a [einvoice_core::finding::Finding],
    members: &'a [Member],
    /// What would be sent, byte for byte; null where nothing would be.
    payload: Option<Box<RawValue>>,
}

/// The keys of what was read, in the place of a ledger: the first document under a key holds it.
#[derive(Debug, Default)]
struct Keys {
    /// Hash of a key to its holder, so that a million documents take some 100 MB and not their contents.
    held: HashMap<u64, Holder>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Holder {
    content: u64,
    place: Box<str>,
}

impl Keys {
    /// What becomes of a document once the keys of those before it are looked at.
    fn judged(&mut self, tried: Tried, reference: &SourceRef) -> Tried {
        let mut document = match tried {
            Tried::Document(document) => document,
            skipped @ Tried::Skipped(_) => return skipped,
        };
        let Some(key) = &document.key else { return Tried::Document(document) };
        let content = self.hasher.hash_one(&document.json);
        match self.held.entry(self.hasher.hash_one(in_capitals(key))) {
            Entry::Vacant(free) => {
                free.insert(Holder { content, place: reference.to_string().into() });
            }
            Entry::Occupied(held) if held.get().content == content => {
                let message =
                    format!("it is the same document as that from {}, which stands for both", held.get().place);
                return Tried::Skipped(Skip { label: document.name, reason: "duplicate".to_owned(), message });
            }
            Entry::Occupied(held) => {
                let finding = key_held_by(&document.label, &held.get().place);
                document.findings.push(finding.with_place(reference.to_string()));
                document.valid = false;
            }
        }
        Tried::Document(document)
    }
}

/// Two spellings of one number are one key.
fn in_capitals(key: &DocumentKey) -> String {
    key.to_string().to_uppercase()
}

/// Tries out what the chosen sources hold.
pub(super) async fn run(
    assembly: &Assembly,
    chosen: &[SourceTable],
    arguments: &Run,
    output: &mut Output,
) -> Result<u8, CliError> {
    let options = check_options(assembly.loaded(), ist_date(assembly.clock().now()))?;
    let mut tally = Tally::default();
    for table in chosen {
        if let Err(error) = source(assembly, table, &options, arguments.limit, &mut tally, output).await {
            if !matches!(error, CliError::Source(_) | CliError::Build { .. }) {
                return Err(error);
            }
            tally.counts.unreadable += 1;
            output.remark(format!("source {}: {}", printable(&table.part.name), error.message()));
        }
        if output.is_closed() {
            break;
        }
    }
    let counts = tally.counts;
    let code = code_of(&counts);
    if output.is_json() {
        output.object(&serde_json::json!({ "summary": counts, "exit_code": code }))?;
    } else {
        output.line(summary(&counts))?;
    }
    Ok(code)
}

async fn source(
    assembly: &Assembly,
    table: &SourceTable,
    options: &CheckOptions,
    limit: Option<u64>,
    tally: &mut Tally,
    output: &mut Output,
) -> Result<(), CliError> {
    let part = assembly.source(table).await?;
    let mut items = part.source.fetch(None).await?;
    let mut left = limit.unwrap_or(u64::MAX);
    // Asked first: an item that is not looked at need not be read.
    while left > 0
        && let Some(item) = items.next().await
    {
        let (reference, tried) = match item? {
            SourceItem::Record(record) => {
                let tried = trial::record(part.source.as_ref(), &record, options);
                (record.reference, tried)
            }
            SourceItem::Problem(problem) => (problem.reference.clone(), trial::problem(problem)),
            _ => continue,
        };
        left -= 1;
        let tried = tally.keys.judged(tried, &reference);
        tally.counts.count(&tried);
        if output.is_json() {
            output.object(&line(&part.name, &reference, &tried)?)?;
        } else {
            text(&part.name, &reference, &tried, output)?;
        }
        output.show_now()?;
        if output.is_closed() {
            break;
        }
    }
    Ok(())
}

fn code_of(counts: &Counts) -> u8 {
    exit_code::most_urgent([
        if counts.invalid > 0 { exit_code::NEEDS_PERSON } else { exit_code::ALL_WELL },
        if counts.unreadable > 0 { exit_code::USAGE } else { exit_code::ALL_WELL },
    ])
}

fn line<'a>(source: &'a str, reference: &'a SourceRef, tried: &'a Tried) -> Result<Line<'a>, CliError> {
    let plain = |document, verdict| Line {
        source,
        place: reference.to_string(),
        record_id: &reference.record_id,
        document,
        irn: None,
        verdict,
        reason: None,
        message: None,
        findings: &[],
        members: &[],
        payload: None,
    };
    Ok(match tried {
        Tried::Skipped(skip) => Line {
            reason: Some(&skip.reason),
            message: Some(&skip.message),
            ..plain(Some(skip.label.as_str()), "skipped")
        },
        Tried::Document(document) => {
            let name = Some(document.name.as_str()).filter(|name| !name.is_empty());
            let payload = document.payload().map(|json| RawValue::from_string(json.to_owned())).transpose();
            Line {
                irn: document.irn.as_ref().map(ToString::to_string),
                findings: &document.findings,
                members: &document.members,
                payload: payload.map_err(|error| CliError::Fault(format!("a payload is no JSON: {error}")))?,
                ..plain(name, if document.valid { "valid" } else { "invalid" })
            }
        }
    })
}

fn text(source: &str, reference: &SourceRef, tried: &Tried, output: &mut Output) -> Result<(), CliError> {
    let heading = |output: &mut Output, name: &str, style: Style, word: &str| {
        let spans = [Span::styled(Style::Strong, name), Span::plain("  "), Span::styled(style, word)];
        output.spans(0, 4, &spans)?;
        output.paragraph(2, &format!("source {source}, {reference}"))
    };
    match tried {
        Tried::Skipped(skip) => {
            heading(output, &skip.label, Style::Faint, "is passed over")?;
            output.paragraph(2, &format!("{} ({})", skip.message, skip.reason))?;
        }
        Tried::Document(document) => {
            let (style, word) = match (document.valid, document.findings.is_empty()) {
                (true, true) => (Style::Good, "would be sent"),
                (true, false) => (Style::Attention, "would be sent, with remarks"),
                (false, _) => (Style::Bad, "would not be sent"),
            };
            heading(output, &document.name, style, word)?;
            findings_text(&document.findings, &reference.to_string(), output)?;
            members(document, output)?;
        }
    }
    output.line("")
}

fn members(document: &Document, output: &mut Output) -> Result<(), CliError> {
    if document.members.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let has_origins = document.members.iter().any(|member| member.origin.is_some());
    let rows = document.members.iter().map(|member| {
        let mut row = vec![member.path.clone(), member.value.clone()];
        if has_origins {
            row.push(member.origin.clone().unwrap_or_default());
        }
        row
    });
    if has_origins { output.table(&ORIGINS, rows) } else { output.table(&VALUES, rows) }
}

fn summary(counts: &Counts) -> String {
    let mut parts = vec![format!("{} valid", counts.valid), format!("{} invalid", counts.invalid)];
    if counts.skipped > 0 {
        parts.push(format!("{} passed over", counts.skipped));
    }
    if counts.unreadable > 0 {
        parts.push(format!("{} not read to the end", counted(counts.unreadable, "source")));
    }
    let read = counted(counts.read, "record");
    format!("{read}: {}; nothing was sent, and no ledger was looked at", parts.join(", "))
}

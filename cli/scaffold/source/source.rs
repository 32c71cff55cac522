//! The source: records of @name@, and the documents they become.
//!
//! As it stands it reads a file with one record a line, `{"head": {...}, "lines": [{...}]}`. Replace [`read`] by what
//! reads @name@, and `rules.toml` by what its fields mean; everything else may stay.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, MappingConfig, Names, Record as _, TableRecord};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordSender, RecordStream, Skip, SourceCapability, SourceError,
    SourceItem, SourceProblem, SourceRecord, SourceRef, place, stream_from_blocking,
};

use crate::config::SourceConfig;

const RULES: &str = include_str!("rules.toml");

/// Most bytes of one record: more than a bill of a thousand items has. What is longer is no record.
const RECORD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Reads invoices of @name@.
#[derive(Debug)]
pub struct @type@Source {
    path: PathBuf,
    mapping: Mapping,
}

@awaited@pub(crate) async fn build(context: BuildContext, config: SourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    Ok(Arc::new(@type@Source::new(&context, config)?))
}

impl @type@Source {
    /// A source in the folder of a context.
    ///
    /// # Errors
    /// When a rule of the mapping cannot be used.
    pub fn new(context: &BuildContext, config: SourceConfig) -> Result<Self, BuildError> {
        let refused = |reason: String| BuildError::new("@name@, key `mapping`", reason);
        let builtin: MappingConfig = toml::from_str(RULES).map_err(|error| refused(error.to_string()))?;
        let mapping = Mapping::new(&builtin, &config.mapping, Names::Folded);
        let mapping = mapping.map_err(|error| refused(error.to_string()))?;
        Ok(Self { path: context.path(config.path), mapping })
    }
}

#[async_trait]
impl InvoiceSource for @type@Source {
    fn capability(&self) -> SourceCapability {
        // It makes no cursors, and has nothing to acknowledge.
        SourceCapability::new(false, false)
    }

    async fn fetch(&self, _: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let path = self.path.clone();
        // A reader that waits for files or a network runs on a thread of its own.
        Ok(stream_from_blocking(move |sender| read(&path, sender)))
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        let label = record.reference.to_string();
        let read = match TableRecord::parse(&record.content) {
            Ok(read) => read,
            Err(error) => return Mapped::Unmappable { label, findings: vec![unreadable(&error.to_string(), &record.reference)] },
        };
        match self.mapping.map(&read) {
            Ok(mut mapped) => {
                place(&mut mapped.findings, &record.reference, &mapped.provenance);
                Mapped::Document(Box::new(mapped))
            }
            Err(skip) => Mapped::Skipped(Skip { label, ..skip }),
        }
    }

    async fn acknowledge(&self, _: &[Acknowledgement]) -> Result<(), SourceError> {
        Ok(())
    }
}

/// Reads all records. A bad one is a problem with its place, and does not stop the rest.
fn read(path: &Path, sender: &RecordSender) {
    let location = path.display().to_string();
    let failed = |error: std::io::Error| Err(SourceError::new(&location, "it cannot be read").because(error));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            let _told = sender.send(failed(error));
            return;
        }
    };
    let mut reader = BufReader::new(file);
    for number in 1_usize.. {
        let item = match line(&mut reader) {
            Ok(Line::End) => return,
            Ok(Line::Text(text)) if text.trim().is_empty() => continue,
            Ok(Line::Text(text)) => Ok(item(&location, number, text)),
            Ok(Line::Bad(wrong)) => Ok(problem(reference(&location, number), &wrong)),
            Err(error) => failed(error),
        };
        let is_over = item.is_err();
        // Nobody listens any more, or there is nothing more to read.
        if !sender.send(item) || is_over {
            return;
        }
    }
}

/// What stands in a line.
enum Line {
    Text(String),
    /// No record, for this reason; those after it can be read.
    Bad(String),
    End,
}

/// Reads the next line, and no more of one that is too long than has to be passed over.
fn line(reader: &mut impl BufRead) -> std::io::Result<Line> {
    let mut bytes = Vec::new();
    if reader.by_ref().take(RECORD_BYTES_MAX).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(Line::End);
    }
    let is_whole = bytes.ends_with(b"\n") || u64::try_from(bytes.len()).is_ok_and(|length| length < RECORD_BYTES_MAX);
    if !is_whole {
        reader.skip_until(b'\n')?;
        return Ok(Line::Bad(format!("it has more than {RECORD_BYTES_MAX} bytes")));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Line::Text(text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to() + 1;
            Line::Bad(format!("byte {at} of it is not UTF-8, in which @name@ should write"))
        }
    })
}

fn reference(location: &str, line: usize) -> SourceRef {
    SourceRef {
        location: location.to_owned(),
        position: format!("line {line}"),
        record_id: format!("{location}:{line}"),
    }
}

/// One line of the file: a record with its identity, or what is wrong with it.
fn item(location: &str, line: usize, content: String) -> SourceItem {
    let mut reference = reference(location, line);
    let wrong = match TableRecord::parse(&content) {
        Ok(record) => match record.value(None, "number") {
            // What survives reading again and editing: the number of the document, where there is nothing better.
            Some(number) => {
                reference.record_id = number.into_owned();
                return SourceItem::Record(SourceRecord { reference, content, context: None });
            }
            None => "it has no number".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    problem(reference, &wrong)
}

fn problem(reference: SourceRef, wrong: &str) -> SourceItem {
    let findings = vec![unreadable(wrong, &reference)];
    SourceItem::Problem(SourceProblem { label: reference.to_string(), reference, findings })
}

fn unreadable(wrong: &str, reference: &SourceRef) -> Finding {
    Finding::error("@name@.unreadable", "", format!("the record cannot be read: {wrong}"))
        .with_fix("Correct it in @name@, and export it again.")
        .with_place(reference.to_string())
}

//! A file of whatever kind: its records in their order, each mapped once to learn which document it is.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use einvoice_core::finding::Finding;
use einvoice_core::source::{Mapped, SourceRecord, SourceRef};
use einvoice_file_drop::{Encoding, Entries, Format, Found, Utf8Reader};

use crate::config::{CsvConfig, FileFormat, SourceConfig};
use crate::csv::{self, CsvMapper};
use crate::idoc::{self, CONTROL_RECORD, Definitions, FlatSettings};
use crate::json;
use crate::mapping::{self, Mapper};
use crate::numbers::IdocNumbers;

/// Bytes by which the kind of a file is told.
const START: u64 = 4 * 1024;
/// How a file of a mainframe begins: `EDI` in its code page.
const EBCDIC: [u8; 3] = [0xc5, 0xc4, 0xc9];

/// Reads files, and maps what they hold.
#[derive(Debug)]
pub(crate) struct Reading {
    format: FileFormat,
    encoding: Encoding,
    flat: FlatSettings,
    definitions: Definitions,
    idocs: Mapper,
    rows: CsvMapper,
    csv: CsvConfig,
    columns: HashSet<String>,
    pub(crate) numbers: IdocNumbers,
}

impl Reading {
    pub(crate) fn new(config: &SourceConfig, definitions: Definitions) -> Result<Self, (&'static str, String)> {
        let rows = CsvMapper::new(config)?;
        Ok(Self {
            format: config.format,
            encoding: config.encoding,
            flat: FlatSettings {
                padding: config.padding,
                allow_gaps: config.allow_segment_gaps,
                needs_summary: config.require_summary,
            },
            definitions,
            idocs: Mapper::new(config)?,
            columns: rows.columns().collect(),
            rows,
            csv: config.csv.clone(),
            numbers: IdocNumbers::default(),
        })
    }

    /// Maps a record by what its text is.
    pub(crate) fn map(&self, content: &str, reference: &SourceRef) -> Mapped {
        let label = || reference.to_string();
        let mut mapped = if is_idoc(content) {
            self.idocs.map(content, reference)
        } else if is_table(content) {
            self.rows.map(content, label())
        } else {
            json::mapped(content, mapping::line_of(&reference.position), label())
        };
        if let Mapped::Unmappable { findings, .. } = &mut mapped {
            for finding in findings.iter_mut().filter(|finding| finding.place.is_none()) {
                finding.place = Some(reference.to_string());
            }
        }
        mapped
    }

    fn idocs(&self, kind: FileFormat, encoding: Encoding, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        let hasher = foldhash::quality::RandomState::default();
        let mut numbers: HashMap<u64, u64> = HashMap::new();
        self.numbers.begin(entries.work_folder(), &file.shown)?;
        let mut trouble = None;
        let mut take = |found: idoc::Found| {
            let place = format!("{} {}", found.unit, found.line);
            let label = || match found.number.as_str() {
                "" => format!("{place} of {}", file.shown),
                number => format!("IDoc {number}"),
            };
            let text = match found.content {
                Ok(text) => text,
                Err(faults) if found.is_end => return entries.fault(&place, label(), faults),
                Err(faults) => return entries.problem(&place, label(), faults),
            };
            let id = mapping::idoc_id(&text);
            let content = hasher.hash_one(&text);
            let twice = |message: String, fix: &str| {
                let place = format!("{}, {place}", file.shown);
                vec![Finding::error("idoc.number_twice", "", message).with_place(place).with_fix(fix)]
            };
            if let Some(id) = &id
                && *numbers.entry(hasher.hash_one(id)).or_insert(content) != content
            {
                let message = format!("IDoc {} stands in this file once more, with other content", found.number);
                let fix = "Find out in SAP (WE02) which of the two is right, and send that one alone.";
                return entries.problem(&place, label(), twice(message, fix));
            }
            let (key, mapped) = self.keyed(&place, &text, file, entries);
            if let (Some(key), Some(id)) = (&key, &id) {
                match self.numbers.met(&file.shown, entries.next_number(), id, key) {
                    Ok(None) => {}
                    Ok(Some(before)) => {
                        let number = &found.number;
                        let message = format!(
                            "IDoc {number} brought the invoice {before}, which is registered; now it brings {key}"
                        );
                        let fix = "SAP gives each IDoc a number of its own: find out in SAP (WE02) which invoice it \
                                   belongs to, and send the other one under a new number.";
                        return entries.problem(&place, label(), twice(message, fix));
                    }
                    Err(error) => {
                        trouble = Some(error);
                        return false;
                    }
                }
            }
            let record_id = key.or(id).unwrap_or_else(|| format!("{}#{}", file.shown, entries.next_number()));
            entries.record(&place, record_id, text, Some(Arc::new(Kept(Mutex::new(Some(mapped))))))
        };
        match kind {
            FileFormat::Xml => idoc::read_xml(open(file, encoding)?, &file.shown, &self.definitions, &mut take),
            _ => idoc::read_flat(|| open(file, encoding), &file.shown, &self.definitions, self.flat, &mut take),
        }?;
        trouble.map_or(Ok(()), Err)
    }

    fn json(&self, encoding: Encoding, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        for piece in json::elements(open(file, encoding)?) {
            let piece = piece?;
            let place = format!("line {}", piece.line);
            let ends_the_reading = piece.content.as_ref().is_err_and(|fault| fault.ends_the_reading());
            let listens = match json::text(piece.content) {
                Ok(text) => {
                    let id = format!("{}#{}", file.shown, entries.next_number());
                    self.hand_over(&place, id, text, file, entries)
                }
                Err(finding) => {
                    let label = format!("{place} of {}", file.shown);
                    let faults = vec![finding.with_place(format!("{}, {place}", file.shown))];
                    if ends_the_reading {
                        entries.fault(&place, label, faults)
                    } else {
                        entries.problem(&place, label, faults)
                    }
                }
            };
            if !listens {
                break;
            }
        }
        Ok(())
    }

    fn csv(&self, encoding: Encoding, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        let mut take = |document: csv::Document| {
            let place = format!("line {}", document.line);
            let label = format!("{place} of {}", file.shown);
            match document.content {
                Ok(text) => {
                    let id = format!("{}#{}", file.shown, entries.next_number());
                    self.hand_over(&place, id, text, file, entries)
                }
                Err(faults) if document.is_end => entries.fault(&place, label, faults),
                Err(faults) => entries.problem(&place, label, faults),
            }
        };
        csv::read(|| open(file, encoding), &file.shown, &self.csv, &self.columns, &mut take)
    }

    /// Hands a record over under the key of its document, or under the id of its place.
    fn hand_over(&self, place: &str, id: String, text: String, file: &Found, entries: &mut Entries<'_>) -> bool {
        let (key, mapped) = self.keyed(place, &text, file, entries);
        entries.record(place, key.unwrap_or(id), text, Some(Arc::new(Kept(Mutex::new(Some(mapped))))))
    }

    /// The key of a record's document, by which a corrected one is known again wherever it arrives, and what it was mapped
    /// to for that.
    fn keyed(&self, place: &str, text: &str, file: &Found, entries: &Entries<'_>) -> (Option<String>, Mapped) {
        let position = format!("document {}, {place}", entries.next_number());
        let reference = SourceRef { location: file.shown.clone(), position, record_id: String::new() };
        let mapped = self.map(text, &reference);
        let key = match &mapped {
            Mapped::Document(document) => document.invoice.document_key(),
            _ => None,
        };
        let key = key.map(|key| format!("{}/{}/{}/{}", key.supplier, key.year, key.doc_type, key.number.to_upper()));
        (key, mapped)
    }
}

/// The files of a folder, whose records are mapped by the same rules again later.
#[derive(Debug)]
pub(crate) struct Files(pub(crate) Arc<Reading>);

impl Format for Files {
    fn read(&self, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        let mut start = Vec::new();
        File::open(&file.path)?.take(START).read_to_end(&mut start)?;
        let place = format!("{}, its first bytes", file.shown);
        if start.is_empty() {
            let finding = Finding::error("file.structure", "", "the file is empty").with_place(place);
            let fix = "Write the file again; move it here only once it is complete.";
            entries.fault("", file.shown.clone(), vec![finding.with_fix(fix)]);
            return Ok(());
        }
        if start.starts_with(&EBCDIC) {
            let finding = Finding::error("idoc.encoding", "", "the file is in a code page of mainframes (EBCDIC)");
            let fix = "Let the transfer translate it, or let SAP write UTF-8 (code page 4110).";
            entries.fault("", file.shown.clone(), vec![finding.with_fix(fix).with_place(place)]);
            return Ok(());
        }
        let encoding = encoding_of(&start, self.0.encoding);
        match kind_of(&start, encoding, self.0.format, file)? {
            FileFormat::Json => self.0.json(encoding, file, entries),
            FileFormat::Csv => self.0.csv(encoding, file, entries),
            kind => self.0.idocs(kind, encoding, file, entries),
        }
    }
}

fn open(file: &Found, encoding: Encoding) -> io::Result<Utf8Reader<File>> {
    Utf8Reader::new(File::open(&file.path)?, encoding)
}

/// The encoding that the declaration of an XML file names, where nothing is configured.
fn encoding_of(start: &[u8], configured: Encoding) -> Encoding {
    if configured != Encoding::Auto || !start.starts_with(b"<?xml") {
        return configured;
    }
    let end = start.iter().position(|byte| *byte == b'>').unwrap_or(start.len());
    let declared = String::from_utf8_lossy(start.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let western = ["iso-8859-1", "windows-1252", "latin1"].iter().any(|name| declared.contains(name));
    if western { Encoding::Windows1252 } else { configured }
}

fn kind_of(start: &[u8], encoding: Encoding, configured: FileFormat, file: &Found) -> io::Result<FileFormat> {
    if configured != FileFormat::Auto {
        return Ok(configured);
    }
    let mut text = Vec::new();
    Utf8Reader::new(start, encoding)?.read_to_end(&mut text)?;
    let begin = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let text = text.get(begin..).unwrap_or_default();
    let extension = file.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    Ok(match text.first() {
        _ if idoc::is_flat(text) => FileFormat::Flat,
        Some(b'<') => FileFormat::Xml,
        Some(b'{' | b'[') => FileFormat::Json,
        _ => match extension.to_ascii_lowercase().as_str() {
            "idoc" => FileFormat::Flat,
            "xml" => FileFormat::Xml,
            "json" => FileFormat::Json,
            _ => FileFormat::Csv,
        },
    })
}

/// Whether the text of a record is that of an `IDoc`.
pub(crate) fn is_idoc(content: &str) -> bool {
    content.strip_prefix("0 ").is_some_and(|rest| rest.starts_with(CONTROL_RECORD))
}

/// Whether the text of a record is that of rows.
fn is_table(content: &str) -> bool {
    content.starts_with("{\"head\":")
}

/// What a record was mapped to while its key was looked for. It is given away when the record is mapped; who maps it once
/// more has it mapped again.
pub(crate) struct Kept(Mutex<Option<Mapped>>);

impl Kept {
    /// What was kept with a record, once.
    pub(crate) fn of(record: &SourceRecord) -> Option<Mapped> {
        let kept = record.context.as_ref()?.downcast_ref::<Self>()?;
        kept.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

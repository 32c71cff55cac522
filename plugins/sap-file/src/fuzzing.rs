//! Entry points for tests that feed arbitrary bytes, and for measurements.

use std::collections::HashSet;
use std::io;

use einvoice_core::finding::Finding;
use einvoice_core::source::{Mapped, SourceRef};

use crate::config::{Padding, SourceConfig};
use crate::csv;
use crate::format::Reading;
use crate::idoc::{self, Definitions, FlatSettings, Found};
use crate::json;
use crate::mapping::Mapper;

/// What bytes were read as.
#[derive(Debug, Default)]
pub struct Counts {
    /// Records, and those that became a document.
    pub records: usize,
    /// Documents among them.
    pub documents: usize,
    /// Parts that are no record.
    pub faults: usize,
    /// All findings of those parts.
    pub findings: Vec<Finding>,
}

/// Settings of a source that is never opened.
fn config() -> Option<SourceConfig> {
    serde_json::from_str("{\"path\": \".\"}").ok()
}

fn place() -> SourceRef {
    SourceRef { location: "fuzz".to_owned(), position: "document 1, line 1".to_owned(), record_id: String::new() }
}

impl Counts {
    fn idoc(&mut self, found: Found, mapper: &Mapper) -> bool {
        match found.content {
            Ok(text) => self.mapped(&mapper.map(&text, &place())),
            Err(findings) => self.fault(findings),
        }
        true
    }

    fn mapped(&mut self, mapped: &Mapped) {
        self.records += 1;
        self.documents += usize::from(matches!(mapped, Mapped::Document(_)));
    }

    fn fault(&mut self, findings: Vec<Finding>) {
        self.faults += 1;
        self.findings.extend(findings);
    }
}

/// Reads bytes as a flat file of `IDoc`s and maps those it holds.
///
/// # Errors
/// Never: reading from memory cannot fail.
pub fn flat(bytes: &[u8]) -> io::Result<Counts> {
    let Some(mapper) = config().and_then(|config| Mapper::new(&config).ok()) else { return Ok(Counts::default()) };
    let settings = FlatSettings { padding: Padding::Auto, allow_gaps: false, needs_summary: true };
    let mut counts = Counts::default();
    let definitions = Definitions::default();
    idoc::read_flat(|| Ok(bytes), "fuzz", &definitions, settings, &mut |found| counts.idoc(found, &mapper))?;
    Ok(counts)
}

/// Reads bytes as `IDoc`s in XML and maps those they hold.
///
/// # Errors
/// Never: reading from memory cannot fail.
pub fn xml(bytes: &[u8]) -> io::Result<Counts> {
    let Some(mapper) = config().and_then(|config| Mapper::new(&config).ok()) else { return Ok(Counts::default()) };
    let mut counts = Counts::default();
    idoc::read_xml(bytes, "fuzz", &Definitions::default(), &mut |found| counts.idoc(found, &mapper))?;
    Ok(counts)
}

/// Reads bytes as rows and maps the documents they make.
///
/// # Errors
/// Never: reading from memory cannot fail.
pub fn rows(bytes: &[u8]) -> io::Result<Counts> {
    let Some(config) = config() else { return Ok(Counts::default()) };
    let Ok(mapper) = csv::CsvMapper::new(&config) else { return Ok(Counts::default()) };
    let columns: HashSet<String> = mapper.columns().collect();
    let mut counts = Counts::default();
    csv::read(|| Ok(bytes), "fuzz", &config.csv, &columns, &mut |document| {
        match document.content {
            Ok(text) => counts.mapped(&mapper.map(&text, String::new())),
            Err(findings) => counts.fault(findings),
        }
        true
    })?;
    Ok(counts)
}

/// Reads bytes as documents in JSON and maps them.
///
/// # Errors
/// Never: reading from memory cannot fail.
pub fn documents(bytes: &[u8]) -> io::Result<Counts> {
    let mut counts = Counts::default();
    for piece in json::elements(bytes) {
        let piece = piece?;
        match json::text(piece.content) {
            Ok(text) => counts.mapped(&json::mapped(&text, piece.line, String::new())),
            Err(finding) => counts.fault(vec![*finding]),
        }
    }
    Ok(counts)
}

/// Reads bytes as a definition file; says whether they are one.
#[must_use]
pub fn definitions(bytes: &[u8]) -> bool {
    let mut known = Definitions::default();
    std::str::from_utf8(bytes).is_ok_and(|text| idoc::parse_definitions(text, &mut known).is_ok())
}

/// The texts of the `IDoc`s in a flat file, as they are kept between reading and mapping.
///
/// # Errors
/// Never: reading from memory cannot fail.
pub fn texts(bytes: &[u8]) -> io::Result<Vec<String>> {
    let settings = FlatSettings { padding: Padding::Auto, allow_gaps: false, needs_summary: true };
    let mut texts = Vec::new();
    idoc::read_flat(|| Ok(bytes), "bench", &Definitions::default(), settings, &mut |found| {
        texts.extend(found.content);
        true
    })?;
    Ok(texts)
}

/// Maps kept texts by the rules that are built in.
#[derive(Debug)]
pub struct Mapping(Reading);

impl Mapping {
    /// With no settings of its own.
    #[must_use]
    pub fn built_in() -> Option<Self> {
        Reading::new(&config()?, Definitions::default()).ok().map(Self)
    }

    /// Maps one.
    #[must_use]
    pub fn map(&self, text: &str) -> Mapped {
        self.0.map(text, &place())
    }
}

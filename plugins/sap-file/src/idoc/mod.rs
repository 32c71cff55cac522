//! `IDoc`s: from the characters of a file to one text for each, with the faults of those that are damaged.

mod content;
mod cut;
mod definition_file;
mod definitions;
mod flat;
mod records;
mod xml;

pub(crate) use content::{Idoc, NoIdoc, Segment};
pub(crate) use definition_file::{parse as parse_definitions, read as read_definitions};
pub(crate) use definitions::Definitions;
pub(crate) use flat::{FlatSettings, RAW, read as read_flat};
pub use records::Padding;
pub(crate) use records::is_flat;
pub(crate) use xml::read as read_xml;

use einvoice_core::finding::Finding;

/// The name of the control record that begins every `IDoc`.
pub(crate) const CONTROL_RECORD: &str = "EDI_DC40";

/// Most segments of one `IDoc`: 1,000 items, which is what the portal takes, with 100 segments each.
pub(crate) const SEGMENTS_MAX: u32 = 100_000;
/// Longest text of one `IDoc`.
pub(crate) const TEXT_MAX: usize = 32 * 1024 * 1024;
/// Most faults of one `IDoc` that are reported.
pub(crate) const FAULTS_MAX: usize = 10;

/// What stands at one place of a file.
#[derive(Debug)]
pub(crate) struct Found {
    /// The line or record it begins at, from 1.
    pub(crate) line: u64,
    /// What that counts: lines, or records where there are no lines.
    pub(crate) unit: &'static str,
    /// Its number, as far as one was read.
    pub(crate) number: String,
    /// Its text, or what is wrong with it.
    pub(crate) content: Result<String, Vec<Finding>>,
    /// Nothing behind it can be read.
    pub(crate) is_end: bool,
}

/// A fault of a damaged file, with the place it stands at.
fn fault(rule: &'static str, message: impl Into<String>, place: impl Into<String>, fix: &str) -> Finding {
    Finding::error(rule, "", message).with_code("2140").with_place(place).with_fix(fix)
}

//! CSV files: rows to records with named columns, one record a document.

mod grouping;
mod heads;
mod input;
mod layout;
mod rows;
mod table;

use std::collections::BTreeMap;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, MappingConfig, Names, TableRecord};
use einvoice_core::source::{Mapped, Skip};
use einvoice_core::spelling;

use crate::config::SourceConfig;

use self::heads::Heads;

pub(crate) use rows::{Document, read};

/// The rules for columns that are built in.
const BUILT_IN: &str = include_str!("builtin.toml");
/// Columns of SAP that go back with the result.
const KEYS: [&str; 7] = ["BUKRS", "DOCNO", "VBELN", "GJAHR", "FKART", "BUPLA", "MANDT"];
/// Pro forma invoices, by billing type.
const PRO_FORMA: [&str; 2] = ["F5", "F8"];

/// Maps rows of CSV files.
#[derive(Debug)]
pub(crate) struct CsvMapper {
    mapping: Mapping,
    heads: Heads,
    keys: Vec<String>,
}

impl CsvMapper {
    pub(crate) fn new(config: &SourceConfig) -> Result<Self, (&'static str, String)> {
        let mut builtin: MappingConfig =
            toml::from_str(BUILT_IN).map_err(|error| ("csv.mapping", format!("the built-in rules: {error}")))?;
        // Units are those of SAP here too.
        builtin.tables.extend(crate::mapping::built_in()?.tables.remove_entry("units"));
        let mapping = Mapping::new(&builtin, &config.csv.mapping, Names::Folded)
            .map_err(|error| ("csv.mapping", error.to_string()))?;
        let keys: Vec<String> = KEYS.iter().map(|key| (*key).to_owned()).chain(config.keys.keys().cloned()).collect();
        let heads = Heads::new(&mapping, &keys);
        Ok(Self { mapping, heads, keys })
    }

    /// The columns that the mapping reads, folded.
    pub(crate) fn columns(&self) -> impl Iterator<Item = String> {
        self.mapping.fields().map(spelling::fold)
    }

    /// Maps the text of one record.
    pub(crate) fn map(&self, content: &str, label: String) -> Mapped {
        let mut record = match TableRecord::parse(content) {
            Ok(record) => record,
            Err(error) => {
                let finding = Finding::error("csv.structure", "", format!("the record cannot be read: {error}"));
                return Mapped::Unmappable { label, findings: vec![finding.with_fix("Read the file again.")] };
            }
        };
        let differing = self.heads.bring_together(&mut record);
        let of = |column: &str| record.head.get(&spelling::fold(column)).filter(|value| !value.trim().is_empty());
        if let Some(kind) = of("FKART").filter(|kind| PRO_FORMA.contains(&kind.trim())) {
            let message = format!("billing type {kind} is a pro forma invoice");
            return Mapped::Skipped(Skip { label, reason: "pro_forma".to_owned(), message });
        }
        match self.mapping.map(&record) {
            Err(skip) => Mapped::Skipped(Skip { label, ..skip }),
            Ok(mut mapped) => {
                let keys = self.keys.iter().filter_map(|key| Some((key.to_uppercase(), of(key)?.trim().to_owned())));
                let own: BTreeMap<String, String> = keys.collect();
                mapped.attributes = own;
                mapped.findings.extend(differing);
                // The key of the billing document is its number wherever it stands.
                if let Some(number) = mapped.attributes.get("VBELN").cloned() {
                    mapped.attributes.entry("DOCNO".to_owned()).or_insert(number);
                }
                for (name, value) in crate::attributes::of_document(&mapped.invoice) {
                    mapped.attributes.entry(name).or_insert(value);
                }
                Mapped::Document(Box::new(mapped))
            }
        }
    }
}

//! Documents that are not INV-01 JSON: GOBL, UBL, and any JSON by the integrator's own rules.

mod derived;
mod gobl;
mod ubl;
mod ubl_taxes;
mod xml;

use std::path::Path;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, MappingConfig, MappingError, Names, Tree, TreeRecord};
use einvoice_core::source::{MappedDocument, Skip};

use crate::config::DocumentFormat;
use crate::name;

const GOBL: &str = include_str!("gobl.toml");
const UBL: &str = include_str!("ubl.toml");

/// How each form of document is mapped, by the rules that are built in and those of the configuration.
#[derive(Debug)]
pub(crate) struct Formats {
    chosen: DocumentFormat,
    lines: String,
    /// What goes over an INV-01 document, where the configuration has rules.
    overlay: Option<Mapping>,
    gobl: Mapping,
    ubl: Mapping,
    own: Mapping,
}

/// Why a document that is not INV-01 was not mapped.
#[derive(Debug)]
pub(crate) enum NotMapped {
    Skipped(Skip),
    Wrong(Box<Finding>),
}

impl Formats {
    pub(crate) fn new(chosen: DocumentFormat, lines: &str, rules: &MappingConfig) -> Result<Self, MappingError> {
        let mapping = |builtin: &str| {
            let builtin: MappingConfig = toml::from_str(builtin)
                .map_err(|error| MappingError { at: "rules of this program".to_owned(), reason: error.to_string() })?;
            Mapping::new(&builtin, rules, Names::Exact)
        };
        let own = Mapping::new(&MappingConfig::default(), rules, Names::Exact)?;
        let overlay = if *rules == MappingConfig::default() {
            None
        } else {
            Some(Mapping::new(&MappingConfig::default(), rules, Names::Exact)?)
        };
        Ok(Self { chosen, lines: lines.to_owned(), overlay, gobl: mapping(GOBL)?, ubl: mapping(UBL)?, own })
    }

    /// Whether a file with this name holds one XML document.
    pub(crate) fn is_xml(&self, path: &Path) -> bool {
        match self.chosen {
            DocumentFormat::Ubl => true,
            DocumentFormat::Auto => name::is_xml(path),
            _ => false,
        }
    }

    /// The form of a document, by what was configured or by what it holds.
    pub(crate) fn of(&self, text: &str) -> DocumentFormat {
        match self.chosen {
            DocumentFormat::Auto if text.trim_start().starts_with('<') => DocumentFormat::Ubl,
            DocumentFormat::Auto if gobl::is_gobl(text) => DocumentFormat::Gobl,
            DocumentFormat::Auto => DocumentFormat::Inv01,
            chosen => chosen,
        }
    }

    /// Maps a document of a form other than INV-01.
    pub(crate) fn map(&self, text: &str, format: DocumentFormat) -> Result<MappedDocument, NotMapped> {
        let record = match format {
            DocumentFormat::Ubl => ubl::record(text)?,
            DocumentFormat::Gobl => gobl::record(text)?,
            _ => TreeRecord::new(json(text)?, self.lines.clone()),
        };
        let mapping = match format {
            DocumentFormat::Ubl => &self.ubl,
            DocumentFormat::Gobl => &self.gobl,
            _ => &self.own,
        };
        mapping.map(&record).map_err(NotMapped::Skipped)
    }

    /// Applies the configuration's rules to an INV-01 document; its fields are the members of the JSON, those that INV-01
    /// does not have among them.
    pub(crate) fn overlay(&self, text: &str, mapped: &mut MappedDocument) -> Result<(), NotMapped> {
        let Some(rules) = &self.overlay else { return Ok(()) };
        let record = TreeRecord::new(json(text)?, "ItemList");
        rules.skipped(&record).map_err(NotMapped::Skipped)?;
        rules.apply(&record, mapped);
        Ok(())
    }
}

fn json(text: &str) -> Result<Tree<'_>, NotMapped> {
    Tree::from_json(text).map_err(|error| {
        wrong("json.structure", format!("the document cannot be read: {error}"), "Correct the program that wrote it.")
    })
}

fn wrong(rule: &'static str, message: String, fix: &'static str) -> NotMapped {
    NotMapped::Wrong(Box::new(fault(rule, message, fix)))
}

fn fault(rule: &'static str, message: impl Into<String>, fix: &'static str) -> Finding {
    Finding::error(rule, "", message).with_code("2140").with_fix(fix)
}

//! Documents that are not INV-01 JSON: GOBL, UBL, and any JSON by the integrator's own rules.

mod xml;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, MappingConfig, MappingError, Names, Tree, TreeRecord};
use einvoice_core::source::{MappedDocument, Skip};

use crate::config::DocumentFormat;

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

    /// The form of a document, by what was configured or by what it holds.
    pub(crate) fn of(&self, text: &str) -> DocumentFormat {
        match self.chosen {
            DocumentFormat::Auto if text.trim_start().starts_with('<') => DocumentFormat::Ubl,
            DocumentFormat::Auto if is_gobl(text) => DocumentFormat::Gobl,
            DocumentFormat::Auto => DocumentFormat::Inv01,
            chosen => chosen,
        }
    }

    /// Maps a document of a form other than INV-01.
    pub(crate) fn map(&self, text: &str, format: DocumentFormat) -> Result<MappedDocument, NotMapped> {
        let record = match format {
            DocumentFormat::Ubl => ubl(text)?,
            DocumentFormat::Gobl => gobl(text)?,
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
    pub(crate) fn overlay(&self, text: &str, mapped: &mut MappedDocument) -> Result<(), Skip> {
        let Some(rules) = &self.overlay else { return Ok(()) };
        // What is no JSON was refused before.
        let Ok(tree) = Tree::from_json(text) else { return Ok(()) };
        let record = TreeRecord::new(tree, "ItemList");
        rules.skipped(&record)?;
        rules.apply(&record, mapped);
        Ok(())
    }
}

/// GOBL says what it is by its schema, in the envelope or in the invoice itself.
fn is_gobl(text: &str) -> bool {
    let start: &str = text.get(..text.floor_char_boundary(4096)).unwrap_or(text);
    start.contains("gobl.org/") && start.contains("\"$schema\"")
}

fn json(text: &str) -> Result<Tree, NotMapped> {
    Tree::from_json(text).map_err(|error| {
        wrong("json.structure", format!("the document cannot be read: {error}"), "Correct the program that wrote it.")
    })
}

fn gobl(text: &str) -> Result<TreeRecord, NotMapped> {
    let root = json(text)?;
    let document = match root {
        Tree::Map(mut members) if members.contains_key("doc") => {
            members.remove("doc").unwrap_or_else(|| Tree::Text(String::new()))
        }
        root => root,
    };
    let schema = document.at("$schema").and_then(Tree::text).unwrap_or_default();
    if !schema.is_empty() && !schema.ends_with("/bill/invoice") {
        let finding = fault("gobl.schema", "this GOBL document is no invoice", "Put bill/invoice documents here.");
        return Err(NotMapped::Wrong(Box::new(finding.with_found(schema))));
    }
    Ok(TreeRecord::new(document, "lines"))
}

fn ubl(text: &str) -> Result<TreeRecord, NotMapped> {
    let root = xml::tree(text).map_err(|fault| {
        wrong("xml.structure", format!("the XML cannot be read: {fault}"), "Export the file again, whole.")
    })?;
    let lines = match root.at(xml::ROOT).and_then(Tree::text) {
        Some("Invoice") => "InvoiceLine",
        Some("CreditNote") => "CreditNoteLine",
        other => {
            let fix = "Put UBL 2.1 Invoice or CreditNote documents here.";
            let finding = fault("ubl.root", "the XML is no UBL invoice or credit note", fix);
            return Err(NotMapped::Wrong(Box::new(finding.with_found(other.unwrap_or_default()))));
        }
    };
    Ok(TreeRecord::new(root, lines))
}

fn wrong(rule: &'static str, message: String, fix: &'static str) -> NotMapped {
    NotMapped::Wrong(Box::new(fault(rule, message, fix)))
}

fn fault(rule: &'static str, message: impl Into<String>, fix: &'static str) -> Finding {
    Finding::error(rule, "", message).with_code("2140").with_fix(fix)
}

//! Mapping as configuration: which field of a source becomes which member of INV-01, written down as data.
//!
//! Every source whose records have named fields maps by this module: the source brings rules of its own for the form it
//! reads (the headings of a spreadsheet, the segments of an `IDoc`, the columns of a staging table), and an integrator's
//! `[source.mapping]` goes before them member by member. What the record leaves out and what can only be one way is then
//! computed (see [`complete`](self::complete())): line values, taxes from rate and place of supply, totals.
//!
//! ```toml
//! [source.mapping.set]
//! "DocDtls.No"         = "Invoice No"                                    # a field
//! "TranDtls.SupTyp"    = { value = "B2B" }                               # a constant
//! "BuyerDtls.Pos"      = { from = ["POS", "Ship State"], default = "29" } # the first that is not blank
//! "ItemList.Unit"      = { from = "UOM", table = "units", keep = true }  # a lookup table
//! "ItemList.HsnCd"     = ["HSN", { from = "Item Code", table = "hsn" }]  # HSN by item where the line has none
//! "ItemList.TotAmt"    = { formula = "Qty * [Unit Rate] / or(Per, 1)" }  # arithmetic
//! "BuyerDtls.Addr1"    = { join = ["Door", "Street"], with = ", " }
//!
//! [source.mapping.tables.units]
//! "Ea" = "NOS"
//!
//! [[source.mapping.skip]]
//! field = "Bill Type"
//! in = ["Pro forma", "Estimate"]
//! reason = "pro_forma"
//! ```
//!
//! Values are read by their meaning for the member they go to (numbers with Indian grouping, dates in the order of the
//! source, names of states and units) and nothing is guessed: what has no one meaning stays as it stands and is an error.

mod complete;
mod config;
mod formula;
mod record;
mod rule;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use complete::complete;
pub use config::{Constant, MappingConfig, Rule, RuleTable, SellerConfig, SkipRule, TextStep};
pub use record::{Record, TableRecord};
pub use tree::{TEXT, Tree, TreeRecord, VALUES_MAX};
pub use value::{DateOrder, DecimalMark, Formats};

use self::rule::{Compiled, FieldName, Scope, Tables};
use self::value::Note;
use crate::document::{Invoice, MemberPath};
use crate::finding::Finding;
use crate::source::{MappedDocument, Provenance, Skip};
use crate::spelling;

/// How names of fields are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "names are compared as they are, or folded")]
pub enum Names {
    /// As they are: segments and fields of an `IDoc`, paths of a JSON document.
    Exact,
    /// Without regard to case, blanks and punctuation: headings and columns.
    Folded,
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct MappingError {
    /// Which part of the mapping, such as `set."DocDtls.No"`.
    pub at: String,
    /// What is wrong with it.
    pub reason: String,
}

impl MappingError {
    fn new(reason: impl Into<String>) -> Self {
        Self { at: String::new(), reason: reason.into() }
    }

    fn at(mut self, place: impl Into<String>) -> Self {
        self.at = place.into();
        self
    }
}

/// A mapping that was read and is ready for use.
#[derive(Debug)]
pub struct Mapping {
    head: Vec<(MemberPath, Compiled)>,
    items: Vec<(MemberPath, Compiled)>,
    skip: Vec<(FieldName, SkipRule)>,
    sellers: Vec<SellerConfig>,
    formats: Formats,
    complete: bool,
}

impl Mapping {
    /// Makes a mapping of the rules a source has built in and those of its configuration, which go before them.
    ///
    /// # Errors
    /// When a rule names no member of INV-01, no table, or cannot be read.
    pub fn new(builtin: &MappingConfig, own: &MappingConfig, names: Names) -> Result<Self, MappingError> {
        let mut rules: BTreeMap<String, (MemberPath, &Rule)> = BTreeMap::new();
        for (path, rule) in builtin.set.iter().chain(&own.set) {
            let member = MemberPath::parse(path)
                .map_err(|error| MappingError::new(error.to_string()).at(format!("set.\"{path}\"")))?;
            if matches!(rule, Rule::Table(table) if table.leave_out) {
                rules.remove(member.as_str());
            } else {
                rules.insert(member.as_str().to_owned(), (member, rule));
            }
        }
        let tables = tables(builtin, own);
        let (mut head, mut items) = (Vec::new(), Vec::new());
        for (path, (member, rule)) in rules {
            let compiled =
                Compiled::new(rule, names, &tables, 0).map_err(|error| error.at(format!("set.\"{path}\"")))?;
            let list = if member.is_of_item() { &mut items } else { &mut head };
            list.push((member, compiled));
        }
        let skip = builtin.skip.iter().chain(&own.skip);
        let skip = skip.map(|rule| (FieldName::new(&rule.field, names), rule.clone())).collect();
        let sellers = own.seller.iter().chain(&builtin.seller).cloned().collect();
        Ok(Self {
            head,
            items,
            skip,
            sellers,
            formats: Formats::new(own.decimal, own.dates),
            complete: own.complete.or(builtin.complete).unwrap_or(true),
        })
    }

    /// The names of all fields that its rules read, as they are written there.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let mut found = Vec::new();
        self.head.iter().chain(&self.items).for_each(|(_, rule)| rule.fields(&mut found));
        found.extend(self.skip.iter().map(|(field, _)| field));
        found.into_iter().map(|field| &*field.shown)
    }

    /// Makes a document of a record.
    ///
    /// # Errors
    /// [`Skip`] when a rule of the mapping passes the record over.
    pub fn map(&self, record: &dyn Record) -> Result<MappedDocument, Skip> {
        self.skipped(record)?;
        let mut mapped = MappedDocument {
            invoice: Invoice::new(),
            findings: Vec::new(),
            provenance: Provenance::new(),
            attributes: BTreeMap::new(),
        };
        self.apply(record, &mut mapped);
        if self.complete {
            complete(&mut mapped, &self.sellers);
        }
        Ok(mapped)
    }

    /// Applies the rules to a document that a source has mapped in a way of its own: what a rule has a value for is
    /// replaced.
    pub fn apply(&self, record: &dyn Record, mapped: &mut MappedDocument) {
        // Rules may look at what the source mapped; they see it as it was before the first of them.
        let before = if self.reads_the_document() { mapped.invoice.clone() } else { Invoice::default() };
        for (path, rule) in &self.head {
            self.set(path, rule, 0, None, record, &before, mapped);
        }
        for line in 0..record.lines() {
            for (path, rule) in &self.items {
                self.set(path, rule, line, Some(line), record, &before, mapped);
            }
        }
    }

    /// Why the record is passed over, if it is.
    ///
    /// # Errors
    /// The reason.
    pub fn skipped(&self, record: &dyn Record) -> Result<(), Skip> {
        for (field, rule) in &self.skip {
            let value = field.of(record, None).or_else(|| field.of(record, Some(0)));
            let folded = value.as_ref().map(|(text, _)| spelling::fold(text));
            let hit = match &folded {
                None => rule.blank,
                Some(folded) => rule.among.iter().any(|word| spelling::fold(word) == *folded),
            };
            if hit {
                let shown = value.map_or_else(|| "blank".to_owned(), |(text, _)| text.into_owned());
                let message = rule.message.clone().unwrap_or_else(|| format!("{} is {shown}", field.shown));
                return Err(Skip { label: String::new(), reason: rule.reason.clone(), message });
            }
        }
        Ok(())
    }

    fn reads_the_document(&self) -> bool {
        self.head.iter().chain(&self.items).any(|(_, rule)| rule.reads_the_document())
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a loop over members and lines")]
    fn set(
        &self,
        path: &MemberPath,
        rule: &Compiled,
        item: usize,
        line: Option<usize>,
        record: &dyn Record,
        before: &Invoice,
        mapped: &mut MappedDocument,
    ) {
        let scope = Scope { record, line, document: before, decimal: self.formats.decimal };
        match rule.value(scope) {
            Ok(None) => {}
            Ok(Some(valued)) => {
                let read = value::read(&valued.text, path.member(), self.formats);
                if read.text.is_empty() {
                    return;
                }
                mapped.invoice.set_text(path, item, &read.text);
                if let Some(note) = read.note {
                    mapped.findings.push(noted(note, path.of(item), &valued.text, &read.text));
                }
                mapped.provenance.insert(path.of(item), valued.origin);
            }
            Err(mut finding) => {
                finding.path = path.of(item);
                mapped.findings.push(*finding);
            }
        }
    }
}

fn noted(note: Note, path: String, found: &str, read: &str) -> Finding {
    match note {
        Note::Rounded => Finding::warning(
            "mapping.rounded",
            path,
            "the value has more decimals than the member; it was rounded half up",
        )
        .with_found(found)
        .with_expected(read)
        .with_fix("Let the source round, so that its totals foot with what is registered."),
        Note::ZeroAdded => Finding::warning(
            "mapping.zero_added",
            path,
            "a leading zero is missing, as spreadsheets drop it; it was put back",
        )
        .with_found(found)
        .with_expected(read)
        .with_fix("Keep the column as text."),
        Note::DigitsLost => Finding::error(
            "mapping.digits_lost",
            path,
            "the value was turned into a number with an exponent, and its digits are lost",
        )
        .with_found(found)
        .with_fix("Enter it again in the source, in a column kept as text."),
    }
}

/// The tables of both, the configuration's entries before the built-in ones.
fn tables(builtin: &MappingConfig, own: &MappingConfig) -> Tables {
    let mut merged: BTreeMap<String, HashMap<String, String>> = BTreeMap::new();
    for (name, entries) in builtin.tables.iter().chain(&own.tables) {
        let table = merged.entry(name.clone()).or_default();
        table.extend(entries.iter().map(|(from, to)| (spelling::fold(from), to.clone())));
    }
    merged.into_iter().map(|(name, table)| (name, Arc::new(table))).collect()
}

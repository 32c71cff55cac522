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
mod field;
mod formula;
mod members;
mod number;
mod record;
mod rule;
#[cfg(test)]
mod tests;
mod trail;
mod tree;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use complete::complete;
pub use config::{Constant, MappingConfig, Rule, RuleTable, SellerConfig, SkipRule, TextStep};
pub use field::Field;
pub use members::Members;
pub use number::DecimalMark;
pub use record::{Origins, Record, RowPlaces, TableRecord};
pub(crate) use trail::Trail;
pub use tree::{TEXT, Tree, TreeRecord, VALUES_MAX};
pub use value::{DateOrder, Formats};

use self::field::Fields;
use self::rule::{Compiled, Compiler, Rules, Scope, Tables};
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
    rules: Arc<Rules>,
    skip: Vec<Passing>,
    sellers: Vec<SellerConfig>,
    formats: Formats,
    complete: bool,
}

/// A rule by which records are passed over.
#[derive(Debug)]
struct Passing {
    field: Field,
    rule: SkipRule,
    /// The values of the rule, folded.
    among: Vec<String>,
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
        let tables = tables(builtin, own)?;
        let mut compiler = Compiler::new(Fields::new(names), &tables);
        let (mut head, mut items) = (Vec::new(), Vec::new());
        for (path, (member, rule)) in rules {
            let ready = Compiled::new(rule, &mut compiler, 0).map_err(|error| error.at(format!("set.\"{path}\"")))?;
            let list = if member.is_of_item() { &mut items } else { &mut head };
            list.push((member, ready));
        }
        let skip = builtin.skip.iter().chain(&own.skip).map(|rule| {
            let refused = |reason: String| MappingError::new(reason).at(format!("skip, field \"{}\"", rule.field));
            compiler.fields.check(&rule.field).map_err(refused)?;
            if rule.among.is_empty() && !rule.blank {
                return Err(refused(
                    "nothing says which records are passed over: give `in`, or `blank = true`".to_owned(),
                ));
            }
            let among = rule.among.iter().map(|word| spelling::fold(word)).collect();
            Ok(Passing { field: compiler.fields.of(&rule.field), rule: rule.clone(), among })
        });
        let skip = skip.collect::<Result<_, _>>()?;
        let sellers = own.seller.iter().chain(&builtin.seller).cloned().collect();
        Ok(Self {
            rules: Arc::new(Rules::new(head, items, compiler)),
            skip,
            sellers,
            formats: Formats::new(own.decimal, own.dates),
            complete: own.complete.or(builtin.complete).unwrap_or(true),
        })
    }

    /// The names of all fields that its rules read, as they are written there.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let of_rules = self.rules.members().flat_map(|(_, fields)| fields);
        of_rules.chain(self.skip.iter().map(|passing| &passing.field)).map(Field::shown)
    }

    /// The members that its rules set, each with the fields that its rule reads, in the order of the rules.
    pub fn members(&self) -> impl Iterator<Item = (&MemberPath, impl Iterator<Item = &Field>)> {
        self.rules.members()
    }

    /// A field of each number that [`Record::field`] is asked by, in the order of the numbers.
    pub fn numbered(&self) -> impl Iterator<Item = &Field> {
        self.rules.fields.each()
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
        let rules = &*self.rules;
        // Rules may look at what the source mapped; they see it as it was before the first of them.
        let before = if rules.reads_the_document { mapped.invoice.clone() } else { Invoice::default() };
        let (mut head, mut line) = (vec![None; rules.fields.count()], Vec::new());
        let lists = list(rules, record, None, &mut head);
        let origins = record.origins();
        let tells_later = origins.is_some();
        let mut trail = Trail::new(&self.rules, origins, HEAD_MEMBERS + ITEM_MEMBERS * record.lines());
        for at in std::iter::once(None).chain((0..record.lines()).map(Some)) {
            if lists && at.is_some() {
                line.clear();
                line.resize(head.len(), None);
                list(rules, record, at, &mut line);
            }
            let listed = lists.then_some((head.as_slice(), line.as_slice()));
            let decimal = self.formats.decimal;
            let scope = Scope { rules, record, line: at, listed, tells_later, document: &before, decimal };
            for (number, path, rule) in rules.of(at.is_some()) {
                self.set((number, path, rule), scope, mapped, &mut trail);
            }
        }
        mapped.provenance.mapped(trail);
    }

    /// Why the record is passed over, if it is.
    ///
    /// # Errors
    /// The reason.
    pub fn skipped(&self, record: &dyn Record) -> Result<(), Skip> {
        for Passing { field, rule, among } in &self.skip {
            let value = record.value(None, field.name()).or_else(|| record.value(Some(0), field.name()));
            let hit = match &value {
                None => rule.blank,
                Some(text) => {
                    let folded = spelling::folded(text);
                    among.iter().any(|word| *word == *folded)
                }
            };
            if hit {
                let shown = value.map_or_else(|| "blank".to_owned(), Cow::into_owned);
                let message = rule.message.clone().unwrap_or_else(|| format!("{} is {shown}", field.shown()));
                return Err(Skip { label: String::new(), reason: rule.reason.clone(), message });
            }
        }
        Ok(())
    }

    fn set(
        &self,
        (number, path, rule): (usize, &MemberPath, &Compiled),
        scope: Scope<'_>,
        mapped: &mut MappedDocument,
        trail: &mut Trail,
    ) {
        let item = scope.line.unwrap_or_default();
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
                trail.set(number, item, valued.trace);
            }
            Err(mut finding) => {
                finding.path = path.of(item);
                mapped.findings.push(*finding);
            }
        }
    }
}

/// Members that most documents set by rules, of the head and of each item: room that is made at once.
const HEAD_MEMBERS: usize = 32;
const ITEM_MEMBERS: usize = 16;

/// Puts the values of the head or of a line at the numbers of their fields; whether the record lists them.
fn list<'r>(rules: &Rules, record: &'r dyn Record, line: Option<usize>, values: &mut [Option<&'r str>]) -> bool {
    record.list(line, &mut |name, value| {
        if let Some(slot) = rules.fields.number(name).and_then(|number| values.get_mut(number)) {
            *slot = Some(value);
        }
    })
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
fn tables(builtin: &MappingConfig, own: &MappingConfig) -> Result<Tables, MappingError> {
    let mut merged: BTreeMap<String, HashMap<String, String>> = BTreeMap::new();
    for (name, entries) in builtin.tables.iter().chain(&own.tables) {
        let mut folded: HashMap<String, (&str, &str)> = HashMap::new();
        for (from, to) in entries {
            // Which of the two counts would be chance.
            if let Some((other, value)) = folded.insert(spelling::fold(from), (from, to))
                && value != to
            {
                let reason = format!("{other} and {from} are the same to a table, and lead to {value} and to {to}");
                return Err(MappingError::new(reason).at(format!("tables.{name}")));
            }
        }
        let entries = folded.into_iter().map(|(from, (_, to))| (from, to.to_owned()));
        merged.entry(name.clone()).or_default().extend(entries);
    }
    Ok(merged.into_iter().map(|(name, table)| (name, Arc::new(table))).collect())
}

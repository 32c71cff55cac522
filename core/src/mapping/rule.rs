//! A rule made ready for use, and its value for a record.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::MappingError;
use super::config::{Rule, RuleTable, TextStep};
use super::field::{Field, Fields};
use super::formula::{Formula, NoValue};
use super::number::{DecimalMark, decimal_of, number};
use super::record::Record;
use super::trail::Trace;
use crate::document::{Invoice, MemberPath};
use crate::finding::Finding;
use crate::spelling;

/// Deepest nesting of rules.
const DEPTH_MAX: usize = 8;

/// A lookup table by folded key.
type Lookup = Arc<HashMap<String, String>>;

/// Lookup tables by name.
pub(crate) type Tables = BTreeMap<String, Lookup>;

/// The rules of a mapping, ready for use: what they name is resolved, and numbered.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Of the head first, then of items.
    list: Vec<(MemberPath, Compiled)>,
    of_head: usize,
    pub(crate) fields: Fields,
    texts: Vec<Box<str>>,
    /// Whether any of them looks at what the source mapped.
    pub(crate) reads_the_document: bool,
}

impl Rules {
    pub(crate) fn new(
        head: Vec<(MemberPath, Compiled)>,
        items: Vec<(MemberPath, Compiled)>,
        parts: Compiler<'_>,
    ) -> Self {
        let of_head = head.len();
        let list: Vec<(MemberPath, Compiled)> = head.into_iter().chain(items).collect();
        let reads_the_document = list.iter().any(|(_, rule)| rule.reads_the_document());
        Self { list, of_head, fields: parts.fields, texts: parts.texts, reads_the_document }
    }

    /// The rules of the head, or those of items, each with its number.
    pub(crate) fn of(&self, items: bool) -> impl Iterator<Item = (usize, &MemberPath, &Compiled)> {
        let which = if items { self.of_head..self.list.len() } else { 0..self.of_head };
        let first = which.start;
        let rules = self.list.get(which).unwrap_or_default().iter().enumerate();
        rules.map(move |(at, (path, rule))| (first + at, path, rule))
    }

    /// The member that a rule sets.
    pub(crate) fn path(&self, rule: usize) -> Option<&MemberPath> {
        self.list.get(rule).map(|(path, _)| path)
    }

    /// A text by its number.
    pub(crate) fn text(&self, text: usize) -> &str {
        self.texts.get(text).map(|text| &**text).unwrap_or_default()
    }

    /// The members that rules set, each with the fields that its rule reads, in the order of the rules.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&MemberPath, impl Iterator<Item = &Field>)> {
        self.list.iter().map(|(path, rule)| {
            let mut found = Vec::new();
            rule.fields(&mut found);
            (path, found.into_iter().filter_map(|field| self.fields.get(field)))
        })
    }
}

/// Makes rules ready.
#[derive(Debug)]
pub(crate) struct Compiler<'t> {
    tables: &'t Tables,
    pub(crate) fields: Fields,
    texts: Vec<Box<str>>,
}

/// The texts that every mapping has.
const BY_CONFIGURATION: usize = 0;
const BY_DEFAULT: usize = 1;

impl<'t> Compiler<'t> {
    pub(crate) fn new(fields: Fields, tables: &'t Tables) -> Self {
        let texts = vec!["configuration".into(), "configuration, as default".into()];
        Self { tables, fields, texts }
    }

    /// A field by its spelling.
    fn field(&mut self, shown: &str) -> Result<usize, MappingError> {
        self.fields.check(shown).map_err(MappingError::new)?;
        Ok(self.fields.add(shown))
    }

    fn text(&mut self, text: String) -> usize {
        self.texts.push(text.into());
        self.texts.len() - 1
    }
}

#[derive(Debug)]
pub(crate) enum Compiled {
    /// A field, by its position among the fields.
    Field(usize),
    First(Vec<Self>),
    Derived(Box<Derived>),
}

#[derive(Debug)]
pub(crate) struct Derived {
    origin: Origin,
    when: Option<usize>,
    before: Option<String>,
    after: Option<String>,
    steps: Vec<TextStep>,
    table: Option<NamedTable>,
    keep: bool,
    default: Option<String>,
}

#[derive(Debug)]
struct NamedTable {
    /// The text that is its name.
    name: usize,
    entries: Lookup,
}

#[derive(Debug)]
enum Origin {
    Rule(Compiled),
    Constant(String),
    Formula(Box<Arithmetic>),
    Join(Vec<Compiled>, String),
    Document(MemberPath),
    None,
}

#[derive(Debug)]
struct Arithmetic {
    formula: Formula,
    text: String,
    /// The text that says so.
    said: usize,
    /// Its fields by the names it has for them.
    fields: Vec<(String, usize)>,
}

/// A value and where it came from.
#[derive(Debug)]
pub(crate) struct Valued<'v> {
    pub(crate) text: Cow<'v, str>,
    pub(crate) trace: Trace,
}

/// Values by the numbers of their fields.
pub(crate) type Numbered<'v> = &'v [Option<&'v str>];

/// What rules are evaluated against.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'v> {
    pub(crate) rules: &'v Rules,
    pub(crate) record: &'v dyn Record,
    pub(crate) line: Option<usize>,
    /// The values of head and line by the numbers of their fields, where the record lists them.
    pub(crate) listed: Option<(Numbered<'v>, Numbered<'v>)>,
    /// Whether the record says later where values stand.
    pub(crate) tells_later: bool,
    /// The document as the source mapped it, before any rule.
    pub(crate) document: &'v Invoice,
    pub(crate) decimal: DecimalMark,
}

impl<'v> Scope<'v> {
    /// The value of the line, else of the head where lines inherit, with the place it stands at.
    fn find(&self, field: &Field) -> Option<(Cow<'v, str>, Option<usize>)> {
        let asks_the_head = self.line.is_none() || self.record.inherits();
        if let Some((head, line)) = self.listed {
            let of = |values: &[Option<&'v str>]| values.get(field.number()).copied().flatten().map(Cow::Borrowed);
            let own = self.line.and_then(|_| of(line)).map(|value| (value, self.line));
            return own.or_else(|| of(head).filter(|_| asks_the_head).map(|value| (value, None)));
        }
        let own = self.line.and_then(|line| self.record.field(Some(line), field)).map(|value| (value, self.line));
        let of_head = || self.record.field(None, field).map(|value| (value, None));
        own.or_else(|| asks_the_head.then(of_head).flatten())
    }

    fn field(&self, at: usize) -> Option<(Cow<'v, str>, Option<usize>)> {
        self.rules.fields.get(at).and_then(|field| self.find(field))
    }

    /// In words, at once.
    fn words(&self, trace: &Trace) -> String {
        trace.words(self.rules, &|line, name| self.record.origin(line, name))
    }
}

impl Compiled {
    pub(crate) fn new(rule: &Rule, with: &mut Compiler<'_>, depth: usize) -> Result<Self, MappingError> {
        if depth > DEPTH_MAX {
            return Err(MappingError::new(format!("rules are nested more than {DEPTH_MAX} deep")));
        }
        match rule {
            Rule::Field(name) => with.field(name).map(Self::Field),
            Rule::First(rules) if rules.is_empty() => Err(MappingError::new("the list of rules is empty")),
            Rule::First(rules) => {
                let each = rules.iter().map(|rule| Self::new(rule, with, depth + 1));
                each.collect::<Result<_, _>>().map(Self::First)
            }
            Rule::Table(table) => {
                if table.keep && table.table.is_none() {
                    let reason = "keep is for values that a table does not have: give the table too";
                    return Err(MappingError::new(reason));
                }
                if table.with.is_some() && table.join.is_none() {
                    return Err(MappingError::new("with stands between joined values: give join too"));
                }
                let origin = origin(table, with, depth)?;
                let lookup = match &table.table {
                    None => None,
                    Some(name) => {
                        let entries = Arc::clone(find(name, with.tables)?);
                        Some(NamedTable { name: with.text(name.clone()), entries })
                    }
                };
                let default = table.default.as_ref().map(|constant| constant.0.clone());
                if matches!(origin, Origin::None) && default.is_none() {
                    return Err(MappingError::new(
                        "nothing says where the value comes from; give one of from, value, formula, join, document",
                    ));
                }
                Ok(Self::Derived(Box::new(Derived {
                    origin,
                    when: table.when.as_deref().map(|field| with.field(field)).transpose()?,
                    before: table.before.clone(),
                    after: table.after.clone(),
                    steps: table.steps.clone(),
                    table: lookup,
                    keep: table.keep,
                    default,
                })))
            }
        }
    }

    /// The value; nothing where it is blank, and a finding without a path where it cannot be had.
    pub(crate) fn value<'v>(&'v self, scope: Scope<'v>) -> Result<Option<Valued<'v>>, Box<Finding>> {
        match self {
            Self::Field(at) => Ok(scope.field(*at).map(|(text, line)| {
                let trace = Trace::Field(*at, line);
                let trace = if scope.tells_later { trace } else { Trace::Told(scope.words(&trace).into()) };
                Valued { text, trace }
            })),
            Self::First(rules) => {
                for rule in rules {
                    if let Some(valued) = rule.value(scope)? {
                        return Ok(Some(valued));
                    }
                }
                Ok(None)
            }
            Self::Derived(derived) => derived.value(scope),
        }
    }

    /// Whether it looks at what the source mapped.
    fn reads_the_document(&self) -> bool {
        match self {
            Self::Field(_) => false,
            Self::First(rules) => rules.iter().any(Self::reads_the_document),
            Self::Derived(derived) => match &derived.origin {
                Origin::Document(_) => true,
                Origin::Rule(rule) => rule.reads_the_document(),
                Origin::Join(rules, _) => rules.iter().any(Self::reads_the_document),
                Origin::Constant(_) | Origin::Formula(_) | Origin::None => false,
            },
        }
    }

    /// The fields it reads.
    fn fields(&self, found: &mut Vec<usize>) {
        match self {
            Self::Field(at) => found.push(*at),
            Self::First(rules) => rules.iter().for_each(|rule| rule.fields(found)),
            Self::Derived(derived) => {
                found.extend(derived.when);
                match &derived.origin {
                    Origin::Rule(rule) => rule.fields(found),
                    Origin::Join(rules, _) => rules.iter().for_each(|rule| rule.fields(found)),
                    Origin::Formula(arithmetic) => found.extend(arithmetic.fields.iter().map(|(_, field)| *field)),
                    Origin::Constant(_) | Origin::Document(_) | Origin::None => {}
                }
            }
        }
    }
}

fn find<'t>(name: &str, tables: &'t Tables) -> Result<&'t Lookup, MappingError> {
    tables.get(name).ok_or_else(|| {
        let near = crate::registry::nearest(name, tables.keys().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        MappingError::new(format!("there is no table {name} under `tables`{near}"))
    })
}

fn origin(table: &RuleTable, with: &mut Compiler<'_>, depth: usize) -> Result<Origin, MappingError> {
    let given = [
        table.from.is_some(),
        table.value.is_some(),
        table.formula.is_some(),
        table.join.is_some(),
        table.document.is_some(),
    ];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(MappingError::new("only one of from, value, formula, join, document can stand in one rule"));
    }
    if let Some(rule) = &table.from {
        return Compiled::new(rule, with, depth + 1).map(Origin::Rule);
    }
    if let Some(constant) = &table.value {
        return Ok(Origin::Constant(constant.0.clone()));
    }
    if let Some(text) = &table.formula {
        let formula = Formula::parse(text).map_err(|error| MappingError::new(error.to_string()))?;
        let mut names = Vec::new();
        formula.fields(&mut names);
        let fields = names.iter().map(|name| Ok(((*name).to_owned(), with.field(name)?)));
        let fields = fields.collect::<Result<_, MappingError>>()?;
        let said = with.text(format!("computed: {text}"));
        return Ok(Origin::Formula(Box::new(Arithmetic { formula, text: text.clone(), said, fields })));
    }
    if let Some(rules) = &table.join {
        let each = rules.iter().map(|rule| Compiled::new(rule, with, depth + 1));
        let rules = each.collect::<Result<_, _>>()?;
        return Ok(Origin::Join(rules, table.with.clone().unwrap_or_else(|| " ".to_owned())));
    }
    if let Some(path) = &table.document {
        return MemberPath::parse(path).map(Origin::Document).map_err(|error| MappingError::new(error.to_string()));
    }
    Ok(Origin::None)
}

impl Derived {
    fn value<'v>(&'v self, scope: Scope<'v>) -> Result<Option<Valued<'v>>, Box<Finding>> {
        if self.when.is_some_and(|field| scope.field(field).is_none()) {
            return Ok(None);
        }
        let found = self.raw(scope)?.map(|valued| self.changed(valued, scope)).filter(|valued| !is_blank(&valued.text));
        let looked_up = match (found, &self.table) {
            (Some(valued), Some(table)) => self.looked_up(valued, table, scope)?,
            (found, _) => found,
        };
        Ok(looked_up.or_else(|| {
            let default = self.default.as_deref()?;
            Some(Valued { text: default.into(), trace: Trace::Text(BY_DEFAULT) })
        }))
    }

    fn raw<'v>(&'v self, scope: Scope<'v>) -> Result<Option<Valued<'v>>, Box<Finding>> {
        match &self.origin {
            Origin::None => Ok(None),
            Origin::Rule(rule) => rule.value(scope),
            Origin::Constant(text) => {
                Ok(Some(Valued { text: text.as_str().into(), trace: Trace::Text(BY_CONFIGURATION) }))
            }
            Origin::Document(path) => {
                let item = scope.line.unwrap_or_default();
                let shown = scope.document.shown(path, item);
                Ok(shown.map(|text| Valued { text: text.into(), trace: Trace::Told(path.of(item).into()) }))
            }
            Origin::Join(rules, with) => {
                let mut parts = Vec::with_capacity(rules.len());
                for rule in rules {
                    parts.extend(rule.value(scope)?);
                }
                Ok(joined(parts, with))
            }
            Origin::Formula(arithmetic) => arithmetic.value(scope),
        }
    }

    fn changed<'v>(&self, valued: Valued<'v>, scope: Scope<'_>) -> Valued<'v> {
        let mut text = valued.text;
        if let Some((before, _)) = self.before.as_deref().and_then(|mark| text.split_once(mark)) {
            text = before.trim().to_owned().into();
        }
        if let Some((_, after)) = self.after.as_deref().and_then(|mark| text.split_once(mark)) {
            text = after.trim().to_owned().into();
        }
        for step in &self.steps {
            text = stepped(&text, *step, scope.decimal).into();
        }
        Valued { text, trace: valued.trace }
    }

    fn looked_up<'v>(
        &self,
        valued: Valued<'v>,
        table: &'v NamedTable,
        scope: Scope<'_>,
    ) -> Result<Option<Valued<'v>>, Box<Finding>> {
        match table.entries.get(&*spelling::folded(&valued.text)) {
            Some(text) => {
                let trace = Trace::ByTable(Box::new(valued.trace), table.name);
                Ok(Some(Valued { text: text.as_str().into(), trace }))
            }
            None if self.keep => Ok(Some(valued)),
            None if self.default.is_some() => Ok(None),
            None => {
                let name = scope.rules.text(table.name);
                Err(Box::new(
                    Finding::error("mapping.not_in_table", "", format!("table {name} does not have {}", valued.text))
                        .with_found(&valued.text)
                        .with_fix(format!("Add it to `tables.{name}` of the mapping, or correct it in the source."))
                        .with_place(scope.words(&valued.trace)),
                ))
            }
        }
    }
}

fn is_blank(text: &str) -> bool {
    spelling::trimmed(text).is_empty()
}

/// Several values as one, trimmed, with a text between them.
fn joined<'v>(mut parts: Vec<Valued<'v>>, with: &str) -> Option<Valued<'v>> {
    if parts.len() < 2 {
        // One value is itself, and its origin is that of the value.
        let part = parts.pop()?;
        let text = match part.text {
            Cow::Borrowed(text) => Cow::Borrowed(spelling::trimmed(text)),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        return Some(Valued { text, trace: part.trace });
    }
    let texts: Vec<&str> = parts.iter().map(|part| part.text.trim()).collect();
    let text = Cow::Owned(texts.join(with));
    Some(Valued { text, trace: Trace::Joined(parts.into_iter().map(|part| part.trace).collect()) })
}

fn stepped(text: &str, step: TextStep, decimal: DecimalMark) -> String {
    match step {
        TextStep::Upper => text.to_uppercase(),
        TextStep::Lower => text.to_lowercase(),
        TextStep::Digits => text.chars().filter(char::is_ascii_digit).collect(),
        TextStep::StripZeros => text.trim().trim_start_matches('0').to_owned(),
        TextStep::FirstLine => text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned(),
        TextStep::Absolute => match number(text, decimal) {
            Some(number) => in_mark(number.strip_prefix('-').unwrap_or(&number), decimal),
            None => text.to_owned(),
        },
        TextStep::Negate => match number(text, decimal) {
            Some(number) => match number.strip_prefix('-') {
                Some(positive) => in_mark(positive, decimal),
                None => in_mark(&format!("-{number}"), decimal),
            },
            None => text.to_owned(),
        },
    }
}

/// A number in the form of its source again, as it is read once more for its member.
fn in_mark(number: &str, decimal: DecimalMark) -> String {
    match decimal {
        DecimalMark::Point => number.to_owned(),
        DecimalMark::Comma => number.replace('.', ","),
    }
}

impl Arithmetic {
    fn value<'v>(&self, scope: Scope<'v>) -> Result<Option<Valued<'v>>, Box<Finding>> {
        let field = |name: &str| {
            let (_, known) = self.fields.iter().find(|(known, _)| known == name).ok_or(NoValue::Blank)?;
            let (found, _) = scope.field(*known).ok_or(NoValue::Blank)?;
            number(&found, scope.decimal)
                .and_then(|digits| decimal_of(&digits))
                .ok_or_else(|| NoValue::NotANumber { field: name.to_owned(), found: found.into_owned() })
        };
        let failed =
            |message: String| Box::new(Finding::error("mapping.formula", "", message).with_expected(&self.text));
        match self.formula.value(&field) {
            Ok(value) => Ok(Some(Valued {
                text: in_mark(&value.normalize().to_string(), scope.decimal).into(),
                trace: Trace::Text(self.said),
            })),
            Err(NoValue::Blank) => Ok(None),
            Err(NoValue::NotANumber { field, found }) => {
                let message = format!("the formula cannot be computed: {field} is not a number");
                Err(Box::new(failed(message).with_found(found).with_fix(format!("Correct {field} in the source."))))
            }
            Err(NoValue::Undefined(reason)) => Err(failed(format!("the formula cannot be computed: {reason}"))),
        }
    }
}

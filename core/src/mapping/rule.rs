//! A rule made ready for use, and its value for a record.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::config::{Rule, RuleTable, TextStep};
use super::formula::{Formula, NoValue};
use super::record::Record;
use super::value::{DecimalMark, number};
use super::{MappingError, Names};
use crate::document::{Invoice, MemberPath};
use crate::finding::Finding;
use crate::spelling;

/// Deepest nesting of rules.
const DEPTH_MAX: usize = 8;

/// A lookup table by folded key.
type Lookup = Arc<HashMap<String, String>>;

/// Lookup tables by name.
pub(crate) type Tables = BTreeMap<String, Lookup>;

/// The name of a field: as it is written, and as records are asked for it.
#[derive(Debug, Clone)]
pub(crate) struct FieldName {
    pub(crate) shown: Box<str>,
    key: Box<str>,
}

impl FieldName {
    pub(crate) fn new(shown: &str, names: Names) -> Self {
        let key = match names {
            Names::Exact => shown.to_owned(),
            Names::Folded => spelling::fold(shown),
        };
        Self { shown: shown.into(), key: key.into() }
    }

    /// The value of the line, else of the head, with the place it stands at.
    pub(crate) fn of<'r>(&self, record: &'r dyn Record, line: Option<usize>) -> Option<(Cow<'r, str>, Option<usize>)> {
        let own = line.and_then(|line| record.value(Some(line), &self.key).map(|value| (value, Some(line))));
        own.or_else(|| record.value(None, &self.key).map(|value| (value, None)))
    }
}

#[derive(Debug)]
pub(crate) enum Compiled {
    Field(FieldName),
    First(Vec<Self>),
    Derived(Box<Derived>),
}

#[derive(Debug)]
pub(crate) struct Derived {
    origin: Origin,
    when: Option<FieldName>,
    before: Option<String>,
    after: Option<String>,
    steps: Vec<TextStep>,
    table: Option<(String, Lookup)>,
    keep: bool,
    default: Option<String>,
}

#[derive(Debug)]
enum Origin {
    Rule(Compiled),
    Constant(String),
    Formula { formula: Formula, text: String, fields: Vec<FieldName> },
    Join(Vec<Compiled>, String),
    Document(MemberPath),
    None,
}

/// A value and where it came from.
#[derive(Debug)]
pub(crate) struct Valued<'r> {
    pub(crate) text: Cow<'r, str>,
    pub(crate) origin: String,
}

/// What rules are evaluated against.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'r> {
    pub(crate) record: &'r dyn Record,
    pub(crate) line: Option<usize>,
    /// The document as the source mapped it, before any rule.
    pub(crate) document: &'r Invoice,
    pub(crate) decimal: DecimalMark,
}

impl Compiled {
    pub(crate) fn new(rule: &Rule, names: Names, tables: &Tables, depth: usize) -> Result<Self, MappingError> {
        if depth > DEPTH_MAX {
            return Err(MappingError::new(format!("rules are nested more than {DEPTH_MAX} deep")));
        }
        let each = |rules: &[Rule]| {
            rules.iter().map(|rule| Self::new(rule, names, tables, depth + 1)).collect::<Result<Vec<_>, _>>()
        };
        match rule {
            Rule::Field(name) if name.trim().is_empty() => Err(MappingError::new("the name of the field is empty")),
            Rule::Field(name) => Ok(Self::Field(FieldName::new(name, names))),
            Rule::First(rules) if rules.is_empty() => Err(MappingError::new("the list of rules is empty")),
            Rule::First(rules) => each(rules).map(Self::First),
            Rule::Table(table) => {
                let origin = origin(table, names, tables, depth)?;
                let lookup = match &table.table {
                    None => None,
                    Some(name) => Some((name.clone(), Arc::clone(find(name, tables)?))),
                };
                let default = table.default.as_ref().map(|constant| constant.0.clone());
                if matches!(origin, Origin::None) && default.is_none() {
                    return Err(MappingError::new(
                        "nothing says where the value comes from; give one of from, value, formula, join, document",
                    ));
                }
                Ok(Self::Derived(Box::new(Derived {
                    origin,
                    when: table.when.as_deref().map(|field| FieldName::new(field, names)),
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
    pub(crate) fn value<'r>(&self, scope: Scope<'r>) -> Result<Option<Valued<'r>>, Box<Finding>> {
        match self {
            Self::Field(name) => Ok(name
                .of(scope.record, scope.line)
                .map(|(text, line)| Valued { origin: scope.record.origin(line, &name.key), text })),
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
    pub(crate) fn reads_the_document(&self) -> bool {
        match self {
            Self::Field(_) => false,
            Self::First(rules) => rules.iter().any(Self::reads_the_document),
            Self::Derived(derived) => match &derived.origin {
                Origin::Document(_) => true,
                Origin::Rule(rule) => rule.reads_the_document(),
                Origin::Join(rules, _) => rules.iter().any(Self::reads_the_document),
                Origin::Constant(_) | Origin::Formula { .. } | Origin::None => false,
            },
        }
    }

    /// The fields it reads.
    pub(crate) fn fields<'c>(&'c self, found: &mut Vec<&'c FieldName>) {
        match self {
            Self::Field(name) => found.push(name),
            Self::First(rules) => rules.iter().for_each(|rule| rule.fields(found)),
            Self::Derived(derived) => {
                found.extend(&derived.when);
                match &derived.origin {
                    Origin::Rule(rule) => rule.fields(found),
                    Origin::Join(rules, _) => rules.iter().for_each(|rule| rule.fields(found)),
                    Origin::Formula { fields, .. } => found.extend(fields),
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

fn origin(table: &RuleTable, names: Names, tables: &Tables, depth: usize) -> Result<Origin, MappingError> {
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
        return Compiled::new(rule, names, tables, depth + 1).map(Origin::Rule);
    }
    if let Some(constant) = &table.value {
        return Ok(Origin::Constant(constant.0.clone()));
    }
    if let Some(text) = &table.formula {
        let formula = Formula::parse(text).map_err(|error| MappingError::new(error.to_string()))?;
        let mut fields = Vec::new();
        formula.fields(&mut fields);
        let fields = fields.into_iter().map(|name| FieldName::new(name, names)).collect();
        return Ok(Origin::Formula { formula, text: text.clone(), fields });
    }
    if let Some(rules) = &table.join {
        let rules = rules.iter().map(|rule| Compiled::new(rule, names, tables, depth + 1)).collect::<Result<_, _>>()?;
        return Ok(Origin::Join(rules, table.with.clone().unwrap_or_else(|| " ".to_owned())));
    }
    if let Some(path) = &table.document {
        return MemberPath::parse(path).map(Origin::Document).map_err(|error| MappingError::new(error.to_string()));
    }
    Ok(Origin::None)
}

impl Derived {
    fn value<'r>(&self, scope: Scope<'r>) -> Result<Option<Valued<'r>>, Box<Finding>> {
        if self.when.as_ref().is_some_and(|field| field.of(scope.record, scope.line).is_none()) {
            return Ok(None);
        }
        let found =
            self.raw(scope)?.map(|valued| self.changed(valued, scope)).filter(|valued| !valued.text.trim().is_empty());
        let looked_up = match (found, &self.table) {
            (Some(valued), Some((name, table))) => self.looked_up(valued, name, table)?,
            (found, _) => found,
        };
        Ok(looked_up.or_else(|| {
            let default = self.default.clone()?;
            Some(Valued { text: default.into(), origin: "configuration, as default".to_owned() })
        }))
    }

    fn raw<'r>(&self, scope: Scope<'r>) -> Result<Option<Valued<'r>>, Box<Finding>> {
        match &self.origin {
            Origin::None => Ok(None),
            Origin::Rule(rule) => rule.value(scope),
            Origin::Constant(text) => {
                Ok(Some(Valued { text: text.clone().into(), origin: "configuration".to_owned() }))
            }
            Origin::Document(path) => Ok(scope
                .document
                .shown(path, scope.line.unwrap_or_default())
                .map(|text| Valued { text: text.into(), origin: path.of(scope.line.unwrap_or_default()) })),
            Origin::Join(rules, with) => {
                let mut parts = Vec::new();
                for rule in rules {
                    parts.extend(rule.value(scope)?);
                }
                let text: Vec<&str> = parts.iter().map(|part| part.text.trim()).collect();
                let text = text.join(with);
                let origin = parts.iter().map(|part| part.origin.as_str()).collect::<Vec<_>>().join(" and ");
                Ok((!parts.is_empty()).then(|| Valued { text: text.into(), origin }))
            }
            Origin::Formula { formula, text, fields } => calculated(formula, text, fields, scope),
        }
    }

    fn changed<'r>(&self, valued: Valued<'r>, scope: Scope<'_>) -> Valued<'r> {
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
        Valued { text, origin: valued.origin }
    }

    fn looked_up<'r>(
        &self,
        valued: Valued<'r>,
        name: &str,
        table: &Lookup,
    ) -> Result<Option<Valued<'r>>, Box<Finding>> {
        match table.get(&spelling::fold(&valued.text)) {
            Some(text) => {
                Ok(Some(Valued { text: text.clone().into(), origin: format!("{}, by table {name}", valued.origin) }))
            }
            None if self.keep => Ok(Some(valued)),
            None if self.default.is_some() => Ok(None),
            None => Err(Box::new(
                Finding::error("mapping.not_in_table", "", format!("table {name} does not have {}", valued.text))
                    .with_found(&valued.text)
                    .with_fix(format!("Add it to `tables.{name}` of the mapping, or correct it in the source."))
                    .with_place(valued.origin),
            )),
        }
    }
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

fn calculated<'r>(
    formula: &Formula,
    text: &str,
    fields: &[FieldName],
    scope: Scope<'r>,
) -> Result<Option<Valued<'r>>, Box<Finding>> {
    let field = |name: &str| {
        let known = fields.iter().find(|field| &*field.shown == name).ok_or(NoValue::Blank)?;
        let (found, _) = known.of(scope.record, scope.line).ok_or(NoValue::Blank)?;
        number(&found, scope.decimal)
            .and_then(|digits| Decimal::from_scientific(&digits).or_else(|_| digits.parse()).ok())
            .ok_or_else(|| NoValue::NotANumber { field: name.to_owned(), found: found.into_owned() })
    };
    let failed = |message: String| Box::new(Finding::error("mapping.formula", "", message).with_expected(text));
    match formula.value(&field) {
        Ok(value) => Ok(Some(Valued {
            text: in_mark(&value.normalize().to_string(), scope.decimal).into(),
            origin: format!("computed: {text}"),
        })),
        Err(NoValue::Blank) => Ok(None),
        Err(NoValue::NotANumber { field, found }) => {
            let message = format!("the formula cannot be computed: {field} is not a number");
            Err(Box::new(failed(message).with_found(found).with_fix(format!("Correct {field} in the source."))))
        }
        Err(NoValue::Undefined(reason)) => Err(failed(format!("the formula cannot be computed: {reason}"))),
    }
}

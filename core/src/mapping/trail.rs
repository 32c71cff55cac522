//! By what a mapping set the members of one document: kept as it happens, put into words when somebody asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::Origins;
use super::rule::Rules;
use crate::provenance::Asked;

/// All that a mapping set in one document.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    rules: Arc<Rules>,
    origins: Option<Arc<dyn Origins>>,
    steps: Vec<Step>,
}

/// One member that was set.
#[derive(Debug, Clone)]
struct Step {
    rule: usize,
    item: usize,
    trace: Trace,
}

/// Where a value came from.
#[derive(Debug, Clone)]
pub(crate) enum Trace {
    /// A field, of the head or of a line.
    Field(usize, Option<usize>),
    /// As the record said at once.
    Told(Box<str>),
    /// A text of the rules.
    Text(usize),
    /// By the lookup table whose name is this text of the rules.
    ByTable(Box<Self>, usize),
    /// Of several values.
    Joined(Vec<Self>),
}

/// Says where a field stands.
pub(crate) type Where<'w> = &'w dyn Fn(Option<usize>, &str) -> String;

impl Trace {
    /// In words, by one who knows where fields stand.
    pub(crate) fn words(&self, rules: &Rules, place: Where<'_>) -> String {
        match self {
            Self::Field(field, line) => {
                rules.fields.get(*field).map_or_else(String::new, |field| place(*line, field.name()))
            }
            Self::Told(text) => text.to_string(),
            Self::Text(text) => rules.text(*text).to_owned(),
            Self::ByTable(origin, table) => format!("{}, by table {}", origin.words(rules, place), rules.text(*table)),
            Self::Joined(parts) => parts.iter().map(|part| part.words(rules, place)).collect::<Vec<_>>().join(" and "),
        }
    }
}

impl Trail {
    pub(crate) fn new(rules: &Arc<Rules>, origins: Option<Arc<dyn Origins>>, members: usize) -> Self {
        Self { rules: Arc::clone(rules), origins, steps: Vec::with_capacity(members) }
    }

    /// A member was set by a rule.
    pub(crate) fn set(&mut self, rule: usize, item: usize, trace: Trace) {
        self.steps.push(Step { rule, item, trace });
    }

    /// The origin of one member.
    pub(crate) fn origin_of(&self, asked: &Asked<'_>) -> Option<String> {
        let is_asked = |step: &&Step| {
            let path = self.rules.path(step.rule);
            path.is_some_and(|path| asked.is_member(path.as_str(), step.item))
        };
        self.steps.iter().rev().find(is_asked).map(|step| self.words(step))
    }

    /// The origins of all members.
    pub(crate) fn tell(&self, words: &mut BTreeMap<String, String>) {
        for step in &self.steps {
            if let Some(path) = self.rules.path(step.rule) {
                words.insert(path.of(step.item), self.words(step));
            }
        }
    }

    fn words(&self, step: &Step) -> String {
        // A record that keeps no origins has told each at once.
        let place = |line: Option<usize>, name: &str| match &self.origins {
            Some(origins) => origins.origin(line, name),
            None => name.to_owned(),
        };
        step.trace.words(&self.rules, &place)
    }
}

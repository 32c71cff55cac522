//! An `IDoc` as a record: the value of every field that the mapping reads, found in one walk.

use std::borrow::Cow;
use std::sync::Arc;

use einvoice_core::mapping::{Field, Origins, Record};

use crate::idoc::Segment;
use crate::value;

use super::derive::{self, Settings};
use super::facts::Facts;
use super::plan::{self, Form, Plan, Want};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Value<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Its segment and line, where it stands in one.
    pub(crate) at: Option<(&'a str, u64)>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct IdocRecord<'f, 'a> {
    plan: &'f Arc<Plan>,
    head: Vec<Option<Value<'a>>>,
    lines: Vec<Vec<Option<Value<'a>>>>,
}

impl<'f, 'a> IdocRecord<'f, 'a> {
    pub(crate) fn new(facts: &Facts<'a>, plan: &'f Arc<Plan>, settings: &Settings) -> Self {
        let mut record = Self { plan, head: vec![None; plan.width()], lines: Vec::with_capacity(facts.items.len()) };
        for segment in &facts.head {
            fill(facts, plan, *segment, &mut record.head);
        }
        for want in plan.wanted(crate::idoc::CONTROL_RECORD) {
            let text = facts.idoc.control(&want.field);
            if let Some(slot) = record.head.get_mut(want.slot).filter(|_| !text.is_empty()) {
                *slot = Some(Value { text: Cow::Borrowed(text), at: None });
            }
        }
        for (role, field, slot) in &plan.partners {
            let found = facts.partner(*role).and_then(|partner| {
                let text = facts.idoc.value(partner, field)?;
                Some(Value { text: Cow::Borrowed(text), at: Some((partner.name, facts.line(partner))) })
            });
            if let Some(slot) = record.head.get_mut(*slot) {
                *slot = found;
            }
        }
        for (derived, slot) in &plan.of_head {
            if let Some(slot) = record.head.get_mut(*slot) {
                *slot = derive::of_head(*derived, facts, settings);
            }
        }
        for item in &facts.items {
            let mut line = vec![None; plan.width()];
            for segment in &item.segments {
                fill(facts, plan, *segment, &mut line);
            }
            for (derived, slot) in &plan.of_items {
                if let Some(slot) = line.get_mut(*slot) {
                    *slot = derive::of_item(*derived, facts, item);
                }
            }
            record.lines.push(line);
        }
        record
    }

    /// The value of a slot for the document as a whole.
    pub(crate) fn of_head(&self, slot: usize) -> Option<&str> {
        self.find(None, slot).map(|value| &*value.text)
    }

    fn find(&self, line: Option<usize>, slot: usize) -> Option<&Value<'a>> {
        let of = |values: &'_ Vec<Option<Value<'a>>>| values.get(slot).is_some_and(Option::is_some);
        let found = match line {
            Some(line) => self.lines.get(line).and_then(|line| line.get(slot)),
            None if of(&self.head) => self.head.get(slot),
            // What all items say, the document says.
            None => {
                let mut values = self.lines.iter().map(|line| line.get(slot).and_then(Option::as_ref));
                let first = values.next().flatten()?;
                return values.all(|value| value.is_some_and(|value| value.text == first.text)).then_some(first);
            }
        };
        found.and_then(Option::as_ref)
    }
}

impl Record for IdocRecord<'_, '_> {
    fn lines(&self) -> usize {
        self.lines.len()
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        self.find(line, self.plan.slot(name)?).map(|value| Cow::Borrowed(&*value.text))
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        let found = self.plan.slot(name).and_then(|slot| self.find(line, slot));
        origin(name, found.and_then(|value| value.at))
    }

    fn field(&self, line: Option<usize>, field: &Field) -> Option<Cow<'_, str>> {
        self.find(line, self.plan.numbered(field.number())?).map(|value| Cow::Borrowed(&*value.text))
    }

    fn origins(&self) -> Option<Arc<dyn Origins>> {
        let mut places = Places { plan: Arc::clone(self.plan), segments: Vec::new(), values: Vec::new() };
        places.values.reserve(VALUES_USUAL * (1 + self.lines.len()));
        for (row, values) in std::iter::once(&self.head).chain(&self.lines).enumerate() {
            for (slot, value) in values.iter().enumerate() {
                if let Some((segment, line)) = value.as_ref().and_then(|value| value.at) {
                    let segment = if self.plan.is_derived(slot) { places.segment(segment) } else { 0 };
                    places.values.push(((row, slot), (segment, line)));
                }
            }
        }
        Some(Arc::new(places))
    }
}

/// Values that head and items have each, for room that is made at once.
const VALUES_USUAL: usize = 16;

/// Where the values of an `IDoc` stood.
#[derive(Debug)]
struct Places {
    plan: Arc<Plan>,
    /// The segment types that derived values come from.
    segments: Vec<Box<str>>,
    /// Segment type and line of each value that is there, by row (the head, then each item) and slot, in their order.
    values: Vec<((usize, usize), (usize, u64))>,
}

impl Places {
    fn segment(&mut self, name: &str) -> usize {
        let known = self.segments.iter().position(|known| **known == *name);
        known.unwrap_or_else(|| {
            self.segments.push(name.into());
            self.segments.len() - 1
        })
    }
}

impl Origins for Places {
    fn origin(&self, line: Option<usize>, name: &str) -> String {
        let of = |row: usize| {
            let place = (row, self.plan.slot(name)?);
            let at = self.values.binary_search_by_key(&place, |(place, _)| *place).ok()?;
            self.values.get(at).map(|(_, found)| *found)
        };
        // What all items say stands in the first of them.
        let found = line.map_or_else(|| of(0).or_else(|| of(1)), |line| of(1 + line));
        let segment = |at: usize| self.segments.get(at).map(|name| &**name).unwrap_or_default();
        origin(name, found.map(|(at, line)| (segment(at), line)))
    }
}

fn origin(name: &str, at: Option<(&str, u64)>) -> String {
    match at {
        // What is derived does not say itself which segment it comes from.
        Some((segment, line)) if name.starts_with('@') => format!("{name} of {segment}, line {line}"),
        Some((_, line)) => format!("{name}, line {line}"),
        None => name.to_owned(),
    }
}

fn fill<'a>(facts: &Facts<'a>, plan: &Plan, segment: Segment<'a>, values: &mut [Option<Value<'a>>]) {
    for want in plan.wanted(segment.name) {
        let Some(slot) = values.get_mut(want.slot).filter(|slot| slot.is_none()) else { continue };
        let is_meant = want.qualifier.as_ref().is_none_or(|qualifier| qualifier.admits(facts.idoc.fields(segment)));
        if is_meant && let Some(text) = facts.idoc.value(segment, &want.field).filter(|text| !is_no_date(text)) {
            let at = Some((segment.name, facts.line(segment)));
            *slot = Some(Value { text: converted(facts, want, segment, text), at });
        }
    }
}

fn is_no_date(text: &str) -> bool {
    text.len() == 8 && value::is_initial(text)
}

/// A value as rules see it: money in rupees, and numbers with a point.
fn converted<'a>(facts: &Facts<'a>, want: &Want, segment: Segment<'a>, text: &'a str) -> Cow<'a, str> {
    if want.form == Form::Text || facts.is_plain() {
        return Cow::Borrowed(text);
    }
    let is_counted = want.field == "SUMME" && plan::is_counted(facts.idoc.value(segment, "SUMID"));
    let number = match want.form {
        Form::Amount | Form::Price if !is_counted => facts.amount(text, want.form),
        _ => facts.number(text).map(|number| if facts.is_negative() { number.abs() } else { number }),
    };
    // What is no number stays as it stands, and the rulebook says so.
    number.map_or(Cow::Borrowed(text), |number| Cow::Owned(value::plain(number)))
}

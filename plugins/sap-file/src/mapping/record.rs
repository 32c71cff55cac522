//! An `IDoc` as a record: the value of every field that the mapping reads, found in one walk.

use std::borrow::Cow;

use einvoice_core::mapping::Record;

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
    plan: &'f Plan,
    head: Vec<Option<Value<'a>>>,
    lines: Vec<Vec<Option<Value<'a>>>>,
}

impl<'f, 'a> IdocRecord<'f, 'a> {
    pub(crate) fn new(facts: &Facts<'a>, plan: &'f Plan, settings: &Settings) -> Self {
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
        for (derived, slot) in &plan.derived {
            if let Some(slot) = record.head.get_mut(*slot) {
                *slot = derive::of_head(*derived, facts, settings);
            }
        }
        for item in &facts.items {
            let mut line = vec![None; plan.width()];
            for segment in &item.segments {
                fill(facts, plan, *segment, &mut line);
            }
            for (derived, slot) in &plan.derived {
                if let Some(slot) = line.get_mut(*slot) {
                    *slot = derive::of_item(*derived, facts, item);
                }
            }
            record.lines.push(line);
        }
        record
    }

    fn find(&self, line: Option<usize>, name: &str) -> Option<&Value<'a>> {
        let slot = self.plan.slot(name)?;
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
        self.find(line, name).map(|value| Cow::Borrowed(&*value.text))
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        match self.find(line, name).and_then(|value| value.at) {
            // What is derived does not say itself which segment it comes from.
            Some((segment, line)) if name.starts_with('@') => format!("{name} of {segment}, line {line}"),
            Some((_, line)) => format!("{name}, line {line}"),
            None => name.to_owned(),
        }
    }
}

fn fill<'a>(facts: &Facts<'a>, plan: &Plan, segment: Segment<'a>, values: &mut [Option<Value<'a>>]) {
    for want in plan.wanted(segment.name) {
        let Some(slot) = values.get_mut(want.slot).filter(|slot| slot.is_none()) else { continue };
        let is_meant =
            want.qualifier.as_ref().is_none_or(|qualifier| qualifier.admits(|by| facts.idoc.value(segment, by)));
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

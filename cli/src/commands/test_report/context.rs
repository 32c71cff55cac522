//! What is known only in a run: whose account it is, the day, who is sold to; and the words that stand for it.

use std::collections::BTreeMap;

use einvoice_core::date::DocumentDate;
use einvoice_core::identifier::Gstin;
use einvoice_core::masters::{Kind, Masters};
use jiff::civil::Date;
use serde_json::Value;

use super::case::{Case, Need};
use crate::error::CliError;

/// What stands for an IRN that nobody has registered is made of this number.
const NOBODY: &str = "NOT-REGISTERED";

/// A taxpayer with a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) gstin: Gstin,
    /// Two digits.
    pub(super) state: String,
    /// A PIN code of the state.
    pub(super) pin: u32,
}

impl Party {
    /// A taxpayer somewhere in the state of its GSTIN.
    ///
    /// # Errors
    /// [`CliError::Usage`] when its state has no PIN code.
    pub(super) fn of(gstin: Gstin, today: Date) -> Result<Self, CliError> {
        let state = gstin.as_str().get(..2).unwrap_or_default().to_owned();
        let masters = Masters::builtin().on(today);
        let code = state.parse().ok();
        let pin = masters.all(Kind::Pin).into_iter().filter_map(|found| found.code.parse::<u32>().ok());
        let lies_there = |pin: &u32| {
            let mut states = masters.pin(*pin).states().iter();
            states.next() == code && states.next().is_none() && code.is_some()
        };
        let pin = pin.clone().find(lies_there).ok_or_else(|| {
            CliError::Usage(format!("no PIN code is known in state {state} of {gstin}; name a GSTIN of another state"))
        })?;
        Ok(Self { gstin, state, pin })
    }
}

/// What the requests of a run are made of.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// What every document number of the run begins with.
    pub(super) run: String,
    /// The day in India: the date of new documents. A run may go on over midnight.
    pub(super) today: Date,
    /// The date of the document that the case at hand is about.
    pub(super) about: Option<Date>,
    pub(super) own: Party,
    pub(super) buyer: Party,
    pub(super) sez: Option<Party>,
    /// A taxpayer whose registration has ended.
    pub(super) inactive: Option<Party>,
    /// An IRN of ours whose days of grace are over.
    pub(super) old_irn: Option<String>,
    /// The site that the route leads to.
    pub(super) site: String,
    /// Cases that the route cannot carry, each with the reason.
    pub(super) left_out: BTreeMap<String, String>,
}

impl Context {
    /// Whether a case is asked for. One that needs what only a person can name, and that stands beside the fifty, is not
    /// until that is named.
    pub(super) const fn offers(&self, case: &Case) -> bool {
        match case.needs {
            Some(Need::InactiveBuyer) => self.inactive.is_some(),
            Some(Need::OldIrn) => self.old_irn.is_some(),
            Some(Need::SezBuyer) | None => true,
        }
    }

    /// The number of a case's document: at most 16 characters, not beginning with a nought. One that was made anew has a
    /// number of its own.
    pub(super) fn number(&self, case: &str, turn: u32) -> String {
        let place = case.rsplit('-').next().unwrap_or_default();
        // Challans have numbers apart from those of invoices.
        let mark = if case.starts_with("IRN-") { "" } else { "B" };
        let turn = if turn == 0 { String::new() } else { format!("R{turn}") };
        format!("{}/{mark}{place}{turn}", self.run)
    }

    /// The IRN of a document of ours that is registered nowhere.
    pub(super) fn unregistered(&self, serial: u32) -> String {
        use einvoice_core::identifier::DocumentNumber;
        use einvoice_core::irn::{Irn, IrnRule};
        use einvoice_core::key::{DocumentKey, DocumentType};
        let date = DocumentDate::from(self.today);
        let number = DocumentNumber::parse(&format!("{NOBODY}{serial}"));
        let irn = number.ok().map(|number| {
            let key = DocumentKey {
                supplier: self.own.gstin,
                year: date.financial_year(),
                doc_type: DocumentType::Invoice,
                number,
            };
            Irn::compute(&key, IrnRule::UpperCase).to_string()
        });
        irn.unwrap_or_default()
    }

    /// The place of supply between states: the buyer's state, or another one where that is our own.
    pub(super) fn other_state(&self) -> &str {
        match (self.buyer.state == self.own.state, self.own.state.as_str()) {
            (false, _) => &self.buyer.state,
            (true, "27") => "29",
            (true, _) => "27",
        }
    }

    /// A day as the portal writes it, some days from today.
    pub(super) fn day(&self, days: i32) -> String {
        written(self.today, days)
    }

    /// A text with every word in braces replaced by what it stands for.
    pub(super) fn text(&self, text: &str) -> String {
        let mut made = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            made.push_str(before);
            rest = after;
            if let Some((value, after)) =
                after.split_once('}').and_then(|(word, after)| Some((self.word(word)?, after)))
            {
                made.push_str(&value);
                rest = after;
            } else {
                made.push('{');
            }
        }
        made + rest
    }

    /// What a word stands for.
    fn word(&self, word: &str) -> Option<String> {
        let days = |text: &str| text.parse().ok().map(|days| self.day(days));
        Some(match word {
            "own" => self.own.gstin.to_string(),
            "own_state" => self.own.state.clone(),
            "buyer" => self.buyer.gstin.to_string(),
            "buyer_state" => self.buyer.state.clone(),
            "other_state" => self.other_state().to_owned(),
            "sez" => self.sez.as_ref()?.gstin.to_string(),
            "inactive" => self.inactive.as_ref()?.gstin.to_string(),
            "inactive_state" => self.inactive.as_ref()?.state.clone(),
            "old_irn" => self.old_irn.clone()?,
            "own_pan" => self.own.gstin.as_str().get(2..12)?.to_owned(),
            "run" => self.run.clone(),
            "other_site" => if self.site == "NIC2" { "NIC1" } else { "NIC2" }.to_owned(),
            "today" => self.day(0),
            // The day before that of the document in question, which may have been registered before midnight.
            "eve" => written(self.about.unwrap_or(self.today), -1),
            word => return word.strip_prefix("day").and_then(days),
        })
    }

    /// A value with the words in its texts replaced. A text that is one of the words for a PIN code or the
    /// number of a state becomes that number.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text == "{own_pin}" => self.own.pin.into(),
            Value::String(text) if text == "{buyer_pin}" => self.buyer.pin.into(),
            Value::String(text) if text == "{inactive_pin}" => self.inactive.as_ref().map(|party| party.pin).into(),
            Value::String(text) if text == "{own_state_number}" => state_number(&self.own.state),
            Value::String(text) if text == "{buyer_state_number}" => state_number(&self.buyer.state),
            Value::String(text) => self.text(text).into(),
            Value::Array(entries) => entries.iter().map(|entry| self.value(entry)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// Changes a document. A pointer into a section that is not there makes the section.
    pub(super) fn edit(&self, document: &mut Value, edits: &[super::case::Edit]) {
        for (pointer, value) in edits {
            set(document, pointer, self.value(value));
        }
    }
}

/// A day some days from another, as the portal writes it.
fn written(day: Date, days: i32) -> String {
    DocumentDate::from(day.checked_add(jiff::Span::new().days(days)).unwrap_or(day)).to_string()
}

/// A state as the e-way bill system writes it.
fn state_number(state: &str) -> Value {
    state.parse::<u8>().unwrap_or_default().into()
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        *document = value;
        return;
    };
    if !parent.is_empty() && document.pointer(parent).is_none() && !value.is_null() {
        set(document, parent, Value::Object(serde_json::Map::new()));
    }
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) if value.is_null() => drop(members.remove(name)),
        Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value)),
        Some(Value::Array(entries)) => match name.parse().ok().and_then(|index: usize| entries.get_mut(index)) {
            Some(entry) => *entry = value,
            None => entries.push(value),
        },
        _ => {}
    }
}

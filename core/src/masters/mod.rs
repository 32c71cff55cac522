//! The lists of codes the portal takes: states, units, countries, currencies, ports, PINs, HSN codes, rates.
//!
//! The lists are compiled in and dated ([`DATED`]). The portal's own change over time, so an installation can add a
//! code, or withdraw one, by [`Change`]s that name days and a reason. A look-up is always of a day:
//!
//! ```
//! use einvoice_core::masters::{HsnLists, Masters};
//! use jiff::civil::date;
//! let masters = Masters::builtin().on(date(2026, 11, 22));
//! assert_eq!(masters.unit("kgs").listed().unwrap().name, "KILOGRAMS");
//! assert_eq!(masters.hsn("8471".parse()?).listed().unwrap().lists, HsnLists::Both);
//! assert!(masters.pin(560_001).states().contains("29".parse()?));
//! # Ok::<(), einvoice_core::identifier::IdentifierError>(())
//! ```
//!
//! Origin of each list: `core/data/masters/README.md`. What they cost in bytes and time:
//! [`guide::measurements`](crate::guide::measurements).

mod change;
mod entry;
mod search;
mod tables;

use std::sync::Arc;

use jiff::civil::Date;

pub use change::{Action, Change, ChangeError, MAX_CHANGES};
pub use entry::{
    Hsn, HsnLists, Kind, Lookup, Named, PinStates, PinVerdict, PlaceOfSupply, RateSpan, State, Withdrawal,
};
pub use search::Found;

use crate::identifier::{HsnCode, StateCode};
use crate::number::Rate;
use change::{Changes, Key};
use tables::FoundPin;

/// The day of the lists that the others are compared with: the portal's lists as republished on 22 October 2024.
/// Rates are of November 2026.
pub const DATED: Date = jiff::civil::date(2024, 10, 22);

/// All masters: the lists compiled in, and the changes an installation makes to them.
///
/// A clone shares the changes and costs next to nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masters {
    changes: Option<Arc<Changes>>,
}

static BUILTIN: Masters = Masters { changes: None };

impl Masters {
    /// The lists as they were compiled in.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The compiled lists with these changes, and no others. Changes of one code must not hold on the same day.
    ///
    /// # Errors
    /// The first change that cannot be taken, and why: a malformed code, days in the wrong order, two changes of a
    /// code on one day, a withdrawal of a code that is not listed.
    pub fn with(&self, changes: impl IntoIterator<Item = Change>) -> Result<Self, ChangeError> {
        let changes = Changes::new(changes)?;
        Ok(Self { changes: (changes != Changes::default()).then(|| Arc::new(changes)) })
    }

    /// The masters of a day. For most questions that is the day of reporting.
    #[must_use]
    pub const fn on(&self, day: Date) -> MastersOn<'_> {
        MastersOn { masters: self, day }
    }
}

/// The masters of one day.
#[derive(Debug, Clone, Copy)]
pub struct MastersOn<'a> {
    masters: &'a Masters,
    day: Date,
}

impl<'a> MastersOn<'a> {
    /// The day.
    #[must_use]
    pub const fn day(self) -> Date {
        self.day
    }

    /// A state. Whether it may be a place of supply is a question of its own ([`State::place_of_supply`]).
    #[must_use]
    pub fn state(self, code: StateCode) -> Lookup<'a, State<'a>> {
        self.changed(Kind::State, Key::number(code.number()), |change| state_of(code, change))
            .unwrap_or_else(|| Lookup::from_option(tables::find_state(code)))
    }

    /// A unit quantity code, in any case.
    #[must_use]
    pub fn unit(self, code: &str) -> Lookup<'a, Named<'a>> {
        self.named(Kind::Uqc, code)
    }

    /// A country, in any case.
    #[must_use]
    pub fn country(self, code: &str) -> Lookup<'a, Named<'a>> {
        self.named(Kind::Country, code)
    }

    /// A currency, in any case.
    #[must_use]
    pub fn currency(self, code: &str) -> Lookup<'a, Named<'a>> {
        self.named(Kind::Currency, code)
    }

    /// A port, in any case.
    #[must_use]
    pub fn port(self, code: &str) -> Lookup<'a, Named<'a>> {
        self.named(Kind::Port, code)
    }

    /// An HSN or service accounting code.
    #[must_use]
    pub fn hsn(self, code: HsnCode) -> Lookup<'a, Hsn<'a>> {
        let added = |change| Hsn { code, lists: HsnLists::Both, change: Some(change) };
        self.changed(Kind::Hsn, Key::hsn(code), added).unwrap_or_else(|| {
            Lookup::from_option(tables::find_hsn(code).map(|lists| Hsn { code, lists, change: None }))
        })
    }

    /// A PIN code.
    #[must_use]
    pub fn pin(self, pin: u32) -> PinVerdict<'a> {
        match self.changed(Kind::Pin, Key::number(pin), Change::states) {
            Some(Lookup::Listed(states)) => return PinVerdict::States(states),
            Some(Lookup::Withdrawn(withdrawal)) => return PinVerdict::Withdrawn(withdrawal),
            Some(Lookup::Unlisted) | None => {}
        }
        match tables::find_pin(pin) {
            Some(FoundPin::Pin(states)) => PinVerdict::States(states),
            Some(FoundPin::Prefix(states)) => PinVerdict::Prefix(states),
            None => PinVerdict::Unknown,
        }
    }

    /// A tax rate: IGST, or CGST and SGST together. One that ended as a general rate is listed with its last day;
    /// one that the portal no longer takes is withdrawn.
    #[must_use]
    pub fn rate(self, rate: Rate) -> Lookup<'a, RateSpan<'a>> {
        let key = u128::try_from(rate.thousandths()).map(Key::number);
        let changed = key.ok().and_then(|key| self.changed(Kind::Rate, key, |change| rate_of(rate, change)));
        changed.unwrap_or_else(|| match tables::find_rate(rate) {
            Some(RateSpan { accepted: false, remark, .. }) => {
                Lookup::Withdrawn(Withdrawal { reason: remark, from: None, until: None })
            }
            found => Lookup::from_option(found),
        })
    }

    /// The rates that the portal takes, in rising order.
    pub fn rates(self) -> impl Iterator<Item = RateSpan<'a>> {
        let builtin = tables::rates().iter().map(|span| span.rate);
        let changes = self.masters.changes.as_ref();
        let added = changes.into_iter().flat_map(move |changes| changes.all(Kind::Rate, self.day));
        let mut rates: Vec<Rate> = builtin.chain(added.filter_map(|change| Rate::parse(change.code()).ok())).collect();
        rates.sort_unstable();
        rates.dedup();
        rates.into_iter().filter_map(move |rate| self.rate(rate).listed())
    }

    /// The short name of a code's heading, where it has one, else of its chapter. Names are ours, to recognise a
    /// code by; the law's descriptions are longer and decide.
    #[must_use]
    pub fn hsn_name(self, code: HsnCode) -> Option<&'static str> {
        let heading = tables::HEADING_TABLE.find(&format!("{:04}", code.heading()));
        let name = heading.or_else(|| tables::CHAPTER_TABLE.find(&format!("{:02}", code.chapter())));
        name.map(|(_, name)| name)
    }

    /// The change that decides about a code on the day, whether it lists or withdraws the code.
    #[must_use]
    pub fn change(self, kind: Kind, code: &str) -> Option<&'a Change> {
        self.decided_by(kind, Key::parse(kind, code)?.0)
    }

    fn decided_by(self, kind: Kind, key: Key) -> Option<&'a Change> {
        self.masters.changes.as_ref()?.of(kind, key, self.day)
    }

    /// What the changes say about a code, if they say anything.
    fn changed<T>(self, kind: Kind, key: Key, added: impl FnOnce(&'a Change) -> T) -> Option<Lookup<'a, T>> {
        let change = self.decided_by(kind, key)?;
        Some(match change.action() {
            Action::Add => Lookup::Listed(added(change)),
            Action::Remove => Lookup::Withdrawn(Withdrawal {
                reason: change.reason(),
                from: change.first_day(),
                until: change.last_day(),
            }),
        })
    }

    fn named(self, kind: Kind, code: &str) -> Lookup<'a, Named<'a>> {
        let changed = Key::text(code).and_then(|key| self.changed(kind, key, named_of));
        changed.unwrap_or_else(|| {
            let found = builtin_named(kind, code).map(|(code, name)| Named { code, name, change: None });
            Lookup::from_option(found)
        })
    }

    /// Whether the compiled list of a master has a code, whatever the changes say.
    fn lists_builtin(kind: Kind, code: &str) -> bool {
        match kind {
            Kind::State => StateCode::parse(code).is_ok_and(|code| tables::find_state(code).is_some()),
            Kind::Uqc | Kind::Country | Kind::Currency | Kind::Port => builtin_named(kind, code).is_some(),
            Kind::Pin => code.parse().is_ok_and(|pin| matches!(tables::find_pin(pin), Some(FoundPin::Pin(_)))),
            Kind::Hsn => HsnCode::parse(code).is_ok_and(|code| tables::find_hsn(code).is_some()),
            Kind::Rate => Rate::parse(code).is_ok_and(|rate| tables::find_rate(rate).is_some()),
        }
    }
}

fn builtin_named(kind: Kind, code: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Uqc => tables::UNIT_TABLE.find(code),
        Kind::Country => tables::COUNTRY_TABLE.find(code),
        Kind::Currency => tables::CURRENCY_TABLE.find(code),
        Kind::Port => tables::PORT_TABLE.find(code),
        Kind::State | Kind::Pin | Kind::Hsn | Kind::Rate => None,
    }
}

fn state_of(code: StateCode, change: &Change) -> State<'_> {
    let listed = tables::find_state(code);
    State {
        code,
        name: name_of(change),
        place_of_supply: change.place_of_supply(),
        gstin_prefix: listed.is_none_or(|state| state.gstin_prefix),
        utgst: listed.is_some_and(|state| state.utgst),
        remark: change.reason(),
        change: Some(change),
    }
}

fn named_of(change: &Change) -> Named<'_> {
    Named { code: change.code(), name: name_of(change), change: Some(change) }
}

/// The name of an added code: its own, or the one that the compiled list has for it.
fn name_of(change: &Change) -> &str {
    if !change.name().is_empty() {
        return change.name();
    }
    let listed = match change.kind() {
        Kind::State => StateCode::parse(change.code()).ok().and_then(tables::find_state).map(|state| state.name),
        kind => builtin_named(kind, change.code()).map(|(_, name)| name),
    };
    listed.unwrap_or_default()
}

fn rate_of(rate: Rate, change: &Change) -> RateSpan<'_> {
    RateSpan {
        rate,
        from: change.first_day(),
        until: change.last_day(),
        accepted: true,
        remark: change.reason(),
        change: Some(change),
    }
}

#[cfg(test)]
mod tests;

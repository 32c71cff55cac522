//! Changes to the lists that the program was built with: a code added yesterday, one withdrawn from tomorrow.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::entry::{Kind, PinStates, PlaceOfSupply};
use super::{MastersOn, tables};
use crate::identifier::{HsnCode, StateCode};
use crate::number::Rate;

/// Most changes one program takes: a list that differs more is out of date as a whole.
pub const MAX_CHANGES: usize = 10_000;

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: a list gains a code or loses one")]
pub enum Action {
    /// The code is listed.
    Add,
    /// The code is withdrawn.
    Remove,
}

/// One change: a code is listed, or withdrawn, from a day until a day, for a reason.
///
/// ```
/// use einvoice_core::masters::{Change, Kind, Masters};
/// use jiff::civil::date;
/// let change = Change::add(Kind::Hsn, "84719999", "on the portal's list since 1 November").from(date(2026, 11, 1));
/// let masters = Masters::builtin().with([change])?;
/// let code = "84719999".parse().unwrap();
/// assert!(masters.on(date(2026, 11, 1)).hsn(code).is_listed());
/// assert!(!masters.on(date(2026, 10, 31)).hsn(code).is_listed());
/// # Ok::<(), einvoice_core::masters::ChangeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    action: Action,
    kind: Kind,
    code: String,
    name: Option<String>,
    states: Vec<StateCode>,
    place_of_supply: Option<PlaceOfSupply>,
    from: Option<Date>,
    until: Option<Date>,
    reason: String,
}

impl Change {
    /// A code to list.
    #[must_use]
    pub fn add(kind: Kind, code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Action::Add, kind, code.into(), reason.into())
    }

    /// A code to withdraw.
    #[must_use]
    pub fn remove(kind: Kind, code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Action::Remove, kind, code.into(), reason.into())
    }

    fn new(action: Action, kind: Kind, code: String, reason: String) -> Self {
        Self {
            action,
            kind,
            code,
            name: None,
            states: Vec::new(),
            place_of_supply: None,
            from: None,
            until: None,
            reason,
        }
    }

    /// Gives an added code its name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says in which states an added PIN lies; at most [`PinStates::MAX`].
    #[must_use]
    pub fn in_states(mut self, states: impl IntoIterator<Item = StateCode>) -> Self {
        self.states = states.into_iter().collect();
        self
    }

    /// Says whether an added state may be a place of supply; without it, it may. What else is known about a state that
    /// the list has already stays as it is.
    #[must_use]
    pub fn with_place_of_supply(mut self, place_of_supply: PlaceOfSupply) -> Self {
        self.place_of_supply = Some(place_of_supply);
        self
    }

    /// Sets the first day; without it the change has held always.
    #[must_use]
    pub const fn from(mut self, day: Date) -> Self {
        self.from = Some(day);
        self
    }

    /// Sets the last day; without it the change has no end.
    #[must_use]
    pub const fn until(mut self, day: Date) -> Self {
        self.until = Some(day);
        self
    }

    /// Whether the code is listed or withdrawn.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The master it changes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The code, as the master spells it.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The name; empty where none is given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The states of an added PIN.
    #[must_use]
    pub fn states(&self) -> PinStates {
        PinStates::new(self.states.iter().copied())
    }

    /// Whether an added state may be a place of supply.
    #[must_use]
    pub fn place_of_supply(&self) -> PlaceOfSupply {
        self.place_of_supply.unwrap_or(PlaceOfSupply::Yes)
    }

    /// First day.
    #[must_use]
    pub const fn first_day(&self) -> Option<Date> {
        self.from
    }

    /// Last day.
    #[must_use]
    pub const fn last_day(&self) -> Option<Date> {
        self.until
    }

    /// Why, in the words of whoever made it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let before = |first: &Self, second: &Self| match (first.until, second.from) {
            (Some(until), Some(from)) => until < from,
            _ => false,
        };
        !before(self, other) && !before(other, self)
    }

    /// Puts the code into the master's spelling and gives its key.
    fn settle(&mut self) -> Result<Key, String> {
        let (key, code) = Key::parse(self.kind, &self.code)
            .ok_or_else(|| format!("`{}` is no {} code: expected {}", self.code, self.kind, self.kind.form()))?;
        self.code = code;
        if self.reason.trim().is_empty() {
            return Err("give a reason: it is shown where the change decides".to_owned());
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until < from
        {
            return Err(format!("it ends on {until}, before it begins on {from}"));
        }
        let adds = self.action == Action::Add;
        if self.name.is_some() && !adds {
            return Err("only a code that is added has a name".to_owned());
        }
        if self.place_of_supply.is_some() && !(adds && self.kind == Kind::State) {
            return Err("only a state that is added says whether it may be a place of supply".to_owned());
        }
        let mut seen = Vec::new();
        for state in &self.states {
            if seen.contains(state) {
                return Err(format!("it names state {state} twice"));
            }
            seen.push(*state);
        }
        let wants_states = adds && self.kind == Kind::Pin;
        match self.states.len() {
            0 if wants_states => Err("say in which states the PIN lies, as in states = [\"29\"]".to_owned()),
            1..=PinStates::MAX if wants_states => Ok(key),
            0 => Ok(key),
            _ if wants_states => Err(format!("a PIN lies in at most {} states", PinStates::MAX)),
            _ => Err("only a PIN that is added has states".to_owned()),
        }
    }
}

/// A code in a form that compares quickly: its number, or its characters in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    pub(super) fn number(number: impl Into<u128>) -> Self {
        Self(number.into())
    }

    pub(super) fn hsn(code: HsnCode) -> Self {
        Self((u128::from(code.digits()) << 32) + u128::from(code.number()))
    }

    /// Nothing for a text that is longer than any code, or has the sign that fills short ones up.
    pub(super) fn text(code: &str) -> Option<Self> {
        if code.contains('\0') {
            return None;
        }
        let mut bytes = [0; 16];
        bytes.get_mut(..code.len())?.copy_from_slice(code.as_bytes());
        bytes.make_ascii_uppercase();
        Some(Self(u128::from_be_bytes(bytes)))
    }

    /// Key and spelling of a code; nothing when it does not have the form of its master.
    pub(super) fn parse(kind: Kind, code: &str) -> Option<(Self, String)> {
        let text = |lengths: std::ops::RangeInclusive<usize>, fits: fn(&u8) -> bool| {
            let formed = lengths.contains(&code.len()) && code.as_bytes().iter().all(fits);
            Some((Self::text(code).filter(|_| formed)?, code.to_ascii_uppercase()))
        };
        match kind {
            Kind::State => {
                let state = StateCode::parse(code).ok()?;
                Some((Self::number(state.number()), state.to_string()))
            }
            Kind::Uqc => text(3..=8, u8::is_ascii_alphabetic),
            Kind::Country => text(2..=2, u8::is_ascii_alphabetic),
            Kind::Currency => text(3..=16, u8::is_ascii_alphabetic),
            Kind::Port => text(2..=10, u8::is_ascii_alphanumeric),
            Kind::Pin => {
                let formed = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
                let pin: u32 = code.parse().ok().filter(|pin| formed && *pin >= 100_000)?;
                Some((Self::number(pin), code.to_owned()))
            }
            Kind::Hsn => {
                let code = HsnCode::parse(code).ok()?;
                Some((Self::hsn(code), code.to_string()))
            }
            Kind::Rate => {
                let rate = Rate::parse(code).ok()?;
                let key = u32::try_from(rate.thousandths()).ok().filter(|rate| *rate < 1_000_000)?;
                Some((Self::number(key), rate.to_string()))
            }
        }
    }
}

/// Why a list of changes cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} {} {code}: {reason}", kind.as_str())]
pub struct ChangeError {
    action: &'static str,
    kind: Kind,
    code: String,
    reason: String,
    index: usize,
}

impl ChangeError {
    fn new(index: usize, change: &Change, reason: impl Into<String>) -> Self {
        let action = match change.action {
            Action::Add => "add",
            Action::Remove => "remove",
        };
        Self { action, kind: change.kind, code: change.code.clone(), reason: reason.into(), index }
    }

    /// Position of the change in the list that was given, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }
}

/// All changes, found by master and code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    by_code: BTreeMap<(Kind, Key), Vec<Change>>,
}

impl Changes {
    pub(super) fn new(changes: impl IntoIterator<Item = Change>) -> Result<Self, ChangeError> {
        let mut all = Self::default();
        let mut order = Vec::new();
        for (index, mut change) in changes.into_iter().enumerate() {
            let key = change.settle().map_err(|reason| ChangeError::new(index, &change, reason))?;
            if index >= MAX_CHANGES {
                return Err(ChangeError::new(index, &change, format!("there are more than {MAX_CHANGES} changes")));
            }
            let same = all.by_code.entry((change.kind, key)).or_default();
            if same.iter().any(|other| other.overlaps(&change)) {
                let reason =
                    "another change of the same code holds on the same days; give each its own `from` and `until`";
                return Err(ChangeError::new(index, &change, reason));
            }
            order.push((index, change.clone()));
            same.push(change);
        }
        for (index, change) in order {
            all.fits(&change).map_err(|reason| ChangeError::new(index, &change, reason))?;
        }
        Ok(all)
    }

    /// Checks what needs all changes to be known: a withdrawn code has been listed, a PIN's states exist.
    fn fits(&self, change: &Change) -> Result<(), String> {
        let unknown = |state: &&StateCode| {
            tables::find_state(**state).is_none() && !self.adds(Kind::State, Key::number(state.number()))
        };
        if let Some(state) = change.states.iter().find(unknown) {
            return Err(format!("there is no state {state}"));
        }
        let listed = change.action == Action::Add
            || MastersOn::lists_builtin(change.kind, &change.code)
            || Key::parse(change.kind, &change.code).is_some_and(|(key, _)| self.adds(change.kind, key));
        if listed { Ok(()) } else { Err("it is not in the list, so it cannot be withdrawn".to_owned()) }
    }

    fn adds(&self, kind: Kind, key: Key) -> bool {
        self.by_code.get(&(kind, key)).is_some_and(|same| same.iter().any(|change| change.action == Action::Add))
    }

    /// The change that decides about a code on a day.
    pub(super) fn of(&self, kind: Kind, key: Key, day: Date) -> Option<&Change> {
        self.by_code.get(&(kind, key))?.iter().find(|change| change.holds_on(day))
    }

    /// All changes of a master that hold on a day.
    pub(super) fn all(&self, kind: Kind, day: Date) -> impl Iterator<Item = &Change> {
        let of_kind = self.by_code.iter().filter(move |((other, _), _)| *other == kind);
        of_kind.flat_map(|(_, same)| same).filter(move |change| change.holds_on(day))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::masters::{HsnLists, Lookup, Masters, PinVerdict};

    const TODAY: Date = date(2026, 11, 22);

    fn with(change: Change) -> Masters {
        Masters::builtin().with([change]).unwrap()
    }

    fn error(changes: impl IntoIterator<Item = Change>) -> (usize, String) {
        let error = Masters::builtin().with(changes).unwrap_err();
        (error.index(), error.to_string())
    }

    #[test]
    fn an_added_code_is_listed_from_its_first_day_to_its_last() {
        let change = Change::add(Kind::Uqc, "via", "added").named("VIALS").from(TODAY).until(date(2026, 12, 31));
        let masters = with(change);
        let listed = |day| masters.on(day).unit("Via").is_listed();
        assert!(!listed(date(2026, 11, 21)) && listed(TODAY));
        assert!(listed(date(2026, 12, 31)) && !listed(date(2027, 1, 1)));
        let unit = masters.on(TODAY).unit("via").listed().unwrap();
        assert_eq!((unit.code, unit.name, unit.change.unwrap().reason()), ("VIA", "VIALS", "added"));
    }

    #[test]
    fn a_removed_code_is_withdrawn_with_the_reason_and_the_rest_stays() {
        let masters = with(Change::remove(Kind::Hsn, "84713010", "merged").from(TODAY));
        let code = "84713010".parse().unwrap();
        let withdrawal = masters.on(TODAY).hsn(code).withdrawal().unwrap();
        assert_eq!((withdrawal.reason, withdrawal.from, withdrawal.until), ("merged", Some(TODAY), None));
        assert!(masters.on(date(2026, 11, 21)).hsn(code).is_listed());
        assert!(masters.on(TODAY).hsn("84713090".parse().unwrap()).is_listed());
        assert!(Masters::builtin().on(TODAY).hsn(code).is_listed());
    }

    #[test]
    fn every_master_takes_an_addition_and_a_removal() {
        let day = TODAY;
        let karnataka = "29".parse().unwrap();
        let add = |kind, code: &str| with(Change::add(kind, code, "why").named("New"));
        let remove = |kind, code: &str| with(Change::remove(kind, code, "why"));
        let code = |text: &str| text.parse().unwrap();
        assert!(add(Kind::State, "39").on(day).state(code("39")).is_listed());
        assert!(remove(Kind::State, "4").on(day).state(code("04")).withdrawal().is_some());
        assert!(add(Kind::Country, "xk").on(day).country("XK").is_listed());
        assert!(remove(Kind::Country, "IN").on(day).country("in").withdrawal().is_some());
        assert!(add(Kind::Currency, "XXZ").on(day).currency("xxz").is_listed());
        assert!(remove(Kind::Currency, "USD").on(day).currency("USD").withdrawal().is_some());
        assert!(add(Kind::Port, "INZZZ9").on(day).port("inzzz9").is_listed());
        assert!(remove(Kind::Port, "INMAA1").on(day).port("INMAA1").withdrawal().is_some());
        assert!(add(Kind::Hsn, "9955").on(day).hsn("9955".parse().unwrap()).is_listed());
        let rate = "2.5".parse().unwrap();
        assert!(add(Kind::Rate, "2.50").on(day).rate(rate).is_listed());
        assert!(add(Kind::Rate, "2.50").on(day).rates().any(|span| span.rate == rate));
        assert!(remove(Kind::Rate, "28").on(day).rate("28".parse().unwrap()).withdrawal().is_some());
        let pin = with(Change::add(Kind::Pin, "999001", "why").in_states([karnataka]));
        assert!(pin.on(day).pin(999_001).states().contains(karnataka));
        assert_eq!(pin.on(day).pin(999_002), PinVerdict::Unknown);
        let pin = remove(Kind::Pin, "560001");
        assert!(matches!(pin.on(day).pin(560_001), PinVerdict::Withdrawn(withdrawal) if withdrawal.reason == "why"));
    }

    #[test]
    fn a_listed_code_that_is_added_again_keeps_what_the_change_does_not_say() {
        let masters = Masters::builtin().with([
            Change::add(Kind::State, "25", "taken again"),
            Change::add(Kind::State, "97", "why").named("Elsewhere"),
            Change::add(Kind::Uqc, "KGS", "why"),
        ]);
        let masters = masters.unwrap();
        let state = |code: &str| masters.on(TODAY).state(code.parse().unwrap()).listed().unwrap();
        let builtin = |code: &str| Masters::builtin().on(TODAY).state(code.parse().unwrap()).listed().unwrap();
        for code in ["25", "97"] {
            let (now, before) = (state(code), builtin(code));
            assert_eq!((now.utgst, now.gstin_prefix), (before.utgst, before.gstin_prefix), "{code}");
            assert_eq!(now.place_of_supply, PlaceOfSupply::Yes, "{code}");
        }
        assert_eq!((state("25").name, state("97").name), (builtin("25").name, "Elsewhere"));
        assert_eq!(masters.on(TODAY).unit("KGS").listed().unwrap().name, "KILOGRAMS");
        let found = masters.on(TODAY).search("kgs", Some(Kind::Uqc));
        assert_eq!(found.first().unwrap().name, "KILOGRAMS");
    }

    #[test]
    fn a_code_with_a_null_character_behind_it_is_another_text() {
        let masters = with(Change::add(Kind::Uqc, "VIA", "why"));
        assert_eq!(masters.on(TODAY).unit("VIA\0"), Lookup::Unlisted);
        assert!(masters.on(TODAY).unit("VIA").is_listed());
    }

    #[test]
    fn a_code_of_four_digits_is_not_one_of_eight_with_noughts_before_it() {
        let masters = with(Change::add(Kind::Hsn, "00007777", "why"));
        assert_eq!(masters.on(TODAY).hsn("7777".parse().unwrap()), Lookup::Unlisted);
    }

    #[test]
    fn a_refused_code_that_is_added_counts_as_taken() {
        let masters = with(Change::add(Kind::Hsn, "521211", "the portal takes it"));
        let lists = masters.on(TODAY).hsn("521211".parse().unwrap()).listed().unwrap().lists;
        assert_eq!(lists, HsnLists::Both);
    }

    #[test]
    fn no_changes_are_the_compiled_lists() {
        assert_eq!(&Masters::builtin().with([]).unwrap(), Masters::builtin());
    }

    #[test]
    fn a_change_that_cannot_be_taken_is_named_with_its_place_and_the_cause() {
        let good = || Change::add(Kind::Uqc, "VIA", "new");
        for (bad, text) in [
            (Change::add(Kind::Hsn, "84713", "x"), "add hsn 84713: `84713` is no hsn code: expected 4, 6 or 8 digits"),
            (Change::add(Kind::Uqc, "KG", "x"), "`KG` is no uqc code: expected 3 to 8 letters"),
            (Change::add(Kind::Pin, "056001", "x"), "expected 6 digits"),
            (Change::add(Kind::Rate, "-1", "x"), "expected a rate in per cent"),
            (Change::add(Kind::Port, "INMAA1", "x").in_states(["29".parse().unwrap()]), "only a PIN"),
            (Change::add(Kind::Pin, "560999", "x"), "say in which states"),
            (Change::add(Kind::Pin, "560999", "x").in_states(["55".parse().unwrap()]), "there is no state 55"),
            (
                Change::add(Kind::Pin, "560999", "x").in_states(["29", "29"].map(|code| code.parse().unwrap())),
                "names state 29 twice",
            ),
            (Change::add(Kind::Country, "XK", " "), "give a reason"),
            (Change::add(Kind::Country, "XK", "x").from(TODAY).until(date(2026, 11, 21)), "before it begins"),
            (Change::remove(Kind::Uqc, "ABC", "x"), "it is not in the list, so it cannot be withdrawn"),
            (Change::remove(Kind::Uqc, "KGS", "x").named("y"), "only a code that is added has a name"),
            (Change::add(Kind::Uqc, "via", "x").from(TODAY), "another change of the same code"),
            (Change::remove(Kind::Uqc, "VIA", "x"), "another change of the same code"),
        ] {
            let (index, message) = error([good(), bad]);
            assert_eq!(index, 1, "{message}");
            assert!(message.contains(text), "{message} has no {text}");
        }
    }

    #[test]
    fn changes_of_a_code_on_different_days_go_together() {
        let masters = Masters::builtin().with([
            Change::add(Kind::Uqc, "VIA", "tried").from(date(2026, 1, 1)).until(date(2026, 6, 30)),
            Change::remove(Kind::Uqc, "VIA", "dropped").from(date(2026, 7, 1)),
        ]);
        let masters = masters.unwrap();
        assert!(masters.on(date(2026, 6, 30)).unit("VIA").is_listed());
        assert_eq!(masters.on(date(2026, 7, 1)).unit("VIA").withdrawal().unwrap().reason, "dropped");
        assert_eq!(masters.on(date(2025, 12, 31)).unit("VIA"), Lookup::Unlisted);
    }
}

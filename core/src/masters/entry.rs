//! What a look-up gives: states, units, codes, PINs and rates, each with the change that made it, if one did.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::change::{Change, Key};
use crate::identifier::{HsnCode, StateCode};
use crate::number::Rate;

/// The masters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// State codes.
    State,
    /// Unit quantity codes.
    Uqc,
    /// Country codes.
    Country,
    /// Currency codes.
    Currency,
    /// Port codes.
    Port,
    /// PIN codes.
    Pin,
    /// HSN and service accounting codes.
    Hsn,
    /// Tax rates.
    Rate,
}

impl Kind {
    /// Every master, in the order in which a search shows them.
    pub const ALL: [Self; 8] =
        [Self::State, Self::Uqc, Self::Country, Self::Currency, Self::Port, Self::Pin, Self::Hsn, Self::Rate];

    /// The name on the command line, in JSON and in override files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Uqc => "uqc",
            Self::Country => "country",
            Self::Currency => "currency",
            Self::Port => "port",
            Self::Pin => "pin",
            Self::Hsn => "hsn",
            Self::Rate => "rate",
        }
    }

    /// The form its codes have, for people.
    #[must_use]
    pub const fn form(self) -> &'static str {
        match self {
            Self::State => "one or two digits, not zero",
            Self::Uqc => "3 to 8 letters",
            Self::Country => "2 letters",
            Self::Currency => "3 to 16 letters",
            Self::Port => "2 to 10 letters and digits",
            Self::Pin => "6 digits, the first not zero",
            Self::Hsn => "4, 6 or 8 digits, not all zero",
            Self::Rate => "a rate in per cent below 1000, with at most three decimals",
        }
    }

    /// A code in the spelling of the master: capitals, two digits for a state, no needless noughts in a rate.
    /// Nothing for a text that does not have the form.
    #[must_use]
    pub fn spell(self, code: &str) -> Option<String> {
        Key::parse(self, code).map(|(_, code)| code)
    }

    /// The master of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a master says about a code on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup<'a, T> {
    /// It is listed.
    Listed(T),
    /// It was listed, and the portal no longer takes it.
    Withdrawn(Withdrawal<'a>),
    /// It is not in the list.
    Unlisted,
}

impl<'a, T> Lookup<'a, T> {
    /// What is listed.
    #[must_use]
    pub fn listed(self) -> Option<T> {
        match self {
            Self::Listed(entry) => Some(entry),
            Self::Withdrawn(_) | Self::Unlisted => None,
        }
    }

    /// True for a listed code.
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }

    /// Why a code is no longer taken.
    #[must_use]
    pub const fn withdrawal(&self) -> Option<Withdrawal<'a>> {
        match self {
            Self::Withdrawn(withdrawal) => Some(*withdrawal),
            Self::Listed(_) | Self::Unlisted => None,
        }
    }

    pub(super) fn from_option(entry: Option<T>) -> Self {
        entry.map_or(Self::Unlisted, Self::Listed)
    }
}

/// Why a code that was listed is no longer taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Withdrawal<'a> {
    /// Reason, in words: of the list itself or of the override.
    pub reason: &'a str,
    /// First day of the withdrawal, where it is known.
    pub from: Option<Date>,
    /// Last day of the withdrawal; nothing while it has no end.
    pub until: Option<Date>,
}

/// Whether a state code may be a place of supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "complete: it may be one, may not, or may for exports")]
pub enum PlaceOfSupply {
    /// It may.
    Yes,
    /// It may not: withdrawn, or no territory.
    No,
    /// For exports only (code 96).
    ExportsOnly,
}

/// A state or union territory, or a code that stands for neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct State<'a> {
    /// Its code.
    pub code: StateCode,
    /// Its name.
    pub name: &'a str,
    /// Whether it may be a place of supply.
    pub place_of_supply: PlaceOfSupply,
    /// Whether GSTINs begin with it.
    pub gstin_prefix: bool,
    /// Whether the state's part of the tax is UTGST.
    pub utgst: bool,
    /// What is special about it; empty for most.
    pub remark: &'a str,
    /// The override it comes from.
    pub change: Option<&'a Change>,
}

/// A code with a name: unit, country, currency, port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named<'a> {
    /// Its code, in capitals.
    pub code: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The override it comes from.
    pub change: Option<&'a Change>,
}

/// Which lists have an HSN code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HsnLists {
    /// The e-invoice portal's list, as republished, and the GST portal's.
    Both,
    /// The GST portal's list only. Most of these are headings of six digits, and the e-invoice portal may refuse one.
    GstOnly,
    /// The GST portal's list only, and the e-invoice portal has refused it.
    Refused,
}

/// An HSN or service accounting code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hsn<'a> {
    /// The code.
    pub code: HsnCode,
    /// Which lists have it; [`HsnLists::Both`] where an override adds it.
    pub lists: HsnLists,
    /// The override it comes from.
    pub change: Option<&'a Change>,
}

/// A tax rate and the days on which it held in general.
///
/// The days are advisory: a rate that ended as a general rate may live on for some goods, and credit and debit notes
/// carry the rate of the supply they correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateSpan<'a> {
    /// IGST rate, or CGST and SGST together.
    pub rate: Rate,
    /// First day.
    pub from: Option<Date>,
    /// Last day; nothing while it has no end.
    pub until: Option<Date>,
    /// Whether the portal takes it at all.
    pub accepted: bool,
    /// What it is for.
    pub remark: &'a str,
    /// The override it comes from.
    pub change: Option<&'a Change>,
}

impl RateSpan<'_> {
    /// True when the rate held in general on this day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// What is known about a PIN code.
///
/// PIN 999999 (recipient of an export, Other Territory) is no PIN of the directory and is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinVerdict<'a> {
    /// The directory has it, in these states.
    States(PinStates),
    /// The directory lacks it, and other PINs with the same first three digits lie in these states. The portal
    /// takes such a PIN for any of them.
    Prefix(PinStates),
    /// An override withdraws it.
    Withdrawn(Withdrawal<'a>),
    /// No PIN with these first three digits is known.
    Unknown,
}

impl PinVerdict<'_> {
    /// The states the PIN can lie in, the likeliest first; empty when nothing is known.
    #[must_use]
    pub fn states(&self) -> PinStates {
        match self {
            Self::States(states) | Self::Prefix(states) => *states,
            Self::Withdrawn(_) | Self::Unknown => PinStates::default(),
        }
    }
}

/// One to three states, the one with most PINs first.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PinStates([Option<StateCode>; 3]);

impl PinStates {
    /// Most states one PIN, or three digits, can have.
    pub const MAX: usize = 3;

    /// The first three of these states.
    #[must_use]
    pub fn new(states: impl IntoIterator<Item = StateCode>) -> Self {
        let mut states = states.into_iter();
        Self([states.next(), states.next(), states.next()])
    }

    /// True when this state is among them.
    #[must_use]
    pub fn contains(self, state: StateCode) -> bool {
        self.0.contains(&Some(state))
    }

    /// The states.
    pub fn iter(self) -> impl Iterator<Item = StateCode> {
        self.0.into_iter().flatten()
    }
}

impl fmt::Debug for PinStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

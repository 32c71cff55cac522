//! One value of a document: absent, a value of its type, or the text that would not become one.
//!
//! A malformed value is kept as it stood, never lost and never guessed at, so that the check can show it beside
//! everything else that is wrong.

use std::fmt;
use std::ops::Deref;

use crate::date::DocumentDate;
use crate::identifier::{DocumentNumber, Gstin, HsnCode, StateCode};
use crate::key::DocumentType;
use crate::number::{Amount, NumberError, Quantity, Rate, UnitPrice, Whole};
use crate::spelling;

use super::member::Kind;
use super::writer;

/// A member's value as the source has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a member is absent, readable or not; there is no fourth way")]
pub enum Field<T> {
    /// Not given, or `null`.
    #[default]
    Absent,
    /// Read.
    Value(T),
    /// Given, but not of the type; the text as it stood in the source.
    Malformed(Box<str>),
}

impl<T> Field<T> {
    /// The value, when it was read.
    #[must_use]
    pub const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// True when nothing was given.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The text as it stood, when it was not of the type.
    #[must_use]
    pub fn malformed(&self) -> Option<&str> {
        match self {
            Self::Malformed(text) => Some(text),
            Self::Absent | Self::Value(_) => None,
        }
    }

    /// A value, or absent.
    #[must_use]
    pub fn from_option(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

impl<T: Copy> Field<T> {
    /// The value by copy, when it was read.
    #[must_use]
    pub const fn get(&self) -> Option<T> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }
}

impl<T: Leaf> Field<T> {
    /// What a mapper makes of a cell, column or element: the value, or the text kept as malformed; an empty or
    /// blank text is absent. Numbers follow JSON syntax, dates `DD/MM/YYYY` or `DD-MM-YYYY`.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let trimmed = spelling::trimmed(text);
        if trimmed.is_empty() {
            return Self::Absent;
        }
        match T::parse(trimmed).or_else(|()| T::repair(trimmed).ok_or(())) {
            Ok(value) => Self::Value(value),
            Err(()) => Self::Malformed(text.into()),
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Field<Text> {
    fn from(text: &str) -> Self {
        Self::Value(text.into())
    }
}

impl From<String> for Field<Text> {
    fn from(text: String) -> Self {
        Self::Value(text.into())
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A type a member can have. The set is that of the government's forms and closed: their schemas decide it.
pub trait Leaf: sealed::Sealed + Sized {
    /// Whether JSON has it as a string or a number.
    #[doc(hidden)]
    const KIND: Kind;
    /// Whether the system takes it as a string and as a number alike, whichever of the two is written.
    #[doc(hidden)]
    const EITHER: bool = false;
    /// Decimal places of a number.
    #[doc(hidden)]
    const PLACES: Option<u32> = None;
    /// The number of so many units of its last decimal place.
    #[doc(hidden)]
    #[must_use]
    fn of_units(_units: i64) -> Option<Self> {
        None
    }
    /// Reads the resolved string, or the digits of the number.
    #[doc(hidden)]
    #[expect(clippy::result_unit_err, reason = "the member's form says what is wrong; see the schema rules")]
    fn parse(text: &str) -> Result<Self, ()>;
    /// Reads a deviating spelling whose meaning is plain.
    #[doc(hidden)]
    #[must_use]
    fn repair(_text: &str) -> Option<Self> {
        None
    }
    /// Appends the JSON value.
    #[doc(hidden)]
    fn write(&self, out: &mut Vec<u8>);
    /// What the value is judged by beyond its type.
    #[doc(hidden)]
    fn facet(&self) -> Facet<'_>;
    /// Same meaning, though perhaps written differently.
    #[doc(hidden)]
    fn same(&self, other: &Self) -> bool;
    /// The value for a person.
    #[doc(hidden)]
    fn show(&self) -> String;
}

/// What a read value is still checked for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Facet<'a> {
    /// Complete by construction.
    Done,
    /// Length and pattern.
    Text(&'a str),
    /// Range, in units of the last decimal place.
    Number(i64),
    /// Range of years.
    Date(DocumentDate),
    /// `N`, which means the same as nothing.
    No,
}

impl Facet<'_> {
    /// True for values that mean the same as an absent member: nought and `N`.
    pub(crate) const fn is_neutral(&self) -> bool {
        matches!(self, Self::Number(0) | Self::No)
    }
}

/// Text of a document: any characters, judged by the member's length and pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Box<str>);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_boxed_str())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A yes-or-no member, `Y` or `N` in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the portal knows Y and N")]
pub enum YesNo {
    /// `Y`.
    Yes,
    /// `N`.
    No,
}

impl From<bool> for YesNo {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl fmt::Display for YesNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Yes { "Y" } else { "N" })
    }
}

/// Kind of supply; the set is complete by the schema (INV-01 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the schema names six kinds; every rule must decide on each")]
pub enum SupplyType {
    /// Business to business, `B2B`.
    B2b,
    /// To an SEZ with payment of tax, `SEZWP`.
    SezWithPayment,
    /// To an SEZ without payment of tax, `SEZWOP`.
    SezWithoutPayment,
    /// Export with payment of tax, `EXPWP`.
    ExportWithPayment,
    /// Export without payment of tax, `EXPWOP`.
    ExportWithoutPayment,
    /// Deemed export, `DEXP`.
    DeemedExport,
}

impl SupplyType {
    /// All of them, in the schema's order.
    pub const ALL: [Self; 6] = [
        Self::B2b,
        Self::SezWithPayment,
        Self::SezWithoutPayment,
        Self::ExportWithPayment,
        Self::ExportWithoutPayment,
        Self::DeemedExport,
    ];

    /// The portal's word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::B2b => "B2B",
            Self::SezWithPayment => "SEZWP",
            Self::SezWithoutPayment => "SEZWOP",
            Self::ExportWithPayment => "EXPWP",
            Self::ExportWithoutPayment => "EXPWOP",
            Self::DeemedExport => "DEXP",
        }
    }

    /// True for EXPWP and EXPWOP.
    #[must_use]
    pub const fn is_export(self) -> bool {
        matches!(self, Self::ExportWithPayment | Self::ExportWithoutPayment)
    }

    /// True for SEZWP and SEZWOP.
    #[must_use]
    pub const fn is_sez(self) -> bool {
        matches!(self, Self::SezWithPayment | Self::SezWithoutPayment)
    }

    /// True where no tax need be charged though a rate is stated: EXPWOP and SEZWOP.
    #[must_use]
    pub const fn is_without_payment(self) -> bool {
        matches!(self, Self::ExportWithoutPayment | Self::SezWithoutPayment)
    }
}

impl fmt::Display for SupplyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A party that may have no GSTIN: a registered person, or `URP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a party has a GSTIN or is URP")]
pub enum PartyGstin {
    /// Registered.
    Registered(Gstin),
    /// `URP`, unregistered: recipients of exports, some consignees.
    Unregistered,
}

impl PartyGstin {
    /// The GSTIN of a registered party.
    #[must_use]
    pub const fn gstin(self) -> Option<Gstin> {
        match self {
            Self::Registered(gstin) => Some(gstin),
            Self::Unregistered => None,
        }
    }
}

impl From<Gstin> for Field<PartyGstin> {
    fn from(gstin: Gstin) -> Self {
        Self::Value(PartyGstin::Registered(gstin))
    }
}

impl fmt::Display for PartyGstin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(gstin) => gstin.fmt(f),
            Self::Unregistered => f.pad("URP"),
        }
    }
}

impl sealed::Sealed for Text {}
impl Leaf for Text {
    const KIND: Kind = Kind::Text;

    fn parse(text: &str) -> Result<Self, ()> {
        Ok(text.into())
    }

    fn write(&self, out: &mut Vec<u8>) {
        writer::string(self, out);
    }

    fn facet(&self) -> Facet<'_> {
        Facet::Text(self)
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! number_leaf {
    ($($name:ident $units:ident $from:ident),*) => {$(
        impl sealed::Sealed for $name {}
        impl Leaf for $name {
            const KIND: Kind = Kind::Number;
            const PLACES: Option<u32> = Some(Self::DECIMALS);

            fn of_units(units: i64) -> Option<Self> {
                Some(Self::$from(units))
            }

            fn parse(text: &str) -> Result<Self, ()> {
                $name::parse(text).map_err(|_: NumberError| ())
            }

            fn write(&self, out: &mut Vec<u8>) {
                $name::write(*self, out);
            }

            fn facet(&self) -> Facet<'_> {
                Facet::Number(self.$units())
            }

            fn same(&self, other: &Self) -> bool {
                self == other
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

number_leaf!(
    Amount paise from_paise,
    Quantity thousandths from_thousandths,
    UnitPrice thousandths from_thousandths,
    Rate thousandths from_thousandths,
    Whole units from_units
);

/// A leaf written as its `Display` in quotes, by hand because `fmt` costs ten times as much; none of them holds a
/// character that JSON escapes.
macro_rules! word_leaf {
    ($name:ident, |$text:ident| $parse:expr, $repair:expr, |$value:ident| $facet:expr, |$word:ident| $written:expr) => {
        impl sealed::Sealed for $name {}
        impl Leaf for $name {
            const KIND: Kind = Kind::Text;

            fn parse($text: &str) -> Result<Self, ()> {
                $parse
            }

            fn repair(text: &str) -> Option<Self> {
                let repair: fn(&str) -> Option<Self> = $repair;
                repair(text)
            }

            fn write(&self, out: &mut Vec<u8>) {
                let $word = self;
                writer::word($written.as_ref(), out);
            }

            fn facet(&self) -> Facet<'_> {
                let $value = self;
                $facet
            }

            fn same(&self, other: &Self) -> bool {
                self == other
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    };
}

word_leaf!(Gstin, |text| Self::parse(text).map_err(|_| ()), |_| None, |_value| Facet::Done, |gstin| gstin.as_str());
word_leaf!(StateCode, |text| Self::parse(text).map_err(|_| ()), |_| None, |_value| Facet::Done, |state| state
    .characters());
word_leaf!(HsnCode, |text| Self::parse(text).map_err(|_| ()), |_| None, |_value| Facet::Done, |code| code
    .characters()
    .get(8 - usize::from(code.digits())..)
    .unwrap_or_default());
word_leaf!(DocumentNumber, |text| Self::parse(text).map_err(|_| ()), |_| None, |_value| Facet::Done, |number| number
    .as_str());
word_leaf!(DocumentType, |text| Self::parse(text).ok_or(()), |_| None, |_value| Facet::Done, |typ| typ.code());
word_leaf!(
    SupplyType,
    |text| Self::ALL.into_iter().find(|kind| kind.code().eq_ignore_ascii_case(text)).ok_or(()),
    |_| None,
    |_value| Facet::Done,
    |kind| kind.code()
);
word_leaf!(
    YesNo,
    |text| match text {
        "Y" => Ok(Self::Yes),
        "N" => Ok(Self::No),
        _ => Err(()),
    },
    |_| None,
    |value| if *value == Self::No { Facet::No } else { Facet::Done },
    |value| if *value == Self::Yes { "Y" } else { "N" }
);
word_leaf!(
    PartyGstin,
    |text| if text == "URP" {
        Ok(Self::Unregistered)
    } else {
        Gstin::parse(text).map(Self::Registered).map_err(|_| ())
    },
    // The 2026 FAQ on the ship-to field calls URP case-insensitive; the schema has capitals, which are sent.
    |text| text.eq_ignore_ascii_case("URP").then_some(Self::Unregistered),
    |_value| Facet::Done,
    |party| match party {
        Self::Registered(gstin) => gstin.as_str(),
        Self::Unregistered => "URP",
    }
);
word_leaf!(
    DocumentDate,
    |text| Self::parse(text).map_err(|_| ()),
    |text| Self::parse_separated(text, b'-').ok(),
    |value| Facet::Date(*value),
    |date| date.characters()
);

//! The values of the form that INV-01 does not have: code lists, and numbers that the system takes as text too.
//!
//! The e-way bill system's own pages and the programs that use it disagree on which codes are strings and which are
//! numbers, and it takes both (NIC, e-way bill API 1.03; public client code). So both are read without remark, and one
//! of the two is written: the one that its table of fields names.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{TransMode, VehicleType, coded};
use crate::document::field::sealed::Sealed;
use crate::document::{Facet, Kind, Leaf, writer};
use crate::identifier::{HsnCode, StateCode};

coded!(
    /// Which way the goods go, seen from the caller (`supplyType`).
    Direction, "direction of supply" {
        /// Away from the caller, who is the supplier.
        Outward = "O", "outward";
        /// To the caller, who is the recipient.
        Inward = "I", "inward";
    }
);

coded!(
    /// Why goods move (`subSupplyType`).
    SubSupply, "kind of movement" {
        /// A supply.
        Supply = "1", "supply";
        /// Import.
        Import = "2", "import";
        /// Export.
        Export = "3", "export";
        /// To a job worker.
        JobWork = "4", "job_work";
        /// For own use.
        OwnUse = "5", "own_use";
        /// Back from a job worker.
        JobWorkReturns = "6", "job_work_returns";
        /// Return of goods sold.
        SalesReturn = "7", "sales_return";
        /// Anything else; it is described.
        Others = "8", "others";
        /// In knocked-down condition or in lots.
        KnockedDown = "9", "knocked_down";
        /// Line sales.
        LineSales = "10", "line_sales";
        /// The recipient is not known yet.
        RecipientNotKnown = "11", "recipient_not_known";
        /// To an exhibition or fair.
        Exhibition = "12", "exhibition";
    }
);

coded!(
    /// Kind of document that goes with the goods (`docType`).
    EwbDocumentType, "kind of document" {
        /// Tax invoice.
        Invoice = "INV", "invoice";
        /// Bill of supply.
        BillOfSupply = "BIL", "bill_of_supply";
        /// Bill of entry.
        BillOfEntry = "BOE", "bill_of_entry";
        /// Delivery challan.
        Challan = "CHL", "challan";
        /// Another one.
        Others = "OTH", "others";
    }
);

coded!(
    /// Whether goods leave from, or go to, another place than the parties' own (`transactionType`).
    TransactionType, "kind of transaction" {
        /// From the supplier to the recipient.
        Regular = "1", "regular";
        /// Billed to one, shipped to another.
        BillToShipTo = "2", "bill_to_ship_to";
        /// Billed from one, dispatched from another.
        BillFromDispatchFrom = "3", "bill_from_dispatch_from";
        /// Both.
        Combination = "4", "combination";
    }
);

impl TransactionType {
    /// The kind that goes with a place of dispatch and a ship-to place of their own.
    #[must_use]
    pub const fn of(has_dispatch: bool, has_ship_to: bool) -> Self {
        match (has_dispatch, has_ship_to) {
            (false, false) => Self::Regular,
            (false, true) => Self::BillToShipTo,
            (true, false) => Self::BillFromDispatchFrom,
            (true, true) => Self::Combination,
        }
    }

    /// True where the goods go to another party's place.
    #[must_use]
    pub const fn has_ship_to(self) -> bool {
        matches!(self, Self::BillToShipTo | Self::Combination)
    }

    /// True where the goods leave from another party's place.
    #[must_use]
    pub const fn has_dispatch(self) -> bool {
        matches!(self, Self::BillFromDispatchFrom | Self::Combination)
    }
}

/// A state by its number: a GST state code, or 99 for another country, which is 96 in INV-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EwbStateCode(StateCode);

impl EwbStateCode {
    /// Another country.
    pub const OTHER_COUNTRY: u8 = 99;

    /// The state of a number from 1 to 99.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match StateCode::from_number(number) {
            Some(code) => Some(Self(code)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0.number()
    }

    /// True for 99.
    #[must_use]
    pub const fn is_abroad(self) -> bool {
        self.number() == Self::OTHER_COUNTRY
    }

    /// The code in INV-01 and in the masters.
    #[must_use]
    pub const fn code(self) -> StateCode {
        if self.is_abroad() { StateCode::OTHER_COUNTRY } else { self.0 }
    }
}

impl From<StateCode> for EwbStateCode {
    fn from(code: StateCode) -> Self {
        let abroad = if code == StateCode::OTHER_COUNTRY { Self::from_number(Self::OTHER_COUNTRY) } else { None };
        abroad.unwrap_or(Self(code))
    }
}

impl fmt::Display for EwbStateCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// Kilometres; 0 asks the system to compute them from the PIN codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number is all there is")]
pub struct Kilometres(pub u32);

impl fmt::Display for Kilometres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An HSN code as the system has it: a number, which drops the zero that codes of chapters 01 to 09 begin with.
///
/// Read from a number, such a code gets its zero back: 4, 6 and 8 digits are codes, 3, 5 and 7 lack the zero. Written,
/// it is a number unless that would lose the zero; then it is a string, which the system takes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EwbHsn(HsnCode);

impl EwbHsn {
    /// The code.
    #[must_use]
    pub const fn code(self) -> HsnCode {
        self.0
    }
}

impl From<HsnCode> for EwbHsn {
    fn from(code: HsnCode) -> Self {
        Self(code)
    }
}

impl fmt::Display for EwbHsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a value is written.
macro_rules! written {
    (text, $text:expr, $out:expr) => {
        writer::word($text.as_bytes(), $out)
    };
    (number, $text:expr, $out:expr) => {
        $out.extend_from_slice($text.as_bytes())
    };
}

macro_rules! leaf {
    ($name:ident $kind:ident $how:ident, |$text:ident| $parse:expr, |$value:ident| $shown:expr) => {
        impl Sealed for $name {}
        impl Leaf for $name {
            const KIND: Kind = Kind::$kind;
            const EITHER: bool = true;

            fn parse($text: &str) -> Result<Self, ()> {
                $parse.ok_or(())
            }

            // Replies pad codes with blanks (`"1  "`).
            fn repair(text: &str) -> Option<Self> {
                <Self as Leaf>::parse(&text.trim().to_ascii_uppercase()).ok()
            }

            fn write(&self, out: &mut Vec<u8>) {
                let $value = self;
                written!($how, $shown, out);
            }

            fn facet(&self) -> Facet<'_> {
                Facet::Done
            }

            fn same(&self, other: &Self) -> bool {
                self == other
            }

            fn show(&self) -> String {
                let $value = self;
                $shown.to_string()
            }
        }
    };
}

macro_rules! coded_leaf {
    ($($name:ident $kind:ident $how:ident;)+) => {$(
        leaf!(
            $name $kind $how,
            |text| Self::ALL.iter().copied().find(|value| value.code() == text),
            |value| value.code()
        );
    )+};
}

coded_leaf!(
    Direction Text text;
    SubSupply Text text;
    EwbDocumentType Text text;
    TransactionType Number number;
    TransMode Number number;
    VehicleType Text text;
);

leaf!(
    EwbStateCode Number number,
    |text| StateCode::parse(text).ok().map(Self),
    |state| state.to_string()
);
leaf!(
    Kilometres Number number,
    |text| whole(text).map(Kilometres),
    |distance| distance.to_string()
);

/// Digits alone, or digits with noughts behind the point, as some replies have them.
fn whole(text: &str) -> Option<u32> {
    let digits = text
        .split_once('.')
        .map_or(text, |(digits, rest)| if rest.bytes().all(|byte| byte == b'0') { digits } else { "" });
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl Sealed for EwbHsn {}
impl Leaf for EwbHsn {
    const KIND: Kind = Kind::Number;
    const EITHER: bool = true;

    fn parse(text: &str) -> Result<Self, ()> {
        let padded = if matches!(text.len(), 3 | 5 | 7) { format!("0{text}") } else { text.to_owned() };
        HsnCode::parse(&padded).map(Self).map_err(|_| ())
    }

    fn repair(text: &str) -> Option<Self> {
        <Self as Leaf>::parse(text.trim()).ok()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let text = self.0.to_string();
        if text.starts_with('0') { writer::word(text.as_bytes(), out) } else { out.extend_from_slice(text.as_bytes()) }
    }

    fn facet(&self) -> Facet<'_> {
        Facet::Done
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

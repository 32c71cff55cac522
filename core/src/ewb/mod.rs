//! E-way bills: the words of the e-way bill system, its requests, and what is known of a bill.
//!
//! The e-way bill system (EWB) is a second government system beside the IRP, with logins, keys and codes of
//! its own (NIC, e-way bill API 1.03). A bill is born in one of two ways: with or from an IRN, through the
//! IRP, or directly in the EWB system for goods that have no IRN. Part A says what is moved, from whom to
//! whom; Part B says by which vehicle or transport document. Without Part B a bill has no validity.
//!
//! - [`EwbNumber`], [`TransMode`], [`CancelReason`] and their like: the vocabulary, parsed once;
//! - [`request`]: one struct for each thing that can be asked of either system;
//! - [`document`]: the whole request for a bill without an IRN, and its rules;
//! - [`Standing`]: what is known of one bill, as the ledger keeps it;
//! - [`validity`]: until when a bill is good; [`window`]: until when each step may be taken.

mod by_irn;
pub mod document;
pub mod request;
mod standing;
pub mod validity;
pub mod window;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::identifier::IdentifierError;

pub use standing::{Birth, EwbDocument, Movement, Standing};

macro_rules! digits {
    ($(#[$meta:meta])* $name:ident, $count:literal, $what:literal, $expected:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            #[doc = concat!("Reads ", $expected, "; blanks between groups of digits are passed over.")]
            ///
            /// # Errors
            /// When the text has another form.
            pub fn parse(text: &str) -> Result<Self, IdentifierError> {
                let error = IdentifierError::new($what, $expected);
                let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
                if plain.len() != $count || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(error);
                }
                plain.parse().map(Self).map_err(|_| error)
            }

            /// The number, as requests carry it.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{:0width$}", self.0, width = $count))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, IdentifierError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

digits!(
    /// Number of an e-way bill: twelve digits. Kept as text in JSON, as some programs cut long numbers.
    EwbNumber,
    12,
    "number of an e-way bill",
    "12 digits"
);
digits!(
    /// Number of a consolidated e-way bill (trip sheet): ten digits.
    TripSheetNumber,
    10,
    "trip sheet number",
    "10 digits"
);

macro_rules! coded {
    (
        $(#[$meta:meta])*
        $name:ident, $what:literal {
            $($(#[$doc:meta])* $variant:ident = $code:literal, $word:literal;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[expect(clippy::exhaustive_enums, reason = "complete by the portal's code list")]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of the portal's list.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The portal's code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The word for it on the command line and in files.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            #[doc = concat!("Reads the portal's code or the word of a ", $what, ", in any case.")]
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let text = text.trim();
                Self::ALL.iter().copied().find(|value| {
                    value.code().eq_ignore_ascii_case(text) || value.word().eq_ignore_ascii_case(text)
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

use coded;

coded!(
    /// How goods travel (`TransMode`, `transMode`).
    TransMode, "mode of transport" {
        /// By road.
        Road = "1", "road";
        /// By rail.
        Rail = "2", "rail";
        /// By air.
        Air = "3", "air";
        /// By ship.
        Ship = "4", "ship";
        /// Lying in transit; for an extension only.
        InTransit = "5", "in_transit";
    }
);

coded!(
    /// Kind of vehicle (`VehType`, `vehicleType`).
    VehicleType, "kind of vehicle" {
        /// Regular.
        Regular = "R", "regular";
        /// Over-dimensional cargo: a day of validity for each 20 km instead of 200.
        OverDimensional = "O", "over_dimensional";
    }
);

coded!(
    /// Why Part B changes (`reasonCode` of `VEHEWB`).
    PartBReason, "reason for a new Part B" {
        /// The vehicle broke down.
        Breakdown = "1", "breakdown";
        /// The goods were moved over to another vehicle.
        Transshipment = "2", "transshipment";
        /// Something else; a remark says what.
        Others = "3", "others";
        /// There was no Part B before.
        FirstTime = "4", "first_time";
    }
);

coded!(
    /// Why the validity is extended (`extnRsnCode`).
    ExtensionReason, "reason for an extension" {
        /// Natural calamity.
        NaturalCalamity = "1", "natural_calamity";
        /// Law and order.
        LawAndOrder = "2", "law_and_order";
        /// Transshipment.
        Transshipment = "4", "transshipment";
        /// Accident.
        Accident = "5", "accident";
        /// Something else; a remark says what.
        Others = "99", "others";
    }
);

coded!(
    /// Where the goods are when the validity is extended (`consignmentStatus`).
    ConsignmentStatus, "whereabouts of goods" {
        /// On the way, in a vehicle.
        InMovement = "M", "in_movement";
        /// Lying somewhere on the way.
        InTransit = "T", "in_transit";
    }
);

coded!(
    /// Where goods in transit lie (`transitType`).
    TransitType, "place in transit" {
        /// On the road.
        Road = "R", "road";
        /// In a warehouse.
        Warehouse = "W", "warehouse";
        /// Elsewhere.
        Others = "O", "others";
    }
);

/// Why an IRN or an e-way bill is cancelled.
///
/// The two systems number the same four reasons differently: 2 and 3 are swapped. So there is no number here,
/// only [`CancelReason::irn_code`] and [`CancelReason::ewb_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "complete by the code lists of both systems")]
pub enum CancelReason {
    /// It was entered twice.
    Duplicate,
    /// Something in it is wrong.
    DataEntryMistake,
    /// The order was cancelled.
    OrderCancelled,
    /// Something else; a remark says what.
    Others,
}

impl CancelReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Duplicate, Self::DataEntryMistake, Self::OrderCancelled, Self::Others];

    /// `CnlRsn` of the IRP: 1 duplicate, 2 data entry mistake, 3 order cancelled, 4 others.
    #[must_use]
    pub const fn irn_code(self) -> &'static str {
        match self {
            Self::Duplicate => "1",
            Self::DataEntryMistake => "2",
            Self::OrderCancelled => "3",
            Self::Others => "4",
        }
    }

    /// `cancelRsnCode` of the e-way bill system: 1 duplicate, 2 order cancelled, 3 data entry mistake, 4 others.
    #[must_use]
    pub const fn ewb_code(self) -> u8 {
        match self {
            Self::Duplicate => 1,
            Self::OrderCancelled => 2,
            Self::DataEntryMistake => 3,
            Self::Others => 4,
        }
    }

    /// The word for it on the command line and in files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::DataEntryMistake => "data_entry_mistake",
            Self::OrderCancelled => "order_cancelled",
            Self::Others => "others",
        }
    }

    /// Reads the word. A number is refused on purpose: 2 and 3 mean different things in the two systems.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace(['-', ' '], "_");
        Self::ALL.into_iter().find(|reason| reason.word().eq_ignore_ascii_case(&text))
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_cancelled_is_three_for_the_irp_and_two_for_the_e_way_bill_system() {
        assert_eq!((CancelReason::OrderCancelled.irn_code(), CancelReason::OrderCancelled.ewb_code()), ("3", 2));
        assert_eq!((CancelReason::DataEntryMistake.irn_code(), CancelReason::DataEntryMistake.ewb_code()), ("2", 3));
        assert_eq!(CancelReason::parse("2"), None, "the number alone does not say which system's it is");
        assert_eq!(CancelReason::parse("Order-Cancelled"), Some(CancelReason::OrderCancelled));
    }

    #[test]
    fn numbers_have_their_digits_and_nothing_else() {
        let number = EwbNumber::parse("3910 0914 9369").unwrap();
        assert_eq!((number.get(), number.to_string().as_str()), (391_009_149_369, "391009149369"));
        for wrong in ["", "39100914936", "3910091493690", "39100914936x", "-91009149369"] {
            assert!(EwbNumber::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(TripSheetNumber::parse("0123456789").unwrap().to_string(), "0123456789");
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"391009149369\"");
    }

    #[test]
    fn a_code_list_is_read_by_code_and_by_word() {
        assert_eq!(TransMode::parse("1"), Some(TransMode::Road));
        assert_eq!(TransMode::parse("SHIP"), Some(TransMode::Ship));
        assert_eq!(ExtensionReason::parse("99"), Some(ExtensionReason::Others));
        assert_eq!(VehicleType::parse("o"), Some(VehicleType::OverDimensional));
        assert_eq!(PartBReason::parse("7"), None);
    }
}

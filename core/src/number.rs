//! Exact fixed-point numbers of an e-invoice: amounts, quantities, prices, rates and whole numbers.
//!
//! INV-01 states every number with a fixed count of decimals (form of notification 60/2020, `Number(m,n)`):
//! two for amounts, three for quantities, unit prices and rates, none for PIN codes and distances. Each kind is
//! an integer count of its smallest unit, so that sums foot to the paisa and no binary fraction is near them.
//! The reader of [`document`](crate::document) makes these values; the [`rulebook`](crate::rulebook) computes
//! with them.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::str::FromStr;

use read::parse_scaled;
use write::{display_scaled, write_scaled};

pub(crate) use read::{fault, plain_number};
pub(crate) use write::{units_to_string, zero_filled};

/// Why a text is not a number of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The text does not follow the number syntax of JSON.
    #[error("not a number in JSON form (digits, one point, no thousands separators)")]
    NotANumber,
    /// A digit other than zero stands beyond the last decimal place the kind has.
    #[error("more than {allowed} decimals")]
    TooManyDecimals {
        /// Decimal places the kind has.
        allowed: u32,
    },
    /// The number is larger in magnitude than any the kind can hold.
    #[error("too large")]
    OutOfRange,
}

macro_rules! fixed_point {
    ($(#[$meta:meta])* $name:ident, $decimals:literal, $from:ident, $units:ident, $unit_name:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// Decimal places a value of this kind can have.
            pub const DECIMALS: u32 = $decimals;

            #[doc = concat!("The value of this many ", $unit_name, ".")]
            #[must_use]
            pub const fn $from(units: i64) -> Self {
                Self(units)
            }

            #[doc = concat!("The value as a count of ", $unit_name, ".")]
            #[must_use]
            pub const fn $units(self) -> i64 {
                self.0
            }

            /// Reads JSON number syntax exactly, exponents included; zeros beyond the last place are no decimals.
            ///
            /// # Errors
            /// When the text is no number, has more decimals than the kind, or does not fit.
            pub fn parse(text: &str) -> Result<Self, NumberError> {
                parse_scaled(text, Self::DECIMALS).map(Self)
            }

            /// True for nought.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// True below nought.
            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// Sum, or nothing when it does not fit.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// Difference, or nothing when it does not fit.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// The opposite value, or nothing when it does not fit.
            #[must_use]
            pub fn checked_neg(self) -> Option<Self> {
                self.0.checked_neg().map(Self)
            }

            /// The magnitude, or nothing when it does not fit.
            #[must_use]
            pub fn checked_abs(self) -> Option<Self> {
                self.0.checked_abs().map(Self)
            }

            /// Appends the shortest JSON number: no trailing zeros, no exponent.
            pub fn write(self, out: &mut Vec<u8>) {
                write_scaled(self.0, Self::DECIMALS, out);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                display_scaled(self.0, Self::DECIMALS, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))?;
                f.write_str("(")?;
                display_scaled(self.0, Self::DECIMALS, f)?;
                f.write_str(")")
            }
        }

        impl FromStr for $name {
            type Err = NumberError;

            fn from_str(text: &str) -> Result<Self, NumberError> {
                Self::parse(text)
            }
        }
    };
}

fixed_point!(
    /// Rupees, exact to the paisa.
    ///
    /// ```
    /// use einvoice_core::number::Amount;
    /// assert_eq!(Amount::parse("1.005e3"), Ok(Amount::from_paise(100_500)));
    /// assert_eq!(Amount::from_paise(10_050).to_string(), "100.5");
    /// assert!(Amount::parse("0.001").is_err());
    /// ```
    Amount, 2, from_paise, paise, "paise"
);
fixed_point!(
    /// A quantity with up to three decimals.
    Quantity, 3, from_thousandths, thousandths, "thousandths"
);
fixed_point!(
    /// A price per unit in rupees with up to three decimals.
    UnitPrice, 3, from_thousandths, thousandths, "thousandths of a rupee"
);
fixed_point!(
    /// A tax rate in per cent with up to three decimals.
    Rate, 3, from_thousandths, thousandths, "thousandths of a per cent"
);
fixed_point!(
    /// A number without decimals: PIN code, credit days, kilometres.
    Whole, 0, from_units, units, "units"
);

impl Rate {
    /// The rate applied to an amount, rounded half up to the paisa; nothing when it does not fit.
    #[must_use]
    pub fn of(self, amount: Amount) -> Option<Amount> {
        multiply_half_up(self.0, amount.0, 100_000).map(Amount)
    }

    /// Half the rate applied to an amount, as CGST and SGST each are; rounded half up to the paisa.
    #[must_use]
    pub fn half_of(self, amount: Amount) -> Option<Amount> {
        multiply_half_up(self.0, amount.0, 200_000).map(Amount)
    }
}

impl Quantity {
    /// Quantity times price, rounded half up to the paisa; nothing when it does not fit.
    #[must_use]
    pub fn times(self, price: UnitPrice) -> Option<Amount> {
        multiply_half_up(self.0, price.0, 10_000).map(Amount)
    }
}

impl Amount {
    /// Sum of many amounts, or nothing when it does not fit.
    #[must_use]
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

/// `left x right / divisor`, half away from zero: the portal's "half up" on amounts, which are never negative but
/// for rounding.
///
/// Products of real invoices fit 64 bits, where division by a constant is a multiplication; that of 128 bits is a
/// library routine of some hundred instructions.
#[inline]
fn multiply_half_up(left: i64, right: i64, divisor: i64) -> Option<i64> {
    let half = divisor / 2;
    let shifted = left
        .checked_mul(right)
        .and_then(|product| if product < 0 { product.checked_sub(half) } else { product.checked_add(half) });
    match shifted {
        Some(shifted) => Some(shifted / divisor),
        None => multiply_widely(left, right, divisor),
    }
}

#[cold]
fn multiply_widely(left: i64, right: i64, divisor: i64) -> Option<i64> {
    let (product, divisor) = (i128::from(left) * i128::from(right), i128::from(divisor));
    let half = divisor / 2;
    let shifted = if product < 0 { product.checked_sub(half)? } else { product.checked_add(half)? };
    i64::try_from(shifted / divisor).ok()
}

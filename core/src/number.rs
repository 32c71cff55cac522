//! Exact fixed-point numbers of an e-invoice: amounts, quantities, prices, rates and whole numbers.
//!
//! INV-01 states every number with a fixed count of decimals (form of notification 60/2020, `Number(m,n)`):
//! two for amounts, three for quantities, unit prices and rates, none for PIN codes and distances. Each kind is
//! an integer count of its smallest unit, so that sums foot to the paisa and no binary fraction is near them.
//! The reader of [`document`](crate::document) makes these values; the [`rulebook`](crate::rulebook) computes
//! with them.

use std::fmt;
use std::str::FromStr;

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

/// Most digits that are read without a check for overflow: any eighteen of them fit.
const PLAIN_DIGITS: usize = 18;

/// Reads the number a text begins with, when it is a plain one: no sign, no exponent, no more than `places`
/// decimals, not too many digits. Gives its value in units of the last place, and its length in bytes.
///
/// Nearly every number of nearly every invoice is plain, and so is read in one pass, without the care
/// [`parse_with_care`] takes of the others.
#[inline]
pub(crate) fn plain_number(bytes: &[u8], places: u32) -> Option<(i64, usize)> {
    let (whole, units) = plain_digits(bytes, 0);
    if whole == 0 || (whole > 1 && bytes.first() == Some(&b'0')) {
        return None;
    }
    let (units, decimals, length) = match bytes.get(whole) {
        Some(b'.') => {
            let (decimals, units) = plain_digits(bytes.get(whole + 1..)?, units);
            (units, decimals, whole + 1 + decimals)
        }
        _ => (units, 0, whole),
    };
    let spare = usize::try_from(places).ok()?.checked_sub(decimals)?;
    let ended = !matches!(bytes.get(length), Some(b'.' | b'e' | b'E'));
    if !ended || whole + decimals + spare > PLAIN_DIGITS || (decimals == 0 && length > whole) {
        return None;
    }
    let shift = [1, 10, 100, 1_000].get(spare)?;
    Some((i64::try_from(units * shift).ok()?, length))
}

/// Appends the digits a text begins with to a number; gives how many there are as well. Beyond
/// [`PLAIN_DIGITS`] the number is of no use.
#[inline]
fn plain_digits(bytes: &[u8], mut units: u64) -> (usize, u64) {
    let mut count = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        units = units.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (count, units)
}

/// What one pass over the digits finds: `mantissa x 10^zeros / 10^decimals`, the mantissa ending in no zero.
#[derive(Default)]
struct Digits {
    mantissa: u64,
    zeros: i64,
    decimals: i64,
    overflow: bool,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if digit == b'0' {
            self.zeros += i64::from(self.mantissa != 0);
            return;
        }
        let pushed = power_of_ten(self.zeros + 1)
            .and_then(|power| self.mantissa.checked_mul(power))
            .and_then(|value| value.checked_add(u64::from(digit - b'0')));
        match pushed {
            Some(value) => self.mantissa = value,
            None if self.mantissa == 0 => self.mantissa = u64::from(digit - b'0'),
            None => self.overflow = true,
        }
        self.zeros = 0;
    }
}

#[inline]
fn parse_scaled(text: &str, places: u32) -> Result<i64, NumberError> {
    match plain_number(text.as_bytes(), places) {
        Some((units, length)) if length == text.len() => Ok(units),
        _ => parse_with_care(text, places),
    }
}

fn parse_with_care(text: &str, places: u32) -> Result<i64, NumberError> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut digits = Digits::default();
    let (whole, rest) = split_digits(unsigned);
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return Err(NumberError::NotANumber);
    }
    for digit in whole {
        digits.push(*digit);
    }
    let rest = match rest {
        [b'.', after @ ..] => {
            let (fraction, rest) = split_digits(after);
            if fraction.is_empty() {
                return Err(NumberError::NotANumber);
            }
            for digit in fraction {
                digits.push(*digit);
            }
            digits.decimals = i64::try_from(fraction.len()).map_err(|_| NumberError::OutOfRange)?;
            rest
        }
        rest => rest,
    };
    let exponent = parse_exponent(rest)?;
    if digits.mantissa == 0 {
        return Ok(0);
    }
    let shift = (digits.zeros - digits.decimals).saturating_add(exponent).saturating_add(i64::from(places));
    if shift < 0 {
        return Err(NumberError::TooManyDecimals { allowed: places });
    }
    let magnitude = power_of_ten(shift)
        .filter(|_| !digits.overflow)
        .and_then(|power| power.checked_mul(digits.mantissa))
        .ok_or(NumberError::OutOfRange)?;
    let value = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { 0_i64.checked_add_unsigned(magnitude) };
    value.ok_or(NumberError::OutOfRange)
}

/// 10 to this power, where it fits: a look-up, which costs less than a power.
fn power_of_ten(exponent: i64) -> Option<u64> {
    const POWERS: [u64; 20] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
        1_000_000_000,
        10_000_000_000,
        100_000_000_000,
        1_000_000_000_000,
        10_000_000_000_000,
        100_000_000_000_000,
        1_000_000_000_000_000,
        10_000_000_000_000_000,
        100_000_000_000_000_000,
        1_000_000_000_000_000_000,
        10_000_000_000_000_000_000,
    ];
    usize::try_from(exponent).ok().and_then(|exponent| POWERS.get(exponent)).copied()
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

fn parse_exponent(bytes: &[u8]) -> Result<i64, NumberError> {
    let [b'e' | b'E', rest @ ..] = bytes else {
        return if bytes.is_empty() { Ok(0) } else { Err(NumberError::NotANumber) };
    };
    let (negative, unsigned) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let (figures, after) = split_digits(unsigned);
    if figures.is_empty() || !after.is_empty() {
        return Err(NumberError::NotANumber);
    }
    // Saturation is harmless: beyond a few thousand the number is out of range or has too many decimals.
    let magnitude = figures
        .iter()
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(1_000_000_000));
    Ok(if negative { -magnitude } else { magnitude })
}

#[inline]
fn split_scaled(units: i64, places: u32) -> (&'static str, u64, u64, usize) {
    let sign = if units < 0 { "-" } else { "" };
    let power = 10_u64.pow(places);
    let magnitude = units.unsigned_abs();
    let (whole, mut fraction) = (magnitude / power, magnitude % power);
    let mut width = usize::try_from(places).unwrap_or_default();
    while fraction != 0 && fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    (sign, whole, fraction, width)
}

fn display_scaled(units: i64, places: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (sign, whole, fraction, width) = split_scaled(units, places);
    if fraction == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction:0width$}") }
}

/// A count of smallest units as the number it stands for.
pub(crate) fn units_to_string(units: i64, places: u32) -> String {
    let mut out = Vec::new();
    write_scaled(units, places, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Why a text is no number of so many decimals; nothing when it is one.
pub(crate) fn fault(text: &str, places: u32) -> Option<NumberError> {
    parse_scaled(text, places).err()
}

/// Writes digits by hand, last one first: this is the hot path of the payload, and `fmt` costs several times as much.
#[inline]
fn write_scaled(units: i64, places: u32, out: &mut Vec<u8>) {
    let (mut rest, mut width) = (units.unsigned_abs(), places);
    while width > 0 && rest % 10 == 0 {
        rest /= 10;
        width -= 1;
    }
    // Nineteen digits, a point and a sign.
    let mut buffer = [0_u8; 24];
    let mut start = buffer.len();
    let mut put = |byte: u8| {
        start -= 1;
        if let Some(slot) = buffer.get_mut(start) {
            *slot = byte;
        }
    };
    if width > 0 {
        for _ in 0..width {
            put(digit(rest));
            rest /= 10;
        }
        put(b'.');
    }
    put(digit(rest));
    rest /= 10;
    while rest != 0 {
        put(digit(rest));
        rest /= 10;
    }
    if units < 0 {
        put(b'-');
    }
    out.extend_from_slice(buffer.get(start..).unwrap_or_default());
}

/// The last digits of a number, as characters.
#[inline]
pub(crate) fn zero_filled<const N: usize>(mut value: u64) -> [u8; N] {
    let mut characters = [b'0'; N];
    for character in characters.iter_mut().rev() {
        *character = digit(value);
        value /= 10;
    }
    characters
}

/// The last digit of a number as a character.
#[inline]
fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value % 10).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zeros_beyond_the_last_place_are_no_decimals() {
        assert_eq!(Amount::parse("100.50000"), Ok(Amount::from_paise(10_050)));
        assert_eq!(Amount::parse("1200.0"), Ok(Amount::from_paise(120_000)));
        assert_eq!(Amount::parse("0.00000000000000000000000000000000"), Ok(Amount::ZERO));
        assert_eq!(Whole::parse("560001.0"), Ok(Whole::from_units(560_001)));
    }

    #[test]
    fn a_third_decimal_is_refused_in_an_amount_and_kept_in_a_price() {
        assert_eq!(Amount::parse("1.005"), Err(NumberError::TooManyDecimals { allowed: 2 }));
        assert_eq!(UnitPrice::parse("1.005"), Ok(UnitPrice::from_thousandths(1_005)));
        assert_eq!(UnitPrice::parse("1.0005"), Err(NumberError::TooManyDecimals { allowed: 3 }));
    }

    #[test]
    fn exponents_are_read_exactly() {
        assert_eq!(Amount::parse("1.5E2"), Ok(Amount::from_paise(15_000)));
        assert_eq!(Amount::parse("15000e-2"), Ok(Amount::from_paise(15_000)));
        assert_eq!(Amount::parse("1e-3"), Err(NumberError::TooManyDecimals { allowed: 2 }));
        assert_eq!(Amount::parse("1e999999999999999999999"), Err(NumberError::OutOfRange));
        assert_eq!(Amount::parse("0e999999999999999999999"), Ok(Amount::ZERO));
    }

    #[test]
    fn what_json_would_not_call_a_number_is_refused() {
        for text in ["", "-", "+1", "01", "1.", ".5", "1,000", " 1", "1 ", "1e", "1e+", "NaN", "--1", "1.5.2", "0x10"] {
            assert_eq!(Amount::parse(text), Err(NumberError::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn numbers_beyond_sixty_four_bits_are_out_of_range() {
        assert_eq!(Amount::parse("92233720368547758.07"), Ok(Amount::from_paise(i64::MAX)));
        assert_eq!(Amount::parse("92233720368547758.08"), Err(NumberError::OutOfRange));
        assert_eq!(Amount::parse("-92233720368547758.08"), Ok(Amount::from_paise(i64::MIN)));
        assert_eq!(Amount::parse("123456789012345678901234567890"), Err(NumberError::OutOfRange));
        assert_eq!(Amount::parse("1.2345678901234567890123456789"), Err(NumberError::TooManyDecimals { allowed: 2 }));
    }

    #[test]
    fn taxes_round_half_up_to_the_paisa() {
        let rate = Rate::from_thousandths(12_000);
        assert_eq!(rate.of(Amount::from_paise(997_884)), Some(Amount::from_paise(119_746)));
        assert_eq!(Rate::from_thousandths(5_000).of(Amount::from_paise(10)), Some(Amount::from_paise(1)));
        assert_eq!(Rate::from_thousandths(5_000).half_of(Amount::from_paise(20)), Some(Amount::from_paise(1)));
        let gross = Quantity::from_thousandths(100_345).times(UnitPrice::from_thousandths(99_545));
        assert_eq!(gross, Some(Amount::from_paise(998_884)));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(units in any::<i64>()) {
            let amount = Amount::from_paise(units);
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
            let mut written = Vec::new();
            amount.write(&mut written);
            prop_assert_eq!(String::from_utf8(written).unwrap(), amount.to_string());
            let quantity = Quantity::from_thousandths(units);
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}") {
            prop_assert!(Amount::parse(&text).is_ok() || Amount::parse(&text).is_err());
        }

        #[test]
        fn the_syntax_is_that_of_json(text in "-?[0-9]{0,4}(\\.[0-9]{0,4})?([eE][+-]?[0-9]{0,2})?") {
            let json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(!matches!(Amount::parse(&text), Err(NumberError::NotANumber)), json);
        }

        #[test]
        fn the_quick_reading_of_a_number_is_that_of_the_careful_one(
            text in "[0-9]{0,19}(\\.[0-9]{0,4})?[eE.0,} -]{0,2}", places in 0_u32..4
        ) {
            if let Some((units, length)) = plain_number(text.as_bytes(), places) {
                prop_assert_eq!(parse_with_care(&text[..length], places), Ok(units));
                let longer = matches!(text.as_bytes().get(length), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
                prop_assert!(!longer, "{} was cut to {}", text, &text[..length]);
            }
        }

        #[test]
        fn products_are_rounded_alike_in_sixty_four_bits_and_in_more(
            left in prop_oneof![any::<i64>(), -9_999_999_i64..9_999_999],
            right in prop_oneof![any::<i64>(), -9_999_999_i64..9_999_999]
        ) {
            for divisor in [10_000, 100_000, 200_000] {
                let wide = multiply_widely(left, right, divisor);
                prop_assert_eq!(multiply_half_up(left, right, divisor), wide);
            }
        }

        #[test]
        fn a_shifted_exponent_means_the_same_number(units in 0_i64..1_000_000_000, shift in 0_usize..20) {
            let text = format!("{units}{}e-{}", "0".repeat(shift), shift + 2);
            prop_assert_eq!(Amount::parse(&text), Ok(Amount::from_paise(units)));
        }
    }
}

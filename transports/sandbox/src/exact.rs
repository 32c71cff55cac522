//! Exact decimal numbers for the emulator's own check of totals.
//!
//! Own code on purpose: the product's arithmetic is checked against this, so it must not be the same.

use std::iter::Sum;

/// Decimals kept.
const DECIMALS: i32 = 9;
/// One, in units of the last decimal kept.
const ONE: i128 = 1_000_000_000;
/// Beyond this no sum or product of a document can overflow.
const LIMIT: i128 = 1_000_000_000_000_000 * ONE;

/// What sums stop at: far beyond any document, and far from the end of the integers below.
const SUM_LIMIT: i128 = LIMIT * 1_000_000;

/// A decimal number with nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Exact(i128);

impl Exact {
    pub(crate) const ZERO: Self = Self(0);

    /// Reads a JSON number; nothing if it is out of any range a document may hold or has more than
    /// nine decimals.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let mut units: i128 = 0;
        for digit in whole.chars().chain(fraction.chars()) {
            units = units.checked_mul(10)?.checked_add(i128::from(digit.to_digit(10)?))?;
        }
        let shift = DECIMALS.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        if units == 0 {
            return Some(Self::ZERO);
        }
        for _ in 0..shift.clamp(0, 40) {
            units = units.checked_mul(10)?;
        }
        for _ in 0..shift.min(0).abs().min(40) {
            if units % 10 != 0 {
                return None;
            }
            units /= 10;
        }
        (units <= LIMIT).then_some(Self(if negative { -units } else { units }))
    }

    /// Number of decimals that are not zero at the end.
    pub(crate) fn decimals(self) -> i32 {
        let mut left = self.0.abs() % ONE;
        let mut decimals = DECIMALS;
        while decimals > 0 && left % 10 == 0 {
            left /= 10;
            decimals -= 1;
        }
        decimals
    }

    /// `self x rate / 100`, rounded half up to two decimals.
    pub(crate) fn percent(self, rate: Self) -> Self {
        // Both factors are exact multiples of what they are divided by: two and three decimals.
        Self((self.0 / 10_000).saturating_mul(rate.0 / 100_000) / 100).round_to_paise()
    }

    fn round_to_paise(self) -> Self {
        const PAISA: i128 = ONE / 100;
        Self((self.0 + PAISA / 2).div_euclid(PAISA) * PAISA)
    }

    /// Half of it.
    pub(crate) fn half(self) -> Self {
        Self(self.0 / 2)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    /// Whether `passed` is accepted for this calculated value: from floor - 1 to ceiling + 1 (NIC
    /// note of September 2020).
    pub(crate) fn admits(self, passed: Self) -> bool {
        let floor = self.0.div_euclid(ONE) * ONE;
        let ceiling = -(-self.0).div_euclid(ONE) * ONE;
        (floor - ONE..=ceiling + ONE).contains(&passed.0)
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        let sum = values.fold(0_i128, |sum, value| sum.saturating_add(value.0));
        Self(sum.clamp(-SUM_LIMIT, SUM_LIMIT))
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.abs() / ONE, self.0.abs() % ONE);
        let fraction = format!("{fraction:09}");
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            write!(formatter, "{sign}{whole}")
        } else {
            write!(formatter, "{sign}{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    #[test]
    fn nics_own_examples_of_the_tolerance_hold() {
        for (value, low, high) in
            [("2345.34", "2344", "2347"), ("10241.00", "10240", "10242"), ("10241.61", "10240", "10243")]
        {
            let value = exact(value);
            assert!(value.admits(exact(low)) && value.admits(exact(high)));
            assert!(!value.admits(exact(low).minus(exact("0.01"))));
            assert!(!value.admits(exact(high).minus(exact("-0.01"))));
        }
    }

    #[test]
    fn a_percentage_is_exact_and_rounds_half_up() {
        assert_eq!(exact("9978.84").percent(exact("12")), exact("1197.46"));
        assert_eq!(exact("0.25").percent(exact("10")), exact("0.03"));
        assert_eq!(exact("999999999999.99").percent(exact("28")), exact("279999999999.997").percent(exact("100")));
    }

    #[test]
    fn exponents_and_trailing_zeros_are_plain_numbers() {
        assert_eq!(exact("1.5e3"), exact("1500.00"));
        assert_eq!(exact("15E-1").decimals(), 1);
        assert_eq!(exact("-0.10").to_string(), "-0.1");
        assert_eq!(Exact::parse("1e400"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _value = Exact::parse(&text);
        }

        #[test]
        fn what_is_printed_reads_back(paise in -1_000_000_000_000_000_i128..1_000_000_000_000_000) {
            let value = Exact(paise * 10_000_000);
            prop_assert_eq!(Exact::parse(&value.to_string()), Some(value));
        }
    }
}

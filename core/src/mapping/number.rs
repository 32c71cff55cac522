//! Numbers as people and programs write them: with Indian grouping, brackets, trailing signs and the noise of binary
//! fractions.

use std::borrow::Cow;

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spelling;

/// The mark before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecimalMark {
    /// `1,23,456.50`: a point; commas group.
    #[default]
    Point,
    /// `1.23.456,50`: a comma; points group.
    Comma,
}

/// A number in JSON form with all its decimals: grouping, currency, signs before and behind, and brackets read by their
/// meaning. Nothing where the grouping does not fit the decimal mark.
pub(crate) fn number(text: &str, decimal: DecimalMark) -> Option<Cow<'_, str>> {
    let text = spelling::trimmed(text);
    plain_number(text, decimal).map(Cow::Borrowed).or_else(|| number_with_care(text, decimal).map(Cow::Owned))
}

/// Digits with a point at most, as nearly all programs write numbers: then the number is a part of the text.
fn plain_number(text: &str, decimal: DecimalMark) -> Option<&str> {
    let bytes = text.as_bytes();
    let whole = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let mut end = whole;
    if let Some((mark, fraction)) = bytes.get(whole..)?.split_first() {
        let is_fraction = *mark == b'.' && decimal == DecimalMark::Point && fraction.iter().all(u8::is_ascii_digit);
        if !is_fraction {
            return None;
        }
        // Without its last zeros, and without the point where nothing is left behind it.
        end = fraction.iter().rposition(|byte| *byte != b'0').map_or(whole, |last| whole + last + 2);
    }
    // Without its first zeros, but for that of nought.
    let first = bytes.get(..whole)?.iter().position(|byte| *byte != b'0').unwrap_or(whole.checked_sub(1)?);
    text.get(first..end)
}

fn number_with_care(text: &str, decimal: DecimalMark) -> Option<String> {
    let (text, in_brackets) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let compact: String = text.chars().filter(|found| !found.is_whitespace()).collect();
    let mut rest = compact.as_str();
    for prefix in ["INR", "Rs.", "Rs", "₹"] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    // The side of the books says nothing about the sign of a document's amount.
    for suffix in ["%", "Dr", "Cr", "DR", "CR"] {
        rest = rest.strip_suffix(suffix).unwrap_or(rest);
    }
    let (behind, rest) = rest.strip_suffix('-').map_or((false, rest), |rest| (true, rest));
    let (before, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    let rest = rest.strip_prefix('+').unwrap_or(rest);
    if u8::from(in_brackets) + u8::from(behind) + u8::from(before) > 1 {
        return None;
    }
    let (rest, exponent) = match rest.split_once(['E', 'e']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (group, mark) = match decimal {
        DecimalMark::Point => (',', '.'),
        DecimalMark::Comma => ('.', ','),
    };
    let (whole, fraction) = rest.split_once(mark).unwrap_or((rest, ""));
    let whole = ungrouped(whole, group)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Small numbers of binary programs come as `1.5E-05`; a large exponent has lost digits.
    let exponent = match exponent {
        None => String::new(),
        Some(exponent) => {
            let digits = exponent.strip_prefix('-')?;
            if digits.is_empty() || digits.len() > 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            format!("e-{digits}")
        }
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if exponent.is_empty() { fraction.trim_end_matches('0') } else { fraction };
    let sign = if in_brackets || behind || before { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}{exponent}"))
}

/// Digits without their grouping: three in the last group, two or three in the others, one to three in the first.
fn ungrouped(text: &str, mark: char) -> Option<String> {
    let mut groups = text.split(mark).rev();
    let last = groups.next()?;
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    if !text.contains(mark) {
        return digits(last).then(|| last.to_owned());
    }
    let rest: Vec<&str> = groups.collect();
    let (first, between) = rest.split_last()?;
    let fits = last.len() == 3
        && digits(last)
        && (1..=3).contains(&first.len())
        && digits(first)
        && between.iter().all(|group| (2..=3).contains(&group.len()) && digits(group));
    fits.then(|| text.chars().filter(|found| *found != mark).collect())
}

/// A number with at most so many decimals, and whether digits that mean something went. Noise of binary fractions
/// (`12.300000000000001`) goes without a word.
pub(super) fn rounded(number: Cow<'_, str>, decimals: u32) -> (Cow<'_, str>, bool) {
    let places = usize::try_from(decimals).unwrap_or_default();
    let fraction = number.bytes().position(|byte| byte == b'.').map_or(0, |point| number.len() - point - 1);
    if fraction <= places && number.bytes().all(|byte| byte != b'e') {
        return (number, false);
    }
    let Some(exact) = decimal_of(&number) else {
        return (number, false);
    };
    let value = exact.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    let noise = Decimal::new(1, 9);
    (value.normalize().to_string().into(), (exact - value).abs() >= noise)
}

/// The value of what [`number`] made, rounded to the 28 decimals there can be; nothing where it is too large.
pub(super) fn decimal_of(number: &str) -> Option<Decimal> {
    let (mantissa, exponent) = number.split_once("e-").unwrap_or((number, "0"));
    let mut value: Decimal = mantissa.parse().ok()?;
    let mut places: u32 = exponent.parse().ok()?;
    while places > 0 {
        let step = places.min(Decimal::MAX_SCALE);
        value = value.checked_mul(Decimal::new(1, step))?;
        places -= step;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_number_is_read_as_with_care(text in "[0-9]{0,5}[.,]?[0-9]{0,4}-?") {
            for decimal in [DecimalMark::Point, DecimalMark::Comma] {
                if let Some(plain) = plain_number(&text, decimal) {
                    prop_assert_eq!(Some(plain.to_owned()), number_with_care(&text, decimal));
                }
            }
        }
    }
}

//! The portal's tolerance, and the reading of amounts that may be absent.

use crate::document::Field;
use crate::number::Amount;

/// True when a passed value is accepted for a calculated one: from the rupee below less one to the rupee above plus
/// one (GSTN advisory; its example: 2345.34 admits 2344.00 to 2347.00).
pub(super) fn accepts(calculated: Amount, passed: Amount) -> bool {
    let (low, high) = bounds(calculated);
    low <= passed && passed <= high
}

/// Smallest and largest accepted value.
pub(super) fn bounds(calculated: Amount) -> (Amount, Amount) {
    let floor = calculated.paise().div_euclid(100);
    let ceil = floor.saturating_add(i64::from(calculated.paise().rem_euclid(100) != 0));
    let rupees = |rupees: i64| Amount::from_paise(rupees.saturating_mul(100));
    (rupees(floor.saturating_sub(1)), rupees(ceil.saturating_add(1)))
}

/// An amount where absent counts as nought; nothing when it could not be read.
pub(super) fn or_zero(field: &Field<Amount>) -> Option<Amount> {
    match field {
        Field::Absent => Some(Amount::ZERO),
        Field::Value(amount) => Some(*amount),
        Field::Malformed(_) => None,
    }
}

/// The sum of amounts of which absent ones count as nought; nothing when one could not be read.
pub(super) fn sum<'a>(fields: impl IntoIterator<Item = &'a Field<Amount>>) -> Option<Amount> {
    fields.into_iter().try_fold(Amount::ZERO, |sum, field| sum.checked_add(or_zero(field)?))
}

/// An amount for a person: two decimals, and digits grouped as India groups them (`1,23,45,678.90`).
pub(super) fn rupees(amount: Amount) -> String {
    let paise = amount.paise().unsigned_abs();
    let whole = (paise / 100).to_string();
    let (head, tail) = whole.split_at(whole.len().saturating_sub(3));
    let mut text = String::with_capacity(whole.len() + whole.len() / 2 + 4);
    if amount.is_negative() {
        text.push('-');
    }
    for (index, digit) in head.chars().enumerate() {
        text.push(digit);
        // Beyond the last three digits groups have two.
        if (head.len() - index) % 2 == 1 {
            text.push(',');
        }
    }
    text.push_str(tail);
    text + &format!(".{:02}", paise % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_as_india_groups_them() {
        for (paise, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (99_900, "999.00"),
            (100_000, "1,000.00"),
            (1_000_000, "10,000.00"),
            (10_000_000, "1,00,000.00"),
            (1_234_567_890, "1,23,45,678.90"),
            (-123_456_789_012, "-1,23,45,67,890.12"),
        ] {
            assert_eq!(rupees(Amount::from_paise(paise)), text);
        }
    }

    #[test]
    fn the_tolerance_is_that_of_the_published_examples() {
        let bounds = |paise| {
            let (low, high) = bounds(Amount::from_paise(paise));
            (low.paise(), high.paise())
        };
        assert_eq!(bounds(234_534), (234_400, 234_700));
        assert_eq!(bounds(1_024_100), (1_024_000, 1_024_200));
        assert_eq!(bounds(1_024_161), (1_024_000, 1_024_300));
        assert_eq!(bounds(-50), (-200, 100));
    }
}

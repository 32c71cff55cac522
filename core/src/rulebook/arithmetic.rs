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

#[cfg(test)]
mod tests {
    use super::*;

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

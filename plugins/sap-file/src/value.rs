//! Numbers and dates as SAP writes them.

use einvoice_core::spelling;
use rust_decimal::{Decimal, RoundingStrategy};

/// Digits of the last group of thousands.
const GROUP: usize = 3;
/// Digits that a machine's number surely takes.
const DIGITS_MAX: usize = 18;

/// The mark before the decimals, one for all numbers of an `IDoc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Point,
    Comma,
}

/// Numbers of which one is written in one way and another in the other, or which can be read in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unclear(pub(crate) String);

/// Finds out how the numbers of an `IDoc` are written, by their last separators. SAP itself writes a point and groups
/// nothing; only files that go through a user's settings have commas.
///
/// A point with other than three digits behind it groups nothing: it is the mark, and no other number has a comma for it.
pub(crate) fn mark<'a>(numbers: impl Iterator<Item = &'a str>) -> Result<Mark, Unclear> {
    let (mut point, mut comma, mut either, mut pointed) = (None, None, None, None);
    for number in numbers.map(|number| number.trim_matches(['-', '+', ' '])) {
        let (whole, behind) = number.rsplit_once([',', '.']).unwrap_or((number, ""));
        match (number.matches('.').count(), number.matches(',').count()) {
            (1, 0) if behind.len() != GROUP => pointed = Some(number),
            (_, 0) => {}
            (0, 1) if behind.len() == GROUP && (1..=GROUP).contains(&whole.len()) && whole != "0" => {
                either = Some(number);
            }
            (0, 1) => comma = Some(number),
            (0, _) => point = Some(number),
            _ if number.rfind('.') > number.rfind(',') => point = Some(number),
            _ => comma = Some(number),
        }
    }
    match (comma, point.or(pointed)) {
        (Some(comma), Some(other)) => Err(Unclear(format!("{other} and {comma}"))),
        (Some(_), None) => Ok(Mark::Comma),
        (None, _) => match either.filter(|_| point.is_none()) {
            Some(number) => Err(Unclear(number.to_owned())),
            None => Ok(Mark::Point),
        },
    }
}

/// A number: blanks around it, the sign behind or before it, thousands grouped by the other mark.
pub(crate) fn number(text: &str, mark: Mark) -> Option<Decimal> {
    let text = spelling::trimmed(text);
    if let Some(number) = Some(text).filter(|_| mark == Mark::Point).and_then(of_digits) {
        return Some(number);
    }
    let (behind, text) = text.strip_suffix('-').map_or((false, text), |rest| (true, rest.trim_end()));
    let text = text.strip_suffix('+').unwrap_or(text);
    let (before, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest.trim_start()));
    if before && behind {
        return None;
    }
    let (group, point) = match mark {
        Mark::Point => (',', '.'),
        Mark::Comma => ('.', ','),
    };
    let (whole, fraction) = text.split_once(point).unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let plain = if all_digits(whole) { whole.to_owned() } else { ungrouped(whole, group)? };
    let plain = if fraction.is_empty() { plain } else { format!("{plain}.{fraction}") };
    let number = Decimal::from_str_exact(&plain).ok()?;
    Some(if before || behind { -number } else { number })
}

/// Digits without their groups: three in each but the first. Lakhs and crores have two, and India groups them by commas only.
fn ungrouped(text: &str, group: char) -> Option<String> {
    let (front, last) = text.rsplit_once(group)?;
    let mut groups = front.split(group);
    let first = groups.next()?;
    let is_between = |found: &str| found.len() == GROUP || found.len() == 2 && group == ',';
    let fits = last.len() == GROUP && (1..=GROUP).contains(&first.len()) && groups.all(is_between);
    let digits = text.replace(group, "");
    (fits && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The number of a text of digits with a point or without one, as SAP writes nearly all; nothing where it is another, or
/// longer than a machine's number.
fn of_digits(text: &str) -> Option<Decimal> {
    if text.len() > DIGITS_MAX {
        return None;
    }
    let (mut digits, mut scale, mut is_pointed) = (0_i64, 0_u32, false);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + i64::from(byte - b'0');
                scale += u32::from(is_pointed);
            }
            b'.' if !is_pointed => is_pointed = true,
            _ => return None,
        }
    }
    (text.len() > usize::from(is_pointed)).then(|| Decimal::new(digits, scale))
}

/// A number in plain form, for a rule of the mapping.
pub(crate) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// How many units of the last of so many decimals a number is; nothing where it has more of them, or is too large.
pub(crate) fn units(number: Decimal, decimals: u32) -> Option<i64> {
    let number = number.normalize();
    let shift = decimals.checked_sub(number.scale())?;
    i64::try_from(number.mantissa().checked_mul(10_i128.checked_pow(shift)?)?).ok()
}

/// Rounded half up to two decimals.
pub(crate) fn paise(number: Decimal) -> Decimal {
    number.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// A key without the zeros that fill it up: `000000000010002119` is `10002119`. Keys with letters stay.
pub(crate) fn unpadded(key: &str) -> &str {
    let key = spelling::trimmed(key);
    if key.bytes().all(|byte| byte.is_ascii_digit()) { key.trim_start_matches('0') } else { key }
}

/// Whether a date or number of a key is all zeros, which is how SAP writes that there is none.
pub(crate) fn is_initial(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str, mark: Mark) -> Option<String> {
        number(text, mark).map(plain)
    }

    #[test]
    fn numbers_are_read_with_their_sign_on_either_side() {
        for (text, wanted) in [
            ("12.50-", "-12.5"),
            ("-12.50", "-12.5"),
            (" 12.50 ", "12.5"),
            ("12.50 -", "-12.5"),
            ("1,234.50", "1234.5"),
            ("1,23,456.50", "123456.5"),
            ("0.00", "0"),
            ("0", "0"),
            ("000", "0"),
            (".5", "0.5"),
            ("144.000", "144"),
            ("1.00000", "1"),
            ("12.", "12"),
            ("999999999999999.99", "999999999999999.99"),
            ("9999999999999999999.99", "9999999999999999999.99"),
        ] {
            assert_eq!(of(text, Mark::Point).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(of("1.234,50-", Mark::Comma).as_deref(), Some("-1234.5"));
        assert_eq!(of("1.234.567", Mark::Comma).as_deref(), Some("1234567"));
        for text in ["907.20", "907.2", "1.23.456,50", "1234.567", ".500", "1.2345"] {
            assert_eq!(of(text, Mark::Comma), None, "{text}");
        }
        for text in [
            "",
            " ",
            "-",
            "1-2",
            "-1-",
            "1.234,50",
            "1,2345",
            "1,23",
            "1,23,45.50",
            "1234,567",
            "x",
            "1.2.3",
            ",5",
            ".",
            "1E3",
            "99999999999999999999999999999999",
        ] {
            assert_eq!(of(text, Mark::Point), None, "{text}");
        }
    }

    #[test]
    fn one_mark_holds_for_all_numbers_of_an_idoc() {
        let found = |numbers: &[&str]| mark(numbers.iter().copied()).map_err(|Unclear(number)| number);
        assert_eq!(found(&["12.50", "1234"]), Ok(Mark::Point));
        assert_eq!(found(&["1,234.50", "1,234"]), Ok(Mark::Point));
        assert_eq!(found(&["1.234,50-", "12.500"]), Ok(Mark::Comma));
        assert_eq!(found(&["12,5", "1,234"]), Ok(Mark::Comma));
        assert_eq!(found(&["1,23,456"]), Ok(Mark::Point));
        assert_eq!(found(&["1,234"]), Err("1,234".to_owned()));
        assert_eq!(found(&["1,234.50", "12,5"]), Err("1,234.50 and 12,5".to_owned()));
        // A point with two or five digits behind it is the mark before decimals, whatever one number among them says.
        assert_eq!(found(&["907.20", "0,50"]), Err("907.20 and 0,50".to_owned()));
        assert_eq!(found(&["83.12000-", "1.234,50"]), Err("83.12000 and 1.234,50".to_owned()));
        assert_eq!(found(&["907.20", "1,234"]), Err("1,234".to_owned()));
        assert_eq!(found(&["144.000", "0,500", "1234,567"]), Ok(Mark::Comma));
        assert_eq!(found(&["144.000", "12.5"]), Ok(Mark::Point));
    }

    #[test]
    fn units_of_the_last_decimal_are_counted() {
        let of = |text: &str| units(text.parse().unwrap(), 2);
        assert_eq!((of("12.5"), of("-0.01"), of("300.000"), of("0")), (Some(1_250), Some(-1), Some(30_000), Some(0)));
        assert_eq!((of("92233720368547758.07"), of("92233720368547758.08")), (Some(i64::MAX), None));
        assert_eq!((of("0.005"), of("79228162514264337593543950335")), (None, None));
    }

    #[test]
    fn padded_keys_and_empty_dates_are_known() {
        assert_eq!((unpadded("000000000010002119"), unpadded("00AB1")), ("10002119", "00AB1"));
        assert!(is_initial("00000000") && !is_initial("") && !is_initial("20261105"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[-+0-9., ]{0,30}|\\PC{0,10}") {
            for mark in [Mark::Point, Mark::Comma] {
                let _number = number(&text, mark);
            }
        }
    }
}

//! How Tally writes values: null-like words, dates, amounts, quantities, rates.
//!
//! Numbers are exact integers: paise and thousandths. What cannot be read is `None` and reported by
//! the mapping with the text as it stood.

use einvoice_core::date::DocumentDate;
use einvoice_core::number::{Amount, Quantity, Rate, UnitPrice};
use jiff::Span;
use jiff::civil::date as civil_date;

/// Largest amount of one line: the twelve digits before the point that the portal takes. With the
/// limit on lines it keeps every sum inside 64 bits.
const PAISE_MAX: i64 = 99_999_999_999_999;
/// Largest rate, in thousandths: above any per cent, and above any cess in rupees a unit.
const RATE_MAX: i64 = 9_999_999;
/// Largest quantity the portal takes, in thousandths.
const QUANTITY_MAX: i64 = 9_999_999_999_999;

/// Tally's own words for "nothing in particular".
const NULL_LIKE: [&str; 3] = ["not applicable", "any", "primary"];

/// A value for use: trimmed, without Tally's reserved-word mark (U+0004, which cleaning drops, or
/// ` 4;`, what other tools leave of it); `None` when empty or a word for nothing in particular.
pub(crate) fn value(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    let plain = trimmed.strip_prefix("&#4;").or_else(|| trimmed.strip_prefix("4;")).map_or(trimmed, str::trim_start);
    let plain = plain.trim_start_matches('\u{4}').trim();
    let says_nothing = plain.is_empty() || NULL_LIKE.iter().any(|word| plain.eq_ignore_ascii_case(word));
    (!says_nothing).then_some(plain)
}

/// A date: `YYYYMMDD` in elements, `8-Mar-2025` in requests made by hand.
pub(crate) fn date(text: &str) -> Option<DocumentDate> {
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let year = text.get(..4)?.parse().ok()?;
        let month = text.get(4..6)?.parse().ok()?;
        let day = text.get(6..8)?.parse().ok()?;
        return DocumentDate::from_ymd(year, month, day);
    }
    let mut parts = text.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = month.to_ascii_lowercase();
    let month = months.iter().position(|month| name.starts_with(month))?;
    let year: i16 = year.parse().ok()?;
    let year = if year < 100 { year + 2000 } else { year };
    DocumentDate::from_ymd(year, i8::try_from(month + 1).ok()?, day.parse().ok()?)
}

/// A date as `8-Mar-2025` with two digits for the day, the form of a voucher's `DATE` attribute.
pub(crate) fn attribute_date(date: DocumentDate) -> String {
    let date = date.date();
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = usize::try_from(date.month() - 1).ok().and_then(|index| month.get(index)).unwrap_or(&"Jan");
    format!("{:02}-{month}-{:04}", date.day(), date.year())
}

/// An amount with its sign. With a foreign currency the text is `-$100.00 @ 83.00/$ = -8300.00`.
pub(crate) fn amount(text: &str) -> Option<Amount> {
    let rupees = text.rsplit('=').next()?;
    decimal(rupees, 2).filter(|paise| paise.abs() <= PAISE_MAX).map(Amount::from_paise)
}

/// The part of a foreign amount before the rate: its currency symbol, which stands on either side of
/// the number, and its magnitude.
pub(crate) fn foreign_amount(text: &str) -> Option<(&str, Amount)> {
    let (foreign, _) = text.split_once('@')?;
    let foreign = foreign.trim().trim_start_matches('-').trim();
    let digits = foreign.find(|found: char| found.is_ascii_digit())?;
    let (before, rest) = foreign.split_at_checked(digits)?;
    let end = rest.rfind(|found: char| found.is_ascii_digit())? + 1;
    let (number, after) = rest.split_at_checked(end)?;
    let symbol = if before.trim().is_empty() { after } else { before };
    Some((symbol.trim(), decimal(number, 2).filter(|paise| paise.abs() <= PAISE_MAX).map(Amount::from_paise)?))
}

/// The day on which a period ends: `24 Months`, counted from day `serial` of Tally's calendar, whose
/// first day is 1 January 1900.
pub(crate) fn period_end(serial: &str, period: &str) -> Option<DocumentDate> {
    let serial: i32 = serial.trim().parse().ok()?;
    let mut words = period.split_whitespace();
    let (count, unit): (i32, _) = (words.next()?.parse().ok()?, words.next()?.to_ascii_lowercase());
    let span = match unit.trim_end_matches('s') {
        "day" => Span::new().try_days(count),
        "week" => Span::new().try_weeks(count),
        "month" => Span::new().try_months(count),
        "year" => Span::new().try_years(count),
        _ => return None,
    };
    let begins = civil_date(1899, 12, 31).checked_add(Span::new().try_days(serial).ok()?).ok()?;
    begins.checked_add(span.ok()?).ok().map(DocumentDate::from)
}

/// A quantity and its unit: ` 670 Pair`, ` 2 Box 5 Nos`, ` 10 Box = 100 Nos`. The first pair counts.
pub(crate) fn quantity(text: &str) -> Option<(Quantity, &str)> {
    let first = text.split('=').next()?.trim();
    let end =
        first.find(|found: char| !(found.is_ascii_digit() || matches!(found, '.' | '-' | ','))).unwrap_or(first.len());
    let (number, unit) = first.split_at_checked(end)?;
    let unit = unit.trim();
    // Of a compound quantity only the first unit is named; its number may hold no further digits.
    let unit = unit.split(|found: char| found.is_ascii_digit()).next().unwrap_or(unit).trim();
    decimal(number, 3)
        .filter(|thousandths| thousandths.abs() <= QUANTITY_MAX)
        .map(|thousandths| (Quantity::from_thousandths(thousandths), unit))
}

/// A price per unit: `57.00/Pair`, or with a foreign currency `$10 = 830.00/Nos`.
pub(crate) fn price(text: &str) -> Option<(UnitPrice, &str)> {
    let rupees = text.rsplit('=').next()?;
    let (number, unit) = rupees.split_once('/').unwrap_or((rupees, ""));
    decimal_rounded(number, 3)
        .filter(|price| price.abs() <= PAISE_MAX * 10)
        .map(|thousandths| (UnitPrice::from_thousandths(thousandths), unit.trim()))
}

/// A rate in per cent: ` 18`, `9 %`.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    decimal(text.trim().trim_end_matches('%'), 3).filter(|rate| rate.abs() <= RATE_MAX).map(Rate::from_thousandths)
}

/// A plain decimal in units of its last place; more places than that must be noughts.
fn decimal(text: &str, places: u32) -> Option<i64> {
    scaled(text, places, false)
}

/// As [`decimal`], further places rounded half up: Tally keeps more places of a rate than it shows.
fn decimal_rounded(text: &str, places: u32) -> Option<i64> {
    scaled(text, places, true)
}

fn scaled(text: &str, places: u32, round: bool) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let digits = digits.trim_start_matches(['₹', '?']).trim_start_matches("Rs.").trim();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    // Native exports have no thousands separators, other programs' files do.
    for digit in whole.chars().filter(|found| *found != ',') {
        value = value.checked_mul(10)?.checked_add(i64::from(digit.to_digit(10)?))?;
    }
    let mut places_left = places;
    let mut rest = fraction.chars();
    while places_left > 0 {
        let digit = rest.next().map_or(Some(0), |found| found.to_digit(10))?;
        value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
        places_left -= 1;
    }
    for (index, found) in rest.enumerate() {
        let digit = found.to_digit(10)?;
        if !round && digit != 0 {
            return None;
        }
        value += i64::from(round && index == 0 && digit >= 5);
    }
    Some(if negative { -value } else { value })
}

/// The first six-digit number of a text that could be a PIN code.
pub(crate) fn pin_in(text: &str) -> Option<i64> {
    text.split(|found: char| !found.is_ascii_digit())
        .find(|digits| digits.len() == 6 && !digits.starts_with('0'))
        .and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn null_like_words_are_recognised_with_whole_damaged_and_lost_marks() {
        for text in
            ["", "      ", " Not Applicable", "&#4; Not Applicable", " 4; Not Applicable", "\u{4} Any", " Primary"]
        {
            assert_eq!(value(text), None, "{text:?}");
        }
        assert_eq!(value(" 4; Applicable"), Some("Applicable"));
        assert_eq!(value("Primary Batch"), Some("Primary Batch"));
        assert_eq!(value(" 18"), Some("18"));
    }

    #[test]
    fn dates_are_read_in_both_forms() {
        let wanted = DocumentDate::from_ymd(2025, 3, 8);
        assert_eq!(date("20250308"), wanted);
        assert_eq!(date("8-Mar-2025"), wanted);
        assert_eq!(date("08-March-25"), wanted);
        assert_eq!(date("2025-03-08"), None);
        assert_eq!(date("20251301"), None);
        assert_eq!(attribute_date(wanted.unwrap()), "08-Mar-2025");
    }

    #[test]
    fn periods_are_counted_from_their_day_in_tallys_calendar() {
        // The serial of 8 March 2025 in a real export.
        assert_eq!(period_end("45723", "60 Days"), DocumentDate::from_ymd(2025, 5, 7));
        assert_eq!(period_end("45723", "1 Week"), DocumentDate::from_ymd(2025, 3, 15));
        assert_eq!(period_end(" 45723", "24 Months"), DocumentDate::from_ymd(2027, 3, 8));
        for (serial, period) in [("", "60 Days"), ("45723", "soon"), ("45723", "5"), ("999999999", "9 Years")] {
            assert_eq!(period_end(serial, period), None, "{serial} {period}");
        }
    }

    #[test]
    fn amounts_quantities_and_prices_are_exact() {
        assert_eq!(amount("-48091.00"), Some(Amount::from_paise(-4_809_100)));
        assert_eq!(amount("-$100.00 @ 83.00/$ = -8300.00"), Some(Amount::from_paise(-830_000)));
        assert_eq!(foreign_amount("-$100.00 @ 83.00/$ = -8300.00"), Some(("$", Amount::from_paise(10_000))));
        assert_eq!(foreign_amount("-100.00 EUR @ ? 90.10/EUR = -? 9010.00"), Some(("EUR", Amount::from_paise(10_000))));
        assert_eq!(amount("1.005"), None);
        assert_eq!(amount("12,345.50"), Some(Amount::from_paise(1_234_550)));
        assert_eq!(quantity(" 670 Pair"), Some((Quantity::from_thousandths(670_000), "Pair")));
        assert_eq!(quantity(" 2 Box 5 Nos"), Some((Quantity::from_thousandths(2_000), "Box")));
        assert_eq!(quantity(" 10 Box = 100 Nos"), Some((Quantity::from_thousandths(10_000), "Box")));
        assert_eq!(price("57.00/Pair"), Some((UnitPrice::from_thousandths(57_000), "Pair")));
        assert_eq!(price("$10 = 830.00/Nos"), Some((UnitPrice::from_thousandths(830_000), "Nos")));
        assert_eq!(price("0.0125/Nos"), Some((UnitPrice::from_thousandths(13), "Nos")));
        assert_eq!(rate(" 18"), Some(Rate::from_thousandths(18_000)));
        assert_eq!(pin_in("Sector-37, Gurgaon-122001"), Some(122_001));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in ".{0,60}") {
            let _read = (value(&text), date(&text), amount(&text), quantity(&text), price(&text), rate(&text), foreign_amount(&text), period_end("45723", &text), period_end(&text, "9 Days"));
        }
    }
}

//! From what a cell, column or element says to how INV-01 writes it.
//!
//! Numbers come with Indian grouping, brackets, trailing signs and the noise of binary fractions; dates in the order of
//! the country or as the serial of a spreadsheet; states, units and answers as words. Each is read by its meaning where
//! there is one meaning only, and left as it stands where there is not: a text that stays malformed is an error of the
//! rulebook, never a guess.

use std::borrow::Cow;

use jiff::ToSpan;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::DocumentDate;
use crate::document::{Form, Member, Pattern};
use crate::spelling::{self, countries, states, units};

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

/// The order of the parts of a date. One a source: `03/04/2026` alone does not say which part is the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DateOrder {
    /// `05/11/2026`, `5-11-26`, `05.11.2026`: day, month, year, as India writes.
    #[default]
    DayFirst,
    /// `11/05/2026`: month, day, year.
    MonthFirst,
}

/// How a source writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Formats {
    /// The mark before decimals.
    pub decimal: DecimalMark,
    /// The order of the parts of a date.
    pub dates: DateOrder,
}

impl Formats {
    /// Formats with this decimal mark and this order of dates.
    #[must_use]
    pub const fn new(decimal: DecimalMark, dates: DateOrder) -> Self {
        Self { decimal, dates }
    }
}

/// What was done to a value beyond its spelling, so that a person can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Decimals beyond those of the member were rounded half up.
    Rounded,
    /// A leading zero that a spreadsheet dropped was put back.
    ZeroAdded,
    /// A number in exponent form where digits are meant: they are lost.
    DigitsLost,
}

/// A text in the spelling of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) note: Option<Note>,
}

impl<'a> Read<'a> {
    fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), note: None }
    }
}

/// Reads a text for a member; blank texts come back blank.
pub(crate) fn read<'a>(text: &'a str, member: &Member, formats: Formats) -> Read<'a> {
    let text = unforced(bare(text));
    if text.is_empty() {
        return Read::plain("");
    }
    match member.form {
        Form::Number { decimals, .. } => match number(text, formats.decimal) {
            Some(number) => rounded(number, decimals),
            None => Read::plain(text),
        },
        Form::Text { pattern, .. } => word(text, member, pattern, formats),
        _ => Read::plain(text),
    }
}

/// Without blanks around it; a control character is as little a part of a value, and may stand before an apostrophe.
fn bare(text: &str) -> &str {
    text.trim_matches(|found: char| found.is_whitespace() || found.is_control())
}

/// Without what programs put before a text to keep it one: an apostrophe, or `="..."`.
fn unforced(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        return bare(inner);
    }
    text.strip_prefix('\'').map_or(text, bare)
}

fn word<'a>(text: &'a str, member: &Member, pattern: Pattern, formats: Formats) -> Read<'a> {
    let found: Option<Cow<'a, str>> = match pattern {
        Pattern::Date => date(text, formats.dates).map(|date| date.to_string().into()),
        Pattern::State => state(text).map(Cow::Owned),
        Pattern::Gstin | Pattern::GstinOrUrp => {
            if text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
                return Read::plain(text);
            }
            let capitals: String = text.chars().filter(|found| !found.is_whitespace()).collect();
            Some(capitals.to_uppercase().into())
        }
        Pattern::Hsn => return hsn(text),
        Pattern::OneOf(words) | Pattern::OneOfAnyCase(words) => listed(text, words, member).map(Cow::Borrowed),
        Pattern::DocumentNumber if is_exponent(text) => {
            return Read { text: text.into(), note: Some(Note::DigitsLost) };
        }
        Pattern::Digits => digits(text, member),
        Pattern::Letters if member.name == "Unit" => {
            units::from_name(text).or_else(|| units::from_reporting(text)).map(Cow::Borrowed)
        }
        Pattern::Letters | Pattern::Capitals if member.name.ends_with("Cntry") || member.name == "CntCode" => {
            countries::code(text).map(Cow::Borrowed).or_else(|| before_hyphen(text, 2).map(Cow::Borrowed))
        }
        Pattern::LettersAndDigits if member.name == "VehNo" => {
            Some(text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase().into())
        }
        _ => Some(clean(text)),
    };
    Read::plain(found.unwrap_or(Cow::Borrowed(text)))
}

/// A text on one line: line breaks, tabs and other control characters become single blanks.
fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(|found: char| found.is_control() || found == '\u{a0}') {
        return Cow::Borrowed(text);
    }
    let blank = |found: char| found.is_control() || found.is_whitespace();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// The code before the first hyphen of `NOS-NUMBERS`, where it has the length of one.
fn before_hyphen(text: &str, length: usize) -> Option<&str> {
    let (code, _) = text.split_once('-')?;
    let code = code.trim();
    (code.len() == length && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(code)
}

/// A state by code (`7`, `07`), by name, or both (`27-MAHARASHTRA`), always with two digits.
fn state(text: &str) -> Option<String> {
    let code = text.split_once('-').map_or(text, |(code, _)| code.trim());
    let found = states::code(text).or_else(|| states::code(code)).or_else(|| states::code(text.strip_suffix(".0")?))?;
    Some(format!("{:02}", found.number()))
}

/// One of a few words, by its code, by what people call it, or by the code before a hyphen.
fn listed(text: &str, words: &'static [&'static str], member: &Member) -> Option<&'static str> {
    let of = |text: &str| words.iter().find(|word| word.eq_ignore_ascii_case(text.trim())).copied();
    let called = |text: &str| {
        let folded = spelling::fold(text);
        let table =
            NAMES.iter().find(|(members, _)| members.contains(&member.name)).map_or(YES_NO, |(_, table)| *table);
        table.iter().find(|(name, _)| *name == folded).and_then(|(_, code)| of(code))
    };
    of(text)
        .or_else(|| called(text))
        .or_else(|| text.split_once('-').and_then(|(code, _)| of(code).or_else(|| called(code))))
        .or_else(|| of(text.strip_suffix(".0")?))
}

/// What people call a code, folded.
type Names = &'static [(&'static str, &'static str)];

const YES_NO: Names = &[
    ("yes", "Y"),
    ("no", "N"),
    ("true", "Y"),
    ("false", "N"),
    ("1", "Y"),
    ("0", "N"),
    ("service", "Y"),
    ("services", "Y"),
    ("goods", "N"),
];

/// By members: those not listed here are asked yes or no.
const NAMES: [(&[&str], Names); 4] = [
    (
        &["Typ"],
        &[
            ("invoice", "INV"),
            ("taxinvoice", "INV"),
            ("creditnote", "CRN"),
            ("credit", "CRN"),
            ("debitnote", "DBN"),
            ("debit", "DBN"),
        ],
    ),
    (
        &["SupTyp"],
        &[
            ("regular", "B2B"),
            ("business", "B2B"),
            ("businessgst", "B2B"),
            ("deemedexport", "DEXP"),
            ("sezwithpayment", "SEZWP"),
            ("sezwithoutpayment", "SEZWOP"),
            ("exportwithpayment", "EXPWP"),
            ("exportwithoutpayment", "EXPWOP"),
        ],
    ),
    (
        &["TransMode"],
        &[
            ("road", "1"),
            ("rail", "2"),
            ("train", "2"),
            ("air", "3"),
            ("ship", "4"),
            ("sea", "4"),
            ("inlandwaterway", "4"),
        ],
    ),
    (&["VehType"], &[("regular", "O"), ("normal", "O"), ("overdimensionalcargo", "R"), ("odc", "R")]),
];

/// A code of digits: what groups it goes, and a leading zero that a spreadsheet took away comes back. Where the groups are
/// those of a number, which has lost zeros of its own, the code stays as it stands.
fn hsn(text: &str) -> Read<'_> {
    if is_exponent(text) {
        return Read { text: text.into(), note: Some(Note::DigitsLost) };
    }
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = spelling::hsn_of_groups(&whole.replace('\u{a0}', " "));
        return digits.map_or_else(|| Read::plain(text), Read::plain);
    }
    // Chapters 01 to 09 are the only ones whose codes begin with a zero.
    if matches!(whole.len(), 3 | 5 | 7) {
        return Read { text: format!("0{whole}").into(), note: Some(Note::ZeroAdded) };
    }
    Read::plain(whole)
}

/// Digits of a serial number or a telephone number, without what only makes them readable.
fn digits<'a>(text: &'a str, member: &Member) -> Option<Cow<'a, str>> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(text));
    }
    if let Some(whole) = text.strip_suffix(".0") {
        return digits(whole, member);
    }
    let readable = |found: char| matches!(found, ' ' | '-' | '+' | '(' | ')' | '.');
    let only = member.name == "Ph" && text.chars().all(|found| found.is_ascii_digit() || readable(found));
    only.then(|| text.chars().filter(char::is_ascii_digit).collect::<String>().into())
}

/// `1.12E+14`: what a spreadsheet shows of a number whose digits it has lost.
fn is_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let exponent = exponent.strip_prefix('+').unwrap_or_default();
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all(exponent) && all(&mantissa.replacen('.', "", 1))
}

/// A number in JSON form with all its decimals: grouping, currency, signs before and behind, and brackets read by their
/// meaning. Nothing where the grouping does not fit the decimal mark.
pub(crate) fn number(text: &str, decimal: DecimalMark) -> Option<Cow<'_, str>> {
    let text = text.trim();
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
    let (group, mark) = match decimal {
        DecimalMark::Point => (',', '.'),
        DecimalMark::Comma => ('.', ','),
    };
    let (whole, fraction) = rest.split_once(mark).unwrap_or((rest, ""));
    let whole = ungrouped(whole, group)?;
    let (fraction, exponent) = match fraction.split_once(['E', 'e']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (fraction, None),
    };
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

/// A number with at most so many decimals. Noise of binary fractions (`12.300000000000001`) goes without a word.
fn rounded(number: Cow<'_, str>, decimals: u32) -> Read<'_> {
    use rust_decimal::{Decimal, RoundingStrategy};

    let places = usize::try_from(decimals).unwrap_or_default();
    let fraction = number.split_once('.').map_or("", |(_, fraction)| fraction);
    if !number.contains('e') && fraction.len() <= places {
        return Read::plain(number);
    }
    let exact = Decimal::from_scientific(&number).or_else(|_| Decimal::from_str_radix(&number, 10));
    let Ok(exact) = exact else {
        return Read::plain(number);
    };
    let value = exact.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    let noise = Decimal::new(1, 9);
    let note = if (exact - value).abs() < noise { None } else { Some(Note::Rounded) };
    Read { text: value.normalize().to_string().into(), note }
}

/// A date in the order of its source, in ISO order, as eight digits beginning with the year, or with the month by name.
pub(crate) fn date(text: &str, order: DateOrder) -> Option<DocumentDate> {
    let text = text.trim();
    // A time behind the date says nothing about the day; both separators of ISO 8601 occur.
    let day = text.split(['T', ' ']).next().filter(|day| day.len() >= 6).unwrap_or(text);
    let day = if day.bytes().any(|byte| byte.is_ascii_digit()) { day } else { text };
    if day.bytes().all(|byte| byte.is_ascii_digit()) {
        return match day.len() {
            8 => from_parts(day.get(..4)?, day.get(4..6)?, day.get(6..)?),
            5 => day.parse().ok().and_then(serial),
            _ => None,
        };
    }
    if let Some(number) = day.strip_suffix(".0").filter(|number| number.len() == 5) {
        return number.parse().ok().and_then(serial);
    }
    let full = if text.contains(|found: char| found.is_ascii_alphabetic() && found != 'T') { text } else { day };
    let parts: Vec<&str> = full.split(['/', '-', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let [first, second, third, ..] = parts.as_slice() else {
        return None;
    };
    if first.len() == 4 {
        return from_parts(first, second, third);
    }
    match (order, month_by_name(first)) {
        (_, Some(_)) | (DateOrder::MonthFirst, None) if month_by_name(second).is_none() => {
            from_parts(third, first, second)
        }
        _ => from_parts(third, second, first),
    }
}

fn from_parts(year: &str, month: &str, day: &str) -> Option<DocumentDate> {
    let short = |text: &str| text.len() <= 2 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !short(day) || !(year.len() == 2 || year.len() == 4) {
        return None;
    }
    let year: i16 = year.parse().ok()?;
    let year = if year < 100 { year + 2000 } else { year };
    let month = match month_by_name(month) {
        Some(month) => month,
        None => month.parse().ok().filter(|_| short(month))?,
    };
    DocumentDate::from_ymd(year, month, day.parse().ok()?)
}

fn month_by_name(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = text.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| name.starts_with(month))?;
    i8::try_from(at + 1).ok()
}

/// The day of a spreadsheet's serial in its usual calendar, whose day 1 is 1 January 1900 and which has a 29 February
/// of that year that never was.
fn serial(number: i64) -> Option<DocumentDate> {
    let first: Date = if number < 60 { Date::constant(1899, 12, 31) } else { Date::constant(1899, 12, 30) };
    first.checked_add(i64::from(i32::try_from(number).ok()?).days()).ok().map(DocumentDate::from)
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;

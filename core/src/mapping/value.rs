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

use super::number::{DecimalMark, number, rounded};
use crate::date::DocumentDate;
use crate::document::{Form, Member, Pattern};
use crate::spelling::{self, countries, states, units};

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
        // Per cent of what, an amount does not say: `10%` in a column of discounts is no ten rupees.
        Form::Number { .. } if text.ends_with('%') && !member.name.ends_with("Rt") => Read::plain(text),
        Form::Number { decimals, .. } => match number(text, formats.decimal) {
            Some(number) => {
                let (text, is_rounded) = rounded(number, decimals);
                Read { text, note: is_rounded.then_some(Note::Rounded) }
            }
            None => Read::plain(text),
        },
        Form::Text { pattern, .. } => word(text, member, pattern, formats),
        _ => Read::plain(text),
    }
}

/// Without blanks around it; a control character is as little a part of a value, and may stand before an apostrophe.
fn bare(text: &str) -> &str {
    if spelling::is_dense(text) {
        return text;
    }
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
    // Without an early end, so that it is done in blocks.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    if is_plain || !text.contains(|found: char| found.is_control() || found == '\u{a0}') {
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

/// One of a few words, by its code, by what people call it, or by the code before a hyphen, unless what stands behind the
/// hyphen is the name of another one.
fn listed(text: &str, words: &'static [&'static str], member: &Member) -> Option<&'static str> {
    let of = |text: &str| words.iter().find(|word| word.eq_ignore_ascii_case(text.trim())).copied();
    let called = |text: &str| {
        let folded = spelling::fold(text);
        names_of(member.name).iter().find(|(name, _)| *name == folded).and_then(|(_, code)| of(code))
    };
    of(text)
        .or_else(|| called(text))
        .or_else(|| {
            let (code, name) = text.split_once('-')?;
            of(code).filter(|code| called(name).is_none_or(|other| other == *code))
        })
        .or_else(|| of(text.strip_suffix(".0")?))
}

/// What people call the codes of a member.
fn names_of(member: &str) -> Names {
    NAMES.iter().find(|(members, _)| members.contains(&member)).map_or(YES_NO, |(_, table)| *table)
}

/// What people call a code, folded.
type Names = &'static [(&'static str, &'static str)];

const YES_NO: Names = &[("yes", "Y"), ("no", "N"), ("true", "Y"), ("false", "N"), ("1", "Y"), ("0", "N")];

/// By members: those not listed here are asked yes or no. Only words that mean one code whoever writes them: a document
/// of the type "Credit" may be a sale on credit, and "Debit" a memo of one.
const NAMES: [(&[&str], Names); 5] = [
    (&["Typ"], &[("invoice", "INV"), ("taxinvoice", "INV"), ("creditnote", "CRN"), ("debitnote", "DBN")]),
    (
        &["SupTyp"],
        &[
            ("regular", "B2B"),
            ("business", "B2B"),
            ("businessgst", "B2B"),
            ("businesstobusiness", "B2B"),
            ("deemedexport", "DEXP"),
            ("deemedexports", "DEXP"),
            ("sezwithpayment", "SEZWP"),
            ("sezwithpaymentoftax", "SEZWP"),
            ("sezwithoutpayment", "SEZWOP"),
            ("sezwithoutpaymentoftax", "SEZWOP"),
            ("exportwithpayment", "EXPWP"),
            ("exportwithpaymentoftax", "EXPWP"),
            ("exportwithoutpayment", "EXPWOP"),
            ("exportwithoutpaymentoftax", "EXPWOP"),
        ],
    ),
    (
        &["IsServc"],
        &[
            ("yes", "Y"),
            ("no", "N"),
            ("true", "Y"),
            ("false", "N"),
            ("1", "Y"),
            ("0", "N"),
            ("service", "Y"),
            ("services", "Y"),
            ("goods", "N"),
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
            ("roadcumship", "4"),
            ("shiproadcumship", "4"),
            ("shiporroadcumship", "4"),
        ],
    ),
    (
        &["VehType"],
        &[("regular", "R"), ("normal", "R"), ("overdimensional", "O"), ("overdimensionalcargo", "O"), ("odc", "O")],
    ),
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

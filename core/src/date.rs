//! Dates and times as the portal writes them: `DD/MM/YYYY` on documents, `yyyy-MM-dd HH:mm:ss` on replies.
//!
//! The portal keeps Indian Standard Time, five and a half hours ahead of UTC all year, and names no zone.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::zero_filled;

/// Why a text is not the date or time it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the calendar in the form {expected}")]
pub struct DateError {
    expected: &'static str,
}

impl DateError {
    /// The form the text should have.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

/// Indian Standard Time.
#[must_use]
pub fn ist() -> Offset {
    // 19,800 seconds lies far inside the range an offset can have, so the fallback is never taken.
    Offset::from_seconds(19_800).unwrap_or(Offset::UTC)
}

/// The calendar day in India at a moment.
#[must_use]
pub fn ist_date(at: Timestamp) -> Date {
    ist().to_datetime(at).date()
}

/// A date of a document, `DD/MM/YYYY`, that exists in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentDate(Date);

impl DocumentDate {
    const ERROR: DateError = DateError { expected: "DD/MM/YYYY" };

    /// Reads `DD/MM/YYYY`, both digits of day and month written.
    ///
    /// # Errors
    /// When the form differs or the calendar has no such day.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        Self::parse_separated(text, b'/')
    }

    pub(crate) fn parse_separated(text: &str, separator: u8) -> Result<Self, DateError> {
        let [d1, d2, first, m1, m2, second, y1, y2, y3, y4] = text.as_bytes() else {
            return Err(Self::ERROR);
        };
        if *first != separator || *second != separator {
            return Err(Self::ERROR);
        }
        let day = number(&[*d1, *d2]).and_then(|day| i8::try_from(day).ok());
        let month = number(&[*m1, *m2]).and_then(|month| i8::try_from(month).ok());
        let year = number(&[*y1, *y2, *y3, *y4]);
        match (year, month, day) {
            (Some(year), Some(month), Some(day)) => Self::from_ymd(year, month, day).ok_or(Self::ERROR),
            _ => Err(Self::ERROR),
        }
    }

    /// The date of a year, month and day, when the calendar has it.
    #[must_use]
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        Date::new(year, month, day).ok().map(Self)
    }

    /// The date as the calendar type.
    #[must_use]
    pub const fn date(self) -> Date {
        self.0
    }

    /// The ten characters that are written.
    pub(crate) fn characters(self) -> [u8; 10] {
        let two = |value: i8| zero_filled::<2>(u64::try_from(value).unwrap_or_default());
        let ([d1, d2], [m1, m2]) = (two(self.0.day()), two(self.0.month()));
        let [y1, y2, y3, y4] = zero_filled(u64::try_from(self.0.year()).unwrap_or_default());
        [d1, d2, b'/', m1, m2, b'/', y1, y2, y3, y4]
    }

    /// The financial year it lies in, April to March.
    #[must_use]
    pub fn financial_year(self) -> FinancialYear {
        let (year, month) = (self.0.year(), self.0.month());
        FinancialYear { start: if month >= 4 { year } else { year - 1 } }
    }
}

impl From<Date> for DocumentDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl fmt::Display for DocumentDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}/{:02}/{:04}", self.0.day(), self.0.month(), self.0.year())
    }
}

/// A financial year, April to March, written `2025-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FinancialYear {
    start: i16,
}

impl FinancialYear {
    const ERROR: DateError = DateError { expected: "YYYY-YY, the second year following the first" };

    /// The financial year that begins in April of this year.
    #[must_use]
    pub const fn starting(year: i16) -> Option<Self> {
        if year >= 0 && year <= 9999 { Some(Self { start: year }) } else { None }
    }

    /// The calendar year in which it begins.
    #[must_use]
    pub const fn start_year(self) -> i16 {
        self.start
    }

    /// Reads `2025-26`.
    ///
    /// # Errors
    /// When the form differs or the second year does not follow the first.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let [y1, y2, y3, y4, b'-', n1, n2] = text.as_bytes() else {
            return Err(Self::ERROR);
        };
        match (number(&[*y1, *y2, *y3, *y4]), number(&[*n1, *n2])) {
            (Some(start), Some(next)) if (start + 1) % 100 == next => Ok(Self { start }),
            _ => Err(Self::ERROR),
        }
    }
}

impl fmt::Display for FinancialYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.start, (self.start + 1) % 100)
    }
}

/// A moment as the portal states it, `yyyy-MM-dd HH:mm:ss` in Indian Standard Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalTime(DateTime);

impl PortalTime {
    const ERROR: DateError = DateError { expected: "yyyy-MM-dd HH:mm:ss" };

    /// Reads `yyyy-MM-dd HH:mm:ss`.
    ///
    /// # Errors
    /// When the form differs or there is no such moment.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let bytes = text.as_bytes();
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', i1, i2, b':', s1, s2] = bytes else {
            return Err(Self::ERROR);
        };
        let small = |tens: &u8, units: &u8| number(&[*tens, *units]).and_then(|value| i8::try_from(value).ok());
        let year = number(&[*y1, *y2, *y3, *y4]).ok_or(Self::ERROR)?;
        let parts = [small(m1, m2), small(d1, d2), small(h1, h2), small(i1, i2), small(s1, s2)];
        let [Some(month), Some(day), Some(hour), Some(minute), Some(second)] = parts else {
            return Err(Self::ERROR);
        };
        DateTime::new(year, month, day, hour, minute, second, 0).map(Self).map_err(|_| Self::ERROR)
    }

    /// Reads a moment of a reply in every form that either government system has been seen to write.
    ///
    /// The IRP writes `2026-11-05 14:26:00`. The e-way bill system documents `05/11/2026 02:26:00 PM`, and its own
    /// pages (NIC, e-way bill API 1.03, samples of replies) print that with blanks behind it, as `12.00:00 PM`,
    /// as `23:59:59 PM`, and without a blank between date and time. Providers add a `T` and parts of a second,
    /// which are cut. A date without a time is no moment.
    #[must_use]
    pub fn parse_any(text: &str) -> Option<Self> {
        let mut rest = text.trim().as_bytes();
        let (first, digits) = digits_up_to(&mut rest, 4)?;
        let separator = one_of(&mut rest, b"/-")?;
        let (second, _) = digits_up_to(&mut rest, 2)?;
        one_of(&mut rest, &[separator])?;
        let (year, month, day) = match (digits, separator) {
            (4, b'-') => (first, second, digits_up_to(&mut rest, 2)?.0),
            // Exactly four digits, since the hour may follow without a blank.
            (1 | 2, _) => (digits_up_to(&mut rest, 4).filter(|(_, count)| *count == 4)?.0, second, first),
            _ => return None,
        };
        skip(&mut rest, b" T");
        let hour = digits_up_to(&mut rest, 2)?.0;
        one_of(&mut rest, b":.")?;
        let minute = digits_up_to(&mut rest, 2)?.0;
        one_of(&mut rest, b":.")?;
        let second = digits_up_to(&mut rest, 2)?.0;
        if one_of(&mut rest, b".").is_some() {
            skip(&mut rest, b"0123456789");
        }
        skip(&mut rest, b" ");
        let hour = twenty_four_hours(hour, &rest.to_ascii_uppercase())?;
        let small = |value: i16| i8::try_from(value).ok();
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).map(Self).ok()
    }

    /// The moment a clock shows, in the portal's zone; parts of a second are cut.
    #[must_use]
    pub fn at(timestamp: Timestamp) -> Self {
        let civil = ist().to_datetime(timestamp);
        Self(civil.with().subsec_nanosecond(0).build().unwrap_or(civil))
    }

    /// The civil date and time, without zone.
    #[must_use]
    pub const fn datetime(self) -> DateTime {
        self.0
    }

    /// The calendar day in India.
    #[must_use]
    pub fn date(self) -> Date {
        self.0.date()
    }

    /// The moment on the world's time line; nothing for years at the far end of the calendar.
    #[must_use]
    pub fn to_timestamp(self) -> Option<Timestamp> {
        ist().to_timestamp(self.0).ok()
    }
}

impl fmt::Display for PortalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date(), self.0.time());
        write!(f, "{:04}-{:02}-{:02} ", date.year(), date.month(), date.day())?;
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    }
}

/// A number of one to `most` digits at the beginning, and how many it had.
fn digits_up_to(rest: &mut &[u8], most: usize) -> Option<(i16, usize)> {
    let count = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (head, tail) = rest.split_at_checked(count).filter(|(head, _)| !head.is_empty())?;
    *rest = tail;
    Some((number(head)?, count))
}

/// The first byte, when it is one of these.
fn one_of(rest: &mut &[u8], wanted: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first().filter(|(first, _)| wanted.contains(first))?;
    *rest = tail;
    Some(*first)
}

/// Passes over every leading byte that is one of these.
fn skip(rest: &mut &[u8], unwanted: &[u8]) {
    while one_of(rest, unwanted).is_some() {}
}

/// The hour of the day: `PM` behind an hour of the whole day says nothing new, `AM` would contradict it.
fn twenty_four_hours(hour: i16, half: &[u8]) -> Option<i16> {
    match (half, hour) {
        (b"", 0..=23) | (b"PM", 13..=23) | (b"AM", 0..=11) => Some(hour),
        (b"AM", 12) => Some(0),
        (b"PM", 0..=12) => Some(hour % 12 + 12),
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i16::from(digit - b'0')))
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl FromStr for $name {
            type Err = DateError;

            fn from_str(text: &str) -> Result<Self, DateError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_text!(DocumentDate FinancialYear PortalTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_in_the_one_form_are_dates() {
        assert_eq!(DocumentDate::parse("29/02/2024").unwrap().to_string(), "29/02/2024");
        for text in
            ["29/02/2023", "31/04/2025", "1/04/2025", "01-04-2025", "2025/04/01", "00/01/2025", "", "01/13/2025"]
        {
            assert!(DocumentDate::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_financial_year_turns_in_april() {
        let year = |text: &str| DocumentDate::parse(text).unwrap().financial_year().to_string();
        assert_eq!(year("31/03/2025"), "2024-25");
        assert_eq!(year("01/04/2025"), "2025-26");
        assert_eq!(year("01/04/1999"), "1999-00");
        assert_eq!(FinancialYear::parse("1999-00").unwrap().start_year(), 1999);
        assert!(FinancialYear::parse("2025-27").is_err());
    }

    #[test]
    fn portal_times_are_indian() {
        let time = PortalTime::parse("2022-09-17 17:05:00").unwrap();
        assert_eq!(time.to_timestamp().unwrap(), "2022-09-17T11:35:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(PortalTime::at(time.to_timestamp().unwrap()), time);
        assert_eq!(time.to_string(), "2022-09-17 17:05:00");
        for text in ["2022-09-17", "2022-09-17T17:05:00", "2022-09-17 24:00:00", "2022-02-30 00:00:00"] {
            assert!(PortalTime::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_moment_of_a_reply_is_read_in_every_form_seen() {
        for (text, expected) in [
            ("2023-10-03 15:09:00", "2023-10-03 15:09:00"),
            ("2023-10-03T15:09:00", "2023-10-03 15:09:00"),
            ("2023-10-03 15:09:00.123", "2023-10-03 15:09:00"),
            ("20/09/2022 12:10:00 PM", "2022-09-20 12:10:00"),
            ("20/09/2022 12:10:00 AM", "2022-09-20 00:10:00"),
            ("20/09/2022 01:10:00 pm", "2022-09-20 13:10:00"),
            ("20/09/2022 13:10:00", "2022-09-20 13:10:00"),
            ("10/12/2017 10:45:00 AM  ", "2017-12-10 10:45:00"),
            ("17/12/2017 12.00:00 PM", "2017-12-17 12:00:00"),
            ("13/12/2018 23:59:59 PM", "2018-12-13 23:59:59"),
            ("05/06/201802:08:00 PM", "2018-06-05 14:08:00"),
            ("05/06/2018 02:08:00PM", "2018-06-05 14:08:00"),
            ("05-06-2018 02:08:00 PM", "2018-06-05 14:08:00"),
            ("5/6/2018 2:08:00 PM", "2018-06-05 14:08:00"),
        ] {
            assert_eq!(PortalTime::parse_any(text).unwrap().to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_names_no_one_moment_is_none() {
        for text in [
            "",
            "-",
            "20/09/2022",
            "20/09/2022 23:10:00 AM",
            "31/02/2022 10:00:00",
            "20/09/2022 1:1 XX",
            "20/09/22 10:00:00",
            "2022/09/20 10:00:00",
            "20/09-2022 10:00:00",
            "20/09/2022 25:00:00",
            "null",
        ] {
            assert_eq!(PortalTime::parse_any(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_moment_or_none_without_a_panic(text in "\\PC{0,30}", near in "[0-9]{1,4}[/-][0-9]{1,3}[/-][0-9]{2,6}[ T]?[0-9]{1,3}[:.][0-9:.]{0,6} ?(AM|PM)?") {
            let _either = PortalTime::parse_any(&text);
            let _either = PortalTime::parse_any(&near);
        }
    }

    #[test]
    fn the_indian_day_begins_at_half_past_six_in_the_evening_utc() {
        assert_eq!(ist_date("2025-05-31T18:29:59Z".parse().unwrap()), jiff::civil::date(2025, 5, 31));
        assert_eq!(ist_date("2025-05-31T18:30:00Z".parse().unwrap()), jiff::civil::date(2025, 6, 1));
    }
}

//! Indian Standard Time, in which the portal reads and writes every date.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Timestamp, Unit};

/// Seconds between UTC and IST (UTC+05:30, no daylight saving).
const IST_SECONDS: i32 = 19_800;

/// The civil time in India at a moment.
pub(crate) fn civil(moment: Timestamp) -> DateTime {
    Offset::from_seconds(IST_SECONDS).unwrap_or(Offset::UTC).to_datetime(moment)
}

/// `yyyy-MM-dd HH:mm:ss`.
pub(crate) fn stamp(moment: Timestamp) -> String {
    civil(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `yyyy-MM-dd HH:mm:ss`, rounded to the minute: the outer `AckDt` (two observed replies show
/// 15:09:00 for 15:08:39 and 16:43:00 for 16:42:38).
pub(crate) fn minute_stamp(moment: Timestamp) -> String {
    let rounded = civil(moment).round(Unit::Minute).unwrap_or_else(|_| civil(moment));
    rounded.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads `dd/MM/yyyy`.
pub(crate) fn document_date(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (day.len(), month.len(), year.len()) != (2, 2, 4) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// The financial year of a date as the portal writes it: `2026-27`, from April to March.
pub(crate) fn financial_year(date: Date) -> String {
    let first = if date.month() >= 4 { date.year() } else { date.year().saturating_sub(1) };
    format!("{first:04}-{:02}", first.saturating_add(1).rem_euclid(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_financial_year_runs_from_april_to_march() {
        assert_eq!(financial_year(document_date("31/03/2023").unwrap()), "2022-23");
        assert_eq!(financial_year(document_date("01/04/1999").unwrap()), "1999-00");
    }

    #[test]
    fn the_outer_acknowledgement_is_rounded_to_the_minute() {
        let moment = "2023-10-03T09:38:39Z".parse().unwrap();
        assert_eq!(
            (stamp(moment).as_str(), minute_stamp(moment).as_str()),
            ("2023-10-03 15:08:39", "2023-10-03 15:09:00")
        );
    }

    #[test]
    fn a_date_that_is_not_in_the_calendar_is_none() {
        assert_eq!(document_date("30/02/2026"), None);
        assert_eq!(document_date("1/02/2026"), None);
    }
}

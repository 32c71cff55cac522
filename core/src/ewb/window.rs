//! Until when each step may be taken, so that a step outside its time is refused here and not by the portal,
//! where each refusal counts against the account. Each window has the portal's code and names its deadline.
//!
//! Sources: NIC, e-way bill API 1.03 and its announcements of 1 January 2025; NIC, Cancel IRN 1.03.

use std::fmt;

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::date::{DocumentDate, PortalTime, ist, ist_date};

/// Hours in which an IRN can be cancelled after its acknowledgement (code 2270).
pub const IRN_CANCEL_HOURS: i64 = 24;
/// Hours in which a bill can be cancelled by its maker, counted from the making (code 315) or, by the newer text, from
/// Part B (728).
pub const EWB_CANCEL_HOURS: i64 = 24;
/// Hours in which the other party can reject a bill (code 346; 345 once its validity is over).
pub const EWB_REJECT_HOURS: i64 = 72;
/// Hours before and after the end of validity in which it can be extended (code 382).
pub const EWB_EXTEND_HOURS: i64 = 8;
/// Most days between a document's date and its bill (code 820).
pub const EWB_DOCUMENT_DAYS: i32 = 180;

/// A time in which something may be done; open at an end that is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a beginning and an end")]
pub struct Window {
    /// First moment.
    pub opens: Option<Timestamp>,
    /// First moment at which it is too late.
    pub closes: Option<Timestamp>,
}

/// Why a step cannot be taken now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what} {}", self.when())]
pub struct WindowShut {
    /// What was to be done, as in `an IRN can be cancelled`.
    pub what: String,
    /// When it could have been, or can be, done.
    pub window: Window,
    /// It is too early, not too late.
    pub too_early: bool,
    /// The portal's code for it.
    pub code: String,
}

impl Window {
    /// Until so many hours after a moment that has been. It has no beginning: portals round their times to the
    /// minute, upwards too, and their clocks may be ahead of ours.
    #[must_use]
    pub fn hours_from(start: PortalTime, hours: i64) -> Self {
        let start = start.to_timestamp();
        Self { opens: None, closes: start.and_then(|start| start.checked_add(SignedDuration::from_hours(hours)).ok()) }
    }

    /// The time to cancel an IRN of this acknowledgement.
    #[must_use]
    pub fn irn_cancel(acknowledged: PortalTime) -> Self {
        Self::hours_from(acknowledged, IRN_CANCEL_HOURS)
    }

    /// The time for its maker to cancel a bill that was made, or got its Part B, at a moment.
    #[must_use]
    pub fn ewb_cancel(start: PortalTime) -> Self {
        Self::hours_from(start, EWB_CANCEL_HOURS)
    }

    /// The time for the other party to reject a bill: 72 hours, and inside its validity.
    #[must_use]
    pub fn ewb_reject(made: PortalTime, valid_till: Option<PortalTime>) -> Self {
        let Self { opens, closes } = Self::hours_from(made, EWB_REJECT_HOURS);
        let end = valid_till.and_then(after);
        Self { opens, closes: closes.map(|closes| end.map_or(closes, |end| closes.min(end))) }
    }

    /// The portal's code for a rejection that comes too late: 346 after the 72 hours, 345 within them, when the
    /// validity is over.
    #[must_use]
    pub fn ewb_reject_code(made: Option<PortalTime>, now: Timestamp) -> &'static str {
        let is_within = made.is_some_and(|made| Self::hours_from(made, EWB_REJECT_HOURS).is_open(now));
        if is_within { "345" } else { "346" }
    }

    /// The time to change Part B or the transporter: while the bill is valid.
    #[must_use]
    pub fn ewb_valid(valid_till: Option<PortalTime>) -> Self {
        Self { opens: None, closes: valid_till.and_then(after) }
    }

    /// The time to extend a bill: eight hours before the end of its validity to eight hours after.
    #[must_use]
    pub fn ewb_extend(valid_till: PortalTime) -> Self {
        let end = valid_till.to_timestamp();
        let eight = SignedDuration::from_hours(EWB_EXTEND_HOURS);
        Self {
            opens: end.and_then(|end| end.checked_sub(eight).ok()),
            closes: end.and_then(|end| end.checked_add(eight).ok()),
        }
    }

    /// The time to make a bill for a document: 180 days from its date. It has no beginning, as the portal's clock may
    /// be ahead of ours, and 820 is the code of a document that is too old.
    #[must_use]
    pub fn ewb_generate(document: DocumentDate) -> Self {
        let last = document.date().checked_add((EWB_DOCUMENT_DAYS + 1).days());
        Self { opens: None, closes: last.ok().and_then(midnight) }
    }

    /// The time to declare a bill closed: until the end of the day after its validity.
    #[must_use]
    pub fn ewb_close(valid_till: PortalTime) -> Self {
        let last = valid_till.date().checked_add(2.days());
        Self { opens: None, closes: last.ok().and_then(midnight) }
    }

    /// Whether a moment lies inside.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.opens.is_none_or(|opens| now >= opens) && self.closes.is_none_or(|closes| now < closes)
    }

    /// Refuses a moment outside.
    ///
    /// # Errors
    /// With the deadline and the portal's code.
    pub fn check(&self, now: Timestamp, what: &str, code: &str) -> Result<(), WindowShut> {
        if self.is_open(now) {
            return Ok(());
        }
        let too_early = self.opens.is_some_and(|opens| now < opens);
        Err(WindowShut { what: what.to_owned(), window: *self, too_early, code: code.to_owned() })
    }

    /// What is left of it; nothing when it has no end, negative once it is over.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        self.closes.map(|closes| closes.duration_since(now))
    }
}

impl WindowShut {
    fn when(&self) -> String {
        let shown = |at: Option<Timestamp>| at.map_or_else(|| "?".to_owned(), |at| At(at).to_string());
        if self.too_early {
            format!("only from {} on", shown(self.window.opens))
        } else {
            format!("only before {}; that time is over", shown(self.window.closes))
        }
    }
}

/// A moment for people: `05/11/2026 14:26 IST`.
#[derive(Debug, Clone, Copy)]
struct At(Timestamp);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} IST", ist().to_datetime(self.0).strftime("%d/%m/%Y %H:%M"))
    }
}

/// The first moment after a minute such as 23:59:00 that still counts whole; some replies write 23:59:59.
fn after(end: PortalTime) -> Option<Timestamp> {
    let seconds = i64::from(end.datetime().second());
    end.to_timestamp()?.checked_add(SignedDuration::from_secs(60 - seconds)).ok()
}

fn midnight(day: jiff::civil::Date) -> Option<Timestamp> {
    ist().to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// The calendar day in India, for dates that must not lie ahead.
#[must_use]
pub fn today(now: Timestamp) -> DocumentDate {
    ist_date(now).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> PortalTime {
        PortalTime::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        time(text).to_timestamp().unwrap()
    }

    #[test]
    fn an_irn_can_be_cancelled_for_24_hours_and_not_a_second_longer() {
        let window = Window::irn_cancel(time("2026-11-05 14:26:00"));
        assert!(window.is_open(at("2026-11-06 14:25:59")));
        assert!(window.is_open(at("2026-11-05 14:25:31")), "an acknowledgement is rounded up to the minute");
        let shut = window.check(at("2026-11-06 14:26:00"), "an IRN can be cancelled", "2270").unwrap_err();
        assert_eq!(shut.to_string(), "an IRN can be cancelled only before 06/11/2026 14:26 IST; that time is over");
        assert!(!shut.too_early);
    }

    #[test]
    fn a_bill_can_be_extended_from_eight_hours_before_its_end_to_eight_hours_after() {
        let window = Window::ewb_extend(time("2026-11-06 23:59:00"));
        assert!(!window.is_open(at("2026-11-06 15:58:59")) && window.is_open(at("2026-11-06 15:59:00")));
        assert!(window.is_open(at("2026-11-07 07:58:59")) && !window.is_open(at("2026-11-07 07:59:00")));
        let early = window.check(at("2026-11-06 10:00:00"), "the validity can be extended", "382").unwrap_err();
        assert_eq!(early.to_string(), "the validity can be extended only from 06/11/2026 15:59 IST on");
        assert!(early.too_early);
    }

    #[test]
    fn a_validity_ends_with_its_day_whether_its_seconds_are_written_or_not() {
        let closes = |end: &str| Window::ewb_valid(Some(time(end))).closes;
        assert_eq!(closes("2026-11-06 23:59:00"), Some(at("2026-11-07 00:00:00")));
        assert_eq!(closes("2026-11-06 23:59:59"), Some(at("2026-11-07 00:00:00")));
    }

    #[test]
    fn a_rejection_ends_with_the_validity_where_that_is_shorter() {
        let made = time("2026-11-05 10:00:00");
        assert_eq!(Window::ewb_reject(made, None).closes, Some(at("2026-11-08 10:00:00")));
        assert_eq!(Window::ewb_reject(made, Some(time("2026-11-06 23:59:00"))).closes, Some(at("2026-11-07 00:00:00")));
        assert_eq!(Window::ewb_reject_code(Some(made), at("2026-11-07 00:00:00")), "345");
        assert_eq!(Window::ewb_reject_code(Some(made), at("2026-11-08 10:00:00")), "346");
    }

    #[test]
    fn a_bill_can_be_made_for_a_document_of_180_days_ago_and_not_of_181() {
        // On 01/01/2025 nothing dated before 05/07/2024.
        let of = |text: &str| Window::ewb_generate(DocumentDate::parse(text).unwrap());
        let now = at("2025-01-01 12:00:00");
        assert!(of("05/07/2024").is_open(now));
        assert!(!of("04/07/2024").is_open(now));
        assert!(of("02/01/2025").is_open(now), "no document is too old before its day");
    }
}

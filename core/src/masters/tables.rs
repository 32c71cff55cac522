//! The lists as static tables, and the searches in them.
//!
//! `core/build.rs` writes the tables from `core/data/masters`. Everything is a sorted array: a look-up is one or two
//! binary searches, allocates nothing, and nothing has to be read or parsed before the first.

use jiff::civil::date;

use super::entry::{HsnLists, PinStates, PlaceOfSupply, RateSpan, State};
use crate::identifier::{HsnCode, StateCode};
use crate::number::Rate;

include!(concat!(env!("OUT_DIR"), "/masters.rs"));

/// Codes of one width, sorted; their names in a row; and where in the row each name ends.
#[derive(Debug)]
pub(super) struct Table<const WIDTH: usize> {
    codes: &'static [[u8; WIDTH]],
    names: &'static str,
    ends: &'static [u16],
}

impl<const WIDTH: usize> Table<WIDTH> {
    /// Code and name of a code in any case.
    pub(super) fn find(&'static self, code: &str) -> Option<(&'static str, &'static str)> {
        let mut key: [u8; WIDTH] = code.as_bytes().try_into().ok()?;
        key.make_ascii_uppercase();
        self.entry(self.codes.binary_search(&key).ok()?)
    }

    pub(super) fn entry(&'static self, index: usize) -> Option<(&'static str, &'static str)> {
        let code = std::str::from_utf8(self.codes.get(index)?).ok()?;
        let start = match index.checked_sub(1) {
            Some(before) => usize::from(*self.ends.get(before)?),
            None => 0,
        };
        Some((code, self.names.get(start..usize::from(*self.ends.get(index)?))?))
    }

    pub(super) fn iter(&'static self) -> impl Iterator<Item = (&'static str, &'static str)> {
        (0..self.codes.len()).filter_map(|index| self.entry(index))
    }
}

/// Units, by their code.
pub(super) static UNIT_TABLE: &Table<3> = &UNITS;
/// Countries, by their code.
pub(super) static COUNTRY_TABLE: &Table<2> = &COUNTRIES;
/// Currencies, by their code.
pub(super) static CURRENCY_TABLE: &Table<3> = &CURRENCIES;
/// Ports, by their code.
pub(super) static PORT_TABLE: &Table<6> = &PORTS;
/// Short names of HSN chapters, by their two digits.
pub(super) static CHAPTER_TABLE: &Table<2> = &CHAPTERS;
/// Short names of headings, by their four digits; those of services have one.
pub(super) static HEADING_TABLE: &Table<4> = &NAMED_HEADINGS;

const fn state(number: u8) -> StateCode {
    match StateCode::from_number(number) {
        Some(code) => code,
        // The build step lets no other number through.
        None => StateCode::OTHER_COUNTRY,
    }
}

pub(super) fn states() -> &'static [State<'static>] {
    &STATES
}

pub(super) fn find_state(code: StateCode) -> Option<State<'static>> {
    STATES.get(STATES.binary_search_by_key(&code, |state| state.code).ok()?).copied()
}

pub(super) fn rates() -> &'static [RateSpan<'static>] {
    &RATES
}

pub(super) fn find_rate(rate: Rate) -> Option<RateSpan<'static>> {
    RATES.get(RATES.binary_search_by_key(&rate, |span| span.rate).ok()?).copied()
}

/// Four digits, and where the codes below them begin in [`SIX`] and [`EIGHT`]; they end where the next begin.
#[derive(Debug)]
struct Heading {
    number: u16,
    six: u16,
    eight: u16,
    /// 0 where the four digits themselves are no code, 1 when both lists have them, 2 when only the GST portal's has.
    listing: u8,
}

/// Mark of a code of six digits that only the GST portal's list has; the other bits are the last two digits.
const SIX_GST_ONLY: u8 = 0x80;
/// Mark of a code of eight digits that only the GST portal's list has; the other bits are the last four digits.
const EIGHT_GST_ONLY: u16 = 0x8000;

/// Which lists have a code; nothing when none has.
pub(super) fn find_hsn(code: HsnCode) -> Option<HsnLists> {
    let heading = u16::try_from(code.heading()).ok()?;
    let index = HEADINGS.binary_search_by_key(&heading, |entry| entry.number).ok()?;
    let (this, next) = (HEADINGS.get(index)?, HEADINGS.get(index + 1)?);
    let gst_only = match code.digits() {
        4 => match this.listing {
            0 => return None,
            listing => listing == 2,
        },
        6 => {
            let below = SIX.get(usize::from(this.six)..usize::from(next.six))?;
            let last = u8::try_from(code.number() % 100).ok()?;
            below.get(below.binary_search_by_key(&last, |entry| entry & !SIX_GST_ONLY).ok()?)? & SIX_GST_ONLY != 0
        }
        _ => {
            let below = EIGHT.get(usize::from(this.eight)..usize::from(next.eight))?;
            let last = u16::try_from(code.number() % 10_000).ok()?;
            below.get(below.binary_search_by_key(&last, |entry| entry & !EIGHT_GST_ONLY).ok()?)? & EIGHT_GST_ONLY != 0
        }
    };
    if !gst_only {
        return Some(HsnLists::Both);
    }
    let refused = REFUSED.contains(&(code.digits(), code.number()));
    Some(if refused { HsnLists::Refused } else { HsnLists::GstOnly })
}

/// Every code, as its digits are read: headings first, then the longer codes below each.
pub(super) fn hsn_codes() -> impl Iterator<Item = String> {
    HEADINGS.iter().zip(HEADINGS.iter().skip(1)).flat_map(|(this, next)| {
        let heading = format!("{:04}", this.number);
        let four = (this.listing != 0).then(|| heading.clone());
        let six = SIX.get(usize::from(this.six)..usize::from(next.six)).unwrap_or_default();
        let eight = EIGHT.get(usize::from(this.eight)..usize::from(next.eight)).unwrap_or_default();
        let six = six.iter().map(|entry| format!("{heading}{:02}", entry & !SIX_GST_ONLY));
        let eight = eight.iter().map(|entry| format!("{heading}{:04}", entry & !EIGHT_GST_ONLY));
        let mut codes: Vec<String> = four.into_iter().chain(six).chain(eight).collect();
        codes.sort_unstable();
        codes
    })
}

/// The first three digits of PINs, the states these lie in, and where their last three begin in [`SUFFIXES`].
#[derive(Debug)]
struct Prefix {
    number: u16,
    first: u16,
    states: [u8; PinStates::MAX],
}

/// The bits of a suffix that are the last three digits.
const SUFFIX_DIGITS: u16 = 0x3ff;
/// The bit of a suffix for each state of its prefix.
const SUFFIX_STATES: [u16; PinStates::MAX] = [0x400, 0x800, 0x1000];

impl Prefix {
    /// The states whose bit is set.
    fn states(&self, bits: u16) -> PinStates {
        let states = self.states.into_iter().zip(SUFFIX_STATES);
        PinStates::new(states.filter(|(_, bit)| bits & bit != 0).filter_map(|(state, _)| StateCode::from_number(state)))
    }
}

/// States of a PIN of the directory, or those of its first three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundPin {
    Pin(PinStates),
    Prefix(PinStates),
}

pub(super) fn find_pin(pin: u32) -> Option<FoundPin> {
    let number = u16::try_from(pin / 1000).ok()?;
    let index = PREFIXES.binary_search_by_key(&number, |prefix| prefix.number).ok()?;
    // The last entry ends the table, stands for no PIN, and has none after it.
    let (this, next) = (PREFIXES.get(index)?, PREFIXES.get(index + 1)?);
    let suffixes = SUFFIXES.get(usize::from(this.first)..usize::from(next.first))?;
    let suffix = u16::try_from(pin % 1000).ok()?;
    let found = suffixes.binary_search_by_key(&suffix, |entry| entry & SUFFIX_DIGITS).ok();
    match found.and_then(|index| suffixes.get(index)) {
        Some(entry) => Some(FoundPin::Pin(this.states(*entry))),
        None => Some(FoundPin::Prefix(this.states(u16::MAX))),
    }
}

/// Every PIN with its states.
pub(super) fn pins() -> impl Iterator<Item = (u32, PinStates)> {
    PREFIXES.iter().zip(PREFIXES.iter().skip(1)).flat_map(|(this, next)| {
        let suffixes = SUFFIXES.get(usize::from(this.first)..usize::from(next.first)).unwrap_or_default();
        suffixes
            .iter()
            .map(|entry| (u32::from(this.number) * 1000 + u32::from(entry & SUFFIX_DIGITS), this.states(*entry)))
    })
}

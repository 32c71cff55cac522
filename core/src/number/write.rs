//! Writes a count of smallest units as the number it stands for.

use std::fmt;

#[inline]
fn split_scaled(units: i64, places: u32) -> (&'static str, u64, u64, usize) {
    let sign = if units < 0 { "-" } else { "" };
    let power = 10_u64.pow(places);
    let magnitude = units.unsigned_abs();
    let (whole, mut fraction) = (magnitude / power, magnitude % power);
    let mut width = usize::try_from(places).unwrap_or_default();
    while fraction != 0 && fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    (sign, whole, fraction, width)
}

pub(super) fn display_scaled(units: i64, places: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (sign, whole, fraction, width) = split_scaled(units, places);
    if fraction == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction:0width$}") }
}

/// A count of smallest units as the number it stands for.
pub(crate) fn units_to_string(units: i64, places: u32) -> String {
    let mut out = Vec::new();
    write_scaled(units, places, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes digits by hand, last one first: this is the hot path of the payload, and `fmt` costs several times as much.
#[inline]
pub(super) fn write_scaled(units: i64, places: u32, out: &mut Vec<u8>) {
    let (mut rest, mut width) = (units.unsigned_abs(), places);
    while width > 0 && rest % 10 == 0 {
        rest /= 10;
        width -= 1;
    }
    // Nineteen digits, a point and a sign.
    let mut buffer = [0_u8; 24];
    let mut start = buffer.len();
    let mut put = |byte: u8| {
        start -= 1;
        if let Some(slot) = buffer.get_mut(start) {
            *slot = byte;
        }
    };
    if width > 0 {
        for _ in 0..width {
            put(digit(rest));
            rest /= 10;
        }
        put(b'.');
    }
    put(digit(rest));
    rest /= 10;
    while rest != 0 {
        put(digit(rest));
        rest /= 10;
    }
    if units < 0 {
        put(b'-');
    }
    out.extend_from_slice(buffer.get(start..).unwrap_or_default());
}

/// The last digits of a number, as characters.
#[inline]
pub(crate) fn zero_filled<const N: usize>(mut value: u64) -> [u8; N] {
    let mut characters = [b'0'; N];
    for character in characters.iter_mut().rev() {
        *character = digit(value);
        value /= 10;
    }
    characters
}

/// The last digit of a number as a character.
#[inline]
fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value % 10).unwrap_or_default()
}

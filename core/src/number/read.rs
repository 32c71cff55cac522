//! Reads JSON number syntax exactly: plain numbers in one pass, all others with care.

use super::NumberError;

/// Most digits that are read without a check for overflow: any eighteen of them fit.
const PLAIN_DIGITS: usize = 18;

/// Reads the number a text begins with, when it is a plain one: no sign, no exponent, no more than `places`
/// decimals, not too many digits. Gives its value in units of the last place, and its length in bytes.
///
/// Nearly every number of nearly every invoice is plain, and so is read in one pass, without the care
/// [`parse_with_care`] takes of the others.
#[inline]
pub(crate) fn plain_number(bytes: &[u8], places: u32) -> Option<(i64, usize)> {
    let (whole, units) = plain_digits(bytes, 0);
    if whole == 0 || (whole > 1 && bytes.first() == Some(&b'0')) {
        return None;
    }
    let (units, decimals, length) = match bytes.get(whole) {
        Some(b'.') => {
            let (decimals, units) = plain_digits(bytes.get(whole + 1..)?, units);
            (units, decimals, whole + 1 + decimals)
        }
        _ => (units, 0, whole),
    };
    let spare = usize::try_from(places).ok()?.checked_sub(decimals)?;
    let ended = !matches!(bytes.get(length), Some(b'.' | b'e' | b'E'));
    if !ended || whole + decimals + spare > PLAIN_DIGITS || (decimals == 0 && length > whole) {
        return None;
    }
    let shift = [1, 10, 100, 1_000].get(spare)?;
    Some((i64::try_from(units * shift).ok()?, length))
}

/// Appends the digits a text begins with to a number; gives how many there are as well. Beyond
/// [`PLAIN_DIGITS`] the number is of no use.
#[inline]
fn plain_digits(bytes: &[u8], mut units: u64) -> (usize, u64) {
    let mut count = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        units = units.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (count, units)
}

/// What one pass over the digits finds: `mantissa x 10^zeros / 10^decimals`, the mantissa ending in no zero.
#[derive(Default)]
struct Digits {
    mantissa: u64,
    zeros: i64,
    decimals: i64,
    overflow: bool,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if digit == b'0' {
            self.zeros += i64::from(self.mantissa != 0);
            return;
        }
        let pushed = power_of_ten(self.zeros + 1)
            .and_then(|power| self.mantissa.checked_mul(power))
            .and_then(|value| value.checked_add(u64::from(digit - b'0')));
        match pushed {
            Some(value) => self.mantissa = value,
            None if self.mantissa == 0 => self.mantissa = u64::from(digit - b'0'),
            None => self.overflow = true,
        }
        self.zeros = 0;
    }
}

#[inline]
pub(super) fn parse_scaled(text: &str, places: u32) -> Result<i64, NumberError> {
    match plain_number(text.as_bytes(), places) {
        Some((units, length)) if length == text.len() => Ok(units),
        _ => parse_with_care(text, places),
    }
}

pub(super) fn parse_with_care(text: &str, places: u32) -> Result<i64, NumberError> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut digits = Digits::default();
    let (whole, rest) = split_digits(unsigned);
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return Err(NumberError::NotANumber);
    }
    for digit in whole {
        digits.push(*digit);
    }
    let rest = match rest {
        [b'.', after @ ..] => {
            let (fraction, rest) = split_digits(after);
            if fraction.is_empty() {
                return Err(NumberError::NotANumber);
            }
            for digit in fraction {
                digits.push(*digit);
            }
            digits.decimals = i64::try_from(fraction.len()).map_err(|_| NumberError::OutOfRange)?;
            rest
        }
        rest => rest,
    };
    let exponent = parse_exponent(rest)?;
    if digits.mantissa == 0 {
        return Ok(0);
    }
    let shift = (digits.zeros - digits.decimals).saturating_add(exponent).saturating_add(i64::from(places));
    if shift < 0 {
        return Err(NumberError::TooManyDecimals { allowed: places });
    }
    let magnitude = power_of_ten(shift)
        .filter(|_| !digits.overflow)
        .and_then(|power| power.checked_mul(digits.mantissa))
        .ok_or(NumberError::OutOfRange)?;
    let value = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { 0_i64.checked_add_unsigned(magnitude) };
    value.ok_or(NumberError::OutOfRange)
}

/// 10 to this power, where it fits: a look-up, which costs less than a power.
fn power_of_ten(exponent: i64) -> Option<u64> {
    const POWERS: [u64; 20] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
        1_000_000_000,
        10_000_000_000,
        100_000_000_000,
        1_000_000_000_000,
        10_000_000_000_000,
        100_000_000_000_000,
        1_000_000_000_000_000,
        10_000_000_000_000_000,
        100_000_000_000_000_000,
        1_000_000_000_000_000_000,
        10_000_000_000_000_000_000,
    ];
    usize::try_from(exponent).ok().and_then(|exponent| POWERS.get(exponent)).copied()
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

fn parse_exponent(bytes: &[u8]) -> Result<i64, NumberError> {
    let [b'e' | b'E', rest @ ..] = bytes else {
        return if bytes.is_empty() { Ok(0) } else { Err(NumberError::NotANumber) };
    };
    let (negative, unsigned) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let (figures, after) = split_digits(unsigned);
    if figures.is_empty() || !after.is_empty() {
        return Err(NumberError::NotANumber);
    }
    // Saturation is harmless: beyond a few thousand the number is out of range or has too many decimals.
    let magnitude = figures
        .iter()
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(1_000_000_000));
    Ok(if negative { -magnitude } else { magnitude })
}

/// Why a text is no number of so many decimals; nothing when it is one.
pub(crate) fn fault(text: &str, places: u32) -> Option<NumberError> {
    parse_scaled(text, places).err()
}

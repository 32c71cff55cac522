//! Identifiers of the GST system: GSTIN, PAN, state code, HSN code and document number.
//!
//! Each is parsed once, at the edge, and cannot hold a malformed value afterwards. Forms are those of the INV-01
//! schema, which is wide on purpose (a GSTIN of a test system fails the check digit and is still of the form);
//! finer rules stand in the [`rulebook`](crate::rulebook).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::number;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: expected {expected}")]
pub struct IdentifierError {
    what: &'static str,
    expected: &'static str,
}

impl IdentifierError {
    pub(crate) const fn new(what: &'static str, expected: &'static str) -> Self {
        Self { what, expected }
    }

    /// The form the identifier has, for a finding.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

/// Alphabet of the check character; a character's value is its position.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A GST identification number: two digits of state, ten characters of PAN, entity, class and check character.
///
/// `Display` gives it whole, for payloads and people entitled to it; `Debug` masks the PAN, so that a log that
/// prints a structure does not carry it.
///
/// ```
/// use einvoice_core::identifier::Gstin;
/// let gstin: Gstin = "27AAPFU0939F1ZV".parse()?;
/// assert!(gstin.check_digit_ok());
/// assert_eq!(format!("{gstin:?}"), "27AAPxxxxxxx1ZV");
/// # Ok::<(), einvoice_core::identifier::IdentifierError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gstin([u8; 15]);

impl Gstin {
    const ERROR: IdentifierError =
        IdentifierError::new("GSTIN", "15 characters: two digits, then 13 digits or capital letters");

    /// Reads the form of the schema, `^[0-9]{2}[0-9A-Z]{13}$`.
    ///
    /// # Errors
    /// When the text has another form; the check character is a separate question.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let bytes: [u8; 15] = text.as_bytes().try_into().map_err(|_| Self::ERROR)?;
        let [first, second, rest @ ..] = &bytes;
        let formed = first.is_ascii_digit()
            && second.is_ascii_digit()
            && rest.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if formed { Ok(Self(bytes)) } else { Err(Self::ERROR) }
    }

    /// The fifteen characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The state the first two digits name; nothing for `00`.
    #[must_use]
    pub fn state(&self) -> Option<StateCode> {
        let [tens, units, ..] = self.0;
        StateCode::from_number((tens - b'0') * 10 + (units - b'0'))
    }

    /// The PAN inside, when those ten characters have its form (those of UIN and OIDAR holders do not).
    #[must_use]
    pub fn pan(&self) -> Option<Pan> {
        let [_, _, pan @ .., _, _, _] = self.0;
        Pan::from_bytes(pan).ok()
    }

    /// The check character of fourteen characters; nothing when one is outside `0-9A-Z`.
    ///
    /// Weights 1, 2, 1, 2 ... from the left; quotient and remainder by 36 of each product are summed, and the
    /// check value brings the sum to a multiple of 36.
    #[must_use]
    pub fn check_character(first_fourteen: &[u8; 14]) -> Option<char> {
        let mut sum = 0_usize;
        let mut weight = 1;
        for byte in first_fourteen {
            let value = ALPHABET.iter().position(|letter| letter == byte)? * weight;
            sum += value / 36 + value % 36;
            weight = 3 - weight;
        }
        ALPHABET.get((36 - sum % 36) % 36).copied().map(char::from)
    }

    /// The check character this number should end in.
    #[must_use]
    pub fn expected_check_character(&self) -> Option<char> {
        let [first_fourteen @ .., _] = &self.0;
        Self::check_character(first_fourteen)
    }

    /// True when the last character is the check character of the others. GSTINs of test systems fail this.
    #[must_use]
    pub fn check_digit_ok(&self) -> bool {
        let [.., last] = self.0;
        self.expected_check_character() == Some(char::from(last))
    }
}

impl fmt::Display for Gstin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Gstin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        let (head, tail) = (text.get(..5).unwrap_or_default(), text.get(12..).unwrap_or_default());
        write!(f, "{head}xxxxxxx{tail}")
    }
}

/// A permanent account number of the income tax department: five letters, four digits, a letter.
///
/// GSTINs of deductors and government offices hold a variant (TAN form); both are read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pan([u8; 10]);

impl Pan {
    const ERROR: IdentifierError = IdentifierError::new("PAN", "five letters, four digits and a letter, in capitals");

    /// Reads ten characters of PAN or TAN form.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let bytes = text.as_bytes().try_into().map_err(|_| Self::ERROR)?;
        Self::from_bytes(bytes)
    }

    fn from_bytes(bytes: [u8; 10]) -> Result<Self, IdentifierError> {
        let [head @ .., fifth, b5, b6, b7, b8, last] = &bytes;
        let formed = head.iter().all(u8::is_ascii_uppercase)
            && (fifth.is_ascii_uppercase() || fifth.is_ascii_digit())
            && [b5, b6, b7, b8].iter().all(|byte| byte.is_ascii_digit())
            && last.is_ascii_uppercase();
        if formed { Ok(Self(bytes)) } else { Err(Self::ERROR) }
    }

    /// The ten characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        write!(f, "{}xxxxxx{}", text.get(..3).unwrap_or_default(), text.get(9..).unwrap_or_default())
    }
}

/// A GST state code, 1 to 99; `9` and `09` are the same state, and two digits are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateCode(u8);

impl StateCode {
    const ERROR: IdentifierError = IdentifierError::new("state code", "one or two digits, not zero");
    /// Other countries: place of supply and recipient state of an export.
    pub const OTHER_COUNTRY: Self = Self(96);
    /// Other Territory.
    pub const OTHER_TERRITORY: Self = Self(97);

    /// Reads one or two digits, not all zero.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let number = match text.as_bytes() {
            [units] if units.is_ascii_digit() => units - b'0',
            [tens, units] if tens.is_ascii_digit() && units.is_ascii_digit() => (tens - b'0') * 10 + (units - b'0'),
            _ => return Err(Self::ERROR),
        };
        Self::from_number(number).ok_or(Self::ERROR)
    }

    /// The code of this number, when it lies in 1 to 99.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number >= 1 && number <= 99 { Some(Self(number)) } else { None }
    }

    /// The code as a number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The two characters that are written.
    pub(crate) const fn characters(self) -> [u8; 2] {
        [b'0' + self.0 / 10, b'0' + self.0 % 10]
    }
}

impl fmt::Display for StateCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// A harmonised system (goods) or service accounting code of 4, 6 or 8 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HsnCode {
    digits: u32,
    length: u8,
}

impl HsnCode {
    const ERROR: IdentifierError = IdentifierError::new("HSN code", "4, 6 or 8 digits, not all zero");

    /// Reads 4, 6 or 8 digits, not all zero.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let length = match text.len() {
            4 => 4,
            6 => 6,
            8 => 8,
            _ => return Err(Self::ERROR),
        };
        let mut digits = 0_u32;
        for byte in text.bytes() {
            if !byte.is_ascii_digit() {
                return Err(Self::ERROR);
            }
            digits = digits * 10 + u32::from(byte - b'0');
        }
        if digits == 0 { Err(Self::ERROR) } else { Ok(Self { digits, length }) }
    }

    /// Number of digits: 4, 6 or 8.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self.length
    }

    /// True for the codes of services, which begin with 99.
    #[must_use]
    pub const fn is_service(self) -> bool {
        self.chapter() == 99
    }

    /// The chapter: the first two digits.
    #[must_use]
    pub const fn chapter(self) -> u32 {
        self.heading() / 100
    }

    /// The heading: the first four digits.
    #[must_use]
    pub const fn heading(self) -> u32 {
        match self.length {
            4 => self.digits,
            6 => self.digits / 100,
            _ => self.digits / 10_000,
        }
    }

    /// The code as eight characters, filled up with zeros on the left; the last [`digits`](Self::digits) of them
    /// are written.
    pub(crate) fn characters(self) -> [u8; 8] {
        number::zero_filled(self.digits.into())
    }

    /// The code as a number, leading zeros gone; together with [`digits`](Self::digits) it is the code.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.digits
    }
}

impl fmt::Display for HsnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.digits, width = usize::from(self.length))
    }
}

impl fmt::Debug for HsnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HsnCode({self})")
    }
}

/// A document number of 1 to 16 characters: a letter or 1-9, then letters, digits, `/` and `-`.
///
/// It keeps the spelling of the source, and two numbers that differ in case are equal: since 1 June 2025 the
/// portal compares and hashes numbers in capitals.
#[derive(Clone)]
pub struct DocumentNumber(Box<str>);

impl DocumentNumber {
    const ERROR: IdentifierError = IdentifierError::new(
        "document number",
        "1 to 16 characters: first a letter or 1-9, then letters, digits, / and -",
    );

    /// Reads a document number.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let [first, rest @ ..] = text.as_bytes() else {
            return Err(Self::ERROR);
        };
        let formed = text.len() <= 16
            && first.is_ascii_alphanumeric()
            && *first != b'0'
            && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-'));
        if formed { Ok(Self(text.into())) } else { Err(Self::ERROR) }
    }

    /// The number as the source spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number in capitals, as it is compared.
    #[must_use]
    pub fn to_upper(&self) -> String {
        self.0.to_ascii_uppercase()
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|byte| byte.to_ascii_uppercase())
    }
}

impl PartialEq for DocumentNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for DocumentNumber {}

impl PartialOrd for DocumentNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DocumentNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for DocumentNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xff);
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentNumber({})", self.0)
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, IdentifierError> {
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

as_text!(Gstin Pan StateCode HsnCode DocumentNumber);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_check_character_follows_the_published_vectors() {
        assert_eq!(Gstin::check_character(b"27AAPFU0939F1Z"), Some('V'));
        assert_eq!(Gstin::check_character(b"09AAJCM7191E1Z"), Some('5'));
        assert_eq!(Gstin::check_character(b"09aajcm7191e1z"), None);
        assert!(Gstin::parse("27AAPFU0939F1ZV").unwrap().check_digit_ok());
    }

    #[test]
    fn gstins_of_test_systems_have_the_form_and_fail_the_check_character() {
        for text in ["02AMBPG7773M002", "29AAFCD5862R000", "29AABCT1332L000", "34AACCC1596Q002", "29AWGPV7107B1Z1"] {
            assert!(!Gstin::parse(text).unwrap().check_digit_ok(), "{text}");
        }
    }

    #[test]
    fn every_single_changed_character_of_a_gstin_is_noticed() {
        let good = *b"27AAPFU0939F1ZV";
        for position in 2..15 {
            for letter in ALPHABET {
                let mut changed = good;
                changed[position] = *letter;
                let gstin = Gstin::parse(std::str::from_utf8(&changed).unwrap()).unwrap();
                assert_eq!(gstin.check_digit_ok(), changed == good, "{gstin}");
            }
        }
    }

    #[test]
    fn a_gstin_gives_state_and_pan_and_hides_the_pan_in_debug() {
        let gstin = Gstin::parse("09AAJCM7191E1Z5").unwrap();
        assert_eq!(gstin.state(), StateCode::from_number(9));
        assert_eq!(gstin.pan().unwrap().as_str(), "AAJCM7191E");
        assert!(!format!("{gstin:?}").contains("CM7191"));
        assert!(!format!("{:?}", gstin.pan()).contains("7191"));
        assert_eq!(Gstin::parse("009AJCM7191E1Z5").unwrap().state(), None);
    }

    #[test]
    fn malformed_gstins_are_refused() {
        for text in ["", "27AAPFU0939F1Z", "27aapfu0939f1zv", "A7AAPFU0939F1ZV", "27AAPFU0939F1ZV ", "27ÀAPFU0939F1Z"]
        {
            assert!(Gstin::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn state_codes_of_one_and_two_digits_are_the_same_state() {
        assert_eq!(StateCode::parse("9"), StateCode::parse("09"));
        assert_eq!(StateCode::parse("9").unwrap().to_string(), "09");
        for text in ["", "0", "00", "009", "9a", "-1"] {
            assert!(StateCode::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn hsn_codes_keep_their_leading_zeros() {
        let tea = HsnCode::parse("0902").unwrap();
        assert_eq!((tea.to_string().as_str(), tea.chapter(), tea.is_service()), ("0902", 9, false));
        assert!(HsnCode::parse("998431").unwrap().is_service());
        assert_eq!(HsnCode::parse("24041100").unwrap().heading(), 2404);
        for text in ["902", "00000000", "09021", "0902 ", "10 0"] {
            assert!(HsnCode::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn document_numbers_compare_and_hash_without_case_and_keep_their_spelling() {
        let (written, capitals) = (DocumentNumber::parse("ab/1").unwrap(), DocumentNumber::parse("AB/1").unwrap());
        assert_eq!(written, capitals);
        assert_eq!(HashSet::from([written.clone(), capitals]).len(), 1);
        assert_eq!(written.as_str(), "ab/1");
        for text in ["", "0A", "/A", "-A", "A B", "A_B", "12345678901234567", "É1"] {
            assert!(DocumentNumber::parse(text).is_err(), "{text:?}");
        }
    }
}

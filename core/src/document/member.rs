//! The form of a member: name, meaning, obligation, length or range, decimals, pattern.
//!
//! One table row per member (see [`table`](super::table)) feeds the reader, the writer, the schema rules,
//! the comparison with the signed copy and the documentation, so that they cannot disagree.

use super::scanner::plain_run;

/// Whether JSON has a member as a string, a number, an object or a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// An object.
    Section,
    /// A list of objects.
    List,
}

impl Kind {
    /// The kind in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Section => "an object",
            Self::List => "a list of objects",
        }
    }
}

/// The characters a text member may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pattern {
    /// Any character but double quote and backslash.
    Free,
    /// One of a few words in capitals.
    OneOf(&'static [&'static str]),
    /// One of a few words in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// Form of a GSTIN.
    Gstin,
    /// Form of a GSTIN, or `URP`.
    GstinOrUrp,
    /// One or two digits, not zero.
    State,
    /// `DD/MM/YYYY` of the years 2010 to 2029.
    Date,
    /// 4, 6 or 8 digits, not all zero.
    Hsn,
    /// First a letter or 1-9, then letters, digits, `/` and `-`.
    DocumentNumber,
    /// Digits only.
    Digits,
    /// Letters only.
    Letters,
    /// Capital letters only.
    Capitals,
    /// Letters and digits only.
    LettersAndDigits,
    /// Letters, digits, `/` and `-`.
    Reference,
    /// An e-mail address.
    Email,
}

impl Pattern {
    /// True when a text of allowed length has the pattern.
    #[must_use]
    #[inline]
    pub fn admits(self, text: &str) -> bool {
        let all = |allowed: fn(&u8) -> bool| text.as_bytes().iter().all(allowed);
        match self {
            // Most texts have no character that JSON escapes either, and that is found out eight bytes at a time.
            Self::Free => plain_run(text.as_bytes()) == text.len() || all(|byte| !matches!(byte, b'"' | b'\\')),
            Self::OneOf(words) => words.contains(&text),
            Self::OneOfAnyCase(words) => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
            Self::Gstin => crate::identifier::Gstin::parse(text).is_ok(),
            Self::GstinOrUrp => text == "URP" || crate::identifier::Gstin::parse(text).is_ok(),
            Self::State => crate::identifier::StateCode::parse(text).is_ok(),
            Self::Date => crate::date::DocumentDate::parse(text).is_ok(),
            Self::Hsn => crate::identifier::HsnCode::parse(text).is_ok(),
            Self::DocumentNumber => crate::identifier::DocumentNumber::parse(text).is_ok(),
            Self::Digits => all(u8::is_ascii_digit),
            Self::Letters => all(u8::is_ascii_alphabetic),
            Self::Capitals => all(u8::is_ascii_uppercase),
            Self::LettersAndDigits => all(u8::is_ascii_alphanumeric),
            Self::Reference => all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-')),
            Self::Email => is_email(text),
        }
    }

    /// The pattern in words.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Free => "no double quote and no backslash".into(),
            Self::OneOf(words) => words.join(", "),
            Self::OneOfAnyCase(words) => format!("{} (any case)", words.join(", ")),
            Self::Gstin => "15 characters: two digits, then 13 digits or capital letters".into(),
            Self::GstinOrUrp => "a GSTIN of 15 characters, or URP".into(),
            Self::State => "a state code of one or two digits, not zero".into(),
            Self::Date => "a date of the calendar, DD/MM/YYYY".into(),
            Self::Hsn => "4, 6 or 8 digits, not all zero".into(),
            Self::DocumentNumber => "first a letter or 1-9, then letters, digits, / and -".into(),
            Self::Digits => "digits only".into(),
            Self::Letters => "letters only".into(),
            Self::Capitals => "capital letters only".into(),
            Self::LettersAndDigits => "letters and digits only".into(),
            Self::Reference => "letters, digits, / and -".into(),
            Self::Email => "an e-mail address".into(),
        }
    }

    /// True when the pattern is a list of words.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::OneOf(_) | Self::OneOfAnyCase(_))
    }
}

/// `^[a-zA-Z0-9+_.-]+@[a-zA-Z0-9.-]+$`
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !local.is_empty()
        && !domain.is_empty()
        && local.bytes().all(|byte| plain(byte) || matches!(byte, b'+' | b'_'))
        && domain.bytes().all(plain)
}

/// Length, range and pattern of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A string of so many characters.
    Text {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
        /// Allowed characters.
        pattern: Pattern,
    },
    /// A number, its bounds in units of its last decimal place.
    Number {
        /// Decimals allowed.
        decimals: u32,
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// An object.
    Section,
    /// A list of objects.
    List {
        /// Fewest entries.
        min: usize,
        /// Most entries.
        max: usize,
    },
}

impl Form {
    /// String, number, object or list.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Text { .. } => Kind::Text,
            Self::Number { .. } => Kind::Number,
            Self::Section => Kind::Section,
            Self::List { .. } => Kind::List,
        }
    }
}

/// How far a repair that was asked for may change the words of a text. No repair changes what identifies something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wording {
    /// Every character counts: a code, a number, a reference, an address of the net, an attached document.
    Exact,
    /// A name: forbidden characters may be replaced, and nothing may be cut.
    Name,
    /// Plain words: forbidden characters may be replaced, and too long a text may be cut.
    Prose,
}

/// A row of the member table.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent columns of a table, each a yes or no")]
pub struct Member {
    /// Canonical name.
    pub name: &'static str,
    /// The name as it is written: comma, quotes, colon.
    pub(crate) key: &'static str,
    /// Meaning in a few words.
    pub meaning: &'static str,
    /// True when its section must have it.
    pub required: bool,
    /// Length, range, pattern.
    pub form: Form,
    /// True when the signed copy of the portal leaves it out.
    pub dropped: bool,
    /// True when years outside the schema's 2010 to 2029 are a warning instead of an error.
    pub late_years_warn: bool,
    /// True when an empty string is read as absent.
    pub empty_is_absent: bool,
    /// How far its words may be changed by a repair.
    pub wording: Wording,
    /// True for codes that are written in capitals and mean the same in small letters.
    pub in_capitals: bool,
}

impl Member {
    pub(crate) const fn new(row: Row, name: &'static str, key: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            key,
            meaning: meaning.trim_ascii(),
            required: row.required,
            form: row.form,
            dropped: row.dropped,
            late_years_warn: row.late_years_warn,
            empty_is_absent: row.empty_is_absent,
            wording: row.wording,
            in_capitals: row.in_capitals,
        }
    }
}

/// What a table row says beyond name and meaning.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent columns of a table, each a yes or no")]
pub(crate) struct Row {
    form: Form,
    required: bool,
    dropped: bool,
    late_years_warn: bool,
    empty_is_absent: bool,
    wording: Wording,
    in_capitals: bool,
}

impl Row {
    const fn of(form: Form) -> Self {
        Self {
            form,
            required: false,
            dropped: false,
            late_years_warn: false,
            empty_is_absent: false,
            wording: Wording::Exact,
            in_capitals: false,
        }
    }

    /// The section must have it.
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The signed copy leaves it out.
    pub(crate) const fn dropped(mut self) -> Self {
        self.dropped = true;
        self
    }

    pub(crate) const fn late_years_warn(mut self) -> Self {
        self.late_years_warn = true;
        self
    }

    pub(crate) const fn empty_is_absent(mut self) -> Self {
        self.empty_is_absent = true;
        self
    }

    /// Forbidden characters may be replaced.
    pub(crate) const fn name(mut self) -> Self {
        self.wording = Wording::Name;
        self
    }

    /// Forbidden characters may be replaced, and too long a text may be cut.
    pub(crate) const fn may_be_cut(mut self) -> Self {
        self.wording = Wording::Prose;
        self
    }

    /// Small letters mean the same as capitals.
    pub(crate) const fn in_capitals(mut self) -> Self {
        self.in_capitals = true;
        self
    }
}

/// Largest amount of an item, 12 digits before the point.
const ITEM_MAX: i64 = 99_999_999_999_999;
/// Largest amount of a document, 14 digits before the point.
const DOCUMENT_MAX: i64 = 9_999_999_999_999_999;

const fn pattern(min: usize, max: usize, pattern: Pattern) -> Row {
    Row::of(Form::Text { min, max, pattern })
}

const fn number(decimals: u32, min: i64, max: i64) -> Row {
    Row::of(Form::Number { decimals, min, max })
}

pub(crate) const fn text(min: usize, max: usize) -> Row {
    pattern(min, max, Pattern::Free)
}

pub(crate) const fn shaped(min: usize, max: usize, shape: Pattern) -> Row {
    pattern(min, max, shape)
}

pub(crate) const fn gstin() -> Row {
    pattern(15, 15, Pattern::Gstin).in_capitals()
}

pub(crate) const fn party() -> Row {
    pattern(3, 15, Pattern::GstinOrUrp).in_capitals()
}

pub(crate) const fn state() -> Row {
    pattern(1, 2, Pattern::State)
}

pub(crate) const fn date() -> Row {
    pattern(10, 10, Pattern::Date)
}

pub(crate) const fn yes_no() -> Row {
    pattern(1, 1, Pattern::OneOf(&["Y", "N"])).in_capitals()
}

pub(crate) const fn pin() -> Row {
    number(0, 100_000, 999_999)
}

pub(crate) const fn whole(max: i64) -> Row {
    number(0, 0, max)
}

pub(crate) const fn item_amount() -> Row {
    number(2, 0, ITEM_MAX)
}

pub(crate) const fn document_amount() -> Row {
    number(2, 0, DOCUMENT_MAX)
}

/// An amount of the e-way bill system, which has codes of its own for one below nought.
pub(crate) const fn signed_amount() -> Row {
    number(2, -DOCUMENT_MAX, DOCUMENT_MAX)
}

/// The form has `Number(2,2)`, that is -99.99 to 99.99.
pub(crate) const fn rounding() -> Row {
    number(2, -9_999, 9_999)
}

pub(crate) const fn quantity() -> Row {
    number(3, 0, 9_999_999_999_999)
}

pub(crate) const fn price() -> Row {
    number(3, 0, 999_999_999_999_999)
}

pub(crate) const fn rate() -> Row {
    number(3, 0, 999_999)
}

pub(crate) const fn section() -> Row {
    Row::of(Form::Section)
}

pub(crate) const fn list(min: usize, max: usize) -> Row {
    Row::of(Form::List { min, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_e_mail_address_has_one_at_sign_and_plain_characters() {
        assert!(is_email("a+b_c.d-e@x-1.in"));
        for text in ["", "a", "@x.in", "a@", "a@b@c", "a b@c.in", "a@b_c.in"] {
            assert!(!is_email(text), "{text:?}");
        }
    }

    #[test]
    fn words_are_compared_as_the_schema_compares_them() {
        assert!(!Pattern::OneOf(&["Y", "N"]).admits("y"));
        assert!(Pattern::OneOfAnyCase(&["INV"]).admits("inv"));
        assert!(Pattern::GstinOrUrp.admits("URP") && !Pattern::GstinOrUrp.admits("urp"));
    }
}

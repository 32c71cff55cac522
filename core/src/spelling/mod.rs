//! What people write for things that the portal knows by a code: states, units, countries, headings.
//!
//! Accounting systems and spreadsheets carry names where INV-01 wants codes, spelt as their users spell them. This is
//! the one place that knows those spellings, so that every source reads "Orissa", "Nos." and "U.A.E" alike.

pub mod countries;
pub mod states;
pub mod units;

use std::borrow::Cow;

use crate::identifier::HsnCode;

/// As [`str::trim`], which decodes characters from both ends: nearly all values have nothing to trim, as their first and
/// last bytes say.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    if is_dense(text) { text } else { text.trim() }
}

/// Whether a text plainly begins and ends with what is seen: with no blank and no control character.
pub(crate) fn is_dense(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_seen = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    is_seen(bytes.first()) && is_seen(bytes.last())
}

/// The form in which two names are the same: case, blanks and punctuation do not count.
#[must_use]
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        let mut folded = Vec::with_capacity(name.len());
        folded.extend(kept(name));
        // What was ASCII still is.
        return String::from_utf8(folded).unwrap_or_default();
    }
    name.chars().filter(|found| found.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// As [`fold`], without a copy where the name is folded already.
#[must_use]
pub fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(fold(name))
}

/// Whether two names are the same but for case, blanks and punctuation.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left == right || kept(left).eq(kept(right));
    }
    left == right || fold(left) == fold(right)
}

/// The digits of an HSN code written in groups of pairs: `8471.30.10`, `8471 30`, `8471-30`. `8471.00` is none: a program
/// that took the heading 8471 for a number may have written it with two decimals.
pub(crate) fn hsn_of_groups(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split(['.', ' ', '-']).collect();
    let pairs = |group: &&str| {
        !group.is_empty() && group.len().is_multiple_of(2) && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_number =
        matches!(*groups, [_, decimals] if text.contains('.') && decimals.bytes().all(|digit| digit == b'0'));
    let digits = groups.concat();
    (groups.len() > 1 && groups.iter().all(pairs) && !is_number && HsnCode::parse(&digits).is_ok()).then_some(digits)
}

/// What counts of a name in ASCII.
fn kept(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_as_by_the_standard_library() {
        for text in ["", " ", "a", " a", "a\u{a0}", "\u{2003}a b", "\ta\n", "é", "é ", "a\u{1}"] {
            assert_eq!(trimmed(text), text.trim(), "{text:?}");
        }
        assert!(is_dense("a b") && is_dense("-") && !is_dense("") && !is_dense("a ") && !is_dense("\u{1}a"));
    }

    #[test]
    fn case_blanks_and_punctuation_do_not_count() {
        assert!(same("Output C.G.S.T 9%", "output cgst 9"));
        assert!(same("L Artisan  Products", "L. Artisan-Products"));
        assert!(!same("IGST", "CGST"));
        assert_eq!(fold("कृष्णा & Co."), fold("कृष्णा co"));
        for name in ["cgst9", "CGST 9", "", "कृष्णा & Co."] {
            assert_eq!(folded(name), fold(name));
        }
    }
}

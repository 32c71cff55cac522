//! Text that is safe to show, and words that read well.

use std::borrow::Cow;

/// The text with pictures in place of control characters, so that a document cannot steer a terminal.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_steering) {
        Cow::Owned(
            text.chars().map(|character| if is_steering(character) { picture(character) } else { character }).collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// What stands for a steering character: the picture that Unicode has of it, so that a line end can be told
/// from a tab.
fn picture(character: char) -> char {
    match character {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
        '\u{7f}' => Some('\u{2421}'),
        _ => None,
    }
    .unwrap_or('\u{fffd}')
}

/// Control characters, and the marks that reverse the direction of text.
fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A word of `--json` for people: `rejected_by_party` is `rejected by party`.
#[must_use]
pub(crate) fn in_words(word: impl std::fmt::Display) -> String {
    word.to_string().replace('_', " ")
}

/// `1 document`, `2 documents`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("{count} {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_document_cannot_steer_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d\u{7f}\u{9b}"), "a␛[2Jb␊c\u{fffd}d␡\u{fffd}");
        assert!(matches!(printable("Ōm & Söhne"), Cow::Borrowed(_)));
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1, "document"), "1 document");
        assert_eq!(counted(0, "document"), "0 documents");
    }
}

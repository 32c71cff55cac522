//! Plain words with other characters, or fewer.

use std::borrow::Cow;

/// The text without characters that the portal does not take: a double quote becomes an apostrophe, two after a
/// digit, where it stands for inches; a backslash becomes a slash; line ends, tabs and other control characters
/// become one blank together with the blanks around them.
pub(super) fn respelled(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 1);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let gap = rest.len() - rest.trim_start_matches(is_gap).len();
        let (taken, after) = rest.split_at_checked(gap.max(next.len_utf8())).unwrap_or((rest, ""));
        rest = after;
        match next {
            '"' if out.ends_with(|c: char| c.is_ascii_digit()) => out.push_str("''"),
            '"' => out.push('\''),
            '\\' => out.push('/'),
            _ if gap > 0 && taken.contains(char::is_control) => out.push(' '),
            _ => out.push_str(taken),
        }
    }
    Cow::Owned(out)
}

fn is_gap(c: char) -> bool {
    c == ' ' || c.is_control()
}

/// The first characters of too long a text, at most so many, without a blank at the end; nothing when the text is
/// not too long. A syllable of an Indian script and a letter with its accents stay whole.
pub(super) fn cut(text: &str, max: usize) -> Option<&str> {
    let (end, mut next) = text.char_indices().nth(max)?;
    let whole = text.get(..end)?;
    let mut kept = whole;
    for _ in 0..SYLLABLE_MAX {
        let Some(last) = kept.chars().next_back() else { break };
        if !clings(last, next) {
            return Some(kept.trim_end());
        }
        kept = kept.strip_suffix(last)?;
        next = last;
    }
    Some(whole.trim_end())
}

/// Most characters that are given up to keep a syllable whole. Three consonants with their marks fill it; more is no
/// writing, and is cut in between.
const SYLLABLE_MAX: usize = 12;

/// True when two characters next to each other are read as one. Wider than the letter of the Unicode standard here
/// and there, which costs a character and never the sense.
fn clings(before: char, after: char) -> bool {
    is_mark(after) || before == ZERO_WIDTH_JOINER || indian(before) == Some(VIRAMA)
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// The sign that joins consonants, at the same place in the block of each Indian script.
const VIRAMA: u32 = 0x4d;

/// Place within its block of a character of an Indian script: Devanagari to Malayalam are coded alike, 128 places
/// each.
fn indian(c: char) -> Option<u32> {
    ('\u{900}'..='\u{d7f}').contains(&c).then(|| u32::from(c) % 0x80)
}

/// Accents, vowel signs, joiners, variation and skin colour.
fn is_mark(c: char) -> bool {
    match c {
        '\u{300}'..='\u{36f}'
        | '\u{200c}'
        | ZERO_WIDTH_JOINER
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f3fb}'..='\u{1f3ff}' => true,
        _ => matches!(indian(c), Some(0x00..=0x03 | 0x3c | 0x3e..=0x4d | 0x51..=0x57 | 0x62 | 0x63)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_become_their_nearest_neighbours() {
        for (text, wanted) in [
            ("Pipe \"A\"", "Pipe 'A'"),
            ("Pipe 5\" x 2\"", "Pipe 5'' x 2''"),
            (r"A\B", "A/B"),
            ("7 Temple Road,\r\n  Bengaluru\tNorth", "7 Temple Road, Bengaluru North"),
            ("a  b\u{1}\u{2}c\u{7f}", "a  b c "),
            ("plain", "plain"),
        ] {
            assert_eq!(respelled(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters_and_keeps_no_blank_at_its_end() {
        assert_eq!(cut("four", 4), None);
        assert_eq!(cut("fours", 4), Some("four"));
        assert_eq!(cut("éééé", 3), Some("ééé"));
        assert_eq!(cut("one two", 4), Some("one"));
    }

    #[test]
    fn no_syllable_and_no_accented_letter_is_taken_apart() {
        assert_eq!(cut("अम्बा रोड", 3), Some("अ"), "the conjunct of three characters goes as a whole");
        assert_eq!(cut("अम्बा रोड", 6), Some("अम्बा"));
        assert_eq!(cut("மதுரை", 2), Some("ம"));
        assert_eq!(cut("cafe\u{301} x", 4), Some("caf"));
        assert_eq!(cut("ab👩\u{200d}🌾", 4), Some("ab"));
        assert_eq!(cut("\u{301}\u{301}\u{301}", 2), Some("\u{301}\u{301}"));
        let marks = "\u{301}".repeat(40);
        assert_eq!(cut(&marks, 30).map(|kept| kept.chars().count()), Some(30), "nonsense is cut where it must be");
    }
}

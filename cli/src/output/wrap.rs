//! Lines of text for a width: broken at spaces, a longer word where the line ends, and never inside a letter.
//!
//! Width is what a terminal shows, not what a string holds: signs of Indian scripts stand above and below
//! their letter, and some letters take two columns.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::Style;

/// The least that text is squeezed into: a line that a narrow terminal wraps is easier to read than a column
/// of single letters.
const ROOM_MIN: usize = 16;

/// Letters of one value that are shown: some lines on any terminal. JSON and CSV have the whole.
const VALUE_LETTERS_MAX: usize = 240;

/// Of these, the ones from its end: two long texts often begin alike.
const VALUE_LETTERS_END: usize = 80;

/// A part of a paragraph. One in a style is not broken at its spaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(super) style: Option<Style>,
    pub(super) text: &'a str,
}

impl<'a> Span<'a> {
    /// A part that looks like any text.
    pub(crate) const fn plain(text: &'a str) -> Self {
        Self { style: None, text }
    }

    /// A few words in a style.
    pub(crate) const fn styled(style: Style, text: &'a str) -> Self {
        Self { style: Some(style), text }
    }
}

/// A line: its indent, and its pieces one after the other.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) indent: usize,
    pub(super) pieces: Vec<(Option<Style>, Cow<'a, str>)>,
}

/// The columns that a text takes on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// A long value without its middle, and how long it is.
pub(crate) fn cut_in_middle(text: &str) -> Cow<'_, str> {
    let letters = || text.grapheme_indices(true);
    if text.len() <= VALUE_LETTERS_MAX || letters().nth(VALUE_LETTERS_MAX).is_none() {
        return Cow::Borrowed(text);
    }
    let start = letters().nth(VALUE_LETTERS_MAX - VALUE_LETTERS_END).map_or(text.len(), |(at, _)| at);
    let end = letters().nth_back(VALUE_LETTERS_END - 1).map_or(0, |(at, _)| at);
    let (start, end) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    Cow::Owned(format!("{start} … {end} ({} characters)", text.chars().count()))
}

/// A text in lines of at most so many columns.
pub(crate) fn wrapped_lines(text: &str, room: usize) -> Vec<String> {
    let joined = |line: Line<'_>| line.pieces.into_iter().map(|(_, piece)| piece).collect();
    lines(&[Span::plain(text)], 0, 0, room).into_iter().map(joined).collect()
}

/// Lines of at most so many columns; those after the first are indented by `hang`.
pub(super) fn lines<'a>(spans: &[Span<'a>], indent: usize, hang: usize, width: usize) -> Vec<Line<'a>> {
    let width = width.max(indent.max(hang).saturating_add(ROOM_MIN));
    let mut breaker = Breaker { lines: vec![Line { indent, pieces: Vec::new() }], used: indent, gap: 0, hang, width };
    for span in spans {
        match span.style {
            Some(style) => breaker.word(Some(style), span.text),
            None => {
                for (index, word) in span.text.split(' ').enumerate() {
                    breaker.gap += usize::from(index > 0);
                    breaker.word(None, word);
                }
            }
        }
    }
    breaker.lines
}

struct Breaker<'a> {
    lines: Vec<Line<'a>>,
    /// Columns of the last line that are taken.
    used: usize,
    /// Blanks to come before the next word, unless it begins a line.
    gap: usize,
    hang: usize,
    width: usize,
}

impl<'a> Breaker<'a> {
    fn word(&mut self, style: Option<Style>, word: &'a str) {
        if word.is_empty() {
            return;
        }
        let length = columns(word);
        let begins = self.lines.last().is_none_or(|line| line.pieces.is_empty());
        let room = self.width.saturating_sub(self.used.saturating_add(self.gap));
        // A word that the next line would not hold either begins in this one, if there is some room left.
        let fits = length <= room || (self.hang.saturating_add(length) > self.width && room >= ROOM_MIN);
        // What follows without a blank belongs to the word before it.
        if !begins && !fits && self.gap > 0 {
            self.next_line();
        } else {
            self.blanks();
        }
        if self.used.saturating_add(length) <= self.width {
            self.piece(style, Cow::Borrowed(word), length);
        } else {
            self.long_word(style, word);
        }
    }

    /// A word that has no room in a line is broken between letters.
    fn long_word(&mut self, style: Option<Style>, word: &'a str) {
        let mut part = String::new();
        let mut taken = 0;
        for letter in word.graphemes(true) {
            let length = columns(letter);
            if taken > 0 && self.used + taken + length > self.width {
                self.piece(style, Cow::Owned(std::mem::take(&mut part)), taken);
                self.next_line();
                taken = 0;
            }
            part.push_str(letter);
            taken += length;
        }
        self.piece(style, Cow::Owned(part), taken);
    }

    fn next_line(&mut self) {
        self.lines.push(Line { indent: self.hang, pieces: Vec::new() });
        (self.used, self.gap) = (self.hang, 0);
    }

    fn blanks(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if gap > 0 {
            self.piece(None, Cow::Owned(" ".repeat(gap)), gap);
        }
    }

    fn piece(&mut self, style: Option<Style>, piece: Cow<'a, str>, length: usize) {
        self.used += length;
        if let Some(line) = self.lines.last_mut() {
            line.pieces.push((style, piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_no_line_has_room_for_is_broken_where_the_line_ends() {
        assert_eq!(wrapped_lines("a bbbbbbbbbbbbbbbbbbbbbbbb c", 20), ["a bbbbbbbbbbbbbbbbbb", "bbbbbb c"]);
        assert_eq!(
            wrapped_lines("aaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbb", 20),
            ["aaaaaaaa", "bbbbbbbbbbbbbbbbbbbb", "bbbb"]
        );
        assert_eq!(wrapped_lines("a  b", 20), ["a  b"]);
        assert_eq!(wrapped_lines("", 20), [""]);
        assert_eq!(wrapped_lines(&"x".repeat(50), usize::MAX).len(), 1);
    }

    #[test]
    fn letters_of_every_script_stay_whole_and_are_counted_as_they_are_seen() {
        for word in ["நிறுவனம்".repeat(20), "क्षेत्र".repeat(20), "😀".repeat(60), "e\u{301}".repeat(60)]
        {
            let lines = wrapped_lines(&word, 20);
            assert!(lines.len() > 2 && lines.iter().all(|line| columns(line) <= 20), "{lines:?}");
            let letters = |text: &str| text.graphemes(true).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(lines.iter().flat_map(|line| letters(line)).collect::<Vec<_>>(), letters(&word));
        }
    }

    #[test]
    fn a_very_long_value_keeps_its_start_and_its_end_and_says_its_length() {
        let value = format!("{}{}", "a".repeat(200), "z".repeat(200));
        let shown = format!("{} … {} (400 characters)", "a".repeat(160), "z".repeat(80));
        assert_eq!(cut_in_middle(&value), shown);
        assert_eq!(cut_in_middle(&"க்".repeat(240)), "க்".repeat(240));
    }

    #[test]
    fn lines_after_the_first_hang_and_styled_words_stay_together() {
        let spans = [
            Span::styled(Style::Bad, "error   "),
            Span::plain(" one two three four five"),
            Span::styled(Style::Good, "!"),
        ];
        let shown: Vec<(usize, String)> = lines(&spans, 2, 4, 22)
            .into_iter()
            .map(|line| (line.indent, line.pieces.iter().map(|(_, piece)| piece.as_ref()).collect()))
            .collect();
        assert_eq!(shown, [(2, "error    one two".to_owned()), (4, "three four five!".to_owned())]);
    }
}

//! Quotation marks of text files with a mark between their values: those that end a value in the middle of one.

use std::collections::VecDeque;

/// Looks at quotation marks as a reader of rows does, for those that close a value and are followed by more of it. What goes
/// on behind them was not meant to be in quotes: `"GI PIPE 2"",10` has an inch mark that nobody doubled, so the next mark,
/// which begins a value of a later row, is taken for the end of this one. The row has the right number of values then, and
/// those of two rows in it.
#[derive(Debug)]
pub struct Quotes {
    delimiter: u8,
    place: Place,
    /// Bytes looked at.
    seen: u64,
    /// Where the stray ones stand, of rows that were not asked about.
    stray: VecDeque<u64>,
}

/// Where the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a value.
    Start,
    /// In a value without quotes, or behind the end of one with them.
    Plain,
    /// In a value in quotes.
    Quoted,
    /// Behind a mark in such a value: its end, or the first of two that stand for one.
    Mark,
}

impl Quotes {
    /// Looks at a file whose values have this mark between them.
    #[must_use]
    pub const fn new(delimiter: u8) -> Self {
        Self { delimiter, place: Place::Start, seen: 0, stray: VecDeque::new() }
    }

    /// Takes in the bytes that the reader of rows gets, in their order.
    pub fn look(&mut self, bytes: &[u8]) {
        let is_plain = matches!(self.place, Place::Start | Place::Plain) && !bytes.contains(&b'"');
        match bytes.last() {
            // Most files have few marks.
            Some(last) if is_plain => self.place = self.begin(*last),
            _ => bytes.iter().zip(self.seen..).for_each(|(byte, at)| self.step(*byte, at)),
        }
        self.seen = self.seen.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    fn step(&mut self, byte: u8, at: u64) {
        let was_mark = self.place == Place::Mark;
        self.place = match self.place {
            Place::Start | Place::Mark if byte == b'"' => Place::Quoted,
            Place::Quoted if byte == b'"' => Place::Mark,
            Place::Quoted => Place::Quoted,
            Place::Start | Place::Plain | Place::Mark => self.begin(byte),
        };
        if was_mark && self.place == Place::Plain {
            self.stray.push_back(at);
        }
    }

    /// Where the byte after this one stands, outside of quotes.
    fn begin(&self, byte: u8) -> Place {
        if byte == self.delimiter || matches!(byte, b'\n' | b'\r') { Place::Start } else { Place::Plain }
    }

    /// Whether the row that ends before this byte, counted from 0, had a stray one. Rows are asked about in their order.
    pub fn had_stray(&mut self, end: u64) -> bool {
        let of_row = self.stray.partition_point(|at| *at < end);
        self.stray.drain(..of_row).next().is_some()
    }

    /// Whether a row that ends with the last byte looked at ends within quotes: then it has taken the rest of the file in.
    #[must_use]
    pub fn is_open_at(&self, end: u64) -> bool {
        self.place == Place::Quoted && self.seen == end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stray(bytes: &[u8], step: usize) -> (bool, bool) {
        let mut quotes = Quotes::new(b',');
        bytes.chunks(step).for_each(|part| quotes.look(part));
        let end = u64::try_from(bytes.len()).unwrap();
        (quotes.is_open_at(end), quotes.had_stray(end))
    }

    #[test]
    fn marks_that_close_in_the_middle_of_a_value_are_stray_however_the_bytes_come() {
        for (text, expected) in [
            ("a,b\n", (false, false)),
            ("a,\"b\",\"c, d\ne\"\n", (false, false)),
            ("\"5\"\" pipe\",5\" pipe\n", (false, false)),
            ("\"\",\"\"\"\"\r\n\"x\"\r", (false, false)),
            ("\"5\" pipe\",b\n", (false, true)),
            ("1,\"PIPE 2\"\",3\n4,\"ROD\",5\n", (false, true)),
            ("1,\"PIPE 2\"\",3\n", (true, false)),
        ] {
            for step in [1, 2, 3, 100] {
                assert_eq!(stray(text.as_bytes(), step), expected, "{text} by {step}");
            }
        }
    }

    #[test]
    fn a_stray_mark_is_told_of_its_own_row_alone() {
        let mut quotes = Quotes::new(b';');
        quotes.look(b"a;b\n\"x\"y;z\nc;d\n");
        assert_eq!([4, 11, 15].map(|end| quotes.had_stray(end)), [false, true, false]);
    }
}

//! JSON tokens over a text, without trees and without floats.
//!
//! A number is handed out as the digits that stand in the text, a value nobody asked for as its raw text; the
//! [`reader`](super::reader) decides what they mean. The grammar is RFC 8259, read strictly; nesting is limited
//! so that hostile input cannot exhaust the stack.

use std::borrow::Cow;

use crate::number::plain_number;

/// Deepest nesting that is read. INV-01 needs four levels.
pub const MAX_DEPTH: usize = 64;

/// Largest text that is read: the portal takes 2 MB.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// What keeps a text from being read as a JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonFault {
    /// The text ends inside a value.
    Truncated,
    /// A character stands where JSON has another.
    Unexpected {
        /// What JSON has in this place.
        wanted: &'static str,
    },
    /// The text goes on after the value.
    TrailingText,
    /// Lists and objects are nested too deeply.
    TooDeep,
    /// The text has more bytes than the portal takes.
    TooLarge,
    /// The value is not an object.
    NotAnObject,
}

/// A fault with its position in the text; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JsonError {
    /// What is wrong.
    pub fault: JsonFault,
    /// Line of the fault.
    pub line: usize,
    /// Column of the fault.
    pub column: usize,
}

/// One JSON value that is not descended into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Null,
    /// A string, its escapes resolved, and the text as it stood.
    Text(Cow<'a, str>, &'a str),
    Number(&'a str),
    /// `true`, `false`, an object or a list.
    Other(&'a str),
}

impl<'a> Token<'a> {
    /// The text as it stood.
    pub(crate) fn raw(&self) -> &'a str {
        match self {
            Self::Null => "null",
            Self::Text(_, raw) | Self::Number(raw) | Self::Other(raw) => raw,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

type Scanned<T> = Result<T, JsonError>;

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, depth: 0 }
    }

    /// Error at the present position.
    #[cold]
    pub(crate) fn error(&self, fault: JsonFault) -> JsonError {
        let mut end = self.at.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(..end).unwrap_or_default();
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
        JsonError { fault, line, column }
    }

    #[cold]
    fn unexpected<T>(&self, wanted: &'static str) -> Scanned<T> {
        Err(self.error(if self.at >= self.bytes.len() {
            JsonFault::Truncated
        } else {
            JsonFault::Unexpected { wanted }
        }))
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The first byte of the next token.
    #[inline]
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        // Texts written by programs have no blanks: one comparison tells.
        match self.peek() {
            Some(byte) if byte > b' ' => Some(byte),
            _ => self.byte_after_blanks(),
        }
    }

    fn byte_after_blanks(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    /// Steps over the beginning of a member, if it stands here as the writer writes it: the `key` is comma, name in
    /// quotes and colon, and the first member of an object has no comma.
    #[inline]
    pub(crate) fn take_key(&mut self, key: &str, first: bool) -> bool {
        let key = key.as_bytes().get(usize::from(first)..).unwrap_or_default();
        let found = self.bytes.get(self.at..self.at + key.len()) == Some(key);
        if found {
            self.at += key.len();
        }
        found
    }

    /// A plain number that begins here, in units of its last place, and the scanner steps over it; see
    /// [`plain_number`].
    #[inline]
    pub(crate) fn take_plain_number(&mut self, places: u32) -> Option<i64> {
        let (units, length) = plain_number(self.bytes.get(self.at..)?, places)?;
        self.at += length;
        Some(units)
    }

    /// A string without escapes that begins here, read as a value; the scanner steps over it when there is one.
    #[inline]
    pub(crate) fn take_plain_text<T>(&mut self, read: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let start = self.at + 1;
        let end = start + plain_run(self.bytes.get(start..)?);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        let value = read(self.text.get(start..end)?)?;
        self.at = end + 1;
        Some(value)
    }

    /// Steps over a byte if it is the next token.
    pub(crate) fn take(&mut self, wanted: u8) -> bool {
        let found = self.next_byte() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn open(&mut self, bracket: u8) -> Scanned<()> {
        if !self.take(bracket) {
            return self.unexpected(if bracket == b'{' { "an object" } else { "a list" });
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(JsonFault::TooDeep));
        }
        Ok(())
    }

    /// True when a further entry follows; false when the bracket closed. `first` is true before the first entry.
    pub(crate) fn entry(&mut self, close: u8, first: bool) -> Scanned<bool> {
        match self.next_byte() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            _ if first => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            _ => self.unexpected(if close == b'}' { "a comma or }" } else { "a comma or ]" }),
        }
    }

    /// The name of the next member, and the colon after it.
    pub(crate) fn name(&mut self) -> Scanned<Cow<'a, str>> {
        if self.next_byte() != Some(b'"') {
            return self.unexpected("a member name in double quotes");
        }
        let (name, _) = self.string()?;
        if !self.take(b':') {
            return self.unexpected("a colon");
        }
        Ok(name)
    }

    /// The text must end here.
    pub(crate) fn finish(&mut self) -> Scanned<()> {
        if self.next_byte().is_some() { Err(self.error(JsonFault::TrailingText)) } else { Ok(()) }
    }

    pub(crate) fn token(&mut self) -> Scanned<Token<'a>> {
        match self.next_byte() {
            Some(b'"') => self.string().map(|(text, raw)| Token::Text(text, raw)),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b'n') => self.word("null").map(|()| Token::Null),
            _ => self.skip().map(Token::Other),
        }
    }

    /// Steps over one value of any kind and gives its text.
    pub(crate) fn skip(&mut self) -> Scanned<&'a str> {
        let first = self.next_byte();
        let start = self.at;
        match first {
            Some(b'{') => {
                self.open(b'{')?;
                let mut first = true;
                while self.entry(b'}', first)? {
                    first = false;
                    self.name()?;
                    self.skip()?;
                }
            }
            Some(b'[') => {
                self.open(b'[')?;
                let mut first = true;
                while self.entry(b']', first)? {
                    first = false;
                    self.skip()?;
                }
            }
            Some(b'"') => drop(self.string()?),
            Some(b'-' | b'0'..=b'9') => drop(self.number()?),
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => return self.unexpected("a value"),
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn word(&mut self, word: &'static str) -> Scanned<()> {
        for byte in word.bytes() {
            if self.peek() != Some(byte) {
                return self.unexpected(word);
            }
            self.at += 1;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.unexpected("a digit");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Scanned<&'a str> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// A string that begins here: resolved, and as it stood.
    fn string(&mut self) -> Scanned<(Cow<'a, str>, &'a str)> {
        let start = self.at;
        self.at += 1;
        let mut plain = self.at;
        let mut resolved: Option<String> = None;
        loop {
            self.at += plain_run(self.bytes.get(self.at..).unwrap_or_default());
            let text = self.text.get(plain..self.at).unwrap_or_default();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let raw = self.text.get(start..self.at).unwrap_or_default();
                    let value = match resolved {
                        Some(mut resolved) => {
                            resolved.push_str(text);
                            Cow::Owned(resolved)
                        }
                        None => Cow::Borrowed(text),
                    };
                    return Ok((value, raw));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let resolved = resolved.get_or_insert_default();
                    resolved.push_str(text);
                    resolved.push(self.escape()?);
                    plain = self.at;
                }
                _ => return self.unexpected("a character that is not a control character"),
            }
        }
    }

    fn escape(&mut self) -> Scanned<char> {
        let Some(letter) = self.peek() else {
            return self.unexpected("an escape");
        };
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return self.unexpected("an escape"),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Scanned<char> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                return self.unexpected("the second half of a surrogate pair");
            }
            self.at += 2;
            let second = self.hex4()?;
            if !(0xdc00..0xe000).contains(&second) {
                return self.unexpected("the second half of a surrogate pair");
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        match char::from_u32(code) {
            Some(character) => Ok(character),
            None => self.unexpected("a surrogate pair in order"),
        }
    }

    fn hex4(&mut self) -> Scanned<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.unexpected("four hexadecimal digits");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

/// How many bytes at the beginning of a text stand for themselves in a JSON string: all but quote, backslash and
/// control characters.
///
/// Eight bytes at a time: a byte is below `n` exactly if subtracting `n` borrows from its highest bit, and zero where
/// it equals what it was combined with by exclusive or. A borrow can reach the byte above, never the one below, so
/// that the lowest mark is always a true one.
#[inline]
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGH;
    let (mut length, mut rest) = (0, bytes);
    while let Some((chunk, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*chunk);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let marks = below(word, 0x20) | quote | backslash;
        if marks != 0 {
            return length + usize::try_from(marks.trailing_zeros() / 8).unwrap_or_default();
        }
        length += 8;
        rest = after;
    }
    length + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn scan(text: &str) -> Result<&str, JsonError> {
        let mut scanner = Scanner::new(text);
        let raw = scanner.skip()?;
        scanner.finish()?;
        Ok(raw)
    }

    fn text_of(json: &str) -> Result<String, JsonError> {
        match Scanner::new(json).token()? {
            Token::Text(text, _) => Ok(text.into_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn escapes_and_surrogate_pairs_are_resolved() {
        assert_eq!(text_of(r#""a\n\"\\\/\u00e9\ud83d\ude00b""#).unwrap(), "a\n\"\\/é😀b");
        for text in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, r#""\ud83d\u0041""#, r#""\x""#, "\"\n\"", "\"a"] {
            assert!(text_of(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_fault_is_placed_by_line_and_character() {
        let error = scan("{\n \"é\": tru }").unwrap_err();
        assert_eq!((error.line, error.column), (2, 10));
        assert_eq!(error.fault, JsonFault::Unexpected { wanted: "true" });
        assert_eq!(scan("{\"a\":[1,2").unwrap_err().fault, JsonFault::Truncated);
        assert_eq!(scan("{} x").unwrap_err().fault, JsonFault::TrailingText);
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(scan(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(scan(&nested(MAX_DEPTH + 1)).unwrap_err().fault, JsonFault::TooDeep);
        assert_eq!(scan(&nested(1_000_000)).unwrap_err().fault, JsonFault::TooDeep);
    }

    proptest! {
        #[test]
        fn a_plain_run_ends_at_the_first_byte_that_does_not_stand_for_itself(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x1e..0x24_u8, 0x5a..0x5e_u8, 0x7e..0x82_u8], 0..40)
        ) {
            let end = bytes.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
            prop_assert_eq!(plain_run(&bytes), end.unwrap_or(bytes.len()));
        }

        #[test]
        fn what_is_json_is_what_an_independent_parser_calls_json(
            text in r#"[\[\]{},:"\\a-f0-9.eE+\-ntruls /é\x01]{0,24}"#
        ) {
            let theirs = serde_json::from_str::<&RawValue>(&text).is_ok();
            prop_assert_eq!(scan(&text).is_ok(), theirs, "{}", text);
        }

        #[test]
        fn strings_mean_what_an_independent_parser_reads(
            body in r#"([a-zé😀/]|\\[nrt"\\/bf]|\\u[0-9a-f]{4}|\\ud83d\\ude0[0-9]){0,12}"#
        ) {
            let json = format!("\"{body}\"");
            prop_assert_eq!(text_of(&json).ok(), serde_json::from_str::<String>(&json).ok());
        }

        #[test]
        fn any_text_is_scanned_without_panic(text in any::<String>()) {
            prop_assert!(scan(&text).is_ok() || scan(&text).is_err());
        }
    }
}

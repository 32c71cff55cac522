//! Making well-formed XML text of what Tally writes.
//!
//! Tally marks reserved words by U+0004, as a reference or raw, and writes other control characters;
//! XML 1.0 has neither. They go first and bare ampersands are repaired last: in the other order
//! `&#4;` would become text.

use std::io::{self, BufRead, Read};

use super::decode::Decoded;
use super::position::{Place, Positions};

/// Longest reference that is looked at: `&#x10FFFF;` and the five names are shorter.
const REFERENCE_BYTES_MAX: usize = 12;
/// Bytes judged together when looking for the next special one: one or two vector registers.
const BLOCK_BYTES: usize = 32;

/// A text, tag or comment longer than the limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a text of more than {limit} bytes without markup, or a tag or comment that is never closed")]
pub(crate) struct TextTooLong {
    limit: usize,
}

/// Streams a file as clean UTF-8.
pub(crate) struct CleanReader<R> {
    decoded: Decoded<R>,
    chunk: String,
    carried: String,
    out: Vec<u8>,
    given: usize,
    /// Clean bytes made before `out`.
    before: u64,
    raw: u64,
    positions: Positions,
    /// Clean offset where the piece of markup or text being read begins.
    piece: u64,
    piece_max: usize,
    ended: bool,
}

impl<R: Read> CleanReader<R> {
    /// Opens a stream; texts longer than `text_bytes_max` are an error.
    pub(crate) fn open(inner: R, text_bytes_max: usize) -> io::Result<Self> {
        let (decoded, mark) = Decoded::open(inner)?;
        let raw = u64::try_from(mark).unwrap_or(0);
        let positions = Positions::new(raw, decoded.encoding().raw_per_ascii());
        Ok(Self {
            decoded,
            chunk: String::new(),
            carried: String::new(),
            out: Vec::new(),
            given: 0,
            before: 0,
            raw,
            positions,
            piece: 0,
            piece_max: text_bytes_max,
            ended: false,
        })
    }

    /// Where an offset of the clean text stands in the file. Questions must go forward.
    pub(crate) fn place(&mut self, clean: u64) -> Place {
        self.positions.place(clean)
    }

    /// How much of the clean text was consumed.
    pub(crate) fn offset(&self) -> u64 {
        self.before + u64::try_from(self.given).unwrap_or(0)
    }

    /// Says that a new piece of markup or text begins here: the limit counts from here on.
    pub(crate) fn begin_piece(&mut self) {
        self.piece = self.offset();
    }

    /// Most bytes of one piece.
    pub(crate) const fn piece_max(&self) -> usize {
        self.piece_max
    }

    /// Gives back clean text that was consumed last, to be read again.
    pub(crate) fn unread(&mut self, text: &[u8]) {
        self.before = self.offset().saturating_sub(u64::try_from(text.len()).unwrap_or(0));
        let given = self.given.min(self.out.len());
        self.out.splice(..given, text.iter().copied());
        self.given = 0;
        self.begin_piece();
    }

    fn refill(&mut self) -> io::Result<()> {
        let long = self.offset().saturating_sub(self.piece);
        if usize::try_from(long).map_or(true, |long| long > self.piece_max) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, TextTooLong { limit: self.piece_max }));
        }
        self.before += u64::try_from(self.out.len()).unwrap_or(0);
        self.out.clear();
        self.given = 0;
        while self.out.is_empty() && !self.ended {
            let mut chunk = std::mem::take(&mut self.chunk);
            self.ended = self.decoded.next_chunk(&mut chunk)?;
            if self.carried.is_empty() {
                self.clean(&chunk);
            } else {
                let mut joined = std::mem::take(&mut self.carried);
                joined.push_str(&chunk);
                self.clean(&joined);
            }
            self.chunk = chunk;
        }
        Ok(())
    }

    fn clean(&mut self, text: &str) {
        let encoding = self.decoded.encoding();
        let mut rest = text;
        while !rest.is_empty() {
            let special = plain_length(rest.as_bytes());
            let (plain, after) = rest.split_at_checked(special).unwrap_or((rest, ""));
            self.keep(plain);
            let Some(first) = after.bytes().next() else { return };
            rest = match first {
                b'&' => match self.reference(after) {
                    Some(after) => after,
                    None => return,
                },
                0x80.. => {
                    let end = after.bytes().position(|byte| byte < 0x80).unwrap_or(after.len());
                    let (wide, after) = after.split_at_checked(end).unwrap_or((after, ""));
                    self.raw += wide.chars().map(|character| encoding.raw_length(character)).sum::<u64>();
                    self.out.extend_from_slice(wide.as_bytes());
                    self.anchor();
                    after
                }
                control => {
                    self.drop_control(u32::from(control), 1);
                    after.get(1..).unwrap_or_default()
                }
            };
        }
    }

    /// Handles a text that begins with an ampersand; `None` when the rest must wait for more text.
    fn reference<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let window = text.as_bytes().get(..REFERENCE_BYTES_MAX).unwrap_or(text.as_bytes());
        let Some(end) = memchr::memchr(b';', window) else {
            if window.len() == text.len() && !self.ended {
                self.carried.push_str(text);
                return None;
            }
            return Some(self.bare_ampersand(text));
        };
        let name = text.get(1..end).unwrap_or_default();
        let (whole, after) = text.split_at_checked(end + 1)?;
        let Some(number) = name.strip_prefix('#') else {
            if matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") {
                self.keep(whole);
                return Some(after);
            }
            return Some(self.bare_ampersand(text));
        };
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        match code {
            Ok(code) if is_control(code) => self.drop_control(code, whole.len()),
            Ok(code) if char::from_u32(code).is_some_and(|found| !matches!(found, '\u{FFFE}' | '\u{FFFF}')) => {
                self.keep(whole);
            }
            Ok(_) => {
                self.skip(whole.len());
                self.out.extend_from_slice("\u{FFFD}".as_bytes());
                self.anchor();
            }
            Err(_) => return Some(self.bare_ampersand(text)),
        }
        Some(after)
    }

    fn bare_ampersand<'t>(&mut self, text: &'t str) -> &'t str {
        self.skip(1);
        self.out.extend_from_slice(b"&amp;");
        self.anchor();
        text.get(1..).unwrap_or_default()
    }

    /// U+0005 stands between words in real exports (`Default<U+0005>Voucher Class`), so it leaves a
    /// blank; the others leave nothing.
    fn drop_control(&mut self, code: u32, length: usize) {
        self.skip(length);
        if code == 5 {
            self.out.push(b' ');
        }
        self.anchor();
    }

    fn keep(&mut self, plain: &str) {
        let begin = self.made();
        for at in memchr::memchr_iter(b'\n', plain.as_bytes()) {
            self.positions.line_feed(begin + u64::try_from(at).unwrap_or(0));
        }
        self.out.extend_from_slice(plain.as_bytes());
        self.skip(plain.len());
    }

    fn skip(&mut self, ascii: usize) {
        self.raw += u64::try_from(ascii).unwrap_or(0) * self.decoded.encoding().raw_per_ascii();
    }

    fn anchor(&mut self) {
        self.positions.anchor(self.made(), self.raw);
    }

    /// How much clean text was made.
    fn made(&self) -> u64 {
        self.before + u64::try_from(self.out.len()).unwrap_or(0)
    }
}

impl<R: Read> Read for CleanReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for CleanReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given >= self.out.len() {
            self.refill()?;
        }
        Ok(self.out.get(self.given..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.given += amount;
    }
}

/// Bytes before the first special one. Whole blocks are judged without a branch for each byte, which
/// compilers turn into vector instructions.
fn plain_length(bytes: &[u8]) -> usize {
    let is_control = |byte: u8| u8::from(byte < 32) & u8::from(!matches!(byte, b'\t' | b'\n' | b'\r'));
    let special = |byte: u8| u8::from(byte == b'&') | u8::from(byte >= 0x80) | is_control(byte);
    let is_plain = |block: &&[u8]| block.iter().fold(0, |any, byte| any | special(*byte)) == 0;
    let plain = bytes.chunks_exact(BLOCK_BYTES).take_while(is_plain).count() * BLOCK_BYTES;
    let rest = bytes.get(plain..).unwrap_or_default();
    plain + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | 0..=8 | 11 | 12 | 14..=31 | 0x80..)
}

const fn is_control(code: u32) -> bool {
    code < 32 && !matches!(code, 9 | 10 | 13)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(bytes: &[u8]) -> String {
        let mut out = String::new();
        CleanReader::open(bytes, 1 << 20).unwrap().read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn references_to_control_characters_go_before_ampersands_are_repaired() {
        assert_eq!(clean(b"<A>&#4; Not Applicable</A>"), "<A> Not Applicable</A>");
        assert_eq!(clean(b"<A>&#x4; Any&#X1f;</A>"), "<A> Any</A>");
        assert_eq!(
            clean(b"<A>Tom & Jerry &co; &amp; &#65;&#x41;</A>"),
            "<A>Tom &amp; Jerry &amp;co; &amp; &#65;&#x41;</A>"
        );
        assert_eq!(clean(b"<A>&</A>"), "<A>&amp;</A>");
        assert_eq!(clean(b"tail &#"), "tail &amp;#");
        assert_eq!(clean(b"&#xD800;&#1114112;"), "\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn raw_control_characters_go_and_words_stay_apart() {
        assert_eq!(clean(b"Default\x05Voucher\x04 Class\x00\t\r\n"), "Default Voucher Class\t\r\n");
    }

    #[test]
    fn a_reference_cut_by_a_chunk_boundary_is_read_whole() {
        for shift in 0..8 {
            let text = format!("{}&#4;x&amp;y", "a".repeat(64 * 1024 - shift));
            assert!(clean(text.as_bytes()).ends_with("ax&amp;y"), "shift {shift}");
        }
    }

    #[test]
    fn a_place_of_the_clean_text_is_found_again_in_the_file() {
        let text = "<A>\r\n&#4;é & <B>";
        for (bytes, width) in [
            (text.as_bytes().to_vec(), None),
            (text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), Some(2_usize)),
        ] {
            let wanted = width.map_or_else(
                || text.find("<B>").unwrap(),
                |width| {
                    text.chars().position(|found| found == '<').map_or(0, |_| text.encode_utf16().count() - 3) * width
                },
            );
            let mut reader = CleanReader::open(bytes.as_slice(), 1 << 20).unwrap();
            let mut out = String::new();
            reader.read_to_string(&mut out).unwrap();
            let place = reader.place(u64::try_from(out.find("<B>").unwrap()).unwrap());
            assert_eq!((place.line, place.byte), (2, u64::try_from(wanted).unwrap()));
        }
    }

    #[test]
    fn an_endless_text_is_refused() {
        let text = format!("<A>{}", "x".repeat(300_000));
        let mut out = String::new();
        let error = CleanReader::open(text.as_bytes(), 1000).unwrap().read_to_string(&mut out).unwrap_err();
        assert!(error.to_string().contains("1000 bytes"), "{error}");
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_no_forbidden_character_is_left(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let out = clean(&bytes);
            prop_assert!(!out.chars().any(|found| is_control(u32::from(found))));
        }
    }
}

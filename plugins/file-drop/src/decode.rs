//! From bytes to UTF-8: byte order marks, UTF-16 and code pages, as a reader over a reader.
//!
//! A byte that is no text becomes the byte `FF`, which UTF-8 never has: the document around it fails
//! to decode later and is reported alone, with its place.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use schemars::JsonSchema;
use serde::Deserialize;

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8 or UTF-16, told by the byte order mark or, without one, by the first two bytes.
    #[default]
    Auto,
    /// The Western code page of Windows, which old programs write; ISO 8859-1 is read by it too, whose printable
    /// characters are the same.
    #[serde(rename = "windows-1252", alias = "iso-8859-1")]
    Windows1252,
}

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Bytes by which the encoding is told.
const MARK_MAX: usize = 4;
/// Stands for what cannot be decoded.
const NOT_TEXT: u8 = 0xff;

/// The bytes of a mark at the beginning, and what has to be decoded; nothing where that is UTF-8 already.
fn told_by(head: &[u8], encoding: Encoding) -> (usize, Option<&'static encoding_rs::Encoding>) {
    match (encoding, head) {
        (_, [0xef, 0xbb, 0xbf, ..]) => (3, None),
        (_, [0xff, 0xfe, ..]) => (2, Some(UTF_16LE)),
        (_, [0xfe, 0xff, ..]) => (2, Some(UTF_16BE)),
        (Encoding::Windows1252, _) => (0, Some(WINDOWS_1252)),
        // Texts of all our formats begin with an ASCII character, so a zero beside it shows the width and order.
        (Encoding::Auto, [first, 0, ..]) if *first != 0 => (0, Some(UTF_16LE)),
        (Encoding::Auto, [0, second, ..]) if *second != 0 => (0, Some(UTF_16BE)),
        (Encoding::Auto, _) => (0, None),
    }
}

/// Reads a file that holds one document, as UTF-8. Of one that is longer than `limit` bytes one more is given, by which that
/// is seen. A file of `size` bytes, its size when it was last looked at, is asked of the system in one piece.
///
/// # Errors
/// When it cannot be read.
pub fn read_whole(path: &Path, size: u64, encoding: Encoding, limit: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let enough = limit.saturating_add(1);
    // One byte more than it has, so that a file that has not grown ends within the piece.
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1).max(MARK_MAX).min(enough)];
    let (mut filled, mut ended) = (0, false);
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty() && !ended) {
        match file.read(room) {
            Ok(count) => (filled, ended) = (filled + count, count == 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    let (mark, decoded) = told_by(&bytes, encoding);
    let at_most = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    if decoded.is_some() {
        let mut text = Vec::with_capacity(filled);
        Utf8Reader::new(io::Cursor::new(bytes).chain(file), encoding)?.take(at_most(enough)).read_to_end(&mut text)?;
        return Ok(text);
    }
    if !ended {
        file.take(at_most(enough.saturating_add(mark).saturating_sub(filled))).read_to_end(&mut bytes)?;
    }
    bytes.drain(..mark);
    Ok(bytes)
}

/// Reads UTF-8 out of whatever `inner` holds.
#[derive(Debug)]
pub struct Utf8Reader<R> {
    inner: R,
    decoder: Option<Decoder>,
    /// Bytes that were read and not decoded yet.
    raw: Vec<u8>,
    /// Decoded bytes that were not handed out yet, and how many of them were.
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf8Reader<R> {
    /// Looks at the first bytes and decides.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn new(mut inner: R, encoding: Encoding) -> io::Result<Self> {
        let mut head = Vec::with_capacity(MARK_MAX);
        inner.by_ref().take(u64::try_from(MARK_MAX).unwrap_or(u64::MAX)).read_to_end(&mut head)?;
        let (skip, found) = told_by(&head, encoding);
        let rest = head.split_off(skip);
        let decoder = found.map(encoding_rs::Encoding::new_decoder_without_bom_handling);
        let (raw, ready) = if decoder.is_some() { (rest, Vec::new()) } else { (Vec::new(), rest) };
        Ok(Self { inner, decoder, raw, ready, given: 0, ended: false })
    }

    /// Decodes the next chunk into `ready`.
    fn refill(&mut self, decoder: &mut Decoder) -> io::Result<()> {
        let mut chunk = std::mem::take(&mut self.raw);
        let before = chunk.len();
        self.inner.by_ref().take(u64::try_from(CHUNK).unwrap_or(u64::MAX)).read_to_end(&mut chunk)?;
        self.ended = chunk.len() == before;
        self.ready.clear();
        self.given = 0;
        let mut rest = chunk.as_slice();
        loop {
            let room = decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(rest.len() * 3 + 16);
            let start = self.ready.len();
            self.ready.resize(start + room, 0);
            let target = self.ready.get_mut(start..).unwrap_or_default();
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, target, self.ended);
            self.ready.truncate(start + written);
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(_, _) => self.ready.push(NOT_TEXT),
            }
        }
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            let ready = self.ready.get(self.given..).unwrap_or_default();
            if !ready.is_empty() {
                let count = ready.len().min(target.len());
                for (to, from) in target.iter_mut().zip(ready) {
                    *to = *from;
                }
                self.given += count;
                return Ok(count);
            }
            let Some(mut decoder) = self.decoder.take() else { return self.inner.read(target) };
            if self.ended {
                return Ok(0);
            }
            let result = self.refill(&mut decoder);
            self.decoder = Some(decoder);
            result?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
        let mut text = Vec::new();
        Utf8Reader::new(bytes, encoding).unwrap().read_to_end(&mut text).unwrap();
        text
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn byte_order_marks_are_dropped_and_obeyed() {
        let text = "{\"é\":\"₹😀\"}";
        let marked = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", text.as_bytes().to_vec()),
            marked(b"\xff\xfe", utf16(text, u16::to_le_bytes)),
            marked(b"\xfe\xff", utf16(text, u16::to_be_bytes)),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes, Encoding::Auto), text.as_bytes(), "{bytes:x?}");
        }
    }

    #[test]
    fn a_long_text_is_decoded_across_chunks() {
        let text = format!("[{}]", "\"é₹😀\",".repeat(40_000));
        let bytes = [b"\xff\xfe".to_vec(), utf16(&text, u16::to_le_bytes)].concat();
        assert_eq!(decode(&bytes, Encoding::Auto), text.as_bytes());
    }

    #[test]
    fn half_a_character_at_the_end_is_marked_and_not_lost() {
        let mut bytes = [b"\xff\xfe".to_vec(), utf16("{}", u16::to_le_bytes)].concat();
        bytes.push(b'x');
        assert_eq!(decode(&bytes, Encoding::Auto), b"{}\xff");
    }

    #[test]
    fn a_code_page_is_decoded_when_configured() {
        assert_eq!(decode(b"\"caf\xe9\"", Encoding::Windows1252), "\"café\"".as_bytes());
        assert_eq!(decode(b"\"caf\xe9\"", Encoding::Auto), b"\"caf\xe9\"");
    }

    #[test]
    fn a_file_is_read_whole_whatever_size_it_was_said_to_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xml");
        let text = "<a>\u{e9}\u{20b9}</a>".repeat(3_000);
        let contents = [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe".to_vec(), utf16(&text, u16::to_le_bytes)].concat(),
            Vec::new(),
        ];
        for content in contents {
            std::fs::write(&path, &content).unwrap();
            let size = u64::try_from(content.len()).unwrap();
            let whole = if content.is_empty() { &[][..] } else { text.as_bytes() };
            for said in [size, 0, size / 2, size + 1, size * 2] {
                assert_eq!(read_whole(&path, said, Encoding::Auto, text.len()).unwrap(), whole, "{said} of {size}");
                let begun = read_whole(&path, said, Encoding::Auto, 100).unwrap();
                assert_eq!(begun, &whole[..whole.len().min(101)], "{said} of {size}");
            }
        }
        assert!(read_whole(&folder.path().join("b.xml"), 1, Encoding::Auto, 100).is_err());
    }

    #[test]
    fn short_inputs_are_read_whole() {
        for bytes in [&b""[..], b"{", b"{}", b"\xef\xbb\xbf", b"\xff\xfe"] {
            let text = decode(bytes, Encoding::Auto);
            assert!(text.len() <= bytes.len());
        }
    }
}

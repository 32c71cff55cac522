//! From bytes to UTF-8: byte order marks, UTF-16 and code pages, as a reader over a reader.
//!
//! A byte that is no text becomes the byte `FF`, which UTF-8 never has: the document around it fails
//! to decode later and is reported alone, with its place.

use std::io::{self, Read};

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
/// Stands for what cannot be decoded.
const NOT_TEXT: u8 = 0xff;

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
        let mut head = Vec::with_capacity(4);
        inner.by_ref().take(4).read_to_end(&mut head)?;
        let (skip, found) = match (encoding, head.as_slice()) {
            (_, [0xef, 0xbb, 0xbf, ..]) => (3, None),
            (_, [0xff, 0xfe, ..]) => (2, Some(UTF_16LE)),
            (_, [0xfe, 0xff, ..]) => (2, Some(UTF_16BE)),
            (Encoding::Windows1252, _) => (0, Some(WINDOWS_1252)),
            // Texts of all our formats begin with an ASCII character, so a zero beside it shows the width and order.
            (Encoding::Auto, [first, 0, ..]) if *first != 0 => (0, Some(UTF_16LE)),
            (Encoding::Auto, [0, second, ..]) if *second != 0 => (0, Some(UTF_16BE)),
            (Encoding::Auto, _) => (0, None),
        };
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
    fn short_inputs_are_read_whole() {
        for bytes in [&b""[..], b"{", b"{}", b"\xef\xbb\xbf", b"\xff\xfe"] {
            let text = decode(bytes, Encoding::Auto);
            assert!(text.len() <= bytes.len());
        }
    }
}

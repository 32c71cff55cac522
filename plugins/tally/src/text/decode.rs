//! Decoding an export to text, chunk by chunk.
//!
//! Files have been seen as UTF-16LE with and without byte order mark, as UTF-8 with one (saved again
//! by a user), as plain UTF-8 and in the Windows page 1252.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes read from the file at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes looked at to tell UTF-16 without a byte order mark.
const PROBE_BYTES: usize = 64;

/// How a file encodes its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8; a stray byte is read by page 1252, and counts as two in the places after it.
    Utf8,
    /// Two bytes a character, low byte first.
    Utf16Le,
    /// Two bytes a character, high byte first.
    Utf16Be,
    /// The western 8-bit page.
    Windows1252,
}

impl Encoding {
    /// The encoding that the first bytes show, and the length of the byte order mark.
    pub(crate) fn detect(head: &[u8]) -> (Self, usize) {
        match head {
            [0xFF, 0xFE, ..] => (Self::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Self::Utf16Be, 2),
            [0xEF, 0xBB, 0xBF, ..] => (Self::Utf8, 3),
            _ => {
                let zeros = |phase: usize| head.iter().skip(phase).step_by(2).filter(|byte| **byte == 0).count();
                let (even, odd) = (zeros(0), zeros(1));
                // Markup is ASCII, so nearly every other byte of UTF-16 is nought.
                if odd * 4 > head.len() && even == 0 {
                    (Self::Utf16Le, 0)
                } else if even * 4 > head.len() && odd == 0 {
                    (Self::Utf16Be, 0)
                } else {
                    (Self::Utf8, 0)
                }
            }
        }
    }

    /// Bytes an ASCII character takes in the file.
    pub(crate) const fn raw_per_ascii(self) -> u64 {
        match self {
            Self::Utf8 | Self::Windows1252 => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    /// Bytes a character beyond ASCII takes in the file.
    pub(crate) fn raw_length(self, character: char) -> u64 {
        let length = match self {
            Self::Utf8 => character.len_utf8(),
            Self::Windows1252 => 1,
            Self::Utf16Le | Self::Utf16Be => 2 * character.len_utf16(),
        };
        u64::try_from(length).unwrap_or(1)
    }
}

/// Decodes a byte stream. What [`Decoded::open`] takes for UTF-8 may turn out to be page 1252, chunk
/// by chunk.
pub(crate) struct Decoded<R> {
    inner: R,
    encoding: Encoding,
    wide: Option<Decoder>,
    raw: Vec<u8>,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    /// Looks at the beginning of a stream. Also gives the length of the byte order mark.
    pub(crate) fn open(mut inner: R) -> io::Result<(Self, usize)> {
        let mut raw = Vec::with_capacity(CHUNK_BYTES);
        let ended = fill(&mut inner, &mut raw, CHUNK_BYTES)?;
        let (encoding, mark) = Encoding::detect(raw.get(..PROBE_BYTES).unwrap_or(&raw));
        raw.drain(..mark);
        let wide = match encoding {
            Encoding::Utf16Le => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Encoding::Utf16Be => Some(UTF_16BE.new_decoder_without_bom_handling()),
            Encoding::Utf8 | Encoding::Windows1252 => None,
        };
        Ok((Self { inner, encoding, wide, raw, ended }, mark))
    }

    /// The encoding in use for the chunk decoded last.
    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Replaces `out` by the next chunk of text. `true` when it is the last one.
    pub(crate) fn next_chunk(&mut self, out: &mut String) -> io::Result<bool> {
        out.clear();
        if self.raw.len() < CHUNK_BYTES / 2 && !self.ended {
            self.ended = fill(&mut self.inner, &mut self.raw, CHUNK_BYTES)?;
        }
        match self.wide.as_mut() {
            Some(decoder) => {
                decode_wide(decoder, &self.raw, self.ended, out);
                self.raw.clear();
            }
            None => self.decode_narrow(out),
        }
        Ok(self.ended && self.raw.is_empty())
    }

    /// Reads UTF-8, and each byte that is none by page 1252: text of that page is hardly ever valid
    /// UTF-8 beyond ASCII, and files that went through several programs hold both.
    fn decode_narrow(&mut self, out: &mut String) {
        let mut rest: &[u8] = &self.raw;
        let (mut kept, mut multibyte, mut stray) = (0, false, false);
        while !rest.is_empty() {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => {
                    multibyte |= !text.is_ascii();
                    out.push_str(text);
                    break;
                }
                Err(error) => error,
            };
            let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
            let valid = std::str::from_utf8(valid).unwrap_or_default();
            multibyte |= !valid.is_ascii();
            out.push_str(valid);
            if error.error_len().is_none() && !self.ended {
                kept = after.len();
                break;
            }
            let (byte, after) = after.split_at_checked(1).unwrap_or((after, &[]));
            out.push_str(&WINDOWS_1252.decode_without_bom_handling(byte).0);
            stray = true;
            rest = after;
        }
        if multibyte || stray {
            self.encoding = if multibyte { Encoding::Utf8 } else { Encoding::Windows1252 };
        }
        let consumed = self.raw.len() - kept;
        self.raw.drain(..consumed);
    }
}

fn decode_wide(decoder: &mut Decoder, mut raw: &[u8], last: bool, out: &mut String) {
    loop {
        let needed = decoder.max_utf8_buffer_length(raw.len()).unwrap_or(raw.len() * 3 + 16);
        out.reserve(needed.max(16));
        let (result, read, _) = decoder.decode_to_string(raw, out, last);
        raw = raw.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

/// Reads until `wanted` bytes are there. `true` at the end of the stream.
fn fill<R: Read>(inner: &mut R, raw: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
    let missing = u64::try_from(wanted.saturating_sub(raw.len())).unwrap_or(0);
    let read = inner.by_ref().take(missing).read_to_end(raw)?;
    Ok(u64::try_from(read).unwrap_or(0) < missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> (String, Encoding) {
        let (mut decoded, _) = Decoded::open(bytes).unwrap();
        let (mut all, mut chunk) = (String::new(), String::new());
        loop {
            let last = decoded.next_chunk(&mut chunk).unwrap();
            all.push_str(&chunk);
            if last {
                return (all, decoded.encoding());
            }
        }
    }

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn every_encoding_tally_files_are_seen_in_is_recognised() {
        let text = "<ENVELOPE><NAME>कृष्णा ट्रेडर्स ₹</NAME></ENVELOPE>";
        for big in [false, true] {
            for mark in [false, true] {
                assert_eq!(decode(&utf16(text, big, mark)).0, text, "big {big}, mark {mark}");
            }
        }
        assert_eq!(decode(text.as_bytes()), (text.to_owned(), Encoding::Utf8));
        assert_eq!(decode(&[b"\xEF\xBB\xBF", text.as_bytes()].concat()).0, text);
        assert_eq!(decode(b"<N>Caf\xE9 \x96 Pune</N>"), ("<N>Café – Pune</N>".to_owned(), Encoding::Windows1252));
    }

    #[test]
    fn one_stray_byte_does_not_turn_a_utf8_file_into_another_page() {
        let bytes = ["<N>नमस्ते</N>".as_bytes(), b"\xE9", "<N>₹</N>".as_bytes()].concat();
        assert_eq!(decode(&bytes).0, "<N>नमस्ते</N>é<N>₹</N>");
    }

    #[test]
    fn characters_cut_by_a_chunk_boundary_are_whole_again() {
        let text = "अ".repeat(CHUNK_BYTES);
        assert_eq!(decode(format!("x{text}").as_bytes()).0, format!("x{text}"));
        assert_eq!(decode(&utf16(&format!("<x>{text}"), false, true)).0, format!("<x>{text}"));
    }
}

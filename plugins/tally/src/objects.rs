//! Vouchers and masters in a file or an answer, whichever way it writes them.

use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::text::Place;
use crate::xml::{Fault, Found, Limits, Summary, Wanted};
use crate::{json, xml};

/// Bytes looked at to tell JSON from XML: a byte order mark, blanks and the first character.
const HEAD_BYTES: u64 = 256;

/// Reads a whole stream and hands over what is wanted, in order, as clean XML.
///
/// # Errors
/// [`Fault`] where the stream stops being readable.
pub(crate) fn split<R: Read>(
    mut input: R,
    wanted: Wanted,
    limits: Limits,
    found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<Summary, Fault> {
    let mut head = Vec::new();
    input
        .by_ref()
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|error: io::Error| Fault::at(Place { line: 1, byte: 0 }, "tally.unreadable", error.to_string()))?;
    let whole = head.as_slice().chain(input);
    if is_json(&head) { json::split(whole, wanted, limits, found) } else { xml::split(whole, wanted, limits, found) }
}

/// Whether the first character is the brace that begins Tally's JSON, in any encoding.
fn is_json(head: &[u8]) -> bool {
    let mark = |byte: &u8| matches!(byte, 0 | 0xFE | 0xFF | 0xEF | 0xBB | 0xBF) || byte.is_ascii_whitespace();
    head.iter().find(|byte| !mark(byte)) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_told_by_the_first_character_in_every_encoding() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for (bytes, expected) in [
            (b"{\"status\":1}".to_vec(), true),
            (b" \r\n\t{}".to_vec(), true),
            (b"\xEF\xBB\xBF{".to_vec(), true),
            (wide("\u{FEFF}{"), true),
            (wide(" {"), true),
            (b"<ENVELOPE>{".to_vec(), false),
            (wide("\u{FEFF}<A>"), false),
            (Vec::new(), false),
        ] {
            assert_eq!(is_json(&bytes), expected, "{bytes:?}");
        }
    }
}

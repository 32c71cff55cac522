//! Finding the next object after a place that is no well-formed XML.
//!
//! Memory holds one tag name: whatever lies between is passed over.

use std::io::{self, BufRead, Read};

use super::splitter::MASTERS;
use crate::text::CleanReader;

/// Where the search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    /// Before a message, which holds objects.
    Message,
    /// Before a voucher or master.
    Object,
    /// Before a document type or an entity declaration.
    Declaration,
    /// At the end of the file.
    End,
}

/// Longest beginning of a tag that is looked at: `<TALLYMESSAGE` and the character after it.
const TAG_BYTES_MAX: usize = 16;

/// Goes to the next start of a message, voucher or master that stands as markup.
pub(crate) fn seek<R: Read>(clean: &mut CleanReader<R>) -> io::Result<Sought> {
    let mut tag = Vec::with_capacity(TAG_BYTES_MAX);
    loop {
        forget(clean);
        let buffer = clean.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Sought::End);
        }
        let Some(at) = memchr::memchr(b'<', buffer) else {
            let all = buffer.len();
            clean.consume(all);
            continue;
        };
        clean.consume(at);
        clean.begin_piece();
        read_tag(clean, &mut tag)?;
        match tag.as_slice() {
            b"<!--" => skip_past(clean, *b"-->")?,
            b"<![CDATA[" => skip_past(clean, *b"]]>")?,
            name => {
                if let Some(found) = judge(name) {
                    clean.unread(&tag);
                    return Ok(found);
                }
            }
        }
    }
}

/// Passes over the rest of a voucher that is not wanted, without reading it as XML. It ends before
/// the end of the voucher, or before what shows that the voucher was cut off.
pub(crate) fn pass_voucher<R: Read>(clean: &mut CleanReader<R>) -> io::Result<()> {
    let mut tag = Vec::with_capacity(TAG_BYTES_MAX);
    loop {
        forget(clean);
        let buffer = clean.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let whole = |at: &usize| at + TAG_BYTES_MAX <= buffer.len();
        // Nearly every tag is that of a field, which its first letters show.
        let may_end = |at: &usize| match buffer.get(at + 1) {
            Some(b'/') => buffer.get(at + 2) == Some(&b'V'),
            Some(b'V' | b'T') => true,
            _ => false,
        };
        let ends = |at: &usize| may_end(at) && buffer.get(*at..).is_some_and(ends_voucher);
        let stop = memchr::memchr_iter(b'<', buffer).find(|at| !whole(at) || ends(at));
        let found = stop.is_some_and(|at| whole(&at));
        let used = stop.unwrap_or(buffer.len());
        clean.consume(used);
        if found {
            return Ok(());
        }
        // The tag may be cut by the end of the buffer.
        clean.begin_piece();
        read_tag(clean, &mut tag)?;
        if ends_voucher(&tag) {
            clean.unread(&tag);
            return Ok(());
        }
    }
}

/// Whether markup that begins like this stands in no voucher.
fn ends_voucher(markup: &[u8]) -> bool {
    let is = |name: &[u8], ends: fn(&u8) -> bool| {
        markup.strip_prefix(name).is_some_and(|rest| rest.first().is_some_and(ends))
    };
    let any_end = |byte: &u8| *byte == b'>' || byte.is_ascii_whitespace();
    is(b"</VOUCHER", any_end) || is(b"<TALLYMESSAGE", any_end) || is(b"<VOUCHER", u8::is_ascii_whitespace)
}

/// Reads a tag up to the end of its name.
fn read_tag<R: Read>(clean: &mut CleanReader<R>, tag: &mut Vec<u8>) -> io::Result<()> {
    tag.clear();
    while tag.len() < TAG_BYTES_MAX {
        let Some(byte) = clean.fill_buf()?.first().copied() else { return Ok(()) };
        if byte == b'<' && !tag.is_empty() {
            return Ok(());
        }
        clean.consume(1);
        tag.push(byte);
        if byte == b'>' || byte.is_ascii_whitespace() || matches!(tag.as_slice(), b"<!--" | b"<![CDATA[") {
            return Ok(());
        }
    }
    Ok(())
}

fn judge(tag: &[u8]) -> Option<Sought> {
    let (last, name) = tag.strip_prefix(b"<")?.split_last()?;
    let name = std::str::from_utf8(name).ok()?;
    let is_end = *last == b'>' || last.is_ascii_whitespace();
    match name {
        _ if name.eq_ignore_ascii_case("!DOCTYPE") || name.eq_ignore_ascii_case("!ENTITY") => Some(Sought::Declaration),
        "TALLYMESSAGE" if is_end => Some(Sought::Message),
        "VOUCHER" if is_end => Some(Sought::Object),
        // Fields are named like masters too, but only masters carry a name as their attribute.
        _ if last.is_ascii_whitespace() && MASTERS.contains(&name) => Some(Sought::Object),
        _ => None,
    }
}

/// Passes over a comment or literal text; one that is longer than any text may be was never closed,
/// and what stands in it is looked at as markup.
fn skip_past<R: Read>(clean: &mut CleanReader<R>, end: [u8; 3]) -> io::Result<()> {
    let mut left = clean.piece_max();
    let mut last = [0_u8; 3];
    while left > 0 {
        forget(clean);
        let buffer = clean.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let window = buffer.get(..left).unwrap_or(buffer);
        let mut used = 0;
        for byte in window {
            used += 1;
            let [_, second, third] = last;
            last = [second, third, *byte];
            if last == end {
                left = used;
                break;
            }
        }
        clean.consume(used);
        left -= used;
    }
    Ok(())
}

/// Lets go of what would pile up on the way.
fn forget<R: Read>(clean: &mut CleanReader<R>) {
    clean.begin_piece();
    _ = clean.place(clean.offset());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> (Sought, String) {
        let mut clean = CleanReader::open(text.as_bytes(), 1000).unwrap();
        let found = seek(&mut clean).unwrap();
        let mut rest = String::new();
        clean.read_to_string(&mut rest).unwrap();
        (found, rest)
    }

    #[test]
    fn objects_are_found_as_markup_only() {
        assert_eq!(after("x</A><VOUCHERNUMBER>1<VOUCHER A='1'>"), (Sought::Object, "<VOUCHER A='1'>".to_owned()));
        assert_eq!(after("<!-- <VOUCHER > --><TALLYMESSAGE>"), (Sought::Message, "<TALLYMESSAGE>".to_owned()));
        assert_eq!(after("<![CDATA[<VOUCHER >]]]><LEDGER NAME='x'>").0, Sought::Object);
        assert_eq!(after("<LEDGER>x</LEDGER><UNIT>Nos</UNIT>").0, Sought::End);
        assert_eq!(after("<A><!DOCTYPE x>").0, Sought::Declaration);
        assert_eq!(after("<<<VOUCHER>").0, Sought::Object);
    }

    #[test]
    fn a_tag_cut_by_a_chunk_boundary_is_found_whole() {
        for shift in 0..16 {
            let text = format!("{}<VOUCHER X='1'/>", "a".repeat(64 * 1024 - shift));
            assert_eq!(after(&text), (Sought::Object, "<VOUCHER X='1'/>".to_owned()), "shift {shift}");
        }
    }

    #[test]
    fn a_voucher_is_passed_over_up_to_its_end_or_to_what_cut_it_off() {
        for end in
            ["</VOUCHER>", "</VOUCHER >", "<TALLYMESSAGE>", "<TALLYMESSAGE xmlns:UDF=\"TallyUDF\">", "<VOUCHER A='1'>"]
        {
            for shift in 0..20 {
                let text = format!(
                    "<VOUCHERNUMBER>1</VOUCHERNUMBER></VOUCHERTYPENAME>{}<VOUCHER>{end}rest",
                    "a".repeat(64 * 1024 - shift)
                );
                let mut clean = CleanReader::open(text.as_bytes(), 1000).unwrap();
                pass_voucher(&mut clean).unwrap();
                let mut rest = String::new();
                clean.read_to_string(&mut rest).unwrap();
                assert_eq!(rest, format!("{end}rest"), "shift {shift}");
            }
        }
        let mut clean = CleanReader::open(&b"<A>x"[..], 1000).unwrap();
        pass_voucher(&mut clean).unwrap();
        assert_eq!(clean.offset(), 4);
    }

    #[test]
    fn a_comment_that_is_never_closed_hides_no_more_than_one_text() {
        let text = format!("<!-- {}<VOUCHER>", "a".repeat(2000));
        assert_eq!(after(&text).0, Sought::Object);
    }
}

//! The text of a record of a flat file, cut into fields by their places.

use std::borrow::Cow;

use super::definitions::FieldLayout;
use super::records::{DATA_WIDTH, HEAD_WIDTH, Padding};

/// The text of a record, to be cut into fields.
#[derive(Debug)]
pub(crate) struct Cut<'r> {
    pub(super) text: &'r str,
    /// Where each character begins, where that is not where the byte of its number is.
    starts: Option<Vec<usize>>,
    /// Its length in characters, with trailing blanks.
    pub(crate) width: usize,
}

impl<'r> Cut<'r> {
    pub(super) fn new(text: &'r str, padding: Padding) -> Self {
        if text.is_ascii() {
            return Self { text, starts: None, width: text.len() };
        }
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let width = starts.len();
        let by_bytes = match padding {
            Padding::Auto => text.len() == DATA_WIDTH && width != DATA_WIDTH,
            Padding::Characters => false,
            Padding::Bytes => true,
        };
        if by_bytes {
            Self { text, starts: None, width: text.len() }
        } else {
            Self { text, starts: Some(starts), width }
        }
    }

    /// The first place from this one on that is not blank; this one where that would have to be counted out.
    pub(crate) fn filled_from(&self, place: usize) -> usize {
        let Some(bytes) = self.text.as_bytes().get(place..).filter(|_| self.starts.is_none()) else { return place };
        place + bytes.len() - from_filled(bytes).len()
    }

    /// Whether it is a data record of the client and `IDoc` that these characters of a control record name. It may be one
    /// where this says no.
    pub(crate) fn is_plainly_of(&self, owner: &str) -> bool {
        self.text.get(30..49) == Some(owner)
    }

    /// The characters from a place on, up to a length; fewer where trailing blanks were cut.
    pub(crate) fn slice(&self, offset: usize, length: usize) -> Cow<'r, str> {
        let at = |place: usize| match &self.starts {
            None => place.min(self.text.len()),
            Some(starts) => starts.get(place).copied().unwrap_or(self.text.len()),
        };
        let (start, end) = (at(offset), at(offset.saturating_add(length)));
        if let Some(slice) = self.text.get(start..end) {
            return Cow::Borrowed(slice);
        }
        // A character that was cut in two by a writer who counts bytes.
        let bytes = self.text.as_bytes().get(start..end).unwrap_or_default();
        Cow::Owned(String::from_utf8_lossy(bytes).replace('\u{fffd}', ""))
    }

    /// A field of the record whose data begins at a place.
    pub(crate) fn field(&self, field: &FieldLayout, data: usize) -> Cow<'r, str> {
        self.slice(data + field.offset, field.length)
    }

    /// The head of a data record; nothing where it is none.
    pub(crate) fn head(&self) -> Option<Head<'r>> {
        let head = self
            .text
            .get(..HEAD_WIDTH)
            .or_else(|| Some(self.text.trim_end()).filter(|text| text.len() == HEAD_WIDTH - 2))?;
        head_of(head)
    }
}

/// The head of a data record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'r> {
    pub(crate) segment: &'r str,
    pub(crate) client: &'r str,
    pub(crate) document: &'r str,
    pub(crate) number: u32,
    pub(crate) parent: u32,
}

pub(super) fn head_of(text: &str) -> Option<Head<'_>> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part)
    };
    let segment = text.get(..30)?;
    let segment = segment.get(..without_blanks(segment.as_bytes()))?.trim_end();
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'/');
    if segment.is_empty() || !segment.bytes().all(is_name) {
        return None;
    }
    let parent = text.get(55..61)?.trim();
    // A shifted record has a blank in it.
    let client = text.get(30..33).filter(|client| client.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    Some(Head {
        segment,
        client,
        document: digits(33, 49)?,
        number: digits(49, 55)?.parse().ok()?,
        parent: if parent.is_empty() { 0 } else { digits(55, 61)?.parse().ok()? },
    })
}

/// Without the blanks at the beginning.
fn from_filled(bytes: &[u8]) -> &[u8] {
    let (blocks, _) = bytes.as_chunks::<32>();
    let blank = 32 * blocks.iter().take_while(|block| **block == [b' '; 32]).count();
    let bytes = bytes.get(blank..).unwrap_or_default();
    let (blocks, _) = bytes.as_chunks::<8>();
    let blank = 8 * blocks.iter().take_while(|block| **block == [b' '; 8]).count();
    let bytes = bytes.get(blank..).unwrap_or_default();
    bytes.iter().position(|byte| *byte != b' ').and_then(|first| bytes.get(first..)).unwrap_or_default()
}

/// How many bytes are left without the blanks at the end, of which a padded record has hundreds: they are told in blocks.
pub(crate) fn without_blanks(bytes: &[u8]) -> usize {
    let (_, blocks) = bytes.as_rchunks::<64>();
    let left = bytes.len() - 64 * blocks.iter().rev().take_while(|block| **block == [b' '; 64]).count();
    let bytes = bytes.get(..left).unwrap_or_default();
    let (_, blocks) = bytes.as_rchunks::<8>();
    let left = left - 8 * blocks.iter().rev().take_while(|block| **block == [b' '; 8]).count();
    let bytes = bytes.get(..left).unwrap_or_default();
    bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1)
}

//! The text of a record of a flat file, cut into fields by their places.

use std::borrow::Cow;
use std::str::Utf8Error;

use super::content::is_plain;
use super::definitions::FieldLayout;
use super::records::{DATA_WIDTH, HEAD_WIDTH, Padding};

/// The text of a record, to be cut into fields.
#[derive(Debug)]
pub(crate) struct Cut<'r> {
    /// Without the blanks that fill it up, but not shorter than its head.
    pub(super) text: &'r str,
    /// Where each character begins, where that is not where the byte of its number is.
    starts: Option<Vec<usize>>,
    /// Its length in characters, with trailing blanks.
    pub(crate) width: usize,
}

impl<'r> Cut<'r> {
    /// Of the bytes of a record, of which most are the blanks that fill it up: these need not be read as text.
    pub(super) fn new(record: &'r [u8], padding: Padding) -> Result<Self, Utf8Error> {
        let filled = without_blanks(record).max(HEAD_WIDTH.min(record.len()));
        let text = std::str::from_utf8(record.get(..filled).unwrap_or_default())?;
        if text.is_ascii() {
            return Ok(Self { text, starts: None, width: record.len() });
        }
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let width = starts.len() + record.len() - filled;
        let by_bytes = match padding {
            Padding::Auto => record.len() == DATA_WIDTH && width != DATA_WIDTH,
            Padding::Characters => false,
            Padding::Bytes => true,
        };
        Ok(if by_bytes {
            Self { text, starts: None, width: record.len() }
        } else {
            Self { text, starts: Some(starts), width }
        })
    }

    /// Whether nothing but blanks stands from this place on.
    pub(crate) fn is_over(&self, place: usize) -> bool {
        place >= self.starts.as_ref().map_or(self.text.len(), Vec::len)
    }

    /// Whether no mark stands in it that the text of an `IDoc` escapes.
    pub(crate) fn is_plain(&self) -> bool {
        is_plain(self.text.as_bytes())
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

/// What a name of a segment is filled up with.
const BLANK_NAME: &str = "                              ";

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
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'/');
    let name = text.get(..30)?;
    let end = name.bytes().position(|byte| !is_name(byte)).unwrap_or(name.len());
    let (segment, rest) = name.split_at_checked(end)?;
    if segment.is_empty() || !BLANK_NAME.starts_with(rest) && !rest.trim_end().is_empty() {
        return None;
    }
    let parent = text.get(55..61)?;
    // A shifted record has a blank in it.
    let client = text.get(30..33).filter(|client| client.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    Some(Head {
        segment,
        client,
        document: text.get(33..49).filter(|document| document.bytes().all(|byte| byte.is_ascii_digit()))?,
        number: number(text.get(49..55)?)?,
        parent: number(parent).or_else(|| parent.trim().is_empty().then_some(0))?,
    })
}

/// The number that these few digits are.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
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
    // Without an early end within a block, so that it is looked at in one piece.
    let is_blank = |block: &&[u8; 64]| block.iter().fold(0, |other, byte| other | (byte ^ b' ')) == 0;
    let (_, blocks) = bytes.as_rchunks::<64>();
    let left = bytes.len() - 64 * blocks.iter().rev().take_while(is_blank).count();
    let bytes = bytes.get(..left).unwrap_or_default();
    let (_, blocks) = bytes.as_rchunks::<8>();
    let left = left - 8 * blocks.iter().rev().take_while(|block| **block == [b' '; 8]).count();
    let bytes = bytes.get(..left).unwrap_or_default();
    bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1)
}

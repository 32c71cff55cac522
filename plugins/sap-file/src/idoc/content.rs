//! An `IDoc` as text: what is kept of it between reading and mapping, whatever file it came in.
//!
//! One line a segment, the control record first: the number of the parent's line, the segment type, the line of the
//! segment counted from the control record, then the fields that are not blank. Flat files and XML lead to the same text.
//!
//! ```text
//! 0 EDI_DC40 0<TAB>MANDT=100<TAB>DOCNUM=0000000000182520
//! 0 E1EDK01 1<TAB>CURCY=INR
//! 0 E1EDP01 2<TAB>POSEX=000010
//! 2 E1EDP26 3<TAB>QUALF=003<TAB>BETRG=907.20
//! ```

use std::borrow::Cow;

use super::cut::without_blanks;

/// Room that is made at once for a text: that of an `IDoc` of three items.
const TEXT_USUAL: usize = 4 * 1024;

/// Writes the text of one `IDoc`.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Made of texts alone.
    text: Vec<u8>,
    segments: u32,
}

impl Default for Writer {
    fn default() -> Self {
        Self { text: Vec::with_capacity(TEXT_USUAL), segments: 0 }
    }
}

impl Writer {
    /// Begins a segment below that of this number; 0 is the `IDoc` itself. Gives the segment's own number.
    pub(crate) fn segment(&mut self, parent: u32, name: &str, line: u64) -> u32 {
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        push_number(&mut self.text, u64::from(parent));
        self.text.push(b' ');
        self.text.extend_from_slice(name.as_bytes());
        self.text.push(b' ');
        push_number(&mut self.text, line);
        let number = self.segments;
        self.segments += 1;
        number
    }

    /// A field of the segment that was begun last; blank ones are left out.
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        push_field(&mut self.text, name.as_bytes(), value.as_bytes());
    }

    /// As [`field`](Self::field), for a value in which no mark stands that is escaped.
    pub(crate) fn plain_field(&mut self, name: &str, value: &str) {
        let value = trimmed(value.as_bytes());
        if !value.is_empty() {
            begin_field(&mut self.text, name.as_bytes());
            self.text.extend_from_slice(value);
        }
    }

    /// Fields of the segment that was begun last, as [`push_field`] wrote them.
    pub(crate) fn fields(&mut self, written: &[u8]) {
        self.text.extend_from_slice(written);
    }

    /// How many segments there are, the control record not counted.
    pub(crate) fn segments(&self) -> u32 {
        self.segments.saturating_sub(1)
    }

    /// How long the text is.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        String::from_utf8(self.text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

/// Writes a field, a text, as the text of an `IDoc` has it; one that is blank is left out.
pub(crate) fn push_field(text: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let value = trimmed(value);
    if value.is_empty() {
        return;
    }
    begin_field(text, name);
    if is_plain(value) {
        text.extend_from_slice(value);
        return;
    }
    for found in value {
        match found {
            b'\t' => text.extend_from_slice(b"\\t"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\\' => text.extend_from_slice(b"\\\\"),
            other => text.push(*other),
        }
    }
}

fn begin_field(text: &mut Vec<u8>, name: &[u8]) {
    text.push(b'\t');
    text.extend_from_slice(name);
    text.push(b'=');
}

/// Whether no mark stands in a text that is escaped.
pub(super) fn is_plain(text: &[u8]) -> bool {
    memchr::memchr3(b'\t', b'\n', b'\\', text).is_none()
}

/// As `trim` of a text, which looks at each character from the end: nearly all values have no blank there, or very many.
fn trimmed(value: &[u8]) -> &[u8] {
    let is_dense = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if is_dense(value.first()) && is_dense(value.last()) {
        return value;
    }
    let value = value.get(..without_blanks(value)).unwrap_or_default();
    if value.is_empty() || is_dense(value.first()) && is_dense(value.last()) {
        return value;
    }
    std::str::from_utf8(value).map_or(value, |text| text.trim().as_bytes())
}

fn push_number(text: &mut Vec<u8>, number: u64) {
    if number > 9 {
        push_number(text, number / 10);
    }
    text.extend(u8::try_from(number % 10).map(|digit| b'0' + digit));
}

/// An `IDoc` that was read, borrowed from its text.
#[derive(Debug, Default)]
pub(crate) struct Idoc<'a> {
    /// The control record first.
    segments: Vec<Segment<'a>>,
    fields: Vec<(&'a str, Cow<'a, str>)>,
}

/// One segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    /// The number of the parent; 0 for a segment of the head.
    pub(crate) parent: usize,
    /// The segment type.
    pub(crate) name: &'a str,
    /// The line, from that of the control record.
    pub(crate) line: u64,
    start: usize,
    end: usize,
}

/// A text that is no `IDoc`, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoIdoc(pub(crate) usize);

impl<'a> Idoc<'a> {
    /// Reads the text of an `IDoc`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, NoIdoc> {
        let mut idoc = Self::default();
        // A line of 60 characters is a common one.
        idoc.segments.reserve(text.len() / 60);
        idoc.fields.reserve(text.len() / 15);
        let is_plain = memchr::memchr(b'\\', text.as_bytes()).is_none();
        // One pass over all marks: a part ends before each, the head of a line or a field of it.
        let (mut begin, mut is_head) = (0, true);
        for at in memchr::memchr2_iter(b'\t', b'\n', text.as_bytes()).chain([text.len()]) {
            let part = text.get(begin..at).unwrap_or_default();
            let known = if is_head { idoc.head(part) } else { idoc.field(part, is_plain) };
            known.ok_or(NoIdoc(idoc.segments.len() + usize::from(is_head)))?;
            (begin, is_head) = (at + 1, text.as_bytes().get(at) == Some(&b'\n'));
        }
        match idoc.segments.first() {
            Some(control) if control.name == super::CONTROL_RECORD => Ok(idoc),
            _ => Err(NoIdoc(1)),
        }
    }

    /// What stands before the fields of a line.
    fn head(&mut self, head: &'a str) -> Option<()> {
        let (parent, head) = cut(head, b' ')?;
        let (name, line) = cut(head, b' ')?;
        let (parent, line) = (parent.parse().ok()?, line.parse().ok()?);
        if parent > self.segments.len().saturating_sub(1) || name.is_empty() {
            return None;
        }
        let start = self.fields.len();
        self.segments.push(Segment { parent, name, line, start, end: start });
        Some(())
    }

    /// A field of the last segment; a plain one has no escapes in it.
    fn field(&mut self, field: &'a str, is_plain: bool) -> Option<()> {
        let (name, value) = cut(field, b'=')?;
        self.fields.push((name, if is_plain { Cow::Borrowed(value) } else { unescaped(value) }));
        self.segments.last_mut()?.end = self.fields.len();
        Some(())
    }

    /// All segments in the order of the file, the control record not among them.
    pub(crate) fn segments(&self) -> &[Segment<'a>] {
        self.segments.get(1..).unwrap_or_default()
    }

    /// A field of the control record.
    pub(crate) fn control(&self, field: &str) -> &str {
        self.segments.first().and_then(|control| self.value(*control, field)).unwrap_or_default()
    }

    /// The fields of a segment.
    pub(crate) fn fields(&self, segment: Segment<'_>) -> &[(&'a str, Cow<'a, str>)] {
        self.fields.get(segment.start..segment.end).unwrap_or_default()
    }

    /// A field of a segment.
    pub(crate) fn value(&self, segment: Segment<'_>, field: &str) -> Option<&str> {
        self.fields(segment).iter().find(|(name, _)| *name == field).map(|(_, value)| &**value)
    }
}

/// What stands before the first such mark, which is never far away, and what behind it.
fn cut(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == mark)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(found) = characters.next() {
        match found {
            '\\' => match characters.next() {
                Some('t') => plain.push('\t'),
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn segments_and_fields_come_back_as_they_were_written() {
        let mut writer = Writer::default();
        writer.segment(0, "EDI_DC40", 0);
        writer.field("DOCNUM", "0000000000000001");
        let item = writer.segment(0, "E1EDP01", 7);
        writer.field("POSEX", "  ");
        let price = writer.segment(item, "E1EDP26", 8);
        writer.field("KTEXT", "a\tb\\c\nd=e");
        assert_eq!((item, price, writer.segments()), (1, 2, 2));
        let text = writer.finish();
        let idoc = Idoc::parse(&text).unwrap();
        assert_eq!(idoc.control("DOCNUM"), "0000000000000001");
        let [first, second] = idoc.segments() else { panic!("{text}") };
        assert_eq!((first.name, first.parent, first.line, idoc.fields(*first).len()), ("E1EDP01", 0, 7, 0));
        assert_eq!((second.parent, idoc.value(*second, "KTEXT")), (1, Some("a\tb\\c\nd=e")));
    }

    #[test]
    fn a_text_that_is_no_idoc_is_refused_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("{}", 1),
            ("0 E1EDK01 0", 1),
            ("0 EDI_DC40 0\n5 E1EDK01 1", 2),
            ("0 EDI_DC40 0\tX", 1),
            ("0 EDI_DC40 0\n0 E1EDK01 x", 2),
            ("0 EDI_DC40 0\n", 2),
        ] {
            assert_eq!(Idoc::parse(text).unwrap_err(), NoIdoc(line), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_survives(value in "\\PC{0,20}|[\\\\\t\nx=]{0,20}") {
            let mut writer = Writer::default();
            writer.segment(0, "EDI_DC40", 0);
            writer.field("F", &value);
            let text = writer.finish();
            let idoc = Idoc::parse(&text).unwrap();
            prop_assert_eq!(idoc.control("F"), value.trim());
        }
    }
}

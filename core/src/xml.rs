//! The commonest pieces of XML, read fast: an element that holds a text and nothing else, and the tags around such.
//!
//! Files of fields consist of such elements, with a few around them. A reader of XML takes each apart into three events,
//! and looks names up, counts and copies for each of them. [`leaf`] takes the whole element from the text that lies ahead
//! where nothing about it is out of the ordinary, [`piece`] a tag as well, and both leave everything else to the reader of
//! XML: they never refuse, and what they take a reader takes for the same.

use std::ops::Range;

/// An element without children and references: `<CURCY>INR</CURCY>`. Its parts are of text, or of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an element has a name and a text")]
pub struct Leaf<'t, T: ?Sized = str> {
    /// Its name as written, with its prefix if it has one.
    pub name: &'t T,
    /// What stands in its tag behind the name: nothing, or attributes in double quotes, without a reference in them.
    pub attributes: &'t T,
    /// Its text as written, with blanks around it; never with a reference in it.
    pub text: &'t T,
    /// All of it, from its first bracket to its last.
    pub whole: &'t T,
    /// Bytes to its end, blanks before it included.
    pub length: usize,
}

impl<'t> Leaf<'t> {
    /// The name without its prefix.
    #[must_use]
    pub fn local_name(&self) -> &'t str {
        local_name(self.name)
    }
}

/// A name without its prefix.
#[must_use]
pub fn local_name(name: &str) -> &str {
    name.get(prefix(name.as_bytes())..).unwrap_or_default()
}

/// What a text begins with, after blanks.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an element begins, ends, or does both around a text")]
pub enum Piece<'t> {
    /// An element that holds a text and nothing else.
    Leaf(Leaf<'t>),
    /// The tag with which an element begins, of which this text does not show that it is a [`Leaf`].
    Start {
        /// Its name as written.
        name: &'t str,
        /// See [`Leaf::attributes`].
        attributes: &'t str,
        /// Bytes to its end, blanks before it included.
        length: usize,
    },
    /// The tag with which an element ends.
    End {
        /// Its name as written.
        name: &'t str,
        /// Bytes to its end, blanks before it included.
        length: usize,
    },
}

impl<'t> Leaf<'t, [u8]> {
    /// The name without its prefix.
    #[must_use]
    pub fn local_name(&self) -> &'t [u8] {
        self.name.get(prefix(self.name)..).unwrap_or_default()
    }
}

/// The element that a text begins with, after blanks; nothing where it has attributes, children, references, a name beyond
/// ASCII, or no end in this text. It must begin outside of markup, as behind the end of a tag.
///
/// ```
/// use einvoice_core::xml::leaf;
///
/// let field = leaf("\n <CURCY>INR</CURCY><HWAER>").unwrap();
/// assert_eq!((field.name, field.text, field.length), ("CURCY", "INR", 20));
/// assert_eq!(leaf("<KTEXT>Nuts &amp; bolts</KTEXT>"), None);
/// assert_eq!(leaf("<E1EDK01 SEGMENT=\"1\"><CURCY>INR</CURCY>"), None);
/// ```
#[must_use]
pub fn leaf(text: &str) -> Option<Leaf<'_>> {
    Spans::of(Tag::of(text.as_bytes(), false)?, text.as_bytes())?.of_text(text)
}

/// The element or the tag that a text begins with, after blanks; nothing where it is neither, or is out of the ordinary in
/// one of the ways that [`leaf`] leaves alone. Attributes are taken where they stand in double quotes, without references.
/// It must begin outside of markup, as behind the end of a tag.
///
/// ```
/// use einvoice_core::xml::{Piece, piece};
///
/// let Some(Piece::Leaf(amount)) = piece("<cbc:Amount currencyID=\"INR\">12.50</cbc:Amount>") else { unreachable!() };
/// assert_eq!((amount.local_name(), amount.attributes, amount.text), ("Amount", " currencyID=\"INR\"", "12.50"));
/// let total = piece("\n<cac:TaxTotal>\n<cbc:TaxAmount>");
/// assert_eq!(total, Some(Piece::Start { name: "cac:TaxTotal", attributes: "", length: 15 }));
/// assert_eq!(piece("</cac:TaxTotal>"), Some(Piece::End { name: "cac:TaxTotal", length: 15 }));
/// ```
#[must_use]
pub fn piece(text: &str) -> Option<Piece<'_>> {
    let tag = Tag::of(text.as_bytes(), true)?;
    if tag.ends {
        return Some(Piece::End { name: text.get(tag.name())?, length: tag.end() });
    }
    if let Some(found) = Spans::of(tag, text.as_bytes()) {
        return found.of_text(text).map(Piece::Leaf);
    }
    Some(Piece::Start { name: text.get(tag.name())?, attributes: text.get(tag.attributes())?, length: tag.end() })
}

/// As [`leaf`], for bytes that may be no text somewhere; what is taken of them is UTF-8.
#[must_use]
pub fn leaf_of_bytes(bytes: &[u8]) -> Option<Leaf<'_, [u8]>> {
    let spans = Spans::of(Tag::of(bytes, false)?, bytes)?;
    let part = |range: Range<usize>| bytes.get(range);
    let (name, text, whole) = (part(spans.tag.name())?, part(spans.text())?, part(spans.whole())?);
    let is_text = text.is_ascii() || std::str::from_utf8(text).is_ok();
    is_text.then_some(Leaf { name, attributes: b"", text, whole, length: spans.end })
}

/// Where the parts of a tag stand.
#[derive(Debug, Clone, Copy)]
struct Tag {
    /// Of its first bracket.
    begin: usize,
    /// Whether it ends an element.
    ends: bool,
    /// Bytes of its name.
    name: usize,
    /// Bytes of its attributes.
    attributes: usize,
}

impl Tag {
    /// The tag that stands here; one that begins an element and has no attributes, or any.
    fn of(bytes: &[u8], may_be_any: bool) -> Option<Self> {
        let begin = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
        let tag = bytes.get(begin..)?.strip_prefix(b"<")?;
        let ending = tag.strip_prefix(b"/").filter(|_| may_be_any);
        let tag = ending.unwrap_or(tag);
        let (name, inside) = tag.split_at_checked(tag.iter().position(|byte| !is_of_name(*byte))?)?;
        let is_plain = inside.first() == Some(&b'>');
        let (attributes, inside) = match is_plain {
            true => inside.split_at_checked(0)?,
            false if may_be_any && ending.is_none() => inside.split_at_checked(attributes(inside)?)?,
            false => return None,
        };
        let is_whole = inside.first() == Some(&b'>') && !name.is_empty();
        is_whole.then_some(Self { begin, ends: ending.is_some(), name: name.len(), attributes: attributes.len() })
    }

    const fn name(self) -> Range<usize> {
        let begin = if self.ends { self.begin + 2 } else { self.begin + 1 };
        begin..begin + self.name
    }

    const fn attributes(self) -> Range<usize> {
        let begin = self.name().end;
        begin..begin + self.attributes
    }

    /// Behind its last bracket.
    const fn end(self) -> usize {
        self.attributes().end + 1
    }
}

/// Where the parts of an element stand.
#[derive(Debug, Clone, Copy)]
struct Spans {
    tag: Tag,
    /// Bytes of its text.
    text: usize,
    /// Behind its last bracket.
    end: usize,
}

impl Spans {
    /// The element that begins with a tag; nothing where it holds something beside a text.
    fn of(tag: Tag, bytes: &[u8]) -> Option<Self> {
        let (name, inside) = (bytes.get(tag.name())?, bytes.get(tag.end()..)?);
        let (text, end) = inside.split_at_checked(memchr::memchr2(b'<', b'&', inside)?)?;
        let behind = end.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")?;
        Some(Self { tag, text: text.len(), end: bytes.len() - behind.len() })
    }

    fn of_text(self, text: &str) -> Option<Leaf<'_>> {
        Some(Leaf {
            name: text.get(self.tag.name())?,
            attributes: text.get(self.tag.attributes())?,
            text: text.get(self.text())?,
            whole: text.get(self.whole())?,
            length: self.end,
        })
    }

    const fn text(self) -> Range<usize> {
        let begin = self.tag.end();
        begin..begin + self.text
    }

    const fn whole(self) -> Range<usize> {
        self.tag.begin..self.end
    }
}

/// Bytes of the attributes that stand here before the end of a tag. A bracket within quotes leaves a quote open before it.
fn attributes(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'>', bytes)?;
    let attributes =
        bytes.get(..end).filter(|attributes| matches!(attributes.first(), Some(b' ' | b'\t' | b'\r' | b'\n')))?;
    let is_odd = attributes.iter().any(|byte| matches!(byte, b'<' | b'&' | b'\'')) || attributes.ends_with(b"/");
    let quotes = memchr::memchr_iter(b'"', attributes).count();
    (!is_odd && quotes.is_multiple_of(2)).then_some(end)
}

/// Bytes of a prefix and its colon.
fn prefix(name: &[u8]) -> usize {
    name.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1)
}

/// The bytes that names are made of here, looked up, as names are most of a file.
static OF_NAMES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(
            clippy::indexing_slicing,
            clippy::as_conversions,
            reason = "in a constant, where nothing else can be called"
        )]
        {
            table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':');
        }
        byte += 1;
    }
    table
};

fn is_of_name(byte: u8) -> bool {
    OF_NAMES.get(usize::from(byte)).is_some_and(|is_of_name| *is_of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_an_element_is_taken_whole() {
        for (text, name, local, inside) in [
            ("<A>1</A>", "A", "A", "1"),
            ("\r\n\t <cbc:ID> x </cbc:ID><B>", "cbc:ID", "ID", " x "),
            ("<UDF:X.LIST></UDF:X.LIST>", "UDF:X.LIST", "X.LIST", ""),
            ("<A>\u{20b9} > ]]> \"</A>", "A", "A", "\u{20b9} > ]]> \""),
        ] {
            let found = leaf(text).unwrap();
            assert_eq!((found.name, found.local_name(), found.text), (name, local, inside), "{text}");
            assert!(text[..found.length].ends_with(found.whole) && found.whole.starts_with(&format!("<{name}>")));
            assert!(found.whole.ends_with(&format!("{inside}</{name}>")));
            let same = leaf_of_bytes(text.as_bytes()).unwrap();
            assert_eq!((same.name, same.local_name()), (name.as_bytes(), local.as_bytes()));
            assert_eq!((same.text, same.whole), (inside.as_bytes(), found.whole.as_bytes()));
            assert_eq!(same.length, found.length);
        }
    }

    /// The leaf that is the piece here.
    fn leaf_of(text: &str) -> Option<Leaf<'_>> {
        match piece(text)? {
            Piece::Leaf(found) => Some(found),
            _ => None,
        }
    }

    #[test]
    fn attributes_are_taken_where_they_are_asked_for() {
        let found = leaf_of("\n<a:B c=\"1\"\td=\"2\">3</a:B>").unwrap();
        assert_eq!((found.local_name(), found.attributes, found.text), ("B", " c=\"1\"\td=\"2\"", "3"));
        assert_eq!((found.whole, found.length), ("<a:B c=\"1\"\td=\"2\">3</a:B>", 25));
        assert_eq!(leaf_of("<A>1</A>"), leaf("<A>1</A>"));
        for text in [
            "<A b='1'>1</A>",
            "<A b=\"&lt;\">1</A>",
            "<A b=\"1\"/>",
            "<A b=\"1>1</A>",
            "<A b",
            "<A b=\"x > y\">1</A>",
            "<A/>",
            "</A >",
            "</>",
            "<>",
            "</A b=\"1\">",
            "<!-- -->",
            "<?a?>",
            "",
        ] {
            assert_eq!(piece(text), None, "{text}");
        }
    }

    #[test]
    fn tags_are_taken_where_no_text_alone_stands_between_them() {
        let start = |name, attributes, length| Some(Piece::Start { name, attributes, length });
        assert_eq!(piece(" <a:B c=\"1\"><C/></a:B>"), start("a:B", " c=\"1\"", 12));
        assert_eq!(piece("<A>1"), start("A", "", 3));
        assert_eq!(piece("<A>1</B>"), start("A", "", 3));
        assert_eq!(piece("<A>&amp;</A>"), start("A", "", 3));
        assert_eq!(piece("\r\n</a:B>x"), Some(Piece::End { name: "a:B", length: 8 }));
    }

    #[test]
    fn all_else_is_left_to_a_reader() {
        for text in [
            "",
            "x",
            "<",
            "<A",
            "<A>",
            "<A>1",
            "<A>1<",
            "<A>1</A",
            "<A>1</AB>",
            "<A>1</B>",
            "<A/>",
            "<A ></A>",
            "<>1</>",
            "<A b='1'>1</A>",
            "<A><B>1</B></A>",
            "<A>&amp;</A>",
            "x<A>1</A>",
            "</A><B>1</B>",
            "<!-- <A>1</A> -->",
            "<A>1<!-- --></A>",
            "<A>1</A >",
            "<\u{e9}>1</\u{e9}>",
            "\u{c}<A>1</A>",
        ] {
            assert_eq!((leaf(text), leaf_of_bytes(text.as_bytes())), (None, None), "{text}");
        }
        assert_eq!(leaf_of_bytes(b"<A>\xff</A>"), None);
    }
}

//! The commonest piece of XML, read fast: an element that holds a text and nothing else.
//!
//! Files of fields consist of such elements, with a few around them. A reader of XML takes each apart into three events,
//! and looks names up, counts and copies for each of them. [`leaf`] takes the whole element from the text that lies ahead
//! where nothing about it is out of the ordinary, and leaves everything else to the reader of XML: it never refuses, and
//! what it takes a reader takes for the same.

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
        self.name.get(prefix(self.name.as_bytes())..).unwrap_or_default()
    }
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
    Spans::of(text.as_bytes(), false)?.of_text(text)
}

/// As [`leaf`], for an element that may have attributes.
///
/// ```
/// use einvoice_core::xml::leaf_with_attributes;
///
/// let amount = leaf_with_attributes("<cbc:Amount currencyID=\"INR\">12.50</cbc:Amount>").unwrap();
/// assert_eq!((amount.local_name(), amount.attributes, amount.text), ("Amount", " currencyID=\"INR\"", "12.50"));
/// ```
#[must_use]
pub fn leaf_with_attributes(text: &str) -> Option<Leaf<'_>> {
    Spans::of(text.as_bytes(), true)?.of_text(text)
}

/// As [`leaf`], for bytes that may be no text somewhere; what is taken of them is UTF-8.
#[must_use]
pub fn leaf_of_bytes(bytes: &[u8]) -> Option<Leaf<'_, [u8]>> {
    let spans = Spans::of(bytes, false)?;
    let part = |range: Range<usize>| bytes.get(range);
    let (name, text, whole) = (part(spans.name())?, part(spans.text())?, part(spans.whole())?);
    let is_text = text.is_ascii() || std::str::from_utf8(text).is_ok();
    is_text.then_some(Leaf { name, attributes: b"", text, whole, length: spans.end })
}

/// Where the parts of an element stand.
#[derive(Debug, Clone, Copy)]
struct Spans {
    /// Of its first bracket.
    begin: usize,
    /// Bytes of its name.
    name: usize,
    /// Bytes of its attributes.
    attributes: usize,
    /// Bytes of its text.
    text: usize,
    /// Behind its last bracket.
    end: usize,
}

impl Spans {
    fn of(bytes: &[u8], may_have_attributes: bool) -> Option<Self> {
        let begin = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
        let tag = bytes.get(begin..)?.strip_prefix(b"<")?;
        let (name, inside) = tag.split_at_checked(tag.iter().position(|byte| !is_of_name(*byte))?)?;
        let is_plain = inside.first() == Some(&b'>');
        let (attributes, inside) = match is_plain {
            true => inside.split_at_checked(0)?,
            false if may_have_attributes => inside.split_at_checked(attributes(inside)?)?,
            false => return None,
        };
        let inside = inside.strip_prefix(b">").filter(|_| !name.is_empty())?;
        let (text, end) = inside.split_at_checked(memchr::memchr2(b'<', b'&', inside)?)?;
        let behind = end.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")?;
        let end = bytes.len() - behind.len();
        Some(Self { begin, name: name.len(), attributes: attributes.len(), text: text.len(), end })
    }

    fn of_text(self, text: &str) -> Option<Leaf<'_>> {
        Some(Leaf {
            name: text.get(self.name())?,
            attributes: text.get(self.attributes())?,
            text: text.get(self.text())?,
            whole: text.get(self.whole())?,
            length: self.end,
        })
    }

    const fn name(self) -> Range<usize> {
        self.begin + 1..self.begin + 1 + self.name
    }

    const fn attributes(self) -> Range<usize> {
        let begin = self.begin + 1 + self.name;
        begin..begin + self.attributes
    }

    const fn text(self) -> Range<usize> {
        let begin = self.begin + 2 + self.name + self.attributes;
        begin..begin + self.text
    }

    const fn whole(self) -> Range<usize> {
        self.begin..self.end
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

    #[test]
    fn attributes_are_taken_where_they_are_asked_for() {
        let found = leaf_with_attributes("\n<a:B c=\"1\" d = \"x > y\">2</a:B>");
        assert_eq!(found, None, "a bracket in quotes");
        let found = leaf_with_attributes("\n<a:B c=\"1\"\td=\"2\">3</a:B>").unwrap();
        assert_eq!((found.local_name(), found.attributes, found.text), ("B", " c=\"1\"\td=\"2\"", "3"));
        assert_eq!((found.whole, found.length), ("<a:B c=\"1\"\td=\"2\">3</a:B>", 25));
        let plain = leaf_with_attributes("<A>1</A>");
        assert_eq!(plain, leaf("<A>1</A>"));
        for text in
            ["<A b='1'>1</A>", "<A b=\"&lt;\">1</A>", "<A b=\"1\"/>", "<A b=\"1>1</A>", "<A b=\"1\"><C/></A>", "<A b"]
        {
            assert_eq!(leaf_with_attributes(text), None, "{text}");
        }
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

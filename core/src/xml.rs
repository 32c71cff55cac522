//! The commonest piece of XML, read fast: an element that holds a text and nothing else.
//!
//! Files of fields consist of such elements, with a few around them. A reader of XML takes each apart into three events,
//! and looks names up, counts and copies for each of them. [`leaf`] takes the whole element from the bytes that lie ahead
//! where nothing about it is out of the ordinary, and leaves everything else to the reader of XML: it never refuses, and
//! what it takes a reader takes for the same.

/// An element without attributes, children and references: `<CURCY>INR</CURCY>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an element has a name and a text")]
pub struct Leaf<'t> {
    /// Its name as written, with its prefix if it has one.
    pub name: &'t str,
    /// Its text as written, with blanks around it; never with a reference in it.
    pub text: &'t str,
    /// All of it, from its first bracket to its last.
    pub whole: &'t str,
    /// Bytes to its end, blanks before it included.
    pub length: usize,
}

impl<'t> Leaf<'t> {
    /// The name without its prefix.
    #[must_use]
    pub fn local_name(&self) -> &'t str {
        self.name.split_once(':').map_or(self.name, |(_, name)| name)
    }
}

/// The element that these bytes begin with, after blanks; nothing where it has attributes, children, references, a name
/// beyond ASCII, or no end among these bytes. They must begin outside of markup, as behind the end of a tag.
///
/// ```
/// use einvoice_core::xml::leaf;
///
/// let field = leaf(b"\n <CURCY>INR</CURCY><HWAER>").unwrap();
/// assert_eq!((field.name, field.text, field.length), ("CURCY", "INR", 20));
/// assert_eq!(leaf(b"<KTEXT>Nuts &amp; bolts</KTEXT>"), None);
/// assert_eq!(leaf(b"<E1EDK01 SEGMENT=\"1\"><CURCY>INR</CURCY>"), None);
/// ```
#[must_use]
pub fn leaf(bytes: &[u8]) -> Option<Leaf<'_>> {
    let begin = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
    let ahead = bytes.get(begin..)?;
    let tag = ahead.strip_prefix(b"<")?;
    let (name, inside) = tag.split_at_checked(tag.iter().position(|byte| !is_of_name(*byte))?)?;
    let inside = inside.strip_prefix(b">").filter(|_| !name.is_empty())?;
    let (text, end) = inside.split_at_checked(memchr::memchr2(b'<', b'&', inside)?)?;
    let behind = end.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")?;
    let whole = std::str::from_utf8(ahead.get(..ahead.len() - behind.len())?).ok()?;
    let begins = 2 + name.len();
    Some(Leaf {
        name: whole.get(1..=name.len())?,
        text: whole.get(begins..begins + text.len())?,
        whole,
        length: begin + whole.len(),
    })
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_an_element_is_taken_whole() {
        for (bytes, name, local, text) in [
            ("<A>1</A>", "A", "A", "1"),
            ("\r\n\t <cbc:ID> x </cbc:ID><B>", "cbc:ID", "ID", " x "),
            ("<UDF:X.LIST></UDF:X.LIST>", "UDF:X.LIST", "X.LIST", ""),
            ("<A>\u{20b9} > ]]> \"</A>", "A", "A", "\u{20b9} > ]]> \""),
        ] {
            let found = leaf(bytes.as_bytes()).unwrap();
            assert_eq!((found.name, found.local_name(), found.text), (name, local, text), "{bytes}");
            assert!(bytes[..found.length].ends_with(found.whole) && found.whole.starts_with(&format!("<{name}>")));
            assert!(found.whole.ends_with(&format!("{text}</{name}>")));
        }
    }

    #[test]
    fn all_else_is_left_to_a_reader() {
        for bytes in [
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
            assert_eq!(leaf(bytes.as_bytes()), None, "{bytes}");
        }
        assert_eq!(leaf(b"<A>\xff</A>"), None);
    }
}

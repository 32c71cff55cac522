//! The tree of one voucher or master, borrowed from its text.

use std::borrow::Cow;

use einvoice_core::xml::leaf;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::DEPTH_MAX;
use crate::lexical;

/// One element: attributes, text of its own, and children in order.
#[derive(Debug, Default, Clone)]
pub(crate) struct Element<'a> {
    name: Cow<'a, str>,
    attributes: Vec<(String, String)>,
    text: Cow<'a, str>,
    children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    /// Reads the one element of a text. The splitter has cleaned it; other text is an error.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        Self::read(text, true)
    }

    /// See [`parse`](Self::parse); fields without attributes are taken at once, or not.
    fn read(text: &'a str, takes_fields: bool) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Element<'a>> = Vec::new();
        // Bytes that were taken past the reader, and whether what lies ahead stands behind a tag.
        let (mut passed, mut behind_tag) = (0, false);
        loop {
            if takes_fields && behind_tag && open.len() < DEPTH_MAX {
                let read = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                let taken = take_fields(text.get(read + passed..).unwrap_or_default(), &mut open);
                *reader.get_mut() = reader.get_ref().get(taken..).unwrap_or_default();
                passed += taken;
            }
            let event = reader.read_event().map_err(|error| error.to_string())?;
            behind_tag = matches!(event, Event::Start(_) | Event::Empty(_) | Event::End(_));
            let source = |tag: &str, closing: usize| {
                let read = usize::try_from(reader.buffer_position()).ok()?;
                source(text, read + passed, tag, closing)
            };
            match event {
                Event::Start(start) => {
                    if open.len() >= DEPTH_MAX {
                        return Err(format!("elements nested deeper than {DEPTH_MAX}"));
                    }
                    open.push(Self::start(&start, source(&start, 1)));
                }
                Event::Empty(start) => {
                    let element = Self::start(&start, source(&start, 2));
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::End(_) => {
                    let Some(element) = open.pop() else { return Err("an end without a start".to_owned()) };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::Text(part) => append(&mut open, part.into_inner()),
                Event::CData(part) => {
                    // The cleaner escapes ampersands here too, so they are taken back.
                    let part = part.into_inner();
                    append(
                        &mut open,
                        quick_xml::escape::unescape(&part).map_or(part.clone(), |plain| plain.into_owned().into()),
                    );
                }
                Event::GeneralRef(reference) => append(&mut open, resolve(&reference)),
                Event::DocType(_) => return Err("a document type".to_owned()),
                Event::Eof => return Err("the element is not closed".to_owned()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// An element that begins with a tag, whose text in the source is `tag`.
    fn start(start: &BytesStart<'_>, tag: Option<&'a str>) -> Self {
        let name = start.name();
        let borrowed = tag.and_then(|tag| tag.get(..name.as_ref().len()));
        let name = borrowed.map_or_else(|| Cow::Owned(name.as_ref().to_owned()), Cow::Borrowed);
        let attributes = start
            .attributes()
            .with_checks(false)
            .flatten()
            .map(|found| {
                let value =
                    quick_xml::escape::unescape(&found.value).map_or_else(|_| found.value.to_string(), Cow::into_owned);
                (found.key.as_ref().to_owned(), value)
            })
            .collect();
        Self { name, attributes, ..Self::default() }
    }

    /// The tag as written.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The text as written, trimmed.
    pub(crate) fn raw_text(&self) -> &str {
        self.text.trim()
    }

    /// An attribute; Tally takes their names in any case.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// All children.
    pub(crate) fn children(&self) -> &[Element<'a>] {
        &self.children
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element<'a>> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Element<'a>> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The value of the first child of a name: `None` when absent, empty or "Not Applicable".
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.children.iter().filter(|child| child.name == name).find_map(|child| lexical::value(&child.text))
    }

    /// The value of the first of several names that has one, with that name.
    pub(crate) fn first<'n>(&self, names: &[&'n str]) -> Option<(&str, &'n str)> {
        names.iter().find_map(|name| self.get(name).map(|value| (value, *name)))
    }

    /// Whether a logical child says yes.
    pub(crate) fn is_yes(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("yes") || value.eq_ignore_ascii_case("true"))
    }

    /// Whether a logical child says no in so many words; one that is absent or empty says nothing.
    pub(crate) fn is_no(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("no") || value.eq_ignore_ascii_case("false"))
    }

    /// The lines of a `NAME.LIST` with `NAME` children.
    pub(crate) fn lines(&self, list: &str) -> Vec<&str> {
        let lists = self.children.iter().filter(|child| child.name == list);
        lists.flat_map(|list| list.children.iter()).filter_map(|line| lexical::value(&line.text)).collect()
    }

    /// The element as text again, escaped.
    pub(crate) fn to_xml(&self) -> String {
        let mut out = String::new();
        self.write_xml(&mut out);
        out
    }

    fn write_xml(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\"", &quick_xml::escape::escape(value.as_str()), "\""]);
        }
        out.push('>');
        out.push_str(&quick_xml::escape::escape(self.text.trim()));
        self.children.iter().for_each(|child| child.write_xml(out));
        out.extend(["</", &self.name, ">"]);
    }
}

/// Takes the fields of the innermost element that lie ahead as far as nothing about them is out of the ordinary. Gives
/// their bytes.
fn take_fields<'a>(text: &'a str, open: &mut [Element<'a>]) -> usize {
    let mut ahead = text;
    let Some(parent) = open.last_mut() else { return 0 };
    // Blanks before a field are text of its parent; the splitter leaves none.
    while let Some(field) = leaf(ahead).filter(|field| field.whole.len() == field.length) {
        let (name, value) = (Cow::Borrowed(field.name), Cow::Borrowed(field.text));
        parent.children.push(Element { name, text: value, ..Element::default() });
        ahead = ahead.get(field.length..).unwrap_or_default();
    }
    text.len() - ahead.len()
}

/// The text of the tag read last, from its name to before its closing, which has `closing` bytes and ends at `read`.
fn source<'a>(text: &'a str, read: usize, tag: &str, closing: usize) -> Option<&'a str> {
    let end = read.checked_sub(closing)?;
    text.get(end.checked_sub(tag.len())?..end)
}

fn append<'a>(open: &mut [Element<'a>], part: Cow<'a, str>) {
    let Some(element) = open.last_mut() else { return };
    if element.text.is_empty() {
        element.text = part;
    } else if !part.is_empty() {
        element.text.to_mut().push_str(&part);
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Cow<'static, str> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string().into();
    }
    match &**reference {
        "amp" => "&".into(),
        "lt" => "<".into(),
        "gt" => ">".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        other => format!("&{other};").into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of vouchers, of which some are fields that can be taken at once and some nearly are.
    const PIECES: [&str; 13] = [
        "<A.LIST>",
        "</A.LIST>",
        "<B>1</B>",
        "<B></B>",
        "<UDF:C>2</UDF:C>",
        "<B T=\"x\">3</B>",
        "<B/>",
        "<B>&amp;</B>",
        "<B>x<!-- --></B>",
        "\n ",
        "x",
        "<B><![CDATA[&amp;]]></B>",
        "<C >4</C >",
    ];

    proptest! {
        #[test]
        fn any_voucher_is_read_alike_at_once_and_event_by_event(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16)) {
            let text = format!("<V A=\"1\">{}</V>", pieces.concat());
            let shown = |read: Result<Element<'_>, String>| read.map(|element| format!("{element:?}"));
            prop_assert_eq!(shown(Element::read(&text, true)), shown(Element::read(&text, false)));
        }
    }

    #[test]
    fn text_and_attributes_are_unescaped_and_prefixes_kept() {
        let text = "<LEDGER NAME='A &amp; B'><N> 4; Not Applicable</N><P>x &lt; y &#65;</P><UDF:X.LIST><UDF:X>1</UDF:X></UDF:X.LIST></LEDGER>";
        let element = Element::parse(text).unwrap();
        assert_eq!(element.attribute("name"), Some("A & B"));
        assert_eq!(element.get("N"), None);
        assert_eq!(element.get("P"), Some("x < y A"));
        assert_eq!(element.lines("UDF:X.LIST"), ["1"]);
    }

    #[test]
    fn an_unclosed_element_is_an_error() {
        assert!(Element::parse("<A><B></A>").is_err());
        assert!(Element::parse("<A>").is_err());
        assert!(Element::parse("").is_err());
    }
}

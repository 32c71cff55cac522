//! Small parts of a package as trees that keep what they do not understand.
//!
//! Names keep their prefixes, values their escapes: what nobody asks for is written as it was read. Sheets, which may be
//! of any length, are never read so.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

use super::super::CopyError;

/// Deepest nesting of a part; those of real workbooks stay below ten.
const DEPTH_MAX: usize = 64;

/// A part: what stands before its root, and the root.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    before: String,
    pub(super) root: Element,
}

/// One element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    /// With its prefix.
    name: String,
    /// Names with prefix; values as they stand, escaped.
    attributes: Vec<(String, String)>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Element(Element),
    /// Text and everything else, as it stands.
    Raw(String),
}

impl Tree {
    pub(super) fn new(root: Element) -> Self {
        let before = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n".to_owned();
        Self { before, root }
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CopyError> {
        let text = std::str::from_utf8(bytes).map_err(|_| broken("it is not in UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::from_str(text);
        let mut before = String::new();
        let mut open: Vec<Element> = Vec::new();
        let mut root = None;
        loop {
            let (done, raw) = match reader.read_event().map_err(broken)? {
                Event::Start(start) => {
                    if open.len() >= DEPTH_MAX {
                        return Err(broken("it is nested too deeply"));
                    }
                    open.push(Element::of(&start)?);
                    continue;
                }
                Event::Empty(start) => (Some(Element::of(&start)?), None),
                Event::End(_) => (open.pop(), None),
                Event::Text(text) => (None, Some(text.into_inner().into_owned())),
                Event::CData(text) => (None, Some(format!("<![CDATA[{}]]>", text.into_inner()))),
                Event::GeneralRef(name) => (None, Some(format!("&{};", name.into_inner()))),
                Event::Comment(text) => (None, Some(format!("<!--{}-->", text.into_inner()))),
                Event::PI(text) => (None, Some(format!("<?{}?>", text.into_inner()))),
                Event::Decl(_) => {
                    (None, Some("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>".to_owned()))
                }
                Event::DocType(_) => return Err(broken("it declares a document type, which no workbook may")),
                Event::Eof => break,
            };
            match (done, raw, open.last_mut()) {
                (Some(element), _, Some(parent)) => parent.nodes.push(Node::Element(element)),
                (Some(element), _, None) => root = Some(element),
                (None, Some(raw), Some(parent)) => parent.nodes.push(Node::Raw(raw)),
                (None, Some(raw), None) if root.is_none() => before.push_str(&raw),
                _ => {}
            }
        }
        match root {
            Some(root) if open.is_empty() => Ok(Self { before, root }),
            _ => Err(broken("it breaks off")),
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut text = self.before.clone();
        self.root.write(&mut text);
        text.into_bytes()
    }
}

impl Element {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn holding(mut self, child: Self) -> Self {
        self.push(child);
        self
    }

    pub(super) fn saying(mut self, text: &str) -> Self {
        self.nodes.push(Node::Raw(escaped(text)));
        self
    }

    /// The element that a tag begins, with nothing in it.
    pub(super) fn of(start: &BytesStart<'_>) -> Result<Self, CopyError> {
        let mut element = Self::new(start.name().as_ref());
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(broken)?;
            element.attributes.push((attribute.key.as_ref().to_owned(), attribute.value.replace('"', "&quot;")));
        }
        Ok(element)
    }

    /// An element of XML that stands alone, as [`to_xml`](Self::to_xml) gives it.
    pub(super) fn from_xml(text: &str) -> Option<Self> {
        Tree::parse(text.as_bytes()).ok().map(|tree| tree.root)
    }

    pub(super) fn to_xml(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Its name without prefix.
    pub(super) fn local(&self) -> &str {
        local(&self.name)
    }

    /// A name with the prefix of this element, for a child.
    pub(super) fn beside(&self, name: &str) -> String {
        match self.name.split_once(':') {
            Some((prefix, _)) => format!("{prefix}:{name}"),
            None => name.to_owned(),
        }
    }

    /// The value of an attribute, by its name without prefix.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.attributes.iter().find(|(key, _)| local(key) == name)?;
        Some(unescape(value).unwrap_or(Cow::Borrowed(value)))
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().parse().ok()
    }

    /// The full name of an attribute: what prefix it has.
    pub(super) fn attribute_name(&self, name: &str) -> Option<&str> {
        self.attributes.iter().map(|(key, _)| key.as_str()).find(|key| local(key) == name)
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(super) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let value = escaped(value.as_ref()).replace('"', "&quot;");
        match self.attributes.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
    }

    pub(super) fn children(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Raw(_) => None,
        })
    }

    pub(super) fn children_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        self.nodes.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Raw(_) => None,
        })
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children().find(|child| child.local() == name)
    }

    pub(super) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children_mut().find(|child| child.local() == name)
    }

    pub(super) fn push(&mut self, child: Self) {
        self.nodes.push(Node::Element(child));
    }

    /// Puts a child before the first one whose name is among these, else at the end.
    pub(super) fn insert_before(&mut self, names: &[&str], child: Self) {
        let before =
            self.nodes.iter().position(|node| matches!(node, Node::Element(other) if names.contains(&other.local())));
        self.nodes.insert(before.unwrap_or(self.nodes.len()), Node::Element(child));
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Self) -> bool) {
        self.nodes.retain(|node| match node {
            Node::Element(element) => keep(element),
            Node::Raw(_) => true,
        });
    }

    /// All text within it.
    pub(super) fn text(&self) -> String {
        let one = |node: &Node| match node {
            Node::Element(element) => element.text(),
            Node::Raw(raw) => unescape(raw).map_or_else(|_| raw.clone(), Cow::into_owned),
        };
        self.nodes.iter().map(one).collect()
    }

    /// Says another text in place of everything within it.
    pub(super) fn say(&mut self, text: &str) {
        self.nodes = vec![Node::Raw(escaped(text))];
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\"", value, "\""]);
        }
        if self.nodes.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for node in &self.nodes {
            match node {
                Node::Element(element) => element.write(out),
                Node::Raw(raw) => out.push_str(raw),
            }
        }
        out.extend(["</", &self.name, ">"]);
    }
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Text as XML takes it: signs that it cannot hold are left out.
pub(super) fn escaped(text: &str) -> String {
    let held = |sign: &char| !matches!(sign, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.chars().all(|sign| held(&sign)) {
        return escape(text).into_owned();
    }
    escape(text.chars().filter(held).collect::<String>()).into_owned()
}

/// A part that is not as it must be.
pub(super) fn broken(reason: impl std::fmt::Display) -> CopyError {
    CopyError::Base(format!("a part of the workbook cannot be kept as it is: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_as_it_stood() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<x:a xmlns:x=\"u\" b=\"1 &amp; 2\">\
                    <c/>t &lt; u<!-- n --><x:d r:id='q\"'>v</x:d><![CDATA[<w>]]></x:a>";
        let mut tree = Tree::parse(text.as_bytes()).unwrap();
        let written = String::from_utf8(tree.to_bytes()).unwrap();
        assert_eq!(written, text.replace("'q\"'", "\"q&quot;\""));
        assert_eq!(tree.root.get("b").unwrap(), "1 & 2");
        let child = tree.root.child_mut("d").unwrap();
        assert_eq!((child.get("id").unwrap().as_ref(), child.text().as_str()), ("q\"", "v"));
        child.set("n", "<\u{1}>");
        assert!(child.to_xml().contains("n=\"&lt;&gt;\""));
        assert_eq!(tree.root.beside("e"), "x:e");
        assert_eq!(Element::from_xml(&tree.root.to_xml()), Some(tree.root));
    }

    #[test]
    fn what_is_no_part_of_a_workbook_is_refused() {
        let deep = "<a>".repeat(100);
        for text in ["", "<a>", "<a></b>", "<!DOCTYPE a><a/>", &deep, "\u{feff}"] {
            assert!(Tree::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Tree::parse(b"<a>\xff</a>").is_err());
    }
}

//! XML as the stand-in keeps it: a tree of names, attributes, text and children.
//!
//! Written for itself, so that the stand-in and whoever talks to it do not agree by construction.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// Reads the one element of a text; `None` when it is not well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Node> = Vec::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => open.push(Self::start(&start)),
                Event::Empty(start) => {
                    let node = Self::start(&start);
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => return Some(node),
                    }
                }
                Event::End(_) => {
                    let mut node = open.pop()?;
                    // Tally's blanks around a text say nothing.
                    let trimmed = node.text.trim().to_owned();
                    node.text = trimmed;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => return Some(node),
                    }
                }
                Event::Text(part) => open.last_mut()?.text.push_str(&part),
                Event::GeneralRef(reference) => {
                    let resolved = match &*reference {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        // XML 1.0 forbids it and Tally writes it.
                        "#4" => '\u{4}',
                        _ => reference.resolve_char_ref().ok()??,
                    };
                    open.last_mut()?.text.push(resolved);
                }
                Event::Eof => return None,
                _ => {}
            }
        }
    }

    fn start(start: &BytesStart<'_>) -> Self {
        let mut attributes = Vec::new();
        for found in start.attributes().with_checks(false).flatten() {
            let value = quick_xml::escape::unescape(&found.value)
                .map_or_else(|_| found.value.to_string(), std::borrow::Cow::into_owned);
            attributes.push((found.key.as_ref().to_owned(), value));
        }
        Self { name: start.name().as_ref().to_owned(), attributes, ..Self::default() }
    }

    /// An element with a text.
    pub(super) fn field(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into(), ..Self::default() }
    }

    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text at a path of children.
    pub(super) fn at(&self, path: &[&str]) -> Option<&str> {
        let found = path.iter().try_fold(self, |node, name| node.child(name))?;
        Some(found.text.trim())
    }

    /// An attribute, its name in any case.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The text of a child, without Tally's blanks.
    pub(super) fn get(&self, name: &str) -> &str {
        self.child(name).map(|child| child.text.trim()).unwrap_or_default()
    }

    /// Puts a child in the place of all of its name.
    pub(super) fn put(&mut self, node: Node) {
        let at = self.children.iter().position(|child| child.name == node.name).unwrap_or(self.children.len());
        self.children.retain(|child| child.name != node.name);
        self.children.insert(at.min(self.children.len()), node);
    }

    /// All descendants of a name.
    pub(super) fn all<'n>(&'n self, name: &str, found: &mut Vec<&'n Node>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.all(name, found);
        }
    }

    /// The element as Tally would write it.
    pub(super) fn xml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        _ = write!(out, "<{}", self.name);
        for (name, value) in &self.attributes {
            _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        out.push('>');
        out.push_str(&escape(&self.text));
        for child in &self.children {
            child.write(out);
        }
        _ = write!(out, "</{}>", self.name);
    }
}

/// Text for XML, with Tally's own mark for reserved words.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).replace('\u{4}', "&#4;")
}

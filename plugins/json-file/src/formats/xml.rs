//! XML as a tree: names without prefixes, attributes with `@`, text only where there are no children.

use std::borrow::Cow;

use einvoice_core::mapping::{Members, TEXT, Tree, VALUES_MAX};
use einvoice_core::xml::{self, Piece};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;
/// Most attributes of one element; UBL has seven.
const ATTRIBUTES_MAX: usize = 100;

/// Most attributes of an element that is taken past the reader.
const PLAIN_ATTRIBUTES_MAX: usize = 4;

/// Under which name the root element's own name stands.
pub(crate) const ROOT: &str = "#root";

/// An element that is still open.
struct Open<'t> {
    /// As it is written, with its prefix.
    tag: Cow<'t, str>,
    members: Members<'t>,
    text: Cow<'t, str>,
}

impl<'t> Open<'t> {
    /// An element with its attributes, which are `values` as it is one.
    fn new(start: &BytesStart<'_>, values: &mut usize) -> Result<Self, String> {
        let tag = start.name().as_ref().to_owned().into();
        let mut members = Members::new();
        *values += 1;
        for (count, attribute) in start.attributes().enumerate() {
            // Each name is compared with all before it.
            if count == ATTRIBUTES_MAX {
                return Err(format!("{tag} has more than {ATTRIBUTES_MAX} attributes"));
            }
            *values += 1;
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            if !attribute.key.as_ref().starts_with("xmlns") {
                members.insert(
                    attribute_name(attribute.key.local_name().as_ref()),
                    Tree::Text(value.trim().to_owned().into()),
                );
            }
        }
        if *values > VALUES_MAX {
            return Err(format!("it has more than {VALUES_MAX} elements and attributes"));
        }
        Ok(Self { tag, members, text: Cow::Borrowed("") })
    }

    /// Text of its own, behind what it has; blanks before the first of it are none.
    fn write(&mut self, text: Cow<'t, str>) {
        if self.text.trim().is_empty() {
            self.text = text;
        } else {
            self.text.to_mut().push_str(&text);
        }
    }

    /// An element whose tag is nothing out of the ordinary; nothing where its attributes are.
    fn plain(tag: &'t str, attributes: &'t str, text: &'t str, values: &mut usize) -> Option<Self> {
        let (mut members, mut rest) = (Members::new(), attributes.trim_ascii());
        while !rest.is_empty() {
            let (name, quoted) = rest.split_once('"')?;
            let (value, after) = quoted.split_once('"')?;
            let name = name.strip_suffix('=')?;
            let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !name.starts_with("xmlns");
            // Line ends and tabs in a value are blanks, which the reader of XML makes of them.
            let is_apart = after.is_empty() || after.starts_with(' ');
            if !is_plain || !is_apart || value.bytes().any(|byte| byte.is_ascii_control()) {
                return None;
            }
            let is_twice = members.insert(attribute_name(name), Tree::Text(value.trim().into())).is_some();
            if is_twice || members.len() > PLAIN_ATTRIBUTES_MAX {
                return None;
            }
            rest = after.trim_ascii_start();
        }
        *values += 1 + members.len();
        Some(Self { tag: tag.into(), members, text: text.into() })
    }

    /// Its name without its prefix, and what it holds.
    fn close(mut self) -> (Cow<'t, str>, Tree<'t>) {
        let name = match self.tag {
            Cow::Borrowed(tag) => xml::local_name(tag).into(),
            Cow::Owned(tag) => xml::local_name(&tag).to_owned().into(),
        };
        let text = trimmed(self.text);
        if self.members.is_empty() {
            return (name, Tree::Text(text));
        }
        if !text.is_empty() {
            self.members.insert(TEXT, Tree::Text(text));
        }
        (name, Tree::Map(self.members))
    }

    /// Elements of one name become a list.
    fn add(&mut self, name: Cow<'t, str>, child: Tree<'t>) {
        match self.members.get_mut(&name) {
            None => drop(self.members.insert(name, child)),
            Some(Tree::List(entries)) => entries.push(child),
            Some(first) => {
                let before = std::mem::replace(first, Tree::Text(Cow::Borrowed("")));
                *first = Tree::List(vec![before, child]);
            }
        }
    }
}

/// Reads a whole document; its root's name stands under [`ROOT`]. A document type is refused, and so are entities that are
/// not XML's own: no invoice needs them, and what they stand for may be large or lie elsewhere.
pub(crate) fn tree(text: &str) -> Result<Tree<'_>, String> {
    read(text, true)
}

/// See [`tree`]; what is nothing out of the ordinary is taken past the reader of XML, or not.
fn read(text: &str, takes_plain: bool) -> Result<Tree<'_>, String> {
    let mut reader = Reader::from_str(text);
    // It does not see all tags, so that which one ends which is looked at here.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut root: Option<Tree<'_>> = None;
    let mut values = 0;
    // Bytes that were taken past the reader, and whether what lies ahead stands behind a tag.
    let (mut passed, mut behind_tag) = (0, false);
    loop {
        if takes_plain && behind_tag && !open.is_empty() {
            let ahead = text.get(usize::try_from(reader.buffer_position() + passed).unwrap_or(usize::MAX)..);
            let taken = take_plain(ahead.unwrap_or_default(), &mut open, &mut values);
            *reader.get_mut() = reader.get_ref().get(taken..).unwrap_or_default();
            passed += u64::try_from(taken).unwrap_or_default();
        }
        let at = reader.buffer_position() + passed;
        let event = reader.read_event().map_err(|error| format!("{error} at byte {at}"))?;
        behind_tag = matches!(event, Event::Start(_) | Event::Empty(_) | Event::End(_));
        match event {
            Event::Start(start) if open.len() >= DEPTH_MAX => {
                return Err(format!("{} is nested more than {DEPTH_MAX} levels deep", start.name().as_ref()));
            }
            Event::Start(start) => open.push(Open::new(&start, &mut values)?),
            Event::Empty(start) => {
                let (name, tree) = Open::new(&start, &mut values)?.close();
                place(name, tree, &mut open, &mut root)?;
            }
            Event::End(end) => {
                let Some(element) = open.pop() else {
                    return Err(format!("an element ends that did not begin, at byte {at}"));
                };
                if element.tag != end.name().as_ref() {
                    let found = end.name().as_ref().to_owned();
                    return Err(format!("`</{}>` was due, and `</{found}>` was found at byte {at}", element.tag));
                }
                let (name, tree) = element.close();
                place(name, tree, &mut open, &mut root)?;
            }
            Event::Text(found) => {
                if let Some(element) = open.last_mut() {
                    element.write(found.into_inner());
                }
            }
            Event::CData(found) => {
                if let Some(element) = open.last_mut() {
                    element.write(found.into_inner());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(element) = open.last_mut() {
                    element.write(resolved(&reference, at)?.into());
                }
            }
            Event::Eof if open.is_empty() => return root.ok_or_else(|| "the file holds no element".to_owned()),
            Event::Eof => return Err("the file ends inside an element".to_owned()),
            Event::DocType(_) => {
                return Err(format!("it declares a document type at byte {at}, which invoices do not have"));
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
}

/// Takes the elements and tags ahead, as far as nothing about them is out of the ordinary and the root does not end. Gives
/// their bytes.
fn take_plain<'t>(text: &'t str, open: &mut Vec<Open<'t>>, values: &mut usize) -> usize {
    let mut ahead = text;
    // Blanks between elements are part of a text that holds both.
    while open.last().is_some_and(|parent| parent.text.trim().is_empty()) {
        let Some(taken) = take_piece(ahead, open, values) else {
            let tag = ahead.trim_ascii_start();
            if tag.starts_with('<') {
                ahead = tag;
            }
            break;
        };
        ahead = ahead.get(taken..).unwrap_or_default();
    }
    text.len() - ahead.len()
}

/// See [`take_plain`]; one of them.
fn take_piece<'t>(text: &'t str, open: &mut Vec<Open<'t>>, values: &mut usize) -> Option<usize> {
    let piece = xml::piece(text)?;
    let may_nest = open.len() < DEPTH_MAX && *values + PLAIN_ATTRIBUTES_MAX < VALUES_MAX;
    match piece {
        Piece::Leaf(leaf) if may_nest => {
            let (name, tree) = Open::plain(leaf.name, leaf.attributes, leaf.text, values)?.close();
            open.last_mut()?.add(name, tree);
            Some(leaf.length)
        }
        Piece::Start { name, attributes, length } if may_nest => {
            open.push(Open::plain(name, attributes, "", values)?);
            Some(length)
        }
        Piece::End { name, length } if open.len() > 1 && open.last()?.tag == name => {
            let (name, tree) = open.pop()?.close();
            open.last_mut()?.add(name, tree);
            Some(length)
        }
        Piece::Leaf(_) | Piece::Start { .. } | Piece::End { .. } => None,
    }
}

/// How an attribute is called among the members of its element. Those of nearly all documents need no text of their own.
fn attribute_name(name: &str) -> Cow<'static, str> {
    match name {
        "currencyID" => Cow::Borrowed("@currencyID"),
        "unitCode" => Cow::Borrowed("@unitCode"),
        "schemeID" => Cow::Borrowed("@schemeID"),
        other => Cow::Owned(format!("@{other}")),
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// A character reference, or one of the five entities of XML.
fn resolved(reference: &quick_xml::events::BytesRef<'_>, at: u64) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| format!("{error} at byte {at}"))? {
        return Ok(character.to_string());
    }
    let name: &str = reference;
    let known = quick_xml::escape::resolve_predefined_entity(name);
    known.map(str::to_owned).ok_or_else(|| format!("the entity &{name}; is not one of XML's own, at byte {at}"))
}

fn place<'t>(
    name: Cow<'t, str>,
    tree: Tree<'t>,
    open: &mut [Open<'t>],
    root: &mut Option<Tree<'t>>,
) -> Result<(), String> {
    if let Some(parent) = open.last_mut() {
        parent.add(name, tree);
        return Ok(());
    }
    if root.is_some() {
        return Err(format!("a second root element {name} follows the first"));
    }
    let mut members = match tree {
        Tree::Map(members) => members,
        other => [(TEXT, other)].into_iter().collect(),
    };
    members.insert(ROOT, Tree::Text(name));
    *root = Some(Tree::Map(members));
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_become_members_lists_and_attributes_without_prefixes() {
        let text = "<?xml version=\"1.0\"?><x:Invoice xmlns:x=\"urn:a\"><x:ID> A/1 </x:ID><x:Line><x:Q u=\"KGM\">2</x:Q>\
             </x:Line><x:Line><x:Q u=\"C62\">3</x:Q></x:Line><x:Note>Tom &amp; Jerry&#x20B9;<![CDATA[ <1>]]></x:Note><x:E/></x:Invoice>";
        let tree = tree(text).unwrap();
        let at = |path: &str| tree.at(path).and_then(Tree::text);
        assert_eq!((at("#root"), at("ID"), at("E")), (Some("Invoice"), Some("A/1"), Some("")));
        assert_eq!((at("Line[1].Q"), at("Line[1].Q.@u"), at("Line.Q.@u")), (Some("3"), Some("C62"), Some("KGM")));
        assert_eq!(at("Note"), Some("Tom & Jerry₹ <1>"));
    }

    #[test]
    fn broken_deep_and_foreign_texts_are_refused_in_words() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        let many = format!("<a>{}</a>", "<b c='1'/>".repeat(50_000));
        let wide = format!("<a {}/>", (0..200_000).map(|at| format!("b{at}=''")).collect::<Vec<_>>().join(" "));
        for (text, part) in [
            ("<a><b></a>", "`</b>` was due, and `</a>` was found at byte 6"),
            ("<a>", "ends inside"),
            ("", "no element"),
            ("<a/><b/>", "second root"),
            (deep.as_str(), "64 levels"),
            ("<a>&x;</a>", "&x;"),
            ("<a b=\"&x;\"/>", "x"),
            ("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "document type"),
            ("<!DOCTYPE a SYSTEM \"http://invented.example/a.dtd\"><a/>", "document type"),
            (many.as_str(), "more than 100000"),
            (wide.as_str(), "more than 100 attributes"),
        ] {
            let fault = tree(text).unwrap_err();
            assert!(fault.to_lowercase().contains(part), "{text}: {fault}");
        }
    }

    /// Pieces of documents, of which some are elements that can be taken at once and some nearly are.
    const PIECES: [&str; 26] = [
        "<a>",
        "</a>",
        "<p:a>",
        "</p:a>",
        "<a e=\"1\">",
        "</a >",
        "<b>",
        "</b>",
        "<p:d>1</p:d>",
        "<d> 2 </d>",
        "<d></d>",
        "<d/>",
        "<d e=\"1\">3</d>",
        "<d e=\"1\" f=\" 2 \">4</d>",
        "<d e=\"1\" e=\"1\">5</d>",
        "<d e='1'>6</d>",
        "<d e=\"1\"f=\"2\">7</d>",
        "<d p:e=\"1\">8</d>",
        "<d e=\"&lt;\">9</d>",
        "<d xmlns=\"u\">0</d>",
        "<d>&amp;</d>",
        "<d><!-- --></d>",
        " ",
        "\n",
        "x",
        "<![CDATA[ y ]]>",
    ];

    proptest! {
        #[test]
        fn any_document_is_read_alike_at_once_and_event_by_event(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16)) {
            let text = format!("<r>{}</r>", pieces.concat());
            prop_assert_eq!(read(&text, true), read(&text, false));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[<>/a&;!\\[\\]\"= x#0-9-]{0,60}") {
            let _read = tree(&text);
        }
    }
}

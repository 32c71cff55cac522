//! Records that are trees: any JSON, and XML read as one.
//!
//! A field is named by its path: `supplier.tax_id.code`, `lines[0].price`, `item.identities[type=HSN].code`. A list
//! without a choice means its first entry, an XML element with attributes its text, and `@unitCode` an attribute. For a
//! line, a path begins at the line, and at the document where it begins with a stroke: `/discount`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::Field;
use super::members::Members;
use super::record::{Origins, Record};
use crate::document::scanner::{Scanner, Token};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;
/// Most values of one document: three times what 1,000 lines need, and bearable where each is an object of its own.
pub const VALUES_MAX: usize = 100_000;

/// How a path begins that leads from the document, and not from the line.
const OF_DOCUMENT: char = '/';

/// Name of an element's own text, beside its attributes and children.
pub const TEXT: &str = "#text";

/// A value with names: every leaf a text, so that no number passes through a binary fraction. Names and texts are borrowed
/// from the document where they stand in it as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a tree has leaves, lists and names")]
pub enum Tree<'t> {
    /// A leaf: the text of a string, the digits of a number, `true` or `false`.
    Text(Cow<'t, str>),
    /// Entries.
    List(Vec<Tree<'t>>),
    /// Members by name.
    Map(Members<'t>),
}

impl<'t> Tree<'t> {
    /// Reads any JSON of at most 64 levels and [`VALUES_MAX`] values. `null` is an empty text.
    ///
    /// # Errors
    /// When the text is not JSON, too deep or too much, or an object has a member twice: nobody can tell which is meant.
    pub fn from_json(text: &'t str) -> Result<Self, serde_json::Error> {
        let mut scanner = Scanner::new(text);
        // What one pass over the text does not take is read with care, level by level, to say what is wrong with it.
        match of_scanner(&mut scanner, &mut 0).filter(|_| scanner.finish().is_ok()) {
            Some(tree) => Ok(tree),
            None => of_raw(serde_json::from_str(text)?, 0, &mut 0),
        }
    }

    /// The leaf, list or member at the end of a path; nothing where there is none.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Self> {
        if path.contains('[') {
            return self.end_of(&TreePath::parse(path));
        }
        path.split('.').try_fold(self, |here, name| if name.is_empty() { Some(here) } else { here.member(name) })
    }

    /// As [`at`](Self::at), for a path that was taken apart.
    fn end_of(&self, path: &TreePath) -> Option<&Self> {
        path.steps.iter().try_fold(self, |here, step| here.step(step))
    }

    /// The text of a leaf, of the first entry of a list, or of an element.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(entries) => entries.first().and_then(Self::text),
            Self::Map(members) => members.get(TEXT).and_then(Self::text),
        }
    }

    /// The entries of a list; a single value is a list of one.
    #[must_use]
    pub fn entries(&self) -> &[Self] {
        match self {
            Self::List(entries) => entries,
            single => std::slice::from_ref(single),
        }
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        let found = if step.name.is_empty() { self } else { self.member(&step.name)? };
        match &step.choice {
            Choice::Any => Some(found),
            Choice::Entry(number) => found.entries().get(*number),
            Choice::Where(path, wanted) => {
                let has = |entry: &&Self| {
                    entry.end_of(path).and_then(Self::text).is_some_and(|text| text.trim() == &**wanted)
                };
                found.entries().iter().find(has)
            }
            Choice::Nothing => None,
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.get(name),
            Self::List(entries) => entries.first()?.member(name),
            Self::Text(_) if name == TEXT => Some(self),
            Self::Text(_) => None,
        }
    }
}

/// A path, taken apart once for all the records it is followed through.
#[derive(Debug)]
pub(crate) struct TreePath {
    steps: Box<[Step]>,
    /// It begins at the document, whatever line it is followed for.
    of_document: bool,
}

/// A member, and which of its entries.
#[derive(Debug)]
struct Step {
    /// Empty for the tree itself.
    name: Box<str>,
    choice: Choice,
}

#[derive(Debug)]
enum Choice {
    /// Whatever there is.
    Any,
    /// The entry of a number.
    Entry(usize),
    /// The first entry whose member has a value.
    Where(TreePath, Box<str>),
    /// What is in the brackets is neither.
    Nothing,
}

impl TreePath {
    pub(crate) fn parse(path: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = path.strip_prefix(OF_DOCUMENT).unwrap_or(path);
        let of_document = rest.len() < path.len();
        while !rest.is_empty() {
            let (segment, after) = segment(rest);
            rest = after;
            steps.push(Step::parse(segment));
        }
        Self { steps: steps.into(), of_document }
    }
}

impl Step {
    fn parse(segment: &str) -> Self {
        let (name, choice) = match segment.split_once('[') {
            Some((name, choice)) => (name, choice.strip_suffix(']')),
            None => (segment, None),
        };
        let choice = match choice {
            None => Choice::Any,
            Some(choice) => match (choice.rsplit_once('='), choice.parse()) {
                (Some((path, wanted)), _) => Choice::Where(TreePath::parse(path), wanted.into()),
                (None, Ok(number)) => Choice::Entry(number),
                (None, Err(_)) => Choice::Nothing,
            },
        };
        Self { name: name.into(), choice }
    }
}

/// The part of a path before the first point outside brackets, and what follows.
fn segment(path: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, found) in path.char_indices() {
        match found {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => return (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    (path, "")
}

/// The next value; nothing where it is damaged, or is what [`of_raw`] refuses. Its depth is limited by the scanner, to as
/// many levels.
fn of_scanner<'t>(scanner: &mut Scanner<'t>, values: &mut usize) -> Option<Tree<'t>> {
    *values += 1;
    if *values > VALUES_MAX {
        return None;
    }
    match scanner.next_byte() {
        Some(b'{') => {
            scanner.open(b'{').ok()?;
            let mut members = Members::new();
            let mut is_first = true;
            while scanner.entry(b'}', is_first).ok()? {
                is_first = false;
                let name = scanner.name().ok()?;
                if members.insert(name, of_scanner(scanner, values)?).is_some() {
                    return None;
                }
            }
            Some(Tree::Map(members))
        }
        Some(b'[') => {
            scanner.open(b'[').ok()?;
            let mut entries = Vec::new();
            while scanner.entry(b']', entries.is_empty()).ok()? {
                entries.push(of_scanner(scanner, values)?);
            }
            Some(Tree::List(entries))
        }
        _ => Some(Tree::Text(match scanner.token().ok()? {
            Token::Null => Cow::Borrowed(""),
            Token::Text(text, _) => text,
            Token::Number(digits) => Cow::Borrowed(digits),
            Token::Other(word) => Cow::Borrowed(word),
        })),
    }
}

fn of_raw<'t>(raw: &'t RawValue, depth: usize, values: &mut usize) -> Result<Tree<'t>, serde_json::Error> {
    if depth > DEPTH_MAX {
        return Err(serde_json::Error::custom(format!("nested more than {DEPTH_MAX} levels deep")));
    }
    *values += 1;
    if *values > VALUES_MAX {
        return Err(serde_json::Error::custom(format!("more than {VALUES_MAX} values")));
    }
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let RawMembers(members) = serde_json::from_str(text)?;
            let read = members.into_iter().map(|(name, raw)| Ok((name, of_raw(raw, depth + 1, values)?)));
            read.collect::<Result<_, _>>().map(Tree::Map)
        }
        Some(b'[') => {
            let entries: Vec<&RawValue> = serde_json::from_str(text)?;
            entries.into_iter().map(|raw| of_raw(raw, depth + 1, values)).collect::<Result<_, _>>().map(Tree::List)
        }
        Some(b'"') => serde_json::from_str(text).map(|text: String| Tree::Text(text.into())),
        _ if text == "null" => Ok(Tree::Text(Cow::Borrowed(""))),
        _ => Ok(Tree::Text(Cow::Borrowed(text))),
    }
}

/// The members of an object, each name once.
struct RawMembers<'a>(BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = RawMembers<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    match members.entry(name) {
                        Entry::Vacant(place) => _ = place.insert(value),
                        Entry::Occupied(known) => {
                            return Err(A::Error::custom(format!("the member {} stands twice", known.key())));
                        }
                    }
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A tree one of whose lists holds the lines of the document.
#[derive(Debug, Clone)]
pub struct TreeRecord<'t> {
    root: Tree<'t>,
    lines: Arc<Lines>,
}

/// Where the lines stand: the path as it was given, and taken apart.
#[derive(Debug)]
struct Lines {
    shown: String,
    path: TreePath,
}

impl<'t> TreeRecord<'t> {
    /// A record whose lines are the entries at this path.
    #[must_use]
    pub fn new(root: Tree<'t>, lines: impl Into<String>) -> Self {
        let shown = lines.into();
        let path = TreePath::parse(&shown);
        Self { root, lines: Arc::new(Lines { shown, path }) }
    }

    fn entries(&self) -> &[Tree<'t>] {
        self.root.end_of(&self.lines.path).map_or(&[], Tree::entries)
    }

    fn end_of(&self, line: Option<usize>, path: &TreePath) -> Option<Cow<'_, str>> {
        let from = match line {
            Some(line) if !path.of_document => self.entries().get(line)?,
            _ => &self.root,
        };
        let text = from.end_of(path)?.text()?;
        (!text.trim().is_empty()).then_some(Cow::Borrowed(text))
    }
}

impl Record for TreeRecord<'_> {
    fn lines(&self) -> usize {
        self.entries().len()
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        self.end_of(line, &TreePath::parse(name))
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        self.lines.origin(line, name)
    }

    fn field(&self, line: Option<usize>, field: &Field) -> Option<Cow<'_, str>> {
        self.end_of(line, field.path())
    }

    fn inherits(&self) -> bool {
        // `discount` of a line and of the document are two things that have one name.
        false
    }

    fn origins(&self) -> Option<Arc<dyn Origins>> {
        Some(Arc::<Lines>::clone(&self.lines))
    }
}

impl Origins for Lines {
    fn origin(&self, line: Option<usize>, name: &str) -> String {
        match (line, name.strip_prefix(OF_DOCUMENT)) {
            (_, Some(path)) => path.to_owned(),
            (None, None) => name.to_owned(),
            (Some(line), None) => format!("{}[{line}].{name}", self.shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{
        "code": "A/1", "total": 99999999999999.99, "paid": true, "note": null,
        "supplier": {"tax_id": {"code": "29AAACI1234E1Z2"}, "phones": ["1", "2"]},
        "lines": [
            {"item": {"identities": [{"type": "SKU", "code": "7"}, {"type": "HSN", "code": "8481"}]}, "quantity": "2"},
            {"item": {"name": "Gasket"}, "taxes": [{"cat": "CGST", "percent": "9%"}]}
        ]}"#;

    #[test]
    fn paths_lead_through_members_lists_and_choices() {
        let record = TreeRecord::new(Tree::from_json(DOCUMENT).unwrap(), "lines");
        let head = |path: &str| record.value(None, path).map(Cow::into_owned);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(head("supplier.tax_id.code"), some("29AAACI1234E1Z2"));
        assert_eq!(head("total"), some("99999999999999.99"));
        assert_eq!((head("paid"), head("note"), head("nowhere.at.all")), (some("true"), None, None));
        assert_eq!(
            (head("supplier.phones"), head("supplier.phones[1]"), head("supplier.phones[2]")),
            (some("1"), some("2"), None)
        );
        assert_eq!(head("lines[1].item.name"), some("Gasket"));
        assert_eq!(record.lines(), 2);
        assert_eq!(record.value(Some(0), "item.identities[type=HSN].code").as_deref(), Some("8481"));
        assert_eq!(record.value(Some(1), "taxes[cat=CGST].percent").as_deref(), Some("9%"));
        assert_eq!(record.value(Some(1), "taxes[cat=IGST].percent"), None);
        assert_eq!(record.origin(Some(1), "item.name"), "lines[1].item.name");
    }

    #[test]
    fn what_is_too_deep_or_no_json_is_an_error() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(Tree::from_json(&deep).unwrap_err().to_string().contains("64 levels"));
        assert!(Tree::from_json("{\"a\":}").is_err());
    }

    #[test]
    fn a_member_that_stands_twice_and_too_many_values_are_errors() {
        let fault = |text: &str| Tree::from_json(text).unwrap_err().to_string();
        assert!(fault(r#"{"a":{"no":"1","total":5,"no":"2"}}"#).contains("the member no stands twice"));
        let many = |count: usize| format!("[{}{{}}]", "{},".repeat(count - 2));
        assert!(Tree::from_json(&many(VALUES_MAX)).is_ok());
        assert!(fault(&many(VALUES_MAX + 1)).contains("more than 100000 values"));
    }

    #[test]
    fn one_pass_reads_what_reading_level_by_level_reads() {
        fn with_care(text: &str) -> Option<Tree<'_>> {
            serde_json::from_str(text).and_then(|raw| of_raw(raw, 0, &mut 0)).ok()
        }
        let at_depth = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            DOCUMENT.to_owned(),
            at_depth(DEPTH_MAX),
            at_depth(DEPTH_MAX + 1),
            r#" {"a": 1, "A": -0.50e+1, "b\u0041": "x\u20b9\n\ud83d\ude00", "c": [[], {}, null, true]} "#.to_owned(),
        ] {
            assert_eq!(Tree::from_json(&text).ok(), with_care(&text), "{text}");
        }
        for text in
            ["", "{", "01", "1.", "[1,]", "{\"a\":1,}", "\"\\ud800\"", "\"a\nb\"", "nul", "1 2", "{1:2}", "\u{feff}1"]
        {
            assert_eq!(Tree::from_json(text).ok(), with_care(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_alike_in_one_pass_and_with_care(text in "[\\[\\]{}:,\"a0-9.eE+\\\\u -]{0,24}") {
            let with_care = serde_json::from_str(&text).and_then(|raw| of_raw(raw, 0, &mut 0));
            prop_assert_eq!(Tree::from_json(&text).ok(), with_care.ok());
        }

        #[test]
        fn no_path_makes_the_lookup_panic(path in "[a-z.\\[\\]=0-9]{0,30}") {
            let tree = Tree::from_json(DOCUMENT).unwrap();
            let _found = tree.at(&path).and_then(Tree::text);
        }
    }
}

//! Records that are trees: any JSON, and XML read as one.
//!
//! A field is named by its path: `supplier.tax_id.code`, `lines[0].price`, `item.identities[type=HSN].code`. A list
//! without a choice means its first entry, an XML element with attributes its text, and `@unitCode` an attribute.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::record::Record;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;
/// Most values of one document: three times what 1,000 lines need, and bearable where each is an object of its own.
pub const VALUES_MAX: usize = 100_000;

/// Name of an element's own text, beside its attributes and children.
pub const TEXT: &str = "#text";

/// A value with names: every leaf a text, so that no number passes through a binary fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a tree has leaves, lists and names")]
pub enum Tree {
    /// A leaf: the text of a string, the digits of a number, `true` or `false`.
    Text(String),
    /// Entries.
    List(Vec<Tree>),
    /// Members by name.
    Map(BTreeMap<String, Tree>),
}

impl Tree {
    /// Reads any JSON of at most 64 levels and [`VALUES_MAX`] values. `null` is an empty text.
    ///
    /// # Errors
    /// When the text is not JSON, too deep or too much, or an object has a member twice: nobody can tell which is meant.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        of_raw(serde_json::from_str(text)?, 0, &mut 0)
    }

    /// The leaf, list or member at the end of a path; nothing where there is none.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Self> {
        let mut here = self;
        let mut rest = path;
        while !rest.is_empty() {
            let (segment, after) = segment(rest);
            rest = after;
            here = here.step(segment)?;
        }
        Some(here)
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

    fn step(&self, segment: &str) -> Option<&Self> {
        let (name, choice) = match segment.split_once('[') {
            Some((name, choice)) => (name, choice.strip_suffix(']')),
            None => (segment, None),
        };
        let found = if name.is_empty() { self } else { self.member(name)? };
        match choice {
            None => Some(found),
            Some(choice) => found.chosen(choice),
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

    /// The entry of a number, or the first whose member has a value.
    fn chosen(&self, choice: &str) -> Option<&Self> {
        if let Some((path, wanted)) = choice.rsplit_once('=') {
            let has = |entry: &&Self| entry.at(path).and_then(Self::text).is_some_and(|text| text.trim() == wanted);
            return self.entries().iter().find(has);
        }
        self.entries().get(choice.parse::<usize>().ok()?)
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

fn of_raw(raw: &RawValue, depth: usize, values: &mut usize) -> Result<Tree, serde_json::Error> {
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
            let Members(members) = serde_json::from_str(text)?;
            let read = members.into_iter().map(|(name, raw)| Ok((name, of_raw(raw, depth + 1, values)?)));
            read.collect::<Result<_, _>>().map(Tree::Map)
        }
        Some(b'[') => {
            let entries: Vec<&RawValue> = serde_json::from_str(text)?;
            entries.into_iter().map(|raw| of_raw(raw, depth + 1, values)).collect::<Result<_, _>>().map(Tree::List)
        }
        Some(b'"') => serde_json::from_str(text).map(Tree::Text),
        _ if text == "null" => Ok(Tree::Text(String::new())),
        _ => Ok(Tree::Text(text.to_owned())),
    }
}

/// The members of an object, each name once.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

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
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A tree one of whose lists holds the lines of the document.
#[derive(Debug, Clone)]
pub struct TreeRecord {
    root: Tree,
    lines: String,
}

impl TreeRecord {
    /// A record whose lines are the entries at this path.
    #[must_use]
    pub fn new(root: Tree, lines: impl Into<String>) -> Self {
        Self { root, lines: lines.into() }
    }

    fn line(&self, line: usize) -> Option<&Tree> {
        self.root.at(&self.lines)?.entries().get(line)
    }
}

impl Record for TreeRecord {
    fn lines(&self) -> usize {
        self.root.at(&self.lines).map_or(0, |lines| lines.entries().len())
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        let from = match line {
            None => &self.root,
            Some(line) => self.line(line)?,
        };
        let text = from.at(name)?.text()?;
        (!text.trim().is_empty()).then_some(Cow::Borrowed(text))
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        match line {
            None => name.to_owned(),
            Some(line) => format!("{}[{line}].{name}", self.lines),
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

    proptest! {
        #[test]
        fn no_path_makes_the_lookup_panic(path in "[a-z.\\[\\]=0-9]{0,30}") {
            let tree = Tree::from_json(DOCUMENT).unwrap();
            let _found = tree.at(&path).and_then(Tree::text);
        }
    }
}

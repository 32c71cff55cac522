//! Where the values of a document came from.
//!
//! Every value is noted when it is set, and few notes are ever read: a dry run, a case that fails and a finding ask for
//! them, while a run over a million invoices does not. So a note is kept as it comes (a number of a rule, a number of a
//! line) and put into words when somebody asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::{Serialize, Serializer};

use crate::mapping::Trail;

/// Where each value of a document came from: JSON path of the value (`ItemList[0].HsnCd`) to a description of its origin
/// (`I/GSTHSNNAME`).
///
/// It reads as the map it is; the words are made when it is first read.
///
/// ```
/// use einvoice_core::source::{Place, Provenance};
///
/// let mut provenance = Provenance::new();
/// provenance.insert("DocDtls.No", "V/VOUCHERNUMBER");
/// provenance.insert(Place::OfItem("HsnCd", 2), "I/GSTHSNNAME");
/// assert_eq!(provenance["ItemList[2].HsnCd"], "I/GSTHSNNAME");
/// assert_eq!(provenance.len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Provenance {
    notes: Vec<Note>,
    words: OnceLock<BTreeMap<String, String>>,
}

/// The member of a document that a note is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a member is one of an item, or stands at a path")]
pub enum Place {
    /// A path: `DocDtls.No`.
    At(Cow<'static, str>),
    /// A member of an item, the first of which is item 0: `("HsnCd", 2)` is `ItemList[2].HsnCd`.
    OfItem(&'static str, usize),
}

#[derive(Debug, Clone)]
enum Note {
    Said(Place, Cow<'static, str>),
    /// All that a mapping set.
    Mapped(Trail),
}

impl From<&'static str> for Place {
    fn from(path: &'static str) -> Self {
        Self::At(Cow::Borrowed(path))
    }
}

impl From<String> for Place {
    fn from(path: String) -> Self {
        Self::At(Cow::Owned(path))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(path) => f.write_str(path),
            Self::OfItem(member, item) => write!(f, "ItemList[{item}].{member}"),
        }
    }
}

impl Provenance {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { notes: Vec::new(), words: OnceLock::new() }
    }

    /// Notes where a value came from, in the place of what was noted of it before.
    pub fn insert(&mut self, place: impl Into<Place>, origin: impl Into<Cow<'static, str>>) {
        self.note(Note::Said(place.into(), origin.into()));
    }

    /// Notes all that another one has, in the place of what was noted of the same values before.
    pub fn extend(&mut self, later: Self) {
        self.words.take();
        self.notes.extend(later.notes);
    }

    pub(crate) fn mapped(&mut self, trail: Trail) {
        self.note(Note::Mapped(trail));
    }

    fn note(&mut self, note: Note) {
        self.words.take();
        self.notes.push(note);
    }

    /// The origin of one value: as `get`, without putting all others into words.
    #[must_use]
    pub fn of(&self, path: &str) -> Option<Cow<'_, str>> {
        if let Some(words) = self.words.get() {
            return words.get(path).map(|origin| origin.as_str().into());
        }
        let asked = Asked::new(path);
        self.notes.iter().rev().find_map(|note| match note {
            Note::Said(place, origin) => asked.is(place).then(|| Cow::Borrowed(&**origin)),
            Note::Mapped(trail) => trail.origin_of(&asked).map(Cow::Owned),
        })
    }

    fn words(&self) -> &BTreeMap<String, String> {
        self.words.get_or_init(|| {
            let mut words = BTreeMap::new();
            for note in &self.notes {
                match note {
                    Note::Said(place, origin) => drop(words.insert(place.to_string(), origin.clone().into_owned())),
                    Note::Mapped(trail) => trail.tell(&mut words),
                }
            }
            words
        })
    }
}

/// A path that is asked for, taken apart once.
#[derive(Debug)]
pub(crate) struct Asked<'p> {
    whole: &'p str,
    of_item: Option<(usize, &'p str)>,
}

impl<'p> Asked<'p> {
    fn new(path: &'p str) -> Self {
        let of_item =
            path.strip_prefix("ItemList[").and_then(|rest| rest.split_once("].")).and_then(|(item, member)| {
                // Only as it is written here: `[01]` is no item of ours.
                let number: usize = item.parse().ok()?;
                (number.to_string() == item).then_some((number, member))
            });
        Self { whole: path, of_item }
    }

    fn is(&self, place: &Place) -> bool {
        match place {
            Place::At(path) => path == self.whole,
            Place::OfItem(member, item) => self.of_item == Some((*item, member)),
        }
    }

    /// Whether it is the member of a mapping's path, `ItemList.HsnCd` or `DocDtls.No`, of an item.
    pub(crate) fn is_member(&self, path: &str, item: usize) -> bool {
        match path.strip_prefix("ItemList.") {
            Some(member) => self.of_item == Some((item, member)),
            None => path == self.whole,
        }
    }
}

impl Deref for Provenance {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        self.words()
    }
}

impl<'p> IntoIterator for &'p Provenance {
    type Item = (&'p String, &'p String);
    type IntoIter = std::collections::btree_map::Iter<'p, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.words().iter()
    }
}

impl fmt::Debug for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().fmt(f)
    }
}

impl PartialEq for Provenance {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for Provenance {}

impl Serialize for Provenance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_note_of_a_value_counts_whether_it_is_read_alone_or_with_all() {
        let mut provenance = Provenance::new();
        provenance.insert("DocDtls.No", "first");
        provenance.insert(Place::OfItem("HsnCd", 11), "the item");
        assert_eq!(provenance.of("DocDtls.No").as_deref(), Some("first"));
        assert_eq!(provenance.get("DocDtls.No").map(String::as_str), Some("first"));
        provenance.insert("DocDtls.No".to_owned(), "second".to_owned());
        let mut later = Provenance::new();
        later.insert("ItemList[11].HsnCd", "a rule");
        provenance.extend(later);
        for path in ["DocDtls.No", "ItemList[11].HsnCd", "ItemList[1].HsnCd", "ItemList[011].HsnCd", "HsnCd", ""] {
            let alone = provenance.of(path).map(Cow::into_owned);
            assert_eq!(alone.as_deref(), provenance.clone().get(path).map(String::as_str), "{path}");
        }
        assert_eq!(provenance["ItemList[11].HsnCd"], "a rule");
        assert_eq!(provenance["DocDtls.No"], "second");
        let read: Vec<&String> = (&provenance).into_iter().map(|(path, _)| path).collect();
        assert_eq!(read, ["DocDtls.No", "ItemList[11].HsnCd"]);
    }
}

//! The fields that the rules of a mapping read: each name numbered once, so that a record is asked by numbers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::Names;
use super::tree::TreePath;
use crate::spelling;

/// A field that rules read.
///
/// Fields of one name have one number, however the rules spell it, and numbers count from 0: a record that keeps its
/// values by number finds one without comparing names.
#[derive(Debug)]
pub struct Field {
    shown: Box<str>,
    name: Box<str>,
    number: usize,
    path: TreePath,
}

impl Field {
    /// The name as records have it, after [`Names`] was applied.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the name.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The name as the rule spells it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The name as a path through a tree.
    pub(crate) const fn path(&self) -> &TreePath {
        &self.path
    }
}

/// All fields of a mapping.
#[derive(Debug)]
pub(crate) struct Fields {
    names: Names,
    list: Vec<Field>,
    /// The list's positions by spelling.
    by_spelling: HashMap<Box<str>, usize>,
    numbers: HashMap<Box<str>, usize, BuildHasherDefault<NameHasher>>,
}

impl Fields {
    pub(crate) fn new(names: Names) -> Self {
        Self { names, list: Vec::new(), by_spelling: HashMap::new(), numbers: HashMap::default() }
    }

    /// Why no field can have this name, where none can.
    pub(crate) fn check(&self, shown: &str) -> Result<(), String> {
        if shown.trim().trim_start_matches('/').is_empty() {
            return Err("the name of the field is empty".to_owned());
        }
        if self.names == Names::Folded && spelling::fold(shown).is_empty() {
            return Err(format!("{shown} can name no field: only letters and digits of names count here"));
        }
        Ok(())
    }

    /// The position of a field, which is added where it is not there yet.
    pub(crate) fn add(&mut self, shown: &str) -> usize {
        if let Some(known) = self.by_spelling.get(shown) {
            return *known;
        }
        let field = self.of(shown);
        let at = self.list.len();
        self.list.push(field);
        self.by_spelling.insert(shown.into(), at);
        at
    }

    /// A field by its spelling; its name has a number from now on.
    pub(crate) fn of(&mut self, shown: &str) -> Field {
        let name = match self.names {
            Names::Exact => shown.to_owned(),
            Names::Folded => spelling::fold(shown),
        };
        let next = self.numbers.len();
        let number = *self.numbers.entry(name.as_str().into()).or_insert(next);
        Field { shown: shown.into(), path: TreePath::parse(&name), name: name.into(), number }
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Field> {
        self.list.get(at)
    }

    /// The number of a name, where a rule reads it.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// How many numbers there are.
    pub(crate) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// One field of each number, in the order of the numbers.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Field> {
        let mut next = 0;
        self.list.iter().filter(move |field| {
            let is_first = field.number == next;
            next += usize::from(is_first);
            is_first
        })
    }
}

/// Hashes short names eight bytes at a time.
///
/// The names in the map are those of the configuration, and nobody who writes a record can add one; so the map needs no
/// protection against names made to collide, which costs four times as much on each of some 200 cells of a document.
#[derive(Debug, Default)]
struct NameHasher(u64);

impl NameHasher {
    fn add(&mut self, word: u64) {
        // The multiplier of rustc-hash.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.add(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn finish(&self) -> u64 {
        // Tables look at the low bits first, and multiplication mixes the high ones.
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_number_however_it_is_spelt() {
        let mut fields = Fields::new(Names::Folded);
        let [first, second, third] = ["HSN Code", "Qty", "hsn_code"].map(|name| fields.add(name));
        let number = |at| fields.get(at).unwrap().number();
        assert_eq!((number(first), number(second), number(third), fields.count()), (0, 1, 0, 2));
        assert_eq!((fields.number("hsncode"), fields.number("hsn code")), (Some(0), None));
        assert_eq!(fields.get(third).unwrap().shown(), "hsn_code");
        assert_eq!(fields.each().map(Field::name).collect::<Vec<_>>(), ["hsncode", "qty"]);
    }

    #[test]
    fn names_of_all_lengths_are_told_apart() {
        let mut fields = Fields::new(Names::Exact);
        let names: Vec<String> = (0..40).map(|length| "a".repeat(length) + "b").collect();
        let numbers: Vec<usize> = names.iter().map(|name| fields.add(name)).collect();
        for (name, number) in names.iter().zip(numbers) {
            assert_eq!(fields.number(name), Some(number));
        }
        assert_eq!(fields.number("aaaa"), None);
    }
}

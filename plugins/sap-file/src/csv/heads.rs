//! What the rows of one document say of the document itself, where each row repeats it.

use std::collections::{BTreeMap, HashSet};

use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Field, Mapping, Record as _, TableRecord};
use einvoice_core::spelling;

/// The columns that say something of a document as a whole, by their folded names.
#[derive(Debug)]
pub(super) struct Heads(BTreeMap<String, Column>);

#[derive(Debug, Default)]
struct Column {
    /// The first member of the document that it goes to.
    member: String,
    /// Its rows may differ: it is an item's too, or only goes back with the result.
    may_differ: bool,
}

impl Heads {
    /// The columns that rules of the document read, and the keys that go back with its result.
    pub(super) fn new(mapping: &Mapping, keys: &[String]) -> Self {
        let of_items: HashSet<&str> = mapping
            .members()
            .filter(|(member, _)| member.is_of_item())
            .flat_map(|(_, fields)| fields)
            .map(Field::name)
            .collect();
        let mut columns: BTreeMap<String, Column> = BTreeMap::new();
        for (member, fields) in mapping.members().filter(|(member, _)| !member.is_of_item()) {
            for field in fields {
                let may_differ = of_items.contains(field.name());
                columns
                    .entry(field.name().to_owned())
                    .or_insert_with(|| Column { member: member.as_str().to_owned(), may_differ });
            }
        }
        // What passes documents over is of them as well.
        for name in mapping.fields().map(spelling::fold).filter(|name| !of_items.contains(name.as_str())) {
            columns.entry(name).or_default();
        }
        for key in keys {
            columns.entry(spelling::fold(key)).or_insert_with(|| Column { may_differ: true, ..Column::default() });
        }
        Self(columns)
    }

    /// Makes the head of a record of what its rows say of the document, and tells where they say different things. Rows of
    /// kind H have a head of their own, which is left as it is.
    pub(super) fn bring_together(&self, record: &mut TableRecord) -> Vec<Finding> {
        if record.lines_at.first() != Some(&record.head_at) {
            return Vec::new();
        }
        // A cell of the first row that is an item's would stand for every item that leaves it blank.
        record.head.retain(|name, _| self.0.contains_key(name));
        let mut findings = Vec::new();
        for (name, column) in &self.0 {
            let said = || record.lines.iter().enumerate().filter_map(|(at, line)| Some((at, line.get(name)?)));
            let Some((_, first)) = said().next() else { continue };
            let other = said().find(|(_, value)| *value != first).filter(|_| !column.may_differ);
            if let Some((at, value)) = other {
                findings.push(
                    Finding::error(
                        "csv.rows_differ",
                        &*column.member,
                        "the rows of one document say different things about it",
                    )
                    .with_found(value)
                    .with_expected(first)
                    .with_fix(
                        "Write the same in every row of the document, or leave the cells of the further rows blank.",
                    )
                    .with_place(record.origin(Some(at), name)),
                );
            }
            let first = first.clone();
            record.head.insert(name.clone(), first);
        }
        findings
    }
}

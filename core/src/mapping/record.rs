//! What a mapping reads: the fields of a document's head and of its lines, by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::spelling;

/// A record whose values have names, whatever it is kept in.
///
/// `line` counts from 0; `None` is the head of the document. Names come as the mapping has them after
/// [`Names`](super::Names) was applied.
pub trait Record {
    /// How many lines it has; each becomes an item.
    fn lines(&self) -> usize;

    /// The value of a field as the source has it; nothing where it is blank, or there is no such field.
    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>>;

    /// Where that value stands, for a person: "column HSN Code, row 7".
    fn origin(&self, line: Option<usize>, name: &str) -> String;

    /// As [`value`](Self::value), for a field of the mapping: for records that have something faster than its name.
    fn field(&self, line: Option<usize>, field: &Field) -> Option<Cow<'_, str>> {
        self.value(line, field.name())
    }

    /// Whether a line has the fields of the head too where it has none of its own, as the rows of a table do.
    fn inherits(&self) -> bool {
        true
    }

    /// Hands over name and value of each field of the head or of a line, and says so. A record that does not list its
    /// fields is asked for each field that a rule reads, which are many more than most records have.
    fn list<'r>(&'r self, _line: Option<usize>, _take: &mut dyn FnMut(&'r str, &'r str)) -> bool {
        false
    }

    /// What says where values stand when the record is gone; asked for once a record. A record without it is asked for
    /// the [`origin`](Self::origin) of each value at once, in words that hardly anybody reads.
    fn origins(&self) -> Option<Arc<dyn Origins>> {
        None
    }
}

/// Says where the values of a record stood, as [`Record::origin`] does.
pub trait Origins: fmt::Debug + Send + Sync {
    /// Where a value stood, for a person.
    fn origin(&self, line: Option<usize>, name: &str) -> String;
}

/// A record of a table: one row or more with named columns, as a spreadsheet, a CSV file and a query have them.
///
/// It is kept as JSON text between reading and mapping, so that mapping needs nothing else and a case can be written
/// down. Names are folded by [`spelling::fold`]; `heading` has them as the source spells them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TableRecord {
    /// Values of the head, by folded name.
    pub head: BTreeMap<String, String>,
    /// Values of the lines, by folded name.
    pub lines: Vec<BTreeMap<String, String>>,
    /// Where the head stands: "row 5", "table `einv_header`".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub head_at: String,
    /// Where each line stands: "row 7".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines_at: Vec<String>,
    /// Names as the source spells them, by folded name, where the two differ.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headings: BTreeMap<String, String>,
}

impl TableRecord {
    /// Reads the text of [`SourceRecord::content`](crate::source::SourceRecord::content). Names are folded here, so a
    /// record may also be written by hand, as in a case, with names as the source spells them.
    ///
    /// # Errors
    /// When it is not the JSON of a table record.
    pub fn parse(content: &str) -> Result<Self, serde_json::Error> {
        let mut record: Self = serde_json::from_str(content)?;
        record.head = folded(record.head);
        record.lines = record.lines.into_iter().map(folded).collect();
        Ok(record)
    }

    /// The text to keep.
    #[must_use]
    pub fn to_content(&self) -> String {
        // A record of texts is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Where its rows stand, to be kept beyond the record.
    #[must_use]
    pub fn places(&self) -> RowPlaces {
        let lines = self.lines_at.iter().map(|place| place.as_str().into()).collect();
        RowPlaces { head: self.head_at.as_str().into(), lines }
    }

    fn place(&self, line: Option<usize>) -> Option<&str> {
        let place = match line {
            None => Some(&self.head_at),
            Some(line) => self.lines_at.get(line),
        };
        place.map(String::as_str).filter(|place| !place.is_empty())
    }

    fn row(&self, line: Option<usize>) -> Option<&BTreeMap<String, String>> {
        match line {
            None => Some(&self.head),
            Some(line) => self.lines.get(line),
        }
    }
}

fn folded(row: BTreeMap<String, String>) -> BTreeMap<String, String> {
    // Records made here are folded already, and keep their map.
    if row.keys().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())) {
        return row;
    }
    row.into_iter().map(|(name, value)| (spelling::fold(&name), value)).collect()
}

impl Record for TableRecord {
    fn lines(&self) -> usize {
        self.lines.len()
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        let value = self.row(line)?.get(name)?;
        (!value.trim().is_empty()).then_some(Cow::Borrowed(value))
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        let heading = self.headings.get(name).map_or(name, String::as_str);
        column(heading, self.place(line))
    }

    fn list<'r>(&'r self, line: Option<usize>, take: &mut dyn FnMut(&'r str, &'r str)) -> bool {
        let values = self.row(line).into_iter().flatten().filter(|(_, value)| !value.trim().is_empty());
        values.for_each(|(name, value)| take(name, value));
        true
    }

    fn origins(&self) -> Option<Arc<dyn Origins>> {
        Some(Arc::new(Columns { places: self.places(), headings: self.headings.clone() }))
    }
}

/// Where the rows of a record stand.
#[derive(Debug, Clone, Default)]
pub struct RowPlaces {
    head: Box<str>,
    lines: Box<[Box<str>]>,
}

impl RowPlaces {
    /// Where a value of a column stands, for a person: "column HSN Code, row 7".
    #[must_use]
    pub fn column(&self, heading: &str, line: Option<usize>) -> String {
        let place = match line {
            None => Some(&self.head),
            Some(line) => self.lines.get(line),
        };
        column(heading, place.map(|place| &**place).filter(|place| !place.is_empty()))
    }
}

fn column(heading: &str, place: Option<&str>) -> String {
    match place {
        Some(place) => format!("column {heading}, {place}"),
        None => format!("column {heading}"),
    }
}

/// The columns of a record that spells their headings itself.
#[derive(Debug)]
struct Columns {
    places: RowPlaces,
    headings: BTreeMap<String, String>,
}

impl Origins for Columns {
    fn origin(&self, line: Option<usize>, name: &str) -> String {
        self.places.column(self.headings.get(name).map_or(name, String::as_str), line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_being_kept_and_may_be_written_by_hand() {
        let written = r#"{"head": {"Document No *": "A/1", "Blank": "  "}, "lines": [{"HSN Code": "8481"}],
            "lines_at": ["row 7"], "headings": {"hsncode": "HSN Code"}}"#;
        let record = TableRecord::parse(written).unwrap();
        assert_eq!(record.value(None, "documentno").as_deref(), Some("A/1"));
        assert_eq!((record.value(None, "blank"), record.value(Some(3), "hsncode")), (None, None));
        assert_eq!(record.origin(Some(0), "hsncode"), "column HSN Code, row 7");
        assert_eq!(record.origin(None, "documentno"), "column documentno");
        assert_eq!(TableRecord::parse(&record.to_content()).unwrap(), record);
        assert!(TableRecord::parse("[1]").is_err());
    }
}

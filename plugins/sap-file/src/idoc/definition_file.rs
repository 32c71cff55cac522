//! Layouts of segments from a customer's file: the XML export of segment definitions, or a CSV of the dictionary.

use std::io;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::definitions::{Definitions, FieldLayout, Layout};

/// Largest definition file.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Characters of a data record that hold fields.
const DATA: usize = 1_000;

/// Why a definition file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DefinitionError {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("{0}")]
    Wrong(String),
}

/// Reads a definition file into the known definitions.
pub(crate) fn read(path: &Path, known: &mut Definitions) -> Result<(), DefinitionError> {
    let size = std::fs::metadata(path)?.len();
    if size > BYTES_MAX {
        return Err(DefinitionError::Wrong(format!("it has {size} bytes; at most {BYTES_MAX} are read")));
    }
    let text = std::fs::read_to_string(path)?;
    parse(&text, known).map_err(DefinitionError::Wrong)
}

/// Reads the text of a definition file, XML or CSV by its first character.
pub(crate) fn parse(text: &str, known: &mut Definitions) -> Result<(), String> {
    let text = text.trim_start_matches('\u{feff}');
    let segments = if text.trim_start().starts_with('<') { from_xml(text)? } else { from_csv(text)? };
    if segments.is_empty() {
        return Err("it defines no segment with fields".to_owned());
    }
    for (name, layout) in segments {
        known.set(&name, layout);
    }
    Ok(())
}

type Segments = Vec<(String, Layout)>;

/// `<Segment name="Z1TAX"><Field name="HSN" offset="0" length="8"/></Segment>` below any root.
fn from_xml(text: &str) -> Result<Segments, String> {
    let mut reader = Reader::from_str(text);
    let mut segments = Segments::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) | Event::Empty(start) => {
                let tag = start.local_name();
                if tag.as_ref().eq_ignore_ascii_case("segment") {
                    segments.push((attribute(&start, "name")?, Layout::new()));
                } else if tag.as_ref().eq_ignore_ascii_case("field") {
                    let (segment, layout) = segments.last_mut().ok_or("a field stands outside every segment")?;
                    let name = attribute(&start, "name")?;
                    let field = field(segment, name, &attribute(&start, "offset")?, &attribute(&start, "length")?)?;
                    layout.push(field);
                }
            }
            Event::DocType(_) => return Err("it has a document type, which is not read".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    segments.retain(|(_, layout)| !layout.is_empty());
    Ok(segments)
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<String, String> {
    let found = start
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|found| found.key.local_name().as_ref().eq_ignore_ascii_case(name));
    let tag = start.name();
    found
        .map(|found| found.value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| format!("<{}> has no attribute `{name}`", tag.as_ref()))
}

/// Columns `segnam`, `field_name`, `offset` and `length` by their headings, in any order, with others between them.
fn from_csv(text: &str) -> Result<Segments, String> {
    let delimiter =
        text.lines().next().and_then(|line| line.chars().find(|found| matches!(found, ',' | ';' | '\t' | '|')));
    let delimiter = delimiter.and_then(|found| u8::try_from(found).ok()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |names: &[&str]| {
        headings
            .iter()
            .position(|heading| names.iter().any(|name| heading.trim().eq_ignore_ascii_case(name)))
            .ok_or_else(|| format!("it has no column `{}`", names.first().unwrap_or(&"")))
    };
    let (segment, name) = (column(&["segnam", "segment"])?, column(&["field_name", "field", "fieldname"])?);
    let (offset, length) = (column(&["offset"])?, column(&["length"])?);
    let mut segments = Segments::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let value = |column: usize| row.get(column).unwrap_or_default().trim();
        let field = field(value(segment), value(name).to_owned(), value(offset), value(length))?;
        match segments.iter_mut().find(|(known, _)| known == value(segment)) {
            Some((_, layout)) => layout.push(field),
            None => segments.push((value(segment).to_owned(), vec![field])),
        }
    }
    Ok(segments)
}

fn field(segment: &str, name: String, offset: &str, length: &str) -> Result<FieldLayout, String> {
    let number =
        |what: &str, text: &str| text.parse::<usize>().map_err(|_| format!("{segment}.{name}: `{text}` is no {what}"));
    let (offset, length) = (number("offset", offset)?, number("length", length)?);
    if segment.is_empty() || name.is_empty() {
        return Err(format!("a field at offset {offset} has no name or no segment"));
    }
    if length == 0 || offset.saturating_add(length) > DATA {
        return Err(format!(
            "{segment}.{name}: {length} characters at offset {offset} do not fit into the {DATA} of a segment's data"
        ));
    }
    Ok(FieldLayout { name: name.into(), offset, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, segment: &str) -> Result<Vec<(String, usize, usize)>, String> {
        let mut known = Definitions::default();
        parse(text, &mut known)?;
        let layout = known.of(segment).ok_or("not defined")?;
        Ok(layout.iter().map(|field| (field.name.to_string(), field.offset, field.length)).collect())
    }

    #[test]
    fn both_forms_say_the_same() {
        let xml = r#"<?xml version="1.0"?><IDocSegments><Segment name="Z1TAX"><Field name="HSN" offset="0" length="8"/>
            <Field name="POS" offset="8" length="2" type="CHAR"></Field></Segment></IDocSegments>"#;
        let csv = "idoctyp;segnam;field_name;offset;length\r\nINVOIC02;Z1TAX;HSN;0;8\r\nINVOIC02;Z1TAX;POS;8;2\r\n";
        let wanted = Ok(vec![("HSN".to_owned(), 0, 8), ("POS".to_owned(), 8, 2)]);
        assert_eq!(shown(xml, "Z1TAX"), wanted);
        assert_eq!(shown(csv, "Z1TAX"), wanted);
    }

    #[test]
    fn what_is_wrong_is_said_with_segment_and_field() {
        for (text, wanted) in [
            ("<a><Field name=\"X\" offset=\"0\" length=\"1\"/></a>", "outside every segment"),
            ("<a><Segment name=\"Z\"><Field name=\"X\" length=\"1\"/></Segment></a>", "no attribute `offset`"),
            (
                "<a><Segment name=\"Z\"><Field name=\"X\" offset=\"996\" length=\"5\"/></Segment></a>",
                "Z.X: 5 characters",
            ),
            ("segnam,field_name,length\n", "no column `offset`"),
            ("segnam,field_name,offset,length\nZ,A,x,1\n", "Z.A: `x` is no offset"),
            ("segnam,field_name,offset,length\n", "defines no segment"),
            ("<a></b>", "expected"),
        ] {
            let error = shown(text, "Z").unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}

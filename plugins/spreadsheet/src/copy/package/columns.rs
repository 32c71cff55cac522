//! The widths of the columns of a sheet, and those of new ones between them.

use std::fmt::Write as _;
use std::io::BufRead;

use quick_xml::events::Event;

use super::super::CopyError;
use super::events::Input;
use super::xml::{Element, broken, local};

/// Most ranges of columns: each column for itself.
const RANGES_MAX: usize = 16_384;

/// A column of results that is not there yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewColumn {
    pub(super) index: u32,
    pub(super) heading: &'static str,
    /// In characters.
    pub(super) width: f64,
    pub(super) is_hidden: bool,
}

/// Ranges of columns with what is said of them.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// First and last column, from 1, and the whole element.
    ranges: Vec<(u32, u32, Element)>,
}

impl Columns {
    /// Reads what stands within the element that has begun, to its end.
    pub(super) fn read<R: BufRead>(input: &mut Input<R>) -> Result<Self, CopyError> {
        let mut ranges = Vec::new();
        loop {
            match input.event()? {
                Event::Empty(start) | Event::Start(start) if local(start.name().as_ref()) == "col" => {
                    let element = Element::of(&start)?;
                    if ranges.len() >= RANGES_MAX {
                        return Err(broken("it says more of columns than there are"));
                    }
                    if let (Some(first), Some(last)) = (element.number("min"), element.number("max")) {
                        ranges.push((first, last, element));
                    }
                }
                Event::End(end) if local(end.name().as_ref()) == "cols" => return Ok(Self { ranges }),
                _ => {}
            }
        }
    }

    /// The look of the empty cells of a column.
    pub(super) fn style(&self, column: u32) -> Option<u32> {
        let column = column + 1;
        let (_, _, element) = self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&column))?;
        element.number("style")
    }

    /// The element with new columns in it; nothing where there is nothing to say. Ranges never overlap: what is said of
    /// many columns is said of those before a new one and of those behind it.
    pub(super) fn with(&self, new: &[NewColumn], prefix: &str) -> String {
        let mut ranges = self.ranges.clone();
        for column in new {
            let number = column.index + 1;
            ranges = ranges
                .into_iter()
                .flat_map(|(first, last, element)| {
                    let before = (first, last.min(number - 1), element.clone());
                    let behind = (first.max(number + 1), last, element);
                    [before, behind].into_iter().filter(|(first, last, _)| first <= last)
                })
                .collect();
            let element =
                Element::new(format!("{prefix}col")).with("width", column.width.to_string()).with("customWidth", "1");
            let element = if column.is_hidden { element.with("hidden", "1") } else { element };
            ranges.push((number, number, element));
        }
        ranges.sort_by_key(|(first, ..)| *first);
        let mut text = String::new();
        for (first, last, mut element) in ranges {
            element.set("min", first.to_string());
            element.set("max", last.to_string());
            text.push_str(&element.to_xml());
        }
        if text.is_empty() {
            return text;
        }
        let mut out = String::new();
        // Writing to memory cannot fail.
        _ = write!(out, "<{prefix}cols>{text}</{prefix}cols>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_column_is_cut_out_of_the_range_it_stands_in() {
        let text = "<cols><col min=\"1\" max=\"2\" width=\"9\" style=\"3\"/><col min=\"3\" max=\"16384\" hidden=\"1\" style=\"7\"/></cols>";
        let mut input = Input::new(text.as_bytes());
        input.event().unwrap();
        let columns = Columns::read(&mut input).unwrap();
        assert_eq!((columns.style(1), columns.style(9)), (Some(3), Some(7)));
        let new = |index, is_hidden| NewColumn { index, heading: "x", width: 16.0, is_hidden };
        assert_eq!(
            columns.with(&[new(4, false), new(5, true)], ""),
            "<cols><col min=\"1\" max=\"2\" width=\"9\" style=\"3\"/><col min=\"3\" max=\"4\" hidden=\"1\" style=\"7\"/>\
             <col width=\"16\" customWidth=\"1\" min=\"5\" max=\"5\"/>\
             <col width=\"16\" customWidth=\"1\" hidden=\"1\" min=\"6\" max=\"6\"/>\
             <col min=\"7\" max=\"16384\" hidden=\"1\" style=\"7\"/></cols>"
        );
        assert_eq!(Columns::default().with(&[], ""), "");
    }
}

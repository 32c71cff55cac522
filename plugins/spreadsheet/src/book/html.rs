//! Tables of HTML, and Excel's XML of 2003: what many programs export under the name `.xls`.
//!
//! A small reader of tags that takes what browsers take: tags that are not closed, attributes without quotes, entities.
//! Only rows, cells and their texts count; everything else is passed over.

use std::io::Read;

use einvoice_file_drop::Encoding;

use super::text::decoded;
use super::{BookError, COLUMNS_MAX, Line, Merged, ROWS_MAX, Take};
use crate::cell::{Cell, Row};

/// Most bytes of a page: it is held whole.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most columns that one cell may span; broken exporters write any number.
const SPAN_MAX: u32 = 1_000;

/// One table.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// Cells that stand in several rows, as far as they have a value.
    merged: Vec<Merged>,
}

impl Table {
    pub(crate) fn merged(&self) -> &[Merged] {
        &self.merged
    }

    pub(crate) fn rows(&self, take: Take<'_>) {
        for row in &self.rows {
            if take(Line::Row(row.clone())).is_break() {
                return;
            }
        }
    }
}

/// Reads all tables of a page. Tables within a cell are part of that cell's table.
pub(crate) fn read(reader: impl Read, encoding: Encoding) -> Result<Vec<(String, Table)>, BookError> {
    let mut bytes = Vec::new();
    reader.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(BookError::content(
            format!("the page has more than {BYTES_MAX} bytes"),
            "Open it in a spreadsheet program and save it as .xlsx.",
        ));
    }
    let text = decoded(&bytes, encoding, declared(&bytes))?;
    Ok(tables(&text))
}

/// The character set that the first kilobyte declares.
fn declared(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let head: String = bytes.iter().take(1024).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let after = ["charset=", "encoding="].iter().find_map(|key| head.split_once(key))?.1;
    let label: String = after
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
        .collect();
    encoding_rs::Encoding::for_label(label.as_bytes())
}

/// All tables with a name each.
pub(crate) fn tables(text: &str) -> Vec<(String, Table)> {
    let mut reading = Reading::default();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        reading.text(before);
        rest = match tag {
            _ if tag.starts_with("<!--") => tag.split_once("-->").map_or("", |(_, rest)| rest),
            _ if tag.starts_with("<![CDATA[") => {
                let body = tag.strip_prefix("<![CDATA[").unwrap_or_default();
                let (inside, rest) = body.split_once("]]>").unwrap_or((body, ""));
                reading.raw(inside);
                rest
            }
            _ => {
                let (inside, rest) = cut_tag(tag);
                let tag = Tag::of(inside);
                let name = tag.name.as_str();
                // What stands in these is no text of the page.
                if !tag.closes && matches!(name, "script" | "style") {
                    let end = format!("</{name}");
                    match find_folded(rest, &end) {
                        Some(at) => rest.get(at..).unwrap_or_default(),
                        None => "",
                    }
                } else {
                    reading.tag(&tag);
                    rest
                }
            }
        };
    }
    reading.text(rest);
    reading.end_table();
    reading.tables
}

/// Splits after the `>` of a tag; one in quotes does not end it.
fn cut_tag(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '>') => {
                return (text.get(1..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
            }
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    ("", "")
}

fn find_folded(text: &str, wanted: &str) -> Option<usize> {
    let wanted = wanted.as_bytes();
    text.as_bytes().windows(wanted.len()).position(|found| found.eq_ignore_ascii_case(wanted))
}

/// A tag: its name in small letters without a prefix, and its attributes likewise.
#[derive(Debug, Default)]
struct Tag {
    name: String,
    closes: bool,
    ends_itself: bool,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn of(inside: &str) -> Self {
        let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
        let (ends_itself, inside) = inside.strip_suffix('/').map_or((false, inside), |rest| (true, rest));
        let end = inside.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(inside.len());
        let (name, mut rest) = inside.split_at(end);
        let mut attributes = Vec::new();
        while let Some((key, after)) = rest.split_once('=') {
            let key = local(key.trim().rsplit(char::is_whitespace).next().unwrap_or_default());
            let after = after.trim_start();
            let (value, next) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let body = after.get(1..).unwrap_or_default();
                    body.split_once(quote).unwrap_or((body, ""))
                }
                _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            attributes.push((key, value.to_owned()));
            rest = next;
        }
        Self { name: local(name), closes, ends_itself, attributes }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn count(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().parse().ok()
    }
}

/// A name in small letters, without the prefix of its namespace.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Reading {
    tables: Vec<(String, Table)>,
    /// The open table, its name, and how many are open within each other.
    table: Option<(String, Table)>,
    depth: u32,
    row: Option<Row>,
    next_row: u32,
    next_column: u32,
    cell: Option<OpenCell>,
    /// Rows of the table that have ended.
    ended: u32,
    /// By column, how many rows have ended when no cell above covers it any more; as long as the columns that were ever
    /// covered.
    covered: Vec<u32>,
}

#[derive(Debug, Default)]
struct OpenCell {
    column: u32,
    span: u32,
    rows: u32,
    text: String,
    /// `Number`, `DateTime`, `Boolean`: only Excel's XML says.
    kind: String,
}

impl Reading {
    fn tag(&mut self, tag: &Tag) {
        match (tag.name.as_str(), tag.closes) {
            ("worksheet", false) => {
                self.end_table();
                let name = tag.get("name").map(unescape).unwrap_or_default();
                self.table = Some((name, Table::default()));
            }
            ("table", false) => {
                self.depth += 1;
                if self.table.is_none() {
                    self.table = Some((String::new(), Table::default()));
                }
            }
            ("table", true) => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.end_table();
                }
            }
            ("tr" | "row", false) => self.begin_row(tag),
            ("tr" | "row", true) => self.end_row(),
            ("td" | "th" | "cell", false) => self.begin_cell(tag),
            ("td" | "th" | "cell", true) => self.end_cell(),
            ("data", false) => {
                if let Some(cell) = &mut self.cell {
                    tag.get("type").unwrap_or_default().clone_into(&mut cell.kind);
                }
            }
            ("br" | "p" | "div", _) => self.raw(" "),
            _ => {}
        }
    }

    fn begin_row(&mut self, tag: &Tag) {
        self.end_row();
        if self.table.is_none() {
            self.table = Some((String::new(), Table::default()));
        }
        if let Some(index) = tag.count("index").filter(|index| *index > self.next_row) {
            self.next_row = index - 1;
        }
        self.next_row = self.next_row.saturating_add(1);
        self.next_column = 0;
        self.row = Some(Row { number: self.next_row, cells: Vec::new() });
        if tag.ends_itself {
            self.end_row();
        }
    }

    fn begin_cell(&mut self, tag: &Tag) {
        self.end_cell();
        if self.row.is_none() {
            return;
        }
        if let Some(index) = tag.count("index").filter(|index| *index > self.next_column) {
            self.next_column = index - 1;
        }
        while self.is_covered(self.next_column) {
            self.next_column += 1;
        }
        let across = tag.count("mergeacross").map(|more| more.saturating_add(1));
        let span = tag.count("colspan").or(across).unwrap_or(1).clamp(1, SPAN_MAX);
        let down = tag.count("mergedown").map(|more| more.saturating_add(1));
        let rows = tag.count("rowspan").or(down).unwrap_or(1).clamp(1, ROWS_MAX);
        self.cell = Some(OpenCell { column: self.next_column, span, rows, ..OpenCell::default() });
        self.next_column = self.next_column.saturating_add(span);
        if tag.ends_itself {
            self.end_cell();
        }
    }

    fn text(&mut self, text: &str) {
        if self.cell.is_some() && !text.is_empty() {
            let text = unescape(text);
            self.raw(&text);
        }
    }

    fn raw(&mut self, text: &str) {
        if let Some(cell) = &mut self.cell {
            cell.text.push_str(text);
        }
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        if cell.rows > 1 {
            self.cover(cell.column, cell.span, cell.rows);
        }
        let words: Vec<&str> = cell.text.split_whitespace().collect();
        let text = words.join(" ");
        if text.is_empty() || cell.column >= COLUMNS_MAX {
            return;
        }
        let value = match cell.kind.as_str() {
            "Number" => text.parse().map_or(Cell::Text(text), Cell::Number),
            "Boolean" => Cell::Bool(text == "1"),
            _ => Cell::Text(text),
        };
        if let Some(row) = &mut self.row {
            if cell.rows > 1
                && let Some((_, table)) = &mut self.table
            {
                let first = row.number.saturating_sub(1);
                let last = (first.saturating_add(cell.rows - 1), cell.column.saturating_add(cell.span - 1));
                table.merged.push(Merged { first: (first, cell.column), last });
            }
            row.cells.push((cell.column, value));
        }
    }

    /// Whether a cell of an earlier row stands in this column of the row.
    fn is_covered(&self, column: u32) -> bool {
        let until = usize::try_from(column).ok().and_then(|at| self.covered.get(at));
        until.is_some_and(|until| *until > self.ended)
    }

    /// A cell that spans rows covers its columns there.
    fn cover(&mut self, column: u32, span: u32, rows: u32) {
        let end = column.saturating_add(span).min(COLUMNS_MAX);
        let (Ok(start), Ok(end)) = (usize::try_from(column), usize::try_from(end)) else { return };
        if self.covered.len() < end {
            self.covered.resize(end, 0);
        }
        let last = self.ended.saturating_add(rows);
        for until in self.covered.get_mut(start..end).unwrap_or_default() {
            *until = last.max(*until);
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        let Some(mut row) = self.row.take() else { return };
        self.ended = self.ended.saturating_add(1);
        row.cells.sort_by_key(|(column, _)| *column);
        row.cells.dedup_by_key(|(column, _)| *column);
        if let Some((_, table)) = &mut self.table
            && !row.cells.is_empty()
            && row.number <= ROWS_MAX
        {
            table.rows.push(row);
        }
    }

    fn end_table(&mut self) {
        self.end_row();
        if let Some((name, table)) = self.table.take().filter(|(_, table)| !table.rows.is_empty()) {
            let name = if name.is_empty() { format!("table {}", self.tables.len() + 1) } else { name };
            self.tables.push((name, table));
        }
        (self.next_row, self.next_column, self.ended) = (0, 0, 0);
        self.covered.clear();
    }
}

/// Text without entities.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let body = entity.get(1..).unwrap_or_default();
        let found = body
            .split_once(';')
            .filter(|(name, _)| name.len() <= 10)
            .and_then(|(name, rest)| Some((letter(name)?, rest)));
        if let Some((letter, after)) = found {
            out.push(letter);
            rest = after;
        } else {
            out.push('&');
            rest = body;
        }
    }
    out.push_str(rest);
    out
}

fn letter(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "rsquo" => '’',
        "lsquo" => '‘',
        "rdquo" => '”',
        "ldquo" => '“',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let line = |row: &Row| {
            let cells: Vec<_> = row
                .cells
                .iter()
                .map(|(column, cell)| format!("{}{}={}", crate::cell::letters(*column), row.number, cell.text()))
                .collect();
            cells.join(" ")
        };
        tables(text).iter().flat_map(|(_, table)| table.rows.iter().map(line)).collect()
    }

    #[test]
    fn tables_are_read_as_browsers_show_them() {
        let page = "<html><style>td>x{}</style><script>if (a<b) '<td>'</script><TABLE border=1><tr><th colspan=2>Title\
                    <tr><td rowspan='2'>A &amp; B<td>1,000.00<tr><td>two<br>lines</td></tr><!-- <td>no</td> -->\
                    <tr><td title='a>b'>C&nbsp;&#8377;</TABLE>after";
        assert_eq!(shown(page), ["A1=Title", "A2=A & B B2=1,000.00", "B3=two lines", "A4=C ₹"]);
    }

    #[test]
    fn the_xml_of_a_workbook_is_read_with_its_sheets_types_and_gaps() {
        let book = "<?xml version=\"1.0\"?><Workbook xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">\
                    <ss:Worksheet ss:Name=\"Sales &amp; more\"><Table><Row ss:Index=\"3\"><Cell ss:Index=\"2\">\
                    <Data ss:Type=\"Number\">12.300000000000001</Data></Cell><Cell><Data ss:Type=\"String\">x</Data></Cell>\
                    </Row></Table></ss:Worksheet></Workbook>";
        assert_eq!(shown(book), ["B3=12.3 C3=x"]);
        assert_eq!(tables(book).first().map(|(name, _)| name.as_str()), Some("Sales & more"));
    }

    #[test]
    fn a_page_of_cells_that_span_everything_costs_one_number_a_column() {
        let mut reading = Reading::default();
        for _ in 0..50 {
            reading.tag(&Tag::of("tr"));
            for _ in 0..40 {
                reading.tag(&Tag::of("td colspan=1000 rowspan=1000"));
            }
        }
        assert_eq!(reading.covered.len(), usize::try_from(COLUMNS_MAX).unwrap());
    }

    #[test]
    fn a_cell_covers_its_columns_for_as_many_rows_as_it_spans() {
        let page = "<table><tr><td>a<td rowspan=3 colspan=2>b<td>c<tr><td>d<td rowspan=2>e<tr><td>f<td>g<tr><td>h<td>i";
        assert_eq!(shown(page), ["A1=a B1=b D1=c", "A2=d D2=e", "A3=f E3=g", "A4=h B4=i"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(<|</)?[a-z&;#0-9=\"' ]{0,6}(>|<td|<tr>|colspan=|&#x|<!--|-->)?\\PC{0,12}") {
            let _tables = tables(&text.repeat(3));
        }
    }
}

//! One sheet, written anew as it stands but for the cells of results and the looks of marked cells.
//!
//! The XML of a sheet goes through event by event, so that its length takes no memory. Rows that nothing is said about
//! are written as they were read; formulas, their shared forms and what they gave last are never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::super::CopyError;
use super::super::plan::SheetPlan;
use super::cells::{self, Cell};
use super::columns::{Columns, NewColumn};
use super::events::{Input, attribute, column_of, numbered, repeats, row_of, row_style, style, with, without};
use super::extent::Data;
use super::styles::{Look, Paint, Styles, Was};
use super::xml::{broken, escaped, local};

/// What may stand behind the place of the drawing of comments.
const AFTER_LEGACY: [&str; 8] = [
    "legacyDrawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
    "AlternateContent",
];
/// Most characters of a text in a cell.
const TEXT_MAX: usize = 32_767;

/// What is to be done to a sheet.
#[derive(Debug)]
pub(super) struct Changes<'p> {
    pub(super) plan: &'p SheetPlan,
    /// Column of each result, and of the program's own.
    pub(super) columns: &'p [u32],
    /// Columns that are new.
    pub(super) new_columns: &'p [NewColumn],
    /// The program's own texts, by row.
    pub(super) states: &'p BTreeMap<u32, String>,
    /// The relation to the drawing of comments, where that is new.
    pub(super) legacy: Option<&'p str>,
}

/// What one row gets in a column.
#[derive(Debug)]
enum Act<'p> {
    Text(&'p str, Look),
    Paint(Paint),
    Restore(&'p Was),
}

impl<'p> Changes<'p> {
    /// Rows that something is said about.
    fn rows(&self) -> BTreeSet<u32> {
        let plan = self.plan;
        let marked = plan.marks.keys().chain(plan.cleared.keys()).map(|(row, _)| *row);
        let heading = (!self.new_columns.is_empty()).then_some(plan.heading_row);
        plan.fresh.keys().copied().chain(marked).chain(heading).collect()
    }

    fn acts(&self, row: u32) -> BTreeMap<u32, Act<'p>> {
        let mut acts = BTreeMap::new();
        let of_row = (row, 0)..(row + 1, 0);
        acts.extend(self.plan.cleared.range(of_row.clone()).map(|((_, column), was)| (*column, Act::Restore(was))));
        acts.extend(self.plan.marks.range(of_row).map(|((_, column), mark)| {
            let paint = if mark.error { Paint::Error } else { Paint::Warning };
            (*column, Act::Paint(paint))
        }));
        if row == self.plan.heading_row {
            acts.extend(self.new_columns.iter().map(|column| (column.index, Act::Text(column.heading, Look::Heading))));
        }
        if let Some(fresh) = self.plan.fresh.get(&row) {
            let plain = Look::Result(None);
            if let Some(named) = &fresh.named {
                acts.extend((0..).zip(named).map(|(column, text)| (column, Act::Text(text, plain))));
            }
            let state = self.states.get(&row).map(String::as_str).unwrap_or_default();
            let texts = fresh.values.iter().map(String::as_str).chain([state]);
            acts.extend(self.columns.iter().zip(texts).enumerate().map(|(at, (column, text))| {
                (*column, Act::Text(text, if at == 0 { Look::Result(status(text)) } else { plain }))
            }));
        }
        acts
    }
}

/// The colour of a state.
fn status(text: &str) -> Option<Paint> {
    match text {
        "" => None,
        "IRN_GENERATED" => Some(Paint::Good),
        "INVALID" | "REFUSED" | "CONFLICT" | "BURNT" => Some(Paint::Error),
        _ => Some(Paint::Warning),
    }
}

/// Writes a sheet with its changes.
pub(super) fn write(
    reader: impl BufRead,
    writer: impl Write,
    changes: &Changes<'_>,
    styles: &mut Styles,
) -> Result<(), CopyError> {
    let rows = changes.rows();
    let mut editor = Editor {
        input: Input::new(reader),
        out: Writer::new(writer),
        changes,
        rows,
        styles,
        columns: Columns::default(),
        prefix: String::new(),
        data: Data::Before,
        has_columns: false,
        has_legacy: false,
    };
    editor.sheet()
}

struct Editor<'e, 'p, R, W: Write> {
    input: Input<R>,
    out: Writer<W>,
    changes: &'e Changes<'p>,
    /// Rows that something is said about and that have not come yet.
    rows: BTreeSet<u32>,
    styles: &'e mut Styles,
    columns: Columns,
    /// Of the names of the sheet, with its colon.
    prefix: String,
    data: Data,
    has_columns: bool,
    has_legacy: bool,
}

impl<R: BufRead, W: Write> Editor<'_, '_, R, W> {
    fn sheet(&mut self) -> Result<(), CopyError> {
        let mut depth = 0_usize;
        loop {
            let event = self.input.event()?.into_owned();
            match event {
                Event::Start(start) => {
                    let name = local(start.name().as_ref()).to_owned();
                    match (depth, name.as_str()) {
                        (0, _) => {
                            let whole = start.name().as_ref().to_owned();
                            whole.strip_suffix(&name).unwrap_or_default().clone_into(&mut self.prefix);
                        }
                        (1, "cols") => {
                            self.columns = Columns::read(&mut self.input)?;
                            self.columns()?;
                            continue;
                        }
                        (1, "sheetData") => {
                            self.data = self.data.begun()?.ended();
                            self.columns()?;
                            self.out.write_event(Event::Start(start.borrow()))?;
                            self.data()?;
                            self.out.write_event(Event::End(start.to_end()))?;
                            continue;
                        }
                        (1, _) => self.legacy_before(&name)?,
                        _ => {}
                    }
                    depth += 1;
                    self.out.write_event(Event::Start(start))?;
                }
                Event::Empty(start) => {
                    let name = local(start.name().as_ref()).to_owned();
                    match (depth, name.as_str()) {
                        (1, "cols") => continue,
                        (1, "sheetData") => {
                            self.data = self.data.begun()?.ended();
                            self.columns()?;
                            self.out.write_event(Event::Start(start.borrow()))?;
                            self.missing(u32::MAX)?;
                            self.out.write_event(Event::End(start.to_end()))?;
                            continue;
                        }
                        (1, "dimension") => {
                            let start = self.dimension(&start)?;
                            self.out.write_event(Event::Empty(start))?;
                            continue;
                        }
                        (1, _) => self.legacy_before(&name)?,
                        _ => {}
                    }
                    self.out.write_event(Event::Empty(start))?;
                }
                Event::End(end) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        if self.data != Data::Behind {
                            return Err(broken("the sheet has no place for rows"));
                        }
                        self.legacy()?;
                    }
                    self.out.write_event(Event::End(end))?;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                // What is written is UTF-8, whatever the sheet calls itself.
                Event::Decl(_) => {
                    let said = BytesDecl::new("1.0", Some("UTF-8"), Some("yes"));
                    self.out.write_event(Event::Decl(said))?;
                }
                other => self.out.write_event(other)?,
            }
        }
    }

    /// The area in use, results included.
    fn dimension(&self, start: &BytesStart<'_>) -> Result<BytesStart<'static>, CopyError> {
        let area = attribute(start, "ref")?.and_then(|name| cells::area(&name));
        let Some((first, mut last)) = area else { return Ok(start.to_owned()) };
        let columns = self.changes.columns.iter().copied();
        last.column = columns.chain([last.column]).max().unwrap_or_default();
        last.row = self.rows.last().copied().unwrap_or_default().max(last.row);
        with(start, "ref", &format!("{}:{}", cells::name(first), cells::name(last)))
    }

    /// The widths of columns, new ones with them.
    fn columns(&mut self) -> Result<(), CopyError> {
        if self.has_columns {
            return Ok(());
        }
        self.has_columns = true;
        let text = self.columns.with(self.changes.new_columns, &self.prefix);
        self.raw(&text)
    }

    fn legacy_before(&mut self, name: &str) -> Result<(), CopyError> {
        // Before the data nothing is wrapped that would stand behind it.
        if name == "legacyDrawing" {
            self.has_legacy = true;
        } else if self.has_columns && AFTER_LEGACY.contains(&name) {
            self.legacy()?;
        }
        Ok(())
    }

    /// Leads to the drawing of comments, unless that was said.
    fn legacy(&mut self) -> Result<(), CopyError> {
        if self.has_legacy {
            return Ok(());
        }
        self.has_legacy = true;
        match self.changes.legacy {
            Some(id) => {
                let text =
                    format!("<{}legacyDrawing xmlns:r=\"{}\" r:id=\"{id}\"/>", self.prefix, super::relations::OFFICE);
                self.raw(&text)
            }
            None => Ok(()),
        }
    }

    fn raw(&mut self, text: &str) -> Result<(), CopyError> {
        Ok(self.out.get_mut().write_all(text.as_bytes())?)
    }

    /// All rows up to the end of the data.
    fn data(&mut self) -> Result<(), CopyError> {
        let mut last = 0;
        loop {
            let event = self.input.event()?;
            let (start, is_empty) = match event {
                Event::Start(start) if local(start.name().as_ref()) == "row" => (start.into_owned(), false),
                Event::Empty(start) if local(start.name().as_ref()) == "row" => (start.into_owned(), true),
                Event::End(_) => return self.missing(u32::MAX),
                // What is foreign among rows and cells stays, with all that is within it.
                other => {
                    let has_begun = matches!(other, Event::Start(_));
                    self.out.write_event(other)?;
                    if has_begun {
                        self.pass()?;
                    }
                    continue;
                }
            };
            if is_empty && repeats(&start, last)? {
                continue;
            }
            let number = row_of(&start, last)?;
            self.missing(number)?;
            last = number;
            if self.rows.remove(&number) {
                self.changed(&start, number, is_empty)?;
            } else if is_empty {
                self.out.write_event(Event::Empty(numbered(&start, "r", &number.to_string())?))?;
            } else {
                self.out.write_event(Event::Start(numbered(&start, "r", &number.to_string())?))?;
                self.pass()?;
            }
        }
    }

    /// What stands within an element that has begun, up to its end.
    fn pass(&mut self) -> Result<(), CopyError> {
        let mut depth = 1;
        while depth > 0 {
            let event = self.input.event()?;
            match &event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            self.out.write_event(event)?;
        }
        Ok(())
    }

    /// The rows before `number` that are not there.
    fn missing(&mut self, number: u32) -> Result<(), CopyError> {
        while let Some(row) = self.rows.first().copied().filter(|row| *row < number) {
            self.rows.remove(&row);
            let name = format!("{}row", self.prefix);
            let start = BytesStart::new(name.as_str()).with_attributes([("r", row.to_string().as_str())]);
            self.changed(&start.into_owned(), row, true)?;
        }
        Ok(())
    }

    /// A row that something is said about.
    fn changed(&mut self, start: &BytesStart<'_>, number: u32, is_empty: bool) -> Result<(), CopyError> {
        let of_row = row_style(start)?;
        let mut acts = self.changes.acts(number);
        // Which columns the row spans is a hint that may be left out.
        let start = without(numbered(start, "r", &number.to_string())?, "spans")?;
        self.out.write_event(Event::Start(start.borrow()))?;
        if !is_empty {
            self.cells(number, &mut acts, of_row)?;
        }
        for (column, act) in acts {
            self.added(Cell { row: number, column }, &act, of_row)?;
        }
        self.out.write_event(Event::End(start.to_end()))?;
        Ok(())
    }

    /// The cells that a row has, with what is put between them.
    fn cells(&mut self, number: u32, acts: &mut BTreeMap<u32, Act<'_>>, of_row: Option<u32>) -> Result<(), CopyError> {
        let mut next = 0;
        loop {
            let event = self.input.event()?;
            let (cell, is_blank) = match event {
                Event::Start(cell) if local(cell.name().as_ref()) == "c" => (cell.into_owned(), false),
                Event::Empty(cell) if local(cell.name().as_ref()) == "c" => (cell.into_owned(), true),
                Event::End(_) => return Ok(()),
                // What is foreign among rows and cells stays, with all that is within it.
                other => {
                    let has_begun = matches!(other, Event::Start(_));
                    self.out.write_event(other)?;
                    if has_begun {
                        self.pass()?;
                    }
                    continue;
                }
            };
            let column = column_of(&cell, number, next)?;
            next = column + 1;
            let behind = acts.split_off(&column);
            for (column, act) in std::mem::replace(acts, behind) {
                self.added(Cell { row: number, column }, &act, of_row)?;
            }
            self.cell(&cell, Cell { row: number, column }, acts.remove(&column).as_ref(), is_blank)?;
        }
    }

    /// A cell that is there.
    fn cell(
        &mut self,
        start: &BytesStart<'_>,
        at: Cell,
        act: Option<&Act<'_>>,
        is_blank: bool,
    ) -> Result<(), CopyError> {
        let named = numbered(start, "r", &cells::name(at))?;
        let xf = style(start)?.unwrap_or_default();
        let styled = match act {
            Some(Act::Text(text, look)) => {
                if !is_blank {
                    self.input.skip()?;
                }
                return self.text(at, text, *look, true);
            }
            Some(Act::Paint(paint)) => with(&named, "s", &self.styles.painted(xf, *paint).to_string())?,
            Some(Act::Restore(was)) if self.styles.is_marked(xf) => {
                with(&named, "s", &self.styles.restored(xf, was).to_string())?
            }
            None | Some(Act::Restore(_)) => named,
        };
        if is_blank {
            self.out.write_event(Event::Empty(styled))?;
            return Ok(());
        }
        self.out.write_event(Event::Start(styled))?;
        self.pass()
    }

    /// A cell that is not there.
    fn added(&mut self, at: Cell, act: &Act<'_>, of_row: Option<u32>) -> Result<(), CopyError> {
        match act {
            Act::Text(text, look) => self.text(at, text, *look, false),
            Act::Paint(paint) => {
                let xf = of_row.or_else(|| self.columns.style(at.column)).unwrap_or_default();
                let xf = self.styles.painted(xf, *paint);
                let text = format!("<{}c r=\"{}\" s=\"{xf}\"/>", self.prefix, cells::name(at));
                self.raw(&text)
            }
            Act::Restore(_) => Ok(()),
        }
    }

    /// A text: in the cell itself, so that the table of texts stays as it is, and never computed, whatever it begins with.
    fn text(&mut self, at: Cell, text: &str, look: Look, is_there: bool) -> Result<(), CopyError> {
        if text.is_empty() && !is_there {
            return Ok(());
        }
        let (prefix, name, xf) = (&self.prefix, cells::name(at), self.styles.look(look));
        let cell = if text.is_empty() {
            format!("<{prefix}c r=\"{name}\" s=\"{xf}\"/>")
        } else {
            let text = inline(text);
            format!(
                "<{prefix}c r=\"{name}\" s=\"{xf}\" t=\"inlineStr\"><{prefix}is><{prefix}t xml:space=\"preserve\">{text}\
                 </{prefix}t></{prefix}is></{prefix}c>"
            )
        };
        self.raw(&cell)
    }
}

/// A text as a cell holds it: not too long, and with what looks like the escapes of a cell escaped itself.
pub(super) fn inline(text: &str) -> String {
    let end = text.char_indices().nth(TEXT_MAX).map_or(text.len(), |(at, _)| at);
    let text = text.get(..end).unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let is_escape = found.len() >= 7
            && found.bytes().skip(2).take(4).all(|digit| digit.is_ascii_hexdigit())
            && found.as_bytes().get(6) == Some(&b'_');
        out.push_str(if is_escape { "_x005F_x" } else { "_x" });
        rest = found.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    escaped(&out)
}

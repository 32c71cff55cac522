//! Writing a package anew with what is planned for it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, BufWriter, Write as _};

use tempfile::NamedTempFile;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::answer::State;
use super::super::plan::{Plan, SheetPlan};
use super::super::quiet::Quiet;
use super::super::{CopyError, RESULT_WIDTHS};
use super::cells::Cell;
use super::codes::{self, Code, QR_SHEET};
use super::columns::NewColumn;
use super::comments::Comments;
use super::relations::{DRAWING_ML, Relations, SHEET_ML};
use super::sheet::{self, Changes};
use super::styles::Styles;
use super::xml::{Element, broken};
use super::{CONTENT_TYPES, Package, key};
use crate::book::COLUMNS_MAX;

/// Width of the program's own column, which is hidden.
const OWN_WIDTH: f64 = 9.0;

/// Writes the copy into a temporary file. `codes` are those of all documents, or nothing where none is new; `codes_sheet`
/// is the sheet that has them already.
pub(crate) fn write(
    file: NamedTempFile,
    package: Package,
    plan: Plan,
    codes: Option<&[Code]>,
    codes_sheet: Option<&str>,
) -> Result<NamedTempFile, CopyError> {
    let mut editing = Editing::new(package)?;
    let mut work = Vec::new();
    for (name, mut own) in plan.sheets.into_iter().collect::<BTreeMap<_, _>>() {
        if !own.fresh.is_empty() {
            let prepared = editing.prepare(&name, &mut own)?;
            work.push((own, prepared));
        }
    }
    let codes_part = codes.map(|_| editing.codes_part(codes_sheet)).transpose()?;
    let mut out = ZipWriter::new(Quiet::new(BufWriter::new(file)));
    let written = editing.write(&mut out, &work, codes.zip(codes_part.as_deref()));
    let quiet = out.finish();
    written?;
    let file = quiet?.into_inner()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    Ok(file)
}

/// What is known of a sheet before it is written.
struct Prepared {
    part: String,
    columns: Vec<u32>,
    new_columns: Vec<NewColumn>,
    states: BTreeMap<u32, String>,
    legacy: Option<String>,
}

struct Editing {
    package: Package,
    styles: Styles,
    styles_part: String,
    /// Parts written from memory, by name.
    changed: BTreeMap<String, Vec<u8>>,
    /// Parts that are left out.
    dropped: BTreeSet<String>,
}

type Out = ZipWriter<Quiet<BufWriter<NamedTempFile>>>;

impl Editing {
    fn new(mut package: Package) -> Result<Self, CopyError> {
        let found = package.relations.by_kind("styles").and_then(|relation| relation.part);
        let (styles, styles_part) = if let Some(part) = found {
            (Styles::parse(&package.held(&part)?)?, part)
        } else {
            let part = "xl/styles.xml".to_owned();
            package.relations.add("styles", &part);
            package.types.part(&part, &format!("{SHEET_ML}.styles+xml"));
            (Styles::new(), part)
        };
        Ok(Self { package, styles, styles_part, changed: BTreeMap::new(), dropped: BTreeSet::new() })
    }

    /// Looks at a sheet, and makes its comments and the lists that lead to them.
    fn prepare(&mut self, name: &str, own: &mut SheetPlan) -> Result<Prepared, CopyError> {
        let part = self.package.part_of(name)?;
        let asked: BTreeSet<(u32, u32)> = own.marks.keys().copied().collect();
        let known: Vec<u32> = own.known.iter().flatten().copied().collect();
        let found = self.package.looks(name, own.heading_row, &asked, &known)?;
        if found.has_formulas {
            self.forget_calculation();
        }
        // A cell that is marked already is remembered as it was before the first mark.
        for (cell, mark) in &mut own.marks {
            let xf = found.looks.get(cell).copied().unwrap_or_default();
            mark.was = match own.cleared.remove(cell) {
                Some(was) if self.styles.is_marked(xf) => was,
                _ => self.styles.was(xf),
            };
        }
        let states =
            own.fresh.iter().map(|(row, fresh)| (*row, state(fresh.state.clone(), *row, own).to_text())).collect();
        let columns = own.columns(found.width);
        if columns.iter().any(|column| *column >= COLUMNS_MAX) {
            return Err(CopyError::Base(format!("sheet {name} has no room for columns of results")));
        }
        let new_columns = own.missing(&columns).map(|(at, index, heading)| NewColumn {
            index,
            heading,
            width: RESULT_WIDTHS.get(at).copied().unwrap_or(OWN_WIDTH),
            is_hidden: at >= RESULT_WIDTHS.len(),
        });
        let new_columns = new_columns.collect();
        let legacy = self.comments(name, &part, own)?;
        Ok(Prepared { part, columns, new_columns, states, legacy })
    }

    /// The comments of a sheet; gives the relation to their drawing where that is new.
    fn comments(&mut self, name: &str, part: &str, own: &SheetPlan) -> Result<Option<String>, CopyError> {
        let mut relations = self.package.relations_of(part)?;
        let (known, drawing) = self.package.comments_of(part)?;
        if known.is_none() && own.marks.is_empty() {
            return Ok(None);
        }
        // A part that is led to and missing is made anew.
        let mut comments = match &known {
            Some(part) if self.package.index(part).is_some() => Comments::parse(&self.package.held(part)?)?,
            _ => Comments::new(),
        };
        let at = |(row, column): &(u32, u32)| Cell { row: *row, column: *column };
        let set = own.marks.iter().map(|(cell, mark)| (at(cell), mark.text.as_str())).collect();
        comments.change(own.cleared.keys().map(at), &set);
        let text = match &drawing {
            Some(part) if self.package.index(part).is_some() => String::from_utf8(self.package.held(part)?).ok(),
            _ => None,
        };
        let sheet = self.package.sheets.iter().position(|(other, _)| other == name).unwrap_or_default();
        let boxes = comments.boxes(text.as_deref(), sheet);
        let mut legacy = None;
        let comments_part = known.unwrap_or_else(|| {
            let part = self.free("xl/comments", ".xml");
            relations.add("comments", &part);
            part
        });
        self.package.types.part(&comments_part, &format!("{SHEET_ML}.comments+xml"));
        let drawing = drawing.unwrap_or_else(|| {
            let part = self.free("xl/drawings/vmlDrawing", ".vml");
            legacy = Some(relations.add("vmlDrawing", &part));
            part
        });
        self.package.types.ending("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing");
        if [&comments_part, &drawing].iter().any(|part| self.changed.contains_key(*part)) {
            return Err(broken("two sheets have the same comments"));
        }
        self.changed.insert(comments_part, comments.to_bytes());
        self.changed.insert(drawing, boxes.into_bytes());
        self.changed.insert(Relations::path(part), relations.to_bytes());
        Ok(legacy)
    }

    /// The chain by which cells are computed may not name a cell whose formula is gone; programs make it anew.
    fn forget_calculation(&mut self) {
        if let Some(relation) = self.package.relations.by_kind("calcChain")
            && let Some(part) = relation.part
        {
            self.package.relations.remove(&relation.id);
            self.package.types.forget(&part);
            self.dropped.insert(key(&part));
        }
    }

    /// The part of the sheet of pictures. What the pictures of an earlier copy stood in is left out.
    fn codes_part(&mut self, present: Option<&str>) -> Result<String, CopyError> {
        if let Some(name) = present {
            let part = self.package.part_of(name)?;
            let drawings: Vec<String> =
                self.package.relations_of(&part)?.iter().filter_map(|found| found.part).collect();
            // Where a list of a part that is nothing to us cannot be read, nobody knows what it leads to, and all stays.
            let Ok(elsewhere) = self.package.led_to(&part) else { return Ok(part) };
            for drawing in drawings.into_iter().filter(|drawing| !elsewhere.contains_key(&key(drawing))) {
                let Ok(pictures) = self.package.relations_of(&drawing) else { continue };
                let elsewhere = self.package.led_to(&drawing)?;
                let pictures = pictures.iter().filter_map(|found| found.part).map(|picture| key(&picture));
                self.dropped.extend(pictures.filter(|picture| !elsewhere.contains_key(picture)));
                self.package.types.forget(&drawing);
                self.dropped.extend([key(&drawing), key(&Relations::path(&drawing))]);
            }
            return Ok(part);
        }
        let taken = |name: &str| self.package.sheets.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let names = std::iter::once(QR_SHEET.to_owned()).chain((2..).map(|number| format!("{QR_SHEET} ({number})")));
        let name = names.into_iter().find(|name| !taken(name)).unwrap_or_default();
        let part = self.free("xl/worksheets/sheet", ".xml");
        let id = self.package.relations.add("worksheet", &part);
        self.package.types.part(&part, &format!("{SHEET_ML}.worksheet+xml"));
        if let Some(list) = self.package.tree.root.child_mut("sheets") {
            let numbers: BTreeSet<u32> = list.children().filter_map(|sheet| sheet.number("sheetId")).collect();
            let next = numbers.last().map_or(Some(1), |last| last.checked_add(1));
            let number = next.or_else(|| (1..=u32::MAX).find(|number| !numbers.contains(number))).unwrap_or(1);
            let relation = list.children().find_map(|sheet| sheet.attribute_name("id")).unwrap_or("r:id").to_owned();
            let sheet = Element::new(list.beside("sheet")).with("name", name).with("sheetId", number.to_string());
            list.push(sheet.with(&relation, id));
        }
        Ok(part)
    }

    /// A name that no part has, numbered.
    fn free(&self, before: &str, after: &str) -> String {
        let taken = |name: &String| self.package.index(name).is_some() || self.changed.contains_key(name);
        (1..=u32::MAX).map(|number| format!("{before}{number}{after}")).find(|name| !taken(name)).unwrap_or_default()
    }

    fn write(
        &mut self,
        out: &mut Out,
        work: &[(SheetPlan, Prepared)],
        codes: Option<(&[Code], &str)>,
    ) -> Result<(), CopyError> {
        let drawing = codes.map(|_| self.free("xl/drawings/drawing", ".xml"));
        if let Some(drawing) = &drawing {
            self.package.types.part(drawing, DRAWING_ML);
            self.package.types.ending("png", "image/png");
        }
        let workbook = self.package.workbook.clone();
        self.changed.insert(workbook.clone(), self.package.tree.to_bytes());
        self.changed.insert(Relations::path(&workbook), self.package.relations.to_bytes());
        // First, as programs that tell a file by its beginning want it.
        put(out, CONTENT_TYPES, &self.package.types.to_bytes())?;
        let mut done: BTreeSet<String> = self.dropped.iter().cloned().chain([key(CONTENT_TYPES)]).collect();
        done.extend(self.changed.keys().map(|name| key(name)));
        done.insert(key(&self.styles_part));
        done.extend(work.iter().map(|(_, prepared)| key(&prepared.part)));
        if let Some((_, part)) = codes {
            done.extend([key(part), key(&Relations::path(part))]);
        }
        // A free name may have relations left of a part that is gone.
        done.extend(drawing.iter().map(|drawing| key(&Relations::path(drawing))));
        for index in 0..self.package.archive.len() {
            let part = self.package.archive.by_index_raw(index)?;
            let name = part.name().map(|name| key(&name)).unwrap_or_default();
            // Of two parts of one name the later one counts, as for everybody else.
            if !done.contains(&name) && self.package.parts.get(&name) == Some(&index) {
                out.raw_copy_file(part)?;
            }
        }
        for (name, bytes) in std::mem::take(&mut self.changed) {
            put(out, &name, &bytes)?;
        }
        for (own, prepared) in work {
            self.sheet(out, own, prepared)?;
        }
        if let (Some((codes, part)), Some(drawing)) = (codes, drawing) {
            self.codes(out, codes, part, &drawing)?;
        }
        put(out, &self.styles_part.clone(), &self.styles.to_bytes())
    }

    fn sheet(&mut self, out: &mut Out, own: &SheetPlan, prepared: &Prepared) -> Result<(), CopyError> {
        let index = self.package.index(&prepared.part).unwrap_or_default();
        let reader = BufReader::new(self.package.archive.by_index(index)?);
        out.start_file(&*prepared.part, options())?;
        let changes = Changes {
            plan: own,
            columns: &prepared.columns,
            new_columns: &prepared.new_columns,
            states: &prepared.states,
            legacy: prepared.legacy.as_deref(),
        };
        let mut buffered = BufWriter::with_capacity(64 * 1024, &mut *out);
        sheet::write(reader, &mut buffered, &changes, &mut self.styles)?;
        buffered.flush()?;
        Ok(())
    }

    fn codes(&mut self, out: &mut Out, codes: &[Code], part: &str, drawing: &str) -> Result<(), CopyError> {
        let mut relations = Relations::new(part);
        let id = relations.add("drawing", drawing);
        put(out, &Relations::path(part), &relations.to_bytes())?;
        let mut pictures = Relations::new(drawing);
        let (parts, dropped) = (&self.package.parts, &self.dropped);
        let mut names = (1..)
            .map(|number| format!("xl/media/einvoice-qr-{number}.png"))
            .filter(|name| !parts.contains_key(&key(name)) || dropped.contains(&key(name)));
        let drawn = codes::draw(codes, &mut self.styles, &id, |bytes| {
            let name = names.next().unwrap_or_default();
            put(out, &name, &bytes)?;
            Ok(pictures.add("image", &name))
        })?;
        put(out, part, drawn.sheet.as_bytes())?;
        put(out, drawing, drawn.drawing.as_bytes())?;
        put(out, &Relations::path(drawing), &pictures.to_bytes())
    }
}

/// The state of a document with its marks as they are now known.
fn state(mut state: State, row: u32, own: &SheetPlan) -> State {
    for mark in &mut state.marks {
        if let Some(known) = own.marks.get(&(row.saturating_add(mark.down), mark.column)) {
            mark.was.clone_from(&known.was);
        }
    }
    state
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated)
}

fn put(out: &mut Out, name: &str, bytes: &[u8]) -> Result<(), CopyError> {
    out.start_file(name, options())?;
    Ok(out.write_all(bytes)?)
}

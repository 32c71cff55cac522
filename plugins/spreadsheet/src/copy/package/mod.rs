//! A workbook as the package of parts that it is: copied part by part, with those few changed that results stand in.
//!
//! A person's workbook is more than its values: formulas, formats, widths, comments, charts, macros, sheets that are not
//! invoices. None of it is understood here; it is kept, byte by byte, as the parts are copied as they are packed. Changed
//! are the sheets with results (streamed), the looks, the comments, and the lists that lead to them. A workbook whose
//! parts cannot be kept so (another alphabet of names, another encoding) says so when it is opened, and its values are
//! copied instead.

mod cells;
mod codes;
mod columns;
mod comments;
mod edit;
mod events;
mod extent;
mod relations;
mod sheet;
mod styles;
mod xml;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

pub(crate) use self::codes::{Code, QR_SHEET, QR_TITLE};
use self::comments::Comments;
pub(crate) use self::edit::write;
pub(crate) use self::extent::Extent;
use self::relations::{ContentTypes, Relations};
use self::styles::Styles;
pub(crate) use self::styles::Was;
use self::xml::{Element, Tree, broken};
use super::CopyError;
use crate::book::COLUMNS_MAX;

const CONTENT_TYPES: &str = "[Content_Types].xml";
/// Most bytes of a part that is held as a tree: styles, comments, lists of parts.
const TREE_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Names of the elements of workbooks as nearly every program writes them. The other alphabet, of "strict" workbooks, has
/// its own names for all relations.
const STRICT: &str = "purl.oclc.org/ooxml";

/// An open package.
pub(crate) struct Package {
    archive: ZipArchive<BufReader<File>>,
    /// Index of each part by its name in small letters, as packages compare them.
    parts: HashMap<String, usize>,
    workbook: String,
    types: ContentTypes,
    tree: Tree,
    relations: Relations,
    /// Sheets with their parts, in the order of the workbook.
    sheets: Vec<(String, String)>,
    /// Names of the parts that are something for the workbook itself: lists, looks, sheets, texts.
    roles: BTreeSet<String>,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Package").field("workbook", &self.workbook).finish_non_exhaustive()
    }
}

impl Package {
    /// Opens a workbook whose parts can be kept as they are.
    ///
    /// # Errors
    /// When they cannot, or the file cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, CopyError> {
        let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
        let mut parts = HashMap::new();
        for index in 0..archive.len() {
            let name = archive.by_index_raw(index)?.name().map(|name| key(&name)).unwrap_or_default();
            parts.insert(name, index);
        }
        let types = ContentTypes::parse(&held(&mut archive, &parts, CONTENT_TYPES)?)?;
        let root = Relations::parse("", &held(&mut archive, &parts, &Relations::path(""))?)?;
        let workbook =
            root.by_kind("officeDocument").and_then(|found| found.part).ok_or_else(|| broken("no workbook"))?;
        let bytes = held(&mut archive, &parts, &workbook)?;
        let tree = Tree::parse(&bytes)?;
        if tree.root.attributes().any(|(_, value)| value.contains(STRICT)) {
            return Err(broken("it is a workbook of the strict kind"));
        }
        let relations = Relations::parse(&workbook, &held(&mut archive, &parts, &Relations::path(&workbook))?)?;
        let listed = tree.root.child("sheets").ok_or_else(|| broken("it lists no sheets"))?;
        // Of one id in two relations the first counts.
        let mut by_id = BTreeMap::new();
        for relation in relations.iter() {
            by_id.entry(relation.id).or_insert(relation.part);
        }
        let sheets = listed.children().filter_map(|sheet| {
            let part = by_id.get(sheet.get("id")?.as_ref())?.clone()?;
            Some((sheet.get("name")?.into_owned(), part))
        });
        let sheets: Vec<(String, String)> = sheets.collect();
        let lists = [CONTENT_TYPES.to_owned(), Relations::path(""), Relations::path(&workbook), workbook.clone()];
        let styles = relations.by_kind("styles").and_then(|relation| relation.part);
        let mut roles = BTreeSet::new();
        for part in lists.iter().chain(&styles).chain(sheets.iter().map(|(_, part)| part)) {
            if !roles.insert(key(part)) {
                return Err(broken(format!("{part} is two parts of it at once")));
            }
        }
        // Whatever else the workbook leads to is something, too.
        roles.extend(root.iter().chain(relations.iter()).filter_map(|relation| relation.part).map(|part| key(&part)));
        if let Some(styles) = styles {
            Styles::parse(&held(&mut archive, &parts, &styles)?)?;
        }
        Ok(Self { archive, parts, workbook, types, tree, relations, sheets, roles })
    }

    /// Whether it holds macros, which its name has to say.
    pub(crate) fn has_macros(&self) -> bool {
        self.types.of(&self.workbook).is_some_and(|kind| kind.to_ascii_lowercase().contains("macroenabled"))
    }

    /// How far a sheet goes.
    ///
    /// # Errors
    /// When it cannot be read to its end, or its comments cannot: then no copy can be made of it.
    pub(crate) fn extent(&mut self, sheet: &str, heading_row: u32) -> Result<Extent, CopyError> {
        let part = self.part_of(sheet)?;
        let (comments, _) = self.comments_of(&part)?;
        if let Some(comments) = comments.filter(|part| self.index(part).is_some()) {
            Comments::parse(&self.held(&comments)?)?;
        }
        self.looks(sheet, heading_row, &BTreeSet::new(), &[])
    }

    fn looks(
        &mut self,
        sheet: &str,
        heading_row: u32,
        asked: &BTreeSet<(u32, u32)>,
        results: &[u32],
    ) -> Result<Extent, CopyError> {
        let part = self.part_of(sheet)?;
        let index = self.index(&part).ok_or_else(|| broken(format!("{part} is missing")))?;
        let reader = BufReader::new(self.archive.by_index(index)?);
        let mut found = extent::extent(reader, heading_row, asked, results)?;
        // A drawing that cannot be read is kept as it is.
        found.width = found.width.max(self.drawn_width(&part).unwrap_or_default());
        Ok(found)
    }

    /// Columns under charts and pictures, where nobody would see results.
    fn drawn_width(&mut self, sheet: &str) -> Result<u32, CopyError> {
        let drawing = self.relations_of(sheet)?.by_kind("drawing").and_then(|relation| relation.part);
        let Some(drawing) = drawing.filter(|part| self.index(part).is_some()) else { return Ok(0) };
        let tree = Tree::parse(&self.held(&drawing)?)?;
        let last = |anchor: &Element| anchor.child("to")?.child("col")?.text().trim().parse::<u32>().ok();
        Ok(tree.root.children().filter_map(last).max().map_or(0, |column| column.saturating_add(1).min(COLUMNS_MAX)))
    }

    fn part_of(&self, sheet: &str) -> Result<String, CopyError> {
        // A text file has one sheet without a name.
        let found = self.sheets.iter().find(|(name, _)| name == sheet || sheet.is_empty());
        found.map(|(_, part)| part.clone()).ok_or_else(|| broken(format!("it has no sheet {sheet}")))
    }

    fn index(&self, part: &str) -> Option<usize> {
        self.parts.get(&key(part)).copied()
    }

    /// A part that is held in memory.
    fn held(&mut self, part: &str) -> Result<Vec<u8>, CopyError> {
        held(&mut self.archive, &self.parts, part)
    }

    /// The parts of the comments of a sheet and of their drawing, as far as it leads to them.
    ///
    /// # Errors
    /// When one of them is something else besides.
    fn comments_of(&mut self, sheet: &str) -> Result<(Option<String>, Option<String>), CopyError> {
        let relations = self.relations_of(sheet)?;
        let of_kind = |kind| relations.by_kind(kind).and_then(|relation| relation.part);
        let (comments, drawing) = (of_kind("comments"), of_kind("vmlDrawing"));
        for part in [&comments, &drawing].into_iter().flatten().map(|part| key(part)) {
            let relations = relations.iter().filter_map(|relation| relation.part);
            let is_one = relations.filter(|other| key(other) == part).count() == 1;
            if !is_one || part.is_empty() || part.contains("_rels/") || self.roles.contains(&part) {
                return Err(broken(format!("{part} is comments and something else")));
            }
        }
        Ok((comments, drawing))
    }

    /// The relations of a part, which may have none.
    fn relations_of(&mut self, part: &str) -> Result<Relations, CopyError> {
        let path = Relations::path(part);
        if self.index(&path).is_none() {
            return Ok(Relations::new(part));
        }
        Relations::parse(part, &self.held(&path)?)
    }

    /// How often each part is led to from others than `owner`.
    fn led_to(&mut self, owner: &str) -> Result<BTreeMap<String, usize>, CopyError> {
        let mut count = BTreeMap::new();
        let names: Vec<String> = self
            .parts
            .keys()
            .filter(|name| name.contains("_rels/") && name.strip_suffix(".rels").is_some())
            .cloned()
            .collect();
        for name in names {
            let part = name.replace("_rels/", "");
            let part = part.strip_suffix(".rels").unwrap_or(&part);
            if part == key(owner) {
                continue;
            }
            let bytes = self.held(&name)?;
            for part in Relations::parse(part, &bytes)?.iter().filter_map(|relation| relation.part) {
                *count.entry(key(&part)).or_default() += 1;
            }
        }
        Ok(count)
    }
}

/// A name as packages compare them.
fn key(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

fn held(
    archive: &mut ZipArchive<BufReader<File>>,
    parts: &HashMap<String, usize>,
    part: &str,
) -> Result<Vec<u8>, CopyError> {
    let index = parts.get(&key(part)).ok_or_else(|| broken(format!("{part} is missing")))?;
    let reader = archive.by_index(*index)?;
    let mut bytes = Vec::new();
    reader.take(TREE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > TREE_BYTES_MAX {
        return Err(broken(format!("{part} has more than {TREE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

//! Comments at cells: their texts in one part, their boxes in a drawing of the old kind.
//!
//! Comments of people stay. Where one stands at a cell that is marked, ours follows behind it and is taken off again; a
//! conversation (a threaded comment) is left alone, as its text here is only a stand-in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::CopyError;
use super::cells::{self, Cell};
use super::xml::{Element, Tree};

const NAMESPACE: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
/// Who writes ours.
const AUTHOR: &str = "einvoice";
/// Begins ours behind a person's.
const BEHIND: &str = "\n\n— einvoice —\n";
/// How authors of conversations are named.
const CONVERSATION: &str = "tc=";
/// Shapes that one block of numbers holds.
const BLOCK: usize = 1024;
/// First block of numbers of ours; other programs count from 1.
const FIRST_BLOCK: usize = 64;
/// Blocks of one sheet: 65,536 comments.
const BLOCKS_OF_SHEET: usize = 64;

/// The comments of a sheet.
#[derive(Debug)]
pub(super) struct Comments {
    tree: Tree,
    /// Cells whose comment is gone.
    gone: BTreeSet<Cell>,
}

impl Comments {
    pub(super) fn new() -> Self {
        let root = Element::new("comments")
            .with("xmlns", NAMESPACE)
            .holding(Element::new("authors"))
            .holding(Element::new("commentList"));
        Self { tree: Tree::new(root), gone: BTreeSet::new() }
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CopyError> {
        Ok(Self { tree: Tree::parse(bytes)?, gone: BTreeSet::new() })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.tree.to_bytes()
    }

    /// Takes ours off these cells and puts these there.
    pub(super) fn change(&mut self, clear: impl Iterator<Item = Cell>, set: &BTreeMap<Cell, &str>) {
        let clear: BTreeSet<Cell> = clear.chain(set.keys().copied()).collect();
        let author = self.author();
        let conversations = self.authors(|name| name.starts_with(CONVERSATION));
        let beside = |root: &Element, name: &str| root.beside(name);
        let names = ["comment", "text", "r", "t"].map(|name| beside(&self.tree.root, name));
        let Some(list) = self.tree.root.child_mut("commentList") else { return };
        let mut of_people: BTreeSet<Cell> = BTreeSet::new();
        for comment in list.children_mut() {
            let Some(cell) = comment.get("ref").and_then(|name| cells::parse(&name)) else { continue };
            if !clear.contains(&cell) || comment.number("authorId") == Some(author) {
                continue;
            }
            of_people.insert(cell);
            if comment.number("authorId").is_some_and(|id| conversations.contains(&id)) {
                continue;
            }
            if let Some(text) = comment.child_mut("text") {
                shorten(text);
                if let Some(own) = set.get(&cell) {
                    let said = Element::new(&names[3]).with("xml:space", "preserve").saying(&format!("{BEHIND}{own}"));
                    make_runs(text, &names[2], &names[3]);
                    text.push(Element::new(&names[2]).holding(said));
                }
            }
        }
        let gone = std::cell::RefCell::new(BTreeSet::new());
        list.retain(|comment| {
            let cell = comment.get("ref").and_then(|name| cells::parse(&name));
            let is_ours = comment.number("authorId") == Some(author);
            match cell {
                Some(cell) if is_ours && clear.contains(&cell) => {
                    gone.borrow_mut().insert(cell);
                    false
                }
                _ => true,
            }
        });
        for (cell, text) in set.iter().filter(|(cell, _)| !of_people.contains(*cell)) {
            let said = Element::new(&names[3]).with("xml:space", "preserve").saying(text);
            let comment = Element::new(&names[0])
                .with("ref", cells::name(*cell))
                .with("authorId", author.to_string())
                .holding(Element::new(&names[1]).holding(Element::new(&names[2]).holding(said)));
            list.push(comment);
        }
        self.gone.extend(gone.into_inner());
    }

    /// The number of our author.
    fn author(&mut self) -> u32 {
        if let Some(known) = self.authors(|name| name == AUTHOR).first() {
            return *known;
        }
        let (authors, author) = (self.tree.root.beside("authors"), self.tree.root.beside("author"));
        if self.tree.root.child("authors").is_none() {
            self.tree.root.insert_before(&["commentList"], Element::new(authors));
        }
        let Some(list) = self.tree.root.child_mut("authors") else { return 0 };
        let number = list.children().count();
        list.push(Element::new(author).saying(AUTHOR));
        u32::try_from(number).unwrap_or_default()
    }

    fn authors(&self, which: impl Fn(&str) -> bool) -> BTreeSet<u32> {
        let authors = self.tree.root.child("authors").into_iter().flat_map(Element::children);
        (0..).zip(authors).filter(|(_, author)| which(author.text().trim())).map(|(number, _)| number).collect()
    }

    /// All commented cells with the number of lines that their comments take.
    fn cells(&self) -> BTreeMap<Cell, usize> {
        let list = self.tree.root.child("commentList").into_iter().flat_map(Element::children);
        list.filter_map(|comment| {
            let cell = cells::parse(&comment.get("ref")?)?;
            let lines = comment.text().lines().map(|line| line.chars().count() / 44 + 1).sum();
            Some((cell, lines))
        })
        .collect()
    }

    /// The drawing of the boxes: the one that is there with those of comments that are gone taken out, and those of new
    /// comments added. `sheet` is the number of the sheet, by which its shapes are numbered.
    pub(super) fn boxes(&self, drawing: Option<&str>, sheet: usize) -> String {
        let old = drawing.filter(|text| text.contains("</xml>"));
        let mut text = old.map_or_else(|| empty_drawing(sheet, self.cells().len()), |text| without(text, &self.gone));
        let present = boxed(&text);
        let first = first_block(sheet) * BLOCK;
        let own = first..first + BLOCKS_OF_SHEET * BLOCK;
        let used = numbers(&text).filter(|number| own.contains(number)).max().unwrap_or(first);
        let mut added = String::new();
        for (number, (cell, lines)) in
            (used + 1..).zip(self.cells().into_iter().filter(|(cell, _)| !present.contains(cell)))
        {
            shape(&mut added, number, cell, lines);
        }
        if !added.is_empty() && !text.contains("\"_x0000_t202\"") {
            added.insert_str(0, SHAPE_TYPE);
        }
        if let Some(end) = text.rfind("</xml>") {
            text.insert_str(end, &added);
        }
        text
    }
}

/// Takes ours off a person's comment.
fn shorten(text: &mut Element) {
    let mut cut = false;
    for run in text.children_mut() {
        let Some(said) = (if run.local() == "t" { Some(run) } else { run.child_mut("t") }) else { continue };
        let whole = said.text();
        if cut {
            said.say("");
        } else if let Some(at) = whole.find(BEHIND) {
            said.say(whole.get(..at).unwrap_or_default());
            cut = true;
        }
    }
    text.retain(|run| run.local() != "r" || run.child("t").is_none_or(|said| !said.text().is_empty()));
}

/// A text without runs becomes one of a run: both kinds at once are not taken.
fn make_runs(text: &mut Element, run: &str, said: &str) {
    let plain: String = text.children().filter(|child| child.local() == "t").map(Element::text).collect();
    if !plain.is_empty() {
        text.retain(|child| child.local() != "t");
        let said = Element::new(said).with("xml:space", "preserve").saying(&plain);
        text.push(Element::new(run).holding(said));
    }
}

const SHAPE_TYPE: &str = "<v:shapetype xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" \
    id=\"_x0000_t202\" coordsize=\"21600,21600\" o:spt=\"202\" path=\"m,l,21600r21600,l21600,xe\"><v:stroke joinstyle=\"miter\"/>\
    <v:path gradientshapeok=\"t\" o:connecttype=\"rect\"/></v:shapetype>";

fn first_block(sheet: usize) -> usize {
    FIRST_BLOCK + sheet % BLOCKS_OF_SHEET * BLOCKS_OF_SHEET
}

fn empty_drawing(sheet: usize, shapes: usize) -> String {
    let blocks = (first_block(sheet)..).take(shapes / BLOCK + 1).map(|block| block.to_string());
    let blocks = blocks.collect::<Vec<_>>().join(",");
    format!(
        "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" \
         xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><o:shapelayout v:ext=\"edit\"><o:idmap v:ext=\"edit\" \
         data=\"{blocks}\"/></o:shapelayout></xml>"
    )
}

/// One box, hidden until its cell is pointed at, to the right of it.
fn shape(out: &mut String, number: usize, cell: Cell, lines: usize) {
    let (row, column) = (cell.row - 1, cell.column);
    let (top, bottom) =
        (row.saturating_sub(1), row.saturating_sub(1) + u32::try_from(lines.clamp(2, 24)).unwrap_or(24) + 1);
    let (left, right) = (column + 1, column + 5);
    // Writing to memory cannot fail.
    _ = write!(
        out,
        "<v:shape xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" \
         xmlns:x=\"urn:schemas-microsoft-com:office:excel\" id=\"_x0000_s{number}\" type=\"#_x0000_t202\" \
         style=\"position:absolute;margin-left:60pt;margin-top:2pt;width:240pt;height:{}pt;z-index:1;visibility:hidden\" \
         fillcolor=\"#ffffe1\" o:insetmode=\"auto\"><v:fill color2=\"#ffffe1\"/><v:shadow on=\"t\" color=\"black\" obscured=\"t\"/>\
         <v:path o:connecttype=\"none\"/><v:textbox style=\"mso-direction-alt:auto\"><div style=\"text-align:left\"></div>\
         </v:textbox><x:ClientData ObjectType=\"Note\"><x:MoveWithCells/><x:SizeWithCells/>\
         <x:Anchor>{left}, 15, {top}, 4, {right}, 15, {bottom}, 4</x:Anchor><x:AutoFill>False</x:AutoFill>\
         <x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>",
        15 * lines.clamp(2, 24)
    );
}

/// The shapes of a drawing, each as the place of its text. Drawings of the old kind are not always XML, so they are taken
/// as text.
fn shapes(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    const END: &str = "</v:shape>";
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find("<v:shape ")?;
        // From behind it, so that each letter is looked at once: none stands within another.
        from = start + text.get(start..)?.find(END)? + END.len();
        Some(start..from)
    })
}

/// The cell of a shape that is the box of a comment.
fn cell_of(shape: &str) -> Option<Cell> {
    let between = |name: &str| {
        let (_, rest) = shape.split_once(&format!("<x:{name}>"))?;
        rest.split_once('<')?.0.trim().parse::<u32>().ok()
    };
    let is_note = shape.contains("ObjectType=\"Note\"") || shape.contains("ObjectType='Note'");
    is_note.then_some(Cell { row: between("Row")?.checked_add(1)?, column: between("Column")? })
}

fn boxed(text: &str) -> BTreeSet<Cell> {
    shapes(text).filter_map(|place| cell_of(text.get(place)?)).collect()
}

fn without(text: &str, gone: &BTreeSet<Cell>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for place in shapes(text) {
        let is_gone = text.get(place.clone()).and_then(cell_of).is_some_and(|cell| gone.contains(&cell));
        if is_gone && place.start >= from {
            kept.push_str(text.get(from..place.start).unwrap_or_default());
            from = place.end;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// The numbers of the shapes of a drawing.
fn numbers(text: &str) -> impl Iterator<Item = usize> {
    text.split("_x0000_s").skip(1).filter_map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(name: &str) -> Cell {
        cells::parse(name).unwrap()
    }

    #[test]
    fn comments_of_people_stay_and_ours_come_and_go() {
        let theirs = "<comments xmlns=\"x\"><authors><author>Asha</author><author>tc={1}</author></authors><commentList>\
            <comment ref=\"B2\" authorId=\"0\"><text><t>ask &amp; wait</t></text></comment>\
            <comment ref=\"C2\" authorId=\"1\"><text><r><t>[Threaded comment]</t></r></text></comment>\
            </commentList></comments>";
        let mut comments = Comments::parse(theirs.as_bytes()).unwrap();
        let set = BTreeMap::from([(cell("B2"), "wrong"), (cell("C2"), "wrong"), (cell("D4"), "bad <HSN>")]);
        comments.change(std::iter::empty(), &set);
        let said = |comments: &Comments, name: &str| {
            let list = comments.tree.root.child("commentList").unwrap();
            list.children().find(|comment| comment.get("ref").unwrap() == name).map(Element::text)
        };
        assert_eq!(said(&comments, "B2").unwrap(), "ask & wait\n\n— einvoice —\nwrong");
        assert_eq!(said(&comments, "C2").unwrap(), "[Threaded comment]");
        assert_eq!(said(&comments, "D4").unwrap(), "bad <HSN>");
        // Written twice it is said once.
        let mut comments = Comments::parse(&comments.to_bytes()).unwrap();
        comments.change(std::iter::empty(), &set);
        assert_eq!(said(&comments, "B2").unwrap(), "ask & wait\n\n— einvoice —\nwrong");
        let boxes = comments.boxes(None, 1);
        assert_eq!(boxed(&boxes), BTreeSet::from([cell("B2"), cell("C2"), cell("D4")]));
        comments.change([cell("B2"), cell("D4")].into_iter(), &BTreeMap::new());
        assert_eq!(said(&comments, "B2").unwrap(), "ask & wait");
        assert_eq!(said(&comments, "D4"), None);
        let boxes = comments.boxes(Some(&boxes), 1);
        assert_eq!(boxed(&boxes), BTreeSet::from([cell("B2"), cell("C2")]));
        Tree::parse(boxes.as_bytes()).unwrap();
    }

    #[test]
    fn boxes_of_another_program_stay_as_they_are() {
        let theirs = "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\"><v:shapetype id=\"_x0000_t202\"/>\
            <v:shape id=\"_x0000_s1025\" type=\"#b\"><br><x:ClientData ObjectType=\"Button\"><x:Row>1</x:Row></x:ClientData></v:shape>\
            </xml>";
        let mut comments = Comments::new();
        comments.change(std::iter::empty(), &BTreeMap::from([(cell("A1"), "x"), (cell("XFD9"), "y")]));
        let boxes = comments.boxes(Some(theirs), 3);
        assert!(boxes.starts_with(theirs.trim_end_matches("</xml>")), "{boxes}");
        assert_eq!(boxed(&boxes), BTreeSet::from([cell("A1"), cell("XFD9")]));
        assert_eq!(boxes.matches("id=\"_x0000_t202\"").count(), 1);
        let all: BTreeSet<usize> = numbers(&boxes).collect();
        assert_eq!(all.len(), 3);
    }
}

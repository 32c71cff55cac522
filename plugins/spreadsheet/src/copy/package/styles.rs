//! The looks of a workbook: those it has, and those made of them for results and marked cells.
//!
//! A marked cell gets a look of its own made of the one it had, so that the format of its number, its border and its
//! alignment stay. What it had before is kept with the mark ([`Was`]) and given back once the cell is right: by its XML,
//! not by its number, which every program that saves the workbook deals out anew.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::super::CopyError;
use super::xml::{Element, Tree};

const NAMESPACE: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
/// What stands behind the looks in a list of styles.
const AFTER_CELL_XFS: [&str; 5] = ["cellStyles", "dxfs", "tableStyles", "colors", "extLst"];
/// Most bytes of what is remembered of a cell; the plain colours that people choose take a third.
const WAS_BYTES_MAX: usize = 400;
/// Format of text.
const TEXT_FORMAT: &str = "49";

/// A colour with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Paint {
    Error,
    Warning,
    Good,
    Heading,
}

impl Paint {
    const fn fill(self) -> &'static str {
        match self {
            Self::Error => "FFFFC7CE",
            Self::Warning => "FFFFEB9C",
            Self::Good => "FFC6EFCE",
            Self::Heading => "FFE2EFDA",
        }
    }

    const fn ink(self) -> &'static str {
        match self {
            Self::Error => "FF9C0006",
            Self::Warning => "FF7F6000",
            Self::Good => "FF006100",
            Self::Heading => "FF000000",
        }
    }
}

/// Looks of cells that are not the workbook's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Look {
    /// A result: text, in a colour where it has a meaning.
    Result(Option<Paint>),
    /// The heading of a column of results.
    Heading,
    /// The title of the sheet of pictures.
    Title,
    /// Text of several lines.
    Wrapped,
}

/// What a marked cell looked like before: its fill and the colour of its letters as XML, empty where it had none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Was {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    fill: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    ink: String,
}

impl Was {
    /// The longest that is remembered.
    #[cfg(test)]
    pub(crate) fn longest() -> Self {
        Self { fill: "f".repeat(WAS_BYTES_MAX / 2), ink: "i".repeat(WAS_BYTES_MAX / 2) }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.fill.is_empty() && self.ink.is_empty()
    }
}

/// The styles of a workbook.
#[derive(Debug)]
pub(super) struct Styles {
    tree: Tree,
    painted: HashMap<(u32, Paint), u32>,
    looks: HashMap<Look, u32>,
}

impl Styles {
    /// Of a workbook that has none.
    pub(super) fn new() -> Self {
        Self::of(Tree::new(Element::new("styleSheet").with("xmlns", NAMESPACE)))
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CopyError> {
        Ok(Self::of(Tree::parse(bytes)?))
    }

    fn of(mut tree: Tree) -> Self {
        let root = &mut tree.root;
        let one = |name: &str, child: Element| Element::new(name).with("count", "1").holding(child);
        let named = |root: &Element, name: &str| root.beside(name);
        let xf = |root: &Element| {
            let name = named(root, "xf");
            ["numFmtId", "fontId", "fillId", "borderId"].iter().fold(Element::new(name), |xf, id| xf.with(id, "0"))
        };
        if root.child("fonts").is_none() {
            let font = Element::new(named(root, "font"))
                .holding(Element::new(named(root, "sz")).with("val", "11"))
                .holding(Element::new(named(root, "name")).with("val", "Calibri"));
            let fonts = one(&named(root, "fonts"), font);
            root.insert_before(&["fills", "borders", "cellStyleXfs", "cellXfs"], fonts);
        }
        if root.child("fills").is_none() {
            let fills = Element::new(named(root, "fills")).with("count", "0");
            root.insert_before(&["borders", "cellStyleXfs", "cellXfs"], fills);
        }
        if root.child("borders").is_none() {
            let borders = one(&named(root, "borders"), Element::new(named(root, "border")));
            root.insert_before(&["cellStyleXfs", "cellXfs"], borders);
        }
        if root.child("cellXfs").is_none() {
            let xfs = one(&named(root, "cellXfs"), xf(root));
            root.insert_before(&AFTER_CELL_XFS, xfs);
        }
        // The first two fills belong to the program: none, and the grey of empty patterns.
        for (at, pattern) in [(0, "none"), (1, "gray125")] {
            if root.child("fills").is_some_and(|fills| fills.children().count() == at) {
                let fill = Element::new(named(root, "fill"))
                    .holding(Element::new(named(root, "patternFill")).with("patternType", pattern));
                add(root, "fills", fill);
            }
        }
        Self { tree, painted: HashMap::new(), looks: HashMap::new() }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.tree.to_bytes()
    }

    /// The look `xf` in a colour.
    pub(super) fn painted(&mut self, xf: u32, paint: Paint) -> u32 {
        if let Some(known) = self.painted.get(&(xf, paint)) {
            return *known;
        }
        let fill = self.solid(paint);
        let ink = Element::new(self.tree.root.beside("color")).with("rgb", paint.ink());
        let made = self.with(xf, &fill, Some(ink));
        self.painted.insert((xf, paint), made);
        made
    }

    /// What `xf` looks like, to be given back later.
    pub(super) fn was(&self, xf: u32) -> Was {
        let fill = self.id_of(xf, "fillId").filter(|id| *id > 0).and_then(|id| self.nth("fills", id));
        let font = self.id_of(xf, "fontId").and_then(|id| self.nth("fonts", id));
        let ink = font.and_then(|font| font.child("color"));
        let xml = |element: Option<&Element>| element.map(Element::to_xml).unwrap_or_default();
        let was = Was { fill: xml(fill), ink: xml(ink) };
        if was.fill.len() + was.ink.len() > WAS_BYTES_MAX { Was::default() } else { was }
    }

    /// Whether `xf` is in one of the colours of marks.
    pub(super) fn is_marked(&self, xf: u32) -> bool {
        let fill = self.id_of(xf, "fillId").and_then(|id| self.nth("fills", id));
        let colour = fill.and_then(|fill| fill.child("patternFill")?.child("fgColor")?.get("rgb"));
        colour.is_some_and(|rgb| {
            [Paint::Error, Paint::Warning].iter().any(|paint| rgb.eq_ignore_ascii_case(paint.fill()))
        })
    }

    /// The look `xf` as it was before it was marked.
    pub(super) fn restored(&mut self, xf: u32, was: &Was) -> u32 {
        let none = || {
            let pattern = Element::new(self.tree.root.beside("patternFill")).with("patternType", "none");
            Element::new(self.tree.root.beside("fill")).holding(pattern)
        };
        // A copy comes back from a person, who may have changed what it remembers.
        let kept = |xml: &str, name: &str| Element::from_xml(xml).filter(|element| element.local() == name);
        let fill = kept(&was.fill, "fill").unwrap_or_else(none);
        self.with(xf, &fill, kept(&was.ink, "color"))
    }

    /// A look that is not made of one of the workbook.
    pub(super) fn look(&mut self, look: Look) -> u32 {
        if let Some(known) = self.looks.get(&look) {
            return *known;
        }
        let mut xf = self.nth_or_new("cellXfs", 0, "xf");
        xf.retain(|_| false);
        let (paint, is_bold, size, wraps) = match look {
            Look::Result(paint) => (paint, false, None, false),
            Look::Heading => (Some(Paint::Heading), true, None, true),
            Look::Title => (None, true, Some("14"), false),
            Look::Wrapped => (None, false, None, true),
        };
        if matches!(look, Look::Result(_)) {
            xf.set("numFmtId", TEXT_FORMAT);
            xf.set("applyNumberFormat", "1");
        }
        if let Some(paint) = paint {
            let fill = self.solid(paint);
            xf.set("fillId", add(&mut self.tree.root, "fills", fill).to_string());
            xf.set("applyFill", "1");
        }
        let mut font = self.nth_or_new("fonts", self.id_of(0, "fontId").unwrap_or_default(), "font");
        if let Some(paint) = paint {
            let ink = Element::new(self.tree.root.beside("color")).with("rgb", paint.ink());
            coloured(&mut font, Some(ink));
        }
        if is_bold && font.child("b").is_none() {
            let bold = Element::new(self.tree.root.beside("b"));
            let first: Vec<String> = font.children().map(|child| child.local().to_owned()).collect();
            font.insert_before(&first.iter().map(String::as_str).collect::<Vec<_>>(), bold);
        }
        if let (Some(size), Some(sized)) = (size, font.child_mut("sz")) {
            sized.set("val", size);
        }
        xf.set("fontId", add(&mut self.tree.root, "fonts", font).to_string());
        xf.set("applyFont", "1");
        if wraps {
            let name = self.tree.root.beside("alignment");
            xf.push(Element::new(name).with("vertical", "top").with("wrapText", "1"));
            xf.set("applyAlignment", "1");
        }
        let made = add(&mut self.tree.root, "cellXfs", xf);
        self.looks.insert(look, made);
        made
    }

    /// The look `xf` with another fill and colour of letters.
    fn with(&mut self, xf: u32, fill: &Element, ink: Option<Element>) -> u32 {
        let mut xf = self.nth_or_new("cellXfs", xf, "xf");
        let mut font = self.nth_or_new("fonts", xf.number("fontId").unwrap_or_default(), "font");
        coloured(&mut font, ink);
        xf.set("fillId", add(&mut self.tree.root, "fills", fill.clone()).to_string());
        xf.set("fontId", add(&mut self.tree.root, "fonts", font).to_string());
        xf.set("applyFill", "1");
        xf.set("applyFont", "1");
        add(&mut self.tree.root, "cellXfs", xf)
    }

    fn solid(&self, paint: Paint) -> Element {
        let name = |name| self.tree.root.beside(name);
        let pattern = Element::new(name("patternFill"))
            .with("patternType", "solid")
            .holding(Element::new(name("fgColor")).with("rgb", paint.fill()))
            .holding(Element::new(name("bgColor")).with("indexed", "64"));
        Element::new(name("fill")).holding(pattern)
    }

    fn id_of(&self, xf: u32, name: &str) -> Option<u32> {
        self.nth("cellXfs", xf)?.number(name)
    }

    /// An entry of a list; where there is none its first one, or an empty one of this name.
    fn nth_or_new(&self, list: &str, at: u32, name: &str) -> Element {
        let known = self.nth(list, at).or_else(|| self.nth(list, 0)).filter(|known| known.local() == name);
        known.cloned().unwrap_or_else(|| Element::new(self.tree.root.beside(name)))
    }

    fn nth(&self, list: &str, at: u32) -> Option<&Element> {
        self.tree.root.child(list)?.children().nth(usize::try_from(at).ok()?)
    }
}

/// Puts an element into a list, unless the list has it, and gives its number.
fn add(root: &mut Element, list: &str, element: Element) -> u32 {
    let Some(list) = root.child_mut(list) else { return 0 };
    let number = |at: usize| u32::try_from(at).unwrap_or_default();
    if let Some(at) = list.children().position(|known| *known == element) {
        return number(at);
    }
    let at = list.children().count();
    list.push(element);
    list.set("count", (at + 1).to_string());
    number(at)
}

/// A font with another colour.
fn coloured(font: &mut Element, ink: Option<Element>) {
    font.retain(|child| child.local() != "color");
    if let Some(ink) = ink {
        // Its place in what Excel writes.
        font.insert_before(&["name", "family", "charset", "scheme"], ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLES: &str = "<styleSheet xmlns=\"x\"><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"0.000\"/></numFmts>\
        <fonts count=\"2\"><font><sz val=\"10\"/><color theme=\"1\"/><name val=\"Arial\"/></font><font><b/><color rgb=\"FFFFFFFF\"/>\
        </font></fonts><fills count=\"3\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill \
        patternType=\"gray125\"/></fill><fill><patternFill patternType=\"solid\"><fgColor theme=\"4\"/></patternFill></fill></fills>\
        <borders count=\"1\"><border/></borders><cellXfs count=\"2\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/>\
        <xf numFmtId=\"164\" fontId=\"1\" fillId=\"2\" borderId=\"0\"><alignment horizontal=\"right\"/></xf></cellXfs></styleSheet>";

    #[test]
    fn a_marked_cell_keeps_its_format_and_gets_its_old_look_back() {
        let mut styles = Styles::parse(STYLES.as_bytes()).unwrap();
        let was = styles.was(1);
        let marked = styles.painted(1, Paint::Error);
        assert_eq!((marked, styles.painted(1, Paint::Error)), (2, 2));
        assert!(styles.is_marked(marked) && !styles.is_marked(1));
        let xf = styles.nth("cellXfs", marked).unwrap();
        assert_eq!((xf.number("numFmtId"), xf.child("alignment").is_some()), (Some(164), true));
        let font = styles.nth("fonts", xf.number("fontId").unwrap()).unwrap();
        assert!(font.child("b").is_some() && font.to_xml().contains("FF9C0006") && !font.to_xml().contains("FFFFFFFF"));
        // Through its XML, as a copy keeps it.
        let was: Was = serde_json::from_str(&serde_json::to_string(&was).unwrap()).unwrap();
        let restored = styles.restored(marked, &was);
        assert_eq!(styles.was(restored), was);
        let (before, after) = (styles.nth("cellXfs", 1).unwrap(), styles.nth("cellXfs", restored).unwrap());
        assert_eq!(["fontId", "fillId"].map(|id| before.number(id)), ["fontId", "fillId"].map(|id| after.number(id)));
        let plain = styles.was(0);
        assert_eq!(plain.fill, "");
        let restored = styles.painted(0, Paint::Warning);
        let restored = styles.restored(restored, &plain);
        assert_eq!(styles.was(restored), plain);
    }

    #[test]
    fn looks_are_made_once_and_lists_count_what_they_hold() {
        for mut styles in [Styles::parse(STYLES.as_bytes()).unwrap(), Styles::new()] {
            let all = [Look::Result(None), Look::Result(Some(Paint::Good)), Look::Heading, Look::Title, Look::Wrapped];
            let first = all.map(|look| styles.look(look));
            assert_eq!(all.map(|look| styles.look(look)), first);
            let again = Styles::parse(&styles.to_bytes()).unwrap();
            for list in ["fonts", "fills", "cellXfs"] {
                let list = again.tree.root.child(list).unwrap();
                assert_eq!(list.number("count"), u32::try_from(list.children().count()).ok());
            }
            // A second round adds nothing.
            let mut again = again;
            assert_eq!(all.map(|look| again.look(look)), first);
        }
    }
}

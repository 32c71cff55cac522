//! Which part leads to which, and what kind each is: `.rels` files and `[Content_Types].xml`.

use std::collections::BTreeSet;

use super::super::CopyError;
use super::xml::{Element, Tree};

const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
/// Begins the kinds of relations, and the names of attributes that hold one.
pub(super) const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
/// Begins the kinds of most parts.
pub(super) const SHEET_ML: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
/// Kind of drawings.
pub(super) const DRAWING_ML: &str = "application/vnd.openxmlformats-officedocument.drawing+xml";

/// The relations of one part.
#[derive(Debug, Clone)]
pub(super) struct Relations {
    owner: String,
    tree: Tree,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its kind: `worksheet`, `comments`.
    pub(super) kind: String,
    /// The part it leads to; nothing where that lies outside of the package.
    pub(super) part: Option<String>,
}

impl Relations {
    /// Those of a part that has none yet.
    pub(super) fn new(owner: &str) -> Self {
        let root = Element::new("Relationships").with("xmlns", RELATIONS);
        Self { owner: owner.to_owned(), tree: Tree::new(root) }
    }

    pub(super) fn parse(owner: &str, bytes: &[u8]) -> Result<Self, CopyError> {
        Ok(Self { owner: owner.to_owned(), tree: Tree::parse(bytes)? })
    }

    /// Where the relations of a part are kept.
    pub(super) fn path(owner: &str) -> String {
        let (folder, name) = owner.rsplit_once('/').map_or(("", owner), |(folder, name)| (folder, name));
        if folder.is_empty() { format!("_rels/{name}.rels") } else { format!("{folder}/_rels/{name}.rels") }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Relation> {
        self.tree.root.children().filter_map(|element| {
            let is_outside = element.get("TargetMode").is_some_and(|mode| mode == "External");
            let target = element.get("Target")?;
            Some(Relation {
                id: element.get("Id")?.into_owned(),
                kind: element.get("Type")?.rsplit('/').next()?.to_owned(),
                part: (!is_outside).then(|| resolved(&self.owner, &target)),
            })
        })
    }

    pub(super) fn by_kind(&self, kind: &str) -> Option<Relation> {
        self.iter().find(|relation| relation.kind == kind)
    }

    /// Adds a relation to a part and gives its id.
    pub(super) fn add(&mut self, kind: &str, part: &str) -> String {
        let ids: BTreeSet<String> = self.iter().map(|relation| relation.id).collect();
        // One of more numbers than there are ids is free.
        let mut numbers = 1..=ids.len() + 1;
        let id = numbers.find_map(|number| Some(format!("einvoice{number}")).filter(|id| !ids.contains(id)));
        let id = id.unwrap_or_default();
        let name = self.tree.root.beside("Relationship");
        let relation = Element::new(name)
            .with("Id", &id)
            .with("Type", format!("{OFFICE}/{kind}"))
            .with("Target", format!("/{part}"));
        self.tree.root.push(relation);
        id
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.tree.root.retain(|element| element.get("Id").is_none_or(|found| found != id));
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.tree.to_bytes()
    }
}

/// The part that a target means, seen from the part that has the relation.
fn resolved(owner: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let folder = owner.rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = match target.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut path: Vec<&str> = Vec::new();
    for step in whole.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

/// What kind each part is.
#[derive(Debug, Clone)]
pub(super) struct ContentTypes {
    tree: Tree,
}

impl ContentTypes {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CopyError> {
        Ok(Self { tree: Tree::parse(bytes)? })
    }

    /// The kind of a part that is named by itself.
    pub(super) fn of(&self, part: &str) -> Option<String> {
        Some(self.named(part)?.get("ContentType")?.into_owned())
    }

    /// Says the kind of all parts with an ending, unless that is said.
    pub(super) fn ending(&mut self, ending: &str, kind: &str) {
        let same = |element: &Element| element.get("Extension").is_some_and(|found| found.eq_ignore_ascii_case(ending));
        if !self.tree.root.children().any(same) {
            let name = self.tree.root.beside("Default");
            let element = Element::new(name).with("Extension", ending).with("ContentType", kind);
            self.tree.root.insert_before(&["Override"], element);
        }
    }

    /// Says the kind of a part, unless that is said.
    pub(super) fn part(&mut self, part: &str, kind: &str) {
        if self.named(part).is_none() {
            let name = self.tree.root.beside("Override");
            self.tree.root.push(Element::new(name).with("PartName", format!("/{part}")).with("ContentType", kind));
        }
    }

    /// Forgets a part that is not there any more.
    pub(super) fn forget(&mut self, part: &str) {
        self.tree.root.retain(|element| !is_named(element, part));
    }

    fn named(&self, part: &str) -> Option<&Element> {
        self.tree.root.children().find(|element| is_named(element, part))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.tree.to_bytes()
    }
}

fn is_named(element: &Element, part: &str) -> bool {
    element.get("PartName").is_some_and(|name| name.trim_start_matches('/').eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_seen_from_the_part_that_names_them() {
        for (owner, target, part) in [
            ("xl/workbook.xml", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl/worksheets/sheet1.xml", "../comments1.xml", "xl/comments1.xml"),
            ("xl/worksheets/sheet1.xml", "/xl/drawings/vmlDrawing1.vml", "xl/drawings/vmlDrawing1.vml"),
            ("", "xl/workbook.xml", "xl/workbook.xml"),
            ("xl/workbook.xml", "./a\\b.xml", "xl/a/b.xml"),
        ] {
            assert_eq!(resolved(owner, target), part);
        }
        assert_eq!(Relations::path("xl/workbook.xml"), "xl/_rels/workbook.xml.rels");
        assert_eq!(Relations::path(""), "_rels/.rels");
    }

    #[test]
    fn a_relation_is_added_beside_what_is_there() {
        let mut relations = Relations::new("xl/a.xml");
        let first = relations.add("comments", "xl/comments7.xml");
        let second = relations.add("vmlDrawing", "xl/b.vml");
        assert_eq!((first.as_str(), second.as_str()), ("einvoice1", "einvoice2"));
        let read = Relations::parse("xl/a.xml", &relations.to_bytes()).unwrap();
        assert_eq!(read.by_kind("comments").and_then(|found| found.part).as_deref(), Some("xl/comments7.xml"));
        assert_eq!(read.by_kind("vmlDrawing").map(|found| found.id).as_deref(), Some("einvoice2"));
        relations.remove("einvoice1");
        assert!(relations.by_kind("comments").is_none());
    }
}

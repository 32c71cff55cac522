//! Any bytes as a workbook, or as one part of it, of which copies with results are made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use einvoice_core::BoxError;
use einvoice_core::finding::Finding;

use super::archive;
use crate::book::Line;
use crate::builtin::RESULTS;
use crate::copy::{self, Answer, Base, CopyError, CopySettings, Place, State};

/// The parts of a workbook with something of everything that a copy looks into.
const PARTS: [(&str, &str); 13] = [
    ("[Content_Types].xml", include_str!("parts/content-types.xml")),
    ("_rels/.rels", include_str!("parts/root.rels")),
    ("xl/workbook.xml", include_str!("parts/workbook.xml")),
    ("xl/_rels/workbook.xml.rels", include_str!("parts/workbook.xml.rels")),
    ("xl/worksheets/sheet1.xml", include_str!("parts/sheet1.xml")),
    ("xl/worksheets/_rels/sheet1.xml.rels", include_str!("parts/sheet1.xml.rels")),
    ("xl/styles.xml", include_str!("parts/styles.xml")),
    ("xl/sharedStrings.xml", include_str!("parts/sharedStrings.xml")),
    ("xl/comments1.xml", include_str!("parts/comments1.xml")),
    ("xl/drawings/vmlDrawing1.vml", include_str!("parts/vmlDrawing1.vml")),
    ("xl/drawings/drawing1.xml", include_str!("parts/drawing1.xml")),
    ("xl/drawings/_rels/drawing1.xml.rels", include_str!("parts/drawing1.xml.rels")),
    ("xl/calcChain.xml", include_str!("parts/calcChain.xml")),
];
/// The signed text of every code here.
const SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJkYXRhIjoie30ifQ.c2lnbmVk";
/// How the workbook looked.
const LOOK: &str = "a look";
const SETTINGS: CopySettings = CopySettings { qr_pictures_max: 2 };
/// Where the copy lies in its folder.
const COPY: &str = "sales_result.xlsx";

/// The workbook's parts after a first copy of it was made.
static COPIED: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| copied_parts().unwrap_or_default());

/// What became of a workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on it")]
pub enum Became {
    /// A copy of it with all its parts.
    Copy,
    /// A copy of its values.
    Values,
    /// A list of results without it.
    List,
    /// Nothing: what is wrong with it was said, and no file is left.
    Nothing,
}

/// Writes results into a copy of a workbook, and other results into that copy.
///
/// # Panics
/// When a copy does not open again or does not say what was written into it, when its failure is blamed on the disk, or
/// when half of one is left.
#[must_use]
pub fn copied(workbook: &[u8]) -> Became {
    let Ok(folder) = tempfile::tempdir() else { return Became::Nothing };
    let path = folder.path().join("sales.xlsx");
    if fs::write(&path, workbook).is_err() {
        return Became::Nothing;
    }
    let base =
        copy::open(&path).and_then(|book| Base::of(book, &path, false, SETTINGS)).unwrap_or_else(|_| Base::list());
    rounds(folder.path(), base, 1)
}

/// The same for a workbook of which one part is put in the place of its own: the first byte names the part, by a small
/// letter of the workbook itself, by a capital one of a copy made before.
///
/// # Panics
/// As [`copied`].
#[must_use]
pub fn copied_with(input: &[u8]) -> Became {
    let Some((choice, part)) = input.split_first() else { return Became::Nothing };
    let from = |first: u8, count: usize| usize::from(choice.wrapping_sub(first)) % count.max(1);
    if !choice.is_ascii_uppercase() {
        let at = from(b'a', PARTS.len());
        let parts = PARTS.iter().map(|(name, text)| (*name, text.as_bytes()));
        return archive(&replaced(parts, at, part)).map_or(Became::Nothing, |workbook| copied(&workbook));
    }
    let at = from(b'A', COPIED.len());
    let parts = COPIED.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let (Ok(folder), Ok(workbook)) = (tempfile::tempdir(), archive(&replaced(parts, at, part))) else {
        return Became::Nothing;
    };
    let path = folder.path().join(COPY);
    if fs::write(&path, workbook).is_err() {
        return Became::Nothing;
    }
    match copy::open(&path).and_then(|book| Base::of(book, &path, true, SETTINGS)) {
        Ok(base) if base.answers(LOOK) => rounds(folder.path(), base, 2),
        // Somebody else's file, which is never written over.
        _ => Became::Nothing,
    }
}

/// Inputs of [`copied_with`] that change nothing, each with the name of its part: those of the workbook, then those of a
/// copy of it.
#[must_use]
pub fn unchanged() -> Vec<(String, Vec<u8>)> {
    let input = |first: &[u8], bytes: &[u8]| [first, bytes].concat();
    let own =
        PARTS.iter().zip(b'a'..).map(|((name, text), letter)| ((*name).to_owned(), input(&[letter], text.as_bytes())));
    own.chain(COPIED.iter().zip(b'A'..).map(|((name, bytes), letter)| (name.clone(), input(&[letter], bytes))))
        .collect()
}

fn replaced<'p>(
    parts: impl Iterator<Item = (&'p str, &'p [u8])>,
    at: usize,
    part: &'p [u8],
) -> Vec<(&'p str, &'p [u8])> {
    parts.enumerate().map(|(index, (name, own))| (name, if index == at { part } else { own })).collect()
}

fn copied_parts() -> Result<Vec<(String, Vec<u8>)>, BoxError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sales.xlsx");
    fs::write(&path, archive(&PARTS.map(|(name, text)| (name, text.as_bytes())))?)?;
    let said = |error: &dyn std::fmt::Debug| format!("{error:?}");
    let base = copy::open(&path).and_then(|book| Base::of(book, &path, false, SETTINGS));
    let mut base = base.map_err(|error| said(&error))?;
    let answers = answers(&base, 1);
    copy::learn(&mut base, &answers)?;
    let target = folder.path().join(COPY);
    copy::write(&target, &mut base, answers, SETTINGS)?;
    let mut archive = zip::ZipArchive::new(fs::File::open(target)?)?;
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index)?;
        let mut bytes = Vec::new();
        std::io::copy(&mut part, &mut bytes)?;
        parts.push((part.name()?.into_owned(), bytes));
    }
    parts.sort();
    Ok(parts)
}

/// Two rounds of answers, the second one into what the first one wrote.
fn rounds(folder: &Path, mut base: Base, first: u32) -> Became {
    let target = folder.join(COPY);
    let before = fs::read(&target).ok();
    let mut became = Became::Nothing;
    for revision in [first, first + 1] {
        let answers = answers(&base, revision);
        let owed: Vec<(String, String)> = answers
            .values()
            .filter(|answer| {
                let known = base.find(&answer.state.record);
                known.is_none_or(|(.., state)| !state.edition().covers(&answer.state.edition()))
            })
            .map(|answer| (answer.state.record.clone(), status(answer)))
            .collect();
        let is_package = base.is_package();
        let written = copy::learn(&mut base, &answers).and_then(|()| {
            became = match (base.is_list(), is_package) {
                _ if revision > first => became,
                (true, _) => Became::List,
                (false, true) => Became::Copy,
                (false, false) => Became::Values,
            };
            copy::write(&target, &mut base, answers, SETTINGS)
        });
        if let Err(error) = written {
            assert!(!matches!(error, CopyError::Io(_)), "the disk is blamed for a workbook: {error}");
            assert!(became != Became::List, "a list of results cannot be written: {error}");
            assert_eq!(revision, first, "what was written cannot be written over: {error}");
            assert_eq!(fs::read(&target).ok(), before, "half of a copy is left after {error}");
            became = Became::Nothing;
        }
        let names = fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).map(|entry| entry.file_name()));
        let others: Vec<_> = names.into_iter().flatten().filter(|name| name != COPY && name != "sales.xlsx").collect();
        assert!(others.is_empty(), "{others:?} is left behind");
        if became == Became::Nothing {
            return became;
        }
        base = opened_again(&target, &owed);
    }
    became
}

/// Opens a copy that was written, which says what it owes.
fn opened_again(target: &Path, owed: &[(String, String)]) -> Base {
    let opened = copy::open(target).and_then(|book| Base::of(book, target, true, SETTINGS));
    let said = opened.as_ref().err().map(|error| format!("{error:?}"));
    assert!(said.is_none(), "a copy does not open again: {}", said.unwrap_or_default());
    let mut base = opened.unwrap_or_else(|_| Base::list());
    assert!(base.is_package(), "the parts of a copy cannot be kept");
    assert!(base.answers(LOOK), "a copy is not known again");
    for (record, status) in owed {
        let place = base.find(record).map(|(sheet, row, _)| (sheet.name.clone(), row));
        assert!(place.is_some(), "the copy says nothing of {record}");
        let (name, wanted) = place.unwrap_or_default();
        let mut found = None;
        let read = base.rows(&name, &mut |line| match line {
            Line::Row(row) if row.number == wanted => {
                found = Some(row);
                std::ops::ControlFlow::Break(())
            }
            _ => std::ops::ControlFlow::Continue(()),
        });
        assert!(read.is_ok(), "{read:?}");
        let shown = found.as_ref().and_then(|row| {
            let sheet = base.sheets().find(|sheet| sheet.name == name)?;
            sheet.shown(row).find(|(heading, _)| *heading == RESULTS[0]).map(|(_, text)| text)
        });
        assert_eq!(shown.as_ref(), Some(status), "{record} in row {wanted} of {name}");
    }
    base
}

fn status(answer: &Answer) -> String {
    answer.values.first().cloned().unwrap_or_default()
}

/// Answers to a document of two rows, to one of one row, and to what has no row, on the first sheet.
fn answers(base: &Base, revision: u32) -> BTreeMap<String, Answer> {
    let sheet = base.sheets().next().map(|sheet| sheet.name.clone()).unwrap_or_default();
    let place = |rows: &[u32]| {
        Some(Place { sheet: sheet.clone(), heading_row: 1, rows: rows.to_vec(), number_column: Some("B".to_owned()) })
    };
    let wrong = [
        Finding::error("items.hsn", "ItemList[1].HsnCd", "the code is <too> short")
            .with_code("2176")
            .with_fix("Correct it.")
            .with_place("in/sales.xlsx, document 1, rows 2 to 3, column HSN Code, row 3"),
        Finding::warning("document.number", "DocDtls.No", "the number is an odd one").with_fix("Look at it."),
    ];
    let bad = if revision == 1 { wrong.to_vec() } else { Vec::new() };
    let first = if revision == 1 { "INVALID" } else { "IRN_GENERATED" };
    let all = [
        answer("first", revision, first, place(&[2, 3]), bad),
        answer(
            "second",
            revision,
            if revision == 1 { "IRN_GENERATED" } else { "IRN_CANCELLED" },
            place(&[4]),
            Vec::new(),
        ),
        answer("third", revision, "REFUSED", None, wrong.to_vec()),
    ];
    all.into_iter().map(|answer| (answer.state.record.clone(), answer)).collect()
}

fn answer(record: &str, revision: u32, status: &str, place: Option<Place>, findings: Vec<Finding>) -> Answer {
    let mut values: [String; RESULTS.len()] = Default::default();
    let is_registered = status.starts_with("IRN_");
    for (value, heading) in values.iter_mut().zip(RESULTS) {
        match heading {
            "Status" => status.clone_into(value),
            "IRN" if is_registered => *value = "5f".repeat(32),
            "AckNo" if is_registered => "112610000000001".clone_into(value),
            "SignedQRCode" if is_registered => SIGNED.clone_into(value),
            "ErrorMessage" if !is_registered => "the code is <too> short _x0041_".clone_into(value),
            _ => {}
        }
    }
    let state = State {
        record: record.to_owned(),
        ledger: Some(einvoice_core::ledger::LedgerId("ledger".to_owned())),
        revision,
        ack_no: is_registered.then(|| "112610000000001".to_owned()),
        file: LOOK.to_owned(),
        named: format!("INV {record} 05/11/2026"),
        marks: Vec::new(),
    };
    Answer { values, state, place, named: ["INV".to_owned(), record.to_owned(), "05/11/2026".to_owned()], findings }
}

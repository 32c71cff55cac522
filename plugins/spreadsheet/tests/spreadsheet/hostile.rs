//! Copies of workbooks that nobody would save: they open again and say all that is owed, or none is made.

use std::io::{Cursor, Write as _};

use einvoice_spreadsheet::testing::copies::{Became, copied, copied_with, unchanged};
use serde_json::json;
use zip::write::SimpleFileOptions;

use crate::common::read_file;

const SHEET: &str = "xl/worksheets/sheet1.xml";
const SHEET_RELATIONS: &str = "xl/worksheets/_rels/sheet1.xml.rels";
const BOOK: &str = "xl/workbook.xml";
const BOOK_RELATIONS: &str = "xl/_rels/workbook.xml.rels";
const STYLES: &str = "xl/styles.xml";
const COMMENTS: &str = "xl/comments1.xml";
const BOXES: &str = "xl/drawings/vmlDrawing1.vml";

/// The workbook with something else in one of its parts.
fn with(part: &str, changes: &[(&str, &str)]) -> Became {
    let (_, input) = unchanged().into_iter().find(|(name, _)| name == part).unwrap();
    let mut text = String::from_utf8(input).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{part} has no {from}");
        text = text.replacen(from, to, 1);
    }
    copied_with(text.as_bytes())
}

/// The parts of the workbook, as an archive of its own.
fn packed(more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in more {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    for (name, input) in unchanged().into_iter().filter(|(_, input)| input[0].is_ascii_lowercase()) {
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(&input[1..]).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// Damages the packed bytes of a part, whose sum stays as it is.
fn damaged(mut archive: Vec<u8>, part: &str) -> Vec<u8> {
    let at = archive.windows(part.len()).position(|bytes| bytes == part.as_bytes()).unwrap() + part.len() + 40;
    archive[at..at + 6].iter_mut().for_each(|byte| *byte ^= 0xff);
    archive
}

#[test]
fn every_part_as_it_is_makes_a_copy_with_all_parts() {
    let all = unchanged();
    assert!(all.iter().filter(|(_, input)| input[0].is_ascii_uppercase()).count() > 13, "{all:?}");
    for (name, input) in all {
        assert_eq!(copied_with(&input), Became::Copy, "{name}");
    }
}

#[test]
fn a_sheet_that_is_odd_and_allowed_is_kept() {
    for changes in [
        [("<row r=\"2\">", "<ext></ext><row r=\"2\">")],
        [("<row r=\"4\">", "<row r=\"3\"/><row r=\"4\">")],
        [("<c r=\"E3\" s=\"1\">", "<c r='E3' x='\"' s='1'>")],
        [("A2:A3", "A2:MWLQKWU3")],
        [("width=\"12\"", "width=\"12\" x=\"&amp;\"")],
        [("UTF-8", "windows-1252")],
    ] {
        assert_eq!(with(SHEET, &changes), Became::Copy, "{changes:?}");
    }
}

#[test]
fn of_a_sheet_that_nobody_can_read_to_its_end_the_results_are_a_list() {
    let long = format!("<!--{}--><row r=\"4\">", " ".repeat(9 * 1024 * 1024));
    for changes in [
        [("<row r=\"4\">", "<row r=\"4294967295\"/><row>")],
        [("<row r=\"3\" ", "<row r=\"9\" ")],
        [("<row r=\"4\">", "<row r=\"2\">")],
        [("r=\"E3\"", "r=\"E4\"")],
        [("r=\"E3\"", "r=\"MWLQKWU3\"")],
        [("<row r=\"3\" ", "</sheetData><sheetData><row r=\"3\" ")],
        [("<worksheet ", "<!DOCTYPE w><worksheet ")],
        [("<row r=\"4\">", &long)],
    ] {
        let shown: String = format!("{changes:?}").chars().take(100).collect();
        assert_eq!(with(SHEET, &changes), Became::List, "{shown}");
    }
    assert_eq!(with(SHEET, &[("<sheetData>", "<x>"), ("</sheetData>", "</x>")]), Became::List);
}

#[test]
fn a_part_that_is_two_things_is_written_for_neither() {
    for to in
        ["../sharedStrings.xml", "sheet1.xml", "../styles.xml", "_rels/sheet1.xml.rels", "../drawings/drawing1.xml"]
    {
        assert_eq!(with(SHEET_RELATIONS, &[("../comments1.xml", to)]), Became::List, "{to}");
        assert_eq!(with(SHEET_RELATIONS, &[("../drawings/vmlDrawing1.vml", to)]), Became::List, "{to}");
    }
    for to in ["workbook.xml", "worksheets/sheet1.xml", "/[Content_Types].xml"] {
        // Which of the two it is, is not known: its values are.
        let became = with(BOOK_RELATIONS, &[("\"styles.xml\"", &format!("\"{to}\""))]);
        assert!(matches!(became, Became::Values | Became::List), "{to}: {became:?}");
    }
}

#[test]
fn numbers_that_nobody_counts_to_are_kept_and_not_counted_on() {
    assert_eq!(with(BOOK, &[("sheetId=\"1\"", "sheetId=\"4294967295\"")]), Became::Copy);
    assert_eq!(with(BOXES, &[("_x0000_s1025", "_x0000_s18446744073709551615")]), Became::Copy);
    assert_eq!(with(COMMENTS, &[("ref=\"E3\"", "ref=\"MWLQKWU4294967295\"")]), Became::Copy);
    let numbers = [("fontId=\"1\" fillId=\"2\"", "fontId=\"4294967295\" fillId=\"4294967295\"")];
    assert_eq!(with(STYLES, &numbers), Became::Copy);
}

#[test]
fn folders_and_relations_left_behind_in_the_archive_are_in_nobodys_way() {
    assert_eq!(copied(&packed(&[])), Became::Copy);
    let more: [(&str, &[u8]); 4] = [
        ("xl/", b""),
        ("_rels/", b""),
        ("xl/charts/_rels/chart9.xml.rels", b"<Relationships>"),
        ("xl/drawings/_rels/drawing2.xml.rels", b"<Relationships/>"),
    ];
    assert_eq!(copied(&packed(&more)), Became::Copy);
}

#[tokio::test]
async fn an_archive_that_cannot_be_unpacked_is_the_files_fault_and_not_the_disks() {
    assert_eq!(copied(&damaged(packed(&[]), COMMENTS)), Became::List);
    let (_, read) = read_file("sales.xlsx", damaged(packed(&[]), SHEET), json!({})).await;
    assert_eq!((read.records.len(), read.problems.len()), (0, 1), "{:?}", read.said());
}

//! What a person's workbook keeps when results are written into a copy of it: everything.
//!
//! Aim: a copy differs from its workbook by the results, the looks and comments of marked cells, and nothing else. Method:
//! workbooks with all that people put into them go through source and target; the parts of both packages are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use einvoice_core::finding::Finding;
use einvoice_core::state::DocumentState;
use einvoice_spreadsheet::testing;
use quick_xml::Reader;
use quick_xml::events::Event;
use rust_xlsxwriter::{
    Chart, ChartType, Color, ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, Format, Formula, Note,
    Table, Workbook,
};

use crate::common::{fill, read, shown};
use crate::results::Folder;

type Parts = BTreeMap<String, Vec<u8>>;

fn parts(bytes: &[u8]) -> Parts {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut parts = Parts::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        let name = part.name().unwrap().into_owned();
        assert!(parts.insert(name.clone(), bytes).is_none(), "{name} is there twice");
    }
    parts
}

fn parts_of(path: &Path) -> Parts {
    parts(&std::fs::read(path).unwrap())
}

/// A workbook with some of its parts made anew.
fn rebuilt(book: &[u8], change: impl Fn(&mut Parts)) -> Vec<u8> {
    let mut parts = parts(book);
    change(&mut parts);
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn text<'p>(parts: &'p Parts, name: &str) -> &'p str {
    std::str::from_utf8(parts.get(name).unwrap_or_else(|| panic!("{name} is not in {:?}", parts.keys()))).unwrap()
}

fn replace(parts: &mut Parts, name: &str, from: &str, to: &str) {
    let changed = text(parts, name).replacen(from, to, 1);
    assert_ne!(text(parts, name), changed, "{name} has no {from}");
    parts.insert(name.to_owned(), changed.into_bytes());
}

/// Every part is XML, every relation leads to a part, every part has a kind, no cell stands there twice.
fn assert_whole(parts: &Parts) {
    for (name, bytes) in
        parts.iter().filter(|(name, _)| [".xml", ".rels", ".vml"].iter().any(|end| name.ends_with(end)))
    {
        let mut reader = Reader::from_reader(bytes.as_slice());
        let (mut last, mut buffer) = ((0, 0), Vec::new());
        loop {
            let event = reader.read_event_into(&mut buffer).unwrap_or_else(|error| panic!("{name}: {error}"));
            match event {
                Event::Eof => break,
                Event::Start(start) | Event::Empty(start)
                    if name.contains("worksheets/") && start.local_name().as_ref() == "c" =>
                {
                    let cell = start.try_get_attribute("r").unwrap().unwrap().value.into_owned();
                    let digits = cell.find(|letter: char| letter.is_ascii_digit()).unwrap();
                    let column =
                        cell[..digits].bytes().fold(0, |number, letter| number * 26 + u32::from(letter - b'A') + 1);
                    let at = (cell[digits..].parse::<u32>().unwrap(), column);
                    assert!(last < at, "{name}: {cell} is not behind {last:?}");
                    last = at;
                }
                _ => {}
            }
        }
    }
    let types = text(parts, "[Content_Types].xml");
    for name in parts.keys().filter(|name| *name != "[Content_Types].xml") {
        let ending = name.rsplit('.').next().unwrap();
        let known =
            types.contains(&format!("PartName=\"/{name}\"")) || types.contains(&format!("Extension=\"{ending}\""));
        assert!(known, "{name} has no kind");
    }
    for named in types.split("PartName=\"/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(parts.contains_key(named), "{named} has a kind and is not there");
    }
    for (name, bytes) in parts.iter().filter(|(name, _)| name.to_lowercase().ends_with(".rels")) {
        let owner = name.replace("_rels/", "");
        let folder = owner.rsplit_once('/').map_or("", |(folder, _)| folder);
        for element in std::str::from_utf8(bytes).unwrap().split("<Relationship ").skip(1) {
            let target = element.split("Target=\"").nth(1).unwrap().split('"').next().unwrap();
            let mut path: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
            for step in target.split('/').filter(|step| !step.is_empty()) {
                if step == ".." { _ = path.pop() } else { path.push(step) }
            }
            let path = path.into_iter().filter(|step| !step.is_empty()).collect::<Vec<_>>().join("/");
            assert!(element.contains("External") || parts.contains_key(&path), "{name} leads to {path}");
        }
    }
}

const HEAD: &[&str] = &[
    "Document Type",
    "Document Number",
    "Document Date",
    "Seller GSTIN",
    "Buyer GSTIN",
    "HSN Code",
    "Quantity",
    "Unit Price",
    "Taxable value",
];
const ROWS: &[&[&str]] = &[
    &["INV", "A/1", "05/11/2026", "29AAKCD4821F1ZM", "27AAACI1234E1Z6", "8481", "=2", "=10"],
    &["INV", "A/2", "05/11/2026", "29AAKCD4821F1ZM", "27AAACI1234E1Z6", "84", "=3", "=10"],
    &["INV", "A/3", "05/11/2026", "29AAKCD4821F1ZM", "27AAACI1234E1Z6", "8482", "=4", "=10"],
];
/// The cell of the wrong HSN, and the column behind the last in use: `K` has notes far below the invoices.
const HSN: &str = "F5";
const FIRST_RESULT: &str = "L";

/// A workbook as people keep them: titles, formulas, formats, comments, lists, a chart, other sheets.
fn of_a_person() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Sales").unwrap();
    sheet.merge_range(0, 0, 0, 5, "Deccan Valves: November", &Format::new().set_bold().set_font_size(16)).unwrap();
    fill(sheet, &[&[], &[], HEAD]);
    for (row, at) in ROWS.iter().zip(3..) {
        for (text, column) in row.iter().zip(0..) {
            match text.strip_prefix('=') {
                Some(number) => sheet.write_number(at, column, number.parse::<f64>().unwrap()).unwrap(),
                None => sheet.write_string(at, column, *text).unwrap(),
            };
        }
        let total = Formula::new(format!("=G{0}*H{0}", at + 1)).set_result((f64::from(at - 1) * 10.0).to_string());
        sheet.write_formula_with_format(at, 8, total, &Format::new().set_num_format("#,##0.00")).unwrap();
    }
    let yellow = Format::new()
        .set_num_format("0000")
        .set_background_color(Color::Yellow)
        .set_font_color(Color::Blue)
        .set_border_bottom(rust_xlsxwriter::FormatBorder::Double);
    sheet.write_string_with_format(4, 5, "84", &yellow).unwrap();
    sheet.insert_note(4, 5, &Note::new("is this right?").set_author("Asha").add_author_prefix(false)).unwrap();
    sheet.insert_note(3, 0, &Note::new("first one").set_author("Asha").add_author_prefix(false)).unwrap();
    sheet.write_string(20, 10, "a remark far below").unwrap();
    sheet.set_column_width(1, 33).unwrap();
    sheet.set_column_hidden(3).unwrap();
    sheet.set_column_range_width(9, 40, 7.5).unwrap();
    sheet.set_freeze_panes(3, 2).unwrap();
    sheet.autofilter(2, 0, 5, 8).unwrap();
    let red = ConditionalFormatCell::new()
        .set_rule(ConditionalFormatCellRule::LessThan(0))
        .set_format(Format::new().set_font_color(Color::Red));
    sheet.add_conditional_format(3, 6, 5, 6, &red).unwrap();
    sheet
        .add_data_validation(3, 0, 99, 0, &DataValidation::new().allow_list_strings(&["INV", "CRN"]).unwrap())
        .unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_values("Sales!$I$4:$I$6");
    sheet.insert_chart(22, 1, &chart).unwrap();
    let prices = workbook.add_worksheet().set_name("Prices").unwrap();
    fill(prices, &[&["Item", "Price"], &["Valve", "=100"]]);
    prices.add_table(0, 0, 1, 1, &Table::new()).unwrap();
    prices.insert_note(1, 1, &Note::new("of May")).unwrap();
    let hidden = workbook.add_worksheet().set_name("Calculation").unwrap().set_hidden(true);
    hidden.write_formula(0, 0, Formula::new("=Sales!I4*2").set_result("40")).unwrap();
    workbook.define_name("Total", "=Sales!$I$4").unwrap();
    workbook.save_to_buffer().unwrap()
}

/// With macros and a chain of calculation, which the library for workbooks does not write.
fn with_macros(book: &[u8]) -> Vec<u8> {
    rebuilt(book, |parts| {
        parts.insert("xl/vbaProject.bin".into(), b"\xd0\xcf\x11\xe0 macros".to_vec());
        parts.insert("xl/vbaProjectSignature.bin".into(), b"a signature".to_vec());
        parts.insert("xl/calcChain.xml".into(), b"<calcChain><c r=\"I4\" i=\"1\"/></calcChain>".to_vec());
        let types = "[Content_Types].xml";
        replace(parts, types, "spreadsheetml.sheet.main+xml", "macro");
        replace(
            parts,
            types,
            "application/vnd.openxmlformats-officedocument.macro",
            "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        );
        let kinds = "<Override PartName=\"/xl/calcChain.xml\" ContentType=\"application/x\"/><Default Extension=\"bin\" \
                     ContentType=\"application/vnd.ms-office.vbaProject\"/></Types>";
        replace(parts, types, "</Types>", kinds);
        let kind = "Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
        let more = format!("<Relationship Id=\"rIdA\" {kind}calcChain\" Target=\"calcChain.xml\"/></Relationships>");
        replace(parts, "xl/_rels/workbook.xml.rels", "</Relationships>", &more);
    })
}

fn wrong() -> Vec<Finding> {
    vec![
        Finding::error("items.hsn", "ItemList[0].HsnCd", "the code is too short")
            .with_code("2176")
            .with_fix("Correct it."),
    ]
}

/// The look of a cell: its number format, its fill and the colour of its letters.
fn look(parts: &Parts, cell: &str) -> (String, String, String) {
    let sheet = text(parts, "xl/worksheets/sheet1.xml");
    let start = sheet.split(&format!("<c r=\"{cell}\"")).nth(1).unwrap().split('>').next().unwrap();
    let xf: usize = start.split(" s=\"").nth(1).map_or(0, |rest| rest.split('"').next().unwrap().parse().unwrap());
    let styles = text(parts, "xl/styles.xml");
    let list =
        |name: &str| styles.split(&format!("<{name} ")).nth(1).unwrap().split(&format!("</{name}>")).next().unwrap();
    let xfs: Vec<&str> = list("cellXfs").split("<xf ").skip(1).collect();
    let id = |name: &str| -> usize {
        xfs[xf].split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let nth =
        |list: &str, element: &str, at: usize| list.split(&format!("<{element}>")).nth(at + 1).unwrap().to_owned();
    let rgb = |part: &str| part.split("rgb=\"").nth(1).map(|rest| rest[..8].to_owned()).unwrap_or_default();
    (
        id("numFmtId").to_string(),
        rgb(&nth(list("fills"), "fill", id("fillId"))),
        rgb(&nth(list("fonts"), "font", id("fontId"))),
    )
}

#[tokio::test]
async fn a_copy_is_the_workbook_itself_with_the_results_in_it() {
    let book = with_macros(&of_a_person());
    let folder = Folder::of("sales.xlsm", &book);
    let records = read(&folder.source).await.records;
    assert_eq!(records.len(), 3);
    folder
        .done(&[
            folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new()),
            folder.receipt(&records[1], 1, DocumentState::Invalid, wrong()),
        ])
        .await;
    let path = folder.path("results/sales_result.xlsm");
    let (before, after) = (parts(&book), parts_of(&path));
    assert_whole(&after);
    // What is not named here is as it was, byte by byte.
    let changed: BTreeSet<&str> =
        before.iter().filter(|(name, bytes)| after.get(*name) != Some(bytes)).map(|(name, _)| name.as_str()).collect();
    let expected = [
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/comments1.xml",
        "xl/drawings/vmlDrawing1.vml",
        "xl/styles.xml",
        "xl/workbook.xml",
        "xl/worksheets/_rels/sheet1.xml.rels",
        "xl/worksheets/sheet1.xml",
    ];
    assert!(changed.is_subset(&BTreeSet::from(expected)), "{changed:?}");
    // The sheet has every cell it had, formulas with them, and all that stands around its rows.
    let (old, new) = (text(&before, "xl/worksheets/sheet1.xml"), text(&after, "xl/worksheets/sheet1.xml"));
    for cell in old.split("<c ").skip(1).map(|cell| cell.split("</c>").next().unwrap().split("<row").next().unwrap()) {
        let name = cell.split('"').nth(1).unwrap();
        assert!(name == HSN || new.contains(&format!("<c {}", cell.trim_end_matches("</row>"))), "{cell}");
    }
    let tail = old.split("</sheetData>").nth(1).unwrap();
    assert_eq!(new.split("</sheetData>").nth(1).unwrap(), tail);
    for kept in ["<pane ", "<mergeCell ", "<conditionalFormatting ", "<dataValidation ", "<autoFilter ", "<drawing "] {
        assert!(new.contains(kept), "{kept}");
    }
    assert!(new.contains("<f>G4*H4</f><v>20</v>"), "{new}");
    // The marked cell keeps its number format.
    let (format, ..) = look(&before, HSN);
    assert_eq!(look(&before, HSN), (format.clone(), "FFFFFF00".into(), "FF0000FF".into()));
    assert_eq!(look(&after, HSN), (format, "FFFFC7CE".into(), "FF9C0006".into()));
    // Comments of people stay; ours stands behind.
    let comments = text(&after, "xl/comments1.xml");
    assert!(comments.contains("first one") && comments.contains("is this right?"), "{comments}");
    assert!(
        comments.contains("— einvoice —\n[2176] ItemList[0].HsnCd: the code is too short. Correct it."),
        "{comments}"
    );
    // Results stand behind the last column in use, wide enough, and the program's own is hidden.
    let values = shown(&path);
    assert_eq!(values[&format!("Sales!{FIRST_RESULT}3")], "Status");
    assert_eq!(values[&format!("Sales!{FIRST_RESULT}4")], "IRN_GENERATED");
    assert_eq!(values["Sales!I4"], "20");
    assert!(new.contains("hidden=\"1\" min=\"24\" max=\"24\""), "{new}");
    assert!(new.contains("min=\"25\" max=\"41\""), "{new}");
    assert!(values["QR codes!A2"].starts_with("INV A/1 05/11/2026\nIRN "), "{values:?}");
    assert!(after.contains_key("xl/media/einvoice-qr-1.png"));
}

#[tokio::test]
async fn a_cell_that_is_right_gets_its_old_look_and_its_comment_back() {
    let book = of_a_person();
    let folder = Folder::of("sales.xlsx", &book);
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[1], 1, DocumentState::Invalid, wrong())]).await;
    let path = folder.path("results/sales_result.xlsx");
    let marked = parts_of(&path);
    // A second round of the same kind leaves what is remembered as it is.
    folder.done(&[folder.receipt(&records[1], 2, DocumentState::Refused, wrong())]).await;
    assert_eq!(look(&parts_of(&path), HSN), look(&marked, HSN));
    folder
        .done(&[
            folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new()),
            folder.receipt(&records[1], 3, DocumentState::Registered, Vec::new()),
        ])
        .await;
    let after = parts_of(&path);
    assert_whole(&after);
    assert_eq!(look(&after, HSN), look(&parts(&book), HSN));
    let comments = text(&after, "xl/comments1.xml");
    assert!(comments.contains("is this right?") && !comments.contains("einvoice —"), "{comments}");
    // The pictures of the first round are not left behind, and columns are there once.
    let pictures = after.keys().filter(|name| name.contains("einvoice-qr")).count();
    assert_eq!(pictures, 2);
    folder.done(&[folder.receipt(&records[2], 1, DocumentState::Registered, Vec::new())]).await;
    let last = parts_of(&path);
    assert_whole(&last);
    assert_eq!(last.keys().filter(|name| name.contains("einvoice-qr")).count(), 3);
    assert_eq!(last.keys().filter(|name| name.contains("worksheets/sheet")).count(), 4);
    assert_eq!(shown(&path).values().filter(|value| *value == "AckNo").count(), 1);
    // Looks are not made anew each time.
    let count = |parts: &Parts| text(parts, "xl/styles.xml").matches("<xf ").count();
    assert_eq!(count(&last), count(&after));
}

#[tokio::test]
async fn a_formula_in_a_column_of_results_gives_way_and_the_chain_with_it() {
    let folder = Folder::of("sales.xlsx", &with_macros(&of_a_person()));
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[0], 1, DocumentState::Invalid, wrong())]).await;
    let path = folder.path("results/sales_result.xlsm");
    assert!(parts_of(&path).contains_key("xl/calcChain.xml"));
    let with_formula = rebuilt(&std::fs::read(&path).unwrap(), |parts| {
        let cell = format!("<c r=\"{FIRST_RESULT}4\"");
        let sheet = text(parts, "xl/worksheets/sheet1.xml");
        let (before, rest) = sheet.split_once(&cell).unwrap();
        let rest = rest.split_once("</c>").unwrap().1;
        let changed = format!("{before}{cell}><f>1+1</f><v>2</v></c>{rest}");
        parts.insert("xl/worksheets/sheet1.xml".into(), changed.into_bytes());
    });
    std::fs::write(&path, with_formula).unwrap();
    folder.done(&[folder.receipt(&records[0], 2, DocumentState::Registered, Vec::new())]).await;
    let after = parts_of(&path);
    assert_whole(&after);
    assert!(!after.contains_key("xl/calcChain.xml"));
    assert!(after.contains_key("xl/vbaProject.bin") && after.contains_key("xl/vbaProjectSignature.bin"));
    assert_eq!(shown(&path)[&format!("Sales!{FIRST_RESULT}4")], "IRN_GENERATED");
}

#[tokio::test]
async fn a_sheet_of_bare_xml_is_written_in_its_own_spelling() {
    // Prefixed names, no names of rows and cells, no styles, no widths: all of it is allowed.
    let cell = |text: &str| format!("<x:c t=\"inlineStr\"><x:is><x:t>{text}</x:t></x:is></x:c>");
    let row = |texts: &[&str]| format!("<x:row>{}</x:row>", texts.iter().map(|text| cell(text)).collect::<String>());
    let head = ["Document Type", "Document Number", "Document Date", "Seller GSTIN", "Buyer Addr1", "HSN Code"];
    let one = ["INV", "A/1", "05/11/2026", "29AAKCD4821F1ZM", "=1+1", "8481"];
    let two = ["INV", "A/2", "05/11/2026", "29AAKCD4821F1ZM"];
    let sheet = format!(
        "<x:worksheet xmlns:x=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><x:sheetData>{}{}{}</x:sheetData>\
         <x:extLst/></x:worksheet>",
        row(&head),
        row(&one),
        row(&two)
    );
    let folder = Folder::of("sales.xlsx", &testing::xlsx_of(sheet.as_bytes()).unwrap());
    let records = read(&folder.source).await.records;
    assert_eq!(records.len(), 2);
    folder
        .done(&[
            folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new()),
            folder.receipt(&records[1], 1, DocumentState::Invalid, wrong()),
        ])
        .await;
    let path = folder.path("results/sales_result.xlsx");
    let after = parts_of(&path);
    assert_whole(&after);
    let values = shown(&path);
    assert_eq!(
        (values["S!G1"].as_str(), values["S!G2"].as_str(), values["S!G3"].as_str()),
        ("Status", "IRN_GENERATED", "INVALID")
    );
    assert_eq!(values["S!E2"], "=1+1");
    // The missing HSN is marked in a cell of its own, and the drawing of comments stands where it must.
    let sheet = text(&after, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("<x:c r=\"F3\" s=\"") && sheet.contains("<x:legacyDrawing "), "{sheet}");
    assert!(sheet.find("<x:legacyDrawing ").unwrap() < sheet.find("<x:extLst").unwrap());
}

#[tokio::test]
async fn results_stand_behind_a_chart_and_not_under_it() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Sales").unwrap();
    fill(sheet, &[HEAD, ROWS[0]]);
    let mut chart = Chart::new(ChartType::Column);
    chart.set_width(3 * 64).add_series().set_values("Sales!$G$2:$G$2");
    // From the column behind the headings over three.
    sheet.insert_chart(0, 9, &chart).unwrap();
    let folder = Folder::of("sales.xlsx", &workbook.save_to_buffer().unwrap());
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new())]).await;
    let values = shown(&folder.path("results/sales_result.xlsx"));
    assert_eq!((values["Sales!N1"].as_str(), values["Sales!N2"].as_str()), ("Status", "IRN_GENERATED"));
}

#[tokio::test]
async fn a_sheet_of_a_persons_own_called_as_ours_stays() {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet().set_name("Sales").unwrap(), &[HEAD, ROWS[0]]);
    fill(workbook.add_worksheet().set_name("QR codes").unwrap(), &[&["Codes of our machines"]]);
    let folder = Folder::of("sales.xlsx", &workbook.save_to_buffer().unwrap());
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new())]).await;
    let values = shown(&folder.path("results/sales_result.xlsx"));
    assert_eq!(values["QR codes!A1"], "Codes of our machines");
    assert!(values["QR codes (2)!A1"].starts_with("Signed QR codes"));
}

#[tokio::test]
async fn a_workbook_of_the_strict_kind_is_answered_with_its_values() {
    let strict = rebuilt(&of_a_person(), |parts| {
        replace(parts, "xl/workbook.xml", "<workbook ", "<workbook xmlns:q=\"http://purl.oclc.org/ooxml/x\" ");
    });
    let folder = Folder::of("sales.xlsx", &strict);
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[1], 1, DocumentState::Invalid, wrong())]).await;
    let path = folder.path("results/sales_result.xlsx");
    assert_whole(&parts_of(&path));
    let values = shown(&path);
    assert_eq!((values["Sales!I5"].as_str(), values["Sales!L5"].as_str()), ("30", "INVALID"));
}

#[tokio::test]
async fn a_workbook_with_a_damaged_part_is_answered_all_the_same() {
    let book = of_a_person();
    for name in parts(&book).into_keys() {
        for damage in ["gone", "empty", "cut short"] {
            let damaged = rebuilt(&book, |parts| {
                let bytes = parts.remove(&name).unwrap();
                match damage {
                    "gone" => None,
                    "empty" => parts.insert(name.clone(), Vec::new()),
                    _ => parts.insert(name.clone(), bytes[..bytes.len() / 2].to_vec()),
                };
            });
            let folder = Folder::of("sales.xlsx", &damaged);
            let all = read(&folder.source).await;
            let Some(record) = all.records.get(1) else {
                assert!(!all.problems.is_empty(), "{name} is {damage}");
                continue;
            };
            let receipts = [folder.receipt(record, 1, DocumentState::Invalid, wrong())];
            folder.done(&receipts).await;
            assert_eq!(crate::common::files(&folder.path("results")).len(), 1, "{name} is {damage}");
        }
    }
}

#[tokio::test]
async fn signed_texts_that_look_like_escapes_of_cells_come_back_as_they_were() {
    let folder = Folder::of("sales.xlsx", &of_a_person());
    let records = read(&folder.source).await.records;
    let mut receipt = folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new());
    let signed = "eyJh_x0041_bG_xZZZZ_ci._x005F_.c2ln".to_owned();
    receipt.registration.as_mut().unwrap().signed_qr = Some(signed.clone());
    folder.done(&[receipt]).await;
    assert!(shown(&folder.path("results/sales_result.xlsx")).values().any(|value| *value == signed));
}

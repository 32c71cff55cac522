//! The template's lists to choose from: they stand on the columns that take a code, offer every code there is, and what is
//! chosen is read as that code.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::document::MemberPath;
use einvoice_core::masters::{DATED, Kind, Masters};
use einvoice_core::registry::Registry;
use serde_json::json;

use crate::common::{document, letters, part, read_file, sheet, shown};

/// What the list of a column offers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Offers {
    /// These choices, in this order.
    These(&'static [&'static str]),
    /// Every code of a list of the portal's.
    All(Kind),
}

use Offers::{All, These};

const YES_NO: Offers = These(&["Y", "N"]);

/// Every column with a list, by heading, with the member that it is read into.
const LISTS: &[(&str, &str, Offers)] = &[
    ("Seller State", "SellerDtls.Stcd", All(Kind::State)),
    ("Supply Type Code *", "TranDtls.SupTyp", These(&["B2B", "SEZWP", "SEZWOP", "EXPWP", "EXPWOP", "DEXP"])),
    ("Reverse Charge", "TranDtls.RegRev", YES_NO),
    ("Igst On Intra", "TranDtls.IgstOnIntra", YES_NO),
    ("Document Type *", "DocDtls.Typ", These(&["INV-Tax Invoice", "CRN-Credit Note", "DBN-Debit Note"])),
    ("Buyer POS *", "BuyerDtls.Pos", All(Kind::State)),
    ("Buyer State *", "BuyerDtls.Stcd", All(Kind::State)),
    ("Dispatch State", "DispDtls.Stcd", All(Kind::State)),
    ("Shipping State", "ShipDtls.Stcd", All(Kind::State)),
    ("Is Service *", "ItemList.IsServc", These(&["N-Goods", "Y-Service"])),
    ("Unit *", "ItemList.Unit", All(Kind::Uqc)),
    ("Origin country", "ItemList.OrgCntry", All(Kind::Country)),
    ("Port", "ExpDtls.Port", All(Kind::Port)),
    ("Refund claim", "ExpDtls.RefClm", YES_NO),
    ("Foreign Currency", "ExpDtls.ForCur", All(Kind::Currency)),
    ("Country Code", "ExpDtls.CntCode", All(Kind::Country)),
    ("Trans Mode", "EwbDtls.TransMode", These(&["1-Road", "2-Rail", "3-Air", "4-Ship"])),
    ("Vehicle Type", "EwbDtls.VehType", These(&["R-Regular", "O-Over dimensional"])),
];

fn template(folder: &Path) -> std::path::PathBuf {
    let registry = Registry::linked(Vec::new()).unwrap();
    let template = registry.templates.find("spreadsheet", Some("full"), &[]).unwrap();
    let path = folder.join("template.xlsx");
    std::fs::write(&path, (template.make)().unwrap()).unwrap();
    path
}

/// An attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

/// The rule of each column that is a list: where it stands, and what it offers, as the workbook says it.
fn lists(sheet: &str) -> BTreeMap<String, (String, String)> {
    let rules = sheet.split("<dataValidation ").skip(1).filter_map(|rest| rest.split("</dataValidation>").next());
    let rules = rules.map(|rule| format!(" {rule}")).filter(|rule| attribute(rule, "type") == Some("list"));
    rules
        .map(|rule| {
            let (first, last) = attribute(&rule, "sqref").unwrap().split_once(':').unwrap();
            let column = first.trim_end_matches(|found: char| found.is_ascii_digit());
            assert_eq!(first, format!("{column}2"), "from the row below the headings");
            assert_eq!(attribute(&rule, "showErrorMessage"), Some("1"), "{rule}");
            let formula = rule.split_once("<formula1>").unwrap().1.split("</formula1>").next().unwrap();
            (column.to_owned(), (last.to_owned(), formula.to_owned()))
        })
        .collect()
}

/// The choices of a rule: as they stand in it, or on the sheet of lists, of which it must name all rows and no blank one.
fn choices(formula: &str, cells: &BTreeMap<String, String>) -> Vec<String> {
    if let Some(listed) = formula.strip_prefix('"') {
        return listed.trim_end_matches('"').split(',').map(str::to_owned).collect();
    }
    let range = formula.strip_prefix("Lists!").unwrap().replace('$', "");
    let (first, last) = range.split_once(':').unwrap();
    let column = first.trim_end_matches(|found: char| found.is_ascii_digit());
    let row = |cell: &str| cell.trim_start_matches(column).parse::<u32>().unwrap();
    assert_eq!(row(first), 2, "{formula}");
    assert!(!cells.contains_key(&format!("Lists!{column}{}", row(last) + 1)), "{formula} leaves some out");
    let cell = |row: u32| cells.get(&format!("Lists!{column}{row}")).unwrap_or_else(|| panic!("{formula}: row {row}"));
    (2..=row(last)).map(|row| cell(row).clone()).collect()
}

/// Every list of the template: heading and choices.
fn offered() -> Vec<(String, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = template(folder.path());
    let cells = shown(&path);
    let rules = lists(&part(&path, "xl/worksheets/sheet1.xml"));
    let columns = (0..).map(letters).take_while(|column| cells.contains_key(&format!("Invoices!{column}1")));
    columns
        .filter_map(|column| {
            let (last, formula) = rules.get(&column)?;
            assert_eq!(*last, format!("{column}5001"), "as many rows as are made ready");
            Some((cells[&format!("Invoices!{column}1")].clone(), choices(formula, &cells)))
        })
        .collect()
}

#[test]
fn every_column_that_takes_a_code_has_a_list_with_all_of_them() {
    let masters = Masters::builtin().on(DATED);
    let offered = offered();
    let headings: Vec<&str> = offered.iter().map(|(heading, _)| heading.as_str()).collect();
    let expected: Vec<&str> = LISTS.iter().map(|(heading, ..)| *heading).collect();
    assert_eq!(headings, expected);
    for ((heading, choices), (_, _, offers)) in offered.iter().zip(LISTS) {
        match offers {
            These(texts) => assert_eq!(choices, texts, "{heading}"),
            All(kind) => {
                let codes: Vec<&str> = choices.iter().map(|text| text.split('-').next().unwrap()).collect();
                let all: Vec<String> = masters.all(*kind).iter().map(|entry| code(*kind, &entry.code)).collect();
                assert_eq!(codes, all, "{heading}");
            }
        }
    }
}

/// As a list has it: states with two digits, so that they are in the order of their numbers.
fn code(kind: Kind, code: &str) -> String {
    if kind == Kind::State { format!("{code:0>2}") } else { code.to_owned() }
}

#[tokio::test]
async fn what_is_chosen_is_read_as_its_code() {
    let offered = offered();
    let most = offered.iter().map(|(_, choices)| choices.len()).max().unwrap();
    let mut headings = vec!["Document Number *"];
    headings.extend(offered.iter().map(|(heading, _)| heading.as_str()));
    let numbers: Vec<String> = (0..most).map(|at| format!("T/{at}")).collect();
    let mut rows = vec![headings];
    for (at, number) in numbers.iter().enumerate() {
        let mut row = vec![number.as_str()];
        row.extend(offered.iter().map(|(_, choices)| choices[at % choices.len()].as_str()));
        rows.push(row);
    }
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    let (source, read) = read_file("chosen.xlsx", sheet(&rows), json!({})).await;
    assert_eq!((read.said(), read.records.len()), (vec![], most));
    for (at, record) in read.records.iter().enumerate() {
        let mapped = document(&source, record);
        for ((heading, choices), (_, path, _)) in offered.iter().zip(LISTS) {
            let chosen = &choices[at % choices.len()];
            let read = mapped.invoice.shown(&MemberPath::parse(path).unwrap(), 0).unwrap_or_default();
            let code = chosen.split('-').next().unwrap();
            assert!(
                read == code || read.trim_start_matches('0') == code.trim_start_matches('0'),
                "{heading}: {chosen} is {read}"
            );
        }
    }
}

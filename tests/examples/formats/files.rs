//! Files of every text format with as many invoices as are wanted, and the sources that read them.
//!
//! The benches (`benches/invoice/formats.rs`) and the program beside this file measure the same files by the same
//! sources, as a configuration would build them.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::InvoiceSource;
use einvoice_json_file::JsonFileSource;
use einvoice_sap_file::SapFileSource;
use einvoice_spreadsheet::{SpreadsheetSource, testing};
use einvoice_tally::TallySource;
use einvoice_testkit::documents::{Recipe, gstin};
use einvoice_testkit::idocs::{Framing, IdocRecipe};
use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// The formats, by the names that the program takes.
pub(crate) const FORMATS: [&str; 11] = [
    "inv01-json",
    "mapped-json",
    "gobl",
    "ubl",
    "idoc-flat",
    "idoc-xml",
    "sap-json",
    "sap-csv",
    "csv",
    "xlsx",
    "tally",
];

/// The vouchers of the quickstart that become documents; of the others nothing is mapped.
const DAY_BOOK: &str = include_str!("../../../examples/quickstart/daybook.xml");
const GOBL: &str = include_str!("../../../plugins/json-file/tests/json_file/samples/gobl.json");
const UBL: &str = include_str!("../../../plugins/json-file/tests/json_file/samples/ubl.xml");

/// Writes files with so many invoices of so many items, and opens them.
///
/// A voucher of Tally has the items it has in the quickstart, one or two.
pub(crate) fn open(format: &str, folder: &Path, invoices: u32, items: u32) -> Fallible<Box<dyn InvoiceSource>> {
    let numbers = 1..=invoices;
    let recipe = |number: u32| Recipe { items, ..Recipe::numbered(number) };
    let idoc = |number: u32| IdocRecipe { items, ..IdocRecipe::numbered(number) };
    match format {
        "inv01-json" => {
            let lines: Vec<String> = numbers.map(|number| recipe(number).json()).collect();
            fs::write(folder.join("a.jsonl"), lines.join("\n"))?;
            json_file(folder, json!({"path": "a.jsonl"}))
        }
        "mapped-json" => {
            let lines: Vec<String> = numbers.map(|number| bill(number, items).to_string()).collect();
            fs::write(folder.join("a.jsonl"), lines.join("\n"))?;
            json_file(folder, json!({"path": "a.jsonl", "format": "mapped", "lines": "rows", "mapping": rules()}))
        }
        "gobl" => {
            fs::write(folder.join("a.jsonl"), gobl(invoices, items)?)?;
            json_file(folder, json!({"path": "a.jsonl"}))
        }
        "ubl" => {
            for number in numbers {
                fs::write(folder.join(format!("{number}.xml")), ubl(number, items)?)?;
            }
            json_file(folder, json!({"path": "*.xml"}))
        }
        "idoc-flat" => {
            let text: String = numbers.map(|number| idoc(number).flat(Framing::Lines)).collect();
            fs::write(folder.join("a.idoc"), text)?;
            sap_file(folder, "a.idoc")
        }
        "idoc-xml" => {
            let text: String = numbers.map(|number| idoc(number).xml()).collect();
            fs::write(folder.join("a.xml"), format!("<INVOIC02>{text}</INVOIC02>"))?;
            sap_file(folder, "a.xml")
        }
        "sap-json" => {
            let lines = numbers.map(|number| {
                let document = recipe(number).json();
                format!("{{\"BUKRS\":\"1000\",\"VBELN\":\"{:010}\",\"transaction\":{document}}}", 90_000_000 + number)
            });
            fs::write(folder.join("a.json"), lines.collect::<Vec<_>>().join("\n"))?;
            sap_file(folder, "a.json")
        }
        "sap-csv" => {
            fs::write(folder.join("a.csv"), sap_rows(invoices, items)?)?;
            sap_file(folder, "a.csv")
        }
        "csv" | "xlsx" => {
            let invoices = numbers.map(|number| recipe(number).invoice());
            let content = if format == "csv" { testing::csv(invoices) } else { testing::workbook(invoices) };
            let path = folder.join(format!("a.{format}"));
            fs::write(&path, content.map_err(|error| error.to_string())?)?;
            let settings = json!({"path": path, "settle_ms": 0, "move_files": false});
            Ok(Box::new(SpreadsheetSource::new(&context(folder), &serde_json::from_value(settings)?)?))
        }
        "tally" => {
            fs::write(folder.join("a.xml"), day_book(invoices)?)?;
            Ok(Box::new(TallySource::new(folder, serde_json::from_value(json!({"path": "a.xml", "settle_ms": 0}))?)?))
        }
        other => Err(format!("there is no format {other}; there are {}", FORMATS.join(", ")).into()),
    }
}

fn context(folder: &Path) -> BuildContext {
    BuildContext::new("measured", folder, Arc::new(SystemClock), SystemEntropy::shared())
}

fn settings(mut own: Value) -> Value {
    if let Some(own) = own.as_object_mut() {
        own.insert("settle_ms".to_owned(), json!(0));
        own.insert("move_files".to_owned(), json!(false));
    }
    own
}

fn json_file(folder: &Path, own: Value) -> Fallible<Box<dyn InvoiceSource>> {
    let context = context(folder);
    let settings = read_settings(&context, settings(own))?;
    Ok(Box::new(JsonFileSource::new(&context, settings)?))
}

fn sap_file(folder: &Path, path: &str) -> Fallible<Box<dyn InvoiceSource>> {
    let context = context(folder);
    let mapping = json!({"seller": [{
        "gstin": gstin(29, 1).as_str(), "legal_name": "Invented Valves Private Limited", "address1": "Plot 12",
        "location": "Bengaluru", "pin": 560_058
    }]});
    let own = json!({"path": path, "csv": {"mapping": mapping}});
    let settings = read_settings(&context, settings(own))?;
    Ok(Box::new(SapFileSource::new(&context, settings)?))
}

/// A bill of a shop program, as the chapter on mapping has it.
fn bill(number: u32, items: u32) -> Value {
    let row = |row: u32| {
        json!({"sku": "GV-25", "what": format!("Gate valve {row}"), "hsn": "84818030", "qty": format!("{}.5", row + 1),
            "uom": "Ea", "rate": "1,000.00", "per": "2", "tax": "18%"})
    };
    json!({
        "no": format!("S/{number}"), "day": "05/11/2026", "kind": "sale",
        "to": {"gst": gstin(27, 2).as_str(), "name": "Konkan Drug House", "door": "14", "street": "APMC Yard",
            "town": "Navi Mumbai", "pin": "400703", "state": "Maharashtra"},
        "rows": (0..items).map(row).collect::<Vec<_>>(),
    })
}

fn rules() -> Value {
    json!({
        "set": {
            "TranDtls.SupTyp": {"value": "B2B"}, "DocDtls.Typ": {"from": "kind", "table": "kinds"}, "DocDtls.No": "no",
            "DocDtls.Dt": "day", "BuyerDtls.Gstin": "to.gst", "BuyerDtls.LglNm": ["to.legal", "to.name"],
            "BuyerDtls.Addr1": {"join": ["to.door", "to.street"], "with": ", "}, "BuyerDtls.Loc": "to.town",
            "BuyerDtls.Pin": "to.pin", "BuyerDtls.Pos": {"from": "to.state", "default": "Karnataka"},
            "ItemList.PrdDesc": "what", "ItemList.HsnCd": ["hsn", {"from": "sku", "table": "hsn"}],
            "ItemList.Qty": "qty", "ItemList.Unit": {"from": "uom", "table": "units", "keep": true},
            "ItemList.TotAmt": {"formula": "qty * rate / or(per, 1)"}, "ItemList.GstRt": "tax",
        },
        "tables": {"kinds": {"sale": "INV"}, "units": {"ea": "NOS"}, "hsn": {"gv 25": "84818030"}},
        "skip": [
            {"field": "kind", "in": ["pro forma", "estimate"], "reason": "pro_forma"},
            {"field": "to.gst", "blank": true, "reason": "b2c"},
        ],
        "seller": [{
            "gstin": gstin(29, 1).as_str(), "legal_name": "Deccan Valves Private Limited",
            "address1": "Plot 14, Peenya Industrial Area", "location": "Bengaluru", "pin": 560_058
        }],
    })
}

/// The fixture under new numbers, with its first line so often.
fn gobl(invoices: u32, items: u32) -> Fallible<String> {
    let mut document: Value = serde_json::from_str(GOBL)?;
    let lines = document.pointer_mut("/doc/lines").ok_or("the GOBL fixture has no lines")?;
    let first = lines.get(0).cloned().ok_or("the GOBL fixture has no first line")?;
    *lines = (0..items).map(|_| first.clone()).collect();
    let mut text = String::new();
    for number in 1..=invoices {
        *document.pointer_mut("/doc/code").ok_or("the GOBL fixture has no code")? = number.to_string().into();
        writeln!(text, "{document}")?;
    }
    Ok(text)
}

fn ubl(number: u32, items: u32) -> Fallible<String> {
    let start = UBL.find("  <cac:InvoiceLine>").ok_or("the UBL fixture has no line")?;
    let end = UBL.find("</Invoice>").ok_or("the UBL fixture has no end")?;
    let (head, rest) = UBL.split_at(start);
    let (line, tail) = rest.split_at(end - start);
    let head = head.replace(">KV/108<", &format!(">KV/{number}<"));
    Ok(format!("{head}{}{tail}", line.repeat(usize::try_from(items)?)))
}

/// Rows with the columns of SAP, one an item.
fn sap_rows(invoices: u32, items: u32) -> Fallible<String> {
    let buyer = gstin(27, 2);
    let mut text =
        "DocDtls.Typ;DocDtls.No;FKDAT;STCD3;NAME1;STRAS;ORT01;PSTLZ;BUKRS;VBELN;ARKTX;STEUC;FKIMG;VRKME;NETWR;GstRt\n"
            .to_owned();
    for number in 1..=invoices {
        for item in 1..=items {
            writeln!(
                text,
                "F2;A/{number};05.11.2026;{buyer};Invented Traders;7 Station Road;Pune;411001;1000;{:010};Valve {item};\
                 84818030;{item}.000;PCE;{item}00.50;18.00",
                90_000_000 + number
            )?;
        }
    }
    Ok(text)
}

/// The masters of the quickstart, then its vouchers under new identities until there are as many as are wanted.
fn day_book(invoices: u32) -> Fallible<String> {
    let start = DAY_BOOK.find("     <VOUCHER ").ok_or("the day book has no voucher")?;
    let end = DAY_BOOK.rfind("    </TALLYMESSAGE>").ok_or("the day book has no end")?;
    let (head, rest) = DAY_BOOK.split_at(start);
    let (vouchers, tail) = rest.split_at(end - start);
    let each: Vec<&str> =
        vouchers.split_inclusive("</VOUCHER>").filter(|voucher| voucher.contains("<VOUCHER ")).collect();
    let mut text = head.to_owned();
    for (number, voucher) in (0..invoices).zip(each.iter().cycle()) {
        let round = usize::try_from(number)? / each.len();
        let own = voucher.get(voucher.find("<VOUCHER ").unwrap_or_default()..).unwrap_or_default();
        let own = own.replace("-00001", &format!("-{round:05}")).replace("DV/26-27/", &format!("D{round}/"));
        write!(text, "     {own}\n    </TALLYMESSAGE>\n    <TALLYMESSAGE>\n")?;
    }
    text.push_str("    ");
    text.push_str(tail);
    Ok(text)
}

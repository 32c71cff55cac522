//! Bad input is normal input: whatever stands in a text, there are findings with places and never a panic.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use einvoice_core::document::{
    AddlDocDtls, AttribDtls, BchDtls, BuyerDtls, ContrDtls, DispDtls, DocDtls, DocPerdDtls, EwbDtls, ExpDtls, Form,
    Invoice, Item, Kind, MAX_BYTES, MAX_DEPTH, Member, PayDtls, PrecDocDtls, RefDtls, SellerDtls, ShipDtls, TranDtls,
    ValDtls,
};
use einvoice_core::finding::Finding;
use einvoice_core::rulebook::{CheckOptions, check_read};
use einvoice_testkit::documents::Recipe;
use einvoice_testkit::invoices::{DAY, Draw, any_invoice, noise};
use serde_json::{Value, json};

/// Everything that is said of a text.
fn findings(text: &str) -> Vec<Finding> {
    let read = match Invoice::from_json(text) {
        Ok(read) => read,
        Err(error) => return vec![error.to_finding()],
    };
    match check_read(read, &CheckOptions::on(DAY)) {
        Ok(checked) => checked.findings().to_vec(),
        Err(rejected) => rejected.findings,
    }
}

/// A valid document in which a marked value is replaced by any text.
fn with(pointer: &str, raw: &str) -> String {
    let mut document: Value = serde_json::from_str(&Recipe::numbered(1).json()).unwrap();
    *document.pointer_mut(pointer).unwrap() = json!("@@");
    document.to_string().replace("\"@@\"", raw)
}

fn items(count: usize) -> String {
    let mut invoice = Recipe::numbered(1).invoice();
    let item = invoice.item_list.remove(0);
    invoice.item_list = (1..=count).map(|serial| Item { sl_no: serial.to_string().into(), ..item.clone() }).collect();
    invoice.to_json()
}

/// Texts, the rule each breaks, and where.
type Cases = Vec<(&'static str, String, &'static str, &'static str)>;

fn no_documents() -> Cases {
    vec![
        ("nothing", String::new(), "json.syntax", ""),
        ("blanks", " \n\t".into(), "json.syntax", ""),
        ("no JSON", "Invoice No. 7".into(), "json.syntax", ""),
        ("XML", "<INVOICE/>".into(), "json.syntax", ""),
        ("half a document", with("/ValDtls/AssVal", "1").split_at(300).0.into(), "json.syntax", ""),
        ("a list", "[]".into(), "json.object", ""),
        ("null", "null".into(), "json.object", ""),
        ("a number", "7".into(), "json.object", ""),
        ("two documents", "{}{}".into(), "json.syntax", ""),
        ("a comment", "{/*no*/}".into(), "json.syntax", ""),
        ("single quotes", "{'Version':'1.1'}".into(), "json.syntax", ""),
        ("a comma too many", "{\"Version\":\"1.1\",}".into(), "json.syntax", ""),
        ("a control character in a text", "{\"Version\":\"1\n1\"}".into(), "json.syntax", ""),
        ("half a surrogate pair", r#"{"Version":"\ud83d"}"#.into(), "json.syntax", ""),
        ("the other half", r#"{"Version":"\ude00"}"#.into(), "json.syntax", ""),
        ("halves in the wrong order", r#"{"Version":"\ude00\ud83d"}"#.into(), "json.syntax", ""),
        ("half a pair in a name", r#"{"\ud83dVersion":"1.1"}"#.into(), "json.syntax", ""),
    ]
}

fn too_much() -> Cases {
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    vec![
        ("nesting at the limit", deep(MAX_DEPTH - 1), "schema.unknown", "a"),
        ("nesting beyond it", deep(MAX_DEPTH), "json.depth", ""),
        ("a hundred thousand brackets", "[".repeat(100_000), "json.depth", ""),
        ("brackets in a document", format!("{{\"DocDtls\":{}", "[".repeat(100_000)), "json.depth", ""),
        ("more than 2 MB", format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES)), "schema.size", ""),
        ("an unknown member of 2 MB", format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES - 8)), "schema.unknown", "a"),
        ("1,001 items", items(1_001), "items.too_many", "ItemList"),
        ("2,001 items", items(2_001), "schema.entries", "ItemList"),
        (
            "a forest of items",
            format!("{{\"ItemList\":[{}{{}}]}}", "{},".repeat(100_000)),
            "schema.entries",
            "ItemList",
        ),
        ("more findings than are listed", format!("{{{}\"b\":1}}", "\"a\":1,".repeat(20_100)), "findings.more", ""),
    ]
}

fn strange_numbers() -> Cases {
    let of_number = |raw: &str| with("/ValDtls/AssVal", raw);
    let forty = "1234567890".repeat(4);
    let value = "ValDtls.AssVal";
    vec![
        ("forty digits", of_number(&forty), "schema.range", value),
        ("forty decimals", of_number(&format!("0.{forty}")), "schema.decimals", value),
        ("forty digits of a PIN code", with("/SellerDtls/Pin", &forty), "schema.range", "SellerDtls.Pin"),
        ("1e400", of_number("1e400"), "schema.range", value),
        ("1e-400", of_number("1e-400"), "schema.decimals", value),
        ("an exponent of forty digits", of_number(&format!("1e{forty}")), "schema.range", value),
        ("below nought", of_number("-0.01"), "schema.range", value),
        ("NaN", of_number("NaN"), "json.syntax", ""),
        ("infinity", of_number("Infinity"), "json.syntax", ""),
        ("a nought too many", of_number("01"), "json.syntax", ""),
        ("a plus", of_number("+1"), "json.syntax", ""),
        ("no digit before the point", of_number(".5"), "json.syntax", ""),
        ("no digit after the point", of_number("1."), "json.syntax", ""),
        ("thousands separators", of_number("\"1,050.00\""), "schema.type", value),
        ("a number with its unit", of_number("\"Rs 5\""), "schema.type", value),
    ]
}

fn strange_members() -> Cases {
    let date = "DocDtls.Dt";
    vec![
        ("a member twice", with("/DocDtls/No", "\"A1\",\"No\":\"A2\""), "schema.duplicate", "DocDtls.No"),
        ("a member twice in two cases", with("/DocDtls/No", "\"A1\",\"NO\":\"A1\""), "schema.duplicate", "DocDtls.No"),
        ("an Irn", format!("{{\"Irn\":\"00\",{}", &Recipe::numbered(1).json()[1..]), "schema.irn_given", "Irn"),
        ("a day the calendar lacks", with("/DocDtls/Dt", "\"29/02/2026\""), "schema.pattern", date),
        ("a month it lacks", with("/DocDtls/Dt", "\"01/13/2026\""), "schema.pattern", date),
        ("no day", with("/DocDtls/Dt", "\"00/01/2026\""), "schema.pattern", date),
        ("a year of long ago", with("/DocDtls/Dt", "\"01/01/1947\""), "schema.pattern", date),
        ("an ISO date", with("/DocDtls/Dt", "\"2026-11-05\""), "schema.pattern", date),
        ("digits of another script", with("/DocDtls/Dt", "\"०५/११/२०२६\""), "schema.pattern", date),
        ("a short date", with("/DocDtls/Dt", "\"5/11/2026\""), "schema.length", date),
        ("an empty date", with("/DocDtls/Dt", "\"\""), "schema.length", date),
        ("an empty name", with("/SellerDtls/LglNm", "\"\""), "schema.length", "SellerDtls.LglNm"),
        ("an empty GSTIN", with("/BuyerDtls/Gstin", "\"\""), "schema.length", "BuyerDtls.Gstin"),
        ("a NUL in a name", with("/SellerDtls/Loc", "\"a\\u0000b\""), "", ""),
        ("a section that is a text", with("/SellerDtls", "\"29\""), "schema.type", "SellerDtls"),
        ("items that are an object", with("/ItemList", "{}"), "schema.type", "ItemList"),
        ("an item that is a number", with("/ItemList/2", "7"), "schema.type", "ItemList[2]"),
    ]
}

#[test]
fn every_bad_text_gets_its_rule_at_its_place() {
    for (name, text, rule, path) in [no_documents(), too_much(), strange_numbers(), strange_members()].concat() {
        let found = findings(&text);
        let said: Vec<_> = found.iter().take(20).map(|finding| (&*finding.rule, &*finding.path)).collect();
        if rule.is_empty() {
            assert!(found.is_empty(), "{name}: {said:?}");
        } else {
            assert!(found.iter().any(|finding| finding.rule == rule && finding.path == path), "{name}: {said:?}");
        }
        for finding in &found {
            assert!(!finding.message.is_empty() && finding.fix.is_some(), "{name}: {finding:?}");
        }
    }
}

#[test]
fn files_that_are_not_utf8_are_faults_of_the_file_and_not_panics() {
    let good = Recipe::numbered(1).json();
    for bytes in [&b"\xff"[..], b"\xc0\x80", b"{\"a\":\"\xe9\"}", b"\xed\xa0\x80", b"{\"Version\":\"1.1\xf0\x9f\"}"] {
        for lines in [false, true] {
            let damaged = [bytes, good.as_bytes()].concat();
            for bytes in [bytes, &damaged] {
                let counts = einvoice_json_file::fuzzing::file(bytes, lines);
                assert!(counts.broke_off || !counts.findings.is_empty(), "{bytes:?}");
            }
        }
    }
}

type Table = Vec<&'static Member>;

/// Every member table, with the place of its object in a document.
fn tables() -> Vec<(&'static str, Table)> {
    vec![
        ("", Invoice::members().collect()),
        ("/TranDtls", TranDtls::members().collect()),
        ("/DocDtls", DocDtls::members().collect()),
        ("/SellerDtls", SellerDtls::members().collect()),
        ("/BuyerDtls", BuyerDtls::members().collect()),
        ("/DispDtls", DispDtls::members().collect()),
        ("/ShipDtls", ShipDtls::members().collect()),
        ("/ItemList/0", Item::members().collect()),
        ("/ItemList/0/BchDtls", BchDtls::members().collect()),
        ("/ItemList/0/AttribDtls/0", AttribDtls::members().collect()),
        ("/ValDtls", ValDtls::members().collect()),
        ("/PayDtls", PayDtls::members().collect()),
        ("/RefDtls", RefDtls::members().collect()),
        ("/RefDtls/DocPerdDtls", DocPerdDtls::members().collect()),
        ("/RefDtls/PrecDocDtls/0", PrecDocDtls::members().collect()),
        ("/RefDtls/ContrDtls/0", ContrDtls::members().collect()),
        ("/AddlDocDtls/0", AddlDocDtls::members().collect()),
        ("/ExpDtls", ExpDtls::members().collect()),
        ("/EwbDtls", EwbDtls::members().collect()),
    ]
}

/// `/ItemList/0/HsnCd` as `ItemList[0].HsnCd`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace("/0", "[0]").replace('/', ".")
}

/// A document that has every object and list.
fn full() -> Value {
    let mut full = Recipe::numbered(1).invoice();
    for seed in 0.. {
        let other = any_invoice(&mut Draw::new(&noise(seed, 2_000)));
        full.disp_dtls = full.disp_dtls.or(other.disp_dtls);
        full.ship_dtls = full.ship_dtls.or(other.ship_dtls);
        full.pay_dtls = full.pay_dtls.or(other.pay_dtls);
        full.exp_dtls = full.exp_dtls.or(other.exp_dtls);
        full.ewb_dtls = full.ewb_dtls.or(other.ewb_dtls);
        let whole = |references: &RefDtls| {
            references.doc_perd_dtls.is_some()
                && !references.prec_doc_dtls.is_empty()
                && !references.contr_dtls.is_empty()
        };
        full.ref_dtls = full.ref_dtls.or(other.ref_dtls.filter(whole));
        if full.addl_doc_dtls.is_empty() {
            full.addl_doc_dtls = other.addl_doc_dtls;
        }
        if let Some(item) = full.item_list.first_mut().filter(|item| item.attrib_dtls.is_empty()) {
            let rich = other.item_list.into_iter().find(|item| item.bch_dtls.is_some() && !item.attrib_dtls.is_empty());
            if let Some(rich) = rich {
                (item.bch_dtls, item.attrib_dtls) = (rich.bch_dtls, rich.attrib_dtls);
            }
        }
        let value: Value = serde_json::from_str(&full.to_json()).unwrap();
        if tables().iter().all(|(place, _)| value.pointer(place).is_some()) {
            return value;
        }
    }
    unreachable!("some seed has each section")
}

#[test]
fn every_member_missing_in_turn_is_named_where_it_is_mandatory() {
    let document = full();
    for (place, table) in tables() {
        for member in table {
            for null in [false, true] {
                let mut without = document.clone();
                let object = without.pointer_mut(place).unwrap().as_object_mut().unwrap();
                if null {
                    object.insert(member.name.to_owned(), Value::Null);
                } else {
                    object.remove(member.name);
                }
                let path = dotted(&format!("{place}/{}", member.name));
                let found = findings(&without.to_string());
                let named = ["schema.required", "seller.pin_missing", "items.none"];
                let missing = found.iter().any(|finding| finding.path == path && named.contains(&&*finding.rule));
                assert_eq!(missing, member.required, "{path}: {found:?}");
            }
        }
    }
}

#[test]
fn every_member_of_a_wrong_type_is_named() {
    let document = full();
    for (place, table) in tables() {
        for member in table {
            let wrong = match member.form.kind() {
                Kind::Text => vec![json!(true), json!([]), json!({}), json!(-1), json!([["x"]])],
                Kind::Number => vec![json!(false), json!([1]), json!({"a": 1}), json!(""), json!("x"), json!("१")],
                Kind::Section => vec![json!(true), json!([]), json!(1), json!(""), json!([{}])],
                _ => vec![json!(true), json!({}), json!(1), json!("")],
            };
            for value in wrong {
                let mut damaged = document.clone();
                let object = damaged.pointer_mut(place).unwrap().as_object_mut().unwrap();
                object.insert(member.name.to_owned(), value.clone());
                let path = dotted(&format!("{place}/{}", member.name));
                let found = findings(&damaged.to_string());
                let named = found.iter().any(|finding| finding.path == path && finding.is_error());
                assert!(named, "{path} as {value}: {found:?}");
            }
        }
    }
}

#[test]
fn every_text_and_number_beyond_its_form_is_named() {
    let document = full();
    for (place, table) in tables() {
        for member in table {
            let raw = match member.form {
                Form::Text { max, .. } => format!("\"{}\"", "a".repeat(max + 1)),
                Form::Number { .. } => "9".repeat(40),
                _ => continue,
            };
            let mut damaged = document.clone();
            let object = damaged.pointer_mut(place).unwrap().as_object_mut().unwrap();
            object.insert(member.name.to_owned(), json!("@@"));
            let path = dotted(&format!("{place}/{}", member.name));
            let found = findings(&damaged.to_string().replace("\"@@\"", &raw));
            let named = found.iter().any(|finding| finding.path == path && finding.is_error());
            assert!(named, "{path} as {raw}: {found:?}");
        }
    }
}

//! `run --dry-run`: what would be sent, and from which field each value came.

use std::path::Path;

use crate::{Answer, einvoice, fixture, folder};

/// A shop whose JSON is mapped by rules of its own; it has no ledger, no credentials and no route.
pub(crate) const SHOP: &str = r#"
[rules]
turnover_crore = 4

[[source]]
name = "shop"
plugin = "json-file"
path = "shop/*.json"
format = "mapped"
lines = "rows"
settle_ms = 0

[source.mapping.set]
"DocDtls.Typ" = { value = "INV" }
"DocDtls.No" = "no"
"DocDtls.Dt" = "day"
"TranDtls.SupTyp" = { value = "B2B" }
"BuyerDtls.Gstin" = "to.gst"
"BuyerDtls.LglNm" = "to.name"
"BuyerDtls.Addr1" = "to.street"
"BuyerDtls.Loc" = "to.town"
"BuyerDtls.Pin" = "to.pin"
"BuyerDtls.Pos" = { from = "to.gst", before = "AAACI", default = "29" }
"ItemList.PrdDesc" = "what"
"ItemList.HsnCd" = ["hsn", { from = "sku", table = "hsn" }]
"ItemList.Qty" = "qty"
"ItemList.Unit" = { value = "NOS" }
"ItemList.UnitPrice" = "rate"
"ItemList.GstRt" = "tax"

[source.mapping.tables.hsn]
"GV-25" = "84818030"

[[source.mapping.skip]]
field = "kind"
in = ["Pro forma"]
reason = "pro_forma"

[[source.mapping.seller]]
gstin = "27AAACI1234E1Z4"
legal_name = "Invented Valves Private Limited"
address1 = "12 Foundry Road"
location = "Pune"
pin = 411001
"#;

/// A bill of the shop. Its day is given, so that no rule on age depends on the day of the test.
pub(crate) const BILL: &str = r#"{"no": "S/1", "day": "05/11/2026",
 "to": {"gst": "29AAACI1234E1Z0", "name": "Bengaluru Pumps", "street": "4 Mill Lane", "town": "Bengaluru", "pin": "560001"},
 "rows": [{"sku": "gv 25", "what": "Gate valve", "qty": "2", "rate": "500", "tax": "18"}]}"#;

pub(crate) fn shop(directory: &Path) {
    std::fs::write(directory.join("einvoice.toml"), SHOP).unwrap();
    std::fs::create_dir_all(directory.join("shop")).unwrap();
}

fn run(directory: &Path, more: &[&str]) -> Answer {
    einvoice(directory, &[&["run", "--dry-run"], more].concat())
}

#[test]
fn a_dry_run_shows_every_value_with_its_field_and_sends_nothing() {
    let directory = folder();
    let at = directory.path();
    shop(at);
    std::fs::write(at.join("shop/1.json"), BILL).unwrap();
    std::fs::write(at.join("shop/2.json"), BILL.replace("S/1", "S/2").replace("gv 25", "gv 50")).unwrap();
    std::fs::write(at.join("shop/3.json"), BILL.replace("\"no\"", "\"kind\": \"pro forma\", \"no\"")).unwrap();
    let answer = run(at, &[]);
    insta::assert_snapshot!(answer.shown(at));
    let mut left: Vec<_> = std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["einvoice.toml", "shop"], "no ledger was made");
    assert_eq!(std::fs::read_dir(at.join("shop")).unwrap().count(), 3, "no file was moved");
}

#[test]
fn a_dry_run_as_json_has_members_with_origins_and_the_payload() {
    let directory = folder();
    let at = directory.path();
    shop(at);
    std::fs::write(at.join("shop/1.json"), BILL).unwrap();
    std::fs::write(at.join("shop/2.json"), BILL.replace("\"no\"", "\"kind\": \"pro forma\", \"no\"")).unwrap();
    let answer = run(at, &["--json"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let objects = answer.objects();
    let [bill, passed_over, summary] = objects.as_slice() else { panic!("{}", answer.out) };
    assert_eq!(bill["verdict"], "valid");
    assert_eq!(bill["document"], "27AAACI1234E1Z4/2026-27/INV/S/1");
    assert_eq!(bill["irn"].as_str().unwrap().len(), 64);
    assert_eq!(bill["payload"]["ItemList"][0]["HsnCd"], "84818030");
    let member = |path: &str| {
        let members = bill["members"].as_array().unwrap();
        members.iter().find(|member| member["path"] == path).unwrap_or_else(|| panic!("{path}: {members:?}")).clone()
    };
    assert_eq!(member("ItemList[0].HsnCd")["origin"], "rows[0].sku, by table hsn");
    assert_eq!(member("ItemList[0].IgstAmt")["value"], "180");
    assert_eq!((&passed_over["verdict"], &passed_over["reason"]), (&"skipped".into(), &"pro_forma".into()));
    assert_eq!(
        summary["summary"],
        serde_json::json!({"read": 2, "valid": 1, "invalid": 0, "skipped": 1, "unreadable": 0})
    );
}

#[test]
fn a_dry_run_tells_of_two_documents_under_one_key_as_a_run_would() {
    let directory = folder();
    let at = directory.path();
    shop(at);
    let other_content = BILL.replace("S/1", "s/1").replace("\"qty\": \"2\"", "\"qty\": \"3\"");
    for (name, bill) in [("1", BILL), ("2", BILL), ("3", &other_content)] {
        std::fs::write(at.join(format!("shop/{name}.json")), bill).unwrap();
    }
    let answer = run(at, &[]);
    insta::assert_snapshot!(answer.shown(at));
    let objects = run(at, &["--json"]).objects();
    let [first, same, other, summary] = objects.as_slice() else { panic!("{objects:?}") };
    assert_eq!((&first["verdict"], &same["verdict"]), (&"valid".into(), &"skipped".into()));
    assert_eq!(same["reason"], "duplicate");
    assert_eq!((&other["verdict"], &other["payload"]), (&"invalid".into(), &serde_json::Value::Null));
    assert_eq!(summary["exit_code"], 1);
    // The finding is the one that a run makes, word by word.
    let more = "[ledger]\nplugin = \"ledger-sqlite\"\npath = \"ledger.db\"\n[credentials]\nplugin = \"sandbox\"\ndata = \"portal\"\n\
                [[route]]\nname = \"emulator\"\nplugin = \"sandbox\"\nenvironment = \"sandbox\"\ndata = \"portal\"\n";
    std::fs::write(at.join("with-ledger.toml"), format!("{SHOP}{more}")).unwrap();
    let real = einvoice(at, &["run", "--once", "--json", "--config", "with-ledger.toml"]);
    let told = other["findings"].as_array().unwrap().last().unwrap();
    assert_eq!(told["rule"], "ledger.key_in_use");
    let message = serde_json::to_string(&told["message"]).unwrap();
    assert!(real.out.contains(&message), "{message}\n{}{}", real.out, real.err);
}

#[test]
fn a_dry_run_can_be_narrowed_to_a_source_and_its_first_records() {
    let directory = folder();
    let at = directory.path();
    shop(at);
    let other = "[[source]]\nname = \"billing\"\nplugin = \"json-file\"\npath = \"inbox\"\nsettle_ms = 0\n";
    std::fs::write(at.join("einvoice.toml"), format!("{SHOP}\n{other}")).unwrap();
    std::fs::create_dir_all(at.join("inbox")).unwrap();
    fixture(at, "three.jsonl");
    std::fs::rename(at.join("three.jsonl"), at.join("inbox/three.jsonl")).unwrap();
    std::fs::write(at.join("shop/1.json"), BILL).unwrap();
    let sources = |more: &[&str]| -> Vec<String> {
        let objects = run(at, &[&["--json"], more].concat()).objects();
        objects.iter().filter_map(|line| line["source"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(sources(&[]), ["shop", "billing", "billing", "billing"]);
    assert_eq!(sources(&["--limit", "1"]), ["shop", "billing"]);
    assert_eq!(sources(&["--source", "billing", "--limit", "2"]), ["billing", "billing"]);
    let wrong = run(at, &["--source", "biling"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("there is no source `biling`; did you mean `billing`? there are: shop, billing"),
        "{}",
        wrong.err
    );
    assert_eq!(einvoice(at, &["run", "--once", "--limit", "1"]).code, 2, "a limit is for a dry run");
}

#[test]
fn a_source_that_cannot_be_read_does_not_keep_the_others_from_being_tried() {
    let directory = folder();
    let at = directory.path();
    let wrong = "[[source]]\nname = \"wrong\"\nplugin = \"json-file\"\npath = \"shop/*.json\"\nlinez = \"rows\"\n";
    shop(at);
    std::fs::write(at.join("einvoice.toml"), format!("{wrong}{SHOP}")).unwrap();
    std::fs::write(at.join("shop/1.json"), BILL).unwrap();
    let answer = run(at, &[]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("source wrong: ") && answer.err.contains("did you mean `lines`?"), "{}", answer.err);
    assert!(answer.out.contains("1 record: 1 valid, 0 invalid, 1 source not read to the end"), "{}", answer.out);
}

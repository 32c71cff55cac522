//! Spreadsheets from the inbox to the emulator and back, and templates for them.

use std::path::Path;

use crate::{einvoice, folder};

fn config(directory: &Path) {
    let text = r#"
        [ledger]
        plugin = "ledger-sqlite"
        path = "einvoice.db"

        [credentials]
        plugin = "sandbox"
        data = "sandbox"

        [[route]]
        name = "emulator"
        plugin = "sandbox"
        environment = "sandbox"
        data = "sandbox"

        [[source]]
        name = "sales"
        plugin = "spreadsheet"
        path = "inbox"
        settle_ms = 0

        [[source.mapping.seller]]
        gstin = "29AAKCD4821F1ZM"
        legal_name = "Deccan Valves Private Limited"
        address1 = "Plot 14, Peenya Industrial Area"
        location = "Bengaluru"
        pin = 560058

        [[write_back]]
        name = "results"
        plugin = "spreadsheet"

        [verify]
        keys = ["sandbox/signing-public.pem"]

        # The documents grow old, and these tests are run on any day.
        [rules]
        turnover_crore = 4
    "#;
    std::fs::write(directory.join("einvoice.toml"), text).unwrap();
    std::fs::create_dir(directory.join("inbox")).unwrap();
}

/// Two documents as a person types them; of the second one rate is wrong.
const SHEET: &str = "\
Supply Type Code,Document Type,Document Number,Document Date,Buyer GSTIN,Buyer Legal Name,Buyer POS,Buyer Addr1,Buyer Location,Buyer Pin Code,Product Description,HSN Code,Quantity,Unit,Unit Price,GST Rate (%)
B2B,Tax Invoice,CS/1,05/11/2026,27AAACI1234E1Z6,Kabuliwala Traders LLP,Maharashtra,7 Station Street,Mumbai,400001,Valve,84818020,2,Nos,\"1,00,000.50\",18
,,CS/1,,,,,,,,Washer,73182200,10,Nos,5,18
B2B,Tax Invoice,CS/2,05/11/2026,27AAACI1234E1Z6,Kabuliwala Traders LLP,Maharashtra,7 Station Street,Mumbai,400001,Valve,84818020,2,Nos,100,17
";

#[test]
fn a_sheet_is_registered_answered_corrected_in_its_copy_and_registered_to_the_end() {
    let directory = folder();
    let inside = |name: &str| directory.path().join("inbox").join(name);
    config(directory.path());
    std::fs::write(inside("sales.csv"), SHEET).unwrap();
    let first = einvoice(directory.path(), &["run", "--once"]);
    assert_eq!(first.code, 1, "{}", first.err);
    assert!(inside("needs-person/sales.csv").exists());
    let copy = std::fs::read_to_string(inside("results/sales_result.csv")).unwrap();
    let lines: Vec<&str> = copy.lines().collect();
    assert!(lines[1].contains(",IRN_GENERATED,") && lines[3].contains(",INVALID,"), "{copy}");
    // Somebody corrects the copy and drops it in again; to the emulator goes what is new, and that alone.
    std::fs::remove_file(inside("results/sales_result.csv")).unwrap();
    std::fs::write(inside("sales_result.csv"), copy.replace(",100,17,", ",100,18,")).unwrap();
    let second = einvoice(directory.path(), &["run", "--once"]);
    assert_eq!(second.code, 0, "{}\n{}", second.out, second.err);
    let copy = std::fs::read_to_string(inside("results/sales_result.csv")).unwrap();
    assert_eq!(copy.matches("IRN_GENERATED").count(), 2, "{copy}");
    assert_eq!(copy.lines().next().unwrap().matches("AckNo").count(), 1, "{copy}");
    assert!(inside("done/sales_result.csv").exists());
    let status = einvoice(directory.path(), &["status", "--json"]).objects();
    let found: Vec<_> = status.iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(found, ["registered", "registered"]);
    for line in &status {
        assert!(copy.contains(line["irn"].as_str().unwrap()), "{copy}");
    }
}

#[test]
fn a_template_is_made_once_and_can_be_checked_as_it_is() {
    let directory = folder();
    let made = einvoice(directory.path(), &["new", "template", "--plugin", "spreadsheet", "--output", "typed.xlsx"]);
    insta::assert_snapshot!("new_template", made.shown(directory.path()));
    let again = einvoice(directory.path(), &["new", "template", "--output", "typed.xlsx"]);
    insta::assert_snapshot!("new_template_again", again.shown(directory.path()));
    let listed = einvoice(directory.path(), &["new", "template", "--list", "--json"]).objects();
    let name = |line: &serde_json::Value| {
        format!("{} {}", line["plugin"].as_str().unwrap(), line["variant"].as_str().unwrap())
    };
    let names: Vec<_> = listed.iter().map(name).collect();
    let dialects = ["mysql", "oracle", "postgres", "sqlite", "sqlserver"].map(|dialect| format!("database {dialect}"));
    let mut expected: Vec<&str> = dialects.iter().map(String::as_str).collect();
    expected.extend(["spreadsheet compact", "spreadsheet full"]);
    assert_eq!(names, expected);
    let other = einvoice(directory.path(), &["new", "template", "--plugin", "tally"]);
    insta::assert_snapshot!("new_template_unknown", other.shown(directory.path()));
    let checked = einvoice(directory.path(), &["validate", "typed.xlsx", "--plugin", "spreadsheet"]);
    assert!(!checked.err.contains("panicked") && checked.code != 70, "{}", checked.err);
}

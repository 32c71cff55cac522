//! Whole vouchers of every kind, written for these tests: from the exported file to a document that
//! passes the rulebook.

use std::path::PathBuf;

use einvoice_core::document::Invoice;
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument};
use serde_json::{Value, json};

use crate::bad_input::{envelope, voucher};
use crate::common::{folder_with, outcome, read, source};

pub(crate) fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tally/fixtures").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Maps the one voucher of a text, with the masters of the fixtures and more settings.
pub(crate) async fn mapped(text: &str, more: Value) -> MappedDocument {
    let folder = folder_with("voucher.xml", text.as_bytes());
    std::fs::write(folder.path().join("masters.xml"), fixture("masters.xml")).unwrap();
    let mut settings = json!({ "path": "voucher.xml", "masters": ["masters.xml"] });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let source = source(folder.path(), settings);
    let read = read(&*source, None).await;
    assert_eq!(read.problems, []);
    let [record] = read.records.as_slice() else { panic!("{} records", read.records.len()) };
    match source.map(record) {
        Mapped::Document(document) => *document,
        other => panic!("{}", outcome(&other)),
    }
}

/// Checks a document and gives it as JSON.
pub(crate) fn valid(document: MappedDocument) -> Value {
    let text = document.invoice.to_json();
    let options = CheckOptions::on(jiff::civil::date(2026, 11, 22));
    if let Err(rejected) = rulebook::check(document.invoice, document.findings, &options) {
        panic!("{:#?}\n{text}", rejected.findings);
    }
    assert!(Invoice::from_json(&text).unwrap().findings.is_empty());
    serde_json::from_str(&text).unwrap()
}

async fn valid_fixture(name: &str) -> Value {
    valid(mapped(&fixture(name), json!({})).await)
}

/// The rules of the errors that keep a document back.
fn errors(document: MappedDocument) -> Vec<String> {
    let options = CheckOptions::on(jiff::civil::date(2026, 11, 22));
    let Err(rejected) = rulebook::check(document.invoice, document.findings, &options) else { return Vec::new() };
    rejected.findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.rule.to_string()).collect()
}

/// One member of every item.
fn of_items(invoice: &Value, member: &str) -> Vec<Value> {
    invoice["ItemList"].as_array().unwrap().iter().map(|item| item[member].clone()).collect()
}

#[tokio::test]
async fn under_reverse_charge_the_tax_is_stated_and_not_billed() {
    let invoice = valid_fixture("reverse-charge.xml").await;
    assert_eq!(invoice["TranDtls"]["RegRev"], "Y");
    let item = &invoice["ItemList"][0];
    assert_eq!(
        (&item["HsnCd"], &item["GstRt"], &item["IgstAmt"], &item["TotItemVal"]),
        (&json!("996511"), &json!(5), &json!(2100), &json!(42000))
    );
    assert_eq!(invoice["ValDtls"], json!({ "AssVal": 42000, "IgstVal": 2100, "TotInvVal": 42000 }));
}

#[tokio::test]
async fn a_deemed_export_is_one_by_nature_and_by_registration_type() {
    let invoice = valid_fixture("deemed-export.xml").await;
    assert_eq!(invoice["TranDtls"]["SupTyp"], "DEXP");
    assert_eq!(invoice["BuyerDtls"]["Gstin"], "33AAECV5527Q1ZT");
    assert_eq!(invoice["ValDtls"], json!({ "AssVal": 300_000, "IgstVal": 54000, "TotInvVal": 354_000 }));
    let by_type = fixture("deemed-export.xml").replace("Deemed Exports - Taxable", "Interstate Sales - Taxable");
    assert_eq!(valid(mapped(&by_type, json!({})).await)["TranDtls"]["SupTyp"], "DEXP");
    let by_nature = fixture("deemed-export.xml").replace("Regular-Deemed Exporter", "Regular");
    assert_eq!(valid(mapped(&by_nature, json!({})).await)["TranDtls"]["SupTyp"], "DEXP");
}

#[tokio::test]
async fn an_export_in_dollars_is_stated_in_rupees_with_its_value_in_dollars() {
    let text = fixture("export-in-dollars.xml");
    for text in
        [text.clone(), text.replace('?', "₹"), text.replace('$', "USD ").replace("USD 1200.50 @", "1200.50 USD @")]
    {
        let invoice = valid(mapped(&text, json!({})).await);
        assert_eq!(invoice["TranDtls"]["SupTyp"], "EXPWOP");
        assert_eq!(of_items(&invoice, "UnitPrice"), [json!(42.05), json!(100_962.05)]);
        assert_eq!(of_items(&invoice, "TotAmt"), [json!(210_250), json!(100_962.05)]);
        assert_eq!(invoice["ValDtls"], json!({ "AssVal": 311_212.05, "TotInvVal": 311_212.05, "TotInvValFc": 3700.5 }));
        assert_eq!(
            invoice["ExpDtls"],
            json!({ "ShipBNo": "7712045", "ShipBDt": "04/11/2026", "Port": "INBLR4", "ForCur": "USD", "CntCode": "US" })
        );
        assert_eq!((&invoice["BuyerDtls"]["Gstin"], &invoice["BuyerDtls"]["Pos"]), (&json!("URP"), &json!("96")));
    }
}

#[tokio::test]
async fn a_currency_written_after_its_amount_is_known_too() {
    let text = fixture("export-in-dollars.xml").replace("-$3700.50 @ ? 84.10/$", "-3700.50 EUR @ ? 84.10/EUR");
    let invoice = valid(mapped(&text, json!({})).await);
    assert_eq!((&invoice["ExpDtls"]["ForCur"], &invoice["ValDtls"]["TotInvValFc"]), (&json!("EUR"), &json!(3700.5)));
}

#[tokio::test]
async fn a_batch_has_its_name_and_expiry_and_several_of_one_line_are_told() {
    let document = mapped(&fixture("batches.xml"), json!({})).await;
    let told: Vec<_> = document
        .findings
        .iter()
        .filter(|finding| finding.rule == "tally.batch_left_out")
        .map(|finding| (finding.path.as_str(), finding.found.as_deref()))
        .collect();
    assert_eq!(told, [("ItemList[2].BchDtls", Some("CZ2608C, CZ2608D"))]);
    let invoice = valid(document);
    assert_eq!(
        of_items(&invoice, "BchDtls"),
        [
            json!({ "Nm": "CZ2610A", "ExpDt": "30/09/2028" }),
            // 24 months from the day that Tally counts them from.
            json!({ "Nm": "CZ2609B", "ExpDt": "01/09/2028" }),
            Value::Null,
            Value::Null,
        ]
    );
    assert_eq!(of_items(&invoice, "Unit"), [json!("PAC"), json!("PAC"), json!("PAC"), json!("PAC")]);
}

#[tokio::test]
async fn a_debit_note_to_a_customer_names_the_invoice_it_adds_to() {
    let invoice = valid_fixture("debit-note.xml").await;
    assert_eq!(invoice["DocDtls"], json!({ "Typ": "DBN", "No": "DN/26-27/011", "Dt": "05/11/2026" }));
    assert_eq!(
        invoice["RefDtls"],
        json!({ "InvRm": "04-Correction in Invoice", "PrecDocDtls": [{ "InvNo": "NF/26-27/150", "InvDt": "15/09/2026" }] })
    );
    assert_eq!(invoice["ValDtls"]["TotInvVal"], 9440);
}

#[tokio::test]
async fn a_credit_note_is_positive_and_names_the_bill_it_is_set_off_against() {
    let invoice = valid_fixture("credit-note.xml").await;
    assert_eq!(invoice["DocDtls"]["Typ"], "CRN");
    assert_eq!(invoice["RefDtls"]["PrecDocDtls"], json!([{ "InvNo": "NF/26-27/150", "InvDt": "15/09/2026" }]));
    assert_eq!(invoice["ValDtls"], json!({ "AssVal": 50000, "CgstVal": 4500, "SgstVal": 4500, "TotInvVal": 59000 }));
    assert_eq!((&invoice["ItemList"][0]["Qty"], &invoice["ItemList"][0]["TotItemVal"]), (&json!(2), &json!(59000)));
}

#[tokio::test]
async fn lines_of_several_rates_add_up_to_the_ledgers_to_the_paisa() {
    let invoice = valid_fixture("several-rates.xml").await;
    assert_eq!(of_items(&invoice, "GstRt"), [json!(5), json!(18), json!(0)]);
    assert_eq!(of_items(&invoice, "CgstAmt"), [json!(210), json!(2249.96), Value::Null]);
    assert_eq!(
        invoice["ValDtls"],
        json!({ "AssVal": 35199.5, "CgstVal": 2459.96, "SgstVal": 2459.96, "RndOffAmt": -0.42, "TotInvVal": 40119 })
    );
}

#[tokio::test]
async fn discounts_of_a_line_and_of_a_ledger_before_tax_reduce_the_taxable_value() {
    let invoice = valid_fixture("discounts.xml").await;
    assert_eq!(of_items(&invoice, "TotAmt"), [json!(60000), json!(66000)]);
    // 6000 of its own and its share of 2000 by value.
    assert_eq!(of_items(&invoice, "Discount"), [json!(6900), json!(1100)]);
    assert_eq!(of_items(&invoice, "AssAmt"), [json!(53100), json!(64900)]);
    assert_eq!(of_items(&invoice, "UnitPrice"), [json!(20000), json!(66000)]);
    assert_eq!(invoice["ValDtls"], json!({ "AssVal": 118_000, "IgstVal": 21240, "TotInvVal": 139_240 }));
}

#[tokio::test]
async fn taxable_freight_is_spread_or_a_line_of_its_own() {
    let spread = valid_fixture("freight-spread.xml").await;
    assert_eq!(of_items(&spread, "AssAmt"), [json!(61333.34), json!(30666.66)]);
    assert_eq!(of_items(&spread, "UnitPrice"), [json!(20444.447), json!(30666.66)]);
    assert_eq!(spread["ValDtls"], json!({ "AssVal": 92000, "IgstVal": 16560, "TotInvVal": 108_560 }));
    let own = valid_fixture("freight-own-line.xml").await;
    assert_eq!(of_items(&own, "HsnCd"), [json!("84195019"), json!("996511")]);
    assert_eq!(of_items(&own, "IsServc"), [json!("N"), json!("Y")]);
    assert_eq!(of_items(&own, "IgstAmt"), [json!(10800), json!(100)]);
}

#[tokio::test]
async fn where_prices_include_the_tax_the_amount_is_the_truth() {
    let invoice = valid_fixture("inclusive-price.xml").await;
    assert_eq!(of_items(&invoice, "UnitPrice"), [json!(25000), json!(100_000)]);
    assert_eq!(of_items(&invoice, "AssAmt"), [json!(50000), json!(100_000)]);
    assert_eq!(invoice["ValDtls"]["TotInvVal"], 177_000);
}

#[tokio::test]
async fn a_tax_ledger_off_by_one_rupee_is_rounding_and_by_a_paisa_more_an_error() {
    let off_by = |tax: &str, party: &str| {
        fixture("discounts.xml").replace("<AMOUNT>21240.00<", &format!("<AMOUNT>{tax}<")).replace("-139240.00", party)
    };
    for (tax, party, shares) in [("21241.00", "-139241.00", [9558, 11683]), ("21239.00", "-139239.00", [9558, 11681])] {
        let invoice = valid(mapped(&off_by(tax, party), json!({})).await);
        assert_eq!(of_items(&invoice, "IgstAmt"), shares.map(|share| json!(share)));
        assert_eq!(invoice["ValDtls"]["IgstVal"].to_string(), tax.trim_end_matches(".00"));
    }
    for (tax, party) in [("21241.01", "-139241.01"), ("21238.99", "-139238.99")] {
        let document = mapped(&off_by(tax, party), json!({})).await;
        let told = document.findings.iter().find(|finding| finding.rule == "tally.tax_mismatch").unwrap().to_string();
        assert!(told.contains("items 21240.00") && told.contains(&format!("ledgers {tax}")), "{told}");
        assert!(errors(document).contains(&"tally.tax_mismatch".to_owned()));
    }
}

#[tokio::test]
async fn consignee_dispatch_and_transport_reach_the_document() {
    let invoice = valid_fixture("ship-dispatch-transport.xml").await;
    assert_eq!(
        invoice["ShipDtls"],
        json!({ "Gstin": "24AALCT8830P1ZL", "LglNm": "Tapi Process Works", "Addr1": "88, Ring Road", "Addr2": "Surat",
            "Loc": "Surat", "Pin": 395_003, "Stcd": "24" })
    );
    assert_eq!(
        invoice["DispDtls"],
        json!({ "Nm": "Nilgiri Stores, Hubballi", "Addr1": "Shed 9, Gokul Road", "Loc": "Hubballi", "Pin": 580_030,
            "Stcd": "29" })
    );
    assert_eq!(
        invoice["EwbDtls"],
        json!({ "TransId": "29AAHCM3064R1ZQ", "TransName": "Western Ghats Carriers", "TransMode": "1",
            "Distance": 985, "TransDocNo": "LR-40112", "TransDocDt": "10/11/2026", "VehNo": "KA01AB1234",
            "VehType": "R" })
    );
    assert_eq!(invoice["PayDtls"], json!({ "CrDay": 45 }));
    assert_eq!(invoice["BuyerDtls"]["Addr1"], "14, APMC Yard, Vashi");
    let never = valid(mapped(&fixture("ship-dispatch-transport.xml"), json!({ "eway_bill": "never" })).await);
    assert_eq!(never["EwbDtls"], Value::Null);
}

#[tokio::test]
async fn a_service_without_quantity_or_with_nought_is_one_of_its_value() {
    let invoice = valid_fixture("service-without-quantity.xml").await;
    assert_eq!(of_items(&invoice, "Qty"), [json!(1), json!(1)]);
    assert_eq!(of_items(&invoice, "UnitPrice"), [json!(12000), json!(3000)]);
    assert_eq!(of_items(&invoice, "IsServc"), [json!("Y"), json!("Y")]);
}

#[tokio::test]
async fn units_become_codes_by_master_by_name_and_by_what_people_call_them() {
    let document = mapped(&fixture("unit-names.xml"), json!({})).await;
    let told = document.findings.iter().find(|finding| finding.rule == "tally.inferred").unwrap().message.clone();
    assert!(told.contains("unit OTH for \"Trunk\""), "{told}");
    let invoice = valid(document);
    let units: Vec<Value> = ["NOS", "PCS", "KGS", "LTR", "PAC", "OTH", "BOX", "DOZ"].map(|unit| json!(unit)).into();
    assert_eq!(of_items(&invoice, "Unit"), units);
    // Of a compound quantity the first part counts and the amount decides about the price.
    assert_eq!((&invoice["ItemList"][7]["Qty"], &invoice["ItemList"][7]["UnitPrice"]), (&json!(2), &json!(500)));
    let set = valid(mapped(&fixture("unit-names.xml"), json!({ "units": { "Trunk": "ctn" } })).await);
    assert_eq!(set["ItemList"][5]["Unit"], "CTN");
}

#[tokio::test]
async fn a_type_whose_vouchers_tally_renumbers_is_warned_of() {
    let text = fixture("discounts.xml");
    let name = text.split("<VOUCHERTYPENAME>").nth(1).unwrap().split('<').next().unwrap();
    let warned = async |style: &str| {
        let master = format!(
            "<TALLYMESSAGE><VOUCHERTYPE NAME=\"{name}\" RESERVEDNAME=\"Sales\"><NUMBERINGSTYLE>{style}</NUMBERINGSTYLE></VOUCHERTYPE></TALLYMESSAGE><TALLYMESSAGE"
        );
        let document = mapped(&text.replacen("<TALLYMESSAGE", &master, 1), json!({})).await;
        document.findings.iter().any(|finding| finding.rule == "tally.auto_renumber" && !finding.is_error())
    };
    assert!(warned("Auto Renumber").await);
    assert!(!warned("Auto Retain").await);
}

#[tokio::test]
async fn a_customer_in_an_sez_is_one_by_the_ledgers_master_alone_for_the_kind_of_supply_and_for_the_tax() {
    let tax = "<LEDGERENTRIES.LIST><LEDGERNAME>IGST</LEDGERNAME><AMOUNT>180.00</AMOUNT></LEDGERENTRIES.LIST>";
    let bill = voucher("1").replace("<AMOUNT>-1180.00", "<AMOUNT>-1000.00").replace(tax, "");
    let ledger = "<TALLYMESSAGE><LEDGER NAME=\"Buyer &amp; Sons\"><LEDGSTREGDETAILS.LIST><APPLICABLEFROM>20260401</APPLICABLEFROM>\
                  <GSTREGISTRATIONTYPE>Regular - SEZ</GSTREGISTRATIONTYPE><GSTIN>27AAPFU0939F1ZV</GSTIN>\
                  </LEDGSTREGDETAILS.LIST></LEDGER></TALLYMESSAGE>";
    let document = mapped(&envelope(&format!("{ledger}{bill}")), json!({})).await;
    assert_eq!(document.invoice.tran_dtls.sup_typ.get().unwrap().code(), "SEZWOP");
    let taxed: Vec<_> = document.findings.iter().filter(|finding| finding.rule == "tally.tax_mismatch").collect();
    assert!(taxed.is_empty(), "{taxed:?}");
    assert!(document.invoice.val_dtls.igst_val.is_absent());
}

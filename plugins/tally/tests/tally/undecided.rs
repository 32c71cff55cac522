//! What a voucher leaves open, or says no to: refused or left out, and never guessed.

use einvoice_core::document::Invoice;
use einvoice_core::finding::{Finding, Severity};
use serde_json::{Value, json};

use crate::vouchers::{fixture, mapped, valid};

/// The findings of one rule.
fn of_rule<'f>(findings: &'f [Finding], rule: &str) -> Vec<&'f Finding> {
    findings.iter().filter(|finding| finding.rule == rule).collect()
}

fn json_of(invoice: &Invoice) -> Value {
    serde_json::from_str(&invoice.to_json()).unwrap()
}

#[tokio::test]
async fn a_voucher_that_says_no_to_an_eway_bill_asks_for_none_although_it_has_transport() {
    let text = fixture("ship-dispatch-transport.xml");
    let no = text.replace("<ISGSTEINVINCLEWAYBILL>Yes<", "<ISGSTEINVINCLEWAYBILL>No<");
    assert_ne!(no, text);
    let document = mapped(&no, json!({})).await;
    let told = of_rule(&document.findings, "tally.eway_bill_not_asked");
    let [told] = told.as_slice() else { panic!("{:?}", document.findings) };
    assert_eq!((told.severity, told.path.as_str(), told.found.as_deref()), (Severity::Info, "EwbDtls", Some("No")));
    let fix = told.fix.as_deref().unwrap();
    assert!(told.message.contains("ISGSTEINVINCLEWAYBILL") && fix.contains("in Tally"), "{told}");
    let invoice = valid(document);
    assert_eq!(invoice["EwbDtls"], Value::Null);
    // Where the goods go is part of the invoice, with a bill or without.
    assert_eq!(invoice["ShipDtls"]["Gstin"], "24AALCT8830P1ZL");

    // A voucher that says neither follows its transport, as older releases have no such field.
    for silent in ["", "<ISGSTEINVINCLEWAYBILL></ISGSTEINVINCLEWAYBILL>"] {
        let silent = text.replace("<ISGSTEINVINCLEWAYBILL>Yes</ISGSTEINVINCLEWAYBILL>", silent);
        let document = mapped(&silent, json!({})).await;
        assert!(of_rule(&document.findings, "tally.eway_bill_not_asked").is_empty());
        assert_eq!(json_of(&document.invoice)["EwbDtls"]["VehNo"], "KA01AB1234");
    }
}

#[tokio::test]
async fn a_no_to_an_eway_bill_is_told_only_where_one_would_have_been_asked_for() {
    let list = |text: &str| {
        let (before, rest) = text.split_once("<EWAYBILLDETAILS.LIST>").unwrap();
        let (_, after) = rest.split_once("</EWAYBILLDETAILS.LIST>").unwrap();
        (before.replace("BILL>Yes<", "BILL>No<"), after.to_owned())
    };
    let (before, after) = list(&fixture("ship-dispatch-transport.xml"));
    let made = "<EWAYBILLDETAILS.LIST><BILLNUMBER>331000123456</BILLNUMBER><TRANSPORTDETAILS.LIST>\
                <VEHICLENUMBER>KA01AB1234</VEHICLENUMBER></TRANSPORTDETAILS.LIST></EWAYBILLDETAILS.LIST>";
    for (details, more) in [("", json!({})), (made, json!({})), (made, json!({ "eway_bill": "never" }))] {
        let document = mapped(&format!("{before}{details}{after}"), more).await;
        assert!(document.invoice.ewb_dtls.is_none());
        assert!(of_rule(&document.findings, "tally.eway_bill_not_asked").is_empty(), "{details}");
    }
}

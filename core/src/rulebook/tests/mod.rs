//! Whole documents against the whole rulebook.

mod cases;
mod coverage;
mod repair;
mod switches;

use std::path::Path;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::document::{Field, ReadOptions};
use crate::number::Amount;

/// A two-line invoice between invented parties, right in every respect.
const RIGHT: &str = r#"{"Version":"1.1",
    "TranDtls":{"TaxSch":"GST","SupTyp":"B2B"},
    "DocDtls":{"Typ":"INV","No":"AE/26-27/7","Dt":"05/11/2026"},
    "SellerDtls":{"Gstin":"29AAACE1234F1Z2","LglNm":"Aruna Electricals","Addr1":"7 Temple Road","Loc":"Bengaluru",
        "Pin":560001,"Stcd":"29"},
    "BuyerDtls":{"Gstin":"27AABCM5678K1ZY","LglNm":"Madhav Motors","Pos":"27","Addr1":"2 Mill Lane","Loc":"Pune",
        "Pin":411001,"Stcd":"27"},
    "ItemList":[
        {"SlNo":"1","IsServc":"N","HsnCd":"850440","Qty":3,"Unit":"NOS","UnitPrice":1000.5,"TotAmt":3001.5,
            "Discount":1.5,"AssAmt":3000,"GstRt":18,"IgstAmt":540,"TotItemVal":3540},
        {"SlNo":"2","IsServc":"Y","HsnCd":"998719","UnitPrice":500,"TotAmt":500,"AssAmt":500,"GstRt":18,"IgstAmt":90,
            "TotItemVal":590}],
    "ValDtls":{"AssVal":3500,"IgstVal":630,"TotInvVal":4130}}"#;

const DAY: Date = date(2026, 11, 22);

fn invoice() -> Invoice {
    Invoice::from_json(RIGHT).unwrap().invoice
}

/// Changes the right document and gives the findings, as rule and path.
fn findings(change: impl FnOnce(&mut Invoice)) -> Vec<(String, String)> {
    let mut invoice = invoice();
    change(&mut invoice);
    named(check(invoice, Vec::new(), &CheckOptions::on(DAY)))
}

fn named(result: CheckResult) -> Vec<(String, String)> {
    let findings = match result {
        Ok(checked) => checked.findings,
        Err(rejected) => rejected.findings,
    };
    findings.into_iter().map(|finding| (finding.rule.into_owned(), finding.path)).collect()
}

/// The document with some JSON replaced by other JSON.
fn replaced(from: &str, to: &str) -> CheckResult {
    assert!(RIGHT.contains(from), "{from}");
    let read = Invoice::from_json_with(&RIGHT.replace(from, to), ReadOptions::strict()).unwrap();
    check_read(read, &CheckOptions::on(DAY))
}

fn only(rule: &str, path: &str) -> Vec<(String, String)> {
    vec![(rule.to_owned(), path.to_owned())]
}

fn paise(paise: i64) -> Field<Amount> {
    Field::Value(Amount::from_paise(paise))
}

#[test]
fn a_right_document_is_checked_and_its_payload_is_canonical() {
    let checked = check(invoice(), Vec::new(), &CheckOptions::on(DAY)).unwrap();
    assert_eq!(checked.findings(), []);
    assert_eq!(checked.key().to_string(), "29AAACE1234F1Z2/2026-27/INV/AE/26-27/7");
    assert_eq!(checked.payload(), checked.invoice().to_json().as_bytes());
    assert_eq!(checked.irn(IrnRule::on(DAY)), Irn::compute(checked.key(), IrnRule::UpperCase));
}

#[test]
fn an_empty_document_lacks_every_mandatory_section_once() {
    let rejected = check(Invoice::default(), Vec::new(), &CheckOptions::on(DAY)).unwrap_err();
    let paths: Vec<_> = rejected.findings.iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(paths, ["Version", "TranDtls", "DocDtls", "SellerDtls", "BuyerDtls", "ItemList", "ValDtls"]);
    assert_eq!(rejected.to_string(), "document without number must not be sent as it stands: 7 error(s)");
}

#[test]
fn each_schema_rule_speaks_for_its_own_fault() {
    let rule = |from: &str, to: &str| {
        let named = named(replaced(from, to));
        assert_eq!(named.len(), 1, "{from} -> {to}: {named:?}");
        named[0].0.clone()
    };
    assert_eq!(rule(r#""LglNm":"Madhav Motors","#, ""), "schema.required");
    assert_eq!(rule(r#""Pin":411001"#, r#""Pin":"411001""#), "schema.type");
    assert_eq!(rule(r#""Stcd":"27""#, r#""Stcd":27"#), "schema.type");
    assert_eq!(rule(r#""Pin":411001"#, r#""Pin":99999"#), "schema.range");
    assert_eq!(rule(r#""Pin":411001"#, r#""Pin":411001.5"#), "schema.decimals");
    assert_eq!(rule(r#""IgstVal":630"#, r#""IgstVal":630.001"#), "schema.decimals");
    assert_eq!(rule("Madhav Motors", "MM"), "schema.length");
    assert_eq!(rule("Madhav Motors", &"é".repeat(101)), "schema.length");
    assert_eq!(rule("Madhav Motors", r#"Madhav \"Motors\""#), "schema.pattern");
    assert_eq!(rule(r#""HsnCd":"850440""#, r#""HsnCd":"85044""#), "schema.pattern");
    assert_eq!(rule(r#""SupTyp":"B2B""#, r#""SupTyp":"B2C""#), "schema.enum");
    assert_eq!(rule(r#""IsServc":"Y""#, r#""IsServc":"y""#), "schema.enum");
    assert_eq!(rule(r#""Version":"1.1""#, r#""Version":"1.0""#), "schema.enum");
    assert_eq!(rule("05/11/2026", "31/11/2026"), "schema.pattern");
    assert_eq!(rule("AE/26-27/7", "0007"), "schema.pattern");
    assert_eq!(rule("AE/26-27/7", "A1234567890123456"), "schema.length");
}

#[test]
fn lengths_count_characters_and_not_bytes() {
    assert!(replaced("Madhav Motors", &"é".repeat(100)).is_ok());
    assert_eq!(named(replaced("Madhav Motors", "éé")), only("schema.length", "BuyerDtls.LglNm"));
}

#[test]
fn a_malformed_value_is_shown_as_it_stood_with_what_is_expected_and_what_to_do() {
    let rejected = replaced(r#""Pin":411001"#, r#""Pin":"4110 01""#).unwrap_err();
    let finding = &rejected.findings[0];
    assert_eq!(finding.code.as_deref(), Some("5002"));
    assert_eq!(finding.found.as_deref(), Some("\"4110 01\""));
    assert_eq!(finding.expected.as_deref(), Some("a number from 100000 to 999999, no decimals"));
    assert!(finding.fix.is_some());
}

#[test]
fn a_wrong_check_character_is_an_error_a_warning_or_nothing_as_wished() {
    let result = |severity| {
        let mut invoice = invoice();
        invoice.buyer_dtls.gstin = crate::identifier::Gstin::parse("27AABCM5678K1ZX").unwrap().into();
        check(invoice, Vec::new(), &CheckOptions::on(DAY).with_gstin_check_digit(severity))
    };
    let rejected = result(Some(Severity::Error)).unwrap_err();
    assert_eq!(rejected.findings[0].rule, "gstin.check_digit");
    assert_eq!(rejected.findings[0].expected.as_deref(), Some("Y as last character"));
    assert_eq!(result(Some(Severity::Warning)).unwrap().findings()[0].severity, Severity::Warning);
    assert_eq!(result(None).unwrap().findings(), []);
}

#[test]
fn errors_of_the_reader_reject_and_come_first() {
    let read =
        Invoice::from_json(&RIGHT.replace(r#""No":"AE"#, r#""dt":"x","No":"AE"#).replace("4130", "4133")).unwrap();
    let rejected = check_read(read, &CheckOptions::on(DAY)).unwrap_err();
    assert_eq!(rejected.findings[0].rule, "schema.duplicate");
    assert!(rejected.findings.iter().any(|finding| finding.rule == "totals.tot_inv_val"));
}

#[test]
fn a_section_that_is_no_object_is_reported_once() {
    let read = Invoice::from_json(&RIGHT.replace(r#"{"TaxSch":"GST","SupTyp":"B2B"}"#, "7")).unwrap();
    assert_eq!(named(check_read(read, &CheckOptions::on(DAY))), only("schema.type", "TranDtls"));
    let read = Invoice::from_json(&RIGHT.replace(r#""ItemList":["#, r#""ItemList":5,"x":["#)).unwrap();
    let rejected = check_read(read, &CheckOptions::on(DAY)).unwrap_err();
    assert_eq!(rejected.findings.iter().filter(|finding| finding.path == "ItemList").count(), 1);
}

#[test]
fn totals_that_do_not_foot_name_both_numbers() {
    let rejected = replaced(r#""TotInvVal":4130"#, r#""TotInvVal":4190"#).unwrap_err();
    let finding = &rejected.findings[0];
    assert_eq!((&*finding.rule, finding.code.as_deref()), ("totals.tot_inv_val", Some("2189")));
    assert_eq!((finding.found.as_deref(), finding.expected.as_deref()), (Some("4190"), Some("4130")));
    assert!(finding.message.contains("4,129.00 to 4,131.00"), "{}", finding.message);
    let charged = replaced(r#""TotInvVal":4130"#, r#""OthChrg":20,"Discount":10,"TotInvVal":4190"#).unwrap_err();
    let terms = "items of 4,130.00 less a discount of 10.00 with charges of 20.00 give 4,140.00";
    assert!(charged.findings[0].message.contains(terms), "{}", charged.findings[0].message);
    for (from, to, rule) in [
        (r#""AssVal":3500"#, r#""AssVal":3502"#, "totals.ass_val"),
        (r#""IgstVal":630,"#, "", "totals.igst_val"),
        (r#""TotItemVal":590"#, r#""TotItemVal":580"#, "items.tot_item_val"),
        (r#""AssAmt":500"#, r#""AssAmt":497"#, "items.ass_amt"),
    ] {
        assert!(named(replaced(from, to)).iter().any(|(found, _)| found == rule), "{rule}");
    }
}

#[test]
fn a_rupee_either_way_is_accepted_and_a_paisa_more_is_not() {
    assert!(replaced(r#""TotInvVal":4130"#, r#""TotInvVal":4131"#).is_ok());
    assert!(replaced(r#""TotInvVal":4130"#, r#""TotInvVal":4129"#).is_ok());
    assert_eq!(
        named(replaced(r#""TotInvVal":4130"#, r#""TotInvVal":4131.01"#)),
        only("totals.tot_inv_val", "ValDtls.TotInvVal")
    );
}

#[test]
fn the_kind_of_tax_follows_supplier_state_and_place_of_supply() {
    let named = findings(|invoice| {
        invoice.item_list[0].cgst_amt = paise(27_000);
        invoice.item_list[0].sgst_amt = paise(27_000);
        invoice.item_list[0].igst_amt = Field::Absent;
    });
    let rules: Vec<_> = named.iter().map(|(rule, _)| rule.as_str()).collect();
    assert!(rules.contains(&"tax.cgst_in_inter") && rules.contains(&"tax.igst_amount"), "{rules:?}");

    let intra = |change: fn(&mut Invoice)| {
        findings(|invoice| {
            invoice.buyer_dtls.pos = crate::identifier::StateCode::parse("29").unwrap().into();
            for (item, half) in invoice.item_list.iter_mut().zip([27_000, 4_500]) {
                item.igst_amt = Field::Absent;
                (item.cgst_amt, item.sgst_amt) = (paise(half), paise(half));
            }
            let values = &mut invoice.val_dtls;
            (values.igst_val, values.cgst_val, values.sgst_val) = (Field::Absent, paise(31_500), paise(31_500));
            change(invoice);
        })
    };
    assert_eq!(intra(|_| {}), []);
    let missing = intra(|invoice| {
        invoice.item_list[1].cgst_amt = Field::Absent;
        invoice.item_list[1].sgst_amt = Field::Absent;
    });
    assert_eq!(missing[1], ("tax.cgst_missing".to_owned(), "ItemList[1].CgstAmt".to_owned()));
    let unequal = intra(|invoice| invoice.item_list[0].sgst_amt = paise(20_000));
    assert!(unequal.iter().any(|(rule, _)| rule == "tax.cgst_unequal"));
    let igst = intra(|invoice| invoice.item_list[0].igst_amt = paise(54_000));
    assert!(igst.iter().any(|(rule, _)| rule == "tax.igst_in_intra"));
}

#[test]
fn notes_are_not_held_against_rates() {
    let change = |invoice: &mut Invoice| {
        invoice.item_list[0].gst_rt = Field::Value(crate::number::Rate::from_thousandths(17_000));
    };
    let rules: Vec<_> = findings(change).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["items.rate", "tax.igst_amount"]);
    let note = findings(|invoice| {
        change(invoice);
        invoice.doc_dtls.typ = Field::Value(crate::key::DocumentType::CreditNote);
    });
    assert_eq!(note, []);
}

#[test]
fn parties_must_fit_the_supply() {
    let named = |from: &str, to: &str| named(replaced(from, to));
    let rules = |named: Vec<(String, String)>| named.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
    let moved = rules(named(r#""Stcd":"29""#, r#""Stcd":"30""#));
    assert_eq!(moved, ["place.pin_state", "seller.state"], "the PIN code lies in the other state too");
    assert_eq!(rules(named(r#""Stcd":"27""#, r#""Stcd":"28""#)), ["place.pin_state", "buyer.state"]);
    assert_eq!(named("27AABCM5678K1ZY", "URP"), only("buyer.urp", "BuyerDtls.Gstin"));
    let same = named("27AABCM5678K1ZY", "29AAACE1234F1Z2");
    assert!(same.contains(&("buyer.same_gstin".to_owned(), "BuyerDtls.Gstin".to_owned())));
    assert_eq!(named(r#""Pin":411001,"#, ""), only("buyer.pin", "BuyerDtls.Pin"));
    assert_eq!(named(r#""Pos":"27""#, r#""Pos":"96""#), only("buyer.pos", "BuyerDtls.Pos"));
    let export = named(r#""SupTyp":"B2B""#, r#""SupTyp":"EXPWP""#);
    let rules: Vec<_> = export.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(rules, ["buyer.export_urp", "buyer.export_state", "buyer.export_pos", "export.country_missing"]);
    assert_eq!(named("05/11/2026", "23/11/2026"), only("document.future", "DocDtls.Dt"));
    assert!(replaced("05/11/2026", "22/11/2026").is_ok());
}

#[test]
fn a_place_in_a_state_has_not_the_pin_code_of_no_place() {
    for pin in [r#""Pin":560001"#, r#""Pin":411001"#] {
        let rejected = replaced(pin, r#""Pin":999999"#).unwrap_err();
        let finding = &rejected.findings[0];
        assert_eq!((&*finding.rule, finding.code.as_deref()), ("place.pin_state", Some("3039")));
        assert!(finding.message.contains("999999"), "{}", finding.message);
    }
    // Other Territory has none of its own.
    let offshore = findings(|invoice| {
        let buyer = &mut invoice.buyer_dtls;
        buyer.gstin = crate::identifier::Gstin::parse("97AABCM5678K1ZR").unwrap().into();
        (buyer.stcd, buyer.pos) = (crate::identifier::StateCode::OTHER_TERRITORY.into(), buyer.pos.clone());
        buyer.pin = crate::number::Whole::from_units(999_999).into();
    });
    assert_eq!(offshore, []);
}

#[test]
fn items_must_be_numbered_and_goods_measured() {
    assert_eq!(named(replaced(r#""SlNo":"2""#, r#""SlNo":"1""#)), only("items.sl_no", "ItemList[1].SlNo"));
    assert_eq!(named(replaced(r#""Qty":3,"#, "")), only("items.qty", "ItemList[0].Qty"));
    assert_eq!(named(replaced(r#""Unit":"NOS","#, "")), only("items.unit", "ItemList[0].Unit"));
    assert_eq!(named(replaced("998719", "850440")), only("items.service", "ItemList[1].HsnCd"));
    let crowded = findings(|invoice| {
        let item = invoice.item_list[1].clone();
        invoice.item_list.extend(std::iter::repeat_n(item, 1_000));
    });
    assert_eq!(crowded[0], ("items.too_many".to_owned(), "ItemList".to_owned()));
}

#[test]
fn dates_beyond_the_schema_warn_where_they_can_be_left_out_and_reject_elsewhere() {
    let batch = |name: &str, day: &str| {
        let to = format!(r#""SlNo":"1","BchDtls":{{"Nm":"B-1","{name}":"{day}"}}"#);
        replaced(r#""SlNo":"1""#, &to)
    };
    assert_eq!(batch("ExpDt", "01/01/2031").unwrap().findings()[0].rule, "schema.late_year");
    assert!(batch("WrDt", "01/01/2009").is_err());
    assert_eq!(batch("ExpDt", "01/01/2029").unwrap().findings(), []);
    let period = |end: &str| {
        let to = format!(r#""RefDtls":{{"DocPerdDtls":{{"InvStDt":"01/11/2026","InvEndDt":"{end}"}}}},"ValDtls""#);
        named(replaced(r#""ValDtls""#, &to))
    };
    assert_eq!(period("31/12/2059"), only("schema.late_year", "RefDtls.DocPerdDtls.InvEndDt"));
    assert_eq!(period("01/01/2060"), only("schema.pattern", "RefDtls.DocPerdDtls.InvEndDt"), "no source admits it");
}

#[test]
fn rule_names_are_unique_and_every_finding_names_one() {
    let ids: std::collections::BTreeSet<_> = rules().iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules().len());
    assert!(rules().iter().all(|rule| rule.summary.ends_with('.') && rule.in_force(DAY)));
}

#[test]
fn a_supply_without_payment_may_state_rates_and_charge_nothing() {
    let zone = |cess: i64| {
        findings(|invoice| {
            invoice.tran_dtls.sup_typ = Field::Value(crate::document::SupplyType::SezWithoutPayment);
            for (item, taxable) in invoice.item_list.iter_mut().zip([300_000, 50_000]) {
                item.igst_amt = Field::Absent;
                item.tot_item_val = paise(taxable);
            }
            let item = &mut invoice.item_list[0];
            item.ces_rt = crate::number::Rate::from_thousandths(12_000).into();
            item.state_ces_rt = crate::number::Rate::from_thousandths(1_000).into();
            (item.ces_amt, item.tot_item_val) = (paise(cess), paise(300_000 + cess));
            let values = &mut invoice.val_dtls;
            (values.igst_val, values.ces_val, values.tot_inv_val) = (Field::Absent, paise(cess), paise(350_000 + cess));
        })
    };
    assert_eq!(zone(0), []);
    assert_eq!(zone(36_000), [], "what is charged has to be right");
    assert_eq!(zone(20_000), only("items.ces_amt", "ItemList[0].CesAmt"));
}

#[test]
fn goods_taxed_on_their_retail_price_owe_no_rate_of_the_sale_and_still_foot() {
    let goods = |code: &str, value: i64| {
        findings(|invoice| {
            let item = &mut invoice.item_list[0];
            item.hsn_cd = crate::identifier::HsnCode::parse(code).unwrap().into();
            item.gst_rt = crate::number::Rate::from_thousandths(40_000).into();
            // 40 of 140 parts of a retail price of 7,000.
            item.igst_amt = paise(200_000);
            item.tot_item_val = paise(value);
            let values = &mut invoice.val_dtls;
            (values.igst_val, values.tot_inv_val) = (paise(209_000), paise(value + 59_000));
        })
    };
    assert_eq!(goods("21069020", 500_000), []);
    assert_eq!(goods("21069020", 700_000), only("items.tot_item_val", "ItemList[0].TotItemVal"));
    // The same goods by the six digits that suppliers above 5 crore may give; of these one list lacks the code.
    assert_eq!(goods("240220", 500_000), []);
    assert_eq!(goods("240411", 500_000), only("items.hsn_doubtful", "ItemList[0].HsnCd"));
}

#[test]
fn tobacco_kept_28_per_cent_until_it_was_taxed_on_its_retail_price() {
    let rules = |code: &str, day: Date| -> Vec<String> {
        let mut invoice = invoice();
        invoice.doc_dtls.dt = crate::date::DocumentDate::from(day).into();
        let item = &mut invoice.item_list[0];
        item.hsn_cd = crate::identifier::HsnCode::parse(code).unwrap().into();
        item.gst_rt = crate::number::Rate::from_thousandths(28_000).into();
        (item.igst_amt, item.tot_item_val) = (paise(84_000), paise(384_000));
        (invoice.val_dtls.igst_val, invoice.val_dtls.tot_inv_val) = (paise(93_000), paise(443_000));
        named(check(invoice, Vec::new(), &CheckOptions::on(day))).into_iter().map(|(rule, _)| rule).collect()
    };
    let last = date(2026, 1, 31);
    for code in ["24022030", "24031921", "21069020", "24041100"] {
        assert_eq!(rules(code, last), [""; 0], "{code}");
        assert_eq!(rules(code, date(2026, 2, 1)), ["items.rate_ended"], "{code}");
    }
    assert_eq!(rules("850440", last), ["items.rate_ended"]);
    assert_eq!(rules("850440", date(2025, 9, 21)), [""; 0]);
}

/// The invoices of others beside the workspace, where they are there.
fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/samples/invoices");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no sample invoices beside the workspace");
        return Vec::new();
    };
    let mut samples: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    samples.sort();
    assert_eq!(samples.len(), 5, "all of them or none");
    samples
}

/// What the README beside the samples says of each: which rules it breaks, at the day of the document and without
/// the date floor.
fn faults_of(sample: &str) -> &'static [&'static str] {
    match sample {
        "b2b-intra-laptop-stand" => &[],
        "b2b-inter-rice" => &["gstin.check_digit"],
        // Supplier, recipient, ship-to (the same GSTIN as the recipient) and transporter.
        "full-all-sections-other-key-case" => &["gstin.check_digit"; 4],
        "export-with-payment" => &["gstin.check_digit", "items.hsn"],
        "sezwop-zero-igst" => &["gstin.check_digit", "gstin.check_digit", "items.hsn"],
        other => panic!("no verdict is known for {other}"),
    }
}

#[test]
fn the_invoice_of_others_with_a_ship_to_breaks_the_rule_on_hold_once_it_is_in_force() {
    let full = samples().into_iter().find(|(name, _)| name == "full-all-sections-other-key-case");
    let Some((_, text)) = full else { return };
    let codes = |ship_to_gstin: ShipToGstin| {
        let read = Invoice::from_json(&text).unwrap();
        let day = read.invoice.doc_dtls.dt.get().unwrap().date();
        let settings = RuleSettings { ship_to_gstin, ..RuleSettings::default() };
        let options = CheckOptions::on(day).with_settings(Arc::new(settings));
        let findings = check_read(read, &options).unwrap_err().findings;
        findings.iter().filter(|finding| finding.is_error() && finding.code.as_deref() == Some("2323")).count()
    };
    assert_eq!(codes(ShipToGstin::OnHold), 0);
    assert!(codes(ShipToGstin::InForce { from: date(2017, 7, 1) }) > 0);
}

#[test]
fn invoices_made_by_others_get_the_verdicts_their_readme_implies() {
    for (name, text) in samples() {
        let read = Invoice::from_json(&text).unwrap();
        assert_eq!(read.findings, [], "{name}");
        let day = read.invoice.doc_dtls.dt.get().unwrap().date();
        let settings = RuleSettings { earliest_document_date: date(2017, 7, 1), ..RuleSettings::default() };
        let options = CheckOptions::on(day).with_settings(Arc::new(settings));
        let findings = match check(read.invoice.clone(), Vec::new(), &options) {
            Ok(checked) => checked.findings,
            Err(rejected) => rejected.findings,
        };
        let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_ref()).collect();
        // Uncertain points and what concerns the e-way bill are warnings of their own.
        let (certain, others): (Vec<_>, Vec<_>) =
            findings.iter().partition(|finding| finding.is_error() || finding.rule == "gstin.check_digit");
        let certain: Vec<_> = certain.into_iter().map(|finding| finding.rule.as_ref()).collect();
        assert_eq!(certain, faults_of(&name), "{name}: {rules:?}");
        assert!(others.iter().all(|finding| finding.severity <= Severity::Warning), "{name}");
        let again = Invoice::from_json_with(&read.invoice.to_json(), ReadOptions::strict()).unwrap();
        assert_eq!(read.invoice.differences(&again.invoice), []);
        assert_eq!(again.invoice, read.invoice, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exact_arithmetic_always_passes(lines in prop::collection::vec(
        (1_i64..1_000_000, 1_i64..100_000_000, 0_usize..13), 1..20,
    )) {
        use crate::number::{Quantity, Rate, UnitPrice};
        const RATES: [i64; 13] = [0, 100, 250, 1_000, 1_500, 3_000, 5_000, 6_000, 7_500, 12_000, 18_000, 28_000, 40_000];
        let mut invoice = invoice();
        let template = invoice.item_list.remove(0);
        invoice.item_list.clear();
        let (mut taxable, mut tax) = (Amount::ZERO, Amount::ZERO);
        for (index, (quantity, price, rate)) in lines.into_iter().enumerate() {
            let (quantity, price) = (Quantity::from_thousandths(quantity), UnitPrice::from_thousandths(price));
            let rate = Rate::from_thousandths(RATES[rate]);
            let gross = quantity.times(price).unwrap();
            let igst = rate.of(gross).unwrap();
            (taxable, tax) = (taxable.checked_add(gross).unwrap(), tax.checked_add(igst).unwrap());
            invoice.item_list.push(crate::document::Item {
                sl_no: (index + 1).to_string().into(),
                qty: quantity.into(),
                unit_price: price.into(),
                tot_amt: gross.into(),
                discount: Field::Absent,
                ass_amt: gross.into(),
                gst_rt: rate.into(),
                igst_amt: igst.into(),
                tot_item_val: gross.checked_add(igst).unwrap().into(),
                ..template.clone()
            });
        }
        let values = &mut invoice.val_dtls;
        (values.ass_val, values.igst_val) = (taxable.into(), tax.into());
        values.tot_inv_val = taxable.checked_add(tax).unwrap().into();
        let checked = check(invoice, Vec::new(), &CheckOptions::on(DAY)).unwrap();
        prop_assert!(checked.findings().iter().all(|finding| finding.rule == "items.rate_ended"));
    }
}

#[test]
fn a_missing_value_that_the_mapper_reported_is_not_reported_again() {
    let options = CheckOptions::on(date(2026, 11, 5));
    let told = Finding::error("books.seller_incomplete", "SellerDtls.LglNm", "the books hold no legal name");
    let rejected = check(Invoice::new(), vec![told], &options).unwrap_err();
    let at_name = rejected.findings.iter().filter(|finding| finding.path == "SellerDtls.LglNm");
    assert_eq!(at_name.count(), 1);
}

#[test]
fn a_document_beyond_the_size_the_portal_takes_is_refused_and_one_below_is_not() {
    let with_attributes = |count: usize| {
        let mut invoice = invoice();
        let text = || Field::from("\u{915}".repeat(100));
        let attribute = crate::document::AttribDtls { nm: text(), val: text(), ..Default::default() };
        invoice.item_list[0].attrib_dtls = vec![attribute; count];
        check(invoice, Vec::new(), &CheckOptions::on(DAY))
    };
    let right = with_attributes(3_000).unwrap();
    assert!(right.payload().len() < MAX_BYTES);
    let rejected = with_attributes(3_600).unwrap_err();
    let rules: Vec<_> = rejected.findings.iter().map(|finding| finding.rule.as_ref()).collect();
    assert_eq!(rules, ["schema.size"]);
}

//! GOBL, UBL, any JSON by rules, and rules over INV-01.

use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::folder::{Folder, invoice};

const GOBL: &str = include_str!("samples/gobl.json");
pub(crate) const UBL: &str = include_str!("samples/ubl.xml");

async fn mapped(name: &str, content: &str, settings: Value) -> Vec<Mapped> {
    let folder = Folder::new();
    folder.write(name, content.as_bytes());
    let source = folder.source(settings);
    let items = folder.items(&source).await;
    assert_eq!(items.problems().len(), 0, "{:?}", items.problems());
    let records = items.records();
    // What is mapped from the text alone is what was mapped while it was read.
    let once: Vec<Mapped> = records.iter().map(|record| source.map(record)).collect();
    let again: Vec<Mapped> = records.iter().map(|record| source.map(record)).collect();
    assert_eq!(format!("{once:?}"), format!("{again:?}"));
    once
}

pub(crate) async fn document(name: &str, content: &str, settings: Value) -> MappedDocument {
    match mapped(name, content, settings).await.pop() {
        Some(Mapped::Document(document)) => *document,
        other => panic!("no document: {other:?}"),
    }
}

/// The rules that object, with their paths.
pub(crate) fn objections(document: &MappedDocument) -> Vec<String> {
    let options = CheckOptions::on(date(2026, 11, 5));
    let result = rulebook::check(document.invoice.clone(), document.findings.clone(), &options);
    let findings = match &result {
        Ok(checked) => checked.findings(),
        Err(rejected) => &rejected.findings,
    };
    findings.iter().map(|finding| format!("{} {}", finding.rule, finding.path)).collect()
}

pub(crate) fn amounts(document: &MappedDocument) -> Value {
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    made["ValDtls"].clone()
}

#[tokio::test]
async fn a_gobl_invoice_becomes_a_document_that_every_rule_accepts() {
    let document = document("kv.json", GOBL, json!({})).await;
    assert_eq!(objections(&document), ["mapping.place_of_supply BuyerDtls.Pos"]);
    assert_eq!(document.invoice.label(), "INV KV-0107 of 05/11/2026");
    let item = &document.invoice.item_list[0];
    let shown = (item.unit.as_ref().unwrap().to_string(), item.discount.get().unwrap().paise());
    assert_eq!(shown, ("PCS".to_owned(), 45_000));
    assert_eq!(amounts(&document), json!({"AssVal": 4850, "IgstVal": 873, "TotInvVal": 5723}));
    assert_eq!(document.provenance["ItemList[1].HsnCd"], "lines[1].item.identities[type=HSN].code");
}

#[tokio::test]
async fn a_ubl_invoice_becomes_a_document_that_every_rule_accepts() {
    let document = document("kv.xml", UBL, json!({})).await;
    assert_eq!(objections(&document), Vec::<String>::new());
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    assert_eq!(made["BuyerDtls"]["LglNm"], "Marina Engineering & Co");
    assert_eq!((&made["BuyerDtls"]["Pos"], &made["ShipDtls"]), (&json!("33"), &Value::Null));
    let item = &made["ItemList"][0];
    assert_eq!((&item["UnitPrice"], &item["TotAmt"], &item["Discount"]), (&json!(100), &json!(2000), &json!(100)));
    assert_eq!((&item["IgstAmt"], &item["Unit"], &item["HsnCd"]), (&json!(342), &json!("PCS"), &json!("848410")));
    assert_eq!(made["RefDtls"]["ContrDtls"][0]["PORefr"], "PO-7");
}

#[tokio::test]
async fn any_json_is_mapped_by_rules_and_passed_over_by_rules() {
    let bill = |number: &str, kind: &str| {
        json!({"no": number, "kind": kind, "on": "5-11-2026", "to": {"gst": "27AABCT4432C1ZQ"},
            "rows": [{"code": "8481", "n": 2, "rate": "1,000.50"}]})
    };
    let settings = json!({
        "format": "mapped", "lines": "rows",
        "mapping": {
            "set": {
                "DocDtls.No": "no", "DocDtls.Dt": "on", "DocDtls.Typ": {"value": "INV"}, "TranDtls.SupTyp": {"value": "B2B"},
                "SellerDtls.Gstin": {"value": "29AAKCV7711B1Z9"}, "BuyerDtls.Gstin": "to.gst",
                "ItemList.HsnCd": "code", "ItemList.Qty": "n", "ItemList.UnitPrice": "rate", "ItemList.GstRt": {"value": 18}
            },
            "skip": [{"field": "kind", "in": ["estimate"], "reason": "estimate"}]
        }
    });
    let bills = json!([bill("A/1", "sale"), bill("A/2", "Estimate")]).to_string();
    let mut mapped = mapped("bills.json", &bills, settings).await.into_iter();
    let Some(Mapped::Document(document)) = mapped.next() else { panic!("no document") };
    assert_eq!(amounts(&document), json!({"AssVal": 2001, "IgstVal": 360.18, "TotInvVal": 2361.18}));
    assert_eq!(document.provenance["ItemList[0].UnitPrice"], "rows[0].rate");
    assert!(matches!(mapped.next(), Some(Mapped::Skipped(skip)) if skip.reason == "estimate"));
}

#[tokio::test]
async fn rules_go_over_inv_01_and_leave_the_rest_as_it_stands() {
    let mut text: Value = serde_json::from_str(&invoice("A/1")).unwrap();
    text["Extra"] = json!({"po": "PO 9"});
    let rules = json!({"mapping": {"set": {
        "RefDtls.ContrDtls[0].PORefr": "Extra.po",
        "ItemList.Unit": {"value": "NOS"},
        "SellerDtls.LglNm": {"join": [{"document": "SellerDtls.LglNm"}, {"value": "Limited"}]}
    }}});
    let document = document("a.json", &text.to_string(), rules).await;
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    assert_eq!(made["RefDtls"]["ContrDtls"][0]["PORefr"], "PO 9");
    assert_eq!((&made["ItemList"][0]["Unit"], &made["ItemList"][0]["TotAmt"]), (&json!("NOS"), &Value::Null));
    assert_eq!(made["SellerDtls"]["LglNm"], "Invented Traders Limited");
}

/// The GOBL sample with changes: each a JSON pointer into the invoice and a value, `null` to take it away.
fn gobl(changes: &[(&str, Value)]) -> String {
    let mut envelope: Value = serde_json::from_str(GOBL).unwrap();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = envelope["doc"].pointer_mut(parent).unwrap();
        match parent {
            Value::Array(entries) => entries[name.parse::<usize>().unwrap()] = value.clone(),
            parent if value.is_null() => _ = parent.as_object_mut().unwrap().remove(name),
            parent => parent[name] = value.clone(),
        }
    }
    envelope.to_string()
}

/// The one rule by which a file of one document is refused, with what it says.
pub(crate) async fn refusal(name: &str, content: &[u8], settings: Value) -> (String, String) {
    let folder = Folder::new();
    folder.write(name, content);
    let problems = folder.items(&folder.source(settings)).await.problems();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    let finding = &problem.findings[0];
    assert!(finding.fix.is_some() && finding.place.as_ref().unwrap().contains(name), "{finding}");
    (finding.rule.to_string(), finding.to_string())
}

#[tokio::test]
async fn a_gobl_pro_forma_is_passed_over_and_a_type_without_a_place_in_inv_01_is_an_error() {
    let found = mapped("a.json", &gobl(&[("/type", json!("proforma"))]), json!({})).await;
    assert!(matches!(&found[0], Mapped::Skipped(skip) if skip.reason == "pro_forma"), "{found:?}");
    let corrective = document("a.json", &gobl(&[("/type", json!("corrective"))]), json!({})).await;
    assert!(objections(&corrective).contains(&"mapping.not_in_table DocDtls.Typ".to_owned()));
    let untold = document("a.json", &gobl(&[("/type", Value::Null)]), json!({})).await;
    assert_eq!(untold.invoice.label(), "INV KV-0107 of 05/11/2026");
}

/// 10% off the whole: taken off before tax on both lines, so that tax and total are those of GOBL.
#[tokio::test]
async fn a_taxed_discount_of_a_whole_gobl_document_is_shared_out_over_its_lines() {
    let text = gobl(&[
        ("/discounts", json!([{"amount": "100.00", "taxes": [{"cat": "IGST", "percent": "18.0%"}]}])),
        (
            "/totals",
            json!({"sum": "4850.00", "discount": "100.00", "total": "4750.00", "tax": "855.00",
            "taxes": {"categories": [{"code": "IGST", "amount": "855.00"}]}, "total_with_tax": "5605.00", "payable": "5605.00"}),
        ),
    ]);
    let document = document("a.json", &text, json!({})).await;
    assert_eq!(objections(&document), ["mapping.place_of_supply BuyerDtls.Pos"]);
    assert_eq!(amounts(&document), json!({"AssVal": 4750, "IgstVal": 855, "TotInvVal": 5605}));
    let items: Vec<_> = document
        .invoice
        .item_list
        .iter()
        .map(|item| {
            (
                item.tot_amt.get().unwrap().paise(),
                item.discount.get().unwrap().paise(),
                item.ass_amt.get().unwrap().paise(),
            )
        })
        .collect();
    // 83.51 and 16.49 of it, in the proportion of 4,050 to 800.
    assert_eq!(items, [(450_000, 53_351, 396_649), (80_000, 1_649, 78_351)]);
}

#[tokio::test]
async fn an_untaxed_discount_and_charge_of_a_whole_gobl_document_stay_after_tax() {
    let text = gobl(&[
        ("/discounts", json!([{"amount": "50.00"}])),
        ("/charges", json!([{"amount": "20.00"}])),
        (
            "/totals",
            json!({"sum": "4850.00", "total": "4820.00", "total_with_tax": "5693.00", "payable": "5693.40", "rounding": "0.40"}),
        ),
    ]);
    let document = document("a.json", &text, json!({})).await;
    assert_eq!(objections(&document), ["mapping.place_of_supply BuyerDtls.Pos"]);
    assert_eq!(
        amounts(&document),
        json!({"AssVal": 4850, "IgstVal": 873, "Discount": 50, "OthChrg": 20, "RndOffAmt": 0.4, "TotInvVal": 5693.4})
    );
}

#[tokio::test]
async fn what_cannot_be_placed_in_inv_01_is_refused_with_what_to_do() {
    let discount =
        |amount: &str, percent: &str| json!([{"amount": amount, "taxes": [{"cat": "IGST", "percent": percent}]}]);
    for (changes, rule, part) in [
        (vec![("/currency", json!("USD"))], "json.currency", "INV-01 takes rupees"),
        (vec![("/discounts", discount("10.00", "5%"))], "json.document_adjustment", "no line of its rate"),
        (vec![("/discounts", discount("ten", "18%"))], "json.document_adjustment", "no amount"),
    ] {
        let (found, text) = refusal("a.json", gobl(&changes).as_bytes(), json!({})).await;
        assert_eq!(found, rule);
        assert!(text.contains(part), "{text}");
    }
    let twice = GOBL.replacen("\"code\": \"0107\"", "\"code\": \"0107\", \"code\": \"0108\"", 1);
    let (rule, text) = refusal("a.json", twice.as_bytes(), json!({})).await;
    assert_eq!(rule, "json.structure");
    assert!(text.contains("the member code stands twice"), "{text}");
}

#[tokio::test]
async fn a_gobl_line_with_charge_two_discounts_and_the_tax_of_a_union_territory_keeps_its_taxable_value() {
    let line = json!([{"i": 1, "quantity": "1", "item": {"name": "Pump service", "price": "1000.00",
            "identities": [{"type": "HSN", "code": "9987"}]}, "sum": "1000.00", "charges": [{"amount": "20.00"}],
        "discounts": [{"amount": "5.00"}, {"amount": "15.00"}], "total": "1000.00",
        "taxes": [{"cat": "CGST", "percent": "9%"}, {"cat": "UTGST", "percent": "9%"}]}]);
    let text = gobl(&[
        ("/lines", line),
        ("/customer/tax_id/code", json!("29AAACI1234E1Z2")),
        ("/$tags", json!(["reverse-charge"])),
        ("/preceding", json!([{"series": "KV", "code": "0100", "issue_date": "2026-10-01"}, {"code": "0101"}])),
        (
            "/totals",
            json!({"sum": "1000.00", "total": "1000.00", "total_with_tax": "1180.00", "payable": "1170.00",
            "retained_tax": "10.00"}),
        ),
    ]);
    let document = document("a.json", &text, json!({})).await;
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    let item = &made["ItemList"][0];
    assert_eq!((&item["TotAmt"], &item["Discount"], &item["AssAmt"]), (&json!(1020), &json!(20), &json!(1000)));
    assert_eq!((&item["GstRt"], &item["CgstAmt"], &item["SgstAmt"]), (&json!(18), &json!(90), &json!(90)));
    assert_eq!((&made["ValDtls"]["TotInvVal"], &made["TranDtls"]["RegRev"]), (&json!(1180), &json!("Y")));
    let preceding = &made["RefDtls"]["PrecDocDtls"];
    assert_eq!((&preceding[0]["InvNo"], &preceding[1]["InvNo"]), (&json!("KV-0100"), &json!("0101")));
}

#[tokio::test]
async fn a_gobl_export_has_no_indian_recipient() {
    for (percent, supply) in [("18%", "EXPWP"), ("0%", "EXPWOP")] {
        let customer = json!({"name": "Rhein Armaturen GmbH", "tax_id": {"country": "DE", "code": "111111125"},
            "addresses": [{"street": "Hafenweg 1", "locality": "Duisburg", "code": "47051", "country": "DE"}]});
        let tax = json!([{"cat": "IGST", "percent": percent}]);
        let text = gobl(&[
            ("/customer", customer),
            ("/lines/0/taxes", tax.clone()),
            ("/lines/1/taxes", tax),
            ("/totals", json!({})),
        ]);
        let document = document("a.json", &text, json!({})).await;
        assert_eq!(objections(&document), Vec::<String>::new(), "{supply}");
        let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
        let buyer = &made["BuyerDtls"];
        assert_eq!((&made["TranDtls"]["SupTyp"], &buyer["Gstin"]), (&json!(supply), &json!("URP")));
        assert_eq!((&buyer["Pin"], &buyer["Pos"], &buyer["Stcd"]), (&json!(999_999), &json!("96"), &json!("96")));
        assert_eq!(made["ExpDtls"]["CntCode"], "DE");
    }
}

/// What a document states in total is held against its lines: a tax charged under the other head is no rounding.
#[tokio::test]
async fn totals_that_do_not_fit_the_lines_are_errors() {
    let taxes = json!({"categories": [{"code": "CGST", "amount": "436.50"}, {"code": "SGST", "amount": "436.50"}]});
    let stated = document("a.json", &gobl(&[("/totals/taxes", taxes)]), json!({})).await;
    let objections = objections(&stated);
    assert!(objections.iter().any(|found| found.ends_with("ValDtls.CgstVal")), "{objections:?}");
    let sum = document("a.json", &gobl(&[("/totals/sum", json!("4900.00"))]), json!({})).await;
    assert!(self::objections(&sum).iter().any(|found| found.ends_with("ValDtls.AssVal")));
}

/// The UBL sample with texts replaced.
fn ubl(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(UBL.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

const LINE_ALLOWANCE: &str = "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:Amount currencyID=\"INR\">100.00</cbc:Amount></cac:AllowanceCharge>";

#[tokio::test]
async fn several_allowances_and_charges_of_a_ubl_line_add_up() {
    let several = format!(
        "{LINE_ALLOWANCE}{}{}",
        LINE_ALLOWANCE.replace("100.00", "50.00"),
        LINE_ALLOWANCE.replace("false", "true").replace("100.00", "50.00")
    );
    let document = document("a.xml", &ubl(&[(LINE_ALLOWANCE, &several)]), json!({})).await;
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    let item = &made["ItemList"][0];
    assert_eq!((&item["TotAmt"], &item["Discount"], &item["AssAmt"]), (&json!(2050), &json!(150), &json!(1900)));
    assert_eq!(made["ValDtls"]["TotInvVal"], 2242);
}

/// CGST and SGST as schemes of their own, in one total each, on the line and on the document; the second line of the
/// commodity classification is the HSN.
#[tokio::test]
async fn ubl_taxes_are_found_in_one_total_each_and_the_hsn_beside_codes_of_other_lists() {
    let total = |scheme: &str| {
        format!(
            "<cac:TaxTotal><cbc:TaxAmount>171.00</cbc:TaxAmount><cac:TaxSubtotal><cbc:TaxAmount>171.00</cbc:TaxAmount>\
             <cac:TaxCategory><cbc:Percent>9</cbc:Percent><cac:TaxScheme><cbc:ID>{scheme}</cbc:ID></cac:TaxScheme></cac:TaxCategory>\
             </cac:TaxSubtotal></cac:TaxTotal>"
        )
    };
    let both = total("CGST") + &total("UTGST");
    let other = "<cac:CommodityClassification><cbc:ItemClassificationCode listID=\"UNSPSC\">31401500</cbc:ItemClassificationCode></cac:CommodityClassification><cac:CommodityClassification>";
    let text = ubl(&[
        ("IN-TN", "IN-KA"),
        ("<cac:Item>", &format!("{both}<cac:Item>")),
        ("<cac:LegalMonetaryTotal>", &format!("{both}<cac:LegalMonetaryTotal>")),
        ("<cac:CommodityClassification>", other),
    ]);
    let found = document("a.xml", &text, json!({})).await;
    assert_eq!(objections(&found), Vec::<String>::new());
    let made: Value = serde_json::from_str(&found.invoice.to_json()).unwrap();
    let item = &made["ItemList"][0];
    assert_eq!(
        (&item["GstRt"], &item["CgstAmt"], &item["SgstAmt"], &item["IgstAmt"]),
        (&json!(18), &json!(171), &json!(171), &Value::Null)
    );
    assert_eq!((&item["HsnCd"], &made["ValDtls"]["SgstVal"]), (&json!("848410"), &json!(171)));
    // A code of another list alone is no HSN.
    let none = document("a.xml", &ubl(&[("listID=\"HS\"", "listID=\"UNSPSC\"")]), json!({})).await;
    assert!(objections(&none).iter().any(|found| found.ends_with("ItemList[0].HsnCd")));
}

#[tokio::test]
async fn a_taxed_allowance_of_a_whole_ubl_document_lowers_its_lines_and_what_was_prepaid_lowers_nothing() {
    let allowance = "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:Amount currencyID=\"INR\">900.00</cbc:Amount>\
        <cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>18.00</cbc:Percent><cac:TaxScheme><cbc:ID>GST</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:AllowanceCharge>";
    let text = ubl(&[
        ("<cac:LegalMonetaryTotal>", &format!("{allowance}<cac:LegalMonetaryTotal>")),
        (
            "<cbc:PayableRoundingAmount",
            "<cbc:PrepaidAmount currencyID=\"INR\">80.00</cbc:PrepaidAmount><cbc:PayableRoundingAmount",
        ),
        ("2242.00", "1100.00"),
    ]);
    let document = document("a.xml", &text, json!({})).await;
    assert_eq!(objections(&document), Vec::<String>::new());
    assert_eq!(amounts(&document), json!({"AssVal": 1000, "IgstVal": 180, "RndOffAmt": 0, "TotInvVal": 1180}));
}

#[tokio::test]
async fn a_ubl_export_has_no_indian_recipient() {
    let (place, number) = (
        "<cbc:PostalZone>600002</cbc:PostalZone>",
        "<cbc:CompanyID>33AAECM9012D1ZX</cbc:CompanyID><cac:TaxScheme><cbc:ID>GST<",
    );
    let abroad = "<cbc:PostalZone>47051</cbc:PostalZone><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>";
    let text = ubl(&[
        (place, abroad),
        (number, "<cbc:CompanyID>DE111111125</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT<"),
        ("<cbc:ID>S</cbc:ID><cbc:Percent>18</cbc:Percent>", "<cbc:ID>G</cbc:ID>"),
        ("2242.00", "1900.00"),
    ]);
    let document = document("a.xml", &text, json!({})).await;
    assert_eq!(objections(&document), Vec::<String>::new());
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    assert_eq!((&made["TranDtls"]["SupTyp"], &made["BuyerDtls"]["Gstin"]), (&json!("EXPWOP"), &json!("URP")));
    assert_eq!((&made["BuyerDtls"]["Pos"], &made["ExpDtls"]["CntCode"]), (&json!("96"), &json!("DE")));
}

#[tokio::test]
async fn ubl_that_inv_01_cannot_hold_or_that_hides_something_is_refused() {
    let second = UBL.find("<cac:InvoiceLine>").map(|at| &UBL[at..UBL.rfind("</Invoice>").unwrap()]).unwrap();
    let mixed =
        ubl(&[("</Invoice>", &format!("{}</Invoice>", second.replace("<cbc:ID>S</cbc:ID>", "<cbc:ID>AE</cbc:ID>")))]);
    let bomb = format!(
        "<!DOCTYPE Invoice [<!ENTITY a \"{}\">]>{}",
        "x".repeat(1000),
        ubl(&[("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", ""), ("Flange gasket", &"&a;".repeat(1000))])
    );
    let outside = ubl(&[("<Invoice", "<!DOCTYPE Invoice SYSTEM \"http://invented.example/ubl.dtd\"><Invoice")]);
    for (content, rule, part) in [
        (ubl(&[("<cbc:DocumentCurrencyCode>INR", "<cbc:DocumentCurrencyCode>EUR")]), "json.currency", "in EUR"),
        (ubl(&[("currencyID=\"INR\">1000.00", "currencyID=\"USD\">1000.00")]), "json.currency", "in USD"),
        (mixed, "ubl.mixed_categories", "1 of 2 lines"),
        (bomb, "xml.structure", "document type"),
        (outside, "xml.structure", "document type"),
    ] {
        let (found, text) = refusal("a.xml", content.as_bytes(), json!({})).await;
        assert_eq!(found, rule, "{text}");
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn ubl_is_read_in_the_encodings_of_files_and_under_any_name() {
    let utf16: Vec<u8> =
        format!("\u{feff}{}", ubl(&[("UTF-8", "UTF-16")])).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}{UBL}").into_bytes();
    let western: Vec<u8> = ubl(&[("UTF-8", "windows-1252"), ("Mount Road", "Caf\u{e9} Road")])
        .chars()
        .map(|found| u8::try_from(u32::from(found)).unwrap())
        .collect();
    for (name, bytes, settings) in [
        ("a.xml", utf16, json!({})),
        ("a.xml", marked, json!({})),
        ("a.ubl", UBL.as_bytes().to_vec(), json!({"format": "ubl", "path": "in/*.ubl"})),
        ("a.xml", western, json!({"encoding": "windows-1252"})),
    ] {
        let folder = Folder::new();
        folder.write(name, &bytes);
        let source = folder.source(settings);
        let items = folder.items(&source).await;
        assert_eq!(items.problems().len(), 0, "{:?}", items.problems());
        assert_eq!(items.records()[0].reference.record_id, "29AAKCV7711B1Z9/2026-27/INV/KV/108");
    }
}

/// Rules of the configuration are applied to all of a document or the document is refused.
#[tokio::test]
async fn an_inv_01_document_that_rules_cannot_read_is_refused_and_not_passed_on_without_them() {
    let text = invoice("A/1").replacen('{', "{\"Extra\":{\"po\":\"1\",\"po\":\"2\"},", 1);
    let rules = json!({"mapping": {"set": {"RefDtls.ContrDtls[0].PORefr": "Extra.po"}}});
    let found = mapped("a.json", &text, rules).await;
    let Mapped::Unmappable { findings, .. } = &found[0] else { panic!("{found:?}") };
    assert!(findings[0].to_string().contains("the member po stands twice"), "{findings:?}");
}

#[tokio::test]
async fn what_is_no_invoice_is_refused_in_words() {
    for (name, content, rule) in [
        ("a.xml", "<Order/>", "ubl.root"),
        ("a.xml", "<Invoice>", "xml.structure"),
        ("a.xml", "", "xml.structure"),
        ("a.json", r#"{"$schema": "https://gobl.org/draft-0/bill/order"}"#, "gobl.schema"),
    ] {
        let folder = Folder::new();
        folder.write(name, content.as_bytes());
        let settings = if name == "a.xml" { json!({"format": "ubl"}) } else { json!({}) };
        let items = folder.items(&folder.source(settings)).await;
        let problems = items.problems();
        let rules: Vec<&str> = problems.iter().map(|problem| &*problem.findings[0].rule).collect();
        assert_eq!(rules, [rule], "{content}");
    }
}

//! What belongs to a line and what to the document: members of one name, and taxes that UBL states per document.

use einvoice_core::source::MappedDocument;
use serde_json::{Value, json};

use crate::formats::{UBL, amounts, document, objections, refusal};

/// A line of a UBL document with these elements of its item.
fn line(number: u32, value: &str, item: &str) -> String {
    format!(
        "<cac:InvoiceLine><cbc:ID>{number}</cbc:ID><cbc:InvoicedQuantity unitCode=\"H87\">1</cbc:InvoicedQuantity>\
         <cbc:LineExtensionAmount>{value}</cbc:LineExtensionAmount><cac:Item><cbc:Name>Gasket</cbc:Name>\
         <cac:CommodityClassification><cbc:ItemClassificationCode listID=\"HS\">848410</cbc:ItemClassificationCode>\
         </cac:CommodityClassification>{item}</cac:Item></cac:InvoiceLine>"
    )
}

/// The rate of a line, under the one scheme that UBL has for all taxes.
fn rate(percent: &str) -> String {
    format!(
        "<cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>{percent}</cbc:Percent>\
         <cac:TaxScheme><cbc:ID>GST</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory>"
    )
}

/// A tax of the document: its scheme, rate and amount, and the value it is charged on.
fn subtotal(scheme: &str, percent: &str, amount: &str, taxable: &str) -> String {
    let taxable =
        if taxable.is_empty() { String::new() } else { format!("<cbc:TaxableAmount>{taxable}</cbc:TaxableAmount>") };
    let percent = if percent.is_empty() { String::new() } else { format!("<cbc:Percent>{percent}</cbc:Percent>") };
    format!(
        "<cac:TaxSubtotal>{taxable}<cbc:TaxAmount>{amount}</cbc:TaxAmount><cac:TaxCategory>{percent}\
         <cac:TaxScheme><cbc:ID>{scheme}</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal>"
    )
}

/// The UBL sample with other lines, taxes of the document and totals, sold inside Karnataka where the taxes say so.
fn ubl(lines: &[String], taxes: &[String], (value, payable): (&str, &str)) -> String {
    let before = &UBL[..UBL.find("<cac:InvoiceLine>").unwrap()];
    let taxes = taxes.concat();
    let place = if taxes.contains("CGST") { "IN-KA" } else { "IN-TN" };
    let head = before
        .replace("IN-TN", place)
        .replace(">1900.00<", &format!(">{value}<"))
        .replace(">2242.00<", &format!(">{payable}<"))
        .replace("<cac:LegalMonetaryTotal>", &format!("<cac:TaxTotal>{taxes}</cac:TaxTotal><cac:LegalMonetaryTotal>"));
    format!("{head}{}</Invoice>", lines.concat())
}

/// Members of each item.
fn items(document: &MappedDocument, members: &[&str]) -> Vec<Vec<Value>> {
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    let items = made["ItemList"].as_array().unwrap().iter();
    items.map(|item| members.iter().map(|member| item[*member].clone()).collect()).collect()
}

#[tokio::test]
async fn a_line_of_any_json_takes_nothing_of_the_document_that_has_the_same_name() {
    let text = json!({"no": "A/1", "discount": 50, "freight": 7, "rows": [
        {"sum": 100}, {"sum": 200, "discount": 20}, {"sum": 300, "discount": ""}
    ]});
    let rules = json!({"format": "mapped", "lines": "rows", "mapping": {"complete": false, "set": {
        "ValDtls.Discount": "discount", "ItemList.TotAmt": "sum", "ItemList.Discount": "discount",
        "ItemList.OthChrg": "/freight", "ItemList.AssAmt": {"formula": "sum - or(discount, 0) + [/freight]"}
    }}});
    let document = document("a.json", &text.to_string(), rules).await;
    assert_eq!(
        items(&document, &["TotAmt", "Discount", "OthChrg", "AssAmt"]),
        [
            vec![json!(100), Value::Null, json!(7), json!(107)],
            vec![json!(200), json!(20), json!(7), json!(187)],
            vec![json!(300), Value::Null, json!(7), json!(307)],
        ]
    );
    assert_eq!(amounts(&document)["Discount"], 50);
    assert_eq!(document.provenance["ItemList[1].OthChrg"], "freight");
    assert_eq!(document.provenance["ItemList[1].Discount"], "rows[1].discount");
}

#[tokio::test]
async fn a_rule_over_inv_01_takes_nothing_of_the_document_for_a_line_either() {
    let text = crate::folder::invoice("A/1").replacen('{', "{\"code\":\"8484\",", 1);
    let rules = json!({"mapping": {"set": {"ItemList.Barcde": "code"}}});
    let document = document("a.json", &text, rules).await;
    assert_eq!(items(&document, &["Barcde"]), [[Value::Null]]);
}

/// Two lines of 18% and one of 5%, with the taxes of each rate once for the document.
#[tokio::test]
async fn ubl_taxes_stated_per_document_go_to_the_lines_of_their_rate() {
    let lines = [line(1, "1000.00", &rate("18")), line(2, "100.10", &rate("5")), line(3, "500.00", &rate("18"))];
    let taxes = [
        subtotal("CGST", "9", "135.00", "1500.00"),
        subtotal("SGST", "9", "135.00", "1500.00"),
        subtotal("CGST", "2.5", "2.50", "100.10"),
        subtotal("UTGST", "2.5", "2.50", "100.10"),
    ];
    let found = document("a.xml", &ubl(&lines, &taxes, ("1600.10", "1875.10")), json!({})).await;
    assert_eq!(objections(&found), Vec::<String>::new());
    assert_eq!(
        items(&found, &["GstRt", "CgstAmt", "SgstAmt", "IgstAmt"]),
        [
            [json!(18), json!(90), json!(90), Value::Null],
            [json!(5), json!(2.5), json!(2.5), Value::Null],
            [json!(18), json!(45), json!(45), Value::Null],
        ]
    );
    // Between states, with lines in one scheme of their own, and a rate that is not charged at all.
    let lines = [line(1, "1000.00", &rate("18")), line(2, "200.00", &rate("0")), line(3, "100.00", &rate("5"))];
    let taxes = [subtotal("IGST", "", "185.00", "")];
    let found = document("a.xml", &ubl(&lines, &taxes, ("1300.00", "1485.00")), json!({})).await;
    assert_eq!(objections(&found), Vec::<String>::new());
    assert_eq!(items(&found, &["IgstAmt"]), [[json!(180)], [json!(0)], [json!(5)]]);
}

#[tokio::test]
async fn what_rounding_leaves_of_a_ubl_document_tax_goes_to_the_largest_line() {
    let lines = [line(1, "10.03", &rate("18")), line(2, "20.03", &rate("18")), line(3, "10.03", &rate("18"))];
    // By line 1.81, 3.61 and 1.81; of the whole 40.09 it is 7.22.
    let taxes = [subtotal("IGST", "18", "7.22", "40.09")];
    let found = document("a.xml", &ubl(&lines, &taxes, ("40.09", "47.31")), json!({})).await;
    assert_eq!(objections(&found), Vec::<String>::new());
    assert_eq!(items(&found, &["IgstAmt"]), [[json!(1.81)], [json!(3.6)], [json!(1.81)]]);
    assert_eq!(amounts(&found)["IgstVal"], json!(7.22));
    // What is no matter of rounding is left for the rules to find.
    let taxes = [subtotal("IGST", "18", "17.22", "40.09")];
    let found = document("a.xml", &ubl(&lines, &taxes, ("40.09", "57.31")), json!({})).await;
    assert!(objections(&found).iter().any(|found| found.ends_with("ValDtls.IgstVal")), "{:?}", objections(&found));
}

#[tokio::test]
async fn ubl_lines_that_state_no_rate_have_that_of_the_document_if_it_has_one_only() {
    let lines = [line(1, "1000.00", ""), line(2, "500.00", "")];
    let one = [subtotal("CGST", "9", "135.00", "1500.00"), subtotal("SGST", "9", "135.00", "1500.00")];
    let found = document("a.xml", &ubl(&lines, &one, ("1500.00", "1770.00")), json!({})).await;
    assert_eq!(objections(&found), Vec::<String>::new());
    assert_eq!(
        items(&found, &["GstRt", "CgstAmt", "SgstAmt"]),
        [[json!(18), json!(90), json!(90)], [json!(18), json!(45), json!(45)]]
    );
    for taxes in [
        // Two rates; a rate on a part of the value; a cess of who knows which line; a rate that no line has.
        vec![subtotal("IGST", "18", "180.00", "1000.00"), subtotal("IGST", "5", "25.00", "500.00")],
        vec![subtotal("IGST", "18", "180.00", "1000.00")],
        vec![subtotal("CESS", "1", "15.00", "")],
        vec![subtotal("IGST", "", "180.00", "")],
    ] {
        let text = ubl(&lines, &taxes, ("1500.00", "1705.00"));
        let (rule, said) = refusal("a.xml", text.as_bytes(), json!({})).await;
        assert_eq!(rule, "ubl.document_tax");
        assert!(said.contains("nothing says which lines it is charged on"), "{said}");
    }
    let other =
        ubl(&[line(1, "1000.00", &rate("12"))], &[subtotal("IGST", "18", "180.00", "")], ("1000.00", "1180.00"));
    assert_eq!(refusal("a.xml", other.as_bytes(), json!({})).await.0, "ubl.document_tax");
}

#[tokio::test]
async fn a_cess_of_a_ubl_document_goes_to_the_lines_that_name_it_or_to_all_it_is_charged_on() {
    let cess = "<cac:ClassifiedTaxCategory><cbc:Percent>12</cbc:Percent><cac:TaxScheme><cbc:ID>CESS</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory>";
    let lines = [line(1, "1000.00", &rate("40")), line(2, "500.00", &(rate("40") + cess))];
    let taxes = [subtotal("IGST", "40", "600.00", "1500.00"), subtotal("CESS", "12", "60.00", "500.00")];
    let found = document("a.xml", &ubl(&lines, &taxes, ("1500.00", "2160.00")), json!({})).await;
    assert_eq!(items(&found, &["CesRt", "CesAmt"]), [[Value::Null, Value::Null], [json!(12), json!(60)]]);
    let lines = [line(1, "1000.00", &rate("40")), line(2, "500.00", &rate("40"))];
    let taxes = [subtotal("IGST", "40", "600.00", "1500.00"), subtotal("CESS", "12", "180.00", "1500.00")];
    let found = document("a.xml", &ubl(&lines, &taxes, ("1500.00", "2280.00")), json!({})).await;
    assert_eq!(items(&found, &["CesRt", "CesAmt"]), [[json!(12), json!(120)], [json!(12), json!(60)]]);
}

#[tokio::test]
async fn a_ubl_line_without_a_member_of_its_own_has_none_of_the_documents() {
    let without_number = line(2, "100.00", &rate("18")).replace("<cbc:ID>2</cbc:ID><cbc:Inv", "<cbc:Inv");
    let lines = [line(1, "950.125", &rate("18")), without_number];
    let found = document("a.xml", &ubl(&lines, &[], ("1050.13", "1239.15")), json!({})).await;
    assert_eq!(
        items(&found, &["SlNo", "AssAmt", "IgstAmt"]),
        [[json!("1"), json!(950.13), json!(171.02)], [json!("2"), json!(100), json!(18)]]
    );
    assert!(objections(&found).contains(&"mapping.rounded ItemList[0].AssAmt".to_owned()), "{:?}", objections(&found));
}

#[tokio::test]
async fn an_export_with_tax_stated_per_document_is_one_with_payment_of_tax() {
    let abroad = "<cbc:PostalZone>47051</cbc:PostalZone><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>";
    let text = ubl(&[line(1, "1000.00", "")], &[subtotal("IGST", "18", "180.00", "")], ("1000.00", "1180.00"))
        .replace("<cbc:PostalZone>600002</cbc:PostalZone>", abroad)
        .replace(
            "<cbc:CompanyID>33AAECM9012D1ZX</cbc:CompanyID><cac:TaxScheme><cbc:ID>GST<",
            "<cbc:CompanyID>DE111111125</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT<",
        );
    let found = document("a.xml", &text, json!({})).await;
    assert_eq!(objections(&found), Vec::<String>::new());
    let made: Value = serde_json::from_str(&found.invoice.to_json()).unwrap();
    assert_eq!((&made["TranDtls"]["SupTyp"], &made["ItemList"][0]["IgstAmt"]), (&json!("EXPWP"), &json!(180)));
}

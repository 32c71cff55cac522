//! What a voucher leaves open, or says no to: refused or left out, and never guessed.

use einvoice_core::document::Invoice;
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument, Skip};
use serde_json::{Value, json};

use crate::bad_input::{envelope, voucher};
use crate::common::{folder_with, outcome, read, source};
use crate::vouchers::{fixture, mapped, valid};

/// The findings of one rule.
fn of_rule<'f>(findings: &'f [Finding], rule: &str) -> Vec<&'f Finding> {
    findings.iter().filter(|finding| finding.rule == rule).collect()
}

/// All that a finding says, in one text.
fn whole(finding: &Finding) -> String {
    let parts = [&finding.found, &finding.expected, &finding.fix];
    parts.into_iter().flatten().fold(finding.to_string(), |said, part| format!("{said}; {part}"))
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

/// What becomes of the one voucher of a body, with the masters in it and settings.
async fn became(body: &str, more: Value) -> Mapped {
    let folder = folder_with("a.xml", envelope(body).as_bytes());
    let mut settings = json!({ "path": "a.xml" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let source = source(folder.path(), settings);
    let read = read(&*source, None).await;
    assert_eq!(read.problems, []);
    let [record] = read.records.as_slice() else { panic!("{} records", read.records.len()) };
    source.map(record)
}

async fn document(body: &str) -> MappedDocument {
    match became(body, json!({})).await {
        Mapped::Document(document) => *document,
        other => panic!("{}", outcome(&other)),
    }
}

async fn skipped(body: &str) -> Skip {
    match became(body, json!({})).await {
        Mapped::Skipped(skip) => skip,
        other => panic!("{}", outcome(&other)),
    }
}

/// A bill of 1,000.00 on which no tax is charged and whose line states no rate.
fn untaxed() -> String {
    let bill = without(&voucher("1"), "RATEDETAILS.LIST");
    let tax = "<LEDGERENTRIES.LIST><LEDGERNAME>IGST</LEDGERNAME><AMOUNT>180.00</AMOUNT></LEDGERENTRIES.LIST>";
    assert!(bill.contains(tax));
    bill.replace(tax, "").replace("-1180.00", "-1000.00")
}

/// The text without the first element of a name.
fn without(text: &str, name: &str) -> String {
    let (before, rest) = text.split_once(&format!("<{name}>")).unwrap();
    let (_, after) = rest.split_once(&format!("</{name}>")).unwrap();
    format!("{before}{after}")
}

fn master(kind: &str, name: &str, inside: &str) -> String {
    format!("<TALLYMESSAGE><{kind} NAME=\"{name}\">{inside}</{kind}></TALLYMESSAGE>")
}

fn taxability(from: &str, word: &str, rate: &str) -> String {
    let rate = match rate {
        "" => String::new(),
        rate => format!(
            "<STATEWISEDETAILS.LIST><RATEDETAILS.LIST><GSTRATEDUTYHEAD>IGST</GSTRATEDUTYHEAD><GSTRATE> {rate}</GSTRATE>\
             </RATEDETAILS.LIST></STATEWISEDETAILS.LIST>"
        ),
    };
    format!(
        "<GSTDETAILS.LIST><APPLICABLEFROM>{from}</APPLICABLEFROM><TAXABILITY>{word}</TAXABILITY>{rate}</GSTDETAILS.LIST>"
    )
}

#[tokio::test]
async fn goods_that_are_exempt_by_a_master_make_a_bill_of_supply_which_is_not_registered() {
    for word in ["Exempt", "Nil Rated", "Non-GST", "&#4; Nil Rated"] {
        let item = master("STOCKITEM", "Valve", &taxability("20260401", word, ""));
        assert_eq!(skipped(&format!("{item}{}", untaxed())).await.reason, "exempt_only", "{word}");
    }
    // A nature that says neither leaves it to the master.
    let exempt = taxability("20260401", "Exempt", "");
    let nature = "<GSTOVRDNNATURE>Sales - Non-Taxable</GSTOVRDNNATURE></ALLINVENTORYENTRIES.LIST>";
    let bill = untaxed().replace("</ALLINVENTORYENTRIES.LIST>", nature);
    assert_eq!(skipped(&format!("{}{bill}", master("STOCKITEM", "Valve", &exempt))).await.reason, "exempt_only");
    let group = master("STOCKITEM", "Valve", "<PARENT>Castings</PARENT>") + &master("STOCKGROUP", "Castings", &exempt);
    assert_eq!(skipped(&format!("{group}{}", untaxed())).await.reason, "exempt_only");
    let ledger = master("LEDGER", "Sales of seed", &exempt);
    let allocation = "<ACCOUNTINGALLOCATIONS.LIST><LEDGERNAME>Sales of seed</LEDGERNAME><AMOUNT>1000.00</AMOUNT>\
                      </ACCOUNTINGALLOCATIONS.LIST></ALLINVENTORYENTRIES.LIST>";
    let bill = untaxed().replace("</ALLINVENTORYENTRIES.LIST>", allocation);
    assert_eq!(skipped(&format!("{ledger}{bill}")).await.reason, "exempt_only");
}

#[tokio::test]
async fn a_rate_is_never_inferred_from_there_being_no_tax() {
    let unknown = [
        String::new(),
        master("STOCKITEM", "Valve", "<PARENT></PARENT>"),
        // Taxable, but at which rate is said nowhere.
        master("STOCKITEM", "Valve", &taxability("20260401", "Taxable", "")),
        // Exempt only from a later day on.
        master("STOCKITEM", "Valve", &taxability("20261201", "Exempt", "")),
    ];
    for masters in unknown {
        let company = master("COMPANY", "Deccan Valves (26-27)", "");
        let document = document(&format!("{company}{masters}{}", untaxed())).await;
        let told = of_rule(&document.findings, "tally.rate_missing");
        let [told] = told.as_slice() else { panic!("{masters}: {:?}", document.findings) };
        assert_eq!((told.severity, told.path.as_str()), (Severity::Error, "ItemList[0].GstRt"));
        let said = whole(told);
        for part in
            ["\"Valve\"", "no tax", "Deccan Valves (26-27)", "Sales 1", "RATEDETAILS.LIST", "TAXABILITY", "export"]
        {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert_eq!(json_of(&document.invoice)["ItemList"][0]["GstRt"], Value::Null);
        assert!(of_rule(&document.findings, "tally.inferred").iter().all(|told| !told.message.contains("GST rate")));
    }
}

#[tokio::test]
async fn of_dated_masters_the_one_of_the_day_says_whether_goods_are_taxable() {
    let since = |exempt: &str, taxable: &str| {
        let details = taxability(exempt, "Exempt", "") + &taxability(taxable, "Taxable", "18");
        master("STOCKITEM", "Valve", &details) + &untaxed()
    };
    assert_eq!(skipped(&since("20261101", "20260401")).await.reason, "exempt_only");
    // Taxable on the day, and nothing charged.
    let document = document(&since("20260401", "20261101")).await;
    assert_eq!(json_of(&document.invoice)["ItemList"][0]["GstRt"], json!(18));
    assert_eq!(of_rule(&document.findings, "tally.rate_missing").len(), 0);
}

#[tokio::test]
async fn what_the_voucher_says_of_its_line_goes_before_what_a_master_says() {
    let exempt = master("STOCKITEM", "Valve", &taxability("20260401", "Exempt", ""));
    // A rate on the line says that it is taxed, with its tax charged.
    let taxed = document(&format!("{exempt}{}", voucher("1"))).await;
    assert_eq!(json_of(&taxed.invoice)["ItemList"][0]["GstRt"], json!(18));
    assert!(taxed.findings.iter().all(|finding| finding.rule != "tally.tax_mismatch"));
    let own = "<GSTOVRDNTAXABILITY>Taxable</GSTOVRDNTAXABILITY></ALLINVENTORYENTRIES.LIST>";
    let bill = untaxed().replace("</ALLINVENTORYENTRIES.LIST>", own);
    let taxable = document(&format!("{exempt}{bill}")).await;
    assert_eq!(of_rule(&taxable.findings, "tally.rate_missing").len(), 1);
    // Of two lines the exempt one has no tax, and the other all of it.
    let seed = "<ALLINVENTORYENTRIES.LIST><STOCKITEMNAME>Seed</STOCKITEMNAME><GSTHSNNAME>10011100</GSTHSNNAME><AMOUNT>500.00</AMOUNT>\
                <BILLEDQTY> 5 Nos</BILLEDQTY></ALLINVENTORYENTRIES.LIST><LEDGERENTRIES.LIST>";
    let both = voucher("1").replacen("<LEDGERENTRIES.LIST>", seed, 1).replace("-1180.00", "-1680.00");
    let seed = master("STOCKITEM", "Seed", &taxability("20260401", "Exempt", ""));
    let both = document(&format!("{seed}{both}")).await;
    let items = &json_of(&both.invoice)["ItemList"];
    assert_eq!(
        (&items[0]["IgstAmt"], &items[1]["GstRt"], &items[1]["IgstAmt"]),
        (&json!(180), &json!(0), &Value::Null)
    );
    assert!(both.findings.iter().all(|finding| !finding.rule.contains("mismatch") && !finding.rule.contains("rate")));
}

/// The bill without the customer's GSTIN, of whose registration it says something or nothing.
fn without_gstin(kind: &str) -> String {
    let kind =
        if kind.is_empty() { String::new() } else { format!("<GSTREGISTRATIONTYPE>{kind}</GSTREGISTRATIONTYPE>") };
    voucher("1").replace("<PARTYGSTIN>27AAPFU0939F1ZV</PARTYGSTIN>", &kind)
}

fn customer(kind: &str) -> String {
    let details = format!(
        "<PARENT>Sundry Debtors</PARENT><LEDGSTREGDETAILS.LIST><APPLICABLEFROM>20260401</APPLICABLEFROM>\
         <GSTREGISTRATIONTYPE>{kind}</GSTREGISTRATIONTYPE></LEDGSTREGDETAILS.LIST>"
    );
    master("LEDGER", "Buyer &amp; Sons", &details)
}

#[tokio::test]
async fn a_registered_customer_without_gstin_is_an_error_and_no_consumer() {
    let kinds = [
        "Regular",
        "Composition",
        "SEZ",
        "Regular - SEZ",
        "Regular-Deemed Exporter",
        "Government Entity / TDS",
        "UIN Holder",
    ];
    let by_voucher = kinds.map(|kind| (kind, without_gstin(kind), "V/GSTREGISTRATIONTYPE"));
    let by_master = kinds.map(|kind| (kind, customer(kind) + &without_gstin(""), "M:LEDGER"));
    for (kind, body, origin) in by_voucher.into_iter().chain(by_master) {
        let company = master("COMPANY", "Deccan Valves (26-27)", "");
        let document = document(&format!("{company}{body}")).await;
        let told = of_rule(&document.findings, "tally.buyer_gstin_missing");
        let [told] = told.as_slice() else { panic!("{kind}, {origin}: {:?}", document.findings) };
        assert_eq!((told.severity, told.path.as_str()), (Severity::Error, "BuyerDtls.Gstin"));
        let said = whole(told);
        for part in [kind, origin, "Buyer & Sons", "Deccan Valves (26-27)", "Sales 1", "PARTYGSTIN", "In Tally"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        // One finding a field: the rulebook does not say it again.
        let options = CheckOptions::on(jiff::civil::date(2026, 11, 22));
        let rejected = rulebook::check(document.invoice, document.findings, &options).unwrap_err();
        let of_field = rejected.findings.iter().filter(|finding| finding.path == "BuyerDtls.Gstin").count();
        assert_eq!(of_field, 1, "{:?}", rejected.findings);
    }
    // A unit in an SEZ by the nature of the sale.
    let nature = "<GSTOVRDNNATURE>Sales to SEZ - Taxable</GSTOVRDNNATURE></ALLINVENTORYENTRIES.LIST>";
    let by_nature = without_gstin("").replace("</ALLINVENTORYENTRIES.LIST>", nature);
    assert_eq!(of_rule(&document(&by_nature).await.findings, "tally.buyer_gstin_missing").len(), 1);
}

#[tokio::test]
async fn a_sale_to_a_consumer_is_passed_over_and_one_to_nobody_known_says_so() {
    for kind in ["Unregistered", "Unregistered/Consumer", "Consumer", "&#4; Consumer"] {
        assert_eq!(skipped(&without_gstin(kind)).await.reason, "b2c", "{kind}");
        assert_eq!(skipped(&(customer(kind) + &without_gstin(""))).await.reason, "b2c", "{kind}");
    }
    let nature = "<GSTOVRDNNATURE>Sales to Consumer - Taxable</GSTOVRDNNATURE></ALLINVENTORYENTRIES.LIST>";
    assert_eq!(skipped(&without_gstin("").replace("</ALLINVENTORYENTRIES.LIST>", nature)).await.reason, "b2c");
    // Registered only from a later day on.
    let later = customer("Regular").replace("20260401", "20270101");
    assert_eq!(skipped(&(later + &without_gstin(""))).await.reason, "b2c");
    // A customer whose master says nothing of a registration has none.
    let plain = master("LEDGER", "Buyer &amp; Sons", "<PARENT>Sundry Debtors</PARENT>");
    assert_eq!(skipped(&(plain + &without_gstin("Unknown"))).await.reason, "b2c");
    for kind in ["", "Unknown"] {
        let skip = skipped(&without_gstin(kind)).await;
        assert_eq!(skip.reason, "customer_unknown");
        assert!(
            skip.message.contains("Buyer & Sons") && skip.message.contains("dependent masters"),
            "{}",
            skip.message
        );
    }
    // A bill of supply is not registered, whoever the customer is.
    let bill = untaxed()
        .replace("<PARTYGSTIN>27AAPFU0939F1ZV</PARTYGSTIN>", "<GSTREGISTRATIONTYPE>Regular</GSTREGISTRATIONTYPE>");
    let exempt = master("STOCKITEM", "Valve", &taxability("20260401", "Exempt", ""));
    assert_eq!(skipped(&(exempt + &bill)).await.reason, "exempt_only");
}

#[tokio::test]
async fn halves_of_the_tax_that_differ_are_told_with_both_ledgers_before_the_portal_refuses_them() {
    let text = fixture("several-rates.xml");
    assert_eq!(text.matches("<AMOUNT>2459.96</AMOUNT>").count(), 2);
    let uneven = text.replacen("<AMOUNT>2459.96</AMOUNT>", "<AMOUNT>2459.97</AMOUNT>", 1);
    let uneven = uneven.replace("<AMOUNT>-0.42</AMOUNT>", "<AMOUNT>-0.43</AMOUNT>");
    let document = mapped(&uneven, json!({})).await;
    let told = of_rule(&document.findings, "tally.halves_differ");
    let [told] = told.as_slice() else { panic!("{:?}", document.findings) };
    assert_eq!((told.severity, told.path.as_str(), told.code.as_deref()), (Severity::Error, "ItemList", Some("2227")));
    let said = whole(told);
    for part in ["CGST 2459.97", "SGST 2459.96", "2459.96 each", "Nilgiri Formulations (26-27)", "In Tally", "round"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // The items keep halves that are alike, so that one fault is told once.
    let options = CheckOptions::on(jiff::civil::date(2026, 11, 22));
    let rejected = rulebook::check(document.invoice, document.findings, &options).unwrap_err();
    let errors: Vec<&str> =
        rejected.findings.iter().filter(|finding| finding.is_error()).map(|finding| &*finding.rule).collect();
    assert_eq!(errors, ["tally.halves_differ"]);
    // One that is missing altogether is no matter of halves.
    let missing = text.replacen("<AMOUNT>2459.96</AMOUNT>", "<AMOUNT>0.00</AMOUNT>", 1);
    let document = mapped(&missing, json!({})).await;
    assert_eq!(of_rule(&document.findings, "tally.halves_differ").len(), 0);
    assert!(document.findings.iter().any(Finding::is_error));
}

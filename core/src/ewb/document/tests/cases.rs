//! One case for and one against each rule, as changes to a right request.
//!
//! A test keeps the list complete: a rule without its two cases does not pass.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::super::*;
use super::job_work;
use crate::rulebook::{CheckOptions, RuleSettings, ShipToGstin, Taxpayer, TaxpayerKind};

const DAY: Date = date(2026, 11, 22);
const USER: &str = "29AAACE1234F1Z2";
const OTHER: &str = "29AABCM5678K1ZU";
const MUMBAI: &str = "27AABCM5678K1ZY";

/// Changes to a request: pointer and value; `null` removes.
type Changes = Vec<(&'static str, Value)>;

struct Case {
    rule: &'static str,
    base: fn() -> Value,
    against: Changes,
    within: Changes,
    settings: fn() -> RuleSettings,
}

fn case(rule: &'static str, base: fn() -> Value, against: Changes, within: Changes) -> Case {
    Case { rule, base, against, within, settings: RuleSettings::default }
}

impl Case {
    fn with(mut self, settings: fn() -> RuleSettings) -> Self {
        self.settings = settings;
        self
    }

    fn findings(&self, changes: &Changes) -> Vec<Finding> {
        let document = changed((self.base)(), changes);
        let read = EwbRequest::from_json(&document.to_string()).unwrap();
        let options = CheckOptions::on(DAY).with_settings(Arc::new((self.settings)()));
        let mut findings = read.findings;
        findings.extend(read.request.check_with(Gstin::parse(USER).unwrap(), &options));
        findings
    }
}

fn changed(mut document: Value, changes: &Changes) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match (document.pointer_mut(parent).unwrap(), value) {
            (Value::Object(members), Value::Null) => drop(members.remove(name)),
            (Value::Object(members), value) => drop(members.insert(name.to_owned(), value.clone())),
            _ => panic!("{pointer}"),
        }
    }
    document
}

/// An invoice to a recipient without GSTIN in another state.
fn supply() -> Value {
    changed(
        job_work(),
        &vec![
            ("/subSupplyType", json!("1")),
            ("/docType", json!("INV")),
            ("/toPlace", json!("Pune")),
            ("/toPincode", json!(411_001)),
            ("/toStateCode", json!(27)),
            ("/actToStateCode", json!(27)),
            ("/itemList/0/cgstRate", json!(0)),
            ("/itemList/0/sgstRate", json!(0)),
            ("/itemList/0/igstRate", json!(18)),
            ("/cgstValue", json!(0)),
            ("/sgstValue", json!(0)),
            ("/igstValue", json!(540)),
        ],
    )
}

fn export() -> Value {
    changed(
        supply(),
        &vec![
            ("/subSupplyType", json!("3")),
            ("/toPincode", json!(999_999)),
            ("/toStateCode", json!(99)),
            ("/actToStateCode", json!(99)),
        ],
    )
}

fn import() -> Value {
    changed(
        supply(),
        &vec![
            ("/supplyType", json!("I")),
            ("/subSupplyType", json!("2")),
            ("/docType", json!("BOE")),
            ("/fromGstin", json!("URP")),
            ("/fromPincode", json!(999_999)),
            ("/fromStateCode", json!(99)),
            ("/actFromStateCode", json!(99)),
            ("/toGstin", json!(USER)),
            ("/toPincode", json!(560_001)),
            ("/toStateCode", json!(29)),
            ("/actToStateCode", json!(29)),
        ],
    )
}

/// An exhibition, which goes to the caller itself.
fn exhibition() -> Value {
    changed(job_work(), &vec![("/subSupplyType", json!("12")), ("/toGstin", json!(USER))])
}

fn others() -> Value {
    changed(job_work(), &vec![("/subSupplyType", json!("8")), ("/subSupplyDesc", json!("Samples for a test"))])
}

/// Goods of a recipient in Pune that come back.
fn sales_return() -> Value {
    changed(
        supply(),
        &vec![
            ("/supplyType", json!("I")),
            ("/subSupplyType", json!("7")),
            ("/docType", json!("CHL")),
            ("/fromGstin", json!(MUMBAI)),
            ("/fromPincode", json!(411_001)),
            ("/fromStateCode", json!(27)),
            ("/actFromStateCode", json!(27)),
            ("/toGstin", json!(USER)),
            ("/toPincode", json!(560_001)),
            ("/toStateCode", json!(29)),
            ("/actToStateCode", json!(29)),
        ],
    )
}

fn inward_exhibition() -> Value {
    changed(sales_return(), &vec![("/subSupplyType", json!("12"))])
}

fn ship_to() -> Value {
    changed(
        supply(),
        &vec![
            ("/transactionType", json!(2)),
            ("/shipToGSTIN", json!(OTHER)),
            ("/shipToTradeName", json!("Madhav Motors")),
            ("/toPincode", json!(570_001)),
            ("/actToStateCode", json!(29)),
        ],
    )
}

fn dispatch() -> Value {
    changed(supply(), &vec![("/transactionType", json!(3)), ("/dispatchFromGSTIN", json!(OTHER))])
}

fn rail() -> Value {
    changed(
        supply(),
        &vec![
            ("/transMode", json!(2)),
            ("/vehicleNo", json!(null)),
            ("/vehicleType", json!(null)),
            ("/transDocNo", json!("123456789")),
            ("/transDocDate", json!("06/11/2026")),
        ],
    )
}

fn ship() -> Value {
    changed(rail(), &vec![("/transMode", json!(4)), ("/transDocNo", json!("BL-77"))])
}

fn part_a() -> Value {
    changed(
        supply(),
        &vec![
            ("/transMode", json!(null)),
            ("/vehicleNo", json!(null)),
            ("/vehicleType", json!(null)),
            ("/transporterId", json!(OTHER)),
        ],
    )
}

fn in_force() -> RuleSettings {
    RuleSettings { ship_to_gstin: ShipToGstin::InForce { from: date(2026, 11, 1) }, ..RuleSettings::default() }
}

fn zone() -> RuleSettings {
    let gstin = Gstin::parse(OTHER).unwrap().into();
    let kind = Some(TaxpayerKind::SezUnit);
    let taxpayer = vec![Taxpayer { gstin, kind, status: None, registered: None, cancelled: None }];
    RuleSettings { taxpayer, ..RuleSettings::default() }
}

fn turnover() -> RuleSettings {
    RuleSettings { turnover_crore: Some(5), ..RuleSettings::default() }
}

fn form_cases() -> Vec<Case> {
    let long = |count: usize| Value::from("é".repeat(count));
    vec![
        case("repaired", job_work, vec![("/totInvValue", json!("3540"))], vec![("/transDistance", json!("145"))]),
        case("unknown", job_work, vec![("/lorry", json!(1))], vec![]),
        case("shape", job_work, vec![("/itemList", json!({}))], vec![]),
        case("required", job_work, vec![("/fromTrdName", json!(null))], vec![("/fromAddr1", json!(null))]),
        case("form", job_work, vec![("/fromPincode", json!(56_000))], vec![("/docNo", json!("A-/0"))]),
        case("length", job_work, vec![("/fromTrdName", long(101))], vec![("/fromTrdName", long(100))]),
        case("items", job_work, vec![("/itemList", json!([]))], vec![]),
        case("items_max", job_work, vec![("/itemList", many(251))], vec![("/itemList", many(250))]),
    ]
}

fn many(count: usize) -> Value {
    vec![job_work()["itemList"][0].clone(); count].into()
}

fn party_cases() -> Vec<Case> {
    vec![
        case("user_from", supply, vec![("/fromGstin", json!(OTHER))], vec![]),
        case("user_to", import, vec![("/toGstin", json!(OTHER))], vec![]),
        case("user_gstin", supply, vec![("/userGstin", json!(OTHER))], vec![("/userGstin", json!(USER))]),
        case("both_urp", supply, vec![("/fromGstin", json!("URP"))], vec![]),
        case("check_digit", job_work, vec![("/toGstin", json!("29AABCM5678K1ZX"))], vec![("/toGstin", json!(OTHER))]),
        case("sub_supply", supply, vec![("/subSupplyType", json!("7"))], vec![]),
        case("sub_supply", sales_return, vec![("/subSupplyType", json!("10"))], vec![]),
        case("doc_type", supply, vec![("/docType", json!("CHL"))], vec![("/docType", json!("BIL"))]),
        case("doc_type", job_work, vec![("/docType", json!("INV"))], vec![]),
        case("doc_type", import, vec![("/docType", json!("INV"))], vec![]),
        case("doc_type", sales_return, vec![("/docType", json!("INV"))], vec![]),
        case("doc_type", others, vec![("/docType", json!("INV"))], vec![("/docType", json!("OTH"))]),
        case("doc_type_unsure", inward_exhibition, vec![("/docType", json!("INV"))], vec![("/docType", json!("OTH"))]),
        case("parties", supply, vec![("/toGstin", json!(USER))], vec![]),
        case("parties", exhibition, vec![("/toGstin", json!(OTHER))], vec![]),
        case("description", others, vec![("/subSupplyDesc", json!(""))], vec![]),
        case("date_gst", supply, vec![("/docDate", json!("30/06/2017"))], vec![]),
        case("date_future", supply, vec![("/docDate", json!("23/11/2026"))], vec![("/docDate", json!("22/11/2026"))]),
        case("date_old", supply, vec![("/docDate", json!("25/05/2026"))], vec![("/docDate", json!("26/05/2026"))]),
    ]
}

fn place_cases() -> Vec<Case> {
    vec![
        case("from_state", supply, vec![("/fromStateCode", json!(96))], vec![]),
        case("to_state", supply, vec![("/actToStateCode", json!(55))], vec![]),
        case("from_gstin_state", supply, vec![("/fromStateCode", json!(27))], vec![]),
        case("to_gstin_state", supply, vec![("/toGstin", json!(OTHER))], vec![("/toGstin", json!(MUMBAI))]),
        case("from_pin", supply, vec![("/fromPincode", json!(411_001))], vec![]),
        case("to_pin", supply, vec![("/toPincode", json!(560_001))], vec![]),
        case("to_pin", supply, vec![("/toPincode", json!(999_999))], vec![]),
        case(
            "to_pin",
            supply,
            vec![("/toPincode", json!(560_001)), ("/actToStateCode", json!(97))],
            vec![("/toPincode", json!(999_999)), ("/actToStateCode", json!(97)), ("/toStateCode", json!(97))],
        ),
        case("pin_unknown", supply, vec![("/fromPincode", json!(900_000))], vec![]),
        case("same_from_state", supply, vec![("/actFromStateCode", json!(33))], vec![]),
        case("same_to_state", supply, vec![("/actToStateCode", json!(33))], vec![]),
        case("same_from_state", ship_to, vec![("/actFromStateCode", json!(33))], vec![]),
        case("export_state", export, vec![("/toStateCode", json!(27))], vec![]),
        case("export_pin", export, vec![("/toPincode", json!(400_001))], vec![]),
        case("export_party", export, vec![("/toGstin", json!(OTHER))], vec![]),
        case("export_party", export, vec![("/toGstin", json!(MUMBAI))], vec![("/toGstin", json!(OTHER))]).with(zone),
        case("import_state", import, vec![("/fromStateCode", json!(27))], vec![]),
        case("import_pin", import, vec![("/fromPincode", json!(400_001))], vec![]),
        case("import_party", import, vec![("/fromGstin", json!(OTHER))], vec![]),
        case(
            "dispatch_missing",
            dispatch,
            vec![("/dispatchFromGSTIN", json!(null))],
            vec![("/dispatchFromGSTIN", json!("URP"))],
        ),
        case("dispatch_regular", dispatch, vec![("/transactionType", json!(1))], vec![]),
        case("dispatch_same", dispatch, vec![("/dispatchFromGSTIN", json!(USER))], vec![]),
        case("ship_missing", ship_to, vec![("/shipToGSTIN", json!(null))], vec![("/shipToGSTIN", json!("URP"))]),
        case("ship_name", ship_to, vec![("/shipToTradeName", json!(null))], vec![]).with(in_force),
        case("ship_state", ship_to, vec![("/shipToGSTIN", json!(MUMBAI))], vec![]).with(in_force),
        case("ship_regular", ship_to, vec![("/transactionType", json!(1))], vec![]),
        case("ship_dispatch", ship_to, vec![("/transactionType", json!(3))], vec![("/transactionType", json!(4))]),
        case("ship_same", ship_to, vec![("/toGstin", json!(OTHER))], vec![]),
    ]
}

fn goods_and_tax_cases() -> Vec<Case> {
    let service = |code: u32| ("/itemList/0/hsnCode", json!(code));
    vec![
        case("goods", supply, vec![service(998_719)], vec![]),
        case("hsn", supply, vec![service(740_899)], vec![]),
        case("hsn_short", supply, vec![service(74)], vec![service(7408)]),
        case("hsn_six", supply, vec![service(7408)], vec![service(740_811)]).with(turnover),
        case("unit", supply, vec![("/itemList/0/qtyUnit", json!("XYZ"))], vec![("/itemList/0/qtyUnit", json!("LTR"))]),
        case("rates_equal", job_work, vec![("/itemList/0/sgstRate", json!(6))], vec![]),
        case("rates_intra", job_work, vec![("/itemList/0/igstRate", json!(18))], vec![]),
        case("rates_inter", supply, vec![("/itemList/0/cgstRate", json!(9))], vec![]),
        case(
            "rates_sez",
            job_work,
            vec![("/toGstin", json!(OTHER))],
            vec![
                ("/toGstin", json!(OTHER)),
                ("/itemList/0/cgstRate", json!(0)),
                ("/itemList/0/sgstRate", json!(0)),
                ("/itemList/0/igstRate", json!(18)),
                ("/cgstValue", json!(0)),
                ("/sgstValue", json!(0)),
                ("/igstValue", json!(540)),
            ],
        )
        .with(zone),
        case("igst_intra", job_work, vec![("/igstValue", json!(1))], vec![]),
        case("cgst_inter", supply, vec![("/sgstValue", json!(1)), ("/totInvValue", json!(3541))], vec![]),
        case("taxable_negative", supply, vec![("/totalValue", json!(-1))], vec![]),
        case("taxable_negative", supply, vec![("/itemList/0/taxableAmount", json!(-1))], vec![]),
        case("total_negative", supply, vec![("/totInvValue", json!(-1))], vec![]),
        case("igst_negative", supply, vec![("/igstValue", json!(-1))], vec![("/otherValue", json!(-1))]),
        case("cgst_negative", supply, vec![("/cgstValue", json!(-1))], vec![]),
        case("sgst_negative", supply, vec![("/sgstValue", json!(-1))], vec![]),
        case("cess_negative", supply, vec![("/cessValue", json!(-1))], vec![("/cessValue", json!(0))]),
        case("cess_quantity_negative", supply, vec![("/cessNonAdvolValue", json!(-1))], vec![]),
        case("total_missing", supply, vec![("/totInvValue", json!(null))], vec![]),
        case(
            "total_low",
            supply,
            vec![("/totInvValue", json!(3539.99))],
            vec![("/totInvValue", json!(3539.6)), ("/otherValue", json!(-0.4))],
        ),
        case("sum", supply, vec![("/totalValue", json!(2999))], vec![]),
    ]
}

fn transport_cases() -> Vec<Case> {
    vec![
        case("distance", supply, vec![("/transDistance", json!(4001))], vec![("/transDistance", json!(4000))]),
        case("distance_abroad", export, vec![("/transDistance", json!(0))], vec![]),
        case("part_a", part_a, vec![("/transporterId", json!(null))], vec![]),
        case("vehicle_mode", part_a, vec![("/vehicleNo", json!("KA01AB1234"))], vec![]),
        case("document_mode", part_a, vec![("/transDocNo", json!("LR-1"))], vec![]),
        case("part_b_mode", part_a, vec![("/vehicleNo", json!("KA01AB1234")), ("/transDocNo", json!("LR-1"))], vec![]),
        case("mode", supply, vec![("/transMode", json!(5))], vec![]),
        case("vehicle", supply, vec![("/vehicleNo", json!(null))], vec![]),
        case(
            "vehicle_form",
            supply,
            vec![("/vehicleNo", json!("12345678"))],
            vec![("/vehicleNo", json!("KA123A1234"))],
        ),
        case("document_number", rail, vec![("/transDocNo", json!(null))], vec![]),
        case("document_date", rail, vec![("/transDocDate", json!(null))], vec![]),
        case(
            "document_early",
            rail,
            vec![("/transDocDate", json!("04/11/2026"))],
            vec![("/transDocDate", json!("05/11/2026"))],
        ),
        case(
            "document_future",
            rail,
            vec![("/transDocDate", json!("23/11/2026"))],
            vec![("/transDocDate", json!("22/11/2026"))],
        ),
        case("odc", rail, vec![("/vehicleType", json!("O"))], vec![("/vehicleType", json!("R"))]),
        case("ship_vehicle_type", ship, vec![("/vehicleType", json!("R"))], vec![("/vehicleType", json!("O"))]),
        case(
            "ship_carriage",
            ship,
            vec![("/transDocNo", json!(null)), ("/transDocDate", json!(null))],
            vec![("/transDocNo", json!(null)), ("/transDocDate", json!(null)), ("/vehicleNo", json!("KA01AB1234"))],
        ),
        case("ship_date", ship, vec![("/transDocDate", json!(null))], vec![]),
        case("rail_document", rail, vec![("/transDocNo", json!("RR-7"))], vec![("/transDocNo", json!("1234567890"))]),
    ]
}

fn cases() -> Vec<Case> {
    let lists = [form_cases(), party_cases(), place_cases(), goods_and_tax_cases(), transport_cases()];
    lists.into_iter().flatten().collect()
}

#[test]
fn each_rule_speaks_where_it_is_broken_and_is_silent_where_it_is_not() {
    for case in cases() {
        let id = format!("ewb.request.{}", case.rule);
        let against = case.findings(&case.against);
        let spoken = against.iter().find(|finding| finding.rule == id);
        let finding = spoken.unwrap_or_else(|| panic!("{id} is silent about {:?}: {against:?}", case.against));
        assert!(finding.fix.is_some() && !finding.message.is_empty(), "{finding:?}");
        assert_ne!(finding.path, "", "{finding:?}");
        let within = case.findings(&case.within);
        assert!(within.iter().all(|finding| finding.rule != id), "{id} speaks about {:?}: {within:?}", case.within);
    }
}

#[test]
fn every_rule_has_its_cases() {
    let covered: BTreeSet<_> = cases().iter().map(|case| format!("ewb.request.{}", case.rule)).collect();
    // A repeated member cannot be said in a JSON value; it has a test of its own.
    let missing: Vec<_> = rules().iter().map(|rule| rule.id).filter(|id| !covered.contains(*id)).collect();
    assert_eq!(missing, ["ewb.request.duplicate"]);
    let read = EwbRequest::from_json(r#"{"docNo":"A","DOCNO":"B"}"#).unwrap();
    assert_eq!(read.findings[0].rule, "ewb.request.duplicate");
}

#[test]
fn right_requests_of_each_kind_have_no_findings() {
    let bases = [
        job_work,
        supply,
        export,
        import,
        exhibition,
        others,
        sales_return,
        inward_exhibition,
        ship_to,
        dispatch,
        rail,
        ship,
        part_a,
    ];
    for base in bases {
        let case = case("", base, vec![], vec![]);
        assert_eq!(case.findings(&case.within), [], "{}", base());
    }
}

#[test]
fn the_codes_are_the_ones_of_the_table_and_belong_to_the_system() {
    for rule in rules() {
        if let Some(code) = rule.code {
            assert!(
                crate::portal_code::explain(crate::environment::Product::EWayBill, code).is_some(),
                "{code} ({}) is in no list",
                rule.id
            );
        }
        assert_eq!(crate::rulebook::rule_by_id(rule.id), Some(rule));
    }
    let read = EwbRequest::from_json("{}").unwrap();
    let findings = read.request.check(Gstin::parse(USER).unwrap(), DAY);
    let of = |path: &str| findings.iter().find(|finding| finding.path == path).unwrap().code.clone().unwrap();
    let told = ["docNo", "fromTrdName", "toPlace", "itemList", "totInvValue", "transactionType"].map(of);
    assert_eq!(told, ["206", "229", "232", "233", "640", "614"]);
}

#[test]
fn the_ship_to_rule_warns_while_it_is_on_hold_and_refuses_once_it_is_in_force() {
    let mut document = ship_to();
    document["shipToGSTIN"] = json!(null);
    let request = EwbRequest::from_json(&document.to_string()).unwrap().request;
    let severity = |settings: RuleSettings| {
        let options = CheckOptions::on(DAY).with_settings(Arc::new(settings));
        let findings = request.check_with(Gstin::parse(USER).unwrap(), &options);
        findings.iter().find(|finding| finding.rule == "ewb.request.ship_missing").unwrap().severity
    };
    assert_eq!(severity(RuleSettings::default()), crate::finding::Severity::Warning);
    assert_eq!(severity(in_force()), crate::finding::Severity::Error);
}

#[test]
fn a_changed_severity_holds_for_these_rules_too() {
    let settings = RuleSettings {
        severity: vec![crate::rulebook::SeverityChange {
            rule: "ewb.request.vehicle_form".into(),
            severity: crate::finding::Severity::Info,
            reason: "trolleys".into(),
        }],
        ..RuleSettings::default()
    };
    settings.validate().unwrap();
    let options = CheckOptions::on(DAY).with_settings(Arc::new(settings));
    let document = changed(supply(), &vec![("/vehicleNo", json!("12345678"))]);
    let request = EwbRequest::from_json(&document.to_string()).unwrap().request;
    let findings = request.check_with(Gstin::parse(USER).unwrap(), &options);
    assert_eq!(findings[0].severity, crate::finding::Severity::Info);
}

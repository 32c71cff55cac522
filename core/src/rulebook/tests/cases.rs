//! One case for and one against each rule, as changes to a right document.
//!
//! A test keeps the list complete: a rule without its two cases does not pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::super::*;
use crate::document::ReadOptions;

/// The day of reporting of most cases.
const DAY: Date = date(2026, 11, 22);

/// Changes to a document: pointer and value; `null` removes.
type Changes = Vec<(&'static str, Value)>;

struct Case {
    rule: &'static str,
    base: fn() -> Value,
    /// Breaks the rule.
    against: Changes,
    /// Comes as near as it can without breaking it.
    within: Changes,
    options: fn(CheckOptions) -> CheckOptions,
}

fn case(rule: &'static str, base: fn() -> Value, against: Changes, within: Changes) -> Case {
    Case { rule, base, against, within, options: |options| options }
}

impl Case {
    fn with(mut self, options: fn(CheckOptions) -> CheckOptions) -> Self {
        self.options = options;
        self
    }

    fn findings(&self, changes: &Changes) -> Vec<Finding> {
        let mut document = (self.base)();
        for (pointer, value) in changes {
            set(&mut document, pointer, value.clone());
        }
        let text = document.to_string();
        let options = (self.options)(CheckOptions::on(DAY));
        match Invoice::from_json_with(&text, ReadOptions::strict()) {
            Ok(read) => match check_read(read, &options) {
                Ok(checked) => checked.findings().to_vec(),
                Err(rejected) => rejected.findings,
            },
            Err(error) => vec![error.to_finding()],
        }
    }
}

/// Sets or removes one place of a document, making the sections on the way.
fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    if !parent.is_empty() && document.pointer(parent).is_none() {
        set(document, parent, json!({}));
    }
    let parent = document.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(name)),
        (Value::Object(members), value) => drop(members.insert(name.to_owned(), value)),
        (Value::Array(entries), value) => {
            let index: usize = name.parse().unwrap();
            if index == entries.len() { entries.push(value) } else { entries[index] = value }
        }
        _ => panic!("{pointer}"),
    }
}

/// An inter-state invoice over goods and a service.
fn inter() -> Value {
    serde_json::from_str(super::RIGHT).unwrap()
}

/// The same within one state.
fn intra() -> Value {
    let mut document = inter();
    for (pointer, value) in [
        ("/BuyerDtls/Gstin", json!("29AABCM5678K1ZU")),
        ("/BuyerDtls/Stcd", json!("29")),
        ("/BuyerDtls/Pos", json!("29")),
        ("/BuyerDtls/Loc", json!("Mysuru")),
        ("/BuyerDtls/Pin", json!(570_001)),
        ("/ItemList/0/IgstAmt", Value::Null),
        ("/ItemList/0/CgstAmt", json!(270)),
        ("/ItemList/0/SgstAmt", json!(270)),
        ("/ItemList/1/IgstAmt", Value::Null),
        ("/ItemList/1/CgstAmt", json!(45)),
        ("/ItemList/1/SgstAmt", json!(45)),
        ("/ValDtls/IgstVal", Value::Null),
        ("/ValDtls/CgstVal", json!(315)),
        ("/ValDtls/SgstVal", json!(315)),
    ] {
        set(&mut document, pointer, value);
    }
    document
}

/// The same as an export with payment of tax.
fn export() -> Value {
    let mut document = inter();
    for (pointer, value) in [
        ("/TranDtls/SupTyp", json!("EXPWP")),
        ("/BuyerDtls/Gstin", json!("URP")),
        ("/BuyerDtls/Stcd", json!("96")),
        ("/BuyerDtls/Pos", json!("96")),
        ("/BuyerDtls/Loc", json!("Dubai")),
        ("/BuyerDtls/Pin", json!(999_999)),
        ("/ExpDtls/CntCode", json!("AE")),
    ] {
        set(&mut document, pointer, value);
    }
    document
}

/// The same to a unit in an SEZ, with payment of tax.
fn sez() -> Value {
    let mut document = inter();
    set(&mut document, "/TranDtls/SupTyp", json!("SEZWP"));
    document
}

/// The inter-state invoice with an e-way bill by road.
fn lorry() -> Value {
    let mut document = inter();
    set(&mut document, "/EwbDtls", json!({"TransMode": "1", "Distance": 840, "VehNo": "KA12KA1234", "VehType": "R"}));
    document
}

/// The same with a consignee elsewhere.
fn shipped() -> Value {
    let mut document = lorry();
    set(
        &mut document,
        "/ShipDtls",
        json!({"Gstin": "URP", "LglNm": "Madhav Stores", "Addr1": "9 Dock Road", "Loc": "Nagpur", "Pin": 440_001,
            "Stcd": "27"}),
    );
    document
}

fn settings(change: impl FnOnce(&mut RuleSettings)) -> Arc<RuleSettings> {
    let mut settings = RuleSettings::default();
    change(&mut settings);
    settings.validate().unwrap();
    Arc::new(settings)
}

fn operator(options: CheckOptions) -> CheckOptions {
    options.with_settings(settings(|settings| {
        settings.reported_by = Some(crate::identifier::Gstin::parse(OPERATOR).unwrap().into());
    }))
}

/// GSTIN of an e-commerce operator, of the class that collects tax at source.
const OPERATOR: &str = "29AAACE9999Q1CM";

fn large(options: CheckOptions) -> CheckOptions {
    options.with_settings(settings(|settings| settings.turnover_crore = Some(25)))
}

fn in_force(options: CheckOptions) -> CheckOptions {
    options.with_settings(settings(|settings| settings.ship_to_gstin = ShipToGstin::InForce { from: DAY }))
}

/// Facts about supplier and recipient of [`inter`].
fn facts(options: CheckOptions, supplier: Taxpayer, recipient: Taxpayer) -> CheckOptions {
    options.with_settings(settings(|settings| settings.taxpayer = vec![supplier, recipient]))
}

fn taxpayer(gstin: &str) -> Taxpayer {
    let gstin = crate::identifier::Gstin::parse(gstin).unwrap().into();
    Taxpayer { gstin, kind: None, status: None, registered: None, cancelled: None }
}

const SUPPLIER: &str = "29AAACE1234F1Z2";
const RECIPIENT: &str = "27AABCM5678K1ZY";
/// A party about which nothing is known.
const STRANGER: &str = "27AAACE7777P1ZT";

fn kinds(options: CheckOptions, supplier: TaxpayerKind, recipient: TaxpayerKind) -> CheckOptions {
    let supplier = Taxpayer { kind: Some(supplier), ..taxpayer(SUPPLIER) };
    facts(options, supplier, Taxpayer { kind: Some(recipient), ..taxpayer(RECIPIENT) })
}

fn recipient_is(options: CheckOptions, status: TaxpayerStatus, days: [Option<Date>; 2]) -> CheckOptions {
    let [registered, cancelled] = days;
    let recipient = Taxpayer { status: Some(status), registered, cancelled, ..taxpayer(RECIPIENT) };
    facts(options, taxpayer(SUPPLIER), recipient)
}

mod list;

use list::cases;

#[test]
fn each_case_against_a_rule_breaks_it_and_each_case_within_it_does_not() {
    let mut wrong = Vec::new();
    for case in cases() {
        let rule = rule_by_id(case.rule).unwrap_or_else(|| panic!("no rule {}", case.rule));
        let against = case.findings(&case.against);
        match against.iter().find(|finding| finding.rule == case.rule) {
            Some(found) if found.code.as_deref() != rule.code => wrong.push(format!("other code: {found:?}")),
            Some(found) if found.fix.is_none() => wrong.push(format!("no remedy: {found:?}")),
            Some(_) => {}
            None => wrong.push(format!("{} does not speak: {against:?}", case.rule)),
        }
        let within = case.findings(&case.within);
        wrong.extend(within.iter().filter(|finding| finding.rule == case.rule).map(|finding| format!("{finding:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_finding_about_a_value_shows_it_and_says_what_is_expected() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut document = (case.base)();
        for (pointer, value) in &case.against {
            set(&mut document, pointer, value.clone());
        }
        for finding in case.findings(&case.against) {
            let pointer = format!("/{}", finding.path.replace(['.', '['], "/").replace(']', ""));
            let value = document.pointer(&pointer).filter(|value| value.is_string() || value.is_number());
            if value.is_some() && finding.found.is_none() {
                wrong.push(format!("{} shows no value: {}", finding.rule, finding.message));
            }
            if finding.expected.is_none() && !finding.rule.starts_with("schema.") {
                wrong.push(format!("{} says not what is expected: {}", finding.rule, finding.message));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules whose cases are not changes of a JSON document: they have tests of their own.
const ELSEWHERE: [&str; 15] = [
    "json.syntax",
    "json.object",
    "json.depth",
    "schema.repaired",
    "schema.entries",
    "schema.size",
    "schema.duplicate",
    "findings.more",
    "repair.text_cut",
    "repair.characters",
    "repair.letter_case",
    "repair.hsn_dots",
    "repair.state_zeros",
    "ship.gstin_later",
    "ship.state_later",
];

#[test]
fn every_rule_has_its_two_cases() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases() {
        *counts.entry(case.rule).or_default() += 1;
    }
    let missing: Vec<_> =
        rules().iter().map(|rule| rule.id).filter(|id| !counts.contains_key(id) && !ELSEWHERE.contains(id)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

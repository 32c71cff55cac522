//! What an integrator can set: days, severities, facts; and what cannot be meant.

use jiff::civil::{Date, date};
use serde_json::json;

use super::super::*;
use super::{DAY, RIGHT, invoice};
use crate::document::{EwbDtls, Field, PartyGstin, ShipDtls};
use crate::identifier::{Gstin, StateCode};
use crate::number::Whole;

fn settings(value: serde_json::Value) -> RuleSettings {
    serde_json::from_value(value).unwrap()
}

fn refusal(value: serde_json::Value) -> String {
    settings(value).validate().unwrap_err().to_string()
}

fn findings(invoice: Invoice, settings: RuleSettings, day: Date) -> Vec<Finding> {
    settings.validate().unwrap();
    match check(invoice, Vec::new(), &CheckOptions::on(day).with_settings(Arc::new(settings))) {
        Ok(checked) => checked.findings,
        Err(rejected) => rejected.findings,
    }
}

/// A right invoice that ships to somebody else, with an e-way bill and without the consignee's GSTIN.
fn shipped() -> Invoice {
    let mut invoice = invoice();
    invoice.ewb_dtls = Some(EwbDtls {
        trans_mode: "1".into(),
        distance: Whole::from_units(840).into(),
        veh_no: "KA12KA1234".into(),
        veh_type: "R".into(),
        ..EwbDtls::default()
    });
    invoice.ship_dtls = Some(ShipDtls {
        lgl_nm: "Madhav Stores".into(),
        addr1: "9 Dock Road".into(),
        loc: "Nagpur".into(),
        pin: Whole::from_units(440_001).into(),
        stcd: StateCode::parse("27").unwrap().into(),
        ..ShipDtls::default()
    });
    invoice
}

#[test]
fn the_ship_to_rule_warns_while_it_is_on_hold_and_names_the_advisory() {
    let found = findings(shipped(), RuleSettings::default(), DAY);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&*found[0].rule, found[0].severity), ("ship.gstin", Severity::Warning));
    assert!(found[0].message.contains("advisory of 29 July 2026 (portal id 668)"), "{}", found[0].message);
}

#[test]
fn the_ship_to_rule_is_an_error_from_the_day_it_is_given() {
    let severity = |from: &str| {
        let settings = settings(json!({"ship_to_gstin": {"from": from}}));
        findings(shipped(), settings, DAY)[0].severity
    };
    assert_eq!(severity("2026-11-22"), Severity::Error);
    assert_eq!(severity("2026-11-23"), Severity::Warning, "its day has not come");
    assert_eq!(settings(json!({"ship_to_gstin": "on_hold"})), RuleSettings::default());
}

#[test]
fn the_later_ship_to_has_codes_of_its_own() {
    let force = Arc::new(settings(json!({"ship_to_gstin": {"from": "2026-01-01"}})));
    let options = CheckOptions::on(DAY).with_settings(force);
    let recipient = PartyGstin::Registered(Gstin::parse("27AABCM5678K1ZY").unwrap());
    let codes = |gstin: Option<PartyGstin>, state: &str, pin: u32| {
        let state = StateCode::parse(state).ok();
        let found = check_later_ship_to(LaterShipTo::new(gstin, state, Some(pin)), Some(recipient), &options);
        assert!(found.iter().all(Finding::is_error), "{found:#?}");
        found.into_iter().filter_map(|finding| finding.code.map(Cow::into_owned)).collect::<Vec<_>>()
    };
    assert_eq!(codes(None, "27", 411_001), ["5001"]);
    assert_eq!(codes(Some(recipient), "27", 411_001), ["2323"]);
    let supplier = PartyGstin::Registered(Gstin::parse("29AAACE1234F1Z2").unwrap());
    assert_eq!(codes(Some(supplier), "27", 411_001), ["4074"]);
    assert_eq!(codes(Some(PartyGstin::Unregistered), "27", 560_001), ["3039"]);
    assert_eq!(codes(Some(PartyGstin::Unregistered), "27", 999_999), ["3039"]);
    assert_eq!(codes(Some(PartyGstin::Unregistered), "27", 411_001), Vec::<String>::new());
}

#[test]
fn a_rule_holds_from_its_first_day_on() {
    let age = |day: Date| {
        let mut invoice = invoice();
        invoice.doc_dtls.dt = crate::date::DocumentDate::from(day.saturating_sub(jiff::Span::new().days(40))).into();
        findings(invoice, settings(json!({"turnover_crore": 200})), day)
            .into_iter()
            .filter(|finding| finding.code.as_deref() == Some("2305"))
            .count()
    };
    assert_eq!(age(date(2023, 10, 31)), 0);
    assert_eq!(age(date(2023, 11, 1)), 1);
}

#[test]
fn the_limit_of_thirty_days_binds_by_turnover_and_by_day() {
    let rules = |turnover: Option<u32>, day: Date| -> Vec<String> {
        let mut invoice = invoice();
        invoice.doc_dtls.dt = crate::date::DocumentDate::from(day.saturating_sub(jiff::Span::new().days(40))).into();
        let found = findings(invoice, settings(json!({"turnover_crore": turnover})), day);
        found
            .into_iter()
            .filter(|finding| finding.code.as_deref() == Some("2305"))
            .map(|finding| finding.rule.into_owned())
            .collect()
    };
    assert_eq!(rules(Some(50), date(2025, 3, 31)), Vec::<String>::new(), "100 crore until March 2025");
    assert_eq!(rules(Some(50), date(2025, 4, 1)), ["document.age"]);
    assert_eq!(rules(Some(10), date(2025, 4, 1)), ["document.age"]);
    assert_eq!(rules(Some(9), date(2025, 4, 1)), Vec::<String>::new());
    assert_eq!(rules(Some(100), date(2025, 3, 31)), ["document.age"]);
    assert_eq!(rules(None, date(2025, 4, 1)), ["document.age_turnover"]);
}

#[test]
fn six_digits_are_asked_above_five_crore_and_not_at_five() {
    let rules = |turnover: u32, code: &str| -> Vec<String> {
        let mut invoice = invoice();
        invoice.item_list[0].hsn_cd = crate::identifier::HsnCode::parse(code).unwrap().into();
        let found = findings(invoice, settings(json!({"turnover_crore": turnover})), DAY);
        found.into_iter().map(|finding| finding.rule.into_owned()).collect()
    };
    assert_eq!(rules(5, "8504"), Vec::<String>::new());
    assert_eq!(rules(6, "8504"), ["items.hsn_length"]);
    assert_eq!(rules(6, "850440"), Vec::<String>::new());
}

#[test]
fn the_turnover_of_one_pan_overrides_that_of_all() {
    let settings = settings(json!({"turnover_crore": 4, "turnover_crore_by_pan": {"aaace1234f": 25}}));
    assert_eq!(settings.turnover_of(Gstin::parse("29AAACE1234F1Z2").unwrap()), Some(25));
    assert_eq!(settings.turnover_of(Gstin::parse("27AABCM5678K1ZY").unwrap()), Some(4));
}

#[test]
fn a_severity_is_changed_with_a_reason_and_no_rule_is_lost() {
    let change = |severity: &str| {
        let mut invoice = invoice();
        invoice.item_list[0].tot_amt = crate::number::Amount::from_paise(310_000).into();
        invoice.item_list[0].discount = Field::Value(crate::number::Amount::from_paise(10_000));
        let settings = settings(json!({"severity": [
            {"rule": "items.tot_amt", "severity": severity, "reason": "as the auditors wish"},
        ]}));
        findings(invoice, settings, DAY).into_iter().map(|finding| finding.severity).collect::<Vec<_>>()
    };
    assert_eq!(change("warning"), [Severity::Warning]);
    assert_eq!(change("error"), [Severity::Error]);
    assert_eq!(change("info"), [Severity::Info]);
}

#[test]
fn a_changed_severity_holds_for_rules_of_text_and_schema_too() {
    let change = |rule: &str, severity: &str| {
        let mut settings = settings(json!({"severity": [{"rule": rule, "severity": severity, "reason": "a test"}]}));
        settings.max_items = 1;
        settings.validate().unwrap();
        let text =
            RIGHT.replace("Madhav Motors", " Madhav Motors").replace(r#""Loc":"Pune""#, r#""Fax":"1","Loc":"Pune""#);
        let read = Invoice::from_json(&text).unwrap();
        let findings = match check_read(read, &CheckOptions::on(DAY).with_settings(Arc::new(settings))) {
            Ok(checked) => checked.findings,
            Err(rejected) => rejected.findings,
        };
        findings.into_iter().find(|finding| finding.rule == rule).map(|finding| finding.severity)
    };
    assert_eq!(change("schema.unknown", "error"), Some(Severity::Error));
    assert_eq!(change("schema.blanks", "error"), Some(Severity::Error));
    assert_eq!(change("items.too_many", "warning"), Some(Severity::Warning));
    let strict = settings(json!({"severity": [{"rule": "ship.gstin_later", "severity": "error", "reason": "a test"}]}));
    let options = CheckOptions::on(DAY).with_settings(Arc::new(strict));
    let found = check_later_ship_to(LaterShipTo::new(None, None, None), None, &options);
    assert_eq!(found[0].severity, Severity::Error, "though the rule is on hold");
}

#[test]
fn settings_that_cannot_be_meant_are_refused_with_what_would_be_right() {
    let severity = |rule: &str, severity: &str, reason: &str| {
        refusal(json!({"severity": [{"rule": rule, "severity": severity, "reason": reason}]}))
    };
    assert!(severity("items.tot_amnt", "error", "x").contains("did you mean `items.tot_amt`?"));
    for mandatory in ["schema.required", "seller.pin_missing", "items.none"] {
        assert!(severity(mandatory, "warning", "x").contains("cannot be sent at all"), "{mandatory}");
    }
    assert!(severity("items.tot_amt", "repaired", "x").contains("error, warning or info"));
    assert!(severity("items.tot_amt", "error", " ").contains("give the reason"));
    assert!(refusal(json!({"max_items": 0})).contains("1 to 2000"));
    assert!(refusal(json!({"turnover_crore_by_pan": {"AAACE": 1}})).contains("not a PAN"));
    for wrong in [
        json!({"turnover": 5}),
        json!({"ship_to_gstin": {"since": "2027-01-01"}}),
        json!({"reported_by": "29AAACE"}),
        json!({"taxpayer": [{"gstin": "29AAACE1234F1Z2", "kind": "big"}]}),
    ] {
        assert!(serde_json::from_value::<RuleSettings>(wrong.clone()).is_err(), "{wrong}");
    }
}

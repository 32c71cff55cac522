//! The switches for behaviour that is not settled, and settings out of range.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use einvoice_sandbox::{DistanceReport, ErrorDetailsForm, PortalSettings, UnknownIrn};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::raw::{RawClient, SELLER, call, codes, invoice, portal};

const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[tokio::test]
async fn error_details_may_be_base64_behind_the_login_and_never_at_it() {
    let settings = PortalSettings { error_details: ErrorDetailsForm::Base64, ..PortalSettings::default() };
    let sandbox = portal(settings);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let reply = call(&sandbox, &client.by_irn(NOBODY)).await;
    let errors = STANDARD.decode(reply["ErrorDetails"].as_str().unwrap()).unwrap();
    let errors: Value = serde_json::from_slice(&errors).unwrap();
    assert_eq!(errors[0]["ErrorCode"], "2148");
    let wrong = RawClient { password: "x".into(), token: String::new(), ..client };
    assert_eq!(codes(&call(&sandbox, &wrong.login(false)).await), ["1019"]);
}

#[tokio::test]
async fn an_unknown_irn_may_answer_3001() {
    let settings = PortalSettings { unknown_irn: UnknownIrn::NoData, ..PortalSettings::default() };
    let sandbox = portal(settings);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    assert_eq!(codes(&call(&sandbox, &client.by_irn(NOBODY)).await), ["3001"]);
    assert_eq!(codes(&call(&sandbox, &client.by_document("A/1", "05/11/2026")).await), ["3001"]);
}

#[tokio::test]
async fn the_outer_acknowledgement_time_has_seconds_only_when_asked_for() {
    for (seconds, expected) in [(false, "2026-11-05 12:01:00"), (true, "2026-11-05 12:00:39")] {
        let settings = PortalSettings { ack_date_seconds: seconds, ..PortalSettings::default() };
        let sandbox = portal(settings);
        let client = RawClient::logged_in(&sandbox, SELLER).await;
        sandbox.advance(SignedDuration::from_secs(39));
        let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
        assert_eq!(made["AckDt"], expected);
    }
}

#[tokio::test]
async fn a_computed_distance_may_stand_in_the_remarks() {
    let settings = PortalSettings { distance_report: DistanceReport::Remarks, ..PortalSettings::default() };
    let sandbox = portal(settings);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let mut document = invoice("A/1");
    document["EwbDtls"] = json!({"TransId": SELLER, "Distance": 0});
    let reply = call(&sandbox, &client.generate(&document)).await;
    let data = client.opened(&reply);
    assert_eq!((&reply["InfoDtls"], &data["EwbValidTill"]), (&Value::Null, &Value::Null));
    assert_eq!(data["Remarks"], "Pin-Pin calc distance: 1066KM");
}

#[tokio::test]
async fn the_ship_to_rule_on_hold_holds_from_the_day_it_is_given() {
    let mut document = invoice("A/1");
    document["EwbDtls"] = json!({"TransId": SELLER, "Distance": 10});
    document["ShipDtls"] =
        json!({"LglNm": "Example Depot", "Addr1": "3 Example Lane", "Loc": "Pune", "Pin": 411_001, "Stcd": "27"});
    for (from, accepted) in [(None, true), (Some("2026-11-06"), true), (Some("2026-11-05"), false)] {
        let settings = PortalSettings { ship_to_gstin_from: from.map(str::to_owned), ..PortalSettings::default() };
        let sandbox = portal(settings);
        let client = RawClient::logged_in(&sandbox, SELLER).await;
        let reply = call(&sandbox, &client.generate(&document)).await;
        assert_eq!(reply["Status"] == 1, accepted, "{reply}");
        if !accepted {
            assert!(reply["ErrorDetails"][0]["ErrorMessage"].as_str().unwrap().contains("ShipDtls.Gstin"), "{reply}");
        }
    }
}

#[tokio::test]
async fn age_limits_apply_when_they_are_set() {
    let settings = PortalSettings {
        report_within_days: Some(30),
        earliest_document_date: Some("2026-04-01".into()),
        ..PortalSettings::default()
    };
    let sandbox = portal(settings);
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    let mut document = invoice("A/1");
    document["DocDtls"]["Dt"] = json!("01/03/2026");
    let refused = codes(&call(&sandbox, &client.generate(&document)).await);
    assert!(refused.contains(&"2284".into()) && refused.contains(&"2305".into()), "{refused:?}");
}

#[test]
fn a_setting_out_of_range_is_named_with_what_is_expected() {
    let plain = PortalSettings::default;
    let cases = [
        (PortalSettings { token_minutes: 5, ..plain() }, "token_minutes is 5, expected 11 to 1440"),
        (
            PortalSettings { ewb_logins_per_15_minutes: Some(0), ..plain() },
            "ewb_logins_per_15_minutes is 0, expected 1 to 1000",
        ),
        (
            PortalSettings { ewb_distance_tolerance_percent: Some(1001), ..plain() },
            "ewb_distance_tolerance_percent is 1001, expected 0 to 1000",
        ),
        (
            PortalSettings { pins_without_distance: vec![560_001, 56], ..plain() },
            "pins_without_distance is 56, expected PIN codes of six digits",
        ),
    ];
    for (settings, expected) in cases {
        assert_eq!(settings.validate().unwrap_err().to_string(), format!("sandbox setting {expected}"));
    }
}

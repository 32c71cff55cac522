//! E-way bills for an IRN, on the registration portal.

use einvoice_sandbox::{PortalSettings, Sandbox, TaxpayerEntry};
use serde_json::{Value, json};

use super::{Tally, done, irp_client, with};
use crate::bills::bill;
use crate::raw::{BUYER, RawClient, SELLER, call, codes, invoice, portal, seal};

const ROW: &str = "Generate EWB by IRN";
const READ: &str = "Get EWB by IRN";

pub(super) async fn provoke(tally: &mut Tally) {
    transport(tally).await;
    places(tally).await;
    documents(tally).await;
    duplicates(tally).await;
    ship_to_rule(tally).await;
}

fn request(client: &RawClient, plain: &Value) -> einvoice_sandbox::PortalRequest {
    client.post("/eiewb/v1.03/ewaybill", &json!({"Data": seal(&client.sek, plain.to_string().as_bytes())}))
}

fn by_road(irn: &str) -> Value {
    json!({"Irn": irn, "Distance": 250, "TransMode": "1", "VehNo": "KA01AB1234", "VehType": "R"})
}

async fn registered(sandbox: &Sandbox, document: &Value) -> (RawClient, String) {
    let client = irp_client(sandbox, SELLER).await;
    let made = client.opened(&call(sandbox, &client.generate(document)).await);
    (client, made["Irn"].as_str().unwrap().to_owned())
}

async fn transport(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let (client, irn) = registered(&sandbox, &invoice("A/1")).await;
    let nothing = json!({"TransMode": null, "VehNo": null, "VehType": null});
    let rail = json!({"TransMode": "2", "VehNo": null, "VehType": null, "TransDocNo": "123456789", "TransDocDt": "05/11/2026"});
    let ship = json!({"TransMode": "4", "VehNo": null, "VehType": "O"});
    let cases = [
        (json!({"Irn": null}), "5002"),
        (json!({"Distance": 4001}), "5002"),
        (json!({"Irn": "a".repeat(64)}), "2148"),
        (json!({"Irn": "1"}), "2145"),
        (json!({"VehNo": ""}), "4011"),
        (with(&rail, &json!({"TransDocNo": null})), "4012"),
        (json!({"VehNo": "KA 1"}), "4014"),
        (with(&rail, &json!({"TransDocDt": "06/11/2026"})), "4016"),
        (with(&rail, &json!({"TransDocDt": "2026-11-05"})), "4017"),
        (json!({"TransId": "29"}), "4018"),
        (nothing, "4019"),
        (json!({"VehType": "X"}), "4020"),
        (with(&rail, &json!({"TransDocDt": "04/11/2026"})), "4021"),
        (json!({"VehType": null}), "4022"),
        (with(&rail, &json!({"TransDocDt": null})), "4023"),
        (with(&rail, &json!({"VehType": "O"})), "4024"),
        (json!({"TransMode": null}), "4028"),
        (with(&ship, &json!({"VehType": "R"})), "4039"),
        (ship.clone(), "4040"),
    ];
    for (changes, code) in cases {
        tally.irp(ROW, &sandbox, &request(&client, &with(&by_road(&irn), &changes)), code).await;
    }
    let read = |irn: &str| client.get(&format!("/eiewb/v1.03/ewaybill/irn/{irn}"));
    tally.irp(READ, &sandbox, &read("1"), "4003").await;
    tally.irp(READ, &sandbox, &read(&irn), "4005").await;
    client.opened(&call(&sandbox, &request(&client, &with(&by_road(&irn), &rail))).await);
}

async fn places(tally: &mut Tally) {
    let place = |state: &str, pin: u32| json!({"Nm": "Depot", "LglNm": "Depot", "Addr1": "3 Example Road", "Loc": "Pune", "Pin": pin, "Stcd": state});
    let plain = PortalSettings::default;
    let near = json!({"Distance": 0, "ExpShipDtls": place("29", 560_001)});
    let cases = [
        (plain(), near, "4029"),
        (PortalSettings { pins_without_distance: vec![560_001], ..plain() }, json!({"Distance": 0}), "4030"),
        (plain(), json!({"ExpShipDtls": place("96", 400_001)}), "4032"),
        (plain(), json!({"ExpShipDtls": place("96", 999_999)}), "4033"),
        (plain(), json!({"Distance": 0, "ExpShipDtls": place("96", 999_999)}), "4034"),
        (plain(), json!({"DispDtls": place("96", 400_001)}), "4035"),
        (plain(), json!({"DispDtls": place("96", 999_999)}), "4036"),
        (PortalSettings { ewb_distance_tolerance_percent: Some(0), ..plain() }, json!({"Distance": 1067}), "4038"),
    ];
    for (settings, changes, code) in cases {
        let sandbox = portal(settings);
        let (client, irn) = registered(&sandbox, &invoice("A/1")).await;
        tally.irp(ROW, &sandbox, &request(&client, &with(&by_road(&irn), &changes)), code).await;
    }
}

async fn documents(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let mut service = invoice("A/1");
    service["ItemList"][0]["IsServc"] = json!("Y");
    service["ItemList"][0]["HsnCd"] = json!("998431");
    let mut note = invoice("A/2");
    note["DocDtls"]["Typ"] = json!("CRN");
    let mut export = invoice("A/3");
    export["TranDtls"]["SupTyp"] = json!("EXPWP");
    for (member, value) in [("Gstin", "URP"), ("Pos", "96"), ("Stcd", "96")] {
        export["BuyerDtls"][member] = json!(value);
    }
    export["BuyerDtls"]["Pin"] = json!(999_999);
    for (document, code) in [(service, "4009"), (note, "4010"), (export, "4031")] {
        let (client, irn) = registered(&sandbox, &document).await;
        tally.irp(ROW, &sandbox, &request(&client, &by_road(&irn)), code).await;
    }
    let (client, irn) = registered(&sandbox, &invoice("A/4")).await;
    client.opened(&call(&sandbox, &client.cancel(&irn, "1")).await);
    tally.irp(ROW, &sandbox, &request(&client, &by_road(&irn)), "4000").await;
    let blocked = TaxpayerEntry { gstin: SELLER.into(), block_status: "B".into(), ..TaxpayerEntry::default() };
    sandbox.set_settings(PortalSettings { taxpayers: vec![blocked], ..PortalSettings::default() }).unwrap();
    let (client, irn) = registered(&sandbox, &invoice("A/5")).await;
    tally.irp(ROW, &sandbox, &request(&client, &by_road(&irn)), "4015").await;
}

/// A bill for the IRN, and a bill that the e-way bill system made for the document.
async fn duplicates(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let (client, irn) = registered(&sandbox, &invoice("A/1")).await;
    client.opened(&call(&sandbox, &request(&client, &by_road(&irn))).await);
    tally.irp(ROW, &sandbox, &request(&client, &by_road(&irn)), "4002").await;
    sandbox.set_settings(PortalSettings { ewb_duplicate_names_number: true, ..PortalSettings::default() }).unwrap();
    let again = call(&sandbox, &request(&client, &by_road(&irn))).await;
    let number = sandbox.e_way_bills()[0].ewb_no.clone();
    assert_eq!(codes(&again), ["4026"]);
    assert!(again["ErrorDetails"][0]["ErrorMessage"].as_str().unwrap().contains(&number), "{again}");

    let sandbox = portal(PortalSettings::default());
    let made = done(&sandbox, "GENEWAYBILL", SELLER, &bill("A/1")).await["ewayBillNo"].to_string();
    let mut with_transport = invoice("a/1");
    with_transport["EwbDtls"] = json!({"TransMode": "1", "VehNo": "KA01AB1234", "VehType": "R", "Distance": 250});
    let client = irp_client(&sandbox, SELLER).await;
    let reply = call(&sandbox, &client.generate(&with_transport)).await;
    let failed = &reply["InfoDtls"][0];
    assert_eq!((&failed["InfCd"], &failed["Desc"][0]["ErrorCode"]), (&json!("EWBERR"), &json!("4026")));
    let irn = client.opened(&reply)["Irn"].as_str().unwrap().to_owned();
    tally.irp(ROW, &sandbox, &request(&client, &by_road(&irn)), "4026").await;
    let text = call(&sandbox, &request(&client, &by_road(&irn))).await.to_string();
    assert!(text.contains(&made), "{text}");
}

async fn ship_to_rule(tally: &mut Tally) {
    let place = |gstin: Value, state: &str, pin: u32| {
        let place = json!({"Gstin": gstin, "LglNm": "Depot", "Addr1": "3 Example Road", "Loc": "Pune", "Pin": pin, "Stcd": state});
        json!({ "ExpShipDtls": place })
    };
    let sandbox = portal(PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..PortalSettings::default() });
    let mut shipped = invoice("A/1");
    shipped["ShipDtls"] = place(json!(BUYER), "27", 411_001)["ExpShipDtls"].clone();
    let (client, irn) = registered(&sandbox, &shipped).await;
    for (changes, code) in [
        (place(Value::Null, "27", 411_001), "5001"),
        (place(json!(BUYER), "29", 560_001), "4074"),
        (place(json!("URP"), "27", 560_001), "3039"),
        (place(json!("URP"), "27", 411_001), "2324"),
    ] {
        tally.irp(ROW, &sandbox, &request(&client, &with(&by_road(&irn), &changes)), code).await;
    }
    // Where only the GSTIN was missing, it may be added.
    let mut unnamed = shipped;
    unnamed["DocDtls"]["No"] = json!("A/2");
    unnamed["ShipDtls"].as_object_mut().unwrap().remove("Gstin");
    let (client, irn) = registered(&sandbox, &unnamed).await;
    let added = with(&by_road(&irn), &place(json!("URP"), "27", 411_001));
    client.opened(&call(&sandbox, &request(&client, &added)).await);
}

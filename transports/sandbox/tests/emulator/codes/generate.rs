//! GENEWAYBILL.

use einvoice_sandbox::{PortalSettings, TaxpayerEntry};
use serde_json::{Value, json};

use super::{Tally, done, with};
use crate::bills::{CARRIER, bill, part_a};
use crate::raw::{BUYER, SELLER, SISTER, portal};

const ROW: &str = "GENEWAYBILL";

pub(super) async fn provoke(tally: &mut Tally) {
    plain(tally).await;
    items(tally).await;
    registry(tally).await;
    settings(tally).await;
}

/// Members changed in a correct request, and the code this brings.
async fn plain(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let ship = json!({"transMode": "4", "vehicleNo": null, "vehicleType": "O"});
    let export = json!({"subSupplyType": "3", "toGstin": "URP"});
    let import =
        json!({"supplyType": "I", "subSupplyType": "2", "docType": "BOE", "fromGstin": "URP", "toGstin": SELLER});
    let inward = json!({"supplyType": "I", "fromGstin": BUYER, "toGstin": BUYER});
    let local = json!({"toStateCode": 29, "actToStateCode": 29, "toPincode": 560_002});
    let cases = [
        (json!({"supplyType": "X"}), "201"),
        (json!({"subSupplyType": "13"}), "202"),
        (json!({"subSupplyType": "2"}), "203"),
        (json!({"docType": "CNT"}), "204"),
        (json!({"docType": "CHL"}), "205"),
        (json!({"docNo": "A/12345678901234567"}), "206"),
        (json!({"docDate": "06/11/2026"}), "207"),
        (json!({"fromGstin": "29"}), "208"),
        (json!({"fromPincode": 1}), "210"),
        (json!({"fromStateCode": 39}), "211"),
        (json!({"toGstin": "27"}), "212"),
        (json!({"toPincode": 1}), "214"),
        (json!({"toStateCode": 39}), "215"),
        (json!({"transMode": "5"}), "220"),
        (json!({"transDistance": 4001}), "221"),
        (json!({"transporterId": "29"}), "222"),
        (json!({"transDocNo": "1234567890123456"}), "223"),
        (json!({"transDocDate": "2026-11-05"}), "224"),
        (json!({"vehicleNo": "KA 1"}), "225"),
        (json!({"fromTrdName": ""}), "229"),
        (json!({"fromPlace": null}), "230"),
        (json!({"toTrdName": null}), "231"),
        (json!({"toPlace": ""}), "232"),
        (json!({"itemList": []}), "233"),
        (json!({"vehicleNo": null}), "303"),
        (json!({"userGstin": SISTER}), "358"),
        (json!({"fromGstin": BUYER}), "359"),
        (inward, "360"),
        (json!({"vehicleType": "X"}), "361"),
        (json!({"transDocDate": "04/11/2026"}), "362"),
        (json!({"actFromStateCode": ""}), "371"),
        (json!({"actToStateCode": 39}), "372"),
        (export.clone(), "373"),
        (export, "374"),
        (import.clone(), "375"),
        (import, "376"),
        (json!({"subSupplyType": "8", "docType": "CHL"}), "377"),
        (json!({"transMode": "2", "transDocNo": "RR1"}), "385"),
        (json!({"transMode": "3", "transDocDate": "05/11/2026"}), "394"),
        (json!({"toPincode": 110_001}), "436"),
        (json!({"fromPincode": 110_001}), "437"),
        (json!({"subSupplyType": "3"}), "450"),
        (json!({"supplyType": "I", "subSupplyType": "2", "fromGstin": BUYER, "toGstin": SELLER}), "451"),
        (json!({"transactionType": 2, "shipToGSTIN": "27"}), "609"),
        (json!({"transactionType": 3, "dispatchFromGSTIN": "29"}), "610"),
        (json!({"transactionType": 5}), "612"),
        (json!({"transactionType": null}), "614"),
        (json!({"dispatchFromGSTIN": SISTER}), "615"),
        (json!({"shipToGSTIN": SISTER}), "616"),
        (json!({"transactionType": 3, "dispatchFromGSTIN": SELLER}), "617"),
        (json!({"transactionType": 2, "shipToGSTIN": BUYER}), "618"),
        (json!({"transMode": null, "vehicleNo": null}), "619"),
        (json!({"totInvValue": 1179}), "620"),
        (json!({"transMode": null}), "621"),
        (json!({"transMode": null, "transDocNo": "7"}), "622"),
        (local, "623"),
        (json!({"cgstValue": 1}), "624"),
        (json!({"totalValue": -1}), "627"),
        (json!({"totInvValue": -1}), "628"),
        (json!({"igstValue": -1}), "629"),
        (json!({"cgstValue": -1}), "630"),
        (json!({"sgstValue": -1}), "631"),
        (json!({"cessValue": -1}), "632"),
        (json!({"cessNonAdvolValue": -1}), "633"),
        (json!({"transMode": "2", "vehicleType": "O"}), "634"),
        (json!({"totInvValue": null}), "640"),
        (json!({"actFromStateCode": 27}), "643"),
        (json!({"actToStateCode": 29}), "644"),
        (json!({"transDistance": 0, "toPincode": 560_001}), "721"),
        (with(&ship, &json!({"vehicleType": "R"})), "726"),
        (ship.clone(), "727"),
        (with(&ship, &json!({"transDocNo": "BL1"})), "729"),
        (json!({"docDate": "30/06/2017"}), "819"),
        (json!({"docDate": "01/05/2026"}), "820"),
        (json!({"fromGstin": "URP", "toGstin": "URP"}), "822"),
        (json!({"transactionType": 3, "shipToGSTIN": SISTER}), "864"),
    ];
    for (changes, code) in cases {
        tally.act(&sandbox, ROW, SELLER, &with(&bill("E/1"), &changes), code).await;
    }
    assert!(sandbox.e_way_bills().is_empty(), "a refused request made a bill");
    done(&sandbox, ROW, SELLER, &bill("E/1")).await;
    tally.act(&sandbox, ROW, SELLER, &part_a("e/1"), "604").await;
}

/// Members changed in the one item of a correct request.
async fn items(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let cases = [
        (json!({"hsnCode": "10A6"}), "216"),
        (json!({"qtyUnit": "XXX"}), "217"),
        (json!({"cgstRate": 9, "sgstRate": 9}), "219"),
        (json!({"taxableAmount": null}), "234"),
        (json!({"cgstRate": 9}), "251"),
        (json!({"cgstRate": -1}), "252"),
        (json!({"sgstRate": -1}), "253"),
        (json!({"igstRate": -1}), "254"),
        (json!({"cessRate": -1}), "255"),
        (json!({"cessNonAdvol": -1}), "256"),
        (json!({"hsnCode": 10}), "282"),
        (json!({"hsnCode": "998431"}), "724"),
    ];
    for (changes, code) in cases {
        tally.act(&sandbox, ROW, SELLER, &with_item("E/1", &changes), code).await;
    }
    let within = with(&bill("E/1"), &json!({"toStateCode": 29, "actToStateCode": 29, "toPincode": 560_002}));
    tally.act(&sandbox, ROW, SELLER, &within, "218").await;
}

fn with_item(number: &str, changes: &Value) -> Value {
    let mut request = bill(number);
    request["itemList"][0] = with(&request["itemList"][0], changes);
    request
}

/// What stands against a party in the registry.
async fn registry(tally: &mut Tally) {
    let entry = |gstin: &str| TaxpayerEntry { gstin: gstin.into(), ..TaxpayerEntry::default() };
    let kind = |gstin: &str, kind: &str| TaxpayerEntry { taxpayer_type: kind.into(), ..entry(gstin) };
    let lots = json!({"subSupplyType": "9"});
    let lots_in = json!({"supplyType": "I", "subSupplyType": "9", "fromGstin": BUYER, "toGstin": SELLER});
    let split = with_item("E/1", &json!({"cgstRate": 9, "sgstRate": 9, "igstRate": 0}));
    let cases = [
        (TaxpayerEntry { turnover_above_5_crore: true, ..entry(SELLER) }, bill("E/1"), "283"),
        (kind(BUYER, "SEZ"), split, "378"),
        (kind(BUYER, "SEZ"), with(&bill("E/1"), &lots), "641"),
        (kind(BUYER, "SED"), with(&bill("E/1"), &lots_in), "642"),
        (kind(SELLER, "COM"), bill("E/1"), "703"),
        (kind(SELLER, "COM"), bill("E/1"), "704"),
        (kind(SELLER, "COM"), bill("E/1"), "714"),
        (TaxpayerEntry { block_status: "B".into(), ..entry(SELLER) }, bill("E/1"), "715"),
        (TaxpayerEntry { status: "CNL".into(), ..entry(BUYER) }, bill("E/1"), "722"),
    ];
    for (entry, request, code) in cases {
        let sandbox = portal(PortalSettings { taxpayers: vec![entry], ..PortalSettings::default() });
        tally.act(&sandbox, ROW, SELLER, &request, code).await;
    }
}

/// What the registry holds of a party and does not count against it.
#[tokio::test]
async fn special_zones_and_documents_of_before_a_deregistration_are_accepted() {
    let entry = |kind: &str, status: &str| TaxpayerEntry {
        gstin: BUYER.into(),
        taxpayer_type: kind.into(),
        status: status.into(),
        ..TaxpayerEntry::default()
    };
    let sandbox = portal(PortalSettings { taxpayers: vec![entry("SEZ", "ACT")], ..PortalSettings::default() });
    let near = json!({"toStateCode": 29, "actToStateCode": 29, "toPincode": 560_002});
    done(&sandbox, ROW, SELLER, &with(&bill("E/1"), &near)).await;
    let abroad = json!({"subSupplyType": "3", "toStateCode": 99, "actToStateCode": 99, "toPincode": 999_999});
    done(&sandbox, ROW, SELLER, &with(&bill("E/2"), &abroad)).await;
    let sandbox = portal(PortalSettings { taxpayers: vec![entry("REG", "CNL")], ..PortalSettings::default() });
    sandbox.set_time("2024-04-02T06:30:00Z".parse().unwrap());
    done(&sandbox, ROW, SELLER, &with(&bill("E/1"), &json!({"docDate": "31/03/2024"}))).await;
}

/// Rules that a setting puts in force.
async fn settings(tally: &mut Tally) {
    let plain = PortalSettings::default;
    let hold = || PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..plain() };
    let to_ship = json!({"transactionType": 2, "shipToGSTIN": SISTER, "shipToTradeName": "Example Depot"});
    let shipped = |changes: Value| with(&with(&bill("E/1"), &to_ship), &changes);
    let mut low = with_item("E/1", &json!({"igstRate": 28}));
    low["transporterId"] = json!(CARRIER);
    let rail = json!({"transMode": "2", "vehicleNo": null, "transDocNo": "RR1", "transDocDate": "05/11/2026"});
    let cases = [
        (hold(), shipped(json!({"shipToGSTIN": null})), "608"),
        (hold(), shipped(json!({"actToStateCode": 39})), "857"),
        (hold(), shipped(json!({"toPincode": 110_001})), "858"),
        (hold(), shipped(json!({"shipToTradeName": null})), "863"),
        (hold(), shipped(json!({"toStateCode": 24})), "865"),
        (PortalSettings { ewb_totals_from_items: true, ..plain() }, low, "620"),
        (
            PortalSettings { ewb_distance_tolerance_percent: Some(10), ..plain() },
            with(&bill("E/1"), &json!({"transDistance": 1174})),
            "702",
        ),
        (PortalSettings { einvoice_enabled: vec![SELLER.into()], ..plain() }, bill("E/1"), "720"),
        (
            PortalSettings { pins_without_distance: vec![400_001], ..plain() },
            with(&bill("E/1"), &json!({"transDistance": 0})),
            "721",
        ),
        (PortalSettings { ewb_rail_documents_checked: true, ..plain() }, with(&bill("E/1"), &rail), "823"),
    ];
    for (settings, request, code) in cases {
        tally.act(&portal(settings), ROW, SELLER, &request, code).await;
    }
    // Each of these passes where the setting is not made, or just keeps within it.
    let sandbox = portal(PortalSettings { ewb_distance_tolerance_percent: Some(10), ..plain() });
    done(&sandbox, ROW, SELLER, &with(&bill("E/1"), &json!({"transDistance": 1172}))).await;
    done(&sandbox, ROW, SELLER, &with(&bill("E/2"), &rail)).await;
    done(&sandbox, ROW, SELLER, &with_item("E/3", &json!({"igstRate": 28}))).await;
}

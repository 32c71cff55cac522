//! Trip sheets and multi-vehicle movements.

use einvoice_sandbox::{PortalSettings, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::acts::{close, closing, made};
use super::{Tally, done, with};
use crate::bills::{CARRIER, bill, cancel, part_a, vehicle};
use crate::raw::{SELLER, SISTER, portal};

pub(super) async fn provoke(tally: &mut Tally) {
    trip_sheets(tally).await;
    regeneration(tally).await;
    movement(tally).await;
    addition(tally).await;
    change_of_vehicle(tally).await;
}

pub(crate) fn start(number: u64) -> Value {
    json!({"ewbNo": number, "reasonCode": "1", "reasonRem": "port", "fromPlace": "Hubli", "fromState": 29,
        "toPlace": "Pune", "toState": 27, "transMode": "1", "totalQuantity": 10, "unitCode": "KGS"})
}

fn together(numbers: &[u64]) -> Value {
    let rows: Vec<_> = numbers.iter().map(|number| json!({ "ewbNo": number })).collect();
    json!({"fromPlace": "Hubli", "fromState": 29, "vehicleNo": "KA01AB1234", "transMode": "1", "tripSheetEwbBills": rows})
}

fn add(number: u64) -> Value {
    json!({"ewbNo": number, "groupNo": "1", "vehicleNo": "KA01AB1111", "transDocNo": "7", "quantity": 6})
}

fn change(number: u64) -> Value {
    json!({"ewbNo": number, "groupNo": "1", "oldvehicleNo": "KA01AB1111", "newVehicleNo": "KA01AB2222", "oldTranNo": "7",
        "newTranNo": "8", "fromPlace": "Hubli", "fromState": 29, "reasonCode": "1", "reasonRem": "broke down"})
}

/// A bill of each standing that an act on it refuses.
struct Standings {
    acted: u64,
    cancelled: u64,
    closed: u64,
    lapsed: u64,
}

impl Standings {
    /// Makes them with a multi-vehicle movement each where that is still possible, and lets time pass.
    async fn new(sandbox: &Sandbox, moving: bool) -> Self {
        let mut bills = Vec::new();
        for number in ["S/2", "S/3", "S/4"] {
            bills.push(made(sandbox, &bill(number)).await);
        }
        let acted = made(sandbox, &part_a("S/1")).await;
        done(sandbox, "VEHEWB", CARRIER, &vehicle(acted)).await;
        if moving {
            for number in &bills {
                done(sandbox, "MULTIVEHMOVINT", SELLER, &start(*number)).await;
            }
        }
        done(sandbox, "CANEWB", SELLER, &cancel(bills[0])).await;
        close(sandbox, bills[1]).await;
        Self { acted, cancelled: bills[0], closed: bills[1], lapsed: bills[2] }
    }
}

async fn trip_sheets(tally: &mut Tally) {
    const ROW: &str = "GENCEWB";
    let sandbox = portal(closing());
    let (first, second) = (made(&sandbox, &bill("E/1")).await, made(&sandbox, &bill("E/2")).await);
    tally.act(&sandbox, ROW, SELLER, &together(&[]), "301").await;
    tally.act(&sandbox, ROW, SISTER, &together(&[first]), "650").await;
    sandbox.move_bill_to_site(&second.to_string(), "NIC2").await.unwrap();
    tally.act(&sandbox, ROW, SELLER, &together(&[second]), "452").await;
    tally.act(&sandbox, ROW, SELLER, &together(&[first, second]), "453").await;
    let Standings { acted, cancelled, closed, lapsed } = Standings::new(&sandbox, false).await;
    tally.act(&sandbox, ROW, SELLER, &together(&[acted]), "649").await;
    tally.act(&sandbox, ROW, SELLER, &together(&[cancelled]), "280").await;
    tally.act(&sandbox, ROW, SELLER, &together(&[closed]), "845").await;
    done(&sandbox, "MULTIVEHMOVINT", SELLER, &start(first)).await;
    tally.act(&sandbox, ROW, SELLER, &together(&[first]), "648").await;
    sandbox.advance(SignedDuration::from_hours(72));
    tally.act(&sandbox, ROW, SELLER, &together(&[lapsed]), "818").await;
}

async fn regeneration(tally: &mut Tally) {
    const ROW: &str = "REGENTRIPSHEET";
    let sandbox = portal(PortalSettings::default());
    let number = made(&sandbox, &bill("E/1")).await;
    let sheet = done(&sandbox, "GENCEWB", SELLER, &together(&[number])).await["cEwbNo"].clone();
    let again = json!({"tripSheetNo": sheet, "vehicleNo": "KA01AB4321", "fromPlace": "Hubli", "fromState": 29, "transMode": "1",
        "reasonCode": 1, "reasonRem": "flood"});
    tally.act(&sandbox, ROW, SISTER, &again, "387").await;
    tally.act(&sandbox, ROW, SELLER, &with(&again, &json!({"reasonCode": 9})), "307").await;
    tally.act(&sandbox, ROW, SELLER, &with(&again, &json!({"reasonRem": null})), "386").await;
    let newer = done(&sandbox, ROW, SELLER, &again).await["tripSheetNo"].clone();
    tally.act(&sandbox, ROW, SELLER, &again, "392").await;
    done(&sandbox, "CANEWB", SELLER, &cancel(number)).await;
    tally.act(&sandbox, ROW, SELLER, &with(&again, &json!({ "tripSheetNo": newer })), "391").await;
}

async fn movement(tally: &mut Tally) {
    const ROW: &str = "MULTIVEHMOVINT";
    let sandbox = portal(closing());
    let mut two_units = bill("E/1");
    let mut pieces = two_units["itemList"][0].clone();
    pieces["qtyUnit"] = json!("NOS");
    two_units["itemList"].as_array_mut().unwrap().push(pieces);
    let number = made(&sandbox, &two_units).await;
    tally.act(&sandbox, ROW, SELLER, &start(1), "301").await;
    tally.act(&sandbox, ROW, SISTER, &start(number), "646").await;
    for (changes, code) in [
        (json!({"fromPlace": null}), "305"),
        (json!({"fromState": 39}), "306"),
        (json!({"toState": 39}), "320"),
        (json!({"toPlace": null}), "321"),
        (json!({"transMode": 5}), "302"),
        (json!({"reasonCode": 9}), "307"),
        (json!({"reasonRem": null}), "386"),
        (json!({"totalQuantity": 0}), "402"),
        (json!({"unitCode": "BOX"}), "399"),
    ] {
        tally.act(&sandbox, ROW, SELLER, &with(&start(number), &changes), code).await;
    }
    done(&sandbox, ROW, SELLER, &start(number)).await;
    tally.act(&sandbox, ROW, SELLER, &with(&start(number), &json!({"unitCode": "NOS"})), "413").await;
    let Standings { acted, cancelled, closed, .. } = Standings::new(&sandbox, false).await;
    tally.act(&sandbox, ROW, SELLER, &start(acted), "645").await;
    tally.act(&sandbox, ROW, SELLER, &start(cancelled), "817").await;
    tally.act(&sandbox, ROW, SELLER, &start(closed), "847").await;
}

async fn addition(tally: &mut Tally) {
    const ROW: &str = "MULTIVEHADD";
    let sandbox = portal(closing());
    let number = made(&sandbox, &bill("E/1")).await;
    done(&sandbox, "MULTIVEHMOVINT", SELLER, &start(number)).await;
    tally.act(&sandbox, ROW, SELLER, &add(1), "301").await;
    tally.act(&sandbox, ROW, SISTER, &add(number), "646").await;
    for (changes, code) in [
        (json!({"groupNo": 0}), "406"),
        (json!({"groupNo": 2}), "411"),
        (json!({"quantity": 0}), "402"),
        (json!({"vehicleNo": null}), "303"),
        (json!({"vehicleNo": "KA 1"}), "304"),
        (json!({"quantity": 11}), "400"),
    ] {
        tally.act(&sandbox, ROW, SELLER, &with(&add(number), &changes), code).await;
    }
    let by_rail = made(&sandbox, &bill("E/2")).await;
    done(&sandbox, "MULTIVEHMOVINT", SELLER, &with(&start(by_rail), &json!({"transMode": 2}))).await;
    let nothing = json!({"vehicleNo": null, "transDocNo": null});
    tally.act(&sandbox, ROW, SELLER, &with(&add(by_rail), &nothing), "394").await;
    let Standings { acted, cancelled, closed, lapsed } = Standings::new(&sandbox, true).await;
    tally.act(&sandbox, ROW, SELLER, &add(acted), "645").await;
    tally.act(&sandbox, ROW, SELLER, &add(cancelled), "280").await;
    tally.act(&sandbox, ROW, SELLER, &add(closed), "846").await;
    sandbox.advance(SignedDuration::from_hours(72));
    tally.act(&sandbox, ROW, SELLER, &add(lapsed), "311").await;
}

async fn change_of_vehicle(tally: &mut Tally) {
    const ROW: &str = "MULTIVEHUPD";
    let sandbox = portal(closing());
    let number = made(&sandbox, &bill("E/1")).await;
    done(&sandbox, "MULTIVEHMOVINT", SELLER, &start(number)).await;
    tally.act(&sandbox, ROW, SELLER, &change(number), "405").await;
    done(&sandbox, "MULTIVEHADD", SELLER, &add(number)).await;
    tally.act(&sandbox, ROW, SELLER, &change(1), "301").await;
    tally.act(&sandbox, ROW, SISTER, &change(number), "646").await;
    for (changes, code) in [
        (json!({"fromPlace": null}), "305"),
        (json!({"fromState": 39}), "306"),
        (json!({"reasonCode": 9}), "307"),
        (json!({"reasonRem": null}), "386"),
        (json!({"groupNo": 0}), "406"),
        (json!({"oldvehicleNo": "KA 1"}), "407"),
        (json!({"newVehicleNo": "KA 1"}), "408"),
        (json!({"newVehicleNo": null, "newTranNo": null}), "410"),
        (json!({"groupNo": 2}), "411"),
    ] {
        tally.act(&sandbox, ROW, SELLER, &with(&change(number), &changes), code).await;
    }
    let Standings { acted, cancelled, closed, lapsed } = Standings::new(&sandbox, true).await;
    tally.act(&sandbox, ROW, SELLER, &change(acted), "645").await;
    tally.act(&sandbox, ROW, SELLER, &change(cancelled), "280").await;
    tally.act(&sandbox, ROW, SELLER, &change(closed), "848").await;
    sandbox.advance(SignedDuration::from_hours(72));
    tally.act(&sandbox, ROW, SELLER, &change(lapsed), "311").await;
}

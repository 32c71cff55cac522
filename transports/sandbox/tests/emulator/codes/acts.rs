//! What is done to one bill: Part B, transporter, extension, cancellation, rejection, closure.

use einvoice_sandbox::{PortalSettings, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Tally, done, with};
use crate::bills::{CARRIER, bill, cancel, extension, part_a, vehicle};
use crate::raw::{BUYER, SELLER, SISTER, portal};

pub(super) async fn provoke(tally: &mut Tally) {
    part_b(tally).await;
    update_part_b(tally).await;
    cancellation(tally).await;
    rejection(tally).await;
    transporter(tally).await;
    extension_of(tally).await;
    extension_to_the_cap(tally).await;
    closure(tally).await;
}

pub(super) async fn made(sandbox: &Sandbox, plain: &Value) -> u64 {
    done(sandbox, "GENEWAYBILL", SELLER, plain).await["ewayBillNo"].as_u64().unwrap()
}

pub(super) fn closing() -> PortalSettings {
    PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..PortalSettings::default() }
}

pub(super) async fn close(sandbox: &Sandbox, number: u64) {
    let plain = json!({"ewbNo": number, "closureDate": "05/11/2026", "closureRemarks": "delivered"});
    done(sandbox, "CLSEWB", SELLER, &plain).await;
}

fn long(number: &str) -> Value {
    with(&bill(number), &json!({"transDistance": 4000}))
}

async fn part_b(tally: &mut Tally) {
    const ROW: &str = "Part B of every act";
    let sandbox = portal(PortalSettings { ewb_rail_documents_checked: true, ..PortalSettings::default() });
    let number = made(&sandbox, &bill("E/1")).await;
    let rail = json!({"transMode": 2, "vehicleNo": null, "transDocNo": "123456789", "transDocDate": "05/11/2026"});
    let ship = json!({"transMode": 4, "vehicleNo": null, "vehicleType": "O"});
    let cases = [
        (json!({"transDocNo": "1234567890123456"}), "223"),
        (json!({"transDocDate": "2026-11-05"}), "224"),
        (json!({"transMode": 5}), "302"),
        (json!({"vehicleNo": null}), "303"),
        (json!({"vehicleNo": "KA 1"}), "304"),
        (json!({"fromPlace": ""}), "305"),
        (json!({"fromState": 39}), "306"),
        (json!({"vehicleType": "X"}), "361"),
        (json!({"transDocDate": "04/11/2026"}), "362"),
        (with(&rail, &json!({"transDocDate": null})), "385"),
        (with(&rail, &json!({"transDocNo": null})), "394"),
        (with(&rail, &json!({"vehicleType": "O"})), "634"),
        (with(&ship, &json!({"vehicleType": "R"})), "726"),
        (ship.clone(), "727"),
        (with(&ship, &json!({"transDocNo": "BL1"})), "729"),
        (with(&rail, &json!({"transDocNo": "RR1"})), "823"),
    ];
    for (changes, code) in cases {
        tally.act_in(ROW, &sandbox, "VEHEWB", SELLER, &with(&vehicle(number), &changes), code).await;
    }
    let by_rail = with(&vehicle(number), &rail);
    done(&sandbox, "VEHEWB", SELLER, &by_rail).await;
}

async fn update_part_b(tally: &mut Tally) {
    const ROW: &str = "VEHEWB";
    let sandbox = portal(closing());
    let number = made(&sandbox, &bill("E/1")).await;
    tally.act(&sandbox, ROW, SELLER, &vehicle(1), "301").await;
    tally.act(&sandbox, ROW, SELLER, &with(&vehicle(number), &json!({"reasonCode": 9})), "307").await;
    tally.act(&sandbox, ROW, SELLER, &with(&vehicle(number), &json!({"reasonRem": ""})), "308").await;
    tally.act(&sandbox, ROW, SISTER, &vehicle(number), "636").await;
    for (site, other, code) in [("NIC1", "NIC2", "448"), ("NIC2", "NIC1", "449")] {
        sandbox.move_bill_to_site(&number.to_string(), site).await.unwrap();
        sandbox.set_settings(PortalSettings { site: other.into(), ..closing() }).unwrap();
        tally.act(&sandbox, ROW, SELLER, &vehicle(number), code).await;
    }
    sandbox.set_settings(closing()).unwrap();
    let handed = made(&sandbox, &part_a("E/2")).await;
    done(&sandbox, ROW, CARRIER, &vehicle(handed)).await;
    tally.act(&sandbox, ROW, SELLER, &vehicle(handed), "635").await;
    let split = made(&sandbox, &bill("E/3")).await;
    done(&sandbox, "MULTIVEHMOVINT", SELLER, &super::convoys::start(split)).await;
    tally.act(&sandbox, ROW, SELLER, &vehicle(split), "412").await;
    let closed = made(&sandbox, &bill("E/4")).await;
    close(&sandbox, closed).await;
    tally.act(&sandbox, ROW, SELLER, &vehicle(closed), "851").await;
    let cancelled = made(&sandbox, &bill("E/5")).await;
    done(&sandbox, "CANEWB", SELLER, &cancel(cancelled)).await;
    tally.act(&sandbox, ROW, SELLER, &vehicle(cancelled), "280").await;
    let old = made(&sandbox, &bill("E/6")).await;
    sandbox.advance(SignedDuration::from_hours(72));
    tally.act(&sandbox, ROW, SELLER, &vehicle(old), "311").await;
}

async fn cancellation(tally: &mut Tally) {
    const ROW: &str = "CANEWB";
    let sandbox = portal(closing());
    let number = made(&sandbox, &bill("E/1")).await;
    tally.act(&sandbox, ROW, SELLER, &cancel(1), "301").await;
    tally.act(&sandbox, ROW, BUYER, &cancel(number), "312").await;
    tally.act(&sandbox, ROW, SELLER, &with(&cancel(number), &json!({"cancelRsnCode": 5})), "307").await;
    tally.act(&sandbox, ROW, SELLER, &with(&cancel(number), &json!({"cancelRmrk": "x".repeat(51)})), "308").await;
    for (site, other, code) in [("NIC1", "NIC2", "444"), ("NIC2", "NIC1", "445")] {
        sandbox.move_bill_to_site(&number.to_string(), site).await.unwrap();
        sandbox.set_settings(PortalSettings { site: other.into(), ..closing() }).unwrap();
        tally.act(&sandbox, ROW, SELLER, &cancel(number), code).await;
    }
    sandbox.set_settings(closing()).unwrap();
    let closed = made(&sandbox, &bill("E/2")).await;
    close(&sandbox, closed).await;
    tally.act(&sandbox, ROW, SELLER, &cancel(closed), "843").await;
    let (verified, late) = (made(&sandbox, &bill("E/3")).await, made(&sandbox, &bill("E/4")).await);
    sandbox.verify_bill(&verified.to_string()).await.unwrap();
    tally.act(&sandbox, ROW, SELLER, &cancel(verified), "316").await;
    sandbox.advance(SignedDuration::from_hours(25));
    tally.act(&sandbox, ROW, SELLER, &cancel(late), "315").await;
    sandbox.set_settings(PortalSettings { ewb_cancel_from_part_b: true, ..closing() }).unwrap();
    tally.act(&sandbox, ROW, SELLER, &cancel(late), "728").await;
}

async fn rejection(tally: &mut Tally) {
    const ROW: &str = "REJEWB";
    let sandbox = portal(closing());
    let named = |number: u64| json!({ "ewbNo": number });
    tally.act(&sandbox, ROW, BUYER, &named(1), "344").await;
    let number = made(&sandbox, &long("E/1")).await;
    tally.act(&sandbox, ROW, SELLER, &named(number), "341").await;
    tally.act(&sandbox, ROW, SISTER, &named(number), "342").await;
    let cancelled = made(&sandbox, &bill("E/2")).await;
    done(&sandbox, "CANEWB", SELLER, &cancel(cancelled)).await;
    tally.act(&sandbox, ROW, BUYER, &named(cancelled), "343").await;
    let rejected = made(&sandbox, &bill("E/3")).await;
    done(&sandbox, ROW, BUYER, &named(rejected)).await;
    tally.act(&sandbox, ROW, BUYER, &named(rejected), "280").await;
    let closed = made(&sandbox, &bill("E/4")).await;
    close(&sandbox, closed).await;
    tally.act(&sandbox, ROW, BUYER, &named(closed), "849").await;
    let without = made(&sandbox, &part_a("E/5")).await;
    tally.act(&sandbox, ROW, BUYER, &named(without), "348").await;
    let short = made(&sandbox, &bill("E/6")).await;
    sandbox.advance(SignedDuration::from_hours(61));
    tally.act(&sandbox, ROW, BUYER, &named(short), "345").await;
    sandbox.advance(SignedDuration::from_hours(12));
    tally.act(&sandbox, ROW, BUYER, &named(number), "346").await;
}

async fn transporter(tally: &mut Tally) {
    const ROW: &str = "UPDATETRANSPORTER";
    let sandbox = portal(closing());
    let to = |number: u64, transporter: &str| json!({"ewbNo": number, "transporterId": transporter});
    tally.act(&sandbox, ROW, SELLER, &to(1, SISTER), "301").await;
    let number = made(&sandbox, &part_a("E/1")).await;
    tally.act(&sandbox, ROW, SISTER, &to(number, SISTER), "339").await;
    tally.act(&sandbox, ROW, SELLER, &to(number, "29"), "222").await;
    for (site, other, code) in [("NIC1", "NIC2", "446"), ("NIC2", "NIC1", "447")] {
        sandbox.move_bill_to_site(&number.to_string(), site).await.unwrap();
        sandbox.set_settings(PortalSettings { site: other.into(), ..closing() }).unwrap();
        tally.act(&sandbox, ROW, SELLER, &to(number, SISTER), code).await;
    }
    sandbox.set_settings(closing()).unwrap();
    let acted = made(&sandbox, &part_a("E/2")).await;
    done(&sandbox, "VEHEWB", CARRIER, &vehicle(acted)).await;
    tally.act(&sandbox, ROW, SELLER, &to(acted, SISTER), "338").await;
    let cancelled = made(&sandbox, &bill("E/3")).await;
    done(&sandbox, "CANEWB", SELLER, &cancel(cancelled)).await;
    tally.act(&sandbox, ROW, SELLER, &to(cancelled, SISTER), "280").await;
    let closed = made(&sandbox, &bill("E/4")).await;
    close(&sandbox, closed).await;
    tally.act(&sandbox, ROW, SELLER, &to(closed, SISTER), "850").await;
    let old = made(&sandbox, &bill("E/5")).await;
    sandbox.advance(SignedDuration::from_hours(72));
    tally.act(&sandbox, ROW, SELLER, &to(old, SISTER), "281").await;
}

async fn extension_of(tally: &mut Tally) {
    const ROW: &str = "EXTENDVALIDITY";
    let sandbox = portal(closing());
    let number = made(&sandbox, &bill("E/1")).await;
    tally.act(&sandbox, ROW, SELLER, &extension(1), "301").await;
    tally.act(&sandbox, ROW, SISTER, &extension(number), "700").await;
    tally.act(&sandbox, ROW, SELLER, &extension(number), "382").await;
    let handed = made(&sandbox, &part_a("E/2")).await;
    tally.act(&sandbox, ROW, SELLER, &extension(handed), "384").await;
    tally.act(&sandbox, ROW, CARRIER, &extension(handed), "381").await;
    done(&sandbox, "VEHEWB", CARRIER, &vehicle(handed)).await;
    tally.act(&sandbox, ROW, SELLER, &extension(handed), "637").await;
    let cancelled = made(&sandbox, &bill("E/3")).await;
    done(&sandbox, "CANEWB", SELLER, &cancel(cancelled)).await;
    tally.act(&sandbox, ROW, SELLER, &extension(cancelled), "379").await;
    let rejected = made(&sandbox, &bill("E/4")).await;
    done(&sandbox, "REJEWB", BUYER, &json!({ "ewbNo": rejected })).await;
    tally.act(&sandbox, ROW, SELLER, &extension(rejected), "380").await;
    let closed = made(&sandbox, &bill("E/5")).await;
    close(&sandbox, closed).await;
    tally.act(&sandbox, ROW, SELLER, &extension(closed), "844").await;
    sandbox.set_time("2026-11-07T16:00:00Z".parse().unwrap());
    let rest = json!({"transMode": "5", "consignmentStatus": "T", "transitType": "W", "addressLine1": "Shed 1",
        "addressLine2": "Example Yard", "addressLine3": "Pune"});
    let cases = [
        (json!({"extnRsnCode": 3}), "307"),
        (json!({"extnRemarks": ""}), "386"),
        (json!({"remainingDistance": 0}), "389"),
        (json!({"remainingDistance": 251}), "390"),
        (json!({"fromPincode": 41}), "421"),
        (json!({"fromPincode": 110_001}), "710"),
        (json!({"consignmentStatus": "X"}), "711"),
        (json!({"transitType": "R"}), "712"),
        (json!({"addressLine1": "Shed 1"}), "713"),
        (with(&rest, &json!({"transitType": "X"})), "705"),
        (with(&rest, &json!({"addressLine1": ""})), "706"),
        (with(&rest, &json!({"addressLine2": ""})), "707"),
        (with(&rest, &json!({"addressLine3": ""})), "708"),
    ];
    for (changes, code) in cases {
        tally.act(&sandbox, ROW, SELLER, &with(&extension(number), &changes), code).await;
    }
    done(&sandbox, ROW, SELLER, &with(&extension(number), &rest)).await;
}

/// Extensions one after the other, until the one that would reach beyond 360 days from generation.
async fn extension_to_the_cap(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let number = made(&sandbox, &long("E/1")).await;
    let far = with(&extension(number), &json!({"remainingDistance": 4000}));
    for _ in 0..40 {
        let till = sandbox.e_way_bills()[0].valid_till.clone().unwrap().replace(' ', "T");
        let end = till.parse::<jiff::civil::DateTime>().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        // 23:59 in India, less an hour.
        sandbox.set_time(end - SignedDuration::from_mins(330 + 60));
        if till.starts_with("2027-10-31") {
            break;
        }
        done(&sandbox, "EXTENDVALIDITY", SELLER, &far).await;
    }
    tally.act(&sandbox, "EXTENDVALIDITY", SELLER, &far, "821").await;
}

async fn closure(tally: &mut Tally) {
    const ROW: &str = "CLSEWB";
    let sandbox = portal(closing());
    let plain = |number: u64| json!({"ewbNo": number, "closureDate": "05/11/2026", "closureRemarks": "delivered"});
    tally.act(&sandbox, ROW, SELLER, &plain(1), "852").await;
    let number = made(&sandbox, &bill("E/1")).await;
    tally.act(&sandbox, ROW, SISTER, &plain(number), "827").await;
    for (changes, code) in [
        (json!({"closureDate": null}), "861"),
        (json!({"closureRemarks": ""}), "862"),
        (json!({"closureDate": "2026-11-05"}), "854"),
        (json!({"closureDate": "06/11/2026"}), "842"),
        (json!({"closureDate": "04/11/2026"}), "828"),
    ] {
        tally.act(&sandbox, ROW, SELLER, &with(&plain(number), &changes), code).await;
    }
    done(&sandbox, ROW, SELLER, &plain(number)).await;
    tally.act(&sandbox, ROW, SELLER, &plain(number), "829").await;
    let without = made(&sandbox, &part_a("E/2")).await;
    tally.act(&sandbox, ROW, SELLER, &plain(without), "830").await;
    let rejected = made(&sandbox, &bill("E/3")).await;
    done(&sandbox, "REJEWB", BUYER, &json!({ "ewbNo": rejected })).await;
    tally.act(&sandbox, ROW, SELLER, &plain(rejected), "853").await;
    let old = made(&sandbox, &bill("E/4")).await;
    // Valid until 7 November, 23:59: to be closed until a day later.
    sandbox.set_time("2026-11-08T18:30:00Z".parse().unwrap());
    tally.act(&sandbox, ROW, SELLER, &plain(old), "852").await;
    sandbox.set_time("2026-11-08T18:29:00Z".parse().unwrap());
    done(&sandbox, ROW, SELLER, &plain(old)).await;
}

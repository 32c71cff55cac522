//! The life of an IRN: registration, cancellation, reads, taxpayers, rejected IRNs.

use einvoice_sandbox::{PortalSettings, TaxpayerEntry, UnknownIrn};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Tally, irp_client};
use crate::raw::{BUYER, SELLER, SISTER, call, invoice, portal, seal};

pub(super) async fn provoke(tally: &mut Tally) {
    registration(tally).await;
    amounts(tally).await;
    registration_by_settings(tally).await;
    cancellation(tally).await;
    reads(tally).await;
    pages(tally).await;
}

/// A document with values set by JSON pointers.
fn changed(number: &str, changes: &[(&str, Value)]) -> Value {
    let mut document = invoice(number);
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().insert(name.to_owned(), value.clone());
    }
    document
}

const GENERATE: &str = "Generate IRN";
const CANCEL_BILL: &str = "cancel an e-way bill there (by a switch)";

async fn registration(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let client = irp_client(&sandbox, SELLER).await;
    let mut many = invoice("A/2");
    many["ItemList"] = Value::Array(vec![many["ItemList"][0].clone(); 1001]);
    let cases = [
        (changed("A/2", &[("/SellerDtls/Gstin", json!(SISTER))]), "2143"),
        (changed("A/2", &[("/DocDtls/Dt", json!("31/02/2026"))]), "2144"),
        (changed("A/2", &[("/DocDtls/Dt", json!("06/11/2026"))]), "2163"),
        (many, "2173"),
        (changed("A/2", &[("/Version", json!("1.0"))]), "5002"),
    ];
    for (document, code) in cases {
        tally.irp(GENERATE, &sandbox, &client.generate(&document), code).await;
    }
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    tally.irp(GENERATE, &sandbox, &client.generate(&invoice("A/1")), "2150").await;
    client.opened(&call(&sandbox, &client.cancel(made["Irn"].as_str().unwrap(), "1")).await);
    tally.irp(GENERATE, &sandbox, &client.generate(&invoice("A/1")), "2278").await;
    sandbox.register_elsewhere(SELLER, "INV", "A/3", "05/11/2026", "IRP5").await.unwrap();
    tally.irp(GENERATE, &sandbox, &client.generate(&invoice("A/3")), "2295").await;
}

async fn amounts(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let client = irp_client(&sandbox, SELLER).await;
    let local = [("/BuyerDtls/Pos", json!("29")), ("/ItemList/0/CgstAmt", json!(100))];
    let cases: [(&[(&str, Value)], &str); 13] = [
        (&[("/ValDtls/AssVal", json!(1010))], "2182"),
        (&[("/ValDtls/SgstVal", json!(10))], "2183"),
        (&[("/ValDtls/CgstVal", json!(10))], "2184"),
        (&[("/ValDtls/IgstVal", json!(190))], "2185"),
        (&[("/ValDtls/CesVal", json!(10))], "2186"),
        (&[("/ValDtls/StCesVal", json!(10))], "2187"),
        (&[("/ValDtls/TotInvVal", json!(1200))], "2189"),
        (&[("/ItemList/0/AssAmt", json!(1000))], "2193"),
        (&[("/ItemList/0/TotItemVal", json!(1200))], "2194"),
        (&local, "2234"),
        (&[("/ItemList/0/IgstAmt", json!(200))], "2235"),
        (&[("/ItemList/0/CesRt", json!(10))], "2266"),
        (&[("/ItemList/0/StateCesRt", json!(10))], "2267"),
    ];
    for (changes, code) in cases {
        tally.irp(GENERATE, &sandbox, &client.generate(&changed("A/1", changes)), code).await;
    }
}

async fn registration_by_settings(tally: &mut Tally) {
    let plain = PortalSettings::default;
    let standing = |gstin: &str, status: &str| PortalSettings {
        taxpayers: vec![TaxpayerEntry { gstin: gstin.into(), status: status.into(), ..TaxpayerEntry::default() }],
        ..plain()
    };
    let ship = |gstin: &str, state: &str| {
        let ship = json!({"Gstin": gstin, "LglNm": "Example Depot", "Addr1": "3 Example Road", "Loc": "Pune", "Pin": 411_001, "Stcd": state});
        changed("A/1", &[("/ShipDtls", ship), ("/EwbDtls", json!({"TransId": SELLER, "Distance": 10}))])
    };
    let hold = PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..plain() };
    let old = changed("A/1", &[("/DocDtls/Dt", json!("01/10/2026"))]);
    let earliest = PortalSettings { earliest_document_date: Some("2026-11-01".into()), ..plain() };
    let cases = [
        (earliest, old.clone(), "2284"),
        (PortalSettings { report_within_days: Some(30), ..plain() }, old, "2305"),
        (hold.clone(), ship(BUYER, "27"), "2323"),
        (hold, ship(SISTER, "29"), "2325"),
        (standing(BUYER, "UNKNOWN"), invoice("A/1"), "3028"),
        (standing(BUYER, "CNL"), invoice("A/1"), "3029"),
        (standing(SELLER, "SUS"), invoice("A/1"), "3029"),
    ];
    for (settings, document, code) in cases {
        let sandbox = portal(settings);
        let client = irp_client(&sandbox, SELLER).await;
        tally.irp(GENERATE, &sandbox, &client.generate(&document), code).await;
    }
    let sandbox = portal(standing(BUYER, "SUS"));
    let client = irp_client(&sandbox, SELLER).await;
    client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
}

async fn cancellation(tally: &mut Tally) {
    const ROW: &str = "Cancel IRN";
    let sandbox = portal(PortalSettings::default());
    let client = irp_client(&sandbox, SELLER).await;
    let unknown = "a".repeat(64);
    let mut with_bill = invoice("A/1");
    with_bill["EwbDtls"] = json!({"TransId": SELLER, "Distance": 10});
    let made = client.opened(&call(&sandbox, &client.generate(&with_bill)).await);
    let billed = made["Irn"].as_str().unwrap().to_owned();
    let mut irns = Vec::new();
    for number in ["A/2", "A/3"] {
        let made = client.opened(&call(&sandbox, &client.generate(&invoice(number))).await);
        irns.push(made["Irn"].as_str().unwrap().to_owned());
    }
    tally.irp(ROW, &sandbox, &client.cancel(&irns[0], "5"), "5002").await;
    tally.irp(ROW, &sandbox, &client.cancel("1", "1"), "2145").await;
    tally.irp(ROW, &sandbox, &client.cancel(&unknown, "1"), "2148").await;
    tally.irp(ROW, &sandbox, &client.cancel(&billed, "1"), "2230").await;
    let sister = irp_client(&sandbox, SISTER).await;
    tally.irp(ROW, &sandbox, &sister.cancel(&irns[0], "1"), "2143").await;
    client.opened(&call(&sandbox, &client.cancel(&irns[0], "1")).await);
    tally.irp(ROW, &sandbox, &client.cancel(&irns[0], "1"), "9999").await;
    sandbox.set_settings(PortalSettings { unknown_irn: UnknownIrn::NoData, ..PortalSettings::default() }).unwrap();
    tally.irp(ROW, &sandbox, &client.cancel(&unknown, "1"), "3001").await;
    sandbox.advance(SignedDuration::from_hours(25));
    let client = irp_client(&sandbox, SELLER).await;
    tally.irp(ROW, &sandbox, &client.cancel(&irns[1], "1"), "2270").await;
}

async fn reads(tally: &mut Tally) {
    const BY_IRN: &str = "Get IRN by IRN";
    const BY_DOCUMENT: &str = "Get IRN by document";
    let sandbox = portal(PortalSettings::default());
    let client = irp_client(&sandbox, SELLER).await;
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let irn = made["Irn"].as_str().unwrap().to_owned();
    let unknown = "a".repeat(64);
    let page = |query: &str| client.get(&format!("/eicore/v1.03/Invoice/irnbydocdetails?{query}"));
    tally.irp(BY_IRN, &sandbox, &client.by_irn("1"), "2145").await;
    tally.irp(BY_IRN, &sandbox, &client.by_irn(&unknown), "2148").await;
    tally.irp(BY_DOCUMENT, &sandbox, &page("doctype=INV&docnum=A1"), "2142").await;
    tally.irp(BY_DOCUMENT, &sandbox, &page("doctype=BIL&docnum=A1&docdate=05/11/2026"), "2161").await;
    tally.irp(BY_DOCUMENT, &sandbox, &client.by_document("A/1", "2026-11-05"), "2144").await;
    tally.irp(BY_DOCUMENT, &sandbox, &client.by_document("A/2", "05/11/2026"), "2154").await;
    sandbox.set_settings(PortalSettings { unknown_irn: UnknownIrn::NoData, ..PortalSettings::default() }).unwrap();
    tally.irp(BY_IRN, &sandbox, &client.by_irn(&unknown), "3001").await;
    tally.irp(BY_DOCUMENT, &sandbox, &client.by_document("A/2", "05/11/2026"), "3001").await;
    sandbox.move_to_site(&irn, "NIC2").await.unwrap();
    tally.irp(BY_DOCUMENT, &sandbox, &client.by_document("A/1", "05/11/2026"), "2148").await;
    sandbox.move_to_site(&irn, "NIC1").await.unwrap();
    sandbox.advance(SignedDuration::from_hours(49));
    let client = irp_client(&sandbox, SELLER).await;
    tally.irp(BY_IRN, &sandbox, &client.by_irn(&irn), "2283").await;
    tally.irp(BY_DOCUMENT, &sandbox, &client.by_document("A/1", "05/11/2026"), "2283").await;
}

async fn pages(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let client = irp_client(&sandbox, SELLER).await;
    let page = |target: &str| client.get(target);
    let rejected = |query: &str| page(&format!("/eicore/v1.03/Invoice/rejectedirns{query}"));
    tally.irp("rejected IRNs", &sandbox, &rejected(""), "2142").await;
    tally.irp("rejected IRNs", &sandbox, &rejected("?date=2026-11-05"), "2144").await;
    for name in ["gstin", "syncgstin"] {
        let request = page(&format!("/eivital/v1.04/Master/{name}/29"));
        tally.irp("taxpayer details and sync", &sandbox, &request, "3001").await;
    }
    // Where the bill is cancelled on the registration portal, its own login is asked for.
    sandbox.set_settings(PortalSettings { ewb_cancel_at_irp: true, ..PortalSettings::default() }).unwrap();
    let data =
        seal(&client.sek, json!({"ewbNo": 1, "cancelRsnCode": 3, "cancelRmrk": "mistake"}).to_string().as_bytes());
    let post = |action: &str| client.post("/ewaybillapi/v1.03/ewayapi", &json!({"action": action, "data": data}));
    tally.ewb(CANCEL_BILL, &sandbox, &post("GENEWAYBILL"), "239").await;
    tally.ewb(CANCEL_BILL, &sandbox, &post("CANEWB"), "301").await;
    for (header, code) in [("client_secret", "110"), ("AuthToken", "238")] {
        let mut request = post("CANEWB");
        request.headers.retain(|(name, _)| name != header);
        tally.ewb(CANCEL_BILL, &sandbox, &request, code).await;
    }
}

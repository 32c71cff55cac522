//! Section 5: the signed invoice and the signed QR code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use einvoice_sandbox::PortalSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::raw::{BUYER, RawClient, SELLER, call, invoice, portal, verified};

#[tokio::test]
async fn both_tokens_are_signed_and_laid_out_as_the_portals() {
    let sandbox = portal(PortalSettings::default());
    let client = RawClient::logged_in(&sandbox, SELLER).await;
    sandbox.advance(SignedDuration::from_secs(39));
    let made = client.opened(&call(&sandbox, &client.generate(&invoice("A/1"))).await);
    let pem = sandbox.signing_public_key_pem();

    let (header, payload) = verified(made["SignedInvoice"].as_str().unwrap(), &pem);
    let kid = header["kid"].as_str().unwrap();
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("RS256"), Some("JWT")));
    assert!(kid.len() == 40 && kid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')), "{kid}");
    let thumbprint = URL_SAFE_NO_PAD.decode(header["x5t"].as_str().unwrap()).unwrap();
    let pairs =
        kid.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    assert_eq!(thumbprint, pairs.collect::<Vec<_>>());
    assert_eq!(payload["iss"], "NIC Sandbox");
    let copy: Value = serde_json::from_str(payload["data"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&copy["AckNo"], &copy["Irn"], &copy["AckDt"]),
        (&made["AckNo"], &made["Irn"], &json!("2026-11-05 12:00:39"))
    );
    assert_eq!(copy["ItemList"][0]["ItemNo"], 0);
    assert_eq!(made["AckDt"], "2026-11-05 12:01:00");

    let (_, payload) = verified(made["SignedQRCode"].as_str().unwrap(), &pem);
    let qr: Value = serde_json::from_str(payload["data"].as_str().unwrap()).unwrap();
    let expected = json!({
        "SellerGstin": SELLER, "BuyerGstin": BUYER, "DocNo": "A/1", "DocTyp": "INV", "DocDt": "05/11/2026", "TotInvVal": 1185.9,
        "ItemCnt": 1, "MainHsnCode": "84733099", "Irn": made["Irn"], "IrnDt": "2026-11-05 12:00:39",
    });
    assert_eq!(qr, expected);
}

#[tokio::test]
async fn the_signing_key_is_not_the_key_for_logins() {
    let sandbox = portal(PortalSettings::default());
    assert_ne!(sandbox.signing_public_key_pem(), sandbox.auth_public_key_pem());
}

//! Documents made by others: what portals accepted, the emulator accepts; what they sign, it signs alike.

use std::path::PathBuf;

use einvoice_sandbox::PortalSettings;
use serde_json::Value;

use crate::raw::{RawClient, call, portal};

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/samples/invoices")
}

#[tokio::test]
async fn public_sample_invoices_are_registered_but_for_those_with_a_code_of_no_master() {
    for (name, right) in [
        ("b2b-intra-laptop-stand", true),
        ("b2b-inter-rice", true),
        ("full-all-sections-other-key-case", true),
        ("export-with-payment", false),
        ("sezwop-zero-igst", false),
    ] {
        let path = samples().join(format!("{name}.json"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: no sample at {}", path.display());
            continue;
        };
        let document: Value = serde_json::from_str(&text).unwrap();
        let seller = &document["SellerDtls"];
        let gstin = seller.get("Gstin").or_else(|| seller.get("GSTIN")).and_then(Value::as_str).unwrap();
        let sandbox = portal(PortalSettings::default());
        sandbox.provision(gstin).await.unwrap();
        let client = RawClient::logged_in(&sandbox, gstin).await;
        let reply = call(&sandbox, &client.generate(&document)).await;
        if right {
            assert!(client.opened(&reply)["SignedInvoice"].is_string(), "{name}");
        } else {
            let text = reply.to_string();
            assert!(text.contains("2176") && text.contains("111111"), "{name}: {text}");
        }
    }
}

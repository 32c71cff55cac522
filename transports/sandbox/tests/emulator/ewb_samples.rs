//! Requests recorded by others: the emulator takes them on the day they were made.

use std::path::PathBuf;

use einvoice_sandbox::PortalSettings;
use serde_json::Value;

use crate::raw::{EwbClient, portal};

#[tokio::test]
async fn recorded_generations_are_accepted() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/samples/ewb");
    for name in [
        "bill-of-supply",
        "inward-from-unregistered",
        "job-work-challan",
        "own-use-same-gstin",
        "regular-intrastate",
        "sales-return-inward-challan",
    ] {
        let path = folder.join(format!("genewaybill-{name}.json"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: no sample at {}", path.display());
            continue;
        };
        let sample: Value = serde_json::from_str(&text).unwrap();
        let request = &sample["request"];
        let sandbox = portal(PortalSettings::default());
        let mut date = request["docDate"].as_str().unwrap().split('/').rev();
        let day = [date.next().unwrap(), date.next().unwrap(), date.next().unwrap()].join("-");
        sandbox.set_time(format!("{day}T07:00:00Z").parse().unwrap());
        let client = EwbClient::logged_in(&sandbox, request["userGstin"].as_str().unwrap()).await;
        let answer = client.act(&sandbox, "GENEWAYBILL", request).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

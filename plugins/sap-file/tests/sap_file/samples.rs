//! Files of others, read where they are: each maps, or is refused with the reason its description gives.

use std::path::PathBuf;

use einvoice_core::finding::Finding;
use serde_json::json;

use crate::folder::{Folder, document, refusal};

/// What the tests below read; no sample is left out.
const SAMPLES: [&str; 11] = [
    "file-drop-request-INV123_P.json",
    "file-drop-response-INV123_R.json",
    "flat-contiguous-no-newlines.idoc",
    "flat-contiguous-same-document.xml",
    "flat-contiguous-segment-dictionary.csv",
    "flat-custom-type-segment-definitions.xml",
    "flat-custom-type.txt",
    "flat-lf-orders05.txt",
    "invoic02-s4-extension.xml",
    "negative-short-control-record.txt",
    "negative-unclosed-segment.xml",
];

/// The folder of samples beside the repository; nothing where it is absent, which is said.
fn folder_of_samples() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = root.ancestors().map(|folder| folder.join("shared/spec/samples/sap")).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: ../shared/spec/samples/sap is absent");
    }
    found
}

fn sample(name: &str) -> Option<Vec<u8>> {
    assert!(SAMPLES.contains(&name), "{name} is in no list");
    Some(std::fs::read(folder_of_samples()?.join(name)).unwrap())
}

#[test]
fn every_sample_has_its_test() {
    let Some(folder) = folder_of_samples() else { return };
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "README.md").collect();
    names.sort();
    assert_eq!(names, SAMPLES);
}

fn said(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{} {finding}", finding.rule)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_invoice_of_an_s4_system_with_an_extension_maps_to_its_amounts() {
    let Some(bytes) = sample("invoic02-s4-extension.xml") else { return };
    let mapped = document(&Folder::new().with("x.xml", bytes), json!({})).await;
    let made: serde_json::Value = serde_json::from_str(&mapped.invoice.to_json()).unwrap();
    assert_eq!(
        (&made["DocDtls"]["No"], &made["DocDtls"]["Dt"], &made["TranDtls"]["SupTyp"]),
        (&json!("9000002067"), &json!("12/04/2023"), &json!("EXPWOP"))
    );
    let item = &made["ItemList"][0];
    // 630.00 is the price of 1,000 kg; the quantity is in other units, whose price follows from the value.
    for (member, wanted) in [
        ("SlNo", json!("10")),
        ("PrdDesc", json!("ARDO BROCCOLI 10x10x10 1x10kg")),
        ("HsnCd", json!("07108095")),
        ("Qty", json!(144)),
        ("UnitPrice", json!(6.3)),
        ("AssAmt", json!(907.2)),
        ("GstRt", json!(0)),
    ] {
        assert_eq!(item[member], wanted, "{member}");
    }
    assert_eq!((made["ItemList"].as_array().map(Vec::len), &made["ValDtls"]["TotInvVal"]), (Some(2), &json!(2416.95)));
    assert_eq!(made["BuyerDtls"]["Addr1"], "JÄRNVIKSVÄGEN 12");
    assert!(mapped.invoice.ship_dtls.is_none(), "the ship-to party is the buyer");
    // A Belgian company: its amounts cannot be told in rupees, and its own number is no GSTIN.
    assert!(said(&mapped.findings).contains("sap.currency"), "{}", said(&mapped.findings));
    assert!(mapped.invoice.seller_dtls.gstin.is_absent());
    let keys = ["DOCNUM", "MANDT", "BUKRS", "DOCNO", "FKART", "GJAHR"].map(|key| mapped.attributes[key].as_str());
    assert_eq!(keys, ["0000000000182520", "100", "1050", "9000002067", "F2", "2023"]);
    let origin = |path: &str| mapped.provenance[path].as_str();
    assert_eq!(origin("ItemList[0].AssAmt"), "E1EDP26[003].BETRG, line 412");
}

#[tokio::test]
async fn documents_of_other_types_are_refused_by_their_control_record_in_every_form() {
    for (name, message, idoc_type) in [
        ("flat-contiguous-no-newlines.idoc", "FLIGHTBOOKING_CREATEFROMDAT", "FLIGHTBOOKING_CREATEFROMDAT01"),
        ("flat-contiguous-same-document.xml", "FLIGHTBOOKING_CREATEFROMDAT", "FLIGHTBOOKING_CREATEFROMDAT01"),
        ("flat-custom-type.txt", "ZCUSTMAS", "ZCUSTMAS01"),
        ("flat-lf-orders05.txt", "ORDERS", "ORDERS05"),
    ] {
        let Some(bytes) = sample(name) else { return };
        let findings = refusal(&Folder::new().with(name, bytes), json!({})).await;
        let said = said(&findings);
        assert!(said.contains("EDI_DC40.MESTYP: this is no invoice"), "{name}: {said}");
        let found: Vec<_> = findings.iter().filter_map(|finding| finding.found.as_deref()).collect();
        assert!(found.contains(&message) && found.contains(&idoc_type), "{name}: {found:?}");
    }
}

/// Takes the orders, flights and masters of the samples for invoices, to see what is read of their segments.
#[expect(clippy::needless_pass_by_value, reason = "callers make it for this")]
fn any_type(definitions: &str, mapping: serde_json::Value) -> serde_json::Value {
    json!({
        "control": {
            "message_types": ["FLIGHTBOOKING_CREATEFROMDAT", "ZCUSTMAS", "ORDERS"],
            "idoc_types": ["FLIGHTBOOKING_CREATEFROMDAT01", "ZCUSTMAS01", "ORDERS05"],
            "accept_inbound": true,
        },
        "definitions": if definitions.is_empty() { json!([]) } else { json!([definitions]) },
        "mapping": { "set": mapping },
    })
}

#[tokio::test]
async fn the_flat_and_the_xml_form_of_one_idoc_have_the_same_values_by_the_customers_definitions() {
    let names = ["flat-contiguous-no-newlines.idoc", "flat-contiguous-same-document.xml"];
    let Some(definitions) = sample("flat-contiguous-segment-dictionary.csv") else { return };
    for name in names {
        let folder = Folder::new().with(name, sample(name).unwrap());
        std::fs::write(folder.root().join("segments.csv"), &definitions).unwrap();
        let settings = any_type(
            "segments.csv",
            json!({ "BuyerDtls.LglNm": "E1BPSBONEW.PASSNAME", "BuyerDtls.Addr1": "E1BPSBONEW.PASSFORM", "DocDtls.Dt": "E1BPSBONEW.FLIGHTDATE" }),
        );
        let mapped = document(&folder, settings).await;
        let buyer = &mapped.invoice.buyer_dtls;
        let shown = (&**buyer.lgl_nm.as_ref().unwrap(), &**buyer.addr1.as_ref().unwrap(), mapped.invoice.label());
        assert_eq!((shown.0, shown.1), ("MUELLER", "Mr"), "{name}");
        assert!(shown.2.contains("15/07/2026"), "{name}: {}", shown.2);
    }
}

#[tokio::test]
async fn a_custom_type_is_read_by_its_xml_definitions() {
    let Some(definitions) = sample("flat-custom-type-segment-definitions.xml") else { return };
    let folder = Folder::new().with("x.txt", sample("flat-custom-type.txt").unwrap());
    std::fs::write(folder.root().join("segments.xml"), &definitions).unwrap();
    let mapping = json!({ "BuyerDtls.LglNm": "Z1CUSTHDR.NAME1", "BuyerDtls.Loc": "Z1CUSTADR[ADRKIND=SHIP].ORT01", "BuyerDtls.Addr1": "Z1CUSTADR[ADRKIND=SHIP].STRAS" });
    let mapped = document(&folder, any_type("segments.xml", mapping)).await;
    let buyer = &mapped.invoice.buyer_dtls;
    let shown = [&buyer.lgl_nm, &buyer.loc, &buyer.addr1]
        .map(|field| field.as_ref().map(ToString::to_string).unwrap_or_default());
    assert_eq!(shown, ["ACME RETAIL BV", "Rotterdam", "Havenweg 12"]);
}

#[tokio::test]
async fn the_synthetic_orders_are_framed_and_their_hierarchy_holds() {
    let Some(bytes) = sample("flat-lf-orders05.txt") else { return };
    // Its data is not laid out as SAP's is, so only what begins a segment is looked at.
    let mapping = json!({ "ItemList.SlNo": "E1EDP01.POSEX", "ItemList.PrdDesc": "E1EDP19.IDTNR" });
    let mapped = document(&Folder::new().with("x.txt", bytes), any_type("", mapping)).await;
    let items: Vec<_> =
        mapped.invoice.item_list.iter().map(|item| item.prd_desc.as_ref().unwrap().to_string()).collect();
    assert_eq!(items, ["WIDGET-001", "GADGET-007"]);
}

#[tokio::test]
async fn damaged_files_are_refused_with_the_place_of_the_damage() {
    for (name, rule, wanted) in [
        ("negative-short-control-record.txt", "idoc.control_record", "characters"),
        (
            "negative-unclosed-segment.xml",
            "idoc.xml",
            "line 11: the XML breaks in IDoc 0000000000123499, IDOC/EDI_DC40",
        ),
    ] {
        let Some(bytes) = sample(name) else { return };
        let said = said(&refusal(&Folder::new().with(name, bytes), json!({})).await);
        assert!(said.contains(rule) && said.contains(wanted), "{name}: {said}");
    }
}

#[tokio::test]
async fn the_request_of_a_file_drop_is_read_out_of_its_wrapper() {
    let Some(bytes) = sample("file-drop-request-INV123_P.json") else { return };
    let folder = Folder::new().with("INV123_P.json", bytes);
    let mapped = document(&folder, json!({})).await;
    assert_eq!(mapped.invoice.label(), "INV DAOC/007 of 10/08/2020");
    assert_eq!(mapped.invoice.item_list.len(), 1);
    // The answer beside it is no input.
    let answered = folder.with("INV123_R.json", sample("file-drop-response-INV123_R.json").unwrap());
    assert_eq!(answered.read(json!({})).await.1.records().len(), 1);
}

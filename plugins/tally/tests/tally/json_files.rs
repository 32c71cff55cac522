//! Files in the JSON of release 7: the same vouchers as in XML, and faults with their places.

use einvoice_core::source::{InvoiceSource, Mapped};
use einvoice_testkit::tally_stand_in::as_json;
use serde_json::json;

use crate::common::{folder_with, outcome, read, source, workspace};
use crate::live::day_book;

#[tokio::test]
async fn an_export_in_json_maps_to_the_documents_of_the_same_export_in_xml() {
    let in_xml = source(&workspace().join("examples/quickstart"), json!({ "path": "daybook.xml" }));
    let xml = read(&*in_xml, None).await;
    let text = as_json(&day_book());
    let wide: Vec<u8> = format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [text.into_bytes(), wide] {
        let folder = folder_with("daybook.json", &content);
        let in_json = source(folder.path(), json!({ "path": "*.json" }));
        let json = read(&*in_json, None).await;
        assert_eq!(json.problems, []);
        assert_eq!(json.records.len(), xml.records.len());
        for (by_json, by_xml) in json.records.iter().zip(&xml.records) {
            assert_eq!(by_json.reference.record_id, by_xml.reference.record_id);
            let (left, right) = (in_json.map(by_json), in_xml.map(by_xml));
            assert_eq!(outcome(&left), outcome(&right));
            if let (Mapped::Document(left), Mapped::Document(right)) = (left, right) {
                assert_eq!(left.invoice.to_json(), right.invoice.to_json());
            }
        }
    }
}

#[tokio::test]
async fn a_broken_voucher_is_reported_with_its_place_and_the_others_are_read() {
    let text = as_json(&day_book());
    let lines = text.replace("{\"metadata\":{\"type\"", "\n{\"metadata\":{\"type\"");
    assert!(lines.contains("DV/26-27/"), "the vouchers have their numbers");
    let at = lines.lines().position(|line| line.contains("\"type\":\"Voucher\"")).unwrap() + 1;
    let broken = lines.replacen("\"type\":\"Voucher\"", "\"type\" \"Voucher\"", 1);
    let folder = folder_with("a.json", broken.as_bytes());
    std::fs::write(folder.path().join("b.json"), &text.as_bytes()[..text.len() - 2000]).unwrap();
    std::fs::write(
        folder.path().join("c.json"),
        "{\"status\":\"0\",\"data\":{\"line_error\":\"Could not find Company\"}}",
    )
    .unwrap();
    let source = source(folder.path(), json!({ "path": "*.json" }));
    let read = read(&*source, None).await;
    let places: Vec<String> = read
        .problems
        .iter()
        .map(|problem| format!("{} {}", problem.findings[0].rule, problem.findings[0].place.as_deref().unwrap()))
        .collect();
    let [first, second, third] = places.as_slice() else { panic!("{places:?}") };
    assert!(first.starts_with(&format!("tally.malformed_json a.json, line {at}, byte ")), "{first}");
    assert!(second.starts_with("tally.truncated b.json"), "{second}");
    assert!(third.starts_with("tally.error_answer c.json"), "{third}");
    assert_eq!(read.records.iter().filter(|record| record.reference.location == "a.json").count(), 18);
}

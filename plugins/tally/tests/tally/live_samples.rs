//! Real answers and exports made by others, as a running Tally would give them, where they are at hand.

use einvoice_core::source::InvoiceSource;
use einvoice_testkit::tally_stand_in::{Asked, Mishap, TallyStandIn};
use serde_json::json;

use crate::common::{outcome, read, workspace};
use crate::live::{COMPANY, clock, source_on, tally};

/// The text of a sample; `None` where the samples are not at hand.
fn sample(name: &str) -> Option<String> {
    let path = workspace().join("../shared/spec/samples/tally").join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not at hand", path.display());
        return None;
    };
    if bytes.starts_with(&[0xFF, 0xFE]) {
        let pairs = bytes.chunks_exact(2).skip(1).filter_map(|pair| pair.try_into().ok());
        let units: Vec<u16> = pairs.map(u16::from_le_bytes).collect();
        return Some(String::from_utf16(&units).unwrap());
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What comes of a sample as the day book of a day, in both encodings; `None` where it is not at hand.
async fn as_day_book(name: &str, day: &str) -> Option<Result<Vec<String>, String>> {
    let text = sample(name)?;
    let mut results = Vec::new();
    for charset in ["utf8", "utf16"] {
        let tally = tally();
        tally.once(Asked::DayBook, Mishap::Says(text.clone()));
        let clock = clock(22);
        clock.set(format!("{day}T06:30:00Z").parse().unwrap());
        let source = source_on(&tally, &clock, json!({ "from": day, "charset": charset }));
        results.push(match read_or_fail(&*source).await {
            Ok(records) => Ok(records.iter().map(|record| outcome(&source.map(record))).collect()),
            Err(text) => Err(text.replace(&tally.url(), "TALLY")),
        });
    }
    assert_eq!(results.first(), results.get(1), "{name}");
    results.pop()
}

async fn read_or_fail(source: &dyn InvoiceSource) -> Result<Vec<einvoice_core::source::SourceRecord>, String> {
    use futures_util::StreamExt;
    let mut stream = source.fetch(None).await.map_err(|error| error.to_string())?;
    let mut records = Vec::new();
    while let Some(item) = stream.next().await {
        if let einvoice_core::source::SourceItem::Record(record) = item.map_err(|error| error.to_string())? {
            records.push(record);
        }
    }
    Ok(records)
}

#[tokio::test]
async fn day_books_of_others_come_over_http_as_they_do_from_files() {
    let Some(result) = as_day_book("object-sale-sez-prime71.xml", "2026-05-01").await else { return };
    let lines = result.unwrap();
    assert!(lines.first().is_some_and(|line| line.starts_with("document INV 3")), "{lines:?}");
    // A payment and an order, whose types no master here knows, and a report of somebody's own making.
    for (name, day, wanted) in [
        ("daybook-payment-utf16le.xml", "2025-08-02", "Payment"),
        ("purchase-order-voucher-utf16le.xml", "2026-04-01", "other_class"),
        ("custom-report-sale-not-native-shape.xml", "2009-05-31", "tally.unsupported_shape"),
    ] {
        let Some(result) = as_day_book(name, day).await else { return };
        let lines = result.unwrap();
        assert!(!lines.is_empty() && lines.iter().all(|line| !line.starts_with("document")), "{name}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains(wanted)), "{name}: {lines:?}");
    }
    let Some(result) = as_day_book("response-object-not-found.xml", "2026-05-01").await else { return };
    assert!(result.unwrap_err().contains("Could not find Voucher:ID:5023!"));
}

#[tokio::test]
async fn a_registered_sale_whose_masters_come_by_lists_is_recognised_as_such() {
    let Some(books) = sample("daybook-einvoiced-sale-with-masters.xml") else { return };
    let tally = TallyStandIn::start(COMPANY, &books);
    let clock = clock(22);
    clock.set("2025-03-10T06:30:00Z".parse().unwrap());
    let source = source_on(&tally, &clock, json!({ "from": "2025-03-01" }));
    let read = read(&*source, None).await;
    let mut reasons: Vec<String> =
        read.records.iter().map(|record| outcome(&source.map(record)).rsplit(' ').next().unwrap().to_owned()).collect();
    reasons.sort();
    assert_eq!(reasons, ["already_registered", "purchase", "purchase", "purchase"]);
    assert!(tally.take_log().contains(&Asked::Masters));
}

#[tokio::test]
async fn an_answer_about_an_unknown_voucher_is_no_trouble_and_one_with_a_voucher_is_that_voucher() {
    let (Some(missing), Some(object)) =
        (sample("response-object-not-found.xml"), sample("object-sale-sez-prime71.xml"))
    else {
        return;
    };
    for (text, wanted) in [(missing, None), (object, Some("Gamma SEZ Unit"))] {
        let tally = tally();
        let source = source_on(&tally, &clock(22), json!({}));
        let first = read(&*source, None).await;
        tally.edit(4201, "NARRATION", "changed");
        tally.once(Asked::Object, Mishap::Says(text));
        let second = read(&*source, first.cursor.as_ref()).await;
        match wanted {
            None => assert!(second.records.is_empty()),
            Some(name) => assert!(second.records.first().unwrap().content.contains(name)),
        }
    }
}

#[tokio::test]
async fn a_collection_with_counters_named_like_objects_holds_its_objects_only() {
    let Some(groups) = sample("collection-export-response-groups.xml") else { return };
    let tally = tally();
    tally.once(Asked::Masters, Mishap::Says(groups));
    let source = source_on(&tally, &clock(22), json!({}));
    let got = read(&*source, None).await;
    assert_eq!((got.records.len(), got.problems.len()), (19, 0));
}

//! The source over a running Tally: what is asked, what is read again, and what each trouble costs.

use std::collections::BTreeMap;
use std::time::Duration;

use einvoice_core::source::{Cursor, InvoiceSource, Mapped, SourceError, SourceItem};
use einvoice_tally::TallySource;
use einvoice_tally::config::TallySourceConfig;
use einvoice_testkit::tally_stand_in::{Asked, Generation, Mishap, TallyStandIn};
use futures_util::StreamExt;
use serde_json::json;

use crate::common::{Read, outcome, read, workspace};
use crate::live::{COMPANY, clock, day_book, settings, source, source_on, tally};

/// Reads until the end or an error.
async fn read_some(source: &dyn InvoiceSource, cursor: Option<&Cursor>) -> (Read, Option<SourceError>) {
    let mut got = Read::default();
    let mut stream = match source.fetch(cursor).await {
        Ok(stream) => stream,
        Err(error) => return (got, Some(error)),
    };
    while let Some(item) = stream.next().await {
        match item {
            Ok(SourceItem::Record(record)) => got.records.push(record),
            Ok(SourceItem::Problem(problem)) => got.problems.push(problem),
            Ok(SourceItem::Checkpoint(cursor)) => got.cursor = Some(cursor),
            Ok(_) => {}
            Err(error) => return (got, Some(error)),
        }
    }
    (got, None)
}

fn outcomes(source: &TallySource, read: &Read) -> Vec<String> {
    read.records.iter().map(|record| outcome(&source.map(record))).collect()
}

#[tokio::test]
async fn every_voucher_comes_out_as_it_does_from_the_exported_file() {
    let from_file = crate::common::source(&workspace().join("examples/quickstart"), json!({ "path": "daybook.xml" }));
    let file = read(&*from_file, None).await;
    for charset in ["utf8", "utf16"] {
        for generation in [Generation::Versioned, Generation::Older] {
            let tally = tally();
            tally.answer_in(generation);
            let live = source(&tally, json!({ "charset": charset }));
            let got = read(&*live, None).await;
            assert_eq!(got.problems, []);
            let mut by_file = outcomes(&from_file, &file);
            let mut by_tally = outcomes(&live, &got);
            by_file.sort();
            by_tally.sort();
            assert_eq!(by_tally, by_file, "{charset} {generation:?}");
            let ids = |read: &Read| {
                let mut ids: Vec<_> = read.records.iter().map(|record| record.reference.record_id.clone()).collect();
                ids.sort();
                ids
            };
            assert_eq!(ids(&got), ids(&file), "the same vouchers by the same identities");
            let Mapped::Document(first) = live.map(got.records.first().unwrap()) else { panic!("a document") };
            assert_eq!(first.attributes.get("company").unwrap(), COMPANY);
            assert_eq!(tally.most_under_way(), 1, "one request at a time");
        }
    }
}

/// What a source makes of a reading: every document as it would be sent, by its label.
fn documents(source: &TallySource, read: &Read) -> BTreeMap<String, String> {
    let document = |record| match source.map(record) {
        Mapped::Document(document) => Some((document.invoice.label(), document.invoice.to_json())),
        _ => None,
    };
    read.records.iter().filter_map(document).collect()
}

#[tokio::test]
async fn in_json_every_voucher_comes_out_as_it_does_in_xml() {
    let in_xml = tally();
    let by_xml = source(&in_xml, json!({}));
    let xml = read(&*by_xml, None).await;
    for charset in ["utf8", "utf16"] {
        let tally = tally();
        tally.be_release(7);
        let by_json = source(&tally, json!({ "envelope": "json", "charset": charset }));
        let got = read(&*by_json, None).await;
        assert_eq!(got.problems, []);
        assert_eq!(documents(&by_json, &got), documents(&by_xml, &xml), "{charset}");
        let (mut in_json, mut in_xml) = (outcomes(&by_json, &got), outcomes(&by_xml, &xml));
        in_json.sort();
        in_xml.sort();
        assert_eq!(in_json, in_xml, "{charset}");
        assert_eq!(tally.answered_in_json(), 22 + 7, "each day, and the masters by kind");
        assert_eq!(tally.most_under_way(), 1);
        // Changes and places are the same by either way.
        tally.edit(4201, "NARRATION", "कृष्णा ट्रेडर्स \"&\" sons");
        let second = read(&*by_json, got.cursor.as_ref()).await;
        let [record] = second.records.as_slice() else { panic!("{}", second.records.len()) };
        assert_eq!(record.reference.position, "Master ID 4201");
        let changed = source(&tally, json!({ "envelope": "json", "changed": "day_book" }));
        let whole = read(&*changed, None).await;
        let found = whole.records.iter().find(|record| record.reference.position == "Master ID 4201").unwrap();
        assert!(found.content.contains("कृष्णा ट्रेडर्स"), "{}", found.content);
    }
}

#[tokio::test]
async fn json_is_asked_for_where_that_is_set_or_where_the_release_says_it_speaks_it() {
    for (release, envelope, expected) in [
        (Some(7), "auto", true),
        (Some(6), "auto", false),
        (None, "auto", false),
        (Some(7), "xml", false),
        (Some(8), "json", true),
    ] {
        let tally = tally();
        if let Some(release) = release {
            tally.be_release(release);
        }
        let source = source(&tally, json!({ "envelope": envelope }));
        assert_eq!(read(&*source, None).await.records.len(), 19);
        assert_eq!(tally.answered_in_json() > 0, expected, "{release:?} {envelope}");
    }
    // Told to be what it is not, the release refuses, and the sentence says what to do.
    let tally = tally();
    tally.be_release(6);
    let (got, error) = read_some(&*source(&tally, json!({ "envelope": "json" })), None).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("Unknown Request") && text.contains("set `envelope = \"xml\"`"), "{text}");
    assert!(got.records.is_empty() && got.cursor.is_none());
}

#[tokio::test]
async fn fifty_changes_of_a_day_are_asked_for_one_by_one_and_more_with_its_day_book() {
    for (changes, objects, days) in [(50, 50, 0), (51, 0, 1)] {
        let tally = tally();
        let source = source(&tally, json!({}));
        let first = read(&*source, None).await;
        let known = tally.master_ids();
        tally.copy(4201, changes);
        let copies = tally.master_ids().into_iter().filter(|id| !known.contains(id));
        tally.forget_log();
        let second = read(&*source, first.cursor.as_ref()).await;
        let log = tally.take_log();
        let count = |kind| log.iter().filter(|asked| **asked == kind).count();
        assert_eq!((count(Asked::Object), count(Asked::DayBook)), (objects, days), "{changes} changes");
        // With the day book comes what did not change that day, which the ledger knows.
        for id in copies {
            let place = format!("Master ID {id}");
            assert_eq!(second.records.iter().filter(|record| record.reference.position == place).count(), 1, "{place}");
        }
        assert!(read(&*source, second.cursor.as_ref()).await.records.is_empty());
    }
}

#[tokio::test]
async fn a_refusal_of_masters_or_one_without_words_is_no_empty_answer() {
    // Vouchers without their masters would map to something else, and a day without vouchers is a day
    // that is never read again.
    let silent = "<ENVELOPE><HEADER><VERSION>1</VERSION><STATUS>0</STATUS></HEADER><BODY><DATA/></BODY></ENVELOPE>";
    for (asked, mishap, words) in [
        (Asked::Masters, Mishap::Refuses("Could not find Company".to_owned()), "the company was closed"),
        (Asked::Masters, Mishap::Says(silent.to_owned()), "the request failed"),
        (Asked::DayBook, Mishap::Says(silent.to_owned()), "the request failed"),
        (Asked::DayBook, Mishap::Says("{\"status\":\"0\"}".to_owned()), "the request failed"),
    ] {
        let tally = tally();
        let source = source(&tally, json!({}));
        tally.once(asked, mishap);
        let (got, error) = read_some(&*source, None).await;
        let text = error.unwrap_or_else(|| panic!("{asked:?} passed for empty")).to_string();
        assert!(text.contains(words), "{text}");
        assert!(got.records.is_empty() && got.cursor.is_none(), "{asked:?}");
        assert_eq!(read(&*source, None).await.records.len(), 19, "the next run reads it all");
    }
}

/// Rules of the configuration over what is mapped here mean the same by either way to a voucher.
#[tokio::test]
async fn settings_of_the_mapping_hold_for_a_running_tally_as_for_files() {
    let folder = workspace().join("examples/quickstart");
    let map = async |more: serde_json::Value| {
        let tally = tally();
        let live = source(&tally, more.clone());
        let by_tally = documents(&live, &read(&*live, None).await);
        let mut settings = more;
        settings["path"] = json!("daybook.xml");
        let files = crate::common::source(&folder, settings);
        let by_file = documents(&files, &read(&*files, None).await);
        assert_eq!(by_tally, by_file);
        by_tally
    };
    let plain = map(json!({})).await;
    for (more, member) in [
        (json!({ "mapping": { "set": { "RefDtls.InvRm": { "value": "by rule" } } } }), "\"InvRm\":\"by rule\""),
        (
            json!({ "mapping": {
                "set": { "ItemList.HsnCd": { "from": "I/STOCKITEMNAME", "table": "hsn", "default": "" } },
                "tables": { "hsn": { "Gate Valve 50 mm": "84818049" } },
            }}),
            "84818049",
        ),
        (
            json!({ "mapping": { "skip": [{ "field": "V/VOUCHERNUMBER", "in": ["DV/26-27/0412"], "reason": "by_rule" }] } }),
            "",
        ),
        (json!({ "units": { "Nos": "PCS" } }), "\"Unit\":\"PCS\""),
        (json!({ "ledgers": { "Freight Outward": "other_charge" } }), "\"OthChrg\""),
        (json!({ "description": "item_and_lines" }), ""),
        (json!({ "voucher_types": { "Tax Invoice": "supplementary_invoice" } }), "\"Typ\":\"DBN\""),
    ] {
        let mapped = map(more.clone()).await;
        if !member.is_empty() {
            assert!(mapped.values().any(|text| text.contains(member)), "{more}: {mapped:#?}");
            assert!(!plain.values().any(|text| text.contains(member)) || mapped != plain, "{more}");
        }
    }
}

#[tokio::test]
async fn when_nothing_changed_two_small_questions_are_all() {
    let tally = tally();
    let source = source(&tally, json!({}));
    let first = read(&*source, None).await;
    assert_eq!(first.records.len(), 19);
    let log = tally.take_log();
    assert_eq!(log.iter().filter(|asked| **asked == Asked::DayBook).count(), 22, "a day at a time");
    let again = read(&*source, first.cursor.as_ref()).await;
    assert_eq!((again.records.len(), again.cursor), (0, first.cursor));
    assert_eq!(tally.take_log(), [Asked::Companies, Asked::Marks]);
}

#[tokio::test]
async fn a_changed_voucher_is_read_alone_and_a_new_day_as_a_whole() {
    let tally = tally();
    let clock = clock(5);
    let source = source_on(&tally, &clock, json!({}));
    let first = read(&*source, None).await;
    let before = first.records.len();
    assert!(before > 0 && before < 19, "vouchers dated ahead wait for their day: {before}");
    tally.forget_log();
    tally.edit(4201, "NARRATION", "sent by road");
    clock.advance(Duration::from_hours(24));
    let second = read(&*source, first.cursor.as_ref()).await;
    let log = tally.take_log();
    assert_eq!(log.iter().filter(|asked| **asked == Asked::Object).count(), 1);
    assert_eq!(log.iter().filter(|asked| **asked == Asked::DayBook).count(), 1);
    assert!(!log.contains(&Asked::Masters), "no master changed");
    let places: Vec<_> = second.records.iter().map(|record| record.reference.position.as_str()).collect();
    assert_eq!(places.first(), Some(&"Master ID 4201"), "{places:?}");
    assert!(second.records.first().unwrap().content.contains("sent by road"));
    // The place does not depend on the way a voucher came.
    let earlier = first.records.iter().find(|record| record.reference.record_id.ends_with("00001069")).unwrap();
    assert_eq!(earlier.reference, second.records.first().unwrap().reference);
    let third = read(&*source, second.cursor.as_ref()).await;
    assert!(third.records.is_empty());
}

#[tokio::test]
async fn changed_vouchers_come_with_the_day_book_where_that_is_asked_for_and_deleted_ones_not_at_all() {
    let tally = tally();
    let source = source(&tally, json!({ "changed": "day_book" }));
    let first = read(&*source, None).await;
    tally.forget_log();
    tally.edit(4202, "NARRATION", "again");
    tally.delete(4203);
    let second = read(&*source, first.cursor.as_ref()).await;
    assert!(second.records.iter().any(|record| record.content.contains("again")));
    let log = tally.take_log();
    assert!(log.contains(&Asked::DayBook) && !log.contains(&Asked::Object), "{log:?}");
}

#[tokio::test]
async fn a_mended_master_brings_the_vouchers_of_the_last_days_again() {
    let tally = tally();
    let source = source(&tally, json!({ "reread_days": 12 }));
    let first = read(&*source, None).await;
    tally.forget_log();
    tally.replace_in_masters("Phase II", "Phase III");
    let second = read(&*source, first.cursor.as_ref()).await;
    let log = tally.take_log();
    assert_eq!(log.iter().filter(|asked| **asked == Asked::DayBook).count(), 13, "today and twelve days before");
    assert!(log.contains(&Asked::Masters));
    assert!(!second.records.is_empty() && second.records.len() < first.records.len());
    assert_eq!(read(&*source, second.cursor.as_ref()).await.records.len(), 0);
}

#[tokio::test]
async fn a_run_cut_short_goes_on_at_its_day_and_misses_no_change_made_meanwhile() {
    let tally = tally();
    let source = source(&tally, json!({}));
    let all = read(&*source, None).await.records.len();
    tally.once(Asked::DayBook, Mishap::Says(String::new()));
    let (nothing, error) = read_some(&*source, None).await;
    assert!(nothing.cursor.is_none() && error.is_some());

    let mut stream = source.fetch(None).await.unwrap();
    let mut records = Vec::new();
    let mut cursor = None;
    while let Some(item) = stream.next().await {
        match item.unwrap() {
            SourceItem::Record(record) => records.push(record),
            SourceItem::Checkpoint(found) => cursor = Some(found),
            _ => {}
        }
        if cursor.as_ref().is_some_and(|found: &Cursor| found.as_str().contains("2026-11-04")) {
            break;
        }
    }
    drop(stream);
    tally.edit(4201, "NARRATION", "changed while the program was down");
    tally.forget_log();
    let rest = read(&*source, cursor.as_ref()).await;
    assert!(rest.records.iter().any(|record| record.content.contains("changed while the program was down")));
    assert_eq!(records.len() + rest.records.len(), all + 1, "each once, and the changed one again");
    // The reader that was left may have been asking for one more day.
    let days = tally.take_log().iter().filter(|asked| **asked == Asked::DayBook).count();
    assert!((18..=19).contains(&days), "{days}");
}

#[tokio::test]
async fn behind_a_dialog_a_run_ends_with_its_place_and_a_small_question_comes_before_anything_else() {
    let tally = tally();
    let source = source(&tally, json!({ "export_timeout_ms": 300, "read_timeout_ms": 300 }));
    tally.once(Asked::DayBook, Mishap::Dialog);
    let (_, error) = read_some(&*source, None).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("the day book of 2026-11-01 within 300 ms") && text.contains("dialog"), "{text}");
    // Still open: the small question is not answered either, and nothing else is sent.
    tally.forget_log();
    let (_, error) = read_some(&*source, None).await;
    assert!(error.unwrap().to_string().contains("the list of open companies within 300 ms"));
    assert_eq!(tally.take_log(), [], "what waits behind the dialog is not worked on");
    tally.close_dialog();
    let (read, error) = read_some(&*source, None).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read.records.len(), 19);
}

#[tokio::test]
async fn an_answer_that_breaks_off_ends_the_run_and_the_next_one_reads_the_day_again() {
    let tally = tally();
    let source = source(&tally, json!({}));
    for _ in 0..2 {
        tally.once(Asked::DayBook, Mishap::BreakOff);
    }
    let (got, error) = read_some(&*source, None).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("broke off its answer to the day book of 2026-11-01"), "{text}");
    let (_, error) = read_some(&*source, got.cursor.as_ref()).await;
    assert!(error.is_some());
    let (read, error) = read_some(&*source, got.cursor.as_ref()).await;
    assert!(error.is_none() && read.records.len() == 19, "{error:?}");
}

#[tokio::test]
async fn another_company_on_the_screen_changes_nothing_and_a_closed_one_is_named() {
    let tally = tally();
    tally.open("Somebody Else", &day_book().replace("Gate Valve", "Foreign Valve"));
    let source = source(&tally, json!({}));
    let read = read(&*source, None).await;
    assert_eq!(read.records.len(), 19);
    assert!(read.records.iter().all(|record| !record.content.contains("Foreign Valve")));
    tally.close(COMPANY);
    let (_, error) = read_some(&*source, read.cursor.as_ref()).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("is not open in Tally (open: \"Somebody Else\")"), "{text}");
}

#[tokio::test]
async fn other_books_under_the_same_name_are_read_from_the_first_day() {
    let first = tally();
    let source_of_first = source(&first, json!({}));
    let cursor = read(&*source_of_first, None).await.cursor;
    let split = TallyStandIn::start(COMPANY, &day_book().replace("7b1f0c52", "8c2e1d63"));
    let source_of_split = source(&split, json!({}));
    assert_eq!(read(&*source_of_split, cursor.as_ref()).await.records.len(), 19);
}

#[tokio::test]
async fn without_numbers_of_last_changes_the_numbers_of_the_vouchers_serve() {
    let tally = tally();
    tally.tell_no_marks();
    let source = source(&tally, json!({}));
    let first = read(&*source, None).await;
    assert_eq!(first.records.len(), 19);
    tally.edit(4201, "NARRATION", "later");
    let second = read(&*source, first.cursor.as_ref()).await;
    let [record] = second.records.as_slice() else { panic!("{}", second.records.len()) };
    assert!(record.content.contains("later"));
}

#[tokio::test]
async fn utf_16_carries_the_scripts_that_some_releases_forget_in_utf_8() {
    for (charset, wanted) in [("utf16", "कृष्णा ट्रेडर्स"), ("utf8", "??????")] {
        let tally = tally();
        tally.forget_scripts_in_utf8();
        tally.edit(4201, "NARRATION", "कृष्णा ट्रेडर्स");
        let source = source(&tally, json!({ "charset": charset }));
        let read = read(&*source, None).await;
        let found = read.records.iter().find(|record| record.reference.position == "Master ID 4201").unwrap();
        assert!(found.content.contains(wanted), "{charset}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_tallys_words_with_what_to_do() {
    let tally = tally();
    let source = source(&tally, json!({}));
    tally.once(Asked::DayBook, Mishap::Says("<RESPONSE>Unknown Request, cannot be processed</RESPONSE>".to_owned()));
    let (_, error) = read_some(&*source, None).await;
    assert!(error.unwrap().to_string().contains("Unknown Request, cannot be processed"));
    tally.once(Asked::Marks, Mishap::Refuses("Could not set 'SVCurrentCompany' to 'X'".to_owned()));
    let (_, error) = read_some(&*source, None).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("Could not set 'SVCurrentCompany'") && text.contains("the company is not open"), "{text}");
    tally.once(Asked::Companies, Mishap::Says("welcome".to_owned()));
    let (_, error) = read_some(&*source, None).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("is not Tally; it said: welcome") && text.contains("Server is Running"), "{text}");
}

#[tokio::test]
async fn a_tally_that_is_not_there_is_named_with_what_to_check() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let tally = tally();
    let source = source(&tally, json!({ "url": url }));
    let (_, error) = read_some(&*source, None).await;
    let text = error.unwrap().to_string();
    assert!(text.contains("no connection to http://127.0.0.1") && text.contains("Connectivity"), "{text}");
}

#[tokio::test]
async fn an_older_release_without_registrations_is_read_with_what_the_configuration_states() {
    let tally = tally();
    let source = source(&tally, json!({ "seller": [{ "gstin": "29AAKCD4821F1ZM" }] }));
    for _ in 0..6 {
        tally.once(Asked::Masters, Mishap::Says("<ENVELOPE></ENVELOPE>".to_owned()));
    }
    let read = read(&*source, None).await;
    assert_eq!((read.records.len(), read.problems.len()), (19, 0));
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused_by_their_key() {
    let tally = tally();
    let refusal = |json: serde_json::Value| {
        let config: TallySourceConfig = serde_json::from_value(json).unwrap();
        TallySource::live(config, std::sync::Arc::new(clock(22))).unwrap_err().to_string()
    };
    let with = |more| settings(&tally, more);
    for (json, key, word) in [
        (with(json!({})), "from", "first day"),
        (with(json!({ "from": "soon" })), "from", "no day"),
        (with(json!({ "from": "2026-04-01", "path": "*.xml" })), "path", "beside `url`"),
        (with(json!({ "from": "2026-04-01", "masters": ["*.xml"] })), "masters", "`path`"),
        (with(json!({ "from": "2026-04-01", "company": " " })), "company", "name the company"),
        (with(json!({ "from": "2026-04-01", "read_timeout_ms": 0 })), "read_timeout_ms", "between"),
        (with(json!({ "from": "2026-04-01", "reread_days": 400 })), "reread_days", "366"),
        (with(json!({ "from": "2026-04-01", "url": "http://localhost:9000/x" })), "url", "path"),
        (with(json!({ "from": "2026-04-01", "url": "tally" })), "url", "http://localhost:9000"),
        (with(json!({ "from": "2026-04-01", "url": "http://me:x@localhost" })), "url", "user"),
    ] {
        let text = refusal(json);
        assert!(text.contains(&format!("`{key}`")) && text.contains(word), "{text}");
    }
    let files: TallySourceConfig = serde_json::from_value(json!({ "path": "*.xml", "from": "2026-04-01" })).unwrap();
    let text = TallySource::new(workspace(), files).unwrap_err().to_string();
    assert!(text.contains("`from`") && text.contains("`url`"), "{text}");
}

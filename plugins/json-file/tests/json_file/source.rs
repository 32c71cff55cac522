//! Folders, shapes, faults and moves of the source, on real files.

use std::fs;
use std::time::Duration;

use crate::folder::{Folder, Items, invoice, wrapped};
use einvoice_core::clock::ManualClock;
use einvoice_core::source::{Disposition, InvoiceSource, Mapped, SourceItem};
use serde_json::json;

#[tokio::test]
async fn every_shape_gives_the_same_documents() {
    let (one, two) = (invoice("A/1"), invoice("A/2"));
    let utf16: Vec<u8> = format!("\u{feff}[{one},{two}]").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in [
        ("list.json", format!("[{one},\n{two}]").into_bytes()),
        ("bom.json", format!("\u{feff}[{one},{two}]").into_bytes()),
        ("utf16.json", utf16),
        ("wrapped.json", format!("[{},{}]", wrapped(&one), wrapped(&two)).into_bytes()),
        ("sequence.json", format!("{one}\n{two}").into_bytes()),
        ("lines.jsonl", format!("{one}\r\n\n{}\n", wrapped(&two)).into_bytes()),
    ] {
        let folder = Folder::new();
        folder.write(name, &bytes);
        let items = folder.items(&folder.source(json!({}))).await;
        let ids: Vec<_> = items.records().iter().map(|record| record.reference.record_id.clone()).collect();
        let wanted = ["29AAKCS4321Q1ZP/2026-27/INV/A/1", "29AAKCS4321Q1ZP/2026-27/INV/A/2"];
        assert_eq!((ids.as_slice(), items.problems().len()), (wanted.map(str::to_owned).as_slice(), 0), "{name}");
    }
}

#[tokio::test]
async fn a_record_maps_to_its_document_with_what_write_back_needs() {
    let folder = Folder::new();
    folder.write("one.json", wrapped(&invoice("a/7")).as_bytes());
    let source = folder.source(json!({}));
    let mut record = folder.items(&source).await.records().remove(0);
    for _ in 0..2 {
        let Mapped::Document(document) = source.map(&record) else { panic!("no document") };
        assert_eq!(document.invoice.label(), "INV a/7 of 05/11/2026");
        assert_eq!(document.attributes["doc_no"], "a/7");
        assert!(document.invoice.to_json().len() > 100);
        // A record that comes back without its context is read from its text.
        record.context = None;
    }
    assert_eq!(record.reference.record_id, "29AAKCS4321Q1ZP/2026-27/INV/A/7");
    assert_eq!(record.reference.location, format!("in{}one.json", std::path::MAIN_SEPARATOR));
    "not json".clone_into(&mut record.content);
    assert!(matches!(source.map(&record), Mapped::Unmappable { .. }));
}

#[tokio::test]
async fn a_record_can_be_mapped_again_and_so_can_its_copies() {
    let folder = Folder::new();
    // With a remark of the reader, which must not be lost either.
    let document = invoice("A/8").replacen('{', "{\"Strange\":1,", 1);
    folder.write("one.json", wrapped(&document).as_bytes());
    let source = folder.source(json!({}));
    let record = folder.items(&source).await.records().remove(0);
    let copy = record.clone();
    let mapped = [&record, &record, &copy].map(|record| {
        let Mapped::Document(document) = source.map(record) else { panic!("no document") };
        (document.invoice, document.findings, document.attributes)
    });
    assert_eq!(mapped[0].1.len(), 1, "{:?}", mapped[0].1);
    assert_eq!(mapped[1], mapped[0]);
    assert_eq!(mapped[2], mapped[0]);
}

#[tokio::test]
async fn bad_elements_are_reported_with_their_place_and_the_others_go_on() {
    let deep = "[".repeat(70) + &"]".repeat(70);
    let folder = Folder::new();
    let (one, two) = (invoice("A/1"), invoice("A/2"));
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(2 * 1024 * 1024));
    folder.write("x.json", format!("[{one},\n{{\"a\": }},\n7,\n{deep},\n{large},\n{two}]").as_bytes());
    let items = folder.items(&folder.source(json!({}))).await;
    assert_eq!(items.records().len(), 2);
    let problems = items.problems();
    let places: Vec<_> = problems.iter().map(|problem| problem.reference.position.clone()).collect();
    assert_eq!(
        places,
        [
            "document 2, line 2, column 1",
            "document 3, line 3, column 1",
            "document 4, line 4, column 1",
            "document 5, line 5, column 1"
        ]
    );
    let first = problems[0].findings[0].to_string();
    assert!(first.contains("x.json") && first.contains("line 2, column 7"), "{first}");
    assert!(problems.iter().all(|problem| problem.findings[0].fix.is_some()));
}

#[tokio::test]
async fn documents_under_one_key_are_records_of_their_own_in_one_reading_and_the_same_in_the_next() {
    let folder = Folder::new();
    let other = invoice("a/1").replace("100.5", "200");
    folder.write("x.json", format!("[{},{other}]", invoice("A/1")).as_bytes());
    folder.write("y.json", invoice("A/1").as_bytes());
    let source = folder.source(json!({}));
    let key = "29AAKCS4321Q1ZP/2026-27/INV/A/1";
    for _ in 0..2 {
        let ids: Vec<_> = folder.items(&source).await.records().into_iter().map(|it| it.reference.record_id).collect();
        // In another file it is the same record, which arrived twice.
        assert_eq!(ids, [key.to_owned(), format!("{key}#2"), key.to_owned()]);
    }
    fs::remove_file(folder.inbox().join("x.json")).unwrap();
    assert_eq!(folder.items(&source).await.records()[0].reference.record_id, key);
}

/// Whatever is wrong, its text says in which file, at which place and in which document.
#[tokio::test]
async fn every_fault_names_its_file_its_position_and_its_document() {
    let (one, two) = (invoice("A/1"), invoice("A/2"));
    let list = |bad: &str| format!("[{one},\n{bad},\n{two}]").into_bytes();
    let utf16 = |text: &[u8]| -> Vec<u8> {
        String::from_utf8(text.to_vec()).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let stray = [b"[".as_slice(), one.as_bytes(), b",\n{\"Version\":\"caf\xe9\"},\n", two.as_bytes(), b"]"].concat();
    let deep = "[".repeat(70) + &"]".repeat(70);
    let entities = "{\"x\":\"&lol;\",}";
    let cases: [(Vec<u8>, usize, &str, &str); 7] = [
        (list("{\"Version\": }"), 2, "line 2, column 13", "document 2"),
        (utf16(&list("{\"Version\": }")), 2, "line 2, column 13", "document 2"),
        (list(entities), 2, "line 2, column", "document 2"),
        (list(&deep), 2, "line 2, column 1", "nested too deeply"),
        (stray, 2, "line 2, column 1", "not text in UTF-8"),
        (format!("[{one},\n{{\"Version\":").into_bytes(), 1, "line 2, column 1", "ends inside this document"),
        (format!("[{one},\n{two}}}").into_bytes(), 2, "line 2, column", "not separated by one comma"),
    ];
    for (content, records, place, what) in cases {
        let folder = Folder::new();
        folder.write("x.json", &content);
        folder.write("y.json", invoice("A/9").as_bytes());
        let items = folder.items(&folder.source(json!({}))).await;
        let problems = items.problems();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        let text = problem.findings[0].to_string();
        let file = format!("in{}x.json", std::path::MAIN_SEPARATOR);
        assert!(text.starts_with(&file) && text.contains(place), "{text}");
        assert!(format!("{} {text}", problem.label).contains(what), "{text}");
        assert!(problem.label.starts_with("document ") && problem.label.ends_with(&file), "{}", problem.label);
        // The good ones around it and the other file.
        assert_eq!(items.records().len(), records + 1, "{text}");
    }
}

#[tokio::test]
async fn truncated_empty_and_foreign_files_say_what_is_missing() {
    let one = invoice("A/1");
    for (content, records, wanted) in [
        (format!("[{one},{{\"Version\":"), 1, "ends inside this document"),
        (format!("[{one}"), 1, "before its list is closed"),
        (String::new(), 0, "is empty"),
        ("<xml/>".to_owned(), 0, "does not begin with"),
        (format!("[{one}] trailing"), 1, "text follows"),
    ] {
        let folder = Folder::new();
        folder.write("x.json", content.as_bytes());
        let items = folder.items(&folder.source(json!({}))).await;
        assert_eq!(items.records().len(), records, "{content}");
        let message = items.problems()[0].findings[0].message.clone();
        assert!(message.contains(wanted), "{message}");
    }
}

#[tokio::test]
async fn a_large_file_of_something_else_is_reported_by_its_first_entries_and_their_number() {
    let folder = Folder::new();
    folder.write("x.jsonl", "a;b;c\n".repeat(10_000).as_bytes());
    let problems = folder.items(&folder.source(json!({}))).await.problems();
    assert_eq!(problems.len(), 101);
    let last = &problems[100];
    assert!(last.findings[0].message.starts_with("9900 more entries"), "{:?}", last.findings);
    assert!(last.label.contains("x.jsonl") && last.findings[0].fix.is_some());
}

#[tokio::test]
async fn a_document_after_many_bad_lines_is_read() {
    let folder = Folder::new();
    folder.write("x.jsonl", format!("{}{}\n", "a;b;c\n".repeat(120), invoice("A/1")).as_bytes());
    let source = folder.source(json!({}));
    let items = folder.items(&source).await;
    assert_eq!(items.records()[0].reference.position, "document 121, line 121, column 1");
    assert_eq!((items.records().len(), items.problems().len()), (1, 101));
    assert!(items.problems()[100].findings[0].message.starts_with("20 more entries"));
    // The summary stands for the entries it counts, so the file can be settled and moved.
    folder.tell(&source, &Items(items.0[..101].to_vec()), Disposition::NeedsPerson).await;
    assert_eq!(folder.names(), ["x.jsonl"]);
    folder.tell(&source, &items, Disposition::NeedsPerson).await;
    assert_eq!(folder.names(), ["needs-person/x.jsonl"]);
}

#[tokio::test]
async fn a_fault_that_ends_the_reading_is_reported_however_many_came_before() {
    let folder = Folder::new();
    folder.write("x.json", format!("[{}{{", "7,".repeat(120)).as_bytes());
    let problems = folder.items(&folder.source(json!({}))).await.problems();
    assert_eq!(problems.len(), 102);
    assert!(problems[100].findings[0].message.contains("ends inside this document"));
}

#[tokio::test]
async fn an_unknown_wrapper_is_one_problem() {
    let folder = Folder::new();
    folder.write("x.json", format!("{{\"transactions\":[{}]}}", invoice("A/1")).as_bytes());
    let items = folder.items(&folder.source(json!({}))).await;
    assert_eq!((items.records().len(), items.problems().len()), (0, 1));
    let findings = items.problems().remove(0).findings;
    assert_eq!(findings.len(), 1);
    let shown = findings[0].to_string();
    assert!(shown.contains("this wrapper is not known") && shown.contains("document 1, line 1, column 1"), "{shown}");
}

#[tokio::test]
async fn a_missing_folder_is_an_error_that_names_the_key() {
    let folder = Folder::new();
    for path in ["nowhere", "nowhere/*.json"] {
        let error = folder.source(json!({ "path": path })).fetch(None).await.err().unwrap().to_string();
        assert!(error.contains("nowhere") && error.contains("key `path`"), "{error}");
    }
}

#[tokio::test]
async fn only_request_files_are_read_in_the_order_of_their_names() {
    let folder = Folder::new();
    for name in ["b_P.json", "a.JSON", "b_R.json", "c_R_2.json", "d.json.tmp", "e.part", ".f.json", "g.txt"] {
        folder.write(name, invoice(&format!("N/{}", &name[..1].to_uppercase())).as_bytes());
    }
    fs::create_dir(folder.inbox().join("h.json")).unwrap();
    for path in ["in", "in/*.[jJ]*"] {
        let items = folder.items(&folder.source(json!({ "path": path }))).await;
        let names: Vec<_> = items.records().iter().map(|record| record.reference.location[3..].to_owned()).collect();
        assert_eq!(names, ["a.JSON", "b_P.json"], "{path}");
    }
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_left_alone() {
    let folder = Folder::new();
    folder.write("x.json", invoice("A/1").as_bytes());
    let path = folder.inbox().join("x.json");
    let written = jiff::Timestamp::try_from(fs::metadata(&path).unwrap().modified().unwrap()).unwrap();
    // The clock says half a second after the write, so the run waits; meanwhile the file grows.
    let clock = ManualClock::new(written + Duration::from_millis(500));
    let source = folder.source_at(json!({ "settle_ms": 2000 }), clock.clone());
    let stream = source.fetch(None).await.unwrap();
    let growing = tokio::spawn(crate::folder::collect(stream));
    tokio::task::yield_now().await;
    folder.write("x.json", format!("[{},", invoice("A/1")).as_bytes());
    while !growing.is_finished() {
        clock.advance(Duration::from_secs(2));
        tokio::task::yield_now().await;
    }
    assert!(growing.await.unwrap().0.is_empty(), "a file that changed while waiting was read");
    // Long after the last write it is read without waiting.
    clock.advance(Duration::from_hours(1));
    assert_eq!(folder.items(&source).await.problems().len(), 1);
}

#[tokio::test]
async fn a_file_that_has_just_been_written_is_read_after_the_settling_time() {
    let folder = Folder::new();
    folder.write("x.json", invoice("A/1").as_bytes());
    let path = folder.inbox().join("x.json");
    let written = jiff::Timestamp::try_from(fs::metadata(&path).unwrap().modified().unwrap()).unwrap();
    let source = folder.source_at(json!({ "settle_ms": 2000 }), ManualClock::jumping(written));
    assert_eq!(folder.items(&source).await.records().len(), 1);
}

#[tokio::test]
async fn with_a_trigger_configured_a_file_waits_for_it_and_the_trigger_goes_with_the_file() {
    let folder = Folder::new();
    for name in ["a.json", "b.json", "c.json"] {
        folder.write(name, invoice("A/1").as_bytes());
    }
    folder.write("a.json.done", b"");
    folder.write("b.done", b"");
    let source = folder.source(json!({ "trigger_suffix": ".done" }));
    let items = folder.items(&source).await;
    assert_eq!(items.records().len(), 2);
    folder.tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["c.json", "done/a.json", "done/b.json"]);
}

#[tokio::test]
async fn a_file_moves_when_all_of_it_is_settled_and_not_before() {
    let folder = Folder::new();
    folder.write("x.json", format!("[{},{{}},3]", invoice("A/1")).as_bytes());
    folder.write("y.json", invoice("A/2").as_bytes());
    folder.write("empty.json", b"[]");
    let source = folder.source(json!({}));
    let items = folder.items(&source).await;
    let (x, y): (Vec<_>, Vec<_>) = items.references().into_iter().partition(|it| it.location.contains('x'));
    assert_eq!((x.len(), y.len()), (3, 1));
    folder.tell_each(&source, &[(&x[0], Disposition::Done), (&x[1], Disposition::NeedsPerson)]).await;
    folder.tell_each(&source, &[(&x[2], Disposition::Pending), (&y[0], Disposition::Pending)]).await;
    assert_eq!(folder.names(), ["done/empty.json", "x.json", "y.json"]);
    folder.tell_each(&source, &[(&x[2], Disposition::Done), (&y[0], Disposition::Done)]).await;
    folder.tell_each(&source, &[(&x[2], Disposition::Done), (&y[0], Disposition::Done)]).await;
    assert_eq!(folder.names(), ["done/empty.json", "done/y.json", "needs-person/x.json"]);
}

#[tokio::test]
async fn a_file_that_was_replaced_since_it_was_read_stays() {
    let folder = Folder::new();
    folder.write("x.json", invoice("A/1").as_bytes());
    let source = folder.source(json!({ "done_folder": "archive/done" }));
    let items = folder.items(&source).await;
    folder.write("x.json", format!("[{}]", invoice("A/2")).as_bytes());
    folder.tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["x.json"]);
    let items = folder.items(&source).await;
    folder.tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), Vec::<String>::new());
    assert!(folder.root().join("archive/done/x.json").exists());
}

#[tokio::test]
async fn what_is_not_to_be_moved_stays_and_gives_the_same_again() {
    let folder = Folder::new();
    folder.write("x.json", format!("[{},{}]", invoice("A/1"), invoice("A/2")).as_bytes());
    let source = folder.source(json!({ "move_files": false }));
    assert!(!source.capability().acknowledges);
    let first = folder.items(&source).await;
    folder.tell(&source, &first, Disposition::Done).await;
    assert_eq!(first.references(), folder.items(&source).await.references());
}

#[tokio::test]
async fn dropping_the_stream_ends_the_reading_and_changes_nothing() {
    let folder = Folder::new();
    let many = (1..2_000).map(|number| invoice(&format!("A/{number}"))).collect::<Vec<_>>().join(",");
    folder.write("x.json", format!("[{many}]").as_bytes());
    let source = folder.source(json!({}));
    let mut stream = source.fetch(None).await.unwrap();
    let mut next = async || futures_util::StreamExt::next(&mut stream).await.unwrap().unwrap();
    assert!(matches!(next().await, SourceItem::Arrival(_)));
    assert!(matches!(next().await, SourceItem::Record(_)));
    drop(stream);
    source.acknowledge(&[]).await.unwrap();
    assert_eq!(folder.names(), ["x.json"]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), lines in proptest::prelude::any::<bool>()) {
        let counts = einvoice_json_file::fuzzing::file(&bytes, lines);
        proptest::prop_assert!(counts.documents + counts.findings.len() <= bytes.len() + 1);
    }

    #[test]
    fn a_damaged_file_is_read_without_panic(at in 0_usize..600, byte in proptest::prelude::any::<u8>()) {
        let mut bytes = format!("[{},{}]", invoice("A/1"), wrapped(&invoice("A/2"))).into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let counts = einvoice_json_file::fuzzing::file(&bytes, false);
        proptest::prop_assert!(counts.documents + counts.findings.len() >= 1);
    }
}

#[tokio::test]
async fn a_recorded_file_drop_request_is_read() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/samples/sap");
    let Ok(request) = fs::read(format!("{samples}/file-drop-request-INV123_P.json")) else {
        eprintln!("skipped: the recorded samples are not beside this project");
        return;
    };
    let folder = Folder::new();
    folder.write("INV123_P.json", &request);
    let source = folder.source(json!({}));
    let items = folder.items(&source).await;
    assert!(items.problems().is_empty() && !items.records().is_empty());
    for record in items.records() {
        let Mapped::Document(document) = source.map(&record) else { panic!("no document") };
        assert!(document.invoice.document_key().is_some(), "{}", record.reference);
    }
}

#[tokio::test]
async fn records_told_apart_by_place_need_no_memory_of_those_before() {
    let folder = Folder::new();
    folder.write("a.jsonl", format!("{0}\n{0}\n", invoice("A/1")).as_bytes());
    for (record_id, wanted) in [
        ("position", ["in/a.jsonl#1", "in/a.jsonl#2"]),
        ("document", ["29AAKCS4321Q1ZP/2026-27/INV/A/1", "29AAKCS4321Q1ZP/2026-27/INV/A/1#2"]),
    ] {
        let items = folder.items(&folder.source(json!({"record_id": record_id, "move_files": false}))).await;
        let ids: Vec<_> = items.records().iter().map(|record| record.reference.record_id.clone()).collect();
        assert_eq!(ids, wanted.map(|id| id.replace("in/", &format!("in{}", std::path::MAIN_SEPARATOR))));
    }
}

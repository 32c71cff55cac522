//! Several programs on one folder, files that come again, and disks on which nothing can be written.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use einvoice_core::source::{Acknowledgement, Disposition, InvoiceSource, SourceItem};
use einvoice_sap_file::SapFileSource;
use einvoice_testkit::idocs::{Framing, IdocRecipe};
use einvoice_testkit::small_disk::SmallDisk;
use futures_util::StreamExt;
use serde_json::json;

use crate::folder::{Folder, Items, tell};

fn idoc(number: u32) -> String {
    IdocRecipe::numbered(number).flat(Framing::Cut)
}

async fn read(source: &SapFileSource) -> Items {
    Items(source.fetch(None).await.unwrap().map(Result::unwrap).collect().await)
}

#[tokio::test]
async fn two_workers_share_a_folder_and_never_read_the_same_file() {
    let folder = Folder::new().with("a.idoc", idoc(1));
    let (first, items) = folder.read(json!({})).await;
    assert_eq!(items.records().len(), 1);
    assert_eq!(folder.names(), ["work/a.idoc"]);
    let folder = folder.with("b.idoc", idoc(2));
    let (second, others) = folder.read(json!({})).await;
    let ids = |items: &Items| items.records().iter().map(|it| it.reference.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&others).iter().map(|it| it.location.as_str()).collect::<Vec<_>>(), ["in/b.idoc"]);
    // Each goes on with its own until that is settled, and moves it.
    assert_eq!(ids(&read(&first).await), ids(&items));
    tell(&first, &items, Disposition::Done).await;
    tell(&second, &others, Disposition::NeedsPerson).await;
    assert_eq!(folder.names(), ["done/a.idoc", "needs-person/b.idoc", "work/idocs.txt"]);
}

#[tokio::test]
async fn what_a_worker_that_is_gone_left_behind_is_taken_up_as_it_was() {
    let folder = Folder::new().with("a.idoc", idoc(1)).with("b.idoc", idoc(2));
    let (gone, items) = folder.read(json!({})).await;
    drop(gone);
    assert_eq!(folder.names(), ["work/a.idoc", "work/b.idoc"]);
    // Another source on the folder, for other files, leaves these alone.
    let (_, others) = folder.read(json!({ "path": "in/*.json" })).await;
    assert_eq!(others.0.len(), 0);
    let (next, again) = folder.read(json!({})).await;
    let shown = |items: &Items| format!("{:?}", items.0);
    assert_eq!(shown(&again), shown(&items), "the same files, arrivals, records and places");
    tell(&next, &again, Disposition::Done).await;
    assert_eq!(folder.names(), ["done/a.idoc", "done/b.idoc", "work/idocs.txt"]);
}

#[tokio::test]
async fn each_time_that_a_file_is_written_it_arrives() {
    let arrivals = |items: &Items| {
        let arrival = |item: &SourceItem| match item {
            SourceItem::Arrival(arrival) => Some(arrival.as_str().to_owned()),
            _ => None,
        };
        items.0.iter().filter_map(arrival).collect::<Vec<_>>()
    };
    let folder = Folder::new().with("a.idoc", idoc(1));
    let written = |at: u64| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        fs::File::options().write(true).open(folder.inbox().join("a.idoc")).unwrap().set_modified(time).unwrap();
    };
    written(1_000_000_000);
    let (source, first) = folder.read(json!({})).await;
    assert_eq!(arrivals(&first), ["in/a.idoc, written 2001-09-09T01:46:40Z"]);
    assert_eq!(arrivals(&read(&source).await), arrivals(&first), "read again it is the same arrival");
    tell(&source, &first, Disposition::Done).await;
    // The same document in a later file of the same name, and in one of another name.
    fs::write(folder.inbox().join("a.idoc"), idoc(1)).unwrap();
    written(1_000_000_001);
    fs::write(folder.inbox().join("b.idoc"), idoc(1)).unwrap();
    let again = read(&source).await;
    let arrived = arrivals(&again);
    assert_eq!(arrived.len(), 2);
    assert!(arrived[0] != arrivals(&first)[0] && arrived[1].starts_with("in/b.idoc, written "), "{arrived:?}");
    let ids: Vec<_> = again.records().iter().map(|record| record.reference.record_id.clone()).collect();
    assert_eq!(ids, [first.records()[0].reference.record_id.as_str(); 2]);
}

#[tokio::test]
async fn a_number_of_an_idoc_that_is_done_brings_no_other_invoice_in_a_later_file() {
    let folder = Folder::new().with("a.idoc", idoc(1));
    let (source, items) = folder.read(json!({})).await;
    tell(&source, &items, Disposition::Done).await;
    drop(source);
    // After a restart: the same IDoc again, and another invoice under its number.
    let other = IdocRecipe { docnum: IdocRecipe::numbered(1).docnum, ..IdocRecipe::numbered(2) };
    let folder = folder.with("b.idoc", idoc(1)).with("c.idoc", other.flat(Framing::Cut)).with("d.idoc", idoc(3));
    let (_, items) = folder.read(json!({})).await;
    assert_eq!((items.records().len(), items.rules()), (2, vec!["idoc.number_twice".to_owned()]));
    let finding = &items.problems()[0].findings[0];
    for word in ["IDoc 0000000000180001", "/INV/S/1, which is registered", "/INV/S/2"] {
        assert!(finding.message.contains(word), "{finding}");
    }
    assert_eq!(finding.place.as_deref(), Some("in/c.idoc, line 1"));
    assert!(finding.fix.as_deref().unwrap().contains("WE02"));
}

#[tokio::test]
async fn a_working_folder_that_cannot_be_used_is_said_with_its_name() {
    let folder = Folder::new().with("a.idoc", idoc(1)).with("work", "a file in the way");
    let error = folder.source(json!({})).fetch(None).await.err().unwrap().to_string();
    assert!(error.contains("work: the working folder cannot be used"), "{error}");
    // Files are read as they lie where that is wished for.
    let (_, items) = folder.read(json!({ "move_files": false })).await;
    assert_eq!(items.records().len(), 1);
    assert_eq!(folder.names(), ["a.idoc", "work"]);
}

#[tokio::test]
async fn a_read_only_folder_and_a_full_one_are_said_and_nothing_is_read_twice_or_lost() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::at(&folder.inbox()) else { return };
    let folder = folder.with("a.idoc", idoc(1));
    let source = folder.source(json!({}));
    disk.read_only(true);
    let items: Vec<_> = source.fetch(None).await.unwrap().collect().await;
    let [Err(error)] = items.as_slice() else { panic!("{items:?}") };
    let error = error.to_string();
    for word in ["in/a.idoc: it cannot be moved into the working folder", "Read-only", "move_files = false"] {
        assert!(error.contains(word), "{error}");
    }
    disk.read_only(false);
    let items = read(&source).await;
    assert_eq!(items.records().len(), 1);
    // Once it is settled there is no room: its number cannot be written, and the file is not moved.
    let filler = disk.fill();
    let reference = items.records()[0].reference.clone();
    let news = [Acknowledgement { reference, disposition: Disposition::Done }];
    let error = source.acknowledge(&news).await.unwrap_err().to_string();
    assert!(error.contains("idocs.txt") && error.contains("No space left"), "{error}");
    assert!(folder.names().contains(&"work/a.idoc".to_owned()));
    fs::remove_file(filler).unwrap();
    // The next run reads it again, and this time all is written.
    let items = read(&source).await;
    tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["done/a.idoc", "work/idocs.txt"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_settled_file_that_cannot_be_moved_stays_for_the_next_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new().with("a.idoc", idoc(1));
    let (source, items) = folder.read(json!({ "work_folder": "work" })).await;
    let allow = |mode| fs::set_permissions(folder.inbox(), fs::Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let is_root = fs::write(folder.inbox().join("probe"), "").is_ok();
    let reference = items.records()[0].reference.clone();
    let news = [Acknowledgement { reference, disposition: Disposition::Done }];
    let told = source.acknowledge(&news).await;
    allow(0o755);
    if is_root {
        println!("skipped: the superuser may write everywhere");
        return;
    }
    let error = told.unwrap_err().to_string();
    assert!(error.contains("in/a.idoc") && error.contains("could not be moved"), "{error}");
    source.acknowledge(&news).await.unwrap();
    assert_eq!(folder.names(), ["done/a.idoc"]);
}

#[tokio::test]
async fn a_working_folder_elsewhere_keeps_the_places_of_files() {
    let folder = Folder::new();
    fs::create_dir(folder.inbox().join("north")).unwrap();
    let folder = folder.with("north/a.idoc", idoc(1));
    let settings = json!({ "path": "in/**/*.idoc", "work_folder": "busy" });
    let (source, items) = folder.read(settings.clone()).await;
    let place = Path::new("in").join("north").join("a.idoc");
    assert_eq!(items.records()[0].reference.location, place.display().to_string());
    assert!(folder.names().is_empty());
    drop(source);
    let (source, items) = folder.read(settings).await;
    tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["north/done/a.idoc"]);
}

#[tokio::test]
async fn settled_files_lie_under_the_day_where_that_is_wished_and_are_not_read_there() {
    let folder = Folder::new().with("a.idoc", idoc(1));
    let settings = json!({ "path": "in/**/*.idoc", "done_folder": "in/archive/%Y/%m/%d" });
    let (source, items) = folder.read(settings.clone()).await;
    tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["archive/2026/11/05/a.idoc", "work/idocs.txt"]);
    assert_eq!(read(&source).await.0.len(), 0);
    for wrong in ["%Y", "archive/%Q", "%"] {
        let all = json!({ "path": "in", "done_folder": wrong });
        let context = folder.context();
        let settings = einvoice_core::registry::read_settings(&context, all).unwrap();
        let error = SapFileSource::new(&context, settings).unwrap_err().to_string();
        assert!(error.contains("done_folder") && error.contains("archive/%Y/%m/%d"), "{error}");
    }
}

#[tokio::test]
async fn a_trigger_that_a_worker_left_behind_starts_no_other_file() {
    let folder = Folder::new().with("a.idoc", idoc(1)).with("a.idoc.done", "");
    let settings = json!({ "trigger_suffix": ".done" });
    drop(folder.read(settings.clone()).await);
    assert_eq!(folder.names(), ["work/a.idoc"]);
    // As if it had been killed between the two steps.
    let folder = folder.with("a.idoc.done", "");
    let (source, items) = folder.read(settings).await;
    assert_eq!(items.records().len(), 1);
    tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["done/a.idoc", "work/idocs.txt"]);
}

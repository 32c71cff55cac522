//! The contracts of source and write-back, kept by Tally's files and by a running Tally.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::ManualClock;
use einvoice_core::receipt::Receipt;
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError};
use einvoice_tally::config::{TallySourceConfig, TallyWriteBackConfig};
use einvoice_tally::{TallyLiveWriteBack, TallySource, TallyWriteBack};
use einvoice_testkit::source_suite::SourceFixture;
use einvoice_testkit::tally_stand_in::TallyStandIn;
use einvoice_testkit::write_back_suite::{WriteBackFixture, files_below};

/// The company of the quickstart.
const COMPANY: &str = "Deccan Valves Private Limited (26-27)";

/// The day book of the quickstart, and a file that breaks off.
fn day_book_and_a_broken_file() -> Ready<SourceFixture> {
    let folder = tempfile::tempdir().unwrap();
    let day_book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/daybook.xml");
    std::fs::copy(day_book, folder.path().join("a.xml")).unwrap();
    std::fs::write(folder.path().join("b.xml"), "<ENVELOPE><VOUCHER><GUID>x</GUID></VOUCHER><VOUCHER><A>").unwrap();
    let config: TallySourceConfig =
        serde_json::from_value(serde_json::json!({ "path": "*.xml", "settle_ms": 0 })).unwrap();
    let source = TallySource::new(folder.path(), config).unwrap();
    ready(SourceFixture::new(Arc::new(source), 20, 1).keeping(folder))
}

fn an_empty_folder() -> Ready<WriteBackFixture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let config: TallyWriteBackConfig =
        serde_json::from_value(serde_json::json!({ "folder": "x", "qr": "svg" })).unwrap();
    let reopened = (path.clone(), config.clone());
    let open = |path: &std::path::Path, config: &TallyWriteBackConfig| -> Arc<dyn WriteBack> {
        Arc::new(TallyWriteBack::new(path, config).unwrap())
    };
    let fixture = WriteBackFixture::new(open(&path, &config), move || files_below(&path))
        .reopened_by(move || open(&reopened.0, &reopened.1))
        .with_attribute("master_id", "4711")
        .with_attribute("voucher_date", "05/11/2026")
        .with_attribute("voucher_type", "Sales")
        .keeping(folder);
    ready(fixture)
}

mod files {
    use super::{an_empty_folder, day_book_and_a_broken_file};

    einvoice_testkit::source_conformance!(day_book_and_a_broken_file);
    einvoice_testkit::write_back_conformance!(an_empty_folder);
}

/// A running Tally with the books of the quickstart.
fn tally() -> TallyStandIn {
    let day_book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/daybook.xml");
    TallyStandIn::start(COMPANY, &std::fs::read_to_string(day_book).unwrap())
}

/// The whole books, and one voucher that is larger than the source may read.
fn a_running_tally_with_one_voucher_too_large() -> Ready<SourceFixture> {
    let tally = tally();
    tally.edit(4202, "NARRATION", &"n".repeat(200_000));
    let config: TallySourceConfig = serde_json::from_value(serde_json::json!({
        "url": tally.url(), "company": COMPANY, "from": "2026-11-01", "voucher_bytes_max": 100_000,
    }))
    .unwrap();
    let clock = ManualClock::jumping("2026-11-22T06:30:00Z".parse().unwrap());
    let source = TallySource::live(config, Arc::new(clock)).unwrap();
    ready(SourceFixture::new(Arc::new(source), 18, 1).keeping(tally))
}

/// Gives each receipt a voucher of its own, as a source would have done: the suite's receipts all
/// carry the same attributes.
#[derive(Debug)]
struct EachItsVoucher(TallyLiveWriteBack);

#[async_trait]
impl WriteBack for EachItsVoucher {
    fn capability(&self) -> &WriteBackCapability {
        self.0.capability()
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let mut receipts = receipts.to_vec();
        for receipt in &mut receipts {
            let number: u64 = receipt.reference.record_id.trim_start_matches("record-").parse().unwrap();
            receipt.attributes.insert("master_id".to_owned(), (4200 + number).to_string());
        }
        self.0.deliver(&receipts).await
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        self.0.read_back(references).await
    }
}

fn a_running_tally() -> Ready<WriteBackFixture> {
    let tally = Arc::new(tally());
    let folder = tempfile::tempdir().unwrap();
    let config: TallyWriteBackConfig =
        serde_json::from_value(serde_json::json!({ "url": tally.url(), "company": COMPANY })).unwrap();
    let path = folder.path().to_owned();
    let open = move || -> Arc<dyn WriteBack> {
        Arc::new(EachItsVoucher(TallyLiveWriteBack::new(&path, "books", &config).unwrap()))
    };
    let books = Arc::clone(&tally);
    let look = move || books.vouchers().into_iter().map(|(guid, xml)| (guid, xml.into_bytes())).collect();
    let fixture = WriteBackFixture::new(open(), look)
        .reopened_by(open)
        .with_attribute("voucher_date", "05/11/2026")
        .with_attribute("voucher_type", "Tax Invoice")
        .keeping((tally, folder));
    ready(fixture)
}

mod live {
    use super::{a_running_tally, a_running_tally_with_one_voucher_too_large};

    einvoice_testkit::source_conformance!(a_running_tally_with_one_voucher_too_large);
    einvoice_testkit::write_back_conformance!(a_running_tally);
}

/// What a suite does with a promise about something that the part under test has not.
mod not_applicable {
    #[test]
    fn a_promise_about_something_else() {
        let shown = Err(einvoice_testkit::promise::NotApplicable::because("files have no such thing"));
        einvoice_testkit::promise::told("a_promise_about_something_else", shown);
    }
}

/// This program once more, over the suites of files and the promise above; what it prints.
fn suites_of_files(arguments: &[&str]) -> String {
    let program = std::env::current_exe().unwrap();
    let output =
        std::process::Command::new(program).args(["files::", "not_applicable::"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whoever runs a suite reads each promise as a sentence, with what became of it.
#[test]
fn the_suites_tell_every_promise_as_a_sentence_of_its_name() {
    let listed = suites_of_files(&["--list"]);
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test")?.rsplit("::").next());
    let mut promises: Vec<String> = names.map(|name| name.replace('_', " ")).collect();
    let printed = suites_of_files(&["--nocapture", "--test-threads=1"]);
    // Before a sentence the runner has written the name of the test into the same line.
    let after = |line: &str, word: &str| line.split_once(word).map(|(_, sentence)| sentence.to_owned());
    let mut told: Vec<String> = printed.lines().filter_map(|line| after(line, "... kept: ")).collect();
    let bad_record = "a bad record is reported with its place and the rest is read";
    assert!(told.iter().any(|sentence| sentence == bad_record), "{printed}");
    let not_applicable: Vec<String> = printed.lines().filter_map(|line| after(line, "... not applicable: ")).collect();
    assert_eq!(not_applicable, ["a promise about something else: files have no such thing"]);
    told.extend(not_applicable.iter().filter_map(|line| Some(line.split_once(": ")?.0.to_owned())));
    assert!(promises.len() > 12, "{listed}");
    promises.sort();
    told.sort();
    assert_eq!(told, promises, "{printed}");
}

/// Settings in examples and README are those of the configuration types.
#[test]
fn the_examples_are_configurations_that_load() {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```toml").skip(1).filter_map(|rest| rest.split("```").next());
    let examples = [
        include_str!("../examples/source.toml"),
        include_str!("../examples/write_back.toml"),
        include_str!("../examples/source_live.toml"),
        include_str!("../examples/write_back_live.toml"),
    ];
    let mut loaded = 0;
    for text in blocks.chain(examples) {
        let table: toml::Table = text.parse().unwrap();
        for (role, parts) in &table {
            for part in parts.as_array().unwrap() {
                let mut part = part.as_table().unwrap().clone();
                assert_eq!(part.remove("plugin").unwrap().as_str(), Some("tally"));
                part.remove("name");
                let folder = std::env::temp_dir();
                if role == "source" {
                    let config: TallySourceConfig = part.try_into().unwrap();
                    let clock = Arc::new(ManualClock::new("2026-11-22T06:30:00Z".parse().unwrap()));
                    let live = config.url.is_some();
                    let _source =
                        if live { TallySource::live(config, clock) } else { TallySource::new(&folder, config) }
                            .unwrap();
                } else {
                    let config: TallyWriteBackConfig = part.try_into().unwrap();
                    if config.url.is_some() {
                        TallyLiveWriteBack::new(&folder, "books", &config).unwrap();
                    }
                }
                loaded += 1;
            }
        }
    }
    assert_eq!(loaded, 11);
}

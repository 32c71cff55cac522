//! The contracts of source and write-back, kept by Tally's files.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{Ready, ready};
use std::sync::Arc;

use einvoice_core::write_back::WriteBack;
use einvoice_tally::config::{TallySourceConfig, TallyWriteBackConfig};
use einvoice_tally::{TallySource, TallyWriteBack};
use einvoice_testkit::source_suite::SourceFixture;
use einvoice_testkit::write_back_suite::{WriteBackFixture, files_below};

/// The day book of the quickstart, and a file that breaks off.
fn day_book_and_a_broken_file() -> Ready<SourceFixture> {
    let folder = tempfile::tempdir().unwrap();
    let day_book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/daybook.xml");
    std::fs::copy(day_book, folder.path().join("a.xml")).unwrap();
    std::fs::write(folder.path().join("b.xml"), "<ENVELOPE><VOUCHER><GUID>x</GUID></VOUCHER><VOUCHER><A>").unwrap();
    let config: TallySourceConfig = serde_json::from_value(serde_json::json!({ "path": "*.xml" })).unwrap();
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

einvoice_testkit::source_conformance!(day_book_and_a_broken_file);
einvoice_testkit::write_back_conformance!(an_empty_folder);

/// Settings in examples and README are those of the configuration types.
#[test]
fn the_examples_are_configurations_that_load() {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```toml").skip(1).filter_map(|rest| rest.split("```").next());
    let examples = [include_str!("../examples/source.toml"), include_str!("../examples/write_back.toml")];
    let mut loaded = 0;
    for text in blocks.chain(examples) {
        let table: toml::Table = text.parse().unwrap();
        for (role, parts) in &table {
            for part in parts.as_array().unwrap() {
                let mut part = part.as_table().unwrap().clone();
                assert_eq!(part.remove("plugin").unwrap().as_str(), Some("tally"));
                part.remove("name");
                if role == "source" {
                    let _config: TallySourceConfig = part.try_into().unwrap();
                } else {
                    let _config: TallyWriteBackConfig = part.try_into().unwrap();
                }
                loaded += 1;
            }
        }
    }
    assert_eq!(loaded, 6);
}

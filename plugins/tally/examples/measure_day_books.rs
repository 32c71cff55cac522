//! Measures reading and mapping of a large day book: `cargo run --release --example measure_day_books -- 100`
//! makes one of about 100 MB out of the quickstart's vouchers, in a temporary folder; with `live` after
//! the number a stand-in for Tally in the same process sends it over HTTP, and with `json` in JSON.
//!
//! Two passes: reading alone, and reading with every voucher mapped to its document. Each says its
//! time, the processor time of the whole process (the stand-in's included) and the most memory so far.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use einvoice_core::clock::ManualClock;
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem};
use einvoice_tally::TallySource;
use einvoice_tally::config::TallySourceConfig;
use einvoice_testkit::tally_stand_in::TallyStandIn;
use einvoice_testkit::usage::{self, Cost, Usage};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

fn main() -> Result<(), Box<dyn Error>> {
    let megabytes: usize = std::env::args().nth(1).map_or(Ok(20), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match std::env::args().nth(2).as_deref() {
        None => {}
        Some("live") => return live(&runtime, megabytes, "xml"),
        Some("json") => return live(&runtime, megabytes, "json"),
        Some(other) => return Err(format!("`{other}` is neither `live` nor `json`").into()),
    }
    let folder = tempfile::tempdir()?;
    make(&folder.path().join("daybook.xml"), megabytes * 1_000_000)?;
    let config: TallySourceConfig =
        serde_json::from_value(serde_json::json!({ "path": "daybook.xml", "settle_ms": 0 }))?;
    let source = TallySource::new(folder.path(), config)?;
    measure(&runtime, &source)
}

/// The same over HTTP, in the encoding that is the default.
fn live(runtime: &Runtime, megabytes: usize, envelope: &str) -> Result<(), Box<dyn Error>> {
    let day_book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/daybook.xml");
    let tally = TallyStandIn::start("Deccan", &std::fs::read_to_string(day_book)?);
    // The vouchers of the busiest day, so often that their text reaches the size in UTF-8.
    let day = "20261117";
    let of_day = tally.vouchers().into_values().filter(|voucher| voucher.contains(&format!("<DATE>{day}</DATE>")));
    let bytes: usize = of_day.map(|voucher| voucher.len()).sum();
    tally.repeat_day(day, u64::try_from(megabytes * 1_000_000 / bytes.max(1))?);
    tally.be_release(7);
    let config: TallySourceConfig = serde_json::from_value(serde_json::json!({
        "url": tally.url(), "company": "Deccan", "from": "2026-11-17", "envelope": envelope,
    }))?;
    let clock = ManualClock::jumping("2026-11-17T06:30:00Z".parse()?);
    measure(runtime, &TallySource::live(config, Arc::new(clock))?)
}

fn measure(runtime: &Runtime, source: &TallySource) -> Result<(), Box<dyn Error>> {
    for maps in [false, true] {
        let begun = Instant::now();
        let before = Usage::now();
        let (mut vouchers, mut documents) = (0_u32, 0_u32);
        runtime.block_on(async {
            let mut stream = source.fetch(None).await?;
            while let Some(item) = stream.next().await {
                if let SourceItem::Record(record) = item? {
                    vouchers += 1;
                    if maps && matches!(source.map(&record), Mapped::Document(_)) {
                        documents += 1;
                    }
                }
            }
            Ok::<(), Box<dyn Error>>(())
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        let cost = Cost::since(before.as_ref(), vouchers.max(1))
            .map_or_else(|| "not known".to_owned(), |cost| cost.to_string());
        let cpu = before.zip(Usage::now()).map_or(0.0, |(before, now)| now.seconds() - before.seconds());
        writeln!(
            stdout(),
            "mapping {maps}: {vouchers} vouchers, {documents} documents, {seconds:.1} s; CPU {cpu:.1} s, {cost} a voucher; {}",
            usage::peak()
        )?;
    }
    Ok(())
}

/// Repeats the vouchers of the quickstart under new identities until the file is large enough.
fn make(path: &Path, bytes: usize) -> Result<(), Box<dyn Error>> {
    let day_book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/daybook.xml");
    let text = std::fs::read_to_string(day_book)?;
    let start = text.find("     <VOUCHER ").ok_or("the day book has no voucher")?;
    let end = text.rfind("    </TALLYMESSAGE>").ok_or("the day book has no end")?;
    let (head, rest) = text.split_at(start);
    let (vouchers, tail) = rest.split_at(end - start);
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(head.as_bytes())?;
    let mut written = head.len();
    let mut round = 0;
    while written < bytes {
        let again = vouchers.replace("-00001", &format!("-{round:05}")).replace("DV/26-27/", &format!("D{round}/"));
        out.write_all(again.as_bytes())?;
        out.write_all(b"    </TALLYMESSAGE>\r\n    <TALLYMESSAGE>\r\n")?;
        written += again.len();
        round += 1;
    }
    out.write_all(b"    ")?;
    out.write_all(tail.as_bytes())?;
    out.flush()?;
    Ok(())
}

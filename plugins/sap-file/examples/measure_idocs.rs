//! Measures reading and mapping of a large flat file: how long it takes, and how much memory.
//!
//! ```sh
//! cargo run --release -p einvoice-sap-file --example measure_idocs -- 1000000
//! ```

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot be made should stop")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;
use std::time::Instant;

use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem};
use einvoice_sap_file::{SapFileSource, fuzzing};
use einvoice_testkit::idocs::{Framing, IdocRecipe};
use einvoice_testkit::usage::peak;
use futures_util::StreamExt;

#[tokio::main]
async fn main() {
    let wanted: usize = std::env::args().nth(1).and_then(|lines| lines.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let mut file = BufWriter::new(File::create(folder.path().join("day.idoc")).unwrap());
    let (mut lines, mut number) = (0, 0);
    while lines < wanted {
        number += 1;
        let text = IdocRecipe { items: 6, ..IdocRecipe::numbered(number) }.flat(Framing::Lines);
        lines += text.lines().count();
        file.write_all(text.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    println!("{lines} lines, {number} invoices of six items; {} before reading", peak());

    let context = BuildContext::new("measure", folder.path(), Arc::new(SystemClock), SystemEntropy::shared());
    let settings = serde_json::json!({ "path": "day.idoc", "settle_ms": 0, "move_files": false });
    let source = SapFileSource::new(&context, read_settings(&context, settings).unwrap()).unwrap();
    let started = Instant::now();
    let mut stream = source.fetch(None).await.unwrap();
    let mut documents = 0_u32;
    while let Some(item) = stream.next().await {
        if let SourceItem::Record(record) = item.unwrap() {
            documents += u32::from(matches!(source.map(&record), Mapped::Document(_)));
        }
    }
    let took = started.elapsed();
    println!(
        "read and mapped {documents} in {took:?}: {:.0} a second; {}",
        f64::from(documents) / took.as_secs_f64(),
        peak()
    );

    let text = fuzzing::texts(IdocRecipe { items: 6, ..IdocRecipe::numbered(1) }.flat(Framing::Cut).as_bytes())
        .unwrap()
        .remove(0);
    let mapping = fuzzing::Mapping::built_in().unwrap();
    let rounds = 50_000_u32;
    let started = Instant::now();
    let mapped: u32 = (0..rounds).map(|_| u32::from(matches!(mapping.map(&text), Mapped::Document(_)))).sum();
    let took = started.elapsed();
    println!("mapped {mapped} texts on one core: {:.0} a second", f64::from(rounds) / took.as_secs_f64());
}

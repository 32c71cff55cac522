//! What reading and mapping one invoice costs, for each text format, from the file to the typed document.
//!
//! ```sh
//! cargo run --release -p einvoice-testkit --example formats -- invoices=5000 items=6
//! cargo run --release -p einvoice-testkit --example formats -- invoices=5000 items=3 csv idoc-flat
//! ```
//!
//! CPU time of all threads, the best of five rounds over the file, which is in memory by then: a busy machine shows least
//! in the best. The reader's thread and the mapper's run side by side, so that the clock shows less than the CPU.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod files;

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use einvoice_core::source::{InvoiceSource, Mapped, SourceItem};
use einvoice_testkit::usage::{self, Usage};
use futures_util::StreamExt;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut invoices, mut items, mut rounds, mut formats) = (5_000_u32, 6_u32, 5_u32, Vec::new());
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("invoices", number)) => invoices = number.parse()?,
            Some(("items", number)) => items = number.parse()?,
            Some(("rounds", number)) => rounds = number.parse()?,
            _ => formats.push(argument),
        }
    }
    if formats.is_empty() {
        formats = files::FORMATS.iter().map(|&format| format.to_owned()).collect();
    }
    println!("{invoices} invoices of {items} items, load {}", usage::load().unwrap_or_default());
    println!("format         documents   bytes each   CPU us each   a second and core   clock us each");
    for format in formats {
        measure(&format, invoices, items, rounds)?;
    }
    Ok(())
}

fn measure(format: &str, invoices: u32, items: u32, rounds: u32) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let source = files::open(format, folder.path(), invoices, items)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut best, mut clock, mut documents) = (f64::INFINITY, f64::INFINITY, 0);
    for _ in 0..rounds {
        let (before, begun) = (Usage::now(), Instant::now());
        documents = runtime.block_on(read_and_map(&*source))?;
        let each = f64::from(documents.max(1));
        clock = clock.min(begun.elapsed().as_secs_f64() * 1e6 / each);
        if let (Some(before), Some(after)) = (before, Usage::now()) {
            best = best.min((after.user + after.system - before.user - before.system) * 1e6 / each);
        }
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder.path())? {
        bytes += entry?.metadata()?.len();
    }
    let bytes = bytes / u64::from(documents.max(1));
    println!("{format:<14} {documents:>9} {bytes:>12} {best:>13.1} {:>19.0} {clock:>15.1}", 1e6 / best);
    Ok(())
}

/// Each record is mapped as it comes, as a run does it.
async fn read_and_map(source: &dyn InvoiceSource) -> Result<u32, Box<dyn Error>> {
    let mut documents = 0;
    let mut stream = source.fetch(None).await?;
    while let Some(item) = stream.next().await {
        match item? {
            SourceItem::Record(record) => match black_box(source.map(&record)) {
                Mapped::Document(_) => documents += 1,
                Mapped::Skipped(_) => {}
                Mapped::Unmappable { findings, .. } => return Err(format!("{findings:?}").into()),
            },
            SourceItem::Problem(problem) => return Err(format!("{problem:?}").into()),
            _ => {}
        }
    }
    Ok(documents)
}

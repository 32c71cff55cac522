//! How fast documents are read and judged, beside a general JSON Schema validator doing its smaller part of the work.
//!
//! `cargo run --release -p einvoice-testkit --example check_speed`. One thread, fastest of 30 rounds. The validator sees
//! only the schema, and our side all rules; the ratio is the validator's time over ours.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use einvoice_core::document::Invoice;
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_testkit::documents::Recipe;
use jiff::civil::date;

const SCHEMA: &str = include_str!("../../transports/sandbox/schema/inv01-1.1.json");

/// Rounds of which the fastest counts: a busy machine shows least in it.
const ROUNDS: u32 = 30;

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let validator = jsonschema::draft7::new(&serde_json::from_str(SCHEMA)?)?;
    let options = CheckOptions::on(date(2026, 11, 20));
    println!("items      bytes   read, us   read and judge, us   us a line   schema validator, us   ratio");
    for items in [1, 6, 100, 1_000] {
        let json = Recipe { items, ..Recipe::numbered(1) }.invoice().to_json();
        let repeats = (20_000 / items).clamp(20, 5_000);
        let read = fastest(repeats, || Invoice::from_json(black_box(&json)).is_ok());
        let judged = fastest(repeats, || {
            Invoice::from_json(black_box(&json)).is_ok_and(|read| rulebook::check_read(read, &options).is_ok())
        });
        let validated = fastest(repeats, || {
            serde_json::from_str(black_box(&json)).is_ok_and(|document| validator.is_valid(&document))
        });
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        println!(
            "{items:>5} {:>10} {:>10.2} {:>20.2} {:>11.3} {:>22.2} {:>7.1}",
            json.len(),
            micros(read),
            micros(judged),
            micros(judged) / f64::from(items),
            micros(validated),
            micros(validated) / micros(judged),
        );
    }
    Ok(())
}

/// Time of one call, in the fastest round. Every call must succeed, or nothing is measured.
fn fastest(repeats: u32, call: impl Fn() -> bool) -> Duration {
    let round = || {
        let start = Instant::now();
        let done = (0..repeats).filter(|_| call()).count();
        assert_eq!(u32::try_from(done), Ok(repeats), "a right document was refused");
        start.elapsed() / repeats
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

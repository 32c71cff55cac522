//! Measures reading and mapping of a large workbook: `cargo run --release --example measure -- 100000 xlsx` makes one of
//! so many rows, ten columns of each item filled and more of the document, in a temporary folder. `make FILE ROWS` keeps it.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::BuildContext;
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem};
use einvoice_spreadsheet::{SpreadsheetSource, testing};
use einvoice_testkit::documents::Recipe;
use futures_util::StreamExt;

/// Items of each document.
const ITEMS: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [make, file, rows] = arguments.as_slice()
        && make == "make"
    {
        return content(file, rows.parse()?).and_then(|bytes| Ok(std::fs::write(file, bytes)?));
    }
    if let [read, file] = arguments.as_slice()
        && read == "read"
    {
        return measure(Path::new(file));
    }
    let rows = arguments.first().map_or(Ok(100_000), |text| text.parse())?;
    let ending = arguments.get(1).map_or("xlsx", String::as_str);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(format!("sales.{ending}"));
    std::fs::write(&file, content(&file.to_string_lossy(), rows)?)?;
    measure(&file)
}

fn content(file: &str, rows: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let invoices =
        (1..=rows.div_ceil(ITEMS)).map(|number| Recipe { items: ITEMS, ..Recipe::numbered(number) }.invoice());
    let is_workbook = Path::new(file).extension().is_some_and(|ending| ending == "xlsx");
    let made = if is_workbook { testing::workbook(invoices) } else { testing::csv(invoices) };
    made.map_err(|error| error.to_string().into())
}

fn measure(file: &Path) -> Result<(), Box<dyn Error>> {
    let settings = serde_json::json!({ "path": file, "settle_ms": 0, "move_files": false });
    let context = BuildContext::new("measure", "", Arc::new(SystemClock), SystemEntropy::shared());
    let source = SpreadsheetSource::new(&context, &serde_json::from_value(settings)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let begun = Instant::now();
    let (mut records, mut documents) = (0_u64, 0_u64);
    runtime.block_on(async {
        let mut stream = source.fetch(None).await?;
        while let Some(item) = stream.next().await {
            if let SourceItem::Record(record) = item? {
                records += 1;
                if matches!(source.map(&record), Mapped::Document(_)) {
                    documents += 1;
                }
            }
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    let micros = begun.elapsed().as_micros();
    let each = micros / u128::from(records.max(1));
    let size = std::fs::metadata(file)?.len();
    writeln!(
        stdout(),
        "{size} bytes: {records} records, {documents} documents, {micros} us, {each} us each; {}",
        peak()
    )?;
    Ok(())
}

/// Peak memory, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak memory unknown").to_owned()
}

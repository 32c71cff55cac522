//! Measures reading, mapping and answering of a large workbook.
//!
//! `cargo run --release --example measure_workbooks -- 100000 xlsx` makes one of so many rows, ten columns of each item filled and
//! more of the document, in a temporary folder, and reads it. `make FILE ROWS` keeps it (`shared.xlsx` at the end of the
//! name: texts as Excel saves them; any other `.xlsx`: texts in the cells; else CSV), `read FILE` reads any file, and
//! `copy FILE` also answers every document, in batches as a run does.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use einvoice_core::clock::SystemClock;
use einvoice_core::date::PortalTime;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::{Registration, RegistrationStatus};
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::BuildContext;
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem, SourceRecord};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_spreadsheet::{SpreadsheetSource, SpreadsheetWriteBack, WriteBackConfig, testing};
use einvoice_testkit::documents::Recipe;
use einvoice_testkit::usage::peak;
use futures_util::StreamExt;

/// Items of each document.
const ITEMS: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", file, rows] => Ok(std::fs::write(file, content(file, rows.parse()?)?)?),
        ["read", file] => measure(Path::new(file), false),
        ["copy", file] => measure(Path::new(file), true),
        _ => {
            let rows = words.first().map_or(Ok(100_000), |text| text.parse())?;
            let folder = tempfile::tempdir()?;
            let file = folder.path().join(format!("sales.{}", words.get(1).unwrap_or(&"xlsx")));
            std::fs::write(&file, content(&file.to_string_lossy(), rows)?)?;
            measure(&file, false)
        }
    }
}

fn content(file: &str, rows: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let invoices =
        (1..=rows.div_ceil(ITEMS)).map(|number| Recipe { items: ITEMS, ..Recipe::numbered(number) }.invoice());
    let is_workbook = Path::new(file).extension().is_some_and(|ending| ending == "xlsx");
    let made = match is_workbook {
        true if file.ends_with("shared.xlsx") => testing::shared_workbook(invoices),
        true => testing::workbook(invoices),
        false => testing::csv(invoices),
    };
    made.map_err(|error| error.to_string().into())
}

fn measure(file: &Path, answers: bool) -> Result<(), Box<dyn Error>> {
    let settings = serde_json::json!({ "path": file, "settle_ms": 0, "move_files": false });
    let context = BuildContext::new("measure", "", Arc::new(SystemClock), SystemEntropy::shared());
    let source = SpreadsheetSource::new(&context, &serde_json::from_value(settings)?)?;
    let target = SpreadsheetWriteBack::new(&context, WriteBackConfig::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let begun = Instant::now();
    let (mut records, mut documents) = (0_u64, 0_u64);
    let mut waiting: Vec<Receipt> = Vec::new();
    runtime.block_on(async {
        let batch_max = target.capability().batch_max;
        let mut stream = source.fetch(None).await?;
        while let Some(item) = stream.next().await {
            if let SourceItem::Record(record) = item? {
                records += 1;
                if let Mapped::Document(mapped) = source.map(&record) {
                    documents += 1;
                    if answers {
                        waiting.push(registered(record, *mapped)?);
                    }
                }
            }
            if waiting.len() >= batch_max {
                target.deliver(&std::mem::take(&mut waiting)).await?;
            }
        }
        let read = begun.elapsed();
        target.deliver(&waiting).await?;
        let shown = target.finish().await?;
        let failed: Vec<_> = shown.iter().filter(|one| one.delivery != Delivery::Done).collect();
        if let Some(first) = failed.first() {
            return Err(format!("{} failed: {first:?}", failed.len()).into());
        }
        let size = std::fs::metadata(file)?.len();
        let each = begun.elapsed().as_micros() / u128::from(records.max(1));
        writeln!(
            stdout(),
            "{size} bytes: {records} records, {documents} documents, read {} ms, all {} ms, {each} us each; {}",
            read.as_millis(),
            begun.elapsed().as_millis(),
            peak()
        )?;
        Ok::<(), Box<dyn Error>>(())
    })
}

/// What a run would hand to the write-back for a document, signed code of the usual length included.
fn registered(record: SourceRecord, mapped: einvoice_core::source::MappedDocument) -> Result<Receipt, Box<dyn Error>> {
    let key = mapped.invoice.document_key().ok_or("a document without a key")?;
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    Ok(Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: 1,
        revision: 1,
        source: "sales".to_owned(),
        reference: record.reference,
        attributes: mapped.attributes,
        label: mapped.invoice.label(),
        key: Some(key),
        irn: Some(irn),
        state: DocumentState::Registered,
        ewb_state: EwbState::None,
        registration: Some(Registration {
            ack_no: "112610000000001".to_owned(),
            ack_date: PortalTime::parse("2026-11-05 10:15:00")?,
            irn,
            status: RegistrationStatus::Active,
            signed_invoice: None,
            signed_qr: Some(format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "cXI".repeat(300))),
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        }),
        proof: None,
        ewb: None,
        cancellation: None,
        findings: Vec::new(),
    })
}

//! The target: results of documents for @name@.
//!
//! As it stands it writes one JSON file a record. Replace [`show`] by what shows a result in @name@, and [`shown`] by
//! what tells which revision is there; everything else may stay.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::ledger::LedgerId;
use einvoice_core::receipt::{Edition, Receipt};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::config::WriteBackConfig;

/// Receipts taken at once.
const BATCH_MAX: usize = 1_000;

/// Shows results to @name@.
#[derive(Debug)]
pub struct @type@WriteBack {
    folder: PathBuf,
    capability: WriteBackCapability,
    /// Two deliveries at once could put an older revision over a newer one.
    writing: Mutex<()>,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Shown {
    ledger: Option<LedgerId>,
    revision: u32,
    document: String,
    state: String,
    irn: Option<String>,
    ack_no: Option<String>,
    ack_date: Option<String>,
    signed_qr: Option<String>,
    ewb_no: Option<String>,
    cancelled_at: Option<String>,
    findings: Vec<String>,
}

@awaited@pub(crate) async fn build(context: BuildContext, config: WriteBackConfig) -> Result<Arc<dyn WriteBack>, BuildError> {
    Ok(Arc::new(@type@WriteBack::new(&context, config)))
}

impl @type@WriteBack {
    /// A target in the folder of a context.
    #[must_use]
    pub fn new(context: &BuildContext, config: WriteBackConfig) -> Self {
        let fields = vec!["irn", "ack_no", "ack_date", "signed_qr", "ewb_no", "cancelled_at", "findings"];
        let note = "one JSON file a document, which @name@ reads";
        Self {
            folder: context.path(config.folder),
            capability: WriteBackCapability::new(false, false, BATCH_MAX, fields, note),
            writing: Mutex::new(()),
        }
    }
}

#[async_trait]
impl WriteBack for @type@WriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let _one_at_a_time = self.writing.lock().await;
        let (folder, receipts) = (self.folder.clone(), receipts.to_vec());
        let failed = |error: tokio::task::JoinError| WriteBackError::new("@name@", "writing was given up").because(error);
        tokio::task::spawn_blocking(move || receipts.iter().map(|receipt| delivered(&folder, receipt)).collect())
            .await
            .map_err(failed)
    }

    async fn read_back(&self, _: &[SourceRef]) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        Err(WriteBackError::new("@name@", "what it shows cannot be read back"))
    }
}

fn delivered(folder: &Path, receipt: &Receipt) -> Delivery {
    // By the record, which a ledger that was begun anew names as before; the numbers of its own begin again.
    let file = folder.join(file_name(&receipt.source)).join(format!("{}.json", file_name(&receipt.reference.record_id)));
    // What is there may be newer: a receipt can be delivered twice, and late.
    if shown(&file).is_some_and(|shown| shown.edition().covers(&Edition::of(receipt))) {
        return Delivery::Done;
    }
    match show(&file, receipt) {
        Ok(()) => Delivery::Done,
        Err(error) => Delivery::Failed { reason: format!("{} cannot be written: {error}", file.display()) },
    }
}

/// A text as the name of a file: what a system may not like there stands as its code.
fn file_name(text: &str) -> String {
    let shown = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("~{other:02x}"),
    };
    text.bytes().map(shown).collect()
}

impl Shown {
    fn edition(&self) -> Edition {
        Edition { ledger: self.ledger.clone(), revision: self.revision, ack_no: self.ack_no.clone() }
    }
}

/// What is shown already.
fn shown(file: &Path) -> Option<Shown> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Shows a result, wholly or not at all.
fn show(file: &Path, receipt: &Receipt) -> std::io::Result<()> {
    let registration = receipt.registration.as_ref();
    let shown = Shown {
        ledger: receipt.ledger.clone(),
        revision: receipt.revision,
        document: receipt.label.clone(),
        state: receipt.state.to_string(),
        irn: registration.map(|registration| registration.irn.to_string()),
        ack_no: registration.map(|registration| registration.ack_no.clone()),
        ack_date: registration.map(|registration| registration.ack_date.to_string()),
        signed_qr: registration.and_then(|registration| registration.signed_qr.clone()),
        ewb_no: receipt.bill().map(|bill| bill.number),
        cancelled_at: receipt.cancellation.as_ref().and_then(|found| found.at.map(|at| at.to_string())),
        findings: receipt.findings.iter().map(ToString::to_string).collect(),
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = file.with_extension("tmp");
    fs::write(&unfinished, serde_json::to_vec_pretty(&shown)?)?;
    fs::rename(unfinished, file)
}

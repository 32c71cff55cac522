//! The write-back role: results as files that Tally imports and people read.
//!
//! Results are kept in parts of a bounded number of vouchers, so that a delivery costs the same
//! after a million vouchers as after ten. The part of a receipt follows from its number in the
//! ledger. Each part is a file for Tally (`results-0001.xml`), a list for people
//! (`results-0001.csv`) and the memory of what was delivered (`state/results-0001.json`).
//!
//! `live` writes into a running Tally instead; both ask for the same `alteration` of a voucher.

mod alteration;
mod files;
mod guard;
mod import_xml;
mod live;
mod part;
mod shown;
mod table;

pub use live::TallyLiveWriteBack;
pub(crate) use shown::Shown;

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError, WriteBackWay};

use crate::config::{QrFormat, TallyWriteBackConfig};

/// Most vouchers in one results file that the configuration may ask for.
const VOUCHERS_MAX: u32 = 50_000;
/// Receipts in one call that make sense: a part is written once for all of them.
const BATCH_MAX: usize = 5_000;

const FOLDER: WriteBackWay = WriteBackWay {
    settings: "folder",
    note: "a file that somebody imports into Tally (Import, Vouchers), a CSV list, and QR pictures if asked for",
};
/// Every way in which results reach the books.
pub(crate) const WAYS: &[WriteBackWay] = &[FOLDER, live::NOWHERE, live::NARRATION, live::USER_FIELDS, live::FILES];

/// Results as files beside Tally.
#[derive(Debug)]
pub struct TallyWriteBack {
    capability: WriteBackCapability,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    qr: QrFormat,
    vouchers_max: i64,
    /// Two deliveries at the same time would overwrite each other's part.
    writing: Mutex<()>,
}

impl TallyWriteBack {
    /// A target that writes into a folder.
    ///
    /// # Errors
    /// [`BuildError`] when the configuration makes no sense.
    pub fn new(folder: impl Into<PathBuf>, config: &TallyWriteBackConfig) -> Result<Self, BuildError> {
        if config.vouchers_max == 0 || config.vouchers_max > VOUCHERS_MAX {
            let reason = format!("{} is not between 1 and {VOUCHERS_MAX}", config.vouchers_max);
            return Err(BuildError::new("tally, key `vouchers_max`", reason));
        }
        let capability = WriteBackCapability::new(
            false,
            false,
            BATCH_MAX,
            vec![
                "irn",
                "ack_no",
                "ack_date",
                "signed_qr",
                "ewb_no",
                "ewb_date",
                "ewb_valid_till",
                "ewb_state",
                "ewb_vehicle",
                "cancelled",
                "cancelled_at",
                "cancel_reason",
                "findings",
            ],
            FOLDER.note,
        );
        let inner = Inner {
            folder: folder.into(),
            qr: config.qr,
            vouchers_max: i64::from(config.vouchers_max),
            writing: Mutex::new(()),
        };
        Ok(Self { capability, inner: Arc::new(inner) })
    }
}

#[async_trait]
impl WriteBack for TallyWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let inner = Arc::clone(&self.inner);
        let receipts = receipts.to_vec();
        let target = self.inner.folder.display().to_string();
        tokio::task::spawn_blocking(move || inner.deliver(&receipts)).await.map_err(|error| {
            WriteBackError::new(target, "the writer stopped by a fault of its own; please report this").because(error)
        })
    }

    async fn read_back(
        &self,
        _references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        Err(WriteBackError::new(
            self.inner.folder.display().to_string(),
            "results reach Tally by a file that somebody imports, so what the books show cannot be read here; export the vouchers again to see it",
        ))
    }
}

impl Inner {
    fn deliver(&self, receipts: &[Receipt]) -> Vec<Delivery> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deliveries = vec![Delivery::Done; receipts.len()];
        let mut by_part: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, receipt) in receipts.iter().enumerate() {
            by_part.entry(self.part_of(receipt)).or_default().push(index);
        }
        for (number, indexes) in by_part {
            let chosen: Vec<&Receipt> = indexes.iter().filter_map(|index| receipts.get(*index)).collect();
            if let Err(error) = part::deliver(&self.folder, number, self.qr, &chosen) {
                for index in indexes {
                    if let Some(delivery) = deliveries.get_mut(index) {
                        *delivery = Delivery::Failed { reason: error.to_string() };
                    }
                }
            }
        }
        deliveries
    }

    /// Parts follow the ledger's numbers, so that no index of all documents is needed.
    fn part_of(&self, receipt: &Receipt) -> i64 {
        (receipt.reference_id.max(1) - 1) / self.vouchers_max + 1
    }
}

/// Makes the target for the registry.
#[expect(clippy::needless_pass_by_value, reason = "the registry hands both over")]
pub(crate) fn build(
    context: BuildContext,
    config: TallyWriteBackConfig,
) -> Ready<Result<Arc<dyn WriteBack>, BuildError>> {
    ready(target(&context, &config))
}

fn target(context: &BuildContext, config: &TallyWriteBackConfig) -> Result<Arc<dyn WriteBack>, BuildError> {
    if config.url.is_some() {
        return Ok(Arc::new(TallyLiveWriteBack::new(&context.directory, &context.name, config)?));
    }
    live::no_live_keys(config)?;
    if config.folder.trim().is_empty() {
        return Err(BuildError::new(
            "tally, key `folder`",
            "names no folder for the results; write one, or `url` to write into a running Tally",
        ));
    }
    Ok(Arc::new(TallyWriteBack::new(context.path(&config.folder), config)?))
}

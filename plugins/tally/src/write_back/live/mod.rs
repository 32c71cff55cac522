//! The write-back role over a running Tally: one voucher at a time, the smallest alteration, and
//! nothing done before the voucher itself shows it.
//!
//! Tally says `ALTERED=1` also when it stored nothing, so every delivery reads the voucher before and
//! after. Reading first makes a repeated delivery harmless: what is there already is not sent again,
//! and a delivery whose answer was lost is settled by looking. An alteration that made a second
//! voucher, or gave the voucher another number, stops this target until a person has put that right.
//!
//! `writing` brings one voucher to what one receipt says, `fallback` is where that goes when Tally does
//! not store the fields, `incident` is what stops the target, `lately` is what it did before.

mod fallback;
mod incident;
mod lately;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::receipt::{Edition, Receipt};
use einvoice_core::registry::BuildError;
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError};

use self::fallback::Resort;
pub(crate) use self::fallback::{FILES, NARRATION, NOWHERE, USER_FIELDS};
use self::incident::Incident;
use self::lately::{Delivered, Lately};
use self::writing::Written;
use super::alteration::{attribute, is_imported};
use super::guard::{COMPANY_GUID, guid_fits};
use super::shown::Shown;
use crate::config::{TallyWriteBackConfig, default_object_bytes_max};
use crate::live::{Books, Link, LinkError, LinkSettings, StoredVoucher, only_with};
use crate::reading;
use crate::xml::Limits;

/// Receipts in one call that make sense: each takes three small requests.
const BATCH_MAX: usize = 100;

/// Results in the vouchers of a running Tally.
#[derive(Debug)]
pub struct TallyLiveWriteBack {
    capability: WriteBackCapability,
    books: Books,
    limits: Limits,
    resort: Resort,
    incident: Incident,
    delivered: Mutex<Lately>,
}

impl TallyLiveWriteBack {
    /// A target in a running Tally. `name` is that of this target: an incident is written into
    /// `directory` under it.
    ///
    /// # Errors
    /// [`BuildError`] when a setting makes no sense.
    pub fn new(directory: &Path, name: &str, config: &TallyWriteBackConfig) -> Result<Self, BuildError> {
        if !config.folder.is_empty() {
            let reason = "stands beside `url`; a target writes files or into a running Tally";
            return Err(BuildError::new("tally, key `folder`", reason));
        }
        let resort = Resort::new(directory, config)?;
        let link = Link::new(LinkSettings::of_write_back(config)?)?;
        Ok(Self {
            capability: capability(&resort),
            books: Books::new(Arc::new(link)),
            limits: reading::limits(default_object_bytes_max()),
            resort,
            incident: Incident::of(name, directory),
            delivered: Mutex::default(),
        })
    }

    fn error(&self, reason: impl Into<String>) -> WriteBackError {
        let link = self.books.link();
        WriteBackError::new(format!("{} at {}", link.company(), link.origin()), reason)
    }

    fn remember(&self, receipt: &Receipt) {
        let master_id = attribute(receipt, "master_id").and_then(|text| text.trim().parse().ok());
        let delivered = Delivered { edition: Edition::of(receipt), master_id };
        let mut lately = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        lately.remember(&receipt.source, &receipt.reference.record_id, delivered);
    }

    /// Whether a later result of the same record was delivered by this process.
    fn is_outdated(&self, receipt: &Receipt) -> bool {
        let edition = Edition::of(receipt);
        let lately = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lately.of(&receipt.source, &receipt.reference.record_id);
        known.is_some_and(|known| known.edition.covers(&edition) && !edition.covers(&known.edition))
    }

    /// Whether a receipt asks for something to be written at all. What is not registered leaves the
    /// voucher as it is.
    fn concerns(&self, receipt: &Receipt) -> bool {
        let state = receipt.registration.is_some() && !self.is_outdated(receipt);
        state && (is_imported(receipt) || attribute(receipt, "master_id").is_none())
    }

    async fn check_incident(&self) -> Result<(), WriteBackError> {
        match self.incident.find().await {
            Ok(None) => Ok(()),
            Ok(Some(text)) => Err(self.error(format!("stopped after an incident. {text}"))),
            Err(reason) => Err(self.error(format!("whether there was an incident could not be read: {reason}"))),
        }
    }

    /// The Master ID of a record: as it was delivered, or as the end of its GUID says, which is the
    /// Master ID in hexadecimal.
    fn master_id(&self, reference: &SourceRef) -> Option<u64> {
        let lately = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lately.of_record(&reference.record_id).and_then(|known| known.master_id);
        drop(lately);
        let (company, end) = reference.record_id.rsplit_once('-')?;
        known.or_else(|| u64::from_str_radix(end, 16).ok().filter(|_| company.len() == COMPANY_GUID))
    }
}

#[async_trait]
impl WriteBack for TallyLiveWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        let mut deliveries = Vec::with_capacity(receipts.len());
        let mut company = None;
        let mut ended: Option<String> = None;
        for receipt in receipts {
            if !self.concerns(receipt) {
                if !self.is_outdated(receipt) {
                    self.remember(receipt);
                }
                deliveries.push(Delivery::Done);
                continue;
            }
            if let Some(reason) = &ended {
                deliveries.push(Delivery::Failed { reason: reason.clone() });
                continue;
            }
            let open = if let Some(open) = &company {
                open
            } else {
                self.check_incident().await?;
                let open = self.books.company().await.map_err(|error| self.error(error.to_string()).because(error))?;
                company.insert(open)
            };
            let delivery = match self.write(receipt, open).await {
                Written::Done => {
                    self.remember(receipt);
                    Delivery::Done
                }
                Written::Failed(reason) => Delivery::Failed { reason },
                Written::Silent(error) => {
                    ended = Some(format!("not tried, as Tally did not answer before: {error}"));
                    Delivery::Failed { reason: format!("{error}; the voucher is read before anything is sent again") }
                }
                Written::Incident(reason) => {
                    let reason = self.incident.write_down(&reason).await;
                    ended = Some(format!("not tried: {reason}"));
                    Delivery::Failed { reason }
                }
            };
            deliveries.push(delivery);
        }
        Ok(deliveries)
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let failed = |error: LinkError| self.error(error.to_string()).because(error);
        if references.is_empty() {
            return Ok(Vec::new());
        }
        self.books.company().await.map_err(failed)?;
        let mut read = Vec::with_capacity(references.len());
        for reference in references {
            let Some(id) = self.master_id(reference) else {
                read.push(None);
                continue;
            };
            let voucher = self.books.voucher(id, self.limits).await.map_err(failed)?;
            let shown = voucher.as_ref().and_then(|StoredVoucher(text)| Shown::read(text).ok());
            let own = shown.filter(|shown| guid_fits(&reference.record_id, shown.get("GUID")));
            read.push(own.map(|shown| self.resort.by_name(&shown)));
        }
        Ok(read)
    }
}

fn capability(resort: &Resort) -> WriteBackCapability {
    let fields = vec![
        "irn",
        "ack_no",
        "ack_date",
        "signed_qr",
        "ewb_no",
        "ewb_date",
        "ewb_valid_till",
        "ewb_state",
        "cancelled",
        "cancelled_on",
        "cancel_reason",
    ];
    WriteBackCapability::new(false, true, BATCH_MAX, fields, resort.way().note)
}

/// Refuses keys of the running Tally where results go into files.
///
/// # Errors
/// [`BuildError`] that names the key.
pub(super) fn no_live_keys(config: &TallyWriteBackConfig) -> Result<(), BuildError> {
    only_with(
        "url",
        &[
            ("company", config.company.is_some()),
            ("fallback", config.fallback.is_some()),
            ("fallback_folder", config.fallback_folder.is_some()),
            ("user_fields", config.user_fields.is_some()),
            ("charset", config.charset.is_some()),
            ("connect_timeout_ms", config.connect_timeout_ms.is_some()),
            ("read_timeout_ms", config.read_timeout_ms.is_some()),
            ("probe_timeout_ms", config.probe_timeout_ms.is_some()),
        ],
    )
}

//! The write-back role over a running Tally: one voucher at a time, the smallest alteration, and
//! nothing done before the voucher itself shows it.
//!
//! Tally says `ALTERED=1` also when it stored nothing, so every delivery reads the voucher before and
//! after. Reading first makes a repeated delivery harmless: what is there already is not sent again,
//! and a delivery whose answer was lost is settled by looking. An alteration that made a second
//! voucher, or gave the voucher another number, stops this target until a person has put that right.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::BuildError;
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError};

use super::TallyWriteBack;
use super::alteration::{Alteration, attribute, is_imported};
use super::files;
use super::guard::{COMPANY_GUID, belongs_elsewhere, guid_fits, is_another};
use super::shown::{Missing, Shown};
use crate::config::{Fallback, TallyWriteBackConfig, default_object_bytes_max};
use crate::live::{Books, Link, LinkError, LinkSettings, OpenCompany, StoredVoucher, hint, import, only_with};
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
    fallback: Fallback,
    files: Option<TallyWriteBack>,
    incident: PathBuf,
    /// What this process delivered, by source and record.
    delivered: Mutex<HashMap<(String, String), Delivered>>,
}

/// What was delivered for one record.
#[derive(Debug, Clone, Copy)]
struct Delivered {
    revision: u32,
    master_id: Option<u64>,
}

/// What became of one receipt, with what follows for the rest of the batch.
enum Written {
    /// The voucher shows it.
    Done,
    /// It does not; the next receipt may fare better.
    Failed(String),
    /// Tally does not answer: nothing more is tried now.
    Silent(LinkError),
    /// Something happened that only a person can put right.
    Incident(String),
}

impl From<LinkError> for Written {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Refused { .. } => Self::Failed(error.to_string()),
            other => Self::Silent(other),
        }
    }
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
        let fallback = config.fallback.unwrap_or_default();
        let folder = config.fallback_folder.as_deref().map(str::trim).filter(|folder| !folder.is_empty());
        let files = match (fallback, folder) {
            (Fallback::File, Some(folder)) => Some(TallyWriteBack::new(directory.join(folder), &file_mode(config))?),
            (Fallback::File, None) => {
                let reason = "is missing; `fallback = \"file\"` needs a folder for its files";
                return Err(BuildError::new("tally, key `fallback_folder`", reason));
            }
            (_, Some(_)) => {
                return Err(BuildError::new("tally, key `fallback_folder`", "belongs to `fallback = \"file\"`"));
            }
            (_, None) => None,
        };
        let link = Link::new(LinkSettings::of_write_back(config)?)?;
        let safe: String = name.chars().map(|found| if found.is_alphanumeric() { found } else { '-' }).collect();
        Ok(Self {
            capability: capability(fallback),
            books: Books::new(Arc::new(link)),
            limits: reading::limits(default_object_bytes_max()),
            fallback,
            files,
            incident: directory.join(format!("tally-incident-{safe}.txt")),
            delivered: Mutex::default(),
        })
    }

    fn error(&self, reason: impl Into<String>) -> WriteBackError {
        let link = self.books.link();
        WriteBackError::new(format!("{} at {}", link.company(), link.origin()), reason)
    }

    fn remember(&self, receipt: &Receipt) {
        let key = (receipt.source.clone(), receipt.reference.record_id.clone());
        let master_id = attribute(receipt, "master_id").and_then(|text| text.trim().parse().ok());
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        delivered.insert(key, Delivered { revision: receipt.revision, master_id });
    }

    /// Whether a newer revision of the same record was delivered by this process.
    fn is_outdated(&self, receipt: &Receipt) -> bool {
        let key = (receipt.source.clone(), receipt.reference.record_id.clone());
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        delivered.get(&key).is_some_and(|known| known.revision > receipt.revision)
    }

    /// Whether a receipt asks for something to be written at all. What is not registered leaves the
    /// voucher as it is.
    fn concerns(&self, receipt: &Receipt) -> bool {
        let state = receipt.registration.is_some() && !self.is_outdated(receipt);
        state && (is_imported(receipt) || attribute(receipt, "master_id").is_none())
    }

    async fn write(&self, receipt: &Receipt, company: &OpenCompany) -> Written {
        let Some(id) = attribute(receipt, "master_id").and_then(|text| text.trim().parse::<u64>().ok()) else {
            return Written::Failed(
                "the record has no Master ID, so its voucher cannot be named; let this target serve sources of Tally only".to_owned(),
            );
        };
        if let Some(reason) = belongs_elsewhere(receipt, company, self.books.link().company()) {
            return Written::Failed(reason);
        }
        let before = match self.books.voucher(id, self.limits).await {
            Ok(Some(StoredVoucher(text))) => text,
            Ok(None) => {
                return Written::Failed(format!(
                    "Tally has no voucher of Master ID {id} any more; it was deleted, or stands in another year's company"
                ));
            }
            Err(error) => return error.into(),
        };
        let shown = match Shown::read(&before) {
            Ok(shown) => shown,
            Err(reason) => {
                return Written::Failed(format!("the voucher of Master ID {id} could not be read: {reason}"));
            }
        };
        if let Some(reason) = is_another(receipt, &shown, id) {
            return Written::Failed(reason);
        }
        let Some(alteration) = shown.alteration(receipt) else {
            return Written::Failed("the record has no voucher date, without which Tally alters nothing".to_owned());
        };
        let missing = shown.missing(&alteration);
        if missing.is_empty() || self.fallback == Fallback::Narration && shown.narrates(&alteration) {
            return Written::Done;
        }
        let number = shown.get("VOUCHERNUMBER").to_owned();
        self.alter(receipt, id, &number, &shown, &alteration).await
    }

    /// Sends the alteration and looks what came of it: as it is, once more in the longer order where
    /// the QR text alone was dropped, and then by the fallback.
    async fn alter(
        &self,
        receipt: &Receipt,
        id: u64,
        number: &str,
        shown: &Shown<'_>,
        alteration: &Alteration,
    ) -> Written {
        let mut missing = match self.send(id, number, alteration).await {
            Ok(missing) => missing,
            Err(written) => return written,
        };
        if missing.iter().all(|one| one.field == "IRNQRCODE") && !missing.is_empty() {
            missing = match self.send(id, number, &shown.in_export_order(alteration)).await {
                Ok(missing) => missing,
                Err(written) => return written,
            };
        }
        if missing.is_empty() {
            return Written::Done;
        }
        match self.fallback {
            Fallback::None => Written::Failed(not_stored(&missing)),
            Fallback::File => self.to_files(receipt, &missing).await,
            Fallback::Narration => {
                let narration = alteration.having(vec![("NARRATION", shown.narration_with(alteration))], None);
                match self.send(id, number, &narration).await {
                    Ok(rest) if rest.is_empty() => Written::Done,
                    Ok(_) => Written::Failed(format!("{}; the narration was not stored either", not_stored(&missing))),
                    Err(written) => written,
                }
            }
        }
    }

    async fn to_files(&self, receipt: &Receipt, missing: &[Missing]) -> Written {
        let Some(files) = &self.files else { return Written::Failed(not_stored(missing)) };
        match files.deliver(std::slice::from_ref(receipt)).await.as_deref() {
            Ok([Delivery::Done]) => Written::Done,
            Ok([Delivery::Failed { reason }, ..]) => Written::Failed(format!("{}; {reason}", not_stored(missing))),
            Ok(_) => Written::Failed(not_stored(missing)),
            Err(error) => Written::Failed(format!("{}; {error}", not_stored(missing))),
        }
    }

    /// Sends one alteration; gives the fields that the voucher does not show afterwards.
    async fn send(&self, id: u64, number: &str, alteration: &Alteration) -> Result<Vec<Missing>, Written> {
        let what = format!("the alteration of the voucher of Master ID {id}");
        let request = import(self.books.link().company(), &alteration.message(), &what);
        match self.books.import(&request).await {
            Ok(answer) if answer.created > 0 => return Err(self.second_voucher(id, answer.last).await),
            Ok(answer) if answer.errors > 0 || answer.refusal.is_some() => {
                let text = answer.refusal.unwrap_or_else(|| format!("{} errors, without a reason", answer.errors));
                let hint = hint(&text).map(|hint| format!("; {hint}")).unwrap_or_default();
                return Err(Written::Failed(format!("Tally refused {what}: {text}{hint}")));
            }
            Ok(answer) => {
                // Whatever the counter says: the voucher itself decides below.
                tracing::debug!(master_id = id, altered = answer.altered, "Tally took an alteration");
            }
            // It may be done: looking is how that is settled, now or at the next delivery.
            Err(error) if error.is_unclear() => {
                tracing::warn!(master_id = id, %error, "the answer to an alteration did not come; the voucher is read to settle it");
            }
            Err(error) => return Err(error.into()),
        }
        let text = match self.books.voucher(id, self.limits).await {
            Ok(Some(StoredVoucher(text))) => text,
            Ok(None) => {
                return Err(Written::Failed(format!("the voucher of Master ID {id} is gone since it was altered")));
            }
            Err(error) => return Err(error.into()),
        };
        let shown = Shown::read(&text)
            .map_err(|reason| Written::Failed(format!("the altered voucher could not be read: {reason}")))?;
        if shown.get("VOUCHERNUMBER") != number {
            return Err(Written::Incident(format!(
                "Tally gave the voucher of Master ID {id} the number \"{}\" when it was altered; it was registered as \"{number}\". \
                 Set the numbering of its voucher type to one without renumbering, and give the voucher its number back",
                shown.get("VOUCHERNUMBER")
            )));
        }
        Ok(shown.missing(alteration))
    }

    /// An alteration that made a voucher instead: finds it, so that a person can delete it.
    async fn second_voucher(&self, id: u64, last: Option<u64>) -> Written {
        let found = match last {
            Some(last) => self.books.voucher(last, self.limits).await.ok().flatten(),
            None => None,
        };
        let which = found.as_ref().and_then(|StoredVoucher(text)| {
            let guid = reading::text_of(text, "GUID")?;
            Some(format!("Master ID {}, GUID {guid}", last.unwrap_or_default()))
        });
        let which =
            which.unwrap_or_else(|| format!("Master ID {}", last.map_or("unknown".to_owned(), |id| id.to_string())));
        Written::Incident(format!(
            "Tally made a second voucher ({which}) when the voucher of Master ID {id} was to be altered. Delete the second one in Tally"
        ))
    }

    async fn stop(&self, reason: &str) -> String {
        let text = format!(
            "{reason}. Nothing more is written into Tally by this target before this file is deleted: {}\r\n",
            self.incident.display()
        );
        let (path, content) = (self.incident.clone(), text.clone());
        let kept = tokio::task::spawn_blocking(move || files::put(&path, content.as_bytes())).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::error!(file = %self.incident.display(), "the incident could not be written down");
        }
        tracing::error!(reason, "writing into Tally was stopped");
        text.trim_end().to_owned()
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
                    let reason = self.stop(&reason).await;
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
            read.push(own.map(|shown| shown.by_name()));
        }
        Ok(read)
    }
}

impl TallyLiveWriteBack {
    async fn check_incident(&self) -> Result<(), WriteBackError> {
        let path = self.incident.clone();
        let found = tokio::task::spawn_blocking(move || files::get(&path)).await;
        match found {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(text))) => {
                Err(self.error(format!("stopped after an incident. {}", String::from_utf8_lossy(&text).trim_end())))
            }
            Ok(Err(error)) => Err(self.error("whether there was an incident could not be read").because(error)),
            Err(error) => Err(self.error("whether there was an incident could not be read").because(error)),
        }
    }

    /// The Master ID of a record: as it was delivered, or as the end of its GUID says, which is the
    /// Master ID in hexadecimal.
    fn master_id(&self, reference: &SourceRef) -> Option<u64> {
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = delivered.iter().find(|((_, record), _)| *record == reference.record_id);
        let known = known.and_then(|(_, known)| known.master_id);
        drop(delivered);
        let (company, end) = reference.record_id.rsplit_once('-')?;
        known.or_else(|| u64::from_str_radix(end, 16).ok().filter(|_| company.len() == COMPANY_GUID))
    }
}

/// The fields that Tally did not store, each with what it shows instead.
fn not_stored(missing: &[Missing]) -> String {
    let shorter = |text: &str| -> String {
        let short: String = text.chars().take(40).collect();
        if short.len() < text.len() { format!("{short}...") } else { short }
    };
    let fields: Vec<String> = missing
        .iter()
        .map(|one| format!("{} should be \"{}\" and is \"{}\"", one.field, shorter(&one.wanted), shorter(&one.found)))
        .collect();
    format!(
        "Tally took the alteration and did not store: {}; see `fallback` for releases and users that cannot store these fields",
        fields.join(", ")
    )
}

fn capability(fallback: Fallback) -> WriteBackCapability {
    let note = match fallback {
        Fallback::None => {
            "in the voucher itself, over HTTP, by the smallest alteration, read back field by field; what Tally does not store fails the delivery"
        }
        Fallback::Narration => {
            "in the voucher itself, over HTTP, read back field by field; where Tally does not store the fields, IRN, acknowledgement number and date go behind the narration"
        }
        Fallback::File => {
            "in the voucher itself, over HTTP, read back field by field; where Tally does not store the fields, by a file that somebody imports, with a CSV list"
        }
    };
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
    WriteBackCapability::new(false, true, BATCH_MAX, fields, note)
}

/// The settings of the files that the fallback writes.
fn file_mode(config: &TallyWriteBackConfig) -> TallyWriteBackConfig {
    TallyWriteBackConfig {
        folder: "fallback".to_owned(),
        qr: config.qr,
        vouchers_max: config.vouchers_max,
        ..TallyWriteBackConfig::default()
    }
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
            ("charset", config.charset.is_some()),
            ("connect_timeout_ms", config.connect_timeout_ms.is_some()),
            ("read_timeout_ms", config.read_timeout_ms.is_some()),
            ("probe_timeout_ms", config.probe_timeout_ms.is_some()),
        ],
    )
}

//! One receipt into one voucher: read, alter, read again, and what to do when that shows something
//! else than was sent.

use einvoice_core::receipt::Receipt;

use super::super::alteration::{Alteration, attribute};
use super::super::guard::{belongs_elsewhere, is_another};
use super::super::shown::{Missing, Shown};
use super::TallyLiveWriteBack;
use crate::live::{LinkError, OpenCompany, StoredVoucher, hint, import};
use crate::reading;

/// What became of one receipt, with what follows for the rest of the batch.
pub(super) enum Written {
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
    /// Brings the voucher of a receipt to what the receipt says.
    pub(super) async fn write(&self, receipt: &Receipt, company: &OpenCompany) -> Written {
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
        let names_irn = |irn: &str| self.resort.names_irn(&shown, irn);
        if let Some(reason) = is_another(receipt, &shown, id, names_irn) {
            return Written::Failed(reason);
        }
        let Some(alteration) = shown.alteration(receipt) else {
            return Written::Failed("the record has no voucher date, without which Tally alters nothing".to_owned());
        };
        if shown.missing(&alteration).is_empty() || self.resort.shows(&shown, &alteration) {
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
        let ignored = not_stored(&missing);
        tracing::warn!(master_id = id, reason = %ignored, "the e-invoice fields of a voucher were ignored");
        if let Some(second) = self.resort.in_voucher(shown, alteration) {
            return match self.send(id, number, &second).await {
                Ok(rest) if rest.is_empty() => Written::Done,
                Ok(_) => Written::Failed(format!("{ignored}; {}", self.resort.remedy())),
                Err(written) => written,
            };
        }
        match self.resort.to_files(receipt).await {
            Ok(()) => Written::Done,
            Err(reason) if reason.is_empty() => Written::Failed(ignored),
            Err(reason) => Written::Failed(format!("{ignored}; {reason}")),
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

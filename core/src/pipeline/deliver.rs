//! Delivers results from the ledger to the books, and tells sources what became of their records.

use std::collections::{BTreeMap, HashMap};

use super::intake::{Fate, ToAcknowledge, Told};
use super::report::Tally;
use super::{PipelineError, Shared, WriteBackPart};
use crate::events;
use crate::ledger::{DocumentId, Query};
use crate::receipt::Receipt;
use crate::source::{Acknowledgement, Disposition, SourceRef};
use crate::state::DocumentState;
use crate::write_back::Delivery;

/// Records told to a source in one call.
const ACKNOWLEDGE_BATCH: usize = 1_000;

/// Receipts marked as delivered in one call, where they are marked at the end.
const DELIVERED_BATCH: usize = 5_000;

/// What is said of a receipt that a target forgot.
const UNSAID: &str = "the target did not say whether it has this one; please report this";

/// Results that a target may refuse in one run before the rest waits for the next: whatever keeps so many from the books
/// keeps the others from them too.
const REFUSED_MAX: usize = 1_000;

/// What a target was handed in this run and is still owed: the head of what the ledger has for it.
#[derive(Debug, Default)]
struct Owed {
    refused: usize,
    /// What it keeps until it has all.
    kept: Vec<(i64, u32)>,
}

/// Delivers every receipt that a target has not got yet.
pub(super) async fn write_back(shared: &Shared, tally: &Tally) -> Result<(), PipelineError> {
    for part in &shared.write_backs {
        let mut owed = Owed::default();
        while deliver_batch(shared, tally, part, &mut owed).await? {}
        finish(shared, tally, part, &owed.kept).await?;
    }
    Ok(())
}

/// Delivers one batch of what the target was not handed in this run; `true` when there may be more.
async fn deliver_batch(
    shared: &Shared,
    tally: &Tally,
    part: &WriteBackPart,
    owed: &mut Owed,
) -> Result<bool, PipelineError> {
    let batch_max = part.target.capability().batch_max.max(1);
    let skip = owed.refused + owed.kept.len();
    let receipts = shared.ledger.pending_write_back_after(&part.name, &part.sources, skip, batch_max).await?;
    if receipts.is_empty() {
        return Ok(false);
    }
    let about = format!("write-back {}", part.name);
    let deliveries = match part.target.deliver(&receipts).await {
        Ok(deliveries) => deliveries,
        Err(error) => {
            events::write_back_failed(&part.name, &error.to_string());
            tally.failure(about, error.to_string());
            return Ok(false);
        }
    };
    let mut delivered = Vec::with_capacity(receipts.len());
    let mut deliveries = deliveries.into_iter();
    for receipt in &receipts {
        let reason = match deliveries.next() {
            Some(Delivery::Done) => {
                delivered.push(identity(receipt));
                continue;
            }
            Some(Delivery::Kept) => {
                owed.kept.push(identity(receipt));
                continue;
            }
            Some(Delivery::Failed { reason }) => reason,
            None => UNSAID.to_owned(),
        };
        owed.refused += 1;
        events::write_back_failed(&part.name, &reason);
        tally.failure(format!("{about}, {}", receipt.label), reason);
    }
    remember(shared, tally, part, &delivered).await?;
    if owed.refused >= REFUSED_MAX {
        tally.failure(about, format!("{} results were refused; the rest waits for the next run", owed.refused));
        return Ok(false);
    }
    Ok(true)
}

/// Has the target show what it kept. Receipts that failed for one reason, which most often is a file that holds them all,
/// are told of once.
async fn finish(
    shared: &Shared,
    tally: &Tally,
    part: &WriteBackPart,
    kept: &[(i64, u32)],
) -> Result<(), PipelineError> {
    if kept.is_empty() {
        return Ok(());
    }
    let about = format!("write-back {}", part.name);
    let mut finished: HashMap<(i64, u32), Delivery> = match part.target.finish().await {
        Ok(finished) => finished.into_iter().map(|one| ((one.reference_id, one.revision), one.delivery)).collect(),
        Err(error) => {
            events::write_back_failed(&part.name, &error.to_string());
            tally.failure(about, error.to_string());
            return Ok(());
        }
    };
    let mut delivered = Vec::with_capacity(kept.len());
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    for receipt in kept {
        let reason = match finished.remove(receipt) {
            Some(Delivery::Done) => {
                delivered.push(*receipt);
                continue;
            }
            Some(Delivery::Failed { reason }) => reason,
            Some(Delivery::Kept) | None => UNSAID.to_owned(),
        };
        *failed.entry(reason).or_default() += 1;
    }
    for (reason, count) in failed {
        events::write_back_failed(&part.name, &reason);
        let results = if count == 1 { "1 result".to_owned() } else { format!("{count} results") };
        tally.failure(format!("{about}, {results}"), reason);
    }
    for chunk in delivered.chunks(DELIVERED_BATCH) {
        remember(shared, tally, part, chunk).await?;
    }
    Ok(())
}

/// Remembers what a target has.
async fn remember(
    shared: &Shared,
    tally: &Tally,
    part: &WriteBackPart,
    delivered: &[(i64, u32)],
) -> Result<(), PipelineError> {
    shared.ledger.delivered(&part.name, delivered).await?;
    tally.observer.delivered(&part.name, delivered.len());
    tally.note(|report| {
        let count = u64::try_from(delivered.len()).unwrap_or(u64::MAX);
        *report.delivered.entry(part.name.clone()).or_default() += count;
    });
    Ok(())
}

/// What the ledger calls a receipt.
const fn identity(receipt: &Receipt) -> (i64, u32) {
    (receipt.reference_id, receipt.revision)
}

/// Tells sources what became of the records they gave in this run.
pub(super) async fn acknowledge(shared: &Shared, tally: &Tally, read: Vec<ToAcknowledge>) -> Result<(), PipelineError> {
    for ToAcknowledge { source, records } in read {
        let mut known = Known::default();
        for chunk in records.chunks(ACKNOWLEDGE_BATCH) {
            let mut settled = Vec::with_capacity(chunk.len());
            for told in chunk {
                settled.extend(known.acknowledgement(shared, told).await?);
            }
            if let Err(error) = source.source.acknowledge(&settled).await {
                events::source_failed(&source.name, &error.to_string());
                tally.failure(format!("source {}", source.name), error.to_string());
                break;
            }
        }
    }
    Ok(())
}

/// A page of the ledger: states and first records, read in the order of ids, as records of one
/// reading mostly have neighbouring ids.
#[derive(Debug, Default)]
struct Known {
    page: HashMap<DocumentId, (DocumentState, SourceRef)>,
}

impl Known {
    async fn acknowledgement(
        &mut self,
        shared: &Shared,
        told: &Told,
    ) -> Result<Option<Acknowledgement>, PipelineError> {
        let (id, reference) = match told {
            Told::First(id) => (*id, None),
            Told::Record(record) => match record.as_ref() {
                (reference, Fate::Decided(disposition)) => {
                    return Ok(Some(Acknowledgement { reference: reference.clone(), disposition: *disposition }));
                }
                (reference, Fate::Document(id)) => (*id, Some(reference)),
            },
        };
        if !self.page.contains_key(&id) {
            let query =
                Query { after: Some(DocumentId(id.0.saturating_sub(1))), limit: ACKNOWLEDGE_BATCH, ..Query::default() };
            let page = shared.ledger.query(query).await?;
            self.page = page.into_iter().map(|status| (status.id, (status.state, status.reference))).collect();
        }
        // A document that the ledger no longer has cannot be told about.
        Ok(self.page.get(&id).map(|(state, first)| Acknowledgement {
            reference: reference.unwrap_or(first).clone(),
            disposition: disposition(*state),
        }))
    }
}

const fn disposition(state: DocumentState) -> Disposition {
    match state {
        DocumentState::Registered | DocumentState::Cancelled => Disposition::Done,
        state if state.needs_person() => Disposition::NeedsPerson,
        _ => Disposition::Pending,
    }
}

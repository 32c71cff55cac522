//! Finding the document or the bill that a person means.

use einvoice_core::document::Invoice;
use einvoice_core::ewb::EwbNumber;
use einvoice_core::job::{Bill, BillQuery, Job, JobQuery};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{DocumentId, DocumentStatus, Ledger, LedgerError, Query};
use einvoice_core::plan::is_open;

use super::super::status::document;
use super::refusal::Refusal;
use crate::error::CliError;

/// Rows read from the ledger at a time.
const PAGE: usize = 1_000;

/// Most documents that are named when several are meant.
const NAMED_MAX: usize = 5;

/// The one document that a key, a number or an IRN means.
pub(in super::super) async fn one(
    ledger: &dyn Ledger,
    text: &str,
) -> Result<Result<DocumentStatus, Refusal>, CliError> {
    let mut query = Query { limit: PAGE, ..Query::default() };
    match text.parse::<DocumentKey>() {
        Ok(key) => query.key = Some(key),
        Err(_) => query.text = Some(text.to_owned()),
    }
    Ok(choose(text, ledger.query(query).await?))
}

/// All documents of a query, page by page.
pub(in super::super) async fn all(ledger: &dyn Ledger, mut query: Query) -> Result<Vec<DocumentStatus>, LedgerError> {
    query.limit = PAGE;
    let mut found = Vec::new();
    loop {
        let page = ledger.query(query.clone()).await?;
        let (full, last) = (page.len() == PAGE, page.last().map(|status| status.id));
        found.extend(page);
        match last {
            Some(last) if full => query.after = Some(last),
            _ => return Ok(found),
        }
    }
}

/// The document of a number in the ledger.
pub(in super::super) async fn by_id(
    ledger: &dyn Ledger,
    id: DocumentId,
) -> Result<Option<DocumentStatus>, LedgerError> {
    let query = Query { after: Some(DocumentId(id.0 - 1)), limit: 1, ..Query::default() };
    Ok(ledger.query(query).await?.into_iter().find(|status| status.id == id))
}

/// The present bill of a document: one that can still change, else the latest.
pub(in super::super) async fn bill_of(ledger: &dyn Ledger, id: DocumentId) -> Result<Option<Bill>, LedgerError> {
    let bills = ledger.bills(BillQuery { document: Some(id), ..BillQuery::default() }).await?;
    let open = bills.iter().rfind(|bill| is_open(bill.standing.state)).cloned();
    Ok(open.or_else(|| bills.into_iter().next_back()))
}

/// The bill of a number, as the ledger has it.
pub(in super::super) async fn bill(ledger: &dyn Ledger, number: EwbNumber) -> Result<Option<Bill>, LedgerError> {
    let bills = ledger.bills(BillQuery { number: Some(number), limit: 1, ..BillQuery::default() }).await?;
    Ok(bills.into_iter().next())
}

/// All jobs of a query, page by page.
pub(in super::super) async fn jobs(ledger: &dyn Ledger, mut query: JobQuery) -> Result<Vec<Job>, LedgerError> {
    query.limit = PAGE;
    let mut found = Vec::new();
    loop {
        let page = ledger.jobs(query.clone()).await?;
        let (full, last) = (page.len() == PAGE, page.last().map(|job| job.id));
        found.extend(page);
        match last {
            Some(last) if full => query.after = Some(last),
            _ => return Ok(found),
        }
    }
}

/// Of the documents that hold a text, the one that is meant: the only one, or the only one whose number, label
/// or IRN it is.
fn choose(text: &str, found: Vec<DocumentStatus>) -> Result<DocumentStatus, Refusal> {
    let count = found.len();
    let is_it = |status: &DocumentStatus| {
        status.key.as_ref().is_some_and(|key| key.number.as_str().eq_ignore_ascii_case(text))
            || status.label.eq_ignore_ascii_case(text)
            || status.irn.is_some_and(|irn| irn.to_string().eq_ignore_ascii_case(text))
    };
    let names: Vec<String> = found.iter().take(NAMED_MAX).map(document).collect();
    if count == 1 {
        return found.into_iter().next().ok_or_else(|| missing(text));
    }
    let mut exact = found.into_iter().filter(is_it);
    match (exact.next(), exact.next()) {
        (Some(only), None) => Ok(only),
        _ if count == 0 => Err(missing(text)),
        _ => {
            let more = if count > names.len() { " and more" } else { "" };
            Err(Refusal::new(
                format!("`{text}` means several documents: {}{more}", names.join(", ")),
                "Name one by its key.",
            ))
        }
    }
}

fn missing(text: &str) -> Refusal {
    Refusal::new(
        format!("there is no document `{text}` in the ledger"),
        "`einvoice status` lists them; a key is written GSTIN/2026-27/INV/NUMBER.",
    )
}

/// A document as it is sent, or was sent.
pub(in super::super) async fn sent(ledger: &dyn Ledger, id: DocumentId) -> Result<Option<Invoice>, LedgerError> {
    let payload = ledger.payload(id).await?;
    let text = payload.as_deref().and_then(|payload| std::str::from_utf8(payload).ok());
    Ok(text.and_then(|text| Invoice::from_json(text).ok()).map(|read| read.invoice))
}

#[cfg(test)]
pub(in super::super) mod tests {
    use einvoice_core::identifier::Gstin;
    use einvoice_core::source::SourceRef;
    use einvoice_core::state::{DocumentState, EwbState};
    use jiff::Timestamp;

    use super::*;

    pub(in super::super::super) const SUPPLIER: &str = "29AABCE1234F1Z1";

    /// A document of this number, as the ledger has it.
    pub(in super::super::super) fn status(number: &str, state: DocumentState) -> DocumentStatus {
        let at: Timestamp = "2026-11-05T06:30:00Z".parse().unwrap();
        DocumentStatus {
            id: DocumentId(1),
            label: format!("INV {number} of 05/11/2026"),
            key: Some(format!("{}/2026-27/INV/{number}", Gstin::parse(SUPPLIER).unwrap()).parse().unwrap()),
            irn: None,
            state,
            ewb_state: EwbState::None,
            delivered: false,
            source: "billing".into(),
            reference: SourceRef { location: "l".into(), position: "p".into(), record_id: "r".into() },
            route: None,
            site: None,
            registration: None,
            proof: None,
            ewb: None,
            cancellation: None,
            differences: Vec::new(),
            findings: Vec::new(),
            ask_at: None,
            hand_over: None,
            received_at: at,
            changed_at: at,
        }
    }

    #[test]
    fn a_number_means_the_document_of_that_number_and_not_those_that_begin_with_it() {
        let found = || ["A/1", "A/10", "A/11"].map(|number| status(number, DocumentState::Registered)).to_vec();
        let chosen = choose("a/1", found()).unwrap();
        assert_eq!(document(&chosen), "29AABCE1234F1Z1/2026-27/INV/A/1");
        let several = choose("A/", found()).unwrap_err();
        assert!(several.message.contains("several documents: 29AABCE1234F1Z1/2026-27/INV/A/1,"), "{several:?}");
        assert!(choose("B", Vec::new()).unwrap_err().message.contains("no document `B`"));
    }
}

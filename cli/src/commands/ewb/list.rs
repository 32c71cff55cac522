//! `ewb list`: bills of the ledger, or a list of the e-way bill system for a day.

use einvoice_core::date::PortalTime;
use einvoice_core::ewb::request::EwbList as PortalList;
use einvoice_core::job::{Bill, BillQuery};
use einvoice_core::ledger::{Ledger, LedgerError};
use einvoice_core::operation::{EwbRow, Operation, Reply};
use einvoice_core::pipeline::Asked;
use einvoice_core::plan::is_open;
use jiff::Timestamp;
use serde_json::json;

use super::super::desk::{Desk, find};
use super::super::lookup::in_vain;
use super::super::lookup::show::place;
use super::super::status::ageing::left;
use super::bills::{line, name};
use crate::arguments::{EwbList, ListName};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, counted, in_words};

/// Bills read from the ledger at a time.
const PAGE: usize = 1_000;

pub(super) async fn list(desk: &Desk, arguments: &EwbList, output: &mut Output) -> Result<u8, CliError> {
    match arguments.date.filter(|_| arguments.portal) {
        Some(date) => {
            let gstin = desk.login(arguments.at.login, None).await?;
            let route = desk.route(arguments.at.route.as_deref())?;
            let operation = Operation::ListEwbs { list: portal_list(arguments.list), date };
            match desk.pipeline.ask(gstin, &operation, route.as_ref()).await {
                Ok(asked) => listed(desk, &asked, output).await,
                Err(error) => in_vain("ewb_list", &operation, &error, output),
            }
        }
        None => ours(desk, arguments, output).await,
    }
}

const fn portal_list(name: ListName) -> PortalList {
    match name {
        ListName::Own => PortalList::Own,
        ListName::ForTransporter => PortalList::ForTransporter,
        ListName::ForTransporterOf(generator) => PortalList::ForTransporterOf { generator },
        ListName::ForTransporterIn(state) => PortalList::ForTransporterInState { state },
        ListName::AssignedIn(state) => PortalList::AssignedInState { state },
        ListName::OfOtherParty => PortalList::OfOtherParty,
        ListName::RejectedByOthers => PortalList::RejectedByOthers,
    }
}

async fn ours(desk: &Desk, arguments: &EwbList, output: &mut Output) -> Result<u8, CliError> {
    let query = BillQuery { open_only: arguments.open, doc_no: arguments.document.clone(), ..BillQuery::default() };
    let mut bills = all(desk.ledger.as_ref(), query).await?;
    if let Some(text) = &arguments.document {
        bills.extend(of_document(desk, text, arguments.open).await?);
        bills.sort_by_key(|bill| bill.standing.number);
        bills.dedup_by_key(|bill| bill.standing.number);
    }
    let mut rows = Vec::with_capacity(bills.len());
    for bill in &bills {
        let name = name(desk, bill).await?;
        if output.is_json() {
            output.object(&line(bill, name.as_deref(), desk.now()))?;
        } else {
            rows.push(row(bill, name, desk.now()));
        }
    }
    if bills.is_empty() {
        output.say("the ledger holds no such e-way bills; --portal asks the e-way bill system")?;
    } else if !output.is_json() {
        output.table(&COLUMNS, rows)?;
        output.line("")?;
        output.line(counted(u64::try_from(bills.len()).unwrap_or(u64::MAX), "e-way bill"))?;
    }
    Ok(exit_code::ALL_WELL)
}

/// Bills of a document of the ledger: one that was made from an IRN does not name its document itself.
async fn of_document(desk: &Desk, text: &str, open_only: bool) -> Result<Vec<Bill>, CliError> {
    let ledger = desk.ledger.as_ref();
    let Ok(status) = find::one(ledger, text).await? else { return Ok(Vec::new()) };
    Ok(all(ledger, BillQuery { document: Some(status.id), open_only, ..BillQuery::default() }).await?)
}

async fn all(ledger: &dyn Ledger, mut query: BillQuery) -> Result<Vec<Bill>, LedgerError> {
    query.limit = PAGE;
    let mut found = Vec::new();
    loop {
        let page = ledger.bills(query.clone()).await?;
        let (full, last) = (page.len() == PAGE, page.last().map(|bill| bill.standing.number));
        found.extend(page);
        match last {
            Some(last) if full => query.after = Some(last),
            _ => return Ok(found),
        }
    }
}

const COLUMNS: [Column; 7] = [
    Column::keep("e-way bill"),
    Column::keep("state"),
    Column::keep("left"),
    Column::leave_out("valid till (ist)", 4),
    Column::leave_out("vehicle", 2),
    Column::leave_out("made by", 1),
    Column::leave_out("document", 3),
];

pub(super) fn row(bill: &Bill, name: Option<String>, now: Timestamp) -> Vec<String> {
    let standing = &bill.standing;
    let of_standing = standing.document.as_ref().map(|document| format!("{} {}", document.doc_type, document.number));
    let end = standing.valid_till.filter(|_| is_open(standing.state));
    vec![
        standing.number.to_string(),
        in_words(standing.state),
        end.and_then(PortalTime::to_timestamp).map(|end| left(end.duration_since(now))).unwrap_or_default(),
        standing.valid_till.map(|till| till.to_string()).unwrap_or_default(),
        standing.movement.as_ref().and_then(|movement| movement.vehicle.clone()).unwrap_or_default(),
        standing.generated_by.to_string(),
        name.or(of_standing).unwrap_or_default(),
    ]
}

/// A list of the portal, each bill with whether the ledger has it.
async fn listed(desk: &Desk, asked: &Asked, output: &mut Output) -> Result<u8, CliError> {
    let Reply::EwbList(rows) = &asked.reply else {
        return Err(CliError::Fault(format!("a list of bills was answered with {}", asked.reply.words())));
    };
    let mut cells = Vec::with_capacity(rows.len());
    for row in rows {
        let known = find::bill(desk.ledger.as_ref(), row.number).await?.map(|bill| bill.standing.state);
        if output.is_json() {
            output.object(&json!({"ewb": row.number, "row": row, "ledger": known}))?;
        } else {
            cells.push(portal_row(row, known.map(in_words)));
        }
    }
    if rows.is_empty() {
        output.say(format!("the list of that day is empty ({})", place(asked)))?;
    } else if !output.is_json() {
        output.table(&PORTAL_COLUMNS, cells)?;
    }
    Ok(exit_code::ALL_WELL)
}

const PORTAL_COLUMNS: [Column; 7] = [
    Column::keep("e-way bill"),
    Column::keep("status"),
    Column::leave_out("valid till (ist)", 4),
    Column::leave_out("made by", 3),
    Column::leave_out("document", 5),
    Column::leave_out("to", 2),
    Column::keep("in the ledger"),
];

fn portal_row(row: &EwbRow, known: Option<String>) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let status = if row.is_rejected { "rejected".to_owned() } else { text(&row.status) };
    vec![
        row.number.to_string(),
        status,
        row.valid_till.map(|till| till.to_string()).unwrap_or_default(),
        text(&row.generated_by),
        text(&row.doc_no),
        text(&row.place),
        known.unwrap_or_else(|| "no".to_owned()),
    ]
}

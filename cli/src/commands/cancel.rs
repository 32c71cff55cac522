//! `cancel`: takes registrations back within 24 hours, each after its active e-way bill.

mod rows;

use einvoice_core::environment::Product;
use einvoice_core::ewb::CancelReason;
use einvoice_core::job::{Bill, Task};
use einvoice_core::ledger::{DocumentStatus, Query};
use einvoice_core::plan;
use einvoice_core::state::DocumentState;

use super::block_on;
use super::desk::refusal::Refusal;
use super::desk::wish::Wish;
use super::desk::{Desk, find, go};
use super::status::document;
use crate::arguments::{Cancel, Common, Filter};
use crate::error::CliError;
use crate::output::Output;
use crate::settings;
use rows::Row;

const TASK: &str = "cancel_irn";
const EWB_TASK: &str = "cancel_ewb";

pub(super) fn run(arguments: &Cancel, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    // What is wrong with the file is told before anything is opened.
    let rows = match &arguments.file {
        Some(file) => rows::read(file, arguments.reason, arguments.remark.as_deref())?,
        None => named(arguments),
    };
    let loaded = settings::load(common)?;
    block_on(async {
        let desk = Desk::open(loaded).await?;
        let wishes = if arguments.query.is_empty() {
            of_rows(&desk, &rows, arguments.ewb).await?
        } else {
            of_query(&desk, arguments).await?
        };
        let question = if arguments.ewb {
            "Cancel these e-way bills? It cannot be taken back."
        } else {
            "Cancel these registrations? It cannot be taken back, and their numbers cannot be used again."
        };
        go(&desk, wishes, arguments.going, Some(question), output).await
    })
}

/// The documents named on the command line.
fn named(arguments: &Cancel) -> Vec<Row> {
    let wish = arguments.reason.zip(arguments.remark.clone());
    let row = |key: &String| wish.clone().map(|(reason, remark)| Row::new(key.clone(), reason, remark));
    arguments.keys.iter().filter_map(row).collect()
}

async fn of_rows(desk: &Desk, rows: &[Row], ewb_only: bool) -> Result<Vec<Wish>, CliError> {
    let mut wishes = Vec::with_capacity(rows.len());
    for row in rows {
        wishes.push(of_row(desk, row, ewb_only).await?);
    }
    Ok(wishes)
}

async fn of_row(desk: &Desk, row: &Row, ewb_only: bool) -> Result<Wish, CliError> {
    let task = if ewb_only { EWB_TASK } else { TASK };
    let (reason, remark) = match &row.wish {
        Ok(wish) => wish,
        Err(refusal) => return Ok(Wish::refused(row.about(), task, refusal.clone())),
    };
    match find::one(desk.ledger.as_ref(), &row.key).await? {
        Ok(status) => of_document(desk, &status, *reason, remark, ewb_only).await,
        Err(refusal) => Ok(Wish::refused(row.about(), task, refusal)),
    }
}

/// Every document of the query; registered ones unless it names a state.
async fn of_query(desk: &Desk, arguments: &Cancel) -> Result<Vec<Wish>, CliError> {
    let Some((reason, remark)) = arguments.reason.zip(arguments.remark.as_deref()) else { return Ok(Vec::new()) };
    let mut wishes = Vec::new();
    for status in find::all(desk.ledger.as_ref(), query(&arguments.query)).await? {
        wishes.push(of_document(desk, &status, reason, remark, arguments.ewb).await?);
    }
    Ok(wishes)
}

fn query(filters: &[Filter]) -> Query {
    let mut query = Query::default();
    for filter in filters {
        match filter {
            Filter::State(state) => query.states.push(*state),
            Filter::Source(source) => query.source = Some(source.clone()),
            Filter::Text(text) => query.text = Some(text.clone()),
        }
    }
    if query.states.is_empty() {
        query.states.push(DocumentState::Registered);
    }
    query
}

async fn of_document(
    desk: &Desk,
    status: &DocumentStatus,
    reason: CancelReason,
    remark: &str,
    ewb_only: bool,
) -> Result<Wish, CliError> {
    let bill = find::bill_of(desk.ledger.as_ref(), status.id).await?;
    if ewb_only {
        return Ok(bill_alone(desk, status, bill.as_ref(), reason, remark));
    }
    let number = bill.as_ref().map(|bill| bill.standing.number);
    let planned = plan::cancel_irn(status, bill.as_ref(), reason, remark, desk.now());
    let planned = planned.map_err(|refused| Refusal::planned(&refused, Product::EInvoice));
    Ok(Wish::on_document(document(status), number, TASK, planned))
}

fn bill_alone(desk: &Desk, status: &DocumentStatus, bill: Option<&Bill>, reason: CancelReason, remark: &str) -> Wish {
    let Some(bill) = bill else {
        let message = format!("{} has no e-way bill", status.label);
        let fix = "Leave --ewb out to cancel the registration.";
        return Wish::on_document(document(status), None, EWB_TASK, Err(Refusal::new(message, fix)));
    };
    let number = bill.standing.number;
    let task = Task::CancelEwb { number, reason, remark: remark.trim().to_owned() };
    let planned = plan::on_bill(bill, task, bill.standing.generated_by, desk.now(), desk.switches);
    let planned = planned.map_err(|refused| Refusal::planned(&refused, Product::EWayBill));
    Wish::on_document(document(status), Some(number), EWB_TASK, planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_means_registered_documents_unless_it_names_a_state() {
        let asked = query(&[Filter::Source("billing".into()), Filter::Text("A/".into())]);
        assert_eq!((asked.source.as_deref(), asked.text.as_deref()), (Some("billing"), Some("A/")));
        assert_eq!(asked.states, [DocumentState::Registered]);
        assert_eq!(query(&[Filter::State(DocumentState::Cancelled)]).states, [DocumentState::Cancelled]);
    }
}

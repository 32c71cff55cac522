//! `ewb generate`: bills of registered documents, and bills without an IRN from a file.

use einvoice_core::environment::Product;
use einvoice_core::ewb::request::EwbByIrn;
use einvoice_core::plan;

use super::super::desk::refusal::Refusal;
use super::super::desk::wish::Wish;
use super::super::desk::{Desk, find, go};
use super::super::status::document;
use super::file;
use crate::arguments::EwbGenerate;
use crate::error::CliError;
use crate::output::Output;

const TASK: &str = "generate_ewb_by_irn";

pub(super) async fn run(desk: &Desk, arguments: &EwbGenerate, output: &mut Output) -> Result<u8, CliError> {
    let route = desk.route(arguments.acting.route.as_deref())?;
    let mut wishes = Vec::with_capacity(arguments.keys.len());
    for key in &arguments.keys {
        wishes.push(by_irn(desk, arguments, key).await?);
    }
    if let Some(path) = &arguments.file {
        wishes.extend(file::wishes(desk, path, &arguments.acting, output).await?);
    }
    let wishes = wishes.into_iter().map(|wish| wish.by_route(route.as_ref())).collect();
    go(desk, wishes, arguments.acting.going, None, output).await
}

async fn by_irn(desk: &Desk, arguments: &EwbGenerate, key: &str) -> Result<Wish, CliError> {
    let status = match find::one(desk.ledger.as_ref(), key).await? {
        Ok(status) => status,
        Err(refusal) => return Ok(Wish::refused(key, TASK, refusal)),
    };
    let Some(irn) = status.registration.as_ref().map(|registration| registration.irn) else {
        let message = format!("{} is {} and has no IRN", status.label, status.state);
        let fix = "Only a registered document has an IRN to work on; `einvoice ewb generate --file` needs none.";
        return Ok(Wish::on_document(document(&status), None, TASK, Err(Refusal::new(message, fix))));
    };
    let bill = find::bill_of(desk.ledger.as_ref(), status.id).await?;
    let request = EwbByIrn {
        irn,
        distance_km: arguments.distance,
        transporter: arguments.transporter.clone(),
        transporter_name: arguments.transporter_name.clone(),
        carriage: arguments.carriage.carriage(),
        ship_to: None,
        dispatch_from: None,
    };
    let sent = find::sent(desk.ledger.as_ref(), status.id).await?;
    if let Some(refusal) = Refusal::findings(&request.check(sent.as_ref(), &desk.check_today())) {
        return Ok(Wish::on_document(document(&status), None, TASK, Err(refusal)));
    }
    let dated = sent.and_then(|sent| sent.doc_dtls.dt.get());
    let planned = plan::ewb_by_irn(&status, dated, bill.as_ref(), request, desk.now());
    let planned = planned.map_err(|refused| Refusal::planned(&refused, Product::EInvoice));
    Ok(Wish::on_document(document(&status), None, TASK, planned))
}

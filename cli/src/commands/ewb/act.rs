//! Changes of bills: for the one who may act, planned, asked about and carried out.

use einvoice_core::environment::{Product, RouteName};
use einvoice_core::ewb::request::{Consolidation, Regeneration};
use einvoice_core::ewb::{EwbNumber, Standing};
use einvoice_core::identifier::Gstin;
use einvoice_core::job::Bill;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::plan;

use super::super::desk::refusal::Refusal;
use super::super::desk::wish::{Wish, task_name};
use super::super::desk::{Desk, find, go};
use super::super::lookup::in_vain;
use super::bills::name;
use super::task::{remark, task};
use crate::arguments::{Acting, Ewb, EwbConsolidate, EwbMultiVehicle, EwbTripSheet};
use crate::error::CliError;
use crate::output::Output;

/// Carries out a command that changes one bill.
pub(super) async fn on_bill(desk: &Desk, command: &Ewb, output: &mut Output) -> Result<u8, CliError> {
    let Some((number, acting)) = about(command) else {
        return Err(CliError::Fault("this command is about no bill".to_owned()));
    };
    let route = desk.route(acting.route.as_deref())?;
    let bill = match bill(desk, number, acting, route.as_ref(), output).await? {
        Ok(bill) => bill,
        Err(code) => return Ok(code),
    };
    let gstin = actor(desk, command, acting, &bill).await?;
    let wish = match task(command, &bill.standing, desk.now()) {
        Ok(task) => {
            let task_word = task_name(&task);
            let planned = plan::on_bill(&bill, task, gstin, desk.now(), desk.switches);
            let document = name(desk, &bill).await?;
            Wish::on_bill(number, task_word, planned).of(document).by_route(route.as_ref())
        }
        Err(refusal) => Wish::refused(format!("e-way bill {number}"), "none", refusal),
    };
    go(desk, vec![wish], acting.going, question(command), output).await
}

/// Puts bills on one vehicle.
pub(super) async fn consolidate(desk: &Desk, arguments: &EwbConsolidate, output: &mut Output) -> Result<u8, CliError> {
    let route = desk.route(arguments.acting.route.as_deref())?;
    let mut bills = Vec::with_capacity(arguments.numbers.len());
    for number in &arguments.numbers {
        match bill(desk, *number, &arguments.acting, route.as_ref(), output).await? {
            Ok(bill) => bills.push(bill),
            Err(code) => return Ok(code),
        }
    }
    let makers: Vec<Gstin> = bills.iter().map(|bill| bill.standing.generated_by).collect();
    let gstin = desk.actor(arguments.acting.gstin, &makers).await?;
    let request = Consolidation {
        bills: arguments.numbers.clone(),
        carriage: arguments.carriage.carriage(),
        from_place: arguments.from.from_place.clone(),
        from_state: arguments.from.from_state,
    };
    let planned = plan::consolidate(&bills, request, gstin, desk.now())
        .map_err(|error| Refusal::planned(&error, Product::EWayBill));
    let numbers: Vec<String> = arguments.numbers.iter().map(ToString::to_string).collect();
    let about = format!("e-way bills {}", numbers.join(", "));
    let wish = Wish { about, document: None, ewb: None, task: "consolidate", planned }.by_route(route.as_ref());
    go(desk, vec![wish], arguments.acting.going, None, output).await
}

/// Makes a trip sheet anew.
pub(super) async fn trip_sheet(desk: &Desk, arguments: &EwbTripSheet, output: &mut Output) -> Result<u8, CliError> {
    let route = desk.route(arguments.acting.route.as_deref())?;
    let gstin = desk.login(arguments.acting.gstin, None).await?;
    let request = Regeneration {
        trip_sheet: arguments.number,
        carriage: arguments.carriage.carriage(),
        from_place: arguments.from.from_place.clone(),
        from_state: arguments.from.from_state,
        reason: arguments.reason,
        remark: remark(arguments.remark.as_ref(), arguments.reason.word()),
    };
    let planned = plan::regenerate(request, gstin, route).map_err(|error| Refusal::planned(&error, Product::EWayBill));
    let about = format!("trip sheet {}", arguments.number);
    let wish = Wish { about, document: None, ewb: None, task: "regenerate_trip_sheet", planned };
    go(desk, vec![wish], arguments.acting.going, None, output).await
}

/// The bill and the person that a command is about.
const fn about(command: &Ewb) -> Option<(EwbNumber, &Acting)> {
    match command {
        Ewb::PartB(part_b) => Some((part_b.number, &part_b.acting)),
        Ewb::Transporter(transporter) => Some((transporter.number, &transporter.acting)),
        Ewb::Extend(extend) => Some((extend.number, &extend.acting)),
        Ewb::MultiVehicle(EwbMultiVehicle::Start(start)) => Some((start.number, &start.acting)),
        Ewb::MultiVehicle(EwbMultiVehicle::Add(add)) => Some((add.number, &add.acting)),
        Ewb::MultiVehicle(EwbMultiVehicle::Change(change)) => Some((change.number, &change.acting)),
        Ewb::Reject(reject) => Some((reject.number, &reject.acting)),
        Ewb::Cancel(cancel) => Some((cancel.number, &cancel.acting)),
        Ewb::Close(close) => Some((close.number, &close.acting)),
        _ => None,
    }
}

/// What is asked before something that cannot be taken back.
const fn question(command: &Ewb) -> Option<&'static str> {
    match command {
        Ewb::Cancel(_) => Some("Cancel this e-way bill? It cannot be taken back."),
        Ewb::Reject(_) => Some("Reject this e-way bill? It cannot be taken back."),
        Ewb::Close(_) => Some("Declare this e-way bill closed? It cannot be taken back."),
        _ => None,
    }
}

/// The one who acts, where none was named: the maker cancels, the other party rejects, and for the rest the
/// transporter comes before the maker.
async fn actor(desk: &Desk, command: &Ewb, acting: &Acting, bill: &Bill) -> Result<Gstin, CliError> {
    let maker = bill.standing.generated_by;
    let transporter = bill.standing.transporter.as_deref().and_then(|id| Gstin::parse(id).ok());
    match command {
        Ewb::Reject(_) => desk.login(acting.gstin, None).await,
        Ewb::Cancel(_) | Ewb::Close(_) => desk.actor(acting.gstin, &[maker]).await,
        _ => {
            let may: Vec<Gstin> = transporter.into_iter().chain([maker]).collect();
            desk.actor(acting.gstin, &may).await
        }
    }
}

/// The bill of a number: from the ledger, else from the e-way bill system, which another party's is. When that
/// brings none, it is told, and the exit code stands in its place.
async fn bill(
    desk: &Desk,
    number: EwbNumber,
    acting: &Acting,
    route: Option<&RouteName>,
    output: &mut Output,
) -> Result<Result<Bill, u8>, CliError> {
    if let Some(known) = find::bill(desk.ledger.as_ref(), number).await? {
        return Ok(Ok(known));
    }
    let gstin = desk.login(acting.gstin, None).await?;
    let operation = Operation::GetEwb { number };
    match desk.pipeline.ask(gstin, &operation, route).await {
        Ok(asked) => match asked.reply {
            Reply::EwbDetails(details) => Ok(Ok(Bill {
                standing: Standing::of_details(&details, None, gstin).at(desk.now()),
                document: None,
                route: Some(asked.route),
                site: Some(asked.site),
                changed_at: desk.now(),
            })),
            other => Err(CliError::Fault(format!("a question about a bill was answered with {}", other.words()))),
        },
        Err(error) => in_vain("ewb", &operation, &error, output).map(Err),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::super::desk::find::tests::SUPPLIER;
    use super::*;
    use crate::arguments::{Arguments, Command};

    const NUMBER: &str = "391009149369";

    fn parsed(arguments: &[&str]) -> Option<Ewb> {
        let all = ["einvoice", "ewb"].iter().chain(arguments);
        match Arguments::try_parse_from(all).ok()?.command {
            Command::Ewb(ewb) => Some(ewb),
            _ => None,
        }
    }

    #[test]
    fn what_cannot_be_taken_back_is_asked_about() {
        let asked = |arguments: &[&str]| question(&parsed(arguments).unwrap()).is_some();
        assert!(asked(&["cancel", NUMBER, "--reason", "duplicate"]));
        assert!(asked(&["reject", NUMBER]) && asked(&["close", NUMBER, "--remark", "delivered"]));
        assert!(!asked(&["transporter", NUMBER, "--transporter", SUPPLIER]));
        assert!(parsed(&["cancel", NUMBER, "--reason", "2"]).is_none(), "a number is no reason");
    }
}

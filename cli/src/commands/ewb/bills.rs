//! `ewb show`: one bill of the ledger, or what the e-way bill system says of it.

use einvoice_core::date::PortalTime;
use einvoice_core::environment::RouteName;
use einvoice_core::ewb::{EwbNumber, Standing, TripSheetNumber};
use einvoice_core::job::{Bill, JobQuery};
use einvoice_core::ledger::DocumentId;
use einvoice_core::operation::{Operation, Reply, TripSheet};
use einvoice_core::pipeline::Asked;
use einvoice_core::plan::is_open;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::super::desk::wish::shown;
use super::super::desk::{Desk, find, outcome};
use super::super::lookup::show::{facts, place};
use super::super::lookup::{in_vain, learn};
use super::super::status::ageing::left;
use super::super::status::document;
use crate::arguments::EwbShow;
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Output, Style, counted, in_words};

/// A bill of the ledger as `--json` shows it.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    ewb: EwbNumber,
    hours_left: Option<i64>,
    document: Option<&'a str>,
    bill: Kept<'a>,
}

/// What the ledger keeps of a bill.
#[derive(Serialize)]
struct Kept<'a> {
    standing: &'a Standing,
    route: Option<&'a str>,
    site: Option<&'a str>,
    /// As in every other line: the portal's form, in India's time.
    changed_at: String,
}

pub(super) fn line<'a>(bill: &'a Bill, document: Option<&'a str>, now: Timestamp) -> Line<'a> {
    let end = bill.standing.valid_till.filter(|_| is_open(bill.standing.state));
    let hours_left = end.and_then(PortalTime::to_timestamp).map(|end| end.duration_since(now).as_hours());
    let kept = Kept {
        standing: &bill.standing,
        route: bill.route.as_ref().map(RouteName::as_str),
        site: bill.site.as_deref(),
        changed_at: shown(bill.changed_at),
    };
    Line { ewb: bill.standing.number, hours_left, document, bill: kept }
}

/// The document that a bill was made for, by its key.
pub(super) async fn name(desk: &Desk, bill: &Bill) -> Result<Option<String>, CliError> {
    let Some(DocumentId(id)) = bill.document else { return Ok(None) };
    Ok(find::by_id(desk.ledger.as_ref(), DocumentId(id)).await?.map(|status| document(&status)))
}

pub(super) async fn show(desk: &Desk, arguments: &EwbShow, output: &mut Output) -> Result<u8, CliError> {
    if let Ok(number) = TripSheetNumber::parse(&arguments.number) {
        return trip_sheet(desk, arguments, number, output).await;
    }
    let number = EwbNumber::parse(&arguments.number).map_err(|_| {
        CliError::Usage(format!(
            "`{}` is no number of a bill (12 digits) or a trip sheet (10 digits)",
            arguments.number
        ))
    })?;
    let known = find::bill(desk.ledger.as_ref(), number).await?;
    if arguments.portal {
        let maker = known.as_ref().map(|bill| bill.standing.generated_by);
        let gstin = match maker {
            Some(maker) => desk.actor(arguments.at.login, &[maker]).await?,
            None => desk.login(arguments.at.login, None).await?,
        };
        let route = desk.route(arguments.at.route.as_deref())?;
        let route = route.or_else(|| known.as_ref().and_then(|bill| bill.route.clone()));
        let operation = Operation::GetEwb { number };
        return match desk.pipeline.ask(gstin, &operation, route.as_ref()).await {
            Ok(asked) => match &asked.reply {
                Reply::EwbDetails(details) => learn::bill(desk, &asked, details, known.as_ref(), gstin, output).await,
                other => Err(CliError::Fault(format!("a question about a bill was answered with {}", other.words()))),
            },
            Err(error) => in_vain("ewb", &operation, &error, output),
        };
    }
    let Some(bill) = known else {
        return Err(CliError::Usage(format!(
            "the ledger has no e-way bill {number}; --portal asks the e-way bill system"
        )));
    };
    one(desk, &bill, output).await
}

/// One bill of the ledger, with its jobs.
async fn one(desk: &Desk, bill: &Bill, output: &mut Output) -> Result<u8, CliError> {
    let name = name(desk, bill).await?;
    let jobs = find::jobs(desk.ledger.as_ref(), JobQuery { bill: Some(bill.standing.number), ..JobQuery::default() });
    let jobs = jobs.await?;
    if output.is_json() {
        output.object(&line(bill, name.as_deref(), desk.now()))?;
    } else {
        standing_facts(bill, name, desk.now(), output)?;
        if !jobs.is_empty() {
            output.line("\njobs")?;
        }
    }
    let names = outcome::names(&jobs, desk.ledger.as_ref()).await?;
    outcome::show_record(&jobs, &names, desk.now(), output)?;
    Ok(exit_code::ALL_WELL)
}

fn standing_facts(bill: &Bill, name: Option<String>, now: Timestamp, output: &mut Output) -> Result<(), CliError> {
    let standing = &bill.standing;
    let heading = format!("e-way bill {}", standing.number);
    output.line(output.styled(Style::Strong, &heading))?;
    let time = |time: Option<PortalTime>| time.map(|time| time.to_string());
    let end = standing.valid_till.filter(|_| is_open(standing.state)).and_then(PortalTime::to_timestamp);
    let of_standing = standing.document.as_ref().map(|document| format!("{} {}", document.doc_type, document.number));
    let movement = standing.movement.as_ref();
    facts(
        &[
            ("document", name.or(of_standing)),
            ("state", Some(in_words(standing.state))),
            ("made at", time(standing.made_at)),
            ("made by", Some(standing.generated_by.to_string())),
            ("valid till", time(standing.valid_till)),
            ("left", end.map(|end| left(end.duration_since(now)))),
            ("distance", standing.distance_km.map(|km| format!("{km} km"))),
            ("transporter", standing.transporter.clone()),
            ("vehicle", movement.and_then(|movement| movement.vehicle.clone())),
            ("transport", movement.and_then(|movement| movement.document.clone())),
            ("group", standing.group.clone()),
            ("trip sheet", standing.trip_sheet.clone()),
            ("extended", Some(counted(u64::from(standing.extended), "time"))),
            ("cancelled", time(standing.cancelled_at)),
            ("closed on", standing.closed_on.map(|day| day.to_string())),
            ("remark", standing.alert.clone()),
            ("route", bill.route.as_ref().map(ToString::to_string)),
        ],
        output,
    )
}

async fn trip_sheet(
    desk: &Desk,
    arguments: &EwbShow,
    number: TripSheetNumber,
    output: &mut Output,
) -> Result<u8, CliError> {
    if !arguments.portal {
        return Err(CliError::Usage(format!(
            "{number} is a trip sheet, and the ledger keeps the bills on it only: --portal asks the e-way bill system"
        )));
    }
    let gstin = desk.login(arguments.at.login, None).await?;
    let route = desk.route(arguments.at.route.as_deref())?;
    let operation = Operation::GetTripSheet { number };
    match desk.pipeline.ask(gstin, &operation, route.as_ref()).await {
        Ok(asked) => match &asked.reply {
            Reply::TripSheet(sheet) => sheet_shown(&asked, sheet, output),
            other => Err(CliError::Fault(format!("a question about a trip sheet was answered with {}", other.words()))),
        },
        Err(error) => in_vain("trip_sheet", &operation, &error, output),
    }
}

fn sheet_shown(asked: &Asked, sheet: &TripSheet, output: &mut Output) -> Result<u8, CliError> {
    if output.is_json() {
        output
            .object(&json!({"lookup": "trip_sheet", "route": asked.route, "site": asked.site, "trip_sheet": sheet}))?;
        return Ok(exit_code::ALL_WELL);
    }
    let bills: Vec<String> = sheet.bills.iter().map(ToString::to_string).collect();
    let heading = format!("trip sheet {}", sheet.number);
    output.line(output.styled(Style::Strong, &heading))?;
    facts(
        &[("vehicle", sheet.vehicle.clone()), ("bills", Some(bills.join(", "))), ("asked", Some(place(asked)))],
        output,
    )?;
    Ok(exit_code::ALL_WELL)
}

#[cfg(test)]
mod tests {
    use einvoice_core::ewb::{Birth, EwbDocument};
    use einvoice_core::identifier::Gstin;
    use einvoice_core::state::EwbState;

    use super::super::super::desk::find::tests::SUPPLIER;
    use super::super::list::row;
    use super::*;

    #[test]
    fn a_bill_tells_its_hours_while_it_can_still_change() {
        let now: Timestamp = "2026-11-05T08:30:00Z".parse().unwrap();
        let number = EwbNumber::parse("391009149369").unwrap();
        let mut standing = Standing::new(number, Birth::Direct, Gstin::parse(SUPPLIER).unwrap(), EwbState::Active);
        standing.valid_till = Some(PortalTime::parse("2026-11-06 23:59:00").unwrap());
        standing.document = Some(EwbDocument { doc_type: "CHL".into(), number: "JW/7".into(), date: None });
        let mut bill = Bill { standing, document: None, route: None, site: None, changed_at: now };
        assert_eq!((row(&bill, None, now)[2].as_str(), row(&bill, None, now)[6].as_str()), ("33 h", "CHL JW/7"));
        assert_eq!(line(&bill, None, now).hours_left, Some(33));
        let value = serde_json::to_value(line(&bill, Some("K"), now)).unwrap();
        assert_eq!((&value["document"], &value["bill"]["changed_at"]), (&"K".into(), &"2026-11-05 14:00:00".into()));
        assert!(value["bill"].get("document").is_none(), "the ledger's own number means nothing outside of it");
        bill.standing.state = EwbState::RejectedByParty;
        assert_eq!(row(&bill, None, now)[1], "rejected by party");
        bill.standing.state = EwbState::Cancelled;
        assert_eq!((row(&bill, None, now)[2].as_str(), line(&bill, None, now).hours_left), ("", None));
    }
}

//! From a wish to a job: what is refused before anything is sent, with the deadline and the portal's code.
//!
//! Pure functions: a document or a bill as the ledger has it, a wish and a moment in, a [`NewJob`] or the reason
//! against it out. Everything a portal would refuse for its time, its state or its form is refused here, as each
//! refusal by a portal counts against the account. What only a portal can know is left to it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::date::DocumentDate;
use crate::environment::RouteName;
use crate::ewb::request::{Carriage, Consolidation, EwbByIrn, Regeneration};
use crate::ewb::validity;
use crate::ewb::window::{Window, WindowShut};
use crate::ewb::{CancelReason, Standing, TransMode, VehicleType};
use crate::identifier::Gstin;
use crate::job::{Bill, NewJob, Task};
use crate::ledger::DocumentStatus;
use crate::operation::OperationKind;
use crate::rulebook::RuleSettings;
use crate::state::{DocumentState, EwbState};

/// Longest remark with the cancellation of an IRN (NIC, Cancel IRN 1.03).
pub const IRN_REMARK_MAX: usize = 100;
/// Longest remark in the e-way bill system.
pub const EWB_REMARK_MAX: usize = 50;
/// Longest name of a place in the e-way bill system.
pub const PLACE_MAX: usize = 50;
/// Longest number of a transport document in the e-way bill system.
pub const TRANSPORT_DOCUMENT_MAX: usize = 15;
/// Greatest distance in kilometres.
pub const DISTANCE_MAX: u16 = 4_000;

/// Why something is not planned. Nothing was sent and nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanRefused {
    /// What stands against it, as a sentence with the numbers.
    pub message: String,
    /// The code with which the portal would have refused, where one is known.
    pub code: Option<String>,
    /// What to do instead.
    pub fix: String,
}

impl PlanRefused {
    fn new(message: impl Into<String>, code: &str, fix: impl Into<String>) -> Self {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Self { message: message.into(), code, fix: fix.into() }
    }

    fn shut(shut: &WindowShut, fix: &str) -> Self {
        Self::new(shut.to_string(), &shut.code, fix)
    }
}

/// What is switched on beyond the rules in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanSwitches {
    /// Voluntary closure of e-way bills, on hold since 29 July 2026 together with the ship-to rule.
    pub closure: bool,
}

impl PlanSwitches {
    /// What an integrator's rules switch on for this day: voluntary closure comes with the ship-to rule
    /// ([`ShipToGstin::in_force`](crate::rulebook::ShipToGstin::in_force)), as one advisory put both on hold.
    #[must_use]
    pub fn of(rules: &RuleSettings, day: Date) -> Self {
        Self { closure: rules.ship_to_gstin.in_force(day) }
    }

    /// With voluntary closure on or off.
    #[must_use]
    pub const fn with_closure(mut self, closure: bool) -> Self {
        self.closure = closure;
        self
    }
}

/// Cancels a registration, and its active e-way bill before it.
///
/// # Errors
/// Outside the 24 hours (2270), for a document that is not registered, for a remark that is empty or too long,
/// and where the bill's own 24 hours are over, as the IRN then cannot be cancelled either (2230).
pub fn cancel_irn(
    document: &DocumentStatus,
    bill: Option<&Bill>,
    reason: CancelReason,
    remark: &str,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let (Some(key), Some(registration)) = (&document.key, &document.registration) else {
        return Err(not_registered(document, "cancelled"));
    };
    match document.state {
        DocumentState::Registered => {}
        DocumentState::Cancelled => {
            return Err(PlanRefused::new(
                format!("{} is cancelled already", document.label),
                "9999",
                "Leave it; its number cannot be used again in this financial year.",
            ));
        }
        _ => return Err(not_registered(document, "cancelled")),
    }
    text("the remark", remark, 1, IRN_REMARK_MAX)?;
    let window = Window::irn_cancel(registration.ack_date);
    let what = format!("the IRN of {} can be cancelled", document.label);
    window.check(now, &what, "2270").map_err(|shut| {
        PlanRefused::shut(&shut, "Issue a credit note for the whole value instead; an IRN cannot be cancelled later.")
    })?;
    let standing = bill.map(|bill| &bill.standing).or(document.ewb.as_ref());
    let active = standing.filter(|standing| is_open(standing.state));
    let mut deadline = window.closes;
    if let Some(standing) = active {
        let bills = ewb_cancel_window(standing);
        let what = format!("its e-way bill {} can be cancelled", standing.number);
        bills.check(now, &what, "2230").map_err(|shut| {
            PlanRefused::shut(
                &shut,
                "An IRN with an active e-way bill cannot be cancelled. If the goods did not move, the recipient can \
                 reject the bill within 72 hours; else issue a credit note.",
            )
        })?;
        deadline = earlier(deadline, bills.closes);
    }
    let task = Task::CancelIrn { irn: registration.irn, reason, remark: remark.trim().to_owned() };
    Ok(NewJob {
        steps: task.steps(active.is_some()),
        task,
        document: Some(document.id),
        gstin: key.supplier,
        route: document.route.clone(),
        site: registration.site.clone().or_else(|| document.site.clone()),
        not_before: None,
        deadline,
    })
}

/// Makes the e-way bill of a registered document; `dated` is the document's date, where it is at hand.
///
/// # Errors
/// For a document that is not registered, that has a bill already (4002), or a request whose form is wrong.
pub fn ewb_by_irn(
    document: &DocumentStatus,
    dated: Option<DocumentDate>,
    bill: Option<&Bill>,
    mut request: EwbByIrn,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let (Some(key), Some(registration), DocumentState::Registered) =
        (&document.key, &document.registration, document.state)
    else {
        return Err(not_registered(document, "given an e-way bill"));
    };
    let standing = bill.map(|bill| &bill.standing).or(document.ewb.as_ref());
    if let Some(standing) = standing.filter(|standing| is_open(standing.state)) {
        return Err(PlanRefused::new(
            format!("{} has the e-way bill {} already", document.label, standing.number),
            "4002",
            "Leave it as it is, or cancel that bill first if it is wrong.",
        ));
    }
    if request.irn != registration.irn {
        return Err(PlanRefused::new(
            format!("the request is for IRN {}, the document has {}", request.irn, registration.irn),
            "",
            "Leave the IRN out, or name the document it belongs to.",
        ));
    }
    if request.distance_km > DISTANCE_MAX {
        return Err(PlanRefused::new(
            format!("the distance is {} km; at most {DISTANCE_MAX} are taken", request.distance_km),
            "",
            "Give the kilometres by road between the two PIN codes, or 0 to have the portal compute them.",
        ));
    }
    if request.carriage.mode.is_none() && request.transporter.is_none() {
        return Err(PlanRefused::new(
            "without a mode of transport the bill has Part A only, and that needs a transporter",
            "4019",
            "Name the transporter's GSTIN or TRANSIN, or the mode of transport with the vehicle or document.",
        ));
    }
    carriage(&request.carriage, false)?;
    if request.carriage.mode == Some(TransMode::Road) {
        // The portal asks for it by road (4022), and ordinary cargo is what nobody mentions.
        request.carriage.vehicle_type.get_or_insert(VehicleType::Regular);
    }
    if let Some(date) = dated {
        let what = format!("an e-way bill for {} can be made", document.label);
        Window::ewb_generate(date).check(now, &what, "820").map_err(|shut| {
            PlanRefused::shut(&shut, "The document is too old for an e-way bill; issue a new one for the movement.")
        })?;
    }
    let task = Task::GenerateEwbByIrn { request: Box::new(request) };
    Ok(NewJob {
        steps: task.steps(false),
        task,
        document: Some(document.id),
        gstin: key.supplier,
        route: document.route.clone(),
        site: registration.site.clone().or_else(|| document.site.clone()),
        not_before: None,
        deadline: None,
    })
}

/// Makes an e-way bill without an IRN; the request has been checked by its own rules.
#[must_use]
pub fn generate_ewb(payload: String, doc_type: String, doc_no: String, gstin: Gstin) -> NewJob {
    let task = Task::GenerateEwb { payload, doc_type, doc_no };
    NewJob {
        steps: vec![OperationKind::GenerateEwb],
        task,
        document: None,
        gstin,
        route: None,
        site: None,
        not_before: None,
        deadline: None,
    }
}

/// Changes one bill: cancels, rejects, gives it a new Part B or transporter, extends, moves it by several
/// vehicles, closes. `gstin` is who acts.
///
/// An extension asked for too early is planned for the moment its window opens.
///
/// # Errors
/// Outside the step's window, for a bill in a state that forbids it, for one who may not act, and for a request
/// whose form is wrong.
pub fn on_bill(
    bill: &Bill,
    task: Task,
    gstin: Gstin,
    now: Timestamp,
    switches: PlanSwitches,
) -> Result<NewJob, PlanRefused> {
    let standing = &bill.standing;
    let (window, code, what, late) = match &task {
        Task::CancelEwb { remark, .. } => {
            maker_only(standing, gstin, "cancel", "312")?;
            changeable(standing, "cancelled", "312")?;
            text("the remark", remark, 0, EWB_REMARK_MAX)?;
            let late = "The other party can reject it within 72 hours; else it stays.";
            (ewb_cancel_window(standing), "315", "can be cancelled", late)
        }
        Task::RejectEwb { .. } => reject(standing, gstin, now)?,
        Task::UpdatePartB { request } => {
            changeable(standing, "given a new Part B", "311")?;
            not_grouped(standing, "412")?;
            carriage(&request.carriage, true)?;
            text("the place", &request.from_place, 1, PLACE_MAX)?;
            text("the remark", &request.remark, 0, EWB_REMARK_MAX)?;
            let late = "Extend the validity within eight hours after its end first.";
            (Window::ewb_valid(standing.valid_till), "311", "can be given a new Part B", late)
        }
        Task::UpdateTransporter { transporter, .. } => {
            changeable(standing, "given to another transporter", "338")?;
            if Gstin::parse(transporter).is_err() {
                return Err(PlanRefused::new(
                    format!("`{transporter}` is no GSTIN or TRANSIN of 15 characters"),
                    "",
                    "Ask the transporter for the GSTIN or TRANSIN.",
                ));
            }
            let late = "Make a new bill.";
            (Window::ewb_valid(standing.valid_till), "281", "can be given to another transporter", late)
        }
        Task::ExtendValidity { request } => {
            return extension(bill, task.clone(), request.remaining_km, &request.carriage, gstin, now);
        }
        Task::StartMultiVehicle { .. } | Task::AddVehicle { .. } | Task::ChangeVehicle { .. } => {
            changeable(standing, "moved by several vehicles", "311")?;
            let late = "Extend the validity first.";
            (Window::ewb_valid(standing.valid_till), "311", "can be moved by several vehicles", late)
        }
        Task::CloseEwb { .. } => close(standing, switches)?,
        _ => return Err(PlanRefused::new("this is no step on a bill", "", "Name another step.")),
    };
    let what = format!("e-way bill {} {what}", standing.number);
    window.check(now, &what, code).map_err(|shut| PlanRefused::shut(&shut, late))?;
    Ok(job_on(bill, task, gstin, None, window.closes))
}

/// Puts several bills on one vehicle.
///
/// # Errors
/// For none, for one that is not active or is moved by several vehicles (412, 648), for one of another site, and
/// for a request whose form is wrong.
pub fn consolidate(bills: &[Bill], request: Consolidation, gstin: Gstin) -> Result<NewJob, PlanRefused> {
    let Some(first) = bills.first() else {
        return Err(PlanRefused::new("no e-way bill is named", "", "Name the bills that travel together."));
    };
    for bill in bills {
        changeable(&bill.standing, "consolidated", "")?;
        not_grouped(&bill.standing, "648")?;
        if bill.site != first.site {
            return Err(PlanRefused::new(
                format!(
                    "e-way bills {} and {} were made at different sites",
                    first.standing.number, bill.standing.number
                ),
                "448",
                "Consolidate the bills of each site by themselves.",
            ));
        }
    }
    carriage(&request.carriage, true)?;
    text("the place", &request.from_place, 1, PLACE_MAX)?;
    let task = Task::Consolidate { request: Box::new(request) };
    let mut job = job_on(first, task, gstin, None, None);
    job.document = None;
    Ok(job)
}

/// Makes a trip sheet anew.
///
/// # Errors
/// For a request whose form is wrong.
pub fn regenerate(request: Regeneration, gstin: Gstin, route: Option<RouteName>) -> Result<NewJob, PlanRefused> {
    carriage(&request.carriage, true)?;
    text("the place", &request.from_place, 1, PLACE_MAX)?;
    text("the remark", &request.remark, 0, EWB_REMARK_MAX)?;
    let task = Task::RegenerateTripSheet { request: Box::new(request) };
    let steps = task.steps(false);
    Ok(NewJob { task, steps, document: None, gstin, route, site: None, not_before: None, deadline: None })
}

/// A window, the portal's code for missing it, what can be done in it, and what to do when it is over.
type Step = (Window, &'static str, &'static str, &'static str);

fn reject(standing: &Standing, gstin: Gstin, now: Timestamp) -> Result<Step, PlanRefused> {
    if standing.generated_by == gstin {
        return Err(PlanRefused::new(
            format!("{gstin} made e-way bill {} and cannot reject it", standing.number),
            "341",
            "Cancel it within 24 hours instead.",
        ));
    }
    changeable(standing, "rejected", "345")?;
    if standing.valid_till.is_none() {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B yet", standing.number),
            "348",
            "Wait until the goods are on their way, or ask the maker to cancel it.",
        ));
    }
    let window = standing
        .made_at
        .map_or(Window { opens: None, closes: None }, |made| Window::ewb_reject(made, standing.valid_till));
    let code = Window::ewb_reject_code(standing.made_at, now);
    Ok((window, code, "can be rejected", "It counts as accepted; settle it with the maker."))
}

fn close(standing: &Standing, switches: PlanSwitches) -> Result<Step, PlanRefused> {
    if !switches.closure {
        return Err(PlanRefused::new(
            "voluntary closure of e-way bills is on hold since 29 July 2026",
            "",
            "Nothing has to be done: a bill ends by itself. Once the portal takes closures, set the day from which it \
             does in `[rules]`: `ship_to_gstin = { from = \"yyyy-mm-dd\" }`; one advisory put both on hold.",
        ));
    }
    if standing.state == EwbState::Closed {
        return Err(PlanRefused::new(
            format!("e-way bill {} is closed already", standing.number),
            "829",
            "Leave it as it is.",
        ));
    }
    let Some(till) = standing.valid_till else {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B, so it cannot be closed", standing.number),
            "830",
            "Enter Part B first, or let the maker cancel it.",
        ));
    };
    Ok((Window::ewb_close(till), "", "can be closed", "The time to close it is over; nothing is lost by that."))
}

fn extension(
    bill: &Bill,
    task: Task,
    remaining_km: u16,
    how: &Carriage,
    gstin: Gstin,
    now: Timestamp,
) -> Result<NewJob, PlanRefused> {
    let standing = &bill.standing;
    // An expired bill can be extended for eight hours more.
    if standing.state != EwbState::Expired {
        changeable(standing, "extended", "637")?;
    }
    let acting = standing.transporter.as_deref();
    if acting.map_or(standing.generated_by != gstin, |transporter| transporter != gstin.as_str()) {
        let who = acting.unwrap_or(standing.generated_by.as_str());
        return Err(PlanRefused::new(
            format!("e-way bill {} can be extended by {who} only", standing.number),
            "384",
            "Ask the transporter to extend it; the maker can while no transporter is set.",
        ));
    }
    if remaining_km == 0 || remaining_km > DISTANCE_MAX {
        return Err(PlanRefused::new(
            format!("{remaining_km} km remain; write 1 to {DISTANCE_MAX}"),
            "",
            "Give the kilometres from where the goods are.",
        ));
    }
    if how.mode != Some(TransMode::InTransit) {
        carriage(how, true)?;
    }
    let Some(till) = standing.valid_till else {
        return Err(PlanRefused::new(
            format!("e-way bill {} has no Part B, so there is no validity to extend", standing.number),
            "637",
            "Enter Part B first.",
        ));
    };
    // Cut to the cap, the end must still lie later than it does.
    let kind = how.vehicle_type.unwrap_or(VehicleType::Regular);
    let extended = standing.made_at.and_then(|made| validity::extended_till(made, till, remaining_km, kind));
    if extended.is_some_and(|extended| extended <= till) {
        return Err(PlanRefused::new(
            format!(
                "e-way bill {} is good until {till}, and no bill can be extended beyond {} days after it was made",
                standing.number,
                validity::EXTENSION_DAYS_MAX
            ),
            "821",
            "Make a new bill for the rest of the way.",
        ));
    }
    let window = Window::ewb_extend(till);
    let what = format!("the validity of e-way bill {} can be extended", standing.number);
    match window.check(now, &what, "382") {
        Ok(()) => Ok(job_on(bill, task, gstin, None, window.closes)),
        // Planned ahead: it is sent when its time comes.
        Err(shut) if shut.too_early => Ok(job_on(bill, task, gstin, window.opens, window.closes)),
        Err(shut) => Err(PlanRefused::shut(&shut, "Make a new bill for the rest of the way.")),
    }
}

fn job_on(bill: &Bill, task: Task, gstin: Gstin, not_before: Option<Timestamp>, deadline: Option<Timestamp>) -> NewJob {
    NewJob {
        steps: task.steps(false),
        task,
        document: bill.document,
        gstin,
        route: bill.route.clone(),
        site: bill.site.clone(),
        not_before,
        deadline,
    }
}

fn not_registered(document: &DocumentStatus, what: &str) -> PlanRefused {
    let fix = match document.state {
        DocumentState::Unknown | DocumentState::Sent => "Settle it first: einvoice resolve asks the portal.",
        DocumentState::Cancelling => "A cancellation is under way; einvoice resolve settles it.",
        DocumentState::Conflict => "Decide the conflict first with einvoice resolve.",
        DocumentState::RejectedByRegistry => "Another portal registered it before, and that registration stands.",
        _ => "Only a registered document has an IRN to work on.",
    };
    // A state is named as it is stored; people read it without its underscores.
    let state = document.state.to_string().replace('_', " ");
    PlanRefused::new(format!("{} is {state} and cannot be {what}", document.label), "", fix)
}

/// Whether a bill can still change.
#[must_use]
pub const fn is_open(state: EwbState) -> bool {
    matches!(state, EwbState::PartA | EwbState::Active | EwbState::Unknown)
}

fn changeable(standing: &Standing, what: &str, code: &str) -> Result<(), PlanRefused> {
    let code = match standing.state {
        EwbState::Cancelled => "312",
        EwbState::Closed => "843",
        _ if is_open(standing.state) => return Ok(()),
        _ => code,
    };
    Err(PlanRefused::new(
        format!(
            "e-way bill {} is {} and cannot be {what}",
            standing.number,
            standing.state.to_string().replace('_', " ")
        ),
        code,
        "Make a new bill if the goods still have to move.",
    ))
}

fn maker_only(standing: &Standing, gstin: Gstin, what: &str, code: &str) -> Result<(), PlanRefused> {
    if standing.generated_by == gstin {
        return Ok(());
    }
    let maker = standing.generated_by;
    let message = format!("e-way bill {} was made by {maker}, and only {maker} can {what} it", standing.number);
    Err(PlanRefused::new(message, code, "As the other party, reject it within 72 hours."))
}

fn not_grouped(standing: &Standing, code: &str) -> Result<(), PlanRefused> {
    let Some(group) = &standing.group else { return Ok(()) };
    Err(PlanRefused::new(
        format!("e-way bill {} is moved by several vehicles (group {group})", standing.number),
        code,
        "Add or change a vehicle of the group instead.",
    ))
}

/// Cancelling counts from the making; where that is not known, the portal decides.
fn ewb_cancel_window(standing: &Standing) -> Window {
    standing.made_at.map_or(Window { opens: None, closes: None }, Window::ewb_cancel)
}

/// What a mode of transport needs (NIC, e-way bill API 1.03; codes 394, 385, 621, 622, 634, 638, 726, 727).
fn carriage(how: &Carriage, mode_needed: bool) -> Result<(), PlanRefused> {
    let Some(mode) = how.mode else {
        if !mode_needed && how.vehicle.is_none() && how.document.is_none() {
            return Ok(());
        }
        return Err(PlanRefused::new(
            "there is a vehicle or a transport document and no mode of transport",
            "638",
            "Name the mode: road, rail, air or ship.",
        ));
    };
    let missing = |message: &str, code: &str, fix: &str| Err(PlanRefused::new(message, code, fix));
    match mode {
        TransMode::Road if how.vehicle.is_none() => {
            return missing("by road a vehicle number is needed", "638", "Give the vehicle number.");
        }
        TransMode::Rail | TransMode::Air if how.document.is_none() => {
            return missing(
                "by rail and air the number of the transport document is needed",
                "394",
                "Give its number.",
            );
        }
        TransMode::Rail | TransMode::Air if how.document_date.is_none() => {
            return missing("by rail and air the date of the transport document is needed", "385", "Give its date.");
        }
        TransMode::Ship if how.vehicle.is_none() && how.document.is_none() => {
            return missing("by ship a vehicle or a transport document is needed", "727", "Give one of the two.");
        }
        _ => {}
    }
    if how.vehicle_type == Some(VehicleType::OverDimensional) && !matches!(mode, TransMode::Road | TransMode::Ship) {
        return missing("over-dimensional cargo goes by road or ship only", "634", "Correct the kind of vehicle.");
    }
    if let Some(vehicle) = &how.vehicle
        && (!(7..=15).contains(&vehicle.len()) || !vehicle.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(PlanRefused::new(
            format!("`{vehicle}` is no vehicle number: 7 to 15 letters and digits without blanks and hyphens"),
            "",
            "Write it like KA01AB1234.",
        ));
    }
    how.document.as_deref().map_or(Ok(()), |number| text("the transport document", number, 1, TRANSPORT_DOCUMENT_MAX))
}

fn text(what: &str, value: &str, least: usize, most: usize) -> Result<(), PlanRefused> {
    let found = value.trim().chars().count();
    if (least..=most).contains(&found)
        && !value.chars().any(|letter| matches!(letter, '"' | '\\') || letter.is_control())
    {
        return Ok(());
    }
    Err(PlanRefused::new(
        format!("{what} has {found} characters; {least} to {most} without quotes and backslashes are taken"),
        "",
        "Write it shorter, or fill it in.",
    ))
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;

//! From a wish to a job: what is refused before anything is sent, with the deadline and the portal's code.
//!
//! Pure functions: a document or a bill as the ledger has it, a wish and a moment in, a [`NewJob`](crate::job::NewJob) or the reason
//! against it out. Everything a portal would refuse for its time, its state or its form is refused here, as each
//! refusal by a portal counts against the account. What only a portal can know is left to it.

mod act;
mod bill;
mod extension;
mod form;
mod group;
mod registration;
#[cfg(test)]
mod tests;
mod trip_sheet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ewb::window::WindowShut;
use crate::rulebook::RuleSettings;

pub use bill::{generate_ewb, is_open, on_bill};
pub use registration::{cancel_irn, ewb_by_irn};
pub use trip_sheet::{consolidate, regenerate};

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

/// The earlier of two ends; one that is absent is none.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

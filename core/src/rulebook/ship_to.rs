//! The ship-to GSTIN of e-way bills: announced for 2026, on hold, and complete here.
//!
//! Advisories of 20 May and 17 June 2026 (with questions and answers of 1 July) made the consignee's GSTIN an
//! obligation from 1 August 2026; the advisory of 29 July 2026 (portal id 668) put the package on hold. So the rules
//! are here whole, their start is data ([`ShipToGstin`](super::ShipToGstin)), and until then they warn.

use crate::document::PartyGstin;
use crate::finding::{Finding, Severity};
use crate::identifier::StateCode;

use super::places::ABROAD;
use super::table::ON_HOLD;
use super::{CheckOptions, Rule, Sheet, ShipToGstin, table};

/// The ship-to part of a request for an e-way bill by IRN (`ExpShipDtls`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaterShipTo {
    /// GSTIN, or `URP` for a consignee without one: a port, an inland depot, an unregistered person.
    pub gstin: Option<PartyGstin>,
    /// State code.
    pub state: Option<StateCode>,
    /// PIN code.
    pub pin: Option<u32>,
}

impl LaterShipTo {
    /// A ship-to address.
    #[must_use]
    pub const fn new(gstin: Option<PartyGstin>, state: Option<StateCode>, pin: Option<u32>) -> Self {
        Self { gstin, state, pin }
    }
}

/// Which of the two requests is judged; they differ in codes and member names.
#[derive(Clone, Copy)]
struct Request {
    section: &'static str,
    missing: &'static Rule,
    state: &'static Rule,
}

const WITH_IRN: Request = Request { section: "ShipDtls", missing: &table::SHIP_GSTIN, state: &table::SHIP_STATE };
const BY_IRN: Request =
    Request { section: "ExpShipDtls", missing: &table::SHIP_GSTIN_LATER, state: &table::SHIP_STATE_LATER };

pub(super) fn check(sheet: &mut Sheet<'_>) {
    let invoice = sheet.invoice;
    let (Some(ship), Some(_)) = (&invoice.ship_dtls, &invoice.ewb_dtls) else { return };
    // What could not be read has been reported by the schema rules.
    if ship.gstin.malformed().is_some() {
        return;
    }
    let address = LaterShipTo::new(ship.gstin.get(), ship.stcd.get(), None);
    let findings = judge(WITH_IRN, address, invoice.buyer_dtls.gstin.get(), sheet.options);
    for finding in findings {
        sheet.push(finding);
    }
}

/// Judges the ship-to address of an e-way bill that is made from an IRN: 5001 without a GSTIN, 2323 where it is the
/// recipient's, 4074 where the state is another, 3039 where the PIN code lies elsewhere.
///
/// While the rule is on hold its findings are warnings; the PIN code's is an error always.
#[must_use]
pub fn check_later_ship_to(
    address: LaterShipTo,
    recipient: Option<PartyGstin>,
    options: &CheckOptions,
) -> Vec<Finding> {
    let mut findings = judge(BY_IRN, address, recipient, options);
    if let (Some(pin), Some(state)) = (address.pin, address.state) {
        let states = options.masters().pin(pin).states();
        let elsewhere = states.iter().next().is_some() && !states.contains(state);
        let nowhere = i64::from(pin) == ABROAD
            && !states.contains(state)
            && ![StateCode::OTHER_COUNTRY, StateCode::OTHER_TERRITORY].contains(&state);
        if elsewhere || nowhere {
            findings.push(
                table::PIN_STATE
                    .finding("ExpShipDtls.Pin", format!("PIN code {pin} does not lie in state {state}"))
                    .with_found(pin)
                    .with_expected(format!("a PIN code of state {state}"))
                    .with_fix("Correct the PIN code or the state code, whichever is wrong."),
            );
        }
    }
    for finding in &mut findings {
        options.settings.regrade(finding);
    }
    findings
}

fn judge(
    request: Request,
    address: LaterShipTo,
    recipient: Option<PartyGstin>,
    options: &CheckOptions,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = |name: &str| format!("{}.{name}", request.section);
    match address.gstin {
        None => findings.push(
            request
                .missing
                .finding(path("Gstin"), format!("the e-way bill's ship-to has no GSTIN ({})", standing(options)))
                .with_expected("the consignee's GSTIN, or URP")
                .with_fix("Give the GSTIN of the consignee; URP for one without, or for a port or depot."),
        ),
        Some(PartyGstin::Unregistered) => {}
        Some(PartyGstin::Registered(gstin)) => {
            if recipient.and_then(PartyGstin::gstin) == Some(gstin) {
                findings.push(
                    table::SHIP_SAME
                        .finding(
                            path("Gstin"),
                            format!("ship-to and recipient have the same GSTIN ({})", standing(options)),
                        )
                        .with_found(gstin)
                        .with_expected("another GSTIN, or no ship-to")
                        .with_fix("Leave the ship-to out: two addresses of one GSTIN are not bill-to and ship-to."),
                );
            }
            if let Some(state) = address.state.filter(|state| gstin.state() != Some(*state)) {
                let expected = gstin.as_str().get(..2).unwrap_or_default();
                findings.push(
                    request
                        .state
                        .finding(
                            path("Stcd"),
                            format!(
                                "the ship-to state is {state}, and its GSTIN {gstin} begins with {expected} ({})",
                                standing(options)
                            ),
                        )
                        .with_found(state)
                        .with_expected(expected)
                        .with_fix("Correct the state code, or the GSTIN if that is the wrong one."),
                );
            }
        }
    }
    for finding in &mut findings {
        finding.severity = options.settings.ship_to_gstin.severity(options.as_of);
    }
    findings
}

/// Where the rule stands, for the message: a warning names the advisory.
fn standing(options: &CheckOptions) -> String {
    match options.settings.ship_to_gstin {
        ShipToGstin::InForce { from } if options.settings.ship_to_gstin.severity(options.as_of) == Severity::Error => {
            format!("an obligation since {}", crate::date::DocumentDate::from(from))
        }
        ShipToGstin::InForce { from } => format!("an obligation from {}", crate::date::DocumentDate::from(from)),
        ShipToGstin::OnHold => format!("announced as an obligation, {ON_HOLD}"),
    }
}

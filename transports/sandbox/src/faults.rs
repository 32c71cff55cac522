//! Faults that a test asks for: a queue, each entry used so many times and gone.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ewb_wire::Codes;
use crate::settings::PortalSettings;
use crate::wire::{Delivery, PortalReply, Refusal};

/// An operation of the portal, by the name under which faults and counts refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PortalOperation {
    /// Login.
    Auth,
    /// Registration of a document.
    GenerateIrn,
    /// Cancellation of a registration.
    CancelIrn,
    /// Read by IRN.
    GetIrn,
    /// Read by document.
    GetIrnByDocument,
    /// List of rejected IRNs.
    RejectedIrns,
    /// Read of the e-way bill of an IRN.
    GetEwb,
    /// Taxpayer details.
    GstinDetails,
    /// Taxpayer details, fetched anew.
    SyncGstin,
    /// Heartbeat.
    Heartbeat,
    /// E-way bill for an IRN.
    GenerateEwbByIrn,
    /// Cancellation of an e-way bill on the registration portal's address.
    CancelEwbAtIrp,
    /// Login of the e-way bill system.
    EwbAuth,
    /// `GENEWAYBILL`.
    GenerateEwb,
    /// `VEHEWB`.
    UpdatePartB,
    /// `GENCEWB`.
    ConsolidateEwb,
    /// `REGENTRIPSHEET`.
    RegenerateTripSheet,
    /// `CANEWB`.
    CancelEwb,
    /// `REJEWB`.
    RejectEwb,
    /// `UPDATETRANSPORTER`.
    UpdateTransporter,
    /// `EXTENDVALIDITY`.
    ExtendValidity,
    /// `MULTIVEHMOVINT`.
    MultiVehicleInitiate,
    /// `MULTIVEHADD`.
    MultiVehicleAdd,
    /// `MULTIVEHUPD`.
    MultiVehicleUpdate,
    /// `CLSEWB`.
    CloseEwb,
    /// `GetEwayBill`.
    ReadEwb,
    /// `GetEwayBillGeneratedByConsigner`.
    ReadEwbByDocument,
    /// The lists of e-way bills.
    ListEwbs,
    /// `GetTripSheet`.
    ReadTripSheet,
    /// `GetGSTINDetails`.
    EwbGstinDetails,
    /// `GetTransporterDetails`.
    TransporterDetails,
    /// `GetHsnDetailsByHsnCode`.
    HsnDetails,
    /// `GetErrorList`.
    EwbErrorList,
    /// A POST to the e-way bill system with no known action.
    EwbOther,
    /// Anything else that was called.
    Other,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// No connection is to be had, so the call never arrives. Only in process can this be shown: over
    /// HTTP the connection is there already, and closes without an answer.
    Unreachable,
    /// The call is carried out and its answer is lost.
    DropReplyAfterCommit,
    /// The call is lost before anything is done.
    DropBeforeProcessing,
    /// This is answered instead; nothing is done. Lets a test see envelopes that no portal should send.
    Answer {
        /// HTTP status.
        status: u16,
        /// Body, as it is to be sent.
        body: String,
    },
    /// A gateway answers with a web page; nothing is done.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The call is carried out and a gateway answers with a web page.
    HtmlAfterCommit {
        /// HTTP status.
        status: u16,
    },
    /// The call is carried out at once and answered late, on the emulator's clock.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// The portal refuses with this code and says something beside it; nothing is done. Lets a test see
    /// a document that another portal registered: 2295 with `InfCd` `DUPIRNGLP`.
    ErrorWithInfo {
        /// Code.
        code: String,
        /// Text; empty for the portal's own.
        #[serde(default)]
        message: String,
        /// Entries of `InfoDtls`, as they are to be sent.
        info: Vec<serde_json::Value>,
    },
    /// The portal refuses with this code; nothing is done.
    Error {
        /// Code.
        code: String,
        /// Text; empty for the portal's own.
        #[serde(default)]
        message: String,
    },
    /// The call is carried out and the portal answers with this code all the same.
    ErrorAfterCommit {
        /// Code.
        code: String,
        /// Text; empty for the portal's own.
        #[serde(default)]
        message: String,
    },
    /// The call is carried out and half of the answer arrives.
    TruncatedBody,
    /// The call is carried out; the signed parts of the answer are genuine and of another document.
    AnotherDocument,
    /// The call is carried out; the signed parts of the answer are genuine, name the right IRN, and show
    /// a total that is one rupee higher.
    OtherAmount,
}

/// Whose envelope an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Irp,
    EWayBill,
}

/// A fault in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// Which calls it hits; all when absent.
    #[serde(default)]
    pub operation: Option<PortalOperation>,
    /// What goes wrong.
    pub fault: Fault,
    /// How many calls it hits before it is gone (default 1).
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

impl ScriptedFault {
    /// A fault for the next call of an operation.
    #[must_use]
    pub const fn once(operation: PortalOperation, fault: Fault) -> Self {
        Self { operation: Some(operation), fault, times: 1 }
    }
}

/// The queue, and a count of calls.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queue: VecDeque<ScriptedFault>,
    calls: BTreeMap<PortalOperation, u64>,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: ScriptedFault) {
        if fault.times > 0 {
            self.queue.push_back(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(crate) fn pending(&self) -> Vec<ScriptedFault> {
        self.queue.iter().cloned().collect()
    }

    pub(crate) fn calls(&self) -> BTreeMap<PortalOperation, u64> {
        self.calls.clone()
    }

    /// Takes the fault that hits a call, and counts the call unless it never arrives.
    pub(crate) fn take(&mut self, operation: PortalOperation) -> Option<Fault> {
        let fault = self.next(operation);
        if fault != Some(Fault::Unreachable) {
            let count = self.calls.entry(operation).or_default();
            *count = count.saturating_add(1);
        }
        fault
    }

    fn next(&mut self, operation: PortalOperation) -> Option<Fault> {
        let hits = |fault: &ScriptedFault| fault.operation.is_none_or(|wanted| wanted == operation);
        let position = self.queue.iter().position(hits)?;
        let scripted = self.queue.get_mut(position)?;
        scripted.times = scripted.times.saturating_sub(1);
        let (fault, used_up) = (scripted.fault.clone(), scripted.times == 0);
        if used_up {
            self.queue.remove(position);
        }
        Some(fault)
    }
}

impl Fault {
    /// The answer, when nothing is to be done at all.
    pub(crate) fn instead(&self, system: System) -> Option<PortalReply> {
        match self {
            Self::Unreachable => Some(PortalReply { delivery: Delivery::Refused, ..dropped() }),
            Self::DropBeforeProcessing => Some(dropped()),
            Self::Answer { status, body } => {
                Some(PortalReply::text(*status, "application/json; charset=utf-8", body.clone()))
            }
            Self::Html { status } => Some(PortalReply::html(*status)),
            Self::Error { code, message } => Some(refusal(system, code, message, &[])),
            Self::ErrorWithInfo { code, message, info } => Some(refusal(system, code, message, info)),
            _ => None,
        }
    }

    /// The answer after the call was carried out.
    pub(crate) fn after(&self, reply: PortalReply, system: System) -> PortalReply {
        match self {
            Self::DropReplyAfterCommit => dropped(),
            Self::HtmlAfterCommit { status } => PortalReply::html(*status),
            Self::ErrorAfterCommit { code, message } => refusal(system, code, message, &[]),
            Self::Delay { ms } => PortalReply { delivery: Delivery::Delayed(Duration::from_millis(*ms)), ..reply },
            Self::TruncatedBody => PortalReply { delivery: Delivery::Truncated, ..reply },
            _ => reply,
        }
    }
}

fn dropped() -> PortalReply {
    PortalReply { delivery: Delivery::Dropped, ..PortalReply::text(200, "text/plain", Vec::new()) }
}

fn refusal(system: System, code: &str, message: &str, info: &[serde_json::Value]) -> PortalReply {
    if system == System::EWayBill {
        return Codes::of(code).reply(&PortalSettings::default());
    }
    let message = if message.is_empty() { crate::texts::text(code) } else { message };
    let refusal = Refusal { info: info.iter().map(ToString::to_string).collect(), ..Refusal::with(code, message) };
    refusal.reply(crate::settings::ErrorDetailsForm::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_operation_so_many_times_and_is_gone() {
        let mut faults = Faults::default();
        faults.push(ScriptedFault { times: 2, ..ScriptedFault::once(PortalOperation::GetIrn, Fault::TruncatedBody) });
        assert_eq!(faults.take(PortalOperation::GenerateIrn), None);
        assert_eq!(faults.take(PortalOperation::GetIrn), Some(Fault::TruncatedBody));
        assert_eq!(faults.take(PortalOperation::GetIrn), Some(Fault::TruncatedBody));
        assert_eq!(faults.take(PortalOperation::GetIrn), None);
        assert_eq!(faults.calls().get(&PortalOperation::GetIrn), Some(&3));
    }

    #[test]
    fn a_call_that_never_arrives_is_not_counted() {
        let mut faults = Faults::default();
        faults.push(ScriptedFault::once(PortalOperation::GetIrn, Fault::Unreachable));
        assert_eq!(faults.take(PortalOperation::GetIrn), Some(Fault::Unreachable));
        assert!(faults.calls().is_empty());
    }

    #[test]
    fn a_fault_reads_from_json_as_documented() {
        let text = r#"{"operation":"generate_irn","fault":{"kind":"html","status":502}}"#;
        let fault: ScriptedFault = serde_json::from_str(text).unwrap();
        assert_eq!(fault, ScriptedFault::once(PortalOperation::GenerateIrn, Fault::Html { status: 502 }));
    }
}

//! The e-way bill system as part of the portal: from a request below `/ewb` to its reply.

use jiff::Timestamp;

use crate::cipher_box;
use crate::ewb_wire::{Answered, Codes, posted, read};
use crate::faults::{Fault, PortalOperation, System};
use crate::ist;
use crate::login::{Login, payload_of};
use crate::node::Node;
use crate::portal::Portal;
use crate::wire::{PortalReply, PortalRequest};

/// Where the e-way bill system lies below the listener's address.
pub(crate) const PREFIX: &str = "/ewb";

impl Portal {
    /// Answers a request whose path is that of the e-way bill system, the prefix taken off.
    pub(crate) fn handle_ewb(&mut self, path: &str, request: &PortalRequest, now: Timestamp) -> PortalReply {
        let operation = operation_of(path, request);
        let fault = self.faults.take(operation);
        let instead = fault.as_ref().and_then(|fault| fault.instead(System::EWayBill));
        if let Some(reply) = instead {
            return reply;
        }
        let reply = match operation {
            PortalOperation::Other => PortalReply::html(404),
            PortalOperation::EwbAuth => self.ewb_authenticate(request, now),
            _ => self.ewb_reply(operation, path, request, now),
        };
        fault.as_ref().map_or(reply.clone(), |fault: &Fault| fault.after(reply, System::EWayBill))
    }

    fn ewb_reply(
        &mut self,
        operation: PortalOperation,
        path: &str,
        request: &PortalRequest,
        now: Timestamp,
    ) -> PortalReply {
        let login = match self.ewb_session(request, now) {
            Ok(login) => login,
            Err(codes) => return codes.reply(&self.settings),
        };
        if request.method == "GET" {
            let mut rek = [0; 32];
            let answer = self.ewb_read(&login.gstin, path, request, now);
            let answer = answer.and_then(|json| {
                self.entropy.fill(&mut rek).map_err(|_| Codes::of("325"))?;
                Ok(json)
            });
            return match answer {
                Ok(json) => read(&login.sek, &rek, &json),
                Err(codes) => codes.reply(&self.settings),
            };
        }
        match self.ewb_post(operation, &login, request, now) {
            Ok(json) => posted(&login.sek, &json),
            Err(codes) => codes.reply(&self.settings),
        }
    }

    fn ewb_post(
        &mut self,
        operation: PortalOperation,
        login: &Login,
        request: &PortalRequest,
        now: Timestamp,
    ) -> Answered {
        let asked = payload(login, request)?;
        let who = login.gstin.as_str();
        match operation {
            PortalOperation::GenerateEwb => self.ewb_generate(who, &asked, now),
            PortalOperation::UpdatePartB => self.update_part_b(who, &asked, now),
            PortalOperation::ConsolidateEwb => self.consolidate(who, &asked, now),
            PortalOperation::RegenerateTripSheet => self.regenerate(who, &asked, now),
            PortalOperation::CancelEwb => self.cancel_bill(who, &asked, now),
            PortalOperation::RejectEwb => self.reject_bill(who, &asked, now),
            PortalOperation::UpdateTransporter => self.update_transporter(who, &asked, now),
            PortalOperation::ExtendValidity => self.extend(who, &asked, now),
            PortalOperation::MultiVehicleInitiate => self.initiate_group(who, &asked, now),
            PortalOperation::MultiVehicleAdd => self.add_vehicle(who, &asked, now),
            PortalOperation::MultiVehicleUpdate => self.change_vehicle(who, &asked, now),
            PortalOperation::CloseEwb if self.settings.hold_is_over(ist::civil(now).date()) => {
                self.close(who, &asked, now)
            }
            _ => Err(Codes::of("239")),
        }
    }
}

/// Opens the `data` of a POST.
pub(crate) fn payload(login: &Login, request: &PortalRequest) -> Result<Node, Codes> {
    let data = payload_of(&request.body).map_err(|_| Codes::of("115"))?;
    let opened = cipher_box::open(&login.sek, &data).ok_or_else(|| Codes::of("109"))?;
    cipher_box::read_json(&opened).map_err(|_| Codes::of("100"))
}

/// The clear `action` of a POST.
pub(crate) fn action(request: &PortalRequest) -> Option<String> {
    Node::parse(&request.body).ok()?.text(&["action"]).map(str::to_owned)
}

fn operation_of(path: &str, request: &PortalRequest) -> PortalOperation {
    use PortalOperation as Op;
    match (request.method.as_str(), path.trim_end_matches('/')) {
        ("POST", "/v1.03/auth") => Op::EwbAuth,
        ("POST", "/v1.03/ewayapi") => match action(request).as_deref() {
            Some("GENEWAYBILL") => Op::GenerateEwb,
            Some("VEHEWB") => Op::UpdatePartB,
            Some("GENCEWB") => Op::ConsolidateEwb,
            Some("REGENTRIPSHEET") => Op::RegenerateTripSheet,
            Some("CANEWB") => Op::CancelEwb,
            Some("REJEWB") => Op::RejectEwb,
            Some("UPDATETRANSPORTER") => Op::UpdateTransporter,
            Some("EXTENDVALIDITY") => Op::ExtendValidity,
            Some("MULTIVEHMOVINT") => Op::MultiVehicleInitiate,
            Some("MULTIVEHADD") => Op::MultiVehicleAdd,
            Some("MULTIVEHUPD") => Op::MultiVehicleUpdate,
            Some("CLSEWB") => Op::CloseEwb,
            _ => Op::EwbOther,
        },
        ("GET", path) => match path.strip_prefix("/v1.03/").unwrap_or_default() {
            "ewayapi/GetEwayBill" => Op::ReadEwb,
            "ewayapi/GetEwayBillGeneratedByConsigner" => Op::ReadEwbByDocument,
            "ewayapi/GetTripSheet" => Op::ReadTripSheet,
            "Master/GetGSTINDetails" => Op::EwbGstinDetails,
            "Master/GetTransporterDetails" => Op::TransporterDetails,
            "Master/GetHsnDetailsByHsnCode" => Op::HsnDetails,
            "Master/GetErrorList" => Op::EwbErrorList,
            list if list.starts_with("ewayapi/GetEwayBill") => Op::ListEwbs,
            _ => Op::Other,
        },
        _ => Op::Other,
    }
}

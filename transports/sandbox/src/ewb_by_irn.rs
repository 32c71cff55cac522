//! E-way bills on the registration portal: made for an IRN, and cancelled there where a switch allows it.

use einvoice_core::environment::Product;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::ewb::{self, Maker};
use crate::ewb_judge::lies_in;
use crate::ewb_route::{action, payload};
use crate::ewb_wire::{Codes, posted, text};
use crate::ist;
use crate::journal::Event;
use crate::login::Login;
use crate::node::{Node, quoted};
use crate::portal::{Answer, Asker, Portal};
use crate::settings::DistanceReport;
use crate::wire::{CodeText, PortalReply, PortalRequest, Refusal};

impl Portal {
    /// For whom and as what a bill is made for a document at this moment.
    pub(crate) fn ewb_maker(&self, generator: &str, irn: &str, document: &Node, now: Timestamp) -> Maker<'_> {
        let of = |name: &str| document.text(&["DocDtls", name]).unwrap_or_default();
        let doc_type = of("Typ").to_ascii_uppercase();
        let other = self.books.bills.of_document(generator, &doc_type, of("No"), of("Dt"));
        Maker {
            generator: generator.to_owned(),
            irn: irn.to_owned(),
            number: self.books.bills.next_number(),
            blocked: self.taxpayer(generator).is_some_and(|entry| entry.block_status == "B"),
            other_bill: other.map(|bill| bill.number),
            settings: &self.settings,
            now,
        }
    }

    pub(crate) fn ewb_by_irn(
        &mut self,
        login: &Login,
        caller: Asker<'_>,
        request: &PortalRequest,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let opened = self.open_payload(login, request)?;
        let asked = crate::cipher_box::read_json(&opened);
        let asked =
            asked.map_err(|reason| Refusal::with("5002", format!("The request is not valid JSON: {reason}")))?;
        let irn = asked.text(&["Irn"]).ok_or_else(|| Refusal::with("5002", "The Irn field is required"))?;
        let distance = asked.number(&["Distance"]).and_then(|distance| distance.parse::<u32>().ok());
        if distance.is_none_or(|distance| distance > 4000) {
            return Err(Refusal::with("5002", "The field Distance must be a whole number from 0 to 4000"));
        }
        let registered = self.find(caller, irn)?;
        if registered.cancelled_at.is_some() {
            return Err(Refusal::of("4000"));
        }
        let earlier = self.books.bills.of_irn(&registered.irn).filter(|bill| bill.cancelled_at.is_none());
        if let Some(earlier) = earlier {
            let error = if self.settings.ewb_duplicate_names_number {
                ewb::duplicate(earlier.number)
            } else {
                CodeText::of("4002")
            };
            return Err(Refusal { errors: vec![error], info: Vec::new() });
        }
        let document = Node::parse(registered.invoice_data.as_bytes()).map_err(|_| Refusal::of("5001"))?;
        let document = self.with_places(document, &asked, now)?;
        let maker = self.ewb_maker(&login.gstin, &registered.irn, &document, now);
        let errors = ewb::all_refusals(&document, &asked, &maker);
        if !errors.is_empty() {
            return Err(Refusal { errors, info: Vec::new() });
        }
        let made = ewb::make(&document, &asked, &maker);
        let bill = made.bill.ok_or_else(|| Refusal::of("5001"))?;
        let (mut info, mut remarks) = (Vec::new(), "null".to_owned());
        if let Some(distance) = made.computed_distance {
            match self.settings.distance_report {
                DistanceReport::Info => info.push(ewb::distance_info(distance)),
                DistanceReport::Remarks => remarks = quoted(&ewb::distance_text(distance)),
            }
        }
        let data = format!(
            r#"{{"EwbNo":{},"EwbDt":{},"EwbValidTill":{},"Remarks":{remarks}}}"#,
            bill.number,
            quoted(&ist::minute_stamp(bill.made_at)),
            bill.valid_till.map_or("null".to_owned(), |till| quoted(&crate::bills::stamp(till))),
        );
        self.record(Event::Bill(Box::new(bill)));
        Ok(Answer { data, info })
    }

    /// The document with the places the request names.
    fn with_places(&self, mut document: Node, asked: &Node, now: Timestamp) -> Result<Node, Refusal> {
        let today = ist::civil(now).date();
        if let Some(ship) = asked.get("ExpShipDtls") {
            if self.settings.hold_is_over(today) {
                judge_ship_to(&document, ship, today)?;
            }
            document.set("ShipDtls", ship.clone());
        }
        if let Some(dispatch) = asked.get("DispDtls") {
            document.set("DispDtls", dispatch.clone());
        }
        Ok(document)
    }

    /// The cancellation that NIC's sandbox takes beside the registration pages, in the e-way bill
    /// system's envelope but under the registration portal's login. Elsewhere there is no such page.
    pub(crate) fn cancel_bill_at_irp(&mut self, request: &PortalRequest, now: Timestamp) -> PortalReply {
        if !self.settings.ewb_cancel_at_irp {
            return PortalReply::html(404);
        }
        let cancelled = self.irp_login(request, now).and_then(|login| {
            if action(request).as_deref() != Some("CANEWB") {
                return Err(Codes::of("239"));
            }
            let asked = payload(&login, request)?;
            let reply = self.cancel_bill(&login.gstin, &asked, now)?;
            Ok(posted(&login.sek, &reply))
        });
        cancelled.unwrap_or_else(|codes| codes.reply(&self.settings))
    }

    /// The login to the registration portal that the headers prove; this page asks for no user name.
    fn irp_login(&self, request: &PortalRequest, now: Timestamp) -> Result<Login, Codes> {
        self.client_of(request).map_err(|_| Codes::of("110"))?;
        let (gstin, token) = (request.header("gstin"), request.header("authtoken"));
        let found = gstin.zip(token).and_then(|(gstin, token)| {
            let (login, _) = self.login_of_token(Product::EInvoice, &gstin, &token)?;
            Some(login)
        });
        found.filter(|login| login.expires_at > now).ok_or_else(|| Codes::of("238"))
    }
}

/// The ship-to rule that is on hold. Once it is in force, the party of the registration is final but for
/// exports; where only its GSTIN was missing, it may be added.
fn judge_ship_to(document: &Node, ship: &Node, today: Date) -> Result<(), Refusal> {
    let gstin = ship.text(&["Gstin"]).ok_or_else(|| Refusal::with("5001", "Ship-to GSTIN is required"))?;
    let state = format!("{:0>2}", text(ship, "Stcd"));
    if gstin != "URP" && gstin.get(..2) != Some(state.as_str()) {
        return Err(Refusal::of("4074"));
    }
    if state != "96" && !lies_in(&text(ship, "Pin"), &state, today) {
        return Err(Refusal::of("3039"));
    }
    let export = document.text(&["TranDtls", "SupTyp"]).is_some_and(|supply| supply.starts_with("EXP"));
    let named = document.text(&["ShipDtls", "Gstin"]).is_some();
    if named && !export { Err(Refusal::of("2324")) } else { Ok(()) }
}

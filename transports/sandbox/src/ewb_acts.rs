//! What can happen to an e-way bill: transport, transporter, extension, cancellation, rejection, closure.
//!
//! Each act checks who acts, when, and in which state the bill is, in the order of the portal's refusals.

use jiff::{SignedDuration, Timestamp};

use crate::bills::{Bill, PartB, valid_till};
use crate::ewb_wire::{Answered, Codes, field, is_state, is_vehicle, moment, number, refuse_if, text};
use crate::ist;
use crate::journal::Event;
use crate::node::{Node, quoted};
use crate::portal::Portal;
use crate::registry::is_gstin;

impl Portal {
    /// The bill a request names.
    pub(crate) fn named(&self, asked: &Node, code: &str) -> Result<Bill, Codes> {
        let found = number(asked, "ewbNo").and_then(|number| self.books.bills.get(number));
        found.cloned().ok_or_else(|| Codes::of(code))
    }

    /// A moment of the portal as replies of this system write it, as JSON.
    pub(crate) fn ewb_moment(&self, at: Timestamp) -> String {
        quoted(&moment(ist::civil(at), self.settings.ewb_date_form))
    }

    /// The end of validity as JSON, null while there is none.
    pub(crate) fn ewb_valid(&self, bill: &Bill) -> String {
        bill.valid_till.map_or("null".to_owned(), |till| quoted(&moment(till, self.settings.ewb_date_form)))
    }

    pub(crate) fn update_part_b(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        let known = bill.generator == who || bill.transporter.as_deref() == Some(who);
        refuse_if(!known, "636")?;
        refuse_if(!bill.active(), "280")?;
        refuse_if(bill.closed_at.is_some(), "851")?;
        refuse_if(!bill.groups.is_empty(), "412")?;
        refuse_if(bill.lapsed(now), "311")?;
        refuse_if(bill.transporter.as_deref() != Some(who) && bill.transporter_has_acted(), "635")?;
        let reason = text(asked, "reasonCode");
        refuse_if(!matches!(reason.as_str(), "1" | "2" | "3" | "4"), "307")?;
        refuse_if(field(asked, "reasonRem").is_none_or(|remark| remark.chars().count() > 50), "308")?;
        let entry = part_b(asked, who, now)?;
        bill.oversize = text(asked, "vehicleType") == "O";
        bill.enter(entry);
        let reply = format!(r#"{{"vehUpdDate":{},"validUpto":{}}}"#, self.ewb_moment(now), self.ewb_valid(&bill));
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn cancel_bill(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        refuse_if(bill.generator != who || bill.cancelled_at.is_some(), "312")?;
        refuse_if(bill.closed_at.is_some(), "843")?;
        refuse_if(!matches!(text(asked, "cancelRsnCode").as_str(), "1" | "2" | "3" | "4"), "307")?;
        refuse_if(text(asked, "cancelRmrk").chars().count() > 50, "308")?;
        let window = SignedDuration::from_hours(i64::from(self.settings.cancel_window_hours));
        let from_part_b = bill.part_b.first().filter(|_| self.settings.ewb_cancel_from_part_b);
        let start = from_part_b.map_or(bill.made_at, |entry| entry.at);
        let code = if self.settings.ewb_cancel_from_part_b { "728" } else { "315" };
        refuse_if(now.duration_since(start) > window, code)?;
        bill.cancelled_at = Some(now);
        // This reply has the number as text, that of a generation as a number.
        let reply = format!(r#"{{"ewayBillNo":"{}","cancelDate":{}}}"#, bill.number, self.ewb_moment(now));
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn reject_bill(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "344")?;
        refuse_if(bill.generator == who, "341")?;
        refuse_if(bill.other_party() != who, "342")?;
        refuse_if(bill.cancelled_at.is_some(), "343")?;
        refuse_if(bill.rejected_at.is_some(), "280")?;
        refuse_if(bill.closed_at.is_some(), "849")?;
        refuse_if(bill.part_b.is_empty(), "348")?;
        refuse_if(now.duration_since(bill.made_at) > SignedDuration::from_hours(72), "346")?;
        refuse_if(bill.lapsed(now), "345")?;
        bill.rejected_at = Some(now);
        let reply = format!(r#"{{"ewayBillNo":"{}","ewbRejectedDate":{}}}"#, bill.number, self.ewb_moment(now));
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn update_transporter(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        let current = bill.transporter.as_deref() == Some(who);
        refuse_if(!current && bill.generator != who, "339")?;
        refuse_if(!bill.active(), "280")?;
        refuse_if(bill.closed_at.is_some(), "850")?;
        refuse_if(bill.lapsed(now), "281")?;
        refuse_if(bill.transporter_has_acted(), "338")?;
        let transporter = field(asked, "transporterId").filter(|id| is_gstin(id)).ok_or_else(|| Codes::of("222"))?;
        refuse_if(self.taxpayer(&transporter).is_none(), "222")?;
        bill.transporter_since = now;
        let reply = format!(
            r#"{{"ewayBillNo":"{}","transporterId":{},"transUpdateDate":{}}}"#,
            bill.number,
            quoted(&transporter),
            self.ewb_moment(now)
        );
        bill.transporter = Some(transporter);
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn extend(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        may_extend(&bill, who)?;
        refuse_if(bill.cancelled_at.is_some(), "379")?;
        refuse_if(bill.rejected_at.is_some(), "380")?;
        refuse_if(bill.closed_at.is_some(), "844")?;
        refuse_if(bill.part_b.is_empty(), "381")?;
        refuse_if(!bill.can_be_extended(now, self.settings.ewb_extension_hours), "382")?;
        refuse_if(!matches!(text(asked, "extnRsnCode").as_str(), "1" | "2" | "4" | "5" | "99"), "307")?;
        refuse_if(field(asked, "extnRemarks").is_none(), "386")?;
        let left = number(asked, "remainingDistance").and_then(|left| u32::try_from(left).ok());
        let left = left.filter(|left| *left > 0).ok_or_else(|| Codes::of("389"))?;
        refuse_if(left > bill.distance, "390")?;
        refuse_if(
            !text(asked, "fromPincode").parse::<u32>().is_ok_and(|pin| (100_000..=999_999).contains(&pin)),
            "421",
        )?;
        let entry = transit(asked, who, now)?;
        let cap = bill.extension_cap().ok_or_else(|| Codes::of("383"))?;
        let till = valid_till(ist::civil(now).date(), left, bill.oversize).ok_or_else(|| Codes::of("383"))?;
        refuse_if(bill.valid_till.is_some_and(|old| cap <= old), "821")?;
        bill.valid_till = Some(till.min(cap));
        bill.extended = bill.extended.saturating_add(1);
        bill.part_b.push(entry);
        let reply = format!(
            r#"{{"ewayBillNo":"{}","updatedDate":{},"validUpto":{}}}"#,
            bill.number,
            self.ewb_moment(now),
            self.ewb_valid(&bill)
        );
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    /// The voluntary closure announced for August 2026 and on hold. The names of its members were not
    /// published; these are the defaults of the `direct` route, and the remark is taken as `remarks` too.
    pub(crate) fn close(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "852")?;
        refuse_if(!bill.concerns(who), "827")?;
        refuse_if(bill.cancelled_at.is_some(), "852")?;
        refuse_if(bill.rejected_at.is_some(), "853")?;
        refuse_if(bill.closed_at.is_some(), "829")?;
        refuse_if(bill.part_b.is_empty(), "830")?;
        let date = field(asked, "closureDate").ok_or_else(|| Codes::of("861"))?;
        refuse_if(field(asked, "closureRemarks").or_else(|| field(asked, "remarks")).is_none(), "862")?;
        let day = ist::document_date(&date).ok_or_else(|| Codes::of("854"))?;
        refuse_if(day > ist::civil(now).date(), "842")?;
        refuse_if(day < ist::civil(bill.made_at).date(), "828")?;
        bill.closed_at = Some(now);
        let reply = format!(r#"{{"ewayBillNo":"{}","closureDate":{}}}"#, bill.number, self.ewb_moment(now));
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }
}

fn may_extend(bill: &Bill, who: &str) -> Result<(), Codes> {
    if bill.transporter.as_deref() == Some(who) {
        return Ok(());
    }
    refuse_if(bill.generator != who, "700")?;
    refuse_if(bill.transporter_has_acted(), "637")?;
    refuse_if(bill.transporter.is_some(), "384")
}

/// Transport details of a request, or what is wrong with them.
pub(crate) fn part_b(asked: &Node, who: &str, now: Timestamp) -> Result<PartB, Codes> {
    let mode = text(asked, "transMode");
    let (vehicle, doc_no, doc_date) =
        (text(asked, "vehicleNo"), text(asked, "transDocNo"), text(asked, "transDocDate"));
    refuse_if(!matches!(mode.as_str(), "1" | "2" | "3" | "4"), "302")?;
    refuse_if(mode == "1" && vehicle.is_empty(), "303")?;
    refuse_if(!vehicle.is_empty() && !is_vehicle(&vehicle), "304")?;
    refuse_if(matches!(mode.as_str(), "2" | "3") && doc_no.is_empty(), "394")?;
    refuse_if(matches!(mode.as_str(), "2" | "3") && doc_date.is_empty(), "385")?;
    refuse_if(mode == "4" && vehicle.is_empty() && doc_no.is_empty(), "727")?;
    refuse_if(!doc_date.is_empty() && ist::document_date(&doc_date).is_none(), "224")?;
    let vehicle_type = text(asked, "vehicleType");
    refuse_if(!matches!(vehicle_type.as_str(), "" | "R" | "O"), "361")?;
    refuse_if(vehicle_type == "O" && matches!(mode.as_str(), "2" | "3"), "634")?;
    let (from_place, from_state) = place(asked)?;
    Ok(PartB {
        mode,
        vehicle,
        doc_no,
        doc_date,
        from_place,
        from_state,
        by: who.to_owned(),
        at: now,
        trip_sheet: None,
        group: None,
    })
}

/// Where a movement starts.
pub(crate) fn place(asked: &Node) -> Result<(String, String), Codes> {
    let place = field(asked, "fromPlace").ok_or_else(|| Codes::of("305"))?;
    let state = field(asked, "fromState").filter(|state| is_state(state)).ok_or_else(|| Codes::of("306"))?;
    Ok((place, state))
}

/// Transport details of an extension: in movement as ever, in transit where the goods lie.
fn transit(asked: &Node, who: &str, now: Timestamp) -> Result<PartB, Codes> {
    let (mode, kind) = (text(asked, "transMode"), text(asked, "transitType"));
    match text(asked, "consignmentStatus").as_str() {
        "M" => {
            refuse_if(mode == "5", "711")?;
            refuse_if(!kind.is_empty(), "712")?;
            part_b(asked, who, now)
        }
        "T" => {
            refuse_if(mode != "5", "711")?;
            refuse_if(!matches!(kind.as_str(), "R" | "W" | "O"), "705")?;
            for (line, code) in [("addressLine1", "706"), ("addressLine2", "707"), ("addressLine3", "708")] {
                refuse_if(field(asked, line).is_none(), code)?;
            }
            let (from_place, from_state) = place(asked)?;
            let vehicle = text(asked, "vehicleNo");
            let (doc_no, doc_date) = (text(asked, "transDocNo"), text(asked, "transDocDate"));
            Ok(PartB {
                mode,
                vehicle,
                doc_no,
                doc_date,
                from_place,
                from_state,
                by: who.to_owned(),
                at: now,
                trip_sheet: None,
                group: None,
            })
        }
        _ => Err(Codes::of("711")),
    }
}

//! What can happen to an e-way bill: transport, transporter, extension, cancellation, rejection, closure.
//!
//! Each act checks who acts, when, and in which state the bill is, in the order of the portal's refusals.

use jiff::{SignedDuration, Timestamp};

use crate::bills::{Bill, PartB, valid_till};
use crate::ewb_judge::{is_pin, lies_in};
use crate::ewb_wire::{Answered, Codes, field, moment, number, refuse_if, text};
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
        self.made_here(&bill, ["448", "449"])?;
        refuse_if(!bill.groups.is_empty(), "412")?;
        refuse_if(bill.lapsed(now), "311")?;
        refuse_if(bill.transporter.as_deref() != Some(who) && bill.transporter_has_acted(), "635")?;
        let reason = text(asked, "reasonCode");
        refuse_if(!matches!(reason.as_str(), "1" | "2" | "3" | "4"), "307")?;
        refuse_if(field(asked, "reasonRem").is_none_or(|remark| remark.chars().count() > 50), "308")?;
        let entry = self.part_b(asked, who, now)?;
        follows(&entry, &bill)?;
        if let Some(vehicle_type) = field(asked, "vehicleType") {
            bill.oversize = vehicle_type == "O";
        }
        bill.enter(entry);
        let reply = format!(r#"{{"vehUpdDate":{},"validUpto":{}}}"#, self.ewb_moment(now), self.ewb_valid(&bill));
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn cancel_bill(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        refuse_if(bill.generator != who || bill.cancelled_at.is_some(), "312")?;
        self.made_here(&bill, ["444", "445"])?;
        refuse_if(bill.closed_at.is_some(), "843")?;
        refuse_if(bill.verified_at.is_some(), "316")?;
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
        self.made_here(&bill, ["446", "447"])?;
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
        let (pin, today) = (text(asked, "fromPincode"), ist::civil(now).date());
        refuse_if(!is_pin(&pin), "421")?;
        let entry = self.transit(asked, who, now)?;
        refuse_if(!lies_in(&pin, &entry.from_state, today), "710")?;
        follows(&entry, &bill)?;
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

    /// Refuses what belongs to the other of the two systems, which share the bills and not the right to
    /// change them; the codes are those for a bill of NIC1 and of NIC2.
    fn made_here(&self, bill: &Bill, [first, second]: [&str; 2]) -> Result<(), Codes> {
        refuse_if(bill.site != self.settings.site, if bill.site == "NIC1" { first } else { second })
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
        // It can be closed until a day after its validity has ended.
        let day_ago = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
        refuse_if(bill.lapsed(day_ago), "852")?;
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

/// A transport document is not older than what it moves.
pub(crate) fn follows(entry: &PartB, bill: &Bill) -> Result<(), Codes> {
    let dates = (ist::document_date(&entry.doc_date), ist::document_date(&bill.doc_date));
    refuse_if(matches!(dates, (Some(transport), Some(document)) if transport < document), "362")
}

fn may_extend(bill: &Bill, who: &str) -> Result<(), Codes> {
    if bill.transporter.as_deref() == Some(who) {
        return Ok(());
    }
    refuse_if(bill.generator != who, "700")?;
    refuse_if(bill.transporter_has_acted(), "637")?;
    refuse_if(bill.transporter.is_some(), "384")
}

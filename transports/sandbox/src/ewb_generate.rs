//! GENEWAYBILL: judge a request and enter a bill into the books.

use jiff::Timestamp;

use crate::bills::{Bill, PartB};
use crate::ewb::distance_between;
use crate::ewb_wire::{Answered, Codes, field, refuse_if, text};
use crate::journal::Event;
use crate::node::{Node, quoted};
use crate::portal::Portal;

impl Portal {
    pub(crate) fn ewb_generate(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let codes = self.ewb_refusals(who, asked, now);
        if !codes.is_empty() {
            return Err(Codes(codes.into_iter().map(str::to_owned).collect()));
        }
        let (doc_type, doc_no) = (text(asked, "docType"), text(asked, "docNo"));
        let doc_date = text(asked, "docDate");
        refuse_if(self.books.bills.of_document(who, &doc_type, &doc_no, &doc_date).is_some(), "604")?;
        let given = text(asked, "transDistance").parse::<u32>().unwrap_or_default();
        let pins = (text(asked, "fromPincode"), text(asked, "toPincode"));
        let computed = (given == 0).then(|| distance_between((&pins.0, &pins.1)));
        let mut bill = Bill {
            number: self.books.bills.next_number(),
            irn: None,
            site: self.settings.site.clone(),
            generator: who.to_owned(),
            supply_type: text(asked, "supplyType"),
            doc_type,
            doc_no,
            doc_date,
            from_gstin: text(asked, "fromGstin"),
            to_gstin: text(asked, "toGstin"),
            to_pin: pins.1,
            to_state: text(asked, "actToStateCode"),
            to_place: text(asked, "toPlace"),
            made_at: now,
            distance: computed.unwrap_or(given),
            oversize: text(asked, "vehicleType") == "O",
            valid_till: None,
            transporter: field(asked, "transporterId"),
            transporter_since: now,
            part_b: Vec::new(),
            groups: Vec::new(),
            extended: 0,
            cancelled_at: None,
            rejected_at: None,
            closed_at: None,
            verified_at: None,
            document: asked.to_string(),
        };
        if let Some(mode) = field(asked, "transMode") {
            bill.enter(PartB {
                mode,
                vehicle: text(asked, "vehicleNo"),
                doc_no: text(asked, "transDocNo"),
                doc_date: text(asked, "transDocDate"),
                from_place: text(asked, "fromPlace"),
                from_state: text(asked, "actFromStateCode"),
                by: who.to_owned(),
                at: now,
                trip_sheet: None,
                group: None,
            });
        }
        let alert = computed.map(|km| format!("The distance between the pincodes {km} is used"));
        let reply = format!(
            r#"{{"ewayBillNo":{},"ewayBillDate":{},"validUpto":{},"alert":{}}}"#,
            bill.number,
            self.ewb_moment(now),
            self.ewb_valid(&bill),
            alert.map_or("null".to_owned(), |alert| quoted(&alert)),
        );
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }
}

//! Many bills in one vehicle, and one bill in many vehicles.

use jiff::Timestamp;

use crate::bills::{Bill, Group, GroupVehicle, PartB, TripSheet};
use crate::ewb_acts::follows;
use crate::ewb_part_b::place;
use crate::ewb_wire::{Answered, Codes, field, is_state, is_vehicle, number, refuse_if, text};
use crate::journal::Event;
use crate::node::{Node, quoted};
use crate::portal::Portal;

impl Portal {
    pub(crate) fn consolidate(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let entry = self.part_b(asked, who, now)?;
        let listed = asked.list(&["tripSheetEwbBills"]);
        refuse_if(listed.is_empty(), "301")?;
        let mut bills = Vec::new();
        for row in listed {
            let bill = self.named(row, "301")?;
            may_consolidate(&bill, who, now)?;
            follows(&entry, &bill)?;
            // A bill that is named twice travels once.
            if !bills.iter().any(|listed: &Bill| listed.number == bill.number) {
                bills.push(bill);
            }
        }
        self.all_made_here(&bills)?;
        let number = self.enter_sheet(bills, &entry, now);
        Ok(format!(r#"{{"cEwbNo":{number},"cEWBDate":{}}}"#, self.ewb_moment(now)))
    }

    /// The two systems do not consolidate bills of each other. The list of errors has a number for a bill
    /// of NIC2 at NIC1; the other way round answers with the same one here.
    fn all_made_here(&self, bills: &[Bill]) -> Result<(), Codes> {
        let foreign = bills.iter().filter(|bill| bill.site != self.settings.site).count();
        refuse_if(foreign > 0 && foreign < bills.len(), "453")?;
        refuse_if(foreign > 0, "452")
    }

    pub(crate) fn regenerate(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let old = number(asked, "tripSheetNo").and_then(|number| self.books.bills.sheet(number));
        let mut old = old.filter(|sheet| sheet.by == who).cloned().ok_or_else(|| Codes::of("387"))?;
        refuse_if(old.replaced_by.is_some(), "392")?;
        refuse_if(!matches!(text(asked, "reasonCode").as_str(), "1" | "2" | "3" | "4"), "307")?;
        refuse_if(field(asked, "reasonRem").is_none(), "386")?;
        let entry = self.part_b(asked, who, now)?;
        let bills = old.bills.iter().filter_map(|number| self.books.bills.get(*number));
        let mine = |bill: &&Bill| bill.site == self.settings.site && may_consolidate(bill, who, now).is_ok();
        let bills: Vec<Bill> = bills.filter(mine).cloned().collect();
        refuse_if(bills.is_empty(), "391")?;
        bills.iter().try_for_each(|bill| follows(&entry, bill))?;
        let rows = bills.iter().map(|bill| format!(r#"{{"ewbNo":{}}}"#, bill.number)).collect::<Vec<_>>().join(",");
        let number = self.enter_sheet(bills, &entry, now);
        old.replaced_by = Some(number);
        self.record(Event::TripSheet(old));
        Ok(format!(r#"{{"tripSheetNo":{number},"tripSheetEwayBills":[{rows}]}}"#))
    }

    fn enter_sheet(&mut self, bills: Vec<Bill>, entry: &PartB, now: Timestamp) -> u64 {
        let number = self.books.bills.next_sheet_number();
        self.record(Event::TripSheet(TripSheet {
            number,
            by: entry.by.clone(),
            at: now,
            vehicle: entry.vehicle.clone(),
            from_place: entry.from_place.clone(),
            from_state: entry.from_state.clone(),
            bills: bills.iter().map(|bill| bill.number).collect(),
            replaced_by: None,
        }));
        for mut bill in bills {
            bill.enter(PartB { trip_sheet: Some(number), ..entry.clone() });
            self.record(Event::Bill(Box::new(bill)));
        }
        number
    }

    pub(crate) fn initiate_group(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        refuse_if(bill.closed_at.is_some(), "847")?;
        refuse_if(!bill.active() || bill.lapsed(now) || bill.part_b.is_empty(), "817")?;
        may_act(&bill, who, "646", "645")?;
        let (from_place, from_state) = place(asked)?;
        refuse_if(field(asked, "toState").is_none_or(|state| !is_state(&state)), "320")?;
        refuse_if(field(asked, "toPlace").is_none(), "321")?;
        let mode = text(asked, "transMode");
        refuse_if(!matches!(mode.as_str(), "1" | "2" | "3" | "4"), "302")?;
        refuse_if(!matches!(text(asked, "reasonCode").as_str(), "1" | "2" | "3" | "4"), "307")?;
        refuse_if(field(asked, "reasonRem").is_none(), "386")?;
        let quantity = number(asked, "totalQuantity").filter(|quantity| *quantity > 0);
        let quantity = quantity.ok_or_else(|| Codes::of("402"))?;
        let unit = text(asked, "unitCode").to_ascii_uppercase();
        let of_items = Node::parse(bill.document.as_bytes());
        let of_items = of_items.as_ref().map(|document| document.list(&["itemList"])).unwrap_or_default();
        refuse_if(!of_items.iter().any(|item| text(item, "qtyUnit").eq_ignore_ascii_case(&unit)), "399")?;
        refuse_if(bill.groups.first().is_some_and(|first| first.unit != unit), "413")?;
        bill.groups.push(Group { quantity, unit, from_place, from_state, mode, vehicles: Vec::new() });
        let reply = self.group_reply(&bill, bill.groups.len(), "createdDate", now);
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn add_vehicle(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        refuse_if(bill.closed_at.is_some(), "846")?;
        refuse_if(!bill.active(), "280")?;
        refuse_if(bill.lapsed(now), "311")?;
        may_act(&bill, who, "646", "645")?;
        let group_no = group_number(asked)?;
        let quantity = number(asked, "quantity").filter(|quantity| *quantity > 0);
        let quantity = quantity.ok_or_else(|| Codes::of("402"))?;
        let (vehicle, doc_no) = (text(asked, "vehicleNo"), text(asked, "transDocNo"));
        let group = bill.groups.get_mut(group_no.saturating_sub(1)).ok_or_else(|| Codes::of("411"))?;
        refuse_if(group.mode == "1" && vehicle.is_empty(), "303")?;
        refuse_if(!vehicle.is_empty() && !is_vehicle(&vehicle), "304")?;
        refuse_if(vehicle.is_empty() && doc_no.is_empty(), "394")?;
        let loaded = group.vehicles.iter().fold(quantity, |sum, vehicle| sum.saturating_add(vehicle.quantity));
        refuse_if(loaded > group.quantity, "400")?;
        group.vehicles.push(GroupVehicle { vehicle: vehicle.clone(), doc_no: doc_no.clone(), quantity });
        bill.part_b.push(PartB {
            mode: group.mode.clone(),
            vehicle,
            doc_no,
            doc_date: text(asked, "transDocDate"),
            from_place: group.from_place.clone(),
            from_state: group.from_state.clone(),
            by: who.to_owned(),
            at: now,
            trip_sheet: None,
            group: Some(group_no),
        });
        let reply = self.group_reply(&bill, group_no, "vehAddedDate", now);
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    pub(crate) fn change_vehicle(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut bill = self.named(asked, "301")?;
        refuse_if(bill.closed_at.is_some(), "848")?;
        refuse_if(!bill.active(), "280")?;
        refuse_if(bill.lapsed(now), "311")?;
        may_act(&bill, who, "646", "645")?;
        let group_no = group_number(asked)?;
        let (old, new) = (text(asked, "oldvehicleNo"), text(asked, "newVehicleNo"));
        refuse_if(!old.is_empty() && !is_vehicle(&old), "407")?;
        refuse_if(!new.is_empty() && !is_vehicle(&new), "408")?;
        refuse_if(!matches!(text(asked, "reasonCode").as_str(), "1" | "2" | "3" | "4"), "307")?;
        refuse_if(field(asked, "reasonRem").is_none(), "386")?;
        let (from_place, from_state) = place(asked)?;
        let (old_doc, new_doc) = (text(asked, "oldTranNo"), text(asked, "newTranNo"));
        refuse_if(new.is_empty() && new_doc.is_empty(), "410")?;
        let group = bill.groups.get_mut(group_no.saturating_sub(1)).ok_or_else(|| Codes::of("411"))?;
        let same = |entry: &&mut GroupVehicle| entry.vehicle == old && (old_doc.is_empty() || entry.doc_no == old_doc);
        let entry = group.vehicles.iter_mut().find(same).ok_or_else(|| Codes::of("405"))?;
        (entry.vehicle, entry.doc_no) = (new.clone(), new_doc.clone());
        let mode = group.mode.clone();
        bill.part_b.push(PartB {
            mode,
            vehicle: new,
            doc_no: new_doc,
            doc_date: String::new(),
            from_place,
            from_state,
            by: who.to_owned(),
            at: now,
            trip_sheet: None,
            group: Some(group_no),
        });
        let reply = self.group_reply(&bill, group_no, "vehUpdDate", now);
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    fn group_reply(&self, bill: &Bill, group: usize, date: &str, now: Timestamp) -> String {
        format!(r#"{{"ewbNo":"{}","groupNo":"{group}",{}:{}}}"#, bill.number, quoted(date), self.ewb_moment(now))
    }
}

fn group_number(asked: &Node) -> Result<usize, Codes> {
    let group = field(asked, "groupNo").and_then(|group| group.parse().ok());
    group.filter(|group| *group > 0).ok_or_else(|| Codes::of("406"))
}

/// The generator may act until the transporter has, the transporter always.
fn may_act(bill: &Bill, who: &str, stranger: &str, too_late: &str) -> Result<(), Codes> {
    if bill.transporter.as_deref() == Some(who) {
        return Ok(());
    }
    refuse_if(bill.generator != who, stranger)?;
    refuse_if(bill.transporter_has_acted(), too_late)
}

fn may_consolidate(bill: &Bill, who: &str, now: Timestamp) -> Result<(), Codes> {
    may_act(bill, who, "650", "649")?;
    refuse_if(!bill.active(), "280")?;
    refuse_if(bill.closed_at.is_some(), "845")?;
    refuse_if(!bill.groups.is_empty(), "648")?;
    refuse_if(bill.lapsed(now), "818")
}

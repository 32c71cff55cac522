//! Transport details that an act brings: Part B, and where an extension finds the goods.

use jiff::Timestamp;

use crate::bills::PartB;
use crate::ewb_judge::{DOCUMENT_NUMBER_MAX, is_rail_document};
use crate::ewb_wire::{Codes, field, is_state, is_vehicle, refuse_if, text};
use crate::ist;
use crate::node::Node;
use crate::portal::Portal;

impl Portal {
    /// Transport details of a request, or what is wrong with them.
    pub(crate) fn part_b(&self, asked: &Node, who: &str, now: Timestamp) -> Result<PartB, Codes> {
        let entry = self.carriage(asked)?;
        let (from_place, from_state) = place(asked)?;
        Ok(PartB { from_place, from_state, by: who.to_owned(), at: now, ..entry })
    }

    /// Mode, vehicle and document of a request.
    fn carriage(&self, asked: &Node) -> Result<PartB, Codes> {
        let entry = stated(asked);
        let (mode, vehicle_type) = (entry.mode.as_str(), text(asked, "vehicleType"));
        let (no_vehicle, no_document, no_date) =
            (entry.vehicle.is_empty(), entry.doc_no.is_empty(), entry.doc_date.is_empty());
        refuse_if(!matches!(mode, "1" | "2" | "3" | "4"), "302")?;
        refuse_if(mode == "1" && no_vehicle, "303")?;
        refuse_if(!no_vehicle && !is_vehicle(&entry.vehicle), "304")?;
        refuse_if(entry.doc_no.len() > DOCUMENT_NUMBER_MAX, "223")?;
        refuse_if(!no_date && ist::document_date(&entry.doc_date).is_none(), "224")?;
        refuse_if(!matches!(vehicle_type.as_str(), "" | "R" | "O"), "361")?;
        if matches!(mode, "2" | "3") {
            refuse_if(no_document, "394")?;
            refuse_if(no_date, "385")?;
            refuse_if(vehicle_type == "O", "634")?;
            let judged = mode == "2" && self.settings.ewb_rail_documents_checked;
            refuse_if(judged && !is_rail_document(&entry.doc_no), "823")?;
        }
        if mode == "4" {
            refuse_if(vehicle_type == "R", "726")?;
            refuse_if(no_vehicle && no_document, "727")?;
            refuse_if(!no_document && no_date, "729")?;
        }
        Ok(entry)
    }

    /// Transport details of an extension: in movement as ever, in transit where the goods lie.
    pub(crate) fn transit(&self, asked: &Node, who: &str, now: Timestamp) -> Result<PartB, Codes> {
        const LINES: [(&str, &str); 3] = [("addressLine1", "706"), ("addressLine2", "707"), ("addressLine3", "708")];
        let (mode, kind) = (text(asked, "transMode"), text(asked, "transitType"));
        match text(asked, "consignmentStatus").as_str() {
            "M" => {
                refuse_if(mode == "5", "711")?;
                refuse_if(!kind.is_empty(), "712")?;
                refuse_if(LINES.iter().any(|(line, _)| field(asked, line).is_some()), "713")?;
                self.part_b(asked, who, now)
            }
            "T" => {
                refuse_if(mode != "5", "711")?;
                refuse_if(!matches!(kind.as_str(), "R" | "W" | "O"), "705")?;
                for (line, code) in LINES {
                    refuse_if(field(asked, line).is_none(), code)?;
                }
                let (from_place, from_state) = place(asked)?;
                Ok(PartB { from_place, from_state, by: who.to_owned(), at: now, ..stated(asked) })
            }
            _ => Err(Codes::of("711")),
        }
    }
}

/// What a request states of the transport, unjudged.
fn stated(asked: &Node) -> PartB {
    PartB {
        mode: text(asked, "transMode"),
        vehicle: text(asked, "vehicleNo"),
        doc_no: text(asked, "transDocNo"),
        doc_date: text(asked, "transDocDate"),
        from_place: String::new(),
        from_state: String::new(),
        by: String::new(),
        at: Timestamp::UNIX_EPOCH,
        trip_sheet: None,
        group: None,
    }
}

/// Where a movement starts.
pub(crate) fn place(asked: &Node) -> Result<(String, String), Codes> {
    let place = field(asked, "fromPlace").ok_or_else(|| Codes::of("305"))?;
    let state = field(asked, "fromState").filter(|state| is_state(state)).ok_or_else(|| Codes::of("306"))?;
    Ok((place, state))
}

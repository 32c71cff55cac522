//! Who supplies, who receives and who carries, and what the registry has against them.

use crate::ewb_judge::{ABROAD_STATE, URP, supply};
use crate::ewb_wire::{field, text};
use crate::ist;
use crate::node::Node;
use crate::portal::Portal;
use crate::registry::{DEREGISTERED, is_gstin};

impl Portal {
    pub(super) fn judge_parties(&self, asked: &Node, who: &str, codes: &mut Vec<&'static str>) {
        judge_names(asked, who, codes);
        self.judge_supplier(asked, codes);
        self.judge_recipient(asked, codes);
        self.judge_special_zones(asked, codes);
        let transporter = field(asked, "transporterId");
        codes.extend(transporter.is_some_and(|id| self.taxpayer(&id).is_none()).then_some("222"));
    }

    /// A supplier must be active. That it has not filed its returns counts against it alone.
    fn judge_supplier(&self, asked: &Node, codes: &mut Vec<&'static str>) {
        let from = text(asked, "fromGstin");
        if from == URP {
            return;
        }
        let Some(entry) = self.taxpayer(&from).filter(|entry| entry.status == "ACT") else {
            codes.push("208");
            return;
        };
        codes.extend((entry.block_status == "B").then_some("715"));
        if entry.taxpayer_type == "COM" {
            codes.extend((text(asked, "fromStateCode") != text(asked, "toStateCode")).then_some("703"));
            codes.extend(super::goods::has_tax(asked).then_some("704"));
            codes.extend((text(asked, "docType") == "INV").then_some("714"));
        }
        let business = text(asked, "toGstin") != URP || text(asked, "subSupplyType") == "3";
        let enabled = self.settings.einvoice_enabled.contains(&from);
        let invoice = text(asked, "supplyType") == "O" && text(asked, "docType") == "INV";
        codes.extend((enabled && invoice && business).then_some("720"));
    }

    /// A recipient may be suspended; a cancelled one still gets what was invoiced before.
    fn judge_recipient(&self, asked: &Node, codes: &mut Vec<&'static str>) {
        let to = text(asked, "toGstin");
        if to == URP {
            return;
        }
        match self.taxpayer(&to).map(|entry| entry.status).as_deref() {
            Some("ACT" | "SUS") => {}
            Some("CNL") => {
                let date = ist::document_date(&text(asked, "docDate"));
                codes.extend(date.is_some_and(|date| date > DEREGISTERED).then_some("722"));
            }
            _ => codes.push("212"),
        }
    }

    /// Where only the unregistered, or a special economic zone, may stand.
    fn judge_special_zones(&self, asked: &Node, codes: &mut Vec<&'static str>) {
        let (from, to) = (text(asked, "fromGstin"), text(asked, "toGstin"));
        let (kind, sub_type) = supply(asked);
        match (kind.as_str(), sub_type.as_str()) {
            ("O", "3") => codes.extend((to != URP && !self.is_sez(&to)).then_some("450")),
            ("I", "2") => codes.extend((from != URP && !self.is_sez(&from)).then_some("451")),
            ("O", "9") => {
                let abroad = text(asked, "toStateCode") == ABROAD_STATE;
                codes.extend((self.is_sez(&to) && !abroad).then_some("641"));
            }
            ("I", "9") => {
                let abroad = text(asked, "fromStateCode") == ABROAD_STATE;
                codes.extend((self.is_sez(&from) && !abroad).then_some("642"));
            }
            _ => {}
        }
    }
}

fn judge_names(asked: &Node, who: &str, codes: &mut Vec<&'static str>) {
    let (from, to) = (text(asked, "fromGstin"), text(asked, "toGstin"));
    codes.extend((from == URP && to == URP).then_some("822"));
    codes.extend(field(asked, "userGstin").is_some_and(|user| user != who).then_some("358"));
    match text(asked, "supplyType").as_str() {
        "O" => codes.extend((from != who).then_some("359")),
        "I" => codes.extend((to != who).then_some("360")),
        _ => codes.push("201"),
    }
    for (name, code) in [("fromTrdName", "229"), ("toTrdName", "231"), ("fromPlace", "230"), ("toPlace", "232")] {
        codes.extend(field(asked, name).is_none().then_some(code));
    }
    for (name, code) in [("shipToGSTIN", "609"), ("dispatchFromGSTIN", "610")] {
        let malformed = field(asked, name).is_some_and(|gstin| gstin != URP && !is_gstin(&gstin));
        codes.extend(malformed.then_some(code));
    }
}

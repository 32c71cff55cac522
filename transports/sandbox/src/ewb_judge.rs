//! What is wrong with a request to make an e-way bill: all of it, as the portal lists all codes at once.
//!
//! Apart from the product's own rules for such requests, which are checked against this.

mod document;
mod goods;
mod parties;
mod places;
mod transport;

use jiff::Timestamp;

use crate::ewb_wire::text;
use crate::node::Node;
use crate::portal::Portal;

pub(crate) use places::{is_pin, lies_in};
pub(crate) use transport::{DOCUMENT_NUMBER_MAX, is_rail_document};

/// Stands for a party without registration.
const URP: &str = "URP";
/// PIN that stands for abroad.
const ABROAD_PIN: &str = "999999";
/// State that stands for abroad in this system; the registration portal has 96.
const ABROAD_STATE: &str = "99";

impl Portal {
    /// The codes that stand in the way of a bill, in rising order.
    pub(crate) fn ewb_refusals(&self, who: &str, asked: &Node, now: Timestamp) -> Vec<&'static str> {
        let mut codes = Vec::new();
        self.judge_parties(asked, who, &mut codes);
        document::judge(asked, now, &mut codes);
        self.judge_places(asked, now, &mut codes);
        self.judge_goods(asked, &mut codes);
        transport::judge(asked, self.settings.ewb_rail_documents_checked, &mut codes);
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Whether a party is a SEZ unit or developer.
    fn is_sez(&self, gstin: &str) -> bool {
        self.taxpayer(gstin).is_some_and(|entry| matches!(entry.taxpayer_type.as_str(), "SEZ" | "SED"))
    }
}

/// Direction and sub-type of the supply.
fn supply(asked: &Node) -> (String, String) {
    (text(asked, "supplyType"), text(asked, "subSupplyType"))
}

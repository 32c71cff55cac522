//! A request against the bill that the system holds.
//!
//! `GetEwayBill` is no echo. It renders codes and numbers anew (`subSupplyType` padded with blanks, `hsnCode` as a
//! number), does not return the parties of dispatch and ship-to, and has Part B and the distance under other names.
//! What can change after the making (transporter, Part B, distance) it shows as it is now, and the transporter's name
//! as the master has it. None of that makes it the bill of another document, and after a lost answer our own bill must
//! not be taken for a foreign one.

use super::{EwbItem, EwbRequest};
use crate::document::Difference;
use crate::document::difference::Comparison;
use crate::document::node::Section;

impl EwbRequest {
    /// Where a bill read from the system is not of this request.
    ///
    /// Text is compared without regard to case, to blanks around it and to how many stand between its words, and a
    /// name or address may be cut, as the system stores it. Items may stand in another order.
    #[must_use]
    pub fn differences(&self, theirs: &Self) -> Vec<Difference> {
        let mut comparison = Comparison::default();
        match in_our_order(&self.item_list, &theirs.item_list) {
            Some(item_list) => self.compare_members(&Self { item_list, ..theirs.clone() }, &mut comparison),
            None => self.compare_members(theirs, &mut comparison),
        }
        real(comparison)
    }
}

/// The differences that are more than another rendering.
fn real(comparison: Comparison) -> Vec<Difference> {
    let mut differences = comparison.differences;
    differences.retain(|difference| !told_otherwise(&difference.path) && !same_text(difference));
    differences
}

/// The other list in the order of ours, where it holds the same items in another one. The request numbers no items,
/// so that they are known by all they say.
fn in_our_order(ours: &[EwbItem], theirs: &[EwbItem]) -> Option<Vec<EwbItem>> {
    let is_same = |one: &EwbItem, other: &EwbItem| {
        let mut comparison = Comparison::default();
        one.compare_members(other, &mut comparison);
        real(comparison).is_empty()
    };
    if ours.len() != theirs.len() || ours.iter().zip(theirs).all(|(one, other)| is_same(one, other)) {
        return None;
    }
    let mut left: Vec<&EwbItem> = theirs.iter().collect();
    let mut ordered = Vec::with_capacity(ours.len());
    for item in ours {
        let at = left.iter().position(|other| is_same(item, other))?;
        ordered.push(left.swap_remove(at).clone());
    }
    Some(ordered)
}

/// The members whose text the system may cut.
const CUT: [&str; 12] = [
    "fromTrdName",
    "fromAddr1",
    "fromAddr2",
    "fromPlace",
    "toTrdName",
    "toAddr1",
    "toAddr2",
    "toPlace",
    "productName",
    "productDesc",
    "subSupplyDesc",
    "shipToTradeName",
];

/// Characters below which a shorter text is another one, and no cut one.
const CUT_LEAST: usize = 20;

fn same_text(difference: &Difference) -> bool {
    let (ours, theirs) = (plain(difference.ours.as_deref()), plain(difference.theirs.as_deref()));
    let may_be_cut = difference.path.rsplit('.').next().is_some_and(|name| CUT.contains(&name));
    ours == theirs || (may_be_cut && theirs.chars().count() >= CUT_LEAST && ours.starts_with(&theirs))
}

/// A text as far as it says something. What is not of the form is kept as it stood, quotes included.
fn plain(text: Option<&str>) -> String {
    let text = text.unwrap_or_default().trim();
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    inside.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}

/// What the reply has from somewhere else than the request: the caller, the master, and how the goods travel by now.
fn told_otherwise(path: &str) -> bool {
    matches!(
        path,
        "userGstin"
            | "mainHsnCode"
            | "transporterId"
            | "transporterName"
            | "transDistance"
            | "transMode"
            | "vehicleNo"
            | "vehicleType"
            | "transDocNo"
            | "transDocDate"
    )
}

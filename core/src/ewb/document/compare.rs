//! A request against the bill that the system holds.
//!
//! `GetEwayBill` is no echo. It renders codes and numbers anew (`subSupplyType` padded with blanks, `hsnCode` as a
//! number), does not return the parties of dispatch and ship-to, and has Part B and the distance under other names,
//! for they can change after the making. None of that is a difference.

use super::EwbRequest;
use crate::document::Difference;
use crate::document::difference::Comparison;
use crate::document::node::Section as _;

impl EwbRequest {
    /// Where a bill read from the system is not of this request.
    ///
    /// Text is compared without blanks around it and without regard to case, as the system stores some in capitals.
    #[must_use]
    pub fn differences(&self, theirs: &Self) -> Vec<Difference> {
        let mut comparison = Comparison::default();
        self.compare_members(theirs, &mut comparison);
        let mut differences = comparison.differences;
        differences.retain(|difference| !same_text(difference) && !told_elsewhere(self, difference));
        differences
    }
}

fn same_text(difference: &Difference) -> bool {
    let plain = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_ascii_uppercase();
    plain(&difference.ours) == plain(&difference.theirs)
}

/// What the reply tells although the request did not: the maker, computed kilometres, a name found in the master.
fn told_elsewhere(ours: &EwbRequest, difference: &Difference) -> bool {
    match difference.path.as_str() {
        "userGstin" | "mainHsnCode" | "transporterName" => difference.ours.is_none(),
        // The distance that was asked for is replaced by the computed one; Part B can be another by then.
        "transDistance" => ours.trans_distance.get().is_none_or(|distance| distance.0 == 0),
        "transMode" | "vehicleNo" | "vehicleType" | "transDocNo" | "transDocDate" | "transporterId" => {
            !ours.has_part_b() && difference.ours.is_none()
        }
        _ => false,
    }
}

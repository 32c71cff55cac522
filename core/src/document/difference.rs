//! Our document against the signed copy the portal returns.
//!
//! The signed copy is no echo: it adds `AckNo`, `AckDt`, `Irn` and an `ItemNo` per item, renders numbers anew
//! (`100.0`), may list items in another order, and leaves out bank, payment-term and contract members and the dates of batches (observed in signed
//! replies of 2020 to 2023; one of 2020 renders the version as `1.01`). None of that is a difference; anything else is, and means that the reply is not about what was sent.

use std::collections::HashMap;

use super::Item;
use super::member::Member;
use super::path::Path;

/// A member on which the two copies disagree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// Place in the document; list entries count from 0.
    pub path: String,
    /// What we sent; nothing when we did not send the member.
    pub ours: Option<String>,
    /// What the other copy has; nothing when it lacks the member.
    pub theirs: Option<String>,
}

impl Difference {
    /// One place in which two copies differ.
    pub fn new(path: impl Into<String>, ours: Option<String>, theirs: Option<String>) -> Self {
        Self { path: path.into(), ours, theirs }
    }
}

/// The other copy's items in the order of ours, by serial number: an item is known by that, and a copy that
/// only lists them otherwise is of the same document. Nothing where they are in order already, or where
/// serial numbers cannot tell them apart.
pub(super) fn in_our_order(ours: &[Item], theirs: &[Item]) -> Option<Vec<Item>> {
    let serials = |items: &[Item]| items.iter().map(|item| item.sl_no.shown()).collect::<Option<Vec<String>>>();
    let (our_serials, their_serials) = (serials(ours)?, serials(theirs)?);
    if our_serials == their_serials {
        return None;
    }
    let by_serial: HashMap<String, &Item> = their_serials.into_iter().zip(theirs).collect();
    if by_serial.len() != theirs.len() || ours.len() != theirs.len() {
        return None;
    }
    our_serials.iter().map(|serial| by_serial.get(serial).map(|item| (*item).clone())).collect()
}

#[derive(Debug, Default)]
pub(crate) struct Comparison {
    path: Path,
    /// Open sections the signed copy may leave out as a whole, and has left out.
    dropped: usize,
    pub(crate) differences: Vec<Difference>,
}

impl Comparison {
    /// True when the signed copy may lack the member.
    pub(crate) const fn may_drop(&self, member: &Member) -> bool {
        member.dropped || self.dropped > 0
    }

    pub(crate) fn leaf(&mut self, member: &'static Member, ours: Option<String>, theirs: Option<String>) {
        self.differences.push(Difference { path: self.path.of(member.name), ours, theirs });
    }

    /// Compares the members of a section.
    pub(crate) fn within(
        &mut self,
        member: &'static Member,
        index: Option<usize>,
        theirs_absent: bool,
        compare: impl FnOnce(&mut Self),
    ) {
        let dropped = usize::from(member.dropped && theirs_absent);
        self.path.push(member, index);
        self.dropped += dropped;
        compare(self);
        self.dropped -= dropped;
        self.path.pop();
    }
}

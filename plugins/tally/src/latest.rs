//! Which state of a voucher counts where several exports hold it: the one that Tally changed last, whatever the files are
//! called and in whichever order they come.

use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

use crate::live::whole_number;
use crate::objects::split;
use crate::reading::{hash, identity_of, text_of};
use crate::xml::{Found, Limits, Wanted};

/// The number of the last change of each voucher.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    /// By the hash of the identity, not its text: a folder may hold a million vouchers.
    changes: HashMap<u64, u64>,
}

/// What stands beside a voucher of which there is a later state.
#[derive(Debug)]
pub(crate) struct Older {
    /// The number of the later change.
    pub(crate) later: u64,
}

impl Latest {
    /// Looks through an export, as far as it can be read. Gives the lowest number of change in it.
    pub(crate) fn look_through<R: Read>(&mut self, input: R, limits: Limits) -> Option<u64> {
        let mut lowest = None;
        // What is wrong with it is said in the pass over its vouchers.
        _ = split(input, Wanted::Vouchers, limits, &mut |found| {
            if let Found::Object { text, .. } = found
                && let Some(change) = change_of(text)
            {
                lowest = Some(lowest.map_or(change, |lowest: u64| lowest.min(change)));
                if let (identity, true) = identity_of(text) {
                    let known = self.changes.entry(hash(&identity)).or_insert(change);
                    *known = change.max(*known);
                }
            }
            ControlFlow::Continue(())
        });
        lowest
    }

    /// Whether there is a later state of a voucher than this one.
    pub(crate) fn after(&self, text: &str) -> Option<Older> {
        if self.changes.is_empty() {
            return None;
        }
        let (identity, true) = identity_of(text) else { return None };
        let later = *self.changes.get(&hash(&identity))?;
        (later > change_of(text)?).then_some(Older { later })
    }
}

/// The number of a voucher's last change, which Tally counts up over a company.
pub(crate) fn change_of(text: &str) -> Option<u64> {
    text_of(text, "ALTERID").as_deref().and_then(whole_number)
}

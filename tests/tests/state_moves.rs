//! The table of legal moves, compared with the design's text and with what it promises.

use std::collections::BTreeSet;

use einvoice_core::state::DocumentState::{
    self, Burnt, Cancelled, Cancelling, Conflict, Invalid, Ready, Received, Refused, Registered, RejectedByRegistry,
    Sent, Unknown,
};
use proptest::prelude::*;

/// The moves as the design writes them (section 3), one line each.
const DESIGNED: [(DocumentState, &[DocumentState]); 6] = [
    (Received, &[Invalid, Ready]),
    (Invalid, &[Ready]),
    (Ready, &[Sent]),
    (Sent, &[Registered, Refused, Unknown]),
    (Unknown, &[Registered, Refused, Cancelled, Conflict, Ready]),
    (Refused, &[Ready, Burnt]),
];
const DESIGNED_AFTER_REGISTRATION: [(DocumentState, &[DocumentState]); 2] =
    [(Registered, &[Cancelling, RejectedByRegistry]), (Cancelling, &[Cancelled, Registered])];

/// Moves that the design's list does not have, with their reasons.
const FURTHER: [(DocumentState, DocumentState); 3] = [
    // The transport proves that nothing left this machine, or the call was turned away at the door.
    (Sent, Ready),
    // The source was edited before sending, and the new revision breaks a rule.
    (Ready, Invalid),
    // A person's decision on a conflict goes through asking the portal once more.
    (Conflict, Unknown),
];

fn designed() -> BTreeSet<(DocumentState, DocumentState)> {
    let lines = DESIGNED.iter().chain(&DESIGNED_AFTER_REGISTRATION);
    lines.flat_map(|(from, next)| next.iter().map(|to| (*from, *to))).chain(FURTHER).collect()
}

/// Everything that can follow, in any number of moves.
fn reachable(from: DocumentState) -> BTreeSet<DocumentState> {
    let mut found = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(state) = open.pop() {
        open.extend(state.may_become().iter().copied().filter(|next| found.insert(*next)));
    }
    found
}

fn any_state() -> impl Strategy<Value = DocumentState> {
    prop::sample::select(DocumentState::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_move_is_legal_exactly_when_the_design_or_its_documented_additions_have_it(
        from in any_state(), to in any_state(),
    ) {
        prop_assert_eq!(from.allows(to), designed().contains(&(from, to)), "{} to {}", from, to);
    }

    /// Walks at random by legal moves only, as a ledger would.
    #[test]
    fn on_every_legal_walk_nothing_is_sent_twice_without_a_proof_in_between(
        choices in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let (mut state, mut registered) = (Received, false);
        for choice in choices {
            let next = state.may_become();
            if next.is_empty() {
                break;
            }
            let to = next[choice.index(next.len())];
            if to == Sent {
                prop_assert_eq!(state, Ready, "only what is ready is sent");
                prop_assert!(!registered, "what was registered is never sent");
            }
            if to == Ready {
                prop_assert!(
                    matches!(state, Received | Invalid | Sent | Unknown | Refused),
                    "{} must not become ready", state
                );
            }
            registered |= matches!(to, Registered | Cancelled | Cancelling | Burnt | RejectedByRegistry);
            state = to;
        }
    }
}

#[test]
fn the_whole_table_equals_the_design() {
    let table: BTreeSet<_> =
        DocumentState::ALL.into_iter().flat_map(|from| from.may_become().iter().map(move |to| (from, *to))).collect();
    assert_eq!(table, designed());
}

#[test]
fn no_move_is_listed_twice_and_none_leads_to_itself() {
    for state in DocumentState::ALL {
        let next = state.may_become();
        assert_eq!(next.iter().collect::<BTreeSet<_>>().len(), next.len(), "{state}");
        assert!(!next.contains(&state), "{state}");
    }
}

#[test]
fn every_state_can_be_reached_and_only_three_end_everything() {
    assert_eq!(reachable(Received), DocumentState::ALL.into_iter().collect());
    let ends: Vec<_> = DocumentState::ALL.into_iter().filter(|state| state.may_become().is_empty()).collect();
    assert_eq!(ends, [Burnt, Cancelled, RejectedByRegistry]);
    assert!(DocumentState::ALL.into_iter().all(|state| state != Received || !reached_by_any(state)));
}

fn reached_by_any(state: DocumentState) -> bool {
    DocumentState::ALL.into_iter().any(|from| from.allows(state))
}

#[test]
fn what_was_registered_never_comes_back_to_be_sent() {
    for state in [Registered, Cancelling, Cancelled, Burnt, RejectedByRegistry] {
        let after = reachable(state);
        assert!(!after.contains(&Sent) && !after.contains(&Ready), "{state} leads to {after:?}");
    }
}

#[test]
fn what_may_be_registered_becomes_ready_only_from_sent_and_unknown() {
    let back: Vec<_> =
        DocumentState::ALL.into_iter().filter(|state| state.may_be_registered() && state.allows(Ready)).collect();
    assert_eq!(back, [Sent, Unknown]);
}

#[test]
fn a_state_that_needs_a_person_is_never_left_by_sending() {
    for state in DocumentState::ALL.into_iter().filter(|state| state.needs_person()) {
        assert!(!state.allows(Sent), "{state}");
    }
}

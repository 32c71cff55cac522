//! States of jobs and steps of tasks.

use super::*;
use crate::ewb::CancelReason;
use crate::irn::Irn;

#[test]
fn a_step_that_may_have_been_done_is_never_planned_without_asking_or_an_answer() {
    assert!(!JobState::Unknown.may_become().contains(&JobState::Sent));
    assert!(JobState::Unknown.may_become().contains(&JobState::Planned));
    assert!(!JobState::Planned.may_become().contains(&JobState::Done));
}

#[test]
fn an_irn_with_an_active_bill_is_cancelled_after_the_bill() {
    let task =
        Task::CancelIrn { irn: Irn::from_bytes([7; 32]), reason: CancelReason::Duplicate, remark: "twice".into() };
    assert_eq!(task.steps(true), [OperationKind::CancelEwb, OperationKind::CancelIrn]);
    assert_eq!(task.steps(false), [OperationKind::CancelIrn]);
}

#[test]
fn every_state_has_a_name_that_leads_back_to_it() {
    for state in JobState::ALL {
        assert_eq!(JobState::from_name(state.as_str()), Some(state));
    }
}

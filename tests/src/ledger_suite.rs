//! What every ledger promises: the definition of done for a
//! [`Ledger`].
//!
//! A plugin writes a [`LedgerHarness`] and one line,
//! `einvoice_testkit::ledger_conformance!(Harness::new());`, and gets one named test for each
//! promise, the last of which play random histories of documents, and of jobs, e-way bills and decisions, against
//! models of the contract that live in memory and share no code with any ledger.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a suite reports a broken promise by panicking"
)]

mod bills;
mod by_hand;
mod fixture;
mod history;
mod jobs;
mod life_desk;
mod life_history;
mod life_jobs;
mod life_model;
mod model;
mod receiving;
mod results;
mod working;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::ledger::Ledger;

pub use bills::*;
pub use by_hand::*;
pub use history::{a_batch_is_taken_in_like_one_document_after_the_other, random_histories_agree_with_the_model};
pub use jobs::*;
pub use life_history::random_lives_agree_with_the_model;
pub use receiving::*;
pub use results::*;
pub use working::*;

/// How the suite gets hold of a ledger.
#[async_trait]
pub trait LedgerHarness: Send + Sync {
    /// Opens the ledger. A later opening sees what an earlier one stored; the suite drops the earlier
    /// handle first.
    async fn open(&self, clock: SharedClock) -> Arc<dyn Ledger>;

    /// How long after an intent the portal is asked about a lost outcome.
    fn settle_wait(&self) -> Duration;
}

/// Gives one named test for each promise of a ledger.
///
/// The expression makes a fresh, empty harness and is evaluated at least once for each test.
#[macro_export]
macro_rules! ledger_conformance {
    ($harness:expr) => { $crate::ledger_conformance! { $harness, fill_in: [] } };
    ($harness:expr, fill_in: $to_fill_in:tt) => {
        $crate::mark_promises! { ledger_promise, ledger_suite, $to_fill_in }
        $crate::ledger_conformance! { @tests $harness;
            the_same_record_twice_is_unchanged
            two_records_of_one_document_share_it
            a_record_that_arrives_again_is_answered_again
            a_corrected_arrival_has_its_last_answer
            another_document_under_the_same_key_is_a_clash
            an_edited_record_is_a_revision_until_it_was_sent
            what_is_sent_can_be_read_back
            a_refused_document_waits_for_a_revision_that_passes
            an_invalid_document_read_again_is_judged_anew
            a_document_judged_anew_takes_no_key_that_is_held
            a_cursor_is_stored_with_its_batch
            a_ledger_belongs_to_one_environment_for_good
            an_intent_survives_reopening
            a_registration_survives_reopening
            an_edit_takes_the_document_out_of_its_workers_hands
            an_outcome_without_an_intent_is_refused
            an_intent_needs_a_ready_document_in_hand
            an_intent_is_for_the_current_payload_only
            a_refused_call_leaves_those_beside_it_alone
            the_same_outcome_twice_changes_nothing
            racing_workers_never_hold_one_document
            an_expired_lease_frees_a_document
            a_released_document_is_free_at_once
            a_stopped_supplier_is_passed_over
            an_unknown_outcome_is_asked_about_when_its_time_has_come
            a_clear_not_there_makes_a_document_ready_and_keeps_its_route
            a_late_outcome_fills_in_what_was_unknown
            an_answer_to_an_earlier_attempt_is_refused
            a_used_up_number_stays_burnt
            every_result_is_owed_to_every_target
            receipts_name_the_ledger_that_made_them
            a_return_to_ready_replaces_an_earlier_result
            a_second_record_gets_the_result_too
            a_query_filters_and_pages
            the_audit_trail_tells_the_whole_life
            a_planned_job_survives_reopening
            a_subject_has_one_open_job
            a_cancellation_needs_a_registered_document
            a_cancellation_reaches_the_document_and_the_books
            a_refused_cancellation_puts_the_document_back
            a_step_in_flight_is_unknown_after_a_crash
            an_expired_lease_frees_a_job
            racing_workers_never_hold_one_job
            a_bill_made_with_the_irn_is_kept
            a_bill_is_cancelled_on_the_way_to_its_irn
            a_bill_is_learnt_from_a_read
            a_bill_stays_with_its_document
            a_registration_takes_nothing_from_a_bill
            the_books_get_no_receipt_for_what_they_do_not_show
            what_was_learnt_during_a_cancellation_reaches_the_books
            a_bill_that_is_over_hides_no_other
            a_late_delivery_leaves_the_newer_result_owed
            a_cancellation_is_learnt_from_a_read
            a_cancellation_that_was_learnt_leaves_no_active_bill
            a_conflict_is_adopted_by_a_person
            a_person_has_the_portal_asked_again_or_knows_better
            a_rejected_registration_is_marked
            a_person_is_believed_once_the_portal_tells_no_more
            what_is_registered_for_certain_is_never_sent_again
            an_acknowledgement_is_entered_by_a_person
            an_acknowledgement_belongs_to_the_irn_that_was_stated
            an_acknowledgement_lies_in_the_past_and_its_document_is_open
            a_registration_found_cancelled_is_entered_as_such
            a_step_that_a_person_saw_done_has_its_consequences
            a_step_that_a_person_saw_not_done_may_be_sent_again
            a_job_is_decided_only_once_it_was_handed_over
            a_job_that_nobody_can_tell_of_is_dropped_and_its_bill_is_to_be_read
            a_cancellation_of_an_irn_is_never_dropped
        }
        $crate::ledger_conformance! { @histories $harness;
            a_batch_is_taken_in_like_one_document_after_the_other
            random_histories_agree_with_the_model
            random_lives_agree_with_the_model
        }
    };
    (@tests $harness:expr; $($name:ident)+) => {$(ledger_promise! { $name
        #[test]
        fn $name() {
            $crate::ledger_suite::run(async {
                let harness = $harness;
                $crate::ledger_suite::$name(&harness).await;
            });
            $crate::promise::told(stringify!($name), ());
        }
    })+};
    (@histories $harness:expr; $($name:ident)+) => {$(ledger_promise! { $name
        #[test]
        fn $name() {
            $crate::ledger_suite::$name(|| $harness);
            $crate::promise::told(stringify!($name), ());
        }
    })+};
}

/// Runs a promise on a runtime of its own.
pub fn run<T>(promise: impl Future<Output = T>) -> T {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime.block_on(promise),
        Err(error) => panic!("no runtime for the test: {error}"),
    }
}

//! The promises of a ledger, kept by @name@.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::ledger::Ledger;
use einvoice_testkit::ledger_suite::LedgerHarness;
use @crate@::{@type@Config, @type@Ledger, Books};

/// A place that no other test has; what was stored there is found when the ledger is opened again.
#[derive(Default)]
struct Harness(Arc<Mutex<Books>>);

#[async_trait]
impl LedgerHarness for Harness {
    async fn open(&self, clock: SharedClock) -> Arc<dyn Ledger> {
        let config = @type@Config { place: "a test".to_owned(), settle_wait_seconds: 30 };
        Arc::new(@type@Ledger::open(config, Arc::clone(&self.0), clock))
    }

    fn settle_wait(&self) -> Duration {
        Duration::from_secs(30)
    }
}

// Take a promise off this list when it is kept: jobs, e-way bills, what a person decides, and answers to each arrival of a
// record are open.
einvoice_testkit::ledger_conformance!(Harness::default(), fill_in: [
    a_record_that_arrives_again_is_answered_again,
    a_corrected_arrival_has_its_last_answer,
    random_histories_agree_with_the_model,
    random_lives_agree_with_the_model,
    a_planned_job_survives_reopening,
    a_subject_has_one_open_job,
    a_cancellation_needs_a_registered_document,
    a_cancellation_reaches_the_document_and_the_books,
    a_refused_cancellation_puts_the_document_back,
    a_step_in_flight_is_unknown_after_a_crash,
    an_expired_lease_frees_a_job,
    racing_workers_never_hold_one_job,
    a_bill_made_with_the_irn_is_kept,
    a_bill_is_cancelled_on_the_way_to_its_irn,
    a_bill_is_learnt_from_a_read,
    a_bill_stays_with_its_document,
    a_registration_takes_nothing_from_a_bill,
    the_books_get_no_receipt_for_what_they_do_not_show,
    what_was_learnt_during_a_cancellation_reaches_the_books,
    a_bill_that_is_over_hides_no_other,
    a_late_delivery_leaves_the_newer_result_owed,
    a_cancellation_is_learnt_from_a_read,
    a_cancellation_that_was_learnt_leaves_no_active_bill,
    a_conflict_is_adopted_by_a_person,
    a_person_has_the_portal_asked_again_or_knows_better,
    a_rejected_registration_is_marked,
    a_person_is_believed_once_the_portal_tells_no_more,
    what_is_registered_for_certain_is_never_sent_again,
    an_acknowledgement_is_entered_by_a_person,
    an_acknowledgement_belongs_to_the_irn_that_was_stated,
    an_acknowledgement_lies_in_the_past_and_its_document_is_open,
    a_registration_found_cancelled_is_entered_as_such,
    a_step_that_a_person_saw_done_has_its_consequences,
    a_step_that_a_person_saw_not_done_may_be_sent_again,
    a_job_is_decided_only_once_it_was_handed_over,
    a_job_that_nobody_can_tell_of_is_dropped_and_its_bill_is_to_be_read,
    a_cancellation_of_an_irn_is_never_dropped,
]);

#[test]
#[ignore = "to be filled in: a ledger in @name@ itself"]
fn an_intent_is_there_after_the_machine_went_down() {
    panic!("store an intent, end the process at once, and find the intent when the ledger is opened again");
}

//! The life of a registration: cancelled, read, rejected, found at another site, with the real ledger, the real
//! protocol and the emulator as both government systems.

mod support;

use std::time::Duration;

use einvoice_core::ewb::CancelReason;
use einvoice_core::identifier::DocumentNumber;
use einvoice_core::job::JobState;
use einvoice_core::key::DocumentType;
use einvoice_core::ledger::LedgerError;
use einvoice_core::operation::{Operation, OperationKind, RegistrationStatus, Reply};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::verify::Proof;
use einvoice_sandbox::{Fault, PortalOperation, PortalSettings, TaxpayerEntry};
use einvoice_testkit::documents::{Recipe, gstin};
use support::World;
use support::life::*;

#[tokio::test]
async fn an_irn_is_cancelled_once_whatever_becomes_of_the_answer() {
    for mishap in mishaps() {
        let world = registered().await;
        if let Some(fault) = mishap.clone() {
            world.fault(PortalOperation::CancelIrn, fault);
        }
        let job = done(&world, plan_cancel(&world).await.unwrap()).await;
        assert_eq!(job.steps, [OperationKind::CancelIrn], "{mishap:?}");
        let status = status(&world).await;
        assert_eq!(status.state, DocumentState::Cancelled, "{mishap:?}");
        assert_eq!(status.cancellation.unwrap().reason, Some(CancelReason::OrderCancelled));
        let line = the_invoice(&world);
        assert_eq!(line.status.as_deref(), Some("CNL"));
        let calls = if mishap == Some(Fault::DropBeforeProcessing) { 2 } else { 1 };
        assert_eq!(world.calls(PortalOperation::CancelIrn), calls, "{mishap:?}");
        assert_eq!(world.target.receipts().last().unwrap().state, DocumentState::Cancelled);
    }
}

#[tokio::test]
async fn a_day_and_a_second_after_the_acknowledgement_an_irn_stays() {
    let world = registered().await;
    let in_time = plan_cancel(&world).await.unwrap();
    let mut without_deadline = in_time.clone();
    without_deadline.deadline = None;
    world.advance(Duration::from_hours(24) + Duration::from_secs(61));
    assert_eq!(plan_cancel(&world).await.unwrap_err().code.as_deref(), Some("2270"));
    assert_eq!(codes(&world, in_time).await, ["2270"]);
    assert_eq!(world.calls(PortalOperation::CancelIrn), 0, "what is too late is not sent");
    assert_eq!(codes(&world, without_deadline).await, ["2270"], "the portal says the same");
    assert_eq!(world.calls(PortalOperation::CancelIrn), 1);
    assert_eq!(status(&world).await.state, DocumentState::Registered);
    assert_eq!(the_invoice(&world).status.as_deref(), Some("ACT"));
}

#[tokio::test]
async fn an_irn_is_not_cancelled_twice() {
    let world = registered().await;
    let planned = plan_cancel(&world).await.unwrap();
    done(&world, planned.clone()).await;
    let cancelled_at = the_invoice(&world).cancelled;
    assert_eq!(plan_cancel(&world).await.unwrap_err().code.as_deref(), Some("9999"));
    assert!(matches!(world.ledger.plan(planned).await, Err(LedgerError::IllegalMove { .. })));
    assert_eq!(world.calls(PortalOperation::CancelIrn), 1);
    assert_eq!(the_invoice(&world).cancelled, cancelled_at);
}

#[tokio::test]
async fn an_irn_that_another_office_cancelled_is_cancelled_here_as_well() {
    let world = registered().await;
    let office = world.beside([Recipe::numbered(1).json()]).await;
    office.run().await;
    assert_eq!(office.states().await, [DocumentState::Registered], "a duplicate of the same content is adopted");
    done(&office, plan_cancel(&office).await.unwrap()).await;
    done(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!(world.states().await, [DocumentState::Cancelled]);
    assert_eq!(world.calls(PortalOperation::CancelIrn), 2, "the second one was answered with 9999");
    assert_eq!(the_invoice(&world).status.as_deref(), Some("CNL"));
}

#[tokio::test]
async fn the_irn_of_somebody_else_is_not_cancelled() {
    let world = registered().await;
    let mut planned = plan_cancel(&world).await.unwrap();
    planned.gstin = gstin(33, 5);
    assert_eq!(codes(&world, planned).await, ["2143"]);
    assert_eq!(status(&world).await.state, DocumentState::Registered);
    assert_eq!(the_invoice(&world).status.as_deref(), Some("ACT"));
}

#[tokio::test]
async fn an_irn_is_cancelled_after_its_bill_though_both_answers_are_lost() {
    for mishap in mishaps() {
        let (mut world, number) = with_bill().await;
        // Two steps that each wait for an answer in vain.
        world.settings.settle_patience_seconds = 600;
        if let Some(fault) = mishap.clone() {
            world.fault(PortalOperation::CancelEwb, fault.clone());
            world.fault(PortalOperation::CancelIrn, fault);
        }
        let job = done(&world, plan_cancel(&world).await.unwrap()).await;
        assert_eq!(job.steps, [OperationKind::CancelEwb, OperationKind::CancelIrn]);
        let status = status(&world).await;
        assert_eq!((status.state, status.ewb_state), (DocumentState::Cancelled, EwbState::Cancelled), "{mishap:?}");
        assert_eq!(bill(&world, number).await.standing.state, EwbState::Cancelled);
        assert_eq!(
            (the_invoice(&world).status.as_deref(), the_bill(&world).state.as_str()),
            (Some("CNL"), "cancelled")
        );
    }
}

#[tokio::test]
async fn an_irn_with_a_bill_that_nobody_knew_of_is_cancelled_in_two_goes() {
    let world = registered().await;
    let office = world.beside([Recipe::numbered(1).json()]).await;
    office.run().await;
    let number = bill_of_the_irn(&office).await;
    assert_eq!(codes(&world, plan_cancel(&world).await.unwrap()).await, ["2230"]);
    assert_eq!(bill(&world, number).await.standing.state, EwbState::Active);
    done(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!(world.states().await, [DocumentState::Cancelled]);
    assert_eq!(the_bill(&world).state, "cancelled");
}

#[tokio::test]
async fn a_registration_is_read_by_irn_and_by_document_and_by_nobody_else() {
    let world = registered().await;
    let irn = status(&world).await.irn.unwrap();
    let by_document = || Operation::GetIrnByDocument {
        doc_type: DocumentType::Invoice,
        number: DocumentNumber::parse("T/1").unwrap(),
        date: day("05/11/2026"),
        site: None,
    };
    for question in [Operation::GetIrn { irn, site: None }, by_document()] {
        let Reply::Registration(found) = ask(&world, maker(), question.clone()).await.unwrap() else {
            unreachable!("{question:?} is answered with a registration")
        };
        assert_eq!((found.irn, &found.status), (irn, &RegistrationStatus::Active), "{question:?}");
    }
    assert_eq!(refusal(&world, gstin(33, 5), Operation::GetIrn { irn, site: None }).await, "2148");
    assert_eq!(refusal(&world, gstin(33, 5), by_document()).await, "2154");
    done(&world, plan_cancel(&world).await.unwrap()).await;
    let Reply::Registration(found) = ask(&world, maker(), Operation::GetIrn { irn, site: None }).await.unwrap() else {
        unreachable!("a registration")
    };
    assert_eq!(found.status, RegistrationStatus::Cancelled);
}

#[tokio::test]
async fn the_list_of_rejected_irns_is_that_of_the_day() {
    let world = registered().await;
    let irn = status(&world).await.irn.unwrap();
    let question = |date: &str| Operation::RejectedIrns { date: day(date), site: None };
    assert_eq!(ask(&world, maker(), question("20/11/2026")).await.unwrap(), Reply::RejectedIrns(Vec::new()));
    world.sandbox.reject_irn(&irn.to_string()).await.unwrap();
    assert_eq!(ask(&world, maker(), question("20/11/2026")).await.unwrap(), Reply::RejectedIrns(vec![irn]));
    assert_eq!(ask(&world, maker(), question("19/11/2026")).await.unwrap(), Reply::RejectedIrns(Vec::new()));
    assert_eq!(ask(&world, gstin(33, 5), question("20/11/2026")).await.unwrap(), Reply::RejectedIrns(Vec::new()));
}

#[tokio::test]
async fn a_taxpayer_is_asked_about_at_the_registration_portal() {
    let world = registered().await;
    for question in [Operation::GstinDetails { gstin: recipient() }, Operation::SyncGstin { gstin: recipient() }] {
        let Reply::Taxpayer(found) = ask(&world, maker(), question.clone()).await.unwrap() else {
            unreachable!("{question:?} is answered with a taxpayer")
        };
        assert_eq!((found.gstin.as_str(), found.status.as_deref()), (recipient().as_str(), Some("ACT")));
    }
}

#[tokio::test]
async fn a_document_refused_for_a_stale_recipient_is_sent_again_after_a_sync() {
    let stale =
        TaxpayerEntry { gstin: recipient().to_string(), stale_status: "CNL".into(), ..TaxpayerEntry::default() };
    let world = registered_with(PortalSettings { taxpayers: vec![stale], ..PortalSettings::default() }).await;
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 2, "refused, synced, sent again");
    assert_eq!(world.calls(PortalOperation::SyncGstin), 1);
    assert_eq!(the_invoice(&world).status.as_deref(), Some("ACT"));
}

#[tokio::test]
async fn a_registration_at_the_other_site_is_found_there_and_cancelled_there() {
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    world.settings.settle_patience_seconds = 0;
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    world.run().await;
    assert_eq!(world.states().await, [DocumentState::Unknown]);
    let irn = the_invoice(&world).irn.unwrap();
    world.sandbox.move_to_site(&irn, "NIC2").await.unwrap();
    world.advance(Duration::from_mins(2));
    world.settings.settle_patience_seconds = 600;
    world.run().await;
    let found = status(&world).await;
    assert_eq!((found.state, found.site.as_deref()), (DocumentState::Registered, Some("NIC2")));
    let question = |site: Option<&str>| Operation::GetIrn { irn: found.irn.unwrap(), site: site.map(str::to_owned) };
    assert_eq!(refusal(&world, maker(), question(None)).await, "2148");
    assert!(ask(&world, maker(), question(Some("NIC2"))).await.is_ok());
    world.fault(PortalOperation::GenerateEwbByIrn, Fault::DropReplyAfterCommit);
    let number = bill_of_the_irn(&world).await;
    assert_eq!(the_bill(&world).ewb_no, number.to_string());
    world.fault(PortalOperation::CancelIrn, Fault::DropReplyAfterCommit);
    done(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!(world.states().await, [DocumentState::Cancelled]);
    let line = the_invoice(&world);
    assert_eq!((line.site.as_deref(), line.status.as_deref()), (Some("NIC2"), Some("CNL")));
}

#[tokio::test]
async fn a_document_that_another_portal_registered_is_never_registered_here() {
    let world = World::new([Recipe::numbered(1).json()]).await;
    let supplier = maker().to_string();
    world.sandbox.register_elsewhere(&supplier, "INV", "T/1", "05/11/2026", "CDIRP").await.unwrap();
    world.run().await;
    world.advance(Duration::from_hours(2));
    world.run().await;
    // Where and when is not told readably, so nobody here can call it registered.
    assert_eq!(world.states().await, [DocumentState::Unknown]);
    assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "nothing is sent again");
    assert!(world.books().iter().all(|line| line.registrations == 0), "{:?}", world.books());
}

#[tokio::test]
async fn a_genuine_signature_over_another_document_or_amount_is_not_believed() {
    for fault in [Fault::AnotherDocument, Fault::OtherAmount] {
        let world = World::new([Recipe::numbered(1).json()]).await;
        world.fault(PortalOperation::GenerateIrn, fault.clone());
        world.run().await;
        // What the portal said first is not taken; what it says when asked is.
        let found = status(&world).await;
        assert_eq!(found.state, DocumentState::Registered, "{fault:?}");
        assert!(matches!(found.proof, Some(Proof::Verified { .. })), "{fault:?}: {:?}", found.proof);
        assert_eq!(the_invoice(&world).irn, found.irn.map(|irn| irn.to_string()), "{fault:?}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "{fault:?}");
        assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_portal_that_keeps_saying_something_else_is_never_believed() {
    for (fault, state) in
        [(Fault::AnotherDocument, DocumentState::Unknown), (Fault::OtherAmount, DocumentState::Conflict)]
    {
        let world = World::new([Recipe::numbered(1).json()]).await;
        for operation in [PortalOperation::GenerateIrn, PortalOperation::GetIrn, PortalOperation::GetIrnByDocument] {
            world.faults(operation, fault.clone(), 1_000);
        }
        for _ in 0..3 {
            world.run().await;
            world.advance(Duration::from_hours(1));
        }
        let found = status(&world).await;
        assert_eq!((found.state, found.proof), (state, None), "{fault:?}");
        assert_eq!(world.calls(PortalOperation::GenerateIrn), 1, "{fault:?}");
        assert_eq!(the_invoice(&world).status.as_deref(), Some("ACT"));
    }
}

#[tokio::test]
async fn a_cancellation_left_unclear_by_a_run_is_settled_by_the_next_one() {
    let mut world = registered().await;
    world.settings.settle_patience_seconds = 0;
    world.fault(PortalOperation::CancelIrn, Fault::DropReplyAfterCommit);
    let job = outcome(&world, plan_cancel(&world).await.unwrap()).await;
    assert_eq!(job.state, JobState::Unknown);
    assert_eq!(world.states().await, [DocumentState::Cancelling]);
    world.restart().await;
    world.advance(Duration::from_mins(2));
    world.run().await;
    assert_eq!(world.states().await, [DocumentState::Cancelled]);
    assert_eq!(world.calls(PortalOperation::CancelIrn), 1);
}

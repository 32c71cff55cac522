//! Kills between any two changes of the keyring: the old record or the new one is read, and what was left behind goes with
//! the next write.

use einvoice_core::credential::CredentialError;
use einvoice_core::session::SavedSession;

use crate::{Harness, entry, of, ours, session};

/// Tokens of both lengths: one lies in the head, the other over several entries.
const LENGTHS: [usize; 3] = [10, 4_000, 12_000];

async fn with_session(old: &SavedSession) -> Harness {
    let harness = Harness::new();
    let store = harness.store();
    store.put(entry(ours(), "p")).await.unwrap();
    store.save_session(&ours(), old).await.unwrap();
    harness
}

#[tokio::test]
async fn a_write_that_was_killed_leaves_the_old_record_or_the_new_and_the_next_leaves_no_pieces() {
    for before in LENGTHS {
        for after in LENGTHS {
            let (old, new, next) = (session('o', before), session('n', after), session('x', before));
            let tidy = with_session(&next).await.keyring.names().len();
            for changes in 0.. {
                let harness = with_session(&old).await;
                harness.keyring.die_after(changes);
                let written = harness.store().save_session(&ours(), &new).await;
                let was_killed = harness.keyring.revive();
                let store = harness.store();
                let found = store.session(&ours()).await.unwrap().unwrap();
                assert!(found == old || found == new, "a mixture after {changes} changes of {before} to {after}");
                assert!(written.is_err() || found == new, "said to be written after {changes} changes, and is not");
                store.save_session(&ours(), &next).await.unwrap();
                assert!(store.session(&ours()).await.unwrap() == Some(next.clone()));
                assert_eq!(harness.keyring.names().len(), tidy, "{:?}", harness.keyring.names());
                if !was_killed {
                    assert!(changes > after / 1_500, "it was never killed in between");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_first_write_that_was_killed_is_as_good_as_none_or_is_there_and_listed() {
    for changes in 0.. {
        let harness = Harness::new();
        harness.keyring.die_after(changes);
        let written = harness.store().put(entry(ours(), "p")).await;
        let was_killed = harness.keyring.revive();
        let store = harness.store();
        let (found, listed) = (store.api_user(&ours()).await, store.list().await.unwrap());
        match &found {
            Ok(_) => assert_eq!(listed.len(), 1, "after {changes} changes"),
            Err(error) => {
                assert!(matches!(error, CredentialError::Missing { .. }), "{error}");
                assert!(written.is_err() && listed.is_empty(), "after {changes} changes");
            }
        }
        if !was_killed {
            assert!(changes >= 2, "it was never killed in between");
            break;
        }
    }
}

#[tokio::test]
async fn a_removal_that_was_killed_is_done_by_the_next_and_hands_nothing_out_in_between() {
    let old = session('o', 12_000);
    for changes in 0.. {
        let harness = with_session(&old).await;
        harness.keyring.die_after(changes);
        let removed = harness.store().remove(&of(ours())).await;
        let was_killed = harness.keyring.revive();
        let store = harness.store();
        let between = store.session(&ours()).await.unwrap();
        assert!(between.is_none() || between == Some(old.clone()), "after {changes} changes");
        // Missing where the entry went before the kill, and its pieces are still swept.
        let again = store.remove(&of(ours())).await;
        assert!(again.is_ok() || matches!(again, Err(CredentialError::Missing { .. })), "{again:?}");
        assert!(harness.keyring.names().is_empty(), "after {changes} changes: {:?}", harness.keyring.names());
        assert!(store.list().await.unwrap().is_empty());
        if !was_killed {
            removed.unwrap();
            break;
        }
    }
}

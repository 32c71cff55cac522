//! Decisions that the design left open, each with its context, choice, consequences, and what would
//! change our mind.

#[doc = include_str!("0001-moves-before-anything-is-sent.md")]
pub mod moves_before_anything_is_sent {}
#[doc = include_str!("0002-one-wire-client-many-carriers.md")]
pub mod one_wire_client_many_carriers {}
#[doc = include_str!("0003-tokens-and-logins-live-in-core.md")]
pub mod tokens_and_logins_live_in_core {}
#[doc = include_str!("0004-the-first-of-two-clashing-records-wins.md")]
pub mod the_first_of_two_clashing_records_wins {}
#[doc = include_str!("0005-the-e-way-bill-part-of-connection-json-is-null.md")]
pub mod the_e_way_bill_part_of_connection_json_is_null {}
#[doc = include_str!("0006-rules-soften-but-never-vanish.md")]
pub mod rules_soften_but_never_vanish {}
#[doc = include_str!("0007-one-intent-covers-the-sending-after-a-sync.md")]
pub mod one_intent_covers_the_sending_after_a_sync {}
#[doc = include_str!("0008-jobs-beside-documents.md")]
pub mod jobs_beside_documents {}
#[doc = include_str!("0009-the-emulator-plays-both-systems-on-one-set-of-books.md")]
pub mod the_emulator_plays_both_systems_on_one_set_of_books {}
#[doc = include_str!("0010-a-source-may-be-heard-before-its-schedule.md")]
pub mod a_source_may_be_heard_before_its_schedule {}
#[doc = include_str!("0011-a-copy-of-a-workbook-carries-its-own-state.md")]
pub mod a_copy_of_a_workbook_carries_its_own_state {}
#[doc = include_str!("0012-each-arrival-is-answered.md")]
pub mod each_arrival_is_answered {}
#[doc = include_str!("0013-a-file-is-claimed-by-moving-it.md")]
pub mod a_file_is_claimed_by_moving_it {}
#[doc = include_str!("0014-a-new-secret-logs-in-before-it-replaces-the-old.md")]
pub mod a_new_secret_logs_in_before_it_replaces_the_old {}
#[doc = include_str!("0015-vault-by-its-client-library.md")]
pub mod vault_by_its_client_library {}
#[doc = include_str!("0016-secrets-are-wiped-and-core-dumps-are-the-systems.md")]
pub mod secrets_are_wiped_and_core_dumps_are_the_systems {}
#[doc = include_str!("0017-the-use-of-an-account-is-kept-in-a-file-of-its-own.md")]
pub mod the_use_of_an_account_is_kept_in_a_file_of_its_own {}
#[doc = include_str!("0018-the-emulator-plays-what-comes-before-the-first-call.md")]
pub mod the_emulator_plays_what_comes_before_the_first_call {}
#[doc = include_str!("0019-a-run-and-its-ledger-belong-to-one-environment.md")]
pub mod a_run_and_its_ledger_belong_to_one_environment {}
#[doc = include_str!("0020-a-keyring-is-a-shelf-of-small-entries.md")]
pub mod a_keyring_is_a_shelf_of_small_entries {}
#[doc = include_str!("0021-a-result-is-known-by-its-ledger-and-revision.md")]
pub mod a_result_is_known_by_its_ledger_and_revision {}

//! Puts a profile to the proof without an account: the suite of transports, and a round through the emulator with the
//! provider played before it; and to what was recorded of an account.

mod replay;
mod round;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::thread;

use einvoice_testkit::transport_suite::{PROMISES, Promise, watched};

pub use replay::{replay, understood};
pub use round::round;

use crate::profile::Profile;
use crate::suite::ThroughProvider;

/// Characters of what was found that are told of a broken promise.
const FOUND_CHARS: usize = 400;

/// What became of a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise is kept, is broken, or is about something else")]
pub enum Became {
    /// It was kept.
    Kept,
    /// It is about something that the profile has not; why.
    NotApplicable(String),
    /// It was broken; what was found.
    Broken(String),
}

/// A promise with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "these three make the sentence")]
pub struct Told {
    /// The promise, as a sentence without its full stop.
    pub promise: String,
    /// What became of it.
    pub became: Became,
    /// Keys of the profile that it hangs on.
    pub look_at: Vec<String>,
}

impl Told {
    fn of(name: &str, became: Became, keys: &[&str]) -> Self {
        Self { promise: name.replace('_', " "), became, look_at: keys.iter().map(|key| (*key).to_owned()).collect() }
    }
}

/// Runs the suite of transports: every promise over HTTP on the loopback interface, with a portal that answers in the
/// provider's words what it is told to. Takes some seconds; must not be called on a thread of a runtime.
///
/// A profile that carries no write of either system has none of these promises.
#[must_use]
pub fn suite(profile: &Profile) -> Vec<Told> {
    // A broken promise panics. What it says is told in its place, so that nothing else is to be printed meanwhile.
    let before = take_hook();
    set_hook(Box::new(|_| {}));
    let told = thread::scope(|scope| {
        let running: Vec<_> = PROMISES.iter().map(|promise| scope.spawn(|| shown(profile, promise))).collect();
        let became = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Became::Broken("its thread ended before its time".to_owned()))
        });
        became.collect::<Vec<_>>()
    });
    set_hook(before);
    let all = PROMISES.iter().zip(told);
    all.map(|(promise, became)| Told::of(promise.name, became, keys_of(promise.name))).collect()
}

fn shown(profile: &Profile, promise: &Promise) -> Became {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut refused = None;
        let shown = watched(async {
            match ThroughProvider::of(profile.clone()).await {
                Ok(harness) => (promise.show)(&harness).await,
                Err(error) => {
                    refused = Some(error.to_string());
                    Ok(())
                }
            }
        });
        (shown, refused)
    }));
    match outcome {
        Ok((_, Some(reason))) => Became::NotApplicable(reason),
        Ok((Ok(()), None)) => Became::Kept,
        Ok((Err(reason), None)) => Became::NotApplicable(reason.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Became::Broken(in_one_line(&text.unwrap_or_default()))
        }
    }
}

/// A text of several lines in one, cut where it is too long to read.
fn in_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(FOUND_CHARS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The keys that a promise of the suite hangs on.
fn keys_of(promise: &str) -> &'static [&'static str] {
    match promise {
        "a_refusal_is_never_a_success" | "an_answer_that_says_neither_yes_nor_no_asks_first" => {
            &["irp.reply.accepted", "irp.reply.refused", "irp.reply.errors"]
        }
        "a_refused_login_is_a_refusal" => &["irp.login.reply"],
        "a_token_that_is_refused_may_be_replaced_and_the_call_repeated" => &["irp.reply.errors", "codes"],
        "a_page_instead_of_an_answer_asks_first_after_a_write" => &["http", "irp.reply"],
        "a_request_names_the_taxpayer_exactly_once" => &["irp.headers", "irp.query", "provider.headers"],
        "an_unsupported_operation_makes_no_call" | "calls_at_the_same_time_do_not_mix" => &["irp.operations"],
        "no_error_and_no_log_holds_a_credential" => &["irp.operations", "irp.headers", "irp.query"],
        "a_heartbeat_tells_up_from_down" | "a_heartbeat_carries_no_credential" => &["provider.heartbeat"],
        "a_capability_is_answered_without_a_call" => &["irp.operations", "limits"],
        _ => &["irp.operations", "irp.reply"],
    }
}

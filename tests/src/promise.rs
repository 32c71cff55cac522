//! What became of a promise of a suite: kept, or about something that the part under test has not.

use std::fmt;

/// A promise was kept, or is not applicable. A broken one panics.
pub type Shown = Result<(), NotApplicable>;

/// Why a promise is not applicable: what the part under test, or the portal beside it, has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplicable(String);

impl NotApplicable {
    /// A promise that is about something else, for this reason.
    pub fn because(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Prints a promise as a sentence, with what became of it; `name` is that of its test.
#[expect(clippy::print_stdout, reason = "whoever runs a suite reads there what was shown and what was not")]
pub(crate) fn tell(name: &str, shown: Shown) {
    let sentence = name.replace('_', " ");
    match shown {
        Ok(()) => println!("kept: {sentence}"),
        Err(NotApplicable(reason)) => println!("not applicable: {sentence}: {reason}"),
    }
}

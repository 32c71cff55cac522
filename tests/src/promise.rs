//! What became of a promise of a suite: kept, or about something that the part under test has not.
//!
//! A promise that is still to be kept is named to its suite, and shown as ignored until then:
//!
//! ```
//! # use einvoice_testkit::source_suite::SourceFixture;
//! # async fn bills() -> SourceFixture { unimplemented!() }
//! einvoice_testkit::source_conformance!(bills, fill_in: [acknowledging_twice_is_the_same_as_once]);
//! ```
//!
//! A name that is no promise does not compile, and the compiler says which one is meant:
//!
//! ```compile_fail,E0432
//! # use einvoice_testkit::source_suite::SourceFixture;
//! # async fn bills() -> SourceFixture { unimplemented!() }
//! einvoice_testkit::source_conformance!(bills, fill_in: [acknowleging_twice_is_the_same_as_once]);
//! ```

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

impl fmt::Display for NotApplicable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Prints a promise as a sentence, with what became of it; `name` is that of its test. A promise that gives nothing
/// was kept, as it would have panicked.
pub fn told(name: &str, outcome: impl Into<Outcome>) {
    let Outcome(shown) = outcome.into();
    tell(name, shown);
}

/// What the function of a promise gives.
#[derive(Debug)]
pub struct Outcome(Shown);

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self(Ok(()))
    }
}

impl From<Shown> for Outcome {
    fn from(shown: Shown) -> Self {
        Self(shown)
    }
}

/// Defines a macro of this name, which leaves out the tests of these promises until somebody has filled in what they are
/// about; `all` stands for every promise. For the suites' own macros, each of which has a name of its own for it.
///
/// A suite takes the list as `fill_in: [...]`, and `cargo test` shows each such promise as ignored, to be filled in. A
/// promise is a function of its suite's module, so that a name that is no promise does not compile, and the compiler
/// says which one was meant.
#[doc(hidden)]
#[macro_export]
macro_rules! mark_promises {
    ($test_of:ident, $suite:ident, all) => { $crate::mark_promises! { @all ($) $test_of } };
    ($test_of:ident, $suite:ident, [$($name:ident),* $(,)?]) => {
        $(const _: () = {
            #[allow(unused_imports, reason = "it is named so that the compiler knows it")]
            use $crate::$suite::$name as _;
        };)*
        $crate::mark_promises! { @some ($) $test_of $($name)* }
    };
    (@all ($d:tt) $test_of:ident) => {
        macro_rules! $test_of {
            ($d name:ident $d test:item) => {
                #[ignore = "a promise to be filled in"]
                $d test
            };
        }
    };
    (@some ($d:tt) $test_of:ident $($to_fill_in:ident)*) => {
        macro_rules! $test_of {
            $(($to_fill_in $d test:item) => {
                #[ignore = "a promise to be filled in"]
                $d test
            };)*
            ($d name:ident $d test:item) => { $d test };
        }
    };
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

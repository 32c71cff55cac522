//! Code for what a profile cannot say: a provider whose JSON is not the portal's.
//!
//! A hook is registered by name, and a profile names it at an operation. One of your own is a crate that your program
//! links:
//!
//! ```
//! use einvoice_core::operation::Operation;
//! use einvoice_gsp::hooks::{Hook, HookError};
//!
//! #[derive(Debug)]
//! struct Shouting;
//!
//! impl Hook for Shouting {
//!     fn request(&self, _: &Operation, json: &str) -> Result<String, HookError> {
//!         Ok(json.to_uppercase())
//!     }
//!     fn reply(&self, _: &Operation, json: &str) -> Result<String, HookError> {
//!         Ok(json.to_owned())
//!     }
//! }
//!
//! einvoice_gsp::register_hook! { name: "shouting", summary: "For a provider that is hard of hearing.", hook: Shouting }
//!
//! assert!(einvoice_gsp::hooks::find("shouting").is_some());
//! ```

mod masters_india;

use std::fmt;

use einvoice_core::operation::{Operation, OperationKind};
use einvoice_core::registry::inventory;

/// Turns the portal's JSON into a provider's, and back.
pub trait Hook: fmt::Debug + Send + Sync {
    /// The provider's JSON of a request; `json` is the portal's, or empty for a read.
    ///
    /// # Errors
    /// When the portal's JSON cannot be said in the provider's. Nothing is sent then.
    fn request(&self, operation: &Operation, json: &str) -> Result<String, HookError>;

    /// The portal's JSON of a request in the provider's: what the provider does with it, for the emulator.
    ///
    /// # Errors
    /// When the hook does not say, or the provider would not understand it.
    fn asked(&self, operation: OperationKind, json: &str) -> Result<String, HookError> {
        let _ = json;
        Err(HookError(format!("this hook does not say how {operation} is understood, so it cannot be emulated")))
    }

    /// The portal's JSON of an answer's content; `json` is the provider's.
    ///
    /// # Errors
    /// When it is not understood. After a write the portal is asked then.
    fn reply(&self, operation: &Operation, json: &str) -> Result<String, HookError>;
}

/// Why a hook cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[expect(clippy::exhaustive_structs, reason = "a hook gives its reason in a sentence")]
pub struct HookError(
    /// What is wrong, for a person, without any value of a document.
    pub String,
);

/// A hook as registered.
#[expect(clippy::exhaustive_structs, reason = "the registering macro fills in every field")]
pub struct HookEntry {
    /// Its name in profiles.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// The package that registered it.
    pub krate: &'static str,
    /// The hook.
    pub hook: &'static dyn Hook,
}

impl fmt::Debug for HookEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HookEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

inventory::collect!(HookEntry);

/// The hook of a name. Of two with one name the first by package counts.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Hook> {
    let mut found: Vec<&'static HookEntry> = entries().filter(|entry| entry.name == name).collect();
    // The linker decides which comes first.
    found.sort_by_key(|entry| entry.krate);
    found.first().map(|entry| entry.hook)
}

/// All hooks of this program.
pub fn entries() -> impl Iterator<Item = &'static HookEntry> {
    inventory::iter::<HookEntry>.into_iter()
}

/// Names of all hooks of this program, in the order of the alphabet.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = entries().map(|entry| entry.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Registers a [`Hook`] under a name.
#[macro_export]
macro_rules! register_hook {
    (name: $name:literal, summary: $summary:literal, hook: $hook:expr $(,)?) => {
        $crate::inventory::submit! {
            $crate::hooks::HookEntry { name: $name, summary: $summary, krate: env!("CARGO_PKG_NAME"), hook: &$hook }
        }
    };
}

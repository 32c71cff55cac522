//! What a plugin can print for a person to start from: tables to make, a workbook to fill.

use std::fmt;

/// One registration: a text that `einvoice new NAME` prints.
pub struct Scaffold {
    /// The name by which the command line asks for it: `staging`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// The package that registered it.
    pub krate: &'static str,
    /// The kinds of it that there are: the dialects of SQL.
    pub variants: &'static [&'static str],
    /// The text of a kind; nothing for one that is not among them.
    pub text: fn(&str) -> Option<String>,
}

impl fmt::Debug for Scaffold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scaffold").field("name", &self.name).field("krate", &self.krate).finish_non_exhaustive()
    }
}

inventory::collect!(Scaffold);

impl Scaffold {
    /// The scaffold of a name among those linked into this program.
    #[must_use]
    pub fn linked(name: &str) -> Option<&'static Self> {
        inventory::iter::<Self>.into_iter().find(|scaffold| scaffold.name == name)
    }
}

/// Registers a [`Scaffold`].
///
/// ```ignore
/// einvoice_core::register_scaffold! {
///     name: "staging",
///     summary: "Staging tables",
///     variants: &["postgres", "mysql", "sqlite"],
///     text: staging::of_dialect, // fn(&str) -> Option<String>
/// }
/// ```
#[macro_export]
macro_rules! register_scaffold {
    (name: $name:expr, summary: $summary:expr, variants: $variants:expr, text: $text:expr $(,)?) => {
        $crate::registry::inventory::submit! {
            $crate::registry::Scaffold {
                name: $name,
                summary: $summary,
                krate: env!("CARGO_PKG_NAME"),
                variants: $variants,
                text: $text,
            }
        }
    };
}

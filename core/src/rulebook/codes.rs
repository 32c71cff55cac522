//! Codes against the portal's masters: what a finding about an unknown one looks like.

use crate::finding::Finding;
use crate::masters::{Kind, Lookup};

use super::Rule;

/// A finding for a code that is not listed, or no longer; nothing for one that is.
///
/// `what` names the code for a person: `HSN or SAC 12345678`.
pub(crate) fn unlisted<T>(
    rule: &Rule,
    path: impl Into<String>,
    kind: Kind,
    what: &dyn std::fmt::Display,
    lookup: &Lookup<'_, T>,
) -> Option<Finding> {
    let (message, expected) = match lookup {
        Lookup::Listed(_) => return None,
        Lookup::Withdrawn(withdrawal) => {
            let since = withdrawal.from.map(|from| format!(" since {from}")).unwrap_or_default();
            (format!("{what} is no longer taken{since}: {}", withdrawal.reason), "a code in use")
        }
        _ => (format!("{what} is not in the {} master", kind.as_str()), "a listed code"),
    };
    let kind = kind.as_str();
    Some(
        rule.finding(path, message).with_expected(format!("{expected} (`einvoice masters search` finds it)")).with_fix(
            format!(
                "Correct the code. If the portal takes it by now, add it under {kind} to the masters override file."
            ),
        ),
    )
}

//! What of the cases a route can carry: a provider passes on only some calls as they are.

use std::collections::{BTreeMap, BTreeSet};

use einvoice_core::raw::RawPart;

use super::case::Case;
use super::context::Context;
use super::request::{Made, Maker};
use super::state::Kept;
use crate::error::CliError;
use crate::output::counted;

/// Cases that a route cannot carry, each with the reason.
///
/// # Errors
/// [`CliError::Fault`] when a case is wrong in itself.
pub(super) fn left_out(
    order: &[&Case],
    cases: &BTreeMap<&str, &Case>,
    context: &Context,
    can: &BTreeSet<RawPart>,
) -> Result<BTreeMap<String, String>, CliError> {
    // What earlier cases will have registered is not known yet, and does not matter for the form of a call.
    let stand_in = Kept {
        object: context.unregistered(1),
        kind: "INV".to_owned(),
        number: context.number("IRN-Y001", 0),
        date: context.day(0),
        made: String::new(),
    };
    let maker = Maker { context, cases, made: Made::Supposed(&stand_in) };
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    // What a case needs stands before it.
    for case in order {
        let parts = maker.request(case)?.call.parts();
        if let Some(lacking) = parts.into_iter().find(|part| !can.contains(part)) {
            out.insert(case.id.clone(), lacking.why_lacking());
        } else if case.before().any(|before| out.contains_key(before)) {
            out.insert(case.id.clone(), "a case that it needs is left out".to_owned());
        }
    }
    Ok(out)
}

/// What is left out, a sentence for each reason.
pub(super) fn in_words(left_out: &BTreeMap<String, String>) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (case, reason) in left_out {
        by_reason.entry(reason).or_default().push(case);
    }
    let sentence = |(reason, cases): (&str, Vec<&str>)| {
        let count = counted(u64::try_from(cases.len()).unwrap_or(u64::MAX), "case");
        let verb = if cases.len() == 1 { "is" } else { "are" };
        format!("{count} {verb} left out, since {reason}: {}", ranges(&cases))
    };
    by_reason.into_iter().map(sentence).collect()
}

/// Ids in order, those that follow one another as a range: `IRN-N003 to IRN-N007, READ-N001`.
fn ranges(ids: &[&str]) -> String {
    let place = |id: &str| {
        let (digits, letters) = (id.len().saturating_sub(3), id.get(..id.len().saturating_sub(3)));
        Some((letters?.to_owned(), id.get(digits..)?.parse::<u32>().ok()?))
    };
    let follows = |id: &str, other: &str| match (place(id), place(other)) {
        (Some((letters, number)), Some((others, next))) => letters == others && number + 1 == next,
        _ => false,
    };
    let mut runs: Vec<(&str, &str)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if follows(last, id) => *last = id,
            _ => runs.push((id, id)),
        }
    }
    let run = |(first, last): (&str, &str)| if first == last { first.to_owned() } else { format!("{first} to {last}") };
    runs.into_iter().map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_follow_one_another_are_told_as_a_range() {
        let ids = ["DOC-N001", "IRN-N098", "IRN-N099", "IRN-N100", "IRN-Y101", "READ-N003"];
        assert_eq!(ranges(&ids), "DOC-N001, IRN-N098 to IRN-N100, IRN-Y101, READ-N003");
        let reasons = BTreeMap::from([("A-N001".to_owned(), "it rains".to_owned())]);
        assert_eq!(in_words(&reasons), ["1 case is left out, since it rains: A-N001"]);
    }
}

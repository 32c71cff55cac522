//! The cases as lists: on the command line, and as the chapter of the guide.

#[cfg(test)]
use std::fmt::Write as _;

use serde_json::json;

use super::case::Case;
use crate::arguments::Api;
use crate::error::CliError;
use crate::output::{Column, Output, counted};

/// Prints the cases.
pub(super) fn show(cases: &[&Case], output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return cases.iter().try_for_each(|case| {
            output.object(&json!({
                "case": case.id,
                "api": case.api,
                "title": case.title,
                "expected": case.expected.in_words(),
                "succeeds": case.should_succeed(),
            }))
        });
    }
    let row = |case: &&Case| vec![case.id.clone(), case.title.to_string(), case.expected.in_words()];
    for api in Api::ALL {
        let of_api: Vec<&Case> = cases.iter().copied().filter(|case| case.api == api).collect();
        if of_api.is_empty() {
            continue;
        }
        output.line(format!("{} (--only {}): {}", api.title(), api.word(), count(&of_api)))?;
        output.table(
            &[Column::keep("case"), Column::wrap("what is tried"), Column::wrap("expected")],
            of_api.iter().map(row),
        )?;
        output.line("")?;
    }
    Ok(())
}

fn count(cases: &[&Case]) -> String {
    let yes = u64::try_from(cases.iter().filter(|case| case.should_succeed()).count()).unwrap_or(u64::MAX);
    let no = u64::try_from(cases.len()).unwrap_or(u64::MAX).saturating_sub(yes);
    format!("{} that should succeed, {} that should fail", counted(yes, "case"), counted(no, "case"))
}

#[cfg(test)]
/// The tables of the guide, one an API.
pub(super) fn markdown(cases: &[Case]) -> String {
    let mut text = String::new();
    for api in Api::ALL {
        let mut of_api: Vec<&Case> = cases.iter().filter(|case| case.api == api).collect();
        of_api.sort_by(|one, other| (!one.should_succeed(), &one.id).cmp(&(!other.should_succeed(), &other.id)));
        // Writing into a text does not fail.
        let _written = write!(
            text,
            "\n## {}\n\n`--only {}`: {}.\n\n| case | what is tried | expected |\n| --- | --- | --- |\n",
            api.title(),
            api.word(),
            count(&of_api)
        );
        for case in of_api {
            let _written = writeln!(text, "| `{}` | {} | {} |", case.id, case.title, case.expected.in_words());
        }
    }
    text
}

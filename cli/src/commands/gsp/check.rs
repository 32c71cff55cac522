//! `gsp check`: a profile put to the proof without an account.

use serde_json::json;

use super::count;
use crate::arguments::GspCheck;
use crate::commands::block_on;
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Output, Span, Style, counted};
use crate::plugins::providers::check::{Became, Told, round, suite};
use crate::plugins::providers::profile::Profile;

/// Columns of what stands before a promise.
const VERDICT_COLUMNS: usize = 16;

pub(super) fn run(arguments: &GspCheck, output: &mut Output) -> Result<u8, CliError> {
    let profile = super::show::read(&arguments.profile)?;
    if !output.is_json() {
        output.line(format!("{}: {}", profile.id, profile.name))?;
        output.paragraph(2, &carries(&profile))?;
        output.line("")?;
        output.flush()?;
    }
    // The suite has runtimes of its own, one for each promise.
    let suite = suite(&profile);
    heading("the promises of a transport, over HTTP on this machine:", output)?;
    let mut broken = tell(&profile.id, &suite, output)?;
    let round = block_on(async { Ok(round(&profile).await) })?;
    heading("a round through the emulator, with the provider played by this profile:", output)?;
    broken += tell(&profile.id, &round, output)?;
    let all = || suite.iter().chain(&round);
    let kept = all().filter(|told| told.became == Became::Kept).count();
    let left_out = all().count() - kept - broken;
    if output.is_json() {
        output.object(&json!({
            "profile": profile.id, "kept": kept, "broken": broken, "not_applicable": left_out,
            "unconfirmed": profile.facts.unconfirmed,
        }))?;
    } else {
        output.line("")?;
        output.line(format!("{kept} kept, {broken} broken, {left_out} not applicable"))?;
        last_words(&profile, broken, output)?;
    }
    Ok(if broken == 0 { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON })
}

fn heading(text: &str, output: &mut Output) -> Result<(), CliError> {
    if output.is_json() { Ok(()) } else { output.line(text) }
}

/// Prints promises, each with what became of it, and counts those that are broken.
pub(super) fn tell(profile: &str, all: &[Told], output: &mut Output) -> Result<usize, CliError> {
    let mut broken = 0;
    for Told { promise, became, look_at } in all {
        let (verdict, style, reason) = match became {
            Became::Kept => ("kept", Style::Good, None),
            Became::NotApplicable(reason) => ("not applicable", Style::Faint, Some(reason)),
            Became::Broken(found) => {
                broken += 1;
                ("BROKEN", Style::Bad, Some(found))
            }
        };
        if output.is_json() {
            output.object(&json!({
                "profile": profile, "promise": promise, "verdict": verdict.to_lowercase().replace(' ', "_"),
                "reason": reason, "look_at": look_at,
            }))?;
            continue;
        }
        let head = format!("{verdict:<VERDICT_COLUMNS$}");
        output.spans(2, VERDICT_COLUMNS + 2, &[Span::styled(style, &head), Span::plain(promise)])?;
        if let Some(reason) = reason {
            output.paragraph(VERDICT_COLUMNS + 2, reason)?;
        }
        if matches!(became, Became::Broken(_)) {
            output.paragraph(VERDICT_COLUMNS + 2, &format!("look at {}", look_at.join(", ")))?;
        }
    }
    Ok(broken)
}

fn carries(profile: &Profile) -> String {
    let parts = [("e-invoice system", &profile.irp), ("e-way bill system", &profile.ewb)];
    let carried: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, part)| {
            let part = part.as_ref()?;
            // A profile that passes the portal's protocol on lists no operations: it carries all of them.
            Some(if part.operations.is_empty() {
                format!("the {name} by the portal's own protocol")
            } else {
                format!("{} of the {name}", counted(count(part.operations.len()), "operation"))
            })
        })
        .collect();
    format!("carries {}", carried.join(" and "))
}

fn last_words(profile: &Profile, broken: usize, output: &mut Output) -> Result<(), CliError> {
    if broken > 0 {
        return output.long_text(0, "The profile contradicts itself, or cannot tell answers apart: mend it first.");
    }
    output.long_text(
        0,
        "The profile is sound. Whether the provider does what it says, only the provider can show: record a session \
         with `einvoice gsp record`.",
    )?;
    if !profile.facts.unconfirmed.is_empty() {
        output.line("Not confirmed, to be tried first with a real account:")?;
        for fact in &profile.facts.unconfirmed {
            output.spans(2, 4, &[Span::plain("- "), Span::plain(fact)])?;
        }
    }
    Ok(())
}

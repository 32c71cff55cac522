//! Judged records as text for people.

use einvoice_core::finding::{Finding, Severity};
use einvoice_core::source::Provenance;

use super::Counts;
use super::judge::Judged;
use crate::error::CliError;
use crate::output::{Output, Style, counted, printable};

/// Where the text of a finding begins: behind its severity.
const TEXT_INDENT: usize = 13;

/// A judged record for people.
pub(super) fn text(judged: &Judged, output: &mut Output) -> Result<(), CliError> {
    match judged {
        Judged::Skipped { label, message } => {
            let word = output.styled(Style::Faint, "skipped").into_owned();
            output.line(format!("  {}  {word}: {}", printable(label), printable(message)))
        }
        Judged::Document { name, reference, valid, findings, provenance, .. } => {
            let word = match (*valid, findings.is_empty()) {
                (true, true) => output.styled(Style::Good, "valid"),
                (true, false) => output.styled(Style::Attention, "valid, with remarks"),
                (false, _) => output.styled(Style::Bad, "invalid"),
            };
            // The file stands above; where in it matters only where there is something to look for.
            let position = match reference.position.as_str() {
                position if findings.is_empty() || position.is_empty() => String::new(),
                position => format!("  ({})", printable(position)),
            };
            let line = format!("  {}  {word}{position}", printable(name));
            output.line(line)?;
            findings_text(findings, &reference.to_string(), output)?;
            provenance.as_ref().map_or(Ok(()), |provenance| provenance_text(provenance, output))
        }
    }
}

/// Findings for people, each with its numbers and what to do, and with its place where that is
/// another than the document's, which stands in the heading.
pub(in super::super) fn findings_text(
    findings: &[Finding],
    heading: &str,
    output: &mut Output,
) -> Result<(), CliError> {
    for finding in findings {
        let style = match finding.severity {
            Severity::Error => Style::Bad,
            Severity::Warning => Style::Attention,
            _ => Style::Faint,
        };
        let severity = format!("{:<8}", finding.severity.to_string());
        let code = finding.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        let path = if finding.path.is_empty() { String::new() } else { format!(" at {}", finding.path) };
        let head = format!("    {} {}{code}{path}", output.styled(style, &severity), finding.rule);
        output.line(head)?;
        output.paragraph(TEXT_INDENT, &finding.message)?;
        let compared = [("found", &finding.found), ("expected", &finding.expected)];
        let compared: Vec<String> =
            compared.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_deref()?))).collect();
        if !compared.is_empty() {
            output.paragraph(TEXT_INDENT, &compared.join(", "))?;
        }
        // The heading has told the document's place: what is left is where in it.
        let place = finding.place.as_deref().unwrap_or_default();
        let place = place.strip_prefix(heading).map_or(place, |rest| rest.trim_start_matches([',', ' ']));
        if !place.is_empty() {
            output.paragraph(TEXT_INDENT, &format!("in {place}"))?;
        }
        if let Some(fix) = &finding.fix {
            output.paragraph(TEXT_INDENT, &format!("fix: {fix}"))?;
        }
    }
    Ok(())
}

/// Where each value came from, one a line.
fn provenance_text(provenance: &Provenance, output: &mut Output) -> Result<(), CliError> {
    let width = provenance.keys().map(|path| path.chars().count()).max().unwrap_or_default();
    for (path, origin) in provenance {
        output.line(format!("    {:<width$}  from {}", printable(path), printable(origin)))?;
    }
    Ok(())
}

/// The last line: what was counted.
pub(super) fn summary(counts: &Counts, output: &mut Output) -> Result<(), CliError> {
    let mut parts = vec![format!("{} valid", counts.valid), format!("{} invalid", counts.invalid)];
    if counts.skipped > 0 {
        parts.push(format!("{} skipped", counts.skipped));
    }
    if counts.unreadable > 0 {
        parts.push(format!("{} not read", counted(counts.unreadable, "file")));
    }
    output.flush()?;
    let documents = counted(counts.valid + counts.invalid, "document");
    output.say(format!("{documents}: {}", parts.join(", ")))
}

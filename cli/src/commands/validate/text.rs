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
        if let Some(place) = place_within(finding, heading) {
            output.paragraph(TEXT_INDENT, &format!("in {place}"))?;
        }
        if let Some(fix) = &finding.fix {
            output.paragraph(TEXT_INDENT, &format!("fix: {fix}"))?;
        }
    }
    Ok(())
}

/// Where a finding stands, without what the heading of its document has told; nothing when that is all.
pub(super) fn place_within<'a>(finding: &'a Finding, heading: &str) -> Option<&'a str> {
    let place = finding.place.as_deref()?;
    let within = match place.strip_prefix(heading) {
        Some("") => "",
        Some(rest) => rest.strip_prefix(", ").unwrap_or(place),
        None => place,
    };
    Some(within).filter(|within| !within.is_empty())
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
pub(super) fn summary(counts: &Counts) -> String {
    let mut parts = vec![format!("{} valid", counts.valid), format!("{} invalid", counts.invalid)];
    if counts.skipped > 0 {
        parts.push(format!("{} skipped", counts.skipped));
    }
    if counts.unreadable > 0 {
        parts.push(format!("{} not read", counted(counts.unreadable, "file")));
    }
    let documents = counted(counts.valid + counts.invalid, "document");
    format!("{documents}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_heading_is_not_told_again() {
        let within = |place: &str| {
            let finding = Finding::error("a.b", "", "c").with_place(place);
            place_within(&finding, "a.json, line 1, column 1").map(str::to_owned)
        };
        assert_eq!(within("a.json, line 1, column 1"), None);
        assert_eq!(within("a.json, line 1, column 1, voucher 7").as_deref(), Some("voucher 7"));
        assert_eq!(within("a.json, line 1, column 13").as_deref(), Some("a.json, line 1, column 13"));
        assert_eq!(within("V/PARTYGSTIN").as_deref(), Some("V/PARTYGSTIN"));
    }
}

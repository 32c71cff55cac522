//! Judged records as text for people.

use einvoice_core::finding::{Finding, Severity};
use einvoice_core::source::Provenance;

use super::Counts;
use super::judge::Judged;
use crate::error::CliError;
use crate::output::{Output, Span, Style, columns, counted, cut_in_middle, printable};

/// Where a document's name begins.
const DOCUMENT_INDENT: usize = 2;

/// Where a finding begins.
const FINDING_INDENT: usize = 4;

/// Where the text of a finding begins: behind its severity.
const TEXT_INDENT: usize = 13;

/// Where it begins on a narrow terminal.
const NARROW_INDENT: usize = 6;

/// A judged record for people.
pub(super) fn text(judged: &Judged, output: &mut Output) -> Result<(), CliError> {
    match judged {
        Judged::Skipped { label, message } => {
            let spans = [
                Span::plain(label),
                Span::plain("  "),
                Span::styled(Style::Faint, "skipped"),
                Span::plain(": "),
                Span::plain(message),
            ];
            output.spans(DOCUMENT_INDENT, FINDING_INDENT, &spans)
        }
        Judged::Document { name, reference, valid, findings, provenance, .. } => {
            let (style, word) = match (*valid, findings.is_empty()) {
                (true, true) => (Style::Good, "valid"),
                (true, false) => (Style::Attention, "valid, with remarks"),
                (false, _) => (Style::Bad, "invalid"),
            };
            // The file stands above; where in it matters only where there is something to look for.
            let position = match reference.position.as_str() {
                position if findings.is_empty() || position.is_empty() => String::new(),
                position => format!("  ({position})"),
            };
            let spans = [Span::plain(name), Span::plain("  "), Span::styled(style, word), Span::plain(&position)];
            output.spans(DOCUMENT_INDENT, FINDING_INDENT, &spans)?;
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
    let indent = output.indent(TEXT_INDENT, NARROW_INDENT);
    for finding in findings {
        let style = match finding.severity {
            Severity::Error => Style::Bad,
            Severity::Warning => Style::Attention,
            _ => Style::Faint,
        };
        let severity = format!("{:<8}", finding.severity.to_string());
        let code = finding.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        let path =
            if finding.path.is_empty() { String::new() } else { format!(" at {}", cut_in_middle(&finding.path)) };
        let rule = format!(" {}{code}{path}", finding.rule);
        output.spans(FINDING_INDENT, indent, &[Span::styled(style, &severity), Span::plain(&rule)])?;
        output.paragraph(indent, &finding.message)?;
        let values = [("found", &finding.found), ("expected", &finding.expected)];
        let values: Vec<(&str, &str)> =
            values.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        if !values.is_empty() {
            output.compared(indent, &values)?;
        }
        if let Some(place) = place_within(finding, heading) {
            output.paragraph(indent, &format!("in {place}"))?;
        }
        if let Some(fix) = &finding.fix {
            output.paragraph(indent, &format!("fix: {fix}"))?;
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
    let width = provenance.keys().map(|path| columns(path)).max().unwrap_or_default();
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

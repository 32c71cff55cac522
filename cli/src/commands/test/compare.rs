//! What came of a record, compared with what its case expects.

use einvoice_core::finding::Finding;
use serde::Serialize;

use super::cases::{Expected, ExpectedFinding, Verdict};
use crate::commands::trial::{Document, Tried};

/// Something that is not as the case expects.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    /// What it is about: the path of a member, the rule of a finding, `verdict`.
    pub(super) about: String,
    pub(super) expected: Option<String>,
    pub(super) found: Option<String>,
    /// Where the value that was found came from.
    pub(super) origin: Option<String>,
    /// Whether the findings that were made say more about it.
    #[serde(skip)]
    pub(super) asks_for_findings: bool,
}

/// Nothing, where everything is as expected.
pub(super) fn failures(tried: &Tried, expected: &Expected) -> Vec<Failure> {
    let mut failures = Vec::new();
    let (verdict, because) = verdict(tried);
    let is_document = verdict != Verdict::Skipped;
    if let Some(wanted) = expected.verdict.filter(|wanted| *wanted != verdict) {
        failures.push(Failure {
            about: "verdict".to_owned(),
            expected: Some(wanted.word().to_owned()),
            found: Some(format!("{}{because}", verdict.word())),
            origin: None,
            asks_for_findings: is_document,
        });
    }
    if let Some(reason) = &expected.skipped {
        failures.extend(skipped(tried, reason));
    }
    let nothing = Document::default();
    let document = match tried {
        Tried::Document(document) => document,
        Tried::Skipped(_) => &nothing,
    };
    let looks_inside = !expected.values.is_empty() || expected.whole.is_some() || !expected.findings.is_empty();
    if let (Tried::Skipped(skip), true) = (tried, looks_inside) {
        failures.push(Failure {
            about: "record".to_owned(),
            expected: Some("a document".to_owned()),
            found: Some(format!("passed over ({}): {}", skip.reason, skip.message)),
            origin: None,
            asks_for_findings: false,
        });
        return failures;
    }
    for member in &expected.values {
        failures.extend(differs(document, &member.path, member.value.as_deref()));
    }
    if let Some(whole) = &expected.whole {
        failures.extend(differences(document, whole));
    }
    failures.extend(findings(document, expected));
    failures
}

fn verdict(tried: &Tried) -> (Verdict, String) {
    match tried {
        Tried::Skipped(skip) => (Verdict::Skipped, format!(" ({}): {}", skip.reason, skip.message)),
        Tried::Document(document) if document.valid => (Verdict::Valid, String::new()),
        Tried::Document(_) => (Verdict::Invalid, String::new()),
    }
}

fn skipped(tried: &Tried, reason: &str) -> Option<Failure> {
    let found = match tried {
        Tried::Skipped(skip) if skip.reason == reason => return None,
        Tried::Skipped(skip) => format!("passed over ({}): {}", skip.reason, skip.message),
        Tried::Document(document) => format!("a document, {}", document.name),
    };
    Some(Failure {
        about: "skipped".to_owned(),
        expected: Some(format!("passed over ({reason})")),
        found: Some(found),
        origin: None,
        asks_for_findings: false,
    })
}

fn differs(document: &Document, path: &str, expected: Option<&str>) -> Option<Failure> {
    let found = document.members.iter().find(|member| member.path == path);
    let value = found.map(|member| member.value.as_str());
    (value != expected).then(|| Failure {
        about: path.to_owned(),
        expected: expected.map(str::to_owned),
        found: value.map(str::to_owned),
        origin: found.and_then(|member| member.origin.clone()),
        asks_for_findings: false,
    })
}

/// Every member of either document.
fn differences(document: &Document, whole: &einvoice_core::document::Invoice) -> Vec<Failure> {
    let expected = whole.filled();
    let of_expected = expected.iter().filter_map(|member| differs(document, &member.path, Some(&member.value)));
    let is_expected = |path: &str| expected.iter().any(|member| member.path == path);
    let beside = document.members.iter().filter(|member| !is_expected(&member.path));
    of_expected.chain(beside.filter_map(|member| differs(document, &member.path, None))).collect()
}

fn findings(document: &Document, expected: &Expected) -> Vec<Failure> {
    let is = |wanted: &ExpectedFinding, finding: &Finding| {
        wanted.rule == finding.rule
            && wanted.path.as_ref().is_none_or(|path| *path == finding.path)
            && wanted.severity.is_none_or(|severity| severity == finding.severity)
    };
    // What was made of the same kind or in the same place is most likely what was meant.
    let alike = |wanted: &ExpectedFinding| {
        let is_near = |finding: &&Finding| finding.rule == wanted.rule || wanted.path.as_ref() == Some(&finding.path);
        document.findings.iter().filter(is_near).map(named).collect::<Vec<_>>().join(", ")
    };
    let missing =
        expected.findings.iter().filter(|wanted| !document.findings.iter().any(|finding| is(wanted, finding)));
    let mut failures: Vec<Failure> = missing
        .map(|wanted| {
            let severity = wanted.severity.map(|severity| format!("{severity} ")).unwrap_or_default();
            let path = wanted.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
            Failure {
                about: wanted.rule.clone(),
                expected: Some(format!("a finding: {severity}{}{path}", wanted.rule)),
                found: Some(alike(wanted)).filter(|made| !made.is_empty()),
                origin: None,
                asks_for_findings: true,
            }
        })
        .collect();
    if expected.no_other_findings {
        let others =
            document.findings.iter().filter(|finding| !expected.findings.iter().any(|wanted| is(wanted, finding)));
        failures.extend(others.map(|finding| Failure {
            about: finding.rule.to_string(),
            expected: None,
            found: Some(format!("{}: {}", named(finding), finding.message)),
            origin: finding.place.clone(),
            asks_for_findings: false,
        }));
    }
    failures
}

/// A finding by severity, rule and place: `error tax.igst at ItemList[0].IgstAmt`.
pub(super) fn named(finding: &Finding) -> String {
    let path = if finding.path.is_empty() { String::new() } else { format!(" at {}", finding.path) };
    format!("{} {}{path}", finding.severity, finding.rule)
}

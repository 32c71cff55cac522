//! What one rule had to say about all documents: counts, and the first few that it spoke about.

use std::fmt::Write as _;

use einvoice_core::environment::Product;
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::portal_code::explain;
use einvoice_core::rulebook::rules;

use super::class;
use crate::html::{Text, short};
use crate::output::counted;

/// Documents that are named under each rule.
const EXAMPLES_MAX: usize = 5;

/// What one rule had to say, under one code.
#[derive(Debug)]
pub(super) struct Tally {
    rule: String,
    code: Option<String>,
    severity: Severity,
    pub(super) findings: u64,
    documents: u64,
    /// Number of the last document it spoke about, so that each is counted once.
    last: Option<u64>,
    /// What the first finding said, for a rule that only a plugin knows.
    message: String,
    fix: Option<String>,
    examples: Vec<Example>,
}

/// A document as a rule names it.
#[derive(Debug)]
struct Example {
    name: String,
    number: u64,
    listed: bool,
}

/// The name by which the page links to a rule. Rules have several codes where the portal has.
pub(super) fn anchor(finding: &Finding) -> String {
    let name = [finding.rule.as_ref(), finding.code.as_deref().unwrap_or_default()].join("-");
    let harmless = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let name: String = name.chars().take(100).map(|letter| if harmless(letter) { letter } else { '-' }).collect();
    format!("rule-{}", name.trim_end_matches('-'))
}

impl Tally {
    /// Nothing yet, of the rule of a finding.
    pub(super) fn of(finding: &Finding) -> Self {
        Self {
            rule: short(&finding.rule),
            code: finding.code.as_deref().map(short),
            severity: finding.severity,
            findings: 0,
            documents: 0,
            last: None,
            message: short(&finding.message),
            fix: finding.fix.as_deref().map(short),
            examples: Vec::new(),
        }
    }

    /// Counts a finding about a document, which is listed on the page or is not.
    pub(super) fn count(&mut self, finding: &Finding, number: u64, name: &str, listed: bool) {
        self.findings += 1;
        self.severity = self.severity.max(finding.severity);
        if self.last.replace(number) == Some(number) {
            return;
        }
        self.documents += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Example { name: short(name), number, listed });
        }
    }

    pub(super) fn write(&self, anchor: &str, page: &mut String) {
        let _written = write!(
            page,
            "<article class=\"{}\" id=\"{anchor}\"><h3>{}</h3>\
             <p><span class=\"word\">{}</span> <span class=\"faint\">{} in {}</span></p>",
            class(self.severity),
            Text(&self.rule),
            self.severity,
            counted(self.findings, "finding"),
            counted(self.documents, "document"),
        );
        self.meaning(page);
        page.push_str("<ul class=\"where\">");
        for Example { name, number, listed } in &self.examples {
            let name = Text(name);
            let _written = if *listed {
                write!(page, "<li><a href=\"#document-{number}\">{name}</a></li>")
            } else {
                write!(page, "<li>{name}</li>")
            };
        }
        let more = self.documents.saturating_sub(u64::try_from(self.examples.len()).unwrap_or_default());
        if more > 0 {
            let _written = write!(page, "<li class=\"more faint\">and {more} more</li>");
        }
        page.push_str("</ul></article>\n");
    }

    /// What the rule asks, what the portal calls it, and what to do, once for all its findings.
    fn meaning(&self, page: &mut String) {
        let rule = rules().iter().find(|rule| rule.id == self.rule);
        let code = self.code.as_deref();
        let explained = code.and_then(|code| explain(Product::EInvoice, code));
        let (lead, text) = rule.map_or(("For instance: ", self.message.as_str()), |rule| ("", rule.summary));
        let _written = write!(page, "<p>{lead}{}</p><dl class=\"facts\">", Text(text));
        if let Some(code) = code {
            let meaning = explained.map_or_else(String::new, |entry| format!(": {}", entry.meaning));
            let _written = write!(page, "<dt>portal code</dt><dd>{}{}</dd>", Text(code), Text(&meaning));
        }
        // The fix of one finding may name its numbers; the remedy of the code holds for all of them.
        let fix = explained.map(|entry| entry.remedy).or(self.fix.as_deref());
        if let Some(fix) = fix {
            let _written = write!(page, "<dt>fix</dt><dd>{}</dd>", Text(fix));
        }
        page.push_str("</dl>");
    }
}

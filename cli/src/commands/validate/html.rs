//! Judged records as one HTML page: to read on a phone, to pass on, to print.
//!
//! The page asks for nothing from anywhere and runs no script. It shows the counts first, then each
//! rule that spoke, then each document with its findings. As the counts and rules are known only at
//! the end, what is listed is kept until then; so it is bounded, whatever the input: so many findings,
//! so many bytes, so many rules. Everything is counted.

mod style;
mod tally;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use einvoice_core::finding::{Finding, Severity};
use jiff::civil::Date;

use super::Counts;
use super::judge::Judged;
use super::text::place_within;
use crate::html::Text;
use crate::output::counted;
use tally::{Tally, anchor};

/// Findings that are listed: what a phone still scrolls through. CSV and JSON have all of them.
const LISTED_FINDINGS_MAX: u64 = 5_000;

/// Bytes of what is listed, for findings with long texts.
const LISTED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Rules that are told apart: several times what the check and all plugins have.
const RULES_MAX: usize = 1_000;

/// A page in the making.
#[derive(Debug)]
pub(super) struct Page {
    as_of: Date,
    /// The documents, as HTML.
    listed: String,
    findings: u64,
    documents: u64,
    left_out: LeftOut,
    tallies: BTreeMap<String, Tally>,
    /// Findings of rules beyond those that are told apart.
    other_rules: u64,
    /// The file whose heading is to come before its first document.
    file: Option<String>,
}

/// What was counted and not listed.
#[derive(Debug, Default)]
struct LeftOut {
    documents: u64,
    findings: u64,
}

impl Page {
    pub(super) fn new(as_of: Date) -> Self {
        Self {
            as_of,
            listed: String::new(),
            findings: 0,
            documents: 0,
            left_out: LeftOut::default(),
            tallies: BTreeMap::new(),
            other_rules: 0,
            file: None,
        }
    }

    /// What comes from here on is of this file.
    pub(super) fn file(&mut self, shown: &str) {
        self.file = Some(shown.to_owned());
    }

    /// A file that could not be read.
    pub(super) fn unreadable(&mut self, file: &str, message: &str) {
        if self.is_full() {
            return;
        }
        let _written = writeln!(
            self.listed,
            "<article class=\"error\"><h3>{}</h3><p class=\"bad\"><span class=\"word\">not read</span></p>\
             <p>{}</p></article>",
            Text(file),
            Text(message)
        );
    }

    /// Adds a document. One without findings is counted and not listed.
    pub(super) fn add(&mut self, judged: &Judged) {
        let Judged::Document { name, reference, valid, findings, .. } = judged else { return };
        if findings.is_empty() && *valid {
            return;
        }
        self.documents += 1;
        let full = self.is_full();
        for finding in findings {
            self.tally(finding, name, !full);
        }
        if full {
            self.left_out.documents += 1;
            self.left_out.findings += u64::try_from(findings.len()).unwrap_or(u64::MAX);
            return;
        }
        self.heading(name, &reference.position, *valid);
        let place = reference.to_string();
        let mut listed = 0_usize;
        for finding in findings {
            if self.is_full() {
                break;
            }
            self.finding(finding, &place);
            listed += 1;
        }
        self.listed.push_str("</ul>");
        let rest = u64::try_from(findings.len().saturating_sub(listed)).unwrap_or(u64::MAX);
        if rest > 0 {
            self.left_out.findings += rest;
            let _written = write!(self.listed, "<p class=\"cut\">{} of it not listed</p>", counted(rest, "finding"));
        }
        self.listed.push_str("</article>\n");
    }

    fn is_full(&self) -> bool {
        self.findings >= LISTED_FINDINGS_MAX || self.listed.len() >= LISTED_BYTES_MAX
    }

    fn tally(&mut self, finding: &Finding, name: &str, listed: bool) {
        let anchor = anchor(finding);
        if !self.tallies.contains_key(&anchor) && self.tallies.len() >= RULES_MAX {
            self.other_rules += 1;
            return;
        }
        let tally = self.tallies.entry(anchor).or_insert_with(|| Tally::of(finding));
        tally.count(finding, self.documents, name, listed);
    }

    fn heading(&mut self, name: &str, position: &str, valid: bool) {
        if let Some(file) = self.file.take() {
            let _written = writeln!(self.listed, "<p class=\"file\">File <code>{}</code></p>", Text(&file));
        }
        let (class, style, word) =
            if valid { ("warning", "attention", "valid, with remarks") } else { ("error", "bad", "invalid") };
        let _written = write!(
            self.listed,
            "<article class=\"{class}\" id=\"document-{}\"><h3>{}</h3>\
             <p><span class=\"word {style}\">{word}</span> <span class=\"faint\">{}</span></p><ul class=\"findings\">",
            self.documents,
            Text(name),
            Text(position),
        );
    }

    fn finding(&mut self, finding: &Finding, document_place: &str) {
        self.findings += 1;
        let html = &mut self.listed;
        let _written = write!(
            html,
            "<li class=\"{0}\"><span class=\"word\">{1}</span> <a class=\"rule\" href=\"#{2}\">{3}</a>",
            class(finding.severity),
            finding.severity,
            anchor(finding),
            Text(&finding.rule),
        );
        if let Some(code) = &finding.code {
            let _written = write!(html, " <span class=\"faint\">portal code {}</span>", Text(code));
        }
        let _written = write!(html, "<p>{}</p><dl class=\"facts\">", Text(&finding.message));
        if !finding.path.is_empty() {
            let _written = write!(html, "<dt>at</dt><dd><code>{}</code></dd>", Text(&finding.path));
        }
        let facts = [
            ("found", finding.found.as_deref()),
            ("expected", finding.expected.as_deref()),
            ("in", place_within(finding, document_place)),
            ("fix", finding.fix.as_deref()),
        ];
        for (name, value) in facts {
            if let Some(value) = value {
                let _written = write!(html, "<dt>{name}</dt><dd>{}</dd>", Text(value));
            }
        }
        html.push_str("</dl></li>\n");
    }

    /// The whole page.
    pub(super) fn finish(mut self, counts: &Counts) -> String {
        let mut page = String::with_capacity(self.listed.len() + 64 * 1024);
        head(&mut page, self.as_of);
        tiles(&mut page, counts);
        if !self.tallies.is_empty() {
            page.push_str(
                "<nav aria-label=\"Sections\"><a href=\"#rules\">By rule</a>\
                 <a href=\"#documents\">By document</a></nav>\n",
            );
            self.rules(&mut page);
        }
        page.push_str("<section id=\"documents\"><h2>By document</h2>\n");
        self.what_is_listed(&mut page, counts);
        page.push_str(&self.listed);
        page.push_str("</section>\n<p><a class=\"top\" href=\"#top\">Back to the top</a></p>\n</main></body></html>\n");
        page
    }

    fn what_is_listed(&self, page: &mut String, counts: &Counts) {
        let quiet = counts.valid.saturating_sub(counts.remarked);
        let _written = writeln!(
            page,
            "<p class=\"faint\">Valid without remark, and so not listed: {}.</p>",
            counted(quiet, "document")
        );
        if counts.skipped > 0 {
            let _written = writeln!(
                page,
                "<p class=\"faint\">Not to be registered, and so not listed: {}.</p>",
                counted(counts.skipped, "record")
            );
        }
        let LeftOut { documents, findings } = self.left_out;
        if findings > 0 {
            let _written = writeln!(
                page,
                "<p class=\"cut\">The list was cut: {} and {} more are counted above and not listed here. \
                 <code>--format csv</code> and <code>--format json</code> have all of them.</p>",
                counted(documents, "document"),
                counted(findings, "finding"),
            );
        }
    }

    /// The rules by how often they spoke.
    fn rules(&mut self, page: &mut String) {
        page.push_str("<section id=\"rules\"><h2>By rule</h2>\n");
        let mut tallies: Vec<(String, Tally)> = std::mem::take(&mut self.tallies).into_iter().collect();
        tallies.sort_by(|(name, one), (other_name, other)| {
            other.findings.cmp(&one.findings).then_with(|| name.cmp(other_name))
        });
        for (anchor, tally) in &tallies {
            tally.write(anchor, page);
        }
        if self.other_rules > 0 {
            let _written = writeln!(
                page,
                "<p class=\"cut\">{} of further rules are not told apart here.</p>",
                counted(self.other_rules, "finding")
            );
        }
        page.push_str("</section>\n");
    }
}

fn head(page: &mut String, as_of: Date) {
    // Nothing may be fetched, run, sent or framed; the one style sheet is allowed by its hash.
    let _written = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"robots\" content=\"noindex\"><meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Check of e-invoices</title>\n<style>{}</style></head>\n\
         <body><main id=\"top\"><h1>Check of e-invoices</h1>\n\
         <p class=\"faint\">By the portal's rules of {}, offline, by einvoice {}. Nothing was sent.</p>\n",
        style::HASH,
        style::SHEET,
        as_of.strftime("%-d %B %Y"),
        env!("CARGO_PKG_VERSION"),
    );
}

fn tiles(page: &mut String, counts: &Counts) {
    page.push_str("<dl class=\"tiles\">");
    let always = [
        ("documents checked", "", counts.valid + counts.invalid),
        ("valid", "good", counts.valid),
        ("with errors", "bad", counts.invalid),
        ("valid, with remarks", "attention", counts.remarked),
    ];
    let sometimes = [("not to be registered", "", counts.skipped), ("files not read", "bad", counts.unreadable)];
    for (name, style, count) in always.into_iter().chain(sometimes.into_iter().filter(|(_, _, count)| *count > 0)) {
        let style = if count > 0 { style } else { "" };
        let _written = write!(page, "<div><dt>{name}</dt><dd class=\"{style}\">{count}</dd></div>");
    }
    page.push_str("</dl>\n");
}

/// How a severity looks.
const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        _ => "remark",
    }
}

#[cfg(test)]
mod tests;

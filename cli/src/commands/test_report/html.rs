//! The report as one page: to read, to print, to attach. It fetches nothing and runs no script.

use std::fmt::Write as _;

use super::report::{ABOUT, COVERAGE, Report, Row, Section, Standing};
use crate::html::Text;

/// Black on white, as it is for print.
const SHEET: &str = "
body { margin: 2rem auto; padding: 0 1rem; max-width: 72rem; color: #1b2129; background: #fff;
  font: 0.95rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 0.5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 0.5rem; }
p.about { max-width: 52rem; color: #434c57; }
p.remark { max-width: 52rem; padding: 0.5rem 0.75rem; border-left: 4px solid #b3541e; background: #fff3e8; font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
th, td { border: 1px solid #c9ced6; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #e9edf4; font-weight: 600; }
table.facts { width: auto; } table.facts th { white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
table.cases { table-layout: fixed; font-size: 0.82rem; }
table.cases th:nth-child(1) { width: 7.5em; } table.cases th:nth-child(2) { width: 20%; }
table.cases th:nth-child(3) { width: 6.2em; } table.cases th:nth-child(4) { width: 7em; }
table.cases th:nth-child(5) { width: 5em; } table.cases th:nth-child(6) { width: 6em; }
td.good { color: #1a6b35; } td.bad { background: #ffd9d6; color: #8c1d18; font-weight: 700; } tr.open td { color: #6b7480; }
code { font: 0.85em ui-monospace, monospace; } summary { cursor: pointer; color: #434c57; }
details pre { white-space: pre-wrap; margin: 0.25rem 0 0; font: 0.8em ui-monospace, monospace; }
@media print { body { margin: 0; max-width: none; font-size: 9pt; } h2 { break-before: page; }
  thead { display: table-header-group; } tr { break-inside: avoid; } details { display: none; } }
@page { size: A4 landscape; margin: 12mm; }
";

/// The page.
pub(super) fn page(report: &Report<'_>) -> String {
    let mut page = String::with_capacity(1024 * 1024);
    // Writing into a text does not fail.
    let _written = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"{COVERAGE}\" content=\"{1}\">\n\
         <title>Test report of e-invoice APIs, {0}</title>\n<style>{SHEET}</style></head>\n\
         <body>\n<h1>Test report of e-invoice APIs</h1>\n<p class=\"about\">{ABOUT}</p>\n{2}\
         <table class=\"facts\">",
        Text(&report.gstin),
        Text(&report.coverage()),
        remarks(report),
    );
    for (name, value) in report.facts() {
        let _written = write!(page, "<tr><th>{name}</th><td>{}</td></tr>", Text(&value));
    }
    page.push_str("</table>\n");
    summary(&mut page, &report.sections);
    for section in &report.sections {
        cases(&mut page, section);
    }
    page.push_str("</body></html>\n");
    page
}

/// What a reader must know before the figures.
fn remarks(report: &Report<'_>) -> String {
    let mut text = String::new();
    for remark in report.remarks() {
        // Writing into a text does not fail.
        let _written = writeln!(text, "<p class=\"remark\">{}</p>", Text(&remark));
    }
    text
}

fn summary(page: &mut String, sections: &[Section<'_>]) {
    page.push_str(
        "<table><thead><tr><th>API</th><th>Succeeded</th><th>Failed as expected</th><th>Distinct codes</th>\
         <th>Different</th><th>Not run</th><th>Left out</th><th>50 and 50 reached</th></tr></thead><tbody>\n",
    );
    for Section { api, counts, .. } in sections {
        let (word, class) = if counts.is_enough() { ("yes", "good") } else { ("no", "bad") };
        let different = if counts.different > 0 { "number bad" } else { "number" };
        let _written = writeln!(
            page,
            "<tr><td><a href=\"#{}\">{}</a></td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"{different}\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"{class}\">{word}</td></tr>",
            api.prefix(),
            api.title(),
            counts.succeeded,
            counts.failed_as_expected,
            counts.distinct_codes,
            counts.different,
            counts.not_run,
            counts.left_out,
        );
    }
    page.push_str("</tbody></table>\n");
}

fn cases(page: &mut String, section: &Section<'_>) {
    let _written = writeln!(
        page,
        "<h2 id=\"{}\">{}</h2>\n<table class=\"cases\"><thead><tr><th>Case</th><th>What is tried</th><th>Sent (IST)</th>\
         <th>Expected</th><th>Got</th><th>Outcome</th><th>Message, IRN, request</th></tr></thead><tbody>",
        section.api.prefix(),
        section.api.title()
    );
    for row in &section.rows {
        line(page, row);
    }
    page.push_str("</tbody></table>\n");
}

fn line(page: &mut String, row: &Row<'_>) {
    let (class, open) = match row.standing() {
        Standing::AsExpected => ("good", ""),
        Standing::Different => ("bad", ""),
        Standing::NotRun | Standing::LeftOut => ("", " class=\"open\""),
    };
    let evidence = row.result.as_ref().ok();
    let _written = write!(
        page,
        "<tr{open}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}",
        Text(&row.case.id),
        Text(&row.case.title),
        Text(evidence.map(|evidence| evidence.at.as_str()).unwrap_or_default()),
        Text(&row.case.expected.in_words()),
        Text(&row.got()),
        row.standing().in_words(),
        Text(&row.said()),
    );
    if let Some(evidence) = evidence {
        if let Some(irn) = &evidence.irn {
            let _written = write!(page, "<br><code>{}</code>", Text(irn));
        }
        page.push_str("<details><summary>request</summary><pre>");
        for line in evidence.request.lines() {
            let _written = writeln!(page, "{}", Text(line));
        }
        page.push_str("</pre></details>");
    }
    page.push_str("</td></tr>\n");
}

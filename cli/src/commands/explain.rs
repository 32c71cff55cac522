//! `explain`: what a portal code or a rule of the check means, for people.
//!
//! The facts are the core's: [`einvoice_core::portal_code`] for codes, [`einvoice_core::rulebook`] for
//! rules of a document, [`einvoice_core::ewb::document`] for those of an e-way bill without an IRN. This page finds what was asked for, lays it out for a terminal of 80 columns, and helps on
//! when there is no such thing.

mod near;
mod words;

use einvoice_core::environment::Product;
use einvoice_core::ewb::document;
use einvoice_core::finding::Severity;
use einvoice_core::portal_code::{Certainty, ErrorClass, Explanation, explain, explanations};
use einvoice_core::rulebook::{Ground, Rule, rules};
use einvoice_core::transport::Owner;
use jiff::civil::Date;
use serde::Serialize;

use crate::arguments::{Explain, SystemName};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, Style, wrapped_lines};
use near::unknown_subject;
use words::{days_in_words, ground_in_words, owner_in_words, product, severity_in_words};
pub(super) use words::{system_in_short, system_in_words, system_name};

/// Columns of the narrowest terminal that is common.
const WIDTH: usize = 80;

/// Columns before the text of a labelled paragraph: two blanks, the label, two blanks.
const INDENT: usize = 13;

/// What was asked for.
enum Subject {
    Code(Explanation),
    Rule(&'static Rule),
}

/// A code as `--json` shows it.
#[derive(Serialize)]
struct CodeLine {
    kind: &'static str,
    system: &'static str,
    code: &'static str,
    class: ErrorClass,
    owner: Owner,
    certainty: Certainty,
    meaning: &'static str,
    cause: &'static str,
    remedy: &'static str,
    handling: &'static str,
    rules: Vec<&'static str>,
}

/// A rule as `--json` shows it.
#[derive(Serialize)]
struct RuleLine {
    kind: &'static str,
    rule: &'static str,
    code: Option<&'static str>,
    severity: Severity,
    ground: Ground,
    from: Option<Date>,
    until: Option<Date>,
    unsettled: Option<&'static str>,
    summary: &'static str,
}

pub(super) fn run(arguments: &Explain, output: &mut Output) -> Result<u8, CliError> {
    if arguments.list || arguments.rules {
        if arguments.rules { list_rules(output) } else { list(arguments, output) }?;
        return Ok(exit_code::ALL_WELL);
    }
    // Codes are pasted from replies, which hold them as "225, 240,".
    let wanted = arguments.subjects.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let mut unknown = Vec::new();
    let mut first = true;
    for text in wanted {
        let found = find(text, arguments.system);
        if found.is_empty() {
            unknown.push(unknown_subject(text, arguments.system));
        }
        for subject in found {
            if !first && !output.is_json() {
                output.line("")?;
            }
            first = false;
            show(&subject, output)?;
        }
    }
    // A command ends with one error; those before it are told all the same.
    let last = unknown.pop();
    for error in unknown {
        output.remark(format!("error: {}", error.message()));
    }
    match last {
        Some(error) => Err(error),
        None if first => Err(CliError::Usage("name a portal code or a rule, as in `einvoice explain 2172`".to_owned())),
        None => Ok(exit_code::ALL_WELL),
    }
}

/// Everything that goes by this name: a rule, or a code of each system that has it.
fn find(text: &str, system: Option<SystemName>) -> Vec<Subject> {
    if let Some(rule) = all_rules().find(|rule| rule.id.eq_ignore_ascii_case(text)) {
        return vec![Subject::Rule(rule)];
    }
    match system {
        Some(system) => explain(product(system), text).map(Subject::Code).into_iter().collect(),
        None => explanations().filter(|entry| entry.code.eq_ignore_ascii_case(text)).map(Subject::Code).collect(),
    }
}

fn show(subject: &Subject, output: &mut Output) -> Result<(), CliError> {
    match (subject, output.is_json()) {
        (Subject::Code(entry), true) => output.object(&code_line(entry)),
        (Subject::Code(entry), false) => describe_code(entry, output),
        (Subject::Rule(rule), true) => output.object(&rule_line(rule)),
        (Subject::Rule(rule), false) => describe_rule(rule, output),
    }
}

fn describe_code(entry: &Explanation, output: &mut Output) -> Result<(), CliError> {
    heading(entry.code, &format!("{}, {}", system_in_words(entry.product), entry.class), output)?;
    paragraph("meaning", entry.meaning, output)?;
    paragraph("cause", entry.cause, output)?;
    paragraph("remedy", entry.remedy, output)?;
    paragraph("move", owner_in_words(entry.owner), output)?;
    paragraph("einvoice", entry.handling(), output)?;
    match entry.certainty {
        Certainty::OneSource => paragraph("certainty", "Reported by one source, not confirmed.", output)?,
        Certainty::Disputed => {
            paragraph("certainty", "Lists of different age differ; go by the portal's own text.", output)?;
        }
        _ => {}
    }
    for rule in rules_with(entry) {
        paragraph("rule", &format!("{}: {}", rule.id, rule.summary), output)?;
    }
    Ok(())
}

fn describe_rule(rule: &Rule, output: &mut Output) -> Result<(), CliError> {
    let of_what = match system_of(rule) {
        Product::EWayBill => "rule of e-way bills without an IRN",
        _ => "rule of the check",
    };
    heading(rule.id, &format!("{of_what}, {}", rule.severity), output)?;
    paragraph("asks", rule.summary, output)?;
    paragraph("ground", ground_in_words(rule.ground), output)?;
    paragraph("in force", &days_in_words(rule.from, rule.until), output)?;
    if let Some(reason) = rule.unsettled {
        paragraph("unsettled", &format!("It is not sure: {reason}."), output)?;
    }
    paragraph("einvoice", severity_in_words(rule.severity), output)?;
    let Some(code) = rule.code else {
        return paragraph("code", "The portal has no number for it, or none is known.", output);
    };
    let Some(entry) = explain(system_of(rule), code) else {
        return paragraph("code", code, output);
    };
    paragraph("code", &format!("{code}: {}", entry.meaning), output)?;
    paragraph("cause", entry.cause, output)?;
    paragraph("remedy", entry.remedy, output)
}

fn list(arguments: &Explain, output: &mut Output) -> Result<(), CliError> {
    let listed = explanations()
        .filter(|entry| arguments.system.is_none_or(|system| product(system) == entry.product))
        .filter(|entry| arguments.class.is_none_or(|class| class == entry.class));
    if output.is_json() {
        return listed.into_iter().try_for_each(|entry| output.object(&code_line(&entry)));
    }
    let rows = listed.map(|entry| {
        let mark = if entry.certainty == Certainty::Published { "" } else { " (not confirmed)" };
        vec![
            system_name(entry.product).to_owned(),
            entry.code.to_owned(),
            entry.class.to_string(),
            format!("{}{mark}", entry.meaning),
        ]
    });
    let columns =
        [Column::leave_out("system", 0), Column::keep("code"), Column::leave_out("class", 1), Column::wrap("meaning")];
    output.table(&columns, rows)?;
    output.line("")?;
    output.line("`einvoice explain CODE` adds cause, remedy and whose move it is.")
}

fn list_rules(output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return all_rules().try_for_each(|rule| output.object(&rule_line(rule)));
    }
    let rows = all_rules().map(|rule| {
        let code = rule.code.unwrap_or_default().to_owned();
        vec![rule.id.to_owned(), code, rule.severity.to_string(), rule.summary.to_owned()]
    });
    let columns =
        [Column::keep("rule"), Column::keep("code"), Column::leave_out("severity", 0), Column::wrap("it asks")];
    output.table(&columns, rows)?;
    output.line("")?;
    output.line("`einvoice explain RULE` adds its ground and the days on which it holds.")
}

fn code_line(entry: &Explanation) -> CodeLine {
    CodeLine {
        kind: "code",
        system: system_name(entry.product),
        code: entry.code,
        class: entry.class,
        owner: entry.owner,
        certainty: entry.certainty,
        meaning: entry.meaning,
        cause: entry.cause,
        remedy: entry.remedy,
        handling: entry.handling(),
        rules: rules_with(entry).map(|rule| rule.id).collect(),
    }
}

fn rule_line(rule: &Rule) -> RuleLine {
    RuleLine {
        kind: "rule",
        rule: rule.id,
        code: rule.code,
        severity: rule.severity,
        ground: rule.ground,
        from: rule.from,
        until: rule.until,
        unsettled: rule.unsettled,
        summary: rule.summary,
    }
}

/// The rules of a document, then those of an e-way bill without an IRN.
fn all_rules() -> impl Iterator<Item = &'static Rule> {
    rules().iter().chain(document::rules())
}

/// The system whose numbers a rule has.
fn system_of(rule: &Rule) -> Product {
    let of_request = document::rules().iter().any(|known| known.id == rule.id);
    if of_request { Product::EWayBill } else { Product::EInvoice }
}

/// The rules with this code. The IRP passes numbers of the e-way bill system on, which does not pass on the IRP's.
fn rules_with(entry: &Explanation) -> impl Iterator<Item = &'static Rule> {
    let (code, product) = (entry.code, entry.product);
    all_rules().filter(move |rule| {
        rule.code == Some(code) && (system_of(rule) == Product::EInvoice || product == Product::EWayBill)
    })
}

fn heading(name: &str, about: &str, output: &mut Output) -> Result<(), CliError> {
    let name = output.styled(Style::Strong, name).into_owned();
    output.line(format!("{name}  {about}"))?;
    output.line("")
}

/// A label and its text, wrapped, with the text in a column of its own.
fn paragraph(label: &str, text: &str, output: &mut Output) -> Result<(), CliError> {
    for (index, line) in wrapped_lines(text, WIDTH - INDENT).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let padded = format!("{label:<width$}", width = INDENT - 4);
        output.line(format!("  {}  {line}", output.styled(Style::Faint, &padded)))?;
    }
    Ok(())
}

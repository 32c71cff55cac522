//! The rules of the schema: obligation, type, length, range, decimals, pattern and list of words, for every member.

use crate::document::node::{Section, Seen, Visitor};
use crate::document::path::Path;
use crate::document::scanner::{Scanner, Token};
use crate::document::{Facet, Form, Invoice, Kind, Member, Pattern};
use crate::finding::Finding;
use crate::number::{self, NumberError};

use super::{CheckOptions, Rule, note, table};

/// Adds the findings of the schema, and gives a number of bytes that the payload does not exceed.
pub(super) fn check(invoice: &Invoice, options: &CheckOptions, findings: &mut Vec<Finding>) -> usize {
    let max_items = options.settings.max_items;
    let mut check = SchemaCheck { path: Path::default(), read: findings.len(), findings, max_items, most_bytes: 0 };
    invoice.walk(&mut check);
    check.most_bytes
}

/// The findings of the schema about one section on its own, with paths from its members on.
pub(crate) fn check_section<S: Section>(section: &S, options: &CheckOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    let max_items = options.settings.max_items;
    let mut check = SchemaCheck { path: Path::default(), read: 0, findings: &mut findings, max_items, most_bytes: 0 };
    section.visit_members(&mut check);
    findings
}

/// Most bytes a member takes in the payload beside its text: name, punctuation, a number or a code.
const LEAF_BYTES: usize = 64;

/// Most bytes a byte of text takes there: a control character is written `\u0000`.
const ESCAPED_BYTES: usize = 6;

struct SchemaCheck<'a> {
    path: Path,
    findings: &'a mut Vec<Finding>,
    /// How many findings are the reader's.
    read: usize,
    /// Most items the portal takes from this supplier.
    max_items: usize,
    /// Bound of the payload's length, so that it need not be written to be measured.
    most_bytes: usize,
}

impl Visitor for SchemaCheck<'_> {
    #[expect(clippy::inline_always, reason = "in the walk the member is a constant, and little of this is left")]
    #[inline(always)]
    fn leaf(&mut self, member: &'static Member, seen: Seen<'_>) {
        match seen {
            Seen::Absent if member.required => self.missing(member, self.path.of(member.name)),
            Seen::Absent => {}
            Seen::Value(Facet::Done | Facet::No) => self.most_bytes += LEAF_BYTES,
            Seen::Value(Facet::Text(text)) => {
                self.most_bytes += LEAF_BYTES + ESCAPED_BYTES * text.len();
                if let Some(rule) = text_fault(text, member.form) {
                    self.fault(member, rule, text);
                } else if text.starts_with(' ') || text.ends_with(' ') {
                    self.blanks(member, text);
                }
            }
            Seen::Value(Facet::Number(units)) => {
                self.most_bytes += LEAF_BYTES;
                self.number(member, units);
            }
            Seen::Value(Facet::Date(date)) => {
                self.most_bytes += LEAF_BYTES;
                self.years(member, date);
            }
            Seen::Malformed(raw) => self.malformed(member, raw),
        }
    }

    fn enter(&mut self, member: &'static Member, index: Option<usize>, blank: bool) -> bool {
        self.path.push(member, index);
        self.most_bytes += LEAF_BYTES;
        if !blank {
            return true;
        }
        let here = self.path.here();
        // The reader has already said that something stands here which is no object.
        if self.is_noted(&here) {
            return false;
        }
        if member.required && index.is_none() {
            self.missing(member, here);
            return false;
        }
        true
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn list(&mut self, member: &'static Member, count: usize) {
        let Form::List { min, max } = member.form else {
            return;
        };
        let max = if member.name == "ItemList" { self.max_items } else { max };
        if (min..=max).contains(&count) {
            return;
        }
        let path = self.path.of(member.name);
        if count < min && !self.findings.iter().take(self.read).any(|finding| finding.path == path) {
            self.push(
                table::ITEMS_MIN
                    .finding(path, format!("{} has no entry", member.name))
                    .with_found(count)
                    .with_expected(format!("{min} to {max} entries"))
                    .with_fix("Give the lines of the document."),
            );
        } else if count > max {
            self.push(
                table::ITEMS_MAX
                    .finding(path, format!("{} has {count} entries", member.name))
                    .with_found(count)
                    .with_expected(format!("{min} to {max} entries"))
                    .with_fix("Split the document, or ask the portal for a higher limit."),
            );
        }
    }
}

impl SchemaCheck<'_> {
    fn push(&mut self, finding: Finding) {
        note(self.findings, finding);
    }

    /// Whether the reader or mapper has already reported an error at this very place.
    fn is_noted(&self, path: &str) -> bool {
        self.findings.iter().take(self.read).any(|finding| finding.is_error() && finding.path == path)
    }

    #[cold]
    fn missing(&mut self, member: &'static Member, path: String) {
        // The mapper knows better why a value is not there and what to do about it.
        if self.is_noted(&path) {
            return;
        }
        let meaning = meaning(member);
        let state = if member.form.kind() == Kind::Section { "is missing or empty" } else { "is missing" };
        // The portal has a number of its own for this one.
        let rule = if path == "SellerDtls.Pin" { &table::SELLER_PIN_MISSING } else { &table::REQUIRED };
        self.push(
            rule.finding(path, format!("{} {state} ({meaning})", member.name))
                .with_expected(describe(member.form))
                .with_fix(format!("Give {}: {meaning}.", member.name)),
        );
    }

    #[inline]
    fn number(&mut self, member: &'static Member, units: i64) {
        let Form::Number { decimals, min, max } = member.form else {
            return;
        };
        if units < min || units > max {
            self.fault(member, &table::RANGE, &number::units_to_string(units, decimals));
        }
    }

    fn years(&mut self, member: &'static Member, date: crate::date::DocumentDate) {
        let year = date.date().year();
        if (2010..=2029).contains(&year) {
            return;
        }
        // The published validation that ends later than the pattern is one of periods, and ends with 2059.
        let late = year > 2029 && (year <= 2059 || member.name != "InvEndDt");
        let (rule, fix) = if member.late_years_warn && late {
            (&table::LATE_YEAR, "Check the year; the portal may refuse it, and an optional date can be left out.")
        } else {
            (&table::PATTERN, "Correct the year.")
        };
        self.push(
            rule.finding(
                self.path.of(member.name),
                format!("{} lies outside the years the schema admits", member.name),
            )
            .with_found(date)
            .with_expected("a date of the years 2010 to 2029, DD/MM/YYYY")
            .with_fix(fix),
        );
    }

    fn blanks(&mut self, member: &'static Member, text: &str) {
        self.push(
            table::BLANKS
                .finding(self.path.of(member.name), format!("{} begins or ends with a blank", member.name))
                .with_found(format!("{text:?}"))
                .with_expected("no blanks around the text")
                .with_fix("Remove them in the source."),
        );
    }

    #[cold]
    fn malformed(&mut self, member: &'static Member, raw: &str) {
        let rule = match member.form {
            Form::Number { decimals, .. } => match number::fault(raw, decimals) {
                Some(NumberError::TooManyDecimals { .. }) => &table::DECIMALS,
                Some(NumberError::OutOfRange) => &table::RANGE,
                _ => &table::TYPE,
            },
            form => content(raw).and_then(|text| text_fault(&text, form)).unwrap_or(&table::TYPE),
        };
        self.fault(member, rule, raw);
    }

    #[cold]
    fn fault(&mut self, member: &'static Member, rule: &'static Rule, found: &str) {
        let (name, form) = (member.name, member.form);
        let message = match rule.id {
            "schema.type" => format!("{name} is not {}", form.kind().name()),
            "schema.length" => match content(found).unwrap_or_default().chars().count() {
                1 => format!("{name} has 1 character"),
                count => format!("{name} has {count} characters"),
            },
            "schema.decimals" => format!("{name} has too many decimals"),
            "schema.range" => format!("{name} is out of range"),
            "schema.enum" => format!("{name} is not one of the allowed values"),
            _ => format!("{name} has not the form the portal asks for"),
        };
        let meaning = meaning(member);
        self.push(
            rule.finding(self.path.of(name), message)
                .with_found(found)
                .with_expected(describe(form))
                .with_fix(format!("Correct {name} ({meaning}) in the source.")),
        );
    }
}

/// The text a malformed value stands for: a JSON string resolved, anything else as it is; nothing for an object,
/// a list or a truth value.
pub(crate) fn content(raw: &str) -> Option<String> {
    let mut scanner = Scanner::new(raw);
    let token = scanner.token();
    match token {
        Ok(Token::Text(text, _)) if scanner.finish().is_ok() => Some(text.into_owned()),
        Ok(Token::Other(_)) if scanner.finish().is_ok() => None,
        _ => Some(raw.to_owned()),
    }
}

/// The first rule a text breaks.
#[inline]
pub(super) fn text_fault(text: &str, form: Form) -> Option<&'static Rule> {
    let Form::Text { min, max, pattern } = form else {
        return None;
    };
    if pattern.is_list() {
        return (!pattern.admits(text)).then_some(&table::ENUM);
    }
    // Characters are counted only where the bytes leave it open: there are never more characters than bytes.
    let short = text.len() < min || (text.len() > max && text.chars().count() > max);
    if short || (!text.is_ascii() && text.chars().count() < min) {
        return Some(&table::LENGTH);
    }
    (!pattern.admits(text)).then_some(&table::PATTERN)
}

/// The meaning of a member as part of a sentence.
pub(crate) fn meaning(member: &Member) -> String {
    member.meaning.trim_end_matches('.').replace('`', "")
}

/// The form of a member in words.
pub(crate) fn describe(form: Form) -> String {
    match form {
        Form::Text { pattern, .. } if pattern.is_list() => pattern.expected(),
        Form::Text { min, max, pattern } => {
            let length = match (min, max) {
                (1, 1) => "1 character".to_owned(),
                (min, max) if min == max => format!("{min} characters"),
                (min, max) => format!("{min} to {max} characters"),
            };
            match pattern {
                Pattern::Gstin | Pattern::GstinOrUrp | Pattern::State | Pattern::Hsn | Pattern::Date => {
                    pattern.expected()
                }
                _ => format!("{length}, {}", pattern.expected()),
            }
        }
        Form::Number { decimals, min, max } => {
            let bound = |units| number::units_to_string(units, decimals);
            let places = match decimals {
                0 => "no decimals".to_owned(),
                places => format!("at most {places} decimals"),
            };
            format!("a number from {} to {}, {places}", bound(min), bound(max))
        }
        form => form.kind().name().to_owned(),
    }
}

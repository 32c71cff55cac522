//! The check of a request: everything that is wrong with it, at once.
//!
//! Order: form, parties and matrix, dates, places, items, tax, totals, transport. One rule never keeps another from
//! speaking, except where its values are not there to be judged.

mod form;
mod goods;
mod parties;
mod places;
mod tax;
mod transport;

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;

use super::{EwbRequest, rules};
use crate::date::DocumentDate;
use crate::finding::Finding;
use crate::identifier::Gstin;
use crate::rulebook::{CheckOptions, Rule, note, table};

/// First day of GST.
const GST_BEGAN: Date = jiff::civil::date(2017, 7, 1);

impl EwbRequest {
    /// All findings about the request, as the caller would send it on a day in India, with default settings and the
    /// masters compiled in.
    #[must_use]
    pub fn check(&self, user: Gstin, today: Date) -> Vec<Finding> {
        self.check_with(user, &CheckOptions::on(today))
    }

    /// All findings about the request, as the caller would send it; an error among them means that the system would
    /// refuse it.
    #[must_use]
    pub fn check_with(&self, user: Gstin, options: &CheckOptions) -> Vec<Finding> {
        let mut sheet = Sheet { request: self, user, options, findings: Vec::new() };
        form::check(&mut sheet);
        parties::check(&mut sheet);
        date(&mut sheet);
        places::check(&mut sheet);
        goods::check(&mut sheet);
        tax::check(&mut sheet);
        transport::check(&mut sheet);
        sheet.findings
    }
}

/// The request under check, what is known beside it, and the findings so far.
struct Sheet<'a> {
    request: &'a EwbRequest,
    user: Gstin,
    options: &'a CheckOptions,
    findings: Vec<Finding>,
}

impl Sheet<'_> {
    /// Adds a finding of a rule in force, with the severity the integrator gave it.
    fn push(&mut self, rule: &Rule, mut finding: Finding) {
        if !rule.in_force(self.options.as_of) {
            return;
        }
        self.options.settings.regrade(&mut finding);
        note(&mut self.findings, finding);
    }

    /// Something is missing.
    fn lacks(&mut self, rule: &Rule, path: &str, message: impl Into<String>, expected: impl fmt::Display, fix: &str) {
        let finding = rule.finding(path, message).with_expected(expected).with_fix(fix);
        self.push(rule, finding);
    }

    /// Something that is there is wrong.
    fn wrong(
        &mut self,
        rule: &Rule,
        path: impl Into<String>,
        found: impl fmt::Display,
        message: impl Into<String>,
        expected: impl fmt::Display,
        fix: &str,
    ) {
        let finding = rule.finding(path, message).with_found(found).with_expected(expected).with_fix(fix);
        self.push(rule, finding);
    }
}

/// Path of a member of an item.
fn item(index: usize, member: &str) -> String {
    format!("itemList[{index}].{member}")
}

fn date(sheet: &mut Sheet<'_>) {
    const PATH: &str = "docDate";
    let Some(date) = sheet.request.doc_date() else { return };
    let (day, today) = (date.date(), sheet.options.as_of);
    let oldest = today.checked_sub(jiff::ToSpan::days(i64::from(super::super::window::EWB_DOCUMENT_DAYS)));
    let oldest = oldest.unwrap_or(Date::MIN);
    if day < GST_BEGAN {
        let message = format!("the document is of {date}, before GST began");
        sheet.wrong(&rules::DATE_GST, PATH, date, message, "01/07/2017 or later", "Correct the year of the date.");
    } else if day < oldest {
        let oldest = DocumentDate::from(oldest);
        let message = format!("the document is of {date}, more than 180 days ago");
        let fix = "Issue a new document for the movement; for this one no bill can be made any more.";
        sheet.wrong(&rules::DATE_OLD, PATH, date, message, format!("{oldest} or later"), fix);
    } else if day > today {
        let today = DocumentDate::from(today);
        let message = format!("the document is of {date}, which is later than today, {today}");
        sheet.wrong(&rules::DATE_FUTURE, PATH, date, message, format!("{today} or earlier"), "Correct the date.");
    }
}

/// Gives a finding of the reader the name of this form's rule; the reader's codes are those of the IRP.
pub(super) fn rename(finding: &mut Finding) {
    let rule = match &*finding.rule {
        id if id == table::REPAIRED.id => &rules::REPAIRED,
        id if id == table::UNKNOWN.id => &rules::UNKNOWN,
        id if id == table::DUPLICATE.id => &rules::DUPLICATE,
        id if id == table::TYPE.id => &rules::SHAPE,
        id if id == table::ENTRIES.id => &rules::ITEMS_MAX,
        _ => return,
    };
    finding.rule = Cow::Borrowed(rule.id);
    finding.code = rule.code.map(Cow::Borrowed);
}

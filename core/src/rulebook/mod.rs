//! The rules of the portal, checked before anything leaves.
//!
//! [`check`] is the only way to a [`Checked`] document, and only a `Checked` document has a payload to send. It
//! reports everything it finds, in a fixed order: what the reader noted, repairs that were asked for, the schema, document, parties and places,
//! items, tax, totals, export, e-way bill. One rule never keeps another from speaking, except where its values are
//! not there to be judged.
//!
//! The [`rules`] are a table: id, portal code, severity, ground, days in force, and why a rule that is not settled is
//! not. What a rule means and how sure its source is can so be shown to a person (`einvoice explain`) and compared
//! between releases. [`RuleSettings`] carries what the rules must be told and what an integrator may change.

mod arithmetic;
pub(crate) mod codes;
mod document;
pub(crate) mod ewb;
mod export;
mod items;
mod parties;
mod places;
mod repair;
pub(crate) mod schema;
mod settings;
mod ship_to;
pub(crate) mod table;
mod tax;
mod taxpayers;
#[cfg(test)]
mod tests;
mod totals;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};

use jiff::civil::Date;

pub use repair::{Repair, Repairs};
pub use settings::{
    GstinText, RuleSettings, RuleSettingsError, SeverityChange, ShipToGstin, Taxpayer, TaxpayerKind, TaxpayerStatus,
};
pub use ship_to::{LaterShipTo, check_later_ship_to};
pub use table::{rule_by_id, rules};

use crate::document::{Invoice, MAX_BYTES, ReadInvoice};
use crate::finding::{Finding, Severity};
use crate::irn::{Irn, IrnRule};
use crate::key::DocumentKey;
use crate::masters::{Masters, MastersOn};

/// Where a rule comes from, and so how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ground {
    /// JSON schema of the National Informatics Centre.
    Schema,
    /// The form of notification 60/2020.
    Notification,
    /// List of validations and list of error codes, as republished by service providers.
    Validations,
    /// Advisory of the GST network.
    Advisory,
    /// A rule of ours, where the portal's is not known or less careful.
    Own,
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Rule {
    /// Name, `group.subject`.
    pub id: &'static str,
    /// Number the portal uses, where it is known.
    pub code: Option<&'static str>,
    /// What breaking it means.
    pub severity: Severity,
    /// Where it comes from.
    pub ground: Ground,
    /// First day of reporting on which it holds.
    pub from: Option<Date>,
    /// Last day of reporting on which it holds.
    pub until: Option<Date>,
    /// Why it is not settled, for a rule whose sources are silent, unsure or at odds.
    pub unsettled: Option<&'static str>,
    /// What it asks, in a sentence.
    pub summary: &'static str,
}

impl Rule {
    /// True when the rule holds for documents reported on this day.
    #[must_use]
    pub fn in_force(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// True for rules of text and schema: a document that breaks one of them cannot be sent at all.
    #[must_use]
    pub fn is_structural(&self) -> bool {
        // Two members that the schema asks for have a code of their own at the portal, and so a rule of their own.
        let mandatory = self.id == table::SELLER_PIN_MISSING.id || self.id == table::ITEMS_MIN.id;
        mandatory || self.id.starts_with("json.") || self.id.starts_with("schema.")
    }

    /// A finding of this rule.
    pub(crate) fn finding(&self, path: impl Into<String>, message: impl Into<String>) -> Finding {
        let mut finding = Finding::new(self.severity, self.id, path, message);
        finding.code = self.code.map(Cow::Borrowed);
        finding
    }
}

/// What a check needs to know beside the document. Cheap to clone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The day of reporting, in India.
    pub as_of: Date,
    /// What a wrong GSTIN check character means; nothing switches the rule off. The portal's test systems use
    /// GSTINs that fail it.
    pub gstin_check_digit: Option<Severity>,
    /// Turnover, taxpayers, switches and severities.
    pub settings: Arc<RuleSettings>,
    /// The portal's code lists.
    pub masters: Masters,
    /// What is set right before the rules judge. By default nothing.
    pub repairs: Repairs,
}

impl CheckOptions {
    /// All rules, as they stand on a day, with default settings and the masters compiled in.
    #[must_use]
    pub fn on(as_of: Date) -> Self {
        static SETTINGS: LazyLock<Arc<RuleSettings>> = LazyLock::new(Arc::default);
        Self {
            as_of,
            gstin_check_digit: Some(Severity::Error),
            settings: Arc::clone(&SETTINGS),
            masters: Masters::default(),
            repairs: Repairs::default(),
        }
    }

    /// The same rules on another day of reporting.
    #[must_use]
    pub const fn at(mut self, as_of: Date) -> Self {
        self.as_of = as_of;
        self
    }

    /// With another severity for GSTIN check characters, or none.
    #[must_use]
    pub fn with_gstin_check_digit(mut self, severity: Option<Severity>) -> Self {
        self.gstin_check_digit = severity;
        self
    }

    /// With other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: Arc<RuleSettings>) -> Self {
        self.settings = settings;
        self
    }

    /// With other masters.
    #[must_use]
    pub fn with_masters(mut self, masters: Masters) -> Self {
        self.masters = masters;
        self
    }

    /// With these repairs.
    #[must_use]
    pub const fn with_repairs(mut self, repairs: Repairs) -> Self {
        self.repairs = repairs;
        self
    }

    /// The masters as they stand on the day of reporting.
    #[must_use]
    pub const fn masters(&self) -> MastersOn<'_> {
        self.masters.on(self.as_of)
    }
}

/// A document that passed every error-level rule as of a day, with its payload. Only [`check`] makes one.
#[derive(Debug, Clone)]
pub struct Checked {
    invoice: Box<Invoice>,
    key: DocumentKey,
    /// Written when it is first asked for: a document that is only judged needs none.
    payload: OnceLock<Vec<u8>>,
    findings: Vec<Finding>,
}

impl PartialEq for Checked {
    fn eq(&self, other: &Self) -> bool {
        // Key and payload follow from the document.
        self.invoice == other.invoice && self.findings == other.findings
    }
}

impl Eq for Checked {}

impl Checked {
    /// The document.
    #[must_use]
    pub fn invoice(&self) -> &Invoice {
        &self.invoice
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &DocumentKey {
        &self.key
    }

    /// Its IRN by a rule; [`IrnRule::on`] the day of registration.
    #[must_use]
    pub fn irn(&self, rule: IrnRule) -> Irn {
        Irn::compute(&self.key, rule)
    }

    /// The canonical JSON to send.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.payload.get_or_init(|| written(&self.invoice))
    }

    /// Warnings, repairs and remarks; no errors.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The document and its findings, to be changed and checked again.
    #[must_use]
    pub fn into_parts(self) -> (Invoice, Vec<Finding>) {
        (*self.invoice, self.findings)
    }
}

/// A document that must not be sent as it stands, and everything there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} must not be sent as it stands: {} error(s)", invoice.label(), findings.iter().filter(|finding| finding.is_error()).count())]
#[non_exhaustive]
pub struct Rejected {
    /// The document as it was read, and repaired where that was asked for.
    pub invoice: Box<Invoice>,
    /// All findings, errors and others.
    pub findings: Vec<Finding>,
}

/// What a check comes to.
pub type CheckResult = Result<Checked, Rejected>;

/// Checks a document against all rules of a day.
///
/// `read_findings` are those of the reader or mapper; they come first in the result, and an error among them
/// rejects the document as any other does. Repairs that were asked for follow them; all else is judged, and sent, as
/// repaired.
///
/// # Errors
/// [`Rejected`] when any finding is an error.
pub fn check(mut invoice: Invoice, read_findings: Vec<Finding>, options: &CheckOptions) -> CheckResult {
    let mut findings = read_findings;
    repair::repair(&mut invoice, options, &mut findings);
    let most_bytes = schema::check(&invoice, options, &mut findings);
    for finding in &mut findings {
        options.settings.regrade(finding);
    }
    let mut sheet = Sheet { invoice: &invoice, options, findings };
    document::check(&mut sheet);
    parties::check(&mut sheet);
    places::check(&mut sheet);
    taxpayers::check(&mut sheet);
    items::check(&mut sheet);
    tax::check(&mut sheet);
    totals::check(&mut sheet);
    export::check(&mut sheet);
    ewb::check(&mut sheet);
    ship_to::check(&mut sheet);
    let mut findings = sheet.findings;
    let invoice = Box::new(invoice);
    if findings.iter().any(Finding::is_error) {
        return Err(Rejected { invoice, findings });
    }
    // Few documents come near the limit; only they are written to be measured.
    let payload = OnceLock::new();
    if most_bytes > MAX_BYTES {
        let bytes = payload.get_or_init(|| written(&invoice)).len();
        if bytes > MAX_BYTES {
            findings.push(
                table::SIZE
                    .finding("", "the document is larger than the portal takes")
                    .with_found(format!("{bytes} bytes"))
                    .with_expected(format!("at most {MAX_BYTES} bytes"))
                    .with_fix("Leave out attachments, or split the document."),
            );
            return Err(Rejected { invoice, findings });
        }
    }
    match invoice.document_key() {
        Some(key) => Ok(Checked { invoice, key, payload, findings }),
        // Not reached: the schema rules leave no document without a key.
        None => Err(Rejected { invoice, findings }),
    }
}

/// The canonical JSON.
fn written(invoice: &Invoice) -> Vec<u8> {
    let mut payload = Vec::with_capacity(1024 + 512 * invoice.item_list.len());
    invoice.write_json(&mut payload);
    payload
}

/// Checks what a reader made of a text.
///
/// # Errors
/// As [`check`].
pub fn check_read(read: ReadInvoice, options: &CheckOptions) -> CheckResult {
    check(read.invoice, read.findings, options)
}

/// Most findings a document is given. A 1000-line invoice whose every number is a string has some 12,000 repairs;
/// a hostile text of 2 MB could have hundreds of thousands.
const MAX_FINDINGS: usize = 20_000;

/// Adds a finding, within the limit. Beyond it remarks are left out, and of errors one more is kept, so that a
/// document with errors is rejected whatever came before them.
pub(crate) fn note(findings: &mut Vec<Finding>, finding: Finding) {
    if findings.len() < MAX_FINDINGS {
        findings.push(finding);
        return;
    }
    if findings.len() == MAX_FINDINGS {
        findings.push(
            table::MORE
                .finding("", format!("only the first {MAX_FINDINGS} findings are listed"))
                .with_fix("Correct the program that wrote the document, then check it again."),
        );
    }
    if finding.is_error() && findings.len() == MAX_FINDINGS + 1 {
        findings.push(finding);
    }
}

/// The document under check, what is known beside it, and the findings so far.
pub(crate) struct Sheet<'a> {
    invoice: &'a Invoice,
    options: &'a CheckOptions,
    findings: Vec<Finding>,
}

impl Sheet<'_> {
    /// Adds what a rule found, if the rule is in force on the day of reporting, with the severity the integrator
    /// gave it. Only documents with findings come here, so that a right one pays nothing for either.
    fn push(&mut self, mut finding: Finding) {
        if let Some(rule) = rule_by_id(&finding.rule) {
            if !rule.in_force(self.options.as_of) {
                return;
            }
            self.options.settings.regrade(&mut finding);
        }
        note(&mut self.findings, finding);
    }
}

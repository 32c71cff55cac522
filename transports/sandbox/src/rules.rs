//! Cross-field rules that the emulator takes from core's rulebook.
//!
//! Schema and totals are checked by the emulator itself; of the rulebook only the rest is used, and
//! the rulebook's truth is proven on documents made by others. The check digit of GSTINs is not asked:
//! NIC's own test GSTINs fail it.

use std::sync::Arc;

use einvoice_core::document::Invoice;
use einvoice_core::finding::Finding;
use einvoice_core::rulebook::{CheckOptions, RuleSettings, Taxpayer, TaxpayerKind, check_read};
use jiff::civil::{Date, date};

use crate::node::Node;
use crate::settings::{PortalSettings, TaxpayerEntry};
use crate::wire::CodeText;

/// The number for a refusal that has none of its own: the portal's general one.
const GENERAL: &str = "2140";

/// Errors of the rulebook for a document in canonical form.
pub(crate) fn check(document: &Node, today: Date, portal: &PortalSettings) -> Vec<CodeText> {
    let Ok(read) = Invoice::from_json(&document.to_string()) else { return Vec::new() };
    let mut settings = RuleSettings::default();
    // The emulated portal has a setting of its own for the earliest date.
    settings.earliest_document_date = date(2010, 1, 1);
    settings.taxpayer = portal.taxpayers.iter().filter_map(known).collect();
    let options = CheckOptions::on(today).with_gstin_check_digit(None).with_settings(Arc::new(settings));
    match check_read(read, &options) {
        Ok(_) => Vec::new(),
        Err(rejected) => rejected.findings.iter().filter(|finding| finding.is_error()).filter_map(as_error).collect(),
    }
}

/// What the registry holds of a taxpayer it was given, beside its standing, which is judged elsewhere.
fn known(entry: &TaxpayerEntry) -> Option<Taxpayer> {
    let kind = match entry.taxpayer_type.as_str() {
        "REG" => TaxpayerKind::Regular,
        "CTP" => TaxpayerKind::Casual,
        "COM" => TaxpayerKind::Composition,
        "SEZ" => TaxpayerKind::SezUnit,
        "SED" => TaxpayerKind::SezDeveloper,
        "ISD" => TaxpayerKind::InputServiceDistributor,
        _ => TaxpayerKind::Other,
    };
    let gstin = einvoice_core::identifier::Gstin::parse(&entry.gstin).ok()?.into();
    Some(Taxpayer { gstin, kind: Some(kind), status: None, registered: None, cancelled: None })
}

fn as_error(finding: &Finding) -> Option<CodeText> {
    let code = finding.code.as_deref().unwrap_or(GENERAL);
    // The schema has had its say.
    let of_schema = finding.rule.starts_with("schema.");
    (!of_schema).then(|| CodeText { code: code.to_owned(), message: format!("{} ({})", finding.message, finding.path) })
}

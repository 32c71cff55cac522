//! Cross-field rules that the emulator takes from core's rulebook.
//!
//! Schema and totals are checked by the emulator itself; of the rulebook only the rest is used, and
//! the rulebook's truth is proven on documents made by others. The check digit of GSTINs is not asked:
//! NIC's own test GSTINs fail it.

use einvoice_core::document::Invoice;
use einvoice_core::finding::Finding;
use einvoice_core::rulebook::{CheckOptions, check_read};
use jiff::civil::Date;

use crate::node::Node;
use crate::wire::CodeText;

/// The number for a refusal that has none of its own: the portal's general one.
const GENERAL: &str = "2140";

/// Errors of the rulebook for a document in canonical form.
pub(crate) fn check(document: &Node, today: Date) -> Vec<CodeText> {
    let Ok(read) = Invoice::from_json(&document.to_string()) else { return Vec::new() };
    let options = CheckOptions::on(today).with_gstin_check_digit(None);
    match check_read(read, &options) {
        Ok(_) => Vec::new(),
        Err(rejected) => rejected.findings.iter().filter(|finding| finding.is_error()).filter_map(as_error).collect(),
    }
}

fn as_error(finding: &Finding) -> Option<CodeText> {
    let code = finding.code.as_deref().unwrap_or(GENERAL);
    // The schema has had its say.
    let of_schema = finding.rule.starts_with("schema.");
    (!of_schema).then(|| CodeText { code: code.to_owned(), message: format!("{} ({})", finding.message, finding.path) })
}

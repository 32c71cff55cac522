//! The core's terms in words: systems, owners, grounds, severities, days.

use einvoice_core::environment::Product;
use einvoice_core::finding::Severity;
use einvoice_core::rulebook::Ground;
use einvoice_core::transport::Owner;
use jiff::civil::Date;

use crate::arguments::SystemName;

pub(super) const fn product(system: SystemName) -> Product {
    match system {
        SystemName::Irp => Product::EInvoice,
        SystemName::Ewb => Product::EWayBill,
    }
}

pub(in super::super) const fn system_name(product: Product) -> &'static str {
    match product {
        Product::EWayBill => "ewb",
        _ => "irp",
    }
}

/// A system in one word, for lists and lines that have little room.
pub(in super::super) const fn system_in_short(product: Product) -> &'static str {
    match product {
        Product::EWayBill => "e-way bill",
        _ => "e-invoice",
    }
}

pub(in super::super) const fn system_in_words(product: Product) -> &'static str {
    match product {
        Product::EWayBill => "e-way bill system",
        _ => "e-invoice system (IRP)",
    }
}

pub(super) const fn owner_in_words(owner: Owner) -> &'static str {
    match owner {
        Owner::Us => "Us: whoever runs einvoice, or einvoice itself.",
        Owner::Taxpayer => "The taxpayer: the books, or the registration at the portal.",
        Owner::Provider => "The provider (GSP) between us and the portal.",
        Owner::Portal => "The portal.",
    }
}

pub(super) const fn ground_in_words(ground: Ground) -> &'static str {
    match ground {
        Ground::Schema => "The JSON schema of the National Informatics Centre.",
        Ground::Notification => "The form INV-01 as notified in notification 60/2020.",
        Ground::Validations => "The portal's list of validations or of error codes.",
        Ground::Advisory => "An advisory of the GST network.",
        _ => "A rule of einvoice's own, where the portal's is not known or less careful.",
    }
}

pub(super) const fn severity_in_words(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Does not send a document that breaks it.",
        Severity::Warning => "Sends a document that breaks it, and says so.",
        Severity::Repaired => "Reads the value by its meaning and sends it rightly, and says so.",
        Severity::Info => "Says so, and nothing more.",
        _ => "Says so.",
    }
}

pub(super) fn days_in_words(from: Option<Date>, until: Option<Date>) -> String {
    match (from, until) {
        (None, None) => "On every day of reporting.".to_owned(),
        (Some(from), None) => format!("For documents reported from {from} on."),
        (None, Some(until)) => format!("For documents reported until {until}."),
        (Some(from), Some(until)) => format!("For documents reported from {from} until {until}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_force_are_said_at_both_ends() {
        let day = jiff::civil::date(2025, 9, 22);
        assert_eq!(days_in_words(Some(day), None), "For documents reported from 2025-09-22 on.");
        assert_eq!(days_in_words(None, Some(day)), "For documents reported until 2025-09-22.");
        assert_eq!(days_in_words(None, None), "On every day of reporting.");
    }
}

//! What mapping has to say: findings, and where each value came from.

use std::borrow::Cow;

use einvoice_core::finding::{Finding, Severity};
use einvoice_core::number::Amount;
use einvoice_core::source::{Place, Provenance};

/// Most inferred values that are named; the rest is counted.
const NAMED_MAX: usize = 12;

/// Faults of the voucher's amounts: where one holds, the later ones follow from it.
const ROOTS_FIRST: [&str; 7] = [
    "tally.unreadable_amount",
    "tally.no_party_line",
    "tally.negative_item",
    "tally.voucher_unbalanced",
    "tally.tax_mismatch",
    "tally.halves_differ",
    "tally.total_mismatch",
];

/// Collects findings and provenance of one voucher.
#[derive(Debug)]
pub(crate) struct Report {
    place: String,
    findings: Vec<Finding>,
    inferred: Vec<(Severity, String)>,
    provenance: Provenance,
}

impl Report {
    /// A report about the voucher at `place`.
    pub(crate) fn new(place: String) -> Self {
        Self { place, findings: Vec::new(), inferred: Vec::new(), provenance: Provenance::new() }
    }

    /// Adds a finding and says where it belongs.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding.with_place(self.place.clone()));
    }

    /// Says where a value came from.
    pub(crate) fn from(&mut self, place: impl Into<Place>, origin: impl Into<Cow<'static, str>>) {
        self.provenance.insert(place, origin);
    }

    /// Notes a value that neither the voucher nor a master states: a person is told of all at once.
    pub(crate) fn inferred(&mut self, severity: Severity, what: String) {
        if !self.inferred.iter().any(|(_, said)| *said == what) {
            self.inferred.push((severity, what));
        }
    }

    /// The findings and the provenance.
    pub(crate) fn into_parts(mut self) -> (Vec<Finding>, Provenance) {
        self.keep_roots();
        if let Some(severity) = self.inferred.iter().map(|(severity, _)| *severity).max() {
            // What may be wrong comes first.
            self.inferred.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
            let mut named: Vec<&str> = self.inferred.iter().map(|(_, what)| &**what).take(NAMED_MAX).collect();
            let more = format!("{} more", self.inferred.len().saturating_sub(NAMED_MAX));
            if self.inferred.len() > NAMED_MAX {
                named.push(&more);
            }
            let message = format!("neither the voucher nor a master states: {}", named.join("; "));
            let fix = "Export with dependent masters, enter the values in Tally, or state them in the configuration.";
            self.add(Finding::new(severity, "tally.inferred", "", message).with_fix(fix));
        }
        (self.findings, self.provenance)
    }

    /// Tells one fault of the amounts once: by its root.
    fn keep_roots(&mut self) {
        let rank = |finding: &Finding| ROOTS_FIRST.iter().position(|rule| finding.rule == *rule);
        if let Some(root) = self.findings.iter().filter_map(rank).min() {
            self.findings.retain(|finding| rank(finding).is_none_or(|found| found == root));
        }
    }
}

/// An amount for people: always with two decimals.
pub(crate) fn rupees(amount: Amount) -> String {
    let paise = amount.paise();
    let sign = if paise < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", paise.unsigned_abs() / 100, paise.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimals() {
        let written: Vec<String> =
            [2_892_540, -5, 0, 100].into_iter().map(|paise| rupees(Amount::from_paise(paise))).collect();
        assert_eq!(written, ["28925.40", "-0.05", "0.00", "1.00"]);
    }

    #[test]
    fn of_several_faults_of_the_amounts_the_root_is_told() {
        let mut report = Report::new("a.xml".to_owned());
        for rule in ["tally.total_mismatch", "tally.hsn_missing", "tally.tax_mismatch", "tally.tax_mismatch"] {
            report.add(Finding::error(rule, "", ""));
        }
        let rules: Vec<_> = report.into_parts().0.into_iter().map(|finding| finding.rule.into_owned()).collect();
        assert_eq!(rules, ["tally.hsn_missing", "tally.tax_mismatch", "tally.tax_mismatch"]);
    }

    #[test]
    fn inferred_values_are_one_finding_with_the_doubtful_ones_first() {
        let mut report = Report::new("a.xml".to_owned());
        report.inferred(Severity::Info, "unit PRS of \"Valve\" (a common name of the unit)".to_owned());
        report.inferred(Severity::Warning, "place of supply 27 (the buyer's state)".to_owned());
        let findings = report.into_parts().0;
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((&*finding.rule, finding.severity), ("tally.inferred", Severity::Warning));
        assert!(finding.message.contains("states: place of supply 27 (the buyer's state); unit PRS"));
    }
}

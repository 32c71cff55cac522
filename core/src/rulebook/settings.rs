//! What a check knows beside document and day: the supplier's turnover, facts about taxpayers, switches and
//! severities that an integrator chose.
//!
//! Each of them is data, because the portal's rules depend on it and because the portal changes its mind: the
//! ship-to rule was announced, postponed and put on hold within ten weeks of 2026.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{document, table};
use crate::date::DocumentDate;
use crate::finding::{Finding, Severity};
use crate::identifier::Gstin;
use crate::registry::nearest;

/// `[rules]`: what the rulebook is told beside the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RuleSettings {
    /// Aggregate turnover of the supplier in the previous financial year, in crore rupees (1 crore is 10 million).
    /// From 10 crore on documents must be reported within 30 days (2305), above 5 crore HSN codes need six digits. Whole
    /// crore, what is beyond them left out; but 5 crore and a part are above 5, and so 6.
    /// Default: not known, so that an old document is a warning.
    pub turnover_crore: Option<u32>,
    /// The same for single PANs, where one installation serves several: `{ AAACE1234F = 12 }`.
    pub turnover_crore_by_pan: BTreeMap<String, u32>,
    /// When the ship-to GSTIN of an e-way bill becomes an obligation. Default `on_hold`: its absence is a warning,
    /// as the advisory of 29 July 2026 (portal id 668) put the rule on hold. `{ from = "2027-01-01" }` makes it an
    /// error for documents reported from that day on, and from then on e-way bills can be closed voluntarily, which
    /// the same advisory put on hold.
    pub ship_to_gstin: ShipToGstin,
    /// Earliest document date the portal takes (2284). Default 2020-10-01; NIC's sandbox took only dates from
    /// 2025-04-01 on in 2026.
    #[schemars(with = "String")]
    pub earliest_document_date: Date,
    /// Most items of a document (2173). Default 1000; the portal grants more on request. From 1 to 2000.
    pub max_items: usize,
    /// GSTIN of the e-commerce operator that reports for its suppliers. Default: none, each supplier reports.
    #[schemars(with = "Option<String>")]
    pub reported_by: Option<GstinText>,
    /// Rules whose severity is changed, each with a reason, which is logged.
    pub severity: Vec<SeverityChange>,
    /// What is known of single taxpayers and only the portal could check otherwise.
    pub taxpayer: Vec<Taxpayer>,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            turnover_crore: None,
            turnover_crore_by_pan: BTreeMap::new(),
            ship_to_gstin: ShipToGstin::OnHold,
            earliest_document_date: date(2020, 10, 1),
            max_items: 1_000,
            reported_by: None,
            severity: Vec::new(),
            taxpayer: Vec::new(),
        }
    }
}

/// A GSTIN as configuration has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GstinText(Gstin);

impl GstinText {
    /// The GSTIN.
    #[must_use]
    pub const fn gstin(self) -> Gstin {
        self.0
    }
}

impl From<Gstin> for GstinText {
    fn from(gstin: Gstin) -> Self {
        Self(gstin)
    }
}

impl Serialize for GstinText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for GstinText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Gstin::parse(&text).map(Self).map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
    }
}

/// State of the ship-to rule (advisories of 17 June and 29 July 2026).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ShipToGstin {
    /// Announced, and on hold: a warning.
    #[default]
    OnHold,
    /// In force for documents reported from a day on; a warning before it.
    #[serde(untagged)]
    InForce {
        /// The first day.
        #[schemars(with = "String")]
        from: Date,
    },
}

impl ShipToGstin {
    /// What breaking the rule means for a document reported on this day.
    #[must_use]
    pub fn severity(self, day: Date) -> Severity {
        match self {
            _ if self.in_force(day) => Severity::Error,
            Self::InForce { .. } | Self::OnHold => Severity::Warning,
        }
    }

    /// Whether the hold is over on this day: for this rule, and for the voluntary closure of e-way bills, which the
    /// same advisories announced and put on hold with it.
    #[must_use]
    pub fn in_force(self, day: Date) -> bool {
        matches!(self, Self::InForce { from } if from <= day)
    }
}

/// Another severity for one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a row of the configuration")]
pub struct SeverityChange {
    /// Id of the rule, as findings name it: `items.tot_amt`.
    pub rule: String,
    /// `error`, `warning` or `info`. No rule can be switched off: what is not said cannot be seen.
    pub severity: Severity,
    /// Why, for the log and for whoever reads the configuration next.
    pub reason: String,
}

/// What is known of one taxpayer: from the portal's GSTIN look-up, or from its registration certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a row of the configuration")]
pub struct Taxpayer {
    /// The taxpayer.
    #[schemars(with = "String")]
    pub gstin: GstinText,
    /// Kind of registration. Default: not known.
    #[serde(default)]
    pub kind: Option<TaxpayerKind>,
    /// Standing of the registration. Default: not known.
    #[serde(default)]
    pub status: Option<TaxpayerStatus>,
    /// First day of the registration.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub registered: Option<Date>,
    /// Day of cancellation, for a cancelled registration.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub cancelled: Option<Date>,
}

/// Kinds of registration the rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaxpayerKind {
    /// Regular.
    Regular,
    /// Composition scheme.
    Composition,
    /// Casual taxable person; may report since 16 December 2025.
    Casual,
    /// Unit in a special economic zone.
    SezUnit,
    /// Developer of a special economic zone.
    SezDeveloper,
    /// Input service distributor: reports nothing, and pays no tax by reverse charge.
    InputServiceDistributor,
    /// Any other: deductor, collector, UN body, non-resident.
    Other,
}

/// Standing of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaxpayerStatus {
    /// Active.
    Active,
    /// Suspended: may be supplied, may not report.
    Suspended,
    /// Inactive or provisional.
    Inactive,
    /// Cancelled.
    Cancelled,
    /// The portal does not know the GSTIN.
    Unknown,
}

/// Settings that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[rules] {place}: {problem}")]
#[non_exhaustive]
pub struct RuleSettingsError {
    /// Which setting.
    pub place: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl RuleSettings {
    /// Refuses what cannot be meant: unknown rules, severities nothing may have, changes without a reason.
    ///
    /// # Errors
    /// The first such setting.
    pub fn validate(&self) -> Result<(), RuleSettingsError> {
        let fault = |place: String, problem: String| Err(RuleSettingsError { place, problem });
        if !(1..=2_000).contains(&self.max_items) {
            return fault("max_items".into(), format!("{} is not from 1 to 2000", self.max_items));
        }
        for (index, change) in self.severity.iter().enumerate() {
            let place = format!("severity[{index}] ({})", change.rule);
            let Some(rule) = table::rule_by_id(&change.rule) else {
                let ids = table::rules().iter().map(|rule| rule.id);
                let near = nearest(&change.rule, ids).map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
                return fault(place, format!("there is no such rule{near} (`einvoice explain --rules` lists them)"));
            };
            if change.severity == Severity::Repaired {
                return fault(place, "a severity is error, warning or info".into());
            }
            if rule.is_structural() && change.severity != Severity::Error && rule.severity == Severity::Error {
                return fault(
                    place,
                    "a document that breaks this rule cannot be sent at all, so it stays an error".into(),
                );
            }
            if change.reason.trim().is_empty() {
                return fault(place, "give the reason: it is logged with every run".into());
            }
        }
        for pan in self.turnover_crore_by_pan.keys() {
            if crate::identifier::Pan::parse(&pan.to_ascii_uppercase()).is_err() {
                return fault("turnover_crore_by_pan".into(), format!("{pan:?} is not a PAN (ten characters)"));
            }
        }
        Ok(())
    }

    /// Tells the log which rules were given another severity, and why.
    pub fn announce(&self) {
        for SeverityChange { rule, severity, reason } in &self.severity {
            let was = table::rule_by_id(rule).map_or(Severity::Error, |rule| rule.severity);
            tracing::warn!(rule, %was, now = %severity, reason, "a rule of the portal has another severity here");
        }
        if let ShipToGstin::InForce { from } = self.ship_to_gstin {
            tracing::info!(%from, "the ship-to GSTIN rule is in force from this day");
        }
    }

    /// Turnover of a supplier, in crore rupees, where it is known.
    #[must_use]
    pub fn turnover_of(&self, supplier: Gstin) -> Option<u32> {
        let by_pan = || {
            let pan = supplier.pan()?;
            // Configuration sources differ in whether they keep the case of keys.
            let own = |(key, _): &(&String, &u32)| key.eq_ignore_ascii_case(pan.as_str());
            self.turnover_crore_by_pan.iter().find(own).map(|(_, crore)| *crore)
        };
        if self.turnover_crore_by_pan.is_empty() { self.turnover_crore } else { by_pan().or(self.turnover_crore) }
    }

    /// The last day on which a document of this date is sure to be in time, where the supplier's turnover obliges it
    /// to report within 30 days.
    #[must_use]
    pub fn report_until(&self, supplier: Gstin, dated: DocumentDate, today: Date) -> Option<Date> {
        let applies = self.turnover_of(supplier)? >= document::reporting_threshold(today);
        let last = || dated.date().checked_add(document::LAST_SURE_DAYS.days()).ok();
        if applies { last() } else { None }
    }

    pub(crate) fn taxpayer(&self, gstin: Gstin) -> Option<&Taxpayer> {
        self.taxpayer.iter().find(|taxpayer| taxpayer.gstin.0 == gstin)
    }

    /// Gives a finding the severity that the integrator chose for its rule.
    pub(crate) fn regrade(&self, finding: &mut Finding) {
        if let Some(change) = self.severity.iter().find(|change| change.rule == finding.rule) {
            finding.severity = change.severity;
        }
    }
}

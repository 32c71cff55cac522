//! From the text of an `IDoc` to an INV-01 document: rules first, then what no rule can say.

mod control;
mod currency;
mod derive;
mod facts;
mod field;
mod finish;
mod plan;
mod record;
mod taxes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Field, Mapping, MappingConfig, Names, SellerConfig, complete};
use einvoice_core::source::{Mapped, Skip, SourceRef};
use einvoice_core::spelling;

use crate::config::{ControlConfig, Numbers, SourceConfig};
use crate::idoc::{Idoc, NoIdoc, RAW};
use crate::value;

use self::derive::Settings;
use self::facts::Facts;
use self::plan::Plan;
use self::record::IdocRecord;
use self::taxes::TaxNames;

/// The rules for `IDoc`s that are built in.
const BUILT_IN: &str = include_str!("builtin.toml");
/// The table of states by region.
const REGIONS: &str = "regions";
/// Billing types that cancel an earlier document.
const CANCELLATIONS: [&str; 2] = ["S1", "S2"];
/// Billing types that are no supply yet.
const PRO_FORMA: [&str; 2] = ["F5", "F8"];
/// What is always returned with results, by the name it is returned under.
const KEYS: [(&str, &str); 10] = [
    ("MANDT", "EDI_DC40.MANDT"),
    ("DOCNUM", "EDI_DC40.DOCNUM"),
    ("SNDPOR", "EDI_DC40.SNDPOR"),
    ("SNDPRT", "EDI_DC40.SNDPRT"),
    ("SNDPRN", "EDI_DC40.SNDPRN"),
    ("RCVPOR", "EDI_DC40.RCVPOR"),
    ("RCVPRN", "EDI_DC40.RCVPRN"),
    ("BUKRS", "E1EDK14[003].ORGID"),
    ("DOCNO", "E1EDK01.BELNR"),
    ("FKART", "E1EDK14[015].ORGID"),
];

/// The rules that are built in.
pub(crate) fn built_in() -> Result<MappingConfig, (&'static str, String)> {
    toml::from_str(BUILT_IN).map_err(|error| ("mapping", format!("the built-in rules: {error}")))
}

/// Maps `IDoc`s by the rules that are built in and those of a customer.
#[derive(Debug)]
pub(crate) struct Mapper {
    mapping: Mapping,
    plan: Arc<Plan>,
    control: ControlConfig,
    numbers: Numbers,
    settings: Settings,
    taxes: TaxNames,
    sellers: Vec<SellerConfig>,
    regions: HashMap<String, String>,
    /// What is returned with results, sorted, by the slots of the plan.
    keys: Vec<(String, usize)>,
    computes: bool,
}

impl Mapper {
    /// A mapper for a configuration.
    pub(crate) fn new(config: &SourceConfig) -> Result<Self, (&'static str, String)> {
        currency::check(&config.conditions.currency_units).map_err(|reason| ("conditions.currency_units", reason))?;
        let mut builtin = built_in()?;
        // Taxes are told before the rest is computed, so computing is not left to the mapping.
        builtin.complete = Some(false);
        let mut own = config.mapping.clone();
        let computes = own.complete.take().unwrap_or(true);
        let mapping = Mapping::new(&builtin, &own, Names::Exact).map_err(|error| ("mapping", error.to_string()))?;
        let keys: Vec<(String, String)> = KEYS
            .iter()
            .map(|(name, field)| ((*name).to_owned(), (*field).to_owned()))
            .chain(config.keys.clone())
            .collect();
        let plan = Plan::new(mapping.fields()).map_err(|reason| ("mapping", reason))?;
        for (name, field) in &keys {
            field::parse(field).map_err(|reason| ("keys", format!("{name}: {reason}")))?;
        }
        let mut plan = Plan::new(plan.names().chain(keys.iter().map(|(_, field)| field.as_str())))
            .map_err(|reason| ("mapping", reason))?;
        plan.number(mapping.numbered().map(Field::name));
        let mut keys: Vec<(String, usize)> =
            keys.into_iter().filter_map(|(name, field)| Some((name, plan.slot(&field)?))).collect();
        // In the order of the map they go into; of two with one name the last counts.
        keys.sort_by(|(left, _), (right, _)| left.cmp(right));
        let tables = [&builtin.tables, &own.tables].into_iter().filter_map(|tables| tables.get(REGIONS));
        let regions = tables.flatten().map(|(region, code)| (spelling::fold(region), code.clone())).collect();
        Ok(Self {
            mapping,
            plan: Arc::new(plan),
            control: config.control.clone(),
            numbers: config.numbers,
            settings: Settings {
                plants: config.plants.clone(),
                company_gstins: config.company_gstins.clone(),
                conditions: config.conditions.clone(),
            },
            taxes: TaxNames::new(&config.conditions),
            sellers: own.seller,
            regions,
            keys,
            computes,
        })
    }

    /// Maps the text of one `IDoc`, which stands at a place.
    pub(crate) fn map(&self, content: &str, reference: &SourceRef) -> Mapped {
        let idoc = match Idoc::parse(content) {
            Ok(idoc) => idoc,
            Err(NoIdoc(line)) => {
                let message = format!("the record is no IDoc: its line {line} cannot be read");
                let finding = Finding::error("idoc.record", "", message).with_fix("Read the file again.");
                return unmappable(reference.to_string(), vec![finding], reference);
            }
        };
        let label = || label(&idoc);
        let faults = control::check(&idoc, &self.control);
        if !faults.is_empty() {
            return unmappable(label(), faults, reference);
        }
        let first_line = line_of(&reference.position);
        let facts = Facts::new(&idoc, first_line, self.numbers, &self.settings.conditions);
        let billing = facts.qualified("E1EDK14", ("QUALF", "015"), "ORGID").unwrap_or_default();
        if PRO_FORMA.contains(&billing) {
            let message = format!("billing type {billing} is a pro forma invoice");
            return Mapped::Skipped(Skip { label: label(), reason: "pro_forma".to_owned(), message });
        }
        if CANCELLATIONS.contains(&billing) {
            return unmappable(label(), vec![cancellation(&facts, billing)], reference);
        }
        let record = IdocRecord::new(&facts, &self.plan, &self.settings);
        let mut mapped = match self.mapping.map(&record) {
            Ok(mapped) => mapped,
            Err(skip) => return Mapped::Skipped(Skip { label: label(), ..skip }),
        };
        finish::tax(&mut mapped, &facts, &self.taxes, &self.sellers);
        finish::surcharges(&mut mapped);
        finish::agreement(&mut mapped, &facts, &self.regions);
        finish::one_supplier(&mut mapped, &facts, &self.settings);
        if self.computes {
            complete(&mut mapped, &self.sellers);
        }
        mapped.attributes = self.attributes(&record, &mapped.invoice);
        mapped.findings.extend(self.without_layout(&facts));
        mapped.findings.extend(facts.findings.iter().cloned());
        placed(&mut mapped.findings, reference);
        Mapped::Document(Box::new(mapped))
    }

    /// What results are returned with.
    fn attributes(
        &self,
        record: &IdocRecord<'_, '_>,
        invoice: &einvoice_core::document::Invoice,
    ) -> BTreeMap<String, String> {
        let keys = self.keys.iter().filter_map(|(name, slot)| Some((name.clone(), record.of_head(*slot)?.to_owned())));
        // A key that the configuration names is meant to be the one of that name.
        crate::attributes::of_document(invoice).chain(keys).collect()
    }

    /// Segments of a flat file that the mapping would read if it had their layout.
    fn without_layout(&self, facts: &Facts<'_>) -> Vec<Finding> {
        let all = facts.head.iter().chain(facts.items.iter().flat_map(|item| &item.segments));
        let mut found: Vec<Finding> = Vec::new();
        for segment in all.filter(|segment| facts.idoc.value(**segment, RAW).is_some()) {
            let is_read = !self.plan.wanted(segment.name).is_empty() || segment.name == "E1EDP28";
            let is_new = !found.iter().any(|finding| finding.message.contains(segment.name));
            if is_read && is_new {
                let message = format!(
                    "segment {} is in the file, and nothing says which of its fields stands where",
                    segment.name
                );
                found.push(
                    Finding::warning("idoc.layout", "", message)
                        .with_fix("Give its layout in a file of segment definitions, under `definitions`.")
                        .with_place(facts.place(*segment)),
                );
            }
        }
        found
    }
}

fn unmappable(label: String, mut findings: Vec<Finding>, reference: &SourceRef) -> Mapped {
    placed(&mut findings, reference);
    Mapped::Unmappable { label, findings }
}

/// Puts the file before places that are a segment and a line.
fn placed(findings: &mut [Finding], reference: &SourceRef) {
    for finding in findings {
        if let Some(place) = finding.place.take() {
            let whole = place.starts_with(&reference.location);
            finding.place = Some(if whole { place } else { [&*reference.location, ", ", &*place].concat() });
        }
    }
}

/// A cancelled billing document is a decision about a registration that exists, and no new document.
fn cancellation(facts: &Facts<'_>, billing: &str) -> Finding {
    let cancelled = ["011", "016", "009"].into_iter().find_map(|by| facts.qualified("E1EDK02", ("QUALF", by), "BELNR"));
    let message = format!("billing type {billing} cancels an earlier document, which is no new registration");
    Finding::error("sap.cancellation", "DocDtls.Typ", message).with_found(cancelled.unwrap_or("no number")).with_fix(
        "Within 24 hours of the registration, cancel it with `einvoice cancel`; later, issue a credit note. Then remove this file.",
    )
}

/// What a person may call an `IDoc`.
fn label(idoc: &Idoc<'_>) -> String {
    let of = |name: &str| idoc.segments().iter().find(|segment| segment.name == name);
    let invoice = of("E1EDK01").and_then(|head| idoc.value(*head, "BELNR"));
    let number = idoc.control("DOCNUM");
    match invoice {
        Some(invoice) => format!("billing document {invoice} (IDoc {number})"),
        None => format!("IDoc {number}"),
    }
}

/// The identity of an `IDoc` in its system; nothing where it has no number.
pub(crate) fn idoc_id(content: &str) -> Option<String> {
    let line = content.lines().next()?;
    let of = |name: &str| line.split('\t').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    let number = of("DOCNUM").map(str::trim).filter(|number| !number.is_empty() && !value::is_initial(number))?;
    Some(format!("idoc/{}/{}/{number}", of("MANDT").unwrap_or_default(), of("SNDPRN").unwrap_or_default()))
}

/// The line in a position such as `document 3, line 120`: its last number.
pub(crate) fn line_of(position: &str) -> u64 {
    position.rsplit(' ').find_map(|word| word.parse().ok()).unwrap_or(1)
}

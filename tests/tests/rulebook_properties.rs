//! Documents that are valid by construction pass, and each fault put into one yields its rule and code.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::sync::Arc;

use einvoice_core::document::{Invoice, ReadOptions, YesNo};
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::rulebook::{CheckOptions, CheckResult, RuleSettings, check, check_read, rules};
use einvoice_testkit::invoices::{DAY, Draw, Shape, any_invoice, noise};
use einvoice_testkit::mutations::{self, Case, Mutation};
use proptest::prelude::*;

fn findings(result: CheckResult) -> Vec<Finding> {
    match result {
        Ok(checked) => checked.findings().to_vec(),
        Err(rejected) => rejected.findings,
    }
}

/// Warnings that a valid document may bring: the rule that 2294 stands for is not settled.
fn is_documented(finding: &Finding, invoice: &Invoice) -> bool {
    finding.rule == "tran.igst_on_intra_reverse" && invoice.tran_dtls.reg_rev.get() != Some(YesNo::Yes)
}

fn assert_valid(invoice: &Invoice) {
    let json = invoice.to_json();
    let found = findings(check(invoice.clone(), Vec::new(), &CheckOptions::on(DAY)));
    let others: Vec<_> = found.iter().filter(|finding| !is_documented(finding, invoice)).collect();
    assert!(others.is_empty(), "{others:#?}\n{json}");
    let read = Invoice::from_json_with(&json, ReadOptions::strict()).unwrap();
    assert_eq!(read.findings, [], "{json}");
    assert_eq!(&read.invoice, invoice);
    assert_eq!(check_read(read, &CheckOptions::on(DAY)).unwrap().payload(), json.as_bytes());
}

#[test]
fn documents_of_every_supply_type_and_document_type_pass() {
    for (index, shape) in Shape::all().into_iter().enumerate() {
        for seed in 0..8 {
            let bytes = noise(seed * 1_000 + u64::try_from(index).unwrap(), 4_000);
            assert_valid(&shape.invoice(&mut Draw::new(&bytes)));
        }
    }
}

/// Rules that let a document go out, written here so that none becomes one of them unseen. All others keep it.
const REMARKS: &[&str] = &[
    "schema.late_year",
    "schema.blanks",
    "document.age_limit",
    "document.age_turnover",
    "ref.preceding_number",
    "tran.igst_on_intra_reverse",
    "gstin.form",
    "place.pin_unknown",
    "buyer.export_pin",
    "items.hsn_doubtful",
    "items.rate_ended",
    "items.tot_amt",
    "export.country_missing",
    "ewb.document",
    "ewb.goods",
    "ewb.mode",
    "ewb.mode_missing",
    "ewb.vehicle",
    "ewb.vehicle_type",
    "ewb.vehicle_form",
    "ewb.document_number",
    "ewb.document_date",
    "ewb.ship",
    "ewb.ship_vehicle_type",
    "ewb.odc",
    "ewb.document_future",
    "ewb.document_early",
    "ewb.same_pin",
    "ewb.foreign_pin",
    "ewb.export_ship",
    "ewb.export_ship_state",
    "ewb.export_ship_pin",
    "ewb.dispatch_state",
    "ewb.dispatch_pin",
    "buyer.deemed_export_kind",
    "tax.igst_without_payment",
];

/// A finding about an item names one that is not as it was, unless the fault lies outside the items.
fn lies_in_a_changed_item(finding: &Finding, before: &Invoice, after: &Invoice) -> bool {
    let index = finding.path.strip_prefix("ItemList[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
    let Some(index) = index else { return true };
    before.item_list == after.item_list || before.item_list.get(index) != after.item_list.get(index)
}

/// Puts the fault into the document and holds the findings against what it must yield; no verdict where
/// it does not fit.
fn yields(mutation: &Mutation, before: &Invoice, draw: &mut Draw<'_>) -> Option<Result<(), String>> {
    let mut case = Case::new(before.clone());
    (mutation.put)(&mut case, draw)?;
    let Case { invoice, settings } = case;
    settings.validate().unwrap();
    let options = CheckOptions::on(DAY).with_settings(Arc::new(settings));
    let found = findings(check(invoice.clone(), Vec::new(), &options));
    let summary: Vec<_> =
        found.iter().map(|finding| format!("{} at {}: {}", finding.rule, finding.path, finding.message)).collect();
    let (name, rule) = (mutation.name, mutation.rule);
    let own = found.iter().find(|finding| finding.rule == rule);
    if own.map(|finding| finding.code.as_deref()) != Some(mutation.code) {
        return Some(Err(format!("{name}: no {rule} with code {:?} in {summary:#?}", mutation.code)));
    }
    // A wrong transporter costs the e-way bill only.
    let is_remark =
        |own: &Finding| REMARKS.contains(&rule) || own.path == "EwbDtls.TransId" && rule == "gstin.check_digit";
    if own.is_some_and(|own| own.is_error() == is_remark(own)) {
        return Some(Err(format!("{name}: {rule} has the wrong severity in {summary:#?}")));
    }
    let expected = |finding: &&Finding| {
        finding.rule == rule || mutation.also.contains(&&*finding.rule) || is_documented(finding, &invoice)
    };
    if let Some(other) = found.iter().find(|finding| !expected(finding)) {
        return Some(Err(format!("{name}: unexpected {} in {summary:#?}", other.rule)));
    }
    // A setting may concern every item.
    let same_rules = *options.settings == RuleSettings::default();
    if let Some(elsewhere) =
        found.iter().filter(|_| same_rules).find(|finding| !lies_in_a_changed_item(finding, before, &invoice))
    {
        return Some(Err(format!("{name}: {} at {}, where nothing was changed", elsewhere.rule, elsewhere.path)));
    }
    // The same by way of the text, where the fault has one.
    let read = Invoice::from_json_with(&invoice.to_json(), ReadOptions::strict()).unwrap();
    let again: Vec<_> = findings(check_read(read, &options));
    Some(if again == found { Ok(()) } else { Err(format!("{name}: the text yields {again:#?} and not {found:#?}")) })
}

/// Documents of every shape, the same in every run.
fn pool() -> Vec<(Invoice, Vec<u8>)> {
    let shapes = Shape::all();
    let seeds = (0_u64..).zip(shapes.iter().cycle());
    seeds
        .take(shapes.len() * 25)
        .map(|(seed, shape)| {
            let bytes = noise(7_000 + seed, 2_000);
            (shape.invoice(&mut Draw::new(&bytes)), noise(seed, 64))
        })
        .collect()
}

/// How many documents each fault is put into.
const TIMES: usize = 10;

#[test]
fn every_fault_yields_its_rule_and_code_and_no_other_than_follow_from_it() {
    let pool = pool();
    let mut wrong = Vec::new();
    for mutation in mutations::all() {
        let verdicts = pool.iter().filter_map(|(invoice, bytes)| yields(&mutation, invoice, &mut Draw::new(bytes)));
        let verdicts: Vec<_> = verdicts.take(TIMES).collect();
        if verdicts.len() < TIMES {
            wrong.push(format!("{} fits {} documents", mutation.name, verdicts.len()));
        }
        wrong.extend(verdicts.into_iter().find_map(Result::err));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules that speak of texts and not of documents, of which `rulebook_bad_input` has the cases, or of a request that
/// is not a document.
const ELSEWHERE: [&str; 11] = [
    "json.syntax",
    "json.object",
    "json.depth",
    "schema.entries",
    "findings.more",
    "schema.size",
    "schema.duplicate",
    "schema.unknown",
    "schema.irn_given",
    "ship.gstin_later",
    "ship.state_later",
];

#[test]
fn every_rule_has_a_fault_and_every_fault_a_name_of_its_own() {
    let faults = mutations::all();
    assert!(faults.len() >= 60, "{}", faults.len());
    let names: BTreeSet<_> = faults.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults.len());
    let ruled: BTreeSet<_> = faults.iter().map(|fault| fault.rule).collect();
    // What a repair reports is no fault that a document can have.
    let broken = rules().iter().filter(|rule| rule.severity != Severity::Repaired).map(|rule| rule.id);
    let missing: Vec<_> = broken.filter(|id| !ruled.contains(id) && !ELSEWHERE.contains(id)).collect();
    assert_eq!(missing, [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_document_that_is_valid_by_construction_passes(
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        assert_valid(&any_invoice(&mut Draw::new(&bytes)));
    }

    #[test]
    fn any_document_with_one_fault_yields_the_rule_and_code_of_the_fault(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000), fault in any::<prop::sample::Index>(),
        choices in prop::collection::vec(any::<u8>(), 8),
    ) {
        let invoice = any_invoice(&mut Draw::new(&bytes));
        let faults = mutations::all();
        // The first fault from the drawn one on that the document has room for.
        let from = fault.index(faults.len());
        let mut turn = faults.iter().cycle().skip(from).take(faults.len());
        prop_assert_eq!(turn.find_map(|fault| yields(fault, &invoice, &mut Draw::new(&choices))), Some(Ok(())));
    }
}

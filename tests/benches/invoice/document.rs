//! Reading, checking and writing one document. Linear in the items, or something is wrong.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use einvoice_core::document::Invoice;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::number::Amount;
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_testkit::documents::Recipe;
use jiff::civil::date;

/// The portal's schema, as a general validator reads it.
const SCHEMA: &str = include_str!("../../../transports/sandbox/schema/inv01-1.1.json");

const ITEMS: [u32; 3] = [6, 100, 1000];

fn invoice(items: u32) -> Invoice {
    Recipe { items, ..Recipe::numbered(1) }.invoice()
}

fn options() -> CheckOptions {
    CheckOptions::on(date(2026, 11, 20))
}

#[divan::bench(args = ITEMS)]
fn parse(bencher: Bencher<'_, '_>, items: u32) {
    let json = invoice(items).to_json();
    bencher.counter(ItemsCount::new(items)).bench(|| Invoice::from_json(black_box(&json)).unwrap());
}

/// All rules.
#[divan::bench(args = ITEMS)]
fn check(bencher: Bencher<'_, '_>, items: u32) {
    let (invoice, options) = (invoice(items), options());
    bencher
        .counter(ItemsCount::new(items))
        .with_inputs(|| invoice.clone())
        .bench_values(|invoice| rulebook::check(invoice, Vec::new(), &options).unwrap());
}

#[divan::bench(args = ITEMS)]
fn payload(bencher: Bencher<'_, '_>, items: u32) {
    let invoice = invoice(items);
    bencher.counter(ItemsCount::new(items)).bench(|| black_box(&invoice).to_json());
}

/// From text to the verdict.
#[divan::bench(args = ITEMS)]
fn parse_and_check(bencher: Bencher<'_, '_>, items: u32) {
    let (json, options) = (invoice(items).to_json(), options());
    bencher
        .counter(ItemsCount::new(items))
        .bench(|| rulebook::check_read(Invoice::from_json(black_box(&json)).unwrap(), &options).unwrap());
}

/// From text to a verdict on the schema alone, by a general JSON Schema validator over the project's schema file.
#[divan::bench(args = ITEMS)]
fn parse_and_validate_by_a_general_validator(bencher: Bencher<'_, '_>, items: u32) {
    let json = invoice(items).to_json();
    let validator = jsonschema::draft7::new(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    bencher.counter(ItemsCount::new(items)).bench(|| {
        let document: serde_json::Value = serde_json::from_str(black_box(&json)).unwrap();
        assert!(validator.is_valid(&document));
    });
}

/// From text to the checked document and its payload.
#[divan::bench(args = ITEMS)]
fn parse_check_and_payload(bencher: Bencher<'_, '_>, items: u32) {
    let (json, options) = (invoice(items).to_json(), options());
    bencher.counter(ItemsCount::new(items)).bench(|| {
        rulebook::check_read(Invoice::from_json(black_box(&json)).unwrap(), &options).unwrap().payload().len()
    });
}

/// A document with an error on each line: the findings are the work.
#[divan::bench(args = ITEMS)]
fn check_with_an_error_on_each_line(bencher: Bencher<'_, '_>, items: u32) {
    let (mut invoice, options) = (invoice(items), options());
    for item in &mut invoice.item_list {
        item.tot_amt = Amount::from_paise(1).into();
    }
    bencher
        .counter(ItemsCount::new(items))
        .with_inputs(|| invoice.clone())
        .bench_values(|invoice| rulebook::check(invoice, Vec::new(), &options).unwrap_err());
}

#[divan::bench]
fn irn(bencher: Bencher<'_, '_>) {
    let key = invoice(1).document_key().unwrap();
    bencher.bench(|| Irn::compute(black_box(&key), IrnRule::UpperCase));
}

//! Files of SAP: framing, reading and mapping of `IDoc`s.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use einvoice_sap_file::fuzzing;
use einvoice_testkit::idocs::{Framing, IdocRecipe};

/// A six-item invoice, as the other benches have it.
fn invoice(number: u32) -> IdocRecipe {
    IdocRecipe { items: 6, ..IdocRecipe::numbered(number) }
}

/// From the text that is kept of an `IDoc` to a document.
#[divan::bench]
fn map_an_idoc(bencher: Bencher<'_, '_>) {
    let text = fuzzing::texts(invoice(1).flat(Framing::Cut).as_bytes()).unwrap().remove(0);
    let mapping = fuzzing::Mapping::built_in().unwrap();
    bencher.counter(ItemsCount::new(1_usize)).bench(|| mapping.map(black_box(&text)));
}

/// A flat file of a hundred invoices, cut into records twice and into fields once.
#[divan::bench(args = [Framing::Contiguous, Framing::Lines, Framing::Cut])]
fn read_flat_idocs(bencher: Bencher<'_, '_>, framing: Framing) {
    let file: String = (1..=100).map(|number| invoice(number).flat(framing)).collect();
    bencher
        .counter(ItemsCount::new(100_usize))
        .counter(BytesCount::new(file.len()))
        .bench(|| fuzzing::texts(black_box(file.as_bytes())).unwrap());
}

/// The same as XML, mapped too.
#[divan::bench]
fn read_and_map_xml_idocs(bencher: Bencher<'_, '_>) {
    let idocs: String = (1..=100).map(|number| invoice(number).xml()).collect();
    let file = format!("<INVOIC02>{idocs}</INVOIC02>");
    bencher.counter(ItemsCount::new(100_usize)).bench(|| fuzzing::xml(black_box(file.as_bytes())).unwrap());
}

//! Entry points for tests that feed arbitrary bytes.

use std::io::Read as _;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use einvoice_core::finding::Finding;
use einvoice_core::source::Mapped;

use crate::config::TallySourceConfig;
use crate::live::{Head, ImportAnswer, beginning, refusal};
use crate::mapping::{self, Beside, Settings};
use crate::masters::Masters;
use crate::reading::{self, identity_of};
use crate::text::CleanReader;
use crate::write_back::Shown;
use crate::xml::{Element, Found, Wanted, split};

/// Largest voucher that is read here: small enough for a fuzzer to reach.
const OBJECT_BYTES_MAX: usize = 64 * 1024;

/// What bytes were read as.
#[derive(Debug, Default)]
pub struct Counts {
    /// Vouchers.
    pub vouchers: usize,
    /// Those that became a document or were passed over by a rule.
    pub mapped: usize,
    /// Everything said of what was not read or not mapped.
    pub findings: Vec<Finding>,
}

/// Settings of a source that is never opened.
static SETTINGS: LazyLock<Option<Settings>> = LazyLock::new(|| Settings::new(TallySourceConfig::default()).ok());

/// Reads bytes as an exported file, in the two passes of the source, and maps every voucher with the masters beside it.
#[must_use]
pub fn export(bytes: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let Some(settings) = SETTINGS.as_ref() else { return counts };
    let limits = reading::limits(OBJECT_BYTES_MAX);
    let mut masters = Masters::before(Arc::default());
    // What is wrong with masters is said in the pass over the vouchers.
    let _first = reading::read_masters(bytes, limits, &mut masters, &mut |_| ControlFlow::Continue(()));
    let beside = Beside { masters, read_on: None };
    let end = split(bytes, Wanted::Vouchers, limits, &mut |found| {
        match found {
            Found::Object { text, place, number } => {
                counts.vouchers += 1;
                let (identity, _) = identity_of(text);
                let place = format!("voucher {number}, line {}, {identity}", place.line);
                match mapping::map(text, &place, &beside, settings) {
                    Mapped::Unmappable { findings, .. } => counts.findings.extend(findings),
                    _ => counts.mapped += 1,
                }
            }
            Found::Fault(fault) => counts.findings.push(reading::explain(fault, counts.vouchers > 0).1),
            Found::Oversize { .. } | Found::Company(_) | Found::ErrorText { .. } => {}
        }
        ControlFlow::Continue(())
    });
    counts.findings.extend(end.err().map(|fault| reading::explain(fault, counts.vouchers > 0).1));
    counts
}

/// Reads bytes as an answer of a running Tally, by every reader that small answers have.
///
/// # Panics
/// When an element that was read is not written and read again as the same.
pub fn answer(bytes: &[u8]) {
    let mut text = String::new();
    let clean = CleanReader::open(bytes, OBJECT_BYTES_MAX).and_then(|mut clean| clean.read_to_string(&mut text));
    if clean.is_err() {
        return;
    }
    let _refusal = beginning(&text);
    if let Ok(element) = Element::parse(&text) {
        let _refusal = refusal(&element);
        let _counters = ImportAnswer::read(&element);
        // Lists of a voucher are sent back as they were read.
        let written = element.to_xml();
        let again = Element::parse(&written).map(|element| element.to_xml());
        assert_eq!(again.as_deref(), Ok(written.as_str()), "{text}");
    }
    // A voucher, changed ones by their heads, and one that is to be altered.
    let limits = reading::limits(OBJECT_BYTES_MAX);
    let _end = split(bytes, Wanted::Vouchers, limits, &mut |found| {
        if let Found::Object { text, .. } = found {
            let _head = Head::read(text);
            let _stored = Shown::read(text);
        }
        ControlFlow::Continue(())
    });
}

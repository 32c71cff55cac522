//! What the tests against a running Tally share: the stand-in with the quickstart's books, and a
//! source over it.

use std::sync::Arc;

use einvoice_core::clock::{ManualClock, SharedClock};
use einvoice_tally::TallySource;
use einvoice_testkit::tally_stand_in::TallyStandIn;
use serde_json::json;

use crate::common::{config, workspace};

/// The company of the quickstart.
pub(crate) const COMPANY: &str = "Deccan Valves Private Limited (26-27)";

/// The quickstart's day book as Tally exported it.
pub(crate) fn day_book() -> String {
    std::fs::read_to_string(workspace().join("examples/quickstart/daybook.xml")).unwrap()
}

/// A Tally that has the quickstart's company open.
pub(crate) fn tally() -> TallyStandIn {
    TallyStandIn::start(COMPANY, &day_book())
}

/// Noon in India on a day of November 2026.
pub(crate) fn clock(day: u8) -> ManualClock {
    ManualClock::jumping(format!("2026-11-{day:02}T06:30:00Z").parse().unwrap())
}

/// Settings of a link with short waits, joined with more.
pub(crate) fn settings(tally: &TallyStandIn, more: serde_json::Value) -> serde_json::Value {
    let mut all = json!({
        "url": tally.url(), "company": COMPANY, "read_timeout_ms": 2_000, "probe_timeout_ms": 300,
    });
    join(&mut all, more);
    all
}

fn join(all: &mut serde_json::Value, more: serde_json::Value) {
    let serde_json::Value::Object(more) = more else { panic!("settings are an object") };
    all.as_object_mut().unwrap().extend(more);
}

/// A source over a running Tally, on 22 November 2026 unless the clock moves.
pub(crate) fn source_on(tally: &TallyStandIn, clock: &ManualClock, more: serde_json::Value) -> Arc<TallySource> {
    let mut all = json!({ "from": "2026-11-01" });
    join(&mut all, more);
    let shared: SharedClock = Arc::new(clock.clone());
    Arc::new(TallySource::live(config(settings(tally, all)), shared).unwrap())
}

/// The same on 22 November.
pub(crate) fn source(tally: &TallyStandIn, more: serde_json::Value) -> Arc<TallySource> {
    source_on(tally, &clock(22), more)
}

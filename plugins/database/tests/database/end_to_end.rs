//! From the tables of each database to the emulator and back, cut off again and again.
//!
//! Aim: never lose, never double, with the rows of a database at both ends. Method: a run is dropped in the middle, as
//! a killed process leaves it, and everything is opened again: source, target, ledger. In the end every row has one
//! registration in the emulator's books, and its result. Bounded: a fixed number of documents and cuts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{Clock, ManualClock};
use einvoice_core::config::RunSettings;
use einvoice_core::entropy::{SeededEntropy, SharedEntropy};
use einvoice_core::environment::{Environment, RouteName};
use einvoice_core::ledger::{Ledger, LedgerError};
use einvoice_core::pipeline::{Parts, Pipeline, RoutePart, Silent, SourcePart, StopSignal, WriteBackPart};
use einvoice_core::rulebook::CheckOptions;
use einvoice_ledger_sqlite::{LedgerConfig, SqliteLedger};
use einvoice_protocol::key_set::KeySet;
use einvoice_sandbox::{PortalSettings, Sandbox, SandboxCredentials};
use serde_json::json;

use crate::books;
use crate::place::{Engine, MYSQL, POSTGRES, Place, SQLITE};

/// Documents that are right.
const GOOD: u32 = 60;
/// Runs that are cut off, each a little later.
const CUTS: u64 = 12;

struct Office {
    place: Place,
    sandbox: Sandbox,
    clock: ManualClock,
}

fn entropy() -> SharedEntropy {
    Arc::new(SeededEntropy::new(7))
}

impl Office {
    fn new(place: Place) -> Self {
        let clock = ManualClock::jumping("2026-11-20T06:30:00Z".parse().unwrap());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let sandbox = Sandbox::in_memory(PortalSettings::default(), shared, entropy()).unwrap();
        Self { place, sandbox, clock }
    }

    /// Everything a process opens when it starts.
    async fn pipeline(&self) -> Pipeline {
        let mut keys = KeySet::new();
        keys.add_pem(&self.sandbox.signing_public_key_pem(), Some(&self.sandbox.signing_kid())).unwrap();
        let source = self.place.source_with(json!({"worker": "office", "page_rows": 7, "environment": "sandbox"}));
        let target = self.place.write_back_with(json!({"environment": "sandbox"}));
        Pipeline::new(Parts {
            ledger: self.ledger().await,
            credentials: Arc::new(SandboxCredentials::new(self.sandbox.clone(), Vec::new())),
            routes: vec![RoutePart {
                name: RouteName::new("emulator"),
                environment: Environment::Sandbox,
                client_account: None,
                transport: Arc::new(self.sandbox.transport(entropy()).unwrap()),
            }],
            sources: vec![SourcePart { name: "erp".into(), source: Arc::new(source) }],
            write_backs: vec![WriteBackPart { name: "results".into(), sources: Vec::new(), target: Arc::new(target) }],
            verifier: Arc::new(keys),
            check: CheckOptions::on(jiff::civil::date(2026, 11, 22)),
            settings: RunSettings::default(),
            clock: Arc::new(self.clock.clone()),
        })
        .await
        .unwrap()
    }

    /// Tries again for a while: tasks of a run that was cut off let go of the old ledger on their own time.
    async fn ledger(&self) -> Arc<dyn Ledger> {
        let config = LedgerConfig { path: self.place.folder().join("einvoice.db"), ..LedgerConfig::default() };
        for _ in 0..1_000 {
            match SqliteLedger::open(&config, Arc::new(self.clock.clone())).await {
                Ok(ledger) => return Arc::new(ledger),
                Err(LedgerError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the old ledger was never let go");
    }
}

async fn goes_there_and_back(engine: Engine) {
    let Some(place) = Place::staged(engine) else { return };
    place.run(&books::numbered(engine.dialect, GOOD + 1));
    let bad = format!("K{:05}", GOOD + 1);
    place.run(&format!("UPDATE einv_header SET buyer_gstin = '27AAACI1234E1Z7' WHERE doc_key = '{bad}'"));
    let office = Office::new(place);
    let mut cut = 0;
    for number in 0..CUTS {
        let pipeline = office.pipeline().await;
        let run = pipeline.run_once(Arc::new(Silent), StopSignal::new());
        cut += u64::from(tokio::time::timeout(Duration::from_millis(5 + 25 * number), run).await.is_err());
    }
    eprintln!("{engine:?}: {cut} of {CUTS} runs were cut off");
    assert!(cut > 0, "no run was cut off: the moments are drawn too late");
    for _ in 0..2 {
        let report = office.pipeline().await.run_once(Arc::new(Silent), StopSignal::new()).await.unwrap();
        assert!(report.failures.is_empty(), "{engine:?}: {:?}", report.failures);
        // What was sent and not answered is asked about after a while.
        office.clock.advance(Duration::from_mins(30));
    }

    let books = office.sandbox.invoices();
    assert_eq!(books.len(), usize::try_from(GOOD).unwrap(), "{engine:?}");
    assert!(books.iter().all(|line| line.registrations == 1), "{engine:?}");
    let place = &office.place;
    let irns: BTreeMap<String, usize> = books.iter().map(|line| (line.irn.clone().unwrap(), 1)).collect();
    let results = place.column("irn", "einv_result WHERE irn IS NOT NULL AND env = 'sandbox'");
    let mut shown = BTreeMap::new();
    for irn in results {
        *shown.entry(irn).or_insert(0) += 1;
    }
    assert_eq!(shown, irns, "{engine:?}: each IRN stands in one result");
    let statuses = place.rows(&["status", "count(*)"], "einv_header GROUP BY status ORDER BY status");
    assert_eq!(statuses, [["DONE", "60"], ["FAILED", "1"]], "{engine:?}");
    let errors = place.rows(&["doc_key", "rule", "place"], "einv_error WHERE severity = 'error'");
    assert!(errors.iter().all(|row| row[0] == bad && row[2].contains("column buyer_gstin")), "{errors:?}");
    assert!(!errors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_sqlite_go_to_the_portal_and_back_whenever_a_run_is_cut_off() {
    goes_there_and_back(SQLITE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_postgresql_go_to_the_portal_and_back_whenever_a_run_is_cut_off() {
    goes_there_and_back(POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_mysql_go_to_the_portal_and_back_whenever_a_run_is_cut_off() {
    goes_there_and_back(MYSQL).await;
}

#[cfg(feature = "odbc")]
#[tokio::test(flavor = "multi_thread")]
async fn rows_over_odbc_go_to_the_portal_and_back_whenever_a_run_is_cut_off() {
    for engine in [crate::place::SQLITE_ODBC, crate::place::POSTGRES_ODBC, crate::place::MYSQL_ODBC] {
        goes_there_and_back(engine).await;
    }
}

//! A journal that ends anywhere gives the books of the last act it holds whole.
//!
//! The scenario notes the books and the length of the journal after every act. Then the journal is cut
//! after every line and in the middle of every line, as a crash would leave it, and a new portal is
//! started on what is left: it has the books of the last act whose line is whole, and goes on from there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{BillLine, BookLine, PortalSettings, Sandbox};
use serde_json::{Value, json};

use crate::bills::{CARRIER, bill, cancel, extension, part_a, vehicle};
use crate::raw::{BUYER, EwbClient, RawClient, SELLER, SISTER, call, invoice, noon, portal};

const JOURNAL: &str = "journal.jsonl";

/// What a restart must give back.
#[derive(Debug, Clone, PartialEq)]
struct Books {
    invoices: Vec<BookLine>,
    bills: Vec<BillLine>,
    /// Who has an account in each of the systems.
    accounts: (Vec<String>, Vec<String>, usize),
}

fn open(directory: &Path) -> Sandbox {
    let settings = PortalSettings { ship_to_gstin_from: Some("2026-08-01".into()), ..PortalSettings::default() };
    let clock = Arc::new(ManualClock::new(noon()));
    Sandbox::open(directory, settings, clock, Arc::new(SeededEntropy::new(3))).unwrap()
}

fn books(sandbox: &Sandbox) -> Books {
    // Attempts are counted since the start of a process and are not part of the books.
    let mut invoices = sandbox.invoices();
    invoices.retain(|line| line.registrations > 0);
    for line in &mut invoices {
        line.attempts = 0;
    }
    let gstins = |users: Vec<einvoice_sandbox::UserAccount>| users.into_iter().map(|user| user.gstin).collect();
    let accounts = (gstins(sandbox.users()), gstins(sandbox.ewb_users()), sandbox.clients().len());
    Books { invoices, bills: sandbox.e_way_bills(), accounts }
}

fn journal(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join(JOURNAL)).unwrap()
}

/// Carries out one act after the other; after each, the length of the journal and the books.
struct Scenario {
    sandbox: Sandbox,
    directory: PathBuf,
    moments: Vec<(usize, Books)>,
}

impl Scenario {
    fn note(&mut self) {
        self.moments.push((journal(&self.directory).len(), books(&self.sandbox)));
    }

    async fn act(&mut self, who: &str, action: &str, plain: &Value) -> Value {
        self.sandbox.provision(who).await.unwrap();
        self.note();
        let client = EwbClient::logged_in(&self.sandbox, who).await;
        self.note();
        let answer = client.act(&self.sandbox, action, plain).await;
        self.note();
        answer.unwrap_or_else(|codes| panic!("{action} {plain}: {codes:?}"))
    }

    async fn made(&mut self, plain: &Value) -> u64 {
        self.act(SELLER, "GENEWAYBILL", plain).await["ewayBillNo"].as_u64().unwrap()
    }

    async fn registrations(&mut self) {
        let client = RawClient::logged_in(&self.sandbox, SELLER).await;
        self.note();
        let mut irns = Vec::new();
        for number in ["A/1", "A/2"] {
            let mut document = invoice(number);
            document["EwbDtls"] = json!({"TransId": SELLER, "Distance": 10});
            let made = client.opened(&call(&self.sandbox, &client.generate(&document)).await);
            irns.push(made["Irn"].as_str().unwrap().to_owned());
            self.note();
        }
        let bill = self.sandbox.e_way_bills()[0].ewb_no.parse().unwrap();
        self.act(SELLER, "CANEWB", &cancel(bill)).await;
        client.opened(&call(&self.sandbox, &client.cancel(&irns[0], "1")).await);
        self.note();
        self.sandbox.move_to_site(&irns[1], "NIC2").await.unwrap();
        self.note();
        self.sandbox.reject_irn(&irns[1]).await.unwrap();
        self.note();
    }

    async fn bills(&mut self) {
        let handed = self.made(&part_a("E/1")).await;
        self.act(CARRIER, "VEHEWB", &vehicle(handed)).await;
        let (first, second) = (self.made(&bill("E/2")).await, self.made(&bill("E/3")).await);
        let together = json!({"fromPlace": "Hubli", "fromState": 29, "vehicleNo": "KA01AB1234", "transMode": "1",
            "tripSheetEwbBills": [{"ewbNo": first}, {"ewbNo": second}]});
        let sheet = self.act(SELLER, "GENCEWB", &together).await["cEwbNo"].clone();
        let again = json!({"tripSheetNo": sheet, "vehicleNo": "KA01AB4321", "fromPlace": "Hubli", "fromState": 29,
            "transMode": "1", "reasonCode": 1, "reasonRem": "flood"});
        self.act(SELLER, "REGENTRIPSHEET", &again).await;
        self.act(SELLER, "MULTIVEHMOVINT", &crate::codes::start(first)).await;
        let add = json!({"ewbNo": first, "groupNo": "1", "vehicleNo": "KA01AB1111", "transDocNo": "7", "quantity": 6});
        self.act(SELLER, "MULTIVEHADD", &add).await;
        self.act(SELLER, "UPDATETRANSPORTER", &json!({"ewbNo": second, "transporterId": SISTER})).await;
        let close = json!({"ewbNo": second, "closureDate": "05/11/2026", "closureRemarks": "delivered"});
        self.act(SELLER, "CLSEWB", &close).await;
        let rejected = self.made(&bill("E/4")).await;
        self.act(BUYER, "REJEWB", &json!({ "ewbNo": rejected })).await;
        let (verified, extended) = (self.made(&bill("E/5")).await, self.made(&bill("E/6")).await);
        self.sandbox.verify_bill(&verified.to_string()).await.unwrap();
        self.note();
        self.sandbox.move_bill_to_site(&verified.to_string(), "NIC2").await.unwrap();
        self.note();
        self.sandbox.set_time("2026-11-07T16:00:00Z".parse().unwrap());
        let client = EwbClient::logged_in(&self.sandbox, SELLER).await;
        self.sandbox.set_time(noon());
        self.note();
        self.sandbox.set_time("2026-11-07T16:00:00Z".parse().unwrap());
        client.act(&self.sandbox, "EXTENDVALIDITY", &extension(extended)).await.unwrap();
        self.sandbox.set_time(noon());
        self.note();
    }
}

/// The files of a data directory but the lock, with the journal cut to a length.
fn cut(directory: &Path, journal: &[u8]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name != "lock" && name != JOURNAL {
            std::fs::copy(&path, copy.path().join(name)).unwrap();
        }
    }
    std::fs::write(copy.path().join(JOURNAL), journal).unwrap();
    copy
}

#[tokio::test]
async fn a_journal_cut_anywhere_gives_the_books_of_the_last_whole_act() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = open(directory.path());
    let mut scenario = Scenario { sandbox, directory: directory.path().to_path_buf(), moments: Vec::new() };
    scenario.note();
    scenario.registrations().await;
    scenario.bills().await;
    let (whole, moments) = (journal(directory.path()), scenario.moments);
    let start = moments[0].0;
    let mut from = start;
    for line in whole[start..].split_inclusive(|byte| *byte == b'\n') {
        for end in [from + line.len() / 2, from + line.len()] {
            let at = if end == from + line.len() { end } else { from };
            let moment = moments.iter().find(|(length, _)| *length == at);
            let expected = &moment.unwrap_or_else(|| panic!("byte {at} ends a line in the middle of an act")).1;
            let copy = cut(directory.path(), &whole[..end]);
            let sandbox = open(copy.path());
            assert_eq!(books(&sandbox), *expected, "cut at byte {end}");
            drop(sandbox);
            assert_eq!(journal(copy.path()).len(), at, "the torn line is cut off");
        }
        from += line.len();
    }
}

#[tokio::test]
async fn a_start_that_was_cut_off_is_made_good_by_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let complete = books(&open(directory.path())).accounts;
    let whole = journal(directory.path());
    for end in (0..whole.len()).step_by(97) {
        let copy = cut(directory.path(), &whole[..end]);
        assert_eq!(books(&open(copy.path())).accounts, complete, "cut at byte {end}");
    }
    assert_eq!(books(&portal(PortalSettings::default())).accounts, complete);
}

#[tokio::test]
async fn a_journal_whose_bills_name_no_site_is_one_of_nic1() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = open(directory.path());
    let mut scenario = Scenario { sandbox, directory: directory.path().to_path_buf(), moments: Vec::new() };
    scenario.made(&bill("E/1")).await;
    let expected = books(&scenario.sandbox);
    let text = String::from_utf8(journal(directory.path())).unwrap();
    let earlier = text.replace(r#""site":"NIC1","generator""#, r#""generator""#).replace(r#","verified_at":null"#, "");
    assert!(earlier.len() < text.len() - 30, "nothing to leave out: {text}");
    let copy = cut(directory.path(), earlier.as_bytes());
    assert_eq!(books(&open(copy.path())), expected);
}

//! From a running Tally to the portal and back into its vouchers, killed at any moment in between.
//!
//! Aim: what a voucher shows in the end is what the portal holds, once, and no voucher is made or
//! changed beside it. Method: a stand-in for Tally in this process, the emulator and the program as
//! processes of their own; the program is killed again and again. Bounded: a fixed number of kills,
//! loopback only.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use einvoice_testkit::tally_stand_in::{Asked, Mishap, TallyStandIn};

use crate::process::{Emulator, Installation, Moments};

const COMPANY: &str = "Deccan Valves Private Limited (26-27)";
const GSTIN: &str = "29AAKCD4821F1ZM";
/// Runs that are killed.
const KILLS: u32 = 10;

fn tally() -> TallyStandIn {
    let day_book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/daybook.xml");
    TallyStandIn::start(COMPANY, &std::fs::read_to_string(day_book).unwrap())
}

/// IRN by document number, as the portal holds it.
fn registered(emulator: &Emulator) -> BTreeMap<String, String> {
    let books = emulator.books();
    assert!(books.iter().all(|line| line["registrations"] == 1), "{books:?}");
    let line = |line: &serde_json::Value| {
        let key = line["key"].as_str().unwrap();
        // GSTIN, year and type stand before the number, which may hold slashes itself.
        let number = key.splitn(4, '/').nth(3).unwrap().to_owned();
        (number, line["irn"].as_str().unwrap().to_owned())
    };
    books.iter().map(line).collect()
}

/// IRN by voucher number, as Tally shows it.
fn shown(tally: &TallyStandIn) -> BTreeMap<String, String> {
    let ids = tally.master_ids();
    let pair = |id: u64| {
        let irn = tally.field(id, "IRN").filter(|irn| !irn.is_empty())?;
        assert!(!tally.field(id, "IRNACKNO").unwrap().is_empty() && !tally.field(id, "IRNQRCODE").unwrap().is_empty());
        Some((tally.field(id, "VOUCHERNUMBER").unwrap().to_uppercase(), irn))
    };
    ids.into_iter().filter_map(pair).collect()
}

#[test]
fn killed_at_any_moment_every_voucher_shows_in_the_end_what_the_portal_holds() {
    let mut moments = Moments::from_environment();
    let tally = tally();
    let vouchers = tally.master_ids();
    let before = shown(&tally);
    let emulator = Emulator::start_for(&[GSTIN]);
    let installation = Installation::direct(&emulator).over_tally(&emulator, &tally.url(), COMPANY, "2026-11-01");
    let mut killed = 0;
    for _ in 0..KILLS {
        killed += u32::from(installation.run_and_kill(moments.next_within(Duration::from_millis(900))));
    }
    println!("{killed} of {KILLS} runs were killed before they ended");
    assert!(killed > 0, "no run was killed: the moments are drawn too late");
    let mut answer = installation.run();
    if answer.code == 4 {
        answer = installation.run();
    }
    // Some vouchers of these books are wrong on purpose: a person is needed, nothing else.
    assert_eq!(answer.code, 1, "{}", answer.text);
    let portal = registered(&emulator);
    assert!(portal.len() >= 8, "{portal:?}");
    let mut books = shown(&tally);
    books.retain(|number, _| !before.contains_key(number));
    assert_eq!(books, portal);
    assert_eq!(tally.master_ids(), vouchers, "no voucher was made");

    // Another run finds its own marks only, and neither sends nor writes anything.
    let stands = tally.vouchers();
    tally.forget_log();
    assert_eq!(installation.run().code, 1);
    assert_eq!(registered(&emulator), portal);
    assert_eq!(tally.vouchers(), stands);
    assert!(!tally.take_log().contains(&Asked::Import));
}

#[test]
fn a_dialog_on_tallys_screen_costs_a_run_and_nothing_else() {
    let tally = tally();
    let emulator = Emulator::start_for(&[GSTIN]);
    let installation = Installation::direct(&emulator).over_tally(&emulator, &tally.url(), COMPANY, "2026-11-01");
    tally.once(Asked::Import, Mishap::DialogAfterWork);
    let config = std::fs::read_to_string(installation.path("einvoice.toml")).unwrap();
    let waits = "from = \"2026-11-01\"\nexport_timeout_ms = 500\nread_timeout_ms = 500\nprobe_timeout_ms = 500\n";
    let config = config.replace("from = \"2026-11-01\"\n", waits);
    installation.write("einvoice.toml", &format!("{config}read_timeout_ms = 500\nprobe_timeout_ms = 500\n"));
    let answer = installation.run();
    assert!(answer.text.contains("dialog"), "{}", answer.text);
    let portal = registered(&emulator);
    assert!(portal.len() >= 8);
    assert_eq!(shown(&tally).len(), 1, "the one that was under way");
    // Still open: nothing can be read or written, and nothing is lost.
    installation.run();
    assert_eq!(registered(&emulator), portal);
    tally.close_dialog();
    installation.run();
    assert_eq!(registered(&emulator), portal);
    assert_eq!(shown(&tally), portal);
}

#[test]
fn killed_while_an_alteration_is_with_tally_it_is_found_done_and_not_sent_again() {
    for mishap in [Mishap::Dialog, Mishap::DialogAfterWork] {
        let tally = tally();
        let emulator = Emulator::start_for(&[GSTIN]);
        let installation = Installation::direct(&emulator).over_tally(&emulator, &tally.url(), COMPANY, "2026-11-01");
        tally.once(Asked::Import, mishap);
        let mut run = installation.start_with(&[]);
        // A run that never comes so far ends, and fails the assertions below.
        while !tally.log().contains(&Asked::Import) && run.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        run.kill().unwrap();
        run.wait().unwrap();
        let portal = registered(&emulator);
        assert!(portal.len() >= 8, "{portal:?}");
        assert!(shown(&tally).len() <= 1);
        // What was with Tally goes on there after its sender is gone.
        tally.close_dialog();
        assert_eq!(installation.run().code, 1);
        assert_eq!(registered(&emulator), portal);
        assert_eq!(shown(&tally), portal);
        let imports = tally.log().into_iter().filter(|asked| *asked == Asked::Import).count();
        assert_eq!(imports, portal.len(), "one alteration for each voucher");
    }
}

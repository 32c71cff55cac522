//! From a running Tally to the portal and back into its vouchers, killed at any moment in between.
//!
//! Aim: what a voucher shows in the end is what the portal holds, once, and no voucher is made or
//! changed beside it. Method: a stand-in for Tally in this process, the emulator and the program as
//! processes of their own; the program is killed again and again, Tally crashes and comes back, and
//! each way in which Tally is known to misbehave is gone through. Bounded: a fixed number of kills,
//! loopback only.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_testkit::tally_stand_in::{Asked, Generation, Mishap, TallyStandIn};

use crate::process::{Emulator, Installation, Moments};

pub(crate) const COMPANY: &str = "Deccan Valves Private Limited (26-27)";
pub(crate) const GSTIN: &str = "29AAKCD4821F1ZM";
/// Runs that are killed.
const KILLS: u32 = 10;

fn day_book() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/daybook.xml");
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn tally() -> TallyStandIn {
    TallyStandIn::start(COMPANY, &day_book())
}

/// An installation over a Tally, with more lines in its source and in its target.
fn over(emulator: &Emulator, tally: &TallyStandIn, source: &str, target: &str) -> Installation {
    let installation = Installation::direct(emulator).over_tally(emulator, &tally.url(), COMPANY, "2026-11-01");
    let config = std::fs::read_to_string(installation.path("einvoice.toml")).unwrap();
    let from = "from = \"2026-11-01\"\n";
    let config = config.replace(from, &format!("{from}{source}"));
    installation.write("einvoice.toml", &format!("{config}{target}"));
    installation
}

/// IRN by voucher number, as Tally shows it.
pub(crate) fn shown(tally: &TallyStandIn) -> BTreeMap<String, String> {
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
    installation.kill_runs(&emulator, &mut moments, KILLS);
    // Some vouchers of these books are wrong on purpose: a person is needed, nothing else.
    installation.finish(1);
    let portal = emulator.registered();
    assert!(portal.len() >= 8, "{portal:?}");
    let mut books = shown(&tally);
    books.retain(|number, _| !before.contains_key(number));
    assert_eq!(books, portal);
    assert_eq!(tally.master_ids(), vouchers, "no voucher was made");

    // Another run finds its own marks only, and neither sends nor writes anything.
    let stands = tally.vouchers();
    tally.forget_log();
    assert_eq!(installation.run().code, 1);
    assert_eq!(emulator.registered(), portal);
    assert_eq!(tally.vouchers(), stands);
    assert!(!tally.take_log().contains(&Asked::Import));
}

#[test]
fn a_dialog_on_tallys_screen_costs_a_run_and_nothing_else() {
    let tally = tally();
    let emulator = Emulator::start_for(&[GSTIN]);
    let waits = "read_timeout_ms = 500\nprobe_timeout_ms = 500\n";
    let installation = over(&emulator, &tally, &format!("export_timeout_ms = 500\n{waits}"), waits);
    tally.once(Asked::Import, Mishap::DialogAfterWork);
    let answer = installation.run();
    assert!(answer.text.contains("dialog"), "{}", answer.text);
    let portal = emulator.registered();
    assert!(portal.len() >= 8);
    assert_eq!(shown(&tally).len(), 1, "the one that was under way");
    // Still open: nothing can be read or written, and nothing is lost.
    installation.run();
    assert_eq!(emulator.registered(), portal);
    tally.close_dialog();
    installation.run();
    assert_eq!(emulator.registered(), portal);
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
        let portal = emulator.registered();
        assert!(portal.len() >= 8, "{portal:?}");
        assert!(shown(&tally).len() <= 1);
        // What was with Tally goes on there after its sender is gone.
        tally.close_dialog();
        assert_eq!(installation.run().code, 1);
        assert_eq!(emulator.registered(), portal);
        assert_eq!(shown(&tally), portal);
        let imports = tally.log().into_iter().filter(|asked| *asked == Asked::Import).count();
        assert_eq!(imports, portal.len(), "one alteration for each voucher");
    }
}

#[test]
fn in_each_generation_charset_and_form_the_vouchers_show_what_the_portal_holds() {
    for (generation, release, lines) in [
        (Generation::Versioned, None, "charset = \"utf8\"\n"),
        (Generation::Versioned, None, "charset = \"utf16\"\n"),
        (Generation::Older, None, "charset = \"utf8\"\n"),
        (Generation::Older, None, "charset = \"utf16\"\n"),
        (Generation::Versioned, Some(7), "envelope = \"auto\"\n"),
    ] {
        let tally = tally();
        tally.answer_in(generation);
        if let Some(release) = release {
            tally.be_release(release);
        }
        let (before, vouchers) = (shown(&tally), tally.master_ids());
        let emulator = Emulator::start_for(&[GSTIN]);
        let target = if lines.starts_with("charset") { lines } else { "" };
        let installation = over(&emulator, &tally, lines, target);
        assert_eq!(installation.run().code, 1);
        let portal = emulator.registered();
        let mut books = shown(&tally);
        books.retain(|number, _| !before.contains_key(number));
        assert!(portal.len() >= 8 && books == portal, "{generation:?} {lines}: {books:?}");
        assert_eq!(tally.master_ids(), vouchers);
        assert_eq!(tally.answered_in_json() > 0, release.is_some());
    }
}

#[test]
fn another_company_on_the_screen_is_left_alone_and_a_closed_one_costs_a_run_and_nothing_else() {
    let tally = tally();
    // The same vouchers under other numbers: whatever is asked without a name would answer with these.
    tally.open("Somebody Else", &day_book().replace("DV/26-27/", "SE/26-27/"));
    let emulator = Emulator::start_for(&[GSTIN]);
    let installation = over(&emulator, &tally, "", "");
    assert_eq!(installation.run().code, 1);
    let portal = emulator.registered();
    assert!(portal.len() >= 8 && portal.keys().all(|number| !number.starts_with("SE/")), "{portal:?}");
    assert_eq!(shown(&tally), portal);
    tally.close(COMPANY);
    let answer = installation.run();
    assert!(answer.text.contains("is not open in Tally (open: \"Somebody Else\")"), "{}", answer.text);
    assert_eq!(emulator.registered(), portal);
}

#[test]
fn fields_that_are_ignored_are_owed_until_tally_stores_them_and_nothing_is_registered_twice() {
    let tally = tally();
    tally.ignore("IRNACKNO");
    let emulator = Emulator::start_for(&[GSTIN]);
    let installation = over(&emulator, &tally, "", "");
    let answer = installation.run();
    assert!(answer.text.contains("did not store: IRNACKNO"), "{}", answer.text);
    let portal = emulator.registered();
    assert!(portal.len() >= 8);
    let owed =
        installation.status().iter().filter(|line| line["state"] == "registered" && line["delivered"] == false).count();
    assert_eq!(owed, portal.len(), "ALTERED=1 alone is not believed");
    tally.ignore_nothing();
    installation.run();
    assert_eq!(emulator.registered(), portal);
    assert_eq!(shown(&tally), portal);
}

#[test]
fn fields_that_are_ignored_go_into_user_fields_where_that_is_set() {
    let tally = tally();
    for field in ["IRN", "IRNACKNO", "IRNACKDATE", "IRNQRCODE", "IRNCANCELLED"] {
        tally.ignore(field);
    }
    let emulator = Emulator::start_for(&[GSTIN]);
    let fallback = "fallback = \"user_fields\"\nuser_fields = { irn = \"EinvIrn\", signed_qr = \"EinvQr\" }\n";
    let installation = over(&emulator, &tally, "", fallback);
    assert_eq!(installation.run().code, 1);
    let portal = emulator.registered();
    let in_fields = |tally: &TallyStandIn| {
        let vouchers = tally.vouchers().into_values();
        vouchers.filter(|voucher| portal.values().any(|irn| voucher.contains(&format!("`EinvIrn`\">{irn}<")))).count()
    };
    assert!(portal.len() >= 8);
    assert_eq!(in_fields(&tally), portal.len());
    // The vouchers changed by our own writing and come again; they are known, and nothing is sent.
    tally.forget_log();
    installation.run();
    installation.run();
    assert_eq!(emulator.registered(), portal);
    assert!(!tally.take_log().contains(&Asked::Import));
}

#[test]
fn a_second_voucher_stops_the_target_until_a_person_has_deleted_it() {
    let tally = tally();
    let vouchers = tally.master_ids();
    tally.once(Asked::Import, Mishap::SecondVoucher);
    let emulator = Emulator::start_for(&[GSTIN]);
    let installation = over(&emulator, &tally, "", "");
    let answer = installation.run();
    assert!(answer.text.contains("second voucher"), "{}", answer.text);
    let portal = emulator.registered();
    assert!(portal.len() >= 8);
    assert_eq!(tally.log().iter().filter(|asked| **asked == Asked::Import).count(), 1, "nothing more was sent");
    let incident = installation.path("tally-incident-books.txt");
    let told = std::fs::read_to_string(&incident).unwrap();
    let second = *tally.master_ids().iter().find(|id| !vouchers.contains(id)).unwrap();
    assert!(told.contains(&format!("Master ID {second}, GUID ")), "{told}");
    // As long as the file is there, further runs write nothing, whatever they register.
    installation.run();
    assert_eq!(tally.log().iter().filter(|asked| **asked == Asked::Import).count(), 1);
    tally.delete(second);
    std::fs::remove_file(incident).unwrap();
    installation.run();
    assert_eq!(emulator.registered(), portal);
    assert_eq!(shown(&tally), portal);
    assert_eq!(tally.master_ids(), vouchers);
}

#[test]
fn a_tally_that_crashes_over_an_alteration_is_found_as_it_left_its_books() {
    // Killed before the work was done, and after.
    for mishap in [Mishap::Dialog, Mishap::DialogAfterWork] {
        let mut tally = tally();
        let vouchers = tally.master_ids();
        let emulator = Emulator::start_for(&[GSTIN]);
        let installation = over(&emulator, &tally, "", "");
        tally.once(Asked::Import, mishap.clone());
        let mut run = installation.start_with(&[]);
        while !tally.log().contains(&Asked::Import) && run.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        tally.crash();
        // The program ends by itself: what it could not write is owed.
        run.wait().unwrap();
        let portal = emulator.registered();
        assert!(portal.len() >= 8, "{portal:?}");
        let answer = installation.run();
        assert!(answer.text.contains("no connection to"), "{}", answer.text);
        tally.come_back();
        installation.run();
        assert_eq!(emulator.registered(), portal);
        assert_eq!(shown(&tally), portal);
        assert_eq!(tally.master_ids(), vouchers, "no voucher was made");
        let imports = tally.log().into_iter().filter(|asked| *asked == Asked::Import).count();
        // Tally lost what it had not begun, and is asked for it again.
        assert_eq!(imports, portal.len() + usize::from(mishap == Mishap::Dialog), "{mishap:?}");
    }
}

//! E-way bills as people meet them on the command line, against the emulator inside the program.

use crate::once::config;
use crate::{einvoice, folder};

const EXTEND: [&str; 13] = [
    "ewb",
    "extend",
    "391009149369",
    "--from-place=Hosur",
    "--from-state=33",
    "--from-pin=635109",
    "--distance=120",
    "--reason=accident",
    "--transit=warehouse",
    "--address=Godown 7",
    "--address=Hosur Road",
    "--address=Hosur",
    "--json",
];

#[test]
fn an_address_in_transit_has_three_lines_which_is_told_before_anything_is_opened() {
    let directory = folder();
    let two = EXTEND.iter().filter(|part| **part != "--address=Hosur").copied().collect::<Vec<_>>();
    let answer = einvoice(directory.path(), &two);
    assert_eq!(answer.code, 2, "{}{}", answer.out, answer.err);
    assert!(answer.err.contains("given 2 times (code 708)"), "{}", answer.err);
    let four = [&EXTEND[..], &["--address=Tamil Nadu"]].concat();
    assert!(einvoice(directory.path(), &four).err.contains("given 4 times;"));
    // With three, what is missing next is the configuration of this empty folder.
    let three = einvoice(directory.path(), &EXTEND);
    assert!(three.err.contains("einvoice.toml"), "{}", three.err);
    let none = EXTEND.iter().filter(|part| !part.starts_with("--address")).copied().collect::<Vec<_>>();
    assert!(einvoice(directory.path(), &none).err.contains("--address <LINE>"), "the portal wants one (706)");
}

const LOGIN: [&str; 2] = ["--gstin", "29AABCE1234F1Z1"];

#[test]
fn a_taxpayer_is_looked_up_in_either_system_and_the_answer_says_which() {
    let directory = folder();
    config(directory.path());
    let lookup = |more: &[&str]| {
        let all = [&["lookup", "gstin", "29AABCE1234F1Z1", "--json"][..], &LOGIN, more].concat();
        einvoice(directory.path(), &all)
    };
    for (more, system) in [(&[][..], "irp"), (&["--from-ewb"], "ewb")] {
        let answer = lookup(more);
        let found = answer.objects().remove(0);
        assert_eq!((answer.code, found["system"].as_str()), (0, Some(system)), "{}", answer.err);
        assert_eq!(found["taxpayer"]["gstin"], "29AABCE1234F1Z1");
    }
    let both = lookup(&["--from-ewb", "--sync"]);
    assert_eq!(both.code, 2, "the e-way bill system has nothing to fetch anew: {}", both.err);
}

#[test]
fn the_systems_own_codes_are_shown_beside_what_explain_knows() {
    let directory = folder();
    config(directory.path());
    let errors = |more: &[&str]| einvoice(directory.path(), &[&["lookup", "ewb-errors"][..], &LOGIN, more].concat());
    let all = errors(&["--json"]);
    assert_eq!(all.code, 0, "{}", all.err);
    let objects = all.objects();
    assert!(!objects.is_empty());
    assert!(objects.iter().all(|object| object["lookup"] == "ewb_errors" && object["explained"].is_boolean()));
    assert!(all.err.contains("codes in the list"), "people's text is on standard error: {}", all.err);
    let some = errors(&["604,nine"]);
    assert_eq!(some.code, 1, "{}{}", some.out, some.err);
    assert!(some.out.contains("\n604   yes "), "{}", some.out);
    assert!(some.out.contains("does not have nine"), "{}", some.out);
    let unknown = errors(&["--unknown", "--json"]).objects();
    assert!(unknown.iter().all(|object| object["explained"] == false), "{unknown:?}");
}

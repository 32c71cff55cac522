//! E-way bills as people meet them on the command line, against the emulator inside the program.

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

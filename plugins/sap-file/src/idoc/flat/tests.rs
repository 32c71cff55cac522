//! Flat files, whole and damaged.

use super::*;

const SETTINGS: FlatSettings = FlatSettings { padding: Padding::Auto, allow_gaps: false, needs_summary: true };

fn control(document: u32) -> String {
    let mut text = format!("EDI_DC40  100{document:016}740 3012");
    for (at, value) in [(39, "INVOIC02"), (99, "INVOIC"), (148, "SAPPRD"), (162, "PRDCLNT100"), (300, "x")] {
        text = format!("{text:<at$}{value}");
    }
    text
}

fn data(document: u32, segment: &str, number: u32, parent: u32, value: &str) -> String {
    format!("{segment:<30}100{document:016}{number:06}{parent:06}01{value}")
}

fn idoc(document: u32) -> Vec<String> {
    vec![
        control(document),
        data(document, "E2EDK01005", 1, 0, "001 INRINR"),
        data(document, "E2EDP01010", 2, 0, "000010"),
        data(document, "E2EDP26000", 3, 2, "00312.50-"),
        data(document, "E2EDS01", 4, 0, "01112.50"),
    ]
}

/// The rules of each refused `IDoc`, or the text of each whole one.
fn all(file: &str, settings: FlatSettings) -> Vec<Result<String, Vec<String>>> {
    let mut found = Vec::new();
    read(|| Ok(file.as_bytes()), "f.idoc", &Definitions::default(), settings, &mut |one| {
        let rules = |faults: Vec<Finding>| faults.iter().map(|fault| fault.rule.to_string()).collect();
        found.push(one.content.map_err(rules));
        true
    })
    .unwrap();
    found
}

fn rules(rules: &[&str]) -> Result<String, Vec<String>> {
    Err(rules.iter().map(|rule| (*rule).to_owned()).collect())
}

#[test]
fn a_flat_file_becomes_one_text_for_each_idoc() {
    let found = all(&[idoc(7), idoc(8)].concat().join("\n"), SETTINGS);
    let text = found[0].as_ref().unwrap();
    assert!(text.starts_with("0 EDI_DC40 0\tTABNAM=EDI_DC40\tMANDT=100\tDOCNUM=0000000000000007"), "{text}");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "0 E1EDK01 1\tACTION=001\tCURCY=INR\tHWAER=INR",
            "0 E1EDP01 2\tPOSEX=000010",
            "2 E1EDP26 3\tQUALF=003\tBETRG=12.50-",
            "0 E1EDS01 4\tSUMID=011\tSUMME=12.50",
        ]
    );
    assert!(found[1].is_ok());
}

#[test]
fn interleaved_idocs_are_both_refused_also_the_one_that_looked_whole() {
    let (mut first, mut second, third) = (idoc(1), idoc(2), idoc(3));
    second.insert(2, first.remove(3));
    // The first one looks whole but for a gap; without its last but one segment it would not.
    first[3] = data(1, "E2EDS01", 3, 0, "01112.50");
    let found = all(&[first, second, third].concat().join("\n"), SETTINGS);
    assert_eq!(found[..2], [rules(&["idoc.interleaved"]), rules(&["idoc.interleaved"])]);
    assert!(found[2].is_ok());
}

#[test]
fn a_damaged_record_among_those_of_another_idoc_is_missed_where_it_belongs() {
    let (mut first, mut second, third) = (idoc(1), idoc(2), idoc(3));
    let stray = first.remove(3);
    second.insert(2, format!("{stray:<1200}x"));
    // The first one looks whole without it.
    first[3] = data(1, "E2EDS01", 3, 0, "01112.50");
    let found = all(&[first, second, third].concat().join("\n"), SETTINGS);
    assert_eq!(found[..2], [rules(&["idoc.interleaved"]), rules(&["idoc.interleaved", "idoc.record_length"])]);
    assert!(found[2].is_ok());
}

#[test]
fn what_is_missing_or_cut_is_refused_and_the_rest_is_read() {
    let whole = idoc(1);
    let without = |index: usize| {
        let mut lines = idoc(1);
        lines.remove(index);
        [lines, idoc(2)].concat().join("\n")
    };
    for (file, wanted) in [
        (without(0), rules(&["idoc.control_record"])),
        (without(2), rules(&["idoc.segment_order", "idoc.segment_order"])),
        (without(4), rules(&["idoc.truncated"])),
    ] {
        let found = all(&file, SETTINGS);
        assert_eq!((&found[0], found.len()), (&wanted, 2), "{file}");
        assert!(found[1].is_ok());
    }
    let alone = all(&whole[0], SETTINGS);
    assert_eq!(alone, [rules(&["idoc.truncated"])]);
    let full: Vec<String> = whole.iter().skip(1).map(|line| format!("{line:<1063}")).collect();
    let file = format!("{:<524}\n{}", whole[0], full.join("\n"));
    assert!(all(&file, SETTINGS)[0].is_ok());
    assert_eq!(all(&file[..file.len() - 900], SETTINGS), [rules(&["idoc.truncated"])]);
}

#[test]
fn gaps_and_missing_totals_are_taken_where_the_settings_say_so() {
    let mut lines = idoc(1);
    lines.remove(1);
    assert_eq!(all(&lines.join("\n"), SETTINGS), [rules(&["idoc.segment_order"])]);
    assert!(all(&lines.join("\n"), FlatSettings { allow_gaps: true, ..SETTINGS })[0].is_ok());
    lines = idoc(1);
    lines.remove(4);
    assert!(all(&lines.join("\n"), FlatSettings { needs_summary: false, ..SETTINGS })[0].is_ok());
}

#[test]
fn old_releases_status_files_and_short_control_records_are_refused_by_name() {
    let old = control(1).replacen("EDI_DC40", "EDI_DC  ", 1);
    assert_eq!(all(&[old, data(1, "E1EDK01", 1, 0, "x")].join("\n"), SETTINGS), [rules(&["idoc.release"])]);
    let short = "EDI_DC40  1000000000000999999740  30       ORDERS05";
    assert_eq!(all(&format!("{short}\n"), SETTINGS), [rules(&["idoc.control_record"])]);
    assert_eq!(all(short, SETTINGS), [rules(&["idoc.truncated"])]);
    let status = format!("{:<63}x", "EDI_DS40  100");
    assert_eq!(all(&format!("{status}\n"), SETTINGS), [rules(&["idoc.control_record"])]);
}

#[test]
fn a_segment_without_a_layout_keeps_its_data_and_has_no_fields() {
    let mut lines = idoc(1);
    lines.insert(4, data(1, "E2EDP28000", 4, 2, "07108095"));
    lines[5] = data(1, "E2EDS01", 5, 0, "01112.50");
    let found = all(&lines.join("\n"), SETTINGS);
    assert!(found[0].as_ref().unwrap().contains("\n2 E1EDP28 4\tSDATA=07108095\n"), "{found:?}");
}

#[test]
fn a_small_file_is_opened_once_and_a_larger_one_again() {
    let small: Vec<String> = (1..=3).flat_map(idoc).collect();
    let large: Vec<String> = (1..=2_000).flat_map(idoc).collect();
    for (lines, opened) in [(small, 1), (large, 2)] {
        let file = lines.join("\n");
        let (mut found, opens) = (Vec::new(), std::cell::Cell::new(0));
        let open = || {
            opens.set(opens.get() + 1);
            Ok(file.as_bytes())
        };
        read(open, "f.idoc", &Definitions::default(), SETTINGS, &mut |one| {
            found.push((one.line, one.content.unwrap()));
            true
        })
        .unwrap();
        assert_eq!((opens.get(), found.len()), (opened, lines.len() / 5), "{} bytes", file.len());
        let line = u64::try_from(lines.len() - 4).unwrap();
        assert_eq!(found.last().map(|(at, _)| *at), Some(line));
    }
}

#[test]
fn what_fills_a_record_up_is_no_part_of_its_fields() {
    let values = ["001 INRINR", "Jörg INR", "", "a\tb\\ INR"];
    let padded = |text: &str| format!("{text:<1063}");
    for value in values {
        let lines =
            [control(7), data(7, "E2EDK01", 1, 0, value), data(7, "X1", 2, 0, value), data(7, "E2EDS01", 3, 0, "")];
        let cut = all(&lines.join("\n"), SETTINGS);
        let filled: Vec<String> = lines.iter().skip(1).map(|line| padded(line)).collect();
        let whole = all(&[control(7), filled.join("\n")].join("\n"), SETTINGS);
        assert!(cut[0].is_ok(), "{cut:?}");
        assert_eq!(cut, whole);
    }
}

//! Framings, and records of wrong lengths.

use super::*;

fn data(number: u32, value: &str, width: usize) -> String {
    let text = format!("{:<30}1000000000000000001{number:06}00000001{value}", "E1EDK01");
    let missing = width.saturating_sub(text.chars().count());
    text + &" ".repeat(missing)
}

fn control() -> String {
    format!("{:<524}", "EDI_DC40  1000000000000000001740 3012")
}

/// Kind and value of each record, or its fault.
fn read(file: &[u8], padding: Padding) -> Vec<Read> {
    let mut records = Records::new(file, padding, Wanted::Whole).unwrap();
    let mut found = Vec::new();
    while let Some(record) = records.next().unwrap() {
        let kind = record.kind;
        found.push(record.text.map(|cut| (kind, cut.slice(HEAD_WIDTH, 40).trim_end().to_owned())));
    }
    found
}

/// What a data record is read as.
type Read = Result<(Kind, String), Fault>;

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be a fault")]
fn ok(value: &str) -> Read {
    Ok((Kind::Data, value.to_owned()))
}

#[test]
fn records_are_the_same_in_every_framing() {
    let records = [control(), data(1, "INR", DATA_WIDTH), data(2, "Jörg ₹", DATA_WIDTH), data(3, "x", DATA_WIDTH)];
    let cut: Vec<&str> = records.iter().map(|record| record.trim_end()).collect();
    for file in [
        records.concat(),
        records.join("\n"),
        records.join("\r\n") + "\r\n",
        cut.join("\n"),
        cut.join("\r\n") + "\r\n\u{1a}",
        records.concat() + "\n",
        format!("\n{}", cut.join("\n\n")),
    ] {
        let found = read(file.as_bytes(), Padding::Auto);
        assert_eq!(found.get(1..), Some(&[ok("INR"), ok("Jörg ₹"), ok("x")][..]), "{file}");
    }
}

#[test]
fn a_writer_that_counts_bytes_is_told_by_what_follows() {
    let padded = |value: &str| {
        let text = data(1, value, 0);
        let missing = DATA_WIDTH - text.len();
        text + &" ".repeat(missing)
    };
    let head = format!("{:<30}100000000000000000100000100000001", "E1EDK01");
    let file = [control(), padded("Jörg"), padded("x")];
    for file in [file.concat(), file.join("\n")] {
        let found = read(file.as_bytes(), Padding::Auto);
        assert_eq!(found.get(1..), Some(&[ok("Jörg"), ok("x")][..]));
        let mut records = Records::new(file.as_bytes(), Padding::Auto, Wanted::Whole).unwrap();
        records.next().unwrap();
        let record = records.next().unwrap().unwrap().text.unwrap();
        assert_eq!((record.width, record.head().unwrap()), (DATA_WIDTH, head_of(&head).unwrap()));
    }
}

#[test]
fn a_record_of_the_wrong_length_spoils_itself_and_the_next_control_record_is_found() {
    let long = data(1, "INR", DATA_WIDTH - 1) + "XY";
    let lines = [control(), long.clone(), data(2, "a", 80)].join("\n");
    let found = read(lines.as_bytes(), Padding::Auto);
    assert_eq!(found.get(1..), Some(&[Err(Fault::TooLong(1_064, DATA_WIDTH)), ok("a")][..]));
    let whole = [control(), long, data(2, "a", DATA_WIDTH), control(), data(1, "b", DATA_WIDTH)].concat();
    let found = read(whole.as_bytes(), Padding::Auto);
    assert_eq!(found.get(1), Some(&Err(Fault::Unframed)));
    assert_eq!(found.get(3..), Some(&[ok("b")][..]));
}

#[test]
fn a_cut_file_and_a_line_without_end_are_told_with_their_lengths() {
    let whole = [control(), data(1, "INR", DATA_WIDTH)].concat();
    let found = read(&whole.as_bytes()[..whole.len() - 10], Padding::Auto);
    assert_eq!(found.get(1), Some(&Err(Fault::Truncated(DATA_WIDTH - 10, DATA_WIDTH))));
    let endless = format!("{}\n{}\n{}", control(), "x".repeat(1_000_000), data(1, "b", 70));
    let found = read(endless.as_bytes(), Padding::Auto);
    assert_eq!(found.get(1..), Some(&[Err(Fault::TooLong(1_000_000, DATA_WIDTH)), ok("b")][..]));
}

#[test]
fn bytes_that_are_no_text_are_a_fault_of_their_record_alone() {
    let mut file = [control(), data(1, "J*rg", DATA_WIDTH), data(2, "x", DATA_WIDTH)].concat().into_bytes();
    let at = file.iter().position(|byte| *byte == b'*').unwrap();
    file[at] = 0xf6;
    assert_eq!(read(&file, Padding::Auto).get(1..), Some(&[Err(Fault::NotText), ok("x")][..]));
}

#[test]
fn flat_files_are_known_by_their_first_bytes() {
    assert!(is_flat(control().as_bytes()) && is_flat(data(1, "x", 70).as_bytes()) && is_flat(b"EDI_DC  100"));
    for other in ["<?xml", "{\"a\":1}", "DocNo,DocDt\r\n", "", "E1EDK01                       abc"] {
        assert!(!is_flat(other.as_bytes()), "{other}");
    }
}

#[test]
fn a_head_is_read_whole_or_not_at_all() {
    let head = format!("{:<30}100{:016}00000200000102", "E2EDP26000", 7);
    let found = head_of(&head).unwrap();
    assert_eq!((found.segment, found.client, found.document), ("E2EDP26000", "100", "0000000000000007"));
    assert_eq!((found.number, found.parent), (2, 1));
    for (from, to, parent) in [("000001", "      ", 0), ("E2EDP26000 ", "E2EDP26000\t", 1), ("0000010", "0000000", 0)] {
        assert_eq!(head_of(&head.replacen(from, to, 1)).map(|head| head.parent), Some(parent), "{to:?}");
    }
    for (from, to) in [
        ("E2EDP26000", "e2edp26000"),
        ("E2EDP26000", "E2EDP 6000"),
        ("E2EDP26000  ", "E2EDP26000 X"),
        ("E2EDP26000", "          "),
        ("100", "1 0"),
        ("0000000000000007", "000000000000000X"),
        ("000002", "00 002"),
        ("000001", "0000 1"),
    ] {
        assert!(head.contains(from), "{from}");
        assert_eq!(head_of(&head.replacen(from, to, 1)), None, "{to:?}");
    }
}

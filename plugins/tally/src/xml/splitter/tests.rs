//! What the splitter finds, and what it says of the rest.

use super::*;

const LIMITS: Limits = Limits { text_bytes_max: 1 << 20, object_bytes_max: 1 << 20 };

fn run(text: &str, wanted: Wanted) -> (Vec<String>, Result<Summary, Fault>) {
    let mut seen = Vec::new();
    let result = split(text.as_bytes(), wanted, LIMITS, &mut |found| {
        seen.push(match found {
            Found::Object { text, place, number } => format!("{number}@{}:{} {text}", place.line, place.byte),
            Found::Oversize { number, .. } => format!("{number} oversize"),
            Found::Company(name) => format!("company {name}"),
            Found::ErrorText { text, .. } => format!("error {text}"),
            Found::Fault(fault) => {
                let voucher = fault.inside.and_then(|inside| inside.unfinished);
                let number = voucher.map_or_else(String::new, |(_, number)| format!(" in {number}"));
                let resumed = fault.resumed.map_or_else(String::new, |place| format!(", on at {}", place.line));
                format!("{} at {}{number}{resumed}", fault.rule, fault.place.line)
            }
        });
        ControlFlow::Continue(())
    });
    (seen, result)
}

#[test]
fn counters_named_like_objects_are_not_vouchers() {
    let text = "<ENVELOPE><BODY><DESC><CMPINFO><VOUCHER>0</VOUCHER></CMPINFO></DESC>\n<DATA><COLLECTION><VOUCHER><DATE>1</DATE><X.LIST> </X.LIST></VOUCHER></COLLECTION></DATA></BODY></ENVELOPE>";
    let (seen, result) = run(text, Wanted::Vouchers);
    assert_eq!(seen, ["1@2:87 <VOUCHER><DATE>1</DATE></VOUCHER>"]);
    assert!(result.unwrap().known_root);
}

#[test]
fn a_malformed_object_is_reported_and_the_ones_around_it_are_found() {
    let text = "<ENVELOPE>\n<VOUCHER><A>1</A></VOUCHER>\n<VOUCHER><B>\n</VOUCHER>\n<VOUCHER><C>3</C></VOUCHER>\n\
                <TALLYMESSAGE><LEDGER NAME=\"x\"><P></Q></LEDGER></TALLYMESSAGE>\n\
                <TALLYMESSAGE><LEDGER NAME=\"y\"><P>1</P></LEDGER></TALLYMESSAGE><VOUCHER><D>4</D></VOUCHER></ENVELOPE>";
    let (seen, result) = run(text, Wanted::Vouchers);
    assert_eq!(
        seen,
        [
            "1@2:11 <VOUCHER><A>1</A></VOUCHER>",
            "tally.malformed_xml at 4 in 2, on at 5",
            "3@5:63 <VOUCHER><C>3</C></VOUCHER>",
            "tally.malformed_xml at 6, on at 7",
            "4@7:217 <VOUCHER><D>4</D></VOUCHER>",
        ]
    );
    assert!(result.is_ok());
    let (seen, _) = run(text, Wanted::Masters);
    assert!(seen.last().unwrap().ends_with("<LEDGER NAME=\"y\"><P>1</P></LEDGER>"), "{seen:?}");
}

#[test]
fn a_voucher_that_was_cut_off_hides_nothing_of_the_next_one() {
    for (between, end) in [("<VOUCHER VCHTYPE=\"Sales\">", ""), ("<TALLYMESSAGE><VOUCHER>", "</TALLYMESSAGE>")] {
        let text = format!("<COLLECTION><VOUCHER><A>1</A><B>\n{between}<C>2</C></VOUCHER>{end}</COLLECTION>");
        let (seen, _) = run(&text, Wanted::Vouchers);
        assert_eq!(seen.first().unwrap(), "tally.malformed_xml at 2 in 1, on at 2", "{between}");
        assert!(seen.get(1).unwrap().ends_with("<C>2</C></VOUCHER>"), "{seen:?}");
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}

#[test]
fn after_a_fault_a_truncated_file_and_a_document_type_still_end_reading() {
    let broken = "<ENVELOPE><VOUCHER><A></B></VOUCHER>";
    let (seen, result) = run(&format!("{broken}<VOUCHER><A>1"), Wanted::Vouchers);
    assert_eq!((seen.len(), result.unwrap_err().rule), (1, "tally.truncated"));
    let (seen, result) = run(&format!("{broken}<!DOCTYPE x [<!ENTITY a \"b\">]><VOUCHER>"), Wanted::Vouchers);
    assert_eq!((seen.len(), result.unwrap_err().rule), (1, "tally.document_type"));
}

#[test]
fn texts_and_comments_without_end_are_passed_over() {
    let long = "x".repeat(3 << 20);
    for open in ["<A>", "<!-- ", "<A B=\""] {
        let text = format!("<ENVELOPE><VOUCHER>{open}{long}</VOUCHER><VOUCHER><B>1</B></VOUCHER></ENVELOPE>");
        let (seen, _) = run(&text, Wanted::Vouchers);
        assert_eq!(seen.first().unwrap(), "tally.text_too_long at 1 in 1, on at 1", "{open}");
        assert!(seen.get(1).is_some_and(|next| next.ends_with("<B>1</B></VOUCHER>")), "{open} {seen:?}");
    }
}

#[test]
fn a_truncated_file_and_a_document_type_are_faults() {
    assert_eq!(run("<ENVELOPE><VOUCHER><A>1", Wanted::Vouchers).1.unwrap_err().rule, "tally.truncated");
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ENVELOPE>&b;</ENVELOPE>";
    assert_eq!(run(bomb, Wanted::Vouchers).1.unwrap_err().rule, "tally.document_type");
}

#[test]
fn nesting_has_a_limit_inside_and_outside_of_vouchers() {
    let deep = "<A>".repeat(100);
    assert_eq!(run(&deep, Wanted::Masters).0, ["tally.too_deep at 1"]);
    let text = format!("<VOUCHER>{deep}</VOUCHER>\n<VOUCHER><B>1</B></VOUCHER>");
    let (seen, result) = run(&text, Wanted::Vouchers);
    assert_eq!(seen.first().unwrap(), "tally.too_deep at 1 in 1, on at 2");
    assert!(seen.len() == 2 && result.is_ok(), "{seen:?}");
}

#[test]
fn an_oversize_voucher_is_passed_over_and_the_next_one_read() {
    let big = "<A>x</A>".repeat(200_000);
    let text = format!("<ENVELOPE><VOUCHER>{big}</VOUCHER><VOUCHER><B>1</B></VOUCHER></ENVELOPE>");
    let (seen, result) = run(&text, Wanted::Vouchers);
    assert_eq!(seen.first().unwrap(), "1 oversize");
    assert_eq!(seen.len(), 2);
    assert!(result.is_ok());
}

#[test]
fn an_answer_that_failed_is_never_one_that_holds_nothing() {
    let head = |more: &str| {
        format!(
            "<ENVELOPE><HEADER><VERSION>1</VERSION><STATUS>0</STATUS></HEADER><BODY><DATA>{more}</DATA></BODY></ENVELOPE>"
        )
    };
    for wanted in [Wanted::Vouchers, Wanted::Masters] {
        assert_eq!(run(&head(""), wanted).0, [format!("error {FAILED}")]);
        assert_eq!(run(&head("<LINEERROR>no</LINEERROR>"), wanted).0, ["error no"]);
        let fine = head("").replace("<STATUS>0", "<STATUS>1");
        assert!(run(&fine, wanted).0.is_empty());
    }
}

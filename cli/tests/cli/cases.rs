//! `test`: cases of mappings that users write.

use std::path::Path;

use crate::dry_run::{BILL, SHOP, shop};
use crate::{Answer, einvoice, folder};

/// The cases of the shop, all of which hold.
fn right() -> String {
    format!(
        r#"
source = "shop"
as_of = "2026-11-22"

[[case]]
name = "a bill is complete"
record = '''{BILL}'''
[case.expect]
verdict = "valid"
no_other_findings = true
[case.expect.members]
"DocDtls.No" = "S/1"
"itemlist[0].hsncd" = "84818030"
"ItemList[0].GstRt" = 18.00
"ItemList[0].CgstAmt" = ""
"ValDtls.TotInvVal" = 1180

[[case]]
name = "an item that no table has is told"
record_file = "unknown.json"
[case.expect]
verdict = "invalid"
findings = [{{ rule = "mapping.not_in_table", path = "ItemList[0].HsnCd", severity = "error" }}]

[[case]]
name = "a pro forma is passed over"
record = '{{"kind": "PRO-FORMA"}}'
expect = {{ skipped = "pro_forma" }}
"#
    )
}

fn written(directory: &Path, cases: &str) {
    shop(directory);
    std::fs::create_dir_all(directory.join("cases")).unwrap();
    std::fs::write(directory.join("cases/shop.toml"), cases).unwrap();
    std::fs::write(directory.join("cases/unknown.json"), BILL.replace("gv 25", "gv 50")).unwrap();
    // Neither files of the source nor a folder for them is needed.
    std::fs::remove_dir(directory.join("shop")).unwrap();
}

fn tested(cases: &str, more: &[&str]) -> (Answer, tempfile::TempDir) {
    let directory = folder();
    written(directory.path(), cases);
    let answer = einvoice(directory.path(), &[&["test"], more].concat());
    (answer, directory)
}

#[test]
fn cases_that_hold_pass_without_the_files_of_their_source() {
    let (answer, _directory) = tested(&right(), &[]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let expected = "cases/shop.toml\n  passed  a bill is complete\n  passed  an item that no table has is told\n  \
                    passed  a pro forma is passed over\n3 cases: 3 passed, 0 failed\n";
    assert_eq!(answer.out.replace(std::path::MAIN_SEPARATOR, "/"), expected);
}

#[test]
fn what_is_not_as_expected_is_shown_with_what_was_found_and_where_it_came_from() {
    let wrong = right()
        .replace("= \"84818030\"", "= \"8481\"")
        .replace("= 1180", "= 1180.01")
        .replace("rule = \"mapping.not_in_table\"", "rule = \"mapping.formula\"")
        .replace("skipped = \"pro_forma\"", "skipped = \"estimate\"");
    let (answer, directory) = tested(&wrong, &["cases/shop.toml"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
    let (answer, _directory) = tested(&wrong, &["--json"]);
    assert_eq!(answer.code, 1);
    let objects = answer.objects();
    let failure = &objects[0]["failures"][0];
    let told = [
        ("about", "ItemList[0].HsnCd"),
        ("expected", "8481"),
        ("found", "84818030"),
        ("origin", "rows[0].sku, by table hsn"),
    ];
    for (name, value) in told {
        assert_eq!(failure[name], value, "{failure}");
    }
    assert_eq!(objects[0]["verdict"], "valid");
    assert_eq!(objects[2]["failures"][0]["expected"], "passed over (estimate)");
    assert_eq!(
        objects[3]["summary"],
        serde_json::json!({"cases": 3, "passed": 0, "failed": 3, "unusable": 0, "unreadable": 0})
    );
}

/// What is said of one case of this expectation, about the bill.
fn one(expect: &str) -> Answer {
    tested(
        &format!("source = \"shop\"\n[[case]]\nname = \"c\"\nas_of = \"22/11/2026\"\nrecord = '''{BILL}'''\n{expect}"),
        &[],
    )
    .0
}

#[test]
fn a_whole_document_is_compared_member_by_member() {
    let directory = folder();
    written(directory.path(), &right());
    std::fs::create_dir(directory.path().join("shop")).unwrap();
    std::fs::write(directory.path().join("shop/1.json"), BILL).unwrap();
    let made = einvoice(directory.path(), &["run", "--dry-run", "--json"]).objects()[0]["payload"].to_string();
    let same = one(&format!("expect.document = '''{made}'''"));
    assert_eq!(same.code, 0, "{}{}", same.out, same.err);
    let other = one(&format!(
        "expect.document = '''{}'''",
        made.replace("\"Loc\":\"Pune\"", "\"Loc\":\"Mumbai\"").replace("\"Unit\":\"NOS\",", "")
    ));
    assert_eq!(other.code, 1);
    for told in [
        "SellerDtls.Loc",
        "expected Mumbai, found Pune, from configuration `seller`",
        "ItemList[0].Unit",
        "expected nothing, found NOS",
    ] {
        assert!(other.out.contains(told), "{told}: {}", other.out);
    }
}

#[test]
fn the_rules_are_those_of_the_day_that_the_case_names() {
    let large = SHOP.replace("turnover_crore = 4", "turnover_crore = 25");
    let directory = folder();
    written(
        directory.path(),
        &right().replace("[case.expect.members]", "[case.expect.members]\n\"BuyerDtls.Loc\" = \"Bengaluru\""),
    );
    std::fs::write(directory.path().join("einvoice.toml"), large).unwrap();
    assert_eq!(einvoice(directory.path(), &["test"]).code, 0);
    let late = right().replace("2026-11-22", "2026-12-22");
    std::fs::write(directory.path().join("cases/shop.toml"), late).unwrap();
    let answer = einvoice(directory.path(), &["test", "--case", "COMPLETE"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.out.contains("document.age") && answer.out.contains("1 case: 0 passed, 1 failed\n"),
        "{}",
        answer.out
    );
}

#[test]
fn a_record_of_a_table_is_written_as_head_and_lines() {
    let directory = folder();
    written(
        directory.path(),
        "source = \"shop\"\n[[case]]\nname = \"c\"\nhead = { no = \"T/1\", \"Bill Day\" = 7 }\nlines = [{ sku = \"gv-25\" }]\n[case.expect.members]\n\"DocDtls.No\" = \"T/1\"\n",
    );
    // This source takes JSON with names as they are: the record of a table is such JSON, with its parts by name.
    let rules = SHOP
        .replace("lines = \"rows\"", "lines = \"lines\"")
        .replace("\"DocDtls.No\" = \"no\"", "\"DocDtls.No\" = \"head.no\"");
    std::fs::write(directory.path().join("einvoice.toml"), rules).unwrap();
    let answer = einvoice(directory.path(), &["test"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
}

/// A voucher of the tests of Tally, and the masters that it needs, which stand in a file of their own.
fn tally(at: &Path, settings: &str, cases: &str) -> Answer {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/tally/tests/tally/fixtures");
    std::fs::create_dir_all(at.join("cases")).unwrap();
    for name in ["several-rates.xml", "masters.xml"] {
        std::fs::copy(fixtures.join(name), at.join("cases").join(name)).unwrap();
    }
    let configuration = format!("[[source]]\nname = \"books\"\nplugin = \"tally\"\n{settings}\n");
    std::fs::write(at.join("einvoice.toml"), configuration).unwrap();
    std::fs::write(at.join("cases/books.toml"), format!("source = \"books\"\nas_of = \"2026-11-22\"\n{cases}"))
        .unwrap();
    einvoice(at, &["test"])
}

#[test]
fn a_file_of_the_system_is_read_as_its_source_reads_its_own_with_its_masters() {
    let directory = folder();
    let case = r#"
[[case]]
name = "a bill of several rates"
file = "several-rates.xml"
[case.expect]
verdict = "valid"
members = { "DocDtls.No" = "NF/26-27/205", "ItemList[0].HsnCd" = "30049099", "ItemList[0].Unit" = "PAC" }
"#;
    // The files of the source are elsewhere, or nowhere.
    let files = tally(directory.path(), "path = \"nowhere/*.xml\"\nmasters = [\"cases/masters.xml\"]", case);
    assert_eq!(files.code, 0, "{}{}", files.out, files.err);
}

#[test]
fn a_file_of_the_system_stands_in_for_a_program_that_runs() {
    let directory = folder();
    let at = directory.path();
    let live = "url = \"http://127.0.0.1:9\"\ncompany = \"Nilgiri\"\nfrom = \"2026-04-01\"\nread_timeout_ms = 100";
    let case = "[[case]]\nname = \"a bill\"\nfile = \"several-rates.xml\"\nexpect.members = { \"DocDtls.No\" = \"NF/26-27/205\" }\n";
    let answer = tally(at, live, case);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    let validated = einvoice(at, &["validate", "cases/several-rates.xml", "--plugin", "tally", "--json"]);
    assert_eq!(validated.objects()[0]["document"], "29AAFCL9047G1Z5/2026-27/INV/NF/26-27/205", "{}", validated.err);
}

#[test]
fn one_record_of_a_file_is_meant_and_what_is_wrong_with_a_file_stops_no_other_case() {
    let directory = folder();
    let at = directory.path();
    shop(at);
    std::fs::create_dir(at.join("cases")).unwrap();
    let two = format!("{}\n{}\n", BILL.replace('\n', ""), BILL.replace('\n', "").replace("S/1", "S/2"));
    std::fs::write(at.join("cases/two.jsonl"), two).unwrap();
    let case = |name: &str, more: &str| {
        format!("[[case]]\nname = \"{name}\"\n{more}\nexpect.members = {{ \"DocDtls.No\" = \"S/2\" }}\n")
    };
    let cases = [
        case("several", "file = \"two.jsonl\""),
        case("the second", "file = \"two.jsonl\"\nnumber = 2"),
        case("too far", "file = \"two.jsonl\"\nnumber = 3"),
        case("not there", "file = \"three.jsonl\""),
        case("no such source", "source = \"shp\"\nfile = \"two.jsonl\""),
    ];
    std::fs::write(at.join("cases/shop.toml"), format!("source = \"shop\"\n{}", cases.concat())).unwrap();
    let answer = einvoice(at, &["test"]);
    assert_eq!(answer.code, 2, "{}", answer.out);
    assert!(
        answer.out.ends_with("  passed  the second\n1 case: 1 passed, 0 failed, 4 cases not tried\n"),
        "{}",
        answer.out
    );
    for told in [
        "case \"several\"",
        "it holds several records; say which is meant: number = 1",
        "it has no record 3",
        "there is no such file",
        "did you mean `shop`?",
    ] {
        assert!(answer.err.contains(told), "{told}: {}", answer.err);
    }
}

#[test]
fn a_case_that_cannot_be_used_is_told_by_file_and_name() {
    let said = |cases: &str| {
        let (answer, _directory) = tested(cases, &[]);
        assert_eq!(answer.code, 2, "{}", answer.out);
        answer.err
    };
    let case = |more: &str| said(&format!("source = \"shop\"\n[[case]]\nname = \"c\"\nrecord = \"{{}}\"\n{more}"));
    let nothing = case("expect = {}");
    assert!(nothing.contains("shop.toml: case \"c\": it expects nothing, so it could not fail"), "{nothing}");
    let path = case("expect.members.\"ItemList[0].Hsn\" = 1");
    assert!(path.contains("INV-01 has no member Hsn in ItemList"), "{path}");
    assert!(case("expect = { verdct = \"valid\" }").contains("did you mean `verdict`?"));
    assert!(
        case("head = { a = 1 }\nexpect = { verdict = \"valid\" }")
            .contains("give only one of record (text), record_file, file")
    );
    assert!(case("as_of = \"today\"\nexpect = { verdict = \"valid\" }").contains("write a day as YYYY-MM-DD"));
    let missing = said(&right().replace("unknown.json", "not_there.json"));
    assert!(missing.contains("cannot read") && missing.contains("not_there.json"), "{missing}");
    let source = said(&right().replace("\"shop\"", "\"shp\""));
    assert!(source.contains("is about source `shp`") && source.contains("did you mean `shop`?"), "{source}");
    assert!(said("source = \"shop\"").contains("there is no [[case]] in it"));
    let directory = folder();
    shop(directory.path());
    let none = einvoice(directory.path(), &["test"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("there are no cases: write them into"), "{}", none.err);
}

#[test]
fn a_file_that_cannot_be_used_does_not_keep_the_others_from_being_run() {
    let directory = folder();
    written(directory.path(), &right());
    std::fs::write(directory.path().join("cases/broken.toml"), "[[case]\n").unwrap();
    let answer = einvoice(directory.path(), &["test"]);
    assert_eq!(answer.code, 2);
    assert!(answer.out.contains("3 cases: 3 passed, 0 failed, 1 file not used"), "{}", answer.out);
    assert!(answer.err.contains("broken.toml"), "{}", answer.err);
}

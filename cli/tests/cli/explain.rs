//! `explain`: what a code or a rule means, as people and scripts read it.

use crate::{Answer, einvoice, folder};

fn explain(arguments: &[&str]) -> Answer {
    einvoice(folder().path(), &[&["explain"], arguments].concat())
}

fn shown(arguments: &[&str]) -> String {
    explain(arguments).shown(std::path::Path::new("no folder is named"))
}

#[test]
fn a_code_is_told_with_cause_remedy_owner_and_its_rules() {
    insta::assert_snapshot!(shown(&["2172"]));
}

#[test]
fn a_code_of_the_e_way_bill_system_is_told_as_such() {
    insta::assert_snapshot!(shown(&["604"]));
    assert_eq!(explain(&["604", "--system", "irp"]).out, explain(&["604"]).out, "the IRP passes such numbers on");
}

#[test]
fn a_code_that_is_not_sure_says_so() {
    insta::assert_snapshot!(shown(&["2294", "112"]));
}

#[test]
fn a_rule_is_told_with_its_code_ground_and_days() {
    insta::assert_snapshot!(shown(&["tax.igst_in_intra"]));
    insta::assert_snapshot!("a_rule_without_code", shown(&["items.service"]));
}

#[test]
fn a_rule_of_an_e_way_bill_without_an_irn_is_told_with_the_code_of_its_system() {
    insta::assert_snapshot!(shown(&["ewb.request.rail_document"]));
    let code = explain(&["823", "--system", "ewb", "--json"]).objects().remove(0);
    assert!(code["rules"].as_array().unwrap().iter().any(|rule| rule == "ewb.request.rail_document"), "{code}");
    let all: Vec<String> = explain(&["--rules", "--json"])
        .objects()
        .iter()
        .map(|line| line["rule"].as_str().unwrap().to_owned())
        .collect();
    let first = all.iter().position(|rule| rule.starts_with("ewb.request.")).unwrap();
    assert!(first > 100 && all[first..].iter().all(|rule| rule.starts_with("ewb.request.")), "they come last");
}

#[test]
fn every_explanation_fits_a_terminal_of_eighty_columns() {
    let list = explain(&["--list", "--json"]).objects();
    let codes: Vec<&str> = list.iter().map(|line| line["code"].as_str().unwrap()).collect();
    let answer = explain(&[&codes.join(",")]);
    assert_eq!(answer.out.matches("  meaning ").count(), codes.len());
    let too_long: Vec<&str> = answer.out.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(too_long.is_empty(), "{too_long:?}");
}

#[test]
fn codes_can_be_pasted_as_a_reply_holds_them() {
    let answer = explain(&["225, 240,", "--json"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let codes: Vec<_> = answer.objects().iter().map(|line| line["code"].clone()).collect();
    assert_eq!(codes, ["225", "240"]);
}

#[test]
fn json_has_one_object_a_code_or_rule() {
    insta::assert_snapshot!(shown(&["2189", "totals.tot_inv_val", "--json"]));
}

#[test]
fn the_list_has_every_code_and_can_be_narrowed_by_system_and_class() {
    let all = explain(&["--list", "--json"]).objects();
    let irp = explain(&["--list", "--json", "--system", "irp"]).objects();
    let ewb = explain(&["--list", "--json", "--system", "ewb"]).objects();
    assert_eq!(all.len(), irp.len() + ewb.len());
    assert!(all.len() > 600 && irp.iter().all(|line| line["system"] == "irp"), "{}", all.len());
    let limits = explain(&["--list", "--json", "--class", "rate_limit"]).objects();
    assert!(!limits.is_empty() && limits.iter().all(|line| line["class"] == "rate_limit"));
    insta::assert_snapshot!(shown(&["--list", "--system", "ewb", "--class", "wrong_system"]));
}

#[test]
fn an_unknown_code_names_near_ones_and_what_to_do() {
    insta::assert_snapshot!(shown(&["2127"]));
}

#[test]
fn every_code_that_is_not_known_is_named() {
    let answer = explain(&["225,8888", "9998"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("`8888`") && answer.err.contains("`9998`"), "{}", answer.err);
    assert!(answer.out.contains("225"), "{}", answer.out);
}

#[test]
fn an_unknown_rule_names_the_nearest() {
    insta::assert_snapshot!(shown(&["tax.igst_in_intr"]));
}

#[test]
fn a_code_of_the_other_system_is_told_to_be_there() {
    let answer = explain(&["2172", "--system", "ewb"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("2172 is a code of the e-invoice system (IRP)"), "{}", answer.err);
}

#[test]
fn known_codes_are_told_beside_an_unknown_one() {
    let answer = explain(&["2172", "2304"]);
    assert_eq!(answer.code, 2);
    assert!(answer.out.starts_with("2172 "), "{}", answer.out);
    assert!(answer.err.contains("`2304`"), "{}", answer.err);
}

#[test]
fn an_unknown_class_names_the_known_ones_and_nothing_to_explain_is_two() {
    let answer = explain(&["--list", "--class", "validations"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("token_expired") && answer.err.contains("validation,"), "{}", answer.err);
    assert_eq!(explain(&[]).code, 2);
    assert_eq!(explain(&[","]).code, 2);
}

#[test]
fn a_part_of_a_rule_s_name_names_the_rules_that_have_it() {
    let answer = einvoice(folder().path(), &["explain", "GSTIN"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("rules named so: ") && answer.err.contains("gstin.check_digit"), "{}", answer.err);
}

//! Repairs: what each does, what none does, and that every change is told.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::document::node::Editor;
use crate::document::path::Path as MemberPath;
use crate::document::{self, Form, Member, Pattern, Wording};
use crate::rulebook::repair::repair as apply;

fn options(repairs: &[Repair]) -> CheckOptions {
    CheckOptions::on(DAY).with_repairs(repairs.iter().copied().collect())
}

/// Checks the right document with some JSON replaced, with the repairs named.
fn with(repairs: &[Repair], from: &str, to: &str) -> CheckResult {
    assert!(RIGHT.contains(from), "{from}");
    let read = Invoice::from_json_with(&RIGHT.replacen(from, to, 1), ReadOptions::strict()).unwrap();
    check_read(read, &options(repairs))
}

/// The one repair made: rule, path, before, after.
fn repaired(repair: Repair, from: &str, to: &str) -> (String, String, String, String) {
    assert!(with(&[], from, to).is_err() || repair != Repair::HsnDots, "{to} needs no repair");
    let checked = with(&[repair], from, to).unwrap_or_else(|rejected| panic!("{to}: {:?}", rejected.findings));
    let [finding] = checked.findings() else { panic!("{to}: {:?}", checked.findings()) };
    assert_eq!((finding.severity, finding.code.as_deref()), (Severity::Repaired, Some("5002")));
    assert!(finding.fix.as_deref().unwrap().contains("in the source"), "{finding:?}");
    let payload = std::str::from_utf8(checked.payload()).unwrap();
    let after = finding.expected.clone().unwrap();
    assert!(payload.contains(&format!("\"{after}\"")), "what is sent is what was told: {payload}");
    (finding.rule.to_string(), finding.path.clone(), finding.found.clone().unwrap(), after)
}

/// A repair as it is told: rule, path, before, after.
fn told(rule: &str, path: &str, before: &str, after: &str) -> (String, String, String, String) {
    (rule.to_owned(), path.to_owned(), before.to_owned(), after.to_owned())
}

#[test]
fn plain_words_are_cut_to_what_the_schema_takes() {
    let long = format!("{} end", "Mill Lane ".repeat(10).trim());
    assert_eq!(
        repaired(Repair::TextCut, "2 Mill Lane", &long),
        told("repair.text_cut", "BuyerDtls.Addr1", &long, "Mill Lane ".repeat(10).trim())
    );
    let loc = "P".repeat(51);
    assert_eq!(
        repaired(Repair::TextCut, "Bengaluru", &loc),
        told("repair.text_cut", "SellerDtls.Loc", &loc, &"P".repeat(50))
    );
}

#[test]
fn both_texts_are_told_whole_however_long() {
    let long = "Mill Lane ".repeat(40);
    assert_eq!(
        repaired(Repair::TextCut, "2 Mill Lane", &long),
        told("repair.text_cut", "BuyerDtls.Addr1", &long, "Mill Lane ".repeat(10).trim())
    );
}

#[test]
fn what_identifies_something_is_never_cut() {
    let known: BTreeSet<&str> = cut_members().into_iter().map(|member| member.name).collect();
    let wanted = ["Addr1", "Addr2", "Info", "InvRm", "Loc", "PayInstr", "PayTerm", "PrdDesc", "TransName", "TrdNm"];
    assert_eq!(known, wanted.into_iter().collect(), "think before a member is added: is it an identity?");
    for (from, to) in [
        ("Madhav Motors", "M".repeat(101)),
        ("AE/26-27/7", "A".repeat(17)),
        (r#""SlNo":"1""#, r#""SlNo":"1234567""#.to_owned()),
    ] {
        let rejected = with(&Repair::ALL, from, &to).unwrap_err();
        assert!(rejected.findings.iter().any(|finding| finding.rule == "schema.length"), "{to}");
        assert!(!rejected.findings.iter().any(|finding| finding.rule.starts_with("repair.")), "{to}");
    }
}

#[test]
fn forbidden_characters_are_replaced_in_names_and_words() {
    assert_eq!(
        repaired(Repair::Characters, "Madhav Motors", r#"Madhav \"Motors\""#),
        told("repair.characters", "BuyerDtls.LglNm", "Madhav \"Motors\"", "Madhav 'Motors'")
    );
    assert_eq!(
        repaired(Repair::Characters, "2 Mill Lane", r"Plot A\\2,\r\n Mill Lane"),
        told("repair.characters", "BuyerDtls.Addr1", "Plot A\\2,\r\n Mill Lane", "Plot A/2, Mill Lane")
    );
}

#[test]
fn blanks_around_a_text_are_removed_unless_nothing_would_be_left() {
    let checked = with(&[Repair::Characters], "Madhav Motors", " Madhav Motors  ").unwrap();
    let rules: Vec<_> = checked.findings().iter().map(|finding| &*finding.rule).collect();
    assert_eq!(rules, ["repair.characters"], "and the rule about blanks has nothing more to say");
    assert_eq!(checked.invoice().buyer_dtls.lgl_nm.as_ref().map(|name| &**name), Some("Madhav Motors"));
    let checked = with(&[Repair::Characters], "Madhav Motors", "    ").unwrap();
    assert_eq!(checked.findings()[0].rule, "schema.blanks");
}

#[test]
fn a_reference_keeps_every_character() {
    let result = with(&Repair::ALL, r#""SlNo":"1""#, r#""OrdLineRef":"A\\7","SlNo":"1""#);
    assert_eq!(named(result), only("schema.pattern", "ItemList[0].OrdLineRef"));
}

#[test]
fn codes_in_small_letters_become_capitals() {
    let case = |from: &str, to: &str| repaired(Repair::LetterCase, from, to);
    let rule = "repair.letter_case";
    assert_eq!(
        case("29AAACE1234F1Z2", "29aaace1234f1z2"),
        told(rule, "SellerDtls.Gstin", "29aaace1234f1z2", "29AAACE1234F1Z2")
    );
    assert_eq!(case(r#""IsServc":"Y""#, r#""IsServc":"y""#), told(rule, "ItemList[1].IsServc", "y", "Y"));
    assert_eq!(case(r#""TaxSch":"GST""#, r#""TaxSch":"gst""#), told(rule, "TranDtls.TaxSch", "gst", "GST"));
    let checked = with(&[Repair::LetterCase], r#""Unit":"NOS""#, r#""Unit":"nos""#).unwrap();
    assert!(checked.invoice().to_json().contains(r#""Unit":"NOS""#));
    let rejected = with(&[Repair::LetterCase], "29AAACE1234F1Z2", "29aaace1234f1z").unwrap_err();
    assert_eq!(rejected.findings[0].found.as_deref(), Some("\"29aaace1234f1z\""), "what does not fit stays");
}

#[test]
fn an_hsn_code_in_groups_becomes_its_digits() {
    for text in ["8504.40", "8504 40", "8504-40", "85.04.40"] {
        assert_eq!(
            repaired(Repair::HsnDots, "850440", text),
            told("repair.hsn_dots", "ItemList[0].HsnCd", text, "850440")
        );
    }
    for text in ["8504.4", "8504..40", "8504.40.", "850.440", "8504,40", "8504.00", "85.04.40.10.10"] {
        let rejected = with(&Repair::ALL, "850440", text).unwrap_err();
        let rules: Vec<_> = rejected.findings.iter().map(|finding| &*finding.rule).collect();
        assert!(!rules.contains(&"repair.hsn_dots"), "{text}: {rules:?}");
    }
}

#[test]
fn zeros_before_a_state_code_are_left_out() {
    let case = |to: &str| repaired(Repair::StateZeros, r#""Stcd":"29""#, &format!(r#""Stcd":"{to}""#));
    assert_eq!(case("029"), told("repair.state_zeros", "SellerDtls.Stcd", "029", "29"));
    assert_eq!(case("00029"), told("repair.state_zeros", "SellerDtls.Stcd", "00029", "29"));
    let nine = with(&[Repair::StateZeros], r#""Stcd":"29""#, r#""Stcd":"009""#).unwrap_err();
    assert_eq!(nine.findings[0].expected.as_deref(), Some("09"));
    for text in ["129", "000", "0290", "02x"] {
        let rejected = with(&Repair::ALL, r#""Stcd":"29""#, &format!(r#""Stcd":"{text}""#)).unwrap_err();
        assert_eq!(rejected.findings[0].rule, "schema.length", "{text}");
    }
}

#[test]
fn nothing_is_repaired_unless_it_is_asked_for() {
    for repair in Repair::ALL {
        let others: Vec<Repair> = Repair::ALL.into_iter().filter(|other| *other != repair).collect();
        let (from, to) = match repair {
            Repair::TextCut => ("Bengaluru", "B".repeat(51)),
            Repair::Characters => ("Bengaluru", r#"\"Bengaluru\""#.to_owned()),
            Repair::LetterCase => ("29AAACE1234F1Z2", "29aaace1234f1z2".to_owned()),
            Repair::HsnDots => ("850440", "8504.40".to_owned()),
            Repair::StateZeros => (r#""Stcd":"29""#, r#""Stcd":"029""#.to_owned()),
        };
        assert!(with(&others, from, &to).is_err(), "{repair:?}");
        assert!(with(&[repair], from, &to).is_ok(), "{repair:?}");
    }
}

#[test]
fn repairs_come_after_what_the_reader_said_and_before_the_rules() {
    let text = RIGHT
        .replace("Bengaluru", &"B".repeat(51))
        .replace(r#""Pin":560001"#, r#""Pin":"560001""#)
        .replace("27AABCM5678K1ZY", "27aabcm5678k1zy")
        .replace("4130", "4190");
    let read = Invoice::from_json(&text).unwrap();
    let rejected = check_read(read, &options(&Repair::ALL)).unwrap_err();
    let rules: Vec<_> = rejected.findings.iter().map(|finding| &*finding.rule).collect();
    assert_eq!(rules, ["schema.repaired", "repair.text_cut", "repair.letter_case", "totals.tot_inv_val"]);
    assert_eq!(
        rejected.invoice.seller_dtls.loc.as_ref().map(|loc| loc.len()),
        Some(50),
        "the rules judge the repaired"
    );
}

#[test]
fn an_integrator_can_make_a_repair_a_matter_for_a_person() {
    let mut settings = RuleSettings::default();
    settings.severity.push(
        serde_json::from_str(r#"{"rule":"repair.text_cut","severity":"error","reason":"addresses are printed"}"#)
            .unwrap(),
    );
    settings.validate().unwrap();
    let read = Invoice::from_json(&RIGHT.replace("Bengaluru", &"B".repeat(51))).unwrap();
    let rejected = check_read(read, &options(&Repair::ALL).with_settings(Arc::new(settings))).unwrap_err();
    assert_eq!(rejected.findings[0].rule, "repair.text_cut");
    assert_eq!(rejected.findings[0].fix.as_deref().unwrap().split(' ').next(), Some("Shorten"), "there is much to do");
}

#[test]
fn names_of_repairs_are_those_of_their_rules() {
    for repair in Repair::ALL {
        let name = serde_json::to_value(repair).unwrap();
        let id = format!("repair.{}", name.as_str().unwrap());
        assert!(rule_by_id(&id).is_some_and(|rule| rule.severity == Severity::Repaired), "{id}");
    }
}

fn cut_members() -> Vec<&'static Member> {
    let leaves = Leaves::of(&full()).into_iter();
    leaves.map(|leaf| leaf.member).filter(|member| member.wording == Wording::Prose).collect()
}

/// A document with every section and an entry in every list.
fn full() -> Invoice {
    let mut document: serde_json::Value = serde_json::from_str(RIGHT).unwrap();
    for (section, value) in [
        ("DispDtls", json!({})),
        ("ShipDtls", json!({})),
        ("PayDtls", json!({})),
        ("ExpDtls", json!({})),
        ("EwbDtls", json!({})),
        ("AddlDocDtls", json!([{}])),
        ("RefDtls", json!({"DocPerdDtls": {}, "PrecDocDtls": [{}], "ContrDtls": [{}]})),
    ] {
        document[section] = value;
    }
    document["ItemList"][0]["BchDtls"] = json!({});
    document["ItemList"][0]["AttribDtls"] = json!([{}]);
    let read = Invoice::from_json(&document.to_string()).unwrap();
    assert_eq!(read.findings, []);
    read.invoice
}

/// One leaf of a document, and the text it has.
#[derive(Debug, Clone)]
struct Leaf {
    path: String,
    member: &'static Member,
    text: Option<String>,
}

/// Collects every leaf.
#[derive(Default)]
struct Leaves(Vec<Leaf>, MemberPath);

impl Leaves {
    fn of(invoice: &Invoice) -> Vec<Leaf> {
        let mut leaves = Self::default();
        invoice.clone().walk_mut(&mut leaves);
        leaves.0
    }
}

impl Editor for Leaves {
    fn leaf<T: document::Leaf>(&mut self, member: &'static Member, field: &mut Field<T>) {
        let text = match field {
            Field::Absent => None,
            Field::Value(value) => Some(value.show()),
            Field::Malformed(raw) => Some(schema::content(raw).unwrap_or_else(|| raw.to_string())),
        };
        self.0.push(Leaf { path: self.1.of(member.name), member, text });
    }

    fn enter(&mut self, member: &'static Member, index: Option<usize>) {
        self.1.push(member, index);
    }

    fn leave(&mut self) {
        self.1.pop();
    }
}

/// Writes texts into the leaves, as the strict reader would have read them.
struct Filler<I>(I);

impl<I: Iterator<Item = Option<String>>> Editor for Filler<I> {
    fn leaf<T: document::Leaf>(&mut self, _: &'static Member, field: &mut Field<T>) {
        if let Some(Some(text)) = self.0.next() {
            let malformed = |()| Field::Malformed(serde_json::to_string(&text).unwrap().into());
            *field = T::parse(&text).map_or_else(malformed, Field::Value);
        }
    }

    fn enter(&mut self, _: &'static Member, _: Option<usize>) {}

    fn leave(&mut self) {}
}

/// Texts with everything a repair looks for, nothing it looks for, and nonsense.
fn texts() -> impl Strategy<Value = Vec<Option<String>>> {
    let text = prop_oneof![
        "[ a-zA-Z0-9.\"\\\\\n\t'-]{0,40}",
        "[a-z \"\u{900}-\u{97f}]{90,320}",
        "(29|27)[a-zA-Z]{5}[0-9]{4}[a-z]1[zZ][0-9a-z]",
        "[0-9]{4}[. -][0-9]{2}([. -][0-9]{2})?",
        "0{0,3}[0-9]{1,2}",
        " ?([yYnN]|urp|nos|inr|gst|in|r) ?",
        any::<String>(),
    ];
    proptest::collection::vec(proptest::option::weighted(0.7, text), 1..60)
}

/// What must never change of a text: everything but case in a code, signs between the digits of an HSN code, zeros
/// before a state, marks and blanks in words, and the end of words that may be cut.
fn keeps_its_meaning(member: &Member, before: &str, after: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let words = |text: &str| {
        let mark = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\' | '\'' | '/');
        text.chars().filter(|c| !mark(*c)).collect::<String>()
    };
    match (member.form, member.wording) {
        (Form::Text { pattern: Pattern::Hsn, .. }, _) => digits(before) == digits(after),
        (Form::Text { pattern: Pattern::State, .. }, _) => before.trim().parse::<u64>() == after.parse(),
        (Form::Text { .. }, Wording::Name) => words(before) == words(after),
        (Form::Text { .. }, Wording::Prose) => words(before).starts_with(&words(after)),
        (Form::Text { .. }, Wording::Exact) if member.in_capitals => before.trim().eq_ignore_ascii_case(after),
        (Form::Text { .. }, Wording::Exact) => before.trim() == after,
        _ => false,
    }
}

/// The changes of one leaf are told one after the other, from what stood there to what is sent.
fn is_told(before: &str, after: &str, findings: &[&Finding]) -> bool {
    let mut now = before;
    for finding in findings {
        let (Some(found), Some(expected)) = (&finding.found, &finding.expected) else { return false };
        if now != found || finding.severity != Severity::Repaired || finding.fix.is_none() {
            return false;
        }
        now = expected;
    }
    !findings.is_empty() && now == after
}

proptest! {
    #[test]
    fn repairs_keep_what_a_document_says_tell_every_change_and_are_made_once(texts in texts()) {
        let mut invoice = full();
        invoice.walk_mut(&mut Filler(texts.into_iter().cycle()));
        let (before, key) = (Leaves::of(&invoice), invoice.document_key());

        let mut findings = Vec::new();
        apply(&mut invoice, &options(&Repair::ALL), &mut findings);

        prop_assert!(key.is_none() || key == invoice.document_key());
        for (before, after) in before.iter().zip(Leaves::of(&invoice)) {
            let told: Vec<&Finding> = findings.iter().filter(|finding| finding.path == before.path).collect();
            match (&before.text, &after.text) {
                (Some(old), Some(new)) if old != new => {
                    prop_assert!(keeps_its_meaning(before.member, old, new), "{before:?} {after:?}");
                    prop_assert!(is_told(old, new, &told), "{before:?} {after:?} {told:?}");
                    let fault = |text: &str| schema::text_fault(text, before.member.form).is_some();
                    prop_assert!(fault(old) || !fault(new), "made worse: {before:?} {after:?}");
                }
                (old, new) => {
                    prop_assert_eq!(old, new);
                    prop_assert!(told.is_empty(), "told and not made: {:?}", told);
                }
            }
        }

        let (once, mut more) = (invoice.clone(), Vec::new());
        apply(&mut invoice, &options(&Repair::ALL), &mut more);
        prop_assert_eq!(more, vec![]);
        prop_assert_eq!(once, invoice);
    }
}

use einvoice_core::source::SourceRef;
use jiff::civil::date;

use super::*;

fn page() -> Page {
    Page::new(date(2026, 11, 22))
}

fn judged(name: &str, findings: Vec<Finding>) -> Judged {
    let reference = SourceRef { location: "a.json".into(), position: "line 1".into(), record_id: String::new() };
    let valid = !findings.iter().any(Finding::is_error);
    Judged::Document { name: name.to_owned(), reference, irn: None, valid, findings, provenance: None }
}

fn finding() -> Finding {
    Finding::error("totals.tot_inv_val", "ValDtls.TotInvVal", "TotInvVal is 1,200 where 1,180 is right")
        .with_code("2189")
        .with_found("1200")
        .with_expected("1180")
        .with_fix("Make TotInvVal 1180.")
        .with_place("a.json, line 1")
}

/// The names of all elements, with the values of `id` and `href`.
fn elements(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)).collect()
}

#[test]
fn a_hostile_document_adds_no_element_and_no_attribute() {
    let hostile = "\"><script>alert(1)</script><img src=x onerror='y'>&#x3c;";
    let shape = |text: &str| {
        let mut page = page();
        page.file(text);
        page.add(&judged(
            text,
            vec![
                Finding::error(text.to_owned(), text, text)
                    .with_code(text.to_owned())
                    .with_found(text)
                    .with_expected(text)
                    .with_fix(text)
                    .with_place(text),
            ],
        ));
        page.unreadable(text, text);
        page.finish(&Counts::default())
    };
    let (safe, attacked) = (shape("harmless"), shape(hostile));
    let names = |html: &str| -> Vec<String> {
        elements(html).into_iter().map(|tag| tag.split([' ', '=']).next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&attacked), names(&safe));
    assert!(!attacked.contains("<script") && !attacked.contains("<img") && !attacked.contains("onerror='"));
    assert!(attacked.contains("&quot;&gt;&lt;script&gt;alert(1)"), "what stands there is shown");
}

#[test]
fn the_page_asks_for_nothing_from_anywhere() {
    let mut page = page();
    page.add(&judged("29AABCE1234F1Z1/2026-27/INV/1", vec![finding()]));
    let html = page.finish(&Counts::default());
    assert!(html.contains("content=\"default-src 'none'; style-src 'sha256-"), "{html}");
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link", "<script", "<form", "style=\""] {
        assert!(!html.contains(outside), "{outside} in {html}");
    }
    let targets: Vec<&str> =
        html.match_indices("href=\"").filter_map(|(at, _)| html[at + 6..].split('"').next()).collect();
    assert!(targets.len() >= 5, "{targets:?}");
    for target in targets {
        let name = target.strip_prefix('#').unwrap();
        assert_eq!(html.matches(&format!("id=\"{name}\"")).count(), 1, "{name}");
    }
}

#[test]
fn twenty_thousand_invalid_documents_keep_as_much_as_five_thousand_findings() {
    let mut page = page();
    let mut kept = Vec::new();
    for number in 0..20_000_u32 {
        page.add(&judged(&format!("29AABCE1234F1Z1/2026-27/INV/{number:05}"), vec![finding(), finding()]));
        if [2_500, 5_000, 20_000].contains(&(number + 1)) {
            kept.push((page.listed.len(), page.tallies.len()));
        }
    }
    assert_eq!(kept[0], kept[1]);
    assert_eq!(kept[1], kept[2], "after the limit nothing more is kept");
    assert!(kept[2].0 < LISTED_BYTES_MAX);
    assert_eq!(page.findings, LISTED_FINDINGS_MAX);
    let html = page.finish(&Counts { invalid: 20_000, ..Counts::default() });
    assert!(html.contains("40000 findings in 20000 documents"));
    assert!(html.contains("The list was cut: 17500 documents and 35000 findings more"));
}

#[test]
fn long_texts_and_many_rules_are_bounded_as_well() {
    let mut page = page();
    let long = "x".repeat(100_000);
    for number in 0..10_000_u32 {
        page.add(&judged(&long, vec![Finding::warning(format!("rule.{number}"), long.clone(), long.clone())]));
    }
    assert!(page.listed.len() < LISTED_BYTES_MAX + 16 * 1024, "{}", page.listed.len());
    assert_eq!(page.tallies.len(), RULES_MAX);
    let html = page.finish(&Counts::default());
    assert!(html.contains("9000 findings of further rules are not told apart here."));
}

#[test]
fn a_document_with_too_many_findings_is_cut_and_says_so() {
    let mut page = page();
    page.add(&judged("many", vec![finding(); 5_002]));
    page.add(&judged("next", vec![finding()]));
    let html = page.finish(&Counts::default());
    assert!(html.contains("2 findings of it not listed"));
    assert!(html.contains("1 document and 3 findings more are counted above"));
    assert!(html.contains("5003 findings in 2 documents"));
}

#[test]
fn rules_come_by_how_often_they_speak_and_name_their_first_documents() {
    let mut page = page();
    page.add(&judged("only", vec![Finding::warning("a.rare", "", "rare")]));
    for number in 0..7 {
        page.add(&judged(&format!("n{number}"), vec![finding()]));
    }
    page.add(&judged("fine", vec![]));
    let html = page.finish(&Counts::default());
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} in {html}"));
    assert!(at("id=\"rule-totals.tot_inv_val-2189\"") < at("id=\"rule-a.rare\""));
    assert!(html.contains("<a href=\"#document-2\">n0</a>") && html.contains("and 2 more<"));
    assert!(!html.contains("fine"), "a document without findings is counted, not listed");
}

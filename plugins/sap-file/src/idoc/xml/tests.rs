//! Forms of XML that IDocs come in, and what is wrong with damaged ones.

use proptest::prelude::*;

use super::*;

/// Pieces of `IDoc`s, of which some are fields that can be taken at once and some nearly are.
const PIECES: [&str; 17] = [
    "<E1EDK01 SEGMENT=\"1\">",
    "</E1EDK01>",
    "<E1EDP01>",
    "</E1EDP01>",
    "<XGRP>",
    "</XGRP>",
    "<A>1</A>",
    "<p:A> 2\t</p:A>",
    "<A></A>",
    "<A/>",
    "<AGRP>3</AGRP>",
    "<A x=\"1\">4</A>",
    "<A>&amp;</A>",
    "<A>5<!-- --></A>",
    "\n ",
    "x",
    "<A><![CDATA[ 6 ]]></A>",
];

proptest! {
    #[test]
    fn any_idoc_is_read_alike_at_once_and_event_by_event(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16)) {
        let text = format!("<r>{}</r>", idoc(1, &pieces.concat()));
        let read = |takes_fields: bool| {
            let mut found = Vec::new();
            read_by(text.as_bytes(), "f.xml", &Definitions::default(), takes_fields, &mut |one| {
                found.push((one.line, one.number, one.content.map_err(|faults| format!("{faults:?}")), one.is_end));
                true
            })
            .unwrap();
            found
        };
        prop_assert_eq!(read(true), read(false));
    }
}

fn all(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    read(text.as_bytes(), "f.xml", &Definitions::default(), &mut |one| {
        found.push(one);
        true
    })
    .unwrap();
    found
}

fn idoc(number: u32, inside: &str) -> String {
    format!(
        "<IDOC BEGIN=\"1\"><EDI_DC40 SEGMENT=\"1\"><MANDT>100</MANDT><DOCNUM>{number:016}</DOCNUM></EDI_DC40>{inside}</IDOC>"
    )
}

#[test]
fn segments_and_fields_are_read_whatever_the_root_the_prefixes_and_the_stray_text() {
    let inside = "è<E1EDK01 SEGMENT=\"1\"><CURCY>INR</CURCY><EMPTY/></E1EDK01>\n<E1EDP01><POSEX>10</POSEX>\
        <E1EDP19><KTEXT>A &amp; B &lt; &#67;</KTEXT></E1EDP19></E1EDP01>";
    let plain = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<ZINV>\n{}</ZINV>", idoc(1, inside));
    let found = all(&plain);
    let text = found[0].content.as_ref().unwrap();
    assert_eq!(
        text,
        "0 EDI_DC40 0\tMANDT=100\tDOCNUM=0000000000000001\n0 E1EDK01 0\tCURCY=INR\n0 E1EDP01 1\tPOSEX=10\n2 E1EDP19 1\tKTEXT=A & B < C"
    );
    assert_eq!((found.len(), found[0].line, found[0].number.as_str()), (1, 3, "0000000000000001"));
    let prefixed = plain.replace("<E1", "<n:E1").replace("</E1", "</n:E1").replace("ZINV", "n:Other");
    assert_eq!(all(&prefixed)[0].content.as_ref().unwrap(), text);
}

#[test]
fn groups_and_names_of_versions_lead_to_the_same_segments() {
    let inside = "<E2EDK01005GRP><E2EDK01005><CURCY>INR</CURCY></E2EDK01005></E2EDK01005GRP><E2EDP01010GRP><E2EDP01010>\
        <POSEX>10</POSEX></E2EDP01010><E2EDP26><QUALF>003</QUALF></E2EDP26></E2EDP01010GRP>";
    let found = all(&format!("<a>{}</a>", idoc(1, inside)));
    let text = found[0].content.as_ref().unwrap();
    assert!(text.ends_with("\n0 E1EDK01 0\tCURCY=INR\n0 E1EDP01 0\tPOSEX=10\n2 E1EDP26 0\tQUALF=003"), "{text}");
}

#[test]
fn several_idocs_are_read_and_those_before_a_break_are_kept() {
    let inside = "<E1EDK01><CURCY>INR</CURCY></E1EDK01>";
    let whole = format!("<a>{}\n{}</a>", idoc(1, inside), idoc(2, inside));
    assert_eq!(all(&whole).len(), 2);
    let broken = whole.replacen("</IDOC></a>", "</a>", 1);
    let found = all(&broken);
    assert!(found[0].content.is_ok() && found[1].is_end);
    let said = found[1].content.as_ref().unwrap_err()[0].to_string();
    assert!(said.contains("IDoc 0000000000000002, IDOC") && said.contains("line 2"), "{said}");
    let cut = &whole[..whole.len() - 30];
    assert!(all(cut)[1].is_end);
    for (other, wanted) in [("<a/>", "no element IDOC"), ("<!DOCTYPE a><a/>", "document type"), ("", "no element IDOC")]
    {
        let found = all(other);
        assert!(found[0].content.as_ref().unwrap_err()[0].message.contains(wanted), "{other}");
    }
}

/// Neither a comment without an end nor a tag of very many attributes takes memory or time without limit.
#[test]
fn a_piece_without_end_and_a_tag_of_many_attributes_are_bounded() {
    let segments = "<E1EDK01><CURCY>INR</CURCY></E1EDK01>";
    let endless = format!("<a>{}<!-- {}", idoc(1, segments), "-".repeat(3 * PIECE_MAX));
    let found = all(&endless);
    assert!(found[0].content.is_ok() && found[1].is_end);
    let said = found[1].content.as_ref().unwrap_err()[0].to_string();
    assert!(said.contains("more than 4194304 bytes"), "{said}");
    let attributes: Vec<String> = (0..200_000).map(|at| format!("a{at}=''")).collect();
    let wide = idoc(1, &segments.replace("<CURCY>", &format!("<CURCY {}>", attributes.join(" "))));
    assert!(all(&wide)[0].content.is_ok());
}

#[test]
fn an_idoc_without_control_record_or_segments_is_refused_and_the_next_is_read() {
    let text = format!(
        "<a><IDOC><E1EDK01><CURCY>INR</CURCY></E1EDK01></IDOC>{}{}</a>",
        idoc(2, ""),
        idoc(3, "<E1EDK01><CURCY>INR</CURCY></E1EDK01>")
    );
    let rules: Vec<String> = all(&text)
        .iter()
        .map(|found| found.content.as_ref().map_or_else(|faults| faults[0].rule.to_string(), |_| "ok".into()))
        .collect();
    assert_eq!(rules, ["idoc.control_record", "idoc.truncated", "ok"]);
}

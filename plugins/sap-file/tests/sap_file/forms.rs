//! One invoice in every form SAP writes, and what is wrong with damaged ones.

use std::fs;

use einvoice_core::rulebook::{CheckOptions, check};
use einvoice_core::source::{Disposition, InvoiceSource, Mapped};
use einvoice_testkit::idocs::{DEFINITIONS, Framing, IdocRecipe, Segment, flat, xml};
use serde_json::json;

use crate::folder::{Folder, document, tell};

/// Settings with the layout of `E1EDP28`.
fn settings(folder: &Folder) -> serde_json::Value {
    fs::write(folder.root().join("segments.csv"), DEFINITIONS).unwrap();
    json!({ "definitions": ["segments.csv"] })
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[tokio::test]
async fn an_invoice_is_the_same_document_in_every_framing_encoding_and_in_xml() {
    let recipe = IdocRecipe::numbered(1);
    let xml = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<INVOIC02>{}</INVOIC02>", recipe.xml());
    let folder = Folder::new().with("x.xml", &xml);
    let wanted = document(&folder, settings(&folder)).await;
    assert_eq!(wanted.findings, []);
    for (name, bytes) in [
        ("contiguous.idoc", recipe.flat(Framing::Contiguous).into_bytes()),
        ("lines.idoc", recipe.flat(Framing::Lines).into_bytes()),
        ("crlf.txt", recipe.flat(Framing::CrLf).into_bytes()),
        ("cut.dat", recipe.flat(Framing::Cut).into_bytes()),
        ("bom.idoc", format!("\u{feff}{}", recipe.flat(Framing::Cut)).into_bytes()),
        ("utf16.idoc", utf16(&recipe.flat(Framing::Contiguous))),
        ("utf16.xml", utf16(&xml.replace("utf-8", "utf-16"))),
    ] {
        let folder = Folder::new().with(name, bytes);
        let mapped = document(&folder, settings(&folder)).await;
        assert_eq!(mapped.invoice.to_json(), wanted.invoice.to_json(), "{name}");
        assert_eq!((mapped.findings, mapped.attributes), (vec![], wanted.attributes.clone()), "{name}");
    }
}

#[tokio::test]
async fn an_invoice_passes_the_portals_rules_as_it_is_mapped() {
    for buyer in [27, 29] {
        let mut recipe = IdocRecipe::numbered(1);
        recipe.buyer = einvoice_testkit::documents::gstin(buyer, 2);
        let folder = Folder::new().with("x.idoc", recipe.flat(Framing::Cut));
        let mapped = document(&folder, settings(&folder)).await;
        let result = check(mapped.invoice.clone(), Vec::new(), &CheckOptions::on(einvoice_testkit::invoices::DAY));
        let errors: Vec<_> = result.as_ref().err().map(|rejected| rejected.findings.clone()).unwrap_or_default();
        assert!(result.is_ok(), "{errors:#?}\n{}", mapped.invoice.to_json());
    }
}

#[tokio::test]
async fn umlauts_survive_code_pages_and_a_wrong_one_is_said_with_its_line() {
    let mut segments = IdocRecipe::numbered(1).segments();
    let name = &mut segments[2].fields.iter_mut().find(|(field, _)| *field == "NAME1").unwrap().1;
    *name = "Jörg Müller GmbH".to_owned();
    let text = flat(1, &IdocRecipe { docnum: 1, ..IdocRecipe::numbered(1) }.control(), &segments, Framing::Contiguous);
    let western: Vec<u8> = text.chars().map(|found| u8::try_from(u32::from(found)).unwrap()).collect();
    for (bytes, encoding) in
        [(text.into_bytes(), "auto"), (western.clone(), "windows-1252"), (western.clone(), "iso-8859-1")]
    {
        let folder = Folder::new().with("x.idoc", bytes);
        let mapped = document(&folder, json!({ "encoding": encoding })).await;
        assert_eq!(&**mapped.invoice.buyer_dtls.lgl_nm.as_ref().unwrap(), "Jörg Müller GmbH");
    }
    let (_, items) = Folder::new().with("x.idoc", western).read(json!({})).await;
    let finding = &items.problems()[0].findings[0];
    assert_eq!(finding.rule, "idoc.encoding");
    assert_eq!(finding.place.as_deref(), Some("in/x.idoc, record 4"));
    assert!(finding.message.contains("E1EDKA1"), "{finding}");
}

#[tokio::test]
async fn several_idocs_of_one_file_are_several_documents_and_a_damaged_one_stops_no_other() {
    let damaged = IdocRecipe::numbered(2).flat(Framing::Lines).replacen("000003000000", "000009000000", 1);
    let file = IdocRecipe::numbered(1).flat(Framing::Lines) + &damaged + &IdocRecipe::numbered(3).flat(Framing::Lines);
    let (source, items) = Folder::new().with("x.idoc", file).read(json!({})).await;
    assert_eq!((items.records().len(), items.problems().len()), (2, 1));
    let problem = items.problems()[0];
    assert_eq!(problem.label, "IDoc 0000000000180002");
    assert!(problem.reference.position.starts_with("document 2, line 27"), "{}", problem.reference.position);
    let labels: Vec<_> = items
        .records()
        .iter()
        .map(|record| match source.map(record) {
            Mapped::Document(document) => document.invoice.label(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(labels, ["INV S/1 of 05/11/2026", "INV S/3 of 05/11/2026"]);
    assert!(items.records()[1].reference.record_id.ends_with("/INV/S/3"), "{:?}", items.records()[1].reference);
}

#[tokio::test]
async fn one_idoc_number_twice_is_one_document_and_other_content_under_it_is_refused() {
    let one = IdocRecipe::numbered(1);
    let other = IdocRecipe { docnum: one.docnum, ..IdocRecipe::numbered(2) };
    let file = [one.flat(Framing::Cut), one.flat(Framing::Cut), other.flat(Framing::Cut)].concat();
    let (_, items) = Folder::new().with("x.idoc", file).read(json!({})).await;
    let ids: Vec<_> = items.records().iter().map(|record| record.reference.record_id.clone()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[1], format!("{}#2", ids[0]));
    assert_eq!(items.records()[0].content, items.records()[1].content, "registered once, answered twice");
    assert_eq!(items.rules(), ["idoc.number_twice"]);
}

#[tokio::test]
async fn idocs_without_a_number_are_each_told_that_it_is_missing() {
    let file = [IdocRecipe::numbered(1), IdocRecipe::numbered(2)].map(|recipe| {
        let number = format!("<DOCNUM>{:016}</DOCNUM>", recipe.docnum);
        let text = recipe.xml();
        assert!(text.contains(&number), "{text}");
        text.replace(&number, "")
    });
    let (source, items) = Folder::new().with("x.xml", format!("<a>{}</a>", file.concat())).read(json!({})).await;
    assert_eq!((items.rules(), items.records().len()), (vec![], 2));
    for record in items.records() {
        let Mapped::Unmappable { findings, .. } = source.map(record) else { panic!("no number is needed") };
        assert!(findings[0].message.contains("there is no IDoc number"), "{findings:?}");
    }
}

#[tokio::test]
async fn settled_files_are_moved_and_those_that_grow_are_left_alone() {
    let folder = Folder::new().with("a.idoc", IdocRecipe::numbered(1).flat(Framing::Cut));
    let (source, items) = folder.read(json!({})).await;
    tell(&source, &items, Disposition::Done).await;
    assert_eq!(folder.names(), ["done/a.idoc", "work/idocs.txt"]);
    let folder = folder
        .with("b.xml.tmp", "<a>")
        .with("c_R.json", "{}")
        .with("d.json", "[1]")
        .with("e.idoc", IdocRecipe::numbered(2).flat(Framing::Cut));
    let (source, items) = folder.read(json!({ "trigger_suffix": ".done" })).await;
    assert!(items.0.is_empty());
    drop(source);
    let folder = folder.with("e.idoc.done", "");
    let (source, items) = folder.read(json!({ "trigger_suffix": ".done" })).await;
    assert_eq!(items.records().len(), 1);
    tell(&source, &items, Disposition::NeedsPerson).await;
    assert_eq!(
        folder.names(),
        ["b.xml.tmp", "c_R.json", "d.json", "done/a.idoc", "needs-person/e.idoc", "work/idocs.txt"]
    );
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_waited_for_is_left_for_the_next_run() {
    use einvoice_core::registry::{BuildContext, read_settings};
    use futures_util::StreamExt as _;
    let whole = IdocRecipe::numbered(1).flat(Framing::Cut);
    let folder = Folder::new().with("a.idoc", &whole[..whole.len() / 2]);
    // A clock that jumps over the wait; the file is completed meanwhile.
    let now = fs::metadata(folder.inbox().join("a.idoc")).unwrap().modified().unwrap();
    let clock = einvoice_core::clock::ManualClock::jumping(now.try_into().unwrap());
    let entropy = einvoice_core::entropy::SystemEntropy::shared();
    let context = BuildContext::new("test", folder.root(), std::sync::Arc::new(clock), entropy);
    let settings = read_settings(&context, json!({ "path": "in", "settle_ms": 60_000 })).unwrap();
    let source = einvoice_sap_file::SapFileSource::new(&context, settings).unwrap();
    let stream = source.fetch(None).await.unwrap();
    fs::write(folder.inbox().join("a.idoc"), &whole).unwrap();
    assert_eq!(stream.count().await, 0, "neither half an invoice nor a fault of one");
    assert_eq!(folder.read(json!({})).await.1.records().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_none_of_the_known_is_said_so() {
    for (name, bytes, rule) in [
        ("empty.idoc", &b""[..], "file.structure"),
        ("mainframe.idoc", b"\xc5\xc4\xc9\x6d\xc4\xc3", "idoc.encoding"),
        ("words.txt", b"Dear Sir,\nplease find enclosed\n", "csv.structure"),
        ("old.idoc", b"EDI_DC    100\n", "idoc.release"),
        ("words.json", b"[\"x\"]", "json.structure"),
        ("words.idoc", b"no idoc at all\n", "idoc.control_record"),
        ("words.xml", b"<html><body/></html>", "idoc.xml"),
        ("latin.json", b"[{\"Version\":\"\xe9\"}]", "json.encoding"),
    ] {
        let (_, items) = Folder::new().with(name, bytes).read(json!({})).await;
        assert_eq!((items.rules(), items.records().len()), (vec![rule.to_owned()], 0), "{name}");
        let finding = &items.problems()[0].findings[0];
        assert!(
            finding.fix.is_some() && finding.place.as_deref().is_some_and(|place| place.contains(name)),
            "{finding:?}"
        );
    }
}

#[tokio::test]
async fn a_declared_code_page_of_an_xml_file_is_read_by_it() {
    let xml = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>{}</a>", IdocRecipe::numbered(1).xml());
    let bytes: Vec<u8> =
        xml.replace("Brass", "Br\u{e4}ss").chars().map(|found| u8::try_from(u32::from(found)).unwrap()).collect();
    let mapped = document(&Folder::new().with("x.xml", bytes), json!({})).await;
    assert_eq!(&**mapped.invoice.item_list[0].prd_desc.as_ref().unwrap(), "Bräss valve");
}

#[tokio::test]
async fn an_idoc_of_an_old_broker_without_numbers_of_segments_is_mapped_from_xml() {
    let segments = IdocRecipe::numbered(1).segments();
    let renamed: Vec<Segment> = segments
        .iter()
        .map(|segment| Segment {
            name: segment.name.replace("E1EDK01", "E2EDK01005").replace("E1EDKA1", "E2EDKA1003"),
            ..segment.clone()
        })
        .collect();
    let text = format!("<ns:X xmlns:ns=\"urn:x\">{}</ns:X>", xml(&IdocRecipe::numbered(1).control(), &renamed));
    let mapped = document(&Folder::new().with("x.xml", text), json!({})).await;
    assert_eq!(mapped.invoice.label(), "INV S/1 of 05/11/2026");
    assert!(mapped.invoice.buyer_dtls.gstin.get().is_some());
}

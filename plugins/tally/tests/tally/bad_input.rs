//! Bad input is normal input: whatever stands in a file, the rest of it and the other files are read.

use einvoice_core::source::{InvoiceSource, Mapped};
use einvoice_tally::TallySource;
use proptest::prelude::*;
use serde_json::json;

use crate::common::{Read, config, folder_with, outcome, read, source};

pub(crate) fn voucher(number: &str) -> String {
    format!(
        "<TALLYMESSAGE><VOUCHER VCHTYPE=\"Sales\"><DATE>20261105</DATE><VOUCHERTYPENAME>Sales</VOUCHERTYPENAME>\
         <VOUCHERNUMBER>{number}</VOUCHERNUMBER><PARTYGSTIN>27AAPFU0939F1ZV</PARTYGSTIN><STATENAME>Maharashtra</STATENAME>\
         <PLACEOFSUPPLY>Maharashtra</PLACEOFSUPPLY><PARTYLEDGERNAME>Buyer &amp; Sons</PARTYLEDGERNAME><CMPGSTIN>29AAKCD4821F1ZM</CMPGSTIN>\
         <ALLINVENTORYENTRIES.LIST><STOCKITEMNAME>Valve</STOCKITEMNAME><GSTHSNNAME>84818030</GSTHSNNAME><RATE>100.00/Nos</RATE>\
         <AMOUNT>1000.00</AMOUNT><BILLEDQTY> 10 Nos</BILLEDQTY><RATEDETAILS.LIST><GSTRATEDUTYHEAD>IGST</GSTRATEDUTYHEAD><GSTRATE> 18</GSTRATE>\
         </RATEDETAILS.LIST></ALLINVENTORYENTRIES.LIST>\
         <LEDGERENTRIES.LIST><LEDGERNAME>Buyer &amp; Sons</LEDGERNAME><AMOUNT>-1180.00</AMOUNT></LEDGERENTRIES.LIST>\
         <LEDGERENTRIES.LIST><LEDGERNAME>IGST</LEDGERNAME><AMOUNT>180.00</AMOUNT></LEDGERENTRIES.LIST></VOUCHER></TALLYMESSAGE>"
    )
}

pub(crate) fn envelope(body: &str) -> String {
    format!("<ENVELOPE><BODY><IMPORTDATA><REQUESTDATA>{body}</REQUESTDATA></IMPORTDATA></BODY></ENVELOPE>")
}

async fn read_bytes(content: &[u8]) -> (tempfile::TempDir, Read) {
    let folder = folder_with("a.xml", content);
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let read = read(&*source, None).await;
    (folder, read)
}

fn rules(read: &Read) -> Vec<&str> {
    read.problems.iter().flat_map(|problem| &problem.findings).map(|finding| &*finding.rule).collect()
}

#[tokio::test]
async fn a_malformed_voucher_is_reported_and_the_rest_of_the_file_is_read() {
    let broken = voucher("2").replace("</DATE>", "</DAY>");
    let deep = voucher("3").replace("<DATE>", &"<A>".repeat(100));
    let cut = voucher("4").split("<RATE>").next().unwrap().to_owned();
    let bodies =
        [voucher("1"), broken.replace("<DATE>", "<VOUCHERNUMBER>2</VOUCHERNUMBER><DATE>"), deep, cut, voucher("5")];
    let master = "<TALLYMESSAGE><VOUCHERTYPE NAME=\"Tax Bill\" RESERVEDNAME=\"Sales\"></VOUCHERTYPE></TALLYMESSAGE>";
    let last = voucher("6").replace("<VOUCHERTYPENAME>Sales<", "<VOUCHERTYPENAME>Tax Bill<");
    let folder = folder_with("a.xml", envelope(&format!("{}\n{master}{last}", bodies.join("\n"))).as_bytes());
    std::fs::write(folder.path().join("b.xml"), envelope(&voucher("9"))).unwrap();
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let read = read(&*source, None).await;
    assert_eq!(rules(&read), ["tally.malformed_xml", "tally.too_deep", "tally.malformed_xml"]);
    let numbers: Vec<String> = read.records.iter().map(|record| outcome(&source.map(record))).collect();
    let documents: Vec<&str> = numbers.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    // The master after the faults tells what the last voucher is.
    assert_eq!(documents, ["1", "5", "6", "9"], "{numbers:?}");
    let first = read.problems.first().unwrap();
    assert_eq!(first.label, "voucher 2");
    assert!(first.reference.position.starts_with("line 2, byte "), "{first:?}");
    let message = &first.findings.first().unwrap().message;
    assert!(
        message.contains("inside voucher 2, which begins in line 2; reading went on at line 3, byte "),
        "{message}"
    );
    // The broken file is read again next time, the good one is not.
    let again = crate::common::read(&*source, read.cursor.as_ref()).await;
    assert_eq!((again.records.len(), again.problems.len()), (3, 3));
}

#[tokio::test]
async fn masters_after_a_fault_in_a_file_of_masters_are_known_and_the_fault_is_reported() {
    let folder = folder_with(
        "a.xml",
        envelope(&voucher("1").replace("<VOUCHERTYPENAME>Sales<", "<VOUCHERTYPENAME>Tax Bill<")).as_bytes(),
    );
    let masters = "<TALLYMESSAGE><LEDGER NAME=\"A\"><X></Y></LEDGER></TALLYMESSAGE>\n\
                   <TALLYMESSAGE><VOUCHERTYPE NAME=\"Tax Bill\" RESERVEDNAME=\"Sales\"></VOUCHERTYPE></TALLYMESSAGE>";
    std::fs::write(folder.path().join("masters.xml"), envelope(masters)).unwrap();
    let source = source(folder.path(), json!({ "path": "a.xml", "masters": ["masters.xml"] }));
    let read = read(&*source, None).await;
    assert_eq!(rules(&read), ["tally.masters_unreadable"]);
    let mapped = outcome(&source.map(read.records.first().unwrap()));
    assert!(mapped.starts_with("document INV 1 of 05/11/2026"), "{mapped}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_and_an_empty_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["inbox/*.xml", "inbox/2026/day.xml"] {
        let source = source(folder.path(), json!({ "path": path }));
        let Err(error) = source.fetch(None).await.map(|_| ()) else { panic!("{path}") };
        let text = error.to_string();
        assert!(text.contains("does not exist") && text.contains("inbox"), "{text}");
    }
    std::fs::create_dir(folder.path().join("inbox")).unwrap();
    let source = source(folder.path(), json!({ "path": "inbox/*.xml" }));
    assert!(read(&*source, None).await.records.is_empty());
}

#[tokio::test]
async fn a_fault_says_only_what_is_so() {
    let text = |read: &Read| {
        let finding = read.problems.first().unwrap().findings.first().unwrap();
        format!("{} {}", finding.message, finding.fix.as_deref().unwrap_or_default())
    };
    let start = "<ENVELOPE><BODY><IMPORTDATA><REQUESTDATA>";
    let after = text(&read_bytes(format!("{start}{}<TALLYMESSAGE>", voucher("1")).as_bytes()).await.1);
    assert!(after.ends_with("Vouchers before this place were read."), "{after}");
    let alone = text(&read_bytes(format!("{start}<TALLYMESSAGE>").as_bytes()).await.1);
    assert!(!alone.contains("Vouchers before"), "{alone}");
    assert!(text(&read_bytes(b"").await.1).starts_with("the file is empty"));
    assert!(text(&read_bytes(b"word").await.1).starts_with("the file holds neither XML nor JSON"));
}

fn findings(source: &TallySource, read: &Read) -> Vec<einvoice_core::finding::Finding> {
    let Mapped::Document(document) = source.map(read.records.first().unwrap()) else { panic!() };
    document.findings
}

#[tokio::test]
async fn inferred_values_are_told_together_and_stated_ones_are_not() {
    let text = voucher("1")
        .replace(
            "<PLACEOFSUPPLY>Maharashtra</PLACEOFSUPPLY>",
            "<ADDRESS.LIST><ADDRESS>Pune 411001</ADDRESS></ADDRESS.LIST>",
        )
        .replace("Nos", "Pair");
    let (folder, read) = read_bytes(envelope(&text).as_bytes()).await;
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let found = findings(&source, &read);
    let told: Vec<_> = found.iter().filter(|finding| finding.rule == "tally.inferred").collect();
    let [told] = told.as_slice() else { panic!("{found:?}") };
    for part in [
        "ledger \"IGST\" is IGST (the ledger's name)",
        "unit PRS for \"Pair\" (a common name of the unit)",
        "place of supply 27 (the buyer's state, from V/STATENAME)",
        "PIN 411001 of the buyer (a six-digit number in the address)",
    ] {
        assert!(told.message.contains(part), "{part} in {}", told.message);
    }
    let stated = crate::common::source(
        folder.path(),
        json!({ "path": "*.xml", "ledgers": { "IGST": "igst" }, "units": { "Pair": "PRS" } }),
    );
    let message =
        findings(&stated, &read).iter().find(|finding| finding.rule == "tally.inferred").unwrap().message.clone();
    assert!(!message.contains("ledger") && !message.contains("unit"), "{message}");
}

#[tokio::test]
async fn one_fault_of_the_amounts_is_told_once_with_two_decimals() {
    for (from, to, wanted) in [
        ("-1180.00", "-1180.50", "tally.voucher_unbalanced"),
        ("<AMOUNT>180.00", "<AMOUNT>250.00", "tally.voucher_unbalanced"),
        ("", "", ""),
    ] {
        let (folder, read) = read_bytes(
            envelope(&if from.is_empty() { voucher("1") } else { voucher("1").replace(from, to) }).as_bytes(),
        )
        .await;
        let source = source(folder.path(), json!({ "path": "*.xml" }));
        let found = findings(&source, &read);
        let rules: Vec<&str> = found
            .iter()
            .filter(|finding| finding.path.starts_with("ValDtls") || finding.path == "ItemList")
            .map(|finding| &*finding.rule)
            .collect();
        assert_eq!(rules, if wanted.is_empty() { vec![] } else { vec![wanted] });
        let left = found.iter().find(|finding| &*finding.rule == wanted).and_then(|finding| finding.found.clone());
        assert!(left.is_none_or(|left| left.ends_with("0.50") || left.ends_with("70.00")), "{found:?}");
    }
}

#[tokio::test]
async fn a_truncated_file_an_empty_one_and_a_foreign_one_say_what_is_wrong() {
    let whole = envelope(&voucher("1"));
    let (_folder, read) = read_bytes(whole.get(..whole.len() - 30).unwrap().as_bytes()).await;
    assert_eq!((read.records.len(), rules(&read)), (1, vec!["tally.truncated"]));
    assert_eq!(rules(&read_bytes(b"").await.1), ["tally.not_xml"]);
    assert_eq!(rules(&read_bytes(b"PK\x03\x04 not xml").await.1), ["tally.not_xml"]);
    assert_eq!(rules(&read_bytes(b"<html><body/></html>").await.1), ["tally.not_an_export"]);
}

#[tokio::test]
async fn entity_bombs_and_deep_nesting_are_refused() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><ENVELOPE>&b;</ENVELOPE>";
    assert_eq!(rules(&read_bytes(bomb.as_bytes()).await.1), ["tally.document_type"]);
    let deep = envelope(&format!("<TALLYMESSAGE><VOUCHER>{}", "<A>".repeat(100)));
    assert_eq!(rules(&read_bytes(deep.as_bytes()).await.1), ["tally.too_deep"]);
}

#[tokio::test]
async fn every_encoding_gives_the_same_document() {
    let text = envelope(&voucher("1").replace("Buyer &amp; Sons", "Café & Söhne &#4; Ltd"));
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let bare16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let page: Vec<u8> = text.chars().map(|found| u8::try_from(u32::from(found)).unwrap()).collect();
    let with_mark = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let declared = [b"<?xml version=\"1.0\" encoding=\"UTF-16\"?>", text.as_bytes()].concat();
    let mut seen = Vec::new();
    for bytes in [utf16, bare16, page, with_mark, declared, text.into_bytes()] {
        let (folder, read) = read_bytes(&bytes).await;
        let source = source(folder.path(), json!({ "path": "*.xml" }));
        assert_eq!(rules(&read), Vec::<&str>::new());
        let Mapped::Document(document) = source.map(read.records.first().unwrap()) else { panic!() };
        assert_eq!(&**document.invoice.buyer_dtls.lgl_nm.as_ref().unwrap(), "Café & Söhne  Ltd");
        seen.push(document.invoice.to_json());
    }
    assert!(seen.windows(2).all(|pair| pair.first() == pair.last()));
}

#[tokio::test]
async fn missing_masters_are_named_and_inferences_are_told() {
    let (folder, read) = read_bytes(envelope(&voucher("1")).as_bytes()).await;
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let Mapped::Document(document) = source.map(read.records.first().unwrap()) else { panic!() };
    let errors: Vec<_> =
        document.findings.iter().filter(|finding| finding.is_error()).map(|finding| &*finding.rule).collect();
    assert_eq!(errors, ["tally.seller_incomplete"; 3]);
    // Each at the path of its own field, where the rulebook looks too.
    let paths: Vec<_> = document
        .findings
        .iter()
        .filter(|finding| finding.rule == "tally.seller_incomplete")
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(paths, ["SellerDtls.LglNm", "SellerDtls.Addr1", "SellerDtls.Pin"]);
    let provenance = document.provenance;
    assert_eq!(provenance.get("ledger IGST").unwrap(), "the ledger's name");
    assert_eq!(provenance.get("ItemList[0].Unit").unwrap(), "the unit's name");
}

#[tokio::test]
async fn masters_may_stand_in_another_file() {
    let folder = folder_with(
        "a.xml",
        envelope(
            &voucher("1")
                .replace("<VOUCHERTYPENAME>Sales<", "<VOUCHERTYPENAME>Tax Bill<")
                .replace("<DATE>", "<ISINVOICE>Yes</ISINVOICE><DATE>"),
        )
        .as_bytes(),
    );
    let without = source(folder.path(), json!({ "path": "a.xml" }));
    let records = read(&*without, None).await.records;
    assert_eq!(outcome(&without.map(records.first().unwrap())), "unmappable Tax Bill 1: tally.voucher_type_unknown");
    let masters = "<TALLYMESSAGE><VOUCHERTYPE NAME=\"Tax  bill\" RESERVEDNAME=\"Sales\"><PARENT>Tax Bill</PARENT></VOUCHERTYPE></TALLYMESSAGE>";
    std::fs::write(folder.path().join("masters.xml"), envelope(masters)).unwrap();
    let with = source(folder.path(), json!({ "path": "a.xml", "masters": ["masters.xml"] }));
    let records = read(&*with, None).await.records;
    assert!(outcome(&with.map(records.first().unwrap())).starts_with("document INV 1 of 05/11/2026"));
}

#[tokio::test]
async fn one_number_used_twice_gives_two_records_with_identities_of_their_own() {
    let (_folder, read) = read_bytes(envelope(&format!("{}{}", voucher("1"), voucher("1"))).as_bytes()).await;
    let ids: Vec<_> = read.records.iter().map(|record| record.reference.record_id.as_str()).collect();
    assert_eq!(ids, ["sales/1/20261105", "sales/1/20261105#2"]);
}

#[tokio::test]
async fn another_voucher_under_a_guid_of_its_file_is_no_correction_of_the_first() {
    let with = |number: &str, guid: &str| voucher(number).replace("<DATE>", &format!("<GUID>{guid}</GUID><DATE>"));
    let body = [with("1", "g-1"), with("2", "g-2"), with("1", "g-1"), with("1", "g-1").replace("1000.00", "2000.00")];
    let (_folder, read) = read_bytes(envelope(&body.concat()).as_bytes()).await;
    let ids: Vec<_> = read.records.iter().map(|record| record.reference.record_id.as_str()).collect();
    // The same voucher once more is the same record; another one is told apart, so that the ledger
    // sees two documents with one number.
    assert_eq!(ids, ["g-1", "g-2", "g-1", "g-1#2"]);
}

/// Whatever is wrong, its text says in which file, at which place, and where it is known in which voucher.
#[tokio::test]
async fn every_fault_names_its_file_its_position_and_its_voucher() {
    let broken = voucher("7").replace("<RATE>", "<RAT>");
    let deep = voucher("7").replace("<RATE>", &"<A>".repeat(70));
    let cut = envelope(&voucher("7"));
    let cut = cut.split("<RATE>").next().unwrap();
    let huge = voucher("7").replace("Valve", &"Valve ".repeat(400));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    let declared = envelope(&voucher("7").replace("<RATE>", &format!("{bomb}<RATE>")));
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let good = |text: String| envelope(&format!("{}\n{text}\n{}", voucher("1"), voucher("9")));
    let error = "<RESPONSE><LINEERROR>x</LINEERROR></RESPONSE>";
    // The rule, the file, the vouchers that are read beside, the line of the fault, who is named.
    let cases: [(&str, Vec<u8>, usize, usize, &str); 7] = [
        ("tally.malformed_xml", good(broken.clone()).into_bytes(), 2, 2, "Sales 7"),
        ("tally.malformed_xml", utf16(&good(broken)), 2, 2, "Sales 7"),
        ("tally.too_deep", good(deep).into_bytes(), 2, 2, "Sales 7"),
        ("tally.voucher_too_large", good(huge).into_bytes(), 2, 2, "voucher 2"),
        ("tally.truncated", cut.as_bytes().to_vec(), 0, 1, "Sales 7"),
        ("tally.document_type", declared.into_bytes(), 0, 1, "Sales 7"),
        ("tally.error_answer", error.as_bytes().to_vec(), 0, 1, "Tally answered"),
    ];
    for (rule, content, records, line, who) in cases {
        let folder = folder_with("a.xml", &content);
        std::fs::write(folder.path().join("b.xml"), envelope(&voucher("20"))).unwrap();
        let source = source(folder.path(), json!({ "path": "*.xml", "voucher_bytes_max": 2000 }));
        let read = read(&*source, None).await;
        assert_eq!(rules(&read), [rule]);
        let problem = read.problems.first().unwrap();
        let text = problem.findings.first().unwrap().to_string();
        let place =
            text.strip_prefix(&format!("a.xml, line {line}, byte ")).unwrap_or_else(|| panic!("{rule}: {text}"));
        let byte: usize = place.split(':').next().unwrap().parse().unwrap();
        let in_line = content.get(..byte).unwrap().split(|byte| *byte == b'\n').count();
        assert_eq!(in_line, line, "{rule}: {text}");
        assert!(text.contains(who), "{rule}: {text}");
        assert_eq!(problem.reference.location, "a.xml");
        // The good ones around it and the other file.
        assert_eq!(read.records.len(), records + 1, "{rule}");
    }
}

#[tokio::test]
async fn what_misses_a_master_names_its_file_its_position_and_its_voucher() {
    let text = voucher("7").replace("<GSTHSNNAME>84818030</GSTHSNNAME>", "");
    let unknown = voucher("8")
        .replace("<VOUCHERTYPENAME>Sales<", "<VOUCHERTYPENAME>Tax Bill<")
        .replace("<DATE>", "<ISINVOICE>Yes</ISINVOICE><DATE>");
    let (folder, read) = read_bytes(envelope(&format!("{text}\n{unknown}\n{}", voucher("9"))).as_bytes()).await;
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let told: Vec<String> = read
        .records
        .iter()
        .flat_map(|record| match source.map(record) {
            Mapped::Document(document) => document.findings,
            Mapped::Unmappable { findings, .. } => findings,
            Mapped::Skipped(skip) => panic!("{skip:?}"),
        })
        .filter(|finding| ["tally.hsn_missing", "tally.voucher_type_unknown"].contains(&&*finding.rule))
        .map(|finding| format!("{finding}"))
        .collect();
    let [hsn, kind] = told.as_slice() else { panic!("{told:?}") };
    assert!(hsn.starts_with("a.xml, voucher 1, line 1, byte ") && hsn.contains("Sales 7"), "{hsn}");
    assert!(hsn.contains("nothing gives the HSN of \"Valve\""), "{hsn}");
    assert!(kind.starts_with("a.xml, voucher 2, line 2, byte ") && kind.contains("Tax Bill 8"), "{kind}");
}

#[tokio::test]
async fn stray_bytes_of_page_1252_spoil_no_text_in_utf8_around_them() {
    let text = envelope(&voucher("1").replace("Buyer &amp; Sons", "Caf# कृष्णा #"));
    let parts: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b'#').collect();
    let (folder, read) = read_bytes(&parts.join(&0xE9)).await;
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let Mapped::Document(document) = source.map(read.records.first().unwrap()) else { panic!() };
    assert_eq!(&**document.invoice.buyer_dtls.lgl_nm.as_ref().unwrap(), "Café कृष्णा é");
}

#[tokio::test]
async fn a_long_file_is_streamed() {
    let mut text = String::from("<ENVELOPE><BODY><IMPORTDATA><REQUESTDATA>");
    for number in 0..3_000 {
        text.push_str(&voucher(&format!("N-{number}")));
    }
    text.push_str("</REQUESTDATA></IMPORTDATA></BODY></ENVELOPE>");
    let folder = folder_with("a.xml", text.as_bytes());
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let mut stream = source.fetch(None).await.unwrap();
    // One record and then nobody listens: the reader stops instead of reading on.
    assert!(futures_util::StreamExt::next(&mut stream).await.is_some());
    drop(stream);
    assert_eq!(read(&*source, None).await.records.len(), 3_000);
}

fn from_bytes(content: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = folder_with("a.xml", content);
    let source = TallySource::new(folder.path(), config(json!({ "path": "*.xml", "settle_ms": 0 }))).unwrap();
    runtime.block_on(async {
        for record in read(&source, None).await.records {
            let _mapped = source.map(&record);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_source_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        from_bytes(&bytes);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_the_source_panic(at in 0_usize..1_000, cut in 0_usize..40, insert in "[<>&#;0-9A-Z/\" .=-]{0,12}") {
        let text = envelope(&voucher("1"));
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        let damaged = format!("{}{insert}{}", text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
        from_bytes(damaged.as_bytes());
    }

    #[test]
    fn whatever_is_cut_out_of_one_voucher_the_ones_around_it_are_read(at in 0_usize..2_000, cut in 1_usize..300) {
        let damaged = voucher("2");
        let (begin, end) = (damaged.find("<DATE>").unwrap(), damaged.find("</TALLYMESSAGE>").unwrap());
        let at = begin + at % (end - begin);
        let rest = damaged.get((at + cut).min(end)..).unwrap_or_default();
        let damaged = format!("{}{rest}", damaged.get(..at).unwrap_or_default());
        let text = envelope(&format!("{}{damaged}{}", voucher("1"), voucher("3")));
        let folder = folder_with("a.xml", text.as_bytes());
        let source = TallySource::new(folder.path(), config(json!({ "path": "*.xml", "settle_ms": 0 }))).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(read(&source, None));
        for number in ["1", "3"] {
            let id = format!("sales/{number}/20261105");
            prop_assert!(read.records.iter().any(|record| record.reference.record_id == id), "{number} of {text}");
        }
    }
}

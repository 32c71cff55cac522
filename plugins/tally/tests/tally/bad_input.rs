//! Bad input is normal input: whatever stands in a file, the rest of it and the other files are read.

use einvoice_core::source::{InvoiceSource, Mapped};
use einvoice_tally::TallySource;
use proptest::prelude::*;
use serde_json::json;

use crate::common::{Read, config, folder_with, outcome, read, source};

fn voucher(number: &str) -> String {
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

fn envelope(body: &str) -> String {
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
async fn vouchers_before_a_fault_are_read_and_so_are_other_files() {
    let broken = format!("<ENVELOPE>{}{}<VOUCHER><VOUCHERNUMBER>3</VOUCHERNUMBER><A></B>", voucher("1"), voucher("2"));
    let folder = folder_with("a.xml", broken.as_bytes());
    std::fs::write(folder.path().join("b.xml"), envelope(&voucher("9"))).unwrap();
    let source = source(folder.path(), json!({ "path": "*.xml" }));
    let read = read(&*source, None).await;
    assert_eq!(read.records.len(), 3);
    assert_eq!(rules(&read), ["tally.malformed_xml"]);
    let problem = read.problems.first().unwrap();
    assert!(problem.label.contains('3') && problem.reference.position.starts_with("line 1, byte "), "{problem:?}");
    // The broken file is read again next time, the good one is not.
    let again = crate::common::read(&*source, read.cursor.as_ref()).await;
    assert_eq!((again.records.len(), again.problems.len()), (2, 1));
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
    assert_eq!(errors, ["tally.seller_incomplete"]);
    assert_eq!(document.provenance.get("ledger IGST").unwrap(), "the ledger's name");
    assert_eq!(document.provenance.get("ItemList[0].Unit").unwrap(), "the unit's name");
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
    let source = TallySource::new(folder.path(), config(json!({ "path": "*.xml" }))).unwrap();
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
}

//! The file that Tally imports: one alteration for each registered voucher, with nothing in it but
//! the fields that change.

use einvoice_core::receipt::Receipt;
use quick_xml::escape::escape;

use super::alteration::Alteration;

/// The whole file for one company; `None` when none of the receipts belongs in it.
pub(crate) fn file<'r>(company: &str, receipts: impl Iterator<Item = &'r Receipt>) -> Option<String> {
    let vouchers: String = receipts.filter_map(Alteration::of).map(|alteration| alteration.message()).collect();
    if vouchers.is_empty() {
        return None;
    }
    let current = if company.is_empty() {
        String::new()
    } else {
        format!("<SVCURRENTCOMPANY>{}</SVCURRENTCOMPANY>", escape(company))
    };
    Some(format!(
        "<ENVELOPE>\r\n <HEADER><VERSION>1</VERSION><TALLYREQUEST>Import</TALLYREQUEST><TYPE>Data</TYPE><ID>Vouchers</ID></HEADER>\r\n \
         <BODY>\r\n  <DESC><STATICVARIABLES>{current}</STATICVARIABLES></DESC>\r\n  <DATA>\r\n{vouchers}  </DATA>\r\n </BODY>\r\n</ENVELOPE>\r\n"
    ))
}

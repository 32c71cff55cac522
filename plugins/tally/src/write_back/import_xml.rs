//! The file that Tally imports: one alteration for each registered voucher, with nothing in it but
//! the fields that change.
//!
//! A whole voucher selected by Master ID has been reported to create a second voucher, and lists
//! sent in part replace the stored ones; so no ledger or item list is ever written here. The order
//! of fields is that of Tally's own exports, with `CMPGSTSTATE` kept between `IRN` and `IRNQRCODE`:
//! one integrator saw the QR text dropped when the two were neighbours.

use std::fmt::Write as _;

use einvoice_core::date::{DocumentDate, PortalTime};
use einvoice_core::job::Cancellation;
use einvoice_core::receipt::{Receipt, ShownBill};
use einvoice_core::state::{DocumentState, EwbState};
use quick_xml::escape::escape;

use crate::lexical;
use crate::xml::Element;

/// The whole file for one company; `None` when none of the receipts belongs in it.
pub(crate) fn file<'r>(company: &str, receipts: impl Iterator<Item = &'r Receipt>) -> Option<String> {
    let mut vouchers = String::new();
    receipts.filter_map(voucher).for_each(|voucher| vouchers.push_str(&voucher));
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

/// Whether a receipt belongs into the file: registered, or cancelled after registration, and with a
/// Master ID, since a voucher number is not unique in Tally.
pub(crate) fn is_imported(receipt: &Receipt) -> bool {
    let state =
        matches!(receipt.state, DocumentState::Registered | DocumentState::Cancelling | DocumentState::Cancelled);
    state && receipt.registration.is_some() && attribute(receipt, "master_id").is_some()
}

fn attribute<'r>(receipt: &'r Receipt, name: &str) -> Option<&'r str> {
    receipt.attributes.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn voucher(receipt: &Receipt) -> Option<String> {
    if !is_imported(receipt) {
        return None;
    }
    let registration = receipt.registration.as_ref()?;
    let master_id = attribute(receipt, "master_id")?;
    let date = attribute(receipt, "voucher_date").and_then(|text| DocumentDate::parse(text).ok())?;
    let mut out = String::from("   <TALLYMESSAGE xmlns:UDF=\"TallyUDF\">\r\n    <VOUCHER");
    let type_name = attribute(receipt, "voucher_type").unwrap_or("Sales");
    for (name, value) in [
        ("DATE", lexical::attribute_date(date).as_str()),
        ("TAGNAME", "Master ID"),
        ("TAGVALUE", master_id.trim()),
        ("VCHTYPE", type_name),
        ("ACTION", "Alter"),
    ] {
        _ = write!(out, " {name}=\"{}\"", escape(value));
    }
    out.push_str(">\r\n");
    field(&mut out, "IRNACKDATE", &tally_date(registration.ack_date));
    field(&mut out, "IRN", &registration.irn.to_string());
    if let Some(state) = attribute(receipt, "cmp_gst_state") {
        field(&mut out, "CMPGSTSTATE", state);
    }
    if let Some(qr) = &registration.signed_qr {
        field(&mut out, "IRNQRCODE", qr);
    }
    field(&mut out, "IRNACKNO", &registration.ack_no);
    field(&mut out, "IRNCANCELLED", if receipt.state == DocumentState::Cancelled { "Yes" } else { "No" });
    if registration.signed_qr.is_some() {
        field(&mut out, "RESETIRNQRCODE", "No");
    }
    if let Some(cancellation) = receipt.cancellation.as_ref().filter(|_| receipt.state == DocumentState::Cancelled) {
        cancelled(&mut out, cancellation);
    }
    if let Some(bill) = receipt.bill().filter(|bill| bill.state != EwbState::None) {
        eway_bill(&mut out, bill, receipt);
    }
    out.push_str("    </VOUCHER>\r\n   </TALLYMESSAGE>\r\n");
    Some(out)
}

/// Day and reason of the cancellation. The reason is what a person reads, so the remark follows it.
fn cancelled(out: &mut String, cancellation: &Cancellation) {
    if let Some(at) = cancellation.at {
        field(out, "IRNCANCELDATE", &tally_date(at));
    }
    let reason = cancellation.reason.map(|reason| reason.word().replace('_', " "));
    let words: Vec<&str> = [reason.as_deref(), cancellation.remark.as_deref()].into_iter().flatten().collect();
    if !words.is_empty() {
        field(out, "IRNCANCELREASON", &words.join(": "));
    }
}

/// The e-way bill list: as it was read from the voucher, with what the portal added.
fn eway_bill(out: &mut String, bill: ShownBill, receipt: &Receipt) {
    let mut fields: Vec<(&str, String)> = Vec::new();
    if let Some(date) = bill.made_at {
        fields.push(("BILLDATE", tally_date(date)));
    }
    fields.push(("DOCUMENTTYPE", "Tax Invoice".to_owned()));
    fields.push(("SUBTYPE", "Supply".to_owned()));
    fields.push(("BILLNUMBER", bill.number));
    if let Some(until) = bill.valid_till {
        fields.push(("VALIDUPTO", tally_date(until)));
    }
    fields.push(("BILLSTATUS", "Generated by me".to_owned()));
    if bill.state == EwbState::Cancelled {
        fields.push(("ISCANCELLED", "Yes".to_owned()));
        if let Some(at) = bill.cancelled_at {
            fields.push(("CANCELDATE", tally_date(at)));
        }
    }
    out.push_str("     <EWAYBILLDETAILS.LIST>\r\n");
    for (name, value) in &fields {
        out.push(' ');
        field(out, name, value);
    }
    let read = attribute(receipt, "eway_bill_details").map(|list| format!("<L>{list}</L>"));
    if let Some(list) = read.as_deref().and_then(|text| Element::parse(text).ok()) {
        for child in list.children().iter().filter(|child| !fields.iter().any(|(name, _)| *name == child.name())) {
            out.extend(["      ", &child.to_xml(), "\r\n"]);
        }
    }
    out.push_str("     </EWAYBILLDETAILS.LIST>\r\n");
}

fn field(out: &mut String, name: &str, value: &str) {
    _ = write!(out, "     <{name}>{}</{name}>\r\n", escape(value));
}

fn tally_date(time: PortalTime) -> String {
    let date = time.date();
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

//! What a registered voucher should show, as the fields of the smallest alteration.
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

/// The list of an e-way bill.
pub(crate) const BILL_LIST: &str = "EWAYBILLDETAILS.LIST";
/// Fields that are sent along and say nothing by themselves.
const HELPERS: [&str; 2] = ["CMPGSTSTATE", "RESETIRNQRCODE"];

/// One alteration of one voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alteration {
    /// The voucher's day, as its attribute has it.
    date: String,
    master_id: String,
    type_name: String,
    /// Fields in the order in which they are sent.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// The list of the e-way bill.
    pub(crate) bill: Option<BillList>,
    /// Texts of fields that the user's own TDL defines.
    pub(crate) user: Vec<(UserField, String)>,
}

/// A text field of a voucher that the user's own TDL defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserField {
    /// Its name in TDL.
    name: String,
    /// Its tag.
    tag: String,
}

impl UserField {
    /// The field of a name in TDL; `None` where it is no such name.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        let plain = |found: char| found.is_ascii_alphanumeric() || matches!(found, ' ' | '_');
        let begins = name.starts_with(|found: char| found.is_ascii_alphabetic() || found == '_');
        let tag = format!("UDF:{}", name.replace(' ', "").to_ascii_uppercase());
        (begins && name.chars().all(plain)).then(|| Self { name: name.to_owned(), tag })
    }

    /// The list that holds its value, as Tally exports it.
    pub(crate) fn list(&self) -> String {
        format!("{}.LIST", self.tag)
    }

    fn write(&self, out: &mut String, value: &str) {
        // The shape of user fields in exports and in what other programs import.
        let (tag, name) = (&self.tag, escape(self.name.as_str()));
        _ = write!(
            out,
            "     <{tag}.LIST DESC=\"`{name}`\" ISLIST=\"YES\" TYPE=\"String\"><{tag} DESC=\"`{name}`\">{}</{tag}></{tag}.LIST>\r\n",
            escape(value)
        );
    }
}

/// The e-way bill as a voucher lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BillList {
    /// What the portal says.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// What the list held besides, as it was read: a list sent in part replaces the whole.
    kept: Vec<String>,
    /// The lists of other bills of the voucher, as they were read, for the same reason.
    others: Vec<String>,
}

/// Whether a receipt is one of a voucher to alter: registered, or cancelled after registration, and
/// with a Master ID, since a voucher number is not unique in Tally.
pub(crate) fn is_imported(receipt: &Receipt) -> bool {
    let state =
        matches!(receipt.state, DocumentState::Registered | DocumentState::Cancelling | DocumentState::Cancelled);
    state && receipt.registration.is_some() && attribute(receipt, "master_id").is_some()
}

/// An attribute that the source asked to be handed back.
pub(crate) fn attribute<'r>(receipt: &'r Receipt, name: &str) -> Option<&'r str> {
    receipt.attributes.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

impl Alteration {
    /// What a receipt asks for; `None` when it is not one to import.
    pub(crate) fn of(receipt: &Receipt) -> Option<Self> {
        let read = attribute(receipt, "eway_bill_details").map(|lists| format!("<L>{lists}</L>"));
        let read = read.as_deref().and_then(|text| Element::parse(text).ok());
        let mut lists: Vec<&Element<'_>> = read.iter().flat_map(|read| read.all(BILL_LIST)).collect();
        if lists.is_empty() {
            // What an earlier release kept: the inside of a single list.
            lists.extend(&read);
        }
        Self::with(receipt, attribute(receipt, "cmp_gst_state"), &lists)
    }

    /// The same, with the company's state and the lists of e-way bills as the voucher has them.
    pub(crate) fn with(receipt: &Receipt, company_state: Option<&str>, lists: &[&Element<'_>]) -> Option<Self> {
        if !is_imported(receipt) {
            return None;
        }
        let registration = receipt.registration.as_ref()?;
        let date = attribute(receipt, "voucher_date").and_then(|text| DocumentDate::parse(text).ok())?;
        let cancelled = receipt.state == DocumentState::Cancelled;
        let mut fields = vec![("IRNACKDATE", tally_date(registration.ack_date)), ("IRN", registration.irn.to_string())];
        if let Some(state) = company_state {
            fields.push(("CMPGSTSTATE", state.to_owned()));
        }
        if let Some(qr) = &registration.signed_qr {
            fields.push(("IRNQRCODE", qr.clone()));
        }
        fields.push(("IRNACKNO", registration.ack_no.clone()));
        fields.push(("IRNCANCELLED", if cancelled { "Yes" } else { "No" }.to_owned()));
        if registration.signed_qr.is_some() {
            fields.push(("RESETIRNQRCODE", "No".to_owned()));
        }
        if let Some(cancellation) = receipt.cancellation.as_ref().filter(|_| cancelled) {
            cancellation_fields(&mut fields, cancellation);
        }
        let bill = receipt.bill().filter(|bill| bill.state != EwbState::None);
        Some(Self {
            date: lexical::attribute_date(date),
            master_id: attribute(receipt, "master_id")?.trim().to_owned(),
            type_name: attribute(receipt, "voucher_type").unwrap_or("Sales").to_owned(),
            fields,
            bill: bill.map(|bill| BillList::of(bill, lists)),
            user: Vec::new(),
        })
    }

    /// An alteration of the same voucher with other fields.
    pub(crate) fn having(&self, fields: Vec<(&'static str, String)>, bill: Option<BillList>) -> Self {
        Self { fields, bill, user: Vec::new(), ..self.clone() }
    }

    /// An alteration of the same voucher with texts of user fields, and nothing else.
    pub(crate) fn having_user(&self, user: Vec<(UserField, String)>) -> Self {
        Self { user, ..self.having(Vec::new(), None) }
    }

    /// What a field of the voucher, or of the list of its e-way bill, should show.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let bill = self.bill.iter().flat_map(|bill| &bill.fields);
        self.fields.iter().chain(bill).find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    /// The fields that say something, to be compared with what the voucher shows.
    pub(crate) fn telling(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.fields.iter().filter(|(name, _)| !HELPERS.contains(name))
    }

    /// The message that alters the voucher, with a line for each field.
    pub(crate) fn message(&self) -> String {
        let mut out = String::from("   <TALLYMESSAGE xmlns:UDF=\"TallyUDF\">\r\n    <VOUCHER");
        for (name, value) in [
            ("DATE", self.date.as_str()),
            ("TAGNAME", "Master ID"),
            ("TAGVALUE", &self.master_id),
            ("VCHTYPE", &self.type_name),
            ("ACTION", "Alter"),
        ] {
            _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        out.push_str(">\r\n");
        for (name, value) in &self.fields {
            field(&mut out, name, value);
        }
        if let Some(bill) = &self.bill {
            bill.write(&mut out);
        }
        for (field, value) in &self.user {
            field.write(&mut out, value);
        }
        out.push_str("    </VOUCHER>\r\n   </TALLYMESSAGE>\r\n");
        out
    }
}

impl BillList {
    /// The list: as it was read from the voucher, with what the portal added.
    fn of(bill: ShownBill, lists: &[&Element<'_>]) -> Self {
        let list = list_of(&bill.number, lists);
        let others = lists.iter().filter(|other| !list.is_some_and(|list| std::ptr::eq(list, **other)));
        let others = others.filter(|other| !other.children().is_empty()).map(|other| other.to_xml()).collect();
        // What kind of document and supply it is, and how the bill came about, was said in Tally.
        let unsaid = |name: &str| list.and_then(|list| list.get(name)).is_none();
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        if let Some(date) = bill.made_at {
            fields.push(("BILLDATE", tally_date(date)));
        }
        for (name, usual) in [("DOCUMENTTYPE", "Tax Invoice"), ("SUBTYPE", "Supply")] {
            if unsaid(name) {
                fields.push((name, usual.to_owned()));
            }
        }
        fields.push(("BILLNUMBER", bill.number));
        if let Some(until) = bill.valid_till {
            fields.push(("VALIDUPTO", tally_date(until)));
        }
        if unsaid("BILLSTATUS") {
            fields.push(("BILLSTATUS", "Generated by me".to_owned()));
        }
        if bill.state == EwbState::Cancelled {
            fields.push(("ISCANCELLED", "Yes".to_owned()));
            if let Some(at) = bill.cancelled_at {
                fields.push(("CANCELDATE", tally_date(at)));
            }
        }
        let children = list.map(Element::children).unwrap_or_default().iter();
        let kept = children.filter(|child| !fields.iter().any(|(name, _)| *name == child.name()));
        let kept = kept.map(Element::to_xml).collect();
        Self { fields, kept, others }
    }

    fn write(&self, out: &mut String) {
        _ = write!(out, "     <{BILL_LIST}>\r\n");
        for (name, value) in &self.fields {
            out.push(' ');
            field(out, name, value);
        }
        for kept in &self.kept {
            out.extend(["      ", kept, "\r\n"]);
        }
        _ = write!(out, "     </{BILL_LIST}>\r\n");
        for other in &self.others {
            out.extend(["     ", other, "\r\n"]);
        }
    }
}

/// The list of the bill of this number among those of a voucher; else one that waits for a number.
pub(crate) fn list_of<'l, 't>(number: &str, lists: &[&'l Element<'t>]) -> Option<&'l Element<'t>> {
    let find = |wanted: Option<&str>| lists.iter().find(|list| list.get("BILLNUMBER") == wanted).copied();
    find(Some(number)).or_else(|| find(None))
}

/// Day and reason of the cancellation. The reason is what a person reads, so the remark follows it.
fn cancellation_fields(fields: &mut Vec<(&'static str, String)>, cancellation: &Cancellation) {
    if let Some(at) = cancellation.at {
        fields.push(("IRNCANCELDATE", tally_date(at)));
    }
    let reason = cancellation.reason.map(|reason| reason.word().replace('_', " "));
    let words: Vec<&str> = [reason.as_deref(), cancellation.remark.as_deref()].into_iter().flatten().collect();
    if !words.is_empty() {
        fields.push(("IRNCANCELREASON", words.join(": ")));
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    _ = write!(out, "     <{name}>{}</{name}>\r\n", escape(value));
}

/// A moment as Tally writes its day.
pub(crate) fn tally_date(time: PortalTime) -> String {
    let date = time.date();
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

//! Opened replies as core's types. Numbers stay text: an acknowledgement number has fifteen digits.

use einvoice_core::ewb::EwbNumber;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::operation::{
    EwayBill, InfoDetail, IrnCancelled, MadeEwb, Operation, Registration, RegistrationStatus, Reply, Taxpayer,
};

use crate::members::{Members, MembersError, elements, text_of};

/// Why an opened reply is not what the operation should bring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// No JSON object.
    #[error("the content is damaged: {0}")]
    Damaged(#[from] MembersError),
    /// A member without which the reply says nothing is missing or has another form.
    #[error("its member {member} is missing or is not {expected}")]
    Member {
        /// Name of the member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// It is about something else than was asked.
    #[error("its member {member} names another one than was asked about")]
    Another {
        /// Name of the member.
        member: &'static str,
    },
}

/// Reads the opened answer to an operation of the IRP.
pub(crate) fn typed(operation: &Operation, json: &str, info: Vec<InfoDetail>) -> Result<Reply, ReplyError> {
    let json = plain(json);
    match operation {
        Operation::CancelIrn { irn, .. } => Ok(Reply::IrnCancelled(irn_cancelled(json, irn)?)),
        Operation::RejectedIrns { .. } => Ok(Reply::RejectedIrns(rejected_irns(json)?)),
        Operation::GenerateEwbByIrn { .. } | Operation::GetEwbByIrn { .. } => {
            Ok(Reply::EwayBill(Box::new(made_ewb(json, info)?)))
        }
        Operation::GstinDetails { gstin } | Operation::SyncGstin { gstin } => {
            let found = taxpayer(json)?;
            same("Gstin", gstin.as_str(), &found.gstin)?;
            Ok(Reply::Taxpayer(Box::new(found)))
        }
        Operation::GetIrn { irn, .. } => {
            let found = registration(json, info)?;
            if found.irn != *irn {
                return Err(ReplyError::Another { member: "Irn" });
            }
            Ok(Reply::Registration(Box::new(found)))
        }
        _ => Ok(Reply::Registration(Box::new(registration(json, info)?))),
    }
}

/// The text of a reply without a byte order mark and blanks around it.
pub(crate) fn plain(json: &str) -> &str {
    json.trim_start_matches('\u{feff}').trim()
}

/// Whether a reply is about the party that was asked about.
pub(crate) fn same(member: &'static str, asked: &str, found: &str) -> Result<(), ReplyError> {
    if asked.trim().eq_ignore_ascii_case(found.trim()) { Ok(()) } else { Err(ReplyError::Another { member }) }
}

/// Reads the answer to Generate IRN and to both ways of reading a registration.
///
/// # Errors
/// When it is no object, or lacks IRN, acknowledgement number or acknowledgement time.
pub fn registration(json: &str, info: Vec<InfoDetail>) -> Result<Registration, ReplyError> {
    let members = Members::read(json, &["Irn", "AckNo", "Status", "SignedInvoice", "SignedQRCode"])?;
    let missing = |member, expected| ReplyError::Member { member, expected };
    let irn = members
        .text("Irn")
        .and_then(|irn| Irn::parse(irn.trim()).ok())
        .ok_or(missing("Irn", "a text of 64 hexadecimal digits"))?;
    let ack_no = members
        .digits("AckNo")
        .filter(|number| (1..=20).contains(&number.len()))
        .ok_or(missing("AckNo", "a whole number"))?;
    let ack_date = members.moment("AckDt").ok_or(missing("AckDt", "a time like 2026-11-05 14:26:00"))?;
    Ok(Registration {
        ack_no,
        ack_date,
        irn,
        status: status(members.text("Status")),
        signed_invoice: members.text("SignedInvoice"),
        signed_qr: members.text("SignedQRCode"),
        ewb: eway_bill(&members),
        remarks: members.text("Remarks"),
        info,
        site: None,
    })
}

/// A reply without `Status` is what some providers pass on of a success; the portal itself always
/// writes it.
fn status(word: Option<String>) -> RegistrationStatus {
    let Some(word) = word else { return RegistrationStatus::Active };
    match word.trim().to_ascii_uppercase().as_str() {
        "ACT" => RegistrationStatus::Active,
        "CNL" => RegistrationStatus::Cancelled,
        _ => RegistrationStatus::Other(word),
    }
}

fn eway_bill(members: &Members<'_>) -> Option<EwayBill> {
    // Null when none was made; 0 is what some servers write for a null number.
    let number = members.digits("EwbNo").filter(|number| number.bytes().any(|digit| digit != b'0'))?;
    Some(EwayBill { number, date: members.moment("EwbDt"), valid_till: members.moment("EwbValidTill") })
}

/// Reads the answer to Cancel IRN. The time is not essential: that the portal said yes is.
///
/// # Errors
/// When it is no object, or names another IRN than the one asked about.
pub fn irn_cancelled(json: &str, asked: &Irn) -> Result<IrnCancelled, ReplyError> {
    let members = Members::read(json, &["Irn", "CancelDate"])?;
    match members.text("Irn").map(|irn| Irn::parse(irn.trim())) {
        Some(Ok(irn)) if irn != *asked => Err(ReplyError::Another { member: "Irn" }),
        Some(Err(_)) => Err(ReplyError::Member { member: "Irn", expected: "a text of 64 hexadecimal digits" }),
        // Neither member says anything: the reply is one to something else.
        None if members.text("CancelDate").is_none() => {
            Err(ReplyError::Member { member: "Irn", expected: "a text of 64 hexadecimal digits" })
        }
        _ => Ok(IrnCancelled { irn: *asked, cancelled_at: members.moment("CancelDate") }),
    }
}

/// Reads the answer to the question for rejected IRNs: an array of IRNs (NIC, page on rejected IRNs). Elements
/// that are objects with a member `Irn` are taken as well.
///
/// # Errors
/// When it is no array, or an element is no IRN: one that goes unnoticed would stand in the books as registered.
pub fn rejected_irns(json: &str) -> Result<Vec<Irn>, ReplyError> {
    let wrong = ReplyError::Member { member: "(the list)", expected: "an array of IRNs" };
    let irn_of = |text: String| Irn::parse(text.trim()).ok();
    elements(json.trim())
        .ok_or(wrong.clone())?
        .into_iter()
        .map(|element| {
            let text = text_of(element).or_else(|| Members::read(element.get(), &[]).ok()?.text("Irn"));
            text.and_then(irn_of).ok_or(wrong.clone())
        })
        .collect()
}

/// Reads the answer to both questions about the e-way bill of an IRN (NIC, pages "Generate e-way bill by IRN" and
/// "Get e-way bill details by IRN", 1.03; `Alert` is a provider's).
///
/// # Errors
/// When it is no object or names no e-way bill.
pub fn made_ewb(json: &str, info: Vec<InfoDetail>) -> Result<MadeEwb, ReplyError> {
    let members = Members::read(json, &["EwbNo", "Status", "EwbValidTill"])?;
    let number = members
        .text("EwbNo")
        .and_then(|number| EwbNumber::parse(&number).ok())
        .ok_or(ReplyError::Member { member: "EwbNo", expected: "a number of 12 digits" })?;
    Ok(MadeEwb {
        number,
        made_at: members.moment("EwbDt"),
        valid_till: members.moment("EwbValidTill"),
        status: members.text("Status"),
        generated_by: members.text("GenGstin").and_then(|gstin| Gstin::parse(gstin.trim()).ok()),
        alert: joined([members.text("Alert"), members.text("Remarks")]),
        info,
    })
}

/// Texts said beside a result, each once.
pub(crate) fn joined(texts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for text in texts.into_iter().flatten() {
        if !said.contains(&text) {
            said.push(text);
        }
    }
    if said.is_empty() { None } else { Some(said.join("; ")) }
}

/// Reads the answer to GSTIN details.
///
/// # Errors
/// When it is no object or names no GSTIN.
pub fn taxpayer(json: &str) -> Result<Taxpayer, ReplyError> {
    let members = Members::read(json, &["Gstin", "Status", "BlkStatus"])?;
    let gstin = members.text("Gstin").ok_or(ReplyError::Member { member: "Gstin", expected: "a GSTIN" })?;
    let address = ["AddrBnm", "AddrBno", "AddrFlno", "AddrSt", "AddrLoc"];
    Ok(Taxpayer {
        gstin: gstin.trim().to_owned(),
        legal_name: members.text("LegalName"),
        trade_name: members.text("TradeName"),
        address: address.iter().filter_map(|part| members.text(part)).collect(),
        state_code: members.text("StateCode"),
        pin: members.text("AddrPncd").filter(|pin| pin != "0"),
        taxpayer_type: members.text("TxpType"),
        status: members.text("Status"),
        block_status: members.text("BlkStatus"),
        registered_on: members.text("DtReg"),
        deregistered_on: members.text("DtDReg"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    const IRN: &str = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";

    fn minimal(extra: &str) -> String {
        format!(r#"{{"AckNo":232210036743849,"AckDt":"2022-09-16 19:29:00","Irn":"{IRN}"{extra}}}"#)
    }

    #[test]
    fn replies_recorded_by_others_are_read_with_every_digit() {
        for (name, ewb) in [
            ("gsp-generate-irn-with-ewb.json", Some("391009149369")),
            ("gsp-generate-irn-service.json", None),
            ("gsp-generate-irn-credit-note.json", None),
            ("gsp-generate-irn-debit-note.json", None),
            ("gsp-get-irn.json", None),
        ] {
            let Some(text) = sample(name) else { return };
            let file: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap();
            let response = Members::read(file["response_data"].get(), &[]).unwrap();
            let info = response.get("info").map(crate::info::details).unwrap_or_default();
            let found = registration(response.get("result").unwrap().get(), info).unwrap();
            assert_eq!(found.ack_no.len(), 15, "{name}");
            assert_eq!(found.status, RegistrationStatus::Active, "{name}");
            assert_eq!(found.ewb.as_ref().map(|ewb| ewb.number.as_str()), ewb, "{name}");
            assert!(found.signed_invoice.is_some() && found.signed_qr.is_some(), "{name}");
            for detail in &found.info {
                assert!(detail.code == "EWBPPD" || !detail.errors.is_empty(), "{name}: {detail:?}");
            }
        }
    }

    #[test]
    fn the_duplicate_reply_recorded_by_others_points_at_the_earlier_registration() {
        let Some(text) = sample("gsp-duplicate-irn.json") else { return };
        let file: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap();
        let response = Members::read(file["response_data"].get(), &[]).unwrap();
        let details = crate::info::details(response.get("result").unwrap());
        assert_eq!(details[0].duplicate.as_ref().unwrap().irn.to_string(), IRN);
    }

    #[test]
    fn signed_parts_an_eway_bill_and_remarks_may_be_absent() {
        let found = registration(&minimal(r#","SignedInvoice":null,"EwbNo":0,"Status":"CNL""#), Vec::new()).unwrap();
        assert_eq!((found.signed_invoice, found.ewb, found.remarks), (None, None, None));
        assert_eq!(found.status, RegistrationStatus::Cancelled);
    }

    #[test]
    fn an_eway_bill_number_is_read_from_a_number_and_from_text() {
        for written in ["391009149369", "\"391009149369\""] {
            let json = minimal(&format!(r#","EwbNo":{written},"EwbDt":"2022-09-16 19:29:00","EwbValidTill":null"#));
            let ewb = registration(&json, Vec::new()).unwrap().ewb.unwrap();
            assert_eq!((ewb.number.as_str(), ewb.valid_till), ("391009149369", None));
        }
    }

    #[test]
    fn a_reply_without_its_essentials_is_no_registration() {
        for (json, member) in [
            ("{}", "Irn"),
            (r#"{"Irn":"12"}"#, "Irn"),
            (&format!(r#"{{"Irn":"{IRN}"}}"#), "AckNo"),
            (&format!(r#"{{"Irn":"{IRN}","AckNo":1.5e14}}"#), "AckNo"),
            (&format!(r#"{{"Irn":"{IRN}","AckNo":1}}"#), "AckDt"),
        ] {
            let error = registration(json, Vec::new()).unwrap_err();
            assert!(matches!(error, ReplyError::Member { member: found, .. } if found == member), "{json}: {error}");
        }
    }

    #[test]
    fn a_reply_about_another_registration_or_taxpayer_than_was_asked_about_is_not_believed() {
        let gstin = Gstin::parse("29AAAAA0000A1Z5").unwrap();
        let another = |operation: &Operation, json: &str| {
            matches!(typed(operation, json, Vec::new()), Err(ReplyError::Another { .. }))
        };
        let asked = |irn: &str| Operation::GetIrn { irn: Irn::parse(irn).unwrap(), site: None };
        assert!(typed(&asked(IRN), &format!("\u{feff}{}", minimal("")), Vec::new()).is_ok());
        assert!(another(&asked(&"a1".repeat(32)), &minimal("")));
        for operation in [Operation::GstinDetails { gstin }, Operation::SyncGstin { gstin }] {
            assert!(another(&operation, r#"{"Gstin":"27AAPFU0939F1ZV","Status":"ACT"}"#));
            assert!(typed(&operation, r#"{"Gstin":"29AAAAA0000A1Z5","Status":"ACT"}"#, Vec::new()).is_ok());
        }
    }

    #[test]
    fn a_taxpayer_keeps_the_portals_words_and_drops_empty_parts() {
        let json = r#"{"Gstin":"29AAAAA0000A1Z5","TradeName":"Acme","LegalName":"Acme Ltd","AddrBnm":"","AddrBno":"12",
            "AddrFlno":null,"AddrSt":"Main Road","AddrLoc":"Bengaluru","StateCode":29,"AddrPncd":0,"TxpType":"REG",
            "Status":"ACT","BlkStatus":null,"DtReg":"2017-07-01","DtDReg":null}"#;
        let found = taxpayer(json).unwrap();
        assert_eq!(found.address, ["12", "Main Road", "Bengaluru"]);
        assert_eq!((found.state_code.as_deref(), found.pin), (Some("29"), None));
        assert_eq!((found.status.as_deref(), found.block_status), (Some("ACT"), None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".*") {
            let _either = registration(&text, Vec::new());
            let _either = registration(&minimal(&format!(",{text:?}:{text}")), Vec::new());
            let _either = taxpayer(&text);
        }
    }
}

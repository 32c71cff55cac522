//! What an answer is worth: evidence, or a reason to stop.

use einvoice_core::portal_code::ErrorClass;
use einvoice_core::raw::RawAnswer;
use einvoice_core::transport::TransportError;
use serde_json::Value;

use super::case::{Case, Expected};
use super::request::Request;
use super::state::{Evidence, Kept};
use crate::arguments::Api;

/// Characters of what a yes brought that go into the evidence.
const ANSWER_CHARACTERS_MAX: usize = 300;

/// What an answer means.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is the case's evidence.
    Evidence(Box<Evidence>),
    /// None came that could be read, or nothing was sent; the case is still to be made.
    NoAnswer(String),
    /// The portal asks to be left alone for a while.
    Pause(String),
    /// The token is no longer the portal's; the case says nothing about that.
    TokenGone,
}

/// Judges an answer. `before` says that the case was sent once before and its answer was lost.
pub(super) fn judge(
    case: &Case,
    request: Request,
    at: String,
    before: bool,
    answer: Result<RawAnswer, TransportError>,
) -> Judged {
    let evidence = Evidence {
        case: case.id.clone(),
        at,
        request: request.shown,
        accepted: false,
        codes: Vec::new(),
        message: String::new(),
        irn: None,
        as_expected: false,
        note: None,
        kept: None,
    };
    match answer {
        Ok(answer) => Judged::Evidence(Box::new(accepted(case, evidence, request.document, &answer))),
        Err(TransportError::Refused { errors, info, .. }) => {
            let codes: Vec<String> = errors.iter().map(|error| error.code.clone()).collect();
            let hit = matches!(case.expected, Expected::Refusal(expected)
                if codes.iter().any(|code| expected.contains(&code.as_str())));
            let class = einvoice_core::portal_code::deciding_class(&errors);
            let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            if !hit && class == ErrorClass::RateLimit {
                return Judged::Pause(text);
            }
            if !hit && class == ErrorClass::TokenExpired {
                return Judged::TokenGone;
            }
            let message = errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
            let evidence = Evidence { codes, message, as_expected: hit, ..evidence };
            if before && case.should_succeed() {
                let earlier =
                    info.iter().find_map(|detail| detail.duplicate.as_ref()).map(|found| found.irn.to_string());
                return Judged::Evidence(Box::new(done_before(case, evidence, request.document, earlier)));
            }
            Judged::Evidence(Box::new(evidence))
        }
        Err(error) => Judged::NoAnswer(error.to_string()),
    }
}

fn accepted(case: &Case, evidence: Evidence, document: Option<Kept>, answer: &RawAnswer) -> Evidence {
    let data: Value = serde_json::from_str(answer.data.expose()).unwrap_or_default();
    let text = |name: &str| match data.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let told = |names: &[(&str, &str)]| {
        let told = names.iter().filter_map(|(name, shown)| Some(format!("{shown} {}", text(name)?)));
        told.collect::<Vec<_>>().join(", ")
    };
    let message = match case.api {
        // The rest of this answer is the token and its key.
        Api::Auth => told(&[("TokenExpiry", "token until")]),
        Api::Gstin | Api::SyncGstin => {
            told(&[("Gstin", "GSTIN"), ("LegalName", "name"), ("Status", "status"), ("TxpType", "type")])
        }
        Api::Cancel => told(&[("CancelDate", "cancelled")]),
        Api::Rejected => data.to_string().chars().take(ANSWER_CHARACTERS_MAX).collect(),
        Api::EwbGenerate | Api::EwbPartB | Api::EwbRead | Api::EwbCancel => told(&[
            ("ewayBillNo", "e-way bill"),
            ("ewbNo", "e-way bill"),
            ("ewayBillDate", "of"),
            ("status", "status"),
            ("validUpto", "valid till"),
            ("vehUpdDate", "changed"),
            ("cancelDate", "cancelled"),
        ]),
        _ => told(&[
            ("Status", "status"),
            ("AckNo", "acknowledgement"),
            ("AckDt", "of"),
            ("EwbNo", "e-way bill"),
            ("EwbValidTill", "valid till"),
        ]),
    };
    let info = answer.info.iter().map(|detail| {
        let said = if detail.errors.is_empty() {
            detail.description.clone()
        } else {
            detail.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        format!("{}: {said}", detail.code)
    });
    let info = info.collect::<Vec<_>>().join("; ");
    let irn = text("Irn").filter(|irn| irn.len() == 64);
    let made = irn.clone().or_else(|| text("ewayBillNo"));
    let kept = document.zip(made).map(|(document, object)| Kept { object, ..document });
    Evidence {
        accepted: true,
        as_expected: case.should_succeed(),
        message,
        irn,
        kept,
        note: (!info.is_empty()).then_some(info),
        ..evidence
    }
}

/// A case whose first answer was lost, and whose repetition the portal refuses because the first was carried out: that
/// is its success.
fn done_before(case: &Case, evidence: Evidence, document: Option<Kept>, earlier: Option<String>) -> Evidence {
    let says_so = |codes: &[&str]| evidence.codes.iter().any(|code| codes.contains(&code.as_str()));
    let done = match case.api {
        Api::Generate => says_so(&["2150"]) && earlier.is_some(),
        Api::Cancel => says_so(&["9999"]),
        Api::EwbCancel => says_so(&["312"]),
        Api::GenerateEwb => says_so(&["4002", "4026"]),
        _ => false,
    };
    if !done {
        return evidence;
    }
    let note = "the run was interrupted after this was sent; sent again, the portal says that it was carried out the \
                first time";
    let kept = document.zip(earlier.clone()).map(|(document, object)| Kept { object, ..document });
    Evidence { accepted: true, as_expected: true, irn: earlier, kept, note: Some(note.to_owned()), ..evidence }
}

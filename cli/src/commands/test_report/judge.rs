//! What an answer is worth: evidence, or a reason to stop.

use einvoice_core::portal_code::ErrorClass;
use einvoice_core::raw::RawAnswer;
use einvoice_core::secret::Secret;
use einvoice_core::transport::TransportError;
use serde_json::Value;

use super::case::{Case, Expected};
use super::request::{Named, Request};
use super::state::{Evidence, Kept};
use crate::arguments::Api;

/// Characters of what a yes brought that go into the evidence.
const ANSWER_CHARACTERS_MAX: usize = 300;

/// What an answer means.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is the case's evidence.
    Evidence(Box<Evidence>),
    /// None came that could be read, or nothing was sent: the case is sent again. Should that go on while the portal
    /// answers other calls, this is its evidence.
    NoAnswer(Box<Evidence>),
    /// The portal asks to be left alone for a while.
    Pause(String),
    /// The token is no longer the portal's; the case says nothing about that. Should a new token change nothing, this is
    /// its evidence.
    TokenGone(Box<Evidence>),
    /// The first sending was carried out, and what it made is not told: the case is made anew.
    Spent,
}

/// What is known of a call when its answer comes.
#[derive(Debug)]
pub(super) struct Sent<'a> {
    pub(super) case: &'a Case,
    pub(super) request: Request,
    /// When, IST.
    pub(super) at: String,
    /// When it was sent first, where the answer to that was lost.
    pub(super) first: Option<String>,
    /// The token that the login before brought, where one has to come again.
    pub(super) token: Option<&'a Secret<String>>,
}

/// Judges an answer.
pub(super) fn judge(sent: Sent<'_>, answer: Result<RawAnswer, TransportError>) -> Judged {
    let Sent { case, request, at, first, token } = sent;
    let before = first.is_some();
    let document = request.document.map(|document| Kept { made: first.unwrap_or_else(|| at.clone()), ..document });
    let evidence = Evidence {
        case: case.id.clone(),
        at,
        request: request.shown,
        accepted: false,
        codes: Vec::new(),
        message: String::new(),
        irn: None,
        bill: None,
        as_expected: false,
        note: None,
        kept: None,
    };
    match answer {
        Ok(answer) => {
            let data: Value = serde_json::from_str(answer.data.expose()).unwrap_or_default();
            let mut evidence = accepted(case, evidence, document, &answer, &data);
            let amiss =
                [amiss_in_token(case, &data, token), request.named.and_then(|named| amiss_in_name(&named, &data))];
            for amiss in amiss.into_iter().flatten() {
                evidence.as_expected = false;
                evidence.note = Some(evidence.note.map_or(amiss.clone(), |note| format!("{amiss}; {note}")));
            }
            Judged::Evidence(Box::new(evidence))
        }
        Err(TransportError::Refused { errors, info, .. }) => {
            let codes: Vec<String> = errors.iter().map(|error| error.code.clone()).collect();
            let hit = matches!(case.expected, Expected::Refusal(expected)
                if codes.iter().any(|code| expected.contains(&code.as_str())));
            let class = einvoice_core::portal_code::deciding_class(&errors);
            let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            if !hit && class == ErrorClass::RateLimit {
                return Judged::Pause(text);
            }
            let message = errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
            let evidence = Evidence { codes, message, as_expected: hit, ..evidence };
            if !hit && class == ErrorClass::TokenExpired {
                return Judged::TokenGone(Box::new(evidence));
            }
            if before && case.should_succeed() {
                let earlier =
                    info.iter().find_map(|detail| detail.duplicate.as_ref()).map(|found| found.irn.to_string());
                return done_before(case, evidence, document, earlier);
            }
            Judged::Evidence(Box::new(evidence))
        }
        Err(error) => Judged::NoAnswer(Box::new(Evidence { message: error.to_string(), ..evidence })),
    }
}

/// The token that a login brought.
pub(super) fn token(data: &Value) -> Option<Secret<String>> {
    text(data, "AuthToken").map(Secret::new)
}

/// What is wrong with the token of an answer. Neither token is told.
fn amiss_in_token(case: &Case, data: &Value, before: Option<&Secret<String>>) -> Option<String> {
    if !case.same_token {
        return None;
    }
    let amiss = match (before, token(data)) {
        (Some(before), Some(now)) if *before == now => return None,
        (Some(_), Some(_)) => "another token came than that of the login before",
        (Some(_), None) => "no token came",
        (None, _) => "there was no token of a login before to compare with",
    };
    Some(amiss.to_owned())
}

/// What is wrong with whom or what an answer is about.
fn amiss_in_name(named: &Named, data: &Value) -> Option<String> {
    match named.members.iter().find_map(|member| text(data, member)) {
        Some(found) if found.eq_ignore_ascii_case(&named.value) => None,
        Some(found) => Some(format!("the answer is about {found}, and {} was asked for", named.value)),
        None => Some(format!("the answer does not name {}, which was asked for", named.value)),
    }
}

/// A text or number of an answer.
fn text(data: &Value, name: &str) -> Option<String> {
    match data.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

fn accepted(case: &Case, evidence: Evidence, document: Option<Kept>, answer: &RawAnswer, data: &Value) -> Evidence {
    let text = |name: &str| text(data, name);
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
        bill: text("EwbNo"),
        kept,
        note: (!info.is_empty()).then_some(info),
        ..evidence
    }
}

/// A case whose first answer was lost, and whose repetition the portal refuses because the first was carried out: that
/// is its success. Where the refusal does not tell what the first made, other cases could do nothing with it.
fn done_before(case: &Case, evidence: Evidence, document: Option<Kept>, earlier: Option<String>) -> Judged {
    let says_so = |codes: &[&str]| evidence.codes.iter().any(|code| codes.contains(&code.as_str()));
    let done = match case.api {
        Api::Generate if says_so(&["2150"]) && earlier.is_none() => return Judged::Spent,
        Api::EwbGenerate if says_so(&["604"]) => return Judged::Spent,
        Api::Generate => says_so(&["2150"]),
        Api::Cancel => says_so(&["9999"]),
        Api::EwbCancel => says_so(&["312"]),
        Api::GenerateEwb => says_so(&["4002", "4026"]),
        _ => false,
    };
    if !done {
        return Judged::Evidence(Box::new(evidence));
    }
    let note = "the run was interrupted after this was sent; sent again, the portal says that it was carried out the \
                first time";
    let kept = document.zip(earlier.clone()).map(|(document, object)| Kept { object, ..document });
    let note = Some(note.to_owned());
    Judged::Evidence(Box::new(Evidence { accepted: true, as_expected: true, irn: earlier, kept, note, ..evidence }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The first case of an API that should succeed, changed.
    fn case(id: &str) -> Case {
        super::super::cases::all().into_iter().find(|case| case.id == id).unwrap()
    }

    fn request(named: Option<Named>) -> Request {
        use einvoice_core::raw::{RawBody, RawCall, RawTarget};
        let call = RawCall::new(RawTarget::Login, RawBody::None);
        Request { call, shown: "GET".to_owned(), document: None, named }
    }

    fn evidence(case: &Case, named: Option<Named>, token: Option<&Secret<String>>, data: &Value) -> Evidence {
        let sent = Sent { case, request: request(named), at: "2026-11-05 12:00:00".to_owned(), first: None, token };
        match judge(sent, Ok(RawAnswer::new(Secret::new(data.to_string()), vec![]))) {
            Judged::Evidence(evidence) => *evidence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_token_is_the_same_and_neither_is_told() {
        let case = case("AUTH-Y002");
        let before = Secret::new("Abcdefghijklm1".to_owned());
        let brought = |token: &str| json!({"AuthToken": token, "TokenExpiry": "2026-11-05 18:00:00"});
        assert!(evidence(&case, None, Some(&before), &brought("Abcdefghijklm1")).as_expected);
        for (before, data) in [
            (Some(&before), brought("Abcdefghijklm2")),
            (Some(&before), json!({"TokenExpiry": "2026-11-05 18:00:00"})),
            (None, brought("Abcdefghijklm1")),
        ] {
            let evidence = evidence(&case, None, before, &data);
            assert!(evidence.accepted && !evidence.as_expected, "{data}");
            let shown = serde_json::to_string(&evidence).unwrap();
            assert!(shown.contains("token") && !shown.contains("Abcdefgh"), "{shown}");
        }
        // Another login may bring any token.
        let other = super::super::cases::all().into_iter().find(|case| case.id == "AUTH-Y001").unwrap();
        assert!(evidence(&other, None, Some(&before), &brought("Abcdefghijklm2")).as_expected);
    }

    #[test]
    fn an_answer_about_something_else_is_no_success() {
        let case = case("BILLREAD-Y001");
        let asked = || Some(Named { members: &["ewbNo", "ewayBillNo"], value: "391000000001".to_owned() });
        assert!(evidence(&case, asked(), None, &json!({"ewbNo": 391_000_000_001_u64})).as_expected);
        for (data, said) in [
            (json!({"ewbNo": 391_000_000_002_u64}), "is about 391000000002, and 391000000001 was asked for"),
            (json!({"status": "ACT"}), "does not name 391000000001"),
        ] {
            let evidence = evidence(&case, asked(), None, &data);
            assert!(!evidence.as_expected && evidence.note.as_deref().unwrap().contains(said), "{evidence:?}");
        }
    }
}

//! From a case to the call that is sent, and to the words that stand for it in the evidence.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use einvoice_core::raw::{HeaderChange, LoginSealing, RawBody, RawCall, RawHeader, RawTarget};
use einvoice_protocol::endpoints::percent_encode;
use serde_json::{Value, json};

use super::case::{Ask, Broken, Case, Edit, Subject};
use super::context::Context;
use super::state::{Kept, State};
use crate::arguments::Api;
use crate::error::CliError;

/// Characters of a document in the evidence. The rest of a long one is counted.
const BODY_CHARACTERS_MAX: usize = 1_500;

/// A call, ready to be sent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) call: RawCall,
    /// What is sent, for people: no secret is in it.
    pub(super) shown: String,
    /// What is known of the document that the call registers, but for its IRN.
    pub(super) document: Option<Kept>,
    /// What a yes has to name, so that it is the answer to this question.
    pub(super) named: Option<Named>,
}

/// Something that an answer has to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Names under which the answer may have it.
    pub(super) members: &'static [&'static str],
    /// What was asked for.
    pub(super) value: String,
}

/// What requests are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    pub(super) context: &'a Context,
    pub(super) cases: &'a BTreeMap<&'a str, &'a Case>,
    pub(super) made: Made<'a>,
}

/// What earlier cases have made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made<'a> {
    /// What a run remembers.
    Known(&'a State),
    /// This, whatever the case: for a look at the form of a request alone.
    Supposed(&'a Kept),
}

impl<'a> Made<'a> {
    fn kept(self, id: &str) -> Option<&'a Kept> {
        match self {
            Self::Known(state) => state.kept.get(id),
            Self::Supposed(kept) => Some(kept),
        }
    }

    /// How often a case was made anew.
    fn turn(self, id: &str) -> u32 {
        match self {
            Self::Known(state) => state.turns.get(id).copied().unwrap_or_default(),
            Self::Supposed(_) => 0,
        }
    }

    /// The e-way bill of an IRN that a case made.
    fn bill(self, id: &str) -> Option<&'a str> {
        match self {
            Self::Known(state) => state.done.get(id)?.bill.as_deref(),
            Self::Supposed(_) => None,
        }
    }
}

/// A body and its place on the page, before the headers.
struct Draught {
    rest: String,
    body: RawBody,
    /// The body for people.
    shown: String,
    document: Option<Kept>,
}

impl Draught {
    const fn question(rest: String) -> Self {
        Self { rest, body: RawBody::None, shown: String::new(), document: None }
    }

    fn json(value: &Value) -> Self {
        let text = value.to_string();
        let shown = shortened(&text);
        Self { rest: String::new(), body: RawBody::Sealed(Bytes::from(text)), shown, document: None }
    }
}

impl Maker<'_> {
    /// The call of a case.
    ///
    /// # Errors
    /// [`CliError::Fault`] when a case it is about has left nothing, which whoever calls has made sure of.
    pub(super) fn request(&self, case: &Case) -> Result<Request, CliError> {
        let draught = self.draught(case)?;
        let target = match case.api.kind() {
            None => RawTarget::Login,
            Some(kind) => RawTarget::Operation { kind, rest: draught.rest.clone() },
        };
        let mut shown =
            format!("{} {}", if matches!(draught.body, RawBody::None) { "GET" } else { "POST" }, case.api.title());
        if !draught.rest.is_empty() {
            // Writing into a text does not fail.
            let _written = write!(shown, " {}", draught.rest);
        }
        let mut call = RawCall::new(target, draught.body);
        for change in &case.headers {
            let value = change.value.as_ref().map(|value| self.context.text(value));
            let _written = write!(shown, "\n{}", header_in_words(change.header, value.as_deref()));
            call.headers.push(match value {
                Some(value) => HeaderChange::with(change.header, value),
                None => HeaderChange::without(change.header),
            });
        }
        if !draught.shown.is_empty() {
            let _written = write!(shown, "\n{}", draught.shown);
        }
        let named = if case.should_succeed() { self.named(case)? } else { None };
        Ok(Request { call, shown, document: draught.document, named })
    }

    /// What a yes to a case has to name; nothing where the answer names nothing that is known before.
    fn named(&self, case: &Case) -> Result<Option<Named>, CliError> {
        let named = |members, value: &str| Some(Named { members, value: value.to_owned() });
        Ok(match (case.api, &case.ask) {
            (Api::GetIrn, Ask::Object(Subject::Of(id)))
            | (Api::GetByDocument, Ask::Document(id, _))
            | (Api::Cancel, Ask::Cancel(Subject::Of(id), _)) => named(&["Irn"], &self.kept(id)?.object),
            (Api::GetEwb, Ask::Object(Subject::Of(id))) => {
                let bill = self.made.bill(case.after.as_deref().unwrap_or(id));
                bill.and_then(|bill| named(&["EwbNo"], bill))
            }
            (Api::EwbRead, Ask::ReadBill(Some(Subject::Of(id))))
            | (Api::EwbCancel, Ask::CancelBill(Subject::Of(id), _)) => {
                named(&["ewbNo", "ewayBillNo"], &self.kept(id)?.object)
            }
            (Api::Gstin | Api::SyncGstin, Ask::Object(subject)) => named(&["Gstin"], &self.subject(subject)?),
            _ => None,
        })
    }

    fn draught(&self, case: &Case) -> Result<Draught, CliError> {
        let context = self.context;
        Ok(match &case.ask {
            Ask::Login { members, sealing } => login(members, *sealing),
            Ask::Register(draft) => {
                let number = context.number(&case.id, self.made.turn(&case.id));
                registration(&draft.json(context, &number), "/DocDtls/Typ", "/DocDtls/No", "/DocDtls/Dt")
            }
            Ask::RegisterAgain(id, edits) => self.again(id, edits)?,
            Ask::Object(subject) => Draught::question(format!("/{}", self.subject(subject)?)),
            Ask::Document(id, changes) => {
                let kept = self.kept(id)?;
                let right = [("doctype", &kept.kind), ("docnum", &kept.number), ("docdate", &kept.date)];
                let parameters = right.into_iter().filter_map(|(name, value)| {
                    let change = changes.iter().find(|(changed, _)| *changed == name);
                    let value = match change {
                        Some((_, value)) => value.as_ref().map(|value| context.text(value))?,
                        None => value.clone(),
                    };
                    Some(format!("{name}={}", percent_encode(&value)))
                });
                Draught::question(format!("?{}", parameters.collect::<Vec<_>>().join("&")))
            }
            Ask::Cancel(subject, edits) => {
                let right = json!({"Irn": self.subject(subject)?, "CnlRsn": "2", "CnlRem": "Test case"});
                self.changed(right, edits)
            }
            Ask::Bill(subject, edits) => {
                let right = json!({"Irn": self.subject(subject)?, "Distance": 0, "TransMode": "1", "VehNo": "KA01AB1234",
                                   "VehType": "R"});
                self.changed(right, edits)
            }
            Ask::MakeBill(edits) => {
                let number = context.number(&case.id, self.made.turn(&case.id));
                let mut challan = context.value(&challan(&number));
                context.edit(&mut challan, edits);
                registration(&challan, "/docType", "/docNo", "/docDate")
            }
            Ask::PartB(subject, edits) => {
                let right = context.value(&json!({
                    "ewbNo": number_of(&self.subject(subject)?), "vehicleNo": "KA01AB9999", "fromPlace": "Example City",
                    "fromState": "{own_state_number}", "reasonCode": "2", "reasonRem": "Test case", "transMode": "1",
                    "vehicleType": "R"}));
                self.changed(right, edits)
            }
            Ask::CancelBill(subject, edits) => {
                let number = number_of(&self.subject(subject)?);
                let right = json!({"ewbNo": number, "cancelRsnCode": 2, "cancelRmrk": "Test case"});
                self.changed(right, edits)
            }
            Ask::ReadBill(None) => Draught::question(String::new()),
            Ask::ReadBill(Some(subject)) => {
                Draught::question(format!("?ewbNo={}", percent_encode(&self.subject(subject)?)))
            }
            Ask::Day(day) => Draught::question(
                day.as_ref().map(|day| format!("?date={}", percent_encode(&context.text(day)))).unwrap_or_default(),
            ),
            Ask::Broken(broken) => broken_body(broken),
        })
    }

    fn changed(&self, mut right: Value, edits: &[Edit]) -> Draught {
        self.context.edit(&mut right, edits);
        Draught::json(&right)
    }

    /// The document of an earlier case once more, of the day on which that one was sent.
    fn again(&self, id: &str, edits: &[Edit]) -> Result<Draught, CliError> {
        let kept = self.kept(id)?;
        let Some(Ask::Register(draft)) = self.cases.get(id).map(|case| &case.ask) else {
            return Err(CliError::Fault(format!("case {id} of the test report registers no document")));
        };
        let mut document = draft.json(self.context, &kept.number);
        self.context.edit(&mut document, &[("/DocDtls/Dt", json!(kept.date))]);
        self.context.edit(&mut document, edits);
        Ok(registration(&document, "/DocDtls/Typ", "/DocDtls/No", "/DocDtls/Dt"))
    }

    fn subject(&self, subject: &Subject) -> Result<String, CliError> {
        Ok(match subject {
            Subject::Of(id) => self.kept(id)?.object.clone(),
            Subject::Misspelt(id, twist) => twist(&self.kept(id)?.object),
            Subject::Unregistered(serial) => self.context.unregistered(*serial),
            Subject::Text(text) => self.context.text(text),
        })
    }

    fn kept(&self, id: &str) -> Result<&Kept, CliError> {
        let missing =
            || CliError::Fault(format!("case {id} of the test report was not sent before the one that needs it"));
        self.made.kept(id).ok_or_else(missing)
    }
}

/// The number of a bill as JSON: a number, where it is one.
fn number_of(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
}

/// A request for a bill: goods sent to another state for job work.
fn challan(number: &str) -> Value {
    json!({
        "supplyType": "O", "subSupplyType": "4", "docType": "CHL", "docNo": number, "docDate": "{today}",
        "fromGstin": "{own}", "fromTrdName": "Example Supplier", "fromAddr1": "1 Sample Street",
        "fromPlace": "Example City", "fromPincode": "{own_pin}", "fromStateCode": "{own_state_number}",
        "actFromStateCode": "{own_state_number}", "toGstin": "{buyer}", "toTrdName": "Example Worker",
        "toAddr1": "2 Sample Lane", "toPlace": "Example Town", "toPincode": "{buyer_pin}",
        "toStateCode": "{buyer_state_number}", "actToStateCode": "{buyer_state_number}", "transactionType": 1,
        "totalValue": 1000, "igstValue": 180, "cgstValue": 0, "sgstValue": 0, "totInvValue": 1180,
        "transDistance": "0", "transMode": "1", "vehicleNo": "KA01AB1234", "vehicleType": "R",
        "itemList": [{"productName": "Example goods", "hsnCode": 8504, "quantity": 10, "qtyUnit": "KGS",
                      "taxableAmount": 1000, "igstRate": 18, "cgstRate": 0, "sgstRate": 0}]
    })
}

fn login(members: &[(&'static str, Option<String>)], sealing: LoginSealing) -> Draught {
    let names = ["UserName", "Password", "AppKey", "ForceRefreshAccessToken"];
    let shown = names.into_iter().filter_map(|name| {
        let value = match members.iter().find(|(changed, _)| *changed == name) {
            Some((_, value)) => value.clone()?,
            None if name == "ForceRefreshAccessToken" => "false".to_owned(),
            None => "(not shown)".to_owned(),
        };
        Some(format!("\"{name}\":{value}"))
    });
    let sealed = match sealing {
        LoginSealing::Right => "",
        LoginSealing::WithoutInnerBase64 => ", sealed without the base64 inside",
        _ => ", not encrypted",
    };
    let shown = format!("{{{}}}{sealed}", shown.collect::<Vec<_>>().join(","));
    Draught { rest: String::new(), body: RawBody::Login { members: members.to_vec(), sealing }, shown, document: None }
}

fn broken_body(broken: &Broken) -> Draught {
    let (body, shown) = match broken {
        Broken::Whole("") => (RawBody::Whole(Bytes::new()), "an empty body".to_owned()),
        Broken::Whole(text) => (RawBody::Whole(Bytes::from_static(text.as_bytes())), format!("the body {text}")),
        Broken::Data(text) => (RawBody::Data((*text).to_owned()), format!("Data: {}", json!(text))),
        Broken::Sealed(text) => (RawBody::Sealed(Bytes::from_static(text.as_bytes())), format!("sealed: {text}")),
    };
    Draught { rest: String::new(), body, shown, document: None }
}

/// A header that differs. Those that hold credentials are not shown, although this one is made up.
fn header_in_words(header: RawHeader, value: Option<&str>) -> String {
    let name = header.name();
    match (header, value) {
        (_, None) => format!("header {name} left out"),
        (_, Some("")) => format!("header {name} empty"),
        (RawHeader::Gstin | RawHeader::Site, Some(value)) => format!("header {name}: {value}"),
        _ => format!("header {name}: made up, not shown"),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(BODY_CHARACTERS_MAX) {
        Some((end, _)) => {
            format!("{} … ({} characters in all)", text.get(..end).unwrap_or_default(), text.chars().count())
        }
        None => text.to_owned(),
    }
}

/// The registration of a document, with what later cases need to know of it.
fn registration(document: &Value, kind: &str, number: &str, date: &str) -> Draught {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (object, made) = Default::default();
    let kept = Kept { object, kind: text(kind), number: text(number), date: text(date), made };
    Draught { document: Some(kept), ..Draught::json(document) }
}

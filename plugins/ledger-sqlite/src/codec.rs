//! Values of the contract to columns and back.

use einvoice_core::environment::Product;
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::irn::Irn;
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{AttemptOutcome, Settlement};
use einvoice_core::operation::{InfoDetail, Registration};
use einvoice_core::portal_code::{PortalError, explain};
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::verify::Proof;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::fault::Fault;

/// Microseconds since 1970: what the file stores.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The first whole microsecond that is not before `at`, so that a wait is never cut short.
pub(crate) fn micros_up(at: Timestamp) -> i64 {
    let whole = at.as_microsecond();
    if at.subsec_nanosecond() % 1000 == 0 { whole } else { whole.saturating_add(1) }
}

pub(crate) fn moment(micros: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(micros).map_err(|_| Fault::Unreadable(format!("{micros} is no moment in time")))
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Misuse(format!("a value cannot be written as JSON: {error}")))
}

/// Nothing is asked of the serialiser where there is nothing to say, which is nearly always.
pub(crate) fn list_to_json<T: Serialize>(list: &[T]) -> Result<String, Fault> {
    if list.is_empty() { Ok("[]".to_owned()) } else { to_json(&list) }
}

pub(crate) fn list_from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<Vec<T>, Fault> {
    if text == "[]" { Ok(Vec::new()) } else { from_json(what, text) }
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Unreadable(format!("{what} cannot be read: {error}")))
}

/// What a column holds that may be empty.
pub(crate) fn maybe<T: DeserializeOwned>(what: &str, text: Option<&str>) -> Result<Option<T>, Fault> {
    text.map(|text| from_json(what, text)).transpose()
}

pub(crate) fn state(name: &str) -> Result<DocumentState, Fault> {
    DocumentState::from_name(name).ok_or_else(|| Fault::Unreadable(format!("there is no document state `{name}`")))
}

pub(crate) fn ewb_state(name: &str) -> Result<EwbState, Fault> {
    serde_json::from_value(serde_json::Value::from(name))
        .map_err(|_| Fault::Unreadable(format!("there is no e-way bill state `{name}`")))
}

pub(crate) fn key(text: Option<&str>) -> Result<Option<DocumentKey>, Fault> {
    text.map(|text| text.parse().map_err(|error| Fault::Unreadable(format!("document key `{text}`: {error}"))))
        .transpose()
}

pub(crate) fn irn(text: Option<&str>) -> Result<Option<Irn>, Fault> {
    text.map(|text| Irn::parse(text).map_err(|error| Fault::Unreadable(format!("IRN `{text}`: {error}")))).transpose()
}

pub(crate) fn hash(bytes: &[u8]) -> Result<[u8; 32], Fault> {
    bytes.try_into().map_err(|_| Fault::Unreadable(format!("a hash has {} bytes, not 32", bytes.len())))
}

pub(crate) fn unsigned(number: i64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| Fault::Unreadable(format!("{number} is no count")))
}

/// The key by which two spellings of one number are one document.
pub(crate) fn upper(key: &DocumentKey) -> String {
    format!("{}/{}/{}/{}", key.supplier, key.year, key.doc_type, key.number.to_upper())
}

/// What [`Query::text`](einvoice_core::ledger::Query) is looked for in.
pub(crate) fn search_text(key: Option<&DocumentKey>, label: &str, irn: Option<&Irn>) -> String {
    let key = key.map(ToString::to_string).unwrap_or_default();
    let irn = irn.map(ToString::to_string).unwrap_or_default();
    format!("{key}\n{label}\n{irn}").to_lowercase()
}

/// Columns `location`, `position` and `record_id` of a row.
pub(crate) fn source_ref(row: &SqliteRow) -> Result<SourceRef, Fault> {
    Ok(SourceRef {
        location: row.try_get("location")?,
        position: row.try_get("position")?,
        record_id: row.try_get("record_id")?,
    })
}

/// What a reply holds, whichever kind it is.
#[derive(Debug, Default)]
pub(crate) struct ReplyParts {
    pub(crate) registration: Option<Registration>,
    pub(crate) proof: Option<Proof>,
    pub(crate) errors: Vec<PortalError>,
    pub(crate) info: Vec<InfoDetail>,
}

impl ReplyParts {
    /// Reads the body of a row of `reply`.
    pub(crate) fn read(kind: &str, body: &str) -> Result<Self, Fault> {
        match kind {
            "outcome" => Ok(from_json::<AttemptOutcome>("an outcome", body)?.into()),
            "settlement" => Ok(from_json::<Settlement>("a settlement", body)?.into()),
            other => Err(Fault::Unreadable(format!("there is no kind of reply `{other}`"))),
        }
    }

    /// Reads the reply of a row that was joined with `reply`; nothing when there was none.
    pub(crate) fn of_row(row: &SqliteRow) -> Result<Self, Fault> {
        let kind: Option<String> = row.try_get("reply_kind")?;
        let body: Option<String> = row.try_get("reply_body")?;
        match (kind, body) {
            (Some(kind), Some(body)) => Self::read(&kind, &body),
            _ => Ok(Self::default()),
        }
    }
}

impl From<AttemptOutcome> for ReplyParts {
    fn from(outcome: AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::Registered { registration, proof } => {
                Self { registration: Some(*registration), proof: Some(proof), ..Self::default() }
            }
            AttemptOutcome::Refused { errors, info, .. } | AttemptOutcome::Unknown { errors, info, .. } => {
                Self { errors, info, ..Self::default() }
            }
            AttemptOutcome::NotSent { .. } => Self::default(),
        }
    }
}

impl From<Settlement> for ReplyParts {
    fn from(settlement: Settlement) -> Self {
        match settlement {
            Settlement::Registered { registration, proof } => {
                Self { registration: Some(*registration), proof: Some(proof), ..Self::default() }
            }
            Settlement::Cancelled { registration } | Settlement::Conflict { registration, .. } => {
                Self { registration: Some(*registration), ..Self::default() }
            }
            Settlement::Refused { errors, .. } | Settlement::NotThere { errors } => Self { errors, ..Self::default() },
            Settlement::StillUnknown { .. } => Self::default(),
        }
    }
}

/// Errors of the portal as findings, so that people see one list.
pub(crate) fn portal_findings(errors: &[PortalError]) -> Vec<Finding> {
    errors
        .iter()
        .map(|error| {
            let finding = Finding::error("portal.refused", "", error.message.clone());
            let finding = if error.code.is_empty() { finding } else { finding.with_code(error.code.clone()) };
            match explain(Product::EInvoice, &error.code) {
                Some(explanation) => finding.with_fix(explanation.remedy),
                None => finding,
            }
        })
        .collect()
}

/// Why an outcome is not known, with what the portal said, as findings.
pub(crate) fn unknown_findings(reason: &str, remedy: Option<&str>, errors: &[PortalError]) -> Vec<Finding> {
    let remedy = remedy.unwrap_or("Nothing to do: the portal is asked before anything is sent again.");
    let mut findings = vec![Finding::new(Severity::Warning, "portal.unknown", "", reason).with_fix(remedy)];
    findings.extend(portal_findings(errors).into_iter().map(|mut finding| {
        finding.severity = Severity::Warning;
        "portal.unclear".clone_into(finding.rule.to_mut());
        finding
    }));
    findings
}

/// Code of the entry of `InfoDtls` that says why no e-way bill was made with the IRN.
const EWB_ERROR: &str = "EWBERR";

/// Where the e-way bill of a fresh registration stands.
pub(crate) fn ewb_of(registration: &Registration) -> EwbState {
    match &registration.ewb {
        Some(bill) if bill.valid_till.is_some() => EwbState::Active,
        Some(_) => EwbState::PartA,
        None if registration.info.iter().any(|info| info.code == EWB_ERROR) => EwbState::Failed,
        None => EwbState::None,
    }
}

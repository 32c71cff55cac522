//! What a result says: the fields of a receipt, as columns hold them, and how wide a column must be for each.

use einvoice_core::date::PortalTime;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::nearest;
use einvoice_core::state::{DocumentState, EwbState};

use crate::config::StatusWords;
use crate::dialect::Dialect;

/// A field of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// The default name of its column, and the name in the settings.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Tables made before the field was known need no column for it.
    pub(crate) is_optional: bool,
}

/// What a column must be able to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A text of at least so many characters; `None` is as long as texts can be.
    Text { least: u64, ddl: Option<u64> },
    /// A text of any length.
    Long,
    /// A whole number.
    Number,
    /// A moment.
    Moment,
}

const fn text(name: &'static str, least: u64, ddl: u64) -> Field {
    of(name, Form::Text { least, ddl: Some(ddl) })
}

const fn of(name: &'static str, form: Form) -> Field {
    Field { name, form, is_optional: false }
}

/// Every field, in the order of the table. A signed QR code had 892 to 952 characters in published samples, and a signed
/// invoice grows with its items.
pub(crate) const FIELDS: [Field; 20] = [
    text("rev", 1, 64),
    of("receipt", Form::Number),
    Field { is_optional: true, ..text("ledger", 16, 64) },
    text("state", 20, 24),
    text("irn", 64, 64),
    text("ack_no", 15, 20),
    of("ack_dt", Form::Moment),
    of("signed_qr", Form::Text { least: 2_000, ddl: None }),
    of("signed_invoice", Form::Long),
    text("irp", 4, 8),
    text("ewb_no", 12, 12),
    of("ewb_dt", Form::Moment),
    of("ewb_valid_till", Form::Moment),
    text("ewb_state", 17, 24),
    text("ewb_vehicle", 15, 20),
    of("is_cancelled", Form::Number),
    of("cancel_dt", Form::Moment),
    text("cancel_reason", 1, 4),
    text("cancel_remark", 100, 100),
    of("updated_at", Form::Moment),
];

/// That a result has no field of a name, with the nearest that it has.
pub(crate) fn no_field(name: &str) -> String {
    let near = nearest(name, FIELDS.iter().map(|field| field.name));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("a result has no field {name}{near}")
}

/// Names of the capability by field.
pub(crate) const CAPABILITY: [(&str, &str); 15] = [
    ("irn", "irn"),
    ("ack_no", "ack_no"),
    ("ack_dt", "ack_date"),
    ("signed_invoice", "signed_invoice"),
    ("signed_qr", "signed_qr"),
    ("state", "status"),
    ("ewb_no", "ewb_no"),
    ("ewb_dt", "ewb_date"),
    ("ewb_valid_till", "ewb_valid_till"),
    ("ewb_state", "ewb_state"),
    ("ewb_vehicle", "ewb_vehicle"),
    ("cancel_dt", "cancelled_at"),
    ("cancel_reason", "cancel_reason"),
    ("cancel_remark", "cancel_remark"),
    ("irp", "irp"),
];

pub(crate) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

impl Form {
    /// The type of a new column.
    pub(crate) fn ddl(self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Text { ddl: Some(length), .. }, Dialect::SqlServer) => format!("nvarchar({length})"),
            (Self::Text { ddl: Some(length), .. }, Dialect::Oracle) => format!("varchar2({length} char)"),
            (Self::Text { ddl: Some(length), .. }, _) => format!("varchar({length})"),
            (Self::Text { ddl: None, .. } | Self::Long, Dialect::SqlServer) => "nvarchar(max)".to_owned(),
            // A CLOB costs a way to the server for each value, and a QR text fits without.
            (Self::Text { ddl: None, .. }, Dialect::Oracle) => "varchar2(4000)".to_owned(),
            (Self::Long, Dialect::Oracle | Dialect::Standard) => "clob".to_owned(),
            (Self::Text { ddl: None, .. }, Dialect::Standard) => "varchar(4000)".to_owned(),
            (Self::Text { ddl: None, .. }, _)
            | (Self::Long, Dialect::Postgres)
            | (Self::Long | Self::Moment, Dialect::Sqlite) => "text".to_owned(),
            (Self::Long, Dialect::MySql) => "mediumtext".to_owned(),
            (Self::Number, _) => "integer".to_owned(),
            (Self::Moment, Dialect::MySql) => "datetime".to_owned(),
            (Self::Moment, Dialect::SqlServer) => "datetime2(0)".to_owned(),
            (Self::Moment, Dialect::Postgres | Dialect::Oracle | Dialect::Standard) => "timestamp".to_owned(),
        }
    }
}

/// The value of a field; nothing where the receipt has none. The moment of writing is the server's own.
pub(crate) fn value(receipt: &Receipt, name: &str) -> Option<String> {
    let registration = receipt.registration.as_ref();
    let bill = || receipt.bill();
    let moment = |time: Option<PortalTime>| time.map(|time| time.to_string());
    match name {
        "rev" => receipt.attributes.get(crate::record::REV).cloned(),
        "receipt" => Some(receipt.revision.to_string()),
        "ledger" => receipt.ledger.as_ref().map(|ledger| ledger.0.clone()),
        "state" => Some(receipt.state.as_str().to_owned()),
        // Before it is registered the IRN is our own computation, and no result.
        "irn" => registration.map(|registration| registration.irn.to_string()),
        "ack_no" => registration.map(|registration| registration.ack_no.clone()),
        "ack_dt" => moment(registration.map(|registration| registration.ack_date)),
        "signed_qr" => registration?.signed_qr.clone(),
        "signed_invoice" => registration?.signed_invoice.clone(),
        "irp" => registration?.site.clone(),
        "ewb_no" => Some(bill()?.number),
        "ewb_dt" => moment(bill()?.made_at),
        "ewb_valid_till" => moment(bill()?.valid_till),
        // One that failed, or of which nobody knows, has no number yet and is told all the same.
        "ewb_state" => {
            let state = bill().map_or(receipt.ewb_state, |bill| bill.state);
            (state != EwbState::None).then(|| state.as_str().to_owned())
        }
        "ewb_vehicle" => bill()?.vehicle,
        "is_cancelled" => Some(if receipt.state == DocumentState::Cancelled { "1" } else { "0" }.to_owned()),
        "cancel_dt" => moment(receipt.cancellation.as_ref()?.at),
        "cancel_reason" => receipt.cancellation.as_ref()?.reason.map(|reason| reason.irn_code().to_owned()),
        "cancel_remark" => receipt.cancellation.as_ref()?.remark.clone(),
        _ => None,
    }
}

/// The word for where a document stands; nothing where the row keeps the word it has.
pub(crate) fn word(state: DocumentState, words: &StatusWords) -> Option<&str> {
    match state {
        DocumentState::Registered | DocumentState::Cancelling => Some(&words.done),
        DocumentState::Cancelled => Some(&words.cancelled),
        DocumentState::Sent | DocumentState::Unknown => Some(&words.sent),
        state if state.needs_person() => Some(&words.failed),
        _ => None,
    }
}

/// Who found something: this program before sending, or the portal.
pub(crate) fn origin(rule: &str) -> &'static str {
    if rule.starts_with("portal.") { "irp" } else { "validation" }
}

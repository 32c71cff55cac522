//! How the emulated portal behaves where the real one's behaviour is not settled, or changes.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::registration::RegistrationSettings;

/// Behaviour of the emulated portal. The defaults follow what was seen live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a configuration")]
pub struct PortalSettings {
    /// Hours after registration in which a document can be read back (default 48; range 1 to 8760).
    /// Later reads answer 2283.
    pub retrieval_window_hours: u32,
    /// Hours after registration in which an IRN can be cancelled (default 24; range 1 to 8760).
    pub cancel_window_hours: u32,
    /// Life of a token in minutes (default 60, as in NIC's sandbox; production has 360; range 11 to 1440).
    pub token_minutes: u32,
    /// Site name: `NIC1` (default) or `NIC2`. A call whose `irp` header names the other one finds nothing.
    pub site: String,
    /// `iss` of the signed tokens (default `NIC Sandbox`).
    pub issuer: String,
    /// What a read or cancellation of an IRN that is not there answers (default `not_available`).
    pub unknown_irn: UnknownIrn,
    /// Whether the outer `AckDt` keeps seconds (default false: rounded to the minute).
    pub ack_date_seconds: bool,
    /// Form of `ErrorDetails` on the pages behind the login (default `array`).
    pub error_details: ErrorDetailsForm,
    /// With which AppKey a repeated login wraps the SEK (default `latest`).
    pub sek_wrapping: SekWrapping,
    /// Where a computed distance is reported (default `info`).
    pub distance_report: DistanceReport,
    /// Whether every GSTIN of the right form, in a state that there is, is known and active, under an invented name
    /// (default true).
    /// When false, only those of `taxpayers` are.
    pub every_gstin_known: bool,
    /// Taxpayers with details of their own (default none).
    pub taxpayers: Vec<TaxpayerEntry>,
    /// Refuse documents older than this many days with 2305 (default unset: no limit).
    pub report_within_days: Option<u32>,
    /// Refuse documents dated before this day with 2284 (default unset; NIC's sandbox had 2025-04-01 in 2026).
    pub earliest_document_date: Option<String>,
    /// From this day on a ship-to address together with an e-way bill needs a GSTIN, and `CLSEWB` is known (default
    /// unset: both are on hold since 29 July 2026).
    pub ship_to_gstin_from: Option<String>,
    /// Whether `CANEWB` is taken on the registration portal's own address (default false: as in production,
    /// a bill is cancelled in the e-way bill system only).
    pub ewb_cancel_at_irp: bool,
    /// Life of a token of the e-way bill system in minutes (default 360; range 1 to 1440).
    pub ewb_token_minutes: u32,
    /// Whether every login of the e-way bill system displaces the one before, which then answers 238
    /// (default false: a login within the life of a token gives the same token).
    pub ewb_login_displaces: bool,
    /// Form of dates in replies of the e-way bill system (default `plain`).
    pub ewb_date_form: EwbDateForm,
    /// Whether the codes of a refusal end with a comma, as seen live (default true).
    pub ewb_error_trailing_comma: bool,
    /// Whether `error` is an object, as printed in documents, and not base64 (default false).
    pub ewb_error_as_object: bool,
    /// Whether the window of a cancellation counts from Part B, then with code 728 (default false).
    pub ewb_cancel_from_part_b: bool,
    /// Hours before and after the end of validity in which it can be extended (default 8; range 1 to 48).
    pub ewb_extension_hours: u32,
    /// Whether lists refuse the current day with 366 (default false).
    pub ewb_lists_refuse_today: bool,
    /// How many logins of a GSTIN the e-way bill system takes in 15 minutes; further ones answer 118 until 15 minutes
    /// after the first (default unset: any number. A provider quotes NIC with 5; range 1 to 1000).
    pub ewb_logins_per_15_minutes: Option<u32>,
    /// By how many per cent a distance may exceed the one between the PIN codes, else 702, and 4038 on the registration
    /// portal (default unset: it is not judged, as the tolerance is not public and the distances here are invented;
    /// range 0 to 1000).
    pub ewb_distance_tolerance_percent: Option<u32>,
    /// PIN codes from and to which no distance is known, so that distance 0 answers 721, and 4030 on the registration
    /// portal (default none).
    pub pins_without_distance: Vec<u32>,
    /// Whether a total below what the items and their rates make is refused with 620, and not only one below the sums
    /// of the request (default false: that the portal multiplies is not known).
    pub ewb_totals_from_items: bool,
    /// Whether the number of a railway document must have nine or ten digits, else 823 (default false: the rule began
    /// with alerts, and since when it refuses is not known).
    pub ewb_rail_documents_checked: bool,
    /// Whether a second bill for an IRN answers 4026 with the number of the first (default false: 4002. A bill that was
    /// made for the document in the e-way bill system answers 4026 either way).
    pub ewb_duplicate_names_number: bool,
    /// Suppliers that must make e-way bills of invoices by way of the IRN, else 720 (default none).
    pub einvoice_enabled: Vec<String>,
    /// Sign-up, IP listing, client pairs and API users, and what they lead to (default: pairs and users that the emulator
    /// makes itself are bound to nothing).
    pub registration: RegistrationSettings,
}

/// Answer to a read of an IRN that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum UnknownIrn {
    /// 2148 by IRN and 2154 by document, as seen live.
    NotAvailable,
    /// 3001 for both.
    NoData,
}

/// Form of `ErrorDetails`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum ErrorDetailsForm {
    /// A plain array, as in a captured reply of 2024.
    Array,
    /// Base64 of the array, as NIC's pages say.
    Base64,
}

/// Which AppKey wraps the SEK of a repeated login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum SekWrapping {
    /// That of the latest login.
    Latest,
    /// That of the login which made the token.
    First,
}

/// Where the distance computed for `Distance` 0 is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum DistanceReport {
    /// `InfoDtls` with EWBPPD, as captured.
    Info,
    /// `Remarks` of the reply.
    Remarks,
}

/// How the e-way bill system writes a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the forms that were seen")]
pub enum EwbDateForm {
    /// `13/12/2018 11:59:00 PM`.
    Plain,
    /// As plain, with a blank at the end.
    TrailingBlank,
    /// As plain, without the blank between day and time.
    MissingBlank,
    /// `13/12/2018 11.59:00 PM`.
    Dotted,
    /// `13/12/2018 23:59:00 PM`.
    TwentyFourHours,
}

/// A taxpayer in the emulator's registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TaxpayerEntry {
    /// The GSTIN.
    pub gstin: String,
    /// Legal name (default: an invented one).
    pub legal_name: String,
    /// Taxpayer type: `REG` (default), `SEZ`, `COM`, `TCS` and others.
    pub taxpayer_type: String,
    /// Status: `ACT` (default), `CNL`, `INA`, `SUS` or `PRO`; `UNKNOWN` makes the portal answer 3001.
    pub status: String,
    /// `U` (default) or `B`: blocked for e-way bills.
    pub block_status: String,
    /// Whether its turnover is above 5 crore, so that HSN codes of e-way bills need six digits (default false: four).
    pub turnover_above_5_crore: bool,
    /// Status in the portal's copy until the GSTIN is synced (default empty: the copy is up to date).
    pub stale_status: String,
}

impl Default for TaxpayerEntry {
    fn default() -> Self {
        Self {
            gstin: String::new(),
            legal_name: String::new(),
            taxpayer_type: "REG".into(),
            status: "ACT".into(),
            block_status: "U".into(),
            turnover_above_5_crore: false,
            stale_status: String::new(),
        }
    }
}

impl Default for PortalSettings {
    fn default() -> Self {
        Self {
            retrieval_window_hours: 48,
            cancel_window_hours: 24,
            token_minutes: 60,
            site: "NIC1".into(),
            issuer: "NIC Sandbox".into(),
            unknown_irn: UnknownIrn::NotAvailable,
            ack_date_seconds: false,
            error_details: ErrorDetailsForm::Array,
            sek_wrapping: SekWrapping::Latest,
            distance_report: DistanceReport::Info,
            every_gstin_known: true,
            taxpayers: Vec::new(),
            report_within_days: None,
            earliest_document_date: None,
            ship_to_gstin_from: None,
            ewb_cancel_at_irp: false,
            ewb_token_minutes: 360,
            ewb_login_displaces: false,
            ewb_date_form: EwbDateForm::Plain,
            ewb_error_trailing_comma: true,
            ewb_error_as_object: false,
            ewb_cancel_from_part_b: false,
            ewb_extension_hours: 8,
            ewb_lists_refuse_today: false,
            ewb_logins_per_15_minutes: None,
            ewb_distance_tolerance_percent: None,
            pins_without_distance: Vec::new(),
            ewb_totals_from_items: false,
            ewb_rail_documents_checked: false,
            ewb_duplicate_names_number: false,
            einvoice_enabled: Vec::new(),
            registration: RegistrationSettings::default(),
        }
    }
}

impl PortalSettings {
    /// Checks ranges and dates.
    ///
    /// # Errors
    /// [`SandboxError::Setting`] for the first setting out of its range.
    pub fn validate(&self) -> Result<(), SandboxError> {
        let out = |setting, found: String, expected| Err(SandboxError::Setting { setting, found, expected });
        let hours = 1..=8760;
        if !hours.contains(&self.retrieval_window_hours) {
            return out("retrieval_window_hours", self.retrieval_window_hours.to_string(), "1 to 8760");
        }
        if !hours.contains(&self.cancel_window_hours) {
            return out("cancel_window_hours", self.cancel_window_hours.to_string(), "1 to 8760");
        }
        if !(11..=1440).contains(&self.token_minutes) {
            return out("token_minutes", self.token_minutes.to_string(), "11 to 1440");
        }
        if !(1..=1440).contains(&self.ewb_token_minutes) {
            return out("ewb_token_minutes", self.ewb_token_minutes.to_string(), "1 to 1440");
        }
        if !(1..=48).contains(&self.ewb_extension_hours) {
            return out("ewb_extension_hours", self.ewb_extension_hours.to_string(), "1 to 48");
        }
        if let Some(logins) = self.ewb_logins_per_15_minutes.filter(|logins| !(1..=1000).contains(logins)) {
            return out("ewb_logins_per_15_minutes", logins.to_string(), "1 to 1000");
        }
        if let Some(percent) = self.ewb_distance_tolerance_percent.filter(|percent| *percent > 1000) {
            return out("ewb_distance_tolerance_percent", percent.to_string(), "0 to 1000");
        }
        if let Some(pin) = self.pins_without_distance.iter().find(|pin| !(100_000..=999_999).contains(*pin)) {
            return out("pins_without_distance", pin.to_string(), "PIN codes of six digits");
        }
        if !matches!(self.site.as_str(), "NIC1" | "NIC2") {
            return out("site", self.site.clone(), "NIC1 or NIC2");
        }
        for (setting, date) in
            [("earliest_document_date", &self.earliest_document_date), ("ship_to_gstin_from", &self.ship_to_gstin_from)]
        {
            if let Some(text) = date
                && text.parse::<Date>().is_err()
            {
                return out(setting, text.clone(), "a date as yyyy-mm-dd");
            }
        }
        for entry in &self.taxpayers {
            if entry.gstin.parse::<einvoice_core::identifier::Gstin>().is_err() {
                return out("taxpayers.gstin", entry.gstin.clone(), "a GSTIN of 15 characters");
            }
        }
        self.registration.validate()
    }

    pub(crate) fn earliest_date(&self) -> Option<Date> {
        self.earliest_document_date.as_deref().and_then(|text| text.parse().ok())
    }

    /// Whether the ship-to rule and voluntary closure, announced together and put on hold together, apply today.
    pub(crate) fn hold_is_over(&self, today: Date) -> bool {
        let from: Option<Date> = self.ship_to_gstin_from.as_deref().and_then(|text| text.parse().ok());
        from.is_some_and(|from| from <= today)
    }
}

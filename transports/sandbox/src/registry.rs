//! Who may call the portal, and whom it knows: client pairs, API users, taxpayers.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::ewb_wire::is_state;
use crate::settings::{PortalSettings, TaxpayerEntry};

/// The invented day on which every cancelled registration ended.
pub(crate) const DEREGISTERED: Date = date(2024, 3, 31);

/// The client pair of a PAN.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAccount {
    /// PAN, as it stands in characters 3 to 12 of the GSTINs it serves.
    pub pan: String,
    /// Client id.
    pub client_id: String,
    /// Client secret. Worthless outside the emulator; masked in `Debug` all the same.
    pub client_secret: String,
}

/// The API user of a GSTIN.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAccount {
    /// The taxpayer.
    pub gstin: String,
    /// User name.
    pub username: String,
    /// Password. Worthless outside the emulator; masked in `Debug` all the same.
    pub password: String,
}

impl fmt::Debug for ClientAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientAccount").field("pan", &self.pan).finish_non_exhaustive()
    }
}

impl fmt::Debug for UserAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UserAccount").field("gstin", &self.gstin).finish_non_exhaustive()
    }
}

/// The accounts of the portal.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) clients: BTreeMap<String, ClientAccount>,
    pub(crate) users: BTreeMap<String, UserAccount>,
    /// Users of the e-way bill system.
    pub(crate) ewb_users: BTreeMap<String, UserAccount>,
}

impl Accounts {
    /// The PAN whose client pair this is.
    pub(crate) fn pan_of(&self, client_id: &str, client_secret: &str) -> Option<&str> {
        let mut clients = self.clients.values();
        clients
            .find(|client| client.client_id == client_id && client.client_secret == client_secret)
            .map(|client| client.pan.as_str())
    }
}

/// The PAN inside a GSTIN; of a text that is no GSTIN, nothing.
pub(crate) fn pan_of(gstin: &str) -> Option<&str> {
    gstin.get(2..12)
}

/// Whether a text has the form of a GSTIN.
pub(crate) fn is_gstin(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 15
        && bytes.iter().take(2).all(u8::is_ascii_digit)
        && bytes.iter().skip(2).all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// A taxpayer as the registry knows it; nothing for an unknown one.
pub(crate) fn taxpayer(settings: &PortalSettings, gstin: &str) -> Option<TaxpayerEntry> {
    if !is_gstin(gstin) {
        return None;
    }
    let listed = settings.taxpayers.iter().find(|entry| entry.gstin == gstin).cloned();
    let mut entry = match listed {
        Some(entry) if entry.status == "UNKNOWN" => return None,
        Some(entry) => entry,
        None if settings.every_gstin_known && gstin.get(..2).is_some_and(is_state) => {
            TaxpayerEntry { gstin: gstin.to_owned(), ..TaxpayerEntry::default() }
        }
        None => return None,
    };
    if entry.legal_name.is_empty() {
        entry.legal_name = format!("Invented Traders {}", pan_of(gstin).unwrap_or_default());
    }
    Some(entry)
}

/// A PIN code of a state, by the state's code; 0, as the portal has it for an address without one, where
/// no post office bears the code.
const PINS: [(u32, u32); 36] = [
    (1, 180_001),
    (2, 171_001),
    (3, 140_001),
    (4, 140_119),
    (5, 244_712),
    (6, 121_001),
    (7, 110_001),
    (8, 301_001),
    (9, 201_001),
    (10, 800_001),
    (11, 737_101),
    (12, 790_001),
    (13, 797_001),
    (14, 795_001),
    (15, 796_001),
    (16, 799_001),
    (17, 783_123),
    (18, 781_001),
    (19, 700_001),
    (20, 813_208),
    (21, 751_001),
    (22, 490_001),
    (23, 450_001),
    (24, 360_001),
    (26, 362_520),
    (27, 400_001),
    (29, 560_001),
    (30, 403_001),
    (31, 682_551),
    (32, 670_001),
    (33, 600_001),
    (34, 533_464),
    (35, 744_101),
    (36, 500_001),
    (37, 505_416),
    (38, 194_101),
];

pub(crate) fn pin_of(state: u32) -> u32 {
    PINS.iter().find(|(code, _)| *code == state).map_or(0, |(_, pin)| *pin)
}

/// The reply to a question for a taxpayer's details, as JSON.
pub(crate) fn details(entry: &TaxpayerEntry) -> String {
    let state = entry.gstin.get(..2).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or_default();
    let deregistered = if entry.status == "CNL" { Some(DEREGISTERED.to_string()) } else { None };
    serde_json::json!({
        "Gstin": entry.gstin, "TradeName": entry.legal_name, "LegalName": entry.legal_name,
        "AddrBnm": "Sandbox House", "AddrBno": "1", "AddrFlno": null, "AddrSt": "Example Street",
        "AddrLoc": "Example Town", "StateCode": state, "AddrPncd": pin_of(state), "TxpType": entry.taxpayer_type,
        "Status": entry.status, "BlkStatus": entry.block_status, "DtReg": "2017-07-01", "DtDReg": deregistered,
    })
    .to_string()
}

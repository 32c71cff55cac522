//! The form of both parts: JSON with a version that is looked at before anything else.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The version of both layouts.
pub(super) const VERSION: u32 = 1;
/// Room reserved before writing, so that growing does not leave copies of secrets behind in memory.
const ROOM: usize = 4 * 1024;

/// Only the version, to refuse a newer layout before anything else is looked at.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Writes a record, in words without secrets where that fails.
pub(super) fn write(record: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut json = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *json, record).map_err(|error| place(&error))?;
    Ok(json)
}

/// Reads a record of this version, and says what is wrong without showing any of it.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    let found = serde_json::from_slice::<Versioned>(json).map_err(|error| place(&error))?.version;
    if found != VERSION {
        return Err(format!(
            "an entry has version {found} and this program knows version {VERSION}; use the program that wrote it"
        ));
    }
    serde_json::from_slice(json).map_err(|error| place(&error))
}

/// Where JSON is wrong, and never what stands there: the text is secret.
fn place(error: &serde_json::Error) -> String {
    format!("an entry is not as expected at line {}, column {}", error.line(), error.column())
}

//! One part of the results: what it remembers, and the files made of that.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::receipt::{Edition, Receipt};
use einvoice_file_drop::Picture;
use serde::{Deserialize, Serialize};

use super::files::{self, FileError};
use super::{alteration, import_xml, table};
use crate::config::QrFormat;

/// Version of the state file's form.
const VERSION: u32 = 1;

/// Everything a part remembers. The files for Tally and for people are made of it alone, so that the
/// same receipts always give the same bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    /// Companies in the order in which they came; each has its own file for Tally.
    companies: Vec<String>,
    /// The last receipt of each record, by source and record.
    receipts: BTreeMap<String, Receipt>,
}

/// Merges receipts into a part and writes its files.
pub(crate) fn deliver(folder: &Path, number: i64, format: QrFormat, receipts: &[&Receipt]) -> Result<(), FileError> {
    let name = format!("results-{number:04}");
    let state_path = folder.join("state").join(format!("{name}.json"));
    let mut state = read_state(&state_path)?;
    let mut changed = false;
    for receipt in receipts {
        changed |= state.merge(receipt);
    }
    if !changed && state.files(folder, &name).iter().all(|path| path.exists()) {
        return Ok(());
    }
    let list = folder.join(format!("{name}.csv"));
    for receipt in receipts {
        picture(&list, format, receipt)?;
    }
    for (index, company) in state.companies.iter().enumerate() {
        let chosen = state.ordered().into_iter().filter(|receipt| company_of(receipt) == company.as_str());
        if let Some(xml) = import_xml::file(company, chosen) {
            files::put(&folder.join(xml_name(&name, index)), xml.as_bytes())?;
        }
    }
    let rows = table::rows(state.ordered(), format)
        .map_err(|error| FileError::new(&list, "could not be made", std::io::Error::other(error)))?;
    files::put(&list, &rows)?;
    // Last: what the state says is delivered is in the files already.
    let text = serde_json::to_vec(&state).map_err(|error| FileError::new(&state_path, "could not be made", error))?;
    files::put(&state_path, &text)
}

fn read_state(path: &Path) -> Result<State, FileError> {
    let Some(text) = files::get(path)? else { return Ok(State { version: VERSION, ..State::default() }) };
    let state: State = serde_json::from_slice(&text)
        .map_err(|error| FileError::new(path, "is damaged; move it away to start this part anew", error))?;
    if state.version != VERSION {
        let error = std::io::Error::other(format!("version {} instead of {VERSION}", state.version));
        return Err(FileError::new(path, "was written by another version of this program", error));
    }
    Ok(state)
}

impl State {
    /// Takes a receipt in; what the known one covers is delivered already.
    fn merge(&mut self, receipt: &Receipt) -> bool {
        let key = format!("{}/{}", receipt.source, receipt.reference.record_id);
        if self.receipts.get(&key).is_some_and(|known| Edition::of(known).covers(&Edition::of(receipt))) {
            return false;
        }
        let company = company_of(receipt);
        if !self.companies.iter().any(|known| known == company) {
            self.companies.push(company.to_owned());
        }
        let mut kept = receipt.clone();
        // The signed invoice is in none of the files, and would be most of the state.
        if let Some(registration) = kept.registration.as_mut() {
            registration.signed_invoice = None;
        }
        self.receipts.insert(key, kept);
        true
    }

    /// The receipts in the order of the ledger.
    fn ordered(&self) -> Vec<&Receipt> {
        let mut receipts: Vec<&Receipt> = self.receipts.values().collect();
        receipts.sort_by_key(|receipt| receipt.reference_id);
        receipts
    }

    /// The files this state should have made.
    fn files(&self, folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
        let with_vouchers = self.companies.iter().enumerate().filter(|(_, company)| {
            self.receipts
                .values()
                .any(|receipt| company_of(receipt) == company.as_str() && alteration::is_imported(receipt))
        });
        let xml = with_vouchers.map(|(index, _)| folder.join(xml_name(name, index)));
        xml.chain([folder.join(format!("{name}.csv"))]).collect()
    }
}

fn xml_name(name: &str, company: usize) -> String {
    if company == 0 { format!("{name}.xml") } else { format!("{name}-company-{}.xml", company + 1) }
}

fn company_of(receipt: &Receipt) -> &str {
    receipt.attributes.get("company").map_or("", String::as_str)
}

/// Draws the QR code of a receipt beside the list, where there is one to draw.
fn picture(list: &Path, format: QrFormat, receipt: &Receipt) -> Result<(), FileError> {
    let drawn = Picture::of(receipt, format)
        .map_err(|error| FileError::new(list, "a QR code could not be drawn", std::io::Error::other(error)))?;
    let Some(picture) = drawn else { return Ok(()) };
    picture.put(list).map_err(|error| FileError::unwritten(&list.with_file_name(&picture.name), error))
}

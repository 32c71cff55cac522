//! Reads invoices from workbooks and text files.

mod book;
mod builtin;
mod cell;
mod config;
mod fields;
mod group;
mod heading;
mod reading;
mod record;
mod source;

pub use config::{CopyFormat, RecordId, SourceConfig, WriteBackConfig};
pub use einvoice_file_drop::Encoding;
pub use source::SpreadsheetSource;

#[doc(hidden)]
pub mod testing {
    //! What tests of other crates need to know of the sheet.

    /// Headings with the member of INV-01 that each is for, in the order of the portal's sheet.
    pub fn headings() -> impl Iterator<Item = (&'static str, &'static str)> {
        crate::builtin::HEADINGS.iter().map(|heading| (heading.text, heading.path))
    }
}

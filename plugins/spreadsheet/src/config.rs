//! Settings of both roles.

use einvoice_core::mapping::MappingConfig;
use einvoice_file_drop::{Encoding, FolderSettings};
use schemars::JsonSchema;
use serde::Deserialize;

/// Endings of files that are read from a folder.
const EXTENSIONS: &[&str] = &["xlsx", "xlsm", "xlsb", "xls", "ods", "csv", "tsv", "txt"];

/// Settings of the source `spreadsheet`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceConfig {
    /// A folder, of which all workbooks and text files are read (`xlsx`, `xlsm`, `xlsb`, `xls`, `ods`, `csv`, `tsv`,
    /// `txt`); or a pattern such as `inbox/*.xlsx` (`*`, `?`, `**`); or one file. Required.
    pub path: String,
    /// Where a file goes once all its documents are registered. Default: a folder `done` beside the file.
    #[serde(default)]
    pub done_folder: Option<String>,
    /// Where a file goes once all its documents are settled and one of them needs a person. Default: a folder
    /// `needs-person` beside the file.
    #[serde(default)]
    pub needs_person_folder: Option<String>,
    /// Whether settled files are moved at all; if not, they are read again on each run, which changes nothing.
    /// Default: true.
    #[serde(default = "yes")]
    pub move_files: bool,
    /// How long size and time of a file must stand still before it is read, in milliseconds. A run waits so long for
    /// files that have just been written; 0 reads them at once. Range 0 to 600,000. Default: 1,000.
    #[serde(default = "settle_ms")]
    pub settle_ms: u64,
    /// Read a file only when a second file with this ending lies beside it. Then nothing is waited for. Default: none.
    #[serde(default)]
    pub trigger_suffix: Option<String>,
    /// Endings of names that are left alone, as files that are still being written have them. Default: `.tmp` and
    /// `.part`.
    #[serde(default = "ignored")]
    pub ignore_suffixes: Vec<String>,
    /// End of the base name of files that are never read, for results that lie beside their workbooks. Default: none, as
    /// results lie in a folder of their own and are dropped in again once corrected.
    #[serde(default)]
    pub response_suffix: String,
    /// How bytes of text files become text: `auto` (UTF-8 and UTF-16) or `windows-1252`. Default: `auto`.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands between the values of text files: one of `,` `;` `|` or a tab (`"\t"`). Default: the one that the
    /// first rows show.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// The sheet to read, by name. Default: every visible sheet that has a heading for the document number.
    #[serde(default)]
    pub sheet: Option<String>,
    /// The row of the headings, from 1. Default: the best of the first ten.
    #[serde(default)]
    pub heading_row: Option<u32>,
    /// Take rows that have an item and no document number for further rows of the document above. Default: false, which
    /// reports such a row and keeps that document back; merged cells count for all their rows either way.
    #[serde(default)]
    pub carry_down: bool,
    /// What tells one record from another when files are read again. Default: `document`.
    #[serde(default)]
    pub record_id: RecordId,
    /// Headings of your own, constants, tables, supplier details. Default: the headings of the portal's bulk spreadsheet.
    #[serde(default)]
    pub mapping: MappingConfig,
}

/// What tells one record from another when files are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordId {
    /// The key of the document: supplier, financial year, type and number. A corrected document is known again in
    /// whatever file and row it arrives. Takes 16 to 50 bytes of memory a document while files are read.
    #[default]
    Document,
    /// The file, the sheet and the first row, for workbooks whose documents keep their places.
    Position,
}

/// Settings of the write-back `spreadsheet`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WriteBackConfig {
    /// Where copies with results go. Default: a folder `results` beside the place where the workbook was read.
    pub folder: Option<String>,
    /// Form of the copies: `auto` answers text files by text files and anything else by a workbook; `xlsx` answers
    /// everything by a workbook. Default: `auto`.
    pub format: CopyFormat,
    /// Where a workbook may lie once it is settled, if not in the folders `done` and `needs-person` beside its old place.
    /// Default: none.
    pub settled_folders: Vec<String>,
    /// Most pictures of signed QR codes in one workbook; they stand on a sheet of their own, at the size for paper.
    /// 0 draws none. Range 0 to 10,000. Default: 500.
    pub qr_pictures_max: u32,
}

/// Form of copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CopyFormat {
    /// A text file is answered by a text file, anything else by a workbook.
    #[default]
    Auto,
    /// Always a workbook.
    Xlsx,
}

impl Default for WriteBackConfig {
    fn default() -> Self {
        Self { folder: None, format: CopyFormat::default(), settled_folders: Vec::new(), qr_pictures_max: 500 }
    }
}

impl SourceConfig {
    /// The settings that all sources of files have.
    pub(crate) fn folder(&self) -> FolderSettings {
        FolderSettings {
            path: self.path.clone(),
            extensions: EXTENSIONS,
            done_folder: self.done_folder.clone(),
            needs_person_folder: self.needs_person_folder.clone(),
            move_files: self.move_files,
            settle_ms: self.settle_ms,
            trigger_suffix: self.trigger_suffix.clone(),
            ignore_suffixes: self.ignore_suffixes.clone(),
            response_suffix: self.response_suffix.clone(),
            ..FolderSettings::default()
        }
    }
}

const fn yes() -> bool {
    true
}

const fn settle_ms() -> u64 {
    1_000
}

fn ignored() -> Vec<String> {
    vec![".tmp".to_owned(), ".part".to_owned()]
}

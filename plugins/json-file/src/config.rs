//! Settings of both roles.

use einvoice_core::mapping::MappingConfig;
use einvoice_file_drop::{Encoding, QrFormat};
use schemars::JsonSchema;
use serde::Deserialize;

/// End of the base name of a request file, by the usage of file-drop interfaces (`INV123_P.json`).
pub(crate) const REQUEST_SUFFIX: &str = "_P";
/// End of the base name of a response file (`INV123_R.json`).
pub(crate) const RESPONSE_SUFFIX: &str = "_R";

/// Settings of the source `json-file`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceConfig {
    /// A folder, of which all `*.json`, `*.jsonl`, `*.ndjson` and `*.xml` files are read; or a pattern such as
    /// `inbox/*.json` (`*`, `?`, `**`); or one file. Required.
    pub path: String,
    /// Where a file goes once all its documents are registered. Default: a folder `done` beside the
    /// file.
    #[serde(default)]
    pub done_folder: Option<String>,
    /// Where a file goes once all its documents are settled and one of them needs a person. Default:
    /// a folder `needs-person` beside the file.
    #[serde(default)]
    pub needs_person_folder: Option<String>,
    /// Where a file lies while it is worked on, so that of several programs on one folder no two read the same file; on
    /// the same drive. What a program left there that is gone is taken up by the next. Default: files are read as they
    /// lie.
    #[serde(default)]
    pub work_folder: Option<String>,
    /// Whether settled files are moved at all; if not, they are read again on each run, which
    /// changes nothing. Default: true.
    #[serde(default = "yes")]
    pub move_files: bool,
    /// How long size and time of a file must stand still before it is read, in milliseconds. A run
    /// waits so long for files that have just been written; 0 reads them at once. Range 0 to
    /// 600,000. Default: 1,000.
    #[serde(default = "settle_ms")]
    pub settle_ms: u64,
    /// Read a file only when a second file with this ending lies beside it: with `.done`,
    /// `INV1.json` waits for `INV1.json.done` or `INV1.done`. Then nothing is waited for. Default:
    /// none.
    #[serde(default)]
    pub trigger_suffix: Option<String>,
    /// Endings of names that are left alone, as files that are still being written have them.
    /// Default: `.tmp` and `.part`.
    #[serde(default = "ignored")]
    pub ignore_suffixes: Vec<String>,
    /// End of the base name of response files, which are never read as input. Default: `_R`.
    #[serde(default = "response_suffix")]
    pub response_suffix: String,
    /// How bytes become text. Default: `auto`.
    #[serde(default)]
    pub encoding: Encoding,
    /// What tells one record from another when files are read again. Default: `document`.
    #[serde(default)]
    pub record_id: RecordId,
    /// What the documents are. Default: `auto`.
    #[serde(default)]
    pub format: DocumentFormat,
    /// Where the lines of a document stand, with `format = "mapped"`: a path such as `invoice.lines`. Default: `lines`.
    #[serde(default = "lines")]
    pub lines: String,
    /// Rules of your own, which go before those built in: see the chapter on mapping. Default: none.
    #[serde(default)]
    pub mapping: MappingConfig,
}

/// What the documents of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentFormat {
    /// Told by what a document holds: XML is UBL, JSON with a schema of gobl.org is GOBL, all else INV-01.
    #[default]
    Auto,
    /// INV-01 JSON.
    Inv01,
    /// GOBL invoices, in their envelope or bare.
    Gobl,
    /// UBL 2.1 invoices and credit notes.
    Ubl,
    /// Any JSON, by the rules of `mapping` alone.
    Mapped,
}

/// What tells one record from another when files are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordId {
    /// The key of the document: supplier, financial year, type and number. A corrected document is
    /// known again in whatever file and place it arrives. Takes 16 to 50 bytes of memory a document
    /// while files are read, so that a second document under one key is not taken for a correction.
    #[default]
    Document,
    /// The file and the place in it: no memory at all, for files whose documents keep their places.
    Position,
}

/// Settings of the write-back `json-file`. Relative paths start at the folder of the configuration
/// file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WriteBackConfig {
    /// Where response files go. Default: beside the place where the request file was read.
    pub folder: Option<String>,
    /// End of the base name of a request file, which the response suffix replaces: `INV1_P.json` is
    /// answered by `INV1_R.json`, and `INV1.json` too. Default: `_P`.
    pub request_suffix: String,
    /// End of the base name of a response file. Default: `_R`.
    pub response_suffix: String,
    /// Write acknowledgement and e-way bill numbers as text, for programs whose numbers cannot hold
    /// 15 digits. Default: false, as the portal writes numbers.
    pub numbers_as_text: bool,
    /// Most documents in one response file. The answers to further ones go to `INV1_R_2.json` and
    /// so on, so that writing them does not become slower with every batch. Range 1 to 1,000,000.
    /// Default: 10,000.
    pub documents_max: u64,
    /// Pictures of the signed QR code: `none`, `png` or `svg`; one file a document, in a folder `qr` beside the
    /// response, named in its `QrFile`. Default: `none`.
    pub qr: QrFormat,
}

impl Default for WriteBackConfig {
    fn default() -> Self {
        Self {
            folder: None,
            request_suffix: REQUEST_SUFFIX.to_owned(),
            response_suffix: response_suffix(),
            numbers_as_text: false,
            documents_max: 10_000,
            qr: QrFormat::None,
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

fn lines() -> String {
    "lines".to_owned()
}

fn response_suffix() -> String {
    RESPONSE_SUFFIX.to_owned()
}

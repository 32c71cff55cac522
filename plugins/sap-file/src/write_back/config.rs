//! Settings of the write-back.

use einvoice_file_drop::QrFormat;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{REQUEST_SUFFIX, RESPONSE_SUFFIX};

/// Settings of the write-back `sap-file`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WriteBackConfig {
    /// Where results go. Default: beside the place where the request file was read.
    pub folder: Option<String>,
    /// End of the base name of a request file, which the response suffix replaces: `INV1_P.json` is answered by
    /// `INV1_R.json`, and `INV1.idoc` too. Default: `_P`.
    pub request_suffix: String,
    /// End of the base name of every result file. Default: `_R`.
    pub response_suffix: String,
    /// Which files are written for a request. Default: `response`.
    pub results: Vec<ResultForm>,
    /// How acknowledgement and e-way bill numbers are written in JSON: `number` as the portal does, `text` for programs
    /// whose numbers cannot hold 15 digits, `both` for a second member that ends in `_TEXT`. Default: `number`.
    pub numbers: NumberForm,
    /// Write signed texts in pieces of so many characters too (`SIGNED_QRCODE_01` ...), for programs that cut long lines.
    /// Range 40 to 4,000. Default: not at all.
    pub chunk: Option<usize>,
    /// What stands between values in CSV. Default: `;`.
    pub separator: char,
    /// Most documents in one result file; answers to further ones go to `INV1_R_2.json` and so on. Range 1 to 10,000.
    /// Default: 1,000.
    pub documents_max: u32,
    /// Pictures of the signed QR code: `none`, `png` or `svg`; one file a document, in a folder `qr` beside the results.
    /// Default: `none`.
    pub qr: QrFormat,
}

/// A file of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResultForm {
    /// `INV1_R.json`: the answer of a file drop, with the portal's answer as `govt_response` and all errors.
    Response,
    /// `INV1_INVREFNUM_R.json`: rows of table `J_1IG_INVREFNUM`, with those of the e-way bill.
    Invrefnum,
    /// `INV1_INVREFNUM_R.csv`: the same as CSV.
    InvrefnumCsv,
    /// `INV1_PORTAL_R.json`: registered documents in the portal's own form.
    Portal,
    /// `INV1_STATUS_R.xml`: a status `IDoc` for each `IDoc` that was read, 16 for registered and 17 for refused.
    Status,
}

/// How numbers of 12 and more digits are written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NumberForm {
    /// As numbers.
    #[default]
    Number,
    /// As text.
    Text,
    /// As numbers, and as text in a second member.
    Both,
}

impl Default for WriteBackConfig {
    fn default() -> Self {
        Self {
            folder: None,
            request_suffix: REQUEST_SUFFIX.to_owned(),
            response_suffix: RESPONSE_SUFFIX.to_owned(),
            results: vec![ResultForm::Response],
            numbers: NumberForm::default(),
            chunk: None,
            separator: ';',
            documents_max: 1_000,
            qr: QrFormat::None,
        }
    }
}

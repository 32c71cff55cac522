//! Settings of the source.

use std::collections::BTreeMap;

use einvoice_core::mapping::MappingConfig;
use einvoice_file_drop::Encoding;
use schemars::JsonSchema;
use serde::Deserialize;

pub use crate::idoc::Padding;

/// End of the base name of a request file, by the usage of file-drop interfaces (`INV123_P.json`).
pub(crate) const REQUEST_SUFFIX: &str = "_P";
/// End of the base name of a response file (`INV123_R.json`).
pub(crate) const RESPONSE_SUFFIX: &str = "_R";

/// Settings of the source `sap-file`. Relative paths start at the folder of the configuration file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceConfig {
    /// A folder, of which all `*.idoc`, `*.xml`, `*.json`, `*.csv`, `*.txt` and `*.dat` files are read; or a pattern such
    /// as `in/*.idoc` (`*`, `?`, `**`); or one file. Required.
    pub path: String,
    /// What the files hold. Default: `auto`, told by their first characters.
    #[serde(default)]
    pub format: FileFormat,
    /// Where a file goes once all its documents are registered. `%Y`, `%m` and `%d` are the day on which that is, in
    /// India: `archive/%Y/%m/%d`. Default: a folder `done` beside the file.
    #[serde(default)]
    pub done_folder: Option<String>,
    /// Where a file goes once all its documents are settled and one of them needs a person; with the day as above.
    /// Default: a folder `needs-person` beside the file.
    #[serde(default)]
    pub needs_person_folder: Option<String>,
    /// Where a file lies while it is worked on, so that no two programs read the same one; on the same drive. What a
    /// program left there that is gone is taken up by the next. Default: a folder `work` in the searched folder.
    #[serde(default)]
    pub work_folder: Option<String>,
    /// Whether settled files are moved at all; if not, they are read as they lie, again on each run, which changes
    /// nothing, and only one program may work on the folder. Default: true.
    #[serde(default = "yes")]
    pub move_files: bool,
    /// How long size and time of a file must stand still before it is read, in milliseconds. Range 0 to 600,000.
    /// Default: 1,000.
    #[serde(default = "settle_ms")]
    pub settle_ms: u64,
    /// Read a file only when a second file with this ending lies beside it: with `.done`, `INV1.idoc` waits for
    /// `INV1.idoc.done` or `INV1.done`. Default: none.
    #[serde(default)]
    pub trigger_suffix: Option<String>,
    /// Endings of names that are left alone, as files that are still being written have them. Default: `.tmp`,
    /// `.part`, and `.state`, which the write-back keeps.
    #[serde(default = "ignored")]
    pub ignore_suffixes: Vec<String>,
    /// End of the base name of response files, which are never read as input. Default: `_R`.
    #[serde(default = "response_suffix")]
    pub response_suffix: String,
    /// How bytes become text. Default: `auto`, which knows UTF-8, UTF-16 and the declaration of an XML file.
    #[serde(default)]
    pub encoding: Encoding,
    /// What the places of fields in a flat file are counted in. Default: `auto`.
    #[serde(default)]
    pub padding: Padding,
    /// How numbers are written: `auto`, `point` or `comma`. Default: `auto`, decided for each `IDoc` as a whole.
    #[serde(default)]
    pub numbers: Numbers,
    /// Files with the layouts of segments: the XML or CSV export of segment definitions (WE60). They go before what is
    /// built in, and are needed for flat files with segments of your own. Default: none.
    #[serde(default)]
    pub definitions: Vec<String>,
    /// Take flat `IDoc`s whose segment numbers leave some out, as filters of segments in SAP make them. Default: false.
    #[serde(default)]
    pub allow_segment_gaps: bool,
    /// Refuse flat invoices without totals (`E1EDS01`), as cut files are. Default: true.
    #[serde(default = "yes")]
    pub require_summary: bool,
    /// What control records must say.
    #[serde(default)]
    pub control: ControlConfig,
    /// What taxes, charges and free components are called.
    #[serde(default)]
    pub conditions: ConditionsConfig,
    /// Plants by their key (`WERKS`): whose GSTIN supplies from there, and the address goods leave from. Default: none.
    #[serde(default)]
    pub plants: BTreeMap<String, PlantConfig>,
    /// GSTIN of the supplier by company code, where neither the `IDoc` nor its plant says it. Default: none.
    #[serde(default)]
    pub company_gstins: BTreeMap<String, String>,
    /// What results are returned with, by name of the key and field of the `IDoc`, beside what is always returned:
    /// `BUPLA = "Z1TAX.BUPLA"`. Default: none.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// Where members of INV-01 come from in an `IDoc`; goes before what is built in, member by member. Fields are
    /// `E1EDK01.CURCY`, with a qualifier `E1EDK02[009].BELNR`.
    #[serde(default)]
    pub mapping: MappingConfig,
    /// How CSV files are laid out, and where members of INV-01 come from in them.
    #[serde(default)]
    pub csv: CsvConfig,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileFormat {
    /// Told by its first characters.
    #[default]
    Auto,
    /// Flat `IDoc`s.
    Flat,
    /// `IDoc`s in XML.
    Xml,
    /// INV-01 documents in JSON, in the wrapper of a file drop or without.
    Json,
    /// Rows.
    Csv,
}

/// How numbers are written in `IDoc`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Numbers {
    /// By the numbers of the `IDoc`: all of them are written in one way.
    #[default]
    Auto,
    /// `1234.50`, as SAP writes them.
    Point,
    /// `1.234,50`, as user settings make them.
    Comma,
}

/// What control records must say. An `IDoc` that does not is refused, as it came to the wrong place.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ControlConfig {
    /// Message types. Default: `INVOIC`.
    pub message_types: Vec<String>,
    /// `IDoc` types. Default: `INVOIC01` and `INVOIC02`.
    pub idoc_types: Vec<String>,
    /// Clients (`MANDT`). Default: any.
    pub clients: Vec<String>,
    /// Senders (`SNDPRN`). Default: any.
    pub senders: Vec<String>,
    /// Take `IDoc`s that are marked as a test. Only for a source whose routes lead to a test system. Default: false.
    pub accept_test: bool,
    /// Take `IDoc`s that are on their way into SAP (`DIRECT` 2). Default: false.
    pub accept_inbound: bool,
}

impl Default for ControlConfig {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            message_types: words(&["INVOIC"]),
            idoc_types: words(&["INVOIC01", "INVOIC02"]),
            clients: Vec::new(),
            senders: Vec::new(),
            accept_test: false,
            accept_inbound: false,
        }
    }
}

/// A tax of INV-01, or what is charged like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tax {
    /// Central tax.
    Cgst,
    /// State tax, and that of union territories.
    Sgst,
    /// Integrated tax.
    Igst,
    /// Central and state tax in one row, half each.
    Halves,
    /// Compensation cess.
    Cess,
    /// Other charges on the item, such as tax collected at source.
    Other,
}

/// What taxes, charges and free components are called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConditionsConfig {
    /// Taxes by condition type (`E1EDP05.KSCHL`); what stands here is added to what is built in. Built in: `JOCG`, `JOSG`,
    /// `JOUG`, `JOIG`, `JCOS`, `JTC1`, `JTC2`.
    pub taxes: BTreeMap<String, Tax>,
    /// Taxes by a word in the text of a tax row (`E1EDP04.KTEXT`, `TXJCD`): `"Central" = "cgst"`. Default: `CGST`, `SGST`,
    /// `UTGST`, `IGST`.
    pub tax_texts: BTreeMap<String, Tax>,
    /// Taxes by tax code (`E1EDP04.MWSKZ`). Default: none.
    pub tax_codes: BTreeMap<String, Tax>,
    /// Condition types of rounding in the head (`E1EDK05.KSCHL`). Default: `DIFF` and `ZRND`.
    pub rounding: Vec<String>,
    /// Condition types of the head that are charged on top of the items. Default: none.
    pub charges: Vec<String>,
    /// Leave out items without value that belong to another item (`UEPOS`). Default: true.
    pub drop_free_components: bool,
    /// For how many units of a currency `WKURS` is the rate: `{ JPY = 100 }`. SAP keeps this ratio apart from the rate (table
    /// `TCURF`, transaction OBBS), and no `IDoc` has it. A currency of which a unit is worth less than a rupee or so (`JPY`,
    /// `KRW`, `IDR`, `HUF` ...) is an error until it stands here. Range 1 to 1,000,000, powers of ten. Default: none, the
    /// rate of any other currency is for one unit.
    pub currency_units: BTreeMap<String, u32>,
}

impl Default for ConditionsConfig {
    fn default() -> Self {
        Self {
            taxes: BTreeMap::new(),
            tax_texts: BTreeMap::new(),
            tax_codes: BTreeMap::new(),
            rounding: vec!["DIFF".to_owned(), "ZRND".to_owned()],
            charges: Vec::new(),
            drop_free_components: true,
            currency_units: BTreeMap::new(),
        }
    }
}

/// A plant.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PlantConfig {
    /// GSTIN that supplies from this plant. Default: that of the `IDoc` or its company code.
    pub gstin: Option<String>,
    /// Name at the address goods leave from; without it the supplier's own address is meant. Default: none.
    pub name: Option<String>,
    /// First address line.
    pub address1: Option<String>,
    /// Second address line.
    pub address2: Option<String>,
    /// City, town or village.
    pub location: Option<String>,
    /// PIN code.
    pub pin: Option<u32>,
    /// State code.
    pub state: Option<String>,
}

/// How CSV files are laid out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CsvConfig {
    /// What stands between values: `,`, `;`, `|` or a tab. Default: the one that the first line has most of.
    pub separator: Option<char>,
    /// Names of the columns in their order, for files without a heading line. Default: the first line names them.
    pub columns: Vec<String>,
    /// Names of the columns of head rows, where head and items have rows of their own and the file has no heading line.
    /// Default: none.
    pub head_columns: Vec<String>,
    /// Names of the columns of item rows, to go with `head_columns`. Default: none.
    pub item_columns: Vec<String>,
    /// Column that says what a row is: `H` for a head, `I` for an item. With `head_columns` it is the first of them.
    /// Default: none, each row has the columns of the head and of one item.
    pub kind_column: Option<String>,
    /// Columns that are the same for all rows of a document. Default: `DocDtls.Typ`, `DocDtls.No`, `SellerDtls.Gstin`, as
    /// far as there are such columns.
    pub group_by: Vec<String>,
    /// Where members of INV-01 come from. Default: columns named as the members are, such as `DocDtls.No`, or as SAP calls
    /// their origin.
    pub mapping: MappingConfig,
}

const fn yes() -> bool {
    true
}

const fn settle_ms() -> u64 {
    1_000
}

fn ignored() -> Vec<String> {
    vec![".tmp".to_owned(), ".part".to_owned(), ".state".to_owned()]
}

fn response_suffix() -> String {
    RESPONSE_SUFFIX.to_owned()
}

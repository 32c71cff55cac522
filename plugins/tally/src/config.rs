//! Settings of the source and of the write-back target.

use std::collections::BTreeMap;

use einvoice_core::mapping::MappingConfig;
pub use einvoice_file_drop::QrFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the `tally` source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TallySourceConfig {
    /// Exported files to read, XML or the JSON of release 7, as a pattern: `inbox/*.xml`. Relative to the configuration file.
    /// Exactly one of `path` and `url` is required.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// A running Tally to read from: `http://localhost:9000`. Exactly one of `path` and `url` is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The company to read, named as Tally names it. Required with `url`: without a name Tally
    /// answers for whatever company is active on its screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// First day to read from a running Tally: `2026-04-01`. Required with `url`, so that a first
    /// run never reaches back into years that are closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Form in which a running Tally is asked for day books and masters. Default: `xml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// How a changed voucher is asked for. Default: `object`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<ChangedMode>,
    /// Days, counted back from today, whose vouchers are read again after a master changed: a
    /// voucher does not change when the HSN code of its item is mended. Older days come, too, where a
    /// voucher of theirs could not be sent. 0 reads none again. 0 to 366. Default: 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reread_days: Option<u32>,
    /// Encoding of requests; Tally answers in the same. Default: `utf16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<Charset>,
    /// Longest wait for a connection, in milliseconds. 1 to 600000. Default: 2000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout_ms: Option<u64>,
    /// Longest wait for a small answer, in milliseconds. 1 to 600000. Default: 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_timeout_ms: Option<u64>,
    /// Longest silence of Tally while it exports a day or the masters, in milliseconds. 1 to
    /// 3600000. Default: 120000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_timeout_ms: Option<u64>,
    /// Longest wait for the tiny request that is sent after a time-out, before anything else, in
    /// milliseconds. 1 to 600000. Default: 30000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_timeout_ms: Option<u64>,
    /// How long size and time of a file must stand still before it is read, in milliseconds: Tally takes its time over a
    /// long export. A run waits so long for files that have just been written; 0 reads them at once. Only with `path`. 0 to
    /// 600000. Default: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_ms: Option<u64>,
    /// Files that hold masters for all vouchers, as patterns. Masters in a voucher's own file go
    /// first. Default: none.
    #[serde(default)]
    pub masters: Vec<String>,
    /// Maps vouchers that carry an IRN already, too, instead of passing over them. They must not be
    /// sent again: this is for comparing. Default: false.
    #[serde(default)]
    pub include_registered: bool,
    /// Supplier details, one entry for each GSTIN. What is missing here is taken from the company
    /// and registration masters. Default: none.
    #[serde(default)]
    pub seller: Vec<SellerConfig>,
    /// What a voucher type is, by the user's name for it. Goes before the type masters. Default: none.
    #[serde(default)]
    pub voucher_types: BTreeMap<String, VoucherClass>,
    /// What a ledger is, by name. Goes before the ledger masters. Default: none.
    #[serde(default)]
    pub ledgers: BTreeMap<String, LedgerRole>,
    /// HSN or SAC of stock items and ledgers whose vouchers and masters have none, by name.
    /// Default: none.
    #[serde(default)]
    pub hsn: BTreeMap<String, String>,
    /// HSN for items that have none anywhere. Default: none.
    #[serde(default)]
    pub default_hsn: Option<String>,
    /// Unit quantity codes by unit name. Default: none.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
    /// How taxable charges such as freight reach the document. Default: `auto`.
    #[serde(default)]
    pub charges: ChargesMode,
    /// What describes an item. Default: `item`.
    #[serde(default)]
    pub description: DescriptionMode,
    /// When an e-way bill is asked for together with the IRN. Default: `as_voucher`.
    #[serde(default)]
    pub eway_bill: EwayBillMode,
    /// The Indian port or place where exported goods leave, as ship-to of export documents with an
    /// e-way bill. Default: none.
    #[serde(default)]
    pub export_ship_to: Option<PlaceConfig>,
    /// Rules of your own over what is mapped here: fields are `V/NARRATION` of the voucher and `I/BATCHNAME` of an item's
    /// line (see the chapter on mapping). Default: none.
    #[serde(default)]
    pub mapping: MappingConfig,
    /// Largest voucher or master read, in bytes. Default: 16777216 (16 MB).
    #[serde(default = "default_object_bytes_max")]
    pub voucher_bytes_max: usize,
}

/// 16 MB: a thousand item lines with every empty list Tally writes stay below 10 MB.
pub(crate) const fn default_object_bytes_max() -> usize {
    16 * 1024 * 1024
}

/// A supplier's details for the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SellerConfig {
    /// GSTIN these details are for. Required.
    pub gstin: String,
    /// Legal name, 3 to 100 characters. Default: formal name of the company master.
    pub legal_name: Option<String>,
    /// Trade name, where it differs. Default: none.
    pub trade_name: Option<String>,
    /// First address line; with it the whole address is the configured one. Default: the master of the registration, else
    /// that of the company where it lies in the state of the GSTIN.
    pub address1: Option<String>,
    /// Second address line, beside `address1`. Default: none.
    pub address2: Option<String>,
    /// City, town or village. Default: what `address1` names, or the master that the address comes from.
    pub location: Option<String>,
    /// PIN code; required beside `address1`. Default: the master that the address comes from.
    pub pin: Option<u32>,
    /// Phone, 6 to 12 digits. Default: none.
    pub phone: Option<String>,
    /// E-mail address. Default: none.
    pub email: Option<String>,
}

/// A place with its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceConfig {
    /// Name, 3 to 100 characters. Required.
    pub name: String,
    /// First address line. Required.
    pub address1: String,
    /// City, town or village. Required.
    pub location: String,
    /// PIN code. Required.
    pub pin: u32,
    /// State, by name or code. Required.
    pub state: String,
}

/// What a voucher type is to the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VoucherClass {
    /// A sale: an invoice.
    Sales,
    /// A credit note to a customer.
    CreditNote,
    /// A debit note to a customer.
    DebitNote,
    /// A supplementary invoice of sales class, reported as a debit note.
    SupplementaryInvoice,
    /// Not reported.
    Ignore,
}

/// What a ledger does on a sales voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LedgerRole {
    /// The customer.
    Party,
    /// Sales or income: an item of its own on a bill for services.
    Sales,
    /// CGST.
    Cgst,
    /// SGST or UTGST.
    Sgst,
    /// IGST.
    Igst,
    /// Compensation cess.
    Cess,
    /// State cess.
    StateCess,
    /// Rounding.
    RoundOff,
    /// A charge that is part of the taxable value, such as freight.
    TaxableCharge,
    /// A charge outside GST, such as TCS.
    OtherCharge,
    /// A discount that reduces the taxable value.
    DiscountBeforeTax,
    /// A discount on the whole bill, after tax.
    DiscountAfterTax,
}

/// How taxable charges reach the document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChargesMode {
    /// A line of its own where the ledger has its own HSN and rate, else spread over the items.
    #[default]
    Auto,
    /// Always spread over the items by value.
    Spread,
    /// Always a line of its own.
    OwnLine,
}

/// What describes an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DescriptionMode {
    /// The stock item's name.
    #[default]
    Item,
    /// The stock item's name and the description lines below it.
    ItemAndLines,
}

/// When an e-way bill is asked for together with the IRN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EwayBillMode {
    /// When the voucher has transport details and no e-way bill number yet, and does not say No to a bill together with
    /// the IRN (`ISGSTEINVINCLEWAYBILL`). A voucher without that field says nothing.
    #[default]
    AsVoucher,
    /// Never.
    Never,
}

/// Settings of the `tally` write-back target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TallyWriteBackConfig {
    /// Folder for results; made when missing. Relative to the configuration file. Exactly one of
    /// `folder` and `url` is required.
    #[serde(default)]
    pub folder: String,
    /// A running Tally to write into: `http://localhost:9000`. Exactly one of `folder` and `url` is
    /// required.
    #[serde(default)]
    pub url: Option<String>,
    /// The company to write into, named as Tally names it. Required with `url`.
    #[serde(default)]
    pub company: Option<String>,
    /// Where a registration goes when Tally does not store the e-invoice fields. Default: `none`.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// Folder for the files of `fallback = "file"`. Relative to the configuration file. Default: none.
    #[serde(default)]
    pub fallback_folder: Option<String>,
    /// Names of the fields for `fallback = "user_fields"`. Default: none.
    #[serde(default)]
    pub user_fields: Option<UserFieldsConfig>,
    /// Encoding of requests; Tally answers in the same. Default: `utf16`.
    #[serde(default)]
    pub charset: Option<Charset>,
    /// Longest wait for a connection, in milliseconds. 1 to 600000. Default: 2000.
    #[serde(default)]
    pub connect_timeout_ms: Option<u64>,
    /// Longest wait for an answer, in milliseconds. 1 to 600000. Default: 10000.
    #[serde(default)]
    pub read_timeout_ms: Option<u64>,
    /// Longest wait for the tiny request that is sent after a time-out, before anything else, in
    /// milliseconds. 1 to 600000. Default: 30000.
    #[serde(default)]
    pub probe_timeout_ms: Option<u64>,
    /// Pictures of the signed QR code, one file a document. Default: `none`.
    #[serde(default)]
    pub qr: QrFormat,
    /// Most vouchers in one results file; Tally takes about 5,000 comfortably. 1 to 50,000.
    /// Default: 5000.
    #[serde(default = "default_vouchers_max")]
    pub vouchers_max: u32,
}

const fn default_vouchers_max() -> u32 {
    5000
}

/// Encoding of requests to a running Tally.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Charset {
    /// UTF-16, low byte first. Carries every name: some releases answer a request in UTF-8 with `?`
    /// for Indian scripts and the rupee sign.
    #[default]
    Utf16,
    /// UTF-8.
    Utf8,
}

/// Form in which a running Tally is asked for day books and masters, and answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Envelope {
    /// XML, which every release speaks.
    #[default]
    Xml,
    /// JSON, of release 7 and later.
    Json,
    /// JSON where Tally says that its release is 7 or later, else XML.
    Auto,
}

/// How a changed voucher is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangedMode {
    /// Each by its Master ID; the whole day where many vouchers of it changed.
    #[default]
    Object,
    /// Always the day book of its day, which every release has.
    DayBook,
}

/// Where a registration goes when Tally does not store the e-invoice fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fallback {
    /// Nowhere: the delivery fails and says which fields are missing.
    #[default]
    None,
    /// IRN, acknowledgement number and date behind the voucher's narration.
    Narration,
    /// Into fields of the voucher that your own TDL defines, named in `user_fields`.
    UserFields,
    /// Into the files that a target with `folder` writes, in `fallback_folder`.
    File,
}

/// Fields of a voucher that your own TDL defines, by their names there: texts (`String`), one a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserFieldsConfig {
    /// Field for the IRN. Required.
    pub irn: String,
    /// Field for the acknowledgement number. Default: none, and the number is stored nowhere.
    #[serde(default)]
    pub ack_no: Option<String>,
    /// Field for the day of the acknowledgement, as `20261122`. Default: none.
    #[serde(default)]
    pub ack_date: Option<String>,
    /// Field for the signed QR text, which is about 1,000 characters long. Default: none.
    #[serde(default)]
    pub signed_qr: Option<String>,
    /// Field for `Yes` once the IRN is cancelled, `No` before. Default: none.
    #[serde(default)]
    pub cancelled: Option<String>,
    /// Field for the number of the e-way bill. Default: none.
    #[serde(default)]
    pub ewb_no: Option<String>,
}

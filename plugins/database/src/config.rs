//! Settings of both roles.

use std::collections::BTreeMap;

use einvoice_core::mapping::MappingConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the source `database`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceConfig {
    /// Where the database is, without a password: `postgres://user@host/db`, `mysql://user@host/db` (MariaDB too), or
    /// `sqlite:path`, which starts at the folder of the configuration file, with `?mode=ro` to read only. A program built
    /// with the feature `odbc` also takes `odbc:` and a connection string. One of `url` and `url_env` is required.
    #[serde(default)]
    pub url: Option<String>,
    /// Which SQL is spoken over `odbc:`, where it must be given: `sqlserver`, `oracle`, `sqlite` or `standard` for any
    /// other. Default: none.
    #[serde(default)]
    pub dialect: Option<String>,
    /// Name of an environment variable that holds the whole address, which may then have a password. Default: none.
    #[serde(default)]
    pub url_env: Option<String>,
    /// Name of an environment variable that holds the password. Default: none.
    #[serde(default)]
    pub password_env: Option<String>,
    /// A file whose first line is the password. Default: none.
    #[serde(default)]
    pub password_file: Option<String>,
    /// How long to wait for a connection, in seconds. Range 1 to 300. Default: 10.
    #[serde(default = "connect_seconds")]
    pub connect_seconds: u64,
    /// How long to wait for the answer to one page of rows, in seconds. Range 1 to 3,600. Default: 120.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u64,
    /// The table with one row a document; `schema.table` where it is not on the search path. Default: `einv_header`.
    #[serde(default = "header_table")]
    pub header_table: String,
    /// The table with one row an item. Default: `einv_item`, or none where `query` is given: then each row of the query
    /// is an item, with the columns of the document repeated.
    #[serde(default)]
    pub item_table: Option<String>,
    /// A `SELECT` that takes the place of `header_table`, for any schema. Its rows are read on every run unless
    /// `claim_table` says which are due. Default: none.
    #[serde(default)]
    pub query: Option<String>,
    /// A `SELECT` that takes the place of `item_table`. Default: none.
    #[serde(default)]
    pub item_query: Option<String>,
    /// The table whose rows are claimed. Default: `header_table`, or none where `query` is given.
    #[serde(default)]
    pub claim_table: Option<String>,
    /// The column by which all of these belong together, unique for a document. Default: `doc_key`.
    #[serde(default = "key")]
    pub key: String,
    /// The column of the items by which they are put in order. Default: `sl_no`, where there is one.
    #[serde(default)]
    pub line: Option<String>,
    /// Names of the columns that say where a document stands.
    #[serde(default)]
    pub columns: ColumnNames,
    /// Words in the column `status`.
    #[serde(default)]
    pub status: StatusWords,
    /// Who claims rows: two programs over one table need two names, and one that is started again must have its old
    /// name to go on at once. Default: the name of the source and that of the machine.
    #[serde(default)]
    pub worker: Option<String>,
    /// After so many seconds without a sign of life of their worker, claimed rows may be claimed by another. A worker
    /// that is alive renews its claims three times in that time. Range 60 to 86,400. Default: 900.
    #[serde(default = "lease_seconds")]
    pub lease_seconds: u64,
    /// Documents read at once; memory grows with it. Range 1 to 5,000, over ODBC 1 to 900. Default: 500.
    #[serde(default = "page_rows")]
    pub page_rows: u64,
    /// Most documents that one run claims; the others wait for the next. Range 1 to 100,000,000. Default: 1,000,000.
    #[serde(default = "claim_max")]
    pub claim_max: u64,
    /// Where the write-back stores results: a row that was queued again although it is registered is `DONE` when its
    /// result is there. An empty text where results stand in the row itself, in `header_columns`. Default: `einv_result`.
    #[serde(default)]
    pub result_table: Option<String>,
    /// Columns of `result_table` that have other names than the fields they hold, as in the write-back. Results are told
    /// by the first that is there of `irn`, `ack_no` and `signed_qr`. Default: none.
    #[serde(default)]
    pub result_columns: BTreeMap<String, String>,
    /// Columns of the claimed row that the write-back fills, as there; with an empty `result_table` one of `irn`, `ack_no`
    /// and `signed_qr` must be among them. Default: none.
    #[serde(default)]
    pub header_columns: BTreeMap<String, String>,
    /// What the column `env` of the results says, as in the write-back: a result of another environment settles no row.
    /// Default: `production`.
    #[serde(default = "environment")]
    pub environment: String,
    /// Results go somewhere else than into this database: a registered row becomes `DONE` without a result here.
    /// Default: false.
    #[serde(default)]
    pub results_elsewhere: bool,
    /// `PostgreSQL`: the channel whose `NOTIFY` starts a run before its schedule does. Default: `einv_header`, to which
    /// the trigger of `einvoice new staging` sends; an empty text listens to nothing.
    #[serde(default = "channel")]
    pub notify_channel: String,
    /// Columns to members of INV-01, beyond those built in for the staging tables.
    #[serde(default)]
    pub mapping: MappingConfig,
}

/// Settings of the write-back `database`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WriteBackConfig {
    /// Where the database is, as for the source. One of `url` and `url_env` is required.
    #[serde(default)]
    pub url: Option<String>,
    /// Which SQL is spoken over `odbc:`, as for the source. Default: none.
    #[serde(default)]
    pub dialect: Option<String>,
    /// Name of an environment variable that holds the whole address, which may then have a password. Default: none.
    #[serde(default)]
    pub url_env: Option<String>,
    /// Name of an environment variable that holds the password. Default: none.
    #[serde(default)]
    pub password_env: Option<String>,
    /// A file whose first line is the password. Default: none.
    #[serde(default)]
    pub password_file: Option<String>,
    /// How long to wait for a connection, in seconds. Range 1 to 300. Default: 10.
    #[serde(default = "connect_seconds")]
    pub connect_seconds: u64,
    /// How long to wait until one batch is written, in seconds. Range 1 to 3,600. Default: 120.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u64,
    /// What the column `env` says: whose registrations these are. Default: `production`.
    #[serde(default = "environment")]
    pub environment: String,
    /// The table with one result a document. An empty text where results only go to `header_columns`. Default:
    /// `einv_result`.
    #[serde(default = "result_table")]
    pub result_table: String,
    /// The table with findings. An empty text stores none. Default: `einv_error`.
    #[serde(default = "error_table")]
    pub error_table: String,
    /// The table whose `status` is set, in the same transaction; only for documents that were read from it. An empty
    /// text sets none. Default: `einv_header`.
    #[serde(default = "header_table")]
    pub header_table: String,
    /// The column by which all of these belong together. Default: `doc_key`.
    #[serde(default = "key")]
    pub key: String,
    /// Names of the columns that say where a document stands.
    #[serde(default)]
    pub columns: ColumnNames,
    /// Words in the column `status`.
    #[serde(default)]
    pub status: StatusWords,
    /// Columns of `result_table` that have other names than the fields they hold: `signed_qr = "QR_TEXT"`. Default: none.
    #[serde(default)]
    pub result_columns: BTreeMap<String, String>,
    /// Fields that `result_table` has no column for. Default: none.
    #[serde(default)]
    pub leave_out: Vec<String>,
    /// Columns of the document's own row that are filled too: `irn = "IRN_NO"`. Without a `result_table`, `receipt` must
    /// be among them: a whole number that tells which result the row has. Default: none.
    #[serde(default)]
    pub header_columns: BTreeMap<String, String>,
}

/// Names of the columns that say where a document stands. Of those marked "where there is one" the default name may be
/// missing from the table; a name that is written here may not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ColumnNames {
    /// Where a document stands, in the words of `status`. Default: `status`.
    pub status: Option<String>,
    /// A number or text that the program that writes rows changes with every change of a row. Default: `rev`, where
    /// there is one.
    pub rev: Option<String>,
    /// Who claimed the row. Default: `claimed_by`.
    pub claimed_by: Option<String>,
    /// When it was claimed, or when its claim was renewed. Default: `claimed_at`.
    pub claimed_at: Option<String>,
    /// How often it was claimed. Default: `attempts`, where there is one.
    pub attempts: Option<String>,
    /// Not to be claimed before. Default: `next_try_at`, where there is one.
    pub next_try_at: Option<String>,
    /// How many items belong to the document; a document with more or fewer is reported. Default: `item_count`, where
    /// there is one.
    pub item_count: Option<String>,
}

/// The words in the column `status`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StatusWords {
    /// To be registered. Default: `NEW`.
    pub new: String,
    /// To be registered, again. Default: `RETRY`.
    pub retry: String,
    /// Being worked on. Default: `CLAIMED`.
    pub claimed: String,
    /// Sent, and nobody knows yet what became of it: the portal is asked. Default: `SENT`.
    pub sent: String,
    /// Registered. Default: `DONE`.
    pub done: String,
    /// A person has to correct or decide something. Default: `FAILED`.
    pub failed: String,
    /// Registered, and cancelled afterwards. Default: `CANCELLED`.
    pub cancelled: String,
    /// Not to be registered, by a rule of the mapping. Default: `SKIPPED`.
    pub skipped: String,
    /// A wish to cancel that somebody has written into the row. It is left as it is: cancelling is asked for with
    /// `einvoice cancel`. Default: `CANCEL_REQ`.
    pub cancel_requested: String,
}

impl Default for StatusWords {
    fn default() -> Self {
        let word = str::to_owned;
        Self {
            new: word("NEW"),
            retry: word("RETRY"),
            claimed: word("CLAIMED"),
            sent: word("SENT"),
            done: word("DONE"),
            failed: word("FAILED"),
            cancelled: word("CANCELLED"),
            skipped: word("SKIPPED"),
            cancel_requested: word("CANCEL_REQ"),
        }
    }
}

const fn connect_seconds() -> u64 {
    10
}

const fn answer_seconds() -> u64 {
    120
}

fn header_table() -> String {
    "einv_header".to_owned()
}

fn result_table() -> String {
    "einv_result".to_owned()
}

fn error_table() -> String {
    "einv_error".to_owned()
}

fn key() -> String {
    "doc_key".to_owned()
}

fn environment() -> String {
    "production".to_owned()
}

fn channel() -> String {
    "einv_header".to_owned()
}

const fn lease_seconds() -> u64 {
    900
}

const fn page_rows() -> u64 {
    500
}

const fn claim_max() -> u64 {
    1_000_000
}

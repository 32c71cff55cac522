//! Files of cases: given this record, expect this document, these findings, or that it is passed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use einvoice_core::document::{Invoice, MemberPath};
use einvoice_core::finding::Severity;
use einvoice_core::mapping::{Constant, TableRecord};
use einvoice_core::spelling;
use jiff::civil::Date;
use serde::Deserialize;

use crate::arguments;
use crate::error::CliError;
use crate::settings::with_suggestion;

/// Largest file of cases, and largest record beside one: 16 MB, as much as the largest voucher that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A file of cases as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Source of the configuration, for cases that name none.
    source: Option<String>,
    /// Day by whose rules to judge, for cases that name none.
    as_of: Option<String>,
    #[serde(default, rename = "case")]
    cases: Vec<WrittenCase>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCase {
    name: String,
    source: Option<String>,
    as_of: Option<String>,
    /// The record as the source hands it over, as text.
    record: Option<String>,
    /// A file that holds it, beside the file of cases.
    record_file: Option<PathBuf>,
    /// A file as the system writes it, which the source reads as it reads its own: an export, an `IDoc`, a workbook.
    file: Option<PathBuf>,
    /// Which record of that file, counted from 1, where it holds several.
    number: Option<usize>,
    /// The head of a record of a table.
    #[serde(default)]
    head: BTreeMap<String, Constant>,
    /// Its lines.
    #[serde(default)]
    lines: Vec<BTreeMap<String, Constant>>,
    expect: Expected,
}

/// What a case expects. What is not named is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Expected {
    /// Whether it would be sent.
    pub(super) verdict: Option<Verdict>,
    /// The reason for which it is passed over.
    pub(super) skipped: Option<String>,
    /// Values by path; an empty text means that the member is absent.
    members: BTreeMap<String, Constant>,
    /// The whole document as INV-01 JSON.
    document: Option<String>,
    /// A file that holds it, beside the file of cases.
    document_file: Option<PathBuf>,
    /// Findings that are made.
    pub(super) findings: Vec<ExpectedFinding>,
    /// Whether there is no finding beside them.
    pub(super) no_other_findings: bool,
    /// The document of either, read.
    #[serde(skip)]
    pub(super) whole: Option<Invoice>,
    /// The members, with their paths understood and their values as the member has them.
    #[serde(skip)]
    pub(super) values: Vec<ExpectedMember>,
}

/// What becomes of a record, in the words of `run --dry-run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Valid,
    Invalid,
    Skipped,
}

impl Verdict {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedFinding {
    pub(super) rule: String,
    pub(super) path: Option<String>,
    pub(super) severity: Option<Severity>,
}

/// A member that is expected to have a value, or none.
#[derive(Debug)]
pub(super) struct ExpectedMember {
    /// As findings write it.
    pub(super) path: String,
    pub(super) value: Option<String>,
}

/// What a case gives.
#[derive(Debug)]
pub(super) enum Given {
    /// A record as the source hands it over.
    Record(String),
    /// A record of a file that the source reads, counted from 1; the only one where none is named.
    File { path: PathBuf, number: Option<usize> },
}

/// A case, ready to be tried.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) as_of: Option<Date>,
    pub(super) given: Given,
    pub(super) expected: Expected,
}

/// Reads the cases of a file.
pub(super) fn read(file: &Path) -> Result<Vec<Case>, CliError> {
    let wrong = |reason: String| CliError::Usage(format!("{}: {reason}", file.display()));
    let text = read_text(file)?;
    let written: Written =
        toml::from_str(&text).map_err(|error| wrong(with_suggestion(error.to_string().trim_end())))?;
    if written.cases.is_empty() {
        return Err(wrong("there is no [[case]] in it".to_owned()));
    }
    let Written { source, as_of, cases } = written;
    let folder = file.parent().unwrap_or(Path::new(""));
    let each = cases.into_iter().map(|case| {
        let name = case.name.clone();
        case.ready(source.as_deref(), as_of.as_deref(), folder).map_err(|fault| match fault {
            Fault::Case(reason) => wrong(format!("case \"{name}\": {reason}")),
            Fault::File(error) => error,
        })
    });
    each.collect()
}

fn read_text(file: &Path) -> Result<String, CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
    let length = std::fs::metadata(file).map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        return Err(CliError::Usage(format!(
            "{}: it has {length} bytes, more than the {FILE_BYTES_MAX} that are read",
            file.display()
        )));
    }
    let text = std::fs::read_to_string(file).map_err(failed)?;
    // Editors on Windows put a byte order mark before UTF-8.
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// What is wrong with a case, or with a file that it names.
enum Fault {
    Case(String),
    File(CliError),
}

impl From<CliError> for Fault {
    fn from(error: CliError) -> Self {
        Self::File(error)
    }
}

impl WrittenCase {
    fn ready(self, source: Option<&str>, as_of: Option<&str>, folder: &Path) -> Result<Case, Fault> {
        let source = self.source.as_deref().or(source).map(str::to_owned).ok_or_else(|| {
            Fault::Case("name the source that it is about: source = \"...\", here or above all cases".to_owned())
        })?;
        let as_of = self.as_of.as_deref().or(as_of);
        let as_of = as_of.map(|day| arguments::day(day).map_err(|error| Fault::Case(format!("as_of {day}: {error}"))));
        let as_of = as_of.transpose()?;
        let name = self.name.clone();
        let (given, expect) = self.given(folder)?;
        Ok(Case { name, source, as_of, given, expected: expect.ready(folder)? })
    }

    /// The one record that a case must give, and what it expects.
    fn given(self, folder: &Path) -> Result<(Given, Expected), Fault> {
        const ONE: &str = "record (text), record_file, file (as the system writes it), or head and lines (of a table)";
        if self.number == Some(0) || (self.number.is_some() && self.file.is_none()) {
            return Err(Fault::Case("number says which record of file is meant, counted from 1".to_owned()));
        }
        let is_table = !self.head.is_empty() || !self.lines.is_empty();
        let given = match (self.record, self.record_file, self.file, is_table) {
            (Some(text), None, None, false) => Given::Record(text),
            (None, Some(file), None, false) => Given::Record(read_text(&folder.join(file))?),
            (None, None, Some(file), false) => Given::File { path: folder.join(file), number: self.number },
            (None, None, None, true) => Given::Record(table(self.head, self.lines)),
            (None, None, None, false) => {
                return Err(Fault::Case(format!("there is no record; give one of {ONE}")));
            }
            _ => return Err(Fault::Case(format!("give only one of {ONE}"))),
        };
        Ok((given, self.expect))
    }
}

/// A record of a table, as sources of tables hand it over. Names are shown as they are written here.
fn table(head: BTreeMap<String, Constant>, lines: Vec<BTreeMap<String, Constant>>) -> String {
    let mut record = TableRecord::default();
    let names = head.keys().chain(lines.iter().flat_map(BTreeMap::keys));
    record.headings = names.map(|name| (spelling::fold(name), name.clone())).collect();
    record.head = row(head);
    record.lines_at = (1..=lines.len()).map(|number| format!("line {number}")).collect();
    record.lines = lines.into_iter().map(row).collect();
    record.to_content()
}

fn row(values: BTreeMap<String, Constant>) -> BTreeMap<String, String> {
    values.into_iter().map(|(name, value)| (spelling::fold(&name), value.0)).collect()
}

impl Expected {
    /// Understands paths and values; a case that could not fail is none.
    fn ready(mut self, folder: &Path) -> Result<Self, Fault> {
        let nothing = self.verdict.is_none()
            && self.skipped.is_none()
            && self.members.is_empty()
            && self.document.is_none()
            && self.document_file.is_none()
            && self.findings.is_empty()
            && !self.no_other_findings;
        if nothing {
            return Err(Fault::Case("it expects nothing, so it could not fail".to_owned()));
        }
        let members = std::mem::take(&mut self.members);
        self.values = members.into_iter().map(|(path, value)| member(&path, &value.0)).collect::<Result<_, _>>()?;
        // Names are taken in any case, so only now they are in an order that means something.
        self.values.sort_by(|left, right| left.path.cmp(&right.path));
        let text = match (self.document.take(), self.document_file.take()) {
            (Some(_), Some(_)) => {
                return Err(Fault::Case("expect: give only one of document and document_file".to_owned()));
            }
            (Some(text), None) => Some(text),
            (None, Some(file)) => Some(read_text(&folder.join(file))?),
            (None, None) => None,
        };
        if let Some(text) = text {
            let read = Invoice::from_json(&text)
                .map_err(|error| Fault::Case(format!("expect.document is not the JSON of one document: {error}")))?;
            self.whole = Some(read.invoice);
        }
        Ok(self)
    }
}

/// The value as the member would have it, so that `18` and `18.00` are one rate.
fn member(path: &str, value: &str) -> Result<ExpectedMember, Fault> {
    let (member, item) =
        MemberPath::parse_placed(path).map_err(|error| Fault::Case(format!("expect.members.\"{path}\": {error}")))?;
    let mut invoice = Invoice::default();
    // Members are of one type in every item, and only some thousands of items are made room for.
    invoice.set_text(&member, 0, value);
    Ok(ExpectedMember { path: member.of(item), value: invoice.shown(&member, 0) })
}

//! From JSON text to [`Invoice`]: member names in any case, numbers as digits, everything odd noted.
//!
//! The reader refuses only what is not one JSON object of bearable size. All else becomes a finding beside a
//! document that is as complete as the text allows; the [`rulebook`](crate::rulebook) judges afterwards.

use std::borrow::Cow;

use crate::finding::{Finding, shortened};
use crate::rulebook::{self, table};

use super::Invoice;
use super::member::{Kind, Member};
use super::node::{Section, UnknownMember};
use super::path::Path;
use super::scanner::{JsonError, JsonFault, MAX_BYTES, Scanner};

/// Most entries of a list that are read: twice the items the portal takes. An entry takes far more memory than text
/// (`{}` is an item), so that 2 MB of them would fill it.
const MAX_ENTRIES: usize = 2_000;

/// How strictly a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Read numbers given as strings, codes given as numbers, and dates written `DD-MM-YYYY` by their meaning,
    /// with a `repaired` finding each. Default: true.
    pub lenient: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { lenient: true }
    }
}

impl ReadOptions {
    /// Exactly the types and spellings of the schema.
    #[must_use]
    pub const fn strict() -> Self {
        Self { lenient: false }
    }
}

/// A document as far as it could be read, and what there is to say about the text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadInvoice {
    /// The document.
    pub invoice: Invoice,
    /// Repairs, unknown members, repeated members, values that are no objects; in the order of the text.
    pub findings: Vec<Finding>,
}

pub(crate) struct Reader<'a> {
    pub(crate) scanner: Scanner<'a>,
    pub(crate) lenient: bool,
    /// What the document is called in messages about members it does not have.
    form: &'static str,
    path: Path,
    findings: Vec<Finding>,
}

/// The name of the invoice form.
const INVOICE: &str = "INV-01";

pub(super) fn read(text: &str, options: ReadOptions) -> Result<ReadInvoice, JsonError> {
    let (invoice, findings) = read_form(text, options, INVOICE)?;
    Ok(ReadInvoice { invoice, findings })
}

/// Reads any form that has a member table; `form` is its name in messages.
pub(crate) fn read_form<S: Section>(
    text: &str,
    options: ReadOptions,
    form: &'static str,
) -> Result<(S, Vec<Finding>), JsonError> {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        lenient: options.lenient,
        form,
        path: Path::default(),
        findings: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        return Err(reader.scanner.error(JsonFault::TooLarge));
    }
    // A byte order mark is not JSON, and programs on Windows write one all the same.
    if text.starts_with('\u{feff}') {
        reader.scanner = Scanner::new(text.get('\u{feff}'.len_utf8()..).unwrap_or_default());
    }
    if reader.scanner.next_byte() != Some(b'{') {
        let start = reader.scanner.error(JsonFault::NotAnObject);
        reader.scanner.skip()?;
        reader.scanner.finish()?;
        return Err(start);
    }
    let mut document = S::default();
    reader.members(&mut document, &mut Order::default())?;
    reader.scanner.finish()?;
    Ok((document, reader.findings))
}

impl Reader<'_> {
    /// Reads the members of an object into a section. Each table has fewer than 64 rows.
    fn members<S: Section>(&mut self, section: &mut S, order: &mut Order) -> Result<(), JsonError> {
        self.scanner.open(b'{')?;
        let (mut last, mut seen) = (None, 0_u64);
        let mut first = true;
        loop {
            let hint = order.after(last);
            let (name, found) = match S::MEMBERS.get(hint) {
                // Nearly every member stands where it is expected, and one comparison is all it takes.
                Some((slot, member)) if self.scanner.take_key(member.key, first) => {
                    (Cow::Borrowed(member.name), Some((hint, *slot, member)))
                }
                _ => {
                    if !self.scanner.entry(b'}', first)? {
                        return Ok(());
                    }
                    let name = self.scanner.name()?;
                    let found = lookup::<S>(&name, hint);
                    (name, found)
                }
            };
            first = false;
            let Some((row, slot, member)) = found else {
                self.unknown(&name, section)?;
                continue;
            };
            order.note(last, row);
            last = Some(row);
            let bit = 1_u64 << (row % 64);
            if seen & bit == 0 {
                seen |= bit;
                section.read_slot(slot, member, self)?;
            } else {
                self.repeated(&name, member, section)?;
            }
        }
    }

    /// Reads a member that is an object; false when it is `null` or something else, which is kept aside.
    pub(crate) fn object_member<S: Section>(
        &mut self,
        member: &'static Member,
        section: &mut S,
    ) -> Result<bool, JsonError> {
        if self.scanner.next_byte() == Some(b'{') {
            self.path.push(member, None);
            self.members(section, &mut Order::default())?;
            self.path.pop();
            return Ok(true);
        }
        let found = self.scanner.skip()?;
        if found != "null" {
            let path = self.path.of(member.name);
            self.wrong_kind(path, member.name, Kind::Section, found);
        }
        Ok(false)
    }

    /// Reads a member that is a list of objects.
    pub(crate) fn list_member<S: Section>(
        &mut self,
        member: &'static Member,
        entries: &mut Vec<S>,
    ) -> Result<(), JsonError> {
        if self.scanner.next_byte() != Some(b'[') {
            let found = self.scanner.skip()?;
            if found != "null" {
                let path = self.path.of(member.name);
                self.wrong_kind(path, member.name, Kind::List, found);
            }
            return Ok(());
        }
        self.scanner.open(b'[')?;
        let (mut first, mut count, mut order) = (true, 0_usize, Order::default());
        while self.scanner.entry(b']', first)? {
            first = false;
            count += 1;
            if count > MAX_ENTRIES {
                self.scanner.skip()?;
                continue;
            }
            // An entry that is no object keeps its place, so that the others keep their numbers.
            let index = entries.len();
            entries.push(S::default());
            match entries.last_mut() {
                Some(section) if self.scanner.next_byte() == Some(b'{') => {
                    let before = self.scanner.left();
                    self.path.push(member, Some(index));
                    self.members(section, &mut order)?;
                    self.path.pop();
                    // Room for as many more as the text can hold at this length saves moving all that were read each
                    // time the list grows; lists inside lists would multiply the room.
                    if index == 0 && self.path.is_empty() {
                        let left = self.scanner.left();
                        entries.reserve((left / (before - left).max(1)).min(MAX_ENTRIES));
                    }
                }
                _ => {
                    let found = self.scanner.skip()?;
                    let path = self.path.entry(member.name, index);
                    self.wrong_kind(path, member.name, Kind::Section, found);
                }
            }
        }
        if count > MAX_ENTRIES {
            let message = format!("{} has {count} entries; only the first {MAX_ENTRIES} were read", member.name);
            self.note(
                table::ENTRIES
                    .finding(self.path.of(member.name), message)
                    .with_found(count)
                    .with_expected(format!("at most {MAX_ENTRIES} entries"))
                    .with_fix("Split the document."),
            );
        }
        Ok(())
    }

    fn note(&mut self, finding: Finding) {
        rulebook::note(&mut self.findings, finding);
    }

    /// Notes that a value was read by its meaning.
    pub(crate) fn repaired(&mut self, member: &'static Member, found: &str, note: &str) {
        let message = format!("{} is not in the form of the schema: {note}", member.name);
        self.note(
            table::REPAIRED
                .finding(self.path.of(member.name), message)
                .with_found(found)
                .with_expected(member.form.kind().name())
                .with_fix("Nothing to do for this document; correct the program that wrote it."),
        );
    }

    fn wrong_kind(&mut self, path: String, name: &str, kind: Kind, found: &str) {
        let kind = kind.name();
        self.note(
            table::TYPE
                .finding(path, format!("{name} is not {kind}"))
                .with_found(found)
                .with_expected(kind)
                .with_fix(format!("Write {kind} here, or leave the member out if it is optional.")),
        );
    }

    fn repeated<S: Section>(&mut self, name: &str, member: &Member, section: &mut S) -> Result<(), JsonError> {
        let json = self.scanner.skip()?;
        let message = format!("{} stands twice in the same object (here as {name})", member.name);
        self.note(
            table::DUPLICATE
                .finding(self.path.of(member.name), message)
                .with_found(json)
                .with_expected("each member once; names that differ only in case are the same name")
                .with_fix("Remove one of the two members."),
        );
        keep(section, name, json);
        Ok(())
    }

    fn unknown<S: Section>(&mut self, name: &str, section: &mut S) -> Result<(), JsonError> {
        let json = self.scanner.skip()?;
        let shown = printable(name);
        let path = self.path.of(&shown);
        let finding = if self.form == INVOICE && path.eq_ignore_ascii_case("Irn") {
            table::IRN_GIVEN
                .finding("Irn", "the document brings an Irn, which must not be sent")
                .with_fix("Nothing to do: the IRN is computed here and confirmed by the portal.")
        } else {
            table::UNKNOWN
                .finding(path, format!("{} has no member {} here; it is not sent", self.form, shortened(&shown)))
                .with_fix("Check the spelling, or remove the member.")
        };
        self.note(finding.with_found(json));
        keep(section, name, json);
        Ok(())
    }
}

/// A name as it can be shown: control characters, which can steer a terminal or break a line, and marks that turn the
/// direction of what follows are written as escapes.
fn printable(name: &str) -> Cow<'_, str> {
    let steers = |character: char| {
        character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !name.contains(steers) {
        return Cow::Borrowed(name);
    }
    let escaped = |character: char| {
        if steers(character) { character.escape_default().to_string() } else { character.into() }
    };
    Cow::Owned(name.chars().map(escaped).collect())
}

fn keep<S: Section>(section: &mut S, name: &str, json: &str) {
    section.unknown_mut().push(UnknownMember { name: name.into(), json: json.into() });
}

/// Finds a row by name in any case, beginning where the member is expected: most texts follow the order of the form.
fn lookup<S: Section>(name: &str, hint: usize) -> Option<(usize, S::Slot, &'static Member)> {
    let (before, from) = S::MEMBERS.split_at_checked(hint).unwrap_or((S::MEMBERS, &[]));
    let find = |same: fn(&str, &str) -> bool| {
        let later = from.iter().position(|(_, member)| same(member.name, name)).map(|row| hint + row);
        later.or_else(|| before.iter().position(|(_, member)| same(member.name, name)))
    };
    let row = find(|row, name| row == name).or_else(|| find(str::eq_ignore_ascii_case))?;
    S::MEMBERS.get(row).map(|(slot, member)| (row, *slot, member))
}

/// Which row of a table follows which. At first that of the form; and as the objects of one list come from one
/// program and leave out the same members, what followed in one is expected in the next.
struct Order([u8; 64]);

impl Default for Order {
    fn default() -> Self {
        Self(std::array::from_fn(|row| u8::try_from(row).unwrap_or_default()))
    }
}

impl Order {
    /// The row that is expected after another, or as the first.
    #[inline]
    fn after(&self, row: Option<usize>) -> usize {
        self.0.get(row.map_or(0, |row| row + 1)).map_or(0, |next| usize::from(*next))
    }

    #[inline]
    fn note(&mut self, row: Option<usize>, next: usize) {
        if let (Some(slot), Ok(next)) = (self.0.get_mut(row.map_or(0, |row| row + 1)), u8::try_from(next)) {
            *slot = next;
        }
    }
}

impl JsonError {
    /// The fault as a finding about the whole document.
    #[must_use]
    pub fn to_finding(&self) -> Finding {
        let (rule, fix) = match self.fault {
            JsonFault::TooLarge => (&table::SIZE, "Split the document, or leave out attachments."),
            JsonFault::NotAnObject => (&table::JSON_OBJECT, "Give one INV-01 object per document."),
            JsonFault::TooDeep => (&table::JSON_DEPTH, "Give a plain INV-01 object; it needs four levels."),
            _ => (&table::JSON_SYNTAX, "Correct the program that wrote the file, or export it again."),
        };
        rule.finding("", self.to_string())
            .with_fix(fix)
            .with_place(format!("line {}, column {}", self.line, self.column))
    }
}

impl From<JsonError> for Finding {
    fn from(error: JsonError) -> Self {
        error.to_finding()
    }
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.fault {
            JsonFault::Truncated => f.write_str("the JSON ends too early"),
            JsonFault::Unexpected { wanted } => write!(f, "not JSON: expected {wanted}"),
            JsonFault::TrailingText => f.write_str("not JSON: text follows the document"),
            JsonFault::TooDeep => write!(f, "the JSON is nested more than {} levels deep", super::MAX_DEPTH),
            JsonFault::TooLarge => write!(f, "the document is larger than {MAX_BYTES} bytes"),
            JsonFault::NotAnObject => f.write_str("the JSON is not an object"),
        }?;
        write!(f, " at line {}, column {}", self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

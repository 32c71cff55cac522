//! The lines of a report, for people and programs.

use einvoice_core::config::{PluginTable, RouteTable, WriteBackTable};
use einvoice_core::credential::CredentialError;
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::transport::{Owner, TransportError};
use einvoice_core::write_back::WriteBackCapability;
use serde::Serialize;
use serde_json::json;

use super::super::desk::refusal::{Refusal, code_of, whose};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Output, Span, Style, counted};

/// Columns that the word for the outcome takes, with the blanks behind it.
const WORD: usize = 6;

/// One check.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// What was checked.
    check: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gstin: Option<Gstin>,
    outcome: Outcome,
    /// What was found.
    found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    /// Whose move it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    /// What a write-back target does.
    #[serde(skip_serializing_if = "Option::is_none")]
    write_back: Option<WriteBackShown>,
    /// The exit code that it asks for.
    #[serde(skip)]
    code: u8,
}

/// What a write-back target does, for programs.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct WriteBackShown {
    name: String,
    plugin: String,
    /// How results reach the books.
    note: &'static str,
    stores: Vec<&'static str>,
    reads_back: bool,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// As it should be.
    Ok,
    /// It works or may work, and somebody should know something.
    Warn,
    /// It does not work.
    Fail,
    /// Not tried, because of something else.
    NotTried,
}

impl Outcome {
    const fn shown(self) -> (&'static str, Style) {
        match self {
            Self::Ok => ("ok", Style::Good),
            Self::Warn => ("warn", Style::Attention),
            Self::Fail => ("fail", Style::Bad),
            Self::NotTried => ("--", Style::Faint),
        }
    }
}

impl Line {
    fn new(check: impl Into<String>, outcome: Outcome, found: impl Into<String>) -> Self {
        let (check, found) = (check.into(), found.into());
        Self {
            check,
            route: None,
            gstin: None,
            outcome,
            found,
            fix: None,
            owner: None,
            write_back: None,
            code: exit_code::ALL_WELL,
        }
    }

    /// As it should be.
    pub(super) fn ok(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Ok, found)
    }

    /// It works, and somebody should do something.
    pub(super) fn warn(check: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), owner: Some(Owner::Us), ..Self::new(check, Outcome::Warn, found) }
    }

    /// It does not work; whoever runs this program has to change something.
    pub(super) fn fail(check: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            owner: Some(Owner::Us),
            code: exit_code::USAGE,
            ..Self::new(check, Outcome::Fail, found)
        }
    }

    /// Not tried, and why.
    pub(super) fn skipped(check: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(check, Outcome::NotTried, why)
    }

    /// A call that brought nothing. One that was held back says nothing of the account, yet is no good sign.
    pub(super) fn refused(check: impl Into<String>, error: &TransportError, product: Product) -> Self {
        if let TransportError::Credential(error) = error {
            return Self::no_credentials(check, error);
        }
        let refusal = Refusal::asked(error, product);
        let outcome = if matches!(error, TransportError::HeldBack { .. }) { Outcome::Warn } else { Outcome::Fail };
        Self {
            fix: Some(refusal.fix),
            owner: Some(refusal.owner),
            code: code_of(error),
            ..Self::new(check, outcome, refusal.message)
        }
    }

    /// Credentials that cannot be had.
    pub(super) fn no_credentials(check: impl Into<String>, error: &CredentialError) -> Self {
        let fix = match error {
            CredentialError::Missing { .. } => "`einvoice onboard` asks for what is missing.",
            CredentialError::Locked { .. } => "Give the passphrase or token that it was made with.",
            // Its reason says what is wrong with the entry, and how it is set right.
            CredentialError::Damaged { .. } => {
                "Put the entry anew (`einvoice credentials add`); restore the store from its backup where more is damaged."
            }
            CredentialError::Unreachable { .. } => {
                "See that the store runs and can be reached from here; the work is kept."
            }
            _ => "Correct its settings under [credentials].",
        };
        let code = match error {
            CredentialError::Unreachable { .. } => exit_code::UNREACHABLE,
            _ => exit_code::USAGE,
        };
        Self::fail(check, error.to_string(), fix).code(code)
    }

    /// A write-back target that can be made, with how results reach the books by it.
    pub(super) fn write_back(table: &WriteBackTable, capability: &WriteBackCapability) -> Self {
        let PluginTable { name, plugin, .. } = &table.part;
        let by = if name == plugin { String::new() } else { format!(" ({plugin})") };
        let found = format!("{name}{by}: {}; stores {}", capability.note, capability.fields.join(", "));
        let shown = WriteBackShown {
            name: name.clone(),
            plugin: plugin.clone(),
            note: capability.note,
            stores: capability.fields.clone(),
            reads_back: capability.reads_back,
        };
        Self { write_back: Some(shown), ..Self::ok("write-back", found) }
    }

    /// Of this route.
    pub(super) fn on(self, route: &RouteTable) -> Self {
        Self { route: Some(route.part.name.clone()), ..self }
    }

    /// Of this taxpayer.
    pub(super) fn of(self, gstin: Gstin) -> Self {
        Self { gstin: Some(gstin), ..self }
    }

    /// Another exit code.
    pub(super) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Somebody else's move.
    pub(super) fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }
}

/// The report under way: a line is shown as soon as it is known.
#[derive(Debug)]
pub(super) struct Report<'o> {
    output: &'o mut Output,
    codes: Vec<u8>,
    failed: u64,
    warned: u64,
    /// The route that the last line was about.
    route: Option<String>,
}

impl<'o> Report<'o> {
    pub(super) const fn new(output: &'o mut Output) -> Self {
        Self { output, codes: Vec::new(), failed: 0, warned: 0, route: None }
    }

    /// Shows a line.
    ///
    /// # Errors
    /// [`CliError::Output`].
    #[expect(clippy::needless_pass_by_value, reason = "a line is made to be shown, and is over then")]
    pub(super) fn add(&mut self, line: Line) -> Result<(), CliError> {
        self.codes.push(line.code);
        self.failed += u64::from(line.outcome == Outcome::Fail);
        self.warned += u64::from(line.outcome == Outcome::Warn);
        if self.output.is_json() {
            return self.output.object(&line);
        }
        if line.route != self.route {
            self.output.line("")?;
            if let Some(route) = &line.route {
                let heading = self.output.styled(Style::Strong, &format!("route {route}")).into_owned();
                self.output.line(heading)?;
            }
            self.route.clone_from(&line.route);
        }
        let (word, style) = line.outcome.shown();
        let whom = line.gstin.map(|gstin| format!(" {gstin}")).unwrap_or_default();
        let text = format!("{}{}{whom}: {}", " ".repeat(WORD - word.len()), line.check, line.found);
        self.output.spans(0, WORD, &[Span::styled(style, word), Span::plain(&text)])?;
        if let Some(fix) = &line.fix {
            self.output.paragraph(WORD, &format!("to do: {fix}"))?;
            if let Some(owner) = line.owner {
                self.output.paragraph(WORD, &format!("whose move: {}", whose(owner)))?;
            }
        }
        self.output.show_now()
    }

    /// Sums up, and gives the exit code.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(super) fn end(self) -> Result<u8, CliError> {
        let code = exit_code::most_urgent(self.codes);
        if self.output.is_json() {
            self.output.object(&json!({"failed": self.failed, "warned": self.warned, "exit_code": code}))?;
            return Ok(code);
        }
        self.output.line("")?;
        let checks = |count| counted(count, "check");
        self.output.line(match (self.failed, self.warned) {
            (0, 0) => "nothing is wrong".to_owned(),
            (0, warned) => format!("nothing fails; {} with a warning", checks(warned)),
            (failed, 0) => format!("{} failed", checks(failed)),
            (failed, warned) => format!("{} failed, {warned} with a warning", checks(failed)),
        })?;
        Ok(code)
    }
}

//! A finding: one thing a check has to say about a document, in a form people and programs can act on.
//!
//! Readers, mappers and the [`rulebook`](crate::rulebook) make findings; the command line, the ledger and
//! write-back show them unchanged.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a finding means for the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Good to know.
    Info,
    /// The input deviated and was read by its meaning; what is sent is right.
    Repaired,
    /// It may be wrong, or part of the reply will be missing; the document goes out.
    Warning,
    /// The portal would refuse the document; it is not sent.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Repaired => "repaired",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One finding about one place of a document.
///
/// `path` names members in canonical spelling and counts list entries from 0, as in `ItemList[0].HsnCd`; the
/// empty path is the document itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the rule that speaks, always present: `schema.length`, `totals.ass_val`.
    pub rule: Cow<'static, str>,
    /// Number the portal uses for the same fault, where one is known.
    pub code: Option<Cow<'static, str>>,
    /// What it means for the document.
    pub severity: Severity,
    /// Place in the document; list entries count from 0.
    pub path: String,
    /// What stands there.
    pub found: Option<String>,
    /// What should stand there.
    pub expected: Option<String>,
    /// One sentence for a person.
    pub message: String,
    /// What to do about it, as a sentence.
    pub fix: Option<String>,
    /// Where in the source it comes from: file and line, sheet and cell, voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Finding {
    /// A finding of any severity.
    #[must_use]
    pub fn new(
        severity: Severity,
        rule: impl Into<Cow<'static, str>>,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            code: None,
            severity,
            path: path.into(),
            found: None,
            expected: None,
            message: message.into(),
            fix: None,
            place: None,
        }
    }

    /// A finding that keeps the document from being sent.
    #[must_use]
    pub fn error(rule: impl Into<Cow<'static, str>>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, path, message)
    }

    /// A finding that lets the document go out.
    #[must_use]
    pub fn warning(rule: impl Into<Cow<'static, str>>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, path, message)
    }

    /// A deviation of the input that was read by its meaning.
    #[must_use]
    pub fn repaired(rule: impl Into<Cow<'static, str>>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Repaired, rule, path, message)
    }

    /// Adds the portal's number for the fault.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds what was found; of a long value, its start, its end and its length.
    #[must_use]
    pub fn with_found(mut self, found: impl fmt::Display) -> Self {
        self.found = Some(shortened(&found.to_string()));
        self
    }

    /// Adds what was found, however long: a text that somebody must be able to see whole.
    #[must_use]
    pub(crate) fn with_whole_found(mut self, found: String) -> Self {
        self.found = Some(found);
        self
    }

    /// Adds what was expected.
    #[must_use]
    pub fn with_expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Adds the place in the source.
    #[must_use]
    pub fn with_place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// True when the document must not be sent as it stands.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " [{}, portal code {code}]", self.rule),
            None => write!(f, " [{}]", self.rule),
        }
    }
}

/// Most characters of a found value a finding carries: enough to recognise it, not a whole attached document.
const FOUND_CHARACTERS: usize = 120;

/// Of these, the ones from its end: two long texts often begin alike.
const FOUND_END: usize = 40;

/// A long text without its middle, and how long it is. It is cut between words where there are some.
pub(crate) fn shortened(text: &str) -> String {
    if text.char_indices().nth(FOUND_CHARACTERS).is_none() {
        return text.to_owned();
    }
    // One more at each side tells whether a word ends there.
    let start = text.char_indices().nth(FOUND_CHARACTERS - FOUND_END + 1).map_or(text.len(), |(at, _)| at);
    let end = text.char_indices().nth_back(FOUND_END).map_or(0, |(at, _)| at);
    let (mut start, mut end) =
        (text.get(..start).unwrap_or_default().chars(), text.get(end..).unwrap_or_default().chars());
    let is_near = |rest: &str| rest.chars().count() <= FOUND_END / 2;
    let start = match start.as_str().rsplit_once(' ') {
        Some((words, rest)) if is_near(rest) => words,
        _ => {
            start.next_back();
            start.as_str()
        }
    };
    let end = match end.as_str().split_once(' ') {
        Some((rest, words)) if is_near(rest) => words,
        _ => {
            end.next();
            end.as_str()
        }
    };
    format!("{} … {} ({} characters)", start.trim_end(), end.trim(), text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_the_member_names_of_the_command_line_contract() {
        let finding = Finding::error("schema.length", "ItemList[0].Unit", "Unit is too short")
            .with_code("5002")
            .with_found("N")
            .with_expected("3 to 8 characters")
            .with_fix("Write the unit quantity code.");
        let json = serde_json::to_value(&finding).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut wanted = ["rule", "code", "severity", "path", "found", "expected", "message", "fix"];
        wanted.sort_unstable();
        assert_eq!(
            {
                let mut names = names;
                names.sort_unstable();
                names
            },
            wanted
        );
        assert_eq!(json["severity"], "error");
        assert_eq!(serde_json::from_value::<Finding>(json).unwrap(), finding);
    }

    #[test]
    fn a_long_value_keeps_its_start_and_its_end_and_says_its_length() {
        let found = |text: String| Finding::warning("x", "", "y").with_found(text).found.unwrap();
        assert_eq!(found("é".repeat(FOUND_CHARACTERS)), "é".repeat(FOUND_CHARACTERS));
        let long = format!("{}{}", "é".repeat(80), "ü".repeat(41));
        assert_eq!(found(long), format!("{} … {} (121 characters)", "é".repeat(80), "ü".repeat(40)));
        let words = found("Mill Lane ".repeat(40));
        assert_eq!(words, format!("{} … {} (400 characters)", ["Mill Lane"; 8].join(" "), ["Mill Lane"; 4].join(" ")));
    }
}

//! How an answer is taken out of what a provider wraps it in.

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pointer::Pointer;

/// One wrapping around an answer. An answer is taken out of its layers from the outside in; the first one that says
/// no ends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Layer {
    /// Whose word a refusal in this layer is. Default `either`: a code that a portal publishes is the portal's, and
    /// every other the provider's.
    #[serde(default)]
    pub by: Speaker,
    /// The portal's own envelope, with its content in the clear: nothing else is to be said of the layer then.
    #[serde(default)]
    pub nic: bool,
    /// Says yes when it passes. Where it does not, and `errors` find something, the answer is a refusal; where they
    /// find nothing, it is neither yes nor no, and after a write the portal is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Test>,
    /// Says no when it passes. Alone, it says yes when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Test>,
    /// Where the content stands. Default: the layer is the content.
    #[serde(default)]
    pub payload: Pointer,
    /// Whether the content is JSON inside a text. Whoever reads finds out by himself; the emulator writes it so.
    #[serde(default)]
    pub as_text: bool,
    /// Where errors stand, in the order in which they are looked for: the first place that has any counts.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Where the portal's `InfoDtls` stand, in any of their forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<Pointer>,
    /// Where they stand in a refusal, if elsewhere: what an earlier registration of the document was, above all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_info: Option<Pointer>,
    /// Where a text stands that the portal said beside a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Pointer>,
    /// Where the provider's number of the request stands, for its help desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Pointer>,
}

/// Who speaks in a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "nobody else is on the way")]
pub enum Speaker {
    /// The provider.
    Provider,
    /// The portal, whose words are passed on.
    Portal,
    /// Either: the code tells.
    #[default]
    Either,
}

/// A question to an answer: is what stands there one of these? Compared as text without regard to case, as flags come
/// as numbers, texts and truth values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a test is written by naming what it holds")]
pub struct Test {
    /// Where to look.
    pub at: Pointer,
    /// What may stand there. Empty: anything but nothing.
    #[serde(default)]
    pub is: Vec<String>,
}

impl Test {
    /// Whether it passes.
    #[must_use]
    pub fn passes(&self, json: &str) -> bool {
        if self.is.is_empty() {
            return self.at.find(json).is_some();
        }
        let Some(found) = self.at.text(json) else { return false };
        self.is.iter().any(|wanted| wanted.eq_ignore_ascii_case(found.trim()))
    }
}

/// Where errors stand, and how a code is told from its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ErrorRule {
    /// Where to look: a list, an object, a text, or JSON of these inside a text.
    pub at: Pointer,
    /// Names that the code has in an object. Default `ErrorCode`, `errorCode`, `error_code`, `error_cd`, `code`.
    #[serde(default = "code_names")]
    pub code: Vec<String>,
    /// Names that the text has in an object. Default `ErrorMessage`, `errorMessage`, `error_message`, `message`, `desc`.
    #[serde(default = "message_names")]
    pub message: Vec<String>,
    /// Where several errors stand in one text, what stands between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Takes a text apart, with groups `code` and `message`. Default: a text of digits alone is a code, and every
    /// other a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// Member of an object that tells who speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Finds the portal's code by its text, where the provider drops it.
    #[serde(default)]
    pub code_by_text: bool,
}

impl ErrorRule {
    /// How the portals themselves write errors.
    pub(crate) fn of_portal() -> Self {
        Self {
            at: Pointer::root(),
            code: code_names().into_iter().chain(["errorCodes".to_owned()]).collect(),
            message: message_names(),
            split: None,
            pattern: None,
            source: None,
            code_by_text: false,
        }
    }
}

fn code_names() -> Vec<String> {
    ["ErrorCode", "error_code", "error_cd", "code"].map(str::to_owned).to_vec()
}

fn message_names() -> Vec<String> {
    ["ErrorMessage", "error_message", "message", "desc"].map(str::to_owned).to_vec()
}

/// Member of an error that tells who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "both are needed and nothing else")]
pub struct Source {
    /// Its name.
    pub member: String,
    /// What it holds where the portal speaks; anything else is the provider.
    pub portal: Vec<String>,
}

/// Bytes that a pattern takes in memory, spelt out, and so the work that each letter of an answer makes.
const PATTERN_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a text that are looked at: far more than any portal's has.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A regular expression of a profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Code and message of a text; nothing where it does not fit.
    #[must_use]
    pub fn take_apart<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let groups = self.0.captures(beginning(text))?;
        let code = groups.name("code").map_or("", |group| group.as_str());
        Some((code, groups.name("message").map_or(text, |group| group.as_str())))
    }

    /// Whether a text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.0.is_match(beginning(text))
    }
}

/// What of a text is looked at.
fn beginning(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = regex_lite::Error;

    fn try_from(text: String) -> Result<Self, regex_lite::Error> {
        RegexBuilder::new(&text).size_limit(PATTERN_BYTES_MAX).build().map(Self)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "regex" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_takes_long_is_refused_and_of_a_long_text_the_beginning_is_looked_at() {
        for wrong in [r"(?<code>(\w{0,60}){0,60})(?<message>.*)", r"(\w{300}){300}"] {
            assert!(Pattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        let pattern = Pattern::try_from(r"^(?<code>\d+): (?<message>.*)$".to_owned()).unwrap();
        let long = format!("7: {}ü", "x".repeat(TEXT_BYTES_MAX - 4));
        let (code, message) = pattern.take_apart(&long).unwrap();
        assert_eq!((code, message.len()), ("7", TEXT_BYTES_MAX - 4));
    }
}

//! Places in JSON: `/data/0/Irn`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use einvoice_protocol::members::{Members, elements};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often JSON inside a text is opened on the way to a value.
const TEXTS_MAX: usize = 3;
/// Steps of a place at most. Every step reads what is left of an answer anew.
const STEPS_MAX: usize = 32;

/// A place in JSON, as a JSON Pointer (RFC 6901): `/data/0/Irn`; the empty text is the whole.
///
/// Names are compared without regard to case, and JSON that stands inside a text is opened on the way, as providers
/// wrap answers in both ways.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<String>);

/// A text that is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no place in JSON; {advice}")]
pub struct PointerError {
    text: String,
    advice: &'static str,
}

impl Pointer {
    /// The whole.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The steps to the place.
    pub(crate) fn steps(&self) -> &[String] {
        &self.0
    }

    /// What stands there, as JSON; nothing where there is nothing or `null`.
    #[must_use]
    pub fn find<'j>(&self, json: &'j str) -> Option<Cow<'j, str>> {
        let mut at = Cow::Borrowed(json.trim());
        for step in &self.0 {
            at = match opened(at)? {
                Cow::Borrowed(json) => Cow::Borrowed(below(json, step)?),
                Cow::Owned(json) => Cow::Owned(below(&json, step)?.to_owned()),
            };
        }
        if at.trim() == "null" || at.trim().is_empty() { None } else { Some(at) }
    }

    /// What stands there as text: the content of a string, a number or a truth value as it is written.
    #[must_use]
    pub fn text(&self, json: &str) -> Option<String> {
        plain_text(self.find(json)?.trim())
    }

    /// What stands there as an object or array, also where it stands inside a text.
    #[must_use]
    pub fn structure<'j>(&self, json: &'j str) -> Option<Cow<'j, str>> {
        opened(self.find(json)?)
    }
}

/// A scalar of JSON as text.
pub(crate) fn plain_text(json: &str) -> Option<String> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' => None,
        _ => Some(json.to_owned()),
    }
}

/// An object or array, taken out of the texts around it.
fn opened(mut json: Cow<'_, str>) -> Option<Cow<'_, str>> {
    for _ in 0..=TEXTS_MAX {
        match json.trim_start().bytes().next()? {
            b'{' | b'[' => return Some(json),
            b'"' => json = Cow::Owned(serde_json::from_str::<String>(json.trim()).ok()?),
            _ => return None,
        }
    }
    None
}

fn below<'j>(json: &'j str, step: &str) -> Option<&'j str> {
    let json = json.trim();
    if json.starts_with('[') {
        let index: usize = step.parse().ok()?;
        return elements(json)?.get(index).map(|element| element.get());
    }
    Some(Members::read(json, &[]).ok()?.get(step)?.get())
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let wrong = |advice| PointerError { text: text.to_owned(), advice };
        let unlike = "write it like /data/0/Irn, or leave it empty for the whole";
        let steps = text.strip_prefix('/').ok_or_else(|| wrong(unlike))?;
        let steps: Vec<String> = steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        if steps.iter().any(String::is_empty) {
            return Err(wrong(unlike));
        }
        if steps.len() > STEPS_MAX {
            return Err(wrong("no answer is wrapped so deeply: write at most 32 steps"));
        }
        Ok(Self(steps))
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;

    fn try_from(text: String) -> Result<Self, PointerError> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(formatter, "/{}", step.replace('~', "~0").replace('/', "~1")))
    }
}

impl JsonSchema for Pointer {
    fn schema_name() -> Cow<'static, str> {
        "Pointer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(/[^/]+)*$",
            "description": "A place in JSON, such as `/data/0/Irn`; empty for the whole. Names are compared without \
                regard to case, and JSON inside a text is opened on the way.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(pointer: &str, json: &str) -> Option<String> {
        pointer.parse::<Pointer>().unwrap().text(json)
    }

    #[test]
    fn members_and_elements_are_found_and_numbers_keep_every_digit() {
        let json = r#"{"data":[{"AckNo":112410000012345678901,"ok":true,"n":null,"t":"x"}]}"#;
        assert_eq!(at("/data/0/AckNo", json).as_deref(), Some("112410000012345678901"));
        assert_eq!(at("/DATA/0/ackno", json).as_deref(), Some("112410000012345678901"));
        assert_eq!(at("/data/0/ok", json).as_deref(), Some("true"));
        assert_eq!(at("/data/0/n", json), None);
        assert_eq!(at("/data/1/t", json), None);
        assert_eq!(at("/data", json), None);
        assert_eq!(at("", "\"x\"").as_deref(), Some("x"));
    }

    #[test]
    fn json_inside_a_text_is_opened_up_to_three_times() {
        let mut json = r#"{"a":{"b":1}}"#.to_owned();
        for _ in 0..3 {
            json = serde_json::Value::from(json).to_string();
            assert_eq!(at("/a/b", &json).as_deref(), Some("1"));
        }
        json = serde_json::Value::from(json).to_string();
        assert_eq!(at("/a/b", &json), None);
        let inner = r#"{"data":"{\"x\":[1,2]}"}"#;
        let pointer: Pointer = "/data".parse().unwrap();
        assert_eq!(pointer.structure(inner).as_deref(), Some(r#"{"x":[1,2]}"#));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let deep = "/a".repeat(STEPS_MAX + 1);
        for wrong in ["data", "/data//x", "/", &deep] {
            assert!(wrong.parse::<Pointer>().is_err(), "{wrong}");
        }
        assert!(deep[2..].parse::<Pointer>().is_ok());
        assert_eq!("/a~1b/~0".parse::<Pointer>().unwrap().to_string(), "/a~1b/~0");
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(json in ".{0,60}") {
            let _found = at("/a/0/b", &json);
            let _found = at("", &json);
        }
    }
}

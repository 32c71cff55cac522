//! A JSON document as the emulator keeps it: members in their order, numbers as they were written.
//!
//! `serde_json::Value` turns `100.10` into a binary float and forgets the order of members; both
//! matter to a portal that signs what it was given. Reading is bounded in depth; everything after
//! (schema, arithmetic, signed copy) works on [`Node`].

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting that is read. INV-01 needs five levels.
const DEPTH_MAX: usize = 32;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// The number as written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Why bytes are no JSON document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NodeError(String);

impl Node {
    /// Reads a whole JSON text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NodeError> {
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| NodeError(error.to_string()))?;
        Self::from_raw(raw, DEPTH_MAX)
    }

    fn from_raw(raw: &RawValue, depth: usize) -> Result<Self, NodeError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(NodeError(format!("nested deeper than {DEPTH_MAX} levels")));
        };
        let text = raw.get();
        let failed = |error: serde_json::Error| NodeError(error.to_string());
        match text.as_bytes().first() {
            Some(b'{') => {
                let members: Members<'_> = serde_json::from_str(text).map_err(failed)?;
                let members = members.0.into_iter().map(|(name, value)| Ok((name, Self::from_raw(value, depth)?)));
                members.collect::<Result<_, _>>().map(Self::Object)
            }
            Some(b'[') => {
                let entries: Vec<&RawValue> = serde_json::from_str(text).map_err(failed)?;
                let entries = entries.into_iter().map(|value| Self::from_raw(value, depth));
                entries.collect::<Result<_, _>>().map(Self::List)
            }
            Some(b'"') => serde_json::from_str(text).map_err(failed).map(Self::Text),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'n') => Ok(Self::Null),
            _ => Ok(Self::Number(text.to_owned())),
        }
    }

    /// The member of this name; nothing for an absent one and for `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value).filter(|value| **value != Self::Null)
    }

    /// The member at the end of a path of names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Puts a value in the place of the one at the end of a path, when that is there.
    pub(crate) fn replace(&mut self, path: &[&str], value: Self) {
        let Some((name, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if let Self::Object(members) = self
            && let Some((_, member)) = members.iter_mut().find(|(member, _)| member == name)
        {
            member.replace(rest, value);
        }
    }

    /// Sets a member of an object, in the place of the one it has or behind the others.
    pub(crate) fn set(&mut self, name: &str, value: Self) {
        if let Self::Object(members) = self {
            members.retain(|(member, _)| member != name);
            members.push((name.to_owned(), value));
        }
    }

    /// The text at the end of a path.
    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        match self.at(path)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number at the end of a path, as written.
    pub(crate) fn number(&self, path: &[&str]) -> Option<&str> {
        match self.at(path)? {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The entries of the list at the end of a path; none when there is no list.
    pub(crate) fn list(&self, path: &[&str]) -> &[Self] {
        match self.at(path) {
            Some(Self::List(entries)) => entries,
            _ => &[],
        }
    }

    /// The value as the schema validator wants it; numbers become floats there, which is good
    /// enough for limits and never used for arithmetic.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(entries) => Value::Array(entries.iter().map(Self::to_value).collect()),
            Self::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), value.to_value())).collect())
            }
        }
    }
}

impl fmt::Display for Node {
    /// Compact JSON.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Number(text) => formatter.write_str(text),
            Self::Text(text) => formatter.write_str(&quoted(text)),
            Self::List(entries) => {
                formatter.write_str("[")?;
                for (position, entry) in entries.iter().enumerate() {
                    write!(formatter, "{}{entry}", if position == 0 { "" } else { "," })?;
                }
                formatter.write_str("]")
            }
            Self::Object(members) => {
                formatter.write_str("{")?;
                for (position, (name, value)) in members.iter().enumerate() {
                    write!(formatter, "{}{}:{value}", if position == 0 { "" } else { "," }, quoted(name))?;
                }
                formatter.write_str("}")
            }
        }
    }
}

/// A JSON string literal.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Members of an object in their order, duplicates kept.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spelling_of_numbers_survive() {
        let text = r#"{"B":100.10,"A":[1,-2.50,"x\"y",null,true],"C":{}}"#;
        assert_eq!(Node::parse(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn a_document_nested_without_end_is_refused() {
        let text = "[".repeat(5000) + &"]".repeat(5000);
        assert!(Node::parse(text.as_bytes()).is_err());
    }
}

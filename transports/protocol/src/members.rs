//! Reads JSON objects of the portal tolerantly: member names in any case, numbers as text.
//!
//! Providers lower the first letter of names, sites write a status as text or as a number, and
//! acknowledgement numbers have 15 digits. So a reply is never deserialised into fixed types:
//! [`Members`] keeps each value as it stood, and its readers say what they accept.

use std::borrow::Cow;
use std::fmt;

use einvoice_core::date::PortalTime;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// How deeply a reply may nest. The deepest of the portal's own has six levels; a signed document
/// travels as text inside a string and adds none.
pub const DEPTH_MAX: usize = 64;

/// The members of one JSON object, in their order, values untouched.
#[derive(Debug)]
pub struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Why a text is not a JSON object that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MembersError {
    /// Not JSON, or JSON of another kind.
    #[error("it is no JSON object ({at})")]
    NotAnObject {
        /// Line and column.
        at: String,
    },
    /// Nested beyond [`DEPTH_MAX`].
    #[error("it nests deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// The same member twice, perhaps in different case: which one counts cannot be told.
    #[error("it has the member {name} twice")]
    Twice {
        /// The name as first seen.
        name: String,
    },
}

impl<'a> Members<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// When the text is no object, nests too deeply, or names one of `unique` twice. Other members
    /// may repeat; the first one counts.
    pub fn read(text: &'a str, unique: &[&str]) -> Result<Self, MembersError> {
        if too_deep(text) {
            return Err(MembersError::TooDeep);
        }
        let members: Self = serde_json::from_str(text).map_err(|error| MembersError::NotAnObject {
            at: format!("line {}, column {}", error.line(), error.column()),
        })?;
        for name in unique {
            if members.all(name).count() > 1 {
                return Err(MembersError::Twice { name: (*name).to_owned() });
            }
        }
        Ok(members)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Whether the object has no member at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a member, its name compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.all(name).next()
    }

    /// The value of the first of several names that is there.
    #[must_use]
    pub fn any(&self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().find_map(|name| self.get(name))
    }

    /// A member as text: a string's content, a number or a truth value as written. `null`, an empty
    /// or blank string, an object and an array count as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text_of)
    }

    /// A member that is a number of digits, given as number or as text.
    #[must_use]
    pub fn digits(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// A member that is a moment, in any form of [`PortalTime::parse_any`].
    #[must_use]
    pub fn moment(&self, name: &str) -> Option<PortalTime> {
        self.text(name).and_then(|text| PortalTime::parse_any(&text))
    }

    /// The first of several members that is there, as text.
    #[must_use]
    pub fn any_text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    /// The first of several members that is a moment.
    #[must_use]
    pub fn any_moment(&self, names: &[&str]) -> Option<PortalTime> {
        names.iter().find_map(|name| self.moment(name))
    }

    /// Every member with its name as written, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(12);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// A JSON value as text; see [`Members::text`].
#[must_use]
pub fn text_of(value: &RawValue) -> Option<String> {
    let raw = value.get().trim();
    let text = match raw.bytes().next()? {
        b'"' => serde_json::from_str::<String>(raw).ok()?,
        b'n' | b'{' | b'[' => return None,
        _ => raw.to_owned(),
    };
    if text.trim().is_empty() { None } else { Some(text) }
}

/// The elements of a JSON array; nothing when the text is none.
#[must_use]
pub fn elements(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// Whether a JSON text nests beyond the limit. Brackets inside strings do not count.
fn too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_numbers_keep_every_digit() {
        let members = Members::read(r#"{"ackNo":112410193157267,"EWBNO":"391009149369"}"#, &[]).unwrap();
        assert_eq!(members.digits("AckNo").as_deref(), Some("112410193157267"));
        assert_eq!(members.digits("EwbNo").as_deref(), Some("391009149369"));
        assert_eq!(members.digits("Irn"), None);
    }

    #[test]
    fn a_number_beyond_every_machine_type_keeps_its_digits() {
        let members = Members::read(r#"{"n":123456789012345678901234567890}"#, &[]).unwrap();
        assert_eq!(members.text("n").as_deref(), Some("123456789012345678901234567890"));
    }

    #[test]
    fn null_and_blank_are_absent() {
        let members = Members::read(r#"{"a":null,"b":"  ","c":"x"}"#, &[]).unwrap();
        assert_eq!((members.text("a"), members.text("b")), (None, None));
        assert_eq!(members.text("c").as_deref(), Some("x"));
    }

    #[test]
    fn a_deciding_member_given_twice_is_refused() {
        let error = Members::read(r#"{"Status":0,"status":1}"#, &["Status"]).unwrap_err();
        assert_eq!(error, MembersError::Twice { name: "Status".into() });
    }

    #[test]
    fn deep_nesting_is_refused_and_brackets_in_strings_are_not_nesting() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(70), "]".repeat(70));
        assert_eq!(Members::read(&deep, &[]).unwrap_err(), MembersError::TooDeep);
        let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(70), "{".repeat(70));
        assert!(Members::read(&text, &[]).is_ok());
    }
}

//! Writes JSON at places: what a profile's pointers read is put where they look.

use einvoice_protocol::members::{Members, elements};
use einvoice_protocol::object::quoted;

use crate::profile::Pointer;

/// JSON under construction.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    /// Finished JSON.
    Raw(String),
    Object(Vec<(String, Written)>),
    Array(Vec<Written>),
}

impl Written {
    pub(crate) fn text(text: &str) -> Self {
        Self::Raw(quoted(text))
    }

    /// A flag as providers write it: a truth value, or text.
    pub(crate) fn flag(text: &str) -> Self {
        match text {
            "true" | "false" => Self::Raw(text.to_owned()),
            _ => Self::text(text),
        }
    }

    pub(crate) fn empty() -> Self {
        Self::Object(Vec::new())
    }

    /// Puts a value at a place; what is in the way there is made to hold it.
    pub(crate) fn put(&mut self, at: &Pointer, value: Self) {
        self.put_below(at.steps(), value);
    }

    fn put_below(&mut self, steps: &[String], value: Self) {
        let Some((step, rest)) = steps.split_first() else {
            *self = value;
            return;
        };
        self.open(step);
        match self {
            Self::Array(entries) => {
                let index: usize = step.parse().unwrap_or_default();
                while entries.len() <= index {
                    entries.push(Self::empty());
                }
                if let Some(entry) = entries.get_mut(index) {
                    entry.put_below(rest, value);
                }
            }
            Self::Object(members) => {
                if let Some((_, member)) = members.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(step)) {
                    member.put_below(rest, value);
                } else {
                    let mut member = Self::empty();
                    member.put_below(rest, value);
                    members.push((step.clone(), member));
                }
            }
            Self::Raw(_) => {}
        }
    }

    /// Takes finished JSON apart, so that something can be put into it.
    fn open(&mut self, step: &str) {
        let is_index = step.bytes().all(|byte| byte.is_ascii_digit());
        if let Self::Raw(json) = self {
            let json = json.trim();
            if let Some(list) = elements(json).filter(|_| json.starts_with('[')) {
                *self = Self::Array(list.into_iter().map(|element| Self::Raw(element.get().to_owned())).collect());
                return;
            }
            if let Ok(members) = Members::read(json, &[]) {
                let members = members.iter().map(|(name, value)| (name.to_owned(), Self::Raw(value.get().to_owned())));
                *self = Self::Object(members.collect());
                return;
            }
            *self = Self::empty();
        }
        if let (Self::Object(members), true) = (&*self, is_index)
            && members.is_empty()
        {
            *self = Self::Array(Vec::new());
        }
    }

    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::Raw(json) => json.clone(),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{}:{}", quoted(name), value.to_json()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Self::Array(entries) => {
                format!("[{}]", entries.iter().map(Self::to_json).collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_at_a_place_is_found_there() {
        let mut written = Written::Raw(r#"{"Irn":"x","AckNo":112410000012345678901}"#.to_owned());
        for (at, value) in [("/status", "1"), ("/0x", "z"), ("/a/0/b", "y")] {
            written.put(&at.parse().unwrap(), Written::text(value));
        }
        let json = written.to_json();
        assert_eq!(json, r#"{"Irn":"x","AckNo":112410000012345678901,"status":"1","0x":"z","a":[{"b":"y"}]}"#);
        let mut list = Written::empty();
        list.put(&"/0/govt/ok".parse().unwrap(), Written::flag("true"));
        assert_eq!(list.to_json(), r#"[{"govt":{"ok":true}}]"#);
    }
}

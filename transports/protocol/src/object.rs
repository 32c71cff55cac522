//! Writes small JSON objects, their members in the order of the calls: the portal's pages print each request in
//! one order, and a request is easier to compare with them when it keeps it.

/// A JSON object that is being written.
#[derive(Debug)]
pub struct Object(String);

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl Object {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self("{".to_owned())
    }

    /// A member with JSON as its value.
    #[must_use]
    pub fn json(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// A member with a text.
    #[must_use]
    pub fn text(self, name: &str, text: &str) -> Self {
        self.json(name, &quoted(text))
    }

    /// A member with a whole number.
    #[must_use]
    pub fn number(self, name: &str, number: impl Into<u64>) -> Self {
        self.json(name, &number.into().to_string())
    }

    /// A member with a text, unless there is none: optional members are left out rather than sent empty.
    #[must_use]
    pub fn some_text(self, name: &str, text: Option<&str>) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// The object as JSON.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A text as a JSON string, quotes included.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_keep_their_order_and_empty_ones_are_left_out() {
        let json = Object::new().text("b", "x\"y").number("a", 7_u8).some_text("c", Some(" ")).json("d", "[]").finish();
        assert_eq!(json, r#"{"b":"x\"y","a":7,"d":[]}"#);
        assert_eq!(Object::new().finish(), "{}");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(name in "\\PC{1,8}", text in "\\PC{0,40}") {
            let json = Object::new().text(&name, &text).finish();
            let read: std::collections::BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.get(&name), Some(&text));
        }
    }
}

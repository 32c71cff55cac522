//! How one operation is asked of a provider.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use einvoice_protocol::exchange::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reply::Layer;
use super::template::{Template, TemplateError};
use super::{Named, Pointer};

/// How one operation is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OperationProfile {
    /// Method and path, as in `POST /invoice/cancel`. Values in the path are percent-encoded.
    pub http: HttpLine,
    /// Query parameters beside those of the product.
    #[serde(default)]
    pub query: Named,
    /// Puts the parameters of a read of the e-way bill system into the query, by the portal's own names: what differs
    /// between its lists.
    #[serde(default)]
    pub portal_parameters: bool,
    /// Headers beside those of the product.
    #[serde(default)]
    pub headers: Named,
    /// What the body is. Default `nic` for what changes the portal's books, else `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Members of the body, where `body` is `members`.
    #[serde(default)]
    pub members: Named,
    /// Members that go into the JSON of the portal beside its own, for this operation.
    #[serde(default)]
    pub add: Named,
    /// What goes around the JSON, from the inside out.
    #[serde(default)]
    pub wrap: Vec<Wrap>,
    /// The code that turns the portal's JSON into the provider's and back, where no file can say how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// What the answer is wrapped in, instead of what the product says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Vec<Layer>>,
    /// Where the content stands in what the innermost layer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Pointer>,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a body is one of these")]
pub enum Body {
    /// None.
    None,
    /// The portal's JSON.
    Nic,
    /// An object of `members`.
    Members,
}

/// What goes around the JSON of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "JSON has these two containers")]
pub enum Wrap {
    /// An array with it as the only element.
    Array,
    /// An object with it as the member of this name.
    Member(String),
}

/// Method and path of a request: `POST /invoice/{irn}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpLine {
    pub(crate) method: Method,
    pub(crate) path: Template,
}

/// Why a text is no method and path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpLineError {
    /// No known method in front.
    #[error("`{text}` begins with no method; write it like `POST /invoice`, with GET, POST or PUT")]
    Method {
        /// The text.
        text: String,
    },
    /// The path does not begin with a slash, or holds what a path cannot.
    #[error("the path `{path}` {problem}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A variable in it cannot be.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl HttpLine {
    /// A line with nothing but a slash.
    pub(crate) fn root(method: Method) -> Self {
        Self { method, path: Template::fixed("/") }
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path, with variables.
    #[must_use]
    pub const fn path(&self) -> &Template {
        &self.path
    }
}

impl FromStr for HttpLine {
    type Err = HttpLineError;

    fn from_str(text: &str) -> Result<Self, HttpLineError> {
        let wrong = || HttpLineError::Method { text: text.to_owned() };
        let (method, path) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let method = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            _ => return Err(wrong()),
        };
        let path = path.trim();
        let problem = |problem| HttpLineError::Path { path: path.to_owned(), problem };
        if !path.starts_with('/') {
            return Err(problem("does not begin with a slash"));
        }
        if path.contains(['?', '#', '\\']) || path.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(problem("holds a blank, `?`, `#` or a backslash; parameters belong under `query`"));
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(problem("leads up with `.` or `..`"));
        }
        Ok(Self { method, path: path.parse()? })
    }
}

impl TryFrom<String> for HttpLine {
    type Error = HttpLineError;

    fn try_from(text: String) -> Result<Self, HttpLineError> {
        text.parse()
    }
}

impl From<HttpLine> for String {
    fn from(line: HttpLine) -> Self {
        line.to_string()
    }
}

impl fmt::Display for HttpLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method.as_str(), self.path)
    }
}

impl JsonSchema for HttpLine {
    fn schema_name() -> Cow<'static, str> {
        "HttpLine".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(GET|POST|PUT) /",
            "description": "Method and path, such as `POST /invoice/{irn}/cancel`. Values of variables are percent-encoded.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_method_and_a_path() {
        let line: HttpLine = "PUT /einv/{irn}".parse().unwrap();
        assert_eq!((line.method(), line.to_string().as_str()), (Method::Put, "PUT /einv/{irn}"));
        for wrong in ["/einv", "PATCH /x", "GET x", "GET /x?y=1", "GET /../x", "GET /{irm}", "GET /a b"] {
            assert!(wrong.parse::<HttpLine>().is_err(), "{wrong}");
        }
    }
}

//! Texts with variables: `Bearer {provider_token}`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use einvoice_core::registry::nearest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text in which variables of a closed set stand in braces. A brace that is meant stands twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Variable, Form),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is; dates as the portals write them, `dd/mm/yyyy`.
    Plain,
    /// In lower case.
    Lower,
    /// In upper case.
    Upper,
    /// A date as `yyyy-mm-dd`.
    Iso,
    /// A date as `dd-mm-yyyy`.
    Dashed,
}

impl Form {
    /// The value that was written so; of letters the case is lost.
    fn undo(self, written: String) -> Option<String> {
        let parts = || {
            let mut parts = written.split('-');
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(one), Some(two), Some(three), None) => Some((one, two, three)),
                _ => None,
            }
        };
        match self {
            Self::Plain | Self::Lower | Self::Upper => Some(written),
            Self::Iso => parts().map(|(year, month, day)| format!("{day}/{month}/{year}")),
            Self::Dashed => parts().map(|(day, month, year)| format!("{day}/{month}/{year}")),
        }
    }

    const ALL: [(&'static str, Self); 4] =
        [("lower", Self::Lower), ("upper", Self::Upper), ("iso", Self::Iso), ("dashed", Self::Dashed)];

    fn apply(self, value: Cow<'_, str>) -> Option<Cow<'_, str>> {
        let date = || {
            let mut parts = value.split('/');
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(day), Some(month), Some(year), None) => Some((day, month, year)),
                _ => None,
            }
        };
        Some(match self {
            Self::Plain => value,
            Self::Lower => value.to_lowercase().into(),
            Self::Upper => value.to_uppercase().into(),
            Self::Iso => date().map(|(day, month, year)| format!("{year}-{month}-{day}"))?.into(),
            Self::Dashed => date().map(|(day, month, year)| format!("{day}-{month}-{year}"))?.into(),
        })
    }
}

/// What may stand in braces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Variable {
    /// One of the closed set.
    Known(Known),
    /// `settings.NAME`: a value that the route's configuration gives, declared under `settings` of the profile.
    Setting(String),
}

macro_rules! known {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// The variables every profile may use.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Known {
            $(#[doc = $doc] $variant,)*
        }

        impl Known {
            /// Each variable, with its name and what it holds.
            pub const ALL: &[(Self, &'static str, &'static str)] = &[$((Self::$variant, $name, $doc),)*];

            /// Its name in a template.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

known! {
    ClientId "client_id" "Client id of the account at the provider.",
    ClientSecret "client_secret" "Client secret of the account at the provider.",
    UserName "user_name" "Name of the taxpayer's API user.",
    Password "password" "Password of the taxpayer's API user.",
    Gstin "gstin" "The taxpayer that the call is made for.",
    ProviderToken "provider_token" "Token of the login to the provider.",
    TaxpayerToken "taxpayer_token" "Token of the taxpayer's login.",
    Sek "sek" "Session key of the taxpayer's login in base64, where the provider seals with a key that the caller holds.",
    RequestId "request_id" "A number of the request, fresh for each attempt, as `request_id` of the profile forms it.",
    Site "site" "The portal site that is asked, as `sites` of the profile spells it.",
    Force "force" "`true` where a token is to be renewed before its end, else `false`.",
    Action "action" "The e-way bill system's name for the operation: `GENEWAYBILL`, `GetEwayBill`.",
    Irn "irn" "The IRN that is asked about.",
    DocumentType "document_type" "Type of the document that is asked about: `INV`, `CRN`, `DBN`, or that of an e-way bill's document.",
    DocumentNumber "document_number" "Number of the document that is asked about.",
    DocumentDate "document_date" "Date of the document that is asked about.",
    Date "date" "The day whose list is asked for.",
    AskedGstin "asked_gstin" "The GSTIN whose details are asked for.",
    EwbNumber "ewb_number" "The e-way bill that is asked about or changed.",
    TripSheet "trip_sheet" "The trip sheet that is asked about.",
    Transporter "transporter" "The transporter whose details are asked for.",
    Hsn "hsn" "The HSN code that is asked about.",
    State "state" "Code of the state whose list is asked for.",
    Generator "generator" "The GSTIN whose bills are asked for.",
}

impl Known {
    /// Whether a text that holds it must show nowhere.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(
            self,
            Self::ClientId
                | Self::ClientSecret
                | Self::UserName
                | Self::Password
                | Self::ProviderToken
                | Self::TaxpayerToken
                | Self::Sek
        )
    }
}

impl Variable {
    fn parse(name: &str) -> Result<Self, TemplateError> {
        if let Some(setting) = name.strip_prefix("settings.") {
            return Ok(Self::Setting(setting.to_owned()));
        }
        let known = Known::ALL.iter().find(|(_, known, _)| *known == name);
        known.map(|(known, ..)| Self::Known(*known)).ok_or_else(|| TemplateError::Unknown {
            name: name.to_owned(),
            near: nearest(name, Known::ALL.iter().map(|(_, known, _)| *known)).map(str::to_owned),
        })
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => formatter.write_str(known.name()),
            Self::Setting(name) => write!(formatter, "settings.{name}"),
        }
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// No such variable.
    #[error("there is no variable {{{name}}}{}", .near.as_ref().map(|near| format!("; did you mean {{{near}}}?")).unwrap_or_default())]
    Unknown {
        /// What stands in the braces.
        name: String,
        /// A variable of nearly this name.
        near: Option<String>,
    },
    /// No such form.
    #[error("`{form}` after the bar of {{{variable}}} is no form; there are lower, upper, iso and dashed")]
    Form {
        /// The variable.
        variable: String,
        /// What stands behind the bar.
        form: String,
    },
    /// A brace without its other one.
    #[error("a brace stands alone; write it twice where a brace is meant")]
    Brace,
}

impl Template {
    /// A template without variables.
    pub fn fixed(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }

    /// The variables it uses.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(variable, _) => Some(variable),
            Part::Text(_) => None,
        })
    }

    /// Whether it uses a variable.
    #[must_use]
    pub fn uses(&self, known: Known) -> bool {
        self.variables().any(|variable| *variable == Variable::Known(known))
    }

    /// Whether it writes a value in another form than the portals do, which only a right value has.
    pub(crate) fn is_reshaped(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Value(_, form) if !matches!(form, Form::Plain)))
    }

    /// Whether what it makes must show nowhere.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.variables().any(|variable| matches!(variable, Variable::Known(known) if known.is_secret()))
    }

    /// Whether it has no variable at all.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.variables().next().is_none()
    }

    /// The values with which it becomes this text, each once through `decode`; nothing where it cannot. A value ends
    /// where the text behind it begins for the first time.
    #[must_use]
    pub fn take(&self, text: &str, decode: impl Fn(&str) -> Option<String>) -> Option<BTreeMap<Variable, String>> {
        let mut values = BTreeMap::new();
        let mut rest = text;
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(fixed) => rest = rest.strip_prefix(fixed.as_str())?,
                Part::Value(variable, form) => {
                    let end = match parts.peek() {
                        Some(Part::Text(next)) => rest.find(next.as_str())?,
                        Some(Part::Value(..)) => return None,
                        None => rest.len(),
                    };
                    let (value, behind) = rest.split_at(end);
                    let value = form.undo(decode(value)?)?;
                    if values.insert(variable.clone(), value.clone()).is_some_and(|known| known != value) {
                        return None;
                    }
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(values)
    }

    /// Writes it out, each value through `encode`.
    ///
    /// # Errors
    /// The first variable that has no value here, or none of the form that is asked for.
    pub fn fill<'v>(
        &self,
        value: impl Fn(&Variable) -> Option<Cow<'v, str>>,
        encode: impl Fn(&str) -> String,
    ) -> Result<String, Variable> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Value(variable, form) => {
                    let found = value(variable).and_then(|value| form.apply(value));
                    text.push_str(&encode(&found.ok_or_else(|| variable.clone())?));
                }
            }
        }
        Ok(text)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut fixed = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            fixed.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                fixed.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                fixed.push('}');
                rest = after;
            } else {
                let (inner, after) =
                    from.strip_prefix('{').and_then(|from| from.split_once('}')).ok_or(TemplateError::Brace)?;
                let (name, form) = match inner.split_once('|') {
                    Some((name, form)) => (name.trim(), Some(form.trim())),
                    None => (inner.trim(), None),
                };
                let variable = Variable::parse(name)?;
                let form = match form {
                    None => Form::Plain,
                    Some(wanted) => Form::ALL
                        .iter()
                        .find(|(name, _)| *name == wanted)
                        .map(|(_, form)| *form)
                        .ok_or_else(|| TemplateError::Form { variable: name.to_owned(), form: wanted.to_owned() })?,
                };
                if !fixed.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut fixed)));
                }
                parts.push(Part::Value(variable, form));
                rest = after;
            }
        }
        fixed.push_str(rest);
        if !fixed.is_empty() || parts.is_empty() {
            parts.push(Part::Text(fixed));
        }
        Ok(Self { parts })
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => formatter.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Value(variable, form) => {
                    let form = Form::ALL.iter().find(|(_, known)| known == form);
                    let form = form.map(|(name, _)| format!("|{name}")).unwrap_or_default();
                    write!(formatter, "{{{variable}{form}}}")?;
                }
            }
        }
        Ok(())
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<String> = Known::ALL.iter().map(|(_, name, about)| format!("`{{{name}}}`: {about}")).collect();
        schemars::json_schema!({
            "type": "string",
            "description": format!(
                "A text with variables in braces. A form may follow a bar: `{{date|iso}}`, `|dashed`, `|lower`, `|upper`.\n\n{}",
                names.join("\n\n"),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(template: &str) -> Result<String, Variable> {
        let value = |variable: &Variable| match variable {
            Variable::Known(Known::Date) => Some("05/11/2026".into()),
            Variable::Known(Known::Action) => Some("GENEWAYBILL".into()),
            Variable::Known(Known::DocumentNumber) => Some("A/1 b".into()),
            Variable::Setting(name) if name == "email" => Some("a@b.example".into()),
            _ => None,
        };
        template.parse::<Template>().unwrap().fill(value, str::to_owned)
    }

    #[test]
    fn variables_are_filled_in_the_form_that_is_asked_for() {
        assert_eq!(
            filled("/x/{action|lower}?d={date|iso}&e={settings.email}").unwrap(),
            "/x/genewaybill?d=2026-11-05&e=a@b.example"
        );
        assert_eq!(filled("{{{date}}}").unwrap(), "{05/11/2026}");
        assert_eq!(filled("{date|dashed}").unwrap(), "05-11-2026");
        assert_eq!(filled("").unwrap(), "");
    }

    #[test]
    fn the_values_in_a_text_are_found_again() {
        let take = |template: &str, text: &str| {
            let template = template.parse::<Template>().unwrap();
            template.take(text, |value| Some(value.to_owned())).map(|values| {
                values.into_iter().map(|(variable, value)| format!("{variable}={value}")).collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(take("Bearer {provider_token}", "Bearer abc").as_deref(), Some("provider_token=abc"));
        assert_eq!(take("/a/{irn}/b", "/a/x/b").as_deref(), Some("irn=x"));
        assert_eq!(take("{date|iso}", "2026-11-05").as_deref(), Some("date=05/11/2026"));
        assert_eq!(take("JSON", "JSON").as_deref(), Some(""));
        assert_eq!(take("/a/{irn}/b", "/a/x/c"), None);
        assert_eq!(take("{date|iso}", "today"), None);
    }

    #[test]
    fn what_has_no_value_here_is_named() {
        assert_eq!(filled("a {irn}").unwrap_err(), Variable::Known(Known::Irn));
        assert_eq!(filled("{document_number|iso}").unwrap_err(), Variable::Known(Known::DocumentNumber));
        assert_eq!(filled("{settings.company}").unwrap_err().to_string(), "settings.company");
    }

    #[test]
    fn a_misspelt_variable_form_or_brace_is_refused_with_what_there_is() {
        let error = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert_eq!(error("{clientid}"), "there is no variable {clientid}; did you mean {client_id}?");
        assert!(error("{date|us}").contains("lower, upper, iso and dashed"));
        assert!(error("{date").contains("a brace stands alone"));
        assert!(error("date}").contains("a brace stands alone"));
    }

    #[test]
    fn a_template_knows_whether_it_holds_a_secret() {
        let template: Template = "Bearer {provider_token}".parse().unwrap();
        assert!(template.is_secret() && template.uses(Known::ProviderToken) && !template.is_fixed());
        assert!(!"{gstin}".parse::<Template>().unwrap().is_secret());
        assert!("JSON".parse::<Template>().unwrap().is_fixed());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-z{}|/ ]{0,30}") {
            if let Ok(template) = text.parse::<Template>() {
                prop_assert_eq!(template.to_string().parse::<Template>().unwrap(), template);
            }
        }
    }
}

//! What an integrator writes: `[source.mapping]`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::number::DecimalMark;
use super::value::DateOrder;

/// How the fields of a source become members of INV-01, and what is computed or left out.
///
/// Every source that takes a mapping has one of its own built in; what stands here goes before it, member by member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MappingConfig {
    /// Where members of INV-01 come from, by path: `"DocDtls.No" = "Invoice No"`. Default: what the source has built in.
    pub set: BTreeMap<String, Rule>,
    /// Lookup tables by name, each from what the source says to what INV-01 wants. Case, blanks and punctuation do not
    /// count. Default: none.
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
    /// Records that are passed over. Default: none beyond those of the source.
    pub skip: Vec<SkipRule>,
    /// Supplier details by GSTIN, for sources that do not carry them. Default: none.
    pub seller: Vec<SellerConfig>,
    /// The mark before the decimals of a number: `point` or `comma`. Default: `point`.
    pub decimal: DecimalMark,
    /// The order of the parts of a date: `day_first` or `month_first`. ISO dates are read either way. Default: `day_first`.
    pub dates: DateOrder,
    /// Whether what the source leaves out is computed from what it has: line values, taxes from the rate and the place of
    /// supply, totals. Default: true.
    pub complete: Option<bool>,
}

/// Where a value comes from: the name of a field, a list of which the first that is not blank counts, or a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "a rule is a field, a choice, or a table with settings")]
pub enum Rule {
    /// The name of a field, as in `"Invoice No"`.
    Field(String),
    /// The first of these that is not blank.
    First(Vec<Rule>),
    /// Anything else.
    Table(Box<RuleTable>),
}

/// A rule with its settings. One of `from`, `value`, `formula`, `join`, `document` says where the value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RuleTable {
    /// A field, or a list of which the first that is not blank counts.
    pub from: Option<Rule>,
    /// A constant.
    pub value: Option<Constant>,
    /// Arithmetic over fields: `Qty * [Unit Price]`, with `+ - * /`, brackets, `round`, `abs`, `min`, `max`, `or`.
    pub formula: Option<String>,
    /// Several values written one after the other; blank ones are left out.
    pub join: Option<Vec<Rule>>,
    /// What stands between joined values. Default: one blank.
    pub with: Option<String>,
    /// Another member of the document, as the source mapped it.
    pub document: Option<String>,
    /// Only where this field is not blank: a part of an address that stands alone is no address.
    pub when: Option<String>,
    /// Only what stands before the first of this text: `"-"` makes `27` of `27-MAHARASHTRA`.
    pub before: Option<String>,
    /// Only what stands after the first of this text.
    pub after: Option<String>,
    /// Changes to the text, one after the other. Default: none.
    pub steps: Vec<TextStep>,
    /// Lookup table that turns what the source says into what INV-01 wants.
    pub table: Option<String>,
    /// Take a value that the table does not have as it stands. Default: false, which reports it.
    pub keep: bool,
    /// The value where there is none.
    pub default: Option<Constant>,
    /// Leave the member out, although the source has a rule for it. Default: false.
    pub leave_out: bool,
}

/// A constant: a text, a number or yes and no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Constant(pub String);

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Constant;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a number, true or false")
            }

            fn visit_str<E>(self, text: &str) -> Result<Constant, E> {
                Ok(Constant(text.to_owned()))
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Constant, E> {
                Ok(Constant(if yes { "Y" } else { "N" }.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }

            // A number of the configuration is read as binary by its reader; its shortest form is what was written.
            fn visit_f64<E>(self, number: f64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// A change to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TextStep {
    /// Capital letters.
    Upper,
    /// Small letters.
    Lower,
    /// Digits only.
    Digits,
    /// Without leading zeros, as of keys that a program pads.
    StripZeros,
    /// A number without its sign.
    Absolute,
    /// A number with the other sign.
    Negate,
    /// The first line of several.
    FirstLine,
}

/// Records that are passed over, counted with their reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SkipRule {
    /// The field that decides. Required.
    pub field: String,
    /// Values by which a record is passed over; case, blanks and punctuation do not count.
    #[serde(default, rename = "in")]
    pub among: Vec<String>,
    /// Pass over records whose field is blank. Default: false.
    #[serde(default)]
    pub blank: bool,
    /// A word for counting, such as `pro_forma`. Required.
    pub reason: String,
    /// A sentence for people. Default: says field and value.
    #[serde(default)]
    pub message: Option<String>,
}

/// A supplier's details for the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SellerConfig {
    /// GSTIN these details are for. Required.
    pub gstin: String,
    /// Legal name, 3 to 100 characters. Default: what the source says.
    pub legal_name: Option<String>,
    /// Trade name, where it differs. Default: none.
    pub trade_name: Option<String>,
    /// First address line. Default: what the source says.
    pub address1: Option<String>,
    /// Second address line. Default: none.
    pub address2: Option<String>,
    /// City, town or village. Default: what the source says.
    pub location: Option<String>,
    /// PIN code. Default: what the source says.
    pub pin: Option<u32>,
    /// Phone, 6 to 12 digits. Default: none.
    pub phone: Option<String>,
    /// E-mail address. Default: none.
    pub email: Option<String>,
}

impl From<&str> for Rule {
    fn from(field: &str) -> Self {
        Self::Field(field.to_owned())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Rule;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a field, a list of rules, or a table such as { value = \"B2B\" }")
            }

            fn visit_str<E>(self, field: &str) -> Result<Rule, E> {
                Ok(Rule::Field(field.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rule, A::Error> {
                let mut rules = Vec::new();
                while let Some(rule) = list.next_element()? {
                    rules.push(rule);
                }
                Ok(Rule::First(rules))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Rule, A::Error> {
                let table = RuleTable::deserialize(MapAccessDeserializer::new(table))?;
                Ok(Rule::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

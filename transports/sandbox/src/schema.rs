//! The official schema of the document, checked by a JSON Schema validator.
//!
//! The schema file is data, and the validator is somebody else's: the product's own table of members
//! is never asked. From the same file come the canonical names (the portal reads member names in any
//! case), their order in the signed copy, and the decimals of each number.

use std::sync::LazyLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;

use crate::exact::Exact;
use crate::node::Node;

static SCHEMA_TEXT: &str = include_str!("../schema/inv01-1.1.json");

static SCHEMA: LazyLock<Option<Node>> = LazyLock::new(|| Node::parse(SCHEMA_TEXT.as_bytes()).ok());

static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let schema = serde_json::from_str(SCHEMA_TEXT).ok()?;
    jsonschema::draft7::new(&schema).ok()
});

/// Texts of one refusal; more than these add nothing.
const TEXTS_MAX: usize = 50;

/// Checks a document and gives it back with canonical names in canonical order, unknown and null
/// members left out; or the portal's texts, each naming a field.
pub(crate) fn check(document: &Node) -> Result<Node, Vec<String>> {
    let mut texts = Vec::new();
    let (Some(schema), Some(validator)) = (SCHEMA.as_ref(), VALIDATOR.as_ref()) else {
        return Err(vec!["the schema of the emulator cannot be read".to_owned()]);
    };
    let canonical = canonical(document, schema, "", &mut texts);
    for error in validator.iter_errors(&canonical.to_value()) {
        texts.push(describe(&error));
    }
    texts.truncate(TEXTS_MAX);
    if texts.is_empty() { Ok(canonical) } else { Err(texts) }
}

/// Renames members to the names of the schema, in its order, and checks decimals and doubles.
fn canonical(node: &Node, schema: &Node, path: &str, texts: &mut Vec<String>) -> Node {
    match node {
        Node::Object(members) => {
            let Some(Node::Object(properties)) = schema.get("properties") else { return node.clone() };
            let mut ordered = Vec::with_capacity(members.len());
            for (name, property) in properties {
                let mut same = members.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
                let Some((_, value)) = same.next() else { continue };
                let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if same.next().is_some() {
                    texts.push(format!("The field {here} is given twice"));
                }
                if *value != Node::Null || !may_be_null(property) {
                    ordered.push((name.clone(), canonical(value, property, &here, texts)));
                }
            }
            Node::Object(ordered)
        }
        Node::List(entries) => {
            let Some(item) = schema.get("items") else { return node.clone() };
            let entries = entries.iter().enumerate();
            Node::List(
                entries.map(|(index, entry)| canonical(entry, item, &format!("{path}[{index}]"), texts)).collect(),
            )
        }
        Node::Number(text) => {
            let allowed = schema.number(&["x-decimals"]).and_then(|decimals| decimals.parse().ok()).unwrap_or(9);
            if Exact::parse(text).is_none_or(|value| value.decimals() > allowed) {
                texts.push(format!(r"The field {path} must match the regular expression '^\d+\.?\d{{0,{allowed}}}$'"));
            }
            node.clone()
        }
        _ => node.clone(),
    }
}

fn may_be_null(property: &Node) -> bool {
    property.list(&["type"]).contains(&Node::Text("null".to_owned()))
}

/// The portal's way of putting it: a sentence with the name of the field.
fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let field = field_name(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
            format!("The {field} field is required")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("The field {field} must be a string with a minimum length of {limit}")
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("The field {field} must be a string with a maximum length of {limit}")
        }
        ValidationErrorKind::Minimum { limit } => format!("The field {field} must not be less than {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("The field {field} must not be greater than {limit}"),
        ValidationErrorKind::MinItems { limit } => format!("The field {field} must have at least {limit} entries"),
        ValidationErrorKind::MaxItems { limit } => format!("The field {field} must have at most {limit} entries"),
        ValidationErrorKind::Pattern { pattern } => {
            format!("The field {field} must match the regular expression '{pattern}'")
        }
        ValidationErrorKind::Enum { options } => format!("The field {field} must be one of {options}"),
        ValidationErrorKind::Constant { expected_value } => format!("The field {field} must be {expected_value}"),
        ValidationErrorKind::Type { .. } => format!("The field {field} is of the wrong type"),
        _ => format!("The field {field} is not valid"),
    }
}

/// `/ItemList/0/HsnCd` as `ItemList[0].HsnCd`.
fn field_name(pointer: &str) -> String {
    let mut name = String::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            name.extend(["[", part, "]"]);
        } else {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(part);
        }
    }
    name
}

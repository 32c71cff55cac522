//! The JSON of release 7, as the vendor describes it: headers in the place of the envelope's header,
//! objects with `metadata`, fields in lower case, empty ones left out.

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::node::Node;

/// The envelope that a request in JSON stands for; `None` where a part of it is missing.
pub(super) fn envelope(headers: &HeaderMap, body: &str) -> Option<Node> {
    let stated = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let names = ["version", "tallyrequest", "type", "id"];
    let header: Option<Vec<Node>> =
        names.iter().map(|name| Some(Node::field(&name.to_ascii_uppercase(), stated(name)?))).collect();
    let body: Value = serde_json::from_str(body.trim_start_matches('\u{FEFF}')).ok()?;
    let mut variables = Vec::new();
    for variable in body.get("static_variables")?.as_array()? {
        let (name, value) = (variable.get("name")?.as_str()?, variable.get("value")?.as_str()?);
        variables.push(Node::field(&name.to_ascii_uppercase(), value));
    }
    // The older JSON is another one.
    let format = variables.iter().find(|variable| variable.name == "SVEXPORTFORMAT");
    format.filter(|format| format.text.eq_ignore_ascii_case("jsonex"))?;
    let part = |name: &str, children: Vec<Node>| Node { name: name.to_owned(), children, ..Node::default() };
    let desc = part("DESC", vec![part("STATICVARIABLES", variables)]);
    Some(part("ENVELOPE", vec![part("HEADER", header?), part("BODY", vec![desc])]))
}

/// An answer in JSON that says what an answer in XML says.
pub(super) fn answer(xml: &str) -> String {
    let root = Node::parse(xml).unwrap_or_default();
    let mut errors = Vec::new();
    root.all("LINEERROR", &mut errors);
    if let Some(error) = errors.first() {
        return json!({ "status": "0", "data": { "line_error": error.text } }).to_string();
    }
    let mut messages = Vec::new();
    root.all("TALLYMESSAGE", &mut messages);
    let objects: Vec<Value> = messages.into_iter().flat_map(|message| &message.children).map(object).collect();
    json!({ "status": "1", "tallymessage": objects }).to_string()
}

/// The object in a message, as a text.
pub(super) fn object_of(message: &str) -> String {
    Node::parse(message).and_then(|message| message.children.first().map(object)).unwrap_or_default().to_string()
}

fn object(node: &Node) -> Value {
    let kind = match node.name.as_str() {
        "STOCKITEM" => "Stock Item".to_owned(),
        "STOCKGROUP" => "Stock Group".to_owned(),
        "VOUCHERTYPE" => "Voucher Type".to_owned(),
        name => {
            format!("{}{}", name.get(..1).unwrap_or_default(), name.get(1..).unwrap_or_default().to_ascii_lowercase())
        }
    };
    let mut metadata = Map::from_iter([("type".to_owned(), Value::String(kind))]);
    for (name, value) in &node.attributes {
        metadata.insert(name.to_ascii_lowercase(), Value::String(value.clone()));
    }
    let mut fields = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
    put_fields(&mut fields, node);
    Value::Object(fields)
}

fn put_fields(fields: &mut Map<String, Value>, node: &Node) {
    for child in &node.children {
        let lower = child.name.to_ascii_lowercase();
        let Some(list) = lower.strip_suffix(".list") else {
            match child.text.as_str() {
                "" => {}
                "Yes" => _ = fields.insert(lower, Value::Bool(true)),
                "No" => _ = fields.insert(lower, Value::Bool(false)),
                text => _ = fields.insert(lower, Value::String(text.to_owned())),
            }
            continue;
        };
        let entries = fields.entry(list.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(entries) = entries else { continue };
        let base = child.name.trim_end_matches(".LIST");
        if child.children.iter().any(|line| line.name == base && line.children.is_empty()) {
            entries.push(json!({ "metadata": true, "type": "String" }));
            entries.extend(child.children.iter().map(|line| Value::String(line.text.clone())));
        } else if !child.children.is_empty() {
            let mut inner = Map::new();
            put_fields(&mut inner, child);
            entries.push(Value::Object(inner));
        }
    }
    fields.retain(|_, value| value.as_array().is_none_or(|entries| !entries.is_empty()));
}

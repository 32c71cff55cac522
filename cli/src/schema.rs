//! JSON Schema of the configuration: one for the whole file, and the settings of a plugin as rows.
//!
//! Each plugin brings the schema of its own settings; the keys that belong to the tables themselves
//! (`name`, `plugin`, `schedule` ...) are added here, with `plugin` telling the variants apart.

use einvoice_core::config::{CheckSettings, DoctorSettings, QuotaSettings, RunSettings, VerifySettings};
use einvoice_core::registry::{PluginLine, Registry, Role};
use einvoice_core::rulebook::RuleSettings;
use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

/// How deep nested settings are shown in a table.
const DEPTH_MAX: usize = 4;

/// The schema of the whole configuration file.
#[must_use]
pub fn whole(registry: &Registry) -> Value {
    let mut definitions = Map::new();
    let lines = registry.overview();
    let mut table = |role: Role| variants(role, &lines, &mut definitions);
    let list = |entries: Value, about: &str| json!({"type": "array", "items": entries, "description": about});
    let mut properties = Map::new();
    let mut add = |key: &str, schema: Value| properties.insert(key.to_owned(), schema);
    add("ledger", table(Role::Ledger));
    add("credentials", table(Role::CredentialStore));
    add("route", list(table(Role::Transport), "Ways to the portal, in order of preference."));
    add("source", list(table(Role::Source), "Where invoices come from."));
    add("write_back", list(table(Role::WriteBack), "Where results go."));
    add("verify", section::<VerifySettings>("verify", &mut definitions));
    add("check", section::<CheckSettings>("check", &mut definitions));
    add("rules", section::<RuleSettings>("rules", &mut definitions));
    add("run", section::<RunSettings>("run", &mut definitions));
    add("doctor", section::<DoctorSettings>("doctor", &mut definitions));
    add("quota", section::<QuotaSettings>("quota", &mut definitions));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "einvoice configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "$defs": definitions,
    })
}

/// One variant per plugin of the role; `plugin` says which.
fn variants(role: Role, lines: &[PluginLine], definitions: &mut Map<String, Value>) -> Value {
    let variants: Vec<Value> = lines
        .iter()
        .filter(|line| line.role == role)
        .map(|line| {
            let prefix = format!("{}.{}", role.table(), line.name);
            let mut schema = hoisted((line.schema)().to_value(), &prefix, definitions);
            with_table_keys(&mut schema, role, line);
            schema
        })
        .collect();
    json!({ "oneOf": variants })
}

fn section<T: JsonSchema>(name: &str, definitions: &mut Map<String, Value>) -> Value {
    hoisted(schema_for!(T).to_value(), name, definitions)
}

/// Moves a schema's own definitions to the top, under names that cannot meet another plugin's.
fn hoisted(mut schema: Value, prefix: &str, definitions: &mut Map<String, Value>) -> Value {
    rename_references(&mut schema, prefix);
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(own)) = object.remove("$defs") {
            definitions.extend(own.into_iter().map(|(name, value)| (format!("{prefix}.{name}"), value)));
        }
    }
    schema
}

fn rename_references(schema: &mut Value, prefix: &str) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get_mut("$ref")
                && let Some(name) = target.strip_prefix("#/$defs/")
            {
                *target = format!("#/$defs/{prefix}.{name}");
            }
            object.values_mut().for_each(|value| rename_references(value, prefix));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|value| rename_references(value, prefix)),
        _ => {}
    }
}

fn with_table_keys(schema: &mut Value, role: Role, line: &PluginLine) {
    let Some(object) = schema.as_object_mut() else { return };
    object.insert("title".to_owned(), json!(line.name));
    object.insert("description".to_owned(), json!(line.summary));
    object.insert("type".to_owned(), json!("object"));
    if let Some(properties) = object.entry("properties").or_insert_with(|| json!({})).as_object_mut() {
        properties.insert("plugin".to_owned(), json!({"const": line.name, "description": line.summary}));
        for (key, schema) in table_keys(role) {
            properties.insert(key.to_owned(), schema);
        }
    }
    // `[ledger]` and `[credentials]` have a default plugin; naming it there is still what tells the
    // variants apart.
    if let Some(required) = object.entry("required").or_insert_with(|| json!([])).as_array_mut() {
        required.push(json!("plugin"));
        if role == Role::Transport {
            required.push(json!("environment"));
        }
    }
}

/// The keys of a table that are not the plugin's own.
#[must_use]
pub fn table_keys(role: Role) -> Vec<(&'static str, Value)> {
    let text = |about: &str| json!({"type": "string", "description": about});
    let mut keys = vec![("name", text("Name of this part, unique among its kind. Default: the plugin's name."))];
    match role {
        Role::Transport => {
            keys.push((
                "environment",
                json!({"enum": ["production", "sandbox"], "description": "Which environment is behind the route."}),
            ));
            keys.push((
                "client_account",
                text("Account at a GSP or provider whose client pair serves all GSTINs. Default: the pair of the GSTIN's PAN."),
            ));
            keys.push((
                "e_way_bill_login",
                json!({"enum": ["own", "same_user", "same_token"], "description": "With whose credentials the e-way bill system is logged in to where it has no API user of its own: none (\"own\"), the API user of the e-invoice system, or that user and its token. Whether the portals allow the last two is not documented; try them before you rely on them. Default: own."}),
            ));
        }
        Role::Source => keys.push((
            "schedule",
            text("How often `einvoice run` reads it, as in \"every 5 minutes\". Default: once."),
        )),
        Role::WriteBack => keys.push((
            "sources",
            json!({"type": "array", "items": {"type": "string"}, "description": "Names of the sources whose results go there. Default: all."}),
        )),
        Role::CredentialStore | Role::Ledger => {}
    }
    keys
}

/// One setting of a plugin, for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingRow {
    /// The key, nested keys with dots; `[]` marks a list, `<name>` a free key.
    pub key: String,
    /// What may stand there.
    pub form: String,
    /// The default, `required`, or empty.
    pub default: String,
    /// What it means.
    pub about: String,
}

/// The settings of a schema as rows.
#[must_use]
pub fn setting_rows(schema: &Value) -> Vec<SettingRow> {
    let mut rows = Vec::new();
    collect(schema, schema, "", DEPTH_MAX, &mut rows);
    rows
}

fn collect(root: &Value, schema: &Value, prefix: &str, depth: usize, rows: &mut Vec<SettingRow>) {
    let schema = resolved(root, schema);
    let required = schema.get("required").and_then(Value::as_array);
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.iter().any(|name| name.as_str() == Some(key)));
        let full = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let default = match property.get("default") {
            Some(Value::Null) | None if is_required => "required".to_owned(),
            Some(Value::Null) | None => String::new(),
            // The rows of its keys, which follow, tell each default where it can be read.
            Some(Value::Object(_)) if depth > 0 => String::new(),
            Some(value) => value.to_string(),
        };
        let about = property.get("description").or_else(|| resolved(root, property).get("description"));
        rows.push(SettingRow {
            key: full.clone(),
            form: form(root, property),
            default,
            about: about.and_then(Value::as_str).unwrap_or_default().replace('\n', " "),
        });
        if depth > 0 {
            nested(root, property, &full, depth - 1, rows);
        }
    }
}

fn nested(root: &Value, property: &Value, key: &str, depth: usize, rows: &mut Vec<SettingRow>) {
    let property = unwrapped(root, property);
    if let Some(items) = property.get("items") {
        collect(root, unwrapped(root, items), &format!("{key}[]"), depth, rows);
    } else if let Some(values @ Value::Object(_)) = property.get("additionalProperties") {
        collect(root, unwrapped(root, values), &format!("{key}.<name>"), depth, rows);
    } else {
        collect(root, property, key, depth, rows);
    }
}

/// What may stand there, in a word or two.
fn form(root: &Value, property: &Value) -> String {
    let property = unwrapped(root, property);
    if let Some(words) = words(root, property) {
        return words.join(" | ");
    }
    let named = match property.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("any")
        }
        _ => "any",
    };
    match named {
        "array" => {
            property.get("items").map_or_else(|| "list".to_owned(), |items| format!("list of {}", form(root, items)))
        }
        "object" => "table".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true | false".to_owned(),
        "integer" => "whole number".to_owned(),
        other => other.to_owned(),
    }
}

/// The words of a choice, if it is one.
fn words(root: &Value, schema: &Value) -> Option<Vec<String>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter(|value| !value.is_null()).map(ToString::to_string).collect());
    }
    if let Some(value) = schema.get("const") {
        return Some(vec![value.to_string()]);
    }
    let variants = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let words: Option<Vec<Vec<String>>> = variants.iter().map(|variant| words(root, resolved(root, variant))).collect();
    words.map(|words| words.into_iter().flatten().collect())
}

/// The schema behind a reference and behind "or null".
fn unwrapped<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolved(root, schema);
    let Some(variants) = schema.get("anyOf").and_then(Value::as_array) else { return schema };
    let mut real = variants.iter().filter(|variant| variant.get("type").and_then(Value::as_str) != Some("null"));
    match (real.next(), real.next()) {
        (Some(only), None) => resolved(root, only),
        _ => schema,
    }
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Sample {
        /// Where to look.
        path: String,
        /// How it is written.
        #[serde(default)]
        style: Style,
        /// Sellers by GSTIN.
        #[serde(default)]
        sellers: std::collections::BTreeMap<String, Seller>,
        /// Optional.
        limit: Option<u32>,
    }

    #[derive(JsonSchema, serde::Serialize, Default)]
    #[serde(rename_all = "snake_case")]
    enum Style {
        #[default]
        Plain,
        #[expect(dead_code, reason = "only its schema is looked at")]
        Fancy,
    }

    #[derive(JsonSchema, serde::Serialize)]
    struct Seller {
        /// Legal name.
        name: String,
    }

    #[test]
    fn settings_become_rows_with_form_default_and_nested_keys() {
        let schema = schema_for!(Sample).to_value();
        let rows: Vec<(String, String, String)> =
            setting_rows(&schema).into_iter().map(|row| (row.key, row.form, row.default)).collect();
        let row = |key: &str, form: &str, default: &str| (key.to_owned(), form.to_owned(), default.to_owned());
        assert!(rows.contains(&row("path", "text", "required")), "{rows:?}");
        assert!(rows.contains(&row("style", "\"plain\" | \"fancy\"", "\"plain\"")), "{rows:?}");
        assert!(rows.contains(&row("sellers.<name>.name", "text", "required")), "{rows:?}");
        assert!(rows.contains(&row("limit", "whole number", "")), "{rows:?}");
        let table = rows.iter().find(|row| row.0 == "sellers").unwrap();
        assert_eq!(table.2, "", "the keys of a table tell their defaults");
    }

    #[test]
    fn definitions_of_two_plugins_do_not_meet() {
        let mut definitions = Map::new();
        let first = hoisted(schema_for!(Sample).to_value(), "source.a", &mut definitions);
        hoisted(schema_for!(Sample).to_value(), "source.b", &mut definitions);
        assert!(definitions.contains_key("source.a.Seller") && definitions.contains_key("source.b.Seller"));
        assert!(first.to_string().contains("#/$defs/source.a.Seller"), "{first}");
    }
}

//! The schema, the guide and the profiles say the same.

use std::collections::BTreeSet;

use einvoice_gsp::profile::{Known, Meaning, Profile, shipped};
use serde_json::Value;

const CHAPTER: &str = include_str!("../../../core/src/guide/gsp.md");

/// Whether the chapter has a word between backticks, alone or with others.
fn is_told(word: &str) -> bool {
    CHAPTER.split('`').skip(1).step_by(2).any(|quoted| {
        quoted.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|part| part == word)
    })
}

fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                found.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| keys(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_chapter_has_every_key_every_variable_and_every_meaning() {
    let mut all = BTreeSet::new();
    let schema = Profile::schema();
    keys(&schema, &mut all);
    assert!(all.len() > 60, "{all:?}");
    // Paths of the portal's protocol have the names of its operations, and are documented there.
    let defs = &schema["$defs"];
    let mut paths = BTreeSet::new();
    for name in ["Endpoints", "EwbEndpoints", "ClosureNames", "HeaderSpelling", "JsonLayering"] {
        keys(&defs[name], &mut paths);
    }
    let missing: Vec<&String> = all.iter().filter(|key| !paths.contains(*key) && !is_told(key)).collect();
    assert!(missing.is_empty(), "keys without a word in the guide: {missing:?}");
    let variables: Vec<&str> = Known::ALL
        .iter()
        .map(|(_, name, _)| *name)
        .filter(|name| !CHAPTER.contains(&format!("`{{{name}}}`")))
        .collect();
    assert!(variables.is_empty(), "variables without a word in the guide: {variables:?}");
    for meaning in Meaning::ALL {
        let name = serde_json::to_value(meaning).unwrap();
        assert!(is_told(name.as_str().unwrap()), "{name}");
    }
}

#[test]
fn every_profile_fits_the_schema_and_what_a_reader_refuses_does_not() {
    let validator = jsonschema::validator_for(&Profile::schema()).unwrap();
    let as_json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    let odd = include_str!("odd.toml");
    for (name, text) in shipped().iter().map(|shipped| (shipped.id, shipped.text)).chain([("odd", odd)]) {
        let errors: Vec<String> =
            validator.iter_errors(&as_json(text)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    for (from, to) in [
        ("kind = \"provider_api\"", "kind = \"provider\""),
        ("heartbeat = \"GET /up\"", "heartbeat = \"DELETE /up\""),
        ("name = \"Oddments Gateway (invented)\"", "nam = \"Oddments Gateway (invented)\""),
        ("length = 32", "length = \"32\""),
    ] {
        let wrong = odd.replace(from, to);
        assert_ne!(wrong, odd, "{from}");
        assert!(!validator.is_valid(&as_json(&wrong)), "{to}");
    }
}

//! Help, plugins, schema, completions: what needs no configuration.

use crate::{einvoice, folder};

/// Everything a call shows that needs no configuration.
fn shown(arguments: &[&str]) -> String {
    let directory = folder();
    einvoice(directory.path(), arguments).shown(directory.path())
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    insta::assert_snapshot!(shown(&["--help"]));
}

#[test]
fn help_of_a_command_lists_its_arguments() {
    for name in [
        "run",
        "validate",
        "verify",
        "status",
        "credentials",
        "sandbox",
        "init",
        "explain",
        "new",
        "test",
        "onboard",
        "doctor",
        "quota",
    ] {
        insta::assert_snapshot!(format!("help_of_{name}"), shown(&[name, "-h"]));
    }
}

#[test]
fn help_of_what_comes_after_a_registration_lists_its_arguments() {
    for name in ["cancel", "lookup", "ewb", "resolve", "retry", "jobs", "gsp"] {
        insta::assert_snapshot!(format!("help_of_{name}"), shown(&[name, "-h"]));
    }
    insta::assert_snapshot!("help_of_ewb_extend", shown(&["ewb", "extend", "-h"]));
}

#[test]
fn plugins_lists_every_role_of_every_plugin() {
    insta::assert_snapshot!(shown(&["plugins"]));
}

#[test]
fn a_plugin_is_shown_with_its_settings_and_an_example() {
    insta::assert_snapshot!(shown(&["plugins", "credentials-env"]));
}

#[test]
fn a_write_back_target_is_shown_with_the_ways_in_which_results_reach_the_books() {
    let told = shown(&["plugins", "tally"]);
    let (_, target) = told.split_once("tally as write-back target").unwrap();
    let (ways, _) = target.split_once("How results reach the books:").unwrap().1.split_once("Example:").unwrap();
    insta::assert_snapshot!("ways_of_tally", ways.trim_matches('\n'));
    assert_eq!(told.matches("How results reach the books:").count(), 1, "a source has none: {told}");
    let directory = folder();
    let all = einvoice(directory.path(), &["plugins", "--json"]).objects();
    let targets = all.iter().filter(|line| line["table"] == "write_back").map(|line| line["name"].as_str().unwrap());
    for name in targets {
        let roles = einvoice(directory.path(), &["plugins", name, "--json"]).objects();
        let target = roles.iter().find(|role| role["table"] == "write_back").unwrap();
        let ways = target["ways"].as_array().unwrap_or_else(|| panic!("{name} says nothing of its ways"));
        assert!(ways.iter().all(|way| !way["note"].as_str().unwrap().is_empty()), "{name}: {ways:?}");
        let told = |way: &serde_json::Value| !way["settings"].as_str().unwrap().is_empty();
        assert!(ways.len() == 1 || ways.iter().all(told), "{name}: what chooses each is told: {ways:?}");
    }
}

#[test]
fn plugins_as_json_has_one_object_a_role_and_details_on_demand() {
    let directory = folder();
    let all = einvoice(directory.path(), &["plugins", "--json"]).objects();
    assert!(all.iter().any(|line| line["name"] == "tally" && line["table"] == "source"));
    assert!(all.iter().all(|line| line.get("schema").is_none()));
    let one = einvoice(directory.path(), &["plugins", "ledger-sqlite", "--json"]).objects();
    assert_eq!(one.len(), 1);
    assert!(one[0]["schema"]["properties"].is_object());
}

#[test]
fn the_schema_of_the_configuration_has_a_variant_for_each_plugin() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["config", "schema", "--json"]);
    let schema = answer.objects().remove(0);
    let variants = schema["properties"]["route"]["items"]["oneOf"].as_array().unwrap();
    let names: Vec<&str> = variants.iter().map(|variant| variant["title"].as_str().unwrap()).collect();
    assert_eq!(names, ["direct", "gsp", "sandbox"]);
    for name in ["ledger", "credentials", "source", "write_back", "verify", "check", "run", "doctor", "quota"] {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
    for reference in answer.out.split("\"$ref\":\"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schema["$defs"].get(name).is_some(), "{name} is referred to and not defined");
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    let directory = folder();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let answer = einvoice(directory.path(), &["completions", shell]);
        assert_eq!(answer.code, 0);
        assert!(answer.out.contains("einvoice"), "{shell}");
    }
}

#[test]
fn the_staging_tables_are_printed_for_each_dialect() {
    for dialect in ["postgres", "mysql", "sqlite", "sqlserver", "oracle"] {
        insta::assert_snapshot!(format!("staging_{dialect}"), shown(&["new", "staging", "--dialect", dialect]));
    }
}

#[test]
fn an_unknown_dialect_of_the_staging_tables_is_told_with_those_there_are() {
    insta::assert_snapshot!(shown(&["new", "staging", "--dialect", "postgrs"]));
}

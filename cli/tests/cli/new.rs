//! `new`: crates to begin with. That they compile and keep their promises is a step of `.ci/run`.

use std::path::{Path, PathBuf};

use crate::{Answer, einvoice, folder};

/// A folder that looks like a checkout of einvoice.
fn checkout(directory: &Path) -> PathBuf {
    let root = directory.join("einvoice");
    for file in ["core/Cargo.toml", "cli/src/plugins.rs"] {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    std::fs::write(root.join("Cargo.lock"), "version = 4\n").unwrap();
    root
}

fn new(directory: &Path, arguments: &[&str]) -> Answer {
    einvoice(directory, &[&["new"], arguments].concat())
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_crate_outside_of_the_checkout_comes_with_a_program_that_has_it() {
    let directory = folder();
    let at = directory.path();
    checkout(at);
    let answer = new(at, &["source", "focus-erp", "--einvoice", "einvoice"]);
    insta::assert_snapshot!(answer.shown(at));
    let made = |path: &str| read(at.join("focus-erp").join(path));
    let manifest = made("Cargo.toml");
    assert!(
        manifest.contains("name = \"einvoice-focus-erp\"") && manifest.contains("/einvoice/core\" }"),
        "{manifest}"
    );
    assert!(made("program/src/main.rs").contains("use einvoice_focus_erp as _;"));
    assert!(made("program/Cargo.toml").contains("einvoice-focus-erp = { path = \"..\" }"));
    assert_eq!(made("Cargo.lock"), "version = 4\n");
    for path in ["Cargo.toml", "program/Cargo.toml", "examples/source.toml", "src/rules.toml"] {
        assert!(toml::from_str::<toml::Table>(&made(path)).is_ok(), "{path}");
    }
}

#[test]
fn a_crate_inside_of_the_checkout_is_linked_by_two_lines_that_are_told_with_their_files() {
    let directory = folder();
    let root = checkout(directory.path());
    let answer = new(&root, &["transport", "acme"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
    let manifest = read(root.join("transports/acme/Cargo.toml"));
    for shared in ["einvoice-core", "einvoice-direct", "async-trait"] {
        assert!(manifest.contains(&format!("{shared} = {{ workspace = true }}")), "{shared}: {manifest}");
    }
    assert!(manifest.contains("[lints]\nworkspace = true"), "{manifest}");
    assert!(!root.join("transports/acme/program").exists());
    // From a folder further down, as a script reads it.
    let told = new(&root.join("core"), &["source", "munim", "--json"]).objects().remove(0);
    let link = serde_json::json!([
        {"file": "cli/Cargo.toml", "within": "[dependencies]", "line": "einvoice-munim = { path = \"../plugins/munim\" }"},
        {"file": "cli/src/plugins.rs", "within": "link!", "line": "einvoice_munim,"},
    ]);
    assert_eq!((&told["link"], &told["is_linked"]), (&link, &serde_json::json!(false)));
    assert!(root.join("plugins/munim/src/source.rs").is_file());
}

#[test]
fn a_crate_inside_of_the_checkout_stands_where_the_program_looks_for_it() {
    let directory = folder();
    let root = checkout(directory.path());
    let elsewhere = new(&root, &["source", "munim", "--path", "tests/munim"]);
    assert_eq!(elsewhere.code, 2);
    assert!(elsewhere.err.contains("leave --path away, or name a folder outside"), "{}", elsewhere.err);
    assert_eq!(new(&root, &["source", "munim", "--path", "./core/../plugins/munim"]).code, 0);
    // Out of the checkout by a path that begins in it.
    assert_eq!(new(&root, &["source", "munim", "--path", "core/../../mine"]).code, 0);
    assert!(directory.path().join("mine/program/Cargo.toml").is_file());
    for (role, name) in [("write-back", "munim"), ("transport", "munim")] {
        let taken = new(&root, &[role, name]);
        assert_eq!(taken.code, 2, "{}", taken.out);
        assert!(
            taken.err.contains("is there already") && taken.err.contains("all roles of its system"),
            "{}",
            taken.err
        );
    }
}

#[test]
fn a_name_that_einvoice_has_itself_is_refused() {
    let directory = folder();
    for name in ["tally", "core", "file-drop", "direct"] {
        let answer = new(directory.path(), &["source", name, "--einvoice", "https://git.example.invalid/einvoice"]);
        assert_eq!(answer.code, 2, "{name}: {}", answer.out);
        assert!(answer.err.contains(&format!("einvoice has a crate einvoice-{name} already")), "{}", answer.err);
    }
}

#[test]
fn every_role_can_be_begun_and_einvoice_may_come_by_git() {
    let directory = folder();
    for role in ["source", "write-back", "credential-store", "ledger", "transport"] {
        let answer = new(
            directory.path(),
            &[role, &format!("a-{role}"), "--einvoice", "https://git.example.invalid/einvoice", "--json"],
        );
        assert_eq!(answer.code, 0, "{}", answer.err);
        let object = answer.objects().remove(0);
        assert_eq!(object["is_linked"], true, "{object}");
        assert!(object["files"].as_array().unwrap().iter().any(|file| file == "tests/conformance.rs"), "{object}");
        let manifest = read(directory.path().join(format!("a-{role}/Cargo.toml")));
        assert!(manifest.contains("einvoice-core = { git = \"https://git.example.invalid/einvoice\" }"), "{manifest}");
    }
}

#[test]
fn nothing_is_overwritten_and_wrong_wishes_are_told() {
    let directory = folder();
    let at = directory.path();
    checkout(at);
    let begin = |more: &[&str]| new(at, &[&["source", "munim"], more].concat());
    let nowhere = begin(&[]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("say where einvoice is: --einvoice FOLDER"), "{}", nowhere.err);
    let wrong = begin(&["--einvoice", "."]);
    assert!(wrong.err.contains("is no checkout of einvoice"), "{}", wrong.err);
    assert_eq!(begin(&["--einvoice", "einvoice"]).code, 0);
    std::fs::write(at.join("munim/src/source.rs"), "mine").unwrap();
    let again = begin(&["--einvoice", "einvoice"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("munim exists and is not empty: nothing is ever overwritten"), "{}", again.err);
    assert_eq!(read(at.join("munim/src/source.rs")), "mine");
    let name = new(at, &["source", "../munim", "--einvoice", "einvoice"]);
    assert_eq!(name.code, 2);
    assert!(name.err.contains("write a name of small letters"), "{}", name.err);
}

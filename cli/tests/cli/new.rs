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
fn a_crate_inside_of_the_checkout_stands_among_the_others_and_shares_their_versions() {
    let directory = folder();
    let root = checkout(directory.path());
    let answer = new(&root, &["transport", "acme"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    for told in ["einvoice-acme = { path = \"../transports/acme\", optional = true }", "use einvoice_acme as _;"] {
        assert!(answer.out.contains(told), "{told}: {}", answer.out);
    }
    let manifest = read(root.join("transports/acme/Cargo.toml"));
    assert!(
        manifest.contains("einvoice-core = { workspace = true }") && manifest.contains("[lints]\nworkspace = true")
    );
    assert!(!root.join("transports/acme/program").exists());
    // From a folder further down, and by a path of its own.
    let named = new(&root.join("core"), &["write-back", "acme", "--path", "../plugins/acme-results"]);
    assert_eq!(named.code, 0, "{}", named.err);
    assert!(root.join("plugins/acme-results/src/write_back.rs").is_file());
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

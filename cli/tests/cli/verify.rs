//! `verify`: signatures, offline. Tokens come from the emulator, made in these tests.

use std::path::Path;

use crate::once::{config, registered_run};
use crate::{einvoice, folder};

/// The signed QR text that a run brought back, and the emulator's public key.
fn token(directory: &Path) -> String {
    registered_run(directory);
    let status = einvoice(directory, &["status", "CLI/1", "--json"]).objects().remove(0);
    let audit = status["audit"].as_array().unwrap();
    let registration = audit.iter().find_map(|event| event["details"].get("registration")).unwrap();
    registration["signed_qr"].as_str().unwrap().to_owned()
}

const KEY: &str = "sandbox/signing-public.pem";

#[test]
fn a_token_is_genuine_with_its_key_and_forged_with_a_byte_changed() {
    let directory = folder();
    let token = token(directory.path());
    let verdict = |text: &str, key: bool| {
        std::fs::write(directory.path().join("token.txt"), text).unwrap();
        // Another configuration than the run's, so that no key comes from there.
        std::fs::write(directory.path().join("empty.toml"), "").unwrap();
        let mut arguments = vec!["verify", "token.txt", "--json", "--config", "empty.toml"];
        if key {
            arguments.extend(["--key", KEY]);
        }
        let answer = einvoice(directory.path(), &arguments);
        let object = answer.objects().remove(0);
        (object["verdict"].as_str().unwrap().to_owned(), object["irn_matches"].as_bool(), answer.code)
    };
    assert_eq!(verdict(&token, true), ("genuine".to_owned(), Some(true), 0));
    assert_eq!(verdict(&format!("{token}\n"), true), ("genuine".to_owned(), Some(true), 0));
    assert_eq!(verdict(&token, false), ("unverifiable".to_owned(), Some(true), 1));
    for position in [0, 30, token.len() / 2, token.len() - 1] {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(verdict(&changed, true), ("forged".to_owned(), None, 1), "byte {position}");
    }
}

#[test]
fn the_picture_of_a_qr_code_is_read() {
    let directory = folder();
    let token = token(directory.path());
    std::fs::write(directory.path().join("qr.png"), einvoice_core::qr::png(&token).unwrap()).unwrap();
    let answer = einvoice(directory.path(), &["verify", "qr.png", "--json", "--key", KEY]);
    let object = answer.objects().remove(0);
    assert_eq!((object["verdict"].as_str(), object["kind"].as_str()), (Some("genuine"), Some("signed_qr")));
}

#[test]
fn a_response_file_is_searched_for_its_signed_texts() {
    let directory = folder();
    let token = token(directory.path());
    let reply = serde_json::json!([{ "Status": "ACT", "SignedQRCode": token, "Irn": "0".repeat(64) }]);
    std::fs::write(directory.path().join("reply.json"), reply.to_string()).unwrap();
    let answer = einvoice(directory.path(), &["verify", "reply.json", "--json", "--key", KEY]);
    let object = answer.objects().remove(0);
    assert_eq!(object["verdict"], "genuine");
    assert_eq!((object["irn_matches"].as_bool(), answer.code), (Some(false), 1), "the IRN beside it is another");
}

#[test]
fn keys_of_the_configuration_are_used_when_none_is_given() {
    let directory = folder();
    let token = token(directory.path());
    std::fs::write(directory.path().join("token.txt"), token).unwrap();
    config(directory.path());
    let answer = einvoice(directory.path(), &["verify", "token.txt"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.starts_with("token.txt: signed QR genuine\n"), "{}", answer.out);
}

#[test]
fn several_files_end_with_a_count() {
    let directory = folder();
    let token = token(directory.path());
    std::fs::write(directory.path().join("token.txt"), &token).unwrap();
    std::fs::write(directory.path().join("changed.txt"), token.replacen('.', "A.", 1)).unwrap();
    let answer = einvoice(directory.path(), &["verify", "token.txt", "token.txt", "changed.txt", "--key", KEY]);
    assert_eq!(answer.code, 1);
    assert!(answer.out.ends_with("3 files: 2 in order, 1 not\n"), "{}", answer.out);
}

#[test]
fn a_file_without_signed_text_and_a_file_without_key_are_told() {
    let directory = folder();
    std::fs::write(directory.path().join("plain.json"), "{}").unwrap();
    let answer = einvoice(directory.path(), &["verify", "plain.json"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
    let answer = einvoice(directory.path(), &["verify", "plain.json", "--key", "plain.json"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("plain.json"), "{}", answer.err);
}

#[test]
fn published_tokens_are_judged_by_published_keys() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/samples");
    let Ok(text) = std::fs::read_to_string(samples.join("signed-jwts.json")) else {
        eprintln!("skipped: the published samples are not here");
        return;
    };
    let directory = folder();
    let tokens: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for token in tokens {
        std::fs::write(directory.path().join("token.txt"), token["jwt"].as_str().unwrap()).unwrap();
        let key = samples.join(token["signature_verified_with"].as_str().unwrap());
        let answer = einvoice(directory.path(), &["verify", "token.txt", "--json", "--key", key.to_str().unwrap()]);
        let object = answer.objects().remove(0);
        assert_eq!((object["verdict"].as_str(), object["irn_matches"].as_bool()), (Some("genuine"), Some(true)));
        assert_eq!((&object["irn"], &object["kid"]), (&token["irn"], &token["kid"]));
    }
}

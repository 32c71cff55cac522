use super::*;
use crate::public_key::RsaPublicKey;
use crate::testing::{TestKey, pem, sample};
use proptest::prelude::*;

const KID: &str = "00112233445566778899AABBCCDDEEFF00112233";

fn header(kid: &str) -> String {
    let bytes: Vec<u8> =
        (0..kid.len() / 2).map(|at| u8::from_str_radix(&kid[2 * at..2 * at + 2], 16).unwrap()).collect();
    format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT","x5t":"{}"}}"#, BASE64_URL.encode(bytes))
}

fn payload() -> String {
    r#"{"data":"{\"Irn\":\"x\"}","iss":"EMULATOR"}"#.to_owned()
}

fn token() -> String {
    TestKey::shared().token(&header(KID), &payload())
}

fn keys(kid: Option<&str>) -> KeySet {
    let mut keys = KeySet::new();
    keys.add_pem(&pem("PUBLIC KEY", &TestKey::shared().spki), kid).unwrap();
    keys
}

fn is_forged(keys: &KeySet, token: &str) -> bool {
    matches!(verify(keys, token), TokenVerdict::Forged { .. })
}

/// Every token that differs from this one in exactly one byte, one variant for each position.
fn damaged(token: &str) -> impl Iterator<Item = String> {
    (0..token.len()).flat_map(move |at| {
        let bytes = token.as_bytes();
        // The neighbour in the alphabet, which differs in the lowest bit, and a point.
        let neighbour = match bytes[at] {
            b'A' => b'B',
            b'.' => b'A',
            byte @ (b'a' | b'0' | b'-') => byte + 1,
            b'_' => b'-',
            byte => byte - 1,
        };
        [neighbour, b'.', b'='].into_iter().filter(move |new| *new != bytes[at]).map(move |new| {
            let mut changed = bytes.to_vec();
            changed[at] = new;
            String::from_utf8(changed).unwrap()
        })
    })
}

#[test]
fn a_token_is_genuine_with_its_key_and_unverifiable_without() {
    let TokenVerdict::Genuine(content) = verify(&keys(Some(KID)), &token()) else { panic!("not genuine") };
    assert_eq!((content.kid.as_str(), content.issuer.as_str()), (KID, "EMULATOR"));
    assert_eq!(content.data, r#"{"Irn":"x"}"#);
    assert!(matches!(verify(&KeySet::new(), &token()), TokenVerdict::Unverifiable(_)));
    let mut others = KeySet::new();
    others.add_pem(&pem("PUBLIC KEY", &TestKey::other().spki), Some("AB")).unwrap();
    assert!(matches!(verify(&others, &token()), TokenVerdict::Unverifiable(_)));
}

#[test]
fn a_key_without_its_id_verifies_and_finds_changed_content() {
    let bare = keys(None);
    assert!(matches!(verify(&bare, &token()), TokenVerdict::Genuine(_)));
    let (signed, signature) = token().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let changed = TestKey::other().token(&header(KID), &payload().replace('x', "y"));
    let swapped = format!("{}.{signature}", changed.rsplit_once('.').unwrap().0);
    assert!(is_forged(&bare, &swapped));
    let foreign = format!("{signed}.{}", changed.rsplit_once('.').unwrap().1);
    assert!(matches!(verify(&bare, &foreign), TokenVerdict::Unverifiable(_)));
}

#[test]
fn any_one_changed_byte_of_a_token_of_ours_is_forged() {
    let (keys, token) = (keys(Some(KID)), token());
    for changed in damaged(&token) {
        assert!(is_forged(&keys, &changed), "{changed}");
    }
}

#[test]
fn real_tokens_are_genuine_with_the_right_key_and_unverifiable_without() {
    for (token, keys) in real_tokens() {
        assert!(matches!(verify(&keys, &token), TokenVerdict::Genuine(_)));
        assert!(matches!(verify(&KeySet::new(), &token), TokenVerdict::Unverifiable(_)));
    }
}

#[test]
fn every_token_in_the_recorded_replies_is_genuine_with_the_two_keys() {
    let names = ["nic-signing-key-EDC57DE1.recovered.pem", "nic-signing-key-1513B821.recovered.pem"];
    let mut keys = KeySet::new();
    for name in names {
        let Some(text) = sample(name) else { return };
        keys.add_file(name, &text).unwrap();
    }
    let mut judged = 0;
    for name in ["with-ewb", "service", "credit-note", "debit-note"] {
        let text = sample(&format!("gsp-generate-irn-{name}.json")).unwrap();
        let reply: serde_json::Value = serde_json::from_str(&text).unwrap();
        for member in ["SignedInvoice", "SignedQRCode"] {
            let token = reply["response_data"]["result"][member].as_str().unwrap();
            assert!(matches!(verify(&keys, token), TokenVerdict::Genuine(_)), "{name} {member}");
            judged += 1;
        }
    }
    assert_eq!(judged, 8);
}

#[test]
fn any_one_changed_byte_of_a_real_token_is_forged() {
    for (token, keys) in real_tokens() {
        for changed in damaged(&token) {
            assert!(is_forged(&keys, &changed), "{changed}");
        }
    }
}

/// The recorded tokens, each with a set that holds the key that signed it.
fn real_tokens() -> Vec<(String, KeySet)> {
    let Some(text) = sample("signed-jwts.json") else { return Vec::new() };
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let entries = entries.iter().map(|entry| {
        let file = entry["signature_verified_with"].as_str().unwrap();
        let mut keys = KeySet::new();
        keys.add_file(file, &sample(file).unwrap()).unwrap();
        (entry["jwt"].as_str().unwrap().to_owned(), keys)
    });
    entries.collect()
}

#[test]
fn a_real_token_with_the_key_of_another_time_is_unverifiable() {
    let (Some(first), Some(second)) =
        (sample("nic-signing-key-EDC57DE1.recovered.pem"), sample("nic-signing-key-1513B821.recovered.pem"))
    else {
        return;
    };
    for (token, right) in real_tokens() {
        let right_id = right.keys()[0].id().to_owned();
        let wrong = if right_id == "EDC57DE1" { &second } else { &first };
        let mut keys = KeySet::new();
        keys.add_pem(wrong, None).unwrap();
        assert!(matches!(verify(&keys, &token), TokenVerdict::Unverifiable(_)), "{right_id}");
    }
}

#[test]
fn another_algorithm_is_forged_whatever_the_signature() {
    for alg in ["none", "HS256", "rs256", "RS512", ""] {
        let token = TestKey::shared().token(&header(KID).replace("RS256", alg), &payload());
        assert!(is_forged(&keys(Some(KID)), &token), "{alg}");
    }
}

#[test]
fn a_token_does_not_choose_its_key() {
    let der = RsaPublicKey::from_der(&TestKey::other().spki).unwrap();
    let n = BASE64_URL.encode(der.components().n);
    let header = format!(
        r#"{{"alg":"RS256","kid":"{KID}","jwk":{{"kty":"RSA","n":"{n}","e":"AQAB"}},"jku":"https://example.test/keys"}}"#
    );
    let token = TestKey::other().token(&header, &payload());
    assert!(is_forged(&keys(Some(KID)), &token));
    assert!(matches!(verify(&KeySet::new(), &token), TokenVerdict::Unverifiable(_)));
}

#[test]
fn a_signed_text_that_is_no_registration_is_not_believed() {
    for payload in [r#"{"iss":"NIC"}"#, r#"{"data":7}"#, r#"{"data":"x"}"#, "[]", "", r#"{"data":"{}","data":"{}"}"#] {
        let token = TestKey::shared().token(&header(KID), payload);
        assert!(is_forged(&keys(Some(KID)), &token), "{payload}");
        assert!(is_forged(&KeySet::new(), &token), "{payload}");
    }
}

#[test]
fn spare_bits_and_padding_in_the_encoding_are_refused() {
    let token = token();
    assert!(is_forged(&keys(Some(KID)), &format!("{token}=")));
    assert!(is_forged(&keys(Some(KID)), &format!("{token}\n")));
    assert!(is_forged(&keys(Some(KID)), &format!(" {token}")));
    assert!(is_forged(&keys(Some(KID)), &token.replace('.', "..")));
}

#[test]
fn unverified_content_is_there_for_showing() {
    assert_eq!(content_unverified(&token()).unwrap().issuer, "EMULATOR");
    assert!(content_unverified("a.b").is_err());
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(text in ".*") {
        prop_assert!(is_forged(&keys(Some(KID)), &text));
    }

    #[test]
    fn any_three_parts_are_judged_without_a_panic(
        header in "[ -~]{0,60}", payload in "[ -~]{0,60}", signature in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let text = [header.as_bytes(), payload.as_bytes(), &signature].map(|part| BASE64_URL.encode(part)).join(".");
        let verdict = verify(&keys(Some(KID)), &text);
        prop_assert!(!matches!(verdict, TokenVerdict::Genuine(_)));
    }
}

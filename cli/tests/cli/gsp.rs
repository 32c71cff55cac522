//! `gsp` and `new gsp-profile`: profiles of providers, made and tried offline.

use crate::{einvoice, folder};

#[test]
fn the_shipped_profiles_are_listed() {
    let directory = folder();
    insta::assert_snapshot!(einvoice(directory.path(), &["gsp", "list"]).shown(directory.path()));
    let all = einvoice(directory.path(), &["gsp", "list", "--json"]).objects();
    assert_eq!(all.len(), 16);
    assert!(all.iter().all(|line| !line["facts"]["unconfirmed"].as_array().unwrap().is_empty()));
}

#[test]
fn a_shipped_profile_keeps_every_promise_and_tells_what_is_unconfirmed() {
    let directory = folder();
    let answer = einvoice(directory.path(), &["gsp", "check", "adaequare"]);
    insta::assert_snapshot!(answer.shown(directory.path()));
    let lines = einvoice(directory.path(), &["gsp", "check", "gstzen", "--json"]).objects();
    let (last, promises) = lines.split_last().unwrap();
    assert_eq!(last["broken"], 0, "{last}");
    assert!(promises.len() > 30 && promises.iter().all(|line| line["promise"].is_string()));
}

#[test]
fn a_broken_promise_is_told_with_what_was_found_and_the_keys_to_look_at() {
    let directory = folder();
    let at = directory.path();
    let hasty =
        "extends = \"adaequare\"\nid = \"hasty\"\ncodes = [{ text = \"Duplicate IRN\", is = \"retry_later\" }]\n";
    std::fs::write(at.join("hasty.toml"), hasty).unwrap();
    let answer = einvoice(at, &["gsp", "check", "hasty.toml"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    let broken: Vec<&str> = answer.out.lines().skip_while(|line| !line.contains("BROKEN")).take(3).collect();
    insta::assert_snapshot!(broken.join("\n"));
}

#[test]
fn a_profile_that_cannot_work_is_refused_with_everything_that_is_wrong() {
    let directory = folder();
    let at = directory.path();
    let good = "id = \"own\"\nname = \"Own\"\n[environments.sandbox]\ncommon = \"https://own.example\"\n\
                [provider]\nheaders = { key = \"{client_secret}\" }\n[irp]\ncrypto = \"plain\"\ntaxpayer = \"every_call\"\n\
                headers = { gstin = \"{gstin}\", user = \"{user_name}\", pass = \"{password}\" }\n\
                reply = [{ accepted = { at = \"/ok\", is = [\"1\"] }, errors = [{ at = \"/errors\" }] }]\n\
                [irp.operations]\ngenerate_irn = { http = \"POST /irn\" }\n";
    let wrong = [
        ("missing-template", good.replace("{client_secret}", "{clent_secret}")),
        ("no-value-here", good.replace("POST /irn", "POST /irn/{ewb_number}")),
        ("secret-in-clear", good.replace("key = \"{client_secret}\"", "api_key = \"0123456789abcdef\"")),
        ("wrong-pointer", good.replace("\"/errors\"", "\"errors.list\"")),
        ("same-operation-twice", format!("{good}generate_irn = {{ http = \"POST /other\" }}\n")),
        ("unknown-operation", good.replace("generate_irn", "genrate_irn")),
        ("plain-http", good.replace("sandbox]\ncommon = \"https", "production]\ncommon = \"http")),
        ("nothing-says-no", good.replace("accepted = { at = \"/ok\", is = [\"1\"] }, ", "")),
        ("several", good.replace("\"own\"", "\"Own!\"").replace("POST /irn", "GET /irn")),
        ("circle", format!("extends = \"circle.toml\"\n{good}")),
    ];
    let mut shown = String::new();
    for (name, text) in wrong {
        let file = format!("{name}.toml");
        std::fs::write(at.join(&file), text).unwrap();
        let answer = einvoice(at, &["gsp", "check", &file]);
        assert_eq!(answer.code, 2, "{name}: {}{}", answer.out, answer.err);
        assert!(!answer.err.contains("0123456789abcdef"), "{}", answer.err);
        shown.push_str(&answer.err);
    }
    insta::assert_snapshot!(crate::tidy(&shown, at));
}

#[test]
fn a_profile_made_from_answers_is_commented_passes_its_check_and_is_never_written_over() {
    let directory = folder();
    let at = directory.path();
    let answers = "title = \"Our GSP\"\ncrypto = \"plain\"\nprovider_auth = \"token\"\ntaxpayer = \"login\"\n\
                   errors = \"text\"\nlists_addresses = true\n";
    std::fs::write(at.join("answers.toml"), answers).unwrap();
    let answer = einvoice(at, &["new", "gsp-profile", "our-gsp", "--answers", "answers.toml"]);
    insta::assert_snapshot!(answer.shown(at));
    insta::assert_snapshot!("the_profile_made", std::fs::read_to_string(at.join("our-gsp.toml")).unwrap());
    let check = einvoice(at, &["gsp", "check", "our-gsp.toml"]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    let again = einvoice(at, &["new", "gsp-profile", "our-gsp", "--defaults"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("exists"), "{}", again.err);
    for (arguments, said) in [
        (&["new", "gsp-profile", "taxpro"][..], "taxpro-own"),
        (&["new", "gsp-profile", "x", "--answer", "cripto=plain"], "did you mean `crypto`?"),
        (&["new", "gsp-profile", "x", "--answer", "crypto"], "KEY=VALUE"),
    ] {
        let answer = einvoice(at, arguments);
        assert_eq!(answer.code, 2);
        assert!(answer.err.contains(said), "{}", answer.err);
    }
}

#[test]
fn the_questions_of_a_profile_are_shown_with_their_defaults() {
    let directory = folder();
    insta::assert_snapshot!(
        einvoice(directory.path(), &["new", "gsp-profile", "x", "--questions"]).shown(directory.path())
    );
}

#[test]
fn the_schema_of_a_profile_is_printed() {
    let directory = folder();
    let schema = einvoice(directory.path(), &["gsp", "schema", "--json"]).objects().remove(0);
    assert!(schema["properties"]["irp"].is_object() && schema["$defs"]["ProductProfile"].is_object());
    let pretty = einvoice(directory.path(), &["gsp", "schema"]).out;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty).unwrap(), schema);
}

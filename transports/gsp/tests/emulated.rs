//! Every shipped profile, and one with odd answers to every question, against the provider that is played by it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use einvoice_gsp::check::{Became, round, suite};
use einvoice_gsp::profile::{Profile, read_profile, read_profile_text, shipped};

const ODD: &str = include_str!("odd.toml");

fn profiles() -> Vec<Profile> {
    let mut all: Vec<Profile> =
        shipped().iter().map(|shipped| read_profile(shipped.id, Path::new("")).unwrap()).collect();
    all.push(read_profile_text("odd.toml", ODD, Path::new("")).unwrap());
    all
}

#[tokio::test]
async fn every_profile_goes_the_whole_round() {
    let mut kept = 0;
    for profile in profiles() {
        for told in round(&profile).await {
            match told.became {
                Became::Kept => kept += 1,
                Became::NotApplicable(reason) => println!("{}: {}: {reason}", profile.id, told.promise),
                Became::Broken(found) => panic!("{}: {}: {found}", profile.id, told.promise),
            }
        }
    }
    assert!(kept > 120, "hardly any promise was applicable: {kept}");
}

/// The promises of the round that a profile breaks, each with what was found and where to look.
async fn broken(profile: &Profile) -> Vec<(String, String, Vec<String>)> {
    let told = round(profile).await.into_iter();
    told.filter_map(|told| match told.became {
        Became::Broken(found) => Some((told.promise, found, told.look_at)),
        _ => None,
    })
    .collect()
}

#[tokio::test]
async fn a_pointer_that_leads_nowhere_breaks_a_promise_that_names_the_key() {
    // The emulator writes where the profile reads, so that only what contradicts itself can show: a payload below what
    // says yes.
    let wrong = ODD.replace(r#"payload = "/0", info = "/2/asides""#, r#"payload = "/1/no", info = "/2/asides""#);
    assert_ne!(wrong, ODD);
    let profile = read_profile_text("odd.toml", &wrong, Path::new("")).unwrap();
    let broken = broken(&profile).await;
    assert!(
        broken.iter().any(|(promise, _, keys)| {
            promise.starts_with("a document is registered") && keys.iter().any(|key| key == "irp.reply")
        }),
        "{broken:?}"
    );
}

#[test]
fn the_suite_runs_outside_of_tests_too_and_tells_what_is_broken() {
    let profile = read_profile("adaequare", Path::new("")).unwrap();
    let told = suite(&profile);
    assert!(told.len() > 15);
    assert!(told.iter().all(|told| !matches!(told.became, Became::Broken(_))), "{told:?}");
    // A word of the provider's that stands in texts of the portal's too: a refusal is taken for a trouble that passes.
    let text = r#"
        extends = "adaequare"
        id = "hasty"
        codes = [{ text = "not applicable", is = "retry_later" }]
    "#;
    let hasty = read_profile_text("hasty.toml", text, Path::new("")).unwrap();
    let told = suite(&hasty);
    let broken = |promise: &str| {
        told.iter().any(|told| told.promise.starts_with(promise) && matches!(told.became, Became::Broken(_)))
    };
    assert!(broken("a refusal is never a success"), "{told:?}");
    assert!(told.iter().any(|told| told.became == Became::Kept), "the promises that hang on other keys are kept");
}

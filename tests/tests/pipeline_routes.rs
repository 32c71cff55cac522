//! Several ways to one portal: straight to it and through providers, in order of preference. Which one a document took
//! is kept, and an unclear outcome is settled on that way, or by whoever leads to the same site.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::environment::{Environment, RouteName};
use einvoice_core::ledger::{DocumentStatus, HandOver, LedgerError};
use einvoice_core::operation::OperationKind;
use einvoice_core::pipeline::{PipelineError, RoutePart};
use einvoice_core::state::DocumentState::{Registered, Unknown};
use einvoice_gsp::emulator::{Provider, ProviderAccount, ProviderFault};
use einvoice_gsp::profile::{Meaning, Profile, read_profile, read_profile_text};
use einvoice_gsp::{GspParts, GspTransport};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_sandbox::{Fault, InProcess, PortalOperation};
use einvoice_testkit::documents::Recipe;
use support::{World, entropy, route};

/// A GSP that passes the portal's protocol on, but for reads by document.
const WITHOUT_NUMBERS: &str = r#"
    extends = "taxpro-pass-through"
    id = "without-numbers"
    [irp]
    unsupported = ["get_irn_by_document"]
"#;

/// The same, with nothing to ask an invoice by.
const MUTE: &str = r#"
    extends = "taxpro-pass-through"
    id = "mute"
    [irp]
    unsupported = ["get_irn_by_document", "get_irn"]
"#;

/// A provider with an interface of its own, which has no read by document and chooses the site itself.
const CHOOSES_THE_SITE: &str = r#"
    extends = "gstzen"
    id = "chooses-the-site"
    kind = "provider_api"
"#;

/// A route through a provider that is played before the emulator, and that provider.
async fn through(world: &World, profile: Profile) -> (RoutePart, Arc<Provider>) {
    let (client, _) = world.sandbox.provision(Recipe::numbered(1).supplier.as_str()).await.unwrap();
    let settings: BTreeMap<String, String> =
        profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect();
    let account = ProviderAccount { client_id: client.client_id, client_secret: client.client_secret };
    let provider = Arc::new(Provider::new(profile.clone(), account, settings.clone()));
    let prefix = provider.prefix();
    world.sandbox.put_in_front(prefix.clone(), provider.clone());
    let to = |part: &str| InProcess::below(world.sandbox.clone(), Cow::Owned(format!("{prefix}{part}")));
    let name = profile.id.clone();
    let transport = GspTransport::new(GspParts {
        environment: Environment::Sandbox,
        settings,
        site: "NIC1".into(),
        common: to("/common"),
        irp: Some((to("/irp"), to("/irp"))),
        ewb: Some((to("/ewb"), to("/ewb"))),
        irp_key: Some(AuthPublicKey::from_pem(&world.sandbox.auth_public_key_pem()).unwrap()),
        ewb_key: Some(AuthPublicKey::from_pem(&world.sandbox.ewb_auth_public_key_pem()).unwrap()),
        call_time_max: Duration::from_mins(1),
        entropy: entropy(),
        clock: Arc::new(world.clock.clone()),
        profile,
    })
    .unwrap();
    (route(&name, Arc::new(transport)), provider)
}

fn shipped(name: &str) -> Profile {
    read_profile(name, Path::new("")).unwrap()
}

fn own(text: &str) -> Profile {
    read_profile_text("own.toml", text, Path::new("")).unwrap()
}

/// Adaequare first, the GSP without reads by document second, the portal itself last.
async fn three_ways(documents: u32) -> (World, Arc<Provider>, Arc<Provider>) {
    let mut world = World::new((1..=documents).map(|number| Recipe::numbered(number).json())).await;
    let (first, adaequare) = through(&world, shipped("adaequare")).await;
    let (second, without_numbers) = through(&world, own(WITHOUT_NUMBERS)).await;
    let mut direct = world.routes.pop().unwrap();
    direct.name = RouteName::new("nic");
    world.routes = vec![first, second, direct];
    (world, adaequare, without_numbers)
}

async fn status(world: &World) -> DocumentStatus {
    world.statuses().await.remove(0)
}

fn taken(status: &DocumentStatus) -> &str {
    status.route.as_ref().unwrap().as_str()
}

#[tokio::test]
async fn ways_to_two_environments_are_no_ways_of_one_run() {
    let (mut world, ..) = three_ways(1).await;
    world.routes[2].environment = Environment::Production;
    let refused = world.joined().await.unwrap_err().to_string();
    assert!(refused.starts_with("run.environment: route `adaequare` leads to the sandbox, route `nic`"), "{refused}");
    assert_eq!(world.ledger.environment().await.unwrap(), None, "nothing was done");
}

#[tokio::test]
async fn what_the_sandbox_registered_is_never_taken_for_a_registration_in_production() {
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    assert_eq!(world.run().await.registered, 1);
    world.routes[0].environment = Environment::Production;
    let refused = world.joined().await.unwrap_err();
    let holds = Environment::Sandbox;
    assert!(
        matches!(&refused, PipelineError::Ledger(LedgerError::OtherEnvironment { holds: found, .. }) if *found == holds),
        "{refused}"
    );
}

#[tokio::test]
async fn the_first_way_that_works_is_taken_and_kept_with_the_registration() {
    let (world, adaequare, without_numbers) = three_ways(3).await;
    let report = world.run().await;
    assert_eq!(report.registered, 3, "{report:?}");
    assert!(world.statuses().await.iter().all(|status| taken(status) == "adaequare"));
    assert!(adaequare.calls() > 0);
    assert_eq!(without_numbers.calls(), 0);
}

#[tokio::test]
async fn a_provider_that_is_down_hands_on_to_the_next_way_and_nothing_is_sent_twice() {
    let (world, adaequare, _) = three_ways(1).await;
    (0..50).for_each(|_| adaequare.push_fault(ProviderFault::Down));
    let report = world.run().await;
    assert_eq!(report.registered, 1, "{report:?}");
    assert_eq!(taken(&status(&world).await), "without-numbers");
    assert_eq!(world.books()[0].attempts, 1);
}

#[tokio::test]
async fn a_gateway_that_turns_away_what_it_has_passed_on_makes_no_second_registration() {
    for (status_of_page, provider) in [(429, "adaequare"), (401, "adaequare"), (403, "alankit"), (401, "iris")] {
        let (mut world, ..) = three_ways(1).await;
        let (first, turns_away) = through(&world, shipped(provider)).await;
        world.routes[0] = first;
        // Makes the logins, so that the next call is the one that writes.
        world.run().await;
        world.source.put("record-1", Recipe::numbered(2).json());
        turns_away.push_fault(ProviderFault::PageAfter(status_of_page));
        let run = world.run().await;
        let case = format!("{provider} with {status_of_page}: {run:?}");
        // Whoever was stopped by it is asked later; until then it is open, and nobody sends it.
        world.advance(Duration::from_mins(16));
        world.run().await;
        assert!(world.statuses().await.iter().all(|status| taken(status) == provider), "another way was taken; {case}");
        assert_eq!(world.states().await, [Registered, Registered], "{case}");
        let attempts: Vec<u64> = world.books().iter().map(|line| line.attempts).collect();
        assert_eq!(attempts, [1, 1], "it was sent a second time; {case}");
    }
}

#[tokio::test]
async fn a_providers_own_word_that_there_is_no_such_document_lets_it_go_out_again() {
    let own_word = r#"
        extends = "adaequare"
        id = "own-word"
        codes = [{ text = "no such document", is = "not_found" }]
    "#;
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    let (only, provider) = through(&world, own(own_word)).await;
    world.routes = vec![only];
    // Makes the logins, so that the next calls are the document and the question about it.
    world.run().await;
    world.source.put("record-1", Recipe::numbered(2).json());
    provider.push_fault(ProviderFault::Html);
    provider.push_fault(ProviderFault::Says(Meaning::NotFound));
    world.run().await;
    assert_eq!(world.states().await, [Registered, Registered]);
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 0, "its word was not taken, and it was asked again");
}

#[tokio::test]
async fn a_way_that_cannot_ask_by_document_asks_by_the_irn_that_is_known_beforehand() {
    let (world, adaequare, without_numbers) = three_ways(1).await;
    (0..50).for_each(|_| adaequare.push_fault(ProviderFault::Down));
    let carried = &world.routes[1].transport.capability().operations;
    assert!(!carried.contains(&OperationKind::GetIrnByDocument));
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    world.run().await;
    assert_eq!(world.books()[0].attempts, 1);
    let status = status(&world).await;
    assert_eq!((status.state, taken(&status)), (Registered, "without-numbers"));
    assert_eq!((world.calls(PortalOperation::GetIrn), world.calls(PortalOperation::GetIrnByDocument)), (1, 0));
    assert!(without_numbers.calls() >= 3, "login, document, question");
}

#[tokio::test]
async fn what_never_arrived_is_found_missing_by_another_way_to_the_same_site_and_sent_again_on_its_own() {
    let (world, adaequare, _) = three_ways(1).await;
    (0..200).for_each(|_| adaequare.push_fault(ProviderFault::Down));
    world.fault(PortalOperation::GenerateIrn, Fault::Html { status: 502 });
    world.run().await;
    let status = status(&world).await;
    assert_eq!((status.state, taken(&status)), (Registered, "without-numbers"));
    // 2148 by IRN proves nothing; 2154 by document, asked straight, does.
    assert_eq!(world.calls(PortalOperation::GetIrnByDocument), 1);
    assert_eq!(world.books()[0].registrations, 1);
}

#[tokio::test]
async fn the_word_of_the_portal_itself_is_no_proof_about_a_provider_that_chooses_the_site() {
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    let (first, _) = through(&world, own(CHOOSES_THE_SITE)).await;
    assert!(!first.transport.capability().operations.contains(&OperationKind::GetIrnByDocument));
    world.routes.insert(0, first);
    world.fault(PortalOperation::GenerateIrn, Fault::Html { status: 502 });
    world.run().await;
    assert_eq!(status(&world).await.state, Unknown);
    assert!(world.books().is_empty());
    assert!(world.calls(PortalOperation::GetIrnByDocument) > 0, "it was asked, and not believed");
}

#[tokio::test]
async fn a_way_that_can_ask_nothing_hands_the_open_document_to_a_person_at_once() {
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    let (only, _) = through(&world, own(MUTE)).await;
    world.routes = vec![only];
    world.fault(PortalOperation::GenerateIrn, Fault::DropReplyAfterCommit);
    let report = world.run().await;
    let status = status(&world).await;
    assert_eq!(status.state, Unknown, "{report:?}");
    let Some(HandOver::Whether { remedy }) = &status.hand_over else { panic!("{status:?}") };
    assert!(remedy.contains("GST portal") && remedy.contains("einvoice resolve"), "{remedy}");
    assert_eq!(world.books()[0].attempts, 1);
}

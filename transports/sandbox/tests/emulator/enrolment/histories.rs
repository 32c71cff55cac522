//! Random histories: whatever people and officers do in whatever order, some things never hold and some always do.

use std::collections::BTreeSet;

use einvoice_sandbox::{RegistrationSettings, RunningServer, ServeOptions, serve};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{ADDRESS, GSTIN, Office, PAN, office};
use crate::http::Wire;
use crate::raw::codes;

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Apply,
    Accept(usize),
    Return(usize),
    Resend,
    Create(usize, bool),
    Freeze(usize),
    Thaw(usize),
    Move(usize, bool),
    LogIn(usize),
    RenewSecrets(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..3_usize;
    prop_oneof![
        Just(Step::Apply),
        (1..4_usize).prop_map(Step::Accept),
        (1..4_usize).prop_map(Step::Return),
        Just(Step::Resend),
        (which.clone(), any::<bool>()).prop_map(|(user, direct)| Step::Create(user, direct)),
        which.clone().prop_map(Step::Freeze),
        which.clone().prop_map(Step::Thaw),
        (which.clone(), any::<bool>()).prop_map(|(user, direct)| Step::Move(user, direct)),
        which.prop_map(Step::LogIn),
        any::<bool>().prop_map(Step::RenewSecrets),
        Just(Step::Restart),
    ]
}

/// What a test knows beside the emulator.
#[derive(Default)]
struct Known {
    /// A request was accepted at some time.
    accepted: bool,
    frozen: BTreeSet<usize>,
    direct: BTreeSet<usize>,
    made: BTreeSet<usize>,
}

fn mode(direct: bool) -> Value {
    if direct { json!({"mode": "direct"}) } else { json!({"mode": "gsp", "gsp": "vayana"}) }
}

async fn take(office: &mut Office, session: &str, known: &mut Known, step: &Step) {
    match step {
        Step::Apply => {
            office.apply(session, &[ADDRESS]).await;
        }
        Step::Accept(number) => {
            known.accepted |= office.accept(&format!("L{number}")).await.status == 200;
        }
        Step::Return(number) => {
            let body = json!({"return": {"id": format!("L{number}"), "reason": "no"}});
            office.call(None, "POST", "/sandbox/listings", &body).await;
        }
        Step::Resend => {
            let sent = office.post(session, "client/resend", &Value::Null).await.status == 200;
            assert_eq!(sent, known.accepted, "a pair is sent again only where one was issued");
        }
        Step::Create(user, direct) => {
            if office.user(session, &format!("books{user}"), &mode(*direct)).await.status == 200 {
                assert!(known.accepted || !direct, "no direct user without a pair");
                known.made.insert(*user);
                set(&mut known.direct, *user, *direct);
            }
        }
        Step::Freeze(user) | Step::Thaw(user) => {
            let freeze = matches!(step, Step::Freeze(_));
            let act = if freeze { "freeze" } else { "unfreeze" };
            let done = office.post(session, &format!("users/books{user}/{act}"), &Value::Null).await.status == 200;
            assert_eq!(done, known.made.contains(user) && known.frozen.contains(user) != freeze);
            if done {
                set(&mut known.frozen, *user, freeze);
            }
        }
        Step::Move(user, direct) => {
            if office.post(session, &format!("users/books{user}/mode"), &mode(*direct)).await.status == 200 {
                set(&mut known.direct, *user, *direct);
            }
        }
        Step::LogIn(user) => log_in(office, known, *user).await,
        Step::RenewSecrets(renew) => {
            let mut settings = office.server.sandbox().settings();
            settings.registration.resend_makes_new_secret = *renew;
            office.server.sandbox().set_settings(settings).unwrap();
        }
        Step::Restart => restart(office, session).await,
    }
}

fn set(users: &mut BTreeSet<usize>, user: usize, holds: bool) {
    if holds {
        users.insert(user);
    } else {
        users.remove(&user);
    }
}

async fn log_in(office: &Office, known: &Known, user: usize) {
    if !known.accepted {
        return;
    }
    let again = office.call(None, "GET", "/portal/api/outbox?kind=client_again", &Value::Null).await.ok();
    let latest = if again == json!([]) { "client" } else { "client_again" };
    let client = office.client(latest, &format!("books{user}")).await;
    let reply = Wire::new(office.server.base_url()).send(&client.login(false)).await;
    let expected = match (known.made.contains(&user), known.direct.contains(&user), known.frozen.contains(&user)) {
        (false, ..) => "1017",
        (true, false, _) => "1018",
        (true, true, true) => "1014",
        (true, true, false) => "",
    };
    let came = if reply["Status"] == 1 { String::new() } else { codes(&reply).concat() };
    assert_eq!(came, expected, "user {user}");
}

/// What can be seen of the registration side.
async fn seen(office: &Office, session: &str) -> (Value, Value, Value) {
    let outbox = office.call(None, "GET", "/portal/api/outbox", &Value::Null).await.ok();
    let listings = office.call(None, "GET", "/sandbox/listings", &Value::Null).await.ok();
    (office.get(session, "account").await, outbox, listings)
}

async fn restart(office: &mut Office, session: &str) {
    let before = seen(office, session).await;
    let settings = office.server.sandbox().settings();
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(office.server.sandbox().directory().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), copy.path());
    options.empty = true;
    options.settings = settings;
    let clock = std::sync::Arc::new(einvoice_core::clock::ManualClock::new(crate::raw::noon()));
    let entropy = einvoice_core::entropy::SystemEntropy::shared();
    let server: RunningServer = serve(options, clock, entropy).await.unwrap();
    *office = Office { server, http: office.http.clone(), _directory: copy };
    assert_eq!(seen(office, session).await, before, "a restart changes nothing");
}

/// What must hold after every step.
async fn holds(office: &Office, session: &str, known: &Known) {
    let listings = office.call(None, "GET", "/sandbox/listings", &Value::Null).await.ok();
    let accepted = listings.as_array().unwrap().iter().any(|listing| listing["state"] == "accepted");
    let open = listings.as_array().unwrap().iter().filter(|listing| listing["state"] == "under_scrutiny").count();
    assert!(open <= 1, "one request at a time");
    let clients = office.server.sandbox().clients();
    assert_eq!(clients.len(), usize::from(accepted), "a pair exactly where a request was accepted, and never two");
    assert_eq!(accepted, known.accepted);
    assert!(clients.iter().all(|client| client.pan == PAN));
    let account = office.get(session, "account").await;
    assert_eq!(account["client_id"].is_string(), accepted);
}

#[test]
fn whatever_happens_pairs_follow_acceptance_and_frozen_users_stay_out() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 24, max_shrink_iters: 200, ..Config::default() });
    let outcome = runner.run(&prop::collection::vec(step(), 1..30), |steps| {
        runtime.block_on(async {
            let mut office = office(RegistrationSettings::default()).await;
            let session = office.sign_up(GSTIN, "office").await;
            let mut known = Known::default();
            for step in &steps {
                take(&mut office, &session, &mut known, step).await;
                holds(&office, &session, &known).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

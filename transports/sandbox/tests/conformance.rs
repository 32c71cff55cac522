//! The emulator keeps the promises of `Transport` and of `CredentialStore`.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::{Clock, ManualClock};
use einvoice_core::credential::{
    Access, ApiUser, ClientHolder, ClientPair, ClientScope, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, UserScope,
};
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Transport};
use einvoice_sandbox::{ClientAccount, Fault, PortalSettings, Sandbox, SandboxCredentials, ScriptedFault, UserAccount};
use einvoice_testkit::credential_suite::CredentialHarness;
use einvoice_testkit::transport_suite::portal::{Answer, Counts};
use einvoice_testkit::transport_suite::{Ability, TransportHarness};
use jiff::Timestamp;

einvoice_testkit::transport_conformance!(InThisProcess::new().await);
einvoice_testkit::credential_conformance!(Accounts::new());

/// A supplier of the suite of credential stores.
const SUPPLIER: &str = "29AAKCS4321Q1ZP";
/// Somebody the suite never asks for.
const SOMEBODY_ELSE: &str = "24AAACB5678K1ZG";

fn noon() -> ManualClock {
    ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap())
}

/// A clock on which a sleeper lets the other tasks of the test run for a while before its time passes.
#[derive(Debug)]
struct UnhurriedClock(ManualClock);

#[async_trait]
impl Clock for UnhurriedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        self.0.advance(duration);
    }
}

/// The transport inside the process; the emulator does as it is told by scripted faults.
#[derive(Debug)]
struct InThisProcess {
    sandbox: Sandbox,
    transport: Arc<dyn Transport>,
    session: Session,
}

impl InThisProcess {
    async fn new() -> Self {
        let clock = Arc::new(UnhurriedClock(noon()));
        let sandbox = Sandbox::in_memory(PortalSettings::default(), clock, Arc::new(SeededEntropy::new(5))).unwrap();
        let transport = sandbox.transport(Arc::new(SeededEntropy::new(6))).unwrap();
        let (client, user) = sandbox.provision(SUPPLIER).await.unwrap();
        let access = Access::new(
            Gstin::parse(SUPPLIER).unwrap(),
            ClientPair { client_id: Secret::new(client.client_id), client_secret: Secret::new(client.client_secret) },
            ApiUser { user_name: Secret::new(user.username), password: Secret::new(user.password) },
        );
        let request =
            LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
        let session = transport.login(request).await.unwrap();
        Self { sandbox, transport: Arc::new(transport), session }
    }
}

#[async_trait]
impl TransportHarness for InThisProcess {
    fn transport(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    fn session(&self) -> Session {
        self.session.clone()
    }

    fn can(&self, ability: Ability) -> bool {
        // A call is a function call, and its answer a value.
        !matches!(ability, Ability::Connections | Ability::Transcript | Ability::EndlessAnswers)
    }

    async fn set(&self, answer: Answer) {
        self.sandbox.clear_faults();
        let fault = match answer {
            Answer::Reply { status, body } => Fault::Answer { status, body },
            Answer::Redirect => Fault::Answer { status: 302, body: String::new() },
            Answer::Silence => Fault::Delay { ms: 3_600_000 },
            Answer::Refuse => Fault::Unreachable,
            Answer::Close => Fault::DropReplyAfterCommit,
            Answer::Cut => Fault::TruncatedBody,
            // The emulator's own answer names whom it is about.
            Answer::Echo => return,
            other => unreachable!("{other:?} belongs to an ability that is denied"),
        };
        self.sandbox.push_fault(ScriptedFault { operation: None, fault, times: u32::MAX });
    }

    fn counts(&self) -> Counts {
        let requests = self.sandbox.calls().values().sum::<u64>();
        Counts { requests: requests.try_into().unwrap(), ..Counts::default() }
    }

    fn requests(&self) -> Vec<String> {
        Vec::new()
    }

    async fn wait_for(&self, at_least: Counts) {
        while !self.counts().reached(at_least) {
            tokio::task::yield_now().await;
        }
    }
}

/// The emulator's accounts, given from outside: on the portal's pages, so to say.
struct Accounts {
    sandbox: Sandbox,
    /// Whose accounts the stores serve.
    gstins: Mutex<Vec<String>>,
}

impl Accounts {
    fn new() -> Self {
        let entropy = Arc::new(SeededEntropy::new(5));
        let sandbox = Sandbox::in_memory(PortalSettings::default(), Arc::new(noon()), entropy).unwrap();
        Self { sandbox, gstins: Mutex::new(vec![SOMEBODY_ELSE.to_owned()]) }
    }

    fn store(&self, gstins: &[&str]) -> SandboxCredentials {
        SandboxCredentials::new(self.sandbox.clone(), gstins.iter().copied().map(str::to_owned).collect())
    }

    fn serve(&self, gstin: &str) {
        self.gstins.lock().unwrap().push(gstin.to_owned());
    }
}

#[async_trait]
impl CredentialHarness for Accounts {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        Arc::new(SandboxCredentials::new(self.sandbox.clone(), self.gstins.lock().unwrap().clone()))
    }

    async fn provide(&self, entry: CredentialEntry) {
        match entry {
            CredentialEntry::User(scope, user) => {
                let (username, password) = (user.user_name.expose().clone(), user.password.expose().clone());
                let gstin = scope.gstin.to_string();
                // An empty password is refused: the user stays as it was, or is not there.
                if self.sandbox.give_user(UserAccount { gstin: gstin.clone(), username, password }).await.is_ok() {
                    self.serve(&gstin);
                }
            }
            CredentialEntry::Client(scope, pair) => {
                let ClientHolder::Pan(pan) = scope.holder else { unreachable!("denied by `holds`") };
                let (client_id, client_secret) = (pair.client_id.expose().clone(), pair.client_secret.expose().clone());
                self.sandbox
                    .give_client(ClientAccount { pan: pan.to_string(), client_id, client_secret })
                    .await
                    .unwrap();
                self.serve(&format!("29{pan}1ZP"));
            }
        }
    }

    fn holds(&self, scope: &CredentialScope) -> bool {
        match scope {
            CredentialScope::User(scope) => {
                (scope.environment, scope.product) == (Environment::Sandbox, Product::EInvoice)
            }
            CredentialScope::Client(scope) => {
                scope.environment == Environment::Sandbox && matches!(scope.holder, ClientHolder::Pan(_))
            }
        }
    }

    /// There is one way to an emulator.
    fn tells_routes_apart(&self) -> bool {
        false
    }
}

fn user(gstin: &str) -> UserScope {
    let (product, environment) = (Product::EInvoice, Environment::Sandbox);
    UserScope { gstin: Gstin::parse(gstin).unwrap(), product, environment, route: RouteName::new("sandbox") }
}

#[tokio::test]
async fn an_account_that_nobody_gave_is_made_on_demand_and_stays_the_same() {
    let accounts = Accounts::new();
    let (one, other) = (accounts.store(&[]), accounts.store(&[]));
    let first = one.api_user(&user(SUPPLIER)).await.unwrap();
    assert!(first == other.api_user(&user(SUPPLIER)).await.unwrap(), "another user");
    let holder = ClientHolder::Pan(Gstin::parse(SUPPLIER).unwrap().pan().unwrap());
    let scope = ClientScope { environment: Environment::Sandbox, holder };
    let pair = one.client(&scope).await.unwrap();
    assert!(pair == other.client(&scope).await.unwrap(), "another client pair");
    let shown = format!("{one:?} {first:?} {pair:?} {:?}", one.list().await.unwrap());
    for secret in [&first.password, &first.user_name, &pair.client_id, &pair.client_secret] {
        assert!(!shown.contains(secret.expose().as_str()), "an account shows in {shown}");
    }
}

#[tokio::test]
async fn a_store_of_listed_taxpayers_lists_nobody_else() {
    let accounts = Accounts::new();
    accounts.sandbox.provision(SUPPLIER).await.unwrap();
    let list = accounts.store(&[SUPPLIER]).list().await.unwrap();
    let [client, api_user] = list.as_slice() else { panic!("{list:?}") };
    assert!(matches!(&client.scope, CredentialScope::Client(_)), "{client:?}");
    assert_eq!(api_user.scope, CredentialScope::User(user(SUPPLIER)));
}

#[tokio::test]
async fn a_given_account_is_whole_and_its_name_is_nobody_elses() {
    let accounts = Accounts::new();
    let given = |gstin: &str, username: &str, password: &str| {
        let account =
            UserAccount { gstin: gstin.to_owned(), username: username.to_owned(), password: password.to_owned() };
        accounts.sandbox.give_user(account)
    };
    given(SUPPLIER, "someone", "secret-one").await.unwrap();
    for (gstin, username, password) in
        [(SUPPLIER, "someone", ""), (SUPPLIER, "", "x"), (SOMEBODY_ELSE, "someone", "x"), ("29", "other", "x")]
    {
        given(gstin, username, password).await.unwrap_err();
    }
    let store = accounts.store(&[SUPPLIER]);
    assert_eq!(store.api_user(&user(SUPPLIER)).await.unwrap().password.expose(), "secret-one");
    let error = store.api_user(&user(SOMEBODY_ELSE)).await.unwrap_err();
    assert!(matches!(error, CredentialError::Missing { .. }), "{error}");
}

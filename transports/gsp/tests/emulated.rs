//! Every shipped profile, and one with odd answers to every question, against the provider that is played by it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use einvoice_core::clock::ManualClock;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::ewb::request::{Carriage, EwbByIrn};
use einvoice_core::ewb::{CancelReason, EwbNumber, TransMode, VehicleType};
use einvoice_core::identifier::DocumentNumber;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentType;
use einvoice_core::operation::{Operation, OperationKind, Registration, Reply};
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Retry, Transport, TransportError};
use einvoice_gsp::emulator::{Provider, ProviderAccount, ProviderFault};
use einvoice_gsp::profile::{Crypto, Known, Meaning, Profile, read_profile, shipped};
use einvoice_gsp::{GspParts, GspTransport};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_sandbox::{InProcess, PortalSettings, Sandbox};
use einvoice_testkit::documents::Recipe;

/// A provider in front of a portal, and a transport to it by the same profile.
struct World {
    name: String,
    sandbox: Sandbox,
    provider: Arc<Provider>,
    transport: GspTransport<InProcess>,
    access: [Access; 2],
}

fn account() -> ProviderAccount {
    ProviderAccount { client_id: "worthless-client-7".into(), client_secret: "worthless-secret-7".into() }
}

impl World {
    async fn of(profile: Profile) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap()));
        let sandbox =
            Sandbox::in_memory(PortalSettings::default(), clock.clone(), Arc::new(SeededEntropy::new(1))).unwrap();
        let supplier = Recipe::numbered(1).supplier;
        sandbox.provision(supplier.as_str()).await.unwrap();
        let settings: BTreeMap<String, String> =
            profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect();
        let provider = Arc::new(Provider::new(profile.clone(), account(), settings.clone()));
        sandbox.put_in_front("/gsp", provider.clone());
        let to = |part: &'static str| InProcess::below(sandbox.clone(), Cow::Owned(format!("/gsp{part}")));
        let access = [Product::EInvoice, Product::EWayBill].map(|product| {
            let users = if product == Product::EInvoice { sandbox.users() } else { sandbox.ewb_users() };
            let user = users.into_iter().find(|user| user.gstin == supplier.as_str()).unwrap();
            let user = ApiUser { user_name: Secret::from(&*user.username), password: Secret::from(&*user.password) };
            let client = ClientPair {
                client_id: Secret::from(&*account().client_id),
                client_secret: Secret::from(&*account().client_secret),
            };
            let at_provider = profile
                .product(product)
                .is_some_and(|part| part.taxpayer == einvoice_gsp::profile::TaxpayerMode::AtProvider);
            Access::new(supplier, client, if at_provider { ApiUser::at_provider() } else { user })
        });
        let transport = GspTransport::new(GspParts {
            environment: Environment::Sandbox,
            settings,
            site: "NIC1".into(),
            common: to("/common"),
            irp: Some((to("/irp"), to("/irp"))),
            ewb: Some((to("/ewb"), to("/ewb"))),
            irp_key: Some(AuthPublicKey::from_pem(&sandbox.auth_public_key_pem()).unwrap()),
            ewb_key: Some(AuthPublicKey::from_pem(&sandbox.ewb_auth_public_key_pem()).unwrap()),
            call_time_max: std::time::Duration::from_mins(1),
            entropy: Arc::new(SeededEntropy::new(2)),
            clock,
            profile: profile.clone(),
        });
        Self { name: profile.id, sandbox, provider, transport: transport.unwrap(), access }
    }

    fn can(&self, kind: OperationKind) -> bool {
        self.transport.capability().operations.contains(&kind)
    }

    async fn login(&self, product: Product) -> Session {
        self.try_login(product).await.unwrap_or_else(|error| panic!("{}: login to {product}: {error}", self.name))
    }

    async fn try_login(&self, product: Product) -> Result<Session, TransportError> {
        let access = &self.access[usize::from(product == Product::EWayBill)];
        self.transport.login(LoginRequest { access, product, force_refresh: false, previous: None }).await
    }

    async fn registered(&self, session: &Session, operation: &Operation) -> Result<Registration, TransportError> {
        match self.transport.call(session, operation).await? {
            Reply::Registration(registration) => Ok(*registration),
            other => panic!("{}: not a registration: {other:?}", self.name),
        }
    }

    /// A registration with an e-way bill, made at the portal itself.
    async fn bill(&self, number: u32) -> EwbNumber {
        let portal = self.sandbox.transport(Arc::new(SeededEntropy::new(3))).unwrap();
        let supplier = Recipe::numbered(1).supplier;
        let (client, user) = self.sandbox.provision(supplier.as_str()).await.unwrap();
        let access = Access::new(
            supplier,
            ClientPair {
                client_id: Secret::from(&*client.client_id),
                client_secret: Secret::from(&*client.client_secret),
            },
            ApiUser { user_name: Secret::from(&*user.username), password: Secret::from(&*user.password) },
        );
        let request =
            LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
        let session = portal.login(request).await.unwrap();
        portal.call(&session, &generate(number)).await.unwrap();
        match portal.call(&session, &bill_of(number)).await.unwrap() {
            Reply::EwayBill(made) => made.number,
            other => panic!("no bill: {other:?}"),
        }
    }

    fn shows_no_secret(&self, error: &TransportError) {
        let shown = format!("{error} {error:?}");
        let user = self.access[0].user();
        for secret in [user.password.expose().as_str(), user.user_name.expose().as_str(), "worthless-secret-7"] {
            assert!(secret.is_empty() || !shown.contains(secret), "{}: {shown}", self.name);
        }
    }
}

fn generate(number: u32) -> Operation {
    Operation::GenerateIrn { payload: Recipe::numbered(number).invoice().to_json().into_bytes().into() }
}

fn irn(number: u32) -> Irn {
    Irn::compute(&Recipe::numbered(number).invoice().document_key().unwrap(), IrnRule::UpperCase)
}

fn by_document(number: u32) -> Operation {
    Operation::GetIrnByDocument {
        doc_type: DocumentType::Invoice,
        number: DocumentNumber::parse(&format!("T/{number}")).unwrap(),
        date: einvoice_core::date::DocumentDate::parse("05/11/2026").unwrap(),
        site: None,
    }
}

fn bill_of(number: u32) -> Operation {
    let carriage = Carriage {
        mode: Some(TransMode::Road),
        vehicle: Some("KA01AB1234".into()),
        vehicle_type: Some(VehicleType::Regular),
        ..Carriage::default()
    };
    let request = EwbByIrn {
        irn: irn(number),
        distance_km: 100,
        transporter: None,
        transporter_name: None,
        carriage,
        ship_to: None,
        dispatch_from: None,
    };
    Operation::GenerateEwbByIrn { request: Box::new(request), site: None }
}

fn cancel(number: u32) -> Operation {
    Operation::CancelIrn { irn: irn(number), reason: CancelReason::Duplicate, remark: "made twice".into(), site: None }
}

async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for shipped in shipped() {
        worlds.push(World::of(read_profile(shipped.id, Path::new("")).unwrap()).await);
    }
    let odd = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/odd.toml");
    worlds.push(World::of(read_profile(&odd.display().to_string(), Path::new("")).unwrap()).await);
    worlds
}

#[tokio::test]
async fn a_document_is_registered_read_back_and_cancelled_by_every_profile() {
    for world in worlds().await {
        if !world.can(OperationKind::GenerateIrn) {
            continue;
        }
        let name = &world.name;
        let session = world.login(Product::EInvoice).await;
        let made = world.registered(&session, &generate(1)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((made.irn, made.ack_no.len()), (irn(1), 15), "{name}");
        assert!(made.signed_invoice.is_some() && made.signed_qr.is_some(), "{name}");
        if world.can(OperationKind::GetIrn) {
            let get = Operation::GetIrn { irn: irn(1), site: None };
            let read = world.registered(&session, &get).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((read.irn, &read.ack_no), (made.irn, &made.ack_no), "{name}");
        }
        if world.can(OperationKind::GetIrnByDocument) {
            let read =
                world.registered(&session, &by_document(1)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(read.irn, made.irn, "{name}");
            let error = world.registered(&session, &by_document(404)).await.unwrap_err();
            assert_eq!(error.class(), Some(ErrorClass::NotFound), "{name}: {error}");
        }
        let cancelled = world.transport.call(&session, &cancel(1)).await;
        assert!(matches!(cancelled, Ok(Reply::IrnCancelled(_))), "{name}: {cancelled:?}");
        assert_eq!(world.sandbox.invoices().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_portal_keeps_its_code_through_every_wrapping() {
    for world in worlds().await {
        if !world.can(OperationKind::GenerateIrn) {
            continue;
        }
        let name = &world.name;
        let session = world.login(Product::EInvoice).await;
        world.registered(&session, &generate(1)).await.unwrap();
        let again = world.registered(&session, &generate(1)).await.unwrap_err();
        assert_eq!(again.class(), Some(ErrorClass::Duplicate), "{name}: {again}");
        assert_eq!((again.portal_errors()[0].code.as_str(), again.retry()), ("2150", Retry::AskFirst), "{name}");
        let mut invoice = Recipe::numbered(2).invoice();
        let date = einvoice_core::document::MemberPath::parse("DocDtls.Dt").unwrap();
        invoice.set_text(&date, 0, "05/11/2027");
        let future = Operation::GenerateIrn { payload: invoice.to_json().into_bytes().into() };
        let error = world.registered(&session, &future).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "{name}: {error}");
        assert!(error.portal_errors().iter().any(|error| error.code == "2163"), "{name}: {error}");
        world.shows_no_secret(&error);
    }
}

#[tokio::test]
async fn an_earlier_registration_is_told_with_the_duplicate_where_the_profile_says_where() {
    for world in worlds().await {
        if !world.can(OperationKind::GenerateIrn) {
            continue;
        }
        let session = world.login(Product::EInvoice).await;
        world.registered(&session, &generate(1)).await.unwrap();
        let Err(TransportError::Refused { info, .. }) = world.registered(&session, &generate(1)).await else {
            panic!("{}: not refused", world.name);
        };
        let told = info.iter().find_map(|detail| detail.duplicate.as_ref()).map(|duplicate| duplicate.irn);
        let part = world.transport.profile().irp.as_ref().unwrap();
        let says = part.crypto == Crypto::Nic
            || part.reply.iter().any(|layer| layer.nic || layer.info.is_some() || layer.refused_info.is_some());
        assert_eq!(told, says.then(|| irn(1)), "{}", world.name);
    }
}

#[tokio::test]
async fn an_eway_bill_is_read_and_cancelled_by_every_profile_that_carries_them() {
    for world in worlds().await {
        if !world.can(OperationKind::CancelEwb) {
            continue;
        }
        let name = &world.name;
        let number = world.bill(1).await;
        let session = world.login(Product::EWayBill).await;
        if world.can(OperationKind::GetEwb) {
            match world.transport.call(&session, &Operation::GetEwb { number }).await {
                Ok(Reply::EwbDetails(details)) => assert_eq!(details.number, number, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        let cancel = Operation::CancelEwb { number, reason: CancelReason::Duplicate, remark: "made twice".into() };
        let done = world.transport.call(&session, &cancel).await;
        assert!(matches!(done, Ok(Reply::EwbChanged(_))), "{name}: {done:?}");
        let again = world.transport.call(&session, &cancel).await.unwrap_err();
        assert!(again.portal_errors().iter().any(|error| error.code == "312"), "{name}: {again}");
    }
}

#[tokio::test]
async fn a_token_of_the_account_that_was_ended_elsewhere_is_replaced_once_and_the_call_goes_on() {
    for world in worlds().await {
        let profile = world.transport.profile();
        let named = [Some(&profile.provider.headers), profile.irp.as_ref().map(|part| &part.headers)];
        let mut templates = named.into_iter().flatten().flat_map(|table| table.values());
        if !templates.any(|template| template.uses(Known::ProviderToken)) {
            continue;
        }
        let session = world.login(Product::EInvoice).await;
        world.provider.end_tokens();
        let before = world.provider.calls();
        let made = world.registered(&session, &generate(1)).await;
        assert!(made.is_ok(), "{}: {made:?}", world.name);
        assert_eq!(world.provider.calls() - before, 3, "{}: refused, logged in, done", world.name);
        assert_eq!(world.sandbox.invoices().len(), 1, "{}", world.name);
    }
}

#[tokio::test]
async fn a_login_of_the_taxpayer_with_a_token_of_the_account_that_was_ended_goes_through_with_another() {
    for world in worlds().await {
        let Some(login) = world.transport.profile().irp.as_ref().and_then(|part| part.login.as_ref()) else { continue };
        if !login.headers.values().any(|template| template.uses(Known::ProviderToken)) {
            continue;
        }
        world.login(Product::EInvoice).await;
        world.provider.end_tokens();
        let session = world.login(Product::EInvoice).await;
        assert!(world.registered(&session, &generate(1)).await.is_ok(), "{}", world.name);
    }
}

#[tokio::test]
async fn a_login_of_the_taxpayer_that_is_over_asks_for_another_one() {
    for world in worlds().await {
        let Some(part) = &world.transport.profile().irp else { continue };
        if part.taxpayer != einvoice_gsp::profile::TaxpayerMode::Login {
            continue;
        }
        let session = world.login(Product::EInvoice).await;
        world.provider.end_logins();
        let error = world.registered(&session, &generate(1)).await.unwrap_err();
        assert_eq!(
            (error.class(), error.retry()),
            (Some(ErrorClass::TokenExpired), Retry::Safe),
            "{}: {error}",
            world.name
        );
        let session = world.login(Product::EInvoice).await;
        assert!(world.registered(&session, &generate(1)).await.is_ok(), "{}", world.name);
    }
}

#[tokio::test]
async fn what_a_provider_says_of_itself_has_the_meaning_that_its_profile_gives_it() {
    for world in worlds().await {
        if !world.can(OperationKind::GenerateIrn) {
            continue;
        }
        let session = world.login(Product::EInvoice).await;
        let profile = world.transport.profile().clone();
        let known: Vec<Meaning> =
            profile.codes.iter().map(|rule| rule.is).chain(profile.http.iter().map(|rule| rule.is)).collect();
        for meaning in Meaning::ALL {
            // Tokens are asked about elsewhere, and a body that decides is no meaning.
            let is_other = !matches!(meaning, Meaning::ReauthProvider | Meaning::ReauthTaxpayer | Meaning::Body);
            if !known.contains(&meaning) || !is_other {
                continue;
            }
            world.provider.push_fault(ProviderFault::Says(meaning));
            let error = world.registered(&session, &generate(1)).await.unwrap_err();
            assert_eq!(error.class(), Some(meaning.class()), "{}: {meaning:?}: {error}", world.name);
            world.shows_no_secret(&error);
        }
        assert!(world.sandbox.invoices().is_empty(), "{}", world.name);
    }
}

#[tokio::test]
async fn a_page_and_a_lost_answer_leave_a_write_open_and_nothing_is_sent_twice() {
    for world in worlds().await {
        if !world.can(OperationKind::GenerateIrn) {
            continue;
        }
        let name = &world.name;
        let session = world.login(Product::EInvoice).await;
        world.provider.push_fault(ProviderFault::Html);
        let error = world.registered(&session, &generate(1)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::AskFirst, "{name}: {error}");
        world.provider.push_fault(ProviderFault::LostAnswer);
        let error = world.registered(&session, &generate(2)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::AskFirst, "{name}: {error}");
        assert_eq!(world.sandbox.invoices().len(), 1, "{name}");
        assert_eq!(world.sandbox.invoices()[0].attempts, 1, "{name}");
    }
}

#[tokio::test]
async fn the_status_of_a_gateway_around_a_refusal_counts_as_the_profile_says() {
    for world in worlds().await {
        if !world.can(OperationKind::GenerateIrn) {
            continue;
        }
        let session = world.login(Product::EInvoice).await;
        world.registered(&session, &generate(1)).await.unwrap();
        world.provider.push_fault(ProviderFault::BadGateway);
        let error = world.registered(&session, &generate(1)).await.unwrap_err();
        let body_counts =
            world.transport.profile().http.iter().any(|rule| rule.status == 502 && rule.is == Meaning::Body);
        if body_counts {
            assert_eq!(error.class(), Some(ErrorClass::Duplicate), "{}: {error}", world.name);
        } else {
            assert_eq!(error.retry(), Retry::AskFirst, "{}: {error}", world.name);
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_and_a_wrong_password_are_refused_without_being_shown() {
    for mut world in worlds().await {
        let part = world.transport.profile().irp.clone();
        let Some(part) = part else { continue };
        let right = world.access[0].clone();
        let wrong_pair = ClientPair {
            client_id: right.client().client_id.clone(),
            client_secret: Secret::from("another-secret-11"),
        };
        world.access[0] = Access::new(right.gstin(), wrong_pair, right.user().clone());
        let result = match world.try_login(Product::EInvoice).await {
            Ok(session) => world.registered(&session, &generate(1)).await.map(drop),
            Err(error) => Err(error),
        };
        // Where the pair is dropped and no header names it, the provider cannot know it is another.
        let error = result.unwrap_err();
        assert_ne!(error.retry(), Retry::AskFirst, "{}: {error}", world.name);
        assert!(!format!("{error:?}").contains("another-secret-11"), "{}: {error:?}", world.name);
        if part.taxpayer != einvoice_gsp::profile::TaxpayerMode::AtProvider {
            let user =
                ApiUser { user_name: right.user().user_name.clone(), password: Secret::from("another-password-11") };
            world.access[0] = Access::new(right.gstin(), right.client().clone(), user);
            let result = match world.try_login(Product::EInvoice).await {
                Ok(session) => world.registered(&session, &generate(1)).await.map(drop),
                Err(error) => Err(error),
            };
            let error = result.unwrap_err();
            assert_eq!(error.class(), Some(ErrorClass::Auth), "{}: {error}", world.name);
            assert!(!format!("{error:?}").contains("another-password-11"), "{}: {error:?}", world.name);
        }
        assert!(world.sandbox.invoices().is_empty(), "{}", world.name);
    }
}

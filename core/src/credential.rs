//! Credentials as India issues them, and the contract of a place that keeps them.
//!
//! A **client pair** (client id and secret) belongs to a PAN and an environment, and serves every
//! GSTIN of that PAN; behind a GSP it belongs to the provider account. An **API user** belongs to one
//! GSTIN, one product, one environment and one way in: the portal binds it to "direct" or to a named
//! GSP when it is created, so one GSTIN can have several.

mod address;
mod error;
mod facts;
pub mod record;
mod sharing;
pub mod shelf;
mod size;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::environment::{Environment, Product, RouteName};
use crate::identifier::{Gstin, Pan};
use crate::secret::Secret;
use crate::session::SavedSession;

pub use address::{AddressError, LISTED_ADDRESSES_MAX, ListedAddresses, PublicIpv4};
pub use error::CredentialError;
pub(crate) use facts::PAIR_IS_WRONG;
pub use facts::{EntryFacts, LoginFailure, LoginNote};
pub use sharing::{EWayBillLogin, SharedUsers};
pub use size::{LoginSizeError, login_bytes_max, login_fits};

/// Keeps client pairs, API users and live sessions.
///
/// # Cancellation
/// Dropping a future of `put`, `remove` or `save_session` leaves either the old or the new content,
/// never a mixture.
#[async_trait]
pub trait CredentialStore: fmt::Debug + Send + Sync {
    /// What this store can do.
    fn capability(&self) -> CredentialCapability;

    /// The client pair of a scope.
    ///
    /// # Errors
    /// [`CredentialError::Missing`] when there is none; an empty value is never returned.
    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError>;

    /// The API user of a scope.
    ///
    /// # Errors
    /// [`CredentialError::Missing`] when there is none.
    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError>;

    /// Adds an entry or replaces the one of the same scope. With another name or secret the session that is kept is over:
    /// it proves nothing of what was put.
    ///
    /// # Errors
    /// [`CredentialError::ReadOnly`] where the capability says so.
    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError>;

    /// Everything the store holds, without secrets, in a stable order.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError>;

    /// Removes the entry of a scope, and with an API user its saved session.
    ///
    /// # Errors
    /// [`CredentialError::Missing`] when there is none.
    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError>;

    /// The session last saved for a user, expired or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError>;

    /// Keeps a session so that other workers, and the next run, use it instead of logging in. A scope without an entry
    /// is that of a user who is entered at a provider.
    ///
    /// # Errors
    /// When it cannot be kept. The caller goes on with the session in hand.
    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError>;

    /// The system that a user logs in to for the sake of a scope: that of the scope, or the other one where its user and
    /// token serve both.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn login_product(&self, scope: &UserScope) -> Result<Product, CredentialError> {
        Ok(scope.product)
    }

    /// What is known about an entry: age, last use, a rotation under way, listed addresses. A store that keeps none of
    /// it gives the default.
    ///
    /// # Errors
    /// When the store cannot be read; [`CredentialError::Missing`] when there is no such entry.
    async fn facts(&self, _scope: &CredentialScope) -> Result<EntryFacts, CredentialError> {
        Ok(EntryFacts::default())
    }

    /// Keeps what became of a login with an entry. A store that keeps no facts drops it.
    ///
    /// # Errors
    /// When it cannot be kept. The caller goes on.
    async fn note(&self, _scope: &CredentialScope, _note: &LoginNote) -> Result<(), CredentialError> {
        Ok(())
    }

    /// Keeps the addresses that the portal lists for a client pair, in place of those known before.
    ///
    /// # Errors
    /// [`CredentialError::ReadOnly`] where the capability says that the store keeps no facts;
    /// [`CredentialError::Missing`] when there is no such entry.
    async fn set_addresses(&self, _scope: &ClientScope, _addresses: &ListedAddresses) -> Result<(), CredentialError> {
        Err(CredentialError::keeps_one_secret())
    }

    /// Keeps another name and secret beside those in use, which stay in use: the first step of a rotation.
    ///
    /// # Errors
    /// [`CredentialError::ReadOnly`] where the capability says that the store keeps no facts;
    /// [`CredentialError::Missing`] when there is nothing to rotate.
    async fn put_pending(&self, _entry: CredentialEntry) -> Result<(), CredentialError> {
        Err(CredentialError::keeps_one_secret())
    }

    /// What [`CredentialStore::put_pending`] kept for a scope.
    ///
    /// # Errors
    /// When the store cannot be read; [`CredentialError::Missing`] when there is no such entry.
    async fn pending(&self, _scope: &CredentialScope) -> Result<Option<CredentialEntry>, CredentialError> {
        Ok(None)
    }

    /// Takes what waits into use after a login has proven it: the last step of a rotation. `tested` is what logged in.
    /// Asked for once more, it changes nothing.
    ///
    /// # Errors
    /// [`CredentialError::Io`] when something else waits by now; then nothing is changed.
    async fn promote(&self, _tested: &CredentialEntry) -> Result<(), CredentialError> {
        Err(CredentialError::keeps_one_secret())
    }

    /// Forgets what waits; the secret in use stays.
    ///
    /// # Errors
    /// When it cannot be written; [`CredentialError::Missing`] when there is no such entry.
    async fn drop_pending(&self, _scope: &CredentialScope) -> Result<(), CredentialError> {
        Err(CredentialError::keeps_one_secret())
    }
}

/// What a credential store can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent answers, read one at a time")]
#[non_exhaustive]
pub struct CredentialCapability {
    /// `put` and `remove` work.
    pub writable: bool,
    /// What is kept on disk is encrypted there.
    pub encrypted_at_rest: bool,
    /// Sessions outlive the process.
    pub keeps_sessions: bool,
    /// Ages, last use, listed addresses and secrets that wait for their first login are kept beside the entries.
    pub keeps_facts: bool,
}

impl CredentialCapability {
    /// Describes a store.
    #[must_use]
    pub const fn new(writable: bool, encrypted_at_rest: bool, keeps_sessions: bool) -> Self {
        Self { writable, encrypted_at_rest, keeps_sessions, keeps_facts: false }
    }

    /// The same store, which keeps facts beside its entries and can rotate a secret.
    #[must_use]
    pub const fn with_facts(self) -> Self {
        Self { keeps_facts: true, ..self }
    }
}

/// Whose client pair it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientHolder {
    /// A taxpayer that goes direct: all GSTINs of the PAN share the pair.
    Pan(Pan),
    /// An account at a GSP or provider.
    Provider {
        /// Name of the account, as configured on the route.
        account: String,
        /// Set where the provider issues a pair for each product.
        product: Option<Product>,
    },
}

/// The scope of a client pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientScope {
    /// Environment the pair was issued for.
    pub environment: Environment,
    /// Whose pair it is.
    pub holder: ClientHolder,
}

/// The scope of an API user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserScope {
    /// The taxpayer.
    pub gstin: Gstin,
    /// The government system.
    pub product: Product,
    /// The environment.
    pub environment: Environment,
    /// The way in the user is bound to.
    pub route: RouteName,
}

/// The scope of either kind of entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the portal issues these two kinds of credentials")]
pub enum CredentialScope {
    /// A client pair.
    Client(ClientScope),
    /// An API user.
    User(UserScope),
}

/// Client id and secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPair {
    /// Client id; shown in part only.
    pub client_id: Secret<String>,
    /// Client secret.
    pub client_secret: Secret<String>,
}

/// User name and password of an API user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUser {
    /// User name.
    pub user_name: Secret<String>,
    /// Password.
    pub password: Secret<String>,
}

impl ApiUser {
    /// What stands in the place of an API user that is entered at the provider and not known here.
    #[must_use]
    pub fn at_provider() -> Self {
        Self { user_name: Secret::from(""), password: Secret::from("") }
    }
}

/// An entry to put into a store.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "the portal issues these two kinds of credentials")]
pub enum CredentialEntry {
    /// A client pair and its scope.
    Client(ClientScope, ClientPair),
    /// An API user and its scope.
    User(UserScope, ApiUser),
}

impl CredentialEntry {
    /// The scope of this entry.
    #[must_use]
    pub fn scope(&self) -> CredentialScope {
        match self {
            Self::Client(scope, _) => CredentialScope::Client(scope.clone()),
            Self::User(scope, _) => CredentialScope::User(scope.clone()),
        }
    }

    /// Refuses an entry of which one half is empty: it would look like one and log in to nothing.
    ///
    /// # Errors
    /// [`CredentialError::Io`] naming the half; `store` is what the store is called.
    pub fn refuse_empty(&self, store: &str) -> Result<(), CredentialError> {
        let halves = match self {
            Self::Client(_, pair) => [("client id", &pair.client_id), ("client secret", &pair.client_secret)],
            Self::User(_, user) => [("user name", &user.user_name), ("password", &user.password)],
        };
        match halves.iter().find(|(_, value)| value.expose().trim().is_empty()) {
            None => Ok(()),
            Some((what, _)) => Err(CredentialError::Io {
                store: store.to_owned(),
                reason: format!("the {what} of the {} is empty; give it", self.scope()),
                source: None,
            }),
        }
    }
}

/// One line of [`CredentialStore::list`]; holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSummary {
    /// What the entry is for.
    pub scope: CredentialScope,
    /// Client id or user name with all but its first two characters masked.
    pub name_hint: String,
    /// When a saved session ends, if there is one.
    pub session_expires_at: Option<jiff::Timestamp>,
}

/// Shows the first two characters of a name and masks the rest, keeping neither its length.
#[must_use]
pub fn name_hint(name: &str) -> String {
    name.chars().take(2).chain("****".chars()).collect()
}

/// Everything one login needs, shared cheaply between sessions.
#[derive(Debug, Clone)]
pub struct Access {
    inner: Arc<AccessParts>,
}

#[derive(Debug)]
struct AccessParts {
    gstin: Gstin,
    client: ClientPair,
    user: ApiUser,
}

impl Access {
    /// Joins a client pair and an API user of a GSTIN.
    #[must_use]
    pub fn new(gstin: Gstin, client: ClientPair, user: ApiUser) -> Self {
        Self { inner: Arc::new(AccessParts { gstin, client, user }) }
    }

    /// The taxpayer.
    #[must_use]
    pub fn gstin(&self) -> Gstin {
        self.inner.gstin
    }

    /// The client pair.
    #[must_use]
    pub fn client(&self) -> &ClientPair {
        &self.inner.client
    }

    /// The API user.
    #[must_use]
    pub fn user(&self) -> &ApiUser {
        &self.inner.user
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(ClientScope { environment, holder: ClientHolder::Pan(pan) }) => {
                write!(formatter, "client pair of PAN {pan} in {environment}")
            }
            Self::Client(ClientScope { environment, holder: ClientHolder::Provider { account, product } }) => {
                write!(formatter, "client pair of provider account {account} in {environment}")?;
                product.map_or(Ok(()), |product| write!(formatter, " for {}", system(product)))
            }
            Self::User(UserScope { gstin, product, environment, route }) => {
                let system = system(*product);
                write!(formatter, "API user of {gstin} for {system} in {environment} by route {route}")
            }
        }
    }
}

/// The command line that adds an entry; the route of a client pair only names its environment.
#[must_use]
pub fn add_command(scope: &CredentialScope) -> String {
    let product = |product: Option<Product>| match product {
        Some(Product::EWayBill) => " --product e-way-bill",
        Some(Product::EInvoice) => " --product e-invoice",
        None => "",
    };
    let add = "einvoice credentials add";
    match scope {
        CredentialScope::User(UserScope { gstin, product: of, route, .. }) => {
            // The e-invoice system is what the command takes when nothing is said.
            let of = Some(*of).filter(|of| *of != Product::EInvoice);
            format!("{add} user --gstin {gstin} --route {route}{}", product(of))
        }
        CredentialScope::Client(ClientScope { holder: ClientHolder::Pan(pan), .. }) => {
            format!("{add} client --pan {pan} --route ROUTE")
        }
        CredentialScope::Client(ClientScope { holder: ClientHolder::Provider { account, product: of }, .. }) => {
            format!("{add} client --account {account} --route ROUTE{}", product(*of))
        }
    }
}

/// A government system in words.
const fn system(product: Product) -> &'static str {
    match product {
        Product::EInvoice => "the e-invoice system",
        Product::EWayBill => "the e-way bill system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_entry_is_told_with_the_whole_command_that_adds_it() {
        let scope = |json: &str| serde_json::from_str::<CredentialScope>(json).unwrap();
        let user =
            r#"{"user":{"gstin":"29AABCE1234F1Z1","product":"e_way_bill","environment":"sandbox","route":"nic"}}"#;
        assert_eq!(
            add_command(&scope(user)),
            "einvoice credentials add user --gstin 29AABCE1234F1Z1 --route nic --product e-way-bill"
        );
        let user = user.replace("e_way_bill", "e_invoice");
        assert_eq!(add_command(&scope(&user)), "einvoice credentials add user --gstin 29AABCE1234F1Z1 --route nic");
        let client = r#"{"client":{"environment":"sandbox","holder":{"pan":"AABCE1234F"}}}"#;
        assert_eq!(add_command(&scope(client)), "einvoice credentials add client --pan AABCE1234F --route ROUTE");
    }
}

//! What the registration leads to in the APIs: whose client pair a call carries, from where it comes, and who may log in
//! which way.

use einvoice_core::environment::Product;
use jiff::Timestamp;

use super::addresses::public_address;
use super::records::{Change, MadeUser, Way};
use super::settings::{FrozenUser, UnlistedAddress, WrongWay};
use super::state::Holder;
use crate::login::{Login, Logins};
use crate::portal::Portal;
use crate::registry::{ClientAccount, UserAccount};
use crate::wire::{PortalRequest, Refusal};

/// An API user in the eyes of a login.
#[derive(Debug, Clone)]
pub(crate) enum ApiUser {
    /// One that the emulator, or a test, gave to a GSTIN: it works every way.
    Given(UserAccount),
    /// The same at the other system than the one it was given for, where users are shared.
    Guest(UserAccount),
    /// One that was made on the pages.
    Made(MadeUser),
}

impl ApiUser {
    pub(crate) fn gstin(&self) -> &str {
        match self {
            Self::Given(user) | Self::Guest(user) => &user.gstin,
            Self::Made(user) => &user.gstin,
        }
    }

    pub(crate) fn username(&self) -> &str {
        match self {
            Self::Given(user) | Self::Guest(user) => &user.username,
            Self::Made(user) => &user.username,
        }
    }

    pub(crate) fn password(&self) -> &str {
        match self {
            Self::Given(user) | Self::Guest(user) => &user.password,
            Self::Made(user) => &user.password.0,
        }
    }

    /// Under which name its logins are kept; nothing for the one user that was given to a GSTIN.
    pub(crate) fn login_name(&self) -> Option<String> {
        match self {
            Self::Given(_) => None,
            Self::Guest(user) => Some(user.username.clone()),
            Self::Made(user) => Some(user.username.clone()),
        }
    }

    pub(crate) const fn is_frozen(&self) -> bool {
        match self {
            Self::Given(_) | Self::Guest(_) => false,
            Self::Made(user) => user.frozen,
        }
    }

    /// Whether it is of the environment that the client pair is for.
    pub(crate) fn is_of_environment(&self, holder: &Holder) -> bool {
        match self {
            Self::Given(_) | Self::Guest(_) => true,
            Self::Made(user) => holder.environment().is_none_or(|environment| environment == user.environment),
        }
    }

    /// Whether a call with its token may carry this client pair.
    pub(crate) fn may_come_with(&self, holder: &Holder) -> bool {
        let is_theirs = holder.serves(self.gstin()) && self.is_of_environment(holder) && self.is_for_way(holder);
        is_theirs && !self.is_frozen()
    }

    /// Whether it was made for the way that the client pair stands for.
    pub(crate) fn is_for_way(&self, holder: &Holder) -> bool {
        match (self, holder) {
            (Self::Given(_) | Self::Guest(_), _) => true,
            (Self::Made(user), Holder::Pan(_) | Holder::Sandbox(_)) => user.way == Way::Direct,
            (Self::Made(user), Holder::Gsp(name)) => user.way == Way::Gsp(name.clone()),
        }
    }
}

/// The other one of the two systems.
const fn other(product: Product) -> Product {
    match product {
        Product::EInvoice => Product::EWayBill,
        _ => Product::EInvoice,
    }
}

impl Portal {
    /// The user of this name in one of the systems.
    pub(crate) fn api_user(&self, product: Product, name: &str) -> Option<ApiUser> {
        if let Some(user) = self.registration.users.get(name).filter(|user| self.is_open_to(product, user)) {
            return Some(ApiUser::Made(user.clone()));
        }
        let named = |product| self.given_users(product).values().find(|user| user.username == name).cloned();
        let guest = || named(other(product)).filter(|_| self.settings.registration.shared_with_ewb.users());
        named(product).map(ApiUser::Given).or_else(|| guest().map(ApiUser::Guest))
    }

    /// The user whose login it is, by the name it is kept under.
    pub(crate) fn user_of_login(&self, product: Product, gstin: &str, login_name: Option<&str>) -> Option<ApiUser> {
        match login_name {
            Some(name) => {
                let made = self.registration.users.get(name).filter(|user| user.gstin == gstin);
                let guest = || self.given_users(other(product)).get(gstin).filter(|user| user.username == name);
                made.cloned().map(ApiUser::Made).or_else(|| guest().cloned().map(ApiUser::Guest))
            }
            None => self.given_users(product).get(gstin).cloned().map(ApiUser::Given),
        }
    }

    /// The live login of a call, and the user whose it is: of this system, or of the other where tokens are shared.
    pub(crate) fn login_of_token(&self, product: Product, gstin: &str, token: &str) -> Option<(Login, ApiUser)> {
        let shared = self.settings.registration.shared_with_ewb.tokens();
        let systems = [Some(product), shared.then_some(other(product))];
        systems.into_iter().flatten().find_map(|system| {
            let login = self.logins_of(system).by_token(gstin, token)?;
            Some((login.clone(), self.user_of_login(system, gstin, login.user.as_deref())?))
        })
    }

    /// The login that a user has in force: at this system, or at the other where tokens are shared.
    pub(crate) fn login_in_force(&self, product: Product, user: &ApiUser, now: Timestamp) -> Option<Login> {
        let own = self.logins_of(product).of(user.gstin(), user.login_name().as_deref());
        if let Some(login) = own.filter(|login| login.expires_at > now) {
            return Some(login.clone());
        }
        if !self.settings.registration.shared_with_ewb.tokens() {
            return None;
        }
        let is_theirs = |login: &&Login| {
            let theirs = self.user_of_login(other(product), &login.gstin, login.user.as_deref());
            login.expires_at > now && theirs.is_some_and(|theirs| theirs.username() == user.username())
        };
        self.logins_of(other(product)).all_of(user.gstin()).find(is_theirs).cloned()
    }

    const fn logins_of(&self, product: Product) -> &Logins {
        match product {
            Product::EInvoice => &self.logins,
            _ => &self.ewb_logins,
        }
    }

    fn given_users(&self, product: Product) -> &std::collections::BTreeMap<String, UserAccount> {
        match product {
            Product::EInvoice => &self.accounts.users,
            _ => &self.accounts.ewb_users,
        }
    }

    fn is_open_to(&self, product: Product, user: &MadeUser) -> bool {
        user.product == product || self.settings.registration.shared_with_ewb.users()
    }

    /// Gives a provider in front of the portal its own client pair, when it has a name and none yet.
    pub(crate) fn meet_gsp(&mut self, name: &str) {
        if name.is_empty() || self.registration.gsp_clients.contains_key(name) {
            return;
        }
        // Without randomness it stays without a pair, and its calls carry that of the PAN.
        if let Ok(client) = self.new_client("", "GSP") {
            self.change_registration(Change::GspClient(ClientAccount { pan: name.to_owned(), ..client }));
        }
    }

    /// The API user that a provider was told of for a GSTIN: the newest one made for it that is not frozen, else the
    /// given one.
    pub(crate) fn user_known_to(&self, gsp: &str, product: Product, gstin: &str) -> Option<UserAccount> {
        let way = Way::Gsp(gsp.to_owned());
        let is_known = |user: &&MadeUser| user.gstin == gstin && user.way == way && self.is_open_to(product, user);
        let made = self.registration.users.values().filter(is_known);
        // A frozen one stands in only where there is no other: its refusal is better than none.
        let made = made.max_by_key(|user| (!user.frozen, user.created_at));
        let made = made.map(|user| UserAccount {
            gstin: user.gstin.clone(),
            username: user.username.clone(),
            password: user.password.0.clone(),
        });
        made.or_else(|| self.given_users(product).get(gstin).cloned())
    }

    /// Whose client pair the headers carry, once the caller's address is one that it may be used from.
    pub(crate) fn client_of(&self, request: &PortalRequest) -> Result<Holder, Refusal> {
        let client_id = request.header("client_id").ok_or_else(|| Refusal::of("1011"))?;
        let client_secret = request.header("client_secret").ok_or_else(|| Refusal::of("1012"))?;
        let holder = self.holder_of(&client_id, &client_secret).ok_or_else(|| Refusal::of("1010"))?;
        if self.is_listed_for(&holder) {
            return Ok(holder);
        }
        Err(Refusal::of(match self.settings.registration.unlisted_address {
            UnlistedAddress::Listing | UnlistedAddress::Page => "3059",
            UnlistedAddress::Client => "1010",
        }))
    }

    fn holder_of(&self, client_id: &str, client_secret: &str) -> Option<Holder> {
        let pan = self.accounts.pan_of(client_id, client_secret).map(|pan| Holder::Pan(pan.to_owned()));
        pan.or_else(|| self.registration.holder_of(client_id, client_secret))
    }

    /// Whether the caller's address is one that a client pair may be used from. The addresses of a provider are its own
    /// affair, and a pair for trying things out needs none.
    fn is_listed_for(&self, holder: &Holder) -> bool {
        let Holder::Pan(pan) = holder else { return true };
        match self.registration.listed.get(pan) {
            Some(listed) => {
                let caller = public_address(self.caller, &self.settings.registration);
                listed.iter().any(|address| caller == *address)
            }
            None => !self.settings.registration.addresses_enforced,
        }
    }

    /// Whether a gateway turns the call away before the portal sees it, as a setting may have it.
    pub(crate) fn is_turned_away(&self, request: &PortalRequest) -> bool {
        if self.settings.registration.unlisted_address != UnlistedAddress::Page {
            return false;
        }
        let holder = request
            .header("client_id")
            .zip(request.header("client_secret"))
            .and_then(|(id, secret)| self.holder_of(&id, &secret));
        holder.is_some_and(|holder| !self.is_listed_for(&holder))
    }

    /// What the login of a user made for another way in answers.
    pub(crate) fn wrong_way(&self) -> Refusal {
        Refusal::of(match self.settings.registration.wrong_way {
            WrongWay::NotMapped => "1018",
            WrongWay::UnknownUser => "1017",
        })
    }

    /// What the login of a frozen user answers.
    pub(crate) fn frozen(&self) -> Refusal {
        Refusal::of(match self.settings.registration.frozen_user {
            FrozenUser::Inactive => "1014",
            FrozenUser::Freezed => "3025",
        })
    }
}

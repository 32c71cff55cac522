//! API users: made for a GSTIN, one of the two systems and one way in; frozen, moved to another provider, given a new
//! password.

use std::collections::BTreeSet;

use einvoice_core::environment::{Environment, Product};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::addresses::shortened;
use super::names;
use super::outbox::Draft;
use super::problem::{Acted, Problem, Problems};
use super::records::{Change, Channel, Hidden, MadeUser, MessageKind, Way};
use crate::portal::Portal;
use crate::registry::pan_of;

/// What "Create API user" asks for, as text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NewUser {
    pub(crate) gstin: String,
    pub(crate) product: String,
    pub(crate) environment: String,
    pub(crate) mode: String,
    pub(crate) gsp: String,
    pub(crate) username: String,
    pub(crate) password: Password,
}

/// A password as it comes in; not shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(pub(crate) String);

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("...")
    }
}

/// An API user as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct UserLine {
    pub(crate) username: String,
    pub(crate) gstin: String,
    pub(crate) product: Product,
    pub(crate) environment: Environment,
    pub(crate) mode: &'static str,
    pub(crate) gsp: Option<String>,
    pub(crate) frozen: bool,
    pub(crate) created_at: Timestamp,
}

impl UserLine {
    pub(crate) fn of(user: &MadeUser) -> Self {
        let (mode, gsp) = match &user.way {
            Way::Direct => ("direct", None),
            Way::Gsp(name) => ("gsp", Some(name.clone())),
        };
        Self {
            username: user.username.clone(),
            gstin: user.gstin.clone(),
            product: user.product,
            environment: user.environment,
            mode,
            gsp,
            frozen: user.frozen,
            created_at: user.created_at,
        }
    }
}

impl Portal {
    /// Names of the providers that a user can be made for.
    pub(crate) fn gsps(&self) -> BTreeSet<String> {
        let listed = self.settings.registration.gsps.iter();
        listed.chain(&self.registration.fronts).filter(|name| !name.is_empty()).cloned().collect()
    }

    fn read_way(&self, mode: &str, gsp: &str) -> Acted<Way> {
        match mode {
            "direct" => Ok(Way::Direct),
            "gsp" => {
                let gsp = gsp.trim();
                let gsps = self.gsps();
                if gsps.contains(gsp) {
                    return Ok(Way::Gsp(gsp.to_owned()));
                }
                let message = if gsps.is_empty() {
                    "no provider is known to the portal".to_owned()
                } else {
                    let names: Vec<String> = gsps.into_iter().collect();
                    format!("choose the provider from the list: {}", names.join(", "))
                };
                Err(Problems::input(Problem::at("gsp", message).found(shortened(gsp))))
            }
            other => {
                let message = "choose how the user reaches the portal: direct or gsp";
                Err(Problems::input(Problem::at("mode", message).found(shortened(other))))
            }
        }
    }

    /// Makes an API user.
    pub(crate) fn create_user(&mut self, pan: &str, new: &NewUser, now: Timestamp) -> Acted<MadeUser> {
        let mut problems = Problems::default();
        let gstin = self.known_gstin("gstin", &new.gstin).and_then(|gstin| own(pan, gstin.as_str()));
        let gstin = problems.collect(gstin).unwrap_or_default();
        let product = problems.collect(read_product(&new.product)).unwrap_or(Product::EInvoice);
        let environment = problems.collect(read_environment(&new.environment)).unwrap_or(Environment::Production);
        let way = problems.collect(self.read_way(&new.mode, &new.gsp)).unwrap_or(Way::Direct);
        let username = names::name(&new.username).and_then(|name| self.free_name(&name).map(|()| name));
        let username = problems.collect(username).unwrap_or_default();
        let password = problems.collect(names::password(&new.password.0)).unwrap_or_default();
        problems.collect(names::fit(&username, &password));
        let user = MadeUser {
            username,
            password: Hidden(password),
            gstin,
            product,
            environment,
            way,
            frozen: false,
            created_at: now,
        };
        let user = problems.or(user)?;
        self.may_have(pan, &user)?;
        self.change_registration(Change::User(Box::new(user.clone())));
        let system = if user.product == Product::EInvoice { "e-invoice" } else { "e-way bill" };
        let text = format!(
            "API user {} was created for {}: {system} system, {}, {}.",
            user.username, user.gstin, user.environment, user.way
        );
        self.send(pan, Channel::Mail, Draft::new(MessageKind::UserCreated, text), now);
        Ok(user)
    }

    /// Refuses a user that the state of the registration does not admit.
    fn may_have(&self, pan: &str, user: &MadeUser) -> Acted<()> {
        self.may_go(pan, user)?;
        let most = self.settings.registration.users_per_gstin_max;
        if self.registration.count_like(user) >= usize::try_from(most).unwrap_or(usize::MAX) {
            let message = format!("this GSTIN has {most} API users in this system already, which is the most");
            return Err(Problems::state(Problem::at("gstin", message).code("3007")));
        }
        Ok(())
    }

    /// A user for production that goes direct needs the client pair of its PAN.
    fn may_go(&self, pan: &str, user: &MadeUser) -> Acted<()> {
        let needs_pair = user.way == Way::Direct && user.environment == Environment::Production;
        if needs_pair { self.issued_client(pan).map(|_| ()) } else { Ok(()) }
    }

    fn own_user(&self, pan: &str, username: &str) -> Acted<MadeUser> {
        let user = self.registration.users.get(username).filter(|user| pan_of(&user.gstin) == Some(pan));
        let name = shortened(username);
        user.cloned().ok_or_else(|| Problems::not_found(format!("this PAN has no API user {name}")))
    }

    fn end_logins(&mut self, user: &MadeUser) {
        let (gstin, username) = (user.gstin.clone(), user.username.clone());
        self.change_registration(Change::LoginsEnded { gstin, username });
    }

    /// Freezes a user, which ends its tokens, or thaws it.
    pub(crate) fn freeze_user(&mut self, pan: &str, username: &str, frozen: bool) -> Acted<MadeUser> {
        let user = self.own_user(pan, username)?;
        if user.frozen == frozen {
            let problem = if frozen {
                Problem::general("this API user is frozen already").code("3025")
            } else {
                Problem::general("this API user is not frozen")
            };
            return Err(Problems::state(problem));
        }
        let user = MadeUser { frozen, ..user };
        self.change_registration(Change::User(Box::new(user.clone())));
        if frozen {
            self.end_logins(&user);
        }
        Ok(user)
    }

    /// Lets a user reach the portal another way, which ends its tokens.
    pub(crate) fn move_user(&mut self, pan: &str, username: &str, mode: &str, gsp: &str) -> Acted<MadeUser> {
        let user = self.own_user(pan, username)?;
        let user = MadeUser { way: self.read_way(mode, gsp)?, ..user };
        self.may_go(pan, &user)?;
        self.change_registration(Change::User(Box::new(user.clone())));
        self.end_logins(&user);
        Ok(user)
    }

    /// Gives a user a new password. Its tokens stay good, as far as anybody knows.
    pub(crate) fn change_password(&mut self, pan: &str, username: &str, password: &str) -> Acted<MadeUser> {
        let user = self.own_user(pan, username)?;
        let password = names::password(password)?;
        names::fit(&user.username, &password)?;
        if user.password.0 == password {
            let problem = Problem::at("password", "the new password and the old one cannot be the same").code("3023");
            return Err(Problems::input(problem));
        }
        let user = MadeUser { password: Hidden(password), ..user };
        self.change_registration(Change::User(Box::new(user.clone())));
        Ok(user)
    }
}

/// A GSTIN of the account's own PAN.
fn own(pan: &str, gstin: &str) -> Acted<String> {
    if pan_of(gstin) == Some(pan) {
        return Ok(gstin.to_owned());
    }
    let message = format!("this GSTIN is of another PAN; this account is that of {pan}");
    Err(Problems::input(Problem::at("gstin", message).code("3014").found(gstin)))
}

fn read_product(text: &str) -> Acted<Product> {
    match text {
        "e_invoice" => Ok(Product::EInvoice),
        "e_way_bill" => Ok(Product::EWayBill),
        other => {
            let message = "choose the system: e_invoice or e_way_bill";
            Err(Problems::input(Problem::at("product", message).found(shortened(other))))
        }
    }
}

fn read_environment(text: &str) -> Acted<Environment> {
    match text {
        "" | "production" => Ok(Environment::Production),
        "sandbox" => Ok(Environment::Sandbox),
        other => {
            let message = "choose the environment: production or sandbox";
            Err(Problems::input(Problem::at("environment", message).found(shortened(other))))
        }
    }
}

//! The answers by the keys of their questions: what was answered, as a person would type it, and what hangs on it.

use std::path::Path;

use einvoice_core::environment::Product;

use super::answers::{Answers, Application, Provider, Way};

/// The keys of questions that are the same for everybody, in the order in which they are asked.
const KEYS: [&str; 25] = [
    "pan",
    "gstins",
    "way",
    "environment",
    "base_url",
    "profile",
    "account",
    "other_hosts",
    "hosts.common",
    "hosts.irp",
    "hosts.ewb",
    "client_pair_is_of",
    "login_key_file",
    "with_ewb",
    "ewb.base_url",
    "ewb.login_key_file",
    "ewb_login_key_file",
    "route",
    "addresses",
    "application",
    "signing_keys",
    "store",
    "source",
    "client",
    "ewb_client",
];

impl Way {
    /// The word by which a person chooses it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Gsp => "gsp",
            Self::Provider => "provider",
        }
    }
}

impl Provider {
    /// Whether all is answered about its addresses.
    pub(super) fn has_addresses(&self) -> bool {
        match self.other_hosts {
            Some(true) => ["common", "irp", "ewb"].iter().all(|name| self.hosts.contains_key(*name)),
            other => other.is_some(),
        }
    }
}

impl Answers {
    /// The answer to a question as it would be typed; nothing where the question is open. What lies in the credential
    /// store is only said to be there.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let is_direct = self.way == Some(Way::Direct);
        let provider = self.provider.as_ref().filter(|_| !is_direct);
        let portal = self.portal.as_ref().filter(|_| is_direct);
        let ewb = self.ewb.as_ref().filter(|_| is_direct && self.with_ewb == Some(true));
        let behind = |product| provider.and_then(|provider| provider.login_key_files.get(&product));
        let stored = |product| self.done.clients.contains(&product).then(|| "in the credential store".to_owned());
        match key {
            "pan" => self.pan.map(|pan| pan.to_string()),
            "gstins" => in_one_line(&self.gstins),
            "way" => self.way.map(|way| way.word().to_owned()),
            "environment" => self.environment.map(|environment| environment.to_string()),
            "base_url" => portal.map(|portal| portal.base_url.clone()),
            "login_key_file" if is_direct => Some(path(portal?.login_key_file.as_deref()?)),
            "login_key_file" => behind(Product::EInvoice).map(|file| path(file)),
            "ewb_login_key_file" => behind(Product::EWayBill).map(|file| path(file)),
            "with_ewb" => self.with_ewb.map(yes_or_no),
            "ewb.base_url" => ewb.map(|portal| portal.base_url.clone()),
            "ewb.login_key_file" => Some(path(ewb?.login_key_file.as_deref()?)),
            "profile" => provider.map(|provider| provider.profile.clone()),
            "account" => provider?.account.clone(),
            "other_hosts" => provider?.other_hosts.map(yes_or_no),
            "client_pair_is_of" => provider?.client_pair_is_of.map(|environment| environment.to_string()),
            "route" => self.route.clone(),
            "addresses" => self.addresses.as_ref().map(|addresses| or_none(addresses.to_string())),
            // Until it is accepted nobody knows here how it stands.
            "application" => (self.application == Some(Application::Accepted)).then(|| "accepted".to_owned()),
            "signing_keys" => self.signing_keys.as_ref().map(|patterns| or_none(patterns.join(" "))),
            "store" => self.store.clone(),
            "source" => self.source.clone(),
            "client" => stored(Product::EInvoice),
            "ewb_client" => stored(Product::EWayBill),
            _ => {
                let (part, name) = key.split_once('.')?;
                match part {
                    "settings" => provider?.settings.get(name).cloned(),
                    "hosts" => provider.filter(|it| it.other_hosts == Some(true))?.hosts.get(name).cloned(),
                    _ => self.stored_users().find(|user| user == key).map(|_| "in the credential store".to_owned()),
                }
            }
        }
    }

    /// The keys of all questions that are answered.
    pub(super) fn keys(&self) -> Vec<String> {
        let settings = self.provider.iter().flat_map(|provider| provider.settings.keys());
        let settings = settings.map(|name| format!("settings.{name}"));
        let all = KEYS.iter().map(|key| (*key).to_owned()).chain(settings).chain(self.stored_users());
        all.filter(|key| self.text(key).is_some()).collect()
    }

    fn stored_users(&self) -> impl Iterator<Item = String> {
        let users = self.products().into_iter().flat_map(|product| self.users(product));
        users.filter(|user| self.done.users.contains(user)).map(|user| user_key(&user))
    }

    /// Opens the questions whose answers hang on one that has become another. What is in the credential store stays
    /// there, and is asked about where it may not be right any more.
    pub(super) fn forget_what_hangs_on(&mut self, key: &str) {
        match key {
            "pan" => {
                self.gstins.clear();
                self.application = None;
                self.done.clients.clear();
            }
            "way" => {
                self.portal = None;
                self.ewb = None;
                self.provider = None;
                self.with_ewb = None;
                self.route = None;
                self.application = None;
                self.unsettle();
            }
            "environment" => {
                self.portal = None;
                self.ewb = None;
                self.provider = self.provider.take().map(|provider| Provider {
                    profile: provider.profile,
                    account: provider.account,
                    ..Provider::default()
                });
                self.signing_keys = None;
                self.application = None;
                self.unsettle();
            }
            "base_url" => {
                if let Some(portal) = &mut self.portal {
                    portal.login_key_file = None;
                }
                self.unsettle();
            }
            "ewb.base_url" => {
                if let Some(portal) = &mut self.ewb {
                    portal.login_key_file = None;
                }
                self.done.users.retain(|user| user.product != Product::EWayBill);
                self.unproven();
            }
            "profile" => {
                let other = |provider: Provider| Provider { profile: provider.profile, ..Provider::default() };
                self.provider = self.provider.take().map(other);
                self.with_ewb = None;
                self.route = None;
                self.unsettle();
            }
            "account" => self.unsettle(),
            "other_hosts" => {
                self.keep_hosts(|_| false);
                self.unproven();
            }
            "hosts.common" => {
                self.keep_hosts(|name| name == "common");
                self.unproven();
            }
            // The portal lists addresses by an application.
            "addresses" => self.application = None,
            "with_ewb" | "signing_keys" | "route" => self.done.configured = false,
            "client_pair_is_of" | "login_key_file" | "ewb.login_key_file" | "ewb_login_key_file" => self.unproven(),
            _ if key.starts_with("settings.") || key.starts_with("hosts.") => self.unproven(),
            _ => {}
        }
    }

    fn keep_hosts(&mut self, keep: impl Fn(&str) -> bool) {
        if let Some(provider) = &mut self.provider {
            provider.hosts.retain(|name, _| keep(name));
        }
    }

    /// The way is another one: what was written and proven for the one before says nothing.
    fn unsettle(&mut self) {
        self.done.clients.clear();
        self.done.users.clear();
        self.unproven();
    }

    /// The configuration is to be written, and every login to be tried.
    fn unproven(&mut self) {
        self.done.configured = false;
        self.done.logins.clear();
    }
}

/// The key of the question for an API user.
pub(super) fn user_key(user: &einvoice_core::credential::UserScope) -> String {
    format!("user.{}.{}", user.gstin, user.product)
}

fn in_one_line<T: ToString>(words: &[T]) -> Option<String> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn or_none(list: String) -> String {
    if list.is_empty() { "none".to_owned() } else { list }
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn path(file: &Path) -> String {
    file.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use einvoice_core::environment::Environment;

    use super::super::answers::Portal;
    use super::super::check;
    use super::*;

    fn common(way: Way) -> Answers {
        let mut answers = Answers::default();
        answers.pan = Some("AAPFU0939F".parse().unwrap());
        answers.gstins = vec!["27AAPFU0939F1ZV".parse().unwrap()];
        answers.way = Some(way);
        answers.environment = Some(Environment::Production);
        answers.with_ewb = Some(true);
        answers.route = Some("ours".to_owned());
        answers.addresses = Some(check::addresses("117.200.1.10").unwrap());
        answers.signing_keys = Some(Vec::new());
        answers.done.configured = true;
        answers.done.clients = [Product::EInvoice].into();
        answers.done.users = answers.users(Product::EInvoice).into_iter().collect();
        answers
    }

    fn direct() -> Answers {
        let portal = |address: &str| {
            Some(Portal { base_url: address.to_owned(), login_key_file: Some("keys/login.pem".into()) })
        };
        let mut answers = common(Way::Direct);
        answers.portal = portal("https://irp.example");
        answers.ewb = portal("https://ewb.example");
        answers.application = Some(Application::Accepted);
        answers
    }

    fn through_a_gsp() -> Answers {
        let mut answers = common(Way::Gsp);
        let hosts = ["common", "irp", "ewb"].map(|name| (name.to_owned(), format!("https://{name}.example")));
        answers.provider = Some(Provider {
            profile: "adaequare".to_owned(),
            account: Some("our-adaequare".to_owned()),
            settings: BTreeMap::from([("flavour".to_owned(), "plain".to_owned())]),
            other_hosts: Some(true),
            hosts: hosts.into(),
            client_pair_is_of: None,
            login_key_files: [(Product::EInvoice, "keys/login.pem".into())].into(),
        });
        answers
    }

    /// The questions that are open once one answer has become another.
    fn opened(mut answers: Answers, key: &str) -> Vec<String> {
        let before = answers.keys();
        assert!(before.iter().any(|known| known == key), "{key} is no answered question of {before:?}");
        answers.forget_what_hangs_on(key);
        let after = answers.keys();
        before.into_iter().filter(|known| !after.contains(known)).collect()
    }

    #[test]
    fn what_hangs_on_a_changed_answer_is_open_and_nothing_else() {
        let pair = ["client", "user.27AAPFU0939F1ZV.e_invoice"];
        assert_eq!(opened(direct(), "pan"), ["gstins", "application", pair[0], pair[1]]);
        assert_eq!(opened(direct(), "gstins"), [""; 0]);
        let ewb = ["ewb.base_url", "ewb.login_key_file"];
        let environment =
            ["base_url", "login_key_file", ewb[0], ewb[1], "application", "signing_keys", pair[0], pair[1]];
        assert_eq!(opened(direct(), "environment"), environment);
        assert_eq!(opened(direct(), "base_url"), ["login_key_file", pair[0], pair[1]]);
        assert_eq!(opened(direct(), "ewb.base_url"), ["ewb.login_key_file"]);
        assert_eq!(opened(direct(), "addresses"), ["application"]);
        let nothing = ["login_key_file", "with_ewb", "ewb.login_key_file", "signing_keys", "application", "client"];
        for key in nothing {
            assert_eq!(opened(direct(), key), [""; 0], "{key}");
        }
        let hosts = ["other_hosts", "hosts.common", "hosts.irp", "hosts.ewb"];
        let profile = ["account", hosts[0], hosts[1], hosts[2], hosts[3], "login_key_file", "with_ewb", "route"];
        let profile = profile.into_iter().chain(pair).take(9).chain(["settings.flavour", pair[1]]);
        assert_eq!(opened(through_a_gsp(), "profile"), profile.collect::<Vec<_>>());
        assert_eq!(opened(through_a_gsp(), "account"), pair);
        assert_eq!(opened(through_a_gsp(), "hosts.common"), ["hosts.irp", "hosts.ewb"]);
        assert_eq!(opened(through_a_gsp(), "settings.flavour"), [""; 0]);
    }

    #[test]
    fn every_login_is_proven_again_where_the_way_to_the_portal_is_another() {
        for (answers, key) in [
            (direct(), "base_url"),
            (direct(), "login_key_file"),
            (direct(), "ewb.login_key_file"),
            (through_a_gsp(), "hosts.irp"),
            (through_a_gsp(), "settings.flavour"),
        ] {
            let mut answers = answers;
            let user = answers.users(Product::EInvoice).remove(0);
            answers.logged_in(&user, jiff::Timestamp::UNIX_EPOCH);
            answers.forget_what_hangs_on(key);
            assert!(!answers.has_logged_in(&user) && !answers.done.configured, "{key}");
        }
    }

    #[test]
    fn an_answer_is_shown_as_it_is_typed_and_a_secret_is_only_said_to_be_there() {
        let answers = through_a_gsp();
        assert_eq!(answers.text("with_ewb").as_deref(), Some("yes"));
        assert_eq!(answers.text("signing_keys").as_deref(), Some("none"));
        assert_eq!(answers.text("hosts.irp").as_deref(), Some("https://irp.example"));
        assert_eq!(answers.text("base_url"), None, "another way's");
        assert_eq!(answers.text("client").as_deref(), Some("in the credential store"));
        assert_eq!(answers.text("user.27AAPFU0939F1ZV.e_way_bill"), None);
    }
}

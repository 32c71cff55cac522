//! What a profile must be beyond its types, so that it can work: all problems at once, each with its key.

use std::fmt;

use einvoice_core::environment::{Environment, Product};
use einvoice_core::operation::OperationKind;
use einvoice_http::usable_address;
use einvoice_protocol::endpoints::{Endpoints, path_problem};
use einvoice_protocol::ewb::settings::EwbEndpoints;
use einvoice_protocol::exchange::Method;

use super::load::said_near;
use super::{
    Body, Crypto, Known, Layer, Login, Meaning, Named, Pointer, ProductProfile, Profile, Setting, TaxpayerMode,
    Template, Variable,
};
use crate::hooks;

/// Something in a profile that cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The key.
    pub key: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// All problems of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    fn add(&mut self, key: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Problem { key: key.into(), reason: reason.into() });
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.iter().map(|problem| format!("  {}: {}", problem.key, problem.reason)).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

/// Parts of names that hold secrets, without hyphens and underscores.
const SECRET_NAMES: [&str; 8] =
    ["secret", "password", "passwd", "pwd", "passphrase", "token", "authorization", "credential"];

/// Ends of such names: `pass`, `x-key`, `auth_key`, `subscriptionkey`.
const SECRET_ENDS: [&str; 2] = ["pass", "key"];

/// Characters from which on a fixed value under such a name is taken for a secret.
const SECRET_CHARS_MIN: usize = 8;

/// The login to the provider itself.
const PROVIDER_LOGIN: &str = "provider.login";

/// Everything in a profile that cannot work.
pub(crate) fn check(profile: &Profile) -> Problems {
    let mut checker = Checker { profile, problems: Problems::default() };
    checker.profile();
    checker.problems
}

/// What a template may use where it stands.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each kind of value is there or it is not")]
struct Allowed {
    provider_token: bool,
    taxpayer: bool,
    taxpayer_token: bool,
    sek: bool,
    operation: Option<OperationKind>,
    product: Option<Product>,
}

impl Allowed {
    const PROVIDER_LOGIN: Self = Self {
        provider_token: false,
        taxpayer: false,
        taxpayer_token: false,
        sek: false,
        operation: None,
        product: None,
    };

    fn problem(self, variable: &Variable, settings: &std::collections::BTreeMap<String, Setting>) -> Option<String> {
        match variable {
            Variable::Setting(name) if settings.contains_key(name) => None,
            Variable::Setting(name) => {
                let near = einvoice_core::registry::nearest(name, settings.keys().map(String::as_str));
                let near = near.map(|near| format!("; did you mean {{settings.{near}}}?")).unwrap_or_default();
                Some(format!("{{{variable}}} is declared nowhere under `settings`{near}"))
            }
            Variable::Known(known) => self.of_known(*known),
        }
    }

    fn of_known(self, known: Known) -> Option<String> {
        let missing = |what: &str| Some(format!("{{{}}} has no value here: {what}", known.name()));
        match known {
            Known::ClientId | Known::ClientSecret | Known::RequestId => None,
            Known::ProviderToken if self.provider_token => None,
            Known::ProviderToken => missing("there is no `provider.login`, or this is part of it"),
            Known::UserName | Known::Password | Known::Gstin | Known::Site | Known::Force if self.taxpayer => None,
            Known::UserName | Known::Password | Known::Gstin | Known::Site | Known::Force => {
                missing("the login to the provider knows no taxpayer")
            }
            Known::TaxpayerToken if self.taxpayer_token => None,
            Known::TaxpayerToken => missing("no login of the taxpayer that brings a token comes before"),
            Known::Sek if self.sek => None,
            Known::Sek => missing("only with `crypto = \"plain_with_sek\"`, after the login"),
            Known::Action if self.product == Some(Product::EWayBill) && self.operation.is_some() => None,
            _ => match self.operation {
                Some(operation) if crate::values::has(operation, known) => None,
                Some(operation) => missing(&format!("{operation} asks nothing of the kind")),
                None => missing("it belongs to an operation"),
            },
        }
    }
}

struct Checker<'p> {
    profile: &'p Profile,
    problems: Problems,
}

impl Checker<'_> {
    fn profile(&mut self) {
        let profile = self.profile;
        let is_name = !profile.id.is_empty()
            && profile.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name {
            self.problems.add("id", "write lower case letters, digits and hyphens");
        }
        self.environments();
        self.settings();
        if profile.irp.is_none() && profile.ewb.is_none() {
            self.problems.add("irp", "the profile carries neither `irp` nor `ewb`");
        }
        if !(8..=64).contains(&profile.request_id.length) {
            self.problems.add("request_id.length", "8 to 64 is possible");
        }
        if !(1..=64).contains(&profile.limits.calls_at_once) {
            self.problems.add("limits.calls_at_once", "1 to 64 is possible");
        }
        for (at, rule) in profile.codes.iter().enumerate() {
            if rule.code.is_none() && rule.text.is_none() {
                self.problems.add(format!("codes[{at}]"), "it names neither `code` nor `text`");
            }
            if rule.is == Meaning::Body {
                self.problems.add(format!("codes[{at}].is"), "`body` is for HTTP statuses");
            }
        }
        let has_login = profile.provider.login.is_some();
        if let Some(login) = &profile.provider.login {
            self.login(PROVIDER_LOGIN, login, Allowed::PROVIDER_LOGIN);
            if login.token.is_none() {
                self.problems
                    .add("provider.login.token", "a login to the provider brings a token: say where it stands");
            }
        }
        if let Some(balance) = &profile.limits.balance {
            let key = "limits.balance";
            let allowed = Allowed { provider_token: has_login, ..Allowed::PROVIDER_LOGIN };
            self.template(&format!("{key}.http"), balance.http.path(), allowed);
            self.named(&format!("{key}.query"), &balance.query, allowed, false);
            self.named(&format!("{key}.headers"), &balance.headers, allowed, true);
            self.layers(&format!("{key}.reply"), &balance.reply);
            if balance.at == Pointer::root() {
                self.problems.add(format!("{key}.at"), "say where the number stands, as in \"/balance\"");
            }
            if let Some(address) = &balance.address {
                self.address(&format!("{key}.address"), address, Environment::Production);
            }
        }
        for (name, product, part) in
            [("irp", Product::EInvoice, &profile.irp), ("ewb", Product::EWayBill, &profile.ewb)]
        {
            if let Some(part) = part {
                self.product(name, product, part, has_login);
            }
        }
    }

    fn environments(&mut self) {
        let environments = &self.profile.environments;
        for (name, environment) in [("sandbox", Environment::Sandbox), ("production", Environment::Production)] {
            let Some(hosts) = environments.get(environment) else { continue };
            let needs_common = self.profile.provider.login.is_some();
            let parts = [("irp", self.profile.irp.is_some()), ("ewb", self.profile.ewb.is_some())];
            for (part, is_there) in parts {
                let own = if part == "irp" { &hosts.irp } else { &hosts.ewb };
                match own {
                    Some(address) => self.address(&format!("environments.{name}.{part}"), address, environment),
                    None if is_there && hosts.common.is_empty() => {
                        self.problems
                            .add(format!("environments.{name}.{part}"), "there is no address, and no `common` one");
                    }
                    None => {}
                }
            }
            if !hosts.common.is_empty() {
                self.address(&format!("environments.{name}.common"), &hosts.common, environment);
            } else if needs_common {
                self.problems.add(format!("environments.{name}.common"), "the login to the provider has no address");
            }
        }
    }

    fn address(&mut self, key: &str, address: &str, environment: Environment) {
        if let Err(error) = usable_address(key, address, environment) {
            let text = error.to_string();
            let reason = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason).to_owned();
            self.problems.add(key, reason);
        }
    }

    fn product(&mut self, name: &str, product: Product, part: &ProductProfile, has_provider_login: bool) {
        let brings_token = match part.taxpayer {
            TaxpayerMode::Login => true,
            TaxpayerMode::Nic => part.crypto != Crypto::Plain,
            _ => false,
        };
        let before = Allowed {
            provider_token: has_provider_login,
            taxpayer: true,
            taxpayer_token: false,
            sek: false,
            operation: None,
            product: Some(product),
        };
        let after = Allowed { taxpayer_token: brings_token, sek: part.crypto == Crypto::PlainWithSek, ..before };
        match (part.taxpayer, &part.login) {
            (TaxpayerMode::Login | TaxpayerMode::WarmUp, Some(login)) => {
                self.login(&format!("{name}.login"), login, before);
                if part.taxpayer == TaxpayerMode::Login && login.token.is_none() {
                    self.problems.add(format!("{name}.login.token"), "say where the token stands, or choose `warm_up`");
                }
            }
            (TaxpayerMode::Login | TaxpayerMode::WarmUp, None) => {
                self.problems.add(format!("{name}.login"), "`taxpayer` asks for a login, and there is none");
            }
            (_, Some(_)) => self.problems.add(format!("{name}.login"), "`taxpayer` asks for no login; leave it out"),
            _ => {}
        }
        let seals = part.crypto == Crypto::Nic;
        if seals != (part.taxpayer == TaxpayerMode::Nic) && part.crypto != Crypto::PlainWithSek {
            self.problems.add(
                format!("{name}.taxpayer"),
                "the portal's own login and the portal's own sealing belong together (`nic`)",
            );
        }
        if part.crypto == Crypto::PlainWithSek && part.taxpayer != TaxpayerMode::Nic {
            self.problems.add(format!("{name}.taxpayer"), "the session key comes of the portal's own login: `nic`");
        }
        self.named(&format!("{name}.headers"), &part.headers, after, true);
        self.named(&format!("{name}.query"), &part.query, after, false);
        self.named(&format!("{name}.add"), &part.add, after, false);
        self.named("provider.headers", &self.profile.provider.headers, after, true);
        self.named("provider.query", &self.profile.provider.query, after, false);
        self.layers(&format!("{name}.reply"), &part.reply);
        if seals { self.pass_through(name, product, part) } else { self.operations(name, product, part, after) }
    }

    /// What a product whose protocol passes through can and cannot say.
    fn pass_through(&mut self, name: &str, product: Product, part: &ProductProfile) {
        if !part.operations.is_empty() {
            self.problems.add(format!("{name}.operations"), "with `crypto = \"nic\"` paths stand under `endpoints`");
        }
        let irp = part.endpoints.iter().flat_map(Endpoints::paths);
        let ewb = part.ewb_endpoints.iter().flat_map(EwbEndpoints::paths);
        let paths: Vec<(&str, &String)> = if product == Product::EInvoice { irp.collect() } else { ewb.collect() };
        for (key, path) in paths {
            if let Some(problem) = path_problem(path) {
                self.problems.add(format!("{name}.endpoints.{key}"), problem);
            }
        }
    }

    fn operations(&mut self, name: &str, product: Product, part: &ProductProfile, allowed: Allowed) {
        if part.operations.is_empty() {
            self.problems.add(format!("{name}.operations"), "the product carries no operation");
        }
        if part.reply.is_empty() && part.operations.values().any(|operation| operation.reply.is_none()) {
            self.problems.add(format!("{name}.reply"), "nothing says how a yes is told from a no");
        }
        for (kind, operation) in &part.operations {
            let word = serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned));
            let key = format!("{name}.operations.{}", word.unwrap_or_default());
            if kind.product() != product {
                self.problems.add(&key, format!("{kind} belongs to the other system"));
                continue;
            }
            let allowed = Allowed { operation: Some(*kind), ..allowed };
            self.template(&format!("{key}.http"), operation.http.path(), allowed);
            self.named(&format!("{key}.query"), &operation.query, allowed, false);
            self.named(&format!("{key}.headers"), &operation.headers, allowed, true);
            self.named(&format!("{key}.members"), &operation.members, allowed, false);
            self.named(&format!("{key}.add"), &operation.add, allowed, false);
            let body = operation.body.unwrap_or(if kind.changes_books() { Body::Nic } else { Body::None });
            let is_get = operation.http.method() == Method::Get;
            match body {
                _ if is_get && body != Body::None => self.problems.add(&key, "a GET carries no body"),
                Body::Nic if !kind.changes_books() => {
                    self.problems
                        .add(format!("{key}.body"), format!("{kind} has no JSON of the portal's; use `members`"));
                }
                Body::Members if operation.members.is_empty() => {
                    self.problems.add(format!("{key}.members"), "`body = \"members\"` needs some");
                }
                Body::None if kind.changes_books() => {
                    self.problems.add(format!("{key}.body"), format!("{kind} without a body says nothing"));
                }
                _ => {}
            }
            if let Some(layers) = &operation.reply {
                self.layers(&format!("{key}.reply"), layers);
            }
            if let Some(hook) = &operation.hook
                && hooks::find(hook).is_none()
            {
                let known = hooks::names();
                let near = einvoice_core::registry::nearest(hook, known.iter().copied());
                let others = said_near(near, &known);
                self.problems.add(format!("{key}.hook"), format!("this program has no hook `{hook}`{others}"));
            }
        }
    }

    fn login(&mut self, key: &str, login: &Login, allowed: Allowed) {
        self.template(&format!("{key}.http"), login.http.path(), allowed);
        self.named(&format!("{key}.query"), &login.query, allowed, false);
        self.named(&format!("{key}.headers"), &login.headers, allowed, true);
        self.named(&format!("{key}.json"), &login.json, allowed, false);
        self.named(&format!("{key}.form"), &login.form, allowed, false);
        if !login.json.is_empty() && !login.form.is_empty() {
            self.problems.add(format!("{key}.form"), "`json` is given too; keep one of the two");
        }
        if login.http.method() == Method::Get && !(login.json.is_empty() && login.form.is_empty()) {
            self.problems.add(key, "a GET carries no body");
        }
        for seconds in [Some(login.lifetime_seconds), login.sandbox_lifetime_seconds].into_iter().flatten() {
            if !(60..=31_536_000).contains(&seconds) {
                self.problems.add(format!("{key}.lifetime_seconds"), "a minute to a year is possible");
            }
        }
        let margin = self.profile.limits.renew_before_seconds;
        let shortest = login.sandbox_lifetime_seconds.unwrap_or(u32::MAX).min(login.lifetime_seconds);
        if login.token.is_some() && shortest <= margin {
            self.problems.add(
                format!("{key}.lifetime_seconds"),
                format!(
                    "the token lives {shortest} seconds and would be renewed {margin} seconds before its end: correct it, or \
                     write a smaller `limits.renew_before_seconds`"
                ),
            );
        }
        match login.timeout_seconds {
            Some(_) if key != PROVIDER_LOGIN => {
                let reason =
                    "a taxpayer's login takes as long as any call, by the route's `total_timeout_ms`; leave it out";
                self.problems.add(format!("{key}.timeout_seconds"), reason);
            }
            Some(seconds) if !(1..=120).contains(&seconds) => {
                self.problems.add(format!("{key}.timeout_seconds"), "1 to 120 is possible");
            }
            _ => {}
        }
        self.layers(&format!("{key}.reply"), &login.reply);
    }

    fn layers(&mut self, key: &str, layers: &[Layer]) {
        for (at, layer) in layers.iter().enumerate() {
            let key = format!("{key}[{at}]");
            let says = layer.accepted.is_some() || layer.refused.is_some();
            if layer.nic && (says || !layer.errors.is_empty()) {
                self.problems.add(key, "the portal's own envelope (`nic`) needs no tests and no errors");
            } else if !layer.nic && !says {
                self.problems.add(key, "neither `accepted` nor `refused` says how a yes is told from a no");
            } else if layer.refused.as_ref().is_some_and(|test| test.is.is_empty() && test.at == Pointer::root()) {
                self.problems.add(key, "`refused` passes for every answer");
            }
        }
    }

    fn settings(&mut self) {
        for (name, setting) in &self.profile.settings {
            if is_secret_name(name) {
                let key = format!("settings.{name}");
                let has_default = setting.default.as_ref().is_some_and(|default| is_long(default));
                self.problems.add(key, if has_default { SECRET_IN_CLEAR } else { SECRET_SETTING });
            }
        }
    }

    /// Whether a text says a word of its own that is long enough for a secret, beside its variables or by the default of a
    /// setting. A word such as `true`, `Bearer`, or a lifetime, is none.
    fn holds_a_long_word(&self, template: &Template) -> bool {
        let defaults = |variable: &Variable| match variable {
            Variable::Setting(name) => {
                let default = self.profile.settings.get(name).and_then(|setting| setting.default.as_deref());
                Some(format!(" {} ", default.unwrap_or_default()).into())
            }
            Variable::Known(_) => Some(" ".into()),
        };
        template.fill(defaults, str::to_owned).is_ok_and(|own| own.split_whitespace().any(is_long))
    }

    fn named(&mut self, key: &str, named: &Named, allowed: Allowed, is_header: bool) {
        for (name, template) in named {
            let key = format!("{key}.{name}");
            if is_header && !is_header_name(name) {
                self.problems.add(&key, "no header can have this name");
            }
            if is_secret_name(name) && self.holds_a_long_word(template) {
                self.problems.add(&key, SECRET_IN_CLEAR);
            }
            self.template(&key, template, allowed);
        }
    }

    fn template(&mut self, key: &str, template: &Template, allowed: Allowed) {
        for variable in template.variables() {
            if let Some(problem) = allowed.problem(variable, &self.profile.settings)
                && !self.problems.iter().any(|known| known.key == key && known.reason == problem)
            {
                self.problems.add(key, problem);
            }
        }
    }
}

/// What is said of a secret that a profile holds.
const SECRET_IN_CLEAR: &str = "it looks like a secret in clear; a profile is no place for one: use a variable, such as \
                               {client_secret}, whose value stands in the credential store";

/// What is said of a setting that would be one.
const SECRET_SETTING: &str = "by its name it is a secret, and settings are none: they stand in the configuration, in error \
                              texts and in recordings. Use {client_id} or {client_secret}, which the credential store \
                              holds, or give it another name if it is not secret";

fn is_long(word: &str) -> bool {
    word.chars().count() >= SECRET_CHARS_MIN
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name.to_lowercase().chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).collect();
    SECRET_NAMES.iter().any(|part| plain.contains(part)) || SECRET_ENDS.iter().any(|end| plain.ends_with(end))
}

/// The characters of a token (RFC 9110, section 5.6.2).
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::read_profile_text;

    /// What is wrong with Iris' profile and these lines.
    fn wrong(lines: &str) -> String {
        let text = format!("extends = \"iris\"\nid = \"own\"\n{lines}");
        read_profile_text("own.toml", &text, Path::new("")).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_secret_in_clear_is_refused_under_every_name_and_beside_a_variable_and_is_not_repeated() {
        for name in
            ["pass", "auth_key", "accesskey", "X-SubscriptionKey", "x-key", "Authorization", "clientSecret", "PWD"]
        {
            for text in ["S3cr3tS3cr3t", "Basic S3cr3tS3cr3t", "S3cr3tS3cr3t:{client_id}", "{settings.colour}"] {
                let told = wrong(&format!(
                    "[provider]\nheaders = {{ {name} = \"{text}\" }}\n[settings]\ncolour = {{ about = \"a\", default = \
                     \"S3cr3tS3cr3t\" }}"
                ));
                assert!(told.contains("looks like a secret in clear"), "{name} = {text}: {told}");
                assert!(told.contains(&format!("provider.headers.{name}")), "{told}");
                assert!(!told.contains("S3cr3t"), "{told}");
            }
            for text in ["Bearer {client_secret}", "{client_id}:{settings.company_id}", "true", "360"] {
                let told = wrong(&format!("[provider]\nheaders = {{ {name} = \"{text}\" }}"));
                assert_eq!(told, "", "{name} = {text}");
            }
        }
    }

    #[test]
    fn a_setting_that_is_a_secret_by_its_name_is_refused_with_and_without_a_default() {
        let told = wrong("[settings]\napi_secret = { about = \"a\", default = \"S3cr3tS3cr3t\" }");
        assert!(told.contains("settings.api_secret") && told.contains("looks like a secret in clear"), "{told}");
        assert!(!told.contains("S3cr3tS3cr3t"), "{told}");
        let told = wrong("[settings]\napi_secret = { about = \"a\" }");
        assert!(told.contains("by its name it is a secret"), "{told}");
        assert_eq!(wrong("[settings]\ndesk = { about = \"a\", default = \"the first desk of all\" }"), "");
    }

    #[test]
    fn only_the_login_to_the_provider_has_a_time_of_its_own_and_only_a_sensible_one() {
        let of = |part: &str, seconds: u32| wrong(&format!("[{part}.login]\ntimeout_seconds = {seconds}"));
        assert_eq!((of("provider", 1), of("provider", 120)), (String::new(), String::new()));
        for seconds in [0, 121] {
            assert!(of("provider", seconds).contains("provider.login.timeout_seconds"), "{seconds}");
        }
        let text = "extends = \"taxpro\"\nid = \"own\"\n[irp.login]\ntimeout_seconds = 9";
        let told = read_profile_text("own.toml", text, Path::new("")).unwrap_err().to_string();
        assert!(told.contains("irp.login.timeout_seconds"), "{told}");
    }
}

//! Names of variables: from a scope to the names to look for, and back for the list.
//!
//! A name is a kind and segments, joined by two underscores. The environment always stands in it: a
//! sandbox secret must never be tried in production, nor the other way round.

use einvoice_core::credential::{ClientHolder, ClientScope, UserScope};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::{Gstin, Pan};

/// Joins the segments of a name. No segment holds it.
const JOINT: &str = "__";
/// Marks the account of a provider, so that no account can be taken for a PAN.
const PROVIDER: &str = "PROVIDER_";
/// Stands in a listed scope for what a name leaves open.
pub(crate) const ANY: &str = "*";

/// The two variables that hold one entry: a name and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Client id or user name.
    pub(crate) name: String,
    /// Client secret or password.
    pub(crate) secret: String,
}

/// What the variables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    User,
}

impl Kind {
    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Client => ("CLIENT_ID", "CLIENT_SECRET"),
            Self::User => ("USER", "PASSWORD"),
        }
    }

    fn variables(self, prefix: &str, segments: &[&str]) -> Pair {
        let (name, secret) = self.parts();
        let tail = segments.join(JOINT);
        Pair { name: format!("{prefix}_{name}{JOINT}{tail}"), secret: format!("{prefix}_{secret}{JOINT}{tail}") }
    }

    /// The pair of variables whose first name this is, with its segments.
    pub(crate) fn of_name(prefix: &str, name: &str) -> Option<(Self, Pair)> {
        [Self::Client, Self::User].into_iter().find_map(|kind| {
            let tail = kind.tail(prefix, name)?;
            Some((kind, kind.variables(prefix, &[tail])))
        })
    }

    fn tail<'a>(self, prefix: &str, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(prefix)?.strip_prefix('_')?.strip_prefix(self.parts().0)?.strip_prefix(JOINT)
    }
}

/// Where the client pair of a scope is looked for, the most specific names first.
pub(crate) fn client_names(prefix: &str, scope: &ClientScope) -> Vec<Pair> {
    let environment = word(scope.environment);
    let kind = Kind::Client;
    match &scope.holder {
        ClientHolder::Pan(pan) => {
            vec![kind.variables(prefix, &[pan.as_str(), environment]), kind.variables(prefix, &[environment])]
        }
        ClientHolder::Provider { account, product } => {
            let account = format!("{PROVIDER}{}", segment(account));
            let mut names = Vec::new();
            if let Some(product) = product {
                names.push(kind.variables(prefix, &[&account, product_word(*product), environment]));
            }
            names.push(kind.variables(prefix, &[&account, environment]));
            names
        }
        _ => Vec::new(),
    }
}

/// Where the API user of a scope is looked for, the most specific names first.
pub(crate) fn user_names(prefix: &str, scope: &UserScope) -> Vec<Pair> {
    let UserScope { gstin, product, environment, route } = scope;
    let (gstin, product, environment) = (gstin.as_str(), product_word(*product), word(*environment));
    let kind = Kind::User;
    vec![
        kind.variables(prefix, &[gstin, product, environment, &segment(route.as_str())]),
        kind.variables(prefix, &[gstin, product, environment]),
        kind.variables(prefix, &[gstin, environment]),
    ]
}

/// The scope that a client variable speaks of; what it leaves open shows as `*`.
pub(crate) fn client_scope(prefix: &str, name: &str) -> Option<ClientScope> {
    let segments: Vec<&str> = Kind::Client.tail(prefix, name)?.split(JOINT).collect();
    let provider = |account: &str, product| ClientHolder::Provider { account: account.to_owned(), product };
    let (holder, environment) = match segments.as_slice() {
        [environment] => (provider(ANY, None), environment),
        [holder, environment] => match holder.strip_prefix(PROVIDER) {
            Some(account) => (provider(&account.to_lowercase(), None), environment),
            None => (ClientHolder::Pan(Pan::parse(holder).ok()?), environment),
        },
        [holder, product, environment] => {
            let account = holder.strip_prefix(PROVIDER)?;
            (provider(&account.to_lowercase(), Some(product_of(product)?)), environment)
        }
        _ => return None,
    };
    Some(ClientScope { environment: environment_of(environment)?, holder })
}

/// The scopes that a user variable speaks of; a route it leaves open shows as `*`.
pub(crate) fn user_scopes(prefix: &str, name: &str) -> Option<Vec<UserScope>> {
    let segments: Vec<&str> = Kind::User.tail(prefix, name)?.split(JOINT).collect();
    let both = vec![Product::EInvoice, Product::EWayBill];
    let (gstin, products, environment, route) = match segments.as_slice() {
        [gstin, environment] => (gstin, both, environment, ANY.to_owned()),
        [gstin, product, environment] => (gstin, vec![product_of(product)?], environment, ANY.to_owned()),
        [gstin, product, environment, route] => (gstin, vec![product_of(product)?], environment, route.to_lowercase()),
        _ => return None,
    };
    let (gstin, environment) = (Gstin::parse(gstin).ok()?, environment_of(environment)?);
    let scope = |product| UserScope { gstin, product, environment, route: RouteName::new(route.clone()) };
    Some(products.into_iter().map(scope).collect())
}

const fn word(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "PRODUCTION",
        Environment::Sandbox => "SANDBOX",
    }
}

fn environment_of(text: &str) -> Option<Environment> {
    [Environment::Production, Environment::Sandbox].into_iter().find(|environment| word(*environment) == text)
}

const fn product_word(product: Product) -> &'static str {
    match product {
        Product::EInvoice => "E_INVOICE",
        Product::EWayBill => "E_WAY_BILL",
        // A product that has no word here has no variables either.
        _ => "OTHER",
    }
}

fn product_of(word: &str) -> Option<Product> {
    [Product::EInvoice, Product::EWayBill].into_iter().find(|product| product_word(*product) == word)
}

/// A configured name as a segment: capitals, everything else one `_`.
fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            out.push(letter.to_ascii_uppercase());
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> UserScope {
        UserScope {
            gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
            product: Product::EInvoice,
            environment: Environment::Sandbox,
            route: RouteName::new("nic-1"),
        }
    }

    #[test]
    fn user_names_go_from_specific_to_general_and_never_lose_the_environment() {
        let names = user_names("EINVOICE", &user());
        let passwords: Vec<&str> = names.iter().map(|pair| pair.secret.as_str()).collect();
        assert_eq!(
            passwords,
            [
                "EINVOICE_PASSWORD__29AAKCS4321Q1ZP__E_INVOICE__SANDBOX__NIC_1",
                "EINVOICE_PASSWORD__29AAKCS4321Q1ZP__E_INVOICE__SANDBOX",
                "EINVOICE_PASSWORD__29AAKCS4321Q1ZP__SANDBOX",
            ]
        );
    }

    #[test]
    fn a_provider_account_named_like_a_pan_is_no_pan() {
        let scope = |holder| ClientScope { environment: Environment::Production, holder };
        let provider = scope(ClientHolder::Provider { account: "AAKCS4321Q".to_owned(), product: None });
        let pan = scope(ClientHolder::Pan(Pan::parse("AAKCS4321Q").unwrap()));
        let provider = client_names("E", &provider);
        assert!(client_names("E", &pan).iter().all(|names| !provider.contains(names)));
        assert_eq!(provider.first().unwrap().name, "E_CLIENT_ID__PROVIDER_AAKCS4321Q__PRODUCTION");
    }

    #[test]
    fn every_name_leads_back_to_its_scope() {
        for (names, open) in user_names("EINVOICE", &user()).into_iter().zip([1, 1, 2]) {
            let scopes = user_scopes("EINVOICE", &names.name).unwrap();
            assert_eq!(scopes.len(), open, "{names:?}");
            assert!(scopes.iter().any(|scope| scope.gstin == user().gstin && scope.product == user().product));
        }
        assert_eq!(user_scopes("EINVOICE", "EINVOICE_USER__NOBODY__SANDBOX"), None);
        assert_eq!(user_scopes("EINVOICE", "EINVOICE__LEDGER__PATH"), None);
        assert_eq!(client_scope("EINVOICE", "EINVOICE_CLIENT_ID__AAKCS4321Q__TEST"), None);
    }

    #[test]
    fn configured_names_become_capitals_and_single_underscores() {
        assert_eq!(segment("nic (first)"), "NIC_FIRST");
        assert_eq!(segment("--Acme__GSP--"), "ACME_GSP");
    }
}

//! Names of scopes, under which stores keep their entries.

use crate::credential::{ClientHolder, CredentialScope, UserScope};

/// A name for a scope in letters, digits, `-`, `_`, `.` and `~` only: a key in a table, the last part of a path.
///
/// Two scopes never have one name: the parts are joined by `.`, and in a part every byte but letters, digits, `-` and
/// `_` is written as `~` and two hexadecimal digits.
#[must_use]
pub fn scope_name(scope: &CredentialScope) -> String {
    let parts = match scope {
        CredentialScope::Client(client) => {
            let (kind, holder, product) = match &client.holder {
                ClientHolder::Pan(pan) => ("pan", pan.to_string(), None),
                ClientHolder::Provider { account, product } => ("provider", account.clone(), *product),
            };
            let mut parts = vec!["client".to_owned(), client.environment.to_string(), kind.to_owned(), holder];
            parts.extend(product.map(|product| product.to_string()));
            parts
        }
        CredentialScope::User(UserScope { gstin, product, environment, route }) => {
            vec!["user".to_owned(), environment.to_string(), product.to_string(), gstin.to_string(), route.to_string()]
        }
    };
    parts.iter().map(|part| plain(part)).collect::<Vec<_>>().join(".")
}

fn plain(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            out.push(char::from(byte));
        } else {
            out.push('~');
            out.extend([byte >> 4, byte & 0xf].map(|half| char::from_digit(half.into(), 16).unwrap_or_default()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::ClientScope;
    use crate::environment::{Environment, Product, RouteName};
    use crate::identifier::Gstin;

    fn scope(route: &str) -> UserScope {
        UserScope {
            gstin: Gstin::parse("29AAKCS4321Q1ZP").unwrap(),
            product: Product::EInvoice,
            environment: Environment::Sandbox,
            route: RouteName::new(route),
        }
    }

    #[test]
    fn two_scopes_never_have_one_name() {
        let user = |route: &str| scope_name(&CredentialScope::User(scope(route)));
        assert_eq!(user("nic-1"), "user.sandbox.e_invoice.29AAKCS4321Q1ZP.nic-1");
        assert_eq!(user("a.b/c é"), "user.sandbox.e_invoice.29AAKCS4321Q1ZP.a~2eb~2fc~20~c3~a9");
        let client = |account: &str, product| {
            let holder = ClientHolder::Provider { account: account.to_owned(), product };
            scope_name(&CredentialScope::Client(ClientScope { environment: Environment::Production, holder }))
        };
        assert_ne!(client("acme", Some(Product::EInvoice)), client("acme.e_invoice", None));
    }
}

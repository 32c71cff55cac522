//! Whose account a run uses, by which way, and who is sold to.

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{CredentialScope, CredentialStore, UserScope};
use einvoice_core::identifier::Gstin;
use jiff::civil::Date;

use super::case::{Ask, Case};
use super::context::Party;
use super::state::Target;
use crate::arguments::TestReport;
use crate::assemble::EMULATOR;
use crate::assemble::meter::{addresses, is_emulator};
use crate::error::CliError;

/// Taxpayers that nobody is, whom the emulator takes for granted. The second stands in where the first is ours.
const INVENTED_BUYERS: [&str; 2] = ["27AABCM5678K1ZY", "29AABCM5678K1ZU"];
/// The same for an SEZ.
const INVENTED_SEZ: [&str; 2] = ["33AABCS5678K1ZZ", "07AABCS5678K1ZU"];

/// What a store lists for a user whose entry leaves the route open.
const ANY: &str = "*";

/// The taxpayers of a run.
#[derive(Debug)]
pub(super) struct Parties {
    pub(super) own: Party,
    pub(super) buyer: Party,
    pub(super) sez: Option<Party>,
    pub(super) inactive: Option<Party>,
}

impl Parties {
    /// Those that were named, or invented ones for the emulator in this program.
    ///
    /// # Errors
    /// [`CliError::Usage`] where nobody is named, or somebody to whom the documents of these cases cannot go.
    pub(super) fn of(
        arguments: &TestReport,
        gstin: Gstin,
        emulator: bool,
        order: &[&Case],
        today: Date,
    ) -> Result<Self, CliError> {
        let own = Party::of(gstin, today)?;
        let named = [
            ("--buyer", arguments.buyer),
            ("--sez-buyer", arguments.sez_buyer),
            ("--inactive-buyer", arguments.inactive_buyer),
        ];
        if let Some((flag, _)) = named.into_iter().find(|(_, named)| *named == Some(gstin)) {
            return Err(CliError::Usage(format!(
                "{flag} {gstin} is the taxpayer whose account is used; nobody invoices himself, so name another test taxpayer"
            )));
        }
        let buyer = match (arguments.buyer, emulator) {
            (Some(buyer), _) => buyer,
            (None, true) => invented(INVENTED_BUYERS, &own)?,
            (None, false) => {
                return Err(CliError::Usage(
                    "whom are the invoices for? A sandbox knows its own test taxpayers only: name one of another state \
                     with --buyer (NIC shows some after the login to its developer portal)"
                        .to_owned(),
                ));
            }
        };
        let sez = match (arguments.sez_buyer, emulator) {
            (None, true) => Some(invented(INVENTED_SEZ, &own)?),
            (given, _) => given,
        };
        let buyer = Party::of(buyer, today)?;
        let has_documents = order.iter().any(|case| matches!(case.ask, Ask::Register(_) | Ask::MakeBill(_)));
        if has_documents && buyer.state == own.state {
            return Err(CliError::Usage(format!(
                "--buyer {} is of the supplier's own state {}, and most documents of the report go to another state, with \
                 IGST; name a test taxpayer of another state",
                buyer.gstin, own.state
            )));
        }
        let party = |gstin: Option<Gstin>| gstin.map(|gstin| Party::of(gstin, today)).transpose();
        Ok(Self { buyer, sez: party(sez)?, inactive: party(arguments.inactive_buyer)?, own })
    }
}

/// Whose account a run uses, and where its calls go.
pub(super) fn target(gstin: Gstin, route: &RouteTable, emulator: bool) -> Target {
    let settings = &route.part.settings;
    let profile = settings.get("profile").and_then(serde_json::Value::as_str);
    let words = [Some(route.part.plugin.as_str()), profile].into_iter().flatten();
    Target {
        gstin: gstin.to_string(),
        route: route.part.name.clone(),
        environment: route.environment.to_string(),
        way: words.collect::<Vec<_>>().join(" "),
        addresses: addresses(settings),
        rehearsal: emulator || is_emulator(route),
    }
}

/// The login that is used where none is named: the only one for the route.
pub(super) async fn only_login(credentials: &dyn CredentialStore, route: &RouteTable) -> Result<Gstin, CliError> {
    let scopes = credentials.list().await?.into_iter().map(|summary| summary.scope);
    only_of(scopes, route)
}

/// The only taxpayer with an API user for a route.
fn only_of(scopes: impl Iterator<Item = CredentialScope>, route: &RouteTable) -> Result<Gstin, CliError> {
    // The emulator's own accounts are good for every route to it. A store may leave the route open, and may write its name
    // in the letters that its keys can have.
    let letters = |name: &str| {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        name.chars().map(plain).collect::<String>()
    };
    let serves = |scope: &UserScope| {
        let its_route = scope.route.as_str();
        let fits = route.part.plugin == EMULATOR || its_route == ANY || letters(its_route) == letters(&route.part.name);
        scope.environment == route.environment && fits
    };
    let mut gstins: Vec<Gstin> = scopes
        .filter_map(|scope| match scope {
            CredentialScope::User(scope) if serves(&scope) => Some(scope.gstin),
            _ => None,
        })
        .collect();
    gstins.sort_unstable();
    gstins.dedup();
    let name = &route.part.name;
    match gstins.as_slice() {
        [only] => Ok(*only),
        [] => Err(CliError::Usage(format!(
            "whose sandbox account is to be used? The credential store lists no API user for route {name}: add one \
             (`einvoice credentials add`), or name the GSTIN with --gstin"
        ))),
        several => {
            let several = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(CliError::Usage(format!(
                "whose sandbox account is to be used? Route {name} has API users of {several}: pass --gstin"
            )))
        }
    }
}

/// An invented taxpayer of another state than ours.
fn invented(gstins: [&str; 2], own: &Party) -> Result<Gstin, CliError> {
    let other = gstins.into_iter().find(|gstin| !gstin.starts_with(&own.state)).unwrap_or_default();
    Gstin::parse(other).map_err(|error| CliError::Fault(format!("the invented GSTIN {other}: {error}")))
}

#[cfg(test)]
mod tests {
    use einvoice_core::config::Settings;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_login_that_is_taken_is_one_of_the_route() {
        let route = |name: &str, plugin: &str| {
            let route = json!({"name": name, "plugin": plugin, "environment": "sandbox"});
            Settings::from_value(json!({"route": [route]})).unwrap().routes.remove(0)
        };
        let user = |gstin: &str, route: &str, environment: &str| {
            let scope = json!({"gstin": gstin, "product": "e_invoice", "environment": environment, "route": route});
            CredentialScope::User(serde_json::from_value(scope).unwrap())
        };
        let (first, second) = ("29AABCE1234F1Z1", "27AABCE1234F1Z5");
        let chosen = |users: &[CredentialScope], route: &RouteTable| {
            only_of(users.iter().cloned(), route).map(|gstin| gstin.to_string()).map_err(|error| error.message())
        };
        // One user alone is not taken for another route, nor for another environment.
        let of_another = [user(first, "adaequare", "sandbox"), user(second, "nic", "production")];
        let refused = chosen(&of_another, &route("nic", "direct")).unwrap_err();
        assert!(refused.contains("lists no API user for route nic"), "{refused}");
        let both = [user(first, "adaequare", "sandbox"), user(second, "nic", "sandbox")];
        assert_eq!(chosen(&both, &route("nic", "direct")), Ok(second.to_owned()));
        assert_eq!(chosen(&both, &route("adaequare", "gsp")), Ok(first.to_owned()));
        assert_eq!(chosen(&[user(first, "nic_1", "sandbox")], &route("NIC-1", "direct")), Ok(first.to_owned()));
        assert_eq!(chosen(&[user(first, "*", "sandbox")], &route("nic", "direct")), Ok(first.to_owned()));
        let asked = chosen(&both, &route("any", "sandbox")).unwrap_err();
        assert!(asked.contains(first) && asked.contains(second) && asked.contains("--gstin"), "{asked}");
    }
}

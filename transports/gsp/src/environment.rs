//! Which environment is at an address, by what the profiles know: a route whose word says otherwise would take what is real
//! for a rehearsal.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use einvoice_core::environment::{Environment, Product};
use reqwest::Url;
use serde::Deserialize;

use crate::profile::{Environments, Profile, shipped};

/// An address of a profile, and its environment.
type Place = (Url, Environment);

/// Of a profile's file the addresses alone: one that names none has those of the profile that it extends.
#[derive(Debug, Deserialize)]
struct Addresses {
    #[serde(default)]
    environments: Environments,
}

static SHIPPED: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let files = shipped().iter().filter_map(|shipped| toml::from_str::<Addresses>(shipped.text).ok());
    files.flat_map(|file| places(&file.environments)).collect()
});

fn places(environments: &Environments) -> Vec<Place> {
    let mut places = Vec::new();
    for environment in [Environment::Sandbox, Environment::Production] {
        let Some(hosts) = environments.get(environment) else { continue };
        let all = [Some(&hosts.common), hosts.irp.as_ref(), hosts.ewb.as_ref()].into_iter().flatten();
        let urls = all.chain(&hosts.alternates).filter_map(|address| Url::parse(address.trim()).ok());
        places.extend(urls.map(|url| (url, environment)));
    }
    places
}

impl Profile {
    /// Whether the addresses of an environment serve the other one, too, so that nothing but the client pair tells which is
    /// meant. A route has to say it then (`client_pair_is_of`).
    #[must_use]
    pub fn has_one_address(&self, environment: Environment) -> bool {
        let Some(hosts) = self.environments.get(environment) else { return false };
        let carried = [Product::EInvoice, Product::EWayBill].into_iter().filter(|part| self.product(*part).is_some());
        let mut urls = carried.filter_map(|product| Url::parse(hosts.of(product).trim()).ok());
        urls.any(|url| known_at(&url, self).len() > 1)
    }
}

/// The environments that an address is known to serve, by a profile and by those that come with the program: none where
/// nobody knows it, both where only the credentials tell which.
pub(crate) fn known_at(address: &Url, profile: &Profile) -> BTreeSet<Environment> {
    let own = places(&profile.environments);
    let fitting = || own.iter().chain(SHIPPED.iter()).filter(|(place, _)| is_below(address, place));
    // A provider may tell its environments by the path: of those that fit, the longest says most.
    let longest = fitting().map(|(place, _)| steps(place).len()).max();
    fitting().filter(|(place, _)| Some(steps(place).len()) == longest).map(|(_, environment)| *environment).collect()
}

fn is_below(address: &Url, place: &Url) -> bool {
    let host = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    host(address) == host(place)
        && address.port_or_known_default() == place.port_or_known_default()
        && steps(address).starts_with(&steps(place))
}

/// The parts of a path that are not empty.
fn steps(url: &Url) -> Vec<&str> {
    url.path().split('/').filter(|step| !step.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::read_profile;

    #[test]
    fn an_address_is_known_by_its_host_and_where_that_serves_both_by_its_path() {
        let profile = read_profile("fynd", Path::new("")).unwrap();
        let at = |address: &str| known_at(&Url::parse(address).unwrap(), &profile).into_iter().collect::<Vec<_>>();
        let (production, sandbox) = (Environment::Production, Environment::Sandbox);
        assert_eq!(at("https://api.whitebooks.in"), [production]);
        assert_eq!(at("https://API.WHITEBOOKS.IN./x/"), [production]);
        assert_eq!(at("https://apisandbox.whitebooks.in/"), [sandbox]);
        assert_eq!(at("https://esp.api.irisgst.com"), [production], "one of the alternates");
        assert_eq!(at("https://gsp.adaequare.com/test/enriched/ei/api"), [sandbox]);
        assert_eq!(at("https://gsp.adaequare.com/enriched/ei/api/"), [production]);
        assert_eq!(at("https://gsp.adaequare.com"), [production, sandbox], "the login serves both");
        assert_eq!(at("https://api.mastergst.com"), [production, sandbox]);
        assert_eq!(at("https://my.gstzen.in"), [production, sandbox]);
        let addresses = SHIPPED.len();
        assert!(addresses > 30, "hardly any address is known: {addresses}");
        assert!(at("https://provider.example").is_empty() && at("http://127.0.0.1:8080/gsp/mastergst").is_empty());
    }
}

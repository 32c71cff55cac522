//! What the interview has to know of a provider, from its profile.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::environment::{Environment, Product};

use super::answers::Way;

/// A provider, as far as it matters here.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// For people.
    pub(super) name: String,
    /// What it calls the client id, and where it comes from; nothing where it issues a secret alone.
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    /// Whether it issues a client pair for each system.
    pub(super) pair_per_product: bool,
    /// Whether it wants to know the addresses that it is called from.
    pub(super) lists_addresses: bool,
    /// What the route's `settings` hold: what each is, and its default.
    pub(super) settings: BTreeMap<String, (String, Option<String>)>,
    /// Whether its addresses in an environment are known.
    pub(super) knows: Vec<Environment>,
    /// In which of those only the client pair tells it from the other one.
    pub(super) one_address: Vec<Environment>,
    /// The systems it carries.
    pub(super) systems: Vec<System>,
}

/// One of the government systems behind a provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct System {
    pub(super) product: Product,
    /// Whether the portal's login passes through, which needs the portal's key.
    pub(super) needs_key: bool,
    /// Whether the API user is entered at the provider, and not needed here.
    pub(super) user_at_provider: bool,
}

/// Names of the profiles in the program for a way, with what each is.
#[cfg(feature = "gsp")]
pub(super) fn shipped(way: Way) -> Vec<(String, String)> {
    use crate::plugins::providers::profile::{Kind, read_profile, shipped};
    let wanted = if way == Way::Provider { Kind::ProviderApi } else { Kind::Gsp };
    let profiles = shipped().iter().filter_map(|shipped| read_profile(shipped.id, Path::new("")).ok());
    profiles.filter(|profile| profile.kind == wanted).map(|profile| (profile.id, profile.name)).collect()
}

/// What a profile says; `directory` is where relative paths begin.
///
/// # Errors
/// Why there is no such profile, in a sentence.
#[cfg(feature = "gsp")]
pub(super) fn facts(profile: &str, directory: &Path) -> Result<Facts, String> {
    use crate::error::with_causes;
    use crate::plugins::providers::profile::{Crypto, TaxpayerMode, read_profile};
    let profile = read_profile(profile, directory).map_err(|error| with_causes(error.to_string(), &error))?;
    let system = |product| {
        profile.product(product).map(|part| System {
            product,
            needs_key: part.crypto != Crypto::Plain,
            user_at_provider: part.taxpayer == TaxpayerMode::AtProvider,
        })
    };
    let environments = [Environment::Sandbox, Environment::Production].into_iter();
    let one_address = environments.clone().filter(|environment| profile.has_one_address(*environment)).collect();
    Ok(Facts {
        systems: [Product::EInvoice, Product::EWayBill].into_iter().filter_map(system).collect(),
        knows: environments.filter(|environment| profile.environments.get(*environment).is_some()).collect(),
        one_address,
        settings: profile.settings.into_iter().map(|(name, it)| (name, (it.about, it.default))).collect(),
        client_id: profile.provider.client_id,
        client_secret: profile.provider.client_secret,
        pair_per_product: profile.provider.client_pair_per_product,
        lists_addresses: profile.provider.lists_addresses,
        name: profile.name,
    })
}

#[cfg(not(feature = "gsp"))]
pub(super) fn shipped(_way: Way) -> Vec<(String, String)> {
    Vec::new()
}

#[cfg(not(feature = "gsp"))]
pub(super) fn facts(_profile: &str, _directory: &Path) -> Result<Facts, String> {
    Err("this program was built without providers: build with feature `gsp`".to_owned())
}

impl Facts {
    /// A system behind the provider.
    pub(super) fn system(&self, product: Product) -> Option<System> {
        self.systems.iter().copied().find(|system| system.product == product)
    }
}

#[cfg(all(test, feature = "gsp"))]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_offered_for_one_of_the_two_ways_and_its_facts_can_be_had() {
        let (gsps, providers) = (shipped(Way::Gsp), shipped(Way::Provider));
        assert!(!gsps.is_empty() && !providers.is_empty());
        assert_eq!(gsps.len() + providers.len(), crate::plugins::providers::profile::shipped().len());
        for (id, name) in gsps.iter().chain(&providers) {
            let facts = facts(id, Path::new("")).unwrap();
            assert_eq!(facts.name, *name);
            assert!(!facts.systems.is_empty(), "{id}");
        }
    }

    #[test]
    fn a_profile_that_is_not_there_is_told_with_the_nearest_one() {
        let error = facts("adaeqare", Path::new("")).unwrap_err();
        assert!(error.contains("adaequare"), "{error}");
    }
}

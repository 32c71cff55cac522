//! The promises of a transport, kept by every profile that is shipped and by one with odd answers to every question.

use einvoice_gsp::profile::shipped;
use einvoice_gsp::suite::ThroughProvider;

macro_rules! profiles {
    ($($module:ident: $name:expr,)+) => {
        $(mod $module {
            use super::ThroughProvider;

            einvoice_testkit::transport_conformance!(ThroughProvider::named($name).await.unwrap());
        })+

        #[test]
        fn every_shipped_profile_is_here() {
            let mut here = vec![$($name),+];
            here.retain(|name| !name.ends_with(".toml"));
            assert_eq!(here, shipped().iter().map(|shipped| shipped.id).collect::<Vec<_>>());
        }
    };
}

profiles! {
    adaequare: "adaequare",
    alankit: "alankit",
    cleartax: "cleartax",
    cleartax_government: "cleartax-government",
    cleartax_gsp: "cleartax-gsp",
    cygnet: "cygnet",
    fynd: "fynd",
    gstzen: "gstzen",
    iris: "iris",
    mastergst: "mastergst",
    masters_india: "masters-india",
    sandbox_co_in: "sandbox-co-in",
    taxpro: "taxpro",
    taxpro_pass_through: "taxpro-pass-through",
    vayana: "vayana",
    whitebooks: "whitebooks",
    odd: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/odd.toml"),
}

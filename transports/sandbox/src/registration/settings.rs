//! How the registration side behaves where nothing public settles it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addresses::Block;
use crate::error::SandboxError;

/// Providers in the list of "Create API user", by the names of the profiles that come with the product.
const GSPS: [&str; 13] = [
    "adaequare",
    "alankit",
    "cleartax",
    "cygnet",
    "fynd",
    "gstzen",
    "iris",
    "mastergst",
    "masters-india",
    "sandbox-co-in",
    "taxpro",
    "vayana",
    "whitebooks",
];

/// Behaviour of sign-up, IP listing, issue of client pairs and API users, and of what they lead to in the APIs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationSettings {
    /// Who looks at a request for IP listing (default `manual`: a person on `/portal/desk`, or a control).
    pub scrutiny: Scrutiny,
    /// Whether every client pair is bound to listed addresses (default false: only pairs that were issued by registration
    /// are; those that the emulator makes itself are called from anywhere).
    pub addresses_enforced: bool,
    /// The public address that a caller stands for, by the address it really has (default none). With two loopback
    /// addresses here, one machine plays a listed and an unlisted caller.
    pub callers: BTreeMap<String, String>,
    /// The public address of every caller on the loopback, or in this process, that `callers` does not name (default
    /// `117.200.1.10`, from a block of an Indian provider; it is never contacted).
    pub loopback_stands_for: String,
    /// Blocks of addresses taken as Indian, as `a.b.c.d/bits`, beside those that the emulator knows itself (default none).
    /// What it knows is an approximation: the large blocks delegated to India and those of Indian cloud regions, four
    /// fifths of all addresses in India and hardly any elsewhere.
    pub indian_blocks: Vec<String>,
    /// Providers that an API user can be made for, beside those that stand in front of the emulator (default: those whose
    /// profiles come with the product).
    pub gsps: Vec<String>,
    /// Whether sending the client pair again makes a new secret, which ends the old one (default false: the same secret
    /// comes again. What the real portal does is not public).
    pub resend_makes_new_secret: bool,
    /// How many API users a GSTIN may have in each system and environment (default 10; range 1 to 1000). The real limit
    /// is not public.
    pub users_per_gstin_max: u32,
    /// What a call from an address that is not listed answers (default `listing`).
    pub unlisted_address: UnlistedAddress,
    /// What the login of a user answers that was made for another way in (default `not_mapped`). In the e-way bill system
    /// it is 111.
    pub wrong_way: WrongWay,
    /// What the login of a frozen user answers (default `inactive`). In the e-way bill system it is 113.
    pub frozen_user: FrozenUser,
    /// Whether users of one system log in to the other, and whether a token of one is good at the other (default
    /// `nothing`: each system has its own. A note of NIC's of 18 July 2024 says that a token serves all its sites,
    /// integrators report separate users and logins; who relies on sharing has to say so).
    pub shared_with_ewb: EwbSharing,
}

/// Who decides on a request for IP listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a person, or nobody")]
pub enum Scrutiny {
    /// A person.
    Manual,
    /// Accepted at once, unless the test report itself says that it covers too little.
    Automatic,
}

/// Answer to a call from an address that is not listed for the client pair. No captured answer is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the readings there are")]
pub enum UnlistedAddress {
    /// 3059, the only code of the list whose text names IP listing; 110 in the e-way bill system.
    Listing,
    /// 1010, as for a pair that does not exist; 110 in the e-way bill system.
    Client,
    /// HTTP 403 with a page of the gateway.
    Page,
}

/// Answer to the login of a user that was made for another way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum WrongWay {
    /// 1018: the client pair is not mapped to this user.
    NotMapped,
    /// 1017: there is no such user.
    UnknownUser,
}

/// Answer to the login of a frozen user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum FrozenUser {
    /// 1014.
    Inactive,
    /// 3025.
    Freezed,
}

/// What the two systems take of each other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a test switch with the two readings there are")]
pub enum EwbSharing {
    /// Nothing, as integrators report.
    Nothing,
    /// A user of one system logs in to the other, and has a token at each.
    Users,
    /// A token of one system is good at the other, as the note of NIC's says; users log in to their own.
    Tokens,
    /// Both: a user logs in to either, and has the same token at both.
    UsersAndTokens,
}

impl EwbSharing {
    /// Whether a user of one system logs in to the other.
    pub(crate) const fn users(self) -> bool {
        matches!(self, Self::Users | Self::UsersAndTokens)
    }

    /// Whether a token of one system is good at the other.
    pub(crate) const fn tokens(self) -> bool {
        matches!(self, Self::Tokens | Self::UsersAndTokens)
    }
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        Self {
            scrutiny: Scrutiny::Manual,
            addresses_enforced: false,
            callers: BTreeMap::new(),
            loopback_stands_for: "117.200.1.10".into(),
            indian_blocks: Vec::new(),
            gsps: GSPS.iter().map(|name| (*name).to_owned()).collect(),
            resend_makes_new_secret: false,
            users_per_gstin_max: 10,
            unlisted_address: UnlistedAddress::Listing,
            wrong_way: WrongWay::NotMapped,
            frozen_user: FrozenUser::Inactive,
            shared_with_ewb: EwbSharing::Nothing,
        }
    }
}

impl RegistrationSettings {
    /// Checks addresses, blocks and ranges.
    pub(crate) fn validate(&self) -> Result<(), SandboxError> {
        let out =
            |setting, found: &str, expected| Err(SandboxError::Setting { setting, found: found.to_owned(), expected });
        for (peer, public) in &self.callers {
            if peer.parse::<IpAddr>().is_err() {
                return out("registration.callers", peer, "the address of a caller");
            }
            if public.parse::<Ipv4Addr>().is_err() {
                return out("registration.callers", public, "the IPv4 address it stands for");
            }
        }
        if self.loopback_stands_for.parse::<Ipv4Addr>().is_err() {
            return out("registration.loopback_stands_for", &self.loopback_stands_for, "an IPv4 address");
        }
        if let Some(block) = self.indian_blocks.iter().find(|block| Block::parse(block).is_none()) {
            return out("registration.indian_blocks", block, "a block such as 117.192.0.0/10");
        }
        if self.gsps.iter().any(|name| name.trim().is_empty()) {
            return out("registration.gsps", "empty", "names of providers");
        }
        if !(1..=1000).contains(&self.users_per_gstin_max) {
            return out("registration.users_per_gstin_max", &self.users_per_gstin_max.to_string(), "1 to 1000");
        }
        Ok(())
    }
}

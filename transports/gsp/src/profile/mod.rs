//! What distinguishes one provider from another, as data: the types of a profile file.

pub mod begin;
mod check;
mod codes;
mod load;
mod operation;
mod pointer;
mod reply;
mod shipped;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use einvoice_core::environment::{Environment, Product};
use einvoice_core::operation::OperationKind;
use einvoice_protocol::client::HeaderSpelling;
use einvoice_protocol::endpoints::Endpoints;
use einvoice_protocol::ewb::settings::{ClosureNames, EwbEndpoints};
use einvoice_protocol::seal::JsonLayering;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::{Problem, Problems};
pub use codes::{CodeRule, HttpRule, Meaning};
pub use load::{ProfileError, is_file_name, read_profile, read_profile_file, read_profile_text};
pub use operation::{Body, HttpLine, HttpLineError, OperationProfile, Wrap};
pub use pointer::{Pointer, PointerError};
pub use reply::{ErrorRule, Layer, Pattern, Source, Speaker, Test};
pub use shipped::{Shipped, shipped};
pub use template::{Known, Template, TemplateError, Variable};

/// How one provider is spoken to.
///
/// A profile is a TOML file. Every text that goes out is a [`Template`] over a closed set of variables, so that a
/// profile can name a secret and never hold one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Profile {
    /// Name of the profile: lower case letters, digits and hyphens.
    pub id: String,
    /// The provider and which of its interfaces this is.
    pub name: String,
    /// What a reader should know, in a sentence or two.
    #[serde(default)]
    pub summary: String,
    /// How sure each of its facts is.
    #[serde(default)]
    pub facts: Facts,
    /// Another profile that this one changes: the name of a shipped one, or a path below this file's folder. What
    /// stands here replaces what stands there, table by table; lists are replaced whole, and so is a system whose
    /// `crypto` is said anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Whether the portal's protocol passes through (`gsp`), or the provider has an interface of its own
    /// (`provider_api`). Default `gsp`.
    #[serde(default)]
    pub kind: Kind,
    /// Values that the route's configuration gives under `settings`, with what each is. Nothing secret: the
    /// credential store holds secrets.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// Where the provider is, per environment. Addresses that are not public are given in the route's configuration.
    #[serde(default)]
    pub environments: Environments,
    /// How the provider knows its caller.
    #[serde(default)]
    pub provider: Provider,
    /// The e-invoice system behind the provider; absent where the provider does not carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub irp: Option<ProductProfile>,
    /// The e-way bill system behind the provider; absent where the provider does not carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ewb: Option<ProductProfile>,
    /// What the provider's own codes and words ask of us; the first that fits counts. The portals' codes need no rule.
    #[serde(default)]
    pub codes: Vec<CodeRule>,
    /// What an HTTP status means where the body says nothing.
    #[serde(default)]
    pub http: Vec<HttpRule>,
    /// Form of `{request_id}`.
    #[serde(default)]
    pub request_id: RequestId,
    /// How the provider spells each portal site; the first one is asked by default. Without it `{site}` is the name as
    /// the route has it.
    #[serde(default)]
    pub sites: BTreeMap<String, String>,
    /// Limits of the provider.
    #[serde(default)]
    pub limits: Limits,
    /// Names of headers, query parameters and JSON members whose values are masked when exchanges are recorded, beside
    /// everything that a secret variable made.
    #[serde(default)]
    pub redact: Vec<String>,
}

/// How sure the facts of a profile are. Each entry is a short sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Facts {
    /// From the provider's own documentation.
    pub documented: Vec<String>,
    /// Seen in public code of clients that call it.
    pub client_code: Vec<String>,
    /// Not confirmed: try these first with a real account.
    pub unconfirmed: Vec<String>,
}

/// Whose interface it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between the two")]
pub enum Kind {
    /// The portal's, through a GST Suvidha Provider.
    #[default]
    Gsp,
    /// The provider's own.
    ProviderApi,
}

/// A value that the route's configuration gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a declaration is written by naming what it holds")]
pub struct Setting {
    /// What it is and where it comes from.
    pub about: String,
    /// The value where the configuration gives none; without it the configuration must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// Where the provider is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "the portal has these two environments and no third")]
pub struct Environments {
    /// For tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Hosts>,
    /// The real thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<Hosts>,
}

impl Environments {
    /// Addresses in an environment.
    #[must_use]
    pub const fn get(&self, environment: Environment) -> Option<&Hosts> {
        match environment {
            Environment::Sandbox => self.sandbox.as_ref(),
            Environment::Production => self.production.as_ref(),
        }
    }
}

/// Addresses of one environment: scheme, host, and what stands before every path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "an environment is written by naming what it holds")]
pub struct Hosts {
    /// For the login to the provider; the others begin here where they name none.
    pub common: String,
    /// For the e-invoice system.
    pub irp: Option<String>,
    /// For the e-way bill system.
    pub ewb: Option<String>,
    /// Other addresses that the provider publishes, for people: no route turns to them by itself.
    pub alternates: Vec<String>,
}

impl Hosts {
    /// The address of a product.
    #[must_use]
    pub fn of(&self, product: Product) -> &str {
        let own = match product {
            Product::EInvoice => &self.irp,
            _ => &self.ewb,
        };
        own.as_deref().unwrap_or(&self.common)
    }
}

/// Texts that go out with a call, by name.
pub type Named = BTreeMap<String, Template>;

/// How the provider knows its caller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Provider {
    /// What the provider calls the client id, and where it comes from; absent where it issues a secret alone.
    pub client_id: Option<String>,
    /// What the provider calls the client secret, and where it comes from.
    pub client_secret: Option<String>,
    /// Headers of every call to either product, the taxpayer's login included; but those that need a token which that
    /// login brings.
    pub headers: Named,
    /// Query parameters of the same calls.
    pub query: Named,
    /// A login to the provider that brings `{provider_token}`; without it there is none.
    pub login: Option<Login>,
    /// A call that tells whether the provider is up, at the `common` address. Default `GET /`; any answer that is not
    /// a server's failure will do.
    pub heartbeat: Option<HttpLine>,
    /// Whether the provider issues a client pair for each product.
    pub client_pair_per_product: bool,
    /// Whether the provider wants to know the addresses that it is called from.
    pub lists_addresses: bool,
}

/// A login: a call that brings a token, or that has to come before others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Login {
    /// Method and path, as in `POST /authenticate`.
    pub http: HttpLine,
    /// Query parameters.
    #[serde(default)]
    pub query: Named,
    /// Headers.
    #[serde(default)]
    pub headers: Named,
    /// Members of a JSON body.
    #[serde(default)]
    pub json: Named,
    /// Fields of a form body, instead of a JSON one.
    #[serde(default)]
    pub form: Named,
    /// What the answer is wrapped in; without it the body is the content.
    #[serde(default)]
    pub reply: Vec<Layer>,
    /// Where the token stands in the content; without it the login brings none and only has to come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Pointer>,
    /// Where the token's end, or its lifetime, stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expires>,
    /// Lifetime of the token in seconds, where the answer does not tell it.
    #[serde(default = "six_hours")]
    #[schemars(range(min = 60, max = 31_536_000))]
    pub lifetime_seconds: u32,
    /// The same in the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_lifetime_seconds: Option<u32>,
    /// Of the login to the provider: how long it may take, waiting for somebody else's included. Default 7; 1 to 120. A call
    /// that has to wait for it takes so much longer, and so does the lease of its document. A taxpayer's login takes as long
    /// as any call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 120))]
    pub timeout_seconds: Option<u16>,
}

impl Login {
    /// Longest time that a login to the provider takes, waiting for somebody else's included. It writes nothing, so that
    /// giving it up loses nothing; yet it may leave a token that nobody uses.
    #[must_use]
    pub fn time_max(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.map_or(7, u64::from))
    }
}

/// Tokens of the portals live for 360 minutes.
const fn six_hours() -> u32 {
    6 * 60 * 60
}

/// Where an answer tells how long a token lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "both are needed and nothing else")]
pub struct Expires {
    /// Where it stands in the content.
    pub at: Pointer,
    /// What it is.
    pub unit: ExpiryUnit,
}

/// What an answer tells of a token's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExpiryUnit {
    /// Seconds from now.
    Seconds,
    /// Minutes from now.
    Minutes,
    /// Its end in Indian time, in any form of the portals'.
    Time,
    /// Its end, in milliseconds since 1970.
    EpochMilliseconds,
    /// Its end, in seconds since 1970.
    EpochSeconds,
}

/// One of the two government systems, behind the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProductProfile {
    /// Who seals.
    pub crypto: Crypto,
    /// How the taxpayer's API user is made known.
    pub taxpayer: TaxpayerMode,
    /// The taxpayer's login, where `taxpayer` is `login` or `warm_up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// Headers of every call of this product, its login included; but those that need a token which that login brings.
    /// Of one name in several places the nearest to the operation counts.
    #[serde(default)]
    pub headers: Named,
    /// Query parameters of the same calls.
    #[serde(default)]
    pub query: Named,
    /// Members that go into the JSON body of every write.
    #[serde(default)]
    pub add: Named,
    /// What answers are wrapped in, from the outside in.
    #[serde(default)]
    pub reply: Vec<Layer>,
    /// The operations that the provider carries; what is not here is not supported.
    #[serde(default)]
    pub operations: BTreeMap<OperationKind, OperationProfile>,
    /// Where the operations live, where the portal's protocol passes through (`crypto = "nic"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// The same for the e-way bill system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ewb_endpoints: Option<EwbEndpoints>,
    /// Operations that do not pass through although the others of the portal's protocol do.
    #[serde(default)]
    pub unsupported: Vec<OperationKind>,
    /// Headers that pass through are spelt so. Default: the portal's own way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_spelling: Option<HeaderSpelling>,
    /// Headers of the portal's protocol that do not go to the provider.
    #[serde(default)]
    pub drop_headers: Vec<String>,
    /// What goes under the seal of a request that passes through.
    #[serde(default)]
    pub json_layering: JsonLayering,
    /// How the closure of a bill is spelt.
    #[serde(default)]
    pub closure_names: ClosureNames,
}

/// Who seals requests and opens answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever seals is one of these")]
pub enum Crypto {
    /// The provider: content goes in the clear, over TLS.
    Plain,
    /// We: the portal's protocol passes through.
    Nic,
    /// The provider, with the session key of a login that we made by the portal's protocol.
    PlainWithSek,
}

/// How the taxpayer's API user is made known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever holds the API user is one of these")]
pub enum TaxpayerMode {
    /// The provider has it: it was entered there.
    AtProvider,
    /// Every call carries it.
    EveryCall,
    /// A login brings a token for the calls.
    Login,
    /// A login has to come before the calls and brings no token: the provider remembers it.
    WarmUp,
    /// The portal's own login, by the portal's protocol.
    Nic,
}

/// Form of `{request_id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "a form is written by naming what it holds")]
pub struct RequestId {
    /// Characters. Default 20; 8 to 64.
    #[schemars(range(min = 8, max = 64))]
    pub length: u8,
    /// Which characters. Default letters and digits.
    pub alphabet: Alphabet,
}

impl Default for RequestId {
    fn default() -> Self {
        Self { length: 20, alphabet: Alphabet::Alphanumeric }
    }
}

/// Characters of a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "no provider wants others")]
pub enum Alphabet {
    /// Digits.
    Digits,
    /// Digits and a to f.
    Hex,
    /// Letters and digits.
    Alphanumeric,
    /// A UUID of version 4; `length` does not matter.
    Uuid,
}

/// Limits of the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Largest request in bytes. Default 2,097,152, the portal's.
    pub request_bytes_max: u32,
    /// Calls that may run at the same time for one GSTIN. Default 3; 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub calls_at_once: u8,
    /// How long before its end a token is renewed, in seconds. Default 600, as the portals renew none earlier.
    pub renew_before_seconds: u32,
    /// How what is left of the account is asked, where the provider tells: `einvoice gsp balance` shows it.
    pub balance: Option<Balance>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_bytes_max: 2 * 1024 * 1024, calls_at_once: 3, renew_before_seconds: 600, balance: None }
    }
}

/// How what is left of the account is asked. The call carries headers and query of `provider`, and no taxpayer's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a call is written by naming what it holds")]
pub struct Balance {
    /// Address of the call, where it is another than `common`; the same in both environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Method and path, as in `GET /account/balance`.
    pub http: HttpLine,
    /// Query parameters.
    #[serde(default)]
    pub query: Named,
    /// Headers.
    #[serde(default)]
    pub headers: Named,
    /// What the answer is wrapped in; without it the body is the content.
    #[serde(default)]
    pub reply: Vec<Layer>,
    /// Where what is left stands in the content.
    pub at: Pointer,
    /// What is counted, for people: `credits`, `calls`, `rupees`. Default `credits`.
    #[serde(default = "credits")]
    pub unit: String,
}

fn credits() -> String {
    "credits".to_owned()
}

impl Profile {
    /// JSON Schema of a profile file, for editors. What `extends` brings need not be said again, so that a file that
    /// has it may leave everything else out.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Self).to_value();
        let required = schema.as_object_mut().and_then(|schema| schema.remove("required"));
        if let (Some(schema), Some(required)) = (schema.as_object_mut(), required) {
            let whole = serde_json::json!({ "required": required });
            schema.insert("anyOf".to_owned(), serde_json::json!([{ "required": ["extends"] }, whole]));
        }
        // Tables are laid over one another, so that each may be a part of one.
        if let Some(definitions) = schema.get_mut("$defs").and_then(serde_json::Value::as_object_mut) {
            for name in ["ProductProfile", "Login", "OperationProfile"] {
                if let Some(definition) = definitions.get_mut(name).and_then(serde_json::Value::as_object_mut) {
                    definition.remove("required");
                }
            }
        }
        schema
    }

    /// The part of a product.
    #[must_use]
    pub const fn product(&self, product: Product) -> Option<&ProductProfile> {
        match product {
            Product::EInvoice => self.irp.as_ref(),
            _ => self.ewb.as_ref(),
        }
    }
}

//! The configuration of a whole installation, typed; who reads files and environment is the CLI.
//!
//! Each part (`[ledger]`, `[[route]]`, `[[source]]` ...) names a plugin; the keys that belong to the
//! table itself are taken out here, and the rest goes to the plugin's own settings, which refuse keys
//! they do not know.

mod account;
mod environment;

use std::collections::BTreeSet;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::credential::EWayBillLogin;
use crate::environment::{Environment, RouteName};
use crate::registry::nearest;
use crate::rulebook::{Repair, RuleSettings};

pub use account::{DoctorSettings, Protection, QuotaSettings};
pub use environment::one_environment;

/// A whole configuration file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `[ledger]`; the default is `ledger-sqlite`.
    pub ledger: PluginTable,
    /// `[credentials]`; the default is `credentials-env`.
    pub credentials: PluginTable,
    /// `[[route]]`, in order of preference.
    pub routes: Vec<RouteTable>,
    /// `[[source]]`.
    pub sources: Vec<SourceTable>,
    /// `[[write_back]]`.
    pub write_backs: Vec<WriteBackTable>,
    /// `[verify]`.
    pub verify: VerifySettings,
    /// `[check]`.
    pub check: CheckSettings,
    /// `[rules]`.
    pub rules: RuleSettings,
    /// `[run]`.
    pub run: RunSettings,
    /// `[doctor]`.
    pub doctor: DoctorSettings,
    /// `[quota]`.
    pub quota: QuotaSettings,
}

/// A part: which plugin, under which name, with which settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PluginTable {
    /// Name of this instance.
    pub name: String,
    /// Registered name of the plugin.
    pub plugin: String,
    /// The plugin's own settings.
    pub settings: Value,
}

/// `[[route]]`: a way to the portal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RouteTable {
    /// Plugin, name and settings.
    pub part: PluginTable,
    /// Which environment is behind it.
    pub environment: Environment,
    /// Set for a GSP or provider: the account whose client pair serves all GSTINs. Without it the
    /// pair of the GSTIN's PAN is used.
    pub client_account: Option<String>,
    /// With whose credentials the e-way bill system is logged in to: `own` unless it was tried and found to work.
    pub e_way_bill_login: EWayBillLogin,
}

impl RouteTable {
    /// The name as a route name.
    #[must_use]
    pub fn route_name(&self) -> RouteName {
        RouteName::new(&self.part.name)
    }
}

/// `[[source]]`: where invoices come from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceTable {
    /// Plugin, name and settings.
    pub part: PluginTable,
    /// `schedule = "every 5 minutes"`.
    pub schedule: Option<Schedule>,
}

/// `[[write_back]]`: where results go.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WriteBackTable {
    /// Plugin, name and settings.
    pub part: PluginTable,
    /// Names of the sources whose results go there; empty means all.
    pub sources: Vec<String>,
}

/// How often a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Time from the end of one run to the start of the next.
    pub every: Duration,
}

impl Schedule {
    /// Reads `every N seconds`, `every N minutes`, `every N hours`, or `every minute` and so on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        if words.next()? != "every" {
            return None;
        }
        let word = words.next()?;
        let (count, unit) = match word.parse::<u64>() {
            Ok(count) => (count, words.next()?),
            Err(_) => (1, word),
        };
        let seconds = match unit {
            "second" | "seconds" => 1,
            "minute" | "minutes" => 60,
            "hour" | "hours" => 3_600,
            "day" | "days" => 86_400,
            _ => return None,
        };
        let every = Duration::from_secs(count.checked_mul(seconds)?);
        (words.next().is_none() && count > 0).then_some(Self { every })
    }
}

/// `[verify]`: with which keys signed replies are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct VerifySettings {
    /// PEM files (public keys or certificates) of the portals' signing keys; `*` and `?` are allowed.
    /// The key id is a run of 8 to 40 hex digits in the file's name, or a certificate's thumbprint.
    /// Default: none, so that every signature is reported as not verifiable.
    pub keys: Vec<String>,
}

/// `[check]`: how strictly documents are judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CheckSettings {
    /// What a wrong GSTIN check digit is. Default `auto`: a warning where every route leads to a
    /// sandbox (the portal's test GSTINs fail by design), else an error.
    pub gstin_check_digit: CheckDigit,
    /// File of codes that the portal lists and this program does not, or the other way round, in the folder of the
    /// configuration (`einvoice masters --help` says how it is written). Default: none.
    pub masters: Option<String>,
    /// What is set right before a document is judged and sent, each time with a finding of severity `repaired`:
    /// `text_cut`, `characters`, `letter_case`, `hsn_dots`, `state_zeros`. Nothing that changes an amount, a party or
    /// a code can be asked for. Default: none, so that each such fault is an error.
    pub repair: Vec<Repair>,
}

/// What a wrong GSTIN check digit is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckDigit {
    /// A warning where every route leads to a sandbox, else an error.
    #[default]
    Auto,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Not looked at.
    Off,
}

/// `[run]`: limits of the main job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RunSettings {
    /// Environment that runs work in where the routes lead to both, `production` or `sandbox`; the routes of the other
    /// one are left out. Default: none, and then all routes must lead to one.
    pub environment: Option<Environment>,
    /// Documents under way at the same time, over all GSTINs. Default 64, from 1 to 10,000.
    pub concurrency: usize,
    /// Calls at the same time for one GSTIN, from 1 to 100. Default: what the transport says (3). The
    /// portal publishes no figure and forbids parallel identical requests.
    pub concurrency_per_gstin: Option<usize>,
    /// Documents written to the ledger in one transaction while reading. Default 256, from 1 to 10,000.
    pub receive_batch: usize,
    /// Seconds to wait after a lost reply before asking the portal what became of the request, as
    /// the first request may still be running there. Default 30, from 1 to 3,600.
    pub settle_wait_seconds: u64,
    /// Seconds a run goes on asking about unknown outcomes before it ends with some left. Default 90,
    /// from 0 to 86,400.
    pub settle_patience_seconds: u64,
    /// Hours for which the portal answers by document reliably; a "not there" later proves nothing.
    /// Default 48 (2 days were seen in 2026; NIC's pages say three), from 1 to 72.
    pub retrieval_window_hours: u64,
    /// Seconds a worker may hold a document before it is free for others. Default 300; at least the
    /// time that four calls may take on every route (a login, a call, and both once more), at most
    /// 86,400.
    pub lease_seconds: u64,
    /// Calls in a row that do not get through before a route is left alone for a while. Default 3,
    /// from 1 to 1,000.
    pub breaker_failures: u32,
    /// Seconds a route is left alone after that. Default 30, from 1 to 86,400.
    pub breaker_pause_seconds: u64,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            environment: None,
            concurrency: 64,
            concurrency_per_gstin: None,
            receive_batch: 256,
            settle_wait_seconds: 30,
            settle_patience_seconds: 90,
            retrieval_window_hours: 48,
            lease_seconds: 300,
            breaker_failures: 3,
            breaker_pause_seconds: 30,
        }
    }
}

/// What is wrong with a configuration; the caller adds the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigError {
    /// The key, from the top (`source[0].plugin`).
    pub key: String,
    /// What is wrong and what to do.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

/// The tables of a configuration file.
pub const TABLES: [&str; 11] =
    ["ledger", "credentials", "route", "source", "write_back", "verify", "check", "rules", "run", "doctor", "quota"];

impl Settings {
    /// Reads a configuration from its merged layers.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key: unknown tables, missing or wrong values, two parts with one
    /// name, a write-back for a source that does not exist.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        let Value::Object(mut root) = value else {
            return Err(ConfigError::new("configuration", "it must be a table"));
        };
        if let Some(unknown) = root.keys().find(|key| !TABLES.contains(&key.as_str())) {
            let hint = nearest(unknown, TABLES.into_iter())
                .map_or_else(|| format!("there are: {}", TABLES.join(", ")), |near| format!("did you mean `{near}`?"));
            return Err(ConfigError::new(unknown, format!("there is no such table; {hint}")));
        }
        let settings = Self {
            ledger: single(&mut root, "ledger", "ledger-sqlite")?,
            credentials: single(&mut root, "credentials", "credentials-env")?,
            routes: many(&mut root, "route", route)?,
            sources: many(&mut root, "source", source)?,
            write_backs: many(&mut root, "write_back", write_back)?,
            verify: section(&mut root, "verify")?,
            check: section(&mut root, "check")?,
            rules: section(&mut root, "rules")?,
            run: section(&mut root, "run")?,
            doctor: section(&mut root, "doctor")?,
            quota: section(&mut root, "quota")?,
        };
        settings.check_names()?;
        settings.rules.validate().map_err(|error| ConfigError::new(format!("rules.{}", error.place), error.problem))?;
        settings.check_run()?;
        settings.doctor.check()?;
        Ok(settings)
    }

    fn check_names(&self) -> Result<(), ConfigError> {
        let parts = |parts: Vec<&PluginTable>, table: &str| {
            let mut seen = BTreeSet::new();
            match parts.iter().find(|part| !seen.insert(part.name.clone())) {
                Some(part) => Err(ConfigError::new(
                    table,
                    format!("two parts are named `{}`; give each a `name` of its own", part.name),
                )),
                None => Ok(seen),
            }
        };
        parts(self.routes.iter().map(|route| &route.part).collect(), "route")?;
        let sources = parts(self.sources.iter().map(|source| &source.part).collect(), "source")?;
        parts(self.write_backs.iter().map(|target| &target.part).collect(), "write_back")?;
        for target in &self.write_backs {
            if let Some(missing) = target.sources.iter().find(|name| !sources.contains(*name)) {
                return Err(ConfigError::new(
                    format!("write_back `{}`, key `sources`", target.part.name),
                    format!("there is no source `{missing}`; there are: {}", join(&sources)),
                ));
            }
        }
        Ok(())
    }

    fn check_run(&self) -> Result<(), ConfigError> {
        let run = &self.run;
        let whole = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let limits = [
            ("run.concurrency", whole(run.concurrency), 1, 10_000),
            ("run.concurrency_per_gstin", whole(run.concurrency_per_gstin.unwrap_or(1)), 1, 100),
            ("run.receive_batch", whole(run.receive_batch), 1, 10_000),
            ("run.settle_wait_seconds", run.settle_wait_seconds, 1, 3_600),
            ("run.settle_patience_seconds", run.settle_patience_seconds, 0, 86_400),
            // Three days is the longest that anybody says the portal answers; beyond it a "not there"
            // would be taken for a proof that it is not.
            ("run.retrieval_window_hours", run.retrieval_window_hours, 1, 72),
            ("run.lease_seconds", run.lease_seconds, 1, 86_400),
            ("run.breaker_failures", u64::from(run.breaker_failures), 1, 1_000),
            ("run.breaker_pause_seconds", run.breaker_pause_seconds, 1, 86_400),
        ];
        match limits.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((key, value, least, most)) => {
                Err(ConfigError::new(key, format!("{value} is not from {least} to {most}")))
            }
            None => Ok(()),
        }
    }
}

fn join(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn single(root: &mut Map<String, Value>, table: &str, default: &str) -> Result<PluginTable, ConfigError> {
    let mut map = match root.remove(table) {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(ConfigError::new(table, format!("write it as one table, [{table}]"))),
    };
    let plugin = text(&mut map, table, "plugin")?.unwrap_or_else(|| default.to_owned());
    let name = text(&mut map, table, "name")?.unwrap_or_else(|| plugin.clone());
    Ok(PluginTable { name, plugin, settings: Value::Object(map) })
}

fn many<T>(
    root: &mut Map<String, Value>,
    table: &str,
    read: fn(&mut Map<String, Value>, &str) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let list = match root.remove(table) {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => vec![one],
        Some(_) => return Err(ConfigError::new(table, format!("write it as [[{table}]]"))),
    };
    list.into_iter()
        .enumerate()
        .map(|(index, entry)| match entry {
            Value::Object(mut map) => read(&mut map, &format!("{table}[{index}]")),
            _ => Err(ConfigError::new(format!("{table}[{index}]"), format!("write it as [[{table}]]"))),
        })
        .collect()
}

fn part(map: &mut Map<String, Value>, key: &str) -> Result<PluginTable, ConfigError> {
    let plugin = text(map, key, "plugin")?
        .ok_or_else(|| ConfigError::new(format!("{key}.plugin"), "missing: name the plugin to use"))?;
    let name = text(map, key, "name")?.unwrap_or_else(|| plugin.clone());
    Ok(PluginTable { name, plugin, settings: Value::Object(std::mem::take(map)) })
}

fn route(map: &mut Map<String, Value>, key: &str) -> Result<RouteTable, ConfigError> {
    let environment = match text(map, key, "environment")?.as_deref() {
        Some("production") => Environment::Production,
        Some("sandbox") => Environment::Sandbox,
        other => {
            let found = other.map_or_else(|| "missing".to_owned(), |other| format!("`{other}` is no environment"));
            return Err(ConfigError::new(
                format!("{key}.environment"),
                format!("{found}: write \"production\" or \"sandbox\""),
            ));
        }
    };
    let client_account = text(map, key, "client_account")?;
    let e_way_bill_login = match text(map, key, "e_way_bill_login")?.as_deref() {
        None | Some("own") => EWayBillLogin::Own,
        Some("same_user") => EWayBillLogin::SameUser,
        Some("same_token") => EWayBillLogin::SameToken,
        Some(other) => {
            return Err(ConfigError::new(
                format!("{key}.e_way_bill_login"),
                format!("`{other}` is not known: write \"own\", \"same_user\" or \"same_token\""),
            ));
        }
    };
    Ok(RouteTable { environment, client_account, e_way_bill_login, part: part(map, key)? })
}

fn source(map: &mut Map<String, Value>, key: &str) -> Result<SourceTable, ConfigError> {
    let schedule = match text(map, key, "schedule")? {
        None => None,
        Some(text) => Some(Schedule::parse(&text).ok_or_else(|| {
            ConfigError::new(
                format!("{key}.schedule"),
                format!("`{text}` is not understood: write it like \"every 5 minutes\""),
            )
        })?),
    };
    Ok(SourceTable { schedule, part: part(map, key)? })
}

fn write_back(map: &mut Map<String, Value>, key: &str) -> Result<WriteBackTable, ConfigError> {
    let sources = match map.remove("sources") {
        None => Vec::new(),
        Some(value) => serde_json::from_value(value)
            .map_err(|error| ConfigError::new(format!("{key}.sources"), error.to_string()))?,
    };
    Ok(WriteBackTable { sources, part: part(map, key)? })
}

fn text(map: &mut Map<String, Value>, table: &str, key: &str) -> Result<Option<String>, ConfigError> {
    match map.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(ConfigError::new(format!("{table}.{key}"), format!("{other} is not a text"))),
    }
}

fn section<T: serde::de::DeserializeOwned + Default>(
    root: &mut Map<String, Value>,
    table: &str,
) -> Result<T, ConfigError> {
    let Some(value) = root.remove(table) else { return Ok(T::default()) };
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { table.to_owned() } else { format!("{table}.{path}") };
        ConfigError::new(key, error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_file_has_a_ledger_and_credentials_by_default() {
        let settings = Settings::from_value(json!({})).unwrap();
        assert_eq!(settings.ledger.plugin, "ledger-sqlite");
        assert_eq!(settings.credentials.plugin, "credentials-env");
        assert_eq!(settings.run.settle_wait_seconds, 30);
    }

    #[test]
    fn keys_of_the_table_are_taken_out_and_the_rest_is_the_plugins() {
        let settings = Settings::from_value(json!({
            "source": [{"name": "head-office", "plugin": "tally", "schedule": "every 5 minutes", "path": "in"}],
            "route": [{"plugin": "direct", "environment": "sandbox", "base_url": "https://portal.example"}],
            "write_back": [{"plugin": "tally", "sources": ["head-office"], "folder": "out"}],
        }))
        .unwrap();
        let source = settings.sources.first().unwrap();
        assert_eq!(source.part.settings, json!({"path": "in"}));
        assert_eq!(source.schedule.unwrap().every, Duration::from_mins(5));
        assert_eq!(settings.routes.first().unwrap().environment, Environment::Sandbox);
        assert_eq!(settings.write_backs.first().unwrap().sources, ["head-office"]);
    }

    #[test]
    fn errors_name_the_key_and_what_to_do() {
        let error = |value| Settings::from_value(value).unwrap_err().to_string();
        assert_eq!(error(json!({"sorce": []})), "sorce: there is no such table; did you mean `source`?");
        assert!(error(json!({"route": [{"plugin": "direct"}]})).starts_with("route[0].environment: missing"));
        assert!(error(json!({"source": [{"path": "x"}]})).starts_with("source[0].plugin: missing"));
        let shared = json!({"route": [{"plugin": "direct", "environment": "sandbox", "e_way_bill_login": "both"}]});
        assert!(error(shared).starts_with("route[0].e_way_bill_login: `both` is not known"));
        assert!(error(json!({"run": {"concurrency": 0}})).starts_with("run.concurrency: 0 is not"));
        for (key, value) in [
            ("concurrency_per_gstin", 0),
            ("receive_batch", 10_001),
            ("settle_wait_seconds", 0),
            ("settle_patience_seconds", 86_401),
            ("retrieval_window_hours", 73),
            ("lease_seconds", 0),
            ("breaker_failures", 0),
            ("breaker_pause_seconds", 86_401),
        ] {
            let found = error(json!({"run": {key: value}}));
            assert!(found.starts_with(&format!("run.{key}: {value} is not from ")), "{found}");
        }
        assert_eq!(
            error(json!({"run": {"retrieval_window_hours": 73}})),
            "run.retrieval_window_hours: 73 is not from 1 to 72"
        );
        assert!(error(json!({"run": {"concurency": 4}})).starts_with("run"));
        assert!(error(json!({"source": [{"plugin": "tally", "schedule": "often"}]})).contains("every 5 minutes"));
        let unknown_repair = error(json!({"check": {"repair": ["text_cut", "text_cuts"]}}));
        assert!(unknown_repair.starts_with("check.repair[1]: unknown variant `text_cuts`"), "{unknown_repair}");
        let unknown_source = json!({"write_back": [{"plugin": "tally", "sources": ["x"]}]});
        assert!(error(unknown_source).contains("there is no source `x`"));
        let twice = json!({"source": [{"plugin": "tally"}, {"plugin": "tally"}]});
        assert!(error(twice).contains("two parts are named `tally`"));
    }

    #[test]
    fn schedules_are_read_in_plain_words() {
        let seconds = |text| Schedule::parse(text).map(|schedule| schedule.every.as_secs());
        assert_eq!(seconds("every minute"), Some(60));
        assert_eq!(seconds("every 2 hours"), Some(7_200));
        assert_eq!(seconds("every 0 seconds"), None);
        assert_eq!(seconds("every 5 fortnights"), None);
        assert_eq!(seconds("every 5 minutes please"), None);
    }
}

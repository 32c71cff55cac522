//! The way to a portal: names, connection and TLS, clocks, the address that calls come from.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::config::RouteTable;
use einvoice_core::credential::{ClientHolder, CredentialScope, CredentialStore, ListedAddresses, PublicIpv4};
use einvoice_core::environment::{Environment, Product};
use einvoice_core::identifier::{Gstin, Pan};
use einvoice_core::pipeline::RoutePart;
use einvoice_core::transport::{Owner, TransportMode};
use einvoice_http::{HttpSettings, ProxyChoice, look, usable_address};
use einvoice_protocol::exchange::ExchangeError;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::report::{Line, Report};
use crate::assemble::Assembly;
use crate::assemble::meter::addresses;
use crate::commands::explain::system_in_short;
use crate::commands::onboard;
use crate::error::CliError;
use crate::exit_code;

/// Clocks that differ by more are warned about: tokens seem to end too early or too late.
const SKEW_WARN: SignedDuration = SignedDuration::from_secs(60);
/// More than this makes tokens useless and dates wrong.
const SKEW_FAIL: SignedDuration = SignedDuration::from_secs(600);
/// How long a look waits for a connection, and for the whole answer.
const LOOK_CONNECT: Duration = Duration::from_secs(5);
const LOOK_TOTAL: Duration = Duration::from_secs(15);

const OWN_ADDRESS: &str = "public address";

/// Checks the way; whether the portal can be reached.
pub(super) async fn checks(
    assembly: &Assembly,
    table: &RouteTable,
    part: &RoutePart,
    (store, clients): (Option<&Arc<dyn CredentialStore>>, &[ClientHolder]),
    report: &mut Report<'_>,
) -> Result<bool, CliError> {
    if part.transport.capability().mode == TransportMode::InProcess {
        report.add(Line::skipped("way to the portal", "the emulator runs inside this process").on(table))?;
        return Ok(true);
    }
    let settings = match client(assembly, table).await {
        Ok(settings) => settings,
        Err(reason) => {
            report.add(Line::fail("HTTP client", reason, "Correct the settings of the route.").on(table))?;
            return Ok(false);
        }
    };
    let mut reachable = true;
    let mut clocks = Vec::new();
    let hosts = hosts(table, assembly.directory());
    if hosts.is_empty() {
        let why = "no address of this route is known here, so its name, its TLS and its clock are not looked at";
        report.add(Line::skipped("connection", why).on(table))?;
    }
    for address in hosts {
        let found = host(&address, &settings, table, assembly, report).await?;
        match found {
            Some(skew) => clocks.extend(skew),
            None => reachable = false,
        }
    }
    if !reachable {
        return Ok(false);
    }
    if let Some(skew) = clocks.iter().copied().max_by_key(|skew| skew.abs()) {
        report.add(clock(skew).on(table))?;
    }
    match part.transport.probe().await {
        Ok(probe) => report.add(Line::ok("heartbeat", format!("{} says {}", probe.endpoint, probe.text)).on(table))?,
        Err(error) => {
            let fix =
                "No document names the path of the heartbeat for certain: the login tells whether the portal is there.";
            report.add(Line::warn("heartbeat", error.to_string(), fix).on(table))?;
        }
    }
    let lines = own_address(assembly, &settings, table, store, clients).await;
    lines.into_iter().try_for_each(|line| report.add(line.on(table)))?;
    Ok(true)
}

/// The HTTP client's settings of a route, with the short waits of a look.
async fn client(assembly: &Assembly, table: &RouteTable) -> Result<HttpSettings, String> {
    let given = &table.part.settings;
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let mut settings = HttpSettings {
        connect_timeout_ms: millis(LOOK_CONNECT),
        total_timeout_ms: millis(LOOK_TOTAL),
        proxy: ProxyChoice::parse(text("proxy").unwrap_or("off")).map_err(|error| error.to_string())?,
        local_address: text("local_address").and_then(|address| address.parse().ok()),
        ..HttpSettings::default()
    };
    if let Some(file) = text("root_certificate_file") {
        let read = HttpSettings::read_root_certificates(&assembly.directory().join(file)).await;
        settings.root_certificates = read.map_err(|error| error.to_string())?;
    }
    Ok(settings)
}

/// The addresses of a route, each host once.
fn hosts(table: &RouteTable, directory: &Path) -> Vec<String> {
    let mut given = addresses(&table.part.settings);
    given.retain(|address| *address != table.part.settings.get("proxy").and_then(Value::as_str).unwrap_or_default());
    if given.is_empty() {
        given = of_profile(table, directory);
    }
    let mut seen = Vec::new();
    given.retain(|address| {
        let authority = authority(address).to_owned();
        let is_new = !seen.contains(&authority);
        seen.push(authority);
        is_new
    });
    given
}

/// The addresses that the profile of a route knows.
#[cfg(feature = "gsp")]
fn of_profile(table: &RouteTable, directory: &Path) -> Vec<String> {
    let Some(name) = table.part.settings.get("profile").and_then(Value::as_str) else { return Vec::new() };
    let Ok(profile) = crate::plugins::providers::profile::read_profile(name, directory) else {
        return Vec::new();
    };
    let Some(hosts) = profile.environments.get(table.environment) else { return Vec::new() };
    let all = [Some(hosts.common.clone()), hosts.irp.clone(), hosts.ewb.clone()];
    all.into_iter().flatten().filter(|address| !address.is_empty()).collect()
}

#[cfg(not(feature = "gsp"))]
const fn of_profile(_table: &RouteTable, _directory: &Path) -> Vec<String> {
    Vec::new()
}

/// Scheme, host and port.
fn authority(address: &str) -> &str {
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address.get(start..).and_then(|rest| rest.find('/')).map_or(address.len(), |at| start + at);
    address.get(..end).unwrap_or(address)
}

/// Host and port of an address, as a resolver takes them.
fn host_and_port(address: &str) -> String {
    let authority = authority(address);
    let (scheme, host) = authority.split_once("://").unwrap_or(("https", authority));
    let has_port = host.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    if has_port { host.to_owned() } else { format!("{host}:{}", if scheme == "http" { 80 } else { 443 }) }
}

/// Looks at one host: its name, its connection, its clock. Nothing when it cannot be reached.
async fn host(
    address: &str,
    settings: &HttpSettings,
    table: &RouteTable,
    assembly: &Assembly,
    report: &mut Report<'_>,
) -> Result<Option<Option<SignedDuration>>, CliError> {
    let host = host_and_port(address);
    if settings.proxy == ProxyChoice::Off {
        let found = tokio::net::lookup_host(&host).await.ok().and_then(|mut found| found.next());
        let Some(first) = found else {
            let fix = "Compare the address with the portal's or provider's page, and see that this machine can resolve \
                       names (DNS).";
            let line = Line::fail("DNS", format!("{host} has no address"), fix);
            report.add(line.code(exit_code::UNREACHABLE).on(table))?;
            return Ok(None);
        };
        report.add(Line::ok("DNS", format!("{host} is {}", first.ip())).on(table))?;
    } else {
        report.add(Line::skipped("DNS", "the proxy resolves names").on(table))?;
    }
    let url = match usable_address("address", &format!("{}/", authority(address)), table.environment) {
        Ok(url) => url,
        Err(error) => {
            report.add(Line::fail("address", error.to_string(), "Correct it in the route.").on(table))?;
            return Ok(None);
        }
    };
    let before = assembly.clock().now();
    let looked = look(settings, &url).await;
    let after = assembly.clock().now();
    match looked {
        Ok(Ok(seen)) => {
            let tls =
                if address.starts_with("https://") { "TLS is in order" } else { "without TLS, as an emulator may be" };
            let found = format!("{host} answers with HTTP status {}, {tls}", seen.status);
            report.add(Line::ok("connection", found).on(table))?;
            Ok(Some(seen.date.map(|date| skew(date, before, after))))
        }
        Ok(Err(error)) => {
            report.add(not_connected(&host, &error).on(table))?;
            Ok(None)
        }
        Err(error) => {
            report.add(Line::fail("HTTP client", error.to_string(), "Correct the settings of the route.").on(table))?;
            Ok(None)
        }
    }
}

fn not_connected(host: &str, error: &ExchangeError) -> Line {
    let reason = error.to_string();
    let is_tls = reason.to_lowercase().contains("certificate") || reason.to_lowercase().contains("tls");
    let fix = if is_tls {
        "A company proxy that opens TLS needs its authority under `root_certificate_file`; otherwise do not go on: somebody \
         else answers."
    } else {
        "See that a firewall lets HTTPS out to this host, and whether the portal announces works; behind an IP listing a \
         connection may also be dropped because the address is not listed."
    };
    let check = if is_tls { "TLS" } else { "connection" };
    Line::fail(check, format!("{host}: {reason}"), fix).code(exit_code::UNREACHABLE)
}

/// By how much the server's clock is ahead of ours; a `Date` has whole seconds, and is made between two moments.
fn skew(date: Timestamp, before: Timestamp, after: Timestamp) -> SignedDuration {
    let second = SignedDuration::from_secs(1);
    let early = date.duration_since(after);
    let late = date.duration_since(before).saturating_add(second);
    if early.is_positive() {
        early
    } else if late.is_negative() {
        late
    } else {
        SignedDuration::ZERO
    }
}

fn clock(skew: SignedDuration) -> Line {
    let seconds = skew.as_secs().abs();
    let found = match skew.signum() {
        0 => "as the portal's, to the second".to_owned(),
        1 => format!("{seconds} s behind the portal's"),
        _ => format!("{seconds} s ahead of the portal's"),
    };
    let fix = "Set this machine's clock by NTP: tokens seem to end at another time than they do, and documents get the wrong \
               day around midnight.";
    match skew.abs() {
        much if much >= SKEW_FAIL => Line::fail("clock", found, fix),
        some if some >= SKEW_WARN => Line::warn("clock", found, fix),
        _ => Line::ok("clock", found),
    }
}

/// Which public address calls come from, where the configuration names a page that tells.
async fn own_address(
    assembly: &Assembly,
    settings: &HttpSettings,
    table: &RouteTable,
    store: Option<&Arc<dyn CredentialStore>>,
    clients: &[ClientHolder],
) -> Vec<Line> {
    const FIX: &str = "Correct [doctor] address_probe: it should answer with the address alone, as text.";
    let Some(probe) = &assembly.settings().doctor.address_probe else {
        return vec![Line::skipped(OWN_ADDRESS, "no page is configured that tells it ([doctor] address_probe)")];
    };
    match seen_from(probe, settings).await {
        Ok(address) => {
            let listed = listed(assembly, table, store, clients).await;
            if listed.is_empty() {
                return vec![judged(address, &Listed::default(), table.environment)];
            }
            listed.iter().map(|listed| judged(address, listed, table.environment)).collect()
        }
        Err(found) => vec![Line::warn(OWN_ADDRESS, found, FIX)],
    }
}

/// The address that a page tells; else why it does not.
async fn seen_from(probe: &str, settings: &HttpSettings) -> Result<PublicIpv4, String> {
    // Nothing secret goes there, so clear text will do.
    let url = usable_address("doctor.address_probe", probe, Environment::Sandbox).map_err(|error| error.to_string())?;
    let looked = look(settings, &url).await.map_err(|error| error.to_string())?;
    let seen = looked.map_err(|error| format!("{probe}: {error}"))?;
    if seen.status != 200 {
        return Err(format!("{probe} answers with HTTP status {}", seen.status));
    }
    PublicIpv4::parse(&seen.text).map_err(|error| error.to_string())
}

/// The addresses that are listed for a client, and who that is where there are several.
#[derive(Debug, Default)]
struct Listed {
    addresses: ListedAddresses,
    of: Option<String>,
}

fn judged(address: PublicIpv4, listed: &Listed, environment: Environment) -> Line {
    const CHECK: &str = OWN_ADDRESS;
    let of = listed.of.as_ref().map(|of| format!(" for {of}")).unwrap_or_default();
    if listed.addresses.is_empty() {
        return Line::ok(CHECK, format!("{address}; which addresses are listed{of} is not known here"));
    }
    if listed.addresses.contains(address.get()) {
        return Line::ok(CHECK, format!("{address}, which is listed{of}"));
    }
    let found = format!("{address} is none of those that are listed{of} ({})", listed.addresses);
    let fix = "Let calls leave from a listed address (proxy, local_address), or apply for this one on the portal: API \
               Registration, IP listing.";
    match environment {
        Environment::Production => Line::fail(CHECK, found, fix).owner(Owner::Taxpayer),
        // The sandboxes take calls from everywhere.
        Environment::Sandbox => Line::ok(CHECK, format!("{found}; the sandbox takes calls from everywhere")),
    }
}

/// The clients whose pairs a route logs in with: the account's, or those of its users' PANs.
pub(super) fn clients(table: &RouteTable, users: &[(Gstin, Product)]) -> Vec<ClientHolder> {
    if let Some(account) = &table.client_account {
        return vec![ClientHolder::Provider { account: account.clone(), product: None }];
    }
    let pans: BTreeSet<Pan> = users.iter().filter_map(|(gstin, _)| gstin.pan()).collect();
    pans.into_iter().map(ClientHolder::Pan).collect()
}

/// The addresses that are listed for these clients, as far as the store or the interview was told.
async fn listed(
    assembly: &Assembly,
    table: &RouteTable,
    store: Option<&Arc<dyn CredentialStore>>,
    clients: &[ClientHolder],
) -> Vec<Listed> {
    let mut found = Vec::new();
    if let Some(store) = store {
        for entry in store.list().await.unwrap_or_default() {
            let CredentialScope::Client(scope) = &entry.scope else { continue };
            let is_ours = clients.iter().any(|client| is_same(client, &scope.holder));
            if scope.environment != table.environment || !is_ours {
                continue;
            }
            if let Ok(facts) = store.facts(&entry.scope).await
                && !facts.listed_addresses.is_empty()
            {
                found.push(Listed { addresses: facts.listed_addresses, of: Some(in_words(&scope.holder)) });
            }
        }
    }
    if let [only] = found.as_mut_slice()
        && clients.len() <= 1
    {
        only.of = None;
    }
    if !found.is_empty() {
        return found;
    }
    match onboard::listed_addresses(&assembly.loaded().file) {
        Some((route, addresses)) if route == table.route_name() => vec![Listed { addresses, of: None }],
        _ => Vec::new(),
    }
}

fn in_words(holder: &ClientHolder) -> String {
    match holder {
        ClientHolder::Pan(pan) => format!("PAN {pan}"),
        ClientHolder::Provider { account, product } => {
            let of = product.map(|product| format!(" ({})", system_in_short(product))).unwrap_or_default();
            format!("account {account}{of}")
        }
        _ => "another client".to_owned(),
    }
}

/// A provider may issue a pair for each system; all of them are its account's.
fn is_same(client: &ClientHolder, holder: &ClientHolder) -> bool {
    match (client, holder) {
        (ClientHolder::Provider { account, .. }, ClientHolder::Provider { account: other, .. }) => account == other,
        (client, holder) => client == holder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn hosts_are_looked_at_once_and_have_a_port() {
        assert_eq!(authority("https://a.example:8443/gsp/x"), "https://a.example:8443");
        assert_eq!(host_and_port("https://a.example/x"), "a.example:443");
        assert_eq!(host_and_port("http://a.example"), "a.example:80");
        assert_eq!(host_and_port("http://[::1]:81/x"), "[::1]:81");
        assert_eq!(host_and_port("http://[::1]/x"), "[::1]:80");
    }

    #[test]
    fn an_address_that_is_not_listed_fails_in_production_only() {
        let address = PublicIpv4::parse("8.8.8.8").unwrap();
        let listed = Listed { addresses: ListedAddresses::parse(["8.8.8.1"]).unwrap(), of: None };
        let code = |listed: &Listed, environment| judged(address, listed, environment);
        assert_ne!(code(&listed, Environment::Production), code(&listed, Environment::Sandbox));
        let text = |line: Line| serde_json::to_value(line).unwrap()["outcome"].as_str().unwrap().to_owned();
        assert_eq!(text(code(&listed, Environment::Production)), "fail");
        assert_eq!(text(code(&listed, Environment::Sandbox)), "ok");
        assert_eq!(text(code(&Listed::default(), Environment::Production)), "ok");
    }

    #[test]
    fn a_clock_within_the_second_of_a_date_header_is_right() {
        let of = |date, before, after| skew(at(date), at(before), at(after));
        assert_eq!(of(10, 10, 12), SignedDuration::ZERO);
        assert_eq!(of(100, 10, 12), SignedDuration::from_secs(88));
        assert_eq!(of(0, 100, 101), SignedDuration::from_secs(-99));
    }
}

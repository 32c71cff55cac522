//! `quota`: the login and error budgets of each API user and each client, used and left, and until when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use einvoice_core::access::{LOGIN_WINDOW, LOGINS_MAX};
use einvoice_core::config::RouteTable;
use einvoice_core::credential::UserScope;
use einvoice_core::date::PortalTime;
use einvoice_core::usage::{Usage, UsageEntry, closed_gate, logins_that_count};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::block_on;
use super::explain::system_in_short;
use crate::arguments::{Common, Quota};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::{Column, Output, Style, counted};
use crate::{exit_code, settings};

/// The longest that any budget looks back.
const DAY: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Codes of one user that are named to people, the most frequent ones.
const CODES_SHOWN: usize = 3;

/// The budgets of one API user.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Budget {
    user: UserScope,
    /// Whether the budget of other processes is honoured on this route.
    protected: bool,
    logins: Logins,
    refused: Refused,
    /// How often each code came within 24 hours.
    codes: BTreeMap<String, usize>,
    /// Until when the portal refuses everything for too many calls.
    closed_until: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Logins {
    used: usize,
    left: usize,
    most: usize,
    window_minutes: i64,
    /// When the oldest of them no longer counts.
    next_free_at: Option<Timestamp>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Refused {
    last_hour: usize,
    last_day: usize,
    warn_from_per_hour: u32,
    warn_from_per_day: u32,
}

/// What all API users of one client pair had refused.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct ClientBudget {
    client: String,
    environment: einvoice_core::environment::Environment,
    users: usize,
    refused: Refused,
}

impl ClientBudget {
    fn is_of(&self, budget: &Budget, assembly: &Assembly) -> bool {
        self.environment == budget.user.environment && self.client == client_of(&budget.user, assembly)
    }
}

impl Refused {
    fn is_much(&self) -> bool {
        let reaches = |count: usize, warn: u32| usize::try_from(warn).is_ok_and(|warn| count >= warn);
        reaches(self.last_hour, self.warn_from_per_hour) || reaches(self.last_day, self.warn_from_per_day)
    }
}

impl Budget {
    /// What a person should know before more is sent, if anything.
    pub(super) fn warning(&self) -> Option<String> {
        if let Some(until) = self.closed_until {
            return Some(format!("the portal refuses everything for too many calls until {}", shown(until)));
        }
        if self.logins.left == 0 {
            let until = self.logins.next_free_at.map(shown).unwrap_or_default();
            return Some(format!("no login is left until {until}"));
        }
        self.refused.is_much().then(|| {
            format!(
                "{} refused within an hour and {} within a day; correct what is refused before more is sent",
                self.refused.last_hour, self.refused.last_day
            )
        })
    }

    pub(super) const fn user(&self) -> &UserScope {
        &self.user
    }
}

pub(super) fn run(arguments: &Quota, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    let wanted = |budget: &Budget| {
        arguments.gstin.is_none_or(|gstin| gstin == budget.user.gstin)
            && arguments.route.as_deref().is_none_or(|route| route == budget.user.route.as_str())
    };
    let mut budgets = block_on(budgets(&assembly))?;
    // A client's budget is that of all its users, whichever of them is looked at.
    let mut clients = of_clients(&budgets, &assembly);
    budgets.retain(wanted);
    clients.retain(|client| budgets.iter().any(|budget| client.is_of(budget, &assembly)));
    let code = if budgets.iter().any(|budget| budget.warning().is_some()) {
        exit_code::NEEDS_PERSON
    } else {
        exit_code::ALL_WELL
    };
    if output.is_json() {
        budgets.iter().try_for_each(|budget| output.object(budget))?;
        clients.iter().try_for_each(|client| output.object(client))?;
        return Ok(code);
    }
    if budgets.is_empty() {
        output.paragraph(0, &format!(
            "No login and no refusal within 24 hours. Each API user has {LOGINS_MAX} logins within {} minutes; a token \
             lasts for hours and is shared, so few are needed.",
            LOGIN_WINDOW.as_mins()
        ))?;
        return Ok(code);
    }
    show(&budgets, &clients, output)?;
    Ok(code)
}

/// The budgets of every API user that was used within a day.
///
/// # Errors
/// [`CliError::Usage`] when the file of uses cannot be read.
pub(super) async fn budgets(assembly: &Assembly) -> Result<Vec<Budget>, CliError> {
    let now = assembly.clock().now();
    let from = now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
    let entries = assembly.usage().since(from).await.map_err(|error| CliError::Usage(error.to_string()))?;
    let quota = &assembly.settings().quota;
    let users: BTreeSet<UserScope> = entries.iter().map(|entry| entry.user.clone()).collect();
    let protects = |user: &UserScope| route_of(user, assembly).is_none_or(|route| assembly.protects(route));
    Ok(users
        .into_iter()
        .map(|user| {
            let mut refused = refused(&entries, &user, now);
            (refused.warn_from_per_hour, refused.warn_from_per_day) = (quota.refusals_per_hour, quota.refusals_per_day);
            Budget {
                protected: protects(&user),
                logins: logins(&entries, &user, now),
                refused,
                codes: codes(&entries, &user),
                closed_until: closed_gate(&entries, &user, now).map(|(until, _)| until),
                user,
            }
        })
        .collect())
}

fn route_of<'a>(user: &UserScope, assembly: &'a Assembly) -> Option<&'a RouteTable> {
    assembly.settings().routes.iter().find(|route| route.route_name() == user.route)
}

fn logins(entries: &[UsageEntry], user: &UserScope, now: Timestamp) -> Logins {
    let window = Duration::try_from(LOGIN_WINDOW).unwrap_or_default();
    // The portal counts the logins of one API user together, by whichever route they went.
    let account = entries.iter().rev().filter(|entry| entry.user == *user).find_map(|entry| entry.account.clone());
    let next = UsageEntry { account, ..UsageEntry::new(now, user.clone(), Usage::Login) };
    let counted = logins_that_count(entries, &next, window);
    Logins {
        used: counted.len(),
        left: LOGINS_MAX.saturating_sub(counted.len()),
        most: LOGINS_MAX,
        window_minutes: LOGIN_WINDOW.as_mins(),
        next_free_at: counted.first().and_then(|oldest| oldest.checked_add(window).ok()),
    }
}

fn refused(entries: &[UsageEntry], user: &UserScope, now: Timestamp) -> Refused {
    let hour = now.checked_sub(HOUR).unwrap_or(Timestamp::MIN);
    let is_ours = |entry: &&UsageEntry| entry.user == *user && matches!(entry.what, Usage::Refused { .. });
    let ours = || entries.iter().filter(is_ours);
    Refused {
        last_hour: ours().filter(|entry| entry.at >= hour).count(),
        last_day: ours().count(),
        ..Refused::default()
    }
}

fn codes(entries: &[UsageEntry], user: &UserScope) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.user == *user) {
        if let Usage::Refused { codes, .. } = &entry.what {
            for code in codes {
                *count.entry(code.clone()).or_insert(0) += 1;
            }
        }
    }
    count
}

/// The same by client pair: what the portal may lay at its door.
fn of_clients(budgets: &[Budget], assembly: &Assembly) -> Vec<ClientBudget> {
    let mut clients: BTreeMap<(String, _), ClientBudget> = BTreeMap::new();
    for budget in budgets {
        let client = client_of(&budget.user, assembly);
        let environment = budget.user.environment;
        let known = clients.entry((client.clone(), environment)).or_insert_with(|| ClientBudget {
            client,
            environment,
            users: 0,
            refused: Refused {
                warn_from_per_hour: budget.refused.warn_from_per_hour,
                warn_from_per_day: budget.refused.warn_from_per_day,
                ..Refused::default()
            },
        });
        known.users += 1;
        known.refused.last_hour += budget.refused.last_hour;
        known.refused.last_day += budget.refused.last_day;
    }
    clients.into_values().collect()
}

/// Whose client pair a user logs in with.
fn client_of(user: &UserScope, assembly: &Assembly) -> String {
    match route_of(user, assembly).and_then(|route| route.client_account.as_ref()) {
        Some(account) => format!("account {account}"),
        None => user.gstin.pan().map_or_else(|| "no PAN".to_owned(), |pan| format!("PAN {pan}")),
    }
}

fn show(budgets: &[Budget], clients: &[ClientBudget], output: &mut Output) -> Result<(), CliError> {
    output.table(
        &[
            Column::keep("gstin"),
            Column::keep("route"),
            Column::leave_out("system", 1),
            Column::keep("logins"),
            Column::leave_out("next free", 2),
            Column::keep("refused 1 h / 24 h"),
            Column::leave_out("codes", 0),
        ],
        budgets.iter().map(|budget| {
            vec![
                budget.user.gstin.to_string(),
                budget.user.route.to_string(),
                system_in_short(budget.user.product).to_owned(),
                format!("{} of {}", budget.logins.used, budget.logins.most),
                budget.logins.next_free_at.filter(|_| budget.logins.used > 0).map(shown).unwrap_or_default(),
                format!("{} / {}", budget.refused.last_hour, budget.refused.last_day),
                often(&budget.codes),
            ]
        }),
    )?;
    output.line("")?;
    for client in clients {
        output.paragraph(
            0,
            &format!(
                "{} in {}, {}: {} refused within an hour, {} within a day (warning from {} and {}).",
                client.client,
                client.environment,
                counted(u64::try_from(client.users).unwrap_or(u64::MAX), "API user"),
                client.refused.last_hour,
                client.refused.last_day,
                client.refused.warn_from_per_hour,
                client.refused.warn_from_per_day,
            ),
        )?;
    }
    if budgets.iter().any(|budget| !budget.protected) {
        output.paragraph(0, "At an emulator logins are counted and not held back.")?;
    }
    for budget in budgets {
        if let Some(warning) = budget.warning() {
            let head = format!("{} by {}:", budget.user.gstin, budget.user.route);
            output.headed(Style::Attention, &head, &warning)?;
        }
    }
    Ok(())
}

fn often(codes: &BTreeMap<String, usize>) -> String {
    let mut by_count: Vec<(&String, &usize)> = codes.iter().collect();
    by_count.sort_by_key(|(code, count)| (std::cmp::Reverse(**count), (*code).clone()));
    let more = by_count.len().saturating_sub(CODES_SHOWN);
    let shown: Vec<String> =
        by_count.iter().take(CODES_SHOWN).map(|(code, count)| format!("{code} ×{count}")).collect();
    if more > 0 { format!("{}, {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn shown(at: Timestamp) -> String {
    format!("{} IST", PortalTime::at(at))
}

#[cfg(test)]
mod tests {
    use einvoice_core::environment::{Environment, Product, RouteName};
    use einvoice_core::portal_code::ErrorClass;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn user() -> UserScope {
        UserScope {
            gstin: "29AABCE1234F1Z1".parse().unwrap(),
            product: Product::EInvoice,
            environment: Environment::Sandbox,
            route: RouteName::new("nic"),
        }
    }

    fn refusal(minute: i64, code: &str) -> UsageEntry {
        let what = Usage::Refused { operation: None, codes: vec![code.to_owned()], class: ErrorClass::of(code) };
        UsageEntry::new(at(minute), user(), what)
    }

    #[test]
    fn logins_are_used_and_left_and_come_back_when_the_oldest_is_over() {
        let entries: Vec<UsageEntry> = (0..3).map(|minute| UsageEntry::new(at(minute), user(), Usage::Login)).collect();
        let found = logins(&entries, &user(), at(10));
        assert_eq!((found.used, found.left, found.next_free_at), (3, 2, Some(at(15))));
        assert_eq!(logins(&entries, &user(), at(60)).used, 0);
    }

    #[test]
    fn refusals_of_the_hour_are_told_from_those_of_the_day_and_codes_by_their_number() {
        let entries = [refusal(0, "2150"), refusal(100, "2172"), refusal(110, "2172"), refusal(120, "3028")];
        let found = refused(&entries, &user(), at(125));
        assert_eq!((found.last_hour, found.last_day), (3, 4));
        assert_eq!(often(&codes(&entries, &user())), "2172 ×2, 2150 ×1, 3028 ×1");
    }
}

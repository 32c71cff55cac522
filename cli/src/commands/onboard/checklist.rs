//! The checklist of a way: every step, whether it is done, and whose move it is. Made of the answers alone.

use std::path::Path;

use einvoice_core::environment::{Environment, Product};
use serde::Serialize;
use serde_json::json;

use super::answers::{Answers, Application, Portal, Provider, Way};
use super::provider::{self, Facts};
use crate::error::CliError;
use crate::output::{Column, Output, Span, Style};

/// A step.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    /// For programs; stable.
    step: &'static str,
    /// For people.
    title: String,
    state: State,
    /// What to do, or what is known.
    note: String,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Done.
    Done,
    /// The move of whoever answers, here or on a web page.
    You,
    /// The portal's move.
    Portal,
    /// The provider's move.
    Provider,
    /// After the steps before it.
    Later,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::You => "you",
            Self::Portal => "portal",
            Self::Provider => "provider",
            Self::Later => "later",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Done => Style::Good,
            Self::You => Style::Attention,
            _ => Style::Faint,
        }
    }

    const fn done(is_done: bool, open: Self) -> Self {
        if is_done { Self::Done } else { open }
    }
}

/// Steps under way; a step after an open one comes later.
struct List {
    items: Vec<Item>,
    open: bool,
}

impl List {
    fn add(&mut self, step: &'static str, title: impl Into<String>, state: State, note: impl Into<String>) {
        let state = if self.open && state != State::Done { State::Later } else { state };
        self.open |= state != State::Done;
        self.items.push(Item { step, title: title.into(), state, note: note.into() });
    }
}

/// The checklist of the way that was chosen, or of choosing one.
pub(super) fn of(answers: &Answers, directory: &Path) -> Vec<Item> {
    let mut list = List { items: Vec::new(), open: false };
    let gstins: Vec<String> = answers.gstins.iter().map(ToString::to_string).collect();
    let is_known = answers.pan.is_some() && !gstins.is_empty();
    list.add("who", "PAN and GSTINs", State::done(is_known, State::You), gstins.join(", "));
    let chosen = answers.way.is_some() && answers.environment.is_some();
    list.add("way", "Way and environment", State::done(chosen, State::You), way(answers));
    match (answers.way, answers.environment) {
        (Some(Way::Direct), Some(environment)) => direct(answers, environment, directory, &mut list),
        (Some(_), Some(environment)) => through_provider(answers, environment, directory, &mut list),
        _ => {}
    }
    list.add(
        "configuration",
        "Configuration",
        State::done(answers.done.configured, State::You),
        if answers.done.configured {
            format!("route {}", answers.route_name())
        } else {
            "`einvoice onboard`".to_owned()
        },
    );
    credentials(answers, directory, &mut list);
    let users: Vec<_> = answers.products().into_iter().flat_map(|product| answers.users(product)).collect();
    let worked = users.iter().filter(|user| answers.has_logged_in(user)).count();
    let all = !users.is_empty() && worked == users.len();
    list.add(
        "login",
        "Login of each API user",
        State::done(all, State::You),
        if all {
            format!("{worked} of {}", users.len())
        } else {
            format!("{worked} of {}: `einvoice onboard`", users.len())
        },
    );
    list.items
}

/// Whether nothing is left to do.
pub(super) fn is_done(list: &[Item]) -> bool {
    list.iter().all(|item| item.state == State::Done)
}

fn way(answers: &Answers) -> String {
    let environment = answers.environment.map(|environment| environment.to_string()).unwrap_or_default();
    match answers.way {
        Some(Way::Direct) => format!("straight to the portal, {environment}"),
        Some(Way::Gsp) => format!("through a GSP, {environment}"),
        Some(Way::Provider) => format!("through a provider, {environment}"),
        None => String::new(),
    }
}

fn direct(answers: &Answers, environment: Environment, directory: &Path, list: &mut List) {
    let portal = answers.portal.as_ref();
    let has_key = |portal: Option<&Portal>| portal.is_some_and(|portal| portal.login_key_file.is_some());
    let has_keys = has_key(portal) && (answers.with_ewb != Some(true) || has_key(answers.ewb.as_ref()));
    list.add(
        "portal",
        "Address and key of the portal",
        State::done(has_keys, State::You),
        portal.map_or_else(|| "on its pages, after the login".to_owned(), |portal| portal.base_url.clone()),
    );
    if environment == Environment::Sandbox {
        return;
    }
    let addresses = answers.addresses.clone().unwrap_or_default();
    list.add(
        "addresses",
        "Public addresses, one to four",
        State::done(!addresses.is_empty(), State::You),
        if addresses.is_empty() { "fixed public IPv4 addresses in India".to_owned() } else { addresses.to_string() },
    );
    let handed_in = matches!(answers.application, Some(Application::Applied | Application::Accepted));
    let came_back = matches!(answers.application, Some(Application::Returned { .. }));
    let evidence = Path::new("onboard").join("test-report.xlsx");
    let is_made = directory.join(&evidence).is_file() && !came_back;
    list.add(
        "tests",
        "Tests, 50 good and 50 bad of each API",
        State::done(handed_in || is_made, State::You),
        if handed_in {
            "handed in".to_owned()
        } else if is_made {
            format!("{}, to be uploaded", evidence.display())
        } else {
            "`einvoice onboard test-report`, by a route to a sandbox".to_owned()
        },
    );
    let (state, note) = match &answers.application {
        None | Some(Application::Open) => {
            (State::You, "portal: API Registration, with the summary of the tests".to_owned())
        }
        Some(Application::Applied) => (State::Portal, "under scrutiny; four to five days are usual".to_owned()),
        Some(Application::Returned { reason }) => (State::You, format!("returned: {reason}")),
        Some(Application::Accepted) => (State::Done, "accepted".to_owned()),
    };
    list.add("application", "Application for the IP listing", state, note);
}

fn through_provider(answers: &Answers, environment: Environment, directory: &Path, list: &mut List) {
    let chosen = answers.provider.as_ref();
    let facts = chosen.and_then(|chosen| provider::facts(&chosen.profile, directory).ok());
    list.add(
        "provider",
        "Provider and account",
        State::done(chosen.is_some_and(Provider::has_addresses), State::You),
        facts.as_ref().map(|facts| facts.name.clone()).unwrap_or_default(),
    );
    if facts.is_some_and(|facts| facts.lists_addresses) && environment == Environment::Production {
        let addresses = answers.addresses.clone().unwrap_or_default();
        list.add(
            "addresses",
            "Addresses told to the provider",
            State::done(answers.addresses.is_some(), State::You),
            if addresses.is_empty() { "none".to_owned() } else { addresses.to_string() },
        );
    }
}

fn credentials(answers: &Answers, directory: &Path, list: &mut List) {
    let direct = answers.way == Some(Way::Direct);
    let facts: Option<Facts> = answers
        .provider
        .as_ref()
        .filter(|_| !direct)
        .and_then(|provider| provider::facts(&provider.profile, directory).ok());
    let per_product = facts.as_ref().is_some_and(|facts| facts.pair_per_product);
    let pairs = if per_product { answers.products() } else { vec![Product::EInvoice] };
    let have_pairs = pairs.iter().all(|product| answers.done.clients.contains(product));
    let (owner, note) = if direct {
        (State::Portal, "comes by SMS to the registered mobile; not here? portal, client credentials: send again")
    } else {
        (State::Provider, "from the provider's console, or by mail")
    };
    list.add(
        "client",
        "Client id and secret",
        State::done(have_pairs, owner),
        if have_pairs { "in the credential store" } else { note },
    );
    for product in answers.products() {
        let title = if product == Product::EInvoice { "API users, e-invoice" } else { "API users, e-way bill" };
        let at_provider = facts.as_ref().and_then(|facts| facts.system(product)).is_some_and(|it| it.user_at_provider);
        let users = answers.users(product);
        let known = users.iter().filter(|user| answers.done.users.contains(user)).count();
        if at_provider {
            let proven = !users.is_empty() && users.iter().all(|user| answers.has_logged_in(user));
            let note = "portal: Create API User; then enter it in the provider's console";
            let state = State::done(proven || have_pairs, State::You);
            list.add("users", title, state, note);
            continue;
        }
        let all = !users.is_empty() && known == users.len();
        let how = if direct { "direct" } else { "through GSP/ERP" };
        let note = if all {
            format!("{known} of {}", users.len())
        } else {
            format!("{known} of {}: portal, for each GSTIN: Create API User, {how}", users.len())
        };
        list.add("users", title, State::done(all, State::You), note);
    }
}

/// Shows the list, and what is next.
pub(super) fn show(list: &[Item], answers: &Answers, output: &mut Output) -> Result<(), CliError> {
    let done = is_done(list);
    if output.is_json() {
        return output.object(&json!({
            "pan": answers.pan,
            "gstins": answers.gstins,
            "way": answers.way,
            "environment": answers.environment,
            "route": answers.route,
            "done": done,
            "steps": list,
        }));
    }
    output.line("")?;
    output.table(
        &[Column::keep("step"), Column::keep("move"), Column::wrap("what")],
        list.iter().map(|item| vec![item.title.clone(), item.state.word().to_owned(), item.note.clone()]),
    )?;
    output.line("")?;
    if done {
        let spans = [
            Span::styled(Style::Good, "Everything is in place."),
            Span::plain(
                " `einvoice run --once` registers what the sources hold, `einvoice doctor` checks the way at any time, \
                 `einvoice quota` shows the budgets.",
            ),
        ];
        return output.spans(0, 0, &spans);
    }
    let Some(next) = list.iter().find(|item| item.state != State::Done) else { return Ok(()) };
    let whose = match next.state {
        State::Portal => "The portal's move",
        State::Provider => "The provider's move",
        _ => "Your move",
    };
    let head = format!("{whose}: {}.", next.title);
    let rest = " Then `einvoice onboard` goes on; `einvoice onboard --status` shows this again.";
    output.spans(0, 0, &[Span::styled(next.state.style(), &head), Span::plain(rest)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(answers: &Answers) -> Vec<(&'static str, &'static str)> {
        of(answers, Path::new("")).into_iter().map(|item| (item.step, item.state.word())).collect()
    }

    fn known(environment: Environment) -> Answers {
        let mut answers = Answers::default();
        answers.pan = Some("AAPFU0939F".parse().unwrap());
        answers.gstins = vec!["27AAPFU0939F1ZV".parse().unwrap()];
        answers.way = Some(Way::Direct);
        answers.environment = Some(environment);
        answers
    }

    #[test]
    fn a_list_begins_with_one_open_step_and_the_rest_comes_later() {
        let steps = words(&Answers::default());
        assert_eq!(steps.first(), Some(&("who", "you")));
        assert!(steps.iter().skip(1).all(|(_, state)| *state == "later"), "{steps:?}");
    }

    #[test]
    fn production_asks_for_addresses_tests_and_an_application_and_the_sandbox_does_not() {
        let production: Vec<_> = words(&known(Environment::Production)).into_iter().map(|(step, _)| step).collect();
        assert!(["addresses", "tests", "application"].iter().all(|step| production.contains(step)));
        let sandbox: Vec<_> = words(&known(Environment::Sandbox)).into_iter().map(|(step, _)| step).collect();
        assert!(!sandbox.contains(&"application"), "{sandbox:?}");
    }

    #[test]
    fn an_application_waits_for_whoever_has_to_move() {
        let mut answers = known(Environment::Production);
        answers.portal =
            Some(Portal { base_url: "https://portal.example".into(), login_key_file: Some("key.pem".into()) });
        answers.addresses = Some(super::super::check::addresses("8.8.8.1").unwrap());
        let mut state = |application| {
            answers.application = Some(application);
            words(&answers).into_iter().find(|(step, _)| *step == "application").unwrap().1
        };
        assert_eq!(state(Application::Applied), "portal");
        assert_eq!(state(Application::Accepted), "done");
        // The tests were asked about, so they stand before it.
        assert_eq!(state(Application::Returned { reason: "one API is missing".into() }), "later");
    }
}

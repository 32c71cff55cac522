//! Every code that the tables of the README claim is provoked by a request, and no other is claimed.
//!
//! The tables are read from the README itself; each module provokes the codes of some of their rows.

mod acts;
mod by_irn;
mod convoys;
mod generate;
mod irn;
mod login;
mod reads;

pub(crate) use convoys::start;

use std::collections::{BTreeMap, BTreeSet};

use einvoice_sandbox::Sandbox;
use serde_json::Value;

use crate::raw::{EwbClient, RawClient, call, codes, ewb_codes};

/// Codes by row.
type Table = BTreeMap<String, BTreeSet<u32>>;

/// What was provoked, and what was not.
#[derive(Default)]
struct Tally {
    seen: Table,
    wrong: Vec<String>,
}

impl Tally {
    /// Notes a refusal of a row; the expected code is among those that came.
    fn saw(&mut self, row: &str, came: &[String], expected: &str) {
        if came.iter().any(|code| code == expected) {
            self.seen.entry(row.to_owned()).or_default().insert(expected.parse().unwrap());
        } else {
            self.wrong.push(format!("{row}: {expected} expected, {came:?} came"));
        }
    }

    /// An action of the e-way bill system that is refused; its row has its name.
    async fn act(&mut self, sandbox: &Sandbox, action: &str, who: &str, plain: &Value, expected: &str) {
        self.act_in(action, sandbox, action, who, plain, expected).await;
    }

    /// An action that is refused with a code of a row shared by several.
    async fn act_in(&mut self, row: &str, sandbox: &Sandbox, action: &str, who: &str, plain: &Value, expected: &str) {
        let client = EwbClient::logged_in(sandbox, who).await;
        let came = client.act(sandbox, action, plain).await.err().unwrap_or_default();
        self.saw(row, &came, expected);
    }

    /// A page of the e-way bill system that is refused.
    async fn page(&mut self, row: &str, sandbox: &Sandbox, who: &str, page: &str, expected: &str) {
        let client = EwbClient::logged_in(sandbox, who).await;
        let came = client.read(sandbox, page).await.err().unwrap_or_default();
        self.saw(row, &came, expected);
    }

    /// A request to the registration portal that is refused.
    async fn irp(&mut self, row: &str, sandbox: &Sandbox, request: &einvoice_sandbox::PortalRequest, expected: &str) {
        let reply = call(sandbox, request).await;
        let came = if reply["Status"] == 0 { codes(&reply) } else { Vec::new() };
        self.saw(row, &came, expected);
    }

    /// A request to the e-way bill system that is refused.
    async fn ewb(&mut self, row: &str, sandbox: &Sandbox, request: &einvoice_sandbox::PortalRequest, expected: &str) {
        let reply = call(sandbox, request).await;
        let came = if reply["status"] == "0" { ewb_codes(&reply) } else { Vec::new() };
        self.saw(row, &came, expected);
    }
}

/// A request with members changed, or left out where the change says null.
fn with(base: &Value, changes: &Value) -> Value {
    let mut request = base.clone();
    let members = request.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    request
}

/// Carries out an action that must succeed.
async fn done(sandbox: &Sandbox, action: &str, who: &str, plain: &Value) -> Value {
    let answer = EwbClient::logged_in(sandbox, who).await.act(sandbox, action, plain).await;
    answer.unwrap_or_else(|codes| panic!("{action} {plain}: {codes:?}"))
}

async fn irp_client(sandbox: &Sandbox, who: &str) -> RawClient {
    sandbox.provision(who).await.unwrap();
    RawClient::logged_in(sandbox, who).await
}

/// The rows of all tables of the README whose last column lists refusals.
fn claimed() -> Table {
    let readme = include_str!("../../../README.md");
    let mut table = Table::new();
    let mut in_table = false;
    for line in readme.lines() {
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            [_, head] if line.starts_with('|') && head.starts_with("refusals") => in_table = true,
            [row, listed] if in_table && line.starts_with('|') && !row.starts_with("---") => {
                let known = table.insert((*row).replace('`', ""), listed_codes(listed));
                assert!(known.is_none(), "{row} stands in the tables twice");
            }
            [row, _] if in_table && row.starts_with("---") => {}
            _ => in_table = false,
        }
    }
    table
}

/// `201, 203 to 205 (by a setting)` as four codes.
fn listed_codes(listed: &str) -> BTreeSet<u32> {
    let mut plain = String::new();
    let mut depth = 0;
    for character in listed.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    let mut codes = BTreeSet::new();
    for part in plain.split(',') {
        let number = |text: &str| text.trim().parse::<u32>().unwrap_or_else(|_| panic!("no code: {part} in {listed}"));
        match part.split_once(" to ") {
            Some((first, last)) => codes.extend(number(first)..=number(last)),
            None => codes.extend([number(part)]),
        }
    }
    codes
}

#[tokio::test]
async fn every_code_of_the_tables_is_provoked_and_no_other() {
    let mut tally = Tally::default();
    login::provoke(&mut tally).await;
    irn::provoke(&mut tally).await;
    by_irn::provoke(&mut tally).await;
    generate::provoke(&mut tally).await;
    acts::provoke(&mut tally).await;
    convoys::provoke(&mut tally).await;
    reads::provoke(&mut tally).await;
    let claimed = claimed();
    assert!(claimed.len() > 15, "the tables were not found: {claimed:?}");
    let rows: BTreeSet<_> = claimed.keys().chain(tally.seen.keys()).cloned().collect();
    for row in rows {
        let (claimed, seen) =
            (claimed.get(&row).cloned().unwrap_or_default(), tally.seen.remove(&row).unwrap_or_default());
        let (idle, untold): (Vec<_>, Vec<_>) =
            (claimed.difference(&seen).collect(), seen.difference(&claimed).collect());
        if !idle.is_empty() {
            tally.wrong.push(format!("{row}: in the table and not provoked: {idle:?}"));
        }
        if !untold.is_empty() {
            tally.wrong.push(format!("{row}: provoked and not in the table: {untold:?}"));
        }
    }
    assert!(tally.wrong.is_empty(), "\n{}", tally.wrong.join("\n"));
}

#[test]
fn a_row_lists_codes_and_ranges_of_codes() {
    assert_eq!(listed_codes("201, 203 to 205 (by a setting), 7"), BTreeSet::from([7, 201, 203, 204, 205]));
}

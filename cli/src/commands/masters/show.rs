//! `masters show`: everything that is known about one code on a day.

use einvoice_core::masters::{Change, HsnLists, Kind, Lookup, MastersOn, PinVerdict, PlaceOfSupply, Withdrawal};
use einvoice_core::number::Rate;
use jiff::civil::Date;
use serde::Serialize;

use crate::error::CliError;
use crate::exit_code;
use crate::output::{Column, Output, Style};

/// Most codes that are named beside one that is not listed: more would be a list to search through.
const NEAR_MAX: usize = 5;

/// Most rates that are named beside one that is not listed: the next ones down and up, and one more.
const NEAR_RATES_MAX: usize = 3;

/// The PIN code that documents carry for places that have none; no directory has it.
const PIN_ABROAD: &str = "999999";

/// Characters of a text that are looked for: no code and no word of a name is longer.
const SEARCHED_MAX: usize = 40;

/// What came of the look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Listed,
    /// A PIN that is not in the directory while others with its first three digits are.
    Prefix,
    Withdrawn,
    Unlisted,
}

/// A code as `--json` shows it; what a master does not know is left out.
#[derive(Serialize)]
struct Shown {
    master: Kind,
    code: String,
    verdict: Verdict,
    as_of: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place_of_supply: Option<PlaceOfSupply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gstin_prefix: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utgst: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lists: Option<HsnLists>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    states: Vec<InState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<String>,
    #[serde(rename = "override")]
    changed: bool,
}

#[derive(Serialize)]
struct InState {
    code: String,
    name: String,
}

pub(super) fn run(kind: Kind, code: &str, masters: MastersOn<'_>, output: &mut Output) -> Result<u8, CliError> {
    let Some(shown) = look_up(kind, code, masters) else {
        // Somebody who knows the name, or the start of a code, is shown the way to it.
        let search = match start_of_search(kind, code, masters) {
            Some(start) => {
                format!("; `einvoice masters search {start} --kind {kind}` finds codes by name and by start")
            }
            None => String::new(),
        };
        return Err(CliError::Usage(format!("`{code}` is no {kind} code: expected {}{search}", kind.form())));
    };
    if output.is_json() {
        output.object(&shown)?;
    } else {
        text(&shown, output)?;
    }
    Ok(match shown.verdict {
        Verdict::Listed | Verdict::Prefix => exit_code::ALL_WELL,
        Verdict::Withdrawn | Verdict::Unlisted => exit_code::NEEDS_PERSON,
    })
}

/// The longest start of a text by which a search finds something; one letter would find half of a master.
fn start_of_search<'t>(kind: Kind, text: &'t str, masters: MastersOn<'_>) -> Option<&'t str> {
    let text = text.trim();
    // Of a code no more than four characters: more of it leads to itself, or to nothing.
    let most = if text.bytes().all(|byte| byte.is_ascii_digit()) { 4 } else { usize::MAX };
    let letters = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take(most.min(SEARCHED_MAX));
    let mut starts: Vec<&str> = letters.filter_map(|end| text.get(..end)).collect();
    starts.reverse();
    starts
        .into_iter()
        .find(|start| start.len() > 1 && !start.ends_with(' ') && !masters.search(start, Some(kind)).is_empty())
}

/// Looks a code up; nothing when it does not have the form of its master.
fn look_up(kind: Kind, code: &str, masters: MastersOn<'_>) -> Option<Shown> {
    let code = kind.spell(code.trim().trim_end_matches('%'))?;
    let mut shown = Shown {
        master: kind,
        code,
        verdict: Verdict::Unlisted,
        as_of: masters.day(),
        name: None,
        place_of_supply: None,
        gstin_prefix: None,
        utgst: None,
        lists: None,
        states: Vec::new(),
        from: None,
        until: None,
        remark: None,
        near: Vec::new(),
        changed: false,
    };
    let code = shown.code.clone();
    match kind {
        Kind::State => {
            if let Some(state) = shown.take(masters.state(code.parse().ok()?)) {
                shown.name = Some(state.name.to_owned());
                shown.place_of_supply = Some(state.place_of_supply);
                (shown.gstin_prefix, shown.utgst) = (Some(state.gstin_prefix), Some(state.utgst));
                shown.remark = Some(state.remark).filter(|remark| !remark.is_empty()).map(str::to_owned);
            }
        }
        Kind::Pin => shown.pin(masters.pin(code.parse().ok()?), masters),
        Kind::Hsn => {
            let code = code.parse().ok()?;
            shown.name = masters.hsn_name(code).map(str::to_owned);
            if let Some(hsn) = shown.take(masters.hsn(code)) {
                shown.lists = Some(hsn.lists);
            }
        }
        Kind::Rate => {
            if let Some(span) = shown.take(masters.rate(code.parse().ok()?)) {
                (shown.from, shown.until) = (span.from, span.until);
                shown.remark = Some(span.remark.to_owned());
            }
        }
        _ => {
            let found = match kind {
                Kind::Uqc => masters.unit(&code),
                Kind::Country => masters.country(&code),
                Kind::Currency => masters.currency(&code),
                _ => masters.port(&code),
            };
            if let Some(named) = shown.take(found) {
                shown.name = Some(named.name.to_owned());
            }
        }
    }
    shown.change(masters.change(kind, &code));
    shown.name = shown.name.filter(|name| !name.is_empty());
    if shown.verdict == Verdict::Unlisted {
        shown.near = near(kind, &code, masters);
    }
    Some(shown)
}

/// Listed codes with the longest beginning in common with one that is not; of rates the nearest by number.
fn near(kind: Kind, code: &str, masters: MastersOn<'_>) -> Vec<String> {
    if kind == Kind::Rate {
        let wanted = Rate::parse(code).map(Rate::thousandths).unwrap_or_default();
        let mut rates: Vec<Rate> = masters.rates().map(|span| span.rate).collect();
        rates.sort_by_key(|rate| rate.thousandths().abs_diff(wanted));
        return rates.iter().take(NEAR_RATES_MAX).map(Rate::to_string).collect();
    }
    // Half of it at least: one letter in common says nothing.
    let beginnings = (code.len().div_ceil(2)..code.len()).rev().filter_map(|length| code.get(..length));
    let alike = beginnings.map(|beginning| {
        let found = masters.search(beginning, Some(kind)).into_iter().map(|found| found.code);
        // A search also goes by names, and finds chapters, which no document can carry.
        let codes = found.filter(|found| found.starts_with(beginning) && kind.spell(found).is_some());
        codes.take(NEAR_MAX).collect::<Vec<_>>()
    });
    alike.into_iter().find(|codes| !codes.is_empty()).unwrap_or_default()
}

impl Shown {
    /// Notes the verdict and gives what is listed.
    fn take<T>(&mut self, found: Lookup<'_, T>) -> Option<T> {
        match &found {
            Lookup::Listed(_) => self.verdict = Verdict::Listed,
            Lookup::Withdrawn(withdrawal) => self.withdrawn(*withdrawal),
            _ => {}
        }
        found.listed()
    }

    fn withdrawn(&mut self, withdrawal: Withdrawal<'_>) {
        self.verdict = Verdict::Withdrawn;
        (self.from, self.until) = (withdrawal.from, withdrawal.until);
        self.remark = Some(withdrawal.reason.to_owned());
    }

    /// Notes the override that decides about the code.
    fn change(&mut self, change: Option<&Change>) {
        if let Some(change) = change {
            self.changed = true;
            (self.from, self.until) = (change.first_day(), change.last_day());
            self.remark = Some(change.reason().to_owned());
            if !change.name().is_empty() {
                self.name = Some(change.name().to_owned());
            }
        }
    }

    fn pin(&mut self, verdict: PinVerdict<'_>, masters: MastersOn<'_>) {
        match &verdict {
            PinVerdict::States(_) => self.verdict = Verdict::Listed,
            PinVerdict::Prefix(_) => self.verdict = Verdict::Prefix,
            PinVerdict::Withdrawn(withdrawal) => self.withdrawn(*withdrawal),
            _ => {}
        }
        self.states = verdict
            .states()
            .iter()
            .map(|state| InState {
                code: state.to_string(),
                name: masters.state(state).listed().map(|state| state.name.to_owned()).unwrap_or_default(),
            })
            .collect();
    }
}

fn text(shown: &Shown, output: &mut Output) -> Result<(), CliError> {
    let (style, verdict) = match shown.verdict {
        Verdict::Listed if shown.lists == Some(HsnLists::Refused) => {
            (Style::Bad, "is listed by the GST portal, and known to be refused by the e-invoice portal,")
        }
        Verdict::Listed => (Style::Good, "is listed"),
        Verdict::Prefix => (Style::Good, "is not in the directory; others with its first three digits are"),
        Verdict::Withdrawn => (Style::Bad, "is withdrawn"),
        Verdict::Unlisted => (Style::Bad, "is not listed"),
    };
    let heading = format!("{} {} {verdict} on {}", shown.master, shown.code, shown.as_of);
    output.line(output.styled(style, &heading))?;
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let place = shown.place_of_supply.map(|place| match place {
        PlaceOfSupply::Yes => "yes".to_owned(),
        PlaceOfSupply::No => "no".to_owned(),
        PlaceOfSupply::ExportsOnly => "for exports only".to_owned(),
    });
    let lists = shown.lists.map(|lists| super::lists(lists).unwrap_or("e-invoice portal and GST portal").to_owned());
    let states: Vec<String> = shown.states.iter().map(|state| format!("{} {}", state.code, state.name)).collect();
    let facts = [
        ("name", shown.name.clone().filter(|_| shown.verdict != Verdict::Unlisted)),
        ("place of supply", place),
        ("GSTINs begin with it", shown.gstin_prefix.map(yes_no)),
        ("UTGST", shown.utgst.map(yes_no)),
        ("lists", lists),
        ("states", Some(states.join(", ")).filter(|states| !states.is_empty())),
        ("from", shown.from.map(|day| day.to_string())),
        ("until", shown.until.map(|day| day.to_string())),
        ("remark", shown.remark.clone()),
        ("source", shown.changed.then(|| "override file of the configuration".to_owned())),
    ];
    let rows: Vec<Vec<String>> =
        facts.into_iter().filter_map(|(fact, value)| Some(vec![fact.to_owned(), value?])).collect();
    if !rows.is_empty() {
        output.table(&[Column::keep("fact"), Column::wrap("value")], rows)?;
    }
    if shown.verdict == Verdict::Unlisted {
        output.remark(way_on(shown));
    }
    Ok(())
}

/// How to go on from a code that is not listed.
fn way_on(shown: &Shown) -> String {
    if shown.master == Kind::Pin && shown.code == PIN_ABROAD {
        return format!("{PIN_ABROAD} stands for places abroad and Other Territory, and need not be added");
    }
    let near = if shown.near.is_empty() { String::new() } else { format!("near: {}; ", shown.near.join(", ")) };
    format!(
        "{near}`einvoice masters search TEXT --kind {}` finds codes by their beginning or by words of their names; a \
         code that the portal lists is added with the file of [check] masters",
        shown.master
    )
}

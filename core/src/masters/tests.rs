//! The tables against the lists they are made of, against a second copy of the facts, and under changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

const TODAY: Date = date(2026, 11, 22);

fn builtin() -> MastersOn<'static> {
    Masters::builtin().on(TODAY)
}

/// The rows of a list of `core/data/masters`, without the heading.
fn rows(name: &str) -> Vec<Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/masters").join(format!("{name}.tsv"));
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn state_codes(text: &str, separator: char) -> BTreeSet<StateCode> {
    text.split(separator).map(|code| code.parse().unwrap()).collect()
}

#[test]
fn every_state_of_the_list_is_found_as_the_list_has_it() {
    let rows = rows("states");
    assert_eq!((rows.len(), tables::states().len()), (41, 41));
    for row in rows {
        let state = builtin().state(row[0].parse().unwrap()).listed().unwrap();
        let place_of_supply = match state.place_of_supply {
            PlaceOfSupply::Yes => "yes",
            PlaceOfSupply::No => "no",
            PlaceOfSupply::ExportsOnly => "exports",
        };
        let word = |yes| if yes { "yes" } else { "no" }.to_owned();
        let found = [
            state.code.to_string(),
            state.name.to_owned(),
            place_of_supply.to_owned(),
            word(state.gstin_prefix),
            word(state.utgst),
            state.remark.to_owned(),
        ];
        assert_eq!(row, found);
    }
}

#[test]
fn every_unit_country_currency_and_port_is_found_in_either_case() {
    for (list, kind, count) in [
        ("units", Kind::Uqc, 45),
        ("countries", Kind::Country, 249),
        ("currencies", Kind::Currency, 179),
        ("ports", Kind::Port, 1005),
    ] {
        let rows = rows(list);
        assert_eq!(rows.len(), count, "{list}");
        for row in rows {
            for code in [row[0].clone(), row[0].to_lowercase()] {
                let found = builtin().named(kind, &code).listed().unwrap();
                assert_eq!([found.code, found.name], [&row[0], &row[1]], "{list}");
            }
        }
    }
}

#[test]
fn every_pin_is_found_in_its_states_and_their_number_is_that_of_the_list() {
    let rows = rows("pins");
    assert_eq!((rows.len(), tables::pins().count()), (19_238, 19_238));
    for row in rows {
        let PinVerdict::States(states) = builtin().pin(row[0].parse().unwrap()) else {
            panic!("{row:?} is not found");
        };
        assert_eq!(states.iter().collect::<BTreeSet<_>>(), state_codes(&row[1], ' '), "{row:?}");
    }
}

#[test]
fn every_hsn_code_is_found_in_its_lists_and_their_number_is_that_of_the_list() {
    let rows = rows("hsn");
    assert_eq!(rows.len(), 22_473);
    let chapters = rows.iter().filter(|row| row[0].len() == 2).count();
    assert_eq!(tables::hsn_codes().count(), rows.len() - chapters);
    assert_eq!(tables::CHAPTER_TABLE.iter().count(), chapters);
    for row in rows.iter().filter(|row| row[0].len() > 2) {
        let found = builtin().hsn(row[0].parse().unwrap()).listed().unwrap();
        let lists = match found.lists {
            HsnLists::Both => "both",
            HsnLists::GstOnly => "gst",
            HsnLists::Refused => "refused",
        };
        assert_eq!((found.code.to_string(), lists), (row[0].clone(), row[1].as_str()));
    }
}

#[test]
fn every_rate_is_found_and_the_withdrawn_one_says_so() {
    let rows = rows("rates");
    assert_eq!((rows.len(), tables::rates().len(), builtin().rates().count()), (14, 14, 13));
    for row in rows {
        let rate: Rate = row[0].parse().unwrap();
        let found = builtin().rate(rate);
        if row[3] == "no" {
            assert_eq!(found.withdrawal().unwrap().reason, row[4]);
            continue;
        }
        let span = found.listed().unwrap();
        let shown = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        assert_eq!([shown(span.from), shown(span.until)], [row[1].clone(), row[2].clone()]);
    }
    assert!(!builtin().rate("2".parse().unwrap()).is_listed());
}

#[test]
fn rates_hold_from_their_first_day_to_their_last() {
    let span = |rate: &str| builtin().rate(rate.parse().unwrap()).listed().unwrap();
    assert!(span("12").holds_on(date(2025, 9, 21)) && !span("12").holds_on(date(2025, 9, 22)));
    assert!(!span("40").holds_on(date(2025, 9, 21)) && span("40").holds_on(date(2025, 9, 22)));
    assert!(span("18").holds_on(TODAY));
}

proptest! {
    #[test]
    fn an_hsn_code_that_is_not_in_the_list_is_not_found(length in 0_usize..3, number in 1_u32..100_000_000) {
        let (digits, most) = [(4, 10_000), (6, 1_000_000), (8, 100_000_000)][length];
        let code = format!("{:0digits$}", number % most);
        if let Ok(code) = code.parse::<HsnCode>() {
            let listed = hsn_list().contains(&code.to_string());
            prop_assert_eq!(builtin().hsn(code).is_listed(), listed);
        }
    }

    #[test]
    fn a_pin_that_is_not_in_the_list_is_at_most_known_by_its_first_three_digits(pin in 0_u32..2_000_000) {
        let verdict = builtin().pin(pin);
        let listed = pin_list().contains_key(&pin);
        prop_assert_eq!(matches!(verdict, PinVerdict::States(_)), listed);
        let near = pin_list().range(pin / 1000 * 1000..=pin / 1000 * 1000 + 999).next().is_some();
        prop_assert_eq!(matches!(verdict, PinVerdict::Unknown), !near);
    }

    #[test]
    fn a_text_that_is_no_code_is_not_found(text in "\\PC{0,12}") {
        let folded = text.to_ascii_uppercase();
        for (list, kind) in
            [("units", Kind::Uqc), ("countries", Kind::Country), ("currencies", Kind::Currency), ("ports", Kind::Port)]
        {
            let listed = rows(list).iter().any(|row| row[0] == folded);
            prop_assert_eq!(builtin().named(kind, &text).is_listed(), listed);
        }
    }
}

fn hsn_list() -> &'static BTreeSet<String> {
    static LIST: std::sync::LazyLock<BTreeSet<String>> =
        std::sync::LazyLock::new(|| rows("hsn").into_iter().map(|row| row[0].clone()).collect());
    &LIST
}

fn pin_list() -> &'static BTreeMap<u32, BTreeSet<StateCode>> {
    static LIST: std::sync::LazyLock<BTreeMap<u32, BTreeSet<StateCode>>> = std::sync::LazyLock::new(|| {
        rows("pins").into_iter().map(|row| (row[0].parse().unwrap(), state_codes(&row[1], ' '))).collect()
    });
    &LIST
}

#[test]
fn a_missing_pin_is_known_by_its_first_three_digits_the_likeliest_state_first() {
    let PinVerdict::Prefix(states) = builtin().pin(160_999) else { panic!("160999 is listed, or unknown") };
    assert_eq!(states.iter().map(StateCode::number).collect::<Vec<_>>(), [4, 3]);
    for unknown in [999_999, 100_000, 0, 1_000_000, u32::MAX] {
        assert_eq!(builtin().pin(unknown), PinVerdict::Unknown, "{unknown}");
    }
}

#[test]
fn codes_the_portal_has_refused_are_told_from_those_it_may_refuse() {
    let lists = |code: &str| builtin().hsn(code.parse().unwrap()).listed().unwrap().lists;
    assert_eq!(lists("521211"), HsnLists::Refused);
    assert_eq!(lists("630411"), HsnLists::Refused);
    assert_eq!(lists("010121"), HsnLists::Both);
    assert_eq!(lists("010239"), HsnLists::GstOnly);
    assert_eq!(builtin().hsn("111111".parse().unwrap()), Lookup::Unlisted);
}

#[test]
fn a_code_has_the_name_of_its_heading_or_else_of_its_chapter() {
    let name = |code: &str| builtin().hsn_name(code.parse().unwrap()).unwrap();
    assert_eq!(name("84713010"), "Machinery, boilers, computers");
    assert_eq!(name("998313"), "Consulting, IT, engineering, advertising");
}

mod second_copy {
    //! The facts were gathered once more, in files of their own, which are read in place.

    use super::*;

    fn table(name: &str) -> Option<Vec<BTreeMap<String, String>>> {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/masters").join(name);
        let Ok(text) = std::fs::read_to_string(&file) else {
            println!("skipped: {} is not there", file.display());
            return None;
        };
        let mut lines = text.lines().map(cells);
        let heading = lines.next().unwrap();
        Some(lines.map(|row| heading.iter().cloned().zip(row).collect()).collect())
    }

    /// The cells of a line in which quotes may stand around commas.
    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut quoted) = (vec![String::new()], false);
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cells.last_mut().unwrap().push(other),
            }
        }
        cells
    }

    #[test]
    fn units_countries_currencies_ports_and_states_are_the_same_set() {
        for (file, kind) in [
            ("uqc.csv", Kind::Uqc),
            ("countries.csv", Kind::Country),
            ("currencies.csv", Kind::Currency),
            ("ports.csv", Kind::Port),
        ] {
            let Some(table) = table(file) else { return };
            let ours: BTreeSet<_> = match kind {
                Kind::Uqc => tables::UNIT_TABLE.iter().collect(),
                Kind::Country => tables::COUNTRY_TABLE.iter().collect(),
                Kind::Currency => tables::CURRENCY_TABLE.iter().collect(),
                _ => tables::PORT_TABLE.iter().collect(),
            };
            let theirs = table.iter().map(|row| (row["code"].as_str(), row["name"].as_str())).collect();
            assert_eq!(ours, theirs, "{file}");
        }
        let states = table("states.csv").unwrap();
        let theirs: BTreeSet<_> =
            states.iter().map(|row| (row["code"].as_str(), row["pos"].as_str(), row["gstin_prefix"] == "Y")).collect();
        let codes: Vec<_> = tables::states().iter().map(|state| state.code.to_string()).collect();
        let ours = tables::states().iter().zip(&codes).map(|(state, code)| {
            let pos = match state.place_of_supply {
                PlaceOfSupply::Yes => "Y",
                PlaceOfSupply::No => "N",
                PlaceOfSupply::ExportsOnly => "E",
            };
            (code.as_str(), pos, state.gstin_prefix)
        });
        assert_eq!(ours.collect::<BTreeSet<_>>(), theirs);
    }

    #[test]
    fn hsn_codes_and_their_lists_are_the_same_set() {
        let Some(table) = table("hsn.csv") else { return };
        let theirs = table.iter().filter(|row| row["code"].len() > 2);
        let theirs: BTreeSet<_> = theirs.map(|row| (row["code"].clone(), row["sources"] == "GE")).collect();
        let ours = tables::hsn_codes().map(|code| {
            let both = tables::find_hsn(code.parse().unwrap()) == Some(HsnLists::Both);
            (code, both)
        });
        assert_eq!(ours.collect::<BTreeSet<_>>(), theirs);
    }

    #[test]
    fn pins_and_their_first_three_digits_lie_in_the_same_states() {
        let Some(table_of_pins) = table("pins.csv") else { return };
        let theirs: BTreeMap<u32, _> = table_of_pins
            .iter()
            .map(|row| (row["pin"].parse().unwrap(), state_codes(&row["state_codes"], '|')))
            .collect();
        let ours: BTreeMap<u32, BTreeSet<_>> =
            tables::pins().map(|(pin, states)| (pin, states.iter().collect())).collect();
        assert_eq!(ours, theirs);
        let mut by_prefix: BTreeMap<u32, BTreeSet<StateCode>> = BTreeMap::new();
        for row in table("pin_prefix3.csv").unwrap() {
            by_prefix.entry(row["prefix"].parse().unwrap()).or_default().insert(row["state_code"].parse().unwrap());
        }
        for prefix in 0..1000 {
            // A PIN of these three digits that the directory lacks; some have all thousand numbers below 800.
            let missing = (0..1000).rev().map(|last| prefix * 1000 + last).find(|pin| !ours.contains_key(pin));
            let states = match builtin().pin(missing.unwrap()) {
                PinVerdict::Prefix(states) => Some(states.iter().collect::<BTreeSet<_>>()),
                _ => None,
            };
            assert_eq!(states.as_ref(), by_prefix.get(&prefix), "{prefix}");
        }
    }

    #[test]
    fn rates_and_their_days_are_the_same_set() {
        let Some(table) = table("tax_rates.csv") else { return };
        let shown = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let ours: BTreeSet<_> =
            tables::rates().iter().map(|span| (span.rate, shown(span.from), shown(span.until))).collect();
        let theirs = table.iter().map(|row| {
            let rate: Rate = row["igst_rate"].parse().unwrap();
            (rate, row["valid_from"].clone(), row["valid_to"].clone())
        });
        assert_eq!(ours, theirs.collect());
    }
}

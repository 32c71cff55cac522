//! Turns the lists of `data/masters` into the static tables that `masters::tables` includes.
//!
//! Plain text in, sorted arrays out: nothing is read or parsed when the program starts. The result depends on the
//! lists alone. A list that is out of order, has a code twice or a malformed line stops the build, with file and line.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

type Fallible<T> = Result<T, String>;

fn main() -> Fallible<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(format!("cargo sets no {name}"));
    let folder = variable("CARGO_MANIFEST_DIR")?.join("data").join("masters");
    directive(&folder.display().to_string());
    directive("build.rs");
    let mut out = String::new();
    states(&folder, &mut out)?;
    named::<3>(&folder, "units", "UNITS", &mut out)?;
    named::<2>(&folder, "countries", "COUNTRIES", &mut out)?;
    named::<3>(&folder, "currencies", "CURRENCIES", &mut out)?;
    named::<6>(&folder, "ports", "PORTS", &mut out)?;
    rates(&folder, &mut out)?;
    hsn(&folder, &mut out)?;
    pins(&folder, &mut out)?;
    let target = variable("OUT_DIR")?.join("masters.rs");
    fs::write(&target, out).map_err(|error| format!("{}: {error}", target.display()))
}

fn directive(path: &str) {
    println!("cargo::rerun-if-changed={path}");
}

/// A list: its lines after the heading, each split at tabs.
struct List {
    file: PathBuf,
    rows: Vec<Vec<String>>,
}

impl List {
    /// Reads a list whose first column is sorted and has no value twice.
    fn read(folder: &Path, name: &str, heading: &[&str]) -> Fallible<Self> {
        let file = folder.join(format!("{name}.tsv"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split('\t').map(|cell| cell.trim().to_owned()).collect()).collect();
        if rows.is_empty() || rows.remove(0) != heading {
            return Err(format!("{}:1: expected the heading {}", file.display(), heading.join(", ")));
        }
        let list = Self { file, rows };
        for (index, row) in list.rows.iter().enumerate() {
            if row.len() != heading.len() {
                return Err(list.at(index, &format!("expected {} columns, found {}", heading.len(), row.len())));
            }
        }
        Ok(list)
    }

    fn at(&self, index: usize, what: &str) -> String {
        // Lines count from 1, and the heading is the first.
        format!("{}:{}: {what}", self.file.display(), index + 2)
    }

    /// Every row as `WIDTH` cells with its index.
    fn cells<const WIDTH: usize>(&self) -> impl Iterator<Item = (usize, [&str; WIDTH])> {
        self.rows.iter().enumerate().filter_map(|(index, row)| {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            Some((index, cells.try_into().ok()?))
        })
    }

    /// Asks for rising values in one column.
    fn rising<T: PartialOrd + Copy>(&self, values: &[T]) -> Fallible<()> {
        match values.windows(2).position(|pair| matches!(pair, [first, second] if first >= second)) {
            Some(index) => Err(self.at(index + 1, "out of order, or there twice")),
            None => Ok(()),
        }
    }
}

fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

fn yes_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Writes `static NAME: [TYPE; N] = [...];`.
fn array(out: &mut String, name: &str, of: &str, entries: impl IntoIterator<Item = impl Display>) {
    let entries: Vec<String> = entries.into_iter().map(|entry| entry.to_string()).collect();
    let mut body = String::new();
    for chunk in entries.chunks(16) {
        body.push_str(&chunk.join(","));
        body.push_str(",\n");
    }
    put(out, format_args!("static {name}: [{of}; {}] = [\n{body}];\n", entries.len()));
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    out.write_fmt(text).unwrap_or_default();
}

/// A number with separators, as lints ask of code made by programs, too.
fn grouped(number: u32) -> String {
    if number < 10_000 { number.to_string() } else { format!("{}_{:03}", number / 1000, number % 1000) }
}

fn states(folder: &Path, out: &mut String) -> Fallible<()> {
    let list = List::read(folder, "states", &["code", "name", "place_of_supply", "gstin_prefix", "utgst", "remark"])?;
    let (mut codes, mut entries) = (Vec::new(), Vec::new());
    for (index, [code, name, place_of_supply, gstin_prefix, utgst, remark]) in list.cells() {
        let entry = || {
            let place_of_supply = match place_of_supply {
                "yes" => "Yes",
                "no" => "No",
                "exports" => "ExportsOnly",
                _ => return None,
            };
            let number = digits(code).filter(|number| code.len() == 2 && *number > 0)?;
            let (gstin_prefix, utgst) = (yes_no(gstin_prefix)?, yes_no(utgst)?);
            let entry = format!(
                "State {{ code: state({number}), name: {name:?}, place_of_supply: PlaceOfSupply::{place_of_supply}, \
                 gstin_prefix: {gstin_prefix}, utgst: {utgst}, remark: {remark:?}, change: None }}"
            );
            Some((number, entry))
        };
        let (number, entry) = entry().ok_or_else(|| list.at(index, "not a state"))?;
        codes.push(number);
        entries.push(entry);
    }
    list.rising(&codes)?;
    array(out, "STATES", "State<'static>", entries);
    Ok(())
}

/// A list of codes of one width and their names: the codes, the names in a row, and where each ends.
fn named<const WIDTH: usize>(folder: &Path, file: &str, table: &str, out: &mut String) -> Fallible<()> {
    let list = List::read(folder, file, &["code", "name"])?;
    for (index, [code, name]) in list.cells() {
        let formed = code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if code.len() != WIDTH || !formed || name.is_empty() {
            return Err(list.at(index, &format!("expected {WIDTH} capitals or digits, and a name")));
        }
    }
    let pairs: Vec<(&str, &str)> = list.cells().map(|(_, [code, name])| (code, name)).collect();
    list.rising(&pairs.iter().map(|(code, _)| *code).collect::<Vec<_>>())?;
    table_of(out, table, WIDTH, &pairs);
    Ok(())
}

fn table_of(out: &mut String, table: &str, width: usize, pairs: &[(&str, &str)]) {
    let names: String = pairs.iter().map(|(_, name)| *name).collect();
    let codes: Vec<String> = pairs.iter().map(|(code, _)| format!("*b{code:?}")).collect();
    let mut end = 0;
    let ends: Vec<String> = pairs
        .iter()
        .map(|(_, name)| {
            end += name.len();
            u32::try_from(end).map(grouped).unwrap_or_default()
        })
        .collect();
    put(
        out,
        format_args!(
            "static {table}: Table<{width}> = Table {{ codes: &[\n{}],\nnames: {names:?},\nends: &[{}] }};\n",
            codes.join(","),
            ends.join(",")
        ),
    );
}

fn rates(folder: &Path, out: &mut String) -> Fallible<()> {
    let list = List::read(folder, "rates", &["rate", "from", "until", "accepted", "remark"])?;
    let (mut order, mut entries) = (Vec::new(), Vec::new());
    for (index, [rate, from, until, accepted, remark]) in list.cells() {
        let entry = || {
            let thousandths = thousandths(rate)?;
            let until = if until.is_empty() { "None".to_owned() } else { format!("Some({})", day(until)?) };
            let entry = format!(
                "RateSpan {{ rate: Rate::from_thousandths({}), from: Some({}), until: {until}, accepted: {}, \
                 remark: {remark:?}, change: None }}",
                grouped(thousandths),
                day(from)?,
                yes_no(accepted)?
            );
            Some((thousandths, entry))
        };
        let (thousandths, entry) = entry().ok_or_else(|| list.at(index, "not a rate with its days"))?;
        order.push(thousandths);
        entries.push(entry);
    }
    list.rising(&order)?;
    array(out, "RATES", "RateSpan<'static>", entries);
    Ok(())
}

/// `0.25` as 250.
fn thousandths(rate: &str) -> Option<u32> {
    let (whole, fraction) = rate.split_once('.').unwrap_or((rate, "0"));
    let fraction = digits(&format!("{fraction:0<3}")).filter(|_| fraction.len() <= 3)?;
    digits(whole)?.checked_mul(1000)?.checked_add(fraction)
}

/// `2025-09-22` as a call of jiff's constant constructor.
fn day(text: &str) -> Option<String> {
    let [year, month, day] = text.split('-').map(digits).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    let sane = (2017..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sane.then(|| format!("date({year}, {month}, {day})"))
}

/// Codes below one heading: two digits and four digits of the rest, each with the mark of its list.
#[derive(Default)]
struct Below {
    listing: u8,
    six: Vec<u32>,
    eight: Vec<u32>,
}

fn hsn(folder: &Path, out: &mut String) -> Fallible<()> {
    let list = List::read(folder, "hsn", &["code", "lists"])?;
    let mut headings: BTreeMap<u32, Below> = BTreeMap::new();
    let (mut chapters, mut refused, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    for (index, [code, lists]) in list.cells() {
        let number = digits(code).ok_or_else(|| list.at(index, "not a code of digits"))?;
        codes.push(code);
        let only_gst = match lists {
            "both" => false,
            "gst" => true,
            "refused" => {
                refused.push(format!("({}, {})", code.len(), grouped(number)));
                true
            }
            _ => return Err(list.at(index, "expected both, gst or refused")),
        };
        match code.len() {
            2 => chapters.push(code),
            4 => headings.entry(number).or_default().listing = if only_gst { 2 } else { 1 },
            6 => headings.entry(number / 100).or_default().six.push(number % 100 + u32::from(only_gst) * 0x80),
            8 => {
                headings.entry(number / 10_000).or_default().eight.push(number % 10_000 + u32::from(only_gst) * 0x8000);
            }
            _ => return Err(list.at(index, "expected 2, 4, 6 or 8 digits")),
        }
    }
    list.rising(&codes)?;
    let (mut six, mut eight, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut heading = |number: u32, below: &Below, six: usize, eight: usize| {
        entries.push(format!(
            "Heading {{ number: {}, six: {six}, eight: {eight}, listing: {} }}",
            grouped(number),
            below.listing
        ));
    };
    for (number, below) in &headings {
        heading(*number, below, six.len(), eight.len());
        six.extend(below.six.iter().copied());
        eight.extend(below.eight.iter().copied());
    }
    // The last entry only says where the codes of the one before it end.
    heading(10_000, &Below::default(), six.len(), eight.len());
    array(out, "HEADINGS", "Heading", entries);
    array(out, "SIX", "u8", six);
    array(out, "EIGHT", "u16", eight.into_iter().map(grouped));
    array(out, "REFUSED", "(u8, u32)", refused);
    names_of_hsn(folder, &chapters, &headings, out)
}

fn names_of_hsn(folder: &Path, chapters: &[&str], headings: &BTreeMap<u32, Below>, out: &mut String) -> Fallible<()> {
    let list = List::read(folder, "hsn-names", &["code", "name"])?;
    let (mut of_chapters, mut of_headings) = (Vec::new(), Vec::new());
    for (index, [code, name]) in list.cells() {
        let known = match code.len() {
            2 => {
                of_chapters.push((code, name));
                chapters.contains(&code)
            }
            4 => {
                of_headings.push((code, name));
                digits(code).is_some_and(|number| headings.contains_key(&number))
            }
            _ => false,
        };
        if !known {
            return Err(list.at(index, "not a chapter or heading of hsn.tsv"));
        }
    }
    for pairs in [&of_chapters, &of_headings] {
        list.rising(&pairs.iter().map(|(code, _)| *code).collect::<Vec<_>>())?;
    }
    if let Some(unnamed) = chapters.iter().find(|chapter| !of_chapters.iter().any(|(code, _)| code == *chapter)) {
        return Err(format!("{}: chapter {unnamed} has no name", list.file.display()));
    }
    table_of(out, "CHAPTERS", 2, &of_chapters);
    table_of(out, "NAMED_HEADINGS", 4, &of_headings);
    Ok(())
}

/// PINs with the same first three digits.
#[derive(Default)]
struct Prefix {
    /// States and how many PINs lie in each.
    states: BTreeMap<u32, u32>,
    /// Last three digits and states.
    pins: Vec<(u32, Vec<u32>)>,
}

/// States a prefix can have: three bits beside the ten of the last three digits.
const STATES_OF_A_PREFIX: usize = 3;

fn pins(folder: &Path, out: &mut String) -> Fallible<()> {
    let list = List::read(folder, "pins", &["pin", "states"])?;
    let mut prefixes: BTreeMap<u32, Prefix> = BTreeMap::new();
    let mut order = Vec::new();
    for (index, [pin, states]) in list.cells() {
        let states: Option<Vec<u32>> = states.split(' ').map(digits).collect();
        let pin = digits(pin).filter(|pin| (100_000..=999_998).contains(pin));
        let (Some(pin), Some(states)) = (pin, states) else {
            return Err(list.at(index, "expected a PIN and the codes of its states"));
        };
        order.push(pin);
        let prefix = prefixes.entry(pin / 1000).or_default();
        for state in &states {
            *prefix.states.entry(*state).or_default() += 1;
        }
        prefix.pins.push((pin % 1000, states));
        if prefix.states.len() > STATES_OF_A_PREFIX {
            return Err(list.at(index, "more states than the tables can hold for three digits"));
        }
    }
    list.rising(&order)?;
    let (mut entries, mut suffixes) = (Vec::new(), Vec::new());
    for (number, prefix) in &prefixes {
        // Most PINs first, so that the first state is the best guess; the map breaks ties by code.
        let mut states: Vec<(u32, u32)> = prefix.states.iter().map(|(state, count)| (*state, *count)).collect();
        states.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut codes: Vec<u32> = states.iter().map(|(state, _)| *state).collect();
        let first = u32::try_from(suffixes.len()).unwrap_or_default();
        for (suffix, states) in &prefix.pins {
            let bits = codes.iter().zip([0x400, 0x800, 0x1000]);
            let mask: u32 = bits.filter(|(code, _)| states.contains(code)).map(|(_, bit)| bit).sum();
            suffixes.push(suffix + mask);
        }
        codes.resize(STATES_OF_A_PREFIX, 0);
        entries.push(format!("Prefix {{ number: {number}, first: {}, states: {codes:?} }}", grouped(first)));
    }
    let end = u32::try_from(suffixes.len()).map(grouped).unwrap_or_default();
    entries.push(format!("Prefix {{ number: 1000, first: {end}, states: [0, 0, 0] }}"));
    array(out, "PREFIXES", "Prefix", entries);
    array(out, "SUFFIXES", "u16", suffixes.into_iter().map(grouped));
    Ok(())
}

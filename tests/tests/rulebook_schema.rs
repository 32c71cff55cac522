//! The schema rules against a JSON Schema validator over the schema file, on valid documents and on damaged ones.
//!
//! The two share nothing but the published schema: the validator is somebody else's, the file is written by hand, and
//! the rulebook works from the member tables. Where they are meant to differ is listed in `intended`, by name.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do, and print what they counted"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{Invoice, ReadOptions};
use einvoice_core::finding::Finding;
use einvoice_core::rulebook::{CheckOptions, check_read};
use einvoice_testkit::invoices::{DAY, Draw, Shape, noise};
use einvoice_testkit::mutations::{self, Case};
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../transports/sandbox/schema/inv01-1.1.json")).unwrap());
static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| jsonschema::draft7::new(&SCHEMA).unwrap());

/// Places at which a side finds a fault, with what it calls it. A missing member is a fault at its own place.
type Faults = BTreeMap<String, String>;

/// What the rulebook says of the text, as far as the schema goes.
fn ours(text: &str) -> Faults {
    let read = Invoice::from_json_with(text, ReadOptions::strict()).unwrap();
    let findings = match check_read(read, &CheckOptions::on(DAY)) {
        Ok(checked) => checked.findings().to_vec(),
        Err(rejected) => rejected.findings,
    };
    let of_schema = |finding: &Finding| {
        finding.is_error() && finding.rule.starts_with("schema.")
            || ["items.none", "items.too_many", "seller.pin_missing"].contains(&&*finding.rule)
    };
    findings.into_iter().filter(of_schema).map(|finding| (finding.path, finding.rule.into_owned())).collect()
}

/// What the validator says, and what the schema's own word for decimals asks, which validators do not know.
fn theirs(document: &Value) -> Faults {
    let mut faults = Faults::new();
    for error in VALIDATOR.iter_errors(document) {
        let mut place = dotted(error.instance_path().as_str());
        if let ValidationErrorKind::Required { property } = error.kind() {
            let name = property.as_str().unwrap();
            place = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
        }
        faults.insert(place, format!("{error}").chars().take(200).collect());
    }
    decimals(document, &SCHEMA, String::new(), &mut faults);
    faults
}

fn decimals(value: &Value, schema: &Value, path: String, faults: &mut Faults) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = &schema["properties"][name];
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                decimals(member, below, path, faults);
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                decimals(entry, &schema["items"], format!("{path}[{index}]"), faults);
            }
        }
        Value::Number(number) => {
            let text = number.to_string();
            let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
            let allowed = schema["x-decimals"].as_u64().and_then(|allowed| usize::try_from(allowed).ok());
            if allowed.is_some_and(|allowed| places > allowed) {
                faults.entry(path).or_insert_with(|| format!("{text} has {places} decimals"));
            }
        }
        _ => {}
    }
}

/// `/ItemList/0/HsnCd` as `ItemList[0].HsnCd`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        match part.parse::<usize>() {
            Ok(_) => path.extend(["[", part, "]"]),
            Err(_) if path.is_empty() => path += part,
            Err(_) => path.extend([".", part]),
        }
    }
    path
}

/// The value at a place, `ItemList[0].HsnCd`.
fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
    let pointer = format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"));
    document.pointer(&pointer).unwrap_or(&Value::Null)
}

/// An object in which no member of the schema's stands.
fn is_empty_section(name: &str, value: &Value) -> bool {
    let known = SCHEMA["properties"][name]["properties"].as_object();
    known.is_some_and(|known| value.as_object().is_some_and(|given| given.keys().all(|name| !known.contains_key(name))))
}

/// Why the two may differ at a place; nothing where they must not.
fn intended(document: &Value, path: &str, ours: bool) -> Option<&'static str> {
    let value = at(document, path);
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    // Of a mandatory section with nothing in it we say so once, the validator names all that it should have.
    if !path.contains('.') && ours && is_empty_section(path, value)
        || !section.contains('.') && !ours && value.is_null() && is_empty_section(section, at(document, section))
    {
        return Some("empty section");
    }
    let text = value.as_str()?;
    let is_date = name.ends_with("Dt");
    if is_date && ours && DocumentDate::parse(text).is_err() {
        // 31/11/2026 has the pattern and is no day.
        return Some("date of the calendar");
    }
    let late = ["ExpDt", "WrDt", "InvEndDt"].contains(&name);
    if late && !ours && DocumentDate::parse(text).is_ok_and(|date| date.date().year() > 2029) {
        return Some("date after 2029");
    }
    if path == "TranDtls.RegRev" && !ours && text.is_empty() {
        // Seen in payloads the portal took.
        return Some("empty reverse charge");
    }
    if name == "InvNo" && !ours && text.len() == 1 && text != "0" {
        return Some("preceding number of one character");
    }
    None
}

/// What a comparison of many documents comes to.
#[derive(Debug, Default)]
struct Tally {
    documents: usize,
    agreed: usize,
    faulty: usize,
    intended: BTreeMap<&'static str, usize>,
    disagreements: Vec<String>,
}

impl Tally {
    fn compare(&mut self, label: &str, document: &Value) {
        self.documents += 1;
        let (ours, theirs) = (ours(&document.to_string()), theirs(document));
        self.faulty += usize::from(!theirs.is_empty());
        let mut differs = false;
        let only_ours = ours.iter().filter(|(path, _)| !theirs.contains_key(*path)).map(|fault| (fault, true));
        let only_theirs = theirs.iter().filter(|(path, _)| !ours.contains_key(*path)).map(|fault| (fault, false));
        for ((path, what), is_ours) in only_ours.chain(only_theirs) {
            differs = true;
            if let Some(reason) = intended(document, path, is_ours) {
                *self.intended.entry(reason).or_default() += 1;
            } else {
                let side = if is_ours { "only we" } else { "only the validator" };
                self.disagreements.push(format!("{label}: {side} at {path}: {what} ({})", at(document, path)));
            }
        }
        self.agreed += usize::from(!differs);
    }

    fn conclude(&self, what: &str) {
        println!(
            "{what}: {} documents, {} of them faulty, {} agreed on, intended differences {:?}",
            self.documents, self.faulty, self.agreed, self.intended
        );
        let shown: Vec<_> = self.disagreements.iter().take(20).map(String::as_str).collect();
        assert!(shown.is_empty(), "{} disagreements:\n{}", self.disagreements.len(), shown.join("\n"));
    }
}

fn drawn(seed: u64) -> Value {
    let shapes = Shape::all();
    let shape = shapes[usize::try_from(seed).unwrap() % shapes.len()];
    serde_json::from_str(&shape.invoice(&mut Draw::new(&noise(seed, 1_200))).to_json()).unwrap()
}

/// The places of all values of a document, objects and lists included, but for the document itself.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("{here}/{name}"), value)).collect(),
        Value::Array(entries) => {
            entries.iter().enumerate().map(|(index, value)| (format!("{here}/{index}"), value)).collect()
        }
        _ => return,
    };
    for (place, value) in below {
        places(value, &place, all);
        all.push(place);
    }
}

/// Texts that stand where others are expected, between bars.
const TEXTS: &str = "| |0|00|1|9|96|Y|y|N|GST|inv|B2B|URP|urp|INR|1.1|a@b|a@b.in|29AAACE1234F1Z2|29aaace1234f1z2|\
    31/11/2026|00/00/2026|01/01/2009|01/01/2030|1/1/2026|01-01-2026|0000|00000000|8504|85044|850440|8504409|85044090|\
    é|नमस्ते|a\"b|a\\b|a\nb|A/1|/A1|0A1|A 1|KA12 3";

/// Lengths at the borders of the forms.
const LENGTHS: [usize; 29] = [
    2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 30, 31, 50, 51, 100, 101, 300, 301, 1_000,
    1_001,
];

/// Numbers at the borders of the forms and beyond, and values of other types.
const OTHERS: &str =
    "[0, -1, 1, -0.01, 0.5, 0.01, 0.001, 0.0001, 100.001, 99.99, 100, -99.99, -100, 99999, 100000, 999999, 1000000,
    4000, 4001, 9999, 10000, 999.999, 1000, 9999999999.999, 10000000000, 999999999999.99, 1000000000000,
    99999999999999.98, 100000000000000, 18446744073709551615, -9223372036854775808, 1e300,
    null, true, false, [], {}, [{}], [1], [null], {\"x\": 1}]";

/// Values that stand where others are expected.
fn strangers() -> Vec<Value> {
    let texts = TEXTS.split('|').map(|text| json!(text));
    let letters = LENGTHS.iter().flat_map(|length| ["a", "7"].map(|letter| json!(letter.repeat(*length))));
    let others: Vec<Value> = serde_json::from_str(OTHERS).unwrap();
    texts.chain(letters).chain(others).collect()
}

/// Another value at a place, or none.
fn change(document: &mut Value, place: &str, to: Option<Value>) {
    let (above, name) = place.rsplit_once('/').unwrap();
    match (document.pointer_mut(above).unwrap(), to) {
        (Value::Object(members), Some(to)) => drop(members.insert(name.to_owned(), to)),
        (Value::Object(members), None) => drop(members.remove(name)),
        (Value::Array(entries), Some(to)) => entries[name.parse::<usize>().unwrap()] = to,
        (Value::Array(entries), None) => drop(entries.remove(name.parse().unwrap())),
        _ => unreachable!("a place lies in an object or a list"),
    }
}

#[test]
fn both_accept_documents_that_are_valid_by_construction() {
    let mut tally = Tally::default();
    for seed in 0..200 {
        tally.compare(&format!("seed {seed}"), &drawn(seed));
    }
    tally.conclude("valid documents");
    assert_eq!((tally.faulty, tally.agreed), (0, tally.documents));
}

#[test]
fn both_agree_on_documents_in_which_values_were_dropped_or_exchanged() {
    let strangers = strangers();
    let mut tally = Tally::default();
    for seed in 0..700 {
        let mut document = drawn(seed % 150);
        let bytes = noise(90_000 + seed, 64);
        let mut draw = Draw::new(&bytes);
        for _ in 0..=draw.below(3) {
            let mut all = Vec::new();
            places(&document, "", &mut all);
            let place = all[draw.below(all.len())].clone();
            let to = strangers[draw.below(strangers.len())].clone();
            change(&mut document, &place, Some(to).filter(|_| !draw.once_in(5)));
        }
        tally.compare(&format!("seed {seed}"), &document);
    }
    assert!(tally.faulty > 400, "{}", tally.faulty);
    tally.conclude("damaged documents");
}

/// Every member of the schema's tables, with a place to try values at.
fn members(schema: &Value, path: &str, all: &mut Vec<(String, Value)>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, member) in properties {
        let place = format!("{path}/{name}");
        members(member, &place, all);
        members(&member["items"], &format!("{place}/0"), all);
        all.push((place, member.clone()));
    }
}

/// A document in which every object and list of the schema stands.
fn full() -> Value {
    let mut documents = (0..).map(drawn);
    let mut document = documents.next().unwrap();
    let whole = |document: &Value| {
        let mut all = Vec::new();
        members(&SCHEMA, "", &mut all);
        let holders = all.into_iter().filter(|(_, member)| {
            let kind = member["type"].to_string();
            kind.contains("object") || kind.contains("array")
        });
        holders
            .map(|(place, _)| place)
            .filter(|place| document.pointer(place).is_none_or(|at| *at == json!([])))
            .collect::<Vec<_>>()
    };
    // Sections that one document lacks are taken from others, the containing ones first.
    while !whole(&document).is_empty() {
        let other = documents.next().unwrap();
        for place in whole(&document).into_iter().rev() {
            let holder = document.pointer(place.rsplit_once('/').unwrap().0).is_some();
            if let Some(found) = other.pointer(&place).filter(|found| holder && **found != json!([])) {
                change(&mut document, &place, Some(found.clone()));
            }
        }
    }
    document
}

#[test]
fn both_agree_on_every_member_with_every_strange_value_and_without_it() {
    let document = full();
    let mut all = Vec::new();
    members(&SCHEMA, "", &mut all);
    let mut tally = Tally::default();
    // One document per value and not per member and value: every member gets the next value.
    let strangers = strangers();
    for turn in 0..=strangers.len() {
        let mut damaged = document.clone();
        for (index, (place, member)) in all.iter().enumerate() {
            // Objects and lists stay, so that what is in them is tried.
            if member["properties"].is_object() || member["items"].is_object() {
                continue;
            }
            change(&mut damaged, place, strangers.get((turn + index) % (strangers.len() + 1)).cloned());
        }
        tally.compare(&format!("turn {turn}"), &damaged);
    }
    tally.conclude("every member");
}

/// The invoices of others beside the workspace as they stand, by name; none where they are not there.
fn made_by_others() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/samples/invoices");
    if !folder.is_dir() {
        eprintln!("skipped: no sample invoices beside the workspace");
        return Vec::new();
    }
    let names = [
        "b2b-inter-rice",
        "b2b-intra-laptop-stand",
        "export-with-payment",
        "full-all-sections-other-key-case",
        "sezwop-zero-igst",
    ];
    let read = |name: &str| {
        let text = std::fs::read(folder.join(name).with_extension("json")).unwrap();
        (name.to_owned(), serde_json::from_slice(&text).unwrap())
    };
    names.map(read).into()
}

#[test]
fn invoices_made_by_others_fit_the_schema_once_their_names_are_in_its_case() {
    for (name, given) in made_by_others() {
        let mut tally = Tally::default();
        let document = canonical(&given, &SCHEMA);
        tally.compare(&name, &document);
        assert_eq!((tally.faulty, tally.agreed), (0, 1), "{name}: {:?}", tally.disagreements);
        // As they stand, names in another case are members the validator does not know. We read them by their meaning.
        let other_case = ["export-with-payment", "sezwop-zero-igst"].contains(&&*name);
        assert_eq!(!theirs(&given).is_empty(), other_case, "{name}");
        let as_read = Invoice::from_json(&given.to_string()).unwrap();
        assert_eq!(as_read.findings, [], "{name}");
        assert_eq!(ours(&as_read.invoice.to_json()), Faults::new(), "{name}");
    }
}

#[test]
fn both_agree_on_damaged_invoices_made_by_others() {
    let strangers = strangers();
    let mut tally = Tally::default();
    for (name, given) in made_by_others() {
        let document = canonical(&given, &SCHEMA);
        let mut all = Vec::new();
        places(&document, "", &mut all);
        // At each place nothing, and every eighth of the values, others at the next place.
        for (index, place) in all.iter().enumerate() {
            let turn = strangers.iter().skip(index % 8).step_by(8).cloned().map(Some);
            for to in turn.chain([None]) {
                let mut damaged = document.clone();
                change(&mut damaged, place, to);
                tally.compare(&name, &damaged);
            }
        }
    }
    tally.conclude("damaged invoices made by others");
    assert!(tally.documents == 0 || tally.faulty > 2_000, "{}", tally.faulty);
}

#[test]
fn both_agree_on_invoices_made_by_others_with_each_fault_of_the_rules() {
    let mut tally = Tally::default();
    for (name, given) in made_by_others() {
        let invoice = Invoice::from_json(&given.to_string()).unwrap().invoice;
        for (index, mutation) in (0..).zip(mutations::all()) {
            let mut case = Case::new(invoice.clone());
            if (mutation.put)(&mut case, &mut Draw::new(&noise(index, 64))).is_some() {
                let document = serde_json::from_str(&case.invoice.to_json()).unwrap();
                tally.compare(&format!("{name}, {}", mutation.name), &document);
            }
        }
    }
    tally.conclude("invoices made by others with faults of the rules");
    assert!(tally.documents == 0 || (tally.documents > 300 && tally.faulty > 50), "{tally:?}");
}

/// Member names in the schema's case; members the schema does not have are left out.
fn canonical(value: &Value, schema: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut named = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if let Some((_, value)) = members.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)) {
                    named.insert(name.clone(), canonical(value, property));
                }
            }
            Value::Object(named)
        }
        Value::Array(entries) => Value::Array(entries.iter().map(|entry| canonical(entry, &schema["items"])).collect()),
        other => other.clone(),
    }
}

#[test]
fn each_intended_difference_is_one_that_stands_in_the_published_rules() {
    let mut document = full();
    let cases = [
        ("/DocDtls/Dt", json!("31/11/2026"), "date of the calendar"),
        ("/ItemList/0/BchDtls", json!({"Nm": "B-1", "ExpDt": "01/01/2031"}), "date after 2029"),
        ("/RefDtls/PrecDocDtls/0/InvNo", json!("7"), "preceding number of one character"),
        ("/TranDtls/RegRev", json!(""), "empty reverse charge"),
        ("/ValDtls", json!({"Other": 1}), "empty section"),
    ];
    for (place, value, reason) in cases {
        let before = document.pointer(place).cloned();
        change(&mut document, place, Some(value));
        let mut tally = Tally::default();
        tally.compare(reason, &document);
        assert_eq!(tally.intended.keys().copied().collect::<Vec<_>>(), [reason], "{:?}", tally.disagreements);
        tally.conclude(reason);
        change(&mut document, place, before);
    }
}

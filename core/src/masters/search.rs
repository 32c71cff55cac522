//! Finding codes by a part of the code or by words of the name.

use std::borrow::Cow;

use super::change::Action;
use super::entry::{Kind, PinVerdict};
use super::{Change, MastersOn, tables};
use crate::number::Rate;

/// One code that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found<'a> {
    /// Its master.
    pub kind: Kind,
    /// The code; an HSN chapter has two digits and is no code a document can carry.
    pub code: String,
    /// Its name: for a PIN its states, for an HSN code the name of its heading or chapter.
    pub name: Cow<'a, str>,
    /// The override that lists it.
    pub change: Option<&'a Change>,
}

/// How well a text fits a code, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    WholeCode,
    StartOfCode,
    StartOfName,
    Words,
    PartOfName,
}

impl<'a> MastersOn<'a> {
    /// The codes of one master, or of all, that a text fits: the code itself or its first characters, or words of
    /// the name, in any case and with or without accents and signs between them. Codes that are withdrawn on the day
    /// are left out.
    ///
    /// Within a master the best fit comes first, then the order of the codes. PINs and HSN codes are found by their
    /// first digits, also written apart as in print; names belong to HSN chapters and to the headings of services.
    #[must_use]
    pub fn search(self, text: &str, kind: Option<Kind>) -> Vec<Found<'a>> {
        let wanted = folded(text.trim());
        if !wanted.contains(char::is_alphanumeric) {
            return Vec::new();
        }
        let kinds = Kind::ALL.into_iter().filter(|one| kind.is_none_or(|kind| kind == *one));
        let mut found: Vec<(Kind, Fit, Found<'a>)> = Vec::new();
        for kind in kinds {
            let wanted = joined(kind, &wanted);
            let entries = self.entries(kind, &wanted);
            found.extend(entries.into_iter().filter_map(|entry| Some((kind, fit(&entry, &wanted)?, entry))));
        }
        found.sort_by(|(kind, fit, entry), (other_kind, other_fit, other)| {
            (kind, fit, &entry.code).cmp(&(other_kind, other_fit, &other.code))
        });
        found.dedup_by(|(kind, _, entry), (other_kind, _, other)| kind == other_kind && entry.code == other.code);
        found.into_iter().map(|(_, _, entry)| entry).collect()
    }

    /// Every code of a master on the day, for lists to choose from. There are 19,000 PINs and 22,000 HSN codes: those are
    /// better searched for.
    #[must_use]
    pub fn all(self, kind: Kind) -> Vec<Found<'a>> {
        self.entries(kind, "")
    }

    /// The entries of a master on the day; of the two long lists only those that the text can fit.
    fn entries(self, kind: Kind, wanted: &str) -> Vec<Found<'a>> {
        let named = |(code, name): (&str, &'static str)| (code.to_owned(), Cow::Borrowed(name));
        let mut entries: Vec<(String, Cow<'a, str>)> = match kind {
            Kind::State => {
                tables::states().iter().map(|state| (state.code.to_string(), Cow::Borrowed(state.name))).collect()
            }
            Kind::Uqc => tables::UNIT_TABLE.iter().map(named).collect(),
            Kind::Country => tables::COUNTRY_TABLE.iter().map(named).collect(),
            Kind::Currency => tables::CURRENCY_TABLE.iter().map(named).collect(),
            Kind::Port => tables::PORT_TABLE.iter().map(named).collect(),
            Kind::Pin => {
                let pins = tables::pins().map(|(pin, _)| pin.to_string());
                pins.filter(|pin| pin.starts_with(wanted)).map(|pin| (pin, Cow::default())).collect()
            }
            Kind::Hsn => {
                let codes = tables::hsn_codes().filter(|code| code.starts_with(wanted));
                let codes = codes.map(|code| {
                    let name = code.parse().ok().and_then(|code| self.hsn_name(code)).unwrap_or_default();
                    (code, Cow::Borrowed(name))
                });
                codes.chain(tables::CHAPTER_TABLE.iter().chain(tables::HEADING_TABLE.iter()).map(named)).collect()
            }
            Kind::Rate => {
                let rates = tables::rates().iter().filter(|span| span.accepted);
                rates.map(|span| (span.rate.to_string(), Cow::Borrowed(span.remark))).collect()
            }
        };
        let changes: Vec<&'a Change> = match &self.masters.changes {
            Some(changes) => changes.all(kind, self.day).collect(),
            None => Vec::new(),
        };
        entries.retain(|(code, _)| changes.iter().all(|change| change.code() != code));
        let builtin = entries.into_iter().map(|(code, name)| Found { kind, code, name, change: None });
        let added = changes.into_iter().filter(|change| change.action() == Action::Add).map(|change| Found {
            kind,
            code: change.code().to_owned(),
            name: Cow::Borrowed(self.name_of(change)),
            change: Some(change),
        });
        let mut all: Vec<Found<'a>> = builtin.chain(added).collect();
        if kind == Kind::Pin {
            for entry in &mut all {
                entry.name = Cow::Owned(self.states_of(&entry.code));
            }
        }
        all
    }

    /// The name of an added code; an HSN code without one has that of its heading or chapter, as others have.
    fn name_of(self, change: &'a Change) -> &'a str {
        match super::name_of(change) {
            "" if change.kind() == Kind::Hsn => {
                change.code().parse().ok().and_then(|code| self.hsn_name(code)).unwrap_or_default()
            }
            name => name,
        }
    }

    /// The names of the states of a PIN.
    fn states_of(self, pin: &str) -> String {
        let verdict = pin.parse().map_or(PinVerdict::Unknown, |pin| self.pin(pin));
        let names = verdict.states().iter().filter_map(|code| self.state(code).listed());
        names.map(|state| state.name).collect::<Vec<_>>().join(", ")
    }
}

fn fit(entry: &Found<'_>, wanted: &str) -> Option<Fit> {
    let code = folded(&entry.code);
    let number = (entry.kind == Kind::Rate).then(|| Rate::parse(wanted.trim_end_matches('%').trim()).ok()).flatten();
    if code == wanted || number.is_some_and(|rate| rate.to_string() == entry.code) {
        return Some(Fit::WholeCode);
    }
    // A rate is a number: 1 is not the beginning of 18.
    if code.starts_with(wanted) && entry.kind != Kind::Rate {
        return Some(Fit::StartOfCode);
    }
    let numeric = entry.kind == Kind::Rate && wanted.starts_with(|character: char| character.is_ascii_digit());
    if numeric || entry.kind == Kind::Pin || (entry.kind == Kind::Hsn && is_unnamed(entry)) {
        return None;
    }
    let name = folded(&entry.name);
    if name.starts_with(wanted) {
        Some(Fit::StartOfName)
    } else if words(wanted).all(|part| words(&name).any(|word| word.starts_with(part))) {
        Some(Fit::Words)
    } else {
        name.contains(wanted).then_some(Fit::PartOfName)
    }
}

/// A text as a master writes its codes: print sets the digits of PINs and HSN codes apart, as in `8471.30.10`.
fn joined(kind: Kind, wanted: &str) -> Cow<'_, str> {
    let apart = |character: char| character == ' ' || character == '.';
    let of_digits = wanted.chars().all(|character| character.is_ascii_digit() || apart(character));
    if of_digits && matches!(kind, Kind::Pin | Kind::Hsn) {
        Cow::Owned(wanted.replace(apart, ""))
    } else {
        Cow::Borrowed(wanted)
    }
}

/// The words of a text, whatever stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// True for an HSN code that has the name of its chapter or heading, not one of its own.
fn is_unnamed(entry: &Found<'_>) -> bool {
    match entry.change {
        Some(change) => change.name().is_empty(),
        None => entry.code.len() > 2 && tables::HEADING_TABLE.find(&entry.code).is_none(),
    }
}

/// Small letters without accents.
fn folded(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            'à'..='å' => 'a',
            'ç' => 'c',
            'è'..='ë' => 'e',
            'ì'..='ï' => 'i',
            'ñ' => 'n',
            'ò'..='ö' => 'o',
            'ù'..='ü' => 'u',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::masters::Masters;

    const TODAY: Date = date(2026, 11, 22);

    fn codes(text: &str, kind: Option<Kind>) -> Vec<String> {
        Masters::builtin().on(TODAY).search(text, kind).into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn a_code_is_found_by_its_first_characters_and_a_whole_code_comes_first() {
        assert_eq!(codes("kg", Some(Kind::Uqc)), ["KGS"]);
        assert_eq!(codes("kgs", None), ["KGS", "KGS"], "kilograms, then the som");
        assert_eq!(codes("29", Some(Kind::State)), ["29"]);
        let found = codes("8471", Some(Kind::Hsn));
        assert_eq!(found.first().unwrap(), "8471");
        assert!(found.len() > 10 && found.iter().all(|code| code.starts_with("8471")), "{found:?}");
    }

    #[test]
    fn words_of_a_name_are_found_without_regard_to_case_and_accents() {
        assert_eq!(codes("cote ivoire", Some(Kind::Country)), ["CI"]);
        assert_eq!(codes("TURKIYE", None), ["TR"]);
        assert_eq!(codes("computers", Some(Kind::Hsn)), ["84"]);
        assert_eq!(codes("legal", Some(Kind::Hsn)), ["9982"]);
        assert_eq!(codes("karnataka", Some(Kind::State)), ["29"]);
    }

    #[test]
    fn a_pin_is_found_by_its_first_digits_with_its_states() {
        let masters = Masters::builtin().on(TODAY);
        let found = masters.search("56000", Some(Kind::Pin));
        assert_eq!(found.len(), 9);
        assert!(found.iter().all(|found| found.name == "Karnataka"), "{found:?}");
    }

    #[test]
    fn a_pin_or_hsn_code_is_found_as_print_sets_it_apart() {
        assert_eq!(codes("560 001", Some(Kind::Pin)), ["560001"]);
        assert_eq!(codes("8471.30.10", None), ["84713010"]);
        assert_eq!(codes("8471 30 10", Some(Kind::Hsn)), ["84713010"]);
    }

    #[test]
    fn signs_between_words_do_not_count() {
        assert_eq!(codes("congo, democratic republic", Some(Kind::Country)), ["CD"]);
        assert_eq!(codes("saint-helena (ascension)", Some(Kind::Country)), ["SH"]);
        for text in [",", ".", "%", "( - )"] {
            assert_eq!(codes(text, None), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn an_added_hsn_code_without_a_name_has_that_of_its_chapter() {
        let quantum = Change::add(Kind::Hsn, "84719998", "new").named("Quantum computers");
        let masters = Masters::builtin().with([Change::add(Kind::Hsn, "84719999", "new"), quantum]).unwrap();
        let found = masters.on(TODAY).search("8471999", Some(Kind::Hsn));
        let names: Vec<&str> = found.iter().map(|found| &*found.name).collect();
        assert_eq!(names, ["Quantum computers", "Machinery, boilers, computers"]);
        let computers = masters.on(TODAY).search("computers", Some(Kind::Hsn));
        assert_eq!(computers.iter().map(|found| found.code.as_str()).collect::<Vec<_>>(), ["84", "84719998"]);
    }

    #[test]
    fn a_rate_is_found_by_its_number_alone() {
        assert_eq!(codes("1", Some(Kind::Rate)), ["1"]);
        assert_eq!(codes("18%", Some(Kind::Rate)), ["18"]);
        assert_eq!(codes("0.5", Some(Kind::Rate)), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_found_by_nothing() {
        assert_eq!(codes("  ", None), Vec::<String>::new());
        assert_eq!(codes("no such thing", None), Vec::<String>::new());
    }

    #[test]
    fn changes_of_the_day_are_searched_too() {
        let changes = [
            Change::add(Kind::Uqc, "VIA", "new").named("VIALS"),
            Change::remove(Kind::Uqc, "TBS", "withdrawn").from(date(2026, 12, 1)),
        ];
        let masters = Masters::builtin().with(changes).unwrap();
        let found = |text, day| masters.on(day).search(text, Some(Kind::Uqc)).len();
        assert_eq!((found("vials", TODAY), found("tablets", TODAY)), (1, 1));
        assert_eq!(found("tablets", date(2026, 12, 1)), 0);
    }
}

//! The file of changes to the masters: `[[add]]` and `[[remove]]`, each with a code, days and a reason.

use std::fmt;
use std::path::Path;

use einvoice_core::config::CheckSettings;
use einvoice_core::identifier::StateCode;
use einvoice_core::masters::{Change, Kind, Masters, PlaceOfSupply};
use jiff::civil::Date;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::value::Datetime;

use crate::error::CliError;
use crate::settings::{LoadError, with_suggestion};

/// Largest file that is read: 4 MB, more than ten thousand changes with long reasons need.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[serde(default)]
    add: Vec<Spanned<Addition>>,
    #[serde(default)]
    remove: Vec<Spanned<Removal>>,
}

/// `[[add]]`: the portal lists a code that the program does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addition {
    kind: Kind,
    code: String,
    reason: String,
    name: Option<String>,
    #[serde(default)]
    states: Vec<StateCode>,
    place_of_supply: Option<PlaceOfSupply>,
    from: Option<Day>,
    until: Option<Day>,
}

/// `[[remove]]`: the portal no longer takes a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removal {
    kind: Kind,
    code: String,
    reason: String,
    from: Option<Day>,
    until: Option<Day>,
}

impl Addition {
    fn change(self) -> Change {
        let mut change = Change::add(self.kind, self.code, self.reason).in_states(self.states);
        if let Some(name) = self.name {
            change = change.named(name);
        }
        if let Some(place_of_supply) = self.place_of_supply {
            change = change.with_place_of_supply(place_of_supply);
        }
        on_days(change, self.from, self.until)
    }
}

impl Removal {
    fn change(self) -> Change {
        on_days(Change::remove(self.kind, self.code, self.reason), self.from, self.until)
    }
}

fn on_days(mut change: Change, from: Option<Day>, until: Option<Day>) -> Change {
    if let Some(Day(day)) = from {
        change = change.from(day);
    }
    if let Some(Day(day)) = until {
        change = change.until(day);
    }
    change
}

/// A day, as a date of TOML or as a text.
#[derive(Clone, Copy)]
struct Day(Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayVisitor)
    }
}

struct DayVisitor;

impl<'de> Visitor<'de> for DayVisitor {
    type Value = Day;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a day, as in 2026-11-01")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Day, E> {
        crate::arguments::day(text).map(Day).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Day, A::Error> {
        let datetime = Datetime::deserialize(MapAccessDeserializer::new(map))?;
        let text = datetime.to_string();
        // A time of day would be dropped in silence.
        if datetime.time.is_some() {
            return Err(de::Error::invalid_value(de::Unexpected::Str(&text), &self));
        }
        self.visit_str(&text)
    }
}

/// The masters of a configuration: those compiled in, with the changes of the file it names.
///
/// # Errors
/// [`CliError::File`] when the file cannot be read, and [`CliError::Configuration`] naming file and line of what is
/// wrong in it.
pub(crate) fn configured(settings: &CheckSettings, directory: &Path) -> Result<Masters, CliError> {
    let Some(name) = &settings.masters else { return Ok(Masters::default()) };
    let path = directory.join(name);
    let unreadable = |error| CliError::File { path: path.clone(), action: "read", error };
    let bytes = std::fs::metadata(&path).map_err(unreadable)?.len();
    let origin = path.display().to_string();
    if bytes > FILE_BYTES_MAX {
        let reason = format!("it has {bytes} bytes, more than {FILE_BYTES_MAX}");
        return Err(LoadError::Key { origin, reason }.into());
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    // Editors on Windows put a byte order mark before UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    read(text).map_err(|(line, reason)| {
        let origin = line.map_or_else(|| origin.clone(), |line| format!("{origin}:{line}"));
        LoadError::Key { origin, reason: with_suggestion(&reason) }.into()
    })
}

/// The masters with the changes of a text, or the line that is wrong and why.
fn read(text: &str) -> Result<Masters, (Option<usize>, String)> {
    let changes: Changes = toml::from_str(text)
        .map_err(|error| (error.span().map(|span| line(text, span.start)), error.message().to_owned()))?;
    let (mut starts, mut all) = (Vec::new(), Vec::new());
    for addition in changes.add {
        starts.push(addition.span().start);
        all.push(addition.into_inner().change());
    }
    for removal in changes.remove {
        starts.push(removal.span().start);
        all.push(removal.into_inner().change());
    }
    Masters::builtin().with(all).map_err(|error| {
        let start = starts.get(error.index()).map(|start| line(text, *start));
        (start, error.to_string())
    })
}

/// The line, from 1, of a place in a text.
fn line(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 22);

    fn error(text: &str) -> (usize, String) {
        let (line, reason) = read(text).unwrap_err();
        (line.unwrap(), reason)
    }

    #[test]
    fn codes_are_added_and_removed_with_days_in_either_spelling() {
        let masters = read(
            "[[add]]\nkind = \"hsn\"\ncode = \"84719999\"\nfrom = 2026-11-01\nuntil = \"31/12/2026\"\nreason = \"new\"\n\
             [[add]]\nkind = \"pin\"\ncode = \"999001\"\nstates = [\"29\", \"7\"]\nreason = \"new\"\n\
             [[add]]\nkind = \"state\"\ncode = \"39\"\nname = \"X\"\nplace_of_supply = \"exports_only\"\nreason = \"new\"\n\
             [[remove]]\nkind = \"uqc\"\ncode = \"tbs\"\nfrom = \"2026-12-01\"\nreason = \"gone\"\n",
        )
        .unwrap();
        let hsn = |day| masters.on(day).hsn("84719999".parse().unwrap()).is_listed();
        assert!(!hsn(date(2026, 10, 31)) && hsn(TODAY) && !hsn(date(2027, 1, 1)));
        assert_eq!(masters.on(TODAY).pin(999_001).states().iter().count(), 2);
        let state = masters.on(TODAY).state("39".parse().unwrap()).listed().unwrap();
        assert_eq!((state.name, state.place_of_supply), ("X", PlaceOfSupply::ExportsOnly));
        assert!(masters.on(TODAY).unit("TBS").is_listed());
        assert!(masters.on(date(2026, 12, 1)).unit("TBS").withdrawal().is_some());
    }

    #[test]
    fn an_empty_file_changes_nothing() {
        assert_eq!(read("").unwrap(), Masters::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, at, part) in [
            ("[[add]]\nkind = \"hsn\"\ncode = 8471\nreason = \"x\"\n", 3, "expected a string"),
            ("[[add]]\nkind = \"hsm\"\ncode = \"8471\"\nreason = \"x\"\n", 2, "unknown variant `hsm`"),
            ("[[add]]\nkind = \"hsn\"\ncode = \"8471\"\nreson = \"x\"\n", 4, "unknown field `reson`"),
            ("[[ad]]\nkind = \"hsn\"\n", 1, "unknown field `ad`"),
            ("[[add]]\nkind = \"hsn\"\nreason = \"x\"\n", 1, "missing field `code`"),
            ("[[add]]\nkind = \"hsn\"\ncode = \"8471\"\n", 1, "missing field `reason`"),
            ("\n[[remove]]\nkind = \"uqc\"\ncode = \"ABC\"\nreason = \"x\"\n", 2, "it is not in the list"),
            ("[[remove]]\nkind = \"uqc\"\ncode = \"KGS\"\nreason = \"x\"\nfrom = 2026-02-30\n", 5, ""),
            ("[[remove]]\nkind = \"uqc\"\ncode = \"KGS\"\nreason = \"x\"\nfrom = \"soon\"\n", 5, "as in 2026-11-01"),
            ("[[remove]]\nkind = \"uqc\"\ncode = \"KGS\"\nreason = \"x\"\nfrom = 2026-01-01T10:00:00\n", 5, "a day"),
            ("[[add]]\nkind = \"pin\"\ncode = \"560999\"\nstates = [\"0\"]\nreason = \"x\"\n", 4, "not a state code"),
            ("[[add]]\nkind = \"hsn\"\ncode = \"12\"\nreason = \"x\"\n", 1, "4, 6 or 8 digits"),
            ("add = 3\n", 1, "invalid type"),
            ("[[add]\n", 1, ""),
        ] {
            let (line, reason) = error(text);
            assert_eq!(line, at, "{text}{reason}");
            assert!(reason.contains(part), "{text}{reason}");
        }
    }
}

//! Addresses as people type them: lines, cities, phones and e-mail addresses.

use einvoice_core::document::Field;
use einvoice_core::finding::Severity;

use super::cut;
use super::report::Report;
use einvoice_core::spelling;

/// First address line, and the others joined. Lines that are only a phone number, a GSTIN or an
/// e-mail address are no address.
pub(crate) fn address<'a>(lines: impl Iterator<Item = &'a str>) -> (Option<String>, Option<String>) {
    let mut kept = lines
        .map(str::trim)
        .filter(|line| !line.is_empty() && !is_contact(line))
        .map(|line| line.trim_end_matches(',').to_owned());
    let first = kept.next().map(|line| cut(&line, 100));
    let rest: Vec<String> = kept.collect();
    (first, (!rest.is_empty()).then(|| cut(&rest.join(", "), 100)))
}

fn is_contact(line: &str) -> bool {
    let folded = spelling::fold(line);
    let number_only = !folded.is_empty() && folded.chars().all(|found| found.is_ascii_digit()) && folded.len() >= 8;
    let labelled =
        ["mob", "phone", "ph", "tel", "contact", "gstin", "gstno", "email", "fax", "cell"].iter().any(|word| {
            folded.strip_prefix(word).is_some_and(|rest| rest.chars().filter(char::is_ascii_digit).count() >= 6)
        });
    number_only || labelled || (line.contains('@') && !line.contains(' '))
}

/// Large cities, to find a place in an address that names it nowhere else.
const CITIES: [&str; 64] = [
    "Mumbai",
    "Delhi",
    "Bengaluru",
    "Bangalore",
    "Hyderabad",
    "Ahmedabad",
    "Chennai",
    "Kolkata",
    "Surat",
    "Pune",
    "Jaipur",
    "Lucknow",
    "Kanpur",
    "Nagpur",
    "Indore",
    "Thane",
    "Bhopal",
    "Visakhapatnam",
    "Patna",
    "Vadodara",
    "Ghaziabad",
    "Ludhiana",
    "Agra",
    "Nashik",
    "Faridabad",
    "Meerut",
    "Rajkot",
    "Varanasi",
    "Srinagar",
    "Aurangabad",
    "Dhanbad",
    "Amritsar",
    "Navi Mumbai",
    "Prayagraj",
    "Howrah",
    "Ranchi",
    "Gwalior",
    "Jabalpur",
    "Coimbatore",
    "Vijayawada",
    "Jodhpur",
    "Madurai",
    "Raipur",
    "Kota",
    "Guwahati",
    "Chandigarh",
    "Solapur",
    "Hubballi",
    "Tiruppur",
    "Mysuru",
    "Mysore",
    "Gurugram",
    "Gurgaon",
    "Noida",
    "Kochi",
    "Thiruvananthapuram",
    "Bhubaneswar",
    "Dehradun",
    "Jamshedpur",
    "Salem",
    "Warangal",
    "Guntur",
    "Panipat",
    "Vapi",
];

/// Cities of which users write the old name as well.
const RENAMED: [(&str, &str); 3] = [("Bangalore", "Bengaluru"), ("Mysore", "Mysuru"), ("Gurgaon", "Gurugram")];

/// Words that make what stands before them the name of a street: `Nashik Road`, `Old Mumbai Pune Highway`, `Delhi Gate`.
const STREETS: [&str; 24] = [
    "road",
    "rd",
    "marg",
    "street",
    "st",
    "highway",
    "hwy",
    "expressway",
    "bypass",
    "lane",
    "path",
    "gali",
    "naka",
    "chowk",
    "circle",
    "phata",
    "gate",
    "cross",
    "flyover",
    "bridge",
    "bazaar",
    "bazar",
    "nh",
    "line",
];
/// Most words between the city that a street is named after and the word for it.
const STREET_WORDS: usize = 3;

/// A town that an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Town {
    pub(crate) name: &'static str,
    /// The address names no other one.
    is_only: bool,
}

impl Town {
    /// The name; where the address has several towns a person is told which was taken.
    pub(crate) fn of(self, whose: &str, report: &mut Report) -> &'static str {
        if !self.is_only {
            let name = self.name;
            report.inferred(Severity::Warning, format!("town {name} of {whose} (the last of several in the address)"));
        }
        self.name
    }
}

/// The town that an address names: the last of the cities that no street is named after, as addresses end with theirs.
pub(crate) fn town_in<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Town> {
    let mut found: Vec<&'static str> = Vec::new();
    for part in lines.flat_map(|line| line.split([',', ';', '(', ')'])) {
        let words: Vec<&str> =
            part.split(|found: char| !found.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut at = 0;
        while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
            let Some((city, length)) = city_at(rest) else {
                at += 1;
                continue;
            };
            let behind = rest.iter().skip(length).take(STREET_WORDS);
            if !behind.into_iter().any(|word| STREETS.iter().any(|street| word.eq_ignore_ascii_case(street))) {
                found.push(city);
            }
            at += length;
        }
    }
    let name = *found.last()?;
    Some(Town { name, is_only: found.iter().all(|other| is_same_town(other, name)) })
}

/// The longest city whose name some words begin with, and how many words that is.
fn city_at(words: &[&str]) -> Option<(&'static str, usize)> {
    let is_here = |city: &str| {
        let mut words = words.iter();
        city.split(' ').all(|part| words.next().is_some_and(|word| word.eq_ignore_ascii_case(part)))
    };
    let here = CITIES.iter().copied().filter(|city| is_here(city)).map(|city| (city, city.split(' ').count()));
    here.max_by_key(|(_, length)| *length)
}

/// Whether two names may mean one town: one is part of the other, or its old name.
pub(crate) fn is_same_town(one: &str, other: &str) -> bool {
    let present = |name: &str| {
        let name = spelling::fold(name);
        RENAMED.iter().fold(name, |name, (old, new)| name.replace(&spelling::fold(old), &spelling::fold(new)))
    };
    let (one, other) = (present(one), present(other));
    one.contains(&other) || other.contains(&one)
}

/// A text of at most 100 characters.
pub(crate) fn field(text: Option<&str>) -> Field<einvoice_core::document::Text> {
    text.map_or(Field::Absent, |text| cut(text, 100).into())
}

/// The digits of a phone number, where the portal takes them.
pub(crate) fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (6..=12).contains(&digits.len()).then_some(digits)
}

/// The first e-mail address of a text, where the portal takes it.
pub(crate) fn email(text: &str) -> Option<String> {
    let first = text.split([',', ';', ' ']).map(str::trim).find(|part| part.contains('@'))?;
    let (user, host) = first.split_once('@')?;
    let allowed = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|found| found.is_ascii_alphanumeric() || more.contains(found))
    };
    ((6..=100).contains(&first.len()) && allowed(user, "+_.-") && allowed(host, ".-")).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city_in<'a>(lines: impl Iterator<Item = &'a str>) -> Option<&'static str> {
        town_in(lines).map(|town| town.name)
    }

    #[test]
    fn lines_that_only_reach_somebody_are_no_address() {
        let lines = [
            "Plot No. 702, Pace City-II,",
            "Mob:9871099788",
            "Sector-37, Gurgaon-122001",
            "a@b.in",
            "GSTIN 29ABCDE1234F1Z5",
        ];
        let (first, rest) = address(lines.into_iter());
        assert_eq!(first.as_deref(), Some("Plot No. 702, Pace City-II"));
        assert_eq!(rest.as_deref(), Some("Sector-37, Gurgaon-122001"));
        assert!(!is_contact("Phoenix Mall, 4th floor"));
    }

    #[test]
    fn a_city_is_found_as_a_whole_word_only() {
        assert_eq!(city_in(["12, MG Road", "Navi Mumbai 400703"].into_iter()), Some("Navi Mumbai"));
        assert_eq!(city_in(["Punepet Lane"].into_iter()), None);
        assert_eq!(city_in(["Navi  Mumbai-400703"].into_iter()), Some("Navi Mumbai"));
    }

    #[test]
    fn a_city_that_a_street_is_named_after_is_not_where_it_lies() {
        for (lines, city) in [
            (&["Nashik Road, Mumbai"][..], Some("Mumbai")),
            (&["Plot 4, Mysore Road Bengaluru"], Some("Bengaluru")),
            (&["Gala 3, Old Pune-Mumbai Highway", "Chakan"], None),
            (&["Pune Satara Rd.", "Katraj"], None),
            (&["8, Delhi Gate", "Ghaziabad"], Some("Ghaziabad")),
            (&["22, Agra Road, Thane", "Maharashtra"], Some("Thane")),
            (&["Surat Bypass, Navi Mumbai"], Some("Navi Mumbai")),
            (&["Road No. 4, Jaipur"], Some("Jaipur")),
        ] {
            assert_eq!(city_in(lines.iter().copied()), city, "{lines:?}");
        }
    }

    #[test]
    fn of_several_towns_the_last_is_taken_and_told() {
        let several = town_in(["Near Pune, Thane", "Mumbai"].into_iter()).unwrap();
        assert_eq!((several.name, several.is_only), ("Mumbai", false));
        let one = town_in(["Bangalore South", "Bengaluru 560 058"].into_iter()).unwrap();
        assert_eq!((one.name, one.is_only), ("Bengaluru", true));
        let mut report = Report::new("a.xml".to_owned());
        assert_eq!((several.of("the buyer", &mut report), one.of("the buyer", &mut report)), ("Mumbai", "Bengaluru"));
        let [told] = &report.into_parts().0[..] else { panic!("one finding") };
        assert!(told.message.ends_with("town Mumbai of the buyer (the last of several in the address)"), "{told}");
    }

    #[test]
    fn phones_and_addresses_that_the_portal_would_refuse_are_left_out() {
        assert_eq!(phone("+91-98765 43210").as_deref(), Some("919876543210"));
        assert_eq!(phone("12"), None);
        assert_eq!(email("sales@example.in, x@y.in").as_deref(), Some("sales@example.in"));
        assert_eq!(email("not an address"), None);
    }
}

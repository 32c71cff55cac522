//! Addresses as people type them: lines, cities, phones and e-mail addresses.

use einvoice_core::document::Field;

use super::cut;
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

/// The city that an address names.
pub(crate) fn city_in<'a>(lines: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let words: Vec<&str> = lines
        .flat_map(|line| line.split(|found: char| !found.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let begins_with = |words: &[&str], city: &str| {
        let mut words = words.iter();
        city.split(' ').all(|part| words.next().is_some_and(|word| word.eq_ignore_ascii_case(part)))
    };
    CITIES
        .iter()
        .rev()
        .copied()
        .find(|city| (0..words.len()).any(|at| words.get(at..).is_some_and(|rest| begins_with(rest, city))))
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
    }

    #[test]
    fn phones_and_addresses_that_the_portal_would_refuse_are_left_out() {
        assert_eq!(phone("+91-98765 43210").as_deref(), Some("919876543210"));
        assert_eq!(phone("12"), None);
        assert_eq!(email("sales@example.in, x@y.in").as_deref(), Some("sales@example.in"));
        assert_eq!(email("not an address"), None);
    }
}

//! State names as people and programs write them, to codes.
//!
//! Codes are those of the GST state master; old spellings are mapped as users' data still has them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold as plain_fold;
use crate::identifier::StateCode;

/// Spellings beside the present name, folded: old names, and what users make of them.
const OTHER_SPELLINGS: [(&str, u8); 21] = [
    ("uttaranchal", 5),
    ("newdelhi", 7),
    ("nctofdelhi", 7),
    ("delhinct", 7),
    ("orissa", 21),
    ("chattisgarh", 22),
    ("chhatisgarh", 22),
    ("dadranagarhaveli", 26),
    ("damandiu", 26),
    ("damandiudadranagarhaveli", 26),
    ("lakshdweep", 31),
    ("lakshadweepislands", 31),
    ("pondicherry", 34),
    ("andamannicobar", 35),
    ("andamannicobarisland", 35),
    ("telengana", 36),
    ("andhrapradeshnew", 37),
    ("othercountry", 96),
    ("othercountries", 96),
    ("foreigncountry", 96),
    ("outsideindia", 96),
];

/// The letters of ISO 3166-2:IN and of vehicle registration, as several programs write states.
const LETTERS: [(&str, u8); 42] = [
    ("jk", 1),
    ("hp", 2),
    ("pb", 3),
    ("ch", 4),
    ("ut", 5),
    ("uk", 5),
    ("hr", 6),
    ("dl", 7),
    ("rj", 8),
    ("up", 9),
    ("br", 10),
    ("sk", 11),
    ("ar", 12),
    ("nl", 13),
    ("mn", 14),
    ("mz", 15),
    ("tr", 16),
    ("ml", 17),
    ("as", 18),
    ("wb", 19),
    ("jh", 20),
    ("or", 21),
    ("od", 21),
    ("ct", 22),
    ("cg", 22),
    ("mp", 23),
    ("gj", 24),
    ("dd", 26),
    ("dn", 26),
    ("dh", 26),
    ("mh", 27),
    ("ka", 29),
    ("ga", 30),
    ("ld", 31),
    ("kl", 32),
    ("tn", 33),
    ("py", 34),
    ("an", 35),
    ("tg", 36),
    ("ts", 36),
    ("ap", 37),
    ("la", 38),
];

/// All names, folded once: mapping asks several times a voucher.
static BY_NAME: LazyLock<HashMap<String, u8>> = LazyLock::new(|| {
    let present = (1..=97).filter_map(|number| {
        let name = StateCode::from_number(number).and_then(name)?;
        Some((fold(name), number))
    });
    let letters = LETTERS
        .iter()
        .flat_map(|(letters, number)| [((*letters).to_owned(), *number), (format!("in{letters}"), *number)]);
    present.chain(OTHER_SPELLINGS.iter().map(|(name, number)| ((*name).to_owned(), *number))).chain(letters).collect()
});

/// The code of a state name in any spelling, or of a code.
#[must_use]
pub fn code(name: &str) -> Option<StateCode> {
    let trimmed = name.trim();
    if trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        return StateCode::parse(trimmed).ok();
    }
    BY_NAME.get(&fold(trimmed)).and_then(|number| StateCode::from_number(*number))
}

/// As [`fold`](super::fold), with the word "and" left out, since `&` folds away.
fn fold(name: &str) -> String {
    let words = name.split(|found: char| !found.is_alphanumeric()).filter(|word| !word.eq_ignore_ascii_case("and"));
    words.map(plain_fold).collect()
}

/// The name of a code, for places that must not stay empty.
#[must_use]
pub fn name(code: StateCode) -> Option<&'static str> {
    Some(match code.number() {
        1 => "Jammu and Kashmir",
        2 => "Himachal Pradesh",
        3 => "Punjab",
        4 => "Chandigarh",
        5 => "Uttarakhand",
        6 => "Haryana",
        7 => "Delhi",
        8 => "Rajasthan",
        9 => "Uttar Pradesh",
        10 => "Bihar",
        11 => "Sikkim",
        12 => "Arunachal Pradesh",
        13 => "Nagaland",
        14 => "Manipur",
        15 => "Mizoram",
        16 => "Tripura",
        17 => "Meghalaya",
        18 => "Assam",
        19 => "West Bengal",
        20 => "Jharkhand",
        21 => "Odisha",
        22 => "Chhattisgarh",
        23 => "Madhya Pradesh",
        24 => "Gujarat",
        26 => "Dadra and Nagar Haveli and Daman and Diu",
        27 => "Maharashtra",
        29 => "Karnataka",
        30 => "Goa",
        31 => "Lakshadweep",
        32 => "Kerala",
        33 => "Tamil Nadu",
        34 => "Puducherry",
        35 => "Andaman and Nicobar Islands",
        36 => "Telangana",
        37 => "Andhra Pradesh",
        38 => "Ladakh",
        97 => "Other Territory",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_its_own_name_and_old_spellings_too() {
        for number in 1..=97 {
            let state = StateCode::from_number(number).unwrap();
            if let Some(name) = name(state) {
                assert_eq!(code(name), Some(state), "{name}");
                assert_eq!(code(&name.replace("and ", "& ").to_uppercase()), Some(state), "{name}");
            }
        }
        let number = |name: &str| code(name).map(StateCode::number);
        assert_eq!(number("Orissa"), Some(21));
        assert_eq!(number("Pondicherry"), Some(34));
        assert_eq!(number("Uttaranchal"), Some(5));
        assert_eq!(number("Daman & Diu"), Some(26));
        assert_eq!(number("Dadra & Nagar Haveli"), Some(26));
        assert_eq!(number("Kerala "), Some(32));
        assert_eq!(number("27"), Some(27));
        assert_eq!((number("TN"), number("IN-KA"), number("IN-ZZ")), (Some(33), Some(29), None));
        assert_eq!(number("Atlantis"), None);
    }
}

//! Finds a code of the e-way bill system by its text, for providers that pass on the text alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use einvoice_core::environment::Product;
use einvoice_core::portal_code::ErrorClass;

/// Codes and texts as published (`data/README.md`).
const TABLE: &str = include_str!("../data/ewb-texts.csv");
/// Letters and digits from which on the beginning of a text is enough: providers cut long ones, or add to them.
const BEGINNING_MIN: usize = 24;

/// Texts, reduced to letters and digits, with their codes. A text that two codes of different consequence have finds
/// neither.
static CODES: LazyLock<HashMap<String, Option<&'static str>>> = LazyLock::new(|| {
    let mut codes: HashMap<String, Option<&'static str>> = HashMap::new();
    for line in TABLE.lines().skip(1) {
        let Some((code, text)) = line.split_once(',') else { continue };
        let known = codes.entry(reduced(text)).or_insert(Some(code));
        if known.is_some_and(|known| ErrorClass::of(known) != ErrorClass::of(code)) {
            *known = None;
        }
    }
    codes
});

fn reduced(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The code of a text; nothing where it is not certain.
pub(crate) fn code_of(product: Product, text: &str) -> Option<&'static str> {
    if product != Product::EWayBill {
        return None;
    }
    let text = reduced(text);
    if let Some(code) = CODES.get(&text) {
        return *code;
    }
    if text.len() < BEGINNING_MIN {
        return None;
    }
    let mut found = CODES.iter().filter(|(known, _)| {
        (known.len() >= BEGINNING_MIN && text.starts_with(known.as_str())) || known.starts_with(&text)
    });
    match (found.next(), found.next()) {
        (Some((_, code)), None) => *code,
        // Several begin alike: which one is meant is not known.
        _ => None,
    }
}

/// The published text of a code of the e-way bill system.
#[cfg(feature = "emulator")]
pub(crate) fn text_of(code: &str) -> Option<&'static str> {
    let line = TABLE.lines().find(|line| line.strip_prefix(code).is_some_and(|rest| rest.starts_with(',')))?;
    line.split_once(',').map(|(_, text)| text.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_finds_its_code_whatever_its_case_and_punctuation() {
        let of = |text| code_of(Product::EWayBill, text);
        assert_eq!(of("invalid json"), Some("100"));
        assert_eq!(of("Invalid Username."), Some("101"));
        assert_eq!(of("something else"), None);
        assert_eq!(of(""), None);
        assert_eq!(code_of(Product::EInvoice, "invalid json"), None);
    }

    #[test]
    fn every_code_of_the_table_is_published() {
        for line in TABLE.lines().skip(1) {
            let (code, text) = line.split_once(',').unwrap();
            assert_ne!(ErrorClass::of(code), ErrorClass::Unknown, "{line}");
            assert!(!text.trim().is_empty());
        }
        assert!(CODES.len() > 300);
    }
}

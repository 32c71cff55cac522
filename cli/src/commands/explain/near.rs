//! What is near to a name that nobody knows, and what to do about a code that no list has.

use einvoice_core::portal_code::explanations;
use einvoice_core::registry::nearest;

use super::all_rules;
use super::words::{product, system_in_words};
use crate::arguments::SystemName;
use crate::error::CliError;

/// Near codes that are named when a code is not known: more would be a list to search through.
const NEAR_MAX: usize = 5;

/// There is no such code or rule: says what is near, and what to do about a code that no list has.
pub(super) fn unknown_subject(text: &str, system: Option<SystemName>) -> CliError {
    if let Some(other) = explanations().find(|entry| entry.code.eq_ignore_ascii_case(text)) {
        return CliError::Usage(format!(
            "{} is a code of the {}; leave `--system` out",
            other.code,
            system_in_words(other.product)
        ));
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        let near = nearest(text, all_rules().map(|rule| rule.id)).map(|near| format!("; did you mean `{near}`?"));
        let hint = near.or_else(|| rules_named(text)).unwrap_or_else(|| ";".to_owned());
        return CliError::Usage(format!(
            "there is no rule or portal code `{text}`{hint} `einvoice explain --list` shows all codes, and \
             `einvoice explain --rules` all rules"
        ));
    }
    CliError::Usage(format!(
        "no published list has the portal code `{text}`; the nearest: {}. If the portal really sent it, go by the text it \
         sent along, which einvoice keeps, and ask the portal's helpdesk or the provider what it means; after a write \
         einvoice asks the portal what came of it before anything is sent again",
        near_codes(text, system).join(", ")
    ))
}

/// Rules that have the text in their name, for somebody who remembers a part of it.
fn rules_named(text: &str) -> Option<String> {
    let wanted = text.to_ascii_lowercase();
    let mut named = all_rules().map(|rule| rule.id).filter(|id| id.contains(&wanted));
    let first: Vec<&str> = named.by_ref().take(NEAR_MAX).collect();
    let more = match named.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!first.is_empty()).then(|| format!("; rules named so: {}{more}.", first.join(", ")))
}

/// Codes a slip away, and if there are none the nearest numbers.
fn near_codes(text: &str, system: Option<SystemName>) -> Vec<&'static str> {
    let wanted: u32 = text.chars().filter(char::is_ascii_digit).take(9).collect::<String>().parse().unwrap_or(0);
    let mut near: Vec<(bool, u32, &str)> = explanations()
        .filter(|entry| system.is_none_or(|system| product(system) == entry.product))
        .filter_map(|entry| Some((!is_a_slip(text, entry.code), entry.code.parse::<u32>().ok()?, entry.code)))
        .map(|(far, number, code)| (far, number.abs_diff(wanted), code))
        .collect();
    near.sort_unstable();
    let has_slips = near.first().is_some_and(|(far, _, _)| !far);
    near.into_iter().filter(|(far, _, _)| !(has_slips && *far)).take(NEAR_MAX).map(|(_, _, code)| code).collect()
}

/// Whether one becomes the other by one wrong digit, one left out, one too many, or two exchanged.
fn is_a_slip(wanted: &str, known: &str) -> bool {
    let (wanted, known) = (wanted.as_bytes(), known.as_bytes());
    let same_start = wanted.iter().zip(known).take_while(|(left, right)| left == right).count();
    let same_end = wanted.iter().rev().zip(known.iter().rev()).take_while(|(left, right)| left == right).count();
    let (short, long) = (wanted.len().min(known.len()), wanted.len().max(known.len()));
    match long - short {
        0 if same_start + same_end + 2 == long => {
            let pair = |digits: &[u8]| (digits.get(same_start).copied(), digits.get(same_start + 1).copied());
            let (first, second) = pair(known);
            pair(wanted) == (second, first)
        }
        0 => same_start + same_end + 1 >= long,
        1 => same_start + same_end >= short,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_digit_wrong_missing_or_too_many_or_two_exchanged() {
        for wanted in ["2127", "2171", "217", "21722", "1272"] {
            assert!(is_a_slip(wanted, "2172"), "{wanted}");
        }
        for wanted in ["2100", "72", "2721", "217222"] {
            assert!(!is_a_slip(wanted, "2172"), "{wanted}");
        }
    }

    #[test]
    fn near_codes_are_slips_first_and_numbers_otherwise() {
        assert!(near_codes("2127", None).contains(&"2172"));
        assert_eq!(near_codes("8888", Some(SystemName::Irp)).first(), Some(&"9999"));
    }
}

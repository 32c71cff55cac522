//! Takes credentials out of texts that come from outside and are shown to people: a gateway's page may
//! repeat what it was sent.

use einvoice_core::secret::Secret;

/// What stands where a secret stood.
const MASK: &str = "[secret]";
/// From so many characters on a secret is taken out of the middle of words, too. A shorter one would be
/// found in every other word, and the message would say nothing any more.
const LONG: usize = 6;

/// A text without these secrets: long ones anywhere, short ones where they are whole words.
#[must_use]
pub fn hide(text: &str, secrets: &[&Secret<String>]) -> String {
    let mut secrets: Vec<&str> = secrets.iter().map(|secret| secret.expose().as_str()).collect();
    secrets.retain(|secret| !secret.is_empty());
    // A secret that holds another one goes first, or its rest would stay.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut rest = text;
    let mut clean = String::with_capacity(text.len());
    let mut before = None;
    // One walk, so that nothing is looked for in a mask.
    while let Some(next) = rest.chars().next() {
        if let Some(secret) = secrets.iter().find(|secret| stands_here(rest, before, secret)) {
            clean.push_str(MASK);
            rest = rest.get(secret.len()..).unwrap_or_default();
            before = secret.chars().next_back();
        } else {
            clean.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
            before = Some(next);
        }
    }
    clean
}

fn stands_here(rest: &str, before: Option<char>, secret: &str) -> bool {
    let in_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    rest.strip_prefix(secret)
        .is_some_and(|after| secret.chars().count() >= LONG || !(in_word(before) || in_word(after.chars().next())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hidden(text: &str, secrets: &[&str]) -> String {
        let secrets: Vec<_> = secrets.iter().copied().map(Secret::from).collect();
        hide(text, &secrets.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_long_secret_is_hidden_inside_words_too() {
        assert_eq!(hidden("user=hunter2x&hunter2", &["hunter2"]), "user=[secret]x&[secret]");
    }

    #[test]
    fn a_short_secret_is_hidden_as_a_whole_word_and_leaves_the_message_readable() {
        assert_eq!(
            hidden("a gateway refused client a: say \"a\"", &["a"]),
            "[secret] gateway refused client [secret]: say \"[secret]\""
        );
        assert_eq!(
            hidden("instead of JSON it says: Maintenance", &["a", "in", ""]),
            "instead of JSON it says: Maintenance"
        );
    }

    #[test]
    fn the_longer_of_two_secrets_is_hidden_whole_and_a_mask_is_left_alone() {
        assert_eq!(hidden("the-user-password", &["the-user", "the-user-password", "secret"]), MASK);
        assert_eq!(hidden("x secret", &["x", "secret"]), "[secret] [secret]");
    }

    proptest! {
        #[test]
        fn no_long_secret_stays_in_any_text(text in "\\PC{0,60}", secret in "[a-z0-9+/]{8,20}", at in 0_usize..60) {
            let head: String = text.chars().take(at).collect();
            let tail: String = text.chars().skip(at).collect();
            let shown = hidden(&format!("{head}{secret}{tail}"), &[&secret]);
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }
}

//! Rules for names and passwords, of the pages and of the APIs.

use super::problem::{Acted, Problem, Problems};
use crate::portal::Portal;

/// Room that a login has for user name and password together, as JSON: one RSA-2048 block less padding, base64 and the
/// fixed part of the login (portal's interface, section 2.1).
pub(crate) const USER_AND_PASSWORD_MAX: usize = 66;
/// What a name must look like, in words.
pub(crate) const NAME_RULE: &str = "4 to 30 letters, digits and any of _ . - @, the first a letter";
/// What a password must look like, in words.
pub(crate) const PASSWORD_RULE: &str =
    "8 to 30 characters without blanks: a capital, a small letter, a digit and a special character";

/// Reads a name.
pub(crate) fn name(text: &str) -> Acted<String> {
    let text = text.trim();
    let formed = (4..=30).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-@".contains(&byte))
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if formed {
        return Ok(text.to_owned());
    }
    let found = super::addresses::shortened(text);
    Err(Problems::input(Problem::at("username", format!("the user name needs {NAME_RULE}")).found(found)))
}

/// Reads a password; what was given is never repeated.
pub(crate) fn password(text: &str) -> Acted<String> {
    let mut missing = Vec::new();
    if !(8..=30).contains(&text.len()) {
        missing.push("8 to 30 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        missing.push("no blanks and no letters beyond ASCII");
    }
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        missing.push("a capital letter");
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        missing.push("a small letter");
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        missing.push("a digit");
    }
    if !text.bytes().any(|byte| byte.is_ascii_punctuation()) {
        missing.push("a special character");
    }
    if missing.is_empty() {
        return Ok(text.to_owned());
    }
    let message = format!("the password needs {}", missing.join(", "));
    Err(Problems::input(Problem::at("password", message).code("3003")))
}

/// Refuses a user name and password that a login has no room for.
pub(crate) fn fit(username: &str, password: &str) -> Acted<()> {
    let bytes = json_bytes(username).saturating_add(json_bytes(password));
    if bytes <= USER_AND_PASSWORD_MAX {
        return Ok(());
    }
    let message = format!(
        "user name and password take {bytes} bytes as JSON (a quotation mark or backslash counts twice), and a login has \
         room for {USER_AND_PASSWORD_MAX}: take shorter ones"
    );
    Err(Problems::input(Problem::at("password", message)))
}

/// Bytes of a text inside a JSON string.
fn json_bytes(text: &str) -> usize {
    crate::node::quoted(text).len().saturating_sub(2)
}

impl Portal {
    /// Refuses a name that an API user has already, whoever made it.
    pub(crate) fn free_name(&self, name: &str) -> Acted<()> {
        let made_here = self.registration.users.contains_key(name);
        let mut given = self.accounts.users.values().chain(self.accounts.ewb_users.values());
        if !made_here && !given.any(|user| user.username == name) {
            return Ok(());
        }
        Err(taken(name))
    }

    /// Refuses a name that an account on the pages has already.
    pub(crate) fn free_page_name(&self, name: &str) -> Acted<()> {
        let taken_already = self.registration.accounts.values().any(|account| account.username == name);
        if taken_already { Err(taken(name)) } else { Ok(()) }
    }
}

fn taken(name: &str) -> Problems {
    let message = "this user name is already registered: choose a different one";
    Problems::input(Problem::at("username", message).code("3004").found(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_read_by_their_rules() {
        assert_eq!(name(" API_books.1 ").unwrap(), "API_books.1");
        for wrong in ["abc", "1abcd", "ab cd", "a'bcd", "", &"a".repeat(31), "näme"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert!(password("Right#42").is_ok());
        let message = |text: &str| password(text).unwrap_err().list()[0].message.clone();
        assert!(message("right#42").contains("a capital letter"));
        assert!(message("Rgt#4").contains("8 to 30"));
        assert!(message("Right 42#").contains("no blanks"));
        assert!(!message("secret-without-capital").contains("secret-without"), "a password is never repeated");
    }

    #[test]
    fn what_does_not_fit_a_login_is_refused() {
        assert!(fit(&"a".repeat(30), &"Aa1#aaaa".repeat(3)).is_ok());
        assert!(fit(&"a".repeat(30), &"\"".repeat(18)).is_ok());
        let problems = fit(&"a".repeat(30), &"\"".repeat(19)).unwrap_err();
        assert!(problems.list()[0].message.contains("68 bytes"), "{problems:?}");
    }
}

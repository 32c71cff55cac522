//! What an answer must be, told at once and with what to do: identifiers, addresses, keys.

use std::path::{Path, PathBuf};

use einvoice_core::credential::ListedAddresses;
use einvoice_core::environment::Environment;
use einvoice_core::identifier::{Gstin, Pan};
use einvoice_protocol::public_key::{KEY_FILE_BYTES_MAX, RsaPublicKey};

/// Key ids under which NIC has signed (seen in published tokens): these keys open no login.
const KNOWN_SIGNING_KEYS: [&str; 4] = [
    "EDC57DE1358B300BA9F79340A6696831F3C85047",
    "1513B821EE46C749A63B86E318BF711099287D1F",
    "115F4426617A7938BE1BA06DBEE91A427584EDAB",
    "4DE1544AE695BDC84EC7BC12F2F57F813F44E301",
];

/// Bits of the portals' keys for logins.
const LOGIN_KEY_BITS: usize = 2048;

/// A PAN in any case.
pub(super) fn pan(text: &str) -> Result<Pan, String> {
    Pan::parse(&text.trim().to_uppercase()).map_err(|error| format!("{error}, as printed on the PAN card"))
}

/// GSTINs of one PAN, each once, and those of them whose check digit is wrong.
pub(super) fn gstins(text: &str, pan: Pan) -> Result<(Vec<Gstin>, Vec<Gstin>), String> {
    let mut found: Vec<Gstin> = Vec::new();
    let mut problems = Vec::new();
    for word in words(text) {
        match Gstin::parse(&word.to_uppercase()) {
            Err(error) => problems.push(format!("`{word}`: {error}")),
            Ok(gstin) if gstin.pan() != Some(pan) => problems.push(format!(
                "{gstin} does not hold the PAN {pan}: a client pair serves the GSTINs of one PAN, so another PAN has a \
                 configuration of its own (--config FILE)"
            )),
            Ok(gstin) if gstin.state().is_none() => problems.push(format!("{gstin} begins with no state code")),
            Ok(gstin) if found.contains(&gstin) => problems.push(format!("{gstin} stands twice")),
            Ok(gstin) => found.push(gstin),
        }
    }
    if found.is_empty() && problems.is_empty() {
        problems.push("give one GSTIN at least".to_owned());
    }
    if problems.is_empty() {
        let wrong = found.iter().copied().filter(|gstin| !gstin.check_digit_ok()).collect();
        return Ok((found, wrong));
    }
    Err(problems.join("\n  "))
}

/// What is wrong with the last characters of these, in a sentence.
pub(super) fn check_digits(wrong: &[Gstin]) -> String {
    let one = |gstin: &Gstin| match gstin.expected_check_character() {
        Some(expected) => format!("{gstin} should end in {expected}"),
        None => format!("{gstin} has no check digit"),
    };
    wrong.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A list of addresses, or the word `none`.
pub(super) fn addresses(text: &str) -> Result<ListedAddresses, String> {
    if text.trim().eq_ignore_ascii_case("none") {
        return Ok(ListedAddresses::default());
    }
    ListedAddresses::parse(words(text))
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))
}

/// An address of a portal or provider.
pub(super) fn address(key: &str, text: &str, environment: Environment) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    einvoice_http::usable_address(key, text, environment).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// What a file of a key for logins turned out to be.
#[derive(Debug)]
pub(in crate::commands) struct LoginKey {
    /// As it was written.
    pub(super) path: PathBuf,
    pub(in crate::commands) key: RsaPublicKey,
}

impl LoginKey {
    /// In words.
    pub(super) fn shown(&self) -> String {
        let form = if self.key.has_certificate() { "an RSA key in a certificate" } else { "an RSA public key" };
        let until = self.key.not_after().map(|until| format!(", valid until {}", day(until))).unwrap_or_default();
        let size = if self.key.bits() == LOGIN_KEY_BITS { "" } else { " (2048 is usual)" };
        format!("{form} of {} bits{size}{until}", self.key.bits())
    }
}

/// Reads a key for logins. Another sort of key is refused: one that is known to sign, or a private one.
pub(in crate::commands) fn login_key(path: &Path, directory: &Path) -> Result<LoginKey, String> {
    let path = path.to_path_buf();
    let pem = key_text(&directory.join(&path))?;
    let key = RsaPublicKey::from_pem(&pem).map_err(|error| format!("{}: {error}", path.display()))?;
    if KNOWN_SIGNING_KEYS.contains(&key.kid().as_str()) {
        return Err(format!(
            "{}: this is a certificate with which the portal signs ({}); logins take another key, which the page of the \
             API users hands out",
            path.display(),
            key.kid()
        ));
    }
    Ok(LoginKey { path, key })
}

/// A key file as text.
pub(super) fn key_text(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(format!("{} is a folder; name the file in it", path.display()));
    }
    if usize::try_from(metadata.len()).map_or(true, |length| length > KEY_FILE_BYTES_MAX) {
        return Err(format!("{} is far too large to be a key file", path.display()));
    }
    std::fs::read(path).map_err(failed).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Words between blanks, commas and semicolons.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', ',', ';']).filter(|word| !word.is_empty())
}

/// The day of a moment in India.
pub(super) fn day(moment: jiff::Timestamp) -> String {
    einvoice_core::date::ist_date(moment).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAN: &str = "AAPFU0939F";

    fn told(text: &str) -> String {
        gstins(text, pan(PAN).unwrap()).unwrap_err()
    }

    #[test]
    fn a_pan_is_taken_in_any_case_and_anything_else_is_refused_with_its_form() {
        assert_eq!(pan(" aapfu0939f ").unwrap().as_str(), PAN);
        assert!(pan("27AAPFU0939F1ZV").unwrap_err().contains("five letters, four digits and a letter"));
    }

    #[test]
    fn gstins_share_the_pan_and_all_that_is_wrong_is_told_at_once() {
        let (found, wrong) = gstins("27aapfu0939f1zv, 29AAPFU0939F1ZQ", pan(PAN).unwrap()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(check_digits(&wrong).contains("29AAPFU0939F1ZQ should end in"), "{wrong:?}");
        let problems = told("27AAPFU0939F1ZV 27AAPFU0939F1ZV 29AABCE1234F1Z1 x");
        assert!(problems.contains("stands twice"), "{problems}");
        assert!(problems.contains("29AABCE1234F1Z1 does not hold the PAN AAPFU0939F"), "{problems}");
        assert!(problems.contains("`x`: not a GSTIN"), "{problems}");
        assert!(told(" , ").contains("one GSTIN at least"));
    }

    #[test]
    fn five_addresses_are_one_too_many_and_a_private_one_is_none() {
        assert_eq!(addresses("8.8.8.1, 8.8.8.2").unwrap().as_slice().len(), 2);
        assert!(addresses("none").unwrap().is_empty());
        assert!(addresses("8.8.8.1 8.8.8.2 8.8.8.3 8.8.8.4 8.8.8.5").unwrap_err().contains("at most 4"));
        assert!(addresses("10.0.0.1").unwrap_err().contains("private"));
    }

    #[test]
    fn a_key_file_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.pem"), "hello").unwrap();
        let login_key = |file: &str| login_key(Path::new(file), folder.path());
        assert!(login_key("a.pem").unwrap_err().contains("a.pem: no public key found"));
        assert!(login_key("b.pem").unwrap_err().contains("cannot be read"));
        assert!(login_key(".").unwrap_err().contains("is a folder"));
    }

    #[test]
    fn an_address_is_kept_without_its_last_slash_and_production_is_never_in_the_clear() {
        let of = |text, environment| address("base_url", text, environment);
        assert_eq!(of("https://portal.example/", Environment::Production).unwrap(), "https://portal.example");
        assert!(of("http://portal.example", Environment::Production).unwrap_err().contains("in the clear"));
    }
}

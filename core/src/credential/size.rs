//! Whether a user name and a password fit into a login.
//!
//! A login travels under the portal's RSA-2048 key with PKCS#1 v1.5 padding: 245 bytes of base64, which carry 183
//! bytes of JSON. The members' names, the AppKey and the punctuation take their part; the rest is for user name and
//! password, as they are written in JSON.

use crate::environment::Product;

/// Bytes of JSON that fit under an RSA-2048 key.
const JSON_BYTES_MAX: usize = (256 - 11) / 4 * 3;

/// Bytes of a login to the e-invoice system beside user name and password: names, punctuation, 44 characters of AppKey.
const E_INVOICE_FIXED_BYTES: usize = 117;

/// The same for the e-way bill system, whose members have other names.
const E_WAY_BILL_FIXED_BYTES: usize = 109;

/// Why a user name and a password cannot be used for a login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginSizeError {
    /// One of the two is missing.
    #[error("the {what} is empty: give the one that was set when the API user was made at the portal")]
    Empty {
        /// Which of the two.
        what: &'static str,
    },
    /// They are too long together.
    #[error(
        "user name and password have {found} bytes together and at most {max} fit into a login to the portal; \
         set a shorter password for this API user there (a quote or a backslash counts twice)"
    )]
    TooLong {
        /// Bytes they have, as written in JSON.
        found: usize,
        /// Bytes that fit.
        max: usize,
    },
}

/// Bytes that user name and password may have together in a login to a system, as written in JSON.
#[must_use]
pub const fn login_bytes_max(product: Product) -> usize {
    match product {
        Product::EInvoice => JSON_BYTES_MAX - E_INVOICE_FIXED_BYTES,
        Product::EWayBill => JSON_BYTES_MAX - E_WAY_BILL_FIXED_BYTES,
    }
}

/// Bytes of a value inside of a JSON string.
fn json_bytes(value: &str) -> usize {
    let bytes = |letter: char| match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => letter.len_utf8(),
    };
    value.chars().map(bytes).sum()
}

/// Whether a user name and a password are there and fit into a login, so that a wrong one is told when it is entered
/// and not by the portal.
///
/// # Errors
/// [`LoginSizeError`] saying which is empty, or how many bytes are too many. Neither value is shown.
pub fn login_fits(product: Product, user_name: &str, password: &str) -> Result<(), LoginSizeError> {
    for (what, value) in [("user name", user_name), ("password", password)] {
        if value.trim().is_empty() {
            return Err(LoginSizeError::Empty { what });
        }
    }
    let (found, max) = (json_bytes(user_name) + json_bytes(password), login_bytes_max(product));
    if found > max { Err(LoginSizeError::TooLong { found, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_what_the_portals_documents_leave() {
        assert_eq!(login_bytes_max(Product::EInvoice), 66);
        assert_eq!(login_bytes_max(Product::EWayBill), 74);
    }

    #[test]
    fn a_value_counts_as_it_is_written_in_json() {
        for value in ["plain", "quo\"te", "back\\slash", "\u{1}\n\u{8}\u{c}\u{7f}", "₹ 100", "😀"] {
            let written = serde_json::to_string(value).unwrap().len() - 2;
            assert_eq!(json_bytes(value), written, "{value:?}");
        }
    }

    #[test]
    fn sixty_six_bytes_fit_and_one_more_does_not() {
        let name = "n".repeat(30);
        assert_eq!(login_fits(Product::EInvoice, &name, &"p".repeat(36)), Ok(()));
        let error = login_fits(Product::EInvoice, &name, &format!("{}\"", "p".repeat(35))).unwrap_err();
        assert_eq!(error, LoginSizeError::TooLong { found: 67, max: 66 });
        assert!(!error.to_string().contains("ppp"), "{error}");
        assert_eq!(login_fits(Product::EInvoice, &name, " "), Err(LoginSizeError::Empty { what: "password" }));
    }
}

//! What a person can do about a call that the portal refused: whose move it is, in a sentence.
//!
//! The portal's texts say what it did not like and rarely where to look. The meanings are those of
//! its published code list; 1020 was seen for a login sealed with another key.

use crate::portal_code::PortalError;
use crate::transport::TransportError;

/// What to do about a failed call, where the portal's code tells.
#[must_use]
pub fn on(error: &TransportError) -> Option<&'static str> {
    error.portal_errors().iter().find_map(of)
}

/// The error with what to do about it.
#[must_use]
pub fn with_advice(error: &TransportError) -> String {
    on(error).map_or_else(|| error.to_string(), |advice| format!("{error}; {advice}"))
}

fn of(error: &PortalError) -> Option<&'static str> {
    Some(match error.code.as_str() {
        "1002" | "1008" | "3000" | "3002" => {
            "compare name and password of the API user with those on the portal, and correct the credential store"
        }
        "1010" | "1011" | "1012" => {
            "compare client id and secret with those the portal issued for this PAN and this environment, and correct \
             the credential store"
        }
        "1013" | "1016" | "1020" => {
            "the portal could not open the login: compare the configured login key with the one the portal hands out \
             for this environment (its signing key is another)"
        }
        "1014" => "the GSTIN is inactive or not enabled for e-invoicing: the taxpayer enables it on the portal",
        "1015" => "the API user belongs to another GSTIN: store the user that the portal has for this one",
        "1017" => "compare the name of the API user: one made for a GSP or for the other environment is not known here",
        "1018" => "the API user is bound to another client id: the taxpayer makes one for this client on the portal",
        "1019" => {
            "compare the password of the API user with the one set on the portal, and correct the credential store"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> TransportError {
        TransportError::Refused { operation: None, errors: vec![PortalError::new(code, "text")], info: Vec::new() }
    }

    #[test]
    fn a_refused_login_says_what_to_compare_and_any_other_refusal_stays_as_it_is() {
        assert!(with_advice(&refused("1019")).contains("1019 text; compare the password"));
        assert!(with_advice(&refused("1020")).contains("login key"));
        assert_eq!(with_advice(&refused("2150")), refused("2150").to_string());
    }
}

//! Opens what the e-way bill system sealed (NIC, e-way bill API 1.03).
//!
//! An answer to a POST is sealed with the SEK. An answer to a GET brings a key of its own (`rek`), itself sealed
//! with the SEK, and a digest keyed with it: HMAC-SHA256 over the base64 of the JSON.

use aws_lc_rs::hmac;
use base64::Engine as _;
use zeroize::Zeroizing;

use super::envelope::Accepted;
use crate::encoding::BASE64;
use crate::envelope::{Data, EnvelopeError};
use crate::seal::{SealError, Sek, json_of};

/// Why the content of an answer cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It has none.
    #[error("{0}")]
    Envelope(#[from] EnvelopeError),
    /// It does not open.
    #[error("its {member} cannot be opened: {error}")]
    Sealed {
        /// `data` or `rek`.
        member: &'static str,
        /// Why.
        error: SealError,
    },
    /// Of key and digest only one is there.
    #[error("it has {present} and no {absent}, so its content cannot be checked")]
    Half {
        /// What is there.
        present: &'static str,
        /// What is not.
        absent: &'static str,
    },
    /// The digest is that of another content, or made with another key.
    #[error("its hmac does not fit its content")]
    Digest,
}

/// The JSON of an answer.
///
/// Content in the clear is taken as it stands: some gateways open replies on the way.
///
/// # Errors
/// When it does not open, or its digest does not fit. Nothing of the content is told.
pub fn open(answer: &Accepted<'_>, sek: &Sek) -> Result<String, OpenError> {
    let sealed = match answer.data()? {
        Data::Json(json) => return Ok(json.to_owned()),
        Data::Text(sealed) => sealed,
    };
    let data = |error| OpenError::Sealed { member: "data", error };
    let rek = |error| OpenError::Sealed { member: "rek", error };
    match (answer.members().text("rek"), answer.members().text("hmac")) {
        (None, None) => sek.open_json(&sealed).map_err(data),
        (Some(_), None) => Err(OpenError::Half { present: "rek", absent: "hmac" }),
        (None, Some(_)) => Err(OpenError::Half { present: "hmac", absent: "rek" }),
        (Some(wrapped), Some(digest)) => {
            let key = Zeroizing::new(sek.open(&wrapped).map_err(rek)?);
            // The two kinds of key are the same cipher's.
            let opened = Sek::from_bytes(&key).map_err(rek)?.open(&sealed).map_err(data)?;
            let json = json_of(opened).map_err(data)?;
            let digest = BASE64.decode(digest.trim()).map_err(|_| OpenError::Digest)?;
            let message = BASE64.encode(json.as_bytes());
            // Compares in constant time.
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), message.as_bytes(), &digest)
                .map_err(|_| OpenError::Digest)?;
            Ok(json)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ewb::envelope::{Answer, read};
    use proptest::prelude::*;

    fn opened(body: &str) -> Result<String, OpenError> {
        let Ok(Answer::Accepted(answer)) = read(body.as_bytes()) else { panic!("no yes: {body}") };
        open(&answer, &Sek::from_bytes(&[7; 32]).unwrap())
    }

    /// An answer to a GET, the digest made over `signed`.
    fn with_rek(inside: &[u8], signed: &str) -> String {
        let sek = Sek::from_bytes(&[7; 32]).unwrap();
        let rek = [3; 32];
        let digest = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &rek), BASE64.encode(signed).as_bytes());
        let data = Sek::from_bytes(&rek).unwrap().seal(inside);
        let (wrapped, digest) = (sek.seal(&rek), BASE64.encode(digest));
        format!(r#"{{"status":"1","data":"{data}","rek":"{wrapped}","hmac":"{digest}"}}"#)
    }

    #[test]
    fn an_answer_to_a_get_opens_in_both_layerings_when_its_digest_fits() {
        let json = r#"{"ewbNo":1}"#;
        assert_eq!(opened(&with_rek(json.as_bytes(), json)).unwrap(), json);
        assert_eq!(opened(&with_rek(BASE64.encode(json).as_bytes(), json)).unwrap(), json);
        assert_eq!(opened(&with_rek(json.as_bytes(), r#"{"ewbNo":2}"#)).unwrap_err(), OpenError::Digest);
    }

    #[test]
    fn an_answer_to_a_post_opens_in_both_layerings_and_in_the_clear() {
        let sek = Sek::from_bytes(&[7; 32]).unwrap();
        for inside in [r#"{"a":1}"#.to_owned(), BASE64.encode(r#"{"a":1}"#)] {
            let body = format!(r#"{{"status":1,"data":"{}"}}"#, sek.seal(inside.as_bytes()));
            assert_eq!(opened(&body).unwrap(), r#"{"a":1}"#);
        }
        assert_eq!(opened(r#"{"status":1,"data":{"a":1}}"#).unwrap(), r#"{"a":1}"#);
        // A provider puts the JSON into a text; it is base64 of nothing.
        assert!(opened(r#"{"status":1,"data":"{}"}"#).is_err());
    }

    #[test]
    fn a_key_without_a_digest_and_a_digest_without_a_key_are_not_believed() {
        let whole = with_rek(b"{}", "{}");
        let without = |member: &str| whole.replace(&format!("\"{member}\""), "\"other\"");
        assert!(matches!(opened(&without("hmac")), Err(OpenError::Half { present: "rek", .. })));
        assert!(matches!(opened(&without("rek")), Err(OpenError::Half { present: "hmac", .. })));
        assert!(matches!(opened(r#"{"status":1}"#), Err(OpenError::Envelope(EnvelopeError::NoData))));
    }

    proptest! {
        #[test]
        fn any_texts_open_or_fail_without_a_panic(data in "[A-Za-z0-9+/=]{0,80}", rek in "[A-Za-z0-9+/=]{0,80}", hmac in "[ -~&&[^\"\\\\]]{0,50}") {
            let _either = opened(&format!(r#"{{"status":1,"data":"{data}","rek":"{rek}","hmac":"{hmac}"}}"#));
            let _either = opened(&format!(r#"{{"status":1,"data":"{data}"}}"#));
        }
    }
}

//! Until when a certificate is valid (RFC 5280, section 4.1.2.5).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::der::{Der, Tag};

/// The second moment of a certificate's `Validity`, from the certificate's content.
pub(crate) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let mut tbs = Der::new(Der::new(certificate).take(Tag::SEQUENCE)?);
    if tbs.next_is(Tag::VERSION) {
        tbs.take(Tag::VERSION)?;
    }
    tbs.take(Tag::INTEGER)?;
    // Signature algorithm and issuer; then the validity.
    tbs.take(Tag::SEQUENCE)?;
    tbs.take(Tag::SEQUENCE)?;
    let mut validity = Der::new(tbs.take(Tag::SEQUENCE)?);
    moment(&mut validity)?;
    moment(&mut validity)
}

/// `YYMMDDHHMMSSZ`, which means 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn moment(der: &mut Der<'_>) -> Option<Timestamp> {
    let text = if der.next_is(Tag::UTC_TIME) {
        let short = std::str::from_utf8(der.take(Tag::UTC_TIME)?).ok()?;
        let century = if short.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
        format!("{century}{short}")
    } else {
        std::str::from_utf8(der.take(Tag::GENERALIZED_TIME)?).ok()?.to_owned()
    };
    let local = DateTime::strptime("%Y%m%d%H%M%S", text.strip_suffix('Z')?).ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut element = vec![tag, u8::try_from(content.len()).unwrap()];
        element.extend_from_slice(content);
        element
    }

    fn until(tag: u8, text: &str) -> Option<String> {
        let validity = [element(0x17, b"200101000000Z"), element(tag, text.as_bytes())].concat();
        let (version, serial) = (element(0xA0, &[2, 1, 2]), element(0x02, &[1]));
        let (algorithm, issuer) = (element(0x30, &[]), element(0x30, &[]));
        let tbs = [version, serial, algorithm, issuer, element(0x30, &validity)].concat();
        not_after(&element(0x30, &tbs)).map(|moment| moment.to_string())
    }

    #[test]
    fn both_forms_of_time_are_read_and_anything_else_is_not() {
        assert_eq!(until(0x17, "270331183000Z").as_deref(), Some("2027-03-31T18:30:00Z"));
        assert_eq!(until(0x17, "990331183000Z").as_deref(), Some("1999-03-31T18:30:00Z"));
        assert_eq!(until(0x18, "20520331183000Z").as_deref(), Some("2052-03-31T18:30:00Z"));
        for wrong in ["", "2703311830Z", "270331183000", "271331183000Z", "27033118300\u{e9}Z"] {
            assert_eq!(until(0x17, wrong), None, "{wrong}");
        }
        assert_eq!(until(0x0C, "270331183000Z"), None);
    }
}

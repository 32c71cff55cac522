//! As much DER as a public key and a certificate need: tags, definite lengths, no copies.

/// A DER tag octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u8);

impl Tag {
    pub(crate) const INTEGER: Self = Self(0x02);
    pub(crate) const BIT_STRING: Self = Self(0x03);
    pub(crate) const OBJECT_IDENTIFIER: Self = Self(0x06);
    pub(crate) const UTC_TIME: Self = Self(0x17);
    pub(crate) const GENERALIZED_TIME: Self = Self(0x18);
    pub(crate) const SEQUENCE: Self = Self(0x30);
    /// `[0] EXPLICIT Version` of a certificate.
    pub(crate) const VERSION: Self = Self(0xA0);
}

/// Reads one element after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether the next element has this tag.
    pub(crate) fn next_is(&self, tag: Tag) -> bool {
        self.0.first() == Some(&tag.0)
    }

    /// The content of the next element, if it has this tag and is whole.
    pub(crate) fn take(&mut self, tag: Tag) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(&[tag.0])?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7F);
            // Four octets reach far beyond the largest file read; none at all is BER, not DER.
            if !(1..=4).contains(&count) {
                return None;
            }
            let (octets, rest) = rest.split_at_checked(count)?;
            (
                octets
                    .iter()
                    .try_fold(0_usize, |length, octet| length.checked_mul(256)?.checked_add(usize::from(*octet)))?,
                rest,
            )
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The content of the only element, if nothing follows it.
    pub(crate) fn only(mut self, tag: Tag) -> Option<&'a [u8]> {
        let content = self.take(tag)?;
        self.0.is_empty().then_some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_lengths_are_read() {
        assert_eq!(Der::new(&[0x02, 0x01, 0x05]).only(Tag::INTEGER), Some([5].as_slice()));
        let mut long = vec![0x30, 0x81, 0x80];
        long.extend([7; 128]);
        assert_eq!(Der::new(&long).only(Tag::SEQUENCE).map(<[u8]>::len), Some(128));
    }

    #[test]
    fn cut_elements_trailing_bytes_and_endless_lengths_are_refused() {
        assert_eq!(Der::new(&[0x02, 0x02, 0x05]).only(Tag::INTEGER), None);
        assert_eq!(Der::new(&[0x02, 0x01, 0x05, 0x00]).only(Tag::INTEGER), None);
        assert_eq!(Der::new(&[0x30, 0x80, 0x00, 0x00]).only(Tag::SEQUENCE), None);
        assert_eq!(Der::new(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).only(Tag::SEQUENCE), None);
    }
}

//! The key of a document: what the portal, the ledger and the books agree on before there is an IRN.
//!
//! A supplier can use a number once per type and financial year; the [`Irn`](crate::irn::Irn) is the hash of the key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::date::FinancialYear;
use crate::identifier::{DocumentNumber, Gstin};

/// Kind of document; the set is complete by the schema (INV-01 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the schema names three kinds; another would be another schema")]
pub enum DocumentType {
    /// Tax invoice, `INV`.
    Invoice,
    /// Credit note, `CRN`.
    CreditNote,
    /// Debit note, `DBN`.
    DebitNote,
}

impl DocumentType {
    /// Reads `INV`, `CRN` or `DBN` in any case; the portal takes small letters too.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Invoice, Self::CreditNote, Self::DebitNote]
            .into_iter()
            .find(|kind| kind.code().eq_ignore_ascii_case(text))
    }

    /// The portal's three letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invoice => "INV",
            Self::CreditNote => "CRN",
            Self::DebitNote => "DBN",
        }
    }
}

impl fmt::Display for DocumentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// Supplier, financial year, type and number of a document, written `GSTIN/2025-26/INV/NUMBER`.
///
/// Numbers compare in capitals, so two spellings of one number are one key; the spelling is kept.
///
/// ```
/// use einvoice_core::key::DocumentKey;
/// let key: DocumentKey = "27AAPFU0939F1ZV/2025-26/INV/a/7".parse()?;
/// assert_eq!(key.number.as_str(), "a/7");
/// assert_eq!(key, "27AAPFU0939F1ZV/2025-26/INV/A/7".parse()?);
/// # Ok::<(), einvoice_core::key::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// GSTIN of the supplier.
    pub supplier: Gstin,
    /// Financial year of the document date.
    pub year: FinancialYear,
    /// Kind of document.
    pub doc_type: DocumentType,
    /// Number as the source spells it.
    pub number: DocumentNumber,
}

/// Why a text is not a document key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a document key: {part} is wrong; write GSTIN/YYYY-YY/INV/NUMBER, for instance 27AAPFU0939F1ZV/2025-26/INV/A-7"
)]
pub struct KeyError {
    part: &'static str,
}

impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.supplier, self.year, self.doc_type, self.number)
    }
}

impl FromStr for DocumentKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The number may hold slashes itself, so only the first three separate.
        let mut parts = text.splitn(4, '/');
        let mut next = || parts.next().unwrap_or_default();
        let supplier = Gstin::parse(next()).map_err(|_| KeyError { part: "the GSTIN" })?;
        let year = FinancialYear::parse(next()).map_err(|_| KeyError { part: "the financial year" })?;
        let doc_type = DocumentType::parse(next()).ok_or(KeyError { part: "the document type" })?;
        let number = DocumentNumber::parse(next()).map_err(|_| KeyError { part: "the document number" })?;
        Ok(Self { supplier, year, doc_type, number })
    }
}

impl Serialize for DocumentKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocumentKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for DocumentType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for DocumentType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected INV, CRN or DBN"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let text = "27AAPFU0939F1ZV/2025-26/CRN/a/b-7";
        let key: DocumentKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<DocumentKey>(&json).unwrap(), key);
    }

    #[test]
    fn a_wrong_part_of_a_key_is_named() {
        let part = |text: &str| text.parse::<DocumentKey>().unwrap_err().part;
        assert_eq!(part("27AAPFU0939F1Z/2025-26/INV/1"), "the GSTIN");
        assert_eq!(part("27AAPFU0939F1ZV/2025/INV/1"), "the financial year");
        assert_eq!(part("27AAPFU0939F1ZV/2025-26/BIL/1"), "the document type");
        assert_eq!(part("27AAPFU0939F1ZV/2025-26/INV/0"), "the document number");
        assert_eq!(part(""), "the GSTIN");
    }
}

//! What the portal signs, typed: the QR text's members, and the anchors of a signed invoice.
//!
//! Typing is apart from verifying: read claims only from content that [`crate::jwt`] has judged.

use einvoice_core::date::{DocumentDate, PortalTime};
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::key::DocumentType;

use crate::members::{Members, MembersError};

/// Why signed data has not the portal's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// No JSON object.
    #[error("the signed data is damaged: {0}")]
    Damaged(#[from] MembersError),
    /// A member is missing or has another form.
    #[error("the signed data lacks {member}, or it is not {expected}")]
    Member {
        /// Name of the member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// The members of a signed QR text. Amounts and counts are kept as the portal wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrClaims {
    /// Supplier.
    pub seller_gstin: Gstin,
    /// Buyer: a GSTIN, or `URP` for an unregistered person.
    pub buyer_gstin: String,
    /// Document number.
    pub doc_no: String,
    /// Document type.
    pub doc_typ: DocumentType,
    /// Document date.
    pub doc_dt: DocumentDate,
    /// Invoice value in rupees, a JSON number as written (`100.0` and `100` both occur).
    pub tot_inv_val: String,
    /// Number of items.
    pub item_cnt: String,
    /// HSN of the item with the greatest taxable value.
    pub main_hsn_code: String,
    /// IRN.
    pub irn: Irn,
    /// Acknowledgement time; absent in tokens of August 2020.
    pub irn_dt: Option<PortalTime>,
}

/// The members that the portal adds to a signed invoice. The document itself is read from the same
/// text by core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceClaims {
    /// Acknowledgement number.
    pub ack_no: String,
    /// Acknowledgement time, with seconds.
    pub ack_dt: PortalTime,
    /// IRN.
    pub irn: Irn,
}

/// Which of the two signed texts some data is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the portal signs these two texts")]
pub enum Claims {
    /// A signed QR text.
    Qr(Box<QrClaims>),
    /// A signed invoice.
    Invoice(Box<InvoiceClaims>),
}

impl Claims {
    /// Reads signed data of either kind. A QR text names the supplier at its top level, a signed
    /// invoice in `SellerDtls`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(data: &str) -> Result<Self, ClaimError> {
        let is_qr = Members::read(data, &[])?.get("SellerGstin").is_some();
        if is_qr {
            return QrClaims::read(data).map(Box::new).map(Self::Qr);
        }
        InvoiceClaims::read(data).map(Box::new).map(Self::Invoice)
    }

    /// The IRN, which both kinds carry.
    #[must_use]
    pub fn irn(&self) -> Irn {
        match self {
            Self::Qr(claims) => claims.irn,
            Self::Invoice(claims) => claims.irn,
        }
    }

    /// `signed_qr` or `signed_invoice`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Qr(_) => "signed_qr",
            Self::Invoice(_) => "signed_invoice",
        }
    }
}

impl QrClaims {
    /// Reads the `data` of a signed QR text.
    ///
    /// # Errors
    /// When a member is missing or has another form.
    pub fn read(data: &str) -> Result<Self, ClaimError> {
        let names = ["SellerGstin", "BuyerGstin", "DocNo", "DocTyp", "DocDt", "TotInvVal", "ItemCnt", "Irn"];
        let members = Members::read(data, &names)?;
        let text = |member, expected| members.text(member).ok_or(ClaimError::Member { member, expected });
        let other = |member, expected| ClaimError::Member { member, expected };
        Ok(Self {
            seller_gstin: Gstin::parse(&text("SellerGstin", "a GSTIN")?)
                .map_err(|_| other("SellerGstin", "a GSTIN"))?,
            buyer_gstin: text("BuyerGstin", "a GSTIN or URP")?,
            doc_no: text("DocNo", "a document number")?,
            doc_typ: DocumentType::parse(&text("DocTyp", "INV, CRN or DBN")?)
                .ok_or(other("DocTyp", "INV, CRN or DBN"))?,
            doc_dt: DocumentDate::parse(&text("DocDt", "a date DD/MM/YYYY")?)
                .map_err(|_| other("DocDt", "a date DD/MM/YYYY"))?,
            tot_inv_val: text("TotInvVal", "an amount")?,
            item_cnt: text("ItemCnt", "a count")?,
            main_hsn_code: text("MainHsnCode", "an HSN code")?,
            irn: irn(&members)?,
            irn_dt: members.moment("IrnDt"),
        })
    }
}

impl InvoiceClaims {
    /// Reads the portal's members in the `data` of a signed invoice.
    ///
    /// # Errors
    /// When a member is missing or has another form.
    pub fn read(data: &str) -> Result<Self, ClaimError> {
        let members = Members::read(data, &["AckNo", "AckDt", "Irn"])?;
        Ok(Self {
            ack_no: members.digits("AckNo").ok_or(ClaimError::Member { member: "AckNo", expected: "a number" })?,
            ack_dt: members.moment("AckDt").ok_or(ClaimError::Member { member: "AckDt", expected: "a time" })?,
            irn: irn(&members)?,
        })
    }
}

fn irn(members: &Members<'_>) -> Result<Irn, ClaimError> {
    let error = ClaimError::Member { member: "Irn", expected: "64 hexadecimal digits" };
    Irn::parse(&members.text("Irn").ok_or(error.clone())?).map_err(|_| error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;

    #[test]
    fn the_recorded_tokens_carry_the_claims_their_notes_say() {
        let Some(text) = sample("signed-jwts.json") else { return };
        let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        for entry in entries {
            let content = crate::jwt::content_unverified(entry["jwt"].as_str().unwrap()).unwrap();
            assert_eq!(content.kid, entry["kid"].as_str().unwrap());
            assert_eq!(content.issuer, entry["iss"].as_str().unwrap());
            let claims = Claims::read(&content.data).unwrap();
            assert_eq!(claims.irn().to_string(), entry["irn"].as_str().unwrap());
            let kind = if entry["kind"] == "SignedInvoice" { "signed_invoice" } else { "signed_qr" };
            assert_eq!(claims.kind(), kind);
        }
    }

    #[test]
    fn an_amount_keeps_its_spelling_and_the_time_may_be_absent() {
        let irn = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";
        let data = format!(
            r#"{{"SellerGstin":"29AAAAA0000A1Z5","BuyerGstin":"URP","DocNo":"A1","DocTyp":"INV","DocDt":"16/09/2022",
            "TotInvVal":100.0,"ItemCnt":1,"MainHsnCode":"61149090","Irn":"{irn}"}}"#
        );
        let claims = QrClaims::read(&data).unwrap();
        assert_eq!((claims.tot_inv_val.as_str(), claims.irn_dt), ("100.0", None));
        let lacking = QrClaims::read(&data.replace("ItemCnt", "Items")).unwrap_err();
        assert_eq!(lacking, ClaimError::Member { member: "ItemCnt", expected: "a count" });
    }
}

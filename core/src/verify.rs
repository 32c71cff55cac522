//! Nothing unverified is believed: judges what the portal sent back against what was sent.
//!
//! Signature checking itself belongs to the wire protocol and comes in through [`TokenVerifier`];
//! this module decides what a verdict means for a document.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::date::PortalTime;
use crate::document::{Difference, Invoice, Item};
use crate::irn::{Irn, IrnRule};
use crate::key::DocumentKey;
use crate::number::Amount;
use crate::operation::Registration;

/// Checks the signature of a compact JWT against the portal keys it knows.
pub trait TokenVerifier: fmt::Debug + Send + Sync {
    /// Judges a token over its original bytes. Pinned to RS256; keys or addresses that the token
    /// itself suggests are ignored.
    fn verify(&self, token: &str) -> TokenVerdict;
}

/// What a signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a token is genuine, forged, or we cannot tell")]
pub enum TokenVerdict {
    /// Signed by a key we know, over exactly these bytes.
    Genuine(SignedContent),
    /// Well-formed, signed by a key we do not have.
    Unverifiable(SignedContent),
    /// Damaged, altered, or not a token of a portal.
    Forged {
        /// What gave it away.
        reason: String,
    },
}

/// What is inside a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedContent {
    /// Key id of the header, upper-case hex.
    pub kid: String,
    /// `iss` of the payload.
    pub issuer: String,
    /// The `data` member of the payload: JSON as text.
    pub data: String,
}

/// How far a registration is proven. See DESIGN: `Outcome`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[expect(clippy::exhaustive_enums, reason = "complete by design")]
pub enum Proof {
    /// Both signed parts are genuine and say what was sent.
    Verified {
        /// The key that signed.
        kid: String,
    },
    /// The signing key is not in the key set; settles when it is added.
    KeyUnknown {
        /// The key that is missing.
        kid: String,
    },
    /// Registered, yet the signed copy is out of reach (codes 2283, 2295).
    SignedPartsMissing {
        /// Why, and where a person finds it.
        reason: String,
    },
}

/// The judgement on a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "ours, somebody else's, misstated around a proof, or not to be believed")]
pub enum Judgement {
    /// It is the document that was sent.
    Ours(Proof),
    /// The genuine signed invoice in it states another acknowledgement than the reply around it. What
    /// is signed counts: put it in the place of the reply's own words and judge again.
    Misstated(Acknowledgement),
    /// The portal holds a different document under the same key.
    Different {
        /// Field by field.
        differences: Vec<Difference>,
        /// How far the portal's copy itself is proven.
        proof: Proof,
    },
    /// The reply contradicts itself or a signature is forged: it proves nothing.
    NotBelieved {
        /// What is wrong with it.
        reason: String,
    },
}

/// The acknowledgement that a signed invoice states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Its number.
    pub number: String,
    /// Its time.
    pub date: PortalTime,
}

/// Judges a registration against the document it should be for.
///
/// The day of its acknowledgement decides how the number was hashed. Its status is the caller's to
/// judge: a cancelled registration is one all the same.
#[must_use]
pub fn judge(
    key: &DocumentKey,
    sent: &Invoice,
    registration: &Registration,
    verifier: &dyn TokenVerifier,
) -> Judgement {
    let registered_on = registration.ack_date.date();
    if let Err(reason) = irn_belongs(key, &registration.irn, registered_on) {
        return Judgement::NotBelieved { reason };
    }
    let (Some(signed_invoice), Some(signed_qr)) = (&registration.signed_invoice, &registration.signed_qr) else {
        return judge_without_a_part(sent, registration, verifier);
    };
    match (verifier.verify(signed_invoice), verifier.verify(signed_qr)) {
        (TokenVerdict::Forged { reason }, _) => Judgement::NotBelieved { reason: format!("signed invoice: {reason}") },
        (_, TokenVerdict::Forged { reason }) => Judgement::NotBelieved { reason: format!("signed QR: {reason}") },
        (TokenVerdict::Genuine(invoice), TokenVerdict::Genuine(qr)) => {
            let proof = Proof::Verified { kid: invoice.kid.clone() };
            judge_content(sent, registration, Some(&SignedInvoice::genuine(&invoice)), Some(&qr), proof)
        }
        (TokenVerdict::Unverifiable(invoice), TokenVerdict::Genuine(qr) | TokenVerdict::Unverifiable(qr)) => {
            let proof = Proof::KeyUnknown { kid: invoice.kid.clone() };
            judge_content(sent, registration, Some(&SignedInvoice::unverifiable(&invoice)), Some(&qr), proof)
        }
        (TokenVerdict::Genuine(invoice), TokenVerdict::Unverifiable(qr)) => {
            let proof = Proof::KeyUnknown { kid: qr.kid.clone() };
            judge_content(sent, registration, Some(&SignedInvoice::genuine(&invoice)), Some(&qr), proof)
        }
    }
}

/// The content of a signed invoice that is not forged.
struct SignedInvoice<'a> {
    data: &'a str,
    /// A key that we know signed it, so that it outweighs what stands around it.
    is_genuine: bool,
}

impl<'a> SignedInvoice<'a> {
    fn genuine(content: &'a SignedContent) -> Self {
        Self { data: &content.data, is_genuine: true }
    }

    fn unverifiable(content: &'a SignedContent) -> Self {
        Self { data: &content.data, is_genuine: false }
    }
}

/// A reply that lacks a signed part proves less, and what it has must stand the same tests.
fn judge_without_a_part(sent: &Invoice, registration: &Registration, verifier: &dyn TokenVerifier) -> Judgement {
    let proof = Proof::SignedPartsMissing {
        reason: "the portal did not hand out the whole signed copy; download it from the GST portal".to_owned(),
    };
    let (what, token) = match (&registration.signed_invoice, &registration.signed_qr) {
        (Some(invoice), _) => ("signed invoice", invoice),
        (None, Some(qr)) => ("signed QR", qr),
        (None, None) => return Judgement::Ours(proof),
    };
    let (content, is_genuine) = match verifier.verify(token) {
        TokenVerdict::Forged { reason } => return Judgement::NotBelieved { reason: format!("{what}: {reason}") },
        TokenVerdict::Genuine(content) => (content, true),
        TokenVerdict::Unverifiable(content) => (content, false),
    };
    if registration.signed_invoice.is_some() {
        let invoice = SignedInvoice { data: &content.data, is_genuine };
        return judge_content(sent, registration, Some(&invoice), None, proof);
    }
    judge_content(sent, registration, None, Some(&content), proof)
}

fn irn_belongs(key: &DocumentKey, irn: &Irn, registered_on: Date) -> Result<(), String> {
    let by_rule = Irn::compute(key, IrnRule::on(registered_on));
    // Around the change of the rule both forms are tried; as-written counts only before it.
    if *irn == by_rule || *irn == Irn::compute(key, IrnRule::UpperCase) {
        return Ok(());
    }
    Err(format!("the reply names IRN {irn}, but {key} gives {by_rule}"))
}

/// How far the two acknowledgement times of a reply may lie apart: the outer one is rounded to the
/// minute, and a little more is allowed for clocks of portals not seen yet.
const ACK_DATE_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// The members of the signed invoice that tie it to the reply.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Anchors {
    irn: Option<String>,
    ack_no: Option<Box<RawValue>>,
    ack_dt: Option<String>,
}

impl Anchors {
    /// What of the reply's own words the signature does not confirm. Outside the signed parts nothing
    /// is proven, and the acknowledgement goes into the books.
    fn denial(&self, registration: &Registration) -> Option<String> {
        let signed = self.ack_no.as_deref().map(|number| number.get().trim_matches('"'));
        if let Some(signed) = signed.filter(|signed| *signed != registration.ack_no) {
            let found = &registration.ack_no;
            return Some(format!("the reply names acknowledgement {found}, the signed invoice in it {signed}"));
        }
        let signed = self.ack_dt.as_deref()?;
        let moment = |time: PortalTime| time.to_timestamp();
        let apart = PortalTime::parse_any(signed).and_then(moment).zip(moment(registration.ack_date));
        let apart = apart.map(|(signed, stated)| signed.duration_since(stated).abs());
        let agree = apart.is_some_and(|apart| apart <= ACK_DATE_SLACK);
        (!agree).then(|| {
            let found = registration.ack_date;
            format!("the reply is acknowledged at {found}, the signed invoice in it at {signed}")
        })
    }

    /// The acknowledgement, where both parts of it can be read.
    fn acknowledgement(&self) -> Option<Acknowledgement> {
        let number = self.ack_no.as_deref()?.get().trim_matches('"').to_owned();
        let date = PortalTime::parse_any(self.ack_dt.as_deref()?)?;
        (!number.is_empty() && number != "null" && date.to_timestamp().is_some())
            .then_some(Acknowledgement { number, date })
    }
}

/// What the QR code states. Numbers stay as the portal wrote them: `100` and `100.0` both occur.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QrClaims {
    irn: Option<String>,
    seller_gstin: Option<String>,
    buyer_gstin: Option<String>,
    doc_no: Option<String>,
    doc_typ: Option<String>,
    doc_dt: Option<String>,
    tot_inv_val: Option<Box<RawValue>>,
    item_cnt: Option<Box<RawValue>>,
    main_hsn_code: Option<String>,
}

fn judge_content(
    sent: &Invoice,
    registration: &Registration,
    invoice: Option<&SignedInvoice<'_>>,
    qr: Option<&SignedContent>,
    proof: Proof,
) -> Judgement {
    let not_believed = |reason: &str| Judgement::NotBelieved { reason: reason.to_owned() };
    let is_named = |irn: Option<&String>| irn.and_then(|irn| Irn::parse(irn).ok()) == Some(registration.irn);
    let mut differences = Vec::new();
    if let Some(invoice) = invoice {
        let Ok(anchors) = serde_json::from_str::<Anchors>(invoice.data) else {
            return not_believed("the signed invoice holds no readable content");
        };
        if !is_named(anchors.irn.as_ref()) {
            return not_believed("the signed invoice names another IRN than the reply");
        }
        if let Some(denial) = anchors.denial(registration) {
            let signed = anchors.acknowledgement().filter(|_| invoice.is_genuine);
            return signed.map_or_else(|| not_believed(&denial), Judgement::Misstated);
        }
        let Ok(signed) = Invoice::from_json(invoice.data) else {
            return not_believed("the signed invoice holds no readable document");
        };
        differences.extend(sent.differences(&signed.invoice));
    }
    if let Some(qr) = qr {
        let Ok(claims) = serde_json::from_str::<QrClaims>(&qr.data) else {
            return not_believed("the signed QR holds no readable content");
        };
        if !is_named(claims.irn.as_ref()) {
            return not_believed("the signed QR names another IRN than the reply");
        }
        differences.extend(qr_differences(sent, &claims));
    }
    if differences.is_empty() { Judgement::Ours(proof) } else { Judgement::Different { differences, proof } }
}

fn qr_differences(sent: &Invoice, qr: &QrClaims) -> Vec<Difference> {
    let Some(key) = sent.document_key() else { return Vec::new() };
    let date = sent.doc_dtls.dt.as_ref().map(ToString::to_string);
    let buyer = sent.buyer_dtls.gstin.as_ref().map(ToString::to_string);
    let total = sent.val_dtls.tot_inv_val.get().map(|total| total.to_string());
    let count = Some(sent.item_list.len().to_string());
    let pairs = [
        ("QR.SellerGstin", Some(key.supplier.to_string()), qr.seller_gstin.clone()),
        ("QR.BuyerGstin", buyer, qr.buyer_gstin.clone()),
        ("QR.DocNo", Some(key.number.to_upper()), qr.doc_no.as_ref().map(|no| no.to_uppercase())),
        ("QR.DocTyp", Some(key.doc_type.to_string()), qr.doc_typ.as_ref().map(|typ| typ.to_uppercase())),
        ("QR.DocDt", date, qr.doc_dt.clone()),
        ("QR.TotInvVal", total, qr.tot_inv_val.as_deref().map(plain_number)),
        ("QR.ItemCnt", count, qr.item_cnt.as_deref().map(plain_number)),
    ];
    let hsn = main_hsn(sent).zip(qr.main_hsn_code.clone());
    let hsn = hsn.map(|(ours, theirs)| ("QR.MainHsnCode", Some(ours), Some(theirs)));
    pairs
        .into_iter()
        .chain(hsn)
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(path, ours, theirs)| Difference { path: path.to_owned(), ours, theirs })
        .collect()
}

/// A number, or a text that holds one, in its shortest writing; as it stands when it is none.
fn plain_number(raw: &RawValue) -> String {
    let text = raw.get().trim_matches('"');
    Amount::parse(text).map_or_else(|_| text.to_owned(), |number| number.to_string())
}

/// HSN of the item with the greatest taxable value; nothing where items of different HSN share that
/// place, as the portal does not say which of them it takes.
fn main_hsn(sent: &Invoice) -> Option<String> {
    let value = |item: &Item| item.ass_amt.get();
    let greatest = sent.item_list.iter().filter_map(value).max()?;
    let mut codes = sent.item_list.iter().filter(|item| value(item) == Some(greatest)).map(|item| item.hsn_cd.get());
    let first = codes.next()??;
    codes.all(|code| code == Some(first)).then(|| first.to_string())
}

//! What a registration is worth: the judgement on the portal's reply, case by case.
//!
//! Signatures are somebody else's work here: a token is a verdict, a key id and content in plain
//! text, so that each test changes exactly one thing.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use einvoice_core::date::PortalTime;
use einvoice_core::document::Invoice;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::operation::{Registration, RegistrationStatus};
use einvoice_core::verify::{Judgement, Proof, SignedContent, TokenVerdict, TokenVerifier, judge};
use einvoice_testkit::documents::{Recipe, gstin};
use serde_json::{Value, json};

/// Reads `verdict kid content`.
#[derive(Debug)]
struct Plain;

impl TokenVerifier for Plain {
    fn verify(&self, token: &str) -> TokenVerdict {
        let mut parts = token.splitn(3, ' ');
        let (verdict, kid, data) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let content = SignedContent { kid: kid.into(), issuer: "NIC".into(), data: data.into() };
        match verdict {
            "genuine" => TokenVerdict::Genuine(content),
            "unverifiable" => TokenVerdict::Unverifiable(content),
            _ => TokenVerdict::Forged { reason: "the signature does not match".into() },
        }
    }
}

/// A document, the portal's two signed texts about it, and the reply around them.
struct Case {
    sent: Invoice,
    irn: Irn,
    ack_date: &'static str,
    invoice: Value,
    qr: Value,
    verdicts: (&'static str, &'static str),
}

impl Case {
    fn of(sent: Invoice) -> Self {
        let irn = Irn::compute(&sent.document_key().unwrap(), IrnRule::UpperCase);
        let mut invoice: Value = serde_json::from_str(&sent.to_json()).unwrap();
        invoice["AckNo"] = json!(112_610_000_000_001_u64);
        invoice["AckDt"] = json!("2026-11-20 12:00:07");
        invoice["Irn"] = json!(irn.to_string());
        let qr = json!({
            "SellerGstin": invoice["SellerDtls"]["Gstin"],
            "BuyerGstin": invoice["BuyerDtls"]["Gstin"],
            "DocNo": invoice["DocDtls"]["No"],
            "DocTyp": invoice["DocDtls"]["Typ"],
            "DocDt": invoice["DocDtls"]["Dt"],
            "TotInvVal": invoice["ValDtls"]["TotInvVal"],
            "ItemCnt": sent.item_list.len(),
            "MainHsnCode": "520811",
            "Irn": irn.to_string(),
            "IrnDt": "2026-11-20 12:00:00",
        });
        Self { sent, irn, ack_date: "2026-11-20 12:00:00", invoice, qr, verdicts: ("genuine", "genuine") }
    }

    fn usual() -> Self {
        Self::of(Recipe::numbered(7).invoice())
    }

    fn key(&self) -> DocumentKey {
        self.sent.document_key().unwrap()
    }

    fn registration(&self) -> Registration {
        Registration {
            ack_no: "112610000000001".into(),
            ack_date: PortalTime::parse(self.ack_date).unwrap(),
            irn: self.irn,
            status: RegistrationStatus::Active,
            signed_invoice: Some(format!("{} KEY1 {}", self.verdicts.0, self.invoice)),
            signed_qr: Some(format!("{} KEY2 {}", self.verdicts.1, self.qr)),
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        }
    }

    fn judge(&self) -> Judgement {
        judge(&self.key(), &self.sent, &self.registration(), &Plain)
    }

    /// The paths on which the portal's copy differs.
    fn differing(&self) -> Vec<String> {
        match self.judge() {
            Judgement::Different { differences, .. } => differences.into_iter().map(|d| d.path).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn disbelief(&self) -> String {
        match self.judge() {
            Judgement::NotBelieved { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    fn is_ours(&self) -> bool {
        matches!(self.judge(), Judgement::Ours(Proof::Verified { .. }))
    }
}

#[test]
fn the_portals_own_words_about_our_document_are_a_proof() {
    assert_eq!(Case::usual().judge(), Judgement::Ours(Proof::Verified { kid: "KEY1".into() }));
}

#[test]
fn a_reply_with_another_irn_than_the_key_gives_proves_nothing() {
    let mut case = Case::usual();
    case.irn = Irn::from_bytes([9; 32]);
    assert!(case.disbelief().contains("names IRN 0909"));
}

#[test]
fn a_signed_part_that_names_another_irn_or_none_is_not_believed() {
    for part in ["invoice", "qr"] {
        for irn in [json!("1".repeat(64)), json!(7), Value::Null] {
            let mut case = Case::usual();
            let content = if part == "qr" { &mut case.qr } else { &mut case.invoice };
            content["Irn"] = irn.clone();
            let reason = case.disbelief();
            assert!(reason.contains("signed QR") == (part == "qr"), "{part} {irn}: {reason}");
        }
    }
}

#[test]
fn a_genuine_signed_invoice_outweighs_the_acknowledgement_of_the_reply_around_it() {
    let mut case = Case::usual();
    case.invoice["AckNo"] = json!(112_610_000_000_002_u64);
    for verdicts in [("genuine", "genuine"), ("genuine", "unverifiable")] {
        case.verdicts = verdicts;
        let Judgement::Misstated(signed) = case.judge() else { panic!("{:?}", case.judge()) };
        assert_eq!(
            (signed.number.as_str(), signed.date.to_string().as_str()),
            ("112610000000002", "2026-11-20 12:00:07")
        );
        let signed = Registration { ack_no: signed.number, ack_date: signed.date, ..case.registration() };
        assert!(matches!(judge(&case.key(), &case.sent, &signed, &Plain), Judgement::Ours(_)));
    }
    // A signature that nobody can check outweighs nothing.
    case.verdicts = ("unverifiable", "genuine");
    assert!(case.disbelief().contains("112610000000002"), "{}", case.disbelief());
}

#[test]
fn the_two_times_of_an_acknowledgement_agree_to_a_few_minutes() {
    let mut case = Case::usual();
    // Providers send text where the portal sends a number.
    case.invoice["AckNo"] = json!("112610000000001");
    assert!(case.is_ours());
    for (signed, believed) in [
        ("2026-11-20 11:59:12", true),
        ("2026-11-20 12:00:59", true),
        ("2026-11-20T12:00:07.000", true),
        ("20/11/2026 12:00:07 PM", true),
        ("2026-11-20 12:06:00", false),
        ("2026-11-19 12:00:00", false),
    ] {
        case.invoice["AckDt"] = json!(signed);
        assert_eq!(case.is_ours(), believed, "{signed}");
        assert_eq!(matches!(case.judge(), Judgement::Misstated(_)), !believed, "{signed}");
    }
    case.invoice["AckDt"] = json!("some day");
    assert!(case.disbelief().contains("some day"), "{}", case.disbelief());
}

#[test]
fn a_forged_part_is_not_believed_whatever_the_other_is() {
    for (invoice, qr, named) in [
        ("forged", "genuine", "signed invoice"),
        ("genuine", "forged", "signed QR"),
        ("forged", "unverifiable", "signed invoice"),
        ("unverifiable", "forged", "signed QR"),
    ] {
        let case = Case { verdicts: (invoice, qr), ..Case::usual() };
        assert!(case.disbelief().starts_with(named));
    }
}

#[test]
fn the_key_that_is_missing_is_named() {
    for (verdicts, kid) in [
        (("unverifiable", "genuine"), "KEY1"),
        (("genuine", "unverifiable"), "KEY2"),
        (("unverifiable", "unverifiable"), "KEY1"),
    ] {
        let case = Case { verdicts, ..Case::usual() };
        assert_eq!(case.judge(), Judgement::Ours(Proof::KeyUnknown { kid: kid.into() }));
    }
}

#[test]
fn one_amount_that_differs_makes_it_another_document_and_says_where() {
    let mut case = Case::usual();
    case.invoice["ItemList"][2]["AssAmt"] = json!(1);
    assert_eq!(case.differing(), ["ItemList[2].AssAmt"]);
}

#[test]
fn a_genuine_registration_of_another_supplier_is_not_ours() {
    let mut case = Case::usual();
    let other = gstin(33, 5).to_string();
    case.invoice["SellerDtls"]["Gstin"] = json!(other);
    case.qr["SellerGstin"] = json!(other);
    assert_eq!(case.differing(), ["SellerDtls.Gstin", "QR.SellerGstin"]);
    // Under its own IRN it does not even answer our question.
    let theirs = Case::of(Recipe::numbered(7).by(gstin(33, 5)).invoice());
    let judgement = judge(&case.key(), &case.sent, &theirs.registration(), &Plain);
    assert!(matches!(judgement, Judgement::NotBelieved { .. }), "{judgement:?}");
}

#[test]
fn each_claim_of_the_qr_code_is_compared() {
    for (claim, value) in [
        ("SellerGstin", json!(gstin(33, 5).to_string())),
        ("BuyerGstin", json!(gstin(33, 6).to_string())),
        ("DocNo", json!("T/8")),
        ("DocTyp", json!("CRN")),
        ("DocDt", json!("06/11/2026")),
        ("TotInvVal", json!(1.5)),
        ("ItemCnt", json!(5)),
        ("MainHsnCode", json!("1001")),
    ] {
        let mut case = Case::usual();
        case.qr[claim] = value;
        assert_eq!(case.differing(), [format!("QR.{claim}")]);
    }
    for claim in ["SellerGstin", "BuyerGstin", "DocNo", "DocTyp", "DocDt", "TotInvVal", "ItemCnt"] {
        let mut case = Case::usual();
        case.qr.as_object_mut().unwrap().remove(claim);
        assert_eq!(case.differing(), [format!("QR.{claim}")], "a claim that is missing is none that agrees");
    }
}

#[test]
fn another_writing_of_the_same_value_is_no_difference() {
    let mut sent = Recipe::numbered(7).invoice();
    sent.val_dtls.tot_inv_val = einvoice_core::number::Amount::from_paise(10_000).into();
    let mut case = Case::of(sent);
    for written in ["100", "100.0", "100.00", "1e2", "\"100.0\""] {
        case.qr["TotInvVal"] = Value::Null;
        let text = case.qr.to_string().replace("\"TotInvVal\":null", &format!("\"TotInvVal\":{written}"));
        let mut registration = case.registration();
        registration.signed_qr = Some(format!("genuine KEY2 {text}"));
        let judgement = judge(&case.key(), &case.sent, &registration, &Plain);
        assert!(matches!(judgement, Judgement::Ours(_)), "{written}: {judgement:?}");
    }
    let mut case = Case::usual();
    case.qr["DocNo"] = json!("t/7");
    case.qr["DocTyp"] = json!("inv");
    case.qr["ItemCnt"] = json!("6");
    case.qr.as_object_mut().unwrap().remove("IrnDt");
    assert!(case.is_ours());
}

#[test]
fn the_main_hsn_counts_only_where_one_item_has_the_greatest_value() {
    let hsn = |code: &str| einvoice_core::identifier::HsnCode::parse(code).unwrap();
    let mut sent = Recipe { items: 2, ..Recipe::numbered(7) }.invoice();
    sent.item_list[0].hsn_cd = hsn("1001").into();
    let mut case = Case::of(sent.clone());
    assert!(case.is_ours(), "the second item is worth more");
    case.qr["MainHsnCode"] = json!("1001");
    assert_eq!(case.differing(), ["QR.MainHsnCode"]);
    // Two items share the place: the portal may name either.
    sent.item_list[0].ass_amt = sent.item_list[1].ass_amt.clone();
    for code in ["1001", "520811"] {
        let mut case = Case::of(sent.clone());
        case.qr["MainHsnCode"] = json!(code);
        assert!(case.is_ours(), "{code}");
    }
}

#[test]
fn a_number_in_small_letters_is_hashed_as_written_only_before_june_2025() {
    let number = |text: &str| einvoice_core::identifier::DocumentNumber::parse(text).unwrap();
    let mut sent = Recipe::numbered(7).invoice();
    sent.doc_dtls.no = number("inv/a7").into();
    sent.doc_dtls.dt = einvoice_core::date::DocumentDate::from_ymd(2025, 5, 20).unwrap().into();
    let as_written = |ack_date: &'static str| {
        let mut case = Case::of(sent.clone());
        case.irn = Irn::compute(&case.key(), IrnRule::AsWritten);
        case.ack_date = ack_date;
        case.invoice["AckDt"] = json!(ack_date);
        case.invoice["Irn"] = json!(case.irn.to_string());
        case.qr["Irn"] = json!(case.irn.to_string());
        case
    };
    assert!(as_written("2025-05-31 23:59:00").is_ours());
    assert!(as_written("2025-06-01 00:00:00").disbelief().contains("names IRN"));
    let mut capitals = Case::of(sent.clone());
    assert!(capitals.is_ours());
    capitals.ack_date = "2025-05-31 23:59:00";
    capitals.invoice["AckDt"] = json!(capitals.ack_date);
    assert!(capitals.is_ours(), "around the change of the rule both are tried");
}

#[test]
fn a_reply_without_signed_parts_says_so_and_what_it_has_is_judged_all_the_same() {
    let missing = |registration: &Registration, case: &Case| {
        matches!(
            judge(&case.key(), &case.sent, registration, &Plain),
            Judgement::Ours(Proof::SignedPartsMissing { .. })
        )
    };
    let case = Case::usual();
    let neither = Registration { signed_invoice: None, signed_qr: None, ..case.registration() };
    let no_qr = Registration { signed_qr: None, ..case.registration() };
    let no_invoice = Registration { signed_invoice: None, ..case.registration() };
    assert!([neither, no_qr, no_invoice].iter().all(|registration| missing(registration, &case)));

    let forged = Case { verdicts: ("forged", "forged"), ..Case::usual() };
    for registration in [
        Registration { signed_qr: None, ..forged.registration() },
        Registration { signed_invoice: None, ..forged.registration() },
    ] {
        let judgement = judge(&forged.key(), &forged.sent, &registration, &Plain);
        assert!(matches!(judgement, Judgement::NotBelieved { .. }), "{judgement:?}");
    }
    let mut other = Case::usual();
    other.invoice["ValDtls"]["TotInvVal"] = json!(1);
    let registration = Registration { signed_qr: None, ..other.registration() };
    let judgement = judge(&other.key(), &other.sent, &registration, &Plain);
    assert!(matches!(judgement, Judgement::Different { .. }), "{judgement:?}");
}

#[test]
fn a_cancelled_registration_is_judged_like_any_other() {
    let case = Case::usual();
    let cancelled = Registration { status: RegistrationStatus::Cancelled, ..case.registration() };
    assert!(matches!(judge(&case.key(), &case.sent, &cancelled, &Plain), Judgement::Ours(Proof::Verified { .. })));
}

#[test]
fn content_that_is_no_object_is_not_believed() {
    for nonsense in ["", "[]", "7", "{", "\"text\"", "{\"Irn\":[]}"] {
        let case = Case::usual();
        let mut registration = case.registration();
        registration.signed_qr = Some(format!("genuine KEY2 {nonsense}"));
        let judgement = judge(&case.key(), &case.sent, &registration, &Plain);
        assert!(matches!(judgement, Judgement::NotBelieved { .. }), "{nonsense}: {judgement:?}");
        let mut registration = case.registration();
        registration.signed_invoice = Some(format!("genuine KEY1 {nonsense}"));
        let judgement = judge(&case.key(), &case.sent, &registration, &Plain);
        assert!(matches!(judgement, Judgement::NotBelieved { .. }), "{nonsense}: {judgement:?}");
    }
}

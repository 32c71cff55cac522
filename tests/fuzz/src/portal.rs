//! What comes from the portals: replies, signed texts, key files, images of codes.

use std::sync::LazyLock;

use bytes::Bytes;
use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::request::EwbList;
use einvoice_core::ewb::{EwbNumber, TripSheetNumber};
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::operation::Operation;
use einvoice_core::verify::TokenVerdict;
use einvoice_protocol::claims::Claims;
use einvoice_protocol::envelope::{self, Data, Envelope};
use einvoice_protocol::ewb::{self, envelope::Answer, replies::Beside};
use einvoice_protocol::key_set::KeySet;
use einvoice_protocol::public_key::RsaPublicKey;
use einvoice_protocol::seal::{AppKey, Sek};
use einvoice_protocol::{jwt, login, reply};

/// A key of our own that has signed one token, the first kept input, and was thrown away.
const KEY: &str = include_str!("../keys/signer.pem");
/// What that token holds.
const SIGNED: &str = include_str!("../keys/signed.json");

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let mut keys = KeySet::new();
    keys.add_pem(KEY, Some("0123456789ABCDEF0123456789ABCDEF01234567")).expect("the key is one");
    keys
});

static SEK: LazyLock<Sek> = LazyLock::new(|| Sek::from_bytes(&[7; 32]).expect("a key of 32 bytes"));
static APP_KEY: LazyLock<AppKey> = LazyLock::new(|| AppKey::from_bytes(&[7; 32]).expect("a key of 32 bytes"));

/// What the invoice portal answers: yes, no, or a refusal that says why; opened, and read as every kind of reply.
pub fn irp_reply(bytes: &[u8]) {
    match envelope::read(bytes) {
        Ok(Envelope::Accepted { data, info }) => {
            let _session = login::read(&data, &APP_KEY, None);
            if let Some(json) = opened(&data) {
                let asked = Irn::parse(&"5f".repeat(32)).expect("an IRN");
                let _registration = reply::registration(&json, info.clone());
                let _cancelled = reply::irn_cancelled(&json, &asked);
                let _rejected = reply::rejected_irns(&json);
                let _bill = reply::made_ewb(&json, info);
                let _taxpayer = reply::taxpayer(&json);
            }
        }
        Ok(Envelope::Refused { errors, .. }) => assert!(!errors.is_empty(), "a no has a reason"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn opened(data: &Data<'_>) -> Option<String> {
    match data {
        Data::Json(json) => Some((*json).to_owned()),
        Data::Text(sealed) => SEK.open_json(sealed).ok(),
    }
}

/// The same for the e-way bill system.
pub fn ewb_reply(bytes: &[u8]) {
    match ewb::envelope::read(bytes) {
        Ok(Answer::Accepted(answer)) => {
            let sent_at = "2026-11-05T06:00:00Z".parse().expect("a moment");
            let _session = ewb::login::read(&answer, &APP_KEY, None, sent_at);
            let Ok(json) = ewb::seal::open(&answer, &SEK) else { return };
            for operation in operations() {
                let beside = Beside { alert: answer.alert(), info: answer.info() };
                let _reply = ewb::replies::typed(&operation, &json, beside);
            }
        }
        Ok(Answer::Refused { errors, .. }) => assert!(!errors.is_empty(), "a no has a reason"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Every question to the e-way bill system whose answer has content.
pub(super) fn operations() -> [Operation; 11] {
    let number = EwbNumber::parse("331000000001").expect("a number");
    let gstin = Gstin::parse("29AAKCV7711B1Z9").expect("a GSTIN");
    let date = DocumentDate::parse("05/11/2026").expect("a day");
    [
        Operation::GenerateEwb { payload: Bytes::new() },
        Operation::GetEwb { number },
        Operation::GetEwbByDocument { doc_type: "INV".to_owned(), number: "A/1".to_owned() },
        Operation::ListEwbs { list: EwbList::Own, date },
        Operation::GetTripSheet { number: TripSheetNumber::parse("3310000001").expect("a number") },
        Operation::EwbGstinDetails { gstin },
        Operation::TransporterDetails { id: gstin.to_string() },
        Operation::HsnDetails { code: "8481".to_owned() },
        Operation::EwbErrorList,
        Operation::RejectEwb { number },
        Operation::UpdateTransporter { number, transporter: gstin.to_string() },
    ]
}

/// A signed text: judged. Genuine is only the one that the key has signed.
pub fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match jwt::verify(&KEYS, text) {
        TokenVerdict::Genuine(content) => {
            assert_eq!(content.data, SIGNED.trim_end(), "a text is believed that was never signed");
        }
        TokenVerdict::Forged { reason } => assert!(!reason.is_empty()),
        TokenVerdict::Unverifiable(_) => {}
    }
    if let Ok(content) = jwt::content_unverified(text)
        && let Ok(claims) = Claims::read(&content.data)
    {
        assert!(!claims.kind().is_empty());
    }
    // What is signed, without its signature.
    let _claims = Claims::read(text);
}

/// A file of keys, and the bytes of one.
pub fn key_file(bytes: &[u8]) {
    if let Ok(key) = RsaPublicKey::from_der(bytes) {
        assert!((2048..=8192).contains(&key.bits()) && key.kid().len() == 40);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut keys = KeySet::new();
    match keys.add_file("signing.pem", text) {
        Ok(()) => assert!(!keys.keys().is_empty()),
        Err(error) => assert!(keys.keys().is_empty() && !error.to_string().is_empty()),
    }
}

/// An image: a PNG as it stands, or, where it is none, its pixels: the first byte is the width, a bit a pixel.
pub fn qr_image(bytes: &[u8]) {
    if bytes.starts_with(b"\x89PNG") {
        let _text = einvoice_core::qr::decode_png(bytes);
        return;
    }
    let Some((width, bits)) = bytes.split_first() else { return };
    let width = usize::from(*width).clamp(8, 96);
    let pixels: Vec<u8> = bits.iter().flat_map(|byte| (0..8).map(move |bit| (byte >> bit & 1) * 255)).collect();
    let height = (pixels.len() / width).min(96);
    if height == 0 {
        return;
    }
    let mut image = Vec::new();
    let side = |pixels: usize| u32::try_from(pixels).expect("a small image");
    let mut encoder = png::Encoder::new(&mut image, side(width), side(height));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels[..width * height]).expect("pixels");
    writer.finish().expect("an image");
    let _text = einvoice_core::qr::decode_png(&image);
}

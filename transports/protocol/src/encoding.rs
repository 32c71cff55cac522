//! The two base64 dialects of the protocol.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Standard alphabet. Written with padding; read with or without, since providers differ.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Alphabet of tokens, read strictly: no padding, and no spare bit that is not zero. Two texts never
/// decode to the same bytes, so no character of a token can change unnoticed.
pub const BASE64_URL: GeneralPurpose = base64::engine::general_purpose::URL_SAFE_NO_PAD;

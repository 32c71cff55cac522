//! Tells a tampered message from a foreign key: recovers what a signature was made over.
//!
//! A signature that does not verify has three causes: another key made it, the message was changed
//! after signing, or the signature itself was changed. In the second case the signature still opens,
//! under the right public key, to a well-formed PKCS#1 block with some other digest; no other key
//! gives such a block but with a chance of about 2^-1900. That proves a forgery even for a key whose
//! id is not known. The numbers are public, so speed and timing do not matter here; the decision
//! that a signature is *good* is never made in this module.

use aws_lc_rs::rsa::PublicKeyComponents;

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017, section 9.2, note 1).
const SHA256_PREFIX: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
const DIGEST_BYTES: usize = 32;
/// Public exponents are small; a large one would only cost time.
const EXPONENT_BYTES_MAX: usize = 4;
/// Fewest bytes of `FF` in a well-formed block (RFC 8017, section 9.2).
const FILLER_BYTES_MIN: usize = 8;

/// Whether a signature was made with this key over *something* by RS256.
pub(crate) fn was_made_with(key: PublicKeyComponents<&[u8]>, signature: &[u8]) -> bool {
    if signature.len() != key.n.len() || key.e.len() > EXPONENT_BYTES_MAX {
        return false;
    }
    let modulus = limbs(key.n);
    let number = limbs(signature);
    if !less(&number, &modulus) {
        return false;
    }
    is_block(&bytes(&power(&number, key.e, &modulus), key.n.len()))
}

fn is_block(block: &[u8]) -> bool {
    let Some(padded) = block.strip_prefix(&[0x00, 0x01]) else { return false };
    let filler = padded.iter().take_while(|byte| **byte == 0xFF).count();
    let rest = padded.get(filler..).unwrap_or_default();
    filler >= FILLER_BYTES_MIN
        && rest.strip_prefix(&[0x00]).and_then(|rest| rest.strip_prefix(&SHA256_PREFIX)).map(<[u8]>::len)
            == Some(DIGEST_BYTES)
}

/// Big-endian bytes as limbs, the lowest first.
fn limbs(bytes: &[u8]) -> Vec<u64> {
    bytes.rchunks(8).map(|chunk| chunk.iter().fold(0, |limb, byte| (limb << 8) | u64::from(*byte))).collect()
}

fn bytes(limbs: &[u64], length: usize) -> Vec<u8> {
    let all: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    all.get(all.len().saturating_sub(length)..).unwrap_or_default().to_vec()
}

fn power(base: &[u64], exponent: &[u8], modulus: &[u64]) -> Vec<u64> {
    let mut result = vec![0; modulus.len()];
    if let Some(lowest) = result.first_mut() {
        *lowest = 1;
    }
    for byte in exponent {
        for bit in (0..8).rev() {
            result = product(&result, &result, modulus);
            if byte >> bit & 1 == 1 {
                result = product(&result, base, modulus);
            }
        }
    }
    result
}

/// Double and add: slow and short.
fn product(left: &[u64], right: &[u64], modulus: &[u64]) -> Vec<u64> {
    let mut result = vec![0; modulus.len()];
    for limb in left.iter().rev() {
        for bit in (0..64).rev() {
            let carry = double(&mut result);
            reduce(&mut result, carry, modulus);
            if limb >> bit & 1 == 1 {
                let carry = add(&mut result, right);
                reduce(&mut result, carry, modulus);
            }
        }
    }
    result
}

fn reduce(number: &mut [u64], carry: bool, modulus: &[u64]) {
    if carry || !less(number, modulus) {
        subtract(number, modulus);
    }
}

fn less(left: &[u64], right: &[u64]) -> bool {
    left.iter().rev().lt(right.iter().rev())
}

fn double(number: &mut [u64]) -> bool {
    number.iter_mut().fold(false, |carry, limb| {
        let out = *limb >> 63 == 1;
        *limb = (*limb << 1) | u64::from(carry);
        out
    })
}

fn add(number: &mut [u64], other: &[u64]) -> bool {
    number.iter_mut().zip(other).fold(false, |carry, (limb, other)| {
        let (sum, first) = limb.overflowing_add(*other);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        *limb = sum;
        first || second
    })
}

fn subtract(number: &mut [u64], other: &[u64]) {
    number.iter_mut().zip(other).fold(false, |borrow, (limb, other)| {
        let (difference, first) = limb.overflowing_sub(*other);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        *limb = difference;
        first || second
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::BASE64_URL;
    use crate::public_key::RsaPublicKey;
    use crate::testing::TestKey;
    use base64::Engine as _;

    #[test]
    fn a_signature_is_recognised_by_its_key_and_by_no_other() {
        let token = TestKey::shared().token("{}", "{}");
        let signature = BASE64_URL.decode(token.rsplit('.').next().unwrap()).unwrap();
        let own = RsaPublicKey::from_der(&TestKey::shared().spki).unwrap();
        let other = RsaPublicKey::from_der(&TestKey::other().spki).unwrap();
        assert!(was_made_with(own.components(), &signature));
        assert!(!was_made_with(other.components(), &signature));
        let mut changed = signature.clone();
        changed[200] ^= 1;
        assert!(!was_made_with(own.components(), &changed));
        assert!(!was_made_with(own.components(), &signature[1..]));
        assert!(!was_made_with(own.components(), &[0xFF; 256]));
    }

    #[test]
    fn small_powers_come_out_right() {
        assert_eq!(power(&[5], &[13], &[1_000_003]), [1_220_703_125 % 1_000_003]);
        assert_eq!(power(&[7, 0], &[1, 1], &[u64::MAX, 3]).len(), 2);
    }
}

//! QR codes of signed texts: drawn for the printed document, read back from an image.
//!
//! The portal's rule is that the code holds the signed text itself, unchanged. Such a text has about 1,000
//! characters, which makes a large code: [`placement`] says how large it gets on paper and why it is drawn so.

mod draw;
#[cfg(test)]
mod printed;

use std::io::Cursor;

use png::{Decoder, Limits, Transformations};

pub use draw::{Correction, DOTS_PER_INCH, MODULE_PIXELS, Placement, QUIET_ZONE_MODULES, placement, png, svg};

/// Largest side of an image that is read, in pixels: an A4 page scanned at 600 dots per inch has 7,016.
pub const MAX_SIDE_PIXELS: u32 = 8_192;

/// Largest file that is read.
pub const MAX_IMAGE_BYTES: usize = 32 * 1024 * 1024;

/// Why a code could not be drawn or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// The text is longer than any QR code holds (2,953 bytes).
    #[error("the text has {bytes} bytes, more than a QR code holds")]
    TextTooLong {
        /// Length of the text.
        bytes: usize,
    },
    /// The image could not be written.
    #[error("the image could not be written")]
    NotWritten(#[source] png::EncodingError),
    /// The bytes are no readable PNG image.
    #[error("not a readable PNG image")]
    NotPng(#[source] png::DecodingError),
    /// The image is larger than is read.
    #[error("the image is larger than {MAX_SIDE_PIXELS} pixels a side or {MAX_IMAGE_BYTES} bytes")]
    ImageTooLarge,
    /// There is no QR code in the image.
    #[error("no QR code found in the image")]
    NoCode,
    /// There is a QR code, and its content could not be restored.
    #[error("a QR code is in the image, and it could not be read ({reason}); scan it larger or sharper")]
    Unreadable {
        /// What the decoder says.
        reason: String,
    },
}

/// Reads the text of the first readable QR code in a PNG image.
///
/// The image is tried as it is, then softened, doubled and made smaller: grain and half-lit edges of a scan hide the
/// corners of a large code from the decoder, and each of these helps where another does not.
///
/// # Errors
/// When the bytes are no PNG of bearable size, or no code in it can be read.
pub fn decode_png(bytes: &[u8]) -> Result<String, QrError> {
    let (width, height, luminance) = gray(bytes)?;
    let mut failure = QrError::NoCode;
    let (doubled_width, doubled) = doubled(width, height, &luminance);
    let views = [
        (width, &luminance, 1, 1),
        (doubled_width, &doubled, 1, 1),
        (doubled_width, &doubled, 3, 1),
        (doubled_width, &doubled, 5, 1),
        (width, &luminance, 2, 1),
        (width, &luminance, 3, 1),
        (width, &luminance, 2, 2),
        (width, &luminance, 4, 2),
        (width, &luminance, 3, 3),
    ];
    for (width, luminance, spread, step) in views {
        let height = luminance.len().checked_div(width).unwrap_or_default();
        let (columns, rows) = (width / step, height / step);
        let shade = |x: usize, y: usize| softened(luminance, width, (x * step, y * step), spread);
        match decode(columns, rows, shade) {
            Ok(text) => return Ok(text),
            // That there is a code is more than that none was found.
            Err(QrError::NoCode) => {}
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Most pixels of an image that is doubled: 8 cm a side at 300 dots per inch. Larger ones take too long.
const DOUBLED_PIXELS: usize = 1_000_000;

/// The image at twice its size, new pixels between old ones; nothing of a large one, which has no need of it.
fn doubled(width: usize, height: usize, luminance: &[u8]) -> (usize, Vec<u8>) {
    if luminance.len() > DOUBLED_PIXELS {
        return (0, Vec::new());
    }
    let at = |x: usize, y: usize| {
        let (x, y) = (x.min(width.saturating_sub(1)), y.min(height.saturating_sub(1)));
        luminance.get(y * width + x).copied().map_or(255, u16::from)
    };
    let pixels = (0..2 * height).flat_map(|y| (0..2 * width).map(move |x| (x, y)));
    let between = |(x, y): (usize, usize)| {
        let (left, right, upper, lower) = (x / 2, x.div_ceil(2), y / 2, y.div_ceil(2));
        (at(left, upper) + at(right, upper) + at(left, lower) + at(right, lower)) / 4
    };
    (2 * width, pixels.map(|place| u8::try_from(between(place)).unwrap_or(u8::MAX)).collect())
}

/// The mean shade of a square of pixels.
fn softened(luminance: &[u8], width: usize, (x, y): (usize, usize), spread: usize) -> u8 {
    let end = (x + spread).min(width);
    let rows = (y..y + spread).filter_map(|row| luminance.get(row * width + x..row * width + end));
    let (sum, count) = rows.flatten().fold((0_usize, 0), |(sum, count), shade| (sum + usize::from(*shade), count + 1));
    sum.checked_div(count).and_then(|mean| u8::try_from(mean).ok()).unwrap_or(u8::MAX)
}

/// Reads one view of an image.
fn decode(width: usize, height: usize, shade: impl Fn(usize, usize) -> u8) -> Result<String, QrError> {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
    let mut failure = QrError::NoCode;
    for grid in image.detect_grids() {
        match grid.decode() {
            Ok((_, text)) => return Ok(text),
            Err(error) => failure = QrError::Unreadable { reason: error.to_string() },
        }
    }
    Err(failure)
}

/// Width, height and one byte of luminance per pixel; transparent pixels are paper.
pub(crate) fn gray(bytes: &[u8]) -> Result<(usize, usize, Vec<u8>), QrError> {
    if bytes.len() > MAX_IMAGE_BYTES {
        return Err(QrError::ImageTooLarge);
    }
    // Four bytes a pixel of the largest image, and as much again for the decoder itself.
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: 512 * 1024 * 1024 });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(QrError::NotPng)?;
    let (width, height) = reader.info().size();
    if width > MAX_SIDE_PIXELS || height > MAX_SIDE_PIXELS {
        return Err(QrError::ImageTooLarge);
    }
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(QrError::ImageTooLarge)?];
    let frame = reader.next_frame(&mut pixels).map_err(QrError::NotPng)?;
    pixels.truncate(frame.buffer_size());
    let average = |red: u8, green: u8, blue: u8| {
        u8::try_from((u16::from(red) + u16::from(green) + u16::from(blue)) / 3).unwrap_or(u8::MAX)
    };
    let over_paper = |shade: u8, alpha: u8| {
        let (shade, alpha) = (u32::from(shade), u32::from(alpha));
        u8::try_from((shade * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    let luminance = pixels
        .chunks_exact(frame.color_type.samples())
        .map(|pixel| match *pixel {
            [shade] => shade,
            [shade, alpha] => over_paper(shade, alpha),
            [red, green, blue] => average(red, green, blue),
            [red, green, blue, alpha] => over_paper(average(red, green, blue), alpha),
            _ => u8::MAX,
        })
        .collect();
    let side = |pixels: u32| usize::try_from(pixels).map_err(|_| QrError::ImageTooLarge);
    Ok((side(frame.width)?, side(frame.height)?, luminance))
}

#[cfg(test)]
mod tests {
    use ::png::{BitDepth, ColorType, Encoder};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_as_long_as_a_signed_one_survives_the_image() {
        let text = "eyJhbGciOiJSUzI1NiJ9.".repeat(47);
        assert_eq!(decode_png(&png(&text).unwrap()).unwrap(), text);
    }

    #[test]
    fn the_image_is_black_and_white_with_a_quiet_zone() {
        let image = png("A").unwrap();
        let (width, height, luminance) = gray(&image).unwrap();
        let pixels = usize::try_from(MODULE_PIXELS).unwrap();
        assert_eq!((width, height), ((21 + 8) * pixels, (21 + 8) * pixels));
        assert!(luminance.iter().all(|shade| [0, 255].contains(shade)));
        let quiet = pixels * usize::try_from(QUIET_ZONE_MODULES).unwrap();
        assert!(luminance[..quiet * width].iter().all(|shade| *shade == 255));
        assert_eq!(luminance[quiet * width + quiet], 0);
    }

    #[test]
    fn a_text_longer_than_a_code_holds_is_refused() {
        assert!(matches!(png(&"x".repeat(2_954)), Err(QrError::TextTooLong { bytes: 2_954 })));
        assert!(png(&"x".repeat(2_953)).is_ok());
        assert!(svg("x").unwrap().contains("<svg"));
    }

    #[test]
    fn images_without_a_code_and_bytes_that_are_no_image_are_told_apart() {
        let mut blank = Vec::new();
        let mut encoder = Encoder::new(&mut blank, 64, 64);
        encoder.set_color(ColorType::Rgba);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[255; 64 * 64 * 4]).unwrap();
        writer.finish().unwrap();
        assert!(matches!(decode_png(&blank), Err(QrError::NoCode)));
        assert!(matches!(decode_png(b"GIF89a"), Err(QrError::NotPng(_))));
        assert!(matches!(decode_png(&blank[..60]), Err(QrError::NotPng(_))));
    }

    #[test]
    fn an_image_that_claims_to_be_huge_is_refused_before_it_is_unpacked() {
        let mut huge = Vec::new();
        let mut encoder = Encoder::new(&mut huge, 100_000, 1);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![0; 100_000]).unwrap();
        writer.finish().unwrap();
        assert!(matches!(decode_png(&huge), Err(QrError::ImageTooLarge)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_images_are_refused_without_panic(at in 0_usize..400, byte in any::<u8>(), keep in 0_usize..500) {
            let mut image = png("https://example.in/a").unwrap();
            if let Some(target) = image.get_mut(at) {
                *target = byte;
            }
            image.truncate(keep.max(1));
            let read = decode_png(&image);
            prop_assert!(read.is_ok() || read.is_err());
        }
    }
}

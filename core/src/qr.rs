//! QR codes of signed texts: drawn for the printed document, read back from an image.
//!
//! The portal's rule is that the code holds the signed text itself, unchanged. Such a text has about 1,000
//! characters, which makes a large code; it is drawn with error correction level M (15 per cent), as long as the
//! text fits, and L (7 per cent) otherwise, with the quiet zone of four modules that the QR standard asks for.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Encoder, Limits, Transformations};
use qrcode::{Color, EcLevel, QrCode};

/// Pixels per module of a drawn image: a code of a signed text then has some 500 pixels a side, which prints at
/// 4 cm with 300 dots per inch.
pub const MODULE_PIXELS: usize = 4;

/// Blank modules around the code.
pub const QUIET_ZONE_MODULES: usize = 4;

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

/// Draws a text as a black-and-white PNG image, one bit a pixel.
///
/// # Errors
/// When the text is too long for a QR code.
pub fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let code = encode(text)?;
    let modules = code.width();
    let side = (modules + 2 * QUIET_ZONE_MODULES) * MODULE_PIXELS;
    let colors = code.to_colors();
    let mut pixels = Vec::with_capacity(side * side.div_ceil(8));
    let blank = vec![0xff_u8; side.div_ceil(8)];
    let margin = QUIET_ZONE_MODULES * MODULE_PIXELS;
    (0..margin).for_each(|_| pixels.extend_from_slice(&blank));
    for row in colors.chunks(modules) {
        let mut line = blank.clone();
        for (column, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            let start = margin + column * MODULE_PIXELS;
            for pixel in start..start + MODULE_PIXELS {
                if let Some(byte) = line.get_mut(pixel / 8) {
                    *byte &= !(0x80 >> (pixel % 8));
                }
            }
        }
        (0..MODULE_PIXELS).for_each(|_| pixels.extend_from_slice(&line));
    }
    (0..margin).for_each(|_| pixels.extend_from_slice(&blank));
    let mut out = Vec::new();
    // No QR code has more than 177 modules, so the side fits.
    let side = u32::try_from(side).map_err(|_| QrError::ImageTooLarge)?;
    let mut encoder = Encoder::new(&mut out, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().map_err(QrError::NotWritten)?;
    writer.write_image_data(&pixels).map_err(QrError::NotWritten)?;
    writer.finish().map_err(QrError::NotWritten)?;
    Ok(out)
}

/// Draws a text as an SVG image.
///
/// # Errors
/// When the text is too long for a QR code.
pub fn svg(text: &str) -> Result<String, QrError> {
    let code = encode(text)?;
    Ok(code.render::<qrcode::render::svg::Color<'_>>().module_dimensions(4, 4).build())
}

fn encode(text: &str) -> Result<QrCode, QrError> {
    QrCode::with_error_correction_level(text, EcLevel::M)
        .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L))
        .map_err(|_| QrError::TextTooLong { bytes: text.len() })
}

/// Reads the text of the first readable QR code in a PNG image.
///
/// # Errors
/// When the bytes are no PNG of bearable size, or no code in it can be read.
pub fn decode_png(bytes: &[u8]) -> Result<String, QrError> {
    let (width, height, luminance) = gray(bytes)?;
    let pixel = |x: usize, y: usize| luminance.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
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
fn gray(bytes: &[u8]) -> Result<(usize, usize, Vec<u8>), QrError> {
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
        assert_eq!((width, height), ((21 + 8) * MODULE_PIXELS, (21 + 8) * MODULE_PIXELS));
        assert!(luminance.iter().all(|shade| [0, 255].contains(shade)));
        let quiet = MODULE_PIXELS * QUIET_ZONE_MODULES;
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

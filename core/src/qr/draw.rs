//! Codes for paper: how large, with how much correction, and the size in the file.
//!
//! A module is [`MODULE_PIXELS`] dots at [`DOTS_PER_INCH`], which is 0.339 mm: office printers print at 300 dots an
//! inch or a multiple, so that every module is a whole number of dots, and the usual advice for codes that a telephone
//! or a flat-bed scanner reads from paper is a module of a third of a millimetre or more. Scan at 600 dots an inch where
//! that can be chosen: at 300 the reader of this crate misses some scans of a code as large as this, at 200 most turned
//! ones (measured on simulated scans, with grain and turned by up to 4 degrees).
//!
//! Correction is level M (15 per cent), as long as the text fits, and L (7 per cent) otherwise. Level L would make the
//! code of a signed text 5 mm smaller and lose to the first fold or stamp; Q would make it 7 mm larger than M. Around
//! the code stay [`QUIET_ZONE_MODULES`] blank modules, as the QR standard (ISO/IEC 18004) asks. Both images carry their
//! size, the PNG as `pHYs`, the SVG in millimetres: place them at their own size, and never shrink them.
//!
//! Measured, quiet zone included (letters as in signed texts; a test keeps the table true):
//!
//! | characters | version | correction | modules | mm a side |
//! | --- | --- | --- | --- | --- |
//! | 600 | 19 | M | 101 | 34.2 |
//! | 800 | 23 | M | 117 | 39.6 |
//! | 900 | 24 | M | 121 | 41.0 |
//! | 1000 | 26 | M | 129 | 43.7 |
//! | 1100 | 27 | M | 133 | 45.0 |
//! | 1300 | 30 | M | 145 | 49.1 |
//! | 2000 | 38 | M | 177 | 59.9 |
//! | 2900 | 40 | L | 185 | 62.7 |

use std::fmt;
use std::fmt::Write as _;

use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
use qrcode::{Color, EcLevel, QrCode, Version};

use super::QrError;

/// Dots of a module, each way.
pub const MODULE_PIXELS: u32 = 4;

/// Dots per inch at which the image has its size.
pub const DOTS_PER_INCH: u32 = 300;

/// Blank modules around the code.
pub const QUIET_ZONE_MODULES: u32 = 4;

/// The same per metre, as PNG has it: 300 / 0.0254, rounded.
const DOTS_PER_METRE: u32 = 11_811;

/// How much of a code may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Correction {
    /// About 15 per cent, level M.
    Medium,
    /// About 7 per cent, level L; only for texts that need it.
    Low,
}

impl fmt::Display for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Medium { "M" } else { "L" })
    }
}

/// How much room a code takes on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Placement {
    /// Version of the code, 1 to 40.
    pub version: u32,
    /// How much of it may be lost.
    pub correction: Correction,
    /// Modules of a side, quiet zone included.
    pub modules: u32,
    /// Pixels of a side of the PNG.
    pub pixels: u32,
    /// Length of a side in thousandths of a millimetre.
    pub micrometres: u32,
}

impl Placement {
    fn of(version: u32, correction: Correction, width: u32) -> Self {
        let modules = width + 2 * QUIET_ZONE_MODULES;
        let pixels = modules * MODULE_PIXELS;
        Self { version, correction, modules, pixels, micrometres: pixels * 25_400 / DOTS_PER_INCH }
    }

    /// Length of a side, as in `43.7`, in millimetres.
    #[must_use]
    pub fn millimetres(&self) -> String {
        let tenths = (self.micrometres + 50) / 100;
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// How large the code of a text gets.
///
/// ```
/// use einvoice_core::qr;
/// let placement = qr::placement(&"e".repeat(1_000))?;
/// assert_eq!((placement.version, placement.modules), (26, 129));
/// assert_eq!(placement.millimetres(), "43.7");
/// # Ok::<(), qr::QrError>(())
/// ```
///
/// # Errors
/// When the text is too long for a QR code.
pub fn placement(text: &str) -> Result<Placement, QrError> {
    encode(text).map(|drawing| drawing.placement)
}

/// Draws a text as a black-and-white PNG image, one bit a pixel, with its physical size.
///
/// # Errors
/// When the text is too long for a QR code.
pub fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let drawing = encode(text)?;
    let side = drawing.placement.pixels;
    let mut pixels = Vec::new();
    for row in drawing.rows() {
        let mut line = vec![0xff_u8; length(side.div_ceil(8))];
        for (start, modules) in row {
            for pixel in start * MODULE_PIXELS..(start + modules) * MODULE_PIXELS {
                if let Some(byte) = line.get_mut(length(pixel / 8)) {
                    *byte &= !(0x80 >> (pixel % 8));
                }
            }
        }
        (0..MODULE_PIXELS).for_each(|_| pixels.extend_from_slice(&line));
    }
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: DOTS_PER_METRE, yppu: DOTS_PER_METRE, unit: Unit::Meter }));
    let mut writer = encoder.write_header().map_err(QrError::NotWritten)?;
    writer.write_image_data(&pixels).map_err(QrError::NotWritten)?;
    writer.finish().map_err(QrError::NotWritten)?;
    Ok(out)
}

/// Draws a text as an SVG image with its size in millimetres; a unit of its coordinates is a module.
///
/// Modules that touch in a row are one rectangle, so that no viewer draws hairlines between them.
///
/// # Errors
/// When the text is too long for a QR code.
pub fn svg(text: &str) -> Result<String, QrError> {
    let drawing = encode(text)?;
    let Placement { modules, micrometres, .. } = drawing.placement;
    let millimetres = format!("{}.{:03}mm", micrometres / 1000, micrometres % 1000);
    let mut path = String::new();
    for (row, runs) in drawing.rows().enumerate() {
        for (start, width) in runs {
            // Writing to memory cannot fail.
            _ = write!(path, "M{start} {row}h{width}v1h-{width}z");
        }
    }
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" \
         width=\"{millimetres}\" height=\"{millimetres}\" viewBox=\"0 0 {modules} {modules}\" \
         shape-rendering=\"crispEdges\">\n<rect width=\"{modules}\" height=\"{modules}\" fill=\"#fff\"/>\n\
         <path fill=\"#000\" d=\"{path}\"/>\n</svg>\n"
    ))
}

/// A code with its place.
struct Drawing {
    placement: Placement,
    colors: Vec<Color>,
    width: usize,
}

impl Drawing {
    /// The rows of the image from its top, quiet zone included: beginning and length of each dark run, in modules.
    fn rows(&self) -> impl Iterator<Item = Vec<(u32, u32)>> {
        let quiet = || (0..QUIET_ZONE_MODULES).map(|_| Vec::new());
        quiet().chain(self.colors.chunks(self.width.max(1)).map(runs)).chain(quiet())
    }
}

fn runs(row: &[Color]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (column, color) in (QUIET_ZONE_MODULES..).zip(row) {
        if *color != Color::Dark {
            continue;
        }
        match runs.last_mut() {
            Some((start, length)) if *start + *length == column => *length += 1,
            _ => runs.push((column, 1)),
        }
    }
    runs
}

fn encode(text: &str) -> Result<Drawing, QrError> {
    let too_long = || QrError::TextTooLong { bytes: text.len() };
    let of = |level, correction| QrCode::with_error_correction_level(text, level).ok().map(|code| (code, correction));
    let found = of(EcLevel::M, Correction::Medium).or_else(|| of(EcLevel::L, Correction::Low));
    let (code, correction) = found.ok_or_else(too_long)?;
    let width = code.width();
    let version = match code.version() {
        Version::Normal(version) | Version::Micro(version) => u32::try_from(version).map_err(|_| too_long())?,
    };
    let placement = Placement::of(version, correction, u32::try_from(width).map_err(|_| too_long())?);
    Ok(Drawing { placement, colors: code.to_colors(), width })
}

/// A count of pixels; no code has as many as would not fit.
fn length(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or_default()
}

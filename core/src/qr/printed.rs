//! Codes as paper and scanner leave them: rescaled, turned, blurred, with noise.

#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an optical bench, not the product"
)]

use ::png::{BitDepth, ColorType, Decoder, Encoder, Unit};

use super::*;

/// A text with the alphabet of a signed one, the same for the same length.
fn token(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut noise = Noise(7);
    (0..length).map(|_| char::from(LETTERS[noise.next() as usize % LETTERS.len()])).collect()
}

/// Numbers that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }
}

/// What happens between the file and the reader.
struct Scan {
    /// Dots per inch of the scanner.
    dots_per_inch: f64,
    /// How far the paper is turned.
    degrees: f64,
    /// How many scanned pixels the optics spread a point over.
    blur: usize,
    /// Largest change of a shade by noise.
    noise: u32,
}

/// Prints an image of 300 dots per inch on a page with grey paper and scans it.
fn scanned(image: &[u8], scan: &Scan) -> Vec<u8> {
    const BLACK: f64 = 40.0;
    const PAPER: f64 = 225.0;
    let (width, _, luminance) = gray(image).unwrap();
    let factor = scan.dots_per_inch / f64::from(DOTS_PER_INCH);
    let page = (width as f64 * factor * 1.5) as usize;
    let (sine, cosine) = scan.degrees.to_radians().sin_cos();
    let ink = |x: f64, y: f64| {
        let (column, row) = (x.floor() as i64, y.floor() as i64);
        let at = |column: i64, row: i64| {
            let inside = (0..width as i64).contains(&column) && (0..width as i64).contains(&row);
            if inside && luminance[row as usize * width + column as usize] == 0 { BLACK } else { PAPER }
        };
        let (right, down) = (x - x.floor(), y - y.floor());
        let upper = at(column, row) * (1.0 - right) + at(column + 1, row) * right;
        let lower = at(column, row + 1) * (1.0 - right) + at(column + 1, row + 1) * right;
        upper * (1.0 - down) + lower * down
    };
    let mut shades = vec![0.0; page * page];
    for row in 0..page {
        for column in 0..page {
            let (x, y) = (column as f64 - page as f64 / 2.0, row as f64 - page as f64 / 2.0);
            let (x, y) = ((x * cosine + y * sine) / factor, (y * cosine - x * sine) / factor);
            let (x, y) = (x + width as f64 / 2.0, y + width as f64 / 2.0);
            shades[row * page + column] = ink(x - 0.5, y - 0.5);
        }
    }
    let mut noise = Noise(11);
    let pixels: Vec<u8> = (0..page * page)
        .map(|index| {
            let (row, column) = (index / page, index % page);
            let (rows, columns) = (row..(row + scan.blur).min(page), column..(column + scan.blur).min(page));
            let points = rows.flat_map(|row| columns.clone().map(move |column| row * page + column));
            let (sum, count) = points.fold((0.0, 0.0), |(sum, count), point| (sum + shades[point], count + 1.0));
            let grain = f64::from(noise.next() % (2 * scan.noise + 1)) - f64::from(scan.noise);
            (sum / count + grain).clamp(0.0, 255.0) as u8
        })
        .collect();
    gray_png(page, &pixels)
}

fn gray_png(side: usize, pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, side as u32, side as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    out
}

#[test]
fn a_signed_text_is_read_from_a_printed_and_scanned_page() {
    let text = token(1_000);
    let image = png(&text).unwrap();
    for (dots_per_inch, degrees, blur, noise) in
        [(300.0, 0.7, 2, 25), (300.0, 4.0, 1, 20), (600.0, 1.5, 2, 25), (600.0, 91.0, 3, 30)]
    {
        let scan = Scan { dots_per_inch, degrees, blur, noise };
        let read = decode_png(&scanned(&image, &scan));
        let told = read.as_ref().map_or_else(ToString::to_string, |_| "another text".to_owned());
        assert!(read.is_ok_and(|read| read == text), "{dots_per_inch} dpi, {degrees} degrees: {told}");
    }
}

#[test]
fn the_table_of_sizes_is_true() {
    let told: Vec<_> = [600, 800, 900, 1000, 1100, 1300, 2000, 2900]
        .into_iter()
        .map(|length| {
            let found = placement(&token(length)).unwrap();
            let (version, correction, modules) = (found.version, found.correction, found.modules);
            format!("//! | {length} | {version} | {correction} | {modules} | {} |", found.millimetres())
        })
        .collect();
    let rows: Vec<_> =
        include_str!("draw.rs").lines().filter(|line| line.starts_with("//! | ") && line.contains(" | M")).collect();
    let low = include_str!("draw.rs").lines().filter(|line| line.contains(" | L | "));
    assert_eq!(rows.into_iter().chain(low).collect::<Vec<_>>(), told);
}

#[test]
fn a_module_is_a_third_of_a_millimetre_and_a_whole_number_of_dots() {
    let found = placement("A").unwrap();
    assert_eq!(found.pixels, found.modules * MODULE_PIXELS);
    let micrometres = found.micrometres / found.modules;
    assert!(micrometres >= 330, "{micrometres}");
}

#[test]
fn the_png_carries_its_physical_size() {
    let text = token(1_000);
    let image = png(&text).unwrap();
    let reader = Decoder::new(Cursor::new(&image)).read_info().unwrap();
    let info = reader.info();
    let size = info.pixel_dims.unwrap();
    assert_eq!((size.xppu, size.yppu, size.unit), (11_811, 11_811, Unit::Meter));
    let found = placement(&text).unwrap();
    assert_eq!(info.size(), (found.pixels, found.pixels));
    // Within the rounding of dots per metre.
    let micrometres = u64::from(found.pixels) * 1_000_000 / 11_811;
    assert!(micrometres.abs_diff(u64::from(found.micrometres)) < 10, "{micrometres}");
}

/// The rectangles of a drawing, a module each way as so many pixels.
fn rasterised(svg: &str, module: usize) -> Vec<u8> {
    let attribute = |name: &str| svg.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0;
    let side: usize = attribute("viewBox").split(' ').nth(2).unwrap().parse().unwrap();
    let side = side * module;
    let mut pixels = vec![255; side * side];
    for rectangle in attribute("d").split_terminator('z') {
        let (place, form) = rectangle.strip_prefix('M').unwrap().split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let (width, rest) = form.split_once('v').unwrap();
        assert_eq!(rest, format!("1h-{width}"), "a rectangle one module high");
        let number = |text: &str| text.parse::<usize>().unwrap() * module;
        for row in number(y)..number(y) + module {
            pixels[row * side + number(x)..row * side + number(x) + number(width)].fill(0);
        }
    }
    gray_png(side, &pixels)
}

#[test]
fn the_svg_draws_the_same_code_with_its_size_in_millimetres() {
    let text = token(1_000);
    let drawn = svg(&text).unwrap();
    assert!(drawn.contains(r#"width="43.688mm" height="43.688mm" viewBox="0 0 129 129""#), "{}", &drawn[..200]);
    let image = rasterised(&drawn, MODULE_PIXELS as usize);
    assert_eq!(decode_png(&image).unwrap(), text);
    assert_eq!(gray(&image).unwrap(), gray(&png(&text).unwrap()).unwrap(), "pixel for pixel");
    assert!(drawn.len() < 80_000, "{}", drawn.len());
}

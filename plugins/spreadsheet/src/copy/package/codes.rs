//! The sheet with the pictures of signed QR codes, each at its size for paper beside what it belongs to.

use std::fmt::Write as _;

use einvoice_core::qr;

use super::super::CopyError;
use super::relations::OFFICE;
use super::sheet::inline;
use super::styles::{Look, Styles};

const SHEET_ML: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
/// Name of the sheet, unless the workbook has another one of that name.
pub(crate) const QR_SHEET: &str = "QR codes";
/// What its first cell says, by which it is known again.
pub(crate) const QR_TITLE: &str = "Signed QR codes, at their size for paper";
/// Lengths of drawings in a thousandth of a millimetre.
const EMU: u32 = 36;
/// Between a picture and the edges of its cell.
const MARGIN: u32 = 38_100;

/// A registered document: what is said of it, and what its code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) texts: Vec<String>,
    pub(crate) signed: String,
}

/// The parts of the sheet: pictures go to `picture` as they are drawn.
pub(super) struct Drawn {
    pub(super) sheet: String,
    pub(super) drawing: String,
}

/// Draws the sheet. `picture` takes each picture and gives the id by which the drawing leads to it.
pub(super) fn draw(
    codes: &[Code],
    styles: &mut Styles,
    drawing_id: &str,
    mut picture: impl FnMut(Vec<u8>) -> Result<String, CopyError>,
) -> Result<Drawn, CopyError> {
    let mut drawing = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<xdr:wsDr \
         xmlns:xdr=\"http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing\" \
         xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" xmlns:r=\"{OFFICE}\">"
    );
    let (title, wrapped) = (styles.look(Look::Title), styles.look(Look::Wrapped));
    let mut rows = cell_row(1, title, QR_TITLE, None);
    for (code, row) in codes.iter().zip(2..) {
        let placement = qr::placement(&code.signed);
        // A row as high as the picture and a margin: a millimetre is 72 / 25.4 points.
        let points =
            placement.as_ref().ok().map(|placement| f64::from(placement.micrometres) / 1000.0 * 72.0 / 25.4 + 8.0);
        rows.push_str(&cell_row(row, wrapped, &code.texts.join("\n"), points));
        let Ok(placement) = placement else { continue };
        let bytes = qr::png(&code.signed).map_err(|error| CopyError::Base(error.to_string()))?;
        let (id, side, at) = (picture(bytes)?, placement.micrometres * EMU, row - 1);
        // Writing to memory cannot fail.
        _ = write!(
            drawing,
            "<xdr:oneCellAnchor><xdr:from><xdr:col>1</xdr:col><xdr:colOff>{MARGIN}</xdr:colOff><xdr:row>{at}</xdr:row>\
             <xdr:rowOff>{MARGIN}</xdr:rowOff></xdr:from><xdr:ext cx=\"{side}\" cy=\"{side}\"/><xdr:pic><xdr:nvPicPr>\
             <xdr:cNvPr id=\"{row}\" name=\"QR {at}\" descr=\"Signed QR code\"/><xdr:cNvPicPr><a:picLocks \
             noChangeAspect=\"1\"/></xdr:cNvPicPr></xdr:nvPicPr><xdr:blipFill><a:blip r:embed=\"{id}\"/><a:stretch>\
             <a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{side}\" \
             cy=\"{side}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/>\
             </xdr:oneCellAnchor>"
        );
    }
    drawing.push_str("</xdr:wsDr>");
    // Together as wide as paper.
    let sheet = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<worksheet xmlns=\"{SHEET_ML}\" xmlns:r=\"{OFFICE}\">\
         <cols><col min=\"1\" max=\"1\" width=\"44\" customWidth=\"1\"/><col min=\"2\" max=\"2\" width=\"28\" \
         customWidth=\"1\"/></cols><sheetData>{rows}</sheetData><drawing r:id=\"{drawing_id}\"/></worksheet>"
    );
    Ok(Drawn { sheet, drawing })
}

fn cell_row(row: u32, xf: u32, text: &str, points: Option<f64>) -> String {
    let height = points.map(|points| format!(" ht=\"{points:.2}\" customHeight=\"1\"")).unwrap_or_default();
    format!(
        "<row r=\"{row}\"{height}><c r=\"A{row}\" s=\"{xf}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c></row>",
        inline(text)
    )
}

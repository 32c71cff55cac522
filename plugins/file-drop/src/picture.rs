//! Pictures of signed QR codes beside the response files.

use std::io;
use std::path::Path;

use einvoice_core::qr;
use einvoice_core::receipt::Receipt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::atomic;

/// Form of QR pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QrFormat {
    /// No pictures.
    #[default]
    None,
    /// PNG.
    Png,
    /// SVG.
    Svg,
}

/// A picture that waits to be written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Picture {
    /// Path relative to the response's folder, with `/`.
    pub name: String,
    bytes: Vec<u8>,
}

impl Picture {
    /// Draws the code of a receipt; nothing where none is asked for, or none is signed.
    ///
    /// A number of a document holds letters, digits, `/` and `-` only, so `_` for `/` is safe on every system and never
    /// makes two names one.
    ///
    /// # Errors
    /// When the signed text is longer than a QR code can hold.
    pub fn of(receipt: &Receipt, format: QrFormat) -> Result<Option<Self>, qr::QrError> {
        let extension = match format {
            QrFormat::None => return Ok(None),
            QrFormat::Png => "png",
            QrFormat::Svg => "svg",
        };
        let signed = receipt.registration.as_ref().and_then(|found| found.signed_qr.as_deref());
        let (Some(key), Some(text)) = (receipt.key.as_ref(), signed) else { return Ok(None) };
        let bytes = match format {
            QrFormat::Svg => qr::svg(text)?.into_bytes(),
            QrFormat::Png | QrFormat::None => qr::png(text)?,
        };
        let number = key.number.to_upper().replace('/', "_");
        Ok(Some(Self {
            name: format!("qr/{}-{}-{}-{number}.{extension}", key.supplier, key.year, key.doc_type),
            bytes,
        }))
    }

    /// Writes it beside a response; a file that holds it already is left alone.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn put(&self, response: &Path) -> io::Result<()> {
        let path = response.parent().unwrap_or(Path::new("")).join(&self.name);
        if std::fs::read(&path).is_ok_and(|present| present == self.bytes) {
            return Ok(());
        }
        atomic::put(&path, &self.bytes)
    }
}

//! Pictures of signed QR codes beside the response files.

use std::io;
use std::path::Path;

use einvoice_core::qr;
use einvoice_core::receipt::Receipt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::atomic;

/// Form of QR pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// # Errors
    /// When the signed text is longer than a QR code can hold.
    pub fn of(receipt: &Receipt, format: QrFormat) -> Result<Option<Self>, qr::QrError> {
        let Some((name, text)) = Self::name_of(receipt, format).zip(signed(receipt)) else { return Ok(None) };
        let bytes = match format {
            QrFormat::Svg => qr::svg(text)?.into_bytes(),
            QrFormat::Png | QrFormat::None => qr::png(text)?,
        };
        Ok(Some(Self { name, bytes }))
    }

    /// The name of the picture of a receipt; nothing where there is none.
    ///
    /// A number of a document holds letters, digits, `/` and `-` only, so `_` for `/` is safe on every system and never
    /// makes two names one.
    #[must_use]
    pub fn name_of(receipt: &Receipt, format: QrFormat) -> Option<String> {
        let extension = match format {
            QrFormat::None => return None,
            QrFormat::Png => "png",
            QrFormat::Svg => "svg",
        };
        signed(receipt)?;
        let key = receipt.key.as_ref()?;
        let number = key.number.to_upper().replace('/', "_");
        Some(format!("qr/{}-{}-{}-{number}.{extension}", key.supplier, key.year, key.doc_type))
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

fn signed(receipt: &Receipt) -> Option<&str> {
    receipt.registration.as_ref()?.signed_qr.as_deref()
}

//! Entry points for tests that feed arbitrary bytes.

use std::io::Read as _;
use std::sync::LazyLock;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::MappingConfig;
use einvoice_file_drop::json::Splitter;
use einvoice_file_drop::{Encoding, Found, Utf8Reader};

use crate::config::{DocumentFormat, RecordId};
use crate::formats::{Formats, NotMapped};
use crate::merge;
use crate::source::{document, map};

/// Rules with something of everything that rules can be made of, for documents of no known form.
const RULES: &str = r#"
[set]
"DocDtls.Typ" = { from = ["type", "kind"], table = "types", default = "INV" }
"DocDtls.No" = { join = ["series", "no", "ids[type=NO].code"], with = "-" }
"DocDtls.Dt" = "on"
"SellerDtls.Gstin" = "from.gst"
"BuyerDtls.Gstin" = { from = "to.gst", steps = ["upper"] }
"BuyerDtls.Addr1" = { from = "to.address", steps = ["first_line"], when = "to.gst" }
"BuyerDtls.Pin" = { from = "to.pin", steps = ["digits"] }
"BuyerDtls.Loc" = { from = "to.place", before = ",", after = "-" }
"ItemList.HsnCd" = ["hsn", { from = "sku", table = "types", keep = true }]
"ItemList.Qty" = { from = "qty", steps = ["absolute"] }
"ItemList.UnitPrice" = { formula = "round([net] / or(per, 1), 3)" }
"ItemList.Discount" = { from = "off", steps = ["negate"] }
"ItemList.GstRt" = { formula = "max([taxes[cat=IGST].percent], 2 * min(rate, 9))" }
"RefDtls.InvRm" = { document = "DocDtls.No" }
[tables.types]
"sale" = "INV"
"return" = "CRN"
[[skip]]
field = "state"
in = ["draft"]
reason = "draft"
"#;

/// What bytes were read as.
#[derive(Debug, Default)]
pub struct Counts {
    /// Documents, those a rule passes over among them.
    pub documents: usize,
    /// Everything said of what is none.
    pub findings: Vec<Finding>,
    /// Whether reading ended because the bytes are no text.
    pub broke_off: bool,
}

/// Formats by the rules that are built in.
fn built_in(format: DocumentFormat) -> Option<Formats> {
    Formats::new(format, "lines", &MappingConfig::default()).ok()
}

/// Reads bytes as a file would be read, whatever it holds, and maps every document: from what was kept while it was
/// read, and from its text.
///
/// # Panics
/// When the two differ.
#[must_use]
pub fn file(bytes: &[u8], lines: bool) -> Counts {
    static FORMATS: LazyLock<Option<Formats>> = LazyLock::new(|| built_in(DocumentFormat::Auto));
    let mut counts = Counts::default();
    let Some(formats) = FORMATS.as_ref() else { return counts };
    let found = Found { path: "x.json".into(), shown: "x.json".to_owned(), size: 0, modified: None };
    let Ok(reader) = Utf8Reader::new(bytes, Encoding::Auto) else {
        return Counts { broke_off: true, ..counts };
    };
    for piece in Splitter::new(reader, lines) {
        let Ok(piece) = piece else {
            counts.broke_off = true;
            break;
        };
        match document(piece, RecordId::Document, &found, formats) {
            Ok(document) => {
                counts.documents += 1;
                let kept = map(&document.content, document.kept.take(), formats);
                let again = map(&document.content, None, formats);
                assert_eq!(format!("{kept:?}"), format!("{again:?}"), "{}", document.content);
            }
            Err(finding) => counts.findings.push(*finding),
        }
    }
    counts
}

fn of_format(bytes: &[u8], formats: Option<&Formats>, format: DocumentFormat) -> Counts {
    let mut counts = Counts::default();
    let mut text = String::new();
    let read = Utf8Reader::new(bytes, Encoding::Auto).and_then(|mut reader| reader.read_to_string(&mut text));
    let (Ok(_), Some(formats)) = (read, formats) else { return counts };
    match formats.map(&text, format) {
        Ok(_) | Err(NotMapped::Skipped(_)) => counts.documents += 1,
        Err(NotMapped::Wrong(finding)) => counts.findings.push(*finding),
    }
    counts
}

/// Reads bytes as a GOBL invoice.
#[must_use]
pub fn gobl(bytes: &[u8]) -> Counts {
    static FORMATS: LazyLock<Option<Formats>> = LazyLock::new(|| built_in(DocumentFormat::Gobl));
    of_format(bytes, FORMATS.as_ref(), DocumentFormat::Gobl)
}

/// Reads bytes as a UBL document.
#[must_use]
pub fn ubl(bytes: &[u8]) -> Counts {
    static FORMATS: LazyLock<Option<Formats>> = LazyLock::new(|| built_in(DocumentFormat::Ubl));
    of_format(bytes, FORMATS.as_ref(), DocumentFormat::Ubl)
}

/// Reads bytes as JSON that is mapped by rules of its own.
#[must_use]
pub fn mapped(bytes: &[u8]) -> Counts {
    static FORMATS: LazyLock<Option<Formats>> =
        LazyLock::new(|| Formats::new(DocumentFormat::Mapped, "rows", &toml::from_str(RULES).ok()?).ok());
    of_format(bytes, FORMATS.as_ref(), DocumentFormat::Mapped)
}

/// Reads bytes as a response file, as merging does; says how many answers it holds, where it is one.
#[must_use]
pub fn answers(bytes: &[u8]) -> Option<usize> {
    let mut count = 0;
    let each = merge::answers(bytes, |_, answer| {
        count += 1;
        let _fields = crate::write_back::fields(answer);
        Ok(())
    });
    each.ok().map(|()| count)
}

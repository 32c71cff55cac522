//! Finding signed texts in a file: bare, in a portal's reply, or in the picture of a QR code.

use std::path::Path;

use einvoice_core::qr;
use serde_json::Value;

use crate::error::CliError;

/// Largest file that is read: a signed invoice of 2 MB, escaped and encoded twice, stays far below.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How deep JSON text inside JSON text is followed: a reply whose `Data` is a text that holds JSON.
const TEXT_DEPTH_MAX: usize = 4;

const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A signed text, and the IRN stated beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Found {
    pub(in super::super) token: String,
    pub(in super::super) irn: Option<String>,
}

/// The signed texts of a file, in their order.
pub(super) fn tokens(file: &Path) -> Result<Vec<Found>, CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
    let metadata = std::fs::metadata(file).map_err(failed)?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(CliError::Usage(format!("{} is larger than any signed document", file.display())));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    if bytes.starts_with(PNG_MAGIC) {
        let token = qr::decode_png(&bytes).map_err(|error| CliError::Usage(format!("{}: {error}", file.display())))?;
        return Ok(vec![Found { token, irn: None }]);
    }
    // Bytes that are no UTF-8 become marks that no signed text holds, so they are judged forged.
    let text = String::from_utf8_lossy(&bytes);
    let found = in_text(text.trim_start_matches('\u{feff}').trim());
    if found.is_empty() {
        return Err(CliError::Usage(format!(
            "{} holds no signed invoice and no signed QR text: name a reply of the portal, a file with a signed text, \
             or a PNG of the QR code",
            file.display()
        )));
    }
    Ok(found)
}

fn in_text(text: &str) -> Vec<Found> {
    if let Some(found) = in_json(text) {
        return found;
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let Some(first) = lines.next() else { return Vec::new() };
    let bare = |line: &str| vec![Found { token: line.to_owned(), irn: None }];
    // A signed text with a wrong byte is still one, and forged; a line of another file is none.
    if lines.peek().is_none() {
        return if may_be_signed(first) { bare(first) } else { Vec::new() };
    }
    let in_line = |line: &str| {
        in_json(line).unwrap_or_else(|| {
            let is_one = looks_signed(line) || (may_be_signed(line) && line.contains('.') && line.is_ascii());
            if is_one { bare(line) } else { Vec::new() }
        })
    };
    std::iter::once(first).chain(lines).flat_map(in_line).collect()
}

/// The signed texts of JSON; nothing where it is no JSON.
fn in_json(text: &str) -> Option<Vec<Found>> {
    let value = serde_json::from_str::<Value>(Some(text).filter(|text| text.starts_with(['{', '[', '"']))?).ok()?;
    let mut found = Vec::new();
    in_value(&value, None, TEXT_DEPTH_MAX, &mut found);
    Some(found)
}

fn in_value(value: &Value, irn: Option<&str>, depth: usize, found: &mut Vec<Found>) {
    match value {
        Value::Object(members) => {
            let own = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("Irn"));
            let irn = own.and_then(|(_, value)| value.as_str()).or(irn);
            for (name, value) in members {
                let named = ["SignedInvoice", "SignedQRCode"].iter().any(|known| name.eq_ignore_ascii_case(known));
                match value {
                    Value::String(text) if named => {
                        found.push(Found { token: text.trim().to_owned(), irn: irn.map(str::to_owned) });
                    }
                    other => in_value(other, irn, depth, found),
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| in_value(entry, irn, depth, found)),
        Value::String(text) if looks_signed(text) => {
            found.push(Found { token: text.clone(), irn: irn.map(str::to_owned) });
        }
        Value::String(text) if depth > 0 && text.trim_start().starts_with(['{', '[']) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                in_value(&inner, irn, depth - 1, found);
            }
        }
        _ => {}
    }
}

/// Whether a text has the look of a compact JWT: three parts, the first of which is an encoded `{"`.
fn looks_signed(text: &str) -> bool {
    text.starts_with("eyJ") && text.matches('.').count() == 2
}

/// Whether a text that stands alone can have been a signed one: those are one word, without marks of XML or CSV.
fn may_be_signed(text: &str) -> bool {
    looks_signed(text)
        || !text.contains(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | ',' | ';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(token: &str, irn: Option<&str>) -> Found {
        Found { token: token.to_owned(), irn: irn.map(str::to_owned) }
    }

    #[test]
    fn a_reply_gives_its_signed_texts_with_the_irn_beside_them() {
        let reply =
            r#"{"Status":1,"Data":"{\"Irn\":\"ab\",\"SignedInvoice\":\"x.y.z\",\"SignedQRCode\":\"eyJ.a.b\"}"}"#;
        assert_eq!(in_text(reply), [found("x.y.z", Some("ab")), found("eyJ.a.b", Some("ab"))]);
    }

    #[test]
    fn a_bare_text_is_taken_as_it_is_and_broken_json_too() {
        assert_eq!(in_text("eyJ.a.b"), [found("eyJ.a.b", None)]);
        assert_eq!(in_text("\"eyJ.a.b\""), [found("eyJ.a.b", None)]);
        assert_eq!(in_text("{yJ.a.b"), [found("{yJ.a.b", None)]);
        assert_eq!(in_text("a.b.c\n\nd.e.f"), [found("a.b.c", None), found("d.e.f", None)]);
    }

    #[test]
    fn a_file_of_another_kind_holds_no_signed_text_instead_of_forged_ones() {
        assert_eq!(in_text("<ENVELOPE>\n<DATE>20261102</DATE>\n<RATE>18.00</RATE>\n</ENVELOPE>"), []);
        assert_eq!(in_text("<ENVELOPE><RATE>18.00</RATE></ENVELOPE>"), []);
        assert_eq!(in_text("number,amount\nA/1,18.00"), []);
        assert_eq!(in_text("Dear colleague, see v1.2.3 of it."), []);
        assert_eq!(in_text(""), []);
    }

    #[test]
    fn replies_as_json_lines_give_the_signed_texts_of_each_line() {
        let lines = "{\"Irn\":\"ab\",\"SignedQRCode\":\"eyJ.a.b\"}\n{\"Irn\":\"cd\",\"SignedQRCode\":\"eyJ.c.d\"}";
        assert_eq!(in_text(lines), [found("eyJ.a.b", Some("ab")), found("eyJ.c.d", Some("cd"))]);
    }

    #[test]
    fn json_without_signed_texts_gives_none() {
        assert_eq!(in_text(r#"{"Irn":"ab","Status":"ACT"}"#), []);
    }
}

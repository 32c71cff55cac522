//! How response files are called.

use std::path::{Path, PathBuf};

use einvoice_file_drop::response_stem;

/// The name of the response to a request file: `INV1_P.json` and `INV1.json` become `INV1_R.json`,
/// and the second part of it `INV1_R_2.json`.
pub(crate) fn response(request: &Path, request_suffix: &str, response_suffix: &str, part: u64) -> PathBuf {
    let extension = if is_lines(request) { "jsonl" } else { "json" };
    PathBuf::from(format!("{}.{extension}", response_stem(request, request_suffix, response_suffix, part)))
}

/// Whether a file has one document a line, by its name.
pub(crate) fn is_lines(path: &Path) -> bool {
    has_ending(path, &["jsonl", "ndjson"])
}

/// Whether a file is XML, by its name.
pub(crate) fn is_xml(path: &Path) -> bool {
    has_ending(path, &["xml"])
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| endings.iter().any(|ending| extension.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_the_form_of_its_request() {
        for (request, part, wanted) in [
            ("INV123_P.json", 1, "INV123_R.json"),
            ("day.jsonl", 1, "day_R.jsonl"),
            ("day.ndjson", 2, "day_R_2.jsonl"),
            ("day_P.JSON", 3, "day_R_3.json"),
            ("noend", 1, "noend_R.json"),
        ] {
            assert_eq!(response(Path::new(request), "_P", "_R", part), Path::new(wanted), "{request}");
        }
    }
}

//! How request and response files are called.

use std::path::{Path, PathBuf};

/// Whether a file is a response by its name: `x_R.json`, `x_R_2.json`.
pub(crate) fn is_response(path: &Path, response_suffix: &str) -> bool {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return false };
    if response_suffix.is_empty() {
        return false;
    }
    let whole = stem.ends_with(response_suffix);
    let part = stem.rsplit_once('_').is_some_and(|(head, number)| {
        head.ends_with(response_suffix) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    whole || part
}

/// The name of the response to a request file: `INV1_P.json` and `INV1.json` become `INV1_R.json`,
/// and the second part of it `INV1_R_2.json`.
pub(crate) fn response(request: &Path, request_suffix: &str, response_suffix: &str, part: u64) -> PathBuf {
    let stem = request.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let base = if request_suffix.is_empty() { None } else { stem.strip_suffix(request_suffix) };
    let base = base.filter(|base| !base.is_empty()).unwrap_or(&stem);
    let number = if part > 1 { format!("_{part}") } else { String::new() };
    let extension = if is_lines(request) { "jsonl" } else { "json" };
    PathBuf::from(format!("{base}{response_suffix}{number}.{extension}"))
}

/// Whether a file has one document a line, by its name.
pub(crate) fn is_lines(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["jsonl", "ndjson"].iter().any(|lines| extension.eq_ignore_ascii_case(lines)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_name_leads_to_its_response_name() {
        for (request, part, wanted) in [
            ("INV123_P.json", 1, "INV123_R.json"),
            ("in/INV123.json", 1, "INV123_R.json"),
            ("_P.json", 1, "_P_R.json"),
            ("day.jsonl", 1, "day_R.jsonl"),
            ("day.ndjson", 2, "day_R_2.jsonl"),
            ("day_P.JSON", 3, "day_R_3.json"),
            ("noend", 1, "noend_R.json"),
        ] {
            assert_eq!(response(Path::new(request), "_P", "_R", part), Path::new(wanted), "{request}");
        }
    }

    #[test]
    fn every_response_name_is_known_as_one_and_requests_are_not() {
        for name in ["INV1_R.json", "INV1_R_2.json", "a_R_10.jsonl"] {
            assert!(is_response(Path::new(name), "_R"), "{name}");
        }
        for name in ["INV1_P.json", "INV1.json", "R.json", "INV_R_x.json", "INV_2.json"] {
            assert!(!is_response(Path::new(name), "_R"), "{name}");
        }
    }
}

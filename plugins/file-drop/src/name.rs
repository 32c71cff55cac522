//! How request and response files are called.

use std::path::Path;

/// Whether a file is a response by its name: `x_R.json`, `x_R_2.json`.
#[must_use]
pub fn is_response(path: &Path, response_suffix: &str) -> bool {
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

/// The base name of the response to a request file, without its ending: `INV1_P.json` and `INV1.json` lead to `INV1_R`,
/// and the second part of it to `INV1_R_2`.
#[must_use]
pub fn response_stem(request: &Path, request_suffix: &str, response_suffix: &str, part: u64) -> String {
    let stem = request.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let base = if request_suffix.is_empty() { None } else { stem.strip_suffix(request_suffix) };
    let base = base.filter(|base| !base.is_empty()).unwrap_or(&stem);
    let number = if part > 1 { format!("_{part}") } else { String::new() };
    format!("{base}{response_suffix}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_name_leads_to_its_response_name() {
        for (request, part, wanted) in [
            ("INV123_P.json", 1, "INV123_R"),
            ("in/INV123.json", 1, "INV123_R"),
            ("_P.json", 1, "_P_R"),
            ("day.ndjson", 2, "day_R_2"),
            ("day_P.JSON", 3, "day_R_3"),
            ("noend", 1, "noend_R"),
        ] {
            assert_eq!(response_stem(Path::new(request), "_P", "_R", part), wanted, "{request}");
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

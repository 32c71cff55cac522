//! The test report of a request for listing, looked at as far as a clerk would: is it there, is it a report at all, and
//! what does it say of itself.

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use zip::ZipArchive;

use super::addresses::shortened;
use super::problem::{Acted, Problem, Problems};

/// Largest report.
pub(crate) const REPORT_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Cases of either kind that the portal asks for, of each API (NIC's questions and answers).
const CASES_MIN: u32 = 50;
/// The APIs of the portal, by the names under which a report of ours counts their cases.
const APIS: [&str; 10] = ["AUTH", "GSTIN", "SYNC", "IRN", "READ", "DOC", "EWB", "EWBREAD", "CANCEL", "REJECTED"];
/// Name of the marker in which a report of ours says what it covers.
const MARKER: &str = "einvoice-coverage";
/// Largest part of a workbook that is unpacked to look for the marker.
const PROPERTIES_BYTES_MAX: u64 = 64 * 1024;

/// A file as it was uploaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// A file that may be a test report.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) name: String,
    /// Base64.
    pub(crate) content: String,
    pub(crate) bytes: u64,
    /// What it says it covers; nothing for one that says nothing, as any report but ours.
    pub(crate) says: Option<String>,
}

/// One line of what a report says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Coverage {
    pub(crate) api: String,
    pub(crate) succeeding: u32,
    pub(crate) failing: u32,
}

/// Looks at an uploaded file.
pub(crate) fn look_at(upload: Option<&Upload>) -> Acted<Report> {
    let refused = |message: &str, found: &str| {
        let problem = Problem::at("report", message);
        Err(Problems::input(if found.is_empty() { problem } else { problem.found(shortened(found)) }))
    };
    let Some(upload) = upload.filter(|upload| !upload.content.is_empty()) else {
        let message = "no test report is attached, or the file is empty: attach the xlsx or html file with the results of your tests";
        return refused(message, "");
    };
    if upload.content.len() > REPORT_BYTES_MAX {
        return refused("the test report is larger than 5 MB: attach a smaller file", &upload.name);
    }
    let says = if upload.content.starts_with(b"PK\x03\x04") {
        let Some(mut workbook) = workbook(&upload.content) else {
            let message = "this file is packed like a workbook and is none: attach the report as xlsx or html";
            return refused(message, &upload.name);
        };
        workbook_says(&mut workbook)
    } else if is_html(&upload.content) {
        html_says(&upload.content)
    } else {
        let message = "this is neither a workbook (xlsx) nor a page (html): attach the report as one of these";
        return refused(message, &upload.name);
    };
    let name = upload.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|letter| letter.is_alphanumeric() || "._- ()".contains(*letter)).collect();
    let name = if name.trim().is_empty() { "report".to_owned() } else { shortened(name.trim()) };
    let bytes = u64::try_from(upload.content.len()).unwrap_or(u64::MAX);
    Ok(Report { name, content: STANDARD.encode(&upload.content), bytes, says })
}

/// Why the report covers too little by its own words; nothing for one that covers enough or says nothing.
pub(crate) fn shortfall(says: Option<&str>) -> Option<String> {
    let coverage = read_coverage(says?);
    if coverage.is_empty() {
        return None;
    }
    let short = coverage.iter().filter(|line| line.succeeding < CASES_MIN || line.failing < CASES_MIN);
    let short: Vec<String> = short
        .map(|line| format!("{} has {} succeeding and {} failing cases", line.api, line.succeeding, line.failing))
        .collect();
    let missing = APIS.into_iter().filter(|api| !coverage.iter().any(|line| line.api.eq_ignore_ascii_case(api)));
    let missing: Vec<&str> = missing.collect();
    let mut reasons = Vec::new();
    if !missing.is_empty() {
        reasons.push(format!("The test report shows no case of {}: every API is wanted.", missing.join(", ")));
    }
    if !short.is_empty() {
        let short = short.join("; ");
        reasons.push(format!("The test report shows fewer than {CASES_MIN} cases of each kind: {short}."));
    }
    (!reasons.is_empty()).then(|| reasons.join(" "))
}

/// Reads `AUTH=50/50,IRN=51/50`; entries that are not of this form are left out.
pub(crate) fn read_coverage(says: &str) -> Vec<Coverage> {
    let line = |entry: &str| {
        let (api, counts) = entry.split_once('=')?;
        let (succeeding, failing) = counts.split_once('/')?;
        let number = |text: &str| text.trim().parse().ok();
        Some(Coverage { api: shortened(api.trim()), succeeding: number(succeeding)?, failing: number(failing)? })
    };
    says.split(',').filter_map(line).take(100).collect()
}

fn is_html(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let head = String::from_utf8_lossy(content.get(..256.min(content.len())).unwrap_or_default()).to_ascii_lowercase();
    let head = head.trim_start();
    head.starts_with("<!doctype html") || head.starts_with("<html")
}

/// The marker in the head of a page.
fn html_says(content: &[u8]) -> Option<String> {
    let head = content.get(..4096.min(content.len())).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let tag = head.split("<meta").find(|tag| tag.contains(MARKER))?;
    let value = tag.split("content=\"").nth(1)?.split('"').next()?;
    Some(value.to_owned())
}

/// A packed file that holds a workbook.
fn workbook(content: &[u8]) -> Option<ZipArchive<Cursor<&[u8]>>> {
    let mut packed = ZipArchive::new(Cursor::new(content)).ok()?;
    let holds_one = packed.by_name("xl/workbook.xml").is_ok();
    holds_one.then_some(packed)
}

/// The marker among the properties of a workbook.
fn workbook_says(workbook: &mut ZipArchive<Cursor<&[u8]>>) -> Option<String> {
    let properties = workbook.by_name("docProps/custom.xml").ok()?;
    let mut text = String::new();
    properties.take(PROPERTIES_BYTES_MAX).read_to_string(&mut text).ok()?;
    let property = text.split("<property").find(|property| property.contains(MARKER))?;
    Some(property.split("<vt:lpwstr>").nth(1)?.split("</").next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(name: &str, content: &[u8]) -> Upload {
        Upload { name: name.into(), content: content.to_vec() }
    }

    /// A file packed as a workbook is.
    fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
        use std::io::Write as _;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn what_is_no_report_is_refused_with_a_reason() {
        let reason = |upload: Option<&Upload>| look_at(upload).unwrap_err().list()[0].message.clone();
        assert!(reason(None).starts_with("no test report"));
        assert!(reason(Some(&upload("a.xlsx", b""))).starts_with("no test report"));
        assert!(reason(Some(&upload("a.pdf", b"%PDF-1.7"))).starts_with("this is neither"));
        assert!(reason(Some(&upload("a.xlsx", b"PK\x03\x04garbage"))).contains("is none"));
        assert!(reason(Some(&upload("a.xlsx", &packed(&[("x.txt", "x")])))).contains("is none"));
        let mut large = b"<!doctype html>".to_vec();
        large.resize(REPORT_BYTES_MAX + 1, b' ');
        assert!(reason(Some(&upload("a.html", &large))).contains("5 MB"));
    }

    /// A workbook as the writer of our reports makes it.
    fn workbook_that_says(says: &str) -> Vec<u8> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_custom_property(MARKER, says));
        workbook.add_worksheet();
        workbook.save_to_buffer().unwrap()
    }

    #[test]
    fn a_report_that_leaves_an_api_out_falls_short_of_all() {
        let all = APIS.map(|api| format!("{api}=50/50"));
        assert_eq!(shortfall(Some(&all.join(","))), None);
        assert_eq!(shortfall(Some(&all.join(",").to_lowercase())), None);
        let short = shortfall(Some(&all[..8].join(","))).unwrap();
        assert_eq!(short, "The test report shows no case of CANCEL, REJECTED: every API is wanted.");
    }

    #[test]
    fn a_report_of_ours_says_what_it_covers_in_either_form() {
        let says = "AUTH=50/50,IRN=51/49";
        let page = format!("<!DOCTYPE html><html><head><meta name=\"{MARKER}\" content=\"{says}\"></head></html>");
        let workbook = workbook_that_says(says);
        for file in [upload("../r.html", page.as_bytes()), upload("C:\\r.xlsx", &workbook)] {
            let report = look_at(Some(&file)).unwrap();
            assert_eq!(report.says.as_deref(), Some(says));
            assert!(report.name.starts_with("r."), "{}", report.name);
            let short = shortfall(report.says.as_deref()).unwrap();
            assert!(short.contains("IRN has 51 succeeding and 49 failing") && !short.contains("AUTH"), "{short}");
        }
        assert_eq!(shortfall(None), None);
        let foreign = packed(&[("xl/workbook.xml", "<workbook/>")]);
        assert_eq!(look_at(Some(&upload("theirs.xlsx", &foreign))).unwrap().says, None);
    }
}

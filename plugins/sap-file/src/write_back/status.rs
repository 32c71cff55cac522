//! Status `IDoc`s (`SYSTAT01`) in XML: what became of each `IDoc` that was read. They carry no IRN, and say to SAP's own
//! monitor that an outbound `IDoc` was taken (16) or refused (17).
//!
//! In XML, as the layout of the segment in a flat file differs by release.

use std::fmt::Write as _;

use einvoice_core::finding::Finding;
use einvoice_core::receipt::Receipt;

use super::row::{USER, irn_status};
use super::state::Answer;

/// Longest text of a status.
const TEXT_MAX: usize = 70;

/// All status `IDoc`s of a request under one root; those that are not settled yet have none.
pub(crate) fn idocs(answers: &[Answer]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SYSTAT01>\n");
    for answer in answers {
        let status = match irn_status(&answer.receipt) {
            "PND" => continue,
            "ERR" => "17",
            _ => "16",
        };
        if answer.receipt.attributes.contains_key("DOCNUM") {
            idoc(&mut text, answer, status);
        }
    }
    text.push_str("</SYSTAT01>\n");
    text
}

fn idoc(text: &mut String, answer: &Answer, status: &str) {
    let key = |name: &str| answer.receipt.attributes.get(name).map_or("", String::as_str);
    let at: String = answer.at.to_string().chars().filter(char::is_ascii_digit).collect();
    let (day, time) = at.split_at_checked(8).unwrap_or((&at, ""));
    let said = said(&answer.receipt);
    text.push_str("<IDOC BEGIN=\"1\">\n");
    // Back from where it went to.
    segment(
        text,
        "EDI_DC40",
        &[
            ("TABNAM", "EDI_DC40"),
            ("MANDT", key("MANDT")),
            ("DIRECT", "2"),
            ("IDOCTYP", "SYSTAT01"),
            ("MESTYP", "STATUS"),
            ("SNDPOR", key("RCVPOR")),
            ("SNDPRT", "LS"),
            ("SNDPRN", key("RCVPRN")),
            ("RCVPOR", key("SNDPOR")),
            ("RCVPRT", key("SNDPRT")),
            ("RCVPRN", key("SNDPRN")),
            ("CREDAT", day),
            ("CRETIM", time),
        ],
    );
    segment(
        text,
        "E1STATS",
        &[
            ("TABNAM", "EDI_DS"),
            ("MANDT", key("MANDT")),
            ("DOCNUM", key("DOCNUM")),
            ("LOGDAT", day),
            ("LOGTIM", time),
            ("STATUS", status),
            ("UNAME", USER),
            ("STATXT", &said),
        ],
    );
    text.push_str("</IDOC>\n");
}

/// What happened, in the length of a status text.
fn said(receipt: &Receipt) -> String {
    let whole = match (&receipt.registration, receipt.findings.iter().find(|finding| Finding::is_error(finding))) {
        (Some(found), _) => format!("{} acknowledged as {}", receipt.state, found.ack_no),
        (None, Some(finding)) => match &finding.code {
            Some(code) => format!("{code} {}: {}", finding.path, finding.message),
            None => format!("{}: {}", finding.path, finding.message),
        },
        (None, None) => receipt.state.to_string(),
    };
    whole.chars().take(TEXT_MAX).collect()
}

fn segment(text: &mut String, name: &str, fields: &[(&str, &str)]) {
    // Writing into a text cannot fail.
    _ = write!(text, "<{name} SEGMENT=\"1\">");
    for (field, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        _ = write!(text, "<{field}>{}</{field}>", quick_xml::escape::escape(*value));
    }
    _ = writeln!(text, "</{name}>");
}

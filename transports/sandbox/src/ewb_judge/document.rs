//! The document of a bill: direction, kind, number and date.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::ewb_judge::supply;
use crate::ewb_wire::{field, text};
use crate::ist;
use crate::node::Node;

/// Start of the tax; nothing older moves under it.
const TAX_START: Date = date(2017, 7, 1);
/// Age in days beyond which a document gets no bill (since January 2025).
const DAYS_MAX: i64 = 180;

pub(super) fn judge(asked: &Node, now: Timestamp, codes: &mut Vec<&'static str>) {
    judge_kind(asked, codes);
    let number = text(asked, "docNo");
    let right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_');
    codes.extend((!(1..=16).contains(&number.len()) || !number.bytes().all(right)).then_some("206"));
    let today = ist::civil(now).date();
    match ist::document_date(&text(asked, "docDate")) {
        None => codes.push("207"),
        Some(day) if day > today => codes.push("207"),
        Some(day) if day < TAX_START => codes.push("819"),
        Some(day) => {
            codes.extend((today.duration_since(day).as_hours() / 24 > DAYS_MAX).then_some("820"));
            let transport = ist::document_date(&text(asked, "transDocDate"));
            codes.extend(transport.is_some_and(|transport| transport < day).then_some("362"));
        }
    }
}

fn judge_kind(asked: &Node, codes: &mut Vec<&'static str>) {
    let ((kind, sub_type), doc_type) = (supply(asked), text(asked, "docType"));
    let known_type = matches!(doc_type.as_str(), "INV" | "BIL" | "BOE" | "CHL" | "OTH");
    codes.extend((!known_type).then_some("204"));
    let admitted: Option<&[&str]> = match (kind.as_str(), sub_type.as_str()) {
        ("O", "1" | "3") | ("I", "1") => Some(&["INV", "BIL"]),
        ("O", "4" | "5" | "10" | "12") | ("I", "6" | "7") => Some(&["CHL"]),
        ("O", "9") => Some(&["INV", "BIL", "CHL"]),
        ("O", "8" | "11") | ("I", "5" | "8" | "12") => Some(&["CHL", "OTH"]),
        ("I", "2") => Some(&["BOE"]),
        ("I", "9") => Some(&["CHL", "OTH", "BOE", "INV", "BIL"]),
        _ => None,
    };
    match admitted {
        Some(types) => codes.extend((known_type && !types.contains(&doc_type.as_str())).then_some("205")),
        None if sub_type.parse::<u8>().is_ok_and(|code| (1..=12).contains(&code)) => codes.push("203"),
        None => codes.push("202"),
    }
    codes.extend((sub_type == "8" && field(asked, "subSupplyDesc").is_none()).then_some("377"));
}

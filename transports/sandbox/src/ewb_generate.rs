//! GENEWAYBILL: judge a request and enter a bill into the books.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::bills::{Bill, PartB};
use crate::ewb::distance_between;
use crate::ewb_wire::{Answered, Codes, field, is_state, is_vehicle, refuse_if, text};
use crate::exact::Exact;
use crate::ist;
use crate::journal::Event;
use crate::node::{Node, quoted};
use crate::portal::Portal;
use crate::registry::is_gstin;

/// Start of the tax; nothing older moves under it.
const TAX_START: Date = date(2017, 7, 1);
/// Age in days beyond which a document gets no bill (since January 2025).
const DOCUMENT_DAYS_MAX: i64 = 180;
const URP: &str = "URP";
const ABROAD_PIN: &str = "999999";
const ABROAD_STATE: &str = "99";

impl Portal {
    pub(crate) fn ewb_generate(&mut self, who: &str, asked: &Node, now: Timestamp) -> Answered {
        let mut codes = Vec::new();
        judge_parties(asked, who, &mut codes);
        judge_document(asked, now, &mut codes);
        judge_places(asked, &mut codes);
        judge_transaction(asked, &mut codes);
        judge_items(asked, &mut codes);
        judge_transport(asked, &mut codes);
        self.judge_standing(asked, now, &mut codes);
        codes.sort_unstable();
        codes.dedup();
        if !codes.is_empty() {
            return Err(Codes(codes.into_iter().map(str::to_owned).collect()));
        }
        let (doc_type, doc_no) = (text(asked, "docType"), text(asked, "docNo"));
        refuse_if(self.books.bills.all().any(|bill| same_document(bill, who, asked)), "604")?;
        let given = text(asked, "transDistance").parse::<u32>().unwrap_or_default();
        let pins = (text(asked, "fromPincode"), text(asked, "toPincode"));
        let computed = (given == 0).then(|| distance_between((&pins.0, &pins.1)));
        let mut bill = Bill {
            number: self.books.bills.next_number(),
            irn: None,
            generator: who.to_owned(),
            supply_type: text(asked, "supplyType"),
            doc_type,
            doc_no,
            doc_date: text(asked, "docDate"),
            from_gstin: text(asked, "fromGstin"),
            to_gstin: text(asked, "toGstin"),
            to_pin: pins.1,
            to_state: text(asked, "actToStateCode"),
            to_place: text(asked, "toPlace"),
            made_at: now,
            distance: computed.unwrap_or(given),
            oversize: text(asked, "vehicleType") == "O",
            valid_till: None,
            transporter: field(asked, "transporterId"),
            transporter_since: now,
            part_b: Vec::new(),
            groups: Vec::new(),
            extended: 0,
            cancelled_at: None,
            rejected_at: None,
            closed_at: None,
            document: asked.to_string(),
        };
        if let Some(mode) = field(asked, "transMode") {
            bill.enter(PartB {
                mode,
                vehicle: text(asked, "vehicleNo"),
                doc_no: text(asked, "transDocNo"),
                doc_date: text(asked, "transDocDate"),
                from_place: text(asked, "fromPlace"),
                from_state: text(asked, "actFromStateCode"),
                by: who.to_owned(),
                at: now,
                trip_sheet: None,
                group: None,
            });
        }
        let alert = computed.map(|km| format!("The distance between the pincodes {km} is used"));
        let reply = format!(
            r#"{{"ewayBillNo":{},"ewayBillDate":{},"validUpto":{},"alert":{}}}"#,
            bill.number,
            self.ewb_moment(now),
            self.ewb_valid(&bill),
            alert.map_or("null".to_owned(), |alert| quoted(&alert)),
        );
        self.record(Event::Bill(Box::new(bill)));
        Ok(reply)
    }

    /// What the registry has against the parties.
    fn judge_standing(&self, asked: &Node, now: Timestamp, codes: &mut Vec<&'static str>) {
        let (from, to) = (text(asked, "fromGstin"), text(asked, "toGstin"));
        if from != URP {
            match self.taxpayer(&from) {
                Some(entry) if entry.status == "ACT" => {
                    codes.extend((entry.block_status == "B").then_some("715"));
                    if entry.taxpayer_type == "COM" {
                        codes.extend((text(asked, "docType") == "INV").then_some("714"));
                        codes.extend((text(asked, "fromStateCode") != text(asked, "toStateCode")).then_some("703"));
                    }
                }
                _ => codes.push("208"),
            }
        }
        if to != URP && !self.taxpayer(&to).is_some_and(|entry| matches!(entry.status.as_str(), "ACT" | "SUS")) {
            codes.push("212");
        }
        let transporter = field(asked, "transporterId");
        codes.extend(transporter.is_some_and(|id| self.taxpayer(&id).is_none()).then_some("222"));
        let business = to != URP || text(asked, "subSupplyType") == "3";
        let enabled = self.settings.einvoice_enabled.contains(&from);
        if enabled && text(asked, "supplyType") == "O" && text(asked, "docType") == "INV" && business {
            codes.push("720");
        }
        let today = ist::civil(now).date();
        if self.settings.hold_is_over(today) && matches!(text(asked, "transactionType").as_str(), "2" | "4") {
            codes.extend(field(asked, "shipToGSTIN").is_none().then_some("608"));
            codes.extend(field(asked, "shipToTradeName").is_none().then_some("863"));
        }
    }
}

fn same_document(bill: &Bill, who: &str, asked: &Node) -> bool {
    let year = |text: &str| ist::document_date(text).map(ist::financial_year);
    bill.cancelled_at.is_none()
        && bill.generator == who
        && bill.doc_type == text(asked, "docType")
        && bill.doc_no.eq_ignore_ascii_case(&text(asked, "docNo"))
        && year(&bill.doc_date) == year(&text(asked, "docDate"))
}

fn judge_parties(asked: &Node, who: &str, codes: &mut Vec<&'static str>) {
    let (from, to) = (text(asked, "fromGstin"), text(asked, "toGstin"));
    codes.extend((from != URP && !is_gstin(&from)).then_some("208"));
    codes.extend((to != URP && !is_gstin(&to)).then_some("212"));
    codes.extend((from == URP && to == URP).then_some("822"));
    codes.extend(field(asked, "userGstin").is_some_and(|user| user != who).then_some("358"));
    match text(asked, "supplyType").as_str() {
        "O" => codes.extend((from != who).then_some("359")),
        "I" => codes.extend((to != who).then_some("360")),
        _ => codes.push("201"),
    }
    for (name, code) in [("fromTrdName", "229"), ("toTrdName", "231"), ("fromPlace", "230"), ("toPlace", "232")] {
        codes.extend(field(asked, name).is_none().then_some(code));
    }
}

fn judge_document(asked: &Node, now: Timestamp, codes: &mut Vec<&'static str>) {
    let (sub_type, doc_type) = (text(asked, "subSupplyType"), text(asked, "docType"));
    let known_type = matches!(doc_type.as_str(), "INV" | "BIL" | "BOE" | "CHL" | "OTH");
    codes.extend((!known_type).then_some("204"));
    let admitted: Option<&[&str]> = match (text(asked, "supplyType").as_str(), sub_type.as_str()) {
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
    let number = text(asked, "docNo");
    let right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_');
    codes.extend((!(1..=16).contains(&number.len()) || !number.bytes().all(right)).then_some("206"));
    let today = ist::civil(now).date();
    match ist::document_date(&text(asked, "docDate")) {
        None => codes.push("207"),
        Some(day) if day > today => codes.push("207"),
        Some(day) if day < TAX_START => codes.push("819"),
        Some(day) => {
            codes.extend((today.duration_since(day).as_hours() / 24 > DOCUMENT_DAYS_MAX).then_some("820"));
            let transport = ist::document_date(&text(asked, "transDocDate"));
            codes.extend(transport.is_some_and(|transport| transport < day).then_some("362"));
        }
    }
}

fn judge_places(asked: &Node, codes: &mut Vec<&'static str>) {
    for (pin, state, actual, bad) in [
        ("fromPincode", "fromStateCode", "actFromStateCode", ["210", "211", "371"]),
        ("toPincode", "toStateCode", "actToStateCode", ["214", "215", "372"]),
    ] {
        let [bad_pin, bad_state, bad_actual] = bad;
        let right_pin = text(asked, pin).parse::<u32>().is_ok_and(|pin| (100_000..=999_999).contains(&pin));
        codes.extend((!right_pin).then_some(bad_pin));
        codes.extend((!is_state(&text(asked, state))).then_some(bad_state));
        codes.extend((!is_state(&text(asked, actual))).then_some(bad_actual));
    }
    match (text(asked, "supplyType").as_str(), text(asked, "subSupplyType").as_str()) {
        ("O", "3") => {
            codes.extend((text(asked, "toStateCode") != ABROAD_STATE).then_some("373"));
            codes.extend((text(asked, "toPincode") != ABROAD_PIN).then_some("374"));
            codes.extend((text(asked, "toGstin") != URP).then_some("450"));
        }
        ("I", "2") => {
            codes.extend((text(asked, "fromStateCode") != ABROAD_STATE).then_some("375"));
            codes.extend((text(asked, "fromPincode") != ABROAD_PIN).then_some("376"));
            codes.extend((text(asked, "fromGstin") != URP).then_some("451"));
        }
        _ => {}
    }
    match text(asked, "transDistance").parse::<u32>() {
        Ok(0) if text(asked, "fromPincode") == text(asked, "toPincode") => codes.push("721"),
        Ok(0..=4000) => {}
        _ => codes.push("221"),
    }
}

fn judge_transaction(asked: &Node, codes: &mut Vec<&'static str>) {
    let kind = text(asked, "transactionType");
    let (dispatch, ship) = (field(asked, "dispatchFromGSTIN"), field(asked, "shipToGSTIN"));
    match kind.as_str() {
        "" => codes.push("614"),
        "1" => {
            codes.extend(dispatch.is_some().then_some("615"));
            codes.extend(ship.is_some().then_some("616"));
            codes.extend((text(asked, "fromStateCode") != text(asked, "actFromStateCode")).then_some("643"));
            codes.extend((text(asked, "toStateCode") != text(asked, "actToStateCode")).then_some("644"));
        }
        "2" | "3" | "4" => {
            let registered = |gstin: &Option<String>, other: &str| {
                gstin.as_deref().is_some_and(|gstin| gstin != URP && gstin == other)
            };
            codes.extend(registered(&dispatch, &text(asked, "fromGstin")).then_some("617"));
            codes.extend(registered(&ship, &text(asked, "toGstin")).then_some("618"));
            codes.extend((kind == "3" && ship.is_some()).then_some("864"));
        }
        _ => codes.push("612"),
    }
}

/// Items, rates and totals.
fn judge_items(asked: &Node, codes: &mut Vec<&'static str>) {
    let items = asked.list(&["itemList"]);
    if items.is_empty() {
        codes.push("233");
        return;
    }
    let within = text(asked, "fromStateCode") == text(asked, "toStateCode");
    let amount = |node: &Node, name: &str| field(node, name).and_then(|text| Exact::parse(&text)).unwrap_or_default();
    let mut goods = false;
    for item in items {
        let hsn = text(item, "hsnCode");
        let right = (4..=8).contains(&hsn.len()) && hsn.bytes().all(|byte| byte.is_ascii_digit());
        codes.extend((!right).then_some("216"));
        goods |= !hsn.starts_with("99");
        codes.extend(field(item, "taxableAmount").is_none().then_some("234"));
        let unit = field(item, "qtyUnit");
        codes.extend(unit.is_some_and(|unit| !UNITS.contains(&unit.as_str())).then_some("217"));
        let (central, state, inter) = (amount(item, "cgstRate"), amount(item, "sgstRate"), amount(item, "igstRate"));
        codes.extend((central != state).then_some("251"));
        codes.extend((within && inter > Exact::ZERO).then_some("218"));
        codes.extend((!within && (central > Exact::ZERO || state > Exact::ZERO)).then_some("219"));
    }
    codes.extend((!goods).then_some("724"));
    for (name, code) in [
        ("totalValue", "627"),
        ("totInvValue", "628"),
        ("igstValue", "629"),
        ("cgstValue", "630"),
        ("sgstValue", "631"),
        ("cessValue", "632"),
        ("cessNonAdvolValue", "633"),
    ] {
        codes.extend((amount(asked, name) < Exact::ZERO).then_some(code));
    }
    codes.extend((within && amount(asked, "igstValue") > Exact::ZERO).then_some("623"));
    let split = ["cgstValue", "sgstValue"].iter().any(|name| amount(asked, name) > Exact::ZERO);
    codes.extend((!within && split).then_some("624"));
    if field(asked, "totInvValue").is_none() {
        codes.push("640");
        return;
    }
    let parts = ["totalValue", "cgstValue", "sgstValue", "igstValue", "cessValue", "cessNonAdvolValue"];
    let sum: Exact = parts.iter().map(|name| amount(asked, name)).sum();
    // Other charges may be negative and lower the total.
    let other = amount(asked, "otherValue");
    let least = if other < Exact::ZERO { sum.minus(Exact::ZERO.minus(other)) } else { sum };
    codes.extend((amount(asked, "totInvValue") < least).then_some("620"));
}

fn judge_transport(asked: &Node, codes: &mut Vec<&'static str>) {
    let (vehicle, doc_no) = (text(asked, "vehicleNo"), text(asked, "transDocNo"));
    let (doc_date, vehicle_type) = (text(asked, "transDocDate"), text(asked, "vehicleType"));
    codes.extend((!vehicle.is_empty() && !is_vehicle(&vehicle)).then_some("225"));
    codes.extend((!matches!(vehicle_type.as_str(), "" | "R" | "O")).then_some("361"));
    codes.extend((!doc_date.is_empty() && ist::document_date(&doc_date).is_none()).then_some("224"));
    match text(asked, "transMode").as_str() {
        "" => {
            codes.extend((!vehicle.is_empty()).then_some("621"));
            codes.extend((!doc_no.is_empty()).then_some("622"));
            codes.extend(field(asked, "transporterId").is_none().then_some("619"));
        }
        "1" => codes.extend(vehicle.is_empty().then_some("303")),
        "2" | "3" => {
            codes.extend(doc_no.is_empty().then_some("394"));
            codes.extend(doc_date.is_empty().then_some("385"));
            codes.extend((vehicle_type == "O").then_some("634"));
        }
        "4" => {
            codes.extend((vehicle_type == "R").then_some("726"));
            codes.extend((vehicle.is_empty() && doc_no.is_empty()).then_some("727"));
            codes.extend((!doc_no.is_empty() && doc_date.is_empty()).then_some("729"));
        }
        _ => codes.push("220"),
    }
}

/// The units of quantity.
const UNITS: [&str; 46] = [
    "BAG", "BAL", "BDL", "BKL", "BOU", "BOX", "BTL", "BUN", "CAN", "CBM", "CCM", "CMS", "CTN", "DOZ", "DRM", "GGK",
    "GMS", "GRS", "GYD", "KGS", "KLR", "KME", "LTR", "MLT", "MTR", "MTS", "NOS", "OTH", "PAC", "PCS", "PRS", "QTL",
    "ROL", "SET", "SQF", "SQM", "SQY", "TBS", "TGM", "THD", "TON", "TUB", "UGS", "UNT", "YDS", "NA",
];

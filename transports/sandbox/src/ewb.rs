//! The e-way bill part of a registration: made beside the IRN, never able to refuse it.

use jiff::Timestamp;

use crate::bills::{Bill, PartB};
use crate::ewb_irn_judge::judge;
use crate::ewb_wire::{field, text};
use crate::node::{Node, quoted};
use crate::settings::PortalSettings;
use crate::wire::{CodeText, errors_json};

/// What came of `EwbDtls`.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) bill: Option<Bill>,
    /// `InfoDtls` entry as JSON, when something is to be said.
    pub(crate) info: Option<String>,
    /// Distance the portal computed, in kilometres.
    pub(crate) computed_distance: Option<u32>,
}

/// For whom a bill is made, when, where and under which number.
#[derive(Debug)]
pub(crate) struct Maker<'a> {
    pub(crate) generator: String,
    pub(crate) irn: String,
    pub(crate) number: u64,
    /// Whether the sender may make none.
    pub(crate) blocked: bool,
    /// The bill that the e-way bill system made for the document.
    pub(crate) other_bill: Option<u64>,
    pub(crate) settings: &'a PortalSettings,
    pub(crate) now: Timestamp,
}

/// Tries to make an e-way bill for a document by what `request` says of the transport.
pub(crate) fn make(document: &Node, request: &Node, maker: &Maker<'_>) -> Outcome {
    let errors = all_refusals(document, request, maker);
    if !errors.is_empty() {
        let info = format!(r#"{{"InfCd":"EWBERR","Desc":{}}}"#, errors_json(&errors));
        return Outcome { info: Some(info), ..Outcome::default() };
    }
    let given = request.number(&["Distance"]).and_then(|distance| distance.parse::<u32>().ok()).unwrap_or_default();
    let computed = (given == 0).then(|| distance_between(pins(document)));
    let distance = computed.unwrap_or(given);
    Outcome { bill: Some(bill(document, request, maker, distance)), info: None, computed_distance: computed }
}

/// Everything that stands in the way of a bill.
pub(crate) fn all_refusals(document: &Node, request: &Node, maker: &Maker<'_>) -> Vec<CodeText> {
    let mut codes = judge(document, request, maker);
    codes.extend(maker.blocked.then_some("4015"));
    let mut errors: Vec<_> = codes.into_iter().map(CodeText::of).collect();
    errors.extend(maker.other_bill.map(duplicate));
    errors
}

/// The refusal that names the bill there is.
pub(crate) fn duplicate(number: u64) -> CodeText {
    let message = format!("Duplicate EwayBill for the given document numer, EwbNo - ({number})");
    CodeText { code: "4026".to_owned(), message }
}

fn bill(document: &Node, request: &Node, maker: &Maker<'_>, distance: u32) -> Bill {
    let at = |sections: [&str; 2], name: &str| {
        sections.iter().find_map(|section| Some(text(document.get(section)?, name)).filter(|text| !text.is_empty()))
    };
    let to = ["ShipDtls", "BuyerDtls"];
    let of = |section: &str, name: &str| at([section, section], name).unwrap_or_default();
    let mut bill = Bill {
        number: maker.number,
        irn: Some(maker.irn.clone()),
        site: maker.settings.site.clone(),
        generator: maker.generator.clone(),
        supply_type: "O".to_owned(),
        doc_type: of("DocDtls", "Typ").to_ascii_uppercase(),
        doc_no: of("DocDtls", "No"),
        doc_date: of("DocDtls", "Dt"),
        from_gstin: of("SellerDtls", "Gstin"),
        to_gstin: of("BuyerDtls", "Gstin"),
        to_pin: at(to, "Pin").unwrap_or_default(),
        to_state: at(to, "Stcd").unwrap_or_default(),
        to_place: at(to, "Loc").unwrap_or_default(),
        made_at: maker.now,
        distance,
        oversize: text(request, "VehType") == "O",
        valid_till: None,
        transporter: field(request, "TransId"),
        transporter_since: maker.now,
        part_b: Vec::new(),
        groups: Vec::new(),
        extended: 0,
        cancelled_at: None,
        rejected_at: None,
        closed_at: None,
        verified_at: None,
        document: translated(document, request).to_string(),
    };
    if let Some(mode) = field(request, "TransMode") {
        bill.enter(PartB {
            mode,
            vehicle: text(request, "VehNo"),
            doc_no: text(request, "TransDocNo"),
            doc_date: text(request, "TransDocDt"),
            from_place: at(["DispDtls", "SellerDtls"], "Loc").unwrap_or_default(),
            from_state: at(["DispDtls", "SellerDtls"], "Stcd").unwrap_or_default(),
            by: maker.generator.clone(),
            at: maker.now,
            trip_sheet: None,
            group: None,
        });
    }
    bill
}

/// An invoice in the names of the e-way bill system, as a read of the bill gives it back.
fn translated(document: &Node, request: &Node) -> Node {
    let copy = |section: &str, name: &str| document.at(&[section, name]).cloned().unwrap_or(Node::Null);
    let first = |sections: [&str; 2], name: &str| {
        sections.iter().find_map(|section| document.at(&[section, name]).cloned()).unwrap_or(Node::Null)
    };
    let (from, to) = (["DispDtls", "SellerDtls"], ["ShipDtls", "BuyerDtls"]);
    let plain = |text: &str| Node::Text(text.to_owned());
    let number = |value: Node| match value {
        Node::Text(text) => Node::Number(text.parse::<u64>().unwrap_or_default().to_string()),
        Node::Null => Node::Number("0".to_owned()),
        other => other,
    };
    let value = |name: &str| number(copy("ValDtls", name));
    let kind = match (document.get("DispDtls").is_some(), document.get("ShipDtls").is_some()) {
        (false, false) => "1",
        (false, true) => "2",
        (true, false) => "3",
        (true, true) => "4",
    };
    let export = document.text(&["TranDtls", "SupTyp"]).is_some_and(|supply| supply.starts_with("EXP"));
    let items = document.list(&["ItemList"]).iter().map(|item| {
        let get = |name: &str| item.get(name).cloned().unwrap_or(Node::Null);
        let rate = number(get("GstRt"));
        let inter = item
            .get("IgstAmt")
            .and_then(|_| item.number(&["IgstAmt"]))
            .is_some_and(|amount| amount != "0" && amount != "0.0");
        let zero = || Node::Number("0".to_owned());
        let half = match &rate {
            Node::Number(rate) => {
                crate::exact::Exact::parse(rate).map_or_else(zero, |rate| Node::Number(rate.half().to_string()))
            }
            _ => zero(),
        };
        let (central, inter) = if inter { (zero(), rate) } else { (half, zero()) };
        object([
            ("productName", get("PrdDesc")),
            ("productDesc", get("PrdDesc")),
            ("hsnCode", get("HsnCd")),
            ("quantity", number(get("Qty"))),
            ("qtyUnit", get("Unit")),
            ("cgstRate", central.clone()),
            ("sgstRate", central),
            ("igstRate", inter),
            ("cessRate", number(get("CesRt"))),
            ("cessNonAdvol", number(get("CesNonAdvlAmt"))),
            ("taxableAmount", number(get("AssAmt"))),
        ])
    });
    object([
        ("supplyType", plain("O")),
        ("subSupplyType", plain(if export { "3" } else { "1" })),
        ("docType", copy("DocDtls", "Typ")),
        ("docNo", copy("DocDtls", "No")),
        ("docDate", copy("DocDtls", "Dt")),
        ("fromGstin", copy("SellerDtls", "Gstin")),
        ("fromTrdName", copy("SellerDtls", "LglNm")),
        ("fromAddr1", first(from, "Addr1")),
        ("fromAddr2", first(from, "Addr2")),
        ("fromPlace", first(from, "Loc")),
        ("fromPincode", first(from, "Pin")),
        ("fromStateCode", number(copy("SellerDtls", "Stcd"))),
        ("toGstin", copy("BuyerDtls", "Gstin")),
        ("toTrdName", copy("BuyerDtls", "LglNm")),
        ("toAddr1", first(to, "Addr1")),
        ("toAddr2", first(to, "Addr2")),
        ("toPlace", first(to, "Loc")),
        ("toPincode", first(to, "Pin")),
        ("toStateCode", number(copy("BuyerDtls", "Stcd"))),
        ("totalValue", value("AssVal")),
        ("totInvValue", value("TotInvVal")),
        ("cgstValue", value("CgstVal")),
        ("sgstValue", value("SgstVal")),
        ("igstValue", value("IgstVal")),
        ("cessValue", value("CesVal")),
        ("cessNonAdvolValue", Node::Number("0".to_owned())),
        ("otherValue", value("OthChrg")),
        ("transporterName", request.get("TransName").cloned().unwrap_or_else(|| plain(""))),
        ("vehicleType", request.get("VehType").cloned().unwrap_or_else(|| plain(""))),
        ("actFromStateCode", number(first(from, "Stcd"))),
        ("actToStateCode", number(first(to, "Stcd"))),
        ("transactionType", Node::Number(kind.to_owned())),
        ("itemList", Node::List(items.collect())),
    ])
}

fn object<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The `InfoDtls` entry for a computed distance.
pub(crate) fn distance_info(distance: u32) -> String {
    format!(r#"{{"InfCd":"EWBPPD","Desc":{}}}"#, quoted(&distance_text(distance)))
}

/// The portal's words for a computed distance.
pub(crate) fn distance_text(distance: u32) -> String {
    format!("Pin-Pin calc distance: {distance}KM")
}

/// Where the goods leave and where they go.
pub(crate) fn pins(document: &Node) -> (&str, &str) {
    let pin = |sections: [&str; 2]| {
        sections.iter().find_map(|section| document.number(&[section, "Pin"])).unwrap_or_default()
    };
    (pin(["DispDtls", "SellerDtls"]), pin(["ShipDtls", "BuyerDtls"]))
}

/// An invented distance: the portal's table of distances is not public. It depends on the two PINs
/// alone and lies in 1 to 4000.
pub(crate) fn distance_between((from, to): (&str, &str)) -> u32 {
    let number = |pin: &str| pin.parse::<u32>().unwrap_or_default();
    (number(from).abs_diff(number(to)) / 150).clamp(1, 4000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(ewb: &str) -> Outcome {
        let document = format!(
            r#"{{"DocDtls":{{"Typ":"INV","Dt":"05/11/2026"}},"TranDtls":{{"SupTyp":"B2B"}},"SellerDtls":{{"Pin":560001}},
                "BuyerDtls":{{"Pin":400001}},"ItemList":[{{"IsServc":"N"}}],"EwbDtls":{ewb}}}"#
        );
        let document = Node::parse(document.as_bytes()).unwrap();
        let now = "2026-11-05T06:30:00Z".parse().unwrap();
        let maker = Maker {
            generator: String::new(),
            irn: String::new(),
            number: 391_000_000_001,
            blocked: false,
            other_bill: None,
            settings: &PortalSettings::default(),
            now,
        };
        make(&document, document.get("EwbDtls").unwrap(), &maker)
    }

    #[test]
    fn part_a_alone_has_no_validity() {
        let outcome = made(r#"{"TransId":"29AABCE1234F1Z1","Distance":100}"#);
        assert_eq!(outcome.bill.unwrap().valid_till, None);
    }

    #[test]
    fn distance_zero_is_computed_and_told() {
        let outcome = made(r#"{"TransMode":"1","VehNo":"KA01AB1234","VehType":"R","Distance":0}"#);
        assert_eq!(outcome.computed_distance, Some(1066));
        assert!(outcome.bill.unwrap().valid_till.is_some());
    }

    #[test]
    fn a_road_transport_without_vehicle_fails_with_both_codes() {
        let info = made(r#"{"TransMode":"1","Distance":10}"#).info.unwrap();
        assert!(info.contains("EWBERR") && info.contains("4011") && info.contains("4022"), "{info}");
    }
}

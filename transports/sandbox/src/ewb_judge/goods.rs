//! Items, rates and totals.

use crate::ewb_judge::URP;
use crate::ewb_wire::{field, text};
use crate::exact::Exact;
use crate::node::Node;
use crate::portal::Portal;

/// The parts of a total.
const PARTS: [&str; 6] = ["totalValue", "cgstValue", "sgstValue", "igstValue", "cessValue", "cessNonAdvolValue"];

/// Which tax a supply bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tax {
    /// Both ends in one state: central and state tax.
    Within,
    /// Two states: integrated tax.
    Between,
    /// A special economic zone at one end: integrated tax wherever it lies.
    SpecialZone,
}

impl Portal {
    pub(super) fn judge_goods(&self, asked: &Node, codes: &mut Vec<&'static str>) {
        let items = asked.list(&["itemList"]);
        if items.is_empty() {
            codes.push("233");
            return;
        }
        let sez =
            |party: &str| Some(text(asked, party)).filter(|gstin| gstin != URP).is_some_and(|it| self.is_sez(&it));
        let tax = match text(asked, "fromStateCode") == text(asked, "toStateCode") {
            _ if sez("fromGstin") || sez("toGstin") => Tax::SpecialZone,
            true => Tax::Within,
            false => Tax::Between,
        };
        let from = self.taxpayer(&text(asked, "fromGstin"));
        let long_codes = from.is_some_and(|entry| entry.turnover_above_5_crore);
        for item in items {
            judge_item(item, long_codes, codes);
            judge_rates(item, tax, codes);
        }
        codes.extend(items.iter().all(|item| text(item, "hsnCode").starts_with("99")).then_some("724"));
        judge_totals(asked, tax, codes);
        if field(asked, "totInvValue").is_none() {
            codes.push("640");
            return;
        }
        let total = amount(asked, "totInvValue");
        let low = total < least(asked, PARTS.iter().map(|name| amount(asked, name)).sum());
        // A rupee either way is admitted where this portal multiplies itself.
        let by_items = least(asked, of_items(items));
        let low_by_items = self.settings.ewb_totals_from_items && total < by_items && !by_items.admits(total);
        codes.extend((low || low_by_items).then_some("620"));
    }
}

/// Whether an item bears any tax.
pub(super) fn has_tax(asked: &Node) -> bool {
    let taxed = |item: &Node| ["cgstRate", "sgstRate", "igstRate"].iter().any(|rate| amount(item, rate) > Exact::ZERO);
    asked.list(&["itemList"]).iter().any(taxed)
}

fn amount(node: &Node, name: &str) -> Exact {
    field(node, name).and_then(|text| Exact::parse(&text)).unwrap_or_default()
}

/// The least total above these parts: other charges may be negative and lower it.
fn least(asked: &Node, parts: Exact) -> Exact {
    let other = amount(asked, "otherValue");
    if other < Exact::ZERO { [parts, other].into_iter().sum() } else { parts }
}

/// Taxable values of the items and the taxes on them.
fn of_items(items: &[Node]) -> Exact {
    let with_tax = |item: &Node| -> Exact {
        let taxable = amount(item, "taxableAmount");
        let rates = ["cgstRate", "sgstRate", "igstRate", "cessRate"];
        [taxable].into_iter().chain(rates.map(|rate| taxable.percent(amount(item, rate)))).sum()
    };
    items.iter().map(with_tax).sum()
}

fn judge_item(item: &Node, long_codes: bool, codes: &mut Vec<&'static str>) {
    let hsn = text(item, "hsnCode");
    let digits = !hsn.is_empty() && hsn.bytes().all(|byte| byte.is_ascii_digit());
    match hsn.len() {
        _ if !digits => codes.push("216"),
        0..=3 => codes.push("282"),
        4 | 5 if long_codes => codes.push("283"),
        4..=8 => {}
        _ => codes.push("216"),
    }
    codes.extend(field(item, "taxableAmount").is_none().then_some("234"));
    let unit = field(item, "qtyUnit");
    codes.extend(unit.is_some_and(|unit| !UNITS.contains(&unit.as_str())).then_some("217"));
}

fn judge_rates(item: &Node, tax: Tax, codes: &mut Vec<&'static str>) {
    for (name, code) in
        [("cgstRate", "252"), ("sgstRate", "253"), ("igstRate", "254"), ("cessRate", "255"), ("cessNonAdvol", "256")]
    {
        codes.extend((amount(item, name) < Exact::ZERO).then_some(code));
    }
    let (central, state, inter) = (amount(item, "cgstRate"), amount(item, "sgstRate"), amount(item, "igstRate"));
    codes.extend((central != state).then_some("251"));
    let split = central > Exact::ZERO || state > Exact::ZERO;
    match tax {
        Tax::Within => codes.extend((inter > Exact::ZERO).then_some("218")),
        Tax::Between => codes.extend(split.then_some("219")),
        Tax::SpecialZone => codes.extend(split.then_some("378")),
    }
}

fn judge_totals(asked: &Node, tax: Tax, codes: &mut Vec<&'static str>) {
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
    let has = |name: &str| amount(asked, name) > Exact::ZERO;
    codes.extend((tax == Tax::Within && has("igstValue")).then_some("623"));
    codes.extend((tax != Tax::Within && (has("cgstValue") || has("sgstValue"))).then_some("624"));
}

/// The units of quantity.
const UNITS: [&str; 46] = [
    "BAG", "BAL", "BDL", "BKL", "BOU", "BOX", "BTL", "BUN", "CAN", "CBM", "CCM", "CMS", "CTN", "DOZ", "DRM", "GGK",
    "GMS", "GRS", "GYD", "KGS", "KLR", "KME", "LTR", "MLT", "MTR", "MTS", "NOS", "OTH", "PAC", "PCS", "PRS", "QTL",
    "ROL", "SET", "SQF", "SQM", "SQY", "TBS", "TGM", "THD", "TON", "TUB", "UGS", "UNT", "YDS", "NA",
];

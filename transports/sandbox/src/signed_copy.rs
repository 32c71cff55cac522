//! What the portal signs: the copy of the document and the claims of the QR code.
//!
//! The copy is no echo: it gains `ItemNo`, loses bank and payment-term members and most contract
//! references, and re-renders amounts (seen in published tokens).

use jiff::Timestamp;

use crate::exact::Exact;
use crate::faults::Fault;
use crate::ist;
use crate::node::Node;

/// Members of `PayDtls` that the signed copy leaves out.
const PAYMENT_DROPPED: [&str; 6] = ["AccDet", "FinInsBr", "PayTerm", "PayInstr", "CrTrn", "DirDr"];
/// The one contract reference seen in a signed copy.
const CONTRACT_KEPT: &str = "RecAdvDt";

/// The `data` text of the signed invoice. Its `AckDt` keeps seconds.
pub(crate) fn invoice_data(document: &Node, irn: &str, ack_no: u64, at: Timestamp) -> String {
    let mut members = vec![
        ("AckNo".to_owned(), Node::Number(ack_no.to_string())),
        ("AckDt".to_owned(), Node::Text(ist::stamp(at))),
        ("Irn".to_owned(), Node::Text(irn.to_owned())),
    ];
    if let Node::Object(sections) = document {
        members
            .extend(sections.iter().filter_map(|(name, section)| Some((name.clone(), section_copy(name, section)?))));
    }
    Node::Object(members).to_string()
}

/// The `data` text of the signed QR code.
pub(crate) fn qr_data(document: &Node, irn: &str, at: Timestamp) -> String {
    let text = |path: &[&str]| Node::Text(document.text(path).unwrap_or_default().to_owned());
    let total = document.number(&["ValDtls", "TotInvVal"]).unwrap_or("0");
    let items = document.list(&["ItemList"]);
    let members = [
        ("SellerGstin", text(&["SellerDtls", "Gstin"])),
        ("BuyerGstin", text(&["BuyerDtls", "Gstin"])),
        ("DocNo", text(&["DocDtls", "No"])),
        ("DocTyp", Node::Text(document.text(&["DocDtls", "Typ"]).unwrap_or_default().to_ascii_uppercase())),
        ("DocDt", text(&["DocDtls", "Dt"])),
        ("TotInvVal", Node::Number(rendered(total))),
        ("ItemCnt", Node::Number(items.len().to_string())),
        ("MainHsnCode", Node::Text(main_hsn(items))),
        ("Irn", Node::Text(irn.to_owned())),
        ("IrnDt", Node::Text(ist::stamp(at))),
    ];
    Node::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).to_string()
}

/// The `data` text of a signed part as a fault changes it: of another document, or with another total.
pub(crate) fn twisted(data: &str, fault: &Fault) -> Option<String> {
    let mut copy = Node::parse(data.as_bytes()).ok()?;
    if *fault == Fault::OtherAmount {
        let invoice = copy.get("ValDtls").is_some();
        let path: &[&str] = if invoice { &["ValDtls", "TotInvVal"] } else { &["TotInvVal"] };
        let total = Exact::parse(copy.number(path)?)?;
        copy.replace(path, Node::Number(rendered(&total.minus(Exact::parse("-1")?).to_string())));
        return Some(copy.to_string());
    }
    let irn: String = copy.text(&["Irn"])?.chars().rev().collect();
    copy.replace(&["Irn"], Node::Text(irn));
    let path: &[&str] = if copy.get("DocDtls").is_some() { &["DocDtls", "No"] } else { &["DocNo"] };
    let number = format!("{}9", copy.text(path)?);
    copy.replace(path, Node::Text(number));
    Some(copy.to_string())
}

/// HSN of the item with the greatest taxable value; of equals, the first.
fn main_hsn(items: &[Node]) -> String {
    let mut main: Option<(Exact, &str)> = None;
    for item in items {
        let value = item.number(&["AssAmt"]).and_then(Exact::parse).unwrap_or_default();
        if main.is_none_or(|(greatest, _)| value > greatest) {
            main = Some((value, item.text(&["HsnCd"]).unwrap_or_default()));
        }
    }
    main.map(|(_, hsn)| hsn.to_owned()).unwrap_or_default()
}

fn section_copy(name: &str, section: &Node) -> Option<Node> {
    Some(match (name, section) {
        ("ItemList", Node::List(items)) => Node::List(items.iter().map(item_copy).collect()),
        ("ValDtls", Node::Object(members)) => Node::Object(rendered_members(members)),
        ("PayDtls", Node::Object(members)) => {
            let kept = members.iter().filter(|(name, _)| !PAYMENT_DROPPED.contains(&name.as_str())).cloned();
            let kept: Vec<_> = kept.collect();
            if kept.is_empty() {
                return None;
            }
            Node::Object(kept)
        }
        ("RefDtls", Node::Object(members)) => Node::Object(members.iter().filter_map(reference_copy).collect()),
        _ => section.clone(),
    })
}

fn reference_copy((name, value): &(String, Node)) -> Option<(String, Node)> {
    let Node::List(entries) = value else { return Some((name.clone(), value.clone())) };
    if name != "ContrDtls" {
        return Some((name.clone(), value.clone()));
    }
    let kept = entries.iter().filter_map(|entry| {
        let date = entry.get(CONTRACT_KEPT)?.clone();
        Some(Node::Object(vec![(CONTRACT_KEPT.to_owned(), date)]))
    });
    let kept: Vec<_> = kept.collect();
    (!kept.is_empty()).then(|| (name.clone(), Node::List(kept)))
}

fn item_copy(item: &Node) -> Node {
    let Node::Object(members) = item else { return item.clone() };
    let mut copy = vec![("ItemNo".to_owned(), Node::Number("0".to_owned()))];
    copy.extend(rendered_members(members));
    Node::Object(copy)
}

fn rendered_members(members: &[(String, Node)]) -> Vec<(String, Node)> {
    let render = |(name, value): &(String, Node)| match value {
        Node::Number(number) => (name.clone(), Node::Number(rendered(number))),
        other => (name.clone(), other.clone()),
    };
    members.iter().map(render).collect()
}

/// A number as the portal writes it: `100` and `100.00` become `100.0`, zero stays `0`.
fn rendered(number: &str) -> String {
    let Some(value) = Exact::parse(number) else { return number.to_owned() };
    let text = value.to_string();
    if value.is_zero() || text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Node {
        Node::parse(
            br#"{"Version":"1.1","DocDtls":{"Typ":"inv","No":"a/1","Dt":"05/11/2026"},
                "ItemList":[{"HsnCd":"1006","AssAmt":10.50},{"HsnCd":"2106","AssAmt":100}],
                "ValDtls":{"TotInvVal":110.50,"RndOffAmt":0},
                "PayDtls":{"Nm":"x","AccDet":"1","PaidAmt":5},
                "RefDtls":{"InvRm":"note","ContrDtls":[{"PORefr":"7"}]}}"#,
        )
        .unwrap()
    }

    #[test]
    fn the_signed_copy_adds_drops_and_re_renders_as_seen_in_published_tokens() {
        let data = invoice_data(&document(), "ab", 112_600_000_000_001, "2026-11-05T06:30:05Z".parse().unwrap());
        assert_eq!(
            data,
            r#"{"AckNo":112600000000001,"AckDt":"2026-11-05 12:00:05","Irn":"ab","Version":"1.1","DocDtls":{"Typ":"inv","No":"a/1","Dt":"05/11/2026"},"ItemList":[{"ItemNo":0,"HsnCd":"1006","AssAmt":10.5},{"ItemNo":0,"HsnCd":"2106","AssAmt":100.0}],"ValDtls":{"TotInvVal":110.5,"RndOffAmt":0},"PayDtls":{"Nm":"x","PaidAmt":5},"RefDtls":{"InvRm":"note"}}"#
        );
    }

    #[test]
    fn the_qr_names_the_hsn_with_the_greatest_taxable_value() {
        let data = qr_data(&document(), "ab", "2026-11-05T06:30:05Z".parse().unwrap());
        assert!(data.contains(r#""DocTyp":"INV""#) && data.contains(r#""MainHsnCode":"2106""#), "{data}");
        assert!(data.contains(r#""TotInvVal":110.5,"ItemCnt":2"#), "{data}");
    }
}

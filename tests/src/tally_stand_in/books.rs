//! The companies that are open in the stand-in: their masters and vouchers, and what an import does.

use std::collections::{BTreeMap, BTreeSet};

use super::node::Node;

/// Lists without which a voucher is no whole voucher, and with which an alteration makes a second one.
const WHOLE_VOUCHER: [&str; 5] = [
    "ALLLEDGERENTRIES.LIST",
    "LEDGERENTRIES.LIST",
    "ALLINVENTORYENTRIES.LIST",
    "INVENTORYENTRIES.LIST",
    "INVENTORYALLOCATIONS.LIST",
];

/// One company.
#[derive(Debug, Clone)]
pub(super) struct Company {
    pub(super) name: String,
    pub(super) guid: String,
    pub(super) masters: Vec<Node>,
    pub(super) masters_altered: u64,
    pub(super) vouchers: BTreeMap<u64, Node>,
    pub(super) vouchers_altered: u64,
    /// Copies of each voucher that the day book of a day holds.
    pub(super) copies: BTreeMap<String, u64>,
}

/// What Tally does with one voucher of an import.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub(super) created: u64,
    pub(super) altered: u64,
    pub(super) errors: u64,
    pub(super) last: u64,
    pub(super) line_error: Option<String>,
}

/// How an import goes wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Wrong {
    pub(super) second_voucher: bool,
    pub(super) ignored: BTreeSet<String>,
    pub(super) renumbers: bool,
    /// The QR text is kept only where a company state stands between it and the IRN.
    pub(super) picky_about_order: bool,
}

impl Company {
    /// A company with what an export holds.
    pub(super) fn from_export(name: &str, export: &str) -> Option<Self> {
        let root = Node::parse(&without_references(export))?;
        let mut messages = Vec::new();
        root.all("TALLYMESSAGE", &mut messages);
        let (vouchers, masters): (Vec<&Node>, Vec<&Node>) =
            messages.into_iter().flat_map(|message| &message.children).partition(|node| node.name == "VOUCHER");
        let mut masters: Vec<Node> = masters.into_iter().cloned().collect();
        for company in masters.iter_mut().filter(|master| master.name == "COMPANY") {
            company.attributes.retain(|(key, _)| key != "NAME");
            company.attributes.push(("NAME".to_owned(), name.to_owned()));
        }
        let by_id: BTreeMap<u64, Node> =
            vouchers.into_iter().map(|voucher| (number(voucher.get("MASTERID")), voucher.clone())).collect();
        let vouchers_altered = by_id.values().map(|voucher| number(voucher.get("ALTERID"))).max().unwrap_or(0);
        let guid = by_id.values().next().and_then(|voucher| voucher.get("GUID").get(..36)).unwrap_or_default();
        Some(Self {
            name: name.to_owned(),
            guid: guid.to_owned(),
            masters,
            masters_altered: 100,
            vouchers: by_id,
            vouchers_altered,
            copies: BTreeMap::new(),
        })
    }

    /// Copies a voucher under an identity of its own.
    pub(super) fn copy(&mut self, master_id: u64) {
        let Some(mut copy) = self.vouchers.get(&master_id).cloned() else { return };
        let new = self.vouchers.keys().max().copied().unwrap_or(0) + 1;
        copy.put(Node::field("MASTERID", format!(" {new}")));
        copy.put(Node::field("GUID", format!("{}-{new:08x}", self.guid)));
        copy.put(Node::field("VOUCHERNUMBER", format!("C/{new}")));
        self.vouchers.insert(new, copy);
        self.touch(new);
    }

    /// Counts a change of a voucher.
    pub(super) fn touch(&mut self, master_id: u64) {
        self.vouchers_altered += 1;
        let number = self.vouchers_altered;
        if let Some(voucher) = self.vouchers.get_mut(&master_id) {
            voucher.put(Node::field("ALTERID", format!(" {number}")));
        }
    }

    /// What Tally does with one voucher element of an import request.
    pub(super) fn import(&mut self, sent: &Node, wrong: &Wrong) -> Imported {
        let fails = |text: &str| Imported { errors: 1, line_error: Some(text.to_owned()), ..Imported::default() };
        if sent.attribute("ACTION") != Some("Alter") {
            return fails("No accounting or inventory entries present!");
        }
        if sent.attribute("DATE").is_none() && sent.child("DATE").is_none() {
            return fails("Voucher date is missing");
        }
        let selector = sent.attribute("TAGNAME").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
        if selector != "masterid" {
            return fails("Voucher does not exist!");
        }
        let id = number(sent.attribute("TAGVALUE").unwrap_or_default());
        let Some(stored) = self.vouchers.get(&id) else { return fails("Voucher does not exist!") };
        let whole = sent.children.iter().any(|child| WHOLE_VOUCHER.contains(&child.name.as_str()));
        if whole || wrong.second_voucher {
            let mut second = stored.clone();
            let new = self.vouchers.keys().max().copied().unwrap_or(0) + 1;
            apply(&mut second, sent, wrong);
            second.put(Node::field("MASTERID", format!(" {new}")));
            second.put(Node::field("GUID", format!("{}-{new:08x}", self.guid)));
            self.vouchers.insert(new, second);
            self.touch(new);
            return Imported { created: 1, last: new, ..Imported::default() };
        }
        if let Some(stored) = self.vouchers.get_mut(&id) {
            apply(stored, sent, wrong);
        }
        self.touch(id);
        Imported { altered: 1, last: id, ..Imported::default() }
    }
}

/// Puts the sent fields into a stored voucher. A list that is sent replaces the stored one.
fn apply(stored: &mut Node, sent: &Node, wrong: &Wrong) {
    let names: Vec<&str> = sent.children.iter().map(|child| child.name.as_str()).collect();
    let at = |name: &str| names.iter().position(|found| *found == name);
    let neighbours = at("IRN").zip(at("IRNQRCODE")).is_some_and(|(irn, qr)| irn.abs_diff(qr) == 1);
    // What integrators saw: the QR text is dropped without this word, and beside the IRN.
    let keeps_qr = sent.get("RESETIRNQRCODE") == "No" && !neighbours;
    let long_enough = !wrong.picky_about_order || at("CONSIGNEECOUNTRYNAME").is_some();
    let mut replaced = BTreeSet::new();
    for child in &sent.children {
        if wrong.ignored.contains(&child.name) || child.name == "IRNQRCODE" && !(keeps_qr && long_enough) {
            continue;
        }
        if child.name == "RESETIRNQRCODE" {
            continue;
        }
        if replaced.insert(child.name.as_str()) {
            stored.put(child.clone());
        } else {
            stored.children.push(child.clone());
        }
    }
    if wrong.renumbers {
        let renumbered = format!("{}-R", stored.get("VOUCHERNUMBER"));
        stored.put(Node::field("VOUCHERNUMBER", renumbered));
    }
}

/// A number as Tally writes it.
pub(super) fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

/// Raw control characters, which no reader of XML takes, as Tally's reference to them.
pub(super) fn without_references(export: &str) -> String {
    export.trim_start_matches('\u{FEFF}').replace('\u{4}', "&#4;")
}

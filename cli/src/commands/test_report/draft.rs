//! Documents of a run: right by construction, with every total made of its lines, and then changed in one place.

use einvoice_core::document::SupplyType;
use einvoice_core::key::DocumentType;
use serde_json::{Map, Value, json};

use super::case::Edit;
use super::context::{Context, Party};

/// Where the supply goes, by the tax it bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// To another state: IGST.
    Between,
    /// Within the supplier's state: CGST and SGST.
    Within,
    /// Within it, with IGST all the same.
    WithinWithIgst,
}

/// A line. Amounts are paise, rates hundredths of a per cent, so that everything here is whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) service: bool,
    pub(super) hsn: &'static str,
    pub(super) unit: &'static str,
    pub(super) quantity: i64,
    pub(super) price: i64,
    pub(super) rate: i64,
    pub(super) discount: i64,
    pub(super) other: i64,
    pub(super) cess_rate: i64,
    pub(super) cess: i64,
    pub(super) state_cess_rate: i64,
    pub(super) state_cess: i64,
}

/// Goods at 18 per cent: ten pieces at 1000 rupees.
pub(super) const GOODS: Line = Line {
    service: false,
    hsn: "850440",
    unit: "NOS",
    quantity: 10,
    price: 100_000,
    rate: 1_800,
    discount: 0,
    other: 0,
    cess_rate: 0,
    cess: 0,
    state_cess_rate: 0,
    state_cess: 0,
};

/// A service at 18 per cent, for 5000 rupees.
pub(super) const SERVICE: Line =
    Line { service: true, hsn: "998314", unit: "OTH", quantity: 1, price: 500_000, ..GOODS };

/// A document before it is written for a taxpayer and a day.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) supply: SupplyType,
    pub(super) kind: DocumentType,
    pub(super) place: Place,
    pub(super) reverse_charge: bool,
    pub(super) lines: Vec<Line>,
    /// Of the document as a whole, in paise.
    pub(super) discount: i64,
    pub(super) other: i64,
    pub(super) round_off: i64,
    pub(super) edits: Vec<Edit>,
}

impl Default for Draft {
    /// An invoice for goods to another state.
    fn default() -> Self {
        Self {
            supply: SupplyType::B2b,
            kind: DocumentType::Invoice,
            place: Place::Between,
            reverse_charge: false,
            lines: vec![GOODS],
            discount: 0,
            other: 0,
            round_off: 0,
            edits: Vec::new(),
        }
    }
}

/// Of paise, a rate in hundredths of a per cent; halves go up.
const fn share(paise: i64, rate: i64) -> i64 {
    (paise * rate + 5_000) / 10_000
}

/// Hundredths as a JSON number: paise as rupees, a rate as per cent.
fn number(hundredths: i64) -> Value {
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, part) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
    let text = if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:02}") };
    serde_json::from_str(&text).unwrap_or_default()
}

/// What a line comes to, in paise.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    taxable: i64,
    igst: i64,
    cgst: i64,
    cess: i64,
    cess_flat: i64,
    state_cess: i64,
    state_cess_flat: i64,
    total: i64,
}

impl Draft {
    /// The document as JSON, changes made.
    pub(super) fn json(&self, context: &Context, number_of_document: &str) -> Value {
        let mut document = json!({
            "Version": "1.1",
            "TranDtls": {"TaxSch": "GST", "SupTyp": self.supply.code()},
            "DocDtls": {"Typ": self.kind.code(), "No": number_of_document, "Dt": context.day(0)},
            "SellerDtls": seller(&context.own),
            "BuyerDtls": self.buyer(context),
        });
        let mut sums = Amounts::default();
        let lines: Vec<Value> =
            (1_u32..).zip(&self.lines).map(|(serial, line)| self.line(serial, *line, &mut sums)).collect();
        let total = sums.total - self.discount + self.other + self.round_off;
        let values = [
            ("AssVal", sums.taxable),
            ("IgstVal", sums.igst),
            ("CgstVal", sums.cgst),
            ("SgstVal", sums.cgst),
            ("CesVal", sums.cess + sums.cess_flat),
            ("StCesVal", sums.state_cess + sums.state_cess_flat),
            ("Discount", self.discount),
            ("OthChrg", self.other),
            ("RndOffAmt", self.round_off),
            ("TotInvVal", total),
        ];
        let shown = values.into_iter().filter(|(name, value)| *value != 0 || matches!(*name, "AssVal" | "TotInvVal"));
        let values: Map<String, Value> = shown.map(|(name, value)| (name.to_owned(), number(value))).collect();
        if let Value::Object(members) = &mut document {
            members.insert("ItemList".to_owned(), Value::Array(lines));
            members.insert("ValDtls".to_owned(), Value::Object(values));
            if self.supply.is_export() {
                members.insert("ExpDtls".to_owned(), json!({"CntCode": "AE"}));
            }
        }
        if self.reverse_charge {
            context.edit(&mut document, &[("/TranDtls/RegRev", json!("Y"))]);
        }
        if self.place == Place::WithinWithIgst {
            context.edit(&mut document, &[("/TranDtls/IgstOnIntra", json!("Y"))]);
        }
        context.edit(&mut document, &self.edits);
        document
    }

    fn buyer(&self, context: &Context) -> Value {
        if self.supply.is_export() {
            return json!({"Gstin": "URP", "LglNm": "Gulf Example Trading", "Pos": "96", "Addr1": "1 Creek Road",
                          "Loc": "Dubai", "Pin": 999_999, "Stcd": "96"});
        }
        let party = context.sez.as_ref().filter(|_| self.supply.is_sez()).unwrap_or(&context.buyer);
        let place = if self.place == Place::Between {
            if party.state == context.own.state { context.other_state() } else { &party.state }
        } else {
            &context.own.state
        };
        json!({"Gstin": party.gstin.to_string(), "LglNm": "Example Buyer", "Pos": place, "Addr1": "2 Sample Lane",
               "Loc": "Example Town", "Pin": party.pin, "Stcd": party.state})
    }

    fn line(&self, serial: u32, line: Line, sums: &mut Amounts) -> Value {
        let gross = line.quantity * line.price;
        let taxable = gross - line.discount;
        let tax = if self.supply.is_without_payment() { 0 } else { share(taxable, line.rate) };
        // Halves are taken of the rate, as the portal does, and so are equal.
        let half = if self.supply.is_without_payment() { 0 } else { share(taxable, line.rate) / 2 };
        let (igst, cgst) = if self.place == Place::Within { (0, half) } else { (tax, 0) };
        let (cess, state_cess) = (share(taxable, line.cess_rate), share(taxable, line.state_cess_rate));
        let total = taxable + igst + 2 * cgst + cess + line.cess + state_cess + line.state_cess + line.other;
        let amounts = [
            ("UnitPrice", line.price),
            ("TotAmt", gross),
            ("Discount", line.discount),
            ("AssAmt", taxable),
            ("GstRt", line.rate),
            ("IgstAmt", igst),
            ("CgstAmt", cgst),
            ("SgstAmt", cgst),
            ("CesRt", line.cess_rate),
            ("CesAmt", cess),
            ("CesNonAdvlAmt", line.cess),
            ("StateCesRt", line.state_cess_rate),
            ("StateCesAmt", state_cess),
            ("StateCesNonAdvlAmt", line.state_cess),
            ("OthChrg", line.other),
            ("TotItemVal", total),
        ];
        let needed = |name: &str| matches!(name, "UnitPrice" | "TotAmt" | "AssAmt" | "GstRt" | "TotItemVal");
        let mut members: Map<String, Value> = amounts
            .into_iter()
            .filter(|(name, value)| *value != 0 || needed(name))
            .map(|(name, value)| (name.to_owned(), number(value)))
            .collect();
        members.insert("SlNo".to_owned(), serial.to_string().into());
        members.insert("IsServc".to_owned(), if line.service { "Y" } else { "N" }.into());
        members.insert("HsnCd".to_owned(), line.hsn.into());
        members.insert("PrdDesc".to_owned(), if line.service { "Example service" } else { "Example goods" }.into());
        members.insert("Qty".to_owned(), line.quantity.into());
        members.insert("Unit".to_owned(), line.unit.into());
        for (sum, value) in [
            (&mut sums.taxable, taxable),
            (&mut sums.igst, igst),
            (&mut sums.cgst, cgst),
            (&mut sums.cess, cess),
            (&mut sums.cess_flat, line.cess),
            (&mut sums.state_cess, state_cess),
            (&mut sums.state_cess_flat, line.state_cess),
            (&mut sums.total, total),
        ] {
            *sum += value;
        }
        Value::Object(members)
    }
}

fn seller(own: &Party) -> Value {
    json!({"Gstin": own.gstin.to_string(), "LglNm": "Example Supplier", "Addr1": "1 Sample Street",
           "Loc": "Example City", "Pin": own.pin, "Stcd": own.state})
}

/// The same document with a change.
pub(super) fn changed(edits: impl IntoIterator<Item = Edit>) -> Draft {
    Draft { edits: edits.into_iter().collect(), ..Draft::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_are_written_as_people_write_them() {
        let text = |hundredths| number(hundredths).to_string();
        assert_eq!([text(0), text(1_234_500), text(5), text(-99)], ["0", "12345", "0.05", "-0.99"]);
    }

    #[test]
    fn a_share_is_rounded_to_the_paisa() {
        assert_eq!([share(1_000_000, 1_800), share(33, 1_800), share(10, 500)], [180_000, 6, 1]);
    }
}

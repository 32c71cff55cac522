//! The emulator's own check of amounts and totals, with the portal's tolerance.
//!
//! Small and separate from the product's rulebook on purpose: a document whose totals do not foot is
//! refused here even if the product has overlooked it.

use crate::exact::Exact;
use crate::node::Node;
use crate::wire::CodeText;

/// Everything the check needs to know of the document besides amounts.
#[expect(clippy::struct_excessive_bools, reason = "four independent questions, each asked once")]
struct Kind {
    /// INV: rates are checked. Notes: they are not (NIC note of September 2020).
    rates_checked: bool,
    /// No tax need be given: export or SEZ supply without payment.
    without_payment: bool,
    /// The item total may leave the tax out: reverse charge, export with payment.
    tax_may_be_out: bool,
    /// IGST applies.
    inter_state: bool,
}

/// Checks items and totals of a document in canonical form.
pub(crate) fn check(document: &Node) -> Vec<CodeText> {
    let kind = kind(document);
    let items = document.list(&["ItemList"]);
    let mut errors = Vec::new();
    for item in items {
        check_item(item, &kind, &mut errors);
    }
    check_totals(document, items, &mut errors);
    errors
}

fn kind(document: &Node) -> Kind {
    let supply = document.text(&["TranDtls", "SupTyp"]).unwrap_or_default().to_ascii_uppercase();
    let state = |path: &[&str]| document.text(path).unwrap_or_default().trim_start_matches('0').to_owned();
    let same_state = state(&["SellerDtls", "Stcd"]) == state(&["BuyerDtls", "Pos"]);
    let igst_on_intra = document.text(&["TranDtls", "IgstOnIntra"]) == Some("Y");
    Kind {
        rates_checked: document.text(&["DocDtls", "Typ"]).is_some_and(|kind| kind.eq_ignore_ascii_case("INV")),
        without_payment: matches!(supply.as_str(), "EXPWOP" | "SEZWOP"),
        tax_may_be_out: supply == "EXPWP" || document.text(&["TranDtls", "RegRev"]) == Some("Y"),
        inter_state: matches!(supply.as_str(), "EXPWP" | "EXPWOP" | "SEZWP" | "SEZWOP") || !same_state || igst_on_intra,
    }
}

fn amount(node: &Node, path: &[&str]) -> Exact {
    node.number(path).and_then(Exact::parse).unwrap_or_default()
}

fn sum(items: &[Node], members: &[&str]) -> Exact {
    items.iter().flat_map(|item| members.iter().map(|member| amount(item, &[member]))).sum()
}

fn check_item(item: &Node, kind: &Kind, errors: &mut Vec<CodeText>) {
    let hsn = item.text(&["HsnCd"]).unwrap_or_default();
    let of = |member: &str| amount(item, &[member]);
    let mut expect = |code: &str, what: &str, calculated: Exact| {
        let passed = of(what);
        if !calculated.admits(passed) {
            errors.push(CodeText {
                code: code.to_owned(),
                message: format!("Invalid {what} for HSN - {hsn}: passed {passed}, calculated {calculated}"),
            });
        }
    };
    let taxable = of("AssAmt");
    expect("2193", "AssAmt", of("TotAmt").minus(of("Discount")));
    let untaxed = kind.without_payment && of("IgstAmt").is_zero();
    if kind.rates_checked && !untaxed && !taxed_on_retail_price(hsn) {
        let tax = taxable.percent(of("GstRt"));
        if kind.inter_state {
            expect("2235", "IgstAmt", tax);
        } else {
            expect("2234", "CgstAmt", taxable.percent(of("GstRt").half()));
            expect("2234", "SgstAmt", taxable.percent(of("GstRt").half()));
        }
    }
    if kind.rates_checked {
        for (code, what, rate) in [("2266", "CesAmt", "CesRt"), ("2267", "StateCesAmt", "StateCesRt")] {
            let untaxed = kind.without_payment && of(what).is_zero();
            if !of(rate).is_zero() && !untaxed {
                expect(code, what, taxable.percent(of(rate)));
            }
        }
    }
    let cess = ["CesAmt", "CesNonAdvlAmt", "StateCesAmt", "StateCesNonAdvlAmt"];
    let taxes = ["IgstAmt", "CgstAmt", "SgstAmt"];
    let with_tax: Exact = [taxable, of("OthChrg")].into_iter().chain(cess.into_iter().chain(taxes).map(of)).sum();
    let without_tax: Exact = [taxable, of("OthChrg")].into_iter().sum();
    if !(kind.tax_may_be_out && without_tax.admits(of("TotItemVal"))) {
        expect("2194", "TotItemVal", with_tax);
    }
}

/// Goods taxed on their retail sale price from 1 February 2026, for which the rate check is relaxed.
fn taxed_on_retail_price(hsn: &str) -> bool {
    hsn == "21069020"
        || ["2401", "2402", "2403"].iter().any(|heading| hsn.starts_with(heading))
        || matches!(hsn, "24041100" | "24041900")
}

fn check_totals(document: &Node, items: &[Node], errors: &mut Vec<CodeText>) {
    let total = |member: &str| amount(document, &["ValDtls", member]);
    let item_total = sum(items, &["TotItemVal"]);
    let document_value =
        [item_total, total("OthChrg"), total("RndOffAmt")].into_iter().sum::<Exact>().minus(total("Discount"));
    let expected = [
        ("2182", "AssVal", sum(items, &["AssAmt"]), "Taxable value of all items must be equal to total taxable value"),
        ("2183", "SgstVal", sum(items, &["SgstAmt"]), "SGST value of all items must be equal to total SGST Value"),
        ("2184", "CgstVal", sum(items, &["CgstAmt"]), "CGST value of all items must be equal to total CGST value"),
        ("2185", "IgstVal", sum(items, &["IgstAmt"]), "IGST value of all items must be equal to total IGST Value"),
        (
            "2186",
            "CesVal",
            sum(items, &["CesAmt", "CesNonAdvlAmt"]),
            "Cess value of all items must be equal to total CessValue",
        ),
        (
            "2187",
            "StCesVal",
            sum(items, &["StateCesAmt", "StateCesNonAdvlAmt"]),
            "State Cess Value of all items must be equal to total State CessValue",
        ),
        ("2189", "TotInvVal", document_value, "Invalid total Invoice Value"),
    ];
    for (code, member, calculated, message) in expected {
        let passed = total(member);
        if !calculated.admits(passed) {
            errors.push(CodeText {
                code: code.to_owned(),
                message: format!("{message}: {member} passed {passed}, calculated {calculated}"),
            });
        }
    }
}

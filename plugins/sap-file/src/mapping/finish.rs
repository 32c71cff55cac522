//! What is decided once the rules were applied: taxes by their heads, and what SAP leaves to be made fit.

use std::collections::HashMap;

use einvoice_core::document::{Field, Item, PartyGstin, SupplyType};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::{Gstin, StateCode};
use einvoice_core::mapping::SellerConfig;
use einvoice_core::number::{Amount, Rate};
use einvoice_core::source::{MappedDocument, Place};
use einvoice_core::spelling;
use rust_decimal::Decimal;

use crate::config::Tax;
use crate::value;

use super::derive::Settings;
use super::facts::Facts;
use super::field::Role;
use super::plan::Form;
use super::taxes::{self, TaxNames, Taxes};

/// Puts taxes into the items that no rule gave any.
pub(crate) fn tax(mapped: &mut MappedDocument, facts: &Facts<'_>, names: &TaxNames, sellers: &[SellerConfig]) {
    let inside = is_inside_the_state(mapped, sellers);
    for (index, (item, own)) in mapped.invoice.item_list.iter_mut().zip(&facts.items).enumerate() {
        let given = [&item.cgst_amt, &item.sgst_amt, &item.igst_amt];
        if given.iter().any(|tax| !tax.is_absent()) || !item.gst_rt.is_absent() {
            continue;
        }
        match taxes::of_item(facts, own, names, inside) {
            Ok(None) => {}
            Ok(Some(taxes)) => {
                for (member, is_set) in put(item, &taxes) {
                    if is_set {
                        mapped.provenance.insert(Place::OfItem(member, index), taxes.origin.clone());
                    }
                }
            }
            Err(mut finding) => {
                finding.path = format!("ItemList[{index}].GstRt");
                mapped.findings.push(*finding);
            }
        }
    }
}

fn put(item: &mut Item, taxes: &Taxes) -> [(&'static str, bool); 7] {
    let amount = |tax: Tax| taxes.amounts.get(&tax).filter(|amount| !amount.is_zero()).copied();
    let rate = |rate: Option<Decimal>| value::units(rate?.round_dp(3), Rate::DECIMALS).map(Rate::from_thousandths);
    [
        ("GstRt", set(&mut item.gst_rt, rate(taxes.rate))),
        ("CgstAmt", set(&mut item.cgst_amt, amount(Tax::Cgst).and_then(money))),
        ("SgstAmt", set(&mut item.sgst_amt, amount(Tax::Sgst).and_then(money))),
        ("IgstAmt", set(&mut item.igst_amt, amount(Tax::Igst).and_then(money))),
        ("CesAmt", set(&mut item.ces_amt, amount(Tax::Cess).and_then(money))),
        ("CesRt", set(&mut item.ces_rt, rate(taxes.cess_rate))),
        ("OthChrg", set(&mut item.oth_chrg, amount(Tax::Other).and_then(money))),
    ]
}

fn set<T>(field: &mut Field<T>, value: Option<T>) -> bool {
    let is_set = field.is_absent() && value.is_some();
    if is_set {
        *field = Field::from_option(value);
    }
    is_set
}

fn money(amount: Decimal) -> Option<Amount> {
    value::units(value::paise(amount), Amount::DECIMALS).map(Amount::from_paise)
}

/// Whether supplier and place of supply are in one state; nothing where one of them is not known.
fn is_inside_the_state(mapped: &MappedDocument, sellers: &[SellerConfig]) -> Option<bool> {
    let invoice = &mapped.invoice;
    let supply = invoice.tran_dtls.sup_typ.get();
    if supply.is_some_and(|supply: SupplyType| supply.is_export() || supply.is_sez()) {
        return Some(false);
    }
    let configured = || match sellers {
        [only] => Gstin::parse(&only.gstin).ok(),
        _ => None,
    };
    let seller = invoice.seller_dtls.gstin.get().or_else(configured).and_then(|gstin: Gstin| gstin.state());
    let buyer = &invoice.buyer_dtls;
    let own = || buyer.gstin.get().and_then(PartyGstin::gstin).and_then(|gstin| gstin.state());
    let place: Option<StateCode> = buyer.pos.get().or_else(|| buyer.stcd.get()).or_else(own);
    Some(seller? == place?)
}

/// Surcharges of an item stand in its net value and not in its gross value, which INV-01 does not know: there the net
/// value is never above the gross one.
pub(crate) fn surcharges(mapped: &mut MappedDocument) {
    for (index, item) in mapped.invoice.item_list.iter_mut().enumerate() {
        let (Some(gross), Some(net)) = (item.tot_amt.get(), item.ass_amt.get()) else { continue };
        let is_above = net.checked_sub(gross).is_some_and(|above: Amount| above.paise() > 0);
        if is_above && item.discount.is_absent() {
            item.tot_amt = net.into();
            item.unit_price = Field::from_option(None);
            let path = format!("ItemList[{index}].TotAmt");
            let message = "the net value is above the gross value, as surcharges are in it; it was taken as both";
            mapped.provenance.insert(path.clone(), "the net value");
            mapped.findings.push(
                Finding::warning("sap.surcharge", path, message)
                    .with_found(format!("gross {gross}, net {net}"))
                    .with_fix("Map freight and other charges to `ItemList.OthChrg` if they are no part of the value."),
            );
        }
    }
}

/// What the document says twice must agree.
pub(crate) fn agreement(mapped: &mut MappedDocument, facts: &Facts<'_>, regions: &HashMap<String, String>) {
    let total = |sum: &str| facts.total(sum).and_then(|text| facts.amount(text, Form::Amount));
    if let (Some(net), Some(tax), Some(gross)) = (total("010"), total("005"), total("011")) {
        let gap = gross - net - tax;
        // One rupee of rounding may lie between them.
        if gap.abs() > Decimal::ONE {
            mapped.findings.push(
                Finding::warning(
                    "sap.totals",
                    "ValDtls.TotInvVal",
                    "net value and tax of the totals do not make the billed value",
                )
                .with_found(format!("E1EDS01: 010 {net}, 005 {tax}, 011 {gross}"))
                .with_expected(value::plain(net + tax))
                .with_fix("Check the pricing procedure: the billed value is what the customer owes."),
            );
        }
    }
    let buyer = facts.partner(Role::Buyer).filter(|buyer| !facts.is_abroad(Some(*buyer)));
    let region = buyer.and_then(|buyer| facts.idoc.value(buyer, "REGIO"));
    let by_region =
        region.and_then(|region| regions.get(&spelling::fold(region))).and_then(|code| StateCode::parse(code).ok());
    let own = mapped.invoice.buyer_dtls.gstin.get().and_then(PartyGstin::gstin).and_then(|gstin| gstin.state());
    if let (Some(region), Some(by_region), Some(own)) = (region, by_region, own)
        && by_region != own
    {
        mapped.findings.push(
            Finding::warning(
                "sap.region",
                "BuyerDtls.Stcd",
                "the region of the address and the GSTIN name different states; the GSTIN counts",
            )
            .with_found(format!("REGIO {region} ({by_region}), GSTIN of {own}"))
            .with_fix("Correct the address or the tax number in SAP, or `tables.regions` of the mapping."),
        );
    }
    let buyer = &mapped.invoice.buyer_dtls;
    if let (Some(pos), Some(state)) = (buyer.pos.get(), buyer.stcd.get().or(own))
        && pos != state
        && facts.partner(Role::Ship).is_some()
    {
        let finding = Finding::warning(
            "mapping.place_of_supply",
            "BuyerDtls.Pos",
            "the place of supply was taken to be the state of the ship-to party, which is not that of the buyer",
        );
        mapped.findings.push(finding.with_found(format!("ship-to {pos}, buyer {state}")).with_fix(
            "Where the goods go to a third party by the buyer's order, map `BuyerDtls.Pos` to the buyer's state.",
        ));
    }
}

/// One registration has one supplier, whatever plants the items leave from.
pub(crate) fn one_supplier(mapped: &mut MappedDocument, facts: &Facts<'_>, settings: &Settings) {
    let plants = settings.plants(facts);
    let mut gstins = plants.iter().filter_map(|(key, plant)| plant.gstin.as_ref().map(|gstin| (key, gstin)));
    let Some((first_key, first)) = gstins.next() else { return };
    if let Some((key, other)) = gstins.find(|(_, other)| *other != first) {
        mapped.findings.push(
            Finding::error("sap.plants", "SellerDtls.Gstin", "items leave from plants of different registrations")
                .with_found(format!("plant {first_key}: {first}, plant {key}: {other}"))
                .with_expected("one GSTIN for the whole document")
                .with_fix("Split the billing document in SAP by plant."),
        );
    }
}

//! What a record leaves out and what can only be one way: computed, and said to be.
//!
//! A value that stands in the record is never touched, right or wrong: whether it fits is the rulebook's to say. What
//! needs a decision (the type of the document, the HSN, the rate) is left absent.

use crate::document::{BuyerDtls, Field, Item, PartyGstin, SellerDtls, ShipDtls, SupplyType, Text, ValDtls, YesNo};
use crate::finding::Finding;
use crate::identifier::{Gstin, StateCode};
use crate::number::{Amount, Quantity, Rate, UnitPrice, Whole};
use crate::source::{MappedDocument, Place, Provenance};
use crate::spelling;

use super::SellerConfig;

/// PIN of a place abroad (INV-01: `BuyerDtls.Pin` of exports).
const PIN_ABROAD: i64 = 999_999;

/// General rates and the special ones, in thousandths of a per cent: the only ones that a tax amount is read back to.
const RATES: [i64; 13] = [0, 100, 250, 1_000, 1_500, 3_000, 5_000, 6_000, 7_500, 12_000, 18_000, 28_000, 40_000];

/// How far a stated tax may lie from that of a rate for the rate to be read back from it, in paise.
const TAX_TOLERANCE: i64 = 5;

/// How far a stated total may lie from the sum of its parts to be taken for rounding, in paise: one rupee.
const ROUNDING_MAX: i64 = 100;

/// Fills what is absent from what is there: supplier details from the configuration, states from GSTINs, line values
/// from quantity and price, taxes from rate and place of supply, totals from lines, rounding from the stated total.
pub fn complete(mapped: &mut MappedDocument, sellers: &[SellerConfig]) {
    let mut fill = Fill { provenance: &mut mapped.provenance };
    let invoice = &mut mapped.invoice;
    fill.absent(&mut invoice.tran_dtls.tax_sch, "TranDtls.TaxSch", "the only scheme there is", || Some("GST".into()));
    seller(&mut fill, &mut invoice.seller_dtls, sellers);
    let supply = invoice.tran_dtls.sup_typ.get();
    let export = supply.is_some_and(SupplyType::is_export);
    buyer(&mut fill, &mut invoice.buyer_dtls, export, &mut mapped.findings);
    if let Some(ship) = &mut invoice.ship_dtls {
        consignee(&mut fill, ship);
    }
    let heads = heads(
        invoice.seller_dtls.stcd.get(),
        invoice.buyer_dtls.pos.get(),
        supply,
        invoice.tran_dtls.igst_on_intra.get(),
    );
    for (index, item) in invoice.item_list.iter_mut().enumerate() {
        line(&mut fill, item, index, heads);
    }
    totals(&mut fill, &mut invoice.val_dtls, &invoice.item_list);
}

/// Sets what is absent and says where it came from.
struct Fill<'p> {
    provenance: &'p mut Provenance,
}

impl Fill<'_> {
    fn absent<T>(
        &mut self,
        field: &mut Field<T>,
        place: impl Into<Place>,
        origin: &'static str,
        value: impl FnOnce() -> Option<T>,
    ) {
        if field.is_absent()
            && let Some(value) = value()
        {
            *field = Field::Value(value);
            self.provenance.insert(place, origin);
        }
    }
}

fn seller(fill: &mut Fill<'_>, seller: &mut SellerDtls, sellers: &[SellerConfig]) {
    const CONFIGURED: &str = "configuration `seller`";
    if let [only] = sellers {
        fill.absent(&mut seller.gstin, "SellerDtls.Gstin", CONFIGURED, || Gstin::parse(&only.gstin).ok());
    }
    let gstin = seller.gstin.get();
    if let Some(known) = sellers.iter().find(|known| Gstin::parse(&known.gstin).ok() == gstin && gstin.is_some()) {
        let text = |value: &Option<String>| value.as_deref().map(Text::from);
        let own_address = has_own_address(seller, known);
        fill.absent(&mut seller.lgl_nm, "SellerDtls.LglNm", CONFIGURED, || text(&known.legal_name));
        fill.absent(&mut seller.trd_nm, "SellerDtls.TrdNm", CONFIGURED, || text(&known.trade_name));
        if !own_address {
            fill.absent(&mut seller.addr1, "SellerDtls.Addr1", CONFIGURED, || text(&known.address1));
            fill.absent(&mut seller.addr2, "SellerDtls.Addr2", CONFIGURED, || text(&known.address2));
            fill.absent(&mut seller.loc, "SellerDtls.Loc", CONFIGURED, || text(&known.location));
            fill.absent(&mut seller.pin, "SellerDtls.Pin", CONFIGURED, || pin_of(known));
        }
        fill.absent(&mut seller.ph, "SellerDtls.Ph", CONFIGURED, || text(&known.phone));
        fill.absent(&mut seller.em, "SellerDtls.Em", CONFIGURED, || text(&known.email));
    }
    fill.absent(&mut seller.stcd, "SellerDtls.Stcd", "the GSTIN", || gstin.and_then(|gstin| gstin.state()));
}

/// Whether the record says another address than the configured one, or a part of another. An address is taken whole from one
/// place: half a branch's and half the head office's is that of nobody, and no rule would find it.
fn has_own_address(seller: &SellerDtls, known: &SellerConfig) -> bool {
    let texts = [(&seller.addr1, &known.address1), (&seller.addr2, &known.address2), (&seller.loc, &known.location)];
    let is_other = |(own, known): (&Field<Text>, &Option<String>)| {
        !own.is_absent() && !own.as_ref().zip(known.as_deref()).is_some_and(|(own, known)| spelling::same(own, known))
    };
    texts.into_iter().any(is_other) || !seller.pin.is_absent() && seller.pin.get() != pin_of(known)
}

fn pin_of(known: &SellerConfig) -> Option<Whole> {
    known.pin.map(|pin| Whole::from_units(i64::from(pin)))
}

fn buyer(fill: &mut Fill<'_>, buyer: &mut BuyerDtls, export: bool, findings: &mut Vec<Finding>) {
    if export {
        const ABROAD: &str = "the supply is an export";
        fill.absent(&mut buyer.gstin, "BuyerDtls.Gstin", ABROAD, || Some(PartyGstin::Unregistered));
        fill.absent(&mut buyer.pos, "BuyerDtls.Pos", ABROAD, || Some(StateCode::OTHER_COUNTRY));
        fill.absent(&mut buyer.stcd, "BuyerDtls.Stcd", ABROAD, || Some(StateCode::OTHER_COUNTRY));
        fill.absent(&mut buyer.pin, "BuyerDtls.Pin", ABROAD, || Some(Whole::from_units(PIN_ABROAD)));
        return;
    }
    let state = buyer.gstin.get().and_then(PartyGstin::gstin).and_then(|gstin| gstin.state());
    fill.absent(&mut buyer.stcd, "BuyerDtls.Stcd", "the GSTIN", || state);
    if buyer.pos.is_absent()
        && let Some(state) = buyer.stcd.get()
    {
        buyer.pos = state.into();
        fill.provenance.insert("BuyerDtls.Pos", "the recipient's state");
        findings.push(
            Finding::warning(
                "mapping.place_of_supply",
                "BuyerDtls.Pos",
                "nothing states the place of supply; it was taken to be the recipient's state",
            )
            .with_found(state)
            .with_fix("Map the place of supply, or set it as a constant where it is always the same."),
        );
    }
}

fn consignee(fill: &mut Fill<'_>, ship: &mut ShipDtls) {
    let state = ship.gstin.get().and_then(PartyGstin::gstin).and_then(|gstin| gstin.state());
    fill.absent(&mut ship.stcd, "ShipDtls.Stcd", "the GSTIN", || state);
}

/// Which taxes a rate becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heads {
    Integrated,
    Halves,
    /// Not charged, or not to be told from what is known.
    None,
}

fn heads(
    seller: Option<StateCode>,
    place: Option<StateCode>,
    supply: Option<SupplyType>,
    igst_on_intra: Option<YesNo>,
) -> Heads {
    match (supply, seller, place) {
        (None, ..) => Heads::None,
        (Some(supply), ..) if supply.is_without_payment() => Heads::None,
        (Some(supply), ..) if supply.is_export() || supply.is_sez() => Heads::Integrated,
        (_, Some(seller), Some(place)) if seller == place && igst_on_intra != Some(YesNo::Yes) => Heads::Halves,
        (_, Some(_), Some(_)) => Heads::Integrated,
        _ => Heads::None,
    }
}

fn line(fill: &mut Fill<'_>, item: &mut Item, index: usize, heads: Heads) {
    let place = |member: &'static str| Place::OfItem(member, index);
    fill.absent(&mut item.sl_no, place("SlNo"), "the position of the line", || Some((index + 1).to_string().into()));
    let services = |item: &Item| item.hsn_cd.get().map(|code| YesNo::from(code.is_service()));
    let service = services(item);
    fill.absent(&mut item.is_servc, place("IsServc"), "the HSN: chapter 99 is services", || service);
    let (quantity, price, discount) = (item.qty.get(), item.unit_price.get(), item.discount.get());
    let from_price = || quantity.zip(price).and_then(|(quantity, price): (Quantity, UnitPrice)| quantity.times(price));
    fill.absent(&mut item.tot_amt, place("TotAmt"), "Qty x UnitPrice", from_price);
    // A service has no quantity: its price is its value.
    let alone = quantity.is_none().then_some(price).flatten().and_then(|price| whole_paise(price.thousandths()));
    fill.absent(&mut item.tot_amt, place("TotAmt"), "UnitPrice, as there is no quantity", || alone);
    let taxable = item.ass_amt.get();
    fill.absent(&mut item.tot_amt, place("TotAmt"), "AssAmt + Discount", || {
        taxable.and_then(|taxable| taxable.checked_add(discount.unwrap_or_default()))
    });
    let total = item.tot_amt.get();
    let lacks_discount = |value: Amount| total.and_then(|total| total.checked_sub(value)).filter(|gap| gap.paise() > 0);
    fill.absent(&mut item.discount, place("Discount"), "TotAmt - AssAmt", || taxable.and_then(lacks_discount));
    let discount = item.discount.get();
    fill.absent(&mut item.ass_amt, place("AssAmt"), "TotAmt - Discount", || {
        total.and_then(|total| total.checked_sub(discount.unwrap_or_default()))
    });
    fill.absent(&mut item.unit_price, place("UnitPrice"), "TotAmt / Qty", || price_of(total?, quantity));
    taxes(fill, item, place, heads);
    let parts = [
        &item.igst_amt,
        &item.cgst_amt,
        &item.sgst_amt,
        &item.ces_amt,
        &item.ces_non_advl_amt,
        &item.state_ces_amt,
        &item.state_ces_non_advl_amt,
        &item.oth_chrg,
    ];
    // A part that cannot be read would make the sum wrong without a word.
    let readable = parts.iter().all(|part| part.malformed().is_none());
    let billed = readable.then(|| Amount::checked_sum(parts.iter().filter_map(|part| part.get()))).flatten();
    let value = item.ass_amt.get().zip(billed).and_then(|(taxable, billed)| taxable.checked_add(billed));
    fill.absent(&mut item.tot_item_val, place("TotItemVal"), "AssAmt and what is charged on it", || value);
}

fn whole_paise(thousandths: i64) -> Option<Amount> {
    (thousandths % 10 == 0).then(|| Amount::from_paise(thousandths / 10))
}

/// Value by quantity, rounded half up to the three decimals of a price.
fn price_of(total: Amount, quantity: Option<Quantity>) -> Option<UnitPrice> {
    let Some(quantity) = quantity.filter(|quantity| quantity.thousandths() > 0) else {
        return total.paise().checked_mul(10).map(UnitPrice::from_thousandths);
    };
    let scaled = i128::from(total.paise()) * 10_000;
    let divisor = i128::from(quantity.thousandths());
    let rounded = (scaled * 2 + divisor * scaled.signum()) / (divisor * 2);
    i64::try_from(rounded).ok().map(UnitPrice::from_thousandths)
}

fn taxes(fill: &mut Fill<'_>, item: &mut Item, place: impl Fn(&'static str) -> Place, heads: Heads) {
    let Some(taxable) = item.ass_amt.get() else {
        return;
    };
    let stated = [&item.igst_amt, &item.cgst_amt, &item.sgst_amt];
    let charged = Amount::checked_sum(stated.iter().filter_map(|tax| tax.get())).unwrap_or_default();
    if item.gst_rt.is_absent() && stated.iter().any(|tax| tax.get().is_some_and(|tax| !tax.is_zero())) {
        fill.absent(&mut item.gst_rt, place("GstRt"), "the tax stated, which fits no other rate", || {
            rate_of(taxable, charged)
        });
    }
    let untaxed = [&item.igst_amt, &item.cgst_amt, &item.sgst_amt].iter().all(|tax| tax.is_absent());
    if let Some(rate) = item.gst_rt.get().filter(|_| untaxed) {
        match heads {
            Heads::Integrated => {
                fill.absent(&mut item.igst_amt, place("IgstAmt"), "GstRt of AssAmt, between states", || {
                    rate.of(taxable)
                });
            }
            Heads::Halves => {
                let half = rate.half_of(taxable);
                fill.absent(&mut item.cgst_amt, place("CgstAmt"), "half of GstRt of AssAmt, inside the state", || half);
                fill.absent(&mut item.sgst_amt, place("SgstAmt"), "half of GstRt of AssAmt, inside the state", || half);
            }
            Heads::None => {}
        }
    }
    let cess = item.ces_rt.get();
    fill.absent(&mut item.ces_amt, place("CesAmt"), "CesRt of AssAmt", || cess.and_then(|rate| rate.of(taxable)));
    let state_cess = item.state_ces_rt.get();
    fill.absent(&mut item.state_ces_amt, place("StateCesAmt"), "StateCesRt of AssAmt", || {
        state_cess.and_then(|rate| rate.of(taxable))
    });
}

/// The only rate by which this value has this tax.
fn rate_of(taxable: Amount, tax: Amount) -> Option<Rate> {
    let fits = |rate: &Rate| {
        let expected = rate.of(taxable).and_then(|expected| expected.checked_sub(tax));
        expected.and_then(Amount::checked_abs).is_some_and(|gap| gap.paise() <= TAX_TOLERANCE)
    };
    let mut fitting = RATES.iter().map(|rate| Rate::from_thousandths(*rate)).filter(fits);
    let found = fitting.next()?;
    fitting.next().is_none().then_some(found)
}

/// Where totals come from.
const SUM: &str = "sum of the items";

fn totals(fill: &mut Fill<'_>, totals: &mut ValDtls, items: &[Item]) {
    let sum = |pick: &[fn(&Item) -> &Field<Amount>]| {
        let fields = || items.iter().flat_map(|item| pick.iter().map(move |pick| pick(item)));
        // A sum over what could not be read would be wrong without a word.
        fields()
            .all(|field| field.malformed().is_none())
            .then(|| Amount::checked_sum(fields().filter_map(Field::get)))?
    };
    let owed = |amount: Option<Amount>| amount.filter(|amount| !amount.is_zero());
    fill.absent(&mut totals.ass_val, "ValDtls.AssVal", SUM, || sum(&[|item| &item.ass_amt]));
    fill.absent(&mut totals.cgst_val, "ValDtls.CgstVal", SUM, || owed(sum(&[|item| &item.cgst_amt])));
    fill.absent(&mut totals.sgst_val, "ValDtls.SgstVal", SUM, || owed(sum(&[|item| &item.sgst_amt])));
    fill.absent(&mut totals.igst_val, "ValDtls.IgstVal", SUM, || owed(sum(&[|item| &item.igst_amt])));
    fill.absent(&mut totals.ces_val, "ValDtls.CesVal", SUM, || {
        owed(sum(&[|item| &item.ces_amt, |item| &item.ces_non_advl_amt]))
    });
    fill.absent(&mut totals.st_ces_val, "ValDtls.StCesVal", SUM, || {
        owed(sum(&[|item| &item.state_ces_amt, |item| &item.state_ces_non_advl_amt]))
    });
    let (discount, charges) = (totals.discount.get().unwrap_or_default(), totals.oth_chrg.get().unwrap_or_default());
    let readable = totals.discount.malformed().is_none() && totals.oth_chrg.malformed().is_none();
    let before_rounding = sum(&[|item| &item.tot_item_val])
        .filter(|_| readable)
        .and_then(|value| value.checked_sub(discount))
        .and_then(|value| value.checked_add(charges));
    if let (Some(stated), Some(computed)) = (totals.tot_inv_val.get(), before_rounding) {
        let gap = stated.checked_sub(computed).filter(|gap| !gap.is_zero() && gap.paise().abs() <= ROUNDING_MAX);
        fill.absent(&mut totals.rnd_off_amt, "ValDtls.RndOffAmt", "TotInvVal less what it is made of", || gap);
    }
    let rounding = totals.rnd_off_amt.get().unwrap_or_default();
    fill.absent(&mut totals.tot_inv_val, "ValDtls.TotInvVal", "items, charges, discount and rounding", || {
        before_rounding.and_then(|value| value.checked_add(rounding))
    });
}

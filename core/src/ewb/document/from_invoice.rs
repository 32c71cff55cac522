//! From an INV-01 document to the request for its bill.
//!
//! Documents without an IRN are those to recipients without GSTIN and those over exempt goods; both have the members of
//! INV-01 all the same. What differs between the forms: abroad is 96 there and 99 here, taxes are amounts there and
//! rates here, and what INV-01 calls dispatch and ship-to is one number here, with the addresses in the places of the
//! parties' own.

use super::{Direction, EwbDocumentType, EwbItem, EwbRequest, EwbStateCode, Kilometres, SubSupply, TransactionType};
use crate::document::{EwbDtls, Field, Invoice, Item, Leaf, PartyGstin, SupplyType, Text, YesNo};
use crate::ewb::{TransMode, VehicleType};
use crate::finding::Finding;
use crate::identifier::StateCode;
use crate::key::DocumentType;
use crate::number::{Amount, Rate, Whole};
use crate::rulebook::table;

/// PIN code of a place abroad.
const ABROAD: i64 = 999_999;

/// Most characters of a product's name and description.
const PRODUCT_CHARACTERS: usize = 100;

/// What a bill needs and a document may not say.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "written by naming what is known")]
pub struct Transport<'a> {
    /// How the goods travel; the document's own `EwbDtls` where absent.
    pub carriage: Option<&'a EwbDtls>,
    /// GSTIN of the place of dispatch, or URP. INV-01 has no such member, and the bill needs it with `DispDtls`.
    pub dispatch_gstin: Option<PartyGstin>,
}

impl EwbRequest {
    /// The request for the bill of a document that has no IRN.
    ///
    /// It is outward, a supply or an export, with an invoice, or with a bill of supply where no item bears tax.
    ///
    /// # Errors
    /// With what cannot be moved by such a bill: a note, services alone, a document without state or total. All else
    /// that is missing is for [`check`](Self::check) to say.
    pub fn from_invoice(invoice: &Invoice, transport: Transport<'_>) -> Result<Self, Vec<Finding>> {
        let findings = refusals(invoice);
        if !findings.is_empty() {
            return Err(findings);
        }
        let export = invoice.tran_dtls.sup_typ.get().is_some_and(SupplyType::is_export);
        let inter = is_inter(invoice, export);
        let exempt = !export && !invoice.item_list.iter().any(is_taxed);
        let mut request = Self {
            supply_type: Direction::Outward.into(),
            sub_supply_type: if export { SubSupply::Export } else { SubSupply::Supply }.into(),
            doc_type: if exempt { EwbDocumentType::BillOfSupply } else { EwbDocumentType::Invoice }.into(),
            doc_no: Field::from_option(invoice.doc_dtls.no.as_ref().map(|number| number.as_str().into())),
            doc_date: Field::from_option(invoice.doc_dtls.dt.get()),
            transaction_type: TransactionType::of(invoice.disp_dtls.is_some(), invoice.ship_dtls.is_some()).into(),
            item_list: invoice.item_list.iter().map(|item| line(item, inter)).collect(),
            ..Self::default()
        };
        request.fill_from(invoice, transport.dispatch_gstin);
        request.fill_to(invoice, export);
        request.totals(invoice);
        if let Some(ewb) = transport.carriage.or(invoice.ewb_dtls.as_ref()) {
            request.carriage(ewb);
        }
        Ok(request)
    }

    fn fill_from(&mut self, invoice: &Invoice, dispatch_gstin: Option<PartyGstin>) {
        let seller = &invoice.seller_dtls;
        self.from_gstin = Field::from_option(seller.gstin.get().map(PartyGstin::Registered));
        self.from_trd_name = first(&seller.trd_nm, &seller.lgl_nm);
        self.from_state_code = state(&seller.stcd);
        let (address1, address2, place, pin, actual) = match &invoice.disp_dtls {
            Some(dispatch) => (&dispatch.addr1, &dispatch.addr2, &dispatch.loc, &dispatch.pin, &dispatch.stcd),
            None => (&seller.addr1, &seller.addr2, &seller.loc, &seller.pin, &seller.stcd),
        };
        self.from_addr1 = address1.clone();
        self.from_addr2 = address2.clone();
        self.from_place = place.clone();
        self.from_pincode = pin.clone();
        self.act_from_state_code = state(actual);
        if let Some(dispatch) = &invoice.disp_dtls {
            self.dispatch_from_gstin = Field::from_option(dispatch_gstin);
            self.dispatch_from_trade_name = dispatch.nm.clone();
        }
    }

    fn fill_to(&mut self, invoice: &Invoice, export: bool) {
        let buyer = &invoice.buyer_dtls;
        self.to_gstin = buyer.gstin.clone();
        self.to_trd_name = first(&buyer.trd_nm, &buyer.lgl_nm);
        self.to_state_code = state(&buyer.stcd);
        let (address1, address2, place, pin, actual) = match &invoice.ship_dtls {
            Some(ship) => (&ship.addr1, &ship.addr2, &ship.loc, &ship.pin, &ship.stcd),
            None => (&buyer.addr1, &buyer.addr2, &buyer.loc, &buyer.pin, &buyer.stcd),
        };
        self.to_addr1 = address1.clone();
        self.to_addr2 = address2.clone();
        self.to_place = place.clone();
        self.to_pincode = pin.clone();
        // INV-01 lets the PIN code of a recipient abroad be absent; here it is mandatory.
        if export && self.to_pincode.is_absent() && invoice.ship_dtls.is_none() {
            self.to_pincode = Whole::from_units(ABROAD).into();
        }
        self.act_to_state_code = state(actual);
        if let Some(ship) = &invoice.ship_dtls {
            self.ship_to_gstin = ship.gstin.clone();
            self.ship_to_trade_name = first(&ship.trd_nm, &ship.lgl_nm);
        }
    }

    /// Sums of the items; what the total has beyond them stands in `otherValue`, state cess included.
    fn totals(&mut self, invoice: &Invoice) {
        let sum = |amount: fn(&Item) -> &Field<Amount>| {
            Amount::checked_sum(invoice.item_list.iter().filter_map(|item| amount(item).get()))
        };
        let values = [
            sum(|item| &item.ass_amt),
            sum(|item| &item.cgst_amt),
            sum(|item| &item.sgst_amt),
            sum(|item| &item.igst_amt),
            sum(|item| &item.ces_amt),
            sum(|item| &item.ces_non_advl_amt),
        ];
        let total = invoice.val_dtls.tot_inv_val.get();
        let known: Option<Vec<Amount>> = values.into_iter().collect();
        let rest = known.and_then(Amount::checked_sum).and_then(|known| total?.checked_sub(known));
        let [taxable, cgst, sgst, igst, cess, cess_quantity] = values.map(Field::from_option);
        self.total_value = taxable;
        self.cgst_value = cgst;
        self.sgst_value = sgst;
        self.igst_value = igst;
        self.cess_value = cess;
        self.cess_non_advol_value = cess_quantity;
        self.other_value = Field::from_option(rest.filter(|rest| !rest.is_zero()));
        self.tot_inv_value = Field::from_option(total);
    }

    fn carriage(&mut self, ewb: &EwbDtls) {
        self.trans_distance = match ewb.distance.get().and_then(|distance| u32::try_from(distance.units()).ok()) {
            Some(distance) => Kilometres(distance).into(),
            None => recast(ewb.distance.shown()),
        };
        self.trans_mode = recast(ewb.trans_mode.shown());
        self.transporter_id = ewb.trans_id.clone();
        self.transporter_name = ewb.trans_name.clone();
        self.trans_doc_no = ewb.trans_doc_no.clone();
        self.trans_doc_date = ewb.trans_doc_dt.clone();
        self.vehicle_no = ewb.veh_no.clone();
        self.vehicle_type = recast(ewb.veh_type.shown());
        // By road the system asks for the type; an ordinary vehicle is what INV-01 leaves unsaid.
        if self.vehicle_type.is_absent()
            && !self.vehicle_no.is_absent()
            && self.trans_mode.get() == Some(TransMode::Road)
        {
            self.vehicle_type = VehicleType::Regular.into();
        }
    }
}

/// Why there is no such bill.
fn refusals(invoice: &Invoice) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(typ) = invoice.doc_dtls.typ.get().filter(|typ| *typ != DocumentType::Invoice) {
        findings.push(
            table::EWB_DOCUMENT
                .finding("DocDtls.Typ", format!("an e-way bill is asked for with document type {typ}"))
                .with_found(typ)
                .with_expected("INV")
                .with_fix("Goods that come back move on a challan: make the bill of a sales return from that."),
        );
    }
    if invoice.item_list.iter().all(|item| item.is_servc.get() == Some(YesNo::Yes)) {
        findings.push(
            table::EWB_GOODS
                .finding("ItemList", "the document has no item of goods")
                .with_expected("at least one item of goods")
                .with_fix("Make no bill: services need none."),
        );
    }
    let mut lacks = |path: &str, is_missing: bool| {
        if is_missing {
            findings.push(
                table::REQUIRED
                    .finding(path, format!("{path} is missing, and the e-way bill follows from it"))
                    .with_fix("Complete the document, then make the bill."),
            );
        }
    };
    lacks("SellerDtls.Stcd", invoice.seller_dtls.stcd.get().is_none());
    lacks("BuyerDtls.Stcd", invoice.buyer_dtls.stcd.get().is_none());
    lacks("ValDtls.TotInvVal", invoice.val_dtls.tot_inv_val.get().is_none());
    for finding in &mut findings {
        // Beside an IRN these are warnings; here nothing would be left to send.
        finding.severity = crate::finding::Severity::Error;
    }
    findings
}

/// IGST or CGST and SGST, as the document has it.
fn is_inter(invoice: &Invoice, export: bool) -> bool {
    let supply = invoice.tran_dtls.sup_typ.get();
    let stated = invoice.item_list.iter().any(|item| item.igst_amt.get().is_some_and(|igst| !igst.is_zero()));
    export
        || stated
        || supply.is_some_and(SupplyType::is_sez)
        || invoice.tran_dtls.igst_on_intra.get() == Some(YesNo::Yes)
        || invoice.seller_dtls.stcd.get() != invoice.buyer_dtls.pos.get().or(invoice.buyer_dtls.stcd.get())
}

fn is_taxed(item: &Item) -> bool {
    let charged = |amount: &Field<Amount>| amount.get().is_some_and(|amount| !amount.is_zero());
    item.gst_rt.get().is_none_or(|rate| !rate.is_zero())
        || charged(&item.ces_amt)
        || charged(&item.ces_non_advl_amt)
        || charged(&item.igst_amt)
}

fn line(item: &Item, inter: bool) -> EwbItem {
    let whole = item.gst_rt.get();
    // Halves of all rates in force have three decimals at most: 0.25 per cent is the smallest.
    let half = whole.map(|rate| Rate::from_thousandths(rate.thousandths() / 2));
    let nought = whole.map(|_| Rate::ZERO);
    let (cgst, igst) = if inter { (nought, whole) } else { (half, nought) };
    EwbItem {
        product_name: shortened(&item.prd_desc),
        product_desc: shortened(&item.prd_desc),
        hsn_code: Field::from_option(item.hsn_cd.get().map(Into::into)),
        quantity: item.qty.clone(),
        qty_unit: item.unit.clone(),
        taxable_amount: item.ass_amt.clone(),
        cgst_rate: Field::from_option(cgst),
        sgst_rate: Field::from_option(cgst),
        igst_rate: Field::from_option(igst),
        cess_rate: item.ces_rt.clone(),
        cess_non_advol: item.ces_non_advl_amt.clone(),
        ..EwbItem::default()
    }
}

fn shortened(text: &Field<Text>) -> Field<Text> {
    match text.as_ref() {
        Some(text) => text.chars().take(PRODUCT_CHARACTERS).collect::<String>().into(),
        None => text.clone(),
    }
}

fn first(preferred: &Field<Text>, other: &Field<Text>) -> Field<Text> {
    if preferred.is_absent() { other.clone() } else { preferred.clone() }
}

fn state(code: &Field<StateCode>) -> Field<EwbStateCode> {
    match code {
        Field::Value(code) => Field::Value((*code).into()),
        Field::Absent => Field::Absent,
        Field::Malformed(text) => Field::Malformed(text.clone()),
    }
}

/// The same value as another type; what does not fit stays as it is, for the check to show.
fn recast<T: Leaf>(text: Option<String>) -> Field<T> {
    text.map_or(Field::Absent, |text| Field::from_text(&text))
}

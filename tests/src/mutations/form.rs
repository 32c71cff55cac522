//! Faults of the schema: obligation, type, length, pattern, words, range, decimals.

use einvoice_core::document::{BchDtls, Field, TranDtls};
use einvoice_core::number::Amount;

use super::{Mutation, date, fault, raw, whole};

pub(super) const FAULTS: &[Mutation] = &[
    fault("the version is left out", "schema.required", "5002", &[], |case, _| {
        case.invoice.version = Field::Absent;
        Some(())
    }),
    fault("the transaction is left out", "schema.required", "5002", &["items.tot_item_val"], |case, _| {
        case.invoice.tran_dtls = TranDtls::default();
        Some(())
    }),
    fault("the recipient's name is left out", "schema.required", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.lgl_nm = Field::Absent;
        Some(())
    }),
    fault("the place of supply is left out", "schema.required", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.pos = Field::Absent;
        Some(())
    }),
    fault("an item's serial number is left out", "schema.required", "5002", &[], |case, draw| {
        case.item(draw)?.sl_no = Field::Absent;
        Some(())
    }),
    fault("an item's price is left out", "schema.required", "5002", &[], |case, draw| {
        case.item(draw)?.unit_price = Field::Absent;
        Some(())
    }),
    fault("a batch has no number", "schema.required", "5002", &[], |case, draw| {
        case.item(draw)?.bch_dtls = Some(BchDtls { exp_dt: date("01/01/2027"), ..BchDtls::default() });
        Some(())
    }),
    fault("the document value is left out", "schema.required", "5002", &[], |case, _| {
        case.invoice.val_dtls.tot_inv_val = Field::Absent;
        Some(())
    }),
    fault("the supplier's PIN code is left out", "seller.pin_missing", "2276", &[], |case, _| {
        case.invoice.seller_dtls.pin = Field::Absent;
        Some(())
    }),
    fault("a PIN code is a string", "schema.type", "5002", &[], |case, _| {
        case.invoice.seller_dtls.pin = raw("\"560001\"");
        Some(())
    }),
    fault("a state code is a number", "schema.type", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.stcd = raw("29");
        Some(())
    }),
    fault("an amount is a truth value", "schema.type", "5002", &[], |case, draw| {
        case.item(draw)?.tot_item_val = raw("true");
        Some(())
    }),
    fault("a name is a list", "schema.type", "5002", &[], |case, _| {
        case.invoice.seller_dtls.lgl_nm = raw("[\"Malgudi\"]");
        Some(())
    }),
    fault("an address is empty", "schema.length", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.addr1 = "".into();
        Some(())
    }),
    fault("a name has 101 characters", "schema.length", "5002", &[], |case, _| {
        case.invoice.seller_dtls.lgl_nm = "é".repeat(101).into();
        Some(())
    }),
    fault("a place has two characters", "schema.length", "5002", &[], |case, _| {
        case.invoice.seller_dtls.loc = "ab".into();
        Some(())
    }),
    fault("the document number has 17 characters", "schema.length", "5002", &[], |case, _| {
        case.invoice.doc_dtls.no = raw("\"A1234567890123456\"");
        Some(())
    }),
    fault("a GSTIN has 14 characters", "schema.length", "5002", &[], |case, _| {
        case.invoice.seller_dtls.gstin = raw("\"29AAACE1234F1Z\"");
        Some(())
    }),
    fault("the document number begins with nought", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.doc_dtls.no = raw("\"0007\"");
        Some(())
    }),
    fault("the document date is not in the calendar", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.doc_dtls.dt = raw("\"31/11/2026\"");
        Some(())
    }),
    fault("a date lies before 2010", "schema.pattern", "5002", &[], |case, _| {
        let period = case.invoice.ref_dtls.as_mut()?.doc_perd_dtls.as_mut()?;
        period.inv_st_dt = date("31/12/2009");
        Some(())
    }),
    fault("a GSTIN has small letters", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.seller_dtls.gstin = raw("\"29aaace1234f1z2\"");
        Some(())
    }),
    fault("an HSN has five digits", "schema.pattern", "5002", &[], |case, draw| {
        case.item(draw)?.hsn_cd = raw("\"84713\"");
        Some(())
    }),
    fault("a serial number has a letter", "schema.pattern", "5002", &[], |case, draw| {
        case.item(draw)?.sl_no = "1a".into();
        Some(())
    }),
    fault("an e-mail address has two at signs", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.em = "a@b@c.in".into();
        Some(())
    }),
    fault("a phone number has a blank", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.ph = "080 1234567".into();
        Some(())
    }),
    fault("a text has a double quote", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.addr1 = "7 \"Station\" Street".into();
        Some(())
    }),
    fault("a text has a backslash", "schema.pattern", "5002", &[], |case, _| {
        case.invoice.buyer_dtls.addr1 = "7\\8 Station Street".into();
        Some(())
    }),
    fault("the supply type is B2C", "schema.enum", "5002", &["items.tot_item_val"], |case, _| {
        case.invoice.tran_dtls.sup_typ = raw("\"B2C\"");
        Some(())
    }),
    fault("the version is 1.0", "schema.enum", "5002", &[], |case, _| {
        case.invoice.version = "1.0".into();
        Some(())
    }),
    fault("the tax scheme is VAT", "schema.enum", "5002", &[], |case, _| {
        case.invoice.tran_dtls.tax_sch = "VAT".into();
        Some(())
    }),
    fault("a yes is a small letter", "schema.enum", "5002", &[], |case, draw| {
        case.item(draw)?.is_servc = raw("\"y\"");
        Some(())
    }),
    fault("the mode of transport is 5", "schema.enum", "5002", &[], |case, _| {
        case.invoice.ewb_dtls.as_mut()?.trans_mode = "5".into();
        Some(())
    }),
    fault("a PIN code has five digits", "schema.range", "5002", &[], |case, _| {
        case.invoice.seller_dtls.pin = whole(99_999);
        Some(())
    }),
    fault("the rounding is a hundred rupees", "schema.range", "5002", &["totals.tot_inv_val"], |case, _| {
        case.invoice.val_dtls.rnd_off_amt = Amount::from_paise(10_000).into();
        Some(())
    }),
    fault("the distance is 4001 km", "schema.range", "5002", &["ewb.same_pin"], |case, _| {
        case.invoice.ewb_dtls.as_mut()?.distance = whole(4_001);
        Some(())
    }),
    fault("an amount is negative", "schema.range", "5002", &[], |case, draw| {
        case.item(draw)?.pre_tax_val = Amount::from_paise(-1).into();
        Some(())
    }),
    fault("an amount has 13 digits", "schema.range", "5002", &[], |case, draw| {
        case.item(draw)?.pre_tax_val = Amount::from_paise(100_000_000_000_000).into();
        Some(())
    }),
    fault("an amount has three decimals", "schema.decimals", "5002", &[], |case, draw| {
        case.item(draw)?.pre_tax_val = raw("100.001");
        Some(())
    }),
    fault("a quantity has four decimals", "schema.decimals", "5002", &[], |case, draw| {
        case.item(draw)?.free_qty = raw("1.0001");
        Some(())
    }),
    fault("a PIN code has a decimal", "schema.decimals", "5002", &[], |case, _| {
        case.invoice.seller_dtls.pin = raw("560001.5");
        Some(())
    }),
    fault("there are no items", "items.none", "2228", &[], |case, _| {
        case.invoice.item_list.clear();
        // What depends on goods has no goods to depend on.
        case.invoice.ewb_dtls = None;
        Some(())
    }),
    fault("there is one item too many", "items.too_many", "2173", &[], |case, _| {
        case.settings.max_items = case.invoice.item_list.len().checked_sub(1).filter(|most| *most > 0)?;
        Some(())
    }),
    fault("a batch expires after 2029", "schema.late_year", "", &[], |case, draw| {
        let batch = BchDtls { nm: "B-1".into(), exp_dt: date("01/01/2030"), ..BchDtls::default() };
        case.item(draw)?.bch_dtls = Some(batch);
        Some(())
    }),
    fault("a name ends in a blank", "schema.blanks", "", &[], |case, _| {
        case.invoice.buyer_dtls.lgl_nm = "Kabuliwala ".into();
        Some(())
    }),
];

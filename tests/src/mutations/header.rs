//! Faults of the document and the transaction.

use einvoice_core::document::{DocPerdDtls, Field, PrecDocDtls, RefDtls, YesNo};

use super::{Mutation, date, fault, stranger, when};

/// What else is said of a document of October.
const AGED: &[&str] = &["items.rate_ended"];

pub(super) const FAULTS: &[Mutation] = &[
    fault("the document is of tomorrow", "document.future", "2163", &["ewb.document_early"], |case, _| {
        case.invoice.doc_dtls.dt = date("23/11/2026");
        Some(())
    }),
    fault(
        "the document is older than the floor",
        "document.floor",
        "2284",
        // Tobacco was taxed on the price of its sale then.
        &[
            "document.age_turnover",
            "items.rate_ended",
            "tax.igst_amount",
            "tax.cgst_amount",
            "tax.cgst_missing",
            "items.tot_item_val",
        ],
        |case, _| {
            case.invoice.doc_dtls.dt = date("30/09/2020");
            Some(())
        },
    ),
    fault("a large supplier reports after 31 days", "document.age", "2305", AGED, |case, _| {
        case.settings.turnover_crore_by_pan.insert(case.invoice.seller_dtls.gstin.get()?.pan()?.to_string(), 10);
        only_long_codes(case)?;
        case.invoice.doc_dtls.dt = date("22/10/2026");
        Some(())
    }),
    fault("a large supplier reports after 30 days", "document.age_limit", "2305", AGED, |case, _| {
        case.settings.turnover_crore = Some(10);
        only_long_codes(case)?;
        case.invoice.doc_dtls.dt = date("23/10/2026");
        Some(())
    }),
    fault("a supplier of unknown size reports after 30 days", "document.age_turnover", "2305", AGED, |case, _| {
        case.invoice.doc_dtls.dt = date("23/10/2026");
        Some(())
    }),
    fault("the period ends before it begins", "ref.period", "2219", &[], |case, _| {
        let period =
            DocPerdDtls { inv_st_dt: date("02/11/2026"), inv_end_dt: date("01/11/2026"), ..DocPerdDtls::default() };
        case.invoice.ref_dtls.get_or_insert_with(RefDtls::default).doc_perd_dtls = Some(period);
        Some(())
    }),
    fault("a preceding number has one character", "ref.preceding_number", "", &[], |case, _| {
        let preceding = PrecDocDtls { inv_no: "7".into(), inv_dt: date("01/11/2026"), ..PrecDocDtls::default() };
        case.invoice.ref_dtls.get_or_insert_with(RefDtls::default).prec_doc_dtls.push(preceding);
        Some(())
    }),
    fault("the supplier reports and names an operator", "tran.ecm_given", "2224", &[], |case, _| {
        case.invoice.tran_dtls.ecm_gstin = stranger(case.invoice.seller_dtls.stcd.get(), 7)?.into();
        Some(())
    }),
    fault("the operator reports and is not named", "tran.ecm_missing", "2197", &[], |case, _| {
        case.settings.reported_by = Some(stranger(case.invoice.seller_dtls.stcd.get(), 7)?.into());
        Some(())
    }),
    fault("another operator is named than reports", "tran.ecm_sender", "2169", &["tran.ecm_tcs"], |case, _| {
        case.settings.reported_by = Some(stranger(case.invoice.seller_dtls.stcd.get(), 7)?.into());
        case.invoice.tran_dtls.ecm_gstin = stranger(case.invoice.seller_dtls.stcd.get(), 8)?.into();
        Some(())
    }),
    fault("the operator is not registered as one", "tran.ecm_tcs", "2195", &[], |case, _| {
        let operator = stranger(case.invoice.seller_dtls.stcd.get(), 7)?;
        case.settings.reported_by = Some(operator.into());
        case.invoice.tran_dtls.ecm_gstin = operator.into();
        Some(())
    }),
    fault("an export or a deemed one has reverse charge", "tran.reverse_charge", "2162", &[], |case, _| {
        when(case.supply()? != einvoice_core::document::SupplyType::B2b && !case.is_sez())?;
        case.invoice.tran_dtls.reg_rev = YesNo::Yes.into();
        Some(())
    }),
    fault(
        "IGST on an intra-state supply between states",
        "tran.igst_on_intra",
        "2262",
        &["tran.igst_on_intra_reverse"],
        |case, _| {
            when(case.invoice.seller_dtls.stcd.get() != case.invoice.buyer_dtls.pos.get())?;
            case.invoice.tran_dtls.igst_on_intra = YesNo::Yes.into();
            Some(())
        },
    ),
    fault(
        "IGST on an intra-state supply without reverse charge",
        "tran.igst_on_intra_reverse",
        "2294",
        &["items.tot_item_val"],
        |case, _| {
            when(case.invoice.tran_dtls.igst_on_intra.get() == Some(YesNo::Yes))?;
            when(case.supply()? == einvoice_core::document::SupplyType::B2b)?;
            case.invoice.tran_dtls.reg_rev = Field::Absent;
            Some(())
        },
    ),
];

/// A large supplier gives six digits at least; documents with shorter codes would break that rule as well.
fn only_long_codes(case: &super::Case) -> Option<()> {
    when(case.invoice.item_list.iter().all(|item| item.hsn_cd.get().is_some_and(|code| code.digits() >= 6)))
}

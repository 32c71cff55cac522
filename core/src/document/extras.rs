//! References, supporting documents, export and e-way bill.

use crate::date::DocumentDate;
use crate::identifier::Gstin;
use crate::number::{Amount, Whole};

use super::field::{Field, Text, YesNo};
use super::member::{Pattern, date, gstin, item_amount, list, section, shaped, text, whole, yes_no};
use super::table::sections;

sections! {
    /// References to periods, earlier documents and contracts.
    struct RefDtls in RefDtlsSlot {
        /// Remarks.
        InvRm => inv_rm: Field<Text> = text(3, 100).may_be_cut();
        /// Period.
        DocPerdDtls => doc_perd_dtls: Option<DocPerdDtls> = section();
        /// Preceding documents.
        PrecDocDtls => prec_doc_dtls: Vec<PrecDocDtls> = list(0, usize::MAX);
        /// Receipt, contract, order references.
        ContrDtls => contr_dtls: Vec<ContrDtls> = list(0, usize::MAX).dropped();
    }

    /// Period a document covers.
    struct DocPerdDtls in DocPerdDtlsSlot {
        /// Start of the period.
        InvStDt => inv_st_dt: Field<DocumentDate> = date().required();
        /// End of the period.
        InvEndDt => inv_end_dt: Field<DocumentDate> = date().required().late_years_warn();
    }

    /// One preceding document.
    struct PrecDocDtls in PrecDocDtlsSlot {
        /// Number of the original document.
        InvNo => inv_no: Field<Text> = shaped(1, 16, Pattern::DocumentNumber).required();
        /// Its date.
        InvDt => inv_dt: Field<DocumentDate> = date().required();
        /// Other reference.
        OthRefNo => oth_ref_no: Field<Text> = text(1, 20);
    }

    /// One receipt, tender, contract or order reference.
    struct ContrDtls in ContrDtlsSlot {
        /// Receipt advice number.
        RecAdvRefr => rec_adv_refr: Field<Text> = text(1, 20).dropped();
        /// Receipt advice date.
        RecAdvDt => rec_adv_dt: Field<DocumentDate> = date().dropped();
        /// Tender or lot.
        TendRefr => tend_refr: Field<Text> = text(1, 20).dropped();
        /// Contract.
        ContrRefr => contr_refr: Field<Text> = text(1, 20).dropped();
        /// External reference.
        ExtRefr => ext_refr: Field<Text> = text(1, 20).dropped();
        /// Project.
        ProjRefr => proj_refr: Field<Text> = text(1, 20).dropped();
        /// Purchase order.
        PORefr => po_refr: Field<Text> = text(1, 16).dropped();
        /// Purchase order date.
        PORefDt => po_ref_dt: Field<DocumentDate> = date().dropped();
    }

    /// One supporting document.
    struct AddlDocDtls in AddlDocDtlsSlot {
        /// Link.
        Url => url: Field<Text> = text(3, 100);
        /// Document in Base64.
        Docs => docs: Field<Text> = text(3, 1000);
        /// Further information.
        Info => info: Field<Text> = text(3, 1000).may_be_cut();
    }

    /// Export.
    struct ExpDtls in ExpDtlsSlot {
        /// Shipping bill number.
        ShipBNo => ship_b_no: Field<Text> = text(1, 20);
        /// Shipping bill date.
        ShipBDt => ship_b_dt: Field<DocumentDate> = date();
        /// Port code.
        Port => port: Field<Text> = shaped(2, 10, Pattern::LettersAndDigits).in_capitals();
        /// Refund claimed.
        RefClm => ref_clm: Field<YesNo> = yes_no();
        /// Additional currency.
        ForCur => for_cur: Field<Text> = shaped(3, 16, Pattern::Letters).in_capitals();
        /// Country of export.
        CntCode => cnt_code: Field<Text> = shaped(2, 2, Pattern::Capitals).in_capitals();
        /// Export duty in INR.
        ExpDuty => exp_duty: Field<Amount> = item_amount();
    }

    /// Request for an e-way bill together with the IRN.
    struct EwbDtls in EwbDtlsSlot {
        /// Transporter GSTIN or TRANSIN.
        TransId => trans_id: Field<Gstin> = gstin();
        /// Transporter name.
        TransName => trans_name: Field<Text> = text(3, 100).may_be_cut();
        /// 1 road, 2 rail, 3 air, 4 ship.
        TransMode => trans_mode: Field<Text> = shaped(1, 1, Pattern::OneOf(&["1", "2", "3", "4"]));
        /// Km between the PIN codes; 0 asks the portal to compute it.
        Distance => distance: Field<Whole> = whole(4000).required();
        /// Transport document number.
        TransDocNo => trans_doc_no: Field<Text> = shaped(1, 15, Pattern::Reference);
        /// Transport document date.
        TransDocDt => trans_doc_dt: Field<DocumentDate> = date();
        /// Vehicle number.
        VehNo => veh_no: Field<Text> = shaped(4, 20, Pattern::LettersAndDigits);
        /// R regular, O over-dimensional.
        VehType => veh_type: Field<Text> = shaped(1, 1, Pattern::OneOf(&["O", "R"])).in_capitals();
    }
}

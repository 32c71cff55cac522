//! Totals and payment.

use crate::number::{Amount, Whole};

use super::field::{Field, Text};
use super::member::{document_amount, rounding, text, whole};
use super::table::{plain_sections, sections};

sections! {
    /// Totals of the document.
    struct ValDtls in ValDtlsSlot {
        /// Sum of `AssAmt`.
        AssVal => ass_val: Field<Amount> = document_amount().required();
        /// Sum of `CgstAmt`.
        CgstVal => cgst_val: Field<Amount> = document_amount();
        /// Sum of `SgstAmt`.
        SgstVal => sgst_val: Field<Amount> = document_amount();
        /// Sum of `IgstAmt`.
        IgstVal => igst_val: Field<Amount> = document_amount();
        /// Sum of `CesAmt` and `CesNonAdvlAmt`.
        CesVal => ces_val: Field<Amount> = document_amount();
        /// Sum of `StateCesAmt` and `StateCesNonAdvlAmt`.
        StCesVal => st_ces_val: Field<Amount> = document_amount();
        /// Discount on the document, after tax.
        Discount => discount: Field<Amount> = document_amount();
        /// Other charges on the document.
        OthChrg => oth_chrg: Field<Amount> = document_amount();
        /// Rounding.
        RndOffAmt => rnd_off_amt: Field<Amount> = rounding();
        /// Document value in INR.
        TotInvVal => tot_inv_val: Field<Amount> = document_amount().required();
        /// Document value in the additional currency.
        TotInvValFc => tot_inv_val_fc: Field<Amount> = document_amount();
    }

    /// Payment terms. The signed copy keeps little of them.
    struct PayDtls in PayDtlsSlot {
        /// Payee.
        Nm => nm: Field<Text> = text(1, 100).dropped().name();
        /// Bank account.
        AccDet => acc_det: Field<Text> = text(1, 18).dropped();
        /// Mode of payment.
        Mode => mode: Field<Text> = text(1, 18).dropped().name();
        /// Branch or IFSC.
        FinInsBr => fin_ins_br: Field<Text> = text(1, 11).dropped();
        /// Terms.
        PayTerm => pay_term: Field<Text> = text(1, 100).dropped().may_be_cut();
        /// Instruction.
        PayInstr => pay_instr: Field<Text> = text(1, 100).dropped().may_be_cut();
        /// Credit transfer.
        CrTrn => cr_trn: Field<Text> = text(1, 100).dropped().name();
        /// Direct debit.
        DirDr => dir_dr: Field<Text> = text(1, 100).dropped().name();
        /// Credit days.
        CrDay => cr_day: Field<Whole> = whole(9999).dropped();
        /// Paid in advance.
        PaidAmt => paid_amt: Field<Amount> = document_amount().dropped();
        /// Outstanding.
        PaymtDue => paymt_due: Field<Amount> = document_amount().dropped();
    }
}

plain_sections! { ValDtls }

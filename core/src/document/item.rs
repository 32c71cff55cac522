//! Items.

use crate::date::DocumentDate;
use crate::identifier::HsnCode;
use crate::number::{Amount, Quantity, Rate, UnitPrice};

use super::field::{Field, Text, YesNo};
use super::member::{Pattern, date, item_amount, list, price, quantity, rate, section, shaped, text, yes_no};
use super::table::sections;

sections! {
    /// One line of the document.
    struct Item in ItemSlot {
        /// Serial number, no two alike.
        SlNo => sl_no: Field<Text> = shaped(1, 6, Pattern::Digits).required();
        /// Description.
        PrdDesc => prd_desc: Field<Text> = text(3, 300).may_be_cut();
        /// Y for a service.
        IsServc => is_servc: Field<YesNo> = yes_no().required();
        /// HSN or SAC.
        HsnCd => hsn_cd: Field<HsnCode> = shaped(4, 8, Pattern::Hsn).required();
        /// Bar code.
        Barcde => barcde: Field<Text> = text(3, 30);
        /// Quantity; mandatory for goods.
        Qty => qty: Field<Quantity> = quantity();
        /// Quantity given free.
        FreeQty => free_qty: Field<Quantity> = quantity();
        /// Unit quantity code; mandatory for goods.
        Unit => unit: Field<Text> = shaped(3, 8, Pattern::Letters).in_capitals();
        /// Price per unit.
        UnitPrice => unit_price: Field<UnitPrice> = price().required();
        /// Gross amount = `Qty` x `UnitPrice`.
        TotAmt => tot_amt: Field<Amount> = item_amount().required();
        /// Discount on the item.
        Discount => discount: Field<Amount> = item_amount();
        /// Value before tax where it differs from the taxable value; no check.
        PreTaxVal => pre_tax_val: Field<Amount> = item_amount();
        /// Taxable value = `TotAmt` - `Discount`.
        AssAmt => ass_amt: Field<Amount> = item_amount().required();
        /// Rate in per cent: IGST rate, or CGST + SGST.
        GstRt => gst_rt: Field<Rate> = rate().required();
        /// IGST.
        IgstAmt => igst_amt: Field<Amount> = item_amount();
        /// CGST.
        CgstAmt => cgst_amt: Field<Amount> = item_amount();
        /// SGST or UTGST.
        SgstAmt => sgst_amt: Field<Amount> = item_amount();
        /// Compensation cess rate, ad valorem.
        CesRt => ces_rt: Field<Rate> = rate();
        /// Compensation cess, ad valorem.
        CesAmt => ces_amt: Field<Amount> = item_amount();
        /// Compensation cess, specific.
        CesNonAdvlAmt => ces_non_advl_amt: Field<Amount> = item_amount();
        /// State cess rate.
        StateCesRt => state_ces_rt: Field<Rate> = rate();
        /// State cess, ad valorem.
        StateCesAmt => state_ces_amt: Field<Amount> = item_amount();
        /// State cess, specific.
        StateCesNonAdvlAmt => state_ces_non_advl_amt: Field<Amount> = item_amount();
        /// Other charges on the item, outside the taxable value.
        OthChrg => oth_chrg: Field<Amount> = item_amount();
        /// Item total, taxes included.
        TotItemVal => tot_item_val: Field<Amount> = item_amount().required();
        /// Order line reference.
        OrdLineRef => ord_line_ref: Field<Text> = text(1, 50);
        /// Country of origin.
        OrgCntry => org_cntry: Field<Text> = shaped(2, 2, Pattern::Letters).in_capitals();
        /// Serial number of a unique item.
        PrdSlNo => prd_sl_no: Field<Text> = text(1, 20);
        /// Batch.
        BchDtls => bch_dtls: Option<BchDtls> = section();
        /// Attributes.
        AttribDtls => attrib_dtls: Vec<AttribDtls> = list(0, usize::MAX);
    }

    /// Batch of an item.
    struct BchDtls in BchDtlsSlot {
        /// Batch number.
        Nm => nm: Field<Text> = text(3, 20).required();
        /// Expiry date.
        ExpDt => exp_dt: Field<DocumentDate> = date().late_years_warn().dropped();
        /// Warranty date.
        WrDt => wr_dt: Field<DocumentDate> = date().late_years_warn().dropped();
    }

    /// One attribute of an item.
    struct AttribDtls in AttribDtlsSlot {
        /// Attribute name.
        Nm => nm: Field<Text> = text(1, 100).name();
        /// Attribute value.
        Val => val: Field<Text> = text(1, 100).name();
    }
}

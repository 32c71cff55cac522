//! The columns of the staging tables and the members of INV-01 they become: one list for the mapping and the tables.

use einvoice_core::mapping::{MappingConfig, Rule};

/// A column and the member it becomes.
pub(crate) type Mapped = (&'static str, &'static str);

/// What names a column of the document where the items have one of the same name.
pub(crate) const HEADER_PREFIX: &str = "header.";

/// Columns of `einv_header`.
pub(crate) const HEADER: &[Mapped] = &[
    ("sup_typ", "TranDtls.SupTyp"),
    ("reg_rev", "TranDtls.RegRev"),
    ("ecm_gstin", "TranDtls.EcmGstin"),
    ("igst_on_intra", "TranDtls.IgstOnIntra"),
    ("doc_typ", "DocDtls.Typ"),
    ("doc_no", "DocDtls.No"),
    ("doc_dt", "DocDtls.Dt"),
    ("seller_gstin", "SellerDtls.Gstin"),
    ("seller_lgl_nm", "SellerDtls.LglNm"),
    ("seller_trd_nm", "SellerDtls.TrdNm"),
    ("seller_addr1", "SellerDtls.Addr1"),
    ("seller_addr2", "SellerDtls.Addr2"),
    ("seller_loc", "SellerDtls.Loc"),
    ("seller_pin", "SellerDtls.Pin"),
    ("seller_stcd", "SellerDtls.Stcd"),
    ("seller_ph", "SellerDtls.Ph"),
    ("seller_em", "SellerDtls.Em"),
    ("buyer_gstin", "BuyerDtls.Gstin"),
    ("buyer_lgl_nm", "BuyerDtls.LglNm"),
    ("buyer_trd_nm", "BuyerDtls.TrdNm"),
    ("buyer_pos", "BuyerDtls.Pos"),
    ("buyer_addr1", "BuyerDtls.Addr1"),
    ("buyer_addr2", "BuyerDtls.Addr2"),
    ("buyer_loc", "BuyerDtls.Loc"),
    ("buyer_pin", "BuyerDtls.Pin"),
    ("buyer_stcd", "BuyerDtls.Stcd"),
    ("buyer_ph", "BuyerDtls.Ph"),
    ("buyer_em", "BuyerDtls.Em"),
    ("disp_nm", "DispDtls.Nm"),
    ("disp_addr1", "DispDtls.Addr1"),
    ("disp_addr2", "DispDtls.Addr2"),
    ("disp_loc", "DispDtls.Loc"),
    ("disp_pin", "DispDtls.Pin"),
    ("disp_stcd", "DispDtls.Stcd"),
    ("ship_gstin", "ShipDtls.Gstin"),
    ("ship_lgl_nm", "ShipDtls.LglNm"),
    ("ship_trd_nm", "ShipDtls.TrdNm"),
    ("ship_addr1", "ShipDtls.Addr1"),
    ("ship_addr2", "ShipDtls.Addr2"),
    ("ship_loc", "ShipDtls.Loc"),
    ("ship_pin", "ShipDtls.Pin"),
    ("ship_stcd", "ShipDtls.Stcd"),
    ("ass_val", "ValDtls.AssVal"),
    ("cgst_val", "ValDtls.CgstVal"),
    ("sgst_val", "ValDtls.SgstVal"),
    ("igst_val", "ValDtls.IgstVal"),
    ("ces_val", "ValDtls.CesVal"),
    ("st_ces_val", "ValDtls.StCesVal"),
    ("discount", "ValDtls.Discount"),
    ("oth_chrg", "ValDtls.OthChrg"),
    ("rnd_off_amt", "ValDtls.RndOffAmt"),
    ("tot_inv_val", "ValDtls.TotInvVal"),
    ("tot_inv_val_fc", "ValDtls.TotInvValFc"),
    ("inv_rm", "RefDtls.InvRm"),
    ("prec_inv_no", "RefDtls.PrecDocDtls.InvNo"),
    ("prec_inv_dt", "RefDtls.PrecDocDtls.InvDt"),
    ("po_ref", "RefDtls.ContrDtls.PORefr"),
    ("po_ref_dt", "RefDtls.ContrDtls.PORefDt"),
    ("ship_b_no", "ExpDtls.ShipBNo"),
    ("ship_b_dt", "ExpDtls.ShipBDt"),
    ("port", "ExpDtls.Port"),
    ("ref_clm", "ExpDtls.RefClm"),
    ("for_cur", "ExpDtls.ForCur"),
    ("cnt_code", "ExpDtls.CntCode"),
    ("exp_duty", "ExpDtls.ExpDuty"),
    ("trans_id", "EwbDtls.TransId"),
    ("trans_name", "EwbDtls.TransName"),
    ("trans_mode", "EwbDtls.TransMode"),
    ("distance", "EwbDtls.Distance"),
    ("trans_doc_no", "EwbDtls.TransDocNo"),
    ("trans_doc_dt", "EwbDtls.TransDocDt"),
    ("veh_no", "EwbDtls.VehNo"),
    ("veh_type", "EwbDtls.VehType"),
    ("pay_nm", "PayDtls.Nm"),
    ("pay_acc_det", "PayDtls.AccDet"),
    ("pay_mode", "PayDtls.Mode"),
    ("pay_fin_ins_br", "PayDtls.FinInsBr"),
    ("pay_term", "PayDtls.PayTerm"),
    ("pay_instr", "PayDtls.PayInstr"),
    ("pay_cr_trn", "PayDtls.CrTrn"),
    ("pay_dir_dr", "PayDtls.DirDr"),
    ("pay_cr_day", "PayDtls.CrDay"),
    ("pay_paid_amt", "PayDtls.PaidAmt"),
    ("pay_paymt_due", "PayDtls.PaymtDue"),
];

/// Columns of `einv_item`.
pub(crate) const ITEM: &[Mapped] = &[
    ("sl_no", "ItemList.SlNo"),
    ("prd_desc", "ItemList.PrdDesc"),
    ("is_servc", "ItemList.IsServc"),
    ("hsn_cd", "ItemList.HsnCd"),
    ("barcde", "ItemList.Barcde"),
    ("qty", "ItemList.Qty"),
    ("free_qty", "ItemList.FreeQty"),
    ("unit", "ItemList.Unit"),
    ("unit_price", "ItemList.UnitPrice"),
    ("tot_amt", "ItemList.TotAmt"),
    ("discount", "ItemList.Discount"),
    ("pre_tax_val", "ItemList.PreTaxVal"),
    ("ass_amt", "ItemList.AssAmt"),
    ("gst_rt", "ItemList.GstRt"),
    ("igst_amt", "ItemList.IgstAmt"),
    ("cgst_amt", "ItemList.CgstAmt"),
    ("sgst_amt", "ItemList.SgstAmt"),
    ("ces_rt", "ItemList.CesRt"),
    ("ces_amt", "ItemList.CesAmt"),
    ("ces_non_advl_amt", "ItemList.CesNonAdvlAmt"),
    ("state_ces_rt", "ItemList.StateCesRt"),
    ("state_ces_amt", "ItemList.StateCesAmt"),
    ("state_ces_non_advl_amt", "ItemList.StateCesNonAdvlAmt"),
    ("oth_chrg", "ItemList.OthChrg"),
    ("tot_item_val", "ItemList.TotItemVal"),
    ("ord_line_ref", "ItemList.OrdLineRef"),
    ("org_cntry", "ItemList.OrgCntry"),
    ("prd_sl_no", "ItemList.PrdSlNo"),
    ("bch_nm", "ItemList.BchDtls.Nm"),
    ("bch_exp_dt", "ItemList.BchDtls.ExpDt"),
    ("bch_wr_dt", "ItemList.BchDtls.WrDt"),
];

/// Whether both tables have a column of this name, so that the document's one goes by its long name only.
pub(crate) fn in_both(column: &str) -> bool {
    let has = |list: &[Mapped]| list.iter().any(|(name, _)| *name == column);
    has(HEADER) && has(ITEM)
}

/// The mapping of the staging tables. Rows of a query that are items with the document repeated (`flat`) have one
/// column of each name, which is then the item's.
pub(crate) fn mapping(flat: bool) -> MappingConfig {
    let mut mapping = MappingConfig::default();
    for (column, path) in HEADER {
        let name = match (in_both(column), flat) {
            (true, true) => continue,
            (true, false) => format!("{HEADER_PREFIX}{column}"),
            (false, _) => (*column).to_owned(),
        };
        mapping.set.insert((*path).to_owned(), Rule::Field(name));
    }
    for (column, path) in ITEM {
        mapping.set.insert((*path).to_owned(), Rule::from(*column));
    }
    mapping
}

#[cfg(test)]
mod tests {
    use einvoice_core::document::MemberPath;
    use einvoice_core::mapping::{Mapping, Names};

    use super::*;

    #[test]
    fn every_column_becomes_a_member_and_no_two_the_same() {
        for flat in [false, true] {
            Mapping::new(&mapping(flat), &MappingConfig::default(), Names::Folded).unwrap();
        }
        assert_eq!(mapping(false).set.len(), HEADER.len() + ITEM.len());
        for (column, path) in ITEM {
            assert!(MemberPath::parse(path).unwrap().is_of_item(), "{column}");
        }
        for (column, path) in HEADER {
            assert!(!MemberPath::parse(path).unwrap().is_of_item(), "{column}");
        }
        let both: Vec<&str> = HEADER.iter().map(|(name, _)| *name).filter(|name| in_both(name)).collect();
        assert_eq!(both, ["discount", "oth_chrg"]);
    }
}

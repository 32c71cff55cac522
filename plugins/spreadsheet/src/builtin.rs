//! The headings of the portal's bulk spreadsheet, in its order, and the mapping they make.
//!
//! The table is the one place that knows a heading: the mapping, the search for the heading row, the template and the
//! cells that results colour all come from it. Headings stood so in three exporters that have nothing to do with each
//! other; other spellings of the same heading are those of the portal's own workbook and of small programs.

use std::collections::HashMap;
use std::sync::LazyLock;

use einvoice_core::mapping::{MappingConfig, Rule};
use einvoice_core::spelling;

/// The blocks of the sheet, of which the template shows some by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// What every invoice needs.
    Main,
    /// Supplier details, which the portal's sheet takes from elsewhere.
    Seller,
    /// The full variant: batches, payment, references, supporting documents.
    Full,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading {
    /// As the template writes it; `*` marks what INV-01 requires.
    pub(crate) text: &'static str,
    /// The member of INV-01.
    pub(crate) path: &'static str,
    pub(crate) block: Block,
    /// Other spellings of the same heading.
    pub(crate) also: &'static [&'static str],
}

const fn main(text: &'static str, path: &'static str, also: &'static [&'static str]) -> Heading {
    Heading { text, path, block: Block::Main, also }
}

const fn seller(text: &'static str, path: &'static str, also: &'static [&'static str]) -> Heading {
    Heading { text, path, block: Block::Seller, also }
}

const fn full(text: &'static str, path: &'static str, also: &'static [&'static str]) -> Heading {
    Heading { text, path, block: Block::Full, also }
}

/// Begins the name of a value-block column whose heading stands among the items too: the second `Discount` of a sheet is
/// `Total Discount` to a mapping.
pub(crate) const TOTAL: &str = "Total";

/// Headings that stand both among the items and among the totals, folded. Which one is meant, its place tells.
pub(crate) const IN_BOTH_BLOCKS: [&str; 7] =
    ["discount", "othercharges", "sgstamt", "cgstamt", "igstamt", "cessamt", "statecessamt"];

/// The headings by which the value block is known to have begun, folded.
pub(crate) const BEGINS_TOTALS: [&str; 2] = ["totaltaxablevalue", "itemtotal"];

/// All columns, in the order of the portal's sheet.
pub(crate) const HEADINGS: &[Heading] = &[
    seller("Seller GSTIN", "SellerDtls.Gstin", &["Supplier GSTIN"]),
    seller("Seller Legal Name", "SellerDtls.LglNm", &["Supplier Legal Name"]),
    seller("Seller Trade Name", "SellerDtls.TrdNm", &["Supplier Trade Name"]),
    seller("Seller Addr1", "SellerDtls.Addr1", &["Seller Address1", "Supplier Addr1"]),
    seller("Seller Addr2", "SellerDtls.Addr2", &["Seller Address2", "Supplier Addr2"]),
    seller("Seller Location", "SellerDtls.Loc", &["Supplier Location"]),
    seller("Seller Pin Code", "SellerDtls.Pin", &["Supplier Pin Code"]),
    seller("Seller State", "SellerDtls.Stcd", &["Supplier State"]),
    seller("Seller Phone Number", "SellerDtls.Ph", &[]),
    seller("Seller Email Id", "SellerDtls.Em", &[]),
    main("Supply Type Code *", "TranDtls.SupTyp", &["Supply Type"]),
    main("Reverse Charge", "TranDtls.RegRev", &[]),
    main("e-Comm GSTIN", "TranDtls.EcmGstin", &["E-Commerce GSTIN"]),
    main("Igst On Intra", "TranDtls.IgstOnIntra", &[]),
    main("Document Type *", "DocDtls.Typ", &["Doc Type"]),
    main("Document Number *", "DocDtls.No", &["Document No", "Doc No", "Invoice Number", "Invoice No"]),
    main("Document Date (DD/MM/YYYY) *", "DocDtls.Dt", &["Document Date", "Doc Date", "Invoice Date"]),
    main("Buyer GSTIN *", "BuyerDtls.Gstin", &["Recipient GSTIN"]),
    main("Buyer Legal Name *", "BuyerDtls.LglNm", &["Recipient Legal Name"]),
    main("Buyer Trade Name", "BuyerDtls.TrdNm", &[]),
    main("Buyer POS *", "BuyerDtls.Pos", &["Place of Supply", "POS"]),
    main("Buyer Addr1 *", "BuyerDtls.Addr1", &["Buyer Address1"]),
    main("Buyer Addr2", "BuyerDtls.Addr2", &["Buyer Address2"]),
    main("Buyer Location *", "BuyerDtls.Loc", &[]),
    main("Buyer Pin Code", "BuyerDtls.Pin", &["Buyer Pin"]),
    main("Buyer State *", "BuyerDtls.Stcd", &["Buyer State Code"]),
    main("Buyer Phone Number", "BuyerDtls.Ph", &["Buyer Phone"]),
    main("Buyer Email Id", "BuyerDtls.Em", &["Buyer Email"]),
    main("Dispatch Name", "DispDtls.Nm", &[]),
    main("Dispatch Addr1", "DispDtls.Addr1", &["Dispatch Address1"]),
    main("Dispatch Addr2", "DispDtls.Addr2", &["Dispatch Address2"]),
    main("Dispatch Location", "DispDtls.Loc", &[]),
    main("Dispatch Pin Code", "DispDtls.Pin", &[]),
    main("Dispatch State", "DispDtls.Stcd", &[]),
    main("Shipping GSTIN", "ShipDtls.Gstin", &[]),
    main("Shipping Legal Name", "ShipDtls.LglNm", &[]),
    main("Shipping Trade Name", "ShipDtls.TrdNm", &[]),
    main("Shipping Addr1", "ShipDtls.Addr1", &["Shipping Address1"]),
    main("Shipping Addr2", "ShipDtls.Addr2", &["Shipping Address2"]),
    main("Shipping Location", "ShipDtls.Loc", &[]),
    main("Shipping Pin Code", "ShipDtls.Pin", &[]),
    main("Shipping State", "ShipDtls.Stcd", &[]),
    main("Sl.No. *", "ItemList.SlNo", &["Serial No", "Serial Number"]),
    main("Product Description", "ItemList.PrdDesc", &["Item Description"]),
    main("Is Service *", "ItemList.IsServc", &[]),
    main("HSN Code *", "ItemList.HsnCd", &["HSN", "HSN/SAC"]),
    main("Bar Code", "ItemList.Barcde", &[]),
    main("Quantity *", "ItemList.Qty", &["Qty"]),
    main("Free Quantity", "ItemList.FreeQty", &["Free Qty"]),
    main("Unit *", "ItemList.Unit", &["UQC", "UOM"]),
    main("Unit Price *", "ItemList.UnitPrice", &[]),
    main("Gross Amount", "ItemList.TotAmt", &["Gross Amt"]),
    main("Discount", "ItemList.Discount", &[]),
    main("Pre Tax Value", "ItemList.PreTaxVal", &[]),
    main("Taxable value *", "ItemList.AssAmt", &[]),
    main("GST Rate (%) *", "ItemList.GstRt", &["GST %"]),
    main("Sgst Amt(Rs)", "ItemList.SgstAmt", &["Sgst Amt", "Sgst/Utgst Amt(Rs)"]),
    main("Cgst Amt(Rs)", "ItemList.CgstAmt", &["Cgst Amt"]),
    main("Igst Amt(Rs)", "ItemList.IgstAmt", &["Igst Amt"]),
    main("Cess Rate (%)", "ItemList.CesRt", &[]),
    main("Cess Amt Adval (Rs)", "ItemList.CesAmt", &["Cess Amt Adval", "Cess Amt"]),
    main("Cess Non Adval Amt (Rs)", "ItemList.CesNonAdvlAmt", &["Cess Non Adval Amt"]),
    main("State Cess Rate (%)", "ItemList.StateCesRt", &[]),
    main("State Cess Adval Amt (Rs)", "ItemList.StateCesAmt", &["State Cess Adval Amt", "State Cess Amt"]),
    main("State Cess Non-Adval Amt (Rs)", "ItemList.StateCesNonAdvlAmt", &["State Cess Non Adval Amt"]),
    main("Other Charges", "ItemList.OthChrg", &[]),
    main("Item Total *", "ItemList.TotItemVal", &[]),
    full("Order line reference", "ItemList.OrdLineRef", &[]),
    full("Origin country", "ItemList.OrgCntry", &["Orgin country"]),
    full("Unique item Sl. No.", "ItemList.PrdSlNo", &[]),
    full("Batch Name", "ItemList.BchDtls.Nm", &[]),
    full("Batch Expiry Dt", "ItemList.BchDtls.ExpDt", &["Batch Expiry Date"]),
    full("Warranty Dt", "ItemList.BchDtls.WrDt", &["Warranty Date"]),
    full("Attribute Details of the items", "ItemList.AttribDtls.Nm", &[]),
    full("Attribute Value of the Items", "ItemList.AttribDtls.Val", &[]),
    main("Total Taxable value *", "ValDtls.AssVal", &[]),
    main("Total Sgst Amt", "ValDtls.SgstVal", &[]),
    main("Total Cgst Amt", "ValDtls.CgstVal", &[]),
    main("Total Igst Amt", "ValDtls.IgstVal", &[]),
    main("Total Cess Amt", "ValDtls.CesVal", &[]),
    main("Total State Cess Amt", "ValDtls.StCesVal", &[]),
    main("Total Discount", "ValDtls.Discount", &[]),
    main("Total Other charges", "ValDtls.OthChrg", &[]),
    main("Round off", "ValDtls.RndOffAmt", &["Round off amount"]),
    main("Total Invoice value *", "ValDtls.TotInvVal", &["Invoice value"]),
    full("Total Invoice value in Additional Currency", "ValDtls.TotInvValFc", &[]),
    main("Shipping Bill No", "ExpDtls.ShipBNo", &["Shipping Bill Number"]),
    main("Shipping Bill Dt", "ExpDtls.ShipBDt", &["Shipping Bill Date"]),
    main("Port", "ExpDtls.Port", &["Port Code"]),
    main("Refund claim", "ExpDtls.RefClm", &["Supplier Refund"]),
    main("Foreign Currency", "ExpDtls.ForCur", &[]),
    main("Country Code", "ExpDtls.CntCode", &[]),
    main("Export Duty Amount", "ExpDtls.ExpDuty", &[]),
    main("Trans ID", "EwbDtls.TransId", &[]),
    main("Trans Name", "EwbDtls.TransName", &[]),
    main("Trans Mode", "EwbDtls.TransMode", &[]),
    main("Distance", "EwbDtls.Distance", &[]),
    main("Trans Doc No", "EwbDtls.TransDocNo", &["Trans Doc Number"]),
    main("Trans Doc Date", "EwbDtls.TransDocDt", &["Trans Doc Dt"]),
    main("Vehicle No", "EwbDtls.VehNo", &["Vehicle Number"]),
    main("Vehicle Type", "EwbDtls.VehType", &[]),
    full("Payee Name", "PayDtls.Nm", &[]),
    full("Account Number", "PayDtls.AccDet", &[]),
    full("Mode", "PayDtls.Mode", &["Mode of Payment"]),
    full("Branch/IFSC Code", "PayDtls.FinInsBr", &["Branch or IFSC Code"]),
    full("Term of payment", "PayDtls.PayTerm", &["Terms of payment"]),
    full("Payment instruction", "PayDtls.PayInstr", &[]),
    full("Credit Transfer", "PayDtls.CrTrn", &[]),
    full("Direct debit", "PayDtls.DirDr", &[]),
    full("Credit days", "PayDtls.CrDay", &[]),
    full("Paid amount", "PayDtls.PaidAmt", &["Paided amount"]),
    full("Due amount", "PayDtls.PaymtDue", &[]),
    full("Remarks", "RefDtls.InvRm", &[]),
    full("Invoice period start date", "RefDtls.DocPerdDtls.InvStDt", &[]),
    full("Invoice period end date", "RefDtls.DocPerdDtls.InvEndDt", &[]),
    full("Original Invoice", "RefDtls.PrecDocDtls.InvNo", &["Preceding Invoice Number"]),
    full("Preceding Invoice Date", "RefDtls.PrecDocDtls.InvDt", &["Original Invoice Date"]),
    full("Other Reference", "RefDtls.PrecDocDtls.OthRefNo", &[]),
    full("Receipt Advice Number", "RefDtls.ContrDtls.RecAdvRefr", &[]),
    full("Date of Receipt Advice", "RefDtls.ContrDtls.RecAdvDt", &[]),
    full("Lot/Batch Reference Number", "RefDtls.ContrDtls.TendRefr", &[]),
    full("Contract Reference Number", "RefDtls.ContrDtls.ContrRefr", &[]),
    full("Any other reference", "RefDtls.ContrDtls.ExtRefr", &[]),
    full("Project Reference Number", "RefDtls.ContrDtls.ProjRefr", &[]),
    full("Vendor PO Reference Number", "RefDtls.ContrDtls.PORefr", &["PO Number"]),
    full("Vendor PO Reference date", "RefDtls.ContrDtls.PORefDt", &["PO Date"]),
    full("Supporting Doc URL", "AddlDocDtls.Url", &[]),
    full("Supporting Doc in Base 64 format", "AddlDocDtls.Docs", &["Supporting Doc Base 64"]),
    full("Any additional information", "AddlDocDtls.Info", &[]),
];

/// The columns where results stand, as they are headed in a copy; a sheet that has them is a copy dropped in again.
pub(crate) const RESULTS: [&str; 12] = [
    "Status",
    "IRN",
    "AckNo",
    "AckDate",
    "SignedQRCode",
    "EwbNo",
    "EwbDate",
    "EwbValidTill",
    "EwbStatus",
    "CancelDate",
    "ErrorCode",
    "ErrorMessage",
];

/// The mapping of the portal's headings: each member from its heading, by any of its spellings.
pub(crate) fn mapping() -> MappingConfig {
    let mut mapping = MappingConfig::default();
    for heading in HEADINGS {
        let rule = if heading.also.is_empty() {
            Rule::from(heading.text)
        } else {
            let spellings = std::iter::once(heading.text).chain(heading.also.iter().copied());
            Rule::First(spellings.map(Rule::from).collect())
        };
        mapping.set.insert(heading.path.to_owned(), rule);
    }
    mapping
}

/// The heading of a member of INV-01, folded, as findings name it: `ItemList[0].HsnCd`.
pub(crate) fn heading_of(path: &str) -> Option<&'static Heading> {
    static BY_PATH: LazyLock<HashMap<&'static str, &'static Heading>> =
        LazyLock::new(|| HEADINGS.iter().map(|heading| (heading.path, heading)).collect());
    let plain: String = {
        let mut inside = false;
        path.chars()
            .filter(|letter| {
                inside = (inside || *letter == '[') && *letter != ']';
                !inside && *letter != ']'
            })
            .collect()
    };
    BY_PATH.get(plain.as_str()).copied()
}

/// A heading as records name it: folded, whatever stands in brackets left out where only that is known.
pub(crate) fn key(heading: &str, known: &dyn Fn(&str) -> bool) -> String {
    let whole = spelling::fold(heading);
    if known(&whole) {
        return whole;
    }
    let plain = match heading.split_once('(') {
        Some((before, rest)) => {
            spelling::fold(&format!("{before} {}", rest.split_once(')').map_or("", |(_, after)| after)))
        }
        None => return whole,
    };
    if known(&plain) { plain } else { whole }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use einvoice_core::document::MemberPath;
    use einvoice_core::mapping::{Mapping, Names};

    use super::*;

    #[test]
    fn every_heading_leads_to_a_member_and_no_spelling_to_two() {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for heading in HEADINGS {
            assert_eq!(MemberPath::parse(heading.path).unwrap().as_str().replace("[0]", ""), heading.path);
            for text in std::iter::once(&heading.text).chain(heading.also) {
                let other = seen.insert(spelling::fold(text), heading.path);
                assert_eq!(other, None, "{text} leads to {} too", heading.path);
            }
        }
        for result in RESULTS {
            assert!(!seen.contains_key(&spelling::fold(result)), "{result} is a heading of the input");
        }
        Mapping::new(&mapping(), &MappingConfig::default(), Names::Folded).unwrap();
    }

    #[test]
    fn what_inv_01_requires_is_marked_in_its_heading() {
        for heading in HEADINGS.iter().filter(|heading| heading.block == Block::Main && heading.text.ends_with('*')) {
            let path = MemberPath::parse(heading.path).unwrap();
            let computed = ["ItemList.SlNo", "ItemList.Qty", "ItemList.Unit"].contains(&heading.path);
            assert!(path.member().required || computed, "{}", heading.text);
        }
    }

    #[test]
    fn a_finding_leads_to_the_heading_of_its_member() {
        assert_eq!(heading_of("ItemList[12].BchDtls.Nm").map(|heading| heading.text), Some("Batch Name"));
        assert_eq!(heading_of("DocDtls.Dt").map(|heading| heading.path), Some("DocDtls.Dt"));
        assert!(heading_of("Version").is_none());
    }

    #[test]
    fn brackets_count_only_where_they_tell_columns_apart() {
        let known = |key: &str| ["gstrate", "sgstamtrs", "sgstamt"].contains(&key);
        assert_eq!(key("GST Rate (%) *", &known), "gstrate");
        assert_eq!(key("Sgst Amt(Rs)", &known), "sgstamtrs");
        assert_eq!(key("Cost (per unit) net", &known), "costperunitnet");
    }
}

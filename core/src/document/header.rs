//! Transaction, document and parties.

use crate::date::DocumentDate;
use crate::identifier::{DocumentNumber, Gstin, StateCode};
use crate::key::DocumentType;
use crate::number::Whole;

use super::field::{Field, PartyGstin, SupplyType, Text, YesNo};
use super::member::{Pattern, date, gstin, party, pin, shaped, state, text, yes_no};
use super::table::{plain_sections, sections};

sections! {
    /// Transaction: what kind of supply it is.
    struct TranDtls in TranDtlsSlot {
        /// Tax scheme, always GST.
        TaxSch => tax_sch: Field<Text> = shaped(3, 10, Pattern::OneOf(&["GST"])).required().in_capitals();
        /// Supply type.
        SupTyp => sup_typ: Field<SupplyType> = shaped(3, 10, Pattern::OneOfAnyCase(&["B2B", "SEZWP", "SEZWOP", "EXPWP", "EXPWOP", "DEXP"])).required();
        /// Y: recipient pays the tax (reverse charge); absent means N.
        RegRev => reg_rev: Field<YesNo> = yes_no().empty_is_absent();
        /// GSTIN of the e-commerce operator; only when the operator itself is the sender.
        EcmGstin => ecm_gstin: Field<Gstin> = gstin();
        /// Y: supplier state equals place of supply, yet IGST is charged; absent means N.
        IgstOnIntra => igst_on_intra: Field<YesNo> = yes_no();
    }

    /// Document: type, number and date.
    struct DocDtls in DocDtlsSlot {
        /// Document type.
        Typ => typ: Field<DocumentType> = shaped(3, 3, Pattern::OneOfAnyCase(&["INV", "CRN", "DBN"])).required();
        /// Document number, unique per supplier, type and financial year.
        No => no: Field<DocumentNumber> = shaped(1, 16, Pattern::DocumentNumber).required();
        /// Document date, DD/MM/YYYY.
        Dt => dt: Field<DocumentDate> = date().required();
    }

    /// Supplier.
    struct SellerDtls in SellerDtlsSlot {
        /// GSTIN of the supplier.
        Gstin => gstin: Field<Gstin> = gstin().required();
        /// Legal name.
        LglNm => lgl_nm: Field<Text> = text(3, 100).required().name();
        /// Trade name.
        TrdNm => trd_nm: Field<Text> = text(3, 100).may_be_cut();
        /// Building, flat, road, street of the supplier.
        Addr1 => addr1: Field<Text> = text(1, 100).required().may_be_cut();
        /// Second address line: floor, premises.
        Addr2 => addr2: Field<Text> = text(3, 100).may_be_cut();
        /// City, town or village.
        Loc => loc: Field<Text> = text(3, 50).required().may_be_cut();
        /// PIN code.
        Pin => pin: Field<Whole> = pin().required();
        /// State code.
        Stcd => stcd: Field<StateCode> = state().required();
        /// Phone.
        Ph => ph: Field<Text> = shaped(6, 12, Pattern::Digits);
        /// E-mail.
        Em => em: Field<Text> = shaped(6, 100, Pattern::Email);
    }

    /// Recipient.
    struct BuyerDtls in BuyerDtlsSlot {
        /// GSTIN, or URP for exports.
        Gstin => gstin: Field<PartyGstin> = party().required();
        /// Legal name.
        LglNm => lgl_nm: Field<Text> = text(3, 100).required().name();
        /// Trade name.
        TrdNm => trd_nm: Field<Text> = text(3, 100).may_be_cut();
        /// Place of supply: state code, 96 for exports.
        Pos => pos: Field<StateCode> = state().required();
        /// Building, flat, road, street of the recipient.
        Addr1 => addr1: Field<Text> = text(1, 100).required().may_be_cut();
        /// Second address line: floor, premises.
        Addr2 => addr2: Field<Text> = text(3, 100).may_be_cut();
        /// City, town or village.
        Loc => loc: Field<Text> = text(3, 100).required().may_be_cut();
        /// PIN code.
        Pin => pin: Field<Whole> = pin();
        /// State code.
        Stcd => stcd: Field<StateCode> = state().required();
        /// Phone.
        Ph => ph: Field<Text> = shaped(6, 12, Pattern::Digits);
        /// E-mail.
        Em => em: Field<Text> = shaped(6, 100, Pattern::Email);
    }

    /// Place of dispatch, where it is not the address of the supplier.
    struct DispDtls in DispDtlsSlot {
        /// Name of the dispatching entity.
        Nm => nm: Field<Text> = text(3, 100).required().name();
        /// Building, flat, road, street of the dispatcher.
        Addr1 => addr1: Field<Text> = text(1, 100).required().may_be_cut();
        /// Second address line: floor, premises.
        Addr2 => addr2: Field<Text> = text(3, 100).may_be_cut();
        /// City, town or village.
        Loc => loc: Field<Text> = text(3, 100).required().may_be_cut();
        /// PIN code.
        Pin => pin: Field<Whole> = pin().required();
        /// State code.
        Stcd => stcd: Field<StateCode> = state().required();
    }

    /// Consignee, where it is not the address of the recipient.
    struct ShipDtls in ShipDtlsSlot {
        /// GSTIN of the consignee or URP; becomes mandatory with `EwbDtls` if the rule on hold since July 2026 returns.
        Gstin => gstin: Field<PartyGstin> = party();
        /// Legal name.
        LglNm => lgl_nm: Field<Text> = text(3, 100).required().name();
        /// Trade name.
        TrdNm => trd_nm: Field<Text> = text(3, 100).may_be_cut();
        /// Building, flat, road, street of the consignee.
        Addr1 => addr1: Field<Text> = text(1, 100).required().may_be_cut();
        /// Second address line: floor, premises.
        Addr2 => addr2: Field<Text> = text(3, 100).may_be_cut();
        /// City, town or village.
        Loc => loc: Field<Text> = text(3, 100).required().may_be_cut();
        /// PIN code.
        Pin => pin: Field<Whole> = pin().required();
        /// State code.
        Stcd => stcd: Field<StateCode> = state().required();
    }
}

plain_sections! { TranDtls DocDtls SellerDtls BuyerDtls }

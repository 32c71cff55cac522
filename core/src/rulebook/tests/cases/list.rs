//! The cases, by subject.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = schema_cases();
    cases.extend(document_cases());
    cases.extend(party_cases());
    cases.extend(taxpayer_cases());
    cases.extend(item_cases());
    cases.extend(amount_cases());
    cases.extend(export_cases());
    cases.extend(transport_cases());
    cases.extend(address_cases());
    cases
}

fn schema_cases() -> Vec<Case> {
    vec![
        case(
            "schema.required",
            inter,
            vec![("/BuyerDtls/LglNm", json!(null))],
            vec![("/BuyerDtls/TrdNm", json!(null))],
        ),
        case("seller.pin_missing", inter, vec![("/SellerDtls/Pin", json!(null))], vec![]),
        case(
            "schema.type",
            inter,
            vec![("/SellerDtls/Pin", json!("560001"))],
            vec![("/SellerDtls/Pin", json!(560_001))],
        ),
        case(
            "schema.length",
            inter,
            vec![("/DocDtls/No", json!("A1234567890123456"))],
            vec![("/DocDtls/No", json!("A123456789012345"))],
        ),
        case("schema.pattern", inter, vec![("/DocDtls/No", json!("0007"))], vec![("/DocDtls/No", json!("1007"))]),
        case("schema.enum", inter, vec![("/TranDtls/SupTyp", json!("B2C"))], vec![("/TranDtls/SupTyp", json!("b2b"))]),
        case(
            "schema.range",
            inter,
            vec![("/ValDtls/RndOffAmt", json!(100))],
            vec![("/ValDtls/RndOffAmt", json!(0.99))],
        ),
        case(
            "schema.decimals",
            inter,
            vec![("/ItemList/0/AssAmt", json!(3000.001))],
            vec![("/ItemList/0/Qty", json!(3.001))],
        ),
        case("items.none", inter, vec![("/ItemList", json!([]))], vec![]),
        case("items.too_many", inter, vec![("/ItemList/2", json!({"SlNo": "3"}))], vec![])
            .with(|options| options.with_settings(settings(|settings| settings.max_items = 2))),
        case(
            "schema.unknown",
            inter,
            vec![("/SellerDtls/Fax", json!("1"))],
            vec![("/SellerDtls/Ph", json!("0801234567"))],
        ),
        case("schema.irn_given", inter, vec![("/Irn", json!("00"))], vec![]),
        case(
            "schema.late_year",
            inter,
            vec![("/ItemList/0/BchDtls", json!({"Nm": "B-12", "ExpDt": "01/01/2030"}))],
            vec![("/ItemList/0/BchDtls", json!({"Nm": "B-12", "ExpDt": "31/12/2029"}))],
        ),
        case(
            "schema.blanks",
            inter,
            vec![("/BuyerDtls/LglNm", json!("Madhav "))],
            vec![("/BuyerDtls/LglNm", json!("Mad hav"))],
        ),
    ]
}

fn document_cases() -> Vec<Case> {
    vec![
        case(
            "document.future",
            inter,
            vec![("/DocDtls/Dt", json!("23/11/2026"))],
            vec![("/DocDtls/Dt", json!("22/11/2026"))],
        ),
        case(
            "document.floor",
            inter,
            vec![("/DocDtls/Dt", json!("30/09/2020"))],
            vec![("/DocDtls/Dt", json!("01/10/2020"))],
        ),
        case(
            "document.age",
            inter,
            vec![("/DocDtls/Dt", json!("22/10/2026"))],
            vec![("/DocDtls/Dt", json!("23/10/2026"))],
        )
        .with(large),
        case(
            "document.age_limit",
            inter,
            vec![("/DocDtls/Dt", json!("23/10/2026"))],
            vec![("/DocDtls/Dt", json!("24/10/2026"))],
        )
        .with(large),
        case(
            "document.age_turnover",
            inter,
            vec![("/DocDtls/Dt", json!("23/10/2026"))],
            vec![("/DocDtls/Dt", json!("24/10/2026"))],
        ),
        case(
            "ref.period",
            inter,
            vec![("/RefDtls/DocPerdDtls", json!({"InvStDt": "02/11/2026", "InvEndDt": "01/11/2026"}))],
            vec![("/RefDtls/DocPerdDtls", json!({"InvStDt": "01/11/2026", "InvEndDt": "01/11/2026"}))],
        ),
        case(
            "ref.preceding_number",
            inter,
            vec![("/RefDtls/PrecDocDtls", json!([{"InvNo": "7", "InvDt": "01/11/2026"}]))],
            vec![("/RefDtls/PrecDocDtls", json!([{"InvNo": "71", "InvDt": "01/11/2026"}]))],
        ),
        case("tran.ecm_given", inter, vec![("/TranDtls/EcmGstin", json!(OPERATOR))], vec![]),
        case("tran.ecm_missing", inter, vec![], vec![("/TranDtls/EcmGstin", json!(OPERATOR))]).with(operator),
        case(
            "tran.ecm_sender",
            inter,
            vec![("/TranDtls/EcmGstin", json!(RECIPIENT))],
            vec![("/TranDtls/EcmGstin", json!(OPERATOR))],
        )
        .with(operator),
        case(
            "tran.ecm_tcs",
            inter,
            vec![("/TranDtls/EcmGstin", json!(STRANGER))],
            vec![("/TranDtls/EcmGstin", json!(OPERATOR))],
        )
        .with(operator),
        case(
            "tran.reverse_charge",
            export,
            vec![("/TranDtls/RegRev", json!("Y"))],
            vec![("/TranDtls/RegRev", json!("N"))],
        ),
        case(
            "tran.igst_on_intra",
            inter,
            vec![("/TranDtls/IgstOnIntra", json!("Y"))],
            vec![("/TranDtls/IgstOnIntra", json!("N"))],
        ),
        case(
            "tran.igst_on_intra_reverse",
            intra,
            vec![("/TranDtls/IgstOnIntra", json!("Y"))],
            vec![("/TranDtls/IgstOnIntra", json!("Y")), ("/TranDtls/RegRev", json!("Y"))],
        ),
    ]
}

fn party_cases() -> Vec<Case> {
    vec![
        case("gstin.check_digit", inter, vec![("/BuyerDtls/Gstin", json!("27AABCM5678K1ZX"))], vec![]),
        case("gstin.form", inter, vec![("/BuyerDtls/Gstin", json!("27AABCM5678K0ZZ"))], vec![]),
        case("seller.urp", inter, vec![("/SellerDtls/Gstin", json!("URP"))], vec![]),
        case(
            "seller.state_known",
            inter,
            vec![("/SellerDtls/Stcd", json!("39"))],
            vec![("/SellerDtls/Stcd", json!("38"))],
        ),
        case("seller.state", inter, vec![("/SellerDtls/Stcd", json!("30"))], vec![("/SellerDtls/Stcd", json!("29"))]),
        case(
            "buyer.state_known",
            inter,
            vec![("/BuyerDtls/Stcd", json!("40"))],
            vec![("/BuyerDtls/Stcd", json!("27"))],
        ),
        case("buyer.state", inter, vec![("/BuyerDtls/Stcd", json!("28"))], vec![]),
        case("buyer.export_state", export, vec![("/BuyerDtls/Stcd", json!("27"))], vec![]),
        case("buyer.same_gstin", inter, vec![("/BuyerDtls/Gstin", json!(SUPPLIER))], vec![]),
        case("buyer.urp", inter, vec![("/BuyerDtls/Gstin", json!("URP"))], vec![]),
        case(
            "buyer.deemed_export_urp",
            inter,
            vec![("/TranDtls/SupTyp", json!("DEXP")), ("/BuyerDtls/Gstin", json!("URP"))],
            vec![("/TranDtls/SupTyp", json!("DEXP"))],
        ),
        case("buyer.export_urp", export, vec![("/BuyerDtls/Gstin", json!(RECIPIENT))], vec![]),
        case("buyer.pin", inter, vec![("/BuyerDtls/Pin", json!(null))], vec![]),
        case(
            "buyer.export_pin",
            export,
            vec![("/BuyerDtls/Pin", json!(411_001))],
            vec![("/BuyerDtls/Pin", json!(null))],
        ),
        case("buyer.export_pos", export, vec![("/BuyerDtls/Pos", json!("27"))], vec![]),
        case("buyer.pos", inter, vec![("/BuyerDtls/Pos", json!("96"))], vec![("/BuyerDtls/Pos", json!("97"))]),
        case("buyer.pos_known", inter, vec![("/BuyerDtls/Pos", json!("25"))], vec![("/BuyerDtls/Pos", json!("26"))]),
        case("place.state_known", inter, vec![depot("45", 560_001)], vec![depot("29", 560_001)]),
        case(
            "place.pin_state",
            inter,
            vec![("/BuyerDtls/Pin", json!(560_001))],
            vec![("/BuyerDtls/Pin", json!(411_002))],
        ),
        case("place.pin_unknown", inter, vec![("/BuyerDtls/Pin", json!(990_001))], vec![]),
        case("dispatch.pin", inter, vec![depot("96", 999_999)], vec![depot("97", 999_999)]),
        case(
            "ship.export_place",
            export,
            vec![(
                "/ShipDtls",
                json!({"LglNm": "Gulf Traders", "Addr1": "1 Creek Road", "Loc": "Dubai", "Pin": 999_999, "Stcd": "96"}),
            )],
            vec![(
                "/ShipDtls",
                json!({"LglNm": "Chennai Port", "Addr1": "1 Rajaji Road", "Loc": "Chennai", "Pin": 600_001, "Stcd": "33"}),
            )],
        ),
    ]
}

fn taxpayer_cases() -> Vec<Case> {
    use TaxpayerKind::{Composition, InputServiceDistributor, Regular, SezDeveloper, SezUnit};
    use TaxpayerStatus::{Active, Cancelled, Inactive, Unknown};
    const EARLY: Option<Date> = Some(date(2026, 11, 1));
    const LATE: Option<Date> = Some(date(2026, 11, 10));
    let elsewhere = || vec![("/BuyerDtls/Gstin", json!(STRANGER))];
    vec![
        case("seller.kind", inter, vec![], vec![("/SellerDtls/Gstin", json!("29AAACE8888M1ZP"))])
            .with(|options| kinds(options, Composition, Regular)),
        case("seller.sez_unit", inter, vec![], vec![("/SellerDtls/Gstin", json!("29AAACE8888M1ZP"))])
            .with(|options| kinds(options, SezUnit, Regular)),
        case("buyer.sez", inter, vec![], vec![("/TranDtls/SupTyp", json!("SEZWP"))])
            .with(|options| kinds(options, Regular, SezDeveloper)),
        case("buyer.not_sez", sez, vec![], vec![("/TranDtls/SupTyp", json!("B2B"))])
            .with(|options| kinds(options, Regular, Regular)),
        case(
            "buyer.distributor_reverse_charge",
            inter,
            vec![("/TranDtls/RegRev", json!("Y"))],
            vec![("/TranDtls/RegRev", json!("N"))],
        )
        .with(|options| kinds(options, Regular, InputServiceDistributor)),
        case("buyer.deemed_export_kind", inter, vec![("/TranDtls/SupTyp", json!("DEXP"))], vec![])
            .with(|options| kinds(options, Regular, Composition)),
        case("buyer.deemed_export_kind", inter, vec![("/TranDtls/SupTyp", json!("DEXP"))], vec![])
            .with(|options| kinds(options, Regular, InputServiceDistributor)),
        case("gstin.unknown", inter, vec![], elsewhere()).with(|options| recipient_is(options, Unknown, [None, None])),
        case("gstin.inactive", inter, vec![], elsewhere())
            .with(|options| recipient_is(options, Inactive, [None, None])),
        case("gstin.before_registration", inter, vec![], vec![("/DocDtls/Dt", json!("10/11/2026"))])
            .with(|options| recipient_is(options, Active, [LATE, None])),
        case("gstin.cancelled", inter, vec![], vec![("/DocDtls/Dt", json!("01/11/2026"))])
            .with(|options| recipient_is(options, Cancelled, [Some(date(2020, 1, 1)), EARLY])),
        case("gstin.cancelled_undated", inter, vec![], elsewhere())
            .with(|options| recipient_is(options, Cancelled, [EARLY, None])),
        case("gstin.cancelled_unregistered", inter, vec![], elsewhere())
            .with(|options| recipient_is(options, Cancelled, [None, LATE])),
        case("gstin.cancelled_before", inter, vec![], vec![("/DocDtls/Dt", json!("10/11/2026"))])
            .with(|options| recipient_is(options, Cancelled, [LATE, Some(DAY)])),
    ]
}

fn item_cases() -> Vec<Case> {
    vec![
        case("items.sl_no", inter, vec![("/ItemList/1/SlNo", json!("1"))], vec![("/ItemList/1/SlNo", json!("01"))]),
        case("items.qty", inter, vec![("/ItemList/0/Qty", json!(null))], vec![("/ItemList/1/Qty", json!(null))]),
        case("items.unit", inter, vec![("/ItemList/0/Unit", json!(null))], vec![("/ItemList/1/Unit", json!(null))]),
        case(
            "items.unit_known",
            inter,
            vec![("/ItemList/0/Unit", json!("PIECES"))],
            vec![("/ItemList/0/Unit", json!("oth"))],
        ),
        case(
            "items.service",
            inter,
            vec![("/ItemList/1/HsnCd", json!("850440"))],
            vec![("/ItemList/1/HsnCd", json!("998314"))],
        ),
        case(
            "items.hsn",
            inter,
            vec![("/ItemList/0/HsnCd", json!("853099"))],
            vec![("/ItemList/0/HsnCd", json!("8504"))],
        ),
        case("items.hsn_doubtful", inter, vec![("/ItemList/0/HsnCd", json!("521211"))], vec![]),
        case(
            "items.hsn_length",
            inter,
            vec![("/ItemList/0/HsnCd", json!("8504"))],
            vec![("/ItemList/0/HsnCd", json!("850440"))],
        )
        .with(large),
        case(
            "items.country",
            inter,
            vec![("/ItemList/0/OrgCntry", json!("XX"))],
            vec![("/ItemList/0/OrgCntry", json!("DE"))],
        ),
        case("items.rate", inter, vec![("/ItemList/0/GstRt", json!(17))], vec![("/ItemList/0/GstRt", json!(7.5))]),
        case(
            "items.rate_ended",
            inter,
            vec![("/ItemList/0/GstRt", json!(12))],
            vec![("/ItemList/0/GstRt", json!(12)), ("/ItemList/0/HsnCd", json!("690100"))],
        ),
        case(
            "items.tot_amt",
            inter,
            vec![("/ItemList/0/TotAmt", json!(3003.51))],
            vec![("/ItemList/0/TotAmt", json!(3003))],
        ),
        case(
            "items.ass_amt",
            inter,
            vec![("/ItemList/0/AssAmt", json!(3001.01))],
            vec![("/ItemList/0/AssAmt", json!(3001))],
        ),
        case(
            "items.ces_amt",
            inter,
            vec![("/ItemList/0/CesRt", json!(1)), ("/ItemList/0/CesAmt", json!(31.01))],
            vec![("/ItemList/0/CesRt", json!(1)), ("/ItemList/0/CesAmt", json!(31))],
        ),
        case(
            "items.state_ces_amt",
            inter,
            vec![("/ItemList/0/StateCesRt", json!(1))],
            vec![("/ItemList/0/StateCesRt", json!(1)), ("/ItemList/0/StateCesAmt", json!(29))],
        ),
        case(
            "items.tot_item_val",
            inter,
            vec![("/ItemList/0/TotItemVal", json!(3541.01))],
            vec![("/ItemList/0/TotItemVal", json!(3541))],
        ),
    ]
}

fn amount_cases() -> Vec<Case> {
    vec![
        case(
            "tax.igst_in_intra",
            intra,
            vec![("/ItemList/0/IgstAmt", json!(540))],
            vec![("/ItemList/0/IgstAmt", json!(0))],
        ),
        case(
            "tax.cgst_in_inter",
            inter,
            vec![("/ItemList/0/CgstAmt", json!(1))],
            vec![("/ItemList/0/CgstAmt", json!(0))],
        ),
        case(
            "tax.cgst_in_export",
            export,
            vec![("/ItemList/0/SgstAmt", json!(1))],
            vec![("/ItemList/0/SgstAmt", json!(0))],
        ),
        case("tax.cgst_in_sez", sez, vec![("/ItemList/0/SgstAmt", json!(1))], vec![("/ItemList/0/SgstAmt", json!(0))]),
        case(
            "tax.cgst_missing",
            intra,
            vec![("/ItemList/0/CgstAmt", json!(null)), ("/ItemList/0/SgstAmt", json!(null))],
            vec![
                ("/ItemList/0/CgstAmt", json!(null)),
                ("/ItemList/0/SgstAmt", json!(null)),
                ("/ItemList/0/GstRt", json!(0)),
            ],
        ),
        case(
            "tax.cgst_unequal",
            intra,
            vec![("/ItemList/0/SgstAmt", json!(271.01))],
            vec![("/ItemList/0/SgstAmt", json!(271))],
        ),
        case(
            "tax.cgst_amount",
            intra,
            vec![("/ItemList/0/SgstAmt", json!(271.01))],
            vec![("/ItemList/0/SgstAmt", json!(271))],
        ),
        case(
            "tax.igst_amount",
            inter,
            vec![("/ItemList/0/IgstAmt", json!(541.01))],
            vec![("/ItemList/0/IgstAmt", json!(541))],
        ),
        case(
            "tax.igst_without_payment",
            sez,
            vec![("/TranDtls/SupTyp", json!("SEZWOP"))],
            vec![
                ("/TranDtls/SupTyp", json!("SEZWOP")),
                ("/ItemList/0/IgstAmt", json!(0)),
                ("/ItemList/1/IgstAmt", json!(null)),
            ],
        ),
        case(
            "totals.ass_val",
            inter,
            vec![("/ValDtls/AssVal", json!(3501.01))],
            vec![("/ValDtls/AssVal", json!(3499))],
        ),
        case(
            "totals.igst_val",
            inter,
            vec![("/ValDtls/IgstVal", json!(628.99))],
            vec![("/ValDtls/IgstVal", json!(629))],
        ),
        case("totals.cgst_val", intra, vec![("/ValDtls/CgstVal", json!(0))], vec![("/ValDtls/CgstVal", json!(316))]),
        case("totals.sgst_val", intra, vec![("/ValDtls/SgstVal", json!(null))], vec![("/ValDtls/SgstVal", json!(316))]),
        case(
            "totals.ces_val",
            inter,
            vec![("/ItemList/0/CesNonAdvlAmt", json!(10))],
            vec![("/ItemList/0/CesNonAdvlAmt", json!(1))],
        ),
        case(
            "totals.st_ces_val",
            inter,
            vec![("/ValDtls/StCesVal", json!(1.01))],
            vec![("/ValDtls/StCesVal", json!(1))],
        ),
        case(
            "totals.discount",
            inter,
            vec![("/ValDtls/Discount", json!(4130))],
            vec![("/ValDtls/Discount", json!(4129.99))],
        ),
        case(
            "totals.tot_inv_val",
            inter,
            vec![("/ValDtls/TotInvVal", json!(4131.01))],
            vec![("/ValDtls/TotInvVal", json!(4131))],
        ),
    ]
}

/// The invoice's ship-to, a port.
fn port(state: &str, pin: u32) -> (&'static str, Value) {
    let port = json!({"LglNm": "Chennai Port", "Addr1": "1 Rajaji Road", "Loc": "Chennai", "Pin": pin, "Stcd": state});
    ("/ShipDtls", port)
}

/// The place of dispatch.
fn depot(state: &str, pin: u32) -> (&'static str, Value) {
    let depot = json!({"Nm": "Aruna Depot", "Addr1": "1 Depot Road", "Loc": "Hosur", "Pin": pin, "Stcd": state});
    ("/DispDtls", depot)
}

/// An e-way bill by road.
fn road() -> (&'static str, Value) {
    ("/EwbDtls", json!({"TransMode": "1", "Distance": 350, "VehNo": "KA12KA1234", "VehType": "R"}))
}

fn export_cases() -> Vec<Case> {
    vec![
        case("export.country_missing", export, vec![("/ExpDtls", json!(null))], vec![]),
        case(
            "export.country",
            export,
            vec![("/ExpDtls/CntCode", json!("ZZ"))],
            vec![("/ExpDtls/CntCode", json!("SG"))],
        ),
        case(
            "export.currency",
            export,
            vec![("/ExpDtls/ForCur", json!("ZZZ"))],
            vec![("/ExpDtls/ForCur", json!("AED"))],
        ),
        case("export.port", export, vec![("/ExpDtls/Port", json!("INXXX9"))], vec![("/ExpDtls/Port", json!("INMAA1"))]),
    ]
}

fn transport_cases() -> Vec<Case> {
    let ewb = |details: Value| vec![("/EwbDtls", details)];
    vec![
        case("ewb.document", lorry, vec![("/DocDtls/Typ", json!("CRN"))], vec![]),
        case("ewb.goods", lorry, vec![("/ItemList/0/IsServc", json!("Y"))], vec![]),
        case("ewb.mode", lorry, ewb(json!({"Distance": 840})), ewb(json!({"Distance": 840, "TransId": STRANGER}))),
        case(
            "ewb.mode_missing",
            lorry,
            ewb(json!({"Distance": 840, "VehNo": "KA12KA1234"})),
            ewb(json!({"Distance": 840, "TransId": STRANGER})),
        ),
        case("ewb.vehicle", lorry, vec![("/EwbDtls/VehNo", json!(null))], vec![]),
        case(
            "ewb.vehicle_type",
            lorry,
            vec![("/EwbDtls/VehType", json!(null))],
            vec![("/EwbDtls/VehType", json!("O"))],
        ),
        case(
            "ewb.vehicle_form",
            lorry,
            vec![("/EwbDtls/VehNo", json!("12KA1234"))],
            vec![("/EwbDtls/VehNo", json!("KA123456"))],
        ),
        case(
            "ewb.document_number",
            lorry,
            ewb(json!({"TransMode": "2", "Distance": 840, "TransDocDt": "06/11/2026"})),
            ewb(json!({"TransMode": "2", "Distance": 840, "TransDocNo": "RR1", "TransDocDt": "06/11/2026"})),
        ),
        case(
            "ewb.document_date",
            lorry,
            ewb(json!({"TransMode": "3", "Distance": 840, "TransDocNo": "AWB1"})),
            ewb(json!({"TransMode": "3", "Distance": 840, "TransDocNo": "AWB1", "TransDocDt": "06/11/2026"})),
        ),
        case(
            "ewb.ship",
            lorry,
            ewb(json!({"TransMode": "4", "Distance": 840})),
            ewb(json!({"TransMode": "4", "Distance": 840, "TransDocNo": "BL1"})),
        ),
        case(
            "ewb.ship_vehicle_type",
            lorry,
            vec![("/EwbDtls/TransMode", json!("4"))],
            vec![("/EwbDtls/TransMode", json!("4")), ("/EwbDtls/VehType", json!("O"))],
        ),
        case(
            "ewb.ship_vehicle_type",
            lorry,
            ewb(json!({"TransMode": "4", "Distance": 840, "TransDocNo": "BL1", "VehType": "R"})),
            ewb(json!({"TransMode": "4", "Distance": 840, "TransDocNo": "BL1"})),
        ),
        case(
            "ewb.odc",
            lorry,
            vec![("/EwbDtls/TransMode", json!("2")), ("/EwbDtls/VehType", json!("O"))],
            vec![("/EwbDtls/TransMode", json!("2"))],
        ),
        case(
            "ewb.document_future",
            lorry,
            vec![("/EwbDtls/TransDocDt", json!("23/11/2026"))],
            vec![("/EwbDtls/TransDocDt", json!("22/11/2026"))],
        ),
        case(
            "ewb.document_early",
            lorry,
            vec![("/EwbDtls/TransDocDt", json!("04/11/2026"))],
            vec![("/EwbDtls/TransDocDt", json!("05/11/2026"))],
        ),
    ]
}

fn address_cases() -> Vec<Case> {
    vec![
        case(
            "ewb.same_pin",
            lorry,
            vec![depot("27", 411_001), ("/EwbDtls/Distance", json!(0))],
            vec![depot("27", 411_001), ("/EwbDtls/Distance", json!(100))],
        ),
        case(
            "ewb.foreign_pin",
            export,
            vec![("/EwbDtls", json!({"Distance": 0, "TransId": STRANGER}))],
            vec![("/EwbDtls", json!({"Distance": 350, "TransId": STRANGER}))],
        ),
        case("ewb.export_ship", export, vec![road()], vec![road(), port("33", 600_001)]),
        case("ewb.export_ship_state", export, vec![road(), port("96", 999_999)], vec![road(), port("33", 600_001)]),
        case("ewb.export_ship_pin", export, vec![road(), port("96", 999_999)], vec![road(), port("33", 600_001)]),
        case("ewb.dispatch_state", lorry, vec![depot("96", 999_999)], vec![depot("33", 635_109)]),
        case("ewb.dispatch_pin", lorry, vec![depot("96", 999_999)], vec![depot("33", 635_109)]),
        case("ship.gstin", shipped, vec![("/ShipDtls/Gstin", json!(null))], vec![("/ShipDtls/Gstin", json!("URP"))])
            .with(in_force),
        case(
            "ship.same_gstin",
            shipped,
            vec![("/ShipDtls/Gstin", json!(RECIPIENT))],
            vec![("/ShipDtls/Gstin", json!(STRANGER))],
        )
        .with(in_force),
        case(
            "ship.state",
            shipped,
            vec![("/ShipDtls/Gstin", json!(SUPPLIER))],
            vec![("/ShipDtls/Gstin", json!(STRANGER))],
        )
        .with(in_force),
    ]
}

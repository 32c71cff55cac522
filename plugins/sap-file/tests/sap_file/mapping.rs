//! What the mapping makes of values as SAP writes them, and what it refuses.

use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument};
use einvoice_testkit::idocs::{IdocRecipe, Segment, xml};
use serde_json::{Value, json};

use crate::folder::{Folder, document, refusal};

/// The segments of a two-item invoice, changed.
fn changed(change: impl FnOnce(&mut Vec<Segment>)) -> Folder {
    let mut segments = IdocRecipe::numbered(1).segments();
    change(&mut segments);
    Folder::new().with("x.xml", format!("<a>{}</a>", xml(&IdocRecipe::numbered(1).control(), &segments)))
}

/// Sets a field of all segments of a type, or of those with a qualifier.
fn set(segments: &mut [Segment], name: &str, qualifier: &str, field: &'static str, value: &str) {
    let is_meant = |segment: &&mut Segment| {
        segment.name == name && (qualifier.is_empty() || segment.fields.iter().any(|(_, value)| value == qualifier))
    };
    for segment in segments.iter_mut().filter(is_meant) {
        segment.fields.retain(|(known, _)| *known != field);
        segment.fields.push((field, value.to_owned()));
    }
}

/// Puts tax rows in the place of tax conditions, for each item.
fn with_tax_rows(segments: &mut Vec<Segment>, rows: &[(&str, &str, &str)]) {
    segments.retain(|segment| segment.name != "E1EDP05");
    let mut with = Vec::new();
    let mut item = 0;
    for mut segment in segments.drain(..) {
        let is_item = segment.name == "E1EDP01";
        if segment.parent > 0 {
            segment.parent = item;
        }
        with.push(segment);
        if is_item {
            item = with.len();
            for (code, rate, amount) in rows {
                with.push(Segment::new("E1EDP04", &[("MWSKZ", code), ("MSATZ", rate), ("MWSBT", amount)]).below(item));
            }
        }
    }
    *segments = with;
}

fn rules(mapped: &MappedDocument) -> Vec<&str> {
    mapped.findings.iter().map(|finding| &*finding.rule).collect()
}

fn made(mapped: &MappedDocument) -> Value {
    serde_json::from_str(&mapped.invoice.to_json()).unwrap()
}

fn taxes(mapped: &MappedDocument) -> [Value; 4] {
    let made = made(mapped);
    ["GstRt", "IgstAmt", "CgstAmt", "SgstAmt"].map(|member| made["ItemList"][0][member].clone())
}

#[tokio::test]
async fn every_member_of_an_invoice_comes_from_its_field() {
    let mapped = document(&changed(|_| {}), json!({})).await;
    insta::assert_json_snapshot!(made(&mapped));
    insta::assert_json_snapshot!(mapped.provenance);
    assert_eq!(rules(&mapped), Vec::<&str>::new());
}

#[tokio::test]
async fn taxes_are_told_by_condition_by_code_by_text_and_by_rates() {
    let halves = [json!(18), Value::Null, json!(9), json!(9)];
    let whole = [json!(18), json!(18), Value::Null, Value::Null];
    let inside = |segments: &mut Vec<Segment>| {
        set(segments, "E1EDK01", "", "KUNDEUINR", einvoice_testkit::documents::gstin(29, 2).as_str());
    };
    // One row between states, two equal ones inside the state.
    let folder = changed(|segments| with_tax_rows(segments, &[("A1", "18.000", "18.00")]));
    assert_eq!(taxes(&document(&folder, json!({})).await), whole);
    let two = [("A2", "9.000", "9.00"), ("A2", "9.000", "9.00")];
    let folder = changed(|segments| {
        inside(segments);
        with_tax_rows(segments, &two);
    });
    assert_eq!(taxes(&document(&folder, json!({})).await), halves);
    // One code for both taxes, by configuration.
    let folder = changed(|segments| {
        inside(segments);
        with_tax_rows(segments, &[("G1", "18.000", "18.00")]);
    });
    let settings = json!({ "conditions": { "tax_codes": { "G1": "halves" } } });
    assert_eq!(taxes(&document(&folder, settings).await), halves);
    // By the text of the row, whatever the rates are.
    let folder = changed(|segments| {
        with_tax_rows(segments, &[("B1", "18.000", "18.00")]);
        set(segments, "E1EDP04", "", "KTEXT", "Output igst 18%");
    });
    assert_eq!(taxes(&document(&folder, json!({})).await), whole);
    // Conditions of rates per mille.
    let folder = changed(|segments| set(segments, "E1EDP05", "JOIG", "KPERC", "180.000"));
    assert_eq!(taxes(&document(&folder, json!({})).await), whole);
    // Nothing charged.
    let folder = changed(|segments| with_tax_rows(segments, &[("A0", "0", "0")]));
    assert_eq!(taxes(&document(&folder, json!({})).await), [json!(0), json!(0), Value::Null, Value::Null]);
}

#[tokio::test]
async fn taxes_that_can_be_read_in_two_ways_are_refused_with_segment_and_line() {
    let inside = einvoice_testkit::documents::gstin(29, 2);
    for (buyer, rows) in [
        (Some(inside), &[("A1", "18.000", "18.00")][..]),
        (None, &[("A1", "9.000", "9.00"), ("A1", "9.000", "9.00")]),
        (None, &[("A1", "18.000", "18.00"), ("A2", "5.000", "5.00")]),
        (None, &[("A1", "x", "18.00")]),
    ] {
        let folder = changed(|segments| {
            if let Some(buyer) = buyer {
                set(segments, "E1EDK01", "", "KUNDEUINR", buyer.as_str());
            }
            with_tax_rows(segments, rows);
        });
        let mapped = document(&folder, json!({})).await;
        assert_eq!(rules(&mapped), ["sap.tax", "sap.tax"], "{rows:?}");
        let finding = &mapped.findings[0];
        assert!(finding.is_error() && finding.path == "ItemList[0].GstRt");
        assert!(
            finding.place.as_deref().is_some_and(|place| place.contains("in/x.xml, segment E1EDP04, line")),
            "{finding:?}"
        );
        assert_eq!(taxes(&mapped), [Value::Null, Value::Null, Value::Null, Value::Null]);
    }
}

#[tokio::test]
async fn credit_memos_with_positive_and_with_negative_amounts_are_the_same_document() {
    let credit = |segments: &mut Vec<Segment>| {
        set(segments, "E1EDK14", "015", "ORGID", "G2");
        segments.insert(4, Segment::new("E1EDK02", &[("QUALF", "011"), ("BELNR", "S/0"), ("DATUM", "20261101")]));
        for segment in segments.iter_mut().filter(|segment| segment.parent > 0) {
            segment.parent += 1;
        }
    };
    let positive = document(&changed(credit), json!({})).await;
    let negative = changed(|segments| {
        credit(segments);
        for segment in segments.iter_mut() {
            for (field, value) in &mut segment.fields {
                if matches!(*field, "BETRG" | "SUMME") {
                    value.push('-');
                }
            }
        }
    });
    let negative = document(&negative, json!({})).await;
    assert_eq!(made(&positive)["DocDtls"]["Typ"], "CRN");
    assert_eq!(made(&positive)["RefDtls"]["PrecDocDtls"], json!([{ "InvNo": "S/0", "InvDt": "01/11/2026" }]));
    assert_eq!(made(&negative), made(&positive));
    let mixed = changed(|segments| set(segments, "E1EDS01", "011", "SUMME", "354.00-"));
    assert!(rules(&document(&mixed, json!({})).await).contains(&"sap.signs"));
}

#[tokio::test]
async fn numbers_with_commas_are_read_by_one_rule_for_the_whole_idoc() {
    let commas = |segments: &mut Vec<Segment>| {
        for segment in segments.iter_mut() {
            for (field, value) in &mut segment.fields {
                if matches!(*field, "BETRG" | "SUMME" | "MENGE" | "KPERC" | "WKURS") {
                    *value = value.replace('.', ",");
                }
            }
        }
    };
    let wanted = made(&document(&changed(|_| {}), json!({})).await);
    for settings in [json!({}), json!({ "numbers": "comma" })] {
        assert_eq!(made(&document(&changed(commas), settings).await), wanted);
    }
    let both = changed(|segments| {
        commas(segments);
        set(segments, "E1EDS01", "011", "SUMME", "1,354.00");
    });
    assert!(rules(&document(&both, json!({})).await).contains(&"sap.numbers"));
}

/// One number of another form would make a hundredfold or a thousandfold of all the others.
#[tokio::test]
async fn one_number_with_a_comma_among_points_is_an_error_and_changes_no_other() {
    let odd = |value: &'static str| changed(move |segments| set(segments, "E1EDS01", "005", "SUMME", value));
    for (settings, value, said) in [(json!({}), "54,00", "and 54,00"), (json!({ "numbers": "comma" }), "54,00", "")] {
        let mapped = document(&odd(value), settings).await;
        let told: Vec<_> = mapped.findings.iter().filter(|finding| finding.rule == "sap.numbers").collect();
        let [finding] = told.as_slice() else { panic!("{:?}", mapped.findings) };
        assert!(finding.is_error() && finding.found.as_deref().is_some_and(|found| found.ends_with(said)), "{finding}");
        assert_eq!(made(&mapped)["ItemList"][0]["AssAmt"], json!(100));
    }
}

#[tokio::test]
async fn a_foreign_currency_is_turned_into_rupees_by_the_rate_of_the_idoc() {
    let dollars = changed(|segments| {
        set(segments, "E1EDK01", "", "CURCY", "USD");
        set(segments, "E1EDK01", "", "WKURS", "83.50000");
        set(segments, "E1EDKA1", "RE", "LAND1", "US");
        with_tax_rows(segments, &[("A0", "0.000", "0.00")]);
        set(segments, "E1EDS01", "005", "SUMME", "0.00");
        set(segments, "E1EDS01", "011", "SUMME", "300.00");
    });
    let made = made(&document(&dollars, json!({})).await);
    assert_eq!(made["TranDtls"]["SupTyp"], "EXPWOP");
    assert_eq!((&made["ItemList"][0]["AssAmt"], &made["ItemList"][0]["UnitPrice"]), (&json!(8350), &json!(8350)));
    assert_eq!(
        (&made["ValDtls"]["TotInvVal"], &made["ValDtls"]["TotInvValFc"], &made["ExpDtls"]["ForCur"]),
        (&json!(25_050), &json!(300), &json!("USD"))
    );
    assert_eq!((&made["BuyerDtls"]["Gstin"], &made["BuyerDtls"]["Pin"]), (&json!("URP"), &json!(999_999)));
    let without = changed(|segments| {
        set(segments, "E1EDK01", "", "CURCY", "USD");
        set(segments, "E1EDK01", "", "WKURS", "");
    });
    assert!(rules(&document(&without, json!({})).await).contains(&"sap.currency"));
}

#[tokio::test]
async fn a_rate_for_100_units_is_divided_by_what_the_setting_says_and_refused_without_it() {
    let export = |currency: &'static str, rate: &'static str| {
        changed(|segments| {
            set(segments, "E1EDK01", "", "CURCY", currency);
            set(segments, "E1EDK01", "", "WKURS", rate);
            set(segments, "E1EDKA1", "RE", "LAND1", "JP");
            with_tax_rows(segments, &[("A0", "0.000", "0.00")]);
            set(segments, "E1EDS01", "005", "SUMME", "0.00");
            set(segments, "E1EDS01", "011", "SUMME", "300.00");
        })
    };
    for (currency, rate) in
        [("JPY", "56.00000"), ("IDR", "5.25000"), ("HUF", "23.10000"), ("KRW", "6.10000"), ("VND", "3.30000")]
    {
        let mapped = document(&export(currency, rate), json!({})).await;
        let told: Vec<_> = mapped.findings.iter().filter(|finding| finding.rule == "sap.currency_units").collect();
        let [told] = told.as_slice() else { panic!("{currency}: {:?}", mapped.findings) };
        assert!(
            told.is_error() && told.found.as_deref().unwrap().starts_with(&format!("CURCY {currency}, WKURS ")),
            "{told:?}"
        );
        let fix = told.fix.as_deref().unwrap();
        assert!(
            fix.contains("OBBS") && fix.contains(&format!("{currency} = ")) && fix.contains("currency_units"),
            "{fix}"
        );
        // Not even a draft shows the hundredfold.
        assert_ne!(made(&mapped)["ValDtls"]["TotInvVal"], json!(16_800));
    }
    for (units, total, price) in [(1, "16800", "5600"), (100, "168", "56"), (1000, "16.8", "5.6")] {
        let settings = json!({ "conditions": { "currency_units": { "JPY": units } } });
        let mapped = document(&export("JPY", "56.00000"), settings).await;
        assert_eq!(rules(&mapped), Vec::<&str>::new(), "{units}");
        let made = made(&mapped);
        assert_eq!(made["ValDtls"]["TotInvVal"].to_string(), total, "{units}");
        assert_eq!(made["ItemList"][0]["UnitPrice"].to_string(), price, "{units}");
        assert_eq!((&made["ValDtls"]["TotInvValFc"], &made["ExpDtls"]["ForCur"]), (&json!(300), &json!("JPY")));
    }
    // The setting holds for its currency alone, and for those that are worth more than a rupee as well.
    let dollars = json!({ "conditions": { "currency_units": { "JPY": 100, "USD": 10 } } });
    assert_eq!(made(&document(&export("USD", "835.00000"), dollars).await)["ValDtls"]["TotInvVal"], json!(25_050));
    let others = json!({ "conditions": { "currency_units": { "KRW": 100 } } });
    assert!(rules(&document(&export("JPY", "56.00000"), others).await).contains(&"sap.currency_units"));
}

#[tokio::test]
async fn prices_by_the_thousand_discounts_and_surcharges_make_lines_that_foot() {
    let per = changed(|segments| {
        set(segments, "E1EDP26", "001", "BETRG", "100000.00");
        set(segments, "E1EDP05", "JOIG", "UPRBS", "1000");
    });
    assert_eq!(made(&document(&per, json!({})).await)["ItemList"][1]["UnitPrice"], json!(100));
    let discount = changed(|segments| set(segments, "E1EDP26", "002", "BETRG", "250.00"));
    let item = &made(&document(&discount, json!({})).await)["ItemList"][1];
    assert_eq!((&item["TotAmt"], &item["Discount"], &item["UnitPrice"]), (&json!(250), &json!(50), &json!(125)));
    let surcharge = changed(|segments| set(segments, "E1EDP26", "002", "BETRG", "80.00"));
    let mapped = document(&surcharge, json!({})).await;
    assert_eq!(
        (rules(&mapped), &made(&mapped)["ItemList"][1]["TotAmt"]),
        (vec!["sap.surcharge", "sap.surcharge"], &json!(200))
    );
}

#[tokio::test]
async fn partners_states_and_plants_come_from_where_they_are() {
    let ship = |name: &'static str, parent: usize| {
        Segment::new(
            "E1EDPA1",
            &[
                ("PARVW", "WE"),
                ("PARTN", name),
                ("NAME1", name),
                ("STRAS", "Dock 4"),
                ("ORT01", "Surat"),
                ("PSTLZ", "395003"),
                ("LAND1", "IN"),
                ("REGIO", "06"),
            ],
        )
        .below(parent)
    };
    let with = |names: [&'static str; 2]| {
        changed(move |segments| {
            let items: Vec<usize> = segments
                .iter()
                .enumerate()
                .filter(|(_, segment)| segment.name == "E1EDP01")
                .map(|(at, _)| at + 1)
                .collect();
            // At the end, so that places of parents stay.
            for (name, parent) in names.into_iter().zip(items) {
                segments.push(ship(name, parent));
            }
        })
    };
    let settings = json!({ "mapping": { "tables": { "regions": { "06": "24" } } } });
    let mapped = document(&with(["0000100300", "0000100300"]), settings.clone()).await;
    let shown = made(&mapped);
    assert_eq!(
        (&shown["ShipDtls"]["Loc"], &shown["ShipDtls"]["Stcd"], &shown["BuyerDtls"]["Pos"]),
        (&json!("Surat"), &json!("24"), &json!("24"))
    );
    assert_eq!(rules(&mapped), ["mapping.place_of_supply"]);
    let two = document(&with(["0000100300", "0000100400"]), settings).await;
    assert!(rules(&two).contains(&"sap.ship_to"));
    let unknown = document(&with(["0000100300", "0000100300"]), json!({})).await;
    assert!(rules(&unknown).contains(&"mapping.not_in_table"), "{:?}", rules(&unknown));

    let seller = einvoice_testkit::documents::gstin(29, 7);
    let plants = json!({ "plants": { "1010": { "gstin": seller.as_str(), "name": "Depot", "address1": "Gate 2", "location": "Hubli", "pin": 580_020, "state": "29" } } });
    let without = changed(|segments| set(segments, "E1EDK01", "", "EIGENUINR", ""));
    let shown = made(&document(&without, plants).await);
    assert_eq!((&shown["SellerDtls"]["Gstin"], &shown["DispDtls"]["Loc"]), (&json!(seller.as_str()), &json!("Hubli")));
    let by_company = json!({ "company_gstins": { "1000": seller.as_str() } });
    assert_eq!(made(&document(&without, by_company).await)["SellerDtls"]["Gstin"], json!(seller.as_str()));
    let two = changed(|segments| {
        let last = segments.iter().rposition(|segment| segment.name == "E1EDP01").unwrap();
        set(&mut segments[last..], "E1EDP01", "", "WERKS", "2020");
    });
    let both = json!({ "plants": { "1010": { "gstin": seller.as_str() }, "2020": { "gstin": einvoice_testkit::documents::gstin(33, 7).as_str() } } });
    assert!(rules(&document(&two, both).await).contains(&"sap.plants"));
    let region = changed(|segments| set(segments, "E1EDKA1", "RE", "REGIO", "KA"));
    assert_eq!(rules(&document(&region, json!({})).await), ["sap.region"]);
}

#[tokio::test]
async fn rules_of_a_customer_go_before_what_is_built_in() {
    let folder = changed(|segments| {
        segments.push(Segment::new("Z1HEAD", &[("POS", "33"), ("ODN", "0000000777")]));
        set(segments, "E1EDP28", "", "STAWN", "");
    });
    let settings = json!({ "mapping": {
        "set": {
            "BuyerDtls.Pos": "Z1HEAD.POS",
            "DocDtls.No": { "from": "Z1HEAD.ODN", "steps": ["strip_zeros"] },
            "ItemList.Discount": { "formula": "E1EDP26:002.BETRG - E1EDP26:003.BETRG" },
        },
        "tables": { "hsn_by_material": { "10002119": "848180" }, "units": { "PCE": "NOS" } },
    }, "keys": { "BUPLA": "Z1HEAD.POS" } });
    let mapped = document(&folder, settings).await;
    let shown = made(&mapped);
    assert_eq!((&shown["BuyerDtls"]["Pos"], &shown["DocDtls"]["No"]), (&json!("33"), &json!("777")));
    assert_eq!((&shown["ItemList"][0]["HsnCd"], &shown["ItemList"][0]["Unit"]), (&json!("848180"), &json!("NOS")));
    assert_eq!((&*mapped.attributes["BUPLA"], &*mapped.attributes["ODN"]), ("33", "777"));
}

#[tokio::test]
async fn a_key_that_is_configured_goes_before_what_the_document_would_say_under_its_name() {
    let folder = changed(|segments| segments.push(Segment::new("Z1HEAD", &[("ODN", "0000000777"), ("YEAR", "2025")])));
    let keys = json!({ "ODN": "Z1HEAD.ODN", "GJAHR": "Z1HEAD.YEAR", "DOC_TYP": "E1EDK14[015].ORGID", "ODN_DATE": "Z1HEAD.DAY" });
    let mapped = document(&folder, json!({ "keys": keys })).await;
    let of = ["ODN", "GJAHR", "DOC_TYP", "ODN_DATE"].map(|name| mapped.attributes[name].as_str());
    // Where the field has nothing, that of the document stays.
    assert_eq!(of, ["0000000777", "2025", "F2", "05/11/2026"]);
}

#[tokio::test]
async fn what_is_no_new_registration_is_passed_over_or_given_to_a_person() {
    let pro_forma = changed(|segments| set(segments, "E1EDK14", "015", "ORGID", "F8"));
    let (source, items) = pro_forma.read(json!({})).await;
    match source.map(items.records()[0]) {
        Mapped::Skipped(skip) => assert_eq!(
            (skip.reason.as_str(), skip.label.as_str()),
            ("pro_forma", "billing document 0090000001 (IDoc 0000000000180001)")
        ),
        other => panic!("{other:?}"),
    }
    let cancellation = changed(|segments| {
        set(segments, "E1EDK14", "015", "ORGID", "S1");
        set(segments, "E1EDK02", "001", "QUALF", "011");
    });
    let findings = refusal(&cancellation, json!({})).await;
    assert_eq!((&*findings[0].rule, findings[0].found.as_deref()), ("sap.cancellation", Some("PO-77")));
    let unknown = changed(|segments| set(segments, "E1EDK14", "015", "ORGID", "ZF9"));
    assert!(rules(&document(&unknown, json!({})).await).contains(&"mapping.not_in_table"));
    let free = changed(|segments| {
        let last = segments.iter().rposition(|segment| segment.name == "E1EDP01").unwrap();
        set(&mut segments[last..], "E1EDP01", "", "UEPOS", "000010");
        set(&mut segments[last..], "E1EDP26", "", "BETRG", "0.00");
    });
    let mapped = document(&free, json!({})).await;
    assert_eq!((mapped.invoice.item_list.len(), rules(&mapped)), (1, vec!["sap.free_components"]));
    let kept = document(&free, json!({ "conditions": { "drop_free_components": false } })).await;
    assert_eq!(kept.invoice.item_list.len(), 2);
}

#[tokio::test]
async fn rounding_and_charges_of_the_head_are_members_of_the_totals() {
    let folder = changed(|segments| {
        segments.push(Segment::new("E1EDK05", &[("ALCKZ", "-"), ("KSCHL", "DIFF"), ("BETRG", "0.40")]));
        segments.push(Segment::new("E1EDK05", &[("ALCKZ", "+"), ("KSCHL", "ZFRT"), ("BETRG", "50.40")]));
        set(segments, "E1EDS01", "011", "SUMME", "404.00");
    });
    let shown = made(&document(&folder, json!({ "conditions": { "charges": ["ZFRT"] } })).await);
    assert_eq!((&shown["ValDtls"]["RndOffAmt"], &shown["ValDtls"]["OthChrg"]), (&json!(-0.4), &json!(50.4)));
}

//! Whole mappings: rules, tables, constants, arithmetic, what is computed, and what is said.

use serde_json::json;

use super::*;
use crate::finding::Severity;
use crate::number::Amount;

fn config(value: serde_json::Value) -> MappingConfig {
    serde_json::from_value(value).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "records are written where they are used")]
fn record(head: serde_json::Value, lines: serde_json::Value) -> TableRecord {
    TableRecord::parse(&json!({"head": head, "lines": lines, "lines_at": ["row 7", "row 8"]}).to_string()).unwrap()
}

fn mapping(value: serde_json::Value) -> Mapping {
    Mapping::new(&MappingConfig::default(), &config(value), Names::Folded).unwrap()
}

/// Enough rules for a whole document.
fn whole() -> serde_json::Value {
    json!({
        "set": {
            "TranDtls.SupTyp": {"value": "B2B"},
            "DocDtls.Typ": "Type",
            "DocDtls.No": "Invoice No.",
            "DocDtls.Dt": "Date",
            "BuyerDtls.Gstin": "GSTIN of buyer",
            "BuyerDtls.LglNm": "Buyer",
            "BuyerDtls.Addr1": {"join": ["Door", "Street"], "with": ", "},
            "BuyerDtls.Loc": "City",
            "BuyerDtls.Pin": "Pin",
            "BuyerDtls.Pos": {"from": ["POS", "Ship State"], "default": "27"},
            "ValDtls.TotInvVal": "Total",
            "ItemList.PrdDesc": "Item",
            "ItemList.HsnCd": ["HSN", {"from": "Item", "table": "hsn"}],
            "ItemList.Qty": "Qty",
            "ItemList.Unit": {"from": "UOM", "table": "units", "keep": true},
            "ItemList.TotAmt": {"formula": "Qty * [Unit Rate] / or(Per, 1)"},
            "ItemList.GstRt": "GST %",
        },
        "tables": {"hsn": {"Brass Valve": "84818030"}, "units": {"each": "NOS"}},
        "seller": [{
            "gstin": "29AAACI1234E1Z2", "legal_name": "Invented Valves Private Limited", "address1": "Plot 1",
            "location": "Bengaluru", "pin": 560_058
        }],
    })
}

fn head() -> serde_json::Value {
    json!({
        "Type": "Tax Invoice", "INVOICE NO": "A/1", "Date": "05-11-2026", "gstin of buyer": "27AAACI1234E1Z6",
        "Buyer": "Invented Traders", "Door": "12", "Street": "Main Road", "City": "Pune", "Pin": "411 001",
        "Total": "1,33,577.00",
    })
}

#[test]
fn a_row_becomes_a_whole_document_with_the_story_of_each_value() {
    let lines = json!([
        {"Item": "Brass valve", "Qty": "1,000", "UOM": "Each", "Unit Rate": "113.20", "GST %": "18"},
        {"Item": "Gasket", "HSN": "4016.93.30", "Qty": "2", "UOM": "Nos", "Unit Rate": "10", "Per": "20", "GST %": "18 %"}
    ]);
    let mapped = mapping(whole()).map(&record(head(), lines)).unwrap();
    let expected = json!({
        "Version": "1.1",
        "TranDtls": {"TaxSch": "GST", "SupTyp": "B2B"},
        "DocDtls": {"Typ": "INV", "No": "A/1", "Dt": "05/11/2026"},
        "SellerDtls": {"Gstin": "29AAACI1234E1Z2", "LglNm": "Invented Valves Private Limited", "Addr1": "Plot 1",
            "Loc": "Bengaluru", "Pin": 560_058, "Stcd": "29"},
        "BuyerDtls": {"Gstin": "27AAACI1234E1Z6", "LglNm": "Invented Traders", "Pos": "27", "Addr1": "12, Main Road",
            "Loc": "Pune", "Pin": 411_001, "Stcd": "27"},
        "ItemList": [
            {"SlNo": "1", "PrdDesc": "Brass valve", "IsServc": "N", "HsnCd": "84818030", "Qty": 1000, "Unit": "NOS",
                "UnitPrice": 113.2, "TotAmt": 113_200, "AssAmt": 113_200, "GstRt": 18, "IgstAmt": 20_376,
                "TotItemVal": 133_576},
            {"SlNo": "2", "PrdDesc": "Gasket", "IsServc": "N", "HsnCd": "40169330", "Qty": 2, "Unit": "NOS",
                "UnitPrice": 0.5, "TotAmt": 1, "AssAmt": 1, "GstRt": 18, "IgstAmt": 0.18, "TotItemVal": 1.18}
        ],
        "ValDtls": {"AssVal": 113_201, "IgstVal": 20_376.18, "RndOffAmt": -0.18, "TotInvVal": 133_577},
    });
    let made: serde_json::Value = serde_json::from_str(&mapped.invoice.to_json()).unwrap();
    let normal = |value: &serde_json::Value| value.to_string().replace(".0,", ",").replace(".0}", "}");
    assert_eq!(normal(&made), normal(&expected));
    assert_eq!(mapped.findings, []);
    let origin = |path: &str| mapped.provenance.get(path).map(String::as_str);
    assert_eq!(origin("ItemList[1].HsnCd"), Some("column hsn, row 8"));
    assert_eq!(origin("ItemList[0].HsnCd"), Some("column item, row 7, by table hsn"));
    assert_eq!(origin("ItemList[0].TotAmt"), Some("computed: Qty * [Unit Rate] / or(Per, 1)"));
    assert_eq!(origin("BuyerDtls.Pos"), Some("configuration, as default"));
    assert_eq!(origin("ValDtls.RndOffAmt"), Some("TotInvVal less what it is made of"));
    assert_eq!(origin("SellerDtls.Stcd"), Some("the GSTIN"));
}

#[test]
fn the_place_of_supply_decides_the_taxes_and_is_said_when_it_is_inferred() {
    let mut rules = whole();
    rules["set"]["BuyerDtls.Pos"] = json!("POS");
    let lines = json!([{"Item": "Brass valve", "Qty": "1", "UOM": "Nos", "Unit Rate": "100", "GST %": "18"}]);
    let mut local = head();
    local["gstin of buyer"] = json!("29AAACI1234E1Z2");
    let map = |head| mapping(rules.clone()).map(&record(head, lines.clone())).unwrap();
    let mapped = map(local);
    let item = &mapped.invoice.item_list[0];
    let taxes = [&item.igst_amt, &item.cgst_amt, &item.sgst_amt].map(|tax| tax.get().map(Amount::paise));
    assert_eq!(taxes, [None, Some(900), Some(900)]);
    let said: Vec<(&str, &str)> = mapped.findings.iter().map(|found| (&*found.rule, found.path.as_str())).collect();
    assert_eq!(said, [("mapping.place_of_supply", "BuyerDtls.Pos")]);
    let mut stated = head();
    stated["POS"] = json!("Karnataka");
    let item = &map(stated).invoice.item_list[0];
    assert!(item.cgst_amt.get().is_some() && item.igst_amt.is_absent());
}

#[test]
fn what_a_table_lacks_what_is_no_number_and_what_is_lost_is_said_with_its_place() {
    let lines = json!([
        {"Item": "Unknown", "Qty": "one", "UOM": "Nos", "Unit Rate": "1", "GST %": "18"},
        {"Item": "Brass Valve", "HSN": "8.4E+7", "Qty": "1.00049", "UOM": "Nos", "Unit Rate": "1", "GST %": "18"}
    ]);
    let mapped = mapping(whole()).map(&record(head(), lines)).unwrap();
    let said: Vec<(&str, &str, Severity)> =
        mapped.findings.iter().map(|found| (&*found.rule, found.path.as_str(), found.severity)).collect();
    assert_eq!(
        said,
        [
            ("mapping.not_in_table", "ItemList[0].HsnCd", Severity::Error),
            ("mapping.formula", "ItemList[0].TotAmt", Severity::Error),
            ("mapping.digits_lost", "ItemList[1].HsnCd", Severity::Error),
            ("mapping.rounded", "ItemList[1].Qty", Severity::Warning),
            ("mapping.rounded", "ItemList[1].TotAmt", Severity::Warning),
        ]
    );
    assert_eq!(mapped.findings[0].place.as_deref(), Some("column item, row 7"));
    assert_eq!(mapped.invoice.item_list[0].qty.malformed(), Some("one"));
    assert!(mapped.invoice.item_list[0].tot_item_val.is_absent());
}

#[test]
fn the_configuration_goes_before_what_the_source_has_built_in() {
    let builtin = config(json!({
        "set": {"DocDtls.No": "Number", "BuyerDtls.TrdNm": "Trade name", "BuyerDtls.Em": "Mail"},
        "tables": {"units": {"ea": "NOS", "box": "BOX"}},
    }));
    let own = config(json!({
        "set": {"docdtls.no": "Bill No", "BuyerDtls.TrdNm": {"leave_out": true}, "ItemList.Unit": {"from": "U", "table": "units"}},
        "tables": {"units": {"EA": "PCS"}},
    }));
    let mapping = Mapping::new(&builtin, &own, Names::Folded).unwrap();
    let head = json!({"Number": "1", "Bill No": "2", "Trade name": "T", "Mail": "a@b.in"});
    let mapped = mapping.map(&record(head, json!([{"U": "ea"}, {"U": "Box"}]))).unwrap();
    let invoice = &mapped.invoice;
    assert_eq!(invoice.doc_dtls.no.as_ref().unwrap().as_str(), "2");
    assert!(invoice.buyer_dtls.trd_nm.is_absent() && !invoice.buyer_dtls.em.is_absent());
    let units: Vec<_> = invoice.item_list.iter().map(|item| item.unit.as_ref().unwrap().to_string()).collect();
    assert_eq!(units, ["PCS", "BOX"]);
    let mut fields: Vec<&str> = mapping.fields().collect();
    fields.sort_unstable();
    assert_eq!(fields, ["Bill No", "Mail", "U"]);
}

#[test]
fn records_are_passed_over_by_rule() {
    let skip = json!({"skip": [
        {"field": "Bill Type", "in": ["Pro-Forma"], "reason": "pro_forma"},
        {"field": "Buyer GSTIN", "blank": true, "reason": "b2c", "message": "a sale to a consumer"},
    ]});
    let skip = |head| mapping(skip.clone()).map(&record(head, json!([]))).map(|_| ()).unwrap_err();
    let found = skip(json!({"Bill type": "PRO FORMA", "Buyer GSTIN": "x"}));
    assert_eq!((found.reason.as_str(), found.message.as_str()), ("pro_forma", "Bill Type is PRO FORMA"));
    assert_eq!(skip(json!({"Bill type": "Sale"})).message, "a sale to a consumer");
}

#[test]
fn a_rule_may_look_at_what_the_source_mapped_itself() {
    let rules = json!({"set": {
        "BuyerDtls.TrdNm": {"document": "BuyerDtls.LglNm"},
        "BuyerDtls.LglNm": {"document": "BuyerDtls.TrdNm"},
        "ItemList.PrdDesc": {"join": [{"document": "ItemList.PrdDesc"}, "Colour"], "with": " - "},
    }});
    let mut mapped = mapping(json!({"complete": false})).map(&record(json!({}), json!([]))).unwrap();
    mapped.invoice.buyer_dtls.lgl_nm = "Legal".into();
    mapped.invoice.buyer_dtls.trd_nm = "Trade".into();
    mapped.invoice.item_list.resize_with(2, Default::default);
    mapped.invoice.item_list[1].prd_desc = "Valve".into();
    mapping(rules).apply(&record(json!({}), json!([{}, {"Colour": "red"}])), &mut mapped);
    let buyer = &mapped.invoice.buyer_dtls;
    assert_eq!((&**buyer.lgl_nm.as_ref().unwrap(), &**buyer.trd_nm.as_ref().unwrap()), ("Trade", "Legal"));
    assert_eq!(&**mapped.invoice.item_list[1].prd_desc.as_ref().unwrap(), "Valve - red");
}

#[test]
fn wrong_rules_are_refused_by_name_when_the_program_starts() {
    let fault = |value: serde_json::Value| {
        let config: Result<MappingConfig, _> = serde_json::from_value(value);
        match config {
            Err(error) => error.to_string(),
            Ok(config) => Mapping::new(&MappingConfig::default(), &config, Names::Folded).unwrap_err().to_string(),
        }
    };
    let set = |rule: serde_json::Value| fault(json!({"set": {"DocDtls.No": rule}}));
    assert_eq!(
        fault(json!({"set": {"DocDtls.Nо": "x"}})),
        "set.\"DocDtls.Nо\": INV-01 has no member Nо in DocDtls; did you mean No?"
    );
    assert!(set(json!({"value": "1", "from": "x"})).contains("only one of from, value, formula, join, document"));
    assert!(set(json!({"table": "t", "from": "x"})).contains("there is no table t"));
    assert!(set(json!({"formula": "1 +"})).contains("set.\"DocDtls.No\": the formula is wrong at character 4"));
    assert!(set(json!({"upper": true})).contains("unknown field `upper`"));
    assert!(set(json!([])).contains("the list of rules is empty"));
    assert!(set(json!({"steps": ["upper"]})).contains("nothing says where the value comes from"));
    assert!(set(json!(7)).contains("the name of a field, a list of rules, or a table"));
    assert!(set(json!([[[[[[[[[["x"]]]]]]]]]])).contains("nested more than 8 deep"));
}

#[test]
fn rules_that_would_do_nothing_or_what_chance_decides_are_refused_too() {
    let fault = |value: serde_json::Value| {
        Mapping::new(&MappingConfig::default(), &config(value), Names::Folded).unwrap_err().to_string()
    };
    let set = |rule: serde_json::Value| fault(json!({"set": {"DocDtls.No": rule}}));
    assert_eq!(
        set(json!({"from": "No", "keep": true})),
        "set.\"DocDtls.No\": keep is for values that a table does not have: give the table too"
    );
    assert!(set(json!({"from": "No", "with": "-"})).contains("with stands between joined values"));
    for rule in [json!("%"), json!({"from": "No", "when": "#"}), json!({"formula": "[%] * 2"})] {
        assert!(set(rule).contains("can name no field: only letters and digits of names count here"));
    }
    assert_eq!(
        fault(json!({"skip": [{"field": "Kind", "reason": "estimate"}]})),
        "skip, field \"Kind\": nothing says which records are passed over: give `in`, or `blank = true`"
    );
    assert_eq!(
        fault(json!({"tables": {"units": {"EA": "PCS", "ea.": "NOS", "Each": "NOS"}}})),
        "tables.units: EA and ea. are the same to a table, and lead to PCS and to NOS"
    );
    let same = config(json!({"tables": {"units": {"EA": "NOS", "ea.": "NOS"}}}));
    assert!(Mapping::new(&MappingConfig::default(), &same, Names::Folded).is_ok());
}

#[test]
fn a_record_that_neither_lists_nor_numbers_its_fields_is_mapped_alike() {
    #[derive(Debug)]
    struct Plain(TableRecord);
    impl Record for Plain {
        fn lines(&self) -> usize {
            self.0.lines()
        }

        fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
            self.0.value(line, name)
        }

        fn origin(&self, line: Option<usize>, name: &str) -> String {
            self.0.origin(line, name)
        }
    }
    let lines = json!([
        {"Item": "Brass valve", "Qty": "1,000", "UOM": "Each", "Unit Rate": "113.20", "GST %": "18", "Buyer": "Other"},
        {"Item": "Unknown", "HSN": " ", "Qty": "2", "UOM": "Nos", "Unit Rate": "10", "Per": "x", "GST %": "18 %"}
    ]);
    let listed = record(head(), lines);
    let (mapped, alike) =
        (mapping(whole()).map(&listed).unwrap(), mapping(whole()).map(&Plain(listed.clone())).unwrap());
    assert_eq!((&mapped.invoice, &mapped.findings), (&alike.invoice, &alike.findings));
    assert_eq!(mapped.provenance, alike.provenance);
    for (path, origin) in &mapped.provenance {
        assert_eq!(alike.clone().provenance.of(path).as_deref(), Some(origin.as_str()));
    }
}

#[test]
fn texts_are_cut_changed_and_joined_as_the_rule_says() {
    let of = |rule: serde_json::Value, value: &str| {
        let mapping = mapping(json!({"set": {"DocDtls.No": rule}, "complete": false}));
        let mapped = mapping.map(&record(json!({"F": value, "G": ""}), json!([]))).unwrap();
        mapped.invoice.doc_dtls.no.shown()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of(json!({"from": "F", "before": "-"}), "27-MAHA"), some("27"));
    assert_eq!(of(json!({"from": "F", "after": "-"}), "27-MAHA"), some("MAHA"));
    assert_eq!(of(json!({"from": "F", "steps": ["strip_zeros"]}), "0090001234"), some("90001234"));
    assert_eq!(of(json!({"from": "F", "steps": ["digits"]}), "Bill 12/3"), some("123"));
    assert_eq!(of(json!({"from": "F", "steps": ["first_line", "upper"]}), "\n abc \n def"), some("ABC"));
    assert_eq!(of(json!({"join": ["F", "G", {"value": 7}], "with": "/"}), "A"), some("A/7"));
    assert_eq!(of(json!({"from": "G"}), "A"), None);
    assert_eq!(
        (of(json!({"from": "F", "when": "G"}), "A"), of(json!({"from": "F", "when": "F"}), "A")),
        (None, some("A"))
    );
    assert_eq!(of(json!({"default": "D/1"}), "A"), some("D/1"));
}

#[test]
fn a_line_of_a_tree_takes_nothing_of_the_document_but_by_a_path_that_asks_for_it() {
    let rules = json!({"complete": false, "set": {
        "ValDtls.Discount": "/discount",
        "ItemList.Discount": "discount",
        "ItemList.OthChrg": "/freight.amount",
        "ItemList.TotAmt": {"formula": "price * [/factor]"},
    }, "skip": [{"field": "/kind", "in": ["estimate"], "reason": "estimate"}]});
    let mapping = Mapping::new(&MappingConfig::default(), &config(rules), Names::Exact).unwrap();
    let mapped = |text: &str| mapping.map(&TreeRecord::new(Tree::from_json(text).unwrap(), "rows"));
    let document = mapped(
        r#"{"discount": 50, "freight": {"amount": 7}, "factor": 2,
            "rows": [{"price": 10}, {"price": 20, "discount": 3, "freight": {"amount": 1}}]}"#,
    )
    .unwrap();
    let amount = |field: &crate::document::Field<Amount>| field.get().map(Amount::paise);
    let items: Vec<_> = document.invoice.item_list.iter().collect();
    let found: Vec<_> = items.iter().map(|item| [&item.discount, &item.oth_chrg, &item.tot_amt].map(amount)).collect();
    assert_eq!(found, [[None, Some(700), Some(2_000)], [Some(300), Some(700), Some(4_000)]]);
    assert_eq!(amount(&document.invoice.val_dtls.discount), Some(5_000));
    let origin = |path: &str| document.provenance.of(path).map(Cow::into_owned);
    assert_eq!(origin("ItemList[1].OthChrg").as_deref(), Some("freight.amount"));
    assert_eq!(origin("ItemList[1].Discount").as_deref(), Some("rows[1].discount"));
    assert_eq!(mapped(r#"{"kind": "Estimate", "rows": []}"#).unwrap_err().message, "/kind is Estimate");
}

#[test]
fn an_address_is_the_records_or_the_configured_one_and_never_half_of_each() {
    let mut rules = whole();
    for (path, field) in [("Addr1", "Branch street"), ("Loc", "Branch town"), ("Pin", "Branch pin")] {
        rules["set"][format!("SellerDtls.{path}")] = json!(field);
    }
    let address = |branch: serde_json::Value| {
        let mut head = head();
        head.as_object_mut().unwrap().extend(branch.as_object().unwrap().clone());
        let mapped = mapping(rules.clone()).map(&record(head, json!([]))).unwrap();
        let seller = &mapped.invoice.seller_dtls;
        [seller.addr1.shown(), seller.loc.shown(), seller.pin.shown()].map(Option::unwrap_or_default)
    };
    assert_eq!(address(json!({})), ["Plot 1", "Bengaluru", "560058"]);
    assert_eq!(address(json!({"Branch street": "9 Fort Road"})), ["9 Fort Road", "", ""]);
    assert_eq!(address(json!({"Branch town": "Mysuru", "Branch pin": "570001"})), ["", "Mysuru", "570001"]);
    // The record says less of the same place.
    assert_eq!(address(json!({"Branch town": "BENGALURU", "Branch pin": "560058"})), ["Plot 1", "BENGALURU", "560058"]);
}

#[test]
fn a_formula_takes_the_noise_of_binary_fractions_for_nought() {
    let rules = json!({"complete": false, "set": {"ItemList.TotAmt": {"formula": "Net + Noise"}}});
    for noise in ["7.105427357601002E-15", "1E-14", "-3.5E-30"] {
        let mapped = mapping(rules.clone()).map(&record(json!({}), json!([{"Net": "10.5", "Noise": noise}]))).unwrap();
        assert_eq!(mapped.findings, [], "{noise}");
        assert_eq!(mapped.invoice.item_list[0].tot_amt.get().map(Amount::paise), Some(1_050), "{noise}");
    }
}

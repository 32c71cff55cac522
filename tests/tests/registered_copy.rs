//! Every field of the registered document is compared with ours: whatever the portal's copy holds otherwise makes it
//! another document, but for what the portal is known to drop, add and write anew.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use einvoice_core::document::{
    AddlDocDtls, AttribDtls, BchDtls, BuyerDtls, ContrDtls, DispDtls, DocDtls, DocPerdDtls, EwbDtls, ExpDtls, Invoice,
    Item, Kind, Member, PayDtls, PrecDocDtls, RefDtls, SellerDtls, ShipDtls, TranDtls, ValDtls,
};
use einvoice_testkit::documents::Recipe;
use serde_json::{Value, json};

type Table = Vec<&'static Member>;

/// Every member table, with the place of its object in a document.
fn tables() -> Vec<(&'static str, Table)> {
    vec![
        ("", Invoice::members().collect()),
        ("/TranDtls", TranDtls::members().collect()),
        ("/DocDtls", DocDtls::members().collect()),
        ("/SellerDtls", SellerDtls::members().collect()),
        ("/BuyerDtls", BuyerDtls::members().collect()),
        ("/DispDtls", DispDtls::members().collect()),
        ("/ShipDtls", ShipDtls::members().collect()),
        ("/ItemList/0", Item::members().collect()),
        ("/ItemList/0/BchDtls", BchDtls::members().collect()),
        ("/ItemList/0/AttribDtls/0", AttribDtls::members().collect()),
        ("/ValDtls", ValDtls::members().collect()),
        ("/PayDtls", PayDtls::members().collect()),
        ("/RefDtls", RefDtls::members().collect()),
        ("/RefDtls/DocPerdDtls", DocPerdDtls::members().collect()),
        ("/RefDtls/PrecDocDtls/0", PrecDocDtls::members().collect()),
        ("/RefDtls/ContrDtls/0", ContrDtls::members().collect()),
        ("/AddlDocDtls/0", AddlDocDtls::members().collect()),
        ("/ExpDtls", ExpDtls::members().collect()),
        ("/EwbDtls", EwbDtls::members().collect()),
    ]
}

/// A document in which every member of every table stands, with a value that means something.
fn full() -> Value {
    let mut document: Value = serde_json::from_str(&Recipe { items: 2, ..Recipe::numbered(1) }.json()).unwrap();
    for (place, table) in tables() {
        for member in table {
            let object = document.pointer_mut(place).unwrap().as_object_mut().unwrap();
            let value = match member.form.kind() {
                Kind::Text if member.name.ends_with("Dt") => json!("04/11/2026"),
                Kind::Text => json!("Y"),
                Kind::Number => json!(7),
                Kind::Section => json!({}),
                _ => json!([{}]),
            };
            let held = object.entry(member.name).or_insert_with(|| value.clone());
            if *held == json!(0) || *held == json!("N") {
                *held = value;
            }
        }
    }
    document
}

/// The members on which a registered copy differs from the document.
fn differing(ours: &Value, theirs: &Value) -> Vec<String> {
    let read = |document: &Value| Invoice::from_json(&document.to_string()).unwrap().invoice;
    read(ours).differences(&read(theirs)).into_iter().map(|difference| difference.path).collect()
}

/// `/ItemList/0/HsnCd` as `ItemList[0].HsnCd`.
fn dotted(place: &str, member: &Member) -> String {
    format!("{place}/{}", member.name).trim_start_matches('/').replace("/0", "[0]").replace('/', ".")
}

#[test]
fn every_member_that_the_copy_holds_otherwise_is_a_difference() {
    let ours = full();
    assert_eq!(differing(&ours, &ours), Vec::<String>::new());
    let mut compared = 0;
    for (place, table) in tables() {
        for member in table {
            let mut theirs = ours.clone();
            let value = &mut theirs.pointer_mut(place).unwrap()[member.name];
            *value = match value {
                Value::String(text) => json!(format!("{text}1")),
                Value::Number(_) => json!(8),
                _ => continue,
            };
            assert_eq!(differing(&ours, &theirs), [dotted(place, member)]);
            compared += 1;
        }
    }
    assert!(compared > 130, "{compared}");
}

#[test]
fn every_member_that_the_copy_lacks_is_a_difference_unless_copies_are_known_to_lack_it() {
    let ours = full();
    for (place, table) in tables() {
        let drops_all = ["/PayDtls", "/RefDtls/ContrDtls/0"].contains(&place);
        for member in table {
            if matches!(member.form.kind(), Kind::Section | Kind::List) {
                continue;
            }
            let mut theirs = ours.clone();
            theirs.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(member.name);
            let path = dotted(place, member);
            let may_lack = drops_all || ["ItemList[0].BchDtls.ExpDt", "ItemList[0].BchDtls.WrDt"].contains(&&*path);
            let expected = if may_lack { vec![] } else { vec![path] };
            assert_eq!(differing(&ours, &theirs), expected);
        }
    }
}

#[test]
fn every_member_that_the_copy_has_and_we_did_not_send_is_a_difference() {
    let theirs = full();
    for (place, table) in tables() {
        for member in table {
            if matches!(member.form.kind(), Kind::Section | Kind::List) {
                continue;
            }
            let mut ours = theirs.clone();
            ours.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(member.name);
            assert_eq!(differing(&ours, &theirs), [dotted(place, member)]);
        }
    }
}

#[test]
fn sections_that_copies_are_known_to_lack_may_be_missing_whole_and_others_may_not() {
    let ours = full();
    for (section, may_lack) in [
        ("PayDtls", true),
        ("EwbDtls", true),
        ("DispDtls", false),
        ("ShipDtls", false),
        ("ExpDtls", false),
        ("RefDtls", false),
        ("AddlDocDtls", false),
    ] {
        let mut theirs = ours.clone();
        theirs.as_object_mut().unwrap().remove(section);
        assert_eq!(differing(&ours, &theirs).is_empty(), may_lack, "{section}");
    }
}

#[test]
fn numbers_written_otherwise_and_what_the_portal_adds_are_no_differences() {
    let mut ours = full();
    ours["ValDtls"]["RndOffAmt"] = json!(0);
    let mut theirs = ours.clone();
    for (place, members) in theirs.as_object_mut().unwrap() {
        if place == "ValDtls" {
            for value in members.as_object_mut().unwrap().values_mut().filter(|value| value.is_number()) {
                *value = json!(value.as_f64().unwrap());
            }
        }
    }
    assert!(theirs["ValDtls"].to_string().contains("7.0"), "{}", theirs["ValDtls"]);
    theirs["ValDtls"].as_object_mut().unwrap().remove("RndOffAmt");
    for item in theirs["ItemList"].as_array_mut().unwrap() {
        item["ItemNo"] = json!(0);
        item["UnitPrice"] = json!(item["UnitPrice"].as_f64().unwrap());
    }
    theirs["AckNo"] = json!(112_610_000_000_001_u64);
    theirs["AckDt"] = json!("2026-11-20 12:00:07");
    theirs["Irn"] = json!("0".repeat(64));
    theirs["Version"] = json!("1.01");
    assert_eq!(differing(&ours, &theirs), Vec::<String>::new());
}

#[test]
fn letter_case_tells_names_apart_and_numbers_and_codes_not() {
    let mut ours = full();
    ours["DocDtls"]["No"] = json!("inv/a7");
    ours["ItemList"][0]["Unit"] = json!("nos");
    let mut theirs = ours.clone();
    theirs["DocDtls"]["No"] = json!("INV/A7");
    theirs["DocDtls"]["Typ"] = json!("inv");
    theirs["TranDtls"]["SupTyp"] = json!("b2b");
    theirs["ItemList"][0]["Unit"] = json!("NOS");
    theirs["BuyerDtls"]["Stcd"] = json!("027".trim_start_matches('0'));
    assert_eq!(differing(&ours, &theirs), Vec::<String>::new());
    let name = theirs["BuyerDtls"]["LglNm"].as_str().unwrap().to_uppercase();
    theirs["BuyerDtls"]["LglNm"] = json!(name);
    assert_eq!(differing(&ours, &theirs), ["BuyerDtls.LglNm"]);
}

#[test]
fn items_are_known_by_their_serial_number_whatever_their_order() {
    let ours: Value = serde_json::from_str(&Recipe { items: 4, ..Recipe::numbered(1) }.json()).unwrap();
    let mut theirs = ours.clone();
    theirs["ItemList"].as_array_mut().unwrap().reverse();
    assert_eq!(differing(&ours, &theirs), Vec::<String>::new());
    // A changed amount is found at the item it belongs to, in our order.
    theirs["ItemList"][0]["AssAmt"] = json!(1);
    assert_eq!(differing(&ours, &theirs), ["ItemList[3].AssAmt"]);
    // Where serial numbers do not tell items apart, order counts.
    let (mut twice, mut other) = (ours.clone(), ours.clone());
    twice["ItemList"][1]["SlNo"] = json!("1");
    other["ItemList"][1]["SlNo"] = json!("1");
    other["ItemList"].as_array_mut().unwrap().reverse();
    assert!(!differing(&twice, &other).is_empty());
    theirs["ItemList"].as_array_mut().unwrap().pop();
    assert!(differing(&ours, &theirs).contains(&"ItemList".to_owned()));
}

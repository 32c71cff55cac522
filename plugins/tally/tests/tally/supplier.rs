//! The supplier's address: whole from one place, and never the street of one office with the PIN of another.

use einvoice_core::finding::{Finding, Severity};
use einvoice_core::source::MappedDocument;
use einvoice_testkit::documents::gstin;
use serde_json::{Value, json};

use crate::bad_input::{envelope, voucher};
use crate::vouchers::mapped;

const COMPANY: &str = "<COMPANY NAME=\"Deccan Valves (26-27)\"><BASICCOMPANYFORMALNAME>Deccan Valves Limited</BASICCOMPANYFORMALNAME>\
                       <ADDRESS.LIST><ADDRESS>Survey 41, Bommasandra</ADDRESS><ADDRESS>Hosur Road, Bengaluru</ADDRESS></ADDRESS.LIST>\
                       <STATENAME>Karnataka</STATENAME><PINCODE>560099</PINCODE></COMPANY>";

/// The bill of a supplier, whose company and registration are as told.
async fn bill(supplier: &str, company: &str, unit: &str, settings: Value) -> MappedDocument {
    let registration = format!("<TAXUNIT NAME=\"Unit\" TAXREGISTRATION=\"{supplier}\">{unit}</TAXUNIT>");
    let masters = format!("<TALLYMESSAGE>{company}</TALLYMESSAGE><TALLYMESSAGE>{registration}</TALLYMESSAGE>");
    let text = envelope(&format!("{masters}{}", voucher("1").replace("29AAKCD4821F1ZM", supplier)));
    mapped(&text, settings).await
}

fn seller(document: &MappedDocument) -> Value {
    let invoice: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    invoice.get("SellerDtls").unwrap().clone()
}

/// Errors about the supplier, by path and rule.
fn errors(document: &MappedDocument) -> Vec<(&str, &str)> {
    let of_seller = |finding: &&Finding| finding.path.starts_with("SellerDtls") && finding.severity == Severity::Error;
    document.findings.iter().filter(of_seller).map(|finding| (finding.path.as_str(), &*finding.rule)).collect()
}

#[tokio::test]
async fn a_registration_in_another_state_never_gets_the_companys_street_and_pin() {
    let nagpur = gstin(27, 1).to_string();
    let place = format!("<GSTREGNUMBER>{nagpur}</GSTREGNUMBER><GSTEINVBILLFROMPLACE>Nagpur</GSTEINVBILLFROMPLACE>");
    let document = bill(&nagpur, COMPANY, &place, json!({})).await;
    let seller_of = seller(&document);
    assert_eq!(
        (&seller_of["Addr1"], &seller_of["Pin"], &seller_of["Loc"]),
        (&Value::Null, &Value::Null, &json!("Nagpur"))
    );
    let incomplete = "tally.seller_incomplete";
    assert_eq!(errors(&document), [("SellerDtls.Addr1", incomplete), ("SellerDtls.Pin", incomplete)]);
    let told = document.findings.iter().find(|finding| finding.path == "SellerDtls.Addr1").unwrap();
    assert!(told.found.as_deref().unwrap().contains("Karnataka"), "{told:?}");
    assert!(told.fix.as_deref().unwrap().contains("`address1`"), "{told:?}");
    // Its own address is taken whole.
    let own = "<ADDRESS.LIST><ADDRESS>7, Wardha Road</ADDRESS><ADDRESS>Nagpur</ADDRESS></ADDRESS.LIST><PINCODE>440015</PINCODE>";
    let document = bill(&nagpur, COMPANY, &format!("{place}{own}"), json!({})).await;
    let seller = seller(&document);
    assert_eq!(
        (&seller["Addr1"], &seller["Loc"], &seller["Pin"]),
        (&json!("7, Wardha Road"), &json!("Nagpur"), &json!(440_015))
    );
    assert_eq!(errors(&document), []);
}

#[tokio::test]
async fn the_companys_address_keeps_its_own_town_beside_a_registration_that_names_another() {
    let own = gstin(29, 1).to_string();
    let place = format!("<GSTREGNUMBER>{own}</GSTREGNUMBER><GSTEINVBILLFROMPLACE>Hubballi</GSTEINVBILLFROMPLACE>");
    let document = bill(&own, COMPANY, &place, json!({})).await;
    let found = seller(&document);
    assert_eq!(
        (&found["Addr1"], &found["Loc"], &found["Pin"]),
        (&json!("Survey 41, Bommasandra"), &json!("Bengaluru"), &json!(560_099))
    );
    // An address that names no town known here takes that of its registration, and a person is told.
    let company = COMPANY.replace(", Bengaluru", "");
    let document = bill(&own, &company, &place, json!({})).await;
    assert_eq!(seller(&document)["Loc"], "Hubballi");
    let inferred = document.findings.iter().find(|finding| finding.rule == "tally.inferred").unwrap();
    assert!(inferred.message.contains("town Hubballi of the supplier"), "{}", inferred.message);
}

#[tokio::test]
async fn a_configured_street_takes_no_town_and_no_pin_from_the_masters() {
    let own = gstin(29, 1).to_string();
    let settings = |more: Value| {
        let mut seller = json!({ "gstin": own, "address1": "Plot 9, Gokul Road" });
        seller.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "seller": [seller] })
    };
    let document = bill(&own, COMPANY, "", settings(json!({}))).await;
    let found = seller(&document);
    assert_eq!((&found["Addr1"], &found["Pin"]), (&json!("Plot 9, Gokul Road"), &Value::Null));
    assert_ne!(found["Loc"], "Bengaluru");
    assert_eq!(
        errors(&document),
        [("SellerDtls.Loc", "tally.seller_incomplete"), ("SellerDtls.Pin", "tally.seller_incomplete")]
    );
    let told = document.findings.iter().find(|finding| finding.path == "SellerDtls.Pin").unwrap();
    assert!(told.message.contains("configured") && told.fix.as_deref().unwrap().contains("`pin`"), "{told:?}");
    let whole = bill(&own, COMPANY, "", settings(json!({ "location": "Hubballi", "pin": 580_030 }))).await;
    assert_eq!((&seller(&whole)["Loc"], &seller(&whole)["Pin"]), (&json!("Hubballi"), &json!(580_030)));
    assert_eq!(errors(&whole), []);
}

#[tokio::test]
async fn a_configured_pin_or_town_completes_the_masters_address_and_contradicts_none() {
    let own = gstin(29, 1).to_string();
    let with = |more: Value| {
        let mut seller = json!({ "gstin": own });
        seller.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "seller": [seller] })
    };
    let bare = COMPANY.replace("<PINCODE>560099</PINCODE>", "");
    let document = bill(&own, &bare, "", with(json!({ "pin": 560_099 }))).await;
    assert_eq!((&seller(&document)["Pin"], errors(&document)), (&json!(560_099), vec![]));
    for same in
        [json!({ "pin": 560_099 }), json!({ "location": "Bangalore" }), json!({ "location": "South Bengaluru" })]
    {
        assert_eq!(errors(&bill(&own, COMPANY, "", with(same.clone())).await), [], "{same}");
    }
    for (other, path, parts) in [
        (json!({ "pin": 580_030 }), "SellerDtls.Pin", ["580030", "560099", "`address1`"]),
        (json!({ "location": "Hubballi" }), "SellerDtls.Loc", ["Hubballi", "Bengaluru", "`address1`"]),
    ] {
        let document = bill(&own, COMPANY, "", with(other)).await;
        assert_eq!(errors(&document), [(path, "tally.seller_address_mixed")]);
        let told = format!("{:?}", document.findings.iter().find(|finding| finding.path == path).unwrap());
        for part in parts {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}

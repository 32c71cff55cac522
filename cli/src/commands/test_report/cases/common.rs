//! What can be wrong with a call of any API: its headers and its envelope.

use einvoice_core::raw::{HeaderChange, RawHeader};

use super::Listed;
use crate::commands::test_report::case::{Ask, Broken};

/// Codes for a token that does not fit: the portal gives one number for all of them.
const TOKEN: &[&str] = &["1005"];
const CLIENT: &[&str] = &["1010"];

/// Headers that are missing or wrong, of a call behind the login.
pub(super) fn headers(listed: &mut Listed, ask: &Ask) {
    use RawHeader::{ClientId, ClientSecret, Gstin, Site, Token, UserName};
    let without = HeaderChange::without;
    let with = HeaderChange::with;
    let cases = [
        ("without a client id", &["1011"][..], vec![without(ClientId)]),
        ("with an empty client id", &["1011"], vec![with(ClientId, "")]),
        ("without a client secret", &["1012"], vec![without(ClientSecret)]),
        ("with an empty client secret", &["1012"], vec![with(ClientSecret, "")]),
        ("without a client id and secret", &["1011"], vec![without(ClientId), without(ClientSecret)]),
        ("with a client id that does not exist", CLIENT, vec![with(ClientId, "NOSUCHCLIENT0000")]),
        ("with a wrong client secret", CLIENT, vec![with(ClientSecret, "NoSuchSecret0000")]),
        ("without the header Gstin", &["1004"], vec![without(Gstin)]),
        ("with an empty Gstin", &["1004"], vec![with(Gstin, "")]),
        ("with the GSTIN of another taxpayer", TOKEN, vec![with(Gstin, "{buyer}")]),
        ("with a Gstin that is none", TOKEN, vec![with(Gstin, "29ABC")]),
        ("with a Gstin in small letters", TOKEN, vec![with(Gstin, "29abcde1234f1z5")]),
        ("without a user name", &["1006"], vec![without(UserName)]),
        ("with an empty user name", &["1006"], vec![with(UserName, "")]),
        ("with the user name of nobody", TOKEN, vec![with(UserName, "nobody_at_all")]),
        ("without a token", TOKEN, vec![without(Token)]),
        ("with an empty token", TOKEN, vec![with(Token, "")]),
        ("with an invented token", TOKEN, vec![with(Token, "0123456789abcdefghijklmnopqr")]),
        ("with a token of one letter", TOKEN, vec![with(Token, "x")]),
        ("for the site NIC3, which does not exist", &["3098"], vec![with(Site, "NIC3")]),
        ("for a site in small letters", &["3098"], vec![with(Site, "nic1")]),
        ("for a site by its number alone", &["3098"], vec![with(Site, "1")]),
    ];
    for (title, codes, headers) in cases {
        listed.fails(title, codes, ask.clone());
        listed.last(|case| case.headers = headers);
    }
}

/// Bodies that are no right envelope, of a call that brings one.
pub(super) fn bodies(listed: &mut Listed) {
    const EMPTY: &[&str] = &["5003", "2255"];
    const UNREADABLE: &[&str] = &["5001", "5003", "2000"];
    const NO_JSON: &[&str] = &["5002", "2140", "2000"];
    let cases = [
        ("with an empty body", EMPTY, Broken::Whole("")),
        ("with an empty object for a body", EMPTY, Broken::Whole("{}")),
        ("with Data null", EMPTY, Broken::Whole(r#"{"Data":null}"#)),
        ("with Data empty", EMPTY, Broken::Data("")),
        ("with a number for Data", EMPTY, Broken::Whole(r#"{"Data":1}"#)),
        ("with the member Payload in place of Data", EMPTY, Broken::Whole(r#"{"Payload":"AAAA"}"#)),
        ("with a body that is no JSON", EMPTY, Broken::Whole("Data=AAAA")),
        ("with a list for a body", EMPTY, Broken::Whole("[]")),
        ("with Data that is no base64", UNREADABLE, Broken::Data("this is not base64!")),
        ("with Data of no whole cipher block", UNREADABLE, Broken::Data("AAAA")),
        ("with Data sealed with another key", UNREADABLE, Broken::Data("q0Yd2nJ1mC8r5wq3b1K3zq0Yd2nJ1mC8r5wq3b1K3zo=")),
        ("with Data in clear JSON", UNREADABLE, Broken::Data("{\"Irn\":\"\"}")),
        ("with sealed text that is no JSON", NO_JSON, Broken::Sealed("not JSON")),
        ("with sealed JSON that is cut off", NO_JSON, Broken::Sealed("{\"Irn\":\"ab")),
    ];
    for (title, codes, broken) in cases {
        listed.fails(title, codes, Ask::Broken(broken));
    }
}

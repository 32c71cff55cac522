//! Authentication: logins, right and wrong.

use einvoice_core::raw::{HeaderChange, LoginSealing, RawHeader};

use super::{Listed, SUCCESSES};
use crate::arguments::Api;
use crate::commands::test_report::case::{Ask, Broken, Case};

type Members = Vec<(&'static str, Option<String>)>;

fn login(members: Members) -> Ask {
    Ask::Login { members, sealing: LoginSealing::Right }
}

/// The value of a member as JSON text; `None` in its place leaves the member out.
#[expect(clippy::unnecessary_wraps, reason = "a member has a value, or is left out")]
fn text(value: &str) -> Option<String> {
    Some(format!("\"{value}\""))
}

pub(super) fn cases() -> Vec<Case> {
    let mut listed = Listed::of(Api::Auth);
    for turn in 1..=SUCCESSES {
        match turn % 5 {
            1 => listed.succeeds(format!("a login with a new AppKey, number {turn}"), login(vec![])),
            2 => listed.succeeds(
                format!("a login inside the life of the token, which brings the same token, number {turn}"),
                login(vec![]),
            ),
            3 => listed.succeeds(
                format!(
                    "a login that asks for a new token before the last ten minutes, and gets the old one, number {turn}"
                ),
                login(vec![("ForceRefreshAccessToken", Some("true".to_owned()))]),
            ),
            4 => listed.succeeds(
                format!("a login without the wish for a new token, number {turn}"),
                login(vec![("ForceRefreshAccessToken", None)]),
            ),
            _ => listed.succeeds(
                format!("a login with that wish written out as no, number {turn}"),
                login(vec![("ForceRefreshAccessToken", Some("false".to_owned()))]),
            ),
        };
        listed.last(|case| case.same_token = matches!(turn % 5, 2 | 3));
    }
    headers(&mut listed);
    credentials(&mut listed);
    app_keys(&mut listed);
    sealing(&mut listed);
    listed.cases
}

fn headers(listed: &mut Listed) {
    use RawHeader::{ClientId, ClientSecret, Gstin};
    const CLIENT: &[&str] = &["1010", "1018"];
    // A GSTIN that is not the user's is answered by the user, or by the client pair.
    const OTHER: &[&str] = &["1015", "1018", "1010", "1017"];
    let (with, without) = (HeaderChange::with, HeaderChange::without);
    let cases = [
        ("without a client id", &["1011"][..], vec![without(ClientId)]),
        ("with an empty client id", &["1011"], vec![with(ClientId, "")]),
        ("without a client secret", &["1012"], vec![without(ClientSecret)]),
        ("with an empty client secret", &["1012"], vec![with(ClientSecret, "")]),
        ("without client id and secret", &["1011"], vec![without(ClientId), without(ClientSecret)]),
        ("with a client id that does not exist", CLIENT, vec![with(ClientId, "NOSUCHCLIENT0000")]),
        ("with a client id of one letter", CLIENT, vec![with(ClientId, "x")]),
        ("with a wrong client secret", CLIENT, vec![with(ClientSecret, "NoSuchSecret0000")]),
        ("with a client secret of one letter", CLIENT, vec![with(ClientSecret, "x")]),
        ("with client id and secret both wrong", CLIENT, vec![with(ClientId, "NOSUCH"), with(ClientSecret, "NOSUCH")]),
        ("without the header Gstin", &["1004"], vec![without(Gstin)]),
        ("with an empty Gstin", &["1004"], vec![with(Gstin, "")]),
        ("with the GSTIN of another PAN", OTHER, vec![with(Gstin, "{buyer}")]),
        ("with a Gstin that is none", OTHER, vec![with(Gstin, "29ABC")]),
        ("with the PAN in place of the GSTIN", OTHER, vec![with(Gstin, "{own_pan}")]),
        ("with the word URP in place of the GSTIN", OTHER, vec![with(Gstin, "URP")]),
    ];
    for (title, codes, changes) in cases {
        listed.fails(title, codes, login(vec![]));
        listed.last(|case| case.headers = changes);
    }
}

fn credentials(listed: &mut Listed) {
    const USER: &[&str] = &["1017", "1008"];
    const PASSWORD: &[&str] = &["1019", "1008"];
    const NO_USER: &[&str] = &["1006", "1007"];
    const NO_PASSWORD: &[&str] = &["1007", "1019", "1008"];
    let cases = [
        ("with the user name of nobody", USER, vec![("UserName", text("nobody_at_all"))]),
        ("with a user name of one letter", USER, vec![("UserName", text("x"))]),
        ("with a user name of digits", USER, vec![("UserName", text("12345"))]),
        ("with the word null for a user name", USER, vec![("UserName", text("null"))]),
        ("with a blank for a user name", USER, vec![("UserName", text(" "))]),
        ("with user name and password of nobody", USER, vec![("UserName", text("nobody")), ("Password", text("No#1"))]),
        ("without a user name", NO_USER, vec![("UserName", None)]),
        ("with an empty user name", NO_USER, vec![("UserName", text(""))]),
        ("with a user name that is null", NO_USER, vec![("UserName", Some("null".to_owned()))]),
        ("with a number for a user name", NO_USER, vec![("UserName", Some("7".to_owned()))]),
        ("with a wrong password", PASSWORD, vec![("Password", text("Wrong#123"))]),
        ("with a password of one letter", PASSWORD, vec![("Password", text("x"))]),
        ("with a password of blanks", PASSWORD, vec![("Password", text("   "))]),
        ("without a password", NO_PASSWORD, vec![("Password", None)]),
        ("with an empty password", NO_PASSWORD, vec![("Password", text(""))]),
        ("with a password that is null", NO_PASSWORD, vec![("Password", Some("null".to_owned()))]),
        ("with a number for a password", NO_PASSWORD, vec![("Password", Some("7".to_owned()))]),
    ];
    for (title, codes, members) in cases {
        listed.fails(title, codes, login(members));
    }
}

fn app_keys(listed: &mut Listed) {
    const APP_KEY: &[&str] = &["1016", "1007"];
    let cases = [
        ("without an AppKey", None),
        ("with an empty AppKey", text("")),
        ("with an AppKey that is null", Some("null".to_owned())),
        ("with a number for an AppKey", Some("7".to_owned())),
        ("with an AppKey that is no base64", text("not base64 at all!")),
        ("with an AppKey of 16 bytes", text("MDEyMzQ1Njc4OWFiY2RlZg==")),
        ("with an AppKey of 31 bytes", text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==")),
        ("with an AppKey in clear", text("0123456789abcdef0123456789abcdef")),
    ];
    for (title, value) in cases {
        listed.fails(title, APP_KEY, login(vec![("AppKey", value)]));
    }
}

fn sealing(listed: &mut Listed) {
    const EMPTY: &[&str] = &["5003"];
    const SEALED: &[&str] = &["1020", "1013", "1007", "5001"];
    let sealed = |sealing| Ask::Login { members: vec![], sealing };
    listed.fails("sealed without the base64 inside", &["5001", "1020"], sealed(LoginSealing::WithoutInnerBase64));
    listed.fails("not encrypted", SEALED, sealed(LoginSealing::NotEncrypted));
    let cases = [
        ("with Data that is no base64", SEALED, Broken::Data("this is not base64!")),
        ("with Data too short for the key", SEALED, Broken::Data("AAAA")),
        ("with Data in clear JSON", SEALED, Broken::Data("{\"UserName\":\"x\"}")),
        ("with an empty body", EMPTY, Broken::Whole("")),
        ("with an empty object for a body", EMPTY, Broken::Whole("{}")),
        ("with Data null", EMPTY, Broken::Whole(r#"{"Data":null}"#)),
        ("with Data empty", EMPTY, Broken::Data("")),
        ("with a number for Data", EMPTY, Broken::Whole(r#"{"Data":1}"#)),
        ("with a body that is no JSON", EMPTY, Broken::Whole("Data=AAAA")),
        ("with a list for a body", EMPTY, Broken::Whole("[]")),
    ];
    for (title, codes, broken) in cases {
        listed.fails(title, codes, Ask::Broken(broken));
    }
}

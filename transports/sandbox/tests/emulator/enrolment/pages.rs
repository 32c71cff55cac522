//! The road by the pages, as a browser goes it: forms are read from the page, filled in, and sent.

use std::collections::BTreeMap;

use einvoice_sandbox::RegistrationSettings;
use serde_json::Value;

use super::{ADDRESS, GSTIN, Office, PAN, PASSWORD, REPORT, office};
use crate::http::Wire;

/// Somebody with a browser without JavaScript.
struct Browser<'a> {
    office: &'a Office,
    cookie: Option<String>,
}

/// A page as it arrived.
#[derive(Debug)]
struct Page {
    status: u16,
    path: String,
    html: String,
}

/// A form of a page.
#[derive(Debug)]
struct Form {
    action: String,
    multipart: bool,
    fields: BTreeMap<String, String>,
}

/// The value of an attribute of a tag, its escapes undone.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

impl Page {
    /// Every element that this one begins: from its tag on.
    fn tags<'p>(html: &'p str, name: &str) -> Vec<&'p str> {
        let open = format!("<{name}");
        html.split(&open).skip(1).filter(|rest| rest.starts_with([' ', '>'])).collect()
    }

    /// The form that posts to a path.
    fn form(&self, action: &str) -> Form {
        let form = Self::tags(&self.html, "form")
            .into_iter()
            .find(|form| attribute(form, "action").as_deref() == Some(action));
        let form = form.unwrap_or_else(|| panic!("no form posts to {action}: {}", self.html));
        let inner = form.split("</form>").next().unwrap();
        let mut fields = BTreeMap::new();
        for kind in ["input", "textarea", "select"] {
            for tag in Self::tags(inner, kind) {
                let head = tag.split('>').next().unwrap();
                let name = attribute(head, "name").unwrap_or_else(|| panic!("a {kind} has no name: {head}"));
                if attribute(head, "type").as_deref() != Some("hidden") {
                    let id = attribute(head, "id").unwrap_or_else(|| panic!("{name} has no id"));
                    assert!(self.html.contains(&format!("<label for=\"{id}\">")), "{name} has no label");
                }
                let value = match kind {
                    "select" => Self::tags(tag.split("</select>").next().unwrap(), "option")
                        .first()
                        .and_then(|option| attribute(option, "value")),
                    _ => attribute(head, "value"),
                };
                fields.insert(name, value.unwrap_or_default());
            }
        }
        Form { action: action.to_owned(), multipart: form.split('>').next().unwrap().contains("multipart"), fields }
    }

    /// The text beside a field that says what is wrong with it.
    fn problem(&self, field: &str) -> String {
        let beside = self.html.split(&format!("id=\"{field}-problem\"")).nth(1);
        let beside = beside.unwrap_or_else(|| panic!("no problem beside {field}: {}", self.html));
        beside.split("</div>").next().unwrap().to_owned()
    }
}

impl Form {
    fn fill(mut self, values: &[(&str, &str)]) -> Self {
        for (name, value) in values {
            let known = self.fields.insert((*name).to_owned(), (*value).to_owned());
            assert!(known.is_some(), "the form has no field {name}");
        }
        self
    }

    fn body(&self) -> String {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&self.fields).finish()
    }

    /// The same as several parts, with a file.
    fn parts(&self, file: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let head = if name == "report" {
                "; name=\"report\"; filename=\"report.html\"\r\nContent-Type: text/html\r\n\r\n".to_owned()
            } else {
                format!("; name=\"{name}\"\r\n\r\n")
            };
            body.extend_from_slice(format!("--parts\r\nContent-Disposition: form-data{head}").as_bytes());
            body.extend_from_slice(if name == "report" { file } else { value.as_bytes() });
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--parts--\r\n");
        body
    }
}

impl<'a> Browser<'a> {
    const fn new(office: &'a Office) -> Self {
        Self { office, cookie: None }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let mut request = request;
        loop {
            if let Some(cookie) = &self.cookie {
                request = request.header("cookie", format!("other=1; portal_session={cookie}"));
            }
            let response = request.send().await.unwrap();
            if let Some(cookie) = response.headers().get("set-cookie") {
                let cookie = cookie.to_str().unwrap();
                assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
                let value = cookie.split(';').next().unwrap().strip_prefix("portal_session=").unwrap();
                self.cookie = (!value.is_empty()).then(|| value.to_owned());
            }
            if response.status() == 303 {
                let place = response.headers()["location"].to_str().unwrap().to_owned();
                request = self.office.http.get(self.office.url(&place));
                continue;
            }
            let policy =
                response.headers().get("content-security-policy").map(|policy| policy.to_str().unwrap().to_owned());
            assert!(policy.is_some_and(|policy| policy.starts_with("default-src 'none'")), "a page has a policy");
            let (status, path) = (response.status().as_u16(), response.url().path().to_owned());
            let html = response.text().await.unwrap();
            assert!(html.contains("This is not a government site"), "every page says what it is");
            assert!(!html.contains("<script"), "no page needs JavaScript");
            return Page { status, path, html };
        }
    }

    async fn open(&mut self, path: &str) -> Page {
        let request = self.office.http.get(self.office.url(path));
        self.send(request).await
    }

    async fn submit(&mut self, form: &Form) -> Page {
        let request =
            self.office.http.post(self.office.url(&form.action)).header("origin", self.office.server.base_url());
        let request = if form.multipart {
            request.header("content-type", "multipart/form-data; boundary=parts").body(form.parts(REPORT))
        } else {
            request.header("content-type", "application/x-www-form-urlencoded").body(form.body())
        };
        self.send(request).await
    }

    /// The one-time password on the page of messages.
    async fn otp(&mut self) -> String {
        let page = self.open("/portal/outbox").await;
        let before = page.html.split(" is your one-time password").next().unwrap();
        before.get(before.len() - 6..).unwrap().to_owned()
    }

    async fn signed_up(&mut self) -> Page {
        let page = self.open("/portal/sign-up").await;
        let page = self.submit(&page.form("/portal/sign-up").fill(&[("identity", GSTIN)])).await;
        assert_eq!((page.status, page.path.as_str()), (200, "/portal/sign-up/verify"));
        let otp = self.otp().await;
        let form = page.form("/portal/sign-up/verify");
        let filled =
            form.fill(&[("otp", &otp), ("username", "office"), ("password", PASSWORD), ("password_again", PASSWORD)]);
        self.submit(&filled).await
    }
}

#[tokio::test]
async fn from_nothing_to_an_api_user_by_forms_alone() {
    let office = office(RegistrationSettings::default()).await;
    let mut person = Browser::new(&office);
    let home = person.open("/portal/").await;
    assert!(home.html.contains("/portal/sign-up"), "{}", home.html);
    let page = person.signed_up().await;
    assert_eq!((page.status, page.path.as_str()), (200, "/portal/account"));
    assert!(page.html.contains("You are signed up") && page.html.contains(PAN), "{}", page.html);

    let page = person.open("/portal/ip-listing").await;
    let form = page.form("/portal/ip-listing");
    assert!(form.multipart);
    let page = person.submit(&form.fill(&[("addresses", ADDRESS)])).await;
    assert!(page.html.contains("under scrutiny"), "{}", page.html);
    let desk = person.open("/portal/desk").await;
    let returned = desk.form("/portal/desk/L1/return").fill(&[("reason", "Too few failing cases.")]);
    assert!(person.submit(&returned).await.html.contains("The request was returned"));
    let page = person.open("/portal/ip-listing").await;
    assert!(page.html.contains("Too few failing cases."), "{}", page.html);
    person.submit(&page.form("/portal/ip-listing").fill(&[("addresses", ADDRESS)])).await;
    let desk = person.open("/portal/desk").await;
    person.submit(&desk.form("/portal/desk/L2/accept")).await;

    let page = person.open("/portal/users").await;
    let filled = page.form("/portal/users").fill(&[
        ("gstin", GSTIN),
        ("username", "books"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ]);
    let page = person.submit(&filled).await;
    assert!(page.html.contains("The API user was created") && page.html.contains("books"), "{}", page.html);
    let client = office.client("client", "books").await;
    let reply = Wire::new(office.server.base_url()).send(&client.login(false)).await;
    assert_eq!(reply["Status"], 1, "{reply}");

    // Freeze, thaw, another way in, another password: each by its own form.
    let page = person.submit(&page.form("/portal/users/books/freeze")).await;
    assert!(page.html.contains("is frozen"), "{}", page.html);
    let page = person.submit(&page.form("/portal/users/books/unfreeze")).await;
    let moved = page.form("/portal/users/books/mode").fill(&[("mode", "gsp"), ("gsp", "vayana")]);
    let page = person.submit(&moved).await;
    assert!(page.html.contains("through GSP"), "{}", page.html);
    let new = [("password", "Changed#43"), ("password_again", "Changed#43")];
    let page = person.submit(&page.form("/portal/users/books/password").fill(&new)).await;
    assert!(page.html.contains("has a new password"), "{}", page.html);

    let page = person.open("/portal/account").await;
    assert!(person.submit(&page.form("/portal/client/resend")).await.html.contains("the secret is the same"));
    let page = person.submit(&page.form("/portal/log-out")).await;
    assert_eq!((page.path.as_str(), person.cookie.as_deref()), ("/portal/", None));
    for path in ["/portal/account", "/portal/ip-listing", "/portal/users"] {
        let page = person.open(path).await;
        assert_eq!(page.status, 401, "{path}");
        assert_eq!(page.form("/portal/log-in").fields.len(), 2);
    }
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_what_was_given_stays() {
    let office = office(RegistrationSettings::default()).await;
    let mut person = Browser::new(&office);
    let page = person.open("/portal/sign-up").await;
    let page = person.submit(&page.form("/portal/sign-up").fill(&[("identity", "<b>\"wrong\"")])).await;
    assert_eq!(page.status, 400);
    assert!(page.problem("identity").contains("neither PAN nor GSTIN"));
    assert!(page.html.contains("role=\"alert\"") && page.html.contains("aria-invalid=\"true\""), "{}", page.html);
    assert_eq!(page.form("/portal/sign-up").fields["identity"], "<b>\"wrong\"");
    assert!(!page.html.contains("<b>"), "what was given is escaped");

    person.signed_up().await;
    let page = person.open("/portal/ip-listing").await;
    let five = "10.0.0.1\r\n8.8.8.8\n117.200.1.10, 117.200.1.10\n::1\nexample";
    let page = person.submit(&page.form("/portal/ip-listing").fill(&[("addresses", five)])).await;
    assert_eq!(page.status, 400);
    let beside = page.problem("addresses");
    for part in [
        "private",
        "not known as an Indian address",
        "listed twice",
        "IPv6",
        "no IPv4 address",
        "6 addresses are given",
    ] {
        assert!(beside.contains(part), "{part}: {beside}");
    }
    assert!(page.html.contains("8.8.8.8\n117.200.1.10"), "what was given stays in the form");

    let page = person.open("/portal/users").await;
    let filled = page.form("/portal/users").fill(&[
        ("gstin", "x"),
        ("password", "secret-one"),
        ("password_again", "secret-two"),
    ]);
    let page = person.submit(&filled).await;
    assert!(page.problem("password_again").contains("not equal"));
    assert!(!page.html.contains("secret-one"), "a password is never shown");
}

#[tokio::test]
async fn logging_in_by_the_pages_and_a_form_of_another_site() {
    let office = office(RegistrationSettings::default()).await;
    let mut person = Browser::new(&office);
    person.signed_up().await;
    person.cookie = None;
    let page = person.open("/portal/log-in").await;
    let wrong = page.form("/portal/log-in").fill(&[("username", "office"), ("password", "Wrong#4242")]);
    assert!(person.submit(&wrong).await.problem("username").contains("(3002)"));
    let right = page.form("/portal/log-in").fill(&[("username", "office"), ("password", PASSWORD)]);
    let page = person.submit(&right).await;
    assert_eq!(page.path, "/portal/log-in/verify");
    let wrong = page.form("/portal/log-in/verify").fill(&[("otp", "1")]);
    let page = person.submit(&wrong).await;
    assert!(page.problem("otp").contains("2 more tries"));
    let otp = person.otp().await;
    let page = person.submit(&page.form("/portal/log-in/verify").fill(&[("otp", &otp)])).await;
    assert_eq!((page.status, page.path.as_str()), (200, "/portal/account"));

    let cookie = person.cookie.clone().unwrap();
    for (name, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request =
            office.http.post(office.url("/portal/log-out")).header("cookie", format!("portal_session={cookie}"));
        assert_eq!(request.header(name, value).send().await.unwrap().status(), 403, "{name}");
    }
    let account = office.call(Some(&cookie), "GET", "/portal/api/account", &Value::Null).await;
    assert_eq!(account.ok()["pan"], PAN, "still logged in");
}

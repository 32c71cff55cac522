//! What is taken out of a recording: secrets by the names they stand under and by what they are, and what is nobody
//! else's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_protocol::endpoints::percent_encode;
use einvoice_protocol::envelope::excerpt;
use einvoice_protocol::exchange::{HeaderValue, HttpRequest, HttpResponse};
use einvoice_protocol::mask::hide;
use einvoice_protocol::members::{Members, elements};
use einvoice_protocol::object::quoted;
use regex_lite::Regex;

use super::Asked;
use crate::profile::{Login, Named, OperationProfile, Pointer, ProductProfile, Profile, Template};

/// What stands where a secret stood.
const MASK: &str = "[secret]";
/// Characters from which on a secret is looked for by what it is. A shorter one is found in every other word.
const SECRET_CHARS_MIN: usize = 4;
/// How deep JSON in texts of JSON is followed.
const DEPTH_MAX: u8 = 24;

/// Names that hold secrets at the portals and at many providers, in lower case.
const SECRET_NAMES: [&str; 22] = [
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "appkey",
    "app_key",
    "authorization",
    "authtoken",
    "auth-token",
    "client_id",
    "client-id",
    "client_secret",
    "client-secret",
    "cookie",
    "password",
    "refresh_token",
    "rek",
    "sek",
    "token",
    "user_name",
    "username",
    "x-api-key",
];

/// Names of members that tell of people and businesses, in lower case without `_`.
const PRIVATE_NAMES: [&str; 34] = [
    "addr1",
    "addr2",
    "address",
    "addrbnm",
    "addrbno",
    "addrflno",
    "addrloc",
    "addrst",
    "addrpncd",
    "contact",
    "em",
    "email",
    "fromaddr1",
    "fromaddr2",
    "fromplace",
    "fromtrdname",
    "legalname",
    "lglnm",
    "loc",
    "mobile",
    "name",
    "nm",
    "ph",
    "phone",
    "prddesc",
    "productdesc",
    "productname",
    "toaddr1",
    "toaddr2",
    "toplace",
    "totrdname",
    "tradename",
    "transportername",
    "trdnm",
];

/// Names of members that hold a whole document, signed or drawn, in lower case without `_`.
const COPY_NAMES: [&str; 8] = [
    "extractedsignedinvoicedata",
    "extractedsignedqrcode",
    "pdfurl",
    "qrcodeimage",
    "qrcodeurl",
    "signedinvoice",
    "signedqrcode",
    "signedqrcodeimgurl",
];

/// What a profile and a session keep secret.
pub struct Redaction {
    /// In lower case.
    names: BTreeSet<String>,
    /// Names and values that the profile itself puts into every request: the provider's words, which tell one operation
    /// from another.
    fixed: BTreeSet<(String, String)>,
    known: Mutex<Known>,
    gstin: Option<Regex>,
    pan: Option<Regex>,
}

#[derive(Default)]
struct Known {
    secrets: Vec<Secret<String>>,
    /// Who stands for whom.
    gstins: BTreeMap<String, String>,
    pans: BTreeMap<String, String>,
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redaction").field("names", &self.names).finish_non_exhaustive()
    }
}

/// What is done with the values of a JSON text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// They stay, as far as nothing is wrong with them.
    Stay,
    /// A word stands for every text and a nought for every number.
    StandIn,
}

impl Redaction {
    /// What a profile says is secret: its own list, every name under which it sends a secret, and every place where it
    /// finds a token.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let mut names: BTreeSet<String> = SECRET_NAMES.map(str::to_owned).into();
        names.extend(profile.redact.iter().map(|name| name.to_lowercase()));
        let common = &profile.provider;
        let mut tables: Vec<&Named> = vec![&common.headers, &common.query];
        let mut logins: Vec<&Login> = common.login.iter().collect();
        for part in [&profile.irp, &profile.ewb].into_iter().flatten() {
            let ProductProfile { headers, query, add, login, operations, .. } = part;
            tables.extend([headers, query, add]);
            logins.extend(login);
            for OperationProfile { headers, query, members, add, .. } in operations.values() {
                tables.extend([headers, query, members, add]);
            }
        }
        for login in logins {
            tables.extend([&login.headers, &login.query, &login.json, &login.form]);
            let token = login.token.as_ref().and_then(|at| at.steps().last());
            // A place in a list has a number and no name.
            names.extend(token.filter(|name| name.parse::<u32>().is_err()).map(|name| name.to_lowercase()));
        }
        let fixed = tables.iter().copied().flatten().filter(|(_, template)| template.is_fixed());
        let fixed = fixed.map(|(name, template)| (name.clone(), template.to_string())).collect();
        let secret = tables.into_iter().flatten().filter(|(_, template)| Template::is_secret(template));
        names.extend(secret.map(|(name, _)| name.to_lowercase()));
        Self {
            names,
            fixed,
            known: Mutex::default(),
            gstin: Regex::new(r"\b[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]{3}\b").ok(),
            pan: Regex::new(r"\b[A-Z]{5}[0-9]{4}[A-Z]\b").ok(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_secret(&self, name: &str) -> bool {
        self.names.contains(&name.to_lowercase())
    }

    /// From here on this text is a secret.
    pub(super) fn learn(&self, secret: &str) {
        let mut known = self.known();
        let words = secret.split_whitespace().filter(|word| *word != secret).map(str::to_owned);
        for text in words.chain([secret.to_owned(), percent_encode(secret)]) {
            // A scheme such as `Bearer` is a word of everybody's.
            let is_scheme = text.chars().all(char::is_alphabetic) && text.chars().count() < 8;
            let is_new = !known.secrets.iter().any(|other| *other.expose() == text);
            if text.chars().count() >= SECRET_CHARS_MIN && !is_scheme && is_new {
                known.secrets.push(Secret::new(text));
            }
        }
    }

    /// Learns what stands under the names of secrets.
    pub(super) fn learn_from(&self, request: &HttpRequest, response: Option<&HttpResponse>) {
        for header in &request.headers {
            if matches!(header.value, HeaderValue::Secret(_)) || self.is_secret(&header.name) {
                self.learn(header.value.expose());
            }
        }
        let query = request.path_and_query.split_once('?').map(|(_, query)| query);
        let form = std::str::from_utf8(&request.body).ok().filter(|body| !body.trim_start().starts_with(['{', '[']));
        for (name, value) in query.into_iter().chain(form).flat_map(pairs) {
            if self.is_secret(&name) {
                self.learn(&value);
            }
        }
        for body in [Some(&request.body), response.map(|response| &response.body)].into_iter().flatten() {
            if let Ok(text) = std::str::from_utf8(body) {
                self.learn_from_json(text.trim(), DEPTH_MAX);
            }
        }
    }

    fn learn_from_json(&self, json: &str, depth: u8) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match json.bytes().next() {
            Some(b'{') => {
                let Ok(members) = Members::read(json, &[]) else { return };
                for (name, value) in members.iter() {
                    let text = Pointer::root().text(value.get());
                    if let Some(text) = text.filter(|_| self.is_secret(name)) {
                        self.learn(&text);
                    }
                    self.learn_from_json(value.get().trim(), depth);
                }
            }
            Some(b'[') => {
                elements(json).unwrap_or_default().iter().for_each(|it| self.learn_from_json(it.get().trim(), depth));
            }
            Some(b'"') => {
                if let Some(inner) = inner_json(json) {
                    self.learn_from_json(inner.trim(), depth);
                }
            }
            _ => {}
        }
    }

    /// A text without any secret, and with other GSTINs and PANs in the places of those it names.
    pub(super) fn text(&self, text: &str) -> String {
        let known = self.known();
        let hidden = hide(text, &known.secrets.iter().collect::<Vec<_>>());
        drop(known);
        let hidden = self.stand_in(&hidden, self.gstin.as_ref(), |known| &mut known.gstins, invented_gstin);
        self.stand_in(&hidden, self.pan.as_ref(), |known| &mut known.pans, |number| format!("AAAAA{number:04}A"))
    }

    fn stand_in(
        &self,
        text: &str,
        pattern: Option<&Regex>,
        table: impl Fn(&mut Known) -> &mut BTreeMap<String, String>,
        invent: impl Fn(usize) -> String,
    ) -> String {
        let Some(pattern) = pattern else { return text.to_owned() };
        let mut known = self.known();
        let table = table(&mut known);
        let replaced = pattern.replace_all(text, |found: &regex_lite::Captures<'_>| {
            let found = found.get(0).map_or("", |found| found.as_str());
            if table.values().any(|other| other == found) {
                return found.to_owned();
            }
            let number = table.len();
            table.entry(found.to_owned()).or_insert_with(|| invent(number)).clone()
        });
        replaced.into_owned()
    }

    /// A request without anything secret.
    pub(super) fn request(&self, request: &HttpRequest) -> Asked {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        let query: Vec<String> = pairs(query)
            .map(|(name, value)| {
                let value = if self.is_secret(&name) { MASK.to_owned() } else { self.text(&value) };
                format!("{}={}", percent_encode(&name), percent_encode(&value))
            })
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let headers = request.headers.iter().map(|header| {
            let is_secret = matches!(header.value, HeaderValue::Secret(_)) || self.is_secret(&header.name);
            let value = if is_secret { MASK.to_owned() } else { self.text(header.value.expose()) };
            (header.name.to_string(), value)
        });
        Asked {
            method: request.method.as_str().to_owned(),
            target: format!("{}{mark}{}", self.text(path), query.join("&")),
            headers: headers.collect(),
            body: self.body(&request.body, Leaves::StandIn),
        }
    }

    /// A response's body without anything secret.
    pub(super) fn answer(&self, body: &[u8]) -> String {
        self.body(body, Leaves::Stay)
    }

    fn body(&self, body: &[u8], leaves: Leaves) -> String {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        if text.starts_with(['{', '[', '"'])
            && let Some(json) = self.json(text, None, leaves, DEPTH_MAX)
        {
            return json;
        }
        if leaves == Leaves::Stay {
            return self.text(&excerpt(text));
        }
        let form: Vec<String> = pairs(text).map(|(name, _)| format!("{}=text", percent_encode(&name))).collect();
        form.join("&")
    }

    fn json(&self, json: &str, name: Option<&str>, leaves: Leaves, depth: u8) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let json = json.trim();
        if name.is_some_and(|name| self.is_secret(name)) && json != "null" {
            return Some(quoted(MASK));
        }
        match json.bytes().next()? {
            b'{' => {
                let members = Members::read(json, &[]).ok()?;
                let members: Option<Vec<String>> = members
                    .iter()
                    .map(|(name, value)| {
                        // A table may have a token, or somebody's number, for its names.
                        let shown = quoted(&self.text(name));
                        Some(format!("{shown}:{}", self.json(value.get(), Some(name), leaves, depth)?))
                    })
                    .collect();
                Some(format!("{{{}}}", members?.join(",")))
            }
            b'[' => {
                let list: Option<Vec<String>> =
                    elements(json)?.iter().map(|it| self.json(it.get(), name, leaves, depth)).collect();
                Some(format!("[{}]", list?.join(",")))
            }
            b'"' => Some(quoted(&self.leaf(json, name, leaves, depth)?)),
            byte if leaves == Leaves::StandIn && (byte.is_ascii_digit() || byte == b'-') => Some("0".to_owned()),
            // A number may be one that tells whose it is.
            byte if byte.is_ascii_digit() => {
                Some(if self.text(json) == json { json.to_owned() } else { "0".to_owned() })
            }
            _ => Some(json.to_owned()),
        }
    }

    fn leaf(&self, json: &str, name: Option<&str>, leaves: Leaves, depth: u8) -> Option<String> {
        if let Some(inner) = inner_json(json)
            && let Some(masked) = self.json(&inner, name, leaves, depth)
        {
            return Some(masked);
        }
        let text: String = serde_json::from_str(json).ok()?;
        let plain = name.unwrap_or_default().to_lowercase().replace(['_', '-'], "");
        if name.is_some_and(|name| self.fixed.contains(&(name.to_owned(), text.clone()))) {
            return Some(text);
        }
        Some(if leaves == Leaves::StandIn || PRIVATE_NAMES.contains(&plain.as_str()) {
            "text".to_owned()
        } else if COPY_NAMES.contains(&plain.as_str()) {
            format!("[left out, {} characters]", text.chars().count())
        } else {
            self.text(&text)
        })
    }
}

/// JSON in a text of JSON.
fn inner_json(json: &str) -> Option<String> {
    let text: String = serde_json::from_str(json).ok()?;
    let is_json = text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
    is_json.then_some(text)
}

/// Names and values of a query or form, decoded.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(if byte == b'+' { b' ' } else { byte });
            continue;
        }
        let digits: Vec<u8> = rest.by_ref().take(2).collect();
        let code = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => bytes.push(code),
            None => bytes.extend(std::iter::once(b'%').chain(digits)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A GSTIN of nobody's, with the right check character.
fn invented_gstin(number: usize) -> String {
    let first = format!("29AAAAA{:04}A1Z", number % 10_000);
    let check = first.as_bytes().try_into().ok().and_then(Gstin::check_character);
    format!("{first}{}", check.unwrap_or('0'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::read_profile;

    #[test]
    fn what_is_secret_shows_in_no_name_of_a_member() {
        let redaction = Redaction::of(&read_profile("taxpro", Path::new("")).unwrap());
        redaction.learn("worthless-token-7");
        let kept = redaction.answer(br#"{"sessions":{"worthless-token-7":{"29AAKCV7711B1Z9":"open"}}}"#);
        assert_eq!(kept, r#"{"sessions":{"[secret]":{"29AAAAA0000A1ZY":"open"}}}"#);
    }
}

//! Takes an answer out of its layers: a yes with its content, a no with its errors, or neither.

use std::borrow::Cow;

use einvoice_core::environment::Product;
use einvoice_core::operation::InfoDetail;
use einvoice_core::portal_code::{ErrorClass, PortalError};
use einvoice_protocol::envelope::{self, Data, Envelope, EnvelopeError};
use einvoice_protocol::ewb::envelope as ewb_envelope;
use einvoice_protocol::info;
use einvoice_protocol::members::{Members, elements};
use serde_json::value::RawValue;

use crate::profile::{CodeRule, ErrorRule, HttpRule, Layer, Meaning, Pointer, Speaker};
use crate::texts;

/// What an answer says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Yes.
    Yes {
        /// The content, as JSON.
        content: String,
        /// What the portal said beside it.
        info: Vec<InfoDetail>,
        /// The same as a text.
        alert: Option<String>,
    },
    /// No.
    No(Refusal),
    /// Neither: for a person, why.
    Unclear(String),
}

/// A no.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) errors: Vec<PortalError>,
    pub(crate) info: Vec<InfoDetail>,
    /// What the provider's own words mean, as far as the profile knows them.
    pub(crate) meanings: Vec<Meaning>,
}

impl Refusal {
    pub(crate) fn means(&self, meaning: Meaning) -> bool {
        self.meanings.contains(&meaning)
    }

    fn add(&mut self, speaker: Speaker, code: &str, message: &str, rules: &[CodeRule]) {
        let rule = if speaker == Speaker::Portal { None } else { rules.iter().find(|rule| rule.fits(code, message)) };
        let is_portals = ErrorClass::of(PortalError::new(code, "").code.as_str()) != ErrorClass::Unknown;
        self.errors.push(match (rule, speaker) {
            (Some(rule), _) => {
                self.meanings.push(rule.is);
                PortalError::of_provider(code, message, rule.is.class())
            }
            (None, Speaker::Portal) => PortalError::new(code, message),
            (None, Speaker::Either) if is_portals => PortalError::new(code, message),
            (None, _) => PortalError::of_provider(code, message, ErrorClass::Unknown),
        });
    }

    /// Whether a call with a token of the provider was answered by whoever looks at that.
    pub(crate) fn is_past_the_token(&self) -> bool {
        !self.means(Meaning::ReauthProvider) && !self.is_by_status()
    }

    /// The same refusal as one of the account, which no other token helps.
    pub(crate) fn of_account(mut self) -> Self {
        for error in self.errors.iter_mut().filter(|error| error.of_provider == Some(ErrorClass::TokenExpired)) {
            error.of_provider = Some(ErrorClass::ClientConfig);
        }
        self.meanings = vec![Meaning::Config];
        self
    }

    /// Whether the HTTP status alone says so. Of a call that writes that proves nothing.
    pub(crate) fn is_by_status(&self) -> bool {
        self.errors.iter().any(|error| error.by_status)
    }

    /// Whether nothing that is known was said.
    fn is_unknown(&self) -> bool {
        self.errors.iter().all(|error| error.class() == ErrorClass::Unknown)
    }
}

/// How a provider's answers are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'p> {
    pub(crate) layers: &'p [Layer],
    pub(crate) codes: &'p [CodeRule],
    pub(crate) http: &'p [HttpRule],
    pub(crate) product: Product,
}

impl Reading<'_> {
    /// Reads a response: the body by its layers, and its HTTP status where that says more.
    pub(crate) fn read(&self, status: u16, body: &[u8]) -> Answer {
        let said = self.body(body);
        let meaning = self.http.iter().find(|rule| rule.status == status).map(|rule| rule.is);
        let is_success = (200..300).contains(&status);
        match (meaning, said) {
            (Some(Meaning::Body), said) => said,
            (None, said) if is_success => said,
            (Some(meaning), Answer::No(mut refusal)) => {
                if refusal.is_unknown() {
                    for error in &mut refusal.errors {
                        error.of_provider = Some(meaning.class());
                        error.by_status = true;
                    }
                    refusal.meanings.push(meaning);
                }
                Answer::No(refusal)
            }
            (Some(meaning), Answer::Unclear(reason)) => by_status(status, meaning, reason),
            // Without layers nothing was asked of the body, so that it says nothing.
            (Some(meaning), Answer::Yes { content, .. }) if self.layers.is_empty() => {
                by_status(status, meaning, envelope::excerpt(&content))
            }
            // A yes with the status of a failure contradicts itself.
            (_, Answer::Yes { .. }) => Answer::Unclear(format!("HTTP status {status}, yet it says yes")),
            // What a server that stumbles says looks like a refusal at times, and is none.
            (None, Answer::No(refusal)) if status >= 500 => {
                let said = refusal.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                Answer::Unclear(format!("HTTP status {status}; it says {said}"))
            }
            (None, Answer::No(refusal)) => Answer::No(refusal),
            (None, Answer::Unclear(reason)) => Answer::Unclear(format!("HTTP status {status}; {reason}")),
        }
    }

    fn body(&self, body: &[u8]) -> Answer {
        let Ok(text) = std::str::from_utf8(body) else { return Answer::Unclear(EnvelopeError::NotText.to_string()) };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Answer::Unclear(EnvelopeError::Empty.to_string());
        }
        if !text.starts_with(['{', '[', '"']) || serde_json::from_str::<&RawValue>(text).is_err() {
            let excerpt = envelope::excerpt(text);
            return Answer::Unclear(EnvelopeError::Foreign { excerpt }.to_string());
        }
        let (mut at, mut all_info, mut said) = (Cow::Borrowed(text), Vec::new(), None);
        for layer in self.layers {
            let opened = match self.open(layer, &at) {
                Ok(opened) => opened,
                Err(answer) => return answer,
            };
            all_info.extend(opened.info);
            said = opened.alert.or(said);
            at = Cow::Owned(opened.content);
        }
        Answer::Yes { content: at.into_owned(), info: all_info, alert: said }
    }

    fn open(&self, layer: &Layer, json: &str) -> Result<Opened, Answer> {
        if layer.nic {
            return self.open_nic(json);
        }
        let refusal = || self.refusal(layer, json);
        if layer.refused.as_ref().is_some_and(|test| test.passes(json)) {
            let mut refusal = refusal();
            if refusal.errors.is_empty() {
                refusal.add(layer.by, "", "it says no and gives no reason that the profile finds", self.codes);
            }
            return Err(Answer::No(refusal));
        }
        if layer.accepted.as_ref().is_some_and(|test| !test.passes(json)) {
            let refusal = refusal();
            return Err(if refusal.errors.is_empty() {
                Answer::Unclear(format!("it says neither yes nor no: {}", envelope::excerpt(json)))
            } else {
                Answer::No(refusal)
            });
        }
        let content = layer.payload.structure(json).ok_or_else(|| {
            let place = layer.payload.to_string();
            let place = if place.is_empty() { "the body".to_owned() } else { place };
            Answer::Unclear(format!("it says yes, and there is no object or list at {place}"))
        })?;
        Ok(Opened {
            content: content.into_owned(),
            info: info_at(layer.info.as_ref(), json),
            alert: layer.alert.as_ref().and_then(|at| at.text(json)).filter(|text| !text.trim().is_empty()),
        })
    }

    fn open_nic(&self, json: &str) -> Result<Opened, Answer> {
        let unclear = |error: EnvelopeError| Answer::Unclear(error.to_string());
        let no = |errors, info| Answer::No(Refusal { errors, info, meanings: Vec::new() });
        let (data, info, alert) = if self.product == Product::EInvoice {
            match envelope::read(json.as_bytes()).map_err(unclear)? {
                Envelope::Refused { errors, info } => return Err(no(errors, info)),
                Envelope::Accepted { data, info } => (data, info, None),
            }
        } else {
            match ewb_envelope::read(json.as_bytes()).map_err(unclear)? {
                ewb_envelope::Answer::Refused { errors, info } => return Err(no(errors, info)),
                ewb_envelope::Answer::Accepted(answer) => {
                    (answer.data().map_err(unclear)?, answer.info(), answer.alert())
                }
            }
        };
        let content = match data {
            Data::Json(json) => json.to_owned(),
            Data::Text(text) if text.trim_start().starts_with(['{', '[']) => text,
            Data::Text(_) => {
                return Err(Answer::Unclear(
                    "its content is sealed, and this profile expects the provider to open it".to_owned(),
                ));
            }
        };
        Ok(Opened { content, info, alert })
    }

    fn refusal(&self, layer: &Layer, json: &str) -> Refusal {
        let mut refusal =
            Refusal { info: info_at(layer.refused_info.as_ref().or(layer.info.as_ref()), json), ..Refusal::default() };
        for rule in &layer.errors {
            // A text for people beside the portal's list would add an error that nobody knows.
            if !refusal.errors.is_empty() {
                break;
            }
            let Some(found) = rule.at.find(json) else { continue };
            collect(found.trim(), rule, &mut |source, code, message| {
                let speaker = source.unwrap_or(layer.by);
                let code = if code.is_empty() && rule.code_by_text {
                    texts::code_of(self.product, message).unwrap_or_default()
                } else {
                    code
                };
                refusal.add(speaker, code, message, self.codes);
            });
        }
        refusal
    }
}

/// A refusal that only the HTTP status tells of.
fn by_status(status: u16, meaning: Meaning, reason: String) -> Answer {
    Answer::No(Refusal {
        errors: vec![PortalError::by_status(status, reason, meaning.class())],
        info: Vec::new(),
        meanings: vec![meaning],
    })
}

#[derive(Debug)]
struct Opened {
    content: String,
    info: Vec<InfoDetail>,
    alert: Option<String>,
}

fn info_at(at: Option<&Pointer>, json: &str) -> Vec<InfoDetail> {
    let found = at.and_then(|at| at.find(json));
    let value = found.as_deref().and_then(|found| serde_json::from_str::<&RawValue>(found).ok());
    value.map(info::details).unwrap_or_default()
}

/// Where the portals' envelopes have their errors.
const ENVELOPE_ERRORS: [&str; 3] = ["ErrorDetails", "error", "errorCodes"];

/// How deep lists and texts of errors may be wrapped in one another.
const NESTING_MAX: u8 = 6;

/// Hands over every error that stands in a value: who speaks where that is told, code, and message.
fn collect(json: &str, rule: &ErrorRule, each: &mut dyn FnMut(Option<Speaker>, &str, &str)) {
    collect_within(json, rule, NESTING_MAX, each);
}

fn collect_within(json: &str, rule: &ErrorRule, depth: u8, each: &mut dyn FnMut(Option<Speaker>, &str, &str)) {
    let json = json.trim();
    let Some(depth) = depth.checked_sub(1) else { return };
    match json.bytes().next() {
        Some(b'[') => {
            for element in elements(json).unwrap_or_default() {
                collect_within(element.get(), rule, depth, each);
            }
        }
        Some(b'{') => {
            let Ok(members) = Members::read(json, &[]) else { return };
            let named = |names: &[String]| names.iter().find_map(|name| members.text(name));
            let (code, message) = (named(&rule.code), named(&rule.message));
            let source = rule.source.as_ref().map(|source| {
                let said = members.text(&source.member).unwrap_or_default();
                let is_portal = source.portal.iter().any(|word| word.eq_ignore_ascii_case(said.trim()));
                match said.trim() {
                    // Nobody is named: the code tells.
                    "" => Speaker::Either,
                    _ if is_portal => Speaker::Portal,
                    _ => Speaker::Provider,
                }
            });
            match (code, message) {
                // The portal's own envelope inside of what the provider says.
                (None, None) => {
                    for name in ENVELOPE_ERRORS {
                        if let Some(inner) = members.get(name) {
                            collect_within(inner.get(), &ErrorRule::of_portal(), depth, &mut |_, code, message| {
                                each(Some(Speaker::Portal), code, message);
                            });
                        }
                    }
                }
                // Several codes in one text, commas behind each: the e-way bill system's way.
                (Some(codes), None) => in_text(&codes, rule, source, each),
                (None, Some(message)) => in_text(&message, rule, source, each),
                (Some(code), Some(message)) => {
                    if !is_inside(&message, rule, depth, each) {
                        each(source, code.trim(), message.trim());
                    }
                }
            }
        }
        Some(b'"') => {
            let Ok(text) = serde_json::from_str::<String>(json) else { return };
            let inner = text.trim();
            if inner.starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(inner).is_ok() {
                collect_within(inner, rule, depth, each);
            } else {
                in_text(inner, rule, None, each);
            }
        }
        Some(byte) if byte.is_ascii_digit() => each(None, json, ""),
        _ => {}
    }
}

/// Hands over the errors of JSON in a provider's text, if it is such: the portal's answer was a no, and what the provider
/// calls its own error is only the wrapping.
fn is_inside(text: &str, rule: &ErrorRule, depth: u8, each: &mut dyn FnMut(Option<Speaker>, &str, &str)) -> bool {
    let inner = text.trim();
    if !inner.starts_with(['{', '[']) || serde_json::from_str::<&RawValue>(inner).is_err() {
        return false;
    }
    let mut is_found = false;
    collect_within(inner, rule, depth, &mut |source, code, message| {
        is_found = true;
        each(source, code, message);
    });
    is_found
}

/// The errors in a text.
fn in_text(text: &str, rule: &ErrorRule, source: Option<Speaker>, each: &mut dyn FnMut(Option<Speaker>, &str, &str)) {
    let one = |part: &str, each: &mut dyn FnMut(Option<Speaker>, &str, &str)| {
        let part = part.trim().trim_matches(',').trim();
        if part.is_empty() {
            return;
        }
        match rule.pattern.as_ref().and_then(|pattern| pattern.take_apart(part)) {
            Some((code, message)) => each(source, code.trim(), message.trim()),
            None if part.bytes().all(|byte| byte.is_ascii_digit()) => each(source, part, ""),
            None => each(source, "", part),
        }
    };
    let is_codes = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b';' | b' '));
    match &rule.split {
        _ if is_codes => text.split([',', ';', ' ']).for_each(|part| one(part, each)),
        // A comma may stand inside a text, too: only parts that begin like an error of their own are taken apart.
        Some(split) if !split.is_empty() => {
            let mut open = String::new();
            for part in text.split(split.as_str()) {
                let begins = rule.pattern.as_ref().is_none_or(|pattern| pattern.fits(part.trim()));
                if begins && !open.is_empty() {
                    one(&std::mem::take(&mut open), each);
                }
                if !open.is_empty() {
                    open.push_str(split);
                }
                open.push_str(part);
            }
            one(&open, each);
        }
        _ => one(text, each),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layers(text: &str) -> Vec<Layer> {
        #[derive(serde::Deserialize)]
        struct Layers {
            reply: Vec<Layer>,
        }
        toml::from_str::<Layers>(text).unwrap().reply
    }

    fn read(layers: &[Layer], codes: &[CodeRule], http: &[HttpRule], status: u16, body: &str) -> Answer {
        Reading { layers, codes, http, product: Product::EInvoice }.read(status, body.as_bytes())
    }

    fn codes(answer: Answer) -> Vec<(String, ErrorClass, bool)> {
        match answer {
            Answer::No(refusal) => refusal
                .errors
                .iter()
                .map(|error| (error.code.clone(), error.class(), error.of_provider.is_some()))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    const MESSAGES: &str = r#"
        [[reply]]
        accepted = { at = "/success", is = ["true", "1", "Y"] }
        payload = "/result"
        info = "/info"
        errors = [{ at = "/message", split = ",", pattern = '^(?<code>\d{3,4})\s*:\s*(?<message>.*)$' }]
    "#;

    #[test]
    fn a_flag_is_understood_as_truth_value_number_and_text() {
        for flag in ["true", "\"true\"", "\"TRUE\"", "1", "\"y\""] {
            let body = format!(r#"{{"success":{flag},"result":{{"Irn":"x"}}}}"#);
            let answer = read(&layers(MESSAGES), &[], &[], 200, &body);
            assert!(
                matches!(&answer, Answer::Yes { content, .. } if content == r#"{"Irn":"x"}"#),
                "{flag}: {answer:?}"
            );
        }
    }

    #[test]
    fn several_errors_in_one_text_are_taken_apart_and_a_comma_inside_one_is_left() {
        let body = r#"{"success":false,"message":"2150 : Duplicate IRN, 2172 : For Intra-state, IGST is not allowed","result":null}"#;
        let found = codes(read(&layers(MESSAGES), &[], &[], 200, body));
        let codes: Vec<_> = found.iter().map(|(code, ..)| code.as_str()).collect();
        assert_eq!(codes, ["2150", "2172"]);
        assert!(found.iter().all(|(_, _, of_provider)| !of_provider));
    }

    #[test]
    fn a_word_of_the_provider_has_the_meaning_its_profile_gives_it() {
        let rules: Vec<CodeRule> = serde_json::from_str(
            r#"[{"text":"GSPGSTDOWN","is":"retry_later"},{"code":"GSP102","is":"reauth_taxpayer"}]"#,
        )
        .unwrap();
        let body = r#"{"success":"false","message":"GSPGSTDOWN at 10:00"}"#;
        assert_eq!(
            codes(read(&layers(MESSAGES), &rules, &[], 200, body)),
            [(String::new(), ErrorClass::UpstreamTransient, true)]
        );
        let body = r#"{"success":"false","message":"nobody knows this"}"#;
        assert_eq!(
            codes(read(&layers(MESSAGES), &rules, &[], 200, body)),
            [(String::new(), ErrorClass::Unknown, true)]
        );
    }

    #[test]
    fn neither_yes_nor_no_is_unclear_and_never_a_refusal() {
        for body in ["", "<html>Maintenance</html>", r#"{"success":"maybe"}"#, "{}", "[]", r#"{"success":true}"#] {
            let answer = read(&layers(MESSAGES), &[], &[], 200, body);
            assert!(matches!(answer, Answer::Unclear(_)), "{body}: {answer:?}");
        }
    }

    #[test]
    fn the_http_status_speaks_where_the_body_does_not_or_where_the_profile_says_so() {
        let rules: Vec<HttpRule> = serde_json::from_str(
            r#"[{"status":429,"is":"rate_limit"},{"status":401,"is":"reauth_provider"},{"status":502,"is":"body"}]"#,
        )
        .unwrap();
        let layers = layers(MESSAGES);
        let no = r#"{"success":false,"message":"2172 : x"}"#;
        let yes = r#"{"success":true,"result":{}}"#;
        assert_eq!(
            codes(read(&layers, &[], &rules, 429, "<html>")),
            [("HTTP 429".to_owned(), ErrorClass::RateLimit, true)]
        );
        assert_eq!(
            codes(read(&layers, &[], &rules, 401, r#"{"success":false,"message":"no"}"#))[0].1,
            ErrorClass::TokenExpired
        );
        assert_eq!(codes(read(&layers, &[], &rules, 502, no))[0].1, ErrorClass::Validation);
        assert!(matches!(read(&layers, &[], &rules, 503, no), Answer::Unclear(_)));
        assert_eq!(codes(read(&layers, &[], &rules, 400, no))[0].1, ErrorClass::Validation);
        assert!(matches!(read(&layers, &[], &rules, 400, yes), Answer::Unclear(_)));
        assert!(matches!(read(&layers, &[], &rules, 502, yes), Answer::Yes { .. }));
    }

    #[test]
    fn what_only_the_http_status_says_is_marked_and_what_a_known_code_says_is_not() {
        let http: Vec<HttpRule> =
            serde_json::from_str(r#"[{"status":429,"is":"rate_limit"},{"status":403,"is":"config"}]"#).unwrap();
        let rules: Vec<CodeRule> = serde_json::from_str(r#"[{"text":"credits","is":"quota"}]"#).unwrap();
        let layers = layers(MESSAGES);
        let marks = |status, body: &str| match read(&layers, &rules, &http, status, body) {
            Answer::No(refusal) => refusal.errors.iter().map(|error| error.by_status).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        for body in ["", "<html>", r#"{"success":false,"message":"slow down"}"#, r#"{"success":false}"#] {
            assert_eq!((marks(429, body), marks(403, body)), (vec![true], vec![true]), "{body}");
        }
        for said in ["no credits", "2172 : x"] {
            assert_eq!(marks(429, &format!(r#"{{"success":false,"message":"{said}"}}"#)), [false], "{said}");
        }
    }

    #[test]
    fn the_portals_envelope_inside_of_a_providers_is_read_as_the_portals_word() {
        let layers = layers(
            r#"
            [[reply]]
            by = "provider"
            accepted = { at = "/code", is = ["200"] }
            payload = "/data"
            errors = [{ at = "/message" }]
            [[reply]]
            nic = true
            "#,
        );
        let body = r#"{"code":200,"data":{"Status":"0","ErrorDetails":[{"ErrorCode":"2150","ErrorMessage":"Duplicate IRN"}]}}"#;
        assert_eq!(codes(read(&layers, &[], &[], 200, body)), [("2150".to_owned(), ErrorClass::Duplicate, false)]);
        let body = r#"{"code":200,"data":{"Status":1,"Data":"{\"Irn\":\"x\"}"}}"#;
        assert!(
            matches!(read(&layers, &[], &[], 200, body), Answer::Yes { content, .. } if content == r#"{"Irn":"x"}"#)
        );
        let body = r#"{"code":500,"message":"credits"}"#;
        assert_eq!(codes(read(&layers, &[], &[], 200, body)), [(String::new(), ErrorClass::Unknown, true)]);
    }

    #[test]
    fn json_in_a_text_objects_with_a_source_and_code_lists_are_errors_too() {
        let layers = layers(
            r#"
            [[reply]]
            accepted = { at = "/0/ok", is = ["Y"] }
            payload = "/0"
            errors = [{ at = "/0/errors", source = { member = "by", portal = ["GOVT"] } }, { at = "/0/codes" }]
            "#,
        );
        let shown = |body: &str| codes(read(&layers, &[], &[], 200, body));
        let error = |code: &str, class, own| (code.to_owned(), class, own);
        let body = r#"[{"ok":"N","errors":"[{\"error_code\":\"2150\",\"error_message\":\"d\",\"by\":\"govt\"},{\"error_code\":\"2150\",\"by\":\"US\"}]"}]"#;
        assert_eq!(
            shown(body),
            [error("2150", ErrorClass::Duplicate, false), error("2150", ErrorClass::Unknown, true)]
        );
        for member in ["", r#","by":null"#, r#","by":" ""#] {
            let body = format!(
                r#"[{{"ok":"N","errors":[{{"error_code":"2154","error_message":"d"{member}}},{{"error_code":"X1","error_message":"e"{member}}}]}}]"#
            );
            let told = [error("2154", ErrorClass::NotFound, false), error("X1", ErrorClass::Unknown, true)];
            assert_eq!(shown(&body), told, "{member}");
        }
        let body = r#"[{"ok":"N","errors":[],"codes":"238, 312,"}]"#;
        assert_eq!(
            shown(body),
            [error("238", ErrorClass::TokenExpired, false), error("312", ErrorClass::of("312"), false)]
        );
    }

    #[test]
    fn a_text_for_people_beside_the_portals_list_is_no_error_of_its_own() {
        let layers = layers(
            r#"
            [[reply]]
            refused = { at = "/error" }
            errors = [{ at = "/error/args/details" }, { at = "/error/message" }]
            "#,
        );
        let body = r#"{"error":{"message":"err-irp-returned-error","args":{"details":[{"ErrorCode":"2150","ErrorMessage":"d"}]}}}"#;
        assert_eq!(codes(read(&layers, &[], &[], 200, body)), [("2150".to_owned(), ErrorClass::Duplicate, false)]);
        let own = r#"{"error":{"message":"err-expired-token","args":{"details":[]}}}"#;
        assert_eq!(codes(read(&layers, &[], &[], 200, own)), [(String::new(), ErrorClass::Unknown, true)]);
    }

    #[test]
    fn the_portals_no_inside_of_an_error_of_the_providers_own_is_the_portals() {
        let layers = layers(
            r#"
            [[reply]]
            by = "provider"
            refused = { at = "/status_cd", is = ["0"] }
            errors = [{ at = "/error" }]
            "#,
        );
        let rules: Vec<CodeRule> = serde_json::from_str(r#"[{"code":"GSP5*","is":"retry_later"}]"#).unwrap();
        let read_codes = |message: &str| {
            let message = serde_json::to_string(message).unwrap();
            let body = format!(r#"{{"status_cd":"0","error":{{"error_cd":"GSP500","message":{message}}}}}"#);
            codes(read(&layers, &rules, &[], 200, &body))
        };
        let portals = r#"{"Status":0,"ErrorDetails":[{"ErrorCode":"2150","ErrorMessage":"Duplicate IRN"}]}"#;
        assert_eq!(read_codes(portals), [("2150".to_owned(), ErrorClass::Duplicate, false)]);
        let bills = r#"{"status":"0","error":{"errorCodes":"312,"},"info":""}"#;
        assert_eq!(read_codes(bills), [("312".to_owned(), ErrorClass::of("312"), false)]);
        let twice = serde_json::to_string(portals).unwrap();
        for own in ["the portal is down", r#"{"nothing":"of the kind"}"#, &twice] {
            assert_eq!(read_codes(own), [("GSP500".to_owned(), ErrorClass::UpstreamTransient, true)], "{own}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_a_panic(body in ".{0,80}", status in 100_u16..600) {
            let _answer = read(&layers(MESSAGES), &[], &[], status, &body);
            let _answer = read(&layers(MESSAGES), &[], &[], status, &format!(r#"{{"success":false,"message":{body:?}}}"#));
        }
    }
}

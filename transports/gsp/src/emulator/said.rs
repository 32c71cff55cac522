//! Wraps what the portal said as the provider does.

use einvoice_core::environment::Product;
use einvoice_protocol::object::quoted;
use einvoice_sandbox::PortalReply;

use super::written::Written;
use super::{Provider, json};
use crate::profile::{ErrorRule, Layer, Meaning, Pointer, Speaker, Test};
use crate::texts;

/// Codes and texts.
pub(crate) type Errors = Vec<(String, String)>;

/// Whose refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Provider,
    Portal,
}

/// A yes in its layers, from the inside out.
pub(crate) fn yes(layers: &[Layer], product: Product, content: &str, info: Option<&str>) -> String {
    let innermost = layers.len().saturating_sub(1);
    let mut body = content.to_owned();
    for (at, layer) in layers.iter().enumerate().rev() {
        let info = info.filter(|_| at == innermost);
        body = if layer.nic { nic_yes(layer, product, &body, info) } else { layer_yes(layer, &body, info) };
    }
    body
}

fn nic_yes(layer: &Layer, product: Product, content: &str, info: Option<&str>) -> String {
    let content = if layer.as_text { quoted(content) } else { content.to_owned() };
    match product {
        Product::EInvoice => {
            let info = info.unwrap_or("null");
            format!(r#"{{"Status":"1","Data":{content},"ErrorDetails":null,"InfoDtls":{info}}}"#)
        }
        _ => format!(r#"{{"status":"1","data":{content},"alert":null}}"#),
    }
}

fn layer_yes(layer: &Layer, content: &str, info: Option<&str>) -> String {
    let mut written = Written::empty();
    let content = if layer.as_text { quoted(content) } else { content.to_owned() };
    written.put(&layer.payload, Written::Raw(content));
    if let (Some(at), Some(info)) = (&layer.info, info) {
        written.put(at, Written::Raw(info.to_owned()));
    }
    if let Some(test) = &layer.accepted
        && let Some(word) = test.is.first()
    {
        written.put(&test.at, Written::flag(word));
    }
    written.to_json()
}

/// A no in its layers: the layer that speaks for whoever refuses says no, and those around it say yes.
pub(crate) fn no(layers: &[Layer], product: Product, by: By, errors: &Errors, info: Option<&str>) -> String {
    let speaks = |layer: &Layer| match by {
        By::Provider => !layer.nic && layer.by != Speaker::Portal,
        By::Portal => layer.nic || layer.by != Speaker::Provider,
    };
    // Of a portal's words the innermost layer that passes them on, of a provider's the outermost.
    let place = match by {
        By::Provider => layers.iter().position(speaks),
        By::Portal => layers.iter().rposition(speaks),
    };
    let Some(place) = place else { return format!(r#"{{"message":{}}}"#, quoted(&in_words(errors))) };
    let (outer, inner) = layers.split_at(place);
    let Some(layer) = inner.first() else { return "{}".to_owned() };
    let mut body = if layer.nic { nic_no(product, errors, info) } else { layer_no(layer, by, errors, info) };
    for layer in outer.iter().rev() {
        body = if layer.nic { nic_yes(layer, product, &body, None) } else { layer_yes(layer, &body, None) };
    }
    body
}

/// The portal's own no.
pub(crate) fn nic_no(product: Product, errors: &Errors, info: Option<&str>) -> String {
    match product {
        Product::EInvoice => {
            let list: Vec<String> = errors
                .iter()
                .map(|(code, text)| format!(r#"{{"ErrorCode":{},"ErrorMessage":{}}}"#, quoted(code), quoted(text)))
                .collect();
            let info = info.unwrap_or("null");
            format!(r#"{{"Status":"0","Data":null,"ErrorDetails":[{}],"InfoDtls":{info}}}"#, list.join(","))
        }
        _ => format!(r#"{{"status":"0","error":{{"errorCodes":"{},"}},"info":""}}"#, codes(errors)),
    }
}

fn codes(errors: &Errors) -> String {
    errors.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>().join(",")
}

fn in_words(errors: &Errors) -> String {
    errors.iter().map(|(code, text)| format!("{code}: {text}")).collect::<Vec<_>>().join(", ")
}

fn layer_no(layer: &Layer, by: By, errors: &Errors, info: Option<&str>) -> String {
    let mut written = Written::empty();
    if let Some(rule) = layer.errors.first() {
        written.put(&rule.at, written_errors(rule, by, errors));
    }
    if by == By::Portal
        && let Some(at) = place_for_people(layer)
    {
        written.put(at, Written::text("The request was not accepted by the portal."));
    }
    if let (Some(at), Some(info)) = (layer.refused_info.as_ref().or(layer.info.as_ref()), info) {
        written.put(at, Written::Raw(info.to_owned()));
    }
    if let Some(test) = &layer.accepted
        && !test.is.is_empty()
    {
        written.put(&test.at, Written::flag(&opposite(test)));
    }
    if let Some(test) = &layer.refused
        && let Some(word) = test.is.first()
    {
        written.put(&test.at, Written::flag(word));
    }
    written.to_json()
}

/// Where a text for people stands beside the portal's errors: the last place for errors, if it is a text's and holds
/// nothing else.
fn place_for_people(layer: &Layer) -> Option<&Pointer> {
    let (last, earlier) = layer.errors.split_last()?;
    let first = earlier.first()?;
    let own = last.at.steps();
    let is_index = |steps: &[String]| steps.first().is_some_and(|step| step.bytes().all(|byte| byte.is_ascii_digit()));
    let tests = [&layer.accepted, &layer.refused].into_iter().flatten().map(|test| &test.at);
    let mut taken = earlier
        .iter()
        .map(|rule| &rule.at)
        .chain(tests)
        .chain([&layer.info, &layer.refused_info].into_iter().flatten());
    let is_free = !taken.any(|at| own.starts_with(at.steps()) || at.steps().starts_with(own));
    let is_for_people = own.last().is_some_and(|name| name.contains("message") || name.contains("desc"));
    (is_free && is_for_people && is_index(own) == is_index(first.at.steps())).then_some(&last.at)
}

/// A word that is not among those of a yes.
fn opposite(test: &Test) -> String {
    let pairs =
        [("true", "false"), ("1", "0"), ("Y", "N"), ("SUCCESS", "FAILURE"), ("Success", "Failed"), ("200", "204")];
    let found =
        test.is.iter().find_map(|word| pairs.iter().find(|(yes, _)| yes == word).map(|(_, no)| (*no).to_owned()));
    found.unwrap_or_else(|| "0".to_owned())
}

fn written_errors(rule: &ErrorRule, by: By, errors: &Errors) -> Written {
    let text_of = |code: &str, text: &str| {
        if text.is_empty() { texts::text_of(code).unwrap_or("refused").to_owned() } else { text.to_owned() }
    };
    if rule.code_by_text {
        // The provider drops the codes.
        let all: Vec<String> = errors.iter().map(|(code, text)| text_of(code, text)).collect();
        return Written::text(&all.join(", "));
    }
    if let Some(pattern) = &rule.pattern {
        let all: Vec<String> = errors
            .iter()
            .map(|(code, text)| {
                let text = text_of(code, text);
                // The form that is taken apart again into what it was made of; a text alone where none is.
                let forms = [" : ", ": ", " ", "-"].map(|between| format!("{code}{between}{text}"));
                let fits = |form: &&String| pattern.take_apart(form) == Some((code.as_str(), text.as_str()));
                forms.iter().find(fits).cloned().unwrap_or(text)
            })
            .collect();
        return Written::text(&all.join(&format!("{} ", rule.split.as_deref().unwrap_or(","))));
    }
    let (code_name, message_name) = (rule.code.first(), rule.message.first());
    let list: Vec<Written> = errors
        .iter()
        .map(|(code, text)| {
            let mut members = Vec::new();
            if let Some(name) = code_name {
                members.push((name.clone(), Written::text(code)));
            }
            if let Some(name) = message_name {
                members.push((name.clone(), Written::text(&text_of(code, text))));
            }
            if let Some(source) = &rule.source {
                let who =
                    if by == By::Portal { source.portal.first().map_or("GOVT", String::as_str) } else { "PROVIDER" };
                members.push((source.member.clone(), Written::text(who)));
            }
            Written::Object(members)
        })
        .collect();
    Written::Array(list)
}

impl Provider {
    /// What the provider says of itself, in its own words where the profile knows any.
    pub(super) fn says(&self, product: Option<Product>, meaning: Meaning, why: &str) -> PortalReply {
        let part = product.and_then(|product| self.profile.product(product));
        let layers: &[Layer] = match part {
            Some(part) => &part.reply,
            None => self.profile.provider.login.as_ref().map_or(&[], |login| &login.reply),
        };
        let product = product.unwrap_or(Product::EInvoice);
        let rule = |meaning| self.profile.codes.iter().find(move |rule| rule.is == meaning);
        let status = |meaning| self.profile.http.iter().find(move |rule| rule.is == meaning);
        // Many providers have one word for both tokens.
        let has_none = rule(meaning).is_none() && status(meaning).is_none();
        let meaning = if meaning == Meaning::ReauthProvider && has_none { Meaning::ReauthTaxpayer } else { meaning };
        let (rule, status) = (rule(meaning), status(meaning));
        match (rule, status) {
            (Some(rule), _) => {
                let code = rule.code.clone().unwrap_or_default().replace('*', "01");
                let text = rule.text.clone().unwrap_or_else(|| why.to_owned());
                json(200, no(layers, product, By::Provider, &vec![(code, text)], None))
            }
            (None, Some(rule)) => json(rule.status, format!(r#"{{"message":{}}}"#, quoted(why))),
            // One without a word of its own for it passes on what the portal says of its token.
            (None, None) if meaning == Meaning::ReauthTaxpayer => {
                let code = if product == Product::EInvoice { "1005" } else { "238" };
                json(200, no(layers, product, By::Portal, &vec![(code.to_owned(), why.to_owned())], None))
            }
            (None, None) => json(200, no(layers, product, By::Provider, &vec![(String::new(), why.to_owned())], None)),
        }
    }
}

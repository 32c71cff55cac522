//! Puts the answers of a recording to a profile: does it still understand them as it did?

use einvoice_core::portal_code::{PortalError, deciding_class};
use einvoice_sandbox::PortalRequest;

use super::{Became, Told};
use crate::answer::{Answer, Reading};
use crate::emulator::Place;
use crate::profile::{Crypto, Layer, Profile};
use crate::tape::Line;

/// How a profile understands an exchange, in one line: what was asked, and a yes, a no with its codes, or neither.
#[must_use]
pub fn understood(profile: &Profile, line: &Line) -> String {
    let place = place_of(profile, line);
    let Some(response) = &line.response else { return format!("{}: no answer", words(place)) };
    let reading =
        Reading { layers: layers(profile, place), codes: &profile.codes, http: &profile.http, product: product(place) };
    let said = match reading.read(response.status, response.body.as_bytes()) {
        _ if place == Place::Other => format!("HTTP status {}", response.status),
        Answer::Yes { content, .. } => format!("yes, {}", kind_of(&content)),
        Answer::No(refusal) => {
            let codes: Vec<&str> = refusal.errors.iter().map(|error: &PortalError| error.code.as_str()).collect();
            let class = deciding_class(&refusal.errors).name();
            // A provider may write anything where a code stands, and this is told in one line.
            let codes: Vec<&str> = codes.iter().flat_map(|code| code.split(char::is_control)).collect();
            format!(
                "no, codes {}, {class}",
                if codes.concat().is_empty() { "none".to_owned() } else { codes.join(" ") }
            )
        }
        Answer::Unclear(_) => "neither yes nor no".to_owned(),
    };
    format!("{}: {said}", words(place))
}

/// Compares how a profile understands every exchange of a recording with how it was understood.
#[must_use]
pub fn replay(profile: &Profile, lines: &[Line]) -> Vec<Told> {
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| {
            let now = understood(profile, line);
            let place = place_of(profile, line);
            let name = format!("exchange {}: {} {}", at + 1, line.request.method, line.request.target);
            let became = match &line.understood {
                _ if place == Place::Other && line.part != "common" && is_plain(profile, &line.part) => {
                    Became::Broken("the profile asks nothing of the kind".to_owned())
                }
                Some(before) if *before == now => Became::Kept,
                Some(before) => Became::Broken(format!("it was understood as \"{before}\", and is now \"{now}\"")),
                None => Became::NotApplicable(format!("understood as \"{now}\"; nothing says what it should be")),
            };
            let look_at = keys(place).into_iter().collect();
            Told { promise: name, became, look_at }
        })
        .collect()
}

/// Whether a part of the profile speaks for itself, so that every request must be one that it knows.
fn is_plain(profile: &Profile, part: &str) -> bool {
    let part = if part == "irp" { &profile.irp } else { &profile.ewb };
    part.as_ref().is_some_and(|part| part.crypto == Crypto::Plain)
}

fn place_of(profile: &Profile, line: &Line) -> Place {
    let request = PortalRequest {
        method: line.request.method.clone(),
        target: format!("/{}{}", line.part, line.request.target),
        headers: line.request.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        body: line.request.body.clone().into_bytes(),
    };
    Place::of(profile, &request)
}

fn layers(profile: &Profile, place: Place) -> &[Layer] {
    place.layers(profile).map_or(&[], |(layers, _)| layers)
}

const fn product(place: Place) -> einvoice_core::environment::Product {
    match place {
        Place::TaxpayerLogin(product) | Place::Operation(product, _) | Place::Passed(product) => product,
        Place::ProviderLogin | Place::Other => einvoice_core::environment::Product::EInvoice,
    }
}

fn words(place: Place) -> String {
    match place {
        Place::ProviderLogin => "login to the provider".to_owned(),
        Place::TaxpayerLogin(product) => format!("login of the taxpayer ({product})"),
        Place::Operation(_, kind) => kind.words().to_owned(),
        Place::Passed(product) => format!("the portal's protocol ({product})"),
        Place::Other => "something else".to_owned(),
    }
}

fn keys(place: Place) -> Vec<String> {
    let part = if product(place) == einvoice_core::environment::Product::EInvoice { "irp" } else { "ewb" };
    match place {
        Place::ProviderLogin => vec!["provider.login.reply".to_owned()],
        Place::TaxpayerLogin(_) => vec![format!("{part}.login.reply")],
        Place::Operation(..) => vec![format!("{part}.reply"), "codes".to_owned(), "http".to_owned()],
        Place::Passed(_) | Place::Other => vec![format!("{part}.operations")],
    }
}

/// What a content is, without what it says.
fn kind_of(content: &str) -> &'static str {
    match content.trim().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::read_profile;

    #[test]
    fn a_code_of_several_lines_is_told_in_one() {
        let said = serde_json::json!({ "status_cd": "0", "error": { "error_cd": "a\nb\u{1b}[31m", "message": "no" } });
        let line: Line = serde_json::from_value(serde_json::json!({
            "at": "2026-11-05T06:30:00Z",
            "part": "irp",
            "request": { "method": "POST", "target": "/eicore/dec/v1.03/Invoice", "headers": {} },
            "response": { "status": 200, "body": said.to_string() },
        }))
        .unwrap();
        let told = understood(&read_profile("taxpro", Path::new("")).unwrap(), &line);
        assert_eq!(told, "generate IRN: no, codes a b [31m, unknown");
    }
}

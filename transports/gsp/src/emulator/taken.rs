//! Takes requests apart, by the templates of a profile read backwards.

use std::collections::BTreeMap;

use einvoice_core::operation::OperationKind;
pub(super) use einvoice_protocol::endpoints::percent_decoded as decoded;
use einvoice_protocol::members::{Members, elements};
use einvoice_protocol::object::quoted;
use einvoice_sandbox::PortalRequest;

use crate::hooks;
use crate::profile::{Body, Known, Login, Meaning, Named, OperationProfile, ProductProfile, Template, Variable, Wrap};

/// Values that a request brought.
pub(super) type Values = BTreeMap<Variable, String>;

/// A request taken apart.
pub(super) struct Came<'r> {
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: &'r [u8],
}

impl<'r> Came<'r> {
    pub(super) fn of(request: &'r PortalRequest, target: &'r str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name).unwrap_or_default(), decoded(value).unwrap_or_default())
        });
        Self {
            method: &request.method,
            path,
            query: pairs.collect(),
            headers: request.headers.clone(),
            body: &request.body,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> &'r str {
        std::str::from_utf8(self.body).unwrap_or_default()
    }
}

pub(super) fn known(values: &Values, known: Known) -> Option<&str> {
    values.get(&Variable::Known(known)).map(String::as_str)
}

/// Why a request is not taken.
pub(super) struct NotTaken {
    pub(super) meaning: Meaning,
    pub(super) why: String,
}

pub(super) fn not_taken(meaning: Meaning, why: impl Into<String>) -> NotTaken {
    NotTaken { meaning, why: why.into() }
}

/// Takes the values of templates out of texts by name; the last table that has a name counts.
pub(super) fn take<'c>(
    tables: &[&Named],
    what: &str,
    find: impl Fn(&str) -> Option<&'c str>,
    values: &mut Values,
    skip: impl Fn(&Template) -> bool,
) -> Result<(), NotTaken> {
    let mut last: BTreeMap<String, (&String, &Template)> = BTreeMap::new();
    for (name, template) in tables.iter().flat_map(|table| table.iter()) {
        last.insert(name.to_ascii_lowercase(), (name, template));
    }
    for (name, template) in last.into_values() {
        if skip(template) {
            continue;
        }
        let text = find(name).ok_or_else(|| not_taken(Meaning::Config, format!("{what} {name} is missing")))?;
        let found = template.take(text, |value| Some(value.to_owned()));
        let found = found.ok_or_else(|| not_taken(Meaning::Config, format!("{what} {name} has another form")))?;
        for (variable, value) in found {
            if values.get(&variable).is_some_and(|known| *known != value) {
                return Err(not_taken(Meaning::Config, format!("{{{variable}}} comes in two forms")));
            }
            values.insert(variable, value);
        }
    }
    Ok(())
}

/// The values of a login.
pub(super) fn take_login(
    came: &Came<'_>,
    login: &Login,
    query: &[&Named],
    headers: &[&Named],
    values: &mut Values,
) -> Result<(), NotTaken> {
    // What needs a token that this login brings is left out of it.
    let later = |template: &Template| template.uses(Known::TaxpayerToken) || template.uses(Known::Sek);
    let queries: Vec<&Named> = query.iter().copied().chain([&login.query]).collect();
    let all: Vec<&Named> = headers.iter().copied().chain([&login.headers]).collect();
    take(&queries, "parameter", |name| came.parameter(name), values, later)?;
    take(&all, "header", |name| came.header(name), values, later)?;
    if !login.json.is_empty() {
        let members = Members::read(came.text(), &[]);
        let members = members.map_err(|_| not_taken(Meaning::Config, "the body is no JSON object"))?;
        let texts: BTreeMap<&str, String> =
            login.json.keys().filter_map(|name| Some((name.as_str(), members.text(name)?))).collect();
        take(&[&login.json], "member", |name| texts.get(name).map(String::as_str), values, |_| false)?;
    }
    if !login.form.is_empty() {
        let form = format!("/?{}", came.text());
        let request = PortalRequest { method: String::new(), target: form, headers: Vec::new(), body: Vec::new() };
        let fields = Came::of(&request, &request.target).query;
        let find = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        take(&[&login.form], "field", find, values, |_| false)?;
    }
    Ok(())
}

/// The portal's JSON of a write, out of what the provider takes; nothing for a read.
pub(super) fn portals_json(
    part: &ProductProfile,
    kind: OperationKind,
    how: &OperationProfile,
    came: &Came<'_>,
    values: &mut Values,
) -> Result<Option<String>, NotTaken> {
    let wrong = |why: &str| not_taken(Meaning::Reject, why.to_owned());
    let body = how.body.unwrap_or(if kind.changes_books() { Body::Nic } else { Body::None });
    if body == Body::None {
        return Ok(None);
    }
    let mut json = came.text().trim().to_owned();
    for wrap in how.wrap.iter().rev() {
        json = match wrap {
            Wrap::Array => {
                let list = elements(&json).ok_or_else(|| wrong("the body is no list"))?;
                list.first().ok_or_else(|| wrong("the list is empty"))?.get().to_owned()
            }
            Wrap::Member(name) => {
                let members = Members::read(&json, &[]).map_err(|_| wrong("the body is no object"))?;
                members.get(name).ok_or_else(|| wrong("the wrapping member is missing"))?.get().to_owned()
            }
        };
    }
    let members = Members::read(&json, &[]).map_err(|_| wrong("the body is no object"))?;
    let added = [&part.add, &how.add, &how.members];
    let texts: BTreeMap<String, String> = added
        .iter()
        .flat_map(|table| table.keys())
        .filter_map(|name| Some((name.clone(), members.text(name)?)))
        .collect();
    // A member that the portal's JSON has of its own was not added.
    let own_of_portal = |name: &str| texts.get(name).map(String::as_str);
    take(&added, "member", own_of_portal, values, |_| false)?;
    if body == Body::Members {
        return Ok(None);
    }
    let mut rest = String::new();
    for (name, value) in members.iter() {
        let is_added = added.iter().any(|table| table.contains_key(name));
        if !is_added {
            rest.push(if rest.is_empty() { '{' } else { ',' });
            rest.push_str(&quoted(name));
            rest.push(':');
            rest.push_str(value.get());
        }
    }
    let json = if rest.is_empty() { "{}".to_owned() } else { format!("{rest}}}") };
    match how.hook.as_deref().and_then(hooks::find) {
        Some(hook) => hook.asked(kind, &json).map(Some).map_err(|error| wrong(&error.to_string())),
        None => Ok(Some(json)),
    }
}

//! Understands what a caller asks of the provider, and has the portal answer it.

use std::collections::BTreeMap;

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_protocol::endpoints::{Endpoints, percent_encode};
use einvoice_protocol::members::{Members, elements};
use einvoice_protocol::object::quoted;
use einvoice_sandbox::{Asked, Behind, PortalReply, PortalRequest, Said, Ticket};
use jiff::tz::TimeZone;

use super::said::{By, no, yes};
use super::written::Written;
use super::{Provider, json, page};
use crate::hooks;
use crate::profile::{
    Body, Crypto, ExpiryUnit, Known, Login, Meaning, Named, OperationProfile, ProductProfile, TaxpayerMode, Template,
    Variable, Wrap,
};

/// Values that a request brought.
type Values = BTreeMap<Variable, String>;

/// A request taken apart.
struct Came<'r> {
    method: &'r str,
    path: &'r str,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: &'r [u8],
}

impl<'r> Came<'r> {
    fn of(request: &'r PortalRequest, target: &'r str) -> Self {
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

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> &'r str {
        std::str::from_utf8(self.body).unwrap_or_default()
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn known(values: &Values, known: Known) -> Option<&str> {
    values.get(&Variable::Known(known)).map(String::as_str)
}

/// Why a request is not taken.
struct NotTaken {
    meaning: Meaning,
    why: String,
}

fn not_taken(meaning: Meaning, why: impl Into<String>) -> NotTaken {
    NotTaken { meaning, why: why.into() }
}

/// Takes the values of templates out of texts by name; the last table that has a name counts.
fn take<'c>(
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

impl Provider {
    /// The login to the provider.
    pub(super) fn provider_login(&self, behind: &mut Behind<'_>, request: &PortalRequest, target: &str) -> PortalReply {
        let Some(login) = &self.profile.provider.login else {
            return if request.method == "GET" { json(200, r#"{"up":true}"#.to_owned()) } else { page(404) };
        };
        let came = Came::of(request, target);
        if came.method != login.http.method().as_str() || came.path != login.http.path().to_string() {
            return if request.method == "GET" { json(200, r#"{"up":true}"#.to_owned()) } else { page(404) };
        }
        let mut values = Values::new();
        let taken = self.take_login(&came, login, &[], &[], &mut values).and_then(|()| self.own_account(&values));
        if let Err(refused) = taken {
            return self.says(None, Meaning::Config, &refused.why);
        }
        let token = format!("gsp{}", behind.random_digits(40));
        let end = behind.now().checked_add(Self::lifetime(login)).unwrap_or(behind.now());
        self.state().provider_tokens.insert(token.clone(), end);
        json(200, login_yes(login, &token, end, behind, Product::EInvoice))
    }

    fn take_login(
        &self,
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

    /// Client pair and settings are those of the account.
    fn own_account(&self, values: &Values) -> Result<(), NotTaken> {
        for (variable, own) in
            [(Known::ClientId, &self.account.client_id), (Known::ClientSecret, &self.account.client_secret)]
        {
            if known(values, variable).is_some_and(|given| given != own) {
                return Err(not_taken(Meaning::Config, "client id or secret is wrong"));
            }
        }
        for (name, expected) in &self.settings {
            if values.get(&Variable::Setting(name.clone())).is_some_and(|given| given != expected) {
                return Err(not_taken(Meaning::Config, format!("{name} is wrong")));
            }
        }
        Ok(())
    }

    /// A call below the address of one of the systems.
    pub(super) fn call(
        &self,
        behind: &mut Behind<'_>,
        product: Product,
        request: &PortalRequest,
        target: &str,
    ) -> PortalReply {
        let Some(part) = self.profile.product(product) else { return page(404) };
        let came = Came::of(request, target);
        let is_portals_login = part.taxpayer == TaxpayerMode::Nic && is_login(product, part, &came);
        if part.crypto == Crypto::Nic || is_portals_login {
            return match self.pass(behind, product, part, &came) {
                Ok(reply) => reply,
                Err(refused) => self.says(Some(product), refused.meaning, &refused.why),
            };
        }
        if let Some(login) = part.login.as_ref().filter(|login| {
            login.http.method().as_str() == came.method && login.http.path().take(came.path, decoded).is_some()
        }) && !part.operations.values().any(|how| fits(how, &came))
        {
            return self.taxpayer_login(behind, product, part, login, &came);
        }
        match self.operation(behind, product, part, &came) {
            Ok(reply) => reply,
            Err(refused) => self.says(Some(product), refused.meaning, &refused.why),
        }
    }

    /// The checks that every call meets: headers, parameters, account, tokens, request id.
    fn common_checks(
        &self,
        behind: &Behind<'_>,
        came: &Came<'_>,
        query: &[&Named],
        headers: &[&Named],
        values: &mut Values,
        skip: impl Fn(&Template) -> bool + Copy,
    ) -> Result<(), NotTaken> {
        take(query, "parameter", |name| came.parameter(name), values, skip)?;
        take(headers, "header", |name| came.header(name), values, skip)?;
        self.own_account(values)?;
        if let Some(token) = known(values, Known::ProviderToken) {
            let state = self.state();
            if state.provider_tokens.get(token).is_none_or(|end| *end <= behind.now()) {
                return Err(not_taken(Meaning::ReauthProvider, "the token of the account is not accepted"));
            }
        }
        if let Some(id) = known(values, Known::RequestId)
            && !self.state().request_ids.insert(id.to_owned())
        {
            return Err(not_taken(Meaning::Config, "the request id was used before"));
        }
        Ok(())
    }

    fn taxpayer_login(
        &self,
        behind: &mut Behind<'_>,
        product: Product,
        part: &ProductProfile,
        login: &Login,
        came: &Came<'_>,
    ) -> PortalReply {
        let common = &self.profile.provider;
        let mut values = Values::new();
        let (query, headers) = ([&common.query, &part.query], [&common.headers, &part.headers]);
        let taken = self.take_login(came, login, &query, &headers, &mut values).and_then(|()| {
            let nothing: [&Named; 0] = [];
            self.common_checks(behind, came, &nothing, &nothing, &mut values, |_| true)
        });
        if let Err(refused) = taken {
            return self.says(Some(product), refused.meaning, &refused.why);
        }
        let gstin = known(&values, Known::Gstin).map(str::to_owned);
        let (Some(gstin), Some(user), Some(password)) =
            (gstin, known(&values, Known::UserName), known(&values, Known::Password))
        else {
            return self.says(Some(product), Meaning::Config, "GSTIN, user or password is missing");
        };
        match behind.log_in(product, &gstin, user, password) {
            Ok(ticket) => {
                let token = match &login.token {
                    Some(_) => format!("tax{}", behind.random_digits(32)),
                    None => gstin,
                };
                let end = ticket.expires_at();
                self.state().logins.insert((product, token.clone()), ticket);
                json(200, login_yes(login, &token, end, behind, product))
            }
            Err(errors) => json(200, no(&login.reply, product, By::Portal, &errors, None)),
        }
    }

    fn operation(
        &self,
        behind: &mut Behind<'_>,
        product: Product,
        part: &ProductProfile,
        came: &Came<'_>,
    ) -> Result<PortalReply, NotTaken> {
        let common = &self.profile.provider;
        let candidates: Vec<(&OperationKind, &OperationProfile)> =
            part.operations.iter().filter(|(kind, how)| fits(how, came) && action_fits(**kind, how, came)).collect();
        let mut refused = not_taken(Meaning::Unsupported, format!("nothing is at {} {}", came.method, came.path));
        for (kind, how) in candidates {
            let mut values = how.http.path().take(came.path, decoded).unwrap_or_default();
            let query = [&common.query, &part.query, &how.query];
            let headers = [&common.headers, &part.headers, &how.headers];
            match self.common_checks(behind, came, &query, &headers, &mut values, |_| false) {
                Ok(()) => return self.ask(behind, product, part, *kind, how, came, &values),
                Err(other) => refused = other,
            }
        }
        Err(refused)
    }

    #[expect(clippy::too_many_arguments, reason = "a call is told what it is made of, once")]
    fn ask(
        &self,
        behind: &mut Behind<'_>,
        product: Product,
        part: &ProductProfile,
        kind: OperationKind,
        how: &OperationProfile,
        came: &Came<'_>,
        values: &Values,
    ) -> Result<PortalReply, NotTaken> {
        let layers = how.reply.as_deref().unwrap_or(&part.reply);
        let mut values = values.clone();
        let body = self.portals_json(part, kind, how, came, &mut values)?;
        let ticket = match self.ticket(behind, product, part, &values) {
            Ok(ticket) => ticket,
            Err(Refused::ByProvider(refused)) => return Err(refused),
            Err(Refused::ByPortal(errors)) => return Ok(json(200, no(layers, product, By::Portal, &errors, None))),
        };
        let site = known(&values, Known::Site).map(|spelt| {
            let named = self.profile.sites.iter().find(|(_, own)| *own == spelt);
            named.map_or_else(|| spelt.to_owned(), |(name, _)| name.clone())
        });
        let target = target_of(kind, how, came, &values)
            .ok_or_else(|| not_taken(Meaning::Config, "a value of the question is missing"))?;
        let action = action_of(kind);
        let asked = Asked { target: &target, write: body.as_deref().map(|json| (action, json)), site: site.as_deref() };
        Ok(match behind.ask(&ticket, asked) {
            Said::Other(reply) => reply,
            Said::No { errors, info } => json(200, no(layers, product, By::Portal, &errors, info.as_deref())),
            Said::Yes { content, info } => {
                let content = match &how.payload {
                    Some(at) => {
                        let mut written = Written::empty();
                        written.put(at, Written::Raw(content));
                        written.to_json()
                    }
                    None => content,
                };
                json(200, yes(layers, product, &content, info.as_deref()))
            }
        })
    }

    /// The portal's JSON of a write, out of what the provider takes; nothing for a read.
    fn portals_json(
        &self,
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

    /// The taxpayer's login that a call stands on.
    fn ticket(
        &self,
        behind: &mut Behind<'_>,
        product: Product,
        part: &ProductProfile,
        values: &Values,
    ) -> Result<Ticket, Refused> {
        let missing = |what: &str| Refused::ByProvider(not_taken(Meaning::Config, format!("{what} is missing")));
        match part.taxpayer {
            TaxpayerMode::EveryCall => {
                let gstin = known(values, Known::Gstin).ok_or_else(|| missing("the GSTIN"))?;
                let user = known(values, Known::UserName).ok_or_else(|| missing("the user"))?;
                let password = known(values, Known::Password).ok_or_else(|| missing("the password"))?;
                behind.log_in(product, gstin, user, password).map_err(Refused::ByPortal)
            }
            TaxpayerMode::AtProvider => {
                // The API user was entered at the provider for each GSTIN that has one.
                let gstin = known(values, Known::Gstin).ok_or_else(|| missing("the GSTIN"))?;
                let user = behind.user(product, gstin).ok_or_else(|| {
                    Refused::ByProvider(not_taken(
                        Meaning::TaxpayerCredentials,
                        "no API user was entered for this GSTIN",
                    ))
                })?;
                behind.log_in(product, gstin, &user.username, &user.password).map_err(Refused::ByPortal)
            }
            TaxpayerMode::Login | TaxpayerMode::WarmUp => {
                let by = if part.taxpayer == TaxpayerMode::Login { Known::TaxpayerToken } else { Known::Gstin };
                let token = known(values, by).ok_or_else(|| missing("the taxpayer's token"))?;
                let found = self.state().logins.get(&(product, token.to_owned())).cloned();
                let gstin = known(values, Known::Gstin);
                match found {
                    Some(ticket)
                        if ticket.expires_at() > behind.now() && gstin.is_none_or(|gstin| gstin == ticket.gstin()) =>
                    {
                        Ok(ticket)
                    }
                    _ => Err(Refused::ByProvider(not_taken(
                        Meaning::ReauthTaxpayer,
                        "the taxpayer's login is not there or over",
                    ))),
                }
            }
            TaxpayerMode::Nic => {
                let token = known(values, Known::TaxpayerToken).ok_or_else(|| missing("the token"))?;
                let gstin = known(values, Known::Gstin).ok_or_else(|| missing("the GSTIN"))?;
                let user = behind.user(product, gstin).ok_or_else(|| missing("the API user"))?;
                let ticket =
                    behind.log_in(product, gstin, &user.username, &user.password).map_err(Refused::ByPortal)?;
                use base64::Engine as _;
                let sek = einvoice_protocol::encoding::BASE64.encode(ticket.sek());
                if ticket.token() != token || known(values, Known::Sek).is_some_and(|given| given != sek) {
                    return Err(Refused::ByProvider(not_taken(
                        Meaning::ReauthTaxpayer,
                        "token and session key are not those of the portal",
                    )));
                }
                Ok(ticket)
            }
        }
    }

    /// Passes the portal's protocol on: with the client pair of the taxpayer's PAN, at the portal's own paths.
    fn pass(
        &self,
        behind: &mut Behind<'_>,
        product: Product,
        part: &ProductProfile,
        came: &Came<'_>,
    ) -> Result<PortalReply, NotTaken> {
        let common = &self.profile.provider;
        let mut values = Values::new();
        let is_login = is_login(product, part, came);
        let skip = |template: &Template| {
            is_login
                && (template.uses(Known::TaxpayerToken) || template.uses(Known::UserName) || template.uses(Known::Sek))
        };
        let headers = [&common.headers, &part.headers];
        self.common_checks(behind, came, &[&common.query, &part.query], &headers, &mut values, skip)?;
        // The pair of the account travels under the portal's own names where the profile does not drop them.
        let pairs = [
            ("client_id", &self.account.client_id),
            ("client_secret", &self.account.client_secret),
            ("client-id", &self.account.client_id),
            ("client-secret", &self.account.client_secret),
        ];
        for (name, own) in pairs {
            let is_dropped = part.drop_headers.iter().any(|dropped| dropped.eq_ignore_ascii_case(name));
            match came.header(name) {
                Some(_) if is_dropped => {
                    return Err(not_taken(Meaning::Config, format!("{name} should not have been sent")));
                }
                Some(given) if given != own => return Err(not_taken(Meaning::Config, format!("{name} is wrong"))),
                _ => {}
            }
        }
        let gstin = came.header("gstin").ok_or_else(|| not_taken(Meaning::Config, "Gstin is missing"))?.to_owned();
        let client = behind.client(&gstin).ok_or_else(|| not_taken(Meaning::Config, "the GSTIN is unknown"))?;
        // What the portal's protocol has itself stays, though the profile writes it, too.
        let is_portals = |name: &str| PORTALS_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
        let own = |name: &str| {
            let mut names = headers.iter().flat_map(|table| table.keys());
            !is_portals(name) && names.any(|known| known.eq_ignore_ascii_case(name))
        };
        let is_pair =
            |name: &str| matches!(name.to_ascii_lowercase().replace('-', "_").as_str(), "client_id" | "client_secret");
        let mut passed: Vec<(String, String)> =
            came.headers.iter().filter(|(name, _)| !own(name) && !is_pair(name)).cloned().collect();
        passed.push(("client_id".to_owned(), client.client_id));
        passed.push(("client_secret".to_owned(), client.client_secret));
        let target = portals_target(product, part, came)
            .ok_or_else(|| not_taken(Meaning::Unsupported, format!("nothing is at {}", came.path)))?;
        let request =
            PortalRequest { method: came.method.to_owned(), target, headers: passed, body: came.body.to_vec() };
        Ok(behind.pass(&request))
    }
}

/// Headers of the portal's protocol beside the client pair.
const PORTALS_HEADERS: [&str; 5] = ["gstin", "user_name", "username", "authtoken", "irp"];

/// Why a call stands on no login.
enum Refused {
    ByProvider(NotTaken),
    ByPortal(Vec<(String, String)>),
}

/// Whether method, path and fixed parameters are those of an operation.
fn fits(how: &OperationProfile, came: &Came<'_>) -> bool {
    how.http.method().as_str() == came.method
        && how.http.path().take(came.path, decoded).is_some()
        && how.query.iter().all(|(name, template)| {
            !template.is_fixed() || came.parameter(name).is_some_and(|value| value == template.to_string())
        })
        && how.add.iter().chain(&how.members).all(|(name, template)| {
            // What is added for an operation tells it from others at the same place.
            let found = || outermost_text(came, name);
            !template.is_fixed() || found().is_none_or(|value| value == template.to_string())
        })
}

fn outermost_text(came: &Came<'_>, name: &str) -> Option<String> {
    Members::read(came.text(), &[]).ok()?.text(name)
}

/// Whether the action that a request names is that of an operation.
fn action_fits(kind: OperationKind, how: &OperationProfile, came: &Came<'_>) -> bool {
    let in_path = how.http.path().take(came.path, decoded);
    let action = in_path.as_ref().and_then(|values| known(values, Known::Action).map(str::to_owned)).or_else(|| {
        how.query.iter().find(|(_, template)| template.uses(Known::Action)).and_then(|(name, template)| {
            let values = template.take(came.parameter(name)?, |value| Some(value.to_owned()))?;
            known(&values, Known::Action).map(str::to_owned)
        })
    });
    match action {
        None => true,
        Some(action) if kind == OperationKind::ListEwbs => list_action(&action).is_some(),
        Some(action) => action_of(kind).is_some_and(|own| own.eq_ignore_ascii_case(&action)),
    }
}

/// The lists of the e-way bill system by its names.
fn list_action(action: &str) -> Option<&'static str> {
    const LISTS: [&str; 7] = [
        "GetEwayBillsByDate",
        "GetEwayBillsForTransporter",
        "GetEwayBillsForTransporterByGstin",
        "GetEwayBillsForTransporterByState",
        "GetEwayBillReportByTransporterassignedDate",
        "GetEwayBillsofOtherParty",
        "GetEwayBillsRejectedByOthers",
    ];
    LISTS.into_iter().find(|known| known.eq_ignore_ascii_case(action))
}

/// The e-way bill system's name for an operation; nothing for the lists, which have several, and for the other system.
const fn action_of(kind: OperationKind) -> Option<&'static str> {
    Some(match kind {
        OperationKind::GenerateEwb => "GENEWAYBILL",
        OperationKind::UpdatePartB => "VEHEWB",
        OperationKind::UpdateTransporter => "UPDATETRANSPORTER",
        OperationKind::ExtendValidity => "EXTENDVALIDITY",
        OperationKind::ConsolidateEwb => "GENCEWB",
        OperationKind::RegenerateTripSheet => "REGENTRIPSHEET",
        OperationKind::CancelEwb => "CANEWB",
        OperationKind::RejectEwb => "REJEWB",
        OperationKind::StartMultiVehicle => "MULTIVEHMOVINT",
        OperationKind::AddVehicle => "MULTIVEHADD",
        OperationKind::ChangeVehicle => "MULTIVEHUPD",
        OperationKind::CloseEwb => "CLSEWB",
        OperationKind::GetEwb => "GetEwayBill",
        OperationKind::GetEwbByDocument => "GetEwayBillGeneratedByConsigner",
        OperationKind::GetTripSheet => "GetTripSheet",
        OperationKind::EwbGstinDetails => "GetGSTINDetails",
        OperationKind::TransporterDetails => "GetTransporterDetails",
        OperationKind::HsnDetails => "GetHsnDetailsByHsnCode",
        OperationKind::EwbErrorList => "GetErrorList",
        _ => return None,
    })
}

/// The portal's own path and query of an operation.
fn target_of(kind: OperationKind, how: &OperationProfile, came: &Came<'_>, values: &Values) -> Option<String> {
    let value = |variable| known(values, variable);
    let irp = Endpoints::default();
    let below = |path: &str, variable| Some(format!("{path}/{}", value(variable)?));
    Some(match kind {
        OperationKind::GenerateIrn => irp.generate_irn,
        OperationKind::CancelIrn => irp.cancel_irn,
        OperationKind::GenerateEwbByIrn => irp.generate_ewb_by_irn,
        OperationKind::GetIrn => below(&irp.get_irn, Known::Irn)?,
        OperationKind::GetEwbByIrn => below(&irp.get_ewb_by_irn, Known::Irn)?,
        OperationKind::GstinDetails => below(&irp.gstin_details, Known::AskedGstin)?,
        OperationKind::SyncGstin => below(&irp.sync_gstin, Known::AskedGstin)?,
        OperationKind::RejectedIrns => {
            format!("{}?date={}", irp.rejected_irns, percent_encode(value(Known::Date)?))
        }
        OperationKind::GetIrnByDocument => format!(
            "{}?doctype={}&docnum={}&docdate={}",
            irp.get_irn_by_document,
            percent_encode(value(Known::DocumentType)?),
            percent_encode(value(Known::DocumentNumber)?),
            percent_encode(value(Known::DocumentDate)?),
        ),
        _ if kind.changes_books() => "/v1.03/ewayapi".to_owned(),
        _ => {
            let name = match action_of(kind) {
                Some(name) => name,
                None => list_action(value(Known::Action)?)?,
            };
            let from = match kind {
                OperationKind::EwbGstinDetails
                | OperationKind::TransporterDetails
                | OperationKind::HsnDetails
                | OperationKind::EwbErrorList => "Master",
                _ => "ewayapi",
            };
            let parameters = portals_parameters(kind, how, came, values)?;
            let query: Vec<String> =
                parameters.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("/v1.03/{from}/{name}{mark}{}", query.join("&"))
        }
    })
}

/// Parameters of a read of the e-way bill system, as the portal names them.
fn portals_parameters(
    kind: OperationKind,
    how: &OperationProfile,
    came: &Came<'_>,
    values: &Values,
) -> Option<Vec<(String, String)>> {
    let value = |variable| known(values, variable).map(str::to_owned);
    if how.portal_parameters {
        let is_own = |name: &str| how.query.contains_key(name);
        return Some(came.query.iter().filter(|(name, _)| !is_own(name)).cloned().collect());
    }
    let named: Vec<(&str, Option<String>)> = match kind {
        OperationKind::GetEwb => vec![("ewbNo", value(Known::EwbNumber))],
        OperationKind::GetEwbByDocument => {
            vec![("docType", value(Known::DocumentType)), ("docNo", value(Known::DocumentNumber))]
        }
        OperationKind::GetTripSheet => vec![("tripSheetNo", value(Known::TripSheet))],
        OperationKind::EwbGstinDetails => vec![("GSTIN", value(Known::AskedGstin))],
        OperationKind::TransporterDetails => vec![("trn_no", value(Known::Transporter))],
        OperationKind::HsnDetails => vec![("hsncode", value(Known::Hsn))],
        OperationKind::ListEwbs => vec![("date", value(Known::Date))],
        _ => Vec::new(),
    };
    named.into_iter().map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Whether a request is the portal's own login.
fn is_login(product: Product, part: &ProductProfile, came: &Came<'_>) -> bool {
    let path = match product {
        Product::EInvoice => part.endpoints.clone().unwrap_or_default().login,
        _ => part.ewb_endpoints.clone().unwrap_or_default().auth,
    };
    came.method == "POST" && came.path == path
}

/// The portal's own address for one of a provider that passes its protocol on.
fn portals_target(product: Product, part: &ProductProfile, came: &Came<'_>) -> Option<String> {
    let query = came.query.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect::<Vec<_>>();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    if product == Product::EInvoice {
        let (theirs, own) = (part.endpoints.clone().unwrap_or_default(), Endpoints::default());
        // The longest path first, as one begins with another.
        let mut pairs: Vec<(String, String)> = theirs
            .paths()
            .iter()
            .zip(own.paths())
            .map(|((_, theirs), (_, own))| ((*theirs).clone(), own.clone()))
            .collect();
        pairs.sort_by_key(|(theirs, _)| std::cmp::Reverse(theirs.len()));
        return pairs.iter().find_map(|(theirs, own)| {
            let rest = came.path.strip_prefix(theirs.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{own}{rest}{query}"))
        });
    }
    let (theirs, own) =
        (part.ewb_endpoints.clone().unwrap_or_default(), einvoice_protocol::ewb::settings::EwbEndpoints::default());
    theirs.paths().iter().zip(own.paths()).find_map(|((_, theirs), (_, own))| {
        let rest = came.path.strip_prefix(theirs.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("/ewb{own}{rest}{query}"))
    })
}

/// A login's answer with its token and the token's end.
fn login_yes(login: &Login, token: &str, end: jiff::Timestamp, behind: &Behind<'_>, product: Product) -> String {
    let mut content = Written::empty();
    if let Some(at) = &login.token {
        content.put(at, Written::text(token));
    }
    if let Some(expires) = &login.expires {
        let left = end.duration_since(behind.now()).as_secs();
        content.put(
            &expires.at,
            match expires.unit {
                ExpiryUnit::Seconds => Written::Raw(left.to_string()),
                ExpiryUnit::Minutes => Written::Raw((left / 60).to_string()),
                ExpiryUnit::EpochMilliseconds => Written::Raw(end.as_millisecond().to_string()),
                ExpiryUnit::EpochSeconds => Written::Raw(end.as_second().to_string()),
                ExpiryUnit::Time => {
                    // The portals write Indian time, which has no summer time.
                    let india = TimeZone::fixed(jiff::tz::Offset::constant(5));
                    let local = end.checked_add(jiff::SignedDuration::from_mins(30)).unwrap_or(end).to_zoned(india);
                    Written::text(&local.strftime("%Y-%m-%d %H:%M:%S").to_string())
                }
            },
        );
    }
    let content = content.to_json();
    if login.reply.is_empty() { content } else { yes(&login.reply, product, &content, None) }
}

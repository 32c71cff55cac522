//! Understands what a caller asks of the provider, and has the portal answer it.

use base64::Engine as _;
use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_protocol::encoding::BASE64;
use einvoice_sandbox::{Asked, Behind, PortalReply, PortalRequest, Said, Ticket};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::places::{action_fits, action_of, fits, is_login, portals_target, target_of};
use super::said::{By, nic_no, no, yes};
use super::taken::{Came, NotTaken, Values, decoded, known, not_taken, portals_json, take, take_login};
use super::written::Written;
use super::{Provider, ProviderAccount, json, page};
use crate::profile::{
    Balance, Crypto, ExpiryUnit, Known, Login, Meaning, Named, OperationProfile, ProductProfile, TaxpayerMode,
    Template, Variable,
};

impl Provider {
    /// The login to the provider.
    pub(super) fn provider_login(&self, behind: &mut Behind<'_>, request: &PortalRequest, target: &str) -> PortalReply {
        if let Some(balance) = &self.profile.limits.balance
            && let came = Came::of(request, target)
            && (balance.http.method().as_str(), balance.http.path().to_string()) == (came.method, came.path.to_owned())
        {
            return self.balance(behind, balance, &came);
        }
        let Some(login) = &self.profile.provider.login else {
            return if request.method == "GET" { json(200, r#"{"up":true}"#.to_owned()) } else { page(404) };
        };
        let came = Came::of(request, target);
        if came.method != login.http.method().as_str() || came.path != login.http.path().to_string() {
            return if request.method == "GET" { json(200, r#"{"up":true}"#.to_owned()) } else { page(404) };
        }
        let mut values = Values::new();
        let checked = take_login(&came, login, &[], &[], &mut values).and_then(|()| self.own_account(None, &values));
        if let Err(refused) = checked {
            return self.refuses_account(login, &refused.why);
        }
        let token = format!("gsp{}", behind.random_digits(40));
        let end = behind.now().checked_add(Self::lifetime(login)).unwrap_or(behind.now());
        self.state().provider_tokens.insert(token.clone(), end);
        json(200, login_yes(login, &token, end, behind.now(), Product::EInvoice))
    }

    /// The refusal of a wrong client pair: with HTTP status 401 where the profile knows that, as most providers do, whatever
    /// it says of the status on other calls.
    fn refuses_account(&self, login: &Login, why: &str) -> PortalReply {
        if !self.profile.http.iter().any(|rule| rule.status == 401) {
            return self.says(None, Meaning::Config, why);
        }
        let errors = vec![(String::new(), why.to_owned())];
        json(401, no(&login.reply, Product::EInvoice, By::Provider, &errors, None))
    }

    /// What is left of the account: 4,711, as nobody pays here.
    fn balance(&self, behind: &Behind<'_>, how: &Balance, came: &Came<'_>) -> PortalReply {
        let common = &self.profile.provider;
        let mut values = Values::new();
        let (query, headers) = ([&common.query, &how.query], [&common.headers, &how.headers]);
        let checked = self.common_checks(behind, Product::EInvoice, came, &query, &headers, &mut values, |_| false);
        if let Err(refused) = checked {
            return self.says(None, refused.meaning, &refused.why);
        }
        let mut content = Written::empty();
        content.put(&how.at, Written::Raw("4711".to_owned()));
        let content = content.to_json();
        json(200, if how.reply.is_empty() { content } else { yes(&how.reply, Product::EInvoice, &content, None) })
    }

    /// Client pair and settings are those of the account; at the login to the provider either pair will do.
    fn own_account(&self, product: Option<Product>, values: &Values) -> Result<(), NotTaken> {
        let is_own = |account: &ProviderAccount| {
            [(Known::ClientId, &account.client_id), (Known::ClientSecret, &account.client_secret)]
                .into_iter()
                .all(|(variable, own)| known(values, variable).is_none_or(|given| given == own))
        };
        let mut pairs = match product {
            Some(product) => vec![self.account(product)],
            None => vec![self.account(Product::EInvoice), self.account(Product::EWayBill)],
        }
        .into_iter();
        if !pairs.any(is_own) {
            return Err(not_taken(Meaning::Config, "client id or secret is wrong"));
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
    #[expect(clippy::too_many_arguments, reason = "a call is told what it is made of, once")]
    fn common_checks(
        &self,
        behind: &Behind<'_>,
        product: Product,
        came: &Came<'_>,
        query: &[&Named],
        headers: &[&Named],
        values: &mut Values,
        skip: impl Fn(&Template) -> bool + Copy,
    ) -> Result<(), NotTaken> {
        take(query, "parameter", |name| came.parameter(name), values, skip)?;
        take(headers, "header", |name| came.header(name), values, skip)?;
        self.own_account(Some(product), values)?;
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
        let checked = take_login(came, login, &query, &headers, &mut values).and_then(|()| {
            let nothing: [&Named; 0] = [];
            self.common_checks(behind, product, came, &nothing, &nothing, &mut values, |_| true)
        });
        if let Err(refused) = checked {
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
                json(200, login_yes(login, &token, end, behind.now(), product))
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
            match self.common_checks(behind, product, came, &query, &headers, &mut values, |_| false) {
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
        let body = portals_json(part, kind, how, came, &mut values)?;
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
            Said::No { errors, info } if self.state().nests => {
                let inner = nic_no(product, &errors, info.as_deref());
                json(200, no(layers, product, By::Provider, &vec![("X999".to_owned(), inner)], None))
            }
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
                let sek = BASE64.encode(ticket.sek());
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
        self.common_checks(behind, product, came, &[&common.query, &part.query], &headers, &mut values, skip)?;
        // The pair of the account travels under the portal's own names where the profile does not drop them.
        let account = self.account(product);
        let pairs = [
            ("client_id", &account.client_id),
            ("client_secret", &account.client_secret),
            ("client-id", &account.client_id),
            ("client-secret", &account.client_secret),
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

/// A login's answer with its token and the token's end.
pub(super) fn login_yes(login: &Login, token: &str, end: Timestamp, now: Timestamp, product: Product) -> String {
    let mut content = Written::empty();
    if let Some(at) = &login.token {
        content.put(at, Written::text(token));
    }
    if let Some(expires) = &login.expires {
        let left = end.duration_since(now).as_secs();
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

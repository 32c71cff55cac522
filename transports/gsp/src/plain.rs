//! The content in the clear, through a provider that seals: logins and calls by the templates of its profile.

use std::borrow::Cow;
use std::time::Instant;

use base64::Engine as _;
use einvoice_core::credential::Access;
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginRequest, TransportError, raw_calls_denied};
use einvoice_protocol::encoding::BASE64;
use einvoice_protocol::exchange::Exchange;
use einvoice_protocol::mask;
use einvoice_protocol::members::Members;
use einvoice_protocol::object::quoted;
use einvoice_protocol::question::{Beside, Question, answer, is_empty_list, question};
use jiff::{SignedDuration, Timestamp};

use crate::answer::{Answer, Reading, Refusal};
use crate::hooks::{self, Hook};
use crate::profile::{
    Body, Crypto, Login, Meaning, Named, OperationProfile, ProductProfile, TaxpayerMode, Variable, Wrap,
};
use crate::provider::{
    Parts, RETRY_WITHIN, RequestBody, Whose, known_secrets, not_sent, refused, with_advice, written_out,
};
use crate::tokens::Blame;
use crate::transport::GspTransport;
use crate::values::{Asked, Tokens, Values, site_of};

/// How long a session lasts that needs no token of the taxpayer's. It only bounds how long nobody looks.
const WITHOUT_TOKEN: SignedDuration = SignedDuration::from_hours(24);

/// What is asked, in the portals' own words and with the values that it has for templates.
pub(crate) struct Wish<'w> {
    pub(crate) kind: OperationKind,
    pub(crate) question: Question<'w>,
    /// The site that is asked, where it is another than the route's own.
    pub(crate) site: Option<&'w str>,
    pub(crate) asked: Asked<'w>,
}

impl<E: Exchange> GspTransport<E> {
    pub(crate) async fn plain_login(
        &self,
        exchange: &E,
        part: &ProductProfile,
        request: &LoginRequest<'_>,
    ) -> Result<Session, TransportError> {
        let Some(login) = &part.login else {
            // Nothing is to be had from anybody. The token tells one such session from another.
            self.provider.token(request.access).await?;
            let now = self.provider.clock.now();
            let until = now.checked_add(WITHOUT_TOKEN).unwrap_or(now);
            // It lasts no longer than the account's token, so that the next one is kept for others, too.
            let held = self.provider.held(request.access.client());
            let until = held.map_or(until, |held| held.expires_at.min(until));
            return Ok(without_key(request.access, Secret::new(self.provider.request_id()?), until));
        };
        let started = Instant::now();
        let was_held = self.provider.held(request.access.client()).map(|held| held.token);
        let token = self.provider.token(request.access).await?;
        let first = self.taxpayer_login(exchange, part, login, request, token.as_ref()).await;
        if first.is_ok() {
            self.provider.accepted(token.as_ref());
        }
        match (first, token) {
            (Err(error), Some(token)) if error.class() == Some(ErrorClass::TokenExpired) => {
                // One word of many providers stands for the account's token and for the taxpayer's login. The token can be
                // over if it was at hand before; one that was given out a moment ago is not to blame.
                let is_new = was_held.as_ref() != Some(&token);
                if is_new || self.provider.blame(&token, request.access.gstin()) != Blame::Token {
                    return Err(of_taxpayer(error));
                }
                if started.elapsed() > RETRY_WITHIN {
                    return Err(error);
                }
                self.provider.forget(&token);
                let token = self.provider.token(request.access).await?;
                self.taxpayer_login(exchange, part, login, request, token.as_ref()).await.map_err(of_taxpayer)
            }
            (Err(error), None) => Err(of_taxpayer(error)),
            (first, _) => first,
        }
    }

    async fn taxpayer_login(
        &self,
        exchange: &E,
        part: &ProductProfile,
        login: &Login,
        request: &LoginRequest<'_>,
        token: Option<&Secret<String>>,
    ) -> Result<Session, TransportError> {
        let request_id = self.provider.request_id()?;
        let site = self.provider.site(None);
        let common = &self.provider.profile.provider;
        let values = Values {
            settings: &self.provider.settings,
            access: request.access,
            tokens: Tokens {
                provider: token.map(|token| token.expose().as_str()),
                previous: request.previous.map(|previous| previous.token.expose().as_str()),
                ..Tokens::default()
            },
            request_id: &request_id,
            site: &site,
            force: request.force_refresh,
            asked: None,
            action: None,
        };
        let (query, headers) = ([&common.query, &part.query], [&common.headers, &part.headers]);
        let made =
            self.provider.login(exchange, login, &query, &headers, &values, request.product, Whose::Taxpayer).await?;
        let token = made.token.unwrap_or_else(|| Secret::new(request_id.clone()));
        Ok(without_key(request.access, token, made.expires_at))
    }

    pub(crate) async fn plain_call(
        &self,
        exchange: &E,
        part: &ProductProfile,
        session: &Session,
        operation: &Operation,
    ) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        let how = part.operations.get(&kind).ok_or(TransportError::Unsupported { operation: kind })?;
        let hook = hook_of(exchange, how)?;
        let wish = Wish {
            kind,
            question: question(operation, &part.closure_names),
            site: site_of(operation),
            asked: Asked::Operation(operation),
        };
        let understand = |content: &str, beside: Beside| {
            let content = match hook {
                Some(hook) => hook.reply(operation, content).map_err(|error| error.to_string())?.into(),
                None => Cow::Borrowed(content),
            };
            answer(operation, &content, beside).map_err(|error| error.to_string())
        };
        match self.carry_plain(exchange, part, how, session, &wish, &understand).await {
            Err(TransportError::Refused { errors, .. }) if is_empty_list(operation, &errors) => {
                Ok(Reply::EwbList(Vec::new()))
            }
            carried => carried,
        }
    }

    /// Carries a wish, once more where the provider's own token was over.
    pub(crate) async fn carry_plain<T>(
        &self,
        exchange: &E,
        part: &ProductProfile,
        how: &OperationProfile,
        session: &Session,
        wish: &Wish<'_>,
        understand: &(impl Fn(&str, Beside) -> Result<T, String> + Sync),
    ) -> Result<T, TransportError> {
        let started = Instant::now();
        let is_open = |refusal: &Refusal| wish.kind.changes_books() && refusal.is_by_status();
        let token = self.provider.token(session.access()).await?;
        let first = self.attempt(exchange, part, how, session, wish, token.as_ref(), understand).await?;
        let gstin = session.access().gstin();
        let refusal = match (first, &token) {
            (Ok(understood), token) => {
                self.provider.accepted(token.as_ref());
                return Ok(understood);
            }
            (Err(refusal), Some(refused)) if refusal.means(Meaning::ReauthProvider) => {
                match self.provider.blame(refused, gstin) {
                    Blame::Account => refusal.of_account(),
                    Blame::Taxpayer => refusal,
                    Blame::Token => {
                        self.provider.forget(refused);
                        // Whether a gateway passed it on all the same is not known, or there is no time: the caller's next
                        // call carries another token.
                        if is_open(&refusal) || started.elapsed() > RETRY_WITHIN {
                            refusal
                        } else {
                            // The provider did not look at the request: with another token it goes out once more.
                            let token = self.provider.token(session.access()).await?;
                            let second =
                                self.attempt(exchange, part, how, session, wish, token.as_ref(), understand).await?;
                            match (second, token) {
                                (Ok(understood), token) => {
                                    self.provider.accepted(token.as_ref());
                                    return Ok(understood);
                                }
                                (Err(refusal), Some(token)) => self.provider.judged(refusal, &token, gstin),
                                (Err(refusal), None) => refusal,
                            }
                        }
                    }
                }
            }
            (Err(refusal), token) => {
                if refusal.is_past_the_token() {
                    self.provider.accepted(token.as_ref());
                }
                refusal
            }
        };
        let request_id = String::new();
        let values = self.values(session, wish, token.as_ref(), None, &request_id, "");
        let known = known_secrets(&values);
        let known: Vec<&Secret<String>> = known.iter().collect();
        let advice = refusal.meanings.iter().find_map(|meaning| meaning.advice());
        let is_everywhere_known = part.taxpayer != TaxpayerMode::Login && part.taxpayer != TaxpayerMode::WarmUp;
        let mut refusal = refusal;
        refusal.errors = refusal.errors.into_iter().map(|error| with_advice(error, advice)).collect();
        if is_everywhere_known && refusal.means(Meaning::ReauthTaxpayer) {
            // There is no login that could bring another token: the API user itself is not accepted.
            for error in &mut refusal.errors {
                error.of_provider = error.of_provider.map(|_| ErrorClass::Auth);
            }
        }
        Err(refused(Some(wish.kind), refusal, &known))
    }

    fn values<'v>(
        &'v self,
        session: &'v Session,
        wish: &'v Wish<'_>,
        provider_token: Option<&'v Secret<String>>,
        sek: Option<&'v str>,
        request_id: &'v str,
        site: &'v str,
    ) -> Values<'v> {
        Values {
            settings: &self.provider.settings,
            access: session.access(),
            tokens: Tokens {
                provider: provider_token.map(|token| token.expose().as_str()),
                taxpayer: Some(session.token().expose()),
                sek,
                previous: None,
            },
            request_id,
            site,
            force: false,
            asked: Some(wish.asked),
            action: wish.question.action.as_deref(),
        }
    }

    /// One attempt: what was understood, or what was refused.
    #[expect(clippy::too_many_arguments, reason = "a call is told what it is made of, once")]
    async fn attempt<T>(
        &self,
        exchange: &E,
        part: &ProductProfile,
        how: &OperationProfile,
        session: &Session,
        wish: &Wish<'_>,
        token: Option<&Secret<String>>,
        understand: &(impl Fn(&str, Beside) -> Result<T, String> + Sync),
    ) -> Result<Result<T, Refusal>, TransportError> {
        let kind = wish.kind;
        let request_id = self.provider.request_id()?;
        let site = self.provider.site(wish.site);
        let sek = (part.crypto == Crypto::PlainWithSek).then(|| Secret::new(BASE64.encode(session.sek().expose())));
        let sek = sek.as_ref().map(|sek| sek.expose().as_str());
        let values = self.values(session, wish, token, sek, &request_id, &site);
        let missing = |variable: Variable| match variable {
            // The operation comes in forms, and this one lacks it: the profile cannot carry this form.
            Variable::Known(_) => TransportError::Unsupported { operation: kind },
            Variable::Setting(_) => not_sent(exchange, format!("the profile needs {{{variable}}}, which has no value")),
        };
        let body = self.body(exchange, part, how, wish, &values)?.map_err(missing)?;
        let common = &self.provider.profile.provider;
        let parts = Parts {
            http: &how.http,
            query: vec![&common.query, &part.query, &how.query],
            headers: vec![&common.headers, &part.headers, &how.headers],
            parameters: if how.portal_parameters { wish.question.parameters.clone() } else { Vec::new() },
            body: body.map(RequestBody::Json),
            lenient: false,
        };
        let request = written_out(parts, &values).map_err(missing)?;
        let response = self.provider.send(exchange, request, Some(kind)).await?;
        let known = known_secrets(&values);
        let known: Vec<&Secret<String>> = known.iter().collect();
        let bad = |reason: &str| TransportError::BadAnswer {
            endpoint: exchange.endpoint(),
            http_status: Some(response.status),
            reason: mask::hide(reason, &known),
            changes_books: kind.changes_books(),
        };
        let profile = &self.provider.profile;
        let reading = Reading {
            layers: how.reply.as_deref().unwrap_or(&part.reply),
            codes: &profile.codes,
            http: &profile.http,
            product: kind.product(),
        };
        let (content, info, alert) = match reading.read(response.status, &response.body) {
            Answer::Yes { content, info, alert } => (content, info, alert),
            Answer::No(refusal) => return Ok(Err(refusal)),
            Answer::Unclear(reason) => return Err(bad(&reason)),
        };
        let content = match &how.payload {
            Some(at) => {
                let found = at.structure(&content);
                found.ok_or_else(|| bad(&format!("it says yes, and there is no object or list at {at}")))?.into_owned()
            }
            None => content,
        };
        understand(&content, Beside { alert, info }).map(Ok).map_err(|reason| bad(&reason))
    }

    /// The body of a request; the inner error is a variable without a value.
    fn body(
        &self,
        exchange: &E,
        part: &ProductProfile,
        how: &OperationProfile,
        wish: &Wish<'_>,
        values: &Values<'_>,
    ) -> Result<Result<Option<String>, Variable>, TransportError> {
        let refuse = |reason: String| not_sent(exchange, reason);
        let json = match how.body.unwrap_or(if wish.kind.changes_books() { Body::Nic } else { Body::None }) {
            Body::None => return Ok(Ok(None)),
            Body::Members => "{}".to_owned(),
            Body::Nic => {
                let json = wish.question.json.as_deref().unwrap_or_default();
                let max = self.capability.payload_bytes_max;
                if json.len() > max {
                    let reason = format!("the document has {} bytes and the provider takes {max}", json.len());
                    return Err(refuse(reason));
                }
                String::from_utf8_lossy(json).into_owned()
            }
        };
        let json = match (hook_of(exchange, how)?, wish.asked) {
            (Some(hook), Asked::Operation(operation)) => {
                hook.request(operation, &json).map_err(|error| refuse(error.to_string()))?
            }
            (Some(_), Asked::Raw(_)) => return Err(raw_calls_denied()),
            (None, _) => json,
        };
        let with_members = match with_members(json, [&how.members, &part.add, &how.add], values) {
            Ok(json) => json,
            Err(variable) => return Ok(Err(variable)),
        };
        let wrapped = how.wrap.iter().fold(with_members, |json, wrap| match wrap {
            Wrap::Array => format!("[{json}]"),
            Wrap::Member(name) => format!("{{{}:{json}}}", quoted(name)),
        });
        Ok(Ok(Some(wrapped)))
    }
}

/// The refusal of a taxpayer's login where no token of the account can be to blame: the API user is.
fn of_taxpayer(mut error: TransportError) -> TransportError {
    if let TransportError::Refused { errors, .. } = &mut error {
        for error in errors.iter_mut().filter(|error| error.of_provider == Some(ErrorClass::TokenExpired)) {
            error.of_provider = Some(ErrorClass::Auth);
        }
    }
    error
}

/// The hook that an operation names.
fn hook_of<E: Exchange>(exchange: &E, how: &OperationProfile) -> Result<Option<&'static dyn Hook>, TransportError> {
    let Some(name) = &how.hook else { return Ok(None) };
    match hooks::find(name) {
        Some(hook) => Ok(Some(hook)),
        None => Err(not_sent(exchange, format!("this program has no hook `{name}`"))),
    }
}

/// A session in which the provider seals, so that there is no key.
fn without_key(access: &Access, token: Secret<String>, expires_at: Timestamp) -> Session {
    let (sek, app_key) = (Secret::new(Vec::new()), Secret::new(Vec::new()));
    Session::new(access.clone(), SavedSession { token, sek, app_key, expires_at, provider: None })
}

/// An object with members of a profile behind its own. A member that it has already stays as it is.
fn with_members<'n>(
    json: String,
    members: impl IntoIterator<Item = &'n Named>,
    values: &Values<'_>,
) -> Result<String, Variable> {
    let mut added = String::new();
    for (name, template) in members.into_iter().flatten() {
        if Members::read(&json, &[]).is_ok_and(|own| own.get(name).is_some()) {
            continue;
        }
        let text = template.fill(|variable| values.get(variable), str::to_owned)?;
        added.push(',');
        added.push_str(&quoted(name));
        added.push(':');
        added.push_str(&quoted(&text));
    }
    let Some(open) = json.trim_end().strip_suffix('}').filter(|_| !added.is_empty()) else { return Ok(json) };
    let is_empty = open.trim_end().ends_with('{');
    Ok(format!("{open}{}}}", if is_empty { added.trim_start_matches(',') } else { added.as_str() }))
}

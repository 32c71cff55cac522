//! Everything but login and registration: reads, cancellation, taxpayers.

use einvoice_protocol::endpoints::percent_decoded;
use jiff::{SignedDuration, Timestamp};

use crate::books::{Identity, Registered};
use crate::ist;
use crate::journal::Event;
use crate::login::Login;
use crate::node::quoted;
use crate::portal::{Answer, Asker, Portal};
use crate::registry;
use crate::settings::UnknownIrn;
use crate::wire::{PortalRequest, Refusal};

impl Portal {
    pub(crate) fn get_by_irn(&self, caller: Asker<'_>, irn: &str, now: Timestamp) -> Result<Answer, Refusal> {
        let registered = self.find(caller, irn)?;
        self.within_retrieval_window(registered, now)?;
        Ok(Answer::plain(self.registration_json(registered)))
    }

    pub(crate) fn get_by_document(
        &self,
        caller: Asker<'_>,
        request: &PortalRequest,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let parameter =
            |name: &str| request.query(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::of("2142"));
        let (doc_type, number, date) = (parameter("doctype")?, parameter("docnum")?, parameter("docdate")?);
        if !["INV", "CRN", "DBN"].iter().any(|known| doc_type.eq_ignore_ascii_case(known)) {
            return Err(Refusal::of("2161"));
        }
        let day = ist::document_date(&date).ok_or_else(|| Refusal::of("2144"))?;
        let identity = Identity::new(caller.gstin, day, &doc_type, &number, ist::civil(now).date());
        let found = self.books.by_identity(&identity).filter(|registered| registered.doc_date == date);
        let registered = found.ok_or_else(|| self.not_there("2154"))?;
        if registered.site != caller.site {
            return Err(Refusal::of("2148"));
        }
        self.within_retrieval_window(registered, now)?;
        Ok(Answer::plain(self.registration_json(registered)))
    }

    pub(crate) fn cancel(
        &mut self,
        login: &Login,
        caller: Asker<'_>,
        request: &PortalRequest,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let opened = self.open_payload(login, request)?;
        let asked = crate::cipher_box::read_json(&opened);
        let asked =
            asked.map_err(|reason| Refusal::with("5002", format!("The request is not valid JSON: {reason}")))?;
        let irn = asked.text(&["Irn"]).ok_or_else(|| Refusal::with("5002", "The Irn field is required"))?;
        if !asked.text(&["CnlRsn"]).is_some_and(|reason| matches!(reason, "1" | "2" | "3" | "4")) {
            return Err(Refusal::with("5002", "The field CnlRsn must be one of 1, 2, 3, 4"));
        }
        if !asked.text(&["CnlRem"]).is_some_and(|remark| (1..=100).contains(&remark.chars().count())) {
            return Err(Refusal::with("5002", "The field CnlRem must be a string of 1 to 100 characters"));
        }
        let registered = match self.books.by_irn(irn) {
            Some(registered) if !concerns(registered, caller) => return Err(Refusal::of("2143")),
            _ => self.find(caller, irn)?,
        };
        if registered.cancelled_at.is_some() {
            return Err(Refusal::of("9999"));
        }
        let window = SignedDuration::from_hours(i64::from(self.settings.cancel_window_hours));
        if now.duration_since(registered.at) > window {
            return Err(Refusal::of("2270"));
        }
        if self.books.bills.of_irn(&registered.irn).is_some_and(|bill| bill.cancelled_at.is_none()) {
            return Err(Refusal::of("2230"));
        }
        let irn = registered.irn.clone();
        let data = format!(r#"{{"Irn":{},"CancelDate":{}}}"#, quoted(&irn), quoted(&ist::stamp(now)));
        self.record(Event::Cancelled { irn, at: now });
        Ok(Answer::plain(data))
    }

    pub(crate) fn ewb_of(&self, caller: Asker<'_>, irn: &str) -> Result<Answer, Refusal> {
        let registered = self.books.by_irn(irn).filter(|registered| concerns(registered, caller));
        let registered = registered.filter(|registered| registered.site == caller.site);
        let registered = registered.ok_or_else(|| Refusal::of("4003"))?;
        let ewb = self.books.bills.of_irn(&registered.irn).ok_or_else(|| Refusal::of("4005"))?;
        Ok(Answer::plain(format!(
            r#"{{"EwbNo":{},"Status":"{}","GenGstin":{},"EwbDt":{},"EwbValidTill":{}}}"#,
            ewb.number,
            ewb.status(),
            quoted(&ewb.generator),
            quoted(&ist::minute_stamp(ewb.made_at)),
            ewb.valid_till.map_or("null".to_owned(), |till| quoted(&crate::bills::stamp(till))),
        )))
    }

    pub(crate) fn taxpayer_details(&self, gstin: &str) -> Result<Answer, Refusal> {
        let gstin = percent_decoded(gstin).unwrap_or_default();
        let entry = self.taxpayer(&gstin).ok_or_else(|| Refusal::of("3001"))?;
        Ok(Answer::plain(registry::details(&entry)))
    }

    /// IRNs of the caller that the invoice registry rejected on a day, at this site.
    pub(crate) fn rejected_irns(&self, caller: Asker<'_>, request: &PortalRequest) -> Result<Answer, Refusal> {
        let date = request.query("date").ok_or_else(|| Refusal::of("2142"))?;
        let day = ist::document_date(&date).ok_or_else(|| Refusal::of("2144"))?;
        let on = |at: Timestamp| ist::civil(at).date() == day;
        let rejected = self.books.all().filter(|registered| registered.rejected_at.is_some_and(on));
        let mine = rejected.filter(|registered| concerns(registered, caller) && registered.site == caller.site);
        let irns: Vec<_> = mine.map(|registered| quoted(&registered.irn)).collect();
        Ok(Answer::plain(format!("[{}]", irns.join(","))))
    }

    /// The registration of an IRN, if the caller took part in it.
    pub(crate) fn find(&self, caller: Asker<'_>, irn: &str) -> Result<&Registered, Refusal> {
        if irn.len() != 64 || !irn.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refusal::of("2145"));
        }
        let found = self.books.by_irn(&irn.to_ascii_lowercase()).filter(|registered| concerns(registered, caller));
        let found = found.ok_or_else(|| self.not_there("2148"))?;
        if found.site == caller.site { Ok(found) } else { Err(Refusal::of("2148")) }
    }

    fn not_there(&self, code: &str) -> Refusal {
        match self.settings.unknown_irn {
            UnknownIrn::NotAvailable => Refusal::of(code),
            UnknownIrn::NoData => Refusal::of("3001"),
        }
    }

    fn within_retrieval_window(&self, registered: &Registered, now: Timestamp) -> Result<(), Refusal> {
        let hours = self.settings.retrieval_window_hours;
        if now.duration_since(registered.at) <= SignedDuration::from_hours(i64::from(hours)) {
            return Ok(());
        }
        let days = hours.div_ceil(24);
        Err(Refusal::with(
            "2283",
            format!("IRN details cannot be provided as it is generated more than {days} days prior"),
        ))
    }
}

fn concerns(registered: &Registered, caller: Asker<'_>) -> bool {
    registered.gstin == caller.gstin || registered.sender == caller.gstin
}

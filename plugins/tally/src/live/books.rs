//! The questions this crate puts to one company's books.

use std::ops::ControlFlow;
use std::sync::Arc;

use einvoice_core::date::DocumentDate;
use einvoice_core::spelling;
use jiff::civil::Date;

use super::answer::{ImportAnswer, refusal};
use super::error::LinkError;
use super::link::{Link, beginning};
use super::request::{self, Request};
use crate::lexical;
use crate::objects::split;
use crate::xml::{Element, Found, Limits, Wanted};

/// A company as the list of open companies has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenCompany {
    /// Its name.
    pub(crate) name: String,
    /// What its vouchers' GUIDs begin with. Another one stands behind the same name after a year was
    /// split or a backup restored into a new company.
    pub(crate) guid: Option<String>,
    /// The release of Tally, where it says.
    pub(crate) release: Option<u32>,
}

/// Numbers of the last changes; `None` where a release does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of a master.
    pub(crate) masters: Option<u64>,
    /// Of a voucher.
    pub(crate) vouchers: Option<u64>,
}

/// The head of a changed voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its Master ID.
    pub(crate) master_id: Option<u64>,
    /// Its number of change.
    pub(crate) alter_id: Option<u64>,
    /// Its day, where it states one that can be read.
    pub(crate) day: Option<Date>,
    /// It was deleted: there is nothing to read.
    pub(crate) deleted: bool,
}

/// One voucher as Tally stores it, as clean XML.
#[derive(Debug, Clone)]
pub(crate) struct StoredVoucher(pub(crate) String);

/// The books of the company of a link.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    link: Arc<Link>,
}

impl Books {
    /// The books behind a link.
    pub(crate) const fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    /// The link.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// The company, which must be open.
    ///
    /// # Errors
    /// [`LinkError::NotOpen`] with those that are, [`LinkError::NotTally`] where something else answers.
    pub(crate) async fn company(&self) -> Result<OpenCompany, LinkError> {
        let request = request::companies();
        let text = self.link.ask(&request).await?;
        let Ok(answer) = Element::parse(&text) else {
            let found = format!("{} (and to a plain GET: {})", beginning(&text), self.link.who_answers().await);
            return Err(LinkError::NotTally { origin: self.link.origin().to_owned(), found });
        };
        refused(&answer, &request)?;
        let release = answer.child("HEADER").and_then(|header| header.get("PRODMAJORREL")).and_then(release);
        let open = objects(&answer, "COMPANY");
        let wanted = self.link.company();
        let mut names = Vec::new();
        for company in open {
            let Some(name) = company.attribute("NAME").or_else(|| company.get("NAME")) else { continue };
            if spelling::same(name, wanted) {
                let guid = company.get("GUID").map(str::to_owned);
                return Ok(OpenCompany { name: name.to_owned(), guid, release });
            }
            names.push(format!("\"{name}\""));
        }
        Err(LinkError::NotOpen { company: wanted.to_owned(), open: names })
    }

    /// The numbers of the last changes.
    ///
    /// # Errors
    /// [`LinkError`]
    pub(crate) async fn marks(&self) -> Result<Marks, LinkError> {
        let request = request::marks(self.link.company());
        let text = self.link.ask(&request).await?;
        let answer = self.parse(&text, &request)?;
        let company = objects(&answer, "COMPANY").into_iter().find(|company| {
            let name = company.attribute("NAME").or_else(|| company.get("NAME"));
            name.is_some_and(|name| spelling::same(name, self.link.company()))
        });
        let number = |name: &str| company.and_then(|company| company.get(name)).and_then(whole_number);
        Ok(Marks { masters: number("ALTMSTID"), vouchers: number("ALTVCHID") })
    }

    /// One voucher by its Master ID; `None` when Tally has none.
    ///
    /// # Errors
    /// [`LinkError`]
    pub(crate) async fn voucher(&self, master_id: u64, limits: Limits) -> Result<Option<StoredVoucher>, LinkError> {
        let request = request::voucher(self.link.company(), master_id);
        let text = self.link.ask(&request).await?;
        let mut found = None;
        let mut says = Vec::new();
        let mut strange = None;
        let read = split(text.as_bytes(), Wanted::Vouchers, limits, &mut |piece| {
            match piece {
                Found::Object { text, .. } => {
                    found = Some(StoredVoucher(text.to_owned()));
                    return ControlFlow::Break(());
                }
                Found::ErrorText { text, .. } => says.push(text.to_owned()),
                Found::Oversize { .. } => strange = Some("it is larger than `voucher_bytes_max`".to_owned()),
                Found::Fault(fault) => strange = Some(fault.reason),
                Found::Company(_) => {}
            }
            ControlFlow::Continue(())
        });
        if found.is_some() {
            return Ok(found);
        }
        let text = says.join("; ");
        let missing = text.to_ascii_lowercase();
        if missing.contains("could not find voucher") || missing.contains("voucher does not exist") {
            return Ok(None);
        }
        let what = request.what;
        if !text.is_empty() {
            return Err(LinkError::Refused { what, text });
        }
        let reason = strange.or_else(|| read.err().map(|fault| fault.reason));
        let reason = reason.unwrap_or_else(|| "the answer holds no voucher".to_owned());
        Err(LinkError::Broken { origin: self.link.origin().to_owned(), what, reason })
    }

    /// Sends alterations and reads the counters.
    ///
    /// # Errors
    /// [`LinkError`]
    pub(crate) async fn import(&self, request: &Request) -> Result<ImportAnswer, LinkError> {
        let text = self.link.ask(request).await?;
        let answer = Element::parse(&text).ok();
        answer.as_ref().and_then(ImportAnswer::read).ok_or_else(|| LinkError::Refused {
            what: request.what.clone(),
            text: format!("an answer without counters: {}", beginning(&text)),
        })
    }

    fn parse<'t>(&self, text: &'t str, request: &Request) -> Result<Element<'t>, LinkError> {
        let answer = Element::parse(text)
            .map_err(|_| LinkError::NotTally { origin: self.link.origin().to_owned(), found: beginning(text) })?;
        refused(&answer, request)?;
        Ok(answer)
    }
}

fn refused(answer: &Element<'_>, request: &Request) -> Result<(), LinkError> {
    match refusal(answer) {
        Some(text) => Err(LinkError::Refused { what: request.what.clone(), text }),
        None => Ok(()),
    }
}

/// The objects of a collection. Only below `BODY/DATA`: counters of the same names stand elsewhere.
fn objects<'e, 't>(answer: &'e Element<'t>, name: &'e str) -> Vec<&'e Element<'t>> {
    let data = answer.child("BODY").and_then(|body| body.child("DATA"));
    let collection = data.and_then(|data| data.child("COLLECTION")).or(data);
    collection.map(|collection| collection.all(name).collect()).unwrap_or_default()
}

/// The release in front of its point: `7`, `7.1`.
fn release(text: &str) -> Option<u32> {
    text.split('.').next()?.trim().parse().ok()
}

/// A whole number as Tally writes it, with blanks before it.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

impl Head {
    /// The head of a voucher of a collection; `None` where it cannot be read.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let element = Element::parse(text).ok()?;
        Some(Self {
            master_id: element.get("MASTERID").and_then(whole_number),
            alter_id: element.get("ALTERID").and_then(whole_number),
            day: element.get("DATE").and_then(lexical::date).map(DocumentDate::date),
            deleted: element.is_yes("ISDELETED"),
        })
    }
}

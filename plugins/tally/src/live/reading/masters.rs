//! The masters of a run: read once, and again when one changed.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use einvoice_core::source::RecordSender;
use einvoice_core::spelling;
use tokio::runtime::Handle;

use super::super::error::LinkError;
use super::super::request::{self, Request};
use super::{End, Run};
use crate::masters::Masters;
use crate::xml::{Element, Found, Wanted};

/// Masters that were read, with the company and the number of change they stand for.
pub(crate) type MastersCache = Arc<Mutex<Option<(Option<String>, u64, Arc<Masters>)>>>;

impl Run {
    /// The masters, from the last run of this process where none changed since.
    pub(super) fn masters(&self, handle: &Handle, sender: &RecordSender) -> Result<Masters, End> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh =
            cache.as_ref().filter(|(guid, mark, _)| *guid == self.company.guid && self.marks.masters == Some(*mark));
        if let Some((_, _, masters)) = fresh {
            return Ok(Masters::before(Arc::clone(masters)));
        }
        let masters = Arc::new(self.read_masters(handle, sender)?);
        *cache = self.marks.masters.map(|mark| (self.company.guid.clone(), mark, Arc::clone(&masters)));
        Ok(Masters::before(masters))
    }

    fn read_masters(&self, handle: &Handle, sender: &RecordSender) -> Result<Masters, End> {
        let company = self.books.link().company();
        let mut masters = Masters::default();
        masters.current_company = Some(self.company.name.clone());
        for kind in request::ACCOUNT_TYPES {
            self.add_masters(handle, sender, &request::masters(company, kind), &mut masters)?;
        }
        // Older releases know neither; what they leave out the configuration states, or a finding names.
        for request in [request::company_details(company), request::tax_units(company)] {
            let reason = match self.add_masters(handle, sender, &request, &mut masters) {
                Err(End::Answer { reason, .. }) => reason,
                Err(End::Link(LinkError::Refused { text, .. })) => text,
                other => {
                    other?;
                    continue;
                }
            };
            tracing::warn!(what = %request.what, %reason, "Tally does not tell; the configuration must");
        }
        Ok(masters)
    }

    fn add_masters(
        &self,
        handle: &Handle,
        sender: &RecordSender,
        request: &Request,
        masters: &mut Masters,
    ) -> Result<(), End> {
        self.split(handle, sender, request, Wanted::Masters, &mut |found| {
            match found {
                Found::Object { text, .. } => {
                    if let Ok(element) = Element::parse(text) {
                        // A list of companies holds every open one.
                        let name = element.attribute("NAME").or_else(|| element.get("NAME")).unwrap_or_default();
                        if element.name() != "COMPANY" || spelling::same(name, &self.company.name) {
                            masters.add(&element);
                        }
                    }
                }
                Found::Fault(fault) => {
                    tracing::warn!(what = %request.what, reason = %fault.reason, "a master could not be read");
                }
                Found::Oversize { .. } | Found::Company(_) | Found::ErrorText { .. } => {}
            }
            ControlFlow::Continue(())
        })
    }
}

//! One large answer, split into objects while it comes.

use std::cell::RefCell;
use std::io::{self, Read};
use std::ops::ControlFlow;

use einvoice_core::source::RecordSender;
use tokio::runtime::Handle;

use super::super::error::LinkError;
use super::super::link::Export;
use super::super::request::Request;
use super::super::settings::Form;
use super::{End, Run};
use crate::objects;
use crate::xml::{Found, Wanted};

impl Run {
    /// Runs the splitter over an answer while it comes. A refusal in it is an error.
    pub(super) fn split(
        &self,
        handle: &Handle,
        sender: &RecordSender,
        request: &Request,
        wanted: Wanted,
        found: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<(), End> {
        let export = wait(handle, sender, self.books.link().export(request, self.form))?;
        let failure = RefCell::new(None);
        let mut body = Body { export, handle, sender, failure: &failure };
        let mut refusals: Vec<String> = Vec::new();
        let result = objects::split(&mut body, wanted, self.settings.limits, &mut |piece| match piece {
            Found::ErrorText { text, .. } => {
                refusals.push(text.to_owned());
                ControlFlow::Continue(())
            }
            piece => found(piece),
        });
        // Whatever the splitter made of it, a broken connection is told as one.
        if let Some(error) = failure.take() {
            return Err(error.into());
        }
        let what = request.what.clone();
        if !refusals.is_empty() {
            let mut text = refusals.join("; ");
            if self.form == Form::Json && request.json.is_some() {
                text.push_str("; where this release does not know JSON, set `envelope = \"xml\"`");
            }
            return Err(End::Link(LinkError::Refused { what, text }));
        }
        match result {
            Ok(summary) if !summary.known_root => {
                Err(End::Answer { what, reason: "what came back is no answer of Tally's; check `url`".to_owned() })
            }
            Ok(_) => Ok(()),
            Err(fault) => Err(End::Answer { what, reason: format!("{}; it will be asked again", fault.reason) }),
        }
    }
}

/// Waits for Tally, but not after the last listener has gone.
pub(super) fn wait<T>(
    handle: &Handle,
    sender: &RecordSender,
    answer: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    handle.block_on(async {
        tokio::select! {
            answer = answer => answer,
            () = sender.closed() => Err(LinkError::Stopped),
        }
    })
}

/// An answer as the splitter reads it.
struct Body<'r> {
    export: Export,
    handle: &'r Handle,
    sender: &'r RecordSender,
    failure: &'r RefCell<Option<LinkError>>,
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        wait(self.handle, self.sender, self.export.read(into)).map_err(|error| {
            let text = format!("{}: {error}", self.export.what());
            *self.failure.borrow_mut() = Some(error);
            io::Error::other(text)
        })
    }
}

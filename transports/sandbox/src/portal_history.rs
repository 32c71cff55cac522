//! Changes of the portal's state: applied, noted for the journal, and replayed from it.

use crate::journal::Event;
use crate::portal::Portal;
use crate::registration::Change;

impl Portal {
    /// Changes the state and notes the change for the journal.
    pub(crate) fn record(&mut self, event: Event) {
        self.apply(event.clone());
        self.events.push(event);
    }

    /// Changes the state.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Journal { .. } => {}
            Event::Together { events } => events.into_iter().for_each(|event| self.apply(event)),
            Event::Client(client) => {
                self.accounts.clients.insert(client.pan.clone(), client);
            }
            Event::User(user) => {
                self.accounts.users.insert(user.gstin.clone(), user);
            }
            Event::Login(login) => {
                self.logins.enter(login);
            }
            Event::Registered(registered) => self.books.enter(*registered),
            Event::Cancelled { irn, at } => self.books.cancel(&irn, at),
            Event::EwbUser(user) => {
                self.accounts.ewb_users.insert(user.gstin.clone(), user);
            }
            Event::EwbLogin(login) => {
                self.ewb_logins.enter(login);
            }
            Event::Bill(bill) => self.books.bills.enter(*bill),
            Event::TripSheet(sheet) => self.books.bills.enter_sheet(sheet),
            Event::Site { irn, site } => self.books.move_to(&irn, site),
            Event::Rejected { irn, at } => self.books.reject(&irn, at),
            Event::Elsewhere(elsewhere) => self.books.enter_elsewhere(elsewhere),
            Event::Registration(change) => {
                if let Change::LoginsEnded { gstin, username } = &*change {
                    self.logins.end(gstin, username);
                    self.ewb_logins.end(gstin, username);
                }
                self.registration.apply(*change);
            }
            Event::Synced { gstin } => {
                self.synced.insert(gstin);
            }
        }
    }

    /// The changes since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

//! A stand-in for a running Tally: its HTTP door, its books, and the ways in which it misbehaves.
//!
//! It speaks both generations of envelopes, and JSON where it is told to be release 7; it answers in
//! the charset it was asked in, serves one request at a time, and freezes over requests that were
//! reported to freeze Tally. Misbehaviour is asked for: a dialog on its screen behind which every request waits, another company, fields that
//! are ignored while the answer says `ALTERED=1`, a second voucher made by an alteration, an answer
//! that breaks off, a crash in the middle of anything. It listens on the loopback address alone, on a thread of its own, and ends with
//! the value.
//!
//! It was written from published captures and reports; it never met a real Tally, and proves no more
//! than what those say.

#![expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a stand-in for tests fails by panicking")]

mod answer;
mod books;
mod json;
mod node;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

use answer::Reading;
use books::{Company, Wrong};
use node::Node;

/// Kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Asked {
    /// The list of open companies.
    Companies,
    /// The numbers of the last changes.
    Marks,
    /// Masters of a kind.
    Masters,
    /// A list of vouchers by their heads.
    Vouchers,
    /// One whole voucher.
    Object,
    /// The vouchers of a day.
    DayBook,
    /// An import.
    Import,
}

/// The two generations of envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Generation {
    /// With a version in the header.
    Versioned,
    /// As files exported from the screen have it.
    Older,
}

/// One misbehaviour, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// A dialog opens on the screen before the request is worked on; every request waits until
    /// [`TallyStandIn::close_dialog`].
    Dialog,
    /// The same, after the work is done and before the answer goes out.
    DialogAfterWork,
    /// The answer breaks off in the middle.
    BreakOff,
    /// The request does its work and the answer is this text.
    Says(String),
    /// The request does nothing and is refused in these words.
    Refuses(String),
    /// An alteration makes a second voucher.
    SecondVoucher,
    /// An alteration gives the voucher another number.
    Renumbers,
}

/// An export with masters in the JSON of release 7.
#[must_use]
pub fn as_json(export: &str) -> String {
    json::answer(&books::without_references(export))
}

/// A running stand-in.
#[derive(Debug)]
pub struct TallyStandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    dialog: watch::Sender<bool>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    companies: Vec<Company>,
    active: usize,
    mishaps: Vec<(Asked, Mishap)>,
    ignored: BTreeSet<String>,
    picky_about_order: bool,
    generation: Option<Generation>,
    ansi_only: bool,
    without_marks: bool,
    /// The release it says it is.
    release: Option<u32>,
    /// Requests in JSON that were answered.
    in_json: usize,
    log: Vec<Asked>,
    /// Requests under way, and the most there ever were.
    under_way: usize,
    most_under_way: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wrong(&self, mishap: Option<&Mishap>) -> Wrong {
        Wrong {
            second_voucher: mishap == Some(&Mishap::SecondVoucher),
            renumbers: mishap == Some(&Mishap::Renumbers),
            ignored: self.ignored.clone(),
            picky_about_order: self.picky_about_order,
        }
    }
}

impl TallyStandIn {
    /// Starts with one company open, whose books are those of an export with masters.
    #[must_use]
    pub fn start(company: &str, export: &str) -> Self {
        let open = Company::from_export(company, export).expect("an export to begin with");
        let shared = Arc::new(Shared {
            state: Mutex::new(State { companies: vec![open], ..State::default() }),
            dialog: watch::Sender::new(false),
            turn: tokio::sync::Mutex::new(()),
        });
        let (stop, stopped) = oneshot::channel();
        let place = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, thread) = server::start(Arc::clone(&shared), place, stopped);
        Self { shared, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Its address, as a configuration names it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends at once, as a killed program: connections break, whatever was under way. What stands in its
    /// books stays there.
    pub fn crash(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
        self.close_dialog();
        self.shared.state().under_way = 0;
    }

    /// Starts again at the same address after a crash, with the same companies open.
    pub fn come_back(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let (_, thread) = server::start(Arc::clone(&self.shared), self.address, stopped);
        (self.stop, self.thread) = (Some(stop), Some(thread));
    }

    /// Says that it is a release; from 7 on it speaks JSON.
    pub fn be_release(&self, release: u32) {
        self.shared.state().release = Some(release);
    }

    /// How many requests in JSON were answered.
    #[must_use]
    pub fn answered_in_json(&self) -> usize {
        self.shared.state().in_json
    }

    /// Opens a further company, and has it on the screen.
    pub fn open(&self, company: &str, export: &str) {
        let open = Company::from_export(company, export).expect("an export to begin with");
        let mut state = self.shared.state();
        state.companies.push(open);
        state.active = state.companies.len() - 1;
    }

    /// Closes a company.
    pub fn close(&self, company: &str) {
        let mut state = self.shared.state();
        state.companies.retain(|open| open.name != company);
        state.active = 0;
    }

    /// Misbehaves once, at the next request of a kind; further ones wait in line.
    pub fn once(&self, asked: Asked, mishap: Mishap) {
        self.shared.state().mishaps.push((asked, mishap));
    }

    /// Ignores a field of every alteration and says `ALTERED=1` all the same.
    pub fn ignore(&self, field: &str) {
        self.shared.state().ignored.insert(field.to_owned());
    }

    /// Stores every field again.
    pub fn ignore_nothing(&self) {
        self.shared.state().ignored.clear();
    }

    /// Keeps the QR text only of an alteration in the long order of Tally's own exports.
    pub fn be_picky_about_order(&self) {
        self.shared.state().picky_about_order = true;
    }

    /// Writes day books and lists of masters in one generation, whatever it was asked in.
    pub fn answer_in(&self, generation: Generation) {
        self.shared.state().generation = Some(generation);
    }

    /// Answers a request in UTF-8 with `?` for what the western 8-bit page has not, as some releases.
    pub fn forget_scripts_in_utf8(&self) {
        self.shared.state().ansi_only = true;
    }

    /// Tells no numbers of last changes, as a release that does not know them.
    pub fn tell_no_marks(&self) {
        self.shared.state().without_marks = true;
    }

    /// Opens a dialog on the screen: every request waits behind it.
    pub fn open_dialog(&self) {
        self.shared.dialog.send_replace(true);
    }

    /// Closes the dialog.
    pub fn close_dialog(&self) {
        self.shared.dialog.send_replace(false);
    }

    /// The kinds of requests so far, in order; the log begins anew.
    #[must_use]
    pub fn take_log(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.state().log)
    }

    /// The kinds of requests so far, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Asked> {
        self.shared.state().log.clone()
    }

    /// Begins the log anew.
    pub fn forget_log(&self) {
        self.shared.state().log.clear();
    }

    /// The most requests that were ever under way at one time.
    #[must_use]
    pub fn most_under_way(&self) -> usize {
        self.shared.state().most_under_way
    }

    /// The text of a field of a voucher of the first company.
    #[must_use]
    pub fn field(&self, master_id: u64, name: &str) -> Option<String> {
        let state = self.shared.state();
        let voucher = state.companies.first()?.vouchers.get(&master_id)?;
        voucher.child(name).map(|child| child.text.trim().to_owned())
    }

    /// A person changes a field of a voucher of the first company.
    pub fn edit(&self, master_id: u64, name: &str, text: &str) {
        self.change(master_id, |voucher| voucher.put(Node::field(name, text)));
    }

    /// A person changes a voucher wherever a text stands in it.
    pub fn replace(&self, master_id: u64, from: &str, to: &str) {
        self.change(master_id, |voucher| {
            *voucher = Node::parse(&voucher.xml().replace(from, to)).expect("still a voucher");
        });
    }

    fn change(&self, master_id: u64, change: impl FnOnce(&mut Node)) {
        let mut state = self.shared.state();
        let company = state.companies.first_mut().expect("a company");
        change(company.vouchers.get_mut(&master_id).expect("a voucher"));
        company.touch(master_id);
    }

    /// A person changes masters of the first company wherever a text stands in them.
    pub fn replace_in_masters(&self, from: &str, to: &str) {
        let mut state = self.shared.state();
        let company = state.companies.first_mut().expect("a company");
        company.masters_altered += 1;
        for master in &mut company.masters {
            *master = Node::parse(&master.xml().replace(from, to)).expect("still a master");
        }
    }

    /// A person deletes a voucher of the first company.
    pub fn delete(&self, master_id: u64) {
        let mut state = self.shared.state();
        let company = state.companies.first_mut().expect("a company");
        company.vouchers.remove(&master_id);
        company.vouchers_altered += 1;
    }

    /// Has the day book of a day (`YYYYMMDD`) repeat its vouchers so often, each under an identity of
    /// its own; they are made while they are sent.
    pub fn repeat_day(&self, day: &str, times: u64) {
        let mut state = self.shared.state();
        state.companies.first_mut().expect("a company").copies.insert(day.to_owned(), times);
    }

    /// A person exports vouchers of the first company from the screen, with dependent masters.
    #[must_use]
    pub fn export(&self, master_ids: &[u64]) -> String {
        let state = self.shared.state();
        let company = state.companies.first().expect("a company");
        let vouchers = master_ids.iter().map(|id| company.vouchers.get(id).expect("a voucher"));
        let inside: String = company.masters.iter().chain(vouchers).map(answer::message).collect();
        let (before, after) = answer::frame(Generation::Older, &company.name);
        format!("{before}{inside}{after}")
    }

    /// A person imports a file from the screen, into the company that it names; gives what Tally tells of it.
    #[must_use]
    pub fn import(&self, file: &str) -> String {
        let reading = Reading::of(file).filter(|reading| reading.asked == Asked::Import).expect("a file to import");
        let mut state = self.shared.state();
        let wrong = state.wrong(None);
        let named = |open: &&mut Company| reading.company() == Some(open.name.as_str());
        state
            .companies
            .iter_mut()
            .find(named)
            .map_or_else(|| answer::refusal("Could not find Company"), |company| reading.import(company, &wrong))
    }

    /// Every voucher of the first company as XML, by GUID.
    #[must_use]
    pub fn vouchers(&self) -> BTreeMap<String, String> {
        let state = self.shared.state();
        let vouchers = state.companies.first().map(|company| company.vouchers.values()).into_iter().flatten();
        vouchers.map(|voucher| (voucher.get("GUID").to_owned(), voucher.xml())).collect()
    }

    /// A person copies a voucher of the first company so often, each time under a Master ID, a GUID and a
    /// number of its own.
    pub fn copy(&self, master_id: u64, times: u64) {
        let mut state = self.shared.state();
        let company = state.companies.first_mut().expect("a company");
        (0..times).for_each(|_| company.copy(master_id));
    }

    /// The Master IDs of the first company.
    #[must_use]
    pub fn master_ids(&self) -> Vec<u64> {
        let state = self.shared.state();
        state.companies.first().map(|company| company.vouchers.keys().copied().collect()).unwrap_or_default()
    }
}

impl Drop for TallyStandIn {
    fn drop(&mut self) {
        self.close_dialog();
        self.crash();
    }
}

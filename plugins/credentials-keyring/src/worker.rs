//! The thread that waits for the keyring, and its connection.
//!
//! A keyring may ask a person to unlock it and answer when that person is back. A thread of the runtime that waits so long
//! would keep the program from ending, so the store has one of its own, which nobody waits for.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::keyring::Keyring;

/// Opens the keyring.
pub(crate) type Open = Box<dyn Fn() -> Result<Keyring, Fault> + Send>;

type Job = Box<dyn FnOnce(&mut Door) + Send>;

/// Does one job after the other with the keyring, until it is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Sender<Job>,
    answer: Duration,
}

struct Door {
    open: Open,
    keyring: Option<Keyring>,
}

impl Worker {
    /// Starts the thread; the keyring is opened for the first job.
    pub(crate) fn start(open: Open, answer: Duration) -> io::Result<Self> {
        let (jobs, todo) = channel();
        std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            let mut door = Door { open, keyring: None };
            work(&mut door, &todo);
        })?;
        Ok(Self { jobs, answer })
    }

    /// Has a job done and waits for its answer. Dropped before, the job is done as a whole, or not at all if it was not
    /// begun. A job may run twice, the second time with a new connection.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl Fn(&Keyring) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (tell, answer) = oneshot::channel();
        let job = move |door: &mut Door| {
            // Whoever asked may have given up meanwhile, and was told so.
            if !tell.is_closed() {
                drop(tell.send(door.have_done(&work)));
            }
        };
        let ended = || Fault::Failed("its library failed inside; please report this".to_owned());
        self.jobs.send(Box::new(job)).map_err(|_| ended())?;
        match tokio::time::timeout(self.answer, answer).await {
            Ok(done) => done.map_err(|_| ended())?,
            Err(_) => Err(Fault::Late(self.answer)),
        }
    }
}

fn work(door: &mut Door, todo: &Receiver<Job>) {
    while let Ok(job) = todo.recv() {
        job(door);
    }
}

impl Door {
    fn have_done<T>(&mut self, work: impl Fn(&Keyring) -> Result<T, Fault>) -> Result<T, Fault> {
        let was_open = self.keyring.is_some();
        match work(&self.keyring()?) {
            // The keyring's service may have been started anew since the connection was made.
            Err(fault) if fault.may_be_connection() => {
                self.keyring = None;
                if was_open { work(&self.keyring()?) } else { Err(fault) }
            }
            done => done,
        }
    }

    fn keyring(&mut self) -> Result<Keyring, Fault> {
        if let Some(keyring) = &self.keyring {
            return Ok(keyring.clone());
        }
        let keyring = (self.open)()?;
        self.keyring = Some(keyring.clone());
        Ok(keyring)
    }
}

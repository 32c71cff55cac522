//! A running portal: the state machine with its clock, its journal and its lock.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use einvoice_core::clock::SharedClock;
use einvoice_core::entropy::SharedEntropy;
use jiff::SignedDuration;
use tokio::sync::oneshot;

use crate::behind::{Behind, Front};
use crate::error::SandboxError;
use crate::journal::{Journal, append};
use crate::keys::PortalKeys;
use crate::portal::Portal;
use crate::settings::PortalSettings;
use crate::wire::{Delivery, PortalReply, PortalRequest};

/// Taxpayers that have an API user from the start: one invented PAN in four states.
pub const DEFAULT_GSTINS: [&str; 4] = ["29AABCE1234F1Z1", "27AABCE1234F1Z5", "33AABCE1234F1ZC", "07AABCE1234F1Z7"];

/// A portal that can be called, shared between whoever calls it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    portal: Mutex<Portal>,
    journal: Option<Journal>,
    pub(crate) clock: SharedClock,
    /// How far the portal's time is from that of `clock`.
    pub(crate) offset: Mutex<SignedDuration>,
    pub(crate) directory: Option<PathBuf>,
    /// Who answers below a path of its own, with the portal behind it.
    fronts: Mutex<Vec<(String, Arc<dyn Front>)>>,
    /// Held as long as the directory is in use.
    _lock: Option<File>,
}

impl Sandbox {
    /// A portal that forgets everything when it is dropped, with the [`DEFAULT_GSTINS`].
    /// All portals in memory of one process have the same keys.
    ///
    /// # Errors
    /// When a setting is out of range or no keys can be made.
    pub fn in_memory(
        settings: PortalSettings,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, SandboxError> {
        settings.validate()?;
        let mut portal = Portal::new(settings, PortalKeys::of_this_process()?, entropy);
        provision_all(&mut portal, &DEFAULT_GSTINS)?;
        portal.take_events();
        Ok(Self::around(portal, None, clock, None, None))
    }

    /// The portal of a data directory, made when it is not there.
    ///
    /// # Errors
    /// [`SandboxError::InUse`] when another process has it; otherwise when it cannot be read, is
    /// damaged, or a setting is out of range.
    pub fn open(
        directory: &Path,
        settings: PortalSettings,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, SandboxError> {
        Self::open_with(directory, settings, &DEFAULT_GSTINS, clock, entropy)
    }

    /// As [`Sandbox::open`], and no GSTIN has accounts that did not get them before: for a rehearsal that begins from
    /// nothing, with sign-up on the portal's pages.
    ///
    /// # Errors
    /// As [`Sandbox::open`].
    pub fn open_empty(
        directory: &Path,
        settings: PortalSettings,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, SandboxError> {
        Self::open_with(directory, settings, &[], clock, entropy)
    }

    fn open_with(
        directory: &Path,
        settings: PortalSettings,
        gstins: &[&str],
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, SandboxError> {
        settings.validate()?;
        std::fs::create_dir_all(directory).map_err(SandboxError::file("create", directory))?;
        let lock = lock(directory)?;
        let keys = PortalKeys::load_or_create(directory)?;
        let (mut file, events) = Journal::open(directory)?;
        let mut portal = Portal::new(settings, keys, entropy);
        for event in events {
            portal.apply(event);
        }
        provision_all(&mut portal, gstins)?;
        let made = portal.take_events();
        append(&mut file, &made).map_err(SandboxError::file("write the journal in", directory))?;
        let journal = Journal::start(file)?;
        Ok(Self::around(portal, Some(journal), clock, Some(directory.to_path_buf()), Some(lock)))
    }

    /// The portal that this process already has for a directory (or in memory, for `None`), or a new
    /// one: so that the transport and the credential store of one configuration meet the same portal.
    /// It lives as long as somebody holds it; `settings`, when given, replace those in force.
    ///
    /// # Errors
    /// As [`Sandbox::open`].
    pub fn shared(
        directory: Option<&Path>,
        settings: Option<PortalSettings>,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, SandboxError> {
        static RUNNING: LazyLock<Mutex<HashMap<Option<PathBuf>, Weak<Inner>>>> = LazyLock::new(Mutex::default);
        if let Some(settings) = &settings {
            settings.validate()?;
        }
        let key = match directory {
            Some(directory) => {
                std::fs::create_dir_all(directory).map_err(SandboxError::file("create", directory))?;
                Some(directory.canonicalize().map_err(SandboxError::file("find", directory))?)
            }
            None => None,
        };
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inner) = running.get(&key).and_then(Weak::upgrade) {
            let sandbox = Self { inner };
            if let Some(settings) = settings {
                sandbox.portal().settings = settings;
            }
            return Ok(sandbox);
        }
        let settings = settings.unwrap_or_default();
        let sandbox = match &key {
            Some(directory) => Self::open(directory, settings, clock, entropy)?,
            None => Self::in_memory(settings, clock, entropy)?,
        };
        running.insert(key, Arc::downgrade(&sandbox.inner));
        Ok(sandbox)
    }

    /// The clock it was made with.
    pub(crate) fn clock(&self) -> SharedClock {
        Arc::clone(&self.inner.clock)
    }

    fn around(
        portal: Portal,
        journal: Option<Journal>,
        clock: SharedClock,
        directory: Option<PathBuf>,
        lock: Option<File>,
    ) -> Self {
        let inner = Inner {
            portal: Mutex::new(portal),
            journal,
            clock,
            offset: Mutex::new(SignedDuration::ZERO),
            directory,
            fronts: Mutex::default(),
            _lock: lock,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Answers a request; the answer comes once what it tells of is on disk. A scripted delay is
    /// waited for here, on the clock the sandbox was made with.
    ///
    /// # Errors
    /// [`SandboxError::Internal`] when the journal can no longer be written.
    ///
    /// # Cancellation
    /// Dropping the future loses the answer; the request has been carried out.
    pub async fn exchange(&self, request: &PortalRequest) -> Result<PortalReply, SandboxError> {
        self.exchange_from(request, None).await
    }

    /// As [`Sandbox::exchange`], for a caller at this address; by a setting it stands for a public one.
    ///
    /// # Errors
    /// As [`Sandbox::exchange`].
    pub async fn exchange_from(
        &self,
        request: &PortalRequest,
        caller: Option<IpAddr>,
    ) -> Result<PortalReply, SandboxError> {
        let reply = self.answer_to(request, caller).await?;
        if let Delivery::Delayed(wait) = reply.delivery {
            self.wait(wait).await;
        }
        Ok(reply)
    }

    /// As [`Sandbox::exchange`], a scripted delay left to the caller.
    pub(crate) async fn answer(&self, request: &PortalRequest) -> Result<PortalReply, SandboxError> {
        self.answer_to(request, None).await
    }

    async fn answer_to(&self, request: &PortalRequest, caller: Option<IpAddr>) -> Result<PortalReply, SandboxError> {
        let now = self.now();
        match self.front_of(request.path()) {
            Some((prefix, front)) => {
                let target = request.target.get(prefix.len()..).unwrap_or_default().to_owned();
                let below = PortalRequest { target, ..request.clone() };
                self.change(|portal| front.answer(&mut Behind::new(portal, front.name(), now), &below)).await
            }
            None => {
                self.change(|portal| {
                    portal.caller = caller;
                    let reply = portal.handle(request, now);
                    portal.caller = None;
                    reply
                })
                .await
            }
        }
    }

    /// Lets somebody answer every request whose path begins with `prefix`, which is taken off before: a provider, with
    /// this portal behind it. Of two with one prefix the later one answers.
    pub fn put_in_front(&self, prefix: impl Into<String>, front: Arc<dyn Front>) {
        let prefix = prefix.into();
        let name = front.name().to_owned();
        {
            let known = &mut self.portal().registration.fronts;
            if !name.is_empty() && !known.contains(&name) {
                known.push(name);
            }
        }
        let mut fronts = self.inner.fronts.lock().unwrap_or_else(PoisonError::into_inner);
        fronts.retain(|(known, _)| *known != prefix);
        fronts.push((prefix, front));
    }

    /// Who answers below a path of its own, with that path.
    pub(crate) fn fronts(&self) -> Vec<(String, Arc<dyn Front>)> {
        self.inner.fronts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who stands where a path leads.
    pub(crate) fn front_of(&self, path: &str) -> Option<(String, Arc<dyn Front>)> {
        let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
        self.fronts().into_iter().find(|(prefix, _)| below(prefix))
    }

    /// Waits on the clock the sandbox was made with.
    pub(crate) async fn wait(&self, wait: Duration) {
        self.inner.clock.sleep(wait).await;
    }

    /// Runs `action` on the portal and waits until its changes are on disk.
    pub(crate) async fn change<T>(&self, action: impl FnOnce(&mut Portal) -> T) -> Result<T, SandboxError> {
        let (result, written) = {
            let mut portal = self.portal();
            let result = action(&mut portal);
            let events = portal.take_events();
            // Handed over under the lock, so that the journal has the order of the portal.
            let journal = self.inner.journal.as_ref().filter(|_| !events.is_empty());
            (result, journal.map(|journal| journal.write(&events)))
        };
        self.settled(written).await?;
        Ok(result)
    }

    async fn settled(&self, written: Option<oneshot::Receiver<()>>) -> Result<(), SandboxError> {
        let Some(written) = written else { return Ok(()) };
        written.await.map_err(|_| SandboxError::Internal {
            reason: "the journal cannot be written; look at disk space and permissions of the data directory".into(),
        })
    }

    pub(crate) fn portal(&self) -> MutexGuard<'_, Portal> {
        // No request can leave the portal half-changed: its changes are single steps.
        self.inner.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn provision_all(portal: &mut Portal, gstins: &[&str]) -> Result<(), SandboxError> {
    for gstin in gstins {
        portal.provision(gstin)?;
    }
    Ok(())
}

/// Takes the directory for this process. The operating system gives it back when the process ends,
/// however it ends.
fn lock(directory: &Path) -> Result<File, SandboxError> {
    let path = directory.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(SandboxError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SandboxError::InUse { path: directory.into() }),
        Err(TryLockError::Error(source)) => Err(SandboxError::File { action: "lock", path, source }),
    }
}

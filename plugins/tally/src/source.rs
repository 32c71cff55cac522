//! The source role: exported files or a running Tally to records, records to documents.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::{SharedClock, SystemClock};
use einvoice_core::date::ist_date;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordStream, SourceCapability, SourceError, SourceRecord,
    stream_from_blocking,
};

use crate::config::TallySourceConfig;
use crate::exports::Exports;
use crate::latest::Older;
use crate::live::{self, Books, Link, LinkError, LinkSettings, MastersCache, ReadSettings, only_with};
use crate::mapping::{self, Beside, Settings};
use crate::reading;

/// Vouchers from files exported by Tally, or from a running Tally.
#[derive(Debug)]
pub struct TallySource {
    origin: Origin,
    settings: Arc<Settings>,
    nothing: Beside,
}

/// Where the vouchers are.
#[derive(Debug)]
enum Origin {
    /// Exported files.
    Files(Exports),
    /// A running Tally.
    Live(Box<Live>),
}

#[derive(Debug)]
struct Live {
    books: Books,
    read: ReadSettings,
    clock: SharedClock,
    cache: MastersCache,
    /// Fingerprint of the settings that decide about mapping.
    fingerprint: String,
}

impl TallySource {
    /// A source that reads below `directory`, by the time of this machine.
    ///
    /// # Errors
    /// [`BuildError`] when a pattern or a limit in the configuration makes no sense.
    pub fn new(directory: impl Into<PathBuf>, config: TallySourceConfig) -> Result<Self, BuildError> {
        if config.url.is_some() {
            return Err(refused("url", "asks for a running Tally, which is no source over files".to_owned()));
        }
        if config.path.trim().is_empty() {
            let reason = "names no files; write a pattern such as `inbox/*.xml`, or `url` to read from a running Tally";
            return Err(refused("path", reason.to_owned()));
        }
        only_with(
            "url",
            &[
                ("company", config.company.is_some()),
                ("from", config.from.is_some()),
                ("envelope", config.envelope.is_some()),
                ("changed", config.changed.is_some()),
                ("reread_days", config.reread_days.is_some()),
                ("charset", config.charset.is_some()),
                ("connect_timeout_ms", config.connect_timeout_ms.is_some()),
                ("read_timeout_ms", config.read_timeout_ms.is_some()),
                ("export_timeout_ms", config.export_timeout_ms.is_some()),
                ("probe_timeout_ms", config.probe_timeout_ms.is_some()),
            ],
        )?;
        let exports = Exports::new(directory.into(), &config, SystemClock::shared())
            .map_err(|(key, reason)| refused(key, reason))?;
        check_size(&config)?;
        let settings = Settings::new(config).map_err(|error| refused("mapping", error.to_string()))?;
        Ok(Self { origin: Origin::Files(exports), settings: Arc::new(settings), nothing: Beside::default() })
    }

    /// The same source by another clock.
    #[must_use]
    pub fn with_clock(mut self, now: SharedClock) -> Self {
        match &mut self.origin {
            Origin::Files(exports) => exports.clock = now,
            Origin::Live(live) => live.clock = now,
        }
        self
    }

    /// A source that reads from a running Tally.
    ///
    /// # Errors
    /// [`BuildError`] when a setting makes no sense.
    pub fn live(config: TallySourceConfig, clock: SharedClock) -> Result<Self, BuildError> {
        if !config.path.is_empty() {
            return Err(refused("path", "stands beside `url`; a source reads files or a running Tally".to_owned()));
        }
        only_with("path", &[("masters", !config.masters.is_empty()), ("settle_ms", config.settle_ms.is_some())])?;
        check_size(&config)?;
        let (link, read) = LinkSettings::of_source(&config)?;
        // How Tally is reached decides nothing about a document.
        let deciding = TallySourceConfig {
            url: None,
            charset: None,
            envelope: None,
            changed: None,
            reread_days: None,
            connect_timeout_ms: None,
            read_timeout_ms: None,
            export_timeout_ms: None,
            probe_timeout_ms: None,
            ..config.clone()
        };
        let text = serde_json::to_string(&deciding)
            .map_err(|error| BuildError::new("tally", "the settings could not be compared").because(error))?;
        let live = Live {
            books: Books::new(Arc::new(Link::new(link)?)),
            read,
            clock,
            cache: MastersCache::default(),
            fingerprint: reading::fingerprint(&BTreeMap::from([("settings".to_owned(), text)])),
        };
        let origin = Origin::Live(Box::new(live));
        let settings = Settings::new(config).map_err(|error| refused("mapping", error.to_string()))?;
        Ok(Self { origin, settings: Arc::new(settings), nothing: Beside::default() })
    }
}

impl Live {
    /// Asks what changed, and streams it.
    async fn fetch(&self, mapping: &Arc<Settings>, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let unreachable = |error: LinkError| {
            let location = format!("{} at {}", self.books.link().company(), self.books.link().origin());
            SourceError::new(location, error.to_string()).because(error)
        };
        let company = self.books.company().await.map_err(unreachable)?;
        let marks = self.books.marks().await.map_err(unreachable)?;
        let fresh = live::Progress::new(self.fingerprint.clone());
        let known: Option<live::Progress> = cursor.and_then(|cursor| serde_json::from_str(cursor.as_str()).ok());
        let run = live::Run {
            books: self.books.clone(),
            form: self.read.form(&company),
            company,
            marks,
            today: ist_date(self.clock.now()),
            settings: self.read,
            known: known.filter(|known| known.settings == self.fingerprint).unwrap_or(fresh),
            mapping: Arc::clone(mapping),
            cache: Arc::clone(&self.cache),
        };
        let handle = tokio::runtime::Handle::current();
        Ok(stream_from_blocking(move |sender| run.read(&handle, sender)))
    }
}

fn refused(key: &str, reason: String) -> BuildError {
    BuildError::new(format!("tally, key `{key}`"), reason)
}

fn check_size(config: &TallySourceConfig) -> Result<(), BuildError> {
    if config.voucher_bytes_max < 1024 {
        let reason = format!("{} is below 1024 bytes: no voucher is so small", config.voucher_bytes_max);
        return Err(refused("voucher_bytes_max", reason));
    }
    Ok(())
}

#[async_trait]
impl InvoiceSource for TallySource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(true, false)
    }

    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        match &self.origin {
            Origin::Files(exports) => exports.fetch(&self.settings.config, cursor),
            Origin::Live(live) => live.fetch(&self.settings, cursor).await,
        }
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        if let Some(older) = record.context.as_deref().and_then(|context| context.downcast_ref::<Older>()) {
            return mapping::passed_over(&record.content, older);
        }
        let beside = record.context.as_deref().and_then(|context| context.downcast_ref::<Beside>());
        mapping::map(&record.content, &record.reference.to_string(), beside.unwrap_or(&self.nothing), &self.settings)
    }

    async fn acknowledge(&self, _settled: &[Acknowledgement]) -> Result<(), SourceError> {
        // Exports stay where they are: they belong to the user, and the cursor passes over them.
        Ok(())
    }
}

/// Makes the source for the registry.
pub(crate) async fn build(
    context: BuildContext,
    config: TallySourceConfig,
) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let make = move || match config.url {
        Some(_) => TallySource::live(config, context.clock),
        None => Ok(TallySource::new(context.directory, config)?.with_clock(context.clock)),
    };
    let source = tokio::task::spawn_blocking(make)
        .await
        .map_err(|error| BuildError::new("tally", "the source could not be made").because(error))??;
    Ok(Arc::new(source))
}

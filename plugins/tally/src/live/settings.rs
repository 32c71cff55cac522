//! The settings of a link, checked: an address, a company, and how long to wait.

use std::time::Duration;

use einvoice_core::registry::BuildError;
use jiff::civil::Date;
use reqwest::Url;

use super::books::OpenCompany;
use crate::config::{ChangedMode, Charset, Envelope, TallySourceConfig, TallyWriteBackConfig};
use crate::lexical;

/// Longest wait for a connection or a small answer.
const SMALL_MS_MAX: u64 = 600_000;
/// Longest silence during an export.
const EXPORT_MS_MAX: u64 = 3_600_000;
/// Most days that are read again after a master changed.
const REREAD_DAYS_MAX: u32 = 366;

/// How to reach one company in a running Tally.
#[derive(Debug, Clone)]
pub(crate) struct LinkSettings {
    /// Address without a path.
    pub(crate) url: Url,
    /// The company's name.
    pub(crate) company: String,
    /// Encoding of requests.
    pub(crate) charset: Charset,
    /// Longest wait for a connection.
    pub(crate) connect: Duration,
    /// Longest wait for a small answer.
    pub(crate) read: Duration,
    /// Longest silence during an export.
    pub(crate) export: Duration,
    /// Longest wait for the question after a time-out.
    pub(crate) probe: Duration,
}

/// How something large is asked for, and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// XML, which every release speaks.
    Xml,
    /// JSON.
    Json,
}

/// First release that speaks JSON.
const JSON_SINCE: u32 = 7;

/// What a live source reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadSettings {
    /// First day.
    pub(crate) from: Date,
    /// Days read again after a master changed.
    pub(crate) reread_days: u32,
    /// How a changed voucher is asked for.
    pub(crate) changed: ChangedMode,
    /// In which form day books and masters are asked for.
    envelope: Envelope,
    /// Largest voucher or master.
    pub(crate) limits: crate::xml::Limits,
}

impl ReadSettings {
    /// The form in which the Tally of a company is asked.
    pub(crate) fn form(&self, company: &OpenCompany) -> Form {
        let speaks_json = company.release.is_some_and(|release| release >= JSON_SINCE);
        match self.envelope {
            Envelope::Json => Form::Json,
            Envelope::Auto if speaks_json => Form::Json,
            Envelope::Auto | Envelope::Xml => Form::Xml,
        }
    }
}

fn refused(key: &str, reason: impl Into<String>) -> BuildError {
    BuildError::new(format!("tally, key `{key}`"), reason)
}

/// Refuses keys that belong to the other way of working.
///
/// # Errors
/// [`BuildError`] that names the first such key.
pub(crate) fn only_with(other: &str, keys: &[(&str, bool)]) -> Result<(), BuildError> {
    match keys.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(refused(key, format!("belongs to `{other}`, which is not set"))),
        None => Ok(()),
    }
}

impl LinkSettings {
    /// From the configuration of a source.
    ///
    /// # Errors
    /// [`BuildError`] that names the key.
    pub(crate) fn of_source(config: &TallySourceConfig) -> Result<(Self, ReadSettings), BuildError> {
        let link = Self::new(config.url.as_deref(), config.company.as_deref(), config.charset)?.waiting(
            config.connect_timeout_ms,
            config.read_timeout_ms,
            config.export_timeout_ms,
            config.probe_timeout_ms,
        )?;
        let text = config.from.as_deref().ok_or_else(|| {
            refused("from", "is missing; with `url` name the first day to read, such as `2026-04-01`")
        })?;
        let from = text
            .trim()
            .parse::<Date>()
            .ok()
            .or_else(|| lexical::date(text).map(einvoice_core::date::DocumentDate::date))
            .ok_or_else(|| refused("from", format!("`{text}` is no day; write it as `2026-04-01`")))?;
        let reread_days = config.reread_days.unwrap_or(7);
        if reread_days > REREAD_DAYS_MAX {
            return Err(refused("reread_days", format!("{reread_days} is above {REREAD_DAYS_MAX}")));
        }
        let limits = crate::reading::limits(config.voucher_bytes_max);
        let (changed, envelope) = (config.changed.unwrap_or_default(), config.envelope.unwrap_or_default());
        Ok((link, ReadSettings { from, reread_days, changed, envelope, limits }))
    }

    /// From the configuration of a write-back target.
    ///
    /// # Errors
    /// [`BuildError`] that names the key.
    pub(crate) fn of_write_back(config: &TallyWriteBackConfig) -> Result<Self, BuildError> {
        Self::new(config.url.as_deref(), config.company.as_deref(), config.charset)?.waiting(
            config.connect_timeout_ms,
            config.read_timeout_ms,
            None,
            config.probe_timeout_ms,
        )
    }

    fn new(url: Option<&str>, company: Option<&str>, charset: Option<Charset>) -> Result<Self, BuildError> {
        let text = url.unwrap_or_default().trim();
        let parsed = Url::parse(text).map_err(|error| {
            refused("url", format!("`{text}` is no address ({error}); write it as `http://localhost:9000`"))
        })?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(refused("url", format!("`{text}` is no HTTP address; write it as `http://localhost:9000`")));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused("url", "holds a user or password; Tally has neither"));
        }
        if parsed.path() != "/" || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refused("url", format!("`{text}` has a path; Tally has none: write host and port alone")));
        }
        let company = company.map(str::trim).filter(|company| !company.is_empty()).ok_or_else(|| {
            refused("company", "is missing; with `url` name the company as Tally does, or whatever is active answers")
        })?;
        Ok(Self {
            url: parsed,
            company: company.to_owned(),
            charset: charset.unwrap_or_default(),
            connect: Duration::from_secs(2),
            read: Duration::from_secs(10),
            export: Duration::from_mins(2),
            probe: Duration::from_secs(30),
        })
    }

    fn waiting(
        mut self,
        connect: Option<u64>,
        read: Option<u64>,
        export: Option<u64>,
        probe: Option<u64>,
    ) -> Result<Self, BuildError> {
        for (key, given, most, wait) in [
            ("connect_timeout_ms", connect, SMALL_MS_MAX, &mut self.connect),
            ("read_timeout_ms", read, SMALL_MS_MAX, &mut self.read),
            ("export_timeout_ms", export, EXPORT_MS_MAX, &mut self.export),
            ("probe_timeout_ms", probe, SMALL_MS_MAX, &mut self.probe),
        ] {
            let Some(given) = given else { continue };
            if given == 0 || given > most {
                return Err(refused(key, format!("{given} is not between 1 and {most}")));
            }
            *wait = Duration::from_millis(given);
        }
        Ok(self)
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_those_that_tally_was_found_to_need_unless_set() {
        let config = TallySourceConfig {
            url: Some("http://localhost:9000".to_owned()),
            company: Some("Deccan".to_owned()),
            from: Some("1-Apr-2026".to_owned()),
            ..TallySourceConfig::default()
        };
        let (link, read) = LinkSettings::of_source(&config).unwrap();
        let seconds = |wait: Duration| wait.as_secs();
        assert_eq!([link.connect, link.read, link.export, link.probe].map(seconds), [2, 10, 120, 30]);
        assert_eq!((link.charset, read.reread_days, read.from), (Charset::Utf16, 7, jiff::civil::date(2026, 4, 1)));
        let set = TallySourceConfig { export_timeout_ms: Some(5_000), ..config };
        assert_eq!(seconds(LinkSettings::of_source(&set).unwrap().0.export), 5);
    }

    #[test]
    fn json_is_spoken_where_it_is_set_or_where_the_release_says_so() {
        let company = |release| OpenCompany { name: String::new(), guid: None, release };
        let form = |envelope, release| {
            let limits = crate::reading::limits(1024);
            let from = jiff::civil::date(2026, 4, 1);
            let read = ReadSettings { from, reread_days: 0, changed: ChangedMode::Object, envelope, limits };
            read.form(&company(release))
        };
        assert_eq!(form(Envelope::Auto, Some(7)), Form::Json);
        for (envelope, release) in [(Envelope::Auto, Some(6)), (Envelope::Auto, None), (Envelope::Xml, Some(7))] {
            assert_eq!(form(envelope, release), Form::Xml);
        }
        assert_eq!(form(Envelope::Json, None), Form::Json);
    }
}

//! Logs for operators, on standard error. No payload and no secret is ever an event's field.

use tracing_subscriber::EnvFilter;

/// The environment variable that chooses what is logged, in the language of `tracing`'s filters:
/// `EINVOICE_LOG=einvoice_core=debug,warn`.
pub const VARIABLE: &str = "EINVOICE_LOG";

/// What is logged where [`VARIABLE`] says nothing. Every event of the core's pipeline is told by the
/// command's own report, too, and trouble told twice looks like two troubles. A rule of the portal
/// that the configuration gave another severity is told with its reason every time.
const fn default_filter(verbose: u8) -> &'static str {
    match verbose {
        0 => "error,einvoice_core::events=off,einvoice_core::rulebook::settings=warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    }
}

/// Libraries that log as an error what is none, such as a secret that Vault does not have, and in words that our own
/// errors say better.
const SILENT: &str = "vaultrs=off,rustify=off";

/// Starts logging. Without `EINVOICE_LOG` only errors are shown that the report does not tell; `-v`
/// adds a line per outcome, `-vv` how things are done, `-vvv` everything.
pub(crate) fn start(verbose: u8, colours: bool) {
    let chosen = std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty());
    let filter = chosen.as_deref().unwrap_or(default_filter(verbose));
    let filter = EnvFilter::builder().parse_lossy(format!("{filter},{SILENT}"));
    // A second start (two commands in one test process) keeps the first subscriber.
    let _started =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_filter_is_one_that_can_be_read() {
        for verbose in 0..=4 {
            assert!(EnvFilter::builder().parse(format!("{},{SILENT}", default_filter(verbose))).is_ok(), "{verbose}");
        }
    }
}

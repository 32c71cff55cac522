//! Logs for operators, on standard error. No payload and no secret is ever an event's field.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// The environment variable that chooses what is logged, in the language of `tracing`'s filters:
/// `EINVOICE_LOG=einvoice=debug,warn`.
pub const VARIABLE: &str = "EINVOICE_LOG";

/// Starts logging. Without `EINVOICE_LOG` only warnings and errors are shown; `-v` adds a line per
/// outcome, `-vv` how things are done, `-vvv` everything.
pub(crate) fn start(verbose: u8, colours: bool) {
    let level = match verbose {
        0 => tracing::level_filters::LevelFilter::WARN,
        1 => tracing::level_filters::LevelFilter::INFO,
        2 => tracing::level_filters::LevelFilter::DEBUG,
        _ => tracing::level_filters::LevelFilter::TRACE,
    };
    let filter =
        EnvFilter::builder().with_default_directive(Directive::from(level)).with_env_var(VARIABLE).from_env_lossy();
    // A second start (two commands in one test process) keeps the first subscriber.
    let _started =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).try_init();
}

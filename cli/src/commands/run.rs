//! `run`: the main job, once or by the sources' schedules.

mod dry;
mod progress;
mod report;

use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{SharedClock, later};
use einvoice_core::config::SourceTable;
use einvoice_core::ledger::Ledger;
use einvoice_core::pipeline::{Pipeline, RunReport, StopSignal};
use einvoice_core::registry::nearest;
use jiff::Timestamp;

use super::block_on;
use crate::arguments::{Common, Run};
use crate::assemble::Assembly;
use crate::error::CliError;
use crate::output::Output;
use crate::stop::Interrupts;
use crate::{exit_code, settings};
pub(super) use progress::Followed;

/// What a repeated run needs between rounds.
struct Job {
    pipeline: Pipeline,
    ledger: Arc<dyn Ledger>,
    clock: SharedClock,
    stop: StopSignal,
}

pub(super) fn run(arguments: &Run, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let assembly = Assembly::new(settings::load(common)?)?;
    let chosen = chosen(&arguments.sources, &assembly.settings().sources)?;
    if arguments.dry_run {
        return block_on(dry::run(&assembly, &chosen, arguments, output));
    }
    block_on(async {
        let mut interrupts = Interrupts::listen()?;
        let stop = StopSignal::new();
        let parts = assembly.parts().await?;
        let job = Job {
            ledger: Arc::clone(&parts.ledger),
            clock: assembly.clock(),
            pipeline: Pipeline::new(parts).await?,
            stop: stop.clone(),
        };
        let schedules = Schedules::new(&chosen);
        let work = rounds(&job, schedules, arguments.once, output);
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = interrupts.next() => {}
        }
        stop.stop();
        tell("finishing what is under way; interrupt again to stop at once");
        tokio::select! {
            result = &mut work => result,
            () = interrupts.next() => {
                tell("stopped at once; what was sent and not answered is asked about in the next run");
                // Dropping the work is safe: every intent was durable before it was sent.
                Ok(exit_code::UNKNOWN_OUTCOMES)
            }
        }
    })
}

/// The sources that were named, in the order of the configuration; all of them where none was.
fn chosen(named: &[String], sources: &[SourceTable]) -> Result<Vec<SourceTable>, CliError> {
    for name in named {
        let known = || sources.iter().map(|source| source.part.name.as_str());
        if !known().any(|known| known == name) {
            let near = nearest(name, known()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let there = known().collect::<Vec<_>>().join(", ");
            return Err(CliError::Usage(format!("there is no source `{name}`; {near}there are: {there}")));
        }
    }
    let is_chosen = |source: &&SourceTable| named.is_empty() || named.contains(&source.part.name);
    Ok(sources.iter().filter(is_chosen).cloned().collect())
}

/// A remark while the output is lent to the work.
pub(super) fn tell(text: &str) {
    use std::io::Write;
    // Standard error may be closed; stopping goes on all the same.
    let _written = writeln!(std::io::stderr(), "{text}");
}

async fn rounds(job: &Job, mut schedules: Schedules, once: bool, output: &mut Output) -> Result<u8, CliError> {
    let mut names = schedules.all();
    loop {
        let report = round(job, &names, output).await?;
        let code = report::exit_code_of(&report);
        schedules.done(&names, job.clock.now());
        let Some(next) = schedules.next().filter(|_| !once && !job.stop.is_stopped()) else { return Ok(code) };
        let wait = Duration::try_from(next.duration_since(job.clock.now())).unwrap_or_default();
        let heard = tokio::select! {
            () = job.clock.sleep(wait) => None,
            name = job.pipeline.changed() => Some(name),
            () = job.stop.stopped() => return Ok(code),
        };
        names = schedules.due(job.clock.now());
        names.extend(heard.filter(|heard| !names.contains(heard)));
    }
}

async fn round(job: &Job, names: &[String], output: &mut Output) -> Result<RunReport, CliError> {
    let progress = Arc::new(Followed::new(output.shows_progress() && !output.is_json()));
    let observer = Arc::clone(&progress);
    let result = job.pipeline.run_sources(names, observer, job.stop.clone()).await;
    progress.finish();
    let report = result?;
    report::show(&report, job.ledger.as_ref(), output).await?;
    output.flush()?;
    Ok(report)
}

/// When each source is to be read again.
#[derive(Debug)]
struct Schedules {
    sources: Vec<Scheduled>,
}

#[derive(Debug)]
struct Scheduled {
    name: String,
    every: Option<Duration>,
    next: Option<Timestamp>,
}

impl Schedules {
    fn new(sources: &[SourceTable]) -> Self {
        let scheduled = |source: &SourceTable| Scheduled {
            name: source.part.name.clone(),
            every: source.schedule.map(|schedule| schedule.every),
            next: None,
        };
        Self { sources: sources.iter().map(scheduled).collect() }
    }

    fn all(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.name.clone()).collect()
    }

    /// These were just read: the interval counts from the end of a round.
    fn done(&mut self, names: &[String], now: Timestamp) {
        for source in self.sources.iter_mut().filter(|source| names.contains(&source.name)) {
            source.next = source.every.and_then(|every| later(now, every));
        }
    }

    /// The next moment at which any source is due; none when nothing has a schedule.
    fn next(&self) -> Option<Timestamp> {
        self.sources.iter().filter_map(|source| source.next).min()
    }

    fn due(&self, now: Timestamp) -> Vec<String> {
        let due = self.sources.iter().filter(|source| source.next.is_some_and(|next| next <= now));
        due.map(|source| source.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use einvoice_core::config::Settings;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_with_a_schedule_comes_again_and_one_without_does_not() {
        let settings = Settings::from_value(json!({"source": [
            {"name": "often", "plugin": "tally", "schedule": "every 5 minutes"},
            {"name": "daily", "plugin": "tally", "schedule": "every day"},
            {"name": "once", "plugin": "tally"},
        ]}))
        .unwrap();
        let mut schedules = Schedules::new(&settings.sources);
        let start: Timestamp = "2026-11-05T06:30:00Z".parse().unwrap();
        assert_eq!(schedules.next(), None);
        schedules.done(&schedules.all(), start);
        let first = schedules.next().unwrap();
        assert_eq!(first, later(start, Duration::from_mins(5)).unwrap());
        assert_eq!(schedules.due(first), ["often"]);
        schedules.done(&["often".to_owned()], first);
        assert_eq!(schedules.next(), later(first, Duration::from_mins(5)));
        assert_eq!(schedules.due(later(start, Duration::from_hours(24)).unwrap()), ["often", "daily"]);
    }
}

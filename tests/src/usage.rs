//! What this process has used so far, from `/proc`: for programs that measure. Other systems than Linux tell nothing here.

use std::fmt;
use std::fs;

/// Ticks a second in `/proc/self/stat`: the same on every Linux (`USER_HZ`, see `man 5 proc`).
const TICKS: f64 = 100.0;

/// CPU seconds and the highest memory.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Usage {
    /// Seconds in programs' own code, of all threads.
    pub user: f64,
    /// Seconds in the system's.
    pub system: f64,
    /// Highest resident memory of the process so far.
    pub peak_kib: u64,
}

impl Usage {
    /// Nothing where there is no `/proc`.
    #[must_use]
    pub fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program, in brackets, may hold blanks; the eleventh word after it is utime.
        let (_, words) = stat.rsplit_once(')')?;
        let mut ticks = words.split_whitespace().skip(11).map_while(|word| word.parse::<f64>().ok());
        let (user, system) = (ticks.next()? / TICKS, ticks.next()? / TICKS);
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let peak_kib = peak.trim().trim_end_matches(" kB").parse().ok()?;
        Some(Self { user, system, peak_kib })
    }

    /// Seconds of CPU in all.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.user + self.system
    }
}

/// What one of many cost.
#[derive(Debug)]
pub struct Cost {
    user_micros: f64,
    system_micros: f64,
}

impl Cost {
    /// What each of `count` cost since then.
    #[must_use]
    pub fn since(before: Option<&Usage>, count: u32) -> Option<Self> {
        let (before, after) = (before?, Usage::now()?);
        let micros = |seconds: f64| seconds * 1e6 / f64::from(count);
        Some(Self {
            user_micros: micros(after.user - before.user),
            system_micros: micros(after.system - before.system),
        })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user_micros, system_micros } = self;
        let both = user_micros + system_micros;
        write!(formatter, "{both:.0} µs ({user_micros:.0} user, {system_micros:.0} system)")
    }
}

/// The highest memory so far, for people.
#[must_use]
pub fn peak() -> String {
    let usage = Usage::now();
    usage.map_or_else(|| "peak memory not known".to_owned(), |usage| format!("{} kB at the peak", usage.peak_kib))
}

/// The machine's load averages.
#[must_use]
pub fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

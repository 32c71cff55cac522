//! The progress bars of long work, on standard error of a terminal only.

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Counts what is through, out of a number that may not be known.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Nothing is drawn unless `shown`. `about` says what is counted: `documents checked`.
    pub(crate) fn new(shown: bool, length: Option<u64>, about: &str) -> Self {
        if !shown {
            let bar = ProgressBar::hidden();
            if let Some(length) = length {
                bar.set_length(length);
            }
            return Self { bar };
        }
        let (bar, count) = match length {
            Some(length) => (ProgressBar::new(length), "{bar:30} {pos} of {len}"),
            None => (ProgressBar::new_spinner(), "{spinner} {pos}"),
        };
        // The message is cut where the line ends, as a bar on two lines cannot be taken away again.
        // The template is fixed, so it cannot be wrong; without it the bar has its usual look.
        if let Ok(style) = ProgressStyle::with_template(&format!("{count} {about}, {{rate}} {{wide_msg}}")) {
            bar.set_style(style.with_key("rate", rate));
        }
        Self { bar }
    }

    /// So many more are through.
    pub(crate) fn advance(&self, count: u64) {
        self.bar.inc(count);
        // Work that an earlier run left was announced by nobody.
        if let Some(missing) = self.bar.length().and_then(|length| self.bar.position().checked_sub(length)) {
            self.bar.inc_length(missing);
        }
    }

    /// How many are through, and of how many.
    #[cfg(test)]
    pub(crate) fn count(&self) -> (u64, Option<u64>) {
        (self.bar.position(), self.bar.length())
    }

    /// So many more are to come.
    pub(crate) fn expect(&self, count: u64) {
        self.bar.inc_length(count);
    }

    /// Something goes on that is not counted.
    pub(crate) fn tick(&self) {
        self.bar.tick();
    }

    /// What is being worked on.
    pub(crate) fn message(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Writes results while the bar is out of the way: both may be on one screen.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// How many in a second, in whole numbers.
fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // What takes the text cannot fail; a bar without a rate would be no harm.
    let _written = write!(text, "{:.0} a second", state.per_sec());
}

impl Drop for Progress {
    /// However the work ends, an error stands on a line of its own.
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_and_written_whether_or_not_a_bar_is_shown() {
        for (shown, length) in [(false, None), (true, None), (true, Some(3))] {
            let progress = Progress::new(shown, length, "files checked");
            progress.message("a.json".to_owned());
            assert_eq!(progress.aside(|| 7), 7);
            progress.advance(2);
            progress.advance(1);
            assert_eq!(progress.bar.position(), 3);
        }
    }
}

//! The only door to time: everything that needs a moment or a wait asks a [`Clock`].

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Tells the time and waits.
///
/// The product uses [`SystemClock`]; tests, simulations and the emulator use [`ManualClock`], so
/// that windows of hours and days are crossed in no time and every run can be repeated.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Returns once `duration` has passed on this clock. Dropping the future ends the wait and has
    /// no other effect.
    async fn sleep(&self, duration: Duration);
}

/// A clock shared between the parts of one program.
pub type SharedClock = Arc<dyn Clock>;

/// The computer's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The system clock behind a shared pointer.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self)
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Clone)]
pub struct ManualClock {
    moment: Arc<watch::Sender<Timestamp>>,
    auto_advance: Arc<Mutex<bool>>,
}

impl ManualClock {
    /// A clock that stands at `moment`.
    #[must_use]
    pub fn new(moment: Timestamp) -> Self {
        Self { moment: Arc::new(watch::Sender::new(moment)), auto_advance: Arc::new(Mutex::new(false)) }
    }

    /// A clock that jumps forward by itself whenever somebody sleeps on it, so that waits cost no
    /// time. Suits tests with one sleeper at a time.
    #[must_use]
    pub fn jumping(moment: Timestamp) -> Self {
        let clock = Self::new(moment);
        if let Ok(mut auto) = clock.auto_advance.lock() {
            *auto = true;
        }
        clock
    }

    /// Moves the clock to `moment`; sleepers whose time has come wake up.
    pub fn set(&self, moment: Timestamp) {
        self.moment.send_replace(moment);
    }

    /// Moves the clock forward. A step beyond the range of [`Timestamp`] leaves it where it is.
    pub fn advance(&self, step: Duration) {
        // The borrow must end before `set` takes the same lock, so it has a statement of its own.
        let now = *self.moment.borrow();
        if let Some(moment) = later(now, step) {
            self.set(moment);
        }
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.moment.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let Some(until) = later(self.now(), duration) else { return };
        if self.auto_advance.lock().is_ok_and(|auto| *auto) {
            self.set(until);
            tokio::task::yield_now().await;
            return;
        }
        let mut moments = self.moment.subscribe();
        // The sender lives in `self`, so waiting cannot fail while this future is alive.
        let _moment = moments.wait_for(|moment| *moment >= until).await;
    }
}

/// `moment` plus `step`, or nothing if that leaves the range of timestamps.
#[must_use]
pub fn later(moment: Timestamp, step: Duration) -> Option<Timestamp> {
    let step = SignedDuration::try_from(step).ok()?;
    moment.checked_add(step).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-11-05T06:30:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_manual_clock_passes_its_time() {
        let clock = ManualClock::new(noon());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_mins(1)).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_mins(2));
        sleeper.await.unwrap();
    }

    #[tokio::test]
    async fn a_jumping_clock_makes_waits_cost_nothing() {
        let clock = ManualClock::jumping(noon());
        clock.sleep(Duration::from_hours(1)).await;
        assert_eq!(clock.now(), later(noon(), Duration::from_hours(1)).unwrap());
    }
}

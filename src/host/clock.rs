//! The machine's time as the real one goes on, at the speed that was asked for.
//!
//! Speed is no matter of the machine: it is told what time it is, and its journal has its own times. So a download at
//! `instant` leaves the same session as one that was waited for.

use std::time::{Duration, Instant};

use crate::base::time::Timestamp;
use crate::view::settings::Speed;

/// A clock that was set when the machine was switched on.
pub(super) struct Clock {
    epoch: Timestamp,
    start: Instant,
    rate: u32,
}

impl Clock {
    /// Starts at the machine's own time.
    pub(super) fn new(epoch: Timestamp, speed: Speed) -> Self {
        Self { epoch, start: Instant::now(), rate: speed.rate() }
    }

    /// What the machine's clock is to show.
    pub(super) fn now(&self) -> Timestamp {
        self.at(self.start.elapsed())
    }

    fn at(&self, passed: Duration) -> Timestamp {
        self.epoch + passed * self.rate
    }

    /// How long it takes until the machine's clock shows `time`.
    pub(super) fn until(&self, time: Timestamp) -> Duration {
        time.since(self.now()) / self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Config, Machine, Stop};

    /// Pulls at a speed; how long somebody waits for it, and the machine that is left.
    fn pull(speed: Speed) -> (Duration, Machine) {
        let mut machine = Machine::new(Config::default());
        let clock = Clock::new(machine.now(), speed);
        let tty = machine.console();
        machine.run(1 << 20);
        machine.input(tty, b"docker pull debian:bullseye-slim\r");
        let (mut passed, tick) = (Duration::ZERO, Duration::from_millis(10));
        loop {
            machine.advance_to(clock.at(passed));
            while machine.run(1 << 20) == Stop::OutOfFuel {}
            if !machine.is_busy(tty) {
                return (passed, machine);
            }
            passed += tick;
        }
    }

    #[test]
    fn a_faster_link_is_waited_for_less_and_leaves_the_same_session() {
        let (real, mut first) = pull(Speed::Real);
        assert!(real > Duration::from_secs(3), "{real:?}");
        let shown = first.take_output(first.console());
        for (speed, times) in [(Speed::Fast, 4), (Speed::Instant, 60)] {
            let (waited, mut machine) = pull(speed);
            assert!(waited <= real / times + Duration::from_millis(20), "{speed:?}: {waited:?} of {real:?}");
            assert_eq!(machine.take_output(machine.console()), shown, "{speed:?}");
            let mut replayed = Machine::replay(machine.journal());
            assert_eq!(replayed.take_output(replayed.console()), shown, "{speed:?}");
        }
    }
}

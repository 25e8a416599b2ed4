//! Health checks: a probe every so often, run like an exec (moby `daemon/health.go`).

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::or;
use serde_json::{Value, json};

use super::api::container::ExecConfig;
use super::container::{ContainerId, State};
use super::handle::{Daemon, World};
use crate::base::time::{Timestamp, go_duration};
use crate::docker::image::config::{ContainerConfig, Healthcheck};
use crate::os::kernel::Signal;

/// Results that are kept.
const MAX_RESULTS: usize = 5;
/// Bytes of a probe's output that are kept.
const MAX_OUTPUT: usize = 4096;

/// How a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Not known yet.
    #[default]
    Starting,
    /// The last probe went well.
    Healthy,
    /// So many probes failed one after the other.
    Unhealthy,
}

impl Status {
    /// The API's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// What `docker ps` adds (moby `container/health.go` `String`).
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Starting => " (health: starting)",
            Self::Healthy => " (healthy)",
            Self::Unhealthy => " (unhealthy)",
        }
    }
}

/// What one probe found.
#[derive(Debug, Clone)]
pub struct Outcome {
    start: Timestamp,
    end: Timestamp,
    code: i64,
    output: String,
}

/// What is known of a container's health.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// How it is.
    pub status: Status,
    failing_streak: i64,
    log: VecDeque<Outcome>,
}

impl Health {
    /// `State.Health`.
    pub fn document(&self) -> Value {
        let row = |o: &Outcome| json!({"Start": o.start.rfc3339_nano(), "End": o.end.rfc3339_nano(), "ExitCode": o.code, "Output": o.output});
        let log: Vec<Value> = self.log.iter().map(row).collect();
        json!({"Status": self.status.name(), "FailingStreak": self.failing_streak, "Log": log})
    }

    fn take(&mut self, outcome: Outcome, counts: bool, retries: i64) {
        if outcome.code == 0 {
            (self.failing_streak, self.status) = (0, Status::Healthy);
        } else if counts {
            self.failing_streak += 1;
            if self.failing_streak >= retries {
                self.status = Status::Unhealthy;
            }
        }
        self.log.push_back(outcome);
        if self.log.len() > MAX_RESULTS {
            self.log.pop_front();
        }
    }
}

/// The check of the container over that of its image (moby `daemon/commit.go` `merge`).
pub fn merge(own: &mut Option<Healthcheck>, image: Option<&Healthcheck>) {
    let Some(image) = image else { return };
    let Some(own) = own else {
        *own = Some(image.clone());
        return;
    };
    let or = |own: &mut i64, image: i64| {
        if *own == 0 {
            *own = image;
        }
    };
    if own.test.is_empty() {
        own.test.clone_from(&image.test);
    }
    or(&mut own.interval_nanos, image.interval_nanos);
    or(&mut own.timeout_nanos, image.timeout_nanos);
    or(&mut own.start_period_nanos, image.start_period_nanos);
    or(&mut own.start_interval_nanos, image.start_interval_nanos);
    or(&mut own.retries, image.retries);
}

/// The probe's words; `None` when there is no check.
fn probe(config: &ContainerConfig) -> Option<Vec<String>> {
    let test = &config.healthcheck.as_ref()?.test;
    let (kind, words) = test.split_first()?;
    match kind.as_str() {
        "CMD" if !words.is_empty() => Some(words.to_vec()),
        "CMD-SHELL" => {
            let shell = match config.shell.as_slice() {
                [] => vec!["/bin/sh".to_owned(), "-c".to_owned()],
                shell => shell.to_vec(),
            };
            Some([shell.as_slice(), words].concat())
        }
        _ => None,
    }
}

fn time(nanos: i64, default: Duration) -> Duration {
    u64::try_from(nanos).ok().filter(|n| *n > 0).map_or(default, Duration::from_nanos)
}

impl World {
    /// Begins to look after a container that has started.
    pub fn watch_health(self: &Rc<Self>, id: ContainerId) {
        let begun = self.with(id, |c| {
            let words = probe(&c.config);
            c.health = words
                .is_some()
                .then(|| Health { log: c.health.take().map(|old| old.log).unwrap_or_default(), ..Health::default() });
            Some((words?, c.config.healthcheck.clone()?, c.generation))
        });
        let Some((words, check, generation)) = begun.flatten() else { return };
        let world = Rc::clone(self);
        self.background("dockerd", &["health"], async move {
            let started = world.kernel.now();
            let interval = time(check.interval_nanos, Duration::from_secs(30));
            let early = time(check.start_interval_nanos, Duration::from_secs(5));
            let start_period = time(check.start_period_nanos, Duration::ZERO);
            let retries = if check.retries > 0 { check.retries } else { 3 };
            loop {
                let status = world.with(id, |c| c.health.as_ref().map(|h| h.status)).flatten().unwrap_or_default();
                let in_start = status == Status::Starting && world.kernel.now().since(started) < start_period;
                world.kernel.sleep(if in_start { early } else { interval }).await;
                let goes_on = world.with(id, |c| (c.generation == generation, matches!(c.state, State::Running(_))));
                match goes_on {
                    Some((true, true)) => {}
                    Some((true, false)) if world.with(id, |c| matches!(c.state, State::Paused(_))) == Some(true) => {
                        continue;
                    }
                    _ => return,
                }
                let outcome = world.probe_once(id, &words, time(check.timeout_nanos, Duration::from_secs(30))).await;
                let in_start = outcome.start.since(started) < start_period;
                let changed = world.with(id, |c| {
                    let is_current = c.generation == generation && c.state.run().is_some();
                    let health = c.health.as_mut().filter(|_| is_current)?;
                    let before = health.status;
                    health.take(outcome, before != Status::Starting || !in_start, retries);
                    (before != health.status).then_some(health.status)
                });
                if let Some(status) = changed.flatten() {
                    world.emit_container(id, &format!("health_status: {}", status.name()), &[]);
                }
            }
        });
    }

    async fn probe_once(self: &Rc<Self>, id: ContainerId, words: &[String], timeout: Duration) -> Outcome {
        let start = self.kernel.now();
        let daemon = Daemon(Rc::clone(self));
        let config =
            ExecConfig { cmd: words.to_vec(), attach_stdout: true, attach_stderr: true, ..ExecConfig::default() };
        let fail = |text: String| Outcome { start, end: self.kernel.now(), code: -1, output: text };
        let exec = match daemon.exec_create(&id.to_string(), config) {
            Ok(exec) => exec,
            Err(error) => return fail(error.to_string()),
        };
        let outcome = match daemon.exec_start(&exec, false) {
            Ok(attached) => {
                let mut output = Vec::new();
                let ended = async {
                    while let Some(frame) = match &attached {
                        Some(attached) => attached.output.next().await,
                        None => None,
                    } {
                        frame.bytes.for_each_chunk(|chunk| {
                            output.extend(chunk.iter().take(MAX_OUTPUT.saturating_sub(output.len())));
                        });
                    }
                    false
                };
                let late = async {
                    self.kernel.sleep(timeout).await;
                    true
                };
                let is_late = or(ended, late).await;
                let output = String::from_utf8_lossy(&output).into_owned();
                let found = daemon.exec_inspect(&exec).ok();
                if is_late {
                    // It may have ended meanwhile.
                    let _ = found.map(|found| self.kernel.kill(found.pid, Signal::KILL));
                    let colon = if output.is_empty() { "" } else { ": " };
                    fail(format!(
                        "Health check exceeded timeout ({}){colon}{output}",
                        go_duration(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX))
                    ))
                } else {
                    let code = found.and_then(|found| found.exit_code).unwrap_or(0);
                    Outcome { start, end: self.kernel.now(), code, output }
                }
            }
            Err(error) => fail(error.to_string()),
        };
        self.state.borrow_mut().execs.remove(&exec);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: i64) -> Outcome {
        Outcome { start: Timestamp(0), end: Timestamp(0), code, output: String::new() }
    }

    #[test]
    fn only_a_streak_makes_unhealthy_and_one_success_heals() {
        let mut health = Health::default();
        health.take(outcome(1), false, 2);
        assert_eq!((health.status, health.failing_streak), (Status::Starting, 0));
        health.take(outcome(1), true, 2);
        assert_eq!(health.status, Status::Starting);
        health.take(outcome(1), true, 2);
        assert_eq!(health.status, Status::Unhealthy);
        health.take(outcome(0), true, 2);
        assert_eq!((health.status, health.failing_streak), (Status::Healthy, 0));
    }
}

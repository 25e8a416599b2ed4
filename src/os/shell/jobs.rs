//! Jobs: groups of processes in the foreground, in the background, or stopped.

use bstr::BString;

use super::dialect::Dialect;
use super::shell::{Flow, Run, Shell};
use crate::base::errno::Errno;
use crate::os::kernel::syscall::Waited;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Signal, Status};

/// A job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub id: u32,
    pub group: u32,
    /// Its processes that have not been waited for.
    pub pids: Vec<u32>,
    pub text: BString,
    pub stopped: Option<Signal>,
    /// How its last process ended.
    pub ended: Option<Status>,
    last: u32,
}

impl Job {
    /// The word `jobs` shows.
    pub fn state(&self) -> String {
        match (self.ended, self.stopped) {
            (Some(Status::Exited(0)), _) => "Done".to_owned(),
            (Some(Status::Exited(code)), _) => format!("Exit {code}"),
            (Some(Status::Signaled(signal)), _) => signal.text().to_owned(),
            (None, Some(_)) => "Stopped".to_owned(),
            (None, None) => "Running".to_owned(),
        }
    }
}

impl Shell {
    /// Enters a job and returns its number.
    pub fn add_job(&mut self, pids: Vec<u32>, text: BString, _background: bool) -> u32 {
        let id = self.jobs.iter().map(|job| job.id).max().unwrap_or(0) + 1;
        let (group, last) = (pids.first().copied().unwrap_or(0), pids.last().copied().unwrap_or(0));
        self.jobs.push(Job { id, group, pids, text, stopped: None, ended: None, last });
        id
    }

    /// Gives the terminal to a process group and waits until it ends or stops.
    pub async fn wait_foreground(&mut self, pids: &[u32], group: u32, text: &BString) -> Run {
        let monitor = self.options.monitor;
        let tty = if monitor { self.proc.tty() } else { None };
        let before = tty.map(|tty| self.proc.termios(tty));
        if let Some(tty) = tty {
            self.proc.set_foreground(tty, group);
        }
        let mut statuses = Vec::new();
        let mut stopped = None;
        for (at, pid) in pids.iter().enumerate() {
            match self.wait_one(*pid, monitor).await {
                Ok(status) => statuses.push(status),
                Err(signal) => {
                    stopped = Some((signal, pids.get(at..).unwrap_or_default().to_vec()));
                    break;
                }
            }
        }
        if let Some(tty) = tty {
            self.proc.set_foreground(tty, self.proc.group());
            if let Some(before) = before {
                let sane = if before.canonical { before } else { Termios::COOKED };
                self.proc.set_termios(tty, sane);
            }
        }
        if let Some(flow) = self.trapped.take() {
            return Err(flow);
        }
        if let Some((signal, pids)) = stopped {
            let id = self.add_job(pids, text.clone(), false);
            if let Some(job) = self.jobs.last_mut() {
                job.stopped = Some(signal);
                job.group = group;
            }
            self.proc.eprint(format!("\n[{id}]+  Stopped                 {text}\n")).await;
            self.status = 128 + i32::from(signal.0);
            return Ok(self.status);
        }
        if self.dialect == Dialect::Bash {
            let codes = statuses.iter().map(|status| BString::from(status.code().to_string()));
            self.vars.put_array(b"PIPESTATUS", codes);
        }
        let last = statuses.last().copied().unwrap_or(Status::Exited(0));
        let mut status = last.code();
        if self.options.pipefail {
            status = statuses.iter().rev().map(|s| s.code()).find(|code| *code != 0).unwrap_or(0);
        }
        self.status = status;
        if let Status::Signaled(signal) = last {
            match signal {
                Signal::INT if self.is_prompting() => {
                    self.proc.eprint("\n").await;
                    return Err(Flow::Interrupt);
                }
                Signal::PIPE => {}
                signal if self.is_prompting() => self.proc.eprint(format!("{}\n", signal.text())).await,
                signal if self.dialect == Dialect::Dash => self.proc.eprint(format!("{}\n", signal.text())).await,
                signal if self.dialect == Dialect::Bash && self.source == super::shell::Source::Script => {
                    let pid = pids.last().copied().unwrap_or(0);
                    self.complain(format!("{pid:>5} {:<23} {text}", signal.text())).await;
                }
                _ => {}
            }
        }
        Ok(status)
    }

    async fn wait_one(&mut self, pid: u32, stops: bool) -> Result<Status, Signal> {
        loop {
            match self.proc.wait(Some(pid), stops).await {
                Ok(Waited::Ended(_, status)) => return Ok(status),
                Ok(Waited::Stopped(_, signal)) => return Err(signal),
                Err(Errno::EINTR) => {
                    while let Some(signal) = self.proc.take_signal() {
                        self.late_trap(signal).await;
                    }
                }
                Err(_) => return Ok(Status::Exited(127)),
            }
        }
    }

    /// Looks which jobs have ended or stopped meanwhile, without waiting.
    pub fn poll_jobs(&mut self) {
        for job in &mut self.jobs {
            let proc = &self.proc;
            let mut left = Vec::new();
            for pid in std::mem::take(&mut job.pids) {
                match proc.try_wait(Some(pid), true) {
                    Ok(None) => left.push(pid),
                    Ok(Some(Waited::Stopped(_, signal))) => {
                        job.stopped = Some(signal);
                        left.push(pid);
                    }
                    Ok(Some(Waited::Ended(pid, status))) => {
                        if pid == job.last {
                            job.ended = Some(status);
                        }
                    }
                    Err(_) => {}
                }
            }
            job.pids = left;
            if job.pids.is_empty() {
                job.ended.get_or_insert(Status::Exited(0));
            } else {
                job.ended = None;
            }
        }
        // As process 1 of a container this shell inherits orphans, which somebody must wait for.
        if self.proc.pid() == 1 && self.jobs.iter().all(|job| job.pids.is_empty()) {
            while let Ok(Some(_)) = self.proc.try_wait(None, false) {}
        }
    }

    /// A job's line, as `jobs` shows it.
    pub fn job_line(&self, job: &Job) -> String {
        let newest = self.jobs.iter().rev().find(|j| j.stopped.is_some()).or(self.jobs.last()).map(|j| j.id);
        let second = self.jobs.iter().rev().filter(|j| Some(j.id) != newest).map(|j| j.id).next();
        let mark = match job.id {
            id if Some(id) == newest => '+',
            id if Some(id) == second => '-',
            _ => ' ',
        };
        let state = job.state();
        let amp = if state == "Running" && self.dialect == Dialect::Bash { " &" } else { "" };
        match self.dialect {
            Dialect::Bash => format!("[{}]{mark}  {state:<24}{}{amp}\n", job.id, job.text),
            _ => format!("[{}] {mark} {state:<26} {}\n", job.id, job.text),
        }
    }

    /// Tells of the jobs that have ended, before a prompt.
    pub async fn notify_jobs(&mut self) {
        self.poll_jobs();
        let mut out = String::new();
        for job in self.jobs.iter().filter(|job| job.ended.is_some()) {
            out.push_str(&self.job_line(job));
        }
        self.jobs.retain(|job| job.ended.is_none());
        if !out.is_empty() {
            self.proc.eprint(out).await;
        }
    }

    /// The job that `%1`, `%+`, `%name` or nothing names.
    pub fn find_job(&self, spec: &[u8]) -> Option<usize> {
        let current = self.jobs.iter().rposition(|j| j.stopped.is_some()).or(self.jobs.len().checked_sub(1));
        match spec {
            b"" | b"%" | b"%%" | b"%+" => current,
            b"%-" => (0..self.jobs.len()).rev().find(|at| Some(*at) != current).or(current),
            spec => {
                let name = spec.strip_prefix(b"%").unwrap_or(spec);
                let number = std::str::from_utf8(name).ok().and_then(|n| n.parse::<u32>().ok());
                self.jobs.iter().position(|job| match number {
                    Some(number) => job.id == number,
                    None => job.text.starts_with(name),
                })
            }
        }
    }

    /// Continues a job in the foreground.
    pub async fn foreground(&mut self, at: usize) -> Run {
        let job = self.jobs.remove(at);
        self.proc.eprint([job.text.as_slice(), b"\n"].concat()).await;
        if let Some(tty) = self.proc.tty() {
            self.proc.set_foreground(tty, job.group);
        }
        let _ = self.proc.kill(-i64::from(job.group), Some(Signal::CONT));
        if job.pids.is_empty() {
            return Ok(job.ended.map_or(0, Status::code));
        }
        self.wait_foreground(&job.pids, job.group, &job.text).await
    }
}

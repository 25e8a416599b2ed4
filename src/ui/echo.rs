//! A stand-in for the machine until it lands: echoes, and makes images up.

use std::time::Duration;

use crate::base::digest::{ChainId, DiffId, Digest, ImageId};
use crate::base::time::Timestamp;
use crate::view::picture::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    Idle,
    Until(Timestamp),
    OutOfFuel,
}
#[derive(Default)]
pub struct Config {
    pub seed: u64,
    pub epoch: Timestamp,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TtyId(pub u32);
pub struct Event;

pub struct Machine {
    out: Vec<Vec<u8>>,
    line: Vec<Vec<u8>>,
    now: Timestamp,
    stock: Stock,
    queue: Vec<(Timestamp, usize, Step)>,
    spin: bool,
    events: u64,
}
enum Step {
    Out(String),
    Layer(LayerFact),
    Image(ImageFact),
    Run(ContainerFact),
    Prompt,
}

const PROMPT: &str = "\x1b[?2004h\x1b[1;32mestudiante@capas\x1b[0m:\x1b[1;34m~\x1b[0m$ ";

impl Machine {
    pub fn new(config: Config) -> Self {
        Self {
            out: vec![PROMPT.into()],
            line: vec![Vec::new()],
            now: config.epoch,
            stock: Stock::default(),
            queue: Vec::new(),
            spin: false,
            events: 0,
        }
    }
    pub fn console(&self) -> TtyId {
        TtyId(0)
    }
    pub fn open_console(&mut self) -> TtyId {
        self.out.push(PROMPT.into());
        self.line.push(Vec::new());
        TtyId(self.out.len() as u32 - 1)
    }
    pub fn input(&mut self, tty: TtyId, bytes: &[u8]) {
        let t = tty.0 as usize;
        for &b in bytes {
            match b {
                3 => {
                    self.spin = false;
                    self.queue.clear();
                    self.line[t].clear();
                    self.out[t].extend(b"^C\r\n");
                    self.out[t].extend(PROMPT.as_bytes());
                }
                21 => {
                    while self.line[t].pop().is_some() {
                        self.out[t].extend(b"\x08 \x08");
                    }
                }
                0x7f => {
                    if self.line[t].pop().is_some() {
                        self.out[t].extend(b"\x08 \x08");
                    }
                }
                b'\r' => {
                    self.out[t].extend(b"\x1b[?2004l\r\n");
                    let line = std::mem::take(&mut self.line[t]);
                    self.command(t, String::from_utf8_lossy(&line).into_owned());
                }
                0x20.. => {
                    self.line[t].push(b);
                    self.out[t].push(b);
                }
                _ => {}
            }
        }
    }
    fn at(&mut self, t: usize, ms: u64, step: Step) {
        self.queue.push((self.now + Duration::from_millis(ms), t, step));
    }
    fn command(&mut self, t: usize, line: String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut end = 0;
        if line.starts_with("while") {
            self.spin = true;
            return;
        }
        if line.starts_with("docker image pull") || line.starts_with("docker run") {
            let name = words.last().copied().filter(|w| *w != "bash").unwrap_or("ubuntu").to_owned();
            let name = if name.contains(':') { name } else { format!("{name}:latest") };
            let layers: &[(&str, u64)] = match name.as_str() {
                "ubuntu:latest" => &[("ADD file:5d68d27cc15a80653 in / ", 72_800_000)],
                "debian:stretch-slim" => &[("ADD file:deb7 in / ", 55_300_000)],
                "postgres:11" => &[
                    ("ADD file:deb7 in / ", 55_300_000),
                    ("set -ex; apt-get update; apt-get install -y gnupg", 9_200_000),
                    ("set -eux; groupadd -r postgres --gid=999", 340_000),
                    ("set -x; apt-get install -y gosu", 4_100_000),
                    ("localedef -i en_US -f UTF-8", 25_000_000),
                    ("apt-get install -y libnss-wrapper xz-utils", 1_700_000),
                    ("mkdir /docker-entrypoint-initdb.d", 0),
                    ("set -ex; apt-key adv PGDG", 116_000),
                    ("set -ex; apt-get install -y postgresql-11", 185_000_000),
                    ("dpkg-divert postgresql.conf.sample", 28_300),
                    ("mkdir -p /var/run/postgresql", 0),
                    ("COPY docker-entrypoint.sh /usr/local/bin/ # buildkit", 13_200),
                    ("ln -s usr/local/bin/docker-entrypoint.sh /", 34),
                ],
                n if n.contains("slides") => &[
                    ("ADD file:bookworm in / ", 74_800_000),
                    ("RUN /bin/sh -c set -x && groupadd nginx && apt-get install nginx # buildkit", 112_000_000),
                    ("COPY docker-entrypoint.sh / # buildkit", 1620),
                    ("COPY . /usr/share/nginx/html/ # buildkit", 4_800_000),
                ],
                _ => &[("RUN /bin/sh -c something different # buildkit", 1_000_000)],
            };
            self.at(
                t,
                10,
                Step::Out(format!(
                    "{}: Pulling from library/{}\r\n",
                    name.split(':').nth(1).unwrap_or(""),
                    name.split(':').next().unwrap_or("")
                )),
            );
            let mut parent = None;
            let mut top = None;
            for (i, (by, size)) in layers.iter().enumerate() {
                let diff_id = DiffId(Digest::of(by.as_bytes()));
                let chain_id = parent.map_or(ChainId(diff_id.0), |p: ChainId| p.then(diff_id));
                if self.stock.layers.iter().any(|l| l.chain_id == chain_id) {
                    self.at(t, 100, Step::Out(format!("{}: Already exists\r\n", diff_id.short())));
                } else {
                    end += 250;
                    for p in 0..5 {
                        self.at(
                            t,
                            end + p * 40,
                            Step::Out(format!(
                                "\x1b[2K\r{}: Downloading [{:<20}]",
                                diff_id.short(),
                                "=".repeat(p as usize * 5)
                            )),
                        );
                    }
                    self.at(t, end + 220, Step::Out(format!("\x1b[2K\r{}: Pull complete\r\n", diff_id.short())));
                    let _ = i;
                    self.at(t, end + 220, Step::Layer(LayerFact { chain_id, diff_id, parent, size_bytes: *size }));
                }
                parent = Some(chain_id);
                top = parent;
            }
            end += 300;
            let image = ImageId(Digest::of(name.as_bytes()));
            if !self.stock.images.iter().any(|i| i.id == image) {
                self.at(
                    t,
                    end,
                    Step::Image(ImageFact {
                        id: image,
                        names: vec![name.clone()],
                        top,
                        created_by: layers.iter().map(|l| l.0.to_owned()).collect(),
                        size_bytes: layers.iter().map(|l| l.1).sum(),
                    }),
                );
            }
            if words[1] == "run" {
                let ports = words
                    .iter()
                    .filter_map(|w| w.split_once(':'))
                    .filter_map(|(a, b)| {
                        Some(PortFact { host: a.parse().ok()?, container: b.parse().ok()?, protocol: "tcp".into() })
                    })
                    .collect();
                let n = words
                    .iter()
                    .position(|w| *w == "--name")
                    .and_then(|i| words.get(i + 1))
                    .copied()
                    .unwrap_or("quirky_hopper")
                    .to_owned();
                self.at(
                    t,
                    end + 50,
                    Step::Run(ContainerFact {
                        id: Digest::of(n.as_bytes()).hex(),
                        name: n,
                        image,
                        state: ContainerState::Running,
                        ports,
                        changed_paths: 0,
                        size_bytes: 0,
                        attached: words.contains(&"-ti"),
                        volumes: vec![],
                        networks: vec![],
                    }),
                );
            }
        } else if line == "colours" {
            for n in 0..16 {
                self.out[t].extend(
                    format!(
                        "\x1b[3{};{}m colour {n:2} \x1b[0m\x1b[48;5;{n}m bg \x1b[0m{}",
                        n % 8,
                        if n > 7 { 1 } else { 0 },
                        if n % 4 == 3 { "\r\n" } else { " " }
                    )
                    .bytes(),
                );
            }
        } else if line == "touch" {
            if let Some(c) = self.stock.containers.get_mut(1) {
                c.changed_paths += 1;
                c.size_bytes += 20;
            }
            if let Some(c) = self.stock.containers.get_mut(0) {
                c.state = ContainerState::Exited(137);
            }
            self.events += 1;
        } else if !line.is_empty() {
            self.at(t, 0, Step::Out(format!("{line}: no está simulado todavía\r\n")));
        }
        self.at(t, end + 60, Step::Prompt);
    }
    pub fn resize(&mut self, _: TtyId, _: u16, _: u16) {}
    pub fn run(&mut self, _fuel: u64) -> Stop {
        if self.spin {
            return Stop::OutOfFuel;
        }
        self.queue.sort_by_key(|q| q.0);
        while self.queue.first().is_some_and(|q| q.0 <= self.now) {
            let (_, t, step) = self.queue.remove(0);
            match step {
                Step::Out(s) => self.out[t].extend(s.bytes()),
                Step::Layer(l) => {
                    self.stock.layers.push(l);
                    self.events += 1;
                }
                Step::Image(i) => {
                    self.stock.images.push(i);
                    self.events += 1;
                }
                Step::Run(c) => {
                    self.stock.containers.push(c);
                    self.events += 1;
                }
                Step::Prompt => self.out[t].extend(PROMPT.bytes()),
            }
        }
        self.queue.first().map_or(Stop::Idle, |q| Stop::Until(q.0))
    }
    pub fn advance_to(&mut self, t: Timestamp) {
        self.now = self.now.max(t);
    }
    pub fn now(&self) -> Timestamp {
        self.now
    }
    pub fn take_output(&mut self, tty: TtyId) -> Vec<u8> {
        std::mem::take(&mut self.out[tty.0 as usize])
    }
    pub fn events_since(&self, cursor: u64) -> (Vec<Event>, u64) {
        ((cursor..self.events).map(|_| Event).collect(), self.events)
    }
    pub fn docker(&self) -> Stock {
        self.stock.clone()
    }
}

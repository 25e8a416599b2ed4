//! What commands cost with 10 and with 1,000 containers, and what it costs to replay 1,000 of them.
//!
//! `cargo bench --bench commands`; in WebAssembly as `overlay`, beside it. The time is the engine's own: nobody waits.
#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "it measures time and tells it")]

use std::time::{Duration, Instant};

use capas::machine::{Config, Machine};

/// A program in front that is silent for this long waits for input.
const QUIET: Duration = Duration::from_secs(15);
const LIMIT: Duration = Duration::from_secs(3600);

/// Types a line and lets time jump until the prompt is back; milliseconds.
fn enter(machine: &mut Machine, line: &str) -> f64 {
    let tty = machine.console();
    let start = Instant::now();
    machine.input(tty, line.as_bytes());
    machine.input(tty, b"\r");
    drop(machine.settle(tty, QUIET, LIMIT));
    start.elapsed().as_secs_f64() * 1000.0
}

/// The best of some runs.
fn best(machine: &mut Machine, line: &str) -> f64 {
    (0..7).map(|_| enter(machine, line)).fold(f64::INFINITY, f64::min)
}

fn main() {
    println!("{:>24} {:>10} {:>10}", "ms", "10", "1000");
    let mut columns = Vec::new();
    for count in [10, 1000] {
        let mut machine = Machine::new(Config::default());
        enter(&mut machine, "docker pull -q alpine");
        enter(
            &mut machine,
            &format!("for i in $(seq {count}); do docker create --name c$i alpine sleep 1; done >/dev/null"),
        );
        let lines = [
            "docker run --rm alpine true",
            "docker run -d alpine true",
            "docker ps",
            "docker ps -a",
            "docker images",
            "docker inspect c1",
        ];
        columns.push(lines.map(|line| (line, best(&mut machine, line))));
    }
    if let [few, many] = columns.as_slice() {
        for ((line, few), (_, many)) in few.iter().zip(many) {
            println!("{line:>24} {few:>10.2} {many:>10.2}");
        }
    }
    let mut machine = Machine::new(Config::default());
    enter(&mut machine, "docker pull -q alpine");
    for round in 0..125 {
        for line in [
            "docker ps -a",
            "docker images",
            "echo hola > fichero; cat fichero",
            "docker tag alpine copia",
            "ls -l /",
            "docker inspect alpine | head -3",
        ] {
            enter(&mut machine, line);
        }
        enter(&mut machine, &format!("docker run -d --name r{round} alpine sleep 1"));
        enter(&mut machine, &format!("docker rm -f r{round}"));
    }
    let journal = machine.journal().clone();
    let replay = || {
        let start = Instant::now();
        drop(Machine::replay(&journal));
        start.elapsed().as_secs_f64() * 1000.0
    };
    let fastest = (0..5).map(|_| replay()).fold(f64::INFINITY, f64::min);
    println!("replay of 1001 commands: {fastest:.0} ms");
}

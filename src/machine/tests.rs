//! The machine's claims: same seed and journal, same bytes.

use super::*;

fn session(machine: &mut Machine, commands: &[&str]) -> Vec<u8> {
    let tty = machine.console();
    let mut out = machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60));
    for command in commands {
        machine.input(tty, command.as_bytes());
        machine.input(tty, b"\r");
        out.extend(machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60)));
    }
    out
}

const COMMANDS: [&str; 4] =
    ["echo hola > f; cat f", "sleep 2; date", "for i in 1 2 3; do echo $i$RANDOM; done", "ls -l /"];

#[test]
fn same_seed_and_inputs_give_the_same_bytes() {
    let run = || session(&mut Machine::new(Config::default()), &COMMANDS);
    let out = run();
    assert!(String::from_utf8_lossy(&out).contains("hola"));
    assert_eq!(out, run());
}

#[test]
fn replaying_the_journal_leads_to_the_same_world() {
    let mut machine = Machine::new(Config::default());
    session(&mut machine, &COMMANDS);
    let mut again = Machine::replay(machine.journal());
    assert_eq!(again.now(), machine.now());
    assert_eq!(session(&mut again, &["cat f; date; ps ax"]), session(&mut machine, &["cat f; date; ps ax"]));
    assert_eq!(again.journal(), machine.journal());
}

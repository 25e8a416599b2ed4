//! Any bytes as what `docker load` and `docker import` are given: whatever is wrong with them, the daemon says so and
//! keeps nothing of them.
//!
//! A machine takes many inputs, since making one takes longer than an archive does.
#![no_main]

use std::cell::RefCell;
use std::time::Duration;

use capas::machine::host::HOME;
use capas::machine::{Config, Machine};
use libfuzzer_sys::fuzz_target;

/// Inputs that a machine takes.
const MACHINE_INPUTS: u32 = 200;
const STATE: &str = "docker images -a --no-trunc; sudo ls /var/lib/docker/overlay2; sudo find /var/lib/docker/image";

thread_local! {
    static MACHINE: RefCell<Option<(Machine, u32)>> = const { RefCell::new(None) };
}

fn types(machine: &mut Machine, line: &str) -> String {
    let tty = machine.console();
    let (quiet, limit) = (Duration::from_secs(12), Duration::from_secs(3600));
    machine.settle(tty, quiet, limit);
    machine.input(tty, format!("{{ {line}; }} > out 2>&1\r").as_bytes());
    machine.settle(tty, quiet, limit);
    machine.take_output(tty);
    String::from_utf8_lossy(&machine.file(&format!("{HOME}/out")).expect("it was just written").to_vec()).into_owned()
}

fuzz_target!(|bytes: &[u8]| {
    MACHINE.with_borrow_mut(|kept| {
        let (mut machine, used) = match kept.take() {
            Some((machine, used)) if used < MACHINE_INPUTS => (machine, used),
            _ => (Machine::new(Config { cols: 200, rows: 40, ..Config::default() }), 0),
        };
        machine.put_file(&format!("{HOME}/in"), bytes).expect("the home folder takes it");
        let before = types(&mut machine, STATE);
        for command in ["docker load -i in", "docker import in got:v1"] {
            let told = types(&mut machine, &format!("{command}; echo $?"));
            match told.lines().last() {
                Some("1") => {
                    assert!(told.contains("Error response from daemon: "), "{told}");
                    assert_eq!(types(&mut machine, STATE), before, "after {told}");
                }
                // Archives of the old form are loaded without a word.
                Some("0") => {
                    types(&mut machine, "docker run --rm got:v1 x; docker save -o again $(docker images -q) && docker load -i again");
                    types(&mut machine, "docker rmi -f $(docker images -aq)");
                    let cleared = types(&mut machine, STATE);
                    assert!(!cleared.contains("sha256:"), "{cleared}");
                }
                _ => panic!("{told}"),
            }
        }
        *kept = Some((machine, used + 1));
    });
});

//! An interactive session: this terminal is the machine's.

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crossterm::terminal;

use crate::machine::{Config, Machine, Stop};
use crate::os::kernel::desktop::Wish;
use crate::view::settings::Speed;

use super::clock::Clock;

/// Ctrl-] leaves, as in telnet: every other key belongs to the machine.
const LEAVE: u8 = 0x1d;
/// Work between two looks at the keyboard.
const FUEL: u64 = 50_000;
/// Longest wait between two looks at the terminal's size.
const GLANCE: Duration = Duration::from_millis(200);

/// Raw mode for as long as it lives.
struct Raw;

impl Raw {
    fn on() -> Option<Self> {
        terminal::enable_raw_mode().ok().map(|()| Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // There is nothing left to do when this fails.
        drop(terminal::disable_raw_mode());
    }
}

pub(super) fn run(config: Config, speed: Speed) -> ExitCode {
    let is_terminal = std::io::stdin().is_terminal();
    let (cols, rows) = terminal::size().unwrap_or((80, 24));
    let mut machine = Machine::new(Config { cols, rows, ..config });
    let tty = machine.console();
    let raw = if is_terminal { Raw::on() } else { None };
    if raw.is_some() {
        print!("capas {} · Ctrl-] para salir\r\n", env!("CARGO_PKG_VERSION"));
    }
    let keys = keyboard();
    let clock = Clock::new(machine.now(), speed);
    let mut size = (cols, rows);
    loop {
        let stop = machine.run(FUEL);
        let mut out = std::io::stdout();
        if out.write_all(&machine.take_output(tty)).and_then(|()| out.flush()).is_err() {
            return ExitCode::from(1);
        }
        for wish in machine.take_wishes() {
            if let (Some(text), true) = (answer(&wish), raw.is_some()) {
                print!("{text}\r\n");
            }
        }
        let wait = match stop {
            Stop::OutOfFuel => Duration::ZERO,
            Stop::Until(time) => clock.until(time).min(GLANCE),
            Stop::Idle => GLANCE,
        };
        match keys.recv_timeout(wait) {
            Ok(bytes) if raw.is_some() && bytes.contains(&LEAVE) => return ExitCode::SUCCESS,
            Ok(bytes) => machine.input(tty, &bytes),
            Err(RecvTimeoutError::Disconnected) if stop == Stop::OutOfFuel || machine.is_busy(tty) => {}
            Err(RecvTimeoutError::Disconnected) => return ExitCode::SUCCESS,
            Err(RecvTimeoutError::Timeout) => {}
        }
        machine.advance_to(clock.now());
        if let Ok(now) = terminal::size()
            && raw.is_some()
            && now != size
        {
            size = now;
            machine.resize(tty, now.0, now.1);
        }
    }
}

/// What to say to a wish that only the page can fulfil.
fn answer(wish: &Wish) -> Option<String> {
    match wish {
        Wish::Edit(path) => Some(format!("capas: `edit` abre el editor de la página; aquí: nano {path} (o vi {path})")),
        Wish::Browse(url) => Some(format!("capas: aquí no hay navegador; prueba: curl {url}")),
        Wish::Editing(_) => None,
    }
}

/// Keys as they come; the channel closes at the end of the input.
#[expect(clippy::disallowed_methods, reason = "a read of the keyboard can't be given up, so it has a thread")]
fn keyboard() -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = std::io::stdin().read(&mut buffer)
            && count > 0
            && let Some(bytes) = buffer.get(..count)
            && send.send(bytes.to_vec()).is_ok()
        {}
    });
    receive
}

//! `stty`: `size`, `raw`, `cooked`, `sane`, `echo`, `-echo`.

use super::program::text;
use crate::os::kernel::Proc;
use crate::os::kernel::tty::Termios;

/// `stty`.
pub async fn main(proc: Proc) -> i32 {
    let Some(id) = proc.tty_of(0) else {
        proc.eprint("stty: 'standard input': Inappropriate ioctl for device\n").await;
        return 1;
    };
    let size = proc.win_size(id);
    let words: Vec<String> = proc.args().iter().skip(1).map(|w| text(w)).collect();
    let mut out = String::new();
    if words.is_empty() || words.iter().any(|w| w == "-a" || w == "--all") {
        let echo = if proc.termios(id).echo { "echo" } else { "-echo" };
        let lines = format!("speed 38400 baud; rows {}; columns {}; line = 0;\n", size.rows, size.cols);
        out = if words.is_empty() { "speed 38400 baud; line = 0;\n".to_owned() } else { format!("{lines}{echo}\n") };
    }
    for word in words.iter().filter(|w| *w != "-a" && *w != "--all") {
        let now = proc.termios(id);
        match word.as_str() {
            "size" => out.push_str(&format!("{} {}\n", size.rows, size.cols)),
            "raw" | "-cooked" => proc.set_termios(id, Termios { echo: now.echo, ..Termios::RAW }),
            "sane" => proc.set_termios(id, Termios::COOKED),
            "cooked" | "-raw" => proc.set_termios(id, Termios { echo: now.echo, ..Termios::COOKED }),
            "echo" => proc.set_termios(id, Termios { echo: true, ..now }),
            "-echo" => proc.set_termios(id, Termios { echo: false, ..now }),
            "icanon" => proc.set_termios(id, Termios { canonical: true, ..now }),
            "-icanon" => proc.set_termios(id, Termios { canonical: false, ..now }),
            "isig" => proc.set_termios(id, Termios { signals: true, ..now }),
            "-isig" => proc.set_termios(id, Termios { signals: false, ..now }),
            other => {
                proc.eprint(format!("stty: invalid argument '{other}'\nTry 'stty --help' for more information.\n"))
                    .await;
                return 1;
            }
        }
    }
    i32::from(proc.print(out).await.is_err())
}

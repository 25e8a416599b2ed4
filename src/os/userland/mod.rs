//! The programs: one file each, and a table.
//!
//! The table gives only the code. Whether a program exists is for the file system to say: a file names the program that it
//! is. What a program prints follows from the files and processes it sees; what it can't do it refuses.

mod cat;
mod copy;
mod cp;
mod date;
mod echo;
mod env;
mod grep;
mod head;
mod hostname;
mod id;
mod ls;
mod mkdir;
mod mode;
mod mv;
mod names;
pub mod packages;
mod pattern;
mod program;
mod pwd;
mod rm;
mod rmdir;
mod sleep;
mod sort;
mod tail;
mod touch;
mod truth;
mod walk;
mod wc;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::os::kernel::{Proc, Programs};

type Main = fn(Proc) -> crate::os::kernel::Task;

/// A row of the table: a name and its code.
macro_rules! programs {
    ($($name:literal => $main:path),* $(,)?) => {
        &[$(($name, |proc| Box::pin($main(proc)))),*]
    };
}

const TABLE: &[(&str, Main)] = programs! {
    "cat" => cat::main,
    "cp" => cp::main,
    "date" => date::main,
    "echo" => echo::main,
    "egrep" => grep::egrep,
    "env" => env::main,
    "false" => truth::fail,
    "fgrep" => grep::fgrep,
    "grep" => grep::main,
    "groups" => id::groups,
    "head" => head::main,
    "hostname" => hostname::main,
    "id" => id::main,
    "ls" => ls::main,
    "mkdir" => mkdir::main,
    "mv" => mv::main,
    "printenv" => env::printenv,
    "pwd" => pwd::main,
    "rm" => rm::main,
    "rmdir" => rmdir::main,
    "sleep" => sleep::main,
    "sort" => sort::main,
    "tail" => tail::main,
    "touch" => touch::main,
    "true" => truth::succeed,
    "wc" => wc::main,
    "whoami" => id::whoami,
};

/// Enters all programs of this module into the kernel's table.
pub fn register(programs: &mut Programs) {
    for (name, main) in TABLE {
        programs.add(name, *main);
    }
}

/// The names of all programs of this module, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0)
}

//! The programs: one file each, and a table.
//!
//! The table gives only the code. Whether a program exists is for the file system to say: a file names the program that it
//! is. What a program prints follows from the files and processes it sees; what it can't do it refuses.

pub mod admin;
mod attr;
mod awk;
mod basename;
mod busybox;
mod cap;
mod cat;
mod chmod;
mod chown;
mod copy;
mod cp;
pub mod curl;
mod cut;
pub mod date;
mod dd;
mod diff;
mod du;
mod echo;
mod edit;
mod env;
mod file;
mod find;
mod grep;
mod gzip;
mod head;
mod hostname;
pub mod http;
mod httpd;
mod id;
mod less;
mod ln;
mod ls;
mod message;
mod mkdir;
mod mknod;
mod mktemp;
mod mode;
mod mv;
mod names;
mod nano;
mod nginx;
pub mod packages;
mod pattern;
mod pgrep;
mod ping;
mod printf;
mod program;
mod ps;
mod pwd;
mod readlink;
mod redis;
mod rm;
mod rmdir;
mod runtime;
mod sed;
mod seq;
mod sha256sum;
mod sleep;
mod sort;
mod spawn;
mod stat;
mod stress;
mod stty;
mod sudo;
mod tac;
mod tail;
mod tar;
mod tee;
mod test;
mod timeout;
mod tini;
mod touch;
mod tr;
mod tree;
mod truth;
mod uname;
mod uniq;
mod vim;
mod walk;
mod wc;
mod which;
mod xargs;

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
    "[" => test::main,
    "awk" => awk::main,
    "base64" => tac::base64,
    "basename" => basename::main,
    "bunzip2" => gzip::bunzip2,
    "busybox" => busybox::main,
    "bzcat" => gzip::bzcat,
    "bzip2" => gzip::bzip2,
    "cat" => cat::main,
    "chgrp" => chown::chgrp,
    "chmod" => chmod::main,
    "chown" => chown::main,
    "clear" => uname::clear,
    "cmp" => diff::cmp,
    "cp" => cp::main,
    "curl" => curl::main,
    "cut" => cut::main,
    "date" => date::main,
    "dd" => dd::main,
    "df" => du::df,
    "diff" => diff::main,
    "dirname" => basename::dirname,
    "du" => du::main,
    "echo" => echo::main,
    "edit" => edit::main,
    "egrep" => grep::egrep,
    "env" => env::main,
    "false" => truth::fail,
    "fgrep" => grep::fgrep,
    "file" => file::main,
    "find" => find::main,
    "free" => uname::free,
    "getcap" => cap::getcap,
    "getfattr" => attr::getfattr,
    "grep" => grep::main,
    "groups" => id::groups,
    "gunzip" => gzip::gunzip,
    "gzip" => gzip::main,
    "head" => head::main,
    "hostname" => hostname::main,
    "id" => id::main,
    "httpd" => httpd::main,
    "kill" => ps::kill,
    "killall" => pgrep::killall,
    "killall5" => pgrep::killall5,
    "less" => less::main,
    "ln" => ln::main,
    "ls" => ls::main,
    "message" => message::main,
    "mkdir" => mkdir::main,
    "mkfifo" => mknod::mkfifo,
    "mknod" => mknod::mknod,
    "mktemp" => mktemp::main,
    "more" => less::main,
    "mount" => ps::mount,
    "mv" => mv::main,
    "nano" => nano::main,
    "nginx" => nginx::main,
    "nl" => tac::nl,
    "nproc" => uname::nproc,
    "pgrep" => pgrep::main,
    "pidof" => pgrep::pidof,
    "ping" => ping::main,
    "pkill" => pgrep::pkill,
    "printenv" => env::printenv,
    "printf" => printf::main,
    "ps" => ps::main,
    "pwd" => pwd::main,
    "readlink" => readlink::main,
    "realpath" => readlink::realpath,
    "redis-cli" => redis::cli,
    "redis-server" => redis::server,
    "rev" => tac::rev,
    "rm" => rm::main,
    "rmdir" => rmdir::main,
    "runtime" => runtime::main,
    "sed" => sed::main,
    "seq" => seq::main,
    "setcap" => cap::setcap,
    "setfattr" => attr::setfattr,
    "sha256sum" => sha256sum::main,
    "sleep" => sleep::main,
    "sort" => sort::main,
    "stat" => stat::main,
    "stress" => stress::main,
    "sudo" => sudo::main,
    "stty" => stty::main,
    "tac" => tac::main,
    "tail" => tail::main,
    "tar" => tar::main,
    "tee" => tee::main,
    "test" => test::main,
    "timeout" => timeout::main,
    "tini" => tini::main,
    "top" => ps::top,
    "touch" => touch::main,
    "tr" => tr::main,
    "tree" => tree::main,
    "true" => truth::succeed,
    "truncate" => mktemp::truncate,
    "tty" => uname::tty,
    "uname" => uname::main,
    "uniq" => uniq::main,
    "unxz" => gzip::unxz,
    "uptime" => uname::uptime,
    "vi" => vim::main,
    "vim" => vim::main,
    "watch" => timeout::watch,
    "wc" => wc::main,
    "wget" => curl::wget,
    "which" => which::main,
    "which.debianutils" => which::main,
    "whoami" => id::whoami,
    "xargs" => xargs::main,
    "xdg-open" => edit::xdg_open,
    "xz" => gzip::xz,
    "xzcat" => gzip::xzcat,
    "yes" => seq::yes,
    "zcat" => gzip::zcat,
};

/// Enters all programs of this module into the kernel's table.
pub fn register(programs: &mut Programs) {
    for (name, main) in TABLE {
        programs.add(name, *main);
    }
    admin::register(programs);
}

/// The names of all programs.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0).chain(admin::names())
}

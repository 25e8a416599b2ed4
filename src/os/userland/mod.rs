//! The programs: one file each, and a table.
//!
//! The table gives only the code. Whether a program exists is for the file system to say: a file names the program that it
//! is. What a program prints follows from the files and processes it sees; what it can't do it refuses.

pub mod admin;
mod attr;
mod awk;
mod basename;
mod busybox;
mod cal;
mod calc;
mod cap;
mod cat;
mod chmod;
mod chown;
mod columns;
mod copy;
mod cp;
pub mod curl;
mod cut;
pub mod date;
mod dd;
mod diff;
mod dns;
mod du;
mod dump;
mod echo;
mod edit;
mod env;
mod express;
mod file;
mod find;
mod grep;
mod gzip;
mod head;
mod hostname;
pub mod http;
mod httpd;
mod id;
mod ifconfig;
mod install;
mod ip;
mod jq;
mod launch;
mod less;
mod ln;
mod ls;
mod message;
mod mkdir;
mod mknod;
mod mktemp;
mod mode;
mod mv;
mod mysql;
mod names;
mod nano;
mod nc;
mod netstat;
mod nginx;
pub mod packages;
mod pattern;
mod pgrep;
mod ping;
mod postgres;
mod printf;
mod program;
mod ps;
mod pwd;
mod readlink;
mod redis;
mod rm;
mod rmdir;
mod ruby;
mod runtime;
mod sed;
mod seq;
mod serve_each;
mod sleep;
mod sort;
mod spawn;
mod stat;
mod stress;
mod stty;
mod sudo;
mod sums;
mod system;
mod tac;
mod tail;
mod tar;
mod tee;
mod test;
mod timeout;
mod tini;
mod top;
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
mod wordpress;
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
    "add-shell" => system::add_shell,
    "apache2" => httpd::apache2,
    "arp" => ifconfig::arp,
    "awk" => awk::main,
    "base64" => tac::base64,
    "basename" => basename::main,
    "bc" => calc::bc,
    "bundle" => ruby::bundle_main,
    "bunzip2" => gzip::bunzip2,
    "busybox" => busybox::main,
    "bzcat" => gzip::bzcat,
    "bzip2" => gzip::bzip2,
    "cal" => cal::main,
    "cat" => cat::main,
    "chgrp" => chown::chgrp,
    "chmod" => chmod::main,
    "chown" => chown::main,
    "chroot" => launch::chroot,
    "cksum" => sums::main,
    "clear" => uname::clear,
    "cmp" => diff::cmp,
    "column" => columns::column,
    "comm" => columns::comm,
    "cp" => cp::main,
    "curl" => curl::main,
    "cut" => cut::main,
    "date" => date::main,
    "dd" => dd::main,
    "df" => du::df,
    "diff" => diff::main,
    "dig" => dns::dig,
    "dirname" => basename::dirname,
    "dmesg" => system::dmesg,
    "du" => du::main,
    "echo" => echo::main,
    "edit" => edit::main,
    "egrep" => grep::egrep,
    "env" => env::main,
    "expand" => columns::expand,
    "expr" => calc::expr,
    "factor" => calc::factor,
    "false" => truth::fail,
    "fgrep" => grep::fgrep,
    "express" => express::main,
    "file" => file::main,
    "find" => find::main,
    "flock" => launch::flock,
    "fold" => columns::fold,
    "free" => uname::free,
    "gem" => ruby::gem_main,
    "getcap" => cap::getcap,
    "fuser" => system::fuser,
    "getconf" => system::getconf,
    "getfattr" => attr::getfattr,
    "grep" => grep::main,
    "groups" => id::groups,
    "gunzip" => gzip::gunzip,
    "gzip" => gzip::main,
    "hd" => dump::hd,
    "head" => head::main,
    "hexdump" => dump::hexdump,
    "host" => dns::host,
    "hostid" => system::hostid,
    "hostname" => hostname::main,
    "httpd" => httpd::main,
    "id" => id::main,
    "ifconfig" => ifconfig::main,
    "install" => install::main,
    "ip" => ip::main,
    "ipaddr" => ip::named,
    "iplink" => ip::named,
    "ipneigh" => ip::named,
    "iproute" => ip::named,
    "jq" => jq::main,
    "kill" => ps::kill,
    "killall" => pgrep::killall,
    "killall5" => pgrep::killall5,
    "last" => system::last,
    "less" => less::main,
    "ln" => ln::main,
    "logger" => system::logger,
    "ls" => ls::main,
    "lscpu" => system::lscpu,
    "lsof" => system::lsof,
    "md5sum" => sums::main,
    "message" => message::main,
    "mkdir" => mkdir::main,
    "mkfifo" => mknod::mkfifo,
    "mknod" => mknod::mknod,
    "mktemp" => mktemp::main,
    "more" => less::main,
    "mount" => ps::mount,
    "mountpoint" => system::mountpoint,
    "mv" => mv::main,
    "mysql" => mysql::client,
    "mysqladmin" => mysql::admin,
    "mysqld" => mysql::server,
    "nano" => nano::main,
    "nc" => nc::main,
    "netstat" => netstat::main,
    "nginx" => nginx::main,
    "nice" => launch::nice,
    "nl" => tac::nl,
    "nohup" => launch::nohup,
    "nproc" => uname::nproc,
    "nslookup" => dns::nslookup,
    "od" => dump::od,
    "paste" => columns::paste,
    "pgrep" => pgrep::main,
    "pidof" => pgrep::pidof,
    "ping" => ping::main,
    "pkill" => pgrep::pkill,
    "postgres" => postgres::main,
    "printenv" => env::printenv,
    "printf" => printf::main,
    "ps" => ps::main,
    "pstree" => system::pstree,
    "pwd" => pwd::main,
    "readlink" => readlink::main,
    "realpath" => readlink::realpath,
    "redis-cli" => redis::cli,
    "redis-server" => redis::server,
    "remove-shell" => system::remove_shell,
    "rev" => tac::rev,
    "rm" => rm::main,
    "rmdir" => rmdir::main,
    "route" => ifconfig::route,
    "ruby" => ruby::main,
    "runtime" => runtime::main,
    "sed" => sed::main,
    "seq" => seq::main,
    "setcap" => cap::setcap,
    "service" => launch::service,
    "setfattr" => attr::setfattr,
    "setsid" => launch::setsid,
    "sha1sum" => sums::main,
    "sha224sum" => sums::main,
    "sha256sum" => sums::main,
    "sha384sum" => sums::main,
    "sha512sum" => sums::main,
    "shuf" => columns::shuf,
    "sleep" => sleep::main,
    "sort" => sort::main,
    "split" => columns::split,
    "ss" => netstat::ss,
    "stat" => stat::main,
    "stress" => stress::main,
    "strings" => columns::strings,
    "stty" => stty::main,
    "su" => launch::su,
    "sudo" => sudo::main,
    "sync" => launch::sync,
    "tac" => tac::main,
    "tail" => tail::main,
    "tar" => tar::main,
    "tee" => tee::main,
    "telnet" => nc::telnet,
    "test" => test::main,
    "time" => launch::time,
    "timeout" => timeout::main,
    "tini" => tini::main,
    "top" => top::main,
    "touch" => touch::main,
    "tr" => tr::main,
    "traceroute" => nc::traceroute,
    "tree" => tree::main,
    "true" => truth::succeed,
    "truncate" => mktemp::truncate,
    "tty" => uname::tty,
    "umount" => ps::umount,
    "uname" => uname::main,
    "uniq" => uniq::main,
    "unxz" => gzip::unxz,
    "uptime" => uname::uptime,
    "usleep" => launch::usleep,
    "vi" => vim::main,
    "vim" => vim::main,
    "watch" => timeout::watch,
    "wc" => wc::main,
    "wget" => curl::wget,
    "which" => which::main,
    "which.debianutils" => which::main,
    "who" => system::who,
    "whoami" => id::whoami,
    "wordpress" => wordpress::main,
    "xargs" => xargs::main,
    "xdg-open" => edit::xdg_open,
    "xxd" => dump::xxd,
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

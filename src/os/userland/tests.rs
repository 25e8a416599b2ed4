//! What the programs claim, in a small world. Expected texts are those of GNU coreutils 9.1, grep 3.8 and busybox 1.37.

use super::fixture::{World, output};
use crate::base::rope::Rope;
use crate::os::kernel::Flavour;

fn fails(world: &World, line: &str, status: i32, err: &str) {
    let ran = world.run(line);
    assert_eq!((ran.status, ran.err.as_str()), (status, err), "{line}: {}", ran.out);
}

#[test]
fn files_are_made_copied_moved_and_removed() {
    let w = World::new();
    output(&w, "mkdir -p a/b");
    output(&w, "touch a/b/f");
    assert_eq!(output(&w, "cp -rv a c"), "'a' -> 'c'\n'a/b' -> 'c/b'\n'a/b/f' -> 'c/b/f'\n");
    output(&w, "mv c d");
    assert_eq!(output(&w, "ls -R d"), "d:\nb\n\nd/b:\nf\n");
    fails(&w, "rm a", 1, "rm: cannot remove 'a': Is a directory\n");
    fails(&w, "rmdir a", 1, "rmdir: failed to remove 'a': Directory not empty\n");
    assert_eq!(output(&w, "rm -rv a"), "removed 'a/b/f'\nremoved directory 'a/b'\nremoved directory 'a'\n");
    fails(&w, "cp a b", 1, "cp: cannot stat 'a': No such file or directory\n");
    fails(&w, "cp d b", 1, "cp: -r not specified; omitting directory 'd'\n");
    fails(&w, "cp -r d d/x", 1, "cp: cannot copy a directory, 'd', into itself, 'd/x'\n");
    fails(&w, "mkdir d", 1, "mkdir: cannot create directory 'd': File exists\n");
    let dangerous =
        "rm: it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe\n";
    fails(&w, "rm -rf /", 1, dangerous);
    fails(&w, "rm", 1, "rm: missing operand\nTry 'rm --help' for more information.\n");
    output(&w, "rm -f nope");
}

#[test]
fn busybox_has_its_own_words() {
    let w = World::of(Flavour::Busybox);
    fails(&w, "cat nope", 1, "cat: can't open 'nope': No such file or directory\n");
    fails(&w, "rm nope", 1, "rm: can't remove 'nope': No such file or directory\n");
    fails(&w, "ls nope", 1, "ls: nope: No such file or directory\n");
    fails(&w, "mkdir /tmp", 1, "mkdir: can't create directory '/tmp': File exists\n");
    fails(&w, "touch /nope/x", 1, "touch: /nope/x: No such file or directory\n");
}

#[test]
fn bulk_stays_bulk_through_cat_and_cp() {
    let w = World::new();
    w.file("/tmp/big", Rope::bulk(7, 80_000_000));
    output(&w, "cp big copy");
    assert_eq!(w.read("/tmp/copy").resident_bytes(), 0);
    assert_eq!(output(&w, "wc -c copy"), "80000000 copy\n");
    assert!(w.read("/tmp/copy") == Rope::bulk(7, 80_000_000));
}

#[test]
fn ls_lists_as_coreutils_does() {
    let w = World::new();
    w.file("/tmp/b", "hello");
    w.dir("/tmp/a");
    w.file("/tmp/.hidden", "");
    output(&w, "touch -d 2019-05-06 b");
    assert_eq!(output(&w, "ls"), "a\nb\n");
    assert_eq!(output(&w, "ls -a"), ".\n..\n.hidden\na\nb\n");
    assert_eq!(output(&w, "ls -F --color=always"), "\u{1b}[01;34ma\u{1b}[0m/\nb\n");
    let long = output(&w, "ls -l");
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], "total 8");
    assert_eq!(lines[1], "drwxr-xr-x 2 root root 4096 Mar  1 00:00 a");
    assert_eq!(lines[2], "-rw-r--r-- 1 root root    5 May  6  2019 b");
    fails(&w, "ls nope", 2, "ls: cannot access 'nope': No such file or directory\n");
    assert_eq!(output(&w, "ls -l /dev/null"), "crw-rw-rw- 1 root root 1, 3 Mar  1 00:00 /dev/null\n");
}

#[test]
fn text_programs_read_files_and_pipes() {
    let w = World::new();
    w.file("/tmp/t", "pear 3\napple 10\nfig 2\napple 10\n");
    assert_eq!(output(&w, "sort -u t"), "apple 10\nfig 2\npear 3\n");
    assert_eq!(output(&w, "sort -k2 -n -r t"), "apple 10\napple 10\npear 3\nfig 2\n");
    assert_eq!(output(&w, "head -n1 t"), "pear 3\n");
    assert_eq!(output(&w, "head -1 t"), "pear 3\n");
    assert_eq!(output(&w, "tail -n 2 t"), "fig 2\napple 10\n");
    assert_eq!(output(&w, "tail -n +3 t"), "fig 2\napple 10\n");
    assert_eq!(output(&w, "wc t"), " 4  8 31 t\n");
    assert_eq!(output(&w, "wc -l t"), "4 t\n");
    assert_eq!(w.words(&["wc"], "a b\n").out, "      1       2       4\n");
    assert_eq!(w.words(&["cat", "-n"], "a\n\nb").out, "     1\ta\n     2\t\n     3\tb");
    assert_eq!(w.words(&["cat", "-A"], "a\tb\n\x01\n").out, "a^Ib$\n^A$\n");
    fails(&w, "cat /tmp", 1, "cat: /tmp: Is a directory\n");
    fails(&w, "head -n x t", 1, "head: invalid number of lines: 'x'\n");
}

#[test]
fn grep_finds_lines() {
    let w = World::new();
    w.file("/tmp/t", "one\ntwo\nthree\nfour\n");
    assert_eq!(output(&w, "grep -n o t"), "1:one\n2:two\n4:four\n");
    assert_eq!(output(&w, "grep -c t t"), "2\n");
    assert_eq!(output(&w, "grep -v o t"), "three\n");
    assert_eq!(output(&w, "grep -A1 two t"), "two\nthree\n");
    assert_eq!(output(&w, "grep -E -o (r|u)[a-z]+ t"), "ree\nur\n");
    assert_eq!(output(&w, "grep -rl two ."), "./t\n");
    assert_eq!(output(&w, "grep -w tw\\|two t"), "two\n");
    assert_eq!(w.run("grep zzz t").status, 1);
    fails(&w, "grep x nope", 2, "grep: nope: No such file or directory\n");
    assert_eq!(w.words(&["grep", "-H", "a"], "a\n").out, "(standard input):a\n");
}

#[test]
fn identity_is_read_from_etc_passwd() {
    let w = World::new();
    assert_eq!(output(&w, "id"), "uid=0(root) gid=0(root) groups=0(root)\n");
    assert_eq!(output(&w, "id ana"), "uid=1000(ana) gid=1000(ana) groups=1000(ana),27(sudo)\n");
    assert_eq!(output(&w, "whoami"), "root\n");
    assert_eq!(output(&w, "hostname"), "box\n");
    assert_eq!(output(&w, "env -i A=1 printenv A"), "1\n");
    assert_eq!(w.run("env nope").status, 127);
    assert_eq!(output(&w, "date -d @0 +%F"), "1970-01-01\n");
}

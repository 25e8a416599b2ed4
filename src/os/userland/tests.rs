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

#[test]
fn find_walks_and_acts() {
    let w = World::new();
    w.dir("/tmp/d");
    w.file("/tmp/d/a.txt", "1");
    w.file("/tmp/d/b.log", "");
    assert_eq!(output(&w, "find d -name *.txt"), "d/a.txt\n");
    assert_eq!(output(&w, "find d -type f ! -name *.txt -o -empty"), "d/b.log\n");
    assert_eq!(output(&w, "find d -type f -exec echo got {} ;"), "got d/a.txt\ngot d/b.log\n");
    assert_eq!(output(&w, "find d -type f -exec echo {} +"), "d/a.txt d/b.log\n");
    assert_eq!(output(&w, "find d -maxdepth 0"), "d\n");
    output(&w, "find d -name *.log -delete");
    assert_eq!(output(&w, "find d"), "d\nd/a.txt\n");
    fails(&w, "find d -nope", 1, "find: unknown predicate `-nope'\n");
    assert_eq!(w.words(&["xargs", "-n1", "echo", "x"], "a b\n").out, "x a\nx b\n");
}

#[test]
fn sed_edits_streams() {
    let w = World::new();
    let sed = |script: &str| {
        let ran = w.words(&["sed", script], "one\ntwo\nthree\n");
        (ran.status, ran.out + &ran.err)
    };
    for (script, out) in [
        ("s/o/0/", "0ne\ntw0\nthree\n"),
        ("s/\\(t\\)\\(.\\)/\\2\\1/", "one\nwto\nhtree\n"),
        ("2d", "one\nthree\n"),
        ("/two/,$d", "one\n"),
        ("1!s/^/> /", "one\n> two\n> three\n"),
        ("$!d", "three\n"),
        ("2q", "one\ntwo\n"),
        ("1a hi", "one\nhi\ntwo\nthree\n"),
        ("N;s/\\n/+/", "one+two\nthree\n"),
        ("y/ot/OT/", "One\nTwO\nThree\n"),
        ("s/e/E/2", "one\ntwo\nthreE\n"),
        ("/t/{s/t/T/;s/w/W/}", "one\nTWo\nThree\n"),
    ] {
        assert_eq!(sed(script), (0, out.to_owned()), "{script}");
    }
    assert_eq!(sed("k").1, "sed: -e expression #1, char 1: unknown command: `k'\n");
    w.file("/tmp/f", "a\n");
    output(&w, "sed -i s/a/b/ f");
    assert_eq!(w.read("/tmp/f").to_vec(), b"b\n");
}

#[test]
fn archives_keep_bulk_symbolic() {
    let w = World::new();
    w.dir("/tmp/d");
    w.file("/tmp/d/big", Rope::bulk(3, 30_000_000));
    output(&w, "ln -s big d/link");
    assert_eq!(output(&w, "tar -cvf a.tar d"), "d/\nd/big\nd/link\n");
    assert!(w.read("/tmp/a.tar").resident_bytes() < 10_000);
    output(&w, "mkdir out");
    output(&w, "tar xf a.tar -C out");
    assert_eq!(w.read("/tmp/out/d/big").resident_bytes(), 0);
    assert_eq!(output(&w, "readlink out/d/link"), "big\n");
    w.file("/tmp/t", "hello\n");
    output(&w, "tar czf t.tgz t");
    assert_eq!(output(&w, "tar tf t.tgz"), "t\n");
    assert_eq!(output(&w, "tar xzOf t.tgz"), "hello\n");
    output(&w, "gzip t");
    assert_eq!(output(&w, "zcat t.gz"), "hello\n");
    let missing = "tar: nope.tar: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n";
    fails(&w, "tar xf nope.tar", 2, missing);
}

#[test]
fn modes_and_owners_are_changed() {
    let w = World::new();
    w.file("/tmp/f", "");
    output(&w, "chmod u=rwx,go= f");
    output(&w, "chown ana:sudo f");
    assert_eq!(w.run("stat -c %a:%U:%G f").out, "700:ana:27\n".replace("27", "sudo"));
    output(&w, "chmod -x f");
    assert_eq!(output(&w, "stat -c %A f"), "-rw-------\n");
    fails(&w, "chmod 9 f", 1, "chmod: invalid mode: '9'\nTry 'chmod --help' for more information.\n");
    fails(&w, "chown nobody f", 1, "chown: invalid user: 'nobody'\n");
}

#[test]
fn small_tools_agree_with_coreutils() {
    let w = World::new();
    assert_eq!(output(&w, "seq 3"), "1\n2\n3\n");
    assert_eq!(output(&w, "seq -s, 2 2 6"), "2,4,6\n");
    assert_eq!(output(&w, "basename /a/b.c .c"), "b\n");
    assert_eq!(output(&w, "dirname /a/b"), "/a\n");
    assert_eq!(w.words(&["cut", "-d:", "-f1,3"], "a:b:c\n").out, "a:c\n");
    assert_eq!(w.words(&["tr", "a-z", "A-Z"], "abc\n").out, "ABC\n");
    assert_eq!(w.words(&["tr", "-d", "b"], "abc\n").out, "ac\n");
    assert_eq!(w.words(&["uniq", "-c"], "a\na\nb\n").out, "      2 a\n      1 b\n");
    assert_eq!(w.words(&["printf", "%s-%03d\\n", "a", "7", "b", "8"], "").out, "a-007\nb-008\n");
    let sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(w.words(&["sha256sum"], "").out, format!("{sum}  -\n"));
    assert_eq!(w.run("test -d /tmp -a ! -e /nope").status, 0);
    assert_eq!(w.run("[ 1 -gt 2 ]").status, 1);
    assert_eq!(output(&w, "which ls"), "/bin/ls\n");
    assert_eq!(output(&w, "busybox echo hi"), "hi\n");
    w.file("/tmp/f", Rope::bulk(1, 10_000));
    assert_eq!(output(&w, "du -h f"), "12K\tf\n");
}

#[test]
fn nginx_answers_curl() {
    let w = World::new();
    for dir in ["/etc/nginx", "/srv", "/run", "/var/log/nginx"] {
        w.dir(dir);
    }
    w.file("/etc/nginx/nginx.conf", "http { server { listen 8003; root /srv; index index.html; } }\n");
    w.file("/srv/index.html", "<h1>hola</h1>\n");
    w.file("/etc/hosts", "127.0.0.1 localhost\n");
    let refused = "curl: (7) Failed to connect to localhost port 9003 after 0 ms: Couldn't connect to server\n";
    fails(&w, "curl -sS http://localhost:9003", 7, refused);
    fails(&w, "curl -sS http://nope/", 6, "curl: (6) Could not resolve host: nope\n");
    let tested = w.run("nginx -t");
    assert_eq!((tested.status, tested.err.lines().count()), (0, 2), "{}", tested.err);
    assert_eq!(w.run("nginx").status, 0);
    assert_eq!(output(&w, "curl -s localhost:8003"), "<h1>hola</h1>\n");
    let missing = output(&w, "curl -si localhost:8003/x");
    assert!(missing.starts_with("HTTP/1.1 404 Not Found\r\nServer: nginx/"), "{missing}");
    assert!(missing.contains("<center><h1>404 Not Found</h1></center>"), "{missing}");
    let head = output(&w, "curl -sI localhost:8003/");
    assert!(head.contains("Content-Type: text/html\r\nContent-Length: 14\r\n"), "{head}");
    let log = String::from_utf8(w.read("/var/log/nginx/access.log").to_vec()).unwrap();
    assert!(log.contains("\"GET /x HTTP/1.1\" 404"), "{log}");
    let ps = output(&w, "ps -ef");
    assert!(ps.contains("nginx"), "{ps}");
    assert_eq!(w.run("nginx -s quit").status, 0);
    assert_eq!(w.run("curl -s localhost:8003").status, 7);
}

#[test]
fn diff_tells_what_changed() {
    let w = World::new();
    w.file("/tmp/a", "1\n2\n3\n4\n");
    w.file("/tmp/b", "1\n3\n4\n5\n");
    assert_eq!(w.run("diff a b").out, "2d1\n< 2\n4a4\n> 5\n");
    let unified = w.run("diff -u a b").out;
    assert!(unified.ends_with("@@ -1,4 +1,4 @@\n 1\n-2\n 3\n 4\n+5\n"), "{unified}");
    assert_eq!(w.run("diff a a").status, 0);
    assert_eq!(w.run("cmp a b").out, "a b differ: byte 3, line 2\n");
}

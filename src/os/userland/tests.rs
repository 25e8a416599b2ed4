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

#[test]
fn sums_are_those_of_the_standards() {
    let w = World::new();
    w.file("/tmp/f", "abc");
    assert_eq!(output(&w, "md5sum f"), "900150983cd24fb0d6963f7d28e17f72  f\n");
    assert_eq!(output(&w, "sha1sum f"), "a9993e364706816aba3e25717850c26c9cd0d89d  f\n");
    assert_eq!(output(&w, "sha224sum f"), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7  f\n");
    assert!(output(&w, "sha512sum f").starts_with("ddaf35a193617abacc417349ae204131"));
    assert!(output(&w, "sha384sum f").starts_with("cb00753f45a35e8bb5a03d699ac65007"));
    assert_eq!(output(&w, "cksum f"), "1219131554 3 f\n");
    w.file("/tmp/list", "900150983cd24fb0d6963f7d28e17f72  f\n");
    assert_eq!(output(&w, "md5sum -c list"), "f: OK\n");
    w.words(&["tee", "f"], "abd");
    let ran = w.run("md5sum -c list");
    assert_eq!((ran.status, ran.out.as_str()), (1, "f: FAILED\n"));
    assert!(ran.err.contains("1 computed checksum did NOT match"), "{}", ran.err);
}

#[test]
fn dumps_are_laid_out_as_the_originals_lay_them_out() {
    let w = World::new();
    let text = "hello\nwor\0ld\u{7f}abcdefgh";
    let dump = |words: &[&str]| w.words(words, text).out;
    assert_eq!(
        dump(&["od", "-c"]),
        "0000000   h   e   l   l   o  \\n   w   o   r  \\0   l   d 177   a   b   c\n0000020   d   e   f   g   h\n0000025\n"
    );
    assert_eq!(
        w.words(&["od", "-An", "-tu1", "-td2"], "hello").out,
        " 104 101 108 108 111\n   25960   27756     111\n"
    );
    assert_eq!(
        w.words(&["od", "-t", "x1z"], "hello\nw").out,
        "0000000 68 65 6c 6c 6f 0a 77                             >hello.w<\n0000007\n"
    );
    assert_eq!(
        dump(&["hexdump", "-C"]),
        "00000000  68 65 6c 6c 6f 0a 77 6f  72 00 6c 64 7f 61 62 63  |hello.wor.ld.abc|\n00000010  64 65 66 67 68                                    |defgh|\n00000015\n"
    );
    assert_eq!(w.words(&["hexdump"], "hello").out, "0000000 6568 6c6c 006f                         \n0000005\n");
    assert_eq!(w.words(&["hexdump", "-C"], Rope::from(vec![0u8; 64])).out.lines().nth(1), Some("*"));
    assert_eq!(
        w.words(&["xxd"], "hello\nworld").out,
        "00000000: 6865 6c6c 6f0a 776f 726c 64              hello.world\n"
    );
    assert_eq!(w.words(&["xxd", "-r"], "00000000: 6865 6c6c 6f0a                           hello.\n").out, "hello\n");
    assert_eq!(w.words(&["xxd", "-r", "-p"], "6869").out, "hi");
    fails(&w, "od -t q /etc/passwd", 1, "od: invalid type string 'q'\n");
}

#[test]
fn words_are_reckoned_with() {
    let w = World::new();
    assert_eq!(output(&w, "expr 2 + 3 * 4"), "14\n");
    assert_eq!(output(&w, "expr ( 2 + 3 ) * 4"), "20\n");
    assert_eq!(output(&w, "expr abc : a\\(.*\\)"), "bc\n");
    assert_eq!(output(&w, "expr length abcd"), "4\n");
    assert_eq!(output(&w, "expr substr abcd 2 2"), "bc\n");
    assert_eq!(w.run("expr 1 - 1").status, 1);
    fails(&w, "expr 1 / 0", 2, "expr: division by zero\n");
    fails(&w, "expr a + 1", 2, "expr: non-integer argument\n");
    fails(&w, "expr 1 +", 2, "expr: syntax error: missing argument after '+'\n");
    fails(
        &w,
        "expr 9223372036854775807 * 9223372036854775807 * 9223372036854775807",
        2,
        "expr: the number is too large for Capas\n",
    );
    assert_eq!(
        output(&w, "factor 60 97 18446744073709551615"),
        "60: 2 2 3 5\n97: 97\n18446744073709551615: 3 5 17 257 641 65537 6700417\n"
    );
    let sums = "scale=3; 10/3; 2^10; x=5; x*2; 7%3; 1.5+2; (1+2)*3; -2^2; sqrt(2); 1/0; 3>2\nquit\n";
    let ran = w.words(&["bc"], sums);
    assert_eq!(ran.out, "3.333\n1024\n10\n.001\n3.5\n9\n4\n1.414\n1\n");
    assert!(ran.err.contains("Divide by zero"), "{}", ran.err);
    assert_eq!(output(&w, "cal 2 2024").lines().last(), Some("25 26 27 28 29"));
}

#[test]
fn nothing_nested_or_huge_breaks_a_program_that_reads_expressions() {
    let w = World::new();
    let deep = "(".repeat(50_000);
    for program in ["bc", "jq"] {
        let ran = if program == "bc" { w.words(&["bc"], deep.as_str()) } else { w.words(&["jq", "-n", &deep], "") };
        assert!(!ran.err.is_empty() && ran.status >= 0, "{program}: {ran:?}");
    }
    let brackets: Vec<&str> = std::iter::once("expr").chain(std::iter::repeat_n("(", 20_000)).collect();
    assert_eq!(w.words(&brackets, "").status, 2);
    for filter in [
        "[range(1e9)]",
        "[.,.]|[.,.]|..|..|..|..",
        "[][:1e99]",
        "[-1e300,1e300]|.[0]*.[1]",
        "\"\\u\"",
        "{(1):2}",
        "[limit(1e12;range(1e12))]",
    ] {
        let ran = w.words(&["jq", "-n", filter], "");
        assert!(ran.status >= 0, "{filter}: {ran:?}");
    }
    let commas = ".,".repeat(20_000) + ".";
    assert_eq!(w.words(&["jq", &commas], "1").status, 3);
    assert_eq!(w.words(&["nl", "-w", "999999999999"], "a\n").status, 0);
    assert!(w.words(&["fold", "-w", "0"], "abc").status == 1);
    assert!(w.words(&["split", "-b", "1", "-a", "1"], "a".repeat(100).as_str()).err.contains("exhausted"));
}

#[test]
fn jq_takes_json_apart_and_puts_it_together() {
    let w = World::new();
    let jq = |filter: &str, input: &str| w.words(&["jq", "-c", filter], input);
    for (filter, input, out) in [
        (".", "{\"b\":1,\"a\":[ ]}", "{\"b\":1,\"a\":[]}\n"),
        (".a.b?", "{\"a\":1}", ""),
        (".[1:]", "[1,2,3]", "[2,3]\n"),
        (".[-1]", "[1,2,3]", "3\n"),
        (".[].n", "[{\"n\":1},{\"n\":2}]", "1\n2\n"),
        ("map(select(.n > 1)) | length", "[{\"n\":1},{\"n\":2}]", "1\n"),
        ("keys", "{\"b\":1,\"a\":2}", "[\"a\",\"b\"]\n"),
        ("{x: .a, b}", "{\"a\":1,\"b\":2}", "{\"x\":1,\"b\":2}\n"),
        (".a // \"none\"", "{}", "\"none\"\n"),
        ("\"\\(.a) is it\"", "{\"a\":1}", "\"1 is it\"\n"),
        ("if . > 1 then \"big\" else \"small\" end", "2", "\"big\"\n"),
        ("[.[] | tostring] | join(\"-\")", "[1,2]", "\"1-2\"\n"),
        ("sort_by(.n) | map(.n)", "[{\"n\":2},{\"n\":1}]", "[1,2]\n"),
        ("group_by(.g) | map(length)", "[{\"g\":1},{\"g\":2},{\"g\":1}]", "[2,1]\n"),
        ("to_entries[] | .key", "{\"a\":1}", "\"a\"\n"),
        ("1 + 2 * 3 - 4 / 2", "null", "5\n"),
        ("has(\"a\"), not", "{\"a\":1}", "true\nfalse\n"),
        ("[.[]|{a:.}]", "[1,2]", "[{\"a\":1},{\"a\":2}]\n"),
    ] {
        let ran = jq(filter, input);
        assert_eq!(ran.out, out, "{filter}: {}", ran.err);
    }
    assert_eq!(w.words(&["jq", "-r", ".[] | @csv"], "[[1,\"a\\\"b\"]]").out, "1,\"a\"\"b\"\n");
    assert_eq!(w.words(&["jq", "--arg", "n", "web", "-r", "$n"], "1").out, "web\n");
    assert_eq!(w.words(&["jq", "."], "{\"a\":[1,{}]}").out, "{\n  \"a\": [\n    1,\n    {}\n  ]\n}\n");
    assert_eq!((jq(".a", "[1]").status, jq("nope", "1").status, jq(".", "{").status), (5, 3, 2));
}

#[test]
fn lines_are_put_together_and_taken_apart() {
    let w = World::new();
    w.file("/tmp/a", "1\n2\n3\n");
    w.file("/tmp/b", "2\n3\n4\n");
    assert_eq!(output(&w, "paste -d, a b"), "1,2\n2,3\n3,4\n");
    assert_eq!(output(&w, "paste -sd+ a"), "1+2+3\n");
    assert_eq!(output(&w, "comm a b"), "1\n\t\t2\n\t\t3\n\t4\n");
    assert_eq!(output(&w, "comm -12 a b"), "2\n3\n");
    assert_eq!(w.words(&["fold", "-sw", "6"], "ab cd ef\n").out, "ab cd \nef\n");
    output(&w, "split -l 2 a part_");
    assert_eq!(output(&w, "cat part_aa part_ab"), "1\n2\n3\n");
    assert_eq!(w.words(&["column", "-t"], "a bb c\nddd e f\n").out, "a    bb  c\nddd  e   f\n");
    assert_eq!(w.words(&["strings", "-n", "3"], "ab\u{1}abc\u{2}").out, "abc\n");
    let (first, second) = (output(&w, "shuf -i 1-9"), World::new().run("shuf -i 1-9").out);
    assert_eq!(first.lines().count(), 9);
    assert_eq!(first.len(), second.len());
    assert_eq!(w.words(&["expand", "-t", "4"], "a\tb\n").out, "a   b\n");
}

#[test]
fn programs_start_others() {
    let w = World::new();
    assert_eq!(output(&w, "nohup echo hi"), "hi\n");
    assert_eq!(output(&w, "nice -n 5 echo hi"), "hi\n");
    assert_eq!(output(&w, "setsid -w echo hi"), "hi\n");
    assert_eq!(output(&w, "flock /tmp/lock echo hi"), "hi\n");
    assert!(w.run("time sleep 2").err.contains("0:02.00elapsed"));
    fails(&w, "nohup nope", 127, "nohup: failed to run command 'nope': No such file or directory\n");
    output(&w, "install -D -m 640 /etc/passwd /tmp/x/y/p");
    assert!(output(&w, "ls -l /tmp/x/y/p").starts_with("-rw-r-----"));
    output(&w, "install -d /tmp/q/r");
    assert_eq!(output(&w, "mountpoint /"), "/ is a mountpoint\n");
    assert_eq!(w.run("mountpoint /tmp").status, 32);
    assert_eq!(output(&w, "getconf PAGESIZE"), "4096\n");
}

#[test]
fn times_are_told_in_the_zone_of_tz() {
    let w = World::new();
    let at = |tz: &str, time: &str| output(&w, &format!("env TZ={tz} date -d @{time} +%H:%M_%Z_%z"));
    // 1 March 2021, noon in Greenwich; 1 July.
    let (winter, summer) = ("1614600000", "1625140800");
    assert_eq!(at("CET-1CEST,M3.5.0,M10.5.0/3", winter), "13:00_CET_+0100\n");
    assert_eq!(at("CET-1CEST,M3.5.0,M10.5.0/3", summer), "14:00_CEST_+0200\n");
    assert_eq!(at("UTC+3", winter), "09:00_UTC_-0300\n");
    assert_eq!(at("<-05>5", winter), "07:00_-05_-0500\n");
    assert_eq!(at("EST5EDT", summer), "08:00_EDT_-0400\n");
    // The last hour of summer time.
    assert_eq!(at("CET-1CEST,M3.5.0,M10.5.0/3", "1635641999"), "02:59_CEST_+0200\n");
    assert_eq!(at("CET-1CEST,M3.5.0,M10.5.0/3", "1635642000"), "02:00_CET_+0100\n");
    // A zone whose file isn't there.
    assert_eq!(at("Europe/Madrid", winter), "12:00_Europe_+0000\n");
    w.dir("/usr");
    w.dir("/usr/share");
    w.dir("/usr/share/zoneinfo");
    w.dir("/usr/share/zoneinfo/Europe");
    w.file("/usr/share/zoneinfo/Europe/Madrid", "TZif");
    assert_eq!(at("Europe/Madrid", summer), "14:00_CEST_+0200\n");
    for nonsense in ["CET-1CEST,M13.9.9,M1", "A", "AAA999", "<", "CET-1CEST,", "CETx"] {
        assert!(at(nonsense, winter).starts_with("12:00_"), "{nonsense}");
    }
}

#[test]
fn the_network_is_told_of_by_every_program_alike() {
    use crate::os::kernel::net::Interface;
    use std::net::Ipv4Addr;
    let w = World::new();
    w.kernel.network(|network| {
        let index = network.number(true);
        let ns = network.get_mut(w.spec.net).unwrap();
        ns.interfaces.push(Interface {
            name: "eth0".into(),
            bridge: 1,
            address: Ipv4Addr::new(172, 18, 0, 2),
            prefix: 16,
            gateway: Some(Ipv4Addr::new(172, 18, 0, 1)),
            mac: "02:42:ac:12:00:02".into(),
            index,
            cable: true,
        });
        ns.names.insert("web".into(), vec![Ipv4Addr::new(172, 18, 0, 2)]);
        ns.pointers.insert(Ipv4Addr::new(172, 18, 0, 2), "web.app".into());
    });
    assert_eq!(
        output(&w, "ip -4 addr show eth0"),
        "2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default \n    inet 172.18.0.2/16 brd 172.18.255.255 scope global eth0\n       valid_lft forever preferred_lft forever\n"
    );
    assert_eq!(
        output(&w, "ip route"),
        "default via 172.18.0.1 dev eth0 \n172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2 \n"
    );
    assert_eq!(output(&w, "ip -br a").lines().last(), Some("eth0@if3         UP             172.18.0.2/16 "));
    assert!(output(&w, "ifconfig eth0").contains("inet 172.18.0.2  netmask 255.255.0.0  broadcast 172.18.255.255\n"));
    assert!(
        output(&w, "route -n")
            .contains("0.0.0.0         172.18.0.1      0.0.0.0         UG    0      0        0 eth0\n")
    );
    assert_eq!(output(&w, "hostname -I"), "172.18.0.2 \n");
    assert_eq!(output(&w, "dig +short web"), "172.18.0.2\n");
    assert!(output(&w, "nslookup web").ends_with("Name:\tweb\nAddress: 172.18.0.2\n\n"));
    assert_eq!(w.run("nslookup nope").status, 1);
    assert!(output(&w, "ping -c 2 web").contains("64 bytes from web.app (172.18.0.2): icmp_seq=1"));
    assert!(output(&w, "ping -c 2 web").contains("rtt min/avg/max/mdev = "));
    fails(&w, "ip link set eth0 down", 2, "ip: changing the network is not simulated in Capas\n");
    fails(&w, "ip addr show eth9", 1, "Device \"eth9\" does not exist.\n");
    fails(&w, "nc -zv web 81", 1, "nc: connect to web (172.18.0.2) port 81 (tcp) failed: Connection refused\n");
    let all = World::of(Flavour::Busybox);
    assert_eq!(all.run("nslookup web").status, 1);
    assert!(
        all.run("ip a")
            .out
            .starts_with("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN qlen 1000\n")
    );
    assert_eq!(all.run("ping -c 1 10.0.0.1").out, "PING 10.0.0.1 (10.0.0.1): 56 data bytes\n");
}

#[test]
fn top_draws_again_until_it_is_told_to_stop() {
    let w = World::of(Flavour::Busybox);
    let ran = w.run("top -b -d 2 -n 3");
    assert_eq!((ran.status, ran.out.matches("PID  PPID USER").count()), (0, 3));
    // Without a count it goes on for as long as it is let.
    assert_eq!(w.run("timeout 12 top -b").status, 143);
    let w = World::new();
    assert!(output(&w, "top -b -n 1").contains("    PID USER      PR  NI    VIRT"));
    fails(&w, "top", 1, "top: failed tty get\n");
}

//! The shells' claims, on a small world and against the real dash and bash.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;

use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::mounts::{Caller, Cred, Mount, Mounts};
use crate::os::fs::node::Content;
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::kernel::{Flavour, Kernel, ProcessSpec, Programs, TtyId, exec};

fn file(mounts: &Mounts, path: &str, mode: u32, content: impl Into<Rope>) {
    mounts.create(&Caller::root(), path.as_bytes(), mode, Content::File(content.into())).unwrap();
}

/// A world with shells, `cat` and `sleep`; a process is ready to be started on a terminal.
fn world(argv: &[&str]) -> (Kernel, ProcessSpec, TtyId) {
    let mut programs = Programs::new();
    super::register(&mut programs);
    programs.add("cat", |p| {
        Box::pin(async move {
            loop {
                let Ok(part) = p.read(0, 1 << 16).await else { return 1 };
                if part.is_empty() {
                    return 0;
                }
                if p.write_rope(1, &part).await.is_err() {
                    return 1;
                }
            }
        })
    });
    programs.add("sleep", |p| Box::pin(async move { i32::from(p.sleep(Duration::from_secs(1000)).await.is_err()) }));
    let kernel = Kernel::new(1, Timestamp::from_date(2021, 1, 1), programs);
    let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 1 << 20)));
    let mounts = Mounts::new(Mount::overlay("/", "/dev/vda1", "ext4", &overlay));
    for dir in ["/bin", "/dev", "/etc", "/root", "/tmp", "/w"] {
        mounts.create(&Caller::root(), dir.as_bytes(), 0o755, Content::Dir { opaque: false }).unwrap();
    }
    mounts.create(&Caller::root(), b"/dev/null", 0o666, Content::CharDevice(1, 3)).unwrap();
    for (name, flavour) in [
        ("bash", Flavour::Gnu),
        ("sh", Flavour::Gnu),
        ("cat", Flavour::Gnu),
        ("sleep", Flavour::Gnu),
        ("ash", Flavour::Busybox),
    ] {
        file(&mounts, &format!("/bin/{name}"), 0o755, exec::header(name, flavour));
    }
    file(&mounts, "/bin/foreign", 0o755, b"\x7fELF\x02\x01\x01\0realcode".to_vec());
    file(&mounts, "/etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/bash\n".to_vec());
    file(&mounts, "/root/.bashrc", 0o644, b"PS1='\\u@\\h:\\w\\$ '\nalias ll='echo LL'\n".to_vec());
    file(&mounts, "/w/noexec", 0o644, b"echo no\n".to_vec());
    file(&mounts, "/w/plain", 0o755, b"echo plain $0 $1\n".to_vec());
    file(&mounts, "/w/script", 0o755, b"#!/bin/sh\necho script $0 $1\n".to_vec());
    let id = kernel.new_tty(80, 24);
    let tty = kernel.open_tty(id);
    let net = kernel.network(|n| n.add());
    let spec = ProcessSpec {
        program: format!("/bin/{}", argv[0]).into(),
        args: argv.iter().map(|a| BString::from(*a)).collect(),
        env: vec!["PATH=/bin".into(), "HOME=/root".into()],
        cwd: "/w".into(),
        cred: Cred::ROOT,
        mounts: Rc::new(RefCell::new(mounts)),
        net,
        hostname: Rc::new(RefCell::new("host".into())),
        stdio: [tty.clone(), tty.clone(), tty],
        tty: Some(id),
        pid_namespace: None,
        cgroup: String::new(),
    };
    (kernel, spec, id)
}

/// What a shell prints (with what it complains about) and its exit status.
fn shell(argv: &[&str]) -> (String, i32) {
    let (kernel, spec, id) = world(argv);
    let status = Rc::new(RefCell::new(-1));
    let seen = Rc::clone(&status);
    kernel
        .spawn_with(spec, |p| {
            Box::pin(async move {
                let args = p.args();
                let path = [b"/bin/", args[0].as_slice()].concat();
                let env = p.env();
                let code = p.exec(&path, args, env).await.unwrap_or(-2);
                *seen.borrow_mut() = code;
                code
            })
        })
        .unwrap();
    kernel.run(3_000_000, None);
    let out = String::from_utf8_lossy(&kernel.take_output(id)).replace("\r\n", "\n");
    let code = *status.borrow();
    (out, code)
}

fn typed(argv: &[&str], inputs: &[&[u8]]) -> String {
    let (kernel, spec, id) = world(argv);
    kernel.spawn(spec).unwrap();
    let mut out = Vec::new();
    kernel.run(1_000_000, None);
    for input in inputs {
        out.extend(kernel.take_output(id));
        kernel.type_into(id, input);
        kernel.run(2_000_000, None);
    }
    out.extend(kernel.take_output(id));
    String::from_utf8_lossy(&out).into_owned()
}

/// Scripts whose output the real shells are asked for too.
const SCRIPTS: &[&str] = &[
    "echo hello world",
    "x=5; echo \"$x\" '$x' \\$x ${x}y",
    "echo a  b \"c  d\" 'e  f'",
    "unset x; echo ${x:-d} ${x-d} ${x:+s}; x=; echo [${x:-d}] [${x-d}] [${x:+s}] [${x+s}]",
    "echo ${x:=new} $x; echo ${#x}",
    "p=/a/b/c.tar.gz; echo ${p#*/} ${p##*/} ${p%.*} ${p%%.*}",
    "set -- a 'b c' d; echo $# \"$@\"; for i in \"$@\"; do echo \"<$i>\"; done; echo \"$*\"; shift; echo $1",
    "set -- a 'b c'; for i in $@; do echo \"<$i>\"; done; for i in \"$*\"; do echo \"<$i>\"; done",
    "IFS=:; x=a:b::c; for i in $x; do echo \"<$i>\"; done; set -- 1 2; echo \"$*\"",
    "x=' a  b '; for i in $x; do echo \"<$i>\"; done; echo \"$x\"",
    "IFS=', '; x='a, b,,c'; for i in $x; do echo \"<$i>\"; done",
    "echo $((1+2*3)) $((7/2)) $((7%3)) $((1<<4)) $((2>1)) $((-5))",
    "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done",
    "i=3; until [ $i -eq 0 ]; do i=$((i-1)); [ $i = 1 ] && continue; echo $i; done",
    "for i in 1 2 3 4; do if [ $i = 3 ]; then break; fi; echo $i; done",
    "for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done",
    "case foobar in foo) echo no;; f*r) echo yes;; *) echo other;; esac",
    "case x in a|x) echo ax;; esac; case '*' in '*') echo star;; esac",
    "f() { echo \"f: $1 $#\"; return 3; }; f a b; echo $?",
    "f() { local v=1; echo $v; }; v=9; f; echo $v",
    "echo $(echo a; echo b) \"$(echo a; echo b)\" `echo c`",
    "x=$(printf 'a\\n\\n\\n'); echo \"[$x]\"",
    "echo a | cat | cat; echo x | { read y; echo \"got $y\"; }",
    "(exit 3); echo $?; { false; }; echo $?; ! true; echo $?",
    "true && echo yes || echo no; false && echo yes || echo no; false || true && echo t",
    "x=1; (x=2; echo $x); echo $x; { x=3; }; echo $x",
    "cat <<E\na $((1+1)) $(echo b) \\$x `echo c`\nE",
    "cat <<'E'\na $((1+1)) $(echo b) \\$x\nE",
    "cat <<-E\n\ttab\n\tE\necho after",
    "cat <<A; cat <<B\na\nA\nb\nB",
    "echo out >&2 2>/dev/null; { echo o; echo e >&2; } 2>/dev/null",
    "set -e; false || true; if false; then :; fi; echo still; false; echo never",
    "set -u; echo ${x-unset}; set +u; echo $nothing.",
    "trap 'echo bye' EXIT; echo hi",
    "trap 'echo bye; exit 4' EXIT; exit 3",
    "eval 'x=5; echo $x'; eval echo '$x'",
    "printf '%s-%d|%5s|%-5s|%05d|%x\\n' a 42 b c 7 255",
    "printf '%s\\n' a b c; printf '%%'; printf '\\n\\t|\\101\\n'; printf '%b\\n' 'a\\tb'",
    "test -d / && echo dir; [ -f /nonexistent ] || echo nofile; [ a = a -a b = b ] && echo and",
    "[ 3 -gt 2 ] && echo gt; [ -z '' ] && echo empty; [ ! -n '' ] && echo not",
    "echo 'a b c' | { read a b; echo \"$a,$b\"; }; echo 'x\\ty' | { read -r a; printf '%s\\n' \"$a\"; }",
    "while getopts ab:c o -a -b val -c; do echo $o $OPTARG; done; echo $OPTIND",
    "readonly r=1; echo $r; unset x; echo ${x:-$r}",
    "x=abc; case $x in [a-c]*) echo class;; esac; case $x in [!a]*) echo no;; *) echo neg;; esac",
    "echo \"a'b\" 'a\"b' \"a\\\"b\" a\\ b",
    "x='a*b'; echo \"$x\"; set -f; echo *; set +f",
    "echo ~root/x; HOME=/h; echo ~ ~/y \"~\" a~; p=~:~/b; echo $p",
    "if false; then echo a; elif true; then echo b; else echo c; fi",
    "f() { f2; echo f; }; f2() { return 1; }; f || echo no; unset -f f2; type true",
    "x=5 y=6; echo $((x*y)); : $((x+=1)); echo $x; echo $((x > 3 ? 10 : 20))",
    "command -v cd; command echo hi; cd /; pwd; cd /tmp; cd - ; echo $OLDPWD",
    "echo one # comment\n# all\necho two#three",
    "a=1 b=$a; echo $b; a=2 :; echo $a; f() { echo $q; }; q=7 f",
    "exec 3>&1; echo three >&3; exec 3>&-; echo done",
    "kill -l 9; umask 022; umask; wait; echo $?",
    "sleep() { :; }; true & wait $!; echo $?; (exit 7) & wait $!; echo $?",
    "echo a;echo b&wait; echo $?",
    "x=\"$(echo \"nested $(echo \"deep\")\")\"; echo $x; echo ${x:+\"a b\"} ${y:-'c d'}",
    "echo \"${x:-\"quoted}\"}\" ${x:-a\\}b}",
    "set -- ; for i in \"$@\"; do echo never; done; echo \"[$*]\" $#",
];

const BASH_SCRIPTS: &[&str] = &[
    "echo {a,b}c {1..4} x{1..3}y {a..c} {01..03} {a,b{1,2}} {x} '{a,b}'",
    "x=hello; echo ${x:1:3} ${x: -2} ${x/l/L} ${x//l/L} ${x^} ${x^^} ${x/#h/H} ${x/%o/O}",
    "a=(1 2 'x y'); echo ${a[0]} ${#a[@]} \"${a[@]}\" ${a[2]}; a+=(z); a[9]=n; echo ${!a[@]} ${a[-1]}",
    "declare -A m; m[k]=v; m[j]=w; echo ${m[k]} ${#m[@]}",
    "[[ abc == a* ]] && echo m; [[ abc =~ ^a(b)c$ ]] && echo ${BASH_REMATCH[1]}; [[ -n x && ! -z y ]] && echo and",
    "for ((i=0; i<3; i++)); do echo $i; done; ((i==3)) && echo three; let j=4+5; echo $j",
    "cat <<< \"here $((1+1))\"; echo $'a\\tb\\x41'; echo -e 'x\\ty'; echo -n n; echo",
    "set -o pipefail; false | true; echo $?; true | false | true; echo ${PIPESTATUS[@]}",
    "x=y; y=z; echo ${!x}; f() { local -i n=3+4; echo $n; }; f; printf -v v '%03d' 7; echo $v",
    "echo x &>/dev/null; { echo a; echo b >&2; } |& cat; read -r a b <<< '1 2 3'; echo \"$b\"",
    "case b in a) echo a;; b) echo b;& c) echo c;; esac; unset 'a[1]'; x+=more; echo $x",
    "foo() { echo ${FUNCNAME:-x} >/dev/null; }; function bar { echo bar; }; bar; export A=1; export -p | cat >/dev/null",
];

fn oracle(program: &str, script: &str) -> Option<(String, i32)> {
    let path =
        ["/usr/bin/", "/bin/"].iter().map(|d| format!("{d}{program}")).find(|p| std::path::Path::new(p).exists())?;
    let output = std::process::Command::new(path)
        .args(["-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/root")
        .current_dir("/")
        .output()
        .ok()?;
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1)))
}

fn compare(program: &str, name: &str, scripts: &[&str]) {
    let mut wrong = Vec::new();
    for script in scripts {
        let Some(expected) = oracle(program, script) else {
            eprintln!("SKIPPED: no {program} on this machine to compare with");
            return;
        };
        let (kernel, mut spec, id) = world(&[name, "-c", script]);
        spec.cwd = "/".into();
        spec.stdio[2] = kernel.null();
        let status = Rc::new(RefCell::new(-1));
        let seen = Rc::clone(&status);
        kernel
            .spawn_with(spec, |p| {
                Box::pin(async move {
                    let (args, env) = (p.args(), p.env());
                    let path = [b"/bin/", args[0].as_slice()].concat();
                    let code = p.exec(&path, args, env).await.unwrap_or(-2);
                    *seen.borrow_mut() = code;
                    code
                })
            })
            .unwrap();
        kernel.run(2_000_000, None);
        let out = String::from_utf8_lossy(&kernel.take_output(id)).replace("\r\n", "\n");
        let got = (out, *status.borrow());
        if got != expected {
            wrong.push(format!("{script}\n  real: {expected:?}\n  here: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), scripts.len(), wrong.join("\n"));
}

#[test]
fn scripts_do_what_dash_does() {
    compare("dash", "sh", SCRIPTS);
}

#[test]
fn scripts_do_what_bash_does() {
    compare("bash", "bash", SCRIPTS);
    compare("bash", "bash", BASH_SCRIPTS);
}

#[test]
fn errors_are_worded_as_each_shell_words_them() {
    for (argv, expected) in [
        (["bash", "-c", "foo"], ("bash: line 1: foo: command not found\n", 127)),
        (["sh", "-c", "foo"], ("sh: 1: foo: not found\n", 127)),
        (["ash", "-c", "foo"], ("ash: foo: not found\n", 127)),
        (
            ["bash", "-c", "./noexec; true; ./nofile"],
            ("bash: line 1: ./noexec: Permission denied\nbash: line 1: ./nofile: No such file or directory\n", 127),
        ),
        (["bash", "-c", "/etc; exit"], ("bash: line 1: /etc: Is a directory\n", 126)),
        (["bash", "-c", "foreign; exit"], ("bash: line 1: foreign: this program is not simulated in Capas\n", 126)),
        (
            ["bash", "-c", "echo )"],
            ("bash: -c: line 1: syntax error near unexpected token `)'\nbash: -c: line 1: `echo )'\n", 2),
        ),
        (["sh", "-c", "echo )"], ("sh: 1: Syntax error: \")\" unexpected\n", 2)),
        (["sh", "-c", "echo 'x"], ("sh: 1: Syntax error: Unterminated quoted string\n", 2)),
        (["bash", "-c", "cat < nofile"], ("bash: line 1: nofile: No such file or directory\n", 1)),
        (["sh", "-c", "cat < nofile; exit"], ("sh: 1: cannot open nofile: No such file\n", 2)),
        (["bash", "-c", "./plain a; ./script b"], ("plain ./plain a\nscript ./script b\n", 0)),
    ] {
        let (out, code) = shell(&argv);
        assert_eq!((out.as_str(), code), expected, "{argv:?}");
    }
}

#[test]
fn a_prompt_edits_runs_and_survives_ctrl_c() {
    let out = typed(
        &["bash"],
        &[
            b"echo hixx\x7f\x7f\r",
            b"while :; do :; done\r",
            b"\x03",
            b"echo $?\r",
            b"sleep\r",
            b"\x03",
            b"echo again $?; ll x\r",
            b"exit\r",
        ],
    );
    assert!(out.contains("root@host:/w# "), "{out}");
    for piece in ["\r\nhi\r\n", "\r\n130\r\n", "\r\nagain 130\r\nLL x\r\n", "exit\r\n"] {
        assert!(out.contains(piece), "{piece:?} in {out:?}");
    }
}

#[test]
fn lines_are_continued_completed_and_recalled() {
    let out = typed(
        &["bash"],
        &[
            b"if true\r",
            b"then echo con''tinued\r",
            b"fi\r",
            b"echo ./scr\t\r",
            b"\x1b[A\x01\x0becho new\r",
            b"echo 'a\r",
            b"b'\r",
        ],
    );
    for piece in ["> ", "\r\ncontinued\r\n", "\r\n./script\r\n", "\r\nnew\r\n", "\r\na\r\nb\r\n"] {
        assert!(out.contains(piece), "{piece:?} in {out:?}");
    }
}

#[test]
fn background_jobs_are_numbered_and_told_of() {
    let out = typed(
        &["bash"],
        &[
            b"sleep &\r",
            b"jobs\r",
            b"kill %1\r",
            b"\r",
            b"sleep\r",
            b"\x1a",
            b"jobs\r",
            b"bg\r",
            b"kill %1; wait; echo end\r",
        ],
    );
    for piece in [
        "[1] ",
        "[1]+  Running                 sleep &\r\n",
        "[1]+  Terminated              sleep\r\n",
        "[1]+  Stopped                 sleep\r\n",
        "[1]+ sleep &\r\n",
        "end\r\n",
    ] {
        assert!(out.contains(piece), "{piece:?} in {out:?}");
    }
}

#[test]
fn a_large_paste_is_fast_and_nothing_is_lost() {
    let mut paste = vec![b':', b' '];
    paste.resize(1 << 20, b'x');
    paste.extend_from_slice(b"\recho survived\r");
    let (kernel, spec, id) = world(&["bash"]);
    kernel.spawn(spec).unwrap();
    kernel.run(1_000_000, None);
    kernel.type_into(id, &paste);
    let mut out = Vec::new();
    for _ in 0..200 {
        kernel.run(1_000_000, None);
        out.extend(kernel.take_output(id));
    }
    let out = String::from_utf8_lossy(&out).into_owned();
    assert!(out.contains("\r\nsurvived\r\n"));
    assert!(out.len() < 8 << 20, "{}", out.len());
}

#[test]
fn hostile_nesting_is_a_syntax_error() {
    for opener in
        ["(", "{ ", "$(", "$((", "${x:-", "\"$(", "if ", "[[ ( ", "! ", "a() ", "`", "case x in x) ", "<<E ", "{a,"]
    {
        let text = opener.repeat(1 << 20 >> 2);
        let mut parser = super::parse::Parser::new(text.as_bytes(), super::dialect::Dialect::Bash, None, true);
        let _ = parser.next_line();
    }
    let (out, _) = shell(&["bash", "-c", "f() { f; }; f; echo alive"]);
    assert!(out.contains("maximum nesting"), "{out}");
}

#[test]
fn any_text_ends_within_fuel_and_never_panics() {
    let pieces = [
        "(", ")", "$", "{", "}", "`", "\"", "'", "\\", " ", "\n", "a", "=", "<<", "E\n", "<", "&", "|", ";", "if ",
        "then ", "fi ", "case ", "in ", "esac ", "for ", "do ", "done ", "[[ ", " ]]", "#", "\0", "\u{e9}", "!", "*",
        "[", "]", "1", "((", "))", "$((", "$(", "${", "<(", "x()", "~", ";;", "while ", "echo ", "%", ":", "/", "@",
        "^", ",", "-", "+", "?", "x", "..", "set ", "trap ", "read ",
    ];
    let mut rng = crate::base::rng::Rng::new(7);
    for round in 0..3000u64 {
        let count = 1 + round % 40;
        let text: String = (0..count).map(|_| pieces[rng.below(pieces.len() as u64) as usize]).collect();
        for name in ["bash", "sh"] {
            let (kernel, spec, _) = world(&[name, "-c", &text.replace('\0', "")]);
            kernel.spawn(spec).unwrap();
            kernel.run(5_000, None);
        }
    }
}

//! Whatever reads what a visitor wrote is told when to stop: nesting of 20,000 ends in an error, not in an overflow of the
//! stack, of which the page has 1 MB.
//! The same in a browser, where that is the stack: `tests/browser/depth.spec.mjs`.
#![expect(clippy::unwrap_used, reason = "a test says where it broke")]

use capas::lesson::exercise::Exercise;
use capas::lesson::submission::Submission;

mod support;

use support::Session;

const DEEP: usize = 20_000;

/// Runs a command on a file of `opener`s, and sees that the machine goes on.
fn survives(session: &mut Session, command: &str, texts: &[String]) {
    for text in texts {
        session.put("deep", &text.as_str().into());
        let told = session.types(command);
        let head: String = text.chars().take(20).collect();
        let told: String = told.chars().take(200).collect();
        assert_eq!(session.types("echo alive"), "alive\n", "{command} of {head:?}: {told}");
    }
}

fn deep(openers: &[&str]) -> Vec<String> {
    openers.iter().map(|opener| opener.repeat(DEEP)).collect()
}

/// Opened and closed again.
fn whole(pairs: &[(&str, &str, &str)]) -> Vec<String> {
    pairs.iter().map(|(open, middle, close)| format!("{}{middle}{}", open.repeat(DEEP), close.repeat(DEEP))).collect()
}

#[test]
fn shells() {
    let mut session = Session::new();
    let openers = [
        "(",
        "( ",
        "{ ",
        "$(",
        "$((",
        "${x:-",
        "\"$(",
        "if ",
        "[[ ( ",
        "[[ ! ",
        "! ",
        "a() ",
        "`",
        "case x in x) ",
        "<<E ",
        "{a,",
        "while ",
        "for x in ",
        "x=(",
        "$[",
        "((",
        "<(",
        "\"${x:-",
        "a[",
        "!(",
        "@(",
        "\\",
        "a && ",
        "a | ",
        "a; ",
        "eval ",
    ];
    let pairs = [
        ("(", "true", ")"),
        ("{ ", "true; ", "}; "),
        ("$(", "echo", ")"),
        ("${x:-", "y", "}"),
        ("if true; then ", "true; ", "fi; "),
        ("[[ ( ", "a", " ) ]]"),
        ("echo $((", "1", "))"),
        ("echo {a,", "b", "}"),
        ("case x in x) ", "true ", ";; esac "),
        ("a() { ", "true; ", "}; "),
        ("echo \"$(", "echo", ")\""),
        ("", "case aaaa in ", "+(a)"),
        ("[[ x == +(", "a", ") ]]"),
    ];
    for shell in ["bash deep", "sh deep", "bash -n deep", ". ./deep"] {
        survives(&mut session, shell, &deep(&openers));
        survives(&mut session, shell, &whole(&pairs));
    }
}

#[test]
fn scripts_that_call_themselves() {
    let mut session = Session::new();
    for script in [
        "f() { f; }; f",
        "f() { ( f ); }; f",
        "f() { x=$(f); }; f",
        "f() { if true; then f; fi; }; f",
        "f() { while f; do f; done; }; f",
        "f() { case x in x) { f; } ;; esac; }; f",
        "f() { f | f; }; f",
        "f() { eval f; }; f",
        "f() { echo ${x:-$(f)}; }; f",
        "f() { for x in 1; do f; done; }; f",
        ". ./deep",
        "eval \"$(cat deep)\"",
        "sh deep",
        "trap 'kill -USR1 $$; f' USR1; f() { kill -USR1 $$; }; f",
        "x=x; echo $((x))",
        "alias a=b b=a; a",
    ] {
        for shell in ["bash deep", "sh deep"] {
            survives(&mut session, &format!("timeout 5 {shell}"), &[script.to_owned()]);
        }
    }
}

#[test]
fn programs() {
    let mut session = Session::new();
    session.types("echo a > in; mkdir -p d/e");
    let brackets = deep(&["(", "[", "{", "!", "-", "(a|", "a{1,", "\\(", "[[:", "*", "+", "?", "\\"]);
    let balanced = whole(&[
        ("(", "a", ")"),
        ("[", "a", "]"),
        ("{", "a", "}"),
        ("\\(", "a", "\\)"),
        ("(a|", "b", ")*"),
        ("!", "a", ""),
    ]);
    for texts in [&brackets, &balanced] {
        for command in [
            "grep -f deep in",
            "grep -E -f deep in",
            "grep -F -f deep in",
            "sed -f deep in",
            "sed -E -f deep in",
            "awk -f deep in",
            "find . -name \"$(head -c 100000 deep)\"",
            "expr a : \"$(head -c 100000 deep)\"",
            "ls $(head -c 3000 deep)",
            "tr \"$(head -c 100000 deep)\" b < in",
            "printf \"$(head -c 100000 deep)\"",
            "date +\"$(head -c 100000 deep)\"",
            "cut -f \"$(head -c 100000 deep)\" in",
            "sort -k \"$(head -c 100000 deep)\" in",
            "xargs echo < deep",
            "vim -c \"$(head -c 1000 deep)\" in",
            "diff deep in",
            "file deep",
            "tar xf deep",
        ] {
            survives(&mut session, command, texts);
        }
    }
    survives(
        &mut session,
        "awk -f deep in",
        &deep(&[
            "if (1) ",
            "BEGIN { ",
            "function f() { ",
            "a[",
            "$",
            "f(",
            "1?1:",
            "-",
            "! ",
            "/(",
            "{ {",
            "while (1) ",
            "x=",
            "2^",
            "a b ",
        ]),
    );
    survives(
        &mut session,
        "awk -f deep in",
        &whole(&[
            ("BEGIN { print (", "1", ") }"),
            ("{", "print", "}"),
            ("", "function f(n) { return f(n + 1) } BEGIN { f(1) }", ""),
            ("", "BEGIN { x = 1", "+(1)"),
            ("", "BEGIN { x = 1", "; if (1) x = 2"),
        ]),
    );
    survives(&mut session, "sed -f deep in", &deep(&["{", "1{", "/a/{", "s/\\(", "y/", "1,2!{", "b", ":a\n"]));
    for (open, close) in [("( ", " )"), ("! ", ""), ("-not ", ""), ("\\( ", "\\) ")] {
        let words = format!("{}-true {}", open.repeat(20_000), close.repeat(20_000));
        survives(&mut session, "xargs -n 50000 find d < deep", std::slice::from_ref(&words));
        survives(&mut session, "xargs -n 50000 test < deep", &[words.replace("-true", "a")]);
        survives(&mut session, "set -f; find d $(cat deep)", std::slice::from_ref(&words));
        survives(&mut session, "set -f; [ $(cat deep) ]; test $(cat deep)", &[words.replace("-true", "a")]);
    }
}

#[test]
fn docker() {
    let mut session = Session::new();
    session.types("docker pull -q busybox; docker create --name box busybox");
    let json = [("[", "1", "]"), ("{\"a\":", "1", "}"), ("[{\"a\":", "1", "}]")];
    for texts in [whole(&json), deep(&["[", "{\"a\":", "[{\"a\":"])] {
        survives(
            &mut session,
            "mkdir -p .docker; cp deep .docker/config.json; docker ps; rm .docker/config.json",
            &texts,
        );
        survives(&mut session, "docker commit -c \"CMD $(cat deep)\" box", &texts);
        survives(&mut session, "docker import -c \"CMD $(cat deep)\" deep", &texts);
        survives(
            &mut session,
            "mkdir -p t; cp deep t/manifest.json; tar -C t -cf t.tar .; docker load -i t.tar; rm t/manifest.json",
            &texts,
        );
        survives(
            &mut session,
            "mkdir -p t; cp deep t/index.json; echo '{}' > t/oci-layout; tar -C t -cf t.tar .; docker load -i t.tar; rm -r t",
            &texts,
        );
        survives(
            &mut session,
            "docker run --security-opt seccomp=deep busybox; docker run --log-opt \"$(cat deep)\" busybox",
            &texts,
        );
        survives(
            &mut session,
            "mkdir -p c; (echo FROM busybox; printf 'CMD '; cat deep) > c/Dockerfile; docker build -q c",
            &texts,
        );
        survives(&mut session, "cp deep compose.yaml; docker compose config; rm compose.yaml", &texts);
    }
    let templates = deep(&[
        "{{if 1}}",
        "{{range .}}",
        "{{with 1}}",
        "{{(",
        "{{len (",
        "{{.",
        "{{$x := (",
        "{{index . (",
        "{{\"",
        "{{/*",
        "{{- if (",
        "{{if 1}}{{else if 1}}",
    ]);
    survives(&mut session, "docker ps -a --format \"$(cat deep)\"", &templates);
    survives(&mut session, "docker inspect box -f \"$(cat deep)\"", &templates);
    let closed = whole(&[("{{if 1}}", "x", "{{end}}"), ("{{(", "1", ")}}"), ("{{if 1}}a{{else if 1}}", "b", "")]);
    survives(&mut session, "docker inspect box -f \"$(cat deep)\"", &closed);
    let words = deep(&["${x:-", "${x:+", "\"", "$", "\\", "${", "<<E ", "{a,", "[", "--", "$x"]);
    let shut = whole(&[("${x:-", "y", "}"), ("${x:+\"", "y", "\"}"), ("${x//", "y", "}")]);
    for texts in [words, shut] {
        for instruction in ["ENV A=", "COPY ", "RUN ", "FROM ", "HEALTHCHECK CMD "] {
            let command = format!(
                "mkdir -p c; (echo FROM busybox; printf '{instruction}'; cat deep; echo) > c/Dockerfile; docker build -q c"
            );
            survives(&mut session, &command, &texts);
        }
        survives(
            &mut session,
            "cp deep .dockerignore; docker build -q -f - . < c/Dockerfile; rm .dockerignore",
            &texts,
        );
        survives(
            &mut session,
            "cp deep .env; echo 'services: {a: {image: \"$X\"}}' > compose.yaml; docker compose config; rm .env",
            &texts,
        );
    }
    survives(
        &mut session,
        "cp deep c/Dockerfile; docker build -q c",
        &deep(&["FROM a AS a\n", "RUN <<E\n", "ONBUILD ", "# syntax=\n", "# escape=`\n"]),
    );
    let yaml = deep(&["- ", "a: ", "? ", "[", "{a: ", "&a [", "*a ", "!!map ", "| ", "\"", "- - a:\n"]);
    let indented: String = (0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    survives(
        &mut session,
        "cp deep compose.yaml; docker compose config; rm compose.yaml",
        &[yaml, vec![indented]].concat(),
    );
    survives(
        &mut session,
        "docker run --rm -v $PWD/deep:/etc/nginx/nginx.conf:ro nginx nginx -t",
        &deep(&["http {", "server { ", "events {", "a \"", "if (a) {"]),
    );
    survives(
        &mut session,
        "docker run --rm redis sh -c 'redis-cli eval x 0' < deep",
        &deep(&["*1\r\n", "$1\r\n", "["]),
    );
}

#[test]
fn lessons_and_links() {
    for text in deep(&[
        "*",
        "**",
        "_",
        "[",
        "`",
        "> ",
        "- ",
        "# ",
        "```\n",
        "1. ",
        "[a](",
        "**a *",
        "---\n",
        "## Goals\n",
        "or ",
        "no ",
        "\\",
    ]) {
        let _ = Exercise::parse(&text);
        let whole = format!(
            "---\nid: a\ntitle: a\nlevel: 1\norder: 1\n---\n\n{text}\n\n## Objetivos\n\n```goals\n# a\n{text}\n```\n"
        );
        if let Ok(exercise) = Exercise::parse(&whole) {
            let _ = capas::lesson::markdown::blocks(&exercise.prose);
        }
        let _ = capas::lesson::markdown::blocks(&text);
        let _ = capas::lesson::slides::run(&text);
        let _ = Submission::parse(&text);
    }
    for text in whole(&[("[", "", "]"), ("{\"a\":", "1", "}")]) {
        let _ = Submission::parse(&text);
    }
}

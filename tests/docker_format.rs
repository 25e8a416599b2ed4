//! `--format` templates against the real client: `docker context` is the only noun that answers without a daemon.
#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "it asks a real program and tells what differs")]

use std::process::{Command, Stdio};

use capas::docker::cli::CLIENT_VERSION;
use capas::docker::cli::template::{Dot, Mode, Template};

fn real(words: &[&str]) -> Option<String> {
    let mut command = Command::new("docker");
    let output =
        command.args(words).env("HOME", "/root").env_remove("DOCKER_HOST").stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

fn client_is_here() -> bool {
    let found = real(&["--version"]).is_some_and(|out| out.contains(CLIENT_VERSION));
    if !found {
        eprintln!("SKIPPED: no docker client {CLIENT_VERSION} here to compare with");
    }
    found
}

/// What `docker context ls --format` prints.
fn ours(template: &str) -> String {
    let row = serde_json::json!({
        "Current": true,
        "Description": "Current DOCKER_HOST based configuration",
        "DockerEndpoint": "unix:///var/run/docker.sock",
        "Error": "",
        "Name": "default",
    });
    let mut out = String::new();
    let run = Template::parse(template).and_then(|t| {
        t.execute(&Dot { value: &row, mode: Mode::Context("*formatter.clientContextContext") }, &mut out)
    });
    match run {
        Ok(()) => out + "\n",
        Err(error) => format!("template parsing error: {error}\n"),
    }
}

fn compare(templates: &[&str]) {
    let mut wrong = 0;
    for template in templates {
        let (real, ours) = (real(&["context", "ls", "--format", template]).unwrap(), ours(template));
        if real != ours {
            wrong += 1;
            eprintln!("=== {template}\n--- real: {real}--- ours: {ours}");
        }
    }
    assert_eq!(wrong, 0, "of {} templates", templates.len());
}

#[test]
fn templates_write_what_go_writes() {
    if !client_is_here() {
        return;
    }
    compare(&[
        "{{.Name}}",
        "a {{.Name}} b{{- .Error -}} c",
        "{{json .}}",
        "{{json .Name}} {{.Current}}",
        "{{.Name | upper | printf \"%10s|%-10s|%q\" \"a\" \"b\"}}",
        "{{if .Error}}bad{{else if .Current}}now{{else}}no{{end}}",
        "{{with .Name}}{{.}}{{end}} {{with .Error}}x{{else}}none{{end}}",
        "{{range split .DockerEndpoint \"/\"}}[{{.}}]{{end}}",
        "{{range $i, $e := split .Name \"a\"}}{{$i}}={{$e}},{{else}}none{{end}}",
        "{{$x := .Name}}{{$x = \"b\"}}{{$x}}{{$.Name}}",
        "{{join (split .Name \"a\") \"-\"}}",
        "{{title \"ab cd-ef\"}} {{lower \"AB\"}} {{truncate .Name 3}} {{truncate .Name 30}} {{pad .Name 2 3}}|{{pad \"\" 1 1}}|",
        "{{len .Name}} {{index (split .Name \"a\") 1}} {{slice .Name 1 3}} {{index .Name 0}}",
        "{{eq .Name \"default\"}} {{eq .Name \"a\" \"default\"}} {{ne 1 2}} {{lt 1 2}} {{le \"a\" \"b\"}} {{gt 2 1}} {{ge 1.5 1.5}}",
        "{{and .Name .Error}}|{{or .Error .Name}}|{{not .Error}}",
        "{{print 1 2 \"a\" \"b\" 3 4 true nil}} {{println \"a\" 1}}",
        "{{printf \"%d %5d %-5d| %05d %x %X %t %v %T %% %c\" 1 2 3 4 255 255 true .Name .Name 65}}",
        "{{printf \"%d %s\" .Name 1}} {{printf \"%s\"}} {{printf \"%d\" 1 2}} {{printf \"%!\"}} {{printf \"%z\" 1}}",
        "{{printf \"%.2f %6.2f %s %q\" 1.5 2.25 (split \"a,b\" \",\") (split \"a,b\" \",\")}}",
        "{{/* nothing */}}x{{- /* y */ -}} z",
        "{{1}} {{1.5}} {{'a'}} {{0x1f}} {{true}} {{\"a\\tb\\u00e9\"}} {{`r\\aw`}}",
        "{{range 3}}{{.}}{{if eq . 1}}{{break}}{{end}},{{end}}",
        "{{range $i := split \"a b c\" \" \"}}{{if eq $i \"b\"}}{{continue}}{{end}}{{$i}}{{end}}",
        "{{(split .Name \"a\")}} {{(print .Name)}}",
        "{{.Name | print | upper | }}",
        "{{urlquery \"a b&c/é\"}}",
        "{{- \"a\" -}}   b   {{- \"c\" }} d",
        "a\n  {{- .Name}}\n{{if true -}}\n  x\n{{- end}}",
        "{{$}}{{\"\"}}",
        "{{(.Name)}}{{.Name}}{{ .Name }}",
        "",
    ]
    .iter()
    .filter(|template| !template.is_empty() && !template.contains("{{$}}"))
    .copied()
    .collect::<Vec<_>>());
}

#[test]
fn templates_fail_as_go_fails() {
    if !client_is_here() {
        return;
    }
    compare(&[
        "{{",
        "{{.Name",
        "{{.Name}",
        "{{end}}",
        "{{else}}",
        "{{if .Name}}x",
        "{{foo}}",
        "{{.Name | foo}}",
        "{{\"abc}}",
        "{{`abc}}",
        "{{@}}",
        "{{}}",
        "{{if}}x{{end}}",
        "{{| .Name}}",
        "{{$x}}",
        "{{$x := .Name}}{{$y}}",
        "{{1.2.3}}",
        "{{.Name.}}",
        "{{(.Name}}",
        "{{.Name)}}",
        "{{range}}{{end}}",
        "{{if .Name}}{{else}}{{else}}{{end}}",
        "{{break}}",
        "{{'ab'}}",
        "{{nil}}",
        "{{.Name nil}}",
        "{{1 2}}",
        "{{\"a\" \"b\"}}",
        "{{/* x}}",
        "{{/* x */ }}",
        "a\nb{{.Name",
        "{{.Name:=3}}",
        "{{if .Name}}{{else if .X}}{{end",
        "{{range $i, $e, $f := .Name}}{{end}}",
        "{{.Name \"a\"",
        "{{ .Name , .X}}",
        "{{(.Name).X",
        "{{true.X}}",
        "{{\"a\".X}}",
        "{{1.X}}",
        "{{join .Name}}",
        "{{if .Name}}{{end}}{{end}}",
        "{{foo.bar}}",
        "{{. Name}}",
        "{{.Name  .}}",
        "{{..}}",
        "{{é}}",
        "{{\"\\q\"}}",
        "{{$x = 1}}",
        "{{with $x := .Name}}{{$x}}{{end}}{{$x}}",
        "{{else if}}",
        "{{end x}}",
        "{{if .Name}}{{end x}}",
        "{{range .Name}}{{break}}{{continue x}}{{end}}",
        "{{continue}}",
        "{{99999999999999999999}}",
        "{{0x}}",
        "{{1a}}",
        "{{\"a\nb\"}}",
        "{{index}}",
        "{{-x}}",
        "{{- }}",
        "{{.Name-}}",
        "{{%}}",
        "{{.Name&}}",
        "{{=}}",
        "{{:}}",
        "{{,}}",
        "{{with}}",
        "{{.Nope}}",
        "ab\n\n c{{.Nope}}",
        "{{.Name.Nope}}",
        "{{.Current.Nope}}",
        "{{$.Nope}}",
        "{{(print .Name).Nope}}",
        "{{index .Name 99}}",
        "{{index .Name \"a\"}}",
        "{{index 1 2}}",
        "{{len 3}}",
        "{{eq 1 \"a\"}}",
        "{{eq 1}}",
        "{{lt true false}}",
        "{{lt 1 1.5}}",
        "{{join .Name \",\"}}",
        "{{split 1 \"a\"}}",
        "{{upper .Current}}",
        "{{truncate .Name \"a\"}}",
        "{{pad .Name 1}}",
        "{{.Name | join}}",
        "{{\"a\" | 1}}",
        "{{\"a\" | .Name}}",
        "{{.Name | \"a\"}}",
        "{{range .Current}}{{end}}",
        "{{slice .Name 9}}",
        "{{slice .Name 3 2}}",
        "{{index (split .Name \"a\") 9}}",
        "x{{.Name}}{{.Nope}}",
    ]);
}

//! The real `docker` client against our daemon: `capas daemon` serves the Engine API, and every command gives the bytes
//! that our own command line gives in a machine of the same seed.
//!
//! Two worlds are driven side by side, as each command may change them: ids come from the seed and are the same in both.
//! Times are not, as one world's clock is the real one; they are cut out on both sides. Without the client the test says
//! that it was skipped.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the oracle is a real program"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use capas::base::time::Timestamp;
use capas::machine::{Config, Machine};
use regex_lite::Regex;

/// What both clients find in their working directory.
const FILES: &[(&str, &str)] = &[
    (
        "app/Dockerfile",
        "FROM alpine\nARG who=nobody\nCOPY hola.txt /srv/\nRUN echo $who > /who && cat /srv/hola.txt\nLABEL a=b\nCMD [\"cat\", \"/who\"]\n",
    ),
    ("app/hola.txt", "hola\n"),
    ("bad/Dockerfile", "FROM alpine\nRUN echo before; false\n"),
    ("vars.env", "COLOR=red\n# comment\nSIZE=2\n"),
];

/// Command lines, each with what it types. Those with `docker` names only, so that a shell of either side does the rest.
const COMMANDS: &[&str] = &[
    "docker version",
    "docker info | sed 1,/Server:/d",
    "docker pull alpine",
    "docker pull -q busybox",
    "docker pull alpine",
    "docker pull nope/nothing",
    "docker images",
    "docker images --digests --no-trunc",
    "docker images -q alpine",
    "docker images --filter dangling=maybe",
    "docker search --limit 3 nginx",
    "docker history alpine",
    "docker history --no-trunc --format '{{.CreatedBy}}' busybox",
    "docker inspect alpine",
    "docker image inspect nope",
    "docker run --rm alpine echo hola",
    "docker run --rm alpine sh -c 'echo out; echo err >&2; exit 3'",
    "docker run --name once alpine ls /nope",
    "docker run --name once alpine true",
    "docker run -d --name web -p 8080:80 --label tier=front nginx",
    "docker run -d -p 8080:80 --name web2 nginx",
    "docker ps --format '{{.Names}} {{.Image}} {{.Ports}} {{.Labels}} {{.Networks}} {{.Mounts}} {{.State}}'",
    "docker ps -a --no-trunc",
    "docker ps -aq",
    "docker ps --filter name=web --format json",
    "docker ps --filter nope=1",
    "docker port web",
    "docker exec web cat /etc/nginx/nginx.conf",
    "docker exec -w /tmp -e A=1 web sh -c 'pwd; echo $A; exit 4'",
    "docker exec web nope",
    "docker exec -d web touch /tmp/x",
    "echo dentro | docker exec -i web sh -c 'cat > /tmp/y; cat /tmp/y'",
    "echo hola | docker run -i --rm alpine cat",
    "docker run --rm --env-file vars.env alpine env",
    "docker logs once",
    "docker logs --tail 2 web",
    "docker logs nope",
    "docker top once",
    "docker top web | wc -l",
    "docker diff web",
    "docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{json .Config.Cmd}} {{.HostConfig.RestartPolicy.Name}}' web once",
    "docker inspect web",
    "docker inspect nope web --format '{{.Name}}'",
    "docker inspect -f '{{.State}}' once",
    "docker inspect -f '{{.Config}}' web",
    "docker inspect -f '{{.HostConfig}}' web",
    "docker inspect -f '{{.NetworkSettings}}' once",
    "docker inspect -f '{{.NetworkSettings.Networks}} {{.NetworkSettings.Networks.bridge}} {{.NetworkSettings.Networks.nope}}' once",
    "docker inspect -f '{{.NetworkSettings.Ports}} {{.HostConfig.PortBindings}} {{.Config.ExposedPorts}}' web",
    "docker inspect -f '{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}} {{.GraphDriver.Name}} {{.HostConfig.Binds}}' web",
    "docker inspect -f '{{json .HostConfig.Binds}} {{json .Config.Volumes}} {{json .State.Health}} {{json .Mounts}}' web",
    "docker inspect -f '{{.ID}} {{.Id}}' web",
    "docker inspect -f '{{.Id}}' web",
    "docker inspect -f '{{.SizeRw}} {{.State.Health}} {{.Config.StopTimeout}} {{.HostConfig.Init}}' web",
    "docker inspect -f '{{.State.Health.Status}}' web",
    "docker inspect -f '{{index .Config.Labels \"tier\"}}|{{index .Config.Labels \"no\"}}|{{.Config.Labels.tier}}|{{.Config.Labels.no}}' web",
    "docker inspect -f '{{range $p, $b := .NetworkSettings.Ports}}{{$p}}={{(index $b 0).HostPort}} {{end}}{{len .Config.Env}} {{len .HostConfig.Binds}}' web",
    "docker inspect -f '{{range .State}}x{{end}}' web",
    "docker inspect -f '{{index .State \"Status\"}}' web",
    "docker inspect -f '{{.Nope}}' web",
    "docker inspect -f '{{.State.Nope}}' web",
    "docker inspect -f '{{println .HostConfig.RestartPolicy}}{{print .Args .Path}}{{printf \"%v %s\" .Name .Image}}' web",
    "docker inspect -f '{{if .State.Health}}yes{{else}}no{{end}} {{with .HostConfig.Binds}}b{{else}}none{{end}} {{if .HostConfig.RestartPolicy}}r{{end}}' web",
    "docker inspect -f '{{.RootFS}} {{.Config}} {{.Size}} {{.Metadata.LastTagTime}}' alpine",
    "docker image inspect -f '{{.Config.Cmd}} {{.RepoTags}} {{.Os}}/{{.Architecture}} {{.Config.ExposedPorts}} {{.Config.Labels}}' nginx",
    "docker cp app/hola.txt web:/tmp/",
    "docker cp web:/tmp/hola.txt back.txt",
    "cat back.txt",
    "docker cp web:/nope .",
    "docker cp web:/etc/nginx/. conf",
    "ls conf",
    "docker stop web",
    "docker stop web",
    "docker start web",
    "docker pause web",
    "docker pause web",
    "docker exec web true",
    "docker unpause web",
    "docker rename web front",
    "docker update --memory 64m --memory-swap 128m --restart always front",
    "docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}' front",
    "docker restart front",
    "docker kill -s HUP front",
    "docker kill front",
    "docker wait front",
    "docker rm front once",
    "docker rm -f front",
    "docker rm front",
    "docker tag alpine registro/alpine:1",
    "docker tag alpine Mal",
    "docker rmi registro/alpine:1",
    "docker rmi nope",
    "docker volume create datos",
    "docker volume create --label a=b",
    "docker volume ls",
    "docker run --name escribe -v datos:/d -v /anon alpine sh -c 'echo 1 > /d/uno'",
    "docker run --rm --mount type=volume,source=datos,target=/d,readonly alpine sh -c 'cat /d/uno; echo x > /d/dos'",
    "docker run --rm --mount type=bind,source=/no/hay,target=/d alpine true",
    "docker run --rm -v /srv:/srv --tmpfs /t:size=1m --read-only alpine sh -c 'touch /t/x /x'",
    "docker volume inspect datos",
    "docker volume inspect -f '{{.}}' datos",
    "docker volume inspect -f '{{.Name}} {{.Labels}} {{.Options}} {{.UsageData}} {{json .Labels}}' datos",
    "docker inspect -f '{{.Mounts}}' escribe | cut -c1-20",
    "docker inspect -f '{{range .Mounts}}{{.Destination}}={{.RW}} {{end}}' escribe",
    "docker inspect -f '{{ (index .Mounts 0) }}' escribe | tr ' ' '\\n' | wc -l",
    "docker volume rm datos",
    "docker rm -v escribe",
    "docker volume rm datos",
    "docker volume prune -f",
    "docker network create red --subnet 10.5.0.0/24",
    "docker network create red",
    "docker run -d --name aa --network red --network-alias uno alpine sleep 1000",
    "docker run --rm --network red alpine ping -c 1 uno",
    "docker network inspect red",
    "docker network inspect -f '{{.IPAM}} {{.IPAM.Config}} {{.Options}} {{.ConfigFrom}} {{.Containers}}' red",
    "docker network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}} {{.Created}} {{json .Containers}}' red",
    "docker network ls",
    "docker network connect red aa",
    "docker network connect bridge aa",
    "docker inspect -f '{{json .NetworkSettings.Networks}}' aa",
    "docker network disconnect red aa",
    "docker network rm bridge",
    "docker network rm red",
    "docker network prune -f",
    "docker commit -m mensaje -c 'CMD [\"date\"]' aa copia:1 | cut -c1-7",
    "docker history copia:1 --format '{{.CreatedBy}} {{.Comment}} {{.Size}}'",
    "docker export aa | tar t | head -3",
    "docker save -o copia.tar copia:1",
    "docker save copia:1 | tar t | wc -l",
    "docker rmi copia:1 | cut -c1-8",
    "docker load -i copia.tar",
    "docker load -q -i copia.tar",
    "docker rmi copia:1 | cut -c1-8",
    "docker save nope",
    "docker export aa | docker import - plana:1 | cut -c1-7",
    "docker run --rm plana:1 cat /etc/alpine-release",
    "docker rmi plana:1 | cut -c1-8",
    "docker run -d --name init --init --cpus 0.5 --memory 32m --pids-limit 20 --cap-drop ALL --user 1000 -h equipo alpine sleep 500",
    "docker inspect -f '{{json .HostConfig}}' init",
    "docker inspect -f '{{json .Config}}' init",
    "docker inspect -f '{{.HostConfig}} {{.Config}} {{.HostConfig.Init}} {{.HostConfig.CapDrop}}' init",
    "docker rm -f init aa",
    "docker run --rm --health-cmd 'true' --health-interval 5s --stop-signal INT alpine true",
    "docker run --rm --restart always alpine true",
    "docker run --rm -m 1k alpine true",
    "docker run --rm nginx:nope",
    "docker run --rm alpine nope",
    "docker run --rm --entrypoint /etc/passwd alpine",
    "docker run --rm --user nadie alpine true",
    "docker create --name hecho alpine echo creado",
    "docker start -a hecho",
    "docker attach hecho",
    "docker system df",
    "docker system df -v",
    "docker container prune -f",
    "docker image prune -f",
    "docker system prune -f",
    "docker images -a",
    "docker events --since 2020-01-01 --until $(docker info -f '{{.SystemTime}}') --filter type=volume --format '{{.Type}} {{.Action}} {{.Actor.ID}}'",
    "docker login -u nadie -p mal 2>/dev/null",
    "docker push nginx",
];

/// Classic builds, with their own environment.
const BUILDS: &[&str] = &[
    "docker build -t app app",
    "docker build -t app --build-arg who=yo --label c=d app",
    "docker build -q -t app app",
    "docker run --rm app",
    "docker build bad",
    "docker build --no-cache --target nope app",
    "docker build -f app/nope app 2>&1 | sed s,/.*/app/,,",
    "docker images app",
    "docker history app --format '{{.CreatedBy}} {{.Size}}'",
];

/// Command lines whose last word is completed: the real client's own completion is asked.
const COMPLETIONS: &[&str] = &[
    "attach ",
    "commit ",
    "diff ",
    "exec ",
    "export ",
    "kill ",
    "logs ",
    "pause ",
    "port ",
    "rename ",
    "restart ",
    "rm ",
    "start ",
    "stats ",
    "stop ",
    "top ",
    "unpause ",
    "update ",
    "wait ",
    "container inspect ",
    "container rm -f ",
    "rm -f ex1 ",
    "rm ex1 ",
    "run ",
    "run -it --name x ",
    "run alpine ",
    "create ",
    "pull ",
    "push ",
    "history ",
    "rmi ",
    "save ",
    "tag ",
    "tag alpine ",
    "image inspect ",
    "image rm foo/bar:1 ",
    "volume rm ",
    "volume inspect ",
    "network rm ",
    "network inspect ",
    "network connect ",
    "network connect net1 ",
    "network disconnect net1 ",
    "run --network ",
    "run --network=",
    "run --restart ",
    "run --pull ",
    "run --volumes-from ",
    "run --link ",
    "run --pid ",
    "run --ipc ",
    "run --userns ",
    "run --uts ",
    "run --attach ",
    "run --cgroupns ",
    "run --security-opt ",
    "run --ulimit ",
    "run --cap-add CAP_NET",
    "run --log-driver ",
    "update --restart ",
    "events --filter ",
    "container ",
    "network ",
    "volume ",
    "con",
    "run --ne",
    "ps --no",
    "start r",
    "stop r",
    "rm r",
];

/// What our own completion offers that the real one does not know of, or the other way round.
const ONLY_HERE: &[&str] = &["buildx", "compose"];
const ONLY_THERE: &[&str] = &["bake"];

/// The daemon, killed when the test ends.
struct Daemon {
    process: Child,
    folder: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Daemon {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("capas-daemon-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for (name, text) in FILES {
            let path = folder.join("work").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let address = format!("unix://{}", folder.join("docker.sock").display());
        let process = Command::new(env!("CARGO_BIN_EXE_capas"))
            .args(["daemon", "--host", &address, "--speed", "instant"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { process, folder };
        for _ in 0..600 {
            if daemon.folder.join("docker.sock").exists() {
                return daemon;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the daemon did not come up");
    }

    /// What the real client says.
    fn real(&self, command: &str, classic: bool) -> String {
        let out = Command::new("timeout")
            .args(["120", "sh", "-c", &format!("{{ {command}; }} 2>&1")])
            .current_dir(self.folder.join("work"))
            .env("DOCKER_HOST", format!("unix://{}", self.folder.join("docker.sock").display()))
            .env("DOCKER_CONFIG", self.folder.join("config"))
            .env("DOCKER_BUILDKIT", if classic { "0" } else { "1" })
            .env_remove("DOCKER_CONTEXT")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        format!("{}? {}\n", String::from_utf8_lossy(&out.stdout), out.status.code().unwrap_or(-1))
    }
}

/// What our own client says.
fn ours(machine: &mut Machine, command: &str, classic: bool) -> String {
    let (quiet, limit) = (Duration::from_secs(3600), Duration::from_secs(7200));
    let console = machine.console();
    let builder = if classic { "export DOCKER_BUILDKIT=0; " } else { "" };
    let line = format!("{builder}{{ {command}; }} >/tmp/out 2>&1 </dev/null; echo $? >/tmp/status\r");
    machine.input(console, line.as_bytes());
    machine.settle(console, quiet, limit);
    let read = |path: &str| machine.file(path).map(|rope| rope.to_vec()).unwrap_or_default();
    format!("{}? {}", String::from_utf8_lossy(&read("/tmp/out")), String::from_utf8_lossy(&read("/tmp/status")))
}

/// What is left without times and what depends on them: columns are as wide as they need to be.
fn timeless(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, with) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
        (r"\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4} [A-Z]+)?", "<time>"),
        (r"(Less than a second|About an? (minute|hour)|\d+ (seconds?|minutes?|hours?))", "<age>"),
        (r"time=\d+\.\d+ ms", "time=<ms>"),
        (r"= [\d./]+ ms", "= <ms>"),
        (r#""Pid": [1-9]\d*"#, "<pid>"),
        (r"0xc[0-9a-f]+", "<pointer>"),
        // A table of Go has no order.
        (r" Runtimes: .*", " Runtimes:"),
        (r" {2,}", "  "),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
    }
    text
}

/// What a word can become, by our completion and by the real client's (cobra's hidden command).
fn completions(daemon: &Daemon, machine: &Machine, line: &str) -> (Vec<String>, Vec<String>) {
    let typed = line.rsplit(' ').next().unwrap();
    let words: Vec<bstr::BString> = format!("docker {line}").split(' ').map(Into::into).collect();
    let tidy = |words: Vec<String>, other: &[&str]| {
        let fits = |word: &String| word.starts_with(typed) && !other.contains(&word.as_str());
        // `alpine` is as good a name as `alpine:latest`.
        let short = |word: String| word.strip_suffix(":latest").map_or(word.clone(), str::to_owned);
        let mut words: Vec<String> = words.into_iter().filter(fits).map(short).collect();
        words.sort();
        words.dedup();
        words
    };
    let ours = capas::docker::cli::complete::complete(machine.daemon(), &words).unwrap_or_default();
    let ours = tidy(ours.iter().map(ToString::to_string).collect(), ONLY_HERE);
    let quoted: String = line.split(' ').map(|word| format!(" '{word}'")).collect();
    let real = daemon.real(&format!("docker __complete{quoted} 2>/dev/null"), false);
    let real = real.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned());
    // It gives a flag's values without the flag.
    let before = typed.split_once('=').map_or(String::new(), |(flag, _)| format!("{flag}="));
    let real = real.filter(|word| !word.is_empty() && !word.starts_with([':', '?'])).map(|word| {
        match word.starts_with("--") {
            true => word,
            false => format!("{before}{word}"),
        }
    });
    (ours, tidy(real.collect(), ONLY_THERE))
}

#[test]
fn the_real_client_completes_what_ours_completes() {
    if Command::new("docker").arg("--version").output().is_err() {
        println!("SKIPPED: the real docker client is not on this machine");
        return;
    }
    let daemon = Daemon::start("completion");
    let mut machine = Machine::new(Config::default());
    for command in [
        "docker pull -q alpine",
        "docker tag alpine foo/bar:1",
        "docker run -d --name run1 alpine sleep 100000",
        "docker run -d --name pa1 alpine sleep 100000",
        "docker pause pa1",
        "docker run --name ex1 alpine true",
        "docker create --name cr1 alpine true",
        "docker volume create vol1",
        "docker network create net1",
        "docker network connect net1 run1",
    ] {
        ours(&mut machine, command, false);
        daemon.real(command, false);
    }
    let mut differ = Vec::new();
    for line in COMPLETIONS {
        let (ours, real) = completions(&daemon, &machine, line);
        if ours != real {
            differ.push(format!("docker {line}\n  ours {ours:?}\n  real {real:?}"));
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

#[test]
fn the_real_client_sees_what_ours_sees() {
    if Command::new("docker").arg("--version").output().is_err() {
        println!("SKIPPED: the real docker client is not on this machine");
        return;
    }
    let daemon = Daemon::start("transcript");
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let epoch = Timestamp(i64::try_from(since.as_nanos()).unwrap());
    let mut machine = Machine::new(Config { epoch, cols: 1000, ..Config::default() });
    for (name, text) in FILES {
        machine.put_file(&Path::new("/home/alumno").join(name).display().to_string(), text.as_bytes()).unwrap();
    }
    let commands = COMMANDS.iter().map(|c| (*c, false)).chain(BUILDS.iter().map(|c| (*c, true)));
    let mut differ = Vec::new();
    for (command, classic) in commands {
        let mut ours = timeless(&ours(&mut machine, command, classic));
        let mut real = timeless(&daemon.real(command, classic));
        if classic {
            // Images that are built have their time in their id.
            let id = Regex::new("[0-9a-f]{12,64}").unwrap();
            [&mut ours, &mut real].into_iter().for_each(|text| *text = id.replace_all(text, "<id>").into_owned());
        }
        if ours != real {
            differ.push(format!("$ {command}\n--- ours\n{ours}--- real\n{real}"));
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

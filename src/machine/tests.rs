//! The machine's claims: same seed and journal, same bytes.

use super::*;
use crate::base::sort::Arrange;

fn session(machine: &mut Machine, commands: &[&str]) -> Vec<u8> {
    let tty = machine.console();
    let mut out = machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60));
    for command in commands {
        machine.input(tty, command.as_bytes());
        machine.input(tty, b"\r");
        out.extend(machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60)));
    }
    out
}

const COMMANDS: [&str; 4] =
    ["echo hola > f; cat f", "sleep 2; date", "for i in 1 2 3; do echo $i$RANDOM; done", "ls -l /"];

#[test]
fn same_seed_and_inputs_give_the_same_bytes() {
    let run = || session(&mut Machine::new(Config::default()), &COMMANDS);
    let out = run();
    assert!(String::from_utf8_lossy(&out).contains("hola"));
    assert_eq!(out, run());
}

#[test]
fn replaying_the_journal_leads_to_the_same_world() {
    let mut machine = Machine::new(Config::default());
    session(&mut machine, &COMMANDS);
    let mut again = Machine::replay(machine.journal());
    assert_eq!(again.now(), machine.now());
    assert!(String::from_utf8_lossy(&again.take_output(again.console())).contains("hola"));
    assert_eq!(session(&mut again, &["cat f; date; ps ax"]), session(&mut machine, &["cat f; date; ps ax"]));
    assert_eq!(again.journal(), machine.journal());
}

/// What a session is known by from outside: terminal bytes, the event log, everything that has an id or a time.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    output: Vec<String>,
    events: String,
    ids: Vec<String>,
    now: Timestamp,
}

fn seen(machine: &mut Machine, mut output: Vec<Vec<u8>>) -> Seen {
    for (index, kept) in output.iter_mut().enumerate() {
        let tty = machine.consoles.keys().nth(index).copied().unwrap();
        kept.extend(machine.take_output(tty));
    }
    let daemon = machine.daemon();
    let (events, _) = daemon.log_since(0);
    let ids = daemon.store().borrow().images().map(|image| image.id().to_string()).collect();
    Seen {
        output: output.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect(),
        events: format!("{events:?}"),
        ids,
        now: machine.now(),
    }
}

/// A session in uneven slices, with output taken now and then, as a page does it. Returns the world and what it showed.
fn mixed(upto: usize) -> (Machine, Vec<Vec<u8>>) {
    const DOCKERFILE: &[u8] = b"FROM alpine\nRUN echo $RANDOM > /r && adduser -D x\nCOPY . /app\n";
    let mut machine = Machine::new(Config { seed: 7, ..Config::default() });
    // Terminals of containers have numbers too: the second console's follows from what ran before.
    let (first, mut second) = (TtyId(0), TtyId(0));
    let steps: [(&[u8], u64); 12] = [
        (b"docker run -d --name web -p 8080:80 nginx\r", 20_000),
        (b"mkdir app; cd app; docker build -t own .\r", 9_000),
        (b"docker run -it own sh\r", 8_000),
        (b"cat /r; ls -l /app; sleep 100\r", 1_500),
        (b"\x03", 300),
        (b"exit\r", 700),
        (b"seq 1 200000\r", 3),
        (b"\x03", 900),
        (b"yes | head -c 3000000 | wc; curl -s localhost:8080 | sha256sum\r", 2_000),
        (b"docker kill web; docker volume create; docker ps -a --no-trunc; docker network ls\r", 4_000),
        (b"vi x\r", 400),
        (b"docker rm -f web; date +%N\r", 12_000),
    ];
    let mut output = vec![Vec::new(), Vec::new()];
    for (index, (keys, millis)) in steps.into_iter().enumerate().take(upto) {
        match index {
            1 => machine.put_file("/home/alumno/app/Dockerfile", DOCKERFILE).unwrap(),
            3 => machine.resize(first, 100, 30),
            5 => second = machine.open_console(80, 24),
            8 => machine.input(second, b"docker pull busybox; docker run --rm busybox id; echo $$\r"),
            _ => {}
        }
        machine.input(first, keys);
        let end = machine.now() + Duration::from_millis(millis);
        let mut fuel = 777;
        while machine.now() < end {
            fuel = fuel * 31 % 65_537 + 100;
            let stop = machine.run(fuel);
            if fuel % 3 == 0 {
                output.iter_mut().zip([first, second]).for_each(|(kept, tty)| kept.extend(machine.take_output(tty)));
            }
            match stop {
                Stop::OutOfFuel => {}
                Stop::Idle => machine.advance_to(end),
                Stop::Until(time) => machine.advance_to(time.min(end)),
            }
        }
    }
    (machine, output)
}

#[test]
fn a_replayed_session_shows_the_same_bytes_events_and_ids() {
    let (mut machine, output) = mixed(usize::MAX);
    let journal = machine.journal().clone();
    let was = seen(&mut machine, output);
    let shown = was.output.concat();
    for claim in ["naming to", "uid=0", "^C", "1500000 1500000 3000000", "nginx -g", "bridge"] {
        assert!(shown.contains(claim), "{claim} is missing: {}", was.output[1]);
    }
    assert!(was.ids.len() > 2 && was.events.len() > 1_000, "{was:?}");
    let mut again = Machine::replay(&journal);
    assert_eq!(seen(&mut again, vec![vec![], vec![]]), was);
    assert_eq!(again.journal(), &journal);
    // Written and read, the journal is the same session.
    let read: Journal = serde_json::from_str(&serde_json::to_string(&journal).unwrap()).unwrap();
    assert_eq!(read, journal);
    // Another seed is another session: the comparison can fail.
    let mut other = Machine::replay(&Journal { seed: 8, ..journal });
    assert_ne!(seen(&mut other, vec![vec![], vec![]]), was);
}

#[test]
fn a_prefix_of_a_journal_leads_to_where_the_session_was() {
    let (whole, _) = mixed(usize::MAX);
    let (part, _) = mixed(7);
    let count = part.journal().inputs.len();
    assert_eq!(whole.journal().inputs[..count], part.journal().inputs[..]);
    let mut prefix = Machine::replay_to(whole.journal(), Moment { inputs: count, until: part.now() });
    let mut straight = Machine::replay(part.journal());
    assert_eq!(seen(&mut prefix, vec![vec![], vec![]]), seen(&mut straight, vec![vec![], vec![]]));
}

#[test]
fn a_dropped_machine_leaves_nothing_behind() {
    let (machine, _) = mixed(8);
    let kernel = machine.kernel().life();
    let store = Rc::downgrade(machine.daemon().store());
    let files = Rc::downgrade(&machine.host_files());
    assert!(kernel.strong_count() > 1 && store.strong_count() > 0);
    drop(machine);
    assert_eq!((kernel.strong_count(), store.strong_count(), files.strong_count()), (0, 0, 0));
}

#[test]
fn pasting_many_lines_takes_time_in_proportion() {
    let mut machine = Machine::new(Config::default());
    let tty = machine.console();
    session(&mut machine, &[]);
    machine.input(tty, ":\r".repeat(20_000).as_bytes());
    machine.input(tty, b"echo li''sto\r");
    let out = machine.settle(tty, Duration::from_secs(5), Duration::from_secs(600));
    assert!(out.ends_with(b"$ ") || String::from_utf8_lossy(&out).contains("\nlisto"));
}

#[test]
fn the_browser_asks_through_the_machines_network_and_replays() {
    use super::browser::{NoPage, Request};
    let mut machine = Machine::new(Config::default());
    let tty = machine.console();
    let limit = Duration::from_secs(60);
    machine.input(tty, b"docker run -d --name web -p 8080:80 nginx\r");
    machine.settle(tty, Duration::from_secs(1), limit);
    let visit = |machine: &mut Machine, url: &str| {
        let number = machine.fetch(Request { url: url.to_owned(), ..Request::default() });
        for _ in 0..1_000 {
            if let Stop::Until(time) = machine.run(1 << 16) {
                machine.advance_to(time);
            }
            if let Some(answer) = machine.take_page(number) {
                return answer;
            }
        }
        panic!("no answer from {url}");
    };
    let page = visit(&mut machine, "localhost:8080/").unwrap();
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html"));
    assert!(String::from_utf8_lossy(&page.body.to_vec()).contains("Welcome to nginx!"));
    assert_eq!(visit(&mut machine, "http://localhost:8080/none").unwrap().status, 404);
    // What the container's own files say is what comes.
    machine.input(tty, b"docker exec web sh -c 'echo propio > /usr/share/nginx/html/index.html'\r");
    machine.settle(tty, Duration::from_secs(1), limit);
    assert_eq!(visit(&mut machine, "localhost:8080").unwrap().body.to_vec(), b"propio\n");
    assert_eq!(visit(&mut machine, "localhost:81").unwrap_err(), NoPage::Refused);
    assert_eq!(visit(&mut machine, "http://nobody:80").unwrap_err(), NoPage::UnknownHost);
    assert_eq!(visit(&mut machine, "https://localhost:8080").unwrap_err(), NoPage::Scheme);
    assert_eq!(visit(&mut machine, "localhost:8080/\r\nX: y").unwrap_err(), NoPage::BadAddress);
    machine.input(tty, b"docker logs web 2>&1 | grep -c Capas\r");
    let logged = machine.settle(tty, Duration::from_secs(1), limit);
    assert!(String::from_utf8_lossy(&logged).contains("\n3\r"), "{}", String::from_utf8_lossy(&logged));
    let mut again = Machine::replay(machine.journal());
    assert!(String::from_utf8_lossy(&again.take_output(tty)).contains("\n3\r"));
    assert_eq!(again.journal(), machine.journal());
}

#[test]
fn the_student_saves_only_where_the_student_may_write() {
    let mut machine = Machine::new(Config::default());
    machine.save_file("/home/alumno/Dockerfile", "FROM alpine\n").unwrap();
    assert_eq!(machine.file("/home/alumno/Dockerfile").unwrap().to_vec(), b"FROM alpine\n");
    assert_eq!(machine.save_file("/etc/hosts", "no"), Err(Errno::EACCES));
    assert_eq!(machine.save_file("/home/alumno/none/x", "no"), Err(Errno::ENOENT));
    let mut again = Machine::replay(machine.journal());
    assert_eq!(again.file("/home/alumno/Dockerfile").unwrap().to_vec(), b"FROM alpine\n");
    assert_eq!(again.save_file("/etc", "no"), Err(Errno::EISDIR));
}

#[test]
fn programs_ask_the_desktop_on_the_host_only() {
    use crate::os::kernel::desktop::Wish;
    let mut machine = Machine::new(Config::default());
    let tty = machine.console();
    let mut wishes = |line: &[u8]| {
        machine.input(tty, line);
        machine.settle(tty, Duration::from_secs(1), Duration::from_secs(60));
        (machine.take_wishes(), machine.journal().clone())
    };
    assert_eq!(wishes(b"edit ../alumno/Dockerfile\r").0, [Wish::Edit("/home/alumno/Dockerfile".into())]);
    assert_eq!(wishes(b"xdg-open http://localhost:80\r").0, [Wish::Browse("http://localhost:80".into())]);
    assert_eq!(wishes(b"edit /etc; edit\r").0, []);
    let (seen, journal) = wishes(b"nano x\r");
    assert_eq!(seen, [Wish::Editing("/home/alumno/x".into())]);
    assert_eq!(Machine::replay(&journal).take_wishes(), []);
    assert_eq!(wishes(b"\x18").0, []);
    assert_eq!(wishes(b"docker run --rm -it alpine vi y\r").0, []);
}

/// What a moment looks like from outside.
fn at(machine: &Machine, index: usize) -> (String, Vec<String>) {
    let moment = machine.commands().moment(machine.journal(), index);
    let mut then = Machine::replay_to(machine.journal(), moment);
    let tty = then.console();
    let shown = String::from_utf8_lossy(&then.take_output(tty)).into_owned();
    let state = then.daemon().snapshot();
    let mut names: Vec<String> = state.containers.iter().map(|container| container.name.clone()).collect();
    names.arrange();
    (shown, names)
}

fn typed(machine: &mut Machine, keys: &[u8]) {
    let tty = machine.console();
    for key in keys {
        machine.input(tty, &[*key]);
        machine.run(1 << 20);
        machine.advance_to(machine.now() + Duration::from_millis(90));
        machine.run(1 << 20);
    }
    if keys.ends_with(b"\r") {
        machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60));
    }
}

#[test]
fn commands_know_where_they_begin_and_how_they_ended() {
    let mut machine = Machine::new(Config::default());
    session(&mut machine, &[]);
    typed(&mut machine, b"docker run -d --name one nginx\r");
    typed(&mut machine, b"docker rm -f one\r");
    typed(&mut machine, b"docker rm missing\r");
    typed(&mut machine, b"echo half");
    let all: Vec<_> = machine.commands().all().iter().map(|c| (c.text.as_str(), c.status, c.is_direct)).collect();
    assert_eq!(
        all,
        [
            ("docker run -d --name one nginx", Some(0), true),
            ("docker rm -f one", Some(0), true),
            ("docker rm missing", Some(1), true)
        ]
    );
    let (start, after_run, after_rm) = (at(&machine, 0), at(&machine, 1), at(&machine, 2));
    assert!(start.1.is_empty() && !start.0.contains("docker"), "{start:?}");
    assert_eq!(after_run.1, ["one"]);
    assert!(after_run.0.ends_with("$ ") && !after_run.0.contains("rm"), "{after_run:?}");
    assert!(after_rm.1.is_empty() && after_rm.0.ends_with("$ "), "{after_rm:?}");
    assert!(at(&machine, 3).0.ends_with("echo half"));
}

#[test]
fn what_is_typed_ahead_belongs_to_its_own_command() {
    let mut machine = Machine::new(Config::default());
    session(&mut machine, &[]);
    let tty = machine.console();
    machine.input(tty, b"sleep 3; echo on''e\r");
    machine.advance_to(machine.now() + Duration::from_secs(1));
    machine.run(1 << 20);
    machine.input(tty, b"echo tw''o\r");
    machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60));
    assert_eq!(machine.commands().all().len(), 2);
    let between = at(&machine, 1).0;
    assert!(between.contains("one") && !between.contains("tw") && between.ends_with("$ "), "{between:?}");
    assert!(at(&machine, 2).0.contains("two"));
}

#[test]
fn lines_typed_into_a_container_are_commands_too() {
    let mut machine = Machine::new(Config::default());
    session(&mut machine, &[]);
    for line in
        [&b"docker run -it --name box alpine\r"[..], b"touch /new\r", b"false\r", b"exit\r", b"docker diff box\r"]
    {
        typed(&mut machine, line);
    }
    let all: Vec<_> = machine.commands().all().iter().map(|c| (c.text.as_str(), c.status, c.is_direct)).collect();
    assert_eq!(
        all,
        [
            ("docker run -it --name box alpine", Some(1), true),
            ("touch /new", Some(0), false),
            ("false", Some(1), false),
            ("exit", Some(1), false),
            ("docker diff box", Some(0), true),
        ]
    );
    let inside = at(&machine, 2).0;
    assert!(inside.ends_with("touch /new\r\n/ # "), "{inside:?}");
}

#[test]
fn a_replay_in_slices_beside_another_is_the_same_replay() {
    let (machine, _) = mixed(usize::MAX);
    let journal = Rc::new(machine.journal().clone());
    let end = machine.commands().moment(&journal, usize::MAX);
    let mut whole = Machine::replay(&journal);
    let mut replay = Replay::beside(&machine, Rc::clone(&journal), end);
    let mut slices = 0;
    while !replay.step(300) {
        slices += 1;
    }
    assert!(slices > 20, "{slices}");
    assert_eq!(replay.progress(), (journal.inputs.len(), journal.inputs.len()));
    let mut sliced = replay.into_machine();
    assert_eq!(sliced.commands().all(), machine.commands().all());
    assert_eq!(seen(&mut sliced, vec![vec![], vec![]]), seen(&mut whole, vec![vec![], vec![]]));
}

/// What the line says after `typed`, a tab key being `\t`.
fn tabbed(machine: &mut Machine, typed: &str) -> String {
    let tty = machine.console();
    machine.input(tty, typed.as_bytes());
    // A comment, so that nothing is done.
    machine.input(tty, b"\x01#\r");
    drop(machine.settle(tty, Duration::from_secs(5), Duration::from_secs(60)));
    let entered = machine.entered();
    let line = entered.last().map(|entered| entered.text.clone()).unwrap_or_default();
    line.trim_start_matches('#').to_owned()
}

#[test]
fn tab_completes_what_docker_has_in_its_place() {
    let mut machine = Machine::new(Config::default());
    let commands = [
        "docker pull -q nginx:1.21",
        "docker run -d --name web nginx:1.21",
        "docker create --name wartet nginx:1.21",
        "docker volume create vorrat",
        "docker network create netz",
        "mkdir wolke; touch wolke/datei",
    ];
    session(&mut machine, &commands);
    for (typed, expected) in [
        ("docker vol\t", "docker volume "),
        ("docker volume ins\t", "docker volume inspect "),
        ("docker run --netw\t", "docker run --network"),
        ("docker run --network n\te\t", "docker run --network netz "),
        ("docker run --restart=unl\t", "docker run --restart=unless-stopped "),
        ("docker run -d --name x ngi\t", "docker run -d --name x nginx:1.21 "),
        ("docker run -v vor\t", "docker run -v vorrat:"),
        // Only what runs can be stopped, only what stands still started.
        ("docker stop w\t", "docker stop web "),
        ("docker start w\t", "docker start wartet "),
        ("docker rm w\t", "docker rm wartet "),
        ("docker rm -f we\t", "docker rm -f web "),
        ("docker ps --filter status=pau\t", "docker ps --filter status=paused "),
        ("docker cp web:/etc/ngi\t", "docker cp web:/etc/nginx/"),
        ("docker cp we\t", "docker cp web:"),
        ("docker cp wol\tda\t", "docker cp wolke/datei "),
        ("docker network connect ne\tw\ta\t", "docker network connect netz wartet "),
        ("docker exec web l\t", "docker exec web l"),
    ] {
        assert_eq!(tabbed(&mut machine, typed), expected, "{typed:?}");
    }
}

#[test]
fn a_line_that_is_typed_survives_another_width() {
    let shows = |cols: usize, keys: &[u8], then: &[usize]| -> Vec<String> {
        let mut machine = Machine::new(Config { cols: cols as u16, rows: 12, ..Config::default() });
        let tty = machine.console();
        let mut screen = avt::Terminal::with_scrollback(cols, 12, Some(100)).unwrap();
        let run = |machine: &mut Machine, screen: &mut avt::Terminal| {
            let out = machine.settle(tty, Duration::from_millis(100), Duration::from_secs(5));
            screen.feed(String::from_utf8_lossy(&out).as_ref());
        };
        run(&mut machine, &mut screen);
        machine.input(tty, b"seq 4\r");
        run(&mut machine, &mut screen);
        machine.input(tty, keys);
        run(&mut machine, &mut screen);
        for cols in then {
            screen.resize(*cols, 12);
            machine.resize(tty, *cols as u16, 12);
            run(&mut machine, &mut screen);
        }
        machine.input(tty, b"z");
        run(&mut machine, &mut screen);
        let lines = screen.screen().all_lines().map(|line| line.text().trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let line = b"echo uno dos tres cuatro cinco seis siete ocho nueve diez once doce";
    for keys in [
        &line[..],
        b"echo uno dos tres cuatro cinco seis siete ocho nueve diez once doce\x1bb\x1bb",
        b"echo 45678901234567890",
    ] {
        for cols in [80, 40, 35, 20] {
            for then in [20, 28, 35, 40, 60, 120] {
                let alone = shows(then, keys, &[]);
                assert_eq!(shows(cols, keys, &[then]), alone, "{cols} {then}");
                assert_eq!(shows(cols, keys, &[33, then]), alone, "{cols} 33 {then}");
            }
        }
    }
}

//! `nohup`, `setsid`, `nice`, `time`, `flock`, `su`, `usleep`, `sync`, `service`: programs that start others, mostly.

use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::names::Names;
use super::program::{Done, Run, number, quoted, run, spec, text};
use super::spawn::status_of;
use crate::base::errno::Errno;
use crate::os::args::{flag, value};
use crate::os::fs::mounts::Cred;
use crate::os::kernel::{Disposition, Open, Proc, Signal};

spec!(NOHUP, "nohup", "COMMAND [ARG]...", [], stop_at_operand: true, usage_status: 125);
spec!(SETSID, "setsid", "[options] <program> [arguments ...]", [flag('c', "ctty"), flag('f', "fork"), flag('w', "wait")], stop_at_operand: true);
spec!(NICE, "nice", "[OPTION] [COMMAND [ARG]...]", [value('n', "adjustment")], stop_at_operand: true, digits: Some('n'), usage_status: 125);
spec!(TIME, "time", "[-vpao] PROG ARGS", [flag('v', "verbose"), flag('p', "portability"), flag('a', "append"), value('o', "output"), value('f', "format")], stop_at_operand: true, usage_status: 125);
spec!(FLOCK, "flock", "[options] <file>|<directory> <command> [<argument>...]", [flag('s', "shared"), flag('x', "exclusive"), flag('e', ""), flag('n', "nonblock"), flag('u', "unlock"), value('w', "timeout"), value('c', "command"), value('E', "conflict-exit-code"), flag('F', "no-fork")], stop_at_operand: true, usage_status: 64);
spec!(
    SU,
    "su",
    "[options] [-] [<user> [<argument>...]]",
    [flag('l', "login"), flag('m', "preserve-environment"), flag('p', ""), value('c', "command"), value('s', "shell")]
);
spec!(USLEEP, "usleep", "N", []);
spec!(SYNC, "sync", "[OPTION] [FILE]...", [flag('d', "data"), flag('f', "file-system")]);
spec!(SERVICE, "service", "< option > | --status-all | [ service_name [ command | --full-restart ] ]", [flag('\0', "status-all"), flag('\0', "full-restart")], stop_at_operand: true);

spec!(CHROOT, "chroot", "NEWROOT [COMMAND [ARG]...]", [], stop_at_operand: true, usage_status: 125);

/// `chroot`.
pub async fn chroot(proc: Proc) -> i32 {
    run(proc, &CHROOT, |run| Box::pin(chroot_body(run))).await
}

/// `nohup`.
pub async fn nohup(proc: Proc) -> i32 {
    run(proc, &NOHUP, |run| Box::pin(nohup_body(run))).await
}

/// `setsid`.
pub async fn setsid(proc: Proc) -> i32 {
    run(proc, &SETSID, |run| Box::pin(setsid_body(run))).await
}

/// `nice`.
pub async fn nice(proc: Proc) -> i32 {
    run(proc, &NICE, |run| Box::pin(nice_body(run))).await
}

/// `time`.
pub async fn time(proc: Proc) -> i32 {
    run(proc, &TIME, |run| Box::pin(time_body(run))).await
}

/// `flock`.
pub async fn flock(proc: Proc) -> i32 {
    run(proc, &FLOCK, |run| Box::pin(flock_body(run))).await
}

/// `su`.
pub async fn su(proc: Proc) -> i32 {
    let mut argv = proc.args();
    // A lone dash is `--login`.
    argv.iter_mut().skip(1).filter(|word| *word == "-").for_each(|word| *word = "-l".into());
    super::program::run_as(proc, &SU, &argv, |run| Box::pin(su_body(run))).await
}

/// `usleep`.
pub async fn usleep(proc: Proc) -> i32 {
    run(proc, &USLEEP, |run| Box::pin(usleep_body(run))).await
}

/// `sync`: everything is always written.
pub async fn sync(proc: Proc) -> i32 {
    run(proc, &SYNC, |run| Box::pin(sync_body(run))).await
}

/// `service`.
pub async fn service(proc: Proc) -> i32 {
    run(proc, &SERVICE, |run| Box::pin(service_body(run))).await
}

/// Becomes another program; what hinders is told as `name` tells it.
async fn become_other(run: &mut Run, command: Vec<BString>) -> i32 {
    let Some(program) = command.first().cloned() else { return 0 };
    if run.flush().await.is_err() {
        return 1;
    }
    let error = match run.proc.search(program.as_bstr()) {
        Ok(path) => match run.proc.exec(&path, command, run.proc.env()).await {
            Ok(status) => return status,
            Err(error) => error,
        },
        Err(error) => error,
    };
    let why = if error == Errno::ENOSYS { "this program is not simulated in Capas" } else { error.strerror() };
    let message = match run.is_busybox() {
        true => format!("can't execute '{program}': {why}"),
        false => format!("failed to run command {}: {why}", quoted(&program)),
    };
    run.complain(message).await;
    if error == Errno::ENOENT { 127 } else { 126 }
}

async fn chroot_body(run: &mut Run) -> Done {
    let mut command = run.args.operands.clone();
    if command.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    let root = command.remove(0);
    if let Err(error) = run.proc.chroot(&root) {
        let busybox = run.is_busybox();
        let what = if busybox { "can't change root directory to" } else { "cannot change root directory to" };
        run.complain(format!("{what} {}: {}", quoted(&root), error.strerror())).await;
        return Ok(if busybox { 1 } else { 125 });
    }
    if command.is_empty() {
        let shell = run.proc.getenv("SHELL").unwrap_or_else(|| "/bin/sh".into());
        command = vec![shell, "-i".into()];
    }
    Ok(become_other(run, command).await)
}

async fn nohup_body(run: &mut Run) -> Done {
    let command = run.args.operands.clone();
    if command.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    let (input, output) = (run.proc.tty_of(0).is_some(), run.proc.tty_of(1).is_some());
    if input {
        let null = run.proc.open(b"/dev/null", Open::READ)?;
        run.proc.dup2(null, 0)?;
        run.proc.close(null)?;
    }
    if output {
        let home = run.proc.getenv("HOME").unwrap_or_default();
        let mut name = BString::from("nohup.out");
        let mut opened = run.proc.open(&name, Open { create: Some(0o600), ..Open::APPEND });
        if opened.is_err() {
            name = [home.as_slice(), b"/nohup.out"].concat().into();
            opened = run.proc.open(&name, Open { create: Some(0o600), ..Open::APPEND });
        }
        let ignoring = if input { "ignoring input and " } else { "" };
        match (opened, run.is_busybox()) {
            (Ok(fd), busybox) => {
                run.proc.dup2(fd, 1)?;
                run.proc.close(fd)?;
                let text = if busybox {
                    format!("appending output to {name}\n")
                } else {
                    format!("{ignoring}appending output to '{name}'\n")
                };
                run.proc.eprint(format!("{}: {text}", run.name)).await;
            }
            (Err(error), _) => {
                run.complain(format!("failed to open {}: {}", quoted(&name), error.strerror())).await;
                return Ok(125);
            }
        }
    } else if input && !run.is_busybox() {
        run.proc.eprint(format!("{}: ignoring input\n", run.name)).await;
    }
    if run.proc.tty_of(2).is_some() {
        run.proc.dup2(1, 2)?;
    }
    run.proc.on_signal(Signal::HUP, Disposition::Ignore);
    Ok(become_other(run, command).await)
}

async fn setsid_body(run: &mut Run) -> Done {
    let command = run.args.operands.clone();
    if command.is_empty() {
        return Ok(run.missing("no command specified").await);
    }
    // A leader of a group can't begin a session: a child does.
    if run.proc.group() != run.proc.pid() && !run.args.has('f') {
        run.proc.set_session();
        return Ok(become_other(run, command).await);
    }
    let child = run.proc.fork(move |child| {
        Box::pin(async move {
            child.set_session();
            status_of(&child, command).await
        })
    })?;
    if !run.args.has('w') {
        return Ok(0);
    }
    match run.proc.wait(Some(child), false).await {
        Ok(crate::os::kernel::syscall::Waited::Ended(_, status)) => Ok(status.code()),
        _ => Ok(1),
    }
}

async fn nice_body(run: &mut Run) -> Done {
    let command = run.args.operands.clone();
    let by = run.args.value('n').map_or(Some(10), |n| number::<i32>(n));
    let Some(by) = by else {
        run.complain(format!("invalid adjustment {}", quoted(run.args.value('n').map_or(b"".as_slice(), |n| n)))).await;
        return Ok(125);
    };
    if command.is_empty() {
        // Nobody has another niceness: the scheduler takes turns.
        run.put("0\n").await?;
        return Ok(0);
    }
    if by < 0 && run.proc.cred().uid != 0 {
        run.proc.eprint(format!("{}: cannot set niceness: Permission denied\n", run.name)).await;
    }
    Ok(become_other(run, command).await)
}

async fn time_body(run: &mut Run) -> Done {
    let command = run.args.operands.clone();
    if command.is_empty() {
        return Ok(run.missing("missing program to run").await);
    }
    if ['v', 'o', 'f', 'a'].iter().any(|letter| run.args.has(*letter)) {
        run.complain("only -p is simulated in Capas").await;
        return Ok(1);
    }
    let used = |run: &Run| -> u64 { run.proc.processes().iter().map(|process| process.cpu_micros).sum() };
    let (start, before) = (run.proc.now(), used(run));
    let status = status_of(&run.proc, command).await;
    let real = run.proc.now().since(start).as_secs_f64();
    let user = used(run).saturating_sub(before) as f64 / 1e6;
    let text = match (run.is_busybox(), run.args.has('p')) {
        (_, true) => format!("real {real:.2}\nuser {user:.2}\nsys 0.00\n"),
        (true, _) => {
            let cell = |seconds: f64| format!("{}m {:.2}s", (seconds / 60.0) as u64, seconds % 60.0);
            format!("real\t{}\nuser\t{}\nsys\t{}\n", cell(real), cell(user), cell(0.0))
        }
        (false, false) => {
            let (minutes, seconds) = ((real / 60.0) as u64, real % 60.0);
            let percent = if real > 0.0 { (user * 100.0 / real) as u64 } else { 0 };
            format!("{user:.2}user 0.00system {minutes}:{seconds:05.2}elapsed {percent}%CPU\n")
        }
    };
    run.proc.eprint(text).await;
    Ok(status)
}

/// The kernel keeps no locks. Taking turns is simulated among the processes that run `flock` on the same file: who came
/// first has it.
async fn flock_body(run: &mut Run) -> Done {
    let mut words = run.args.operands.clone();
    if words.is_empty() {
        return Ok(run.missing("not enough arguments").await);
    }
    let path = words.remove(0);
    if number::<i32>(&path).is_some() && words.is_empty() {
        run.complain("locking an open descriptor is not simulated in Capas").await;
        return Ok(1);
    }
    if let Some(line) = run.args.value('c') {
        words = vec!["sh".into(), "-c".into(), line.to_owned()];
    } else if let [option, line] = words.as_slice()
        && option == "-c"
    {
        words = vec!["sh".into(), "-c".into(), line.clone()];
    }
    let fd = match run.proc.open(&path, Open { create: Some(0o666), truncate: false, ..Open::READ_WRITE }) {
        Ok(fd) => fd,
        Err(Errno::EISDIR) => run.proc.open(&path, Open::READ)?,
        Err(error) => {
            run.complain(format!("cannot open lock file {path}: {}", error.strerror())).await;
            return Ok(66);
        }
    };
    let limit = run.args.value('w').and_then(|w| number::<f64>(w));
    let start = run.proc.now();
    // Who came first has the lower number; the real path tells that it is the same file.
    let own = run.proc.pid();
    let real = run.proc.realpath(&path).unwrap_or_else(|_| path.clone());
    loop {
        let before = run.proc.processes().into_iter().any(|other| {
            other.pid < own
                && other.comm == "flock"
                && other.state != 'Z'
                && other.args.iter().any(|word| {
                    let at = crate::base::path::join(&other.cwd, word);
                    run.proc.realpath(&at).is_ok_and(|found| found == real)
                })
        });
        if !before {
            break;
        }
        let waited = run.proc.now().since(start).as_secs_f64();
        if run.args.has('n') || limit.is_some_and(|limit| waited >= limit) {
            return Ok(run.args.value('E').and_then(|e| number::<i32>(e)).unwrap_or(1));
        }
        run.proc.sleep(Duration::from_millis(100)).await?;
    }
    let status = status_of(&run.proc, words).await;
    let _ = run.proc.close(fd);
    Ok(status)
}

async fn su_body(run: &mut Run) -> Done {
    let user = run.args.operands.first().cloned().unwrap_or_else(|| "root".into());
    let names = Names::load(&run.proc).await;
    let Some(account) = names.users.get(&user).cloned() else {
        let text = match run.is_busybox() {
            true => format!("unknown user {user}"),
            false => format!("user {user} does not exist or the user entry does not contain all the required fields"),
        };
        run.complain(text).await;
        return Ok(1);
    };
    // The bit in the file's mode made this process root; who called it is asked for a password, and nobody has one.
    let caller = run.proc.getenv("USER").filter(|name| names.users.get(name).is_some_and(|user| user.uid != 0));
    let trusted = caller.is_none() && run.proc.cred().uid == 0;
    if !trusted {
        run.put("Password: ").await?;
        run.flush().await?;
        let _ = super::program::Lines::new(&run.proc, 0).next().await;
        let text = if run.is_busybox() { "incorrect password" } else { "Authentication failure" };
        run.put("\n").await?;
        run.complain(text).await;
        return Ok(1);
    }
    let passwd = run.proc.read_file(b"/etc/passwd").await.map(|rope| text(&rope.head(1 << 20))).unwrap_or_default();
    let entry = passwd.lines().find(|line| line.split(':').next() == Some(&*text(&user)));
    let fields: Vec<String> = entry.map(|line| line.split(':').map(str::to_owned).collect()).unwrap_or_default();
    let field = |place: usize, usual: &str| {
        fields.get(place).filter(|f| !f.is_empty()).cloned().unwrap_or_else(|| usual.to_owned())
    };
    let (home, own_shell) = (field(5, "/"), field(6, "/bin/sh"));
    let shell = run.args.value('s').map_or(own_shell, |shell| text(shell));
    let mut groups = vec![account.gid];
    groups.extend(names.groups_of(&user));
    let dropped = run.proc.cred().dropped;
    if run.proc.set_cred(Cred { dropped, ..Cred::user(account.uid, account.gid, groups) }).is_err() {
        run.complain("cannot set groups: Operation not permitted").await;
        return Ok(1);
    }
    let login = run.args.has('l');
    let mut env = run.proc.env();
    if login {
        env.retain(|entry| entry.starts_with(b"TERM="));
        let path = if account.uid == 0 {
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        } else {
            "/usr/local/bin:/usr/bin:/bin"
        };
        env.push(format!("PATH={path}").into());
        let _ = run.proc.chdir(home.as_bytes());
    }
    if !(run.args.has('m') || run.args.has('p')) {
        let mut own = vec![("HOME", home), ("SHELL", shell.clone())];
        if login || account.uid != 0 {
            own.extend([("USER", text(&user)), ("LOGNAME", text(&user))]);
        }
        for (name, value) in own {
            env.retain(|entry| !entry.starts_with(format!("{name}=").as_bytes()));
            env.push(format!("{name}={value}").into());
        }
    }
    let name = shell.rsplit('/').next().unwrap_or("sh");
    let mut command: Vec<BString> = vec![if login { format!("-{name}") } else { name.to_owned() }.into()];
    if let Some(line) = run.args.value('c') {
        command.extend([BString::from("-c"), line.to_owned()]);
    }
    command.extend(run.args.operands.iter().skip(1).cloned());
    run.flush().await?;
    match run.proc.exec(shell.as_bytes(), command, env).await {
        Ok(status) => Ok(status),
        Err(error) => {
            let text = match run.is_busybox() {
                true => format!("can't execute '{shell}': {}", error.strerror()),
                false => format!("failed to execute {shell}: {}", error.strerror()),
            };
            run.complain(text).await;
            Ok(if error == Errno::ENOENT { 127 } else { 126 })
        }
    }
}

async fn usleep_body(run: &mut Run) -> Done {
    let Some(micros) = run.args.operands.first().and_then(|word| number::<u64>(word)) else {
        return Ok(run.missing("missing operand").await);
    };
    run.proc.sleep(Duration::from_micros(micros.min(1 << 50))).await?;
    Ok(0)
}

async fn sync_body(run: &mut Run) -> Done {
    for path in run.args.operands.clone() {
        if let Err(error) = run.proc.stat(&path) {
            let text = format!("error opening {}: {}", quoted(&path), error.strerror());
            run.complain(text).await;
        }
    }
    Ok(0)
}

async fn service_body(run: &mut Run) -> Done {
    let usage = "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n";
    if run.args.has("status-all") {
        let mut names: Vec<BString> =
            run.proc.readdir(b"/etc/init.d").unwrap_or_default().into_iter().map(|e| e.name).collect();
        crate::base::sort::Arrange::arrange(names.as_mut_slice());
        for name in names.into_iter().filter(|name| name != "README") {
            let path: BString = [b"/etc/init.d/".as_slice(), &name].concat().into();
            let line = format!("{path} status >/dev/null 2>&1");
            let sign = match status_of(&run.proc, vec!["/bin/sh".into(), "-c".into(), line.into()]).await {
                0 => '+',
                1..=3 => '-',
                _ => '?',
            };
            run.put(format!(" [ {sign} ]  {name}\n")).await?;
        }
        return Ok(0);
    }
    let words = run.args.operands.clone();
    let Some(name) = words.first().cloned() else {
        run.proc.eprint(usage).await;
        return Ok(1);
    };
    let script: BString = [b"/etc/init.d/".as_slice(), &name].concat().into();
    if name.contains(&b'/') || run.proc.access(&script, 1).is_err() {
        run.proc.eprint(format!("{name}: unrecognized service\n")).await;
        return Ok(1);
    }
    // The script sees an environment of its own.
    let kept = run.proc.env().into_iter().filter(|entry| entry.starts_with(b"TERM=") || entry.starts_with(b"LANG="));
    let mut env: Vec<BString> = kept.collect();
    env.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    run.proc.set_env(env);
    let _ = run.proc.chdir(b"/");
    let mut command = vec![script];
    command.extend(words.into_iter().skip(1));
    Ok(become_other(run, command).await)
}

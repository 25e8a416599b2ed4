//! `sudo`: runs a command as another user, for members of the group `sudo`. Nobody is asked for a password here.

use bstr::{BString, ByteSlice};

use super::names::Names;
use super::program::number;
use crate::base::errno::Errno;
use crate::os::fs::mounts::Cred;
use crate::os::kernel::Proc;

const USAGE: &str = "usage: sudo -h | -V\nusage: sudo [-n] [-u user] [command [arg ...]]\nusage: sudo -i | -s\n";
/// What `secure_path` of Debian's sudoers says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Variables of the caller that stay (`env_keep`).
const KEPT: [&str; 4] = ["TERM", "LANG", "DISPLAY", "COLORTERM"];

/// `sudo`.
pub async fn main(proc: Proc) -> i32 {
    let mut words = proc.args().into_iter().skip(1).peekable();
    let (mut user, mut shell, mut login) = (BString::from("root"), false, false);
    while let Some(word) = words.next_if(|word| word.starts_with(b"-") && *word != "-") {
        match word.as_slice() {
            b"--" => break,
            b"-n" | b"-E" | b"-H" | b"-k" => {}
            b"-s" => shell = true,
            b"-i" => (shell, login) = (true, true),
            b"-u" => match words.next() {
                Some(name) => user = name,
                None => return refuse(&proc, "sudo: option requires an argument -- 'u'").await,
            },
            b"-h" | b"--help" => {
                let _ = proc.print(USAGE).await;
                return 0;
            }
            b"-V" | b"--version" => {
                let _ = proc.print("Sudo version 1.9.9\n").await;
                return 0;
            }
            other => {
                let letter = other.get(1..).unwrap_or_default().as_bstr().to_string();
                return refuse(&proc, &format!("sudo: invalid option -- '{letter}'")).await;
            }
        }
    }
    let mut command: Vec<BString> = words.collect();
    if command.is_empty() && !shell {
        proc.eprint(USAGE).await;
        return 1;
    }
    let names = Names::load(&proc).await;
    let caller = proc.getenv("USER").unwrap_or_else(|| "root".into());
    let allowed = names.groups_of(&caller).iter().any(|gid| names.group(*gid) == "sudo");
    if !(allowed || caller == "root") {
        proc.eprint(format!("{caller} is not in the sudoers file.  This incident will be reported.\n")).await;
        return 1;
    }
    let Some(account) = names.users.get(&user).or_else(|| {
        let uid = number::<u32>(user.strip_prefix(b"#")?)?;
        names.users.get(names.user_name(uid)?)
    }) else {
        return refuse(&proc, &format!("sudo: unknown user {user}")).await;
    };
    let mut groups = vec![account.gid];
    groups.extend(names.groups_of(&user));
    if proc.set_cred(Cred::user(account.uid, account.gid, groups)).is_err() {
        return refuse(&proc, "sudo: must be owned by uid 0 and have the setuid bit set").await;
    }
    let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
    let mut env: Vec<BString> = KEPT
        .iter()
        .filter_map(|name| Some(BString::from(format!("{name}={}", proc.getenv(name)?))))
        .chain([format!("PATH={PATH}"), format!("HOME={home}"), "SHELL=/bin/bash".to_owned()].map(BString::from))
        .chain(["USER", "LOGNAME"].map(|name| BString::from(format!("{name}={user}"))))
        .chain([BString::from(format!("SUDO_USER={caller}"))])
        .collect();
    proc.set_env(env.clone());
    if shell {
        let line = (!command.is_empty()).then(|| bstr::join(" ", &command));
        command = vec![if login { "-bash".into() } else { "/bin/bash".into() }];
        if let Some(line) = line {
            command.extend([BString::from("-c"), line.into()]);
        }
        if login {
            // A home that is not there leaves the caller where it is.
            let _ = proc.chdir(home.as_bytes());
            env.push(format!("PWD={}", proc.cwd()).into());
        }
    }
    let Some(name) = command.first().cloned() else { return 1 };
    let program = if shell { BString::from("/bin/bash") } else { name.clone() };
    let found = match proc.search(program.as_bstr()) {
        Ok(path) => proc.exec(&path, command, env).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(code) => code,
        Err(Errno::ENOENT) => refuse(&proc, &format!("sudo: {name}: command not found")).await,
        Err(Errno::ENOSYS) => refuse(&proc, &format!("sudo: {name}: this program is not simulated in Capas")).await,
        Err(error) => refuse(&proc, &format!("sudo: unable to execute {name}: {error}")).await,
    }
}

async fn refuse(proc: &Proc, message: &str) -> i32 {
    proc.eprint(format!("{message}\n")).await;
    1
}

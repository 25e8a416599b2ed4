//! `docker login`.

use bstr::ByteSlice;

use crate::docker::cli::client::{Answer, Client, Running, go_errno};
use crate::docker::cli::command::*;
use crate::docker::cli::config::{Config, HUB};
use crate::docker::cli::error::{CliError, from_daemon};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::image::Credentials;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Proc, TtyId};

/// `docker login`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] [SERVER]",
    short: "Authenticate to a registry",
    long: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
    flags: &[&[
        flag('p', "password", Text, "Password or Personal Access Token (PAT)"),
        long("password-stdin", Bool(false), "Take the Password or Personal Access Token (PAT) from stdin"),
        flag('u', "username", Text, "Username"),
    ]],
    arity: Arity::AtMost(1),
    verb: Verb::Run(run),
    ..Command::new("login")
};

/// What is told before a name is asked for, as there is no browser to log in with.
const NO_BROWSER: &str = "Failed to start web-based login - falling back to command line login...\n";
const ASK_NAME: &str = "Log in with your Docker ID or email address to push and pull images from Docker Hub. If you don't have a Docker ID, head over to https://hub.docker.com/ to create one.
You can log in with your password or a Personal Access Token (PAT). Using a limited-scope PAT grants better security and is required for organizations using SSO. Learn more at https://docs.docker.com/go/access-tokens/
";
const TOKEN: &str = "A Personal Access Token (PAT) can be used instead.\nTo create a PAT, visit \x1b[4mhttps://app.docker.com/settings\x1b[0m\n\n";
const OTHER: &str = "To login with a different account, run 'docker logout' followed by 'docker login'";

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let mut own = check(client, given).await?;
        let server = match given.operand(0) {
            server if matches!(server.as_str(), "" | "docker.io" | "index.docker.io") => HUB.to_owned(),
            server => server.trim_start_matches("https://").trim_start_matches("http://").to_owned(),
        };
        let mut config = Config::read(client).await;
        let mut answer = None;
        if let (true, Some(stored)) = (own == Credentials::default(), config.credentials(&server)) {
            client
                .complain(format!("Authenticating with existing credentials... [Username: {}]", stored.username))
                .await;
            note(client, OTHER).await;
            client.complain("").await;
            match client.daemon.auth(&server, &stored).await {
                Ok(told) => answer = Some(told),
                Err(error) => {
                    client.complain(format!("Login did not succeed, error: {}", from_daemon(&error))).await;
                    own.username = stored.username;
                }
            }
        }
        let answer = match answer {
            Some(answer) => answer,
            None => {
                ask(client, &server, &mut own).await?;
                let answer = client.daemon.auth(&server, &own).await?;
                config.set(&server, Some(&own));
                config.write(client).await.map_err(CliError::new)?;
                let path = config.path();
                client
                    .complain(format!(
                        "\nWARNING! Your credentials are stored unencrypted in '{path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n"
                    ))
                    .await;
                answer
            }
        };
        client.say(answer).await
    })
}

/// What the flags give (docker/cli `verifyLoginOptions`).
async fn check(client: &Client, given: &Invocation) -> Answer<Credentials> {
    let (username, password) = (given.string("username"), given.string("password"));
    let from_stdin = given.bool("password-stdin");
    if username.as_deref() == Some("") {
        return Err(CliError::new("username is empty"));
    }
    if password.as_deref() == Some("") {
        return Err(CliError::new("password is empty"));
    }
    if password.is_some() && from_stdin {
        return Err(CliError::new("conflicting options: cannot specify both --password and --password-stdin"));
    }
    if password.is_some() {
        client.complain("WARNING! Using --password via the CLI is insecure. Use --password-stdin.").await;
    }
    let mut own = Credentials { username: username.unwrap_or_default(), password: password.unwrap_or_default() };
    if from_stdin {
        if own.username.is_empty() {
            return Err(CliError::new("the --password-stdin option requires --username to be set"));
        }
        let text = client.proc.read_all(0).await.map_err(|errno| CliError::new(go_errno(errno)))?.head(1 << 16);
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        own.password = text.strip_suffix(b"\r").unwrap_or(text).to_str_lossy().into_owned();
    }
    Ok(own)
}

/// Asks for what is missing (docker/cli `PromptUserForCredentials`).
async fn ask(client: &Client, server: &str, own: &mut Credentials) -> Answer {
    if !own.username.is_empty() && !own.password.is_empty() {
        return Ok(());
    }
    let Some(tty) = client.stdin_tty() else {
        return Err(CliError::new("Error: Cannot perform an interactive login from a non TTY device"));
    };
    if own.username.is_empty() {
        if server == HUB {
            client.complain(NO_BROWSER).await;
            client.say(ASK_NAME).await?;
        }
        client.print("Username: ").await?;
        own.username = client.read_line().await.unwrap_or_default().trim_ascii().to_str_lossy().into_owned();
        if own.username.is_empty() {
            return Err(CliError::new("Error: Non-null Username Required"));
        }
    }
    if own.password.is_empty() {
        if server == HUB {
            note(client, TOKEN).await;
        }
        client.print("Password: ").await?;
        let quiet = Quiet::new(&client.proc, tty);
        own.password = client.read_line().await.unwrap_or_default().trim_ascii().to_str_lossy().into_owned();
        drop(quiet);
        client.say("").await?;
        if own.password.is_empty() {
            return Err(CliError::new("Error: Password Required"));
        }
    }
    Ok(())
}

/// A remark on standard error (docker/cli `internal/tui/note.go`).
async fn note(client: &Client, text: &str) {
    let fancy = client.proc.tty_of(2).is_some();
    let mut out = String::from(if fancy {
        "\n\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo \u{2192} \x1b[0m\x1b[0m"
    } else {
        "\n Info -> "
    });
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push_str("\n         ");
        }
        out.push_str(&if fancy { format!("\x1b[3m{line}\x1b[0m") } else { line.to_owned() });
    }
    client.complain(out).await;
}

/// A terminal that does not show what is typed; dropping this sets it back.
struct Quiet<'a> {
    proc: &'a Proc,
    tty: TtyId,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(proc: &'a Proc, tty: TtyId) -> Self {
        let before = proc.termios(tty);
        proc.set_termios(tty, Termios { echo: false, ..before });
        Self { proc, tty, before }
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.proc.set_termios(self.tty, self.before);
    }
}

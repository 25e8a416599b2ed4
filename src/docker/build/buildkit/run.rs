//! RUN: its words, its mounts, the command.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::super::cache::{CacheKey, Inputs};
use super::super::error::{BuildError, Located};
use super::super::trace::Step;
use super::super::world::{RunMount, RunStep};
use super::lookup::{Making, finish};
use super::mount::{AGENT, SSH, secret_id};
use super::state::{Count, State};
use super::{MAX_RESIDENT_BYTES, PROXIES, Purpose, Solver};
use crate::base::time::Timestamp;
use crate::docker::dockerfile::Instruction;
use crate::docker::dockerfile::instruction::Run;
use crate::docker::dockerfile::lines::Heredoc;
use crate::docker::dockerfile::mount::{Mount, MountType};
use crate::docker::dockerfile::words::Variables;
use crate::docker::image::change;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::{Entry, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;

impl Solver<'_> {
    pub(super) async fn run(
        &self,
        state: &mut State,
        instruction: &Instruction,
        run: &Run,
        count: &mut Count,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let mut shown = self.shown(instruction, state, true);
        let (args, script) = run_words(run, state);
        if args.is_empty() {
            return Err(BuildError::NoArguments.into());
        }
        if let Some(first) = run.line.heredocs.first().filter(|_| is_single_heredoc(run)) {
            let text = first.content.trim();
            let line = text.lines().next().unwrap_or_default();
            shown.push_str(&format!(" ({line}{})", if text.lines().count() > 1 { "..." } else { "" }));
        }
        let (mut mounts, mut words, mut files) = (Vec::new(), Vec::new(), BTreeMap::new());
        // Neither proxies nor secrets go into the key.
        let mut hidden_env = self.proxies(state);
        let mut agents = 0;
        for text in &run.mounts {
            let (mut mount, sum) = self.mount(state, instruction, text, &mut files).await?;
            if let Some(socket) = mount.as_mut().filter(|mount| mount.kind == SSH) {
                if socket.at == AGENT {
                    socket.at = format!("{AGENT}{agents}").into();
                }
                // Programs are told of the first one only.
                if agents == 0 {
                    hidden_env.push(format!("SSH_AUTH_SOCK={}", socket.at));
                }
                agents += 1;
            }
            mounts.extend(mount);
            words.push(sum);
            hidden_env.extend(self.secret_variable(text));
        }
        if let Some((name, content)) = script {
            mounts.push(script_mount(&name, &content, (self.world.now)()));
        }
        let name = count.name(&shown);
        let network =
            run.network.clone().or_else(|| self.request.network.clone()).unwrap_or_else(|| "default".to_owned());
        words.extend(args.iter().map(|word| word.clone().into_bytes()));
        let mut around: BTreeMap<String, String> = BTreeMap::new();
        for word in &state.env {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            around.insert(name.to_owned(), value.to_owned());
        }
        words.push(format!("{around:?}").into_bytes());
        let place = [("WORKDIR", &state.config.working_dir), ("USER", &state.config.user), ("--network", &network)];
        for (name, word) in place {
            words.push(word.clone().into_bytes());
            around.insert(name.to_owned(), word.clone());
        }
        words.extend(self.request.extra_hosts.iter().map(|host| host.clone().into_bytes()));
        around.insert("SHELL".to_owned(), change::shell(&state.config).join(" "));
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let key = CacheKey::of("run", Some(state.key), &words);
        let inputs = Inputs { code: instruction.code.clone(), files, around, linked: false };
        let (step, started) = self.begin(key, &name).await;
        let making = Making { key, inputs, name, span, started };
        let created = match self.probe(state, step, &making).await.map_err(|error| error.at(span))? {
            (Some(created), _) => created,
            (None, _) if self.purpose == Purpose::Foresee => self.assume(state, making).await,
            (None, step) => {
                let output =
                    step.as_ref().map_or_else(|| Rc::new(|_: bool, _: &[u8]| {}) as Rc<dyn Fn(bool, &[u8])>, Step::log);
                let command = args.join(" ");
                let ended = (self.world.run)(RunStep {
                    lower: state.tree.clone(),
                    args: args.clone(),
                    env: [state.env.clone(), hidden_env].concat(),
                    cwd: state.config.working_dir.clone(),
                    user: state.config.user.clone(),
                    hostname: "buildkitsandbox".to_owned(),
                    network,
                    extra_hosts: self.request.extra_hosts.clone(),
                    mounts,
                    output: Rc::clone(&output),
                })
                .await;
                let ended = match ended {
                    Ok(end) if end.code == 0 => Ok(end.layer),
                    Ok(end) => Err(BuildError::Exit { command, code: end.code }),
                    Err(why) => {
                        let text = format!(
                            "runc run failed: unable to start container process: error during container init: {}\n",
                            why.0
                        );
                        output(true, text.as_bytes());
                        Err(BuildError::Start { command, why: why.0 })
                    }
                };
                drop(output);
                let made = ended.and_then(|layer| self.commit(state, layer, making));
                finish(step, made, span)?
            }
        };
        self.is_done(key);
        state.note(run_line(&args, state), Some(created));
        Ok(())
    }

    /// Proxies that were given and that no ARG declares (BuildKit `convert.go` `proxyEnvFromBuildArgs`).
    pub(super) fn proxies(&self, state: &State) -> Vec<String> {
        let given =
            self.request.build_args.iter().filter(|(key, _)| PROXIES.iter().any(|name| key.eq_ignore_ascii_case(name)));
        let own = given.filter(|(key, _)| !state.args.iter().any(|arg| arg.key == **key));
        own.map(|(key, value)| format!("{key}={value}")).collect()
    }

    /// The variable that a secret's mount sets.
    pub(super) fn secret_variable(&self, text: &str) -> Option<String> {
        let mount = Mount::parse(text).ok().filter(|mount| mount.kind == MountType::Secret)?;
        let content = self.request.secrets.get(&secret_id(&mount))?;
        Some(format!("{}={}", mount.env?, String::from_utf8_lossy(&content.to_vec())))
    }
}

/// The history line of a RUN, build arguments in front.
pub(super) fn run_line(args: &[String], state: &State) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for arg in &state.args {
        if seen.insert(&arg.key) {
            let value =
                Variables::get(state.env.as_slice(), &arg.key).map(ToOwned::to_owned).or_else(|| arg.default.clone());
            words.push(format!("{}={}", arg.key, value.unwrap_or_default()));
        }
    }
    if !words.is_empty() {
        words.insert(0, format!("|{}", words.len()));
    }
    words.extend(args.iter().cloned());
    format!("RUN {} # buildkit", words.join(" "))
}

pub(super) fn is_single_heredoc(run: &Run) -> bool {
    matches!(run.line.words.as_slice(), [word] if Heredoc::parse(word).is_some()) && run.line.heredocs.len() == 1
}

/// The words of a RUN, and a script that a here-document with a `#!` line makes.
pub(super) fn run_words(run: &Run, state: &State) -> (Vec<String>, Option<(String, String)>) {
    let mut line = run.line.clone();
    if let Some(document) = run.line.heredocs.first().filter(|_| is_single_heredoc(run)) {
        let text = document.text();
        if text.starts_with("#!") {
            return (vec![format!("/dev/pipes/{}", document.name)], Some((document.name.clone(), text)));
        }
        line.words = vec![text];
    } else if !run.line.heredocs.is_empty() {
        // Several, or one inside a longer command: the shell reads them itself.
        let mut text = run.line.words.join(" ");
        for document in &run.line.heredocs {
            text.push('\n');
            text.push_str(&document.content);
            text.push_str(&document.name);
        }
        line.words = vec![text];
    }
    (change::resolve(&line, &state.config), None)
}

pub(super) fn script_mount(name: &str, content: &str, now: Timestamp) -> RunMount {
    let file = Entry::file(Meta::root(0o755, now), content);
    let layer: Layer = [(name.into(), Change::Put(Arc::new(file)))].into_iter().collect();
    let overlay = Rc::new(RefCell::new(Overlay::new(2, Tree::of([&layer]), MAX_RESIDENT_BYTES)));
    RunMount { at: "/dev/pipes".into(), overlay, path: "/".into(), read_only: true, kind: "bind" }
}

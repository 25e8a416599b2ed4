//! An instruction: its variables expanded, its words shown, its effect on the stage.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::cache::{CacheKey, Inputs};
use super::super::error::{BuildError, Located};
use super::super::files::{self, Destination};
use super::super::plan::{Base, PlannedStage};
use super::super::world::World;
use super::lookup::{Making, finish};
use super::state::{Count, State};
use super::{Purpose, Solver};
use crate::docker::dockerfile::error::suggest;
use crate::docker::dockerfile::ignore::Matcher;
use crate::docker::dockerfile::instruction::{Arg, Command, Copy};
use crate::docker::dockerfile::lint::{self, Warning};
use crate::docker::dockerfile::mount::Mount;
use crate::docker::dockerfile::words::{Lex, Variables};
use crate::docker::dockerfile::{self, Instruction, Span};
use crate::docker::image::change;

impl Solver<'_> {
    pub(super) async fn stage(&self, planned: &PlannedStage<'_>) -> Result<State, Located> {
        let instructions = &planned.stage.instructions;
        let layers = instructions.iter().filter(|instruction| makes_layer(&instruction.command)).count();
        let is_image = matches!(planned.base, Base::Image(..));
        let mut count =
            Count { label: planned.label.clone(), at: 0, total: layers + usize::from(is_image), onbuild: false };
        let span = planned.stage.span;
        let (mut state, triggers) = match &planned.base {
            Base::Scratch => (self.scratch(), Vec::new()),
            Base::Context(name) => (self.state_of_files(name, span).await?, Vec::new()),
            Base::Stage(index) => {
                let mut state = self.finished(*index).await.unwrap_or_else(|| self.scratch());
                let triggers = std::mem::take(&mut state.triggers);
                state.config.on_build.clear();
                state.cmd_set = false;
                (state, triggers)
            }
            Base::Image(reference, name) => {
                let cell = RefCell::new(&mut count);
                let base = self.fetch(reference, name, span, &|text| cell.borrow_mut().name(text)).await?;
                let triggers = base.image.config().config.on_build.clone();
                (self.state_of_image(&base), triggers)
            }
        };
        state.stage.clone_from(&planned.stage.name);
        count.total += triggers.len();
        count.onbuild = true;
        for text in &triggers {
            let trigger = dockerfile::parse_trigger(text, span).map_err(|_| BuildError::OnbuildTrigger.at(span))?;
            self.step(&mut state, &trigger, &mut count).await?;
        }
        count.onbuild = false;
        for instruction in instructions {
            self.step(&mut state, instruction, &mut count).await?;
        }
        Ok(state)
    }

    pub(super) async fn step(
        &self,
        state: &mut State,
        instruction: &Instruction,
        count: &mut Count,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let escape = self.file.directives.escape;
        let (command, unmatched) = change::expand(&instruction.command, escape, &state.env)
            .map_err(|error| BuildError::from(error).at(span))?;
        self.undefined(&unmatched, state, span);
        match &command {
            Command::Arg(args) => {
                let mut words = Vec::new();
                for arg in args {
                    let given = self.request.build_args.get(&arg.key);
                    let global = Variables::get(self.plan.globals.as_slice(), &arg.key).map(ToOwned::to_owned);
                    let value = change::arg_value(arg, escape, &state.env, given, global.as_ref())
                        .map_err(|error| BuildError::from(error).at(span))?;
                    if let Some(value) = &value {
                        state.set_env(&arg.key, value);
                    }
                    words.push(value.as_ref().map_or_else(|| arg.key.clone(), |value| format!("{}={value}", arg.key)));
                    state.args.push(Arg { key: arg.key.clone(), default: value });
                }
                state.note(format!("ARG {}", words.join(" ")), None);
                Ok(())
            }
            Command::Onbuild(text) => {
                state.triggers.push(text.clone());
                state.config.on_build.push(text.clone());
                Ok(())
            }
            Command::Run(run) if self.purpose == Purpose::Check => run
                .mounts
                .iter()
                .try_for_each(|text| Mount::parse(text).map(drop))
                .map_err(BuildError::from)
                .map_err(|error| error.at(span)),
            Command::Copy(copy) | Command::Add(copy) if self.purpose == Purpose::Check => {
                self.ignored_sources(copy, instruction);
                Ok(())
            }
            Command::Run(run) => self.run(state, instruction, run, count).await,
            Command::Copy(copy) => self.copy(state, instruction, copy, false, count).await,
            Command::Add(copy) => self.copy(state, instruction, copy, true, count).await,
            Command::Workdir(_) => self.workdir(state, instruction, &command, count).await,
            _ => {
                let line = change::apply(&mut state.config, &command, &mut state.cmd_set)
                    .map_err(|error| BuildError::from(error).at(span))?;
                match &command {
                    Command::Env(pairs) => pairs.iter().for_each(|pair| state.set_env(&pair.key, &pair.value)),
                    Command::Maintainer(name) => state.author.clone_from(name),
                    Command::Cmd(_) => state.config.args_escaped = true,
                    _ => {}
                }
                state.note(line.unwrap_or_default(), None);
                Ok(())
            }
        }
    }

    /// Reports variables that are used and not set.
    pub(super) fn undefined(&self, unmatched: &BTreeSet<String>, state: &State, span: Span) {
        for name in unmatched.iter().filter(|name| !state.args.iter().any(|arg| arg.key == **name)) {
            let options: Vec<&str> = state.env.iter().filter_map(|word| word.split('=').next()).collect();
            let hint =
                suggest(name, &options, true).map(|other| format!(" (did you mean ${other}?)")).unwrap_or_default();
            let message = format!("Usage of undefined variable '${name}'{hint}");
            self.warn(&Warning { rule: &lint::UNDEFINED_VAR, message, span });
        }
    }

    /// Reports sources of the context that the ignore file leaves out (BuildKit `lint.go` `validateCopySourcePath`).
    pub(super) fn ignored_sources(&self, copy: &Copy, instruction: &Instruction) {
        let Ok(matcher) = Matcher::new(&self.request.context.ignore_patterns) else { return };
        if copy.from.is_some() || matcher.has_exclusions() {
            return;
        }
        let cmd = if matches!(instruction.command, Command::Add(_)) { "Add" } else { "Copy" };
        for source in copy.sources.iter().filter(|source| !source.contains("://")) {
            let source = dockerfile::ignore::clean(source);
            if matcher.matches_or_parent_matches(source.trim_start_matches('/')) {
                let file = dockerfile::quote::go_quote(&source);
                let message = format!("Attempting to {cmd} file {file} that is excluded by .dockerignore");
                self.warn(&Warning { rule: &lint::COPY_IGNORED_FILE, message, span: instruction.span });
            }
        }
    }

    /// An instruction as its progress line shows it: variables expanded, the keyword in capitals.
    pub(super) fn shown(&self, instruction: &Instruction, state: &State, raw: bool) -> String {
        let lex = Lex { raw_quotes: raw, keep_unset: raw, ..Lex::new(self.file.directives.escape) };
        let code = &instruction.code;
        let text = lex.expand(code, state.env.as_slice()).map_or_else(|_| code.clone(), |expanded| expanded.text);
        match text.split_once(' ') {
            Some((keyword, rest)) => format!("{} {rest}", keyword.to_uppercase()),
            None => text.to_uppercase(),
        }
    }

    pub(super) async fn workdir(
        &self,
        state: &mut State,
        instruction: &Instruction,
        command: &Command,
        count: &mut Count,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let shown = self.shown(instruction, state, false);
        let line = change::apply(&mut state.config, command, &mut state.cmd_set)
            .map_err(|error| BuildError::from(error).at(span))?;
        let line = line.unwrap_or_default();
        let dir = state.config.working_dir.clone();
        if dir == "/" {
            state.note(line, None);
            return Ok(());
        }
        if self.purpose == Purpose::Check {
            return Ok(());
        }
        let name = count.name(&shown);
        let key = CacheKey::of("mkdir", Some(state.key), &[dir.as_bytes(), state.config.user.as_bytes()]);
        let around = [("USER", &state.config.user), ("WORKDIR", &dir)];
        let around = around.map(|(name, value)| (name.to_owned(), value.clone())).into();
        let inputs = Inputs { code: instruction.code.clone(), around, ..Inputs::default() };
        let (step, started) = self.begin(key, &name).await;
        let making = Making { key, inputs, name, span, started };
        let created = match self.probe(state, step, &making).await.map_err(|error| error.at(span))? {
            (Some(created), _) => created,
            (None, step) => {
                (self.world.sleep)(World::duration(14, 0, 1)).await;
                let made = (|| {
                    let owner = match state.config.user.as_str() {
                        "" => None,
                        _ if state.unknown => None,
                        user => Some(files::owner(&state.tree, user)?),
                    };
                    let destination = Destination::new(state.tree.clone(), (self.world.now)());
                    destination.make_dirs(dir.as_bytes(), owner)?;
                    self.commit(state, destination.layer(), making)
                })();
                finish(step, made, span)?
            }
        };
        self.is_done(key);
        state.note(line, Some(created));
        Ok(())
    }
}

pub(super) fn makes_layer(command: &Command) -> bool {
    matches!(command, Command::Add(_) | Command::Copy(_) | Command::Run(_) | Command::Workdir(_))
}

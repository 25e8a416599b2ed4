//! From lines to typed instructions and stages (BuildKit `frontend/dockerfile/instructions`).

use super::error::{ParseError, Problem, Span, suggest};
use super::instruction::{Arg, Command, CommandLine, Copy, Dockerfile, Healthcheck, Instruction, Pair, Run, Stage};
use super::lines::{self, Heredoc, Line, json_list, quoted_words};
use super::mount::MountError;
use crate::base::sort::Arrange;

/// Every instruction.
pub const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads a Dockerfile.
///
/// # Errors
/// The first thing that BuildKit would refuse before it looks at any image.
pub fn parse(text: &str) -> Result<Dockerfile, ParseError> {
    let source = lines::read(text)?;
    let escape = source.directives.escape;
    let mut dockerfile = Dockerfile {
        text: text.to_owned(),
        directives: source.directives,
        global_args: Vec::new(),
        stages: Vec::new(),
        comments: source.lines.iter().filter_map(|line| Some((line.span.start, line.comment.clone()?))).collect(),
        empty_continuations: source.lines.iter().filter_map(|line| line.empty_continuation).collect(),
    };
    // BuildKit splits every line before it reads any instruction, so errors of splitting come first.
    for line in &source.lines {
        split(line, escape).map_err(|problem| ParseError::at(line.span, problem))?;
    }
    for line in &source.lines {
        let fail = |problem| ParseError::in_instruction(line.span, problem);
        if line.keyword.eq_ignore_ascii_case("FROM") {
            dockerfile.stages.push(stage(line).map_err(fail)?);
            continue;
        }
        let instruction = instruction(line, escape).map_err(fail)?;
        match (dockerfile.stages.last_mut(), &instruction.command) {
            (Some(stage), _) => stage.instructions.push(instruction),
            (None, Command::Arg(_)) => dockerfile.global_args.push(instruction),
            (None, _) => return Err(ParseError::at(line.span, Problem::NoStage)),
        }
    }
    if dockerfile.stages.is_empty() {
        return Err(ParseError::at(Span::default(), Problem::NoStages));
    }
    Ok(dockerfile)
}

/// Reads the text of an `ONBUILD` trigger, which stands where `span` says.
///
/// # Errors
/// As [`parse`].
pub fn parse_trigger(text: &str, span: Span) -> Result<Instruction, ParseError> {
    let source = lines::read(text)?;
    let escape = source.directives.escape;
    let Some(line) = source.lines.first() else { return Err(ParseError::at(span, Problem::NoInstructions)) };
    let mut instruction = instruction(line, escape).map_err(|problem| ParseError::in_instruction(span, problem))?;
    instruction.span = span;
    Ok(instruction)
}

/// Arguments as the instruction's own rule splits them.
struct Split {
    args: Vec<String>,
    json: bool,
    legacy: bool,
}

fn split(line: &Line, escape: char) -> Result<Split, Problem> {
    let rest = line.rest.as_str();
    let plain = |args: Vec<String>| Split { args, json: false, legacy: false };
    let whole = || if rest.is_empty() { Vec::new() } else { vec![rest.to_owned()] };
    let blanks = || rest.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
    Ok(match line.keyword.to_ascii_uppercase().as_str() {
        "ADD" | "COPY" | "VOLUME" => match json_list(rest) {
            Some(args) => Split { args: args?, json: true, legacy: false },
            None => plain(blanks()),
        },
        "CMD" | "ENTRYPOINT" | "RUN" | "SHELL" => match json_list(rest) {
            Some(args) => Split { args: args?, json: true, legacy: false },
            None => plain(whole()),
        },
        "EXPOSE" | "FROM" => plain(blanks()),
        "ARG" => plain(quoted_words(rest, escape)),
        "ENV" => name_values(rest, "ENV", escape)?,
        "LABEL" => name_values(rest, "LABEL", escape)?,
        "HEALTHCHECK" => {
            let (kind, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let rest = rest.trim_start();
            let mut args = if kind.is_empty() { Vec::new() } else { vec![kind.to_owned()] };
            match json_list(rest) {
                Some(list) => {
                    args.extend(list?);
                    Split { args, json: true, legacy: false }
                }
                None => {
                    args.extend((!rest.is_empty()).then(|| rest.to_owned()));
                    plain(args)
                }
            }
        }
        _ => plain(whole()),
    })
}

/// `a=b c=d`, or the old `a b`; names and values alternate in the result.
fn name_values(rest: &str, keyword: &'static str, escape: char) -> Result<Split, Problem> {
    let words = quoted_words(rest, escape);
    let Some(first) = words.first() else { return Ok(Split { args: Vec::new(), json: false, legacy: false }) };
    if !first.contains('=') {
        let (name, value) = rest.split_once(char::is_whitespace).ok_or(Problem::TwoArguments(keyword))?;
        let args = vec![name.to_owned(), value.trim_start().to_owned()];
        return Ok(Split { args, json: false, legacy: true });
    }
    let mut args = Vec::new();
    for word in &words {
        let (name, value) = word.split_once('=').ok_or_else(|| Problem::NoEquals(word.clone()))?;
        args.extend([name.to_owned(), value.to_owned()]);
    }
    Ok(Split { args, json: false, legacy: false })
}

fn stage(line: &Line) -> Result<Stage, Problem> {
    let split = split(line, '\\')?;
    let (base, as_written) = match split.args.as_slice() {
        [base] => (base.clone(), None),
        [base, keyword, name] if keyword.eq_ignore_ascii_case("as") => {
            (base.clone(), Some((keyword.clone(), name.clone())))
        }
        _ => return Err(Problem::FromArguments),
    };
    let name = as_written.as_ref().map(|(_, name)| name.to_lowercase()).unwrap_or_default();
    let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    if let Some((_, written)) = as_written.as_ref().filter(|_| !valid) {
        return Err(Problem::StageName(written.clone()));
    }
    let mut flags = Flags::new(line);
    let platform = flags.text("platform");
    flags.finish()?;
    Ok(Stage {
        keyword: line.keyword.clone(),
        base,
        name,
        as_written,
        platform: platform.map(ToOwned::to_owned),
        code: line.code.clone(),
        span: line.span,
        instructions: Vec::new(),
    })
}

fn instruction(line: &Line, escape: char) -> Result<Instruction, Problem> {
    Ok(Instruction {
        keyword: line.keyword.clone(),
        code: line.code.clone(),
        span: line.span,
        command: command(line, escape)?,
    })
}

fn command(line: &Line, escape: char) -> Result<Command, Problem> {
    let Split { args, json, legacy } = split(line, escape)?;
    let flags = Flags::new(line);
    let words = |args: Vec<String>| CommandLine { words: args, shell_form: !json, heredocs: line.heredocs.clone() };
    let pairs = |keyword: &'static str, args: Vec<String>| {
        if args.is_empty() {
            return Err(Problem::AtLeastOne(keyword));
        }
        let mut pairs = Vec::new();
        for pair in args.chunks_exact(2) {
            if let [key, value] = pair {
                if key.is_empty() {
                    return Err(Problem::BlankName(keyword));
                }
                pairs.push(Pair { key: key.clone(), value: value.clone(), legacy });
            }
        }
        Ok(pairs)
    };
    let one = |keyword: &'static str, mut args: Vec<String>| match (args.pop(), args.is_empty()) {
        (Some(arg), true) => Ok(arg),
        _ => Err(Problem::ExactlyOne(keyword)),
    };
    let some = |keyword: &'static str| if args.is_empty() { Err(Problem::AtLeastOne(keyword)) } else { Ok(()) };
    let command = match line.keyword.to_ascii_uppercase().as_str() {
        "ADD" => return copy(line, args, "ADD").map(Command::Add),
        "COPY" => return copy(line, args, "COPY").map(Command::Copy),
        "RUN" => return run(line, words(args)).map(Command::Run),
        "HEALTHCHECK" => return healthcheck(line, args, json).map(Command::Healthcheck),
        "ONBUILD" => {
            some("ONBUILD")?;
            return onbuild(line).map(Command::Onbuild);
        }
        "ARG" => {
            some("ARG")?;
            let mut list = Vec::new();
            for arg in args {
                list.push(match arg.split_once('=') {
                    Some(("", _)) => return Err(Problem::BlankName("ARG")),
                    Some((key, default)) => Arg { key: key.to_owned(), default: Some(default.to_owned()) },
                    None => Arg { key: arg, default: None },
                });
            }
            Command::Arg(list)
        }
        "CMD" => Command::Cmd(words(args)),
        "ENTRYPOINT" => Command::Entrypoint(words(args)),
        "ENV" => Command::Env(pairs("ENV", args)?),
        "LABEL" => Command::Label(pairs("LABEL", args)?),
        "EXPOSE" => {
            some("EXPOSE")?;
            let mut ports = args;
            ports.arrange();
            Command::Expose(ports)
        }
        "MAINTAINER" => Command::Maintainer(one("MAINTAINER", args)?),
        "SHELL" => {
            some("SHELL")?;
            if !json {
                return Err(Problem::NotJson { keyword: "SHELL" });
            }
            Command::Shell(args)
        }
        "STOPSIGNAL" => Command::StopSignal(one("STOPSIGNAL", args)?),
        "USER" => Command::User(one("USER", args)?),
        "VOLUME" => {
            some("VOLUME")?;
            let volumes: Vec<String> = args.iter().map(|volume| volume.trim().to_owned()).collect();
            if volumes.iter().any(String::is_empty) {
                return Err(Problem::EmptyVolume);
            }
            Command::Volume(volumes)
        }
        "WORKDIR" => Command::Workdir(one("WORKDIR", args)?),
        _ => {
            let suggestion = suggest(&line.keyword, &INSTRUCTIONS, false);
            return Err(Problem::UnknownInstruction { keyword: line.keyword.clone(), suggestion });
        }
    };
    flags.finish()?;
    Ok(command)
}

fn copy(line: &Line, mut args: Vec<String>, keyword: &'static str) -> Result<Copy, Problem> {
    let mut flags = Flags::new(line);
    let is_add = keyword == "ADD";
    let text = |value: Option<&str>| value.map(ToOwned::to_owned);
    let destination = match args.pop() {
        Some(destination) if !args.is_empty() => destination,
        _ => return Err(Problem::NoDestination(keyword)),
    };
    let mut copy = Copy {
        chown: text(flags.text("chown")),
        chmod: text(flags.text("chmod")),
        link: flags.switch("link").unwrap_or(false),
        exclude: flags.texts("exclude"),
        ..Copy::default()
    };
    if is_add {
        copy.keep_git_dir = flags.switch("keep-git-dir").unwrap_or(false);
        copy.checksum = text(flags.text("checksum"));
        copy.unpack = flags.switch("unpack");
    } else {
        copy.from = text(flags.text("from"));
        copy.parents = flags.switch("parents").unwrap_or(false);
    }
    flags.finish()?;
    if Heredoc::parse(&destination).is_some() {
        return Err(Problem::HeredocDestination(keyword));
    }
    copy.destination = destination;
    for source in args {
        let document = Heredoc::parse(&source).and_then(|word| line.heredocs.iter().find(|doc| doc.name == word.name));
        match document {
            Some(document) => copy.documents.push(document.clone()),
            None => copy.sources.push(source),
        }
    }
    Ok(copy)
}

fn run(line: &Line, words: CommandLine) -> Result<Run, Problem> {
    let mut flags = Flags::new(line);
    let run = Run {
        mounts: flags.texts("mount"),
        network: flags.text("network").map(ToOwned::to_owned),
        security: flags.text("security").map(ToOwned::to_owned),
        line: words,
    };
    flags.finish()?;
    if let Some(network) = run.network.as_ref().filter(|mode| !["default", "none", "host"].contains(&mode.as_str())) {
        return Err(Problem::Mount(MountError::Network(network.clone())));
    }
    if let Some(security) = run.security.as_ref().filter(|mode| !["sandbox", "insecure"].contains(&mode.as_str())) {
        return Err(Problem::Mount(MountError::Security(security.clone())));
    }
    Ok(run)
}

fn onbuild(line: &Line) -> Result<String, Problem> {
    Flags::new(line).finish()?;
    let trigger = line.rest.split_whitespace().next().unwrap_or_default().to_uppercase();
    match trigger.as_str() {
        "ONBUILD" => return Err(Problem::OnbuildOnbuild),
        "MAINTAINER" | "FROM" => return Err(Problem::OnbuildTrigger(trigger)),
        _ => {}
    }
    let mut text = line.rest.clone();
    for heredoc in &line.heredocs {
        text.push('\n');
        text.push_str(&heredoc.content);
        text.push_str(&heredoc.name);
    }
    Ok(text)
}

fn healthcheck(line: &Line, args: Vec<String>, json: bool) -> Result<Healthcheck, Problem> {
    let Some((kind, args)) = args.split_first() else { return Err(Problem::AtLeastOne("HEALTHCHECK")) };
    let kind = kind.to_uppercase();
    let mut flags = Flags::new(line);
    if kind == "NONE" {
        if !args.is_empty() {
            return Err(Problem::HealthcheckNone);
        }
        return Ok(Healthcheck { test: vec![kind], ..Healthcheck::default() });
    }
    let mut nanos = |name: &'static str| match flags.text(name) {
        None => Ok(0),
        Some(text) => match parse_duration(text)? {
            0 => Ok(0),
            nanos if nanos < 1_000_000 => Err(Problem::Interval(name)),
            nanos => Ok(nanos),
        },
    };
    let mut check = Healthcheck {
        interval_nanos: nanos("interval")?,
        timeout_nanos: nanos("timeout")?,
        start_period_nanos: nanos("start-period")?,
        start_interval_nanos: nanos("start-interval")?,
        ..Healthcheck::default()
    };
    let retries = flags.text("retries").map(ToOwned::to_owned);
    flags.finish()?;
    if kind != "CMD" {
        return Err(Problem::HealthcheckType(kind));
    }
    if args.is_empty() {
        return Err(Problem::HealthcheckCommand);
    }
    check.test.push(if json { "CMD" } else { "CMD-SHELL" }.to_owned());
    check.test.extend(args.iter().cloned());
    if let Some(text) = retries {
        check.retries = text.parse::<i32>().map_err(|_| Problem::Number(text.clone()))?.into();
        if check.retries < 0 {
            return Err(Problem::Retries(check.retries));
        }
    }
    Ok(check)
}

/// Go's `time.ParseDuration`, in nanoseconds.
fn parse_duration(text: &str) -> Result<i64, Problem> {
    let invalid = || Problem::Duration(text.to_owned());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    let mut total = 0.0;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(invalid)?;
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters).ok_or_else(invalid)?;
        let scale = match unit {
            "" => return Err(Problem::DurationUnit(text.to_owned())),
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return Err(invalid()),
        };
        total += number * scale;
        rest = tail;
    }
    if total > 9e18 {
        return Err(invalid());
    }
    Ok(if negative { -(total as i64) } else { total as i64 })
}

/// The flags of one instruction (BuildKit `instructions/bflag.go`). Problems are kept until [`Flags::finish`].
struct Flags<'a> {
    given: Vec<(&'a str, Option<&'a str>)>,
    known: Vec<(&'static str, bool)>,
    boolean: Option<Problem>,
}

impl<'a> Flags<'a> {
    fn new(line: &'a Line) -> Self {
        let given = line.flags.iter().map(|flag| match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag.as_str(), None),
        });
        Self { given: given.collect(), known: Vec::new(), boolean: None }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        let own = self.given.iter().filter(|(flag, _)| flag.strip_prefix("--") == Some(name));
        own.map(|(_, value)| *value).collect::<Vec<_>>().into_iter()
    }

    fn text(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.push((name, false));
        self.values(name).next().flatten().filter(|value| !value.is_empty())
    }

    fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.known.push((name, true));
        self.values(name).flatten().map(ToOwned::to_owned).collect()
    }

    fn switch(&mut self, name: &'static str) -> Option<bool> {
        self.known.push((name, false));
        let value = self.values(name).next()?;
        match value.map(str::to_lowercase).as_deref() {
            None | Some("true") => Some(true),
            Some("false") => Some(false),
            Some("") => {
                self.boolean.get_or_insert(Problem::FlagValue(format!("--{name}")));
                None
            }
            Some(_) => {
                let (name, value) = (format!("--{name}"), value.unwrap_or_default().to_owned());
                self.boolean.get_or_insert(Problem::FlagBoolean { name, value });
                None
            }
        }
    }

    fn finish(self) -> Result<(), Problem> {
        let switches = ["link", "parents", "keep-git-dir", "unpack"];
        let mut seen: Vec<&str> = Vec::new();
        for (flag, value) in &self.given {
            let name = flag.strip_prefix("--").unwrap_or(flag);
            let Some((_, repeats)) = self.known.iter().find(|(known, _)| *known == name) else {
                let names: Vec<&str> = self.known.iter().map(|(known, _)| *known).collect();
                return Err(Problem::UnknownFlag { name: name.to_owned(), suggestion: suggest(name, &names, true) });
            };
            if seen.contains(&name) && !repeats {
                return Err(Problem::DuplicateFlag((*flag).to_owned()));
            }
            seen.push(name);
            if value.is_none() && !switches.contains(&name) {
                return Err(Problem::FlagValue((*flag).to_owned()));
            }
        }
        self.boolean.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Command {
        parse(&format!("FROM a\n{text}")).unwrap().stages.remove(0).instructions.remove(0).command
    }

    #[test]
    fn stages_hold_their_instructions() {
        let file = parse(
            "ARG V=1\nFROM --platform=linux/amd64 golang:$V as Build\nRUN x\nfrom scratch\nCOPY --from=build /a /b\n",
        );
        let file = file.unwrap();
        assert_eq!(file.global_args.len(), 1);
        assert_eq!(file.stages.len(), 2);
        assert_eq!((file.stages[0].name.as_str(), file.stages[0].base.as_str()), ("build", "golang:$V"));
        assert_eq!(file.stages[0].platform.as_deref(), Some("linux/amd64"));
        assert_eq!(file.stages[1].instructions[0].code, "COPY --from=build /a /b");
        assert_eq!(file.stages[1].instructions[0].span, Span::line(5));
    }

    #[test]
    fn every_instruction_has_its_own_arguments() {
        let Command::Env(pairs) = only(r#"ENV A="b c" D=e"#) else { panic!() };
        assert_eq!((pairs[0].value.as_str(), pairs[1].key.as_str(), pairs[1].legacy), ("\"b c\"", "D", false));
        let Command::Label(pairs) = only("LABEL a  b c") else { panic!() };
        assert_eq!((pairs[0].value.as_str(), pairs[0].legacy), ("b c", true));
        let Command::Cmd(line) = only(r#"CMD ["nginx", "-g", "daemon off;"]"#) else { panic!() };
        assert_eq!((line.words.len(), line.shell_form), (3, false));
        let Command::Cmd(line) = only("CMD [nginx, -g]") else { panic!() };
        assert_eq!((line.words, line.shell_form), (vec!["[nginx, -g]".to_owned()], true));
        let Command::Copy(copy) = only("COPY --chown=1:2 --link --exclude=*.md --exclude=b a b /c/") else { panic!() };
        assert_eq!((copy.sources.len(), copy.link, copy.exclude.len()), (2, true, 2));
        let Command::Add(copy) = only("ADD rootfs.tar.xz /") else { panic!() };
        assert_eq!((copy.sources[0].as_str(), copy.destination.as_str()), ("rootfs.tar.xz", "/"));
        let Command::Run(run) = only("RUN --mount=type=cache,target=/c --network=none <<EOF\necho hi\nEOF") else {
            panic!()
        };
        assert_eq!((run.mounts.len(), run.line.heredocs[0].content.as_str()), (1, "echo hi\n"));
        let Command::Expose(ports) = only("EXPOSE 8080 443/tcp") else { panic!() };
        assert_eq!(ports, ["443/tcp", "8080"]);
        let Command::Healthcheck(check) = only("HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f x || exit 1")
        else {
            panic!()
        };
        assert_eq!((check.interval_nanos, check.retries, check.test[0].as_str()), (90_000_000_000, 3, "CMD-SHELL"));
        let Command::Onbuild(text) = only("ONBUILD COPY . /app") else { panic!() };
        assert_eq!(text, "COPY . /app");
        let Command::Volume(volumes) = only(r#"VOLUME ["/a", " /b "]"#) else { panic!() };
        assert_eq!(volumes, ["/a", "/b"]);
        let Command::Arg(args) = only("ARG a=1 b") else { panic!() };
        assert_eq!((args[0].default.as_deref(), args[1].default.as_deref()), (Some("1"), None));
        let Command::Copy(copy) = only("COPY <<\"a.txt\" /x\nhello $A\na.txt") else { panic!() };
        assert_eq!((copy.sources.len(), copy.documents[0].expand), (0, false));
    }

    #[test]
    fn mistakes_are_told_in_buildkits_words() {
        for (text, error) in [
            ("FROM a\nRUNN x", "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)"),
            ("FORM a", "dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?)"),
            ("FROM a\n\nINSTALL", "dockerfile parse error on line 3: unknown instruction: INSTALL"),
            ("# just this", "file with no instructions"),
            ("RUN x", "no build stage in current context"),
            ("ARG a", "dockerfile contains no stages to build"),
            ("FROM a b", "dockerfile parse error on line 1: FROM requires either one or three arguments"),
            (
                "FROM a AS 1b",
                "dockerfile parse error on line 1: invalid name for build stage: \"1b\", name can't start with a number or contain symbols",
            ),
            ("FROM a\nENV b", "ENV must have two arguments"),
            ("FROM a\nENV b=c d", "Syntax error - can't find = in \"d\". Must be of the form: name=value"),
            ("FROM a\nENV", "dockerfile parse error on line 2: ENV requires at least one argument"),
            ("FROM a\nENV =c", "dockerfile parse error on line 2: ENV names can not be blank"),
            (
                "FROM a\nCOPY b",
                "dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
            ),
            (
                "FROM a\nCOPY --form=b c d",
                "dockerfile parse error on line 2: unknown flag: --form (did you mean from?)",
            ),
            ("FROM a\nCOPY --from c d", "dockerfile parse error on line 2: missing a value on flag: --from"),
            (
                "FROM a\nCOPY --link=maybe c d",
                "dockerfile parse error on line 2: expecting boolean value for flag --link, not: maybe",
            ),
            (
                "FROM a\nCOPY --from=b --from=c d e",
                "dockerfile parse error on line 2: duplicate flag specified: --from",
            ),
            ("FROM a\nCMD [1]", "when using JSON array syntax, arrays must be comprised of strings only"),
            ("FROM a\nWORKDIR", "dockerfile parse error on line 2: WORKDIR requires exactly one argument"),
            ("FROM a\nSHELL bash", "dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form"),
            (
                "FROM a\nONBUILD ONBUILD RUN x",
                "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            ),
            ("FROM a\nONBUILD FROM x", "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger"),
            ("FROM a\nHEALTHCHECK x", "dockerfile parse error on line 2: Unknown type \"X\" in HEALTHCHECK (try CMD)"),
            (
                "FROM a\nHEALTHCHECK --interval=1 CMD x",
                "dockerfile parse error on line 2: time: missing unit in duration \"1\"",
            ),
            (
                "FROM a\nHEALTHCHECK --interval=1us CMD x",
                "dockerfile parse error on line 2: Interval \"interval\" cannot be less than 1ms",
            ),
            ("FROM a\nVOLUME [\"\"]", "dockerfile parse error on line 2: VOLUME specified can not be an empty string"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), error, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses_or_fails(text in "(FROM a\n)?([A-Z]{2,5} |RUN |COPY |ENV |HEALTHCHECK |LABEL |ARG |#|\\\\|\n|<<E|E\n|\"|'|=|a|--b|\\[|\\]|,|\\PC{0,9}|\r){0,30}") {
            let lines = text.split('\n').count();
            let is_of_text = |span: Span| 1 <= span.start && span.start <= span.end && span.end <= lines;
            match parse(&text) {
                Ok(file) => {
                    let instructions = file.stages.iter().flat_map(|stage| &stage.instructions).chain(&file.global_args);
                    for instruction in instructions {
                        proptest::prop_assert!(is_of_text(instruction.span), "{:?} of {lines}", instruction.span);
                    }
                }
                // Only a file without instructions or stages has no line to blame.
                Err(error) => proptest::prop_assert!(
                    is_of_text(error.span) || matches!(error.problem, Problem::NoInstructions | Problem::NoStages),
                    "{:?} of {lines}: {error}", error.span
                ),
            }
        }
    }
}

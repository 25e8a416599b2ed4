//! The plan of a build: which stages are needed, what each starts from, what the variables before the first FROM are.
//!
//! A plan is made from the Dockerfile and the request alone; no image is looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{BuildError, Located};
use crate::docker::daemon::api::build::{BuildRequest, NamedContext};
use crate::docker::dockerfile::error::suggest;
use crate::docker::dockerfile::instruction::Command;
use crate::docker::dockerfile::lint::{self, Checks, Warning};
use crate::docker::dockerfile::mount::{Mount, MountType};
use crate::docker::dockerfile::quote::go_quote;
use crate::docker::dockerfile::words::{Expanded, Lex, Variables};
use crate::docker::dockerfile::{Dockerfile, Instruction, Span, Stage};
use crate::docker::image::change::arg_value;
use crate::docker::image::reference::Reference;

/// Contexts by name.
type Contexts = BTreeMap<String, NamedContext>;

/// What a stage starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An earlier stage.
    Stage(usize),
    /// An image, and its name as written after expansion.
    Image(Reference, String),
    /// The files of a named context.
    Context(String),
}

/// Where COPY and bind mounts take their files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The build context.
    Context,
    /// The files of a named context.
    Named(String),
    /// A stage.
    Stage(usize),
    /// An image.
    Image(Reference, String),
    /// `--from=scratch`: nothing.
    Scratch,
}

/// A stage in the plan.
#[derive(Debug, Clone)]
pub struct PlannedStage<'a> {
    /// As written.
    pub stage: &'a Stage,
    /// What it starts from.
    pub base: Base,
    /// The platform that its FROM asks for, where it is not the builder's own.
    pub foreign: Option<String>,
    /// Its name in progress lines; empty when it is the only one.
    pub label: String,
    /// The stages that it needs.
    pub needs: BTreeSet<usize>,
    /// Images that it only copies from.
    pub images: Vec<(Reference, String)>,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// All stages.
    pub stages: Vec<PlannedStage<'a>>,
    /// The one whose image is asked for.
    pub target: usize,
    /// Those that are needed for it, in order.
    pub order: Vec<usize>,
    /// Variables before the first FROM, platform variables among them.
    pub globals: Vec<String>,
    /// Which checks count.
    pub checks: Checks,
}

/// The platform variables that every BuildKit build has.
fn platform(architecture: &str, target: &str) -> Vec<String> {
    let mut out = Vec::new();
    for side in ["BUILD", "TARGET"] {
        out.push(format!("{side}PLATFORM=linux/{architecture}"));
        out.push(format!("{side}OS=linux"));
        out.push(format!("{side}OSVERSION="));
        out.push(format!("{side}ARCH={architecture}"));
        out.push(format!("{side}VARIANT="));
    }
    out.push(format!("TARGETSTAGE={}", if target.is_empty() { "default" } else { target }));
    out
}

/// Which checks count.
///
/// # Errors
/// Options that can't be read.
pub fn checks(file: &Dockerfile, request: &BuildRequest) -> Result<Checks, BuildError> {
    let options = request.build_args.get("BUILDKIT_DOCKERFILE_CHECK").or(file.directives.check.as_ref());
    Ok(Checks::parse(options.map_or("", String::as_str))?)
}

/// Makes a plan; `warnings` gets what the checks find, even where there is no plan to be made.
///
/// # Errors
/// Unknown targets and stages, circles, base names that can't be.
pub fn plan<'a>(
    file: &'a Dockerfile,
    request: &BuildRequest,
    every_stage: bool,
    architecture: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Plan<'a>, Located> {
    let (build_args, target) = (&request.build_args, request.target.as_deref());
    let escape = file.directives.escape;
    let checks = checks(file, request)?;
    warnings.extend(lint::check(file));
    let last_name = file.stages.last().map_or("", |stage| stage.name.as_str());
    let given = platform(architecture, target.unwrap_or(last_name));
    if let Ok(defaults) = global_args(file, given.clone(), &BTreeMap::new()) {
        warnings.extend(invalid_defaults(file, &defaults));
    }
    let globals = global_args(file, given, build_args)?;
    let target_index = match target {
        None => file.stages.len().saturating_sub(1),
        Some(name) => find_stage(&file.stages, name).ok_or_else(|| BuildError::Target(name.to_owned()))?,
    };
    let mut stages: Vec<PlannedStage<'a>> = Vec::new();
    for (index, stage) in file.stages.iter().enumerate() {
        let expanded = Lex::new(escape)
            .expand(&stage.base, globals.as_slice())
            .map_err(|error| BuildError::from(error).at(stage.span))?;
        undeclared(&expanded, &globals, stage.span, warnings);
        let platform = platform_flag(stage, escape, &globals, warnings)?;
        let foreign = platform.filter(|platform| !is_own(platform, architecture));
        let name = expanded.text;
        if name.is_empty() {
            return Err(BuildError::BlankBase(stage.base.clone()).at(stage.span));
        }
        let earlier = file.stages.iter().take(index).rposition(|other| !other.name.is_empty() && other.name == name);
        let named = request.contexts.get_key_value(&name).or_else(|| request.contexts.get_key_value(&stage.name));
        let base = match earlier {
            _ if let Some((name, context)) = named => match context {
                NamedContext::Files(_) => Base::Context(name.clone()),
                NamedContext::Image(reference) => Base::Image(reference.clone(), name.clone()),
            },
            Some(other) => Base::Stage(other),
            None if name == "scratch" => Base::Scratch,
            None => Base::Image(reference(&name, stage)?, name),
        };
        let label = if stage.name.is_empty() { format!("stage-{index}") } else { stage.name.clone() };
        let mut planned = PlannedStage { stage, base, foreign, label, needs: BTreeSet::new(), images: Vec::new() };
        if let Base::Stage(other) = planned.base {
            planned.needs.insert(other);
        }
        for instruction in &stage.instructions {
            for origin in origins(instruction, &file.stages, &request.contexts)? {
                match origin {
                    Origin::Context | Origin::Named(_) | Origin::Scratch => {}
                    Origin::Stage(other) if other == index => {
                        return Err(BuildError::Circular(planned.label).at(instruction.span));
                    }
                    Origin::Stage(other) if other > index => {
                        let from = file.stages.get(other).map_or(String::new(), |stage| stage.name.clone());
                        return Err(BuildError::LaterStage { from, stage: planned.label }.at(instruction.span));
                    }
                    Origin::Stage(other) => drop(planned.needs.insert(other)),
                    Origin::Image(reference, name) => planned.images.push((reference, name)),
                }
            }
        }
        stages.push(planned);
    }
    if let [only] = stages.as_mut_slice()
        && only.images.is_empty()
    {
        only.label.clear();
    }
    let mut needed = BTreeSet::from([target_index]);
    if every_stage && target.is_none() {
        needed.extend(0..stages.len());
    }
    // Stages need only earlier ones, so one pass from the last to the first finds all.
    for index in (0..stages.len()).rev() {
        if needed.contains(&index)
            && let Some(stage) = stages.get(index)
        {
            needed.extend(stage.needs.iter().copied());
        }
    }
    Ok(Plan { stages, target: target_index, order: needed.into_iter().collect(), globals, checks })
}

/// The variables before the first FROM.
fn global_args(
    file: &Dockerfile,
    mut globals: Vec<String>,
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<String>, Located> {
    for instruction in &file.global_args {
        let Command::Arg(args) = &instruction.command else { continue };
        for arg in args {
            let value = arg_value(arg, file.directives.escape, &globals, build_args.get(&arg.key), None);
            let value = value.map_err(|error| BuildError::from(error).at(instruction.span))?;
            globals.push(format!("{}={}", arg.key, value.unwrap_or_default()));
        }
    }
    Ok(globals)
}

/// BuildKit `lint.go` `validateBaseImagesWithDefaultArgs`.
fn invalid_defaults(file: &Dockerfile, globals: &[String]) -> Vec<Warning> {
    let mut out = Vec::new();
    for stage in &file.stages {
        let Ok(expanded) = Lex::new(file.directives.escape).expand(&stage.base, globals) else { return out };
        if Reference::parse(&expanded.text).is_err() {
            let message = format!("Default value for ARG {} results in empty or invalid base image name", stage.base);
            out.push(Warning { rule: &lint::INVALID_DEFAULT_ARG_IN_FROM, message, span: stage.span });
        }
    }
    out
}

/// BuildKit `lint.go` `reportUnusedFromArgs`.
fn undeclared(expanded: &Expanded, globals: &[String], span: Span, warnings: &mut Vec<Warning>) {
    let names: Vec<&str> = globals.iter().filter_map(|word| word.split('=').next()).collect();
    for name in &expanded.unmatched {
        let hint = suggest(name, &names, true).map(|other| format!(" (did you mean {other}?)")).unwrap_or_default();
        let message = format!("FROM argument '{name}' is not declared{hint}");
        warnings.push(Warning { rule: &lint::UNDEFINED_ARG_IN_FROM, message, span });
    }
}

/// Whether a platform is Linux on this architecture, in any of containerd's spellings (`platforms.Parse`).
fn is_own(platform: &str, architecture: &str) -> bool {
    let parts: Vec<String> = platform.split('/').map(str::to_ascii_lowercase).collect();
    let is_own =
        |part: &String| part == architecture || architecture == "amd64" && (part == "x86_64" || part == "x86-64");
    match parts.as_slice() {
        [one] => one == "linux" || is_own(one),
        [system, own, ..] => system == "linux" && is_own(own),
        [] => true,
    }
}

/// BuildKit `convert.go` `buildDispatchStates` and `lint.go`: what `--platform` says.
fn platform_flag(
    stage: &Stage,
    escape: char,
    globals: &[String],
    warnings: &mut Vec<Warning>,
) -> Result<Option<String>, Located> {
    let Some(written) = &stage.platform else { return Ok(None) };
    let expanded = Lex::new(escape).expand(written, globals).map_err(|error| BuildError::from(error).at(stage.span))?;
    undeclared(&expanded, globals, stage.span, warnings);
    let (matched, value) = (&expanded.matched, expanded.text.as_str());
    if value.is_empty() {
        return Err(BuildError::EmptyPlatform(written.clone()).at(stage.span));
    }
    if matched.len() == 1 && expanded.unmatched.is_empty() && matched.contains("TARGETPLATFORM") {
        let target = Variables::get(globals, "TARGETPLATFORM");
        if target == Some(value) {
            let message = format!(
                "Setting platform to predefined {written} in FROM is redundant as this is the default behavior"
            );
            warnings.push(Warning { rule: &lint::REDUNDANT_TARGET_PLATFORM, message, span: stage.span });
        }
    }
    let named = value.split('/').any(|part| stage.name.contains(part));
    if matched.is_empty() && expanded.unmatched.is_empty() && !named {
        let value = go_quote(value);
        let message = format!("FROM --platform flag should not use constant value {value}");
        warnings.push(Warning { rule: &lint::PLATFORM_CONSTANT, message, span: stage.span });
    }
    if expanded.text.split('/').count() > 3 {
        return Err(BuildError::Platform(expanded.text.clone()).at(stage.span));
    }
    Ok(Some(expanded.text.clone()))
}

fn reference(name: &str, stage: &Stage) -> Result<Reference, Located> {
    Reference::parse(name)
        .map(Reference::with_default_tag)
        .map_err(|problem| BuildError::StageName { name: name.to_owned(), problem }.at(stage.span))
}

/// A stage by name or number.
pub fn find_stage(stages: &[Stage], name: &str) -> Option<usize> {
    let folded = name.to_lowercase();
    let by_name = stages.iter().rposition(|stage| !stage.name.is_empty() && stage.name == folded);
    by_name.or_else(|| name.parse::<usize>().ok().filter(|index| *index < stages.len()))
}

/// Where an instruction takes files from.
///
/// # Errors
/// A name that is neither a stage nor an image; a mount that can't be read.
pub fn origins(instruction: &Instruction, stages: &[Stage], contexts: &Contexts) -> Result<Vec<Origin>, Located> {
    match &instruction.command {
        Command::Copy(copy) => {
            if let Some(Ok(index)) = copy.from.as_deref().map(str::parse::<i64>)
                && !usize::try_from(index).is_ok_and(|index| index < stages.len())
            {
                return Err(BuildError::StageIndex(index).at(instruction.span));
            }
            Ok(vec![origin(copy.from.as_deref().unwrap_or_default(), instruction, stages, contexts)?])
        }
        Command::Add(_) => Ok(vec![Origin::Context]),
        Command::Run(run) => {
            let mut out = Vec::new();
            for text in &run.mounts {
                // Variables are not expanded yet; what can't be read now may be read then.
                let Ok(mount) = Mount::parse(text) else { continue };
                let from_elsewhere = mount.kind == MountType::Cache && !mount.from.is_empty();
                if mount.kind == MountType::Bind || from_elsewhere {
                    out.push(origin(&mount.from, instruction, stages, contexts)?);
                }
            }
            Ok(out)
        }
        _ => Ok(Vec::new()),
    }
}

/// What `--from=name` means.
///
/// # Errors
/// A name that is neither a stage nor an image.
pub fn origin(name: &str, instruction: &Instruction, stages: &[Stage], contexts: &Contexts) -> Result<Origin, Located> {
    if name.is_empty() || name == "context" {
        return Ok(Origin::Context);
    }
    if name == "scratch" {
        return Ok(Origin::Scratch);
    }
    match contexts.get(name) {
        Some(NamedContext::Files(_)) => return Ok(Origin::Named(name.to_owned())),
        Some(NamedContext::Image(reference)) => return Ok(Origin::Image(reference.clone(), name.to_owned())),
        None => {}
    }
    if let Some(index) = find_stage(stages, name) {
        return Ok(Origin::Stage(index));
    }
    Reference::parse(name)
        .map(|reference| Origin::Image(reference.with_default_tag(), name.to_owned()))
        .map_err(|problem| BuildError::StageName { name: name.to_owned(), problem }.at(instruction.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::dockerfile::parse;

    fn args(pairs: &[(&str, &str)], target: Option<&str>) -> BuildRequest {
        let build_args = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        BuildRequest { build_args, target: target.map(str::to_owned), ..BuildRequest::default() }
    }

    fn fail(text: &str, target: Option<&str>) -> String {
        plan(&parse(text).unwrap(), &args(&[], target), false, "amd64", &mut Vec::new()).unwrap_err().error.to_string()
    }

    #[test]
    fn unused_stages_are_left_out() {
        let file = parse(
            "FROM a AS one\nFROM b AS two\nFROM one AS three\nCOPY --from=0 /x /y\nFROM scratch\nCOPY --from=three /y /z\n",
        );
        let file = file.unwrap();
        let whole = plan(&file, &args(&[], None), false, "amd64", &mut Vec::new()).unwrap();
        assert_eq!((whole.target, whole.order.as_slice()), (3, &[0, 2, 3][..]));
        assert_eq!(whole.stages[2].base, Base::Stage(0));
        assert_eq!((whole.stages[0].label.as_str(), whole.stages[3].label.as_str()), ("one", "stage-3"));
        let part = plan(&file, &args(&[], Some("TWO")), false, "amd64", &mut Vec::new()).unwrap();
        assert_eq!(part.order, [1]);
        assert_eq!(plan(&file, &args(&[], None), true, "amd64", &mut Vec::new()).unwrap().order, [0, 1, 2, 3]);
    }

    #[test]
    fn variables_before_from_have_defaults_and_given_values() {
        let file = parse("ARG V=3.19\nARG IMAGE=alpine:$V\nFROM $IMAGE\n").unwrap();
        let base = |given: &[(&str, &str)]| match plan(&file, &args(given, None), false, "amd64", &mut Vec::new())
            .unwrap()
            .stages[0]
            .base
            .clone()
        {
            Base::Image(reference, _) => reference.familiar(),
            other => format!("{other:?}"),
        };
        assert_eq!(base(&[]), "alpine:3.19");
        assert_eq!(base(&[("V", "edge")]), "alpine:edge");
        assert_eq!(base(&[("IMAGE", "busybox")]), "busybox:latest");
        let only = plan(&file, &args(&[], None), false, "amd64", &mut Vec::new()).unwrap();
        assert_eq!(only.stages[0].label, "");
        assert!(only.globals.contains(&"TARGETARCH=amd64".to_owned()));
    }

    #[test]
    fn bases_and_platforms_are_checked() {
        for (text, expected) in [
            (
                "ARG VERSION=1\nFROM a$VERSIO\n",
                "UndefinedArgInFrom: FROM argument 'VERSIO' is not declared (did you mean VERSION?) (line 2)",
            ),
            (
                "ARG V\nFROM a:$V\n",
                "InvalidDefaultArgInFrom: Default value for ARG a:$V results in empty or invalid base image name (line 2)",
            ),
            (
                "FROM --platform=linux/amd64 a\n",
                "FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value \"linux/amd64\" (line 1)",
            ),
            (
                "FROM --platform=$TARGETPLATFORM a\n",
                "RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior (line 1)",
            ),
        ] {
            let file = parse(text).unwrap();
            let mut warnings = Vec::new();
            let plan = plan(&file, &args(&[("V", "1")], None), false, "amd64", &mut warnings);
            let shorts: Vec<String> = plan.map(|_| warnings.iter().map(Warning::short).collect()).unwrap_or_default();
            assert!(shorts.contains(&expected.to_owned()), "{text:?}: {shorts:?}");
        }
        let file = parse("FROM --platform=$BUILDPLATFORM a\nFROM --platform=linux/arm64 b AS b-arm64\n").unwrap();
        let mut warnings = Vec::new();
        assert!(plan(&file, &args(&[], None), false, "amd64", &mut warnings).is_ok());
        assert_eq!(warnings, []);
    }

    #[test]
    fn impossible_stages_are_refused() {
        assert_eq!(fail("FROM a", Some("x")), "target stage \"x\" could not be found");
        assert_eq!(fail("FROM $NOPE", None), "base name ($NOPE) should not be blank");
        assert_eq!(
            fail("FROM Nginx", None),
            "failed to parse stage name \"Nginx\": invalid reference format: repository name (library/Nginx) must be lowercase"
        );
        assert_eq!(fail("FROM a AS x\nCOPY --from=x /a /b", None), "circular dependency detected on stage: x");
        assert_eq!(
            fail("FROM a AS x\nCOPY --from=y /a /b\nFROM b AS y", None),
            "cannot copy from stage \"y\", it needs to be defined before current stage \"x\""
        );
    }

    proptest::proptest! {
        /// Any text is a plan or an error; an error of the text is at one of its lines.
        #[test]
        fn any_text_is_planned_or_refused(text in "((FROM|from|COPY|ADD|RUN|ENV|ARG|EXPOSE|#|[A-Z]{3,6}) (\\PC{0,12}|--from=[a-c]|--mount=type=[a-z]{4,6},[a-z=]{0,8}|<<E|a AS b|\\$\\{[A-C][:#%/?-]{0,2}\\w{0,3}\\}?){0,3}\n){0,8}") {
            let lines = text.split('\n').count();
            let request = args(&[("A", "1")], None);
            let span = match parse(&text) {
                Ok(file) => {
                    lint::check(&file);
                    plan(&file, &request, true, "amd64", &mut Vec::new()).err().and_then(|error| error.span)
                }
                Err(error) => Some(error.span),
            };
            if let Some(span) = span {
                proptest::prop_assert!(span.start <= span.end && span.end <= lines, "{span:?} of {lines}");
            }
        }
    }
}

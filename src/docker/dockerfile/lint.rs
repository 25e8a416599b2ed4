//! Build checks: what BuildKit warns of (`frontend/dockerfile/linter/ruleset.go`).
//!
//! A [`Rule`] is a record; a [`Warning`] is a rule broken at a place. Rules that need only the file are checked here;
//! those that need variables or images are reported by the build through the same records.

use super::error::Span;
use super::instruction::{Command, Dockerfile};
use super::quote::go_quote;
use crate::base::sort::Arrange;

/// A check.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `FromAsCasing`.
    pub name: &'static str,
    /// What it asks for.
    pub description: &'static str,
    /// The last part of its page's address; empty for a rule without a page.
    pub slug: &'static str,
}

impl Rule {
    /// The address of its page.
    pub fn url(&self) -> Option<String> {
        (!self.slug.is_empty()).then(|| format!("https://docs.docker.com/go/dockerfile/rule/{}/", self.slug))
    }

    /// Whether it counts only where a Dockerfile asks for it.
    fn is_experimental(&self) -> bool {
        *self == COPY_IGNORED_FILE || *self == INVALID_DEFINITION_DESCRIPTION
    }
}

/// An option of the checks that can't be read (BuildKit `linter.go` `ParseLintOptions`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// One that is none.
    #[error("failed to parse check options: invalid check option {}", go_quote(.0))]
    Option(String),
    /// `error=maybe`.
    #[error("failed to parse check options: failed to parse check option {}: strconv.ParseBool: parsing {}: invalid syntax", go_quote(.0), go_quote(.1))]
    Boolean(String, String),
}

/// Which rules count: `# check=skip=A,B;error=true;experimental=C`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    skip: Vec<String>,
    experimental: Vec<String>,
    /// Whether a broken rule fails the build.
    pub error: bool,
}

impl Checks {
    /// Reads the options.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn parse(options: &str) -> Result<Self, CheckError> {
        let mut out = Self::default();
        for option in options.split(';').filter(|_| !options.is_empty()) {
            let (name, value) = option.split_once('=').ok_or_else(|| CheckError::Option(option.to_owned()))?;
            let (name, value) = (name.trim(), value.trim());
            let names = || value.split(',').map(|name| name.trim().to_owned()).collect();
            match name {
                "skip" => out.skip = names(),
                "experimental" => out.experimental = names(),
                "error" => {
                    out.error = match value {
                        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
                        "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
                        _ => return Err(CheckError::Boolean(option.to_owned(), value.to_owned())),
                    }
                }
                _ => return Err(CheckError::Option(name.to_owned())),
            }
        }
        Ok(out)
    }

    /// Whether a rule counts.
    pub fn asks_for(&self, rule: &Rule) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name == "all" || name == rule.name);
        if rule.is_experimental() { names(&self.experimental) } else { !names(&self.skip) }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $slug:literal, $description:literal;)+) => {
        $($(#[$doc])* pub const $id: Rule = Rule { name: $name, slug: $slug, description: $description };)+

        /// Every rule.
        pub const RULES: &[&Rule] = &[$(&$id),+];
    };
}

rules! {
    /// Stage names in lower case.
    STAGE_NAME_CASING = "StageNameCasing", "stage-name-casing", "Stage names should be lowercase";
    /// `FROM … AS` or `from … as`.
    FROM_AS_CASING = "FromAsCasing", "from-as-casing", "The 'as' keyword should match the case of the 'from' keyword";
    /// No empty lines after a backslash.
    NO_EMPTY_CONTINUATION = "NoEmptyContinuation", "no-empty-continuation", "Empty continuation lines will become errors in a future release";
    /// All instructions in capitals, or none.
    CONSISTENT_INSTRUCTION_CASING = "ConsistentInstructionCasing", "consistent-instruction-casing", "All commands within the Dockerfile should use the same casing (either upper or lower)";
    /// A stage's name once.
    DUPLICATE_STAGE_NAME = "DuplicateStageName", "duplicate-stage-name", "Stage names should be unique";
    /// No stage called scratch or context.
    RESERVED_STAGE_NAME = "ReservedStageName", "reserved-stage-name", "Reserved words should not be used as stage names";
    /// Exec form for CMD and ENTRYPOINT.
    JSON_ARGS_RECOMMENDED = "JSONArgsRecommended", "json-args-recommended", "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals";
    /// LABEL instead of MAINTAINER.
    MAINTAINER_DEPRECATED = "MaintainerDeprecated", "maintainer-deprecated", "The MAINTAINER instruction is deprecated, use a label instead to define an image author";
    /// Variables of FROM come from ARG.
    UNDEFINED_ARG_IN_FROM = "UndefinedArgInFrom", "undefined-arg-in-from", "FROM command must use declared ARGs";
    /// An absolute WORKDIR first.
    WORKDIR_RELATIVE_PATH = "WorkdirRelativePath", "workdir-relative-path", "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes";
    /// Variables are defined before use.
    UNDEFINED_VAR = "UndefinedVar", "undefined-var", "Variables should be defined before their use";
    /// One CMD, ENTRYPOINT and HEALTHCHECK a stage.
    MULTIPLE_INSTRUCTIONS = "MultipleInstructionsDisallowed", "multiple-instructions-disallowed", "Multiple instructions of the same type should not be used in the same stage";
    /// `ENV a=b`, not `ENV a b`.
    LEGACY_KEY_VALUE_FORMAT = "LegacyKeyValueFormat", "legacy-key-value-format", "Legacy key/value format with whitespace separator should not be used";
    /// No passwords in ARG and ENV.
    SECRETS_USED = "SecretsUsedInArgOrEnv", "secrets-used-in-arg-or-env", "Sensitive data should not be used in the ARG or ENV commands";
    /// A base image for this platform.
    INVALID_BASE_IMAGE_PLATFORM = "InvalidBaseImagePlatform", "", "Base image platform does not match expected target platform";
    /// No `--platform=$TARGETPLATFORM`.
    REDUNDANT_TARGET_PLATFORM = "RedundantTargetPlatform", "redundant-target-platform", "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior";
    /// Defaults that name an image.
    INVALID_DEFAULT_ARG_IN_FROM = "InvalidDefaultArgInFrom", "invalid-default-arg-in-from", "Default value for global ARG results in an empty or invalid base image name";
    /// No copies of ignored files.
    COPY_IGNORED_FILE = "CopyIgnoredFile", "copy-ignored-file", "Attempting to Copy file that is excluded by .dockerignore";
    /// Comments that describe an ARG or a stage name it.
    INVALID_DEFINITION_DESCRIPTION = "InvalidDefinitionDescription", "invalid-definition-description", "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.";
    /// `EXPOSE 80/tcp`, not `80/TCP`.
    EXPOSE_PROTO_CASING = "ExposeProtoCasing", "expose-proto-casing", "Protocol in EXPOSE instruction should be lowercase";
    /// `EXPOSE 80`, not `8080:80`.
    EXPOSE_INVALID_FORMAT = "ExposeInvalidFormat", "expose-invalid-format", "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release";
    /// No constant in `FROM --platform`.
    PLATFORM_CONSTANT = "FromPlatformFlagConstDisallowed", "from-platform-flag-const-disallowed", "FROM --platform flag should not use a constant value";
}

/// A rule broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Which.
    pub rule: &'static Rule,
    /// In the rule's words.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Warning {
    /// `FromAsCasing: 'as' and 'FROM' keywords' casing do not match`.
    pub fn text(&self) -> String {
        format!("{}: {}", self.rule.name, self.message)
    }

    /// The text with its line, as it stands below a build.
    pub fn short(&self) -> String {
        match self.span.start {
            0 => self.text(),
            line => format!("{} (line {line})", self.text()),
        }
    }
}

/// The warnings of a file, in the order of its lines; which of them count, [`Checks`] tells.
pub fn check(file: &Dockerfile) -> Vec<Warning> {
    let mut out = Vec::new();
    let mut warn = |rule: &'static Rule, span: Span, message: String| out.push(Warning { rule, message, span });
    for span in &file.empty_continuations {
        warn(&NO_EMPTY_CONTINUATION, *span, "Empty continuation line".to_owned());
    }
    for (line, names) in descriptions(file) {
        let Some(comment) = file.comments.get(&line) else { continue };
        let first = comment.split(' ').next().unwrap_or_default();
        if let (keyword, [name, more @ ..]) = (names.0, names.1.as_slice())
            && !names.1.contains(&first)
        {
            let name = if more.is_empty() { name } else { "<arg_key>" };
            let message = format!("Comment for {keyword} should follow the format: `# {name} <description>`");
            warn(&INVALID_DEFINITION_DESCRIPTION, Span::line(line), message);
        }
    }
    stages(file, &mut warn);
    casing(file, &mut warn);
    for stage in &file.stages {
        let mut shell = false;
        let mut workdir = false;
        let mut last: Vec<(&str, Span)> = Vec::new();
        for instruction in &stage.instructions {
            let (span, name) = (instruction.span, instruction.command.name());
            match &instruction.command {
                Command::Maintainer(_) => {
                    warn(
                        &MAINTAINER_DEPRECATED,
                        span,
                        "Maintainer instruction is deprecated in favor of using label".into(),
                    );
                }
                Command::Shell(_) => shell = true,
                Command::Cmd(line) | Command::Entrypoint(line) if line.shell_form && !shell => {
                    let message = format!(
                        "JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
                        instruction.keyword
                    );
                    warn(&JSON_ARGS_RECOMMENDED, span, message);
                }
                Command::Workdir(path) => {
                    if !workdir && !path.starts_with(['/', '$']) {
                        let path = go_quote(path);
                        let message =
                            format!("Relative workdir {path} can have unexpected results if the base image changes");
                        warn(&WORKDIR_RELATIVE_PATH, span, message);
                    }
                    workdir = true;
                }
                Command::Env(pairs) | Command::Label(pairs) => {
                    let keyword = &instruction.keyword;
                    if pairs.iter().any(|pair| pair.legacy) {
                        let message = format!(
                            "\"{keyword} key=value\" should be used instead of legacy \"{keyword} key value\" format"
                        );
                        warn(&LEGACY_KEY_VALUE_FORMAT, span, message);
                    }
                    if name == "ENV" {
                        pairs.iter().for_each(|pair| secret("ENV", &pair.key, span, &mut warn));
                    }
                }
                Command::Expose(ports) => {
                    for port in ports {
                        let (range, protocol) = port.split_once('/').unwrap_or((port, ""));
                        if protocol != protocol.to_lowercase() {
                            let message =
                                format!("Defined protocol '{port}' in EXPOSE instruction should be lowercase");
                            warn(&EXPOSE_PROTO_CASING, span, message);
                        }
                        if range.contains(':') && !range.contains('$') {
                            let message = format!(
                                "EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"
                            );
                            warn(&EXPOSE_INVALID_FORMAT, span, message);
                        }
                    }
                }
                Command::Arg(args) => args.iter().for_each(|arg| secret("ARG", &arg.key, span, &mut warn)),
                _ => {}
            }
            if matches!(name, "CMD" | "ENTRYPOINT" | "HEALTHCHECK") {
                if let Some((_, earlier)) = last.iter().rev().find(|(other, _)| *other == name) {
                    let message = format!(
                        "Multiple {} instructions should not be used in the same stage because only the last one will be used",
                        instruction.keyword
                    );
                    warn(&MULTIPLE_INSTRUCTIONS, *earlier, message);
                }
                last.push((name, span));
            }
        }
    }
    for instruction in &file.global_args {
        if let Command::Arg(args) = &instruction.command {
            args.iter().for_each(|arg| secret("ARG", &arg.key, instruction.span, &mut warn));
        }
    }
    out.arrange_by_key(|warning| warning.span);
    out
}

/// What a comment right above may describe: the line, the keyword and the names (BuildKit `validateDefinitionDescription`).
fn descriptions(file: &Dockerfile) -> Vec<(usize, (&'static str, Vec<&str>))> {
    let mut out = Vec::new();
    let stages = file.stages.iter().filter(|stage| !stage.name.is_empty());
    out.extend(stages.map(|stage| (stage.span.start, ("FROM", vec![stage.name.as_str()]))));
    let own = file.stages.iter().flat_map(|stage| &stage.instructions);
    for instruction in file.global_args.iter().chain(own) {
        if let Command::Arg(args) = &instruction.command {
            out.push((instruction.span.start, ("ARG", args.iter().map(|arg| arg.key.as_str()).collect())));
        }
    }
    out
}

fn stages(file: &Dockerfile, warn: &mut impl FnMut(&'static Rule, Span, String)) {
    for (index, stage) in file.stages.iter().enumerate() {
        let Some((keyword, written)) = &stage.as_written else { continue };
        if stage.name != *written {
            warn(&STAGE_NAME_CASING, stage.span, format!("Stage name '{written}' should be lowercase"));
        }
        let same_case = |a: &str, b: &str| {
            (a == a.to_lowercase() && b == b.to_lowercase()) || (a == a.to_uppercase() && b == b.to_uppercase())
        };
        if !same_case(keyword, &stage.keyword) {
            let message = format!("'{keyword}' and '{}' keywords' casing do not match", stage.keyword);
            warn(&FROM_AS_CASING, stage.span, message);
        }
        if matches!(stage.name.as_str(), "scratch" | "context") {
            let name = go_quote(&stage.name);
            warn(
                &RESERVED_STAGE_NAME,
                stage.span,
                format!("Stage name should not use the same name as reserved stage {name}"),
            );
        }
        if file.stages.iter().take(index).any(|other| other.name == stage.name) {
            let name = go_quote(&stage.name);
            warn(
                &DUPLICATE_STAGE_NAME,
                stage.span,
                format!("Duplicate stage name {name}, stage names should be unique"),
            );
        }
    }
}

fn casing(file: &Dockerfile, warn: &mut impl FnMut(&'static Rule, Span, String)) {
    let keywords: Vec<(&str, Span)> = file
        .stages
        .iter()
        .flat_map(|stage| {
            let own = std::iter::once((stage.keyword.as_str(), stage.span));
            own.chain(stage.instructions.iter().map(|i| (i.keyword.as_str(), i.span)))
        })
        .collect();
    let lower = keywords.iter().filter(|(word, _)| *word == word.to_lowercase()).count();
    let upper = keywords.iter().filter(|(word, _)| *word == word.to_uppercase()).count();
    let (majority, convert): (_, fn(&str) -> String) =
        if lower > upper { ("lowercase", str::to_lowercase) } else { ("uppercase", str::to_uppercase) };
    for (word, span) in keywords {
        if convert(word) != word {
            let message = format!("Command '{word}' should match the case of the command majority ({majority})");
            warn(&CONSISTENT_INSTRUCTION_CASING, span, message);
        }
    }
}

/// Whether a name has one of these words between underscores.
fn secret(keyword: &str, key: &str, span: Span, warn: &mut impl FnMut(&'static Rule, Span, String)) {
    const DENY: [&str; 10] =
        ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"];
    const ALLOW: [&str; 3] = ["public", "file", "version"];
    let folded = key.to_lowercase();
    let has = |words: &[&str]| folded.split('_').any(|part| words.contains(&part));
    if has(&DENY) && !has(&ALLOW) {
        let key = go_quote(key);
        let message = format!("Do not use ARG or ENV instructions for sensitive data ({keyword} {key})");
        warn(&SECRETS_USED, span, message);
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn each_rule_tells_what_and_where() {
        let cases = [
            ("FROM a as b\n", "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)"),
            ("FROM a AS Build\n", "StageNameCasing: Stage name 'Build' should be lowercase (line 1)"),
            (
                "FROM a\nrun b\n",
                "ConsistentInstructionCasing: Command 'run' should match the case of the command majority (uppercase) (line 2)",
            ),
            (
                "FROM a\nCMD b c\n",
                "JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 2)",
            ),
            (
                "FROM a\nMAINTAINER me\n",
                "MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)",
            ),
            (
                "FROM a\nWORKDIR app\n",
                "WorkdirRelativePath: Relative workdir \"app\" can have unexpected results if the base image changes (line 2)",
            ),
            (
                "FROM a\nENV b c\n",
                "LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key value\" format (line 2)",
            ),
            (
                "FROM a AS b\nFROM a AS b\n",
                "DuplicateStageName: Duplicate stage name \"b\", stage names should be unique (line 2)",
            ),
            (
                "FROM a AS scratch\n",
                "ReservedStageName: Stage name should not use the same name as reserved stage \"scratch\" (line 1)",
            ),
            (
                "FROM a\nENV DB_PASSWORD=x\n",
                "SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV \"DB_PASSWORD\") (line 2)",
            ),
            (
                "FROM a\nCMD [\"b\"]\nCMD [\"c\"]\n",
                "MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used (line 2)",
            ),
            ("FROM a\nRUN b \\\n\n  c\n", "NoEmptyContinuation: Empty continuation line (line 3)"),
            (
                "FROM a\nEXPOSE 80/TCP\n",
                "ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase (line 2)",
            ),
            (
                "FROM a\nEXPOSE 8080:80\n",
                "ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80' (line 2)",
            ),
            (
                "# check=experimental=all\n\n# the tag\nARG V=1\nFROM a:$V\n",
                "InvalidDefinitionDescription: Comment for ARG should follow the format: `# V <description>` (line 4)",
            ),
            (
                "ARG TOKEN\nFROM a\n",
                "SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG \"TOKEN\") (line 1)",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shorts(text), [expected], "{text:?}");
        }
    }

    fn shorts(text: &str) -> Vec<String> {
        let file = parse(text).unwrap();
        let checks = Checks::parse(file.directives.check.as_deref().unwrap_or_default()).unwrap();
        check(&file).iter().filter(|warning| checks.asks_for(warning.rule)).map(Warning::short).collect()
    }

    #[test]
    fn every_rule_has_its_own_name_and_page() {
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!((names.len(), RULES.len()), (22, 22));
        for rule in RULES {
            let page: String = rule.slug.split('-').collect();
            assert!(page.is_empty() || page.eq_ignore_ascii_case(rule.name), "{rule:?}");
        }
    }

    #[test]
    fn options_are_read_as_buildkit_reads_them() {
        let checks = Checks::parse("skip=FromAsCasing, StageNameCasing;error=true").unwrap();
        assert!(checks.error && !checks.asks_for(&FROM_AS_CASING) && !checks.asks_for(&STAGE_NAME_CASING));
        assert!(checks.asks_for(&UNDEFINED_VAR) && !checks.asks_for(&COPY_IGNORED_FILE));
        assert!(Checks::parse("experimental=all").unwrap().asks_for(&COPY_IGNORED_FILE));
        assert!(!Checks::parse("skip=all").unwrap().asks_for(&UNDEFINED_VAR));
        for (options, error) in [
            ("skip", "failed to parse check options: invalid check option \"skip\""),
            ("skipp=all", "failed to parse check options: invalid check option \"skipp\""),
        ] {
            assert_eq!(Checks::parse(options).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn clean_files_and_skipped_rules_give_no_warning() {
        for text in [
            "FROM nginx:latest\n\nCOPY . /usr/share/nginx/html/\n",
            "from a as b\nrun c\nworkdir /d\n",
            "# check=skip=FromAsCasing,JSONArgsRecommended\nFROM a as b\nCMD c\n",
            "FROM a\nSHELL [\"bash\", \"-c\"]\nCMD x\nENV PUBLIC_KEY=1\n",
            "# check=experimental=all\n# V is a version\nARG V=1\n# not about the stage\n\nFROM a:$V AS b\n",
        ] {
            assert_eq!(shorts(text), [""; 0], "{text:?}");
        }
    }
}

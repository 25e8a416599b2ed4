//! Build checks: what BuildKit warns of (`frontend/dockerfile/linter/ruleset.go`).
//!
//! A [`Rule`] is a record; a [`Warning`] is a rule broken at a place. Rules that need only the file are checked here;
//! those that need variables or images are reported by the build through the same records.

use super::error::Span;
use super::instruction::{Command, Dockerfile};
use super::quote::go_quote;

/// A check.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `FromAsCasing`.
    pub name: &'static str,
    /// What it asks for.
    pub description: &'static str,
    /// The last part of its page's address.
    pub slug: &'static str,
}

impl Rule {
    /// The address of its page.
    pub fn url(&self) -> String {
        format!("https://docs.docker.com/go/dockerfile/rule/{}/", self.slug)
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
}

/// The warnings of a file, in the order of its lines, less what `# check=skip=…` leaves out.
pub fn check(file: &Dockerfile) -> Vec<Warning> {
    let mut out = Vec::new();
    let mut warn = |rule: &'static Rule, span: Span, message: String| out.push(Warning { rule, message, span });
    for span in &file.empty_continuations {
        warn(&NO_EMPTY_CONTINUATION, *span, "Empty continuation line".to_owned());
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
    let skip = skipped(file.directives.check.as_deref().unwrap_or_default());
    out.retain(|warning| !skip.iter().any(|name| name == "all" || name.eq_ignore_ascii_case(warning.rule.name)));
    out.sort_by_key(|warning| warning.span);
    out
}

/// The rule names of `skip=A,B;error=true`.
fn skipped(options: &str) -> Vec<String> {
    let skip = options.split(';').find_map(|option| option.trim().strip_prefix("skip="));
    skip.unwrap_or_default().split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
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
        ];
        for (text, expected) in cases {
            let warnings: Vec<String> =
                check(&parse(text).unwrap()).iter().map(|w| format!("{} (line {})", w.text(), w.span.start)).collect();
            assert_eq!(warnings, [expected], "{text:?}");
        }
    }

    #[test]
    fn clean_files_and_skipped_rules_give_no_warning() {
        for text in [
            "FROM nginx:latest\n\nCOPY . /usr/share/nginx/html/\n",
            "from a as b\nrun c\nworkdir /d\n",
            "# check=skip=FromAsCasing,JSONArgsRecommended\nFROM a as b\nCMD c\n",
            "FROM a\nSHELL [\"bash\", \"-c\"]\nCMD x\nENV PUBLIC_KEY=1\n",
        ] {
            assert_eq!(check(&parse(text).unwrap()), [], "{text:?}");
        }
    }
}

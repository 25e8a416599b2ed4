//! What can be wrong with a Dockerfile, in BuildKit's words.

use super::quote::go_quote;

/// Lines of the Dockerfile, the first being 1, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// The first line.
    pub start: usize,
    /// The last line.
    pub end: usize,
}

impl Span {
    /// One line.
    pub const fn line(line: usize) -> Self {
        Self { start: line, end: line }
    }
}

/// An error and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Where.
    pub span: Span,
    /// What.
    pub problem: Problem,
    /// Whether an instruction was being read, which BuildKit tells by the prefix `dockerfile parse error on line …`.
    in_instruction: bool,
}

impl ParseError {
    /// An error of the file's lines or stages.
    pub const fn at(span: Span, problem: Problem) -> Self {
        Self { span, problem, in_instruction: false }
    }

    /// An error of an instruction's arguments (BuildKit `instructions.parseError`).
    pub const fn in_instruction(span: Span, problem: Problem) -> Self {
        Self { span, problem, in_instruction: true }
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.in_instruction {
            write!(f, "dockerfile parse error on line {}: ", self.span.start)?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for ParseError {}

/// What is wrong (BuildKit `frontend/dockerfile/{parser,instructions}`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// `parser.go`: nothing but comments.
    #[error("file with no instructions")]
    NoInstructions,
    /// `convert.go`: only ARG.
    #[error("dockerfile contains no stages to build")]
    NoStages,
    /// `commands.go` `CurrentStage`: an instruction before FROM.
    #[error("no build stage in current context")]
    NoStage,
    /// `parser.go`: `# escape=x`.
    #[error("invalid escape token '{0}' does not match ` or \\")]
    EscapeToken(String),
    /// `parser.go`: a directive twice.
    #[error("only one {0} parser directive can be used")]
    RepeatedDirective(String),
    /// `parser.go`: no end of a here-document.
    #[error("unterminated heredoc")]
    UnterminatedHeredoc,
    /// `line_parsers.go`: a JSON array of other things than strings.
    #[error("when using JSON array syntax, arrays must be comprised of strings only")]
    JsonStrings,
    /// `line_parsers.go`: `ENV a`.
    #[error("{0} must have two arguments")]
    TwoArguments(&'static str),
    /// `line_parsers.go`: `ENV a=b c`.
    #[error("Syntax error - can't find = in {}. Must be of the form: name=value", go_quote(.0))]
    NoEquals(String),
    /// `parse.go` `UnknownInstructionError`, with the suggestion of `util/suggest`.
    #[error("unknown instruction: {keyword}{}", did_you_mean(suggestion))]
    UnknownInstruction {
        /// The keyword as written.
        keyword: String,
        /// An instruction with almost the same name.
        suggestion: Option<String>,
    },
    /// `errAtLeastOneArgument`.
    #[error("{0} requires at least one argument")]
    AtLeastOne(&'static str),
    /// `errExactlyOneArgument`.
    #[error("{0} requires exactly one argument")]
    ExactlyOne(&'static str),
    /// `errNoDestinationArgument`.
    #[error("{0} requires at least two arguments, but only one was provided. Destination could not be determined")]
    NoDestination(&'static str),
    /// `errBadHeredoc`.
    #[error("{0} cannot accept a heredoc as a destination")]
    HeredocDestination(&'static str),
    /// `errBlankCommandNames`.
    #[error("{0} names can not be blank")]
    BlankName(&'static str),
    /// `errNotJSON`.
    #[error("{keyword} requires the arguments to be in JSON form")]
    NotJson {
        /// The instruction.
        keyword: &'static str,
    },
    /// `parseFrom`.
    #[error("FROM requires either one or three arguments")]
    FromArguments,
    /// `parseBuildStageName`.
    #[error("invalid name for build stage: {}, name can't start with a number or contain symbols", go_quote(.0))]
    StageName(String),
    /// `parseOnBuild`.
    #[error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")]
    OnbuildOnbuild,
    /// `parseOnBuild`.
    #[error("{0} isn't allowed as an ONBUILD trigger")]
    OnbuildTrigger(String),
    /// `parseHealthcheck`.
    #[error("HEALTHCHECK NONE takes no arguments")]
    HealthcheckNone,
    /// `parseHealthcheck`.
    #[error("Missing command after HEALTHCHECK CMD")]
    HealthcheckCommand,
    /// `parseHealthcheck`.
    #[error("Unknown type {} in HEALTHCHECK (try CMD)", go_quote(.0))]
    HealthcheckType(String),
    /// `parseHealthcheck`.
    #[error("--retries cannot be negative ({0})")]
    Retries(i64),
    /// `parseOptInterval`.
    #[error("Interval \"{0}\" cannot be less than 1ms")]
    Interval(&'static str),
    /// Go `time.ParseDuration`.
    #[error("time: invalid duration {}", go_quote(.0))]
    Duration(String),
    /// Go `time.ParseDuration`.
    #[error("time: missing unit in duration {}", go_quote(.0))]
    DurationUnit(String),
    /// Go `strconv.ParseInt`.
    #[error("strconv.ParseInt: parsing {}: invalid syntax", go_quote(.0))]
    Number(String),
    /// `parseVolume`.
    #[error("VOLUME specified can not be an empty string")]
    EmptyVolume,
    /// `bflag.go`.
    #[error("unknown flag: --{name}{}", did_you_mean(suggestion))]
    UnknownFlag {
        /// The flag without dashes.
        name: String,
        /// A flag with almost the same name.
        suggestion: Option<String>,
    },
    /// `bflag.go`.
    #[error("duplicate flag specified: {0}")]
    DuplicateFlag(String),
    /// `bflag.go`.
    #[error("missing a value on flag: {0}")]
    FlagValue(String),
    /// `bflag.go`.
    #[error("expecting boolean value for flag {name}, not: {value}")]
    FlagBoolean {
        /// The flag without dashes.
        name: String,
        /// What was given.
        value: String,
    },
    /// `commands_runmount.go` and its neighbours: a bad `--mount`, `--network` or `--security`.
    #[error("{0}")]
    Mount(super::mount::MountError),
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// The option nearest to `value`, if it is fewer than three edits away and not equal (BuildKit `util/suggest`).
pub fn suggest(value: &str, options: &[&str], case_sensitive: bool) -> Option<String> {
    let fold = |text: &str| if case_sensitive { text.to_owned() } else { text.to_lowercase() };
    let wanted: Vec<char> = fold(value).chars().take(64).collect();
    let mut best = None;
    let mut least = 3;
    for option in options {
        let folded: Vec<char> = fold(option).chars().collect();
        let distance = edit_distance(&wanted, &folded);
        if distance == 0 {
            return None;
        }
        if distance < least {
            least = distance;
            best = Some(*option);
        }
    }
    let best = best?;
    Some(match () {
        () if case_sensitive => best.to_owned(),
        () if value == value.to_lowercase() => best.to_lowercase(),
        () if value == value.to_uppercase() => best.to_uppercase(),
        () => best.to_lowercase(),
    })
}

fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b) {
            let cost = (diagonal + usize::from(x != y)).min(left + 1).min(*slot + 1);
            diagonal = std::mem::replace(slot, cost);
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_in_the_case_of_the_text() {
        let options = ["RUN", "FROM", "COPY"];
        assert_eq!(suggest("RUNN", &options, false).as_deref(), Some("RUN"));
        assert_eq!(suggest("form", &options, false).as_deref(), Some("from"));
        assert_eq!(suggest("Copi", &options, false).as_deref(), Some("copy"));
        assert_eq!(suggest("INSTALL", &options, false), None);
        assert_eq!(suggest("run", &options, false), None);
    }
}

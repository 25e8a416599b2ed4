//! The shell's syntax tree. It borrows nothing and holds bytes: parsing has no part in what words expand to.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

/// Commands one after the other.
#[derive(Debug, Default)]
pub struct List {
    /// In order.
    pub items: Vec<Rc<AndOr>>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub struct AndOr {
    /// The first.
    pub first: Rc<Pipeline>,
    /// The others; `true` for `&&`.
    pub rest: Vec<(bool, Rc<Pipeline>)>,
    /// Ended by `&`.
    pub background: bool,
    /// As it was written, for `jobs`.
    pub text: BString,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub struct Pipeline {
    /// Negated by `!`.
    pub bang: bool,
    /// Preceded by `time`.
    pub timed: bool,
    /// In order; at least one.
    pub commands: Vec<Rc<Command>>,
    /// As it was written.
    pub text: BString,
}

/// One command with its redirections.
#[derive(Debug)]
pub struct Command {
    /// What it is.
    pub kind: Kind,
    /// In the order they are applied.
    pub redirects: Vec<Redirect>,
    /// The line it starts on, from 1.
    pub line: u32,
}

/// The kinds of commands.
#[derive(Debug)]
pub enum Kind {
    /// Assignments and words.
    Simple(Vec<Assign>, Vec<Word>),
    /// `( list )`.
    Subshell(Rc<List>),
    /// `{ list; }`.
    Group(List),
    /// Conditions with what follows each, and the `else` part.
    If(Vec<(List, List)>, Option<List>),
    /// `while` or, when `until` is set, `until`.
    While {
        /// Runs while the condition fails.
        until: bool,
        /// The condition.
        condition: List,
        /// What is repeated.
        body: List,
    },
    /// `for name in words`; without words, the positional parameters.
    For(BString, Option<Vec<Word>>, List),
    /// `for ((a; b; c))`.
    ArithFor(Box<[Word; 3]>, List),
    /// `case word in ...`.
    Case(Word, Vec<CaseItem>),
    /// `name() command`.
    Function(BString, Rc<Command>),
    /// `[[ ... ]]`.
    Test(Test),
    /// `(( ... ))`.
    Arith(Word),
}

/// One alternative of a `case`.
#[derive(Debug)]
pub struct CaseItem {
    /// Any of these.
    pub patterns: Vec<Word>,
    /// What runs.
    pub body: List,
    /// What comes next.
    pub end: CaseEnd,
}

/// How a `case` alternative ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseEnd {
    /// `;;`.
    Break,
    /// `;&`: the next body runs too.
    Fall,
    /// `;;&`: the next patterns are tried.
    Test,
}

/// An expression in `[[ ]]`.
#[derive(Debug)]
pub enum Test {
    /// `a || b`.
    Or(Box<Self>, Box<Self>),
    /// `a && b`.
    And(Box<Self>, Box<Self>),
    /// `! a`.
    Not(Box<Self>),
    /// `-f word`; a lone word is `-n word`.
    Unary(BString, Word),
    /// `a == b`.
    Binary(Word, BString, Word),
}

/// `name=value`.
#[derive(Debug)]
pub struct Assign {
    /// The variable.
    pub name: BString,
    /// `name[index]=`.
    pub index: Option<Word>,
    /// `+=`.
    pub append: bool,
    /// What is assigned.
    pub value: AssignValue,
}

/// The right side of an assignment.
#[derive(Debug)]
pub enum AssignValue {
    /// A word.
    Word(Word),
    /// `( words )`, each perhaps with its `[index]=`.
    Array(Vec<(Option<Word>, Word)>),
}

/// A redirection.
#[derive(Debug)]
pub struct Redirect {
    /// The descriptor; by default that of the operator.
    pub fd: Option<i32>,
    /// The operator.
    pub op: RedirectOp,
    /// The file, the descriptor's number, or the here-string.
    pub target: Word,
    /// The text of a here-document, filled in when its lines have been read.
    pub body: Rc<OnceCell<Word>>,
}

/// Redirection operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectOp {
    /// `<`.
    Read,
    /// `>` and `>|`.
    Write,
    /// `>>`.
    Append,
    /// `<>`.
    ReadWrite,
    /// `<&`.
    DupIn,
    /// `>&`.
    DupOut,
    /// `&>`.
    Both,
    /// `&>>`.
    BothAppend,
    /// `<<` and `<<-`.
    HereDoc,
    /// `<<<`.
    HereString,
}

/// A word: what expands to fields.
#[derive(Debug, Clone, Default)]
pub struct Word {
    /// In order.
    pub parts: Vec<Part>,
}

/// A part of a word.
#[derive(Debug, Clone)]
pub enum Part {
    /// Unquoted text.
    Literal(BString),
    /// Quoted text, taken as it is.
    Quoted(BString),
    /// `"..."`.
    Double(Vec<Self>),
    /// `$x`, `${x...}`.
    Param(Box<Param>),
    /// `$(...)` and backquotes.
    Command(Rc<List>),
    /// `$((...))`.
    Arith(Vec<Self>),
    /// `<(...)` (true) and `>(...)`.
    Process(bool, Rc<List>),
    /// `${...}` that makes no sense; an error when it is expanded.
    Bad(BString),
}

/// A parameter expansion.
#[derive(Debug, Clone)]
pub struct Param {
    /// A name, a number or one of the special letters.
    pub name: BString,
    /// `[index]`; `@` and `*` are literal words.
    pub index: Option<Word>,
    /// `${!x}`.
    pub indirect: bool,
    /// What is done with it.
    pub op: ParamOp,
}

/// What is done with a parameter's value.
#[derive(Debug, Clone)]
pub enum ParamOp {
    /// The value itself.
    Value,
    /// `${#x}`.
    Length,
    /// `- = + ?`, with a colon when `null` is set.
    Default {
        /// One of `-=+?`.
        op: u8,
        /// An empty value counts as unset.
        null: bool,
        /// The word behind.
        word: Word,
    },
    /// `#` or `%`; twice when `longest` is set.
    Trim {
        /// `%`.
        suffix: bool,
        /// The longest match.
        longest: bool,
        /// The pattern.
        pattern: Word,
    },
    /// `/`.
    Replace {
        /// `/`, `#`, `%` or 0 for the first match.
        mode: u8,
        /// The pattern.
        pattern: Word,
        /// What stands in its place.
        with: Word,
    },
    /// `:offset:length`.
    Slice(Word, Option<Word>),
    /// `^ ^^ , ,,`.
    Case {
        /// To upper case.
        upper: bool,
        /// All letters rather than the first.
        all: bool,
    },
    /// `@Q` and the like.
    Transform(u8),
    /// `${!prefix*}`.
    Names,
}

impl Word {
    /// Quoted text.
    pub fn quoted(text: impl Into<BString>) -> Self {
        Self { parts: vec![Part::Quoted(text.into())] }
    }

    /// The text of a word without any quotes or expansions.
    pub fn plain(&self) -> Option<&BString> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

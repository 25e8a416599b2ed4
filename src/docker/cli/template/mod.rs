//! Go's `text/template`, as far as `--format` needs it, over JSON values.
//!
//! Texts of errors are Go's, with line and column. Named templates (`define`, `block`, `template`) are not simulated; saying so is an
//! error like others. Templates never loop without end and never recurse deeper than `MAX_DEPTH`.

mod exec;
mod format;
mod functions;
mod lex;
mod parse;
mod typed;
mod types;

use std::rc::Rc;

use serde_json::Value;

pub use exec::{Dot, Mode};
pub use typed::document;
pub use types::{CONTAINER, IMAGE, NETWORK, Struct, VOLUME};

/// Parentheses and blocks may be nested so deep.
const MAX_DEPTH: usize = 64;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    text: Rc<str>,
    nodes: Rc<[parse::Node]>,
}

impl Template {
    /// Parses; the error is Go's, such as `template: :1: unclosed action`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let nodes = parse::parse(text)?;
        Ok(Self { text: text.into(), nodes: nodes.into() })
    }

    /// Writes the template over `dot`. What was written before an error is kept in `out`.
    pub fn execute(&self, dot: &Dot<'_>, out: &mut String) -> Result<(), String> {
        exec::execute(&self.text, &self.nodes, dot, out)
    }
}

/// JSON as Go's encoder writes it without `SetEscapeHTML`: compact, and with the two line separators escaped.
pub fn go_json(value: &Value) -> String {
    value.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

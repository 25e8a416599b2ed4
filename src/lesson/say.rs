//! Sentences in the languages of exercises, with what is put into them.
//!
//! They are for people only: nothing is decided by them.

use crate::base::language::Language;

/// A text in every language, in the order of [`Language::ALL`]; `{0}`, `{1}` stand for what is put in.
pub type Texts = [&'static str; Language::ALL.len()];

/// A sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Say {
    texts: Texts,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Say(Say),
}

impl Say {
    /// A sentence, without what is put in.
    pub const fn new(texts: Texts) -> Self {
        Self { texts, parts: Vec::new() }
    }

    /// Puts text in, the same in every language.
    #[must_use]
    pub fn text(mut self, text: impl ToString) -> Self {
        self.parts.push(Part::Text(text.to_string()));
        self
    }

    /// Puts another sentence in.
    #[must_use]
    pub fn say(mut self, say: Self) -> Self {
        self.parts.push(Part::Say(say));
        self
    }

    /// Sentences one after the other, with `separator` between them.
    pub fn joined(says: Vec<Self>, separator: Texts) -> Self {
        says.into_iter()
            .reduce(|all, next| {
                let [es, en] = separator;
                match (es, en) {
                    ("", _) => Self::new(["{0}{1}"; 2]).say(all).say(next),
                    _ => Self::new(["{0}{1}{2}"; 2]).say(all).say(Self::new(separator)).say(next),
                }
            })
            .unwrap_or(Self::new([""; 2]))
    }

    /// The sentence in a language.
    pub fn in_language(&self, language: Language) -> String {
        let at = Language::ALL.iter().position(|known| *known == language).unwrap_or(0);
        let mut out = String::new();
        let mut rest = self.texts.get(at).copied().unwrap_or_default();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let part = after
                .split_once('}')
                .and_then(|(index, tail)| Some((self.parts.get(index.parse::<usize>().ok()?)?, tail)));
            let Some((part, tail)) = part else {
                out.push('{');
                rest = after;
                continue;
            };
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Say(say) => out.push_str(&say.in_language(language)),
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_put_in_where_they_belong() {
        let inner = Say::new(["parado", "stopped"]);
        let say = Say::new(["`{0}` está {1} {", "{1}: `{0}` {"]).text("{1}").say(inner);
        assert_eq!(say.in_language(Language::Spanish), "`{1}` está parado {");
        assert_eq!(say.in_language(Language::English), "stopped: `{1}` {");
    }
}

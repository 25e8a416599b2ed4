//! The languages that the page and its exercises speak.

/// A language of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// Spanish.
    #[default]
    Spanish,
    /// English.
    English,
}

impl Language {
    /// All of them, the first one first.
    pub const ALL: [Self; 2] = [Self::Spanish, Self::English];

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Spanish => "es",
            Self::English => "en",
        }
    }

    /// From a tag such as `en-GB`; `None` for a language that the page does not speak.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let language = tag.split('-').next().unwrap_or(tag);
        Self::ALL.into_iter().find(|known| known.tag().eq_ignore_ascii_case(language))
    }
}

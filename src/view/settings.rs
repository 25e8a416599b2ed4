//! What a visitor can set, with the names that the address and the browser's storage use.

/// How fast the machine's time passes while a command runs. At the prompt it is always the page's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Speed {
    /// A second is a second.
    #[default]
    Real,
    /// Four times as fast.
    Fast,
    /// A minute passes in a second.
    Instant,
}

impl Speed {
    /// Machine time that passes in a page's second.
    pub const fn rate(self) -> u32 {
        match self {
            Self::Real => 1,
            Self::Fast => 4,
            Self::Instant => 60,
        }
    }
}

/// The colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// Black, white and strong lines.
    Contrast,
}

/// How much moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Motion {
    /// As the system has it.
    #[default]
    System,
    /// Nothing moves.
    Less,
}

/// Which builder `docker build` uses, and so how it talks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Voice {
    /// BuildKit: steps with times.
    #[default]
    BuildKit,
    /// The classic builder: `Step 1/3`.
    Classic,
}

/// Whether commands to try are offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hints {
    /// They are.
    #[default]
    On,
    /// They are not.
    Off,
}

/// A setting with few values, each with a name.
pub trait Choice: Copy + Eq + Default + 'static {
    /// The address's parameter.
    const PARAMETER: &'static str;
    /// The values and their names, in the order in which they are offered.
    const ALL: &'static [(Self, &'static str)];

    /// The value of this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
    }

    /// The value's name.
    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(value, _)| *value == self).map_or("", |(_, name)| name)
    }
}

impl Choice for Speed {
    const PARAMETER: &'static str = "speed";
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Real, "real"), (Self::Fast, "4x"), (Self::Instant, "instant")];
}

impl Choice for Theme {
    const PARAMETER: &'static str = "theme";
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::System, "system"), (Self::Light, "light"), (Self::Dark, "dark"), (Self::Contrast, "contrast")];
}

impl Choice for Motion {
    const PARAMETER: &'static str = "motion";
    const ALL: &'static [(Self, &'static str)] = &[(Self::System, "system"), (Self::Less, "less")];
}

impl Choice for Voice {
    const PARAMETER: &'static str = "docker";
    const ALL: &'static [(Self, &'static str)] = &[(Self::BuildKit, "buildkit"), (Self::Classic, "classic")];
}

impl Choice for Hints {
    const PARAMETER: &'static str = "hints";
    const ALL: &'static [(Self, &'static str)] = &[(Self::On, "on"), (Self::Off, "off")];
}

impl Voice {
    /// What the student's shells find in their environment.
    pub fn env(self) -> Vec<String> {
        match self {
            Self::BuildKit => Vec::new(),
            Self::Classic => vec!["DOCKER_BUILDKIT=0".to_owned()],
        }
    }

    /// The command that changes it in a shell that runs.
    pub const fn command(self) -> &'static str {
        match self {
            Self::BuildKit => "unset DOCKER_BUILDKIT",
            Self::Classic => "export DOCKER_BUILDKIT=0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_lead_back<T: Choice + std::fmt::Debug>() {
        for (value, name) in T::ALL {
            assert_eq!(T::from_name(name), Some(*value));
            assert_eq!(value.name(), *name);
        }
        assert_eq!(T::ALL.first().map(|(value, _)| *value), Some(T::default()), "the first is what is set at first");
        assert_eq!(T::from_name("no such value"), None);
    }

    #[test]
    fn every_value_has_its_own_name() {
        names_lead_back::<Speed>();
        names_lead_back::<Theme>();
        names_lead_back::<Motion>();
        names_lead_back::<Voice>();
        names_lead_back::<Hints>();
    }
}

//! Signals: numbers, names, default actions.

/// A signal, by its Linux number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Signal(pub u8);

macro_rules! signals {
    ($($name:ident = $number:literal, $text:literal;)+) => {
        impl Signal {
            $(#[doc = $text] pub const $name: Self = Self($number);)+

            /// All signals with their names (without `SIG`) and glibc's texts.
            pub const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$name, stringify!($name), $text)),+];
        }
    };
}

signals! {
    HUP = 1, "Hangup";
    INT = 2, "Interrupt";
    QUIT = 3, "Quit";
    ILL = 4, "Illegal instruction";
    TRAP = 5, "Trace/breakpoint trap";
    ABRT = 6, "Aborted";
    BUS = 7, "Bus error";
    FPE = 8, "Floating point exception";
    KILL = 9, "Killed";
    USR1 = 10, "User defined signal 1";
    SEGV = 11, "Segmentation fault";
    USR2 = 12, "User defined signal 2";
    PIPE = 13, "Broken pipe";
    ALRM = 14, "Alarm clock";
    TERM = 15, "Terminated";
    STKFLT = 16, "Stack fault";
    CHLD = 17, "Child exited";
    CONT = 18, "Continued";
    STOP = 19, "Stopped (signal)";
    TSTP = 20, "Stopped";
    TTIN = 21, "Stopped (tty input)";
    TTOU = 22, "Stopped (tty output)";
    URG = 23, "Urgent I/O condition";
    XCPU = 24, "CPU time limit exceeded";
    XFSZ = 25, "File size limit exceeded";
    VTALRM = 26, "Virtual timer expired";
    PROF = 27, "Profiling timer expired";
    WINCH = 28, "Window changed";
    IO = 29, "I/O possible";
    PWR = 30, "Power failure";
    SYS = 31, "Bad system call";
}

/// What a signal does when nobody handles it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Ends the process.
    Terminate,
    /// Stops it.
    Stop,
    /// Lets it go on.
    Continue,
    /// Nothing.
    Ignore,
}

/// What a process wants of a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// The default action.
    Default,
    /// Nothing happens.
    Ignore,
    /// It is kept for the process to take, and waiting system calls end with `EINTR`.
    Handle,
}

impl Signal {
    /// By name (`TERM`, `SIGTERM`, `term`) or number.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<u8>() {
            return (number <= 64).then_some(Self(number));
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name without `SIG`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("RTMIN", |row| row.1)
    }

    /// glibc's text (`strsignal`).
    pub fn text(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("Unknown signal", |row| row.2)
    }

    /// What it does by default.
    pub const fn action(self) -> Action {
        match self {
            Self::CHLD | Self::URG | Self::WINCH => Action::Ignore,
            Self::CONT => Action::Continue,
            Self::STOP | Self::TSTP | Self::TTIN | Self::TTOU => Action::Stop,
            _ => Action::Terminate,
        }
    }
}

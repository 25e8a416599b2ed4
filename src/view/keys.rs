//! Keys of a keyboard as the bytes that a terminal sends (xterm's).
//!
//! A key that gives no bytes here belongs to the browser: plain characters arrive as text, so that dead keys, input
//! methods and phones work, and shortcuts such as Ctrl-V or F5 keep their meaning.

/// A key going down, in the words of the DOM's `KeyboardEvent`.
#[derive(Clone, Copy, Default, Debug)]
pub struct KeyPress<'a> {
    /// `KeyboardEvent.key`: `a`, `Enter`, `ArrowUp`.
    pub key: &'a str,
    /// Control is down.
    pub ctrl: bool,
    /// Alt (Option) is down.
    pub alt: bool,
    /// Shift is down.
    pub shift: bool,
    /// Command or the Windows key is down.
    pub meta: bool,
    /// AltGr is down: the key writes its third character.
    pub alt_graph: bool,
}

/// The bytes of a key, or nothing when the browser is to have it.
pub fn encode(press: KeyPress<'_>, application_cursor_keys: bool) -> Option<Vec<u8>> {
    let KeyPress { key, ctrl, alt, shift, meta, alt_graph } = press;
    if meta {
        return None;
    }
    let mut chars = key.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return character(c, ctrl, alt && !alt_graph, shift);
    }
    let modifier = 1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);
    let plain = modifier == 1;
    let cursor = |last: char| {
        Some(match (plain, application_cursor_keys) {
            (true, true) => format!("\x1bO{last}"),
            (true, false) => format!("\x1b[{last}"),
            _ => format!("\x1b[1;{modifier}{last}"),
        })
    };
    let numbered = |n: u8| Some(if plain { format!("\x1b[{n}~") } else { format!("\x1b[{n};{modifier}~") });
    let early = |last: char| Some(if plain { format!("\x1bO{last}") } else { format!("\x1b[1;{modifier}{last}") });
    let escaped = |text: &str| Some(if alt { format!("\x1b{text}") } else { text.to_owned() });
    let text = match key {
        "Enter" => escaped("\r"),
        "Backspace" => escaped(if ctrl { "\x08" } else { "\x7f" }),
        "Escape" => escaped("\x1b"),
        // With Shift it leaves the terminal, so that the keyboard is never trapped in it.
        "Tab" if plain => Some("\t".to_owned()),
        "ArrowUp" => cursor('A'),
        "ArrowDown" => cursor('B'),
        "ArrowRight" => cursor('C'),
        "ArrowLeft" => cursor('D'),
        "Home" => cursor('H'),
        "End" => cursor('F'),
        "Insert" if plain => numbered(2),
        "Delete" => numbered(3),
        "PageUp" => numbered(5),
        "PageDown" => numbered(6),
        "F1" => early('P'),
        "F2" => early('Q'),
        "F3" => early('R'),
        "F4" => early('S'),
        "F6" => numbered(17),
        "F7" => numbered(18),
        "F8" => numbered(19),
        "F9" => numbered(20),
        "F10" => numbered(21),
        // F5, F11 and F12 reload, fill the screen and open the tools, as everywhere.
        _ => None,
    };
    text.map(String::into_bytes)
}

fn character(c: char, ctrl: bool, alt: bool, shift: bool) -> Option<Vec<u8>> {
    match (ctrl, alt) {
        (true, false) => control(c, shift).map(|byte| vec![byte]),
        // Control and Alt with a letter; with anything else it is AltGr of some systems (`@` of a Spanish keyboard).
        (true, true) if c.is_ascii_alphabetic() => control(c, shift).map(|byte| vec![0x1b, byte]),
        // Alt writes other characters on some keyboards: only what it leaves alone is a Meta key.
        (false, true) if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '<' | '>') => Some(vec![0x1b, c as u8]),
        _ => None,
    }
}

/// The control code of a character. Ctrl-V is the browser's paste, Ctrl-Shift combinations are shortcuts.
pub fn control(c: char, shift: bool) -> Option<u8> {
    match c {
        'v' | 'V' => None,
        'a'..='z' if !shift => Some(c as u8 - b'a' + 1),
        // Capitals without Shift: Caps Lock is on.
        'A'..='Z' if !shift => Some(c as u8 - b'A' + 1),
        ' ' | '@' => Some(0),
        '[' => Some(0x1b),
        '\\' => Some(0x1c),
        ']' => Some(0x1d),
        '^' => Some(0x1e),
        '_' | '/' => Some(0x1f),
        _ => None,
    }
}

/// Pasted text as it is typed: line ends become Enter. Where the program asked for it (mode 2004) the text is marked
/// as pasted, and can't pretend that the mark ends.
pub fn paste(text: &str, bracketed: bool) -> Vec<u8> {
    let text = text.replace("\r\n", "\r").replace('\n', "\r");
    if !bracketed {
        return text.into_bytes();
    }
    ["\x1b[200~", &text.replace('\x1b', ""), "\x1b[201~"].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(key: &str) -> KeyPress<'_> {
        KeyPress { key, ..KeyPress::default() }
    }

    #[test]
    fn keys_give_what_xterm_gives() {
        for (key, normal, application) in [
            ("Enter", "\r", "\r"),
            ("Backspace", "\x7f", "\x7f"),
            ("Tab", "\t", "\t"),
            ("Escape", "\x1b", "\x1b"),
            ("ArrowUp", "\x1b[A", "\x1bOA"),
            ("ArrowLeft", "\x1b[D", "\x1bOD"),
            ("Home", "\x1b[H", "\x1bOH"),
            ("End", "\x1b[F", "\x1bOF"),
            ("Delete", "\x1b[3~", "\x1b[3~"),
            ("PageUp", "\x1b[5~", "\x1b[5~"),
            ("F1", "\x1bOP", "\x1bOP"),
            ("F10", "\x1b[21~", "\x1b[21~"),
        ] {
            assert_eq!(encode(press(key), false), Some(normal.as_bytes().to_vec()), "{key}");
            assert_eq!(encode(press(key), true), Some(application.as_bytes().to_vec()), "{key}");
        }
        assert_eq!(encode(KeyPress { ctrl: true, ..press("ArrowRight") }, true), Some(b"\x1b[1;5C".to_vec()));
        assert_eq!(encode(KeyPress { alt: true, ..press("Backspace") }, false), Some(b"\x1b\x7f".to_vec()));
    }

    #[test]
    fn control_letters_are_control_codes() {
        let ctrl = |key| encode(KeyPress { ctrl: true, ..press(key) }, false);
        for (key, byte) in [("c", 3), ("C", 3), ("d", 4), ("l", 12), ("z", 26), (" ", 0), ("\\", 28), ("_", 31)] {
            assert_eq!(ctrl(key), Some(vec![byte]), "{key}");
        }
        assert_eq!(ctrl("v"), None, "the browser pastes");
        assert_eq!(encode(KeyPress { ctrl: true, shift: true, ..press("C") }, false), None, "the page copies");
        assert_eq!(encode(KeyPress { meta: true, ..press("c") }, false), None);
    }

    #[test]
    fn text_is_left_to_the_text_area() {
        for key in ["a", "ñ", "€", "Dead", "Process", "Unidentified", "F5", "F12", "Shift", "Control"] {
            assert_eq!(encode(press(key), false), None, "{key}");
        }
        for key in ["@", "#", "|", "€"] {
            assert_eq!(encode(KeyPress { ctrl: true, alt: true, ..press(key) }, false), None, "AltGr {key}");
            assert_eq!(encode(KeyPress { alt: true, ..press(key) }, false), None, "Option {key}");
        }
        assert_eq!(encode(KeyPress { alt: true, alt_graph: true, ..press("q") }, false), None);
        assert_eq!(encode(KeyPress { alt: true, ..press("b") }, false), Some(b"\x1bb".to_vec()));
        assert_eq!(encode(KeyPress { alt: true, ..press(".") }, false), Some(b"\x1b.".to_vec()));
    }

    #[test]
    fn shift_tab_leaves_the_terminal() {
        assert_eq!(encode(KeyPress { shift: true, ..press("Tab") }, false), None);
    }

    #[test]
    fn pastes_become_typing() {
        assert_eq!(paste("a\r\nb\nc\0", false), b"a\rb\rc\0");
        assert_eq!(paste("x\x1b[201~rm\n", true), b"\x1b[200~x[201~rm\r\x1b[201~");
    }
}

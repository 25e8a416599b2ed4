//! Go's `%q`: a text in double quotes, as Go's error messages and BuildKit's histories show it.

/// Quotes `text` as Go's `strconv.Quote` does.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            // Rust escapes what has no shape of its own, such as a zero-width blank, as Go does.
            c if c.is_ascii() || !c.escape_debug().to_string().starts_with("\\u") => out.push(c),
            c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Go's `%q` of a list: `["a" "b"]`.
pub fn go_quote_list(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|text| go_quote(text)).collect();
    format!("[{}]", quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        assert_eq!(go_quote("a\"b\\c\n\u{1}ñ\u{200b}"), r#""a\"b\\c\n\x01ñ\u200b""#);
        assert_eq!(go_quote_list(&["/bin/sh".into(), "-c".into()]), r#"["/bin/sh" "-c"]"#);
    }
}

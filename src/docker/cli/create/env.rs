//! Environment and labels, from flags and files (docker/cli `opts/file.go`, `pkg/kvfile`).

use std::collections::BTreeMap;

use crate::docker::cli::client::Client;

/// Variables of files, then of flags. One without a value gets the client's own, if it has one.
///
/// # Errors
/// A file that can't be read, a line that is no variable.
pub async fn read_variables(client: &Client, files: &[String], flags: &[String]) -> Result<Vec<String>, String> {
    let own = |word: String| match client.env(&word) {
        Some(value) if !word.contains('=') => format!("{word}={value}"),
        _ => word,
    };
    let mut words = Vec::new();
    for file in files {
        // A variable of a file that the client does not have either is left out.
        let lines = lines(client, file).await?;
        words.extend(lines.into_iter().map(own).filter(|word| word.contains('=')));
    }
    words.extend(flags.iter().cloned().map(own));
    Ok(words)
}

/// Labels of files, then of flags.
///
/// # Errors
/// A file that can't be read, a line that is no label.
pub async fn read_labels(
    client: &Client,
    files: &[String],
    flags: &[String],
) -> Result<BTreeMap<String, String>, String> {
    let mut words = Vec::new();
    for file in files {
        words.extend(lines(client, file).await?);
    }
    words.extend(flags.iter().cloned());
    Ok(words.iter().map(|word| super::pair(word, '=')).collect())
}

async fn lines(client: &Client, file: &str) -> Result<Vec<String>, String> {
    let text = client.read_file(file).await?.head(1 << 20);
    let text = String::from_utf8(text).map_err(|_| format!("invalid env file ({file}): invalid utf8 bytes"))?;
    parse(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(|why| format!("invalid env file ({file}): {why}"))
}

fn parse(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split_once('=').map_or(line, |(name, _)| name);
        if name.contains(char::is_whitespace) {
            return Err(format!("variable '{name}' contains whitespaces"));
        }
        if name.is_empty() {
            return Err(format!("no variable name on line '{line}'"));
        }
        words.push(line.to_owned());
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_a_variable_a_line() {
        assert_eq!(parse("# x\n\n A=1 2\nB\n").unwrap(), ["A=1 2", "B"]);
        assert_eq!(parse("a b=1").unwrap_err(), "variable 'a b' contains whitespaces");
        assert_eq!(parse("=1").unwrap_err(), "no variable name on line '=1'");
    }
}

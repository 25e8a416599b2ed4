//! What values a flag takes: the type's name in the help, and the reason for which a value is refused.
//!
//! The texts are those of pflag's and docker/cli's (`opts/`) value types. What a value means is left to the verb.

use bstr::{BStr, ByteSlice};

use crate::base::size;
use crate::docker::image::reference::Reference;

/// The kind of values that a flag takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `--rm`, `--rm=false`; with its default.
    Bool(bool),
    /// A whole number.
    Int,
    /// A whole number that is not negative.
    Uint,
    /// One up to 65535.
    Uint16,
    /// `1m30s`.
    Duration,
    /// `512m`.
    Bytes,
    /// The same, or -1.
    SwapBytes,
    /// `1.5`.
    Decimal,
    /// Any text.
    Text,
    /// Texts separated by commas; may be repeated.
    Strings,
    /// Any text; may be repeated.
    List,
    /// `KEY=VALUE`; may be repeated.
    Map,
    /// `KEY=VALUE` or the name of a variable.
    Env,
    /// `KEY[=VALUE]`.
    Label,
    /// An image's name.
    Tag,
    /// A stream's name.
    Stream,
    /// `HOST:IP`.
    HostIp,
    /// An IP address.
    Ip,
    /// `CONTAINER[:ALIAS]`.
    Link,
    /// `net.…=VALUE`.
    Sysctl,
    /// `NAME=VALUE`, to filter by.
    Filter,
    /// `type=bind,source=…,target=…`.
    Mount,
    /// A network's name, or `name=…,alias=…`.
    Network,
    /// `nofile=SOFT[:HARD]`.
    Ulimit,
    /// A request for GPUs.
    Gpus,
    /// Credential specs and the like, which only the help needs.
    Other(&'static str),
}

impl Kind {
    /// What the help prints after the flag's name.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Bool(_) => "",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Uint16 => "uint16",
            Self::Duration => "duration",
            Self::Bytes | Self::SwapBytes => "bytes",
            Self::Decimal => "decimal",
            Self::Text => "string",
            Self::Strings => "strings",
            Self::List | Self::Env | Self::Label | Self::Tag | Self::Stream | Self::HostIp | Self::Ip | Self::Link => {
                "list"
            }
            Self::Map | Self::Sysctl => "map",
            Self::Filter => "filter",
            Self::Mount => "mount",
            Self::Network => "network",
            Self::Ulimit => "ulimit",
            Self::Gpus => "gpu-request",
            Self::Other(name) => name,
        }
    }

    /// Whether the value is one of this kind, else the reason. A boolean may come without a value.
    pub fn accept(self, value: Option<&BStr>) -> Result<(), String> {
        let Some(value) = value else { return Ok(()) };
        let text = value.to_str_lossy();
        match self {
            Self::Bool(_) => parse_bool(value).map(drop).ok_or_else(|| syntax("ParseBool", value)),
            Self::Int => parse_int(value).map(drop),
            Self::Uint => parse_uint(value, u64::MAX).map(drop),
            Self::Uint16 => parse_uint(value, u64::from(u16::MAX)).map(drop),
            Self::Duration => parse_duration(&text).map(drop),
            Self::Bytes => parse_bytes(&text).map(drop),
            Self::SwapBytes if text == "-1" => Ok(()),
            Self::SwapBytes => parse_bytes(&text).map(drop),
            Self::Decimal => parse_nano(&text).map(drop),
            Self::Env if text.is_empty() || text.starts_with('=') => {
                Err(format!("invalid environment variable: {text}"))
            }
            Self::Label => label(&text),
            Self::Tag => Reference::parse(&text).map(drop).map_err(|error| error.to_string()),
            Self::Stream => match text.to_ascii_lowercase().as_str() {
                "stdin" | "stdout" | "stderr" => Ok(()),
                _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
            },
            Self::HostIp => host_ip(&text),
            Self::Ip if text.parse::<core::net::IpAddr>().is_err() => {
                Err(format!("IP address is not correctly formatted: {text}"))
            }
            Self::Link if text.is_empty() => Err("empty string specified for links".to_owned()),
            Self::Link if text.split(':').count() > 2 => Err(format!("bad format for links: {text}")),
            Self::Sysctl => sysctl(&text),
            Self::Filter if !text.is_empty() && !text.contains('=') => {
                Err("bad format of filter (expected name=value)".to_owned())
            }
            Self::Mount => mount(&text),
            Self::Network => network(&text),
            Self::Ulimit => ulimit(&text),
            _ => Ok(()),
        }
    }
}

/// Go's `strconv.ParseBool`.
pub fn parse_bool(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
        b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
        _ => None,
    }
}

fn syntax(function: &str, value: &[u8]) -> String {
    format!("strconv.{function}: parsing {}: invalid syntax", crate::os::args::pflag::go_quote(value))
}

fn out_of_range(function: &str, value: &[u8]) -> String {
    format!("strconv.{function}: parsing {}: value out of range", crate::os::args::pflag::go_quote(value))
}

/// Go's `strconv.ParseInt(text, 0, 64)`.
pub fn parse_int(text: &[u8]) -> Result<i64, String> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = match parse_magnitude(digits) {
        Some(Some(magnitude)) => i128::from(magnitude),
        Some(None) => return Err(out_of_range("ParseInt", text)),
        None => return Err(syntax("ParseInt", text)),
    };
    i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| out_of_range("ParseInt", text))
}

/// Go's `strconv.ParseUint(text, 0, ..)` with a largest value.
pub fn parse_uint(text: &[u8], max: u64) -> Result<u64, String> {
    match parse_magnitude(text) {
        Some(Some(number)) if number <= max => Ok(number),
        Some(_) => Err(out_of_range("ParseUint", text)),
        None => Err(syntax("ParseUint", text)),
    }
}

/// Digits with Go's base prefixes: `None` when they are none, `Some(None)` when they are too many.
fn parse_magnitude(digits: &[u8]) -> Option<Option<u64>> {
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = Some(0u64);
    for &digit in digits {
        let digit = char::from(digit).to_digit(radix)?;
        number = number.and_then(|n| n.checked_mul(u64::from(radix))?.checked_add(u64::from(digit)));
    }
    Some(number)
}

/// Nanoseconds of Go's `time.ParseDuration`.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let quoted = || crate::os::args::pflag::go_quote(text.as_bytes());
    let invalid = || format!("time: invalid duration {}", quoted());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, tail) = rest.split_at_checked(end).ok_or_else(invalid)?;
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end).ok_or_else(invalid)?;
        let nanos = match unit {
            "" => return Err(format!("time: missing unit in duration {}", quoted())),
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => {
                let unit = crate::os::args::pflag::go_quote(unit.as_bytes());
                return Err(format!("time: unknown unit {unit} in duration {}", quoted()));
            }
        };
        total += number * nanos;
        rest = tail;
    }
    if total > i64::MAX as f64 {
        return Err(invalid());
    }
    Ok(if negative { -(total as i64) } else { total as i64 })
}

/// docker/go-units `RAMInBytes`.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    if let Some(bytes) = size::parse_ram(text).filter(|n| *n >= 0) {
        return Ok(bytes);
    }
    let end = text.rfind(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ')).map_or(0, |at| at + 1);
    let (number, suffix) = text.split_at_checked(end).unwrap_or((text, ""));
    match number.trim_end_matches(' ').parse::<f64>() {
        Ok(number) if number >= 0.0 => Err(format!("invalid suffix: '{suffix}'")),
        Err(_) if end > 0 && !suffix.is_empty() => {
            Err(format!("strconv.ParseFloat: parsing {number:?}: invalid syntax"))
        }
        _ => Err(format!("invalid size: '{text}'")),
    }
}

/// docker/cli `opts.ParseCPUs`: billionths of a processor.
pub fn parse_nano(text: &str) -> Result<i64, String> {
    let number = match text.split_once('/') {
        Some((a, b)) => a.parse::<f64>().ok().zip(b.parse::<f64>().ok().filter(|b| *b != 0.0)).map(|(a, b)| a / b),
        None => text.parse::<f64>().ok(),
    };
    let number =
        number.filter(|n| n.is_finite()).ok_or_else(|| format!("failed to parse {text} as a rational number"))?;
    let nano = number * 1e9;
    if (nano - nano.round()).abs() > 1e-3 {
        return Err("value is too precise".to_owned());
    }
    Ok(nano.round() as i64)
}

/// There is one platform here.
///
/// # Errors
/// Another platform.
pub fn check_platform(text: &str) -> Result<(), String> {
    match text {
        "" | "linux" | "amd64" | "x86_64" | "linux/amd64" | "linux/x86_64" | "linux/x86-64" => Ok(()),
        _ => Err(format!("--platform {text} is not simulated in Capas")),
    }
}

/// docker/cli `opts.ValidateLabel`.
fn label(text: &str) -> Result<(), String> {
    let key = text.split_once('=').map_or(text, |(key, _)| key);
    match key {
        _ if key.is_empty() => Err(format!("invalid label '{text}': empty name")),
        _ if key.contains(|c: char| c.is_ascii_whitespace()) => Err(format!("label '{key}' contains whitespaces")),
        _ => Ok(()),
    }
}

/// docker/cli `opts.ValidateExtraHost`.
fn host_ip(text: &str) -> Result<(), String> {
    let (host, ip) = match text.split_once('=').or_else(|| text.split_once(':')) {
        Some((host, ip)) if !host.is_empty() => (host, ip),
        _ => return Err(format!("bad format for add-host: {}", crate::os::args::pflag::go_quote(text.as_bytes()))),
    };
    let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if host.is_empty() || (ip != "host-gateway" && ip.parse::<core::net::IpAddr>().is_err()) {
        return Err(format!("invalid IP address in add-host: {}", crate::os::args::pflag::go_quote(ip.as_bytes())));
    }
    Ok(())
}

/// docker/cli `opts.ValidateSysctl`.
fn sysctl(text: &str) -> Result<(), String> {
    const KNOWN: [&str; 9] = [
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
        "fs.mqueue.",
    ];
    let known = |name: &str| KNOWN.contains(&name) || name.starts_with("fs.mqueue.") || name.starts_with("net.");
    match text.split_once('=') {
        Some((name, _)) if known(name) => Ok(()),
        _ => Err(format!("sysctl '{text}' is not allowed")),
    }
}

/// docker/cli `opts.MountOpt.Set`: what it refuses before the daemon sees it.
fn mount(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("value is empty".to_owned());
    }
    let (mut kind, mut target) = ("volume".to_owned(), "");
    for field in text.split(',') {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_ascii_lowercase(), value),
            None if matches!(field, "readonly" | "ro" | "volume-nocopy" | "bind-nonrecursive") => continue,
            None => return Err(format!("invalid field '{field}' must be a key=value pair")),
        };
        match key.as_str() {
            "type" => kind = value.to_ascii_lowercase(),
            "source" | "src" => (),
            "target" | "dst" | "destination" => target = value,
            "readonly" | "ro" | "volume-nocopy" | "bind-nonrecursive" if parse_bool(value.as_bytes()).is_none() => {
                return Err(format!("invalid value for {key}: {value}"));
            }
            "readonly" | "ro" | "consistency" | "bind-propagation" | "bind-nonrecursive" | "bind-recursive" => (),
            "volume-subpath" | "image-subpath" | "volume-nocopy" | "volume-label" | "volume-driver" | "volume-opt" => {}
            "tmpfs-size" if size::parse_ram(value).is_none() => {
                return Err(format!("invalid value for {key}: {value}"));
            }
            "tmpfs-mode" if u32::from_str_radix(value, 8).is_err() => {
                return Err(format!("invalid value for {key}: {value}"));
            }
            "tmpfs-size" | "tmpfs-mode" => (),
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
    }
    if kind.is_empty() {
        return Err("type is required".to_owned());
    }
    if target.is_empty() {
        return Err("target is required".to_owned());
    }
    Ok(())
}

/// docker/cli `opts.NetworkOpt.Set`.
fn network(text: &str) -> Result<(), String> {
    if !text.contains('=') {
        return Ok(());
    }
    for field in text.split(',') {
        let (key, _) = field.split_once('=').ok_or_else(|| format!("invalid field {field}"))?;
        match key.trim().to_ascii_lowercase().as_str() {
            "name" | "alias" | "ip" | "ip6" | "mac-address" | "link-local-ip" | "driver-opt" | "gw-priority" => (),
            key => return Err(format!("invalid field key {key}")),
        }
    }
    Ok(())
}

/// docker/go-units `ParseUlimit`.
fn ulimit(text: &str) -> Result<(), String> {
    const TYPES: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let (name, limits) = text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !TYPES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let mut numbers = Vec::new();
    for limit in limits.split(':') {
        numbers.push(parse_int(limit.as_bytes())?);
    }
    match numbers.as_slice() {
        [soft, hard] if *hard >= 0 && soft > hard => {
            Err(format!("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"))
        }
        [_] | [_, _] => Ok(()),
        _ => Err(format!("too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        assert_eq!(parse_duration("1h15m30.5s"), Ok(4_530_500_000_000));
        assert_eq!(parse_duration("-5ms"), Ok(-5_000_000));
        assert_eq!(parse_duration("0"), Ok(0));
        for (text, error) in [
            ("", "time: invalid duration \"\""),
            ("5", "time: missing unit in duration \"5\""),
            ("5x", "time: unknown unit \"x\" in duration \"5x\""),
            ("x", "time: invalid duration \"x\""),
        ] {
            assert_eq!(parse_duration(text), Err(error.to_owned()));
        }
    }

    #[test]
    fn integers_read_as_go_reads_them() {
        for (text, number) in
            [("0", 0), ("-7", -7), ("0x1f", 31), ("010", 8), ("+3", 3), ("-9223372036854775808", i64::MIN)]
        {
            assert_eq!(parse_int(text.as_bytes()), Ok(number));
        }
        assert!(parse_int(b"9223372036854775808").unwrap_err().ends_with("value out of range"));
        assert!(parse_int(b"").unwrap_err().ends_with("invalid syntax"));
        assert_eq!(parse_nano("1.5"), Ok(1_500_000_000));
    }
}

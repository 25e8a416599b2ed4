//! `/_ping`, `/version`, `/info`, `/events`, `/system/df`, `/auth`.

use serde_json::{Value, json};

use super::exchange::{Answer, Call, Refusal, Routed};
use super::{containers, images};
use crate::base::time::Timestamp;
use crate::docker::cli::client::race;
use crate::docker::daemon::api::image::Credentials;
use crate::docker::daemon::api::system::{BuildCacheRecord, EventMessage};

/// `GET /_ping`. The builder that is spoken over this door is the classic one.
pub async fn ping(_: &Call) -> Routed {
    let answer = Answer::bytes("text/plain; charset=utf-8", "OK".into());
    Ok(Some(
        answer
            .header("builder-version", "1")
            .header("swarm", "inactive")
            .header("cache-control", "no-cache, no-store, must-revalidate")
            .header("pragma", "no-cache"),
    ))
}

/// `GET /version`.
pub async fn version(call: &Call) -> Routed {
    let version = call.daemon.version();
    let component = |(name, version, details): &(String, String, Vec<(String, String)>)| {
        let details: serde_json::Map<String, Value> =
            details.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        json!({"Name": name, "Version": version, "Details": details})
    };
    let mut document = json!({
        "Platform": {"Name": version.platform},
        "Components": version.components.iter().map(component).collect::<Vec<_>>(),
    });
    if let (Some(document), Value::Object(rest)) = (document.as_object_mut(), json!(version)) {
        document.extend(rest);
    }
    Ok(Some(Answer::json(200, &document)))
}

/// `GET /info`.
pub async fn info(call: &Call) -> Routed {
    Ok(Some(Answer::json(200, &call.daemon.info())))
}

/// `POST /auth`.
pub async fn auth(call: &Call) -> Routed {
    let account = call.ask.json()?;
    let field = |name: &str| account.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let credentials = Credentials { username: field("username"), password: field("password") };
    let status = call.daemon.auth(&field("serveraddress"), &credentials).await?;
    Ok(Some(Answer::json(200, &json!({"Status": status, "IdentityToken": ""}))))
}

/// `GET /plugins`: there are none.
pub async fn plugins(_: &Call) -> Routed {
    Ok(Some(Answer::json(200, &json!([]))))
}

/// `GET /plugins/{name}/json`: `docker inspect` looks here too.
pub async fn plugin(call: &Call) -> Routed {
    Err(Refusal::new(404, format!("plugin {:?} not found", call.ask.part(1))))
}

/// Seconds since 1970 with a fraction, as clients write them.
pub fn time(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: i64 = digits.parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    Some(Timestamp(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?))
}

/// `GET /events`.
pub async fn events(call: &Call) -> Routed {
    let query = &call.ask.query;
    let until = query.given("until").and_then(|text| time(&text));
    let since = query.given("since").and_then(|text| time(&text));
    let events = call.daemon.events(since, until, &query.filters()?)?;
    let out = call.stream(200, "application/json");
    let tell = async {
        while let Some(event) = events.next().await {
            if !out.json(&event_document(&event)).await {
                break;
            }
        }
    };
    let end = async {
        match until {
            Some(until) => call.daemon.kernel().sleep(until.since(call.daemon.kernel().now())).await,
            None => std::future::pending().await,
        }
    };
    race(tell, end).await;
    Ok(None)
}

fn event_document(event: &EventMessage) -> Value {
    let mut out = serde_json::Map::new();
    let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
    let kind = event.kind.name();
    // What old clients read.
    if matches!(kind, "container" | "image") {
        put("status", event.action.clone().into());
        put("id", event.id.clone().into());
        if let Some(image) = event.attributes.get("image") {
            put("from", image.clone().into());
        }
    }
    put("Type", kind.into());
    put("Action", event.action.clone().into());
    put("Actor", json!({"ID": event.id, "Attributes": event.attributes}));
    put("scope", "local".into());
    put("time", event.time.seconds().into());
    put("timeNano", event.time.0.into());
    Value::Object(out)
}

/// `GET /system/df`.
pub async fn disk_usage(call: &Call) -> Routed {
    let usage = call.daemon.disk_usage()?;
    let volume = |volume: &crate::docker::daemon::api::volume::Volume| {
        let mut document = json!(volume);
        if let Some(fields) = document.as_object_mut() {
            let usage = json!({"RefCount": volume.ref_count, "Size": volume.size_bytes});
            fields.insert("UsageData".to_owned(), usage);
        }
        document
    };
    let document = json!({
        "LayersSize": usage.layers_size_bytes,
        "Images": usage.images.iter().map(images::summary).collect::<Vec<_>>(),
        "Containers": usage.containers.iter().map(|c| containers::summary(&call.daemon, c)).collect::<Vec<_>>(),
        "Volumes": usage.volumes.iter().map(volume).collect::<Vec<_>>(),
        "BuildCache": usage.build_cache.iter().map(cache_record).collect::<Vec<_>>(),
    });
    Ok(Some(Answer::json(200, &document)))
}

fn cache_record(record: &BuildCacheRecord) -> Value {
    json!({
        "ID": record.id,
        "Type": record.kind,
        "Description": record.description,
        "InUse": record.in_use,
        "Shared": record.shared,
        "Size": record.size_bytes,
        "CreatedAt": record.created.rfc3339_nano(),
        "LastUsedAt": record.last_used.rfc3339_nano(),
        "UsageCount": record.usage_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions_of_any_length() {
        assert_eq!(time("1640000000.5"), Some(Timestamp(1_640_000_000_500_000_000)));
        assert_eq!(time("1640000000"), Some(Timestamp::from_seconds(1_640_000_000)));
        assert_eq!(time("1640000000.000000001"), Some(Timestamp(1_640_000_000_000_000_001)));
        assert_eq!(time("soon"), None);
    }
}

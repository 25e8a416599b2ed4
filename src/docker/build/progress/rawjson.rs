//! `--progress=rawjson`: every piece of news as a line of JSON (BuildKit `client.SolveStatus`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::base64;
use crate::base::digest::Digest;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{BuildEvent, Vertex, VertexId};

/// The vertices' digests.
#[derive(Default)]
pub struct RawJson {
    digests: BTreeMap<VertexId, String>,
}

impl RawJson {
    /// The line of an event; nothing for what BuildKit does not tell.
    pub fn line(&mut self, event: &BuildEvent) -> String {
        let status = match event {
            BuildEvent::Vertex(vertex) => json!({ "vertexes": [self.vertex(vertex)] }),
            BuildEvent::Status(status) => {
                let mut out = json!({
                    "id": status.id, "vertex": self.digest(status.vertex), "current": status.current,
                    "timestamp": time(status.at), "started": time(status.started),
                });
                put(&mut out, "total", (status.total > 0).then(|| status.total.into()));
                put(&mut out, "completed", status.completed.map(|at| time(at).into()));
                json!({ "statuses": [out] })
            }
            BuildEvent::Log { vertex, at, bytes } => json!({ "logs": [{
                "vertex": self.digest(*vertex), "stream": 1, "data": base64::encode(bytes), "timestamp": time(*at),
            }] }),
            BuildEvent::Warning { vertex, warning } => {
                let range = json!({ "start": { "line": warning.span.start }, "end": { "line": warning.span.end } });
                let mut out = json!({
                    "vertex": self.digest(*vertex), "level": 1, "short": base64::encode(warning.short().as_bytes()),
                    "detail": [base64::encode(warning.rule.description.as_bytes())], "range": [range],
                });
                put(&mut out, "url", warning.rule.url().map(Value::from));
                json!({ "warnings": [out] })
            }
            _ => return String::new(),
        };
        format!("{status}\n")
    }

    fn vertex(&mut self, vertex: &Vertex) -> Value {
        let digest = Digest::of(format!("{} {}", vertex.id, vertex.name).as_bytes()).to_string();
        self.digests.insert(vertex.id, digest.clone());
        let mut out = json!({ "digest": digest, "name": vertex.name });
        put(&mut out, "started", vertex.started.map(|at| time(at).into()));
        put(&mut out, "completed", vertex.completed.map(|at| time(at).into()));
        put(&mut out, "cached", vertex.cached.then(|| true.into()));
        put(&mut out, "error", vertex.error.clone().map(Value::from));
        out
    }

    fn digest(&self, vertex: VertexId) -> String {
        self.digests.get(&vertex).cloned().unwrap_or_default()
    }
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Value::Object(fields), Some(value)) = (object, value) {
        fields.insert(key.to_owned(), value);
    }
}

fn time(at: Timestamp) -> String {
    at.rfc3339_nano()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_of_json() {
        let mut raw = RawJson::default();
        let vertex = Vertex {
            id: 1,
            name: "[1/1] RUN x".into(),
            started: Some(Timestamp(1_000_000_000)),
            completed: None,
            cached: false,
            error: None,
        };
        let line = raw.line(&BuildEvent::Vertex(vertex));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["vertexes"][0]["name"], "[1/1] RUN x");
        let log = raw.line(&BuildEvent::Log { vertex: 1, at: Timestamp(0), bytes: b"foo".to_vec() });
        let log: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(log["logs"][0]["vertex"], value["vertexes"][0]["digest"]);
        assert_eq!(log["logs"][0]["data"], "Zm9v");
        assert_eq!(raw.line(&BuildEvent::Total(3)), "");
    }
}

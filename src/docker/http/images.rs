//! `/images` and `/commit`.

use serde_json::{Value, json};

use super::exchange::{Answer, Call, Refusal, Routed};
use super::progress::show;
use crate::docker::daemon::api::image::{ImageListOptions, ImageSummary, PullOptions, Removal};
use crate::docker::daemon::api::{DaemonError, container::CommitRequest};
use crate::docker::image::reference::Reference;

const TAR: &str = "application/x-tar";

/// A row of `GET /images/json`.
pub fn summary(image: &ImageSummary) -> Value {
    json!({
        "Containers": image.containers,
        "Created": image.created.map_or(0, crate::base::time::Timestamp::seconds),
        "Id": image.id.to_string(),
        "Labels": if image.labels.is_empty() { Value::Null } else { json!(image.labels) },
        "ParentId": image.parent_id,
        "RepoDigests": image.repo_digests,
        "RepoTags": image.repo_tags,
        "SharedSize": image.shared_size_bytes,
        "Size": image.size_bytes,
    })
}

/// `GET /images/json`.
pub async fn list(call: &Call) -> Routed {
    let query = &call.ask.query;
    let images = call.daemon.image_list(&ImageListOptions { all: query.flag("all"), filters: query.filters()? })?;
    Ok(Some(Answer::json(200, &images.iter().map(summary).collect::<Vec<_>>().into())))
}

/// `GET /images/search`.
pub async fn search(call: &Call) -> Routed {
    let query = &call.ask.query;
    let limit = query.number("limit").unwrap_or(0);
    let found = call.daemon.image_search(&query.text("term"), limit, &query.filters()?).await?;
    let document = |result: &crate::docker::daemon::api::image::SearchResult| {
        json!({
            "star_count": result.star_count,
            "is_official": result.is_official,
            "name": result.name,
            "is_automated": false,
            "description": result.description,
        })
    };
    Ok(Some(Answer::json(200, &found.iter().map(document).collect::<Vec<_>>().into())))
}

/// `GET /images/{name}/json`.
pub async fn inspect(call: &Call) -> Routed {
    Ok(Some(Answer::json(200, &call.daemon.image_inspect(&call.ask.image(1))?)))
}

/// `GET /images/{name}/history`.
pub async fn history(call: &Call) -> Routed {
    let lines = call.daemon.image_history(&call.ask.image(1))?;
    let document = |line: &crate::docker::daemon::api::image::HistoryItem| {
        json!({
            "Comment": line.comment,
            "Created": line.created.map_or(0, crate::base::time::Timestamp::seconds),
            "CreatedBy": line.created_by,
            "Id": line.id,
            "Size": line.size_bytes,
            "Tags": if line.tags.is_empty() { Value::Null } else { json!(line.tags) },
        })
    };
    Ok(Some(Answer::json(200, &lines.iter().map(document).collect::<Vec<_>>().into())))
}

/// A name and what is in `tag`, which may be a digest.
fn tagged(name: &str, tag: &str) -> String {
    match tag {
        "" => name.to_owned(),
        digest if digest.contains(':') => format!("{name}@{digest}"),
        tag => format!("{name}:{tag}"),
    }
}

fn familiar(name: &str) -> Result<String, Refusal> {
    Ok(Reference::parse(name).map_err(DaemonError::from)?.familiar())
}

/// `POST /images/create`: a pull or an import.
pub async fn create(call: &Call) -> Routed {
    let query = &call.ask.query;
    if let Some(source) = query.given("fromSrc") {
        if source != "-" {
            return Err(Refusal::not_simulated(&format!("an import from {source}")));
        }
        let name = tagged(&query.text("repo"), &query.text("tag"));
        let archive = call.ask.body.clone();
        let (message, changes) = (query.text("message"), query.all("changes"));
        let id = call.daemon.image_import(&archive, &name, &message, &changes).await?;
        return Ok(Some(Answer::json(200, &json!({"status": id.to_string()}))));
    }
    let platform = query.given("platform");
    if let Some(other) = platform.as_deref().filter(|p| !matches!(*p, "linux/amd64" | "linux" | "amd64")) {
        return Err(Refusal::not_simulated(&format!("the platform {other}")));
    }
    let tag = query.text("tag");
    let name = familiar(&tagged(&query.text("fromImage"), &tag))?;
    let options = PullOptions { all_tags: tag.is_empty(), platform, credentials: call.ask.credentials() };
    show(call, false, |sink| async move { call.daemon.image_pull(&name, options, sink).await }).await
}

/// `POST /images/{name}/push`.
pub async fn push(call: &Call) -> Routed {
    let tag = call.ask.query.text("tag");
    let name = familiar(&tagged(&call.ask.image(1), &tag))?;
    let options = PullOptions { all_tags: tag.is_empty(), platform: None, credentials: call.ask.credentials() };
    show(call, false, |sink| async move { call.daemon.image_push(&name, options, sink).await }).await
}

/// `POST /images/load`.
pub async fn load(call: &Call) -> Routed {
    let archive = call.ask.body.clone();
    show(call, call.ask.query.flag("quiet"), |sink| async move { call.daemon.image_load(&archive, sink).await }).await
}

/// `GET /images/get`.
pub async fn save(call: &Call) -> Routed {
    Ok(Some(Answer::bytes(TAR, call.daemon.image_save(&call.ask.query.all("names"))?)))
}

/// `GET /images/{name}/get`.
pub async fn save_one(call: &Call) -> Routed {
    Ok(Some(Answer::bytes(TAR, call.daemon.image_save(&[call.ask.image(1)])?)))
}

/// `POST /images/{name}/tag`.
pub async fn tag(call: &Call) -> Routed {
    let target = tagged(&call.ask.query.text("repo"), &call.ask.query.text("tag"));
    call.daemon.image_tag(&call.ask.image(1), &target)?;
    Ok(Some(Answer::empty(201)))
}

/// `DELETE /images/{name}`.
pub async fn remove(call: &Call) -> Routed {
    let query = &call.ask.query;
    let removed = call.daemon.image_remove(&call.ask.image(0), query.flag("force"), !query.flag("noprune"))?;
    let document = |removal: &Removal| match removal {
        Removal::Untagged(reference, _) => json!({"Untagged": reference.familiar()}),
        Removal::Image(id) => json!({"Deleted": id.to_string()}),
        Removal::Layer(id) => json!({"Deleted": id.to_string()}),
    };
    Ok(Some(Answer::json(200, &removed.iter().map(document).collect::<Vec<_>>().into())))
}

/// `POST /images/prune`.
pub async fn prune(call: &Call) -> Routed {
    let report = call.daemon.image_prune(&call.ask.query.filters()?)?;
    // A report has the lines of `docker rmi`.
    let document = |line: &String| {
        let (what, name) = line.split_once(": ").unwrap_or(("Deleted", line));
        json!({what: name})
    };
    let deleted = match report.deleted.is_empty() {
        true => Value::Null,
        false => report.deleted.iter().map(document).collect::<Vec<_>>().into(),
    };
    Ok(Some(Answer::json(200, &json!({"ImagesDeleted": deleted, "SpaceReclaimed": report.space_reclaimed_bytes}))))
}

/// `POST /commit`.
pub async fn commit(call: &Call) -> Routed {
    let query = &call.ask.query;
    let request = CommitRequest {
        container: query.text("container"),
        reference: tagged(&query.text("repo"), &query.text("tag")),
        comment: query.text("comment"),
        author: query.text("author"),
        changes: query.all("changes"),
        pause: query.flag("pause"),
    };
    let id = call.daemon.commit(request)?;
    Ok(Some(Answer::json(201, &json!({"Id": id.to_string()}))))
}

//! Rows of images (docker/cli `cli/command/formatter/image.go`).

use serde_json::Value;

use crate::base::size::{human_size, human_size3};
use crate::base::time::Timestamp;
use crate::docker::cli::columns::{Columns, row};
use crate::docker::cli::when;
use crate::docker::daemon::api::image::ImageSummary;
use crate::docker::image::reference::Reference;

/// What `docker images` can show.
pub static IMAGES: Columns = Columns {
    go_type: "*formatter.imageContext",
    titles: &[
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
        ("VirtualSize", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
    ],
};

const NONE: &str = "<none>";

/// A row for each name of an image; with digests, for each name and digest.
pub fn images(image: &ImageSummary, digests: bool, truncated: bool, now: Timestamp) -> Vec<Value> {
    let parse =
        |texts: &[String]| -> Vec<Reference> { texts.iter().filter_map(|t| Reference::parse(t).ok()).collect() };
    let (tags, by_digest) = (parse(&image.repo_tags), parse(&image.repo_digests));
    let digest_of = |reference: &Reference| reference.digest().map_or_else(|| NONE.to_owned(), |d| d.to_string());
    let mut rows = Vec::new();
    let mut add = |repository: &str, tag: &str, digest: &str| {
        rows.push(fields(image, [repository, tag, digest], truncated, now));
    };
    for tagged in &tags {
        let repository = tagged.repository();
        let own: Vec<&Reference> = by_digest.iter().filter(|d| digests && d.repository() == repository).collect();
        let tag = tagged.tag().unwrap_or(NONE);
        if own.is_empty() {
            add(&repository.familiar(), tag, NONE);
        }
        own.iter().for_each(|digest| add(&repository.familiar(), tag, &digest_of(digest)));
    }
    // What has only a digest has a row of its own.
    for reference in by_digest.iter().filter(|d| tags.iter().all(|tag| tag.repository() != d.repository())) {
        let digest = if digests { digest_of(reference) } else { String::new() };
        add(&reference.repository().familiar(), NONE, &digest);
    }
    if tags.is_empty() && by_digest.is_empty() {
        add(NONE, NONE, NONE);
    }
    rows
}

/// The one row of an image in `system df -v`: its first name.
pub fn first(image: &ImageSummary, now: Timestamp) -> Value {
    let reference = image.repo_tags.first().and_then(|text| Reference::parse(text).ok());
    let repository = reference.as_ref().map_or_else(|| NONE.to_owned(), |r| r.repository().familiar());
    let tag = reference.as_ref().and_then(Reference::tag).unwrap_or(NONE);
    fields(image, [&repository, tag, ""], true, now)
}

fn fields(image: &ImageSummary, [repository, tag, digest]: [&str; 3], truncated: bool, now: Timestamp) -> Value {
    let known = |bytes: i64| u64::try_from(bytes).ok();
    let shared = known(image.shared_size_bytes);
    let or_na = |text: Option<String>| text.unwrap_or_else(|| "N/A".to_owned());
    let created = image.created;
    row([
        ("ID", if truncated { image.id.short() } else { image.id.to_string() }.into()),
        ("Repository", repository.into()),
        ("Tag", tag.into()),
        ("Digest", digest.into()),
        ("CreatedSince", created.map(|time| when::ago(time, now)).unwrap_or_default().into()),
        ("CreatedAt", when::go_seconds(created.unwrap_or_default()).into()),
        ("Size", human_size3(image.size_bytes).into()),
        ("Containers", or_na(known(image.containers).map(|count| count.to_string())).into()),
        ("VirtualSize", human_size(image.size_bytes).into()),
        ("SharedSize", or_na(shared.map(human_size)).into()),
        ("UniqueSize", or_na(shared.map(|bytes| human_size(image.size_bytes.saturating_sub(bytes)))).into()),
    ])
}

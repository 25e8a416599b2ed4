//! Rows of volumes (docker/cli `cli/command/formatter/volume.go`).

use serde_json::Value;

use crate::base::size::human_size;
use crate::docker::cli::columns::{Columns, labels, row};
use crate::docker::daemon::api::volume::Volume;

/// What `docker volume ls` can show.
pub static VOLUMES: Columns = Columns {
    go_type: "*formatter.volumeContext",
    titles: &[
        ("Name", "VOLUME NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("Availability", "AVAILABILITY"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Group", "GROUP"),
        ("Status", "STATUS"),
    ],
};

/// The fields of a volume; what it takes is known to `system df` only.
pub fn volume(volume: &Volume, usage: bool) -> Value {
    let known = |text: String| if usage { text } else { "N/A".to_owned() };
    let own = volume.labels.iter().flatten();
    row([
        ("Name", volume.name.clone().into()),
        ("Driver", volume.driver.clone().into()),
        ("Scope", volume.scope.clone().into()),
        ("Availability", "N/A".into()),
        ("Mountpoint", volume.mountpoint.clone().into()),
        ("Label", own.clone().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect()),
        ("Labels", labels(own).into()),
        ("Links", known(volume.ref_count.to_string()).into()),
        ("Size", known(human_size(volume.size_bytes)).into()),
        ("Group", "N/A".into()),
        ("Status", "N/A".into()),
    ])
}

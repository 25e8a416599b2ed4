//! The Go types that `inspect` runs a template over first (moby `api/types` at 28.2): names, order and kinds of fields.
//!
//! JSON does not tell a struct from a map nor nothing from nil; Go prints `{a b}` for the one and `map[k:v]` for the other.

use Type::*;

/// A type of Go's.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// `string` and what is made of it.
    Text,
    /// `bool`.
    Bool,
    /// Any integer.
    Int,
    /// `time.Duration`, nanoseconds in JSON.
    Duration,
    /// `time.Time`, which JSON writes as RFC 3339 and Go prints otherwise.
    Time,
    /// A slice.
    List(&'static Type),
    /// A map with text keys.
    Map(&'static Type),
    /// A struct.
    Of(&'static Struct),
    /// A pointer to a struct; Go prints its address inside of others.
    Pointer(&'static Struct),
    /// A pointer to something plain, as `*int`.
    Maybe,
    /// An embedded struct, whose fields stand in JSON among those around it.
    Embedded(&'static Struct),
    /// `any`.
    Any,
}

/// A struct.
#[derive(Debug)]
pub struct Struct {
    /// As Go's errors name it.
    pub name: &'static str,
    /// Names of fields with their types, in order. JSON's names may differ in case.
    pub fields: &'static [(&'static str, Type)],
}

impl Struct {
    /// The type of a field, also of an embedded struct, and its index path.
    pub fn field(&self, name: &str) -> Option<Type> {
        self.fields.iter().find_map(|(field, of)| match of {
            Embedded(inner) => inner.field(name),
            _ => (*field == name).then_some(*of),
        })
    }

    /// The type of the field with this name in JSON.
    pub fn json_field(&self, json: &str) -> Option<Type> {
        self.fields.iter().find_map(|(field, of)| match of {
            Embedded(inner) => inner.json_field(json),
            _ => is_same(field, json).then_some(*of),
        })
    }
}

/// Whether JSON's name is that of Go's field.
pub fn is_same(field: &str, json: &str) -> bool {
    field.eq_ignore_ascii_case(json) || (field == "AuxAddress" && json == "AuxiliaryAddresses")
}

const TEXTS: Type = List(&Text);
const LABELS: Type = Map(&Text);
/// `map[string]struct{}`.
const SET: Type = Map(&Of(&EMPTY));
const PORTS: Type = Map(&List(&Of(&PORT_BINDING)));

static EMPTY: Struct = Struct { name: "struct {}", fields: &[] };
static PORT_BINDING: Struct = Struct { name: "nat.PortBinding", fields: &[("HostIP", Text), ("HostPort", Text)] };

/// `container.InspectResponse`.
pub static CONTAINER: Struct = Struct {
    name: "container.InspectResponse",
    fields: &[
        ("ContainerJSONBase", Embedded(&CONTAINER_BASE)),
        ("Mounts", List(&Of(&MOUNT_POINT))),
        ("Config", Pointer(&CONFIG)),
        ("NetworkSettings", Pointer(&NETWORK_SETTINGS)),
        ("ImageManifestDescriptor", Pointer(&DESCRIPTOR)),
    ],
};

static CONTAINER_BASE: Struct = Struct {
    name: "container.ContainerJSONBase",
    fields: &[
        ("ID", Text),
        ("Created", Text),
        ("Path", Text),
        ("Args", TEXTS),
        ("State", Pointer(&STATE)),
        ("Image", Text),
        ("ResolvConfPath", Text),
        ("HostnamePath", Text),
        ("HostsPath", Text),
        ("LogPath", Text),
        ("Name", Text),
        ("RestartCount", Int),
        ("Driver", Text),
        ("Platform", Text),
        ("MountLabel", Text),
        ("ProcessLabel", Text),
        ("AppArmorProfile", Text),
        ("ExecIDs", TEXTS),
        ("HostConfig", Pointer(&HOST_CONFIG)),
        ("GraphDriver", Of(&DRIVER_DATA)),
        ("SizeRw", Maybe),
        ("SizeRootFs", Maybe),
    ],
};

static DESCRIPTOR: Struct = Struct {
    name: "v1.Descriptor",
    fields: &[
        ("MediaType", Text),
        ("Digest", Text),
        ("Size", Int),
        ("URLs", TEXTS),
        ("Annotations", LABELS),
        ("Data", List(&Int)),
        ("Platform", Pointer(&PLATFORM)),
        ("ArtifactType", Text),
    ],
};

static PLATFORM: Struct = Struct {
    name: "v1.Platform",
    fields: &[("Architecture", Text), ("OS", Text), ("OSVersion", Text), ("OSFeatures", TEXTS), ("Variant", Text)],
};

static DRIVER_DATA: Struct = Struct { name: "storage.DriverData", fields: &[("Data", LABELS), ("Name", Text)] };

static STATE: Struct = Struct {
    name: "container.State",
    fields: &[
        ("Status", Text),
        ("Running", Bool),
        ("Paused", Bool),
        ("Restarting", Bool),
        ("OOMKilled", Bool),
        ("Dead", Bool),
        ("Pid", Int),
        ("ExitCode", Int),
        ("Error", Text),
        ("StartedAt", Text),
        ("FinishedAt", Text),
        ("Health", Pointer(&HEALTH)),
    ],
};

static HEALTH: Struct = Struct {
    name: "container.Health",
    fields: &[("Status", Text), ("FailingStreak", Int), ("Log", List(&Pointer(&HEALTH_RESULT)))],
};

static HEALTH_RESULT: Struct = Struct {
    name: "container.HealthcheckResult",
    fields: &[("Start", Time), ("End", Time), ("ExitCode", Int), ("Output", Text)],
};

static MOUNT_POINT: Struct = Struct {
    name: "container.MountPoint",
    fields: &[
        ("Type", Text),
        ("Name", Text),
        ("Source", Text),
        ("Destination", Text),
        ("Driver", Text),
        ("Mode", Text),
        ("RW", Bool),
        ("Propagation", Text),
    ],
};

static HEALTH_CONFIG: Struct = Struct {
    name: "v1.HealthcheckConfig",
    fields: &[
        ("Test", TEXTS),
        ("Interval", Duration),
        ("Timeout", Duration),
        ("StartPeriod", Duration),
        ("StartInterval", Duration),
        ("Retries", Int),
    ],
};

static CONFIG: Struct = Struct {
    name: "container.Config",
    fields: &[
        ("Hostname", Text),
        ("Domainname", Text),
        ("User", Text),
        ("AttachStdin", Bool),
        ("AttachStdout", Bool),
        ("AttachStderr", Bool),
        ("ExposedPorts", SET),
        ("Tty", Bool),
        ("OpenStdin", Bool),
        ("StdinOnce", Bool),
        ("Env", TEXTS),
        ("Cmd", TEXTS),
        ("Healthcheck", Pointer(&HEALTH_CONFIG)),
        ("ArgsEscaped", Bool),
        ("Image", Text),
        ("Volumes", SET),
        ("WorkingDir", Text),
        ("Entrypoint", TEXTS),
        ("NetworkDisabled", Bool),
        ("MacAddress", Text),
        ("OnBuild", TEXTS),
        ("Labels", LABELS),
        ("StopSignal", Text),
        ("StopTimeout", Maybe),
        ("Shell", TEXTS),
    ],
};

static HOST_CONFIG: Struct = Struct {
    name: "container.HostConfig",
    fields: &[
        ("Binds", TEXTS),
        ("ContainerIDFile", Text),
        ("LogConfig", Of(&LOG_CONFIG)),
        ("NetworkMode", Text),
        ("PortBindings", PORTS),
        ("RestartPolicy", Of(&RESTART_POLICY)),
        ("AutoRemove", Bool),
        ("VolumeDriver", Text),
        ("VolumesFrom", TEXTS),
        ("ConsoleSize", List(&Int)),
        ("Annotations", LABELS),
        ("CapAdd", TEXTS),
        ("CapDrop", TEXTS),
        ("CgroupnsMode", Text),
        ("DNS", TEXTS),
        ("DNSOptions", TEXTS),
        ("DNSSearch", TEXTS),
        ("ExtraHosts", TEXTS),
        ("GroupAdd", TEXTS),
        ("IpcMode", Text),
        ("Cgroup", Text),
        ("Links", TEXTS),
        ("OomScoreAdj", Int),
        ("PidMode", Text),
        ("Privileged", Bool),
        ("PublishAllPorts", Bool),
        ("ReadonlyRootfs", Bool),
        ("SecurityOpt", TEXTS),
        ("StorageOpt", LABELS),
        ("Tmpfs", LABELS),
        ("UTSMode", Text),
        ("UsernsMode", Text),
        ("ShmSize", Int),
        ("Sysctls", LABELS),
        ("Runtime", Text),
        ("Isolation", Text),
        ("Resources", Embedded(&RESOURCES)),
        ("Mounts", List(&Of(&MOUNT))),
        ("MaskedPaths", TEXTS),
        ("ReadonlyPaths", TEXTS),
        ("Init", Maybe),
    ],
};

static LOG_CONFIG: Struct = Struct { name: "container.LogConfig", fields: &[("Type", Text), ("Config", LABELS)] };
static RESTART_POLICY: Struct =
    Struct { name: "container.RestartPolicy", fields: &[("Name", Text), ("MaximumRetryCount", Int)] };

static MOUNT: Struct = Struct {
    name: "mount.Mount",
    fields: &[
        ("Type", Text),
        ("Source", Text),
        ("Target", Text),
        ("ReadOnly", Bool),
        ("Consistency", Text),
        ("BindOptions", Pointer(&BIND_OPTIONS)),
        ("VolumeOptions", Pointer(&VOLUME_OPTIONS)),
        ("ImageOptions", Pointer(&IMAGE_OPTIONS)),
        ("TmpfsOptions", Pointer(&TMPFS_OPTIONS)),
        ("ClusterOptions", Pointer(&EMPTY)),
    ],
};

static BIND_OPTIONS: Struct = Struct {
    name: "mount.BindOptions",
    fields: &[
        ("Propagation", Text),
        ("NonRecursive", Bool),
        ("CreateMountpoint", Bool),
        ("ReadOnlyNonRecursive", Bool),
        ("ReadOnlyForceRecursive", Bool),
    ],
};

static VOLUME_OPTIONS: Struct = Struct {
    name: "mount.VolumeOptions",
    fields: &[("NoCopy", Bool), ("Labels", LABELS), ("Subpath", Text), ("DriverConfig", Pointer(&DRIVER))],
};

static IMAGE_OPTIONS: Struct = Struct { name: "mount.ImageOptions", fields: &[("Subpath", Text)] };
static DRIVER: Struct = Struct { name: "mount.Driver", fields: &[("Name", Text), ("Options", LABELS)] };
static TMPFS_OPTIONS: Struct =
    Struct { name: "mount.TmpfsOptions", fields: &[("SizeBytes", Int), ("Mode", Int), ("Options", List(&TEXTS))] };

static RESOURCES: Struct = Struct {
    name: "container.Resources",
    fields: &[
        ("CPUShares", Int),
        ("Memory", Int),
        ("NanoCPUs", Int),
        ("CgroupParent", Text),
        ("BlkioWeight", Int),
        ("BlkioWeightDevice", List(&Pointer(&EMPTY))),
        ("BlkioDeviceReadBps", List(&Pointer(&EMPTY))),
        ("BlkioDeviceWriteBps", List(&Pointer(&EMPTY))),
        ("BlkioDeviceReadIOps", List(&Pointer(&EMPTY))),
        ("BlkioDeviceWriteIOps", List(&Pointer(&EMPTY))),
        ("CPUPeriod", Int),
        ("CPUQuota", Int),
        ("CPURealtimePeriod", Int),
        ("CPURealtimeRuntime", Int),
        ("CpusetCpus", Text),
        ("CpusetMems", Text),
        ("Devices", List(&Of(&DEVICE))),
        ("DeviceCgroupRules", TEXTS),
        ("DeviceRequests", List(&Of(&EMPTY))),
        ("KernelMemory", Int),
        ("KernelMemoryTCP", Int),
        ("MemoryReservation", Int),
        ("MemorySwap", Int),
        ("MemorySwappiness", Maybe),
        ("OomKillDisable", Maybe),
        ("PidsLimit", Maybe),
        ("Ulimits", List(&Pointer(&ULIMIT))),
        ("CPUCount", Int),
        ("CPUPercent", Int),
        ("IOMaximumIOps", Int),
        ("IOMaximumBandwidth", Int),
    ],
};

static DEVICE: Struct = Struct {
    name: "container.DeviceMapping",
    fields: &[("PathOnHost", Text), ("PathInContainer", Text), ("CgroupPermissions", Text)],
};
static ULIMIT: Struct = Struct { name: "units.Ulimit", fields: &[("Name", Text), ("Hard", Int), ("Soft", Int)] };

static NETWORK_SETTINGS: Struct = Struct {
    name: "container.NetworkSettings",
    fields: &[
        ("NetworkSettingsBase", Embedded(&NETWORK_SETTINGS_BASE)),
        ("DefaultNetworkSettings", Embedded(&DEFAULT_NETWORK_SETTINGS)),
        ("Networks", Map(&Pointer(&ENDPOINT))),
    ],
};

static NETWORK_SETTINGS_BASE: Struct = Struct {
    name: "container.NetworkSettingsBase",
    fields: &[
        ("Bridge", Text),
        ("SandboxID", Text),
        ("SandboxKey", Text),
        ("Ports", PORTS),
        ("HairpinMode", Bool),
        ("LinkLocalIPv6Address", Text),
        ("LinkLocalIPv6PrefixLen", Int),
        ("SecondaryIPAddresses", List(&Of(&EMPTY))),
        ("SecondaryIPv6Addresses", List(&Of(&EMPTY))),
    ],
};

static DEFAULT_NETWORK_SETTINGS: Struct = Struct {
    name: "container.DefaultNetworkSettings",
    fields: &[
        ("EndpointID", Text),
        ("Gateway", Text),
        ("GlobalIPv6Address", Text),
        ("GlobalIPv6PrefixLen", Int),
        ("IPAddress", Text),
        ("IPPrefixLen", Int),
        ("IPv6Gateway", Text),
        ("MacAddress", Text),
    ],
};

static ENDPOINT: Struct = Struct {
    name: "network.EndpointSettings",
    fields: &[
        ("IPAMConfig", Pointer(&ENDPOINT_IPAM)),
        ("Links", TEXTS),
        ("Aliases", TEXTS),
        ("MacAddress", Text),
        ("DriverOpts", LABELS),
        ("GwPriority", Int),
        ("NetworkID", Text),
        ("EndpointID", Text),
        ("Gateway", Text),
        ("IPAddress", Text),
        ("IPPrefixLen", Int),
        ("IPv6Gateway", Text),
        ("GlobalIPv6Address", Text),
        ("GlobalIPv6PrefixLen", Int),
        ("DNSNames", TEXTS),
    ],
};

static ENDPOINT_IPAM: Struct = Struct {
    name: "network.EndpointIPAMConfig",
    fields: &[("IPv4Address", Text), ("IPv6Address", Text), ("LinkLocalIPs", TEXTS)],
};

/// `image.InspectResponse`.
pub static IMAGE: Struct = Struct {
    name: "image.InspectResponse",
    fields: &[
        ("ID", Text),
        ("RepoTags", TEXTS),
        ("RepoDigests", TEXTS),
        ("Parent", Text),
        ("Comment", Text),
        ("Created", Text),
        ("Container", Text),
        ("ContainerConfig", Pointer(&CONFIG)),
        ("DockerVersion", Text),
        ("Author", Text),
        ("Config", Pointer(&IMAGE_CONFIG)),
        ("Architecture", Text),
        ("Variant", Text),
        ("Os", Text),
        ("OsVersion", Text),
        ("Size", Int),
        ("VirtualSize", Int),
        ("GraphDriver", Of(&DRIVER_DATA)),
        ("RootFS", Of(&ROOT_FS)),
        ("Metadata", Of(&METADATA)),
        ("Descriptor", Pointer(&DESCRIPTOR)),
        ("Manifests", List(&Of(&EMPTY))),
    ],
};

static ROOT_FS: Struct = Struct { name: "image.RootFS", fields: &[("Type", Text), ("Layers", TEXTS)] };
static METADATA: Struct = Struct { name: "image.Metadata", fields: &[("LastTagTime", Time)] };

static IMAGE_CONFIG: Struct = Struct {
    name: "v1.DockerOCIImageConfig",
    fields: &[("ImageConfig", Embedded(&OCI_CONFIG)), ("DockerOCIImageConfigExt", Embedded(&OCI_CONFIG_EXT))],
};

static OCI_CONFIG: Struct = Struct {
    name: "v1.ImageConfig",
    fields: &[
        ("User", Text),
        ("ExposedPorts", SET),
        ("Env", TEXTS),
        ("Entrypoint", TEXTS),
        ("Cmd", TEXTS),
        ("Volumes", SET),
        ("WorkingDir", Text),
        ("Labels", LABELS),
        ("StopSignal", Text),
        ("ArgsEscaped", Bool),
    ],
};

static OCI_CONFIG_EXT: Struct = Struct {
    name: "v1.DockerOCIImageConfigExt",
    fields: &[("Healthcheck", Pointer(&HEALTH_CONFIG)), ("OnBuild", TEXTS), ("Shell", TEXTS)],
};

/// `network.Inspect`.
pub static NETWORK: Struct = Struct {
    name: "network.Inspect",
    fields: &[
        ("Name", Text),
        ("ID", Text),
        ("Created", Time),
        ("Scope", Text),
        ("Driver", Text),
        ("EnableIPv4", Bool),
        ("EnableIPv6", Bool),
        ("IPAM", Of(&IPAM)),
        ("Internal", Bool),
        ("Attachable", Bool),
        ("Ingress", Bool),
        ("ConfigFrom", Of(&CONFIG_REFERENCE)),
        ("ConfigOnly", Bool),
        ("Containers", Map(&Of(&ENDPOINT_RESOURCE))),
        ("Options", LABELS),
        ("Labels", LABELS),
        ("Peers", List(&Of(&EMPTY))),
        ("Services", Map(&Of(&EMPTY))),
    ],
};

static IPAM: Struct = Struct {
    name: "network.IPAM",
    fields: &[("Driver", Text), ("Options", LABELS), ("Config", List(&Of(&IPAM_CONFIG)))],
};
static IPAM_CONFIG: Struct = Struct {
    name: "network.IPAMConfig",
    fields: &[("Subnet", Text), ("IPRange", Text), ("Gateway", Text), ("AuxAddress", LABELS)],
};
static CONFIG_REFERENCE: Struct = Struct { name: "network.ConfigReference", fields: &[("Network", Text)] };
static ENDPOINT_RESOURCE: Struct = Struct {
    name: "network.EndpointResource",
    fields: &[("Name", Text), ("EndpointID", Text), ("MacAddress", Text), ("IPv4Address", Text), ("IPv6Address", Text)],
};

/// `volume.Volume`.
pub static VOLUME: Struct = Struct {
    name: "volume.Volume",
    fields: &[
        ("ClusterVolume", Pointer(&EMPTY)),
        ("CreatedAt", Text),
        ("Driver", Text),
        ("Labels", LABELS),
        ("Mountpoint", Text),
        ("Name", Text),
        ("Options", LABELS),
        ("Scope", Text),
        ("Status", Map(&Any)),
        ("UsageData", Pointer(&USAGE)),
    ],
};

static USAGE: Struct = Struct { name: "volume.UsageData", fields: &[("RefCount", Int), ("Size", Int)] };

/// A struct by its name.
pub fn named(name: &str) -> Option<&'static Struct> {
    [&CONTAINER, &IMAGE, &NETWORK, &VOLUME].into_iter().find_map(|root| within(root, name))
}

/// No struct contains itself.
fn within(of: &'static Struct, name: &str) -> Option<&'static Struct> {
    fn in_type(of: &'static Type, name: &str) -> Option<&'static Struct> {
        match of {
            Of(inner) | Pointer(inner) | Embedded(inner) => within(inner, name),
            List(item) | Map(item) => in_type(item, name),
            _ => None,
        }
    }
    if of.name == name {
        return Some(of);
    }
    of.fields.iter().find_map(|(_, of)| in_type(of, name))
}

//! The daemon's handle and what is behind it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::docker::image::store::Store;
use crate::os::kernel::{Kernel, ProcessSpec};

/// What a daemon is made of.
pub struct DaemonConfig {
    /// The kernel.
    pub kernel: Kernel,
    /// The image store, which the builder shares.
    pub store: Rc<RefCell<Store>>,
    /// How a process of the host starts: its mounts, network, host name. The daemon's own processes start so.
    pub host: ProcessSpec,
}

/// The daemon: a handle, cheap to clone.
#[derive(Clone)]
pub struct Daemon(Rc<DaemonConfig>);

impl Daemon {
    /// Starts a daemon.
    pub fn new(config: DaemonConfig) -> Self {
        Self(Rc::new(config))
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.0.kernel
    }

    /// The image store. Nobody may hold a borrow across an await.
    pub fn store(&self) -> &Rc<RefCell<Store>> {
        &self.0.store
    }

    /// The host's process template.
    pub fn host(&self) -> &ProcessSpec {
        &self.0.host
    }
}

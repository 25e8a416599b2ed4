//! The daemon's end and its beginning anew (moby `daemon/daemon.go`, `Shutdown` and `restore`): containers stop with it, and
//! those come back whose restart policy says so.

use std::future::Future;
use std::rc::Rc;
use std::task::Poll;

use super::api::container::{RemoveOptions, StopOptions};
use super::container::{ContainerId, State};
use super::handle::Daemon;
use super::settings::Settings;

impl Daemon {
    /// The settings it runs with.
    pub fn settings(&self) -> Settings {
        self.0.settings.borrow().clone()
    }

    /// Takes new settings: when it starts, and when it is told to read them again.
    pub fn set_settings(&self, settings: Settings) {
        *self.0.settings.borrow_mut() = settings;
    }

    /// Who starts it when somebody calls and it is not there (systemd's `docker.socket`); whether that was done.
    pub fn set_activation(&self, activate: Rc<dyn Fn() -> bool>) {
        *self.0.activate.borrow_mut() = Some(activate);
    }

    /// Starts it because somebody calls; `false` where nobody does that.
    pub fn activate(&self) -> bool {
        let activate = self.0.activate.borrow().clone();
        activate.is_some_and(|activate| activate())
    }

    fn all(&self, test: impl Fn(&super::container::Container) -> bool) -> Vec<ContainerId> {
        let state = self.0.state.borrow();
        let mut found: Vec<_> = state.containers.values().filter(|c| test(c)).map(|c| (c.created, c.id)).collect();
        crate::base::sort::Arrange::arrange(found.as_mut_slice());
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Stops every container, all at the same time; with `live-restore` they run on.
    pub async fn shut_down(&self) {
        if self.0.settings.borrow().live_restore {
            return;
        }
        let running = self.all(|c| matches!(c.state, State::Running(_) | State::Paused(_) | State::Restarting(_)));
        let names: Vec<String> = running.iter().map(ToString::to_string).collect();
        let mut stops = Vec::new();
        for name in &names {
            stops.push(Box::pin(self.container_stop(name, StopOptions::default())));
        }
        std::future::poll_fn(|context| {
            // One that is gone by then needs no stop.
            stops.retain_mut(|stop| stop.as_mut().poll(context).is_pending());
            if stops.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        for id in running {
            // Nobody asked for it: the policy `unless-stopped` starts it again.
            self.0.with(id, |c| c.stopped_by_user = false);
        }
    }

    /// Removes the containers that should be gone with their end, and starts those that should run.
    pub async fn restore(&self) {
        let gone = self.all(|c| c.host.auto_remove && matches!(c.state, State::Exited(_)));
        for id in gone {
            self.remove_left(id).await;
        }
        self.start_wanted();
    }

    // Apart, because a daemon that starts for the first time has none.
    #[inline(never)]
    fn remove_left(&self, id: ContainerId) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move {
            // One whose removal fails stays, as it does when the daemon removes it in the background.
            let options = RemoveOptions { volumes: true, force: true };
            let _ = self.container_remove(&id.to_string(), options).await;
        })
    }

    /// Starts the containers that should run.
    pub fn start_wanted(&self) {
        let wanted = self.all(|c| {
            let State::Exited(ended) = &c.state else { return false };
            match c.host.restart_policy.name.as_str() {
                "always" => true,
                "unless-stopped" => !c.stopped_by_user,
                "on-failure" => ended.code != 0,
                _ => false,
            }
        });
        for id in wanted {
            // Its reason stands in its state.
            let _ = self.0.launch(id);
        }
    }
}

//! The children of jobs that are monitored: read from the store whenever somebody looks.

use std::{collections::BTreeMap, iter::successors, rc::Weak};

use serde_json::{Map, Value};

use super::{HostCall, MemoryHost, Progressed, form};
use crate::{
    core::{
        children::{ChildChange, ChildStats, Progress, Standing},
        status::JobStatus,
    },
    host::{ChildListener, Children, JobKey},
};

/// The children of one job, as one who counts them knows them.
#[derive(Debug)]
pub struct Family {
    parent: JobKey,
    known: BTreeMap<u32, (Standing, f64)>,
    changes: Vec<ChildChange>,
}

impl Children for MemoryHost {
    type Family = Family;

    fn family_of(&self, parent: JobKey) -> Family {
        Family { parent, known: BTreeMap::new(), changes: Vec::new() }
    }

    fn child_changes(&self, family: &mut Family) -> Vec<ChildChange> {
        std::mem::take(&mut family.changes)
    }

    fn has_unread(&self, _family: &Family) -> bool {
        true
    }

    async fn read_children(&self, family: &mut Family, _all: bool) -> Result<(), String> {
        let parent = self.id(family.parent);
        let read = || {
            let is_child = |job: &Map<String, Value>| job.get("parentId").is_some_and(|it| *it == parent);
            self.keys_of(is_child).into_iter().map(|key| (key.0, self.standing(key))).collect()
        };
        let now: BTreeMap<u32, (Standing, f64)> = self.call(HostCall::Children(family.parent), read).await?;
        let before = std::mem::replace(&mut family.known, now);
        for (key, &(to, weight)) in &family.known {
            let from = before.get(key).map(|(from, _)| *from);
            if from != Some(to) {
                family.changes.push(ChildChange { from, to: Some(to), weight });
            }
        }
        let gone = before.iter().filter(|(key, _)| !family.known.contains_key(key));
        family.changes.extend(gone.map(|(_, &(from, weight))| ChildChange {
            from: Some(from),
            to: None,
            weight,
        }));
        Ok(())
    }

    async fn has_open_descendants(&self, parent: JobKey) -> Result<bool, String> {
        let look = || {
            let mut parents = vec![parent];
            while let Some(parent) = parents.pop() {
                let id = self.id(parent);
                let children = self.keys_of(|job| job.get("parentId").is_some_and(|it| *it == id));
                let open =
                    |key: &JobKey| matches!(self.standing(*key).0, Standing::Pending | Standing::Running);
                if children.iter().any(open) {
                    return true;
                }
                parents.extend(children);
            }
            false
        };
        self.call(HostCall::Children(parent), look).await
    }

    fn child_changed(&self, child: JobKey, status: JobStatus) -> Option<JobKey> {
        self.world.child_statuses.borrow_mut().push((child, status));
        let parent = self.parent_of(child)?;
        self.tell_listeners(parent);
        Some(parent)
    }

    fn subscribe(&self, listener: Weak<dyn ChildListener>) {
        self.world.listeners.borrow_mut().push(listener);
    }

    fn announce_progress(&self, parent: JobKey, stats: &ChildStats, progress: &Progress) {
        let progressed = Progressed { parent, stats: *stats, progress: *progress };
        self.world.progress.borrow_mut().push(progressed);
    }

    fn monitor_failed(&self, _parent: JobKey, why: Option<&String>) {
        self.world.monitor_failures.borrow_mut().push(why.cloned().unwrap_or_default());
    }
}

impl MemoryHost {
    /// What was said of children whose status changed, or that were made, in order.
    pub fn child_statuses(&self) -> Vec<(JobKey, JobStatus)> {
        self.world.child_statuses.borrow().clone()
    }

    /// What was said of parents' progress, in order.
    pub fn progress(&self) -> Vec<Progressed> {
        self.world.progress.borrow().clone()
    }

    /// Why monitors had to try again, in order.
    pub fn monitor_failures(&self) -> Vec<String> {
        self.world.monitor_failures.borrow().clone()
    }

    pub(super) fn parent_of(&self, job: JobKey) -> Option<JobKey> {
        let parent = self.look(job, |stored| Some(stored?.get("parentId")?.as_str()?.to_owned()))?;
        Some(self.enter(&parent))
    }

    /// What happens further down matters to all that are above.
    fn tell_listeners(&self, parent: JobKey) {
        self.world.listeners.borrow_mut().retain(|listener| listener.strong_count() > 0);
        let listeners = self.world.listeners.borrow().clone();
        // Jobs that were put here by hand may be above themselves.
        let most = self.world.jobs.borrow().len();
        for above in successors(Some(parent), |job| self.parent_of(*job)).take(most) {
            listeners.iter().filter_map(Weak::upgrade).for_each(|listener| listener.heard_of_child(above));
        }
    }

    fn standing(&self, key: JobKey) -> (Standing, f64) {
        self.look(key, |stored| {
            let Some(stored) = stored else { return (Standing::Pending, 1.0) };
            let status = form::read_head(stored).map_or(JobStatus::Created, |head| head.status);
            let cancelled = stored.get("run").is_some_and(|run| run["failure"]["code"] == "cancelled");
            let weight = stored.get("config").and_then(|config| config["weight"].as_f64()).unwrap_or(1.0);
            (Standing::of(status, cancelled), weight)
        })
    }
}

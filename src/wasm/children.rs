use std::rc::Weak;

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, calls::call, executor};
use crate::{
    core::{
        children::{ChildChange, ChildStats, Progress, Standing},
        status::JobStatus,
    },
    host::{ChildListener, Children, JobKey},
};

#[wasm_bindgen(raw_module = "./children.js")]
extern "C" {
    /// The task counts the children of this job from now on.
    fn children_count(task: u32, parent: u32);
    /// How many numbers there are to take: three for each change.
    fn children_changed(task: u32) -> u32;
    /// The next number: where it stood, where it stands, what it counts.
    fn children_next(task: u32) -> f64;
    fn children_unread(task: u32) -> bool;
    fn children_read(task: u32, all: bool, call: u32) -> i32;
    fn children_open(task: u32, call: u32) -> i32;
    fn children_error(task: u32) -> JsValue;
    /// The key of the parent, where its children are counted here, or -1.
    fn child_changed(child: u32, status: u32) -> i32;
    #[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
    fn children_progress(
        parent: u32,
        pending: u32,
        running: u32,
        completed: u32,
        failed: u32,
        cancelled: u32,
        text: &str,
        overall: u32,
        done: f64,
        total: f64,
        fraction: f64,
    );
    fn monitor_failed(parent: u32, why: &JsValue);
}

const YES: i32 = 1;
const FAILED: i32 = 2;
/// Instead of the code of a status, where a job failed because it was cancelled.
const CANCELLED: f64 = 5.0;

/// The number of a standing: the code of the job's status, or [`CANCELLED`]; -1 where there is none.
fn standing(number: f64) -> Option<Standing> {
    let cancelled = number == CANCELLED;
    let status = if cancelled { Some(JobStatus::Failed) } else { JobStatus::from_code(number as i32 as u32) };
    status.map(|status| Standing::of(status, cancelled))
}

impl Children for JsHost {
    /// The task that counts.
    type Family = u32;

    fn family_of(&self, parent: JobKey) -> u32 {
        let task = executor::current();
        children_count(task, parent.0);
        task
    }

    fn child_changes(&self, task: &mut u32) -> Vec<ChildChange> {
        let next = || children_next(*task);
        (0..children_changed(*task) / 3)
            .map(|_| ChildChange { from: standing(next()), to: standing(next()), weight: next() })
            .collect()
    }

    fn has_unread(&self, task: &u32) -> bool {
        children_unread(*task)
    }

    async fn read_children(&self, task: &mut u32, all: bool) -> Result<(), JsValue> {
        match call(|number| children_read(*task, all, number)).await {
            FAILED => Err(children_error(*task)),
            _ => Ok(()),
        }
    }

    async fn has_open_descendants(&self, _parent: JobKey) -> Result<bool, JsValue> {
        let task = executor::current();
        match call(|number| children_open(task, number)).await {
            FAILED => Err(children_error(task)),
            answer => Ok(answer == YES),
        }
    }

    fn child_changed(&self, child: JobKey, status: JobStatus) -> Option<JobKey> {
        u32::try_from(child_changed(child.0, status as u32)).ok().map(JobKey)
    }

    // JavaScript listens to its bus itself.
    fn subscribe(&self, _listener: Weak<dyn ChildListener>) {}

    fn announce_progress(&self, parent: JobKey, stats: &ChildStats, progress: &Progress) {
        let ChildStats { pending, running, completed, failed, cancelled } = *stats;
        children_progress(
            parent.0,
            pending,
            running,
            completed,
            failed,
            cancelled,
            &stats.progress_text(),
            stats.overall_status() as u32,
            progress.done,
            progress.total,
            progress.fraction.unwrap_or(f64::NAN),
        );
    }

    fn monitor_failed(&self, parent: JobKey, why: Option<&JsValue>) {
        monitor_failed(parent.0, why.unwrap_or(&JsValue::UNDEFINED));
    }
}

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, calls::call, input::evaluate, store::read_head};
use crate::{
    core::{job::JobHead, plan::ChildJob, step::StepIndex},
    host::{ChildJobs, JobKey},
};

#[wasm_bindgen(raw_module = "./child-jobs.js")]
extern "C" {
    fn job_id(job: u32) -> String;
    fn child_enter(parent: u32, step: u32) -> u32;
    fn child_leave(child: u32);
    /// What it is made of, or undefined where [`child_problem`] says why not. A context of undefined stands for
    /// the usual one.
    fn child_origin(parent: u32, step: u32, child: u32, context: &JsValue) -> JsValue;
    fn child_problem(job: u32) -> String;
    fn child_is_of(job: u32, parent: u32) -> bool;
    fn child_of_step(job: u32) -> bool;
    fn child_given_up(job: u32, call: u32) -> i32;
    /// Its context, or undefined where [`child_problem`] says why not.
    fn child_context(job: u32) -> JsValue;
    /// The budget manager's answer in an error, or undefined.
    fn budget_refusal(error: &JsValue) -> JsValue;
    fn parent_load(job: u32, call: u32) -> i32;
    fn parent_error(job: u32) -> JsValue;
}

#[wasm_bindgen(raw_module = "./step-trees.js")]
extern "C" {
    fn tree_inherit(parent: u32, origin: &JsValue);
    /// The key of an ancestor, or -1.
    fn tree_sharer(job: u32, number: u32) -> i32;
    fn tree_leave(job: u32);
    fn tree_is_counted(sharer: u32, descendant: u32, number: f64) -> bool;
}

fn there(value: JsValue) -> Option<JsValue> {
    (!value.is_undefined()).then_some(value)
}

impl ChildJobs for JsHost {
    fn id_of(&self, job: JobKey) -> String {
        job_id(job.0)
    }

    fn child_of(&self, parent: JobKey, step: StepIndex) -> JobKey {
        JobKey(child_enter(parent.0, step as u32))
    }

    fn leave_child(&self, child: JobKey) {
        child_leave(child.0);
    }

    fn child_origin(
        &self,
        parent: JobKey,
        step: StepIndex,
        child: JobKey,
        what: &ChildJob,
    ) -> Result<JsValue, String> {
        let context = match &what.context {
            Some(context) => evaluate(parent, step as i32, context)
                .map_err(|problem| format!("The child job's context can't be computed: {problem}"))?,
            None => JsValue::UNDEFINED,
        };
        there(child_origin(parent.0, step as u32, child.0, &context)).ok_or_else(|| child_problem(child.0))
    }

    fn is_child_of(&self, job: JobKey, parent: JobKey) -> bool {
        child_is_of(job.0, parent.0)
    }

    fn is_made_by_step(&self, job: JobKey) -> bool {
        child_of_step(job.0)
    }

    async fn is_given_up(&self, job: JobKey) -> Result<bool, JsValue> {
        match call(|number| child_given_up(job.0, number)).await {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(parent_error(job.0)),
        }
    }

    fn context_of(&self, job: JobKey) -> Result<JsValue, String> {
        there(child_context(job.0)).ok_or_else(|| child_problem(job.0))
    }

    fn budget_refusal(&self, error: &JsValue) -> Option<JsValue> {
        there(budget_refusal(error))
    }

    fn inherit(&self, parent: JobKey, origin: JsValue) -> JsValue {
        tree_inherit(parent.0, &origin);
        origin
    }

    fn sharer(&self, job: JobKey, number: usize) -> Option<JobKey> {
        u32::try_from(tree_sharer(job.0, number as u32)).ok().map(JobKey)
    }

    fn leave(&self, job: JobKey) {
        tree_leave(job.0);
    }

    fn is_counted(&self, sharer: JobKey, descendant: JobKey, number: u64) -> bool {
        tree_is_counted(sharer.0, descendant.0, number as f64)
    }

    async fn parent_head(&self, job: JobKey) -> Result<Option<JobHead>, JsValue> {
        read_head(call(|number| parent_load(job.0, number)).await).ok_or_else(|| parent_error(job.0))
    }
}

use std::{cell::Cell, future::Future, rc::Rc};

use serde_json::Value;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, calls::call, change::write_change, events::kind_of_job_fact, lists, plans};
use crate::{
    core::{
        change::JobChange,
        event::Event,
        job::{Job, JobHead, Run},
        permissions::Permissions,
        plan::Plan,
        status::JobStatus,
        stored::read_run,
    },
    host::{CommitError, JobKey, JobStore},
};

/// What `store_load` answers beside a status code.
const MISSING: i32 = -1;
/// What `store_commit` answers.
const STORED: i32 = 0;
const CONFLICT: i32 = 1;

#[wasm_bindgen(raw_module = "./store.js")]
extern "C" {
    fn store_load(job: u32, whole: bool, call: u32) -> i32;
    /// The error of the latest load or commit of this job.
    pub(super) fn store_error(job: u32) -> JsValue;
    /// Of a job with nothing but a plan in its `run`: twice the number of the event that set it running, or 0, and 1 more
    /// where its history has a beginning; NaN where there is more.
    fn store_bare_run(job: u32) -> f64;
    /// JSON of `{ run, startedSeq, hasBeginning }`, without what tools were called with.
    fn store_run(job: u32) -> String;
    /// An error for the caller: what the store returned is not a run state.
    fn store_bad_run(job: u32, problem: &str) -> JsValue;
    fn store_commit(job: u32, call: u32) -> i32;
    #[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
    fn store_commit_event(
        job: u32,
        call: u32,
        status: u32,
        revision: f64,
        steps_taken: f64,
        created: f64,
        started: f64,
        completed: f64,
        now: f64,
        kind: u32,
        cause: f64,
        reason: i32,
    ) -> i32;
}

/// The numbers of the head that was loaded last. JavaScript writes them here, in this order, before
/// its answer is read: revision, seq, steps taken, max steps, created, started, completed, flags, tree steps.
struct Registers([Cell<f64>; 9]);

thread_local! {
    static HEAD: Registers = const { Registers([const { Cell::new(0.0) }; 9]) };
}

const ALLOW_TOOLS: u32 = 1;
const REQUIRE_APPROVAL: u32 = 2;
const HAS_RUN: u32 = 4;
const HAS_PARENT: u32 = 8;
const SHARES_STEPS: u32 = 16;
const ACCOUNT_OPEN: u32 = 32;
const WAS_CANCELLED: u32 = 64;
const OWES: u32 = 128;

/// Where JavaScript writes the numbers of a head: nine 64-bit floats.
#[wasm_bindgen]
pub fn head_registers() -> u32 {
    HEAD.with(|head| head.0.as_ptr() as u32)
}

impl Registers {
    fn read(&self, status: JobStatus) -> JobHead {
        let [revision, seq, steps_taken, max_steps, created, started, completed, flags, tree_steps] = &self.0;
        let flags = flags.get() as u32;
        JobHead {
            status,
            permissions: Permissions {
                allow_tools: flags & ALLOW_TOOLS != 0,
                require_approval: flags & REQUIRE_APPROVAL != 0,
                max_steps: max_steps.get() as u64,
            },
            revision: revision.get() as u64,
            seq: seq.get() as u64,
            steps_taken: steps_taken.get() as u64,
            tree_steps: tree_steps.get() as u64,
            created: created.get(),
            started: known(started.get()),
            completed: known(completed.get()),
            has_run: flags & HAS_RUN != 0,
            has_parent: flags & HAS_PARENT != 0,
            was_cancelled: flags & WAS_CANCELLED != 0,
            shares_steps: flags & SHARES_STEPS != 0,
            account_open: flags & ACCOUNT_OPEN != 0,
            owes: flags & OWES != 0,
        }
    }
}

/// NaN stands for what is not there.
pub(super) fn known(number: f64) -> Option<f64> {
    (!number.is_nan()).then_some(number)
}

pub(super) fn number(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

pub(super) fn seq(value: Option<u64>) -> f64 {
    value.map_or(f64::NAN, |seq| seq as f64)
}

impl JobStore for JsHost {
    async fn load(&self, job: JobKey, whole: bool) -> Result<Option<JobHead>, JsValue> {
        read_head(call(|number| store_load(job.0, whole, number)).await).ok_or_else(|| store_error(job.0))
    }

    fn read_run(&self, job: JobKey) -> Result<Run, JsValue> {
        let plan = plans::of_job(job).map_err(|()| store_error(job.0))?;
        match known(store_bare_run(job.0)) {
            Some(beginning) => Ok(bare_run(plan, beginning as u64)),
            None => parse_run(&store_run(job.0), plan).map_err(|problem| store_bad_run(job.0, &problem)),
        }
    }

    async fn commit(&self, key: JobKey, job: &Job<JsValue>) -> Result<(), CommitError<JsValue>> {
        if let Some(answer) = commit_of_one_event(key, job) {
            return read_commit(key, answer.await);
        }
        write_change(key.0, job);
        read_commit(key, call(|number| store_commit(key.0, number)).await)
    }

    async fn children(&self, parent: JobKey) -> Result<Vec<JobKey>, JsValue> {
        lists::children(parent).await
    }

    async fn jobs(&self, status: JobStatus) -> Result<Vec<JobKey>, JsValue> {
        lists::jobs(self.engine, status).await
    }

    async fn unsettled_jobs(&self) -> Result<Vec<JobKey>, JsValue> {
        lists::unsettled(self.engine).await
    }
}

/// The head that a load answered with the code of its status, `None` where there is no such job; nothing on a failure.
pub(super) fn read_head(answer: i32) -> Option<Option<JobHead>> {
    match u32::try_from(answer).ok().and_then(JobStatus::from_code) {
        Some(status) => Some(Some(HEAD.with(|head| head.read(status)))),
        None => (answer == MISSING).then_some(None),
    }
}

fn read_commit(key: JobKey, answer: i32) -> Result<(), CommitError<JsValue>> {
    match answer {
        STORED => Ok(()),
        CONFLICT => Err(CommitError::Conflict),
        _ => Err(CommitError::Failed(store_error(key.0))),
    }
}

/// Most operations change a job's status and note one event of the job itself: told in one crossing.
fn commit_of_one_event(key: JobKey, job: &Job<JsValue>) -> Option<impl Future<Output = i32>> {
    let JobChange { events, steps, origin, rare, expected_revision, fenced, .. } = &job.change;
    let [Event { cause, fact }] = events.as_slice() else { return None };
    if !steps.is_empty() || origin.is_some() || rare.any() || *fenced {
        return None;
    }
    let (kind, reason) = kind_of_job_fact(fact)?;
    let JobHead { status, steps_taken, created, started, completed, .. } = job.head;
    let (revision, cause) = (*expected_revision as f64, seq(*cause));
    let (started, completed, now) = (number(started), number(completed), job.now);
    Some(call(move |number| {
        store_commit_event(
            key.0,
            number,
            status as u32,
            revision,
            steps_taken as f64,
            created,
            started,
            completed,
            now,
            kind,
            cause,
            reason,
        )
    }))
}

/// `beginning` is as `store_bare_run` tells it.
fn bare_run(plan: Option<Rc<Plan>>, beginning: u64) -> Run {
    let mut run = plan.map_or_else(Run::routed, Run::planned);
    run.started_seq = Some(beginning / 2).filter(|seq| *seq > 0);
    run.has_beginning = beginning % 2 == 1;
    run
}

fn parse_run(text: &str, plan: Option<Rc<Plan>>) -> Result<Run, String> {
    let stored: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let run = stored.get("run").and_then(Value::as_object).ok_or("run must be an object")?;
    let mut run = read_run(run, plan)?;
    run.started_seq = stored.get("startedSeq").and_then(Value::as_u64);
    run.has_beginning = stored.get("hasBeginning").and_then(Value::as_bool).unwrap_or(false);
    Ok(run)
}

use std::{cell::Cell, future::Future, rc::Rc};

use serde_json::Value;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, calls::call, executor, plans};
use crate::{
    core::{
        change::JobChange,
        event::{Asked, Decision, Event, Fact, StepFact},
        job::{Approval, Job, JobHead, Run},
        permissions::Permissions,
        plan::Plan,
        status::JobStatus,
        step::{FanOut, StepIndex, StepState},
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

    fn change_begin(job: u32, status: u32, revision: f64, steps_taken: f64, created: f64, now: f64);
    /// It is made under the job's lease.
    fn change_fenced(job: u32);
    fn change_origin(job: u32, origin: &JsValue);
    fn change_times(job: u32, started: f64, completed: f64);
    fn change_permissions(job: u32, allow_tools: bool, require_approval: bool, max_steps: f64);
    fn change_pause(job: u32, reason: i32, step: i32, message: Option<String>);
    fn change_failure(job: u32, code: u32, message: &str, step: i32);
    /// The job's own pace, or that of all jobs.
    fn change_slow_play(job: u32, ms: f64, own: bool);
    fn change_tree_steps(job: u32, taken: f64);
    fn change_account(job: u32, open: bool);
    fn change_approvals(job: u32);
    fn change_approval(job: u32, id: &str, step: u32, tool_call: i32);
    /// Begins the list of signals that wait.
    fn change_signals(job: u32);
    /// One that was there before, by the number of its event; those that come with the commit add themselves.
    fn change_signal(job: u32, seq: f64);
    fn change_breakpoints(job: u32);
    fn change_breakpoint(job: u32, step: u32);
    fn change_routed(job: u32, step: u32, id: &str);
    #[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
    fn change_step(
        job: u32,
        step: u32,
        status: u32,
        attempts: u32,
        seq: f64,
        started_at: f64,
        finished_at: f64,
        due_at: f64,
        flags: u32,
        round: u32,
    );
    /// Where its items stand, and how many there are.
    fn change_fan_out(job: u32, step: u32, first: u32, count: u32);
    /// Of the step that was told just now, as the next.
    fn change_step_approved(job: u32, by: &str);
    fn change_step_error(job: u32, code: u32, message: &str);
    fn change_context(job: u32, step: u32, value: &JsValue);

    fn event_of_job(job: u32, kind: u32, cause: f64, reason: i32);
    fn event_of_step(job: u32, kind: u32, cause: f64, step: u32, attempt: u32, status: u32);
    fn event_signal(job: u32, name: &str, payload: &JsValue);
    fn event_items(job: u32, items: &JsValue);
    fn event_round(job: u32, round: u32);
    fn event_due(job: u32, due_at: f64);
    fn event_input(job: u32, given: &JsValue);
    fn event_output(job: u32, output: &JsValue, cost: f64);
    fn event_error(job: u32, code: u32, message: &str, retry_at: f64, asked: f64);
    fn event_approval(job: u32, id: &str, step: u32, tool_call: i32);
    fn event_decision(job: u32, approval: &str, by: Option<String>, note: Option<String>);
    fn event_emitted(job: u32, cause: f64, event: &JsValue);
}

#[wasm_bindgen(raw_module = "./lists.js")]
extern "C" {
    /// The jobs listed keep their keys until the task ends.
    fn list_children(parent: u32, task: u32, call: u32) -> i32;
    fn list_jobs(engine: u32, status: u32, task: u32, call: u32) -> i32;
    fn list_unsettled(engine: u32, task: u32, call: u32) -> i32;
    /// The next key of the list that this task asked for last, or -1.
    fn list_next(task: u32) -> i32;
    fn list_error(task: u32) -> JsValue;
}

const BREAKPOINT_PASSED: u32 = 1;
const INTERRUPTED: u32 = 2;
const ROUND_ENDED: u32 = 4;

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
        }
    }
}

/// NaN stands for what is not there.
pub(super) fn known(number: f64) -> Option<f64> {
    (!number.is_nan()).then_some(number)
}

fn number(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

fn seq(value: Option<u64>) -> f64 {
    value.map_or(f64::NAN, |seq| seq as f64)
}

fn place(step: Option<StepIndex>) -> i32 {
    step.map_or(-1, |step| step as i32)
}

impl JobStore for JsHost {
    async fn load(&self, job: JobKey, whole: bool) -> Result<Option<JobHead>, JsValue> {
        read_head(call(|number| store_load(job.0, whole, number)).await).ok_or_else(|| store_error(job.0))
    }

    fn read_run(&self, job: JobKey) -> Result<Run, JsValue> {
        let plan = plans::of_job(job).map_err(|()| store_error(job.0))?;
        parse_run(&store_run(job.0), plan).map_err(|problem| store_bad_run(job.0, &problem))
    }

    async fn commit(&self, key: JobKey, job: &Job<JsValue>) -> Result<(), CommitError<JsValue>> {
        if let Some(answer) = commit_of_one_event(key, job) {
            return read_commit(key, answer.await);
        }
        write_head(key.0, job);
        write_rare(key.0, job);
        if let Some(run) = &job.run {
            for &step in &job.change.steps {
                write_step(key.0, step, &run.states[step]);
            }
        }
        for (step, value) in &job.change.context {
            change_context(key.0, *step as u32, value.as_ref().unwrap_or(&JsValue::NULL));
        }
        for event in &job.change.events {
            write_event(key.0, event);
        }
        read_commit(key, call(|number| store_commit(key.0, number)).await)
    }

    async fn children(&self, parent: JobKey) -> Result<Vec<JobKey>, JsValue> {
        list(|task, number| list_children(parent.0, task, number)).await
    }

    async fn jobs(&self, status: JobStatus) -> Result<Vec<JobKey>, JsValue> {
        list(|task, number| list_jobs(self.engine, status as u32, task, number)).await
    }

    async fn unsettled_jobs(&self) -> Result<Vec<JobKey>, JsValue> {
        list(|task, number| list_unsettled(self.engine, task, number)).await
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

/// The number under which `change.js` knows what happened to a job, and why it was paused.
fn kind_of_job_fact(fact: &Fact<JsValue>) -> Option<(u32, i32)> {
    match fact {
        Fact::JobCreated => Some((0, -1)),
        Fact::JobStarted => Some((1, -1)),
        Fact::JobPaused(reason) => Some((2, reason.map_or(-1, |reason| reason as i32))),
        Fact::JobCompleted => Some((3, -1)),
        Fact::JobFailed => Some((4, -1)),
        Fact::PermissionsChanged(_) => Some((5, -1)),
        Fact::BreakpointsChanged => Some((6, -1)),
        Fact::SlowPlayChanged => Some((7, -1)),
        Fact::Signalled { .. } | Fact::Step { .. } | Fact::Emitted { .. } => None,
    }
}

async fn list(ask: impl FnOnce(u32, u32) -> i32) -> Result<Vec<JobKey>, JsValue> {
    let task = executor::current();
    if call(|number| ask(task, number)).await != STORED {
        return Err(list_error(task));
    }
    Ok(std::iter::from_fn(|| u32::try_from(list_next(task)).ok().map(JobKey)).collect())
}

fn parse_run(text: &str, plan: Option<Rc<Plan>>) -> Result<Run, String> {
    let stored: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut run = match stored.get("run") {
        Some(Value::Object(run)) => read_run(run, plan)?,
        _ => Run::routed(),
    };
    run.started_seq = stored.get("startedSeq").and_then(Value::as_u64);
    run.has_beginning = stored.get("hasBeginning").and_then(Value::as_bool).unwrap_or(false);
    Ok(run)
}

fn write_head(key: u32, job: &Job<JsValue>) {
    let Job { head, now, change, .. } = job;
    let revision = change.expected_revision as f64;
    change_begin(key, head.status as u32, revision, head.steps_taken as f64, head.created, *now);
    if change.fenced {
        change_fenced(key);
    }
    if let Some(origin) = &change.origin {
        change_origin(key, origin);
    }
    change_times(key, number(head.started), number(head.completed));
    if change.rare.permissions || change.origin.is_some() {
        let Permissions { allow_tools, require_approval, max_steps } = head.permissions;
        change_permissions(key, allow_tools, require_approval, max_steps as f64);
    }
    if change.rare.tree_steps {
        change_tree_steps(key, head.tree_steps as f64);
    }
    if change.rare.account {
        change_account(key, head.account_open);
    }
}

fn write_rare(key: u32, job: &Job<JsValue>) {
    let rare = job.change.rare;
    let Some(run) = job.run.as_ref().filter(|_| rare.any()) else {
        return;
    };
    if rare.pause {
        match &run.pause {
            None => change_pause(key, -1, -1, None),
            Some(pause) => {
                let message = pause.message.as_deref().map(str::to_owned);
                change_pause(key, pause.reason as i32, place(pause.step), message);
            }
        }
    }
    if let (true, Some(failure)) = (rare.failure, &run.failure) {
        change_failure(key, failure.code as u32, &failure.message, place(failure.step));
    }
    if rare.approvals {
        change_approvals(key);
        for approval in &run.approvals {
            change_approval(key, &approval.id, approval.step as u32, call_of(approval));
        }
    }
    if rare.signals {
        change_signals(key);
        run.signals.iter().for_each(|signal| change_signal(key, signal.seq as f64));
    }
    if rare.breakpoints {
        change_breakpoints(key);
        run.breakpoints.iter().for_each(|&step| change_breakpoint(key, step as u32));
    }
    if rare.routed {
        for &step in &job.change.steps {
            change_routed(key, step as u32, &run.step(step).id);
        }
    }
    if rare.slow_play {
        change_slow_play(key, run.slow_play_ms.unwrap_or(run.pace_ms), run.slow_play_ms.is_some());
    }
}

/// The number of the tool call that an approval is about, -1 where it is about the step.
fn call_of(approval: &Approval) -> i32 {
    approval.tool_call.map_or(-1, |call| call as i32)
}

fn write_step(key: u32, step: StepIndex, state: &StepState) {
    let flags = if state.breakpoint_passed { BREAKPOINT_PASSED } else { 0 }
        | if state.interrupted { INTERRUPTED } else { 0 }
        | if state.round_ended { ROUND_ENDED } else { 0 };
    let step = step as u32;
    change_step(
        key,
        step,
        state.status as u32,
        state.attempts,
        seq(state.seq),
        number(state.started_at),
        number(state.finished_at),
        number(state.due_at),
        flags,
        state.round,
    );
    if let Some(FanOut { first, count }) = state.fan_out {
        change_fan_out(key, step, first as u32, count);
    }
    if let Some(by) = &state.approved_by {
        change_step_approved(key, by);
    }
    if let Some(error) = &state.error {
        change_step_error(key, error.code as u32, &error.message);
    }
}

fn write_event(key: u32, event: &Event<JsValue>) {
    let cause = seq(event.cause);
    let fact = &event.fact;
    match fact {
        Fact::JobCreated
        | Fact::JobStarted
        | Fact::JobPaused(_)
        | Fact::JobCompleted
        | Fact::JobFailed
        | Fact::BreakpointsChanged
        | Fact::SlowPlayChanged
        | Fact::PermissionsChanged(_) => {
            if let Some((kind, reason)) = kind_of_job_fact(fact) {
                event_of_job(key, kind, cause, reason);
            }
        }
        Fact::Signalled { name, payload } => event_signal(key, name, payload),
        Fact::Emitted { event, .. } => event_emitted(key, cause, event),
        Fact::Step { step, attempt, round, status, what, .. } => {
            event_of_step(key, kind_of(what), cause, *step as u32, *attempt, *status as u32);
            if let Some(round) = round {
                event_round(key, *round);
            }
            write_step_fact(key, what);
        }
    }
}

/// The numbers under which `store.js` knows what happened to a step.
fn kind_of(what: &StepFact<JsValue>) -> u32 {
    match what {
        StepFact::Started { .. } | StepFact::FannedOut { .. } | StepFact::Waiting { .. } => 0,
        StepFact::Completed { .. } => 1,
        StepFact::Failed { .. } => 2,
        StepFact::ApprovalRequested { .. } => 3,
        StepFact::Approved(_) => 4,
        StepFact::Rejected(_) => 5,
        StepFact::Recovered => 6,
        StepFact::LateResultDropped => 7,
        StepFact::Skipped => 8,
        StepFact::RoundCompleted { .. } => 9,
        StepFact::Suspended { .. } => 10,
    }
}

fn write_step_fact(key: u32, what: &StepFact<JsValue>) {
    match what {
        StepFact::Recovered | StepFact::LateResultDropped | StepFact::Skipped => {}
        StepFact::Started { given } => {
            if let Some(given) = given {
                event_input(key, given);
            }
        }
        StepFact::FannedOut { items } => event_items(key, items),
        StepFact::Suspended { code, message } => {
            event_error(key, *code as u32, message, f64::NAN, f64::NAN);
        }
        StepFact::Waiting { due_at } => event_due(key, number(*due_at)),
        StepFact::Completed { output, cost } | StepFact::RoundCompleted { output, cost } => {
            event_output(key, output, number(*cost))
        }
        StepFact::Failed { code, message, retry_at, asked } => {
            let asked = match asked {
                Asked::Nothing => f64::NAN,
                Asked::NoRetry => -1.0,
                Asked::Later(ms) => *ms,
            };
            event_error(key, *code as u32, message, number(*retry_at), asked);
        }
        StepFact::ApprovalRequested(approval) => {
            event_approval(key, &approval.id, approval.step as u32, call_of(approval));
        }
        StepFact::Approved(decision) | StepFact::Rejected(decision) => {
            let Decision { approval, by, note } = decision;
            event_decision(
                key,
                approval,
                by.as_deref().map(str::to_owned),
                note.as_deref().map(str::to_owned),
            );
        }
    }
}

//! What JavaScript calls: one export an operation. Arguments are numbers; texts and values are
//! fetched where they are needed, and the outcome is told through the imports below.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc};

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, executor, plans, store::known};
use crate::{
    core::{
        admission::tool_may_be_called,
        health,
        outcome::{Code, Refusal},
        permissions::PermissionPatch,
        trace,
    },
    host::JobKey,
    orchestrator::{Answer, CancelResult, NewJob, Orchestrator, PausePoint, StepReport, Stop},
};

#[wasm_bindgen(raw_module = "./operations.js")]
extern "C" {
    /// One of the texts that the operation was called with.
    pub(super) fn op_text(task: u32, which: u32) -> Option<String>;
    fn op_input(task: u32) -> JsValue;

    fn op_ok(task: u32);
    fn op_refused(task: u32, code: u32);
    fn op_refused_saying(task: u32, code: u32, message: &str);
    fn op_answered(task: u32, answer: &JsValue);
    fn op_failed(task: u32, error: &JsValue);
    fn op_status(task: u32, status: u32);
    fn op_step(task: u32, step: u32, status: u32, attempts: u32, duration_ms: f64, output: &JsValue);
    fn op_job(task: u32, job: u32, result: u32);
    /// Why, as a sentence or in the budget manager's words.
    fn op_job_refused(task: u32, job: u32, why: &JsValue);
}

type JsOrchestrator = Orchestrator<JsHost>;
type JsStop = Stop<JsValue, JsValue>;

thread_local! {
    static ENGINES: RefCell<Vec<Option<Rc<JsOrchestrator>>>> = const { RefCell::new(Vec::new()) };
}

/// A new orchestrator, under a number that JavaScript gives it, and which parts it has.
#[wasm_bindgen]
pub fn engine_new(engine: u32, has_budget: bool, has_monitor: bool) {
    ENGINES.with_borrow_mut(|engines| {
        let place = engine as usize;
        engines.resize_with(engines.len().max(place + 1), || None);
        engines[place] = Some(Rc::new(Orchestrator::new(JsHost { engine, has_budget, has_monitor })));
    });
}

/// Nothing is asked of this orchestrator any more.
#[wasm_bindgen]
pub fn engine_drop(engine: u32) {
    let dropped = ENGINES.with_borrow_mut(|engines| engines.get_mut(engine as usize).and_then(Option::take));
    drop(dropped);
}

pub(super) fn engine(number: u32) -> Option<Rc<JsOrchestrator>> {
    ENGINES.with_borrow(|engines| engines.get(number as usize).cloned().flatten())
}

type Operation = Pin<Box<dyn Future<Output = Result<(), JsStop>>>>;

/// Begins an operation as a task, and tells its outcome. Boxed, so that this code is there once and
/// not once an operation.
pub(super) fn begin<F>(number: u32, task: u32, run: impl FnOnce(Rc<JsOrchestrator>) -> F)
where
    F: Future<Output = Result<(), JsStop>> + 'static,
{
    if let Some(engine) = engine(number) {
        executor::start(task, tell(task, Box::pin(run(engine))));
    }
}

async fn tell(task: u32, operation: Operation) {
    match operation.await {
        Ok(()) => op_ok(task),
        Err(Stop::Refused(refusal)) => tell_refusal(task, &refusal),
        Err(Stop::BudgetRefused(answer)) => op_answered(task, &answer),
        Err(Stop::Failed(error)) => op_failed(task, &error),
    }
}

fn tell_refusal(task: u32, refusal: &Refusal) {
    let code = refusal.code as u32;
    if refusal.message == refusal.code.sentence() {
        op_refused(task, code);
    } else {
        op_refused_saying(task, code, &refusal.message);
    }
}

/// See [`Orchestrator::start_job`].
#[wasm_bindgen]
pub fn start_job(engine: u32, task: u32, job: u32) {
    begin(engine, task, move |o| async move { o.start_job(JobKey(job)).await });
}

/// See [`Orchestrator::pause_job`].
#[wasm_bindgen]
pub fn pause_job(engine: u32, task: u32, job: u32) {
    begin(engine, task, move |o| async move { o.pause_job(JobKey(job)).await });
}

/// See [`Orchestrator::complete_job`].
#[wasm_bindgen]
pub fn complete_job(engine: u32, task: u32, job: u32) {
    begin(engine, task, move |o| async move { o.complete_job(JobKey(job)).await });
}

/// See [`Orchestrator::complete_job_as_failed`].
#[wasm_bindgen]
pub fn complete_job_as_failed(engine: u32, task: u32, job: u32) {
    begin(engine, task, move |o| async move { o.complete_job_as_failed(JobKey(job)).await });
}

fn flag(code: i32) -> Option<bool> {
    (code >= 0).then_some(code == 1)
}

pub(super) fn patch(allow_tools: i32, require_approval: i32, max_steps: f64) -> PermissionPatch {
    PermissionPatch {
        allow_tools: flag(allow_tools),
        require_approval: flag(require_approval),
        max_steps: known(max_steps).map(|steps| steps as u64),
    }
}

/// See [`Orchestrator::create_job`]. Flags are 1, 0, or -1 where nothing is given; NaN and -1 likewise. `keeps`: what is
/// known of the job is kept until it is forgotten.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
pub fn create_job(
    engine: u32,
    task: u32,
    job: u32,
    allow_tools: i32,
    require_approval: i32,
    max_steps: f64,
    slow_play_ms: f64,
    parent: i32,
    id_was_given: bool,
    plan: i32,
    keeps: bool,
) {
    let new = NewJob {
        permissions: patch(allow_tools, require_approval, max_steps),
        origin: Some(op_input(task)),
        plan: plans::plan(plan),
        slow_play_ms: known(slow_play_ms),
        parent: u32::try_from(parent).ok().map(JobKey),
        id_was_given,
    };
    begin(engine, task, move |o| async move {
        if keeps {
            o.remember(JobKey(job));
        }
        o.create_job(JobKey(job), new).await
    });
}

/// See [`Orchestrator::fail_job`].
#[wasm_bindgen]
pub fn fail_job(engine: u32, task: u32, job: u32) {
    let message = op_text(task, 0);
    begin(engine, task, move |o| async move { o.fail_job(JobKey(job), message).await });
}

/// See [`Orchestrator::cancel_job`].
#[wasm_bindgen]
pub fn cancel_job(engine: u32, task: u32, job: u32) {
    let reason = op_text(task, 0);
    begin(engine, task, move |o| async move {
        for (job, result) in o.cancel_job(JobKey(job), reason).await? {
            op_job(task, job.0, u32::from(result == CancelResult::AlreadyEnded));
        }
        Ok(())
    });
}

/// See [`Orchestrator::set_permissions`].
#[wasm_bindgen]
pub fn set_permissions(
    engine: u32,
    task: u32,
    job: u32,
    allow_tools: i32,
    require_approval: i32,
    max_steps: f64,
) {
    let patch = patch(allow_tools, require_approval, max_steps);
    begin(engine, task, move |o| async move { o.set_permissions(JobKey(job), patch).await });
}

fn answer(task: u32) -> Answer {
    Answer {
        approval: op_text(task, 0),
        step: op_text(task, 1),
        by: op_text(task, 2),
        note: op_text(task, 3),
    }
}

/// See [`Orchestrator::approve_step`].
#[wasm_bindgen]
pub fn approve_step(engine: u32, task: u32, job: u32) {
    let answer = answer(task);
    begin(engine, task, move |o| async move { o.approve_step(JobKey(job), answer).await });
}

/// See [`Orchestrator::reject_step`].
#[wasm_bindgen]
pub fn reject_step(engine: u32, task: u32, job: u32) {
    let answer = answer(task);
    begin(engine, task, move |o| async move { o.reject_step(JobKey(job), answer).await });
}

/// See [`Orchestrator::signal`]; the payload is the operation's input.
#[wasm_bindgen]
pub fn signal(engine: u32, task: u32, job: u32) {
    let (name, payload) = (op_text(task, 0).unwrap_or_default(), op_input(task));
    begin(engine, task, move |o| async move { o.signal(JobKey(job), &name, payload).await });
}

/// See [`Orchestrator::set_breakpoints`]; the steps' ids are the operation's texts.
#[wasm_bindgen]
pub fn set_breakpoints(engine: u32, task: u32, job: u32) {
    let steps: Vec<String> = (0..).map_while(|place| op_text(task, place)).collect();
    begin(engine, task, move |o| async move { o.set_breakpoints(JobKey(job), &steps).await });
}

fn input(task: u32, has_input: bool) -> Option<JsValue> {
    has_input.then(|| op_input(task))
}

/// See [`Orchestrator::next_step`].
#[wasm_bindgen]
pub fn next_step(engine: u32, task: u32, job: u32, has_input: bool) {
    let input = input(task, has_input);
    begin(engine, task, move |o| async move {
        let (status, report) = o.next_step(JobKey(job), input).await?;
        op_status(task, status as u32);
        if let Some(report) = report {
            tell_step(task, report);
        }
        Ok(())
    });
}

fn tell_step(task: u32, report: StepReport<JsValue>) {
    let output = report.output.unwrap_or(JsValue::UNDEFINED);
    op_step(task, report.step as u32, report.status as u32, report.attempts, report.duration_ms, &output);
}

/// See [`Orchestrator::run_job`].
#[wasm_bindgen]
pub fn run_job(engine: u32, task: u32, job: u32, has_input: bool) {
    let input = input(task, has_input);
    begin(engine, task, move |o| async move { o.run_job(JobKey(job), input).await });
}

/// See [`Orchestrator::recover`].
#[wasm_bindgen]
pub fn recover(engine: u32, task: u32) {
    begin(engine, task, move |o| async move {
        for job in o.recover().await? {
            op_job(task, job.0, 0);
        }
        Ok(())
    });
}

/// See [`Orchestrator::pause_all`]: the jobs, each with 1 where a step is still at work.
#[wasm_bindgen]
pub fn pause_all(engine: u32, task: u32) {
    begin(engine, task, move |o| async move {
        for (job, point) in o.pause_all().await? {
            op_job(task, job.0, u32::from(point == PausePoint::Pending));
        }
        Ok(())
    });
}

/// See [`Orchestrator::start_all`]: the jobs, those that were refused with the reason.
#[wasm_bindgen]
pub fn start_all(engine: u32, task: u32) {
    begin(engine, task, move |o| async move {
        for (job, started) in o.start_all().await? {
            match started {
                Ok(()) => op_job(task, job.0, 0),
                Err(Stop::Refused(refusal)) => {
                    op_job_refused(task, job.0, &JsValue::from_str(&refusal.message))
                }
                Err(Stop::BudgetRefused(answer) | Stop::Failed(answer)) => {
                    op_job_refused(task, job.0, &answer);
                }
            }
        }
        Ok(())
    });
}

/// See [`Orchestrator::stop_all`].
#[wasm_bindgen]
pub fn stop_all(engine: u32, task: u32) {
    let reason = op_text(task, 0);
    begin(engine, task, move |o| async move {
        for job in o.stop_all(reason).await? {
            op_job(task, job.0, 0);
        }
        Ok(())
    });
}

/// See [`Orchestrator::record_event`]; the event is the operation's input.
#[wasm_bindgen]
pub fn record_event(engine: u32, task: u32, job: u32, step: u32) {
    let event = op_input(task);
    begin(engine, task, move |o| async move { o.record_event(JobKey(job), step as usize, event).await });
}

/// See [`Orchestrator::record_late_result`].
#[wasm_bindgen]
pub fn record_late_result(engine: u32, task: u32, job: u32, step: u32) {
    begin(engine, task, move |o| async move { o.record_late_result(JobKey(job), step as usize).await });
}

/// See [`Orchestrator::stop_run`].
#[wasm_bindgen]
pub fn stop_run(number: u32, job: u32) {
    if let Some(engine) = engine(number) {
        engine.stop_run(JobKey(job));
    }
}

/// See [`Orchestrator::look_again`].
#[wasm_bindgen]
pub fn look_again(engine: u32, task: u32, job: u32) {
    begin(engine, task, move |o| async move { o.look_again(JobKey(job)).await });
}

/// See [`Orchestrator::set_slow_play`].
#[wasm_bindgen]
pub fn set_slow_play(number: u32, ms: f64) {
    if let Some(engine) = engine(number) {
        engine.set_slow_play(ms);
    }
}

/// See [`health::is_stalled`]; NaN where nothing is due.
#[wasm_bindgen]
pub fn job_is_stalled(now: f64, stalled_ms: f64, last: f64, working: bool, due: f64, waits: bool) -> bool {
    health::is_stalled(health::Standing { last, working, due: known(due), waits }, now, stalled_ms)
}

/// See [`Orchestrator::close`].
#[wasm_bindgen]
pub fn close(number: u32) {
    if let Some(engine) = engine(number) {
        engine.close();
    }
}

/// See [`Orchestrator::forget`].
#[wasm_bindgen]
pub fn forget(number: u32, job: u32) {
    if let Some(engine) = engine(number) {
        engine.forget(JobKey(job));
    }
}

#[wasm_bindgen(raw_module = "./ids.js")]
extern "C" {
    fn id_made(id: &str);
    fn id_source() -> String;
}

/// Makes a job id and hands it to `id_made`. Answers whether there was randomness to make it from.
#[wasm_bindgen]
pub fn make_id(number: u32) -> bool {
    let Some(engine) = engine(number) else {
        return false;
    };
    match engine.new_id(getrandom::fill) {
        Ok(id) => {
            id_made(&id);
            true
        }
        Err(_) => false,
    }
}

/// The trace id of the job whose id `id_source` gives, handed to `id_made`.
#[wasm_bindgen]
pub fn make_trace_id() {
    id_made(&trace::trace_id(&id_source()));
}

#[wasm_bindgen(raw_module = "./outcome.js")]
extern "C" {
    fn code_described(name: &str, sentence: &str);
}

/// Hands the name and the sentence of an outcome code to `code_described`.
#[wasm_bindgen]
pub fn describe_code(code: u32) {
    if let Some(code) = Code::ALL.get(code as usize) {
        code_described(code.name(), code.sentence());
    }
}

/// See [`tool_may_be_called`].
#[wasm_bindgen]
pub fn may_call_tool(allow_tools: bool, granted_to_step: bool) -> bool {
    tool_may_be_called(allow_tools, granted_to_step)
}

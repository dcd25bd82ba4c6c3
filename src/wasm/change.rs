//! What the next commit changes in a job.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    events::write_event,
    store::{number, seq},
};
use crate::core::{
    job::{Approval, Job},
    permissions::Permissions,
    step::{FanOut, Owed, StepIndex, StepState},
};

#[wasm_bindgen(raw_module = "./change.js")]
extern "C" {
    /// `fenced`: it is made under the job's lease.
    #[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
    fn change_begin(
        job: u32,
        status: u32,
        revision: f64,
        steps_taken: f64,
        created: f64,
        started: f64,
        completed: f64,
        now: f64,
        fenced: bool,
    );
    fn change_origin(job: u32, origin: &JsValue);
    fn change_permissions(job: u32, allow_tools: bool, require_approval: bool, max_steps: f64);
    fn change_pause(job: u32, reason: i32, step: i32, message: Option<String>);
    fn change_failure(job: u32, code: u32, message: &str, step: i32);
    /// The job's own pace, or that of all jobs.
    fn change_slow_play(job: u32, ms: f64, own: bool);
    fn change_tree_steps(job: u32, taken: f64);
    fn change_account(job: u32, open: bool);
    /// NaN where it cost nothing.
    fn change_owed(job: u32, step: u32, round: u32, cost: f64);
    fn change_approvals(job: u32);
    fn change_approval(job: u32, id: &str, step: u32, tool_call: i32);
    /// Begins the list of signals that wait.
    fn change_signals(job: u32);
    /// One that was there before, by the number of its event; those that come with the commit add themselves.
    fn change_signal(job: u32, seq: f64);
    fn change_breakpoints(job: u32);
    fn change_breakpoint(job: u32, step: u32);
    fn change_routed(job: u32, step: u32, id: &str);
}

#[wasm_bindgen(raw_module = "./change-steps.js")]
extern "C" {
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
}

const BREAKPOINT_PASSED: u32 = 1;
const INTERRUPTED: u32 = 2;
const ROUND_ENDED: u32 = 4;

pub(super) fn write_change(key: u32, job: &Job<JsValue>) {
    write_head(key, job);
    write_rare(key, job);
    if let Some(run) = &job.run {
        for &step in &job.change.steps {
            write_step(key, step, &run.states[step]);
        }
    }
    for (step, value) in &job.change.context {
        change_context(key, *step as u32, value.as_ref().unwrap_or(&JsValue::NULL));
    }
    for event in &job.change.events {
        write_event(key, event);
    }
}

fn write_head(key: u32, job: &Job<JsValue>) {
    let Job { head, now, change, .. } = job;
    let revision = change.expected_revision as f64;
    change_begin(
        key,
        head.status as u32,
        revision,
        head.steps_taken as f64,
        head.created,
        number(head.started),
        number(head.completed),
        *now,
        change.fenced,
    );
    if let Some(origin) = &change.origin {
        change_origin(key, origin);
    }
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
    for Owed { hold, cost } in &change.owed {
        change_owed(key, hold.step as u32, hold.round, number(*cost));
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
pub(super) fn call_of(approval: &Approval) -> i32 {
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

fn place(step: Option<StepIndex>) -> i32 {
    step.map_or(-1, |step| step as i32)
}

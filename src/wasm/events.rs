//! The events of a change.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    change::call_of,
    store::{number, seq},
};
use crate::core::event::{Asked, Decision, Event, Fact, StepFact};

#[wasm_bindgen(raw_module = "./events.js")]
extern "C" {
    fn event_of_job(job: u32, kind: u32, cause: f64, reason: i32);
    fn event_of_step(job: u32, kind: u32, cause: f64, step: u32, attempt: u32, status: u32);
    /// The same, of a step that gave an output: most events of a run are one or the other.
    #[allow(clippy::too_many_arguments, reason = "integers cross cheaper than an object")]
    fn event_of_output(
        job: u32,
        kind: u32,
        cause: f64,
        step: u32,
        attempt: u32,
        status: u32,
        output: &JsValue,
        cost: f64,
    );
    fn event_signal(job: u32, name: &str, payload: &JsValue);
    fn event_items(job: u32, items: &JsValue);
    fn event_round(job: u32, round: u32);
    fn event_due(job: u32, due_at: f64);
    fn event_input(job: u32, given: &JsValue);
    fn event_error(job: u32, code: u32, message: &str, retry_at: f64, asked: f64);
    fn event_approval(job: u32, id: &str, step: u32, tool_call: i32);
    fn event_decision(job: u32, approval: &str, by: Option<String>, note: Option<String>);
    fn event_emitted(job: u32, cause: f64, event: &JsValue);
}

/// The number under which `events.js` knows what happened to a job, and why it was paused.
pub(super) fn kind_of_job_fact(fact: &Fact<JsValue>) -> Option<(u32, i32)> {
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

pub(super) fn write_event(key: u32, event: &Event<JsValue>) {
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
            let (kind, step, status) = (kind_of(what), *step as u32, *status as u32);
            if let StepFact::Completed { output, cost } | StepFact::RoundCompleted { output, cost } = what {
                event_of_output(key, kind, cause, step, *attempt, status, output, number(*cost));
            } else {
                event_of_step(key, kind, cause, step, *attempt, status);
            }
            if let Some(round) = round {
                event_round(key, *round);
            }
            write_step_fact(key, what);
        }
    }
}

/// The numbers under which `events.js` knows what happened to a step.
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
        StepFact::Completed { .. }
        | StepFact::RoundCompleted { .. }
        | StepFact::Recovered
        | StepFact::LateResultDropped
        | StepFact::Skipped => {}
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

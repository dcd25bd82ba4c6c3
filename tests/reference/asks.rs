//! What people ask of the engine, and what they are told.

use std::rc::Rc;

use jobwright::{
    JobOrchestrator,
    core::{permissions::PermissionPatch, status::JobStatus},
    host::{JobKey, memory::MemoryHost},
    orchestrator::{Answer, Outcome, Stop},
};
use serde_json::Value;

use crate::case::{Ask, Permissions, Told};

pub type Orchestrator = dyn JobOrchestrator<Host = MemoryHost>;

pub fn patch(permissions: Permissions) -> PermissionPatch {
    PermissionPatch {
        allow_tools: Some(permissions.tools),
        require_approval: Some(permissions.approval),
        max_steps: Some(permissions.max_steps),
    }
}

/// A question in the engine's words.
pub enum Asked {
    Approve(Answer),
    Reject(Answer),
    Other(Ask),
}

pub async fn perform(engine: Rc<Orchestrator>, key: JobKey, ask: Asked) -> Told {
    let ask = match ask {
        Asked::Approve(answer) => return told(engine.approve_step(key, answer).await),
        Asked::Reject(answer) => return told(engine.reject_step(key, answer).await),
        Asked::Other(ask) => ask,
    };
    match ask {
        Ask::Start => told(engine.start_job(key).await),
        Ask::Pause => told(engine.pause_job(key).await),
        Ask::Complete => told(engine.complete_job(key).await),
        Ask::CompleteAsFailed => told(engine.complete_job_as_failed(key).await),
        Ask::Fail => told(engine.fail_job(key, None).await),
        Ask::Cancel => told(engine.cancel_job(key, None).await.map(|_| ())),
        Ask::Permit(permissions) => told(engine.set_permissions(key, patch(permissions)).await),
        Ask::Breakpoints(ids) => told(engine.set_breakpoints(key, &ids).await),
        Ask::Signal(name, payload) => told(engine.signal(key, &name, payload).await),
        Ask::Run(input) => match engine.run_job(key, input).await {
            Ok(()) => Told::NothingLeft,
            stopped => told(stopped),
        },
        Ask::Next(input) => next(&*engine, key, input).await,
        Ask::Recover => match engine.recover().await {
            Ok(jobs) => Told::Resumed(jobs.len()),
            Err(stop) => told(Err(stop)),
        },
        Ask::StopRun | Ask::Approve(..) | Ask::Reject(_) => Told::Done,
    }
}

async fn next(engine: &Orchestrator, key: JobKey, input: Option<Value>) -> Told {
    match engine.next_step(key, input).await {
        Ok((JobStatus::Completed, None)) => Told::NothingLeft,
        Ok((job, Some(step))) => {
            Told::Step(step.id.into(), step.status.name(), u64::from(step.attempts), step.output, job.name())
        }
        Ok((other, None)) => panic!("no step, and the job is {other:?}"),
        Err(stop) => told(Err(stop)),
    }
}

fn told(outcome: Outcome<MemoryHost>) -> Told {
    match outcome {
        Ok(()) => Told::Done,
        Err(Stop::Refused(refusal)) => Told::Refused(refusal.code.name()),
        Err(Stop::BudgetRefused(_)) => Told::BudgetRefused,
        Err(Stop::Failed(error)) => panic!("the host fails at nothing, and yet: {error}"),
    }
}

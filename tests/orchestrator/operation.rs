//! The operations as values, so that a test can go through them.

use std::rc::Rc;

use jobwright::{
    JobOrchestrator,
    core::{
        outcome::{Code, Refusal},
        permissions::PermissionPatch,
        status::JobStatus,
    },
    create_orchestrator,
    host::{JobKey, memory::MemoryHost},
    orchestrator::{Answer, CancelResult, StepReport, Stop},
};
use serde_json::Value;

pub type Engine = Rc<dyn JobOrchestrator<Host = MemoryHost>>;
pub type Stopped = Stop<Value, String>;
pub type Outcome = Result<Gave, Stopped>;

#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Start,
    Pause,
    Complete,
    CompleteAsFailed,
    Fail,
    Cancel,
    Approve(Answer),
    Reject(Answer),
    SetPermissions(PermissionPatch),
    NextStep(Option<Value>),
    Run(Option<Value>),
    Recover,
    Signal(&'static str),
    SetBreakpoints(Vec<String>),
}

/// What an operation gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Gave {
    Nothing,
    Step(JobStatus, Option<StepReport<Value>>),
    Cancelled(Vec<(JobKey, CancelResult)>),
    Resumed(Vec<JobKey>),
}

pub fn engine_on(host: &MemoryHost) -> Engine {
    Rc::new(create_orchestrator(host.clone()))
}

impl Op {
    pub fn approve() -> Op {
        Op::Approve(Answer::default())
    }

    pub fn reject() -> Op {
        Op::Reject(Answer::default())
    }

    pub fn next() -> Op {
        Op::NextStep(None)
    }

    pub fn run() -> Op {
        Op::Run(None)
    }

    pub fn permit(require_approval: bool) -> Op {
        Op::SetPermissions(PermissionPatch { require_approval: Some(require_approval), ..Default::default() })
    }

    pub async fn perform(self, engine: Engine, key: JobKey) -> Outcome {
        let nothing = |()| Gave::Nothing;
        match self {
            Op::Start => engine.start_job(key).await.map(nothing),
            Op::Pause => engine.pause_job(key).await.map(nothing),
            Op::Complete => engine.complete_job(key).await.map(nothing),
            Op::CompleteAsFailed => engine.complete_job_as_failed(key).await.map(nothing),
            Op::Fail => engine.fail_job(key, None).await.map(nothing),
            Op::Cancel => engine.cancel_job(key, None).await.map(Gave::Cancelled),
            Op::Approve(answer) => engine.approve_step(key, answer).await.map(nothing),
            Op::Reject(answer) => engine.reject_step(key, answer).await.map(nothing),
            Op::SetPermissions(patch) => engine.set_permissions(key, patch).await.map(nothing),
            Op::NextStep(input) => {
                engine.next_step(key, input).await.map(|(status, step)| Gave::Step(status, step))
            }
            Op::Run(input) => engine.run_job(key, input).await.map(nothing),
            Op::Signal(name) => engine.signal(key, name, Value::from(name)).await.map(nothing),
            Op::SetBreakpoints(steps) => engine.set_breakpoints(key, &steps).await.map(nothing),
            Op::Recover => engine.recover().await.map(Gave::Resumed),
        }
    }
}

/// A refusal in these words.
pub fn refusal(code: Code, message: &str) -> Outcome {
    Err(Stop::Refused(Refusal::new(code, message.to_owned())))
}

/// A refusal in the code's own words.
pub fn refused(code: Code) -> Outcome {
    Err(code.into())
}

/// The step that an operation gave.
pub fn step_of(outcome: Outcome) -> StepReport<Value> {
    match outcome {
        Ok(Gave::Step(_, Some(report))) => report,
        other => panic!("a step was expected; found {other:?}"),
    }
}

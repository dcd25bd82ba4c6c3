//! What the engine has stored beside what the reference has decided.

use std::fmt::Debug;

use serde_json::{Map, Value, json};

use crate::{
    case::Permissions,
    engine::Engine,
    interpreter::Reference,
    job::Job,
    state::{Spot, StepState, StepStatus},
};

/// What did not agree.
pub type Agreed<T = ()> = Result<T, String>;

pub fn same<T: PartialEq + Debug>(what: &str, engine: &T, reference: &T) -> Agreed {
    if engine == reference {
        return Ok(());
    }
    Err(format!("{what}\n  engine:    {engine:?}\n  reference: {reference:?}"))
}

type Stored<'a> = &'a Map<String, Value>;

/// Compares what is new in a job's history.
pub fn compare_history(stored: Option<Stored<'_>>, job: &Job, compared: &mut usize) -> Agreed {
    let history = history_of(stored);
    for (place, (name, payload)) in job.history.iter().enumerate().skip(*compared) {
        let found = history.get(place).map(|event| (text(&event["type"]), stripped(&event["payload"])));
        let expected = Some(((*name).to_owned(), payload.clone()));
        same(&format!("entry {} of the history of job {}", place + 1, job.id), &found, &expected)?;
    }
    *compared = job.history.len();
    same(&format!("entries of the history of job {}", job.id), &history.len(), compared)
}

/// All histories, in lines.
pub fn told_apart(engine: &Engine, reference: &Reference) -> String {
    let jobs = reference.jobs.iter().map(|job| {
        let found = engine.look(&job.id, |stored| {
            let lines = history_of(stored).iter();
            let lines = lines.map(|event| format!("\n    {} {}", event["type"], stripped(&event["payload"])));
            lines.collect::<String>()
        });
        let lines = job.history.iter().map(|(name, payload)| format!("\n    {name} {payload}"));
        format!("\n  job {}\n  engine:{found}\n  reference:{}", job.id, lines.collect::<String>())
    });
    jobs.collect()
}

fn history_of(job: Option<Stored<'_>>) -> &[Value] {
    job.and_then(|job| job.get("history")?.as_array()).map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A payload without its words and what says nothing new.
fn stripped(payload: &Value) -> Value {
    let mut payload = payload.clone();
    let members = payload.as_object_mut().expect("a payload");
    for key in ["jobId", "agent", "args"] {
        members.remove(key);
    }
    if members.contains_key("plan") {
        // Where the job began from; it stands in the job itself.
        return json!({});
    }
    if let Some(error) = members.get_mut("error") {
        *error = json!({ "code": error["code"] });
    }
    payload
}

/// Compares the stored job with where the decisions have brought it.
pub fn compare_job(stored: Stored<'_>, job: &Job) -> Agreed {
    let (plan, state, run) = (&job.plan, &job.state, &stored["run"]);
    same("status", &text(&stored["status"]), &state.status.name().to_owned())?;
    same("context", stored["context"].as_object().ok_or("no context")?, &state.context)?;
    same("steps taken", &run["stepsTaken"].as_u64(), &Some(state.steps_taken))?;
    same("permissions", &stored["permissions"], &permissions(state.permissions))?;
    let id_of = |step: Option<usize>| step.map_or(Value::Null, |step| plan.steps[step].id.clone().into());
    let pause = state.pause.map(|(reason, step)| (reason.name().to_owned(), id_of(step)));
    let found = run.get("pause").map(|pause| (text(&pause["reason"]), pause["step"].clone()));
    same("pause", &found, &pause)?;
    let failure = state.failure.map(|(code, step)| (code.to_owned(), id_of(step)));
    let found = run.get("failure").map(|failure| (text(&failure["code"]), failure["step"].clone()));
    same("failure", &found, &failure)?;
    let approvals = run["approvals"].as_array().into_iter().flatten();
    let approvals = approvals.map(|it| (text(&it["id"]), it["item"].clone(), it["tool"].clone()));
    let value = |item: Option<usize>| item.map_or(Value::Null, Value::from);
    let expected = state
        .approvals
        .iter()
        .map(|it| (it.id.clone(), value(it.spot.item), it.tool.clone().map_or(Value::Null, Value::from)));
    same("approvals", &approvals.collect::<Vec<_>>(), &expected.collect())?;
    let signals = run["signals"].as_array().into_iter().flatten();
    let signals: Vec<_> = signals.map(|it| (text(&it["name"]), it["payload"].clone())).collect();
    same("signals", &signals, &state.signals)?;
    job.spots().into_iter().try_for_each(|spot| compare_step(run, job, spot))
}

fn compare_step(run: &Value, job: &Job, Spot { step, item }: Spot) -> Agreed {
    let id = &job.plan.steps[step].id;
    let id = item.map_or_else(|| id.clone(), |item| format!("{id}[{item}]"));
    let (found, expected): (&Value, &StepState) = (&run["steps"][&*id], job.state.at(Spot { step, item }));
    if found.is_null() && expected.status == StepStatus::Pending && !expected.begun {
        return Ok(());
    }
    let round = found["round"].as_u64().unwrap_or(0);
    let found = (text(&found["status"]), found["attempts"].as_u64(), round, found["error"]["code"].clone());
    let error = expected.error.map_or(Value::Null, Value::from);
    let status = expected.status.name().to_owned();
    same(&format!("step {id}"), &found, &(status, Some(expected.attempts), expected.rounds_ended, error))
}

fn permissions(Permissions { tools, approval, max_steps }: Permissions) -> Value {
    json!({ "allowTools": tools, "requireApproval": approval, "maxSteps": max_steps })
}

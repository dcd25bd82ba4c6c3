//! What the stored job should look like when its history has been met.

use serde_json::{Map, Value};

use super::{Difference, Replay, event::same};
use crate::core::{
    job::{PauseReason, Run},
    step::StepState,
    stored::{read_permissions, read_run},
    written::{Members, write_error, write_permissions, write_state},
};

impl Replay {
    /// What was decided, as a stored job's `run` has it; without what only the host knows.
    pub fn run_state(&self) -> Value {
        self.job.run.as_ref().map_or(Value::Null, |run| write_run(run, self.job.head.steps_taken))
    }

    pub(super) fn compare_job(&self, job: &Value) -> Result<(), Difference> {
        let head = &self.job.head;
        let get = |key: &str| job.get(key).cloned().unwrap_or_default();
        let status = Value::from(head.status.name());
        self.compare_member("status", &status, &get("status"))?;
        if self.permissions_known {
            let stored = write_permissions(read_permissions(&get("permissions")));
            self.compare_member("permissions", &write_permissions(head.permissions), &stored)?;
        }
        let Some(timing) = job.get("timing") else { return Ok(()) };
        for (key, time) in [("started", head.started), ("completed", head.completed)] {
            let stored = timing.get(key).cloned().unwrap_or_default();
            self.compare_member(key, &time.map_or(Value::Null, Value::from), &stored)?;
        }
        self.compare_run(job.get("run"))?;
        let context = get("context");
        for key in &self.written {
            self.compare_member(key, &self.context[&**key], context.get(&**key).unwrap_or(&Value::Null))?;
        }
        Ok(())
    }

    fn compare_run(&self, stored: Option<&Value>) -> Result<(), Difference> {
        let Some(run) = &self.job.run else { return Ok(()) };
        let nothing = Map::new();
        let members = stored.and_then(Value::as_object).unwrap_or(&nothing);
        let taken = members.get("stepsTaken").and_then(Value::as_u64).unwrap_or(0);
        let read = if members.is_empty() { Ok(Run::routed()) } else { read_run(members) };
        let mut stored = read.map_err(|problem| self.differs(Value::from("a run state"), problem.into()))?;
        let plan = members.get("plan").unwrap_or(&Value::Null);
        self.compare_member("plan", self.plan.as_ref().unwrap_or(&Value::Null), plan)?;
        let origin = members.get("forkedFrom").unwrap_or(&Value::Null);
        self.compare_member("forkedFrom", &self.origins[0], origin)?;
        if let (Some(known), Some(failure)) = (&run.failure, &mut stored.failure)
            && known.step.is_none()
        {
            // Why a caller ended the job is not in its history.
            if failure.step.is_none() {
                failure.clone_from(known);
            }
        } else if stored.failure.is_none() && run.failure.as_ref().is_some_and(|it| it.step.is_none()) {
            stored.failure.clone_from(&run.failure);
        }
        let expected = write_run(run, self.job.head.steps_taken);
        let actual = write_run(&stored, taken);
        for (key, expected) in expected.as_object().into_iter().flatten() {
            self.compare_member(key, expected, actual.get(key).unwrap_or(&Value::Null))?;
        }
        Ok(())
    }

    /// Names the innermost member in which two values differ.
    fn compare_member(&self, key: &str, expected: &Value, actual: &Value) -> Result<(), Difference> {
        if same(expected, actual) {
            return Ok(());
        }
        if let (Value::Object(expected), Value::Object(actual)) = (expected, actual) {
            for (inner, value) in expected {
                let path = [key, ".", inner].concat();
                self.compare_member(&path, value, actual.get(inner).unwrap_or(&Value::Null))?;
            }
            for (inner, value) in actual.iter().filter(|(inner, _)| !expected.contains_key(*inner)) {
                self.compare_member(&[key, ".", inner].concat(), &Value::Null, value)?;
            }
        }
        let of = |value: &Value| {
            let mut member = Members::default();
            member.put(key, value.clone());
            member.done()
        };
        Err(self.differs(of(expected), of(actual)))
    }

    fn differs(&self, expected: Value, actual: Value) -> Difference {
        Difference { at: self.met, expected, actual }
    }
}

/// A run state, without what only a host knows of it.
fn write_run(run: &Run, taken: u64) -> Value {
    let mut written = Members::default();
    let id = |step: usize| Value::from(&*run.step(step).id);
    let list = |items: &mut dyn Iterator<Item = Value>| Value::Array(items.collect());
    written.count("stepsTaken", Some(taken));
    let mut steps = Members::default();
    for (place, state) in run.states.iter().enumerate().filter(|(_, state)| **state != StepState::default()) {
        steps.put(&run.stored_id(place), Value::Object(write_state(state)));
    }
    written.put("steps", steps.done());
    written.put("approvals", list(&mut run.approvals.iter().map(|it| Value::from(&*it.id))));
    written.put("signals", list(&mut run.signals.iter().map(|it| it.seq.into())));
    written.put("breakpoints", list(&mut run.breakpoints.iter().map(|&step| id(step))));
    // A job that never ran a step may not remember that a person paused it.
    let reason = run.pause.as_ref().map(|pause| pause.reason).filter(|reason| *reason != PauseReason::User);
    written.put("pause", reason.map_or(Value::Null, |reason| reason.name().into()));
    written.put(
        "failure",
        run.failure.as_ref().map_or(Value::Null, |why| {
            let mut failure = write_error(why.code, &why.message);
            failure["step"] = why.step.map_or(Value::Null, id);
            failure
        }),
    );
    written.done()
}

//! From what is remembered of a job to the form in which it is stored and told: the way back from [`super::stored`].

use serde_json::{Map, Value};

use crate::core::{
    job::Run,
    outcome::Code,
    permissions::Permissions,
    step::{FanOut, StepIndex, StepState, item_id},
};

/// An object that is being written. Not generic: one copy of this code serves all that is written.
#[derive(Default)]
pub struct Members(pub Map<String, Value>);

impl Members {
    /// Writes a member.
    pub fn put(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    /// Writes a text.
    pub fn text(&mut self, key: &str, text: &str) {
        self.put(key, Value::String(text.to_owned()));
    }

    /// Writes a number, where there is one.
    pub fn number(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number {
            self.put(key, number.into());
        }
    }

    /// Writes a whole number, where there is one.
    pub fn count(&mut self, key: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.put(key, number.into());
        }
    }

    /// Writes a yes, and nothing for a no.
    pub fn flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.put(key, Value::Bool(true));
        }
    }

    /// The whole object.
    pub fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// The error of a step or a job.
pub fn write_error(code: Code, message: &str) -> Value {
    let mut error = Members::default();
    error.text("code", code.name());
    error.text("message", message);
    error.done()
}

/// The permissions of a job.
pub fn write_permissions(permissions: Permissions) -> Value {
    let mut written = Members::default();
    written.put("allowTools", permissions.allow_tools.into());
    written.put("requireApproval", permissions.require_approval.into());
    written.put("maxSteps", permissions.max_steps.into());
    written.done()
}

/// What is remembered of a step or an item.
pub fn write_state(state: &StepState) -> Map<String, Value> {
    let mut written = Members::default();
    written.text("status", state.status.name());
    written.count("attempts", Some(state.attempts.into()));
    written.count("seq", state.seq);
    written.number("startedAt", state.started_at);
    written.number("finishedAt", state.finished_at);
    written.number("dueAt", state.due_at);
    written.count("round", Some(state.round.into()).filter(|round| *round > 0));
    written.flag("breakpointPassed", state.breakpoint_passed);
    written.flag("interrupted", state.interrupted);
    written.flag("roundEnded", state.round_ended);
    if let Some(FanOut { first, count }) = state.fan_out {
        let mut fan_out = Members::default();
        fan_out.count("place", Some(first as u64));
        fan_out.count("count", Some(count.into()));
        written.put("fanOut", fan_out.done());
    }
    if let Some(by) = &state.approved_by {
        written.text("approvedBy", by);
    }
    if let Some(error) = &state.error {
        written.put("error", write_error(error.code, &error.message));
    }
    written.0
}

impl Run {
    /// What a step or an item is called among the stored steps.
    pub fn stored_id(&self, place: StepIndex) -> String {
        let id = &self.step(place).id;
        self.item(place).map_or_else(|| id.to_string(), |item| item_id(id, item))
    }
}

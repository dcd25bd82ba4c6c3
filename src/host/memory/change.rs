//! Writes a commit into a stored job, in the form that the package's engine writes.

mod events;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ToolCall;
use crate::core::{
    event::Fact,
    job::{Approval, Job, Run},
    outcome::Code,
    permissions::Permissions,
    step::{FanOut, StepIndex, StepState, item_id},
    stored::SCHEMA,
};

fn write_error(code: Code, message: &str) -> Value {
    json!({ "code": code.name(), "message": message })
}

fn write_permissions(permissions: Permissions) -> Value {
    let Permissions { allow_tools, require_approval, max_steps } = permissions;
    json!({ "allowTools": allow_tools, "requireApproval": require_approval, "maxSteps": max_steps })
}

/// What a step or an item is called among the stored steps.
fn id_of(run: &Run, step: StepIndex) -> String {
    let id = &run.step(step).id;
    run.item(step).map_or_else(|| id.to_string(), |item| item_id(id, item))
}

fn write_state(state: &StepState) -> Map<String, Value> {
    let mut written = Map::new();
    written.insert("status".to_owned(), state.status.name().into());
    written.insert("attempts".to_owned(), state.attempts.into());
    if let Some(seq) = state.seq {
        written.insert("seq".to_owned(), seq.into());
    }
    let times = [("startedAt", state.started_at), ("finishedAt", state.finished_at), ("dueAt", state.due_at)];
    for (key, time) in times {
        if let Some(time) = time {
            written.insert(key.to_owned(), time.into());
        }
    }
    if state.round > 0 {
        written.insert("round".to_owned(), state.round.into());
    }
    let flags = [
        ("breakpointPassed", state.breakpoint_passed),
        ("interrupted", state.interrupted),
        ("roundEnded", state.round_ended),
    ];
    for (key, flag) in flags {
        if flag {
            written.insert(key.to_owned(), true.into());
        }
    }
    if let Some(FanOut { first, count }) = state.fan_out {
        written.insert("fanOut".to_owned(), json!({ "place": first, "count": count }));
    }
    if let Some(by) = &state.approved_by {
        written.insert("approvedBy".to_owned(), (**by).into());
    }
    if let Some(error) = &state.error {
        written.insert("error".to_owned(), write_error(error.code, &error.message));
    }
    written
}

/// What a commit is written with beside what was decided.
pub(super) struct Writer<'a> {
    pub(super) id: &'a str,
    pub(super) trace: &'a str,
    pub(super) requests: &'a BTreeMap<StepIndex, Vec<ToolCall>>,
    pub(super) routing: &'a Option<Value>,
    pub(super) now: f64,
    pub(super) revision: u64,
}

/// A member that is an object, made where there is none.
fn object_in<'a>(object: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let member = object.entry(key).or_insert(Value::Null);
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    member.as_object_mut().unwrap_or_else(|| unreachable!("an object by the lines above"))
}

fn list_in<'a>(object: &'a mut Map<String, Value>, key: &str) -> &'a mut Vec<Value> {
    let member = object.entry(key).or_insert(Value::Null);
    if !member.is_array() {
        *member = Value::Array(Vec::new());
    }
    member.as_array_mut().unwrap_or_else(|| unreachable!("a list by the lines above"))
}

impl Writer<'_> {
    /// Writes the commit; returns the numbers and types of its events.
    pub(super) fn write(
        &self,
        stored: &mut Option<Map<String, Value>>,
        job: &Job<Value>,
    ) -> Vec<(u64, &'static str)> {
        let change = &job.change;
        if let Some(Value::Object(origin)) = &change.origin {
            *stored = Some(origin.clone());
        }
        let stored = stored.get_or_insert_default();
        if change.rare.permissions || change.origin.is_some() {
            stored.insert("permissions".to_owned(), write_permissions(job.head.permissions));
        }
        // Which approvals there were says what a person approved.
        let asked = stored.get("run").and_then(|run| run.get("approvals")).cloned();
        self.write_head(stored, job);
        if let Some(run) = &job.run {
            let into = object_in(stored, "run");
            self.write_rare(into, job, run);
            if !change.steps.is_empty() {
                let steps = object_in(into, "steps");
                change.steps.iter().for_each(|&step| self.write_step(steps, run, step));
            }
            let context = object_in(stored, "context");
            for (step, value) in change.context.iter().filter(|(step, _)| run.item(*step).is_none()) {
                context.insert(run.step(*step).into.to_string(), value.clone().unwrap_or_default());
            }
        }
        self.write_events(stored, job, asked.as_ref())
    }

    fn write_head(&self, stored: &mut Map<String, Value>, job: &Job<Value>) {
        let head = &job.head;
        stored.insert("status".to_owned(), head.status.name().into());
        let timing = object_in(stored, "timing");
        timing.insert("created".to_owned(), head.created.into());
        for (key, time) in [("started", head.started), ("completed", head.completed)] {
            if let Some(time) = time {
                timing.insert(key.to_owned(), time.into());
            }
        }
        let run = object_in(stored, "run");
        let has_steps =
            !job.change.steps.is_empty() || run.contains_key("plan") || run.contains_key("stepsTaken");
        run.insert("schema".to_owned(), SCHEMA.into());
        run.insert("revision".to_owned(), self.revision.into());
        run.insert("seq".to_owned(), head.seq.into());
        if has_steps {
            run.insert("stepsTaken".to_owned(), head.steps_taken.into());
        }
    }

    fn write_rare(&self, into: &mut Map<String, Value>, job: &Job<Value>, run: &Run) {
        let rare = job.change.rare;
        if rare.pause {
            match &run.pause {
                None => {
                    into.remove("pause");
                }
                Some(pause) => {
                    let mut written = json!({ "reason": pause.reason.name() });
                    self.write_step_id(&mut written, run, pause.step);
                    if let Some(message) = &pause.message {
                        written["message"] = (**message).into();
                    }
                    into.insert("pause".to_owned(), written);
                }
            }
        }
        if let (true, Some(failure)) = (rare.failure, &run.failure) {
            let mut written = write_error(failure.code, &failure.message);
            self.write_step_id(&mut written, run, failure.step);
            into.insert("failure".to_owned(), written);
        }
        if rare.approvals {
            self.write_approvals(into, run);
        }
        if rare.signals {
            write_signals(into, job, run);
        }
        if rare.breakpoints {
            let ids: Vec<&str> = run.breakpoints.iter().map(|&step| &*run.step(step).id).collect();
            into.insert("breakpoints".to_owned(), ids.into());
        }
        if rare.slow_play {
            let (key, ms) = run.slow_play_ms.map_or(("paceMs", run.pace_ms), |ms| ("slowPlayMs", ms));
            into.insert(key.to_owned(), ms.into());
        }
    }

    fn write_step_id(&self, written: &mut Value, run: &Run, step: Option<StepIndex>) {
        if let Some(step) = step {
            written["step"] = (*run.step(step).id).into();
        }
    }

    fn write_approvals(&self, into: &mut Map<String, Value>, run: &Run) {
        let before = into.get("approvals").and_then(Value::as_array).cloned().unwrap_or_default();
        let written = run.approvals.iter().map(|approval| {
            let known = before.iter().find(|known| known["id"] == *approval.id);
            known.cloned().unwrap_or_else(|| {
                let what = run.step(approval.step);
                let mut written = json!({ "id": *approval.id, "step": *what.id, "agent": what.agent() });
                if let Some(item) = run.item(approval.step) {
                    written["item"] = item.into();
                }
                if let Some(ToolCall { tool, args }) = self.call_of(approval) {
                    written["tool"] = tool.as_str().into();
                    written["args"] = args.clone();
                }
                written
            })
        });
        let written: Value = written.collect();
        into.insert("approvals".to_owned(), written);
    }

    /// The tool call that an approval is about.
    fn call_of(&self, approval: &Approval) -> Option<&ToolCall> {
        self.requests.get(&approval.step)?.get(approval.tool_call? as usize)
    }

    fn write_step(&self, steps: &mut Map<String, Value>, run: &Run, step: StepIndex) {
        let state = &run.states[step];
        let mut written = write_state(state);
        let id = id_of(run, step);
        let before = steps.get(&id);
        let routed = before.map_or(self.routing.as_ref(), |before| before.get("routed"));
        if let (false, Some(routed)) = (run.has_plan(), routed) {
            written.insert("routed".to_owned(), routed.clone());
        }
        if state.finished_at.is_none() {
            // What only an attempt that is still to come needs.
            for key in ["grants", "input"] {
                if let Some(kept) = before.and_then(|before| before.get(key)) {
                    written.insert(key.to_owned(), kept.clone());
                }
            }
        }
        steps.insert(id, Value::Object(written));
    }
}

/// Those that were stored before, and those that came with this commit.
fn write_signals(into: &mut Map<String, Value>, job: &Job<Value>, run: &Run) {
    let before = into.get("signals").and_then(Value::as_array).cloned().unwrap_or_default();
    let first = job.head.seq + 1 - job.change.events.len() as u64;
    let payload_of = |seq: u64| {
        let stored = before.iter().find(|sent| sent["seq"] == seq).map(|sent| sent["payload"].clone());
        let came = seq.checked_sub(first).and_then(|place| job.change.events.get(place as usize));
        stored.or_else(|| match &came?.fact {
            Fact::Signalled { payload, .. } => Some(payload.clone()),
            _ => None,
        })
    };
    let written = run
        .signals
        .iter()
        .map(|signal| json!({ "name": *signal.name, "payload": payload_of(signal.seq), "seq": signal.seq }));
    let written: Value = written.collect();
    into.insert("signals".to_owned(), written);
}

//! Writes a commit into a stored job, in the form that the package's engine writes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ToolCall;
use crate::core::{
    event::{Asked, Decision, Event, Fact, StepFact},
    job::{Approval, Job, Run},
    outcome::Code,
    permissions::Permissions,
    step::{FanOut, StepIndex, StepState, item_id},
    stored::SCHEMA,
    trace::span_id,
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

    fn write_events(
        &self,
        stored: &mut Map<String, Value>,
        job: &Job<Value>,
        asked: Option<&Value>,
    ) -> Vec<(u64, &'static str)> {
        let first = job.head.seq + 1 - job.change.events.len() as u64;
        let mut written = Vec::with_capacity(job.change.events.len());
        for (seq, event) in (first..).zip(&job.change.events) {
            let (name, payload) = self.describe(stored, job, event, asked);
            let span = span_id(self.trace, seq);
            let mut trace = json!({ "traceId": self.trace, "spanId": span });
            if let Some(cause) = event.cause {
                trace["parentId"] = span_id(self.trace, cause).into();
            }
            let entry = json!({
                "id": span, "seq": seq, "type": name, "payload": payload, "trace": trace,
                "meta": { "timestamp": self.now, "source": "jobwright" },
            });
            list_in(stored, "history").push(entry);
            written.push((seq, name));
        }
        written
    }

    /// An event's type and payload.
    fn describe(
        &self,
        stored: &mut Map<String, Value>,
        job: &Job<Value>,
        event: &Event<Value>,
        asked: Option<&Value>,
    ) -> (&'static str, Value) {
        let id = self.id;
        match &event.fact {
            Fact::JobCreated => {
                let mut payload = json!({
                    "jobId": id, "permissions": stored["permissions"], "context": stored["context"],
                });
                for key in ["plan", "slowPlayMs"] {
                    if let Some(value) = stored["run"].get(key) {
                        payload[key] = value.clone();
                    }
                }
                ("job_created", payload)
            }
            Fact::JobStarted => ("job_started", json!({ "jobId": id })),
            Fact::JobPaused(None) => ("job_paused", json!({ "jobId": id })),
            Fact::JobPaused(Some(reason)) => ("job_paused", json!({ "jobId": id, "reason": reason.name() })),
            Fact::JobCompleted => ("job_completed", json!({ "jobId": id, "status": job.head.status.name() })),
            Fact::JobFailed => ("job_failed", json!({ "jobId": id, "status": job.head.status.name() })),
            Fact::PermissionsChanged(permissions) => {
                let permissions = write_permissions(*permissions);
                ("permissions_changed", json!({ "jobId": id, "permissions": permissions }))
            }
            Fact::Signalled { name, payload } => {
                ("signal_received", json!({ "jobId": id, "name": **name, "payload": payload }))
            }
            Fact::BreakpointsChanged => {
                let run = job.run.as_ref();
                let ids = run.map(|run| run.breakpoints.iter().map(|&step| &*run.step(step).id).collect());
                let ids: Vec<&str> = ids.unwrap_or_default();
                ("breakpoints_changed", json!({ "jobId": id, "steps": ids }))
            }
            Fact::SlowPlayChanged => {
                let ms = job.run.as_ref().map(|run| run.pace_ms);
                ("slow_play_changed", json!({ "jobId": id, "ms": ms }))
            }
            Fact::Emitted { event, .. } => ("emitted", event.clone()),
            Fact::Step { step, attempt, item, round, status, what } => {
                let Some(run) = &job.run else { return ("step", Value::Null) };
                let planned = run.step(*step);
                let mut payload = json!({
                    "jobId": id, "step": *planned.id, "attempt": attempt, "status": status.name(),
                });
                if let Some(agent) = planned.agent() {
                    payload["agent"] = agent.into();
                }
                if let Some(round) = round {
                    payload["round"] = (*round).into();
                }
                if !run.has_plan() && is_first(stored, &planned.id) {
                    payload["routed"] = stored["run"]["steps"][&*planned.id]["routed"].clone();
                }
                if let Some(item) = item {
                    payload["item"] = (*item).into();
                }
                let name = self.write_step_fact(&mut payload, stored, what, asked, &id_of(run, *step));
                let name = match (name, item) {
                    ("step_started", Some(_)) => "item_started",
                    ("step_completed", Some(_)) => "item_completed",
                    ("step_failed", Some(_)) => "item_failed",
                    (name, _) => name,
                };
                (name, payload)
            }
        }
    }
}

/// Has nothing been said of the step before?
fn is_first(stored: &Map<String, Value>, id: &str) -> bool {
    let mut history = stored.get("history").and_then(Value::as_array).into_iter().flatten();
    !history.any(|event| event["payload"]["step"] == id)
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

impl Writer<'_> {
    /// The tool call that an approval is about.
    fn call_of(&self, approval: &Approval) -> Option<&ToolCall> {
        self.requests.get(&approval.step)?.get(approval.tool_call? as usize)
    }

    /// Writes what happened to a step into its event, and into the step what its next attempt needs of it.
    fn write_step_fact(
        &self,
        payload: &mut Value,
        stored: &mut Map<String, Value>,
        what: &StepFact<Value>,
        asked: Option<&Value>,
        id: &str,
    ) -> &'static str {
        let state = |stored: &mut Map<String, Value>, key: &str, value: Value| {
            object_in(object_in(object_in(stored, "run"), "steps"), id).insert(key.to_owned(), value);
        };
        match what {
            StepFact::Started { given } => {
                if let Some(given) = given {
                    payload["input"] = given.clone();
                    state(stored, "input", given.clone());
                }
                "step_started"
            }
            StepFact::FannedOut { items } => {
                payload["items"] = items.clone();
                "step_started"
            }
            StepFact::Suspended { code, message } => {
                payload["error"] = write_error(*code, message);
                "step_suspended"
            }
            StepFact::Waiting { due_at } => {
                if let Some(due_at) = due_at {
                    payload["dueAt"] = (*due_at).into();
                }
                "step_started"
            }
            StepFact::Completed { output, cost } | StepFact::RoundCompleted { output, cost } => {
                payload["output"] = output.clone();
                if let Some(cost) = cost {
                    payload["cost"] = (*cost).into();
                }
                if matches!(what, StepFact::Completed { .. }) { "step_completed" } else { "round_completed" }
            }
            StepFact::Failed { code, message, retry_at, asked } => {
                payload["error"] = write_error(*code, message);
                match asked {
                    Asked::Nothing => {}
                    Asked::NoRetry => payload["retryable"] = false.into(),
                    Asked::Later(ms) => payload["retryAfter"] = (*ms).into(),
                }
                if let Some(at) = retry_at {
                    payload["retryAt"] = (*at).into();
                }
                "step_failed"
            }
            StepFact::ApprovalRequested(approval) => {
                payload["approval"] = (*approval.id).into();
                if let Some(ToolCall { tool, args }) = self.call_of(approval) {
                    payload["tool"] = tool.as_str().into();
                    payload["args"] = args.clone();
                }
                "approval_requested"
            }
            StepFact::Approved(decision) => {
                write_decision(payload, decision, "note");
                let request = asked.and_then(Value::as_array).into_iter().flatten();
                let request = request.into_iter().find(|request| request["id"] == *decision.approval);
                if let Some((request, tool)) = request.and_then(|it| Some((it, it.get("tool")?))) {
                    let mut grants =
                        stored["run"]["steps"][id]["grants"].as_array().cloned().unwrap_or_default();
                    grants.push(json!({ "tool": tool, "args": request["args"] }));
                    state(stored, "grants", grants.into());
                }
                "step_approved"
            }
            StepFact::Rejected(decision) => {
                write_decision(payload, decision, "reason");
                "step_rejected"
            }
            StepFact::Skipped => "step_skipped",
            StepFact::Recovered => "step_recovered",
            StepFact::LateResultDropped => "late_result_dropped",
        }
    }
}

fn write_decision(payload: &mut Value, decision: &Decision, note: &str) {
    payload["approval"] = (*decision.approval).into();
    if let Some(by) = &decision.by {
        payload["by"] = (**by).into();
    }
    if let Some(text) = &decision.note {
        payload[note] = (**text).into();
    }
}

//! The events of a commit, as they are stored.

use serde_json::{Map, Value, json};

use super::{Writer, id_of, list_in, object_in, write_error, write_permissions};
use crate::{
    core::{
        event::{Asked, Decision, Event, Fact, StepFact},
        job::Job,
        trace::span_id,
    },
    host::memory::ToolCall,
};

impl Writer<'_> {
    pub(super) fn write_events(
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

/// Has nothing been said of the step before?
fn is_first(stored: &Map<String, Value>, id: &str) -> bool {
    let mut history = stored.get("history").and_then(Value::as_array).into_iter().flatten();
    !history.any(|event| event["payload"]["step"] == id)
}

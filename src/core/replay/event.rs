//! An event as it is recorded, and as the core would have recorded it.

use serde_json::Value;

use super::Replay;
use crate::core::{
    event::{Asked, Decision, Event, Fact, StepFact},
    outcome::Code,
    step::StepIndex,
    trace::span_id,
    written::{Members, write_error, write_permissions},
};

/// A recorded event.
pub(super) struct Recorded<'a> {
    pub(super) name: &'a str,
    pub(super) payload: &'a Value,
    /// The number of the event that caused it.
    pub(super) cause: Option<u64>,
    /// When.
    pub(super) at: f64,
}

impl<'a> Recorded<'a> {
    pub(super) fn read(event: &'a Value, trace: &str) -> Result<Recorded<'a>, &'static str> {
        let name = event.get("type").and_then(Value::as_str).ok_or("an event, which has a type")?;
        let at = event.get("meta").and_then(|meta| meta.get("timestamp")).and_then(Value::as_f64);
        let parent = event.get("trace").and_then(|trace| trace.get("parentId")).and_then(Value::as_str);
        let number = parent.and_then(|span| u64::from_str_radix(span.get(8..)?, 16).ok());
        Ok(Recorded {
            name,
            payload: event.get("payload").unwrap_or(&Value::Null),
            cause: number.filter(|number| parent == Some(&*span_id(trace, *number))),
            at: at.ok_or("an event, which has a meta.timestamp")?,
        })
    }

    /// What stands for an event that is missing.
    pub(super) fn nothing(at: f64) -> Recorded<'static> {
        Recorded { name: "", payload: &Value::Null, cause: None, at }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.payload.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Value::as_f64)
    }

    /// The code of its error.
    pub(super) fn code(&self) -> Option<Code> {
        Code::from_name(self.get("error")?.get("code")?.as_str()?)
    }

    /// What its error says.
    pub(super) fn message(&self) -> &'a str {
        self.get("error").and_then(|error| error.get("message")).and_then(Value::as_str).unwrap_or_default()
    }
}

/// How a value begins that was replaced by its hash.
const HASHED: &str = "sha256:";

/// Are they the same JSON? Numbers are as JavaScript has them.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

impl Replay {
    /// The event that the core noted; what only its host knows is as it is recorded.
    pub(super) fn write(&self, seq: u64, noted: &Event<Value>, recorded: &Recorded<'_>) -> Value {
        let mut payload = Members::default();
        payload.text("jobId", &self.id);
        let mut source = "jobwright";
        let name = match &noted.fact {
            Fact::JobCreated => {
                payload.put("permissions", write_permissions(self.job.head.permissions));
                payload.put("context", self.context.clone());
                if let Some(plan) = &self.plan {
                    payload.put("plan", plan.clone());
                }
                "job_created"
            }
            Fact::JobStarted => "job_started",
            Fact::JobPaused(reason) => {
                if let Some(reason) = reason {
                    payload.text("reason", reason.name());
                }
                "job_paused"
            }
            Fact::JobCompleted | Fact::JobFailed => {
                payload.text("status", self.job.head.status.name());
                if noted.fact == Fact::JobCompleted { "job_completed" } else { "job_failed" }
            }
            Fact::PermissionsChanged(permissions) => {
                payload.put("permissions", write_permissions(*permissions));
                "permissions_changed"
            }
            Fact::Signalled { name, payload: carried } => {
                payload.text("name", name);
                payload.put("payload", carried.clone());
                "signal_received"
            }
            Fact::BreakpointsChanged => {
                payload.put("steps", self.breakpoints());
                "breakpoints_changed"
            }
            Fact::Emitted { step, .. } => {
                let run = self.job.run.as_ref();
                source = run.and_then(|run| run.step(*step).agent()).unwrap_or_default();
                recorded.name
            }
            Fact::Step { step, attempt, item, round, status, what } => {
                self.write_step(&mut payload, *step);
                payload.count("attempt", Some((*attempt).into()));
                payload.text("status", status.name());
                payload.count("item", item.map(u64::from));
                payload.count("round", round.map(u64::from));
                self.write_step_fact(&mut payload, *step, what, recorded);
                name_of(what, item.is_some())
            }
        };
        if let (1, Some(origin)) = (seq, recorded.get("forkedFrom")) {
            payload.put("forkedFrom", origin.clone());
        }
        let payload = match noted.fact {
            Fact::Emitted { .. } => recorded.payload.clone(),
            _ => payload.done(),
        };
        self.event(seq, name, payload, noted.cause, source)
    }

    /// An event around its payload.
    pub(super) fn event(
        &self,
        seq: u64,
        name: &str,
        payload: Value,
        cause: Option<u64>,
        source: &str,
    ) -> Value {
        let (mut event, mut trace, mut meta) = <(Members, Members, Members)>::default();
        let span = span_id(&self.trace, seq);
        trace.text("traceId", &self.trace);
        trace.text("spanId", &span);
        if let Some(cause) = cause {
            trace.text("parentId", &span_id(&self.trace, cause));
        }
        meta.number("timestamp", Some(self.job.now));
        meta.text("source", source);
        event.text("id", &span);
        event.count("seq", Some(seq));
        event.text("type", name);
        event.put("payload", payload);
        event.put("trace", trace.done());
        event.put("meta", meta.done());
        event.done()
    }

    fn write_step(&self, payload: &mut Members, step: StepIndex) {
        let Some(run) = &self.job.run else { return };
        let what = run.step(step);
        payload.text("step", &what.id);
        if let Some(agent) = what.agent() {
            payload.text("agent", agent);
        }
    }

    fn write_step_fact(
        &self,
        payload: &mut Members,
        step: StepIndex,
        what: &StepFact<Value>,
        recorded: &Recorded<'_>,
    ) {
        if let (Some(routed), true) = (recorded.get("routed"), self.first_of_routed == Some(step)) {
            payload.put("routed", routed.clone());
        }
        match what {
            StepFact::Started { given } => {
                if let Some(given) = given {
                    payload.put("input", given.clone());
                }
            }
            StepFact::FannedOut { items } => payload.put("items", items.clone()),
            StepFact::Suspended { code, message } => {
                payload.put("error", self.write_error(*code, message, recorded))
            }
            StepFact::Waiting { due_at } => payload.number("dueAt", *due_at),
            StepFact::Completed { output, cost } | StepFact::RoundCompleted { output, cost } => {
                payload.put("output", output.clone());
                payload.number("cost", *cost);
            }
            StepFact::Failed { code, message, retry_at, asked } => {
                payload.put("error", self.write_error(*code, message, recorded));
                payload.number("retryAt", *retry_at);
                match asked {
                    Asked::Nothing => {}
                    Asked::NoRetry => payload.put("retryable", Value::Bool(false)),
                    Asked::Later(ms) => payload.number("retryAfter", Some(*ms)),
                }
            }
            StepFact::ApprovalRequested(approval) => {
                payload.text("approval", &approval.id);
                if approval.tool_call.is_some() {
                    payload.put("tool", recorded.get("tool").cloned().unwrap_or_default());
                    if let Some(args) = recorded.get("args") {
                        payload.put("args", args.clone());
                    }
                }
            }
            StepFact::Approved(decision) => write_decision(payload, decision, "note"),
            StepFact::Rejected(decision) => write_decision(payload, decision, "reason"),
            StepFact::Recovered | StepFact::LateResultDropped | StepFact::Skipped => {}
        }
    }

    /// What an error says may have been replaced by its hash.
    fn write_error(&self, code: Code, message: &str, recorded: &Recorded<'_>) -> Value {
        let said = recorded.message();
        write_error(code, if self.redacted && said.starts_with(HASHED) { said } else { message })
    }

    fn breakpoints(&self) -> Value {
        let run = self.job.run.as_ref();
        let ids =
            run.map(|run| run.breakpoints.iter().map(|&step| Value::from(&*run.step(step).id)).collect());
        Value::Array(ids.unwrap_or_default())
    }
}

fn write_decision(payload: &mut Members, decision: &Decision, note: &str) {
    payload.text("approval", &decision.approval);
    if let Some(by) = &decision.by {
        payload.text("by", by);
    }
    if let Some(said) = &decision.note {
        payload.text(note, said);
    }
}

/// What an event of a step, or of an item of it, is called.
fn name_of(what: &StepFact<Value>, of_item: bool) -> &'static str {
    match (what, of_item) {
        (StepFact::Started { .. } | StepFact::Waiting { .. } | StepFact::FannedOut { .. }, false) => {
            "step_started"
        }
        (StepFact::Started { .. } | StepFact::Waiting { .. } | StepFact::FannedOut { .. }, true) => {
            "item_started"
        }
        (StepFact::Completed { .. }, false) => "step_completed",
        (StepFact::Completed { .. }, true) => "item_completed",
        (StepFact::Failed { .. }, false) => "step_failed",
        (StepFact::Failed { .. }, true) => "item_failed",
        (StepFact::RoundCompleted { .. }, _) => "round_completed",
        (StepFact::Suspended { .. }, _) => "step_suspended",
        (StepFact::Skipped, _) => "step_skipped",
        (StepFact::ApprovalRequested(_), _) => "approval_requested",
        (StepFact::Approved(_), _) => "step_approved",
        (StepFact::Rejected(_), _) => "step_rejected",
        (StepFact::Recovered, _) => "step_recovered",
        (StepFact::LateResultDropped, _) => "late_result_dropped",
    }
}

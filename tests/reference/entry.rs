//! Decisions as they stand in history.

use serde_json::{Value, json};

use crate::{
    case::Permissions,
    plan::Plan,
    state::{Asked, Decision, Spot, State, What},
};

impl State {
    /// A decision that was just followed, as its entry in history: type and payload, without the words
    /// of errors and what follows from the plan.
    pub fn entry(&self, plan: &Plan, decision: &Decision) -> (&'static str, Value) {
        match decision {
            Decision::JobCreated => ("job_created", json!({})),
            Decision::JobStarted => ("job_started", json!({})),
            Decision::JobPaused(None, _) => ("job_paused", json!({})),
            Decision::JobPaused(Some(reason), _) => ("job_paused", json!({ "reason": reason.name() })),
            Decision::JobCompleted => ("job_completed", json!({ "status": "completed" })),
            Decision::JobFailed(_) => ("job_failed", json!({ "status": "failed" })),
            Decision::PermissionsChanged(Permissions { tools, approval, max_steps }) => {
                let to = json!({ "allowTools": tools, "requireApproval": approval, "maxSteps": max_steps });
                ("permissions_changed", json!({ "permissions": to }))
            }
            Decision::BreakpointsChanged(steps) => {
                let ids: Vec<&str> = steps.iter().map(|&step| &*plan.steps[step].id).collect();
                ("breakpoints_changed", json!({ "steps": ids }))
            }
            Decision::SignalReceived(name, payload) => {
                ("signal_received", json!({ "name": name, "payload": payload }))
            }
            Decision::Step(step, what) => self.step_entry(plan, *step, what),
        }
    }

    fn step_entry(&self, plan: &Plan, spot: Spot, what: &What) -> (&'static str, Value) {
        let (planned, step) = (&plan.steps[spot.step], self.at(spot));
        let mut payload =
            json!({ "step": planned.id, "attempt": step.attempts, "status": step.status.name() });
        if planned.repeat.is_some() {
            payload["round"] = (step.rounds_ended + u64::from(!step.between_rounds)).into();
        }
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                payload[key] = value;
            }
        };
        put("item", spot.item.map(Value::from));
        let is_item = spot.item.is_some();
        let name = match what {
            What::Started { given } => {
                put("input", given.clone());
                if is_item { "item_started" } else { "step_started" }
            }
            What::FannedOut { items } => {
                put("items", Some(items.clone().into()));
                "step_started"
            }
            What::Suspended { code } => {
                put("error", Some(json!({ "code": code })));
                "step_suspended"
            }
            What::Waits { due_at } => {
                put("dueAt", due_at.map(Value::from));
                "step_started"
            }
            What::Completed { output, cost } | What::RoundCompleted { output, cost } => {
                put("output", Some(output.clone()));
                put("cost", cost.map(Value::from));
                match what {
                    What::RoundCompleted { .. } => "round_completed",
                    _ if is_item => "item_completed",
                    _ => "step_completed",
                }
            }
            What::Skipped => "step_skipped",
            What::Failed { code, retry_at, asked } => {
                match asked {
                    Asked::Nothing => {}
                    Asked::NoRetry => put("retryable", Some(false.into())),
                    Asked::Later(ms) => put("retryAfter", Some((*ms).into())),
                }
                put("error", Some(json!({ "code": code })));
                put("retryAt", retry_at.map(Value::from));
                if is_item { "item_failed" } else { "step_failed" }
            }
            What::Cancelled => {
                put("error", Some(json!({ "code": "cancelled" })));
                if is_item { "item_failed" } else { "step_failed" }
            }
            What::Asked { tool } => {
                put("approval", self.approvals.last().map(|asked| asked.id.clone().into()));
                put("tool", tool.clone().map(Value::from));
                "approval_requested"
            }
            What::Approved { id, by } => {
                put("approval", Some(id.clone().into()));
                put("by", by.map(Value::from));
                "step_approved"
            }
            What::Rejected { id } => {
                put("approval", Some(id.clone().into()));
                "step_rejected"
            }
            What::Recovered => "step_recovered",
            What::Late => "late_result_dropped",
        };
        (name, payload)
    }
}

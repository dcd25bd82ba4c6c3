//! What holds of every job after every step, whatever the reference says: read from the stored job alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{case::Case, lockstep::Agreed, plan::Plan};

pub struct Invariants {
    plan: Plan,
    read: usize,
    max_steps: u64,
    begun: BTreeSet<String>,
    ended: BTreeMap<String, String>,
    job_ended: Option<Value>,
}

impl Invariants {
    pub fn new(case: &Case) -> Invariants {
        Invariants {
            plan: Plan::read(&case.plan),
            read: 0,
            max_steps: case.permissions.max_steps,
            begun: BTreeSet::new(),
            ended: BTreeMap::new(),
            job_ended: None,
        }
    }

    /// Reads what is new.
    pub fn look(&mut self, job: &Map<String, Value>, at_work: usize, held: usize) -> Agreed {
        // So what is spent too much is never more than what those at work cost above their estimates.
        if at_work > held {
            return Err(format!("{at_work} attempts at work, and something is held for {held}"));
        }
        if at_work > self.plan.concurrency {
            return Err(format!("{at_work} attempts at work, of which {} may be", self.plan.concurrency));
        }
        let history = job.get("history").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for event in history.get(self.read..).ok_or("the history shrank")? {
            self.read += 1;
            self.read_event(event).map_err(|problem| format!("entry {}: {problem}", self.read))?;
        }
        self.look_at_end(job)
    }

    fn read_event(&mut self, event: &Value) -> Agreed {
        let (name, payload) = (event["type"].as_str().unwrap_or_default(), &event["payload"]);
        let id = payload["step"].as_str().unwrap_or_default().to_owned();
        if self.job_ended.is_some() && name != "late_result_dropped" {
            return Err(format!("{name} after the job's end"));
        }
        let is_end = matches!(name, "step_completed" | "step_failed" | "step_skipped")
            && payload.get("retryAt").is_none();
        match name {
            "job_completed" | "job_failed" => self.job_ended = Some(event.clone()),
            "permissions_changed" => {
                self.max_steps = payload["permissions"]["maxSteps"].as_u64().ok_or("no limit")?;
            }
            "step_started" => {
                let place = self.plan.place_of(&id).ok_or("an unknown step")?;
                let after = self.plan.steps[place].after.iter().map(|&before| &self.plan.steps[before].id);
                if let Some(before) = after.into_iter().find(|before| !self.ended.contains_key(*before)) {
                    return Err(format!("{id} begins before {before} has ended"));
                }
                if payload["status"] == "running" && self.begun.insert(id.clone()) {
                    let begun = self.begun.len() as u64;
                    if begun > self.max_steps {
                        return Err(format!("{begun} steps, of which {} may be", self.max_steps));
                    }
                }
                if self.ended.contains_key(&id) {
                    return Err(format!("{id} begins after its end"));
                }
            }
            _ if is_end => {
                if let Some(first) = self.ended.insert(id.clone(), name.to_owned()) {
                    return Err(format!("{id} ends twice: {first}, {name}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn look_at_end(&self, job: &Map<String, Value>) -> Agreed {
        let has_ended = matches!(job["status"].as_str(), Some("completed" | "failed"));
        if has_ended != self.job_ended.is_some() {
            return Err(format!("its status is {}, against its history", job["status"]));
        }
        if has_ended && let Some(open) = self.begun.iter().find(|id| !self.ended.contains_key(*id)) {
            return Err(format!("{open} has no end, and the job has"));
        }
        Ok(())
    }
}

//! What each event comes from.

use serde_json::Value;

use super::{Refused, Replay, recorded::Recorded};
use crate::{
    core::{
        event::Decision,
        job::Failure,
        outcome::{Code, Refusal},
        plan::Work,
        status::Move,
        step::StepIndex,
        stored::{read_permission_patch, read_routed_step},
        trace::trace_id,
    },
    host::{AgentResult, Host, Routed},
    orchestrator::{
        attempt::{Limit, timed_out},
        settle::note_result,
    },
};

/// What is expected of an event that can't have come from where it says.
const ANOTHER: Refused = "another event: the job stands elsewhere";
const ENDED: Refused = "nothing: the job has ended";
const NO_STEP: Refused = "an event of a step of the job";

fn refused(refusal: Refusal) -> Refused {
    refusal.code.sentence()
}

impl<H: Host> Replay<H> {
    /// Does what the event says was done, or what is decided instead. Gives whether the core decided on it.
    pub(super) async fn note(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<bool, Refused> {
        if std::mem::take(&mut self.ending) && !matches!(recorded.name, "job_completed" | "job_failed") {
            return Err("the end of the job");
        }
        match recorded.name {
            "job_created" => self.begin(recorded)?,
            "job_started" => self.job.start_by_caller().map_err(refused)?,
            "job_paused" => return self.pause(recorded).await,
            "job_completed" if recorded.cause.is_some() => return self.complete().await,
            // By its caller, or its monitor.
            "job_completed" => {
                self.job.complete_by_caller(Move::ChildrenEnded, self.job.now).map_err(refused)?
            }
            "job_failed" => self.end_by_caller()?,
            "job_forked" => self.fork(recorded)?,
            "permissions_changed" => {
                self.goes_on()?;
                self.job.set_permissions(self.permissions(recorded));
                self.permissions_known = true;
            }
            "signal_received" => {
                let name = recorded.text("name").unwrap_or_default();
                self.job.signal(name, recorded.value.clone()).map_err(refused)?;
            }
            "breakpoints_changed" => {
                let ids = recorded.get("steps").and_then(Value::as_array).into_iter().flatten();
                let ids: Vec<String> = ids.filter_map(|id| Some(id.as_str()?.to_owned())).collect();
                self.job.set_breakpoints(&ids).map_err(refused)?;
            }
            "slow_play_changed" => {
                self.goes_on()?;
                self.job.set_pace(recorded.number("ms").unwrap_or_default());
            }
            "step_approved" | "step_rejected" => self.answer(recorded)?,
            "step_recovered" if self.job.is_running() && self.job.recover_steps() => {}
            "step_started"
            | "item_started"
            | "step_skipped"
            | "approval_requested"
            | "step_completed"
            | "item_completed"
            | "round_completed"
            | "step_failed"
            | "item_failed"
            | "step_suspended"
            | "late_result_dropped" => return self.step_event(recorded).await,
            _ => self.emit(recorded)?,
        }
        Ok(false)
    }

    fn goes_on(&self) -> Result<(), Refused> {
        if self.job.head.status.has_ended() { Err(ENDED) } else { Ok(()) }
    }

    fn permissions(&self, recorded: &Recorded<'_, H::Value>) -> crate::core::permissions::Permissions {
        let given = recorded.get("permissions").unwrap_or(&Value::Null);
        read_permission_patch(given).over(self.job.head.permissions)
    }

    /// A history begins with what a replay starts from; without a plan, when the first step does.
    fn begin(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<(), Refused> {
        let run = self.job.run_mut();
        let (planned, begun) = (run.has_plan(), run.has_beginning);
        if begun || (planned && self.job.head.seq > 0) || (!planned && !self.job.is_running()) {
            return Err(ANOTHER);
        }
        if !self.permissions_known {
            self.job.head.permissions = self.permissions(recorded);
            self.permissions_known = true;
        }
        self.job.change.rare.permissions = true;
        self.job.begin_history();
        Ok(())
    }

    fn end_by_caller(&mut self) -> Result<(), Refused> {
        // Whether it was failed or cancelled makes no difference to what is recorded.
        let why = Failure { code: Code::Cancelled, message: Box::default(), step: None };
        self.job.end_by_caller(Move::Cancel, Some(why), self.job.now).map_err(refused)
    }

    fn answer(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<(), Refused> {
        self.goes_on()?;
        let id = recorded.text("approval").unwrap_or_default();
        let waiting = self.job.run_mut().approvals.iter().find(|waiting| *waiting.id == *id).cloned();
        let waiting = waiting.ok_or("another event: no such approval is waiting")?;
        let yes = recorded.name == "step_approved";
        let said = |key: &str| recorded.text(key).map(Box::from);
        let note = said(if yes { "note" } else { "reason" });
        let decision = Decision { approval: id.into(), by: said("by"), note };
        if yes {
            self.job.approve(&waiting, decision, self.job.now);
        } else {
            self.job.reject(&waiting, decision, self.job.now);
        }
        Ok(())
    }

    /// An agent's own event, caused by what its step did last.
    fn emit(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<(), Refused> {
        let run = self.job.run_mut();
        let sent = self.attempts.iter().find(|&&step| run.states[step].seq == recorded.cause);
        let step = sent.copied().filter(|_| recorded.cause.is_some()).ok_or(ANOTHER)?;
        self.job.emit(step, recorded.value.clone());
        Ok(())
    }

    /// The place of the step that the event is about, or of an item of it.
    fn place(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<StepIndex, Refused> {
        let run = self.job.run_mut();
        let step = run.index_of(recorded.text("step").unwrap_or_default()).ok_or(NO_STEP)?;
        if recorded.get("item").is_none() {
            return Ok(step);
        }
        let item = recorded.count("item").zip(run.states[step].fan_out);
        item.and_then(|(item, items)| items.places().nth(item as usize)).ok_or(NO_STEP)
    }

    async fn step_event(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<bool, Refused> {
        // Steps that are under way end as cancelled where their job's caller ends it; that says so itself, afterwards.
        if matches!(recorded.name, "step_failed" | "item_failed")
            && recorded.code() == Some(Code::Cancelled)
            && recorded.message() == Code::Cancelled.sentence()
        {
            self.goes_on()?;
            self.ending = true;
            self.job.fail_other_attempts(StepIndex::MAX, self.job.now);
            return Ok(false);
        }
        let step = match (self.place(recorded), recorded.get("routed").and_then(Value::as_object)) {
            (Ok(step), _) => step,
            (Err(_), Some(routed)) => {
                let routed = Routed::Step(read_routed_step(routed));
                return self.turn(None, Some(routed), recorded.given()).await;
            }
            (Err(refused), None) => return Err(refused),
        };
        let begins = matches!(recorded.name, "step_started" | "item_started");
        if recorded.name == "late_result_dropped" {
            self.job.run_mut().states[step].started_at.ok_or(ANOTHER)?;
            self.job.drop_late_result(step);
        } else if self.attempts.contains(&step) && !begins {
            self.attempt_ended(step, recorded)?;
        } else {
            return self.turn(Some(step), None, recorded.given()).await;
        }
        Ok(recorded.get("retryAt").is_some())
    }

    /// An attempt came to its end.
    fn attempt_ended(&mut self, step: StepIndex, recorded: &Recorded<'_, H::Value>) -> Result<(), Refused> {
        let run = self.job.run_mut();
        let what = run.step(step);
        let is_job = matches!(what.work, Work::Job(_));
        let limit = what.timeout_ms.map(|ms| Limit { ms, name: run.name_of(step) });
        let result = match (recorded.name, recorded.code()) {
            ("step_completed" | "item_completed" | "round_completed", _) => {
                AgentResult::Done { output: recorded.value.clone(), cost: recorded.number("cost") }
            }
            ("approval_requested", _) => {
                AgentResult::NeedsApproval { calls: recorded.count("calls").unwrap_or(0) }
            }
            ("step_failed" | "item_failed", Some(Code::Timeout)) if !is_job && limit.is_some() => {
                timed_out(limit.as_ref())
            }
            ("step_failed" | "item_failed", Some(code))
                if is_job || matches!(code, Code::AgentFailed | Code::InvalidOutput) =>
            {
                AgentResult::Failed {
                    why: Refusal::new(code, recorded.message().to_owned()),
                    retryable: recorded.get("retryable") != Some(&Value::Bool(false)),
                    retry_after: recorded.number("retryAfter"),
                    cost: None,
                }
            }
            ("step_suspended", Some(code)) if is_job => {
                self.job.suspend_step(step, Refusal::new(code, recorded.message().to_owned()));
                return Ok(());
            }
            _ => return Err("the end of the attempt that is under way"),
        };
        // What a fork shares was drawn for the job that it was forked from.
        let trace = || recorded.text("drawnFor").map_or_else(|| self.trace.clone(), trace_id);
        note_result(&mut self.job, step, &result, &trace);
        Ok(())
    }

    /// The job goes on as a fork of another, from the end of one of its steps.
    fn fork(&mut self, recorded: &Recorded<'_, H::Value>) -> Result<(), Refused> {
        let after = recorded.get("from").and_then(|from| from.get("afterStep")).and_then(Value::as_str);
        let run = self.job.run_mut();
        let ended = after.and_then(|id| run.index_of(id)).map(|step| &run.states[step]);
        // A rejection that the job goes on after also starts it, so the step's end need not come last.
        if !ended.is_some_and(|state| state.status.has_ended() && state.seq > Some(self.decided_after)) {
            return Err("another event: a fork begins when its step has ended");
        }
        self.job.fork(self.permissions(recorded));
        Ok(())
    }
}

//! What each event comes from.

use serde_json::Value;

use super::{Refused, Replay, because, event::Recorded, refused};
use crate::core::{
    admission::within_step_limit,
    event::Decision,
    job::{Failure, Run},
    outcome::{Code, Refusal},
    plan::{self, Work},
    status::{JobStatus, Move},
    step::{StepIndex, StepStatus},
    stored::{read_permission_patch, read_permissions, read_routed_step},
};

impl Replay {
    /// Does what the event says was done, or what is decided instead. Says whether the core decided on it.
    pub(super) fn note(&mut self, recorded: &Recorded<'_>) -> Result<bool, Refused> {
        self.first_of_routed = None;
        if std::mem::take(&mut self.ending) && !matches!(recorded.name, "job_completed" | "job_failed") {
            return Err(because("the end of the job"));
        }
        match recorded.name {
            "job_created" => self.begin(recorded)?,
            "job_started" => self.start()?,
            "job_paused" => return self.pause(recorded),
            "job_completed" if recorded.cause.is_some() => return self.complete(),
            "job_completed" => self.job.complete_by_caller(self.job.now).map_err(refused)?,
            "job_failed" => self.end_by_caller()?,
            "permissions_changed" => self.permit(recorded)?,
            "signal_received" => self.signal(recorded)?,
            "breakpoints_changed" => self.set_breakpoints(recorded)?,
            "step_approved" | "step_rejected" => self.answer(recorded)?,
            "step_recovered" => self.recover()?,
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
            | "late_result_dropped" => return self.step_event(recorded),
            _ => self.emit(recorded)?,
        }
        Ok(false)
    }

    /// The job has not ended: it can still change.
    fn goes_on(&self) -> Result<(), Refused> {
        if self.job.head.status.has_ended() { Err(because("nothing: the job has ended")) } else { Ok(()) }
    }

    fn begin(&mut self, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let plan = recorded.get("plan");
        let in_time = if plan.is_some() { self.met == 0 } else { self.job.is_running() };
        if !in_time || self.job.run_mut().has_beginning {
            return Err(because("another event: a job begins once"));
        }
        let permissions = recorded.get("permissions").unwrap_or(&Value::Null);
        if !self.permissions_known {
            self.job.head.permissions = read_permissions(permissions);
            self.permissions_known = true;
        }
        if let Some(context @ Value::Object(_)) = recorded.get("context") {
            self.context = context.clone();
        }
        if let Some(plan) = plan {
            let parsed = plan::parse(plan).map_err(|problems| {
                let first = &problems[0];
                because(&["a plan without problems: ", &first.path, " ", &first.message].concat())
            })?;
            self.job.run = Some(Run::planned(parsed.into()));
            self.plan = Some(plan.clone());
        }
        if self.met == 0 {
            self.origins[0] = recorded.get("forkedFrom").cloned().unwrap_or_default();
        }
        self.job.begin_history();
        Ok(())
    }

    fn start(&mut self) -> Result<(), Refused> {
        let (before, now) = (self.job.head.status, self.job.now);
        self.job.start(Move::Start, now, None).map_err(refused)?;
        if before == JobStatus::Paused && self.job.is_finished() {
            self.job.complete(now, Some(self.job.head.seq)).map_err(refused)?;
        }
        Ok(())
    }

    fn end_by_caller(&mut self) -> Result<(), Refused> {
        // Whether it was failed or cancelled makes no difference to what is recorded.
        let why = Failure { code: Code::Cancelled, message: Box::default(), step: None };
        self.job.end_by_caller(Move::Cancel, Some(why), self.job.now).map_err(refused)
    }

    fn permit(&mut self, recorded: &Recorded<'_>) -> Result<(), Refused> {
        self.goes_on()?;
        let given = recorded.get("permissions").unwrap_or(&Value::Null);
        let permissions = read_permission_patch(given).over(self.job.head.permissions);
        self.permissions_known = true;
        self.job.set_permissions(permissions);
        Ok(())
    }

    fn signal(&mut self, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let payload = recorded.get("payload").cloned().unwrap_or_default();
        self.signals.insert(self.job.head.seq + 1, payload.clone());
        self.job.signal(recorded.text("name").unwrap_or_default(), payload).map_err(refused)
    }

    fn set_breakpoints(&mut self, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let ids = recorded.get("steps").and_then(Value::as_array).into_iter().flatten();
        let ids: Vec<String> = ids.filter_map(|id| Some(id.as_str()?.to_owned())).collect();
        self.job.set_breakpoints(&ids).map_err(refused)
    }

    fn answer(&mut self, recorded: &Recorded<'_>) -> Result<(), Refused> {
        self.goes_on()?;
        let id = recorded.text("approval").unwrap_or_default();
        let waiting = self.job.run_mut().approvals.iter().find(|waiting| *waiting.id == *id);
        let Some(waiting) = waiting.cloned() else {
            return Err(because("another event: no such approval is waiting"));
        };
        let now = self.job.now;
        let yes = recorded.name == "step_approved";
        let said = |key: &str| recorded.text(key).map(Box::from);
        let note = said(if yes { "note" } else { "reason" });
        let decision = Decision { approval: id.into(), by: said("by"), note };
        if yes {
            self.job.approve(&waiting, decision, now);
        } else {
            self.job.reject(&waiting, decision, now);
        }
        Ok(())
    }

    fn recover(&mut self) -> Result<(), Refused> {
        if self.job.is_running() && self.job.recover_steps() {
            return Ok(());
        }
        Err(because("another event: no attempt can have been cut off"))
    }

    /// An agent's own event, caused by what its step did last.
    fn emit(&mut self, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let run = self.job.run_mut();
        let step = self.attempts.iter().copied().find(|&step| run.states[step].seq == recorded.cause);
        match step.filter(|_| recorded.cause.is_some()) {
            Some(step) => {
                self.job.emit(step, Value::Null);
                Ok(())
            }
            None => Err(because("another event: no agent is at work that can have sent it")),
        }
    }

    /// The place of the step that the event is about, or of an item of it.
    fn place(&mut self, recorded: &Recorded<'_>) -> Result<StepIndex, Refused> {
        let id = recorded.text("step").unwrap_or_default();
        let known = self.job.run_mut().index_of(id);
        let step = match known {
            Some(step) => step,
            None if recorded.get("routed").is_some() => return self.add_routed(recorded),
            None => return Err(because("an event of a step of the job")),
        };
        let Some(item) = recorded.get("item") else { return Ok(step) };
        let item = item.as_u64().and_then(|item| usize::try_from(item).ok());
        let items = self.job.run_mut().states[step].fan_out;
        item.zip(items)
            .and_then(|(item, items)| items.places().nth(item))
            .ok_or_else(|| because("an event of an item that is there"))
    }

    /// A router named the step, because nothing else was left to do.
    fn add_routed(&mut self, recorded: &Recorded<'_>) -> Result<StepIndex, Refused> {
        if !self.may_be_routed() {
            return Err(because("an event of a step of the job: no router is asked for one"));
        }
        if within_step_limit(&self.job, None).is_err() {
            return Err(because("a pause: the step limit is reached"));
        }
        let routed = recorded.get("routed").and_then(Value::as_object);
        let step = self.job.add_routed(routed.map(read_routed_step).unwrap_or_default());
        self.first_of_routed = Some(step);
        Ok(step)
    }

    fn step_event(&mut self, recorded: &Recorded<'_>) -> Result<bool, Refused> {
        if self.begins_to_end(recorded) {
            self.goes_on()?;
            self.ending = true;
            self.job.fail_other_attempts(StepIndex::MAX, self.job.now);
            return Ok(false);
        }
        let step = self.place(recorded)?;
        if recorded.name == "late_result_dropped" {
            if self.job.run_mut().states[step].started_at.is_none() {
                return Err(because("another event: the step has not begun"));
            }
            self.job.drop_late_result(step);
            return Ok(false);
        }
        if recorded.name == "approval_requested" && recorded.get("tool").is_some() {
            return self.ask_about_call(step);
        }
        let begins = matches!(recorded.name, "step_started" | "item_started");
        if self.attempts.contains(&step) && !begins {
            self.attempt_ended(step, recorded)?;
            return Ok(recorded.get("retryAt").is_some());
        }
        self.decide(step, recorded)?;
        Ok(true)
    }

    /// Steps that are under way end as cancelled where their job's caller ends it; that says so itself, afterwards.
    fn begins_to_end(&self, recorded: &Recorded<'_>) -> bool {
        matches!(recorded.name, "step_failed" | "item_failed")
            && recorded.code() == Some(Code::Cancelled)
            && recorded.message() == Code::Cancelled.sentence()
    }

    /// An agent called tools that a person has to approve: several calls at once are asked about together.
    fn ask_about_call(&mut self, step: StepIndex) -> Result<bool, Refused> {
        let run = self.job.run_mut();
        let asked = run.approvals.iter().filter(|waiting| waiting.step == step).count() as u32;
        let just_asked = self.asked == (step, self.met, self.job.now);
        if !self.attempts.contains(&step) && !just_asked {
            return Err(because("another event: no agent is at work on the step"));
        }
        self.asked = (step, self.met + 1, self.job.now);
        self.job.request_approval(step, Some(asked));
        Ok(false)
    }

    /// An attempt came to its end.
    fn attempt_ended(&mut self, step: StepIndex, recorded: &Recorded<'_>) -> Result<(), Refused> {
        let now = self.job.now;
        let what = self.job.run_mut().step(step);
        let is_job = matches!(what.work, Work::Job(_));
        let (repeats, timeout_ms) = (what.repeat.is_some(), what.timeout_ms);
        let output = recorded.get("output").cloned().unwrap_or_default();
        let cost = recorded.number("cost");
        match recorded.name {
            "step_completed" | "item_completed" | "round_completed" if repeats => {
                self.job.end_round(step, output, cost);
            }
            "step_completed" | "item_completed" | "round_completed" => {
                self.job.finish_step(step, output, cost, now);
            }
            "step_failed" | "item_failed" => {
                let timed_out = timeout_ms.map(|ms| {
                    let name = self.job.run_mut().name_of(step);
                    [&name, " timed out after ", &(ms.ceil() as u64).to_string(), " ms"].concat()
                });
                let message = match (recorded.code(), timed_out) {
                    (Some(Code::Timeout), Some(message)) if !is_job => message,
                    (Some(Code::AgentFailed | Code::InvalidOutput), _) => recorded.message().to_owned(),
                    (Some(_), _) if is_job => recorded.message().to_owned(),
                    _ => return Err(because("an error that an attempt can end with")),
                };
                let why = Refusal::new(recorded.code().unwrap_or(Code::Internal), message);
                let wait = self.job.wait_before_retry(step, &|| self.trace.clone());
                let retryable = recorded.get("retryable") != Some(&Value::Bool(false));
                self.job.fail_attempt(step, why, wait, retryable, recorded.number("retryAfter"));
            }
            "step_suspended" if is_job => {
                let code = recorded.code().unwrap_or(Code::Internal);
                self.job.suspend_step(step, Refusal::new(code, recorded.message().to_owned()));
            }
            _ => return Err(because("the end of the attempt that is under way")),
        }
        Ok(())
    }

    /// The job goes on as a fork of another: see [`crate::core::job::Job::fork`].
    pub(super) fn fork(&mut self, recorded: &Recorded<'_>) -> Result<Value, Refused> {
        let from = recorded.get("from").cloned().unwrap_or_default();
        let step = from.get("afterStep").and_then(Value::as_str).unwrap_or_default();
        let run = self.job.run_mut();
        let after = run.index_of(step).map(|step| &run.states[step]);
        let ended_last =
            after.is_some_and(|state| state.status == StepStatus::Done && state.seq == Some(self.met));
        if !ended_last {
            return Err(because("another event: a fork begins when its step has ended"));
        }
        let given = recorded.get("permissions").unwrap_or(&Value::Null);
        let permissions = read_permission_patch(given).over(self.job.head.permissions);
        self.job.fork(permissions);
        self.drain();
        if let (Some(Value::Object(changed)), Value::Object(context)) =
            (recorded.get("context"), &mut self.context)
        {
            for (key, value) in changed {
                self.written.insert(key.as_str().into());
                context.insert(key.clone(), value.clone());
            }
        }
        self.origins[1] = from;
        let mut payload = recorded.payload.clone();
        payload["jobId"] = self.id.as_str().into();
        let seq = self.met + 1;
        Ok(self.event(seq, recorded.name, payload, Some(self.met), "jobwright"))
    }

    /// Whether nothing is left to do for a job whose steps a router names.
    pub(super) fn may_be_routed(&mut self) -> bool {
        let running = self.job.is_running();
        let run = self.job.run_mut();
        running && run.schedule.all_ended() && !run.has_plan()
    }
}

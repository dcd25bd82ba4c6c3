use super::{Approval, Job, PauseReason};
use crate::core::{
    event::{Decision, StepFact},
    outcome::{Code, Refusal},
    status::Move,
    step::{StepIndex, StepStatus},
};

impl<V> Job<V> {
    /// A person is asked about a step, or about a tool call of its agent.
    pub fn request_approval(&mut self, step: StepIndex, tool_call: Option<u32>) {
        let cause = self.cause_of(step);
        let seq = self.head.seq + 1;
        let run = self.run_mut();
        let id = format!("{}:{seq}", run.step(step).id).into();
        let state = &mut run.states[step];
        state.status = StepStatus::Waiting;
        if tool_call.is_some() {
            // The attempt was cut short: it is made again under the same number.
            state.interrupted = true;
            run.schedule.offer(step);
        }
        let approval = Approval { id, step, tool_call };
        run.approvals.push(approval.clone());
        self.change.rare.approvals = true;
        self.note_step(step, cause, StepFact::ApprovalRequested(approval));
    }

    pub(super) fn withdraw_approvals(&mut self, which: impl Fn(&Approval) -> bool) {
        let Some(run) = &mut self.run else { return };
        let before = run.approvals.len();
        run.approvals.retain(|approval| !which(approval));
        if run.approvals.len() != before {
            self.change.rare.approvals = true;
        }
    }

    /// A person approved; a job that was paused for it becomes running.
    pub fn approve(&mut self, approval: &Approval, by: Decision, now: f64) {
        let step = approval.step;
        let cause = self.step_seq(step);
        self.withdraw_approvals(|other| other.id == approval.id);
        if approval.tool_call.is_none() {
            let who = by.by.clone().unwrap_or_else(|| "unknown".into());
            self.run_mut().states[step].approved_by = Some(who);
        }
        let run = self.run_mut();
        if !run.approvals.iter().any(|other| other.step == step)
            && run.states[step].status == StepStatus::Waiting
        {
            run.states[step].status = StepStatus::Pending;
        }
        self.run_mut().schedule.offer(step);
        self.note_step(step, cause, StepFact::Approved(by));
        self.go_on_after_answer(now);
    }

    /// A job that was paused for an approval becomes running when one was given or refused.
    fn go_on_after_answer(&mut self, now: f64) {
        let paused_for_it = self
            .run
            .as_ref()
            .is_some_and(|run| run.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Approval));
        if paused_for_it {
            // Refused only where the job is not paused, and then it needs no starting.
            let _ = self.start(Move::Approve, now, Some(self.head.seq));
        }
    }

    /// A person said no: the step fails, and the job with it unless the plan says otherwise.
    pub fn reject(&mut self, approval: &Approval, by: Decision, now: f64) {
        let step = approval.step;
        let cause = self.step_seq(step);
        let message = match (&by.note, &by.by) {
            (Some(note), _) => note.to_string(),
            (None, Some(who)) => format!("Step rejected by {who}"),
            (None, None) => Code::Rejected.sentence().to_owned(),
        };
        self.withdraw_approvals(|other| other.id == approval.id);
        self.note_step(step, cause, StepFact::Rejected(by));
        self.fail_step(step, Refusal::new(Code::Rejected, message), now);
        self.go_on_after_answer(now);
    }
}

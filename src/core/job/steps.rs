use super::{Failure, Job, Steps};
use crate::core::{
    event::{Asked, Fact, StepFact},
    outcome::{Code, Refusal},
    plan::{OnError, RoutedStep, Step, Work},
    status::Move,
    step::{StepIndex, StepState, StepStatus},
    trace::draw,
};

impl<V> Job<V> {
    /// A router named the next step.
    pub fn add_routed(&mut self, asked: RoutedStep) -> StepIndex {
        self.begin_history();
        let run = self.run_mut();
        let step = run.schedule.push_ready();
        run.states.push(StepState::default());
        if let Steps::Routed(steps) = &mut run.steps {
            steps.push(Step::routed(step + 1, asked));
        }
        self.change.rare.routed = true;
        self.change.touch(step);
        step
    }

    /// What caused a step to begin: its own latest event, the end of what it came after, or the job's start.
    pub(super) fn cause_of(&self, step: StepIndex) -> Option<u64> {
        let run = self.run.as_ref()?;
        let before = match run.step_of_item(step) {
            Some(whole) => run.states[whole].seq,
            None => run.step(step).after.iter().filter_map(|&before| run.states[before].seq).max(),
        };
        run.states[step].seq.or(before).or(run.started_seq)
    }

    /// What caused the job to complete: the end of its last step, or its start.
    pub fn latest_cause(&self) -> Option<u64> {
        let run = self.run.as_ref()?;
        run.states.iter().filter_map(|state| state.seq).max().or(run.started_seq)
    }

    /// Does slow play delay the attempt that comes next? The first one at a step, an item or a round; not one that is
    /// made again, whose time is the plan's.
    pub fn is_paced(&self, step: StepIndex) -> bool {
        self.run.as_ref().is_some_and(|run| {
            let state = &run.states[step];
            state.started_at.is_none() || state.round_ended
        })
    }

    /// An attempt begins, with the input that the caller gave, if any; returns its number. A step counts against the limit once, however often it is tried.
    pub fn begin_attempt(&mut self, step: StepIndex, given: Option<V>, now: f64) -> u32 {
        let cause = self.cause_of(step);
        let run = self.run_mut();
        run.schedule.begin(step);
        let state = &mut run.states[step];
        let first = state.started_at.is_none();
        state.started_at.get_or_insert(now);
        if !std::mem::take(&mut state.interrupted) {
            state.attempts = state.attempts.saturating_add(1);
        }
        (state.status, state.due_at, state.error) = (StepStatus::Running, None, None);
        state.input_given |= given.is_some();
        let attempt = state.attempts;
        if first && run.item(step).is_none() {
            self.head.steps_taken += 1;
        }
        self.withdraw_approvals(|approval| approval.step == step);
        self.note_step(step, cause, StepFact::Started { given });
        attempt
    }

    /// The step begins, to be done for each of so many items, which are ready at once.
    pub fn fan_out(&mut self, step: StepIndex, items: V, count: u32, now: f64) {
        let cause = self.cause_of(step);
        let run = self.run_mut();
        run.fan_out(step, count);
        let state = &mut run.states[step];
        (state.status, state.started_at) = (StepStatus::Running, Some(now));
        self.head.steps_taken += 1;
        self.withdraw_approvals(|approval| approval.step == step);
        self.note_step(step, cause, StepFact::FannedOut { items });
    }

    /// The step ends well.
    pub fn finish_step(&mut self, step: StepIndex, output: V, cost: Option<f64>, now: f64)
    where
        V: Clone,
    {
        let cause = self.step_seq(step);
        let run = self.run_mut();
        run.schedule.end(step);
        let state = &mut run.states[step];
        (state.status, state.finished_at) = (StepStatus::Done, Some(now));
        self.change.context.push((step, Some(output.clone())));
        self.note_step(step, cause, StepFact::Completed { output, cost });
    }

    /// A round of the step ended well; whether another begins is decided on the context that has its output.
    pub fn end_round(&mut self, step: StepIndex, output: V, cost: Option<f64>)
    where
        V: Clone,
    {
        let cause = self.step_seq(step);
        let run = self.run_mut();
        run.schedule.offer(step);
        let state = &mut run.states[step];
        (state.status, state.round, state.round_ended) = (StepStatus::Waiting, state.round + 1, true);
        self.change.context.push((step, Some(output.clone())));
        self.note_step(step, cause, StepFact::RoundCompleted { output, cost });
    }

    /// Another round of the step may begin, with attempts of its own.
    pub fn begin_round(&mut self, step: StepIndex) {
        let state = &mut self.run_mut().states[step];
        (state.round_ended, state.attempts) = (false, 0);
        self.change.touch(step);
    }

    /// How long the plan says to wait before the step is tried again, if it is; drawn from the job's trace id, the
    /// step and the attempt, so that a replay draws the same.
    pub fn wait_before_retry(&mut self, step: StepIndex, trace: &dyn Fn() -> String) -> Option<f64> {
        let run = self.run_mut();
        let (retry, state) = (run.step(step).retry, &run.states[step]);
        let wait = retry.wait_after(state.attempts)?;
        if retry.jitter == 0.0 {
            return Some(wait);
        }
        Some(wait * (1.0 - retry.jitter * draw(&trace(), step, state.round, state.attempts)))
    }

    /// An attempt failed: the step is tried again after `wait`, where there is one and the attempt itself allows, or
    /// fails for good.
    pub fn fail_attempt(
        &mut self,
        step: StepIndex,
        why: Refusal,
        wait: Option<f64>,
        retryable: bool,
        retry_after: Option<f64>,
    ) {
        let now = self.now;
        match wait {
            Some(wait) if retryable => {
                let longer = retry_after.filter(|asked| *asked > wait);
                let asked = longer.map_or(Asked::Nothing, Asked::Later);
                self.retry_step(step, why, now + longer.unwrap_or(wait), asked);
            }
            Some(_) => self.fail_for_good(step, why, Asked::NoRetry, now),
            None => self.fail_for_good(step, why, Asked::Nothing, now),
        }
    }

    fn retry_step(&mut self, step: StepIndex, why: Refusal, due_at: f64, asked: Asked) {
        let cause = self.step_seq(step);
        let state = &mut self.run_mut().states[step];
        (state.status, state.due_at) = (StepStatus::Waiting, Some(due_at));
        state.error = Some(Box::new(why.clone()));
        self.run_mut().schedule.put_off(step, Some(due_at));
        let message = why.message.into();
        self.note_step(
            step,
            cause,
            StepFact::Failed { code: why.code, message, retry_at: Some(due_at), asked },
        );
    }

    /// The attempt at a step can't go on without somebody; it is made again under the same number.
    pub fn suspend_step(&mut self, step: StepIndex, why: Refusal) {
        let cause = self.step_seq(step);
        let run = self.run_mut();
        run.schedule.put_off(step, None);
        let state = &mut run.states[step];
        (state.status, state.interrupted) = (StepStatus::Waiting, true);
        self.note_step(step, cause, StepFact::Suspended { code: why.code, message: why.message.into() });
    }

    /// Steps whose attempts can't go on without somebody are looked at again.
    pub fn offer_suspended(&mut self) {
        let run = self.run_mut();
        for step in 0..run.states.len() {
            if run.is_suspended(step) {
                run.schedule.offer(step);
            }
        }
    }

    /// Of these steps, those whose attempts can't go on without somebody are not looked at for now.
    pub fn put_off_suspended(&mut self, steps: &[StepIndex]) {
        let run = self.run_mut();
        for &step in steps {
            if run.is_suspended(step) {
                run.schedule.put_off(step, None);
            }
        }
    }

    /// The step is not to be done.
    pub fn skip_step(&mut self, step: StepIndex, now: f64) {
        let cause = self.cause_of(step);
        let run = self.run_mut();
        run.schedule.end(step);
        let state = &mut run.states[step];
        (state.status, state.finished_at) = (StepStatus::Skipped, Some(now));
        self.note_step(step, cause, StepFact::Skipped);
    }

    /// The step failed for good, and the job with it unless the plan says otherwise.
    pub fn fail_step(&mut self, step: StepIndex, why: Refusal, now: f64) {
        self.fail_for_good(step, why, Asked::Nothing, now);
    }

    fn fail_for_good(&mut self, step: StepIndex, why: Refusal, asked: Asked, now: f64) {
        self.end_step_badly(step, &why, asked, now);
        if self.run_mut().step(step).on_error == OnError::Continue {
            self.change.context.push((step, None));
            return;
        }
        let whole = self.run_mut().step_of_item(step);
        if let Some(whole) = whole {
            self.end_step_badly(whole, &why, Asked::Nothing, now);
        }
        let step = whole.unwrap_or(step);
        self.fail_other_attempts(step, now);
        let failure = Failure { code: why.code, message: why.message.into(), step: Some(step) };
        // A job that has ended meanwhile stays as it ended.
        let _ = self.fail(Move::StepFailed, Some(failure), now);
    }

    fn end_step_badly(&mut self, step: StepIndex, why: &Refusal, asked: Asked, now: f64) {
        let cause = self.step_seq(step);
        let run = self.run_mut();
        run.schedule.end(step);
        let state = &mut run.states[step];
        (state.status, state.finished_at, state.due_at) = (StepStatus::Failed, Some(now), None);
        state.error = Some(Box::new(why.clone()));
        let message = why.message.clone().into();
        self.withdraw_approvals(|approval| approval.step == step);
        self.note_step(step, cause, StepFact::Failed { code: why.code, message, retry_at: None, asked });
    }

    /// Every step that is under way ends as cancelled: the job is ending.
    pub(crate) fn fail_other_attempts(&mut self, except: StepIndex, now: f64) {
        let Some(run) = &self.run else { return };
        // Items end before the step that they are items of.
        let planned = (0..run.states.len()).take_while(|&step| run.step_of_item(step).is_none()).count();
        let open: Vec<StepIndex> = (planned..run.states.len())
            .chain(0..planned)
            .filter(|&step| {
                let state = &run.states[step];
                step != except && !state.status.has_ended() && state.started_at.is_some()
            })
            .collect();
        for step in open {
            self.end_step_badly(step, &Refusal::from(Code::Cancelled), Asked::Nothing, now);
        }
    }

    /// The steps that wait for a child job no longer, because their own job is ending or a person rejected them.
    pub fn children_given_up(&self) -> Vec<StepIndex> {
        let Some(run) = &self.run else { return Vec::new() };
        let given_up = |step: &&StepIndex| {
            let state = &run.states[**step];
            let without_child = match state.error.as_ref().map(|error| error.code) {
                Some(Code::Cancelled) => self.head.status.has_ended(),
                Some(Code::Rejected) => state.interrupted,
                _ => false,
            };
            state.status == StepStatus::Failed
                && without_child
                && state.fan_out.is_none()
                && matches!(run.step(**step).work, Work::Job(_))
        };
        self.change.steps.iter().filter(given_up).copied().collect()
    }

    /// Attempts that a crash cut off become ready again. Returns whether there were any.
    pub fn recover_steps(&mut self) -> bool {
        let cut = self.cut_off();
        for &step in &cut {
            let cause = self.step_seq(step);
            self.note_step(step, cause, StepFact::Recovered);
        }
        !cut.is_empty()
    }

    /// Makes the steps of which an attempt is under way ready again, under the same number.
    pub(super) fn cut_off(&mut self) -> Vec<StepIndex> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let cut: Vec<StepIndex> =
            (0..run.states.len()).filter(|&step| run.states[step].is_attempted()).collect();
        for &step in &cut {
            run.states[step].status = StepStatus::Pending;
            run.states[step].interrupted = true;
            run.schedule.offer(step);
        }
        cut
    }

    /// An attempt that was given up answered after all.
    pub fn drop_late_result(&mut self, step: StepIndex) {
        let cause = self.step_seq(step);
        if self.run.as_ref().is_none_or(|run| step >= run.states.len()) {
            return;
        }
        let fact = self.step_fact(step, StepFact::LateResultDropped);
        self.note(cause, fact);
    }

    /// An agent sent an event of its own.
    pub fn emit(&mut self, step: StepIndex, event: V) {
        let cause = self.step_seq(step);
        self.note(cause, Fact::Emitted { step, event });
    }
}

use super::{Job, Run, Signal};
use crate::core::{
    event::{Fact, StepFact},
    outcome::{Code, Refusal},
    plan::{Wait, Work},
    step::{StepIndex, StepStatus},
};

/// How many signals may wait for somebody to wait for them.
const MOST_SIGNALS: usize = 1_000;

impl Run {
    /// Steps that wait for a signal of this name are looked at again.
    pub(in crate::core) fn look_again(&mut self, name: &str) {
        for step in 0..self.states.len() {
            if self.signals_awaited(step).is_some_and(|names| names.iter().any(|known| **known == *name)) {
                self.schedule.offer(step);
            }
        }
    }

    /// Does a step wait until somebody helps its child job on?
    pub(crate) fn is_suspended(&self, step: StepIndex) -> bool {
        let state = &self.states[step];
        state.status == StepStatus::Waiting
            && state.interrupted
            && matches!(self.step(step).work, Work::Job(_))
    }

    /// The signals that a step waits for. One that waits for approval does not wait for them yet.
    pub(in crate::core) fn signals_awaited(&self, step: StepIndex) -> Option<&[Box<str>]> {
        let state = &self.states[step];
        match &self.step(step).work {
            Work::Wait(Wait::Signal { names, .. })
                if state.status == StepStatus::Waiting && state.started_at.is_some() =>
            {
                Some(names)
            }
            _ => None,
        }
    }
}

impl<V> Job<V> {
    /// Somebody sent a signal; it is kept until a step waits for it.
    ///
    /// # Errors
    /// `invalid_transition` where the job has ended or very many signals wait.
    pub fn signal(&mut self, name: &str, payload: V) -> Result<(), Refusal> {
        if self.head.status.has_ended() {
            return Err(Code::InvalidTransition.into());
        }
        if self.run_mut().signals.len() >= MOST_SIGNALS {
            let message = format!("{MOST_SIGNALS} signals are waiting to be consumed; no more are kept");
            return Err(Refusal::new(Code::InvalidTransition, message));
        }
        let seq = self.note(None, Fact::Signalled { name: name.into(), payload });
        let run = self.run_mut();
        run.signals.push(Signal { name: name.into(), seq });
        self.change.rare.signals = true;
        self.run_mut().look_again(name);
        Ok(())
    }

    /// A step begins to wait, until this moment at the latest.
    pub fn begin_wait(&mut self, step: StepIndex, due_at: Option<f64>, now: f64) {
        let cause = self.cause_of(step);
        let state = &mut self.run_mut().states[step];
        (state.status, state.started_at, state.due_at) = (StepStatus::Waiting, Some(now), due_at);
        self.note_step(step, cause, StepFact::Waiting { due_at });
    }

    /// Takes the first signal of one of these names that came, if any did.
    pub fn take_signal(&mut self, names: &[Box<str>]) -> Option<Signal> {
        let run = self.run_mut();
        let place = run.signals.iter().position(|signal| names.contains(&signal.name))?;
        self.change.rare.signals = true;
        Some(self.run_mut().signals.remove(place))
    }

    /// Does a step wait for a signal? One that waits for a person's approval has not begun to.
    pub fn waits_for_signal(&self) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| (0..run.states.len()).any(|step| run.signals_awaited(step).is_some()))
    }

    /// The job pauses before these steps from now on, beside those that its plan names.
    ///
    /// # Errors
    /// `invalid_transition` where the job has ended, `unknown_step`.
    pub fn set_breakpoints(&mut self, ids: &[String]) -> Result<(), Refusal> {
        if self.head.status.has_ended() {
            return Err(Code::InvalidTransition.into());
        }
        let run = self.run_mut();
        let places: Result<Vec<StepIndex>, Refusal> = ids
            .iter()
            .map(|id| {
                run.index_of(id)
                    .ok_or_else(|| Refusal::new(Code::UnknownStep, format!("Unknown step \"{id}\"")))
            })
            .collect();
        run.breakpoints = places?;
        self.change.rare.breakpoints = true;
        self.note(None, Fact::BreakpointsChanged);
        Ok(())
    }
}

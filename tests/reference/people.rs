//! What people and time do to a job, in the reference.

use crate::{
    case::{Ask, Move, Told, Which},
    interpreter::Reference,
    plan::Kind,
    state::{Approval, Decision, Reason, Status, StepStatus, What},
};

impl Reference {
    /// Something happens, and everything that follows from it by itself. `number` is the question's.
    pub fn happen(&mut self, what: &Move, number: usize) {
        match what {
            Move::Finish(which) => self.finish(&self.meant(which)),
            Move::Tick => self.now += self.next_moment().unwrap_or(0.0),
            Move::Pass(ms) => self.now += ms,
            Move::Fund(budget) => self.budget = *budget,
            Move::Crash => self.crash(self.commits.len(), self.budget_of_next_process()),
            Move::Ask(ask) => {
                if let Some(told) = self.ask(ask, number) {
                    self.told.push((number, told));
                }
                self.commit();
                if self.state.status.has_ended() {
                    self.give_up();
                }
            }
        }
        self.settle();
    }

    /// What was held is free again.
    fn budget_of_next_process(&self) -> Option<f64> {
        let held = self.process.runner.iter().flat_map(|runner| &runner.held).map(|(_, held)| held);
        self.budget.map(|left| left + held.sum::<f64>())
    }

    /// The steps that are meant by their places among those at work.
    pub fn meant(&self, which: &[usize]) -> Vec<usize> {
        let mut at_work: Vec<usize> = self.at_work();
        at_work.sort_unstable();
        let mut meant: Vec<usize> =
            which.iter().filter_map(|place| at_work.get(place % at_work.len().max(1)).copied()).collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }

    /// The steps whose attempts have begun and not ended.
    pub fn at_work(&self) -> Vec<usize> {
        let mut steps: Vec<usize> = self
            .process
            .runner
            .iter()
            .flat_map(|runner| &runner.at_work)
            .map(|attempt| attempt.step)
            .collect();
        steps.sort_unstable();
        steps
    }

    /// How long it is until something is due.
    pub fn next_moment(&self) -> Option<f64> {
        let runner = self.process.runner.as_ref()?;
        let deadlines = runner.at_work.iter().filter_map(|attempt| attempt.deadline);
        let moments = (0..self.plan.steps.len()).filter_map(|step| self.next_moment_of(step));
        let next = deadlines.chain(moments).filter(|moment| *moment > self.now).min_by(f64::total_cmp);
        next.map(|moment| moment - self.now)
    }

    /// The approval that somebody means.
    pub fn find(&self, which: &Which) -> Result<Approval, &'static str> {
        if self.state.status.has_ended() {
            return Err("invalid_transition");
        }
        let waiting = &self.state.approvals;
        match which {
            Which::Listed(place) => {
                waiting.get(place % waiting.len().max(1)).cloned().ok_or("invalid_transition")
            }
            Which::Only if waiting.len() == 1 => Ok(waiting[0].clone()),
            Which::Only => Err("invalid_transition"),
            Which::Step(id) => {
                let place = self.plan.place_of(id).ok_or("unknown_step")?;
                let mut of_step = waiting.iter().filter(|approval| approval.step == place);
                match (of_step.next(), of_step.next()) {
                    (Some(one), None) => Ok(one.clone()),
                    _ => Err("invalid_transition"),
                }
            }
        }
    }

    /// What who asks is told, where that is known at once.
    fn ask(&mut self, ask: &Ask, number: usize) -> Option<Told> {
        let answer = match ask {
            Ask::Run(input) => return self.run(input.clone(), number),
            Ask::Next(input) => return self.next(input.clone(), number),
            Ask::Recover => return Some(self.take_over()),
            Ask::StopRun => {
                self.process.stop_asked = true;
                Ok(())
            }
            Ask::Start if self.budget.is_some_and(|left| left <= 0.0) && self.may_start() => {
                return Some(Told::BudgetRefused);
            }
            Ask::Start => self.start(),
            Ask::Pause => self.if_running(|job| job.decide(Decision::JobPaused(None, None))),
            Ask::Complete => self.if_running(|job| {
                job.cancel_steps();
                job.decide(Decision::JobCompleted);
            }),
            Ask::CompleteAsFailed => self.if_running(|job| job.end_badly(None)),
            Ask::Fail => self.unless_ended(|job| job.end_badly(Some("agent_failed"))),
            Ask::Cancel => self.unless_ended(|job| job.end_badly(Some("cancelled"))),
            Ask::Permit(permissions) => {
                self.unless_ended(|job| job.decide(Decision::PermissionsChanged(*permissions)))
            }
            Ask::Signal(name, payload) => self.unless_ended(|job| {
                job.decide(Decision::SignalReceived(name.clone(), payload.clone()));
            }),
            Ask::Breakpoints(ids) => self.set_breakpoints(ids),
            Ask::Approve(which, by) => self.find(which).map(|approval| {
                self.decide(Decision::Step(approval.step, What::Approved { id: approval.id, by: *by }));
                self.go_on_after_answer();
            }),
            Ask::Reject(which) => self.find(which).map(|approval| {
                self.decide(Decision::Step(approval.step, What::Rejected { id: approval.id }));
                self.fail_step(approval.step, "rejected");
                self.go_on_after_answer();
            }),
        };
        Some(answer.map_or_else(Told::Refused, |()| Told::Done))
    }

    fn if_running(&mut self, then: impl FnOnce(&mut Reference)) -> Result<(), &'static str> {
        if self.state.status != Status::Running {
            return Err("invalid_transition");
        }
        then(self);
        Ok(())
    }

    fn unless_ended(&mut self, then: impl FnOnce(&mut Reference)) -> Result<(), &'static str> {
        if self.state.status.has_ended() {
            return Err("invalid_transition");
        }
        then(self);
        Ok(())
    }

    fn end_badly(&mut self, code: Option<&'static str>) {
        self.cancel_steps();
        self.decide(Decision::JobFailed(code.map(|code| (code, None))));
    }

    fn may_start(&self) -> bool {
        matches!(self.state.status, Status::Created | Status::Paused)
    }

    fn start(&mut self) -> Result<(), &'static str> {
        if !self.may_start() {
            return Err("invalid_transition");
        }
        let was_paused = self.state.status == Status::Paused;
        self.decide(Decision::JobStarted);
        if was_paused && self.state.steps.iter().all(|step| step.status.has_ended()) {
            self.decide(Decision::JobCompleted);
        }
        Ok(())
    }

    fn go_on_after_answer(&mut self) {
        if matches!(self.state.pause, Some((Reason::Approval, _))) {
            self.decide(Decision::JobStarted);
        }
    }

    fn set_breakpoints(&mut self, ids: &[String]) -> Result<(), &'static str> {
        if self.state.status.has_ended() {
            return Err("invalid_transition");
        }
        let places: Option<Vec<usize>> = ids.iter().map(|id| self.plan.place_of(id)).collect();
        self.decide(Decision::BreakpointsChanged(places.ok_or("unknown_step")?));
        Ok(())
    }

    /// A run that is under way is joined; a single step is waited for.
    fn run(&mut self, input: Option<serde_json::Value>, number: usize) -> Option<Told> {
        match (&mut self.process.next, &mut self.process.runner) {
            (Some((_, asked_by)), _) => asked_by.push(number),
            (None, Some(runner)) if !runner.single => runner.asked_by.push(number),
            (None, Some(_)) => {
                self.process.stop_asked = false;
                self.process.next = Some((input, vec![number]));
            }
            (None, None) => {
                self.process.stop_asked = false;
                self.begin_run(false, input, number);
            }
        }
        None
    }

    fn next(&mut self, input: Option<serde_json::Value>, number: usize) -> Option<Told> {
        if self.process.runner.is_none() {
            self.begin_run(true, input, number);
            return None;
        }
        Some(Told::Refused(if self.state.status == Status::Running { "conflict" } else { "not_running" }))
    }

    /// `recover`: of a job that runs and that nobody runs.
    fn take_over(&mut self) -> Told {
        let takes = self.state.status == Status::Running && self.process.runner.is_none();
        if takes {
            self.recover();
        }
        Told::Resumed(usize::from(takes))
    }

    /// What everybody does who wants the job to come to its end.
    pub fn kind_move(&self) -> Option<Move> {
        let approval = self.state.approvals.first();
        let waits_for = |names: &[String]| Move::Ask(Ask::Signal(names[0].clone(), names[0].clone().into()));
        let wants_signal = (0..self.plan.steps.len())
            .filter(|&step| self.waits_for_signal(step) && self.signal_for(step).is_none())
            .find_map(|step| match &self.plan.steps[step].kind {
                Kind::Signal { names, .. } => Some(waits_for(names)),
                _ => None,
            });
        if self.state.status.has_ended() {
            return None;
        }
        let generous = crate::case::Permissions { tools: true, approval: false, max_steps: 99 };
        Some(match self.state.status {
            _ if !self.at_work().is_empty() => Move::Finish(vec![0]),
            _ if self.budget.is_some() => Move::Fund(None),
            _ if approval.is_some() => Move::Ask(Ask::Approve(Which::Listed(0), None)),
            _ if self.state.permissions != generous => Move::Ask(Ask::Permit(generous)),
            Status::Created | Status::Paused => Move::Ask(Ask::Start),
            _ if self.process.runner.is_none() => Move::Ask(Ask::Run(None)),
            _ if self.next_moment().is_some() => Move::Tick,
            _ => wants_signal.unwrap_or_else(|| panic!("nothing helps: {:?}", self.log)),
        })
    }

    /// Has a step that began no end, although the job has?
    pub fn has_loose_end(&self) -> bool {
        self.state.steps.iter().any(|step| step.begun && !step.status.has_ended())
            || self.state.steps.iter().any(|step| step.status == StepStatus::Running)
    }
}

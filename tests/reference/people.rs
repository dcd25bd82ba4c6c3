//! What people and time do to jobs, in the reference.

use crate::{
    case::{Ask, Move, Permissions, Told, Which, Who},
    interpreter::{ROOT, Reference},
    job::Job,
    plan::Kind,
    run::{Asker, Runner},
    state::{Approval, Decision, Reason, Spot, Status, What},
};

impl Reference {
    /// Something happens, and everything that follows from it by itself. `number` is the question's.
    pub fn happen(&mut self, what: &Move, number: usize) {
        match what {
            Move::Finish(which) => {
                self.meant(which).into_iter().for_each(|(job, spot)| self.finish(job, spot));
            }
            Move::Tick => self.now += self.next_moment().unwrap_or(0.0),
            Move::Pass(ms) => self.now += ms,
            Move::Fund(budget) => self.budget = *budget,
            Move::Crash => {}
            Move::Ask(who, ask) => {
                let job = self.job_of(*who);
                if let Some(told) = self.ask(job, ask, number) {
                    self.told.push((number, told));
                }
                self.commit(job);
            }
        }
        self.settle();
    }

    /// Whose job somebody means.
    pub fn job_of(&self, who: Who) -> usize {
        let children: Vec<usize> = (1..self.jobs.len()).filter(|&job| self.jobs[job].exists()).collect();
        match who {
            Who::Child(place) if !children.is_empty() => children[place % children.len()],
            Who::Child(_) | Who::Root => ROOT,
        }
    }

    /// The attempts that are meant by their places among those at work.
    pub fn meant(&self, which: &[usize]) -> Vec<(usize, Spot)> {
        let at_work = self.at_work();
        let count = at_work.len().max(1);
        let mut meant: Vec<_> =
            which.iter().filter_map(|place| at_work.get(place % count).copied()).collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }

    /// The attempts of agents that have begun and not ended.
    pub fn at_work(&self) -> Vec<(usize, Spot)> {
        let runners =
            self.jobs.iter().enumerate().filter_map(|(at, job)| Some((at, job.process.runner.as_ref()?)));
        let attempts = runners.flat_map(|(at, runner)| {
            runner.at_work.iter().filter(|it| it.child.is_none()).map(move |it| (at, it.spot))
        });
        let mut attempts: Vec<(usize, Spot)> = attempts.collect();
        attempts.sort_unstable();
        attempts
    }

    /// How long it is until something is due.
    pub fn next_moment(&self) -> Option<f64> {
        let moments = self.jobs.iter().filter_map(|job| Some((job, job.process.runner.as_ref()?)));
        let moments = moments.flat_map(|(job, runner)| {
            let deadlines = runner.at_work.iter().filter_map(|attempt| attempt.deadline);
            let spots = job.spots().into_iter().filter_map(|spot| job.next_moment_of(spot));
            deadlines.chain(spots).collect::<Vec<f64>>()
        });
        let next = moments.filter(|moment| *moment > self.now).min_by(f64::total_cmp);
        next.map(|moment| moment - self.now)
    }

    /// What who asks is told, where that is known at once.
    fn ask(&mut self, at: usize, ask: &Ask, number: usize) -> Option<Told> {
        let job = &mut self.jobs[at];
        let answer = match ask {
            Ask::Run(input) => {
                self.run(at, input.clone(), Asker::Question(number));
                self.begin_task(at);
                return None;
            }
            Ask::Next(input) => {
                if job.process.runner.is_some() {
                    return Some(Told::Refused(if job.is_running() { "conflict" } else { "not_running" }));
                }
                let asked_by = vec![Asker::Question(number)];
                job.process.runner = Some(Runner::new(true, input.clone(), asked_by));
                self.begin_task(at);
                return None;
            }
            Ask::Recover => return Some(self.take_over()),
            Ask::Start => return Some(self.ask_to_start(at)),
            Ask::StopRun => {
                job.process.stop_asked = true;
                Ok(())
            }
            Ask::Pause => job.if_running(|job| job.decide(Decision::JobPaused(None, None))),
            Ask::Complete => job.if_running(|job| {
                job.cancel_steps();
                job.decide(Decision::JobCompleted);
            }),
            Ask::CompleteAsFailed => job.if_running(|job| job.end_badly(None)),
            Ask::Fail => job.unless_ended(|job| job.end_badly(Some("agent_failed"))),
            Ask::Cancel => job.unless_ended(|job| job.end_badly(Some("cancelled"))),
            Ask::Permit(permissions) => self.permit(at, *permissions),
            Ask::Signal(name, payload) => job.unless_ended(|job| {
                job.decide(Decision::SignalReceived(name.clone(), payload.clone()));
            }),
            Ask::Breakpoints(ids) => job.set_breakpoints(ids),
            Ask::Approve(which, by) => job.find(which).map(|Approval { id, spot, .. }| {
                job.decide_step(spot, What::Approved { id, by: *by });
                job.go_on_after_answer();
            }),
            Ask::Reject(which) => job.find(which).map(|approval| self.reject(at, approval)),
        };
        Some(answer.map_or_else(Told::Refused, |()| Told::Done))
    }

    /// The step fails, and its child, if it has one already, is cancelled.
    fn reject(&mut self, at: usize, Approval { id, spot, .. }: Approval) {
        let job = &mut self.jobs[at];
        let key = job.key_of(spot);
        job.decide_step(spot, What::Rejected { id });
        job.fail_step(spot, "rejected");
        job.go_on_after_answer();
        self.commit(at);
        if let Some(child) = self.find_job(&key) {
            self.cancel(child);
        }
    }

    /// Whoever asked runs the job, unless somebody does.
    fn begin_task(&mut self, job: usize) {
        let is_parents = self.jobs[job]
            .process
            .runner
            .iter()
            .any(|runner| runner.asked_by.iter().any(|asker| matches!(asker, Asker::Parent(..))));
        if !is_parents && !self.tasks.contains(&job) {
            self.tasks.push(job);
        }
    }

    fn ask_to_start(&mut self, at: usize) -> Told {
        let job = &self.jobs[at];
        let parent_has_ended = job.parent.is_some_and(|parent| self.jobs[parent].has_ended());
        if !matches!(job.state.status, Status::Created | Status::Paused) || parent_has_ended {
            return Told::Refused("invalid_transition");
        }
        if self.budget.is_some_and(|left| left <= 0.0) {
            return Told::BudgetRefused;
        }
        self.start(at);
        Told::Done
    }

    pub fn start(&mut self, at: usize) {
        // A crash may have come between its parent's narrowing and its own.
        self.narrow_to_parent(at);
        let job = &mut self.jobs[at];
        let was_paused = job.state.status == Status::Paused;
        job.decide(Decision::JobStarted);
        if was_paused && job.all_have_ended() {
            job.decide(Decision::JobCompleted);
        }
        self.commit(at);
    }

    /// `recover`: of the jobs that run and that nobody runs.
    fn take_over(&mut self) -> Told {
        let mut count = 0;
        for at in 0..self.jobs.len() {
            let job = &mut self.jobs[at];
            if job.exists() && job.is_running() && job.process.runner.is_none() {
                job.recover();
                self.commit(at);
                count += 1;
            }
        }
        Told::Resumed(count)
    }

    /// What everybody does who wants the jobs to come to their end.
    pub fn kind_move(&self) -> Option<Move> {
        if self.jobs[ROOT].has_ended() {
            return None;
        }
        if !self.at_work().is_empty() {
            return Some(Move::Finish(vec![0]));
        }
        if self.budget.is_some() {
            return Some(Move::Fund(None));
        }
        let there = || (0..self.jobs.len()).filter(|&at| self.jobs[at].exists());
        let who = |at| if at == ROOT { Who::Root } else { Who::Child(self.place_of_child(at)) };
        // No job gets more than its parent has, so that is first.
        let generous = Permissions { tools: true, approval: false, max_steps: 99 };
        let needs = |&at: &usize| !self.jobs[at].has_ended() && self.jobs[at].state.permissions != generous;
        if let Some(at) = there().find(needs) {
            return Some(Move::Ask(who(at), Ask::Permit(generous)));
        }
        for at in there().rev() {
            if let Some(ask) = self.jobs[at].kind_ask() {
                return Some(Move::Ask(who(at), ask));
            }
        }
        if self.jobs[ROOT].process.runner.is_none() {
            return Some(Move::Ask(Who::Root, Ask::Run(None)));
        }
        Some(Move::Tick)
    }

    fn place_of_child(&self, at: usize) -> usize {
        (1..at).filter(|&job| self.jobs[job].exists()).count()
    }
}

impl Job {
    fn if_running(&mut self, then: impl FnOnce(&mut Job)) -> Result<(), &'static str> {
        if !self.is_running() {
            return Err("invalid_transition");
        }
        then(self);
        Ok(())
    }

    fn unless_ended(&mut self, then: impl FnOnce(&mut Job)) -> Result<(), &'static str> {
        if self.has_ended() {
            return Err("invalid_transition");
        }
        then(self);
        Ok(())
    }

    /// The approval that somebody means.
    pub fn find(&self, which: &Which) -> Result<Approval, &'static str> {
        if self.has_ended() {
            return Err("invalid_transition");
        }
        let waiting = &self.state.approvals;
        let the_one = |found: Vec<&Approval>| match found[..] {
            [one] => Ok(one.clone()),
            _ => Err("invalid_transition"),
        };
        match which {
            Which::Listed(place) => {
                waiting.get(place % waiting.len().max(1)).cloned().ok_or("invalid_transition")
            }
            Which::Only => the_one(waiting.iter().collect()),
            Which::Step(id) => {
                let step = self.plan.place_of(id).ok_or("unknown_step")?;
                the_one(waiting.iter().filter(|approval| approval.spot.step == step).collect())
            }
        }
    }

    fn go_on_after_answer(&mut self) {
        if matches!(self.state.pause, Some((Reason::Approval, _))) {
            self.decide(Decision::JobStarted);
        }
    }

    fn set_breakpoints(&mut self, ids: &[String]) -> Result<(), &'static str> {
        if self.has_ended() {
            return Err("invalid_transition");
        }
        let places: Option<Vec<usize>> = ids.iter().map(|id| self.plan.place_of(id)).collect();
        self.decide(Decision::BreakpointsChanged(places.ok_or("unknown_step")?));
        Ok(())
    }

    /// What helps the job on.
    fn kind_ask(&self) -> Option<Ask> {
        if self.has_ended() {
            return None;
        }
        if !self.state.approvals.is_empty() {
            return Some(Ask::Approve(Which::Listed(0), None));
        }
        let with_parent = matches!(self.state.pause, Some((Reason::Parent, _)));
        match self.state.status {
            Status::Created | Status::Paused if !with_parent => Some(Ask::Start),
            _ => self.wanted_signal().map(|name| Ask::Signal(name.clone(), name.into())),
        }
    }

    /// A signal that a step waits for, and that has not come.
    fn wanted_signal(&self) -> Option<String> {
        let mut waiting = self.places().filter(|&step| self.waits_for_signal(step));
        waiting.find_map(|step| match &self.plan.steps[step].kind {
            Kind::Signal { names, .. } if self.signal_for(step).is_none() => Some(names[0].clone()),
            _ => None,
        })
    }
}

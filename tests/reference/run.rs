//! Who runs a job's steps, in the reference.

use serde_json::Value;

use crate::{
    case::Told,
    child::ChildAtWork,
    interpreter::{Call, Reference},
    job::Job,
    state::{Decision, Reason, Spot, Status, StepStatus},
};

/// What a process knows of a job.
#[derive(Default)]
pub struct Process {
    pub runner: Option<Runner>,
    /// A run that waits until the one step that is run has ended: its input, and who asked.
    pub next: Option<(Option<Value>, Vec<Asker>)>,
    pub stop_asked: bool,
}

/// Who wants to know what a run comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asker {
    /// The question of this number.
    Question(usize),
    /// The job at this place, for one of its steps.
    Parent(usize, Spot),
}

/// What is held for a step or an item, and what its attempts cost after which it is tried again.
pub struct Held {
    pub spot: Spot,
    pub estimate: f64,
    pub spent: f64,
}

/// Who runs the job's steps: all of them, or one.
pub struct Runner {
    pub single: bool,
    pub asked_by: Vec<Asker>,
    pub only: Option<usize>,
    pub input: Option<Value>,
    /// What is held of the budget.
    pub held: Vec<Held>,
    pub at_work: Vec<AtWork>,
    pub finished: Vec<(Spot, Finish)>,
    /// The steps whose child can't go on, in this run.
    pub suspended: Vec<Spot>,
    pub why_suspended: Option<Told>,
    end: Option<Told>,
    began: bool,
    pub gave_up: bool,
    /// It has decided what it could, until something happens.
    waits: bool,
    /// What it saw when it looked last.
    seen: (usize, f64, bool, usize),
}

/// An attempt that has begun.
pub struct AtWork {
    pub spot: Spot,
    pub deadline: Option<f64>,
    /// What its agent is still to be called with.
    pub to_call: Option<Call>,
    pub child: Option<ChildAtWork>,
    /// How it has ended, and nobody has heard of it yet.
    pub ends: Option<Finish>,
    /// Its time is up, and its child is being cancelled.
    pub is_being_given_up: bool,
}

impl AtWork {
    fn has_child_to_pause(&self) -> bool {
        self.child.as_ref().is_some_and(|child| !child.was_paused)
    }
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Finish {
    Gives {
        output: Value,
        cost: Option<f64>,
    },
    Fails {
        code: &'static str,
        retryable: bool,
        retry_after: Option<f64>,
        cost: Option<f64>,
    },
    Asks(Vec<String>),
    /// Its child can't go on without somebody.
    Suspended(Told),
    /// Its child was paused with its parent.
    PausedWithParent,
}

pub const TIMEOUT: Finish = Finish::Fails { code: "timeout", retryable: true, retry_after: None, cost: None };

/// What comes next for a runner.
pub enum Next {
    Wait,
    Again,
    End(Told),
}

/// What became of a step that was looked at.
pub enum Tried {
    Begun,
    Passed,
    Ended,
    Stop(Next),
}

impl Runner {
    pub fn new(single: bool, input: Option<Value>, asked_by: Vec<Asker>) -> Runner {
        Runner {
            single,
            asked_by,
            only: None,
            input,
            held: Vec::new(),
            at_work: Vec::new(),
            finished: Vec::new(),
            suspended: Vec::new(),
            why_suspended: None,
            end: None,
            began: false,
            gave_up: false,
            waits: false,
            seen: (0, 0.0, false, 0),
        }
    }

    fn is_over(&self) -> bool {
        self.end.is_some() && self.at_work.is_empty() && self.finished.is_empty()
    }
}

impl Job {
    pub fn runner(&mut self) -> &mut Runner {
        self.process.runner.as_mut().expect("a runner")
    }

    /// How many more attempts may begin.
    fn room(&mut self) -> usize {
        let Runner { single, only, .. } = *self.runner();
        let is_fanned_out = only.is_some_and(|only| self.plan.steps[only].for_each.is_some());
        let most = if single && !is_fanned_out { 1 } else { self.plan.concurrency };
        most.saturating_sub(self.runner().at_work.len())
    }
}

impl Reference {
    /// Everything that follows by itself, until it takes time, an agent or a person to go on.
    pub fn settle(&mut self) {
        while self.tasks.clone().into_iter().any(|job| self.run_on(job)) {}
        let jobs = &self.jobs;
        self.tasks.retain(|&job| jobs[job].process.runner.is_some() || jobs[job].process.next.is_some());
    }

    /// Who runs a job goes on as far as it can. Gives whether that was any way at all.
    pub fn run_on(&mut self, job: usize) -> bool {
        let mut moved = false;
        loop {
            let process = &mut self.jobs[job].process;
            if process.runner.is_none() {
                let Some((input, asked_by)) = process.next.take() else { return moved };
                process.runner = Some(Runner::new(false, input, asked_by));
            }
            // Only who waits sees who has answered.
            if self.jobs[job].runner().waits {
                moved |= self.collect(job);
            }
            if self.jobs[job].runner().is_over() {
                self.end_run(job);
                moved = true;
                continue;
            }
            if self.jobs[job].runner().waits && !self.has_news(job) {
                return moved;
            }
            moved = true;
            let next = self.go_on(job);
            let seen = self.seen(job);
            let runner = self.jobs[job].runner();
            (runner.waits, runner.seen) = (!matches!(next, Next::Again), seen);
            if let Next::End(told) = next {
                runner.end.get_or_insert(told);
            }
        }
    }

    /// Is there a reason to look again?
    fn has_news(&mut self, job: usize) -> bool {
        let seen = self.seen(job);
        let room = self.jobs[job].room();
        let runner = self.jobs[job].runner();
        // While there is no room, or it is about to end, it listens for its children's sake alone.
        let listens =
            runner.end.is_none() && room > 0 || runner.at_work.iter().any(AtWork::has_child_to_pause);
        !runner.finished.is_empty() || (listens && runner.seen != seen)
    }

    /// What a runner that looks can see.
    fn seen(&mut self, job: usize) -> (usize, f64, bool, usize) {
        let now = self.now;
        let job = &mut self.jobs[job];
        (job.log.len(), now, job.process.stop_asked, job.runner().at_work.len())
    }

    /// Those who are to be called are; who answers at once, or is out of time, has finished.
    fn collect(&mut self, job: usize) -> bool {
        let mut moved = self.pause_children(job);
        let runner = self.jobs[job].runner();
        for mut attempt in std::mem::take(&mut runner.at_work) {
            if let Some(call) = attempt.to_call.take() {
                self.calls.push(call);
                moved = true;
            }
            if attempt.child.is_some() {
                moved |= self.tend(job, &mut attempt);
            }
            let out_of_time = attempt.deadline.is_some_and(|deadline| deadline <= self.now);
            let runner = self.jobs[job].runner();
            match attempt.ends.take() {
                Some(finish) => runner.finished.push((attempt.spot, finish)),
                None if out_of_time && attempt.child.is_none() => {
                    runner.finished.push((attempt.spot, TIMEOUT));
                }
                None if out_of_time => {
                    self.give_up_child(&mut attempt);
                    self.jobs[job].runner().at_work.push(attempt);
                    moved = true;
                }
                None => runner.at_work.push(attempt),
            }
        }
        self.jobs[job].runner().finished.sort_by_key(|(spot, _)| *spot);
        moved
    }

    fn end_run(&mut self, job: usize) {
        let runner = self.jobs[job].process.runner.take().expect("a runner");
        let held: f64 = runner.held.iter().map(|held| held.estimate).sum();
        self.budget = self.budget.map(|left| left + held);
        let told = runner.end.expect("an end");
        for asker in runner.asked_by {
            match asker {
                Asker::Question(number) => self.told.push((number, told.clone())),
                Asker::Parent(parent, spot) => self.answers.push((parent, spot, told.clone())),
            }
        }
    }

    /// One decision, and its commit.
    fn go_on(&mut self, job: usize) -> Next {
        if !self.jobs[job].runner().began && self.jobs[job].is_running() {
            self.jobs[job].recover();
        }
        let last_ended = self.settle_finished(job);
        let (next, begun) = match last_ended {
            Some(step) if self.jobs[job].runner().single => (Next::End(self.report(job, step)), Vec::new()),
            _ => self.choose(job),
        };
        let gave_up = self.commit(job);
        self.jobs[job].runner().began = true;
        if self.jobs[job].has_ended() {
            self.jobs[job].runner().gave_up |= !begun.is_empty();
            return if gave_up && matches!(next, Next::Wait) { Next::Again } else { next };
        }
        if !begun.is_empty() {
            self.jobs[job].runner().input = None;
        }
        begun.into_iter().for_each(|spot| self.call(job, spot));
        next
    }

    fn choose(&mut self, number: usize) -> (Next, Vec<Spot>) {
        let job = &mut self.jobs[number];
        if !job.runner().single && job.process.stop_asked && job.is_running() {
            job.decide(Decision::JobPaused(None, None));
        }
        if job.runner().end.is_some() {
            return (Next::Wait, Vec::new());
        }
        if job.is_running() {
            return self.advance(number);
        }
        // Who is at work finishes first; the job may be started again meanwhile.
        if !job.runner().at_work.is_empty() {
            return (Next::Wait, Vec::new());
        }
        let told = match job.runner().why_suspended.take() {
            Some(Told::BudgetRefused) => Told::BudgetRefused,
            _ => job.why_not_running(),
        };
        (Next::End(told), Vec::new())
    }

    /// Looks at the first step or item that is ready, in the order of the plan, again and again.
    fn advance(&mut self, number: usize) -> (Next, Vec<Spot>) {
        let now = self.now;
        let mut begun = Vec::new();
        let next = loop {
            let job = &mut self.jobs[number];
            if begun.len() >= job.room() {
                break Next::Wait;
            }
            if !job.is_running() {
                break Next::End(Told::Refused(job.why_stopped()));
            }
            let Some(spot) = job.first_ready(now) else {
                break self.nothing_is_ready(number, begun.len());
            };
            let Runner { single, only, .. } = *job.runner();
            match self.try_spot(number, spot, begun.is_empty()) {
                Tried::Begun => {
                    begun.push(spot);
                    // The other items go on beside it.
                    if single && only.is_none() && spot.item.is_some() {
                        break Next::Again;
                    }
                }
                Tried::Passed => {}
                Tried::Ended if single => break Next::End(self.report(number, spot.step)),
                Tried::Ended => {}
                Tried::Stop(next) => break next,
            }
        };
        (next, begun)
    }

    fn nothing_is_ready(&mut self, number: usize, begun: usize) -> Next {
        let now = self.now;
        let job = &mut self.jobs[number];
        if job.all_have_ended() {
            job.decide(Decision::JobCompleted);
            return Next::End(Told::NothingLeft);
        }
        let Runner { single, only, .. } = *job.runner();
        let is_meant = |spot: &Spot| only.is_none_or(|only| only == spot.step);
        let has_moment = job.spots().iter().any(|spot| is_meant(spot) && job.next_moment_of(*spot).is_some());
        if job.runner().at_work.len() + begun > 0 || has_moment {
            return Next::Wait;
        }
        let waits_for_signal = job.places().any(|step| job.waits_for_signal(step));
        let asked = job.runner().why_suspended.is_some()
            || job.state.approvals.iter().any(|approval| is_meant(&approval.spot));
        // Who runs one step is told at once that it, or its child, waits for a person.
        if waits_for_signal && !(single && asked) {
            return Next::Wait;
        }
        let Some(first) = job.state.approvals.first().map(|approval| approval.spot.step) else {
            let told = job.runner().why_suspended.take();
            return Next::End(told.unwrap_or(Told::Refused("conflict")));
        };
        let suspended = std::mem::take(&mut job.runner().suspended);
        let others = job.spots().into_iter().any(|spot| {
            !suspended.contains(&spot) && job.is_ready(spot, now) || job.next_moment_of(spot).is_some()
        });
        job.runner().suspended = suspended;
        if !others && !waits_for_signal {
            job.decide(Decision::JobPaused(Some(Reason::Approval), Some(first)));
        }
        Next::End(Told::Refused("approval_required"))
    }

    /// One step has ended; if it was the last, the job completes.
    fn report(&mut self, number: usize, place: usize) -> Told {
        let job = &mut self.jobs[number];
        if job.is_running() && job.all_have_ended() {
            job.decide(Decision::JobCompleted);
        }
        let step = &job.state.steps[place];
        match (job.state.status, step.error) {
            (Status::Failed, Some(code)) => Told::Refused(code),
            _ => Told::Step(
                job.plan.steps[place].id.clone(),
                step.status.name(),
                step.attempts,
                (step.status == StepStatus::Done).then(|| step.output.clone()),
                job.state.status.name(),
            ),
        }
    }
}

impl Job {
    fn first_ready(&mut self, now: f64) -> Option<Spot> {
        let runner = self.process.runner.as_ref().expect("a runner");
        self.spots().into_iter().find(|spot| {
            runner.only.is_none_or(|only| only == spot.step)
                && !runner.suspended.contains(spot)
                && self.is_ready(*spot, now)
        })
    }

    fn why_not_running(&mut self) -> Told {
        let Runner { single, gave_up, .. } = *self.runner();
        match self.state.status {
            Status::Completed if !single => Told::NothingLeft,
            _ if single && !gave_up => Told::Refused("not_running"),
            _ => Told::Refused(self.why_stopped()),
        }
    }
}

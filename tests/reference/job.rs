//! One job of the reference: what was decided about it, and every question that can be asked of that. The
//! answers are worked out anew each time.

use std::rc::Rc;

use serde_json::Value;

use crate::{
    case::{Attempt, Permissions},
    plan::{Kind, Plan},
    run::Process,
    state::{Asked, Decision, Spot, State, Status, StepStatus, What},
};

pub const AGENT: &str = "worker";

pub struct Job {
    pub id: String,
    /// Its place among the jobs.
    pub parent: Option<usize>,
    pub plan: Rc<Plan>,
    pub state: State,
    pub log: Vec<Decision>,
    /// The same as its history has it.
    pub history: Vec<(&'static str, Value)>,
    /// How many decisions there were after each commit; where there is none, there is no job.
    pub commits: Vec<usize>,
    /// Of the process that works on it; lost in a crash.
    pub process: Process,
    /// What it began with.
    origin: (Value, Permissions),
}

impl Job {
    pub fn new(
        id: &str,
        parent: Option<usize>,
        plan: Rc<Plan>,
        context: Value,
        permissions: Permissions,
    ) -> Job {
        let mut job = Job {
            id: id.to_owned(),
            parent,
            state: State::new(&plan, &context, permissions),
            plan,
            log: Vec::new(),
            history: Vec::new(),
            commits: Vec::new(),
            process: Process::default(),
            origin: (context, permissions),
        };
        job.decide(Decision::JobCreated);
        job.commit();
        job
    }

    pub fn decide(&mut self, decision: Decision) {
        self.state.follow(&self.plan, &decision);
        self.history.push(self.state.entry(&self.plan, &decision));
        self.log.push(decision);
    }

    pub fn decide_step(&mut self, spot: impl Into<Spot>, what: What) {
        self.decide(Decision::Step(spot.into(), what));
    }

    /// What was decided since the last commit is committed, where there is anything.
    pub fn commit(&mut self) {
        if self.log.len() > self.committed() {
            self.commits.push(self.log.len());
        }
    }

    pub fn ends_with_this_commit(&self) -> bool {
        let new = &self.log[self.committed()..];
        new.iter().any(|decision| matches!(decision, Decision::JobCompleted | Decision::JobFailed(_)))
    }

    fn committed(&self) -> usize {
        self.commits.last().copied().unwrap_or(0)
    }

    /// The process has ended after this many commits: what was decided since has not happened.
    pub fn crash(&mut self, commits: usize) {
        self.commits.truncate(commits);
        self.log.truncate(self.committed());
        self.state = State::new(&self.plan, &self.origin.0, self.origin.1);
        self.history.clear();
        for decision in std::mem::take(&mut self.log) {
            self.decide(decision);
        }
        self.process = Process::default();
    }

    pub fn exists(&self) -> bool {
        !self.commits.is_empty()
    }

    pub fn is_running(&self) -> bool {
        self.state.status == Status::Running
    }

    pub fn has_ended(&self) -> bool {
        self.state.status.has_ended()
    }

    /// Does the stored context have everything that was decided?
    pub fn context_is_committed(&self) -> bool {
        !self.log[self.committed()..].iter().any(|decision| {
            use What::{Completed, Failed, RoundCompleted};
            let Decision::Step(_, what) = decision else { return false };
            matches!(what, Completed { .. } | RoundCompleted { .. } | Failed { retry_at: None, .. })
        })
    }

    pub fn places(&self) -> std::ops::Range<usize> {
        0..self.plan.steps.len()
    }

    /// Where there is something to do: the steps in the order of the plan, the items of each before it.
    pub fn spots(&self) -> Vec<Spot> {
        self.places().flat_map(|step| self.items_of(step).into_iter().chain([step.into()])).collect()
    }

    pub fn items_of(&self, step: usize) -> Vec<Spot> {
        let count = self.state.steps[step].items.as_ref().map_or(0, Vec::len);
        (0..count).map(|item| Spot { step, item: Some(item) }).collect()
    }

    /// All items, those first whose step began with them first.
    pub fn items_as_they_began(&self) -> Vec<Spot> {
        self.state.fanned_out.iter().flat_map(|&step| self.items_of(step)).collect()
    }

    pub fn ended(&self, spot: impl Into<Spot>) -> bool {
        self.state.at(spot.into()).status.has_ended()
    }

    pub fn all_have_ended(&self) -> bool {
        self.places().all(|step| self.ended(step))
    }

    /// Does a person have to approve it, as things are?
    pub fn needs_approval(&self, spot: Spot) -> bool {
        let step = &self.plan.steps[spot.step];
        let asks = match step.kind {
            Kind::Approve => true,
            Kind::Agent(_) | Kind::Job(_) => step.approval || self.state.permissions.approval,
            Kind::Timer { .. } | Kind::Signal { .. } => step.approval,
        };
        asks && spot.item.is_none() && self.state.at(spot).approved.is_none()
    }

    pub fn lacks_tools(&self, spot: Spot) -> bool {
        let needs_tools = self.plan.steps[spot.step].work().is_some_and(|work| work.needs_tools);
        needs_tools && !self.state.permissions.tools
    }

    /// Was a person asked about it, and is an answer still needed, and of use?
    pub fn waits_for_person(&self, spot: Spot) -> bool {
        let mut asked = self.state.approvals.iter().filter(|approval| approval.spot == spot);
        !self.lacks_tools(spot) && asked.any(|approval| approval.tool.is_some() || self.needs_approval(spot))
    }

    pub fn waits_for_signal(&self, step: usize) -> bool {
        let state = &self.state.steps[step];
        matches!(self.plan.steps[step].kind, Kind::Signal { .. }) && state.begun && !self.ended(step)
    }

    /// The signal that a step that waits for one would use: of those it knows, the first that came.
    pub fn signal_for(&self, step: usize) -> Option<(String, Value)> {
        let Kind::Signal { names, .. } = &self.plan.steps[step].kind else { return None };
        self.state.signals.iter().find(|(name, _)| names.contains(name)).cloned()
    }

    /// Until when it waits, if it waits for a moment.
    pub fn waits_until(&self, spot: Spot) -> Option<f64> {
        let state = self.state.at(spot);
        state.due_at.filter(|_| state.status == StepStatus::Waiting)
    }

    /// When it may go on by itself, if it waits for that.
    pub fn next_moment_of(&self, spot: Spot) -> Option<f64> {
        if self.waits_for_person(spot) { None } else { self.waits_until(spot) }
    }

    /// Can something be done about it now?
    pub fn is_ready(&self, spot: Spot, now: f64) -> bool {
        let (step, state) = (&self.plan.steps[spot.step], self.state.at(spot));
        if state.status.has_ended() || !step.after.iter().all(|&before| self.ended(before)) {
            return false;
        }
        if state.items.is_some() {
            return self.items_of(spot.step).into_iter().all(|item| self.ended(item));
        }
        let is_due = self.waits_until(spot).is_some_and(|due_at| due_at <= now);
        match step.kind {
            _ if state.status == StepStatus::Running || self.waits_for_person(spot) => false,
            Kind::Timer { .. } => !state.begun || is_due,
            Kind::Signal { .. } => !state.begun || is_due || self.signal_for(spot.step).is_some(),
            Kind::Agent(_) | Kind::Job(_) | Kind::Approve => self.waits_until(spot).is_none() || is_due,
        }
    }

    /// The same for every attempt at one step, item and round.
    pub fn key_of(&self, spot: Spot) -> String {
        let step = &self.plan.steps[spot.step];
        let key = format!("{}:{}", self.id, step.id);
        match (spot.item, &step.repeat) {
            (Some(item), _) => format!("{key}:{item}"),
            (None, Some(_)) => format!("{key}:{}", self.state.at(spot).rounds_ended + 1),
            (None, None) => key,
        }
    }

    /// The attempt that is under way.
    pub fn attempt(&self, spot: Spot) -> Attempt {
        let state = self.state.at(spot);
        Attempt {
            step: self.plan.steps[spot.step].id.clone(),
            item: spot.item,
            round: state.rounds_ended + 1,
            number: state.attempts,
        }
    }

    /// In words that refusals have, why it does not go on.
    pub fn why_stopped(&self) -> &'static str {
        match self.state.status {
            Status::Failed => self.state.failure.map_or("not_running", |(code, _)| code),
            Status::Paused => self.state.pause.map_or("not_running", |(reason, _)| reason.code()),
            Status::Created | Status::Running | Status::Completed => "not_running",
        }
    }

    /// The step fails for good, and the job with it unless the plan says otherwise.
    pub fn fail_step(&mut self, spot: Spot, code: &'static str) {
        self.fail_attempt(spot, code, Asked::Nothing);
    }

    pub fn fail_attempt(&mut self, spot: Spot, code: &'static str, asked: Asked) {
        self.decide_step(spot, What::Failed { code, retry_at: None, asked });
        if self.plan.steps[spot.step].goes_on {
            return;
        }
        if spot.item.is_some() {
            let asked = Asked::Nothing;
            self.decide_step(spot.step, What::Failed { code, retry_at: None, asked });
        }
        self.cancel_steps();
        if !self.has_ended() {
            self.decide(Decision::JobFailed(Some((code, Some(spot.step)))));
        }
    }

    /// The job ends: what has begun ends as cancelled, items first.
    pub fn cancel_steps(&mut self) {
        let steps = self.places().map(Spot::from);
        for spot in self.items_as_they_began().into_iter().chain(steps) {
            if self.state.at(spot).begun && !self.ended(spot) {
                self.decide_step(spot, What::Cancelled);
            }
        }
    }

    /// It ends badly, because somebody says so.
    pub fn end_badly(&mut self, code: Option<&'static str>) {
        self.cancel_steps();
        self.decide(Decision::JobFailed(code.map(|code| (code, None))));
    }

    /// Attempts that a crash cut off are to be made again.
    pub fn recover(&mut self) {
        let steps = self.places().map(Spot::from).collect::<Vec<_>>();
        for spot in steps.into_iter().chain(self.items_as_they_began()) {
            let state = self.state.at(spot);
            if state.status == StepStatus::Running && state.items.is_none() {
                self.decide_step(spot, What::Recovered);
            }
        }
    }
}

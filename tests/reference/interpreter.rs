//! The reference: what docs/plans.md says, done the slow and obvious way. Whatever can be worked out
//! anew is, at every question, from the plan and from what was decided.

use serde_json::{Map, Value};

use crate::{
    case::{Attempt, Case, End, Play, Told},
    plan::{Kind, Plan, Step},
    rule::{Uncomputable, evaluate, evaluate_template, is_true},
    state::{Asked, Decision, Reason, State, Status, StepStatus, What},
};

pub const AGENT: &str = "worker";

pub struct Reference {
    pub case: Case,
    pub plan: Plan,
    pub state: State,
    pub log: Vec<Decision>,
    /// The same as its history has it.
    pub history: Vec<(&'static str, Value)>,
    /// How many decisions there were after each commit.
    pub commits: Vec<usize>,
    pub now: f64,
    pub budget: Option<f64>,
    /// The process that runs the job; all of it is lost in a crash.
    pub process: Process,
    /// What agents were called with.
    pub calls: Vec<Call>,
    /// What who asked was told, by the number of the question.
    pub told: Vec<(usize, Told)>,
}

/// What an agent is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub attempt: Attempt,
    pub key: String,
    pub input: Value,
    pub context: Value,
    pub granted: Vec<String>,
}

#[derive(Default)]
pub struct Process {
    pub runner: Option<Runner>,
    /// A run that waits until the one step that is run has ended: its input, and who asked.
    pub next: Option<(Option<Value>, Vec<usize>)>,
    pub stop_asked: bool,
}

/// Who runs the job's steps: all of them, or one.
pub struct Runner {
    pub single: bool,
    pub asked_by: Vec<usize>,
    only: Option<usize>,
    input: Option<Value>,
    /// What is held of the budget, by step.
    pub held: Vec<(usize, f64)>,
    pub at_work: Vec<AtWork>,
    finished: Vec<(usize, Finish)>,
    end: Option<Told>,
    began: bool,
    gave_up: bool,
}

/// An attempt that has begun.
pub struct AtWork {
    pub step: usize,
    pub deadline: Option<f64>,
    /// What its agent is still to be called with.
    to_call: Option<Call>,
    at_once: Option<Finish>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
enum Finish {
    Gives { output: Value, cost: Option<f64> },
    Fails { code: &'static str, retryable: bool, retry_after: Option<f64>, cost: Option<f64> },
    Asks(Vec<String>),
}

/// What keeps a step from beginning.
enum Denied {
    Pause(Reason),
    Fail(&'static str),
    Ask,
}

/// What comes next for a runner.
enum Next {
    Wait,
    Again,
    End(Told),
}

/// What became of a step that was looked at.
enum Tried {
    Begun,
    Passed,
    Ended,
    Stop(Next),
}

impl Reference {
    pub fn new(case: &Case) -> Reference {
        let plan = Plan::read(&case.plan);
        let mut reference = Reference {
            state: State::new(&plan, &case.context, case.permissions),
            plan,
            log: Vec::new(),
            history: Vec::new(),
            commits: Vec::new(),
            now: 0.0,
            budget: case.budget,
            process: Process::default(),
            calls: Vec::new(),
            told: Vec::new(),
            case: case.clone(),
        };
        reference.decide(Decision::JobCreated);
        reference.commit();
        reference
    }

    pub fn decide(&mut self, decision: Decision) {
        self.follow(&decision);
        self.log.push(decision);
    }

    fn follow(&mut self, decision: &Decision) {
        self.state.follow(&self.plan, decision);
        self.history.push(self.state.entry(&self.plan, decision));
    }

    fn decide_step(&mut self, step: usize, what: What) {
        self.decide(Decision::Step(step, what));
    }

    /// What was decided since the last commit is committed, where there is anything.
    pub fn commit(&mut self) {
        if self.log.len() > self.commits.last().copied().unwrap_or(0) {
            self.commits.push(self.log.len());
        }
    }

    /// The process has ended after this many commits: what was decided since has not happened.
    pub fn crash(&mut self, commits: usize, budget: Option<f64>) {
        self.commits.truncate(commits);
        self.log.truncate(self.commits.last().copied().unwrap_or(0));
        self.state = State::new(&self.plan, &self.case.context, self.case.permissions);
        self.history.clear();
        for decision in std::mem::take(&mut self.log) {
            self.decide(decision);
        }
        self.process = Process::default();
        self.budget = budget;
    }

    fn is_running(&self) -> bool {
        self.state.status == Status::Running
    }

    fn runner(&mut self) -> &mut Runner {
        self.process.runner.as_mut().expect("a runner")
    }

    /// Is anything decided that no stored context knows of yet?
    fn context_is_committed(&self) -> bool {
        let committed = self.commits.last().copied().unwrap_or(0);
        !self.log[committed..].iter().any(|decision| {
            matches!(
                decision,
                Decision::Step(
                    _,
                    What::Completed { .. }
                        | What::RoundCompleted { .. }
                        | What::Failed { retry_at: None, .. }
                )
            )
        })
    }

    // What is asked of a step, each time anew.

    fn has_ended(&self, step: usize) -> bool {
        self.state.steps[step].status.has_ended()
    }

    fn comes_next(&self, step: usize) -> bool {
        self.plan.steps[step].after.iter().all(|&before| self.has_ended(before))
    }

    fn all_have_ended(&self) -> bool {
        (0..self.plan.steps.len()).all(|step| self.has_ended(step))
    }

    /// Does a person have to approve it, as things are?
    fn needs_approval(&self, place: usize) -> bool {
        let step = &self.plan.steps[place];
        let asks = match step.kind {
            Kind::Approve => true,
            Kind::Agent(_) => step.approval || self.state.permissions.approval,
            Kind::Timer { .. } | Kind::Signal { .. } => step.approval,
        };
        asks && self.state.steps[place].approved.is_none()
    }

    /// Was a person asked about it, and is an answer still needed, and of use?
    fn waits_for_person(&self, place: usize) -> bool {
        if self.lacks_tools(place) {
            return false;
        }
        self.state
            .approvals
            .iter()
            .any(|approval| approval.step == place && (approval.tool.is_some() || self.needs_approval(place)))
    }

    fn lacks_tools(&self, place: usize) -> bool {
        let needs_tools = self.plan.steps[place].work().is_some_and(|work| work.needs_tools);
        needs_tools && !self.state.permissions.tools
    }

    pub fn waits_for_signal(&self, place: usize) -> bool {
        let step = &self.state.steps[place];
        matches!(self.plan.steps[place].kind, Kind::Signal { .. }) && step.begun && !step.status.has_ended()
    }

    /// The signal that a step that waits for one would use: of those it knows, the first that came.
    pub fn signal_for(&self, place: usize) -> Option<(String, Value)> {
        let Kind::Signal { names, .. } = &self.plan.steps[place].kind else { return None };
        self.state.signals.iter().find(|(name, _)| names.contains(name)).cloned()
    }

    /// Until when the step waits, if it waits for a moment.
    fn waits_until(&self, place: usize) -> Option<f64> {
        let step = &self.state.steps[place];
        step.due_at.filter(|_| step.status == StepStatus::Waiting)
    }

    /// Can something be done about the step now?
    fn is_ready(&self, place: usize) -> bool {
        let step = &self.state.steps[place];
        let is_due = self.waits_until(place).is_some_and(|due_at| due_at <= self.now);
        if step.status.has_ended() || step.status == StepStatus::Running || !self.comes_next(place) {
            return false;
        }
        match self.plan.steps[place].kind {
            _ if self.waits_for_person(place) => false,
            Kind::Timer { .. } => !step.begun || is_due,
            Kind::Signal { .. } => !step.begun || is_due || self.signal_for(place).is_some(),
            Kind::Agent(_) | Kind::Approve => self.waits_until(place).is_none() || is_due,
        }
    }

    // Running.

    /// Everything that follows by itself, until it takes time, an agent or a person to go on.
    pub fn settle(&mut self) {
        let (mut waits, mut looks) = (false, true);
        loop {
            if self.process.runner.is_none() {
                let Some((input, asked_by)) = self.process.next.take() else { return };
                self.process.runner = Some(Runner::new(false, input, asked_by));
                (waits, looks) = (false, true);
            }
            if self.runner().is_over() {
                self.end_run();
                continue;
            }
            if looks {
                self.collect();
            }
            let room = self.room();
            let runner = self.runner();
            // While there is no room, or it is about to end, it listens to nobody.
            let listens = runner.end.is_none() && room > 0;
            if runner.finished.is_empty() && (waits || runner.began && !listens) {
                return;
            }
            // Only who waits sees who has answered.
            looks = match self.go_on() {
                Next::Again => false,
                Next::Wait => true,
                Next::End(told) => {
                    self.runner().end.get_or_insert(told);
                    true
                }
            };
            waits = looks;
        }
    }

    /// Those who are to be called are; who answers at once, or is out of time, has finished.
    fn collect(&mut self) {
        let now = self.now;
        let runner = self.process.runner.as_mut().expect("a runner");
        for mut attempt in std::mem::take(&mut runner.at_work) {
            self.calls.extend(attempt.to_call.take());
            let out_of_time = attempt.deadline.is_some_and(|deadline| deadline <= now);
            match attempt.at_once {
                Some(finish) => runner.finished.push((attempt.step, finish)),
                None if out_of_time => runner.finished.push((attempt.step, TIMEOUT)),
                None => runner.at_work.push(attempt),
            }
        }
        runner.finished.sort_by_key(|(step, _)| *step);
    }

    fn room(&mut self) -> usize {
        let most = self.plan.concurrency;
        let runner = self.runner();
        if runner.single { 1_usize } else { most }.saturating_sub(runner.at_work.len())
    }

    pub fn begin_run(&mut self, single: bool, input: Option<Value>, asked_by: usize) {
        self.process.runner = Some(Runner::new(single, input, vec![asked_by]));
    }

    fn end_run(&mut self) {
        let runner = self.process.runner.take().expect("a runner");
        for (step, _) in &runner.held {
            self.give_back(&runner, *step);
        }
        let told = runner.end.expect("an end");
        self.told.extend(runner.asked_by.iter().map(|&asked_by| (asked_by, told.clone())));
    }

    fn give_back(&mut self, runner: &Runner, step: usize) {
        let held = runner.held.iter().find(|(holder, _)| *holder == step).map_or(0.0, |(_, held)| *held);
        self.budget = self.budget.map(|left| left + held);
    }
}

const TIMEOUT: Finish = Finish::Fails { code: "timeout", retryable: true, retry_after: None, cost: None };

impl Runner {
    fn new(single: bool, input: Option<Value>, asked_by: Vec<usize>) -> Runner {
        Runner {
            single,
            asked_by,
            only: None,
            input,
            held: Vec::new(),
            at_work: Vec::new(),
            finished: Vec::new(),
            end: None,
            began: false,
            gave_up: false,
        }
    }

    fn is_over(&self) -> bool {
        self.end.is_some() && self.at_work.is_empty() && self.finished.is_empty()
    }
}

// One decision of the runner, and its commit.
impl Reference {
    fn go_on(&mut self) -> Next {
        if !self.runner().began && self.is_running() {
            self.recover();
        }
        let last_ended = self.settle_finished();
        let (next, begun) = match last_ended {
            Some(step) if self.runner().single => (Next::End(self.report(step)), Vec::new()),
            _ => self.choose(),
        };
        self.commit();
        self.runner().began = true;
        if self.state.status.has_ended() {
            self.runner().gave_up |= !begun.is_empty();
            if self.give_up() && matches!(next, Next::Wait) {
                return Next::Again;
            }
        } else {
            if !begun.is_empty() {
                self.runner().input = None;
            }
            begun.into_iter().for_each(|step| self.call(step));
        }
        next
    }

    /// The job has ended: who is at work is told to stop. Gives whether anybody was.
    pub fn give_up(&mut self) -> bool {
        let Some(runner) = &mut self.process.runner else { return false };
        let any = !runner.at_work.is_empty();
        runner.gave_up |= any;
        runner.at_work.clear();
        any
    }

    /// Attempts that a crash cut off are to be made again.
    pub fn recover(&mut self) {
        for step in 0..self.plan.steps.len() {
            if self.state.steps[step].status == StepStatus::Running {
                self.decide_step(step, What::Recovered);
            }
        }
    }

    /// What the attempts that have finished came to, in the order of the plan. Gives the last step that ended.
    fn settle_finished(&mut self) -> Option<usize> {
        let mut last = None;
        for (step, finish) in std::mem::take(&mut self.runner().finished) {
            if self.state.steps[step].status == StepStatus::Running {
                self.note(step, finish.clone());
            } else {
                self.decide_step(step, What::Late);
            }
            self.account(step, &finish);
            if self.has_ended(step) {
                last = Some(step);
            }
        }
        last
    }

    fn note(&mut self, place: usize, finish: Finish) {
        let attempt = self.state.steps[place].attempts;
        match finish {
            Finish::Gives { output, cost } if self.plan.steps[place].repeat().is_some() => {
                self.decide_step(place, What::RoundCompleted { output, cost });
            }
            Finish::Gives { output, cost } => self.decide_step(place, What::Completed { output, cost }),
            Finish::Asks(tools) => {
                tools.into_iter().for_each(|tool| self.decide_step(place, What::Asked { tool: Some(tool) }));
            }
            Finish::Fails { code, retryable, retry_after, .. } => {
                let wait = wait_after(&self.plan.steps[place], attempt);
                match (wait, retry_after) {
                    (Some(_), _) if !retryable => self.fail_attempt(place, code, Asked::NoRetry),
                    (Some(wait), Some(longer)) if longer > wait => {
                        let (retry_at, asked) = (Some(self.now + longer), Asked::Later(longer));
                        self.decide_step(place, What::Failed { code, retry_at, asked });
                    }
                    (Some(wait), _) => {
                        let (retry_at, asked) = (Some(self.now + wait), Asked::Nothing);
                        self.decide_step(place, What::Failed { code, retry_at, asked });
                    }
                    (None, _) => self.fail_step(place, code),
                }
            }
        }
    }

    /// The step's estimate is settled at its actual cost. Between attempts it stays held.
    fn account(&mut self, step: usize, finish: &Finish) {
        let retries = self.waits_until(step).is_some() && matches!(finish, Finish::Fails { .. });
        if retries {
            return;
        }
        let runner = self.process.runner.as_mut().expect("a runner");
        let held = runner.held.iter().position(|(holder, _)| *holder == step);
        let held = held.map_or(0.0, |place| runner.held.remove(place).1);
        let actual = match finish {
            Finish::Gives { cost, .. } => cost.unwrap_or(held),
            Finish::Fails { cost, .. } => cost.unwrap_or(0.0),
            Finish::Asks(_) => 0.0,
        };
        self.budget = self.budget.map(|left| left + held - actual);
    }

    /// The step fails for good, and the job with it unless the plan says otherwise.
    pub fn fail_step(&mut self, place: usize, code: &'static str) {
        self.fail_attempt(place, code, Asked::Nothing);
    }

    fn fail_attempt(&mut self, place: usize, code: &'static str, asked: Asked) {
        self.decide_step(place, What::Failed { code, retry_at: None, asked });
        if !self.plan.steps[place].goes_on {
            self.cancel_steps();
            if !self.state.status.has_ended() {
                self.decide(Decision::JobFailed(Some((code, Some(place)))));
            }
        }
    }

    /// The job ends: what has begun ends as cancelled.
    pub fn cancel_steps(&mut self) {
        for step in 0..self.plan.steps.len() {
            if self.state.steps[step].begun && !self.has_ended(step) {
                self.decide_step(
                    step,
                    What::Failed { code: "cancelled", retry_at: None, asked: Asked::Nothing },
                );
            }
        }
    }

    fn choose(&mut self) -> (Next, Vec<usize>) {
        let single = self.runner().single;
        if !single && self.process.stop_asked && self.is_running() {
            self.decide(Decision::JobPaused(None, None));
        }
        if self.runner().end.is_some() {
            return (Next::Wait, Vec::new());
        }
        if !self.is_running() {
            // Who is at work finishes first; the job may be started again meanwhile.
            let next =
                if self.runner().at_work.is_empty() { Next::End(self.why_not_running()) } else { Next::Wait };
            return (next, Vec::new());
        }
        self.advance()
    }

    /// Looks at the first step that is ready, in the order of the plan, again and again.
    fn advance(&mut self) -> (Next, Vec<usize>) {
        let single = self.runner().single;
        let mut begun = Vec::new();
        let next = loop {
            if begun.len() >= self.room() {
                break Next::Wait;
            }
            if !self.is_running() {
                break Next::End(Told::Refused(self.why_stopped()));
            }
            let only = self.runner().only;
            let ready = (0..self.plan.steps.len())
                .find(|&step| only.is_none_or(|only| only == step) && self.is_ready(step));
            let Some(step) = ready else { break self.nothing_is_ready(begun.len()) };
            match self.try_step(step, begun.is_empty()) {
                Tried::Begun => begun.push(step),
                Tried::Passed => {}
                Tried::Ended if single => break Next::End(self.report(step)),
                Tried::Ended => {}
                Tried::Stop(next) => break next,
            }
        };
        (next, begun)
    }

    fn nothing_is_ready(&mut self, begun: usize) -> Next {
        if self.all_have_ended() {
            self.decide(Decision::JobCompleted);
            return Next::End(Told::NothingLeft);
        }
        let (single, only) = (self.runner().single, self.runner().only);
        let places = || 0..self.plan.steps.len();
        let is_meant = |step: usize| only.is_none_or(|only| only == step);
        let has_moment = places().any(|step| is_meant(step) && self.next_moment_of(step).is_some());
        let at_work = self.process.runner.as_ref().map_or(0, |runner| runner.at_work.len());
        if at_work + begun > 0 || has_moment {
            return Next::Wait;
        }
        let waits_for_signal = places().any(|step| self.waits_for_signal(step));
        let asked = self.state.approvals.iter().any(|approval| is_meant(approval.step));
        // Who runs one step is told at once that it waits for a person.
        if waits_for_signal && !(single && asked) {
            return Next::Wait;
        }
        let Some(first) = self.state.approvals.first().map(|approval| approval.step) else {
            return Next::End(Told::Refused("conflict"));
        };
        let others = places().any(|step| self.is_ready(step) || self.next_moment_of(step).is_some());
        if !others && !waits_for_signal {
            self.decide(Decision::JobPaused(Some(Reason::Approval), Some(first)));
        }
        Next::End(Told::Refused("approval_required"))
    }

    /// When the step may go on by itself, if it waits for that.
    pub fn next_moment_of(&self, step: usize) -> Option<f64> {
        if self.waits_for_person(step) { None } else { self.waits_until(step) }
    }

    fn why_stopped(&self) -> &'static str {
        match self.state.status {
            Status::Failed => self.state.failure.map_or("not_running", |(code, _)| code),
            Status::Paused => self.state.pause.map_or("not_running", |(reason, _)| reason.code()),
            Status::Created | Status::Running | Status::Completed => "not_running",
        }
    }

    fn why_not_running(&mut self) -> Told {
        let (single, gave_up) = (self.runner().single, self.runner().gave_up);
        match self.state.status {
            Status::Completed if !single => Told::NothingLeft,
            _ if single && !gave_up => Told::Refused("not_running"),
            _ => Told::Refused(self.why_stopped()),
        }
    }

    /// One step has ended; if it was the last, the job completes.
    fn report(&mut self, place: usize) -> Told {
        if self.is_running() && self.all_have_ended() {
            self.decide(Decision::JobCompleted);
        }
        let step = &self.state.steps[place];
        match (self.state.status, step.error) {
            (Status::Failed, Some(code)) => Told::Refused(code),
            _ => Told::Step(
                self.plan.steps[place].id.clone(),
                step.status.name(),
                step.attempts,
                (step.status == StepStatus::Done).then(|| step.output.clone()),
                self.state.status.name(),
            ),
        }
    }
}

/// How long to wait after a failed attempt, if there is to be another.
fn wait_after(step: &Step, attempt: u64) -> Option<f64> {
    let retry = step.work()?.retry.as_ref()?;
    let grown = (1..attempt).fold(retry.backoff_ms, |wait, _| wait * retry.factor);
    (attempt < retry.max_attempts).then_some(grown.min(retry.max_backoff_ms))
}

// A step that is ready: its checks, in their order.
impl Reference {
    fn try_step(&mut self, place: usize, is_first: bool) -> Tried {
        let when = self.plan.steps[place].when.clone();
        let state = &self.state.steps[place];
        let was_asked = state.begun || state.approved.is_some() || state.status == StepStatus::Waiting;
        if let Some(when) = when.filter(|_| !was_asked) {
            if !self.context_is_committed() {
                return Tried::Stop(Next::Again);
            }
            match self.is_true(&when) {
                Ok(true) => {}
                Ok(false) => {
                    self.decide_step(place, What::Skipped);
                    return Tried::Passed;
                }
                Err(Uncomputable) => {
                    self.fail_step(place, "agent_failed");
                    return Tried::Ended;
                }
            }
        }
        match self.plan.steps[place].kind {
            Kind::Agent(_) => self.try_agent(place, is_first),
            Kind::Approve => self.try_approve(place),
            Kind::Timer { .. } | Kind::Signal { .. } => self.try_wait(place),
        }
    }

    fn is_true(&self, rule: &Value) -> Result<bool, Uncomputable> {
        evaluate(rule, &Value::Object(self.state.context.clone())).map(|value| is_true(&value))
    }

    fn check(&self, place: usize) -> Result<(), Denied> {
        let (step, state) = (&self.plan.steps[place], &self.state.steps[place]);
        let has_breakpoint = step.breakpoint || self.state.breakpoints.contains(&place);
        if has_breakpoint && !state.breakpoint_passed {
            return Err(Denied::Pause(Reason::Breakpoint));
        }
        if let Some(work) = step.work() {
            if self.lacks_tools(place) {
                return Err(Denied::Fail("tools_denied"));
            }
            if work.agent != AGENT {
                return Err(Denied::Fail("unknown_agent"));
            }
        }
        if self.needs_approval(place) { Err(Denied::Ask) } else { Ok(()) }
    }

    fn deny(&mut self, place: usize, denied: Denied) -> Tried {
        match denied {
            Denied::Pause(reason) => {
                self.decide(Decision::JobPaused(Some(reason), Some(place)));
                Tried::Stop(Next::End(Told::Refused(reason.code())))
            }
            Denied::Ask => {
                self.decide_step(place, What::Asked { tool: None });
                Tried::Passed
            }
            Denied::Fail(code) => {
                self.fail_step(place, code);
                if self.is_running() { Tried::Passed } else { Tried::Stop(Next::End(Told::Refused(code))) }
            }
        }
    }

    fn try_approve(&mut self, place: usize) -> Tried {
        match self.check(place) {
            Err(denied) => self.deny(place, denied),
            Ok(()) => {
                let by = self.state.steps[place].approved.clone();
                let output = serde_json::json!({ "by": by });
                self.decide_step(place, What::Completed { output, cost: None });
                Tried::Ended
            }
        }
    }

    fn try_wait(&mut self, place: usize) -> Tried {
        // Who waits already is not asked about again.
        if !self.state.steps[place].begun
            && let Err(denied) = self.check(place)
        {
            return self.deny(place, denied);
        }
        if self.runner().single {
            self.runner().only = Some(place);
        }
        let timeout = match self.plan.steps[place].kind {
            Kind::Timer { ms } => Some(ms),
            Kind::Signal { timeout_ms, .. } => timeout_ms,
            Kind::Agent(_) | Kind::Approve => None,
        };
        if !self.state.steps[place].begun {
            self.decide_step(place, What::Waits { due_at: timeout.map(|ms| self.now + ms) });
        }
        let is_due = self.state.steps[place].due_at.is_some_and(|due_at| due_at <= self.now);
        let is_timer = matches!(self.plan.steps[place].kind, Kind::Timer { .. });
        match self.signal_for(place) {
            Some((signal, payload)) => {
                let output = serde_json::json!({ "signal": signal, "payload": payload });
                self.decide_step(place, What::Completed { output, cost: None });
                Tried::Ended
            }
            None if is_due && is_timer => {
                self.decide_step(place, What::Completed { output: Value::Null, cost: None });
                Tried::Ended
            }
            None if is_due => {
                self.fail_step(place, "timeout");
                Tried::Ended
            }
            None => Tried::Passed,
        }
    }

    fn try_agent(&mut self, place: usize, is_first: bool) -> Tried {
        if self.state.steps[place].between_rounds {
            if !self.context_is_committed() {
                return Tried::Stop(Next::Again);
            }
            let repeat = self.plan.steps[place].repeat().expect("rounds");
            let (until, max) = (repeat.until.clone(), repeat.max);
            match self.is_true(&until) {
                Ok(true) => {
                    let output = self.state.steps[place].output.clone();
                    self.decide_step(place, What::Completed { output, cost: None });
                    return Tried::Ended;
                }
                Ok(false) if self.state.steps[place].rounds_ended < max => {}
                Ok(false) | Err(Uncomputable) => {
                    self.fail_step(place, "agent_failed");
                    return Tried::Ended;
                }
            }
        }
        if !self.state.steps[place].begun && self.state.steps_taken >= self.state.permissions.max_steps {
            return self.deny(place, Denied::Pause(Reason::StepLimit));
        }
        if let Err(denied) = self.check(place) {
            return self.deny(place, denied);
        }
        if !self.hold(place) {
            self.decide(Decision::JobPaused(Some(Reason::Budget), Some(place)));
            return Tried::Stop(Next::End(Told::BudgetRefused));
        }
        let is_new = !self.state.steps[place].begun;
        let given = self.runner().input.clone().filter(|_| is_first && is_new);
        self.decide_step(place, What::Started { given });
        Tried::Begun
    }

    /// Holds the step's estimate, where nothing is held for it yet.
    fn hold(&mut self, place: usize) -> bool {
        if self.runner().held.iter().any(|(holder, _)| *holder == place) {
            return true;
        }
        let own = self.plan.steps[place].work().and_then(|work| work.cost);
        let estimate = own.or(self.case.estimate).unwrap_or(0.0);
        if self.budget.is_some_and(|left| left < estimate) {
            return false;
        }
        self.budget = self.budget.map(|left| left - estimate);
        self.runner().held.push((place, estimate));
        true
    }

    /// The agent of a step that is committed as running is called.
    fn call(&mut self, place: usize) {
        let step = &self.plan.steps[place];
        let work = step.work().expect("an agent's step");
        let state = &self.state.steps[place];
        let context = Value::Object(self.state.context.clone());
        let output_of = |step: usize| self.state.steps[step].output.clone();
        let input = match (&work.input, &state.given, &step.after[..]) {
            (Some(input), _, _) => evaluate_template(input, &context),
            (None, Some(given), _) => Ok(given.clone()),
            (None, None, []) => Ok(Value::Null),
            (None, None, [one]) => Ok(output_of(*one)),
            (None, None, several) => {
                let outputs = several.iter().map(|&step| (self.plan.steps[step].id.clone(), output_of(step)));
                Ok(Value::Object(outputs.collect::<Map<String, Value>>()))
            }
        };
        let round = state.rounds_ended + 1;
        let attempt = Attempt { step: step.id.clone(), round, number: state.attempts };
        let deadline = work.timeout_ms.map(|ms| self.now + ms);
        let (to_call, at_once) = match input {
            Err(Uncomputable) => {
                let code = "agent_failed";
                (None, Some(Finish::Fails { code, retryable: false, retry_after: None, cost: None }))
            }
            Ok(input) => {
                let play = self.case.play(&attempt.step, round, attempt.number);
                let finish = finish_of(&play, &state.granted);
                let key = match step.repeat() {
                    None => format!("job:{}", step.id),
                    Some(_) => format!("job:{}:{round}", step.id),
                };
                let granted = state.granted.clone();
                let call = Call { attempt, key, input, context, granted };
                (Some(call), play.at_once.then_some(finish))
            }
        };
        let runner = self.process.runner.as_mut().expect("a runner");
        if runner.single {
            runner.only = Some(place);
        }
        runner.at_work.push(AtWork { step: place, deadline, to_call, at_once });
    }

    /// The attempts at these places among those at work, in the order of the plan, come to their ends.
    pub fn finish(&mut self, steps: &[usize]) {
        for &place in steps {
            let state = &self.state.steps[place];
            let play = self.case.play(&self.plan.steps[place].id, state.rounds_ended + 1, state.attempts);
            let finish = finish_of(&play, &state.granted);
            let at_work = &mut self.runner().at_work;
            let attempt = at_work.iter_mut().find(|attempt| attempt.step == place).expect("at work");
            attempt.at_once = Some(finish);
        }
    }
}

/// How an attempt ends: with the questions that have no answer yet, if there are any.
fn finish_of(play: &Play, granted: &[String]) -> Finish {
    let asks: Vec<String> = play.asks.iter().filter(|tool| !granted.contains(tool)).cloned().collect();
    if !asks.is_empty() {
        return Finish::Asks(asks);
    }
    match play.end.clone() {
        End::Gives { output, cost } => Finish::Gives { output, cost },
        End::Fails { code, retryable, retry_after, cost } => {
            Finish::Fails { code, retryable, retry_after, cost }
        }
    }
}

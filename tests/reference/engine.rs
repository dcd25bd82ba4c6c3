//! The real orchestrator over a host in memory, to which the same things happen.

use std::{cell::RefCell, rc::Rc};

use jobwright::{
    core::{
        outcome::{Code, Refusal},
        permissions::PermissionPatch,
        plan,
        status::JobStatus,
    },
    host::{
        JobKey,
        memory::{AgentCall, Fate, HostCall, MemoryHost, Reply, ToolCall},
    },
    orchestrator::{Answer, NewJob, Orchestrator, Outcome, Stop},
};
use serde_json::{Map, Value, json};

use crate::{
    case::{Ask, Attempt, Case, Crash, End, Move, Permissions, Play, Told, Which},
    executor::{Handle, Pool},
    interpreter::{AGENT, Call},
    replay::replay,
};

/// More than anything takes to come to rest.
const MOST_POLLS: usize = 10_000;

pub struct Engine {
    host: MemoryHost,
    key: JobKey,
    orchestrator: Rc<Orchestrator<MemoryHost>>,
    pool: Pool,
    asked: Vec<(usize, Handle<Told>)>,
    /// What agents were called with, and those calls that have no answer yet.
    calls: Rc<RefCell<Calls>>,
    watched: Rc<RefCell<Watched>>,
}

#[derive(Default)]
struct Calls {
    made: Vec<Call>,
    numbers: Vec<(String, usize)>,
}

/// What goes from the orchestrator to the host.
#[derive(Default)]
struct Watched {
    calls: usize,
    commits: usize,
    crash: Option<Crash>,
}

impl Engine {
    /// `rereads`: everything is read again from its stored form for each decision.
    pub fn new(case: &Case, rereads: bool) -> Engine {
        let host = MemoryHost::default();
        let calls = Rc::<RefCell<Calls>>::default();
        let (made, script) = (Rc::clone(&calls), case.clone());
        host.set_agent_that_costs(AGENT, case.estimate, move |call| {
            answer(&script, call, &mut made.borrow_mut())
        });
        host.set_budget(case.budget);
        host.always_reread(rereads);
        let key = host.enter("job");
        let watched = Rc::<RefCell<Watched>>::default();
        let mut engine = Engine {
            orchestrator: Rc::new(Orchestrator::new(host.clone())),
            pool: Pool::default(),
            asked: Vec::new(),
            key,
            calls,
            watched,
            host,
        };
        engine.watch();
        engine.create(case);
        engine
    }

    fn create(&mut self, case: &Case) {
        let new = NewJob {
            origin: Some(self.host.origin(self.key, case.context.clone(), Some(&case.plan))),
            permissions: patch(case.permissions),
            plan: Some(Rc::new(plan::parse(&case.plan).expect("a valid plan"))),
            slow_play_ms: None,
            parent: None,
            id_was_given: true,
        };
        let (orchestrator, key) = (Rc::clone(&self.orchestrator), self.key);
        let created = self.pool.spawn(async move { orchestrator.create_job(key, new).await });
        self.pool.settle();
        created.take().expect("a host that answers at once").expect("a new job");
    }

    fn watch(&self) {
        let watched = Rc::clone(&self.watched);
        self.host.choose_fates(move |call| watched.borrow_mut().fate_of(call));
    }

    /// Something happens; `at_work` are the steps that `Finish` names, `ms` is how far `Tick` goes.
    /// Gives whether the process came to its end.
    pub fn happen(
        &mut self,
        what: &Move,
        number: usize,
        at_work: &[String],
        ms: f64,
        crash: Option<Crash>,
        script: &Case,
    ) -> bool {
        {
            let mut watched = self.watched.borrow_mut();
            (watched.calls, watched.crash) = (0, crash);
        }
        match what {
            Move::Finish(_) => at_work.iter().for_each(|step| self.finish(step, script)),
            Move::Tick => self.host.advance(ms),
            Move::Pass(ms) => self.host.advance(*ms),
            Move::Fund(budget) => self.host.set_budget(*budget),
            Move::Ask(ask) => self.ask(ask, number),
            Move::Crash => {}
        }
        let polls = (0..MOST_POLLS).take_while(|_| self.pool.poll_one(|_| 0)).count();
        assert!(polls < MOST_POLLS, "operations that are never at rest");
        let crashes = crash.is_some() || *what == Move::Crash;
        if crashes {
            self.crash();
        }
        crashes
    }

    fn crash(&mut self) {
        self.asked.clear();
        self.pool = Pool::default();
        self.orchestrator = Rc::new(Orchestrator::new(self.host.clone()));
        self.host.restart();
        self.calls.borrow_mut().numbers.clear();
        self.watched.borrow_mut().crash = None;
    }

    fn finish(&self, step: &str, script: &Case) {
        let mut calls = self.calls.borrow_mut();
        let at = calls.numbers.iter().position(|(id, _)| id == step).expect("at work");
        let (_, number) = calls.numbers.remove(at);
        let call = calls.made.iter().rev().find(|call| call.attempt.step == step).expect("a call");
        let Attempt { round, number: attempt, .. } = call.attempt;
        let play = script.play(step, round, attempt);
        self.host.answer(number, reply(&play, &call.granted));
    }

    fn ask(&mut self, ask: &Ask, number: usize) {
        let engine = Rc::clone(&self.orchestrator);
        let key = self.key;
        if *ask == Ask::StopRun {
            engine.stop_run(key);
        }
        let ask = match ask {
            Ask::Approve(which, by) => Asked::Approve(self.answer(which, *by)),
            Ask::Reject(which) => Asked::Reject(self.answer(which, None)),
            other => Asked::Other(other.clone()),
        };
        self.asked.push((number, self.pool.spawn(perform(engine, key, ask))));
    }

    fn answer(&self, which: &Which, by: Option<&str>) -> Answer {
        let by = by.map(str::to_owned);
        match which {
            Which::Only => Answer { by, ..Answer::default() },
            Which::Step(id) => Answer { step: Some(id.clone()), by, ..Answer::default() },
            Which::Listed(place) => {
                let ids = self.look(|job| {
                    let approvals = job["run"]["approvals"].as_array().into_iter().flatten();
                    approvals.map(|approval| approval["id"].clone()).collect::<Vec<Value>>()
                });
                let id = ids.get(place % ids.len().max(1)).and_then(Value::as_str).unwrap_or("none");
                Answer { approval: Some(id.to_owned()), by, ..Answer::default() }
            }
        }
    }

    /// What was told since it was last asked.
    pub fn told(&mut self) -> Vec<(usize, Told)> {
        let mut told = Vec::new();
        self.asked.retain(|(number, handle)| match handle.take() {
            Some(answer) => {
                told.push((*number, answer));
                false
            }
            None => true,
        });
        told
    }

    /// Looks at the job as it is stored.
    pub fn look<T>(&self, read: impl FnOnce(&Map<String, Value>) -> T) -> T {
        self.host.look(self.key, |job| read(job.expect("a job")))
    }

    /// Decides the job's history again: the third world.
    pub fn replay(&self) -> Result<(), String> {
        let job = self.host.job(self.key).expect("a job");
        replay(&job).map(|_| ()).map_err(|difference| format!("replayed: {difference:?}"))
    }

    /// How many commits were made.
    pub fn commits(&self) -> usize {
        self.watched.borrow().commits
    }

    /// The calls of agents since it was last asked.
    pub fn calls_from(&self, from: usize) -> Vec<Call> {
        self.calls.borrow().made.get(from..).unwrap_or_default().to_vec()
    }

    /// How many attempts have no answer yet.
    pub fn unanswered(&self) -> usize {
        self.host.unanswered().len()
    }

    pub fn budget(&self) -> Option<f64> {
        self.host.budget()
    }

    pub fn held(&self) -> usize {
        self.host.held()
    }

    pub fn timers(&self) -> usize {
        self.host.timers()
    }

    pub fn is_idle(&self) -> bool {
        self.pool.is_empty()
    }
}

impl Watched {
    fn fate_of(&mut self, call: HostCall) -> Fate {
        // The look for an agent has no fate but its answer.
        if matches!(call, HostCall::FindAgent(_)) {
            return Fate::Go;
        }
        let number = self.calls;
        self.calls += 1;
        let fate = match self.crash {
            Some(crash) if number == crash.call && crash.done => Fate::DoneThenNever,
            Some(crash) if number >= crash.call => Fate::Never,
            _ => Fate::Go,
        };
        if matches!(call, HostCall::Commit(_)) && fate != Fate::Never {
            self.commits += 1;
        }
        fate
    }
}

/// What an agent answers, by the script.
fn answer(script: &Case, call: &AgentCall, calls: &mut Calls) -> Reply {
    let round = call.idempotency_key.split(':').nth(2).and_then(|round| round.parse().ok()).unwrap_or(1);
    let number = u64::from(call.attempt);
    let granted: Vec<String> = call.granted.iter().map(|granted| granted.tool.clone()).collect();
    let play = script.play(&call.step, round, number);
    let reply = if play.at_once {
        reply(&play, &granted)
    } else {
        calls.numbers.retain(|(step, _)| *step != call.step);
        calls.numbers.push((call.step.clone(), call.number));
        Reply::Later
    };
    calls.made.push(Call {
        attempt: Attempt { step: call.step.clone(), round, number },
        key: call.idempotency_key.clone(),
        input: call.input.clone(),
        context: call.context.clone(),
        granted,
    });
    reply
}

fn reply(play: &Play, granted: &[String]) -> Reply {
    let asks = play.asks.iter().filter(|tool| !granted.contains(tool));
    let asks: Vec<ToolCall> = asks.map(|tool| ToolCall { tool: tool.clone(), args: json!(1) }).collect();
    if !asks.is_empty() {
        return Reply::Asks(asks);
    }
    match play.end.clone() {
        End::Gives { output, cost } => Reply::Done { output, cost },
        End::Fails { code, retryable, retry_after, cost } => {
            let code = Code::from_name(code).expect("a code");
            Reply::Failed { why: Refusal::new(code, "as the script says"), retryable, retry_after, cost }
        }
    }
}

fn patch(permissions: Permissions) -> PermissionPatch {
    PermissionPatch {
        allow_tools: Some(permissions.tools),
        require_approval: Some(permissions.approval),
        max_steps: Some(permissions.max_steps),
    }
}

/// A question in the engine's words.
enum Asked {
    Approve(Answer),
    Reject(Answer),
    Other(Ask),
}

async fn perform(engine: Rc<Orchestrator<MemoryHost>>, key: JobKey, ask: Asked) -> Told {
    let ask = match ask {
        Asked::Approve(answer) => return told(engine.approve_step(key, answer).await),
        Asked::Reject(answer) => return told(engine.reject_step(key, answer).await),
        Asked::Other(ask) => ask,
    };
    match ask {
        Ask::Start => told(engine.start_job(key).await),
        Ask::Pause => told(engine.pause_job(key).await),
        Ask::Complete => told(engine.complete_job(key).await),
        Ask::CompleteAsFailed => told(engine.complete_job_as_failed(key).await),
        Ask::Fail => told(engine.fail_job(key, None).await),
        Ask::Cancel => told(engine.cancel_job(key, None).await.map(|_| ())),
        Ask::Permit(permissions) => told(engine.set_permissions(key, patch(permissions)).await),
        Ask::Breakpoints(ids) => told(engine.set_breakpoints(key, &ids).await),
        Ask::Signal(name, payload) => told(engine.signal(key, &name, payload).await),
        Ask::Run(input) => match engine.run_job(key, input).await {
            Ok(()) => Told::NothingLeft,
            stopped => told(stopped),
        },
        Ask::Next(input) => next(&engine, key, input).await,
        Ask::Recover => match engine.recover().await {
            Ok(jobs) => Told::Resumed(jobs.len()),
            Err(stop) => told(Err(stop)),
        },
        Ask::StopRun | Ask::Approve(..) | Ask::Reject(_) => Told::Done,
    }
}

async fn next(engine: &Orchestrator<MemoryHost>, key: JobKey, input: Option<Value>) -> Told {
    match engine.next_step(key, input).await {
        Ok((JobStatus::Completed, None)) => Told::NothingLeft,
        Ok((job, Some(step))) => {
            Told::Step(step.id.into(), step.status.name(), u64::from(step.attempts), step.output, job.name())
        }
        Ok((other, None)) => panic!("no step, and the job is {other:?}"),
        Err(stop) => told(Err(stop)),
    }
}

fn told(outcome: Outcome<MemoryHost>) -> Told {
    match outcome {
        Ok(()) => Told::Done,
        Err(Stop::Refused(refusal)) => Told::Refused(refusal.code.name()),
        Err(Stop::BudgetRefused(_)) => Told::BudgetRefused,
        Err(Stop::Failed(error)) => panic!("the host fails at nothing, and yet: {error}"),
    }
}

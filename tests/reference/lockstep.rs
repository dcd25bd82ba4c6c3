//! The engine and the reference side by side: after each thing that happens, they must agree.

use std::{
    any::Any,
    fmt::Debug,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde_json::{Map, Value, json};

use crate::{
    case::{Case, Move, Permissions, Turn},
    engine::Engine,
    interpreter::Reference,
    invariants::Invariants,
    state::StepStatus,
};

/// The ways in which a job can be run that must make no difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum World {
    /// One process that remembers what it has read.
    Straight,
    /// Everything is read again from its stored form for each decision.
    Reread,
}

pub const WORLDS: [World; 2] = [World::Straight, World::Reread];

/// At most this many further things happen until the job has ended.
const MOST_KIND_MOVES: usize = 300;

/// What did not agree.
pub type Agreed<T = ()> = Result<T, String>;

struct Lockstep {
    reference: Reference,
    engine: Engine,
    invariants: Invariants,
    /// How many entries of the log, and calls, were compared.
    compared: (usize, usize),
    questions: usize,
}

/// Do the engine and the reference agree on this case, in each world?
pub fn agree_on(case: &Case) -> Agreed {
    WORLDS.into_iter().try_for_each(|world| agree_in(world, case))
}

/// Do they in this world, and when the history is decided again?
pub fn agree_in(world: World, case: &Case) -> Agreed {
    let ran = catch_unwind(AssertUnwindSafe(|| run(case, world)));
    ran.unwrap_or_else(|panic| Err(words_of(&*panic))).map_err(|problem| format!("{world:?}, {problem}"))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

/// Runs a case to its end in one world.
fn run(case: &Case, world: World) -> Agreed {
    let mut both = Lockstep::new(case, world)?;
    for turn in &case.turns {
        both.happen(turn).map_err(|problem| format!("after {turn:?}: {problem}{}", both.told_apart()))?;
    }
    for _ in 0..MOST_KIND_MOVES {
        let Some(what) = both.reference.kind_move() else { return both.end() };
        let turn = Turn { what, crash: None };
        both.happen(&turn)
            .map_err(|problem| format!("in the end, after {turn:?}: {problem}{}", both.told_apart()))?;
    }
    Err("it comes to no end".to_owned())
}

fn same<T: PartialEq + Debug>(what: &str, engine: &T, reference: &T) -> Agreed {
    if engine == reference {
        return Ok(());
    }
    Err(format!("{what}\n  engine:    {engine:?}\n  reference: {reference:?}"))
}

impl Lockstep {
    fn new(case: &Case, world: World) -> Agreed<Lockstep> {
        let mut both = Lockstep {
            reference: Reference::new(case),
            engine: Engine::new(case, world == World::Reread),
            invariants: Invariants::new(case),
            compared: (0, 0),
            questions: 0,
        };
        both.compare()?;
        Ok(both)
    }

    /// Something happens to both.
    fn happen(&mut self, Turn { what, crash }: &Turn) -> Agreed {
        let ids = match what {
            Move::Finish(which) => {
                let steps = self.reference.meant(which);
                steps.iter().map(|&step| self.reference.plan.steps[step].id.clone()).collect()
            }
            _ => Vec::new(),
        };
        let ms = self.reference.next_moment().unwrap_or(0.0);
        let number = self.questions;
        self.questions += 1;
        let crashed = self.engine.happen(what, number, &ids, ms, *crash, &self.reference.case);
        self.reference.happen(what, number);
        if crashed {
            return self.crash();
        }
        self.compare()
    }

    /// What the engine has stored must be the beginning of what was to be decided.
    fn crash(&mut self) -> Agreed {
        let commits = self.engine.commits();
        if commits > self.reference.commits.len() {
            return Err(format!("{commits} commits, of which there are {}", self.reference.commits.len()));
        }
        let calls = self.engine.calls_from(self.compared.1);
        let expected = self.reference.calls.get(self.compared.1..).unwrap_or_default();
        let expected = expected.get(..calls.len()).unwrap_or(expected).to_vec();
        same("calls of agents before the process ended", &calls, &expected)?;
        self.reference.calls.truncate(self.compared.1 + calls.len());
        self.reference.crash(commits, self.engine.budget());
        self.reference.told.clear();
        self.compared.0 = self.compared.0.min(self.reference.history.len());
        self.compare()
    }

    fn compare(&mut self) -> Agreed {
        same("commits", &self.engine.commits(), &self.reference.commits.len())?;
        self.compare_history()?;
        let mut told = self.engine.told();
        told.sort_by_key(|(number, _)| *number);
        let mut expected = std::mem::take(&mut self.reference.told);
        expected.sort_by_key(|(number, _)| *number);
        same("what was told", &told, &expected)?;
        let calls = self.engine.calls_from(self.compared.1);
        same("calls of agents", &calls, &self.reference.calls[self.compared.1..].to_vec())?;
        self.compared.1 = self.reference.calls.len();
        let at_work = self.reference.at_work().len();
        same("attempts at work", &self.engine.unanswered(), &at_work)?;
        same("what is left of the budget", &self.engine.budget(), &self.reference.budget)?;
        let held = self.reference.process.runner.as_ref().map_or(0, |runner| runner.held.len());
        same("steps that something is held for", &self.engine.held(), &held)?;
        let (reference, invariants) = (&self.reference, &mut self.invariants);
        self.engine.look(|job| {
            compare_job(job, reference)?;
            invariants.look(job, at_work, held)
        })
    }

    fn compare_history(&mut self) -> Agreed {
        let entries = &self.reference.history;
        let compared = self.compared.0;
        self.engine.look(|job| {
            let history = history_of(job);
            for (place, (name, payload)) in entries.iter().enumerate().skip(compared) {
                let found =
                    history.get(place).map(|event| (text(&event["type"]), stripped(&event["payload"])));
                let expected = Some(((*name).to_owned(), payload.clone()));
                same(&format!("entry {} of the history", place + 1), &found, &expected)?;
            }
            same("entries of the history", &history.len(), &entries.len())
        })?;
        self.compared.0 = entries.len();
        Ok(())
    }

    /// Both histories in lines.
    fn told_apart(&self) -> String {
        let found = self.engine.look(|job| {
            let lines = history_of(job).iter();
            lines
                .map(|event| format!("\n    {} {}", event["type"], stripped(&event["payload"])))
                .collect::<String>()
        });
        let expected = self.reference.history.iter();
        let expected: String = expected.map(|(name, payload)| format!("\n    {name} {payload}")).collect();
        format!("\n  engine:{found}\n  reference:{expected}")
    }

    fn end(self) -> Agreed {
        if self.reference.has_loose_end() {
            return Err("a step that began has no end, and the job has".to_owned());
        }
        same("operations that never end", &self.engine.is_idle(), &true)?;
        same("timers that are left", &self.engine.timers(), &0)?;
        self.engine.replay()
    }
}

fn history_of(job: &Map<String, Value>) -> &[Value] {
    job.get("history").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A payload without its words and what says nothing new.
fn stripped(payload: &Value) -> Value {
    let mut payload = payload.clone();
    let members = payload.as_object_mut().expect("a payload");
    for key in ["jobId", "agent", "args"] {
        members.remove(key);
    }
    if members.contains_key("plan") {
        // Where the job began from; it stands in the job itself.
        return json!({});
    }
    if let Some(error) = members.get_mut("error") {
        *error = json!({ "code": error["code"] });
    }
    payload
}

fn compare_job(job: &Map<String, Value>, reference: &Reference) -> Agreed {
    let (plan, state) = (&reference.plan, &reference.state);
    let run = &job["run"];
    same("status", &text(&job["status"]), &state.status.name().to_owned())?;
    let context = job["context"].as_object().ok_or("no context")?;
    same("context", context, &state.context)?;
    same("steps taken", &run["stepsTaken"].as_u64(), &Some(state.steps_taken))?;
    same("permissions", &job["permissions"], &permissions(state.permissions))?;
    let id_of = |step: Option<usize>| step.map_or(Value::Null, |step| plan.steps[step].id.clone().into());
    let pause = state.pause.map(|(reason, step)| (reason.name().to_owned(), id_of(step)));
    let found = run.get("pause").map(|pause| (text(&pause["reason"]), pause["step"].clone()));
    same("pause", &found, &pause)?;
    let failure = state.failure.map(|(code, step)| (code.to_owned(), id_of(step)));
    let found = run.get("failure").map(|failure| (text(&failure["code"]), failure["step"].clone()));
    same("failure", &found, &failure)?;
    let approvals = run["approvals"].as_array().into_iter().flatten();
    let approvals: Vec<_> =
        approvals.map(|it| (text(&it["id"]), it["step"].clone(), it["tool"].clone())).collect();
    let expected = state
        .approvals
        .iter()
        .map(|it| (it.id.clone(), id_of(Some(it.step)), it.tool.clone().map_or(Value::Null, Value::from)));
    same("approvals", &approvals, &expected.collect())?;
    let signals = run["signals"].as_array().into_iter().flatten();
    let signals: Vec<_> = signals.map(|it| (text(&it["name"]), it["payload"].clone())).collect();
    same("signals", &signals, &state.signals)?;
    for (step, expected) in plan.steps.iter().zip(&state.steps) {
        let found = &run["steps"][&*step.id];
        if found.is_null() && expected.status == StepStatus::Pending && !expected.begun {
            continue;
        }
        let round = found["round"].as_u64().unwrap_or(0);
        let found =
            (text(&found["status"]), found["attempts"].as_u64(), round, found["error"]["code"].clone());
        let error = expected.error.map_or(Value::Null, Value::from);
        let expected =
            (expected.status.name().to_owned(), Some(expected.attempts), expected.rounds_ended, error);
        same(&format!("step {}", step.id), &found, &expected)?;
    }
    Ok(())
}

fn permissions(Permissions { tools, approval, max_steps }: Permissions) -> Value {
    json!({ "allowTools": tools, "requireApproval": approval, "maxSteps": max_steps })
}

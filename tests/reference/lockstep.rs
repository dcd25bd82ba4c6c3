//! The engine and the reference side by side: after each thing that happens, they must agree.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde_json::Value;

use crate::{
    case::{Case, Move, Turn},
    compare::{Agreed, compare_history, compare_job, same, told_apart},
    engine::{Engine, Happens},
    interpreter::{ROOT, Reference},
    invariants::Invariants,
    random::Random,
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

pub struct Lockstep {
    pub reference: Reference,
    engine: Engine,
    /// By job.
    invariants: BTreeMap<String, Invariants>,
    /// How many entries of each job's history were compared.
    compared: BTreeMap<String, usize>,
    questions: usize,
    crashed: bool,
    draws: bool,
    /// What all attempts so far cost, or will, above their estimates.
    excess: f64,
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
        both.happen(turn).map_err(|problem| {
            format!("after {turn:?}: {problem}{}", told_apart(&both.engine, &both.reference))
        })?;
    }
    for _ in 0..MOST_KIND_MOVES {
        let Some(what) = both.reference.kind_move() else { return both.end() };
        let turn = Turn { what, crash: None };
        both.happen(&turn).map_err(|problem| {
            format!("in the end, after {turn:?}: {problem}{}", told_apart(&both.engine, &both.reference))
        })?;
    }
    Err("it comes to no end".to_owned())
}

impl Lockstep {
    pub fn new(case: &Case, world: World) -> Agreed<Lockstep> {
        let mut both = Lockstep {
            reference: Reference::new(case),
            engine: Engine::new(case, world == World::Reread),
            invariants: BTreeMap::new(),
            compared: BTreeMap::new(),
            questions: 0,
            crashed: false,
            draws: case.plan.to_string().contains("jitter"),
            excess: 0.0,
        };
        both.compare()?;
        Ok(both)
    }

    /// Something happens to both.
    pub fn happen(&mut self, Turn { what, crash }: &Turn) -> Agreed {
        let reference = &mut self.reference;
        let meant = match what {
            Move::Finish(which) => reference.meant(which),
            _ => Vec::new(),
        };
        let job = if let Move::Ask(who, _) = what { reference.job_of(*who) } else { ROOT };
        let happens = Happens {
            what,
            number: self.questions,
            job: reference.jobs[job].id.clone(),
            finish: meant.iter().map(|(job, spot)| reference.jobs[*job].key_of(*spot)).collect(),
            ms: reference.next_moment().unwrap_or(0.0),
            crash: *crash,
        };
        self.questions += 1;
        let crashed = self.engine.happen(&happens, &reference.case);
        if self.draws {
            reference.draws = self.engine.draws();
        }
        reference.happen(what, happens.number);
        if crashed {
            self.crash()?;
        }
        self.compare()
    }

    /// What the engine has stored must be the beginning of what was to be decided, and whom it has called must
    /// be among those who were to be called.
    fn crash(&mut self) -> Agreed {
        self.crashed = true;
        let (reference, engine) = (&mut self.reference, &self.engine);
        for job in &reference.jobs {
            let (made, most) = (engine.commits(&job.id), job.commits.len());
            if made > most {
                return Err(format!("{made} commits to job {}, of which there are {most}", job.id));
            }
        }
        let mut expected = std::mem::take(&mut reference.calls);
        for call in engine.take_calls() {
            self.excess += reference.excess_of(&call);
            let place = expected.iter().position(|expected| *expected == call);
            expected
                .remove(place.ok_or_else(|| format!("an agent was called that was not to be: {call:?}"))?);
        }
        reference.crash(|id| engine.commits(id), engine.budget());
        for job in &reference.jobs {
            let compared = self.compared.entry(job.id.clone()).or_default();
            *compared = (*compared).min(job.history.len());
        }
        Ok(())
    }

    fn compare(&mut self) -> Agreed {
        let (reference, engine) = (&mut self.reference, &mut self.engine);
        for job in &reference.jobs {
            same(&format!("commits to job {}", job.id), &engine.commits(&job.id), &job.commits.len())?;
            let compared = self.compared.entry(job.id.clone()).or_default();
            engine.look(&job.id, |stored| compare_history(stored, job, compared))?;
        }
        let (mut told, mut expected) = (engine.told(), std::mem::take(&mut reference.told));
        told.sort_by_key(|(number, _)| *number);
        expected.sort_by_key(|(number, _)| *number);
        same("what was told", &told, &expected)?;
        let (mut calls, mut expected) = (engine.take_calls(), std::mem::take(&mut reference.calls));
        self.excess += calls.iter().map(|call| reference.excess_of(call)).sum::<f64>();
        calls.sort_by(|one, other| one.key.cmp(&other.key));
        expected.sort_by(|one, other| one.key.cmp(&other.key));
        same("calls of agents", &calls, &expected)?;
        same("attempts at work", &engine.unanswered().len(), &reference.at_work().len())?;
        same("what is left of the budget", &engine.budget(), &reference.budget)?;
        let held = reference.jobs.iter().filter_map(|job| job.process.runner.as_ref());
        let held = held.map(|runner| runner.held.len()).sum();
        same("steps that something is held for", &engine.held(), &held)?;
        for job in reference.jobs.iter().filter(|job| job.exists()) {
            engine.look(&job.id, |stored| compare_job(stored.expect("a job"), job))?;
        }
        self.look_at_invariants()
    }

    /// What must be true whatever the reference says.
    fn look_at_invariants(&mut self) -> Agreed {
        let (reference, engine) = (&self.reference, &self.engine);
        let unanswered = engine.unanswered();
        // Nobody begins whose estimate is not there.
        if engine.budget().is_some_and(|left| left < -self.excess) {
            return Err(format!(
                "{:?} is left, and {} was more than estimated",
                engine.budget(),
                self.excess
            ));
        }
        if unanswered.len() > engine.held() {
            return Err(format!("{} at work, and something held for {}", unanswered.len(), engine.held()));
        }
        for job in &reference.jobs {
            let at_work = unanswered.iter().filter(|id| **id == job.id).count();
            let parent = job.parent.map(|parent| reference.jobs[parent].state.permissions);
            let invariants = &mut self.invariants;
            engine.look(&job.id, |stored| {
                let Some(stored) = stored else {
                    invariants.remove(&job.id);
                    return Ok(());
                };
                let known = invariants.entry(job.id.clone());
                known.or_insert_with(|| Invariants::new(&job.plan, stored)).look(stored, at_work, parent)
            })?;
        }
        Ok(())
    }

    fn end(self) -> Agreed {
        same("operations that never end", &self.engine.is_idle(), &true)?;
        same("timers that are left", &self.engine.timers(), &0)?;
        // Whose parent ended just before its process did, is left as it was.
        let mut open = self.reference.jobs.iter().filter(|job| job.exists() && !job.has_ended());
        if let Some(open) = open.next().filter(|_| !self.crashed) {
            return Err(format!("job {} has no end", open.id));
        }
        let entries: usize = self.compared.values().sum();
        let random = Random::new((self.questions * 1_000 + entries) as u64);
        let mut jobs = self.reference.jobs.iter().filter(|job| job.exists());
        jobs.try_for_each(|job| self.engine.replay(&job.id, &random))
    }

    /// What was decided about steps, and what became of it, in no order and without what tells an order.
    pub fn decided(&self) -> Vec<String> {
        let jobs = self.reference.jobs.iter().filter(|job| job.exists());
        let mut decided: Vec<String> = jobs
            .flat_map(|job| {
                let steps = job.history.iter().filter(|(_, payload)| payload.get("step").is_some());
                let steps = steps.map(|(name, payload)| {
                    let mut payload = payload.clone();
                    for key in ["approval", "dueAt"] {
                        payload.as_object_mut().expect("a payload").remove(key);
                    }
                    format!("{} {name} {payload}", job.id)
                });
                let context = format!("{} {}", job.id, Value::Object(job.state.context.clone()));
                steps.chain([context]).collect::<Vec<String>>()
            })
            .collect();
        decided.sort();
        decided
    }
}

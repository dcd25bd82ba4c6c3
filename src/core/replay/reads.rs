//! Which values of the context decisions read.

use super::Replay;
use crate::core::{job::Steps, logic::Reads};

impl Replay {
    /// What the plan's rules read that decide something: whether a step is done, how often, and for what. What only an
    /// agent is given is not among it.
    pub fn reads(&self) -> Reads {
        let mut all = Vec::new();
        let Some(Steps::Planned(plan)) = self.job.run.as_ref().map(|run| &run.steps) else {
            return Reads::Paths(all);
        };
        for step in &plan.steps {
            let until = step.repeat.as_ref().map(|repeat| &repeat.until);
            for rule in [step.when.as_ref(), until, step.for_each.as_ref()].into_iter().flatten() {
                match rule.paths() {
                    Reads::Paths(paths) => all.extend(paths),
                    Reads::Everything => return Reads::Everything,
                }
            }
        }
        Reads::Paths(all)
    }
}

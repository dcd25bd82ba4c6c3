//! The jobs that steps run.

use serde_json::{Map, Value, json};

use super::{HostCall, MemoryHost, form, steps};
use crate::{
    core::{job::JobHead, plan::ChildJob, step::StepIndex},
    host::{ChildJobs, JobKey},
};

impl ChildJobs for MemoryHost {
    fn id_of(&self, job: JobKey) -> String {
        self.id(job)
    }

    fn child_of(&self, parent: JobKey, step: StepIndex) -> JobKey {
        let id = self.look(parent, |stored| {
            stored.map(|stored| steps::key_of(stored, step, &steps::step_of(stored, step).0))
        });
        self.enter(&id.unwrap_or_default())
    }

    fn leave_child(&self, _child: JobKey) {}

    fn child_origin(
        &self,
        parent: JobKey,
        step: StepIndex,
        child: JobKey,
        what: &ChildJob,
    ) -> Result<Value, String> {
        let none = Map::new();
        let parent_id = self.id(parent);
        let (context, plan) = self.look(parent, |stored| {
            let stored = stored.unwrap_or(&none);
            let context = match (&what.context, steps::item_at(stored, step)) {
                (Some(context), _) => steps::evaluate(context, stored, Some(step))?,
                (None, Some((item, index))) => json!({ "item": item, "index": index }),
                (None, None) => json!({}),
            };
            if !context.is_object() {
                return Err(format!("The child job's context must be an object; found {context}"));
            }
            let (planned, _) = form::planned_at(stored, step);
            let plan = &stored["run"]["plan"]["steps"][planned]["job"]["plan"];
            Ok((context, plan.clone()))
        })?;
        let mut origin = self.origin(child, context, Some(&plan));
        origin["parentId"] = parent_id.into();
        Ok(origin)
    }

    fn is_child_of(&self, job: JobKey, parent: JobKey) -> bool {
        let id = self.id(parent);
        self.look(job, |stored| {
            stored.is_some_and(|stored| stored.get("parentId").is_some_and(|it| *it == id))
        })
    }

    fn is_made_by_step(&self, job: JobKey) -> bool {
        let id = self.id(job);
        self.look(job, |stored| {
            let parent = stored.and_then(|stored| stored.get("parentId")?.as_str());
            parent.and_then(|parent| id.strip_prefix(parent)).is_some_and(|step| step.starts_with(':'))
        })
    }

    async fn is_given_up(&self, job: JobKey) -> Result<bool, String> {
        let id = self.id(job);
        let Some(parent) = self.parent_of(job) else { return Ok(false) };
        let failed = |stored: &Map<String, Value>, parent: &str| {
            let made = id.strip_prefix(parent).and_then(|rest| rest.strip_prefix(':'));
            let states = stored.get("run").and_then(|run| run["steps"].as_object()).into_iter().flatten();
            states.into_iter().filter(|(_, state)| state["status"] == "failed").any(|(name, state)| {
                let item = name.strip_suffix(']').and_then(|name| name.rsplit_once('['));
                let key = item.map_or_else(|| name.clone(), |(step, item)| format!("{step}:{item}"));
                let round = state["round"].as_u64().unwrap_or(0) + 1;
                made == Some(key.as_str()) || made == Some(format!("{name}:{round}").as_str())
            })
        };
        let look = || {
            let parent_id = self.id(parent);
            self.look(parent, |stored| stored.is_some_and(|stored| failed(stored, &parent_id)))
        };
        self.call(HostCall::Load(parent), look).await
    }

    fn context_of(&self, job: JobKey) -> Result<Value, String> {
        Ok(self.look(job, |stored| stored.and_then(|it| it.get("context")).cloned()).unwrap_or_default())
    }

    fn budget_refusal(&self, _error: &String) -> Option<Value> {
        None
    }

    // This host knows no limits that are shared.
    fn inherit(&self, parent: JobKey, mut origin: Value) -> Value {
        if let Value::Object(job) = &mut origin {
            job.insert("parentId".to_owned(), self.id(parent).into());
        }
        origin
    }

    fn sharer(&self, _job: JobKey, _number: usize) -> Option<JobKey> {
        None
    }

    fn leave(&self, _job: JobKey) {}

    fn is_counted(&self, _sharer: JobKey, _descendant: JobKey, _number: u64) -> bool {
        true
    }

    async fn parent_head(&self, job: JobKey) -> Result<Option<JobHead>, String> {
        let Some(parent) = self.parent_of(job) else { return Ok(None) };
        let head = || self.look(parent, |stored| stored.map(form::read_head).transpose());
        self.call(HostCall::Load(parent), head).await?
    }
}
